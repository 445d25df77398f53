"""Any network, frame and bath through the public functions, against numbers of other methods."""

import itertools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import others_at_night
from precision import DTYPE, EPS, digits, double
from scipy.linalg import solve_continuous_lyapunov

import jaxosc
from jaxosc.spectra import Brownian, Drude, Flat, Ohmic, PowerLaw

LINK = np.array([[0.0, 1.0], [1.0, 0.0]])
ONE = np.eye(2).astype(complex)
FLUX = 0.2 * np.exp(1j * np.pi / 6)
RING = np.array([
    [0, FLUX, FLUX.conj()],
    [FLUX.conj(), 0, FLUX],
    [FLUX, FLUX.conj(), 0],
])  # fmt: skip


def state(oscillators, baths, equation=jaxosc.local_lindblad):
    return jaxosc.steady_state(equation(oscillators, baths))


# Moment equations solved by hand or in Fock space, ⟨a_j†a_j⟩
NUMBERS = {
    "rotating wave past the critical coupling": (
        lambda: jaxosc.pair((5.0, 2.0), 4.0, "rotating-wave"),
        lambda: jaxosc.Baths((0.1, 0.2), occupation=(1.0, 3.0)),
        (2.1838697743248, 2.4080651128376),
    ),
    "blue detuning": (
        lambda: jaxosc.pair((-1.0, 1.0), 0.002, "position"),
        lambda: jaxosc.Baths((0.1, 1e-4), occupation=(0.0, 100.0)),
        (0.067321399426771, 166.98805910922),
    ),
    "zero detuning": (
        lambda: jaxosc.pair((0.0, 1.0), 0.05, "position"),
        lambda: jaxosc.Baths((0.1, 1e-4), occupation=(0.0, 100.0)),
        (0.51154000901895, 102.4776736849),
    ),
    "parametric amplifier": (
        lambda: jaxosc.Oscillators((0.0, 0.0), 0 * LINK, 0.05 * LINK),
        lambda: jaxosc.Baths(0.1, occupation=0.0),
        (1 / 6, 1 / 6),
    ),
    "one mode squeezed": (
        lambda: jaxosc.Oscillators([1.0], [[0.0]], [[0.3]]),
        lambda: jaxosc.Baths(0.1, 0.0),
        (0.0489130434783,),
    ),
    "flux through a ring": (
        lambda: jaxosc.Oscillators((1.0, 1.0, 1.0), RING),
        lambda: jaxosc.Baths(0.05, occupation=(2.0, 0.5, 0.5)),
        (1.0580847723705, 1.0839874411303, 0.85792778649922),
    ),
    "shared bath": (
        lambda: jaxosc.Oscillators((1.0, 1.2), 0.1 * LINK),
        lambda: jaxosc.Baths(
            (0.02, 0.02, 0.05), occupation=(0, 0, 1), coupling=np.vstack([ONE, [[1, 1]]])
        ),
        (0.47074091552619, 0.70670127418594),
    ),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_occupations_of_white_baths(name):
    oscillators, baths, expected = (part() if callable(part) else part for part in NUMBERS[name])
    for equation in (jaxosc.local_lindblad, jaxosc.langevin):
        if equation is jaxosc.langevin and baths.temperature is not None:
            continue
        found = jaxosc.occupation(state(oscillators, baths, equation))
        # The last digits printed; in float32 ε over the slowest damping
        np.testing.assert_allclose(found, expected, rtol=3e-12 if EPS < 1e-10 else 0.02)


def test_a_squeezed_bath():
    baths = jaxosc.Baths(0.1, occupation=0.5, squeezing=np.sqrt(0.75))
    covariance = state(jaxosc.Oscillators([0.2], [[0.0]]), baths)
    real = (covariance[0, 0] - covariance[1, 1]) / 2
    np.testing.assert_allclose(real, 0.173205080757, rtol=digits(1e-11))
    np.testing.assert_allclose(covariance[0, 1], -0.346410161514, rtol=digits(1e-11))


def test_a_driven_oscillator():
    driven = jaxosc.Oscillators([1.0], [[0.0]], drive=[0.4])
    dynamics = jaxosc.local_lindblad(driven, jaxosc.Baths(0.1, occupation=0.5))
    mean = jaxosc.steady_mean(dynamics)
    expected = np.sqrt(2) * np.array([-0.39603960396, -0.039603960396])
    np.testing.assert_allclose(mean, expected, rtol=digits(1e-11))
    number = jaxosc.occupation(jaxosc.steady_state(dynamics), mean)
    np.testing.assert_allclose(number, 0.658415841584, rtol=digits(1e-11))
    turned = driven.replace(drive=[0.4j])  # a phase of the drive is one of the mean
    again = jaxosc.steady_mean(jaxosc.local_lindblad(turned, jaxosc.Baths(0.1, occupation=0.5)))
    np.testing.assert_allclose(again, [-mean[1], mean[0]], rtol=digits(1e-13))


def test_jumps_by_name():
    """Loss and gain of every oscillator are the local equation, whatever H is."""
    network = jaxosc.Oscillators((1.0, -0.3), [[0, 0.2j], [-0.2j, 0]], [[0.05, 0.1], [0.1, 0.02j]])
    rates, number = np.array([0.1, 0.2]), np.array([0.5, 2.0])
    loss, gain = (np.diag(np.sqrt(2 * rates * n)) for n in (number + 1, number))
    zero = np.zeros((2, 2))
    dynamics = jaxosc.lindblad(network, np.vstack([loss, zero]), np.vstack([zero, gain]))
    expected = state(network, jaxosc.Baths(rates, occupation=number))
    np.testing.assert_allclose(jaxosc.steady_state(dynamics), expected, rtol=0, atol=50 * EPS)


def test_two_frames():
    """Without pairing a frame that rotates at any frequency has the same occupations."""
    baths = jaxosc.Baths((0.1, 0.2), occupation=(0.3, 2.0))
    numbers = [
        jaxosc.occupation(
            state(jaxosc.pair(np.array([1.0, 1.3]) - shift, 0.2, "rotating-wave"), baths)
        )
        for shift in (0.0, 1.0, 1.3, 5.0)
    ]
    for other in numbers[1:]:
        np.testing.assert_allclose(other, numbers[0], rtol=digits(1e-13))


SPECTRA = {
    "rotating-wave": lambda omega: Flat(reference=omega),
    "position": lambda omega: Ohmic(reference=omega),
    "momentum": lambda omega: Drude(4.0, reference=omega),
}


EQUATIONS = (jaxosc.local_lindblad, jaxosc.global_lindblad, jaxosc.langevin)
DIVERGING = ("position", jaxosc.langevin)  # moments, where positions are strictly Ohmic


@double
@pytest.mark.parametrize(
    ("coupling", "equation"),
    others_at_night(
        [case for case in itertools.product(SPECTRA, EQUATIONS) if case != DIVERGING],
        (),
        {
            *itertools.product(("position", "rotating-wave"), EQUATIONS[:1]),
            *itertools.product(("momentum",), EQUATIONS),
        },
    ),
)
def test_names_are_rows_and_phases_do_not_matter(coupling, equation):
    """A named coupling, the same as rows, and the same network in another gauge."""
    random = np.random.default_rng(3)
    omega, damping, temperature = (
        random.uniform(*span, 3) for span in ((1, 2), (0.01, 0.1), (0.5, 2))
    )
    exchange, pairing = (np.triu(random.normal(size=(3, 3)) * size, 1) for size in (0.15, 0.05))
    exchange, pairing = exchange + exchange.T, pairing + pairing.T
    phase = np.exp(1j * random.uniform(0, 6, 3))
    turned = np.conj(phase)[:, None] * exchange * phase
    gauge = jaxosc.Oscillators(omega, turned, np.conj(phase)[:, None] * pairing * np.conj(phase))
    plain = jaxosc.Oscillators(omega, exchange, pairing)
    spectra = [SPECTRA[coupling](w) for w in omega]
    rows = np.eye(3) + 0j
    if coupling != "rotating-wave":
        rows = np.sqrt(2) * np.eye(6)[int(coupling == "momentum") :: 2]
    named = jaxosc.Baths(damping, temperature, spectra, coupling=coupling)
    by_rows = jaxosc.Baths(damping, temperature, spectra, coupling=rows)
    expected = state(plain, named, equation)
    np.testing.assert_allclose(state(plain, by_rows, equation), expected, atol=1e-13)
    if coupling == "rotating-wave":
        numbers = jaxosc.occupation(state(gauge, named, equation))
        np.testing.assert_allclose(numbers, jaxosc.occupation(expected), rtol=1e-13)
    np.testing.assert_allclose(
        jaxosc.normal_modes(gauge).frequency, jaxosc.normal_modes(plain).frequency, rtol=1e-14
    )


@double
@pytest.mark.nightly
@pytest.mark.parametrize(
    "equation", [jaxosc.local_lindblad, jaxosc.global_lindblad, jaxosc.langevin]
)
def test_squeezed_pairs_by_two_kernels(equation):
    """A pairing with a diagonal: in scaled quadratures of the pair, and by the hessian."""
    omega, pairing = np.array([1.3, 1.7]), np.array([[0.3, 0.1], [0.1, -0.2]])
    baths = jaxosc.Baths((0.05, 0.1), (0.7, 2.0))
    pair = jaxosc.Oscillators(omega, 0.2 * LINK, pairing)
    general = jaxosc.Oscillators(omega, 0.2 * LINK + 0j, pairing)
    one, other = equation(pair, baths), equation(general, baths)
    np.testing.assert_allclose(jaxosc.steady_state(one), jaxosc.steady_state(other), atol=1e-14)
    np.testing.assert_allclose(one.diffusion, other.diffusion, atol=1e-15)
    along = {"pairing": np.array([[0.3, 0.1], [0.1, -0.4]]), "frequency": np.array([0.2, 0.5])}

    def moved(step, kind):
        network = jaxosc.Oscillators(
            omega + step * along["frequency"],
            (0.2 * LINK).astype(kind),
            pairing + step * along["pairing"],
        )
        return state(network, baths, equation)

    slopes = [jax.jit(jax.jacfwd(moved), static_argnums=1)(0.0, kind) for kind in (float, complex)]
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-11, atol=1e-12)


