"""Relaxation rates to their last digits, and exceptional points."""

import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from precision import DTYPE, EPS, SINGLE, digits, double

import jaxosc


def exact_eigenvalues(drift, vectors=False):
    with mpmath.workdps(50):
        matrix = mpmath.matrix(np.asarray(drift, np.float64).tolist())
        return mpmath.eig(matrix, left=vectors, right=vectors)


def network_of(modes, damping, seed):
    random = np.random.default_rng(seed)
    exchange, pairing = (
        random.normal(size=(modes, modes)) + 1j * random.normal(size=(modes, modes))
        for _ in range(2)
    )
    exchange = 0.1 * (exchange + exchange.conj().T)
    np.fill_diagonal(exchange, 0)
    network = jaxosc.Oscillators(
        random.uniform(1, 2, modes), exchange, 0.02 * (pairing + pairing.T)
    )
    return jaxosc.local_lindblad(
        network, jaxosc.Baths(damping * random.uniform(0.5, 2, modes), 1.0)
    )


@pytest.mark.parametrize("damping", [1e-2, 1e-5] if SINGLE else [1e-2, 1e-8, 1e-12])
@pytest.mark.parametrize("modes", [2, pytest.param(5, marks=pytest.mark.nightly)])
def test_rates_keep_their_digits(damping, modes):
    """Far below the frequencies, where eigenvalue solvers leave εω/γ of them."""
    dynamics = network_of(modes, damping, modes)
    found = np.asarray(jaxosc.relaxation_rates(dynamics))
    exact = np.sort([float(-each.real) for each in exact_eigenvalues(dynamics.drift)])
    # The drift itself is rounded: what is measured is the error for these entries
    np.testing.assert_allclose(found, exact, rtol=32 * EPS + (EPS / damping) ** 2)
    np.testing.assert_allclose(
        jaxosc.spectral_gap(dynamics), exact[0], rtol=64 * EPS + (EPS / damping) ** 2
    )


@double
@pytest.mark.parametrize("damping", [1e-3, 1e-8])
@pytest.mark.nightly
def test_degenerate_modes(damping):
    """Three equal oscillators on a ring, damped alike and not: modes that coincide, or nearly."""
    network = jaxosc.Oscillators(np.ones(3), 0.1 * (np.ones((3, 3)) - np.eye(3)))
    alike = jaxosc.local_lindblad(network, jaxosc.Baths(damping, occupation=0.0))
    np.testing.assert_allclose(jaxosc.relaxation_rates(alike), damping, rtol=1e-14)
    other = jaxosc.local_lindblad(
        network, jaxosc.Baths(damping * np.array([1.0, 2.0, 4.0]), occupation=0.0)
    )
    exact = np.sort([float(-each.real) for each in exact_eigenvalues(other.drift)])
    np.testing.assert_allclose(jaxosc.relaxation_rates(other), exact, rtol=1e-13)


def test_growth_and_memory():
    growing = jaxosc.Oscillators([0.0], [[0.0]], [[0.3j]])
    unstable = jaxosc.local_lindblad(growing, jaxosc.Baths(0.1, occupation=0.0))
    np.testing.assert_allclose(jaxosc.relaxation_rates(unstable), [-0.2, 0.4], rtol=digits(1e-14))
    drude = jaxosc.Baths(0.05, 1.0, jaxosc.spectra.Drude(4.0), coupling="position")
    memory = jaxosc.langevin(jaxosc.pair((1.0, 1.2), 0.1, "position"), drude)
    rates = np.asarray(jaxosc.relaxation_rates(memory))
    assert rates.shape == (6,)
    assert abs(rates.sum() + np.trace(np.asarray(memory.drift))) < digits(1e-14)


def resonant(coupling, difference=0.2):
    network = jaxosc.pair((1.0, 1.0), coupling, "rotating-wave")
    mean = jnp.full_like(coupling, 0.2)
    baths = jaxosc.Baths(jnp.stack([mean - difference / 2, mean + difference / 2]), occupation=0.0)
    return jaxosc.local_lindblad(network, baths)


def test_exceptional_point_of_a_resonant_pair():
    """At λ = |γ_1 − γ_2|/2 (Scali, Anders & Correa 2021); beside it in closed form."""
    for coupling in (0.03, 0.099, 0.102, 0.3):
        found = jaxosc.eigenvalue_conditions(resonant(jnp.asarray(coupling, DTYPE)))
        coupling = float(DTYPE(coupling))
        split = 0.01 - coupling**2
        np.testing.assert_allclose(found.discriminant, 4 * split, rtol=digits(3e-13))
        # Of A on a pair of motions, −iω − γ̄ + [[Δ, −iλ], [−iλ, −Δ]] with Δ = 0.1
        small, large = sorted((abs(0.1 - coupling), 0.1 + coupling))
        np.testing.assert_allclose(found.distance, small, rtol=digits(1e-12))
        condition = (small + large) / (2 * np.sqrt(abs(split)))
        np.testing.assert_allclose(found.condition, condition, rtol=digits(1e-12))
    at = jaxosc.eigenvalue_conditions(resonant(jnp.asarray(0.1, DTYPE)))
    assert (np.asarray(at.condition) > 0.1 / np.sqrt(EPS)).all()
    assert (np.asarray(at.distance) < 100 * EPS).all()
    assert abs(at.discriminant) < 100 * EPS


