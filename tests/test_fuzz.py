"""Odd arguments by the thousand: a right value, NaN inside jit, or a worded ValueError."""

import itertools
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import fuzz
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import others_at_night
from precision import double

import jaxosc
from jaxosc.cli import main

pytestmark = double  # arguments of either precision, where float64 is there to be lost

# How many drawn calls, in a quick and in a thorough search: fewer of what compiles for each call,
# more of what takes no time.
FEW = {
    "jaxosc.fit": (12, 60), "jaxosc.fidelity": (30, 300), "jaxosc.relative_entropy": (30, 300),
    "jaxosc.quantum_fisher_information": (20, 150), "jaxosc.fisher_information": (20, 150),
    "jaxosc.optimize": (8, 40), "jaxosc.trace_curve": (25, 200),
    "jaxosc.trust_frontier": (12, 80), "jaxosc.compare": (12, 60), "jaxosc.sweep": (30, 200),
    "jaxosc.susceptibility": (30, 200), "jaxosc.critical_exponent": (25, 200),
    "jaxosc.logarithmic_slope": (25, 200), "jaxosc.langevin_spectrum": (15, 200),
    "jaxosc.Oscillators": (60, 1200), "jaxosc.Baths": (150, 2000), "jaxosc.Dynamics": (100, 1500),
    "jaxosc.Baths ": (150, 2000), "jaxosc.Baths  ": (150, 2000),
    "jaxosc.spectra.PowerLaw": (100, 600), "jaxosc.spectra.Drude": (100, 600),
    "jaxosc.spectra.Sampled": (50, 400), "jaxosc.lindblad": (30, 250),
    "jaxosc.pair": (100, 1500), "jaxosc.pair ": (100, 1500),
    "jaxosc.critical_coupling": (200, 3000), "jaxosc.histogram": (300, 4000),
    "jaxosc.Reduction": (200, 2000), "jaxosc.occupation": (100, 1500),
    "jaxosc.coherence": (60, 600), "jaxosc.purity": (60, 600), "jaxosc.is_physical": (40, 300),
    "jaxosc.symplectic_eigenvalues": (40, 500), "jaxosc.mutual_information": (60, 500),
    "jaxosc.logarithmic_negativity": (30, 300), "jaxosc.steering": (30, 300),
    "jaxosc.discord": (20, 200), "jaxosc.renyi_entropy": (20, 200), "jaxosc.g2": (30, 300),
    "jaxosc.squeezing": (30, 300), "jaxosc.squeezing_angle": (30, 300),
    "jaxosc.number_covariance": (30, 300), "jaxosc.wigner": (30, 300),
    "jaxosc.redfield": (15, 100), "jaxosc.partial_secular": (15, 100),
    "jaxosc.unified_lindblad": (15, 100), "jaxosc.universal_lindblad": (15, 100),
    "jaxosc.detailed_balance_lindblad": (15, 100), "jaxosc.coarse_grained_lindblad": (15, 100),
    "jaxosc.heat_currents": (15, 100), "jaxosc.entropy_production": (15, 100),
    "jaxosc.work_current": (15, 100), "jaxosc.energy": (60, 500), "jaxosc.energy_flow": (60, 500),
    "jaxosc.ergotropy": (40, 300), "jaxosc.free_energy": (40, 300),
    "jaxosc.transmission": (15, 100), "jaxosc.conductance": (8, 50),
    "jaxosc.rectification": (8, 50),
    "jaxosc.spectrum": (15, 60), "jaxosc.response": (15, 60), "jaxosc.scattering": (15, 60),
    "jaxosc.output_spectrum": (20, 80), "jaxosc.emission_spectrum": (15, 60),
    "jaxosc.relaxation_rates": (15, 60), "jaxosc.spectral_gap": (15, 60),
    "jaxosc.eigenvalue_conditions": (15, 60),
    "jaxosc.evolve": (30, 150), "jaxosc.correlation": (15, 100),
}  # fmt: skip
FAST, SLOW = 60, 250

# Results that functions return, and what is no function.
RESULTS = {
    "Comparison", "CriticalCurve", "Diagnosis", "EigenvalueConditions", "Evolution", "Explanation",
    "Fit", "Frontier", "NormalModes", "Optimum", "Recommendation", "Status",
}  # fmt: skip
FILES = {"SweepResult", "keep_compiled", "load_sweep"}


def test_every_public_name_is_here():
    drawn = {name.strip().removeprefix("jaxosc.") for name in fuzz.TARGETS}
    spectra = {f"spectra.{name}" for name in jaxosc.spectra.__all__}
    # A base class, and what filters are made of
    expected = set(jaxosc.__all__) | spectra - {"spectra.Spectrum", "spectra.Filters"}
    others = {"__version__", "spectra"}
    assert drawn | RESULTS | FILES | others == expected | {"Oscillators.from_hessian"}
    drawn = {name for name in drawn if "." not in name}
    # A result has no method with arguments but these, which the tests of files call.
    taking = {
        f"{name}.{method}"
        for name in (RESULTS | FILES | drawn) - {"load_sweep"}
        if isinstance(getattr(jaxosc, name), type)
        for method, function in vars(getattr(jaxosc, name)).items()
        if not method.startswith("_")
        and callable(function)
        and method not in getattr(getattr(jaxosc, name), "__dataclass_fields__", ())
    }
    assert taking == {
        "Comparison.recommend", "Comparison.records", "Comparison.to_xarray",
        "SweepResult.save", "SweepResult.to_xarray",
    }  # fmt: skip


def report(ended, problems):
    """Tell how many inputs there were, which pytest -rP shows; fail if some went wrong."""
    print(f"{sum(ended.values())} inputs: {dict(ended)}")
    shown = "\n".join(problems[:60])
    assert not problems, f"{len(problems)} of {sum(ended.values())} went wrong:\n{shown}"


def draw_many(target, count, seed, thorough):
    drawn = random.Random(f"{target} {seed}")
    ended, problems = Counter(), []
    for _ in range(count):
        kind, problem = fuzz.run(target, drawn, thorough)
        ended[kind] += 1
        if problem:
            problems.append(problem)
    assert sum(ended.values()) == count
    report(ended, problems)