def test_a_hessian_and_back():
    network = jaxosc.Oscillators(
        (1.0, -2.0), [[0, 0.1 + 0.2j], [0.1 - 0.2j, 0]], [[0.1, 0.2j], [0.2j, 0.3]]
    )
    again = jaxosc.Oscillators.from_hessian(network.hessian)
    for name in ("frequency", "exchange", "pairing"):
        np.testing.assert_allclose(getattr(again, name), getattr(network, name), atol=4 * EPS)
    real = jaxosc.pair((5.0, 2.0), 1.0, "position")
    back = jaxosc.Oscillators.from_hessian(real.hessian)
    assert not jnp.iscomplexobj(back.exchange)
    np.testing.assert_array_equal(back.pairing, real.pairing)


def of_case(case):
    def spectrum(term):
        eta, *rest = term["values"]
        if term["kind"] == "drude":
            (cutoff,) = rest
            return eta * cutoff**2 / (1 + cutoff**2) * Drude(cutoff, reference=1.0)
        if term["kind"] == "brownian":
            omega, width = rest
            rate = eta**2 * width / ((omega**2 - 1) ** 2 + width**2)
            return rate * Brownian(omega, width, reference=1.0)
        (cutoff,) = rest
        return eta * np.exp(-1 / cutoff) * PowerLaw(1, cutoff, reference=1.0)

    spectra = [sum(map(spectrum, own[1:]), spectrum(own[0])) for own in case["baths"]]
    if "lowering" in case:
        parts = np.array(case["lowering"])
        rows, flags = parts[..., 0] + 1j * parts[..., 1], True
    else:
        rows, flags = np.array(case["couplings"]), case["counterterm"]
    baths = jaxosc.Baths(
        np.ones(len(spectra)), case["temperatures"], spectra, coupling=rows, counter_term=flags
    )
    return jaxosc.Oscillators.from_hessian(case["hamiltonian"]), baths


