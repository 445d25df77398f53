"""Gradient search: known optima, bounds, critical points on the way, and how it says it ended."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from precision import digits, double

import jaxosc


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


def test_error_of_the_local_equation_vanishes_somewhere():
    bounds = {"omega": (1.0, 8.0), "temperature": (10.0, 300.0)}
    found = jaxosc.optimize(local_error, {"omega": 3.0, "temperature": 250.0}, bounds)
    assert found.converged
    assert found.value < digits(1e-15)
    for name, (low, high) in bounds.items():
        assert low <= found.parameters[name] <= high


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
    critical = float(jaxosc.critical_coupling((found.parameters["omega"], 2.0), "position"))
    assert 0.999 < found.parameters["coupling"] / critical < 1
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
    found = jaxosc.optimize(hill, {"x": 0.0}, {"x": (-1.0, 1.0)}, max_steps=1)
    assert not found.converged
    assert found.steps == 1
    assert found.value < 1


@double  # where the value has more digits than the slope needs
def test_a_saddle_on_a_large_value():
    found = jaxosc.optimize(
        lambda x, y: saddle(x, y) + 1, {"x": 0.5, "y": 0.5}, {"x": (-1.0, 1.0), "y": (-1.0, 1.0)}
    )
    assert found.converged
    assert found.value == pytest.approx(-1.25, abs=1e-6)
    assert found.parameters == pytest.approx({"x": 0.0, "y": -1.0}, abs=1e-6)


@pytest.mark.parametrize("start", [0.0, 0.5])
@pytest.mark.parametrize(
    "function",
    [
        lambda x: x**4,
        lambda x: x**2,
        lambda x: 0 * x + 3,
        lambda x: 0 * x,
        lambda x: (1 + 0 * x) / 3,
    ],
)
def test_no_curvature_is_not_a_negative_one(function, start):
    found = jaxosc.optimize(function, {"x": start}, {"x": (-1.0, 1.0)})
    assert found.converged
    assert found.value == pytest.approx(float(function(0.0)), rel=1e-6, abs=1e-9)


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


def test_a_start_past_the_critical_point_is_refused_in_words():
    with pytest.raises(ValueError, match="bounded below"):
        jaxosc.optimize(
            response, {"omega": 5.0, "coupling": 2.0}, {"omega": (4, 6), "coupling": (0, 3)}
        )
