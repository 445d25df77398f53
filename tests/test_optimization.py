"""Gradient search: known optima, bounds, critical points on the way, and how it says it ended."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from legs import nightly, others_at_night, slow
from precision import DTYPE, EPS, SINGLE, digits, double

import jaxosc
from jaxosc._landscape import Landscape, _differences, _Quadratic, shape_around
from jaxosc.optimization import _LONGEST_STEP, _Directions


def rosenbrock(x, y):
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def local_error(omega, temperature):
    """Square of the local equation's relative error in ⟨a1†a1⟩."""
    oscillators = jaxosc.pair(jnp.stack([omega, jnp.asarray(2.0)]), 0.5, "position")
    baths = jaxosc.Baths((1e-3, 1e-3), jnp.stack([jnp.asarray(98.0), temperature]))
    local, exact = (
        jaxosc.occupation(jaxosc.steady_state(equation(oscillators, baths)))[0]
        for equation in (jaxosc.local_lindblad, jaxosc.global_lindblad)
    )
    return (local / exact - 1) ** 2


def response(omega, coupling):
    """d⟨a1†a1⟩/dλ of the local equation, which has no limit at the critical point."""

    def number(coupling):
        oscillators = jaxosc.pair(jnp.stack([omega, jnp.asarray(2.0)]), coupling, "position")
        baths = jaxosc.Baths((1e-3, 1e-3), (98.0, 298.0))
        return jaxosc.occupation(jaxosc.steady_state(jaxosc.local_lindblad(oscillators, baths)))[0]

    return jax.grad(number)(coupling)


def test_known_minimum():
    found = jaxosc.optimize(rosenbrock, {"x": -1.2, "y": 1.0}, {"x": (-2, 2), "y": (-1, 3)})
    assert found.converged
    assert found.parameters == pytest.approx({"x": 1.0, "y": 1.0}, abs=1e-6)
    assert len(found.history) == found.steps + 1
    assert np.all(np.diff(found.history) <= 0)


@double
def test_minimum_on_a_bound():
    """Against SciPy's L-BFGS-B."""
    bounds = {"x": (-2.0, 0.5), "y": (-1.0, 3.0)}
    found = jaxosc.optimize(rosenbrock, {"x": -1.2, "y": 1.0}, bounds)
    theirs = scipy.optimize.minimize(
        lambda p: rosenbrock(*p), [-1.2, 1.0], bounds=list(bounds.values())
    )
    assert found.converged
    np.testing.assert_allclose(list(found.parameters.values()), theirs.x, atol=1e-4)
    assert found.value <= theirs.fun * (1 + 1e-9)
    assert found.gradient["x"] < 0  # it would go on past the bound


@double
def test_a_bound_is_not_passed_by_rounding():
    """In double precision 0.64 + (1.82 − 0.64) > 1.82."""
    found = jaxosc.optimize(
        lambda x: x, {"x": 1.0}, {"x": (0.64, 1.82)}, maximize=True, tolerance=1e-14
    )
    assert found.converged
    assert found.parameters["x"] == found.value == 1.82


def test_maximum_from_a_start_on_a_bound():
    found = jaxosc.optimize(lambda x: -((x - 0.3) ** 2), {"x": 1.0}, {"x": (0, 1)}, maximize=True)
    assert found.converged
    assert found.parameters["x"] == pytest.approx(0.3, abs=1e-6)
    assert found.value == pytest.approx(0.0, abs=digits(1e-12))


@pytest.mark.nightly
def test_error_of_the_local_equation_vanishes_somewhere():
    bounds = {"omega": (1.0, 8.0), "temperature": (10.0, 300.0)}
    found = jaxosc.optimize(local_error, {"omega": 3.0, "temperature": 250.0}, bounds)
    assert found.converged or SINGLE  # which cannot tell a valley from rounding
    assert found.value < digits(1e-15)
    for name, (low, high) in bounds.items():
        assert low <= found.parameters[name] <= high


