"""Functions of two numbers m ± δ as their mean and divided difference, smooth where the two meet.

With M a 2×2 matrix of these eigenvalues and N = M − m, f(M) = mean + slope·N: both are analytic
in m and δ², δ itself never appears, and neither is formed as a difference of nearly equal values.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxosc._numerics.sharing import junction, quotient, reciprocal, sqrt
from jaxosc._numerics.special import COSH_SERIES, SINHC_SERIES, exp, polynomial


class Divided(NamedTuple):
    """A positive function f at m ± δ, f = mean ± δ·slope.

    The product of the two values is carried along: as mean² − δ²slope² it loses the digits of the
    smaller one, which roots and reciprocals need.
    """

    mean: jax.Array
    slope: jax.Array
    product: jax.Array
    square: jax.Array  # δ²

    def times(self, other: Divided) -> Divided:
        """The product of two functions."""
        return Divided(
            self.mean * other.mean + self.square * (self.slope * other.slope),
            self.mean * other.slope + self.slope * other.mean,
            self.product * other.product,
            self.square,
        )

    def scaled(self, factor: jax.Array) -> Divided:
        """The product with a positive number."""
        return Divided(
            factor * self.mean, factor * self.slope, factor * factor * self.product, self.square
        )

    def reciprocal(self) -> Divided:
        """1/f."""
        inverse = reciprocal(self.product)
        return Divided(self.mean * inverse, -self.slope * inverse, inverse, self.square)

    def sqrt(self) -> Divided:
        """√f."""
        product = sqrt(self.product)
        mean = sqrt((self.mean + product) / 2)
        return Divided(mean, quotient(self.slope, 2 * mean), product, self.square)

    def junction(self) -> Divided:
        """The same, from which derivatives go on."""
        return Divided(
            junction(self.mean), junction(self.slope), junction(self.product), self.square
        )

    def where(self, condition: jax.Array, constant: jax.Array) -> Divided:
        """A constant on condition."""
        return Divided(
            jnp.where(condition, constant, self.mean),
            jnp.where(condition, 0, self.slope),
            jnp.where(condition, constant * constant, self.product),
            self.square,
        )


class Hyperbolic(NamedTuple):
    """What hyperbolic functions of z ± ζ are made of."""

    tanh: jax.Array  # tanh z
    tanhc: jax.Array  # tanh(ζ)/ζ
    ratio: jax.Array  # (cosh ζ/cosh z)²
    half_square: jax.Array  # ζ²


def hyperbolic(mean: jax.Array, half_square: jax.Array) -> Hyperbolic:
    """For z ≥ ζ ≥ 0, as analytic functions of z and ζ²; no size of z overflows."""
    half = _half(half_square)
    # Here exp(−2(z − ζ)) is all that is left of two large numbers
    between = exp(-2 * (mean - half.value))
    large = mean > 1
    small = jnp.where(large, 0, mean)
    decay = between * half.tail
    tanh = quotient(
        jnp.where(large, 1 - decay, small * polynomial(SINHC_SERIES, small * small)),
        jnp.where(large, 1 + decay, polynomial(COSH_SERIES, small * small)),
    )
    root = quotient(jnp.where(half.apart, 1 + half.tail, 2 * half.cosh), 1 + decay)
    return Hyperbolic(tanh, half.tanhc(), between * (root * root), half_square)


def tanhc(square: jax.Array) -> jax.Array:
    """tanh(x)/x of x²."""
    return _half(square).tanhc()


class _Half(NamedTuple):
    square: jax.Array
    apart: jax.Array  # whether it is > 1
    value: jax.Array  # its root then, else 0
    tail: jax.Array  # exp(−2·root) then, else 1
    cosh: jax.Array  # of the root, where it is not

    def tanhc(self) -> jax.Array:
        near = jnp.where(self.apart, 0, self.square)
        return quotient(
            jnp.where(self.apart, 1 - self.tail, polynomial(SINHC_SERIES, near)),
            jnp.where(self.apart, (1 + self.tail) * self.value, self.cosh),
        )


def _half(square: jax.Array) -> _Half:
    apart = square > 1
    value = jnp.where(apart, sqrt(jnp.where(apart, square, 1)), 0)
    cosh = polynomial(COSH_SERIES, jnp.where(apart, 0, square))
    return _Half(square, apart, value, exp(-2 * value), cosh)


def tanh_of(parts: Hyperbolic, slope: jax.Array, square: jax.Array) -> Divided:
    """tanh(z ± ζ), ζ = slope·δ."""
    tanh, tanhc, ratio, half_square = parts
    inverse = reciprocal(ratio + tanh * tanh)
    product = (tanh * tanh - ratio * (half_square * tanhc * tanhc)) * inverse
    return Divided(tanh * inverse, ratio * inverse * tanhc * slope, product, square)


def doubled(parts: Hyperbolic) -> Hyperbolic:
    """The same of 2z ± 2ζ."""
    tanh, tanhc, ratio, half_square = parts
    inverse = reciprocal(1 + tanh * tanh)
    half = 1 + half_square * tanhc * tanhc
    root = ratio * (half * inverse)
    return Hyperbolic(2 * tanh * inverse, quotient(tanhc, half), root * root, 4 * half_square)


class Symmetric(NamedTuple):
    """A symmetric function of two of the numbers, g(x, y), in powers of N on either side."""

    mean: jax.Array
    slope: jax.Array  # of N alone, on either side
    twist: jax.Array  # of N on both


def tanh_of_sums(parts: Hyperbolic, slope: jax.Array) -> Symmetric:
    """tanh((x + y)/2) of the numbers z ± ζ, ζ = slope·δ."""
    tanh, tanhc, ratio, _ = parts
    inverse = reciprocal(ratio + tanh * tanh)
    half = tanhc * slope
    return Symmetric(
        tanh * (inverse + 1) / 2,
        ratio * half * inverse / 2,
        -tanh * ratio * (half * half) * inverse / 2,
    )
