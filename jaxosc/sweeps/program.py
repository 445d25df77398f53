"""A function compiled over the blocks of a grid, on all devices."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import SingleDeviceSharding

from jaxosc._parameters import Function, number_output, output_at, require_takes, traceable
from jaxosc._version import __version__
from jaxosc.sweeps.folding import apart, fold
from jaxosc.sweeps.grid import NUMBER, Grid, Layout, block_arguments, cut, trailing_arguments
from jaxosc.sweeps.reductions import Reduction

if TYPE_CHECKING:
    from jax.extend.core import ClosedJaxpr

# Points of a block before the program's memory is known; on accelerators, of one that goes to the
# host, and of one that stays: there each costs some launches more.
_CPU_POINTS = 2**19
_ACCELERATOR_POINTS = 2**22
_RESIDENT_POINTS = 2**24
# On CPUs: glibc maps every allocation above 32 MiB afresh, and the page faults then cost more
# than the arithmetic. Measured on slopes: 3 to 7 times slower above it than just below.
_CPU_BYTES = 30 * 10**6
# On accelerators: four blocks are in flight, and others use the memory too.
_ACCELERATOR_SHARE = 0.1
# Blocks started on a device before the first of them is waited for, on a CPU or not: what keeps
# an accelerator and its bus busy; on a CPU, one that is computed and one that is taken
IN_FLIGHT = {True: 2, False: 4}


class Shapes(NamedTuple):
    """What a compiled program depends on, beside the function."""

    names: tuple[tuple[str, tuple[str, ...]], ...]
    shape: tuple[int, ...]
    dtype: Any
    double: bool
    records: Any  # the structure of their tree, and shape and dtype of each leaf

    @staticmethod
    def of(grid: Grid) -> Shapes:
        """Those of this grid."""
        names = tuple((name, tuple(each)) for name, each in grid.dimensions.items())
        double = jax.dtypes.canonicalize_dtype(float) == np.float64
        leaves, structure = jax.tree.flatten(grid.records)
        records = structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        return Shapes(names, grid.shape, grid.dtype, double, records)

    def blank(self) -> Grid:
        """A grid of these shapes."""
        structure, leaves = self.records
        blanks = [np.broadcast_to(np.zeros((), dtype), shape) for shape, dtype in leaves]
        records = jax.tree.unflatten(structure, blanks)
        zero = {of_record: np.zeros(1, NUMBER if of_record else self.dtype) for of_record in (0, 1)}
        dimensions = {
            name: {key: np.broadcast_to(zero[key in records], size) for key in names}
            for (name, names), size in zip(self.names, self.shape, strict=True)
        }
        return Grid(dimensions, records)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of all of them."""
        return tuple(name for _, names in self.names for name in names)


