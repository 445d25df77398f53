"""Networks as the parameters of an optimiser: derivatives by whole records, and steps."""

import functools
import itertools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import optax
import pytest
import reference
from cases import random_network
from legs import nightly, others_at_night, slow
from precision import EPS, digits, double, rounded

import jaxosc

EQUATIONS = {
    "local": jaxosc.local_lindblad,
    "global": jaxosc.global_lindblad,
    "langevin": jaxosc.langevin,
}


def network(seed, modes):
    """A random network and its baths, as the library and the reference take them."""
    parts = random_network(np.random.default_rng(seed), modes)
    parts["damping"] = np.random.default_rng(seed + 1).uniform(0.1, 0.3, modes)
    parts["temperature"] = np.random.default_rng(seed + 2).uniform(1.0, 5.0, modes)
    parts = {name: rounded(part) for name, part in parts.items()}
    oscillators = jaxosc.Oscillators(parts["frequency"], parts["exchange"], parts["pairing"])
    return oscillators, jaxosc.Baths(parts["damping"], parts["temperature"])


def state(name, oscillators, baths):
    if name == "gibbs":
        return jaxosc.gibbs(oscillators, baths.temperature[0])
    return jaxosc.steady_state(EQUATIONS[name](oscillators, baths))


def first(name, oscillators, baths):
    return jaxosc.occupation(state(name, oscillators, baths))[0]


FUNCTIONS = {
    **{name: functools.partial(first, name) for name in (*EQUATIONS, "gibbs")},
    "normal modes": lambda oscillators, _: jaxosc.normal_modes(oscillators).frequency[0],
    "critical scale": lambda oscillators, _: jaxosc.critical_scale(oscillators),
    "stability scale": jaxosc.stability_scale,
}
FAST, LATER = {("critical scale", 2)}, {("gibbs", 2), ("normal modes", 3)}


def moves(oscillators):
    """Changes that leave a record one: every frequency, and every pair of mirrored entries."""
    modes = oscillators.modes
    for index in range(modes):
        yield "frequency", np.eye(modes)[index]
    for name in ("exchange", "pairing"):
        for j, k in zip(*np.triu_indices(modes, 1), strict=True):
            change = np.zeros((modes, modes))
            change[j, k] = change[k, j] = 1
            yield name, change


@double
@pytest.mark.parametrize(
    ("name", "modes"),
    others_at_night(itertools.product(FUNCTIONS, (2, 3)), FAST, LATER),
)
def test_gradients_by_a_network_against_differences(name, modes):
    oscillators, baths = network(modes, modes)
    value = jax.jit(FUNCTIONS[name])
    gradient = jax.jit(jax.grad(FUNCTIONS[name]))(oscillators, baths)
    for matrix in (gradient.exchange, gradient.pairing):
        np.testing.assert_array_equal(matrix, matrix.T)
        np.testing.assert_array_equal(np.diag(matrix), 0)
    for field, change in moves(oscillators):
        ends = (
            value(oscillators.replace(**{field: getattr(oscillators, field) + step}), baths)
            for step in (1e-5 * change, -1e-5 * change)
        )
        slope = np.subtract(*map(float, ends)) / 2e-5
        along = float(np.sum(np.asarray(getattr(gradient, field)) * change))
        assert along == pytest.approx(slope, rel=1e-6, abs=1e-8), (field, change)


