"""The picture: time a point against the number of points, for every contender."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.records import Row

# Contenders by colour, what they solve by marker.
_COLORS = {
    "jaxosc": "tab:red",
    "numpy": "tab:blue",
    "scipy": "tab:green",
    "qutip": "tab:purple",
    "dynamiqs": "tab:orange",
    "stream": "0.5",
}
_MARKERS = {"local": "o", "global": "s", "langevin": "^", "local+global+langevin": "D"}


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
        contender, _, equation = name.removesuffix(" occupation").partition(" ")
        axes.plot(
            points,
            seconds,
            label=f"{contender} {equation}" if equation else "stream: writes ten numbers",
            color=_COLORS[contender],
            linestyle="-" if equation else "--",
            linewidth=2 if contender == "jaxosc" else 1.3,
            marker=_MARKERS.get(equation.partition(" ")[0]),
            markersize=5.5,
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
