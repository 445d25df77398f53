"""Beside Fig. 3b: the same cold curves over an exact answer that is sound at weak coupling too.

The paper divides by the Langevin equation of flat baths. On the whole frequency axis these shift
the zero-point occupation of oscillator j by −γ/(πω_j), which is all there is where it is cold: at
λ = 0, T_1 = 0.46 the denominator is 0.53 of the thermal occupation. A microscopic bath has
positive frequencies alone, a cutoff, and dresses the oscillator by a positive part of the same
order: Drude baths of positions with their counter-terms, solved without approximation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D

import jaxosc
from jaxosc.figures.drawing import COLOUR, STYLE, rendered, tint
from jaxosc.papers.konopik_lutz.catalogue import DAMPING, LANDMARKS, LOW, OMEGA, Setting
from jaxosc.papers.konopik_lutz.data import Curves, couplings
from jaxosc.typing import Interaction

# Whose curves it belongs to, and the name of its files.
FIGURE, NAME = "3b", "3b-structured"
INTERACTION: Interaction = "position"
# Ten times the larger frequency: J is Ohmic within 4 % up to it. Ratios depend on it by 0.1 % from
# λ/λ_c = 0.2 on; at λ = 0 the dressing grows with its logarithm.
CUTOFF = 10 * max(OMEGA)
_METHODS = {
    "langevin": "Langevin, flat",
    "local": "local",
    "global": "global, Eq. 17",
    "global_ohmic": "global, Ohmic",
}
_COLOUR = {**COLOUR, "global_ohmic": "#00868b"}
_DASHES: dict[str, Any] = {"langevin": "-", "local": "-.", "global": "--", "global_ohmic": ":"}
_WEAK = 0.1  # λ/λ_c up to which the panel beside it goes

# Occupation ⟨a_1†a_1⟩ [L] by the bath temperatures.
Structured = Mapping[Setting, np.ndarray]


def compute_structured(points: int) -> Structured:
    """The exact occupation with Drude baths, on the grid of the curves."""
    temperatures = np.array([(each.first, each.second) for each in LOW])
    found = _occupations(couplings(points, INTERACTION), temperatures)
    return dict(zip(LOW, np.asarray(found), strict=True))


@jax.jit
def _occupations(coupling: jax.Array, temperatures: jax.Array) -> jax.Array:
    frequency = jnp.array(OMEGA)
    drude = jaxosc.spectra.Drude(CUTOFF)

    def at(strength: jax.Array, temperature: jax.Array) -> jax.Array:
        baths = jaxosc.Baths(DAMPING, temperature, drude, coupling="position")
        pair = jaxosc.pair(frequency, strength, "position")
        return jaxosc.occupation(jaxosc.steady_state(jaxosc.langevin(pair, baths)))[0]

    return jax.lax.map(lambda each: jax.lax.map(lambda g: at(g, each), coupling), temperatures)


def structured_columns(curves: Curves, structured: Structured) -> dict[str, np.ndarray]:
    """Its data as named columns of equal length, one row a point of a curve."""
    rows: dict[str, list[np.ndarray]] = {}
    for setting, exact in structured.items():
        curve = curves[INTERACTION, setting]
        length = len(exact)
        columns = {
            "delta_T": np.full(length, setting.difference),
            "T1": np.full(length, setting.first),
            "T2": np.full(length, setting.second),
            "lambda_over_lambda_c": curve.reduced,
            "lambda": curve.coupling,
            "occupation_structured": exact,
            **{f"occupation_{method}": curve.occupation[method] for method in _METHODS},
            **{f"ratio_{method}": curve.occupation[method] / exact for method in _METHODS},
        }
        for name, column in columns.items():
            rows.setdefault(name, []).append(column)
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def structured_rows(curves: Curves, structured: Structured) -> Sequence[Sequence[str]]:
    """Numbers for the report: temperatures, λ/λ_c, the exact occupation, the others over it."""
    rows = []
    for setting, exact in structured.items():
        curve = curves[INTERACTION, setting]
        for reduced in (0.0, *LANDMARKS):
            index = curve.at(reduced)
            rows.append([
                f"{setting.first:g}, {setting.second:g}",
                f"{reduced:g}",
                f"{exact[index]:.8g}",
                *(f"{curve.occupation[name][index] / exact[index]:.5f}" for name in _METHODS),
            ])  # fmt: skip
    return rows


@dataclass(frozen=True)
class ZeroCoupling:
    """Occupations of oscillator 1 at λ = 0 beside the coldest bath.

    Attributes:
        thermal: 1/(e^{ω/T} − 1).
        flat: of the Langevin equation with flat baths.
        structured: exact, with Drude baths.
    """

    thermal: float
    flat: float
    structured: float


def at_zero_coupling(curves: Curves, structured: Structured) -> ZeroCoupling:
    """What the ratios of Fig. 3b begin with."""
    coldest = min(LOW, key=lambda setting: setting.first)
    return ZeroCoupling(
        float(1 / np.expm1(OMEGA[0] / coldest.first)),
        float(curves[INTERACTION, coldest].occupation["langevin"][0]),
        float(structured[coldest][0]),
    )


def draw_structured(curves: Curves, structured: Structured) -> dict[str, bytes]:
    """The picture: ratios to the exact occupation, and beside them itself at weak coupling."""
    with matplotlib.rc_context(STYLE):
        canvas = Canvas(figsize=(10.5, 4.6), layout="constrained")
        axes, beside = canvas.subplots(1, 2, width_ratios=(3, 2))
        axes.axhline(1, color="black", linewidth=1.0)
        for setting, exact in structured.items():
            curve = curves[INTERACTION, setting]
            for method in _METHODS:
                _line(axes, setting, method, curve.reduced, curve.occupation[method] / exact)
        axes.set_xlim(0, 1)
        axes.set_ylim(0.2, 2.0)
        axes.set_xlabel(r"$\lambda/\lambda_c$")
        axes.set_ylabel(
            r"$\langle a_1^\dagger a_1\rangle_\mathrm{ss}\,/\,"
            r"\langle a_1^\dagger a_1\rangle_\mathrm{exact}$"
        )
        axes.set_title(
            rf"$T_2 = 1.96$, $T_1 = T_2 - \Delta T$;  exact: Drude baths, $\Lambda = {CUTOFF:g}$",
            loc="left",
        )
        axes.legend(handles=_handles(), ncols=2, loc="lower right", frameon=False)
        _weak(beside, curves, structured)
        return rendered(canvas)


def _line(axes: Axes, setting: Setting, method: str, x: np.ndarray, y: np.ndarray) -> None:
    axes.plot(
        x, y, linestyle=_DASHES[method], color=tint(_COLOUR[method], _strength(setting)),
        linewidth=_width(setting),
    )  # fmt: skip


def _strength(setting: Setting) -> float:
    """Of the colour: full for the largest ΔT."""
    return 0.4 + 0.6 * setting.difference / max(each.difference for each in LOW)


def _width(setting: Setting) -> float:
    return 1.2 + 0.6 * _strength(setting)


def _handles() -> list[Line2D]:
    methods = [
        Line2D([], [], color=_COLOUR[method], linestyle=_DASHES[method], linewidth=1.8, label=name)
        for method, name in _METHODS.items()
    ]
    settings = [
        Line2D(
            [], [], color=tint("#000000", _strength(setting)), linewidth=_width(setting),
            label=rf"$\Delta T = {setting.label}$",
        )
        for setting in LOW
    ]  # fmt: skip
    return [*methods, *settings]


def _weak(axes: Axes, curves: Curves, structured: Structured) -> None:
    """The occupations themselves at weak coupling, where the coldest setting is all vacuum."""
    coldest = min(LOW, key=lambda setting: setting.first)
    curve = curves[INTERACTION, coldest]
    weak = curve.reduced <= _WEAK
    x = curve.reduced[weak]
    axes.plot(x, structured[coldest][weak], color="black", linewidth=1.8)
    for method in _METHODS:
        _line(axes, coldest, method, x, curve.occupation[method][weak])
    zero = at_zero_coupling(curves, structured)
    axes.text(
        0.96, 0.05,
        "at $\\lambda = 0$, over thermal:\n"
        f"exact {zero.structured / zero.thermal:.2f},  "
        f"flat Langevin {zero.flat / zero.thermal:.2f}",
        transform=axes.transAxes, ha="right", va="bottom", fontsize=11, linespacing=1.4,
    )  # fmt: skip
    axes.set_xlim(0, _WEAK)
    axes.set_yscale("log")
    axes.set_ylim(zero.flat / 3, 3 * float(structured[coldest][weak][-1]))
    axes.set_xlabel(r"$\lambda/\lambda_c$")
    axes.set_ylabel(r"$\langle a_1^\dagger a_1\rangle_\mathrm{ss}$")
    axes.set_title(rf"$\Delta T = {coldest.label}$,  black: exact", loc="left")
