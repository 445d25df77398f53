"""Entanglement and steering of two groups of modes, written to lose no digits.

Both are sums of −ln 2ν over the symplectic eigenvalues ν < 1/2: of the partial transpose σ~, which
turns the sign of every p of the second group, and of the second group's Schur complement. With
σ = LLᵀ these ν are the moduli of the eigenvalues of iLᵀJ~L, J~ = J ⊕ (−J), and of iL_bᵀJL_b with
the last block L_b of L. What moves an entry of σ by its rounding moves ν as it moves the symplectic
eigenvalues of σ itself, so that one question tells whether the entries determine them.

Near a product of pure states ν is near 1/2, and −ln 2ν of a rounded ν has lost its digits. There
4ν² − 1 follows from the changes that the correlations make.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.entropy import cholesky_rows, is_sound, safe_sqrt
from jaxosc._numerics.linear import cholesky, solve
from jaxosc._numerics.sharing import quotient, sqrt
from jaxosc._numerics.small import Written, nan_unless
from jaxosc._numerics.special import log1p
from jaxosc._numerics.spectral import spectral_sum


def negativity(covariance: jax.Array, first: int) -> jax.Array:
    """Σ max(0, −ln 2ν~) of the first so many modes against the rest."""
    if covariance.shape[0] == 4:
        return nan_unless(is_sound(covariance), _pair_negativity(covariance))
    sign = np.where(np.arange(covariance.shape[0] // 2) < first, 1.0, -1.0)
    scale, lower = _correlation(covariance)
    return nan_unless(is_sound(covariance), _excess(scale, lower, sign))


def steering(covariance: jax.Array, first: int) -> jax.Array:
    """Σ max(0, −ln 2ν) of the rest as the first so many modes know it."""
    start = 2 * first
    if covariance.shape[0] - start == 2:
        return nan_unless(is_sound(covariance), _steering_of_one(covariance))
    scale, lower = _correlation(covariance)
    sign = np.ones((covariance.shape[0] - start) // 2)
    excess = _excess(scale[start:], lower[start:, start:], sign)
    return nan_unless(is_sound(covariance), excess)


def _correlation(covariance: jax.Array) -> tuple[jax.Array, jax.Array]:
    """S = √diag σ, and the lower L with σ = S LLᵀ S."""
    scale = jnp.sqrt(jnp.diag(covariance))
    return scale, cholesky(covariance / (scale[:, None] * scale[None, :]))


def _excess(scale: jax.Array, lower: jax.Array, sign: np.ndarray) -> jax.Array:
    """Σ max(0, −ln 2ν) of S LLᵀ S by the form J~ with such signs.

    From the reciprocals 1/ν, the eigenvalues of iL⁻¹J~L⁻ᵀ: an eigensolver leaves an error of ε
    times the largest of them, not of the largest ν, which a hot mode may bring.
    """
    form = np.kron(np.diag(sign), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    inner = jnp.asarray(form, scale.dtype) / (scale[:, None] * scale[None, :])
    inverse = solve(lower, solve(lower, inner).T).T
    inverse = (inverse - inverse.T) / 2
    return spectral_sum(_log_excess, _slope_difference)(
        jax.lax.complex(jnp.zeros_like(inverse), inverse), _limit(lower)
    )


def _limit(lower: jax.Array) -> jax.Array:
    """2 and some rounding, so that pure states without entanglement are on its flat side."""
    rounding = 4 * lower.shape[0] * float(np.finfo(lower.dtype).eps)
    return jnp.asarray(2 * (1 + rounding), lower.dtype)


def _log_excess(x: jax.Array, limit: jax.Array) -> jax.Array:
    """ln(x/2) above the limit, else zero."""
    above = x > limit
    return jnp.where(above, jnp.log(jnp.where(above, x, 2) / 2), 0)


def _slope_difference(x: jax.Array, y: jax.Array, limit: jax.Array) -> jax.Array:
    """(s(x) − s(y))/(x − y) of its slope s, 1/x above the limit."""
    x_above, y_above = x > limit, y > limit
    both, one = x_above & y_above, x_above ^ y_above
    high, low = jnp.where(x_above, x, y), jnp.where(x_above, y, x)
    across = 1 / (jnp.where(one, high, 1) * jnp.where(one, high - low, 1))
    inside = -1 / (jnp.where(both, x, 1) * jnp.where(both, y, 1))
    return jnp.where(both, inside, jnp.where(one, across, 0))


class _Local(NamedTuple):
    """4 det − 1 of the block of one mode, without cancellation near the vacuum."""

    root: jax.Array  # 2√det
    excess: jax.Array


def _local(xx: jax.Array, xp: jax.Array, pp: jax.Array, root: jax.Array) -> _Local:
    x, p = xx - 0.5, pp - 0.5
    close = (jnp.abs(x) < 0.25) & (jnp.abs(p) < 0.25)
    excess = jnp.where(close, 2 * (x + p) + 4 * (x * p - xp * xp), (root - 1) * (root + 1))
    # Not below zero in any state; rounding must not say so, nor lose the slope.
    return _Local(root, excess - jax.lax.stop_gradient(jnp.minimum(excess, 0)))


# 4ν² − 1 is taken from what the correlations change where that is no small difference of larger
# numbers: modes of 4 det α · 4 det β < 64, up to ν = 0.35.
_WARM, _NEAR = 64, -0.5


def _positive_log(excess: jax.Array, nu: jax.Array, near: jax.Array) -> jax.Array:
    """max(0, −ln 2ν), from 4ν² − 1 where near."""
    near &= excess > _NEAR
    small = near & (excess < 0)
    large = ~near & ~(nu >= 0.5)
    from_excess = -0.5 * log1p(jnp.where(small, excess, 0))
    from_nu = -jnp.log(jnp.where(large, 2 * nu, 1))
    return jnp.where(small, from_excess, jnp.where(large, from_nu, 0))


def _pair_negativity(whole: jax.Array) -> jax.Array:
    covariance = Written.of(whole)
    (l11,), (_, l22), (l31, l32, l33), (l41, l42, l43, l44) = cholesky_rows(covariance)
    # ν~+ ± ν~− are the norms of the two parts of LᵀJ~L.
    k12, k34 = l11 * l22 - l31 * l42 + l41 * l32, -l33 * l44
    k13, k14, k23, k24 = l41 * l33 - l31 * l43, -l31 * l44, l42 * l33 - l32 * l43, -l32 * l44
    total = sqrt((k12 - k34) ** 2 + (k13 + k24) ** 2 + (k14 - k23) ** 2)
    split = (k12 + k34) ** 2 + (k13 - k24) ** 2 + (k14 + k23) ** 2
    high = (total + safe_sqrt(split)) / 2
    nu = quotient(l11 * l22 * l33 * l44, high)

    # y = 4ν~² − 1 solves y² − sy + f = 0, s = u + v − 8 det c, f = uv − 16(det α det β − det σ)
    # + 8 det c. In an entangled state f < 0, det c < 0 and s > 0.
    first, second = _locals(covariance, 2 * l11 * l22)
    near = first.root * second.root < _WARM**0.5
    c11, c12, c21, c22 = (covariance[i, j] for i in (0, 1) for j in (2, 3))
    cross = jnp.where(near, c11 * c22 - c12 * c21, 0)
    m = [[jnp.where(near, x, 0) for x in row] for row in ((l31, l32), (l41, l42))]
    explained = _explained(covariance.block(2, 4), m)
    u, v = (jnp.where(near, x.excess, 0) for x in (first, second))
    shared = 4 * jnp.where(near, first.root, 0) ** 2 * explained - 16 * cross * cross
    product = u * v - shared + 8 * cross
    sum_ = u + v - 8 * cross
    entangled = near & (product < 0)
    root = sqrt(jnp.where(entangled, sum_ * sum_ - 4 * product, 1))
    excess = 2 * quotient(product, jnp.where(entangled, sum_ + root, 1))
    return _positive_log(jnp.where(entangled, excess, 0), nu, near)


def _locals(covariance: Written, first_root: jax.Array) -> tuple[_Local, _Local]:
    one, two = covariance.block(0, 2), covariance.block(2, 4)
    second_root = 2 * safe_sqrt(two[0, 0] * two[1, 1] - two[0, 1] ** 2)
    return (
        _local(one[0, 0], one[0, 1], one[1, 1], first_root),
        _local(two[0, 0], two[0, 1], two[1, 1], second_root),
    )


def _products(m: list[list[jax.Array]]) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The entries of R = MMᵀ for M of two rows."""
    zero = jnp.zeros_like(m[0][0])
    r11, r12, r22 = (
        sum((x * y for x, y in zip(m[i], m[j], strict=True)), zero)
        for i, j in ((0, 0), (0, 1), (1, 1))
    )
    return r11, r12, r22


