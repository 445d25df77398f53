"""Sweeps on disk: what is written, and that no interruption harms it."""

import contextlib
import functools
import hashlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray
from precision import double

import jaxosc
from jaxosc.sweeps.store import Store

X, Y = np.linspace(-1.0, 2.0, 101), np.linspace(0.5, 3.0, 37)


def wave(x, y, scale=1.0, shift=None):
    shift = jnp.zeros(3, x.dtype) if shift is None else shift
    return {"sine": jnp.sin(3 * x) * y * scale, "both": jnp.stack([x, y, x * y]) + shift}


AXES = {"x": X, "y": Y}


def digest(folder):
    """Of the names and bytes of every file in it."""
    result = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            result.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return result.hexdigest()


def listing(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*"))


def test_the_store_holds_what_memory_would(tmp_path):
    result = jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=300)
    expected = jaxosc.sweep(wave, AXES, block=300).values
    for name, array in expected.items():
        np.testing.assert_array_equal(result.values[name][:], array)
        np.testing.assert_array_equal(result.values[name][3:5, 7], array[3:5, 7])
    assert [file.name for file in tmp_path.iterdir() if file.suffix != ".lock"] == ["a.zarr"]


@double
def test_xarray_reads_the_store(tmp_path):
    path = {"coupling": [0.1, 0.2, 0.3], "delta_T": [1.0, 2.0, 3.0]}

    def function(coupling, delta_T, y):
        return coupling * delta_T + y

    jaxosc.sweep(function, {"path": path, "y": Y}, store=tmp_path / "a.zarr", block=20)
    with xarray.open_zarr(tmp_path / "a.zarr", consolidated=False, chunks=None) as data:
        assert data["value"].dims == ("path", "y")
        assert data["coupling"].dims == ("path",)
        np.testing.assert_array_equal(data["delta_T"], path["delta_T"])
        expected = np.array([0.1, 0.4, 0.9])[:, None] + Y
        np.testing.assert_allclose(data["value"], expected, rtol=1e-15)


def test_zeros_and_nan_are_written_too(tmp_path):
    def function(x):
        return jnp.where(x < 0, jnp.nan, 0.0)

    result = jaxosc.sweep(function, {"x": X}, store=tmp_path / "a.zarr", block=10)
    np.testing.assert_array_equal(result.values[:], np.where(X < 0, np.nan, 0.0))
    chunks = [file for file in (tmp_path / "a.zarr" / "value" / "c").iterdir() if file.is_file()]
    assert len(chunks) == 11


@double
def test_a_finished_store_is_read_not_computed(tmp_path):
    jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=300)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "a.zarr").rglob("*")}
    again = jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=300)
    assert before == {file: file.stat().st_mtime_ns for file in (tmp_path / "a.zarr").rglob("*")}
    np.testing.assert_allclose(again.values["sine"][:, 0], np.sin(3 * X) * Y[0], rtol=1e-15)


@double
def test_a_store_is_loaded(tmp_path):
    path = {"x": X, "z": 2 * X}

    def function(x, z, y):
        return {"second": {"a": x * y}, "first": jnp.stack([z, y])}

    result = jaxosc.sweep(function, {"path": path, "y": Y}, store=tmp_path / "a.zarr", block=300)
    loaded = jaxosc.load_sweep(tmp_path / "a.zarr")
    assert list(loaded.axes) == ["path", "y"]
    assert list(loaded.axes["path"]) == ["x", "z"]
    np.testing.assert_array_equal(loaded.axes["path"]["z"], 2 * X)
    np.testing.assert_array_equal(loaded.values["second"]["a"][:], np.outer(X, Y))
    np.testing.assert_array_equal(loaded.values["first"][5, 6], [2 * X[5], Y[6]])
    assert loaded.metadata.items() <= result.metadata.items()
    assert repr(loaded) == "SweepResult(path 101, y 37)"
    assert loaded.to_xarray().equals(result.to_xarray())
    loaded.save(tmp_path / "b.npz")
    again = jaxosc.load_sweep(tmp_path / "b.npz").values
    np.testing.assert_array_equal(again["second"]["a"], np.outer(X, Y))


def test_the_block_of_a_store_is_kept(tmp_path):
    """The size chosen depends on the device's memory: it must not matter where a sweep goes on."""
    jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=300)
    assert jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr").metadata["block"] == 296


def with_array(x, array):
    return jax.jit(lambda x: jnp.sum(x * array))(x)


def with_branch(x, array):
    return jax.lax.cond(x > 0, lambda: jnp.sum(x * array), lambda: x)


