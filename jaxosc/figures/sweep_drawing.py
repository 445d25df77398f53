"""The picture of a sweep along one or two axes."""

from __future__ import annotations

import itertools

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure as Canvas

from jaxosc.equations.registry import DESCRIPTIONS, EXACT
from jaxosc.figures.drawing import COLOUR, LABEL, STYLE, rendered
from jaxosc.sweeps.result import SweepResult
from jaxosc.sweeps.standard import OBSERVABLES

# Where they agree, the dashes drawn later show on top of the wider line, and each leaves gaps for
# those before it.
_EXACT_WIDTH, _WIDTH = 3.0, 1.6
_DASHES = ("--", "-.", ":", (0, (7, 2)), (0, (5, 1, 1, 1, 1, 1)), (0, (2, 2)), (0, (9, 3, 3, 3)))
# Values over more than this factor are read better from a logarithmic scale.
_WIDE = 50.0
# Points along an axis: more than the picture has dots, and few enough for any memory.
_MOST = 2000


def draw_sweep(result: SweepResult) -> dict[str, bytes]:
    """Lines over one axis, one panel an observable; colours over two, a row an observable.

    Returns:
        The contents of the file, by format.

    Raises:
        ValueError: if the sweep is along more than two axes.
    """
    if len(result.shape) > 2:
        raise ValueError(
            f"Argument `plot` must be left out for more than two axes, but there are "
            f"{len(result.shape)}."
        )
    every = tuple(slice(None, None, -(-size // _MOST)) for size in result.shape)
    axes = {
        name: along[name][step]
        for (name, along), step in zip(result.axes.items(), every, strict=True)
    }
    # A dictionary that has been through JAX is in alphabetical order.
    values = {
        description: {
            name: np.asarray(result.values[description][name][every])
            for name in OBSERVABLES
            if name in result.values[description]
        }
        for description in DESCRIPTIONS
        if description in result.values
    }
    if len(axes) == 2 and 1 in result.shape:  # one value along an axis: a line
        axes = {name: x for name, x in axes.items() if len(x) > 1} or dict([*axes.items()][:1])
        (x,) = axes.values()
        values = {
            description: {name: array.reshape(len(x)) for name, array in each.items()}
            for description, each in values.items()
        }
    with matplotlib.rc_context(STYLE):
        return rendered(_lines(axes, values) if len(axes) == 1 else _maps(axes, values))


_Axes = dict[str, np.ndarray]
_Values = dict[str, dict[str, np.ndarray]]


def _lines(along: _Axes, values: _Values) -> Canvas:
    ((name, x),) = along.items()
    observables = list(next(iter(values.values())))
    canvas = Canvas(figsize=(5.2 * len(observables), 4.2), layout="constrained")
    for axes, observable in zip(
        canvas.subplots(1, len(observables), squeeze=False)[0], observables, strict=True
    ):
        dashes = itertools.cycle(_DASHES)
        for description, each in values.items():
            exact = description == EXACT
            axes.plot(
                x, each[observable], linestyle="-" if exact else next(dashes),
                color=COLOUR[description], label=description,
                linewidth=_EXACT_WIDTH if exact else _WIDTH,
                marker="o" if len(x) == 1 else None,
            )  # fmt: skip
        _scale(axes, "x", x)
        if _wide(np.stack([each[observable] for each in values.values()])):
            axes.set_yscale("log")
        axes.set_xlabel(LABEL[name])
        axes.set_ylabel(LABEL[observable])
        axes.legend(frameon=False)
    return canvas


def _maps(along: _Axes, values: _Values) -> Canvas:
    (x_name, x), (y_name, y) = along.items()
    observables = list(next(iter(values.values())))
    canvas = Canvas(figsize=(1.2 + 3.8 * len(values), 3.5 * len(observables)), layout="constrained")
    grid = canvas.subplots(len(observables), len(values), squeeze=False)
    for row, observable in zip(grid, observables, strict=True):
        together = np.stack([each[observable] for each in values.values()])
        finite = together[np.isfinite(together)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        scale = {"norm": LogNorm(low, high)} if _wide(together) else {"vmin": low, "vmax": high}
        for axes, (description, each) in zip(row, values.items(), strict=True):
            axes.set_facecolor("0.85")  # no answer
            _scale(axes, "x", x)
            _scale(axes, "y", y)
            mesh = axes.pcolormesh(
                x, y, np.ma.masked_invalid(each[observable].T), shading="nearest",
                rasterized=True, cmap="viridis", **scale,
            )  # fmt: skip
            axes.set_title(description)
            axes.set_xlabel(LABEL[x_name])
        row[0].set_ylabel(LABEL[y_name])
        canvas.colorbar(mesh, ax=list(row), label=LABEL[observable])
    return canvas


def _scale(axes: Axes, which: str, values: np.ndarray) -> None:
    if len(values) > 2 and (values > 0).all():
        steps = np.diff(np.log(values))
        if np.ptp(steps) < 1e-6 * abs(steps).max() and _wide(values):
            getattr(axes, f"set_{which}scale")("log")


def _wide(values: np.ndarray) -> bool:
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.min() > 0 and finite.max() > _WIDE * finite.min())
