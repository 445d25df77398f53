"""The validity map: where each description can be trusted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._terminal import progress_bar
from jaxosc.baths import COUPLINGS, Baths, Spectra
from jaxosc.equations.registry import EQUATIONS, EXACT
from jaxosc.figures.drawing import FORMATS, rendered
from jaxosc.figures.output import prepare_folder, table, write
from jaxosc.figures.validity_data import (
    OBSERVABLES,
    SHORT,
    Plane,
    Question,
    planes,
    require_answers,
)
from jaxosc.figures.validity_drawing import draw_map
from jaxosc.pairs import INTERACTIONS
from jaxosc.sweeps.standard import DEFAULTS
from jaxosc.typing import Coupling

OMEGA = DEFAULTS["omega1"], DEFAULTS["omega2"]
DAMPING = DEFAULTS["damping1"], DEFAULTS["damping2"]
TEMPERATURE = DEFAULTS["temperature1"]
DELTA_T = (-200.0, 200.0)
DESCRIPTIONS = ("local", "global")
DEFAULT_POINTS = 161
MIN_POINTS = 11
MAX_POINTS = 2000


@dataclass(frozen=True)
class ValidityMap:
    """A validity map: its numbers, and where its files are.

    Attributes:
        planes: one for each panel; ``plane.error("local")`` is a relative error [Y, X].
        tolerance: the relative error up to which a description counts as right.
        files: what was written.
    """

    planes: tuple[Plane, ...]
    tolerance: float
    files: tuple[Path, ...]

    def __str__(self) -> str:
        lines = []
        for plane in self.planes:
            omega = f"({plane.omega[0]:.4g}, {plane.omega[1]:.4g})"
            lines.append(f"{plane.interaction}, omega = {omega}")
            width = max(map(len, plane.values))
            for name in plane.values:
                lines.append(f"  {name:{width}} {self._words(plane, name)}")
        return "\n".join(lines)

    def _words(self, plane: Plane, name: str) -> str:
        defined = plane.defined
        if not defined.any():
            return "there is no exact answer to compare with"
        trusted = plane.trusted(name, self.tolerance)
        share = 100 * trusted.sum() / defined.sum()
        row = int(np.argmin(np.abs(plane.difference)))
        spans = ", ".join(
            f"{low:.3g} to {high:.3g}" for low, high in _spans(plane.ratio, trusted[row])
        )
        at = f"at dT = {plane.difference[row]:.3g}: coupling/critical {spans or 'nowhere'}"
        return f"within {100 * self.tolerance:g} % on {share:.0f} % of the plane; {at}"


def validity_map(
    output: str | os.PathLike[str],
    omega: Sequence[float] = OMEGA,
    damping: Sequence[float] = DAMPING,
    temperature: float = TEMPERATURE,
    delta_t: Sequence[float] = DELTA_T,
    tolerance: float = 0.1,
    observable: str = "occupation",
    points: int = DEFAULT_POINTS,
    progress: bool = False,
    *,
    descriptions: Sequence[str] = DESCRIPTIONS,
    reference: str = EXACT,
    spectrum: Spectra = "flat",
    coupling: Coupling = "rotating-wave",
) -> ValidityMap:
    """Draw where two descriptions agree with the exact one.

    The plane of λ/λ_c and ΔT = T_2 − T_1, for both interactions, coloured and hatched by which of
    the two are within a tolerance of the reference, with lines of equal error and its sign. Unless
    the frequencies are (nearly) equal, a second row shows the same at resonance,
    ω_1 = ω_2 = √(ω_1ω_2): there the global equation fails where λ is not large against γ, since
    its secular approximation takes the two normal modes, 2λ apart (rotating wave), for well
    separated.

    Writes ``map.png``, ``map.pdf`` and ``map.csv`` into the folder; files of the same names are
    replaced.

    Args:
        output: the folder; made if it is missing.
        omega: ω_1, ω_2.
        damping: γ_1, γ_2, amplitude rates in the unit of ω.
        temperature: of the colder bath, in the unit of ω.
        delta_t: the smallest and the largest ΔT; for ΔT > 0 bath 2 is the hotter one.
        tolerance: relative error up to which a description counts as right.
        observable: any that ``jaxosc sweep`` knows: ``"occupation1"`` (or ``"occupation"``),
            ⟨a_1†a_1⟩, ``"information"``, the mutual information, …
        points: on each axis, between 11 and 2000.
        progress: whether to show a progress bar on the standard error.
        descriptions: the two that are judged, by name.
        reference: what they are compared with, by name.
        spectrum: of the baths, as for ``Baths``. The Langevin equation of flat ones is itself
            wrong by O(γ/ω), all there is when cold; it is honest for
            ``jaxosc.spectra.Drude(cutoff)`` with the coupling ``"position"``.
        coupling: of the baths, by name.

    Returns:
        A ValidityMap: the numbers; ``print`` it for a summary.

    Raises:
        ValueError: if an argument does not fit, a description is not made for such baths, the
            folder cannot be written to, or JAX is not in double precision.
        OSError: if a file cannot be written later on.

    Source: the comparison of Konopik & Lutz, Figs. 3, 4 and 6, over a whole plane; the row at
    resonance is not in their paper.
    """
    omega, damping = _two("omega", omega, 0.0), _two("damping", damping, 0.0)
    temperature = _number("temperature", temperature)
    if temperature < 0:
        raise ValueError(f"Argument `temperature` must not be negative, but it is {temperature!r}.")
    low, high = _two("delta_t", delta_t)
    if not low < high:
        raise ValueError(f"Argument `delta_t` must hold low < high, but it is {(low, high)}.")
    tolerance = _number("tolerance", tolerance)
    if not 0 < tolerance < 1:
        raise ValueError(f"Argument `tolerance` must lie between 0 and 1, but it is {tolerance!r}.")
    _checks.require_choice("observable", observable, (*SHORT, *OBSERVABLES))
    pair = _pair_of_names(descriptions, reference)
    _checks.require_choice("coupling", coupling, COUPLINGS)
    _checks.require_whole("points", points, MIN_POINTS, MAX_POINTS)
    _checks.require_double()
    question = Question(
        omega, Baths(damping, (temperature, temperature), spectrum, coupling=coupling),
        (low, high), SHORT.get(observable, observable), pair, reference, points,
    )  # fmt: skip
    require_answers(question)
    names = [*(f"map.{kind}" for kind in FORMATS), "map.csv"]
    folder = prepare_folder(output, names)

    results = list(
        progress_bar(
            planes(question), disable=not progress, leave=False, unit="panel", desc="computing",
            total=len(INTERACTIONS) * len(question.pairs()),
        )
    )  # fmt: skip
    for kind, picture in rendered(draw_map(results, question, tolerance)).items():
        write(folder / f"map.{kind}", picture)
    write(folder / "map.csv", table(_columns(results, observable, reference)))
    return ValidityMap(tuple(results), tolerance, tuple(folder / name for name in names))


def _pair_of_names(descriptions: Sequence[str], reference: str) -> tuple[str, str]:
    _checks.require_choice("reference", reference, tuple(EQUATIONS))
    names = [descriptions] if isinstance(descriptions, str) else list(descriptions)
    for name in names:
        _checks.require_choice("descriptions", name, tuple(EQUATIONS))
    if len({*names, reference}) != 3 or len(names) != 2:
        raise ValueError(
            "Argument `descriptions` must hold two different names, neither of them that of the "
            f"reference, {reference!r}, but it holds {', '.join(map(repr, names))}."
        )
    return names[0], names[1]


def _columns(results: Iterable[Plane], observable: str, reference: str) -> dict[str, np.ndarray]:
    rows: dict[str, list[np.ndarray]] = {}
    for plane in results:
        shape = plane.exact.shape
        columns = {
            "interaction": np.repeat(plane.interaction, plane.exact.size),
            "omega1": np.full(shape, plane.omega[0]),
            "omega2": np.full(shape, plane.omega[1]),
            "delta_T": np.broadcast_to(plane.difference[:, None], shape),
            "T1": np.broadcast_to(plane.temperature[:, :1], shape),
            "T2": np.broadcast_to(plane.temperature[:, 1:], shape),
            "lambda_over_lambda_c": np.broadcast_to(plane.ratio, shape),
            f"{observable}_{reference}": plane.exact,
        }
        for name, values in plane.values.items():
            columns[f"{observable}_{name}"] = values
        for name, column in columns.items():
            rows.setdefault(name, []).append(np.ravel(column))
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def _spans(ratio: np.ndarray, trusted: np.ndarray) -> list[tuple[float, float]]:
    """The stretches of λ/λ_c that are trusted."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], trusted, [False]]).astype(int)))
    return [
        (float(ratio[first]), float(ratio[last - 1]))
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    ]


def _number(name: str, value: float) -> float:
    (array,) = _checks.float_arrays(**{name: value})
    _checks.require_shape(name, array, ())
    _checks.require_finite(name, array)
    return float(array)


def _two(name: str, values: Sequence[float], above: float = -np.inf) -> tuple[float, float]:
    (array,) = _checks.float_arrays(**{name: jnp.asarray(values)})
    _checks.require_shape(name, array, (2,))
    _checks.require_finite(name, array)
    _checks.require(name, array, lambda x: x > above, "be positive")
    return float(array[0]), float(array[1])
