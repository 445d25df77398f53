"""Eigenvalues of a real drift to the digits of its entries, and how near they are to coalescing."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.eigenvalues import general_eigenvectors
from jaxosc._numerics.linear import inverse, one_at_a_time, solve
from jaxosc._numerics.lyapunov import sliced
from jaxosc._numerics.resolvent import product


class Eigensystem(NamedTuple):
    """Of A [n, n], the slowest decay first.

    Attributes:
        values: λ [n].
        vectors: right eigenvectors, columns of unit length [n, n].
        simple: whether λ is told apart from all others [n].
        same: which ones belong to one eigenvalue, as far as the dtype tells [n, n].
    """

    values: jax.Array
    vectors: jax.Array
    simple: jax.Array
    same: jax.Array


def eigensystem(matrix: jax.Array) -> Eigensystem:
    """Eigenvalues whose real parts keep their digits, however fast the motion oscillates.

    What an eigenvalue solver leaves, E = X⁻¹(AX − XΛ), is formed from exact products; Λ + E has
    the same eigenvalues as A. Its entries between eigenvalues that are apart matter to second
    order alone, by ε²ω²/Δ, and are dropped; of those that are not, the blocks are solved again,
    without what they have in common.
    """
    size, dtype = matrix.shape[0], matrix.dtype
    rounding = 32 * size * float(np.finfo(dtype).eps)
    values, vectors = general_eigenvectors(matrix)
    error = solve(vectors, _residual(matrix, values, vectors))
    gap = jnp.abs(values[:, None] - values[None, :])
    mixing = 8 * jnp.sqrt(jnp.abs(error) * jnp.abs(error.T))
    near = gap <= jnp.maximum(rounding * jnp.max(jnp.abs(values)), mixing)
    near = _joined(near | jnp.eye(size, dtype=bool))
    first = jnp.argmax(near, axis=1)
    centre = values[first]
    block = jnp.where(near, error, 0) + jnp.diag(values - centre)
    # Blocks far enough apart that their vectors do not mix
    apart = 4 * size * jnp.max(jnp.abs(block)) * first.astype(dtype)
    rest, mixed = general_eigenvectors(block + jnp.diag(apart).astype(block.dtype))
    member = jnp.argmax(jnp.abs(mixed), axis=0)
    found = centre[member] + (rest - apart[member].astype(rest.dtype))
    order = jnp.argsort(-found.real)
    found, member = found[order], member[order]
    vectors = _unit(product(vectors, mixed)[:, order])
    # One eigenvalue with several vectors; several with vectors that coincide are a defect.
    gap = jnp.abs(found[:, None] - found[None, :])
    same = gap < rounding * jnp.max(jnp.abs(found)) * sine(vectors)
    same = _joined(same | jnp.eye(size, dtype=bool))
    simple = jnp.sum(near, axis=1)[member] == 1
    return Eigensystem(found, vectors, simple, same)


@jax.custom_jvp
def eigenvalues(matrix: jax.Array) -> jax.Array:
    """Λ [n], the slowest decay first; a derivative is NaN where λ is not simple."""
    return eigensystem(matrix).values


@eigenvalues.defjvp
def _eigenvalues_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """With Y = X⁻¹, dλ_i = (Y dA X)_ii."""
    found = eigensystem(*primals)
    change = product(tangents[0].astype(found.vectors.dtype), found.vectors)
    slope = jnp.sum(inverse(found.vectors) * change.T, axis=1)
    return found.values, slope * jnp.where(found.simple, 1, jnp.nan).astype(slope.dtype)


def condition(system: Eigensystem) -> jax.Array:
    """Norm of the spectral projector of each eigenvalue [n], 1/|y†x| of a simple one."""
    left = inverse(system.vectors)
    member = system.same.astype(left.dtype)
    # Σ of the products of columns and rows that belong together
    projectors = product(system.vectors[None] * member[:, None, :], left)
    norms = jnp.sqrt(jnp.sum(jnp.abs(projectors) ** 2, axis=(1, 2)))
    found = norms / jnp.sqrt(jnp.sum(member.real, axis=1))
    return jnp.where(jnp.isfinite(found), jnp.maximum(found, 1), jnp.inf)


def pair_distances(system: Eigensystem) -> jax.Array:
    """Norm of a change of A that makes λ_i and λ_j coincide [n, n], infinite for i = j.

    On the two-dimensional invariant subspace A is unitarily similar to c + [[0, b], [d, 0]]: it is
    the smaller one of |b| and |d|, ½|λ_i − λ_j| tan(φ/2), φ the angle of the two eigenvectors.
    The smaller one for right and for left eigenvectors.
    """
    gap = jnp.abs(system.values[:, None] - system.values[None, :])
    left = _unit(jnp.conj(inverse(system.vectors).T))
    found = jnp.full_like(gap, jnp.inf)
    for vectors in (system.vectors, left):
        perpendicular = sine(vectors)
        along = jnp.abs(product(jnp.conj(vectors.T), vectors))
        distance = gap / 2 * perpendicular / (1 + along)
        found = jnp.fmin(found, distance)  # left vectors of a defective matrix are NaN
    return jnp.where(jnp.eye(len(gap), dtype=bool), jnp.inf, found)


def sine(vectors: jax.Array) -> jax.Array:
    """Of the angles between unit vectors [n, n], with all digits of small ones."""
    overlap = product(jnp.conj(vectors.T), vectors)
    rest = vectors[:, None, :] - vectors[:, :, None] * overlap[None]
    return jnp.linalg.norm(rest, axis=0)


@jax.custom_jvp
def discriminant(matrix: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
    """(λ_i − λ_j)² of the two eigenvalues near these numbers, analytic also where they meet."""
    projected, _ = _subspace(matrix, first, second)
    difference = projected[0, 0] - projected[1, 1]
    return difference**2 + 4 * projected[0, 1] * projected[1, 0]


@discriminant.defjvp
def _discriminant_jvp(
    primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]
) -> tuple[jax.Array, jax.Array]:
    """With P the projector on both and c their mean, 4 tr P(A − c)dA."""
    matrix, change = primals[0], tangents[0]
    projected, projector = _subspace(*primals)
    one = jnp.eye(len(matrix), dtype=projector.dtype)
    shifted = matrix.astype(projector.dtype) - jnp.trace(projected) / 2 * one
    slope = 4 * jnp.sum(product(projector, shifted).T * change.astype(projector.dtype))
    return discriminant(*primals), slope


def _subspace(
    matrix: jax.Array, first: jax.Array, second: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """A on the invariant subspace of two eigenvalues [2, 2], and the projector on it [n, n].

    From the null spaces of (A − λ_i)(A − λ_j), which do not need eigenvectors.
    """
    full = matrix.astype(first.dtype)
    one = jnp.eye(len(matrix), dtype=first.dtype)
    left, right = _null_spaces(product(full - first * one, full - second * one))
    overlap = product(jnp.conj(left.T), right)
    dual = solve(overlap, jnp.conj(left.T))
    return product(dual, product(full, right)), product(right, dual)


@one_at_a_time
def _null_spaces(matrix: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The two left and right singular vectors [n, 2] of the smallest singular values."""
    left, _, right = jnp.linalg.svd(matrix)
    return left[:, -2:], jnp.conj(right[-2:].T)


