"""The pictures of motion: whole files of the right names, and words for what cannot be drawn."""

import numpy as np
import pytest
from legs import slow

from jaxosc.figures import correlation_figure, evolution_figure, spectrum_figure, wigner_figure

X = np.linspace(-3.0, 3.0, 31)
VACUUM = np.exp(-(X[:, None] ** 2) - X**2) / np.pi

DRAWN = {
    "spectrum": lambda path: spectrum_figure(
        X, {"one": 1 / (1 + X**2), "two": 1 / (2 + X**2)}, path, vacuum=0.5
    ),
    "correlation": lambda path: correlation_figure(X, {"x": np.exp(1j * X), "p": np.cos(X)}, path),
    "evolution": lambda path: evolution_figure(X, {"n": X**2}, path, steady={"n": 9.0}),
    "wigner": lambda path: wigner_figure(X, X, VACUUM * (X**2 - 0.3), path),
}


@pytest.mark.parametrize("name", ["evolution", "wigner", *slow("correlation", "spectrum")])
def test_files(name, tmp_path):
    files = DRAWN[name](tmp_path / "folder" / name)
    assert [file.name for file in files] == [f"{name}.png", f"{name}.pdf"]
    assert all(file.stat().st_size > 4000 for file in files)


@pytest.mark.nightly
def test_the_same_numbers_give_the_same_file(tmp_path):
    once, again = (spectrum_figure(X, VACUUM[3], tmp_path / name) for name in "ab")
    for one, other in zip(once, again, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda path: spectrum_figure(X, VACUUM, path), "`spectrum` must have shape"),
        (lambda path: spectrum_figure(X, 1j * X, path), "`spectrum` must be real"),
        (lambda path: spectrum_figure(1.0, X, path), "`frequency` must be real numbers along"),
        (lambda path: spectrum_figure(X, {}, path), "`spectrum` must have names"),
        (lambda path: correlation_figure(X, "x", path), "`correlation` must be known numbers"),
        (lambda path: evolution_figure(X, X, path, steady={"n": 1}), "`steady` must have the"),
        (lambda path: wigner_figure(X, X[:3], VACUUM, path), "`wigner` must have shape"),
        (lambda path: wigner_figure(X, X, VACUUM * 1j, path), "`wigner` must be real"),
    ],
)
def test_words(call, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        call(tmp_path / "picture")
    assert not list(tmp_path.iterdir())
