"""Exact steady states with structured baths, against numbers of 40 digits and other routes."""

from __future__ import annotations

import json
from functools import cache, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from legs import others_at_night, slow
from precision import DTYPE, SINGLE, double

from jaxosc._kernels import embedded, quadrature
from jaxosc._numerics.entropy import williamson
from jaxosc._numerics.filters import Filters, susceptibility
from jaxosc.spectra import Brownian, Drude, PowerLaw

CASES = {
    case["id"]: case
    for case in json.loads((Path(__file__).parent / "data" / "exact.json").read_text())
}
FAST = [name for name, case in CASES.items() if "lowering" not in case]
FITTED = [name for name in FAST if CASES[name]["baths"][0][0]["kind"] == "exponential"]
RATIONAL = [name for name in FAST if name not in FITTED]
ROTATING = [name for name in CASES if name not in FAST]


def array(values):
    return jnp.asarray(np.asarray(values, DTYPE))


COUPLED = array([[1.5, 0, 0.4, 0], [0, 1, 0, 0.1], [0.4, 0, 1.1, 0], [0, 0.1, 0, 1.1]])


def drude(strength, cutoff):
    """J = ηωΛ²/(ω² + Λ²), η maybe zero."""
    one = jnp.ones((1, 1), DTYPE)
    return Filters(-array([[[cutoff]]]), array([[strength * cutoff**2]]), one)


def brownian(s, frequency, width):
    """J = s²Γω/((ω0² − ω²)² + Γ²ω²), s maybe zero."""
    drift = array([[[0, frequency], [-frequency, -width]]])
    return Filters(drift, array([[0, s**2 / frequency]]), array([[1, 0]]))


def padded(case):
    """The baths of a case filled up to two or three of one structure, the others without effect."""
    size = len(case["hamiltonian"])
    kinds = {2: ["drude", "brownian", "brownian"], 4: ["drude", "brownian"], 6: ["drude"]}[size]
    count = {2: 2, 4: 2, 6: 3}[size]
    terms, couplings, flags, temperature = [], [], [], []
    for m in range(count):
        here = m < len(case["baths"])
        own = list(case["baths"][m]) if here else []
        bath = []
        for kind in kinds:
            found = next((term for term in own if term["kind"] == kind), None)
            if found:
                own.remove(found)
            default = [0.0, 1.0] if kind == "drude" else [0.0, 1.0, 0.5]
            values = found["values"] if found else default
            bath.append((drude if kind == "drude" else brownian)(*values))
        assert not own
        terms.append(tuple(bath))
        couplings.append(case["couplings"][m] if here else [0.0] * size)
        flags.append(case["counterterm"][m] if here else True)
        temperature.append(case["temperatures"][m] if here else 1.0)
    return (
        array(case["hamiltonian"]),
        array(couplings),
        terms,
        tuple(flags),
        array(temperature),
    )


@partial(jax.jit, static_argnames="flags")
def solved(hessian, couplings, terms, flags, temperature):
    network = embedded.bath_network(hessian, couplings, terms, flags)
    covariance = embedded.enlarged_covariance(network, temperature)
    size = len(hessian)
    return covariance[:size, :size], embedded.heat_currents(network, couplings, temperature)


def scalar_response(terms):
    def response(nu):
        z = jax.lax.complex(jnp.zeros_like(nu), -nu)
        return jnp.stack([susceptibility(own, z) for own in terms])[:, None, None]

    return response


@partial(jax.jit, static_argnames="flags")
def integrated(hessian, couplings, terms, flags, temperature):
    static = embedded.static_response(terms, hessian.dtype)
    drift = embedded.bath_network(hessian, couplings, terms, flags).drift
    return quadrature.integrate(
        embedded.effective_hessian(hessian, couplings, static, flags),
        quadrature.scalar_forces(couplings),
        scalar_response(terms),
        temperature,
        quadrature.resonances_of_drift(drift),
    )


def agree(case, covariance, currents, sigma=1e-13, current=1e-11):
    """To these fractions of the largest entries."""
    reference = np.array(case["sigma"], float)
    assert np.max(np.abs(covariance - reference)) <= sigma * np.max(np.abs(reference))
    reference = np.array(case["currents"], float)
    scale = np.max(np.abs(reference)) or 1 + np.max(case["temperatures"])
    assert np.max(np.abs(currents[: len(reference)] - reference)) <= current * scale


# The slowest motions decay 3e-5 times as fast as they turn; the tolerances are a hundred times what
# is measured, 3e-15 and 1e-12.
@double
@pytest.mark.parametrize("name", others_at_night(RATIONAL, (), ("exact-16", "exact-33")))
def test_forty_digit_numbers(name):
    agree(CASES[name], *solved(*padded(CASES[name])))


@double
@pytest.mark.parametrize("name", others_at_night(RATIONAL, ("exact-07",), ("exact-29",)))
def test_the_integral_gives_the_same_numbers(name):
    agree(CASES[name], *integrated(*padded(CASES[name])), sigma=1e-12)


def power_laws(case):
    """The spectra J = ηωe^(−ω/Λ) and the η e^(−1/Λ), their values at 1."""
    values = [bath[0]["values"] for bath in case["baths"]]
    strength = array([eta * np.exp(-1 / cutoff) for eta, cutoff in values])
    return [PowerLaw(1, array(cutoff), reference=array(1)) for _, cutoff in values], strength


def as_complex(x):
    return jax.lax.complex(x, jnp.zeros_like(x))


@jax.jit
def integrated_fitted(hessian, couplings, spectra, strength, temperature):
    def response(nu):
        chi = jnp.stack([spectrum.susceptibility(nu) for spectrum in spectra])
        return (chi * as_complex(strength))[:, None, None]

    static = strength * jnp.stack([spectrum.static_susceptibility() for spectrum in spectra])
    flags = (True,) * len(spectra)
    effective = embedded.effective_hessian(hessian, couplings, static, flags)
    forces = quadrature.scalar_forces(couplings)
    resonances = quadrature.resonances_of_response(effective, hessian, forces, response)
    return quadrature.integrate(effective, forces, response, temperature, resonances)


@double
@pytest.mark.parametrize("name", FITTED)
def test_exponential_cutoff_by_the_integral(name):
    case = CASES[name]
    parts = [array(case[key]) for key in ("hamiltonian", "couplings", "temperatures")]
    agree(case, *integrated_fitted(parts[0], parts[1], *power_laws(case), parts[2]))


@double
@pytest.mark.nightly
@pytest.mark.parametrize("name", FITTED)
def test_exponential_cutoff_by_the_rational_fit(name):
    # Measured 2.5e-13 in σ and 3e-12 in the currents, with 42 poles a bath.
    case = CASES[name]
    spectra, strength = power_laws(case)
    terms = [
        tuple(filters.scaled(s) for filters in spectrum.terms())
        for spectrum, s in zip(spectra, strength, strict=True)
    ]
    parts = [array(case[key]) for key in ("hamiltonian", "couplings", "temperatures")]
    agree(case, *solved(parts[0], parts[1], terms, (True, True), parts[2]), 1e-11, 1e-10)


@jax.jit
def rotating_wave(hessian, lowering, spectra, strength, temperature):
    def response(nu):
        both = jnp.stack([spectrum.one_sided(jnp.stack([nu, -nu])) for spectrum in spectra])
        both = as_complex(strength)[:, None] * both
        return quadrature.rotating_wave_response(both[:, 0], both[:, 1])

    forces = quadrature.rotating_wave_forces(lowering)
    resonances = quadrature.resonances_of_response(hessian, hessian, forces, response)
    return quadrature.integrate(hessian, forces, response, temperature, resonances)


@double
@pytest.mark.parametrize("name", others_at_night(ROTATING, ("exact-41",)))
def test_rotating_wave_baths(name):
    case = CASES[name]
    rows = np.array(case["lowering"])
    lowering = jnp.asarray(rows[..., 0] + 1j * rows[..., 1])
    hessian, temperature = array(case["hamiltonian"]), array(case["temperatures"])
    agree(case, *rotating_wave(hessian, lowering, *power_laws(case), temperature))


def random_network(seed, modes=2, baths=3):
    """A bounded network with shared baths of x and p, unequal everything, some without ct."""
    draw = np.random.default_rng(seed)
    size = 2 * modes
    root = draw.normal(size=(size, size)) * 0.3
    hessian = np.diag(np.repeat(draw.uniform(0.5, 2, modes), 2)) + root @ root.T
    couplings = draw.normal(size=(baths, size)) * draw.choice([0.05, 0.5], (baths, 1))
    terms = []
    for m in range(baths):
        spectrum = [Drude(array(draw.uniform(0.3, 20))), Brownian(*array(draw.uniform(0.3, 2, 2)))]
        weights = draw.uniform(0.05, 0.4, 2)
        if m == 2:
            weights *= 0.1  # without a counter-term it softens the network
        terms.append(
            tuple(
                filters.scaled(array(weight))
                for weight, one in zip(weights, spectrum, strict=True)
                for filters in one.terms(array(1))
            )
        )
    temperature = draw.choice([0, 0.1, 1, 30], baths) * draw.uniform(0.5, 1, baths)
    return array(hessian), array(couplings), terms, array(temperature)


FLAGS = (True, True, False)


@double
@pytest.mark.nightly
def test_random_networks_are_states_and_agree_with_the_integral():
    for seed in range(12):
        hessian, couplings, terms, temperature = random_network(seed)
        covariance, currents = solved(hessian, couplings, terms, FLAGS, temperature)
        again = integrated(hessian, couplings, terms, FLAGS, temperature)
        scale = np.max(np.abs(again.covariance))
        assert np.isfinite(scale)
        # Resonances within the rounding of ν limit the integral, not the other.
        np.testing.assert_allclose(covariance, again.covariance, rtol=0, atol=1e-12 * scale)
        np.testing.assert_allclose(currents, again.currents, rtol=0, atol=1e-12 * scale)
        assert np.min(williamson(covariance)) >= 0.5 - 1e-12
        assert abs(np.sum(currents)) <= 1e-13 * scale


@partial(jax.jit, static_argnames="flags")
def mean_force(hessian, couplings, terms, flags, temperature):
    drift = embedded.bath_network(hessian, couplings, terms, flags).drift
    norm = jnp.max(jnp.sum(jnp.abs(drift), axis=1))
    return embedded.mean_force_covariance(
        hessian,
        couplings,
        embedded.static_response(terms, hessian.dtype),
        flags,
        lambda z: jnp.stack([susceptibility(own, z) for own in terms]),
        temperature,
        (1e-3 * norm, norm),
    )


@pytest.mark.slow
@double
def test_one_temperature_is_the_mean_force_gibbs_state():
    for seed, temperature in ((1, 0.0), (2, 0.2), (3, 5.0)):
        hessian, couplings, terms, _ = random_network(seed)
        every = array([temperature] * 3)
        covariance, currents = solved(hessian, couplings, terms, FLAGS, every)
        reduced = mean_force(hessian, couplings, terms, FLAGS, array(temperature))
        np.testing.assert_allclose(covariance, reduced, rtol=0, atol=1e-13 * np.max(reduced))
        assert np.max(np.abs(currents)) <= 1e-13 * np.max(reduced)


@double
@pytest.mark.slow
def test_mean_force_gibbs_state_of_a_sub_ohmic_bath():
    # No rational fit: the sum over χ(iz) of the very spectrum.
    spectra = [PowerLaw(0.5, array(cutoff), reference=array(1)) for cutoff in (3, 4.5)]
    strength, couplings = array([0.1, 0.2]), array([[1, 0, 0, 0], [0, 0.3, 1, 0]])
    static = strength * jnp.stack([spectrum.static_susceptibility() for spectrum in spectra])
    integral = integrated_fitted(COUPLED, couplings, spectra, strength, array([0.01, 0.01]))
    reduced = embedded.mean_force_covariance(
        COUPLED,
        couplings,
        static,
        (True, True),
        lambda z: strength * jnp.stack([x.matsubara_susceptibility(z) for x in spectra]),
        array(0.01),
        (array(1e-3), array(20)),
    )
    np.testing.assert_allclose(reduced, integral.covariance, rtol=0, atol=1e-13)
    assert np.max(np.abs(integral.currents)) == 0


