"""The descriptions: the paper's numbers, limits, symmetries, and one description by another."""

import cases
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import reference
import scipy.linalg
from legs import nightly, slow
from precision import EPS, SINGLE, digits, double

import jaxosc
from jaxosc.papers import konopik_lutz

OMEGA, DAMPING = (5.0, 2.0), (1.5e-4, 1.5e-4)
BATH_COUPLINGS = ("rotating-wave", "position", "momentum")


def occupation(equation, oscillators, baths):
    return float(jaxosc.occupation(jaxosc.steady_state(equation(oscillators, baths)))[0])


# ⟨a1†a1⟩ of the Langevin equation, and local and global over it, at 50 digits
LANDMARKS = [
    ((98.0, 98.0), 0.9, 60.88319734, 0.79827841, 1.0),
    ((98.0, 298.0), 0.5, 33.15321123, 1.1767088, 1.0160596),
    ((98.0, 298.0), 0.99, 1363.745351, 0.53106283, 0.8967871),
    ((298.0, 98.0), 0.99, 664.8094048, 0.55325812, 1.2117250),
    ((0.46, 1.96), 0.9, 0.7859562801, 0.80697223, 0.9122467),
]


@pytest.mark.parametrize(("temperature", "ratio", "exact", "local", "global_"), LANDMARKS)
def test_landmarks(temperature, ratio, exact, local, global_):
    coupling = ratio * jaxosc.critical_coupling(OMEGA, "position")
    oscillators = jaxosc.pair(OMEGA, coupling, "position")
    baths = jaxosc.Baths(DAMPING, temperature)
    langevin = occupation(jaxosc.langevin, oscillators, baths)
    # to the printed digits, and the rounding of λ over its distance to λ_c
    rounding = 4 * EPS / (1 - ratio)
    assert langevin == pytest.approx(exact, rel=1e-9 + rounding)
    assert occupation(jaxosc.local_lindblad, oscillators, baths) / langevin == pytest.approx(
        local, abs=1e-7 + rounding
    )
    printed = occupation(konopik_lutz.global_lindblad, oscillators, baths)
    assert printed / langevin == pytest.approx(global_, abs=1e-7 + rounding)


def test_microscopic_rates_repair_the_global_equation():
    """145.92299520: a discretised Caldeira-Leggett bath; its rates agree, Eq. 17's do not."""
    coupling = 0.9 * jaxosc.critical_coupling(OMEGA, "position")
    oscillators = jaxosc.pair(OMEGA, coupling, "position")
    temperature = (98.0, 298.0)
    ohmic = jaxosc.Baths(DAMPING, temperature, spectrum="ohmic", coupling="position")
    flat = jaxosc.Baths(DAMPING, temperature)
    rounding = 40 * EPS
    microscopic = occupation(jaxosc.global_lindblad, oscillators, ohmic)
    assert microscopic == pytest.approx(145.92299520, rel=3e-7 + rounding)
    langevin = occupation(jaxosc.langevin, oscillators, flat)
    assert langevin == pytest.approx(145.922965, rel=1e-8 + rounding)
    printed = occupation(konopik_lutz.global_lindblad, oscillators, flat)
    assert printed == pytest.approx(137.406, rel=1e-5)


@pytest.mark.parametrize("interaction", ["position", *nightly("rotating-wave")])
def test_equal_temperatures_relax_to_the_gibbs_state(interaction):
    """The global equation exactly, whatever its baths couple to."""
    coupling = 0.7 * jaxosc.critical_coupling(OMEGA, interaction)
    oscillators = jaxosc.pair(OMEGA, coupling, interaction)
    gibbs = jaxosc.gibbs(oscillators, 3.0)
    for coupling in ("paper", *BATH_COUPLINGS):
        dynamics = cases.global_equation(oscillators, (1e-3, 4e-3), (3.0, 3.0), coupling)
        state = jaxosc.steady_state(dynamics)
        np.testing.assert_allclose(state, gibbs, rtol=digits(1e-13), atol=digits(1e-15))


