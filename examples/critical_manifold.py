"""Where three oscillators become critical, and where their damped motion becomes unstable.

Run: python examples/critical_manifold.py
"""

# %% A chain whose middle oscillator is tuned, with exchange λ and pairing κ between neighbours
import os
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
from matplotlib.figure import Figure

import jaxosc

jax.config.update("jax_enable_x64", True)

DAMPING = (0.02, 0.6, 0.02)  # the middle one is damped much more than its neighbours
BOUNDS = {"omega": (0.3, 3.0), "coupling": (0.02, 1.6)}
NEIGHBOURS = jnp.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


def chain(omega: jax.Array, coupling: jax.Array, pairing: float) -> jaxosc.Oscillators:
    """Three modes; ``pairing`` is κ/λ if below 1, and λ = 0, κ = coupling if infinite."""
    frequency = jnp.stack([jnp.asarray(1.0), omega, jnp.asarray(1.3)])
    exchange = 0.0 if pairing == float("inf") else 1.0
    ratio = 1.0 if pairing == float("inf") else pairing
    return jaxosc.Oscillators(
        frequency, exchange * coupling * NEIGHBOURS, ratio * coupling * NEIGHBOURS
    )


def curve(pairing: float, damped: bool) -> jaxosc.CriticalCurve:
    """The critical coupling as a function of ω, as a curve with its slope."""
    baths = jaxosc.Baths(DAMPING, (1.0, 1.0, 1.0))

    def distance(omega: jax.Array, coupling: jax.Array) -> jax.Array:
        network = chain(omega, coupling, pairing)
        if damped:
            return jaxosc.stability_scale(network, baths) - 1
        return jaxosc.critical_scale(network) - 1

    # %% Any point of the curve will do as a start: scale a coupling to the critical one
    omega, coupling = jnp.asarray(1.0), jnp.asarray(0.1)
    start = {"omega": omega, "coupling": coupling * (1 + distance(omega, coupling))}
    return jaxosc.trace_curve(distance, start, BOUNDS)


def main(fast: bool = False, folder: str | os.PathLike[str] = ".") -> dict[str, float]:
    """Draw the critical manifolds; return the slope dλ_c/dω at ω = 1 by interaction."""
    canvas = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = canvas.add_subplot()
    slopes = {}
    # Exchange alone becomes critical where pairing alone does, and never unstable.
    interactions = {"position, κ = λ": 1.0, "pairing, λ = 0": float("inf")}
    for colour, (name, pairing) in zip(("C0", "C1"), interactions.items(), strict=True):
        for damped in (False, True):
            if damped and fast:
                continue
            traced = curve(pairing, damped)
            axes.plot(
                traced.points["omega"], traced.points["coupling"], color=colour,
                linestyle="--" if damped else "-",
                label=f"{name}: {'motion unstable' if damped else 'H not bounded'}",
            )  # fmt: skip
            if not damped:
                near = abs(traced.points["omega"] - 1).argmin()
                slopes[name] = float(
                    traced.tangent["coupling"][near] / traced.tangent["omega"][near]
                )
                print(f"{name:16} {len(traced.points['omega'])} points, slope {slopes[name]:.6f}")
    axes.set_xlabel(r"frequency of the middle oscillator $\omega_2/\omega_1$")
    axes.set_ylabel(r"coupling of neighbours $/\,\omega_1$")
    axes.set_xlim(BOUNDS["omega"])
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    canvas.savefig(Path(folder) / "critical_manifold.png", dpi=150)
    return slopes


if __name__ == "__main__":
    main(fast="--fast" in sys.argv[1:])
