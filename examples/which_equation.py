"""Which master equation should I use? Every one beside the exact answer, and what breaks the best.

Run: python examples/which_equation.py
"""

# %% Two oscillators that are close in frequency, between a cold and a warm bath with a cutoff
import sys

import jax

import jaxosc
from jaxosc.figures import comparison_figure

jax.config.update("jax_enable_x64", True)


def main(fast: bool = False) -> str | None:
    """Print the comparison; return the name of the equation to use."""
    oscillators = jaxosc.pair((1.0, 1.03), 0.1, "position")
    drude = jaxosc.spectra.Drude(cutoff=10.0)
    baths = jaxosc.Baths(damping=5e-4, temperature=(1.0, 2.0), spectrum=drude, coupling="position")

    # %% Values, errors, positivity, second law, cost, and where each equation holds
    found = jaxosc.compare(oscillators, baths, ["occupation", "information"], tolerance=0.01)
    print(found)

    # %% The cheapest that is good enough, and what would break it
    advice = found.recommend()
    print()
    print(advice)

    # %% The same errors as a picture, and as rows for a data frame
    if not fast:
        print(comparison_figure(found, "which-equation.png"))
    worst = max(found.records(), key=lambda row: row["error"])
    print(f"furthest from the exact one: {worst['description']}, off by {worst['error']:.2g}")
    return advice.name


if __name__ == "__main__":
    main(fast="--fast" in sys.argv[1:])