def with_key(x, key):
    return x + jax.random.normal(key)


@pytest.mark.parametrize(
    ("function", "name", "one", "other"),
    [
        (with_array, "array", np.arange(9.0), np.arange(9.0) + 1),
        (with_array, "array", jnp.arange(9.0), jnp.arange(9.0) + 1),
        (with_branch, "array", np.arange(9.0), np.arange(9.0) + 1),
        (with_key, "key", jax.random.key(0), jax.random.key(1)),
    ],
)
def test_what_a_function_holds_belongs_to_it(tmp_path, function, name, one, other):
    path = tmp_path / "a.zarr"
    jaxosc.sweep(functools.partial(function, **{name: one}), {"x": X}, store=path)
    jaxosc.sweep(functools.partial(function, **{name: one}), {"x": X}, store=path)
    with pytest.raises(ValueError, match="made with another function"):
        jaxosc.sweep(functools.partial(function, **{name: other}), {"x": X}, store=path)


@pytest.mark.slow
def test_a_store_can_be_moved_and_copied_while_it_is_unfinished(tmp_path):
    expected = whole(tmp_path)
    with interrupted_after(11), pytest.raises(KeyboardInterrupt):
        jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=37)
    shutil.copytree(tmp_path / "a.zarr", tmp_path / "copy.zarr")
    (tmp_path / "a.zarr").rename(tmp_path / "moved.zarr")
    (tmp_path / "link.zarr").symlink_to(tmp_path / "moved.zarr")
    for name in ("copy.zarr", "link.zarr"):
        with interrupted_after(101 - 11):  # and no block more
            jaxosc.sweep(wave, AXES, store=tmp_path / name, block=37)
        assert digest(tmp_path / name) == expected


@double
def test_an_unfinished_store_is_not_loaded(tmp_path):
    with interrupted_after(11), pytest.raises(KeyboardInterrupt):
        jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=37)
    with pytest.raises(ValueError, match="must be a finished sweep"):
        jaxosc.load_sweep(tmp_path / "a.zarr")
    # Others read what there is, and are not told of files that they do not know.
    with xarray.open_zarr(tmp_path / "a.zarr", consolidated=False, chunks=None) as data:
        np.testing.assert_array_equal(data["sine"][10], np.sin(3 * X[10]) * Y)


@double
def test_a_function_that_calls_back_has_no_store(tmp_path):
    def outside(x):
        return jax.pure_callback(
            np.sin, jax.ShapeDtypeStruct((), x.dtype), x, vmap_method="expand_dims"
        )

    for function in (outside, jax.jit(outside)):
        with pytest.raises(ValueError, match="calls back into Python"):
            jaxosc.sweep(function, {"x": X}, store=tmp_path / "a.zarr")
    np.testing.assert_array_equal(jaxosc.sweep(outside, {"x": X}).values, np.sin(X))


@pytest.mark.parametrize("block", [None, 300])
@pytest.mark.parametrize("missing", ["zarr", "filelock"])
def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch, missing, block):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ValueError, match=r"pip install \"jaxosc\[io\]\""):
        jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=block)
    assert not list(tmp_path.iterdir())


def test_a_lost_chunk_is_noticed(tmp_path):
    path = tmp_path / "a.zarr"
    jaxosc.sweep(wave, AXES, store=path, block=300)
    next(file for file in (path / "sine" / "c" / "3").iterdir()).unlink()
    for again in (
        lambda: jaxosc.load_sweep(path),
        lambda: jaxosc.sweep(wave, AXES, store=path, block=300),
    ):
        with pytest.raises(ValueError, match="12 of 13 chunks of /sine are left"):
            again()


@pytest.mark.parametrize("name", ["x/c/0", "x/zarr.json", "sine/zarr.json", "sine"])
@pytest.mark.parametrize("content", [None, b"", b"null", b"{}"])
def test_a_damaged_store_is_refused(tmp_path, name, content):
    """A lost chunk of an axis would read as zeros."""
    path = tmp_path / "a.zarr"
    jaxosc.sweep(wave, AXES, store=path, block=300)
    if (path / name).is_file():
        (path / name).unlink()
    else:
        for array in ("sine", "both"):
            shutil.rmtree(path / array)
    if content is not None:
        (path / name).write_bytes(content)
    for again in (
        lambda: jaxosc.load_sweep(path),
        lambda: jaxosc.sweep(wave, AXES, store=path, block=300),
    ):
        with pytest.raises(
            ValueError, match=r"Argument `(path|store)` must be .*as it was .*, but"
        ):
            again()


