"""Derivatives by matrices that are symmetric.

Of such a matrix only changes that keep it symmetric have a meaning. Each entry of a gradient is
then half of the derivative by that entry and its mirror moved together, whichever of the two a
computation reads, and a step along it leaves the matrix symmetric.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc._numerics import small

_Pair = tuple[jax.Array, jax.Array]


@jax.custom_jvp
def symmetric_slope(matrix: jax.Array) -> jax.Array:
    """The matrix itself; a derivative by it is symmetric."""
    return matrix


@symmetric_slope.defjvp
def _symmetric_slope_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> _Pair:
    return symmetric_slope(*primals), small.symmetric_part(*tangents)


@jax.custom_jvp
def hollow_slope(matrix: jax.Array) -> jax.Array:
    """The matrix itself; a derivative by it is symmetric, with the zero diagonal that it has."""
    return matrix


@hollow_slope.defjvp
def _hollow_slope_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> _Pair:
    return hollow_slope(*primals), small.symmetric_part(*tangents, hollow=True)


@jax.custom_jvp
def hermitian_slope(matrix: jax.Array) -> jax.Array:
    """The complex matrix itself; a derivative by it is Hermitian, with a zero diagonal."""
    return matrix


@hermitian_slope.defjvp
def _hermitian_slope_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> _Pair:
    (change,) = tangents
    mean = (change + jnp.conj(change.T)) / 2
    return hermitian_slope(*primals), mean * (1 - jnp.eye(len(change), dtype=mean.dtype))