# What takes longest to compile
LONG = {
    "jaxosc.compare", "jaxosc.correlation", "jaxosc.emission_spectrum", "jaxosc.evolve",
    "jaxosc.fidelity", "jaxosc.fit", "jaxosc.output_spectrum", "jaxosc.quantum_fisher_information",
    "jaxosc.relative_entropy", "jaxosc.response", "jaxosc.scattering", "jaxosc.spectrum",
    "jaxosc.sweep", "jaxosc.transmission",
}  # fmt: skip
LATER = {
    "jaxosc.Oscillators.from_hessian", "jaxosc.diagnose", "jaxosc.explain", "jaxosc.lindblad",
    "jaxosc.relaxation_rates", "jaxosc.stability_scale", "jaxosc.status", "jaxosc.steady_mean",
    "jaxosc.complete_positivity_margin", "jaxosc.energy_flow", "jaxosc.entropy_production",
    "jaxosc.fisher_information", "jaxosc.gibbs", "jaxosc.global_lindblad",
    "jaxosc.langevin_spectrum", "jaxosc.local_lindblad", "jaxosc.logarithmic_slope",
    "jaxosc.normal_modes", "jaxosc.optimize", "jaxosc.spectral_gap", "jaxosc.steady_state",
    "jaxosc.susceptibility", "jaxosc.trace_curve", "jaxosc.wigner",
}  # fmt: skip


@pytest.mark.parametrize(
    "target", others_at_night(fuzz.TARGETS, set(fuzz.TARGETS) - LONG - LATER, LATER), ids=str.strip
)
def test_drawn_calls(target):
    count = FEW.get(target, (FAST, SLOW))[0]
    draw_many(target, count, "fast", False)


@pytest.mark.nightly
@pytest.mark.parametrize("target", fuzz.TARGETS, ids=str.strip)
def test_many_drawn_calls(target):
    count = FEW.get(target, (FAST, SLOW))[1]
    draw_many(target, count, "slow", True)


# --- known in a transformation only --------------------------------------------------------------

