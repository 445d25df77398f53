"""Sections ``kernels`` and ``scattered``: rate, error and cost of every kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from benchmarks import cases, timing
from benchmarks.accuracy import largest_error
from benchmarks.cases import Goal, Kernel, Parameters, Scenario
from benchmarks.records import Job, Settings, rates, require_memory

# Time for the samples of one kernel and of the stream beside it.
_SECONDS, _QUICK_SECONDS = 0.6, 0.05

Error = Callable[[Sequence[jax.Array]], float | None]


def grid_jobs(settings: Settings) -> list[Job]:
    """Product grids of λ and ΔT: each parameter of a kernel is a constant or on an axis."""
    jobs = [
        Job(
            "kernels", f"{scenario.name}: {kernel.name}", partial(_grid, settings, scenario, kernel)
        )
        for scenario, kernels in cases.GRID_KERNELS.items()
        for kernel in kernels
    ]
    name = "any: information of a given covariance"
    jobs.append(Job("kernels", name, partial(_given_covariance, settings)))
    if settings.quick:
        jobs = [jobs[0], jobs[-1]]
    return jobs


def scattered_jobs(settings: Settings) -> list[Job]:
    """Points at which every one of the seven parameters is its own."""
    kernels = cases.SCATTERED_KERNELS[2:3] if settings.quick else cases.SCATTERED_KERNELS
    return [
        Job("scattered", kernel.name, partial(_scattered, settings, kernel)) for kernel in kernels
    ]


def grid_size(settings: Settings) -> int:
    """Points on either axis of a product grid."""
    if settings.quick:
        return 64
    return 4096 if settings.device.accelerator else 512


def _grid(settings: Settings, scenario: Scenario, kernel: Kernel) -> Iterator[dict[str, Any]]:
    size = grid_size(settings)
    coupling, difference = scenario.axes(size, size)

    def function(coupling: jax.Array, difference: jax.Array) -> tuple[jax.Array, ...]:
        return kernel.evaluate(scenario.parameters(coupling, difference), scenario.interaction)

    def error(outputs: Sequence[jax.Array]) -> float | None:
        last, middle = size - 1, size // 2
        places = [(middle, middle), (last, last), (last, 0), (0, last), (size // 8, size // 3)]
        return largest_error(
            kernel,
            scenario.interaction,
            [
                (
                    [output[i, j] for output in outputs],
                    scenario.parameters(float(coupling[i]), float(difference[j])),
                )
                for i, j in (places[:2] if settings.quick else places)
            ],
        )

    yield _row(settings, cases.over_grid(function), (coupling, difference), kernel.goal, error)


def _scattered(settings: Settings, kernel: Kernel) -> Iterator[dict[str, Any]]:
    points = grid_size(settings) ** 2
    parameters = cases.scattered(points)

    def function(*numbers: jax.Array) -> tuple[jax.Array, ...]:
        return kernel.evaluate(Parameters(*numbers), "position")

    def error(outputs: Sequence[jax.Array]) -> float | None:
        places = np.linspace(0, points - 1, 2 if settings.quick else 5, dtype=int)
        here = [Parameters(*(float(values[i]) for values in parameters)) for i in places]
        found = [[output[i] for output in outputs] for i in places]
        return largest_error(kernel, "position", list(zip(found, here, strict=True)))

    yield _row(settings, jax.vmap(function), parameters, kernel.goal, error)


def _given_covariance(settings: Settings) -> Iterator[dict[str, Any]]:
    """Mutual information alone, of covariances that are already there."""
    size, scenario = grid_size(settings), cases.HOT
    kernel = Kernel(("local",), "information")
    coupling, difference = scenario.axes(size, size)

    def covariance(coupling: jax.Array, difference: jax.Array) -> tuple[jax.Array, ...]:
        parameters = scenario.parameters(coupling, difference)
        return Kernel(("local",), "covariance").evaluate(parameters, scenario.interaction)

    def function(*entries: jax.Array) -> tuple[jax.Array, ...]:
        return (jaxosc.mutual_information(cases.from_upper_entries(*entries)),)

    def error(outputs: Sequence[jax.Array]) -> float | None:
        # Also the error of the covariance that is given, which is no larger.
        middle = size // 2
        parameters = scenario.parameters(float(coupling[middle]), float(difference[middle]))
        found = [output[middle, middle] for output in outputs]
        return largest_error(kernel, scenario.interaction, [(found, parameters)])

    entries = jax.jit(cases.over_grid(covariance))(coupling, difference)
    yield _row(settings, jax.vmap(jax.vmap(function)), entries, cases.INFORMATION_GOAL, error)


def _row(
    settings: Settings,
    function: Callable[..., Any],
    arguments: Sequence[Any],
    goal: Goal,
    error: Error,
) -> dict[str, Any]:
    if settings.quick:
        goal = Goal()  # set for large grids
    size = grid_size(settings)
    arguments = [jnp.asarray(argument) for argument in arguments]
    program = timing.compile_program(function, *arguments)
    require_memory(program)
    stream = _stream(size)
    seconds = _QUICK_SECONDS if settings.quick else _SECONDS
    mine, theirs = timing.interleave([partial(program.call, *arguments), stream], seconds, most=31)
    return {
        "points": size**2,
        "seconds": mine.seconds,
        "spread": mine.spread,
        "points_per_s": size**2 / mine.seconds,
        "stream_points_per_s": size**2 / theirs.seconds,
        "streams": mine.ratio_to(theirs),
        "goal_streams": goal.streams,
        "goal_points_per_s": None if goal.rate is None else 1e9 * goal.rate,
        "error": error(program.call(*arguments)),
        "compile_s": program.compile_seconds,
        "temporaries_per_point": program.temporaries / size**2,
        **rates(program, mine.seconds, settings.device),
    }


@cache
def _stream(size: int) -> Callable[[], Any]:
    axes = [jnp.asarray(axis) for axis in cases.HOT.axes(size, size)]
    program = timing.compile_program(cases.over_grid(cases.stream), *axes)
    return partial(program.call, *axes)
