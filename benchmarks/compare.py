"""What got slower, or less accurate, from one run of the benchmarks to another.

    python -m benchmarks.compare [BEFORE AFTER]

Each is a benchmarks.json, or a history.jsonl, of which the last run counts, or with ``:-2`` behind
it the one before. Left out: the last two runs in benchmarks/results/history.jsonl. The exit code
is 1 if something got worse. Times mean little where the machine has changed, or was busy: ratios to
what was sampled beside them are compared where there are any.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.records import HISTORY

# Ratios inside one run first: a row's speed is judged by the first of these that both have.
_SPEEDS = ("streams", "vmaps", "scipys", "cores", "steadies", "seconds")
_ALSO = ("compile_s", "gradient_compile_s", "temporaries_per_point", "temporaries", "peak_bytes")
# What tells apart rows of one name
_WHICH = ("points", "modes", "solver", "verb", "pairs", "times")
# Compilations are timed once, and differ more.
_LOOSE = {"compile_s": 1.5, "gradient_compile_s": 1.5}
# Below these, of one run, no one would notice.
_LEAST = {"compile_s": 0.3, "gradient_compile_s": 0.3, "temporaries_per_point": 8.0}
_ERROR, _ERRORS = 1e-14, 10.0


class Change(NamedTuple):
    """One number of one row in both runs; ``worse`` if by more than it varies."""

    row: str
    what: str
    before: float
    after: float
    worse: bool

    @property
    def ratio(self) -> float:
        """After over before."""
        return self.after / self.before if self.before else float("inf")


def changes(before: dict[str, Any], after: dict[str, Any], tolerance: float) -> Iterator[Change]:
    """Every number that both runs have."""
    old, new = _rows(before), _rows(after)
    for name in new.keys() & old.keys():
        one, other = old[name], new[name]
        speed = next((each for each in _SPEEDS if _both(one, other, each)), None)
        for what in (*([] if speed is None else [speed]), *_ALSO):
            if not _both(one, other, what):
                continue
            allowed = _LOOSE.get(what, 1 + tolerance)
            if what == speed:
                # Three times the half interquartile ranges of both
                allowed += 3 * sum(row.get("spread") or 0.0 for row in (one, other))
            a, b = one[what], other[what]
            yield Change(name, what, a, b, b > a * allowed and b > _LEAST.get(what, 0.0))
        if _both(one, other, "error"):
            a, b = max(one["error"], _ERROR), max(other["error"], _ERROR)
            yield Change(name, "error", a, b, b > _ERRORS * a)


def _rows(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    rows = {}
    for row in record["rows"]:
        if row["left_out"] is None:
            which = [f"{key} {row[key]:.4g}" if isinstance(row[key], float) else f"{key} {row[key]}"
                     for key in _WHICH if row.get(key) is not None]  # fmt: skip
            rows[", ".join([f"{row['section']}/{row['name']}", *which])] = row
    return rows


def _both(one: dict[str, Any], other: dict[str, Any], what: str) -> bool:
    return all(isinstance(row.get(what), int | float) for row in (one, other))


def read(place: str) -> dict[str, Any]:
    """A run.

    Raises:
        ValueError: if there is none.
    """
    path, _, number = place.rpartition(":") if place.count(":-") else (place, "", "-1")
    lines = Path(path).read_text("utf-8")
    if not path.endswith(".jsonl"):
        return json.loads(lines)
    runs = lines.splitlines()
    try:
        return json.loads(runs[int(number)])
    except IndexError as error:
        raise ValueError(f"{path} has {len(runs)} runs, and no {number}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what changed."""
    history = Path(__file__).parent / "results" / HISTORY
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("before", nargs="?", default=f"{history}:-2")
    parser.add_argument("after", nargs="?", default=f"{history}:-1")
    parser.add_argument(
        "--tolerance", type=float, default=0.1, help="what is no change (default: %(default)s)"
    )
    parser.add_argument("--all", action="store_true", help="also what is as it was")
    options = parser.parse_args(arguments)
    try:
        before, after = read(options.before), read(options.after)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    for name, run in (("before", before), ("after", after)):
        print(f"{name}: {run['date']}, {run.get('commit')}, {run['device']}")
    if before["device"] != after["device"]:
        print("Another device: only ratios can be compared.")
    found = sorted(changes(before, after, options.tolerance), key=lambda each: -each.ratio)
    worse = [each for each in found if each.worse]
    for each in found if options.all else worse:
        mark = "worse" if each.worse else ""
        print(f"{each.ratio:7.2f} x  {each.before:9.3g} -> {each.after:9.3g}  {each.what:12}  "
              f"{each.row}  {mark}")  # fmt: skip
    gone = sorted(_rows(before).keys() - _rows(after).keys())
    better = sum(each.ratio < 1 / (1 + options.tolerance) for each in found)
    print(f"{len(found)} numbers compared: {len(worse)} worse, {better} better by over "
          f"{options.tolerance:.0%}; {len(gone)} rows are only in the first run")  # fmt: skip
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
