"""Detailed-balance Lindblad equation: completely positive, with the Gibbs state of every bath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxosc._kernels.pair_bohr import PairEquation
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics
from jaxosc.equations.family import Bath, Family, root_noise
from jaxosc.oscillators import Oscillators


def detailed_balance_lindblad(oscillators: Oscillators, baths: Baths) -> Dynamics:
    """Lindblad equation with detailed balance, the one to start from.

    With the noise S(w) = 2J(w)(N(w) + 1) of a bath at Bohr frequencies w of either sign, its

        Γ(x, y) = ½ √(S(x) S(y)) [1 + tanh((y − x)/4T)]

    is the dissipator of ``universal_lindblad`` and a Hamiltonian part beside it. It is completely
    positive, takes no secular approximation (right at any splitting of the normal modes, also where
    the damping exceeds it), has the Gibbs state at T_m of the coupled network as a stationary state
    of each bath by itself, and so obeys the second law, bath by bath, in every state.

    Args:
        oscillators: N modes with any Hamiltonian that is bounded below.
        baths: any, with temperatures; the spectra of rows need a ``reference``.

    Returns:
        Dynamics; its diffusion and steady state are NaN where H is not bounded below, or a rate or
        temperature is negative, and the values are known only inside a transformation. Its errors
        are of the order γ/Ω in occupations and heat currents, and large where γ exceeds T or the
        smallest normal frequency. The function Γ has a step at x = y where T = 0. Derivatives are
        right to second order, also where normal modes coincide; a third derivative by the network
        is NaN.

    Raises:
        ValueError: if the two do not fit together, H is known and not bounded below, or baths have
            an ``occupation``.

    Example:
        >>> oscillators = jaxosc.pair((1.0, 1.5), 0.2, "position")
        >>> drude = jaxosc.spectra.Drude(cutoff=10.0)
        >>> baths = jaxosc.Baths(0.01, (0.5, 1.0), drude, coupling="position")
        >>> dynamics = jaxosc.detailed_balance_lindblad(oscillators, baths)
        >>> jaxosc.occupation(jaxosc.steady_state(dynamics)).round(6)
        Array([0.254919, 0.254862], dtype=float64)

    Source: the structure of Chen, Kastoryano & Gilyén, arXiv:2311.09207, and Scandi & Alhambra,
    arXiv:2505.20064, for linear operators of a bath that satisfies the KMS condition.
    """
    return Dynamics.of(DetailedBalanceLindblad(), oscillators, baths)


@dataclass(frozen=True)
class DetailedBalanceLindblad(Family):
    """The functions behind ``detailed_balance_lindblad``."""

    name: ClassVar[str] = "detailed-balance"
    written_out: ClassVar[PairEquation] = "detailed-balance"

    def symbol(self, x: jax.Array, y: jax.Array, bath: Bath) -> jax.Array:
        """½ √(S(x)S(y)) [1 + tanh((y − x)/4T)]."""
        temperature = bath[0].temperature
        warm = temperature > 0
        share = jnp.where(
            warm, jnp.tanh((y - x) / jnp.where(warm, 4 * temperature, 1)), jnp.sign(y - x)
        )
        return root_noise(x, bath) * root_noise(y, bath) * (1 + share) / 2
