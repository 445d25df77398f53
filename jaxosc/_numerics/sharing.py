"""Costly values that several expressions use, kept inside the loop that uses them.

XLA on the CPU refuses to copy a division, root or logarithm into the expressions that use it,
and where these meet again it gives up one loop for many, each with its array in memory: an order
of magnitude in time, and more in compilation. A cheap operation in between hides the cost from
it: the copies that it then makes, of the cheap one, are of nothing.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np


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
