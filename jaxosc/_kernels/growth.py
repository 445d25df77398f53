"""How far all couplings may grow together before a damped motion does."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc._numerics.instability import first_instability
from jaxosc._numerics.small import nan_unless


def first_growth(
    base: jax.Array, slope: jax.Array, damped: jax.Array, critical: jax.Array, valid: jax.Array
) -> jax.Array:
    """The smallest s > 0 at which base + s·slope [2N, 2N] stops being stable.

    ``critical`` is some such s, as where H stops being bounded, infinite if nothing is coupled; and
    ``damped`` whether the base is stable then.
    """
    # Generic, so that no crossing lies on it by construction
    reference = 0.6180339887 * jax.lax.stop_gradient(critical)
    coupled_at_all = valid & (reference < jnp.inf)
    safe = jnp.where(coupled_at_all, reference, 1)
    stable = -jnp.eye(len(base), dtype=base.dtype)
    scale = first_instability(jnp.where(valid, base, stable), slope, safe).scale
    uncoupled = jnp.where(damped, jnp.inf, jnp.nan)
    return nan_unless(valid, jnp.where(coupled_at_all, scale, uncoupled))
