"""Pictures with their numbers: where each description holds, and how far each is off."""

from jaxosc.figures.comparison_drawing import comparison_figure
from jaxosc.figures.validity import ValidityMap, validity_map

__all__ = ["ValidityMap", "comparison_figure", "validity_map"]