CASES = json.loads((Path(__file__).parent / "data" / "exact.json").read_text())


@double
@pytest.mark.parametrize(
    "place",
    others_at_night(range(len(CASES)), (20,), (11, 26)),
)
def test_structured_baths_to_forty_digits(place):
    """Strong, cold, critically damped, shared, not commuting, without counter-term: all of them."""
    case = CASES[place]
    network, baths = of_case(case)
    if "lowering" in case:
        covariance = jaxosc.langevin_quadrature(network, baths)
    else:
        covariance = jaxosc.steady_state(jaxosc.langevin(network, baths))
    expected = np.array(case["sigma"], float)
    assert np.abs(covariance - expected).max() < 1e-11 * np.abs(expected).max()
    assert jaxosc.symplectic_eigenvalues(covariance)[0] >= 0.5 * (1 - 1e-12)


@double
@pytest.mark.slow
def test_equilibrium_at_any_coupling():
    """At one temperature: the mean-force Gibbs state; for vanishing damping that of the network."""
    network = jaxosc.pair((1.0, 1.5), 0.2, "position")
    drude = (Drude(5.0), Brownian(1.2, 0.4))
    for temperature in (0.0, 0.5):
        baths = jaxosc.Baths((0.1, 0.2), temperature, drude, coupling="position")
        expected = state(network, baths, jaxosc.langevin)
        found = jaxosc.mean_force_gibbs(network, baths)
        np.testing.assert_allclose(found, expected, atol=1e-13)
    weak = jaxosc.Baths(1e-9, 0.5, drude, coupling="position")
    np.testing.assert_allclose(
        jaxosc.mean_force_gibbs(network, weak), jaxosc.gibbs(network, 0.5), atol=1e-7
    )


