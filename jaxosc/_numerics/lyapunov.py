"""The Lyapunov equation Aσ + σAᵀ + D = 0 for a drift of no particular structure.

For oscillators its condition number is ω/γ, and every solver of it loses as many digits. What is
lost is won back by the residual of the solution, which is formed from exact products: σ is that
of the matrices as given to their last digits, down to rates of some 1e-11 of the frequencies.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.linear import (
    any_of_all,
    bounded_memory,
    cholesky,
    inverse,
    with_batch_last,
)
from jaxosc._numerics.small import product_of_many
from jaxosc._numerics.special import power_of_two

# What a symmetric source sustains, to ε ω/γ of it and symmetric, and what is left of a motion
_Solver = Callable[[jax.Array], tuple[jax.Array, jax.Array]]
# How often the step was doubled, and the state built up beside what is left of one after them
Doubling = tuple[jax.Array, jax.Array]
# A state, the size of its last correction, how that compares with the one before, the size of the
# first one, what is left of a motion, and the number of solutions
_Refinement = tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]

# Corrections by the residual; one is the rule down to γ/ω = 1e-7, in float64
_CORRECTIONS = 4
# Up to here one dense system is faster; its work grows as n⁶, that of doubling as n³.
_DENSE = 4
# XLA's batched products of such matrices take twice as long as loops along the batch.
_BATCH_LAST = 6


class Begun(NamedTuple):
    """A method with its first solution.

    Attributes:
        solver: what a symmetric source sustains, to a few digits, and what is left of a motion.
        state: the solution for the first source [n, n], or zero.
        left: what is left of a motion, squared: none where A is stable, ∞ or NaN where it is not.
        solutions: 1, or 0 for a state of zero.
    """

    solver: _Solver
    state: jax.Array
    left: jax.Array
    solutions: int = 1


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
    left, _ = _doubling(step, jnp.zeros_like(step))
    return _is_none(jnp.sum(left**2)).astype(drift.dtype)


@bounded_memory
def _solution(source: jax.Array, *parts: jax.Array) -> jax.Array:
    """σ, or NaN."""
    method = _dense if len(source) <= _DENSE else _by_doubling
    found = _refined(_start(method, source, parts), source, parts)
    return jnp.where(_is_none(found.left) & found.resolved, found.state, jnp.nan)


def solution_unless_weak(
    source: jax.Array, *parts: jax.Array, begun: Begun | None = None
) -> tuple[jax.Array, jax.Array]:
    """σ as of ``solve_lyapunov``, and whether a method that knows weak damping should be asked.

    That is so where A is neither known to be stable, and σ to all digits, nor to be unstable: by
    doubling below γ/ω = 1e-9 in float64 and 1e-3 in float32. Another method may have begun. It has
    no derivatives in reverse.
    """
    found = _refined(begun or _start(_by_doubling, source, parts), source, parts)
    stable = _is_none(found.left) & found.resolved
    known = stable & (found.first < 4 * float(np.finfo(source.dtype).eps) ** 0.5)
    grows = ~(found.left < jnp.inf)
    weak = ~known & ~grows & jnp.isfinite(jnp.sum(source))
    return jnp.where(stable, found.state, jnp.nan), weak


class _Refined(NamedTuple):
    """σ by one of two methods, corrected by its residual until that changes nothing.

    Attributes:
        state: σ [n, n].
        left: what the method left of a motion; infinite or NaN if one grows.
        resolved: whether the corrections came to an end.
        first: the size of the first one over that of σ, some ε ω/γ.
    """

    state: jax.Array
    left: jax.Array
    resolved: jax.Array
    first: jax.Array


def _start(
    method: Callable[[jax.Array], _Solver], source: jax.Array, parts: tuple[jax.Array, ...]
) -> Begun:
    """With the first solution as a correction of none: one copy of the method to compile."""
    sustained = method(sum(parts[1:], parts[0]))
    return Begun(sustained, jnp.zeros_like(source), jnp.ones((), source.dtype), 0)


def _refined(begun: Begun, source: jax.Array, parts: tuple[jax.Array, ...]) -> _Refined:
    size, dtype = source.shape[0], source.dtype
    rounding = float(np.finfo(dtype).eps)

    def correct(carry: _Refinement) -> _Refinement:
        known, last, _, first, _, count = carry
        change, left = begun.solver(_residual(parts, source, known))
        state = known + change
        scale = jnp.maximum(jnp.max(jnp.abs(state)), float(np.finfo(dtype).tiny))
        now = jnp.max(jnp.abs(change)) / scale
        return state, now, now / last, jnp.where(count == 1, now, first), left, count + 1

    def lasting(carry: _Refinement) -> jax.Array:
        # One more would change σ by some now × ratio.
        _, now, ratio, _, _, count = carry
        better = (now * ratio > rounding) & (ratio < 0.1) & (count <= _CORRECTIONS)
        return any_of_all((count < 2) | better)

    one = jnp.ones((), dtype)
    start = (begun.state, one, one, one, begun.left, jnp.asarray(begun.solutions, jnp.int32))
    state, now, ratio, first, left, _ = jax.lax.while_loop(lasting, correct, start)
    resolved = (ratio < 0.1) | (now <= size * rounding)
    return _Refined(state, left, resolved, first)


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
    left = jnp.where(jnp.all(jnp.isfinite(witness)), jnp.zeros((), dtype), jnp.inf)
    return lambda source: (state_of(source), left)


def _by_doubling(drift: jax.Array) -> _Solver:
    """From the sum over powers of E."""
    step, half = _cayley(drift)

    def sustained(source: jax.Array) -> tuple[jax.Array, jax.Array]:
        left, state = _doubling(step, _product(_product(half, source), half.T))
        return (state + state.T) / 2, jnp.sum(left**2)

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
    size = len(step)
    double = _small_doubled if size <= _BATCH_LAST else partial(_doubled, _product)
    both = double(jnp.concatenate([state, step], axis=1))
    return both[:, size:], both[:, :size]


def _doubled(product: Callable[[jax.Array, jax.Array], jax.Array], both: jax.Array) -> jax.Array:
    """Q and E beside each other [n, 2n], or [n, 2n, batch]."""
    size = len(both)

    def lasting(carry: Doubling) -> jax.Array:
        count, both = carry
        left = jnp.sum(both[:, size:] ** 2, axis=(0, 1))
        # What grows beyond all numbers will not vanish.
        going = ~_is_none(left) & (left < jnp.inf)
        return any_of_all(jnp.any(going)) & (count < doublings(both.dtype))

    def double(carry: Doubling) -> Doubling:
        count, both = carry
        state, step = both[:, :size], both[:, size:]
        images = product(step, both)
        state = state + product(images[:, :size], jnp.swapaxes(step, 0, 1))
        return count + 1, jnp.concatenate([state, images[:, size:]], axis=1)

    return jax.lax.while_loop(lasting, double, (jnp.zeros((), jnp.int32), both))[1]


def _is_none(left: jax.Array) -> jax.Array:
    """Whether nothing is left of a motion, by the square of its size."""
    return left <= float(np.finfo(left.dtype).eps)


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
_small_doubled = with_batch_last(partial(_doubled, _product), partial(_doubled, product_of_many))