# Where a tracer may stand, and where it may not. Nothing is compiled.
TRACED = (
    "lambda x: jaxosc.pair((5.0, 2.0), x, 'position')",
    "lambda x: jaxosc.pair((5.0, x), 1.0, 'position')",
    "lambda x: jaxosc.pair(x, 1.0, 'position')",
    "lambda x: jaxosc.pair((5.0, 2.0), 1.0, x)",
    "lambda x: jaxosc.pair((5.0, 2.0), interaction='position', distance=x)",
    "lambda x: jaxosc.critical_coupling((5.0, x), 'position')",
    "lambda x: jaxosc.critical_coupling((5.0, 2.0), x)",
    "lambda x: jaxosc.Oscillators([x, 1.0], np.zeros((2, 2)), np.zeros((2, 2)))",
    "lambda x: jaxosc.Oscillators(x, np.zeros((2, 2)), np.zeros((2, 2)))",
    "lambda x: jaxosc.Oscillators([1.0, 1.0], [[0.0, x], [x, 0.0]], np.zeros((2, 2)))",
    "lambda x: jaxosc.Baths([x, 0.1], [1.0, 2.0])",
    "lambda x: jaxosc.Baths([0.1, 0.1], [1.0, x])",
    "lambda x: jaxosc.Baths([0.1, 0.1], [1.0, 2.0], x)",
    "lambda x: jaxosc.Dynamics(-jnp.eye(2) * x, jnp.eye(2))",
    "lambda x: jaxosc.Dynamics(x, jnp.eye(2))",
    "lambda x: jaxosc.gibbs(TWO, x)",
    "lambda x: jaxosc.gibbs(x, 1.0)",
    "lambda x: jaxosc.gibbs(jaxosc.pair((5.0, 2.0), x, 'position'), 1.0)",
    "lambda x: jaxosc.local_lindblad(TWO, x)",
    "lambda x: jaxosc.local_lindblad(TWO, jaxosc.Baths([x, 0.1], [1.0, 2.0]))",
    "lambda x: jaxosc.global_lindblad(TWO, BATHS.replace(coupling=x))",
    "lambda x: jaxosc.global_lindblad(TWO, jaxosc.Baths([x, 0.1], [1.0, 2.0]))",
    "lambda x: jaxosc.langevin(TWO, jaxosc.Baths([x, 0.1], [1.0, 2.0]))",
    "lambda x: jaxosc.langevin_spectrum(TWO, BATHS, x)",
    "lambda x: jaxosc.langevin_spectrum(TWO, BATHS, 1.0, x)",
    "lambda x: jaxosc.langevin_quadrature(TWO, jaxosc.Baths([x, 0.1], [1.0, 2.0]))",
    "lambda x: jaxosc.normal_modes(jaxosc.pair((5.0, 2.0), x, 'position'))",
    "lambda x: jaxosc.critical_scale(jaxosc.pair((5.0, 2.0), x, 'position'))",
    "lambda x: jaxosc.stability_scale(jaxosc.pair((5.0, 2.0), x, 'position'), BATHS)",
    "lambda x: jaxosc.diagnose(jaxosc.pair((5.0, 2.0), x, 'position'), BATHS)",
    "lambda x: jaxosc.diagnose(TWO, jaxosc.Baths([x, 0.1], [1.0, 2.0]))",
    "lambda x: jaxosc.compare(TWO, jaxosc.Baths([x, 0.1], [1.0, 2.0]), descriptions=['local'])",
    "lambda x: jaxosc.steady_state(x)",
    "lambda x: jaxosc.spectrum(DYNAMICS, x)",
    "lambda x: jaxosc.response(x, 1.0)",
    "lambda x: jaxosc.output_spectrum(DYNAMICS, x, port=0, angle=0.1)",
    "lambda x: jaxosc.output_spectrum(DYNAMICS, 1.0, port=0, angle=x)",
    "lambda x: jaxosc.output_spectrum(DYNAMICS, 1.0, port=x)",
    "lambda x: jaxosc.emission_spectrum(DYNAMICS, 1.0, efficiency=x)",
    "lambda x: jaxosc.relaxation_rates(jaxosc.Dynamics(-jnp.eye(2) * x, jnp.eye(2)))",
    "lambda x: jaxosc.eigenvalue_conditions(jaxosc.Dynamics(-jnp.eye(2) * x, jnp.eye(2)))",
    "lambda x: jaxosc.steady_state(jaxosc.Dynamics(-jnp.eye(2) * x, jnp.eye(2)))",
    "lambda x: jaxosc.occupation(x * THERMAL)",
    "lambda x: jaxosc.occupation(x)",
    "lambda x: jaxosc.coherence(x * THERMAL)",
    "lambda x: jaxosc.symplectic_eigenvalues(x * THERMAL)",
    "lambda x: jaxosc.von_neumann_entropy(x * THERMAL)",
    "lambda x: jaxosc.mutual_information(x * THERMAL)",
    "lambda x: jaxosc.mutual_information(THERMAL, x)",
    "lambda x: jaxosc.mutual_information(THERMAL, (x,))",
    "lambda x: jaxosc.mutual_information(THERMAL, (0,), x)",
    "lambda x: jaxosc.purity(x * THERMAL)",
    "lambda x: jaxosc.is_physical(x * THERMAL)",
    "lambda x: jaxosc.histogram(x, 2.0)",
    "lambda x: jaxosc.histogram(0.0, 1.0, x)",
    "lambda x: jaxosc.Reduction(x, x)",
    "lambda x: jaxosc.susceptibility(good_xy, {'x': x, 'y': 1.0}, 'x')",
    "lambda x: jaxosc.susceptibility(good_xy, {'x': 1.0, 'y': 1.0}, x)",
    "lambda x: jaxosc.susceptibility(good_xy, {'x': 1.0, 'y': 1.0}, ('x', x))",
    "lambda x: jaxosc.susceptibility(good_xy, {'x': 1.0, 'y': 1.0}, 'x', x)",
    "lambda x: jaxosc.susceptibility(good_xy, x, 'x')",
    "lambda x: jaxosc.susceptibility(x, {'x': 1.0, 'y': 1.0}, 'x')",
    "lambda x: jaxosc.critical_exponent(good_xy, {'x': x, 'y': 1.0}, 'x')",
    "lambda x: jaxosc.logarithmic_slope(good_xy, {'x': x, 'y': 1.0}, 'x')",
    "lambda x: jaxosc.trace_curve(leaning, {'x': x, 'y': 1.1}, {'x': (0, 2), 'y': (0, 3)})",
    "lambda x: jaxosc.trace_curve(leaning, {'x': 0.6, 'y': 1.1}, {'x': (0, x), 'y': (0, 3)})",
    "lambda x: jaxosc.trace_curve(leaning, {'x': 0.6, 'y': 1.1}, {'x': (0, 2), 'y': (0, 3)}, x)",
    "lambda x: jaxosc.trace_curve(leaning, {'x': 0.6, 'y': 1.1}, x)",
    "lambda x: jaxosc.optimize(good_xy, {'x': x, 'y': 1.1}, {'x': (0, 2), 'y': (0, 3)})",
    "lambda x: jaxosc.optimize(good_xy, {'x': 1.0, 'y': 1.1}, {'x': (0, x), 'y': (0, 3)})",
    "lambda x: jaxosc.optimize(good_xy, {'x': 1.0, 'y': 1.1}, {'x': (0, 2), 'y': (0, 3)}, x)",
    "lambda x: jaxosc.optimize(good_xy, {'x': 1.0, 'y': 1.1}, {'x': (0, 2), 'y': (0, 3)},"
    " tolerance=x)",
    "lambda x: jaxosc.optimize(good_xy, {'x': 1.0, 'y': 1.1}, {'x': (0, 2), 'y': (0, 3)},"
    " max_steps=x)",
    "lambda x: jaxosc.optimize(good_xy, {'x': 1.0, 'y': 1.1}, {'x': (0, 2), 'y': (0, 3)},"
    " progress=x)",
    "lambda x: jaxosc.trust_frontier(TWO, BATHS, rising, of_covariance, x, exact=level)",
    "lambda x: jaxosc.trust_frontier(TWO, BATHS, rising, of_covariance, 0.1, x, level)",
    "lambda x: jaxosc.trust_frontier(TWO, BATHS, rising, of_covariance, 0.1, 'upper', x)",
    "lambda x: jaxosc.trust_frontier(TWO, BATHS, rising, of_covariance, 0.1, exact=level,"
    " between=(0.1, x))",
    "lambda x: jaxosc.trust_frontier(TWO, x, rising, of_covariance, 0.1, exact=level)",
    "lambda x: jaxosc.sweep(good_xy, {'x': x, 'y': [1.0]})",
    "lambda x: jaxosc.sweep(good_xy, {'x': [x], 'y': [1.0]})",
    "lambda x: jaxosc.sweep(good_xy, x)",
    "lambda x: jaxosc.sweep(x, AXES)",
    "lambda x: jaxosc.sweep(lambda y: x * y, {'y': [1.0]}).values",
    "lambda x: jaxosc.sweep(good_xy, AXES, reduce=x)",
    "lambda x: jaxosc.sweep(good_xy, AXES, block=x)",
    "lambda x: jaxosc.sweep(good_xy, AXES, devices=x)",
    "lambda x: jaxosc.sweep(good_xy, AXES, devices=[x])",
    "lambda x: jaxosc.sweep(good_xy, AXES, progress=x)",
    "lambda x: jaxosc.sweep(good_xy, AXES, store=x)",
    "lambda x: jaxosc.load_sweep(x)",
    "lambda x: SWEPT.save(x)",
)  # fmt: skip
TRACED_VALUES = ("1.0",)
MORE_TRACED_VALUES = (
    *TRACED_VALUES, "np.ones(2)", "np.float32(1)", "np.int32(1)", "True", "1j", "np.zeros((0,))",
        "np.nan",
        "np.eye(2)", "np.eye(4)",
    "jnp.array(1.0, jnp.bfloat16)",
)  # fmt: skip
TRANSFORMED = (
    ("jax.vmap({})({})", ("np.array([1.0, np.nan])",)),
    ("jax.grad(lambda x: sum(jnp.sum(leaf) for leaf in jax.tree.leaves(({})(x))))({})", ("1.0",)),
    ("jax.jacfwd({})({})", ("1.0",)),
)


