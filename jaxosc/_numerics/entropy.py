"""Symplectic spectrum and entropies of a covariance, written to lose no digits.

Covariances are [2N, 2N] in the order (x1, p1, x2, p2, …) with vacuum variance 1/2.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.jacobians import by_tables
from jaxosc._numerics.linear import cholesky, eigh
from jaxosc._numerics.sharing import quotient, reciprocal, row, shared, sqrt
from jaxosc._numerics.small import Written, entrywise, matrix, nan_unless, rows_of, scaled
from jaxosc._numerics.special import (
    ATANHC_SERIES,
    divided_difference,
    log1p,
    polynomial,
    power_of_two,
)
from jaxosc._numerics.spectral import spectral_sum
from jaxosc._numerics.uncertainty import is_determined, is_state


def _largest_variance(covariance: jax.Array) -> jax.Array:
    variances = [jnp.abs(covariance[i, i]) for i in range(covariance.shape[0])]
    if len(variances) > 4:
        return jnp.max(jnp.stack(variances))
    return functools.reduce(jnp.maximum, variances)


def williamson(covariance: jax.Array) -> jax.Array:
    """Symplectic eigenvalues [N], ascending; NaN where the entries of σ do not determine them."""
    of_order_one, unit = in_unit(covariance)
    sound = is_determined(of_order_one)
    return entrywise(lambda nu: nan_unless(sound, nu * unit), _williamson(of_order_one))


def eigenvalues(covariance: jax.Array) -> jax.Array:
    """Symplectic eigenvalues [N], ascending; NaN where σ is not positive definite."""
    of_order_one, unit = in_unit(covariance)
    return _williamson(of_order_one) * unit


def in_unit(covariance: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The covariance over a power of two next to the largest variance, and that power."""
    # Products of four entries could overflow.
    unit = power_of_two(jax.lax.stop_gradient(_largest_variance(covariance)) / 2)
    return scaled(covariance, 1 / unit), unit


def _williamson(covariance: jax.Array) -> jax.Array:
    modes = covariance.shape[0] // 2
    if modes == 1:
        (aa, ab), (_, bb) = covariance
        return jnp.where(aa > 0, jnp.sqrt(aa * bb - ab * ab), jnp.nan)[None]
    if modes == 2:
        local = _pair_invariants(covariance)
        high = (local.total + safe_sqrt(local.split)) / 2
        return row([local.product / high, high])
    values = eigh(symplectic_form_of(covariance))[0][modes:]
    # Each is good to a few ε of the largest only: of the smallest, a quarter as for the entries.
    lost = 2 * modes * float(np.finfo(covariance.dtype).eps) * values[-1]
    return nan_unless(jax.lax.stop_gradient(lost < values[0] / 4), values)