@pytest.mark.slow
def test_natural_units_change_nothing():
    case = CASES["exact-20"]
    hessian, couplings, terms, flags, temperature = padded(case)
    unit = array(8.0)
    smaller = [tuple(filters.scaled(1 / unit).in_unit(unit) for filters in own) for own in terms]
    one, _ = solved(hessian, couplings, terms, flags, temperature)
    other, _ = solved(hessian / unit, couplings, smaller, flags, temperature / unit)
    np.testing.assert_allclose(one, other, rtol=0, atol=10 * np.finfo(DTYPE).eps)


@double
@pytest.mark.nightly
def test_derivatives_by_a_vanishing_rate_and_by_the_cutoff_of_a_fit():
    def variance(rate, cutoff, *parts):
        spectra = [Drude(array(5)), PowerLaw(1, cutoff)]
        terms = [
            tuple(filters.scaled(own) for filters in spectrum.terms(array(1)))
            for spectrum, own in zip(spectra, (array(0.1), rate), strict=True)
        ]
        hessian, couplings, temperature = parts
        return embedded.steady_covariance(hessian, couplings, terms, (True, True), temperature)[
            0, 0
        ]

    # As arguments: of constants XLA would compute all while it compiles.
    parts = array(np.eye(2)), array([[1, 0], [1, 0]]), array([0.2, 1.0])
    value = jax.jit(variance)
    slope = jax.jit(jax.grad(variance, argnums=(0, 1)))
    ahead = [value(array(h), array(2), *parts) for h in (0, 1e-4, 2e-4)]
    difference = (-3 * ahead[0] + 4 * ahead[1] - ahead[2]) / 2e-4
    np.testing.assert_allclose(slope(array(0), array(2), *parts)[0], difference, rtol=1e-5)
    high, low = (value(array(0.1), array(2 + h), *parts) for h in (1e-4, -1e-4))
    by_cutoff = slope(array(0.1), array(2), *parts)[1]
    np.testing.assert_allclose(by_cutoff, (high - low) / 2e-4, rtol=1e-6)


@pytest.mark.slow
def test_the_domain_is_that_of_the_static_stiffness():
    # J = ηωΛ²/(ω² + Λ²) with ηΛ = χ(0) on either side of ω, without a counter-term.
    def covariance(strength):
        none = (brownian(0, 1, 0.5),) * 2
        terms = [(drude(strength, 4.0), *none), (drude(0, 1), *none)]
        couplings = array([[1, 0], [0, 0]])
        return solved(array(np.eye(2)), couplings, terms, (False, True), array([0.5, 1]))[0]

    assert np.all(np.isfinite(covariance(0.24)))
    assert np.all(np.isnan(covariance(0.26)))
    assert np.all(np.isnan(covariance(0)))  # nothing damps it


@jax.jit
def ohmic(couplings, slopes, temperature, terms):
    return embedded.steady_covariance(COUPLED, couplings, terms, (True, True), temperature, slopes)


NONE = [(brownian(0, 1, 0.5),)] * 2


def with_cutoff(couplings, slopes, temperature, cutoff, extra=NONE):
    terms = [(drude(slope, cutoff), *own) for slope, own in zip(slopes, extra, strict=True)]
    return np.asarray(solved(COUPLED, couplings, terms, (True, True), temperature)[0])


@pytest.mark.slow
def test_strictly_ohmic_moments_are_finite_where_they_commute_with_the_couplings():
    couplings, slopes = array([[1, 0, 0, 0], [0, 0, 1, 0]]), array([0.2, 0.05])
    temperature = array([0.3, 1.5])
    sharp = np.asarray(ohmic(couplings, slopes, temperature, NONE))
    momentum = np.array([1, 3])
    finite = np.ones((4, 4), bool)
    finite[momentum, momentum] = False
    np.testing.assert_array_equal(np.isfinite(sharp), finite)
    error = [
        np.max(np.abs((with_cutoff(couplings, slopes, temperature, c) - sharp)[finite]))
        for c in (1e2, 1e3)
    ]
    # The rest is of the order of 1/Λ.
    assert error[1] < 2e-3
    if not SINGLE:
        assert 8 < error[0] / error[1] < 12


