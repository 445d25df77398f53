"""The Lyapunov equation Aσ + σAᵀ + D = 0 for a drift of no particular structure.

For oscillators its condition number is ω/γ, and every solver of it loses as many digits. What is
lost is won back by the residual of the solution, which is formed from exact products: σ is that
of the matrices as given to their last digits, down to rates of some 1e-11 of the frequencies.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.linear import any_of_all, bounded_memory, cholesky, inverse
from jaxosc._numerics.special import power_of_two

# How often the step was doubled or how many steps that makes, what is left of a state after
# them, and the state built up
Doubling = tuple[jax.Array, jax.Array, jax.Array]
# A state, the size of its last correction and how that compares with the one before, and their
# number
_Refinement = tuple[jax.Array, jax.Array, jax.Array, jax.Array]

# Corrections by the residual; one is the rule down to γ/ω = 1e-7, in float64
_CORRECTIONS = 4
# Up to here one dense system is faster; its work grows as n⁶, that of doubling as n³.
_DENSE = 4
# XLA's batched products of smaller matrices are written out, in three times the time.
_SMALLEST = 8


def doublings(dtype: np.dtype) -> int:
    """The number of doublings after which rounding might pass for damping."""
    return int(np.finfo(dtype).nmant) - 2


def solve_lyapunov(drift: jax.Array | tuple[jax.Array, ...], diffusion: jax.Array) -> jax.Array:
    """σ [n, n] for A [n, n] and a symmetric D [n, n].

    A may be given as matrices whose sum it is, large and small ones apart, so that no rounding of
    their sum is felt. NaN where A has an eigenvalue with a real part that is not negative, or the
    dtype does not resolve it. Derivatives are those of the equation, in reverse mode by one
    solution of the adjoint equation.
    """
    parts = drift if isinstance(drift, tuple) else (drift,)
    known = jax.lax.stop_gradient(parts)
    total = sum(parts[1:], parts[0])

    def equation(covariance: jax.Array) -> jax.Array:
        product = _product(total, covariance)
        return -(product + _product(covariance, total.T))

    return jax.lax.custom_linear_solve(
        equation,
        (diffusion + diffusion.T) / 2,
        lambda _, source: _solution(source, *known),
        # Of a cotangent only the symmetric part has an effect.
        lambda _, source: _solution((source + source.T) / 2, *(part.T for part in known)),
    )


def contracts(drift: jax.Array) -> jax.Array:
    """Whether every motion decays: powers of E = (s − A)⁻¹(s + A) vanish if and only if it does.

    Not so where the slowest rate is within rounding of zero.
    """
    return _contracts(jax.lax.stop_gradient(drift)) == 1


@bounded_memory
def _contracts(drift: jax.Array) -> jax.Array:
    """1 or 0."""
    step, _ = _cayley(drift)
    none = jnp.zeros_like(step)
    return _vanished(_doubling(step, none)[0]).astype(drift.dtype)


@bounded_memory
def _solution(source: jax.Array, *parts: jax.Array) -> jax.Array:
    """σ by one of two methods, corrected by its residual until that changes nothing."""
    size, dtype = source.shape[0], source.dtype
    rounding = float(np.finfo(dtype).eps)
    method = _dense if size <= _DENSE else _by_doubling
    sustained = method(sum(parts[1:], parts[0]))
    state, stable = sustained(source)
    scale = jnp.maximum(jnp.max(jnp.abs(state)), float(np.finfo(dtype).tiny))

    def correct(carry: _Refinement) -> _Refinement:
        state, last, _, count = carry
        change, _ = sustained(_residual(parts, source, state))
        now = jnp.max(jnp.abs(change)) / scale
        return state + change, now, now / last, count + 1

    def lasting(carry: _Refinement) -> jax.Array:
        # One more would change σ by some now × ratio.
        _, now, ratio, count = carry
        better = (now * ratio > rounding) & (ratio < 0.1)
        return any_of_all(better & (count < _CORRECTIONS))

    one = jnp.ones((), dtype)
    start = correct((state, one, one, jnp.zeros((), jnp.int32)))
    state, now, ratio, _ = jax.lax.while_loop(lasting, correct, start)
    resolved = (ratio < 0.1) | (now <= size * rounding)
    return jnp.where(stable & resolved, state, jnp.nan)


# What a symmetric source sustains, to ε ω/γ of it and symmetric, and whether A is stable
_Solver = Callable[[jax.Array], tuple[jax.Array, jax.Array]]


def _dense(drift: jax.Array) -> _Solver:
    """From one system of n(n+1)/2 unknowns."""
    size, dtype = drift.shape[0], drift.dtype
    upper = np.triu_indices(size)
    place = np.zeros((size, size), np.int64)
    place[upper] = place.T[upper] = np.arange(len(upper[0]))

    def equation(vector: jax.Array) -> jax.Array:
        product = _product(drift, vector[place])
        return (product + product.T)[upper]

    matrix = jax.vmap(equation, out_axes=1)(jnp.eye(len(upper[0]), dtype=dtype))
    # Rows of slow motions are of size γ, of fast ones of size ω: pivoting compares them only scaled
    rescale = 1 / jnp.max(jnp.abs(matrix), axis=1)
    inverted = inverse(matrix * rescale[:, None])

    def state_of(source: jax.Array) -> jax.Array:
        return -_product(inverted, source[upper] * rescale)[place]

    # D = 1 has a positive definite solution if and only if A is stable (Lyapunov's theorem).
    witness = cholesky(state_of(jnp.eye(size, dtype=dtype)))
    stable = jnp.all(jnp.isfinite(witness))
    return lambda source: (state_of(source), stable)


def _by_doubling(drift: jax.Array) -> _Solver:
    """From the sum over powers of E."""
    step, half = _cayley(drift)

    def sustained(source: jax.Array) -> tuple[jax.Array, jax.Array]:
        left, state = _doubling(step, _product(_product(half, source), half.T))
        return (state + state.T) / 2, _vanished(left)

    return sustained


def _cayley(drift: jax.Array) -> tuple[jax.Array, jax.Array]:
    """E = (s − A)⁻¹(s + A) and √(2s)(s − A)⁻¹, s a rate typical of the drift, [n, n] or more.

    They turn the equation into σ = EσEᵀ + Q, Q = 2s(s − A)⁻¹D(s − A)⁻ᵀ, which Σ_n EⁿQEⁿᵀ solves.
    """
    size, dtype = drift.shape[0], drift.dtype
    one = jnp.eye(size, dtype=dtype)
    shift = jnp.linalg.norm(drift) / np.sqrt(size).astype(dtype)
    shift = jnp.where(shift > 0, shift, 1)
    resolvent = inverse(shift * one - drift)
    return 2 * shift * resolvent - one, jnp.sqrt(2 * shift) * resolvent


def _doubling(step: jax.Array, state: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A power of E that vanishes if any does, and Σ_n EⁿQEⁿᵀ (Smith's method).

    After k squarings the sum has 2ᵏ terms. A batch goes on together until all have vanished.
    """
    size, dtype = step.shape[0], step.dtype
    fill = max(_SMALLEST - size, 0)
    step, state = (jnp.pad(matrix, (0, fill)) for matrix in (step, state))

    def lasting(carry: Doubling) -> jax.Array:
        count, step, _ = carry
        return any_of_all(~_vanished(step)) & (count < doublings(dtype))

    def double(carry: Doubling) -> Doubling:
        count, step, state = carry
        image = _product(_product(step, state), step.T)
        return count + 1, _product(step, step), state + image

    start = (jnp.zeros((), jnp.int32), step, state)
    _, step, state = jax.lax.while_loop(lasting, double, start)
    return step[:size, :size], state[:size, :size]


