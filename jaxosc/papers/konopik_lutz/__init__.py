"""Konopik & Lutz, "Local master equations may fail to describe dissipative critical behavior".

``reproduce`` recomputes its figures and tests what is said about them; ``global_lindblad`` has the
rates that it prints.
"""

from jaxosc.papers.konopik_lutz.catalogue import FIGURES
from jaxosc.papers.konopik_lutz.claims.measures import Claim
from jaxosc.papers.konopik_lutz.flat_rates import global_lindblad
from jaxosc.papers.konopik_lutz.reproduction import reproduce

__all__ = ["FIGURES", "Claim", "global_lindblad", "reproduce"]
