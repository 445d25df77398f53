"""Normal modes and thermal equilibrium of two modes, written out."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._kernels.pair_equation import Couple, Entries, Scale, modes_apart
from jaxosc._numerics.sharing import quotient, reciprocal, sqrt
from jaxosc._numerics.special import COSH_SERIES, SINHC_SERIES, exponent_limit, polynomial


def frequencies(couple: Couple) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Ω_−, Ω_+ and (Ω_+² − Ω_−²)² of two modes.

    Ω_−² comes from the product Ω_+²Ω_−² = det V det W: as a difference it loses every digit
    near the critical coupling. The splitting is formed from ω_1 − ω_2 and the couplings alone.
    """
    omega1, omega2, j, k, potential, kinetic = couple
    total, difference = omega1 + omega2, omega1 - omega2
    trace = omega1**2 + omega2**2 + 2 * (j - k) * (j + k)
    splitting = difference**2 * (total - 2 * k) * (total + 2 * k) + 4 * (j * total) ** 2
    root = sqrt(jnp.where(splitting > 0, splitting, 1))
    root = jnp.where(splitting > 0, root, 0)
    high = sqrt((trace + root) / 2)
    return quotient(sqrt(potential) * sqrt(kinetic), high), high, splitting


Square = tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]


def quadratures(
    couple: Couple, scale: Scale | None = None
) -> tuple[tuple[jax.Array, jax.Array], Square, Square]:
    """Ω, X and P of two modes without an angle: entries of the spectral projectors of WV.

    X and P of what the scale, if there is one, has made the couple of.

    With ω_h ≥ ω_l the projector of Ω_+ has its large entry at the oscillator h, and
    X_−, P_− follow from P_+, X_+ because the transformation is symplectic.
    """
    omega1, omega2, j, k, det_potential, det_kinetic = couple
    swapped = omega1 < omega2
    omega_h = jnp.where(swapped, omega2, omega1)
    omega_l = jnp.where(swapped, omega1, omega2)
    total, difference = omega_h + omega_l, omega_h - omega_l
    potential, kinetic = j + k, j - k
    low, high, splitting = frequencies(couple)
    # Where the frequencies coincide any rotation of the modes is a normal mode. Two identical
    # uncoupled oscillators are kept, with a finite derivative; of two that only a pairing couples,
    # the modes are those of a vanishing exchange beside it.
    split, paired = splitting > 0, k != 0
    root = sqrt(jnp.where(split, splitting, 1))
    inverse_root = reciprocal(root)
    detuning = jnp.where(split, difference * total * inverse_root, jnp.where(paired, 0, 1))
    exchange = jnp.where(split, j * total * inverse_root, jnp.where(paired, 0.5, 0))
    pairing = k * difference * inverse_root
    inverse_high = reciprocal(high)
    large = (1 + detuning) * omega_h / 2
    x_hh = (large + kinetic * (exchange + pairing)) * inverse_high
    p_hh = (large + potential * (exchange - pairing)) * inverse_high

    def shared_with_l(k: jax.Array, det: jax.Array, alone: jax.Array) -> jax.Array:
        """(Ω_+²(j − k) + det(j + k))/root, free of what cancels for small j and ω_h − ω_l."""
        excess = difference**2 / 2 + 2 * j * (j - k) + root / 2  # Ω_+² − det
        value = (j * (high**2 + det) - k * excess) * inverse_root * inverse_high
        return jnp.where(split, value, jnp.where(paired, alone, 0))

    x_hl = shared_with_l(k, det_kinetic, x_hh)
    p_hl = shared_with_l(-k, det_potential, p_hh)
    x_h, p_h = sqrt(x_hh), sqrt(p_hh)
    x_l, p_l = quotient(x_hl, x_h), quotient(p_hl, p_h)
    ratio = sqrt(sqrt(quotient(det_kinetic, det_potential)))
    inverse_ratio = reciprocal(ratio)

    def rows(minus_h: jax.Array, minus_l: jax.Array, h: jax.Array, l: jax.Array) -> Square:
        return (
            (jnp.where(swapped, minus_l, minus_h), jnp.where(swapped, l, h)),
            (jnp.where(swapped, minus_h, minus_l), jnp.where(swapped, h, l)),
        )

    position = rows(-p_l * ratio, p_h * ratio, x_h, x_l)
    momentum = rows(-x_l * inverse_ratio, x_h * inverse_ratio, p_h, p_l)
    if scale is not None:
        (x1, x2), (p1, p2) = position, momentum
        (a, b), (c, d) = scale, (1 / scale.s1, 1 / scale.s2)
        position = (x1[0] * a, x1[1] * a), (x2[0] * b, x2[1] * b)
        momentum = (p1[0] * c, p1[1] * c), (p2[0] * d, p2[1] * d)
    return (low, high), position, momentum