@pytest.mark.parametrize("modes", [2, *nightly(3)])
def test_gradients_by_a_network_against_the_reference(modes):
    """Each entry is half of the derivative by both together, to all digits."""
    oscillators, baths = network(10 + modes, modes)
    gradient, of_baths = jax.jit(jax.grad(FUNCTIONS["local"], argnums=(0, 1)))(oscillators, baths)
    parts = {
        **{name: np.float64(getattr(oscillators, name)) for name in ("exchange", "pairing")},
        **{name: np.float64(getattr(baths, name)) for name in ("damping", "temperature")},
        "frequency": np.float64(oscillators.frequency),
    }
    entries = {"exchange": (0, 1), "pairing": (modes - 1, 0), "damping": (0,), "temperature": (1,)}
    for name, entry in entries.items():

        def along(x, name=name, entry=entry):
            moved = {key: mpmath.matrix(part.tolist()) for key, part in parts.items()}
            if len(entry) == 2:
                moved[name][entry] = moved[name][entry[::-1]] = x
            else:
                moved[name][entry[0]] = x
            square = {key: moved[key].tolist() for key in ("exchange", "pairing")}
            vector = {key: list(moved[key]) for key in ("frequency", "damping", "temperature")}
            return reference.occupation(reference.local(**{**vector, **square}))[0]

        expected = float(reference.derivative(along, mpmath.mpf(float(parts[name][entry]))))
        ours = getattr(gradient if len(entry) == 2 else of_baths, name)[entry]
        assert float(ours) * len(entry) == pytest.approx(expected, rel=digits(1e-11)), name


@pytest.mark.parametrize("interaction", ["position", *nightly("rotating-wave")])
def test_gradients_by_a_pair_at_its_distance(interaction):
    """By ω and δ, with the digits that δ has, against 50."""
    omega = (5.0, 2.0)
    distance = float(rounded(1e-6))

    def occupation(oscillators):
        return jaxosc.occupation(jaxosc.gibbs(oscillators, 98.0))[0]

    made = jaxosc.pair(omega, interaction=interaction, distance=distance)
    gradient = jax.jit(jax.grad(occupation))(made)

    def exact(first, distance):
        critical = mpmath.sqrt(first * 2) / (2 if interaction == "position" else 1)
        coupling = critical * (1 - distance)
        zero, one = ([[0, x], [x, 0]] for x in (mpmath.mpf(0), coupling))
        pairing = one if interaction == "position" else zero
        return reference.occupation(reference.gibbs([first, 2], one, pairing, 98))[0]

    delta = mpmath.mpf(distance)
    by_distance = reference.derivative(lambda d: exact(mpmath.mpf(5), d), delta)
    by_frequency = reference.derivative(lambda w: exact(w, delta), mpmath.mpf(5))
    assert float(gradient.distance) == pytest.approx(float(by_distance), rel=digits(1e-12))
    assert float(gradient.frequency[0]) == pytest.approx(float(by_frequency), rel=digits(1e-12))


def of_a_diffusion(diffusion):
    size = diffusion.shape[0]
    turn = np.eye(size, k=1) - np.eye(size, k=-1)
    dynamics = jaxosc.Dynamics(turn - np.diag(np.linspace(0.1, 0.3, size)), diffusion)
    return jaxosc.occupation(jaxosc.steady_state(dynamics))[0]


@pytest.mark.slow
@double
@pytest.mark.parametrize(
    ("function", "modes"),
    [
        *nightly(
            (jaxosc.purity, 1),
            (lambda covariance: jaxosc.symplectic_eigenvalues(covariance)[0], 3),
        ),
        *slow((jaxosc.mutual_information, 2)),
        (of_a_diffusion, 2),
    ],
)
def test_gradients_by_a_covariance_or_a_diffusion(function, modes):
    """Symmetric, against differences along what leaves it symmetric."""
    generator = np.random.default_rng(modes)
    root = generator.uniform(-1, 1, (2 * modes, 2 * modes))
    matrix = root @ root.T + 3 * np.eye(2 * modes)
    matrix = (matrix + matrix.T) / 2
    gradient = np.asarray(jax.grad(function)(jnp.asarray(matrix)))
    np.testing.assert_array_equal(gradient, gradient.T)
    for j, k in ((0, 0), (0, 1), (2 * modes - 1, 0)):
        change = np.zeros_like(matrix)
        change[j, k] = change[k, j] = 1
        ends = (function(jnp.asarray(matrix + step * change)) for step in (1e-5, -1e-5))
        slope = np.subtract(*map(float, ends)) / 2e-5
        assert np.sum(gradient * change) == pytest.approx(slope, rel=1e-6, abs=1e-8)


