"""The picture of a comparison: the errors of every description, and what it keeps."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from jaxosc import _checks
from jaxosc.comparison.result import Comparison
from jaxosc.comparison.row import Row
from jaxosc.figures.drawing import FORMATS, STYLE, rendered
from jaxosc.figures.output import prepare_folder, write
from jaxosc.sweeps.paths import local_path

_LABEL = {
    "occupation": "occupation",
    "coherence": "coherence",
    "information": "mutual information",
    "negativity": "logarithmic negativity",
    "g2": r"$g^{(2)}$",
    "number_covariance": "number covariance",
    "heat_currents": "heat currents",
    "entropy_production": "entropy production",
    "spectral_gap": "slowest rate",
}
# Told apart by shape where colours are not, as in grey print.
_MARKS = ("o", "s", "^", "D", "v", "P", "X")
_COLOURS = ("#1f4fd8", "#ee7a10", "#2ca02c", "#b5179e", "#555555", "#17becf", "#8c564b")
# Errors below are rounding to the eye, and those above are wrong altogether.
_LEAST, _MOST = 1e-6, 1e2


def comparison_figure(comparison: Comparison, path: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Draw the relative errors of every description, with what its generator and state keep.

    A row a description, the exact one left out: a mark for each observable on a logarithmic axis,
    at its left end for errors below 1e-6 and at its right end for those above 100; the tolerance
    as a line; beside it whether the generator is completely positive, the state physical, the
    second law kept, and the cost. Existing files of the same names are replaced.

    Args:
        comparison: from ``jaxosc.compare``.
        path: of the picture; its ending is replaced by ``.png`` and ``.pdf``.

    Returns:
        The two files.

    Raises:
        ValueError: if an argument does not fit, or the folder cannot be written to.
        OSError: if a file cannot be written later on.

    Example:
        >>> network = jaxosc.pair((1.0, 1.5), 0.1, "position")
        >>> found = jaxosc.compare(network, jaxosc.Baths(1e-3, (1.0, 2.0)), ["occupation"])
        >>> from jaxosc.figures import comparison_figure
        >>> [file.name for file in comparison_figure(found, "errors")]
        ['errors.png', 'errors.pdf']
    """
    _checks.require_instance("comparison", comparison, Comparison)
    target = local_path("path", path)
    files = tuple(target.with_suffix(f".{kind}") for kind in FORMATS)
    prepare_folder(target.parent, [file.name for file in files])
    pictures = draw_comparison(comparison)
    for file, kind in zip(files, FORMATS, strict=True):
        write(file, pictures[kind])
    return files


def draw_comparison(comparison: Comparison) -> dict[str, bytes]:
    """The contents of the file, by format."""
    with matplotlib.rc_context(STYLE):
        return rendered(_canvas(comparison))


def _canvas(comparison: Comparison) -> Canvas:
    rows = [row for row in comparison.rows if row.name != comparison.exact]
    observables = list(next((row.errors for row in rows if row.errors), {}))
    canvas = Canvas(figsize=(9.5, 1.9 + 0.42 * len(rows)), layout="constrained")
    axes, words = canvas.subplots(1, 2, sharey=True, width_ratios=(1.9, 1))
    axes.set_xscale("log")
    axes.set_xlim(_LEAST / 2, _MOST * 2)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.minorticks_off()
    axes.axvspan(_LEAST / 2, comparison.tolerance, color="0.93", linewidth=0, zorder=0)
    axes.axvline(comparison.tolerance, color="0.3", linewidth=1, linestyle="--", zorder=1)
    for place in range(1, len(rows)):
        axes.axhline(place - 0.5, color="0.85", linewidth=0.6, zorder=1)
    for index, observable in enumerate(observables):
        _mark(axes, rows, observable, index, len(observables))
    for place, row in enumerate(rows):
        if not row.answered:
            axes.text(
                np.sqrt(_LEAST * _MOST), place, "no answer", ha="center", va="center", color="0.4"
            )
    axes.set_xlabel(f"relative error to {comparison.exact or 'nothing'}")
    if observables:
        canvas.legend(
            *axes.get_legend_handles_labels(), loc="outside upper center",
            ncols=min(len(observables), 4), frameon=False, handletextpad=0.3,
        )  # fmt: skip
    _columns(words, rows)
    return canvas


def _mark(axes: Axes, rows: list[Row], observable: str, index: int, count: int) -> None:
    """One observable of every description, a little above or below the others."""
    errors = np.array([row.errors.get(observable, np.nan) for row in rows])
    places = np.arange(len(rows)) + 0.5 * ((index + 0.5) / count - 0.5)
    axes.plot(
        np.clip(errors, _LEAST, _MOST), places, _MARKS[index % len(_MARKS)],
        color=_COLOURS[index % len(_COLOURS)], markersize=6, clip_on=False, zorder=3,
        label=_LABEL.get(observable, observable),
    )  # fmt: skip


def _columns(axes: Axes, rows: list[Row]) -> None:
    """What is no error: yes, no or nothing, and a number."""
    titles = ("completely\npositive", "physical\nstate", "second\nlaw", "cost")
    axes.set_xlim(-0.5, len(titles) - 0.5)
    axes.set_xticks(range(len(titles)), titles, fontsize=10)
    axes.tick_params(length=0, labelleft=False)
    for side in axes.spines.values():
        side.set_visible(False)
    for place, row in enumerate(rows):
        flags = (row.completely_positive, row.physical, row.second_law)
        for column, flag in enumerate(flags):
            word = "–" if flag is None else "yes" if flag else "NO"
            axes.text(
                column, place, word, ha="center", va="center", fontsize=11,
                weight="bold" if flag is False else "normal",
            )  # fmt: skip
        cost = "–" if np.isnan(row.cost) else f"{row.cost:g}"
        axes.text(len(titles) - 1, place, cost, ha="center", va="center", fontsize=11)