def test_a_store_is_not_where_it_cannot_be(tmp_path):
    (tmp_path / "file").write_text("mine")
    for name in ("file/a.zarr", "file/folder/a.zarr", "a" * 252):
        with pytest.raises(ValueError, match="`store` must be in a folder that can be written to"):
            jaxosc.sweep(wave, AXES, store=tmp_path / name)
    with pytest.raises(ValueError, match="`store` must be a path, but it is empty"):
        jaxosc.sweep(wave, AXES, store="")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no file system without new files")
def test_where_no_file_can_be_made_no_other_run_is_blamed():
    """Root may write into folders without permission, but nobody into this one."""
    with pytest.raises(ValueError, match="`store` must be in a folder that can be written to, but"):
        jaxosc.sweep(wave, AXES, store="/proc/a.zarr")


def test_a_damaged_journal_costs_time_only(tmp_path):
    expected = whole(tmp_path)
    with interrupted_after(11), pytest.raises(KeyboardInterrupt):
        jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=37)
    journal = tmp_path / "a.zarr" / "both" / "journal.0"
    journal.write_bytes(journal.read_bytes()[:10] + b"\0\0\0\n\xff\n999\n4")
    jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=37)
    assert digest(tmp_path / "a.zarr") == expected


@double
@pytest.mark.parametrize("ending", [".npz", ".nc", ".zarr", ".csv"])
def test_a_store_saved_elsewhere_is_on_its_own(tmp_path, ending):
    result = jaxosc.sweep(lambda x: x, {"x": X}, store=tmp_path / "a.zarr")
    path = result.save(tmp_path / f"b{ending}")
    shutil.rmtree(tmp_path / "a.zarr")
    jaxosc.sweep(lambda x: 100 + x, {"x": X}, store=tmp_path / "a.zarr")
    if ending != ".csv":
        loaded = jaxosc.load_sweep(path)
        np.testing.assert_array_equal(loaded.values, X)
        np.testing.assert_array_equal(loaded.to_xarray()["value"], X)
    if ending == ".zarr":
        with pytest.raises(ValueError, match="a store of a sweep, but"):
            jaxosc.sweep(lambda x: x, {"x": X}, store=path)


@pytest.mark.parametrize("store", ["", ".", "/", "s3://bucket/a.zarr", 5, "a\0b"])
def test_paths_that_are_no_store(store):
    with pytest.raises(ValueError, match="Argument `store` must be"):
        jaxosc.sweep(wave, AXES, store=store)


@pytest.mark.parametrize(
    ("function", "axes"),
    [
        (lambda x: {"x": x}, {"x": X}),
        (lambda value: value, {"value": X}),
        (lambda x, y: {"path": x * y}, {"path": {"x": X, "y": X}}),
        (lambda x, value_0: jnp.stack([x, value_0]), {"x": X, "value_0": X}),
        (lambda x: {"a": {"b": x}, "a.b": x}, {"x": X}),
        (lambda x: {"a/b": x, "a": x}, {"x": X}),
        (lambda x: {"..": x}, {"x": X}),
        (lambda x: {"": x}, {"x": X}),
        (lambda x: {"a" * 300: x}, {"x": X}),
    ],
)
def test_names_that_would_collide_in_a_file(tmp_path, function, axes):
    with pytest.raises(ValueError, match="for its values to be written"):
        jaxosc.sweep(function, axes, store=tmp_path / "a.zarr")
    result = jaxosc.sweep(function, axes)
    for write in (result.to_xarray, lambda: result.save(tmp_path / "a.npz")):
        with pytest.raises(ValueError, match="for its values to be written"):
            write()
    assert [file.name for file in tmp_path.iterdir()] == [".a.zarr.lock"]


@double
@pytest.mark.parametrize(
    ("function", "axes", "block", "what"),
    [
        (wave, {"x": X + 1e-15, "y": Y}, 300, "axes"),
        (wave, {"x": X[:-1], "y": Y}, 300, "axes"),
        (wave, {"y": Y, "x": X}, 300, "axes"),
        (wave, {"x": X.astype(np.float32), "y": Y.astype(np.float32)}, 300, "dtype"),
        (functools.partial(wave, scale=1.0 + 1e-15), AXES, 300, "function"),
        (functools.partial(wave, shift=jnp.array([0.0, 1e-300, 0.0])), AXES, 300, "function"),
        (lambda x, y: wave(x, y)["sine"], AXES, 300, "function"),
        (wave, AXES, 200, "block"),
    ],
)
def test_a_store_of_another_sweep_is_refused(tmp_path, function, axes, block, what):
    jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=300)
    before = digest(tmp_path / "a.zarr")
    with pytest.raises(ValueError, match=f"made with another .*{what}"):
        jaxosc.sweep(function, axes, store=tmp_path / "a.zarr", block=block)
    assert digest(tmp_path / "a.zarr") == before


