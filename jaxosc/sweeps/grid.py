"""Named axes, and how their grid is cut into blocks."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jax
import numpy as np

from jaxosc import _checks
from jaxosc.baths import Baths
from jaxosc.oscillators import Oscillators
from jaxosc.pairs import PairAtDistance

# Enough cells in a block for many cores, and enough points in one for a full inner loop
_CELLS = 16
_CELL_POINTS = 4096
# Bytes in the name of a file, on all usual file systems
_LONGEST_NAME = 255
# Where files keep what is not an array
METADATA = "jaxosc_sweep"
# What may take the place of an array, with a leading axis, and what numbers its members
_RECORDS = (Oscillators, PairAtDistance, Baths)
NUMBER = np.dtype(np.int32)
_MOST_RECORDS = int(np.iinfo(NUMBER).max)


@dataclass(frozen=True)
class Grid:
    """The product of named dimensions.

    Attributes:
        dimensions: for each dimension, the values of its parameters by name; one parameter of
            the dimension's own name, or several that run together. Of records their numbers,
            integers: a float32 cannot number more than 2²⁴ of them.
        records: those that stand for such numbers, by name, with a leading axis.
    """

    dimensions: dict[str, dict[str, np.ndarray]]
    records: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each dimension."""
        return tuple(
            len(next(iter(parameters.values()))) for parameters in self.dimensions.values()
        )

    @property
    def points(self) -> int:
        """Points in all."""
        return math.prod(self.shape)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The values of every parameter along its dimension."""
        return {
            name: values
            for parameters in self.dimensions.values()
            for name, values in parameters.items()
        }

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of all that is real."""
        for leaf in (*self.parameters.values(), *jax.tree.leaves(self.records)):
            if leaf.dtype.kind == "f":
                return leaf.dtype
        raise AssertionError  # a record has real parts


def named_grid(axes: Mapping[str, Any]) -> Grid:
    """The grid over these axes.

    Raises:
        ValueError: unless they map names to one-dimensional arrays of finite numbers, or to
            such mappings with arrays of one length; an array may be a record with a leading axis.
    """
    if not isinstance(axes, Mapping) or not axes:
        raise ValueError(
            "Argument `axes` must map at least one parameter's name to its values, "
            f"but it is {axes!r}."
        )
    given = {
        name: dict(values) if isinstance(values, Mapping) else {name: values}
        for name, values in axes.items()
    }
    _require_names(tuple((name, *parameters) for name, parameters in given.items()))
    dtype = _common_dtype(given)
    dimensions: dict[str, dict[str, np.ndarray]] = {}
    records = {}
    for name, parameters in given.items():
        dimensions[name] = {}
        for key, values in parameters.items():
            if isinstance(values, _RECORDS):
                records[key], dimensions[name][key] = _batch(key, values, dtype)
            else:
                dimensions[name][key] = _array(key, values, dtype)
        if len({len(array) for array in dimensions[name].values()}) > 1:
            listed = ", ".join(f"{key} {len(array)}" for key, array in dimensions[name].items())
            raise ValueError(
                f"Argument `axes` must hold arrays of one length along {name!r}, but: {listed}."
            )
    return Grid(dimensions, records)


@functools.lru_cache(maxsize=64)  # the same names again and again
def _require_names(names: tuple[tuple[Any, ...], ...]) -> None:
    """Raise ValueError unless each name, an axis's before its parameters', can stand for one."""
    given = {name: parameters for name, *parameters in names}
    every = [parameter for parameters in given.values() for parameter in parameters]
    for name, parameters in given.items():
        if not parameters:
            raise ValueError(
                f"Argument `axes` must name the parameters along {name!r}, but there is none."
            )
    for name in (*given, *every):
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"Argument `axes` must have names as keys, but one is {name!r}.")
        if every.count(name) > 1:
            raise ValueError(
                f"Argument `axes` must name a parameter once, but {name!r} is on two axes."
            )
        if name in every and name in given and name not in given[name]:
            raise ValueError(
                f"Argument `axes` must give {name!r} to one axis, but it is the name of an axis "
                "and of a parameter on another."
            )


def _common_dtype(given: dict[str, dict[str, Any]]) -> Any:
    # As everywhere in jaxosc: the widest floating array decides, and numbers in lists do not.
    stated = [
        values.dtype
        for parameters in given.values()
        for leaves in parameters.values()
        for values in (jax.tree.leaves(leaves) if isinstance(leaves, _RECORDS) else (leaves,))
        if getattr(values, "dtype", None) in (np.float32, np.float64)
    ]
    return _checks.widest(stated)


