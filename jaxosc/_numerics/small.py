"""Matrix operations that stay scalar code for two modes.

XLA joins arithmetic on single entries into one loop over a batch. A reduction, product or
gather over an axis of length two or four breaks that loop and costs more than the physics.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.sharing import one_loop, row

_SMALL = 4


def is_small(array: jax.Array) -> bool:
    """Whether its entries are worth writing out."""
    return array.shape[0] <= _SMALL


# A vector, or its entries each by itself
Entries: TypeAlias = jax.Array | tuple[jax.Array, ...]


def apart(vector: jax.Array, given: Any = None) -> Entries:
    """The entries of a short vector as arrays of their own, from what it was made of if known.

    What varies under ``vmap`` is an array: of a vector every entry does if one does, and all that
    is computed of the others is computed once a point.
    """
    if vector.ndim != 1 or not is_small(vector):
        return vector
    if isinstance(vector, jax.core.Tracer):
        if isinstance(given, (list, tuple)) and all(np.ndim(entry) == 0 for entry in given):
            return tuple(jnp.asarray(entry, vector.dtype) for entry in given)
        return tuple(vector[i] for i in range(vector.shape[0]))
    place = vector.sharding if vector.committed else None
    return tuple(jax.device_put(entry, place) for entry in np.asarray(vector))


def together(entries: Entries) -> Any:
    """The vector of ``apart``; of what JAX has put in its place, one of them."""
    if not isinstance(entries, tuple):
        return entries
    for entry in entries:
        if not isinstance(entry, (jax.Array, np.ndarray)) or entry.shape != entries[0].shape:
            return entry
    if any(isinstance(entry, jax.core.Tracer) for entry in entries):
        return jnp.stack(entries, axis=-1)
    vector = np.stack([np.asarray(entry) for entry in entries], axis=-1)
    place = entries[0].sharding if getattr(entries[0], "committed", False) else None
    return jax.device_put(vector, place)


def scaled(array: jax.Array, factor: jax.Array) -> jax.Array:
    """A vector or square matrix times a real number."""
    factor = factor.astype(array.dtype)
    if not is_small(array):
        return array * factor
    if array.ndim == 1:
        return jnp.array([entry * factor for entry in array])
    # Entries at once, not of rows: XLA sees through a slice of the matrix, not of a row
    return matrix([[entry * factor for entry in row] for row in rows_of(array)])


def entrywise(function: Callable[..., jax.Array], *vectors: Entries) -> jax.Array:
    """An elementwise function of vectors of one length."""
    if not is_small(together(vectors[0])):
        return function(*vectors)
    return row([function(*entries) for entries in zip(*vectors, strict=True)])


def maximum(vector: jax.Array) -> jax.Array:
    """The largest entry of a vector."""
    if not is_small(vector):
        return jnp.max(vector)
    return functools.reduce(jnp.maximum, list(vector))


def minimum(vector: jax.Array) -> jax.Array:
    """The smallest entry of a vector; of its negative, XLA would make an array."""
    if not is_small(vector):
        return jnp.min(vector)
    return functools.reduce(jnp.minimum, list(vector))


def every(condition: Callable[[jax.Array], jax.Array], vector: jax.Array) -> jax.Array:
    """Whether all entries of a vector satisfy a condition."""
    if not is_small(vector):
        return jnp.all(condition(vector))
    return functools.reduce(jnp.logical_and, [condition(entry) for entry in vector])


def nan_unless(valid: jax.Array, array: jax.Array) -> jax.Array:
    """The array, or NaN where it is not valid, with derivatives that are NaN there too.

    A selection would pass on derivatives of zero, which look right.
    """
    one = jnp.ones((), array.dtype)
    return _times(array, jnp.where(valid, one, jnp.nan * one))


@jax.custom_jvp
def _times(array: jax.Array, one: jax.Array) -> jax.Array:
    return array * one


@_times.defjvp
def _times_jvp(
    primals: tuple[jax.Array, jax.Array], tangents: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    # Each of many derivatives would look by itself whether it is valid.
    (kept,) = one_loop(primals[1])
    return _times(*primals), tangents[0] * kept


def matrix(rows: Sequence[Sequence[jax.Array]]) -> jax.Array:
    """A matrix from scalar entries, such that XLA folds ``matrix(rows)[i, j]`` to the entry.

    ``jnp.array`` of nested lists reshapes between its two concatenations, and slices do not
    pass through a reshape.
    """
    lines = [
        jax.lax.concatenate([jnp.reshape(entry, (1, 1)) for entry in row], dimension=1)
        for row in rows
    ]
    return jax.lax.concatenate(lines, dimension=0)


def rows_of(square: jax.Array) -> list[list[jax.Array]]:
    """The entries of a matrix, such that XLA folds those of ``matrix(rows)`` to what they were.

    By splits, whose transpose is such a ``matrix``; that of a slice is a sum of padded entries,
    a loop in which XLA runs what they share anew for each use.
    """
    size = square.shape[0]
    lines = jax.lax.split(square, (1,) * size, axis=0)
    return [
        [jnp.reshape(x, ()) for x in jax.lax.split(line, (1,) * size, axis=1)] for line in lines
    ]


@dataclass(frozen=True)
class Written:
    """A matrix as its entries, which may be of any shape."""

    rows: tuple[tuple[jax.Array, ...], ...]

    @classmethod
    def of(cls, square: jax.Array | Written) -> Written:
        return square if isinstance(square, Written) else cls(tuple(map(tuple, rows_of(square))))

    def __getitem__(self, place: tuple[int, int]) -> jax.Array:
        i, j = place
        return self.rows[i][j]

    def block(self, start: int, stop: int) -> Written:
        """That of the modes on the diagonal with these quadratures."""
        return Written(tuple(row[start:stop] for row in self.rows[start:stop]))


def summed_matrix(rows: Sequence[Sequence[jax.Array]]) -> jax.Array:
    """The same as a sum of entries times constant matrices, for entries of long computations.

    A concatenation of hundreds of operations on scalars that share their parts, which ``matrix``
    is, XLA's CPU emitters (JAX 0.10.2) may run part by part again for each use: 2.7 s a point of
    two occupations of the partial secular equation, in place of 0.3 μs. This can go when
    ``tests/test_pair_bohr.py`` takes as long without it.
    """
    places = np.eye(len(rows) * len(rows[0])).reshape(-1, len(rows), len(rows[0]))
    entries = [entry for row in rows for entry in row]
    total = entries[0] * jnp.asarray(places[0], entries[0].dtype)
    for entry, place in zip(entries[1:], places[1:], strict=True):
        total = total + entry * jnp.asarray(place, entry.dtype)
    return total


def symmetric_part(square: jax.Array, hollow: bool = False) -> jax.Array:
    """(M + Mᵀ)/2 of a square matrix, without its diagonal if hollow."""
    size = square.shape[0]
    if size > _SMALL:
        mean = (square + square.T) / 2
        return jnp.where(jnp.eye(size, dtype=bool), 0, mean) if hollow else mean
    entry = rows_of(square)
    zero = jnp.zeros_like(entry[0][0])
    entries = {
        (i, k): (zero if hollow else entry[i][i]) if i == k else (entry[i][k] + entry[k][i]) / 2
        for i in range(size)
        for k in range(i, size)
    }
    return matrix([[entries[min(i, k), max(i, k)] for k in range(size)] for i in range(size)])


def interleave(xx: jax.Array, xp: jax.Array, px: jax.Array, pp: jax.Array) -> jax.Array:
    """Four blocks [N, N] as one matrix in the order (x1, p1, x2, p2, …)."""
    modes = xx.shape[0]
    if 2 * modes <= _SMALL:
        blocks = ((xx, xp), (px, pp))
        size = range(2 * modes)
        return matrix([[blocks[i % 2][k % 2][i // 2, k // 2] for k in size] for i in size])
    rows = jnp.stack([jnp.stack([xx, xp], axis=-1), jnp.stack([px, pp], axis=-1)], axis=-2)
    return rows.transpose(0, 2, 1, 3).reshape(2 * modes, 2 * modes)


def symplectic(matrix: jax.Array) -> jax.Array:
    """J M: the rows x_j and p_j change places, the latter with a sign."""
    pairs = matrix.reshape(-1, 2, *matrix.shape[1:])
    return jnp.stack([pairs[:, 1], -pairs[:, 0]], axis=1).reshape(matrix.shape)


def product_of_many(left: jax.Array, right: jax.Array) -> jax.Array:
    """Products of matrices [m, n, K] and [n, k, K], the batch last.

    Of small ones term by term, a loop along the batch: XLA's own takes ten times as long for 4 × 4.
    """
    size = right.shape[0]
    if size > 2 * _SMALL:
        moved = (jnp.moveaxis(x, 2, 0) for x in (left, right))
        return jnp.moveaxis(jnp.matmul(*moved, precision=jax.lax.Precision.HIGHEST), 0, 2)
    terms = (left[:, k, None, :] * right[None, k, :, :] for k in range(size))
    return functools.reduce(jnp.add, terms)


def blocks_of(symmetric: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The blocks ⟨xxᵀ⟩, ⟨xpᵀ⟩, ⟨ppᵀ⟩ of a symmetric matrix in the order (x1, p1, x2, p2, …)."""
    if not is_small(symmetric):
        return symmetric[0::2, 0::2], symmetric[0::2, 1::2], symmetric[1::2, 1::2]
    modes, entry = range(symmetric.shape[0] // 2), rows_of(symmetric)

    def block(row: int, column: int) -> jax.Array:
        return matrix([[entry[2 * i + row][2 * k + column] for k in modes] for i in modes])

    return block(0, 0), block(0, 1), block(1, 1)
