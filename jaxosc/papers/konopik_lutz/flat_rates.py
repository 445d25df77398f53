"""The global equation with the flat rates that Konopik & Lutz print."""

from __future__ import annotations

from dataclasses import dataclass

import jax

from jaxosc._kernels.interface import BathCoupling, Rates
from jaxosc._pytree import bound
from jaxosc.baths import Baths, has_kind
from jaxosc.dynamics import Dynamics
from jaxosc.equations.global_lindblad import GlobalLindblad, flat_rate
from jaxosc.oscillators import Oscillators, is_real
from jaxosc.spectra import Flat


def global_lindblad(oscillators: Oscillators, baths: Baths) -> Dynamics:
    """Global Lindblad equation with the rates w_jk = γ_j (U_jk² + V_jk²).

    As ``jaxosc.global_lindblad`` but for the rates at which the bath of oscillator j damps normal
    mode k, a_j = Σ_k U_jk c_k + V_jk c_k†: the mean of those of a flat bath on its position and of
    one on its momentum. Without a pairing (V = 0) all flat rates agree; with one, the steady state
    of these departs from that of the Langevin equation with ΔT.

    Args:
        oscillators: N modes with real couplings and a bounded Hamiltonian.
        baths: one flat rotating-wave bath an oscillator, with temperatures.

    Returns:
        Dynamics, as of ``jaxosc.global_lindblad``.

    Raises:
        ValueError: as ``jaxosc.global_lindblad``, and for baths of another kind.

    Example:
        >>> oscillators = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> dynamics = konopik_lutz.global_lindblad(oscillators, jaxosc.Baths(1e-3, (9.0, 3.0)))

    Source: Konopik & Lutz, App. A, Eq. 17.
    """
    return Dynamics.of(FlatRates(), oscillators, baths)


@dataclass(frozen=True)
class FlatRates(GlobalLindblad):
    """The functions behind ``global_lindblad``."""

    def require_kind(self, oscillators: Oscillators, baths: Baths) -> None:
        """The rates are flat, and ask for no operator."""
        super().require_kind(oscillators, baths)
        if not is_real(oscillators):
            raise ValueError(
                "Argument `oscillators` must have real couplings for the rates of Eq. 17, but they "
                f"are {oscillators.exchange.dtype}."
            )
        named = isinstance(baths.coupling, str) and baths.coupling == "rotating-wave"
        if not (named and has_kind(baths, Flat)):
            raise ValueError(
                "Argument `baths` must be flat and coupled by 'rotating-wave' for the rates of "
                f"Eq. 17, but it is {baths.spectrum!r}, coupled by {baths.coupling!r}."
            )

    def contact(self, baths: Baths, unit: jax.Array) -> tuple[BathCoupling, Rates]:
        """By both quadratures alike."""
        return "quadratures", bound(flat_rate)
