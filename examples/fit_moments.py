"""From noisy second moments to frequency, coupling, damping and temperature, with their errors.

Run: python examples/fit_moments.py
"""

# %% Two oscillators; the first is tuned through resonance with the second, whose bath is unknown
import sys

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc

jax.config.update("jax_enable_x64", True)

TUNED = np.linspace(0.9, 1.1, 5)  # frequencies of the first
MOMENTS = np.triu_indices(4)  # each pair of quadratures once
COLD = 0.5  # temperature of its bath
TRUE = {"frequency": 1.02, "coupling": 0.03, "damping": 0.02, "temperature": 2.0}
BOUNDS = {
    "frequency": (0.9, 1.1),
    "coupling": (1e-3, 0.3),
    "damping": (1e-3, 0.3),
    "temperature": (0.6, 20.0),
}
START = {"frequency": 1.0, "coupling": 0.1, "damping": 0.1, "temperature": 1.0}
LOGARITHMIC = ("coupling", "damping", "temperature")
ERROR = 0.01


def moments(
    frequency: jax.Array, coupling: jax.Array, damping: jax.Array, temperature: jax.Array
) -> jax.Array:
    """Second moments [5, 10] of the steady states."""

    def at(tuned: jax.Array) -> jax.Array:
        oscillators = jaxosc.pair(jnp.stack([tuned, frequency]), coupling, "rotating-wave")
        baths = jaxosc.Baths(damping, jnp.stack([jnp.full_like(temperature, COLD), temperature]))
        return jaxosc.steady_state(jaxosc.langevin(oscillators, baths))[MOMENTS]

    return jax.vmap(at)(jnp.asarray(TUNED, temperature.dtype))


def measured(seed: int) -> np.ndarray:
    """The same for the true parameters, each moment with an error of its own."""
    noise = np.random.default_rng(seed).normal(0, ERROR, (len(TUNED), len(MOMENTS[0])))
    exact = jax.jit(moments)(**{name: jnp.asarray(value) for name, value in TRUE.items()})
    return np.asarray(exact) + noise


def main(fast: bool = False) -> jaxosc.Fit:
    """Fit and print what was found beside what is true; return the fit."""
    found = jaxosc.fit(moments, measured(0), ERROR, START, BOUNDS, LOGARITHMIC)
    print(found)

    # %% How far from the truth, in the errors that the fit states
    for name, value in TRUE.items():
        pull = (found.parameters[name] - value) / found.standard_errors[name]
        print(f"{name:<11} is {value}, off by {pull:+.2f} of its error")

    # %% What goes together in the errors
    if not fast:
        print(found.correlation.round(2))
    return found


if __name__ == "__main__":
    main(fast="--fast" in sys.argv[1:])
