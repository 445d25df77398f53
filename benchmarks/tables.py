"""Rows as tables for the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.device import Device
from benchmarks.records import Row


@dataclass(frozen=True)
class Column:
    """A column: its heading, and how a row's values become its text."""

    heading: str
    text: Callable[[dict[str, Any]], str]


def number(key: str, form: str, scale: float = 1.0) -> Callable[[dict[str, Any]], str]:
    """Text of one value; a dash where there is none."""

    def text(values: dict[str, Any]) -> str:
        value = values.get(key)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return "-"
        return format(value * scale, form)

    return text


def _time(key: str) -> Callable[[dict[str, Any]], str]:
    """Text of a time in the unit that suits it."""

    def text(values: dict[str, Any]) -> str:
        seconds = values.get(key)
        if seconds is None:
            return "-"
        for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
            if seconds >= size:
                return f"{seconds / size:.3g} {unit}"
        return f"{seconds * 1e9:.3g} ns"

    return text


def _bound(key: str, form: str, scale: float) -> Callable[[dict[str, Any]], str]:
    """Text of a rate that is marked where the compiler's count is a lower bound."""
    plain = number(key, form, scale)

    def text(values: dict[str, Any]) -> str:
        found = plain(values)
        return f">{found}" if values.get("lower_bounds") and found != "-" else found

    return text


def _streams(values: dict[str, Any]) -> str:
    """Text of the ratio to the stream, to about three digits."""
    ratio = values["streams"]
    return f"{ratio:.2f}" if ratio < 100 else f"{ratio:.0f}"


def _verdict(device: Device) -> Callable[[dict[str, Any]], str]:
    def text(values: dict[str, Any]) -> str:
        if device.accelerator:
            goal, met = values.get("goal_points_per_s"), values.get("points_per_s")
            return "-" if goal is None or met is None else ("yes" if met >= goal else "no")
        goal, met = values.get("goal_streams"), values.get("streams")
        return "-" if goal is None or met is None else ("yes" if met <= goal else "no")

    return text


def _compiles_in_time(values: dict[str, Any]) -> str:
    total = values["trace_cpu_s"] + values["compile_cpu_s"]
    return "yes" if total <= values["goal_cpu_s"] else "no"


def _kernel_columns(device: Device) -> list[Column]:
    goal = (
        Column("goal Mpt/s", number("goal_points_per_s", ".0f", 1e-6))
        if device.accelerator
        else Column("goal", number("goal_streams", ".2f"))
    )
    columns = [
        Column("Mpt/s", number("points_per_s", ".4g", 1e-6)),
        Column("+-%", number("spread", ".0f", 100)),
        Column("streams", _streams),
        goal,
        Column("met", _verdict(device)),
        Column("error", number("error", ".0e")),
        Column("compile s", number("compile_s", ".1f")),
        Column("temp B/pt", number("temporaries_per_point", ".0f")),
        Column("GB/s", _bound("bytes_per_s", ".3g", 1e-9)),
        Column("GFLOP/s", _bound("flops_per_s", ".3g", 1e-9)),
    ]
    if device.peak is not None:
        columns.append(Column("roofline %", _bound("roofline", ".0f", 100)))
    return columns


_POINTS = [
    Column("points", number("points", ".3g")),
    Column("a point", lambda values: _time("each")({"each": values["seconds"] / values["points"]})),
    Column("all", _time("seconds")),
    Column("+-%", number("spread", ".0f", 100)),
    Column("error", number("error", ".0e")),
]

_MODES = [
    Column("solver", lambda values: str(values["solver"])),
    Column("time", _time("seconds")),
    Column("+-%", number("spread", ".0f", 100)),
    Column("scipys", number("scipys", ".2f")),
    Column("numpys", number("numpys", ".2f")),
    Column("residual", number("residual", ".0e")),
    Column("gradient/value", number("gradients", ".1f")),
    Column("compile s", number("compile_s", ".1f")),
    Column("its gradient", number("gradient_compile_s", ".1f")),
    Column("temp MiB", number("temporaries", ".3g", 2**-20)),
]

_CALLS = [
    Column("call", _time("seconds")),
    Column("core", _time("core_s")),
    Column("cores", number("cores", ".1f")),
    Column("goal", _time("goal_s")),
    Column("met", lambda values: "yes" if values["seconds"] <= values["goal_s"] else "no"),
    Column("first", _time("first_s")),
]

