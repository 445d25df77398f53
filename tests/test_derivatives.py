"""Derivatives by every parameter: forward, reverse and second order, at special points too."""

import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import reference
from legs import nightly, others_at_night, slow
from precision import DTYPE, EPS, digits, double, rounded

import jaxosc

DESCRIPTIONS = ("local", "langevin", "global", "gibbs")
# Derivatives of the others, to 50 digits too, are quick in test_accuracy.py.
SLOW_TO_COMPILE = others_at_night(DESCRIPTIONS, ("local",), ("gibbs",))


def state(name, parameters):
    """As a function of (ω1, ω2, λ, γ1, γ2, T1, T2), position interaction."""
    oscillators = jaxosc.pair(parameters[:2], parameters[2], "position")
    baths = jaxosc.Baths(parameters[3:5], parameters[5:])
    return {
        "local": lambda: jaxosc.steady_state(jaxosc.local_lindblad(oscillators, baths)),
        "langevin": lambda: jaxosc.steady_state(jaxosc.langevin(oscillators, baths)),
        "global": lambda: jaxosc.steady_state(jaxosc.global_lindblad(oscillators, baths)),
        "gibbs": lambda: jaxosc.gibbs(oscillators, parameters[5]),
    }[name]()


def occupation(name, parameters):
    """⟨a1†a1⟩."""
    return jaxosc.occupation(state(name, parameters))[0]


def exact(name, parameters):
    network = reference.pair(parameters[:2], parameters[2], "position")
    if name == "gibbs":
        return reference.occupation(reference.gibbs(*network, parameters[5]))[0]
    equation = {"local": "local", "langevin": "langevin", "global": "global_"}[name]
    state = getattr(reference, equation)(*network, parameters[3:5], parameters[5:])
    return reference.occupation(state)[0]


def exact_gradient(name, parameters):
    slopes = []
    for index in range(7):

        def along(x, index=index):
            return exact(name, [*parameters[:index], x, *parameters[index + 1 :]])

        slopes.append(float(reference.derivative(along, mpmath.mpf(parameters[index]))))
    return np.array(slopes)


@functools.cache
def gradients(name):
    function = functools.partial(occupation, name)
    return jax.jit(jax.jacfwd(function)), jax.jit(jax.grad(function))


GENERIC = [1.0, 1.7, 0.3, 1e-2, 2e-2, 2.0, 3.0]
RESONANT = [1.0, 1.0, 0.2, 1e-2, 3e-2, 2.0, 3.0]
EQUAL_T = [1.0, 1.7, 0.3, 1e-2, 2e-2, 2.0, 2.0]
NEAR_CRITICAL = [5.0, 2.0, 1.58, 1.5e-4, 3e-4, 98.0, 298.0]
UNCOUPLED = [1.0, 1.7, 0.0, 1e-2, 2e-2, 2.0, 3.0]
DEGENERATE = [1.3, 1.3, 0.0, 1e-2, 1e-2, 2.0, 2.0]


@pytest.mark.parametrize("name", SLOW_TO_COMPILE)
@pytest.mark.parametrize(
    "point", [GENERIC, RESONANT, EQUAL_T, NEAR_CRITICAL, UNCOUPLED, DEGENERATE]
)
def test_gradient(name, point):
    if name == "global" and point is DEGENERATE:
        # Any rotation of the modes is a normal mode; the two limits of the equation differ in
        # γ and T, but at equal T they share value and slope in λ, and T1 + T2.
        value = gradients(name)[1](jnp.array(point))
        expected = exact_gradient("gibbs", point)
        np.testing.assert_allclose(value[2], expected[2], atol=digits(1e-14))
        np.testing.assert_allclose(value[5] + value[6], expected[5], rtol=digits(1e-12))
        assert np.isfinite(value).all()
        return
    forward, reverse = (gradient(jnp.array(point)) for gradient in gradients(name))
    expected = exact_gradient(name, point)
    value = abs(float(exact(name, point)))
    # A slope may be as small as the rounding of ⟨n⟩ over the parameter: by γ it is O(γ) here.
    # Near λ_c, 1/(1 − λ/λ_c) more.
    distance = 1 - 2 * point[2] / np.sqrt(point[0] * point[1])
    scale = value / np.maximum(np.abs(point), 1e-2)
    tolerance = 1e-12 * np.abs(expected) + (1e-14 + 1e-16 / distance) * scale / distance
    tolerance = digits(tolerance)
    assert np.all(np.abs(forward - expected) <= tolerance), (forward - expected) / tolerance
    assert np.all(np.abs(reverse - expected) <= tolerance), (reverse - expected) / tolerance


