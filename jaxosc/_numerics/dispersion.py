"""Hilbert transforms of a power with an exponential cutoff, xˢe⁻ˣ, by the trapezoidal rule.

In t = ln x the integrands are analytic for |Im t| < π/2, and the rule is exact to rounding with a
step of a quarter or less, apart from the pole of the transform: its part is known in closed form.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

_DIGITS = 38.0  # −ln of what does not count


def _step(exponent: float) -> float:
    """The error of the rule is |Γ(s + 2πi/step)|, about (2π/step)ˢ exp(−π²/step)."""
    return math.pi**2 / (_DIGITS + 3.5 * exponent)


def _nodes(exponent: float, pole: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Nodes t − ln|y| and weights step · xˢe⁻ˣ [..., nodes]: the pole lies half way between two."""
    low, high = -_DIGITS / exponent, _highest(exponent)
    step = _step(exponent)
    offset, t = _grid(step, math.ceil((high - low) / step) + 1, jnp.asarray(low, pole.dtype), pole)
    return offset, step * jnp.exp(exponent * t - jnp.exp(t))


def _highest(exponent: float) -> float:
    """The ln x from which on xˢe⁻ˣ does not count."""
    return math.log(_DIGITS + 2 * exponent * math.log(_DIGITS))


def _grid(step: float, count: int, low: jax.Array, pole: jax.Array) -> tuple[jax.Array, jax.Array]:
    """So many nodes from t = low: t − ln|y|, and t."""
    center = jnp.log(pole)[..., None]
    first = jax.lax.stop_gradient(jnp.round((low - center) / step))
    index = jnp.asarray(np.arange(count), pole.dtype).reshape((1,) * pole.ndim + (count,))
    offset = (first + index + 0.5) * step
    return offset, center + offset


def _size(y: jax.Array, exponent: float) -> jax.Array:
    """|y|, or a number that is as good as zero."""
    size = jnp.abs(y)
    tiny = max(math.exp(-_DIGITS / min(exponent, 1)), float(np.finfo(size.dtype).tiny) * 1e4)
    return jnp.where(size > tiny, size, tiny)


def even_transform(exponent: float, y: jax.Array) -> jax.Array:
    """(2/π)∫_0^∞ xˢe⁻ˣ x/(x² − y²) dx for complex y, Im y ≥ 0, from above at real y: χ(y)."""
    turned = y.real < 0  # χ(−y*) = χ(y)*
    right = jax.lax.complex(jnp.abs(y.real), y.imag)
    size = _size(y, exponent)
    angle = jnp.arctan2(right.imag, right.real)
    offset, weight = _nodes(exponent, size)
    # x²/(x² − y²) by the smaller of x/y and y/x: 1/(1 − q) for x > |y|, and −q/(1 − q).
    near = jnp.exp(-2 * jnp.abs(offset))
    turn = 2 * angle[..., None] * jnp.sign(offset)
    q = jax.lax.complex(near * jnp.cos(turn), near * jnp.sin(turn))
    kernel = jnp.where(offset > 0, 1, -q) / (1 - q)
    total = jnp.sum(jax.lax.complex(weight, jnp.zeros_like(weight)) * kernel, axis=-1)
    value = (2 / math.pi) * total + _pole_part(exponent, size, angle)
    return jnp.where(turned, jnp.conj(value), value)


def _pole_part(exponent: float, size: jax.Array, angle: jax.Array) -> jax.Array:
    """What the pole adds, iyˢe⁻ʸ near the real axis, nothing beyond a few steps from it."""
    share = 1 - jnp.tanh(math.pi / _step(exponent) * angle)
    share = jnp.where(share > 4 * float(np.finfo(share.dtype).eps), share, 0)  # no rounding error
    decay = jnp.exp(exponent * jnp.log(size) - size * jnp.cos(angle)) * share
    phase = exponent * angle - size * jnp.sin(angle)
    return jax.lax.complex(-decay * jnp.sin(phase), decay * jnp.cos(phase))


