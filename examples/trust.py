"""How far each description can be trusted: the validity map, and its edge to the last digit.

Run: python examples/trust.py
"""

# %% The map: the (λ, ΔT) plane coloured by who is right, for both interactions
import os
import sys

import jax
import jax.numpy as jnp

import jaxosc
from jaxosc.figures import validity_map

jax.config.update("jax_enable_x64", True)


def frontier(delta_t: jax.Array) -> jax.Array:
    """λ*/λ_c at which the local equation is 10 % off in ⟨a1†a1⟩."""
    oscillators = jaxosc.pair((5.0, 2.0), 1.0, "position")
    baths = jaxosc.Baths(
        (1.5e-4, 1.5e-4), jnp.stack([jnp.full_like(delta_t, 98.0), 98.0 + delta_t])
    )
    return jaxosc.trust_frontier(
        oscillators, baths, jaxosc.local_lindblad, lambda state: jaxosc.occupation(state)[0], 0.1
    ).ratio


def blind_spot(omega: jax.Array, temperature: jax.Array) -> jax.Array:
    """Square of the local equation's relative error in ⟨a1†a1⟩ at λ/λ_c = 0.5."""
    frequencies = jnp.stack([omega, jnp.asarray(2.0)])
    oscillators = jaxosc.pair(frequencies, interaction="position", distance=0.5)
    baths = jaxosc.Baths((1.5e-4, 1.5e-4), jnp.stack([jnp.asarray(98.0), temperature]))
    local, exact = (
        jaxosc.occupation(jaxosc.steady_state(equation(oscillators, baths)))[0]
        for equation in (jaxosc.local_lindblad, jaxosc.langevin)
    )
    return (local / exact - 1) ** 2


def main(
    fast: bool = False, folder: str | os.PathLike[str] = "."
) -> tuple[jax.Array, jaxosc.Optimum]:
    """Draw the map; return the frontier at three ΔT and a point where local is right by chance."""
    print(validity_map(folder, points=21 if fast else 161))

    # %% Its edge is a function with derivatives, not a line in a picture
    differences = jnp.array([0.0, 100.0, 200.0])
    ratios = jax.jit(jax.vmap(frontier))(differences)
    for difference, ratio in zip(differences, ratios, strict=True):
        print(f"dT = {difference:3.0f}: local is within 10 % up to coupling/critical = {ratio:.9f}")

    # %% And a search finds where the errors of the local equation cancel: a point of a whole curve,
    # which is why it calls none of them the optimum
    found = jaxosc.optimize(
        blind_spot,
        start={"omega": 3.0, "temperature": 250.0},
        bounds={"omega": (1.0, 8.0), "temperature": (10.0, 300.0)},
    )
    print(f"{found.parameters}: error {found.value**0.5:.1e}; {found.reason}")
    return ratios, found


if __name__ == "__main__":
    main(fast="--fast" in sys.argv[1:])
