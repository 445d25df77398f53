"""The error of computed numbers, where the package for many digits is there to tell it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.cases import Kernel, Parameters
from benchmarks.records import is_installed


def largest_error(
    kernel: Kernel, interaction: str, places: Sequence[tuple[Sequence[float], Parameters]]
) -> float | None:
    """The largest relative error at some points.

    Args:
        kernel: what was computed.
        interaction: as in ``jaxosc.pair``.
        places: what was found at each point, and the parameters there.

    Returns:
        As ``reference.error``; None without mpmath.
    """
    if not is_installed("mpmath"):
        return None
    from benchmarks import reference

    return float(
        np.fmax.reduce(
            [
                reference.error(
                    [float(value) for part in found for value in np.ravel(part)],
                    kernel,
                    parameters,
                    interaction,
                )
                for found, parameters in places
            ]
        )
    )
