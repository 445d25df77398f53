"""Fits: linear least squares in closed form, SciPy, what the data do not tell, pulls."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
from precision import DTYPE, digits, double

import jaxosc
from jaxosc.estimation.fit import _Fisher, _with_error

PLACE = np.linspace(0.0, 1.0, 20)
BOUNDS = {"height": (-5.0, 5.0), "slope": (-5.0, 5.0)}
START = {"height": 0.0, "slope": 0.0}


def straight(height, slope):
    return height + slope * jnp.asarray(PLACE, height.dtype)


def data(seed, error):
    return 1.0 + 2.0 * PLACE + error * np.random.default_rng(seed).normal(size=20)


def test_straight_line():
    """The normal equations, with an error of each point."""
    error = 0.1 * (1 + PLACE)
    measured = data(0, error)
    found = jaxosc.fit(straight, measured, error, START, BOUNDS)
    matrix = np.stack([np.ones(20), PLACE], axis=1) / error[:, None]
    covariance = np.linalg.inv(matrix.T @ matrix)
    expected = covariance @ matrix.T @ (measured / error)
    np.testing.assert_allclose(list(found.parameters.values()), expected, rtol=digits(1e-12))
    np.testing.assert_allclose(found.covariance, covariance, rtol=digits(1e-12))
    errors = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(list(found.standard_errors.values()), errors, rtol=digits(1e-12))
    rest = measured / error - matrix @ expected
    np.testing.assert_allclose(found.residuals, rest, atol=digits(1e-13))
    assert found.chi_squared == pytest.approx(rest @ rest, rel=digits(1e-13))
    assert found.degrees == 18
    assert found.reduced_chi_squared == pytest.approx(found.chi_squared / 18)
    correlation = covariance[0, 1] / errors[0] / errors[1]
    assert found.correlation[0, 1] == pytest.approx(correlation, rel=digits(1e-12))
    assert found.converged
    assert not found.on_bound
    assert not found.undetermined
    assert "height = 1.0" in str(found)


def test_a_step_is_that_of_least_squares():
    """Of columns of any size."""
    generator = np.random.default_rng(3)
    slope = generator.normal(size=(20, 3)) * [1.0, 1e3, 1e-2]
    rest = generator.normal(size=20)
    expected = np.linalg.lstsq(slope, rest, rcond=None)[0]
    step = _Fisher(slope, np.finfo(float).eps).step(rest)
    np.testing.assert_allclose(step, expected, rtol=1e-12)


@double
def test_logarithmic_scale_and_scipy():
    """A line of unknown width, beside SciPy's curve_fit; data by name."""
    seen = np.linspace(-1, 1, 201)

    def line(height, width):
        return {"line": height / (1 + (jnp.asarray(seen) / width) ** 2), "sum": height * width}

    rest = np.random.default_rng(1).normal(size=202)
    exact = 3 / (1 + (seen / 0.02) ** 2)
    measured = {"sum": 0.06 + 1e-3 * rest[201], "line": exact + 0.05 * rest[:201]}
    errors = {"line": 0.05, "sum": 1e-3}
    bounds = {"height": (1e-2, 1e2), "width": (1e-4, 10.0)}
    found = jaxosc.fit(
        line, measured, errors, {"height": 1.0, "width": 0.3}, bounds, ("height", "width")
    )

    def flat(place, height, width):
        return np.append(height / (1 + (place[:-1] / width) ** 2), height * width)

    expected, covariance = scipy.optimize.curve_fit(
        flat,
        np.append(seen, 0),
        np.append(measured["line"], measured["sum"]),
        [1.0, 0.05],
        np.append(np.full(201, 0.05), 1e-3),
        absolute_sigma=True,
        xtol=1e-12,
        ftol=1e-14,
    )
    assert found.converged
    np.testing.assert_allclose(list(found.parameters.values()), expected, rtol=1e-6)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-4)
    assert found.degrees == 200


def test_the_last_steps_reach_the_last_digits():
    """Of a search that stops early: without noise they converge quadratically."""

    def model(height, decay):
        return height * jnp.exp(-decay * PLACE)

    start, bounds = {"height": 1.0, "decay": 1.0}, {"height": (0.1, 9.0), "decay": (0.1, 9.0)}
    found = jaxosc.fit(model, model(2.0, 1.5), 0.1, start, bounds, tolerance=0.05)
    assert found.parameters == pytest.approx({"height": 2.0, "decay": 1.5}, rel=digits(1e-12))


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (1234.5678, 0.234, "1234.57 ± 0.23"),
        (-0.0123456, 2.34e-4, "-0.01235 ± 0.00023"),
        (3.14159265, 0.0, "3.1415927 ± 0"),
        (0.0567, 0.234, "0.06 ± 0.23"),
    ],
)
def test_numbers_have_the_digits_of_their_errors(value, error, words):
    assert _with_error(value, error) == words


