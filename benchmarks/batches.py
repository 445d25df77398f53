"""Rows of section ``modes``: batches of few oscillators, beside packed equations in NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from benchmarks import cases, timing
from benchmarks.records import Job, Settings, require_memory

# Oscillators, and networks in a batch
_BATCHES = {3: 4096, 4: 4096, 6: 2048, 8: 1024}
_LANGEVIN = (4,)
_SECONDS, _QUICK_SECONDS = 0.7, 0.05
# Networks that NumPy does best with at a time
_BLOCK = 256


def jobs(settings: Settings) -> list[Job]:
    """One job a description and N."""
    batches = {3: 64} if settings.quick else _BATCHES
    every = [("local", modes, count) for modes, count in batches.items()]
    every += [("langevin", modes, batches[modes]) for modes in _LANGEVIN if modes in batches]
    return [
        Job("modes", f"batch, {name}, N = {modes}", partial(_case, settings, name, modes, count))
        for name, modes, count in every
    ]


def networks(modes: int, count: int) -> tuple[np.ndarray, ...]:
    """ω, λ, κ, γ and T of random networks, every number different."""
    random = np.random.default_rng(modes)

    def couplings() -> np.ndarray:
        upper = np.triu(random.uniform(-0.15, 0.15, (count, modes, modes)), 1) / np.sqrt(modes)
        return upper + np.swapaxes(upper, 1, 2)

    frequency = random.uniform(0.5, 2.0, (count, modes))
    damping = 10 ** random.uniform(-3, -1, (count, modes))
    temperature = 10 ** random.uniform(0, 2, (count, modes))
    return frequency, couplings(), couplings(), damping, temperature


def _case(settings: Settings, name: str, modes: int, count: int) -> Iterator[dict[str, Any] | str]:
    """The covariances and, of the local equation, the same by NumPy, sampled in turn."""
    arguments = [jnp.asarray(each) for each in networks(modes, count)]

    def drift_and_state(*parts: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        oscillators, baths = jaxosc.Oscillators(*parts[:3]), jaxosc.Baths(*parts[3:])
        dynamics = cases.EQUATIONS[name](oscillators, baths)
        return jaxosc.steady_state(dynamics), dynamics.drift, dynamics.diffusion

    program = timing.compile_program(
        jax.vmap(lambda *parts: drift_and_state(*parts)[0]), *arguments
    )
    require_memory(program)
    calls = [partial(program.call, *arguments)]
    if name == "local":
        _, drift, diffusion = map(np.asarray, jax.jit(jax.vmap(drift_and_state))(*arguments))
        calls.append(partial(packed, drift, diffusion))
    seconds = _QUICK_SECONDS if settings.quick else _SECONDS
    ours, *others = timing.interleave(calls, seconds)
    yield {
        "modes": modes,
        "solver": "jaxosc",
        "seconds": ours.seconds / count,
        "spread": ours.spread,
        "numpys": ours.ratio_to(others[0]) if others else None,
        "compile_s": program.compile_seconds,
        "temporaries": program.temporaries,
    }
    for other in others:
        yield {
            "modes": modes,
            "solver": "numpy",
            "seconds": other.seconds / count,
            "spread": other.spread,
        }


def packed(drift: np.ndarray, diffusion: np.ndarray) -> np.ndarray:
    """σ [K, n, n] from one batched system of n(n + 1)/2 unknowns."""
    count, size, _ = drift.shape
    upper = np.triu_indices(size)
    unknowns = len(upper[0])
    place = np.zeros((size, size), int)
    place[upper] = place.T[upper] = np.arange(unknowns)
    # (Aσ + σAᵀ)_ik = Σ_m A_im σ_mk + A_km σ_mi
    rows = np.arange(unknowns)[:, None] * unknowns
    first = (rows + place[:, upper[1]].T).reshape(-1)
    second = (rows + place[:, upper[0]].T).reshape(-1)
    found = np.empty_like(drift)
    for start in range(0, count, _BLOCK):
        part = drift[start : start + _BLOCK]
        matrix = np.zeros((len(part), unknowns**2))
        matrix[:, first] += part[:, upper[0]].reshape(len(part), -1)
        matrix[:, second] += part[:, upper[1]].reshape(len(part), -1)
        right = -diffusion[start : start + _BLOCK][:, upper[0], upper[1], None]
        solution = np.linalg.solve(matrix.reshape(-1, unknowns, unknowns), right)[..., 0]
        found[start : start + _BLOCK] = solution[:, place]
    return found
