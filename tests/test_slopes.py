"""Every rule of differentiation of a kernel once, against differences of its values.

What holds to many digits and at degeneracies is asked at night.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import others_at_night
from precision import digits, double

import jaxosc
from jaxosc._kernels import bohr
from jaxosc._kernels.flow import flow
from jaxosc._numerics import discord as discord_formulae
from jaxosc._numerics.differences import divided_difference
from jaxosc._numerics.eigensystem import discriminant
from jaxosc._numerics.entanglement import _log_excess, _slope_difference
from jaxosc._numerics.sharing import shared
from jaxosc._numerics.small import product_of_many
from jaxosc._numerics.spectral import spectral_sum
from jaxosc._numerics.symmetry import hermitian_slope


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
NIGHTLY = {"redfield, rows", "thirteen modes"}


@double
@pytest.mark.parametrize("name", others_at_night(CASES, (), set(CASES) - NIGHTLY))
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
        return rate * x * (x + y * y) + shared * y

    hessian = jnp.eye(4) + moved * (change + change.T)
    rate = jnp.reshape(1 + moved, 1)
    return jnp.stack(bohr.dissipators(hessian, rows, symbol, rate, 2 - moved * moved))


@double
@pytest.mark.slow
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


def hermitian(random, size):
    matrix = random.normal(size=(2, size, size))
    return jnp.asarray(matrix[0] + matrix[0].T + 1j * (matrix[1] - matrix[1].T))


def rows_of_a_flow(moved):
    """Φ, Q and v over a short and a long time, of a motion that decays and turns."""
    drift = jnp.array([[-0.1, 1.3], [-1.0, -0.4]]) * (1 + moved) + moved * jnp.eye(2)
    diffusion = jnp.array([[0.3, 0.1], [0.1, 0.5]]) * (1 - moved)
    times = jnp.array([1e-3, 0.7, 5.0]) * (1 + moved)
    moved = flow(drift, diffusion, jnp.array([0.2, -0.7]), times)
    return jnp.concatenate([x.reshape(-1) for x in moved])


def free_energy(moved):
    network, _, temperature = ring(3, moved)
    return jaxosc.free_energy(network, temperature[0])


RULES = {"flow": rows_of_a_flow, "free energy": free_energy}


@double
@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_rule(name):
    """The slopes between seven places are those of the values there, in one program."""
    program = jax.jit(jax.vmap(lambda x: jax.jvp(RULES[name], (x,), (jnp.ones_like(x),))))
    values, slopes = program(1e-3 * jnp.arange(-3.0, 4.0))
    expected = np.tensordot(STENCILS[0], values, 1) / 1e-3
    np.testing.assert_allclose(slopes[3], expected, atol=1e-10 * np.abs(expected).max())


@double
def test_traces_of_functions_of_matrices():
    """tr (M + sH)³ and its number to second order; the negativity's logarithm, with its step."""
    random = np.random.default_rng(7)
    matrix, change = hermitian(random, 4), hermitian(random, 4)

    def cubes(moved):
        total = spectral_sum(cubed)(matrix + moved.astype(complex) * change, 1 + moved)
        return total

    def excess(moved):
        turned = jnp.diag(jnp.array([3.0, 2.5, 1.0, -2.0])).astype(complex)
        total = spectral_sum(_log_excess, _slope_difference)
        return total(turned + 0.1 * moved.astype(complex) * change, jnp.array(2.0))

    program = jax.jit(
        jax.vmap(lambda x: [jax.jvp(slope(f), (x,), (jnp.ones_like(x),)) for f in (cubes, excess)])
    )
    (first, second), (step, bend) = program(1e-2 * jnp.arange(-3.0, 4.0))
    m, h = np.asarray(matrix), np.asarray(change)
    trace = lambda *parts: np.trace(np.linalg.multi_dot(parts)).real  # noqa: E731
    assert float(first[3]) == pytest.approx(trace(m, m, m) + 3 * trace(m, m, h), rel=1e-12)
    assert float(second[3]) == pytest.approx(6 * trace(m, m, h) + 6 * trace(m, h, h), rel=1e-12)
    assert float(bend[3]) == pytest.approx(STENCILS[0] @ np.asarray(step) / 1e-2, rel=1e-8)
    assert float(step[3]) == pytest.approx(0.1 * (h[0, 0] / 3 + h[1, 1] / 2.5).real, rel=1e-12)


def cubed(x, factor):
    return factor * x**3


@double
def test_discriminant():
    """(a − d)² + 4bc of a block, seen in other coordinates; the eigenvalues of it nearly meet."""
    random = np.random.default_rng(5)
    block, other = np.array([[0.3, 1.0], [1e-3, 0.3]]), np.array([[2.0, 1.0], [-1.0, 2.5]])
    change, turn = random.normal(size=(2, 2)), random.normal(size=(4, 4))

    def seen(one, rest):
        whole = np.block([[one, np.zeros((2, 2))], [np.zeros((2, 2)), rest]])
        return jnp.asarray(np.linalg.solve(turn, whole @ turn))

    eigenvalues = jnp.asarray(np.linalg.eigvals(block).astype(complex))
    program = jax.jit(lambda *at: jax.jvp(lambda x: discriminant(x, *eigenvalues), *at))
    value, found = program((seen(block, other),), (seen(change, other),))
    (_, b), (c, _) = block
    (da, db), (dc, dd) = change
    assert complex(value) == pytest.approx(4 * b * c, rel=1e-10)
    assert complex(found) == pytest.approx(4 * (b * dc + c * db), rel=1e-10)
    assert abs(da - dd) > 0.1  # of no consequence where a = d


def test_rules_in_closed_form():
    """What a derivative is where values have none, or are held in a form."""
    largest, change = jax.jvp(shared, (jnp.array(jnp.inf),), (jnp.array(3.0),))
    assert largest == jnp.finfo(largest.dtype).max
    assert change == 3
    for total, expected in ((0.0, np.nan), (0.4, 0.0)):
        at = jax.jvp(discord_formulae._without_slope, (jnp.array(total),), (jnp.array(2.0),))
        np.testing.assert_array_equal(at, (0.0, expected))
    random = np.random.default_rng(9)
    given = random.normal(size=(3, 3)) + 1j * random.normal(size=(3, 3))
    _, found = jax.jvp(hermitian_slope, (jnp.asarray(given),), (jnp.asarray(given),))
    expected = (given + given.conj().T) / 2 * (1 - np.eye(3))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_products_of_large_matrices():
    left, right = np.random.default_rng(2).normal(size=(2, 19, 19, 3))
    found = product_of_many(jnp.asarray(left), jnp.asarray(right))
    np.testing.assert_allclose(found, np.einsum("ijk,jlk->ilk", left, right), atol=digits(1e-13))
