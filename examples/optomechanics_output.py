"""The light that leaves an optomechanical cavity: a thermometer, and a squeezer.

Run: python examples/optomechanics_output.py
"""

# %% A cavity driven on resonance, in the frame of the drive; the unit is the mirror's frequency
import os
import sys
from pathlib import Path

import jax
import jax.numpy as jnp

import jaxosc
from jaxosc.figures import spectrum_figure

jax.config.update("jax_enable_x64", True)


def mirror(coupling: float, linewidth: float, damping: float, phonons: float) -> jaxosc.Dynamics:
    """H = b†b + g (a + a†)(b + b†), with energy rates κ of the cavity and Γ of the mirror."""
    network = jaxosc.pair((0.0, 1.0), coupling, "position")
    baths = jaxosc.Baths((linewidth / 2, damping / 2), occupation=(0.0, phonons))
    return jaxosc.local_lindblad(network, baths)


def main(fast: bool = False, folder: str | os.PathLike[str] = ".") -> dict[str, float]:
    """Print what the light tells of the mirror, draw its squeezing; return the numbers."""
    # %% Probed weakly, the two sidebands count n + 1 and n phonons: a thermometer without a scale
    weak = mirror(1e-4, linewidth=0.2, damping=1e-3, phonons=2.5)
    stokes, anti_stokes = jaxosc.emission_spectrum(weak, jnp.array([-1.0, 1.0]))
    read = float(1 / (stokes / anti_stokes - 1))
    held = float(jaxosc.occupation(jaxosc.steady_state(weak))[1])
    print(f"sideband asymmetry says {read:.4f} phonons; there are {held:.4f}")

    # %% Probed strongly, amplitude noise moves the mirror, and the mirror shifts the phase
    strong = mirror(0.1, linewidth=8.0, damping=2e-4, phonons=20.0)
    nu = jnp.linspace(0.95, 1.05, 101 if fast else 801)
    angles = jnp.linspace(0.0, jnp.pi, 91 if fast else 361)
    seen = jaxosc.output_spectrum(strong, nu[:, None], port=0, angle=angles, efficiency=0.9)
    lowest = jnp.min(seen)
    place, turn = jnp.unravel_index(jnp.argmin(seen), seen.shape)
    decibel = float(10 * jnp.log10(2 * lowest))
    print(
        f"homodyne noise {decibel:.2f} dB from the vacuum, "
        f"at frequency {nu[place]:.3f} and angle {jnp.degrees(angles[turn]):.1f} degrees"
    )

    # %% Its derivative tells what a better detector would bring
    def noise(efficiency: jax.Array) -> jax.Array:
        return jaxosc.output_spectrum(
            strong, nu[place], port=0, angle=angles[turn], efficiency=efficiency
        )

    slope = float(jax.grad(noise)(0.9))
    print(f"a percent more efficiency changes it by {slope / 100:+.5f} of the vacuum's 0.5")

    curves = {
        "best angle": jnp.min(seen, axis=1),
        f"{float(jnp.degrees(angles[turn])):.0f}°": seen[:, turn],
    }
    spectrum_figure(nu, curves, Path(folder) / "optomechanics_output.png", vacuum=0.5)
    return {"read": read, "held": held, "decibel": decibel, "slope": slope}


if __name__ == "__main__":
    main(fast="--fast" in sys.argv[1:])