def thermal(
    couple: Couple, temperature: jax.Array, numbers: tuple[jax.Array, jax.Array]
) -> Entries:
    """The Gibbs covariance of two modes, smooth in all couplings where they coincide.

    The numbers are N_± = N(Ω_±, T), with which

        ⟨xxᵀ⟩ = ½[αW + β√(det W/det V) adj V],   ⟨ppᵀ⟩ = ½[αV + β√(det V/det W) adj W],
        α, β = (1 + N_− + N_+)/(Ω_+ + Ω_−) ∓ (N_− − N_+)/(Ω_+ − Ω_−).

    The last quotient is a series in the splitting where that is small, from
    N_− − N_+ = 2 sinh(x) exp(x) (1 + N_−) N_+ with x = (Ω_+ − Ω_−)/2T. Where Ω_− ≪ Ω_+
    the two parts of α cancel; there, with f_± = N_± + ½,

        α = 2(f_+Ω_+ − f_−Ω_−)/(Ω_+² − Ω_−²),   β = 2(f_−Ω_+ − f_+Ω_−)/(Ω_+² − Ω_−²).
    """
    low, high, splitting = frequencies(couple)
    total = low + high
    inverse_total = reciprocal(total)
    square = splitting * inverse_total**2  # (Ω_+ − Ω_−)²
    number_low, number_high = numbers
    # Below a temperature where exp(−Ω_−/T) vanishes, at T = 0 too, T drops out.
    floor = jax.lax.stop_gradient(low) / exponent_limit(low.dtype)
    warm = temperature > floor
    # Of T and of Ω_− each by itself, which on a grid are fewer than its points
    positive = temperature > float(np.sqrt(np.finfo(low.dtype).tiny))
    inverse = jnp.where(warm, reciprocal(jnp.where(positive, temperature, 1)), reciprocal(floor))
    series = square < 4 * jnp.where(warm, temperature, floor) ** 2
    least = (2 * floor) ** 2  # where the series serves at any temperature
    half = jnp.where(series, sqrt(jnp.where(splitting > 0, splitting, 1)) * inverse_total / 2, 0)
    x = jnp.where(splitting > 0, half, 0) * inverse
    x2 = jnp.where(series, square, 0) * (inverse / 2) ** 2
    sinhc = polynomial(SINHC_SERIES, x2)
    near = sinhc * (polynomial(COSH_SERIES, x2) + x * sinhc) * inverse
    slope = jnp.where(
        series,
        near * (1 + number_low) * number_high,
        (number_low - number_high) * reciprocal(sqrt(jnp.where(square < least, 1, square))),
    )
    # α and β in N_± with coefficients that on a grid are of a row
    apart = low < high / 4
    inverse_square = 2 * reciprocal(sqrt(jnp.where(apart, splitting, 1)))
    of_low, of_high = (jnp.where(apart, x * inverse_square, inverse_total) for x in (low, high))
    vacuum = jnp.where(apart, (of_high - of_low) / 2, inverse_total)
    together = jnp.where(apart, 0, slope)
    sign = jnp.where(apart, -1, jnp.ones_like(low))
    alpha = vacuum + (number_high * of_high + number_low * (sign * of_low)) - together
    beta = vacuum + (number_high * (sign * of_low) + number_low * of_high) + together

    omega1, omega2, j, k, det_potential, det_kinetic = couple
    potential, kinetic = j + k, j - k
    ratio = sqrt(quotient(det_kinetic, det_potential))

    def combine(
        own: jax.Array, other: jax.Array, ratio: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        weight = ratio / 2
        return (
            alpha * (omega1 / 2) + beta * (weight * omega2),
            alpha * (own / 2) - beta * (weight * other),
            alpha * (omega2 / 2) + beta * (weight * omega1),
        )

    return modes_apart(
        combine(kinetic, potential, ratio), combine(potential, kinetic, reciprocal(ratio))
    )
