"""A sweep's values on disk, block by block, in a Zarr store that survives interruptions."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxosc._parameters import Function, call_by_name
from jaxosc._version import __version__
from jaxosc.sweeps.grid import Grid, leaf_names
from jaxosc.sweeps.program import Program

_NOTE = "jaxosc"


def fingerprint(function: Function, program: Program, grid: Grid) -> dict[str, Any]:
    """What decides every byte of the values, by name."""
    scalars = {
        name: jax.ShapeDtypeStruct((), values.dtype)  # type: ignore[no-untyped-call]
        for name, values in grid.parameters.items()
    }
    jaxpr = jax.make_jaxpr(lambda parameters: call_by_name(function, parameters))(scalars)
    digest = hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", str(jaxpr.jaxpr)).encode())
    for constant in jaxpr.consts:
        digest.update(np.asarray(constant).tobytes())
    values = hashlib.sha256()
    for name, parameters in grid.dimensions.items():
        for key, array in parameters.items():
            values.update(f"{name} {key} {len(array)} ".encode() + array.tobytes())
    return {
        "version of jaxosc": __version__,
        "version of JAX": jax.__version__,
        "kind of device": program.devices[0].platform,
        "dtype": str(grid.dtype),
        "axes": values.hexdigest(),
        "function": digest.hexdigest(),
        "block": list(program.layout.block_shape),
    }


class Store:
    """An open Zarr store and the list of its finished blocks.

    A block's number goes into a journal beside the store, one for each process, once its values
    are written, each chunk in one move. What an interruption leaves half done is computed again;
    nothing else is.

    The first process makes the store and tidies it, before any other opens it.
    """

    def __init__(
        self, path: Path, program: Program, grid: Grid, made_by: dict[str, Any], process: int
    ) -> None:
        zarr = _zarr()
        self.path, self.layout = path, program.layout
        self.journal = path.with_name(f".{path.name}.journal.{process}")
        names = leaf_names(program.output)
        if not path.exists() and process == 0:
            for journal in self._journals():
                journal.unlink()
            _create(zarr, path, program, grid, made_by)
        group = _open(zarr, path)
        _require_same(path, group, made_by)
        self.complete = bool(group.attrs[_NOTE].get("complete"))
        self._group = group
        # A chunk of zeros is a result like any other: written, not left out.
        with zarr.config.set({"array.write_empty_chunks": True}):
            self._arrays = [group[name] for name in names]
        if not self.complete and process == 0:
            self._clear()

    def _clear(self) -> None:
        """Take away what was being written when an earlier run was stopped."""
        for file in self.path.rglob("*.partial"):
            file.unlink()
        for journal in self._journals():
            os.truncate(journal, len(_lines(journal)))

    def _journals(self) -> list[Path]:
        prefix = f".{self.path.name}.journal."
        return [file for file in self.path.parent.iterdir() if file.name.startswith(prefix)]

    def unfinished(self) -> list[int]:
        """The blocks still to compute."""
        if self.complete:
            return []
        done = {int(line) for journal in self._journals() for line in _lines(journal).split()}
        return [block for block in self.layout if block not in done]

    def write(self, block: int, parts: list[np.ndarray]) -> None:
        """Put a block's values [rows, trailing …, …] in their place."""
        layout = self.layout
        start, stop = layout.span(block)
        leading = layout.leading(block)
        box = (*(slice(i, i + 1) for i in leading), slice(start, stop))
        for array, part in zip(self._arrays, parts, strict=True):
            array[box] = part.reshape((1,) * len(leading) + part.shape)
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


def _lines(journal: Path) -> str:
    """What the journal says, up to the end of its last whole line."""
    return "".join(journal.read_text().rpartition("\n")[:2])


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep every other process away from a store; the system ends it with the process.

    Raises:
        ValueError: if another process has it.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ValueError(
            f"Argument `store` must be free, but another run is writing {path}."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _create(zarr: Any, path: Path, program: Program, grid: Grid, made_by: dict[str, Any]) -> None:
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
            dimension_names=[*dimensions, *(f"{name}_{axis}" for axis in range(leaf.ndim))],
        )
    group.attrs[_NOTE] = {"made by": made_by, "complete": False}
    aside.rename(path)


def _open(zarr: Any, path: Path) -> Any:
    try:
        group = zarr.open_group(path, mode="r+")
        if _NOTE in group.attrs:
            return group
    except (OSError, ValueError, KeyError, TypeError, json.JSONDecodeError):
        pass
    raise ValueError(
        f"Argument `store` must be a new path or a store of a sweep, but {path} is neither."
    )


def _require_same(path: Path, group: Any, made_by: dict[str, Any]) -> None:
    theirs = group.attrs[_NOTE]["made by"]
    differing = [name for name, value in made_by.items() if theirs.get(name) != value]
    if differing:
        raise ValueError(
            f"Argument `store` must be new or made by the same sweep, but {path} was made with "
            f"another {', '.join(differing)}."
        )


def _zarr() -> Any:
    try:
        import filelock  # noqa: F401
        import zarr
    except ImportError as error:
        raise ValueError(
            'Argument `store` needs zarr and filelock: pip install "jaxosc[io]".'
        ) from error
    return zarr
