"""Fig. 6: the sign of the temperature difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from jaxosc.papers.konopik_lutz.catalogue import Figure
from jaxosc.papers.konopik_lutz.claims.measures import (
    SIGNIFICANT,
    VISIBLE,
    Claim,
    crossings,
    signs,
    verdict,
)
from jaxosc.papers.konopik_lutz.claims.rows import agreement, by_setting, microscopic
from jaxosc.papers.konopik_lutz.data import Curve


def sign_claims(figure: Figure, family: Sequence[Curve], equilibrium: Curve) -> Iterator[Claim]:
    """Fig. 6a or 6b; the family is in the order of ΔT, the equilibrium curve beside it."""
    position = figure.interactions == ("position",)
    name = "position–position" if position else "rotating-wave"
    source = "App. D; Fig. 6 caption"
    asymmetry = {
        method: {
            f"{method}, ±{hot.setting.label}": float(
                np.abs(hot.ratio(method) - cold.ratio(method)).max()
            )
            for cold, hot in ((family[0], family[-1]), (family[1], family[-2]))
        }
        for method in (("local", "global") if position else ("local",))
    }
    numbers = {key: value for pair in asymmetry.values() for key, value in pair.items()}
    tests = [value > VISIBLE for value in numbers.values()]
    if position:
        tests += [
            g < l
            for g, l in zip(asymmetry["global"].values(), asymmetry["local"].values(), strict=True)
        ]
    yield Claim(
        figure.name,
        source + "; Sec. V, end of second paragraph",
        f"The deviation of the local{' (and, to a lesser extent, global)' if position else ''} "
        f"equation depends on the sign of ΔT ({name} interaction).",
        "largest |ratio(ΔT) − ratio(−ΔT)| on the grid",
        numbers,
        f"> {VISIBLE:g} for each pair" + ("; global below local" if position else ""),
        verdict(tests),
        "Both depend on the sign, the global equation more than the local one: close to λc it "
        "departs upwards or downwards."
        if position
        else "",
    )
    yield from _local_sign(figure, family, equilibrium, name, source)
    if not position:
        yield agreement(
            figure, family, "global", source,
            "The global equation completely matches the Langevin equation for all ΔT "
            "(rotating-wave interaction).",
            "",
        )  # fmt: skip
        return
    half = [curve.ratio("global")[curve.at(0.5)] for curve in family]
    last = [curve.ratio("global")[-1] for curve in family]
    expected = [-np.sign(curve.setting.difference) for curve in family]
    strong = [signs(c, "global")[-1] == e for c, e in zip(family, expected, strict=True)]
    weak = [signs(c, "global")[c.at(0.5)] == e for c, e in zip(family, expected, strict=True)]
    cross = [crossings(curve, "global")[-1] for curve in family]
    yield Claim(
        figure.name,
        source,
        "The occupation of the global equation is larger than that of the Langevin equation for "
        "ΔT < 0 and smaller for ΔT > 0 (position–position interaction).",
        "global over Langevin at λ/λc = 0.5 and at the last; λ/λc where it passes through 1",
        by_setting(family, half, "0.5, ")
        | by_setting(family, last, "last, ")
        | by_setting(family, cross, "crossing, "),
        f"the stated side of 1, by more than γ/ω₂ = {SIGNIFICANT:.2g}, at both couplings",
        verdict([all(strong), all(weak)]),
        f"True beyond λ/λc = {max(cross):.2f}; at weaker coupling the order is reversed, by a "
        "per cent.",
    )
    yield microscopic(figure, family)


def _local_sign(
    figure: Figure, family: Sequence[Curve], equilibrium: Curve, name: str, source: str
) -> Iterator[Claim]:
    cross = [crossings(curve, "local") for curve in family]
    once = [
        len(points) == 1 and signs(curve, "local")[-1] < 0
        for points, curve in zip(cross, family, strict=True)
    ]
    yield Claim(
        figure.name,
        source,
        "The local equation leads to larger occupations for weak and smaller ones for strong "
        f"coupling ({name} interaction).",
        "λ/λc where local over Langevin passes through 1; its largest and its last value",
        by_setting(family, [points[-1] for points in cross], "crossing, ")
        | by_setting(family, [curve.ratio("local").max() for curve in family], "largest, ")
        | by_setting(family, [curve.ratio("local")[-1] for curve in family], "last, "),
        "above 1 on one side of a single crossing and below on the other, for every ΔT; smaller "
        f"differences than γ/ω₂ = {SIGNIFICANT:.2g} do not count",
        verdict(once),
    )
    cases = [*family, equilibrium]
    half = equilibrium.at(0.5)
    other = [
        curve.other_occupation["local"][half] / curve.other_occupation["langevin"][half]
        for curve in cases
    ]
    excess = [curve.other_occupation["local"][0] / curve.occupation["local"][0] for curve in cases]
    own = [curve.ratio("local")[half] for curve in cases]
    yield Claim(
        figure.name,
        "App. D",
        "The increase at small coupling is caused by ω₁ > ω₂, which leads to a relatively larger "
        f"occupation of oscillator 2, modulated by ΔT ({name} interaction).",
        "⟨a₂†a₂⟩/⟨a₁†a₁⟩ at λ = 0; local over Langevin at λ/λc = 0.5, for oscillator 1 and for "
        "oscillator 2 (the slower one)",
        by_setting(cases, excess, "n₂/n₁, ")
        | by_setting(cases, own, "oscillator 1, ")
        | by_setting(cases, other, "oscillator 2, "),
        "above 1 for oscillator 1 and below 1 for oscillator 2 (the cause is the order of the "
        "frequencies); n₂/n₁ > 1 wherever oscillator 1 is above (the way it works)",
        verdict([
            all(o > 1 + SIGNIFICANT for o in own) and all(o < 1 - SIGNIFICANT for o in other),
            all(ratio > 1 for ratio in excess),
        ]),
        "The slower oscillator has a decrease, as the cause requires. But the increase of the "
        "faster one remains at ΔT = −200, where oscillator 2 is the less occupied.",
    )  # fmt: skip
