"""The command ``python -m benchmarks``: what to run, in what time, and where to write it."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import platform
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
from tqdm import tqdm

import jaxosc
from benchmarks import (
    calls,
    device,
    kernels,
    modes,
    picture,
    points,
    sweeps,
    tables,
    verbs,
)
from benchmarks import (
    compile as compilation,
)
from benchmarks.records import HISTORY, Job, LeftOut, Row, Settings

# The sections in order, with the share of the time that each may take; what one does not use
# passes on to those after it.
_SECTIONS = {
    "kernels": (kernels.grid_jobs, 0.4),
    "scattered": (kernels.scattered_jobs, 0.08),
    "points": (points.jobs, 0.25),
    "modes": (modes.jobs, 0.45),
    "calls": (calls.jobs, 0.25),
    "verbs": (verbs.jobs, 0.15),
    "compile": (compilation.jobs, 0.25),
    "sweeps": (sweeps.jobs, 0.4),
}
# Seconds past which no further job is begun.
_BUDGET, _QUICK_BUDGET = 370.0, 180.0

_PACKAGES = (
    "jax",
    "jaxlib",
    "numpy",
    "scipy",
    "qutip",
    "dynamiqs",
    "mpmath",
    "qthermo",
    "thewalrus",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that the arguments ask for, print tables, write results."""
    options = _parser().parse_args(arguments)
    # Everything is asked for in double precision, and compiled rather than recalled.
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_enable_compilation_cache", False)
    recycled = device.keep_freed_memory()
    settings = Settings(options.quick, device.current())
    budget = options.budget or (_QUICK_BUDGET if options.quick else _BUDGET)
    chosen = {
        section: [job for job in jobs(settings) if options.only.search(f"{section}/{job.name}")]
        for section, (jobs, _) in _SECTIONS.items()
    }
    if not any(chosen.values()):
        print(f"Nothing matches --only {options.only.pattern!r}.", file=sys.stderr)
        return 2

    print(f"jaxosc {jaxosc.__version__}, JAX {jax.__version__}, float64, {settings.device.kind}")
    if not recycled and not settings.device.accelerator:
        print("Memory is not recycled here: page faults make the stream and its ratios uncertain.")
    if options.quick:
        print("Quick: sizes are too small for the rates and ratios to mean anything.")
    began = time.perf_counter()
    rows = _run(chosen, settings, began + budget)
    elapsed = time.perf_counter() - began

    options.output.mkdir(parents=True, exist_ok=True)
    written = [options.output / "benchmarks.json", options.output / HISTORY]
    record = _record(rows, settings, elapsed)
    written[0].write_text(json.dumps(record, indent=1) + "\n")
    with written[1].open("a") as history:
        history.write(json.dumps(record) + "\n")
    image = options.output / "benchmarks.png"
    title = f"One steady-state occupation, float64, {settings.device.kind}"
    if picture.draw(rows, title, image):
        written.append(image)
    print(f"\n{elapsed:.0f} s. Written: {', '.join(map(str, written))}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=(
            "Times jaxosc beside NumPy, SciPy, QuTiP, dynamiqs and others at the same work, with "
            "the error beside every time. Peers that are not installed are left out by name; "
            "`pip install '.[bench]'` installs them."
        ),
        epilog=(
            "Sections: kernels (every kernel on a product grid), scattered (every parameter "
            "batched), points (time against the number of points, and the peers), modes (time "
            "against the number of oscillators), calls (public functions outside jit), verbs "
            "(evolution and correlations), compile (values, gradients and Hessians at a point), "
            "sweeps (jaxosc.sweep on large grids). Each run is a line of history.jsonl, and "
            "`python -m benchmarks.compare` says what got slower."
        ),
    )
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes, a few cases: does everything run?"
    )
    parser.add_argument(
        "--only",
        type=re.compile,
        default=re.compile(""),
        metavar="REGEX",
        help="run what matches 'section/name', as in the tables: 'modes', 'kernels/cold'",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).parent / "results",
        metavar="DIR",
        help="where benchmarks.json, .png and history.jsonl go (default: benchmarks/results)",
    )
    parser.add_argument(
        "--budget",
        type=float,
        metavar="SECONDS",
        help=(
            "begin nothing new past this time, and say what was left out "
            f"(default: {_BUDGET:.0f}, quick {_QUICK_BUDGET:.0f})"
        ),
    )
    return parser


def _run(chosen: dict[str, list[Job]], settings: Settings, deadline: float) -> list[Row]:
    rows: list[Row] = []
    shares = {section: _SECTIONS[section][1] for section, jobs in chosen.items() if jobs}
    with tqdm(total=sum(map(len, chosen.values())), file=sys.stderr, unit="case") as progress:
        for section, jobs in chosen.items():
            if not jobs:
                continue
            now = time.perf_counter()
            share = shares[section] / sum(shares.values())
            settings.clock.end = now + (deadline - now) * share
            del shares[section]
            mine: list[Row] = []
            for job in jobs:
                progress.set_description(section)
                mine += _rows(job, settings)
                progress.update()
            rows += mine
            with tqdm.external_write_mode():
                print(tables.render(section, mine, settings.device), flush=True)
    return rows


def _rows(job: Job, settings: Settings) -> list[Row]:
    """The rows of one job, begun only if its section has time left."""
    rows: list[Row] = []
    try:
        settings.clock.require_time()
        for found in job.run():
            if isinstance(found, str):
                rows.append(Row(job.section, job.name, left_out=found))
            else:
                rows.append(Row(job.section, job.name, found))
    except LeftOut as reason:
        rows.append(Row(job.section, job.name, left_out=str(reason)))
    return rows


def _record(rows: Sequence[Row], settings: Settings, elapsed: float) -> dict[str, Any]:
    """Everything a later reader needs to compare two runs."""
    return {
        "jaxosc": jaxosc.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "device": settings.device.kind,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": settings.quick,
        "elapsed_s": round(elapsed, 1),
        "rows": [
            {
                "section": row.section,
                "name": row.name,
                "left_out": row.left_out,
                **{key: _finite(value) for key, value in row.values.items()},
            }
            for row in rows
        ],
    }


def _commit() -> str | None:
    """Of the working tree, with a plus where it has changes."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"], cwd=Path(__file__).parent,
            capture_output=True, text=True, timeout=20, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: null and the text "inf"."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    return value


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
