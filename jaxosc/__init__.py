"""jaxosc: networks of damped, coupled quantum oscillators in JAX."""

from jaxosc import spectra
from jaxosc._version import __version__
from jaxosc.baths import Baths
from jaxosc.comparison.advice import Recommendation
from jaxosc.comparison.result import Comparison
from jaxosc.comparison.run import compare
from jaxosc.criticality.continuation import CriticalCurve, trace_curve
from jaxosc.criticality.critical_points import critical_scale, stability_scale
from jaxosc.criticality.derivatives import critical_exponent, logarithmic_slope, susceptibility
from jaxosc.criticality.frontier import Frontier, trust_frontier
from jaxosc.diagnosis import Diagnosis, diagnose
from jaxosc.domain import Status
from jaxosc.dynamics import Dynamics, status, steady_mean, steady_state
from jaxosc.equations.coarse_grained_lindblad import coarse_grained_lindblad
from jaxosc.equations.detailed_balance_lindblad import detailed_balance_lindblad
from jaxosc.equations.gibbs import gibbs, mean_force_gibbs
from jaxosc.equations.global_lindblad import global_lindblad
from jaxosc.equations.langevin import langevin
from jaxosc.equations.langevin_integral import langevin_quadrature, langevin_spectrum
from jaxosc.equations.lindblad import lindblad
from jaxosc.equations.local_lindblad import local_lindblad
from jaxosc.equations.partial_secular import partial_secular
from jaxosc.equations.redfield import redfield
from jaxosc.equations.unified_lindblad import unified_lindblad
from jaxosc.equations.universal_lindblad import universal_lindblad
from jaxosc.explanation import Explanation, explain
from jaxosc.gaussian.entanglement import discord, logarithmic_negativity, steering
from jaxosc.gaussian.entropies import (
    is_physical,
    mutual_information,
    purity,
    renyi_entropy,
    symplectic_eigenvalues,
    von_neumann_entropy,
)
from jaxosc.gaussian.moments import coherence, occupation
from jaxosc.gaussian.phase_space import squeezing, squeezing_angle, wigner
from jaxosc.gaussian.photons import g2, number_covariance
from jaxosc.normal_modes import NormalModes, normal_modes
from jaxosc.optimization import Optimum, optimize
from jaxosc.oscillators import Oscillators
from jaxosc.pairs import critical_coupling, pair
from jaxosc.positivity import complete_positivity_margin, is_completely_positive
from jaxosc.sweeps.reductions import Reduction, histogram
from jaxosc.sweeps.result import SweepResult, load_sweep
from jaxosc.sweeps.run import sweep
from jaxosc.thermodynamics import entropy_production, heat_currents

__all__ = [
    "Baths",
    "Comparison",
    "CriticalCurve",
    "Diagnosis",
    "Dynamics",
    "Explanation",
    "Frontier",
    "NormalModes",
    "Optimum",
    "Oscillators",
    "Recommendation",
    "Reduction",
    "Status",
    "SweepResult",
    "__version__",
    "coarse_grained_lindblad",
    "coherence",
    "compare",
    "complete_positivity_margin",
    "critical_coupling",
    "critical_exponent",
    "critical_scale",
    "detailed_balance_lindblad",
    "diagnose",
    "discord",
    "entropy_production",
    "explain",
    "g2",
    "gibbs",
    "global_lindblad",
    "heat_currents",
    "histogram",
    "is_completely_positive",
    "is_physical",
    "langevin",
    "langevin_quadrature",
    "langevin_spectrum",
    "lindblad",
    "load_sweep",
    "local_lindblad",
    "logarithmic_negativity",
    "logarithmic_slope",
    "mean_force_gibbs",
    "mutual_information",
    "normal_modes",
    "number_covariance",
    "occupation",
    "optimize",
    "pair",
    "partial_secular",
    "purity",
    "redfield",
    "renyi_entropy",
    "spectra",
    "squeezing",
    "squeezing_angle",
    "stability_scale",
    "status",
    "steady_mean",
    "steady_state",
    "steering",
    "susceptibility",
    "sweep",
    "symplectic_eigenvalues",
    "trace_curve",
    "trust_frontier",
    "unified_lindblad",
    "universal_lindblad",
    "von_neumann_entropy",
    "wigner",
]
