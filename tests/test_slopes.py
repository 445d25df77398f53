"""Every rule of differentiation of a kernel once, against differences of its values.

What holds to many digits and at degeneracies is asked at night.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import others_at_night
from precision import double

import jaxosc
from jaxosc._kernels import bohr
from jaxosc._numerics.differences import divided_difference


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
QUICK = set(CASES) - {"redfield, rows", "thirteen modes"}


@double
@pytest.mark.parametrize("name", others_at_night(CASES, QUICK))
def test_slope(name):
    """(f(h) − f(−h))/2h, whose own error is h² and ε/h."""
    program = jax.jit(lambda x: jax.jvp(CASES[name], (x,), (jnp.ones_like(x),)))
    step = 1e-4
    low, _ = program(0.1 - step)
    high, _ = program(0.1 + step)
    _, slope = program(0.1)
    difference = (high - low) / (2 * step)
    np.testing.assert_allclose(slope, difference, atol=1e-6 * np.max(np.abs(difference)))


# Those of f at −3, …, 3 steps make its first two derivatives, to the sixth order.
STENCILS = np.array([[-1, 9, -45, 0, 45, -9, 1], [2, -27, 270, -490, 270, -27, 2]])
STENCILS = STENCILS / np.array([[60], [180]])


def slope(function):
    """Its derivative by a number."""
    return lambda x: jax.jvp(function, (x,), (jnp.ones_like(x),))[1]


@double
def test_divided_difference():
    """Of an even function, at opposite points too; against its closed form, to second order."""
    found = divided_difference(lambda x: 1 / (1 + x * x))

    def exact(x, y):
        return -(x + y) / ((1 + x * x) * (1 + y * y))

    def all_of(f):
        orders = f, jax.grad(f, (0, 1)), jax.hessian(f, (0, 1))
        return jax.jit(
            jax.vmap(lambda x, y: [jnp.stack(jax.tree.leaves(of(x, y))) for of in orders])
        )

    x = jnp.array([-1.0, 0.3, 0.7, 1.3, -0.5])
    y = jnp.array([1.0, 0.3, 0.7 + 1e-7, -0.2, 0.5])
    for ours, theirs, error in zip(
        all_of(found)(x, y), all_of(exact)(x, y), (1e-14, 1e-13, 1e-12), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=error)


def family(moved):
    """A kernel of the family, of a Hamiltonian with equal modes and of a symbol that moves too."""
    random = np.random.default_rng(3)
    change = jnp.asarray(0.1 * random.normal(size=(4, 4)))
    rows = jnp.asarray(random.normal(size=(1, 4)) + 1j * random.normal(size=(1, 4)))

    def symbol(x, y, own):
        rate, shared = own
        return rate * x * (x + y * y) + shared * y / (1 + x * x)

    hessian = jnp.eye(4) + moved * (change + change.T)
    rate = jnp.reshape(1 + moved, 1)
    return jnp.stack(bohr.dissipators(hessian, rows, symbol, rate, 2 - moved * moved))


@double
def test_two_derivatives_of_the_family():
    values = jax.jit(jax.vmap(family))(1e-2 * jnp.arange(-3.0, 4.0))
    found = jax.jit(lambda x: jax.jvp(slope(family), (x,), (jnp.ones_like(x),)))(0.0)
    for ours, stencil, step in zip(found, STENCILS, (1e-2, 1e-4), strict=True):
        expected = np.tensordot(stencil, values, 1) / step
        np.testing.assert_allclose(ours, expected, atol=1e-11 / step)


@double
@pytest.mark.slow
def test_no_third_derivative_of_the_family():
    assert np.isnan(jax.jit(slope(slope(slope(family))))(0.0)).any()
