"""Derivatives by matrices that are symmetric."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc._numerics import small


@jax.custom_jvp
def hollow_slope(matrix: jax.Array) -> jax.Array:
    """The matrix itself; a derivative by it is symmetric with a zero diagonal.

    For a symmetric matrix with a zero diagonal, of which only changes that keep it one have a
    meaning: each entry of a gradient is then half of the derivative by that entry and its mirror
    moved together, whichever of the two a computation reads.
    """
    return matrix


@hollow_slope.defjvp
def _hollow_slope_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    return hollow_slope(*primals), _hollow_part(*tangents)


def _hollow_part(matrix: jax.Array) -> jax.Array:
    """(M + Mᵀ)/2 without its diagonal."""
    modes = matrix.shape[0]
    if modes == 2:  # scalar code, which leaves no trace in a sweep
        mean, zero = (matrix[0, 1] + matrix[1, 0]) / 2, jnp.zeros_like(matrix[0, 0])
        return small.matrix([[zero, mean], [mean, zero]])
    return jnp.where(jnp.eye(modes, dtype=bool), 0, (matrix + matrix.T) / 2)
