"""What a run leaves in words: the report and the claims."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass

from jaxosc.papers.konopik_lutz.catalogue import (
    DAMPING,
    FIGURES,
    HIGH_TEMPERATURE,
    LANDMARKS,
    LAST_COUPLING,
    LOW,
    LOW_TEMPERATURE,
    OMEGA,
    ZERO_POINT_SHIFT,
    Figure,
)
from jaxosc.papers.konopik_lutz.claims.measures import Claim
from jaxosc.papers.konopik_lutz.data import Curves
from jaxosc.papers.konopik_lutz.structured import (
    CUTOFF,
    NAME,
    Structured,
    at_zero_coupling,
    structured_rows,
)

_VERDICTS = ("holds", "holds in part", "does not hold")


@dataclass(frozen=True)
class Run:
    """The circumstances of a run.

    Attributes:
        figures: names, in the order of the paper.
        points: couplings on each curve.
        jaxosc: version of this library.
        jax: version of JAX.
        device: what the numbers were computed on.
        dtype: in which precision.
        seconds: from the first number to the last picture.
        literal_rates: largest relative change of a master-equation curve if the printed
            Lindblad rates are read literally.
    """

    figures: tuple[str, ...]
    points: int
    jaxosc: str
    jax: str
    device: str
    dtype: str
    seconds: float
    literal_rates: float


def claims_json(run: Run, claims: Sequence[Claim]) -> bytes:
    """The claims and the circumstances as JSON."""
    document = {
        "run": dataclasses.asdict(run),
        "parameters": {
            "omega": OMEGA,
            "damping": (DAMPING, DAMPING),
            "last_lambda_over_lambda_c": LAST_COUPLING,
            "temperatures": {
                name: [
                    {"delta_T": s.difference, "T1": s.first, "T2": s.second}
                    for s in FIGURES[name].settings
                ]
                for name in run.figures
            },
        },
        "claims": [dataclasses.asdict(claim) for claim in claims],
    }
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def report(
    run: Run, claims: Sequence[Claim], curves: Curves, exact: Structured | None = None
) -> bytes:
    """The report in Markdown."""
    figures = [FIGURES[name] for name in run.figures]
    parts = [
        "# Figures of Konopik & Lutz, “Local master equations may fail to describe dissipative "
        "critical behavior”, recomputed",
        _summary(figures, claims),
        _circumstances(run),
        _pictures(figures),
        _claims_table(run, claims),
        _landmark_table(figures, curves),
        *([] if exact is None else [_beside(curves, exact)]),
        _differences(run),
    ]
    return ("\n\n".join(parts) + "\n").encode()


def file_name(figure: str, kind: str) -> str:
    """Name of a file that belongs to one figure."""
    return f"figure-{figure}.{kind}"


def _summary(figures: Sequence[Figure], claims: Sequence[Claim]) -> str:
    rows = [
        [f"{figure.name}", figure.title]
        + [str(_count(claims, verdict, figure.name)) for verdict in _VERDICTS]
        for figure in figures
    ]
    rows.append(["", "**all**"] + [f"**{_count(claims, verdict)}**" for verdict in _VERDICTS])
    return _markdown(["figure", "shows", *(f"statements: {v}" for v in _VERDICTS)], rows)


def _count(claims: Sequence[Claim], verdict: str, figure: str | None = None) -> int:
    return sum(c.verdict == verdict and figure in (None, c.figure) for c in claims)


def _circumstances(run: Run) -> str:
    return _markdown(
        ["run", ""],
        [
            ["frequencies", f"ω₁ = {OMEGA[0]:g}, ω₂ = {OMEGA[1]:g}"],
            ["damping", f"γ₁ = γ₂ = {DAMPING:g} (amplitude)"],
            ["units", "ħ = k_B = 1; everything in the unit of ω"],
            ["grid", f"{run.points} couplings, λ/λc from 0 to {LAST_COUPLING:g}, denser near λc"],
            ["temperatures", "as in the legends; ΔT = T₂ − T₁. The paper's text does not give ΔT"],
            ["jaxosc, JAX", f"{run.jaxosc}, {run.jax}"],
            ["device, dtype", f"{run.device}, {run.dtype}"],
            ["time", f"{run.seconds:.1f} s, compilation and drawing included"],
        ],
    )


def _pictures(figures: Sequence[Figure]) -> str:
    parts = ["## Figures"]
    for figure in figures:
        png, pdf, csv = (file_name(figure.name, kind) for kind in ("png", "pdf", "csv"))
        parts.append(f"### Fig. {figure.name}: {figure.title}")
        parts.append(f"![Fig. {figure.name}]({png})")
        parts.append(f"[PDF]({pdf}) · [data]({csv})")
    return "\n\n".join(parts)


def _claims_table(run: Run, claims: Sequence[Claim]) -> str:
    rows = [
        [
            claim.figure,
            claim.statement,
            claim.source,
            f"{claim.measure}: " + "; ".join(f"{k}: {v:.4g}" for k, v in claim.numbers.items()),
            claim.threshold,
            f"**{claim.verdict}**" + (f". {claim.remark}" if claim.remark else ""),
        ]
        for claim in claims
    ]
    scope = ""
    if len(run.figures) < len(FIGURES):
        scope = f" Only those of Figs. {', '.join(run.figures)}, which were asked for."
    return (
        "## Statements of the paper\n\n"
        "Each is judged by the numbers of its figure. “Holds in part” means that some of the "
        "conditions under “must be” are met and some are not. The Langevin occupation is called "
        f"sound where it exceeds a hundred times γ/(πω₁) = {ZERO_POINT_SHIFT:.2g}, by which flat "
        f"damping shifts the zero-point motion.{scope}\n\n"
        + _markdown(["figure", "statement", "where", "number", "must be", "verdict"], rows)
    )


def _landmark_table(figures: Sequence[Figure], curves: Curves) -> str:
    cases = {
        (interaction, setting): None
        for figure in figures
        for interaction in figure.interactions
        for setting in figure.settings
    }
    rows = []
    for key in cases:
        curve = curves[key]
        for reduced in LANDMARKS:
            index = curve.at(reduced)
            rows.append([
                curve.interaction,
                f"{curve.setting.first:g}, {curve.setting.second:g}",
                f"{reduced:g}",
                f"{curve.occupation['langevin'][index]:.10g}",
                f"{curve.ratio('global')[index]:.8g}",
                f"{curve.ratio('local')[index]:.8g}",
                f"{curve.information['langevin'][index]:.8g}",
            ])  # fmt: skip
    return "## Numbers to compare with\n\n" + _markdown(
        [
            "interaction", "T₁, T₂", "λ/λc", "⟨a₁†a₁⟩ Langevin", "global / Langevin",
            "local / Langevin", "I Langevin",
        ],
        rows,
    )  # fmt: skip


def _beside(curves: Curves, exact: Structured) -> str:
    """Fig. 3b over an exact answer that does not fail where it is cold."""
    zero = at_zero_coupling(curves, exact)
    png, pdf, csv = (file_name(NAME, kind) for kind in ("png", "pdf", "csv"))
    return (
        "## Beside Fig. 3b: an exact answer that is sound when cold\n\n"
        f"At λ = 0, T₁ = {LOW[-1].first:g} the occupation by which Fig. 3b divides is "
        f"{zero.flat:.5g}, {zero.flat / zero.thermal:.2f} of the thermal {zero.thermal:.5g}: flat "
        "damping on the whole frequency axis takes about γ/(πω₁) = "
        f"{ZERO_POINT_SHIFT:.2g} from it. Baths of positive frequencies (Drude, cutoff "
        f"{CUTOFF:g}, positions, counter-terms, the same γ at ω₁ and ω₂) solved exactly give "
        f"{zero.structured:.5g}, {zero.structured / zero.thermal:.2f} of the thermal one: a bath "
        "dresses the vacuum of what it is coupled to, and this part grows with the logarithm of "
        "the cutoff. So where an occupation is as small as γ/ω no ratio tells a good equation "
        "from a bad one; beyond that, the flat Langevin equation is right.\n\n"
        f"![Beside Fig. 3b]({png})\n\n[PDF]({pdf}) · [data]({csv})\n\n"
        + _markdown(
            [
                "T₁, T₂", "λ/λc", "⟨a₁†a₁⟩ exact, Drude", "flat Langevin / exact",
                "local / exact", "global (Eq. 17) / exact", "global (Ohmic) / exact",
            ],
            structured_rows(curves, exact),
        )
    )  # fmt: skip


def _differences(run: Run) -> str:
    notes = [
        "The temperature differences are our choice, because the text does not give them: "
        f"the colder bath is at {HIGH_TEMPERATURE:g} in Figs. 2, 3a, 4a, 5 and 6, the hotter one "
        f"at {LOW_TEMPERATURE:g} in Figs. 3b and 4b.",
        "γ here is the amplitude damping of the Langevin equation (Eq. 5), and the Lindblad "
        "rates of the same bath are 2γ(N + 1) and 2γN. The paper writes γ for both. Its rates "
        "read literally are these equations at γ/2, which changes no master-equation curve up "
        f"to λ/λc = 0.99 by more than {run.literal_rates:.1e} of its value.",
        "At λ = 0 and low temperature the ratios to Langevin rise where the Langevin occupation "
        "itself is as small as γ/(πω₁): flat damping on the whole frequency axis shifts the "
        "zero-point motion. A printed curve that starts later does not show it.",
        f"The curves end at λ/λc = {LAST_COUPLING:g}. Closer to λc, within about γ in the "
        "rotating-wave and γ²/ω in the position–position model, flat damping rounds the "
        "divergence of the Langevin curve off.",
        "Eqs. 10–15 as printed have no thermal occupations in the rates, and would be right at "
        "ΔT = 0 only; with γ(N + 1) and γN they agree with Fig. 4, and so they are used here. "
        "Before Eq. 10, cos²θ should read (ω₁ − ω₋)/(ω₊ − ω₋).",
        "In Eq. 16 the last entries of A and B need cos θ in place of −sin θ, in Eq. 22 κ and λ "
        "are interchanged for the Hamiltonian of Eq. 1, and Eqs. 6–7 count the factor 2γ of "
        "Eq. 5 twice. The transformations and the matrix used here are derived from Eq. 1.",
        "The caption of Fig. 5 and the third paragraph of Sec. V call the occupation “Fig. 1”; "
        "it is Fig. 2.",
    ]
    return "## What differs from the printed paper\n\n" + "\n".join(f"- {note}" for note in notes)


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )
