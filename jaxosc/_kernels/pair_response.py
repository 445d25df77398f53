"""Answers for whole batches of two modes, and such as are linear in a few numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
from jax import export
from jax.custom_batching import custom_vmap
from jax.custom_derivatives import SymbolicZero

from jaxosc._kernels.pair_equation import Entries
from jaxosc._numerics.elementwise import elementwise
from jaxosc._numerics.quartic_sums import packed, unpacked
from jaxosc._numerics.sharing import DIRECTIONS, entries, kept, row

# The entries of σ in an order in which those that meet in an observable are neighbours
_NEIGHBOURS = tuple(
    Entries._fields.index(name)
    for name in ("x11", "p11", "x22", "p22", "x12", "p12", "x1p2", "x2p1", "x1p1", "x2p2")
)

_Function = Callable[..., tuple[jax.Array, ...]]

# The response to each of six numbers costs some five times as much as one answer
_WORTH = 8


def of_batches(of_batch: _Function, of_point: _Function, *, long: bool = False) -> _Function:
    """σ of a pair and two numbers; ``vmap`` hands it the whole batch.

    Args:
        of_batch: of arrays of equal rank, as in ``elementwise``.
        of_point: the same function written plainly, which is differentiated.
        long: whether its derivative is long enough to be a loop of its own.
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

        values, changes = jax.jvp(of_moved, [primals[i] for i in moved], list(moved.values()))
        return values, _apart(primals[:-2], changes) if long else changes

    return found


def _apart(pair: Sequence[jax.Array], changes: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
    """Tangents themselves; of many pairs, done before what uses them begins.

    A loop of more than some 2000 operations XLA's CPU emitters (JAX 0.10.2) cut into functions,
    which run again for each use of what they compute: 10⁸ calls a point have been seen. This can go
    when ``test_no_loop_too_long_for_one_function`` (tests/test_compiled.py) ends without it.
    """
    # For their shapes alone; JAX fails where a solve changes with what its right side does not.
    still = jax.lax.stop_gradient(tuple(pair))

    def solve(_: Any, right: jax.Array) -> jax.Array:
        return row(_branch(len(pair))(*still, *entries(right)))

    # The identity, for it is the one linear map of JAX whose transpose may be stated
    return tuple(entries(jax.lax.custom_linear_solve(lambda x: x, row(changes), solve, solve)))


@cache
def _branch(count: int) -> _Function:
    @custom_vmap
    def branch(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        pair, values = arguments[:count], arguments[count:]
        shape = jnp.broadcast_shapes(*(x.shape for x in values))
        rows = jnp.broadcast_shapes(*(x.shape for x in pair))
        known = not any(map(export.is_symbolic_dim, shape))
        if rows != shape or (known and math.prod(shape) <= DIRECTIONS):
            return values
        # XLA does not look into branches, nor see that both are the identity.
        arrays = paired([jnp.broadcast_to(x, shape) for x in values])
        odd = jnp.isnan(values[0][(0,) * len(shape)])
        return unpaired(jax.lax.cond(odd, lambda: tuple(map(kept, arrays)), lambda: arrays))

    @branch.def_vmap
    def _of_batch(
        axis_size: int, batched: list[bool], *arguments: jax.Array
    ) -> tuple[tuple[jax.Array, ...], Any]:
        del axis_size
        found = branch(*(x if own else x[None] for x, own in zip(arguments, batched, strict=True)))
        return found, (True,) * len(found)

    return branch


def paired(entries: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
    """The ten of a covariance as five complex arrays, each one loop for both."""
    return packed([entries[i] for i in _NEIGHBOURS])


def unpaired(arrays: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    """The ten entries again."""
    found = dict(zip(_NEIGHBOURS, unpacked(arrays), strict=True))
    return tuple(found[i] for i in range(len(found)))


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