_VERBS = [
    Column("verb", lambda values: str(values["verb"])),
    Column("pairs", number("pairs", ".0f")),
    Column("times", number("times", ".0f")),
    Column("time", _time("seconds")),
    Column("+-%", number("spread", ".0f", 100)),
    Column("a state", _time("each_s")),
    Column("steady states", number("steadies", ".1f")),
    Column("apart", number("error", ".0e")),
    Column("compile s", number("compile_s", ".1f")),
]

_COMPILE = [
    Column("trace s", number("trace_cpu_s", ".2f")),
    Column("compile s", number("compile_cpu_s", ".2f")),
    Column("goal s", number("goal_cpu_s", ".1f")),
    Column("met", _compiles_in_time),
    Column("operations", number("operations_written", ".0f")),
    Column("compiled", number("operations_compiled", ".0f")),
]

_SWEEPS = [
    Column("points", number("points", ".3g")),
    Column("time", _time("seconds")),
    Column("Mpt/s", number("points_per_s", ".4g", 1e-6)),
    Column("vmaps", number("vmaps", ".2f")),
    Column("error", number("error", ".0e")),
    Column("peak GiB", number("peak_bytes", ".2f", 2**-30)),
]

_COLUMNS = {
    "points": _POINTS,
    "modes": _MODES,
    "calls": _CALLS,
    "verbs": _VERBS,
    "sweeps": _SWEEPS,
    "compile": _COMPILE,
}

_LEGEND = {
    "kernels": """\
Product grids (lambda, Delta T) in float64. streams: time in times of the stream, ten float64
written a point by a trivial kernel, sampled alternately with the kernel. error: largest relative
error at a few points against 50 digits. GB/s and GFLOP/s: from the compiler's counts; > where they
are lower bounds because of a loop. Goal of the compile time: 1 s.""",
    "scattered": "Random points, all seven parameters different; columns as for kernels.",
    "points": """\
<n1> on a product grid; large numbers of points block by block in bounded memory. Contenders in
Fock space are given a cold scenario that they can do.""",
    "modes": """\
Chains of N oscillators. Lyapunov: steady_state of a drift given as a matrix, beside SciPy. scipys:
time in times of SciPy's. residual: |A s + s A' + D| / (2 |A| |s|). gradient: reverse mode of one
number by the whole drift, or by all frequencies. batch: random networks, the time of one; numpys:
in times of one batched np.linalg.solve for the packed covariances.""",
    "calls": """\
One warm call outside jit from plain numbers, and jit of the same function with arrays: the fastest
of each, taken in turn. Goal: 20 cores + 1 ms. first: the first call, with what it compiles.""",
    "verbs": """\
States of a pair at many times, in batches, beside SciPy's matrix exponential and the solvers of
peers in Fock space, one after the other; correlations and evolution beside two Drude baths, in
times of their steady state; entanglement and entropy of states beside The Walrus, heat beside
qthermo. apart: the largest difference from the peer, of the largest value.""",
    "sweeps": """\
jaxosc.sweep on product grids, each row in a process of its own. vmaps: time in times of
jit(vmap(vmap(f))), sampled alternately. error: largest relative difference from that, or of the
largest value from the one at its place. peak: memory of the whole process. Forced devices share the
same cores: they show what dividing the work costs.""",
    "compile": """\
Programs of one point, and their derivatives by all seven parameters: CPU seconds to trace and to
compile them without a cache, and operations as they are written down and as XLA compiles them.""",
}


def render(section: str, rows: Sequence[Row], device: Device) -> str:
    """A section as text: what the columns are, the table, and what was left out and why."""
    columns = _COLUMNS.get(section) or _kernel_columns(device)
    lines = ["", f"== {section} ==", _LEGEND[section], ""]
    done = [row for row in rows if row.left_out is None]
    if done:
        cells = [["", *(column.heading for column in columns)]]
        cells += [[row.name, *(column.text(row.values) for column in columns)] for row in done]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines += [
            "  ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
            for line in cells
        ]
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.left_out is not None:
            reasons.setdefault(row.left_out, []).append(row.name)
    lines += [f"left out: {'; '.join(names)}: {reason}" for reason, names in reasons.items()]
    return "\n".join(lines)