@pytest.mark.slow
def test_it_stops_at_a_critical_point():
    """λ may grow to 3, but λ_c is about 1.6 at the start, and no value exists past it."""
    found = jaxosc.optimize(
        response,
        {"omega": 5.0, "coupling": 0.2},
        {"omega": (4.0, 6.0), "coupling": (0.0, 3.0)},
        maximize=True,
    )
    assert not found.converged
    assert "critical point" in found.reason or "no value" in found.reason
    omega = (found.parameters["omega"], 2.0)
    critical = float(jaxosc.critical_coupling(omega, "position", damping=1e-3))  # of the motion
    assert 0.999 < found.parameters["coupling"] / critical <= 1 + 2 * EPS
    assert np.isfinite(found.value)


def test_it_does_not_jump_over_a_gap():
    """A better minimum behind a region without values is out of reach, and never reported."""

    def split(x):
        return jnp.where(jnp.abs(x - 0.5) < 0.05, jnp.nan, (x - 0.9) ** 2)

    found = jaxosc.optimize(split, {"x": 0.2}, {"x": (0.0, 1.0)})
    assert not found.converged
    assert found.parameters["x"] <= 0.45
    assert "no value" in found.reason


def hill(x):
    return 1 - x**2


def saddle(x, y):
    return x**2 - (y - 0.5) ** 2


def diagonal_saddle(x, y):
    return x * y


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize(
    ("function", "start", "lowest"),
    [
        (hill, {"x": 0.0}, 0.0),
        (saddle, {"x": 0.5, "y": 0.5}, -2.25),
        (saddle, {"x": 0.0, "y": 0.5}, -2.25),
        (diagonal_saddle, {"x": 0.0, "y": 0.0}, -1.0),
        (lambda x, y: x - (y - 0.5) ** 2, {"x": 0.2, "y": 0.5}, -3.25),  # with x at a bound
    ],
)
def test_it_leaves_saddles_and_the_wrong_extremum(function, start, lowest, maximize):
    sign = -1 if maximize else 1
    found = jaxosc.optimize(
        lambda **point: sign * function(**point),
        start,
        dict.fromkeys(start, (-1.0, 1.0)),
        maximize=maximize,
    )
    assert found.converged
    assert found.value == pytest.approx(sign * lowest, abs=1e-6)
    assert found.steps > 0
    assert np.all(np.diff(sign * found.history) <= 0)


def test_a_step_off_a_saddle_counts():
    found = jaxosc.optimize(lambda x: x**4 - x**2, {"x": 0.0}, {"x": (-1.0, 1.0)}, max_steps=1)
    assert not found.converged
    assert found.steps == 1
    assert found.value < 0


@double  # where the value has more digits than the slope needs
def test_a_saddle_on_a_large_value():
    found = jaxosc.optimize(
        lambda x, y: saddle(x, y) + 1, {"x": 0.5, "y": 0.5}, {"x": (-1.0, 1.0), "y": (-1.0, 1.0)}
    )
    assert found.converged
    assert found.value == pytest.approx(-1.25, abs=1e-6)
    assert found.parameters == pytest.approx({"x": 0.0, "y": -1.0}, abs=1e-6)


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_no_curvature_is_not_a_negative_one(start):
    found = jaxosc.optimize(lambda x: x**4, {"x": start}, {"x": (-1.0, 1.0)})
    assert found.converged
    assert found.value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "function",
    [lambda x: 0 * x + 3, lambda x: (1 + 0 * x) / 3, lambda x: jnp.tanh(1000 * (x - 3)) + 0 * x],
)
def test_a_plateau_is_no_optimum(function):
    found = jaxosc.optimize(function, {"x": 0.2}, {"x": (-1.0, 1.0)})
    assert not found.converged
    assert "flat" in found.reason


def test_a_parameter_without_effect():
    found = jaxosc.optimize(
        lambda x, y: (x - 0.3) ** 2, {"x": 0.9, "y": 0.2}, {"x": (0, 1), "y": (0, 1)}
    )
    assert found.converged
    assert "flat" in found.reason
    assert found.parameters == pytest.approx({"x": 0.3, "y": 0.2}, abs=1e-6)


@double
def test_a_well_across_a_plateau_is_looked_for():
    found = jaxosc.optimize(
        lambda x: -jnp.exp(-(((x - 3) / 0.3) ** 2)), {"x": -9.0}, {"x": (-10.0, 10.0)}
    )
    assert found.converged
    assert found.parameters["x"] == pytest.approx(3, rel=1e-6)


