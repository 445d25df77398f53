"""Steady covariance of a few damped modes, Aσ + σAᵀ + D = 0, as one dense system.

The unknowns are taken as for two modes: ⟨a_j†a_k⟩ (slow: frequency differences and damping)
and ⟨a_j a_k⟩ (fast: frequency sums) apart, in which no digits are lost to ω/γ. With 2N² + N of
them the work grows as N⁶: for a handful of modes less than that of any iteration, and a batch of
networks is one batch of linear systems.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.small import blocks_of, interleave

# The arguments of `steady_covariance`
_Problem = tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]
# A diffusion to σ, and whether A is stable
_Solver = Callable[[jax.Array], tuple[jax.Array, jax.Array]]


@jax.custom_jvp
def steady_covariance(
    frequency: jax.Array,
    exchange: jax.Array,
    pairing: jax.Array,
    damping: jax.Array,
    diffusion: jax.Array,
) -> jax.Array:
    """Solve Aσ + σAᵀ + D = 0 for σ [2N, 2N], order (x1, p1, x2, p2, …).

    NaN where A has an eigenvalue with a real part that is not negative.
    """
    network = (frequency, exchange, pairing, damping)
    solution, stable = _factored(*network)(diffusion)
    return jnp.where(stable, solution, jnp.nan)


@steady_covariance.defjvp
def _steady_covariance_jvp(primals: _Problem, tangents: _Problem) -> tuple[jax.Array, jax.Array]:
    """Differentiate the equation: A dσ + dσ Aᵀ + (dA σ + σ dAᵀ + dD) = 0."""
    covariance = steady_covariance(*primals)
    source = _residual(*tangents, covariance)
    return covariance, steady_covariance(*primals[:4], source)


def _residual(
    frequency: jax.Array,
    exchange: jax.Array,
    pairing: jax.Array,
    damping: jax.Array,
    diffusion: jax.Array,
    covariance: jax.Array,
) -> jax.Array:
    """Aσ + σAᵀ + D."""
    bare, decay = jnp.diag(frequency) + exchange, -jnp.diag(damping)
    flow = interleave(decay, bare - pairing, -bare - pairing, decay) @ covariance
    return flow + flow.T + diffusion


def _factored(
    frequency: jax.Array, exchange: jax.Array, pairing: jax.Array, damping: jax.Array
) -> _Solver:
    """The whole equation as one matrix, slow and fast parts apart.

    With R = (P + X)/2, ρ = (P − X)/2, S = u + Z (u symmetric, Z antisymmetric), M = ω + λ and
    G_jk = γ_j + γ_k, elementwise products written G∘:

        G∘R = −[M, Z] − {κ, u} + D_R,     G∘ρ = −{M, u} − [κ, Z] + D_ρ,
        G∘u =  {M, ρ} − {κ, R} + D_u,     G∘Z =  [M, R] − [κ, ρ] + D_Z.

    Factored once: the result maps a diffusion to σ and whether A is stable.
    """
    modes = frequency.shape[0]
    rate = damping[:, None] + damping[None, :]
    splitting = frequency[:, None] - frequency[None, :]
    sum_ = frequency[:, None] + frequency[None, :]

    def with_exchange(sign: int, y: jax.Array) -> jax.Array:
        own = splitting if sign < 0 else sum_
        return own * y + exchange @ y + sign * (y @ exchange)

    def with_pairing(sign: int, y: jax.Array) -> jax.Array:
        return pairing @ y + sign * (y @ pairing)

    upper = np.triu_indices(modes)
    strict = np.triu_indices(modes, 1)
    sizes = np.cumsum([len(upper[0])] * 3)

    def unpack(vector: jax.Array) -> tuple[jax.Array, ...]:
        zero = jnp.zeros((modes, modes), vector.dtype)
        *parts, last = jnp.split(vector, sizes)
        symmetric = []
        for part in parts:
            half = zero.at[upper].set(part, unique_indices=True)
            symmetric.append(half + half.T - jnp.diag(jnp.diag(half)))
        half = zero.at[strict].set(last, unique_indices=True)
        return *symmetric, half - half.T

    def pack(r: jax.Array, rho: jax.Array, u: jax.Array, z: jax.Array) -> jax.Array:
        return jnp.concatenate([r[upper], rho[upper], u[upper], z[strict]])

    def equation(vector: jax.Array) -> jax.Array:
        r, rho, u, z = unpack(vector)
        return pack(
            rate * r + with_exchange(-1, z) + with_pairing(1, u),
            rate * rho + with_exchange(1, u) + with_pairing(-1, z),
            rate * u - with_exchange(1, rho) + with_pairing(1, r),
            rate * z - with_exchange(-1, r) + with_pairing(-1, rho),
        )

    unknowns = 2 * modes * modes + modes
    matrix = jax.vmap(equation, out_axes=1)(jnp.eye(unknowns, dtype=rate.dtype))
    # Slow rows are of size γ, fast ones of size ω: pivoting compares them only if scaled.
    scale = 1 / jnp.max(jnp.abs(matrix), axis=1)
    factors = jax.scipy.linalg.lu_factor(matrix * scale[:, None])

    def packed(symmetric: jax.Array) -> jax.Array:
        xx, xp, pp = blocks_of(symmetric)
        return pack((pp + xx) / 2, (pp - xx) / 2, (xp + xp.T) / 2, (xp - xp.T) / 2)

    def solve(source: jax.Array) -> tuple[jax.Array, jax.Array]:
        vector = jax.scipy.linalg.lu_solve(factors, source * scale)
        r, rho, u, z = unpack(vector)
        return vector, interleave(r - rho, u + z, u - z, r + rho)

    slow = np.ones(unknowns, bool)
    slow[sizes[0] : sizes[2]] = False  # all but ρ and u

    def corrected(diffusion: jax.Array) -> jax.Array:
        source = packed(diffusion)
        vector, solution = solve(source)
        # Near a critical point ⟨xxᵀ⟩ outgrows ⟨ppᵀ⟩, and solving for their sum and difference
        # leaves in the small one the rounding of the large; the residual of the quadratures shows
        # that error. In slow rows it would show the rounding of fast parts instead.
        network = (frequency, exchange, pairing, damping)
        residual = jnp.where(
            slow,
            source - equation(vector),
            packed(_residual(*network, diffusion, solution)),
        )
        return solution + solve(residual)[1]

    # D = 1 has a positive definite solution if and only if A is stable (Lyapunov's theorem).
    one = jnp.eye(2 * modes, dtype=rate.dtype)
    witness = jnp.linalg.cholesky(solve(packed(one))[1])
    stable = jnp.all(jnp.isfinite(witness))
    return lambda diffusion: (corrected(diffusion), stable)
