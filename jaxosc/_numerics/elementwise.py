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
from jax.custom_batching import custom_vmap

_Function = Callable[..., tuple[jax.Array, ...]]


@functools.cache
def elementwise(function: _Function) -> _Function:
    """``function`` such that ``vmap`` hands it the whole batch; derivatives are its caller's.

    Args:
        function: maps arrays of equal rank to a tuple of arrays of their broadcast shape, each
            entry depending on the corresponding entries alone. It may use ``lax.cond`` on a
            scalar that is reduced from its arguments.

    Returns:
        A function of scalars, or of arrays of equal rank, that can be batched any number of times.
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

    return whole
