"""Fidelity and relative entropy: closed forms, 50 digits by other formulas, Fock space, laws."""

import gaussian_states as gaussian
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.linalg
from legs import nightly
from precision import DTYPE, EPS, digits, double

import jaxosc

SEEDS = np.random.SeedSequence(19).spawn(8)
FIDELITY, ENTROPY = (
    jax.jit(jaxosc.fidelity),
    jax.jit(jaxosc.relative_entropy),
)


def near_critical(distance, temperature):
    """Two equal oscillators, positions coupled, by their normal modes of frequency √(1 ± λ/λ_c)."""
    frequency = np.sqrt([2 - distance, distance])
    spread = 0.5 / np.tanh(frequency / 2 / temperature) if temperature else np.full(2, 0.5)
    turn = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    found = np.zeros((4, 4))
    found[::2, ::2] = turn @ np.diag(spread / frequency) @ turn
    found[1::2, 1::2] = turn @ np.diag(spread * frequency) @ turn
    return found


def test_one_mode():
    """F = 1/(√(Δ + Λ) − √Λ), Δ = det(σ₁ + σ₂), Λ = 4(det σ₁ − ¼)(det σ₂ − ¼)."""
    generator = np.random.default_rng(SEEDS[0])
    for _ in range(20):
        one, other = (gaussian.state(1, generator) for _ in range(2))
        shift = generator.normal(size=2)
        total = np.linalg.det(one + other)
        mixed = 4 * (np.linalg.det(one) - 0.25) * (np.linalg.det(other) - 0.25)
        expected = 1 / (np.sqrt(total + mixed) - np.sqrt(mixed))
        assert FIDELITY(one, other) == pytest.approx(expected, rel=digits(1e-13))
        apart = np.exp(-shift @ np.linalg.solve(one + other, shift) / 2)
        found = FIDELITY(one, other, shift, 2 * shift)
        assert found == pytest.approx(expected * apart, rel=digits(1e-13))


def test_coherent_and_thermal():
    """|⟨α|β⟩|² = exp(−|α − β|²), and S = N ln(N/M) − (N + 1) ln((N + 1)/(M + 1))."""
    vacuum = 0.5 * np.eye(2, dtype=DTYPE)
    assert FIDELITY(vacuum, vacuum, [0.0, 0.0], [2.0, 1.0]) == pytest.approx(np.exp(-2.5))
    n, m = 0.3, 2.0
    found = ENTROPY((n + 0.5) * np.eye(2), (m + 0.5) * np.eye(2))
    expected = n * np.log(n / m) - (n + 1) * np.log((n + 1) / (m + 1))
    assert found == pytest.approx(expected, rel=digits(1e-14))
    moved = ENTROPY((n + 0.5) * np.eye(2), (m + 0.5) * np.eye(2), [1.0, 0.0])
    assert moved == pytest.approx(expected + np.log(1 + 1 / m) / 2, rel=digits(1e-14))


@pytest.mark.parametrize("modes", [2, *nightly(1, 3)])
def test_pure_states(modes):
    """With a pure state tr ρ₁ρ₂ = 1/√det(σ₁ + σ₂); nothing but itself is supported by it."""
    generator = np.random.default_rng(SEEDS[1])
    pure = [gaussian.state(modes, generator, np.full(modes, 0.5)) for _ in range(2)]
    mixed = gaussian.state(modes, generator)
    for one, other in ((pure[0], pure[1]), (pure[0], mixed), (mixed, pure[1])):
        expected = 1 / np.sqrt(np.linalg.det(one + other))
        assert FIDELITY(one, other) == pytest.approx(expected, rel=digits(1e-12))
    assert ENTROPY(pure[0], pure[0]) == 0
    assert ENTROPY(mixed, pure[0]) == np.inf
    assert ENTROPY(pure[0], pure[1]) == np.inf
    assert np.isfinite(ENTROPY(pure[0], mixed))
    # A pure mode beside mixed ones: equal there, or not
    product = np.kron(np.diag([1.0, 0.0]), 0.5 * np.eye(2)) + np.diag([0, 0, 1.5, 1.5])
    expected = float(ENTROPY(1.5 * np.eye(2), 2.5 * np.eye(2)))
    found = ENTROPY(product, np.diag([0.5, 0.5, 2.5, 2.5]))
    assert found == pytest.approx(expected, rel=digits(1e-13))
    assert ENTROPY(np.eye(4), product) == np.inf


