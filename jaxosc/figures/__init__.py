"""Pictures with their numbers: where each description holds, how far off it is, what moves."""

from typing import TYPE_CHECKING

from jaxosc._lazy import attached

# The same said twice: to type checkers and to Python, which matplotlib costs as much as JAX
if TYPE_CHECKING:
    from jaxosc.figures.comparison_drawing import comparison_figure
    from jaxosc.figures.motion_drawing import (
        correlation_figure,
        evolution_figure,
        spectrum_figure,
        wigner_figure,
    )
    from jaxosc.figures.validity import ValidityMap, validity_map
else:
    __getattr__, __dir__ = attached(
        __name__,
        {
            "comparison_drawing": ("comparison_figure",),
            "motion_drawing": (
                "correlation_figure",
                "evolution_figure",
                "spectrum_figure",
                "wigner_figure",
            ),
            "validity": ("ValidityMap", "validity_map"),
        },
    )

__all__ = [
    "ValidityMap",
    "comparison_figure",
    "correlation_figure",
    "evolution_figure",
    "spectrum_figure",
    "validity_map",
    "wigner_figure",
]
