"""Batches of networks: they return, they are their members, and no member disturbs another."""

import os
import pathlib
import subprocess
import sys

import cases
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import nightly, slow
from precision import DTYPE, SINGLE, digits

import jaxosc
from jaxosc._numerics import linear

EQUATIONS = {"local": jaxosc.local_lindblad, "langevin": jaxosc.langevin}
PARAMETERS = ("frequency", "exchange", "pairing", "damping", "temperature")

# Batched LAPACK on XLA's threads never returned; a limit in time is the only test of that.
PROGRAM = """
import sys
import jax, jax.numpy as jnp, numpy as np
import cases, jaxosc
modes, count, equation, temperature = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
generator = np.random.default_rng(modes)
few = [cases.random_network(generator, modes) for _ in range(20)]
networks = {name: jnp.asarray(np.stack([n[name] for n in few])) for name in few[0]}
networks = {name: jnp.resize(leaf, (count, *leaf.shape[1:])) for name, leaf in networks.items()}
networks["temperature"] *= float(temperature)

def total(networks):
    def one(frequency, exchange, pairing, damping, temperature):
        oscillators = jaxosc.Oscillators(frequency, exchange, pairing)
        baths = jaxosc.Baths(damping, temperature)
        return jaxosc.steady_state(getattr(jaxosc, equation)(oscillators, baths))
    return jnp.sum(jnp.cos(jax.vmap(lambda network: one(**network))(networks)))

value, slopes = jax.jit(jax.value_and_grad(total))(networks)
assert np.isfinite(value) and all(np.isfinite(x).all() for x in slopes.values())
print("finished")
"""


def finishes(seconds, *arguments):
    """A program of its own with the defaults of this machine, and a hard limit."""
    tests = pathlib.Path(__file__).parent
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    environment["PYTHONPATH"] = os.pathsep.join([str(tests.parent), str(tests)])
    environment["JAX_ENABLE_X64"] = "0" if SINGLE else "1"
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        env=environment,
        timeout=seconds,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout.strip() == "finished", ended.stderr


@pytest.mark.parametrize(("modes", "count"), [*nightly((3, 2000)), *slow((8, 500))])
def test_batches_return(modes, count):
    finishes(240, modes, count, "local_lindblad", 1.0)


LARGE = [
    (3, 1_000_000, "local_lindblad"),
    (3, 1_000_000, "langevin"),
    (8, 100_000, "local_lindblad"),
    (8, 100_000, "langevin"),
    (64, 100, "local_lindblad"),
    (64, 100, "langevin"),
    (128, 100, "local_lindblad"),
    (128, 4, "langevin"),  # a minute each, of one bath after the other
]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("modes", "count", "equation"),
    [
        (4, 20_000, "local_lindblad"),
        (6, 5_000, "langevin"),
        *(pytest.param(*sizes, marks=pytest.mark.nightly) for sizes in LARGE),
    ],
)
def test_large_batches_return(modes, count, equation):
    finishes(1800, modes, count, equation, 1.0)


@pytest.mark.nightly
def test_cold_batches_return():
    finishes(600, 6, 5000, "langevin", 1e-3)


def networks(modes, count, seed=0):
    """Unequal everything; every other one is cold."""
    generator = np.random.default_rng(seed + modes)
    parts = [cases.random_network(generator, modes) for _ in range(count)]
    stacked = {name: np.stack([part[name] for part in parts]) for name in PARAMETERS}
    stacked["temperature"][1::2] *= 1e-3
    return {name: jnp.asarray(leaf, DTYPE) for name, leaf in stacked.items()}


def state(equation, frequency, exchange, pairing, damping, temperature):
    oscillators = jaxosc.Oscillators(frequency, exchange, pairing)
    return jaxosc.steady_state(EQUATIONS[equation](oscillators, jaxosc.Baths(damping, temperature)))


def close(batch, member, error=1e-12):
    """To rounding, of one at least: batches add in another order."""
    for ours, alone in zip(jax.tree.leaves(batch), jax.tree.leaves(member), strict=True):
        allowed = digits(error) * max(np.abs(alone).max(), 1)
        np.testing.assert_allclose(ours, alone, rtol=0, atol=allowed)


@pytest.mark.parametrize(
    ("modes", "equation"),
    [
        (3, "local"),
        *slow((3, "langevin")),
        *nightly((1, "langevin"), (4, "local")),
        *(
            pytest.param(modes, equation, marks=pytest.mark.nightly)
            for modes in (2, 5, 6, 7, 8)
            for equation in EQUATIONS
        ),
    ],
)
def test_batch_is_its_members(modes, equation):
    """Hot and cold in one batch; those without an answer are NaN, and disturb no neighbour."""
    parts = networks(modes, 7)
    parts["damping"] = parts["damping"].at[1].set(jnp.nan)
    parts["temperature"] = parts["temperature"].at[2].set(-1.0).at[5].set(jnp.inf)
    parts["frequency"] = parts["frequency"].at[4].set(-1.0)
    bad = [1, 2, 4, 5]

    def one(*parts):
        return state(equation, *parts)

    batch = np.asarray(jax.jit(jax.vmap(one))(*parts.values()))
    single = jax.jit(one)
    assert np.isnan(batch[bad]).all()
    for n in {0, 3, 6}:
        close(batch[n], single(*(leaf[n] for leaf in parts.values())))


