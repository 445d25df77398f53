"""Wall-clock times that mean something: warm, finished, repeated, and interleaved for ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax

Thunk = Callable[[], Any]


@dataclass(frozen=True)
class Timing:
    """The samples of one contender.

    Attributes:
        samples: seconds of each call, in the order taken.
    """

    samples: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """The median: one interrupted sample does not move it."""
        return statistics.median(self.samples)

    @property
    def spread(self) -> float:
        """Half the interquartile range over the median; NaN for fewer than three samples."""
        if len(self.samples) < 3:
            return float("nan")
        low, _, high = statistics.quantiles(self.samples, n=4, method="inclusive")
        return (high - low) / 2 / self.seconds

    def ratio_to(self, other: Timing) -> float:
        """Median of the ratios of samples taken one right after the other.

        A slow drift of the machine is the same in both and cancels.
        """
        return statistics.median(
            mine / theirs for mine, theirs in zip(self.samples, other.samples, strict=True)
        )


def interleave(calls: Sequence[Thunk], seconds: float, most: int = 31) -> list[Timing]:
    """Time several calls in turn, A B A B …, for about the given seconds altogether.

    Args:
        calls: what to time; the results are waited for.
        seconds: no new round is begun past this time, except that there are at least three.
        most: no more rounds than this.

    Returns:
        One Timing a call.
    """
    # A result is held until the next one is there, as in a user's loop.
    results = [jax.block_until_ready(call()) for call in calls]
    samples: list[list[float]] = [[] for _ in calls]
    began = time.perf_counter()
    while calls and len(samples[0]) < most:
        if len(samples[0]) >= 3 and time.perf_counter() - began > seconds:
            break
        for number, call in enumerate(calls):
            sample, results[number] = _timed(call)
            samples[number].append(sample)
    return [Timing(tuple(mine)) for mine in samples]


def measure(
    call: Thunk, seconds: float, warm_up: bool = True, most: int = 31
) -> tuple[Timing, Any]:
    """Time one call, as often as fits into the given seconds, at least once.

    Args:
        call: what to time; the result is waited for.
        seconds: no new sample is begun past this time.
        warm_up: whether to make one call first that does not count.
        most: no more samples than this.

    Returns:
        The samples, and the last result.
    """
    if warm_up:
        jax.block_until_ready(call())
    samples: list[float] = []
    result = None
    began = time.perf_counter()
    while not samples or (len(samples) < most and time.perf_counter() - began < seconds):
        sample, result = _timed(call)
        samples.append(sample)
    return Timing(tuple(samples)), result


def _timed(call: Thunk) -> tuple[float, Any]:
    start = time.perf_counter()
    result = jax.block_until_ready(call())
    return time.perf_counter() - start, result


@dataclass(frozen=True)
class Program:
    """A compiled function, and what the compiler says about it.

    Attributes:
        call: takes the arguments it was compiled for.
        compile_seconds: tracing, lowering and compiling.
        temporaries: bytes of working memory beside arguments and results.
        memory: bytes of arguments, results and temporaries.
        flops: floating-point operations a call, transcendental functions counted as one each.
        traffic: bytes read and written by all of its fused kernels a call.
        lower_bounds: whether flops and traffic are lower bounds, because the compiler counts
            the body of a loop once.
    """

    call: Callable[..., Any]
    compile_seconds: float
    temporaries: int
    memory: int
    flops: float
    traffic: float
    lower_bounds: bool


def compile_program(function: Callable[..., Any], *arguments: Any) -> Program:
    """Compile a function ahead of time for these arguments, and time that."""
    start = time.perf_counter()
    compiled = jax.jit(function).lower(*arguments).compile()
    seconds = time.perf_counter() - start
    memory, cost = compiled.memory_analysis(), compiled.cost_analysis()
    return Program(
        call=compiled,
        compile_seconds=seconds,
        temporaries=memory.temp_size_in_bytes,
        memory=memory.temp_size_in_bytes
        + memory.output_size_in_bytes
        + memory.argument_size_in_bytes,
        flops=cost.get("flops", 0.0) + cost.get("transcendentals", 0.0),
        traffic=cost.get("bytes accessed", 0.0),
        lower_bounds=" while(" in (compiled.as_text() or ""),
    )
