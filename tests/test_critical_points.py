"""Critical points of any network against eigenvalues, closed forms and differences."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from legs import nightly, slow
from precision import EPS, SINGLE, digits, double

import jaxosc
from jaxosc._numerics.eigenvalues import general_eigenvalues, general_eigenvectors

NIGHTLY = pytest.mark.nightly


def random_network(generator, modes, pairing=1.0):
    def couplings():
        upper = np.triu(generator.uniform(-0.1, 0.1, (modes, modes)), 1)
        return upper + upper.T

    oscillators = jaxosc.Oscillators(
        generator.uniform(0.5, 2.0, modes), couplings(), pairing * couplings()
    )
    return oscillators, jaxosc.Baths(10 ** generator.uniform(-5, 0, modes), np.ones(modes))


def matrices(oscillators, scale):
    omega, exchange, pairing = (
        np.asarray(leaf, float) for leaf in jax.tree.leaves(oscillators)[:3]
    )
    return (np.diag(omega) + scale * (exchange + sign * pairing) for sign in (1, -1))


def growth(oscillators, baths, scale):
    """The largest real part of an eigenvalue of the drift, from NumPy."""
    potential, kinetic = matrices(oscillators, scale)
    decay = -np.diag(np.asarray(baths.damping, float))
    return np.linalg.eigvals(np.block([[decay, kinetic], [-potential, decay]])).real.max()


@pytest.mark.parametrize("interaction", ["position", "rotating-wave"])
def test_critical_scale_of_a_pair(interaction):
    oscillators = jaxosc.pair((5.0, 2.0), 0.7, interaction)
    critical = jaxosc.critical_coupling((5.0, 2.0), interaction)
    assert jaxosc.critical_scale(oscillators) == pytest.approx(
        float(critical) / 0.7, rel=digits(1e-15)
    )
    mixed = jaxosc.Oscillators((5.0, 2.0), [[0, 0.3], [0.3, 0]], [[0, -0.5], [-0.5, 0]])
    assert jaxosc.critical_scale(mixed) == pytest.approx(np.sqrt(10) / 0.8, rel=digits(1e-15))


@pytest.mark.parametrize("modes", [2, 3, 4, 6, 10])
def test_critical_scale_against_eigenvalues(modes):
    generator = np.random.default_rng(modes)
    step = max(1e-9, 16 * EPS)
    for _ in range(5):
        oscillators, _ = random_network(generator, modes)
        scale = float(jaxosc.critical_scale(oscillators))
        inside, outside = (
            min(np.linalg.eigvalsh(matrix)[0] for matrix in matrices(oscillators, scale * factor))
            for factor in (1 - step, 1 + step)
        )
        assert inside > 0 > outside


@pytest.mark.slow
def test_uncoupled_oscillators_have_no_critical_point():
    for modes in (1, 2, 3):
        zero = np.zeros((modes, modes))
        oscillators = jaxosc.Oscillators(np.ones(modes), zero, zero)
        assert jaxosc.critical_scale(oscillators) == np.inf
        baths = jaxosc.Baths(np.full(modes, 0.1), np.ones(modes))
        assert jaxosc.stability_scale(oscillators, baths) == np.inf


@pytest.mark.slow
def test_critical_scale_differentiates_twice():
    """Against 50 digits: s is a root of det(ω + s(λ + κ)) for these positive couplings."""

    def network(omega, strength):
        coupling = strength * jnp.array([[0, 1.0, 0.3], [1.0, 0, 0.5], [0.3, 0.5, 0]])
        return jaxosc.Oscillators(jnp.stack([omega, jnp.asarray(1.3), jnp.asarray(0.8)]),
                                  coupling, 0.7 * coupling)  # fmt: skip

    def scale(omega, strength):
        return jaxosc.critical_scale(network(omega, strength))

    def exact(omega, strength):
        rows = [[0, 1, mpmath.mpf(0.3)], [1, 0, 0.5], [mpmath.mpf(0.3), 0.5, 0]]
        for index, entry in enumerate((omega, mpmath.mpf(1.3), mpmath.mpf(0.8))):
            rows[index] = [value / mpmath.sqrt(entry) for value in rows[index]]
            for row in rows:
                row[index] = row[index] / mpmath.sqrt(entry)
        lowest = min(mpmath.eigsy(mpmath.matrix(rows) * strength, eigvals_only=True))
        return -1 / (lowest * (1 + mpmath.mpf(0.7)))

    with mpmath.workdps(50):
        point = (mpmath.mpf(1.1), mpmath.mpf(0.2))
        assert scale(1.1, 0.2) == pytest.approx(float(exact(*point)), rel=digits(1e-14))
        expected = [float(mpmath.diff(exact, point, order)) for order in ((1, 0), (0, 1))]
        for derivative in (jax.jacfwd, jax.jacrev):
            slopes = jax.jit(derivative(scale, (0, 1)))(1.1, 0.2)
            np.testing.assert_allclose(slopes, expected, rtol=digits(1e-12))
        expected = float(mpmath.diff(exact, point, (2, 0)))
        assert jax.jit(jax.hessian(scale))(1.1, 0.2) == pytest.approx(expected, rel=digits(1e-11))


def test_rotating_wave_kink():
    """λ + |κ| has no slope in κ at κ = 0; its slopes in λ and ω are plain."""

    def scale(exchange, pairing):
        one = jnp.array([[0, 1.0], [1.0, 0]])
        return jaxosc.critical_scale(
            jaxosc.Oscillators(jnp.array([5.0, 2.0]), exchange * one, pairing * one)
        )

    by_exchange, by_pairing = jax.grad(scale, (0, 1))(0.5, 0.0)
    assert by_exchange == pytest.approx(-np.sqrt(10) / 0.25, rel=digits(1e-14))
    assert by_pairing == 0


@pytest.mark.parametrize(
    "modes", [2, 3, *slow(4), *(pytest.param(n, marks=NIGHTLY) for n in (6, 8))]
)
def test_stability_scale_against_eigenvalues(modes):
    generator = np.random.default_rng(10 + modes)
    for pairing in (0.3, 1.0, 3.0) * (2 if modes < 6 else 1):
        oscillators, baths = random_network(generator, modes, pairing)
        scale = float(jaxosc.stability_scale(oscillators, baths))
        if np.isinf(scale):  # exchange outweighs pairing: nothing grows
            assert max(growth(oscillators, baths, s) for s in np.linspace(0.1, 100, 500)) < 0
            continue
        below = np.linspace(1e-3, 1 - 1e-4, 200) * scale
        assert max(growth(oscillators, baths, s) for s in below) < 0
        assert abs(growth(oscillators, baths, scale)) < digits(1e-12)
        assert growth(oscillators, baths, scale * (1 + 1e-4)) > 0


@pytest.mark.parametrize("modes", [2, 3, pytest.param(5, marks=NIGHTLY), *slow(8)])
def test_exchange_alone_is_stable(modes):
    oscillators, baths = random_network(np.random.default_rng(modes), modes, pairing=0.0)
    assert jaxosc.stability_scale(oscillators, baths) == np.inf
    assert jaxosc.critical_scale(oscillators) < np.inf


def test_stability_scale_of_a_pair():
    """κ = λ: √((ω1² + γ1²)(ω2² + γ2²)/(ω1ω2))/2; and the general route on the same pair."""
    omega, damping = np.array([5.0, 2.0]), np.array([0.3, 0.7])
    exact = np.sqrt(np.prod(omega**2 + damping**2) / omega.prod()) / 2
    oscillators = jaxosc.pair(omega, 0.7, "position")
    baths = jaxosc.Baths(damping, (1.0, 1.0))
    assert jaxosc.stability_scale(oscillators, baths) == pytest.approx(
        exact / 0.7, rel=digits(1e-14)
    )
    generator = np.random.default_rng(4)
    for _ in range(8):
        oscillators, baths = random_network(generator, 2, 10 ** generator.uniform(-1, 1))
        widened = jaxosc.Oscillators(
            np.append(oscillators.frequency, 1.7),
            np.pad(oscillators.exchange, (0, 1)),
            np.pad(oscillators.pairing, (0, 1)),
        )
        three = jaxosc.Baths(np.append(baths.damping, 0.1), np.ones(3))
        closed = float(jaxosc.stability_scale(oscillators, baths))
        assert jaxosc.stability_scale(widened, three) == pytest.approx(closed, rel=digits(1e-14))


@pytest.mark.slow
def test_a_static_crossing_next_to_an_exceptional_point():
    """In float32 both eigenvalues at the crossing, 0 and −2γ, are only known to √ε."""
    exchange, pairing = np.zeros((2, 3, 3), np.float32)
    exchange[0, 1] = exchange[1, 0] = -0.02593282
    pairing[0, 1] = pairing[1, 0] = 0.01544021
    frequency = np.array([1.5569718, 0.63225406, 1.7], np.float32)
    damping = np.array([1.3356972e-04, 2.2883518e-05, 0.1], np.float32)
    three = jaxosc.Oscillators(frequency, exchange, pairing)
    scale = jaxosc.stability_scale(three, jaxosc.Baths(damping, np.ones(3, np.float32)))
    assert scale == pytest.approx(23.98108609, rel=1e-6)


def test_pairing_destabilises_before_the_hamiltonian():
    oscillators = jaxosc.Oscillators((1.0, 1.0), np.zeros((2, 2)), [[0, 0.9], [0.9, 0]])
    baths = jaxosc.Baths((0.01, 10.0), (1.0, 1.0))
    scale = float(jaxosc.stability_scale(oscillators, baths))
    assert scale < 1 < jaxosc.critical_scale(oscillators)
    assert growth(oscillators, baths, scale * 0.999) < 0 < growth(oscillators, baths, scale * 1.001)


def test_one_damped_end_damps_the_chain():
    one = np.diag([0.2, 0.2], 1)
    oscillators = jaxosc.Oscillators((1.0, 1.2, 0.9), one + one.T, one + one.T)
    baths = jaxosc.Baths((0.05, 0.0, 0.0), np.ones(3))
    scale = float(jaxosc.stability_scale(oscillators, baths))
    assert growth(oscillators, baths, 0.999 * scale) < 0 < growth(oscillators, baths, 1.001 * scale)


@double
@pytest.mark.nightly
def test_stability_scale_differentiates():
    """A static crossing (κ = λ) and an oscillating one, each against differences."""
    one = np.array([[0, 1.0, 0.3], [1.0, 0, 0.5], [0.3, 0.5, 0]])

    @jax.jit
    def scale(parameters, pairing):
        oscillators = jaxosc.Oscillators(
            jnp.concatenate([parameters[:1], jnp.array([1.3, 0.8])]),
            jnp.asarray(0.01 * one),
            pairing * 0.01 * jnp.asarray(one),
        )
        damping = jnp.concatenate([parameters[1:], jnp.array([0.3, 0.05])])
        return jaxosc.stability_scale(oscillators, jaxosc.Baths(damping, jnp.ones(3)))

    point = jnp.array([1.1, 0.02])
    along, gradient, hessian = (jax.jit(d(scale)) for d in (jax.jacfwd, jax.jacrev, jax.hessian))
    for pairing in (1.0, 20.0):
        forward, reverse = along(point, pairing), gradient(point, pairing)
        np.testing.assert_allclose(forward, reverse, rtol=digits(1e-12))
        curvature = hessian(point, pairing)
        np.testing.assert_allclose(curvature, curvature.T, rtol=1e-9)
        for index in (0, 1):
            step = jnp.zeros(2).at[index].set(1e-5)
            difference = (scale(point + step, pairing) - scale(point - step, pairing)) / 2e-5
            assert forward[index] == pytest.approx(float(difference), rel=1e-6)
            slopes = (gradient(point + step, pairing) - gradient(point - step, pairing)) / 2e-5
            np.testing.assert_allclose(curvature[index], slopes, rtol=1e-6)


@pytest.mark.slow
def test_batches():
    generator = np.random.default_rng(1)
    networks = [random_network(generator, 3, 2.0) for _ in range(4)]
    oscillators, baths = jax.tree.map(lambda *leaves: jnp.stack(leaves), *networks)
    np.testing.assert_allclose(
        jax.vmap(jaxosc.stability_scale)(oscillators, baths),
        [jaxosc.stability_scale(*network) for network in networks], rtol=digits(1e-12),
    )  # fmt: skip
    np.testing.assert_allclose(
        jax.vmap(jaxosc.critical_scale)(oscillators),
        [jaxosc.critical_scale(network) for network, _ in networks], rtol=digits(1e-14),
    )  # fmt: skip


SHAPES = {
    "full": lambda n: np.ones((n, n)) - np.eye(n),
    "chain": lambda n: np.eye(n, k=1) + np.eye(n, k=-1),
    "ring": lambda n: np.maximum(SHAPES["chain"](n), np.eye(n, k=n - 1) + np.eye(n, k=1 - n)),
    "star": lambda n: np.where(np.outer(np.eye(n)[0], np.ones(n)) - np.eye(n) > 0, 1.0, 0.0),
    "pairs": lambda n: np.kron(np.eye(n // 2 + 1), [[0, 1], [1, 0]])[:n, :n],
}


@pytest.mark.parametrize("modes", [3, *slow(4), *nightly(6)])
@pytest.mark.parametrize("shape", SHAPES)
def test_equal_modes_where_several_motions_cross_at_once(shape, modes):
    """Against NumPy's eigenvalues on both sides and on a grid before."""
    coupling = SHAPES[shape](modes)
    coupling = np.maximum(coupling, coupling.T)
    finite = 0
    for exchange, pairing in ((1, 1), (0, 1), (1, -1), (1, 0), (0.3, 0.7)):
        oscillators = jaxosc.Oscillators(np.ones(modes), exchange * coupling, pairing * coupling)
        for damping in (0.1, 1.0, 10.0, 0.1 + 0.07 * np.eye(modes)[0]):
            baths = jaxosc.Baths(np.broadcast_to(damping, modes), np.ones(modes))
            scale = float(jaxosc.stability_scale(oscillators, baths))
            last = min(scale / 1.001, 1e3)
            before = max(growth(oscillators, baths, s) for s in np.geomspace(last / 300, last, 30))
            assert before < 1e-6 * last, (exchange, pairing, damping, scale)
            if np.isfinite(scale):
                finite += 1
                assert growth(oscillators, baths, 1.001 * scale) > 0
    assert finite >= 12


