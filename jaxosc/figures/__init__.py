"""Pictures with their numbers: where each description holds, how far off it is, what moves."""

from jaxosc.figures.comparison_drawing import comparison_figure
from jaxosc.figures.motion_drawing import (
    correlation_figure,
    evolution_figure,
    spectrum_figure,
    wigner_figure,
)
from jaxosc.figures.validity import ValidityMap, validity_map

__all__ = [
    "ValidityMap",
    "comparison_figure",
    "correlation_figure",
    "evolution_figure",
    "spectrum_figure",
    "validity_map",
    "wigner_figure",
]
