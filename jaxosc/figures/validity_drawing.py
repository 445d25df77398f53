"""The picture of the validity map."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from jaxosc.figures.drawing import COLOUR, INTERACTION_NAME, STYLE, rendered, tint
from jaxosc.figures.validity_data import DESCRIPTIONS, Plane

_NEITHER = (0.55, 0.55, 0.55)
_CLASSES = {
    "both": tint("#2ca02c", 0.35),
    "only global": tint(COLOUR["global"], 0.35),
    "only local": tint(COLOUR["local"], 0.45),
    "neither": _NEITHER,
}
_NO_ANSWER = (1.0, 1.0, 1.0)
_ERRORS = (0.001, 0.01, 0.1, 0.5)
_OBSERVABLE = {
    "occupation": r"$\langle a_1^\dagger a_1\rangle$",
    "information": r"$I(\rho_\mathrm{ss})$",
}


def draw_map(
    planes: list[Plane],
    damping: tuple[float, float],
    temperature: float,
    observable: str,
    tolerance: float,
) -> dict[str, bytes]:
    """The picture, as the contents of a file by format."""
    rows = len(planes) // 2
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(figsize=(9.0, 1.1 + 3.4 * rows), layout="constrained")
        grid = canvas.subplots(rows, 2, squeeze=False)
        for axes, plane in zip(grid.flat, planes, strict=True):
            _panel(axes, plane, damping, tolerance)
        for row in grid:
            row[0].set_ylabel(r"$\Delta T = T_2 - T_1$")
        canvas.suptitle(
            f"Descriptions within {100 * tolerance:g} % of the Langevin equation in "
            f"{_OBSERVABLE[observable]};  "
            rf"$\min(T_1, T_2) = {temperature:g}$,  $\gamma = ({damping[0]:g}, {damping[1]:g})$",
            fontsize=13,
        )
        handles: list[Patch | Line2D] = [
            Patch(facecolor=colour, edgecolor="0.4", linewidth=0.6, label=name)
            for name, colour in _CLASSES.items()
        ]
        handles += [
            Line2D([], [], color=COLOUR[name], linewidth=1.2, label=f"error of {name} (%)")
            for name in DESCRIPTIONS
        ]
        if any(np.isnan(plane.exact).any() for plane in planes):
            handles.append(
                Patch(facecolor="white", edgecolor="0.4", hatch="////", label="no exact answer")
            )
        canvas.legend(
            handles=handles, loc="outside lower center", ncols=len(handles), frameon=False,
            columnspacing=1.2, handlelength=1.6,
        )  # fmt: skip
        return rendered(canvas)


def _panel(axes: Axes, plane: Plane, damping: tuple[float, float], tolerance: float) -> None:
    trusted = {name: plane.trusted(name, tolerance) for name in DESCRIPTIONS}
    classes = np.where(
        trusted["local"],
        np.where(trusted["global"], 0, 2),
        np.where(trusted["global"], 1, 3),
    )
    undefined = np.isnan(plane.exact)
    if plane.resonant:
        axes.set_xscale("log")  # before the labels of the contours find their places
    axes.pcolormesh(
        plane.ratio, plane.difference, np.ma.masked_where(undefined, classes), rasterized=True,
        cmap=ListedColormap(list(_CLASSES.values())), vmin=-0.5, vmax=3.5, shading="nearest",
    )  # fmt: skip
    if undefined.any():
        axes.contourf(
            plane.ratio, plane.difference, undefined.astype(float), levels=[0.5, 1.5],
            colors="none", hatches=["////"],
        )  # fmt: skip
    levels = sorted({*_ERRORS, tolerance})
    for name in DESCRIPTIONS:
        error = np.ma.masked_invalid(np.abs(plane.error(name)))
        if not (error.min() < levels[-1] and error.max() > levels[0]):
            continue
        lines = axes.contour(
            plane.ratio, plane.difference, error, levels=levels, colors=COLOUR[name],
            linewidths=[2.0 if level == tolerance else 0.9 for level in levels],
        )  # fmt: skip
        axes.clabel(lines, fmt=lambda level: f"{100 * level:g}", fontsize=9)
    axes.set_xlim(plane.ratio[0], plane.ratio[-1])
    axes.set_ylim(plane.difference[0], plane.difference[-1])
    axes.set_xlabel(r"$\lambda/\lambda_c$")
    if plane.resonant:
        rate = max(damping) / plane.critical
        if plane.ratio[0] < rate < plane.ratio[-1]:
            axes.axvline(rate, color="black", linewidth=1.0, linestyle=(0, (4, 3)))
            axes.annotate(
                r"$\lambda = \gamma$", (rate, 0.03), xycoords=("data", "axes fraction"),
                xytext=(5, 0), textcoords="offset points",
                bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1.0},
            )  # fmt: skip
    heading = INTERACTION_NAME[plane.interaction]
    axes.set_title(rf"{heading},  $\omega = ({plane.omega[0]:.4g}, {plane.omega[1]:.4g})$")
