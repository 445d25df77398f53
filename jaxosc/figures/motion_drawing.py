"""Pictures of motion: spectra, correlations, evolutions, and Wigner functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure as Canvas

from jaxosc import _checks
from jaxosc.figures.drawing import FORMATS, STYLE, rendered
from jaxosc.figures.output import prepare_folder, write
from jaxosc.sweeps.paths import local_path

# Told apart by their dashes where colours are not, as in grey print.
_COLOURS = ("#1f4fd8", "#ee7a10", "#2ca02c", "#b5179e", "#555555", "#17becf", "#8c564b")
_DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)))
Curves = Mapping[str, Any] | Any


def spectrum_figure(
    frequency: Any,
    spectrum: Curves,
    path: str | os.PathLike[str],
    *,
    vacuum: float | None = None,
    logarithmic: bool = True,
) -> tuple[Path, ...]:
    """Draw spectra over frequency.

    Existing files of the same names are replaced, here and by the functions below.

    Args:
        frequency: ν [n], in the unit of ω.
        spectrum: real numbers [n], or a dictionary of them by the names in the legend.
        path: of the picture; its ending is replaced by ``.png`` and ``.pdf``.
        vacuum: a level to compare with, ½ for what ``output_spectrum`` returns.
        logarithmic: whether the vertical axis is.

    Returns:
        The two files.

    Raises:
        ValueError: if an argument does not fit, or the folder cannot be written to.
        OSError: if a file cannot be written later on.

    Example:
        >>> decay = jaxosc.local_lindblad(
        ...     jaxosc.Oscillators([1.0], [[0.0]]), jaxosc.Baths(0.1, occupation=2.0)
        ... )
        >>> nu = np.linspace(0.5, 1.5, 201)
        >>> from jaxosc.figures import spectrum_figure
        >>> found = spectrum_figure(nu, jaxosc.spectrum(decay, nu)[:, 0, 0].real, "line")
        >>> [file.name for file in found]
        ['line.png', 'line.pdf']
    """
    curves = _curves("spectrum", spectrum, _axis("frequency", frequency))

    def draw(axes: Axes) -> None:
        if vacuum is not None:
            axes.axhline(vacuum, color="0.35", linewidth=0.9, label="vacuum", zorder=1)
        _draw(axes, np.asarray(frequency), curves)
        if logarithmic:
            axes.set_yscale("log")
        axes.set_xlabel(r"$\nu$  (unit of $\omega$)")
        axes.set_ylabel(r"$S(\nu)$" if vacuum is not None else r"$S(\nu)$  (unit of $1/\omega$)")
        _legend(axes, len(curves) > 1 or vacuum is not None)

    return _picture(path, draw)


def correlation_figure(
    times: Any, correlation: Curves, path: str | os.PathLike[str]
) -> tuple[Path, ...]:
    """Draw correlation functions over time.

    Args:
        times: t [n], in the unit of 1/ω.
        correlation: numbers [n], or a dictionary of them by name; the imaginary part of complex
            ones as a thin line.
        path: as of ``spectrum_figure``.

    Returns:
        The two files.

    Raises:
        ValueError, OSError: as ``spectrum_figure``.

    Example:
        >>> from jaxosc.figures import correlation_figure
        >>> times = np.linspace(0, 30, 301)
        >>> found = correlation_figure(times, np.exp((1j - 0.1) * times), "correlation")
        >>> [file.name for file in found]
        ['correlation.png', 'correlation.pdf']
    """
    curves = _curves("correlation", correlation, _axis("times", times))

    def draw(axes: Axes) -> None:
        axes.axhline(0, color="0.7", linewidth=0.8, zorder=1)
        real = {name: values.real for name, values in curves.items()}
        imaginary = {name: v.imag for name, v in curves.items() if np.iscomplexobj(v)}
        if imaginary:
            real = {f"Re {name}".strip(): values for name, values in real.items()}
            imaginary = {f"Im {name}".strip(): values for name, values in imaginary.items()}
        _draw(axes, np.asarray(times), real)
        _draw(axes, np.asarray(times), imaginary, width=0.8)
        axes.set_xlabel(r"$t$  (unit of $1/\omega$)")
        axes.set_ylabel(r"$C(t)$")
        _legend(axes, bool(imaginary) or len(curves) > 1)

    return _picture(path, draw)


def evolution_figure(
    times: Any,
    numbers: Curves,
    path: str | os.PathLike[str],
    *,
    steady: Mapping[str, float] | float | None = None,
    label: str = "occupation",
) -> tuple[Path, ...]:
    """Draw numbers of a state as it evolves, with their steady values.

    Args:
        times: t [n], in the unit of 1/ω.
        numbers: real [n], or a dictionary of them by name.
        path: as of ``spectrum_figure``.
        steady: the value at late times, or a dictionary of them, as marks at the right end.
        label: of the vertical axis.

    Returns:
        The two files.

    Raises:
        ValueError, OSError: as ``spectrum_figure``.

    Example:
        >>> from jaxosc.figures import evolution_figure
        >>> times = np.linspace(0, 30, 301)
        >>> found = evolution_figure(times, 2 - 2 * np.exp(-0.2 * times), "decay", steady=2.0)
        >>> [file.name for file in found]
        ['decay.png', 'decay.pdf']
    """
    curves = _curves("numbers", numbers, _axis("times", times))
    levels = steady if isinstance(steady, Mapping) else {} if steady is None else {"": steady}
    if not set(levels) <= set(curves):
        raise ValueError(
            f"Argument `steady` must have the names of `numbers`, {sorted(curves)}, but it has "
            f"{sorted(levels)}."
        )

    def draw(axes: Axes) -> None:
        _draw(axes, np.asarray(times), curves)
        for index, name in enumerate(curves):
            if name in levels:
                axes.plot(
                    np.asarray(times)[-1], float(levels[name]), "o", clip_on=False, markersize=6,
                    color=_COLOURS[index % len(_COLOURS)], markerfacecolor="white", zorder=4,
                )  # fmt: skip
        axes.set_xlabel(r"$t$  (unit of $1/\omega$)")
        axes.set_ylabel(label)
        axes.set_xlim(float(np.min(times)), float(np.max(times)))
        _legend(axes, len(curves) > 1)

    return _picture(path, draw)


def wigner_figure(
    x: Any, p: Any, wigner: Any, path: str | os.PathLike[str], *, label: str = r"$W(x, p)$"
) -> tuple[Path, ...]:
    """Draw a Wigner function as a map, with contours at fixed parts of its largest value.

    Args:
        x: [n], vacuum variance ½.
        p: [m].
        wigner: W [n, m], one row for each x.
        path: as of ``spectrum_figure``.
        label: of the scale.

    Returns:
        The two files.

    Raises:
        ValueError, OSError: as ``spectrum_figure``.

    Example:
        >>> from jaxosc.figures import wigner_figure
        >>> x, p = np.linspace(-3, 3, 61), np.linspace(-2, 2, 41)
        >>> vacuum = np.exp(-(x[:, None] ** 2) - p**2) / np.pi
        >>> [file.name for file in wigner_figure(x, p, vacuum, "vacuum")]
        ['vacuum.png', 'vacuum.pdf']
    """
    along, across = _axis("x", x), _axis("p", p)
    values = _finite("wigner", wigner)
    if values.shape != (len(along), len(across)):
        raise ValueError(
            f"Argument `wigner` must have shape ({len(along)}, {len(across)}), one row for each x, "
            f"but its shape is {values.shape}."
        )

    def draw(axes: Axes) -> None:
        most = float(np.abs(values).max()) or 1.0
        # White at zero whatever the sign, so that what is negative is told apart
        norm = TwoSlopeNorm(0.0, -most, most)
        mesh = axes.pcolormesh(
            along, across, values.T, cmap="RdBu_r", norm=norm, shading="gouraud", rasterized=True
        )
        parts = most * np.array([0.1, 0.37, 0.61, 0.9])
        for levels, dashes in ((parts, "-"), (-parts[::-1], "--")):
            if values.min() < levels[-1] and values.max() > levels[0]:
                axes.contour(
                    along, across, values.T, levels=levels, colors="0.2", linewidths=0.7,
                    linestyles=dashes,
                )  # fmt: skip
        axes.set_aspect("equal")
        axes.set_xlabel(r"$x$")
        axes.set_ylabel(r"$p$")
        axes.tick_params(top=False, right=False)
        bar = axes.figure.colorbar(mesh, ax=axes, label=label, shrink=0.9)
        bar.ax.set_ylim(min(0.0, float(values.min())), most)

    return _picture(path, draw)


def _picture(path: str | os.PathLike[str], draw: Callable[[Axes], None]) -> tuple[Path, ...]:
    """The two files of one drawing."""
    target = local_path("path", path)
    files = tuple(target.with_suffix(f".{kind}") for kind in FORMATS)
    prepare_folder(target.parent, [file.name for file in files])
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(figsize=(6.4, 4.2), layout="constrained")
        draw(canvas.add_subplot())
        pictures = rendered(canvas)
    for file, kind in zip(files, FORMATS, strict=True):
        write(file, pictures[kind])
    return files


def _draw(axes: Axes, x: np.ndarray, curves: Mapping[str, np.ndarray], width: float = 1.6) -> None:
    for index, (name, values) in enumerate(curves.items()):
        axes.plot(
            x, values, color=_COLOURS[index % len(_COLOURS)], linewidth=width, label=name or None,
            linestyle=_DASHES[index % len(_DASHES)], zorder=3,
        )  # fmt: skip
    axes.margins(x=0)


def _legend(axes: Axes, wanted: bool) -> None:
    if wanted:
        axes.legend(frameon=False, handlelength=2.6)


def _finite(name: str, value: Any) -> np.ndarray:
    known = _checks.concrete(value)
    if known is None or known.dtype.kind not in "iufc":
        raise ValueError(f"Argument `{name}` must be known numbers, but it is {value!r}.")
    if known.dtype.kind == "c" and name == "wigner":
        raise ValueError(f"Argument `{name}` must be real, but its type is {known.dtype}.")
    return known


def _axis(name: str, value: Any) -> np.ndarray:
    known = _finite(name, value)
    if known.ndim != 1 or len(known) < 2 or known.dtype.kind == "c":
        raise ValueError(
            f"Argument `{name}` must be real numbers along one axis, two at least, but its shape "
            f"is {known.shape} in {known.dtype}."
        )
    return known


def _curves(name: str, values: Curves, axis: np.ndarray) -> dict[str, np.ndarray]:
    """By name, each as long as the axis; real but for correlations."""
    given = dict(values) if isinstance(values, Mapping) else {"": values}
    if not given or not all(isinstance(each, str) for each in given):
        raise ValueError(f"Argument `{name}` must have names for its curves, but it is {values!r}.")
    found = {each: _finite(name, curve) for each, curve in given.items()}
    for curve in found.values():
        if curve.shape != axis.shape:
            raise ValueError(
                f"Argument `{name}` must have shape {axis.shape} like its axis, but its shape is "
                f"{curve.shape}."
            )
        if np.iscomplexobj(curve) and name != "correlation":
            raise ValueError(
                f"Argument `{name}` must be real, but its type is {curve.dtype}: take its real "
                "part, or its modulus."
            )
    return found