def test_on_a_bound():
    """Held there, and the other's error as if it were known."""
    found = jaxosc.fit(straight, data(2, 0.1), 0.1, START, {**BOUNDS, "slope": (-5.0, 1.0)})
    assert found.converged
    assert found.on_bound == ("slope",)
    assert "on a bound, and held there: slope" in found.reason
    assert np.isnan(found.standard_errors["slope"])
    assert found.standard_errors["height"] == pytest.approx(0.1 / np.sqrt(20), rel=digits(1e-12))
    assert found.degrees == 19


def test_what_the_data_do_not_determine():
    """Where a product alone is seen, the combination is named."""
    found = jaxosc.fit(
        lambda height, slope: height * slope + jnp.zeros(20, height.dtype),
        np.full(20, 2.0),
        0.1,
        {"height": 1.0, "slope": 1.5},
        {"height": (0.1, 5.0), "slope": (0.1, 5.0)},
    )
    (way,) = found.undetermined
    assert way["height"] == pytest.approx(-way["slope"], rel=1e-3)
    assert "the data do not determine the combination" in found.reason
    assert np.isinf(list(found.standard_errors.values())).all()
    assert found.degrees == 19


def test_one_blind_parameter_leaves_the_others():
    def model(height, slope, blind):
        return straight(height, slope) + 0 * blind

    found = jaxosc.fit(
        model, data(3, 0.1), 0.1, {**START, "blind": 1.0}, {**BOUNDS, "blind": (0.0, 2.0)}
    )
    known = jaxosc.fit(straight, data(3, 0.1), 0.1, START, BOUNDS)
    assert found.undetermined == ({"blind": 1.0},)
    assert np.isinf(found.standard_errors["blind"])
    for name in START:
        assert found.standard_errors[name] == pytest.approx(
            known.standard_errors[name], rel=digits(1e-12)
        )
    assert found.degrees == 18


@pytest.mark.nightly
@double
@pytest.mark.parametrize("seeds", [40, pytest.param(200, marks=pytest.mark.nightly)])
def test_pulls(seeds):
    """(found − true)/error has the mean 0 and the variance 1, and χ² the mean of its own."""
    seen = jnp.linspace(0.8, 1.2, 60)
    true = np.array([1.0, 0.03, 2.0])

    def line(frequency, damping, height):
        return height * damping**2 / ((seen - frequency) ** 2 + damping**2)

    exact = np.asarray(line(*true))
    bounds = {"frequency": (0.9, 1.1), "damping": (1e-3, 1.0), "height": (0.1, 10.0)}
    start = {"frequency": 0.98, "damping": 0.1, "height": 1.0}
    pulls, totals = [], []
    for seed in range(seeds):
        measured = exact + 0.02 * np.random.default_rng(seed).normal(size=60)
        found = jaxosc.fit(line, measured, 0.02, start, bounds, "damping")
        assert found.converged
        error = np.array(list(found.standard_errors.values()))
        pulls.append((np.array(list(found.parameters.values())) - true) / error)
        totals.append(found.chi_squared)
    pulls = np.array(pulls)
    # Four standard errors: 1/√K of a mean, √(2/K) of a variance
    assert (abs(pulls.mean(axis=0)) < 4 / np.sqrt(seeds)).all()
    assert (abs(pulls.var(axis=0) - 1) < 4 * np.sqrt(2 / seeds)).all()
    assert abs(np.mean(totals) - 57) < 4 * np.sqrt(2 * 57 / seeds)


def test_errors():
    def fit(**changes):
        given = dict(model=straight, data=np.zeros(20), errors=1.0, start=START, bounds=BOUNDS)
        return jaxosc.fit(**{**given, **changes})

    for change, message in (
        ({"model": None}, "`model` must be a function"),
        ({"model": lambda height: height}, "`model` must take height, slope by name"),
        ({"model": lambda height, slope: height}, r"`model` must return \(20,\) numbers"),
        ({"model": lambda height, slope: {"a": height}}, "`model` must return what the data are"),
        ({"data": {"a": np.zeros(20)}}, "a dict of arrays by the names a"),
        ({"data": []}, "`data` must hold at least one number"),
        ({"data": np.full(20, np.nan)}, "`data` must be finite"),
        ({"errors": 0.0}, "`errors` must be positive"),
        ({"errors": [1.0, 2.0]}, "`errors` must have shapes that fit"),
        ({"errors": {"a": 1.0}}, "`errors` must be"),
        ({"data": {"a": 1.0}, "errors": {"b": 1.0}}, "`errors` must name the data"),
        ({"start": {"height": 9.0, "slope": 0.0}}, "`start` must lie inside the bounds"),
        ({"bounds": {"height": (0.0, 1.0)}}, "`start` must name the parameters"),
        ({"logarithmic": "slope"}, "`bounds` must be positive for a logarithmic"),
    ):
        with pytest.raises(ValueError, match=message):
            fit(**change)
    with pytest.raises(ValueError, match="call fit outside jit"):
        jax.jit(lambda x: fit(data=x).chi_squared)(jnp.zeros(20, DTYPE))
