"""What is said to the user beside the files: it may go nowhere, and no work ends with it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any


class StandardOutput:
    """The standard output: open, closed or full.

    Attributes:
        problem: the first thing that went wrong with it; nothing is said after that.
    """

    def __init__(self) -> None:
        self.problem: OSError | None = None

    def say(self, words: object) -> None:
        """Print a line, or remember why not."""
        if self.problem is None:
            try:
                print(words)
            except OSError as error:
                self._give_up(error)
        self.flush()

    def flush(self) -> None:
        """Have it said now: what is left in a buffer fails where nobody can catch it."""
        if self.problem is None and sys.stdout is not None:
            try:
                sys.stdout.flush()
            except OSError as error:
                self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self.problem = error
        _to_nowhere(sys.stdout)


def complain(message: str) -> None:
    """Say on the standard error what is wrong, if anybody is there."""
    stream = _Standing(sys.stderr)
    print(f"jaxosc: error: {message}", file=stream)
    stream.flush()


def refusal(error: OSError, output: str) -> str:
    """What the system would not do, in words that blame no file but the one it names."""
    why = error.strerror or str(error)
    if error.filename is None:
        return f"the system refuses: {why}"
    file = os.fsdecode(error.filename)
    ours = Path(output).absolute().parent in Path(file).absolute().parents
    return f"cannot {'write' if ours else 'use'} {file}: {why}"


def progress_bar(*iterable: Any, **options: Any) -> Any:
    """A bar of tqdm on the standard error, whatever becomes of that."""
    from tqdm import tqdm  # here: most calls draw none, and its import takes a tenth of JAX's

    return tqdm(*iterable, file=_Standing(sys.stderr), **options)


class _Standing:
    """A stream, or none, whose failures are not told."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __eq__(self, other: object) -> bool:  # tqdm asks whether it is the standard error
        return bool(self._stream == other)

    def __hash__(self) -> int:
        return hash(self._stream)

    def isatty(self) -> bool:
        return self._stream is not None and bool(self._stream.isatty())

    def write(self, text: str) -> None:
        if self._stream is not None:
            try:
                self._stream.write(text)
            except OSError:
                _to_nowhere(self._stream)

    def flush(self) -> None:
        if self._stream is not None:
            try:
                self._stream.flush()
            except OSError:
                _to_nowhere(self._stream)


def _to_nowhere(stream: Any) -> None:
    """Let what a broken stream still holds vanish; Python would fail on it as it ends."""
    with contextlib.suppress(OSError, ValueError):  # of a stream without a descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
