"""What type checkers make of calls as users write them."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest

import jaxosc
import jaxosc.typing
from jaxosc.baths import SPECTRA
from jaxosc.equations.langevin_integral import MOMENTS

ROOT = Path(__file__).parent.parent

# Each line that is wrong says so: mypy complains where it is not, and where it need not.
CALLS = """
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from jaxosc.typing import Interaction, Reals

numbers: list[Reals] = [1, 1.0, np.float64(1), np.ones(2), jnp.ones(2), (1, 2.0), [1, 2]]
numbers += [(jnp.ones(()), 1.0), np.ones((2, 2)), [[0, 1], [1, 0]], ((0.0,),)]
mixed: Reals = [np.float32(1), 2]
jaxosc.critical_coupling([jnp.ones(()), 2.0], "position")
wrong: Reals = "1.0"  # type: ignore[assignment]

jaxosc.Oscillators((5, 2), [[0, 1], [1, 0]], np.zeros((2, 2)))
jaxosc.Oscillators(frequency=jnp.ones(2), exchange=((0.0, 1.0), (1.0, 0.0)), pairing=jnp.eye(2))
jaxosc.pair((5.0, 2.0), 1, "position")
jaxosc.pair([5.0, 2.0], np.float64(1), interaction="rotating-wave")
near: jaxosc.Oscillators = jaxosc.pair(jnp.ones(2), interaction="position", distance=1e-3)
jaxosc.pair((5.0, 2.0), 1.0, "positions")  # type: ignore[call-overload]
jaxosc.pair((5.0, 2.0), distance=0.1)  # type: ignore[call-overload]
jaxosc.critical_coupling((5.0, 2.0), "spring")  # type: ignore[arg-type]

baths = jaxosc.Baths((1e-4, 1e-4), [98, 298], "ohmic")
jaxosc.Baths(np.ones(2), jnp.ones(2), spectrum="white")  # type: ignore[arg-type]
jaxosc.Baths("cold", "hot")  # type: ignore[arg-type]
warmer: jaxosc.Baths = baths.replace(temperature=(1.0, 2.0))

dynamics: jaxosc.Dynamics = jaxosc.global_lindblad(near, baths)
jaxosc.Baths(1e-4, 98, coupling="spring")  # type: ignore[arg-type]
jaxosc.langevin_spectrum(near, baths, 0.7, "covariance")
jaxosc.langevin_spectrum(near, baths, 0.7, moment="energy")  # type: ignore[arg-type]
jaxosc.gibbs(near, 98)
jaxosc.gibbs(near, "98")  # type: ignore[arg-type]
covariance: jax.Array = jaxosc.steady_state(dynamics)
jaxosc.mutual_information(covariance, [0], (1,))
jaxosc.purity([[0.5, 0], [0, 0.5]])
jaxosc.Dynamics([[-1, 0], [0, -1]], np.eye(2))


def occupation(distance: jax.Array, interaction: Interaction = "position") -> jax.Array:
    oscillators = jaxosc.pair((5.0, 2.0), interaction=interaction, distance=distance)
    return jaxosc.occupation(jaxosc.gibbs(oscillators, 98.0))[0]


jaxosc.susceptibility(occupation, {"distance": 0.1}, "distance", "reverse")
jaxosc.susceptibility(occupation, {"distance": [0.1, 0.2]}, ("distance", "distance"))
at = {"distance": 0.1}
jaxosc.susceptibility(occupation, at, "distance", mode="back")  # type: ignore[arg-type]
jaxosc.critical_exponent(occupation, {"distance": np.array([1e-3, 1e-6])})
jaxosc.optimize(occupation, {"distance": 0.5}, {"distance": (0.1, 1)}, maximize=True)
axes: dict[str, np.ndarray] = {"distance": np.linspace(0.1, 1, 3)}
jaxosc.sweep(occupation, axes, reduce=("max", "mean"))
jaxosc.sweep(occupation, {"distance": [0.1, 0.2]}, store="a.zarr")
first: Callable[[jax.Array], jax.Array] = lambda covariance: jaxosc.occupation(covariance)[0]
local = jaxosc.local_lindblad
jaxosc.trust_frontier(near, baths, local, first, 0.1, "lower").reason
jaxosc.trust_frontier(near, baths, local, first, 0.1, side="left")  # type: ignore[arg-type]
"""


def test_every_name_is_in_its_type():
    assert get_args(jaxosc.typing.SpectrumName) == tuple(SPECTRA) == ("flat", "ohmic")
    assert get_args(jaxosc.typing.Coupling) == ("rotating-wave", "position", "momentum")
    assert get_args(jaxosc.typing.Moment) == MOMENTS == ("occupation", "covariance")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed (extra: lint)")
def test_the_readme_the_examples_and_other_calls_under_mypy(tmp_path):
    readme = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    calls, shown = tmp_path / "calls.py", tmp_path / "readme.py"
    calls.write_text(CALLS, encoding="utf-8")
    # Its functions are shown without annotations; what they call is checked as it stands.
    shown.write_text("# mypy: allow-untyped-defs\n" + "\n".join(readme), encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable, "-m", "mypy", "--strict",
            "--allow-untyped-calls",  # of jax.config.update, which JAX does not annotate
            "--no-warn-return-any",  # jax.jit hides the return types of what it wraps
            "--cache-dir", str(ROOT / ".mypy_cache"),
            str(calls), str(shown), str(ROOT / "examples"),
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
