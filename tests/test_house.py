"""Rules of the house: who imports whom, where a kernel is chosen, what is written once."""

import ast
import functools
import re
from pathlib import Path

import plant_faults

import jaxosc
from jaxosc.equations.registry import DESCRIPTIONS, EQUATIONS
from jaxosc.figures.drawing import COLOUR

PACKAGE = Path(jaxosc.__file__).parent
ROOT = PACKAGE.parent
# Documents are here, also where the package that is tested is an installed one.
REPOSITORY = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

# From the ground up: a module imports from its own room and from those below.
ROOMS = (
    ("_version", "typing", "_lazy", "_pytree", "_checks", "_terminal"),
    ("_numerics", "_compilation"),
    ("oscillators", "pairs", "spectra", "baths"),
    ("_kernels",),
    ("domain",),
    ("description", "dynamics", "eigenmodes"),
    ("equations",),
    ("gaussian", "thermodynamics", "positivity", "motion"),
    ("observables",),
    ("_parameters", "_landscape", "optimization"),
    ("estimation",),
    ("criticality",),
    ("_scales",),
    ("diagnosis", "explanation", "comparison"),
    ("sweeps",),
    ("",),  # the public names
    ("figures",),
    ("papers",),
    ("_commands",),
    ("cli", "__main__"),
)
SELECTION = "jaxosc._kernels.selection"


@functools.cache
def trees():
    """Every module as it parses; not as this file is collected, in every worker."""
    return {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}


def imported(name):
    """The modules of the package that a module imports."""
    found = set()
    for node in ast.walk(trees()[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in MODULES}
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inside & MODULES.keys()
            if not inside <= MODULES.keys():
                found.add(node.module)
    return found


def room(name):
    part = name.removeprefix("jaxosc").removeprefix(".").split(".")[0]
    return next(level for level, parts in enumerate(ROOMS) if part in parts)


def test_imports_point_downwards():
    assert not [(n, other) for n in MODULES for other in imported(n) if room(other) > room(n)]


def test_no_circle_of_imports():
    waiting = {name: imported(name) for name in MODULES}
    while free := [name for name, needs in waiting.items() if not needs & waiting.keys()]:
        for name in free:
            del waiting[name]
    assert not waiting


def test_a_kernel_knows_no_record():
    below = ("jaxosc._kernels", "jaxosc._numerics")
    kernels = [name for name in MODULES if name.startswith("jaxosc._kernels.")]
    found = [(name, other) for name in kernels if name != SELECTION for other in imported(name)]
    assert found
    assert not [pair for pair in found if not pair[1].startswith(below) or pair[1] == SELECTION]


def sizes(node):
    """What in an expression tells the number of modes."""
    for part in ast.walk(node):
        name = getattr(part, "attr", getattr(part, "id", None))
        shape = getattr(part.value, "attr", None) if isinstance(part, ast.Subscript) else None
        if name == "modes" or shape == "shape":
            yield part


def decisions(tree):
    """Comparisons of a number of modes, or a length, with a number: not whether there are any."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            numbers = [
                side
                for side in sides
                if (isinstance(side, ast.Constant) and isinstance(side.value, int) and side.value)
                or (isinstance(side, ast.Name) and side.id.isupper())
            ]
            if numbers and any(True for side in sides for _ in sizes(side)):
                yield ast.unparse(node)


def test_the_number_of_modes_decides_in_one_file():
    found = []
    for name, tree in trees().items():
        # _numerics may look at the length of an array: there it is cost, and no physics.
        if name != SELECTION and not name.startswith("jaxosc._numerics"):
            found += [(name, decision) for decision in decisions(tree)]
        if not name.startswith("jaxosc._kernels"):
            names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
            found += [(name, n) for n in names if re.match("_?(two|few|many)_mode", n)]
    assert not found


def test_the_rule_sees_a_decision():
    for source in ("oscillators.modes == 2", "x.shape[0] <= _FEW", "3 > modes", "2 * modes < 5"):
        assert list(decisions(ast.parse(source)))
    for source in ("x.shape[0] == 0", "modes == others", "len(axes) == 2"):
        assert not list(decisions(ast.parse(source)))


def listed(tree):
    """Lists of descriptions: two of their functions side by side, or the names of all."""
    functions = {equation.function.__name__ for equation in EQUATIONS.values()}
    for node in ast.walk(tree):
        entries = node.values if isinstance(node, ast.Dict) else getattr(node, "elts", [])
        # A description may be wrapped together with its options.
        entries = [
            entry.args[0] if isinstance(entry, ast.Call) and entry.args else entry
            for entry in entries
        ]
        refers = [getattr(entry, "attr", getattr(entry, "id", None)) for entry in entries]
        values = {entry.value for entry in entries if isinstance(entry, ast.Constant)}
        if len(functions & set(refers)) > 1 or set(EQUATIONS) <= values:
            yield ast.unparse(node)


def test_descriptions_are_listed_once():
    others = {path.name: path for path in (REPOSITORY / "benchmarks").glob("*.py")}
    # What a paper compares is a fact of the paper.
    ours = {name: tree for name, tree in trees().items() if not name.startswith("jaxosc.papers")}
    every = ours | {name: ast.parse(path.read_text("utf-8")) for name, path in others.items()}
    found = {name: list(listed(tree)) for name, tree in every.items()}
    assert [name for name, lists in found.items() if lists] == ["jaxosc.equations.registry"]


def test_the_registry_holds_what_is_public():
    for equation in EQUATIONS.values():
        assert getattr(jaxosc, equation.function.__name__) is equation.function
    assert len(set(DESCRIPTIONS)) == len(DESCRIPTIONS)


def test_every_description_has_a_colour_of_its_own():
    assert set(COLOUR) == set(DESCRIPTIONS)
    assert len({*COLOUR.values()}) == len(COLOUR)


def test_files_are_short():
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    assert not {name: count for name, count in lines.items() if count > 420}


def test_documents_name_nothing_private():
    documents = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    found = {
        path.name: re.findall(r"jaxosc[./]_(?!_)\w+", path.read_text("utf-8"))
        for path in (*documents, *(REPOSITORY / "examples").glob("*.py"))
    }
    assert documents
    assert not {name: private for name, private in found.items() if private}


def test_faults_are_planted_in_all_physics():
    rooms = (
        *("_kernels", "_numerics", "criticality", "equations", "estimation", "gaussian"),
        *("motion", "spectra", "thermodynamics"),
    )
    files = {path.relative_to(PACKAGE).as_posix() for path in MODULES.values()}
    files = {file for file in files if not file.endswith("__init__.py")}
    # Lists of names, and what turns arguments into arrays
    apart = {"equations/registry.py", "gaussian/arguments.py"}
    assert plant_faults.TESTS.keys() <= files
    assert {file for file in files if file.startswith(rooms)} - apart <= plant_faults.TESTS.keys()
    tests = {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}
    assert not {name for names in plant_faults.TESTS.values() for name in names.split()} - tests
