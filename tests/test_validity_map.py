"""The validity map: its numbers against other routes, its files, the command."""

import csv
import dataclasses

import numpy as np
import pytest
import quadrature
import reference
from matplotlib.figure import Figure as Canvas
from matplotlib.transforms import Bbox
from precision import double

import jaxosc
from jaxosc import cli
from jaxosc.figures import validity_map
from jaxosc.figures.labels import Contour, label_contours
from jaxosc.figures.validity_data import Question
from jaxosc.figures.validity_drawing import draw_map, draw_panel

pytestmark = double  # which the map asks for


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return validity_map(tmp_path_factory.mktemp("map"), points=21)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_global_fails_at_resonance_for_couplings_below_the_damping(drawn):
    for plane in drawn.planes[2:]:
        hot = -1  # the largest ΔT
        weak = plane.ratio * plane.critical < 0.5 * 1.5e-4
        strong = plane.ratio * plane.critical > 10 * 1.5e-4
        assert not plane.trusted("global", 0.1)[hot, weak].any()
        assert plane.trusted("global", 0.1)[hot, strong].all()
        assert plane.trusted("local", 0.1)[hot, weak].all()


@pytest.mark.slow
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


@pytest.mark.nightly
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


@pytest.mark.slow
def test_command(tmp_path, capsys):
    assert cli.main(["map", "--output", str(tmp_path), "--points", "21"]) == 0
    assert "position, omega = (5, 2)" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.csv", "map.pdf", "map.png"]


@pytest.mark.nightly
def test_heat_of_any_two_against_any_third(tmp_path):
    """Rotating-wave planes against rate equations; at ΔT = 0 the reference has no heat."""
    drawn = validity_map(
        tmp_path, temperature=3.0, delta_t=(-2, 2), observable="heat1", points=11,
        descriptions=("local", "langevin"), reference="global",
    )  # fmt: skip
    middle = 5
    for plane in drawn.planes:
        assert list(plane.values) == ["local", "langevin"]
        assert not plane.defined[middle].any()
        assert not plane.trusted("local", 0.1)[middle].any()
        if plane.interaction == "position":
            continue
        for row, column in ((0, 3), (2, 9), (9, 1)):
            local, exact = reference.heat_of_bath_1(
                plane.omega, plane.ratio[column] * plane.critical, 1.5e-4, plane.temperature[row]
            )
            assert plane.exact[row, column] == pytest.approx(exact, rel=1e-9)
            # What the difference of two occupations leaves of a current.
            error = pytest.approx(local / exact - 1, rel=1e-6, abs=1e-6)
            assert plane.error("local")[row, column] == error
    heading = drawn.files[-1].read_text().splitlines()[0].split(",")
    assert heading[-3:] == ["heat1_global", "heat1_local", "heat1_langevin"]