@double
@pytest.mark.parametrize("interaction", ["position", "rotating-wave"])
def test_langevin_approaches_the_gibbs_state(interaction):
    """As γ → 0 between equal temperatures, with an error of order γ."""
    coupling = 0.7 * jaxosc.critical_coupling(OMEGA, interaction)
    oscillators = jaxosc.pair(OMEGA, coupling, interaction)
    deviation = []
    gibbs = jaxosc.gibbs(oscillators, 1.0)
    for scale in (1e-5, 1e-6, 1e-7):
        baths = jaxosc.Baths((scale, 4 * scale), (1.0, 1.0))
        state = jaxosc.steady_state(jaxosc.langevin(oscillators, baths))
        deviation.append(float(jnp.abs(state - gibbs).max()))
    assert deviation[0] / deviation[1] == pytest.approx(10, rel=0.02)
    assert deviation[1] / deviation[2] == pytest.approx(10, rel=0.01)


@pytest.mark.parametrize("equation", [jaxosc.local_lindblad, jaxosc.global_lindblad])
def test_uncoupled_oscillators_are_thermal(equation):
    for omega in ((5.0, 2.0), (2.0, 5.0), (3.0, 3.0)):
        oscillators = jaxosc.pair(omega, 0.0, "position")
        state = jaxosc.steady_state(equation(oscillators, jaxosc.Baths((0.1, 0.02), (4.0, 0.7))))
        expected = 1 / np.expm1(np.array(omega) / [4.0, 0.7])
        # The covariance holds n + 1/2, to its last digit
        np.testing.assert_allclose(
            jaxosc.occupation(state), expected, rtol=digits(1e-13), atol=digits(3e-16)
        )
        assert jaxosc.coherence(state)[0, 1] == 0


@pytest.mark.parametrize(
    "equation", [jaxosc.global_lindblad, *nightly(jaxosc.local_lindblad, jaxosc.langevin)]
)
def test_exchange_symmetry(equation):
    """Renaming the modes renames the answer."""
    generator = np.random.default_rng(8)
    for modes in (2, 3):
        network = cases.random_network(generator, modes)
        order = generator.permutation(modes)
        while np.all(order == np.arange(modes)):
            order = generator.permutation(modes)

        def state(n):
            oscillators = jaxosc.Oscillators(n["frequency"], n["exchange"], n["pairing"])
            baths = jaxosc.Baths(n["damping"], n["temperature"])
            return np.asarray(jaxosc.steady_state(equation(oscillators, baths)))

        renamed = {
            k: v[order] if v.ndim == 1 else v[np.ix_(order, order)] for k, v in network.items()
        }
        index = np.array([2 * m + q for m in order for q in (0, 1)])
        expected = state(network)[np.ix_(index, index)]
        np.testing.assert_allclose(state(renamed), expected, rtol=digits(1e-11), atol=digits(1e-13))


@pytest.mark.parametrize("modes", [2, 4, *nightly(1, 3)])
def test_structured_and_general_solver_agree(modes):
    """The elimination, the dense solver for any drift, and SciPy's Bartels-Stewart."""
    network = cases.random_network(np.random.default_rng(modes), modes)
    network["damping"] = network["damping"] + 0.05
    oscillators = jaxosc.Oscillators(*(network[k] for k in ("frequency", "exchange", "pairing")))
    dynamics = jaxosc.local_lindblad(
        oscillators, jaxosc.Baths(network["damping"], network["temperature"])
    )
    state = jaxosc.steady_state(dynamics)
    plain = jaxosc.steady_state(jaxosc.Dynamics(dynamics.drift, dynamics.diffusion))
    np.testing.assert_allclose(plain, state, rtol=digits(1e-10), atol=digits(1e-12))
    scipy_state = scipy.linalg.solve_continuous_lyapunov(dynamics.drift, -dynamics.diffusion)
    np.testing.assert_allclose(scipy_state, state, rtol=digits(1e-10), atol=digits(1e-12))


@pytest.mark.parametrize("modes", [*slow(2), *nightly(3)])
def test_global_drift_and_diffusion_have_its_steady_state(modes):
    """The closed form that the global equation carries solves its own Lyapunov equation."""
    network = cases.random_network(np.random.default_rng(40 + modes), modes)
    oscillators = jaxosc.Oscillators(*(network[k] for k in ("frequency", "exchange", "pairing")))
    for coupling in BATH_COUPLINGS:
        dynamics = cases.global_equation(
            oscillators, network["damping"], network["temperature"], coupling, "ohmic"
        )
        state = jaxosc.steady_state(dynamics)
        residual = dynamics.drift @ state
        residual = residual + residual.T + dynamics.diffusion
        assert jnp.abs(residual).max() < digits(1e-12) * jnp.abs(state).max()