def even_transform_above(exponent: float, z: jax.Array) -> jax.Array:
    """The same at y = iz, z ≥ 0, where it is real."""
    offset, weight = _nodes(exponent, _size(z, exponent))
    return (2 / math.pi) * jnp.sum(weight * jax.nn.sigmoid(2 * offset), axis=-1)


def one_sided_transform(exponent: float, y: jax.Array) -> jax.Array:
    """(1/π)∫_0^∞ xˢe⁻ˣ/(x − y − i0) dx for real y."""
    size = _size(y, exponent)
    offset, weight = _nodes(exponent, size)
    # x/(x − |y|) and x/(x + |y|)
    kernel = jnp.where((y > 0)[..., None], -1 / jnp.expm1(-offset), jax.nn.sigmoid(offset))
    density = jnp.where(y > 0, jnp.exp(exponent * jnp.log(size) - size), 0)
    return jax.lax.complex(jnp.sum(weight * kernel, axis=-1) / math.pi, density)


def vacuum_shift(exponent: float, y: jax.Array) -> jax.Array:
    """(1/π)∫_0^∞ xˢe⁻ˣ [1/(y − x) + 1/x] dx, principal value, for real y."""
    offset, weight = _nodes(exponent, _size(y, exponent))
    near, distance = _to_pole(offset)
    # y/(y − x) for y > 0, and for y < 0
    ahead = jnp.where(offset > 0, -near, 1) / distance
    kernel = jnp.where((y > 0)[..., None], ahead, jax.nn.sigmoid(-offset))
    return jnp.where(y == 0, 0, jnp.sum(weight * kernel, axis=-1) / math.pi)


# Powers of x that an integrand ∝ xˢ is followed below the unit and the temperature, for an ω down
# to 1e-9 of these.
_BELOW = 21.0


def thermal_shift(
    exponent: float, y: jax.Array, temperature: jax.Array, side: int | jax.Array
) -> jax.Array:
    """(1/π)∫_0^∞ xˢe⁻ˣ N(x) k(x) dx, principal value, with N = 1/(exp(x/T) − 1).

    k = 1/(y − x) (side 1), 1/(y + x) (side −1), or both (side 0). At y = 0, where they cancel, each
    of them is NaN for s ≤ 1.
    """
    warm = temperature > 0
    tau = jnp.where(warm, temperature, 1)
    step, size = _step(exponent), _size(y, exponent)
    # Beyond 38 T the number of quanta does not count.
    high = jnp.minimum(jnp.log(tau) + math.log(_DIGITS), _highest(exponent))
    count = math.ceil((math.log(_DIGITS) + _DIGITS / exponent + _BELOW) / step)
    offset, t = _grid(step, count, high - count * step, size)
    x = jnp.exp(t)
    ratio = jnp.maximum(x / tau, np.finfo(y.dtype).tiny)
    weight = step * tau * jnp.exp((exponent - 1) * t - x) * ratio / jnp.expm1(ratio)
    near, distance = _to_pole(offset)
    onto = jnp.where(offset > 0, -1, near) / distance  # x/(|y| − x)
    away = jax.nn.sigmoid(offset)  # x/(|y| + x)
    ahead = jnp.where((y > 0)[..., None], onto, -away)  # x/(y − x)
    behind = jnp.where((y < 0)[..., None], -onto, away)  # x/(y + x)
    kernel = jnp.where(side >= 0, ahead, 0) + jnp.where(side <= 0, behind, 0)
    total = jnp.where(warm, jnp.sum(weight * kernel, axis=-1) / math.pi, 0)
    if exponent > 1:
        return total
    return jnp.where((y == 0) & warm & (side != 0), jnp.nan, total)


def _to_pole(offset: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The smaller of x/|y| and |y|/x, and what it lacks to one."""
    size = jnp.abs(offset)
    return jnp.exp(-size), -jnp.expm1(-size)
