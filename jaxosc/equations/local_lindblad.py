"""Local Lindblad equation: each bath sees its own oscillator as if it were alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax

from jaxosc import domain
from jaxosc._kernels.interface import Kernel
from jaxosc._numerics import small
from jaxosc._numerics.special import bose
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics
from jaxosc.equations.entrance import AmplitudeDamping
from jaxosc.oscillators import Oscillators


def local_lindblad(oscillators: Oscillators, baths: Baths) -> Dynamics:
    """Local Lindblad master equation.

    dρ/dt = −i[H, ρ] + Σ_j 2γ_j(N_j + 1) D[a_j]ρ + 2γ_jN_j D[a_j†]ρ, N_j = N(ω_j, T_j), where
    D[c]ρ = cρc† − {c†c, ρ}/2. As drift and diffusion: −γ_j on both quadratures of oscillator j
    beside the Hamiltonian part, and D_jj = γ_j(2N_j + 1) on both.

    Args:
        oscillators: N modes with a bounded Hamiltonian.
        baths: one bath an oscillator. Its spectrum plays no part: γ_j is the rate at ω_j.

    Returns:
        Dynamics; its diffusion is NaN where H is not bounded below, or a rate or temperature
        is negative, and the values are known only inside a transformation.

    Raises:
        ValueError: if the two do not fit together, or H is known and not bounded below.

    Source: Konopik & Lutz, Eq. 4 and below, with γ as the amplitude rate of their Eq. 5
    (their Lindblad rates are written γ, which is γ/2 here).
    """
    return Dynamics.of(LocalLindblad(), oscillators, baths)


@dataclass(frozen=True)
class LocalLindblad(AmplitudeDamping):
    """The functions behind ``local_lindblad``."""

    def conditions(
        self, oscillators: Oscillators, baths: Baths, kernel: Kernel | None = None
    ) -> domain.Conditions:
        """A network in any frame; whether its motion is stable, the steady state tells."""
        return domain.frame_conditions(oscillators, baths, kernel)

    def diffusion(self, *parts: Any) -> jax.Array:
        """D_jj = γ_j(2N_j + 1) on both quadratures."""
        oscillators, baths = parts
        (kernel, *_), valid = self.posed(oscillators, baths)
        noise = _noise(baths.damping, oscillators.frequency, baths.temperature)
        return kernel.local_diffusion(noise, valid)

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """By the structure of the drift."""
        (kernel, damping, temperature, _), valid = self.posed(*parts)
        noise = _noise(damping, kernel.network.frequency, temperature)
        return kernel.local_state(damping, noise, valid)


def _noise(damping: jax.Array, frequency: jax.Array, temperature: jax.Array) -> jax.Array:
    """γ(2N + 1) [N]."""

    def of_one(damping: jax.Array, frequency: jax.Array, temperature: jax.Array) -> jax.Array:
        return damping * (2 * bose(frequency, temperature) + 1)

    return small.entrywise(of_one, damping, frequency, temperature)