@double
@pytest.mark.slow
def test_a_strictly_ohmic_bath_lets_momenta_diverge():
    """Positions are those of a Drude bath but for 1/Λ; the others are NaN, and said to be."""
    network = jaxosc.pair((1.0, 1.5), 0.2, "position")
    with pytest.warns(UserWarning, match="strictly Ohmic"):
        ohmic = state(
            network, jaxosc.Baths(0.1, (0.5, 1), "ohmic", coupling="position"), jaxosc.langevin
        )
    errors = []
    for cutoff in (1e3, 1e4):
        baths = jaxosc.Baths(0.1, (0.5, 1), Drude(cutoff), coupling="position")
        drude = state(network, baths, jaxosc.langevin)
        assert np.isfinite(drude).all()
        errors.append(np.abs(ohmic - drude)[0::2, 0::2].max())
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.05)
    nan = np.isnan(np.asarray(ohmic))
    np.testing.assert_array_equal(nan, np.diag([False, True, False, True]))


@double
@pytest.mark.slow
def test_derivatives_by_what_a_bath_is():
    """By cutoff, width, weight and coupling, against central differences of the value."""
    network = jaxosc.pair((1.0, 1.5), 0.2, "position")

    def number(cutoff, width, weight, angle):
        spectra = (
            Drude(cutoff),
            weight * Drude(3.0, reference=1.0) + Brownian(1.2, width, reference=1.0),
        )
        rows = jnp.sqrt(2.0) * jnp.stack([
            jnp.array([1.0, 0.0, 0.0, 0.0]),
            jnp.stack([jnp.zeros(()), jnp.zeros(()), jnp.cos(angle), jnp.sin(angle)]),
        ])  # fmt: skip
        spectra = (Drude(cutoff, reference=1.0), spectra[1])
        baths = jaxosc.Baths((0.1, 0.05), (0.5, 1.0), spectra, coupling=rows)
        return jaxosc.occupation(state(network, baths, jaxosc.langevin))[0]

    point = (5.0, 0.4, 0.7, 0.3)
    value = jax.jit(number)
    slopes = jax.jit(jax.grad(number, argnums=(0, 1, 2, 3)))(*point)
    for place, slope in enumerate(slopes):
        step = 1e-3 * point[place]
        moved = [list(point) for _ in range(4)]
        for other, factor in zip(moved, (-2, -1, 1, 2), strict=True):
            other[place] += factor * step
        values = [value(*other) for other in moved]
        expected = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
        assert float(slope) == pytest.approx(float(expected), rel=1e-8, abs=1e-11)