@pytest.mark.parametrize(
    ("modes", "equation"),
    [
        *slow((3, "local")),
        *nightly((3, "langevin"), (7, "langevin")),
    ],
)
def test_gradients_of_a_batch(modes, equation):
    """Alone, of a sum over the batch, and of each member: one number."""
    parts = tuple(networks(modes, 5).values())

    def number(*parts):
        return jnp.sum(jnp.sin(state(equation, *parts)))

    every = tuple(range(len(parts)))
    gradient = jax.grad(number, argnums=every)
    of_each = jax.jit(jax.vmap(gradient))(*parts)
    of_sum = jax.jit(jax.grad(lambda *p: jnp.sum(jax.vmap(number)(*p)), argnums=every))(*parts)
    alone = jax.jit(gradient)(*(leaf[3] for leaf in parts))
    for batch in (of_each, of_sum):
        close([leaf[3] for leaf in batch], alone, 1e-9)


@pytest.mark.nightly
def test_nested_batches():
    """A grid of couplings and of temperatures, with one axis that a parameter does not have."""
    parts = networks(3, 1)
    frequency, exchange, pairing, damping, temperature = (leaf[0] for leaf in parts.values())
    strength, heat = jnp.array([0.5, 1.0, 1.2], DTYPE), jnp.array([1e-3, 1.0], DTYPE)

    def one(s, t):
        return state("langevin", frequency, s * exchange, s * pairing, damping, t * temperature)

    grid = jax.jit(jax.vmap(jax.vmap(one, (None, 0)), (0, None)))(strength, heat)
    single = jax.jit(one)
    for j, k in ((0, 0), (2, 1), (1, 0)):
        close(grid[j, k], single(strength[j], heat[k]))


@pytest.mark.nightly
def test_questions_to_batches():
    """Entropies, information, Gibbs states, critical couplings and stability of many networks."""
    parts = networks(3, 300)

    def ask(frequency, exchange, pairing, damping, temperature):
        oscillators = jaxosc.Oscillators(frequency, exchange, pairing)
        equilibrium = jaxosc.gibbs(oscillators, temperature[0])
        return (
            jaxosc.symplectic_eigenvalues(equilibrium),
            jaxosc.von_neumann_entropy(equilibrium),
            jaxosc.mutual_information(equilibrium, modes=(0, 1)),
            jaxosc.purity(equilibrium),
            jaxosc.is_physical(equilibrium),
            jaxosc.critical_scale(oscillators),
        )

    batch = jax.jit(jax.vmap(ask))(*parts.values())
    single = jax.jit(ask)
    assert np.all(batch[4])
    for n in (0, 7, 299):
        alone = single(*(leaf[n] for leaf in parts.values()))
        close([answer[n] for answer in batch], alone, 1e-11)


@pytest.mark.nightly
def test_stability_of_many_networks():
    parts = networks(3, 1000)

    def scale(frequency, exchange, pairing, damping, temperature):
        oscillators = jaxosc.Oscillators(frequency, exchange, pairing)
        return jaxosc.stability_scale(oscillators, jaxosc.Baths(damping, temperature))

    batch = jax.jit(jax.vmap(scale))(*parts.values())
    single = jax.jit(scale)
    for n in (0, 1, 999):
        close(batch[n], single(*(leaf[n] for leaf in parts.values())))


@pytest.fixture(scope="module")
def matrices():
    generator = np.random.default_rng(2)
    general = generator.normal(size=(2, 300, 5, 5)).astype(DTYPE)
    positive = general @ np.swapaxes(general, -1, -2) + np.eye(5, dtype=DTYPE)[None, None]
    return general, positive, generator.normal(size=(300, 5)).astype(DTYPE)


def twice(function, first=(0,), second=(0,)):
    return jax.jit(jax.vmap(jax.vmap(function, first), second))


def test_solutions_by_loops(matrices):
    """Blocks of plain loops against NumPy's LAPACK, over two axes, one of them shared."""
    general, positive, right = matrices
    for function, matrix in ((linear.solve, general), (linear.solve_positive, positive)):
        ours = twice(function, (0, 0), (0, None))(matrix, right)
        expected = np.linalg.solve(matrix.astype(float), right[..., None].astype(float))[..., 0]
        worst = np.linalg.cond(matrix.astype(float)).max()
        np.testing.assert_allclose(ours, expected, rtol=0, atol=digits(1e-15) * worst**2)


def test_cholesky_by_loops(matrices):
    _, positive, _ = matrices
    broken = positive.copy()
    broken[0, 0] = -positive[0, 0]
    broken[1, 299] = np.nan
    lower = np.asarray(twice(linear.cholesky)(broken))
    expected = np.linalg.cholesky(positive[0, 1:])
    np.testing.assert_allclose(lower[0, 1:], expected, rtol=0, atol=digits(1e-13))
    assert np.isnan(lower[0, 0]).any()
    assert np.isnan(lower[1, 299]).any()
    assert np.isfinite(lower[1, :299]).all()


@pytest.mark.parametrize(
    "order",
    [jax.grad, pytest.param(lambda f: jax.jacfwd(jax.grad(f)), marks=pytest.mark.nightly)],
    ids=["first", "second"],
)
def test_derivatives_of_linear_algebra(matrices, order):
    """In a batch as JAX has them alone, first and second."""
    _, positive, right = matrices
    matrix, vector = jnp.asarray(positive[0, :3, :3, :3]), jnp.asarray(right[0, :3])

    def through(solve, cholesky, eigh):
        def function(m):
            values, vectors = eigh(m + 0.1 * m @ m)
            shape = jnp.sum(vectors[:, 0] ** 2 * vector) + jnp.sum(jnp.cos(values))
            return shape + jnp.sum(jnp.sin(cholesky(m))) + jnp.sum(jnp.cos(solve(m, vector)))

        return order(function)

    ours = jax.jit(jax.vmap(through(linear.solve, linear.cholesky, linear.eigh)))(matrix)
    alone = through(jnp.linalg.solve, jnp.linalg.cholesky, lambda m: jnp.linalg.eigh(m))
    for n in range(2):
        close(ours[n], jax.jit(alone)(matrix[n]), 1e-11)
