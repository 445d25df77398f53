"""From the output spectrum of an optomechanical cavity to its mechanics, with errors.

Run: python examples/fit_output_spectrum.py
"""

# %% A cavity driven on its red sideband, in the frame of the laser, and a warm mechanical mode
import sys

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc

jax.config.update("jax_enable_x64", True)

DETUNING, DECAY = 1.0, 0.1  # of the cavity, known; amplitude rate
FREQUENCY = np.linspace(0.9, 1.1, 201)  # where the spectrum is measured
POWER = np.array([0.1, 1.0])  # of the laser: one alone does not tell occupation from coupling
TRUE = {"frequency": 1.01, "damping": 2e-3, "coupling": 0.03, "occupation": 20.0}
BOUNDS = {
    "frequency": (0.95, 1.05),
    "damping": (1e-4, 0.1),
    "coupling": (1e-3, 0.3),
    "occupation": (0.1, 1e3),
}
START = {"frequency": 1.0, "damping": 1e-2, "coupling": 0.02, "occupation": 10.0}
LOGARITHMIC = ("damping", "coupling", "occupation")
ERROR = 0.05  # where the vacuum has 1/2


def spectra(
    frequency: jax.Array, damping: jax.Array, coupling: jax.Array, occupation: jax.Array
) -> jax.Array:
    """Homodyne spectra [2, 201] of the phase of the cavity's output, at each power."""
    zero = jnp.zeros_like(occupation)
    baths = jaxosc.Baths(
        jnp.stack([zero + DECAY, damping]), occupation=jnp.stack([zero, occupation])
    )

    def at(power: jax.Array) -> jax.Array:
        coupled = coupling * jnp.sqrt(power)
        oscillators = jaxosc.pair(jnp.stack([zero + DETUNING, frequency]), coupled, "position")
        dynamics = jaxosc.local_lindblad(oscillators, baths)  # exact for white baths
        seen = jnp.asarray(FREQUENCY, frequency.dtype)
        return jaxosc.output_spectrum(dynamics, seen, port=0, angle=np.pi / 2)

    return jax.vmap(at)(jnp.asarray(POWER, frequency.dtype))


def measured(seed: int) -> np.ndarray:
    """The same for the true parameters, each point with an error of its own."""
    noise = np.random.default_rng(seed).normal(0, ERROR, (len(POWER), len(FREQUENCY)))
    exact = jax.jit(spectra)(**{name: jnp.asarray(value) for name, value in TRUE.items()})
    return np.asarray(exact) + noise


def main(fast: bool = False) -> jaxosc.Fit:
    """Fit and print what was found beside what is true; return the fit."""
    found = jaxosc.fit(spectra, measured(0), ERROR, START, BOUNDS, LOGARITHMIC)
    print(found)

    # %% How far from the truth, in the errors that the fit states
    for name, value in TRUE.items():
        pull = (found.parameters[name] - value) / found.standard_errors[name]
        print(f"{name:<10} is {value:g}, off by {pull:+.2f} of its error")

    # %% What goes together in the errors
    if not fast:
        print(found.correlation.round(2))
    return found


if __name__ == "__main__":
    main(fast="--fast" in sys.argv[1:])
