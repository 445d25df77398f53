"""Paths that users give, and what may be wrong with the files there."""

from __future__ import annotations

import contextlib
import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def local_path(argument: str, value: Any) -> Path:
    """The path, whether or not there is anything.

    Raises:
        ValueError: unless the file system could have it.
    """
    if isinstance(value, str) and not value:
        raise ValueError(f"Argument `{argument}` must be a path, but it is empty.")
    try:
        path = Path(value)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            path.lstat()
    except (TypeError, ValueError, OSError) as error:
        raise ValueError(
            f"Argument `{argument}` must be a path, but {reprlib.repr(value)} is none: {error}."
        ) from error
    return path


@contextlib.contextmanager
def reading(argument: str, must: str, path: Path) -> Iterator[None]:
    """Say in one way what is wrong with a file, whatever library finds it damaged, and how."""
    try:
        yield
    except Exception as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ValueError(
            f"Argument `{argument}` must be {must}, but {path} is not: {why}"
        ) from error