def _explained(block: jax.Array | Written, m: list[list[jax.Array]]) -> jax.Array:
    """The product det β · tr(β⁻¹R)."""
    r11, r12, r22 = _products(m)
    return block[1, 1] * r11 + block[0, 0] * r22 - 2 * block[0, 1] * r12


def _steering_of_one(covariance: jax.Array) -> jax.Array:
    """Of a last mode, whose Schur complement is β − R with R = MMᵀ what the others explain."""
    size = covariance.shape[0]
    given: jax.Array | Written = Written.of(covariance) if size == 4 else covariance
    lower = cholesky_rows(given) if isinstance(given, Written) else cholesky(given)
    block = given.block(2, 4) if isinstance(given, Written) else given[-2:, -2:]
    root = 2 * safe_sqrt(block[0, 0] * block[1, 1] - block[0, 1] ** 2)
    mode = _local(block[0, 0], block[0, 1], block[1, 1], root)
    near = root < _WARM**0.25
    m = [[jnp.where(near, lower[i][j], 0) for j in range(size - 2)] for i in (size - 2, size - 1)]
    r11, r12, r22 = _products(m)
    excess = jnp.where(near, mode.excess, 0) - 4 * _explained(block, m)
    excess += 4 * (r11 * r22 - r12 * r12)
    nu = lower[-2][size - 2] * lower[-1][size - 1]
    return _positive_log(excess, nu, near)
