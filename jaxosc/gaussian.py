"""What a Gaussian state tells: numbers from a covariance, whatever it came from.

A covariance is σ [2N, 2N], σ_ij = ⟨{r_i, r_j}⟩/2 of the quadratures (x1, p1, x2, p2, …) with
[x, p] = i, so that the vacuum has variance 1/2. Entropies are in nats.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxosc import _checks
from jaxosc._numerics.network_lyapunov import blocks_of
from jaxosc._numerics.special import ATANHC_SERIES, divided_difference, polynomial


def occupation(covariance: ArrayLike) -> jax.Array:
    """Mean occupations ⟨a_j†a_j⟩ = (⟨x_j²⟩ + ⟨p_j²⟩ − 1)/2.

    Args:
        covariance: σ [2N, 2N].

    Returns:
        [N], dimensionless.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Source: Konopik & Lutz, App. A, last line.
    """
    variance = jnp.diag(_covariance(covariance))
    return (variance[0::2] + variance[1::2] - 1) / 2


def coherence(covariance: ArrayLike) -> jax.Array:
    """The matrix ⟨a_j†a_k⟩, with the occupations on its diagonal.

    ⟨a_j†a_k⟩ = [⟨x_jx_k⟩ + ⟨p_jp_k⟩ + i(⟨x_jp_k⟩ − ⟨p_jx_k⟩) − δ_jk]/2.

    Args:
        covariance: σ [2N, 2N].

    Returns:
        [N, N], complex and Hermitian, dimensionless.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.
    """
    xx, xp, pp = blocks_of(_covariance(covariance))
    return jax.lax.complex((xx + pp - jnp.eye(xx.shape[0], dtype=xx.dtype)) / 2, (xp - xp.T) / 2)


def symplectic_eigenvalues(covariance: ArrayLike) -> jax.Array:
    """Symplectic eigenvalues ν, ascending: the moduli of the eigenvalues of iJσ, one of each pair.

    Args:
        covariance: σ [2N, 2N].

    Returns:
        [N]; at least 1/2 each for a physical state. NaN where σ is not positive definite.
        Derivatives are singular where two of them coincide.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Source: Konopik & Lutz, App. B; Serafini et al., J. Phys. B 37, L21 (2004).
    """
    return _symplectic_eigenvalues(_covariance(covariance))


def von_neumann_entropy(covariance: ArrayLike) -> jax.Array:
    """Von Neumann entropy S = Σ f(ν), f(ν) = (ν + ½) ln(ν + ½) − (ν − ½) ln(ν − ½).

    Args:
        covariance: σ [2N, 2N].

    Returns:
        A scalar in nats; NaN where the state is not physical.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Source: Konopik & Lutz, App. B.
    """
    return _entropy(_covariance(covariance))


def mutual_information(
    covariance: ArrayLike,
    modes: Sequence[int] | None = None,
    others: Sequence[int] | None = None,
) -> jax.Array:
    """Quantum mutual information I = S(A) + S(B) − S(AB) between two groups of modes.

    Args:
        covariance: σ [2N, 2N].
        modes: the modes of group A, numbered from 0. May be left out for N = 2.
        others: the modes of group B; all the remaining ones if left out.

    Returns:
        A scalar in nats; NaN where the state of the two groups is not physical. For one mode
        against one, the correlations are taken out before the logarithms, so that a weak
        correlation keeps its relative accuracy.

    Raises:
        ValueError: if the shape is not (2N, 2N), σ is known and not symmetric, or the groups
            are empty, overlap, repeat or do not exist.

    Source: Konopik & Lutz, App. B.
    """
    covariance = _covariance(covariance)
    first, second = _groups(covariance.shape[0] // 2, modes, others)
    if len(first) == len(second) == 1:
        return _two_mode_information(_restrict(covariance, first + second))
    return (
        _entropy(_restrict(covariance, first))
        + _entropy(_restrict(covariance, second))
        - _entropy(_restrict(covariance, first + second))
    )


def purity(covariance: ArrayLike) -> jax.Array:
    """Purity tr ρ² = 1/(2^N √det σ), 1 for a pure state.

    Args:
        covariance: σ [2N, 2N].

    Returns:
        A scalar; NaN where σ is not positive definite.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.
    """
    factor = jnp.linalg.cholesky(_covariance(covariance))
    return jnp.prod(1 / (jnp.sqrt(2.0).astype(factor.dtype) * jnp.diag(factor)))


def is_physical(covariance: ArrayLike) -> jax.Array:
    """Whether σ belongs to a quantum state: σ > 0 and every symplectic eigenvalue ≥ 1/2.

    A pure state lies on the boundary, so a shortfall by the rounding of σ itself, 64 ε max|σ|,
    is let pass.

    Args:
        covariance: σ [2N, 2N].

    Returns:
        A boolean scalar; False for NaN.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.
    """
    covariance = _covariance(covariance)
    smallest = _symplectic_eigenvalues(covariance)[0]
    return smallest >= 0.5 - _rounding(covariance)


def _covariance(covariance: ArrayLike) -> jax.Array:
    (array,) = _checks.float_arrays(covariance=covariance)
    _checks.require_quadratures("covariance", array)
    _checks.require_symmetric("covariance", array)
    return array


def _groups(
    total: int, modes: Sequence[int] | None, others: Sequence[int] | None
) -> tuple[list[int], list[int]]:
    if modes is None:
        if total != 2:
            raise ValueError(
                "Argument `modes` must name the modes of the first group, "
                f"but it is missing and there are {total} modes."
            )
        if others is not None:
            raise ValueError("Argument `modes` must be given with `others`, but it is missing.")
        modes = (0,)
    first = _indices("modes", modes)
    rest = [mode for mode in range(total) if mode not in first]
    second = rest if others is None else _indices("others", others)
    for name, group in (("modes", first), ("others", second)):
        if not group or len(set(group)) < len(group) or not all(0 <= m < total for m in group):
            raise ValueError(
                f"Argument `{name}` must hold different modes between 0 and {total - 1}, "
                f"at least one, but it is {tuple(group)}."
            )
    if set(first) & set(second):
        raise ValueError(
            f"Argument `others` must share no mode with `modes`, but it is {tuple(second)} "
            f"and `modes` is {tuple(first)}."
        )
    return first, second


def _indices(name: str, modes: Sequence[int]) -> list[int]:
    try:
        return [operator.index(mode) for mode in modes]
    except (TypeError, jax.errors.ConcretizationTypeError) as error:
        raise ValueError(
            f"Argument `{name}` must be a sequence of whole numbers known before compilation, "
            f"but it is {modes!r}; under jax.jit, name it in static_argnames."
        ) from error


def _restrict(covariance: jax.Array, modes: list[int]) -> jax.Array:
    index = np.array([2 * mode + quadrature for mode in modes for quadrature in (0, 1)])
    return covariance[np.ix_(index, index)]


def _rounding(covariance: jax.Array) -> jax.Array:
    """How far rounding alone may push a symplectic eigenvalue below 1/2."""
    return 64 * np.finfo(covariance.dtype).eps * jnp.max(jnp.abs(covariance))


def _symplectic_eigenvalues(covariance: jax.Array) -> jax.Array:
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


def _entropy(covariance: jax.Array) -> jax.Array:
    nu = _symplectic_eigenvalues(covariance)
    return jnp.sum(_mode_entropy(nu, _rounding(covariance)))


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


def _two_mode_information(covariance: jax.Array) -> jax.Array:
    """I = f(a) + f(b) − f(ν+) − f(ν−), for weak correlations as a sum of small differences."""
    local = _two_mode_invariants(covariance)
    a, b = local.a, local.b
    rounding = _rounding(covariance)
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
