"""What a sweep found, and its files."""

from __future__ import annotations

import json
import math
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxosc.sweeps.grid import (
    METADATA,
    Grid,
    leaf_names,
    numbered_dimensions,
    require_distinct,
)
from jaxosc.sweeps.store import is_store, read_store

_ENDINGS = (".nc", ".zarr", ".npz", ".csv")


@dataclass(frozen=True)
class SweepResult:
    """Values over a grid, or summaries of them.

    Attributes:
        values: what the function returned, each array with the grid's shape in front of its
            own; on disk, read where indexed, for a sweep with ``store=``; the result of each
            reduction by name for one with ``reduce=``.
        axes: for each dimension of the grid, in order, the values of its parameters by name.
        metadata: version of jaxosc and JAX, devices, dtype, points, seconds, and when it began;
            of a store that ``load_sweep`` opened, only what does not depend on the runs that
            wrote it.
    """

    values: Any
    axes: dict[str, dict[str, np.ndarray]]
    metadata: dict[str, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each dimension."""
        return Grid(self.axes).shape

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{name} {size}" for name, size in zip(self.axes, self.shape, strict=True)
        )
        seconds = self.metadata.get("seconds")
        made = "" if seconds is None else f"; {seconds:.3g} s on {self.metadata['devices']}"
        return f"SweepResult({sizes}{made})"

    def to_xarray(self) -> Any:
        """The values as an ``xarray.Dataset``, parameters as coordinates.

        Each array of the returned tree is a variable, named by its keys joined with dots; a lone
        one is ``value``. Dimensions beyond the grid's are numbered: ``value_0``, …

        Returns:
            the dataset; of a sweep on disk one that reads what is asked of it.

        Raises:
            ValueError: for a sweep with ``reduce=``; for keys that contain a dot or a slash or
                are names of axes; if xarray is not installed.
        """
        self._require_values()
        xarray = _xarray()
        if self._on_disk:
            data = xarray.open_zarr(self.metadata["store"], chunks=None, consolidated=False)
            data.attrs = {METADATA: self._record()}
            return data
        return xarray.Dataset(
            {
                name: (
                    (*self.axes, *numbered_dimensions(name, leaf.ndim - len(self.axes))),
                    leaf,
                )
                for name, leaf in self._variables().items()
            },
            {
                name: (dimension, values)
                for dimension, parameters in self.axes.items()
                for name, values in parameters.items()
            },
            {METADATA: self._record()},
        )

    def _variables(self) -> dict[str, Any]:
        return dict(zip(leaf_names(self.values), jax.tree.leaves(self.values), strict=True))

    def _record(self) -> str:
        """What else is needed to make this again from its arrays, wherever they are."""
        axes = {dimension: list(parameters) for dimension, parameters in self.axes.items()}
        metadata = {name: value for name, value in self.metadata.items() if name != "store"}
        return json.dumps({"axes": axes, "metadata": metadata})

    @property
    def _on_disk(self) -> bool:
        return not all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(self.values))

    def _require_values(self) -> None:
        if "reduce" in self.metadata:
            raise ValueError("The sweep must hold values over its grid, but it holds summaries.")
        require_distinct(self.axes, self.values, len(self.axes))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write everything into one file.

        Args:
            path: its ending says the format: ``.nc`` (netCDF 4), ``.zarr`` (a folder), ``.npz``
                (NumPy), or ``.csv`` (one row a point, or an entry of the arrays there, for
                spreadsheets; cannot be loaded). An existing file of that name, or what ``save``
                wrote to that folder, is replaced once the new one is whole. All but ``.npz``
                need the extra ``io``.

        Returns:
            the path.

        Raises:
            ValueError: for another ending; if the path is a folder, for ``.zarr`` one that
                ``save`` did not write; for complex values in netCDF, which has none; and as
                ``to_xarray`` does.
        """
        path = Path(path)
        require_target(path)
        self._require_values()
        complex_values = any(leaf.dtype.kind == "c" for leaf in jax.tree.leaves(self.values))
        if path.suffix == ".nc" and complex_values:
            raise ValueError(
                "Argument `path` must not end in .nc for complex values, which netCDF does not "
                "have: use .zarr, or sweep real and imaginary parts."
            )
        aside = path.with_name(f".{path.name}.new{path.suffix}")
        if path.suffix == ".nc":
            self.to_xarray().to_netcdf(aside, engine="h5netcdf")
        elif path.suffix == ".zarr":
            self.to_xarray().to_zarr(aside, mode="w", consolidated=False)
        elif path.suffix == ".npz":
            arrays: dict[str, Any] = {**Grid(self.axes).parameters, **self._variables()}
            arrays[METADATA] = np.asarray(self._record())
            # As numpy.savez does, whose own arguments have names that a parameter may have
            with zipfile.ZipFile(aside, "w", allowZip64=True) as archive:
                for name, array in arrays.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                        np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)
        else:
            data = self.to_xarray()
            table = data.to_dataframe().reset_index()
            parameters = list(Grid(self.axes).parameters)
            numbers = [name for name in data.dims if name not in self.axes]
            table[[*parameters, *numbers, *data.data_vars]].to_csv(aside, index=False)
        if path.is_dir():
            old = path.with_name(f".{path.name}.old")
            shutil.rmtree(old, ignore_errors=True)  # of a run that was stopped here
            path.replace(old)
            aside.replace(path)
            shutil.rmtree(old)
        else:
            aside.replace(path)
        return path