@dataclass(frozen=True)
class Program:
    """The compiled function, and how the grid is cut for it.

    Every device has the same program for one device and works on blocks of its own. One program
    partitioned over all of them is optimised differently from that of a lone device, and its
    results differ in the last bit.

    Attributes:
        layout: the blocks.
        devices: where blocks can be computed at the same time.
        dtype: of the grid.
        output: shape and dtype at one point, or of one cell's summaries by name.
        compiled: for each device, from a block's parameters to its values or summaries.
        traced: the function at one point, as it was when it was compiled.
        reductions: what becomes of the values by name; none: they are kept.
    """

    layout: Layout
    devices: tuple[jax.Device, ...]
    dtype: Any
    output: Any
    compiled: tuple[Callable[..., Any], ...]
    traced: ClosedJaxpr
    reductions: dict[str, Reduction]

    @functools.cached_property
    def on_cpu(self) -> bool:
        """Whether the devices are cores of this machine."""
        return self.devices[0].platform == "cpu"

    @functools.cached_property
    def outputs(self) -> tuple[list[Any], Any]:
        """Leaves and structure of the output."""
        return jax.tree.flatten(self.output)

    @functools.cached_property
    def bytes_a_point(self) -> int:
        """Of the output."""
        return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in self.outputs[0])

    @functools.cached_property
    def facts(self) -> dict[str, Any]:
        """What the result's metadata say of it."""
        return {
            "jaxosc": __version__,
            "jax": jax.__version__,
            "devices": f"{len(self.devices)} x {self.devices[0].device_kind}",
            "processes": jax.process_count(),
            "dtype": str(self.dtype),
            "points": math.prod(self.layout.shape),
            "block": math.prod(self.layout.block_shape),
        }

    def arguments(self, grid: Grid) -> list[Any]:
        """For each device, the parameters that are the same in every block."""
        shared = trailing_arguments(grid, self.layout), grid.records
        if self.layout.blocks == 1:
            return [shared]  # the call itself puts them there, in less time
        return [jax.device_put(shared, device) for device in self.devices]

    def __call__(self, grid: Grid, arguments: list[Any], block: int, turn: int) -> Any:
        """Start computing a block on the device whose turn it is.

        Returns:
            its values [rows, trailing …, …]; or its summaries, which stay on the device, and
            which ``summaries`` takes apart when they are on the host.
        """
        place = turn % len(self.devices)
        fixed, rows, valid = block_arguments(grid, self.layout, block)
        output = self.compiled[place](fixed, rows, valid, arguments[place])
        if not self.reductions:
            return output
        cells = -(-int(valid) // self.layout.cell_rows)
        return fold(self.reductions, output, cells, together=not self.on_cpu)

    def summaries(self, output: Any) -> dict[str, Any]:
        """A block's summaries by name, of what is on the host."""
        return output if self.on_cpu else apart(self.reductions, self.output, output)


@functools.lru_cache(maxsize=32)
def compile_blocks(
    function: Function,
    shapes: Shapes,
    devices: tuple[jax.Device, ...],
    reductions: tuple[tuple[str, Reduction], ...],
    block: int | None,
    resident: bool,
) -> Program:
    """Compile, with blocks as large as memory and speed allow, or as the caller asks.

    Raises:
        ValueError: if the function does not take the parameters, does not return arrays of
            numbers, depends on values that are being traced, or needs more memory for the
            caller's block, or for a single point, than there is.
    """
    require_takes(function, shapes.parameters)
    traced = _traced(function, shapes)
    cpu = devices[0].platform == "cpu"
    if resident or (reductions and not cpu):
        points = block or _RESIDENT_POINTS
    else:
        points = block or (_CPU_POINTS if cpu else _ACCELERATOR_POINTS)
    available = memory_of(devices[0])
    limit = _CPU_BYTES if cpu else int(_ACCELERATOR_SHARE * available)
    # Values that stay in a CPU's memory are the result: nothing is gained by smaller ones.
    needing = functools.partial(_compile, outputs=not (resident and cpu))
    cells = None
    while True:
        layout = cut(shapes.shape, points, cells)
        compiled, output, needed = needing(function, shapes, devices[0], reductions, layout)
        size = math.prod(layout.block_shape)
        summary = sum(
            math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(output)
        )
        if reductions and layout.cells > max(1, limit // summary):
            cells = max(1, limit // summary)  # the summaries, not the points, fill the memory
            continue
        if block is not None or needed <= limit or size == 1:
            break
        points = max(1, min(int(size * limit / needed), size - 1))
    if needed > available:
        raise ValueError(
            f"Argument `block` must leave the function enough memory, but {size} points at once "
            f"take {needed / 1e9:.3g} GB and the device has {available / 1e9:.3g} GB."
        )
    used = devices[: layout.blocks]
    with ThreadPoolExecutor() as pool:
        others = pool.map(
            lambda device: _compile(function, shapes, device, reductions, layout)[0], used[1:]
        )
        programs = (compiled, *others)
    return Program(layout, used, shapes.dtype, output, programs, traced, dict(reductions))


def _traced(function: Function, shapes: Shapes) -> ClosedJaxpr:
    blank = shapes.blank()
    traced = jax.make_jaxpr(lambda values, records: output_at(function, {**values, **records}))(
        {name: values[0] for name, values in blank.parameters.items()},
        jax.tree.map(lambda leaf: leaf[0], blank.records),
    )
    if not traced.out_avals or any(math.prod(leaf.shape) == 0 for leaf in traced.out_avals):
        raise ValueError(
            "Argument `function` must return at least one number in each of its arrays, but it "
            f"returns {[leaf.shape for leaf in traced.out_avals]}."
        )
    if any(isinstance(value, jax.core.Tracer) for value in constants(traced)):
        raise ValueError(
            "Argument `function` must depend on known values and its arguments alone, but it uses "
            "one that is being traced: a sweep runs outside jit, vmap and grad; derivatives go "
            "into its function."
        )
    return traced


def constants(traced: ClosedJaxpr) -> Iterator[Any]:
    """All values in a traced function, those in functions that it calls included."""
    from jax.extend.core import Literal  # here: it imports all of Pallas, a tenth of JAX

    for part in parts(traced):
        yield from part.consts
        for equation in part.jaxpr.eqns:
            yield from (atom.val for atom in equation.invars if isinstance(atom, Literal))


def parts(traced: ClosedJaxpr) -> Iterator[ClosedJaxpr]:
    """A traced function and those that it calls."""
    from jax.extend.core import ClosedJaxpr, Jaxpr

    yield traced
    for equation in traced.jaxpr.eqns:
        for inner in jax.tree.leaves(equation.params):
            if isinstance(inner, ClosedJaxpr):
                yield from parts(inner)
            elif isinstance(inner, Jaxpr):
                yield from parts(ClosedJaxpr(inner, ()))


def _compile(
    function: Function,
    shapes: Shapes,
    device: jax.Device,
    reductions: tuple[tuple[str, Reduction], ...],
    layout: Layout,
    outputs: bool = True,
) -> tuple[Callable[..., Any], Any, int]:
    """What ``Program.compiled`` holds for a device, ``Program.output``, and bytes in use."""
    grid = shapes.blank()
    fixed, rows, valid_rows = block_arguments(grid, layout, 0)
    trailing = trailing_arguments(grid, layout)
    shared = trailing, grid.records
    placed = SingleDeviceSharding(device)

    def compiled(part: Callable[..., Any], *arguments: Any) -> jax.stages.Compiled:
        lowered = jax.jit(part, in_shardings=placed, out_shardings=placed).lower(*arguments)
        return lowered.compile()

    kept = layout.cells * layout.cell_rows if reductions else layout.rows
    values = compiled(functools.partial(_block, function, kept), fixed, rows, *shared)
    if not reductions:

        def program(fixed: Any, rows: Any, valid_rows: Any, shared: Any) -> Any:
            return values(fixed, rows, *shared)

        skip = len(layout.shape) - layout.split
        return program, _without(values.out_info, skip), _bytes(values, outputs)

    # Two programs: in one, XLA would compute the values anew in every reduction that reads them.
    # Measured: 3 to 10 times slower, with more memory and a longer compilation.
    summaries = compiled(
        functools.partial(_summaries, layout, dict(reductions)),
        *(fixed, rows, valid_rows, trailing, values.out_info),
    )

    def summary(fixed: Any, rows: Any, valid_rows: Any, shared: Any) -> Any:
        return summaries(fixed, rows, valid_rows, shared[0], values(fixed, rows, *shared))

    for name, summary_of in summaries.out_info.items():
        if not sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(summary_of)):
            raise ValueError(
                f"Argument `reduce` must hold reductions whose `partial` returns numbers, but that "
                f"of {name!r} returns none."
            )
    needed = max(_bytes(values), _bytes(summaries, outputs=False))
    return summary, _without(summaries.out_info, 1), needed


def _without(tree: Any, dimensions: int) -> Any:
    """Shapes and dtypes without so many leading dimensions."""
    return jax.tree.map(
        lambda leaf: leaf.update(shape=leaf.shape[dimensions:], sharding=None), tree
    )


def _bytes(compiled: jax.stages.Compiled, outputs: bool = True) -> int:
    figures = compiled.memory_analysis()
    if not figures:
        return 0
    return max(figures.temp_size_in_bytes, figures.output_size_in_bytes if outputs else 0)


def _block(
    function: Function,
    kept: int,
    fixed: dict[str, jax.Array],
    rows: dict[str, jax.Array],
    trailing: tuple[dict[str, jax.Array], ...],
    records: dict[str, Any],
) -> Any:
    """A block's values [kept rows, trailing …, …]."""

    def at(row: dict[str, jax.Array], *rest: dict[str, jax.Array]) -> Any:
        parameters = {**fixed, **row}
        for each in rest:
            parameters |= each
        for name, record in records.items():
            number = parameters[name]
            parameters[name] = jax.tree.map(lambda leaf, n=number: leaf[n], record)
        return output_at(function, parameters)

    # Nested, not flattened, so that what depends on one axis alone is computed once along it
    mapped = at
    for inner in reversed(range(1, len(trailing) + 1)):
        mapped = jax.vmap(
            mapped, in_axes=tuple(0 if i == inner else None for i in range(1 + len(trailing)))
        )
    mapped = jax.vmap(mapped, in_axes=(0, *(None for _ in trailing)))
    flat = {name: values.reshape(-1)[:kept] for name, values in rows.items()}
    return mapped(flat, *trailing)


def _summaries(
    layout: Layout,
    reductions: Mapping[str, Reduction],
    fixed: dict[str, jax.Array],
    rows: dict[str, jax.Array],
    valid_rows: jax.Array,
    trailing: tuple[dict[str, jax.Array], ...],
    values: Any,
) -> dict[str, Any]:
    """The summaries [cells, …] of a block's values."""
    cells, count = layout.cells, layout.cell_rows * layout.inner
    inside = layout.shape[layout.split + 1 :]
    flat = {name: array.reshape(-1) for name, array in rows.items()}
    points = _all_points(fixed, flat, trailing, (cells * layout.cell_rows, *inside))
    points = {name: array.reshape(cells, count) for name, array in points.items()}
    valid = jnp.arange(cells * layout.cell_rows, dtype=jnp.int32) < valid_rows
    valid = jnp.repeat(valid, layout.inner).reshape(cells, count)
    values = jax.tree.map(
        lambda leaf: leaf.reshape(cells, count, *leaf.shape[1 + len(inside) :]), values
    )

    def summary(reduction: Reduction, *group: Any) -> Any:
        with traceable("partial"):
            value = reduction.partial(*group)
        return number_output("partial", value)

    return {
        name: jax.vmap(functools.partial(summary, reduction))(values, points, valid)
        for name, reduction in reductions.items()
    }


def _all_points(
    fixed: dict[str, jax.Array],
    rows: dict[str, jax.Array],
    trailing: tuple[dict[str, jax.Array], ...],
    shape: tuple[int, ...],
) -> dict[str, jax.Array]:
    """Every parameter at every point [rows, trailing …]."""
    points = {name: jnp.broadcast_to(value, shape) for name, value in fixed.items()}
    for axis, parameters in enumerate((rows, *trailing)):
        for name, values in parameters.items():
            along = [1] * len(shape)
            along[axis] = len(values)
            points[name] = jnp.broadcast_to(values.reshape(along), shape)
    return points


def memory_of(device: jax.Device) -> int:
    """Bytes that the device has, or may use."""
    figures = device.memory_stats() if device.platform != "cpu" else None
    if figures and "bytes_limit" in figures:
        return int(figures["bytes_limit"])
    return physical_memory()


@functools.cache
def physical_memory() -> int:
    """Bytes of this machine; more than anyone has where the system does not tell."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**60
