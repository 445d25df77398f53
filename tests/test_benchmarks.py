"""The benchmark suite runs, and what it times is right."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import quadrature
from precision import double

ROOT = Path(__file__).parent.parent
# Behind what is installed: the suite is no part of it.
sys.path.append(str(ROOT))

from benchmarks import compare, grading  # noqa: E402


def a_run(**rows):
    listed = [
        {"section": "kernels", "name": name, "left_out": None, **values}
        for name, values in rows.items()
    ]
    return {"date": "now", "commit": "abc", "device": "CPU", "rows": listed}


def test_what_got_slower_is_told(tmp_path, capsys):
    """A ratio is taken before a time, and a change is one beyond what the samples vary by."""
    before = a_run(
        slower={"points": 100, "streams": 1.0, "seconds": 9.0, "spread": 0.0, "compile_s": 1.0},
        noisy={"streams": 1.0, "spread": 0.3},
        busy={"streams": 1.0, "seconds": 1.0, "spread": 0.01},
        wrong={"seconds": 1.0, "error": 1e-15},
        gone={"seconds": 1.0},
    )
    after = a_run(
        slower={"points": 100, "streams": 1.3, "seconds": 1.0, "spread": 0.0, "compile_s": 1.4},
        noisy={"streams": 1.4, "spread": 0.1},
        busy={"streams": 1.01, "seconds": 5.0, "spread": 0.01},
        wrong={"seconds": 0.5, "error": 1e-9},
    )
    history = tmp_path / "history.jsonl"
    history.write_text("".join(json.dumps(run) + "\n" for run in (before, after)))
    worse = [each for each in compare.changes(before, after, 0.1) if each.worse]
    assert {(each.row, each.what) for each in worse} == {
        ("kernels/slower, points 100", "streams"),
        ("kernels/wrong", "error"),
    }
    assert compare.main([f"{history}:-2", str(history)]) == 1
    said = capsys.readouterr().out
    assert "   1.30 x " in said
    assert "6 numbers compared: 2 worse, 1 better by over 10%; 1 rows are only in the first" in said
    assert compare.main([str(history), str(history)]) == 0
    (tmp_path / "one.json").write_text(json.dumps(after))
    assert compare.main([str(tmp_path / "one.json"), str(history)]) == 0
    with pytest.raises(SystemExit):
        compare.main([f"{history}:-3", str(history)])
    assert "has 2 runs" in capsys.readouterr().err


@pytest.mark.nightly
def test_quick_run_writes_accurate_rows(tmp_path):
    """Kernels, a peer and a Lyapunov equation, each with its error beside the time."""
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(tmp_path)]
    command += [
        "--only",
        "kernels|points/numpy local|modes/Lyapunov, N = 3|calls|verbs/evolve, (jax|sci)"
        "|sweeps/.*local$|sweeps/.*disk|sweeps/.*local, left there",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "benchmarks.json").read_text())["rows"]
    sections = {"kernels", "points", "modes", "calls", "verbs", "sweeps"}
    assert {row["section"] for row in rows} >= sections
    (line,) = (tmp_path / "history.jsonl").read_text().splitlines()
    assert json.loads(line)["rows"] == rows
    errors = [row["error"] for row in rows if row.get("error") is not None]
    assert errors
    assert max(errors) < 1e-12


@pytest.mark.nightly
def test_the_table_for_an_accelerator_is_ready(tmp_path):
    """It runs anywhere, and each row has its time, and what it is beside."""
    file = tmp_path / "rows.jsonl"
    command = [sys.executable, "-m", "benchmarks.gpu", "--quick", "--output", str(file)]
    for only in ("there, local", "host, local", "N = 3, local"):
        done = subprocess.run(
            [*command, "--only", only], cwd=ROOT, capture_output=True, text=True, timeout=400
        )
        assert done.returncode == 0, done.stdout
    rows = {row["name"]: row for row in map(json.loads, file.read_text().splitlines())}
    assert rows["sweep left there, local"]["kernels"] > 0
    assert rows["sweep to host, local"]["buses"] > 0
    assert rows["N = 3, local"]["missing"] == 0


def test_the_page_grades_every_equation():
    """As `python -m benchmarks.grading` wrote it: a row an equation in each of three tables."""
    lines = grading.PAGE.read_text("utf-8").splitlines()
    for name in grading.APPROXIMATE:
        assert sum(line.startswith(f"| {name} |") for line in lines) == 3
    assert len(grading.table_points().ratio) == 240


@pytest.mark.nightly
@double
def test_what_grades_are_measured_against():
    """The exact occupation and heat by quadrature, the local heat by its rates."""
    points = grading.table_points()
    chosen = np.flatnonzero(points.share == 1)[::13]
    some = grading.Points(
        *(getattr(points, name)[chosen] for name in grading.Points.__dataclass_fields__)
    )
    (exact,) = grading.evaluate("langevin", some)
    for index, detuning in enumerate(some.detuning):
        network = (1.0, 1 + detuning), some.ratio[index] * np.sqrt(1 + detuning) / 2
        baths = some.damping[index], some.temperature[index], grading.CUTOFF
        occupation = quadrature.drude_occupation(*network, *baths)
        assert exact["occupation"][index] == pytest.approx(occupation, rel=1e-7, abs=1e-10)
        heat = quadrature.drude_heat(*network, *baths)
        assert exact["heat"][index] == pytest.approx(heat, rel=1e-8)
    assert (exact["violation"] < 0).all()
    assert exact["physical"].all()


def test_tables_say_what_was_found(tmp_path):
    """The worst of the points of a cell; an answer that is missing is infinitely wrong."""
    points = grading.table_points()
    ones = np.ones(240)
    found = {"occupation": ones.copy(), "heat": 1.02 * ones}
    found["occupation"][7] = np.nan
    wrong = grading.errors(found, {"occupation": ones, "heat": ones})
    lines = grading.grades(points, {"local": wrong})
    middle, everywhere = (line for line in lines if line.startswith("| local |"))
    assert middle.count("0e+0 / 2e-2") == 6
    assert everywhere.count("inf / 2e-2") == 1
    assert "239 / 0" in everywhere