@pytest.mark.slow
@double
def test_moments_diverge_with_the_logarithm_of_the_cutoff():
    couplings, slopes = array([[1, 0, 0, 0.3], [0, 0.2, 1, 0]]), array([0.02, 0.05])
    temperature = array([0.3, 1.5])
    step = np.log(2)
    change = with_cutoff(couplings, slopes, temperature, 2e5) - with_cutoff(
        couplings, slopes, temperature, 1e5
    )
    force = np.asarray(embedded.symplectic_form(2, np.dtype(float)) @ couplings.T)
    expected = force @ np.diag(np.asarray(slopes) / np.pi) @ force.T
    # These X do not commute, which adds terms of the order η².
    np.testing.assert_allclose(change / step, expected, atol=2e-2 * np.max(expected))
    assert np.all(np.isnan(np.diag(ohmic(couplings, slopes, temperature, NONE))))


@double
def test_ohmic_and_rational_parts_of_baths_together():
    couplings, slopes = array([[1, 0, 0, 0], [0, 0, 1, 0]]), array([0.2, 0.0])
    temperature = array([0.3, 1.5])
    extra = [(brownian(0.3, 0.9, 0.2),), (brownian(0.4, 1.2, 0.5),)]
    sharp = np.asarray(ohmic(couplings, slopes, temperature, extra))
    smooth = with_cutoff(couplings, slopes, temperature, 1e6, extra)
    assert np.isnan(sharp[1, 1])
    finite = np.isfinite(sharp)
    assert np.sum(~finite) == 1  # of p1 alone: the second bath has no Ohmic part
    np.testing.assert_allclose(sharp[finite], smooth[finite], atol=3e-6)


def finite_bath(hessian, strength, frequency, width, temperature, count, cut, time):
    """⟨xx⟩, ⟨pp⟩ of oscillators p²/2 + ½xVx, each with its own bath of so many oscillators.

    A closed network from an uncorrelated start: x(t) = cos(Ωt) x + sin(Ωt)/Ω p of the whole.
    """
    own = len(hessian)
    grid = (np.arange(count) + 0.5) * cut / count
    potential = np.zeros((own * (count + 1),) * 2)
    potential[:own, :own] = hessian
    half = np.concatenate([np.full(own, 0.5)])
    variance_x, variance_p = [half], [half]
    for m in range(own):
        s, w, g = strength[m], frequency[m], width[m]
        density = s**2 * g * grid / ((w**2 - grid**2) ** 2 + g**2 * grid**2)
        here = slice(own + m * count, own + (m + 1) * count)
        # g_k (b + b†) = g_k √(2ω_k) q_k, J = π Σ g_k² δ
        coupling = np.sqrt(2 * density * grid * cut / count / np.pi)
        potential[here, here] = np.diag(grid**2)
        potential[m, here] = potential[here, m] = -coupling
        potential[m, m] += np.sum(coupling**2 / grid**2)  # the counter-term
        mean = 0.5 / np.tanh(grid / (2 * temperature[m]))
        variance_x.append(mean / grid)
        variance_p.append(mean * grid)
    values, vectors = np.linalg.eigh(potential)
    root = np.sqrt(values)

    def function(diagonal):
        return vectors[:own] @ (diagonal[:, None] * vectors.T)

    cosine, sine = np.cos(root * time), np.sin(root * time)
    x, p = np.concatenate(variance_x), np.concatenate(variance_p)
    xx = (function(cosine) * x) @ function(cosine).T
    xx += (function(sine / root) * p) @ function(sine / root).T
    pp = (function(root * sine) * x) @ function(root * sine).T
    pp += (function(cosine) * p) @ function(cosine).T
    return xx, pp


@double
def test_a_closed_network_of_many_oscillators_relaxes_to_it():
    potential = np.array([[1.2, -0.3], [-0.3, 1.7]])
    hessian = np.zeros((4, 4))
    hessian[::2, ::2], hessian[1, 1], hessian[3, 3] = potential, 1, 1
    strength, frequency, width = (0.6, 0.9), (1.0, 1.4), (0.8, 1.1)
    temperature = (0.2, 1.3)
    parameters = zip(strength, frequency, width, strict=True)
    terms = [(drude(0, 1), brownian(*values)) for values in parameters]
    couplings = array([[1, 0, 0, 0], [0, 0, 1, 0]])
    covariance, _ = solved(array(hessian), couplings, terms, (True, True), array(temperature))
    xx, pp = finite_bath(potential, strength, frequency, width, temperature, 300, 15.0, 55.0)
    # The band ends at fifteen times the frequencies, and has 2π/0.05 = 126 until it recurs.
    np.testing.assert_allclose(covariance[::2, ::2], xx, atol=3e-5)
    np.testing.assert_allclose(covariance[1::2, 1::2], pp, atol=3e-5)


