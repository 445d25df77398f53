"""Values that stay on the devices that computed them."""

from __future__ import annotations

import functools
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

from jaxosc.sweeps.blocks import bar
from jaxosc.sweeps.grid import Grid, Layout
from jaxosc.sweeps.program import IN_FLIGHT, Program, memory_of


class _Piece(NamedTuple):
    """Rows of a block that belong to a part of the grid.

    Attributes:
        block: its number.
        low: the first of them in the block.
        at: where they go in the part.
        rows: how many.
    """

    block: int
    low: int
    at: int
    rows: int


def resident_values(program: Program, grid: Grid, progress: bool | None) -> Any:
    """The values, each array sharded along the grid's first axis over as many devices as divide it.

    A block on the border of two parts is computed for both: no values move between devices.

    Raises:
        ValueError: if they do not fit into the memory of the devices.
    """
    layout = program.layout
    leaves, tree = jax.tree.flatten(program.output)
    parts = max(count for count in range(1, len(program.devices) + 1) if grid.shape[0] % count == 0)
    size = sum(grid.points * math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in leaves)
    available = parts * memory_of(program.devices[0])
    if size > available:
        raise ValueError(
            f"Argument `where` must be left out for values that the devices cannot hold, but they "
            f"take {size / 1e9:.3g} GB and {parts} of the devices have {available / 1e9:.3g} GB."
        )
    shapes = [(grid.shape[0] // parts, *grid.shape[1:], *leaf.shape) for leaf in leaves]
    arguments = program.arguments(grid)
    if layout.blocks == 1:  # as it came, not copied
        output = jax.tree.leaves(program(grid, arguments, 0, 0))
        shaped = (leaf.reshape(shape) for leaf, shape in zip(output, shapes, strict=True))
        return jax.tree.unflatten(tree, shaped)
    wholes = [
        [_blank(shape, leaf.dtype, device)() for leaf, shape in zip(leaves, shapes, strict=True)]
        for device in program.devices[:parts]
    ]
    ahead = IN_FLIGHT[program.on_cpu] * parts
    pending: deque[tuple[int, Any]] = deque()
    with bar(grid.points, progress) as advance:

        def wait() -> None:
            points, output = pending.popleft()
            for leaf in output:
                leaf.block_until_ready()
            advance(points)

        for place, piece in _schedule(layout, grid, parts):
            output = jax.tree.leaves(program(grid, arguments, piece.block, place))
            # Without the implicit copy of a number to each device
            where = [jax.device_put(np.int32(i), program.devices[place]) for i in piece[1:3]]
            wholes[place] = [
                _put(whole, part, *where, count=piece.rows)
                for whole, part in zip(wholes[place], output, strict=True)
            ]
            pending.append((piece.rows * layout.inner, output))
            if len(pending) == ahead:
                wait()
        while pending:
            wait()
    return jax.tree.unflatten(
        tree,
        [
            _together(grid.shape + leaf.shape, list(shards))
            for leaf, shards in zip(leaves, zip(*wholes, strict=True), strict=True)
        ],
    )


def _schedule(layout: Layout, grid: Grid, parts: int) -> Iterator[tuple[int, _Piece]]:
    """Each part's pieces in order, the parts in turn."""
    rows = grid.points // layout.inner // parts

    def pieces(part: int) -> Iterator[_Piece]:
        first, end = part * rows, (part + 1) * rows
        for block in layout:
            flat = layout.flat(block)
            start, stop = flat.start // layout.inner, flat.stop // layout.inner
            low, high = max(start, first), min(stop, end)
            if low < high:
                yield _Piece(block, low - start, low - first, high - low)

    for turn in itertools.zip_longest(*(pieces(part) for part in range(parts))):
        yield from ((place, piece) for place, piece in enumerate(turn) if piece is not None)


@functools.lru_cache(maxsize=64)
def _blank(shape: tuple[int, ...], dtype: Any, device: jax.Device) -> Callable[[], jax.Array]:
    """Makes an array where it will be; ``jnp.empty(device=…)`` moves it there from the first."""
    return jax.jit(lambda: jnp.empty(shape, dtype), out_shardings=SingleDeviceSharding(device))


@functools.partial(jax.jit, static_argnames="count", donate_argnums=0)
def _put(
    whole: jax.Array, block: jax.Array, low: jax.Array, at: jax.Array, count: int
) -> jax.Array:
    """``whole`` with so many rows of a block, from ``low`` on, in the place of those from ``at``.

    The rows of the whole are spread over its first dimensions; the reshaping costs nothing.
    """
    rows = whole.reshape(-1, *block.shape[1:])
    part = lax.dynamic_slice_in_dim(block, low, count)
    return lax.dynamic_update_slice_in_dim(rows, part, at, 0).reshape(whole.shape)


def _together(shape: tuple[int, ...], shards: list[jax.Array]) -> jax.Array:
    """One array of those along its first dimension."""
    if len(shards) == 1:
        return shards[0]
    mesh = Mesh(np.array([next(iter(shard.devices())) for shard in shards]), ("sweep",))
    along: Any = PartitionSpec  # which JAX leaves without types
    sharding = NamedSharding(mesh, along("sweep"))
    return jax.make_array_from_single_device_arrays(shape, sharding, shards)