@pytest.mark.slow
def test_copies_of_a_pair_are_as_stable_as_one():
    """Two pairs, and one beside an oscillator, against the closed form of one pair."""
    zero = np.zeros((2, 2))
    for damping in (0.1, 1.0, 30.0, 500.0, *(() if SINGLE else (2e4, 1e6))):
        for exchange, pairing, frequency in ((1.0, 1.0, 1.2), (0.0, 1.0, 1.0)):
            coupling = np.array([[0.0, 1.0], [1.0, 0.0]])
            pair = np.array([1.0, frequency])
            rate = np.full(2, damping)
            alone = jaxosc.stability_scale(
                jaxosc.Oscillators(pair, exchange * coupling, pairing * coupling),
                jaxosc.Baths(rate, np.ones(2)),
            )
            twice = np.block([[coupling, zero], [zero, coupling]])
            both = jaxosc.stability_scale(
                jaxosc.Oscillators(np.tile(pair, 2), exchange * twice, pairing * twice),
                jaxosc.Baths(np.tile(rate, 2), np.ones(4)),
            )
            beside = jaxosc.stability_scale(
                jaxosc.Oscillators([*pair, 1.7], exchange * twice[:3, :3], pairing * twice[:3, :3]),
                jaxosc.Baths([*rate, 0.3], np.ones(3)),
            )
            np.testing.assert_allclose([both, beside], alone, rtol=digits(1e-13))


