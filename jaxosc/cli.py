"""The command ``jaxosc``."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import jax
import platformdirs

import jaxosc
from jaxosc.figures import FIGURES, reproduce
from jaxosc.figures.reproduction import DEFAULT_POINTS, MAX_POINTS, MIN_POINTS

_DESCRIPTION = """\
Networks of damped, coupled quantum oscillators.

  jaxosc reproduce     recompute the figures of Konopik & Lutz and test every
                       statement of the paper about them

`jaxosc reproduce --help` says more. Everything else is the Python library:
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
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as leave:  # --help, --version and errors, already printed
        return int(leave.code or 0)
    # The figures go to within a thousandth of a critical point.
    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
    _keep_compiled_programs()
    try:
        claims = reproduce(arguments.output, arguments.figures, arguments.points, progress=True)
    except ValueError as error:
        return _fail(str(error), 2)
    except OSError as error:
        return _fail(f"cannot write {error.filename or arguments.output}: {error.strerror}", 1)
    except KeyboardInterrupt:
        return _fail("interrupted; every file written so far is whole", 130)
    count = Counter(claim.verdict for claim in claims)
    print(
        f"{len(claims)} statements tested: {count['holds']} hold, "
        f"{count['holds in part']} hold in part, {count['does not hold']} do not hold"
    )
    print(f"wrote {Path(arguments.output) / 'report.md'}")
    return 0


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
    figures = "\n".join(f"  {figure.name:<4} {figure.title}" for figure in FIGURES.values())
    command = commands.add_parser(
        "reproduce",
        description=_REPRODUCE,
        epilog=_EPILOG.format(figures=figures),
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
        help=f"some of {', '.join(FIGURES)} (default: all)",
    )
    command.add_argument(
        "--points",
        metavar="N",
        type=int,
        default=DEFAULT_POINTS,
        help=f"couplings on each curve, from {MIN_POINTS} to {MAX_POINTS} (default: %(default)s)",
    )
    return parser


def _fail(message: str, code: int) -> int:
    print(f"jaxosc: error: {message}", file=sys.stderr)
    return code