@double
@pytest.mark.nightly
def test_a_search_finds_the_exceptional_point():
    """From |discriminant|², smooth through the point; its slope there is that of −4λ²."""

    def measure(coupling):
        return jnp.abs(jaxosc.eigenvalue_conditions(resonant(coupling)).discriminant) ** 2

    found = jaxosc.optimize(measure, {"coupling": 0.15}, {"coupling": (0.05, 0.5)})
    assert abs(found.parameters["coupling"] - 0.1) < 1e-6

    def split(coupling):
        return jaxosc.eigenvalue_conditions(resonant(coupling)).discriminant.real

    root = jnp.asarray(0.15)
    for _ in range(6):
        value, slope = jax.jit(jax.value_and_grad(split))(root)
        root = root - value / slope
    assert abs(root - 0.1) < 1e-15
    np.testing.assert_allclose(slope, -0.8, rtol=1e-7)


def test_distance_is_that_of_a_defective_drift():
    """Of one motion: the smaller singular value of A without its trace."""
    random = np.random.default_rng(4)
    drift = random.normal(size=(2, 2)) - 2 * np.eye(2)
    found = jaxosc.eigenvalue_conditions(jaxosc.Dynamics(drift, np.eye(2)))
    distance = float(found.distance[0])
    traceless = drift - np.trace(drift) / 2 * np.eye(2)
    assert distance == pytest.approx(np.linalg.svd(traceless)[1][1], rel=digits(1e-12))
    values, right = np.linalg.eig(drift)
    left = np.linalg.inv(right)
    expected = np.linalg.norm(right, axis=0) * np.linalg.norm(left, axis=1)
    np.testing.assert_allclose(found.condition, expected, rtol=digits(1e-12))
    assert abs(complex(found.discriminant) - complex(values[0] - values[1]) ** 2) < digits(1e-12)


@double
@pytest.mark.nightly
def test_conditions_in_fifty_digits():
    dynamics = network_of(3, 0.05, 3)
    found = jaxosc.eigenvalue_conditions(dynamics)
    with mpmath.workdps(50):
        values, left, right = exact_eigenvalues(dynamics.drift, vectors=True)
        exact = {}
        for index, value in enumerate(values):
            y, x = left[index, :], right[:, index]
            product = (y * x)[0]
            exact[complex(value)] = float(mpmath.norm(y) * mpmath.norm(x) / abs(product))
    for value, condition in zip(found.values, found.condition, strict=True):
        nearest = min(exact, key=lambda each, value=value: abs(each - complex(value)))
        assert abs(nearest - complex(value)) < 1e-15 * 4
        assert condition == pytest.approx(exact[nearest], rel=1e-13)


def test_degenerate_is_not_exceptional():
    """Equal oscillators that are damped alike: a double eigenvalue, with two eigenvectors."""
    network = jaxosc.Oscillators(np.ones(3), 0.1 * (np.ones((3, 3)) - np.eye(3)))
    found = jaxosc.eigenvalue_conditions(
        jaxosc.local_lindblad(network, jaxosc.Baths(0.01, occupation=0.0))
    )
    np.testing.assert_allclose(found.condition, 1, rtol=digits(1e-12))
    assert np.sum(np.asarray(found.distance) < 100 * EPS) == 4
    defective = jaxosc.eigenvalue_conditions(jaxosc.Dynamics([[-1.0, 1.0], [0.0, -1.0]], np.eye(2)))
    assert (
        np.isinf(np.asarray(defective.condition)).all()
        or (np.asarray(defective.condition) > 1e6).all()
    )
    assert (np.asarray(defective.distance) < EPS).all()


def rates(parameters):
    coupling, damping = parameters
    network = jaxosc.pair((1.0, 1.1), coupling, "position")
    baths = jaxosc.Baths(jnp.stack([damping, jnp.full_like(damping, 0.05)]), 1.0)
    return jaxosc.relaxation_rates(jaxosc.local_lindblad(network, baths))


@functools.cache
def forward():
    return np.asarray(jax.jit(jax.jacfwd(rates))(jnp.array([0.15, 0.02])))


@double
def test_derivatives():
    value = jax.jit(rates)
    for index in range(2):
        step = 1e-4 * np.eye(2)[index]
        two, four = (
            value(np.array([0.15, 0.02]) + k * step) - value(np.array([0.15, 0.02]) - k * step)
            for k in (1, 2)
        )
        np.testing.assert_allclose(forward()[:, index], (8 * two - four) / 12e-4, atol=1e-9)


@double
@pytest.mark.slow
def test_derivatives_in_reverse():
    reverse = jax.jit(jax.jacrev(rates))(jnp.array([0.15, 0.02]))
    np.testing.assert_allclose(forward(), reverse, rtol=1e-11, atol=1e-13)
    # Where eigenvalues coincide each on its own has no slope, and says so
    assert np.isnan(jax.grad(lambda x: jaxosc.spectral_gap(resonant(x, 0.0)))(0.0)).all()


@pytest.mark.nightly
def test_many_at_once():
    couplings = np.linspace(0.01, 0.3, 1000, dtype=DTYPE)
    found = jax.jit(jax.vmap(lambda x: jaxosc.spectral_gap(resonant(x))))(couplings)
    split = np.sqrt(np.maximum(0.01 - couplings.astype(np.float64) ** 2, 0))
    away = np.abs(couplings - 0.1) > 1e-3
    np.testing.assert_allclose(np.asarray(found)[away], (0.2 - split)[away], rtol=digits(1e-13))