@pytest.mark.nightly
def test_where_several_motions_cross_at_once_there_is_no_slope():
    @jax.jit
    def scale(coupling):
        entries = coupling * (jnp.ones((3, 3)) - jnp.eye(3))
        oscillators = jaxosc.Oscillators(jnp.ones(3), entries, entries)
        return jaxosc.stability_scale(oscillators, jaxosc.Baths(np.full(3, 0.5), np.ones(3)))

    assert scale(jnp.asarray(1.0)) == pytest.approx(0.625, rel=digits(1e-14))
    for slope in (jax.grad(scale), jax.jacfwd(scale)):
        assert np.isnan(slope(jnp.asarray(1.0)))


@pytest.mark.slow
def test_without_damping_there_is_no_answer():
    for modes in (2, 3):
        oscillators, _ = random_network(np.random.default_rng(2), modes)
        baths = jaxosc.Baths(np.zeros(modes), np.ones(modes))
        with pytest.raises(ValueError, match="Argument `baths` must damp every motion"):
            jaxosc.stability_scale(oscillators, baths)
        assert np.isnan(jax.jit(jaxosc.stability_scale)(oscillators, baths))


def test_a_drift_that_is_not_finite_has_no_eigenvalues():
    for entry in (np.nan, np.inf):
        matrix = jnp.full((3, 3), entry)
        assert np.isnan(jax.jit(general_eigenvalues)(matrix)).all()
        assert all(np.isnan(part).all() for part in jax.jit(general_eigenvectors)(matrix))


