"""Files that are either whole or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np


def prepare_folder(path: str | os.PathLike[str], names: Iterable[str]) -> Path:
    """The folder, made if need be, after checking that files of these names can be written in it.

    Raises:
        ValueError: if it cannot be a folder or cannot be written to.
    """
    if not os.fspath(path):
        raise ValueError("Argument `output` must name a folder, but it is empty.")
    folder = Path(path)
    for name in names:
        if (folder / name).is_dir():
            raise ValueError(
                "Argument `output` must be a folder that can be written to, "
                f"but {str(folder / name)!r} is a folder in the place of a file."
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"jaxosc")
            probe.flush()
    except OSError as error:
        raise ValueError(
            "Argument `output` must be a folder that can be written to, "
            f"but {str(folder)!r} is not: {error.strerror}."
        ) from error
    return folder


def write(path: Path, content: bytes) -> None:
    """Write a file so that an interruption leaves the old one or the new one, no half of it.

    Raises:
        OSError: if that fails, with the name of the file.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        part.unlink(missing_ok=True)


def table(columns: Mapping[str, np.ndarray]) -> bytes:
    """Columns of equal length as comma-separated values under a line of names.

    Numbers have 17 significant digits: they read back exactly.
    """
    lines = [",".join(columns)]
    for row in zip(*columns.values(), strict=True):
        lines.append(
            ",".join(value if isinstance(value, str) else format(value, ".17g") for value in row)
        )
    return ("\n".join(lines) + "\n").encode()
