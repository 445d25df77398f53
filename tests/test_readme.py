"""The README's code prints what the README says, and its test command is the one CI runs."""

import contextlib
import io
import itertools
import re
from pathlib import Path

import jax
import pytest
from legs import nightly, slow

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


# What takes longest to compile; the blocks after them do without.
LONG = ("jaxosc.trust_frontier(", "jaxosc.sweep(")


@pytest.mark.parametrize("whole", [*nightly(True), *slow(False)], ids=["whole", "most"])
def test_code_prints_what_it_says(whole):
    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    namespace: dict = {}
    checked = 0
    for (language, code), (following, expected) in itertools.pairwise(blocks):
        if language != "python" or (not whole and any(name in code for name in LONG)):
            continue
        output = io.StringIO()
        # As a reader would run it: JAX's own promotion rules.
        with (
            contextlib.redirect_stdout(output),
            jax.numpy_dtype_promotion("standard"),
            jax.numpy_rank_promotion("allow"),
        ):
            exec(code, namespace)
        assert following == "text"
        assert output.getvalue() == expected
        checked += 1
    assert checked == (11 if whole else 9)


def test_commands():
    """One line each; continuous integration runs the tests by the second."""
    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    commands = [code.strip() for language, code in blocks if not language]
    assert len(commands) == 5
    assert all("\n" not in command for command in commands)
    assert commands[0].endswith("jaxosc reproduce")
    assert commands[1] == "jaxosc map"
    assert commands[2].startswith("jaxosc sweep ")
    assert "pytest" in commands[3]
    assert commands[4].endswith("python -m benchmarks")
    for picture in ("figure-2.png", "map.png", "benchmarks.png"):
        assert (ROOT / "docs" / picture).stat().st_size > 10_000
