"""Small arrays as results: quick as a whole, entry by entry, and for what is made of them."""

import gc
import os
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import others_at_night
from precision import EPS

import jaxosc
from jaxosc._numerics import whole as kernel

POINTS = 2048


def scattered(points=POINTS):
    """Frequencies, coupling, damping and temperatures, every one its own at each point."""
    random = np.random.default_rng(3)
    frequency = random.uniform((4, 1), (6, 3), (points, 2))
    coupling = random.uniform(0.05, 0.95, points) * np.sqrt(frequency.prod(axis=1)) / 2
    damping = 10 ** random.uniform(-4, -2, (points, 2))
    temperature = 10 ** random.uniform(0, 2.5, (points, 2))
    return tuple(map(jnp.asarray, (frequency, coupling, damping, temperature)))


def state_of(equation):
    def state(frequency, coupling, damping, temperature):
        network = jaxosc.pair(frequency, coupling, "position")
        return jaxosc.steady_state(equation(network, jaxosc.Baths(damping, temperature)))

    return state


def seconds(program, *arguments):
    """Of the quickest call."""
    samples = []
    for _ in range(5):
        start = time.perf_counter()
        jax.block_until_ready(program(*arguments))
        samples.append(time.perf_counter() - start)
    return min(samples)


EQUATIONS = {
    "local": jaxosc.local_lindblad,
    "global": jaxosc.global_lindblad,
    "langevin": jaxosc.langevin,
    "redfield": jaxosc.redfield,
}
RESULTS = {
    "covariance": lambda state: state,
    "occupation": jaxosc.occupation,
    "coherence": jaxosc.coherence,
    "symplectic eigenvalues": jaxosc.symplectic_eigenvalues,
    "number covariance": jaxosc.number_covariance,
    "squeezing": jaxosc.squeezing,
    "two at once": lambda state: (state, jaxosc.occupation(state)),
}


def slope(function, numbers):
    """Values and slopes along the coupling."""
    frequency, coupling, *rest = numbers

    def of_coupling(coupling):
        return function(frequency, coupling, *rest)

    return jax.jvp(of_coupling, (coupling,), (jnp.ones_like(coupling),))


@pytest.mark.parametrize(
    ("equation", "result"),
    others_at_night(
        [(equation, result) for equation in EQUATIONS for result in RESULTS],
        [("global", "covariance"), ("global", "occupation"), ("local", "number covariance")],
        [("local", "occupation"), ("redfield", "symplectic eigenvalues")],
    ),
)
def test_a_whole_result_costs_no_more_than_some_entries(equation, result):
    """In a batch; XLA's CPU took 37 μs a point for covariances of which an entry takes 0.02."""
    state, points = state_of(EQUATIONS[equation]), scattered()

    def entry(*numbers):
        return state(*numbers)[0, 0]

    def found(*numbers):
        return RESULTS[result](state(*numbers))

    one, all_ = (jax.jit(jax.vmap(function)) for function in (entry, found))
    jax.block_until_ready((one(*points), all_(*points)))
    assert seconds(all_, *points) < 30 * seconds(one, *points)


def test_a_batch_outside_a_program():
    """There too; 37 μs a point, once it is compiled."""
    state, points = state_of(jaxosc.global_lindblad), scattered(8 * POINTS)
    batch = jax.vmap(state)
    jax.block_until_ready(batch(*points))
    assert seconds(batch, *points) < 12e-6 * 8 * POINTS


def test_a_grid_is_not_written_out():
    def parts(rows, columns):
        traced = jax.make_jaxpr(jax.vmap(jax.vmap(lambda x: kernel.whole(spread(x)))))
        return str(traced(jnp.ones((rows, columns, 4)))).count("split[")

    assert parts(2, 3) == parts(9, 8)


@pytest.mark.parametrize("equation", others_at_night(EQUATIONS, ["local"], ["global", "langevin"]))
def test_slopes_of_a_whole_result_too(equation):
    """Those of all entries of scattered Langevin states took 10 μs a point."""
    state, points = state_of(EQUATIONS[equation]), scattered()

    def entry(*numbers):
        return slope(lambda *moved: state(*moved)[0, 0], numbers)

    def found(*numbers):
        return slope(state, numbers)

    one, all_ = (jax.jit(jax.vmap(function)) for function in (entry, found))
    jax.block_until_ready((one(*points), all_(*points)))
    assert seconds(all_, *points) < 30 * seconds(one, *points)


@pytest.mark.parametrize("equation", ["local", *others_at_night(["global"], [], ["global"])])
def test_what_is_made_of_entries_goes_on_from_them(equation):
    """Nothing of the whole covariance is stored at any point."""
    state, points = state_of(EQUATIONS[equation]), scattered()
    function = jax.vmap(lambda *numbers: jaxosc.mutual_information(state(*numbers)))
    program = jax.jit(function).lower(*points).compile()
    assert program.memory_analysis().temp_size_in_bytes < 16 * POINTS


