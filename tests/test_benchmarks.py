"""The benchmark suite runs, and what it times is right."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_quick_run_writes_accurate_rows(tmp_path):
    """Kernels, a peer and a Lyapunov equation, each with its error beside the time."""
    command = [sys.executable, "-m", "benchmarks", "--quick", "--output", str(tmp_path)]
    command += [
        "--only",
        "kernels|points/numpy local|modes/Lyapunov, N = 3|sweeps/.*local$|sweeps/.*disk",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "benchmarks.json").read_text())["rows"]
    assert {row["section"] for row in rows} >= {"kernels", "points", "modes", "sweeps"}
    errors = [row["error"] for row in rows if row.get("error") is not None]
    assert errors
    assert max(errors) < 1e-12
