"""The equation for ⟨xpᵀ⟩ alone: to all digits, or it says that it does not know."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from precision import DTYPE, SINGLE, digits

from jaxosc._numerics.cross_block import by_cross_block
from jaxosc._numerics.lyapunov import solution_unless_weak
from jaxosc._numerics.small import interleave

RATES = (0.1, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10)
KINDS = ("random", "ring", "equal", "critical", "unbounded", "ends")


def exact(v, w, damping, source):
    """σ in fifty digits, of the numbers as given."""
    modes, size = len(v), 2 * len(v)
    place = np.zeros((size, size), int)
    upper = np.triu_indices(size)
    place[upper] = place.T[upper] = np.arange(len(upper[0]))
    with mpmath.workdps(50):
        drift = mpmath.zeros(size)
        for i in range(modes):
            drift[2 * i, 2 * i] = drift[2 * i + 1, 2 * i + 1] = -mpmath.mpf(float(damping[i]))
            for k in range(modes):
                drift[2 * i, 2 * k + 1] = mpmath.mpf(float(w[i, k]))
                drift[2 * i + 1, 2 * k] = -mpmath.mpf(float(v[i, k]))
        matrix, right = mpmath.zeros(len(upper[0])), mpmath.zeros(len(upper[0]), 1)
        for i, k in zip(*upper, strict=True):
            right[int(place[i, k])] = -mpmath.mpf(float(source[i, k]))
            for m in range(size):
                matrix[int(place[i, k]), int(place[m, k])] += drift[i, m]
                matrix[int(place[i, k]), int(place[m, i])] += drift[k, m]
        found = mpmath.lu_solve(matrix, right)
        return np.array([[float(found[int(n)]) for n in row] for row in place])


def networks(kind, modes):
    """V, W, γ and D of one network a rate."""
    generator = np.random.default_rng(modes)

    def couplings():
        upper = np.triu(generator.uniform(-0.15, 0.15, (modes, modes)), 1)
        return upper + upper.T

    for rate in RATES:
        omega, exchange, pairing = generator.uniform(0.5, 2, modes), couplings(), couplings()
        damping = rate * 10 ** generator.uniform(-1, 1, modes)
        if kind == "ring":  # degenerate, and coupled by position
            omega, exchange = np.ones(modes), 0.2 * (np.roll(np.eye(modes), 1, 0))
            exchange = pairing = exchange + exchange.T
        elif kind == "equal":
            omega, exchange, pairing = np.ones(modes), 1e-6 * exchange, 1e-6 * pairing
        elif kind == "ends":
            damping[1:-1] = 0
        elif kind in ("critical", "unbounded"):
            lowest = np.linalg.eigvalsh(exchange / np.sqrt(np.outer(omega, omega)))[0]
            distance = (1e-3 if SINGLE else 1e-6) if kind == "critical" else -1
            exchange = pairing = -(1 - distance) / (2 * lowest) * exchange
        bare, noise = np.diag(omega) + exchange, np.repeat(damping, 2)
        noise = noise * 10 ** generator.uniform(0, 2, 2 * modes)  # of x and p of their own
        yield bare + pairing, bare - pairing, damping, np.diag(noise)


@pytest.mark.parametrize("modes", [3, pytest.param(5, marks=pytest.mark.slow)])
def test_what_is_known_has_all_digits(modes):
    """In both ways to make and to solve the equations; a drift that is unstable is known too."""

    def solve(v, w, damping, source):
        zero = jnp.zeros_like(v)
        parts = interleave(zero, w, -v, zero), -jnp.diag(jnp.repeat(damping, 2))
        begun = by_cross_block(v, w, damping, source)
        return solution_unless_weak(source, *parts, begun=begun)

    cases = [(kind, *each) for kind in KINDS for each in networks(kind, modes)]
    kinds = np.array([case[0] for case in cases])
    arrays = [np.stack([case[n] for case in cases]).astype(DTYPE) for n in range(1, 5)]
    covariance, weak = map(np.asarray, jax.jit(jax.vmap(solve))(*arrays))
    unstable = np.isnan(covariance).any(axis=(1, 2))
    assert weak[kinds == "ends"].all()
    resolved = slice(3 if SINGLE else None)
    assert (~weak & unstable)[kinds == "unbounded"][resolved].all()
    known = ~weak & ~unstable
    assert not known[kinds == "unbounded"].any()
    least = {"random": 6, "ring": 2, "equal": 2, "critical": 4}
    for kind, count in least.items():
        assert known[kinds == kind].sum() >= (1 if SINGLE else count)
    for n in np.flatnonzero(known):
        expected = exact(*(array[n] for array in arrays))
        error = np.abs(covariance[n] - expected).max() / np.abs(expected).max()
        assert error < digits(1e-14), (kinds[n], RATES[n % len(RATES)], error)


def test_alone_as_in_a_batch():
    for modes in (3, 5):
        (v, w, damping, source), *_ = networks("random", modes)
        v, w, damping, source = (jnp.asarray(x, DTYPE) for x in (v, w, damping, source))
        begun = jax.jit(lambda *arrays: by_cross_block(*arrays)[1:3])(v, w, damping, source)
        expected = exact(v, w, damping, source)
        np.testing.assert_allclose(
            begun[0], expected, rtol=0, atol=digits(1e-11) * np.abs(expected).max()
        )
        assert begun[1] == 0
