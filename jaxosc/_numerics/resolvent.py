"""Rows of the resolvent G(ν) = (−iν − A)⁻¹ of a real A on the frequency axis.

On a narrow resonance its condition number is ω/γ, and every elimination loses as many digits. The
residual of the solution, formed from exact products, wins them back: G is that of the entries of A
and ν as given, to its last digits, down to rates of some 1e-13 of the frequencies.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from jaxosc._numerics.linear import inverse, solve
from jaxosc._numerics.lyapunov import sliced

# Each leaves a part ε ω/γ of the error.
_CORRECTIONS = 2
# Beyond this size an elimination for each correction takes less time than an inverse.
_LARGE = 16

product = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


def resolvent_rows(drift: jax.Array, frequency: jax.Array, size: int) -> jax.Array:
    """The first rows of G(ν) [size, n], for A [n, n] and a scalar ν.

    Derivatives are those of the equation that the rows solve.
    """
    one = jnp.eye(drift.shape[0], dtype=drift.dtype)
    known, at = jax.lax.stop_gradient((drift, frequency))

    def matrix(drift: jax.Array, frequency: jax.Array) -> jax.Array:
        return jax.lax.complex(-drift, -frequency * one)

    full = matrix(drift.T, frequency)
    columns = jax.lax.custom_linear_solve(
        lambda x: product(full, x),
        one[:, :size].astype(full.dtype),
        lambda _, right: _solution(matrix(known.T, at), known.T, at, right),
        lambda _, right: _solution(matrix(known, at), known, at, right),
    )
    return columns.T


def _solution(
    matrix: jax.Array, drift: jax.Array, frequency: jax.Array, right: jax.Array
) -> jax.Array:
    """The x with (−iν − A)x = r [n, k]."""
    large = len(matrix) > _LARGE
    solved = partial(solve, matrix) if large else partial(product, inverse(matrix))
    found = solved(right)
    shift = frequency * jnp.eye(drift.shape[0], dtype=drift.dtype)
    # Real and imaginary parts of x as one vector
    stacked = jnp.block([[-drift, shift], [-shift, -drift]])
    for _ in range(_CORRECTIONS):
        found = found + solved(_residual(stacked, right, found))
    return found


def _residual(stacked: jax.Array, right: jax.Array, found: jax.Array) -> jax.Array:
    """What is left, r − Mx, where the leading digits of both cancel, to the digits that remain."""
    parts = jnp.concatenate([found.real, found.imag])
    high, low = sliced(stacked)
    upper, lower = (x.T for x in sliced(parts.T))
    source = jnp.concatenate([right.real, right.imag])
    # Sums of products of the first slices are exact.
    rest = product(high, lower) + product(low, parts)
    left = (source - product(high, upper)) - rest
    half = len(left) // 2
    return jax.lax.complex(left[:half], left[half:])
