"""Redfield equation: second order in the coupling, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax

from jaxosc._kernels.pair_bohr import PairEquation
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics
from jaxosc.equations.family import Bath, Family, half_sided
from jaxosc.oscillators import Oscillators


def redfield(oscillators: Oscillators, baths: Baths, *, lamb_shift: bool = False) -> Dynamics:
    """Redfield equation, with or without principal values.

    Γ(x, y) = ½ S(y) + iΔ(y) of two Bohr frequencies, S(w) = 2J(w)(N(w) + 1) and
    Δ(w) = (1/2π) PV∫ S(v)/(w − v) dv (with the counter-term, if there is one).

    Without the principal values Δ the Gibbs state of the coupled network is stationary for each
    bath, to rounding, and no violation of the second law is known. With them every coherence of
    normal modes is right to O(γ²), but populations are wrong at O(γ) and, where it is cold, of the
    wrong sign: states are not physical there. Neither is completely positive.

    Args:
        oscillators: N modes with any Hamiltonian that is bounded below.
        baths: any, with temperatures; the spectra of rows need a ``reference``.
        lamb_shift: whether to keep Δ, for spectra with a cutoff.

    Returns:
        Dynamics, as ``detailed_balance_lindblad``, with the same NaN and derivatives.

    Raises:
        ValueError: as ``detailed_balance_lindblad``; and if principal values are asked for that do
            not exist, of flat and of strictly Ohmic baths.

    Example:
        >>> oscillators = jaxosc.pair((1.0, 1.5), 0.2, "position")
        >>> drude = jaxosc.spectra.Drude(cutoff=10.0)
        >>> baths = jaxosc.Baths(0.01, (0.5, 1.0), drude, coupling="position")
        >>> jaxosc.occupation(jaxosc.steady_state(jaxosc.redfield(oscillators, baths))).round(6)
        Array([0.254916, 0.254865], dtype=float64)

    Source: Redfield, IBM J. Res. Dev. 1, 19 (1957); Breuer & Petruccione, Sec. 3.3.
    """
    return Dynamics.of(Redfield(lamb_shift), oscillators, baths)


@dataclass(frozen=True)
class Redfield(Family):
    """The functions behind ``redfield``."""

    name: ClassVar[str] = "Redfield"
    written_out: ClassVar[PairEquation] = "redfield"

    def symbol(self, x: jax.Array, y: jax.Array, bath: Bath) -> jax.Array:
        """½ S(y) + iΔ(y)."""
        return half_sided(y, bath, self.lamb_shift)