def tracers(values):
    ended, problems = Counter(), []
    for text, value in itertools.product(TRACED, values):
        function, argument = fuzz.library(text), fuzz.evaluate(value)
        outcome = fuzz.attempt(fuzz.traced, [function, argument], {}, ALSO_WORDED)
        ended[outcome.kind] += 1
        if outcome.kind == "wrong":
            problems.append(f"traced({text}, {value})\n    {outcome.words}")
    assert sum(ended.values()) == len(TRACED) * len(values)
    report(ended, problems)


@pytest.mark.slow
def test_tracers_in_every_place():
    tracers(TRACED_VALUES)


@pytest.mark.nightly
def test_more_tracers_in_every_place():
    tracers(MORE_TRACED_VALUES)


@pytest.mark.nightly
def test_tracers_of_other_transformations():
    """vmap, grad and jacfwd, inside jit so that nothing is compiled."""
    ended, problems = Counter(), []
    for text, (form, values) in itertools.product(TRACED, TRANSFORMED):
        for value in values:
            written = f"traced(lambda x: {form.format(text, 'x')}, {value})"
            outcome = fuzz.attempt(
                lambda written=written: fuzz.library(written), [], {}, (*ALSO_WORDED, *JAX_OWN)
            )
            ended[outcome.kind] += 1
            if outcome.kind == "wrong" and not re.search("|".join(JAX_OWN), outcome.words):
                problems.append(f"{written}\n    {outcome.words}")
    assert sum(ended.values()) >= 240
    report(ended, problems)


# What jax.vmap, jax.grad and jax.jacfwd themselves say of what a function returns
JAX_OWN = (
    r"^TypeError: .*(grad|jacfwd|jvp|vmap|[Oo]utput from batched function|requires real)",
    r"^TypeError: sum\(\)", r"^TypeError: .*is not a valid JAX (array )?type",
)  # fmt: skip

# Worded, but of another form: a result or a store that is not an argument, and the one limit of a
# format.
ALSO_WORDED = (
    r"^The sweep must hold values over its grid, but it holds summaries",
    r"^The store must be as it was finished, but ",
    r"^Argument `path` must not end in \.nc for complex values",
    r"^JAX must be in double precision",
)

MODELS = ("local_lindblad", "global_lindblad", "langevin", "gibbs")
SOUND = {
    "omega1": (5.0, 2.0, 1.0), "omega2": (2.0, 5.0, 1.0), "ratio": (0.0, 0.5, -0.5, 0.99, 1e-9),
    "damping1": (0.1, 1e-6, 3.0, 0.0), "damping2": (0.2, 1e-3), "temperature1": (1.0, 0.0, 1e-3),
    "temperature2": (2.0, 300.0, 0.0),
}  # fmt: skip
BAD = {
    "omega1": (0.0, -0.0, -1.0, np.nan, np.inf, -np.inf),
    "omega2": (0.0, -2.0, np.nan, np.inf),
    "ratio": (1.0, -1.0, 1.0 + 1e-12, 7.0, np.nan, np.inf, -np.inf),
    "damping1": (-0.1, np.nan, np.inf, -1e-200),
    "damping2": (-1e300, np.nan, np.inf),
    "temperature1": (-1.0, np.nan, np.inf, -1e-200),
    "temperature2": (-1e300, np.nan, -np.inf),
}


def covariance(model, omega1, omega2, ratio, damping1, damping2, temperature1, temperature2):
    """The covariance of two oscillators of one description; λ = ratio √(ω1 ω2)/2."""
    omega = jnp.stack([jnp.asarray(omega1), jnp.asarray(omega2)])
    coupling = ratio * jnp.sqrt(omega[0]) * jnp.sqrt(omega[1]) / 2
    oscillators = jaxosc.pair(omega, coupling, "position")
    if model == "gibbs":
        return jaxosc.gibbs(oscillators, temperature1)
    baths = jaxosc.Baths(
        jnp.stack([jnp.asarray(damping1), jnp.asarray(damping2)]),
        jnp.stack([jnp.asarray(temperature1), jnp.asarray(temperature2)]),
    )
    return jaxosc.steady_state(getattr(jaxosc, model)(oscillators, baths))


def points(seed, count):
    """Sound points, and points of which one or two numbers are bad."""
    drawn = random.Random(seed)
    for _ in range(count):
        point = {name: drawn.choice(values) for name, values in SOUND.items()}
        for name in drawn.sample(sorted(BAD), drawn.choice((0, 1, 1, 2))):
            point[name] = drawn.choice(BAD[name])
        yield {name: np.float64(value) for name, value in point.items()}


def known_and_traced(model, count, explain):
    inside = jax.jit(covariance, static_argnums=0)
    ended, problems = Counter(), []
    for point in points(f"{model} {count}", count):
        text = f"covariance({model!r}, **{ {name: float(value) for name, value in point.items()} })"
        known = fuzz.attempt(covariance, [model], point)
        traced = fuzz.attempt(inside, [model], point)
        ended[known.kind] += 1
        if known.kind == "wrong" or traced.kind != "value":
            problems.append(f"{text}\n    {known.words} / in jit {traced.words}")
            continue
        values = np.asarray(traced.value)
        if known.kind == "worded":
            if not np.isnan(values).all():
                problems.append(f"{text}\n    {known.words}; in jit {values}")
            problems += unexplained(text, point) if explain and ended.total() % 5 == 0 else []
            continue
        problems += [
            f"{text}\n    {each}"
            for each in fuzz.is_covariance(known.value, 2, model != "langevin", 0.0)
        ]
        # One program in place of several: rounding, amplified by 1/(1 − ratio) ≤ 100
        size = np.abs(values).max()
        if not np.abs(values - known.value).max() <= 1e-11 * size:
            problems.append(f"{text}\n    {known.value}, in jit {values}")
    assert sum(ended.values()) == count
    report(ended, problems)


