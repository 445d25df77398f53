"""The command ``jaxosc``."""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import jax
import numpy as np
import platformdirs

import jaxosc
from jaxosc import _checks
from jaxosc._terminal import StandardOutput, complain, refusal
from jaxosc.equations.registry import DESCRIPTIONS, STANDARD
from jaxosc.figures import validity_map
from jaxosc.figures.output import prepare_folder, write
from jaxosc.figures.sweep_drawing import draw_sweep
from jaxosc.figures.validity import DAMPING, DELTA_T, OMEGA, TEMPERATURE
from jaxosc.figures.validity import DEFAULT_POINTS as MAP_POINTS
from jaxosc.figures.validity_data import OBSERVABLES
from jaxosc.pairs import INTERACTIONS
from jaxosc.papers.konopik_lutz.reproduction import DEFAULT_POINTS, MAX_POINTS, MIN_POINTS
from jaxosc.papers.registry import PAPERS
from jaxosc.sweeps.paths import local_path
from jaxosc.sweeps.result import require_target
from jaxosc.sweeps.run import sweep
from jaxosc.sweeps.standard import OBSERVABLES as STANDARD_OBSERVABLES
from jaxosc.sweeps.standard import parse_parameter, require_consistent, standard_model

_DESCRIPTION = """\
Networks of damped, coupled quantum oscillators.

  jaxosc reproduce     recompute the figures of Konopik & Lutz and test every
                       statement of the paper about them
  jaxosc map           draw where the local and the global master equation
                       agree with the exact Langevin equation
  jaxosc sweep         compute observables over a grid of parameters of any
                       size, into a file

`jaxosc COMMAND --help` says more. Everything else is the Python library:
import jaxosc.
"""

_REPRODUCE = """\
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

examples:
  jaxosc reproduce
  jaxosc reproduce --figures 2 5 --output equilibrium
  jaxosc reproduce --points 1000 --output fine

The whole takes some fifteen seconds on a laptop, most of it compilation. A
statement that does not hold is a result, not an error: the exit code is still 0.
"""

_MAP = """\
Draw the plane of coupling/critical coupling and temperature difference,
coloured by which master equations are within a tolerance of the exact quantum
Langevin equation, with lines of equal error (in per cent), for both
interactions. A second row shows the same at resonance, where the global
equation fails if the coupling is comparable to the damping.
"""

_MAP_EPILOG = """\
what is written into DIR:
  map.png, map.pdf     the picture
  map.csv              its data, one row a point

examples:
  jaxosc map
  jaxosc map --temperature 1.96 --delta-t -1.5 1.5 --observable information
  jaxosc map --omega 3 3 --damping 1e-3 2e-3 --tolerance 0.05

It takes some ten seconds. All numbers are in one unit, with hbar = k_B = 1.
"""


_SWEEP = """\
Compute observables of two coupled oscillators, each with its own heat bath,
by several descriptions at every point of a grid, and write them into a file.

Each parameter is given as name=start:stop:count (an axis of the grid),
name=start:stop:count:log (the same, evenly spaced in the logarithm), or
name=value (fixed); the others have the values of the paper.
"""

_SWEEP_EPILOG = """\
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


Say = Callable[[object], None]


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        # argparse would print the usage before it, and the name of the subcommand.
        self.exit(2, f"jaxosc: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: the arguments; those of the process if left out.

    Returns:
        The exit code: 0 if all went well, 1 if the work failed, 2 if the arguments do not fit,
        130 if it was interrupted.
    """
    output = StandardOutput()
    code = _run(argv, output)
    output.flush()
    # Whoever reads it may stop before the end, as `head` does.
    if output.problem is None or isinstance(output.problem, BrokenPipeError):
        return code
    why = f"cannot write to the standard output: {output.problem.strerror}"
    return _fail(why if code else f"{why}; all else is done", code or 1)


def _run(argv: Sequence[str] | None, output: StandardOutput) -> int:
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as leave:  # --help, --version and errors, already printed
        return int(leave.code or 0)
    # The figures go to within a thousandth of a critical point.
    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
    _keep_compiled_programs()
    try:
        arguments.run(arguments, output.say)
    except ValueError as error:
        return _fail(str(error), 2)
    except OSError as error:
        return _fail(refusal(error, arguments.output), 1)
    except KeyboardInterrupt as stop:
        notes = getattr(stop, "__notes__", ["every file written so far is whole"])
        return _fail(f"interrupted; {notes[0]}", 130)
    return 0


def _run_reproduce(arguments: argparse.Namespace, say: Say) -> None:
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


def _run_map(arguments: argparse.Namespace, say: Say) -> None:
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


def _run_sweep(arguments: argparse.Namespace, say: Say) -> None:
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
        for ending, content in draw_sweep(result).items():
            picture = output.with_suffix(f".{ending}")
            write(picture, content)
            say(f"wrote {picture}")


def _keep_compiled_programs() -> None:
    """Let a second run start from the programs that the first compiled."""
    chosen = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
    if chosen is None:
        folder = platformdirs.user_cache_dir("jaxosc", appauthor=False)
        jax.config.update("jax_compilation_cache_dir", folder)  # type: ignore[no-untyped-call]
    # A folder that cannot be written costs a user time, and is none of their business.
    warnings.filterwarnings("ignore", r"Error (reading|writing) persistent compilation cache")
    # Most of ours compile in less than the second that JAX holds worth keeping.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)  # type: ignore[no-untyped-call]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="jaxosc",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"jaxosc {jaxosc.__version__}")
    commands = parser.add_subparsers(
        metavar="command", required=True, dest="command", help=argparse.SUPPRESS
    )
    paper = next(iter(PAPERS))
    command = commands.add_parser(
        "reproduce",
        description=_REPRODUCE,
        epilog=_EPILOG.format(figures=_figures(paper)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "paper",
        nargs="?",
        default=paper,
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
        help=f"some of {', '.join(PAPERS[paper].figures)} (default: all)",
    )
    command.add_argument(
        "--points",
        metavar="N",
        type=int,
        default=DEFAULT_POINTS,
        help=f"couplings on each curve, from {MIN_POINTS} to {MAX_POINTS} (default: %(default)s)",
    )
    command.set_defaults(run=_run_reproduce)
    _add_map(commands)
    _add_sweep(commands)
    return parser


def _figures(paper: str) -> str:
    titles = PAPERS[paper].figures
    return "\n".join(f"  {name:<4} {title}" for name, title in titles.items())


def _add_map(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = commands.add_parser(
        "map",
        description=_MAP,
        epilog=_MAP_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
        default=MAP_POINTS,
        help="points on each axis (default: %(default)s)",
    )
    command.set_defaults(run=_run_map)


def _add_sweep(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = commands.add_parser(
        "sweep",
        description=_SWEEP,
        epilog=_SWEEP_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
    several("--observables", tuple(STANDARD_OBSERVABLES), ("occupation1",))
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
    command.set_defaults(run=_run_sweep)


def _fail(message: str, code: int) -> int:
    complain(message)
    return code
