"""Figs. 3 and 4: increasing temperature difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jaxosc.papers.konopik_lutz.catalogue import LAST_COUPLING, OMEGA, Figure
from jaxosc.papers.konopik_lutz.claims.measures import (
    DECADE,
    EXPONENT_TOLERANCE,
    VISIBLE,
    Claim,
    deviation,
    increases,
    largest_deviation,
    mean_deviation,
    verdict,
)
from jaxosc.papers.konopik_lutz.claims.rows import (
    EXPONENT,
    agreement,
    by_setting,
    microscopic,
    no_criticality,
    unsound_remark,
)
from jaxosc.papers.konopik_lutz.data import Curve

_SUBSCRIPT = "₁₂"


def position_claims(figure: Figure, family: Sequence[Curve]) -> Iterator[Claim]:
    """Fig. 3a or 3b."""
    caption = f"Fig. {figure.name} caption; Sec. V, second paragraph"
    yield _temperature_regime(figure, family)

    mean = [mean_deviation(curve, "local") for curve in family]
    last = [deviation(curve, "local")[-1] for curve in family]
    yield Claim(
        figure.name,
        caption,
        "The local equation gets worse as ΔT increases (position–position interaction).",
        "|⟨a₁†a₁⟩_local/⟨a₁†a₁⟩_Langevin − 1| averaged over λ, and at the last λ/λc",
        by_setting(family, mean, "mean, ") | by_setting(family, last, "last, "),
        "both grow with ΔT: “worse” must hold on the whole and at criticality",
        verdict([increases(mean), increases(last)]),
        "" if increases(last) else "On the whole it gets worse; close to λc it gets better.",
    )

    departs = [largest_deviation(curve, "global") for curve in family]
    local = [largest_deviation(curve, "local") for curve in family]
    weak = unsound_remark(family)
    yield Claim(
        figure.name,
        caption,
        "The global equation departs slightly from the Langevin equation for large ΔT "
        "(position–position interaction).",
        "largest |ratio − 1| of the global and of the local equation"
        + (", where the Langevin occupation is sound" if weak else ""),
        by_setting(family, departs, "global, ") | by_setting(family, local, "local, "),
        f"global: > {VISIBLE:g} at the largest ΔT, growing with ΔT, and below the local one at "
        "every ΔT",
        verdict([
            departs[-1] > VISIBLE,
            increases(departs),
            all(g < l for g, l in zip(departs, local, strict=True)),
        ]),
        weak,
    )  # fmt: skip

    amplitude = [curve.ratio("local")[-1] for curve in family]
    exponent = [curve.exponent["local"] for curve in family]
    reference = [curve.exponent["langevin"] for curve in family]
    yield Claim(
        figure.name,
        f"Fig. {figure.name[0]} caption",
        "The local equation misses the critical behaviour for all ΔT (position–position "
        "interaction).",
        f"local over Langevin at λ/λc = {LAST_COUPLING:g}; {EXPONENT}, local and Langevin",
        by_setting(family, amplitude, "ratio, ")
        | by_setting(family, exponent, "local exponent, ")
        | by_setting(family, reference, "Langevin exponent, "),
        f"amplitude off by more than {VISIBLE:g}, and exponents apart by more than "
        f"{EXPONENT_TOLERANCE:g}: missing a divergence means missing its power too",
        verdict([
            all(abs(a - 1) > VISIBLE for a in amplitude),
            all(
                abs(e - r) > EXPONENT_TOLERANCE for e, r in zip(exponent, reference, strict=True)
            ),
        ]),
        "The local equation does diverge here, with the right power and a wrong amplitude. "
        "Without any critical behaviour it is only in the rotating-wave model.",
    )  # fmt: skip

    mean_global = [mean_deviation(curve, "global") for curve in family]
    yield Claim(
        figure.name,
        "Sec. V, last paragraph",
        "The global equation describes the system better than the local one and should be "
        "preferred.",
        "|ratio − 1| averaged over λ",
        by_setting(family, mean_global, "global, ") | by_setting(family, mean, "local, "),
        "global below local at every ΔT",
        verdict([g < l for g, l in zip(mean_global, mean, strict=True)]),
    )
    yield microscopic(figure, family)


def rotating_wave_claims(figure: Figure, family: Sequence[Curve]) -> Iterator[Claim]:
    """Fig. 4a or 4b."""
    caption = f"Fig. {figure.name} caption; Sec. V, second paragraph"
    yield _temperature_regime(figure, family)
    yield agreement(
        figure,
        family,
        "global",
        caption,
        "The global equation agrees exactly with the Langevin equation for all λ and all ΔT "
        "(rotating-wave interaction).",
        "",
    )
    mean = [mean_deviation(curve, "local") for curve in family]
    largest = [largest_deviation(curve, "local") for curve in family]
    yield Claim(
        figure.name,
        f"Fig. {figure.name} caption",
        "The local equation shows large deviations for increasing ΔT (rotating-wave interaction).",
        "|ratio − 1| averaged over λ, and its largest value",
        by_setting(family, mean, "mean, ") | by_setting(family, largest, "largest, "),
        "mean growing with ΔT; largest above 0.1 at every ΔT: ten times what can be seen",
        verdict([increases(mean), all(value > 10 * VISIBLE for value in largest)]),
        f"They are large at ΔT = {family[0].setting.label} already.",
    )
    yield no_criticality(
        figure.name,
        "Sec. V, second paragraph",
        "The local equation always fails to describe critical behaviour (rotating-wave "
        "interaction).",
        family,
    )


def _temperature_regime(figure: Figure, family: Sequence[Curve]) -> Claim:
    high = figure.name.endswith("a")
    numbers = {
        f"β{_SUBSCRIPT[j]}ω{_SUBSCRIPT[j]}, ΔT = {curve.setting.label}": OMEGA[j] / temperature
        for curve in family
        for j, temperature in enumerate((curve.setting.first, curve.setting.second))
    }
    tests = [x <= 1 / DECADE if high else x >= DECADE for x in numbers.values()]
    return Claim(
        figure.name,
        f"Fig. {figure.name[0]} caption; Sec. V, second paragraph",
        f"The {'high' if high else 'low'}-temperature regime is β_iω_i {'≪' if high else '≫'} 1.",
        "β_iω_i of both oscillators",
        numbers,
        f"{'≤ 0.1' if high else '≥ 10'} for all: a decade",
        verdict(tests),
        ""
        if high
        else "T₂ = 1.96 is printed; oscillator 2 is then neither cold nor hot, and near λc the "
        "soft mode is hot at any temperature.",
    )
