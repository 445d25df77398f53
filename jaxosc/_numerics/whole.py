"""Vectors and matrices of two modes as a program's results: quick as a whole and entry by entry.

``small.matrix`` and ``sharing.row`` make arrays of scalars by concatenation, of which XLA folds
each entry that is asked for to the scalar. Such an array *as a whole*, in a batch, is what XLA's
CPU emitters (JAX 0.10.2) are worst at: they cut the loop into a function for each part that two
entries share, which calls those of its own parts anew for each use. A batch of covariances of the
global master equation took 37 μs a point, of any of their entries 0.02 μs.

What leaves a public function is therefore a selection: at each place the entry whose place it is,
0.07 μs a point. XLA does not fold an entry of a selection, so it is remembered which concatenation
it was made of, and the library's own functions go on from that. In a trace alone: what is known is
computed; and in the one trace that made it: what another program gets is a selection, which costs
time alone. This can go when ``tests/test_whole.py`` passes without it.
"""

from __future__ import annotations

import weakref
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jax.interpreters.partial_eval import DynamicJaxprTracer

_LARGEST = 4  # rows: those of a covariance of two modes

# By the identity of a selection, for tracers have no hash: what forgets it when it is no more, and
# what it was made of
_made: dict[int, tuple[weakref.ref[Any], jax.Array]] = {}


def whole(tree: Any) -> Any:
    """What is computed, such that each of its small traced arrays is quick as a whole, too.

    Of floating numbers, and of as many as a covariance of two modes has at most.
    """
    return jax.tree.map(_whole, tree)


def written(tree: Any) -> Any:
    """The same with each array that ``whole`` returned as it went in."""
    return jax.tree.map(_written, tree)


def is_whole(value: Any) -> bool:
    """Whether ``whole`` returned it, or knows what it was made of."""
    return _written(value) is not value


def is_staged(value: Any) -> bool:
    """Whether the value belongs to a program that is being traced, of which XLA sees all."""
    while isinstance(value, jax.core.Tracer) and not isinstance(value, DynamicJaxprTracer):
        value = getattr(value, "val", getattr(value, "primal", None))  # of vmap; of derivatives
    return isinstance(value, jax.core.Tracer)


def _whole(array: Any) -> Any:
    if not isinstance(array, jax.core.Tracer) or array.ndim not in (1, 2):
        return array
    if not jnp.issubdtype(array.dtype, jnp.inexact):
        return array
    if not all(isinstance(n, int) and n <= _LARGEST for n in array.shape) or array.size < 2:
        return array
    # Linear, and the transpose, which JAX would make a sum for each entry, is the identity.
    selection = jax.lax.custom_linear_solve(lambda x: x, array, _solve, _transpose_solve)
    key = id(selection)
    _made[key] = weakref.ref(selection, lambda _: _made.pop(key, None)), array
    return selection


def _written(array: Any) -> Any:
    if not isinstance(array, jax.core.Tracer) or id(array) not in _made:
        return array
    return _made[id(array)][1]


def _solve(_: Any, right: jax.Array) -> jax.Array:
    return _selected(right)


def _transpose_solve(_: Any, right: jax.Array) -> jax.Array:
    return right


@custom_vmap
def _selected(array: jax.Array) -> jax.Array:
    """The array itself; in a batch a selection of its entries."""
    return array


@_selected.def_vmap
def _of_batch(axis_size: int, batched: list[bool], array: jax.Array) -> tuple[jax.Array, bool]:
    del axis_size, batched
    two = array.shape[1:] == (2,) and not jnp.iscomplexobj(array)
    on_cpu = _of_two if two else partial(_selection, batch=1)
    # On a GPU each place has a thread of its own, which computes no more than its entry.
    return jax.lax.platform_dependent(array, cpu=on_cpu, default=lambda x: x), True


@custom_vmap
def _of_two(array: jax.Array) -> jax.Array:
    """Vectors of two: at each place a part of a complex number, which holds all of one function.

    A selection keeps every costly part in memory, whichever entry is asked for. On a grid most of
    them are of a row, and what is of a row would be computed anew in a function.
    """
    number = jax.lax.complex(*jax.lax.split(array, (1, 1), axis=1))
    nothing = jnp.zeros((), number.dtype)
    both = sum(jax.lax.pad(number, nothing, [(0, 0, 0), (n, 1 - n, 0)]) for n in (0, 1))
    first = jax.lax.broadcasted_iota(jnp.int32, (1, 2), 1) == 0
    return jnp.where(first, jnp.real(both), jnp.imag(both))


@_of_two.def_vmap
def _of_grid(axis_size: int, batched: list[bool], array: jax.Array) -> tuple[jax.Array, bool]:
    del axis_size, batched
    return _selection(array, batch=2), True


def _selection(array: jax.Array, batch: int) -> jax.Array:
    """Along all axes but those of a batch."""
    entries, place = [array], jnp.zeros((), jnp.int32)
    for axis, size in enumerate(array.shape[batch:], batch):
        parts = [jax.lax.split(entry, (1,) * size, axis=axis) for entry in entries]
        entries = [entry for part in parts for entry in part]
        # Of no length along the batch, which may be divided among devices
        along = tuple(n if m == axis else 1 for m, n in enumerate(array.shape))
        place = place * size + jax.lax.broadcasted_iota(jnp.int32, along, axis)
    found = jnp.broadcast_to(entries[-1], array.shape)
    for n in reversed(range(len(entries) - 1)):
        found = jnp.where(place == n, entries[n], found)
    return found
