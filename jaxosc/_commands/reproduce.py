"""``jaxosc reproduce``."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from jaxosc import _checks
from jaxosc._commands.base import Command, Say
from jaxosc.papers.konopik_lutz.reproduction import DEFAULT_POINTS, MAX_POINTS, MIN_POINTS
from jaxosc.papers.registry import PAPERS

_DESCRIPTION = """\
Recompute the figures of M. Konopik and E. Lutz, "Local master equations may
fail to describe dissipative critical behavior", and test the statements that
the paper makes about them.

Two harmonic oscillators (frequencies 5 and 2, damping 1.5e-4), each with its
own heat bath, are coupled with a strength lambda that approaches the critical
one, lambda_c. Four descriptions are compared: the exact quantum Langevin
equation, the Gibbs state (equal temperatures only), and the global and the
local Lindblad master equation.
"""

_EPILOG = """\
figures:
{figures}

what is written into DIR:
  report.md            summary, figures, statements with verdicts; start here
  claims.json          the same statements and numbers for programs
  figure-2.png, .pdf   one picture for each figure
  figure-2.csv         its data, one row a point of a curve
  figure-3b-structured.png, .pdf, .csv
                       beside Fig. 3b: the same over the exact answer for baths
                       with a cutoff, which is sound when cold too

examples:
  jaxosc reproduce
  jaxosc reproduce --figures 2 5 --output equilibrium
  jaxosc reproduce --points 1000 --output fine

The whole takes some ten seconds on a laptop, most of it compilation. A
statement that does not hold is a result, not an error: the exit code is still 0.
"""

_PAPER = next(iter(PAPERS))


def _add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "paper",
        nargs="?",
        default=_PAPER,
        help=f"of {', '.join(PAPERS)} (default: %(default)s)",
    )
    command.add_argument(
        "--list", action="store_true", help="print the papers with their figures, and leave"
    )
    command.add_argument(
        "--output",
        metavar="DIR",
        default="jaxosc-reproduce",
        help="folder for the results; made if missing (default: %(default)s)",
    )
    command.add_argument(
        "--figures",
        metavar="FIG",
        nargs="+",
        help=f"some of {', '.join(PAPERS[_PAPER].figures)} (default: all)",
    )
    command.add_argument(
        "--points",
        metavar="N",
        type=int,
        default=DEFAULT_POINTS,
        help=f"couplings on each curve, from {MIN_POINTS} to {MAX_POINTS} (default: %(default)s)",
    )


def _run(arguments: argparse.Namespace, say: Say) -> None:
    if arguments.list:
        for name, paper in PAPERS.items():
            say(f"{name}: {paper.citation}\n{_figures(name)}")
        return
    _checks.require_choice("paper", arguments.paper, tuple(PAPERS))
    reproduce = PAPERS[arguments.paper].reproduce
    claims = reproduce(arguments.output, arguments.figures, arguments.points, progress=True)
    count = Counter(claim.verdict for claim in claims)
    say(
        f"{len(claims)} statements tested: {count['holds']} hold, "
        f"{count['holds in part']} hold in part, {count['does not hold']} do not hold"
    )
    say(f"wrote {Path(arguments.output) / 'report.md'}")


def _figures(paper: str) -> str:
    titles = PAPERS[paper].figures
    return "\n".join(f"  {name:<4} {title}" for name, title in titles.items())


COMMAND = Command(_DESCRIPTION, _EPILOG.format(figures=_figures(_PAPER)), _add_arguments, _run)