@pytest.mark.slow
def test_oscillators_without_a_bath_of_their_own():
    """At γ = 0 a derivative by γ is the slope towards γ > 0; at T = 0 that by T vanishes."""
    oscillators, _ = network(5, 2)
    damping, temperature = np.array([0.1, 0.0]), np.array([2.0, 0.0])
    gradient = jax.jit(jax.grad(FUNCTIONS["local"], argnums=1))
    ours = gradient(oscillators, jaxosc.Baths(damping, temperature))
    step = 1e-3 if EPS > 1e-10 else 1e-6
    values = [
        FUNCTIONS["local"](oscillators, jaxosc.Baths(damping + np.array([0, h]), temperature))
        for h in (0, step, 2 * step)
    ]
    slope = float(-3 * values[0] + 4 * values[1] - values[2]) / (2 * step)
    assert float(ours.damping[1]) == pytest.approx(slope, rel=digits(1e-6) if EPS < 1e-10 else 0.02)
    assert ours.temperature[1] == 0


def mismatch(name, target, parameters):
    occupation = jaxosc.occupation(state(name, *parameters))
    return jnp.mean((jnp.log(occupation) - target) ** 2)


def adam(loss, start):
    optimizer = optax.adam(1e-3)

    @jax.jit
    def step(parameters, memory):
        value, gradient = jax.value_and_grad(loss)(parameters)
        updates, memory = optimizer.update(gradient, memory, parameters)
        return optax.apply_updates(parameters, updates), memory, value

    return step, optimizer.init(start)


def lbfgs(loss, start):
    optimizer = optax.lbfgs(linesearch=optax.scale_by_zoom_linesearch(max_linesearch_steps=10))
    value_and_grad = optax.value_and_grad_from_state(loss)

    @jax.jit
    def step(parameters, memory):
        value, gradient = value_and_grad(parameters, state=memory)
        updates, memory = optimizer.update(
            gradient, memory, parameters, value=value, grad=gradient, value_fn=loss
        )
        return optax.apply_updates(parameters, updates), memory, value

    return step, optimizer.init(start)


def require_valid(oscillators, baths):
    """The constructors take what the optimiser made."""
    oscillators.replace()
    baths.replace()


@pytest.mark.parametrize(
    ("optimizer", "name", "modes"),
    [
        *slow((adam, "local", 2)),
        *nightly(
            *((adam, "local", modes) for modes in (3, 6)),
            *((adam, "langevin", modes) for modes in (2, 3, 6)),
            *((lbfgs, name, modes) for name in ("local", "langevin") for modes in (2, 3, 6)),
        ),
    ],
)
def test_training_a_network(optimizer, name, modes):
    """Fifty steps on everything that a network and its baths hold, towards given occupations."""
    start = network(20 + modes, modes)
    target = jnp.log(jaxosc.occupation(state("local", *network(30, modes))))
    with jax.numpy_dtype_promotion("standard"):  # optax mixes dtypes
        step, memory = optimizer(functools.partial(mismatch, name, target), start)
        parameters, losses = start, []
        for _ in range(50):
            parameters, memory, value = step(parameters, memory)
            losses.append(float(value))
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.9 * losses[0]
    require_valid(*parameters)


@pytest.mark.slow
def test_training_a_pair_at_its_distance():
    """Its parts cannot disagree; past λ = 0, at δ = 1, the coupling changes its sign."""
    start = jaxosc.pair((1.0, 1.7), interaction="position", distance=0.98)

    def loss(oscillators):
        return (
            jnp.sum((oscillators.exchange - 0) ** 2)
            + (jaxosc.gibbs(oscillators, 2.0)[0, 2] - 0.2) ** 2
        )

    with jax.numpy_dtype_promotion("standard"):
        step, memory = adam(loss, start)
        parameters, losses = start, []
        for _ in range(50):
            parameters, memory, value = step(parameters, memory)
            losses.append(float(value))
    assert losses[-1] < losses[0]
    assert parameters.distance > 1
    parameters.replace()
    np.testing.assert_allclose(
        jaxosc.gibbs(parameters, 2.0),
        jaxosc.gibbs(jaxosc.pair(parameters.frequency, parameters.exchange[0, 1], "position"), 2.0),
        rtol=digits(1e-13), atol=digits(1e-14),
    )  # fmt: skip
