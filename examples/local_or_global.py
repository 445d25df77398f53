"""Which master equation? Heat through two resonant oscillators, from λ ≪ γ to the critical point.

The local equation is right at one end and the global one at the other, as González et al. found
(Open Syst. Inf. Dyn. 24, 1740010 (2017)); one equation, and the exact answer, cover all of it.

Run: python examples/local_or_global.py
"""

# %% Two oscillators of one frequency, each with its own bath: positive frequencies, a cutoff
import os
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib.figure import Figure

import jaxosc
from jaxosc.figures.drawing import COLOUR, STYLE

jax.config.update("jax_enable_x64", True)

OMEGA = (1.0, 1.0)
TEMPERATURE = (0.2, 0.1)
DAMPING = 1e-3
# J(ω) = γω/(1 + ω²/Λ²): the rate is γ at ω = 1 but for the cutoff, 4e-4 of it.
CUTOFF = 50.0
RATE = DAMPING / (1 + 1 / CUTOFF**2)
BATHS = jaxosc.Baths(
    (RATE, RATE), TEMPERATURE, jaxosc.spectra.Drude(CUTOFF, reference=1.0), coupling="position"
)
EQUATIONS = {
    "exact": jaxosc.langevin,
    "detailed balance": jaxosc.detailed_balance_lindblad,
    "global": jaxosc.global_lindblad,
    "local": jaxosc.local_lindblad,
}
# How each is drawn, from the bottom to the top; that with detailed balance as rings.
LOOKS = {
    "exact": {"color": "0.72", "linewidth": 6.0},
    "global": {"color": COLOUR["global"], "linewidth": 2.0, "linestyle": "--"},
    "local": {"color": COLOUR["local"], "linewidth": 2.0, "linestyle": "-."},
    "detailed balance": {
        "color": COLOUR["detailed-balance"], "linestyle": "none", "marker": "o", "markevery": 0.045,
        "markerfacecolor": "white", "markersize": 6.0, "markeredgewidth": 1.6,
    },
}  # fmt: skip


def heat(name: str, couplings: jax.Array) -> jax.Array:
    """The heat that flows from the hot bath into the oscillators, at each coupling."""

    def at(coupling: jax.Array) -> jax.Array:
        oscillators = jaxosc.pair(OMEGA, coupling, "position")
        return jaxosc.heat_currents(EQUATIONS[name](oscillators, BATHS))[0]

    return jax.jit(jax.vmap(at))(couplings)


def main(fast: bool = False, folder: str | os.PathLike[str] = ".") -> dict[str, np.ndarray]:
    """Draw the picture; return λ, and the heat current of each description along it."""
    # %% Four decades of coupling over damping, up to 0.9 of the critical coupling
    couplings = DAMPING * np.geomspace(0.045, 450.0, 9 if fast else 161)
    currents = {name: np.asarray(heat(name, jnp.asarray(couplings))) for name in EQUATIONS}

    # %% The numbers
    print("coupling/damping " + "".join(f"{name:>20}" for name in EQUATIONS))
    for index in np.linspace(0, len(couplings) - 1, 9).astype(int):
        numbers = "".join(f"{current[index]:20.6e}" for current in currents.values())
        print(f"{couplings[index] / DAMPING:16.3g} {numbers}")

    # %% The picture
    with matplotlib.rc_context(STYLE):
        canvas = draw(couplings / DAMPING, currents)
        canvas.savefig(Path(folder) / "which-equation.png", dpi=200)
    return {"coupling": couplings, **currents}


def draw(x: np.ndarray, currents: dict[str, np.ndarray]) -> Figure:
    """Currents above, and what part of the exact one each is below."""
    canvas = Figure(figsize=(7.5, 6.6), layout="constrained")
    above, below = canvas.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for name, look in LOOKS.items():
        above.loglog(x, currents[name], label=name, **look)
        below.loglog(x, currents[name] / currents["exact"], **look)
    above.set_ylabel(r"heat current $\dot Q$  (units of $\omega^2$)")
    above.legend(frameon=False, loc="lower right", handlelength=3.0, labelspacing=0.6)
    above.set_title(
        rf"$\omega_1 = \omega_2 = 1$,  $T = ({TEMPERATURE[0]:g}, {TEMPERATURE[1]:g})$,  "
        rf"$\gamma = 10^{{-3}}$,  Ohmic baths with cutoff $\Lambda = {CUTOFF:g}$"
    )
    below.set_ylabel(r"$\dot Q\,/\,\dot Q_\mathrm{exact}$")
    below.set_xlabel(r"coupling over damping  $\lambda/\gamma$")
    below.set_xlim(x[0], x[-1])
    below.set_ylim(0.1, 1000)
    for axes in (above, below):
        axes.axvline(1, color="black", linewidth=0.8, linestyle=":")
    above.annotate(r"$\lambda = \gamma$", (1.08, 1.4e-8))
    words = r"global: wrong below $\lambda \approx 3\gamma$"
    below.annotate(words, (1.15, 40), color=COLOUR["global"])
    below.annotate("local: wrong when strong", (14, 0.2), color=COLOUR["local"])
    below.xaxis.set_major_formatter("{x:g}")
    return canvas


if __name__ == "__main__":
    main(fast="--fast" in sys.argv[1:])
