"""Elementary functions without the cancellation, overflow or singular slope of the plain form."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.sharing import quotient, reciprocal, shared


def bose(frequency: jax.Array, temperature: jax.Array) -> jax.Array:
    """Thermal occupation N = 1/(exp(ω/T) − 1), zero at T = 0 together with its slope."""
    warm = temperature * exponent_limit(temperature.dtype) > frequency
    exponent = quotient(jnp.where(warm, frequency, 1), jnp.where(warm, temperature, 1))
    return jnp.where(warm, _planck(exponent), 0)


@jax.custom_jvp
def _planck(x: jax.Array) -> jax.Array:
    """1/(eˣ − 1) of x > 0 below the exponent limit, to 4e-16."""
    if x.dtype != np.float64:
        return reciprocal(jnp.expm1(x))
    power, rest, even = _reduced(x)
    # Where x is small the power is one, and nothing cancels
    return quotient(even - rest, (power - 1) * even + (power + 1) * rest)


@_planck.defjvp
def _planck_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    # Differentiating the quotient squares exp(x), which overflows long before N vanishes.
    number = _planck(*primals)
    return number, -number * (1 + number) * tangents[0]


def thermal_noise(frequency: jax.Array, temperature: jax.Array) -> jax.Array:
    """Noise ν coth(ν/2T) of a bath with J(ν) = ν at a frequency of either sign; |ν| at T = 0."""
    size = jnp.abs(frequency)
    moving = size > 0
    number = bose(jnp.where(moving, size, 1), temperature)
    return jnp.where(moving, size * (1 + 2 * number), 2 * temperature)


@jax.custom_jvp
def exp(x: jax.Array) -> jax.Array:
    """eˣ of x up to 709, for use in several places; 2e-16.

    XLA on the CPU computes exponentials of doubles one by one. This one it runs in parallel.
    """
    if x.dtype != np.float64:
        return shared(jnp.exp(x))
    least = -708.0
    power, rest, even = _reduced(jnp.maximum(x, least))
    return jnp.where(x < least, 0, power * (1 + 2 * quotient(rest, even - rest)))


@exp.defjvp
def _exp_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    value = exp(*primals)
    return value, value * tangents[0]


def _reduced(x: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """2ᵏ, r and e = r coth(r/2) of x = k ln 2 + r, |r| ≤ ½ ln 2: eˣ = 2ᵏ(e + r)/(e − r)."""
    k = jax.lax.round(x * _LOG2_E, jax.lax.RoundingMethod.TO_NEAREST_EVEN)
    rest = (x - k * _LN2_HIGH) - k * _LN2_LOW
    # k + 1023 in the last bits of 2⁵²: the exponent of 2ᵏ
    bits = jax.lax.bitcast_convert_type(k + (2.0**52 + 1023), np.uint64)
    power = jax.lax.bitcast_convert_type(bits << _FRACTION, np.float64)
    return power, rest, polynomial(_COTH_SERIES, rest * rest)


_LOG2_E = 1 / math.log(2)
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")  # times k without rounding
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
# 2 B_2n/(2n)!: √q coth(√q/2); through q⁶ the truncation is below 1e-17 for q ≤ 0.12.
_COTH_SERIES = [2, 1 / 6, -1 / 360, 1 / 15120, -1 / 604800, 1 / 23950080, -691 / 653837184000]


@jax.custom_jvp
def log1p(x: jax.Array) -> jax.Array:
    """ln(1 + x), for use in several places.

    XLA on the CPU computes logarithms of doubles one by one, and log1p to 3e-14 only. This one
    follows 1 + x = 2ᵏ(1 + f), ln(1 + f) = 2 artanh(f/(2 + f)) with √½ ≤ 1 + f < √2, in integer
    and floating-point steps that it runs in parallel: four times as fast, and to 5e-16.
    """
    if x.dtype != np.float64:
        return shared(jnp.log1p(x))
    bits = jax.lax.bitcast_convert_type(1 + x, np.uint64)
    power = (bits - _ROOT_HALF + _OFFSET) >> _FRACTION
    # An integer below 2⁵² in the last bits of 2⁵² is that float
    k = jax.lax.bitcast_convert_type(power | _TWO_TO_52, np.float64) - (2.0**52 + 1024)
    scaled = jax.lax.bitcast_convert_type(bits - (power << _FRACTION) + _OFFSET, np.float64)
    f = jnp.where(k == 0, x, scaled - 1)
    ratio = quotient(f, 2 + f)
    value = k * math.log(2) + 2 * ratio * polynomial(ATANHC_SERIES[:11], ratio**2)
    return jnp.where(x > -1, value, jnp.where(x == -1, -jnp.inf, jnp.nan))


@log1p.defjvp
def _log1p_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    return log1p(*primals), reciprocal(1 + primals[0]) * tangents[0]


_FRACTION = np.uint64(52)  # bits of a double after its exponent
_ROOT_HALF = np.array(math.sqrt(0.5)).view(np.uint64)[()]
_TWO_TO_52 = np.array(2.0**52).view(np.uint64)[()]
_OFFSET = np.uint64(1024) << _FRACTION  # keeps the powers positive


def product_less_square(a: jax.Array, b: jax.Array, c: jax.Array) -> jax.Array:
    """Ab − c² to its last digits, also where the two agree in most of theirs.

    Written plainly, XLA rounds both products, or only one of them, and may do so differently for
    each expression that uses the result. Here the leading halves multiply without rounding.
    """
    (a_high, a_low), (b_high, b_low), (c_high, c_low) = _halves(a), _halves(b), _halves(c)
    middle = a_high * b_low + a_low * b_high - 2 * c_high * c_low
    return (a_high * b_high - c_high * c_high) + (middle + (a_low * b_low - c_low * c_low))


def _halves(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A number with half the digits of x, without a slope, and the rest."""
    whole, drop = (np.uint64, 27) if x.dtype == np.float64 else (np.uint32, 12)
    bits = jax.lax.bitcast_convert_type(jax.lax.stop_gradient(x), whole)
    high = jax.lax.bitcast_convert_type((bits >> whole(drop)) << whole(drop), x.dtype)
    return high, x - high


def power_of_two(x: jax.Array) -> jax.Array:
    """The smallest power of two above x > 0 (1 where x is no such number), to the last bit.

    From the bits of x: `ldexp` and `exp2` are powers, which a GPU may round.
    """
    info = np.finfo(x.dtype)
    whole = np.dtype(f"int{info.bits}")
    mask = np.array(((1 << info.nexp) - 1) << info.nmant, whole)
    bits = jax.lax.bitcast_convert_type(x, whole) & mask
    below = jnp.maximum(jax.lax.bitcast_convert_type(bits, x.dtype), info.tiny)
    return jnp.where((x > 0) & (x < jnp.inf), 2 * below, 1)


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
# 1/(2n)!: cosh √q, to the same digits.
COSH_SERIES = [1 / math.factorial(2 * n) for n in range(11)]
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