def _batch(name: str, record: Any, dtype: Any) -> tuple[Any, np.ndarray]:
    """The record in this precision, on the host, and the numbers of its members."""
    leaves = jax.tree.leaves(record)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
        raise ValueError(
            f"Argument `axes` must hold known numbers for {name!r}, but they are traced: a sweep "
            "runs outside jit, vmap and grad; derivatives go into its function."
        )
    lengths = {np.shape(leaf)[:1] for leaf in leaves}
    own = record.damping if isinstance(record, Baths) else record.frequency
    if len(lengths) != 1 or np.ndim(own) != 2 or not len(own):
        raise ValueError(
            f"Argument `axes` must hold a record with one leading axis for {name!r}, as jax.vmap "
            f"of its constructor makes it, but its arrays have the shapes "
            f"{[np.shape(leaf) for leaf in leaves]}."
        )
    (length,) = next(iter(lengths))
    if length > _MOST_RECORDS:
        raise ValueError(
            f"Argument `axes` must hold at most {_MOST_RECORDS} records for {name!r}, but there "
            f"are {length}."
        )
    complex_of = np.result_type(dtype, np.complex64)

    def converted(leaf: Any) -> np.ndarray:
        array = np.asarray(leaf)
        return array.astype({"f": dtype, "c": complex_of}.get(array.dtype.kind, array.dtype))

    return jax.tree.map(converted, record), np.arange(length, dtype=NUMBER)


def _array(name: str, values: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """The values along an axis; copied, since the caller may change theirs."""
    try:
        array = np.asarray(values)
    except jax.errors.TracerArrayConversionError as error:
        raise ValueError(
            f"Argument `axes` must hold known numbers for {name!r}, but they are traced: a sweep "
            "runs outside jit, vmap and grad; derivatives go into its function."
        ) from error
    except (ValueError, TypeError):  # ragged, or random keys
        array = np.asarray(None)
    real = array.dtype.kind in "iu" or array.dtype in (np.float32, np.float64)
    if not real or (isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values)):
        raise ValueError(
            f"Argument `axes` must hold an array of real numbers for {name!r}, in float32 or "
            f"float64, but it holds {_brief(values)}."
        )
    if array.ndim != 1 or not array.size:
        raise ValueError(
            f"Argument `axes` must hold a one-dimensional array of at least one number for "
            f"{name!r}, but its shape is {array.shape}."
        )
    if array.dtype == dtype:
        copied = array.copy()
    else:
        with np.errstate(over="ignore"):
            copied = array.astype(dtype)
    finite = np.isfinite(copied)
    if not np.logical_and.reduce(finite):  # what .all() does by way of Python
        where = int(np.argmin(finite))
        raise ValueError(
            f"Argument `axes` must hold finite numbers in {dtype} for {name!r}, "
            f"but number {where} is {array[where]}."
        )
    return copied


