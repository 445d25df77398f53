"""Sweeps against NumPy on the whole grid, and against themselves cut otherwise."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from legs import nightly, slow
from precision import EPS, digits, double

import jaxosc
from jaxosc.sweeps.grid import cut

OMEGA, DAMPING = (5.0, 2.0), (1.5e-4, 2e-4)
CRITICAL = float(jaxosc.critical_coupling(OMEGA, "position"))
COUPLING = np.linspace(0.0, 0.99, 23) * CRITICAL
DELTA_T = np.linspace(0.0, 200.0, 17)


def occupations(coupling, delta_t):
    oscillators = jaxosc.pair(OMEGA, coupling, "position")
    baths = jaxosc.Baths(DAMPING, jnp.stack([jnp.full_like(delta_t, 98.0), 98.0 + delta_t]))
    equations = {"local": jaxosc.local_lindblad, "exact": jaxosc.langevin}
    return {
        name: jaxosc.occupation(jaxosc.steady_state(equation(oscillators, baths)))
        for name, equation in equations.items()
    }


def wave(x, y):
    return jnp.sin(3 * x) * y + x**2


X, Y = np.linspace(-1.0, 2.0, 101), np.linspace(0.5, 3.0, 37)
WAVE = np.sin(3 * X)[:, None] * Y + X[:, None] ** 2


@pytest.mark.slow
@double
def test_values_are_those_of_nested_vmap_to_the_last_bit():
    result = jaxosc.sweep(occupations, {"coupling": COUPLING, "delta_t": DELTA_T})
    expected = jax.jit(jax.vmap(jax.vmap(occupations, (None, 0)), (0, None)))(COUPLING, DELTA_T)
    for name in ("local", "exact"):
        assert result.values[name].shape == (23, 17, 2)
        np.testing.assert_array_equal(result.values[name], expected[name])
    assert result.shape == (23, 17)
    np.testing.assert_array_equal(result.axes["coupling"]["coupling"], COUPLING)


@double
def test_metadata_say_how_the_result_was_made():
    metadata = jaxosc.sweep(wave, {"x": X, "y": Y}).metadata
    assert metadata["jaxosc"] == jaxosc.__version__
    assert metadata["jax"] == jax.__version__
    assert metadata["dtype"] == "float64"
    assert metadata["points"] == X.size * Y.size
    assert metadata["devices"].startswith("1 x")
    assert metadata["seconds"] > 0
    json.dumps(metadata)


@pytest.mark.parametrize("block", [7, 38, 3736, 10**6, *nightly(1, 37, 100, 1000, 3737)])
def test_the_block_changes_rounding_at_most(block):
    result = jaxosc.sweep(wave, {"x": X, "y": Y}, block=block)
    np.testing.assert_allclose(
        result.values, WAVE, rtol=0, atol=digits(1e-14)
    )  # rounding of the sine
    assert result.metadata["block"] <= block


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=4)
    .map(tuple)
    .filter(lambda shape: np.prod(shape) <= 3000),
    st.integers(1, 2000),
)
def test_blocks_tile_the_grid_in_order(shape, points):
    layout = cut(shape, points)
    assert np.prod(layout.block_shape) <= points or points < layout.inner or layout.rows == 1
    grid = np.arange(np.prod(shape)).reshape(shape)
    seen = []
    for block in layout:
        start, stop = layout.span(block)
        box = grid[layout.leading(block)][start:stop]
        flat = layout.flat(block)
        np.testing.assert_array_equal(box.ravel(), np.arange(flat.start, flat.stop))
        seen.append(box.ravel())
        assert layout.cells * layout.cell_rows >= stop - start
    np.testing.assert_array_equal(np.concatenate(seen), grid.ravel())


def test_parameters_run_together_along_a_path():
    def volume(a, b, c, d):
        return a + 10 * b + 100 * c + 1000 * d

    path = {"a": [1.0, 2.0, 3.0], "c": [4.0, 5.0, 6.0]}
    result = jaxosc.sweep(volume, {"b": [0.0, 1.0], "path": path, "d": [7.0]})
    a, c = np.array(path["a"]), np.array(path["c"])
    expected = a + 10 * np.array([[0.0], [1.0]]) + 100 * c + 7000
    np.testing.assert_array_equal(result.values, expected[..., None])
    assert list(result.axes) == ["b", "path", "d"]
    assert list(result.axes["path"]) == ["a", "c"]


def test_progress_is_shown_when_asked_and_not_into_a_file(capfd):
    jaxosc.sweep(wave, {"x": X, "y": Y}, block=100)
    jaxosc.sweep(wave, {"x": X, "y": Y}, block=100, progress=False)
    assert capfd.readouterr().err == ""
    jaxosc.sweep(wave, {"x": X, "y": Y}, block=100, progress=True)
    errors = capfd.readouterr().err
    assert "3.74k" in errors  # points in all
    assert "pt/s" in errors


@double
def test_any_tree_and_dtype_comes_back():
    def many(x):
        return (x > 0, {"n": jnp.int32(3), "z": jax.lax.complex(x, x)}, [jnp.stack([x, 2 * x])])

    positive, inner, (pair,) = jaxosc.sweep(many, {"x": X}, block=10).values
    assert positive.dtype == bool
    assert inner["n"].dtype == np.int32
    np.testing.assert_array_equal(inner["z"], X + 1j * X)
    np.testing.assert_array_equal(pair, np.stack([X, 2 * X], axis=-1))
    np.testing.assert_array_equal(positive, X > 0)


@pytest.mark.nightly
@double
def test_derivatives_sweep():
    def local(coupling, delta_t):
        oscillators = jaxosc.pair(OMEGA, coupling, "position")
        baths = jaxosc.Baths(DAMPING, jnp.stack([jnp.full_like(delta_t, 98.0), 98.0 + delta_t]))
        return jaxosc.occupation(jaxosc.steady_state(jaxosc.local_lindblad(oscillators, baths)))[0]

    slope = jax.grad(local)
    result = jaxosc.sweep(slope, {"coupling": COUPLING[1:], "delta_t": DELTA_T}, block=50)
    step = 1e-6
    above, below = (
        jaxosc.sweep(local, {"coupling": COUPLING[1:] + shift, "delta_t": DELTA_T})
        for shift in (step, -step)
    )
    difference = (above.values - below.values) / (2 * step)
    # Rounding of a difference: 1e-16 * 1e2 / 1e-6, and its own error near the critical point
    np.testing.assert_allclose(result.values, difference, rtol=1e-5, atol=1e-6)


def test_single_precision_is_kept():
    result = jaxosc.sweep(wave, {"x": X.astype(np.float32), "y": Y.astype(np.float32)})
    assert result.values.dtype == np.float32
    assert result.metadata["dtype"] == "float32"


NUMPY = {"min": np.min, "max": np.max, "sum": np.sum, "mean": np.mean, "std": np.std}


@double
@pytest.mark.parametrize("block", [90, *nightly(None, 37, 1000)])
def test_reductions_are_numpys(block):
    result = jaxosc.sweep(wave, {"x": X, "y": Y}, reduce=tuple(NUMPY), block=block)
    for name, function in NUMPY.items():
        # Sums of 4000 terms of order one, in another order
        np.testing.assert_allclose(result.values[name], function(WAVE), rtol=digits(1e-13))
    located = jaxosc.sweep(wave, {"x": X, "y": Y}, reduce=["argmin", "argmax"], block=block).values
    for name, function in (("argmin", np.argmin), ("argmax", np.argmax)):
        i, j = np.unravel_index(function(WAVE), WAVE.shape)
        assert (located[name]["x"], located[name]["y"]) == (X[i], Y[j])


@double
@pytest.mark.parametrize("block", [None, 7])
def test_nan_is_kept_or_left_out(block):
    def root(x):
        return jnp.sqrt(x)

    kept = jaxosc.sweep(root, {"x": X}, reduce=(*NUMPY, "argmax"), block=block).values
    for name in NUMPY:
        assert np.isnan(kept[name])
    assert kept["argmax"]["x"] == X[0]
    out = jaxosc.sweep(root, {"x": X}, reduce={k: "nan" + k for k in (*NUMPY, "argmin")}).values
    valid = np.sqrt(X[X >= 0])
    for name, function in NUMPY.items():
        np.testing.assert_allclose(
            out[name], function(valid), rtol=digits(1e-13), atol=digits(1e-13)
        )
    assert out["argmin"]["x"] == X[X >= 0][0]


def test_a_grid_without_values_has_no_extremum():
    out = jaxosc.sweep(
        lambda x: x * jnp.nan, {"x": X}, reduce=("nanmin", "nanmean", "nanargmax"), block=10
    ).values
    assert np.isnan(out["nanmin"])
    assert np.isnan(out["nanmean"])
    assert np.isnan(out["nanargmax"]["x"])


SPECIAL = {
    "nan after infinity": [1.0, np.inf, np.nan, 2.0, -np.inf],
    "one infinity": [1.0, 2.0, np.inf, 3.0, 4.0],
    "minus infinity and nan": [np.nan, -np.inf] * 5,
    "infinity and nan": [np.nan, np.inf] * 5,
    "only nan at first": [np.nan] * 5 + [3.0, 1.0],
    "both infinities": [-np.inf, 1.0, np.inf],
}


@pytest.mark.parametrize("numbers", SPECIAL.values(), ids=SPECIAL)
@pytest.mark.parametrize("block", [3, *slow(None), *nightly(1, 2, 7)])
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_special_values_are_summarised_as_numpy_does(numbers, block):
    data = np.array(numbers)
    axes = {"i": np.arange(data.size)}
    names = [prefix + name for prefix in ("", "nan") for name in (*NUMPY, "argmin", "argmax")]
    found = jaxosc.sweep(
        functools.partial(pick, data=jnp.asarray(data)), axes, reduce=names, block=block
    ).values
    for name in names:
        function = getattr(np, name.removeprefix("nan"))
        kept = ~np.isnan(data) if name.startswith("nan") else np.ones(data.size, bool)
        value, expected = found[name], function(data[kept])
        if "arg" in name:  # numpy.nanargmax would give the place of a NaN beside infinities
            value, expected = value["i"], np.flatnonzero(kept)[expected]
        np.testing.assert_array_equal(value, expected, err_msg=name)


def pick(i, data):
    return data[i.astype(int)]


@double
@pytest.mark.parametrize("kind", [np.float16, np.int64, *nightly(np.uint8, bool)])
def test_narrow_and_whole_numbers_are_summarised_without_loss(kind):
    data = (np.random.default_rng(0).normal(100, 20, 70000)).astype(kind)
    axes = {"i": np.arange(data.size)}
    found = jaxosc.sweep(
        functools.partial(pick, data=jnp.asarray(data)), axes, reduce=tuple(NUMPY)
    ).values
    for name, function in NUMPY.items():
        exact = function(data.astype(float))
        np.testing.assert_allclose(found[name], exact, rtol=1e-6 if kind == np.float16 else 1e-12)


def test_summaries_that_are_large_leave_large_blocks():
    result = jaxosc.sweep(
        wave, {"x": X, "y": Y}, reduce={"h": jaxosc.histogram(-1.0, 2.5, 500_000)}
    )
    assert result.metadata["block"] == X.size * Y.size
    found = result.values["h"]
    assert found["counts"].sum() + found["above"] + found["below"] == X.size * Y.size


def test_a_grid_of_any_size_is_begun_at_once(monkeypatch):
    """1e16 points: nothing may be listed block by block before the first one is there."""

    class Begun(Exception):
        pass

    def fold(*arguments, **options):
        raise Begun

    monkeypatch.setattr("jaxosc.sweeps.program.fold", fold)
    axes = {f"x{number}": np.arange(100.0) for number in range(8)}
    with pytest.raises(Begun):
        jaxosc.sweep(lambda **x: sum(x.values()), axes, reduce="sum")


@double
@pytest.mark.parametrize("sign", [1, -1])
def test_infinite_values_are_found_beside_nan(sign):
    def poles(x):
        return jnp.where(x < 0, jnp.nan, sign * jnp.inf)

    out = jaxosc.sweep(poles, {"x": X}, reduce=("nanmin", "nanmax", "nanargmax"), block=10).values
    assert out["nanmin"] == out["nanmax"] == sign * np.inf
    assert out["nanargmax"]["x"] == X[X >= 0][0]


def test_the_first_of_equals_is_reported():
    for block in (None, 1, 6):
        out = jaxosc.sweep(
            lambda x, y: jnp.abs(x) + 0 * y,
            {"x": [3.0, -3.0, 0.0, 3.0], "y": [5.0, 4.0, 3.0]},
            reduce=("argmax", "argmin"),
            block=block,
        ).values
        assert (out["argmax"]["x"], out["argmax"]["y"]) == (3.0, 5.0)
        assert (out["argmin"]["x"], out["argmin"]["y"]) == (0.0, 5.0)


def test_a_histogram_counts_every_point_once():
    def value(x, y):
        return jnp.where(x > 1.9, jnp.nan, wave(x, y))

    out = jaxosc.sweep(
        value, {"x": X, "y": Y}, reduce={"h": jaxosc.histogram(-1.0, 2.5, 13)}, block=200
    ).values["h"]
    kept = WAVE[X <= 1.9]
    counts, edges = np.histogram(kept, 13, (-1.0, 2.5))
    np.testing.assert_array_equal(out["counts"], counts)
    np.testing.assert_allclose(out["edges"], edges)
    assert out["below"] == np.sum(kept < -1.0)
    assert out["above"] == np.sum(kept > 2.5)
    assert out["nan"] == np.sum(X > 1.9) * Y.size


def test_a_histogram_has_both_its_ends():
    out = jaxosc.sweep(
        lambda x: x, {"x": [0.0, 0.5, 1.0, 2.0]}, reduce={"h": jaxosc.histogram(0, 1, 2)}
    ).values["h"]
    assert out["counts"].tolist() == [1, 2]
    assert (out["below"], out["above"], out["nan"]) == (0, 1, 0)


def test_a_histogram_counts_its_bins_in_any_type():
    """Also after that: the same bins are the same, cached, histogram."""
    for bins in (np.int64(7), 7):
        histogram = jaxosc.histogram(0, 1, bins)
        x = np.float32([0.0, 0.5])
        assert jaxosc.sweep(scalar, {"x": x}, reduce={"h": histogram}).values["h"]["counts"][0] == 1


@double
@pytest.mark.slow
def test_reductions_of_trees_and_arrays_are_elementwise():
    result = jaxosc.sweep(
        occupations, {"coupling": COUPLING, "delta_t": DELTA_T}, reduce=("max", "argmax"), block=60
    ).values
    values = jaxosc.sweep(occupations, {"coupling": COUPLING, "delta_t": DELTA_T}).values
    for name in ("local", "exact"):
        np.testing.assert_array_equal(result["max"][name], values[name].max((0, 1)))
        for mode in (0, 1):
            i, j = np.unravel_index(np.argmax(values[name][..., mode]), (23, 17))
            assert result["argmax"][name]["coupling"][mode] == COUPLING[i]
            assert result["argmax"][name]["delta_t"][mode] == DELTA_T[j]


def test_users_own_reductions():
    crowded = jaxosc.Reduction(
        lambda values, points, valid: jnp.sum(valid & (values > 1.0) & (points["x"] > 0)), jnp.add
    )
    for block in (None, 50):
        out = jaxosc.sweep(wave, {"x": X, "y": Y}, reduce={"n": crowded}, block=block).values
        assert out["n"] == np.sum((WAVE > 1.0) & (X[:, None] > 0))


SCRIPT = """
import sys, numpy as np, jax
jax.config.update("jax_enable_x64", True)
sys.path.insert(0, {tests!r})
import jaxosc, test_sweep as t
out = {{}}
for block in (None, 60):
    axes = {{"coupling": t.COUPLING, "delta_t": t.DELTA_T}}
    values = jaxosc.sweep(t.occupations, axes, block=block)
    states = jaxosc.sweep(t.occupations, axes, block=block,
                          reduce={{"mean": "mean", "std": "std", "argmax": "argmax",
                                   "h": jaxosc.histogram(0, 100, 7)}})
    for kind, result in (("values", values), ("states", states)):
        for name, leaf in enumerate(jax.tree.leaves(result.values)):
            out[f"{{kind}} {{block}} {{name}}"] = leaf
