"""A whole (λ, ΔT) plane in one compiled call, to see where the local equation fails.

Run: python examples/temperature_grid.py
"""

# %% The ratio local/Langevin of ⟨a1†a1⟩ as a function of two numbers
import sys

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc

jax.config.update("jax_enable_x64", True)

OMEGA, DAMPING, COLD = (5.0, 2.0), (1.5e-4, 1.5e-4), 98.0
CRITICAL = jaxosc.critical_coupling(OMEGA, "position")


def local_over_exact(ratio: jax.Array, delta_t: jax.Array) -> jax.Array:
    """⟨a1†a1⟩ of the local Lindblad equation over that of the Langevin equation."""
    oscillators = jaxosc.pair(OMEGA, ratio * CRITICAL, "position")
    baths = jaxosc.Baths(DAMPING, jnp.stack([jnp.full_like(delta_t, COLD), COLD + delta_t]))
    local = jaxosc.steady_state(jaxosc.local_lindblad(oscillators, baths))
    exact = jaxosc.steady_state(jaxosc.langevin(oscillators, baths))
    return jaxosc.occupation(local)[0] / jaxosc.occupation(exact)[0]


def main(fast: bool = False) -> np.ndarray:
    """Print a coarse view of the plane; return the whole of it."""
    points = 21 if fast else 201
    ratios = jnp.linspace(0.0, 0.99, points)
    differences = jnp.linspace(0.0, 300.0, points)

    # %% One call, compiled once; the second one shows what a grid costs
    axes = {"ratio": ratios, "delta_t": differences}
    jaxosc.sweep(local_over_exact, axes)
    result = jaxosc.sweep(local_over_exact, axes)
    values = result.values
    print(f"{values.size} points in {1e3 * result.metadata['seconds']:.0f} ms")

    # %% Below 1: too few quanta. Above 1: too many, where the hot neighbour leaks in.
    step = (points - 1) // 5
    print("coupling/critical |" + "".join(f"  dT={d:5.0f}" for d in differences[::step]))
    for ratio, row in zip(ratios[::step], values[::step], strict=True):
        print(f"{ratio:17.3f} |" + "".join(f"{value:10.4f}" for value in row[::step]))
    return values


if __name__ == "__main__":
    main(fast="--fast" in sys.argv[1:])
