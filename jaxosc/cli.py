"""The command ``jaxosc``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from jaxosc._commands import SUMMARIES
from jaxosc._terminal import StandardOutput, complain, refusal
from jaxosc._version import __version__

_DESCRIPTION = """\
Networks of damped, coupled quantum oscillators.

{commands}

`jaxosc COMMAND --help` says more. Everything else is the Python library:
import jaxosc.
"""
_INDENT = 23  # of the summaries


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
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = _parser(given).parse_args(given)
    except SystemExit as leave:  # --help, --version and errors, already printed
        return int(leave.code or 0)
    import jax  # here, so that what is wrong is said at once

    from jaxosc import keep_compiled

    # The figures go to within a thousandth of a critical point.
    jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
    keep_compiled()
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


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """Knows all commands by name, and the arguments of the one that is given."""
    lines = [
        (f"  jaxosc {name}" if first else "").ljust(_INDENT) + line
        for name, summary in SUMMARIES.items()
        for first, line in zip((True, False), summary, strict=True)
    ]
    parser = _Parser(
        prog="jaxosc",
        description=_DESCRIPTION.format(commands="\n".join(lines)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"jaxosc {__version__}")
    commands = parser.add_subparsers(
        metavar="command", required=True, dest="command", help=argparse.SUPPRESS
    )
    for name in SUMMARIES:
        command = commands.add_parser(name, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name in given:
            ours = import_module(f"jaxosc._commands.{name}").COMMAND
            command.description, command.epilog = ours.description, ours.epilog
            ours.add_arguments(command)
            command.set_defaults(run=ours.run)
    return parser


def _fail(message: str, code: int) -> int:
    complain(message)
    return code
