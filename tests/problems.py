"""The problem table: named cases with exact answers, each with the tolerance it is held to.

The answers, in `problems.json`, are 50-digit numbers of `reference.py` rounded to 25 digits;
`python tests/problems.py` writes them anew, and `test_problems.py` checks the table itself against
closed forms, published numbers and a fresh evaluation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import mpmath
import numpy as np
import reference

ANSWERS = Path(__file__).with_suffix(".json")
DESCRIPTIONS = (
    "local", "global", "global paper", "global position ohmic", "langevin", "gibbs",
)  # fmt: skip
# Rates and spectrum of every form of the global equation
GLOBAL = {
    "global": ("rotating-wave", "flat"),
    "global paper": ("paper", "flat"),
    "global position ohmic": ("position", "ohmic"),
}
MEASURES = ("occupation", "coherence", "information", "entropy", "purity", "smallest")


@dataclass(frozen=True)
class Problem:
    """A network, its baths, and how well its answers must be met.

    Occupations n + 1/2, entropies, purities and the smallest symplectic eigenvalue are held to
    `tolerance` of themselves, coherences to it of √(n1 + ½)(n2 + ½), and informations to it of
    themselves or of 1e-3, whichever is more.
    """

    name: str
    tags: tuple[str, ...]
    omega: tuple[float, ...]
    exchange: dict[tuple[int, int], float]
    pairing: dict[tuple[int, int], float]
    damping: tuple[float, ...]
    temperature: tuple[float, ...]
    tolerance: float
    reason: str

    @property
    def network(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Frequencies and coupling matrices."""
        modes = len(self.omega)
        matrices = []
        for couplings in (self.exchange, self.pairing):
            matrix = np.zeros((modes, modes))
            for (j, k), strength in couplings.items():
                matrix[j, k] = matrix[k, j] = strength
            matrices.append(matrix)
        return np.array(self.omega), *matrices


def two(name, tags, omega, coupling, ratio, damping, temperature, tolerance, reason) -> Problem:
    """Two modes with pairing = ratio · exchange."""
    return Problem(
        name, ("two modes", *tags), omega, {(0, 1): coupling}, {(0, 1): ratio * coupling}, damping,
        temperature, tolerance, reason,
    )  # fmt: skip


def paper(name, tags, ratio, temperature, interaction=1.0) -> Problem:
    """ω = (5, 2), γ = 1.5e-4: λ over its critical value."""
    critical = np.sqrt(10.0) / (1 + interaction)
    return two(
        f"paper: {name}", ("paper", *tags), (5.0, 2.0), float(ratio * critical), interaction,
        (1.5e-4, 1.5e-4), temperature, 1e-13 + 1e-15 / (1 - ratio),
        "a hundred roundings, and the rounding of λ itself over its distance to λ_c",
    )  # fmt: skip


