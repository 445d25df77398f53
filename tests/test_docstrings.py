"""The examples of the public docstrings print what they say."""

import doctest
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import slow
from precision import double

import jaxosc

SPECTRA = {f"spectra.{name}": getattr(jaxosc.spectra, name) for name in jaxosc.spectra.__all__}
PUBLIC = {name: getattr(jaxosc, name) for name in jaxosc.__all__} | SPECTRA
# What other objects return, and what is shown with the function that takes it
WITHOUT = {
    "Comparison", "CriticalCurve", "Diagnosis", "EigenvalueConditions", "Evolution", "Explanation",
    "Fit", "Frontier", "NormalModes", "Optimum", "Recommendation", "Status", "SweepResult",
    "__version__", "spectra", "spectra.Filters", "spectra.Spectrum",
}  # fmt: skip
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


# What takes long to compile
LONG = (
    "coarse_grained_lindblad", "compare", "complete_positivity_margin", "conductance",
    "correlation", "critical_exponent", "diagnose", "discord", "eigenvalue_conditions",
    "emission_spectrum", "entropy_production", "explain", "global_lindblad", "heat_currents",
    "is_completely_positive", "langevin_quadrature", "langevin_spectrum", "logarithmic_slope",
    "output_spectrum", "partial_secular", "quantum_fisher_information", "rectification", "redfield",
    "response", "scattering", "spectra.Sampled", "spectrum", "status", "susceptibility",
    "trust_frontier", "unified_lindblad", "universal_lindblad", "work_current",
)  # fmt: skip


@double
@pytest.mark.parametrize("name", [*sorted(set(PUBLIC) - WITHOUT - set(LONG)), *slow(*LONG)])
def test_example(name, tmp_path, monkeypatch, own_cache):
    monkeypatch.chdir(tmp_path)
    names = {"jax": jax, "jnp": jnp, "np": np, "jaxosc": jaxosc}
    text = inspect.getdoc(PUBLIC[name]) or ""
    test = doctest.DocTestParser().get_doctest(text, names, name, None, None)
    assert test.examples, f"{name} has no example"
    # As the reader runs it, who has not asked JAX to be strict
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        said: list[str] = []
        failed, _ = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append)
    assert not failed, "".join(said)