@double  # its curvature is beside that of the slope's rounding
def test_a_valley_of_minima():
    """The curvature along it is zero to rounding, of either sign."""
    found = jaxosc.optimize(
        lambda x, y: (x**2 + y**2 - 0.5) ** 2,
        {"x": 0.1, "y": 0.3},
        {"x": (-1.0, 1.0), "y": (-1.0, 1.0)},
    )
    assert found.converged
    assert found.steps < 20


def test_it_says_when_it_did_not_converge():
    found = jaxosc.optimize(
        rosenbrock, {"x": -1.2, "y": 1.0}, {"x": (-2, 2), "y": (-1, 3)}, max_steps=3
    )
    assert not found.converged
    assert found.steps == 3
    assert "3 steps" in found.reason


def test_progress(capsys):
    jaxosc.optimize(rosenbrock, {"x": 0.0, "y": 0.0}, {"x": (-2, 2), "y": (-1, 3)}, progress=True)
    assert "value" in capsys.readouterr().err
    jaxosc.optimize(rosenbrock, {"x": 0.0, "y": 0.0}, {"x": (-2, 2), "y": (-1, 3)})
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"start": {"x": 3.0, "y": 0.0}}, "`start` must lie inside the bounds"),
        ({"start": {"x": 0.0}}, "`start` must name the parameters"),
        ({"start": {"x": np.nan, "y": 0.0}}, "`x` must be finite"),
        ({"start": {}}, "`start` must map"),
        ({"bounds": {"x": (1, 0), "y": (0, 1)}}, "low < high"),
        ({"bounds": {"x": (0, np.inf), "y": (0, 1)}}, "low < high"),
        ({"bounds": {"x": 1, "y": (0, 1)}}, "two numbers"),
        ({"bounds": {1: (0, 1), "y": (0, 1)}}, "names as keys"),
        ({"tolerance": 0.0}, "`tolerance` must lie between"),
        ({"tolerance": 1j}, "`tolerance` must be a number"),
        ({"tolerance": "a"}, "`tolerance` must be a number"),
        ({"maximize": "no"}, "`maximize` must be True or False"),
        ({"progress": np.ones(2)}, "`progress` must be True or False"),
        ({"bounds": {"x": (0, np.complex64(1)), "y": (0, 1)}}, "two numbers"),
        ({"bounds": {"x": np.ma.array([0, 1], mask=[0, 1]), "y": (0, 1)}}, "two numbers"),
        ({"bounds": {"x": (-1e308, 1e308), "y": (0, 1)}}, "ordinary distance between"),
        ({"function": lambda x, y: object()}, "must return numbers"),
        ({"function": lambda x, y: x if x > y else y}, "choose in Python by no number"),
        ({"max_steps": 0}, "`max_steps`"),
        ({"logarithmic": "z"}, "`logarithmic` must be one of 'x', 'y'"),
        ({"logarithmic": 3}, "`logarithmic` must be a name or several"),
        ({"logarithmic": ["x"]}, "`bounds` must be positive for a logarithmic parameter"),
        ({"function": lambda x: x}, "`function` must take x, y"),
        ({"function": lambda x, y: jnp.stack([x, y])}, "one real number"),
        ({"function": lambda x, y: x * jnp.nan}, "`start` must lie where"),
        ({"function": 3}, "`function` must be a function"),
    ],
)
def test_bad_input(change, words):
    arguments = {
        "function": rosenbrock,
        "start": {"x": 0.0, "y": 0.0},
        "bounds": {"x": (-2, 2), "y": (-1, 3)},
    } | change
    with pytest.raises(ValueError, match=words):
        jaxosc.optimize(**arguments)


@pytest.mark.slow
def test_a_start_past_the_critical_point_is_refused_in_words():
    with pytest.raises(ValueError, match="damp every motion, but one grows at the rate"):
        jaxosc.optimize(
            response, {"omega": 5.0, "coupling": 2.0}, {"omega": (4, 6), "coupling": (0, 3)}
        )


