"""The Lyapunov equation Aσ + σAᵀ + D = 0 for a drift of no particular structure."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.linear import cholesky, inverse, one_at_a_time, solve

# How often the step was doubled or how many steps that makes, what is left of a state after
# them, and the state built up
Doubling = tuple[jax.Array, jax.Array, jax.Array]


def doublings(dtype: np.dtype) -> int:
    """The number of doublings after which rounding might pass for damping."""
    return int(np.finfo(dtype).nmant) - 2


def by_doubling(drift: jax.Array, diffusion: jax.Array) -> jax.Array:
    """σ [n, n] for A [n, n] and a symmetric D [n, n], by matrix products.

    NaN where A has an eigenvalue with a real part that is not negative. Derivatives are those of
    the equation, in reverse mode by one solution of the adjoint equation.
    """
    shift, resolvent = jax.lax.stop_gradient(_resolvent(drift))

    def equation(covariance: jax.Array) -> jax.Array:
        return -(drift @ covariance + covariance @ drift.T)

    return jax.lax.custom_linear_solve(
        equation,
        (diffusion + diffusion.T) / 2,
        lambda _, source: _doubling(shift, resolvent, source),
        lambda _, source: _doubling(shift, resolvent.T, source),
    )


def _resolvent(drift: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A rate s, typical of the drift, and (s − A)⁻¹."""
    size = drift.shape[0]
    shift = jnp.linalg.norm(drift) / np.sqrt(size).astype(drift.dtype)
    return shift, inverse(shift * jnp.eye(size, dtype=drift.dtype) - drift)


@one_at_a_time
def _doubling(shift: jax.Array, resolvent: jax.Array, diffusion: jax.Array) -> jax.Array:
    """σ = Σ_n EⁿQEⁿᵀ by squaring E (Smith's method), NaN where E does not contract.

    E = (s − A)⁻¹(s + A) and Q = 2s(s − A)⁻¹D(s − A)⁻ᵀ are the Cayley transforms of drift and
    diffusion: A is stable if and only if powers of E vanish. After k squarings the sum has 2ᵏ
    terms.
    """
    dtype = resolvent.dtype
    step = 2 * shift * resolvent - jnp.eye(resolvent.shape[0], dtype=dtype)
    symmetric = (diffusion + diffusion.T) / 2
    state = 2 * shift * resolvent @ symmetric @ resolvent.T

    def vanished(step: jax.Array) -> jax.Array:
        return jnp.sum(step**2) <= float(np.finfo(dtype).eps)

    def lasting(carry: Doubling) -> jax.Array:
        count, step, _ = carry
        return ~vanished(step) & (count < doublings(dtype))

    def double(carry: Doubling) -> Doubling:
        count, step, state = carry
        image = step @ state @ step.T
        return count + 1, step @ step, state + (image + image.T) / 2

    _, step, state = jax.lax.while_loop(lasting, double, (jnp.zeros((), dtype), step, state))
    return jnp.where(vanished(step), state, jnp.nan)


def as_dense_system(drift: jax.Array, diffusion: jax.Array) -> jax.Array:
    """The same by one dense system of n(n+1)/2 unknowns."""
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
    solution = solve(matrix * scale[:, None], right * scale[:, None])
    witness = jax.lax.stop_gradient(unpack(solution[:, 1]))
    stable = jnp.all(jnp.isfinite(cholesky(witness)))
    return jnp.where(stable, unpack(solution[:, 0]), jnp.nan)
