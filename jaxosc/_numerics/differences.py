"""Divided differences of elementwise functions, also where their points coincide."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

# f[x, y] = ∫₀¹ f'(x + (y − x)t) dt by Gauss' rules: the first is used, the second tells its error.
_RULES = [np.polynomial.legendre.leggauss(order) for order in (6, 4)]


def divided_difference(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """f[x, y; …] = (f(y; …) − f(x; …))/(y − x) of f(x; …), a function of scalars.

    Where x and y are near, the mean of f' between them; which of the two has the smaller error is
    decided at each point, so that f may have steps elsewhere. Differentiable, and repeatable.
    """

    def difference(x: jax.Array, y: jax.Array, *others: jax.Array) -> jax.Array:
        def slope(point: jax.Array) -> jax.Array:
            return jax.jvp(lambda z: function(z, *others), (point,), (jnp.ones_like(point),))[1]

        step = y - x
        means, leanings = [], []
        for nodes, weights in _RULES:
            points = x + step * jnp.asarray((1 + nodes) / 2, x.dtype)
            slopes = jax.vmap(slope)(points)
            slopes *= jnp.asarray(weights / 2, slopes.dtype)
            means.append(jnp.sum(slopes))
            leanings.append(jnp.sum(slopes * jnp.asarray(nodes, slopes.dtype)))
        first, last = function(x, *others), function(y, *others)
        width = jnp.where(step == 0, 1, step)
        quotient = (last - first) / width.astype(last.dtype)
        rounding = 4 * float(np.finfo(x.dtype).eps) * (jnp.abs(first) + jnp.abs(last))
        error = jnp.where(step == 0, jnp.inf, rounding / jnp.abs(width))
        near = jnp.abs(means[0] - means[1]) <= error
        # Of an even f at opposite points both means are zero, and their derivatives are not good.
        near &= jnp.abs(leanings[0] - leanings[1]) <= error
        return jnp.where(jax.lax.stop_gradient(near), means[0], quotient)

    return difference
