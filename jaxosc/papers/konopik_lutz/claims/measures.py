"""The numbers by which the statements of the paper are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jaxosc.papers.konopik_lutz.catalogue import DAMPING, OMEGA, ZERO_POINT_SHIFT
from jaxosc.papers.konopik_lutz.data import Curve

# "Perfect agreement" in a figure: a hundredth, about the radius of a marker on a ratio axis.
VISIBLE = 0.01
# A finite value has the exponent 0, the soft mode 1; at 1 − λ/λ_c = 1e-3 the corrections to a
# pure power are a few hundredths at most.
EXPONENT_TOLERANCE = 0.05
# "≪ 1" and "≫ 1" mean a decade.
DECADE = 10.0
# Below the order of the weak damping no approximate equation claims a sign.
SIGNIFICANT = DAMPING / min(OMEGA)


@dataclass(frozen=True)
class Claim:
    """One statement and the number that tests it.

    Attributes:
        figure: the figure it belongs to, ``"3a"``.
        source: where in the paper it stands, or that it goes beyond the paper.
        statement: what is said.
        measure: what the numbers mean.
        numbers: the numbers, by name.
        threshold: what they must satisfy, and why.
        verdict: ``"holds"``, ``"holds in part"`` or ``"does not hold"``.
        remark: what else a reader should know; may be empty.
    """

    figure: str
    source: str
    statement: str
    measure: str
    numbers: dict[str, float]
    threshold: str
    verdict: str
    remark: str = ""


def verdict(tests: Sequence[bool]) -> str:
    """What a list of tests of one statement says about it."""
    if all(tests):
        return "holds"
    return "holds in part" if any(tests) else "does not hold"


def deviation(curve: Curve, method: str) -> np.ndarray:
    """|⟨a_1†a_1⟩/⟨a_1†a_1⟩_Langevin − 1| [L]."""
    return np.abs(curve.ratio(method) - 1)


def is_sound(curve: Curve) -> np.ndarray:
    """Where the Langevin occupation exceeds the zero-point shift of flat damping a hundredfold.

    Elsewhere, at low temperature and weak coupling, the reference itself is wrong by more than
    a hundredth, and a ratio to it says nothing about the other equation.
    """
    return curve.occupation["langevin"] > 100 * ZERO_POINT_SHIFT


def largest_deviation(curve: Curve, method: str) -> float:
    """The largest deviation where the reference is sound."""
    return float(deviation(curve, method)[is_sound(curve)].max())


def mean_deviation(curve: Curve, method: str) -> float:
    """The deviation averaged over λ, where the reference is sound."""
    where = is_sound(curve)
    x = curve.reduced[where]
    return float(np.trapezoid(deviation(curve, method)[where], x) / (x[-1] - x[0]))


def signs(curve: Curve, method: str) -> np.ndarray:
    """Sign of the ratio − 1 [L], 0 where it is not significant or the reference not sound."""
    excess = curve.ratio(method) - 1
    significant = (np.abs(excess) > SIGNIFICANT) & is_sound(curve)
    return np.where(significant, np.sign(excess), 0)


def crossings(curve: Curve, method: str) -> list[float]:
    """λ/λ_c at which the ratio passes through 1."""
    known = np.flatnonzero(signs(curve, method))
    before, after = known[:-1], known[1:]
    change = signs(curve, method)[before] != signs(curve, method)[after]
    x, excess = curve.reduced, curve.ratio(method) - 1
    return [
        float(x[i] - excess[i] * (x[k] - x[i]) / (excess[k] - excess[i]))
        for i, k in zip(before[change], after[change], strict=True)
    ]


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation: 1 if the two always rise and fall together."""
    ranks = [np.argsort(np.argsort(values)) for values in (first, second)]
    return float(np.corrcoef(ranks[0].astype(float), ranks[1].astype(float))[0, 1])


def increases(values: Sequence[float] | np.ndarray) -> bool:
    """Whether every value exceeds the one before."""
    return bool(np.all(np.diff(values) > 0))
