"""Section ``calls``: a warm call of each public function outside ``jit``, beside its compiled core.

What a user pays at a prompt: conversion, checks and dispatch around the numbers. The core is
``jax.jit`` of the same function with the same arguments as arrays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from benchmarks.records import Job, LeftOut, Settings

# The goal: at most so many times the core, and so many seconds
TIMES, SECONDS = 20.0, 1e-3
_SAMPLES, _SECONDS = 60, 0.2

Call = tuple[Callable[..., Any], tuple[Any, ...]]

# Python decides in these what is computed next, as the numbers come: they have no one program.
WITHOUT_CORE = {
    "compare", "critical_exponent", "diagnose", "explain", "fit", "histogram", "keep_compiled",
    "load_sweep", "logarithmic_slope", "optimize", "susceptibility", "sweep", "trace_curve",
    "trust_frontier",
}  # fmt: skip
# The others are asked of a pair, but of a ring of five these too.
_OF_NETWORKS = ("local_lindblad", "global_lindblad", "langevin", "steady_state", "heat_currents")


@cache
def network(modes: int = 2) -> tuple[jaxosc.Oscillators, jaxosc.Baths]:
    """A pair, or a ring, and its baths, from plain numbers."""
    baths = jaxosc.Baths(np.linspace(1e-2, 3e-2, modes), np.linspace(1.0, 3.0, modes))
    if modes == 2:
        return jaxosc.pair((5.0, 2.0), 1.0, "position"), baths
    ring = 0.1 * (np.roll(np.eye(modes), 1, 0) + np.roll(np.eye(modes), -1, 0))
    return jaxosc.Oscillators(np.linspace(1.0, 1.6, modes), ring, ring / 2), baths


@cache
def _state(modes: int = 2) -> tuple[jaxosc.Dynamics, jax.Array]:
    dynamics = jaxosc.local_lindblad(*network(modes))
    return dynamics, jaxosc.steady_state(dynamics)


def _drude(temperature: Any) -> tuple[jaxosc.Oscillators, jaxosc.Baths]:
    spectrum = jaxosc.spectra.Drude(20.0)
    return network()[0], jaxosc.Baths(0.02, temperature, spectrum, coupling="position")


def _family(values: jax.Array) -> jax.Array:
    return jaxosc.gibbs(jaxosc.pair((5.0, 2.0), values[0], "position"), values[1])


_FREQUENCIES = np.linspace(0.5, 6.0, 5)
_TIMES = np.linspace(0.0, 2.0, 5)


def _calls() -> dict[str, Callable[[int], Call]]:
    """By the name of each function, what is called with which arguments, for a number of modes."""
    of = jaxosc
    calls: dict[str, Callable[[int], Call]] = {
        "pair": lambda _: (partial(of.pair, interaction="position"), ((5.0, 2.0), 1.0)),
        "critical_coupling": lambda _: (
            partial(of.critical_coupling, interaction="position"), ((5.0, 2.0),),
        ),
        "lindblad": lambda n: (of.lindblad, (network(n)[0], np.eye(n))),
        "gibbs": lambda n: (of.gibbs, (network(n)[0], 2.0)),
        "mean_force_gibbs": lambda _: (of.mean_force_gibbs, _drude(2.0)),
        "coarse_grained_lindblad": lambda _: (of.coarse_grained_lindblad, _drude((1.0, 3.0))),
        "langevin_spectrum": lambda n: (of.langevin_spectrum, (*network(n), 0.7)),
        "transmission": lambda n: (of.transmission, (*network(n), 0.7)),
        "free_energy": lambda n: (of.free_energy, (network(n)[0], 2.0)),
        "fidelity": lambda n: (of.fidelity, (_state(n)[1], 2 * _state(n)[1])),
        "relative_entropy": lambda n: (of.relative_entropy, (_state(n)[1], 2 * _state(n)[1])),
        "renyi_entropy": lambda n: (of.renyi_entropy, (_state(n)[1], 2.0)),
        "wigner": lambda n: (of.wigner, (_state(n)[1], _TIMES, _TIMES)),
        "evolve": lambda n: (of.evolve, (_state(n)[0], np.eye(2 * n) / 2, _TIMES)),
        "correlation": lambda n: (of.correlation, (_state(n)[0], _TIMES)),
        "quantum_fisher_information": lambda _: (
            partial(of.quantum_fisher_information, _family), (np.array([1.0, 2.0]),),
        ),
        "fisher_information": lambda _: (
            partial(of.fisher_information, _family), (np.array([1.0, 2.0]),),
        ),
    }  # fmt: skip
    for name in ("normal_modes", "critical_scale"):
        calls[name] = lambda n, name=name: (getattr(of, name), network(n)[:1])
    for name in (
        "conductance", "detailed_balance_lindblad", "global_lindblad",
        "langevin", "langevin_quadrature", "local_lindblad", "partial_secular", "rectification",
        "redfield", "stability_scale", "unified_lindblad", "universal_lindblad",
    ):  # fmt: skip
        calls[name] = lambda n, name=name: (getattr(of, name), network(n))
    for name in (
        "complete_positivity_margin", "eigenvalue_conditions", "entropy_production",
        "heat_currents", "is_completely_positive", "relaxation_rates", "spectral_gap", "status",
        "steady_mean", "steady_state", "work_current",
    ):  # fmt: skip
        calls[name] = lambda n, name=name: (getattr(of, name), _state(n)[:1])
    for name in ("emission_spectrum", "output_spectrum", "response", "scattering", "spectrum"):
        calls[name] = lambda n, name=name: (getattr(of, name), (_state(n)[0], _FREQUENCIES))
    for name in ("energy", "energy_flow", "ergotropy"):
        calls[name] = lambda n, name=name: (getattr(of, name), (network(n)[0], _state(n)[1]))
    for name in (
        "coherence", "discord", "g2", "is_physical", "logarithmic_negativity", "mutual_information",
        "number_covariance", "occupation", "purity", "squeezing", "squeezing_angle", "steering",
        "symplectic_eigenvalues", "von_neumann_entropy",
    ):  # fmt: skip
        calls[name] = lambda n, name=name: (getattr(of, name), _state(n)[1:])
    return calls


CALLS = _calls()


def jobs(settings: Settings) -> list[Job]:
    """A row a function."""
    names = {name: (name, 2) for name in CALLS}
    names |= {f"{name}, N = 5": (name, 5) for name in _OF_NETWORKS}
    if settings.quick:
        names = {name: names[name] for name in ("occupation", "local_lindblad")}
    return [
        Job("calls", label, partial(_measured, name, modes))
        for label, (name, modes) in names.items()
    ]


def _measured(name: str, modes: int) -> Iterator[dict[str, Any]]:
    try:
        yield measured(*CALLS[name](modes))
    except (ValueError, TypeError) as error:
        raise LeftOut(f"{type(error).__name__}: {error}".splitlines()[0]) from error


def measured(function: Callable[..., Any], arguments: tuple[Any, ...]) -> dict[str, Any]:
    """The fastest of a function's warm calls and of its core's, taken in turn, and its first."""
    core, arrays = jax.jit(function), jax.tree.map(jnp.asarray, arguments)
    began = time.perf_counter()
    jax.block_until_ready(function(*arguments))
    first = time.perf_counter() - began
    jax.block_until_ready(core(*arrays))
    whole: list[float] = []
    alone: list[float] = []
    began = time.perf_counter()
    while len(whole) < 5 or (len(whole) < _SAMPLES and time.perf_counter() - began < _SECONDS):
        for samples, call, values in ((whole, function, arguments), (alone, core, arrays)):
            start = time.perf_counter()
            jax.block_until_ready(call(*values))
            samples.append(time.perf_counter() - start)
    # Of the minima: nothing of the machine's other work is in them.
    seconds, core_seconds = min(whole), min(alone)
    return {
        "seconds": seconds,
        "core_s": core_seconds,
        "cores": seconds / core_seconds,
        "goal_s": TIMES * core_seconds + SECONDS,
        "first_s": first,
    }
