"""Where two damped modes stop being stable."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc._kernels.pair_equation import Pair
from jaxosc._numerics.small import nan_unless


def stability_scale(pair: Pair, valid: jax.Array) -> jax.Array:
    """The smallest positive root of det A(s) and of the last Hurwitz determinant.

    Both are polynomials in t = s². No term is a difference of others that cancel for γ ≪ ω.
    """
    omega1, omega2, j, k, _, _, gamma1, gamma2 = pair
    v, w = j + k, j - k
    product, damped, width = omega1 * omega2, gamma1 * gamma2, gamma1 + gamma2
    spread = (gamma1 * omega2) ** 2 + (gamma2 * omega1) ** 2
    # det A = (vw)² t² − linear t + constant
    constant = product**2 + spread + damped**2
    squares = v**2 + w**2
    linear = product * squares - 2 * damped * v * w
    discriminant = (4 * product * j * k) ** 2 - 4 * v * w * (
        product * damped * squares + v * w * spread
    )
    crosses = (discriminant >= 0) & (linear > 0)
    root = jnp.sqrt(jnp.where(crosses & (discriminant > 0), discriminant, 1))
    root = jnp.where(discriminant > 0, root, 0)
    static = 2 * constant / jnp.where(crosses, linear + root, 1)
    # Hurwitz determinant = initial + t width² pumping
    total, difference = omega1 + omega2, omega1 - omega2
    initial = damped * (width**2 + total**2) * (width**2 + difference**2)
    pumping = v * w * (width**2 + difference**2) + 4 * product * j**2
    oscillating = initial / jnp.where(pumping < 0, -pumping * width**2, 1)
    square = jnp.minimum(
        jnp.where(crosses, static, jnp.inf), jnp.where(pumping < 0, oscillating, jnp.inf)
    )
    # Neither factor positive on the way: a mode without a bath that nothing damps
    dark = (width <= 0) | ((damped <= 0) & (pumping == 0))
    positive = (square > 0) & (square < jnp.inf)
    scale = jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), square)
    return nan_unless(valid, nan_unless(~dark, scale))
