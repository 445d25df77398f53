"""Rényi entropies of a covariance."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.differences import divided_difference
from jaxosc._numerics.entropy import eigenvalues, is_sound, symplectic_form_of
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.spectral import spectral_sum


def renyi_entropy(covariance: jax.Array, order: jax.Array) -> jax.Array:
    """The Rényi entropy ln(tr ρ^α)/(1 − α) in nats."""
    if covariance.shape[0] == 2:
        value = _mode_entropy(eigenvalues(covariance)[0], order)
    else:
        value = spectral_sum(_mode_entropy)(symplectic_form_of(covariance), order)
    return nan_unless(is_sound(covariance) & (order > 0), value)


def _mode_entropy(nu: jax.Array, order: jax.Array) -> jax.Array:
    """ln[(n + 1)^α − n^α]/(α − 1) of n = ν − ½; zero for the negative of a pair of eigenvalues.

    It is g[1, α] of g(α) = ln(1 − e^{−αl}) + α ln(1 + n), l = ln(1 + 1/n), for g(1) = 0.
    """
    number = nu - 0.5
    # No state is purer than pure; rounding must not say so, nor lose the slope.
    rounding = jnp.where(number <= np.finfo(nu.dtype).eps, number, 0)
    number -= jax.lax.stop_gradient(rounding)
    pure = number == 0
    safe = jnp.where(pure, 1, number)
    length = jnp.log1p(1 / safe)

    def g(order: jax.Array, number: jax.Array, length: jax.Array) -> jax.Array:
        exponent = order * length
        faded = exponent > 1
        small = jnp.log1p(-jnp.exp(-jnp.where(faded, exponent, 1)))
        large = jnp.log(-jnp.expm1(-jnp.where(faded, 1, exponent)))
        return jnp.where(faded, small, large) + order * jnp.log1p(number)

    infinite = jnp.isinf(order)
    finite = jnp.where(infinite, 2, order)
    mixed = divided_difference(g)(jnp.ones_like(finite), finite, safe, length)
    # Of pure states: n α/(α − 1), and no finite slope for α ≤ 1.
    above = finite > 1
    slope = jnp.where(above, finite / jnp.where(above, finite - 1, 1), 0)
    entropy = jnp.where(pure, slope * number, mixed)
    entropy = jnp.where(infinite, jnp.log1p(number), entropy)
    return jnp.where(nu > 0, entropy, 0)