def _unit(vectors: jax.Array) -> jax.Array:
    """Columns of unit length."""
    return vectors / jnp.linalg.norm(vectors, axis=0, keepdims=True).astype(vectors.dtype)


def _joined(near: jax.Array) -> jax.Array:
    """The equivalence that a symmetric relation generates."""
    for _ in range(len(near).bit_length()):
        near = jnp.any(near[:, :, None] & near[None, :, :], axis=1)
    return near


def _residual(matrix: jax.Array, values: jax.Array, vectors: jax.Array) -> jax.Array:
    """AX − XΛ, where the leading digits of both cancel, to the digits that remain."""
    parts = jnp.concatenate([vectors.real, vectors.imag], axis=1)
    high, low = sliced(matrix)
    size = len(matrix)
    # One scale for the real and the imaginary part of a vector
    upper = sliced(jnp.concatenate([vectors.real, vectors.imag]).T)[0].T
    upper = jnp.concatenate([upper[:size], upper[size:]], axis=1)
    lower = parts - upper
    # Sums of products of the first slices are exact.
    leading = product(high, upper)
    rest = product(high, lower) + product(low, parts)
    fast, faster = (part[:, 0] for part in sliced(values.imag[:, None]))
    # −iλ''(x' + ix'') = λ''x'' − iλ''x'
    turned, turned_rest = (
        jnp.concatenate([part[:, size:], -part[:, :size]], axis=1) for part in (upper, lower)
    )
    both = jnp.concatenate([turned, turned_rest], axis=1) * jnp.tile(fast, 4)[None]
    leading = leading + both[:, : 2 * size]
    rest = rest + both[:, 2 * size :] - parts * jnp.tile(values.real, 2)[None]
    rest = rest + (turned + turned_rest) * jnp.tile(faster, 2)[None]
    total = leading + rest
    return jax.lax.complex(total[:, :size], total[:, size:])
