"""The command ``jaxosc reproduce``: files, numbers, claims, and how it fails."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib.image
import mpmath
import numpy as np
import pytest
import quadrature
import reference
from jax.experimental.compilation_cache import compilation_cache
from legs import others_at_night
from precision import double

import jaxosc
from jaxosc.cli import main
from jaxosc.figures.drawing import FORMATS
from jaxosc.papers.konopik_lutz import FIGURES, Claim, global_lindblad, reproduce, reproduction
from jaxosc.papers.konopik_lutz.claims import measures
from jaxosc.papers.konopik_lutz.data import Curve, reduced_grid

pytestmark = double  # which the figures ask for

POINTS = 20
OMEGA = jnp.array([5.0, 2.0])
DAMPING = jnp.array([1.5e-4, 1.5e-4])
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(jaxosc.__file__).parents[1])}

# (T1, T2), λ/λ_c: Langevin occupation, local and global over it; 50-digit arithmetic. One unit
# of the last digit given is allowed.
REFERENCE = [
    ("2", 98, 98, 0.9, 60.88319734, 0.79827841, 1.0),
    ("3a", 98, 298, 0.5, 33.15321123, 1.1767088, 1.0160596),
    ("3a", 98, 298, 0.99, 1363.745351, 0.53106283, 0.8967871),
    ("6a", 298, 98, 0.99, 664.8094048, 0.55325812, 1.2117250),
    ("3b", 0.46, 1.96, 0.9, 0.7859562801, 0.80697223, 0.9122467),
]

# What the numbers say against the letter of the paper; every other statement holds.
IN_PART = {
    ("3a", "The local equation misses the critical behaviour"),  # right power, wrong amplitude
    ("3b", "The low-temperature regime"),  # β2 ω2 = 1.02
    ("3b", "The local equation gets worse"),  # not close to λ_c
    ("3b", "The local equation misses the critical behaviour"),
    ("3b", "A global equation with the rates of the microscopic bath"),  # zero-point shift
    ("4b", "The low-temperature regime"),
    ("4b", "The global equation agrees exactly"),  # zero-point shift
    ("5", "The mutual information depends on the coupling in the same way"),  # not the local one
    ("6a", "The deviation of the local (and, to a lesser extent, global)"),  # global: a larger one
    ("6a", "The increase at small coupling is caused by"),  # also where n2 < n1
    ("6a", "The occupation of the global equation is larger"),  # reversed at weak coupling
    ("6b", "The increase at small coupling is caused by"),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Claim, ...]]:
    """All of it but most of the drawing, which takes half of the time."""
    folder = tmp_path_factory.mktemp("reproduce") / "made" / "on the way"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reproduction, "draw", lambda *_: dict.fromkeys(FORMATS, b""))
        return folder, reproduce(folder, points=POINTS)


def rows_of(folder: Path, figure: str) -> list[dict[str, str]]:
    with (folder / f"figure-{figure}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def find(rows: list[dict[str, str]], interaction: str, t1: float, t2: float, reduced: float):
    (row,) = [
        row
        for row in rows
        if row["interaction"] == interaction
        and (float(row["T1"]), float(row["T2"])) == (t1, t2)
        and float(row["lambda_over_lambda_c"]) == reduced
    ]
    return row


@pytest.mark.slow
def test_writes_every_file_and_nothing_else(run):
    folder, _ = run
    names = [*FIGURES, "3b-structured"]
    expected = {f"figure-{name}.{kind}" for name in names for kind in ("png", "pdf", "csv")}
    assert {path.name for path in folder.iterdir()} == expected | {"report.md", "claims.json"}


@pytest.mark.parametrize("name", others_at_night(FIGURES, ("2",)))
@pytest.mark.slow
def test_pictures_show_every_method(name, tmp_path):
    folder = tmp_path
    reproduce(folder, [name], POINTS)
    assert (folder / f"figure-{name}.pdf").read_bytes().startswith(b"%PDF")
    picture = matplotlib.image.imread(folder / f"figure-{name}.png")[..., :3]
    assert min(picture.shape[:2]) >= 800
    colours = {"langevin": "2ca02c", "global": "1f4fd8", "local": "ee7a10"}
    if name in ("2", "5"):
        colours["gibbs"] = "f5c518"
    for method, colour in colours.items():
        rgb = np.array([int(colour[i : i + 2], 16) for i in (0, 2, 4)]) / 255
        seen = np.abs(picture - rgb).max(axis=-1) < 0.02
        # An entry of the legend alone has some 300 pixels.
        assert seen.sum() > 500, method


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.slow
def test_tables_hold_every_curve(run, name):
    folder, _ = run
    figure = FIGURES[name]
    rows = rows_of(folder, name)
    assert len(rows) == POINTS * len(figure.interactions) * len(figure.settings)
    quantity = "mutual_information" if name == "5" else "occupation"
    for method in ("langevin", "global", "local"):
        assert f"{quantity}_{method}" in rows[0]
    numbers = [float(value) for row in rows for key, value in row.items() if key != "interaction"]
    assert all(map(math.isfinite, numbers))
    for row in rows:
        assert float(row["T2"]) - float(row["T1"]) == pytest.approx(float(row["delta_T"]))
        critical = jaxosc.critical_coupling(OMEGA, row["interaction"])
        assert float(row["lambda"]) == pytest.approx(
            float(row["lambda_over_lambda_c"]) * float(critical), rel=1e-15
        )


@pytest.mark.parametrize(("name", "t1", "t2", "reduced", "langevin", "local", "eq17"), REFERENCE)
@pytest.mark.slow
def test_tables_agree_with_50_digits(run, name, t1, t2, reduced, langevin, local, eq17):
    row = find(rows_of(run[0], name), "position", t1, t2, reduced)
    exact = float(row["occupation_langevin"])
    assert exact == pytest.approx(langevin, rel=1e-9)
    assert float(row["occupation_local"]) / exact == pytest.approx(local, rel=1e-7)
    assert float(row["occupation_global"]) / exact == pytest.approx(eq17, rel=1e-6)


@pytest.mark.slow
def test_microscopic_rates_agree_with_a_microscopic_bath(run):
    # The Caldeira-Leggett model (Ohmic-Drude spectrum, counter-term) gives 145.92299520; a
    # weak-damping equation shares it to the order γ/ω.
    row = find(rows_of(run[0], "3a"), "position", 98, 298, 0.9)
    assert float(row["occupation_global_ohmic"]) == pytest.approx(145.92299520, rel=1.5e-4 / 2)
    assert float(row["occupation_global"]) == pytest.approx(137.406, abs=1e-3)


@pytest.mark.slow
def test_beside_figure_3b_the_denominator_is_exact(run):
    """Its Drude occupations against quadrature, at λ = 0 and up to the last coupling."""
    rows = rows_of(run[0], "3b-structured")
    assert len(rows) == 3 * POINTS
    for row in rows[:: POINTS // 4]:
        temperatures = float(row["T1"]), float(row["T2"])
        expected = quadrature.drude_occupation(
            (5.0, 2.0), float(row["lambda"]), 1.5e-4, temperatures, cutoff=50.0
        )
        # What the float64 sum of vacuum parts leaves of an occupation of 1e-5.
        assert float(row["occupation_structured"]) == pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert float(row["ratio_local"]) == float(row["occupation_local"]) / float(
            row["occupation_structured"]
        )
    zero = next(row for row in rows if float(row["T1"]) == 0.46 and not float(row["lambda"]))
    thermal = 1 / np.expm1(5 / 0.46)
    assert float(zero["occupation_langevin"]) / thermal == pytest.approx(0.53, abs=5e-3)
    assert float(zero["occupation_structured"]) / thermal == pytest.approx(1.80, abs=5e-3)
    text = (run[0] / "report.md").read_text()
    assert "0.53 of the thermal 1.9029e-05" in text
    assert "](figure-3b-structured.png)" in text


@pytest.mark.parametrize(
    ("name", "interaction", "t1", "t2"),
    [("6a", "position", 298, 98), ("4b", "rotating-wave", 1.21, 1.96)],
)
@pytest.mark.slow
def test_tables_agree_with_the_library(run, name, interaction, t1, t2):
    rows = [
        row for row in rows_of(run[0], name) if (float(row["T1"]), float(row["T2"])) == (t1, t2)
    ]
    baths = jaxosc.Baths(DAMPING, jnp.array([t1, t2]))
    for row in rows[:: POINTS // 4]:
        oscillators = jaxosc.pair(OMEGA, float(row["lambda"]), interaction)
        for method, equation in (
            ("langevin", jaxosc.langevin),
            ("global", global_lindblad),
            ("local", jaxosc.local_lindblad),
        ):
            occupation = jaxosc.occupation(jaxosc.steady_state(equation(oscillators, baths)))[0]
            # Another program of the same formulae: rounding, enlarged by ω/(λ_c − λ).
            assert float(row[f"occupation_{method}"]) == pytest.approx(float(occupation), rel=1e-12)
        ratio = float(row["occupation_local"]) / float(row["occupation_langevin"])
        assert float(row["ratio_local"]) == ratio


@pytest.mark.slow
def test_mutual_information_is_that_of_the_library(run):
    for interaction in ("position", "rotating-wave"):
        row = find(rows_of(run[0], "5"), interaction, 98, 98, 0.9)
        oscillators = jaxosc.pair(OMEGA, float(row["lambda"]), interaction)
        covariance = jaxosc.gibbs(oscillators, 98.0)
        assert float(row["mutual_information_gibbs"]) == pytest.approx(
            float(jaxosc.mutual_information(covariance)), rel=1e-12
        )


@pytest.mark.slow
def test_claims_have_the_expected_verdicts(run):
    _, claims = run
    in_part = {
        (claim.figure, start)
        for claim in claims
        for figure, start in IN_PART
        if claim.figure == figure and claim.statement.startswith(start)
        if claim.verdict == "holds in part"
    }
    assert in_part == IN_PART
    assert sum(claim.verdict != "holds" for claim in claims) == len(IN_PART)


@pytest.mark.slow
def test_every_claim_is_complete(run):
    for claim in run[1]:
        assert claim.figure in FIGURES
        for words in (claim.source, claim.statement, claim.measure, claim.threshold):
            assert words
        assert claim.numbers
        assert all(map(math.isfinite, claim.numbers.values()))
        assert claim.verdict in ("holds", "holds in part", "does not hold")


@pytest.mark.slow
@pytest.mark.parametrize(("start", "method"), [("Langevin", "langevin"), ("local", "local")])
def test_exponents_are_those_of_50_digits(run, start, method):
    """−d ln n/d ln(1 − λ/λ_c) at λ/λ_c = 0.999."""
    (claim,) = [c for c in run[1] if c.figure == "3a" and "misses the critical" in c.statement]
    solve = {"langevin": reference.langevin, "local": reference.local}[method]

    def logarithm(x):
        coupling = mpmath.sqrt(10) / 2 * (1 - mpmath.exp(x))
        network = reference.pair((5, 2), coupling, "position")
        return mpmath.log(reference.occupation(solve(*network, (1.5e-4, 1.5e-4), (98, 298)))[0])

    expected = -reference.derivative(logarithm, mpmath.log(mpmath.mpf(1) / 1000))
    assert claim.numbers[f"{start} exponent, ΔT = 200"] == pytest.approx(float(expected), abs=1e-12)


@pytest.mark.slow
def test_exponents_about_a_finite_value_and_a_pole(run):
    # The local rotating-wave occupation is finite at λ_c, the Langevin one a simple pole.
    (claim,) = [c for c in run[1] if c.figure == "2" and "any critical behaviour" in c.statement]
    assert abs(claim.numbers["local, ΔT = 0"]) < 1e-3
    assert claim.numbers["langevin, ΔT = 0"] == pytest.approx(1, abs=0.01)
    rows = [row for row in rows_of(run[0], "2") if row["interaction"] == "rotating-wave"]
    x, n = (
        np.array([float(row[key]) for row in rows[-3:]])
        for key in ("lambda_over_lambda_c", "occupation_langevin")
    )
    slope = -np.diff(np.log(n)) / np.diff(np.log(1 - x))
    # A secant of a coarse grid.
    assert claim.numbers["langevin, ΔT = 0"] == pytest.approx(slope[-1], abs=0.02)


@pytest.mark.slow
def test_claims_json_says_the_same(run):
    folder, claims = run
    document = json.loads((folder / "claims.json").read_text())
    assert document["run"]["figures"] == list(FIGURES)
    assert document["run"]["points"] == POINTS
    assert document["run"]["jax"] == jax.__version__
    assert document["parameters"]["omega"] == [5.0, 2.0]
    assert [Claim(**row) for row in document["claims"]] == list(claims)
    assert 0 < document["run"]["literal_rates"] < 1e-6


@pytest.mark.slow
def test_report_shows_figures_and_claims(run):
    folder, claims = run
    text = (folder / "report.md").read_text()
    for name in FIGURES:
        assert f"](figure-{name}.png)" in text
    for claim in claims:
        assert claim.statement in text
    assert "60.88319734" in text
    assert "nan" not in text
    # A bar in a cell would end it: every line of a table has the columns of its header.
    table = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    widths = [line.count("|") for line in table]
    assert set(widths) == {6, 3, 7, 8}


@pytest.mark.slow
def test_some_figures_only(tmp_path, capsys):
    command = ["reproduce", "konopik-lutz", "--figures", "5", "2", "5", "--points", str(POINTS)]
    assert main([*command, "--output", str(tmp_path)]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"figure-{n}.{k}" for n in "25" for k in ("png", "pdf", "csv")} | {
        "report.md",
        "claims.json",
    }
    claims = json.loads((tmp_path / "claims.json").read_text())["claims"]
    assert {claim["figure"] for claim in claims} == {"2", "5"}
    assert "Only those of Figs. 2, 5" in (tmp_path / "report.md").read_text()
    assert "statements tested" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "command"),
        (["paint"], "paint"),
        (["reproduce", "--figures", "7"], "'7'"),
        (["reproduce", "--figures"], "--figures"),
        (["reproduce", "einstein"], "`paper` must be one of 'konopik-lutz'"),
        (["reproduce", "--points", "3"], "must be between 20 and 10000, but it is 3"),
        (["reproduce", "--points", "100000"], "must be between 20 and 10000"),
        (["reproduce", "--points", "many"], "many"),
        (["reproduce", "--colour", "red"], "--colour"),
    ],
)
def test_wrong_arguments_give_one_line(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("jaxosc: error: ")
    assert err.count("\n") == 1
    assert says in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["", "folder", "folder/deeper"])
def test_a_folder_that_cannot_be_is_found_before_the_work(below, capsys, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    start = time.perf_counter()
    assert main(["reproduce", "--output", str(file / below)]) == 2
    assert time.perf_counter() - start < 1  # nothing was computed
    err = capsys.readouterr().err
    assert err.startswith("jaxosc: error: Argument `output` must be a folder")
    assert err.count("\n") == 1
    assert file.read_text() == "mine"


def test_a_folder_in_the_place_of_a_file_is_found_before_the_work(capsys, tmp_path):
    (tmp_path / "report.md").mkdir()
    for output in (str(tmp_path), ""):
        start = time.perf_counter()
        assert main(["reproduce", "--output", output]) == 2
        assert time.perf_counter() - start < 1
        err = capsys.readouterr().err
        assert err.startswith("jaxosc: error: Argument `output` must")
        assert err.count("\n") == 1


@pytest.fixture
def empty_compilation_cache(tmp_path_factory):
    before = jax.config.jax_compilation_cache_dir
    jax.clear_caches()
    compilation_cache.reset_cache()
    jax.config.update("jax_compilation_cache_dir", str(tmp_path_factory.mktemp("cache")))
    yield
    compilation_cache.reset_cache()
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.mark.nightly  # nothing that was compiled before it is left for those after it
@pytest.mark.usefixtures("empty_compilation_cache")
def test_a_full_disk_gives_one_line_and_no_half_file(capsys, tmp_path, monkeypatch):
    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))

    (tmp_path / "figure-2.csv").write_text("from before")
    monkeypatch.setattr(Path, "write_bytes", full)
    command = ["reproduce", "--figures", "2", "--points", str(POINTS)]
    assert main([*command, "--output", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert "Warning" not in err  # of a compiled program that could not be kept
    last = err.replace("\r", "\n").strip().splitlines()[-1]
    assert last.startswith("jaxosc: error: cannot write")
    assert "figure-2.csv" in last
    assert "No space left" in last
    assert [path.name for path in tmp_path.iterdir()] == ["figure-2.csv"]
    assert (tmp_path / "figure-2.csv").read_text() == "from before"


@pytest.mark.nightly
def test_an_interruption_gives_one_line(tmp_path):
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        pytest.skip("started in the background by a shell, which makes children ignore the signal")
    folder = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "jaxosc", "reproduce", "--output", str(folder)],
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    last = err.replace("\r", "\n").strip().splitlines()[-1]
    assert last.startswith("jaxosc: error: interrupted")
    assert not list(folder.glob("*.part"))


def test_help_teaches(capsys):
    assert main(["--help"]) == 0
    assert "jaxosc reproduce" in capsys.readouterr().out
    assert main(["reproduce", "--help"]) == 0
    text = capsys.readouterr().out
    for figure in FIGURES.values():
        assert figure.title in text
    assert "jaxosc reproduce --figures 2 5 --output equilibrium" in text


def test_the_papers_are_listed(capsys):
    assert main(["reproduce", "--list"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("konopik-lutz: M. Konopik and E. Lutz")
    assert all(f"  {figure.name:<4} {figure.title}\n" in text for figure in FIGURES.values())


@pytest.mark.nightly
def test_version_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "jaxosc", "--version"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"jaxosc {jaxosc.__version__}\n"


def test_reproduce_checks_its_arguments(tmp_path):
    with pytest.raises(ValueError, match="Argument `figures` must be a list"):
        reproduce(tmp_path, figures="2")
    with pytest.raises(ValueError, match="Argument `figures` must be a list"):
        reproduce(tmp_path, figures=[])
    with pytest.raises(ValueError, match="Argument `points` must be a whole number"):
        reproduce(tmp_path, points=50.0)
    with jax.enable_x64(False), pytest.raises(ValueError, match="double precision"):
        reproduce(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("points", [20, 37, 200, 1001])
def test_grid_has_the_landmarks(points):
    grid = reduced_grid(points)
    assert len(grid) == points
    assert np.all(np.diff(grid) > 0)
    assert grid[0] == 0
    assert grid[-1] == 0.999
    assert {0.5, 0.9, 0.99} <= set(grid)


def curve_with(ratio: np.ndarray) -> Curve:
    reduced = np.linspace(0, 1, len(ratio))
    occupation = {"langevin": np.ones_like(ratio), "local": ratio}
    setting = FIGURES["2"].settings[0]
    return Curve("position", setting, reduced, reduced, occupation, occupation, occupation, {})


def test_measures_on_a_known_curve():
    x = np.linspace(0, 1, 101)
    line = curve_with(1.25 - x / 2)
    assert measures.crossings(line, "local") == pytest.approx([0.5])
    assert measures.largest_deviation(line, "local") == pytest.approx(0.25)
    # ∫|¼ − x/2| dx = 1/8; the kink lies on the grid, so the trapezium rule is exact.
    assert measures.mean_deviation(line, "local") == pytest.approx(0.125)
    assert measures.crossings(curve_with(np.ones(9)), "local") == []
    assert measures.rank_correlation(x, np.exp(x)) == pytest.approx(1)
    assert measures.rank_correlation(x, -(x**3)) == pytest.approx(-1)
    assert [measures.verdict(t) for t in ([True] * 2, [True, False], [False])] == [
        "holds",
        "holds in part",
        "does not hold",
    ]
