"""Symplectic spectrum and entropies of a covariance, written to lose no digits.

Covariances are [2N, 2N] in the order (x1, p1, x2, p2, …) with vacuum variance 1/2.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.special import ATANHC_SERIES, divided_difference, polynomial


def rounding_of(covariance: jax.Array) -> jax.Array:
    """How far rounding alone may push a symplectic eigenvalue below 1/2."""
    return 64 * np.finfo(covariance.dtype).eps * jnp.max(jnp.abs(covariance))


def williamson(covariance: jax.Array) -> jax.Array:
    """Symplectic eigenvalues [N], ascending."""
    modes = covariance.shape[0] // 2
    if modes == 1:
        return jnp.sqrt(_determinant(covariance))[None]
    if modes == 2:
        local = _two_mode_invariants(covariance)
        high = (local.total + _safe_sqrt(local.split)) / 2
        return jnp.stack([local.product / high, high])
    # With σ = LLᵀ the Hermitian iLᵀJL has the eigenvalues ±ν.
    factor = jnp.linalg.cholesky(covariance)
    form = np.kron(np.eye(modes), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    rotated = factor.T @ jnp.asarray(form, covariance.dtype) @ factor
    return jnp.linalg.eigvalsh(jax.lax.complex(jnp.zeros_like(rotated), rotated))[modes:]


def entropy(covariance: jax.Array) -> jax.Array:
    """Von Neumann entropy in nats."""
    nu = williamson(covariance)
    return jnp.sum(_mode_entropy(nu, rounding_of(covariance)))


def _mode_entropy(nu: jax.Array, rounding: jax.Array) -> jax.Array:
    """f(ν) = ln(ν + ½) + (ν − ½) ln[(ν + ½)/(ν − ½)], free of cancellation for large ν."""
    # A pure mode sits at ν = ½ up to rounding on either side, and has no entropy.
    below = nu - 0.5
    pure = jnp.abs(below) <= np.finfo(nu.dtype).eps
    below = jnp.where(pure | ((below < 0) & (below >= -rounding)), 0, below)
    pure = below == 0
    safe = jnp.where(pure, 1, below)
    return jnp.where(pure, 0, jnp.log1p(below) + below * jnp.log1p(1 / safe))


def _determinant(matrix: jax.Array) -> jax.Array:
    return matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]


class _Invariants(NamedTuple):
    """Symplectic invariants of σ = [[α, c], [cᵀ, β]]."""

    a: jax.Array  # √det α
    b: jax.Array  # √det β
    cross: jax.Array  # det c
    shared: jax.Array  # det α det β − det σ
    product: jax.Array  # ν+ ν− = √det σ
    total: jax.Array  # ν+ + ν−
    split: jax.Array  # (ν+ − ν−)²


def _two_mode_invariants(covariance: jax.Array) -> _Invariants:
    """The invariants of two modes, NaN where σ is not positive definite.

    With σ = LLᵀ the symplectic eigenvalues are the singular values of the antisymmetric
    K = LᵀJL, and ν+ ± ν− are the norms of its self-dual and anti-self-dual parts: unlike
    (ν+² + ν−²)² − 4 det σ, this leaves an error of ε‖σ‖ in both, even where they coincide, and
    det σ loses no more digits near a critical point than the entries of σ have.
    """
    lower = _cholesky(covariance)
    (l11,), (_, l22), (l31, l32, l33), (l41, l42, l43, l44) = lower
    k12, k13, k14 = l11 * l22 + l31 * l42 - l41 * l32, l31 * l43 - l41 * l33, l31 * l44
    k23, k24, k34 = l32 * l43 - l42 * l33, l32 * l44, l33 * l44
    total = jnp.sqrt((k12 + k34) ** 2 + (k13 - k24) ** 2 + (k14 + k23) ** 2)
    split = (k12 - k34) ** 2 + (k13 + k24) ** 2 + (k14 - k23) ** 2

    beta, c = covariance[2:, 2:], covariance[:2, 2:]
    cross = _determinant(c)
    # What mode 1 explains of mode 2, R = cᵀα⁻¹c = MMᵀ, is all of β but the last block of L. The
    # difference of the determinants follows from it without subtracting them.
    m = ((l31, l32), (l41, l42))
    r11, r12, r22 = (m[i][0] * m[j][0] + m[i][1] * m[j][1] for i, j in ((0, 0), (0, 1), (1, 1)))
    explained = beta[1, 1] * r11 + beta[0, 0] * r22 - 2 * beta[0, 1] * r12
    det_alpha = (l11 * l22) ** 2
    return _Invariants(
        a=l11 * l22,
        b=jnp.sqrt(_determinant(beta)),
        cross=cross,
        shared=det_alpha * explained - cross**2,
        product=l11 * l22 * k34,
        total=total,
        split=split,
    )


def _cholesky(matrix: jax.Array) -> list[list[jax.Array]]:
    """Rows of the lower Cholesky factor, written out so that it fuses under ``vmap``."""
    rows: list[list[jax.Array]] = []
    for i in range(matrix.shape[0]):
        row: list[jax.Array] = []
        for j in range(i + 1):
            rest = matrix[i, j]
            for k in range(j):
                rest = rest - row[k] * (row[k] if i == j else rows[j][k])
            row.append(jnp.sqrt(rest) if i == j else rest / rows[j][j])
        rows.append(row)
    return rows


def two_mode_information(covariance: jax.Array) -> jax.Array:
    """I = f(a) + f(b) − f(ν+) − f(ν−), for weak correlations as a sum of small differences."""
    local = _two_mode_invariants(covariance)
    a, b = local.a, local.b
    rounding = rounding_of(covariance)
    drop_p = local.shared / (a * b + local.product)
    drop_s = 2 * (drop_p - local.cross) / (a + b + local.total)
    # What the correlations take off Q− = (ν+ − ½)(ν− − ½); against its uncorrelated value
    # (a − ½)(b − ½) it says whether the plain difference of entropies would cancel.
    drop = drop_p - drop_s / 2
    lower0 = (a - 0.5) * (b - 0.5)
    weak = (a > 0.5) & (b > 0.5) & (8 * jnp.abs(drop) < lower0) & (8 * jnp.abs(drop_p) < a * b)
    high = (local.total + _safe_sqrt(local.split)) / 2
    plain = (
        _mode_entropy(a, rounding)
        + _mode_entropy(b, rounding)
        - _mode_entropy(high, rounding)
        - _mode_entropy(local.product / high, rounding)
    )
    # Off its domain the other form runs on harmless numbers: a = b = 1, no correlations.
    one = _Invariants(*(jnp.full_like(a, x) for x in (1.0, 1.0, 0.0, 0.0, 1.0, 2.0, 0.0)))
    chosen = _Invariants(*(jnp.where(weak, x, y) for x, y in zip(local, one, strict=True)))
    return jnp.where(weak, _weak_information(chosen), plain)


def _safe_sqrt(square: jax.Array) -> jax.Array:
    """√x, zero with a zero slope for x ≤ 0; NaN stays NaN."""
    positive = ~(square <= 0)
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), 0)


def _weak_information(local: _Invariants) -> jax.Array:
    """S(a, b) − S(ν+, ν−) where every change from (a, b) to (ν+, ν−) is small.

    With s = x + y, p = xy, d = (x − y)² and Q± = (x ± ½)(y ± ½) = p ± s/2 + ¼,

        S(x, y) = f(x) + f(y) = ½(s + 1) ln Q+ − ½(s − 1) ln Q− − √d artanh(2√d/(4p − 1)).

    The changes of s, p and d follow from det c and the correlation part of det σ without
    subtraction, and enter through log1p; coinciding eigenvalues are ordinary points.
    """
    a, b, cross = local.a, local.b, local.cross
    s0, p0, d0 = a + b, a * b, (a - b) ** 2
    s, p, d = local.total, local.product, local.split
    drop_p = local.shared / (p0 + p)
    drop_s = 2 * (drop_p - cross) / (s0 + s)
    drop_d = -2 * (drop_p + cross)
    upper0, lower0 = (a + 0.5) * (b + 0.5), (a - 0.5) * (b - 0.5)
    upper, lower = upper0 - (drop_p + drop_s / 2), lower0 - (drop_p - drop_s / 2)
    up, down = (drop_p + drop_s / 2) / upper, (drop_p - drop_s / 2) / lower
    # ln(1 + up) − ln(1 + down), whose leading parts cancel at high temperature
    bend = jnp.log1p(((p + 0.25) * drop_s - s * drop_p) / (upper * lower) / (1 + down))
    logarithms = drop_s * jnp.log(upper0 / lower0) + s * bend + jnp.log1p(up) + jnp.log1p(down)

    # E = √d artanh(u), u = 2√d/q, q = 4p − 1; in terms of d while u is small, as √d is not
    # smooth at a = b.
    q0, q = 4 * p0 - 1, 4 * p - 1
    z0, z = 4 * d0 / q0**2, 4 * d / q**2
    series = (z0 < 0.05) & (z < 0.05)
    small0, small = jnp.where(series, z0, 0), jnp.where(series, z, 0)
    drop_ratio = (drop_d - 4 * drop_p * d / q) / q0  # of d/q
    drop_z = 4 * (drop_ratio - 4 * drop_p * d / q**2) / q0
    near = 2 * (
        drop_ratio * polynomial(ATANHC_SERIES, small0)
        + d / q * drop_z * divided_difference(ATANHC_SERIES, small0, small)
    )
    root0 = jnp.where(series, 1, jnp.abs(jnp.where(series, 1, a - b)))
    root = jnp.where(series, 1, _safe_sqrt(jnp.where(series, 1, d)))
    drop_root = drop_d / (root0 + root)
    drop_u = 2 * (drop_root - 4 * drop_p * root / q) / q0
    u0 = 2 * root0 / q0
    artanh0 = jnp.abs(jnp.log((a + 0.5) * (b - 0.5) / ((a - 0.5) * (b + 0.5)))) / 2
    complement = 16 * upper0 * lower0 / q0**2 + u0 * drop_u  # 1 − u0 u
    far = drop_root * artanh0 + root * jnp.arctanh(
        jnp.where(series, 0, drop_u / jnp.where(series, 1, complement))
    )
    return logarithms / 2 - jnp.where(series, near, far)