@double
@pytest.mark.parametrize(
    ("function", "start", "bounds", "optimum"),
    [
        *nightly((lambda x: (x - 3) ** 2, 5e5, (0, 1e9), 3.0)),
        *slow(
            (lambda x: -jnp.log(x) + x / 1e-9, 0.5, (1e-20, 1), 1e-9),
            (lambda x: 1e200 * (x - 0.3) ** 2, 0.9, (0, 1), 0.3),
            (lambda x: ((x - 0.3) ** 2 + 1e10) - 1e10, 0.9, (0, 1), 0.3),  # rounded to 1e-6
            (lambda x: jnp.abs(x - 0.3), 0.9, (0, 1), 0.3),
            (lambda x: (x - 0.3) ** 8, 0.9, (0, 1), 0.3),
        ),
        (lambda x: 1 / x + x / 1e-10, 0.9, (1e-10, 1e10), 1e-5),
        (lambda x: 1e-200 * (x - 0.3) ** 2, 0.9, (0, 1), 0.3),
        (lambda x: 1 + 1e-20 * (x - 0.3) ** 2, 0.9, (0, 1), 0.3),  # the values are all 1
        (lambda x: jnp.sqrt(jnp.abs(x - 0.3)), 0.9, (0, 1), 0.3),
        (lambda x: (x - 1e-12) ** 2, 0.9, (0, 1), 1e-12),
        (lambda x: x * jnp.log(x), 0.9, (0, 1), np.exp(-1)),  # without a value on the bound
    ],
)
def test_optima_on_any_scale(function, start, bounds, optimum):
    scales = ((), "x") if bounds[0] > 0 else ((),)
    for logarithmic in scales:
        found = jaxosc.optimize(function, {"x": start}, {"x": bounds}, logarithmic=logarithmic)
        assert found.converged, found.reason
        assert found.parameters["x"] == pytest.approx(optimum, rel=1.01e-6)


@pytest.mark.parametrize(
    ("function", "optimum"),
    [
        (lambda x: x**4, 0.0),
        (lambda x: jnp.sqrt(x), 0.0),  # with an infinite slope there
        (lambda x: -(x**2), 1.0),
    ],
)
def test_optima_exactly_on_a_bound(function, optimum):
    found = jaxosc.optimize(function, {"x": 0.4}, {"x": (0, 1)})
    assert found.converged
    assert found.parameters["x"] == optimum


@double
@pytest.mark.parametrize("decade", [-7, *nightly(-12)])
@pytest.mark.parametrize(
    "function",
    [
        lambda x, c: x / c + c / x,
        *nightly(lambda x, c: jnp.log(x / c) ** 2, lambda x, c: -x / (x + c) ** 2),
    ],
)
def test_decades_from_the_start_on_the_linear_scale(function, decade):
    """What it takes for the optimum lies within the tolerance of the optimum, not of the width."""
    c = 10.0**decade
    for start, low, high in (
        (1e-3, 1e-8 * c, 100.0),
        (0.5, 1e-3 * c, 10.0),
        (0.01, 0.1 * c, 1.0),
        (1e-3 * c, 1e-3 * c, 1.0),
    ):
        found = jaxosc.optimize(lambda x: function(x, c), {"x": start}, {"x": (low, high)})
        if found.converged:
            assert abs(found.parameters["x"] - c) <= 1.01e-6 * (c - low), (start, low, high)
        assert found.converged, found.reason


@double
@pytest.mark.parametrize(
    "function",
    [
        *nightly(
            lambda x: jnp.where(x > -2, x + 2, -3 * (x + 2)),
            lambda x: jnp.maximum(x + 2, -3 * (x + 2)),
        ),
        lambda x: jnp.abs(x + 2),
        lambda x: jnp.sqrt(x + 2),
        lambda x: jnp.sqrt(jnp.abs(x + 2)),  # whose derivative on the bound is NaN
    ],
)
def test_kinks_and_roots_on_a_bound(function):
    """Inside the bounds they grow off it, whatever their derivative on it."""
    for mirror, bounds in ((1, (-2.0, 3.0)), (-1, (-3.0, 2.0))):
        found = jaxosc.optimize(
            lambda x, m=mirror: function(m * x), {"x": mirror * 1.9}, {"x": bounds}
        )
        assert found.converged, found.reason
        assert found.parameters["x"] == -2 * mirror


