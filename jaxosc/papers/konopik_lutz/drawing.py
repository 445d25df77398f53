"""Pictures that read like the published ones."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from jaxosc.figures.drawing import COLOUR, INTERACTION_NAME, STYLE, rendered, tint
from jaxosc.papers.konopik_lutz.catalogue import Figure, Setting
from jaxosc.papers.konopik_lutz.data import Curve, Curves

_MARKER = {"global": "o", "local": "s"}
# Langevin and Gibbs may coincide: the wide one shows on both sides of the narrow one.
_WIDTH = {"langevin": 1.8, "gibbs": 5.5}
# Distance of markers along a curve, as a part of the diagonal of the axes, for one series of
# them; more series need more room to take turns.
_SPACING = 0.0075
_NAME = {"langevin": "Langevin", "gibbs": "Gibbs", "global": "global", "local": "local"}
_X_LABEL = r"$\lambda/\lambda_c$"
_Y_LABEL = {
    "occupation": r"$\langle a_1^\dagger a_1\rangle_\mathrm{ss}$",
    "ratio": r"$\langle a_1^\dagger a_1\rangle_\mathrm{ss}\,/\,"
    r"\langle a_1^\dagger a_1\rangle_\mathrm{Langevin}$",
    "information": r"$I(\rho_\mathrm{ss})$  (nats)",
}


def draw(figure: Figure, curves: Curves) -> dict[str, bytes]:
    """The picture of one figure.

    Args:
        figure: one of the catalogue.
        curves: the data.

    Returns:
        The contents of the file, by format.
    """
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(figsize=(6.0, 4.5), layout="constrained")
        axes = canvas.add_subplot()
        _panel(axes, figure, curves, figure.interactions[0], markersize=6)
        _label(axes, figure)
        for interaction in figure.interactions[1:]:
            inset = axes.inset_axes((0.1, 0.42, 0.52, 0.53))
            _panel(inset, figure, curves, interaction, markersize=4.5)
            inset.set_title(INTERACTION_NAME[interaction], fontsize=11, y=0.86)
            inset.tick_params(labelsize=10)
        return rendered(canvas)


def _panel(axes: Axes, figure: Figure, curves: Curves, interaction: str, markersize: float) -> None:
    if figure.quantity == "ratio":
        axes.axhline(1, color=COLOUR["langevin"], linewidth=_WIDTH["langevin"], zorder=2)
    else:
        for method in ("gibbs", "langevin"):
            curve = curves[interaction, figure.settings[0]]
            axes.plot(
                curve.reduced, _values(figure, curve, method), zorder=2,
                color=COLOUR[method], linewidth=_WIDTH[method], solid_capstyle="butt",
            )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_locator(MultipleLocator(0.2))
    if figure.quantity == "occupation":
        axes.set_yscale("log")
    series = [(setting, method) for setting in figure.settings for method in _MARKER]
    spacing = _SPACING * max(len(series), 6)
    for turn, (setting, method) in enumerate(series):
        curve = curves[interaction, setting]
        values = _values(figure, curve, method)
        look = _marks(method, setting, figure)
        # The thin line guides the eye and stays below the Langevin line it may lie on; series
        # that coincide take turns along the curve, so that each is seen.
        axes.plot(curve.reduced, values, color=look["color"], linewidth=0.8, zorder=1)
        axes.plot(
            curve.reduced, values, linestyle="none", zorder=3, clip_on=False,
            markevery=(spacing * turn / len(series), spacing), markersize=markersize, **look,
        )  # fmt: skip


def _values(figure: Figure, curve: Curve, method: str) -> np.ndarray:
    if figure.quantity == "ratio":
        return curve.ratio(method)
    if figure.quantity == "information":
        return curve.information[method]
    return curve.occupation[method]


def _marks(method: str, setting: Setting, figure: Figure) -> dict[str, Any]:
    """Colour and shape name the method; the filling names ΔT, half of it for ΔT < 0."""
    largest = max(abs(other.difference) for other in figure.settings)
    strength = abs(setting.difference) / largest if largest else 1.0
    return {
        "color": tint(COLOUR[method], 0.5 + 0.5 * strength),
        "marker": _MARKER[method],
        "markeredgewidth": 1.1,
        "markerfacecolor": tint(COLOUR[method], strength),
        "markerfacecoloralt": "white",
        "fillstyle": "full" if setting.difference >= 0 else "right",
    }


def _label(axes: Axes, figure: Figure) -> None:
    axes.set_xlabel(_X_LABEL)
    axes.set_ylabel(_Y_LABEL[figure.quantity])
    panel = f"({figure.name[1]})  " if len(figure.name) > 1 else ""
    heading = f"{panel}{INTERACTION_NAME[figure.interactions[0]]},  {figure.temperatures}"
    axes.set_title(heading, loc="left")
    lines = [
        Line2D([], [], color=COLOUR[method], linewidth=width, label=_NAME[method])
        for method, width in _WIDTH.items()
    ]
    marks = [
        Line2D(
            [], [], linewidth=0.8, label=_entry(method, setting, figure),
            **_marks(method, setting, figure),
        )
        for method in _MARKER
        for setting in figure.settings
    ]  # fmt: skip
    if figure.quantity == "ratio":
        half = len(figure.settings)
        handles = [*marks[:half], lines[0], *marks[half:]]
        axes.legend(handles=handles, ncols=2, loc="lower left", columnspacing=1.2, frameon=False)
    else:
        axes.legend(
            handles=[*marks, *lines], loc="upper right", bbox_to_anchor=(0.94, 1.0), frameon=False
        )


def _entry(method: str, setting: Setting, figure: Figure) -> str:
    if len(figure.settings) == 1:
        return _NAME[method]
    return rf"{_NAME[method]}, $\Delta T = {setting.label}$"