@pytest.mark.parametrize("name", nightly("local", "langevin"))
def test_scaled_cotangent(name):
    """A cotangent other than 1 scales through."""
    _, pull = jax.vjp(functools.partial(occupation, name), jnp.array(GENERIC))
    np.testing.assert_allclose(
        pull(jnp.asarray(-2.5))[0],
        -2.5 * gradients(name)[1](jnp.array(GENERIC)),
        rtol=digits(1e-13),
    )


@pytest.mark.nightly
@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_second_order(name):
    """∂²⟨n⟩/∂λ∂(ω1, λ, T1) against high-precision differences of the reference."""

    def slope(parameters):
        unit = jnp.zeros(7).at[2].set(1)
        return jax.jvp(functools.partial(occupation, name), (parameters,), (unit,))[1]

    curvature = jax.jit(jax.grad(slope))
    for point in (GENERIC, RESONANT) if name != "global" else (GENERIC,):
        point = [float(rounded(x)) for x in point]  # what the library gets to see
        ours = curvature(jnp.array(point))
        for index in (0, 2, 5):

            def along(x, index=index, point=point):
                moved = [*point[:index], x, *point[index + 1 :]]
                return reference.derivative(
                    lambda y: exact(name, [*moved[:2], y, *moved[3:]]), moved[2]
                )

            step = mpmath.mpf(10) ** -12
            with mpmath.workdps(60):
                x = mpmath.mpf(point[index])
                if index == 2:
                    expected = (
                        exact(name, [*point[:2], x + step, *point[3:]])
                        - 2 * exact(name, point)
                        + exact(name, [*point[:2], x - step, *point[3:]])
                    ) / step**2
                else:
                    expected = (along(x + step) - along(x - step)) / (2 * step)
            assert float(ours[index]) == pytest.approx(float(expected), rel=1e-9 + 20 * EPS)


@pytest.mark.parametrize(
    "dtype",
    [
        pytest.param(np.float32, marks=pytest.mark.nightly),
        pytest.param(np.float64, marks=double),
    ],
)
@pytest.mark.parametrize("name", SLOW_TO_COMPILE)
def test_cold_baths_have_finite_slopes(name, dtype):
    """ω/T far beyond where exp(ω/T) overflows, and T = 0, in every parameter."""
    _, gradient = gradients(name)
    for cold in (0.0, 1e-30, 1e-10, 1e-3, 0.05):
        point = jnp.array([5.0, 2.0, 1.0, 1e-2, 2e-2, cold, cold], dtype)
        assert np.isfinite(gradient(point)).all(), cold


@pytest.mark.nightly
def test_mutual_information_is_smooth_where_eigenvalues_coincide():
    """Identical oscillators between equal baths: ν+ = ν− at λ = 0, and I = O(λ²) there."""

    def information(coupling):
        oscillators = jaxosc.pair((1.3, 1.3), coupling, "position")
        baths = jaxosc.Baths((1e-2, 1e-2), (2.0, 2.0))
        dynamics = jaxosc.local_lindblad(oscillators, baths)
        return jaxosc.mutual_information(jaxosc.steady_state(dynamics))

    assert information(0.0) == 0
    assert jax.grad(information)(0.0) == 0
    curvature = jax.grad(jax.grad(information))(0.0)
    small = 1e-4
    assert curvature == pytest.approx(2 * float(information(small)) / small**2, rel=1e-5)


