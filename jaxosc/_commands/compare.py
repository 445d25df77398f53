"""``jaxosc compare``."""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
from pathlib import Path
from typing import Any

from jaxosc import _checks
from jaxosc._commands.base import Command, Say
from jaxosc.baths import COUPLINGS
from jaxosc.comparison.result import Comparison
from jaxosc.comparison.run import compare
from jaxosc.equations.registry import APPROXIMATE
from jaxosc.figures.output import prepare_folder, write
from jaxosc.pairs import INTERACTIONS
from jaxosc.spectra import Drude
from jaxosc.sweeps.paths import local_path
from jaxosc.sweeps.standard import (
    DEFAULTS,
    parse_parameter,
    require_consistent,
    standard_network,
)

_DESCRIPTION = """\
Put every description of two coupled oscillators, each with its own heat bath,
side by side with the exact one: occupations, coherence, mutual information and
heat currents with their relative errors, positivity, entropy production, and
where each description holds. Name the cheapest one within a tolerance, and
what would break it.
"""

_EPILOG = """\
parameters (all in one unit, with hbar = k_B = 1):
  ratio or coupling              lambda/lambda_c (0.5), or lambda itself
  delta_t or temperature2        T2 - T1 (0), or T2 itself
  temperature1                   T1 (98)
  omega1, omega2                 frequencies (5, 2)
  damping1, damping2             amplitude damping rates (1.5e-4)

what is written into FILE, by its ending:
  .csv    a row a description          .json   the same for programs
  .png    a picture of the errors      .pdf    the same

examples:
  jaxosc compare
  jaxosc compare omega1=1 omega2=1.5 ratio=0.1 temperature1=1 delta_t=1 damping1=0.01
  jaxosc compare ratio=0.9 --interaction rotating-wave --tolerance 0.001
  jaxosc compare delta_t=200 --spectrum flat --coupling rotating-wave --output errors.png
"""

_SPECTRA = ("drude", "ohmic", "flat")
_ENDINGS = (".csv", ".json", ".png", ".pdf")
# Of the cutoff over the larger frequency: baths that answer fast, but not at once.
_CUTOFF = 10.0


def _add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("parameters", metavar="name=value", nargs="*", help="see below")
    command.add_argument(
        "--interaction",
        choices=INTERACTIONS,
        default="position",
        help="of the oscillators (default: %(default)s)",
    )
    command.add_argument(
        "--spectrum",
        choices=_SPECTRA,
        default="drude",
        help="of the baths (default: %(default)s, which has the most honest exact answer)",
    )
    command.add_argument(
        "--cutoff",
        metavar="W",
        type=float,
        help="of the Drude spectrum (default: 10 times the larger frequency)",
    )
    command.add_argument(
        "--coupling",
        choices=COUPLINGS,
        default="position",
        help="of each oscillator to its bath (default: %(default)s)",
    )
    command.add_argument(
        "--descriptions",
        nargs="+",
        metavar="NAME",
        default=tuple(APPROXIMATE),
        help=f"of {', '.join(APPROXIMATE)} (default: all)",
    )
    command.add_argument(
        "--tolerance",
        metavar="X",
        type=float,
        default=0.01,
        help="relative error that is good enough (default: %(default)s)",
    )
    command.add_argument(
        "--output", metavar="FILE", default="", help="a file for the numbers or the picture"
    )


def _run(arguments: argparse.Namespace, say: Say) -> None:
    given = [parse_parameter(text) for text in arguments.parameters]
    require_consistent(given)
    for name, values in given:
        if values.ndim:
            raise ValueError(
                f"Argument `axis` must read {name}=value, for a comparison is one of a point, but "
                f"it gives {name} an axis."
            )
    fixed = {name: float(values) for name, values in given}
    output = _target(arguments.output) if arguments.output else None
    spectrum = arguments.spectrum
    if spectrum == "drude":
        largest = max(fixed.get(name, DEFAULTS[name]) for name in ("omega1", "omega2"))
        cutoff = _CUTOFF * largest if arguments.cutoff is None else arguments.cutoff
        if not 0 < cutoff < math.inf:
            raise ValueError(f"Argument `cutoff` must be positive, but it is {cutoff!r}.")
        spectrum = Drude(cutoff)
    elif arguments.cutoff is not None:
        raise ValueError(
            f"Argument `cutoff` must be left out for the spectrum {spectrum!r}, but it is "
            f"{arguments.cutoff!r}."
        )
    network = standard_network(fixed, arguments.interaction, spectrum, arguments.coupling)
    found = compare(*network, tolerance=arguments.tolerance, descriptions=arguments.descriptions)
    say(found)
    if breaks := found.recommend().breaks:
        say("\n".join(["what would break it:", *(f"  {words}" for words in breaks)]))
    if output is not None:
        write(output, _content(found, output.suffix))
        say(f"wrote {output}")


def _target(text: str) -> Path:
    """The file, in a folder that can be written to, after checking its ending."""
    output = local_path("output", text)
    _checks.require_choice("output", output.suffix, _ENDINGS)
    prepare_folder(output.parent, (output.name,))
    return output


def _content(found: Comparison, ending: str) -> bytes:
    if ending in (".png", ".pdf"):
        # Here, for matplotlib takes its time
        from jaxosc.figures.comparison_drawing import draw_comparison

        return draw_comparison(found)[ending[1:]]
    rows = found.records()
    if ending == ".json":
        plain = [{key: _for_json(value) for key, value in row.items()} for row in rows]
        return (json.dumps(plain, indent=1) + "\n").encode()
    lines = io.StringIO(newline="")
    table = csv.DictWriter(lines, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return lines.getvalue().encode()


def _for_json(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "infinity"
    return value


COMMAND = Command(_DESCRIPTION, _EPILOG, _add_arguments, _run)
