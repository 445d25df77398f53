"""jaxosc: networks of damped, coupled quantum oscillators in JAX."""

from jaxosc.baths import Baths
from jaxosc.diagnosis import Diagnosis, diagnose
from jaxosc.dynamics import Dynamics, steady_state
from jaxosc.equations.gibbs import gibbs
from jaxosc.equations.global_lindblad import global_lindblad
from jaxosc.equations.langevin import langevin
from jaxosc.equations.langevin_integral import langevin_quadrature, langevin_spectrum
from jaxosc.equations.local_lindblad import local_lindblad
from jaxosc.gaussian import (
    coherence,
    is_physical,
    mutual_information,
    occupation,
    purity,
    symplectic_eigenvalues,
    von_neumann_entropy,
)
from jaxosc.normal_modes import NormalModes, normal_modes
from jaxosc.oscillators import Oscillators, critical_coupling, pair

__version__ = "0.1.0"

__all__ = [
    "Baths",
    "Diagnosis",
    "Dynamics",
    "NormalModes",
    "Oscillators",
    "coherence",
    "critical_coupling",
    "diagnose",
    "gibbs",
    "global_lindblad",
    "is_physical",
    "langevin",
    "langevin_quadrature",
    "langevin_spectrum",
    "local_lindblad",
    "mutual_information",
    "normal_modes",
    "occupation",
    "pair",
    "purity",
    "steady_state",
    "symplectic_eigenvalues",
    "von_neumann_entropy",
]
