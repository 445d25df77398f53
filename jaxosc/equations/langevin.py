"""Quantum Langevin equation with flat damping, as a drift and an effective diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from jaxosc.baths import Baths, has_kind
from jaxosc.dynamics import Dynamics
from jaxosc.equations.entrance import AmplitudeDamping
from jaxosc.oscillators import Oscillators
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
        (kernel, damping, temperature, unit), valid = self.posed(*parts)
        return kernel.langevin_diffusion(damping, temperature, unit, valid)

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """From one sum with D."""
        (kernel, damping, temperature, _), valid = self.posed(*parts)
        return kernel.langevin_state(damping, temperature, valid)