def test_bad_input():
    with pytest.raises(ValueError, match=r"`oscillators` must be a jaxosc\.Oscillators"):
        jaxosc.critical_scale(np.ones(2))
    with pytest.raises(ValueError, match="one bath an oscillator"):
        jaxosc.stability_scale(jaxosc.pair((5.0, 2.0), 1.0, "position"), jaxosc.Baths([0.1], [1.0]))

    def inside(omega):
        zero = jnp.zeros((2, 2))
        return jaxosc.critical_scale(jaxosc.Oscillators(omega, zero, zero))

    assert np.isnan(jax.jit(inside)(jnp.array([1.0, -1.0])))


@double
def test_critical_scale_by_a_coupling():
    """By one symmetric pair of entries, of exchange and of pairing, against NumPy."""
    generator = np.random.default_rng(7)
    omega = generator.uniform(0.5, 2.0, 5)
    upper = np.triu(generator.uniform(-0.1, 0.1, (2, 5, 5)), 1)
    couplings = upper + upper.transpose(0, 2, 1)
    change = np.zeros((5, 5))
    change[1, 3] = change[3, 1] = 1

    def exact(shifts):
        root = np.sqrt(np.outer(omega, omega))
        exchange, pairing = couplings + np.asarray(shifts)[:, None, None] * change
        lowest = (np.linalg.eigvalsh((exchange + s * pairing) / root)[0] for s in (1, -1))
        return -1 / min(lowest)

    def scale(shifts):
        exchange, pairing = (
            jnp.asarray(couplings[index]) + shifts[index] * jnp.asarray(change) for index in (0, 1)
        )
        return jaxosc.critical_scale(jaxosc.Oscillators(jnp.asarray(omega), exchange, pairing))

    zero = jnp.zeros(2)
    assert scale(zero) == pytest.approx(exact(zero), rel=digits(1e-13))
    forward, reverse = (jax.jit(d(scale))(zero) for d in (jax.jacfwd, jax.jacrev))
    np.testing.assert_allclose(forward, reverse, rtol=digits(1e-12))
    curvature = jax.jit(jax.hessian(scale))(zero)
    for index, step in enumerate(1e-4 * np.eye(2)):
        near = step / 10
        slope = (exact(near) - exact(-near)) / 2e-5
        assert forward[index] == pytest.approx(slope, rel=1e-5)
        high, low = exact(step), exact(-step)
        second = (high - 2 * exact(zero) + low) / 1e-8
        assert curvature[index, index] == pytest.approx(second, rel=1e-4)


