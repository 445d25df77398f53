"""``jaxosc map``."""

from __future__ import annotations

import argparse

from jaxosc._commands.base import Command, Say
from jaxosc.figures import validity_map
from jaxosc.figures.validity import DAMPING, DEFAULT_POINTS, DELTA_T, OMEGA, TEMPERATURE
from jaxosc.figures.validity_data import OBSERVABLES

_DESCRIPTION = """\
Draw the plane of coupling/critical coupling and temperature difference,
coloured by which master equations are within a tolerance of the exact quantum
Langevin equation, with lines of equal error (in per cent), for both
interactions. A second row shows the same at resonance, where the global
equation fails if the coupling is comparable to the damping.
"""

_EPILOG = """\
what is written into DIR:
  map.png, map.pdf     the picture
  map.csv              its data, one row a point

examples:
  jaxosc map
  jaxosc map --temperature 1.96 --delta-t -1.5 1.5 --observable information
  jaxosc map --omega 3 3 --damping 1e-3 2e-3 --tolerance 0.05

It takes some ten seconds. All numbers are in one unit, with hbar = k_B = 1.
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
        choices=OBSERVABLES,
        default=OBSERVABLES[0],
        help="occupation of oscillator 1, or mutual information (default: %(default)s)",
    )
    command.add_argument(
        "--points",
        metavar="N",
        type=int,
        default=DEFAULT_POINTS,
        help="points on each axis (default: %(default)s)",
    )


def _run(arguments: argparse.Namespace, say: Say) -> None:
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
    )
    say(drawn)
    say(f"wrote {', '.join(str(file) for file in drawn.files)}")


COMMAND = Command(
    "map",
    (
        "draw where the local and the global master equation",
        "agree with the exact Langevin equation",
    ),
    _DESCRIPTION,
    _EPILOG,
    _add_arguments,
    _run,
)
