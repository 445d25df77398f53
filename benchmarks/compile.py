"""Section ``compile``: what a program of one point costs before it runs.

``python -m benchmarks.compile [NAME …]`` prints it alone: CPU seconds of tracing and of compiling
without a persistent cache, and operations as written down and as compiled.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.cases import EQUATIONS, Kernel, Parameters
from benchmarks.records import Job, Settings

POINT = Parameters(5.0, 2.0, 1.3, 1e-3, 2e-3, 98.0, 40.0)
_ALL = tuple(range(len(POINT)))

DERIVATIVES: dict[str, Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    "value": lambda function: function,
    "gradient": lambda function: jax.grad(function, _ALL),
    "Hessian": lambda function: jax.hessian(function, _ALL),
}
"""By all seven parameters."""

# CPU seconds: the local and the global equation, and Langevin; information may take twice as long.
_GOALS = {"value": (0.5, 1.5), "gradient": (2.0, 5.0), "Hessian": (6.0, 15.0)}


def jobs(settings: Settings) -> list[Job]:
    """One job a number and derivative, the costliest last."""
    orders = ["value"] if settings.quick else list(DERIVATIVES)
    return [
        Job("compile", f"{kernel.name} {order}", partial(_row, kernel, order))
        for order in orders
        for quantity in ("occupation", "information")
        for kernel in (Kernel((description,), quantity) for description in EQUATIONS)
    ]


def _row(kernel: Kernel, order: str) -> Iterator[dict[str, Any]]:
    def function(*numbers: jax.Array) -> jax.Array:
        return kernel.evaluate(Parameters(*numbers), "position")[0]

    arguments = [jnp.asarray(number) for number in POINT]
    # A collector that looks through what earlier sections left triples the time to trace.
    gc.collect()
    gc.freeze()
    began = time.process_time()
    lowered = jax.jit(DERIVATIVES[order](function)).lower(*arguments)
    traced = time.process_time()
    compiled = lowered.compile()
    ended = time.process_time()
    goal = _GOALS[order][kernel.descriptions[0] == "langevin"]
    yield {
        "trace_cpu_s": traced - began,
        "compile_cpu_s": ended - traced,
        "goal_cpu_s": goal * (2 if kernel.quantity == "information" else 1),
        "operations_written": _operations(lowered.as_text()),
        "operations_compiled": _operations(compiled.as_text()),
    }


def _operations(text: str | None) -> int:
    return sum(" = " in line for line in (text or "").splitlines())


def main() -> None:
    """Print the rows whose names contain one of the words given, all if none is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compile")
    parser.add_argument("words", nargs="*", metavar="NAME")
    words = parser.parse_args().words
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_enable_compilation_cache", False)
    columns = f"{'trace':>7} {'compile':>8} {'goal':>5} {'written':>8} {'compiled':>9}"
    print(f"{'':32} {columns}")
    for order in DERIVATIVES:
        for quantity in ("occupation", "information"):
            for description in EQUATIONS:
                kernel = Kernel((description,), quantity)
                name = f"{kernel.name} {order}"
                if words and not any(word in name for word in words):
                    continue
                (row,) = _row(kernel, order)
                traced, compiled, goal, *operations = row.values()
                print(
                    f"{name:32} {traced:7.2f} {compiled:8.2f} {goal:5.1f} "
                    f"{operations[0]:8d} {operations[1]:9d}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
