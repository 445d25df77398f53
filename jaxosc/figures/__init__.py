"""Pictures with their numbers: the validity map, which shows where each description holds."""

from jaxosc.figures.validity import ValidityMap, validity_map

__all__ = ["ValidityMap", "validity_map"]
