"""Results of sweeps in the formats of others."""

import csv

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray

import jaxosc

X, Y = np.linspace(-1.0, 2.0, 11), np.linspace(0.5, 3.0, 7)
PATH = {"a": np.arange(5.0), "b": np.arange(5.0) ** 2}


def tree(x, a, b):
    return {"sum": {"all": x + a + b}, "pair": jnp.stack([x, a]), "large": x > a}


@pytest.fixture(scope="module")
def result():
    return jaxosc.sweep(tree, {"x": X, "path": PATH})


def test_xarray_selects_by_name(result):
    data = result.to_xarray()
    assert data["sum.all"].dims == ("x", "path")
    assert data["pair"].dims == ("x", "path", "pair_0")
    assert float(data["sum.all"].sel(x=2.0).isel(path=3)) == 2.0 + 3.0 + 9.0
    np.testing.assert_array_equal(data["b"], PATH["b"])


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".npz"])
def test_what_is_saved_is_loaded(result, tmp_path, ending):
    for _ in range(2):  # the second replaces the first
        path = result.save(tmp_path / f"a{ending}")
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    loaded = jaxosc.load_sweep(path)
    assert loaded.metadata == result.metadata
    assert list(loaded.axes) == ["x", "path"]
    assert list(loaded.axes["path"]) == ["a", "b"]
    assert jax.tree.structure(loaded.values) == jax.tree.structure(result.values)
    for a, b in zip(jax.tree.leaves(loaded.values), jax.tree.leaves(result.values), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


def test_a_lone_array_is_called_value(tmp_path):
    result = jaxosc.sweep(lambda x: jax.lax.complex(x, x), {"x": X})
    for ending in (".zarr", ".npz"):
        loaded = jaxosc.load_sweep(result.save(tmp_path / f"a{ending}"))
        np.testing.assert_array_equal(loaded.values, X + 1j * X)
    with pytest.raises(ValueError, match="complex"):
        result.save(tmp_path / "a.nc")


def test_a_table_has_a_row_a_point(tmp_path):
    result = jaxosc.sweep(lambda x, a, b: x + a * b, {"x": X, "path": PATH})
    with result.save(tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["x", "a", "b", "value"]
    assert len(rows) == 55
    for row in rows:
        x, a, b, value = (float(row[name]) for name in ("x", "a", "b", "value"))
        assert value == x + a * b


def test_a_sweep_on_disk_is_an_xarray_too(tmp_path):
    result = jaxosc.sweep(lambda x: 2 * x, {"x": X}, store=tmp_path / "a.zarr")
    data = result.to_xarray()
    assert isinstance(data, xarray.Dataset)
    np.testing.assert_array_equal(data["value"], 2 * X)


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".npz", ".csv"])
def test_nobody_elses_folder_is_replaced(result, tmp_path, ending):
    (tmp_path / f"a{ending}").mkdir()
    (tmp_path / f"a{ending}" / "precious").write_text("mine")
    with pytest.raises(ValueError, match="a folder"):
        result.save(tmp_path / f"a{ending}")
    assert (tmp_path / f"a{ending}" / "precious").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_any_name_goes_into_numpys_file(tmp_path):
    def function(file, allow_pickle):
        return {"self": file + allow_pickle}

    result = jaxosc.sweep(function, {"file": X, "allow_pickle": Y})
    loaded = jaxosc.load_sweep(result.save(tmp_path / "a.npz"))
    np.testing.assert_array_equal(loaded.values["self"], X[:, None] + Y)
    with np.load(tmp_path / "a.npz") as data:
        assert set(data) == {"file", "allow_pickle", "self", "jaxosc_sweep"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"mine"])
@pytest.mark.parametrize("ending", [".nc", ".npz"])
def test_broken_files_are_refused(tmp_path, content, ending):
    (tmp_path / f"a{ending}").write_bytes(content)
    with pytest.raises(ValueError, match="that `save` wrote"):
        jaxosc.load_sweep(tmp_path / f"a{ending}")


def test_files_that_cannot_be(result, tmp_path):
    with pytest.raises(ValueError, match="must end in one of"):
        result.save(tmp_path / "a.txt")
    summary = jaxosc.sweep(lambda x: x, {"x": X}, reduce="min")
    with pytest.raises(ValueError, match="holds summaries"):
        summary.save(tmp_path / "a.nc")
    np.savez(tmp_path / "b.npz", x=X)
    for name in ("b.npz", "missing.nc", "missing.zarr", "missing.npz"):
        with pytest.raises(ValueError, match="that `save` wrote"):
            jaxosc.load_sweep(tmp_path / name)
