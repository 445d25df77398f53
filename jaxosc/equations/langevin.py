"""Quantum Langevin equation with flat damping, as a drift and an effective diffusion."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc import baths as _baths
from jaxosc import oscillators as _oscillators
from jaxosc._numerics.matsubara import thermal_sum
from jaxosc._numerics.network_lyapunov import interleave
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics, NetworkDrift
from jaxosc.equations.gibbs import frequency_bounds
from jaxosc.oscillators import Oscillators, kinetic_matrix, potential_matrix


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
        ``is_physical`` and ``diagnose`` tell. D is that of the steady state, not a Markovian
        noise: it gives no time evolution at times below 1/T_j.

    Raises:
        ValueError: if the two do not fit together, H is known and not bounded below, or the
            spectrum of the baths is not flat.

    Source: Konopik & Lutz, Eqs. 5-8 and 22-23 (with 2γ counted once, as in their Eq. 23).
    """
    oscillators, baths = match_flat(oscillators, baths)
    return _langevin(oscillators, baths)


def match_flat(oscillators: Oscillators, baths: Baths) -> tuple[Oscillators, Baths]:
    """Both in one dtype, after checking that the Langevin equation applies to them."""
    oscillators, baths = _baths.match(oscillators, baths)
    if baths.spectrum != "flat":
        raise ValueError(
            "Argument `baths` must have the spectrum 'flat' for the Langevin equation, "
            f"but it is {baths.spectrum!r}."
        )
    _oscillators.require_bounded(oscillators)
    return oscillators, baths


@jax.jit
def _langevin(oscillators: Oscillators, baths: Baths) -> Dynamics:
    scaled, scaled_baths, unit = _baths.in_natural_units(oscillators, baths)
    route = _two_modes if oscillators.modes == 2 else _many_modes
    diffusion = route(scaled, scaled_baths) * unit
    valid = _baths.is_valid(oscillators, baths)
    return Dynamics.of(
        NetworkDrift(oscillators, baths.damping), jnp.where(valid, diffusion, jnp.nan)
    )


def _two_modes(oscillators: Oscillators, baths: Baths) -> jax.Array:
    """Two modes: every entry of (A − ν)⁻¹ is a polynomial over det(A − ν)."""
    omega1, omega2 = oscillators.frequency[0], oscillators.frequency[1]
    j, k = oscillators.exchange[0, 1], oscillators.pairing[0, 1]
    v, w = j + k, j - k
    det_v, det_w = _oscillators.two_mode_determinants(oscillators)
    trace = omega1**2 + omega2**2 + 2 * v * w
    slowest = jnp.sqrt(det_v) * jnp.sqrt(det_w) * jax.lax.rsqrt(trace)
    fastest = jnp.sqrt(trace) + jnp.max(baths.damping)

    def terms(nu: jax.Array) -> tuple[jax.Array, ...]:
        """1, g1², g2², g1 g2, g1 and g2 over det(A − ν), with g_j = γ_j + ν."""
        g1, g2 = baths.damping[0] + nu, baths.damping[1] + nu
        determinant = (
            det_v * det_w
            + (g1 * omega2) ** 2
            + (g2 * omega1) ** 2
            + g1 * g2 * (g1 * g2 + 2 * v * w)
        )
        inverse = 1 / determinant
        numerators = (jnp.ones_like(nu), g1**2, g2**2, g1 * g2, g1, g2)
        return tuple(numerator * inverse for numerator in numerators)

    sums = thermal_sum(terms, baths.temperature, slowest, fastest)
    one, g11, g22, g12, g1, g2 = (baths.damping * sum_ for sum_ in sums)
    # Y = (V + GW⁻¹G)⁻¹ makes the position diffusion YE_j + E_jY, Z = (W + GV⁻¹G)⁻¹ that of
    # the momenta, and B = −V⁻¹GZ the cross terms BE_j − E_jB; E_j projects on oscillator j.
    y1, y2 = omega2 * det_w * one[0] + omega1 * g22[0], omega1 * det_w * one[1] + omega2 * g11[1]
    z1, z2 = omega2 * det_v * one[0] + omega1 * g22[0], omega1 * det_v * one[1] + omega2 * g11[1]
    y12 = jnp.sum(w * g12 - v * det_w * one)
    z12 = jnp.sum(v * g12 - w * det_v * one)
    b12 = omega1 * v * g2 + omega2 * w * g1
    b21 = omega2 * v * g1 + omega1 * w * g2
    zero = jnp.zeros_like(y12)
    x1p2, x2p1 = b12[1] - b12[0], b21[0] - b21[1]
    return jnp.array([
        [2 * y1, zero, y12, x1p2],
        [zero, 2 * z1, x2p1, z12],
        [y12, x2p1, 2 * y2, zero],
        [x1p2, z12, zero, 2 * z2],
    ])  # fmt: skip


def _many_modes(oscillators: Oscillators, baths: Baths) -> jax.Array:
    """Any N: the column that belongs to bath j of Y, Z and B at each of its own frequencies."""
    potential, kinetic = potential_matrix(oscillators), kinetic_matrix(oscillators)
    inverse_potential, inverse_kinetic = jnp.linalg.inv(potential), jnp.linalg.inv(kinetic)
    slowest, fastest = frequency_bounds(potential, kinetic, inverse_potential, inverse_kinetic)

    def columns(unit: jax.Array, nu: jax.Array) -> tuple[jax.Array, ...]:
        g = baths.damping + nu
        y = jnp.linalg.solve(potential + g[:, None] * inverse_kinetic * g[None, :], unit)
        z = jnp.linalg.solve(kinetic + g[:, None] * inverse_potential * g[None, :], unit)
        return y, z, -inverse_potential @ (g * z), -inverse_kinetic @ (g * y)

    units = jnp.eye(oscillators.modes, dtype=baths.damping.dtype)

    def of_bath(bath: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, ...]:
        unit, temperature = bath
        return thermal_sum(
            lambda nu: jax.vmap(columns, in_axes=(None, 0))(unit, nu),
            temperature,
            slowest,
            fastest + jnp.max(baths.damping),
        )

    # One bath after the other: memory stays at nodes × N² numbers.
    sums = jax.lax.map(of_bath, (units, baths.temperature))
    y, z, b, c = (baths.damping[:, None] * rows for rows in sums)  # row j belongs to bath j
    cross = b.T - c
    return interleave(y + y.T, cross, cross.T, z + z.T)
