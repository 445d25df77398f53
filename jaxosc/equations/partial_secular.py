"""Partial secular equation: Redfield between near Bohr frequencies alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxosc._kernels.pair_bohr import PairEquation
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics
from jaxosc.equations.family import Bath, Family, half_sided, usual_width
from jaxosc.oscillators import Oscillators
from jaxosc.typing import Reals


def partial_secular(
    oscillators: Oscillators,
    baths: Baths,
    width: Reals | None = None,
    *,
    lamb_shift: bool = False,
) -> Dynamics:
    """Redfield equation without the terms between Bohr frequencies further apart than a width.

    Γ(x, y) = ½ S(y) + iΔ(y) where |x − y| ≤ width, else 0. Between the full secular equation
    (width 0) and ``redfield`` (beyond all splittings). The Gibbs state stays stationary without
    principal values; not completely positive in general. The terms of c_kc_l are among those that
    a small width drops, and with them squeezing of the order γ/Ω.

    Args:
        oscillators: N modes with any Hamiltonian that is bounded below.
        baths: any, with temperatures; the spectra of rows need a ``reference``.
        width: in the unit of ω, not negative; None for 20 times the largest amplitude rate.
        lamb_shift: whether to keep the principal values Δ, for spectra with a cutoff.

    Returns:
        Dynamics, as ``redfield``. The equation has steps where a splitting of normal frequencies
        passes the width, and no derivative across them; ``diagnose`` measures the distance.

    Raises:
        ValueError: as ``redfield``, or if the width is negative.

    Example:
        >>> oscillators = jaxosc.pair((1.0, 1.02), 0.01, "position")
        >>> drude = jaxosc.spectra.Drude(cutoff=10.0)
        >>> baths = jaxosc.Baths(0.01, (0.5, 1.0), drude, coupling="position")
        >>> dynamics = jaxosc.partial_secular(oscillators, baths, width=0.1)
        >>> jaxosc.occupation(jaxosc.steady_state(dynamics)).round(6)
        Array([0.226654, 0.494134], dtype=float64)

    Source: Cattaneo, Giorgi, Maniscalco & Zambrini, New J. Phys. 21, 113045 (2019).
    """
    width = usual_width(baths, oscillators) if width is None else width
    return Dynamics.of(PartialSecular(lamb_shift), oscillators, baths, width)


@dataclass(frozen=True)
class PartialSecular(Family):
    """The functions behind ``partial_secular``."""

    name: ClassVar[str] = "partial secular"
    numbers: ClassVar[tuple[str, ...]] = ("width",)
    written_out: ClassVar[PairEquation] = "partial-secular"

    def symbol(self, x: jax.Array, y: jax.Array, bath: Bath) -> jax.Array:
        """½ S(y) + iΔ(y) within the width: Ω and −Ω are mirrored, and so are ties."""
        (width,) = bath[1].extra
        value = half_sided(y, bath, self.lamb_shift)
        return jnp.where(jnp.abs(x - y) <= width, value, 0)
