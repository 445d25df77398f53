"""Every rule of differentiation of a kernel once, against differences of its values.

What holds to many digits, at degeneracies and to second order is asked at night.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import others_at_night
from precision import double

import jaxosc


def ring(modes, moved):
    """A network of which every number moves, and baths of it."""
    random = np.random.default_rng(modes)
    frequency = 1 + 0.3 * random.uniform(size=modes) + 0.1 * moved
    exchange = 0.1 * (1 + random.uniform(size=(modes, modes))) * (1 + moved) / modes
    exchange = jnp.triu(exchange, 1) + jnp.triu(exchange, 1).T
    damping = 0.02 * (1 + random.uniform(size=modes)) * (1 - moved)
    temperature = (0.5 + random.uniform(size=modes)) * (1 + 2 * moved)
    return jaxosc.Oscillators(frequency, exchange, 0.5 * exchange), damping, temperature


def rows(equation, **options):
    def state(moved):
        network, damping, temperature = ring(2, moved)
        angle = 0.3 + moved
        coupling = jnp.stack([jnp.array([1.0, 0, 0, 0]), jnp.stack([0, jnp.sin(angle), 0, 1.0])])
        baths = jaxosc.Baths(
            damping, temperature, jaxosc.spectra.Drude(4.0, reference=1.0), coupling=coupling
        )
        return jaxosc.steady_state(equation(network, baths, **options))

    return state


def position(equation, modes):
    def state(moved):
        network, damping, temperature = ring(modes, moved)
        return jaxosc.steady_state(
            equation(network, jaxosc.Baths(damping, temperature, "ohmic", coupling="position"))
        )

    return state


def local(modes):
    def state(moved):
        network, damping, temperature = ring(modes, moved)
        return jaxosc.steady_state(
            jaxosc.local_lindblad(network, jaxosc.Baths(damping, temperature))
        )

    return state


def discord(moved):
    return jaxosc.discord(local(2)(moved))


def driven(moved):
    def dynamics(time):
        network, damping, temperature = ring(2, moved * jnp.cos(time))
        return jaxosc.local_lindblad(network, jaxosc.Baths(damping, temperature))

    return jaxosc.evolve(dynamics, np.eye(4) / 2, jnp.array([0.5, 3.0])).covariance


CASES = {
    "redfield, rows": rows(jaxosc.redfield, lamb_shift=True),
    "coarse-grained, rows": rows(jaxosc.coarse_grained_lindblad, time=5.0),
    "partial secular, a pair": position(jaxosc.partial_secular, 2),
    "seven modes": local(7),
    "thirteen modes": local(13),
    "discord": discord,
    "driven": driven,
}
QUICK, NIGHTLY = {"discord"}, {"redfield, rows", "thirteen modes"}


@double
@pytest.mark.parametrize("name", others_at_night(CASES, QUICK, set(CASES) - NIGHTLY))
def test_slope(name):
    """(f(h) − f(−h))/2h, whose own error is h² and ε/h."""
    program = jax.jit(lambda x: jax.jvp(CASES[name], (x,), (jnp.ones_like(x),)))
    step = 1e-4
    low, _ = program(0.1 - step)
    high, _ = program(0.1 + step)
    _, slope = program(0.1)
    difference = (high - low) / (2 * step)
    np.testing.assert_allclose(slope, difference, atol=1e-6 * np.max(np.abs(difference)))
