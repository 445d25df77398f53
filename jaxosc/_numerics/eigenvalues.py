"""Eigenvalues: of any matrix, the slowest decay, and the smallest of a symmetric matrix."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxosc._numerics.linear import eigh, one_at_a_time, solve

Pair = tuple[jax.Array, jax.Array]


@one_at_a_time
def general_eigenvalues(matrix: jax.Array) -> jax.Array:
    """Eigenvalues [n] of any matrix [n, n]; NaN where an entry is not finite."""
    finite = jnp.all(jnp.isfinite(matrix))  # cuSOLVER fails with an error if one is not
    return jnp.where(finite, jnp.linalg.eigvals(jnp.where(finite, matrix, 0)), jnp.nan)


@one_at_a_time
def general_eigenvectors(matrix: jax.Array) -> Pair:
    """Eigenvalues [n] of any matrix [n, n] and its right eigenvectors [n, n]; NaN as above."""
    finite = jnp.all(jnp.isfinite(matrix))
    values, vectors = jnp.linalg.eig(jnp.where(finite, matrix, 0))
    return jnp.where(finite, values, jnp.nan), jnp.where(finite, vectors, jnp.nan)


def slowest_decay(drift: ArrayLike, energy: ArrayLike, damping: ArrayLike) -> float:
    """The smallest −Re λ of an eigenvalue λ of A = K − Γ, on the host, in double precision.

    Rounding leaves of Re λ an error of ε times the frequencies. But the energy z†Hz of an
    eigenvector z, which K alone keeps, falls at the rate

        −2 Re λ = z†(HΓ + ΓH)z / z†Hz,

    a mean of the damping rates without cancellation. Where eigenvalues differ by no more than
    rounding, the damping itself decides which of their vectors decay alone. Zero if no more than
    rounding damps a motion.

    Args:
        drift: A [n, n].
        energy: H [n, n], symmetric, with HK + KᵀH = 0. Unless it is positive, Re λ is as rounded.
        damping: the diagonal of Γ [n].
    """
    a, h, gamma = (np.asarray(part, np.float64) for part in (drift, energy, damping))
    values, vectors = np.linalg.eig(a)
    if not np.linalg.eigvalsh(h)[0] > 0:
        return float(-values.real.max())
    apart = 32 * float(np.finfo(np.float64).eps) * len(a) * np.abs(values).max()
    rates = []
    for value in values:
        near = vectors[:, np.abs(values - value) <= apart]
        basis = np.linalg.svd(near, full_matrices=False)[0]
        left = basis.conj().T @ h
        rates.append(np.linalg.eigvals(np.linalg.solve(left @ basis, left * gamma @ basis)))
    slowest = float(min(rate.real.min() for rate in rates))
    # A mode that no damped oscillator takes part in has tails there of the order of rounding.
    rounding = (len(a) * float(np.finfo(np.float64).eps)) ** 2 * gamma.max()
    return slowest if abs(slowest) > rounding else 0.0


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
    values, vectors = eigh(matrix)
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
    return (value, vector), (slope, solve(deflated, slope * vector - force))
