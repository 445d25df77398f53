"""Quantum Langevin equation with flat damping, as a drift and an effective diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxosc import baths as _baths
from jaxosc import domain
from jaxosc._numerics.complex_scalar import Complex
from jaxosc._numerics.linear import bounded_memory, inverse_positive, solve_positive
from jaxosc._numerics.matsubara import QuarticSums, quartic_sums, thermal_sum
from jaxosc._numerics.small import interleave, nan_unless
from jaxosc._numerics.two_modes import (
    Entries,
    Pair,
    PhaseSource,
    classical_entries,
    stability,
    steady_entries,
)
from jaxosc.baths import Baths, has_kind
from jaxosc.dynamics import Dynamics, network_covariance
from jaxosc.equations.entrance import AmplitudeDamping
from jaxosc.equations.gibbs import frequency_bounds
from jaxosc.oscillators import Oscillators, kinetic_matrix, potential_matrix
from jaxosc.spectra import Flat


def langevin(oscillators: Oscillators, baths: Baths) -> Dynamics:
    """Quantum Langevin equation ȧ_j = −i[a_j, H] − γ_j a_j + √(2γ_j) a_j,in, solved exactly.

    The steady covariance is the integral of the noise spectra over all frequencies, taken as
    a principal value at ν = 0. It solves Aσ + σAᵀ + D = 0 with the effective diffusion

        D = Σ_j γ_j [M_j + M_jᵀ],   M_j = T_j Σ_k (A − |ν_k|)⁻¹ J_j,   ν_k = 2πT_j k, k ∈ ℤ,

    J_j the symplectic form of oscillator j: the Matsubara sum of a digamma function of the
    drift, which needs no quadrature. At T_j = 0 the sum is the integral over ν/π.

    Args:
        oscillators: N modes with a bounded Hamiltonian.
        baths: one bath an oscillator, with a flat spectrum on the whole frequency axis.

    Returns:
        Dynamics whose ``steady_state`` is the exact covariance; its diffusion is NaN where H is
        not bounded below, or a rate or temperature is negative, and the values are known only
        inside a transformation. Flat damping is an idealisation good to O(γ/ω): at low
        temperature the covariance can violate the uncertainty relation by as much, which
        ``is_physical`` and ``diagnose`` tell. Two modes whose pairing exceeds four times their
        exchange keep only the digits that ε/δ² leaves at the distance δ to their critical point,
        ε the rounding of the dtype. D is that of the steady state, not a Markovian
        noise: it gives no time evolution at times below 1/T_j.

    Raises:
        ValueError: if the two do not fit together, H is known and not bounded below, or the
            spectrum of the baths is not flat.

    Source: Konopik & Lutz, Eqs. 5-8 and 22-23 (with 2γ counted once, as in their Eq. 23).
    """
    return Dynamics.of(Langevin(), oscillators, baths)


@dataclass(frozen=True)
class Langevin(AmplitudeDamping):
    """The functions behind ``langevin``."""

    def require_kind(self, oscillators: Oscillators, baths: Baths) -> None:
        """Flat damping only."""
        if not has_kind(baths, Flat):
            raise ValueError(
                "Argument `baths` must have the spectrum 'flat' for the Langevin equation, "
                f"but it is {baths.spectrum!r}."
            )

    def diffusion(self, *parts: Any) -> jax.Array:
        """D of the steady state."""
        oscillators, baths = parts
        valid = self.holds(oscillators, baths)
        scaled, scaled_baths, unit = _baths.in_natural_units(oscillators, baths)
        if oscillators.modes == 2:
            noise, _ = _two_modes(scaled, scaled_baths)
            return Entries(*(entry * unit for entry in noise)).where(valid).matrix()
        return nan_unless(valid, _many_modes(scaled, scaled_baths) * unit)

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """For two modes apart from D, whose classical part outgrows the rest near λ_c."""
        oscillators, baths = parts
        if oscillators.modes == 2:
            valid = self.holds(oscillators, baths)
            scaled, scaled_baths, _ = _baths.in_natural_units(oscillators, baths)
            return _two_modes(scaled, scaled_baths)[1].where(valid).matrix()
        return network_covariance(oscillators, baths.damping, self.diffusion(oscillators, baths))


def _two_modes(oscillators: Oscillators, baths: Baths) -> tuple[Entries, Entries]:
    """D and σ: every entry of (A − ν)⁻¹ is a polynomial over the quartic det(A − ν).

    The term ν = 0, classical equipartition, outgrows all others near a critical point. Its
    part of σ is known in closed form, and the Lyapunov equation is left with the regular rest.
    """
    pair = _baths.two_mode_pair(oscillators, baths)
    omega1, omega2, j, k, det_v, det_w, gamma1, gamma2 = pair
    v, w = j + k, j - k
    width, damped = gamma1 + gamma2, gamma1 * gamma2
    balance = stability(pair)
    trace = omega1**2 + omega2**2 + 2 * v * w
    quartic = (
        balance.constant,
        2 * (gamma1 * omega2**2 + gamma2 * omega1**2 + width * (v * w + damped)),
        trace + width**2 + 2 * damped,
        2 * width,
    )
    slowest = jnp.sqrt(det_v) * jnp.sqrt(det_w) * jax.lax.rsqrt(trace)
    fastest = jnp.sqrt(trace) + jnp.maximum(gamma1, gamma2)
    temperature1, temperature2 = baths.temperature
    sums1, sums2 = (quartic_sums(quartic, t, slowest, fastest) for t in baths.temperature)
    # By hand, a pairing that outweighs the exchange costs digits where normal modes coincide.
    by_hand = jnp.where(4 * jnp.abs(j) < jnp.abs(k), 0, jnp.ones_like(j))
    classical = classical_entries(pair, by_hand * temperature1, by_hand * temperature2)

    def with_static(part: jax.Array) -> tuple[QuarticSums, QuarticSums]:
        return (
            sums1._replace(zeroth=sums1.zeroth + part * temperature1 / balance.constant),
            sums2._replace(zeroth=sums2.zeroth + part * temperature2 / balance.constant),
        )

    rest = steady_entries(pair, *_noise(pair, *with_static(1 - by_hand)))
    diffusion = _diffusion(*_noise(pair, *with_static(jnp.ones_like(j))))
    return diffusion, classical.plus(rest).where(balance.holds)


def _noise(
    pair: Pair, bath1: QuarticSums, bath2: QuarticSums
) -> tuple[jax.Array, jax.Array, PhaseSource]:
    """The diffusion in the variables of ``steady_entries``.

    Y = (V + GW⁻¹G)⁻¹ makes the position diffusion YE_j + E_jY, Z = (W + GV⁻¹G)⁻¹ that of the
    momenta, and B = −V⁻¹GZ the cross terms BE_j − E_jB; E_j projects on oscillator j and
    G = ν + Γ.
    """
    omega1, omega2, j, k, det_v, det_w, gamma1, gamma2 = pair
    v, w = j + k, j - k
    product, width, damped = omega1 * omega2, gamma1 + gamma2, gamma1 * gamma2
    # γ_j times the sums of 1, g_1, g_2 and g_1 g_2 over det(A − ν), with g_j = γ_j + ν
    one1, one2 = gamma1 * bath1.zeroth, gamma2 * bath2.zeroth
    first1, first2 = gamma1 * bath1.first, gamma2 * bath2.first
    second1, second2 = gamma1 * bath1.second, gamma2 * bath2.second
    g1_bath1, g2_bath1 = gamma1 * one1 + first1, gamma2 * one1 + first1
    g1_bath2, g2_bath2 = gamma1 * one2 + first2, gamma2 * one2 + first2
    g12 = damped * (one1 + one2) + width * (first1 + first2) + second1 + second2
    one = one1 + one2
    mean = (det_v + det_w) / 2
    d1 = omega2 * mean * one1 + omega1 * (gamma2 * (gamma2 * one1 + 2 * first1) + second1)
    d2 = omega1 * mean * one2 + omega2 * (gamma1 * (gamma1 * one2 + 2 * first2) + second2)
    flow1, flow2 = omega1 * (g2_bath2 - g2_bath1), omega2 * (g1_bath2 - g1_bath1)
    zero = jnp.zeros_like(one)
    return (
        d1,
        d2,
        PhaseSource(
            mu1=Complex(-2 * j * k * omega2 * one1, zero),
            mu2=Complex(-2 * j * k * omega1 * one2, zero),
            eta=Complex(k * (g12 + (product + v * w) * one), k * (flow1 - flow2)),
            chi=Complex(j * (g12 - (product - v * w) * one), j * (flow1 + flow2)),
        ),
    )


def _diffusion(d1: jax.Array, d2: jax.Array, phases: PhaseSource) -> Entries:
    """D from the variables of ``steady_entries``."""
    mu1, mu2, eta, chi = phases
    return Entries(
        x11=2 * (d1 - mu1.re),
        x12=chi.re - eta.re,
        x22=2 * (d2 - mu2.re),
        p11=2 * (d1 + mu1.re),
        p12=chi.re + eta.re,
        p22=2 * (d2 + mu2.re),
        x1p1=2 * mu1.im,
        x1p2=eta.im + chi.im,
        x2p1=eta.im - chi.im,
        x2p2=2 * mu2.im,
    )


def _many_modes(oscillators: Oscillators, baths: Baths) -> jax.Array:
    return _effective_diffusion(
        potential_matrix(oscillators),
        kinetic_matrix(oscillators),
        baths.damping,
        baths.temperature,
    )


@bounded_memory
def _effective_diffusion(
    potential: jax.Array, kinetic: jax.Array, damping: jax.Array, temperature: jax.Array
) -> jax.Array:
    """Any N: the column that belongs to bath j of Y, Z and B at each of its own frequencies."""
    inverse_potential, inverse_kinetic = inverse_positive(potential), inverse_positive(kinetic)
    slowest, fastest = frequency_bounds(potential, kinetic, inverse_potential, inverse_kinetic)

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
