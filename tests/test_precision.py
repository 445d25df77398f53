"""Fisher information: closed forms, critical points, 50 digits, laws, batches."""

import gaussian_states as gaussian
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from legs import nightly
from precision import DTYPE, SINGLE, digits, double

import jaxosc

QUANTUM = jaxosc.quantum_fisher_information
CLASSICAL = jaxosc.fisher_information
SEEDS = np.random.SeedSequence(190).spawn(8)


def family(modes, generator, nu=None, count=2):
    """MσMᵀ with a symplectic M(θ), with more noise unless ν is given, and a mean; their slopes."""
    base = gaussian.state(modes, generator, nu)
    ways = np.array(
        [gaussian.form(modes) @ gaussian.change(modes, generator) for _ in range(count)]
    )
    growth = np.array([gaussian.state(modes, generator) for _ in range(count)])
    growth = growth if nu is None else 0 * growth
    shift = generator.normal(size=(count, 2 * modes))

    def at(theta):
        theta = jnp.atleast_1d(theta)
        inner = jnp.einsum("i,ijk->jk", theta, jnp.asarray(ways, DTYPE))
        # Of the exponential what the first two derivatives need
        map_ = jnp.eye(2 * modes, dtype=DTYPE) + inner + inner @ inner / 2
        covariance = map_ @ jnp.asarray(base, DTYPE) @ map_.T
        covariance += jnp.einsum("i,ijk->jk", theta, jnp.asarray(growth, DTYPE))
        return covariance, theta @ jnp.asarray(shift, DTYPE)

    changes = np.array([w @ base + base @ w.T for w in ways]) + growth
    return at, base, changes, shift


