"""Sweeps: a function of named parameters at every point of a grid."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import jax
import numpy as np
from jax.experimental import multihost_utils

from jaxosc import _checks
from jaxosc._parameters import Function
from jaxosc.sweeps.blocks import (
    block_values,
    each_block,
    leaves_on_host,
    moved,
    on_host,
    takers,
)
from jaxosc.sweeps.folding import fold
from jaxosc.sweeps.grid import Grid, named_grid
from jaxosc.sweeps.program import (
    Program,
    Shapes,
    compile_blocks,
    memory_of,
    physical_memory,
)
from jaxosc.sweeps.reductions import Reduction, named_reductions
from jaxosc.sweeps.resident import resident_values
from jaxosc.sweeps.result import SweepResult
from jaxosc.sweeps.store import Store, chosen_block, fingerprint, locked, store_path

# Blocks whose summaries are kept before they are joined, and bytes of these
_JOINED, _JOINED_BYTES = 64, 2**26
# Of an accelerator's memory, for values that are joined there before they come to the host
_RESIDENT_SHARE = 0.25


@_checks.nan_is_an_answer
def sweep(
    function: Function,
    axes: Mapping[str, Any],
    *,
    reduce: Any = None,
    store: str | os.PathLike[str] | None = None,
    where: Literal["host", "device"] = "host",
    block: int | None = None,
    devices: Sequence[jax.Device] | None = None,
    progress: bool | None = None,
) -> SweepResult:
    """Evaluate a function at every point of a grid of named parameters.

    The grid is cut into blocks, each one call of one compiled program, spread over all local
    devices; the memory in use is that of a few blocks, and of the result. Under
    ``jax.distributed`` every process calls this with the same arguments, computes its share of
    the blocks, and gets the whole result. Neither the number of devices nor of processes
    changes the result.

    Args:
        function: takes the parameters by name, as scalars or records; returns a number, an array,
            or a tree of them. Anything that ``jax.vmap`` accepts, derivatives included. As with
            ``jax.jit``, it is compiled once for each grid shape, and what it finds in variables
            beside its arguments is fixed then: fixed parameters go into it by
            ``functools.partial`` or a function that makes it.
        axes: values of each parameter, [n]; the grid is their product, in this order. A mapping
            in place of an array is one dimension along which several parameters run together:
            ``{"path": {"coupling": [...], "delta_T": [...]}}``. Integers become floating. In
            place of an array also a batch of ``Oscillators`` or ``Baths``, as ``jax.vmap`` makes
            it, all arrays with a leading axis [n]: the function gets one of them, and the result
            and its summaries know them by their numbers, 0 to n − 1.
        reduce: keep summaries in place of values: "min", "max", "sum", "mean", "std", "argmin",
            "argmax" (the parameters there), each also as "nanmin", … which leaves NaN out; a
            list of these; or a mapping from names of your own to these, to ``histogram(…)``, or
            to a ``Reduction``. Whole numbers are summarised as floating ones.
        store: write the values into this folder, a Zarr store, block by block, in place of
            memory; needs the extra ``io``. After an interruption of any kind the same call goes
            on from the last finished block and ends with the same bytes, on a machine of the
            same kind. ``load_sweep`` opens it later.
        where: "device" leaves the values on the devices, as JAX arrays, each sharded along the
            first axis over as many of the devices as divide its length; in one process.
        block: points in a block, at most, in place of a size chosen from the compiled
            program's memory.
        devices: where to compute; all local devices if left out.
        progress: show a bar; if left out, on a terminal and after a second.

    Returns:
        ``SweepResult``: values as NumPy arrays that cannot be written to, or JAX arrays; axes,
        metadata.

    Raises:
        ValueError: if an axis is empty, not one-dimensional, not finite, not of numbers, or not
            an argument of the function; if the function does not return numbers, or chooses by
            the value of a parameter in Python what it returns; if the result does not fit into
            memory; or if the store is another sweep's, another run's, or no store.

    Example:
        >>> def number(coupling):
        ...     network = jaxosc.pair((5.0, 2.0), coupling, "position")
        ...     return jaxosc.occupation(jaxosc.gibbs(network, 3.0))[0]
        >>> result = jaxosc.sweep(number, {"coupling": [0.0, 0.5, 1.0]})
        >>> result.values.round(6)
        array([0.232857, 0.266148, 0.432689])
    """
    grid = named_grid(axes)
    reductions = {} if reduce is None else named_reductions(reduce)
    if store is not None and reductions:
        raise ValueError("Argument `store` must be left out beside `reduce`, but it is not.")
    _checks.require_choice("where", where, ("host", "device"))
    if where == "device" and (reductions or store is not None or jax.process_count() > 1):
        raise ValueError(
            "Argument `where` must be left out beside `reduce` and `store`, and for more than one "
            f"process, but it is {where!r}."
        )
    if block is not None:
        _checks.require_whole("block", block, 1, 2**40)
        block = int(block)
    if not (progress is None or isinstance(progress, bool)):
        raise ValueError(
            f"Argument `progress` must be True, False or None, but it is {progress!r}."
        )
    path = None if store is None else store_path(store)
    chosen = _devices(devices)
    began = time.gmtime()
    start = time.perf_counter()
    if path is not None:
        stored = chosen_block(path)
        block = block or stored
    values_wanted = path is None and not reductions
    resident = where == "device" or (values_wanted and _is_lone_accelerator(chosen))
    program = _compiled(function, grid, chosen, reductions, block, resident)
    if path is not None:
        values = _stored(path, program, grid, progress)
    elif reductions:
        values = _summarised(program, grid, reductions, progress)
    elif where == "device":
        values = resident_values(program, grid, progress)
    else:
        values = _collected(program, grid, progress)
    metadata: dict[str, Any] = {
        **program.facts,
        "seconds": time.perf_counter() - start,
        "began": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", began),
    }
    if path is not None:
        metadata["store"] = str(path)
    if reductions:
        metadata["reduce"] = list(reductions)
    return SweepResult(values, grid.dimensions, metadata)


def _devices(devices: Sequence[jax.Device] | None) -> tuple[jax.Device, ...]:
    if devices is None:
        return tuple(jax.local_devices())
    local = jax.local_devices()
    chosen = tuple(devices) if isinstance(devices, Sequence) else ()
    if not chosen or not all(device in local for device in chosen):
        raise ValueError(
            f"Argument `devices` must hold at least one of jax.local_devices(), "
            f"but it is {devices!r}."
        )
    return chosen


def _is_lone_accelerator(devices: tuple[jax.Device, ...]) -> bool:
    return len(devices) == 1 == jax.process_count() and devices[0].platform != "cpu"


def _compiled(
    function: Function,
    grid: Grid,
    devices: tuple[jax.Device, ...],
    reductions: dict[str, Reduction],
    block: int | None,
    resident: bool,
) -> Program:
    if not callable(function):
        raise ValueError(f"Argument `function` must be a function, but it is {function!r}.")
    for name, value in (("function", function), ("reduce", tuple(reductions.values()))):
        try:
            hash(value)
        except TypeError as error:
            raise ValueError(f"Argument `{name}` must be hashable, but: {error}.") from error
    compiled = functools.partial(
        compile_blocks, function, Shapes.of(grid), devices, tuple(reductions.items())
    )
    program = compiled(block, resident)
    if jax.process_count() == 1 or block is not None:
        return program
    # The memory of another process's device may have suggested a slightly different size.
    points = np.asarray(math.prod(program.layout.block_shape), np.int32)
    agreed = int(multihost_utils.broadcast_one_to_all(points))
    return program if agreed == points else compiled(agreed, resident)


def _everyones(program: Program, grid: Grid, progress: bool | None) -> Iterator[tuple[int, Any]]:
    """Each block of the grid, computed here or by another process."""
    count, processes = program.layout.blocks, jax.process_count()
    # A process without a block in the last round repeats the last one.
    rounds = -(-count // processes)
    mine = (min(turn * processes + jax.process_index(), count - 1) for turn in range(rounds))
    points = grid.points // processes
    blocks = each_block(program, grid, mine, points, progress, on_host)
    for turn, (number, output) in enumerate(blocks):
        if processes == 1:
            yield number, output
            continue
        everyones = multihost_utils.process_allgather(output)
        for process in range(min(processes, count - turn * processes)):
            yield (
                turn * processes + process,
                jax.tree.map(lambda leaf, at=process: np.asarray(leaf[at]), everyones),
            )


def _collected(program: Program, grid: Grid, progress: bool | None) -> Any:
    layout, (leaves, tree) = program.layout, program.outputs
    size = grid.points * program.bytes_a_point
    if size > physical_memory():
        raise ValueError(
            f"Argument `axes` must span a grid whose values fit into memory, but they take "
            f"{size / 1e9:.3g} GB and there are {physical_memory() / 1e9:.3g} GB: keep summaries "
            "with `reduce`, or write the values to disk with `store`."
        )
    if _is_lone_accelerator(program.devices):
        available = _RESIDENT_SHARE * memory_of(program.devices[0])
        if size <= available:  # over the bus in one piece, which need not be copied on the host
            return jax.tree.map(np.asarray, moved(resident_values(program, grid, progress)))
    whole: list[np.ndarray]

    def put(number: int, output: Any) -> None:
        span = layout.flat(number)
        for target, leaf in zip(whole, jax.tree.leaves(output), strict=True):
            part = block_values(layout, number, np.asarray(leaf))
            target[span.start // layout.inner : span.stop // layout.inner] = part

    if layout.blocks == 1:  # as it came, not copied
        ((_, whole),) = each_block(program, grid, (0,), grid.points, progress, leaves_on_host)
    else:
        head = grid.points // layout.inner, *grid.shape[layout.split + 1 :]
        whole = [np.empty(head + leaf.shape, leaf.dtype) for leaf in leaves]
        if jax.process_count() == 1:
            for _ in each_block(program, grid, layout, grid.points, progress, put, takers(program)):
                pass
        else:
            for number, output in _everyones(program, grid, progress):
                put(number, output)
    shaped = [
        array.reshape(grid.shape + leaf.shape) for array, leaf in zip(whole, leaves, strict=True)
    ]
    for array in shaped:  # as those that come from JAX in one block are
        array.flags.writeable = False
    return jax.tree.unflatten(tree, shaped)


def _stored(path: Path, program: Program, grid: Grid, progress: bool | None) -> Any:
    made_by = fingerprint(program, grid)
    process, processes = jax.process_index(), jax.process_count()

    with contextlib.ExitStack() as stack:

        def opened() -> Store:
            if process == 0:
                stack.enter_context(locked(path))
            return Store(path, program, grid, made_by, process)

        store = _by_all(opened)

        # Called in a thread that Ctrl-C does not reach: a block that is being written is finished.
        def write(number: int, output: Any) -> None:
            leaves = map(np.asarray, jax.tree.leaves(output))
            store.write(number, [block_values(program.layout, number, leaf) for leaf in leaves])

        left, numbers = store.unfinished()
        mine = itertools.islice(numbers, process, None, processes)
        points = grid.points * left // (program.layout.blocks * processes)
        _wait()  # nobody writes before everyone has read what is left
        problem: Exception | None = None
        try:
            for _ in each_block(program, grid, mine, points, progress, write):
                pass
        except (KeyboardInterrupt, Exception) as error:
            error.add_note(
                f"{program.layout.blocks - store.unfinished()[0]} of {program.layout.blocks} "
                f"blocks are in {path}; the same call goes on from there."
            )
            if not isinstance(error, Exception):
                raise
            problem = error
        _agree(
            problem,
            f"Argument `store` must be one that every process can write, and {path} goes on then",
        )
        if process == 0 and not store.complete:
            store.finish()
        _wait()  # the store says that it is whole
        return store.values(program)


def _by_all(opened: Callable[[], Store]) -> Store:
    """The store, opened by the first process and then by the others; by all or by none."""
    store: Store | None = None
    for first in (True, False):
        problem: Exception | None = None
        if first == (jax.process_index() == 0):
            try:
                store = opened()
            except (ValueError, OSError) as error:
                problem = error
        _agree(problem, "Argument `store` must be one that every process can open")
    assert store is not None
    return store


def _agree(problem: Exception | None, must: str) -> None:
    """Wait for the other processes, and raise if one has a problem: its own, or that there is."""
    if jax.process_count() > 1:
        fine = multihost_utils.process_allgather(np.asarray(problem is None))
        if problem is None and not fine.all():
            raise ValueError(
                f"{must}, but process {int(np.argmin(fine))} cannot; its message says why."
            )
    if problem is not None:
        raise problem


def _wait() -> None:
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices("jaxosc.sweep")


def _summarised(
    program: Program, grid: Grid, reductions: dict[str, Reduction], progress: bool | None
) -> dict[str, Any]:
    layout = program.layout
    # Joined in order whatever their number at a time, so that they never fill the memory
    total: dict[str, Any] | None = None
    states: list[dict[str, Any]] = []
    for number, output in _everyones(program, grid, progress):
        states.append(program.summaries(output))
        size = len(states) * sum(leaf.nbytes for leaf in jax.tree.leaves(states[-1]))
        last = number == layout.blocks - 1
        if last and number == 0:  # there is nothing to join
            total = states[0]
        elif len(states) == _JOINED or size > _JOINED_BYTES or last:
            joined = states if total is None else [total, *states]
            stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *joined)
            total = jax.tree.map(np.asarray, fold(reductions, stacked, len(joined), together=False))
            states = []
    assert total is not None
    return {name: reduction.finish(total[name]) for name, reduction in reductions.items()}
