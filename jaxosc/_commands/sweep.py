"""``jaxosc sweep``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import jax
import numpy as np

from jaxosc._commands.base import Command, Say
from jaxosc.equations.registry import DESCRIPTIONS, STANDARD
from jaxosc.figures.output import prepare_folder, write
from jaxosc.pairs import INTERACTIONS
from jaxosc.sweeps.paths import local_path
from jaxosc.sweeps.result import require_target
from jaxosc.sweeps.run import sweep
from jaxosc.sweeps.standard import (
    OBSERVABLES,
    parse_parameter,
    require_consistent,
    standard_model,
)

_DESCRIPTION = """\
Compute observables of two coupled oscillators, each with its own heat bath,
by several descriptions at every point of a grid, and write them into a file.

Each parameter is given as name=start:stop:count (an axis of the grid),
name=start:stop:count:log (the same, evenly spaced in the logarithm), or
name=value (fixed); the others have the values of the paper.
"""

_EPILOG = """\
parameters (all in one unit, with hbar = k_B = 1):
  ratio or coupling              lambda/lambda_c (0.5), or lambda itself
  delta_t or temperature2        T2 - T1 (0), or T2 itself
  temperature1                   T1 (98)
  omega1, omega2                 frequencies (5, 2)
  damping1, damping2             amplitude damping rates (1.5e-4)

what is written into FILE, by its ending:
  .npz    NumPy arrays                 .csv    a table, one row a point
  .nc     netCDF, for xarray           .zarr   a folder, block by block: a sweep
                                               larger than memory; interrupted,
                                               the same command goes on
.nc, .zarr and .csv need the extra io: pip install "jaxosc[io]". Variables are
named description.observable.

examples:
  jaxosc sweep ratio=0:0.99:200 --plot
  jaxosc sweep ratio=0:0.99:400 delta_t=0:200:401 --observables information --plot
  jaxosc sweep ratio=0:0.999:20000 delta_t=0:300:20000 --descriptions local --output big.zarr
"""


def _add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "parameters",
        metavar="name=values",
        nargs="+",
        help="start:stop:count[:log] or a value; the first axis varies slowest",
    )

    def several(flag: str, choices: Sequence[str], default: Sequence[str]) -> None:
        command.add_argument(
            flag,
            nargs="+",
            metavar="NAME",
            default=default,
            help=f"of {', '.join(choices)} (default: {' '.join(default)})",
        )

    several("--descriptions", DESCRIPTIONS, tuple(STANDARD))
    several("--observables", tuple(OBSERVABLES), ("occupation1",))
    command.add_argument(
        "--interaction",
        choices=INTERACTIONS,
        default="position",
        help="of the oscillators (default: %(default)s)",
    )
    command.add_argument(
        "--output",
        metavar="FILE",
        default="jaxosc-sweep.npz",
        help="the file (default: %(default)s)",
    )
    command.add_argument(
        "--plot",
        action="store_true",
        help="draw one or two axes, as .png and .pdf beside the file",
    )


def _run(arguments: argparse.Namespace, say: Say) -> None:
    given = [parse_parameter(text) for text in arguments.parameters]
    require_consistent(given)
    fixed = {name: float(values) for name, values in given if values.ndim == 0}
    axes = {name: values for name, values in given if values.ndim == 1}
    if not axes:
        raise ValueError(
            "Argument `axis` must give one axis at least, name=start:stop:count, but none does."
        )
    if arguments.plot and len(axes) > 2:
        raise ValueError(
            f"Argument `plot` must be left out for more than two axes, but there are {len(axes)}."
        )
    output = local_path("output", arguments.output)
    if output.suffix != ".zarr":  # that is a store, which has rules of its own
        require_target(output)
    model = standard_model(
        arguments.descriptions, arguments.observables, arguments.interaction, fixed
    )
    prepare_folder(output.parent, ())
    if output.suffix == ".zarr":
        result = sweep(model, axes, store=output)
    else:
        result = sweep(model, axes)
        result.save(output)
    say(result)
    if output.suffix != ".zarr":
        missing = np.any([np.isnan(leaf) for leaf in jax.tree.leaves(result.values)], axis=0)
        if missing.any():
            say(
                f"{missing.sum()} of {missing.size} points have no answer by some description: "
                "no steady state or state that obeys the uncertainty relation, or outside the "
                "description's domain"
            )
    say(f"wrote {output}")
    if arguments.plot:
        from jaxosc.figures.sweep_drawing import draw_sweep  # here, for matplotlib takes its time

        for ending, content in draw_sweep(result).items():
            picture = output.with_suffix(f".{ending}")
            write(picture, content)
            say(f"wrote {picture}")


COMMAND = Command(_DESCRIPTION, _EPILOG, _add_arguments, _run)
