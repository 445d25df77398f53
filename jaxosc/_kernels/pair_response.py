"""Answers for whole batches of two modes, and such as are linear in a few numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial, reduce

import jax
import jax.numpy as jnp
from jax import export
from jax.custom_derivatives import SymbolicZero

from jaxosc._numerics.elementwise import elementwise
from jaxosc._numerics.sharing import kept

_Function = Callable[..., tuple[jax.Array, ...]]

# The response to each of six numbers costs some five times as much as one answer
_WORTH = 8


def of_batches(of_batch: _Function, of_point: _Function) -> _Function:
    """A function of scalars that ``vmap`` hands the whole batch, with the derivatives of another.

    Args:
        of_batch: of arrays of equal rank, as in ``elementwise``.
        of_point: the same function written plainly.
    """

    @jax.custom_jvp
    def found(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        return elementwise(of_batch)(*arguments)

    @partial(found.defjvp, symbolic_zeros=True)
    def _jvp(
        primals: tuple[jax.Array, ...], tangents: tuple[jax.Array | SymbolicZero, ...]
    ) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
        moved = {i: x for i, x in enumerate(tangents) if not isinstance(x, SymbolicZero)}

        def of_moved(*values: jax.Array) -> tuple[jax.Array, ...]:
            arguments = dict(enumerate(primals)) | dict(zip(moved, values, strict=True))
            return of_point(*arguments.values())

        return jax.jvp(of_moved, [primals[i] for i in moved], list(moved.values()))

    return found


def is_reused(rows: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether each of so many pairs serves many of so many points."""
    alone = [n for row, n in zip(rows, shape, strict=True) if row == 1 and n != 1]
    if any(export.is_symbolic_dim(n) for n in alone):
        return True
    return math.prod(alone) >= _WORTH


def by_response(
    answer: _Function, rows: tuple[int, ...], numbers: Sequence[jax.Array]
) -> tuple[jax.Array, ...]:
    """A linear function of the numbers: what it makes of each unit once a row, then products.

    Args:
        answer: of the numbers as arrays that broadcast to the rows.
        rows: shape of what else it depends on.
        numbers: of the same rank.
    """
    units = jnp.eye(len(numbers), dtype=numbers[0].dtype)
    units = units.reshape(-1, len(numbers), *(1 for _ in rows))

    def entry(columns: jax.Array) -> jax.Array:
        # What is of a row is summed there.
        fixed, moving = jnp.zeros(rows, columns.dtype), []
        for column, number in zip(kept(columns), numbers, strict=True):
            if jnp.broadcast_shapes(rows, number.shape) == rows:
                fixed += column * number
            else:
                moving.append(column * number)
        return reduce(jnp.add, moving, kept(fixed))

    return tuple(map(entry, jax.vmap(lambda one: answer(*one))(units)))
