"""What a sweep found, and its files."""

from __future__ import annotations

import contextlib
import json
import math
import os
import reprlib
import shutil
import zipfile
from collections.abc import Callable, Mapping
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
from jaxosc.sweeps.paths import local_path, reading
from jaxosc.sweeps.store import every_chunk, is_store, read_store, whole_arrays, zarr_library

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
        leaves = [
            np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf
            for leaf in jax.tree.leaves(self.values)
        ]
        return dict(zip(leaf_names(self.values), leaves, strict=True))

    def _record(self) -> str:
        """What else is needed to make this again from its arrays, wherever they are."""
        axes = {dimension: list(parameters) for dimension, parameters in self.axes.items()}
        values = leaf_names(self.values)
        metadata = {name: value for name, value in self.metadata.items() if name != "store"}
        return json.dumps({"axes": axes, "values": values, "metadata": metadata})

    @property
    def _on_disk(self) -> bool:
        return "store" in self.metadata

    def _require_values(self) -> None:
        if "reduce" in self.metadata:
            raise ValueError("The sweep must hold values over its grid, but it holds summaries.")
        axes = self.axes
        if not isinstance(axes, Mapping) or not all(
            isinstance(along, Mapping) and along for along in axes.values()
        ):
            raise ValueError(
                "Argument `axes` must map each dimension to the values of its parameters by name, "
                f"but it is {reprlib.repr(axes)}."
            )
        for name, leaf in self._variables().items():
            shape = getattr(leaf, "shape", None)
            if shape is None or shape[: len(self.axes)] != self.shape:
                raise ValueError(
                    f"Argument `values` must hold arrays that begin with the grid's shape "
                    f"{self.shape}, but the shape of {name} is {shape}."
                )
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
            ValueError: for another ending, and for a path in no folder; if the path is itself a
                folder, for ``.zarr`` one that ``save`` did not write; for complex values in
                netCDF, which has none; and as ``to_xarray`` does.
            OSError: if writing fails; then what was there still is.
        """
        path = local_path("path", path)
        require_target(path)
        self._require_values()
        complex_values = any(leaf.dtype.kind == "c" for leaf in jax.tree.leaves(self.values))
        if path.suffix == ".nc" and complex_values:
            raise ValueError(
                "Argument `path` must not end in .nc for complex values, which netCDF does not "
                f"have, but it is {path}: use .zarr, or sweep real and imaginary parts."
            )
        if not path.parent.is_dir():
            raise ValueError(
                f"Argument `path` must be in a folder that exists, but {path.parent} does not."
            )
        aside = path.with_name(f".{path.name}.new{path.suffix}")
        try:
            self._write(aside)
            if path.is_dir():
                old = path.with_name(f".{path.name}.old")
                shutil.rmtree(old, ignore_errors=True)  # of a run that was stopped here
                path.replace(old)
                aside.replace(path)
                shutil.rmtree(old)
            else:
                aside.replace(path)
        except OSError as error:  # of a file that the user knows
            why = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno, why, str(path)) from error
        finally:
            with contextlib.suppress(OSError):
                shutil.rmtree(aside) if os.path.isdir(aside) else aside.unlink()
        return path

    def _write(self, path: Path) -> None:
        if path.suffix == ".nc":
            data = self.to_xarray()
            # Checksums, here and below: a damaged number must not be read as another one.
            checked = {name: {"fletcher32": True} for name in data.variables}
            data.to_netcdf(path, engine="h5netcdf", encoding=checked)
        elif path.suffix == ".zarr":
            data = self.to_xarray()
            codec = zarr_library().codecs.ZstdCodec(checksum=True)
            compressed = {name: {"compressors": (codec,)} for name in data.variables}
            with every_chunk():
                data.to_zarr(path, mode="w", consolidated=False, encoding=compressed)
        elif path.suffix == ".npz":
            arrays: dict[str, Any] = {**Grid(self.axes).parameters, **self._variables()}
            arrays[METADATA] = np.asarray(self._record())
            # As numpy.savez does, whose own arguments have names that a parameter may have
            with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
                for name, array in arrays.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                        np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)
        else:
            data = self.to_xarray()
            table = data.to_dataframe().reset_index()
            parameters = list(Grid(self.axes).parameters)
            numbers = [name for name in data.dims if name not in self.axes]
            table[[*parameters, *numbers, *data.data_vars]].to_csv(path, index=False)


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

    Example:
        >>> jaxosc.sweep(lambda x: x**2, {"x": [0.0, 2.0]}).save("some.npz").name
        'some.npz'
        >>> jaxosc.load_sweep("some.npz").values
        array([0., 4.])
    """
    path = local_path("path", path)
    if is_store(path):
        return _of_store(path)
    read = {".npz": _read_numpy, ".zarr": _read_zarr}.get(path.suffix) or _netcdf_reader()
    with reading("path", "a file that `save` wrote", path):
        arrays, record = read(path)
        document = json.loads(record)
        axes = {
            dimension: {name: arrays[name] for name in names}
            for dimension, names in document["axes"].items()
        }
        values = _tree({name: arrays[name] for name in document["values"]})
        result = SweepResult(values, axes, document["metadata"])
        result._require_values()
    return result


def _read_numpy(path: Path) -> tuple[dict[str, Any], str]:
    with path.open("rb") as opened, np.load(opened) as file:
        arrays = dict(file)
    return arrays, str(arrays[METADATA])


def _read_zarr(path: Path) -> tuple[dict[str, Any], str]:
    group = zarr_library().open_group(path, mode="r")
    arrays = {name: array[:] for name, array in whole_arrays(path, group).items()}
    return arrays, group.attrs[METADATA]


def _netcdf_reader() -> Callable[[Path], tuple[dict[str, Any], str]]:
    xarray = _xarray()

    def read(path: Path) -> tuple[dict[str, Any], str]:
        # By a file of our own: those that libraries keep open after an error, and share, show what
        # was there before the file was put right.
        with path.open("rb") as file, xarray.open_dataset(file, engine="h5netcdf") as data:
            return {name: data[name].values for name in data.variables}, data.attrs[METADATA]

    return read


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
