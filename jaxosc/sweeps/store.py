"""A sweep's values on disk, block by block, in a Zarr store that survives interruptions."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._version import __version__
from jaxosc.sweeps.grid import Grid, leaf_names, numbered_dimensions, require_distinct
from jaxosc.sweeps.paths import local_path, reading
from jaxosc.sweeps.program import Program, constants, parts

_NOTE = "jaxosc"
_JOURNAL = "journal."


def store_path(store: Any) -> Path:
    """Where a store is, whatever links lead there.

    Raises:
        ValueError: unless it can be a folder of the file system.
    """
    path = local_path("store", store).resolve()
    if not path.name or "://" in str(store):
        raise ValueError(f"Argument `store` must be the path of a folder, but it is {store!r}.")
    return path


def fingerprint(program: Program, grid: Grid) -> dict[str, Any]:
    """What decides every byte of the values, by name.

    Raises:
        ValueError: if the function calls back into Python, where nobody can see what it does.
    """
    primitives = {str(each.primitive) for part in parts(program.traced) for each in part.jaxpr.eqns}
    if primitives & {"pure_callback", "io_callback"}:
        raise ValueError(
            "Argument `store` must be left out for a function that calls back into Python, but "
            "this one does: no store can tell whether that is the same in the next run."
        )
    text = f"{leaf_names(program.output)} {program.traced.jaxpr}"
    function = hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", text).encode())
    for constant in constants(program.traced):
        numbers = constant
        if jnp.issubdtype(jnp.result_type(constant), jax.dtypes.prng_key):
            numbers = jax.random.key_data(constant)
        function.update(np.asarray(numbers).tobytes())
    return {
        "version of jaxosc": __version__,
        "version of JAX": jax.__version__,
        "kind of device": program.devices[0].platform,
        "dtype": str(grid.dtype),
        "axes": _axes_digest(grid.dimensions),
        **({"batch of records": _records_digest(grid.records)} if grid.records else {}),
        "function": function.hexdigest(),
        "block": list(program.layout.block_shape),
    }


def _axes_digest(axes: Mapping[str, Mapping[str, np.ndarray]]) -> str:
    values = hashlib.sha256()
    for name, parameters in axes.items():
        for key, array in parameters.items():
            values.update(f"{name} {key} {len(array)} ".encode() + array.tobytes())
    return values.hexdigest()


def _records_digest(records: Mapping[str, Any]) -> str:
    values = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_flatten_with_path(records)[0]:
        values.update(f"{jax.tree_util.keystr(path)} {leaf.dtype} {leaf.shape} ".encode())
        values.update(leaf.tobytes())
    return values.hexdigest()


class Store:
    """An open Zarr store and the list of its finished blocks.

    A block's number goes into a journal, one for each process, once its values are on disk, each
    chunk in one move. What an interruption leaves half done is computed again; nothing else is.
    The journals are inside the store until it is whole: copied, moved or deleted with it, and
    where no reader of Zarr looks.

    The first process makes the store and tidies it, before any other opens it.
    """

    def __init__(
        self, path: Path, program: Program, grid: Grid, made_by: dict[str, Any], process: int
    ) -> None:
        zarr = zarr_library()
        self.path, self.layout = path, program.layout
        self._names = leaf_names(program.output)
        self.journal = path / self._names[0] / f"{_JOURNAL}{process}"
        if not path.exists() and process == 0:
            _create(zarr, path, program, grid, made_by)
        group = _open(zarr, path, "r+")
        _require_same(path, group, made_by)
        self.complete = bool(group.attrs[_NOTE]["complete"])
        self._group = group
        with reading("store", "as it was written", path), every_chunk():
            _axes(group)
            self._arrays = [group[name] for name in self._names]
            if self.complete:
                require_whole(self._arrays)
        if process == 0:
            self._tidy()

    def _tidy(self) -> None:
        """Take away what was being written when an earlier run was stopped."""
        for file in self.path.rglob("*.partial"):
            file.unlink()
        for journal in self._journals():
            if self.complete:
                journal.unlink()
            else:
                os.truncate(journal, len(_lines(journal)))

    def _journals(self) -> list[Path]:
        return list(self.journal.parent.glob(f"{_JOURNAL}*"))

    def unfinished(self) -> tuple[int, Iterator[int]]:
        """How many blocks are still to compute, and which."""
        if self.complete:
            return 0, iter(())
        # What a damaged journal says beside numbers is passed over: its blocks are computed again.
        lines = (line for journal in self._journals() for line in _lines(journal).split())
        done = {int(line) for line in lines if line.isdigit() and int(line) < self.layout.blocks}
        left = (block for block in self.layout if block not in done)
        return self.layout.blocks - len(done), left

    def write(self, block: int, parts: list[np.ndarray]) -> None:
        """Put a block's values [rows, trailing …, …] in their place."""
        layout = self.layout
        start, stop = layout.span(block)
        leading = layout.leading(block)
        box = (*(slice(i, i + 1) for i in leading), slice(start, stop))
        for name, array, part in zip(self._names, self._arrays, parts, strict=True):
            array[box] = part.reshape((1,) * len(leading) + part.shape)
            place = (*leading, start // layout.rows, *(0 for _ in part.shape[1:]))
            _to_disk(self.path.joinpath(name, "c", *map(str, place)))
        with self.journal.open("a") as journal:
            journal.write(f"{block}\n")

    def finish(self) -> None:
        """Say in the store that it is whole."""
        self._group.attrs[_NOTE] = {**self._group.attrs[_NOTE], "complete": True}
        for journal in self._journals():
            journal.unlink()

    def values(self, program: Program) -> Any:
        """The values as arrays on disk, read where they are indexed."""
        return jax.tree.unflatten(jax.tree.structure(program.output), self._arrays)


def _to_disk(file: Path) -> None:
    """Have the system put a file on disk, before the journal says that it is there."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _lines(journal: Path) -> bytes:
    """What the journal says, up to the end of its last whole line."""
    return b"".join(journal.read_bytes().rpartition(b"\n")[:2])


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep every other process away from a store; the system ends it with the process.

    Raises:
        ValueError: if another process has it, or nobody can write there.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Where no file can be made, the lock looks as if another had it.
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ValueError(
            f"Argument `store` must be free, but another run is writing {path}."
        ) from error
    except OSError as error:
        raise ValueError(
            f"Argument `store` must be in a folder that can be written to, but {path.parent} is "
            f"not: {error.strerror}."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _create(zarr: Any, path: Path, program: Program, grid: Grid, made_by: dict[str, Any]) -> None:
    require_distinct(grid.dimensions, program.output, 0)
    # Built aside and moved, so that a store is there whole or not at all
    aside = path.with_name(f".{path.name}.new")
    if aside.exists():  # of a run that was interrupted here
        shutil.rmtree(aside)
    layout = program.layout
    group = zarr.create_group(aside)
    dimensions = list(grid.dimensions)
    for dimension, parameters in grid.dimensions.items():
        for name, values in parameters.items():
            group.create_array(name, data=values, chunks=values.shape, dimension_names=[dimension])
    leaves = jax.tree.leaves(program.output)
    for name, leaf in zip(leaf_names(program.output), leaves, strict=True):
        group.create_array(
            name,
            shape=grid.shape + leaf.shape,
            chunks=layout.block_shape + leaf.shape,
            dtype=leaf.dtype,
            fill_value=np.nan if leaf.dtype.kind in "fc" else 0,  # a lost chunk shows
            dimension_names=[*dimensions, *numbered_dimensions(name, leaf.ndim)],
        )
    group.attrs[_NOTE] = {
        "axes": [[name, list(along)] for name, along in grid.dimensions.items()],
        "made by": made_by,
        "complete": False,
    }
    aside.rename(path)


def chosen_block(path: Path) -> int | None:
    """Points in a block of the store at this path, if there is one.

    The size that is chosen depends on the memory of the device; a sweep may go on on another.

    Raises:
        ValueError: if the extra ``io`` is not installed.
    """
    zarr = zarr_library()
    try:
        with reading("store", "a store of a sweep", path):
            return math.prod(_open(zarr, path, "r").attrs[_NOTE]["made by"]["block"])
    except ValueError:
        return None


def is_store(path: Path) -> bool:
    """Whether this is a store of a sweep, finished or not."""
    if not os.path.isfile(path / "zarr.json"):
        return False
    try:
        _open(zarr_library(), path, "r")
    except ValueError:
        return False
    return True


def read_store(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]], dict[str, Any]]:
    """A finished store's arrays by name, the parameters along each dimension, what made it.

    Raises:
        ValueError: if it is no store of a sweep, or not finished, or not as it was then.
    """
    group = _open(zarr_library(), path, "r")
    note = group.attrs[_NOTE]
    if not note["complete"]:
        raise ValueError(
            f"Argument `path` must be a finished sweep, but {path} is not: the same call that "
            "began it goes on with it."
        )
    with reading("path", "a sweep as it was finished", path):
        axes = _axes(group)
        arrays = whole_arrays(path, group)
        for name in (name for along in axes.values() for name in along):
            del arrays[name]
        if not arrays:
            raise ValueError("no values are left")
        return arrays, axes, note["made by"]


def _axes(group: Any) -> dict[str, dict[str, Any]]:
    """The parameters along each dimension; ValueError unless they are as they were written."""
    note = group.attrs[_NOTE]
    axes = {
        dimension: {name: group[name][:] for name in names} for dimension, names in note["axes"]
    }
    if _axes_digest(axes) != note["made by"]["axes"]:
        raise ValueError("the numbers along its axes have changed")
    return axes


def whole_arrays(path: Path, group: Any) -> dict[str, Any]:
    """The arrays of a group by name; raises if one is damaged, or a chunk of it is lost.

    In the order of the returned dictionary's keys in JAX: alphabetical.
    """
    # Not those that Zarr finds, which passes over what it cannot read
    names = sorted(each.name for each in path.iterdir() if each.is_dir() and each.name[0] != ".")
    arrays = {name: group[name] for name in names}
    require_whole(arrays.values())
    return arrays


def require_whole(arrays: Iterable[Any]) -> None:
    """Raise ValueError if a chunk of an array on disk is lost."""
    for array in arrays:
        if array.nchunks_initialized != array.nchunks:
            raise ValueError(
                f"{array.nchunks_initialized} of {array.nchunks} chunks of {array.name} are left"
            )


def every_chunk() -> Any:
    """Where chunks of zeros, or of NaN, are results like any other: written, not left out."""
    return zarr_library().config.set({"array.write_empty_chunks": True})


def _open(zarr: Any, path: Path, mode: str) -> Any:
    with reading("store", "a new path or a store of a sweep", path):
        group = zarr.open_group(path, mode=mode)
        if not {"axes", "made by", "complete"} <= set(group.attrs[_NOTE]):
            raise ValueError("it says of no sweep that made it")
        return group


def _require_same(path: Path, group: Any, made_by: dict[str, Any]) -> None:
    theirs = group.attrs[_NOTE]["made by"]
    differing = [name for name, value in made_by.items() if theirs.get(name) != value]
    if differing:
        raise ValueError(
            f"Argument `store` must be new or made by the same sweep, but {path} was made with "
            f"another {', '.join(differing)}."
        )


def zarr_library() -> Any:
    """The module ``zarr``.

    Raises:
        ValueError: unless it is installed, and all else that writing takes.
    """
    try:
        import filelock  # noqa: F401
        import zarr
    except ImportError as error:
        raise ValueError(
            "Argument `store`, or a path that ends in .zarr, must be left out without zarr and "
            'filelock, but it is not: pip install "jaxosc[io]".'
        ) from error
    return zarr
