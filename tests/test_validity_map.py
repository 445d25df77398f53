"""The validity map: its numbers against other routes, its files, the command."""

import numpy as np
import pytest
import reference
from precision import double

import jaxosc
from jaxosc import cli
from jaxosc.figures import validity_map

pytestmark = double  # which the map asks for


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return validity_map(tmp_path_factory.mktemp("map"), points=21)


def test_panels(drawn):
    kinds = [(plane.interaction, plane.resonant) for plane in drawn.planes]
    assert kinds == [
        ("position", False),
        ("rotating-wave", False),
        ("position", True),
        ("rotating-wave", True),
    ]
    for plane in drawn.planes:
        # The row at resonance keeps √(ω1 ω2), and with it λ_c.
        np.testing.assert_allclose(
            plane.critical, drawn.planes[plane.interaction != "position"].critical
        )
        np.testing.assert_allclose(plane.temperature.min(axis=1), 98)
        np.testing.assert_allclose(
            plane.temperature[:, 1] - plane.temperature[:, 0], plane.difference
        )


def test_errors_against_the_reference(drawn):
    generator = np.random.default_rng(3)
    for plane in drawn.planes:
        for _ in range(2):
            row, column = generator.integers(0, 21, 2)
            network = reference.pair(
                plane.omega, plane.ratio[column] * plane.critical, plane.interaction
            )
            baths = ([1.5e-4, 1.5e-4], list(plane.temperature[row]))
            exact = reference.occupation(reference.langevin(*network, *baths))[0]
            for name, equation in (("local", reference.local), ("global", reference.global_)):
                error = float(reference.occupation(equation(*network, *baths))[0] / exact - 1)
                assert plane.error(name)[row, column] == pytest.approx(error, rel=1e-8, abs=1e-11)


def test_global_fails_at_resonance_for_couplings_below_the_damping(drawn):
    for plane in drawn.planes[2:]:
        hot = -1  # the largest ΔT
        weak = plane.ratio * plane.critical < 0.5 * 1.5e-4
        strong = plane.ratio * plane.critical > 10 * 1.5e-4
        assert not plane.trusted("global", 0.1)[hot, weak].any()
        assert plane.trusted("global", 0.1)[hot, strong].all()
        assert plane.trusted("local", 0.1)[hot, weak].all()


def test_files(drawn):
    for file in drawn.files:
        assert file.stat().st_size > 5_000
    lines = drawn.files[-1].read_text().splitlines()
    assert len(lines) == 1 + 4 * 21 * 21
    assert lines[0].split(",")[-3:] == [
        "occupation_langevin", "occupation_local", "occupation_global",
    ]  # fmt: skip
    words = str(drawn)
    assert words.count("within 10 %") == 8
    assert "rotating-wave, omega = (5, 2)" in words


@pytest.mark.slow
def test_no_exact_answer_is_said(tmp_path):
    """The flat Langevin model has no mutual information at T = 0 and strong damping."""
    drawn = validity_map(
        tmp_path, omega=(3, 3), damping=(0.3, 0.3), temperature=0.0, delta_t=(0, 1e-3),
        observable="information", points=11,
    )  # fmt: skip
    assert len(drawn.planes) == 2
    assert all(np.isnan(plane.exact).all() for plane in drawn.planes)
    assert "no exact answer" in str(drawn)
    assert not any(plane.trusted("global", 0.1).any() for plane in drawn.planes)


def test_command(tmp_path, capsys):
    assert cli.main(["map", "--output", str(tmp_path), "--points", "21"]) == 0
    assert "position, omega = (5, 2)" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.csv", "map.pdf", "map.png"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--omega", "5", "-2"], "`omega` must be positive"),
        (["--damping", "0", "1"], "`damping` must be positive"),
        (["--temperature", "-1"], "`temperature` must not be negative"),
        (["--temperature", "nan"], "`temperature` must be finite"),
        (["--delta-t", "1", "1"], "`delta_t` must hold low < high"),
        (["--tolerance", "0"], "`tolerance` must lie between"),
        (["--points", "3"], "`points` must be between"),
        (["--omega", "5"], "expected 2 arguments"),
        (["--observable", "energy"], "invalid choice"),
    ],
)
def test_bad_arguments(arguments, words, tmp_path, capsys):
    assert cli.main(["map", "--output", str(tmp_path / "new"), *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.startswith("jaxosc: error:")
    assert not (tmp_path / "new").exists()


def test_exported():
    assert jaxosc.__all__ == sorted(jaxosc.__all__)
    assert all(hasattr(jaxosc, name) for name in jaxosc.__all__)
