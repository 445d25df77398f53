"""The local equation with its first correction by the coupling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax

from jaxosc._kernels import bohr, dense
from jaxosc.equations.family import Bath, Channel, Family, Shared, noise


@dataclass(frozen=True)
class LocalCorrected(Family):
    """The functions behind ``local_lindblad(…, order=1)``."""

    name: ClassVar[str] = "corrected local"

    def symbol(self, x: jax.Array, y: jax.Array, bath: Bath) -> jax.Array:
        """That of the Redfield equation, ½ S(y)."""
        return noise(y, bath) / 2

    def added(
        self, hessian: jax.Array, rows: jax.Array, channels: Channel, shared: Shared
    ) -> dense.Generator:
        """To first order in what couples the oscillators."""
        return bohr.first_order_dissipators(hessian, rows, self.symbol, channels, shared)
