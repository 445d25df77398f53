"""jaxosc: networks of damped, coupled quantum oscillators in JAX.

A public name is imported, with what it needs, when it is first asked for.
"""

from typing import TYPE_CHECKING

from jaxosc._lazy import attached
from jaxosc._version import __version__

# The same said twice: to type checkers and to Python
if TYPE_CHECKING:
    from jaxosc import spectra
    from jaxosc._compilation import keep_compiled
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
    from jaxosc.eigenmodes import NormalModes, normal_modes
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
    from jaxosc.estimation.fit import Fit, fit
    from jaxosc.estimation.measurement import fisher_information
    from jaxosc.estimation.quantum_fisher import quantum_fisher_information
    from jaxosc.explanation import Explanation, explain
    from jaxosc.gaussian.distances import fidelity, relative_entropy
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
    from jaxosc.motion.correlations import correlation
    from jaxosc.motion.evolution import Evolution, evolve
    from jaxosc.motion.ports import emission_spectrum, output_spectrum, scattering
    from jaxosc.motion.relaxation import (
        EigenvalueConditions,
        eigenvalue_conditions,
        relaxation_rates,
        spectral_gap,
    )
    from jaxosc.motion.spectra import response, spectrum
    from jaxosc.optimization import Optimum, optimize
    from jaxosc.oscillators import Oscillators
    from jaxosc.pairs import critical_coupling, pair
    from jaxosc.positivity import complete_positivity_margin, is_completely_positive
    from jaxosc.sweeps.reductions import Reduction, histogram
    from jaxosc.sweeps.result import SweepResult, load_sweep
    from jaxosc.sweeps.run import sweep
    from jaxosc.thermodynamics.currents import entropy_production, heat_currents, work_current
    from jaxosc.thermodynamics.energies import energy, energy_flow, ergotropy, free_energy
    from jaxosc.thermodynamics.transport import conductance, rectification, transmission
else:
    __getattr__, __dir__ = attached(
        __name__,
        {
            "spectra": (),
            "_compilation": ("keep_compiled",),
            "baths": ("Baths",),
            "comparison.advice": ("Recommendation",),
            "comparison.result": ("Comparison",),
            "comparison.run": ("compare",),
            "criticality.continuation": ("CriticalCurve", "trace_curve"),
            "criticality.critical_points": ("critical_scale", "stability_scale"),
            "criticality.derivatives": ("critical_exponent", "logarithmic_slope", "susceptibility"),
            "criticality.frontier": ("Frontier", "trust_frontier"),
            "diagnosis": ("Diagnosis", "diagnose"),
            "domain": ("Status",),
            "dynamics": ("Dynamics", "status", "steady_mean", "steady_state"),
            "equations.coarse_grained_lindblad": ("coarse_grained_lindblad",),
            "equations.detailed_balance_lindblad": ("detailed_balance_lindblad",),
            "equations.gibbs": ("gibbs", "mean_force_gibbs"),
            "equations.global_lindblad": ("global_lindblad",),
            "equations.langevin": ("langevin",),
            "equations.langevin_integral": ("langevin_quadrature", "langevin_spectrum"),
            "equations.lindblad": ("lindblad",),
            "equations.local_lindblad": ("local_lindblad",),
            "equations.partial_secular": ("partial_secular",),
            "equations.redfield": ("redfield",),
            "equations.unified_lindblad": ("unified_lindblad",),
            "equations.universal_lindblad": ("universal_lindblad",),
            "estimation.fit": ("Fit", "fit"),
            "estimation.measurement": ("fisher_information",),
            "estimation.quantum_fisher": ("quantum_fisher_information",),
            "explanation": ("Explanation", "explain"),
            "gaussian.distances": ("fidelity", "relative_entropy"),
            "gaussian.entanglement": ("discord", "logarithmic_negativity", "steering"),
            "gaussian.entropies": (
                "is_physical",
                "mutual_information",
                "purity",
                "renyi_entropy",
                "symplectic_eigenvalues",
                "von_neumann_entropy",
            ),
            "gaussian.moments": ("coherence", "occupation"),
            "gaussian.phase_space": ("squeezing", "squeezing_angle", "wigner"),
            "gaussian.photons": ("g2", "number_covariance"),
            "motion.correlations": ("correlation",),
            "motion.evolution": ("Evolution", "evolve"),
            "motion.ports": ("emission_spectrum", "output_spectrum", "scattering"),
            "motion.relaxation": (
                "EigenvalueConditions",
                "eigenvalue_conditions",
                "relaxation_rates",
                "spectral_gap",
            ),
            "motion.spectra": ("response", "spectrum"),
            "eigenmodes": ("NormalModes", "normal_modes"),
            "optimization": ("Optimum", "optimize"),
            "oscillators": ("Oscillators",),
            "pairs": ("critical_coupling", "pair"),
            "positivity": ("complete_positivity_margin", "is_completely_positive"),
            "sweeps.reductions": ("Reduction", "histogram"),
            "sweeps.result": ("SweepResult", "load_sweep"),
            "sweeps.run": ("sweep",),
            "thermodynamics.currents": ("entropy_production", "heat_currents", "work_current"),
            "thermodynamics.energies": ("energy", "energy_flow", "ergotropy", "free_energy"),
            "thermodynamics.transport": ("conductance", "rectification", "transmission"),
        },
    )

__all__ = [
    "Baths",
    "Comparison",
    "CriticalCurve",
    "Diagnosis",
    "Dynamics",
    "EigenvalueConditions",
    "Evolution",
    "Explanation",
    "Fit",
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
    "conductance",
    "correlation",
    "critical_coupling",
    "critical_exponent",
    "critical_scale",
    "detailed_balance_lindblad",
    "diagnose",
    "discord",
    "eigenvalue_conditions",
    "emission_spectrum",
    "energy",
    "energy_flow",
    "entropy_production",
    "ergotropy",
    "evolve",
    "explain",
    "fidelity",
    "fisher_information",
    "fit",
    "free_energy",
    "g2",
    "gibbs",
    "global_lindblad",
    "heat_currents",
    "histogram",
    "is_completely_positive",
    "is_physical",
    "keep_compiled",
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
    "output_spectrum",
    "pair",
    "partial_secular",
    "purity",
    "quantum_fisher_information",
    "rectification",
    "redfield",
    "relative_entropy",
    "relaxation_rates",
    "renyi_entropy",
    "response",
    "scattering",
    "spectra",
    "spectral_gap",
    "spectrum",
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
    "transmission",
    "trust_frontier",
    "unified_lindblad",
    "universal_lindblad",
    "von_neumann_entropy",
    "wigner",
    "work_current",
]