def symplectic_form_of(covariance: jax.Array) -> jax.Array:
    """The Hermitian iLᵀJL [2N, 2N] with σ = LLᵀ, whose eigenvalues are ±ν."""
    factor = cholesky(covariance)
    form = np.kron(np.eye(len(covariance) // 2), np.array([[0.0, 1.0], [-1.0, 0.0]]))
    rotated = factor.T @ jnp.asarray(form, covariance.dtype) @ factor
    return jax.lax.complex(jnp.zeros_like(rotated), rotated)


def entropy(covariance: jax.Array) -> jax.Array:
    """Von Neumann entropy in nats."""
    return nan_unless(is_sound(covariance), _entropy(covariance))


def information(first: jax.Array, second: jax.Array, both: jax.Array) -> jax.Array:
    """Mutual information in nats of two groups of modes, by their covariances and the joint one."""
    # What holds for the whole holds for its parts: theirs are blocks of the same matrices.
    shared_ = _entropy(first) + _entropy(second) - _entropy(both)
    return nan_unless(is_sound(both), shared_)


def purity(covariance: jax.Array) -> jax.Array:
    """The purity 1/(2^N √det σ)."""
    if covariance.shape[0] <= 4:
        lower = cholesky_rows(covariance)
        pivots = [lower[i][i] for i in range(len(lower))]
        value = functools.reduce(jnp.multiply, [reciprocal(math.sqrt(2) * x) for x in pivots])
    else:
        factor = cholesky(covariance)
        value = jnp.prod(1 / (math.sqrt(2) * jnp.diag(factor)))
    # No state is purer than pure; rounding must not say so, nor lose the slope.
    value -= jax.lax.stop_gradient(jnp.maximum(value - 1, 0))
    return nan_unless(is_sound(covariance), value)


def is_sound(covariance: jax.Array) -> jax.Array:
    """Whether it is the covariance of a state, and determines the numbers of that state."""
    return is_state(covariance) & is_determined(covariance)


def _entropy(covariance: jax.Array) -> jax.Array:
    """Smooth where symplectic eigenvalues coincide."""
    if covariance.shape[0] == 2:
        return mode_entropy(eigenvalues(covariance)[0])
    if covariance.shape[0] == 4:
        return _pair_entropy(covariance)
    return spectral_sum(mode_entropy)(symplectic_form_of(covariance))


def _pair_entropy(covariance: jax.Array) -> jax.Array:
    """f(ν+) + f(ν−), by d = (ν+ − ν−)² where ν+ and ν− are within a thousandth of ν − ½.

    With their mean ν it is 2f(ν) + f″(ν) d/4 + f⁗(ν) d²/192 + …, free of the slope of √d.
    """
    of_order_one, unit = in_unit(covariance)
    local = _pair_invariants(of_order_one)
    root = safe_sqrt(local.split)
    high = (local.total + root) / 2
    apart = mode_entropy(local.product / high * unit) + mode_entropy(high * unit)

    mean = local.total / 2 * unit
    number = thermal_number(mean)
    near = 1000 * jax.lax.stop_gradient(root) * unit < number
    safe = jnp.where(near, number, 1)
    inverse = 1 / (safe * (1 + safe))  # f″ = −1/(ν² − ¼)
    square = jnp.where(near, local.split * unit * inverse * unit, 0)
    fourth = 2 - 8 * jnp.where(near, mean, 0) * mean * inverse  # times 1/(ν² − ¼)²
    together = 2 * mode_entropy(mean) - square / 4 + fourth * square**2 / 192
    return jnp.where(near, together, apart)


def mode_entropy(nu: jax.Array) -> jax.Array:
    """f(ν) = ln(ν + ½) + (ν − ½) ln[(ν + ½)/(ν − ½)], free of cancellation for large ν."""
    number = thermal_number(nu)
    pure = number == 0
    safe = jnp.where(pure, 1, number)
    return jnp.where(pure, 0, log1p(number) + number * log1p(1 / safe))


def thermal_number(nu: jax.Array) -> jax.Array:
    """ν − ½, the thermal occupation of a mode of a state; zero for a pure one."""
    number = nu - 0.5
    return jnp.where(number <= np.finfo(nu.dtype).eps, 0, number)


class _Invariants(NamedTuple):
    """Symplectic invariants of σ = [[α, c], [cᵀ, β]]."""

    a: jax.Array  # √det α
    b: jax.Array  # √det β
    cross: jax.Array  # det c
    explained: jax.Array  # (det α det β − det σ + cross²)/det α
    product: jax.Array  # ν+ ν− = √det σ
    total: jax.Array  # ν+ + ν−
    split: jax.Array  # (ν+ − ν−)²


def _pair_invariants(covariance: jax.Array | Written) -> _Invariants:
    """The invariants of two modes, NaN where σ is not positive definite.

    With σ = LLᵀ the symplectic eigenvalues are the singular values of the antisymmetric
    K = LᵀJL, and ν+ ± ν− are the norms of its self-dual and anti-self-dual parts: unlike
    (ν+² + ν−²)² − 4 det σ, this leaves an error of ε‖σ‖ in both, even where they coincide, and
    det σ loses no more digits near a critical point than the entries of σ have.
    """
    covariance = Written.of(covariance)
    lower = cholesky_rows(covariance)
    (l11,), (_, l22), (l31, l32, l33), (l41, l42, l43, l44) = lower
    k12, k13, k14 = l11 * l22 + l31 * l42 - l41 * l32, l31 * l43 - l41 * l33, l31 * l44
    k23, k24, k34 = l32 * l43 - l42 * l33, l32 * l44, l33 * l44
    total = sqrt((k12 + k34) ** 2 + (k13 - k24) ** 2 + (k14 + k23) ** 2)
    split = (k12 - k34) ** 2 + (k13 + k24) ** 2 + (k14 - k23) ** 2

    beta11, beta12, beta22 = covariance[2, 2], covariance[2, 3], covariance[3, 3]
    cross = covariance[0, 2] * covariance[1, 3] - covariance[0, 3] * covariance[1, 2]
    # What mode 1 explains of mode 2, R = cᵀα⁻¹c = MMᵀ, is all of β but the last block of L. The
    # difference of the determinants follows from it without subtracting them.
    m = ((l31, l32), (l41, l42))
    r11, r12, r22 = (m[i][0] * m[j][0] + m[i][1] * m[j][1] for i, j in ((0, 0), (0, 1), (1, 1)))
    return _Invariants(
        a=l11 * l22,
        b=sqrt(beta11 * beta22 - beta12 * beta12),
        cross=cross,
        explained=beta22 * r11 + beta11 * r22 - 2 * beta12 * r12,
        product=l11 * l22 * k34,
        total=total,
        split=split,
    )


def cholesky_rows(matrix: jax.Array | Written) -> list[list[jax.Array]]:
    """Rows of the lower Cholesky factor, written out so that it fuses under ``vmap``."""
    written = Written.of(matrix)
    rows: list[list[jax.Array]] = []
    for i in range(len(written.rows)):
        row: list[jax.Array] = []
        for j in range(i + 1):
            rest = written[i, j]
            for k in range(j):
                rest = rest - row[k] * (row[k] if i == j else rows[j][k])
            row.append(sqrt(rest) if i == j else quotient(rest, rows[j][j]))
        rows.append(row)
    return rows


@jax.custom_jvp
def pair_information(covariance: jax.Array) -> jax.Array:
    """Mutual information in nats of two modes."""
    return _information(covariance)


@pair_information.defjvp
def _pair_information_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    # From one computation with two results XLA would keep all that both use in memory. It does
    # not see that these are two of the same.
    (covariance,) = primals
    again = matrix([[shared(entry) for entry in row] for row in rows_of(covariance)])
    return pair_information(again), jax.jvp(_information, primals, tangents)[1]


def _information(covariance: jax.Array) -> jax.Array:
    """I = f(a) + f(b) − f(ν+) − f(ν−), from the small changes that the correlations make.

    With the occupations n = ν − ½ and their changes δ (from a, b to ν±),

        I = ln(1 + Δ+/Q+) + Σ δ ln(1 + 1/n_0) − n ln(1 + δ/(n (1 + n_0))),

    the sum over both pairs (n_0, n), larger with larger. Weak correlations between nearly equal
    modes change n in first order and I in second; there the sums s = x + y and products p = xy
    take over, with d = (x − y)² and Q± = (x ± ½)(y ± ½) = p ± s/2 + ¼:

        f(x) + f(y) = ½(s + 1) ln Q+ − ½(s − 1) ln Q− − √d artanh(2√d/(4p − 1)),

    whose last term is a series in d. The changes of s, p and d follow from det c and the
    correlation part of det σ without subtraction. The two forms share their logarithms.
    """
    rows = Written.of(covariance).rows
    largest = float(np.sqrt(np.finfo(covariance.dtype).max)) / 16
    sound = is_sound(covariance) & (_largest_variance(covariance) < largest)
    # In the tables too, or each derivative by an entry would look whether they are sound
    one = nan_unless(sound, jnp.ones((), covariance.dtype))
    return by_tables(_information_of_entries, rows, one)


def _information_of_entries(rows: tuple[tuple[jax.Array, ...], ...], one: jax.Array) -> jax.Array:
    local = _pair_invariants(Written(rows))
    a, b, s, p, d = local.a, local.b, local.total, local.product, local.split
    # No product of more than two factors of the size of σ, which would overflow in float32
    inverse = reciprocal(a * b + p)
    drop_p = inverse * a * local.explained * a - inverse * local.cross * local.cross
    drop_s = quotient(2 * (drop_p - local.cross), a + b + s)
    drop_d = -2 * (drop_p + local.cross)

    root = safe_sqrt(d)
    high = (s + root) / 2
    # Not jnp.maximum, whose derivative divides. Slopes where a = b are those of one order of
    # the two throughout; |a − b| would have none.
    first = a > b
    large0, small0 = jnp.where(first, a, b), jnp.where(first, b, a)
    gap = large0 - small0
    large0, small0, large, small = (
        thermal_number(nu) for nu in (large0, small0, high, quotient(p, high))
    )
    pure0 = small0 == 0
    safe0 = jnp.where(pure0, 1, small0)
    large_safe0 = jnp.where(large0 == 0, 1, large0)
    upper = (1 + large) * (1 + small)
    gain_upper, gain_lower = drop_p + drop_s / 2, drop_p - drop_s / 2

    q0, q = 4 * a * b - 1, 4 * p - 1
    lower0 = large0 * small0
    weak = (lower0 > 0) & (8 * jnp.abs(gain_lower) < lower0) & (8 * jnp.abs(drop_p) < a * b)
    roots = gap + root
    near = weak & (80 * gap**2 < q0 * q0) & (80 * d < q * q) & (2 * roots < s)
    lower = jnp.where(near, lower0 - gain_lower, 1)
    down = quotient(gain_lower, lower)
    inverse_upper = reciprocal(upper)
    # Of ln(Q+/Q−), whose leading parts cancel when hot
    bend = (p + 0.25) * inverse_upper * drop_s - s * inverse_upper * drop_p

    # Where the rounding of the changes is less than that of the eigenvalues themselves
    separate = (8 * roots > s) | (jnp.abs(drop_p) + jnp.abs(local.cross) < roots * s)
    drop_root = quotient(drop_d, jnp.where(separate, roots, 1))
    drop_large = jnp.where(separate, (drop_s + drop_root) / 2, large0 - large)
    drop_small = jnp.where(separate, (drop_s - drop_root) / 2, small0 - small)
    log_up = log1p(gain_upper * inverse_upper)
    log_large0 = jnp.where(large0 == 0, 0, log1p(reciprocal(large_safe0)))
    log_small0 = jnp.where(pure0, 0, log1p(reciprocal(safe0)))

    # n_0(1 + n)/(n(1 + n_0)) − 1, which exceeds −1 unless both occupations are mere rounding
    def change(drop: jax.Array, before: jax.Array, after: jax.Array) -> jax.Array:
        ratio = quotient(drop, jnp.where(after == 0, 1, after) * (1 + before))
        return jnp.where((ratio <= -1) | (before == 0), 0, ratio)

    change_large = change(drop_large, large0, large)
    change_small = change(drop_small, small0, small)
    log_first = log1p(jnp.where(near, down, change_large))
    log_second = log1p(jnp.where(near, quotient(bend, lower * (1 + down)), change_small))
    apart = (
        log_up
        + (drop_large * log_large0 - large * log_first)
        + (drop_small * log_small0 - small * log_second)
    )
    # (s + 1) ln Q+ − (s − 1) ln Q−. Each logarithm may be all rounding where its Q is.
    hot = s * log_second + log_up + log_first
    cold = (s + 1) * log_up - (large + small) * log_first
    together = drop_s * (log_large0 + log_small0) + jnp.where(s < 2, cold, hot)
    together = together / 2 - _drop_of_splitting(local, drop_p, drop_d, near)
    return jnp.where(near, together, apart) * one


def _drop_of_splitting(
    local: _Invariants, drop_p: jax.Array, drop_d: jax.Array, near: jax.Array
) -> jax.Array:
    """The change of √d artanh(2√d/q), q = 4p − 1, as a series in d/q²; zero unless near."""
    inverse0, inverse = (
        reciprocal(jnp.where(near, 4 * p - 1, 1)) for p in (local.a * local.b, local.product)
    )
    d0, d = (jnp.where(near, d, 0) for d in ((local.a - local.b) ** 2, local.split))
    ratio = d * inverse
    z0, z = (2 * inverse0) ** 2 * d0, 4 * inverse * ratio
    drop_ratio = (drop_d - 4 * drop_p * ratio) * inverse0  # of d/q
    drop_z = 4 * (drop_ratio - 4 * drop_p * inverse * ratio) * inverse0
    return 2 * (
        drop_ratio * polynomial(ATANHC_SERIES, z0)
        + ratio * drop_z * divided_difference(ATANHC_SERIES, z0, z)
    )


def safe_sqrt(square: jax.Array) -> jax.Array:
    """√x, zero with a zero slope for x ≤ 0; NaN stays NaN."""
    positive = ~(square <= 0)
    return jnp.where(positive, sqrt(jnp.where(positive, square, 1)), 0)
