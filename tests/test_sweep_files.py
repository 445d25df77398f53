"""Results of sweeps in the formats of others."""

import csv
import errno
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray
from legs import nightly
from precision import double

import jaxosc
from jaxosc.sweeps.result import SweepResult

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


@double
def test_a_lone_array_is_called_value(tmp_path):
    result = jaxosc.sweep(lambda x: jax.lax.complex(x, x), {"x": X})
    for ending in (".zarr", ".npz"):
        loaded = jaxosc.load_sweep(result.save(tmp_path / f"a{ending}"))
        np.testing.assert_array_equal(loaded.values, X + 1j * X)
    with pytest.raises(ValueError, match="complex"):
        result.save(tmp_path / "a.nc")


@double
def test_a_table_has_a_row_a_point(tmp_path):
    result = jaxosc.sweep(lambda x, a, b: x + a * b, {"x": X, "path": PATH})
    with result.save(tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["x", "a", "b", "value"]
    assert len(rows) == 55
    for row in rows:
        x, a, b, value = (float(row[name]) for name in ("x", "a", "b", "value"))
        assert value == x + a * b


@double
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


@double
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


def damaged(path, how):
    """Do that to a file or folder."""
    content = path.read_bytes() if path.is_file() else b""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if how != "gone":
        path.write_bytes({"cut": content[: len(content) // 2]}.get(how, how.encode()))


@pytest.mark.parametrize(
    ("name", "hows"),
    [
        ("x/c/0", ("gone", "", "cut", "junk")),
        ("pair/c/0/0/0", ("gone", "", "cut", "junk")),
        ("x/zarr.json", ("gone", "", "cut", "null", "{}")),
        ("pair/zarr.json", ("gone", "", "cut", "null", "{}")),
        ("zarr.json", ("gone", "", "cut", "null", "{}")),
        ("pair", ("gone",)),
    ],
)
def test_a_damaged_folder_is_refused(result, tmp_path, name, hows):
    """Of what is lost Zarr makes NaN or zero, which could be the function's, and says nothing."""
    result.save(tmp_path / "whole.zarr")
    for how in hows:
        path = Path(shutil.copytree(tmp_path / "whole.zarr", tmp_path / f"{how}.zarr"))
        damaged(path / name, how)
        with pytest.raises(ValueError, match="Argument `path` must be a file that `save` wrote"):
            jaxosc.load_sweep(path)


def test_chunks_of_zeros_and_nan_are_not_lost(tmp_path):
    result = jaxosc.sweep(lambda x: {"nan": x * jnp.nan, "zero": 0 * x.astype(int)}, {"x": X})
    loaded = jaxosc.load_sweep(result.save(tmp_path / "a.zarr"))
    np.testing.assert_array_equal(loaded.values["nan"], np.full(11, np.nan))
    np.testing.assert_array_equal(loaded.values["zero"], np.zeros(11))


@pytest.mark.parametrize("name", ["a.npz", "a.zarr/b/c/0", *nightly("a.nc", "a.zarr/pair/c/0/0/0")])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # h5netcdf's
def test_a_changed_bit_is_noticed_or_harmless(result, tmp_path, name):
    saved = result.save(tmp_path / name.partition("/")[0])
    path = tmp_path / name
    content = path.read_bytes()
    refused = []
    for place in range(0, len(content), -(-len(content) // 100)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            loaded = jaxosc.load_sweep(saved)
        except ValueError as error:
            refused.append(str(error))
        else:
            numbers = ((each.values, each.axes) for each in (loaded, result))
            jax.tree.map(np.testing.assert_array_equal, *numbers)
    assert len(refused) > 10
    assert all(each.startswith("Argument `path` must be a file that `sa") for each in refused)
    path.write_bytes(content)  # put right, it is read again
    np.testing.assert_array_equal(jaxosc.load_sweep(saved).values["pair"], result.values["pair"])


@pytest.mark.parametrize("path", [None, 1, b"a.npz", [], "x" * 5000 + ".npz", "a\0.npz"])
def test_what_is_no_path(result, path):
    for call in (
        jaxosc.load_sweep,
        result.save,
        lambda path: jaxosc.sweep(tree, result.axes, store=path if path is not None else 1),
    ):
        with pytest.raises(ValueError, match=r"must be a path, but .* is none"):
            call(path)


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".npz", ".csv"])
def test_a_folder_that_is_not_there(result, tmp_path, ending):
    (tmp_path / "file").write_text("mine")
    for name in ("missing", "file"):
        path = tmp_path / name / f"a{ending}"
        with pytest.raises(ValueError, match=f"in a folder that exists, but {path.parent} does"):
            result.save(path)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("ending", [".nc", ".zarr", ".npz", ".csv"])
def test_what_fails_leaves_what_was_there(result, tmp_path, ending, monkeypatch):
    path = result.save(tmp_path / f"a{ending}")
    write = SweepResult._write

    def full(self, path):
        write(self, path)
        raise OSError(errno.ENOSPC, "No space", str(path))

    monkeypatch.setattr(SweepResult, "_write", full)
    with pytest.raises(OSError, match="No space left on device: ") as caught:
        result.save(path)
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == [path]
    if ending != ".csv":
        assert jaxosc.load_sweep(path).metadata == result.metadata


@pytest.mark.parametrize(
    ("values", "axes", "words"),
    [
        (np.ones(3), {"x": {"x": np.ones(2)}}, "`values` must hold arrays that begin with"),
        ("text", {"x": {"x": np.ones(2)}}, "`values` must hold arrays that begin with"),
        (np.ones(2), {"x": np.ones(2)}, "`axes` must map each dimension"),
        (np.ones(2), None, "`axes` must map each dimension"),
    ],
)
def test_a_result_that_does_not_fit_together(tmp_path, values, axes, words):
    made = SweepResult(values, axes, {})
    for write in (made.to_xarray, lambda: made.save(tmp_path / "a.npz")):
        with pytest.raises(ValueError, match=words):
            write()


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