@pytest.mark.parametrize("modes", [3, *nightly(1, 2)])
def test_quadrature_agrees_with_the_closed_form(modes):
    generator = np.random.default_rng(20 + modes)
    for exponent in (-1, -3, -5):
        network = cases.random_network(generator, modes)
        oscillators = jaxosc.Oscillators(
            *(network[k] for k in ("frequency", "exchange", "pairing"))
        )
        temperature = np.where(generator.random(modes) < 0.3, 0.0, network["temperature"] / 20)
        damping = generator.uniform(0.3, 1.0, modes) * 10.0**exponent
        baths = jaxosc.Baths(damping, temperature)
        state = jaxosc.steady_state(jaxosc.langevin(oscillators, baths))
        integral = jaxosc.langevin_quadrature(oscillators, baths)
        # ν − Ω is rounded in the wings of a resonance of width γ: ε Ω/γ and some.
        scale = float(jnp.abs(state).max())
        accuracy = 3e-3 if SINGLE else 1e-10
        np.testing.assert_allclose(integral, state, atol=accuracy * scale, rtol=0)


@pytest.mark.parametrize("modes", [2, *nightly(3)])
def test_damping_far_above_the_frequencies(modes):
    """Rates of 100, which no normal mode tells of, at temperatures from 0 on."""
    coupling = 0.3 * (np.ones((modes, modes)) - np.eye(modes))
    network = [np.array([1.3, 0.8, 1.0][:modes]), coupling, coupling]
    damping = np.array([100.0, 200.0, 30.0][:modes])
    for temperature in ([0.0, 0.0, 0.0], [0.05, 0.1, 0.2], [1.0, 3.0, 2.0]):
        baths = jaxosc.Baths(damping, temperature[:modes])
        state = jaxosc.steady_state(jaxosc.langevin(jaxosc.Oscillators(*network), baths))
        exact = reference.langevin(*network, damping, temperature[:modes])
        expected = np.array(exact.tolist(), dtype=float)
        allowed = digits(1e-13) * np.abs(expected).max()
        np.testing.assert_allclose(state, expected, rtol=0, atol=allowed)


@pytest.mark.slow
def test_quadrature_finds_resonances_that_strong_damping_has_moved():
    """An overdamped oscillator leaves its neighbour's resonance away from both normal modes."""
    for modes in (2, 3):
        exchange = np.ones((modes, modes)) - np.eye(modes)
        oscillators = jaxosc.Oscillators([5.0, 2.0, 3.0][:modes], 0.6 * exchange, 0.6 * exchange)
        baths = jaxosc.Baths([20.0, 1e-3, 1e-2][:modes], [8.0, 9.0, 10.0][:modes])
        state = jaxosc.steady_state(jaxosc.langevin(oscillators, baths))
        integral = jaxosc.langevin_quadrature(oscillators, baths)
        accuracy = 1e-3 if SINGLE else 1e-9
        np.testing.assert_allclose(integral, state, atol=accuracy * float(jnp.abs(state).max()))


@pytest.mark.parametrize("weak", [1e-3, pytest.param(1e-6, marks=double)])
@pytest.mark.parametrize("strong", [1.0, 3.0, 10.0, 300.0])
def test_quadrature_finds_the_highest_resonance_that_strong_damping_has_moved(strong, weak):
    """It lies below the highest normal mode, from which the tail begins."""
    for interaction, coupling in (("position", 0.3), ("position", 1.0), ("rotating-wave", 0.1)):
        oscillators = jaxosc.pair((3.0, 3.4), coupling, interaction)
        for damping in ((strong, weak), (weak, strong)):
            baths = jaxosc.Baths(damping, (2.0, 1.0))
            state = jaxosc.steady_state(jaxosc.langevin(oscillators, baths))
            integral = jaxosc.langevin_quadrature(oscillators, baths)
            accuracy = 1e-3 if SINGLE else 1e-10
            np.testing.assert_allclose(integral, state, atol=accuracy * float(jnp.abs(state).max()))


