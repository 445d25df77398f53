"""The picture: time a point against the number of points, for every contender."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.records import Row


def draw(rows: Sequence[Row], title: str, path: Path) -> bool:
    """Write the picture of the section ``points``; False if it has no rows."""
    lines: dict[str, tuple[list[int], list[float]]] = {}
    for row in rows:
        if row.section == "points" and row.left_out is None:
            points, seconds = lines.setdefault(row.name, ([], []))
            points.append(row.values["points"])
            seconds.append(row.values["seconds"] / row.values["points"])
    if not lines:
        return False

    # Not before it is needed: it takes a while, and no display is there to be asked for.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 5.2), layout="constrained")
    axes = figure.add_subplot()
    # The legend in the order in which the lines end, from slow to fast.
    for name, (points, seconds) in sorted(lines.items(), key=lambda line: -line[1][1][-1]):
        mine, stream = name.startswith("jaxosc"), name == "stream"
        axes.plot(
            points,
            seconds,
            label="stream (writes 10 numbers)" if stream else name,
            color="0.5" if stream else None,
            linestyle="--" if stream else "-",
            linewidth=2.2 if mine else 1.3,
            marker="o" if mine else "s",
            markersize=4.5,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("number of points", fontsize=11)
    axes.set_ylabel("time a point (s)", fontsize=11)
    axes.set_title(title, fontsize=11)
    axes.grid(True, color="0.9")
    figure.legend(loc="outside right upper", frameon=False, fontsize=10)
    figure.savefig(path, dpi=150)
    return True
