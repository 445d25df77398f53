"""One table of everything, for an accelerator that is lent for minutes.

    python -m benchmarks.gpu [--seconds 420] [--output FILE]

Kernels at 4096 x 4096 points, scattered points, batches of N = 3 to 8, and sweeps whose values stay
on the device, are summarised there, or come to the host, each beside what bounds it: the kernel, or
the bus, sampled in turn with it; and what derivatives take to compile. Kernels are compared with
the host's processor, whose digits the tests check. The most telling rows come first; what does not
begin in time is left out, and said so. Each row is printed when it is there, and written as a line
of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import SingleDeviceSharding

import jaxosc
from benchmarks import cases, device, timing
from benchmarks.cases import EQUATIONS, HOT, THREE, Kernel, Parameters
from benchmarks.compile import DERIVATIVES, POINT

_SIDE, _QUICK_SIDE = 4096, 64
_CHECKED = 64  # points along each axis that are compared
_BATCH, _QUICK_BATCH = {3: 2**18, 4: 2**17, 6: 2**16, 8: 2**15}, 64
_SAMPLE = 2.0  # seconds a row
_THREE = tuple(EQUATIONS)

Row = dict[str, Any]


def occupations(
    names: tuple[str, ...], coupling: jax.Array, difference: jax.Array
) -> dict[str, jax.Array]:
    """⟨n₁⟩ by several descriptions."""
    here = HOT.parameters(coupling, difference)
    return {name: Kernel((name,), "occupation").evaluate(here, HOT.interaction)[0]
            for name in names}  # fmt: skip


def grid(kernel: Kernel, side: int) -> Row:
    """A kernel on a product grid."""

    def function(coupling: jax.Array, difference: jax.Array) -> tuple[jax.Array, ...]:
        return kernel.evaluate(HOT.parameters(coupling, difference), HOT.interaction)

    return _kernel(cases.over_grid(function), HOT.axes(side, side), side**2, side // _CHECKED)


def scattered(name: str, points: int) -> Row:
    """A kernel where every parameter is each point's own."""

    def function(*numbers: jax.Array) -> tuple[jax.Array, ...]:
        return Kernel((name,), "occupation").evaluate(Parameters(*numbers), "position")

    return _kernel(jax.vmap(function), cases.scattered(points), points, points // _CHECKED**2)


def _kernel(function: Callable[..., Any], arguments: Any, count: int, skip: int) -> Row:
    """A kernel's rate, and how far it is from the processor's at every so many of its arguments."""
    placed = [jnp.asarray(values) for values in arguments]
    program = timing.compile_program(function, *placed)
    timed, _ = timing.measure(partial(program.call, *placed), _SAMPLE)
    few = [np.asarray(values)[::skip] for values in arguments]
    there = jax.jit(function)(*few)
    with jax.default_device(jax.devices("cpu")[0]):
        here = jax.jit(function)(*few)
    error = max(
        float(np.max(np.abs(np.asarray(mine) - known) / np.max(np.abs(known))))
        for mine, known in zip(there, map(np.asarray, here), strict=True)
    )
    return _rate(timed, count, compile_s=program.compile_seconds, error=error)


def networks(modes: int, batch: int) -> list[jax.Array]:
    """Frequencies, couplings, damping rates and temperatures of bounded random networks."""
    random = np.random.default_rng(modes)
    frequency = random.uniform(1.0, 2.0, (batch, modes))
    coupling = random.uniform(-1.0, 1.0, (batch, modes, modes)) * 0.4 / modes
    coupling = np.triu(coupling, 1)
    damping = 10 ** random.uniform(-3, -1, (batch, modes))
    temperature = random.uniform(0.5, 5.0, (batch, modes))
    return [
        jnp.asarray(values)
        for values in (frequency, coupling + coupling.swapaxes(1, 2), damping, temperature)
    ]


def derivatives(kernel: Kernel, order: str) -> Row:
    """What a derivative by all seven parameters takes to compile, and one evaluation of it."""

    def function(*numbers: jax.Array) -> jax.Array:
        return kernel.evaluate(Parameters(*numbers), "position")[0]

    arguments = [jnp.asarray(number) for number in POINT]
    program = timing.compile_program(DERIVATIVES[order](function), *arguments)
    timed, _ = timing.measure(partial(program.call, *arguments), _SAMPLE / 4)
    return _rate(timed, 1, compile_s=program.compile_seconds)


def few_modes(name: str, modes: int, batch: int, slope: bool) -> Row:
    """A batch of networks of their own: ⟨n₁⟩, or its gradient by all parameters."""

    def number(frequency: Any, coupling: Any, damping: Any, temperature: Any) -> jax.Array:
        oscillators = jaxosc.Oscillators(frequency, coupling, coupling)
        dynamics = EQUATIONS[name](oscillators, jaxosc.Baths(damping, temperature))
        return jaxosc.occupation(jaxosc.steady_state(dynamics))[0]

    function = jax.grad(number, (0, 1, 2, 3)) if slope else number
    arguments = networks(modes, batch)
    program = timing.compile_program(jax.vmap(function), *arguments)
    timed, result = timing.measure(partial(program.call, *arguments), _SAMPLE)
    missing = float(jnp.mean(jnp.isnan(jax.tree.leaves(result)[0])))
    return _rate(timed, batch, compile_s=program.compile_seconds, missing=missing)


@cache
def _swept(names: tuple[str, ...]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The same function in every row, so that it is compiled once, and its kernel."""
    function = partial(occupations, names)
    return function, jax.jit(cases.over_grid(function))


def sweep(names: tuple[str, ...], side: int, options: dict[str, Any]) -> Row:
    """A sweep beside its kernel alone, and beside the bus where its values come to the host."""
    axes = dict(zip(("coupling", "difference"), HOT.axes(side, side), strict=True))
    function, direct = _swept(names)
    there = [jnp.asarray(axis) for axis in axes.values()]

    def bus() -> Any:
        values = jax.block_until_ready(direct(*there))
        began = time.perf_counter()
        # Into memory of the host that stays in place: the bus at its full rate
        jax.block_until_ready(jax.tree.map(lambda leaf: jax.device_put(leaf, pinned), values))
        spent.append(time.perf_counter() - began)

    pinned = SingleDeviceSharding(jax.devices()[0], memory_kind="pinned_host")
    spent: list[float] = []
    calls: list[Callable[[], Any]] = [
        lambda: jaxosc.sweep(function, axes, progress=False, **options).values,
        lambda: direct(*there),
    ]
    began = time.perf_counter()
    jax.block_until_ready(calls[0]())
    first = time.perf_counter() - began
    home = not options
    mine, kernel, *_ = timing.interleave([*calls, bus] if home else calls, _SAMPLE)
    row = _rate(mine, side**2, compile_s=first, kernels=mine.ratio_to(kernel))
    if home:
        row["buses"] = mine.seconds / float(np.median(spent[1:]))
        size = len(names) * side**2 * jnp.zeros(()).dtype.itemsize
        row["bus_bytes_per_s"] = size / float(np.median(spent[1:]))
    return row


def _rate(timed: timing.Timing, count: int, **more: Any) -> Row:
    return {
        "count": count,
        "seconds": timed.seconds,
        "spread": timed.spread,
        "rate": count / timed.seconds,
        **more,
    }


def rows(quick: bool) -> Iterator[tuple[str, Callable[[], Row]]]:
    """Each row's name, and what measures it."""
    side = _QUICK_SIDE if quick else _SIDE
    chosen = {"three": _THREE, **{name: (name,) for name in _THREE}}
    count = {modes: _QUICK_BATCH if quick else batch for modes, batch in _BATCH.items()}

    def kernels(quantity: str, slope: bool) -> Iterator[tuple[str, Callable[[], Row]]]:
        for name in _THREE:
            kernel = Kernel((name,), quantity, slope)
            yield f"kernel, {kernel.name}", partial(grid, kernel, side)

    yield "kernel, three", partial(grid, THREE, side)
    yield from kernels("occupation", False)
    ways: dict[str, dict[str, Any]] = {
        "left there": {"where": "device"}, "max": {"reduce": "max"},
        "six": {"reduce": ("max", "min", "mean", "std", "argmax", "sum")}, "to host": {},
    }  # fmt: skip
    for way, options in ways.items():
        for name in ("three", "local"):
            yield f"sweep {way}, {name}", partial(sweep, chosen[name], side, options)
    for name in ("local", "langevin"):
        for modes in _BATCH:
            batch = partial(few_modes, name, modes, count[modes], False)
            yield f"N = {modes}, {name}", batch
    yield from kernels("information", False)
    for name in ("langevin", "local"):
        yield f"scattered, {name}", partial(scattered, name, side**2)
    yield from kernels("occupation", True)
    for modes in _BATCH:
        batch = partial(few_modes, "local", modes, count[modes] // 8, True)
        yield f"N = {modes}, local, gradient", batch
    for order in ("gradient", "Hessian"):
        for name in ("local", "langevin"):
            kernel = Kernel((name,), "occupation")
            yield f"{order}, {name}", partial(derivatives, kernel, order)
    yield from kernels("information", True)


def main() -> int:
    """Print and write the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--seconds", type=float, default=420.0, help="begin nothing after these")
    parser.add_argument("--output", type=Path, help="append the rows to this file, a line each")
    parser.add_argument("--only", default="", help="rows whose names hold this")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does everything run?")
    options = parser.parse_args()
    began = time.perf_counter()
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_enable_compilation_cache", False)
    kind = device.current().kind
    print(f"jaxosc {jaxosc.__version__}, JAX {jax.__version__}, float64, {kind}")
    print(f"{'':41}{'time':>12}{'+-%':>6}{'M/s':>10}{'us each':>10}{'kernels':>9}{'buses':>7}"
          f"{'GB/s':>7}{'compile s':>11}{'error':>9}")  # fmt: skip
    failed = False
    for name, measure in rows(options.quick):
        if options.only not in name:
            continue
        if time.perf_counter() - began > options.seconds:
            print(f"{name:41}left out: no time")
            continue
        try:
            row = measure()
        except Exception as error:  # the rest is worth having
            print(f"{name:41}failed: {type(error).__name__}: {error}".splitlines()[0][:150])
            failed = True
            continue
        print(_line(name, row), flush=True)
        if options.output is not None:
            with options.output.open("a") as file:
                file.write(json.dumps({"device": kind, "name": name, **row}) + "\n")
    return int(failed)


def _line(name: str, row: Row) -> str:
    def cell(key: str, form: str, width: int, scale: float = 1.0) -> str:
        return format(format(row[key] * scale, form) if key in row else "-", f">{width}")

    return (
        f"{name:41}{cell('seconds', '.4g', 9, 1e3)} ms{cell('spread', '.0f', 6, 100)}"
        f"{cell('rate', '.4g', 10, 1e-6)}{1e6 / row['rate']:>10.3g}{cell('kernels', '.2f', 9)}"
        f"{cell('buses', '.2f', 7)}{cell('bus_bytes_per_s', '.1f', 7, 1e-9)}"
        f"{cell('compile_s', '.1f', 11)}{cell('error', '.0e', 9)}"
    )


if __name__ == "__main__":
    sys.exit(main())