def require_target(path: Path) -> None:
    """Raise ValueError unless this can be written, and replaces nothing but what can be."""
    if path.suffix not in _ENDINGS:
        raise ValueError(
            f"Argument `path` must end in one of {', '.join(_ENDINGS)}, but it is {path}."
        )
    if path.suffix == ".zarr":
        if path.exists() and not _saved(path):
            raise ValueError(
                f"Argument `path` must be new or a folder that `save` wrote, but {path} is not."
            )
    elif path.is_dir():
        raise ValueError(f"Argument `path` must be a file, but {path} is a folder.")


def _saved(path: Path) -> bool:
    try:
        return METADATA in json.loads((path / "zarr.json").read_text())["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def load_sweep(path: str | os.PathLike[str]) -> SweepResult:
    """A sweep from a file that ``save`` wrote, or the store of a finished one.

    Args:
        path: to a ``.nc``, ``.zarr`` or ``.npz``, or to what was ``store=``.

    Returns:
        the result; trees come back as dictionaries, a lone array as itself. The values of
        a store stay on disk and are read where indexed.

    Raises:
        ValueError: if it is neither, or a store that is not finished.
    """
    path = Path(path)
    if is_store(path):
        return _of_store(path)
    try:
        if path.suffix == ".npz":
            with path.open("rb") as opened, np.load(opened) as file:
                arrays = dict(file)
            record = str(arrays.pop(METADATA))
        else:
            xarray = _xarray()
            dataset = (
                xarray.open_zarr(path, chunks=None, consolidated=False)
                if path.suffix == ".zarr"
                else xarray.open_dataset(path, engine="h5netcdf")
            )
            with dataset as data:
                arrays = {name: data[name].values for name in data.variables}
                record = data.attrs[METADATA]
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"Argument `path` must be a file that `save` wrote, but {path} is not: {error}"
        ) from error
    document = json.loads(record)
    axes = {
        dimension: {name: arrays.pop(name) for name in names}
        for dimension, names in document["axes"].items()
    }
    return SweepResult(_tree(arrays), axes, document["metadata"])


def _of_store(path: Path) -> SweepResult:
    arrays, axes, made_by = read_store(path)
    metadata = {
        "jaxosc": made_by["version of jaxosc"],
        "jax": made_by["version of JAX"],
        "dtype": made_by["dtype"],
        "points": Grid(axes).points,
        "block": math.prod(made_by["block"]),
        "store": str(path.resolve()),
    }
    return SweepResult(_tree(arrays), axes, metadata)


def _tree(arrays: dict[str, Any]) -> Any:
    """What ``leaf_names`` named."""
    if list(arrays) == ["value"]:
        return arrays["value"]
    values: dict[str, Any] = {}
    for name, array in arrays.items():
        *way, last = name.split(".")
        branch = values
        for key in way:
            branch = branch.setdefault(key, {})
        branch[last] = array
    return values


def _xarray() -> Any:
    try:
        import xarray
    except ImportError as error:
        raise ValueError(
            'The sweep can be turned into files only with xarray: pip install "jaxosc[io]".'
        ) from error
    return xarray
