"""The descriptions by name: the one list that the command, sweeps, figures and tests read."""

from __future__ import annotations

from collections.abc import Callable

from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics
from jaxosc.equations.global_lindblad import global_lindblad
from jaxosc.equations.langevin import langevin
from jaxosc.equations.local_lindblad import local_lindblad
from jaxosc.oscillators import Oscillators

Equation = Callable[[Oscillators, Baths], Dynamics]

# The exact one first; each after it is an approximation to it.
EXACT = "langevin"
EQUATIONS: dict[str, Equation] = {
    EXACT: langevin,
    "global": global_lindblad,
    "local": local_lindblad,
}
APPROXIMATE = {name: equation for name, equation in EQUATIONS.items() if name != EXACT}

# The Gibbs state is one of equal temperatures, and no dynamics.
EQUILIBRIUM = "gibbs"
DESCRIPTIONS = (*EQUATIONS, EQUILIBRIUM)