def spread(numbers):
    """A vector, a matrix and a complex matrix of scalars, as ``whole`` gets them."""
    a, b, c, d = (numbers[i] for i in range(4))
    rows = ((a * b, c), (jnp.sin(d), a))
    vector = jnp.stack([a * c, b * d])
    matrix = jnp.stack([jnp.stack(row) for row in rows])
    return {"vector": vector, "matrix": matrix, "complex": jax.lax.complex(matrix, 2 * matrix.T)}


TRANSFORMS = {
    "values": lambda function: function,
    "forward": lambda function: jax.jacfwd(function),
    "reverse": lambda function: jax.jacrev(lambda x: jax.tree.map(jnp.real, function(x))),
    "second": lambda function: jax.jacfwd(jax.jacrev(lambda x: function(x)["matrix"])),
}


def one_by_one(function):
    return lambda many: jax.tree.map(lambda *each: jnp.stack(each), *map(jax.jit(function), many))


BATCHES = {
    "one": one_by_one,
    "eager": jax.vmap,
    "compiled": lambda function: jax.jit(jax.vmap(function)),
    "twice": lambda function: jax.jit(
        lambda many: jax.vmap(jax.vmap(function))(many.reshape(7, 1, 4))
    ),
}


@pytest.mark.parametrize(
    ("transform", "batch"),
    others_at_night(
        every := [(each, batch) for each in TRANSFORMS for batch in BATCHES],
        [("values", "eager"), *((each, "compiled") for each in TRANSFORMS)],
        every,
    ),
)
def test_it_is_what_it_was_made_of(transform, batch):
    """With all derivatives, in every kind of batch."""
    batched = BATCHES[batch]
    numbers = jnp.asarray(np.random.default_rng(1).uniform(0.5, 2, (7, 4)))
    change = TRANSFORMS[transform]
    found = batched(change(lambda x: kernel.whole(spread(x))))(numbers)
    expected = batched(change(spread))(numbers)
    for mine, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2 * EPS, atol=0)


def test_a_function_of_a_compiled_one():
    """A program within a program does not know what the whole was made of, and needs not."""
    state, points = state_of(jaxosc.global_lindblad), scattered(16)
    inner = jax.jit(state)
    found = jax.jit(jax.vmap(lambda *numbers: jaxosc.occupation(inner(*numbers))))(*points)
    expected = jax.jit(jax.vmap(lambda *numbers: jaxosc.occupation(state(*numbers))))(*points)
    np.testing.assert_allclose(found, expected, rtol=64 * EPS)


def test_nothing_is_kept_of_a_trace():
    state, points = state_of(jaxosc.local_lindblad), scattered(2)
    jax.make_jaxpr(jax.vmap(lambda *numbers: jaxosc.occupation(state(*numbers))))(*points)
    gc.collect()
    assert not kernel._made


_DIVIDED = """
import jax, jax.numpy as jnp, numpy as np
from test_whole import RESULTS, jaxosc, scattered, state_of
mesh = jax.make_mesh((2,), ("points",))
place = jax.NamedSharding(mesh, jax.P("points"))
points, state = scattered(4), state_of(jaxosc.global_lindblad)
for result in RESULTS.values():
    program = jax.jit(jax.vmap(lambda *numbers: result(state(*numbers))))
    expected = jax.tree.leaves(program(*points))
    with jax.set_mesh(mesh):
        found = jax.tree.leaves(program(*jax.device_put(points, place)))
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.sharding.spec[0] == "points"
        np.testing.assert_allclose(mine, theirs, rtol=1e-4)
"""


@pytest.mark.slow
def test_batches_that_are_divided_among_devices():
    """As JAX divides them where a mesh is set and sharding is part of a type."""
    flag = "--xla_force_host_platform_device_count=2"
    environment = {**os.environ, "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {flag}"}
    done = subprocess.run(
        [sys.executable, "-c", _DIVIDED], env=environment, cwd=Path(__file__).parent,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert not done.returncode, done.stderr


def test_it_is_known_again_by_itself_alone():
    def of_batch(numbers):
        given = spread(numbers)
        found = kernel.whole(given)
        for name in given:
            assert kernel.is_whole(found[name])
            assert not kernel.is_whole(given[name])
            assert kernel.written(found[name]) is given[name]
            assert not kernel.is_whole(found[name] + 0.0 * found[name])
        return found["vector"]

    jax.jit(jax.vmap(of_batch))(jnp.ones((2, 4)))


def test_what_is_no_small_array_stays():
    def of_batch(numbers):
        for array in (numbers[0], numbers[:1], jnp.outer(numbers, numbers), numbers[None, None]):
            assert kernel.whole(array) is array
        return numbers

    jax.jit(jax.vmap(of_batch))(jnp.ones((2, 5)))
    known = jnp.ones((2, 2))
    assert kernel.whole(known) is known


def test_a_program_of_which_all_is_seen():
    staged = []

    def look(x):
        staged.append(kernel.is_staged(x))
        return x

    look(jnp.ones(2))
    jax.vmap(look)(jnp.ones(2))
    jax.grad(lambda x: jnp.sum(look(x)))(jnp.ones(2))
    jax.jit(look)(jnp.ones(2))
    jax.jit(jax.vmap(jax.grad(look)))(jnp.ones(2))
    assert staged == [False, False, False, True, True]
