"""Thermal equilibrium of the coupled network."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxosc import _checks
from jaxosc import oscillators as _oscillators
from jaxosc._numerics.matsubara import thermal_sum
from jaxosc._numerics.network_lyapunov import interleave
from jaxosc._numerics.special import SINHC_SERIES, exponent_limit, polynomial
from jaxosc.normal_modes import two_mode_frequencies
from jaxosc.oscillators import Oscillators, kinetic_matrix, potential_matrix


def gibbs(oscillators: Oscillators, temperature: ArrayLike) -> jax.Array:
    """Covariance of the Gibbs state exp(−H/T)/Z of the coupled network.

    Every normal mode is at its thermal occupation N(Ω_k, T):
    ⟨xxᵀ⟩ = ½ h(WV)W, ⟨ppᵀ⟩ = ½ V h(WV) with h(Ω²) = coth(Ω/2T)/Ω.

    Args:
        oscillators: N modes with a bounded Hamiltonian.
        temperature: T ≥ 0, a scalar in the unit of ω; the ground state at T = 0.

    Returns:
        σ [2N, 2N], order (x1, p1, x2, p2, …), vacuum variance 1/2. NaN where H is not bounded
        below or T < 0 and the values are known only inside a transformation.

    Raises:
        ValueError: if T is not a scalar ≥ 0, or H is known and not bounded below.

    Source: Konopik & Lutz, App. C, last paragraph.
    """
    _oscillators.require_network(oscillators)
    # The temperature follows the oscillators unless it is an array of its own precision.
    _, temperature = _checks.float_arrays(
        oscillators=oscillators.frequency, temperature=temperature
    )
    _checks.require_shape("temperature", temperature, ())
    _checks.require_finite("temperature", temperature)
    _checks.require("temperature", temperature, lambda t: t >= 0, "not be negative")
    _oscillators.require_bounded(oscillators)
    dtype = temperature.dtype
    return _gibbs(*jax.tree.map(lambda leaf: leaf.astype(dtype), (oscillators, temperature)))


@jax.jit
def _gibbs(oscillators: Oscillators, temperature: jax.Array) -> jax.Array:
    valid = _oscillators.is_bounded(oscillators) & (temperature >= 0)
    valid &= jnp.isfinite(temperature)
    unit = _oscillators.natural_unit(oscillators)
    scaled, temperature = jax.tree.map(lambda leaf: leaf / unit, (oscillators, temperature))
    return jnp.where(valid, thermal_covariance(scaled, temperature), jnp.nan)


def thermal_covariance(oscillators: Oscillators, temperature: jax.Array) -> jax.Array:
    """The Gibbs covariance, smooth in all couplings where normal modes coincide."""
    if oscillators.modes == 2:
        xx, pp = _two_modes(oscillators, temperature)
    else:
        xx, pp = _many_modes(oscillators, temperature)
    zero = jnp.zeros_like(xx)
    return interleave(xx, zero, zero, pp)


def _two_modes(oscillators: Oscillators, temperature: jax.Array) -> tuple[jax.Array, jax.Array]:
    """⟨xxᵀ⟩ = ½[αW + β√(det W/det V) adj V], ⟨ppᵀ⟩ = ½[αV + β√(det V/det W) adj W].

    With x, y = (Ω_+ ∓ Ω_−)/2T and sinhc z = sinh(z)/z, α and β are
    (sinhc y ∓ sinhc x)/(2T (cosh y − cosh x)): even in x, so that no square root of a
    vanishing splitting is left where the modes coincide.
    """
    low, high, splitting = two_mode_frequencies(oscillators)
    total = low + high
    square = splitting / total**2  # (Ω_+ − Ω_−)²
    # Below a temperature where exp(−Ω_−/T) vanishes, at T = 0 too, 2T drops out.
    floor = jax.lax.stop_gradient(low) / exponent_limit(low.dtype)
    twice = 2 * jnp.where(temperature > floor, temperature, floor)
    # e^{−y} times sinhc(y)/2T, sinhc(x)/2T and cosh y − cosh x.
    y = total / twice
    sinhc_y = -jnp.expm1(-2 * y) / (2 * total)
    series = square < twice**2
    root = jnp.sqrt(jnp.where(series, 1, square))
    x2 = jnp.where(series, square, 0) / twice**2
    sinhc_x = jnp.where(
        series,
        polynomial(SINHC_SERIES, x2) * jnp.exp(-y) / twice,
        -jnp.exp(-2 * low / twice) * jnp.expm1(-2 * root / twice) / (2 * root),
    )
    gap = jnp.expm1(-2 * low / twice) * jnp.expm1(-2 * high / twice) / 2
    alpha, beta = (sinhc_y - sinhc_x) / gap, (sinhc_y + sinhc_x) / gap

    omega1, omega2 = oscillators.frequency[0], oscillators.frequency[1]
    potential = oscillators.exchange[0, 1] + oscillators.pairing[0, 1]
    kinetic = oscillators.exchange[0, 1] - oscillators.pairing[0, 1]
    det_potential, det_kinetic = _oscillators.two_mode_determinants(oscillators)
    ratio = jnp.sqrt(det_kinetic / det_potential)

    def combine(own: jax.Array, other: jax.Array, ratio: jax.Array) -> jax.Array:
        off = alpha * own - beta * ratio * other
        return jnp.array([
            [alpha * omega1 + beta * ratio * omega2, off],
            [off, alpha * omega2 + beta * ratio * omega1],
        ]) / 2  # fmt: skip

    return combine(kinetic, potential, ratio), combine(potential, kinetic, 1 / ratio)


def _many_modes(oscillators: Oscillators, temperature: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The Matsubara sums T Σ_k (V + ν_k²W⁻¹)⁻¹ and T Σ_k (W + ν_k²V⁻¹)⁻¹, ν_k = 2πTk.

    Free of eigenvectors, and so differentiable to any order where normal modes coincide.
    """
    potential, kinetic = potential_matrix(oscillators), kinetic_matrix(oscillators)
    inverse_potential, inverse_kinetic = jnp.linalg.inv(potential), jnp.linalg.inv(kinetic)
    slowest, fastest = frequency_bounds(potential, kinetic, inverse_potential, inverse_kinetic)

    def terms(nu: jax.Array) -> tuple[jax.Array, jax.Array]:
        square = (nu**2)[:, None, None]
        return (
            jnp.linalg.inv(potential[None] + square * inverse_kinetic[None]),
            jnp.linalg.inv(kinetic[None] + square * inverse_potential[None]),
        )

    return thermal_sum(terms, temperature, slowest, fastest)


def frequency_bounds(
    potential: jax.Array,
    kinetic: jax.Array,
    inverse_potential: jax.Array,
    inverse_kinetic: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """A lower and an upper bound of the normal-mode frequencies, from row-sum norms."""

    def norm(matrix: jax.Array) -> jax.Array:
        return jnp.max(jnp.sum(jnp.abs(matrix), axis=-1))

    slowest = jax.lax.rsqrt(norm(inverse_potential)) * jax.lax.rsqrt(norm(inverse_kinetic))
    return slowest, jnp.sqrt(norm(potential)) * jnp.sqrt(norm(kinetic))