def one_oscillator(omega, damping, frequency, width, temperature):
    """⟨x²⟩ and ⟨p²⟩ of one oscillator with a Brownian bath of its position."""
    spectrum = Brownian(frequency, width)
    terms = [tuple(filters.scaled(damping) for filters in spectrum.terms(omega))]
    hessian = omega * jnp.eye(2, dtype=omega.dtype)
    coupling = array([[np.sqrt(2), 0]])
    return jnp.diag(
        embedded.steady_covariance(hessian, coupling, terms, (True,), temperature[None])
    )


def one_oscillator_to_many_digits(omega, damping, frequency, width, temperature):
    def shape(nu):
        return width * nu / ((frequency**2 - nu**2) ** 2 + width**2 * nu**2)

    scale = 2 * damping / shape(omega)

    def spectrum(nu):
        chi = scale / (frequency**2 - nu**2 - 1j * width * nu)
        det = omega * (omega + scale / frequency**2 - chi) - nu**2
        common = scale * shape(nu) * mpmath.coth(nu / (2 * temperature)) / abs(det) ** 2
        return mpmath.matrix([common * omega**2, common * nu**2])

    points = [0, 0.3, 0.7, 0.9, 1.1, 1.3, 1.6, 2, 3, 6, 20, 100, mpmath.inf]
    return [mpmath.quad(lambda nu, k=k: spectrum(nu)[k], points) / mpmath.pi for k in (0, 1)]


# The bath's filters are defective at Γ = 2ω0: an ordinary point.
CRITICAL = (1.0, 0.05, 1.3, 2.6, 0.3)


@cache
def exact_slopes():
    step = mpmath.mpf("1e-6")
    slopes = []
    with mpmath.workdps(25):
        for k in range(5):
            up, down = ([mpmath.mpf(x) for x in CRITICAL] for _ in range(2))
            up[k] += step
            down[k] -= step
            high, low = (one_oscillator_to_many_digits(*x) for x in (up, down))
            slopes.append([float((a - b) / (2 * step)) for a, b in zip(high, low, strict=True)])
    return slopes


@double
@pytest.mark.nightly
@pytest.mark.parametrize("jacobian", [jax.jacfwd, jax.jacrev])
def test_derivatives_at_critical_damping(jacobian):
    slopes = jax.jit(jacobian(one_oscillator, argnums=tuple(range(5))))(*map(array, CRITICAL))
    np.testing.assert_allclose(np.array(slopes), exact_slopes(), rtol=1e-10)


@pytest.mark.slow
def test_thousands_at_once_are_the_same_as_one():
    count = 3000
    draw = np.random.default_rng(3)
    parameters = [
        draw.uniform(0.5, 2, count),
        draw.uniform(0.01, 0.5, count),
        draw.uniform(0.5, 2, count),
        draw.uniform(0.3, 2, count),
        draw.choice([0, 0.1, 1, 50], count),
    ]
    many = jax.jit(jax.vmap(one_oscillator))(*map(array, parameters))
    one = jax.jit(one_oscillator)
    assert np.all(np.isfinite(many))
    # Of two oscillators that share a rule only the hotter one notices.
    tolerance = 1e-4 if SINGLE else 1e-12
    for k in range(0, count, 500):
        np.testing.assert_allclose(many[k], one(*(array(x[k]) for x in parameters)), rtol=tolerance)
    assert np.min(many[:, 0] * many[:, 1]) >= 0.25 * (1 - 10 * tolerance)


@pytest.mark.parametrize("name", ["exact-11", "exact-20", "exact-28", *slow("exact-02")])
def test_in_either_precision(name):
    tolerance = 1e-4 if SINGLE else 1e-12
    agree(CASES[name], *solved(*padded(CASES[name])), tolerance, 10 * tolerance)
