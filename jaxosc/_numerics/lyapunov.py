"""The Lyapunov equation Aσ + σAᵀ + D = 0 for a drift of no particular structure."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np


def solve_lyapunov(drift: jax.Array, diffusion: jax.Array) -> jax.Array:
    """σ [n, n] for A [n, n] and a symmetric D [n, n], as one dense system of n(n+1)/2 unknowns.

    NaN where A has an eigenvalue with a real part that is not negative.
    """
    size = drift.shape[0]
    upper = np.triu_indices(size)

    def unpack(vector: jax.Array) -> jax.Array:
        half = jnp.zeros((size, size), vector.dtype).at[upper].set(vector, unique_indices=True)
        return half + half.T - jnp.diag(jnp.diag(half))

    def equation(vector: jax.Array) -> jax.Array:
        product = drift @ unpack(vector)
        return (product + product.T)[upper]

    matrix = jax.vmap(equation, out_axes=1)(jnp.eye(len(upper[0]), dtype=drift.dtype))
    scale = 1 / jnp.max(jnp.abs(matrix), axis=1)
    # D = 1 has a positive definite solution if and only if A is stable (Lyapunov's theorem).
    right = -jnp.stack([diffusion[upper], jnp.eye(size, dtype=drift.dtype)[upper]], axis=1)
    solution = jnp.linalg.solve(matrix * scale[:, None], right * scale[:, None])
    witness = jax.lax.stop_gradient(unpack(solution[:, 1]))
    stable = jnp.all(jnp.isfinite(jnp.linalg.cholesky(witness)))
    return jnp.where(stable, unpack(solution[:, 0]), jnp.nan)
