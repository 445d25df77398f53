"""Time a point of every master equation beside the global one, on a grid of (λ, ΔT).

    python -m benchmarks.family

Two modes at the paper's parameters, ⟨n₁⟩ at 512 × 512 points, between Drude baths of positions and
between flat rotating-wave baths; compile time, whether the program calls LAPACK, and the largest
difference of a sample of points from the kernel of any network, which rows in place of a name ask
for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from benchmarks.timing import interleave
from jaxosc.equations.registry import EQUATIONS

OMEGA, DAMPING, TEMPERATURE = (5.0, 2.0), (1.5e-4, 1.5e-4), 98.0
POINTS, SAMPLE = 512, 8
WRITTEN_OUT = ("global", "redfield", "universal", "detailed-balance", "unified", "partial-secular")


def occupation(
    name: str, drude: bool, rows: bool, coupling: jax.Array, difference: jax.Array
) -> jax.Array:
    """⟨n₁⟩ at one point."""
    network = jaxosc.pair(OMEGA, coupling, "position")
    temperature = jnp.stack([jnp.full_like(difference, TEMPERATURE), TEMPERATURE + difference])
    spectrum = [jaxosc.spectra.Drude(50.0, reference=each) if drude else "flat" for each in OMEGA]
    behind = "position" if drude else "rotating-wave"
    if rows:
        behind = np.sqrt(2) * np.eye(4)[::2] if drude else np.eye(2, dtype=complex)
    baths = jaxosc.Baths(DAMPING, temperature, spectrum, coupling=behind)
    return jaxosc.occupation(jaxosc.steady_state(EQUATIONS[name](network, baths)))[0]


def over_grid(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """At every coupling and every difference."""
    return jax.vmap(jax.vmap(function, (None, 0)), (0, None))


def main() -> None:
    """Print the table."""
    jax.config.update("jax_enable_x64", True)
    critical = float(jaxosc.critical_coupling(OMEGA, "position"))
    axes = jnp.linspace(0.01, 0.95, POINTS) * critical, jnp.linspace(0.0, 200.0, POINTS)
    few = tuple(axis[:: POINTS // SAMPLE] for axis in axes)
    for drude in (True, False):
        print("Drude baths of positions" if drude else "flat rotating-wave baths")
        programs, words = [], []
        for name in WRITTEN_OUT:
            began = time.perf_counter()
            grid = over_grid(partial(occupation, name, drude, False))
            program = jax.jit(grid).lower(*axes).compile()
            seconds = time.perf_counter() - began
            general = jax.jit(over_grid(partial(occupation, name, drude, True)))(*few)
            error = jnp.max(jnp.abs(jax.jit(grid)(*few) / general - 1))
            calls = "LAPACK" if "custom-call" in program.as_text() else "one loop"
            programs.append(partial(program, *axes))
            words.append(f"compiled in {seconds:.1f} s, {calls}, error {error:.0e}")
        timings = interleave(programs, seconds=20.0)
        for name, timing, word in zip(WRITTEN_OUT, timings, words, strict=True):
            each = timing.seconds / POINTS**2 * 1e9
            ratio = timing.ratio_to(timings[0])
            print(f"  {name:17}{each:6.1f} ns a point, {ratio:4.2f} x global; {word}")


if __name__ == "__main__":
    main()
