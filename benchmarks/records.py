"""What the sections are made of and hand over: jobs, rows, and reasons to leave something out."""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks import device
from benchmarks.timing import Program

# A line a run, each the whole record as JSON
HISTORY = "history.jsonl"


class LeftOut(Exception):
    """Raised by a job that cannot be done here; the message says why."""


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        section: the table.
        name: what was measured, as matched by ``--only``.
        values: the numbers, by column.
        left_out: why there are none, if so.
    """

    section: str
    name: str
    values: dict[str, Any] = field(default_factory=dict)
    left_out: str | None = None


@dataclass(frozen=True)
class Job:
    """Work that yields the rows of one name.

    Attributes:
        section: the table.
        name: as in the rows.
        run: yields the values of each row, or a reason (str) in place of a row left out.
    """

    section: str
    name: str
    run: Callable[[], Iterator[dict[str, Any] | str]]


@dataclass
class Clock:
    """The time that the current section may take.

    Attributes:
        end: when it is over, as ``time.perf_counter`` tells it.
    """

    end: float = math.inf

    def require_time(self) -> None:
        """Leave out what would begin after the end."""
        if time.perf_counter() > self.end:
            raise LeftOut("no time left in this section (--budget)")


@dataclass(frozen=True)
class Settings:
    """How much to do.

    Attributes:
        quick: tiny sizes and few cases, to see that everything runs.
        device: where.
        clock: until when.
    """

    quick: bool
    device: device.Device
    clock: Clock = field(default_factory=Clock)


def is_installed(module: str) -> bool:
    """Whether a module can be imported, without importing it."""
    return importlib.util.find_spec(module) is not None


def require_memory(program: Program) -> None:
    """Leave the work out if the program needs more memory than is free."""
    free = device.free_memory()
    if program.memory > free:
        raise LeftOut(
            f"needs {program.memory / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB may be used"
        )


def rates(program: Program, seconds: float, on: device.Device) -> dict[str, Any]:
    """Achieved rates of one call, and the fraction of the roofline where the peaks are known."""
    return {
        "flops_per_s": program.flops / seconds,
        "bytes_per_s": program.traffic / seconds,
        "roofline": on.roofline(program.flops, program.traffic, seconds),
        "lower_bounds": program.lower_bounds,
    }