def test_what_is_no_store_is_refused_and_left_alone(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "zarr.json").write_text("mine")
    for name in ("file", "folder"):
        with pytest.raises(ValueError, match="new path or a store of a sweep"):
            jaxosc.sweep(wave, AXES, store=tmp_path / name)
    assert (tmp_path / "file").read_text() == "mine"
    assert (tmp_path / "folder" / "zarr.json").read_text() == "mine"


def test_reductions_have_no_store(tmp_path):
    with pytest.raises(ValueError, match="beside `reduce`"):
        jaxosc.sweep(wave, AXES, reduce="min", store=tmp_path / "a.zarr")


# One block a row, and a process that can be stopped between any two of them
SCRIPT = """
import sys, jax
jax.config.update("jax_enable_x64", True)
sys.path.insert(0, {tests!r})
import jaxosc, test_sweep_store as t
{before}
jaxosc.sweep(t.wave, t.AXES, store={store!r}, block=37)
print("finished")
"""


def start(store, before=""):
    script = SCRIPT.format(tests=str(Path(__file__).parent), store=str(store), before=before)
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def whole(tmp_path):
    jaxosc.sweep(wave, AXES, store=tmp_path / "whole.zarr", block=37)
    return digest(tmp_path / "whole.zarr")


@pytest.mark.nightly
def test_killed_at_random_it_ends_with_the_same_bytes(tmp_path):
    expected = whole(tmp_path)
    store, journal = tmp_path / "a.zarr", tmp_path / "a.zarr" / "both" / "journal.0"
    chance = random.Random(0)
    kills = 0
    for _ in range(25):
        finished = journal.read_text().split("\n")[:-1] if journal.exists() else []
        known = {file: file.stat().st_mtime_ns for block in finished
                 for file in (store / "sine" / "c" / block).glob("*")}  # fmt: skip
        process = start(store)
        lines = len(finished)
        while process.poll() is None:
            time.sleep(0.001)
            if journal.exists() and journal.read_text().count("\n") > lines:
                time.sleep(chance.uniform(0, 0.03))
                break
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        # Nothing that was finished before was touched.
        assert all(file.stat().st_mtime_ns == when for file, when in known.items())
        if process.returncode == 0:
            break
    assert kills >= 3
    jaxosc.sweep(wave, AXES, store=store, block=37)
    assert listing(store) == listing(tmp_path / "whole.zarr")
    assert digest(store) == expected
    assert not journal.exists()


@double
@pytest.mark.nightly
def test_a_full_disk_stops_it_and_it_goes_on(tmp_path):
    expected = whole(tmp_path)
    store = tmp_path / "a.zarr"
    # From block 40 on, no file may grow beyond 200 bytes: the write itself fails.
    process = start(
        store,
        """
import resource
from jaxosc.sweeps.store import Store
write = Store.write
def limited(self, block, parts):
    if block == 40:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
    write(self, block, parts)
Store.write = limited
""",
    )
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1, errors
    assert "40 of 101 blocks are in" in errors
    assert "the same call goes on from there" in errors
    jaxosc.sweep(wave, AXES, store=store, block=37)
    assert digest(store) == expected


def test_two_runs_on_one_store_are_refused(tmp_path):
    from filelock import FileLock

    with (
        FileLock(tmp_path / ".a.zarr.lock"),
        pytest.raises(ValueError, match="another run is writing"),
    ):
        jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr")
    jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr")


@contextlib.contextmanager
def interrupted_after(blocks):
    """Writing one block more than that is met by Ctrl-C."""
    write, written = Store.write, []

    def counted(self, block, parts):
        if len(written) == blocks:
            raise KeyboardInterrupt
        write(self, block, parts)
        written.append(block)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "write", counted)
        yield


def test_an_interrupted_sweep_says_how_to_go_on(tmp_path):
    expected = whole(tmp_path)
    with interrupted_after(11), pytest.raises(KeyboardInterrupt) as caught:
        jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=37)
    assert "11 of 101 blocks are in" in caught.value.__notes__[0]
    jaxosc.sweep(wave, AXES, store=tmp_path / "a.zarr", block=37)
    assert digest(tmp_path / "a.zarr") == expected


