"""The command where nobody listens: files come first, and blame falls on what is to blame."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from legs import nightly

import jaxosc.figures.sweep_drawing
from jaxosc._terminal import progress_bar
from jaxosc.cli import main

SWEEP = ["sweep", "ratio=0:0.5:3", "--descriptions", "local", "--plot", "--output"]
FULL = Path("/dev/full")

needs_a_full_device = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")


def closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "w", buffering=1)


def broken(kind):
    return closed_pipe() if kind == "closed" else FULL.open("w", buffering=1)


@pytest.mark.parametrize(
    ("kind", "code"), [("closed", 0), pytest.param("full", 1, marks=needs_a_full_device)]
)
@pytest.mark.parametrize("name", ["a.npz", "a.zarr"])
def test_the_standard_output_is_not_the_file(kind, code, name, tmp_path, monkeypatch, capsys):
    with broken(kind) as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main([*SWEEP, str(tmp_path / name)]) == code
        monkeypatch.undo()
    errors = capsys.readouterr().err
    if code:
        assert errors.startswith("jaxosc: error: cannot write to the standard output: No space")
        assert errors.endswith("all else is done\n")
    else:
        assert not errors
    assert jaxosc.load_sweep(tmp_path / name).values["local"]["occupation1"].shape == (3,)
    assert (tmp_path / "a.pdf").exists()  # drawn after the first words failed


@pytest.mark.parametrize("kind", ["closed", pytest.param("full", marks=needs_a_full_device)])
def test_the_standard_error_stops_no_work(kind, tmp_path, monkeypatch):
    output = str(tmp_path / "a.npz")
    with broken(kind) as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        assert list(progress_bar(range(3))) == [0, 1, 2]
        assert main([*SWEEP, output]) == 0
        assert main([*SWEEP, "a.txt"]) == 2
    monkeypatch.setattr(sys, "stderr", None)
    assert list(progress_bar(range(3))) == [0, 1, 2]
    assert main([*SWEEP, "a.txt"]) == 2


@pytest.mark.parametrize("buffered", [True, *nightly(False)])
def test_a_reader_that_left_is_no_error_to_python_either(buffered):
    """Python flushes once more as it ends, and would end with 120 and a traceback."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    if not buffered:
        environment["PYTHONUNBUFFERED"] = "1"
    with closed_pipe() as stream:
        done = subprocess.run(
            [sys.executable, "-m", "jaxosc", "--version"],
            stdout=stream, stderr=subprocess.PIPE, env=environment, timeout=100,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "/fonts/a.ttf"), "cannot use /fonts/a.ttf: Perm"),
        (OSError(24, "Too many open files"), "the system refuses: Too many open files"),
    ],
)
def test_no_other_file_is_blamed(error, words, tmp_path, monkeypatch, capsys):
    def draw(result):
        raise error

    monkeypatch.setattr(jaxosc.figures.sweep_drawing, "draw_sweep", draw)
    assert main([*SWEEP, str(tmp_path / "a.npz")]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith(f"jaxosc: error: {words}")
    assert "a.npz" not in errors
