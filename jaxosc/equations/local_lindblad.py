"""Local Lindblad equation: each bath sees its own oscillator as if it were alone."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc import baths as _baths
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.special import bose
from jaxosc._numerics.two_modes import modes_apart, stability, steady_entries
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics, NetworkDrift, SolvedDrift, network_matrix
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
    oscillators, baths = _baths.match(oscillators, baths)
    _baths.require_domain(oscillators, baths)
    return _local_lindblad(oscillators, baths)


@jax.jit
def _local_lindblad(oscillators: Oscillators, baths: Baths) -> Dynamics:
    valid = _baths.is_valid(oscillators, baths)
    if oscillators.modes == 2:
        return _two_modes(oscillators, baths, valid)
    noise = _noise(baths.damping, oscillators.frequency, baths.temperature)
    diffusion = jnp.diag(jnp.stack([noise, noise], axis=-1).reshape(-1))
    return Dynamics.of(NetworkDrift(oscillators, baths.damping), nan_unless(valid, diffusion))


def _two_modes(oscillators: Oscillators, baths: Baths, valid: jax.Array) -> Dynamics:
    scaled, scaled_baths, unit = _baths.in_natural_units(oscillators, baths)
    pair = _baths.two_mode_pair(scaled, scaled_baths)
    noise1, noise2 = (
        _noise(*bath)
        for bath in zip(
            scaled_baths.damping, scaled.frequency, scaled_baths.temperature, strict=True
        )
    )
    covariance = steady_entries(pair, noise1 / 2, noise2 / 2)
    noise1, noise2, zero = noise1 * unit, noise2 * unit, jnp.zeros_like(noise1)
    block = (noise1, zero, noise2)
    return Dynamics.of(
        SolvedDrift(
            network_matrix(oscillators, baths.damping),
            covariance.where(valid & stability(pair).holds).matrix(),
        ),
        modes_apart(block, block).where(valid).matrix(),
    )


def _noise(damping: jax.Array, frequency: jax.Array, temperature: jax.Array) -> jax.Array:
    return damping * (2 * bose(frequency, temperature) + 1)