@double
def test_a_dip_beside_a_bound_without_a_slope():
    """x⁴/4 − a²x²/2 has a maximum at 0 and its minimum at a, far within tolerance × width."""
    found = jaxosc.optimize(lambda x: x**4 / 4 - 1e-16 * x**2 / 2, {"x": 0.0}, {"x": (0.0, 1.0)})
    assert not found.converged or abs(found.parameters["x"] / 1e-8 - 1) < 1.01e-6


@double
@pytest.mark.parametrize(
    "function", [*nightly(lambda x: jnp.log(x), lambda x: -x * jnp.log(x)), lambda x: -1 / x]
)
def test_unbounded_or_undefined_on_a_bound(function):
    found = jaxosc.optimize(function, {"x": 0.1}, {"x": (0.0, 0.3)})
    assert not found.converged
    assert "value" in found.reason


@double
@pytest.mark.nightly
def test_a_degenerate_optimum_along_a_narrow_valley():
    """Σu⁴ with the directions u in widths 1 to 3800, seen from 8 tolerances along the valley."""
    random = np.random.default_rng(361)
    size = int(random.choice([1, 2, 2, 3, 4, 5]))
    high = random.uniform(0.5, 2)
    random.choice(3)
    optimum = random.uniform(-0.8, 0.4, size)
    turn = np.linalg.qr(random.normal(size=(size, size)))[0]
    widths = np.sqrt(np.geomspace(1, 10 ** -random.uniform(0, 8), size))
    names = [f"x{index}" for index in range(size)]

    def function(**point):
        x = jnp.stack([point[name] for name in names])
        return jnp.sum((turn.T @ (x - optimum) * widths) ** 4)

    start = optimum + 8e-6 * turn[:, -1]
    found = jaxosc.optimize(
        function, dict(zip(names, start, strict=True)), dict.fromkeys(names, (-1.0, high))
    )
    if found.converged:
        away = np.abs(np.array([found.parameters[name] for name in names]) - optimum)
        assert (away <= 1.01e-6 * np.minimum(optimum + 1, high - optimum)).all()


PROFILES = {
    "quadratic": lambda z: jnp.sum(z**2),
    "quartic": lambda z: jnp.sum(z**4),
    "both": lambda z: jnp.sum(z**2) + 10 * jnp.sum(z**4),
    "exponential": lambda z: jnp.sum(jnp.exp(z) - z),
    "logistic": lambda z: jnp.sum(jax.nn.softplus(z) + jax.nn.softplus(-z)),
    "logarithm": lambda z: jnp.log1p(jnp.sum(z**2)),
    "peak": lambda z: -1 / (1 + jnp.sum(z**2)),
    "power": lambda z: jnp.sum(jnp.abs(z) ** 1.5),
    "banana": lambda z: jnp.sum(100 * (z[1:] + 1 - (z[:-1] + 1) ** 2) ** 2 + z[:-1] ** 2),
}


QUICK = "quadratic", "peak", "power", "banana"


