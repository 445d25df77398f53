"""Master equations of second order against recorded numbers, most of them of 30 digits.

Order x1, p1, …; behind a real row c, X = c·r, J = slope · w/(1 + (w/cutoff)²); heat is into the
system.
"""

import json
from collections import defaultdict
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import others_at_night, slow
from precision import double

import jaxosc
from jaxosc.equations.registry import EQUATIONS as REGISTRY

# The local equation takes rates and numbers elsewhere: at the reference of a row.
CASES = [
    case
    for case in json.loads((Path(__file__).parent / "data" / "family.json").read_text())["cases"]
    if case["equation"] != "local"
]
EQUATIONS = {
    "redfield": jaxosc.redfield,
    "detailed_balance": jaxosc.detailed_balance_lindblad,
    "universal": jaxosc.universal_lindblad,
    "global (full secular)": jaxosc.global_lindblad,
    "partial_secular": jaxosc.partial_secular,
    "unified": jaxosc.unified_lindblad,
    "coarse_grained": jaxosc.coarse_grained_lindblad,
    "local_corrected": jaxosc.local_lindblad,
}
# Two oscillators are quick in Fock space, in test_family_witnesses.py.
LATER = tuple(("redfield", (("lamb_shift", True),), *sizes, False) for sizes in ((2, 1), (4, 2)))


def marks_of(key):
    return pytest.mark.slow if key in LATER else pytest.mark.nightly


def kind(case):
    """What one program can compute together."""
    static = tuple(sorted((k, v) for k, v in case["arguments"].items() if k not in FREE))
    one_sided = "l_real" in case["baths"][0]
    return case["equation"], static, len(case["hamiltonian"]), len(case["baths"]), one_sided


FREE = ("width", "time")
GROUPS = defaultdict(list)
for each in CASES:
    GROUPS[kind(each)].append(each)


def rows_of(case):
    if "row" in case["baths"][0]:
        return np.array([bath["row"] for bath in case["baths"]])
    rows = np.array([np.array(b["l_real"]) + 1j * np.array(b["l_imag"]) for b in case["baths"]])
    return rows[:, ::2] * np.sqrt(2)  # l·r = Σ l_j a_j + …


def damping_of(bath):
    """J at the reference, which is one."""
    fall = 1 + bath["cutoff"] ** -2
    if "slope" in bath:
        return bath["slope"] / fall
    return bath["gamma"] / bath["omega"] / fall


def columns(cases):
    """The numbers of several networks, stacked."""
    return {
        "hessian": jnp.array([case["hamiltonian"] for case in cases]),
        "rows": jnp.array([rows_of(case) for case in cases]),
        "damping": jnp.array([[damping_of(bath) for bath in case["baths"]] for case in cases]),
        "temperature": jnp.array([[b["temperature"] for b in case["baths"]] for case in cases]),
        "cutoff": jnp.array([[bath["cutoff"] for bath in case["baths"]] for case in cases]),
        "free": jnp.array([[case["arguments"].get(k, 0.0) for k in FREE] for case in cases]),
    }


@double
@pytest.mark.parametrize(
    "key",
    [pytest.param(key, marks=marks_of(key)) for key in GROUPS],
    ids=str,
)
def test_recorded_numbers(key):
    equation, static, *_ = key
    cases = GROUPS[key]
    free = [name for name in FREE if name in cases[0]["arguments"]]

    def of_one(hessian, rows, damping, temperature, cutoff, free_values):
        spectra = [jaxosc.spectra.Drude(each, reference=1.0) for each in cutoff]
        baths = jaxosc.Baths(damping, temperature, spectra, coupling=rows)
        given = {name: free_values[FREE.index(name)] for name in free}
        network = jaxosc.Oscillators.from_hessian(hessian)
        dynamics = EQUATIONS[equation](network, baths, **dict(static), **given)
        return (
            dynamics.drift,
            dynamics.diffusion,
            jaxosc.steady_state(dynamics),
            jaxosc.heat_currents(dynamics),
            jaxosc.complete_positivity_margin(dynamics),
        )

    found = jax.jit(jax.vmap(of_one))(*columns(cases).values())
    names = ("drift", "diffusion", "covariance", "heat_current", "kossakowski_minimum")
    for index, case in enumerate(cases):
        for name, values in zip(names, found, strict=True):
            if case[name] is None or (equation == "unified" and name == "heat_current"):
                continue  # recorded with the energy of H, where ours is that of H⁰
            expected = np.array(case[name])
            allowed = 2e-14 * max(1.0, abs(expected).max())
            if name == "covariance" and case["network"] == "chain3_cold":
                allowed *= 10
            error = abs(np.asarray(values[index]) - expected).max()
            assert error < allowed, (case["network"], name, error)


