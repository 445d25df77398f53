"""Vectors and matrices of two modes as tuples of scalars, which fuse into one loop over a batch."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

import jax
import jax.numpy as jnp

Vector: TypeAlias = tuple[jax.Array, jax.Array]
Square: TypeAlias = tuple[Vector, Vector]
Symmetric: TypeAlias = tuple[jax.Array, jax.Array, jax.Array]  # 11, 12, 22
# A linear function of symmetric matrices: rows 11, 12, 22.
Map: TypeAlias = tuple[Symmetric, Symmetric, Symmetric]

_Entries = TypeVar("_Entries", Vector, Square, Symmetric, Map)


def plus(x: _Entries, y: _Entries) -> _Entries:
    """The sum, entry by entry."""
    return jax.tree.map(jnp.add, x, y)


def less(x: _Entries, y: _Entries) -> _Entries:
    """The difference."""
    return jax.tree.map(jnp.subtract, x, y)


def times(x: _Entries, factor: jax.Array | float) -> _Entries:
    """The product with a number."""
    return jax.tree.map(lambda entry: entry * factor, x)


def halved(x: _Entries) -> _Entries:
    """Half of it."""
    return jax.tree.map(lambda entry: entry / 2, x)


def applied(m: Square, x: Vector) -> Vector:
    """Mx."""
    return m[0][0] * x[0] + m[0][1] * x[1], m[1][0] * x[0] + m[1][1] * x[1]


def outer(x: Vector, y: Vector) -> Square:
    """xyᵀ."""
    return (x[0] * y[0], x[0] * y[1]), (x[1] * y[0], x[1] * y[1])


def product(m: Square, n: Square) -> Square:
    """MN."""
    (a, b), (c, d) = m
    (e, f), (g, h) = n
    return (a * e + b * g, a * f + b * h), (c * e + d * g, c * f + d * h)


def transposed(m: Square) -> Square:
    """Mᵀ."""
    return (m[0][0], m[1][0]), (m[0][1], m[1][1])


def symmetrised(m: Square) -> Square:
    """(M + Mᵀ)/2."""
    off = (m[0][1] + m[1][0]) / 2
    return (m[0][0], off), (off, m[1][1])


def twice(m: Square) -> Symmetric:
    """M + Mᵀ."""
    return 2 * m[0][0], m[0][1] + m[1][0], 2 * m[1][1]


def skew(m: Square) -> jax.Array:
    """M_12 − M_21."""
    return m[0][1] - m[1][0]


def determinant(m: Square) -> jax.Array:
    """Det M."""
    return m[0][0] * m[1][1] - m[0][1] * m[1][0]


def square(x: Symmetric) -> Square:
    """All four entries."""
    return (x[0], x[1]), (x[1], x[2])


def congruent(t: Square, x: Symmetric) -> Symmetric:
    """T X Tᵀ."""
    found = product(t, product(square(x), transposed(t)))
    return found[0][0], found[0][1], found[1][1]


def both_sides(m: Square) -> Map:
    """Ma + aMᵀ of a."""
    (m11, m12), (m21, m22) = m
    zero = jnp.zeros_like(m11)
    return (2 * m11, 2 * m12, zero), (m21, m11 + m22, m12), (zero, 2 * m21, 2 * m22)


def map_times(m: Map, x: Symmetric) -> Symmetric:
    """A linear function of x."""
    first, second, third = (a * x[0] + b * x[1] + c * x[2] for a, b, c in m)
    return first, second, third


def map_product(m: Map, n: Map) -> Map:
    """One after the other."""
    a, b, c = (map_times(m, column) for column in zip(*n, strict=True))
    return (a[0], b[0], c[0]), (a[1], b[1], c[1]), (a[2], b[2], c[2])