def drawn(random, profile):
    """A function with a known optimum, each parameter and the value in a unit of its own."""
    size = int(random.integers(2, 4))
    logarithmic = random.random(size) < 0.4
    decades = 3 if SINGLE else 9
    width = 10.0 ** random.uniform(-decades, decades, size)
    low = np.where(logarithmic, 1e-4 * width, random.choice([0.0, 0.5], size) * width)
    part = np.where(low == 0, 10 ** random.uniform(-decades / 1.5, -0.4, size), 0.4)
    optimum = np.where(logarithmic, 10 ** random.uniform(-3, -1, size) * width, low + part * width)
    optimum = optimum.astype(DTYPE).astype(float)

    def scaled(x):
        return np.where(logarithmic, np.log(np.where(logarithmic, x, 1)), x)

    ends = scaled(low), scaled(low + width)
    own = np.minimum(scaled(optimum) - ends[0], ends[1] - scaled(optimum))
    own = np.where(logarithmic, np.minimum(own, 1), own)
    unit = own * 10 ** random.uniform(-1, 0.5, size)
    turn = np.linalg.qr(random.normal(size=(size, size)))[0] * 10 ** random.uniform(-1, 0, size)
    if profile == "banana":
        turn = np.linalg.qr(turn)[0]
    value = 10.0 ** random.uniform(*((-8, 8) if SINGLE else (-180, 180)))
    offset = random.choice([0.0, 1.0]) * value
    start = np.clip(scaled(optimum) + 3 * unit * random.normal(size=size), *ends)
    start = np.where(logarithmic, np.exp(np.where(logarithmic, start, 0)), start)
    start = np.clip(start, low * (1 + 4 * EPS), low + width * (1 - 4 * EPS))
    names = [f"x{index}" for index in range(size)]

    def function(**parameters):
        x = jnp.stack([parameters[name] for name in names])
        ratio = jnp.where(logarithmic, x / jnp.asarray(optimum, x.dtype), 1)
        z = jnp.where(logarithmic, jnp.log(ratio), x - jnp.asarray(optimum, x.dtype))
        z = jnp.asarray(turn.T, x.dtype) @ (z / jnp.asarray(unit, x.dtype))
        return value * PROFILES[profile](z) + offset

    bounds = dict(zip(names, zip(low, low + width, strict=True), strict=True))
    start = dict(zip(names, start.astype(DTYPE), strict=True))
    return (
        function,
        start,
        bounds,
        [n for n, log in zip(names, logarithmic, strict=True) if log],
        (lambda found: np.abs(scaled(np.array([found[n] for n in names])) - scaled(optimum)) / own),
    )


def converging(profile, seeds):
    """How many converge; each that does has to be within the tolerance."""
    tolerance = 1e-3 if SINGLE else 1e-6
    count = 0
    for seed in seeds:
        function, start, bounds, logarithmic, error = drawn(np.random.default_rng(seed), profile)
        found = jaxosc.optimize(
            function, start, bounds, tolerance=tolerance, logarithmic=logarithmic
        )
        count += found.converged
        if found.converged and "flat" not in found.reason:
            assert error(found.parameters).max() < 1.01 * tolerance, (profile, seed)
    return count


@pytest.mark.parametrize("profile", others_at_night(PROFILES, QUICK))
def test_converged_is_within_the_tolerance(profile):
    assert converging(profile, [1]) == 1 or SINGLE


@pytest.mark.nightly
@pytest.mark.parametrize("profile", PROFILES)
def test_many_converge_and_none_wrongly(profile):
    assert converging(profile, range(100, 125)) >= (18 if SINGLE else 24)


@double
@pytest.mark.slow
def test_the_largest_heat_current_by_the_damping():
    """Over ten decades of γ₁, J = 2γ₁ω₁(N(ω₁) − ⟨a₁†a₁⟩), against a dense scan."""
    thermal = 1 / np.expm1(1 / 5)

    def current(gamma):
        oscillators = jaxosc.pair((1.0, 1.3), 0.05, "rotating-wave")
        baths = jaxosc.Baths(jnp.stack([gamma, jnp.asarray(3e-3)]), (5.0, 1.0))
        state = jaxosc.steady_state(jaxosc.local_lindblad(oscillators, baths))
        return 2 * gamma * (thermal - jaxosc.occupation(state)[0])

    scan = np.geomspace(1e-10, 1, 20001)
    values = np.asarray(jax.jit(jax.vmap(current))(scan))
    for start, logarithmic in ((0.5, ()), (1e-8, ()), (1e-8, "gamma")):
        found = jaxosc.optimize(
            current, {"gamma": start}, {"gamma": (1e-10, 1)}, True, logarithmic=logarithmic
        )
        assert found.converged
        assert found.value >= values.max() * (1 - 1e-13)
        assert found.parameters["gamma"] == pytest.approx(scan[values.argmax()], rel=2e-3)


def test_how_far_a_quadratic_falls():
    """From where its slope is g by ½ gᵀ H⁻¹ g, also beside a valley across the parameters."""
    second, slope = np.array([[200.0, 1.96], [1.96, 0.02]]), np.array([3.0, -0.4])
    model = _Quadratic(np.array([1.0, 2.0]), second, np.zeros(2))
    assert model.excess(slope) ** 2 == pytest.approx(slope @ np.linalg.solve(second, slope))
    np.testing.assert_allclose(model.step, -np.linalg.solve(second, [1.0, 2.0]))
    assert model.falling is None


