"""The whole run: numbers, pictures, tables, claims, report."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import jax

import jaxosc
from jaxosc import _checks
from jaxosc._terminal import progress_bar
from jaxosc.figures.drawing import FORMATS
from jaxosc.figures.output import prepare_folder, table, write
from jaxosc.papers.konopik_lutz import structured
from jaxosc.papers.konopik_lutz.catalogue import FIGURES
from jaxosc.papers.konopik_lutz.claims import claims_of
from jaxosc.papers.konopik_lutz.claims.measures import Claim
from jaxosc.papers.konopik_lutz.data import (
    beside,
    columns,
    compute,
    shift_by_literal_rates,
    traced,
)
from jaxosc.papers.konopik_lutz.drawing import draw
from jaxosc.papers.konopik_lutz.report import Run, claims_json, file_name, report

# Fewer would leave a divergence near λ_c to a handful of points.
MIN_POINTS = 20
MAX_POINTS = 10_000
DEFAULT_POINTS = 200


def reproduce(
    output: str | os.PathLike[str],
    figures: Sequence[str] | None = None,
    points: int = DEFAULT_POINTS,
    progress: bool = False,
) -> tuple[Claim, ...]:
    """Recompute the figures of the paper and test its statements about them.

    Writes into the folder, for each figure, ``figure-2.png``, ``.pdf`` and ``.csv``, and for the
    run ``report.md`` and ``claims.json``; beside Fig. 3b ``figure-3b-structured``, the same over
    the exact answer for Drude baths. Files of the same names are replaced.

    Args:
        output: the folder; made if it is missing.
        figures: some of ``"2"``, ``"3a"``, ``"3b"``, ``"4a"``, ``"4b"``, ``"5"``, ``"6a"``,
            ``"6b"``; all of them if left out.
        points: couplings on each curve, between 20 and 10000.
        progress: whether to show a progress bar on the standard error.

    Returns:
        The claims of these figures, each with its numbers and its verdict.

    Raises:
        ValueError: if a figure is unknown, the number of points does not fit, the folder cannot
            be written to, or JAX is not in double precision.
        OSError: if a file cannot be written later on.

    Source: Konopik & Lutz, Figs. 2-6, Sec. V and App. D.
    """
    names = _checked_figures(figures)
    _checks.require_whole("points", points, MIN_POINTS, MAX_POINTS)
    _checks.require_double()
    kinds = ("csv", *FORMATS)
    extra = [structured.NAME] if structured.FIGURE in names else []
    written = [file_name(name, kind) for name in (*names, *extra) for kind in kinds]
    folder = prepare_folder(output, [*written, "report.md", "claims.json"])

    start = time.perf_counter()
    # Two interactions, the comparison of rates, the claims.
    steps = len(names) + len(extra) + 4
    with progress_bar(total=steps, disable=not progress, leave=False, unit="step") as bar:
        started = False

        def step(words: str) -> None:
            nonlocal started
            bar.update(int(started))  # what was announced before is done
            bar.set_description(words)
            started = True

        # First, as Python is for one at a time: the rest of either is compilation.
        traced(points)
        exact_later = beside(lambda: structured.compute_structured(points)) if extra else None
        curves = compute(points, step)
        step("Lindblad rates as printed")
        literal_rates = shift_by_literal_rates(curves)
        for name in names:
            step(f"Fig. {name}")
            figure = FIGURES[name]
            write(folder / file_name(name, "csv"), table(columns(figure, curves)))
            for kind, picture in draw(figure, curves).items():
                write(folder / file_name(name, kind), picture)
        exact = None
        if exact_later is not None:
            step("structured baths beside Fig. 3b")
            exact = exact_later.result()
            columns_beside = structured.structured_columns(curves, exact)
            write(folder / file_name(structured.NAME, "csv"), table(columns_beside))
            for kind, picture in structured.draw_structured(curves, exact).items():
                write(folder / file_name(structured.NAME, kind), picture)
        step("claims and report")
        claims = tuple(claim for name in names for claim in claims_of(FIGURES[name], curves))
        device = jax.devices()[0]
        run = Run(
            figures=names,
            points=points,
            jaxosc=jaxosc.__version__,
            jax=jax.__version__,
            device=f"{device.platform} ({device.device_kind})",
            dtype="float64",
            seconds=round(time.perf_counter() - start, 2),
            literal_rates=literal_rates,
        )
        write(folder / "claims.json", claims_json(run, claims))
        write(folder / "report.md", report(run, claims, curves, exact))
        bar.update(1)
    return claims


def _checked_figures(figures: Sequence[str] | None) -> tuple[str, ...]:
    """The names without repetition, in the order of the paper."""
    if figures is None:
        return tuple(FIGURES)
    known = ", ".join(FIGURES)
    if isinstance(figures, str) or not figures:
        raise ValueError(
            f"Argument `figures` must be a list of some of {known}, but it is {figures!r}."
        )
    for name in figures:
        if name not in FIGURES:
            raise ValueError(
                f"Argument `figures` must hold names out of {known}, but it holds {name!r}."
            )
    return tuple(name for name in FIGURES if name in figures)
