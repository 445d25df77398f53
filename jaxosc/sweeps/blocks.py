"""The blocks of a sweep one after the other: several on each device at a time, taken in order."""

from __future__ import annotations

import contextlib
import functools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import SingleDeviceSharding

from jaxosc._terminal import progress_bar
from jaxosc.sweeps.grid import Grid, Layout
from jaxosc.sweeps.program import IN_FLIGHT, Program

_Taken = TypeVar("_Taken")
# Threads that take blocks from accelerators: each new page of a result costs as much as its bytes
# on the bus, and several threads share that.
_TAKERS = 4
# From as many bytes on pinned memory is worth asking for. Measured on an H200: 50 GB/s to there,
# 1.3 GB/s to where NumPy asks for it.
_PINNED_BYTES = 2**20


def each_block(
    program: Program,
    grid: Grid,
    numbers: Iterable[int],
    points: int,
    progress: bool | None,
    take: Callable[[int, Any], _Taken],
    takers: int = 1,
) -> Iterator[tuple[int, _Taken]]:
    """Each block's number and what ``take(number, output)`` makes of it, in order.

    Copies to the host begin as soon as a block is done, while the next ones are computed, and are
    waited for in other threads.

    Args:
        program: what computes them.
        grid: of the parameters.
        numbers: which blocks.
        points: about how many these have together.
        progress: as of ``sweep``.
        take: what to do with a block's output, arrays on a device that hold only this block.
        takers: threads that do it.
    """
    layout = program.layout
    arguments = program.arguments(grid)
    if layout.blocks == 1 and not progress:  # without threads and bars, which take time to make
        for number in numbers:
            output = program(grid, arguments, number, 0)
            yield number, take(number, output if program.on_cpu else moved(output))
        return
    ahead = IN_FLIGHT[program.on_cpu] * len(program.devices)
    pending: deque[tuple[int, Future[_Taken]]] = deque()
    with bar(points, progress) as advance, ThreadPoolExecutor(takers) as pool:

        def done() -> tuple[int, _Taken]:
            number, future = pending.popleft()
            taken = future.result()
            advance(points_in(layout, number))
            return number, taken

        for turn, number in enumerate(numbers):
            output = program(grid, arguments, number, turn)
            pending.append((number, pool.submit(take, number, moved(output))))
            del output  # or the block would stay in memory for a turn more
            if len(pending) == ahead:
                yield done()
        while pending:
            yield done()


def moved(output: Any) -> Any:
    """The arrays of a device on their way to the host, where ``numpy.asarray`` waits for them."""
    return jax.tree.map(_moved, output)


def _moved(leaf: jax.Array) -> jax.Array:
    pinned = _pinned(leaf.device)
    if pinned is not None and leaf.nbytes >= _PINNED_BYTES:
        with contextlib.suppress(jax.errors.JaxRuntimeError):  # there is no more of it
            return jax.device_put(leaf, pinned)
    leaf.copy_to_host_async()
    return leaf


@functools.cache
def _pinned(device: jax.Device) -> SingleDeviceSharding | None:
    """Memory of the host in which the device writes by itself, and NumPy reads in place."""
    kinds = {memory.kind for memory in device.addressable_memories()}
    if device.platform == "cpu" or "pinned_host" not in kinds:
        return None
    return SingleDeviceSharding(device, memory_kind="pinned_host")


def on_host(number: int, output: Any) -> Any:
    """A block's output as NumPy arrays."""
    return jax.tree.map(np.asarray, output)


def leaves_on_host(number: int, output: Any) -> list[np.ndarray]:
    """The same without their tree."""
    return [np.asarray(leaf) for leaf in jax.tree.leaves(output)]


def takers(program: Program) -> int:
    """How many threads may copy blocks at a time."""
    if program.on_cpu:  # whose cores compute already
        return 1
    return max(1, min(_TAKERS, (os.cpu_count() or 1) // 2))


@contextlib.contextmanager
def bar(points: int, progress: bool | None) -> Iterator[Callable[[int], Any]]:
    """What to call with the number of points that are done."""
    with progress_bar(
        total=points,
        disable=None if progress is None else not progress,
        delay=0 if progress else 1,
        unit="pt",
        unit_scale=True,
        leave=False,
    ) as shown:
        yield shown.update


def points_in(layout: Layout, block: int) -> int:
    """How many points a block has."""
    span = layout.flat(block)
    return span.stop - span.start


def block_values(layout: Layout, block: int, leaf: Any) -> Any:
    """A block's values [rows, trailing …, …], without what fills its last rows."""
    start, stop = layout.span(block)
    return leaf[: stop - start]
