"""Eigenvalues: of any matrix, and the smallest of a symmetric one, with its derivatives."""

from __future__ import annotations

import jax
import jax.numpy as jnp

Pair = tuple[jax.Array, jax.Array]


def general_eigenvalues(matrix: jax.Array) -> jax.Array:
    """Eigenvalues [n] of any matrix [n, n]; NaN where an entry is not finite."""
    finite = jnp.all(jnp.isfinite(matrix))  # cuSOLVER fails with an error if one is not
    return jnp.where(finite, jnp.linalg.eigvals(jnp.where(finite, matrix, 0)), jnp.nan)


def general_eigenvectors(matrix: jax.Array) -> Pair:
    """Eigenvalues [n] of any matrix [n, n] and its right eigenvectors [n, n]; NaN as above."""
    finite = jnp.all(jnp.isfinite(matrix))
    values, vectors = jnp.linalg.eig(jnp.where(finite, matrix, 0))
    return jnp.where(finite, values, jnp.nan), jnp.where(finite, vectors, jnp.nan)


def smallest_eigenvalue(matrix: jax.Array) -> jax.Array:
    """The smallest eigenvalue of a symmetric matrix [n, n].

    Where it is degenerate the first derivative is that of one of its eigenvectors, exact along
    changes that keep the degeneracy, and higher ones are infinite or NaN. Degeneracies among the
    other eigenvalues do no harm.
    """
    return _lowest(matrix)[0]


@jax.custom_jvp
def _lowest(matrix: jax.Array) -> Pair:
    """The smallest eigenvalue μ and its eigenvector u."""
    values, vectors = jnp.linalg.eigh(matrix)
    return values[0], vectors[:, 0]


@_lowest.defjvp
def _lowest_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[Pair, Pair]:
    """dμ = uᵀ dM u and (M − μ + uuᵀ) du = (dμ − dM) u."""
    (matrix,), (change,) = primals, tangents
    value, vector = _lowest(matrix)
    force = change @ vector
    slope = vector @ force
    one = jnp.eye(matrix.shape[0], dtype=matrix.dtype)
    deflated = matrix - value * one + vector[:, None] * vector[None, :]
    return (value, vector), (slope, jnp.linalg.solve(deflated, slope * vector - force))