@pytest.mark.nightly
def test_drude_baths(tmp_path):
    """An honest reference when cold, where flat baths leave half of what is thermal."""
    cold = ["--temperature", "0.46", "--delta-t", "0", "1.5", "--cutoff", "50"]
    assert cli.main(["map", "--output", str(tmp_path), "--points", "11", *cold]) == 0
    with (tmp_path / "map.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["interaction"] == "position"]
    for row in rows[:121:30]:
        omega, temperature = (
            (float(row[f"{name}1"]), float(row[f"{name}2"])) for name in ("omega", "T")
        )
        coupling = float(row["lambda_over_lambda_c"]) * np.sqrt(np.prod(omega)) / 2
        exact = quadrature.drude_occupation(omega, coupling, 1.5e-4, temperature, cutoff=50.0)
        assert float(row["occupation_langevin"]) == pytest.approx(exact, rel=1e-8, abs=1e-12)


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
        (["--descriptions", "local", "locl"], "`descriptions` must be one of 'langevin'"),
        (["--descriptions", "local", "local"], "`descriptions` must hold two different names"),
        (["--reference", "local"], "neither of them that of the reference, 'local'"),
        (["--reference", "gibbs"], "`reference` must be one of 'langevin'"),
        (["--cutoff", "-1"], "`cutoff` must be positive"),
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


@pytest.mark.slow
def test_numbers_on_lines_collide_with_nothing(drawn):
    """Not with each other, with the frame, or with a line that is not their own."""
    for bounds, levels, least in ((1.8, 4, 4), (1.0, 6, 2), (0.02, 14, 0)):  # ever closer
        canvas = Canvas(figsize=(4, 3), dpi=100)
        axes = canvas.subplots()
        axes.set_yscale("log")
        axes.set_xlim(0, 1)
        axes.set_ylim(1, 10)
        x = np.linspace(0, 1, 50)
        heights = [1.5 * np.exp(bounds * (0.1 + k / levels) + 0.3 * x) for k in range(levels)]
        lines = [
            Contour([np.stack([x, y], axis=1)], f"+{k}", "black") for k, y in enumerate(heights)
        ]
        taken = Bbox.from_extents(60, 30, 120, 260)
        texts = label_contours(axes, lines, [taken])
        assert len(texts) >= least
        boxes = [text.get_window_extent() for text in texts]
        frame = axes.get_window_extent()
        for number, box in enumerate(boxes):
            assert frame.x0 < box.x0 < box.x1 < frame.x1
            assert frame.y0 < box.y0 < box.y1 < frame.y1
            assert not box.overlaps(taken)
            assert not any(box.overlaps(other) for other in boxes[:number])
            own = int(texts[number].get_text())
            for k, y in enumerate(heights):
                fine = np.linspace(0, 1, 2000)
                path = axes.transData.transform(np.stack([fine, np.interp(fine, x, y)], axis=1))
                assert (box.count_contains(path) > 0) == (k == own)


@pytest.mark.slow
def test_no_line_runs_along_a_pole(drawn):
    """Where the reference changes sign, as a heat current at ΔT = 0, no level is crossed."""
    difference, ratio = np.linspace(-1, 1, 20), np.linspace(0.1, 0.9, 11)
    error = np.broadcast_to(0.2 / difference[:, None], (20, 11))
    plane = dataclasses.replace(
        drawn.planes[0], ratio=ratio, difference=difference, vanishing=np.zeros(20, bool),
        exact=np.ones((20, 11)), values={"local": 1 + error, "global": np.ones((20, 11))},
    )  # fmt: skip
    lines = draw_panel(Canvas().subplots(), plane, ("local", "global"), 0.3)
    assert [line.text for line in lines] == ["−50", "−30", "+30", "+50"]
    for line, expected in zip(lines, (-0.4, -2 / 3, 2 / 3, 0.4), strict=True):
        heights = np.concatenate(line.pieces)[:, 1]
        np.testing.assert_allclose(heights, expected, atol=0.02)


@pytest.mark.slow
def test_picture_of_the_map(drawn):
    """Four hatches, so that it reads in grey; numbers with the sign of the error, apart."""
    question = Question(
        (5.0, 2.0), jaxosc.Baths(1.5e-4, (98.0, 98.0)), (-200.0, 200.0), "occupation1",
        ("local", "global"), "langevin", 21,
    )  # fmt: skip
    canvas = draw_map(drawn.planes, question, 0.1)
    legend = canvas.legends[0]
    words = [text.get_text() for text in legend.get_texts()]
    assert "local within 10 % of langevin, global not" in words
    hatches = [patch.get_hatch() for patch in legend.get_patches()]
    assert len({*hatches}) == len(hatches) == 4
    for axes, plane in zip(canvas.axes, drawn.planes, strict=True):
        boxes = [text.get_window_extent() for text in axes.texts]
        assert len(boxes) >= 4
        for number, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[:number])
        # A number says the sign: the local equation is below the exact one near λ_c.
        assert plane.error("local")[10, -1] < -0.1
        assert any(text.get_text() == "−10" for text in axes.texts)
