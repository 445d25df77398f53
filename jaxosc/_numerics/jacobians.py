"""Functions of scalars whose derivatives at a point are tables, each of them one loop.

XLA gives each of many results a loop of its own, with a copy of all that it needs. A gradient by
seven parameters is then seven times as long to compile, and its derivatives fifty times. A table
of all first or second derivatives is one result: a loop over the directions, in which every number
has one shape. Grids, where run time and memory decide, are differentiated as they are written.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jax.custom_derivatives import SymbolicZero

from jaxosc._numerics.sharing import DIRECTIONS, entries, in_one_loop, row

_Tree = TypeVar("_Tree")
_Function = Callable[..., tuple[jax.Array, ...]]


def by_tables(function: Callable[..., _Tree], *trees: Any, **static: Any) -> _Tree:
    """``function(*trees, **static)``, a function that is no closure, entry by entry.

    Of and to trees of real scalars; what has others is called as it is.
    """
    leaves, structure = jax.tree.flatten(trees)
    if not all(map(_is_scalar, leaves)):
        return function(*trees, **static)
    of_leaves, outer = _flat(function, tuple(static.items()), structure)
    found = of_leaves(*leaves)
    return jax.tree.unflatten(outer[0], found)


def _is_scalar(leaf: Any) -> bool:
    return (
        isinstance(leaf, jax.Array) and leaf.ndim == 0 and jnp.issubdtype(leaf.dtype, np.floating)
    )


@cache
def _flat(
    function: Callable[..., Any], static: tuple[tuple[str, Any], ...], structure: Any
) -> tuple[_Function, list[Any]]:
    """The function of the leaves, traced once, and a place for the structure of what it gives."""
    outer: list[Any] = []

    @partial(jax.jit, inline=True)
    def flat(*values: jax.Array) -> tuple[jax.Array, ...]:
        trees = jax.tree.unflatten(structure, values)
        found, out = jax.tree.flatten(function(*trees, **dict(static)))
        outer[:] = [out]
        return tuple(found)

    differentiable = jax.custom_jvp(flat)

    @partial(differentiable.defjvp, symbolic_zeros=True)
    def _jvp(
        primals: tuple[jax.Array, ...], tangents: tuple[jax.Array | SymbolicZero, ...]
    ) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
        moved = tuple(i for i, x in enumerate(tangents) if not isinstance(x, SymbolicZero))
        values = differentiable(*primals)
        changes = _linear(flat, primals, moved, [tangents[i] for i in moved], len(values))
        return values, changes

    return differentiable, outer


def _linear(
    function: _Function,
    primals: tuple[jax.Array, ...],
    moved: tuple[int, ...],
    tangents: list[jax.Array],
    count: int,
) -> tuple[jax.Array, ...]:
    """J times the tangents of the arguments that move.

    As the solution (t, Jt) of an equation whose right-hand side is (t, 0), for that is the one
    linear map of JAX whose transpose may be stated.
    """
    size, into, table = len(moved), len(primals), _table(function, (moved,))

    def point_forward(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        changes = _contracted(table(*arguments[:into]), row(arguments[into:]))
        return tuple(entries(changes))

    def point_backward(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        weights = row(arguments[into:])[:, None]
        return tuple(entries(jnp.sum(table(*arguments[:into]) * weights, axis=0)))

    def grid_forward(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        fixed = arguments[:into]
        some = partial(_of_some, function, fixed, moved)
        return jax.jvp(some, tuple(fixed[i] for i in moved), arguments[into:])[1]

    def grid_backward(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        fixed = arguments[:into]
        some = partial(_of_some, function, fixed, moved)
        return tuple(jax.vjp(some, *(fixed[i] for i in moved))[1](arguments[into:]))

    forward = _by_size(point_forward, grid_forward, into)
    backward = _by_size(point_backward, grid_backward, into)

    def matrix(both: jax.Array) -> jax.Array:
        along, rest = both[:size], both[size:]
        return jnp.concatenate([along, rest - _contracted(table(*primals), along)])

    def solve(_: Any, both: jax.Array) -> jax.Array:
        parts = entries(both)
        along, rest = parts[:size], parts[size:]
        changes = forward(*primals, *along)
        return row([*along, *(x + y for x, y in zip(rest, changes, strict=True))])

    def transposed(_: Any, both: jax.Array) -> jax.Array:
        parts = entries(both)
        along, rest = parts[:size], parts[size:]
        changes = backward(*primals, *rest)
        return row([*(x + y for x, y in zip(along, changes, strict=True)), *rest])

    zeros = [jnp.zeros_like(tangents[0])] * count
    solution = jax.lax.custom_linear_solve(matrix, row([*tangents, *zeros]), solve, transposed)
    return tuple(entries(solution)[size:])


def _by_size(point: _Function, grid: _Function, into: int) -> _Function:
    """The second of two functions where the first so many arguments are those of a grid."""
    chosen = custom_vmap(point)

    @chosen.def_vmap
    def _of_batch(
        axis_size: int, batched: list[bool], *arguments: jax.Array
    ) -> tuple[tuple[jax.Array, ...], Any]:
        axes = [0 if own else None for own in batched]
        many = not isinstance(axis_size, int) or axis_size > DIRECTIONS
        of_grid = jax.vmap(grid, axes)
        if many and any(batched[:into]):
            found = of_grid(*arguments)
        else:
            found = _by_size(jax.vmap(point, axes), of_grid, into)(*arguments)
        return found, (True,) * len(found)

    return chosen


@cache
def _table(function: _Function, axes: tuple[tuple[int, ...], ...]) -> Callable[..., jax.Array]:
    """All derivatives [outputs, …] by the arguments of each axis."""

    @jax.custom_jvp
    @jax.jit
    def table(*primals: jax.Array) -> jax.Array:
        shape = tuple(map(len, axes))
        differentiated = function
        for level, moved in enumerate(axes):
            differentiated = _along(differentiated, moved, level, shape)
        # XLA takes a broadcast as late as it can, and has two shapes in place of one. Not so of
        # what it cannot tell from a number that varies.
        inside = sum(jax.lax.broadcasted_iota(jnp.int32, shape, n) for n in range(len(shape))) < 99
        found = differentiated(*(jnp.where(inside, x, 0) for x in primals))
        return jnp.stack(in_one_loop(list(found)))

    @partial(table.defjvp, symbolic_zeros=True)
    def _jvp(
        primals: tuple[jax.Array, ...], tangents: tuple[jax.Array | SymbolicZero, ...]
    ) -> tuple[jax.Array, jax.Array]:
        moved = tuple(i for i, x in enumerate(tangents) if not isinstance(x, SymbolicZero))
        higher = _table(function, (*axes, moved))(*primals)
        return table(*primals), _contracted(higher, row([tangents[i] for i in moved]))

    return table


def _along(
    function: _Function, moved: tuple[int, ...], level: int, shape: tuple[int, ...]
) -> _Function:
    """Its derivative by the argument moved[n] at n along an axis."""

    def derivative(*primals: jax.Array) -> tuple[jax.Array, ...]:
        place = jax.lax.broadcasted_iota(jnp.int32, shape, level)
        some = partial(_of_some, function, primals, moved)
        units = (jnp.where(place == n, jnp.ones_like(primals[i]), 0) for n, i in enumerate(moved))
        return jax.jvp(some, tuple(primals[i] for i in moved), tuple(units))[1]

    return derivative


def _of_some(
    function: _Function, primals: tuple[jax.Array, ...], moved: tuple[int, ...], *values: jax.Array
) -> tuple[jax.Array, ...]:
    arguments = dict(enumerate(primals)) | dict(zip(moved, values, strict=True))
    return function(*arguments.values())


def _contracted(table: jax.Array, along: jax.Array) -> jax.Array:
    return jnp.sum(table * along.reshape(*(1,) * (table.ndim - 1), -1), axis=-1)