def _vanished(step: jax.Array) -> jax.Array:
    return jnp.sum(step**2) <= float(np.finfo(step.dtype).eps)


def _residual(parts: tuple[jax.Array, ...], source: jax.Array, state: jax.Array) -> jax.Array:
    """D + Aσ + σAᵀ, where the leading digits of all products cancel, to the digits that remain.

    Factors are cut into two slices of so many bits that sums of products of the first ones are
    exact (Ozaki's scheme). Each sum with its transpose is then rounded once, as a small number.
    """
    size = len(source)
    stacked = jnp.concatenate(parts)
    high, low = sliced(stacked)
    upper, lower = (x.T for x in sliced(state.T))
    leading = _product(high, upper)
    rest = _product(high, lower) + _product(low, state)
    total = source
    for sums in (leading, rest):
        for start in range(0, len(stacked), size):
            product = sums[start : start + size]
            total = total + (product + product.T)
    return total


def sliced(matrix: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The leading bits of each row [m, n], to one place for all of it, and the rest."""
    bits = (int(np.finfo(matrix.dtype).nmant) + 1 - int(np.ceil(np.log2(matrix.shape[1])))) // 2
    largest = jnp.max(jnp.abs(matrix), axis=1)
    place = jax.vmap(power_of_two)(largest)[:, None] * 2.0**-bits
    high = jnp.round(matrix * (1 / place)) * place
    return high, matrix - high


_product = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)