@pytest.mark.parametrize(
    "dtype",
    [
        pytest.param(np.float32, marks=() if SINGLE else pytest.mark.nightly),
        pytest.param(np.float64, marks=double),
    ],
)
@pytest.mark.parametrize(
    "equation",
    [
        jaxosc.local_lindblad,
        *nightly(jaxosc.global_lindblad, jaxosc.langevin),
        jaxosc.gibbs,
        jaxosc.langevin_quadrature,
    ],
)
def test_the_unit_does_not_matter(equation, dtype):
    """All frequencies, rates and temperatures × s: the same state, and slopes × 1/s."""

    def function(coupling, scale):
        omega, damping = np.array([5, 2], dtype) * scale, np.array([0.01, 0.02], dtype) * scale
        oscillators = jaxosc.pair(omega, coupling * scale, "position")
        if equation is jaxosc.gibbs:
            return jaxosc.occupation(jaxosc.gibbs(oscillators, dtype(3) * scale))[0]
        baths = jaxosc.Baths(damping, np.array([1, 3], dtype) * scale)
        if equation is jaxosc.langevin_quadrature:
            return jaxosc.occupation(equation(oscillators, baths))[0]
        return jaxosc.occupation(jaxosc.steady_state(equation(oscillators, baths)))[0]

    slope = jax.jit(jax.value_and_grad(function))
    if equation is jaxosc.langevin_quadrature:
        slope = jax.jit(lambda c, s: (function(c, s), jnp.zeros_like(c)))
    expected = slope(dtype(0.5), dtype(1))
    # powers of two leave not even rounding behind; others a few ulp over 1 − λ/λ_c
    for exponent in (-30, 30, 60):
        value, gradient = slope(dtype(0.5), dtype(2.0**exponent))
        assert value == pytest.approx(float(expected[0]), rel=digits(1e-15))
        assert gradient == pytest.approx(float(expected[1]), rel=digits(1e-15))
    value, gradient = slope(dtype(0.5), dtype(1e9))
    # of n + 1/2: GPUs round quotients of float32 to 2 ulp
    error = 64 * float(np.finfo(dtype).eps)
    assert value == pytest.approx(float(expected[0]), rel=error, abs=error)


@pytest.mark.nightly
def test_spectrum_integrates_to_the_moments():
    oscillators = jaxosc.pair((1.7, 1.0), 0.4, "position")
    baths = jaxosc.Baths((0.1, 0.06), (3.0, 8.0))
    state = jaxosc.steady_state(jaxosc.langevin(oscillators, baths))
    # A symmetric midpoint grid leaves out ν = 0 and takes the principal value; the tails fall
    # off as ν⁻³ and ν⁻² (⟨pp⟩ and ⟨xx⟩ of flat damping at high frequency).
    nu = (np.arange(-400_000, 400_000) + 0.5) * 1e-3
    occupation = jnp.sum(jaxosc.langevin_spectrum(oscillators, baths, nu), axis=0) * 1e-3
    np.testing.assert_allclose(occupation, jaxosc.occupation(state), rtol=1e-3)
    moments = jaxosc.langevin_spectrum(oscillators, baths, nu[::4], moment="covariance")
    assert moments.shape == (200_000, 4, 4)
    np.testing.assert_allclose(moments, jnp.conj(jnp.swapaxes(moments, -1, -2)), atol=digits(1e-12))


def test_spectrum_has_the_shape_of_its_frequencies():
    oscillators = jaxosc.pair((1.7, 1.0), 0.4, "position")
    baths = jaxosc.Baths((0.1, 0.06), (3.0, 8.0))
    one = jaxosc.langevin_spectrum(oscillators, baths, 1.2)
    assert one.shape == (2,)
    grid = jaxosc.langevin_spectrum(oscillators, baths, np.arange(1.0, 7.0).reshape(2, 3))
    assert grid.shape == (2, 3, 2)