def test_the_numbers_cover_the_family():
    assert {case["equation"] for case in CASES} == EQUATIONS.keys()


@double
@pytest.mark.slow
def test_two_modes_written_out_are_the_general_kernel():
    """A named coupling is that of its rows, which the kernel of any H serves."""
    generator = np.random.default_rng(3)
    omega = np.exp(generator.uniform(-1, 1, (40, 2)))
    omega[::4, 1] = omega[::4, 0]
    coupling = generator.uniform(0, 0.45, 40) * np.sqrt(omega.prod(axis=1))
    coupling[::5] = 0
    damping = omega.min(axis=1)[:, None] * 10 ** generator.uniform(-6, -1, (40, 2))
    temperature = omega.max(axis=1)[:, None] * 10 ** generator.uniform(-1, 2.5, (40, 2))
    numbers = map(jnp.array, (omega, coupling, damping, temperature))

    def of_one(equation, omega, coupling, damping, temperature):
        network = jaxosc.pair(omega, coupling, "position")
        own = [jaxosc.spectra.Drude(10.0, reference=each) for each in omega]
        rows = np.sqrt(2) * np.eye(4)[::2]
        states = []
        for spectrum, behind in ((jaxosc.spectra.Drude(10.0), "position"), (own, rows)):
            baths = jaxosc.Baths(damping, temperature, spectrum, coupling=behind)
            states.append(jaxosc.steady_state(equation(network, baths)))
        return states

    one, other = jax.jit(jax.vmap(partial(of_one, jaxosc.detailed_balance_lindblad)))(*numbers)
    size = abs(np.asarray(other)).max(axis=(1, 2), keepdims=True)
    assert (abs(np.asarray(one) - np.asarray(other)) / size).max() < 1e-11


def drude_pair(s):
    """Two modes whose dissipators are written out."""
    network = jaxosc.Oscillators(s * np.array([1.0, 1.3]), 0.1 * s * LINKS[:2, :2])
    spectra = jaxosc.spectra.Drude(5.0 * s), jaxosc.spectra.Drude(8.0 * s, reference=0.9 * s)
    return network, spectra


def three_of_filters(s):
    """Three modes in matrices, behind spectra that are filters and sums of them."""
    network = jaxosc.Oscillators(s * np.array([1.0, 1.3, 0.8]), 0.1 * s * LINKS, 0.04 * s * LINKS)
    drude, peak = jaxosc.spectra.Drude(5.0 * s), jaxosc.spectra.Brownian(1.2 * s, 0.4 * s)
    return network, (drude, peak, drude + 0.5 * peak)


LINKS = np.array([[0, 1, 0.5], [1, 0, -0.7], [0.5, -0.7, 0]])
# Options that are frequencies or times
WITH_UNITS = {
    "partial-secular": lambda s: {"width": 0.5 * s},
    "unified": lambda s: {"width": 0.5 * s},
    "coarse-grained": lambda s: {"time": 20 / s},
}


@double
@pytest.mark.parametrize(
    "name", others_at_night(REGISTRY, ("redfield",), ("langevin", "local-corrected", *WITH_UNITS))
)
@pytest.mark.parametrize("parts", [drude_pair, *slow(three_of_filters)])
def test_no_spectrum_knows_the_unit(parts, name):
    """Frequencies, rates, temperatures, cutoffs × s, times / s: A and D × s, and the same state."""

    @jax.jit
    def described(s):
        network, spectra = parts(s)
        modes = network.modes
        damping, temperature = np.linspace(0.02, 0.05, modes), np.linspace(0.7, 1.9, modes)
        baths = jaxosc.Baths(s * damping, s * temperature, spectra, coupling="position")
        given = WITH_UNITS[name](s) if name in WITH_UNITS else {}
        dynamics = REGISTRY[name].function(network, baths, **REGISTRY[name].options, **given)
        return dynamics.drift / s, dynamics.diffusion / s, jaxosc.steady_state(dynamics)

    for one, other in zip(described(1.0), described(2.0**30), strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-13 * np.abs(one).max())
