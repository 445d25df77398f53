"""What the published figures show: parameters, bath temperatures, panels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

# What the paper compares, whatever else there is to compare.
EQUATIONS = ("langevin", "global", "local")
OMEGA = (5.0, 2.0)
DAMPING = 1.5e-4
HIGH_TEMPERATURE = 98.0
LOW_TEMPERATURE = 1.96

# The range of the published axes ends at the critical point, where every curve but the local
# rotating-wave one diverges. Flat damping rounds that divergence off once λ_c − λ is of the
# order of γ (rotating wave) or γ²/ω (position); here λ_c − λ is still 20 γ.
LAST_COUPLING = 0.999
# On every grid whatever its size, so that numbers from different runs can be compared.
LANDMARKS = (0.5, 0.9, 0.99)

# Flat damping shifts the zero-point occupation of oscillator 1 by about this much.
ZERO_POINT_SHIFT = DAMPING / (math.pi * OMEGA[0])


class Setting(NamedTuple):
    """Temperatures of the two baths; ``difference`` is ΔT = T2 − T1."""

    difference: float
    first: float
    second: float

    @property
    def label(self) -> str:
        """ΔT as it is printed in legends and tables."""
        return f"{self.difference:g}"


def _heated(difference: float) -> Setting:
    """T1 fixed at the high temperature for ΔT ≥ 0, T2 for ΔT < 0."""
    if difference < 0:
        return Setting(difference, HIGH_TEMPERATURE - difference, HIGH_TEMPERATURE)
    return Setting(difference, HIGH_TEMPERATURE, HIGH_TEMPERATURE + difference)


def _cooled(difference: float) -> Setting:
    """T2 fixed at the low temperature."""
    # Rounded: 0.46 as it is meant, not 0.45999999999999996.
    return Setting(difference, round(LOW_TEMPERATURE - difference, 12), LOW_TEMPERATURE)


EQUILIBRIUM = _heated(0.0)
HIGH = tuple(map(_heated, (0.0, 100.0, 200.0)))
LOW = tuple(map(_cooled, (0.0, 0.75, 1.5)))
SIGNED = tuple(map(_heated, (-200.0, -100.0, 100.0, 200.0)))
SETTINGS = tuple(dict.fromkeys(HIGH + SIGNED + LOW))


@dataclass(frozen=True)
class Figure:
    """One published figure or panel.

    Attributes:
        name: as it is cited, ``"3a"``.
        title: one line on what it shows.
        quantity: ``"occupation"``, ``"ratio"`` (to the Langevin occupation) or
            ``"information"``.
        interactions: of the panel, and of its inset if there is one.
        settings: one curve of each method for every one of these.
        temperatures: how ΔT sets T1 and T2, in math text.
    """

    name: str
    title: str
    quantity: str
    interactions: tuple[str, ...]
    settings: tuple[Setting, ...]
    temperatures: str

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods whose numbers are written, the last one beyond the published curves."""
        if self.quantity != "ratio":
            return ("langevin", "gibbs", "global", "local")
        if self.interactions == ("position",):
            return (*EQUATIONS, "global_ohmic")
        return EQUATIONS


_EQUILIBRIUM = r"$T_1 = T_2 = 98$"
_HIGH = r"$T_1 = 98$, $T_2 = T_1 + \Delta T$"
_LOW = r"$T_2 = 1.96$, $T_1 = T_2 - \Delta T$"
_SIGNED = r"$\min(T_1, T_2) = 98$, $T_2 - T_1 = \Delta T$"

FIGURES = {
    figure.name: figure
    for figure in (
        Figure(
            "2", "Mean occupation at equilibrium; inset: rotating wave",
            "occupation", ("position", "rotating-wave"), (EQUILIBRIUM,), _EQUILIBRIUM,
        ),
        Figure(
            "3a", "Occupation over Langevin, position coupling, high temperature",
            "ratio", ("position",), HIGH, _HIGH,
        ),
        Figure(
            "3b", "Occupation over Langevin, position coupling, low temperature",
            "ratio", ("position",), LOW, _LOW,
        ),
        Figure(
            "4a", "Occupation over Langevin, rotating wave, high temperature",
            "ratio", ("rotating-wave",), HIGH, _HIGH,
        ),
        Figure(
            "4b", "Occupation over Langevin, rotating wave, low temperature",
            "ratio", ("rotating-wave",), LOW, _LOW,
        ),
        Figure(
            "5", "Mutual information at equilibrium; inset: rotating wave",
            "information", ("position", "rotating-wave"), (EQUILIBRIUM,), _EQUILIBRIUM,
        ),
        Figure(
            "6a", "Occupation over Langevin, both signs of ΔT, position coupling",
            "ratio", ("position",), SIGNED, _SIGNED,
        ),
        Figure(
            "6b", "Occupation over Langevin, both signs of ΔT, rotating wave",
            "ratio", ("rotating-wave",), SIGNED, _SIGNED,
        ),
    )
}  # fmt: skip