@double
@pytest.mark.parametrize("modes", [2, *nightly(1, 3)])
def test_fifty_digits_with_slopes(modes):
    generator = np.random.default_rng(SEEDS[2])
    one, other = (gaussian.state(modes, generator) for _ in range(2))
    ways = [gaussian.change(modes, generator) for _ in range(2)]
    for second in (other, one, one + 1e-3 * ways[0]):
        value, slope = jax.jvp(lambda *x: jnp.log(FIDELITY(*x)), (one, second), tuple(ways))
        assert abs(value - float(gaussian.log_fidelity(one, second))) < 1e-14
        expected = gaussian.slope(gaussian.log_fidelity, one, second, *ways)
        assert abs(slope - expected) < 1e-12 * (1 + abs(expected))
        value, slope = jax.jvp(ENTROPY, (one, second), tuple(ways))
        expected = float(gaussian.relative_entropy(one, second))
        assert abs(value - expected) < 1e-13 * (1 + expected)
        expected = gaussian.slope(gaussian.relative_entropy, one, second, *ways)
        assert abs(slope - expected) < 1e-11 * (1 + abs(expected))


@pytest.mark.nightly
@double
@pytest.mark.parametrize("modes", [2, 5, 8])
def test_fifty_digits_of_many_and_degenerate_modes(modes):
    """Equal symplectic eigenvalues, and squeezing of 20 dB."""
    generator = np.random.default_rng(SEEDS[7])
    one, other = (gaussian.state(modes, generator, np.full(modes, nu), 0.2) for nu in (1.5, 3.0))
    squeeze = np.diag([10.0, 0.1] + [1.0] * (2 * modes - 2))
    one = squeeze @ one @ squeeze
    expected = float(gaussian.log_fidelity(one, other))
    assert abs(np.log(FIDELITY(one, other)) - expected) < 1e-12 * (1 + abs(expected))
    expected = float(gaussian.relative_entropy(one, other))
    assert ENTROPY(one, other) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("modes", [2, 4])
def test_partly_pure_states(modes):
    """Some modes pure in the one and mixed in the other: known to ε, and not to √ε."""
    generator = np.random.default_rng(SEEDS[7])
    half = modes // 2
    pure = gaussian.state(half, generator, np.full(half, 0.5))
    others = [gaussian.state(half, generator) for _ in range(3)]
    expected = FIDELITY(*others[1:]) / np.sqrt(np.linalg.det(pure + others[0]))
    map_ = gaussian.symplectic(modes, generator)
    pairs = (pure, others[1]), (others[0], others[2])
    mixed = [map_ @ scipy.linalg.block_diag(*each) @ map_.T for each in pairs]
    found = FIDELITY(*((each + each.T) / 2 for each in mixed))
    assert found == pytest.approx(float(expected), rel=digits(2e-12))


@double
@pytest.mark.parametrize("temperature", [1.0, *nightly(0.0)])
def test_close_states_near_a_critical_point(temperature):
    """Condition 1/δ takes nothing from equal states, and little from those 1 % closer."""
    for distance in (1e-2, 1e-5, 1e-8):
        one, other = (near_critical(x, temperature) for x in (distance, 1.01 * distance))
        # what is lost by the entries where they are pure: their purity is not determined
        lost = 1e-15 if temperature else 2e-16 / np.sqrt(distance)
        assert abs(FIDELITY(one, one) - 1) < 8 * lost
        expected = (
            mpmath.exp(gaussian.log_fidelity(one, other))
            if temperature
            else (1 / mpmath.sqrt(mpmath.det(gaussian.exact(one + other))))
        )
        assert abs(FIDELITY(one, other) - float(expected)) < 100 * lost
        assert 1e-6 < 1 - FIDELITY(one, other) < 1e-4
        slope = np.asarray(jax.grad(FIDELITY)(one, one))
        if temperature:
            scale = np.sqrt(np.diag(one))
            assert np.abs(np.outer(scale, scale) * slope).max() < 1e-14 / distance
        else:  # along pure states; of a thermal one it is −1 by its number
            turn = gaussian.form(2) @ gaussian.change(2, np.random.default_rng(SEEDS[6]))
            way = turn @ one + one @ turn.T
            assert abs(np.sum(slope * way)) < 1e-14 / distance * np.abs(turn).max()


