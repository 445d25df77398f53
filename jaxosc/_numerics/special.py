"""Elementary functions without the cancellation, overflow or singular slope of the plain form."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def bose(frequency: jax.Array, temperature: jax.Array) -> jax.Array:
    """Thermal occupation N = 1/(exp(ω/T) − 1), zero at T = 0 together with its slope."""
    warm = temperature * exponent_limit(temperature.dtype) > frequency
    exponent = jnp.where(warm, frequency, 1) / jnp.where(warm, temperature, 1)
    return jnp.where(warm, _planck(exponent), 0)


@jax.custom_jvp
def _planck(x: jax.Array) -> jax.Array:
    return 1 / jnp.expm1(x)


@_planck.defjvp
def _planck_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    # Differentiating the quotient squares exp(x), which overflows long before N vanishes.
    number = _planck(*primals)
    return number, -number * (1 + number) * tangents[0]


def exponent_limit(dtype: Any) -> float:
    """The x at which exp(−x) comes near the smallest normal number."""
    return -0.95 * float(np.log(np.finfo(dtype).tiny))


def polynomial(coefficients: list[float], x: jax.Array) -> jax.Array:
    """Σ_n coefficients[n] xⁿ by Horner's rule."""
    total = jnp.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


# 1/(2n+1)!: sinh(√q)/√q; through q⁹ the truncation is below 1e-18 for q ≤ 1.
SINHC_SERIES = [1 / math.factorial(2 * n + 1) for n in range(10)]
# 1/(2n+1): artanh(√q)/√q; through q¹³ the truncation is below 1e-18 for q ≤ 0.05.
ATANHC_SERIES = [1 / (2 * n + 1) for n in range(14)]


def divided_difference(coefficients: list[float], x: jax.Array, y: jax.Array) -> jax.Array:
    """(p(x) − p(y))/(x − y) of the polynomial with these coefficients, exact at x = y."""
    total = jnp.full_like(x, coefficients[-1])
    value = total
    for coefficient in coefficients[-2:0:-1]:
        value = value * y + coefficient
        total = total * x + value
    return total