assert len(jax.local_devices()) == {devices}
np.savez({file!r}, **out)
"""


def _on_devices(devices, folder):
    file = str(folder / f"{devices}.npz")
    script = SCRIPT.format(tests=str(Path(__file__).parent), devices=devices, file=file)
    count = f"--xla_force_host_platform_device_count={devices}"
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": count}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=300)
    with np.load(file) as data:
        return dict(data)


@pytest.mark.nightly
def test_the_number_of_devices_changes_no_bit(tmp_path):
    one, *others = (_on_devices(devices, tmp_path) for devices in (1, 3, 8))
    for other in others:
        assert one.keys() == other.keys()
        for name, value in one.items():
            np.testing.assert_array_equal(other[name], value, err_msg=name)


def scalar(x):
    return x


@double
@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({}, "at least one parameter"),
        ([1.0], "at least one parameter"),
        ({"x": []}, "at least one number"),
        ({"x": 1.0}, "one-dimensional"),
        ({"x": [[1.0]]}, "one-dimensional"),
        ({"x": [1.0, np.nan]}, "finite numbers in float64 for 'x', but number 1 is nan"),
        ({"x": [1.0, np.inf]}, "finite"),
        ({"x": ["a", "b"]}, "array of real numbers"),
        ({"x": "0:1"}, "array of real numbers"),
        ({"x": None}, "array of real numbers"),
        ({"x": jax.random.split(jax.random.key(0))}, "array of real numbers"),
        ({"x": [True]}, "array of real numbers"),
        ({"x": [1j]}, "array of real numbers"),
        ({"x": np.ones(2, np.float16)}, "float32 or float64"),
        ({"x": np.ones(2, np.longdouble)}, "float32 or float64"),
        ({"x": np.ma.masked_array([1.0, 2.0], [0, 1])}, "float32 or float64"),
        ({"x": [[1.0], [1.0, 2.0]]}, "array of real numbers"),
        ({"y": [1.0]}, "must take y by name"),
        ({"x": [1.0], "y": [1.0]}, "must take x, y by name"),
        ({1: [1.0]}, "names as keys"),
        ({"not a name": [1.0]}, "names as keys"),
        ({"path": {}}, "there is none"),
        ({"path": {"x": [1.0], "y": [1.0, 2.0]}}, "one length"),
        ({"x": [1.0], "path": {"x": [1.0]}}, "on two axes"),
        ({"x": {"y": [1.0]}, "z": {"x": [1.0]}}, "name of an axis"),
    ],
)
def test_axes_that_cannot_be(axes, message):
    with pytest.raises(ValueError, match=message):
        jaxosc.sweep(scalar, axes)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (None, "must be a function"),
        (jnp.ones(()), "must be a function"),
        (lambda x: {1: x, "b": x}, "must return numbers"),
        (lambda x: np.ma.array([1.0]), "must return numbers"),
        (lambda x: iter([x]), "must return numbers"),
        (lambda x: "text", "must return numbers"),
        (lambda x: object(), "must return numbers"),
        (lambda x: x if x > 0 else (x, x), "same structure"),
        (lambda x: float(x), "same structure"),
        (lambda x: jax.random.key(0), "must return numbers"),
        (lambda x: x.astype(jnp.bfloat16), "must return numbers"),
        (lambda x: np.sin(x), "jnp in place of NumPy"),
        (lambda x: X[x.astype(int)], "jnp in place of NumPy"),
        (lambda x: jnp.ones(3)[x > jnp.ones(3)], "jnp in place of NumPy"),
        (lambda x: 2**70, "must return numbers"),
        (lambda x: None, "at least one number"),
        (lambda x: {}, "at least one number"),
        (lambda x: (x, jnp.zeros((0, 3))), "at least one number"),
    ],
)
def test_functions_that_cannot_be(function, message):
    with pytest.raises(ValueError, match=message):
        jaxosc.sweep(function, {"x": X})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block": 0}, "between 1"),
        ({"block": 1.5}, "whole number"),
        ({"devices": []}, "at least one of jax.local_devices"),
        ({"devices": [1]}, "at least one of jax.local_devices"),
        ({"devices": jax.devices()[0]}, "at least one of jax.local_devices"),
        ({"progress": "yes"}, "True, False or None"),
        ({"reduce": "median"}, "one of 'min'"),
        ({"reduce": ()}, "is empty"),
        ({"reduce": 3}, "name of a reduction"),
        ({"reduce": {1: "min"}}, "names as keys"),
        ({"reduce": {"a": 3}}, "one of 'min'"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        jaxosc.sweep(scalar, {"x": X}, **options)


@pytest.mark.parametrize(
    "sweeping",
    [
        lambda a: jaxosc.sweep(scalar, {"x": jnp.stack([a, a])}).values.sum(),
        lambda a: jaxosc.sweep(lambda x: x * a, {"x": X}).values.sum(),
        lambda a: jaxosc.sweep(lambda x: jax.jit(lambda y: y * a)(x), {"x": X}).values.sum(),
    ],
)
def test_a_sweep_is_not_traced(sweeping):
    one = jnp.ones(())
    for transformed in (
        jax.grad(sweeping),
        jax.jit(sweeping),
        lambda a: jax.vmap(sweeping)(a[None]),
    ):
        with pytest.raises(ValueError, match="runs outside jit, vmap and grad"):
            transformed(one)


@pytest.mark.parametrize(
    "ends",
    [(1, 1), (2, 1), (0, np.nan), (0, np.inf), ("a", 1), (0, 10**400), (-1.7e308, 1.7e308),
     (0, 1e-320), (0, 1j), (0, np.complex64(1)), (0, np.ma.masked)],
)  # fmt: skip
def test_histograms_that_cannot_be(ends):
    with pytest.raises(ValueError, match="must"):
        jaxosc.histogram(*ends)


def test_a_histogram_too_wide_for_its_values_is_refused():
    x = np.linspace(0, 1, 5, dtype=np.float32)
    with pytest.raises(ValueError, match="ordinary width in float32"):
        jaxosc.sweep(scalar, {"x": x}, reduce={"h": jaxosc.histogram(0, 1e39)})


def test_reductions_that_cannot_be():
    for arguments in ((5, jnp.add), (jnp.sum, 5), (jnp.sum, jnp.add, None)):
        with pytest.raises(ValueError, match="must be a function"):
            jaxosc.Reduction(*arguments)
    with pytest.raises(ValueError, match=r"`combine` must take \(earlier, later\)"):
        jaxosc.Reduction(lambda values, points, valid: 0, lambda a: a)
    for partial, words in (
        (lambda v, p, valid: "text", "`partial` must return numbers"),
        (lambda v, p, valid: jnp.zeros(0), "`partial` returns numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            jaxosc.sweep(scalar, {"x": X}, reduce={"bad": jaxosc.Reduction(partial, jnp.add)})
    nothing = jaxosc.Reduction(lambda values, points, valid: None, jnp.add)
    with pytest.raises(ValueError, match="`partial` returns numbers"):
        jaxosc.sweep(scalar, {"x": X}, reduce={"nothing": nothing})
    choosing = jaxosc.Reduction(lambda v, p, valid: 1 if v[0] > 0 else 2, jnp.add)
    with pytest.raises(ValueError, match="`partial` must return the same structure"):
        jaxosc.sweep(scalar, {"x": X}, reduce={"choosing": choosing})


def test_values_cannot_be_written_to_however_they_came():
    for block in (None, 100):
        values = jaxosc.sweep(wave, {"x": X, "y": Y}, block=block).values
        assert not values.flags.writeable


def test_axes_are_finite_in_their_precision():
    with jax.enable_x64(False), pytest.raises(ValueError, match="finite numbers in float32"):
        jaxosc.sweep(scalar, {"x": [1.0, 1e39]})


def test_a_complex_quantity_has_no_extremum():
    with pytest.raises(ValueError, match="real floating numbers"):
        jaxosc.sweep(lambda x: jax.lax.complex(x, x), {"x": X}, reduce="max")


def test_a_combine_must_keep_the_structure():
    def fail(earlier, later):
        raise TypeError("my own")

    for combine, error, words in (
        (lambda a, b: (a, b), ValueError, "`combine` must return what `partial`"),
        (lambda a, b: (a + b).astype(np.float32), ValueError, "`combine` must return what `part"),
        (lambda a, b: a if a > b else b, ValueError, "`combine` must return the same structure"),
        (fail, TypeError, "my own"),
    ):
        bad = jaxosc.Reduction(lambda v, p, valid: jnp.sum(v), combine)
        with pytest.raises(error, match=words):
            jaxosc.sweep(scalar, {"x": X}, reduce={"bad": bad})


@pytest.mark.nightly
def test_a_function_too_large_for_memory_is_cut_or_refused():
    def heavy(x, entries):
        vector = jnp.sin(x * jnp.arange(entries, dtype=float))
        return jnp.sort(vector)[-1]  # a sort is not fused: it needs the whole vector

    result = jaxosc.sweep(functools.partial(heavy, entries=10**5), {"x": np.linspace(0, 1, 500)})
    assert result.metadata["block"] < 500
    with pytest.raises(ValueError, match="enough memory"):
        jaxosc.sweep(functools.partial(heavy, entries=10**7), {"x": np.linspace(0, 1, 10**5)},
                     block=10**5)  # fmt: skip


def test_a_result_too_large_for_memory_is_refused():
    axis = np.linspace(0, 1, 10**6)
    with pytest.raises(ValueError, match="fit into memory"):
        jaxosc.sweep(wave, {"x": axis, "y": axis})


def test_the_bar_shows_points_when_asked(capsys):
    jaxosc.sweep(wave, {"x": X, "y": Y}, progress=True, block=100)
    assert "pt" in capsys.readouterr().err
    jaxosc.sweep(wave, {"x": X, "y": Y}, block=100)
    assert capsys.readouterr().err == ""


@pytest.fixture(scope="module")
def networks():
    """Seven networks of two modes, and as many baths, each with a leading axis."""
    generator = np.random.default_rng(4)
    frequency = generator.uniform(1, 2, (7, 2))
    strength = generator.uniform(0.1, 0.4, 7)[:, None, None] * np.array([[0, 1], [1, 0]])
    oscillators = jax.vmap(jaxosc.Oscillators)(frequency, strength, 0.5 * strength)
    baths = jax.vmap(jaxosc.Baths)(generator.uniform(0.01, 0.1, (7, 2)), frequency)
    return oscillators, baths


def first_number(network, bath, scale=1.0):
    state = jaxosc.steady_state(jaxosc.local_lindblad(network, bath))
    return jaxosc.occupation(state)[0] * scale


def member(batch, n):
    return jax.tree.map(lambda leaf: leaf[n], batch)


@pytest.mark.slow
def test_batches_of_records_are_axes(networks):
    oscillators, baths = networks
    scale = [1.0, -2.0]
    axes = {"network": oscillators, "scale": scale, "bath": member(baths, slice(0, 3))}
    result = jaxosc.sweep(first_number, axes)
    assert result.values.shape == (7, 2, 3)
    np.testing.assert_array_equal(result.axes["network"]["network"], np.arange(7))
    for n, s, m in ((0, 1, 2), (6, 0, 0), (3, 1, 1)):
        alone = first_number(member(oscillators, n), member(baths, m), scale[s])
        np.testing.assert_allclose(result.values[n, s, m], alone, rtol=10 * EPS)
    for block in (1, 4):
        again = jaxosc.sweep(first_number, axes, block=block)
        np.testing.assert_allclose(again.values, result.values, rtol=10 * EPS)
    summary = jaxosc.sweep(first_number, axes, reduce=["max", "argmax"]).values
    n, s, m = np.unravel_index(np.argmax(result.values), result.values.shape)
    assert summary["argmax"] == {"network": n, "scale": scale[s], "bath": m}


def test_records_run_together_and_are_known_to_a_store(networks, tmp_path):
    pytest.importorskip("zarr")
    oscillators, baths = networks
    axes = {"case": {"network": oscillators, "bath": baths}}
    result = jaxosc.sweep(first_number, axes, store=tmp_path / "store", block=3)
    for n in (0, 6):
        alone = first_number(member(oscillators, n), member(baths, n))
        np.testing.assert_allclose(result.values[n], alone, rtol=10 * EPS)
    twice = jax.tree.map(lambda leaf: 2 * leaf, baths)
    other = {"case": {"network": oscillators, "bath": twice}}
    with pytest.raises(ValueError, match="another batch of records"):
        jaxosc.sweep(first_number, other, store=tmp_path / "store", block=3)


def test_records_without_a_leading_axis(networks):
    oscillators, baths = networks
    mixed = jaxosc.Oscillators._assemble(
        (oscillators.frequency, oscillators.exchange[:3], oscillators.pairing, None), (True,)
    )
    for network in (member(oscillators, 0), mixed):
        with pytest.raises(ValueError, match="one leading axis for 'network'"):
            jaxosc.sweep(first_number, {"network": network, "bath": baths})


@pytest.mark.slow
def test_more_records_than_single_precision_numbers():
    """Beyond 2²⁴ a float32 knows only every other number."""
    count, which = 2**24 + 4, 2**24 + 1
    frequency = np.ones((count, 1), np.float32)
    frequency[which] = 2
    none = np.broadcast_to(np.zeros((), np.float32), (count, 1, 1))
    networks = jaxosc.Oscillators._assemble((frequency, none, none, None), (True,))
    result = jaxosc.sweep(
        lambda network: network.frequency[0], {"network": networks}, reduce=["max", "argmax"]
    )
    assert result.values == {"max": 2, "argmax": {"network": which}}
    assert result.axes["network"]["network"][which] == which
    assert result.metadata["dtype"] == "float32"