def test_spectrum_is_eq_23():
    """The integrand of Eq. 23, from the inverse of the matrix of Eq. 22 (κ, λ set right)."""
    (w1, w2), (g1, g2), (t1, t2), lam = (1.7, 1.0), (0.1, 0.06), (3.0, 8.0), 0.4
    kappa = lam
    for nu in (-2.3, -0.4, 0.3, 1.1, 5.0):
        m = np.linalg.inv(
            np.array([
                [-1j * nu + 1j * w1 + g1, 0, 1j * lam, 1j * kappa],
                [0, -1j * nu - 1j * w1 + g1, -1j * kappa, -1j * lam],
                [1j * lam, 1j * kappa, -1j * nu + 1j * w2 + g2, 0],
                [-1j * kappa, -1j * lam, 0, -1j * nu - 1j * w2 + g2],
            ])
        )  # fmt: skip

        def number(nu, t):
            return 1 / np.expm1(nu / t)

        expected = [
            (
                g1
                * (abs(m[r, 0]) ** 2 * number(nu, t1) + abs(m[r, 1]) ** 2 * (number(-nu, t1) + 1))
                + g2
                * (abs(m[r, 2]) ** 2 * number(nu, t2) + abs(m[r, 3]) ** 2 * (number(-nu, t2) + 1))
            )
            / np.pi
            for r in (0, 2)
        ]
        spectrum = jaxosc.langevin_spectrum(
            jaxosc.pair((w1, w2), lam, "position"), jaxosc.Baths((g1, g2), (t1, t2)), nu
        )
        np.testing.assert_allclose(spectrum, expected, rtol=digits(1e-12))


@pytest.mark.slow
def test_baths_at_the_ends_of_a_chain():
    """Boundary-driven chain: the inner oscillators have no bath of their own."""
    modes = 5
    exchange = 0.2 * (np.eye(modes, k=1) + np.eye(modes, k=-1))
    oscillators = jaxosc.Oscillators(np.linspace(1, 1.1, modes), exchange, 0.5 * exchange)
    damping, temperature = np.zeros(modes), np.zeros(modes)
    damping[[0, -1]], temperature[[0, -1]] = (0.05, 0.08), (10.0, 3.0)
    baths = jaxosc.Baths(damping, temperature)
    network = (oscillators.frequency, oscillators.exchange, oscillators.pairing)
    for equation, exact in (
        (jaxosc.local_lindblad, reference.local),
        (jaxosc.langevin, reference.langevin),
    ):
        state = jaxosc.steady_state(equation(oscillators, baths))
        expected = np.array(
            exact(*map(np.asarray, network), damping, temperature).tolist(), dtype=float
        )
        np.testing.assert_allclose(
            state, expected, rtol=0, atol=digits(1e-13) * np.abs(expected).max()
        )


def test_stability_beyond_the_hamiltonian():
    """Pairing between unequally damped modes can be unstable although H is bounded below."""
    oscillators = jaxosc.Oscillators([1.0, 1.0], np.zeros((2, 2)), [[0, 0.9], [0.9, 0]])
    baths = jaxosc.Baths((0.01, 10.0), (1.0, 1.0))
    dynamics = jaxosc.local_lindblad(oscillators, baths)
    assert np.linalg.eigvals(dynamics.drift).real.max() > 0
    with pytest.raises(ValueError, match="one grows at the rate"):
        jaxosc.steady_state(dynamics)
    assert np.isnan(jax.jit(jaxosc.steady_state)(dynamics)).all()
    assert not jaxosc.diagnose(oscillators, baths).stable


@double
@pytest.mark.parametrize("interaction", ["position", "rotating-wave"])
def test_normal_modes(interaction):
    for omega in ((5.0, 2.0), (2.0, 5.0), (3.0, 3.0)):
        critical = float(jaxosc.critical_coupling(omega, interaction))
        for ratio in (0.0, 1e-9, 0.5, 1 - 1e-9):
            network = reference.pair(omega, ratio * critical, interaction)
            modes = jaxosc.normal_modes(jaxosc.pair(omega, ratio * critical, interaction))
            frequency, u, v = reference.normal_modes(*network)
            # Ω_−² ∝ 1 − λ/λ_c: the rounding of λ alone is 1e-16/(1 − λ/λ_c) of it
            expected = [float(x) for x in frequency]
            np.testing.assert_allclose(
                modes.frequency, expected, rtol=digits(1e-15) + 1e-15 / (1 - ratio)
            )
            if omega[0] != omega[1] or ratio > 1e-3:  # else the modes are any rotation of these
                for ours, theirs in ((modes.u, u), (modes.v, v)):
                    exact = np.abs(np.array(theirs.tolist(), dtype=float))
                    np.testing.assert_allclose(
                        np.abs(ours), exact, rtol=1e-6, atol=1e-9 * exact.max() + 1e-15
                    )
            # Bogoliubov: UUᵀ − VVᵀ = 1
            unit = modes.u @ modes.u.T - modes.v @ modes.v.T
            np.testing.assert_allclose(unit, np.eye(2), atol=1e-9 if ratio > 0.9 else 1e-14)


