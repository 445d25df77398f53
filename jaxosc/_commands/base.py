"""What a subcommand is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

Say = Callable[[object], None]


@dataclass(frozen=True)
class Command:
    """A subcommand of ``jaxosc``.

    Attributes:
        description: what it does, before its arguments.
        epilog: what it writes, and examples, after them.
        add_arguments: gives them to its parser, an ``output`` among them.
        run: does the work, saying what has been done.
    """

    description: str
    epilog: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Say], None]
