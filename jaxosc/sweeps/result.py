"""What a sweep found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxosc.sweeps.grid import Grid


@dataclass(frozen=True)
class SweepResult:
    """Values over a grid, or summaries of them.

    Attributes:
        values: what the function returned, each array with the grid's shape in front of its
            own; for a sweep with ``reduce=``, the result of each reduction by name.
        axes: for each dimension of the grid, in order, the values of its parameters by name.
        metadata: version of jaxosc and JAX, devices, dtype, points, seconds, and when it began.
    """

    values: Any
    axes: dict[str, dict[str, np.ndarray]]
    metadata: dict[str, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each dimension."""
        return Grid(self.axes).shape

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{name} {size}" for name, size in zip(self.axes, self.shape, strict=True)
        )
        return (
            f"SweepResult({sizes}; {self.metadata['seconds']:.3g} s on {self.metadata['devices']})"
        )
