"""Derivatives by name, exponents, continuation and frontiers, each against another route."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import reference
from legs import nightly, slow
from networks import COMPLEX
from precision import DTYPE, EPS, SINGLE, digits, double, rounded

import jaxosc
from jaxosc._numerics.roots import implicit_root

EQUATIONS = {"local": jaxosc.local_lindblad, "langevin": jaxosc.langevin}
POINTS = {
    "generic": (1.0, 1.7, 0.3, 2.0, 3.0),
    "resonance": (1.0, 1.0, 0.2, 2.0, 3.0),
    "uncoupled": (1.0, 1.7, 0.0, 2.0, 3.0),
    "equal temperatures": (1.0, 1.7, 0.3, 2.0, 2.0),
    "near critical": (5.0, 2.0, 1.58, 98.0, 298.0),
}
NAMES = ("omega1", "omega2", "coupling", "T1", "T2")


def number_by(equation):
    def occupation(omega1, omega2, coupling, T1, T2):
        oscillators = jaxosc.pair(jnp.stack([omega1, omega2]), coupling, "position")
        baths = jaxosc.Baths((1e-2, 2e-2), jnp.stack([T1, T2]))
        return jaxosc.occupation(jaxosc.steady_state(equation(oscillators, baths)))[0]

    return occupation


NUMBER = {name: number_by(equation) for name, equation in EQUATIONS.items()}


def exact_number(name, omega1, omega2, coupling, first, second):
    network = reference.pair((omega1, omega2), coupling, "position")
    state = getattr(reference, name)(*network, [1e-2, 2e-2], [first, second])
    return reference.occupation(state)[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["local", pytest.param("langevin", marks=pytest.mark.nightly)])
def test_susceptibility(name):
    """All points in one batch, forward and reverse, against 50 digits."""
    points = np.array(list(POINTS.values()))
    parameters = dict(zip(NAMES, points.T, strict=True))
    expected, scales = [], []
    for omega1, omega2, coupling, first, second in points:

        def along(x, p=(omega1, omega2, first, second)):
            return exact_number(name, p[0], p[1], x, p[2], p[3])

        expected.append(float(reference.derivative(along, mpmath.mpf(coupling))))
        scales.append(float(along(coupling)) / max(coupling, 1e-2))
    distance = 1 - 2 * points[:, 2] / np.sqrt(points[:, 0] * points[:, 1])
    tolerance = 1e-12 * np.abs(expected) + (1e-14 + 1e-16 / distance) * scales / distance
    tolerance = digits(tolerance)
    for mode in ("forward", "reverse"):
        slopes = jaxosc.susceptibility(NUMBER[name], parameters, by="coupling", mode=mode)
        assert np.all(np.abs(slopes - np.array(expected)) <= tolerance)
    plain = jax.grad(NUMBER[name], argnums=2)(*jnp.array(POINTS["generic"]))
    assert slopes[0] == pytest.approx(float(plain), rel=digits(1e-13))


@pytest.mark.nightly
def test_second_susceptibility():
    """∂²⟨n⟩/∂λ∂T1 and ∂²⟨n⟩/∂λ² of the local equation against 50-digit differences."""
    parameters = dict(zip(NAMES, POINTS["generic"], strict=True))
    for by, order in ((("coupling", "T1"), (1, 1)), (("coupling", "coupling"), (2, 0))):
        ours = jaxosc.susceptibility(NUMBER["local"], parameters, by)
        reverse = jaxosc.susceptibility(NUMBER["local"], parameters, by, mode="reverse")
        with mpmath.workdps(50):
            expected = mpmath.diff(
                lambda x, t: exact_number("local", 1.0, float(rounded(1.7)), x, t, 3.0),
                (mpmath.mpf(float(rounded(0.3))), mpmath.mpf(2.0)), order,
            )  # fmt: skip
        assert ours == pytest.approx(float(expected), rel=1e-9 + 20 * EPS)
        assert reverse == pytest.approx(float(ours), rel=digits(1e-12))


def test_susceptibility_of_trees_and_batches():
    def function(x, y):
        return {"product": x * y**2, "both": jnp.stack([x**2, y])}

    slopes = jaxosc.susceptibility(function, {"x": [[1.0], [2.0]], "y": [3.0, 4.0, 5.0]}, "x")
    np.testing.assert_allclose(slopes["product"], [[9, 16, 25], [9, 16, 25]])
    assert slopes["both"].shape == (2, 3, 2)
    np.testing.assert_allclose(slopes["both"][..., 0], [[2, 2, 2], [4, 4, 4]])

    def by_outer(a):
        return jaxosc.susceptibility(lambda x: a * x**3, {"x": 2.0}, "x")

    assert jax.jit(by_outer)(3.0) == 36
    assert jax.grad(by_outer)(3.0) == 12


@pytest.mark.parametrize("by", ["x", ("x", "x")])
def test_good_outputs_beside_one_without_a_value(by):
    """The pullback of the two together is 0 × NaN."""

    def mixed(x):
        return {
            "stacked": jnp.stack([x**3, jnp.sqrt(x - 2), jnp.log(x - 5)]),
            "alone": jax.vmap(lambda y: jnp.sqrt(x * y))(jnp.array([1.0, -1.0])),
        }

    parameters = {"x": np.array([1.0, 3.0, 6.0])}
    reverse = jaxosc.susceptibility(mixed, parameters, by, mode="reverse")
    forward = jaxosc.susceptibility(mixed, parameters, by)
    for name, known in (
        ("stacked", [[True, False, False], [True, True, False], [True, True, True]]),
        ("alone", [[True, False]] * 3),
    ):
        np.testing.assert_array_equal(np.isfinite(reverse[name]), known)
        np.testing.assert_allclose(reverse[name], forward[name], rtol=digits(1e-14))
    cube = 3 * parameters["x"] ** 2 if by == "x" else 6 * parameters["x"]
    np.testing.assert_allclose(reverse["stacked"][:, 0], cube, rtol=digits(1e-14))


def test_a_rule_that_knows_reverse_alone():
    @jax.custom_vjp
    def both(x):
        return jnp.stack([x**2, x])

    both.defvjp(lambda x: (both(x), x), lambda x, bar: (2 * x * bar[0] + bar[1],))
    slopes = jaxosc.susceptibility(both, {"x": 2.0}, "x", mode="reverse")
    np.testing.assert_allclose(slopes, [4, 1])


@pytest.mark.slow
def test_past_the_critical_point():
    function = NUMBER["local"]
    parameters = dict(zip(NAMES, POINTS["generic"], strict=True))
    with pytest.raises(ValueError, match="damp every motion, but one grows at the rate"):
        jaxosc.susceptibility(function, parameters | {"coupling": 0.7}, "coupling")
    slopes = jaxosc.susceptibility(
        function, parameters | {"coupling": np.array([0.3, 0.7])}, "coupling"
    )
    np.testing.assert_array_equal(np.isnan(slopes), [False, True])
    # A value that is NaN has a derivative that is NaN, and not zero.
    gradient = jax.vmap(jax.grad(function, argnums=2), (None, None, 0, None, None))
    gradients = jax.jit(gradient)(1.0, 1.7, jnp.array([0.3, 0.7]), 2.0, 3.0)
    np.testing.assert_array_equal(np.isnan(gradients), [False, True])
    with pytest.raises(ValueError, match="damp every motion, but one grows at the rate"):
        jax.grad(function, argnums=2)(1.0, 1.7, 0.7, 2.0, 3.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"by": "y"}, "`by` must be one of 'x'"),
        ({"by": ("x", "x", "x")}, "`by` must be one name, or two"),
        ({"mode": "sideways"}, "`mode` must be one of"),
        ({"parameters": {"x": np.nan}}, "`x` must be finite"),
        ({"parameters": {"x": "1"}}, "must be a real number"),
        ({"parameters": {}}, "must map at least one"),
        ({"parameters": {1: 2.0}}, "names as keys"),
        ({"function": lambda y: y}, "must take x by name"),
        ({"function": lambda x: jax.lax.complex(x, x)}, "must return real floating numbers"),
        ({"by": 1.0}, "`by` must be one name, or two"),
        ({"by": None}, "`by` must be one name, or two"),
        ({"function": lambda x: "text"}, "`function` must return numbers"),
        ({"function": lambda x: 10**400}, "`function` must return numbers"),
        ({"function": lambda x: {1: x, "b": x}}, "`function` must return numbers"),
        ({"function": lambda x: x if x > 0 else -x}, "choose in Python by no number"),
        ({"function": lambda x: np.sin(x)}, "jnp in place of NumPy"),
    ],
)
def test_bad_susceptibility(change, words):
    arguments = {"function": lambda x: x**2, "parameters": {"x": 1.0}, "by": "x"} | change
    with pytest.raises(ValueError, match=words):
        jaxosc.susceptibility(**arguments)


def test_functions_that_jax_made():
    """They differentiate what is passed by position; others return another precision."""
    slope = jaxosc.susceptibility(jax.grad(lambda x, y: x**2 * y), {"x": 3.0, "y": 5.0}, "x")
    assert slope == 10
    found = jaxosc.critical_exponent(lambda x: x.astype(np.float32) ** -2, {"x": 3.0}, "x")
    assert found == pytest.approx(2, rel=1e-6)


def test_arrays_that_do_not_broadcast():
    with pytest.raises(ValueError, match="broadcast together"):
        jaxosc.susceptibility(lambda x, y: x * y, {"x": np.ones(2), "y": np.ones(3)}, "x")


def state(name, interaction, distance, damping=1e-8, temperature=(98.0, 298.0)):
    oscillators = jaxosc.pair((5.0, 2.0), interaction=interaction, distance=distance)
    if name == "gibbs":
        return jaxosc.gibbs(oscillators, temperature[0])
    equation = {
        "local": jaxosc.local_lindblad,
        "global": jaxosc.global_lindblad,
        "langevin": jaxosc.langevin,
    }[name]
    baths = jaxosc.Baths((damping, damping), temperature)
    return jaxosc.steady_state(equation(oscillators, baths))


def exponents(name, interaction, distances, **more):
    return jaxosc.critical_exponent(
        lambda distance: jaxosc.occupation(state(name, interaction, distance, **more))[0],
        {"distance": distances},
    )


@pytest.mark.parametrize(
    ("name", "interaction", "damping", "expected"),
    [
        ("gibbs", "position", 0.0, 1),
        *nightly(("global", "position", 1e-8, 1)),
        *slow(("langevin", "position", 1e-8, 1)),
        ("local", "position", 1e-8, 1),
        *nightly(("langevin", "rotating-wave", 1e-13, 1)),
        ("local", "rotating-wave", 1e-13, 0),
    ],
)
def test_thermal_exponents(name, interaction, damping, expected):
    distances = np.array([1e-3, 1e-4, 1e-5] if SINGLE else [1e-5, 1e-7, 1e-10])
    damping = max(damping, 1e-8) if SINGLE else damping
    found = exponents(name, interaction, distances, damping=damping)
    # Corrections to the power law are of the order of the distance, times at most 1/R_1² here; of
    # rotating-wave baths of the order of Ω₋ ~ √distance, for U = (X + P)/2 with P/X = Ω₋/ω.
    size = 30 * distances + (0.2 * np.sqrt(distances) if name == "global" else 0)
    assert np.all(np.abs(found[:2] - expected) < size[:2] + 2e-7 + 20 * EPS)
    assert abs(found[2] - expected) < max(1e-5, size[2]) + 20 * EPS


@pytest.mark.parametrize("temperature", [0.0, 98.0])
def test_gibbs_exponents_against_fifty_digits(temperature):
    """⟨n1⟩ from the normal modes, n1 = Σ R²[(ω/Ω + Ω/ω)/4 coth(Ω/2T)] − ½."""

    def occupation(log_distance):
        omega1, omega2 = mpmath.mpf(5), mpmath.mpf(2)
        coupling = mpmath.sqrt(omega1 * omega2) / 2 * (1 - mpmath.exp(log_distance))
        off = 2 * coupling * mpmath.sqrt(omega1 * omega2)
        squares, vectors = mpmath.eigsy(mpmath.matrix([[omega1**2, off], [off, omega2**2]]))
        total = -mpmath.mpf(1) / 2
        for k in (0, 1):
            omega = mpmath.sqrt(squares[k])
            coth = mpmath.coth(omega / (2 * temperature)) if temperature else mpmath.mpf(1)
            total += vectors[0, k] ** 2 * (omega / omega1 + omega1 / omega) / 4 * coth
        return mpmath.log(total)

    distances = np.array([1e-2, 1e-6, 1e-10])
    ours = exponents("gibbs", "position", distances, temperature=(temperature, temperature))
    with mpmath.workdps(60):
        for distance, value in zip(distances, ours, strict=True):
            expected = -mpmath.diff(occupation, mpmath.log(mpmath.mpf(float(distance))))
            assert value == pytest.approx(float(expected), rel=1e-9 + 20 * EPS)
    if temperature == 0:
        assert ours[-1] == pytest.approx(0.5, abs=1e-5)


@double
@pytest.mark.nightly
@pytest.mark.parametrize(("interaction", "expected"), [("position", 0.5), ("rotating-wave", 1.0)])
def test_information_grows_logarithmically(interaction, expected):
    slopes = jaxosc.logarithmic_slope(
        lambda distance: jaxosc.mutual_information(
            state("langevin", interaction, distance, damping=1e-13)
        ),
        {"distance": np.array([1e-4, 1e-6])},
    )
    np.testing.assert_allclose(slopes, expected, atol=2e-4)
    assert slopes[1] == pytest.approx(expected, abs=2e-6)


def test_logarithmic_slope_of_a_known_function():
    x = np.array([0.5, 2.0])
    found = jaxosc.logarithmic_slope(lambda x: x**2 - 3 * jnp.log(x), {"x": x}, by="x")
    np.testing.assert_allclose(found, 3 - 2 * x**2, rtol=digits(1e-14))


def test_without_a_value_there_is_no_slope():
    """The slope of the selection itself would be 0."""
    x = np.array([0.5, 2.0])
    for derivative in (jaxosc.susceptibility, jaxosc.critical_exponent, jaxosc.logarithmic_slope):
        found = derivative(lambda x: jnp.where(x < 1, x**2, jnp.nan), {"x": x}, by="x")
        assert np.isfinite(found).tolist() == [True, False]


def test_a_closed_curve():
    curve = jaxosc.trace_curve(
        lambda x, y: x**2 + y**2 / 4 - 1, {"x": 0.9, "y": 0.1}, {"x": (-2, 2), "y": (-3, 3)}
    )
    assert curve.closed
    x, y = curve.points["x"], curve.points["y"]
    assert np.abs(x**2 + y**2 / 4 - 1).max() < digits(1e-14)
    assert np.ptp(x) > 1.98
    np.testing.assert_allclose(
        curve.tangent["x"] * x + curve.tangent["y"] * y / 4, 0, atol=digits(1e-14)
    )  # along the curve


UNIT = {"x": (0.0, 1.0), "y": (0.0, 1.0)}


@pytest.mark.parametrize("narrow", [1e-3, pytest.param(1e-7, marks=[double, pytest.mark.slow])])
def test_a_hairpin_keeps_both_branches(narrow):
    def parabola(x, y):
        return (y - 0.5) ** 2 - narrow * (x - 0.1)

    for start in (0.4, -0.4, 1e-3 * narrow, -1e-4):  # from the tip on, signed by the branch
        begin = {"x": 0.1 + abs(start), "y": 0.5 + np.sign(start) * np.sqrt(narrow * abs(start))}
        curve = jaxosc.trace_curve(parabola, begin, UNIT)
        x, y = curve.points["x"], curve.points["y"]
        assert not curve.closed
        assert curve.ends == ("it leaves the bounds", "it leaves the bounds")
        np.testing.assert_allclose(x[[0, -1]], 1, atol=digits(1e-13))
        ends = 0.5 + np.sqrt(narrow * 0.9) * np.array([-1, 1])
        np.testing.assert_allclose(np.sort(y[[0, -1]]), ends, atol=digits(1e-13))
        assert np.all(np.diff(y) > 0) or np.all(np.diff(y) < 0)
        assert x.min() - 0.1 < 0.01 * narrow
        assert np.abs(parabola(x, y)).max() < digits(1e-15) * np.sqrt(narrow)
        along = curve.tangent["x"] * narrow - 2 * (y - 0.5) * curve.tangent["y"]
        np.testing.assert_allclose(along, 0, atol=digits(1e-13))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (0.3, 0.3),
        (0.4, 0.003),
        pytest.param(2e-4, 0.3, marks=double),
        *slow((0.4, 0.3), (1e-3, 1e-3)),
        pytest.param(0.4, 4e-4, marks=[double, pytest.mark.slow]),
    ],
)
@pytest.mark.parametrize("angle", [2.9, *nightly(0.0, 1.5707963267948966, 0.7, 4.0)])
def test_ellipses_close(first, second, angle):
    def ellipse(x, y):
        return ((x - 0.5) / first) ** 2 + ((y - 0.5) / second) ** 2 - 1

    start = {"x": 0.5 + first * np.cos(angle), "y": 0.5 + second * np.sin(angle)}
    curve = jaxosc.trace_curve(ellipse, start, UNIT)
    assert curve.closed
    assert curve.ends == ("it is closed", "it is closed")
    turns = np.unwrap(
        np.arctan2((curve.points["y"] - 0.5) / second, (curve.points["x"] - 0.5) / first)
    )
    assert abs(turns[-1] - turns[0]) == pytest.approx(2 * np.pi, abs=1e-3)
    for name, axis in (("x", first), ("y", second)):
        reach = np.abs(curve.points[name] - 0.5)
        assert 0.99 * axis < reach.max() < axis + digits(1e-13)
    residual = ellipse(curve.points["x"], curve.points["y"])
    assert np.abs(residual).max() < digits(1e-15) / min(first, second)


@pytest.mark.parametrize("start", [(0.3, 0.4), *slow([0.9, 0.5], [0.6, 0.6], [0.501, 0.501])])
def test_a_figure_eight_goes_straight_through_its_crossing(start):
    def eight(x, y):
        u, v = x - 0.5, y - 0.5
        return (u**2 + v**2) ** 2 - 0.16 * (u**2 - v**2)

    curve = jaxosc.trace_curve(eight, dict(zip("xy", start, strict=True)), UNIT)
    assert curve.closed
    x, y = curve.points["x"], curve.points["y"]
    assert x.min() < 0.101
    assert x.max() > 0.899
    assert np.abs(eight(x, y)).max() < digits(1e-15)
    tangent = np.stack([curve.tangent["x"], curve.tangent["y"]])
    assert np.sum(tangent[:, 1:] * tangent[:, :-1], axis=0).min() > 0.97


@pytest.mark.parametrize("waves", [100.0, 1000.0])
def test_it_stays_on_one_of_many_branches(waves):
    def ripples(x, y):
        return jnp.sin(waves * (y - 0.2 * jnp.sin(8 * x)))

    curve = jaxosc.trace_curve(ripples, {"x": 0.1, "y": 0.3}, UNIT | {"y": (-1.0, 1.0)})
    height = waves * (curve.points["y"] - 0.2 * np.sin(8 * curve.points["x"])) / np.pi
    np.testing.assert_allclose(height, np.round(height[0]), atol=digits(1e-12) * waves)
    np.testing.assert_allclose(np.sort(curve.points["x"])[[0, -1]], [0, 1], atol=digits(1e-12))


@pytest.mark.parametrize("scale", [1e-200, *nightly(1e-160, 1e160, 1e200)])
@double
def test_no_unit_of_the_function_matters(scale):
    """A smooth curve, a square and a crossing, as without the factor."""
    for function, start in (
        (lambda x, y: (x - 0.5) ** 2 + (y - 0.5) ** 2 / 4 - 0.02, {"x": 0.6, "y": 0.5}),
        (lambda x, y: jnp.abs(x - 0.5) + jnp.abs(y - 0.5) - 0.2, {"x": 0.6, "y": 0.6}),
        (lambda x, y: (x - y) * (x + y - 0.9), {"x": 0.7, "y": 0.69}),
    ):
        ours = jaxosc.trace_curve(lambda x, y, f=function: scale * f(x, y), start, UNIT)
        plain = jaxosc.trace_curve(function, start, UNIT)
        assert ours.ends == plain.ends
        for name in "xy":
            np.testing.assert_allclose(ours.points[name], plain.points[name], atol=1e-9)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: (x - y) ** 2,
        lambda x, y: (x - y) ** 3,
        lambda x, y: (x**2 + y**2 - 0.5) ** 2,
        lambda x, y: jnp.maximum(x - 0.7, 0) + 0 * y,  # zero in a whole region
    ],
)
@pytest.mark.parametrize("start", [(0.5, 0.5), (0.6, 0.3)])
def test_a_double_root_is_named(function, start):
    with pytest.raises(ValueError, match="both vanish"):
        jaxosc.trace_curve(function, dict(zip("xy", start, strict=True)), UNIT)


def test_where_the_gradient_vanishes_the_curve_ends():
    curve = jaxosc.trace_curve(
        lambda x, y: (x - y) * jnp.maximum(x - 0.5, 0) ** 2, {"x": 0.8, "y": 0.81}, UNIT
    )
    assert sum("gradient vanishes" in end for end in curve.ends) == 1
    assert curve.points["x"].min() == pytest.approx(0.5, abs=1e-3)


def test_corners_and_bounds():
    square = jaxosc.trace_curve(
        lambda x, y: jnp.abs(x) + jnp.abs(y) - 1,
        {"x": 0.3, "y": -0.8},
        {"x": (-2, 2), "y": (-3, 3)},
    )
    assert square.closed
    # Both ends of every edge are met, but for the size of a turn
    for name in ("x", "y"):
        assert square.points[name].min() < -0.999
        assert square.points[name].max() > 0.999
    part = jaxosc.trace_curve(
        lambda x, y: y - x**2, {"x": 0.1, "y": 0.0}, {"x": (-1, 0.5), "y": (-1, 0.64)}
    )
    assert part.ends == ("it leaves the bounds", "it leaves the bounds")
    np.testing.assert_allclose(np.sort(part.points["x"])[[0, -1]], [-0.8, 0.5], atol=digits(1e-12))


def test_critical_manifold():
    def distance(omega, coupling):
        omegas = jnp.stack([omega, jnp.asarray(2.0)])
        return jaxosc.critical_scale(jaxosc.pair(omegas, coupling, "position")) - 1

    curve = jaxosc.trace_curve(
        distance, {"omega": 5.0, "coupling": 1.0}, {"omega": (0.1, 10), "coupling": (0.1, 3)}
    )
    omega, coupling = curve.points["omega"], curve.points["coupling"]
    np.testing.assert_allclose(coupling, np.sqrt(2 * omega) / 2, rtol=digits(1e-13))
    slope = curve.tangent["coupling"] / curve.tangent["omega"]
    np.testing.assert_allclose(slope, np.sqrt(2 / omega) / 4, rtol=digits(1e-12))
    np.testing.assert_allclose(np.sort(omega)[[0, -1]], [0.1, 10], rtol=digits(1e-12))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"function": lambda x, y: x**2 + y**2 + 1}, "`start` must lie near a zero"),
        ({"start": {"x": 5.0, "y": 0.0}}, "inside the bounds"),
        ({"start": {"x": 0.0, "z": 0.0}}, "`start` must name"),
        ({"bounds": {"x": (1, -1), "y": (0, 1)}}, "low < high"),
        ({"bounds": {"x": (-1, 1)}}, "`bounds` must name two"),
        ({"max_points": 1}, "`max_points`"),
        ({"function": lambda x, y: object()}, "`function` must return numbers"),
        ({"function": lambda x, y: float(x)}, "choose in Python by no number"),
        ({"bounds": {"x": (0, 10**400), "y": (0, 1)}}, "two numbers for 'x'"),
        (
            {"start": {"x": np.float32(0), "y": 0}, "bounds": {"x": (0, 1e300), "y": (0, 1)}},
            "ordinary distance between them in float32",
        ),
    ],
)
def test_bad_curves(change, words):
    arguments = {
        "function": lambda x, y: x - y,
        "start": {"x": 0.5, "y": 0.4},
        "bounds": {"x": (-1, 1), "y": (-1, 1)},
    } | change
    with pytest.raises(ValueError, match=words):
        jaxosc.trace_curve(**arguments)


def first_number(covariance):
    return jaxosc.occupation(covariance)[0]


def frontier(delta_t, description=jaxosc.local_lindblad, omega=(5.0, 2.0), tolerance=0.1, **more):
    more = {"interaction": "position", "observable": first_number} | more
    oscillators = jaxosc.pair(omega, 1.0, more.pop("interaction"))
    baths = jaxosc.Baths((1.5e-4, 1.5e-4), jnp.stack([jnp.full_like(delta_t, 98.0), 98 + delta_t]))
    observable = more.pop("observable")
    return jaxosc.trust_frontier(oscillators, baths, description, observable, tolerance, **more)


def reference_error(name, omega, coupling, delta_t):
    network = reference.pair(omega, coupling, "position")
    baths = ([1.5e-4, 1.5e-4], [98.0, 98.0 + delta_t])
    values = [
        reference.occupation(equation(*network, *baths))[0]
        for equation in (getattr(reference, name), reference.langevin)
    ]
    return float(abs(values[0] / values[1] - 1))


@pytest.mark.slow
def test_a_root_has_the_derivatives_of_its_equation():
    """x = √(ab) of x² − ab = 0, found by a search that has none; b does not always move."""

    def search(function):
        def halve(_, ends):
            middle = (ends[0] + ends[1]) / 2
            low = function(middle) < 0
            return jnp.where(low, middle, ends[0]), jnp.where(low, ends[1], middle)

        ends = jax.lax.fori_loop(0, 60, halve, (jnp.zeros(()), jnp.full((), 10.0)))
        return (ends[0] + ends[1]) / 2, jnp.int32(7)

    solve = implicit_root(lambda x, a, b: x * x - a * b, search)

    def root(a, b):
        return solve(a, b)[0]

    a, b = jnp.asarray(2.0), jnp.asarray(3.0)
    x, tolerance = np.sqrt(6.0), digits(1e-13)
    value, outcome = jax.jit(solve)(a, b)
    assert float(value) == pytest.approx(x, rel=tolerance)
    assert int(outcome) == 7
    for derive in (jax.jacfwd, jax.jacrev):
        first = jax.jit(derive(root))(a, b)
        assert float(first) == pytest.approx(x / 4, rel=tolerance)
        (aa, ab), (ba, bb) = jax.jit(jax.jacfwd(derive(root, (0, 1)), (0, 1)))(a, b)
        expected = [-x / 16, 1 / (4 * x), 1 / (4 * x), -x / 36]
        np.testing.assert_allclose([aa, ab, ba, bb], expected, rtol=tolerance)
    third = jax.jit(jax.jacfwd(jax.jacfwd(jax.jacrev(root))))(a, b)
    assert float(third) == pytest.approx(3 * x / 64, rel=10 * tolerance)
    # By another each time: what moves becomes more
    for derive in (jax.jacfwd, jax.jacrev):
        mixed = jax.jit(derive(derive(derive(root, 1), 0), 1))(a, b)
        assert float(mixed) == pytest.approx(-x / 144, rel=10 * tolerance)


@pytest.mark.slow
def test_frontier_of_the_local_equation():
    differences = jnp.array([0.0, 100.0, 200.0])
    found = jax.jit(jax.vmap(frontier))(differences)
    assert found.crosses.all()
    assert set(found.reason) == {"the error crosses the tolerance here"}
    critical = np.sqrt(10.0) / 2
    np.testing.assert_allclose(found.scale, found.ratio * critical, rtol=digits(1e-15))
    for scale, difference in zip(found.scale, differences, strict=True):
        error = reference_error("local", (5.0, 2.0), float(scale), float(difference))
        assert error == pytest.approx(0.1, rel=digits(1e-10))


@pytest.mark.nightly
def test_frontier_of_the_global_equation_at_resonance():
    """It fails below a coupling of the order of the damping."""
    found = frontier(jnp.asarray(100.0), jaxosc.global_lindblad, (2.0, 2.0), side="lower")
    assert 0.5 < float(found.scale) / 1.5e-4 < 5
    error = reference_error("global_", (2.0, 2.0), float(found.scale), 100.0)
    assert error == pytest.approx(0.1, rel=1e-8 + 20 * EPS)
    above = frontier(jnp.asarray(100.0), jaxosc.global_lindblad, (2.0, 2.0), side="upper")
    assert not above.crosses
    assert "other direction" in above.reason


@pytest.mark.nightly
def test_frontiers_that_do_not_exist():
    never = frontier(jnp.asarray(0.0), jaxosc.global_lindblad, interaction="rotating-wave")
    assert np.isnan(never.ratio)
    assert np.isnan(never.scale)
    assert "within the tolerance at every coupling" in never.reason
    always = frontier(jnp.asarray(100.0), tolerance=1e-14, between=(0.5, 0.6))
    assert not always.crosses
    assert "exceeds the tolerance at every coupling" in always.reason
    oscillators = jaxosc.pair((5.0, 2.0), 1.0, "position")
    cold = jaxosc.Baths((1e-2, 1e-2), (0.0, 0.0))
    undefined = jaxosc.trust_frontier(
        oscillators, cold, jaxosc.local_lindblad, jaxosc.mutual_information, 0.1
    )
    assert np.isnan(undefined.ratio)
    assert "not defined" in undefined.reason


# Few derivatives are taken together, those by many entries or complex ones apart
@pytest.mark.parametrize(("entries", "dtype"), [(3, DTYPE), (7, DTYPE), (20, DTYPE), (3, COMPLEX)])
@pytest.mark.parametrize("derivative", [jax.jacfwd, jax.jacrev])
def test_derivatives_of_a_root(entries, dtype, derivative):
    """x = (Σθ)^½ of x² = Σθ, where θ is a multiple t of given numbers: t dx/dt = x/2."""
    numbers = jnp.linspace(1, 2, entries).astype(dtype)

    def equation(x, still, theta):
        return x**2 * still - jnp.sum(theta).real

    def search(function):
        root = jnp.sqrt(-function(jnp.zeros((), DTYPE)))
        return root, jnp.zeros((), int)

    def solution(t):
        return implicit_root(equation, search)(jnp.ones((), DTYPE), t.astype(dtype) * numbers)[0]

    t = jnp.asarray(1.7, DTYPE)
    x = np.sqrt(1.7 * 1.5 * entries)
    functions = [solution]
    for _ in range(3):
        functions.append(derivative(functions[-1]))
    expected = [x, x / 2 / 1.7, -x / 4 / 1.7**2, 3 * x / 8 / 1.7**3]
    found = jax.jit(lambda t: [function(t) for function in functions])(t)
    np.testing.assert_allclose(found, expected, rtol=digits(1e-13))


@pytest.mark.slow
def test_frontier_by_name():
    """Names stand for functions of the registry and of the table of observables."""
    named = frontier(jnp.asarray(100.0), "local", observable="occupation1")
    error = reference_error("local", (5.0, 2.0), float(named.scale), 100.0)
    assert error == pytest.approx(0.1, rel=digits(1e-10))


@pytest.mark.nightly
def test_frontier_of_heat():
    """Where the global heat current falls short of an error, by the rate equations of both."""
    found = frontier(
        jnp.asarray(100.0), "local", (3.0, 3.0), observable="heat1", exact="global",
        interaction="rotating-wave", tolerance=0.02, side="lower",
    )  # fmt: skip
    assert found.crosses
    local, exact = reference.heat_of_bath_1((3.0, 3.0), float(found.scale), 1.5e-4, (98.0, 198.0))
    assert abs(local / exact - 1) == pytest.approx(0.02, rel=digits(1e-8))


@double
@pytest.mark.nightly
def test_frontier_differentiates():
    def scale(delta_t, tolerance):
        return frontier(delta_t, tolerance=tolerance).scale

    point = (jnp.asarray(100.0), jnp.asarray(0.1))
    forward = jax.jit(jax.jacfwd(scale, (0, 1)))(*point)
    reverse = jax.jit(jax.jacrev(scale, (0, 1)))(*point)
    np.testing.assert_allclose(forward, reverse, rtol=digits(1e-10))
    for index, step in enumerate((1e-3, 1e-6)):
        high, low = (
            scale(*(x + sign * step * (i == index) for i, x in enumerate(point)))
            for sign in (1, -1)
        )
        assert forward[index] == pytest.approx(float(high - low) / (2 * step), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tolerance": 0.0}, "`tolerance` must be positive"),
        ({"side": "left"}, "`side` must be one of"),
        ({"between": (0.5, 1.5)}, "`between` must hold 0 < low < high < 1"),
        ({"between": 3}, "`between` must be two numbers"),
        ({"observable": jaxosc.occupation}, "`observable` must return one real number"),
        ({"description": "locl"}, "`description` must be one of 'langevin', .*, 'local', but it"),
        ({"description": None}, "`description` must be a function"),
        ({"exact": "gibbs"}, "`exact` must be one of 'langevin'"),
        ({"observable": "heat3"}, "`observable` must be one of .*'heat1', 'heat2'.*, but it is"),
        (
            {"description": lambda o, b: jaxosc.gibbs(o, 1.0), "observable": "heat1"},
            "`description` must return a Dynamics for the observable 'heat1'",
        ),
        ({"description": jaxosc.steady_state}, r"`description` must take \(oscillators, baths\)"),
        ({"description": lambda o, b: "x"}, "`description` must return a Dynamics or a covariance"),
        ({"description": lambda o, b: np.eye(2)}, "`description` must return a Dynamics or a cov"),
        ({"exact": lambda o, b: None}, "`exact` must return a Dynamics or a covariance"),
        ({"exact": lambda o, b: jnp.eye(4) if b.damping[0] > 0 else 0}, "`exact` must return the"),
        ({"observable": lambda s: {"a": s[0, 0], "b": s[0, 0]}}, "`observable` must return one"),
        ({"observable": lambda s: float(s[0, 0])}, "`observable` must return the same structure"),
        ({"observable": lambda: 1.0}, r"`observable` must take \(covariance\)"),
        ({"between": (0.1, 10**400)}, "`between` must be two numbers"),
        ({"between": np.ma.array([0.1, 0.2], mask=[0, 1])}, "`between` must be two numbers"),
        ({"coupling": 0.0}, "must have couplings that become critical at some scale, but"),
    ],
)
def test_bad_frontiers(change, words):
    coupling = change.pop("coupling", 1.0)
    arguments = {
        "oscillators": jaxosc.pair((5.0, 2.0), coupling, "position"),
        "baths": jaxosc.Baths((1e-2, 1e-2), (1.0, 2.0)),
        "description": jaxosc.local_lindblad,
        "observable": first_number,
        "tolerance": 0.1,
    } | change
    with pytest.raises(ValueError, match=words):
        jaxosc.trust_frontier(**arguments)


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["local", "langevin"])
@pytest.mark.parametrize(
    "point", [(1.0, 1.0, 0.2, 2.0, 3.0), (1.0, 1.7, 0.0, 2.0, 3.0), (5.0, 2.0, 1.58, 98.0, 298.0)]
)
def test_mixed_susceptibility(name, point):
    """∂²⟨n1⟩/∂λ∂T1 at resonance, λ = 0 and near λ_c, against nested 50-digit differences."""
    equation = {"local": jaxosc.local_lindblad, "langevin": jaxosc.langevin}[name]

    def number(omega1, omega2, coupling, T1, T2):
        oscillators = jaxosc.pair(jnp.stack([omega1, omega2]), coupling, "position")
        baths = jaxosc.Baths((1e-2, 2e-2), jnp.stack([T1, T2]))
        return jaxosc.occupation(jaxosc.steady_state(equation(oscillators, baths)))[0]

    def exact(coupling, temperature):
        network = reference.pair(point[:2], coupling, "position")
        baths = (damping, [temperature, point[4]])
        return reference.occupation(getattr(reference, name)(*network, *baths))[0]

    point = tuple(float(rounded(x)) for x in point)  # what the library gets to see
    damping = [float(rounded(x)) for x in (1e-2, 2e-2)]
    parameters = dict(zip(("omega1", "omega2", "coupling", "T1", "T2"), point, strict=True))
    ours = jaxosc.susceptibility(number, parameters, ("coupling", "T1"))
    with mpmath.workdps(60):
        h, x, t = mpmath.mpf(10) ** -11, mpmath.mpf(point[2]), mpmath.mpf(point[3])
        expected = sum(
            i * j * exact(x + i * h, t + j * h) for i in (1, -1) for j in (1, -1)
        ) / (4 * h**2)  # fmt: skip
        value = abs(exact(x, t))
    distance = 1 - 2 * point[2] / (point[0] * point[1]) ** 0.5
    floor = digits(1e-12) / distance * float(value) / max(point[2], 1e-2) / point[3]
    assert ours == pytest.approx(float(expected), rel=1e-9 + 20 * EPS, abs=floor)


def test_a_curve_that_ends_in_an_infinite_gradient():
    """√(1 − x) = y ends at (1, 0), where its tangent is upright."""
    curve = jaxosc.trace_curve(
        lambda x, y: jnp.sqrt(1 - x) - y, {"x": 0.5, "y": 0.7}, {"x": (0.0, 2.0), "y": (-1.0, 2.0)}
    )
    assert curve.points["x"][0] == pytest.approx(1, abs=1e-6)
    assert all(np.isfinite(part).all() for part in curve.tangent.values())
    assert abs(curve.tangent["x"][0]) < 1e-2 * abs(curve.tangent["y"][0])
    assert "no value beyond" in curve.ends[0]
