"""Gaussian discord of two modes.

In units in which the vacuum has variance one, a Gaussian measurement of the second mode, whose
outcomes have the covariance diag(λ, 1/λ), lowers the square of the symplectic eigenvalue a of the
first to a²(1 − ρ). With σ in its standard form, of local symplectic eigenvalues a and b and of
correlations √(abC) and ±√(abD), C ≥ D,

    ρ = bC/(b + λ) + bDλ/(bλ + 1) − b²CDλ/((b + λ)(bλ + 1)).

The best λ is 0, homodyne detection, or the root of q0 + 2q1λ + q2λ² = 0 between 0 and 1, with
q0 = C − b²(1 − C)D, q1 = b(C − D), q2 = b²(1 − D)C − D. What rounding leaves of it changes ρ in
second order only, and what is added up there is not subtracted again.

For derivatives, with (θ, h) = (1 − λ², 2λ)/(1 + λ²) on the unit circle

    ρ = (k0 + k1θ + k2h)/(m0 + m1h),    k1² + (k2 − m1ρ)² = (m0ρ − k0)² at its maximum,

where k1² is a polynomial also where C = D, at which k1 is not differentiable.

Source: Adesso & Datta, PRL 105, 030501 (2010); Giorda & Paris, PRL 105, 020503 (2010).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxosc._numerics.entropy import cholesky_rows, pair_information, safe_sqrt, thermal_number
from jaxosc._numerics.small import Written, matrix
from jaxosc._numerics.special import log1p


def discord(covariance: jax.Array) -> jax.Array:
    """Discord of two modes in nats, with measurements on the second: I less what these gain."""
    entries = Written.of(covariance)
    value = pair_information(matrix(entries.rows)) - _gain(entries)
    # Rounding of two equal terms must not make it negative, nor lose the slope.
    return value - jax.lax.stop_gradient(jnp.minimum(value, 0))


def _gain(covariance: Written) -> jax.Array:
    """By how much the best measurement of the second mode lowers the entropy of the first."""
    (a11,), (a21, a22) = cholesky_rows(covariance.block(0, 2))
    (b11,), (b21, b22) = cholesky_rows(covariance.block(2, 4))
    # The correlations in the own units of both modes, whose singular values are √C and √D
    xx, xp = covariance[0, 2] / a11, covariance[0, 3] / a11
    px, pp = (covariance[1, 2] - a21 * xx) / a22, (covariance[1, 3] - a21 * xp) / a22
    xx, px = xx / b11, px / b11
    xp, pp = (xp - b21 * xx) / b22, (pp - b21 * px) / b22
    even, odd = (xx + pp) ** 2 + (xp - px) ** 2, (xx - pp) ** 2 + (xp + px) ** 2
    drop = _relative_drop(even, odd, 2 * b11 * b22)

    before = a11 * a22
    root = safe_sqrt(1 - drop)
    change = before * (drop / (1 + root))
    n0, n = thermal_number(before), thermal_number(before - change)
    safe0, safe = jnp.where(n0 == 0, 1, n0), jnp.where(n == 0, 1, n)
    left = n * log1p(jnp.where(n == 0, 0, change / (safe * (1 + n0))))
    gain = log1p(change / (1 + n)) + change * log1p(1 / safe0) - left
    return jnp.where(n0 == 0, 0, gain)


@jax.custom_jvp
def _relative_drop(even: jax.Array, odd: jax.Array, b: jax.Array) -> jax.Array:
    """The largest ρ, from (√C + √D)² and (√C − √D)² in either order."""
    return _at(_squares(even, odd), b, _best(even, odd, b))


def _squares(even: jax.Array, odd: jax.Array) -> tuple[jax.Array, jax.Array]:
    """C and D."""
    x, y = safe_sqrt(even), safe_sqrt(odd)
    return (x + y) ** 2 / 4, (x - y) ** 2 / 4


def _at(squares: tuple[jax.Array, jax.Array], b: jax.Array, outcome: jax.Array) -> jax.Array:
    c, d = squares
    first, second = b * c / (b + outcome), b * outcome * d / (b * outcome + 1)
    return first + second - first * second


def _best(even: jax.Array, odd: jax.Array, b: jax.Array) -> jax.Array:
    """λ."""
    c, d = _squares(even, odd)
    q0 = c - b * b * (1 - c) * d
    q1, q2 = b * safe_sqrt(even * odd), b * b * (1 - d) * c - d
    between = q0 < 0
    root = jnp.sqrt(jnp.where(between, jnp.maximum(q1 * q1 - q0 * q2, 0), 1))
    return jnp.where(between, jnp.minimum(-q0 / jnp.where(between, q1 + root, 1), 1), 0)


class _Circle(NamedTuple):
    k0: jax.Array
    square: jax.Array  # k1²
    k2: jax.Array
    m0: jax.Array
    m1: jax.Array


def _circle(even: jax.Array, odd: jax.Array, b: jax.Array) -> _Circle:
    product = (even - odd) ** 2 / 16  # CD
    half = (even + odd) / 2  # C + D
    return _Circle(b * half, b * b * even * odd, b * b * (half - product), 2 * b, b * b + 1)


@_relative_drop.defjvp
def _relative_drop_jvp(primals: Any, tangents: Any) -> Any:
    """By the condition of the maximum, written in ρ itself so that it is differentiable again."""
    drop = _relative_drop(*primals)
    outcome = jax.lax.stop_gradient(_best(*primals))
    between = outcome > 0
    circle, change = jax.jvp(_circle, primals, tangents)
    radius = circle.m0 * drop - circle.k0
    between &= radius > 0
    safe = jnp.where(between, radius, 1)
    ratio = (circle.k2 - circle.m1 * drop) / safe
    exact = 2 * outcome / (1 + outcome * outcome)
    h = ratio + jax.lax.stop_gradient(exact - ratio)
    slope = change.square / (2 * safe) + h * (change.k2 - drop * change.m1)
    slope = (slope + change.k0 - drop * change.m0) / (circle.m0 + circle.m1 * h)
    homodyne = jax.jvp(lambda *x: _squares(*x)[0], primals[:2], tangents[:2])[1]
    one = 1 + _without_slope(primals[0] + primals[1])
    return drop, one * jnp.where(between, slope, homodyne)


@jax.custom_jvp
def _without_slope(total: jax.Array) -> jax.Array:
    """Zero, with a slope that is NaN at zero.

    Near a product state the best measurement depends on the way there: ρ has a second derivative
    along each way, and no Hessian.
    """
    return jnp.zeros_like(total)


@_without_slope.defjvp
def _without_slope_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> Any:
    (total,), (change,) = primals, tangents
    return _without_slope(total), jnp.where(total == 0, jnp.nan, 0) * change