def test_normal_frequencies_ascend_where_they_coincide():
    """Pairing alone leaves equal frequencies equal: rounding must not decide their order."""
    generator = np.random.default_rng(0)
    omega = np.exp(generator.uniform(-1, 1, 500))
    pairing = generator.uniform(0, 0.9, 500) * omega

    def frequency(omega, pairing):
        one = jnp.array([[0.0, 1.0], [1.0, 0.0]])
        network = jaxosc.Oscillators(jnp.stack([omega, omega]), 0 * one, pairing * one)
        return jaxosc.normal_modes(network).frequency

    low, high = jax.jit(jax.vmap(frequency))(omega, pairing).T
    assert np.all(low <= high)
    np.testing.assert_allclose(low, np.sqrt(omega**2 - pairing**2), rtol=digits(1e-14))
    np.testing.assert_allclose(high, low, rtol=digits(1e-15))


@pytest.mark.slow
def test_normal_modes_of_a_network():
    network = cases.random_network(np.random.default_rng(2), 4)
    parts = [network[k] for k in ("frequency", "exchange", "pairing")]
    frequency, u, v = jaxosc.normal_modes(jaxosc.Oscillators(*parts))
    expected, _, _ = reference.normal_modes(*parts)
    np.testing.assert_allclose(frequency, [float(x) for x in expected], rtol=digits(1e-13))
    np.testing.assert_allclose(u @ u.T - v @ v.T, np.eye(4), atol=digits(1e-13))


@pytest.mark.parametrize("interaction", ["position", "rotating-wave"])
def test_critical_coupling(interaction):
    """Just below, H is bounded; just above, it is not."""
    critical = float(jaxosc.critical_coupling((5.0, 2.0), interaction))
    assert critical == pytest.approx(np.sqrt(10) / (2 if interaction == "position" else 1))
    jaxosc.normal_modes(jaxosc.pair((5.0, 2.0), critical * (1 - 45 * EPS), interaction))
    with pytest.raises(ValueError, match="bounded below"):
        jaxosc.normal_modes(jaxosc.pair((5.0, 2.0), critical * (1 + 45 * EPS), interaction))


@pytest.mark.parametrize("modes", [3, *nightly(2)])
def test_global_rates_of_every_spectrum(modes):
    """A spectrum a bath, with references of their own and without; modes by mpmath."""
    network = cases.random_network(np.random.default_rng(60 + modes), modes)
    parts = [network[k] for k in ("frequency", "exchange", "pairing")]
    damping, temperature = network["damping"], np.array([2.0, 0.4, 5.0])[:modes]
    spectra = jaxosc.spectra.Drude(3.0), jaxosc.spectra.Ohmic(reference=0.7), "flat"
    baths = jaxosc.Baths(damping, temperature, spectra[:modes], coupling="momentum")
    found = jaxosc.steady_state(jaxosc.global_lindblad(jaxosc.Oscillators(*parts), baths))
    omega, u, v = (
        np.array(m.tolist(), float) for m in map(mpmath.matrix, reference.normal_modes(*parts))
    )
    omega = omega.reshape(-1)
    own = parts[0][0]
    shapes = (
        omega / own * (9 + own**2) / (9 + omega**2), omega / 0.7, np.ones(modes)
    )  # fmt: skip
    rates = damping[:, None] * np.stack(shapes[:modes]) * (u - v) ** 2
    numbers = (rates / np.expm1(omega / temperature[:, None])).sum(0) / rates.sum(0)
    expected = (u**2 + v**2) @ numbers + (v**2).sum(1)
    np.testing.assert_allclose(jaxosc.occupation(found), expected, rtol=digits(1e-11))
