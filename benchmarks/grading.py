"""Every master equation graded against the exact one: ``python -m benchmarks.grading``.

Two oscillators, ω_1 = 1, with Drude baths of positions (cutoff 10), T_2 = 2T_1: 240 points of
coupling, detuning, strength, temperature and damping, and random pairs for the violations. Writes
the tables into docs/choosing.md, between its marks.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from jaxosc.equations.registry import EQUATIONS, EXACT

PAGE = Path(__file__).parent.parent / "docs" / "choosing.md"
_BEGIN, _END = "<!-- python -m benchmarks.grading -->", "<!-- end -->"

INTERACTIONS = ("position", "rotating-wave")
DETUNINGS = (0.0, 0.001, 0.03, 0.5)
RATIOS = (0.001, 0.01, 0.1, 0.5, 0.9)
TEMPERATURES = (0.2, 2.0, 50.0)
DAMPINGS = (1e-4, 1e-2)
CUTOFF = 10.0
APPROXIMATE = [name for name in EQUATIONS if name != EXACT]
# Entropy production below minus this part of Σ|Q_m|/T_m is a violation, above it rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Points:
    """Pairs of oscillators and their baths, one an entry.

    Attributes:
        share: κ/λ, 1 for position and 0 for rotating-wave coupling.
        detuning: ω_2 − ω_1, with ω_1 = 1.
        ratio: λ/λ_c.
        temperature: T_1, T_2 [P, 2].
        damping: γ_1, γ_2 [P, 2].
    """

    share: np.ndarray
    detuning: np.ndarray
    ratio: np.ndarray
    temperature: np.ndarray
    damping: np.ndarray


def table_points() -> Points:
    """The 240 points of the table."""
    product = itertools.product((1.0, 0.0), DETUNINGS, RATIOS, TEMPERATURES, DAMPINGS)
    share, detuning, ratio, cold, damping = map(np.array, zip(*product, strict=True))
    return Points(share, detuning, ratio, np.stack([cold, 2 * cold], 1), np.stack([damping] * 2, 1))


def random_points(count: int, weak: bool, seed: int = 18) -> Points:
    """Random pairs: within the domain of weak damping, or cold and strong."""
    generator = np.random.default_rng(seed)

    def between(low: float, high: float, *shape: int) -> np.ndarray:
        return np.exp(generator.uniform(np.log(low), np.log(high), (count, *shape)))

    return Points(
        generator.integers(0, 2, count).astype(float),
        between(0.5, 2.0) - 1,
        between(1e-3, 0.1) if weak else generator.uniform(0.01, 0.95, count),
        between(0.3, 3.0, 2) if weak else between(0.05, 1.0, 2),
        between(1e-4, 1e-2, 2) if weak else between(1e-3, 0.1, 2),
    )


def evaluate(name: str, *several: Points) -> list[dict[str, np.ndarray]]:
    """What the tables need of one description, at every point of each set."""

    def at(share: Any, detuning: Any, ratio: Any, temperature: Any, damping: Any) -> dict[str, Any]:
        omega = jnp.stack([jnp.ones_like(detuning), 1 + detuning])
        # λ_c = √(ω_1ω_2), or half of it with as much pairing.
        coupling = ratio * jnp.sqrt(omega[0] * omega[1]) / (1 + share)
        exchange = coupling * (jnp.ones((2, 2)) - jnp.eye(2))
        drude = jaxosc.spectra.Drude(CUTOFF)
        baths = jaxosc.Baths(damping, temperature, drude, coupling="position")
        dynamics = EQUATIONS[name](jaxosc.Oscillators(omega, exchange, share * exchange), baths)
        covariance = jaxosc.steady_state(dynamics)
        heat = jaxosc.heat_currents(dynamics)
        found = {
            "occupation": jaxosc.occupation(covariance)[0],
            "heat": heat[0],
            "violation": -jaxosc.entropy_production(dynamics)
            / jnp.sum(jnp.abs(heat) / temperature),
            "physical": jaxosc.is_physical(covariance),
        }
        if name != EXACT:
            found["positive"] = jaxosc.is_completely_positive(dynamics)
        return found

    # All sets in one call: what takes the time is the compiler.
    fields = Points.__dataclass_fields__
    joined = [np.concatenate([getattr(points, field) for points in several]) for field in fields]
    found = jax.jit(jax.vmap(at))(*map(jnp.asarray, joined))
    ends = np.cumsum([len(points.ratio) for points in several])[:-1]
    parts = {key: np.split(np.asarray(value), ends) for key, value in found.items()}
    return [{key: part[k] for key, part in parts.items()} for k in range(len(several))]


def errors(values: dict[str, np.ndarray], exact: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Relative errors of occupation and heat; infinite where there is no answer."""
    return {
        key: np.nan_to_num(np.abs(values[key] / exact[key] - 1), nan=np.inf)
        for key in ("occupation", "heat")
    }


