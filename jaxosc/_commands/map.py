"""``jaxosc map``."""

from __future__ import annotations

import argparse
from typing import Any

from jaxosc._commands.base import Command, Say
from jaxosc.equations.registry import EQUATIONS, EXACT
from jaxosc.figures import validity_map
from jaxosc.figures.validity import (
    DAMPING,
    DEFAULT_POINTS,
    DELTA_T,
    DESCRIPTIONS,
    OMEGA,
    TEMPERATURE,
)
from jaxosc.figures.validity_data import OBSERVABLES, SHORT
from jaxosc.spectra import Drude

_DESCRIPTION = """\
Draw the plane of coupling/critical coupling and temperature difference,
coloured and hatched by which of two descriptions are within a tolerance of
the exact quantum Langevin equation, with lines of equal error (in per cent,
with its sign), for both interactions. A second row shows the same at
resonance, where the global equation fails if the coupling is comparable to the
damping.
"""

_EPILOG = """\
what is written into DIR:
  map.png, map.pdf     the picture
  map.csv              its data, one row a point

examples:
  jaxosc map
  jaxosc map --temperature 1.96 --delta-t -1.5 1.5 --observable information
  jaxosc map --omega 3 3 --damping 1e-3 2e-3 --tolerance 0.05
  jaxosc map --descriptions detailed-balance global --observable heat1 --cutoff 50

It takes some ten seconds, with a cutoff a minute. All numbers are in one unit, with hbar = k_B = 1.
"""


def _add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output",
        metavar="DIR",
        default="jaxosc-map",
        help="folder for the results; made if missing (default: %(default)s)",
    )

    def number(flag: str, names: str | tuple[str, ...], default: object, words: str) -> None:
        count = len(names) if isinstance(names, tuple) else None
        command.add_argument(
            flag, metavar=names, nargs=count, type=float, default=default, help=words
        )

    number("--omega", ("W1", "W2"), OMEGA, "frequencies of the oscillators (default: 5 2)")
    number("--damping", ("G1", "G2"), DAMPING, "amplitude damping rates (default: 1.5e-4)")
    number("--temperature", "T", TEMPERATURE, "of the colder bath (default: %(default)s)")
    number(
        "--delta-t", ("LOW", "HIGH"), DELTA_T,
        "range of T2 - T1; the hotter bath is 2 where it is positive (default: -200 200)",
    )  # fmt: skip
    number("--tolerance", "X", 0.1, "relative error that is still right (default: %(default)s)")
    command.add_argument(
        "--observable",
        metavar="NAME",
        choices=(*SHORT, *OBSERVABLES),
        default=next(iter(SHORT)),
        help=f"of {', '.join(OBSERVABLES)}; occupation is occupation1 (default: %(default)s)",
    )
    command.add_argument(
        "--descriptions",
        metavar="NAME",
        nargs=2,
        default=DESCRIPTIONS,
        help=f"two of {', '.join(EQUATIONS)} (default: {' '.join(DESCRIPTIONS)})",
    )
    command.add_argument(
        "--reference",
        metavar="NAME",
        default=EXACT,
        help="what they are compared with, of the same (default: %(default)s)",
    )
    command.add_argument(
        "--cutoff",
        metavar="W",
        type=float,
        help="of Drude baths of positions, whose exact answer is honest when cold too (default: "
        "flat rotating-wave baths)",
    )
    command.add_argument(
        "--points",
        metavar="N",
        type=int,
        default=DEFAULT_POINTS,
        help="points on each axis (default: %(default)s)",
    )


def _run(arguments: argparse.Namespace, say: Say) -> None:
    cutoff = arguments.cutoff
    baths: Any = {} if cutoff is None else {"spectrum": Drude(cutoff), "coupling": "position"}
    drawn = validity_map(
        arguments.output,
        arguments.omega,
        arguments.damping,
        arguments.temperature,
        arguments.delta_t,
        arguments.tolerance,
        arguments.observable,
        arguments.points,
        progress=True,
        descriptions=arguments.descriptions,
        reference=arguments.reference,
        **baths,
    )
    say(drawn)
    say(f"wrote {', '.join(str(file) for file in drawn.files)}")


COMMAND = Command(_DESCRIPTION, _EPILOG, _add_arguments, _run)
