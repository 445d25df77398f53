"""Principal values of a bath with a rational response: what it shifts frequencies by.

Integrals of J = Im χ over positive frequencies, with a pole on their way, by turning the path: χ is
analytic above the real axis, so that nothing narrow in J comes near the path, and what the pole
leaves behind is known. Written with the memory G(z) = (χ(0) − χ(iz))/z, which a counter-term leaves
of χ, no digit is lost where the frequencies are far below those of the bath.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.special import bose

Memory = Callable[[jax.Array], jax.Array]

# ∫_{-∞}^∞ dt by the trapezoidal rule: integrands that are analytic for |Im t| < π/2 are exact to
# rounding with this step.
_STEP = 0.25

# The ray v = T x exp(iπ/4) keeps 45° from the pole on the real axis and from those of the number
# of quanta on the imaginary one. In u, ln x = u − e^(−u)/LOWEST, the trapezoidal rule is then good
# to 2e-15 (a step of 0.14: 3e-13), from where e^−x/√2 does not count to far below LOWEST.
LOWEST = 1e-9
_RAY_STEP = 0.125
_U = 4.125 - _RAY_STEP * np.arange(227)
_TURN = np.exp(0.25j * np.pi)
_X = _TURN * np.exp(_U - LOWEST * np.exp(-_U))
_WEIGHTS = _RAY_STEP * (1 + LOWEST * np.exp(-_U)) * _X / np.expm1(_X)


def vacuum_shift(memory: Memory, frequency: jax.Array) -> jax.Array:
    """(1/π)∫_0^∞ J(v) [1/(ω − v) + 1/v] dv, principal value, for real ω."""
    size = jnp.abs(frequency)
    # The integrand grows as exp(2t) and falls as exp(−t), with a knee at the cutoff between them:
    # all digits for cutoffs from 1e-6 to 1e6 ω.
    reach = 13 - math.log(np.finfo(frequency.dtype).eps)
    index = np.arange(-(reach // 2) / _STEP, reach / _STEP)
    t = jnp.asarray(_STEP * index, frequency.dtype).reshape((1,) * frequency.ndim + (-1,))
    y = size[..., None] * jnp.exp(t)
    integral = jnp.sum(y * memory(y) * (_STEP / 2) / jnp.cosh(t), axis=-1) / math.pi
    return jnp.where(frequency > 0, _of_pole(memory, size), 0) - jnp.sign(frequency) * integral


def thermal_shift(
    memory: Memory, frequency: jax.Array, temperature: jax.Array, side: int | jax.Array
) -> jax.Array:
    """(1/π)∫_0^∞ J(v)N(v) k(v) dv, principal value: k = 1/(ω − v), 1/(ω + v) or both (side 0).

    NaN where |ω| is below 1e-9 T, but for the two together at ω = 0, where they cancel: each of
    them diverges there as ln ω does.
    """
    warm = temperature > 0
    size, tau = jnp.abs(frequency), jnp.where(warm, temperature, 1)
    scale = jax.lax.complex(tau, jnp.zeros_like(tau))
    v = jnp.asarray(_X, scale.dtype) * scale
    noise = v * memory(-1j * v) * jnp.asarray(_WEIGHTS, v.dtype)
    point = frequency[..., None].astype(v.dtype)
    v, noise = (x.reshape((1,) * frequency.ndim + (-1,)) for x in (v, noise))
    kernel = jnp.where(side >= 0, 1 / (point - v), 0) + jnp.where(side <= 0, 1 / (point + v), 0)
    integral = tau / math.pi * jnp.sum((noise * kernel).real, axis=-1)
    crossed = jnp.where(frequency * side >= 0, jnp.sign(frequency), 0)
    pole = jnp.where(crossed == 0, 0, crossed * _of_pole(memory, size))
    inside = (size >= LOWEST * tau) | ((frequency == 0) & (side == 0))
    number = bose(jnp.where(crossed == 0, 1, size), tau)
    return jnp.where(warm, jnp.where(inside, integral + pole * number, jnp.nan), 0)


def _of_pole(memory: Memory, size: jax.Array) -> jax.Array:
    """χ(0) − Re χ(ω) for ω ≥ 0."""
    return size * memory(jax.lax.complex(jnp.zeros_like(size), -size)).imag