def exact_information(base, changes, shift):
    """½ vec(dσ)ᵀ (σ⊗σ − J⊗J/4)⁻¹ vec(dσ) + dᵀσ⁻¹d as a linear system, 50 digits."""
    size = len(base)
    omega = gaussian.form(size // 2)
    sigma, form = gaussian.exact(base), gaussian.exact(omega)
    system = mpmath.zeros(size * size)
    for i in range(size):
        for j in range(size):
            for k in range(size):
                for m in range(size):
                    # σΨσ + JΨJ/4, of Ψ_km
                    system[i * size + j, k * size + m] = (
                        sigma[i, k] * sigma[m, j] + form[i, k] * form[m, j] / 4
                    )
    logarithmic = []
    for change in changes:
        psi = mpmath.lu_solve(system, gaussian.exact(change.reshape(-1, 1)))
        logarithmic.append(np.array(psi.tolist(), float).reshape(size, size))
    quadratic = np.einsum("pij,qji->pq", changes, np.array(logarithmic)) / 2
    return quadratic + shift @ np.linalg.solve(base, shift.T)


@double
@pytest.mark.parametrize("modes", [1, 2])
def test_fifty_digits(modes):
    at, *parts = family(modes, np.random.default_rng(SEEDS[0]))
    found = QUANTUM(at, np.zeros(2))
    np.testing.assert_allclose(found, exact_information(*parts), rtol=1e-12)
    alone = QUANTUM(lambda theta: at(jnp.stack([theta, 0 * theta])), 0.0)
    assert alone == pytest.approx(float(found[0, 0]), rel=1e-13)
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.slow
def test_thermal_state_and_displacement():
    """1/(N(N + 1)) for N; 1/ν for a shift of x; 2 for squeezing of the vacuum, by r."""
    number = DTYPE(0.7)
    found = QUANTUM(lambda n: (n + 0.5) * jnp.eye(2, dtype=DTYPE), number)
    assert found == pytest.approx(1 / (0.7 * 1.7), rel=digits(1e-14))
    one = 1.5 * np.eye(2, dtype=DTYPE)
    found = QUANTUM(lambda x: (one, jnp.stack([x, 0 * x])), 0.0)
    assert found == pytest.approx(1 / 1.5, rel=digits(1e-14))

    def squeezed(r):
        return jnp.diag(jnp.stack([jnp.exp(-2 * r), jnp.exp(2 * r)])) / 2

    for r in (0.0, 1.0):
        assert QUANTUM(squeezed, r) == pytest.approx(2.0, rel=digits(1e-12))
        # Its best measurement is homodyne of the squeezed quadrature, or of the other.
        assert CLASSICAL(squeezed, r) == pytest.approx(2.0, rel=digits(1e-12))
        assert CLASSICAL(squeezed, r, angle=np.pi / 2) == pytest.approx(2.0, rel=digits(1e-5))
        assert CLASSICAL(squeezed, r, "heterodyne") < 2


@pytest.mark.parametrize("ratio", [0.5, 0.99])
def test_one_soft_mode(ratio):
    """H = a†a − (g²/4)(a + a†)²: g²/(2(1 − g²)²), 2/9 at g = ½ and 1237.468750789121 at 0.99."""

    def ground_state(g):
        root = jnp.sqrt(1 - g * g)
        return jnp.diag(jnp.stack([1 / root, root])) / 2

    expected = {0.5: 2 / 9, 0.99: 1237.4687507891215}[ratio]
    # 1 − g² loses digits
    assert QUANTUM(ground_state, ratio) == pytest.approx(expected, rel=digits(1e-13) / (1 - ratio))


def resonant(temperature):
    def at(distance):
        network = jaxosc.pair((1.0, 1.0), interaction="position", distance=distance)
        return jaxosc.gibbs(network, temperature)

    return at


@pytest.mark.slow
def test_ground_state_near_the_critical_point():
    """λ_c² F = [1/(1 + y)² + 1/(1 − y)²]/8, y = λ/λ_c: (λ_c − λ)² F → 1/8."""
    information = jax.jit(jax.vmap(lambda x: QUANTUM(resonant(0.0), x)))
    distance = np.array([0.5, 1e-2, 1e-4] if SINGLE else [0.5, 1e-2, 1e-4, 1e-8, 1e-10], DTYPE)
    found = np.asarray(information(distance)) * distance**2
    expected = (distance**2 / (2 - distance) ** 2 + 1) / 8
    condition = 1 / np.sqrt(distance)
    assert (np.abs(found / expected - 1) < digits(2e-15) * condition).all()
    assert found[0] * 4 == pytest.approx(0.5555555555555556, rel=digits(1e-14))


@double
@pytest.mark.slow
def test_thermal_and_open_near_the_critical_point():
    """(λ_c − λ)² F → 1/2: the soft mode is classical."""
    found = jax.jit(jax.vmap(lambda x: QUANTUM(resonant(1.0), x)))(jnp.array([1e-4, 1e-7]))
    np.testing.assert_allclose(found * np.array([1e-8, 1e-14]), 0.5, rtol=3e-5)


@pytest.mark.nightly
@double
def test_open_near_the_critical_point():
    def steady(distance):
        network = jaxosc.pair((1.0, 1.0), interaction="position", distance=distance)
        return jaxosc.steady_state(jaxosc.langevin(network, jaxosc.Baths(1e-6, 1.0)))

    found = QUANTUM(steady, 1e-4) * 1e-8
    assert found == pytest.approx(0.5, rel=1e-3)


@double
@pytest.mark.parametrize("modes", [2, *nightly(1, 3)])
@pytest.mark.slow
def test_pure_and_partly_pure_states(modes):
    """¼ Tr (σ⁻¹dσ)² of pure ones; of a family, the limit of slightly mixed ones."""
    generator = np.random.default_rng(SEEDS[1])
    at, base, changes, shift = family(modes, generator, np.full(modes, 0.5))
    inner = [np.linalg.solve(base, change) for change in changes]
    expected = np.array([[np.trace(a @ b) / 4 for a in inner] for b in inner])
    expected += shift @ np.linalg.solve(base, shift.T)
    np.testing.assert_allclose(QUANTUM(at, np.zeros(2)), expected, rtol=1e-12)
    for nu in (np.append(1.0, np.full(modes - 1, 0.5)), np.append(0.5, np.full(modes - 1, 0.7))):
        found = QUANTUM(family(modes, np.random.default_rng(SEEDS[2]), nu)[0], np.zeros(2))
        near = family(modes, np.random.default_rng(SEEDS[2]), nu + 1e-6)[0]
        np.testing.assert_allclose(found, QUANTUM(near, np.zeros(2)), rtol=1e-4)


@pytest.mark.slow
def test_changes_of_purity():
    """No answer where a pure mode becomes mixed in first order; in second that is left out."""
    eye = np.eye(2, dtype=DTYPE)
    assert np.isnan(QUANTUM(lambda n: (0.5 + n) * eye, 0.0))
    assert QUANTUM(lambda t: (0.5 + t * t) * eye, 0.0) == 0
    # The temperature of a ground state: N and all its derivatives vanish.
    network = jaxosc.pair((1.0, 2.0), 0.2, "position")
    assert QUANTUM(lambda t: jaxosc.gibbs(network, t), 0.0) == 0
    assert np.isnan(QUANTUM(lambda n: (0.3 + n) * eye, 0.0))
    together = QUANTUM(
        lambda p: ((0.5 + p[0]) * eye, jnp.stack([p[1], 0 * p[1]])), np.zeros(2, DTYPE)
    )
    assert np.isnan(together[0]).all()
    assert together[1, 1] == pytest.approx(2)


@pytest.mark.slow
@double
def test_laws():
    """Invariant, less of a part, more than a measurement's, and the curvature of the fidelity."""
    generator = np.random.default_rng(SEEDS[3])
    at, base, changes, _ = family(3, generator)
    full = QUANTUM(at, np.zeros(2))
    map_ = gaussian.symplectic(3, generator)
    moved = QUANTUM(lambda x: (map_ @ at(x)[0] @ map_.T, map_ @ at(x)[1]), np.zeros(2))
    np.testing.assert_allclose(moved, full, rtol=1e-10)
    part = QUANTUM(lambda x: (at(x)[0][:4, :4], at(x)[1][:4]), np.zeros(2))
    assert np.linalg.eigvalsh(full - part).min() > 0
    for options in ({}, {"angle": np.array([0.3, 1.0, 2.0])}, {"measurement": "heterodyne"}):
        assert np.linalg.eigvalsh(full - CLASSICAL(at, np.zeros(2), **options)).min() > 0
    # −ln F(−θ/2, θ/2) = F θ²/4 + …, even in θ
    step = mpmath.mpf(10) ** -10
    ends = [gaussian.exact(base) + s * step / 2 * gaussian.exact(changes[0]) for s in (-1, 1)]
    measured = -4 * gaussian.log_fidelity(*ends) / step**2
    still = QUANTUM(lambda x: at(jnp.stack([x, 0 * x]))[0], 0.0)
    assert float(measured) == pytest.approx(float(still), rel=1e-9)


@pytest.mark.slow
@double
@pytest.mark.parametrize("nu", [np.array([0.5, 0.5]), *nightly(None, np.array([1.2, 1.2]))])
def test_slopes(nu):
    """Forward and reverse, of mixed and pure states, where symplectic eigenvalues coincide too."""
    at = family(2, np.random.default_rng(SEEDS[4]), nu, count=1)[0]
    information = jax.jit(lambda x: QUANTUM(at, x))
    expected = (information(1e-5) - information(-1e-5)) / 2e-5
    for derivative in (jax.grad, jax.jacfwd):
        found = jax.jit(derivative(information))(0.0)
        assert found == pytest.approx(float(expected), rel=1e-7, abs=1e-7)


@pytest.mark.nightly
@double
def test_batch():
    """Thousands at once, as one by one."""

    def at(parameters):
        network = jaxosc.pair(jnp.stack([5.0 + 0 * parameters[0], 2.0]), parameters[0], "position")
        return jaxosc.gibbs(network, parameters[1])

    point = np.stack([np.linspace(0.1, 1.5, 4096), np.linspace(0.5, 3.0, 4096)], axis=1)
    found = jax.jit(jax.vmap(lambda x: QUANTUM(at, x)))(point)
    for k in (0, 2000, 4095):
        np.testing.assert_allclose(found[k], QUANTUM(at, point[k]), rtol=1e-12)


def test_homodyne_and_heterodyne():
    """Outcomes of a thermal state: ½/ν² for ν by a quadrature, two of them by both."""

    def thermal(nu):
        return jnp.diag(jnp.stack([nu, nu, 2 * nu, 2 * nu]))

    nu = DTYPE(1.5)
    assert CLASSICAL(thermal, nu) == pytest.approx(1 / nu**2, rel=digits(1e-14))
    assert CLASSICAL(thermal, nu, angle=[0.1, 2.0]) == pytest.approx(1 / nu**2, rel=digits(1e-14))
    expected = 1 / (nu + 0.5) ** 2 + 4 / (2 * nu + 0.5) ** 2
    assert CLASSICAL(thermal, nu, "heterodyne") == pytest.approx(expected, rel=digits(1e-14))
    assert np.isnan(CLASSICAL(thermal, DTYPE(0.4)))


@pytest.mark.parametrize("function", [CLASSICAL, *nightly(QUANTUM)])
def test_errors(function):
    eye = np.eye(2, dtype=DTYPE)
    for arguments, message in (
        ((None, 0.0), "`state` must be a function"),
        ((lambda: eye, 0.0), "`state` must take"),
        ((lambda x: x * eye, np.eye(2)), "`parameters` must be a number or one axis"),
        ((lambda x: x * eye, np.nan), "`parameters` must be finite"),
        ((lambda x: x, 1.0), "`state` must return a covariance"),
        ((lambda x: (x * eye, x), 1.0), "`state` must return a covariance"),
        ((lambda x: x * np.eye(3), 1.0), "`state` must return a covariance"),
        ((lambda x: eye if x > 0 else 2 * eye, 1.0), "`state` must return the same structure"),
        ((lambda x: jaxosc.gibbs(jaxosc.pair((1.0, 1.0), x, "position"), 1.0), 0.7), "bounded"),
    ):
        with pytest.raises(ValueError, match=message):
            function(*arguments)
    with pytest.raises(ValueError, match="`measurement` must be one of"):
        CLASSICAL(lambda x: x * eye, 1.0, "photon counting")
    with pytest.raises(ValueError, match="`angle` must be a number or one a mode"):
        CLASSICAL(lambda x: x * eye, 1.0, angle=[0.0, 1.0])