@pytest.mark.slow
def test_stability_scale_of_a_pair_differentiates():
    """The static and the oscillating root, by ω, γ, λ, against bisection on NumPy's eigenvalues."""
    one = np.array([[0, 1.0], [1.0, 0]])

    @jax.jit
    def scale(parameters, pairing):
        oscillators = jaxosc.Oscillators(
            parameters[:2], parameters[4] * one, pairing * parameters[4] * one
        )
        return jaxosc.stability_scale(oscillators, jaxosc.Baths(parameters[2:4], jnp.ones(2)))

    def growth(point, pairing, factor):
        decay = -np.diag(point[2:4])
        exchange, pairs = factor * point[4] * one, factor * pairing * point[4] * one
        blocks = [[decay, np.diag(point[:2]) + exchange - pairs],
                  [-np.diag(point[:2]) - exchange - pairs, decay]]  # fmt: skip
        return np.linalg.eigvals(np.block(blocks)).real.max()

    def exact(point, pairing, near):
        low, high = 0.99 * near, 1.01 * near
        assert growth(point, pairing, low) < 0 < growth(point, pairing, high)
        for _ in range(60):
            middle = (low + high) / 2
            below = growth(point, pairing, middle) < 0
            low, high = (middle, high) if below else (low, middle)
        return low

    point = np.array([1.1, 1.4, 0.05, 0.3, 0.1])
    derivatives = [jax.jit(d(scale)) for d in (jax.jacfwd, jax.jacrev)]
    for pairing in (1.0, 8.0):
        arguments = jnp.asarray(point), jnp.asarray(pairing)
        value = float(scale(*arguments))
        assert value == pytest.approx(exact(point, pairing, value), rel=digits(1e-10))
        forward, reverse = (derivative(*arguments) for derivative in derivatives)
        np.testing.assert_allclose(forward, reverse, rtol=digits(1e-12))
        for index, step in enumerate(1e-5 * np.eye(5)):
            above, below = (exact(point + s * step, pairing, value) for s in (1, -1))
            assert forward[index] == pytest.approx((above - below) / 2e-5, rel=1e-5)
        assert forward[4] == pytest.approx(-value / point[4], rel=digits(1e-12))