@pytest.mark.slow
def test_equal_states():
    generator = np.random.default_rng(SEEDS[3])
    for modes in (1, 3, 5):
        for nu in (np.full(modes, 0.5), 0.5 + np.arange(modes), np.full(modes, 1e3)):
            one = gaussian.state(modes, generator, nu, 0.2).astype(DTYPE)
            assert abs(FIDELITY(one, one) - 1) <= 32 * modes * EPS
            assert ENTROPY(one, one) <= 32 * modes * EPS
    one = gaussian.state(2, generator).astype(DTYPE)
    slope = jax.grad(FIDELITY)(one, one)
    assert np.abs(one @ np.asarray(slope)).max() < digits(1e-12)


@pytest.mark.slow
def test_laws():
    """Symmetry, products, symplectic maps, data processing, between bounds."""
    generator = np.random.default_rng(SEEDS[4])
    for _ in range(4):
        one, other = (gaussian.state(3, generator) for _ in range(2))
        means = generator.normal(size=(2, 6))
        map_ = gaussian.symplectic(3, generator)
        f, s = float(FIDELITY(one, other, *means)), float(ENTROPY(one, other, *means))
        close = dict(rel=digits(1e-11), abs=digits(1e-14))
        assert FIDELITY(other, one, *means[::-1]) == pytest.approx(f, **close)
        moved = (map_ @ one @ map_.T, map_ @ other @ map_.T, *(means @ map_.T))
        moved = tuple((x + x.T) / 2 for x in moved)
        assert FIDELITY(*moved) == pytest.approx(f, **close)
        assert ENTROPY(*moved) == pytest.approx(s, **close)
        # Without the third mode states are harder to tell apart.
        part = [one[:4, :4], other[:4, :4], *means[:, :4]]
        assert FIDELITY(*part) > f
        assert ENTROPY(*part) < s
        assert s >= -np.log(f)  # relative entropies grow with their order: 1 against ½
        rest = [one[4:, 4:], other[4:, 4:]]
        product = [scipy.linalg.block_diag(*each) for each in zip(part[:2], rest, strict=True)]
        assert FIDELITY(*product) == pytest.approx(
            float(FIDELITY(*part[:2]) * FIDELITY(*rest)), **close
        )
        assert ENTROPY(*product) == pytest.approx(
            float(ENTROPY(*part[:2]) + ENTROPY(*rest)), **close
        )


@double
@pytest.mark.slow
def test_batch():
    """Thousands at once, as one by one."""
    generator = np.random.default_rng(SEEDS[5])
    states = np.array([gaussian.state(2, generator) for _ in range(64)])
    one, other = np.tile(states[:32], (64, 1, 1)), np.tile(states[32:], (64, 1, 1))
    for function, single in ((jaxosc.fidelity, FIDELITY), (jaxosc.relative_entropy, ENTROPY)):
        found = jax.jit(jax.vmap(function))(one, other)
        expected = [single(*each) for each in zip(states[:32], states[32:], strict=True)]
        np.testing.assert_allclose(found.reshape(64, 32), np.tile(expected, (64, 1)), rtol=1e-12)


def test_no_answer():
    sound, small = np.eye(2, dtype=DTYPE), 0.4 * np.eye(2, dtype=DTYPE)
    for function in (FIDELITY, ENTROPY):
        assert np.isnan(function(sound, small))
        assert np.isnan(function(small, sound))
        assert np.isnan(function(sound, sound * np.nan))


@pytest.mark.parametrize("function", [jaxosc.fidelity, jaxosc.relative_entropy])
def test_errors(function):
    two, four = np.eye(2), np.eye(4)
    for arguments, message in (
        ((two, four), "`second` must have shape"),
        ((two, np.eye(3)), "`second` must have shape"),
        ((np.triu(np.ones((2, 2))), two), "`first` must be symmetric"),
        ((two, two, [1.0]), "`first_mean` must have shape"),
        ((two, two, None, [1.0]), "`second_mean` must have shape"),
    ):
        with pytest.raises(ValueError, match=message):
            function(*arguments)


def test_second_derivatives_of_the_fidelity_are_refused_in_words():
    def value(x):
        return jaxosc.fidelity(x * np.diag([0.7, 0.6]), 1.5 * np.diag([0.7, 0.6]))

    for twice in (jax.hessian, lambda f: jax.grad(jax.grad(f))):
        with pytest.raises(NotImplementedError, match="first derivatives alone"):
            twice(value)(1.2)
