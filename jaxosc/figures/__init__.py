"""Pictures with their numbers: the figures of the paper, and the validity map.

``reproduce`` recomputes the paper and tests what is said about it; ``validity_map`` shows where
each description can be trusted.
"""

from jaxosc.figures.catalogue import FIGURES
from jaxosc.figures.claims.measures import Claim
from jaxosc.figures.reproduction import reproduce
from jaxosc.figures.validity import ValidityMap, validity_map

__all__ = ["FIGURES", "Claim", "ValidityMap", "reproduce", "validity_map"]