@double
def test_slopes_know_what_values_round_off():
    """Beside 1e12 the values say where the minimum is to a hundredth, their slopes to the end."""

    def function(x, y):
        return 1e12 + (x - 1) ** 2 + (x - y) ** 2 / 2 + (y - 2) ** 4

    start, bounds = {"x": 0.2, "y": 0.4}, {"x": (-5.0, 5.0), "y": (-5.0, 5.0)}
    found = jaxosc.optimize(function, start, bounds, tolerance=1e-9)
    assert found.converged
    x, y = (float(found.parameters[name]) for name in ("x", "y"))
    # The tolerance of 1e-9 of the distance to a bound, times the curvature
    assert abs(2 * (x - 1) + (x - y)) < 1e-8
    assert abs((y - x) + 4 * (y - 2) ** 3) < 1e-8


@double
def test_scales_of_a_place():
    """A parameter is looked at by the distance to its nearer bound, a logarithm by 1 at most."""
    bounds = {"x": (1.0, 3.0), "y": (1e-3, 1e3)}
    land = Landscape(lambda x, y: x * y, bounds, ("y",), 1.0, np.dtype(DTYPE))
    for x, nearer, scale in ((1.25, 0.25, 0.25), (2.5, 0.5, 0.5), (1.0, 0, 2), (3.0, 0, 2)):
        place = np.array([x, 0.3])
        np.testing.assert_allclose(land.own_scale(place), [scale, 1])
        np.testing.assert_allclose(land.tolerated(place, 0.01), [0.01 * nearer, 0.01], atol=1e-14)


def test_no_step_is_longer_than_a_part_of_the_bounds():
    land = Landscape(lambda x: 1e6 * x, {"x": (-2.0, 6.0)}, (), 1.0, np.dtype(DTYPE))
    step = _Directions(land).step(land.at(np.array([1.0])))
    assert step == pytest.approx(-_LONGEST_STEP * 8)


@double
def test_what_is_next_to_a_minimum_within_the_tolerance_is_improved():
    """The quadratic around it is known then: its minimum is a step of Newton's away."""
    found = jaxosc.optimize(
        lambda x: jnp.cosh(x - 1), {"x": 1.02}, {"x": (-5.0, 5.0)}, tolerance=0.1
    )
    assert found.converged
    # The tolerance allows 0.4, the start is 0.02 away
    assert abs(float(found.parameters["x"]) - 1) < 1e-4


@double
@pytest.mark.parametrize("bound", [-1.0, 1.0])
def test_a_start_on_a_bound_without_a_slope(bound):
    """It is moved inside, from either bound."""
    found = jaxosc.optimize(
        lambda x: (x - 0.2 * bound) ** 2 - jnp.sqrt(1 - bound * x) / 10,
        {"x": bound},
        {"x": (-1.0, 1.0)},
    )
    assert found.converged
    x = bound * float(found.parameters["x"])
    assert 2 * (x - 0.2) == pytest.approx(-1 / 20 / np.sqrt(1 - x), abs=1e-5)


@double
def test_what_differs_from_a_quadratic_is_noise():
    land = Landscape(
        lambda x, y: 3 * (x - 1) ** 2 + x * y + 2 * y**2,
        {"x": (-2.0, 2.0), "y": (-2.0, 2.0)},
        (),
        1.0,
        np.dtype(DTYPE),
    )
    changes, noise = _differences(
        land, land.at(np.array([0.5, 0.2])), np.arange(2), np.array([0.1, 0.2])
    )
    np.testing.assert_allclose(changes, [[0.6, 0.1], [0.2, 0.8]], atol=1e-13)
    assert noise < 1e-13


@double
def test_the_tolerance_is_that_of_the_minimum():
    """Half of its distance to a bound, 1e-3, however far from it one looks."""
    bounds = {"x": (0.0, 1.0)}
    land = Landscape(lambda x: (x - 1e-3) ** 2, bounds, (), 1.0, np.dtype(DTYPE))
    for x, within in ((1.3e-3, True), (1.6e-3, False), (1.9e-3, False)):
        assert shape_around(land, land.at(np.array([x])), 0.5).optimum is within
