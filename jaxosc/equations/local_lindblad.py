"""Local Lindblad equation: each bath sees its own oscillator as if it were alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from jaxosc import baths as _baths
from jaxosc import domain
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.special import bose
from jaxosc._numerics.two_modes import modes_apart, stability, steady_entries
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics, network_covariance
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

    def conditions(self, oscillators: Oscillators, baths: Baths) -> domain.Conditions:
        """A network in any frame; whether its motion is stable, the steady state tells."""
        return domain.frame_conditions(oscillators, baths)

    def diffusion(self, *parts: Any) -> jax.Array:
        """D_jj = γ_j(2N_j + 1) on both quadratures."""
        oscillators, baths = parts
        valid = self.holds(oscillators, baths)
        if oscillators.modes == 2:
            noise1, noise2 = _two_mode_noise(oscillators, baths)
            zero = jnp.zeros_like(noise1)
            block = (noise1, zero, noise2)
            return modes_apart(block, block).where(valid).matrix()
        return nan_unless(valid, _noise_matrix(oscillators, baths))

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """By the structure of the drift."""
        oscillators, baths = parts
        valid = self.holds(oscillators, baths)
        if oscillators.modes == 2:
            scaled, scaled_baths, _ = _baths.in_natural_units(oscillators, baths)
            pair = _baths.two_mode_pair(scaled, scaled_baths)
            noise1, noise2 = _two_mode_noise(scaled, scaled_baths)
            covariance = steady_entries(pair, noise1 / 2, noise2 / 2)
            return covariance.where(valid & stability(pair).holds).matrix()
        noise = nan_unless(valid, _noise_matrix(oscillators, baths))
        return network_covariance(oscillators, baths.damping, noise)


def _two_mode_noise(oscillators: Oscillators, baths: Baths) -> tuple[jax.Array, jax.Array]:
    each = zip(baths.damping, oscillators.frequency, baths.temperature, strict=True)
    noise1, noise2 = (_noise(*bath) for bath in each)
    return noise1, noise2


def _noise_matrix(oscillators: Oscillators, baths: Baths) -> jax.Array:
    noise = _noise(baths.damping, oscillators.frequency, baths.temperature)
    return jnp.diag(jnp.stack([noise, noise], axis=-1).reshape(-1))


def _noise(damping: jax.Array, frequency: jax.Array, temperature: jax.Array) -> jax.Array:
    return damping * (2 * bose(frequency, temperature) + 1)
