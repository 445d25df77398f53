"""The first s > 0 at which an eigenvalue of A(s) = A₀ + sA₁ reaches the imaginary axis."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.eigenvalues import general_eigenvalues, general_eigenvectors
from jaxosc._numerics.linear import one_at_a_time, solve

# Up to this size of A every crossing is found as an eigenvalue of a matrix of its pairs of
# eigenvalues, [n(n − 1)/2]²; the work grows as n⁶.
_ALL_PAIRS = 12
# Beyond, the spectrum is sampled: at this many s up to the first static crossing or, if that is
# far away, a few times the reference, and at others over so many powers of ten on both sides of it.
_SAMPLES, _FAR_SAMPLES, _DECADES = 512, 128, 3
_NEAR = 4.0
# An eigenvalue that is zero up to rounding looks like a crossing far out. Beyond this many times
# the reference one counts only if A(s) is seen to grow behind it, and beyond so many, by bytes of
# the dtype, as none at all.
_FAR, _FARTHEST = 1e6, {4: 1e6, 8: 1e13}
# How much farther than a candidate A(s) must grow if it is a crossing.
_BEHIND = 1.01
_BISECTIONS = 50
_NEWTON_STEPS = 8


# The next candidate, whether the last one was a crossing, its unknowns and c
Attempt = tuple[jax.Array, jax.Array, jax.Array, jax.Array]


class Crossing(NamedTuple):
    """Where the first eigenvalue crosses, iν, with its eigenvector z: (A₀ + sA₁ − iν)z = 0.

    Attributes:
        scale: s; infinite if there is none, zero if A(s) is unstable for every s > 0 up to the
            first crossing, NaN if A(s) is neither, as when a motion is not damped.
        frequency: ν ≥ 0, zero if the motion grows without oscillating.
    """

    scale: jax.Array
    frequency: jax.Array


def first_instability(base: jax.Array, slope: jax.Array, reference: jax.Array) -> Crossing:
    """The smallest s > 0 at which A(s) stops being stable.

    Args:
        base: A₀ [n, n], n even, with entries of order one.
        slope: A₁ [n, n].
        reference: some s > 0, of the order of the one looked for.

    Returns:
        A Crossing; its derivatives, of any order, are those of the equation
        (A₀ + sA₁ − iν)z = 0, c†z = 1 with a constant c; NaN where several motions cross at once.
    """
    start, anchor, verdict = _search(*jax.lax.stop_gradient((base, slope, reference)))

    def equation(unknown: jax.Array) -> jax.Array:
        return _residual(unknown, base, slope, anchor)

    unknown = jax.lax.custom_root(
        equation,
        start,
        lambda _, solution: solution,
        lambda linear, right: _solve_regular(jax.jacobian(linear)(right), right),
    )
    found = verdict == 1
    return Crossing(jnp.where(found, unknown[-1], verdict), jnp.where(found, unknown[-2], jnp.nan))


def _residual(
    unknown: jax.Array, base: jax.Array, slope: jax.Array, anchor: jax.Array
) -> jax.Array:
    """The equation for (Re z, Im z, ν, s) in real form."""
    size = base.shape[0]
    real, imaginary = unknown[:size], unknown[size : 2 * size]
    nu, scale = unknown[2 * size], unknown[2 * size + 1]
    drift = base + scale * slope
    c_real, c_imaginary = anchor[:size], anchor[size:]
    norm = jnp.stack([
        c_real @ real + c_imaginary @ imaginary - 1,
        c_real @ imaginary - c_imaginary @ real,
    ])  # fmt: skip
    return jnp.concatenate([drift @ real + nu * imaginary, drift @ imaginary - nu * real, norm])


def _solve_regular(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """M⁻¹r, NaN where M is singular up to rounding."""
    values = _singular_values(jax.lax.stop_gradient(matrix))
    # A factor, for a selection would turn into zero in reverse
    regular = jnp.where(values[-1] > _rounding(matrix) * values[0], 1.0, jnp.nan)
    return solve(matrix, right) * regular.astype(matrix.dtype)


@one_at_a_time
def _singular_values(matrix: jax.Array) -> jax.Array:
    return jnp.linalg.svd(matrix, compute_uv=False)


def _solve_shortest(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """M⁻¹r, or the shortest of the best solutions where M is singular up to rounding."""
    left, values, rows = jnp.linalg.svd(matrix)
    kept = values > _rounding(matrix) * values[0]
    return rows.T @ (jnp.where(kept, left.T @ right, 0) / jnp.where(kept, values, 1))


def _rounding(matrix: jax.Array) -> float:
    return 4 * float(np.finfo(matrix.dtype).eps) * matrix.shape[0]


@one_at_a_time
def _search(
    base: jax.Array, slope: jax.Array, reference: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """(Re z, Im z, ν, s) of the first crossing, its c, and a verdict.

    The verdict is 1 if there is a crossing, else what to say in place of s.
    """
    size = base.shape[0]
    static = _crossings(base, slope, reference)
    if size <= _ALL_PAIRS:
        oscillating = _crossings(_of_pairs(base), _of_pairs(slope), reference)
    else:
        oscillating = _sampled_crossing(base, slope, reference, jnp.min(static))[None]
    candidates = jnp.concatenate([static, oscillating])
    order = jnp.argsort(candidates)
    candidates, is_static = candidates[order], order < static.shape[0]

    def growth_beyond_noise(scale: jax.Array) -> tuple[jax.Array, jax.Array]:
        # Rounding of an eigenvalue, and the slowest decay that can be told from none at all
        drift = base + scale * slope
        noise = 64 * float(np.finfo(base.dtype).eps) * jnp.max(jnp.abs(drift))
        growth = _growth(drift)
        return growth > noise, growth < -noise

    def grows_behind(scale: jax.Array) -> jax.Array:
        return growth_beyond_noise(_BEHIND * scale)[0]

    # From the smallest on, until one of them is a crossing to the last digits: what is known of
    # a candidate is often no better than ε times ω/γ.
    def pending(carry: Attempt) -> jax.Array:
        index, accepted, _, _ = carry
        inside = index < candidates.shape[0]
        return ~accepted & inside & (candidates[jnp.minimum(index, len(candidates) - 1)] < jnp.inf)

    def attempt(carry: Attempt) -> Attempt:
        index = carry[0]
        unknown, anchor, accepted = _polish(base, slope, candidates[index], is_static[index])
        accepted &= (unknown[-1] < _FAR * reference) | grows_behind(unknown[-1])
        return index + 1, accepted, unknown, anchor

    nothing = jnp.full(2 * size + 2, jnp.inf, base.dtype)
    index = jnp.zeros((), jnp.int32)
    _, accepted, unknown, anchor = jax.lax.while_loop(
        pending, attempt, (index, jnp.zeros((), bool), nothing, nothing[: 2 * size])
    )

    inside = jnp.minimum(jnp.where(accepted, unknown[-1] / 2, reference), reference)
    grows, decays = growth_beyond_noise(inside)
    # Not if a smaller one has been missed
    end = jnp.where(accepted, unknown[-1], jnp.inf) / _BEHIND
    before = jnp.append(candidates, jnp.where(accepted, end / _BEHIND, 0))
    missed = jnp.any(jax.lax.map(grows_behind, jnp.where(before < end, before, 0)))
    crossing = jnp.where(missed, jnp.nan, jnp.where(accepted, 1.0, jnp.inf))
    verdict = jnp.where(decays, crossing, jnp.where(grows, 0.0, jnp.nan))
    return unknown, anchor, verdict.astype(base.dtype)


def _growth(drift: jax.Array) -> jax.Array:
    """The largest growth rate, the real part of an eigenvalue."""
    return jnp.max(general_eigenvalues(drift).real)


def _crossings(base: jax.Array, slope: jax.Array, reference: jax.Array) -> jax.Array:
    """All real s > 0, up to rounding, with det(A₀ + sA₁) = 0; infinity in place of others."""
    inverse = -general_eigenvalues(jnp.linalg.solve(base + reference * slope, slope))
    size = inverse.real**2 + inverse.imag**2
    finite = size > 0
    size = jnp.where(finite, size, 1)
    # s − s_ref = 1/μ
    real = reference + inverse.real / size
    imaginary = inverse.imag / size
    tolerance = float(np.finfo(base.dtype).eps) ** 0.375
    genuine = finite & (jnp.abs(imaginary) <= tolerance * jnp.abs(real))
    farthest = _FARTHEST[base.dtype.itemsize] * reference
    genuine &= (real > tolerance * 1e-3 * reference) & (real < farthest)
    return jnp.where(genuine, real, jnp.inf)


def _of_pairs(matrix: jax.Array) -> jax.Array:
    """The map X ↦ AX + XAᵀ of antisymmetric X: its eigenvalues are the sums of two of A's.

    It is singular where two eigenvalues ±iν, or ±a, cancel.
    """
    i, j = np.triu_indices(matrix.shape[0], 1)
    one = np.eye(matrix.shape[0], dtype=matrix.dtype)

    def term(
        rows: np.ndarray, columns: np.ndarray, others: np.ndarray, their: np.ndarray
    ) -> jax.Array:
        return matrix[np.ix_(rows, columns)] * one[np.ix_(others, their)]

    return term(i, i, j, j) - term(i, j, j, i) - term(j, i, i, j) + term(j, j, i, i)


def _sampled_crossing(
    base: jax.Array, slope: jax.Array, reference: jax.Array, static: jax.Array
) -> jax.Array:
    """The first s of a grid at which A(s) is unstable, refined; infinity if there is none."""
    near = jnp.minimum(static, _NEAR * reference)
    near = near * jnp.arange(1, _SAMPLES + 1, dtype=base.dtype) / _SAMPLES
    far = reference * jnp.logspace(-_DECADES, _DECADES, _FAR_SAMPLES, dtype=base.dtype)
    grid = jnp.sort(jnp.concatenate([near, far]))
    growth = jax.lax.map(lambda scale: _growth(base + scale * slope), grid)
    unstable = growth > 0
    first = jnp.argmax(unstable)
    low = jnp.where(first > 0, grid[jnp.maximum(first - 1, 0)], 0)

    def halve(_: int, bracket: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        low, high = bracket
        middle = (low + high) / 2
        grows = _growth(base + middle * slope) > 0
        return jnp.where(grows, low, middle), jnp.where(grows, middle, high)

    _, high = jax.lax.fori_loop(0, _BISECTIONS, halve, (low, grid[first]))
    return jnp.where(jnp.any(unstable), high, jnp.inf)


def _polish(
    base: jax.Array, slope: jax.Array, scale: jax.Array, static: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Newton's method from the eigenvalue of A(s) next to the imaginary axis, or next to zero.

    Where A(s) is singular its eigenvalue 0 has a neighbour as far away as the damping, and ε makes
    √ε of both, but the vector that A(s) maps to zero keeps its digits.

    Returns:
        (Re z, Im z, ν, s), c, and whether it is a crossing, next to the s it came from.
    """
    dtype = base.dtype
    size = base.shape[0]
    values, vectors = general_eigenvectors(base + scale * slope)
    nearest = jnp.argmin(jnp.abs(values.real) + jnp.where(values.imag < 0, jnp.inf, 0))
    null = jnp.linalg.svd(base + scale * slope)[2][-1]
    real = jnp.where(static, null, vectors[:, nearest].real.astype(dtype))
    imaginary = jnp.where(static, 0, vectors[:, nearest].imag.astype(dtype))
    nu = jnp.where(static, 0, values[nearest].imag.astype(dtype))
    anchor = jnp.concatenate([real, imaginary])  # of norm 1
    start = jnp.concatenate([anchor, jnp.stack([nu, scale])])

    def step(_: int, unknown: jax.Array) -> jax.Array:
        jacobian = jax.jacfwd(_residual)(unknown, base, slope, anchor)
        return unknown - _solve_shortest(jacobian, _residual(unknown, base, slope, anchor))

    unknown = jax.lax.fori_loop(0, _NEWTON_STEPS, step, start)
    eps = float(np.finfo(dtype).eps)
    magnitude = jnp.max(jnp.abs(base)) + jnp.abs(unknown[-1]) * jnp.max(jnp.abs(slope))
    residual = jnp.max(jnp.abs(_residual(unknown, base, slope, anchor)[: 2 * size]))
    accepted = residual <= 64 * eps * size * magnitude
    accepted &= jnp.abs(unknown[-1] - scale) <= eps**0.25 * scale
    return unknown, anchor, accepted
