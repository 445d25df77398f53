"""Two-time correlations against 18-digit numbers, integrals, finite baths and Fock space."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import motion_cases
import numpy as np
import pytest
from legs import others_at_night
from motion_cases import Bath
from precision import digits, double

import jaxosc
from jaxosc.spectra import Brownian, Drude, PowerLaw

DATA = json.loads((Path(__file__).parent / "data" / "exact.json").read_text())
ONE = np.diag([1.2, 0.9])
TWO = np.diag([1.2, 1.2, 0.7, 0.7])
TWO[0, 2] = TWO[2, 0] = 0.25
MIXED = TWO.copy()
MIXED[1, 2] = MIXED[2, 1] = 0.1


def exact(hessian, rows, baths, temperature, counter):
    """The Langevin equation of the library beside these baths."""
    spectra = [
        Drude(bath.values[0], reference=1.0)
        if bath.kind == "drude"
        else Brownian(*bath.values, reference=1.0)
        for bath in baths
    ]
    given = jaxosc.Baths(
        [bath.strength for bath in baths],
        list(temperature),
        tuple(spectra),
        coupling=np.array(rows, float),
        counter_term=tuple(counter),
    )
    return jaxosc.langevin(jaxosc.Oscillators.from_hessian(hessian), given)


# Cold and at zero, resonant, critically damped, of a momentum, mixed and shared, without counter
CASES = {
    "under": (ONE, [[1, 0]], [Bath("brownian", 0.2, 1.5, 0.6)], [0.4], [True]),
    "critical": (ONE, [[1, 0]], [Bath("brownian", 0.2, 1.0, 2.0)], [0.0], [True]),
    "over, momentum": (ONE, [[0, 1]], [Bath("brownian", 0.1, 1.0, 5.0)], [2.0], [True]),
    "pair": (
        TWO,
        [[1, 0, 0, 0], [0, 0, 1, 0]],
        [Bath("brownian", 0.15, 1.5, 0.6), Bath("brownian", 0.1, 3.0, 7.0)],
        [0.4, 0.0],
        [True, False],
    ),
    "mixed": (
        MIXED,
        [[1, 0.3, 0, 0], [0.2, 0, 0.5, 0.8]],
        [Bath("brownian", 0.15, 1.5, 0.6), Bath("brownian", 0.1, 2.0, 3.0)],
        [0.05, 1.5],
        [True, True],
    ),
}
WITH_TIMES = [case for case in DATA if "correlation" in case]


@pytest.mark.parametrize(
    "case",
    [WITH_TIMES[0], *(pytest.param(each, marks=pytest.mark.nightly) for each in WITH_TIMES[1:])],
)
def test_eighteen_digits(case):
    """Of numbers summed over Matsubara frequencies; regression is off by some hundredths."""
    by = {
        "drude": lambda eta, cutoff: Bath("drude", eta * cutoff**2 / (1 + cutoff**2), cutoff),
        "brownian": lambda s, w, g: Bath("brownian", s**2 * g / ((w**2 - 1) ** 2 + g**2), w, g),
    }
    baths = [by[term["kind"]](*term["values"]) for (term,) in case["baths"]]
    parts = (np.array(case["hamiltonian"]), case["couplings"], baths)
    dynamics = exact(*parts, case["temperatures"], case["counterterm"])
    time = case["correlation"]["time"]
    value = jaxosc.correlation(dynamics, [time, -time, 0.0])
    reference = np.array(case["correlation"]["symmetrised"], float)
    np.testing.assert_allclose(value[0], reference, atol=digits(3e-15))
    np.testing.assert_array_equal(value[1], value[0].T)
    np.testing.assert_allclose(value[2], jaxosc.steady_state(dynamics), atol=digits(1e-15))


@double
@pytest.mark.parametrize("name", others_at_night(CASES, ("critical",)))
@pytest.mark.slow
def test_the_integral_over_the_spectrum(name):
    times = np.array([0.0, 1e-3, 0.7, 3.0, 20.0])
    reference = motion_cases.integrated_correlation(*CASES[name], times)
    value = jaxosc.correlation(exact(*CASES[name]), times)
    # Beyond its last node the integral leaves 1e-11 to the squared momenta.
    np.testing.assert_allclose(value, reference, atol=3e-11)


@double
@pytest.mark.nightly
def test_a_fitted_spectrum_by_the_integral():
    """Poles of a fit lie at all angles, next to the ray too."""
    spectrum = PowerLaw(1, 3.0, reference=1.0)
    one = jaxosc.Oscillators.from_hessian(ONE)
    baths = jaxosc.Baths(0.1, 0.3, spectrum, coupling=np.array([[1.0, 0.0]]))
    times = np.array([0.1, 2.0, 15.0])
    value = jaxosc.correlation(jaxosc.langevin(one, baths), times)

    fit = spectrum.terms(jnp.ones(()))

    class Fitted:
        values = (1.0, 3.0)

        def response(self, nu):
            from jaxosc._numerics.filters import susceptibility

            return 0.1 * np.asarray(susceptibility(fit, jnp.asarray(-1j * nu)))

        def scales(self):
            return [0.1, 1.0, 3.0]

    parts = (ONE, [[1.0, 0.0]], [Fitted()], [0.3], [True])
    reference = motion_cases.integrated_correlation(*parts, times)
    np.testing.assert_allclose(value, reference, atol=1e-9)


def flat_pair(second=0.0):
    network = jaxosc.pair((1.3, 0.8), 0.2, "position")
    return network, jaxosc.Baths((0.05, 0.12), (0.4, second))


def flat_spectrum(network, baths, nu):
    """G(ν) Σ iΘ_m coth(ν/2T_m)/2 G(ν)†, baths that damp a_j at the rates γ_j."""
    form = motion_cases.form(2)
    drift = form @ np.asarray(network.hessian) - np.diag(np.repeat(np.asarray(baths.damping), 2))
    response = np.linalg.inv(-1j * nu[:, None, None] * np.eye(4) - drift)
    source = np.zeros((len(nu), 4, 4), complex)
    for j in range(2):
        own = np.zeros((4, 4))
        own[2 * j : 2 * j + 2, 2 * j : 2 * j + 2] = motion_cases.SYMPLECTIC
        weight = motion_cases.coth(nu, float(baths.temperature[j])) * float(baths.damping[j])
        source += weight[:, None, None] * 1j * own
    return drift, response, source


@double
@pytest.mark.nightly
def test_flat_baths_by_the_integral():
    network, baths = flat_pair()
    times = np.array([0.0, 0.7, 9.0])
    nu, weight = motion_cases.panels([0.1, 0.8, 1.3], 3e5, 9.0)
    _, response, source = flat_spectrum(network, baths, nu)
    spectrum = response @ source @ response.conj().swapaxes(1, 2)
    phase = np.exp(-1j * np.outer(times, nu)) * weight / np.pi
    reference = np.tensordot(phase, spectrum, 1).real
    value = jaxosc.correlation(jaxosc.langevin(network, baths), times)
    # Beyond 1e4 the nodes do not resolve the time.
    np.testing.assert_allclose(value, reference, atol=2e-6)


@double
def test_what_a_principal_value_leaves_at_late_times():
    """A⁻¹(Σ T_mΘ_m)A⁻ᵀ/2, half of the residue at ν = 0."""
    network, baths = flat_pair(1.1)
    value = jaxosc.correlation(jaxosc.langevin(network, baths), 1e5)
    drift = flat_spectrum(network, baths, np.ones(1))[0]
    losses = np.zeros((4, 4))
    losses[:2, :2] = 2 * 0.05 * 0.4 * motion_cases.SYMPLECTIC
    losses[2:, 2:] = 2 * 0.12 * 1.1 * motion_cases.SYMPLECTIC
    inverse = np.linalg.inv(drift)
    np.testing.assert_allclose(value, inverse @ losses @ inverse.T / 2, atol=1e-12)


@double
@pytest.mark.nightly
def test_a_finite_bath_forgets_its_start():
    """Two times of the whole, evolved exactly, after a relaxation and before a recurrence."""
    finite = motion_cases.FiniteBath(*CASES["under"], modes=900)
    value = jaxosc.correlation(exact(*CASES["under"]), [0.7, 2.0])
    for time, own in zip((0.7, 2.0), value, strict=True):
        np.testing.assert_allclose(own, finite.correlation(time, 90.0), atol=2e-5)


def test_white_noise_regresses():
    network = jaxosc.Oscillators([0.0], [[0.0]], pairing=[[0.1]])
    baths = jaxosc.Baths(0.5, occupation=0.3)
    for dynamics in (jaxosc.local_lindblad(network, baths), jaxosc.langevin(network, baths)):
        value = jaxosc.correlation(dynamics, np.array([[0.0, 2.0], [-2.0, 40.0]]))
        # H = κ(x p + p x)/2 … of a degenerate parametric amplifier: A has the rates γ ± κ
        drift = np.asarray(dynamics.drift)
        rates, vectors = np.linalg.eig(drift)
        sigma = np.asarray(jaxosc.steady_state(dynamics))
        for place, time in (((0, 0), 0.0), ((0, 1), 2.0), ((1, 1), 40.0)):
            moved = (vectors * np.exp(rates * time)) @ np.linalg.inv(vectors) @ sigma
            # The tail keeps its digits.
            np.testing.assert_allclose(value[place], moved.real, rtol=digits(1e-13), atol=1e-20)
        np.testing.assert_array_equal(value[1, 0], value[0, 1].T)


@double
@pytest.mark.nightly
def test_equal_temperatures_obey_the_fluctuation_dissipation_theorem():
    """S = coth(ν/2T) (χ − χ†)/2i with χ from e^{At}, by Fourier transforms of both in time."""
    hessian, rows, baths, _, counter = CASES["under"]
    dynamics = exact(hessian, rows, baths, [0.3], counter)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    edges = np.linspace(0.0, 400.0, 201)
    half = np.diff(edges)[:, None] / 2
    times, weight = (edges[:-1, None] + half * (1 + nodes)).ravel(), (half * weights).ravel()
    value = np.asarray(jaxosc.correlation(dynamics, times))
    for nu in (0.4, 1.1, 2.0):
        transform = np.tensordot(weight * np.exp(1j * nu * times), value, 1)
        spectrum = transform + transform.conj().T
        response = np.linalg.inv(
            motion_cases.inverse_response(hessian, rows, baths, counter, np.array([nu]))
        )[0]
        loss = (response - response.conj().T) / 2j
        np.testing.assert_allclose(spectrum, loss / np.tanh(nu / 0.6), atol=4e-6)


@double
@pytest.mark.slow
def test_any_time_and_temperature():
    """From 1e-12 to 1e12 in one call, continuous in T at zero, hot as in classical mechanics."""
    hessian, rows, baths, _, counter = CASES["under"]
    times = np.array([1e-12, 1e-6, 1.0, 1e3, 1e6, 1e12])
    at = {t: np.asarray(jaxosc.correlation(exact(hessian, rows, baths, [t], counter), times))
          for t in (0.0, 1e-12, 1e-5, 1e6)}  # fmt: skip
    sigma = jaxosc.steady_state(exact(hessian, rows, baths, [0.0], counter))
    np.testing.assert_allclose(at[0.0][0], sigma, atol=1e-11)
    np.testing.assert_allclose(at[1e-12], at[0.0], atol=1e-14)
    # (πT)² Sommerfeld's correction, and the tail −J'(0) K(0)⁻² /π t² of zero temperature
    assert 0 < np.abs(at[1e-5] - at[0.0]).max() < 1e-8
    slope = baths[0].response(np.array([1e-4])).imag[0] / 1e-4
    np.testing.assert_allclose(
        at[0.0][3:5, 0, 0], -slope / (np.pi * times[3:5] ** 2 * 1.2**2), rtol=1e-4, atol=1e-15
    )
    assert np.abs(at[0.0][-1]).max() < 1e-15
    # Classical regression does hold for what remembers with its filters: T e^{At} K(0)⁻¹
    late = np.linalg.inv(hessian)
    np.testing.assert_allclose(at[1e6][0], 1e6 * late, rtol=1e-9, atol=1e-3)


@pytest.mark.nightly
def test_thousands_of_networks():
    times = jnp.asarray([0.5, 4.0])

    def value(damping, temperature):
        one = jaxosc.Oscillators([1.0], [[0.0]])
        bath = jaxosc.Baths(damping, temperature, Drude(5.0), coupling="position")
        return jaxosc.correlation(jaxosc.langevin(one, bath), times)[:, 0, 0]

    rates = jnp.linspace(0.05, 0.2, 1000)
    many = jax.jit(jax.vmap(value, (0, None)))(rates, 0.5)
    assert many.shape == (1000, 2)
    for place in (0, 617):
        np.testing.assert_allclose(many[place], value(rates[place], 0.5), rtol=digits(1e-12))


@double
@pytest.mark.nightly
def test_slopes_are_differences():
    def value(x):
        one = jaxosc.Oscillators([x[0]], [[0.0]])
        bath = jaxosc.Baths(x[1], x[2], Drude(x[3]), coupling="position")
        return jaxosc.correlation(jaxosc.langevin(one, bath), x[4])[0, 0]

    point = jnp.asarray([1.1, 0.1, 0.4, 5.0, 1.7])
    forward, reverse = (jax.jit(f(value))(point) for f in (jax.jacfwd, jax.jacrev))
    steps = 1e-5 * np.eye(5)
    known = jax.jit(value)
    differences = [(known(point + step) - known(point - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(forward, differences, atol=1e-8)
    np.testing.assert_allclose(reverse, forward, atol=1e-13)


def test_words():
    one = jaxosc.Oscillators([1.0], [[0.0]])
    dynamics = jaxosc.local_lindblad(one, jaxosc.Baths(0.1, occupation=1.0))
    with pytest.raises(ValueError, match="`times` must be finite"):
        jaxosc.correlation(dynamics, np.inf)
    undamped = jaxosc.Dynamics([[0.0, 1.0], [-1.0, 0.0]], np.eye(2))
    with pytest.raises(ValueError, match="must damp every motion"):
        jaxosc.correlation(undamped, 1.0)
