"""Section ``sweeps``: ``jaxosc.sweep`` beside a hand-written ``jit(vmap(vmap(f)))``, and alone.

Each row is measured in a process of its own, with the system's memory allocation and the number of
devices that it is about: ``python -m benchmarks.sweeps '{"kind": …}'`` prints one.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from benchmarks import timing
from benchmarks.cases import EQUATIONS, HOT, Kernel
from benchmarks.records import Job, LeftOut, Settings

_TIMEOUT = 240.0
_SECONDS = 3.0
_ALL = tuple(EQUATIONS)
# The maximum is first: it is at the last point of the grid, where the error is looked at.
_REDUCTIONS = {
    "max": ("max",),
    "six": ("max", "min", "mean", "std", "argmax"),
}


def jobs(settings: Settings) -> list[Job]:
    """Overhead, large grids in memory and on disk, and several devices."""
    large = 10**6 if settings.quick else 10**8
    huge = 10**6 if settings.quick else 10**9
    plans: dict[str, dict[str, Any]] = {
        **{
            f"beside vmap, {'+'.join(names)}": {"kind": "overhead", "descriptions": names}
            for names in (("local",), ("langevin",), _ALL)
        },
        "beside vmap, langevin slope": {
            "kind": "overhead", "descriptions": ("langevin",), "slope": True, "points": 2**22,
        },
        **{
            f"beside vmap, {name}, {what}": {
                "kind": "overhead", "descriptions": names, "points": 2**22, **options,
            }
            for name, names in (("local", ("local",)), ("three", _ALL))
            for what, options in (("left there", {"where": "device"}), ("max", {"reduce": "max"}))
        },
        "local, max": {"kind": "reduce", "reduce": "max", "points": large},
        "local, six reductions": {"kind": "reduce", "reduce": "six", "points": large},
        "local, six, huge": {"kind": "reduce", "reduce": "six", "points": huge},
        "local, max, huge": {"kind": "reduce", "reduce": "max", "points": huge},
        "local, to disk": {"kind": "store", "points": large},
        **{
            f"langevin, {devices} devices": {
                "kind": "reduce", "reduce": "max", "points": large // 10, "devices": devices,
                "descriptions": ("langevin",),
            }
            for devices in (1, 2, 4)
        },
    }  # fmt: skip
    return [Job("sweeps", name, partial(_measured, settings, plan)) for name, plan in plans.items()]


def _measured(settings: Settings, plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    environment = dict(os.environ)
    devices = plan.get("devices")
    if devices is not None:
        if settings.device.accelerator:
            raise LeftOut("forced devices are for processors")
        environment["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.sweeps", json.dumps(plan)],
        env=environment, cwd=Path(__file__).parent.parent, capture_output=True, text=True,
        timeout=_TIMEOUT,
    )  # fmt: skip
    if done.returncode:
        raise LeftOut(f"failed: {done.stderr.strip().splitlines()[-1]}")
    yield json.loads(done.stdout.splitlines()[-1])


def _function(plan: dict[str, Any]) -> Callable[..., Any]:
    names = plan.get("descriptions", ("local",))

    def occupation(coupling: jax.Array, difference: jax.Array) -> dict[str, jax.Array]:
        here = HOT.parameters(coupling, difference)
        return {name: Kernel((name,), "occupation").evaluate(here, HOT.interaction)[0]
                for name in names}  # fmt: skip

    if not plan.get("slope"):
        return occupation
    return jax.grad(lambda coupling, difference: occupation(coupling, difference)[names[0]])


def _axes(points: int) -> dict[str, np.ndarray]:
    side = round(points**0.5)
    coupling, difference = HOT.axes(side, side)
    return {"coupling": coupling, "difference": difference}


def _overhead(plan: dict[str, Any]) -> dict[str, Any]:
    function, axes = _function(plan), _axes(plan.get("points", 2**18))
    direct = jax.jit(jax.vmap(jax.vmap(function, (None, 0)), (0, None)))
    options = {name: plan[name] for name in ("where", "reduce") if name in plan}
    mine, theirs = timing.interleave(
        [lambda: jaxosc.sweep(function, axes, **options).values, lambda: direct(*axes.values())],
        _SECONDS, most=201,
    )  # fmt: skip
    values = jax.tree.leaves(jaxosc.sweep(function, axes, **options).values)
    expected = jax.tree.leaves(direct(*axes.values()))
    if "reduce" in plan:
        expected = [jnp.max(leaf) for leaf in expected]
    error = max(float(np.max(np.abs(a / b - 1))) for a, b in zip(values, expected, strict=True))
    points = len(axes["coupling"]) ** 2
    return {
        "points": points,
        "seconds": mine.seconds,
        "spread": mine.spread,
        "points_per_s": points / mine.seconds,
        "vmaps": mine.ratio_to(theirs),
        "error": error,
    }


def _large(plan: dict[str, Any]) -> dict[str, Any]:
    function, axes = _function(plan), _axes(plan["points"])
    points = len(axes["coupling"]) * len(axes["difference"])
    corner = {name: jnp.asarray(values[-1]) for name, values in axes.items()}
    name, expected = next(iter(jax.jit(function)(**corner).items()))
    with tempfile.TemporaryDirectory() as folder:
        if plan["kind"] == "store":
            start = time.perf_counter()
            result = jaxosc.sweep(function, axes, store=Path(folder) / "values.zarr")
            seconds = time.perf_counter() - start
            found = result.values[name][-1, -1]
        else:
            reduce: dict[str, Any] = {each: each for each in _REDUCTIONS[plan["reduce"]]}
            if plan["reduce"] == "six":
                reduce["histogram"] = jaxosc.histogram(0.0, 1000.0, 100)
            # A small sweep of the same layout would be compiled apart: time the second one.
            if points <= 10**8:
                jaxosc.sweep(function, axes, reduce=reduce)
            start = time.perf_counter()
            result = jaxosc.sweep(function, axes, reduce=reduce)
            seconds = time.perf_counter() - start
            found = result.values["max"][name]
    return {
        "points": points,
        "seconds": seconds,
        "points_per_s": points / seconds,
        "error": abs(float(found) / float(expected) - 1),
        "block": result.metadata["block"],
    }


def _worker(plan: dict[str, Any]) -> dict[str, Any]:
    jax.config.update("jax_enable_x64", True)
    values = _overhead(plan) if plan["kind"] == "overhead" else _large(plan)
    return {**values, "peak_bytes": _peak_bytes()}


def _peak_bytes() -> int:
    """The most memory that this process has had."""
    status = Path("/proc/self/status")
    if status.exists():
        # getrusage would count what the process that started this one had.
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        if found:
            return 1024 * int(found[1])
    # Kilobytes, but bytes on macOS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    print(json.dumps(_worker(json.loads(sys.argv[1]))))