def unexplained(text, point):
    """What NaN means is said where the numbers are known: by an error, or by diagnose."""

    def explained():
        omega = (point["omega1"], point["omega2"])
        coupling = point["ratio"] * np.sqrt(omega[0]) * np.sqrt(omega[1]) / 2
        damping = (point["damping1"], point["damping2"])
        temperature = (point["temperature1"], point["temperature2"])
        with np.errstate(all="ignore"):
            return jaxosc.diagnose(
                jaxosc.pair(omega, coupling, "position"), jaxosc.Baths(damping, temperature)
            )

    with np.errstate(all="ignore"):
        outcome = fuzz.attempt(explained, [], {})
    if outcome.kind == "worded":
        return
    if outcome.kind != "value":
        yield f"{text}\n    diagnose: {outcome.words}"
    elif all("no state" not in state.reason for state in outcome.value.states.values()):
        yield f"{text}\n    diagnose: {outcome.value}"


def test_known_and_traced_numbers():
    known_and_traced("local_lindblad", 80, False)


@pytest.mark.nightly
@pytest.mark.parametrize("model", MODELS)
def test_many_known_and_traced_numbers(model):
    known_and_traced(model, 300, True)


@pytest.mark.nightly
@pytest.mark.parametrize("model", ["local_lindblad", "gibbs"])
def test_a_bad_point_spoils_no_other(model):
    """vmap, its gradient and jacfwd over sound and bad points: NaN where bad, and only there."""
    drawn = list(points(f"batch {model}", 256))
    rest = {name: np.array([point[name] for point in drawn]) for name in SOUND}
    ratio = rest.pop("ratio")

    def occupation(ratio, rest):
        return jaxosc.occupation(covariance(model, ratio=ratio, **rest))[0]

    single = jax.jit(occupation)
    alone = np.array([single(point["ratio"], {n: point[n] for n in rest}) for point in drawn])
    together = jax.jit(jax.vmap(occupation))(ratio, rest)
    reverse = np.array(jax.jit(jax.vmap(jax.grad(occupation)))(ratio, rest))
    forward = np.array(jax.jit(jax.vmap(jax.jacfwd(occupation)))(ratio, rest))
    bad = np.isnan(alone)
    assert 30 < bad.sum() < 220
    assert np.array_equal(np.isnan(together), bad)
    # One program in place of another: rounding, amplified by 1/(1 − ratio) ≤ 100
    np.testing.assert_allclose(together, alone, rtol=1e-11, atol=1e-13)
    # Two equal oscillators without coupling are a point where the global equation jumps.
    smooth = ~bad & ((rest["omega1"] != rest["omega2"]) | (np.abs(ratio) > 1e-6))
    assert np.isfinite(reverse[smooth]).all()
    # The same derivative by two routes: rounding, amplified by 1/(1 − ratio)² ≤ 1e4; and where
    # the occupation hardly depends on the coupling, the part 1e-12 of their quotient
    part = np.abs(alone / np.where(ratio == 0, 1, ratio))
    close = 1e-9 * np.maximum(1, np.abs(reverse)) + 1e-12 * part
    assert (np.abs(reverse - forward) <= close)[smooth].all()
    print(f"{4 * len(drawn)} inputs")


@pytest.mark.nightly
@pytest.mark.parametrize("model", MODELS)
def test_any_unit(model):
    """In a unit of any size the same numbers: exactly, for a power of two."""
    count = 0
    for ratio, temperature, power in itertools.product(
        (0.0, 0.5, -0.99), (0.0, 1e-3, 1.0, 300.0), (-600, -300, -1, 300, 600)
    ):
        plain = (5.0, 2.0, ratio, 0.1, 0.2, temperature, 2 * temperature)
        known, scaled = (
            covariance(
                model,
                *(
                    np.float64(value if place == 2 else np.ldexp(value, by))
                    for place, value in enumerate(plain)
                ),
            )
            for by in (0, power)
        )
        # The coupling is a product of roots of the scaled frequencies: rounding, amplified by
        # 1/(1 − ratio) = 100
        np.testing.assert_allclose(scaled, known, rtol=1e-12, atol=1e-13 * np.abs(known).max())
        count += 1
    print(f"{count} inputs")
    assert count == 60


# --- results, files and stores -------------------------------------------------------------------

PATHS = (
    None, 1, 2.5, b"x.npz", "", "x", "x.txt", ".npz", "..", "/", "a\0b.npz", "a\0b.nc", "a\0b.zarr",
    [], {}, object(), np.array(["a.npz"]), "x" * 300 + ".npz", "x" * 300 + ".nc",
    "x" * 300 + ".zarr", "x" * 300 + ".csv", "s3://bucket/x.nc", "http://localhost/x.zarr",
    "nowhere.npz", "nowhere.nc", "nowhere.zarr", "nowhere.csv", True, np.nan, jnp.ones(2),
    Path("a/b"),
)  # fmt: skip
ENDINGS = ("npz", "nc", "zarr", "csv")


def note(ended, problems, text, function, *arguments, **named):
    """Make a call; remember how it ended, and what must not be."""
    outcome = fuzz.attempt(function, arguments, named, ALSO_WORDED)
    ended[outcome.kind] += 1
    if outcome.kind == "wrong":
        problems.append(f"{text}\n    {outcome.words}")
    return outcome


def same(loaded, saved):
    """Whether two results hold the same numbers."""
    ours, theirs = jax.tree.leaves(saved.values), jax.tree.leaves(loaded.values)
    if len(ours) != len(theirs) or list(saved.axes) != list(loaded.axes):
        return False
    pairs = [
        (np.asarray(one), np.asarray(other[...])) for one, other in zip(ours, theirs, strict=True)
    ]
    for name, along in saved.axes.items():
        pairs += [(values, np.asarray(loaded.axes[name][key])) for key, values in along.items()]
    return all(one.dtype == other.dtype and np.array_equal(one, other) for one, other in pairs)


