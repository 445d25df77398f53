"""Bad input: a worded ValueError where values are known, NaN inside jit, never a wrong number."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import slow
from precision import digits, double

import jaxosc
from jaxosc.papers import konopik_lutz
from jaxosc.spectra import Ohmic

ZERO = np.zeros((2, 2))
GOOD = dict(omega=(5.0, 2.0), coupling=1.0, interaction="position")
EQUATIONS = (jaxosc.local_lindblad, jaxosc.global_lindblad, jaxosc.langevin)


def pair(**changes):
    return jaxosc.pair(**{**GOOD, **changes})


def baths(damping=(0.1, 0.1), temperature=(1.0, 2.0), spectrum="flat", **options):
    return jaxosc.Baths(damping, temperature, spectrum, **options)


BATCH = jax.vmap(lambda coupling: pair(coupling=coupling))(np.linspace(0, 1, 3))
BATH_BATCH = jax.vmap(lambda t: baths(temperature=jnp.stack([t, t])))(np.linspace(1, 2, 2))
DYNAMICS_BATCH = jax.vmap(lambda network: jaxosc.local_lindblad(network, baths()))(BATCH)

PLAIN = jaxosc.Dynamics(-np.eye(2), np.eye(2))
LEAVES, FORM = jax.tree.flatten(DYNAMICS_BATCH)
UNEVEN = jax.tree.unflatten(FORM, [LEAVES[0][:2], *LEAVES[1:]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pair(omega=(5.0,)), r"`omega` must have shape \(2,\)"),
        (lambda: pair(omega=5.0), r"`omega` must have shape \(2,\)"),
        (lambda: pair(omega=(5.0, 0.0), coupling=None, distance=0.1), "`omega` must be positive"),
        (lambda: jaxosc.critical_coupling((-1.0, 1.0), "position"), "`omega` must be positive"),
        (lambda: pair(damping=0.1), "`damping` must come with `distance`"),
        (
            lambda: pair(coupling=None, distance=0.1, interaction="rotating-wave", damping=0.1),
            "`damping` must come with the interaction 'position'",
        ),
        (lambda: pair(omega=(5.0, np.nan)), "`omega` must be finite"),
        (lambda: pair(omega=("a", "b")), "`omega` must be a real number"),
        (lambda: pair(omega=(5.0, 2.0 + 1j)), "`omega` must be real"),
        (lambda: pair(omega=(True, True)), "`omega` must be real"),
        (lambda: pair(coupling=[1.0]), r"`coupling` must have shape \(\)"),
        (lambda: pair(coupling=np.inf), "`coupling` must be finite"),
        (lambda: pair(coupling=None), "`coupling` must be given, or `distance`"),
        (lambda: pair(distance=0.1), "`distance` must replace `coupling`"),
        (lambda: pair(coupling=None, distance=0.0), r"`distance` must lie in \(0, 2\)"),
        (lambda: pair(coupling=None, distance=2.0), r"`distance` must lie in \(0, 2\)"),
        (lambda: pair(coupling=None, distance=[0.5]), r"`distance` must have shape \(\)"),
        (lambda: pair(coupling=None, distance=np.nan), "`distance` must be finite"),
        (lambda: pair(interaction="hookean"), "`interaction` must be one of 'position'"),
        (lambda: pair(interaction=None), "`interaction` must be one of"),
        (lambda: jaxosc.critical_coupling((1.0, 1.0, 1.0), "position"), "`omega` must have shape"),
        (lambda: jaxosc.critical_coupling((1.0, 1.0), "pp"), "`interaction` must be one of"),
        (lambda: jaxosc.Oscillators([], ZERO, ZERO), r"`frequency` must have shape \(N,\)"),
        (lambda: jaxosc.Oscillators([[1.0]], ZERO, ZERO), r"`frequency` must have shape \(N,\)"),
        (lambda: jaxosc.local_lindblad(pair(omega=(-1, 1)), baths()), "occupation"),
        (lambda: jaxosc.langevin(pair(omega=(-1, 1)), baths()), "`oscillators` must have"),
        (lambda: jaxosc.Oscillators([1, 1], [[0, 1j], [1j, 0]], ZERO), "`exchange` must be Herm"),
        (lambda: jaxosc.Oscillators([1, 1], ZERO, ZERO, drive=[1]), "`drive` must have shape"),
        (lambda: jaxosc.Oscillators([1, 1j], ZERO, ZERO), "`frequency` must be real"),
        (lambda: jaxosc.Oscillators.from_hessian(np.eye(3)), r"`hessian` must have shape \(2N"),
        (lambda: jaxosc.Oscillators.from_hessian([[1, 2], [3, 4]]), "`hessian` must be symm"),
        (lambda: jaxosc.Oscillators([1.0], ZERO, ZERO), r"`exchange` must have shape \(1, 1\)"),
        (lambda: jaxosc.Oscillators([1, 1], ZERO, [[0, 1], [2, 0]]), "`pairing` must be symmetric"),
        (lambda: jaxosc.Oscillators([1, 1], np.eye(2), ZERO), "`exchange` must have a zero diag"),
        (lambda: jaxosc.Oscillators([1, 1], ZERO * np.nan, ZERO), "`exchange` must be finite"),
        (lambda: baths(damping=(-0.1, 0.1)), "`damping` must not be negative"),
        (lambda: baths(damping=[[0.1]]), r"`damping` must be a number or have shape \(M,\)"),
        (lambda: jaxosc.Baths(0.1), "`temperature` must be given, or `occupation`"),
        (lambda: jaxosc.Baths((0.1, 0.2), (1.0, None)), "`temperature` must be given for each"),
        (lambda: jaxosc.Baths(0.1, 1.0, occupation=1.0), "`occupation` must replace"),
        (lambda: jaxosc.Baths(0.1, occupation=-1.0), "`occupation` must not be negative"),
        (lambda: jaxosc.Baths(0.1, 1.0, squeezing=0.1), "`squeezing` must come with"),
        (lambda: jaxosc.Baths(0.1, occupation=1, squeezing=2.0), "`squeezing` must have squares"),
        (lambda: jaxosc.Baths(0.1, 1.0, coupling="spring"), "`coupling` must be one of"),
        (lambda: jaxosc.Baths(0.1, 1.0, coupling=[1.0, 0.0]), r"`coupling` must have shape"),
        (lambda: jaxosc.Baths(0.1, 1.0, spectrum=(3,)), "`spectrum` must be one of"),
        (
            lambda: jaxosc.langevin(pair(), jaxosc.Baths(0.1, 1.0, coupling=np.ones((1, 3)))),
            "`coupling` must have rows of 2N real or N complex",
        ),
        (
            lambda: jaxosc.langevin(pair(), jaxosc.Baths(0.1, 1.0, coupling=np.ones((1, 6)))),
            "`baths` must hold rows of 2 complex or 4 real numbers",
        ),
        (lambda: baths(damping=(np.nan, 0.1)), "`damping` must be finite"),
        (lambda: baths(temperature=(1.0, -1e-9)), "`temperature` must not be negative"),
        (lambda: baths(temperature=(1.0, np.inf)), "`temperature` must be finite"),
        (lambda: baths(temperature=(1.0,)), r"`temperature` must have shape \(2,\)"),
        (lambda: baths(spectrum="white"), "`spectrum` must be one of 'flat', 'ohmic'"),
        (lambda: jaxosc.gibbs(pair(), -1.0), "`temperature` must not be negative"),
        (lambda: jaxosc.gibbs(pair(), (1.0, 2.0)), r"`temperature` must have shape \(\)"),
        (lambda: jaxosc.gibbs(baths(), 1.0), "`oscillators` must be a jaxosc.Oscillators"),
        (lambda: jaxosc.local_lindblad(baths(), pair()), "`oscillators` must be a jaxosc.Osc"),
        (lambda: jaxosc.local_lindblad(pair(), 1.0), "`baths` must be a jaxosc.Baths"),
        (lambda: jaxosc.langevin(pair(), baths((1, 1, 1), (1, 1, 1))), "`baths` must hold one"),
        (lambda: jaxosc.langevin(pair(), baths(spectrum="ohmic")), "`baths` must have the spectr"),
        (lambda: baths(coupling="paper"), "`coupling` must be one of"),
        (
            lambda: konopik_lutz.global_lindblad(pair(), baths(spectrum="ohmic")),
            "`baths` must be flat and coupled by 'rotating-wave'",
        ),
        (
            lambda: konopik_lutz.global_lindblad(pair(), baths(coupling="position")),
            "`baths` must be flat and coupled by 'rotating-wave'",
        ),
        (
            lambda: jaxosc.global_lindblad(
                pair(), jaxosc.Baths(0.1, 1.0, "ohmic", coupling=np.eye(4)[:2])
            ),
            "`baths` must state the `reference`",
        ),
        (
            lambda: jaxosc.global_lindblad(pair(), jaxosc.Baths(0.1, occupation=1.0)),
            "`baths` must have a temperature",
        ),
        (lambda: jaxosc.langevin_spectrum(pair(), baths(), np.nan), "`frequency` must be finite"),
        (lambda: jaxosc.langevin_spectrum(pair(), baths(), 1.0, "x"), "`moment` must be one of"),
        (
            lambda: jaxosc.langevin_spectrum(pair(), jaxosc.Baths(0.1, occupation=1.0), 1.0),
            "`baths` must have temperatures and the spectrum 'flat'",
        ),
        (
            lambda: jaxosc.langevin_quadrature(pair(), baths(spectrum="ohmic")),
            "`baths` must have spectra with a cutoff",
        ),
        (
            lambda: jaxosc.langevin(
                pair(), baths(spectrum="ohmic", coupling="position", counter_term=False)
            ),
            "`baths` must have a counter-term beside a strictly Ohmic spectrum",
        ),
        (lambda: jaxosc.mean_force_gibbs(pair(), baths()), "`baths` must couple by positions"),
        (
            lambda: jaxosc.local_lindblad(pair(), baths(coupling=np.eye(4)[:2])),
            "`baths` must state the `reference` of the spectrum of a row",
        ),
        (lambda: jaxosc.status(UNEVEN), "`dynamics` must hold a batch of networks, but its"),
        (lambda: jaxosc.heat_currents(PLAIN), "`dynamics` must come from an equation with baths"),
        (
            lambda: jaxosc.evolve(PLAIN, np.eye(2), [1.0], tolerance="small"),
            "`tolerance` must",
        ),
        (
            lambda: jaxosc.fisher_information(lambda x: (np.eye(2), np.ones(2)), 0.0, angle=[[0]]),
            "`angle` must be a number or one a mode",
        ),
        (lambda: jaxosc.spectra.Sum((), ()), "`spectra` must hold at least one spectrum"),
        (lambda: jaxosc.spectra.Sum(3.0, ()), "`spectra` must be a sequence of spectra"),
        (lambda: jaxosc.Baths(None), "`damping` must be a number or numbers, but it is None"),
        (lambda: jaxosc.Oscillators([1.0], None), r"`exchange` must be a matrix \[N, N\]"),
        (lambda: jaxosc.langevin(BATCH, baths()), "`oscillators` must hold one network"),
        (lambda: jaxosc.gibbs(BATCH, 1.0), "`oscillators` must hold one network"),
        (lambda: jaxosc.normal_modes(BATCH), "`oscillators` must hold one network"),
        (lambda: jaxosc.langevin(pair(), BATH_BATCH), "`baths` must hold the baths of one"),
        (lambda: jaxosc.steady_state(DYNAMICS_BATCH), "`dynamics` must hold one network"),
        (lambda: jaxosc.global_lindblad(pair(), baths((0, 0))), "`baths` must damp every normal"),
        (lambda: jaxosc.langevin_quadrature(pair(), baths((0, 0))), "`baths` must damp every mot"),
        (lambda: pair(omega=np.float16([5, 2])), "`omega` must be float32 or float64"),
        (lambda: jaxosc.steady_state(np.eye(4)), "`dynamics` must be a jaxosc.Dynamics"),
        (lambda: jaxosc.Dynamics(np.eye(3), np.eye(3)), r"`drift` must have shape \(2N, 2N\)"),
        (lambda: jaxosc.Dynamics(-np.eye(2), np.eye(4)), "`diffusion` must have shape"),
        (lambda: jaxosc.Dynamics(-np.eye(2), [[1, 2], [3, 4]]), "`diffusion` must be symmetric"),
        (lambda: jaxosc.Dynamics(np.full((2, 2), np.inf), np.eye(2)), "`drift` must be finite"),
        (lambda: jaxosc.steady_state(jaxosc.Dynamics(np.eye(2), np.eye(2))), "`dynamics` must"),
        (lambda: jaxosc.steady_state(jaxosc.local_lindblad(pair(), baths((0, 0)))), "no unique"),
    ],
)
def test_worded_errors(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert str(error.value).startswith("Argument `")
    assert ", but " in str(error.value)


@pytest.mark.parametrize("interaction", ["position", "rotating-wave"])
def test_a_distance_beyond_the_two_critical_couplings(interaction):
    """δ in (0, 2) is λ between λ_c and −λ_c; a record that JAX put together is held to it too."""
    made = jaxosc.pair((5.0, 2.0), interaction=interaction, distance=0.25)
    for distance in (-0.1, 0.0, 2.0, np.nan):
        moved = jax.tree.map(
            lambda leaf, d=distance: jnp.full_like(leaf, d) if leaf.ndim == 0 else leaf, made
        )
        assert np.isnan(jax.jit(jaxosc.gibbs)(moved, 1.0)).all()
        with pytest.raises(ValueError, match=r"`oscillators.distance` must"):
            jaxosc.gibbs(moved, 1.0)
    opposite = jaxosc.pair((5.0, 2.0), interaction=interaction, distance=1.75)
    np.testing.assert_array_equal(opposite.exchange, -made.exchange)
    np.testing.assert_allclose(
        jaxosc.occupation(jaxosc.gibbs(opposite, 1.0)),
        jaxosc.occupation(jaxosc.gibbs(made, 1.0)),
        rtol=digits(1e-14),
    )


def number(coupling, interaction, equation):
    oscillators = jaxosc.pair((4.0, 1.0), coupling, interaction)
    if equation is jaxosc.gibbs:
        return jaxosc.occupation(jaxosc.gibbs(oscillators, 1.0))
    if equation is jaxosc.langevin_quadrature:
        return jaxosc.occupation(equation(oscillators, baths()))
    if equation is jaxosc.langevin_spectrum:
        return equation(oscillators, baths(), 0.7)
    return jaxosc.occupation(jaxosc.steady_state(equation(oscillators, baths())))


number_inside = jax.jit(number, static_argnums=(1, 2))


@pytest.mark.parametrize("interaction", ["position", *slow("rotating-wave")])
@pytest.mark.parametrize("excess", [1.0, 1.0001, 3.0])
def test_past_the_critical_coupling(interaction, excess):
    """At λ_c and beyond: an error for known values, NaN for traced ones, in every description."""
    critical = float(jaxosc.critical_coupling((4.0, 1.0), interaction))  # 1 or 2, exactly
    bounded = [equation for equation in EQUATIONS if equation is not jaxosc.local_lindblad]
    equations = (*bounded, jaxosc.gibbs, jaxosc.langevin_quadrature, jaxosc.langevin_spectrum)
    for equation in equations:
        with pytest.raises(ValueError, match="at or past the critical one"):
            number(excess * critical, interaction, equation)
        assert np.isnan(number_inside(excess * critical, interaction, equation)).all()
        assert np.isfinite(number_inside(0.99 * critical, interaction, equation)).all()


def test_bad_values_inside_jit():
    def occupation(omega, coupling, damping, temperature, equation):
        oscillators = jaxosc.pair(omega, coupling, "position")
        dynamics = equation(oscillators, jaxosc.Baths(damping, temperature))
        return jaxosc.occupation(jaxosc.steady_state(dynamics))

    good = [(5.0, 2.0), 1.0, (0.1, 0.1), (1.0, 2.0)]
    bad = [
        (0, (5.0, -2.0)), (0, (np.nan, 2.0)), (1, np.nan), (1, np.inf), (2, (-0.1, 0.3)),
        (2, (0.0, 0.0)), (2, (np.inf, 0.1)), (3, (-1.0, 2.0)), (3, (1.0, np.nan)),
        (3, (np.inf, 1.0)),
    ]  # fmt: skip
    for equation in EQUATIONS:
        inside = jax.jit(occupation, static_argnums=4)
        assert np.isfinite(inside(*map(jnp.asarray, good), equation)).all()
        for position, value in bad:
            arguments = [*good]
            arguments[position] = value
            result = inside(*map(jnp.asarray, arguments), equation)
            assert np.isnan(result).all(), (equation, position, value, result)


def test_a_traced_coupling_that_is_not_symmetric():
    def occupation(exchange):
        oscillators = jaxosc.Oscillators((5.0, 2.0), exchange, ZERO)
        return jaxosc.occupation(jaxosc.steady_state(jaxosc.langevin(oscillators, baths())))

    inside = jax.jit(occupation)
    assert np.isfinite(inside(jnp.array([[0.0, 1.0], [1.0, 0.0]]))).all()
    for exchange in ([[0.0, 1.0], [3.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]):
        assert np.isnan(inside(jnp.array(exchange))).all()


def test_records_are_immutable_pytrees():
    oscillators = pair()
    with pytest.raises(AttributeError, match="immutable"):
        oscillators.frequency = jnp.ones(2)
    with pytest.raises(AttributeError, match="immutable"):
        del oscillators.frequency
    leaves, structure = jax.tree.flatten(baths(spectrum="ohmic"))
    assert len(leaves) == 3  # temperatures one by one
    rebuilt = jax.tree.unflatten(structure, leaves)
    assert isinstance(rebuilt.spectrum, Ohmic)
    assert "spectrum=Ohmic(" in repr(rebuilt)
    assert repr(jaxosc.local_lindblad(pair(), baths())).startswith("Dynamics(drift=")
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(pair())]
    assert paths == [".frequency", ".exchange", ".pairing"]


def test_types_that_users_pass():
    """Ints, NumPy scalars and arrays, lists, tuples and JAX arrays mean the same."""
    expected = jaxosc.steady_state(jaxosc.langevin(pair(), baths()))
    for omega in ((5, 2), [5, 2], np.array([5, 2]), jnp.array([5.0, 2.0]), np.float64([5, 2])):
        for coupling in (1, 1.0, np.int64(1), np.float64(1), jnp.array(1)):
            state = jaxosc.steady_state(
                jaxosc.langevin(pair(omega=omega, coupling=coupling), baths())
            )
            assert np.all(state == expected)


@double
@pytest.mark.slow
def test_float32_follows_its_input():
    """float32 in, float32 out, to the 1e-7/(1 − λ/λ_c) that its couplings can express."""
    single = np.float32
    for ratio, accuracy in ((0.5, 3e-6), (0.9, 1e-5), (0.99, 1e-4)):
        coupling = single(ratio * np.sqrt(10) / 2)
        state = {}
        for dtype in (np.float32, np.float64):
            oscillators = jaxosc.pair(np.array([5, 2], dtype), dtype(coupling), "position")
            some = jaxosc.Baths(np.full(2, 1.5e-4, dtype), np.array([98, 298], dtype))
            state[dtype] = [
                *(jaxosc.steady_state(equation(oscillators, some)) for equation in EQUATIONS),
                jaxosc.gibbs(oscillators, dtype(98)),
            ]
        for low, high in zip(state[np.float32], state[np.float64], strict=True):
            assert low.dtype == jnp.float32
            assert high.dtype == jnp.float64
            np.testing.assert_allclose(
                jaxosc.occupation(low), jaxosc.occupation(high), rtol=accuracy
            )
            assert jaxosc.mutual_information(low) == pytest.approx(
                float(jaxosc.mutual_information(high)), abs=100 * accuracy
            )


def test_one_oscillator():
    one = jaxosc.Oscillators([3.0], [[0.0]], [[0.0]])
    for equation in EQUATIONS:
        state = jaxosc.steady_state(equation(one, jaxosc.Baths([1e-6], [2.0])))
        assert jaxosc.occupation(state)[0] == pytest.approx(1 / np.expm1(1.5), rel=1e-5)
    assert jaxosc.gibbs(one, 0.0)[0, 0] == pytest.approx(0.5, rel=digits(1e-14))
