"""The figures of the paper: ``reproduce`` recomputes them and tests what is said about them."""

from jaxosc.figures.catalogue import FIGURES
from jaxosc.figures.claims.measures import Claim
from jaxosc.figures.reproduction import reproduce

__all__ = ["FIGURES", "Claim", "reproduce"]
