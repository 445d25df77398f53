"""Universal Lindblad equation: jump operators from the square root of the noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax

from jaxosc._kernels.pair_bohr import PairEquation
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics
from jaxosc.equations.family import Bath, Family, root_noise
from jaxosc.oscillators import Oscillators


def universal_lindblad(oscillators: Oscillators, baths: Baths) -> Dynamics:
    """Universal Lindblad equation.

    Γ(x, y) = ½ √(S(x) S(y)) of two Bohr frequencies: one jump operator for each operator of a bath,
    L = Σ_a √S(w_a) g_a e_a of X = Σ_a g_a e_a, without a secular approximation. Completely
    positive; the Gibbs state is stationary to O(γ) only, and it may violate the second law by as
    little. Its principal values are left out: they gain no digit.

    Args:
        oscillators: N modes with any Hamiltonian that is bounded below.
        baths: any, with temperatures; the spectra of rows need a ``reference``.

    Returns:
        Dynamics, as ``detailed_balance_lindblad``, with the same errors, NaN and derivatives.

    Raises:
        ValueError: as ``detailed_balance_lindblad``.

    Example:
        >>> oscillators = jaxosc.pair((1.0, 1.5), 0.2, "position")
        >>> drude = jaxosc.spectra.Drude(cutoff=10.0)
        >>> baths = jaxosc.Baths(0.01, (0.5, 1.0), drude, coupling="position")
        >>> dynamics = jaxosc.universal_lindblad(oscillators, baths)
        >>> jaxosc.occupation(jaxosc.steady_state(dynamics)).round(6)
        Array([0.25491 , 0.254862], dtype=float64)

    Source: Nathan & Rudner, Phys. Rev. B 102, 115109 (2020).
    """
    return Dynamics.of(UniversalLindblad(), oscillators, baths)


@dataclass(frozen=True)
class UniversalLindblad(Family):
    """The functions behind ``universal_lindblad``."""

    name: ClassVar[str] = "universal"
    written_out: ClassVar[PairEquation] = "universal"

    def symbol(self, x: jax.Array, y: jax.Array, bath: Bath) -> jax.Array:
        """½ √(S(x)S(y))."""
        return root_noise(x, bath) * root_noise(y, bath) / 2