def _rows(points: Points) -> dict[str, np.ndarray]:
    """The rows of the first table: near or far from resonance, weak or strong."""
    middle = (points.temperature[:, 0] == 2.0) & (points.damping[:, 0] == 1e-2)
    weak = points.ratio <= 0.01
    near, close, far = points.detuning <= 0.001, points.detuning == 0.03, points.detuning == 0.5
    return {
        "resonant, λ/λc ≤ .01": middle & near & weak,
        "resonant, .1 to .9": middle & near & ~weak,
        "Δω = .03, ≤ .01": middle & close & weak,
        "Δω = .03, .1 to .9": middle & close & ~weak,
        "Δω = .5, ≤ .01": middle & far & weak,
        "Δω = .5, .1 to .9": middle & far & ~weak,
    }


def _worst(found: dict[str, np.ndarray], where: np.ndarray) -> str:
    return f"{found['occupation'][where].max():.0e} / {found['heat'][where].max():.0e}".replace(
        "e-0", "e-"
    ).replace("e+0", "e+")


def grades(points: Points, graded: dict[str, dict[str, np.ndarray]]) -> list[str]:
    """Two tables: the worst errors in the middle of the range, and over everything."""
    regimes = _rows(points)
    lines = [
        "Largest relative error of ⟨n₁⟩ / of the heat current; γ = 0.01, T₁ = 2:",
        "",
        *_table(
            ["equation", *regimes],
            [
                [name, *(_worst(found, where) for where in regimes.values())]
                for name, found in graded.items()
            ],
        ),
        "",
        "The same over all 40 points of one damping and temperature, and at how many of the 240 an",
        "equation is within 1 %, and has within a tenth the least error of all, in ⟨n₁⟩ / in heat:",
        "",
    ]
    blocks = {
        f"γ = {damping:g}, T₁ = {cold:g}": (points.damping[:, 0] == damping)
        & (points.temperature[:, 0] == cold)
        for damping in DAMPINGS
        for cold in TEMPERATURES
    }
    least = {
        key: np.min([found[key] for found in graded.values()], axis=0)
        for key in ("occupation", "heat")
    }

    def count(test: Callable[[str], np.ndarray]) -> str:
        return " / ".join(str(int(test(key).sum())) for key in least)

    body = []
    for name, found in graded.items():
        within = count(lambda key, found=found: found[key] <= 0.01)
        best = count(lambda key, found=found: found[key] <= 1.1 * least[key])
        body.append([name, *(_worst(found, where) for where in blocks.values()), within, best])
    return [*lines, *_table(["equation", *blocks, "within 1 %", "best"], body)]


def violations(adverse: dict[str, Any], weak: dict[str, Any]) -> list[str]:
    """How often each breaks the second law, positivity and the uncertainty relation."""
    body = []
    for name in APPROXIMATE:
        row = [name]
        for values in (adverse[name], weak[name]):
            row += [
                str(int((values["violation"] > _ROUNDING).sum())),
                str(int((~values["physical"]).sum())),
                str(int((~values["positive"]).sum())),
            ]
        body.append(row)
    pairs = len(next(iter(weak.values()))["heat"])
    head = ["equation"]
    for kind in ("cold and strong", "weak"):
        head += [f"{kind}: second law broken", "no state", "not CP"]
    return [
        f"Out of {pairs} random pairs that are cold and strongly coupled (T from 0.05 to 1, λ/λc",
        f"from 0.01 to 0.95, γ from 1e-3 to 0.1), and of {pairs} weak ones (T from 0.3 to 3, λ/λc",
        "from 1e-3 to 0.1, γ from 1e-4 to 1e-2): at how many the second law is broken in the",
        "steady state, that is no quantum state, and the generator is not completely positive.",
        "",
        *_table(head, body),
    ]


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    rows = [head, ["---"] * len(head), *body]
    return ["| " + " | ".join(row) + " |" for row in rows]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute, print, and write the tables into the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading", description=__doc__)
    parser.add_argument("--page", type=Path, default=PAGE, help="where the tables go")
    parser.add_argument("--pairs", type=int, default=1000, help="random pairs (default: 1000)")
    options = parser.parse_args(arguments)
    jax.config.update("jax_enable_x64", True)

    points = table_points()
    random = [random_points(options.pairs, weak) for weak in (False, True)]
    (exact,) = evaluate(EXACT, points)
    graded, adverse, weak = {}, {}, {}
    for name in APPROXIMATE:
        print(name, file=sys.stderr, flush=True)
        found, adverse[name], weak[name] = evaluate(name, points, *random)
        graded[name] = errors(found, exact)
    text = "\n".join([*grades(points, graded), "", *violations(adverse, weak)])
    print(text)
    before, found, rest = options.page.read_text().partition(_BEGIN)
    _, ended, after = rest.partition(_END)
    if not (found and ended):
        print(f"{options.page} has no place for the tables.", file=sys.stderr)
        return 1
    options.page.write_text(f"{before}{_BEGIN}\n\n{text}\n\n{_END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