def test_the_critical_point_of_damped_motion():
    """Of the dissipative Dicke model, where the photon number diverges as 1/δ."""
    critical = jaxosc.critical_coupling((1.0, 1.0), "position", (0.0, 0.2))
    assert float(critical) == pytest.approx(0.5099019513592785, rel=4 * EPS)
    pair = jaxosc.pair((1.0, 1.0), 1.0, "position")
    baths = jaxosc.Baths((0.0, 0.2), occupation=0.0)
    found = jaxosc.stability_scale(pair, baths)
    assert float(found) == pytest.approx(float(critical), rel=digits(1e-12))


@pytest.mark.nightly
@double
def test_the_exponent_about_it():
    def number(distance):
        network = jaxosc.pair(
            (1.0, 1.0), interaction="position", distance=distance, damping=(0.0, 0.2)
        )
        baths = jaxosc.Baths((1e-9, 0.2), occupation=0.0)
        return jnp.log(jaxosc.occupation(state(network, baths))[0])

    distance = 1e-5
    assert -distance * float(jax.grad(number)(distance)) == pytest.approx(1.0, abs=1e-3)


STATUSES = {
    jaxosc.Status.VALID: lambda: jaxosc.langevin(jaxosc.pair((5.0, 2.0), X, "position"), THERMAL),
    jaxosc.Status.UNBOUNDED: lambda: jaxosc.langevin(
        jaxosc.pair((5.0, 2.0), 2 * X, "position"), THERMAL
    ),
    jaxosc.Status.UNSTABLE: lambda: jaxosc.local_lindblad(
        jaxosc.pair((5.0, 2.0), 2 * X, "position"), THERMAL
    ),
    jaxosc.Status.FRAME: lambda: jaxosc.local_lindblad(
        jaxosc.pair(jnp.stack([-X, X]), 0.1, "position"), THERMAL
    ),
    jaxosc.Status.RATES: lambda: jaxosc.local_lindblad(
        jaxosc.pair((5.0, 2.0), 1.0, "position"), jaxosc.Baths(jnp.stack([X, -X]), 1.0)
    ),
    jaxosc.Status.OCCUPATIONS: lambda: jaxosc.local_lindblad(
        jaxosc.pair((5.0, 2.0), 1.0, "position"), jaxosc.Baths(0.1, occupation=-X)
    ),
    jaxosc.Status.SHIFTED: lambda: jaxosc.langevin(
        jaxosc.pair((5.0, 2.0), 0.1, "position"),
        jaxosc.Baths(3 * X, 1.0, Drude(50.0), coupling="position", counter_term=False),
    ),
}
STATUSES |= {
    jaxosc.Status.SPECTRUM: lambda: jaxosc.global_lindblad(
        jaxosc.pair((5.0, 2.0), 0.1, "position"),
        jaxosc.Baths(0.1, 1.0, Drude(-X) + X * Drude(50.0), coupling="position"),
    ),
    jaxosc.Status.FORM: lambda: jaxosc.langevin(
        jaxosc.Oscillators.from_hessian(jnp.array([[1, 0.1], [0.2, 1]], DTYPE) * X), THERMAL
    ),
}
THERMAL = None  # made inside, with the traced X
X = None


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_inside_jit(status, monkeypatch):
    @jax.jit
    def code(x):
        monkeypatch.setitem(globals(), "X", x)
        monkeypatch.setitem(globals(), "THERMAL", jaxosc.Baths(0.1, 1.0))
        return jaxosc.status(STATUSES[status]())

    assert jaxosc.Status(int(code(DTYPE(1.0)))) == status
    assert status.meaning


