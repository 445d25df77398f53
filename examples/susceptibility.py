"""Criticality by autodiff: exponents down to 1e-10 from the critical point, without a fit.

Run: python examples/susceptibility.py
"""

# %% An observable of one number, the distance δ = 1 − λ/λ_c to the critical coupling
import os
import sys
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
from matplotlib.figure import Figure

import jaxosc
from jaxosc.typing import Interaction

jax.config.update("jax_enable_x64", True)

OMEGA = (5.0, 2.0)
BATHS = jaxosc.Baths(damping=(1.5e-6, 1.5e-6), temperature=(98.0, 298.0))


def occupation(
    equation: Callable[..., jaxosc.Dynamics], interaction: Interaction
) -> Callable[..., jax.Array]:
    """⟨a1†a1⟩ as a function of the distance."""

    def function(distance: jax.Array) -> jax.Array:
        oscillators = jaxosc.pair(OMEGA, interaction=interaction, distance=distance)
        return jaxosc.occupation(jaxosc.steady_state(equation(oscillators, BATHS)))[0]

    return function


def ground_state(distance: jax.Array) -> jax.Array:
    """⟨a1†a1⟩ of the ground state."""
    oscillators = jaxosc.pair(OMEGA, interaction="position", distance=distance)
    return jaxosc.occupation(jaxosc.gibbs(oscillators, 0.0))[0]


def main(fast: bool = False, folder: str | os.PathLike[str] = ".") -> dict[str, jax.Array]:
    """Print and draw the exponents as the critical point comes near; return them."""
    distances = jnp.logspace(-1.0, -10.0, 10 if fast else 181)
    functions = {"ground state, position": ground_state}
    for interaction in ("position", "rotating-wave"):
        for equation in (jaxosc.langevin, jaxosc.local_lindblad):
            name = f"{equation.__name__}, {interaction}"
            functions[name] = occupation(equation, interaction)

    # %% −d ln⟨n⟩/d ln δ: 1 means ⟨n⟩ ∝ 1/δ, 1/2 means 1/√δ, 0 means no criticality at all
    curves = {
        name: jaxosc.critical_exponent(function, {"distance": distances})
        for name, function in functions.items()
    }
    shown = slice(0, None, (len(distances) - 1) // 9)
    print("1 - coupling/critical".ljust(32) + "".join(f"{d:8.0e}" for d in distances[shown]))
    for name, curve in curves.items():
        print(name.ljust(32) + "".join(f"{value:8.3f}" for value in curve[shown]))

    # %% Flat damping rounds the Langevin criticality off, within γ or γ²/ω of λ_c
    canvas = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = canvas.add_subplot()
    for name, curve in curves.items():
        axes.semilogx(distances, curve, label=name, linestyle="--" if "local" in name else "-")
    axes.set_xlabel(r"$1 - \lambda/\lambda_c$")
    axes.set_ylabel(
        r"$-\,\mathrm{d}\ln\langle a_1^\dagger a_1\rangle\,/\,\mathrm{d}\ln(1 - \lambda/\lambda_c)$"
    )
    axes.invert_xaxis()
    axes.legend(frameon=False, loc="lower left")
    canvas.savefig(Path(folder) / "exponents.png", dpi=150)
    return curves


if __name__ == "__main__":
    main(fast="--fast" in sys.argv[1:])
