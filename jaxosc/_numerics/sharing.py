"""Costly values that several expressions use, kept inside the loop that uses them.

XLA on the CPU refuses to copy a division, root or logarithm into the expressions that use it,
and where these meet again it gives up one loop for many, each with its array in memory: an order
of magnitude in time, and more in compilation. A cheap operation in between hides the cost from
it: the copies that it then makes, of the cheap one, are of nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jax.custom_derivatives import SymbolicZero

_Tree = TypeVar("_Tree")

# Directions of a Jacobian, not points of a grid
DIRECTIONS = 32


@jax.custom_jvp
def shared(value: jax.Array) -> jax.Array:
    """The value itself (an infinity becomes the largest number), for use in several places."""
    return jnp.minimum(value, np.finfo(value.dtype).max)


@shared.defjvp
def _shared_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    return shared(*primals), tangents[0]


def kept(value: jax.Array, sample: jax.Array | None = None) -> jax.Array:
    """The value itself, computed once and kept: the opposite of ``shared``.

    Where many results, each a loop of its own, need a long computation, XLA copies it into all of
    them; a quotient by a one that it does not see through it does not copy. The one is made of the
    sample: for a tangent, of what it is the tangent of, so that the quotient is linear.
    """
    sample = value if sample is None else sample
    return value / jnp.where(jnp.isnan(sample), 2, 1).astype(value.dtype)


@jax.custom_jvp
def junction(value: jax.Array) -> jax.Array:
    """The value itself; where it is differentiated, it and its tangent are kept."""
    return value


@junction.defjvp
def _junction_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    return kept(*primals), kept(tangents[0], primals[0])


def in_one_gradient(tree: _Tree) -> _Tree:
    """Scalars themselves; where a gradient by several of them is taken, it is one loop.

    XLA gives each of many results a loop of its own, with a copy of all that it needs: seven
    derivatives are seven times as long to compile. Grids, where memory decides, stay as they are.
    """
    values, structure = jax.tree.flatten(tree)
    return jax.tree.unflatten(structure, _identity(False)(*values))


def in_one_loop(tree: _Tree) -> _Tree:
    """Scalars themselves, which are one loop outside a grid, as are their derivatives."""
    values, structure = jax.tree.flatten(tree)
    return jax.tree.unflatten(structure, _identity(True)(*values))


@cache
def _identity(forward: bool) -> Callable[..., tuple[jax.Array, ...]]:
    def passed(*values: jax.Array) -> tuple[jax.Array, ...]:
        return one_loop(*values) if forward else values

    identity = jax.custom_jvp(passed)

    @partial(identity.defjvp, symbolic_zeros=True)
    def _jvp(
        primals: tuple[jax.Array, ...], tangents: tuple[jax.Array | SymbolicZero, ...]
    ) -> tuple[tuple[jax.Array, ...], tuple[Any, ...]]:
        moved = [x for x in tangents if not isinstance(x, SymbolicZero)]

        def each(function: Callable[..., tuple[jax.Array, ...]]) -> Callable[..., jax.Array]:
            return lambda _, right: row(function(*entries(right)))

        # The one linear map of JAX whose transpose may be stated: here of the identity. Of one
        # array, for a derivative of it by some of several alone is an error in JAX 0.10.2.
        same = jax.lax.custom_linear_solve(lambda x: x, row(moved), each(passed), each(one_loop))
        rest = iter(entries(same))
        return identity(*primals), tuple(
            x if isinstance(x, SymbolicZero) else next(rest) for x in tangents
        )

    return identity


def row(scalars: Sequence[jax.Array]) -> jax.Array:
    """One array, such that XLA folds an entry of it to the scalar: nothing is between."""
    return jax.lax.concatenate([jnp.reshape(x, (1,)) for x in scalars], dimension=0)


def entries(array: jax.Array) -> list[jax.Array]:
    """Of one axis, each by itself."""
    # Not by slices, whose transposes are sums of rows of zeros with one entry
    return [jnp.reshape(x, ()) for x in jax.lax.split(array, (1,) * array.shape[0])]


@custom_vmap
def one_loop(*values: jax.Array) -> tuple[jax.Array, ...]:
    """Arrays of one shape, as the sums of each and a zero: a reduction with many results."""
    shape = jnp.broadcast_shapes(*(x.shape for x in values))
    first = jnp.arange(2).reshape(2, *(1 for _ in shape)) == 0
    first = jnp.broadcast_to(first, (2, *shape))
    pairs = [jnp.where(first, jnp.broadcast_to(x, (2, *shape)), 0) for x in values]
    return sums_in_one_loop(*pairs)


def sums_in_one_loop(*arrays: jax.Array) -> tuple[jax.Array, ...]:
    """Over the first axis, of arrays of one shape: one loop with many results; no derivative."""

    def add(x: Sequence[jax.Array], y: Sequence[jax.Array]) -> list[jax.Array]:
        return [a + b for a, b in zip(x, y, strict=True)]

    zeros = [jnp.zeros((), x.dtype) for x in arrays]
    return tuple(jax.lax.reduce(list(arrays), zeros, add, [0]))


@one_loop.def_vmap
def _of_batch(
    axis_size: int, batched: list[bool], *values: jax.Array
) -> tuple[tuple[jax.Array, ...], Any]:
    if not isinstance(axis_size, int) or axis_size > DIRECTIONS:
        return values, tuple(batched)
    full = (
        x if own else jnp.broadcast_to(x, (axis_size, *x.shape))
        for x, own in zip(values, batched, strict=True)
    )
    return one_loop(*full), (True,) * len(values)


# Their derivatives are products with a shared factor, never a quotient of a tangent.
_Pair = tuple[jax.Array, jax.Array]


@jax.custom_jvp
def reciprocal(value: jax.Array) -> jax.Array:
    """1/x, for use in several places."""
    return shared(1 / value)


@reciprocal.defjvp
def _reciprocal_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> _Pair:
    inverse = reciprocal(*primals)
    # Its square may overflow where the slope does not.
    return inverse, -inverse * (inverse * tangents[0])


@jax.custom_jvp
def sqrt(value: jax.Array) -> jax.Array:
    """√x, for use in several places."""
    return shared(jnp.sqrt(value))


@sqrt.defjvp
def _sqrt_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> _Pair:
    root = sqrt(*primals)
    return root, 0.5 * reciprocal(root) * tangents[0]


@jax.custom_jvp
def quotient(numerator: jax.Array, denominator: jax.Array) -> jax.Array:
    """x/y, for use in several places."""
    return shared(numerator / denominator)


@quotient.defjvp
def _quotient_jvp(primals: _Pair, tangents: _Pair) -> _Pair:
    value, inverse = quotient(*primals), reciprocal(primals[1])
    return value, inverse * (tangents[0] - value * tangents[1])
