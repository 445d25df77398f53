"""Functions that act entry by entry, with a branch taken once for a whole batch.

``jax.lax.cond`` inside ``jax.vmap`` becomes a selection: both branches run at every point. A
function that acts entry by entry needs no such rewriting, for a batch of its values is the
same function of larger arrays, and there it may ask whether *any* entry needs its costly
branch.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jax.custom_derivatives import SymbolicZero

_Function = Callable[..., tuple[jax.Array, ...]]


@functools.cache
def elementwise(function: _Function) -> _Function:
    """``function`` such that ``vmap`` hands it the whole batch, and every derivative exists.

    Args:
        function: maps arrays of equal rank to a tuple of arrays of their broadcast shape, each
            entry depending on the corresponding entries alone. It may use ``lax.cond`` on a
            scalar that is reduced from its arguments.

    Returns:
        A function of scalars (or of arrays of equal rank) that can be batched and
        differentiated, forward and in reverse, any number of times.
    """

    @custom_vmap
    def whole(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        return function(*arguments)

    @whole.def_vmap
    def _batch(
        axis_size: int, batched: list[bool], *arguments: jax.Array
    ) -> tuple[tuple[jax.Array, ...], tuple[bool, ...]]:
        # A length of one, not a copy: what does not vary along an axis stays small.
        del axis_size
        outputs = whole(*(x if own else x[None] for x, own in zip(arguments, batched, strict=True)))
        return outputs, (True,) * len(outputs)

    @jax.custom_jvp
    def differentiable(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        return whole(*arguments)

    @functools.partial(differentiable.defjvp, symbolic_zeros=True)
    def _jvp(
        primals: tuple[jax.Array, ...], tangents: tuple[jax.Array | SymbolicZero, ...]
    ) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
        moved = {i: x for i, x in enumerate(tangents) if not isinstance(x, SymbolicZero)}
        values = differentiable(*primals)
        slopes = elementwise(_partial_derivatives(function, tuple(moved)))(*primals)
        # In the order: all outputs by the first argument that moves, then by the next
        changes = [jnp.zeros_like(value) for value in values]
        for n, tangent in enumerate(moved.values()):
            for output in range(len(values)):
                changes[output] += slopes[n * len(values) + output] * tangent
        return values, tuple(changes)

    return differentiable


@functools.cache
def _partial_derivatives(function: _Function, moved: tuple[int, ...]) -> _Function:
    """The derivatives of every output by each of the arguments ``moved``."""

    def derivatives(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        slopes: tuple[jax.Array, ...] = ()
        for i in moved:
            along = tuple(
                jnp.ones_like(x) if i == k else jnp.zeros_like(x) for k, x in enumerate(arguments)
            )
            slopes += jax.jvp(function, arguments, along)[1]
        return slopes

    return derivatives
