"""Criticality by autodiff: the exponent of ⟨a1†a1⟩ without a fit.

Run: python examples/susceptibility.py
"""

# %% An observable of one number, the distance to the critical coupling
import sys
from collections.abc import Callable

import jax
import jax.numpy as jnp

import jaxosc

jax.config.update("jax_enable_x64", True)

OMEGA = (5.0, 2.0)
BATHS = jaxosc.Baths(damping=(1.5e-6, 1.5e-6), temperature=(98.0, 298.0))


def exponent(
    equation: Callable[..., jaxosc.Dynamics], interaction: str
) -> Callable[[jax.Array], jax.Array]:
    """−d ln⟨a1†a1⟩/d ln δ as a function of δ = 1 − λ/λ_c, by the chain rule through everything."""
    critical = jaxosc.critical_coupling(OMEGA, interaction)

    def log_occupation(log_distance: jax.Array) -> jax.Array:
        coupling = critical * -jnp.expm1(log_distance)
        oscillators = jaxosc.pair(OMEGA, coupling, interaction)
        covariance = jaxosc.steady_state(equation(oscillators, BATHS))
        return jnp.log(jaxosc.occupation(covariance)[0])

    return lambda distance: -jax.grad(log_occupation)(jnp.log(distance))


def main(fast: bool = False) -> dict[str, jax.Array]:
    """Print the exponents as the critical point comes near; return them."""
    distances = jnp.logspace(-1.0, -3.0 if fast else -4.0, 3 if fast else 4)
    curves = {}
    print("1 - coupling/critical".ljust(34) + "".join(f"{d:12.0e}" for d in distances))
    # %% One means ⟨a1†a1⟩ ∝ 1/δ; zero means no criticality at all
    for interaction in ("position", "rotating-wave"):
        for equation in (jaxosc.langevin, jaxosc.local_lindblad):
            name = f"{equation.__name__}, {interaction}"
            curves[name] = jax.jit(jax.vmap(exponent(equation, interaction)))(distances)
            print(name.ljust(34) + "".join(f"{value:12.6f}" for value in curves[name]))
    return curves


if __name__ == "__main__":
    main(fast="--fast" in sys.argv[1:])