def _brief(values: Any) -> str:
    text = repr(values)
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True)
class Layout:
    """How a grid is cut into blocks of consecutive points, in C order.

    A block is a box of one index of the leading dimensions, some rows of the next one, and all
    of the trailing ones. It is what one device computes at a time, whatever their number. Its
    cells are the groups of rows that are summarised as one.

    Attributes:
        shape: of the grid.
        split: the dimension that is cut into rows.
        rows: of a block; fewer in the last one of each run.
        cell_rows: of a cell.
    """

    shape: tuple[int, ...]
    split: int
    rows: int
    cell_rows: int

    @cached_property
    def inner(self) -> int:
        """Points in a row."""
        return math.prod(self.shape[self.split + 1 :])

    @cached_property
    def cells(self) -> int:
        """Cells in a whole block; the last one may stick out."""
        return -(-self.rows // self.cell_rows)

    @cached_property
    def runs(self) -> int:
        """Blocks along the split dimension."""
        return -(-self.shape[self.split] // self.rows)

    @cached_property
    def blocks(self) -> int:
        """Blocks in all."""
        return math.prod(self.shape[: self.split]) * self.runs

    @cached_property
    def block_shape(self) -> tuple[int, ...]:
        """Of a whole block, in the dimensions of the grid."""
        return (*(1 for _ in range(self.split)), self.rows, *self.shape[self.split + 1 :])

    def leading(self, block: int) -> tuple[int, ...]:
        """The block's index along each dimension before the split one."""
        if not self.split:
            return ()
        return tuple(int(i) for i in np.unravel_index(block // self.runs, self.shape[: self.split]))

    def span(self, block: int) -> tuple[int, int]:
        """The block's first row and the one after its last."""
        start = block % self.runs * self.rows
        return start, min(start + self.rows, self.shape[self.split])

    def flat(self, block: int) -> slice:
        """The block's points in the flattened grid."""
        start, stop = self.span(block)
        before = (block // self.runs) * self.shape[self.split]
        return slice((before + start) * self.inner, (before + stop) * self.inner)

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.blocks))


def cut(shape: tuple[int, ...], points: int, most_cells: int | None = None) -> Layout:
    """The layout with at most so many points in a block, rows of equal number, and cells."""
    split = len(shape) - 1
    while split > 0 and math.prod(shape[split:]) <= points:
        split -= 1
    inner = math.prod(shape[split + 1 :])
    largest = max(1, min(shape[split], points // inner))
    rows = -(-shape[split] // -(-shape[split] // largest))
    cell = max(1, min(_CELL_POINTS // inner, -(-rows // _CELLS)))
    if most_cells is not None:
        cell = max(cell, -(-rows // most_cells))
    return Layout(shape, split, rows, -(-rows // -(-rows // cell)))


def block_arguments(
    grid: Grid, layout: Layout, block: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """The parameters fixed in a block, those of its rows [cells, cell rows], and how many rows.

    The rows are filled up by repeating the last one.
    """
    dimensions = list(grid.dimensions.values())
    fixed = {
        name: values[index]
        for parameters, index in zip(dimensions, layout.leading(block), strict=False)
        for name, values in parameters.items()
    }
    start, stop = layout.span(block)
    taken: Any = slice(start, stop)
    if stop - start < layout.cells * layout.cell_rows:
        index = np.arange(start, start + layout.cells * layout.cell_rows)
        taken = np.minimum(index, stop - 1)
    rows = {
        name: values[taken].reshape(layout.cells, layout.cell_rows)
        for name, values in dimensions[layout.split].items()
    }
    return fixed, rows, np.asarray(stop - start, np.int32)


def trailing_arguments(grid: Grid, layout: Layout) -> tuple[dict[str, np.ndarray], ...]:
    """The parameters that run over their whole dimension in every block."""
    return tuple(list(grid.dimensions.values())[layout.split + 1 :])


def leaf_names(tree: Any) -> list[str]:
    """A name for each leaf: the keys on the way to it; ``value`` for a lone one."""
    paths = jax.tree_util.tree_flatten_with_path(tree)[0]
    return [jax.tree_util.keystr(path, simple=True, separator=".") or "value" for path, _ in paths]


def numbered_dimensions(name: str, count: int) -> list[str]:
    """Names of the dimensions that a variable has beyond the grid's."""
    return [f"{name}_{axis}" for axis in range(count)]


def require_distinct(axes: Mapping[str, Mapping[str, Any]], values: Any, beyond: int) -> None:
    """Raise ValueError unless everything in a file of these values can have a name of its own.

    Args:
        axes: as in ``Grid.dimensions``.
        values: a tree of arrays.
        beyond: how many of their dimensions are the grid's.
    """
    names = leaf_names(values)
    for path, _ in jax.tree_util.tree_flatten_with_path(values)[0]:
        for key in path:
            text = jax.tree_util.keystr((key,), simple=True)
            if not text or set(text) & set("./\\\0"):
                raise ValueError(
                    "Argument `function` must return keys without dots and slashes for its values "
                    f"to be written, but one is {text!r}."
                )
    numbered = [
        dimension
        for name, leaf in zip(names, jax.tree.leaves(values), strict=True)
        for dimension in numbered_dimensions(name, len(leaf.shape) - beyond)
    ]
    parameters = {name for along in axes.values() for name in along}
    taken = [METADATA, *({*axes} | parameters), *names, *numbered]
    for name in taken:
        if len(name.encode(errors="replace")) > _LONGEST_NAME:
            raise ValueError(
                "Argument `function` must have names, and return keys, that are short enough for "
                f"those of files for its values to be written, but one is {_brief(name)}."
            )
        if taken.count(name) > 1:
            raise ValueError(
                "Argument `function` must return keys that are no names of axes or parameters for "
                f"its values to be written, but {name!r} would stand for two things."
            )
