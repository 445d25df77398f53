"""Functions of scalars whose derivatives at a point are tables, each of them one loop.

XLA gives each of many results a loop of its own, with a copy of all that it needs. A gradient by
seven parameters is then seven times as long to compile, and its derivatives fifty times. A table
of all first or second derivatives is one result: a loop over the directions, in which every number
has one shape. Grids, where run time and memory decide, are differentiated as they are written.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jax.custom_derivatives import SymbolicZero

from jaxosc._numerics.sharing import DIRECTIONS, entries, one_loop, row, sums_in_one_loop

_Tree = TypeVar("_Tree")
_Scalars = tuple[jax.Array, ...]
_Function = Callable[..., _Scalars]


def by_tables(
    function: Callable[..., _Tree],
    *trees: Any,
    tabled: Callable[..., _Tree] | None = None,
    **static: Any,
) -> _Tree:
    """``function(*trees, **static)``, a function that is no closure, entry by entry.

    Of and to trees of real scalars; what has others is called as it is.

    Args:
        function: as it is fast on grids.
        trees: its arguments.
        tabled: the same in fewer operations, of which the tables are made; itself if left out.
        static: what it takes by name.
    """
    (found,) = each_by_tables(function, [trees], tabled, **static)
    return found


def each_by_tables(
    function: Callable[..., _Tree],
    cases: Sequence[tuple[Any, ...]],
    tabled: Callable[..., _Tree] | None = None,
    **static: Any,
) -> list[_Tree]:
    """The same of several arguments of one structure, whose tables are one."""
    structure = jax.tree.structure(cases[0])
    flattened = [jax.tree.leaves(case) for case in cases]
    if not all(_is_scalar(x) for case in flattened for x in case):
        return [function(*case, **static) for case in cases]
    forms = function, tabled or function
    found = _Tabled.of(*forms, tuple(static.items()), structure, len(cases))
    values = found(*(x for case in flattened for x in case))
    size = len(values) // len(cases)
    return [found.tree(values[n : n + size]) for n in range(0, len(values), size)]


def _is_scalar(leaf: Any) -> bool:
    return (
        isinstance(leaf, jax.Array) and leaf.ndim == 0 and jnp.issubdtype(leaf.dtype, np.floating)
    )


class _Tabled:
    """Several cases of a function of scalars, which is traced once."""

    def __init__(
        self,
        function: Callable[..., Any],
        tabled: Callable[..., Any],
        static: tuple[tuple[str, Any], ...],
        structure: Any,
        cases: int,
    ) -> None:
        self.cases = cases

        def flat(form: Callable[..., Any]) -> _Function:
            @jax.jit
            def of_case(*values: jax.Array) -> _Scalars:
                trees = jax.tree.unflatten(structure, values)
                found, self.out = jax.tree.flatten(form(*trees, **dict(static)))
                return tuple(found)

            return of_case

        self.of_case = flat(function)
        self.forms = self.of_case, self.of_case if tabled is function else flat(tabled)
        self.call = jax.custom_jvp(self.of_all)
        # Where it is differentiated, all results go into what is differentiated next.
        self.kept = jax.custom_jvp(self._kept)
        for form in (self.call, self.kept):
            form.defjvp(self._jvp, symbolic_zeros=True)

    @classmethod
    @cache
    def of(cls, *arguments: Any) -> _Tabled:
        return cls(*arguments)

    def __call__(self, *values: jax.Array) -> _Scalars:
        return self.call(*values)

    def tree(self, values: _Scalars) -> Any:
        """As the function gives it."""
        return jax.tree.unflatten(self.out, values)

    def of_all(self, *values: jax.Array) -> _Scalars:
        return tuple(x for case in self.by_case(values) for x in self.of_case(*case))

    def _kept(self, *values: jax.Array) -> _Scalars:
        def of_point(*values: jax.Array) -> _Scalars:
            return tuple(entries(self._table((), values).reshape(-1)))

        return _by_size(of_point, self.of_all, len(values))(*values)

    def by_case(self, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        size = len(values) // self.cases
        return [tuple(values[n : n + size]) for n in range(0, len(values), size)]

    def _jvp(
        self, primals: _Scalars, tangents: tuple[jax.Array | SymbolicZero, ...]
    ) -> tuple[_Scalars, _Scalars]:
        moved = tuple(
            i
            for i, of_cases in enumerate(zip(*self.by_case(tangents), strict=True))
            if not all(isinstance(x, SymbolicZero) for x in of_cases)
        )
        along = [
            jnp.zeros_like(case[i]) if isinstance(changes[i], SymbolicZero) else changes[i]
            for case, changes in zip(self.by_case(primals), self.by_case(tangents), strict=True)
            for i in moved
        ]
        values = self.kept(*primals)
        return values, self._linear(primals, moved, along, len(values))

    def _linear(
        self, primals: _Scalars, moved: tuple[int, ...], along: list[jax.Array], count: int
    ) -> _Scalars:
        """J times the changes of the arguments that move.

        As the solution (t, Jt) of an equation whose right-hand side is (t, 0), for that is the one
        linear map of JAX whose transpose may be stated.
        """
        size, into = len(along), len(primals)

        def table(*primals: jax.Array) -> jax.Array:
            return self._table((moved,), primals)

        def some(primals: _Scalars) -> tuple[_Function, list[jax.Array]]:
            cases = self.by_case(primals)

            def function(*values: jax.Array) -> _Scalars:
                given = self.by_case(values)
                return tuple(
                    x
                    for case, own in zip(cases, given, strict=True)
                    for x in self.of_case(*_replaced(case, moved, own))
                )

            return function, [case[i] for case in cases for i in moved]

        def point_forward(*arguments: jax.Array) -> _Scalars:
            changes = _contracted(table(*arguments[:into]), self._rows(arguments[into:]))
            return tuple(entries(changes.reshape(-1)))

        def point_backward(*arguments: jax.Array) -> _Scalars:
            weights = self._rows(arguments[into:])[:, :, None]
            found = jnp.sum(table(*arguments[:into]) * weights, axis=1)
            return tuple(entries(found.reshape(-1)))

        def grid_forward(*arguments: jax.Array) -> _Scalars:
            function, values = some(arguments[:into])
            return jax.jvp(function, tuple(values), arguments[into:])[1]

        def grid_backward(*arguments: jax.Array) -> _Scalars:
            function, values = some(arguments[:into])
            return tuple(jax.vjp(function, *values)[1](arguments[into:]))

        def alone(*arguments: jax.Array) -> _Scalars:
            return one_loop(*grid_forward(*arguments))

        # A table is of many directions.
        forward = _by_size(point_forward, grid_forward, into, alone)
        backward = _by_size(point_backward, grid_backward, into)

        def matrix(both: jax.Array) -> jax.Array:
            change, rest = both[:size], both[size:]
            taken = _contracted(table(*primals), change.reshape(self.cases, -1))
            return jnp.concatenate([change, rest - taken.reshape(-1)])

        def solve(_: Any, both: jax.Array) -> jax.Array:
            change, rest = _split(both, size)
            found = forward(*primals, *change)
            return row([*change, *(x + y for x, y in zip(rest, found, strict=True))])

        def transposed(_: Any, both: jax.Array) -> jax.Array:
            change, rest = _split(both, size)
            found = backward(*primals, *rest)
            return row([*(x + y for x, y in zip(change, found, strict=True)), *rest])

        right = row([*along, *[jnp.zeros_like(along[0])] * count])
        solution = jax.lax.custom_linear_solve(matrix, right, solve, transposed)
        return tuple(_split(solution, size)[1])

    def _rows(self, values: Sequence[jax.Array]) -> jax.Array:
        return jnp.stack([row(case) for case in self.by_case(values)])

    def _table(self, axes: tuple[tuple[int, ...], ...], primals: _Scalars) -> jax.Array:
        """All derivatives [cases, outputs, …] by the arguments of each axis."""
        columns = zip(*self.by_case(primals), strict=True)
        return _table(self.forms, self.cases, axes)(*(row(column) for column in columns))


def _by_size(
    point: _Function, grid: _Function, into: int, alone: _Function | None = None
) -> _Function:
    """The second of two functions where the first so many arguments are those of a grid.

    The third, if there is one, outside every batch.
    """
    chosen = custom_vmap(alone or point)

    @chosen.def_vmap
    def _of_batch(
        axis_size: int, batched: list[bool], *arguments: jax.Array
    ) -> tuple[_Scalars, Any]:
        axes = [0 if own else None for own in batched]
        many = not isinstance(axis_size, int) or axis_size > DIRECTIONS
        of_grid = jax.vmap(grid, axes)
        if many and any(batched[:into]):
            found = of_grid(*arguments)
        else:
            still = alone and axis_size == 1 and jax.vmap(alone, axes)
            found = _by_size(jax.vmap(point, axes), of_grid, into, still or None)(*arguments)
        return found, (True,) * len(found)

    return chosen


@cache
def _table(
    forms: tuple[_Function, _Function], cases: int, axes: tuple[tuple[int, ...], ...]
) -> Callable[..., jax.Array]:
    """All derivatives [cases, outputs, …] by the arguments [cases] of each axis.

    Of a function in two forms, of which the second is for points.
    """
    shape = (cases, *map(len, axes))

    def of_grid(*primals: jax.Array) -> _Scalars:
        full = (jnp.broadcast_to(_first(x, shape), shape) for x in primals)
        return _derivatives(forms[0], axes, shape)(*full)

    def of_point(*primals: jax.Array) -> _Scalars:
        # A sum over an axis of two, of which one is zero: a reduction is one loop with many
        # results. XLA takes a broadcast as late as it can, and has several shapes in place of one.
        # Not so of what it cannot tell from a number that varies.
        full = (2, *shape)
        places = [jax.lax.broadcasted_iota(jnp.int32, full, n) for n in range(len(full))]
        inside = functools.reduce(jnp.add, places) < math.prod(full)
        here = (jnp.where(places[0] == 0, _first(x, shape)[None], 1) for x in primals)
        varied = (jnp.where(inside, x, 0) for x in here)
        found = _derivatives(forms[1], axes, full)(*varied)
        return sums_in_one_loop(*(jnp.where(places[0] == 0, x, 0) for x in found))

    @jax.custom_jvp
    @jax.jit
    def table(*primals: jax.Array) -> jax.Array:
        return jnp.stack(_by_size(of_point, of_grid, len(primals))(*primals), axis=1)

    @partial(table.defjvp, symbolic_zeros=True)
    def _jvp(
        primals: _Scalars, tangents: tuple[jax.Array | SymbolicZero, ...]
    ) -> tuple[jax.Array, jax.Array]:
        changes = {i: x for i, x in enumerate(tangents) if not isinstance(x, SymbolicZero)}
        higher = _table(forms, cases, (*axes, tuple(changes)))(*primals)
        change = jnp.stack(list(changes.values()), axis=-1)
        change = change.reshape(cases, *(1,) * (higher.ndim - 2), -1)
        return table(*primals), jnp.sum(higher * change, axis=-1)

    return table


def _first(x: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Along the first of the axes of a shape."""
    return x.reshape(-1, *(1,) * (len(shape) - 1))


