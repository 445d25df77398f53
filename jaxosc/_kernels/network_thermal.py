"""Matsubara sums of any number of modes: the Gibbs state and the Langevin equation."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from jaxosc._kernels.interface import Network
from jaxosc._numerics.linear import bounded_memory, inverse_positive, solve_positive
from jaxosc._numerics.matsubara import thermal_sum
from jaxosc._numerics.small import interleave


def thermal_covariance(network: Network, temperature: jax.Array) -> jax.Array:
    """The Gibbs covariance [2N, 2N]."""
    return _matsubara_covariance(network.potential(), network.kinetic(), temperature)


@bounded_memory
def _matsubara_covariance(
    potential: jax.Array, kinetic: jax.Array, temperature: jax.Array
) -> jax.Array:
    """The Matsubara sums T Σ_k (V + ν_k²W⁻¹)⁻¹ and T Σ_k (W + ν_k²V⁻¹)⁻¹, ν_k = 2πTk.

    Free of eigenvectors, and so differentiable to any order where normal modes coincide.
    """
    inverse_potential, inverse_kinetic = inverse_positive(potential), inverse_positive(kinetic)
    slowest, fastest = _frequency_bounds(potential, kinetic, inverse_potential, inverse_kinetic)

    def terms(nu: jax.Array) -> tuple[jax.Array, jax.Array]:
        return (
            inverse_positive(potential + nu**2 * inverse_kinetic),
            inverse_positive(kinetic + nu**2 * inverse_potential),
        )

    xx, pp = thermal_sum(terms, temperature, slowest, fastest)
    zero = jnp.zeros_like(xx)
    return interleave((xx + xx.T) / 2, zero, zero, (pp + pp.T) / 2)


def _frequency_bounds(
    potential: jax.Array,
    kinetic: jax.Array,
    inverse_potential: jax.Array,
    inverse_kinetic: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """A lower and an upper bound of the normal-mode frequencies, from row-sum norms."""
    slowest = jax.lax.rsqrt(norm(inverse_potential)) * jax.lax.rsqrt(norm(inverse_kinetic))
    return slowest, highest_frequency(potential, kinetic)


def highest_frequency(potential: jax.Array, kinetic: jax.Array) -> jax.Array:
    """The upper one of these bounds."""
    return jnp.sqrt(norm(potential)) * jnp.sqrt(norm(kinetic))


def norm(matrix: jax.Array) -> jax.Array:
    """The largest sum of the sizes in a row."""
    return jnp.max(jnp.sum(jnp.abs(matrix), axis=-1))


def effective_diffusion(network: Network, damping: jax.Array, temperature: jax.Array) -> jax.Array:
    """D [2N, 2N] of the steady state of the Langevin equation with flat baths."""
    return _effective_diffusion(network.potential(), network.kinetic(), damping, temperature)


@bounded_memory
def _effective_diffusion(
    potential: jax.Array, kinetic: jax.Array, damping: jax.Array, temperature: jax.Array
) -> jax.Array:
    """Any N: the column that belongs to bath j of Y, Z and B at each of its own frequencies."""
    inverse_potential, inverse_kinetic = inverse_positive(potential), inverse_positive(kinetic)
    slowest, fastest = _frequency_bounds(potential, kinetic, inverse_potential, inverse_kinetic)

    def columns(unit: jax.Array, nu: jax.Array) -> tuple[jax.Array, ...]:
        g = damping + nu
        y = solve_positive(potential + g[:, None] * inverse_kinetic * g[None, :], unit)
        z = solve_positive(kinetic + g[:, None] * inverse_potential * g[None, :], unit)
        return y, z, -inverse_potential @ (g * z), -inverse_kinetic @ (g * y)

    units = jnp.eye(damping.shape[0], dtype=damping.dtype)

    def of_bath(bath: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, ...]:
        unit, temperature = bath
        return thermal_sum(
            partial(columns, unit),
            temperature,
            slowest,
            fastest + jnp.max(damping),
        )

    # One bath after the other: memory stays at nodes × N² numbers.
    sums = jax.lax.map(of_bath, (units, temperature))
    y, z, b, c = (damping[:, None] * rows for rows in sums)  # row j belongs to bath j
    cross = b.T - c
    return interleave(y + y.T, cross, cross.T, z + z.T)