ROUNDING = "a hundred roundings of the elimination"
PROBLEMS = [
    paper("equal and hot", ("position", "equilibrium", "hot"), 0.9, (98.0, 98.0)),
    paper("half way", ("position", "hot"), 0.5, (98.0, 298.0)),
    paper("the readme", ("position", "hot"), 0.9, (98.0, 298.0)),
    paper("near critical", ("position", "hot", "critical"), 0.99, (98.0, 298.0)),
    paper("near critical, reversed", ("position", "hot", "critical"), 0.99, (298.0, 98.0)),
    paper("cold", ("position", "cold"), 0.9, (0.46, 1.96)),
    paper("rotating wave", ("rotating wave", "hot", "critical"), 0.99, (98.0, 298.0), 0.0),
    paper("rotating wave, cold", ("rotating wave", "cold"), 0.5, (0.46, 1.96), 0.0),
    paper("critical to six digits", ("position", "critical"), 1 - 1e-6, (98.0, 298.0)),
    two("uncoupled", ("decoupled", "closed form"), (5.0, 2.0), 0.0, 1.0, (0.1, 0.02),
        (4.0, 0.7), 1e-14, "nothing cancels"),
    two("identical", ("resonance", "rotating wave"), (3.0, 3.0), 0.4, 0.0, (0.1, 0.02),
        (4.0, 0.7), 1e-13, ROUNDING),
    two("identical, positions", ("resonance", "position"), (3.0, 3.0), 0.7, 1.0, (1e-3, 4e-3),
        (4.0, 9.0), 1e-13, ROUNDING),
    two("almost identical", ("resonance", "position", "weak damping"), (3.0, 3.0 + 1e-9), 1e-3,
        1.0, (1e-6, 3e-6), (4.0, 9.0), 1e-11, "Ω_+ − Ω_− known to 1e-16/1e-3 of itself"),
    two("mixed", ("mixed",), (1.3, 0.8), 0.35, 0.4, (2e-3, 5e-3), (1.0, 7.0), 1e-13, ROUNDING),
    two("mixed, negative", ("mixed",), (1.3, 0.8), -0.35, -0.4, (2e-3, 5e-3), (1.0, 7.0), 1e-13,
        ROUNDING),
    Problem("pairing at resonance", ("two modes", "pairing", "resonance", "weak damping"),
        (1.0, 1.0), {(0, 1): 1e-3}, {(0, 1): 0.375}, (1e-8, 2e-8), (1.0, 2.0), 1e-11,
        "Ω_+ − Ω_− known to 1e-16/1e-3 of itself"),
    Problem("pairing off resonance", ("two modes", "pairing"), (1.0, 2.0), {}, {(0, 1): 0.9},
        (1e-2, 2e-2), (1.0, 2.0), 1e-13, ROUNDING),
    two("ground state", ("cold", "zero temperature", "position"), (1.3, 0.8), 0.3, 1.0,
        (2e-3, 5e-3), (0.0, 0.0), 1e-13, ROUNDING),
    two("one bath at zero", ("cold", "zero temperature", "position"), (1.3, 0.8), 0.3, 1.0,
        (2e-3, 5e-3), (0.0, 2.0), 1e-13, ROUNDING),
    two("very cold", ("cold", "position"), (1.3, 0.8), 0.3, 1.0, (1e-5, 2e-5), (0.02, 0.03), 1e-12,
        "a smallest eigenvalue of ½ + 1e-9 leaves its entropy seven digits less"),
    two("very hot", ("hot", "position"), (1.3, 0.8), 0.3, 1.0, (2e-3, 5e-3), (1e6, 3e6), 1e-13,
        ROUNDING),
    two("hot beside cold", ("extreme", "position"), (1.3, 0.8), 0.3, 1.0, (1e-9, 5e-3),
        (1e9, 0.5), 1e-12, "rates and temperatures nine decades apart"),
    two("overdamped", ("strong damping", "position"), (1.3, 0.8), 0.3, 1.0, (4.0, 2.0),
        (5.0, 9.0), 1e-13, ROUNDING),
    two("weak damping", ("weak damping", "beyond float32", "position"), (1.3, 0.8), 0.3, 1.0,
        (1e-8, 1e-11), (5.0, 9.0), 1e-12, "rates three decades apart, eight below the frequencies"),
    two("weak coupling", ("weak coupling", "position"), (1.3, 0.8), 1e-9, 1.0, (1e-4, 2e-4),
        (5.0, 9.0), 1e-13, ROUNDING),
    two("far apart", ("extreme", "beyond float32", "position"), (1.0, 1e-8), 3e-5, 1.0,
        (1e-6, 1e-10), (1.0, 3.0), 1e-12, "frequencies eight decades apart"),
    Problem("one mode", ("one mode", "closed form"), (3.0,), {}, {}, (0.01,), (2.0,), 1e-14,
        "nothing cancels"),
    Problem("three modes", ("three modes",), (1.0, 1.7, 0.6), {(0, 1): 0.2, (1, 2): -0.1},
        {(0, 1): 0.1, (0, 2): 0.15}, (1e-3, 1e-2, 3e-3), (1.0, 4.0, 9.0), 1e-12,
        "a dense system of 21 unknowns"),
    Problem("chain, bare in the middle", ("three modes", "undamped mode"), (1.0, 1.0, 1.0),
        {(0, 1): 0.2, (1, 2): 0.2}, {(0, 1): 0.2, (1, 2): 0.2}, (1e-3, 0.0, 2e-3),
        (1.0, 0.0, 9.0), 1e-12, "a dense system of 21 unknowns"),
    Problem("four modes", ("four modes",), (1.0, 1.7, 0.6, 1.2),
        {(0, 1): 0.2, (1, 2): -0.1, (2, 3): 0.1}, {(0, 3): 0.15}, (1e-3, 1e-2, 3e-3, 0.1),
        (1.0, 4.0, 9.0, 0.3), 1e-12, "a dense system of 36 unknowns"),
    Problem("three modes, far apart", ("three modes", "extreme", "beyond float32"),
        (1.0, 1e-3, 1e-5), {(0, 1): 0.01, (1, 2): 2e-5}, {(0, 1): 0.01},
        (1e-2, 1e-6, 1e-7), (1.0, 4.0, 9.0), 1e-9,
        "singular values to 1e-16 of the largest, 1e-11 of the smallest"),
]  # fmt: skip


def by_tag(*tags: str) -> list[Problem]:
    """The problems that have all of these tags."""
    return [problem for problem in PROBLEMS if set(tags) <= set(problem.tags)]


def exact_covariance(problem: Problem, description: str) -> mpmath.matrix:
    """The covariance at 50 digits."""
    network = problem.network
    if description == "gibbs":
        return reference.gibbs(*network, problem.temperature[0])
    baths = problem.damping, problem.temperature
    if description in GLOBAL:
        return reference.global_(*network, *baths, *GLOBAL[description])
    return getattr(reference, description)(*network, *baths)


def evaluate(problem: Problem, description: str) -> dict[str, list[str]]:
    """Every measure of the exact covariance, as text of 25 digits, fewer than mpmath's own."""
    state = exact_covariance(problem, description)
    modes = len(problem.omega)
    symplectic = reference.symplectic_eigenvalues(state)
    coherence = reference.coherence(state)
    pairs = [coherence[j, k] for j in range(modes) for k in range(j + 1, modes)]
    values = {
        "occupation": reference.occupation(state),
        "coherence": [part for pair in pairs for part in (pair.real, pair.imag)],
        "entropy": [reference.entropy(state)],
        "purity": [mpmath.fprod(1 / (2 * nu) for nu in symplectic)],
        "smallest": [min(symplectic)],
        "information": [reference.mutual_information(state)] if modes > 1 else [],
    }
    # What is smaller than that is the rounding of a zero.
    return {
        name: [mpmath.nstr(mpmath.chop(x, 1e-60), 25) for x in numbers]
        for name, numbers in values.items()
    }


@cache
def answers() -> dict[str, dict[str, dict[str, list[str]]]]:
    """The stored answers by problem, description and measure."""
    return json.loads(ANSWERS.read_text())


if __name__ == "__main__":
    with mpmath.workdps(reference.DIGITS):
        table = {p.name: {d: evaluate(p, d) for d in DESCRIPTIONS} for p in PROBLEMS}
    ANSWERS.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")