@pytest.mark.slow
def test_paths_that_are_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended, problems = Counter(), []
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder.npz").mkdir()
    paths = [*PATHS, tmp_path, tmp_path / "folder.npz", str(tmp_path), tmp_path / "file"]
    below = [tmp_path / "file" / f"a.{ending}" for ending in ENDINGS]
    missing = [tmp_path / "missing" / ending / f"a.{ending}" for ending in ENDINGS]
    for path in (*paths, *below, *missing):
        text = repr(path)[:60]
        loaded = note(ended, problems, f"load_sweep({text})", jaxosc.load_sweep, path)
        if loaded.kind == "value":
            problems.append(f"load_sweep({text}) is {loaded.value}")
        for name in ("SWEPT", "SUMMED", "COMPLEX"):
            result = vars(fuzz)[name]
            saved = note(ended, problems, f"{name}.save({text})", result.save, path)
            # The path that is returned can be loaded, but for tables.
            if saved.kind == "value" and saved.value.suffix != ".csv":
                again = fuzz.attempt(jaxosc.load_sweep, [saved.value], {})
                if again.kind != "value" or not same(again.value, result):
                    problems.append(f"{name}.save({text}) wrote what is loaded as {again}")
    for path in (*PATHS[1:], tmp_path / "file", tmp_path / "file" / "store", tmp_path / "new"):
        text = f"sweep(good_xy, AXES, store={path!r})"[:100]
        note(ended, problems, text, jaxosc.sweep, fuzz.good_xy, fuzz.AXES, store=path)
    # A lock stays beside a store, and is free.
    hidden = [
        file.name for file in tmp_path.rglob("*") if file.suffix != ".lock" and ".new" in file.name
    ]
    assert not hidden, f"left behind: {hidden}"
    assert sum(ended.values()) >= 190
    report(ended, problems)


def test_results_that_users_make(tmp_path):
    """SweepResult has no constructor of its own, but what its methods say is ours."""
    ended, problems = Counter(), []
    axes = fuzz.SWEPT.axes
    wrong = {
        "axes of another shape": (np.eye(4), axes),
        "axes that are arrays": (np.ones((2, 3)), fuzz.AXES),
        "values that are none": (None, axes),
        "text": ("x", axes),
        "one of two": ({"a": np.ones((2, 3)), "b": np.ones(3)}, axes),
        "a covariance": (fuzz.THERMAL, {}),
        "a list": ([1.0, 2.0], {"x": {"x": np.ones(2)}}),
    }
    for name, (values, along) in wrong.items():
        result = jaxosc.SweepResult(values, along, {})
        note(ended, problems, f"{name}: to_xarray", result.to_xarray)
        for ending in ENDINGS:
            path = tmp_path / f"a.{ending}"
            note(ended, problems, f"{name}: save {ending}", result.save, path)
    note(ended, problems, "to_xarray(1)", fuzz.SWEPT.to_xarray, 1)
    assert sum(ended.values()) >= 30
    report(ended, problems)


DAMAGE = {
    "npz": ("cut", "flip", "flips", "zeros", "extra", "swap"),
    "nc": ("cut", "extra"),  # HDF5 may go round in circles for ever where bits have changed
}


def damaged(content, hows, drawn):
    """A file's content in which something went wrong."""
    how = drawn.choice(hows)
    if how == "cut" or not content:
        return content[: drawn.randrange(len(content) + 1)]
    if how == "extra":
        return content + bytes(drawn.randrange(256) for _ in range(drawn.choice((1, 100))))
    changed = bytearray(content)
    for _ in range({"flip": 1, "flips": 20}.get(how, 0)):
        changed[drawn.randrange(len(changed))] ^= 1 << drawn.randrange(8)
    start = drawn.randrange(len(changed))
    if how == "zeros":
        changed[start : start + 64] = bytes(len(changed[start : start + 64]))
    if how == "swap":
        changed = changed[start:] + changed[:start]
    return bytes(changed)


def in_full(loaded):
    """A sweep with its values read, even those that are read where they are indexed."""
    return jaxosc.SweepResult(
        jax.tree.map(lambda leaf: np.asarray(leaf[...]), loaded.values), loaded.axes, {}
    )


def damage_files(tmp_path, count):
    ended, problems = Counter(), []
    drawn = random.Random(count)
    for ending, each in (("npz", count), ("nc", count)):
        whole = fuzz.SWEPT.save(tmp_path / f"whole.{ending}").read_bytes()
        path = tmp_path / f"damaged.{ending}"
        for number in range(each):
            path.write_bytes(damaged(whole, DAMAGE[ending], drawn))
            text = f"{ending} {number} of random.Random({count})"
            outcome = note(ended, problems, text, jaxosc.load_sweep, path)
            # An .npz tells by its checksums that it is damaged; netCDF has none here.
            if ending == "npz" and outcome.kind == "value" and not same(outcome.value, fuzz.SWEPT):
                problems.append(f"{text} is loaded as {outcome.value.values}")
    assert sum(ended.values()) == 2 * count
    report(ended, problems)


# HDF5's own closing of a damaged file may print that it failed, out of anyone's reach.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_damaged_files(tmp_path):
    damage_files(tmp_path, 30)


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_many_damaged_files(tmp_path):
    damage_files(tmp_path, 300)


SPOILT = {
    "empty": lambda content: b"",
    "junk": lambda content: b"\xff\xfe junk",
    "cut": lambda content: content[: len(content) // 2],
    "null": lambda content: b"null",
    "braces": lambda content: b"{}",
    "list": lambda content: b"[1, 2]",
    "other numbers": lambda content: content.replace(b"3", b"7").replace(b"float64", b"float63"),
    "other names": lambda content: content.replace(b"x", b"z"),
    "gone": None,
    "folder": None,
}


@pytest.mark.parametrize(
    "ways", [("cut", "gone"), pytest.param(tuple(SPOILT), marks=pytest.mark.nightly)]
)
@pytest.mark.slow
def test_damaged_folders(ways, tmp_path):
    """Each file of a saved .zarr and of a store, spoilt: no wrong number is loaded."""
    ended, problems = Counter(), []
    fuzz.SWEPT.save(tmp_path / "saved.zarr")
    swept = jaxosc.sweep(fuzz.good_xy, fuzz.AXES, store=tmp_path / "store.zarr")
    in_memory = in_full(jaxosc.load_sweep(tmp_path / "store.zarr"))
    copy = tmp_path / "copy.zarr"
    for name, expected in (("saved.zarr", fuzz.SWEPT), ("store.zarr", in_memory)):
        files = [file for file in (tmp_path / name).rglob("*") if file.is_file()]
        for file, how in itertools.product(sorted(files), ways):
            spoil = SPOILT[how]
            within = file.relative_to(tmp_path / name)
            calls = [("load_sweep", jaxosc.load_sweep)]
            if name == "store.zarr":
                calls.append(
                    ("sweep", lambda path: jaxosc.sweep(fuzz.good_xy, fuzz.AXES, store=path))
                )
            for called, function in calls:
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(tmp_path / name, copy)
                if spoil is None:
                    (copy / within).unlink()
                    if how == "folder":
                        (copy / within).mkdir()
                else:
                    (copy / within).write_bytes(spoil(file.read_bytes()))
                text = f"{called} of {name} with {within}: {how}"
                outcome = note(ended, problems, text, function, copy)
                # Chunks carry no checksum: numbers that are changed, not lost, cannot be seen.
                if how.startswith("other") and "c" in within.parts:
                    continue
                if called == "load_sweep" and outcome.kind == "value":
                    # What is read later may still fail, in zarr's words, but not be wrong.
                    read = fuzz.attempt(in_full, [outcome.value], {})
                    if read.kind == "value" and not same(read.value, expected):
                        problems.append(f"{text} is loaded as {read.value.values}")
    assert swept.shape == (2, 3)
    assert sum(ended.values()) >= 20 * len(ways)
    report(ended, problems)


KEYS = (
    "lambda x, y: {'x': x}", "lambda x, y: {'a.b': x}", "lambda x, y: {'': x}",
    "lambda x, y: {1: x}", "lambda x, y: {'a': {'b': x}, 'a.b': y}", "lambda x, y: {'c' * 300: x}",
    "lambda x, y: {'a\\n': x}", "lambda x, y: {'ü': x}", "lambda x, y: {'value': x}",
    "lambda x, y: {'zarr': x, 'c': y}", "lambda x, y: [x, y]", "lambda x, y: (x, {'a': y})",
    "lambda x, y: {'jaxosc_sweep': x}", "lambda x, y: {'a': {}, 'b': x}",
    "lambda x, y: jnp.stack([x, y])", "lambda x, y: x > 0", "lambda x, y: jax.lax.complex(x, y)",
    "lambda x, y: x.astype(jnp.float16)", "lambda x, y: x.astype(jnp.uint8)",
    "lambda x, y: {'a': None, 'b': x}", "lambda x, y: {'..': x}", "lambda x, y: {'a/b': x}",
    "lambda x, y: {' ': x}", "lambda x, y: {'file': x, 'args': y}",
)  # fmt: skip


@pytest.mark.parametrize("keys", [KEYS[:5], pytest.param(KEYS, marks=pytest.mark.nightly)])
def test_keys_and_types_in_files(keys, tmp_path):
    ended, problems = Counter(), []
    for number, text in enumerate(keys):
        function = fuzz.evaluate(text)
        result = jaxosc.sweep(function, fuzz.AXES)
        for ending in (*ENDINGS, "store"):
            path = tmp_path / f"{number}.{ending}"
            if ending == "store":
                outcome = note(
                    ended, problems, f"sweep({text}, store=…)", jaxosc.sweep, function, fuzz.AXES,
                    store=path,
                )  # fmt: skip
            else:
                outcome = note(ended, problems, f"sweep({text}).save({ending})", result.save, path)
            if outcome.kind == "value" and ending != "csv":
                loaded = note(ended, problems, f"load {ending} of {text}", jaxosc.load_sweep, path)
                if loaded.kind == "value" and not same(loaded.value, result):
                    problems.append(f"{ending} of {text} is loaded as {loaded.value.values}")
    assert sum(ended.values()) >= 5 * len(keys)
    report(ended, problems)


# --- the command ---------------------------------------------------------------------------------

TOKENS = (
    "", " ", "-", "--", "-1", "nan", "inf", "1e999", "x", "ratio", "ratio=", "=1", "ratio=0:1",
    "ratio=0:1:3:lin", "ratio=0:1:0", "ratio=0:1:-3", "ratio=0:1:2.5", "ratio=0:1:1e9", "ratio=a",
    "ratio=nan", "ratio=0:inf:3", "ratio=0:1:3:log", "ratio=0.5", "ratio==1", "ratio=1=2",
    "coupling=1", "coupling=0:1:3", "delta_t=0:1:2", "temperature1=-1", "temperature2=0:1:2",
    "omega1=0", "omega1=-1:1:3", "damping1=-1", "nonsense=1", "ratio=0:0:3", "ratio=1:1:1",
    "ratio=0x10", "ratio=1_0", "ratio=0:1:１", "ratio=١", "ratio=0;1;2", "ratio=0:1:3:log:log",
    "--output", "--output=", "--plot", "--plot=1", "--points", "--points=1", "--points=x",
    "--points=1e2", "--points=11.0", "--figures", "--figures=9", "--figures=2,5", "--omega",
    "--omega=1",
    "--omega=a", "--tolerance=0", "--tolerance=2", "--tolerance=nan", "--observable=x",
    "--observables", "--observables=x", "--descriptions=x", "--descriptions", "--interaction=x",
    "--nonsense", "-h2", "--version=1", "--delta-t=1", "--temperature=-1", "--temperature=nan",
    "%s", "%(prog)s", "{}", "\n", "\t", "ü", "☃", "a" * 5000, "\0", "../..", "~", "*",
    "ratio=0:1:2",
)  # fmt: skip
# One of these makes any call of the command wrong, so that nothing long is started.
SPOILERS = {
    "reproduce": (["--points", "1"], ["--points", "x"], ["--figures", "9"], ["--nonsense"]),
    "map": (["--points", "1"], ["--omega", "1", "0"], ["--tolerance", "2"], ["--observable", "x"]),
    "compare": (["ratio=0:1:3"], ["nonsense=1"], ["--tolerance", "0"], ["--cutoff", "x"]),
    "sweep": (["ratio=0:1:0"], ["nonsense=1"], ["--observables", "x"], ["--interaction", "x"]),
    "nonsense": ([],),
    "": ([],),
}


def command_lines(count):
    drawn = random.Random(count)
    for number in range(count):
        command = drawn.choice(sorted(SPOILERS))
        words = [drawn.choice(TOKENS) for _ in range(drawn.choice((0, 1, 1, 2, 4)))]
        at = drawn.randrange(len(words) + 1)
        words[at:at] = drawn.choice(SPOILERS[command])
        yield number, [command, *words]


def refuse_commands(count, capsys):
    problems, codes = [], Counter()
    for number, words in command_lines(count):
        outcome = fuzz.attempt(main, [words], {})
        printed = capsys.readouterr()
        codes[outcome.value if outcome.kind == "value" else outcome.kind] += 1
        fine = outcome.kind == "value" and (
            (outcome.value == 0 and ("usage" in printed.out or "jaxosc" in printed.out))
            or (outcome.value == 2 and printed.err.startswith("jaxosc: error: "))
        )
        if not fine or "Traceback" in printed.err:
            problems.append(f"{number}: {words!r}\n    {outcome}, {printed.err[-300:]}")
    assert sum(codes.values()) == count
    report(codes, problems)


def test_commands_that_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    refuse_commands(300, capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.nightly
def test_many_commands_that_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    refuse_commands(2500, capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["sweep", "ratio=1:1:1", "--descriptions", "local", "--output", "a.npz"],
        *(
            pytest.param(words, marks=pytest.mark.nightly)
            for words in (
                ["sweep", "ratio=0:0.5:3", "--desc", "local", "local", "--output", "ü ☃.npz"],
                ["sweep", "ratio=0:2:3", "damping1=0", "--desc", "local", "--output", "new/b.csv"],
                ["sweep", "ratio=0:0.5:2", "temperature1=0", "--desc", "local", "--output=c.zarr"],
            )
        ),
    ],
)
def test_odd_commands_that_are_right(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert fuzz.attempt(main, [words], {}).value == 0, capsys.readouterr()
    assert "wrote" in capsys.readouterr().out


# --- several devices -----------------------------------------------------------------------------

DEVICES = """
import itertools, sys
from collections import Counter
import jax
import numpy as np
import fuzz
import jaxosc

assert len(jax.devices()) == 3

def put(record, place):
    return record if place is None else jax.device_put(record, jax.devices()[place])

ended, problems = Counter(), []

def note(text, call, expected=None):
    outcome = fuzz.attempt(call, [], {})
    ended[outcome.kind] += 1
    if outcome.kind not in ("value", "worded"):
        problems.append(f"{text}: {outcome.words}")
    if outcome.kind == "value" and expected is not None:
        for one, other in zip(jax.tree.leaves(outcome.value), jax.tree.leaves(expected)):
            if not np.array_equal(np.asarray(one), np.asarray(other)):
                problems.append(f"{text}: {one}, not {other}")

TAKING_BATHS = [jaxosc.local_lindblad, jaxosc.global_lindblad, jaxosc.langevin,
                jaxosc.langevin_quadrature, jaxosc.stability_scale]
QUICK = [jaxosc.local_lindblad, jaxosc.stability_scale]
for one, other in ((0, 1), (None, 1)):
    oscillators, baths = put(fuzz.TWO, one), put(fuzz.BATHS, other)
    where = f"oscillators on {one}, baths on {other}"
    for function in TAKING_BATHS if one == 0 else QUICK:
        note(f"{function.__name__}, {where}", lambda: function(oscillators, baths),
             function(fuzz.TWO, fuzz.BATHS))
    note(f"diagnose, {where}", lambda: str(jaxosc.diagnose(oscillators, baths)))
    note(f"gibbs, {where}", lambda: jaxosc.gibbs(oscillators, put(np.float64(1), other)),
         jaxosc.gibbs(fuzz.TWO, 1.0))
    note(f"spectrum, {where}",
         lambda: jaxosc.langevin_spectrum(oscillators, baths, put(np.ones(3), 0)))
    note(f"trust_frontier, {where}",
         lambda: jaxosc.trust_frontier(oscillators, baths, fuzz.rising, fuzz.of_covariance,
                                       put(np.float64(0.1), 2), exact=fuzz.level))
    omega, coupling = put(np.array([5.0, 2.0]), one), put(np.float64(1.0), other)
    note(f"pair, {where}", lambda: jaxosc.pair(omega, coupling, "position"), fuzz.TWO)
    note(f"pair by distance, {where}",
         lambda: jaxosc.pair(omega, interaction="position", distance=put(np.float64(0.5), other)))
    zero = put(np.zeros((2, 2)), other)
    note(f"Oscillators, {where}", lambda: jaxosc.Oscillators(omega, zero, put(zero, 0)))
    note(f"Baths, {where}", lambda: jaxosc.Baths(omega, put(np.ones(2), other)))
    drift = put(-np.eye(2), one)
    note(f"Dynamics, {where}",
         lambda: jaxosc.steady_state(jaxosc.Dynamics(drift, put(np.eye(2), other))))
    point = {"x": put(np.float64(1), one), "y": put(np.float64(2), other)}
    note(f"susceptibility, {where}", lambda: jaxosc.susceptibility(fuzz.good_xy, point, "x"))
    note(f"optimize, {where}",
         lambda: jaxosc.optimize(fuzz.good_xy, point, {"x": (0, 2), "y": (0, 3)}, max_steps=2))
    axes = {"x": put(np.ones(2), one), "y": put(np.ones(3), other)}
    note(f"sweep, {where}", lambda: jaxosc.sweep(fuzz.good_xy, axes))
spread = jax.sharding.NamedSharding(
    jax.sharding.Mesh(np.array(jax.devices()[:2]), ("a",)), jax.sharding.PartitionSpec("a"))
shared = jax.tree.map(lambda leaf: jax.device_put(leaf, spread), fuzz.TWO)
for function in QUICK:
    note(f"{function.__name__} of a sharded record", lambda: function(shared, fuzz.BATHS))
    note(f"{function.__name__} of a sharded record and one elsewhere",
         lambda: function(shared, put(fuzz.BATHS, 2)))
print(sum(ended.values()), dict(ended))
print("\\n".join(problems))
assert sum(ended.values()) >= 35
sys.exit(bool(problems))
"""


@pytest.mark.nightly
def test_arrays_on_several_devices():
    environment = {
        **os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=3",
        "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.path.dirname(fuzz.__file__),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", DEVICES],
        env=environment, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    print(done.stdout.splitlines()[0] if done.stdout else "", "inputs")
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