PROCESS = """
import sys, numpy as np, jax
jax.config.update("jax_enable_x64", True)
jax.distributed.initialize("localhost:{port}", 2, {process})
sys.path.insert(0, {tests!r})
import jaxosc, test_sweep_store as t
folder = {folder!r}
result = jaxosc.sweep(t.wave, t.AXES, block=37)
summary = jaxosc.sweep(t.wave, t.AXES, block=100, reduce=("mean", "argmax"))
out = [*jax.tree.leaves(result.values), *jax.tree.leaves(summary.values)]
np.savez(folder + "/{process}.npz", *out)
stored = jaxosc.sweep(t.wave, t.AXES, block=37, store=folder + "/two.zarr")
np.testing.assert_array_equal(stored.values["sine"][:], result.values["sine"])
try:
    jaxosc.sweep(lambda x, y: x, t.AXES, block=37, store=folder + "/two.zarr")
except ValueError as error:
    assert ("made with another" if {process} == 0 else "process 0 cannot") in str(error), error
else:
    raise AssertionError
"""


FAILING = """
import sys, numpy as np, jax
jax.config.update("jax_enable_x64", True)
jax.distributed.initialize("localhost:{port}", 2, {process})
sys.path.insert(0, {tests!r})
import jaxosc, test_sweep_store as t
write = t.Store.write
def limited(self, block, parts):
    if {process} == 1 and block > 40:
        raise OSError(28, "No space left on device")
    write(self, block, parts)
t.Store.write = limited
try:
    jaxosc.sweep(t.wave, t.AXES, block=37, store={folder!r} + "/two.zarr")
except (OSError, ValueError) as error:
    assert ("process 1 cannot" if {process} == 0 else "No space") in str(error), error
else:
    raise AssertionError
t.Store.write = write
jaxosc.sweep(t.wave, t.AXES, block=37, store={folder!r} + "/two.zarr")
"""


def run_two(script, folder):
    """Two processes that find each other, to their end."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    tests = str(Path(__file__).parent)
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                script.format(port=port, process=process, tests=tests, folder=str(folder)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for process in (0, 1)
    ]
    for process in processes:
        output, _ = process.communicate(timeout=200)
        assert process.returncode == 0, output


one_device_each = pytest.mark.skipif(
    jax.default_backend() != "cpu", reason="processes cannot share an accelerator"
)


@double
@pytest.mark.nightly
@one_device_each
def test_a_process_that_fails_does_not_keep_the_others_waiting(tmp_path):
    run_two(FAILING, tmp_path)
    assert digest(tmp_path / "two.zarr") == whole(tmp_path)


@pytest.mark.slow
@double
@one_device_each
def test_two_processes_are_one(tmp_path):
    run_two(PROCESS, tmp_path)
    values = jaxosc.sweep(wave, AXES, block=37).values
    summary = jaxosc.sweep(wave, AXES, block=100, reduce=("mean", "argmax")).values
    expected = [*jax.tree.leaves(values), *jax.tree.leaves(summary)]
    for process in (0, 1):
        with np.load(tmp_path / f"{process}.npz") as data:
            assert len(data) == len(expected)
            for number, value in enumerate(expected):
                np.testing.assert_array_equal(data[f"arr_{number}"], value)
    assert digest(tmp_path / "two.zarr") == whole(tmp_path)


LARGE = """
import re, sys, numpy as np, jax
from pathlib import Path
jax.config.update("jax_enable_x64", True)
sys.path.insert(0, {tests!r})
import jaxosc, test_sweep as t
x, y = np.linspace(0.0, 0.9, 10**4) * t.CRITICAL, np.linspace(0.0, 200.0, 10**4)
local = lambda coupling, delta_t: t.occupations(coupling, delta_t)["local"][0]
highest = jaxosc.sweep(local, {{"coupling": x, "delta_t": y}}, reduce="argmax").values["argmax"]
assert (highest["coupling"], highest["delta_t"]) == (x[-1], y[-1])
stored = jaxosc.sweep(local, {{"coupling": x, "delta_t": y[:2000]}}, store={store!r}).values
assert stored.shape == (10**4, 2000)
# Not getrusage, whose peak counts what the process that started this one had
print(re.search("VmHWM: *([0-9]+) kB", Path("/proc/self/status").read_text().replace("\t", " "))[1])
"""


@double
@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_large_sweeps_take_little_memory(tmp_path):
    script = LARGE.format(tests=str(Path(__file__).parent), store=str(tmp_path / "a.zarr"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2**20  # 0.3 GiB measured; values alone would take 0.8 and 0.16