def test_a_bath_without_damping_has_no_temperature():
    """One that is None, or any other: equilibrium is that of the baths that are there."""
    network, drude = jaxosc.pair((1.0, 1.5), 0.2, "position"), Drude(5.0)
    one = jaxosc.Baths((0.1, 0.0), (1.0, None), drude, coupling="position")
    other = jaxosc.Baths((0.1, 0.0), (1.0, 7.0), drude, coupling="position")
    covariance = jaxosc.mean_force_gibbs(network, one)
    np.testing.assert_array_equal(covariance, jaxosc.mean_force_gibbs(network, other))
    with pytest.raises(ValueError, match="one temperature where there is damping"):
        jaxosc.mean_force_gibbs(network, other.replace(damping=0.1))


def test_the_kernels_explain_themselves():
    pair = jaxosc.pair((5.0, 2.0), 1.0, "position")
    ways = jaxosc.explain(pair, jaxosc.Baths(1e-3, (1.0, 9.0))).ways
    assert ways["langevin"].startswith("two modes in closed form")
    ways = jaxosc.explain(pair, jaxosc.Baths(1e-3, occupation=1.0)).ways
    assert "white" in ways["langevin"]
    assert ways["global_lindblad"].startswith("no answer")


@double
@pytest.mark.nightly
def test_many_modes_without_a_bounded_hamiltonian():
    """Eight oscillators in a rotating frame, and coupled past the critical coupling; in batches."""
    random = np.random.default_rng(0)
    omega, exchange = random.normal(size=8), np.triu(0.3 * random.normal(size=(8, 8)), 1)
    exchange = exchange + exchange.T
    damping = random.uniform(0.2, 0.5, 8)
    white = jaxosc.Baths(damping, occupation=random.uniform(0, 3, 8))
    warm = jaxosc.Baths(damping, random.uniform(0.1, 3, 8))
    for network, baths in (
        (jaxosc.Oscillators(omega, exchange), white),
        (jaxosc.Oscillators(np.abs(omega) + 0.2, 2 * exchange), warm),
    ):
        dynamics = jaxosc.local_lindblad(network, baths)
        expected = solve_continuous_lyapunov(dynamics.drift, -np.asarray(dynamics.diffusion))
        np.testing.assert_allclose(jaxosc.steady_state(dynamics), expected, atol=1e-12)

    def total(scale):
        network = jaxosc.Oscillators(np.abs(omega) + 0.2, scale * exchange)
        return jnp.sum(jaxosc.occupation(state(network, warm)))

    points = jnp.array([0.01, 2.0])  # the second one is not bounded
    together = jax.jit(jax.vmap(total))(points)
    np.testing.assert_allclose(together, [total(point) for point in points], rtol=1e-12)
    step = 1e-4
    slope = (total(2 + step) - total(2 - step)) / (2 * step)
    assert float(jax.jit(jax.grad(total))(2.0)) == pytest.approx(float(slope), rel=1e-6)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["complex", "shared", "structured"])
def test_thousands_at_once(kind):
    """As each of them alone."""

    def number(x):
        if kind == "structured":
            baths = jaxosc.Baths(0.1, jnp.stack([x, 2 * x]), Drude(5 + x), coupling="position")
            return state(jaxosc.pair((1.0, 1.5), 0.2, "position"), baths, jaxosc.langevin)
        rows = ONE if kind == "complex" else np.vstack([ONE, [[1, 1j]]])
        baths = jaxosc.Baths(0.1, jnp.stack([x] * len(rows)), coupling=rows)
        exchange = jax.lax.complex(
            jnp.zeros((2, 2), x.dtype), x * np.array([[0, 0.1], [-0.1, 0]], DTYPE)
        )
        return state(jaxosc.Oscillators((1.0, 1.5), exchange), baths, jaxosc.langevin)

    points = jnp.linspace(0.1, 3.0, 2000)
    together = jax.jit(jax.vmap(number))(points)
    for place in (0, 700, 1999):
        np.testing.assert_allclose(together[place], number(points[place]), rtol=0, atol=200 * EPS)