@pytest.mark.parametrize("name", others_at_night(DESCRIPTIONS, ("local",)))
def test_batching_changes_nothing(name):
    points = jnp.array([GENERIC, RESONANT, EQUAL_T, NEAR_CRITICAL])
    function = functools.partial(occupation, name)
    batched = jax.jit(jax.vmap(function))(points)
    single = jax.jit(function)
    np.testing.assert_allclose(batched, [single(p) for p in points], rtol=digits(1e-12))


@pytest.mark.nightly
def test_three_modes():
    """Forward and reverse agree, and with the reference, for a ring of three."""

    def function(strength, equation):
        exchange = strength * (jnp.ones((3, 3)) - jnp.eye(3))
        oscillators = jaxosc.Oscillators(jnp.array([1.0, 1.2, 1.5]), exchange, 0.5 * exchange)
        baths = jaxosc.Baths((1e-2, 2e-2, 5e-3), (2.0, 1.0, 4.0))
        return jaxosc.occupation(jaxosc.steady_state(equation(oscillators, baths)))[0]

    def expected(strength, equation):
        exchange = [[0 if i == j else strength for j in range(3)] for i in range(3)]
        pairing = [[entry / 2 for entry in row] for row in exchange]
        state = equation([1.0, 1.2, 1.5], exchange, pairing, [1e-2, 2e-2, 5e-3], [2.0, 1.0, 4.0])
        return reference.occupation(state)[0]

    for ours, theirs in (
        (jaxosc.local_lindblad, reference.local),
        (jaxosc.langevin, reference.langevin),
        (jaxosc.global_lindblad, reference.global_),
    ):
        slope = float(reference.derivative(lambda x, f=theirs: expected(x, f), mpmath.mpf(0.1)))
        for derivative in (jax.jacfwd, jax.grad):
            computed = jax.jit(derivative(functools.partial(function, equation=ours)))(0.1)
            assert computed == pytest.approx(slope, rel=digits(1e-11))


TWICE = {
    "forward": lambda f: jax.jacfwd(jax.jacfwd(f)),
    "forward of reverse": lambda f: jax.jacfwd(jax.grad(f)),
    "reverse of forward": lambda f: jax.jacrev(jax.jacfwd(f)),
    "reverse": lambda f: jax.jacrev(jax.grad(f)),
}


@pytest.mark.parametrize("name", ["local", *slow("gibbs", "global", "langevin")])
@pytest.mark.parametrize("number", ["occupation", *nightly("information")])
def test_second_derivatives_are_written_down_in_every_order(name, number):
    """Which is all that most mistakes in a rule need to show, at a tenth of the time."""

    def function(parameters):
        found = state(name, parameters)
        if number == "information":
            return jaxosc.mutual_information(found)
        return jaxosc.occupation(found)[0]

    point = jax.ShapeDtypeStruct((7,), jnp.zeros(()).dtype)
    for order in TWICE.values():
        assert jax.eval_shape(order(function), point).shape == (7, 7)


@pytest.mark.slow
@pytest.mark.parametrize("batch", [None, *nightly(40)])
def test_second_derivatives_of_every_order_agree(batch):
    """Of the Langevin occupation, alone and in a batch, by λ and T1."""

    def function(pair):
        parameters = [*GENERIC[:2], pair[0], *GENERIC[3:5], pair[1], GENERIC[6]]
        return occupation("langevin", jnp.stack([jnp.asarray(x, DTYPE) for x in parameters]))

    point = jnp.array([GENERIC[2], GENERIC[5]])
    expected = np.asarray(jax.jit(TWICE["forward"](function))(point))
    found = TWICE["forward of reverse"](function)
    if batch:
        found, point = jax.vmap(found), jnp.tile(point, (batch, 1))
    tolerance = digits(1e-10) * np.abs(expected).max()
    values = np.asarray(jax.jit(found)(point)).reshape(-1, 2, 2)
    np.testing.assert_allclose(values[-1], expected, atol=tolerance)
