"""Thermal equilibrium of the coupled network."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc import _checks, domain
from jaxosc import oscillators as _oscillators
from jaxosc._compilation import compiled
from jaxosc._numerics.linear import bounded_memory, inverse_positive
from jaxosc._numerics.matsubara import thermal_sum
from jaxosc._numerics.sharing import quotient, reciprocal, sqrt
from jaxosc._numerics.small import interleave, nan_unless
from jaxosc._numerics.special import SINHC_SERIES, bose, exponent_limit, polynomial
from jaxosc._numerics.two_modes import Entries, modes_apart
from jaxosc.normal_modes import two_mode_frequencies
from jaxosc.oscillators import Oscillators, kinetic_matrix, potential_matrix
from jaxosc.typing import Reals


def gibbs(oscillators: Oscillators, temperature: Reals) -> jax.Array:
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
    oscillators = _oscillators.entered(oscillators)
    # The temperature follows the oscillators unless it is an array of its own precision.
    _, temperature = _checks.float_arrays(
        oscillators=oscillators.frequency, temperature=temperature
    )
    _checks.require_shape("temperature", temperature, ())
    _checks.require_finite("temperature", temperature)
    _checks.require("temperature", temperature, lambda t: t >= 0, "not be negative")
    oscillators = jax.tree.map(lambda leaf: leaf.astype(temperature.dtype), oscillators)
    covariance, status = _gibbs(oscillators, temperature)
    domain.require(status, oscillators)
    return covariance


@compiled
def _gibbs(oscillators: Oscillators, temperature: jax.Array) -> tuple[jax.Array, jax.Array]:
    """σ, and the status of the problem."""
    conditions = domain.thermal_conditions(oscillators, temperature)
    return _covariance(oscillators, temperature, conditions), domain.status(conditions)


def _covariance(
    oscillators: Oscillators, temperature: jax.Array, conditions: domain.Conditions
) -> jax.Array:
    valid = domain.hold(conditions)
    unit = _oscillators.natural_unit(oscillators)
    scaled = _oscillators.in_unit(oscillators, unit)
    if oscillators.modes == 2:
        temperature = temperature / unit
        low, high, _ = two_mode_frequencies(scaled)
        numbers = bose(low, temperature), bose(high, temperature)
        return two_mode_thermal(scaled, temperature, numbers).where(valid).matrix()
    return nan_unless(valid, thermal_covariance(scaled, temperature / unit))


def two_mode_thermal(
    oscillators: Oscillators, temperature: jax.Array, numbers: tuple[jax.Array, jax.Array]
) -> Entries:
    """The Gibbs covariance of two modes, smooth in all couplings where they coincide.

    The numbers are N_± = N(Ω_±, T), with which

        ⟨xxᵀ⟩ = ½[αW + β√(det W/det V) adj V],   ⟨ppᵀ⟩ = ½[αV + β√(det V/det W) adj W],
        α, β = (1 + N_− + N_+)/(Ω_+ + Ω_−) ∓ (N_− − N_+)/(Ω_+ − Ω_−).

    The last quotient is a series in the splitting where that is small, from
    N_− − N_+ = 2 sinh(x) exp(−y) (1 + N_−)(1 + N_+) with x, y = (Ω_+ ∓ Ω_−)/2T. Where Ω_− ≪ Ω_+
    the two parts of α cancel; there, with f_± = N_± + ½,

        α = 2(f_+Ω_+ − f_−Ω_−)/(Ω_+² − Ω_−²),   β = 2(f_−Ω_+ − f_+Ω_−)/(Ω_+² − Ω_−²).
    """
    low, high, splitting = two_mode_frequencies(oscillators)
    total = low + high
    inverse_total = reciprocal(total)
    square = splitting * inverse_total**2  # (Ω_+ − Ω_−)²
    number_low, number_high = numbers
    # Below a temperature where exp(−Ω_−/T) vanishes, at T = 0 too, 2T drops out.
    floor = jax.lax.stop_gradient(low) / exponent_limit(low.dtype)
    twice = 2 * jnp.where(temperature > floor, temperature, floor)
    inverse = reciprocal(twice)
    series = square < twice**2
    x2 = jnp.where(series, square, 0) * inverse**2
    near = polynomial(SINHC_SERIES, x2) * jnp.exp(-total * inverse) * 2 * inverse
    slope = jnp.where(
        series,
        near * (1 + number_low) * (1 + number_high),
        (number_low - number_high) * reciprocal(sqrt(jnp.where(series, 1, square))),
    )
    mean = (1 + number_low + number_high) * inverse_total
    apart = low < high / 4
    inverse_square = 2 * reciprocal(sqrt(jnp.where(apart, splitting, 1)))
    half_low, half_high = number_low + 0.5, number_high + 0.5
    alpha = jnp.where(apart, (half_high * high - half_low * low) * inverse_square, mean - slope)
    beta = jnp.where(apart, (half_low * high - half_high * low) * inverse_square, mean + slope)

    omega1, omega2 = oscillators.frequency[0], oscillators.frequency[1]
    potential, kinetic = _oscillators.two_mode_couplings(oscillators)
    det_potential, det_kinetic = _oscillators.two_mode_determinants(oscillators)
    ratio = sqrt(quotient(det_kinetic, det_potential))

    def combine(
        own: jax.Array, other: jax.Array, ratio: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        weight = beta * ratio
        return (
            (alpha * omega1 + weight * omega2) / 2,
            (alpha * own - weight * other) / 2,
            (alpha * omega2 + weight * omega1) / 2,
        )

    return modes_apart(
        combine(kinetic, potential, ratio), combine(potential, kinetic, reciprocal(ratio))
    )


def thermal_covariance(oscillators: Oscillators, temperature: jax.Array) -> jax.Array:
    """The Gibbs covariance of any number of modes."""
    return _matsubara_covariance(
        potential_matrix(oscillators), kinetic_matrix(oscillators), temperature
    )


@bounded_memory
def _matsubara_covariance(
    potential: jax.Array, kinetic: jax.Array, temperature: jax.Array
) -> jax.Array:
    """The Matsubara sums T Σ_k (V + ν_k²W⁻¹)⁻¹ and T Σ_k (W + ν_k²V⁻¹)⁻¹, ν_k = 2πTk.

    Free of eigenvectors, and so differentiable to any order where normal modes coincide.
    """
    inverse_potential, inverse_kinetic = inverse_positive(potential), inverse_positive(kinetic)
    slowest, fastest = frequency_bounds(potential, kinetic, inverse_potential, inverse_kinetic)

    def terms(nu: jax.Array) -> tuple[jax.Array, jax.Array]:
        return (
            inverse_positive(potential + nu**2 * inverse_kinetic),
            inverse_positive(kinetic + nu**2 * inverse_potential),
        )

    xx, pp = thermal_sum(terms, temperature, slowest, fastest)
    zero = jnp.zeros_like(xx)
    return interleave((xx + xx.T) / 2, zero, zero, (pp + pp.T) / 2)


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
