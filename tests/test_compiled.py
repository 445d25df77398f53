"""What XLA makes of a sweep of two modes: no library calls, little memory, one branch a batch."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import others_at_night
from precision import DTYPE, digits, double

import jaxosc
from jaxosc._numerics.elementwise import elementwise
from jaxosc._numerics.quartic_sums import quartic_sums

EQUATIONS = {
    "local": jaxosc.local_lindblad,
    "global": jaxosc.global_lindblad,
    "langevin": jaxosc.langevin,
}
SIZE = 256


def covariance(name, coupling, step):
    oscillators = jaxosc.pair((5.0, 2.0), coupling, "position")
    baths = jaxosc.Baths((1e-3, 2e-3), jnp.stack([jnp.full_like(step, 98.0), 98 + step]))
    return jaxosc.steady_state(EQUATIONS[name](oscillators, baths))


def first(name, coupling, step):
    return jaxosc.occupation(covariance(name, coupling, step))[0]


def information(name, coupling, step):
    return jaxosc.mutual_information(covariance(name, coupling, step))


def slope(function, name, coupling, step):
    along = (jnp.ones_like(coupling),)
    return jax.jvp(lambda x: function(name, x, step), (coupling,), along)[1]


def sweep(function):
    rows = jax.vmap(function, in_axes=(None, 0))
    grid = jax.jit(jax.vmap(rows, in_axes=(0, None)))
    return grid.lower(jnp.linspace(0.1, 1.5, SIZE), jnp.linspace(-90.0, 200.0, SIZE))


def temporaries(lowered):
    return lowered.compile().memory_analysis().temp_size_in_bytes / SIZE**2


@pytest.mark.parametrize(
    ("observable", "name"),
    others_at_night(
        [(observable, name) for observable in (first, information) for name in EQUATIONS],
        (),
        [(information, "local")],
    ),
)
def test_no_library_calls(name, observable):
    """Eigenvalue and LAPACK routines are custom calls; a sweep has none, nor have its slopes."""
    for function in (
        functools.partial(observable, name),
        functools.partial(slope, observable, name),
    ):
        text = sweep(function).as_text()
        assert "custom_call" not in text
        assert "dot_general" not in text


@pytest.mark.slow
def test_memory_of_three_descriptions():
    """Local, global and Langevin ⟨n1⟩ in one call, in at most 200 bytes a point."""

    def three(coupling, step):
        return tuple(first(name, coupling, step) for name in EQUATIONS)

    assert temporaries(sweep(three)) <= 200


def test_matrices_leave_no_trace():
    """The covariance in between is never stored: a point costs less than one of its entries."""
    assert temporaries(sweep(functools.partial(first, "local"))) <= 8


@pytest.mark.slow
def test_information_and_its_slope_in_registers():
    """Some hundred roots, quotients and logarithms a point, none of them kept in memory."""

    def both(coupling, step):
        along = (jnp.ones_like(coupling),)
        return jax.jvp(lambda x: information("local", x, step), (coupling,), along)

    assert temporaries(sweep(both)) <= 8


def scattered(name, quantity, count):
    """A quantity of the couplings alone, at so many pairs and baths."""
    random = np.random.default_rng(5)
    ends = [(4, 6), (1, 3), (0.1, 1.2), (1e-3, 1e-2), (1e-3, 1e-2), (1, 90), (1, 90)]
    points = [jnp.asarray(random.uniform(*each, count), DTYPE) for each in ends]

    def function(omega1, omega2, coupling, gamma1, gamma2, t1, t2):
        oscillators = jaxosc.pair((omega1, omega2), coupling, "position")
        baths = jaxosc.Baths((gamma1, gamma2), (t1, t2))
        return quantity(jaxosc.steady_state(EQUATIONS[name](oscillators, baths)))

    return function, points


@pytest.mark.slow
@pytest.mark.parametrize(
    "quantity",
    others_at_night(
        [
            jaxosc.purity,
            jaxosc.mutual_information,
            jaxosc.von_neumann_entropy,
            jaxosc.logarithmic_negativity,
            jaxosc.discord,
            lambda covariance: jaxosc.discord(covariance, 0),
            lambda covariance: jaxosc.mutual_information(covariance, (1,), (0,)),
        ],
        [jaxosc.purity],
    ),
)
def test_gradients_of_many_states_are_not_gathered(quantity):
    """A sum of padded entries is a loop in which XLA runs what they share for each use anew.

    The gradient of the purity took 6 ms a point, that of the information did not end.
    """
    function, points = scattered("local", quantity, 64)
    program = jax.jit(jax.vmap(jax.grad(function, argnums=2))).lower(*points).compile()
    lines = program.as_text().splitlines()
    assert not any("[64,4,4]" in line for line in lines if " pad(" in line or " gather(" in line)
    assert not any(" scatter(" in line for line in lines)
    along = [jnp.zeros_like(x) for x in points]
    along[2] = jnp.ones_like(points[2])
    slope = jax.jit(lambda: jax.jvp(jax.vmap(function), points, along)[1])()
    np.testing.assert_allclose(program(*points), slope, rtol=digits(1e-9), atol=digits(1e-9))


@double
@pytest.mark.slow
def test_no_loop_too_long_for_one_function():
    """Of more than some 2000 operations XLA's CPU makes functions that call each other.

    The slope of the information of scattered Langevin states took seconds a point.
    """
    function, points = scattered("langevin", jaxosc.mutual_information, 64)

    def slope(*points):
        def of_coupling(coupling):
            return function(*points[:2], coupling, *points[3:])

        return jax.jvp(of_coupling, (points[2],), (jnp.ones_like(points[2]),))[1]

    program = jax.jit(jax.vmap(slope)).lower(*points).compile()
    longest = max(len(part.splitlines()) for part in program.as_text().split("\n\n"))
    assert longest < 2500  # with what is no operation; of one loop it was 4000
    step = 1e-4
    values = jax.jit(jax.vmap(function))
    above, below = (values(*points[:2], points[2] + s, *points[3:]) for s in (step, -step))
    difference = (above - below) / (2 * step)
    np.testing.assert_allclose(program(*points), difference, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("count", [2, 3])
def test_temperatures_vary_one_by_one(count):
    """What varies is one of them, not the vector: the sums of the others are of a row."""

    def others(step):
        baths = jaxosc.Baths(1e-3, [98.0 + step] + [98.0] * (count - 1))
        scaled = baths._scaled(jnp.ones_like(step))
        return jax.tree.leaves(scaled)[2:], scaled.temperature

    fixed, both = jax.vmap(others, out_axes=(None, 0))(jnp.arange(3.0))
    assert both.shape == (3, count)
    np.testing.assert_array_equal(fixed, both[0, 1:])


def langevin_entries(coupling, pairing, hot, cold):
    exchange = jnp.array([[0 * coupling, coupling], [coupling, 0 * coupling]])
    matrix = jnp.array([[0 * pairing, pairing], [pairing, 0 * pairing]])
    oscillators = jaxosc.Oscillators((1.0, 0.7), exchange, matrix)
    dynamics = jaxosc.langevin(oscillators, jaxosc.Baths((0.02, 0.05), (hot, cold)))
    state = jaxosc.steady_state(dynamics)
    return jnp.stack([state[0, 0], state[1, 2]])


@pytest.mark.slow
def test_rows_and_scattered_points_agree():
    """The response of a row of temperatures, and points that are computed one by one."""
    coupling = jnp.array([0.1, 0.3, -0.2, 0.02])
    pairing = jnp.array([0.2, 0.0, 0.1, 0.5])
    cold, hot = jnp.linspace(0.5, 4.0, 9), 3.0
    rows = jax.vmap(langevin_entries, (None, None, None, 0))
    grid = jax.jit(jax.vmap(rows, (0, 0, None, None)))(coupling, pairing, hot, cold)
    alone = jnp.broadcast_to(coupling[:, None], (4, 9)), jnp.broadcast_to(pairing[:, None], (4, 9))
    points = [x.reshape(-1) for x in (*alone, jnp.broadcast_to(cold, (4, 9)))]
    scattered = jax.jit(jax.vmap(langevin_entries, (0, 0, None, 0)))(*points[:2], hot, points[2])
    np.testing.assert_allclose(grid.reshape(-1, 2), scattered, atol=digits(2e-14))


@pytest.mark.slow
def test_scattered_points_in_blocks():
    """A batch longer than a block, which it does not fill, beside a few of its points."""
    random, size = np.random.default_rng(3), 3 * 4096 + 1
    coupling, cold = random.uniform(-0.3, 0.3, size), random.uniform(0.01, 3.0, size)
    points = jnp.asarray(coupling, DTYPE), jnp.asarray(cold, DTYPE)
    many = jax.jit(jax.vmap(lambda x, t: langevin_entries(x, x / 3, 2.0, t)))
    few = np.array([0, 4095, 4096, 9999, size - 1])
    np.testing.assert_allclose(
        many(*points)[few], many(*(x[few] for x in points)), atol=digits(2e-13)
    )


def quartic(x, temperature):
    """d(ν) = (ν² + νx/10 + x²)(ν² + ν/5 + 1), and its sums."""
    coefficients = (x**2, x**2 / 5 + x / 10, x**2 + x / 50 + 1, x / 10 + 0.2)
    return quartic_sums(coefficients, temperature, jnp.minimum(x, 1.0), 1 + x)


@pytest.mark.slow
def test_sums_do_not_depend_on_the_batch():
    """The coldest point chooses the rule for all: the results agree where rules overlap."""
    x, temperature = jnp.linspace(0.5, 2.0, 5), jnp.geomspace(1.0, 100.0, 7)
    grid = jax.vmap(jax.vmap(quartic, (None, 0)), (0, None))
    rules = {
        "short": grid(x, temperature),
        "long": grid(x, jnp.append(temperature, 0.1)),
        "any": grid(x, jnp.append(temperature, 1e-3)),
    }
    for sums in rules.values():
        for ours, theirs in zip(sums, rules["short"], strict=True):
            np.testing.assert_allclose(ours[:, :7], theirs, rtol=digits(2e-14))
    single = quartic(x[2], temperature[3])
    for ours, theirs in zip(single, rules["any"], strict=True):
        np.testing.assert_allclose(ours, theirs[2, 3], rtol=digits(2e-14))


def test_sums_term_by_term():
    """Against the Matsubara series itself, summed until it has converged."""
    for temperature in (0.02, 0.3, 5.0):
        k = np.arange(1, 2_000_000)
        nu = 2 * np.pi * temperature * k
        d = (nu**2 + 0.1 * 1.3 * nu + 1.3**2) * (nu**2 + nu / 5 + 1)
        sums = quartic(jnp.asarray(1.3), jnp.asarray(temperature))
        for power in (0, 1):
            expected = 2 * temperature * np.sum((nu**power / d)[::-1])
            assert sums[power] == pytest.approx(expected, rel=digits(1e-10))


@pytest.mark.slow
def test_points_outside_the_domain_do_not_disturb_the_others():
    """Couplings past the critical one and negative temperatures beside cold baths."""

    def state(coupling, temperature):
        oscillators = jaxosc.pair((5.0, 2.0), coupling, "position")
        return jaxosc.steady_state(
            jaxosc.langevin(
                oscillators, jaxosc.Baths((1e-3, 2e-3), temperature + jnp.array([3.0, 0.0]))
            )
        )

    coupling = jnp.array([0.7, 1.5, 2.0, jnp.nan, 1e3])
    beyond = float(np.finfo(DTYPE).max) ** 0.52
    temperature = jnp.array([[0.0, 0.05], [0.0, 400.0], [-9.0, 1.0], [0.0, jnp.inf], [0.0, beyond]])
    grid = jax.vmap(jax.vmap(state, (None, 0)), (0, None))(coupling, temperature)
    inside = np.zeros((5, 5), bool)
    inside[:2, [0, 1]] = True
    assert np.array_equal(np.isfinite(grid).all((2, 3)), inside)
    for j, k in np.argwhere(inside):
        np.testing.assert_allclose(
            grid[j, k], state(coupling[j], temperature[k]), rtol=digits(1e-12)
        )


def test_elementwise_takes_one_branch():
    taken = []

    def function(x, y):
        def costly():
            jax.debug.callback(lambda: taken.append(1))
            return x**2 * jnp.sin(y)

        shape = jnp.broadcast_shapes(x.shape, y.shape)
        return (jax.lax.cond(jnp.any(y < 0), costly, lambda: jnp.zeros(shape) + y),)

    def scalar(x, y):
        return elementwise(function)(x, y)[0]

    grid = jax.jit(jax.vmap(jax.vmap(scalar, (None, 0)), (0, None)))
    x, y = jnp.array([0.5, 1.0, 2.0]), jnp.array([0.2, 0.7])
    np.testing.assert_allclose(grid(x, y), np.broadcast_to(y, (3, 2)))
    jax.effects_barrier()
    assert not taken
    expected = -(np.asarray(x)[:, None] ** 2) * np.sin(y)
    np.testing.assert_allclose(grid(x, -y), expected)
    jax.effects_barrier()
    assert len(taken) == 1