def _derivatives(
    function: _Function, axes: tuple[tuple[int, ...], ...], shape: tuple[int, ...]
) -> _Function:
    """The derivative by the argument moved[n] at n along each of the last axes of a shape."""
    for level, moved in enumerate(axes, len(shape) - len(axes)):
        function = partial(_along, function, moved, level, shape)
    return function


def _along(
    function: _Function,
    moved: tuple[int, ...],
    level: int,
    shape: tuple[int, ...],
    *primals: jax.Array,
) -> _Scalars:
    place = jax.lax.broadcasted_iota(jnp.int32, shape, level)
    values = tuple(primals[i] for i in moved)
    units = tuple(jnp.where(place == n, jnp.ones_like(x), 0) for n, x in enumerate(values))

    def of_moved(*values: jax.Array) -> _Scalars:
        return function(*_replaced(primals, moved, values))

    return jax.jvp(of_moved, values, units)[1]


def _replaced(primals: _Scalars, moved: tuple[int, ...], values: _Scalars) -> list[jax.Array]:
    arguments = dict(enumerate(primals)) | dict(zip(moved, values, strict=True))
    return list(arguments.values())


def _split(both: jax.Array, size: int) -> tuple[list[jax.Array], list[jax.Array]]:
    parts = entries(both)
    return parts[:size], parts[size:]


def _contracted(table: jax.Array, along: jax.Array) -> jax.Array:
    """[cases, outputs, moved] with [cases, moved]."""
    return jnp.sum(table * along[:, None, :], axis=-1)
