"""The picture of the validity map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from jaxosc.baths import spectra_of
from jaxosc.equations.registry import EXACT
from jaxosc.figures.drawing import COLOUR, INTERACTION_NAME, LABEL, STYLE, shade, tint
from jaxosc.figures.labels import Contour, label_contours
from jaxosc.figures.validity_data import Plane, Question

_BOTH, _NEITHER = tint("#2ca02c", 0.35), (0.62, 0.62, 0.62)
# Of both, the first alone, the second alone, neither: what tells them apart without colour.
_HATCHES = ("", "///", "\\\\\\", "xx")
_UNDEFINED = "..."
_HATCH_COLOUR = "0.35"
_ERRORS = (0.001, 0.01, 0.1, 0.5)
# Errors beyond this are all the same; an infinite one would move the lines between the points.
_LARGEST = 2.0
_DASHES: Any = ("-", (0, (5, 1.5)))


def draw_map(planes: Sequence[Plane], question: Question, tolerance: float) -> Canvas:
    """The picture: a panel a plane, and under them what colours, hatches and lines mean."""
    rows = len(planes) // 2
    names = question.descriptions
    missing = any(not plane.defined.all() for plane in planes)
    with matplotlib.rc_context({**STYLE, "hatch.linewidth": 0.5}):
        canvas = Canvas(figsize=(9.0, 1.75 + 3.4 * rows), layout="constrained")
        grid = canvas.subplots(rows, 2, squeeze=False)
        contours = [
            draw_panel(axes, plane, names, tolerance)
            for axes, plane in zip(grid.flat, planes, strict=True)
        ]
        for row in grid:
            row[0].set_ylabel(r"$\Delta T = T_2 - T_1$")
        canvas.suptitle(_title(question), fontsize=13)
        canvas.legend(
            handles=_legend(names, question.reference, tolerance, missing),
            loc="outside lower center", ncols=2, frameon=False, columnspacing=2.5,
            handlelength=2.4, handleheight=1.1,
        )  # fmt: skip
        canvas.draw_without_rendering()  # now all has its place, and the numbers can find theirs
        canvas.set_layout_engine("none")
        for axes, plane, lines in zip(grid.flat, planes, contours, strict=True):
            label_contours(axes, lines, _mark_damping(axes, plane, question.damping))
        return canvas


def _title(question: Question) -> str:
    one, other = question.descriptions
    damping = ", ".join(f"{rate:g}" for rate in question.damping)
    exact = "the exact Langevin equation" if question.reference == EXACT else question.reference
    kinds = [type(each).__name__ for each in spectra_of(question.baths)]
    baths = f"{' and '.join(dict.fromkeys(kinds))} baths, {question.baths.coupling} coupling"
    return (
        rf"{LABEL[question.observable]}: {one} and {other} against {exact}" + "\n"
        rf"{baths},  $\min(T_1, T_2) = {question.temperature:g}$,  "
        rf"$\gamma = ({damping})$"
    )


def _legend(
    names: tuple[str, str], reference: str, tolerance: float, missing: bool
) -> list[Patch | Line2D]:
    within = f"within {100 * tolerance:g} % of {reference}"
    words = (
        f"both {within}",
        f"{names[0]} {within}, {names[1]} not",
        f"{names[1]} {within}, {names[0]} not",
        f"neither {within}",
    )
    handles: list[Patch | Line2D] = [
        Patch(
            facecolor=colour, edgecolor=_HATCH_COLOUR, hatch=hatch, linewidth=0.6, label=label
        )
        for colour, hatch, label in zip(_colours(names), _HATCHES, words, strict=True)
    ]  # fmt: skip
    levels = ", ".join(f"±{100 * level:g}" for level in sorted({*_ERRORS, tolerance}))
    lines: list[Patch | Line2D] = [
        Line2D(
            [], [], color=COLOUR[name], linestyle=dashes, linewidth=1.2,
            label=f"error of {name} in %: {levels}; thick ±{100 * tolerance:g}",
        )
        for name, dashes in zip(names, _DASHES, strict=True)
    ]  # fmt: skip
    if missing:
        lines.append(
            Patch(
                facecolor="white", edgecolor=_HATCH_COLOUR, hatch=_UNDEFINED, linewidth=0.6,
                label=f"{reference} is zero or has no answer",
            )
        )  # fmt: skip
    return [*handles, *lines]


def _colours(names: tuple[str, str]) -> tuple[tuple[float, float, float], ...]:
    return (_BOTH, tint(COLOUR[names[0]], 0.45), tint(COLOUR[names[1]], 0.35), _NEITHER)


def draw_panel(
    axes: Axes, plane: Plane, names: tuple[str, str], tolerance: float
) -> list[Contour]:  # fmt: skip
    """Colours and lines; what numbers the lines should get."""
    if plane.resonant:
        axes.set_xscale("log")
    axes.set_xlim(plane.ratio[0] if plane.resonant else 0.0, plane.ratio[-1])
    axes.set_ylim(plane.difference[0], plane.difference[-1])
    axes.set_xlabel(r"$\lambda/\lambda_c$")
    axes.set_title(
        rf"{INTERACTION_NAME[plane.interaction]},  "
        rf"$\omega = ({plane.omega[0]:.4g}, {plane.omega[1]:.4g})$"
    )
    defined = plane.defined
    errors = {
        name: np.clip(np.nan_to_num(plane.error(name), nan=np.inf), -_LARGEST, _LARGEST)
        for name in names
    }
    one, other = (np.abs(errors[name]) - tolerance for name in names)
    classes = [(one, other), (one, -other), (-one, other), (-one, -other)]
    for margins, colour, hatch in zip(classes, _colours(names), _HATCHES, strict=True):
        _fill(axes, plane, np.where(defined, np.maximum(*margins), np.nan), colour, hatch)
    if not defined.all():
        _fill(axes, plane, np.where(defined, 0.5, -0.5), "white", _UNDEFINED)
    contours = []
    levels = sorted({sign * level for level in (*_ERRORS, tolerance) for sign in (-1, 1)})
    for name, dashes in zip(names, _DASHES, strict=True):
        smooth = defined & np.isfinite(plane.error(name)) & ~_beside_a_pole(errors[name])
        known = np.where(smooth, errors[name], np.nan)
        crossed = [
            level
            for level in levels
            if np.min(known, initial=np.inf, where=~np.isnan(known)) < level
            and np.max(known, initial=-np.inf, where=~np.isnan(known)) > level
        ]
        if not crossed:
            continue
        lines = axes.contour(
            plane.ratio, plane.difference, np.ma.masked_invalid(known), levels=crossed,
            colors=COLOUR[name], linestyles=[dashes],
            linewidths=[2.2 if abs(level) == tolerance else 0.9 for level in crossed],
        )  # fmt: skip
        contours += [
            Contour(pieces, _percent(level), shade(COLOUR[name], 0.35))
            for level, pieces in zip(lines.levels, lines.allsegs, strict=True)
            if any(len(piece) > 1 for piece in pieces)
        ]
    return contours


def _beside_a_pole(error: np.ndarray) -> np.ndarray:
    """Where it goes from beyond all levels to beyond them with the other sign, crossing none.

    Where the reference changes sign, as a heat current does at ΔT = 0, an error has a pole.
    """
    beside = np.zeros(error.shape, bool)
    for axis in (0, 1):
        values, found = np.moveaxis(error, axis, 0), np.moveaxis(beside, axis, 0)
        jump = np.abs(np.diff(values, axis=0)) == 2 * _LARGEST
        found[:-1] |= jump
        found[1:] |= jump
    return beside


def _fill(axes: Axes, plane: Plane, margin: np.ndarray, colour: object, hatch: str) -> None:
    """Where the margin is negative."""
    if not (margin < 0).any():
        return
    filled = axes.contourf(
        plane.ratio, plane.difference, np.ma.masked_invalid(margin), levels=[-2 * _LARGEST, 0.0],
        colors=[colour], hatches=[hatch],
    )  # fmt: skip
    filled.set_edgecolor(_HATCH_COLOUR)
    filled.set_linewidth(0.0)


def _percent(level: float) -> str:
    return f"{100 * level:+g}".replace("-", "\N{MINUS SIGN}")


def _mark_damping(axes: Axes, plane: Plane, damping: tuple[float, float]) -> list[Bbox]:
    """Where the coupling is the damping rate: a dotted line, and the boxes that it takes."""
    rate = max(damping) / plane.critical
    if not (plane.resonant and plane.ratio[0] < rate < plane.ratio[-1]):
        return []
    axes.axvline(rate, color="black", linewidth=1.2, linestyle=":", zorder=2.5)
    note: Text = axes.annotate(
        r"$\lambda = \gamma$", (rate, 0.03), xycoords=("data", "axes fraction"),
        xytext=(-6, 0), textcoords="offset points", ha="right", zorder=6,
        bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.0},
    )  # fmt: skip
    x = axes.transData.transform((rate, 0))[0]
    frame = axes.get_window_extent()
    line = Bbox.from_extents(x - 1, frame.y0, x + 1, frame.y1)
    return [note.get_window_extent(), line]
