"""Rows that several figures share."""

from __future__ import annotations

from collections.abc import Sequence

from jaxosc.papers.konopik_lutz.catalogue import LAST_COUPLING, ZERO_POINT_SHIFT, Figure
from jaxosc.papers.konopik_lutz.claims.measures import (
    EXPONENT_TOLERANCE,
    VISIBLE,
    Claim,
    deviation,
    is_sound,
    largest_deviation,
    verdict,
)
from jaxosc.papers.konopik_lutz.data import Curve

AGREES = (
    f"≤ {VISIBLE:g}, about the radius of a marker; weak damping alone would allow γ/Ω₋, Ω₋ being "
    "the frequency of the soft mode"
)
EXPONENT = f"−d ln⟨a₁†a₁⟩/d ln(1 − λ/λc) at λ/λc = {LAST_COUPLING:g}"


def by_setting(
    family: Sequence[Curve], values: Sequence[float], prefix: str = ""
) -> dict[str, float]:
    """One number for each ΔT, with its name."""
    return {
        f"{prefix}ΔT = {curve.setting.label}": float(value)
        for curve, value in zip(family, values, strict=True)
    }


def no_criticality(figure: str, source: str, statement: str, family: Sequence[Curve]) -> Claim:
    """The local occupation stays finite where that of the Langevin equation diverges."""
    numbers = {
        f"{method}, ΔT = {curve.setting.label}": curve.exponent[method]
        for method in ("local", "langevin")
        for curve in family
    }
    tests = [
        abs(curve.exponent[method] - expected) <= EXPONENT_TOLERANCE
        for curve in family
        for method, expected in (("local", 0), ("langevin", 1))
    ]
    finite = [float(curve.occupation["local"][-1]) for curve in family]
    return Claim(
        figure,
        source,
        statement,
        EXPONENT + ", by automatic differentiation",
        numbers,
        f"local within {EXPONENT_TOLERANCE:g} of 0 (a finite value), Langevin within "
        f"{EXPONENT_TOLERANCE:g} of 1 (a simple pole)",
        verdict(tests),
        "The local occupation there is " + ", ".join(f"{value:.4g}" for value in finite) + ".",
    )


def agreement(
    figure: Figure,
    family: Sequence[Curve],
    method: str,
    source: str,
    statement: str,
    remark: str,
) -> Claim:
    """Agreement with Langevin at every λ and ΔT, and where the reference is sound."""
    everywhere = [deviation(curve, method).max() for curve in family]
    sound = [largest_deviation(curve, method) for curve in family]
    weak = unsound_remark(family)
    numbers = by_setting(family, everywhere)
    if weak:
        numbers |= by_setting(family, sound, "sound reference, ")
    return Claim(
        figure.name,
        source,
        statement,
        "largest |ratio − 1| on the grid"
        + (", and where the Langevin occupation is sound" if weak else ""),
        numbers,
        AGREES,
        verdict([max(everywhere) <= VISIBLE, max(sound) <= VISIBLE]),
        " ".join(filter(None, (remark, weak))),
    )


def microscopic(figure: Figure, family: Sequence[Curve]) -> Claim:
    """Agreement of the global equation with the rates of an Ohmic, position-coupled bath."""
    return agreement(
        figure,
        family,
        "global_ohmic",
        "Beyond the paper",
        "A global equation with the rates of the microscopic bath (position coupling, Ohmic "
        "spectrum) agrees with the Langevin equation at every ΔT in the position–position model "
        "too.",
        "So the departure of the global curve is that of the flat rates of Eq. 17, not of the "
        "global approach.",
    )


def unsound_remark(family: Sequence[Curve]) -> str:
    """What happens at couplings where the reference itself is not good to a hundredth."""
    curve = family[-1]
    unsound = ~is_sound(curve)
    if not unsound.any():
        return ""
    return (
        f"At ΔT = {curve.setting.label} and λ = 0 the Langevin occupation is "
        f"{curve.occupation['langevin'][0]:.3g} where the exact thermal one is "
        f"{curve.occupation['local'][0]:.3g}: flat damping shifts it by about γ/(πω₁) = "
        f"{ZERO_POINT_SHIFT:.2g}. That, and no error of the master equations, is the rise of all "
        f"their ratios below λ/λc = {curve.reduced[unsound][-1]:.2f}."
    )
