"""What is imported when: the modules that a name needs, and no other."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import jax
import pytest

import jaxosc
import jaxosc.figures

LAZY = (jaxosc, jaxosc.figures)
HEAVY = {"matplotlib", "optax", "tqdm", "scipy", "jax.experimental.pallas", "jax.extend.core"}


def modules_after(code):
    """Names of the modules that a fresh Python has after running this."""
    listing = "import json, sys; sys.stderr.write(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{listing}"], capture_output=True, text=True, timeout=100
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def ours(modules):
    return {name for name in modules if name.split(".")[0] == "jaxosc"}


def test_import_loads_no_more_than_the_names():
    loaded = modules_after("import jaxosc")
    assert ours(loaded) == {"jaxosc", "jaxosc._lazy", "jaxosc._version"}
    assert not {"jax", "numpy"} & loaded


def test_help_loads_the_names_of_the_commands_alone():
    loaded = modules_after("from jaxosc import cli; cli.main(['--help'])")
    assert ours(loaded) == {
        "jaxosc", "jaxosc._lazy", "jaxosc._version", "jaxosc._commands", "jaxosc._terminal",
        "jaxosc.cli",
    }  # fmt: skip
    assert not {"jax", "numpy", *HEAVY} & loaded


def test_a_steady_state_loads_neither_sweeps_nor_figures():
    names = ["langevin", "local_lindblad", "steady_state", "occupation", "pair", "Baths", "sweep"]
    loaded = modules_after("import jaxosc\n" + "\n".join(f"jaxosc.{name}" for name in names[:-1]))
    rooms = {name.split(".")[1] for name in ours(loaded) if "." in name}
    assert not rooms & {"sweeps", "comparison", "criticality", "estimation", "figures", "motion"}
    assert not HEAVY & loaded
    assert not HEAVY & modules_after(f"import jaxosc\njaxosc.{names[-1]}")


@pytest.mark.slow
def test_a_command_without_a_picture_loads_no_matplotlib():
    for name in ("sweep", "compare"):
        loaded = modules_after(f"from jaxosc import cli; cli.main(['{name}', '--help'])")
        assert f"jaxosc._commands.{name}" in loaded
        assert "matplotlib" not in loaded


@pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
def test_python_and_type_checkers_are_told_the_same(package):
    """Each public name is the object of the module that the annotations say it is from."""
    tree = ast.parse(Path(package.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    said = {alias.name: node.module for node in block.body for alias in node.names}
    assert {*said} == {*package.__all__} - {"__version__"}
    for name, module in said.items():
        home = importlib.import_module(module)
        assert getattr(package, name) in (getattr(home, name), sys.modules.get(f"{module}.{name}"))
    assert {*package.__all__} <= {*dir(package)}


@pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
def test_no_name_is_that_of_a_module(package):
    """Python would put the module there as soon as anything imports it."""
    folder = Path(package.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")}
    modules |= {path.name for path in folder.iterdir() if (path / "__init__.py").exists()}
    assert {*package.__all__} & modules <= {"spectra"}


def test_a_name_that_is_none():
    with pytest.raises(AttributeError, match="module 'jaxosc' has no attribute 'langevine'"):
        _ = jaxosc.langevine
    assert not hasattr(jaxosc.figures, "map")


def test_no_module_makes_an_array():
    """A name may be asked for first while JAX traces: an array made then would be a tracer."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "jaxosc":
            for value in list(vars(module).values()):
                assert not any(
                    isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(value, is_leaf=callable)
                )
