"""One network, one point, every description: who is right, and by how much.

Run: python examples/compare_descriptions.py
"""

# %% Two oscillators at 90 % of the critical coupling, between a cold and a hot bath
import sys

import jax

import jaxosc
from jaxosc.papers import konopik_lutz

jax.config.update("jax_enable_x64", True)

OMEGA = (5.0, 2.0)


def main(fast: bool = False) -> dict[str, float]:
    """Print the table; return ⟨a1†a1⟩ by description."""
    coupling = 0.9 * jaxosc.critical_coupling(OMEGA, "position")
    oscillators = jaxosc.pair(OMEGA, coupling, "position")
    baths = jaxosc.Baths(damping=(1.5e-4, 1.5e-4), temperature=(98.0, 298.0))
    microscopic = baths.replace(spectrum="ohmic", coupling="position")

    # %% Every description is a drift and a diffusion; what follows is the same for all
    dynamics = {
        "Langevin (exact)": jaxosc.langevin(oscillators, baths),
        "local Lindblad": jaxosc.local_lindblad(oscillators, baths),
        "global, rotating-wave baths": jaxosc.global_lindblad(oscillators, baths),
        "global, Caldeira-Leggett baths": jaxosc.global_lindblad(oscillators, microscopic),
        "global, rates of the paper": konopik_lutz.global_lindblad(oscillators, baths),
    }
    covariances = {name: jaxosc.steady_state(dynamics[name]) for name in dynamics}
    if not fast:
        covariances["Langevin by quadrature"] = jaxosc.langevin_quadrature(oscillators, baths)

    # %% Occupation, coherence and mutual information
    print(f"{'':32}{'<a1+a1>':>12}{'<a2+a2>':>12}{'Re<a1+a2>':>12}{'I / nats':>12}")
    occupations = {}
    for name, covariance in covariances.items():
        first, second = jaxosc.occupation(covariance)
        coherence = jaxosc.coherence(covariance)[0, 1].real
        information = jaxosc.mutual_information(covariance)
        print(f"{name:32}{first:12.5f}{second:12.5f}{coherence:12.5f}{information:12.6f}")
        occupations[name] = float(first)

    # %% And why one may trust or distrust them
    print()
    print(jaxosc.diagnose(oscillators, baths))
    return occupations


if __name__ == "__main__":
    main(fast="--fast" in sys.argv[1:])
