"""Odd arguments by the thousand, and what a call with them may end in.

Every argument is a Python expression, so that a failure is printed as the call that made it; in
this folder, ``python -c "from fuzz import *; …"`` makes it again.
"""

import array as _array
import contextlib
import datetime  # noqa: F401 - named in expressions, as are those below
import decimal  # noqa: F401
import fractions  # noqa: F401
import functools
import re
import signal
import threading
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import precision  # noqa: F401 - chooses float64

import jaxosc
from jaxosc.diagnosis import State

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

# --- what expressions may name ------------------------------------------------------------------

POSITION, ROTATING = "position", "rotating-wave"
CHAIN = np.array([[0.0, 0.3, 0.0], [0.3, 0.0, 0.2], [0.0, 0.2, 0.0]])

ONE = jaxosc.Oscillators([3.0], [[0.0]], [[0.0]])
TWO = jaxosc.pair((5.0, 2.0), 1.0, POSITION)
TWO32 = jaxosc.pair(np.float32([5, 2]), np.float32(1), POSITION)
NEAR = jaxosc.pair((5.0, 2.0), interaction=ROTATING, distance=1e-9)
UNCOUPLED = jaxosc.pair((5.0, 2.0), 0.0, POSITION)
CRITICAL = jaxosc.pair((4.0, 1.0), 1.0, POSITION)
BEYOND = jaxosc.pair((5.0, 2.0), 9.0, ROTATING)
THREE = jaxosc.Oscillators([1.0, 1.5, 2.0], CHAIN, 0.5 * CHAIN)
BEYOND_THREE = jaxosc.Oscillators([1.0, 1.5, 2.0], 9 * CHAIN, CHAIN)
ROTATED = jaxosc.pair((-1.0, 0.0), 0.1, POSITION)
FLUX = jaxosc.Oscillators([1.0, 1.2], [[0, 0.2j], [-0.2j, 0]], [[0.1j, 0.1], [0.1, 0]], (1, 1j))
BEYOND_FLUX = jaxosc.Oscillators([1.0, 1.2], [[0, 3j], [-3j, 0]])
SQUEEZED = jaxosc.Oscillators([1.0, -1.2], CHAIN[:2, :2], [[0.1, 0], [0, 0.2]], (0.3, 0))

BATH = jaxosc.Baths([0.1], [2.0])
BATHS = jaxosc.Baths((0.1, 0.2), (1.0, 2.0))
BATHS32 = jaxosc.Baths(np.float32([0.1, 0.2]), np.float32([1, 2]))
OHMIC = jaxosc.Baths((0.1, 0.2), (1.0, 2.0), "ohmic")
MOMENTUM = jaxosc.Baths((0.1, 0.2), (1.0, 2.0), "ohmic", coupling="momentum")
COLD = jaxosc.Baths((0.1, 0.2), (0.0, 0.0))
ONE_SIDED = jaxosc.Baths((0.1, 0.0), (1.0, 2.0))
BARE = jaxosc.Baths((0.0, 0.0), (1.0, 2.0))
BATHS_OF_THREE = jaxosc.Baths((0.1, 0.2, 0.3), (1.0, 2.0, 0.0))
FOR_ALL = jaxosc.Baths(0.1, 1.0)
WHITE = jaxosc.Baths((0.3, 0.2), occupation=(0.0, 2.0), squeezing=(0.0, 1j))
SHARED = jaxosc.Baths(0.4, occupation=0.5, coupling=[[1, 0.5j], [0.2, 1]], squeezing=0.3)
LOWERED = jaxosc.Baths(
    (0.1, 0.2), (1.0, 2.0), jaxosc.spectra.Flat(reference=1.0), coupling=[[1, 0.5j], [0, 1 + 0j]]
)
DRUDE = jaxosc.spectra.Drude(7.0, reference=1.0)
STRUCTURED = jaxosc.Baths(0.01, (1.5, 1.5), DRUDE, coupling=POSITION)
ROWS = jaxosc.Baths(
    (0.01, 0.02), (1.0, 2.0), [DRUDE, jaxosc.spectra.Brownian(2.0, 0.5, reference=1.0)],
    coupling=[[1, 0, 0.5, 0], [0, 0, 0, 1.0]], counter_term=(True, False),
)  # fmt: skip
SHIFTED = jaxosc.Baths(9.0, 1.0, DRUDE, coupling=POSITION, counter_term=False)
TABLE = np.geomspace(1e-2, 50, 40)

# With an axis in front of every leaf, as jax.vmap returns them
MANY = jax.tree.map(lambda leaf: jnp.stack([leaf] * 3), TWO)
MANY_BATHS = jax.tree.map(lambda leaf: jnp.stack([leaf] * 2), BATHS)

GENERAL = jaxosc.Dynamics(-np.eye(4), np.eye(4))
UNSTABLE = jaxosc.Dynamics(np.eye(4), np.eye(4))
DYNAMICS = jaxosc.local_lindblad(TWO, BATHS)
MANY_DYNAMICS = jax.tree.map(lambda leaf: jnp.stack([leaf] * 3), DYNAMICS)
LOSING = jaxosc.lindblad(SQUEEZED, np.eye(2))
# Physical: every eigenvalue is above 1/2.
THERMAL = np.kron([[1.2, 0.3], [0.3, 0.9]], np.diag([1.1, 0.95]))
THERMAL_OF_THREE = np.kron([[1.2, 0.1, 0], [0.1, 1.5, 0.2], [0, 0.2, 2]], np.diag([1.1, 0.95]))
MODES = jaxosc.NormalModes(jnp.ones(2), jnp.eye(2), jnp.zeros((2, 2)))
DIAGNOSIS = jaxosc.Diagnosis(
    True, 0.5, True, 0.1, 10.0, 10.0, 0.1, 0.5, 0.2,
    {"langevin": State(True, 0.5, 0.0, "physical.")}, "flat",
)  # fmt: skip

AXES = {"x": np.array([0.0, 1.0]), "y": np.array([1.0, 2.0, 3.0])}
_GRID = {name: {name: values} for name, values in AXES.items()}
SWEPT = jaxosc.SweepResult(AXES["x"][:, None] + AXES["y"], _GRID, {})
SUMMED = jaxosc.SweepResult({"sum": np.float64(15)}, _GRID, {"reduce": ["sum"]})
COMPLEX = jaxosc.SweepResult(SWEPT.values * (1 + 1j), _GRID, {})


class Boom(Exception):
    """Raised by a user's function: nobody else's to catch or to word."""


def boom(*_, **__):
    raise Boom("the user's own")


class Arrayed:
    """Not an array, but tells NumPy which one it stands for."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)


class Jaxed:
    """Not an array, but tells JAX which one it stands for."""

    def __init__(self, values):
        self.values = jnp.asarray(values)

    def __jax_array__(self):
        return self.values


class Floated:
    """Something with a float."""

    def __float__(self):
        return 1.0


def masked(values):
    """The last number masked."""
    values = np.asarray(values, np.float64)
    hidden = np.zeros(values.shape, bool)
    if hidden.size:
        hidden.reshape(-1)[-1] = True
    return np.ma.array(values, mask=hidden)


def buffer(kind, values):
    """An array of Python's own."""
    return _array.array(kind, values)


def structured(values):
    """A record array of one field."""
    return np.array([(value,) for value in np.ravel(values)], [("a", "f8")])


def endless():
    """A list that holds itself."""
    values = []
    values.append(values)
    return values


def deep(levels=60):
    """A number in many lists, one in the other."""
    value = 1.0
    for _ in range(levels):
        value = [value]
    return value


def traced(function, value):
    """The function while its argument is traced by jax.jit, without compiling it."""
    return jax.eval_shape(function, value)


def altered(record, name, change):
    """The record with a change of every leaf whose path holds this name."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: change(leaf) if name in jax.tree_util.keystr(path) else leaf, record
    )


def grown(record, **_):
    """The record with an axis in front of every leaf."""
    return jax.tree.map(lambda leaf: leaf[None], record)


# --- numbers as users write them ---------------------------------------------------------------

# Around the values of an array of numbers; {} is a nested list.
SOUND_WRAPPERS = (
    "{}", "np.array({})", "jnp.array({})", "np.array({}, np.float64)", "np.asfortranarray({})",
    "Arrayed({})", "Jaxed({})",
    "np.ma.array({})", "np.array(np.array({}, np.float64), copy=True)[...]",
    "jax.device_put(np.array({}, np.float64))",
)  # fmt: skip
SINGLE_WRAPPERS = ("np.array({}, np.float32)", "jnp.array({}, jnp.float32)")
ODD_WRAPPERS = (
    "np.array({}, np.float16)", "np.array({}, np.longdouble)", "np.array({}, '>f8')",
    "np.array({}, complex)", "np.array({}, np.complex64)", "np.array({}, object)",
    "np.array({}, str)", "np.array({}, bool)", "jnp.array({}, jnp.bfloat16)",
    "jnp.array({}, jnp.float8_e4m3fn)", "jnp.array({}, jnp.complex64)", "masked({})",
    "structured({})", "np.array({}, np.float64)[None]", "[{}]",
    "np.array({}, np.float64)[..., None]",
    "np.array({}, np.float64).reshape(-1)[:0]", "iter([{}])", "(value for value in [{}])",
    "{{'a': {}}}",
    "repr({})", "np.array({}, np.float64) * np.nan", "-np.array({}, np.float64)",
    "np.array({}, np.float64) + np.inf", "np.array({}, np.float64) * 1e300",
    "np.array({}, np.float64) * 1e-300", "np.array({}, np.float64) * 5e-324",
    "np.array({}, np.float64) * 0", "np.array({}, np.float64) * -0.0", "1j * np.array({})",
    "np.array({}, np.float32) * np.float32(np.inf)",
)  # fmt: skip
# For whole numbers only
INTEGER_WRAPPERS = (
    "jnp.array({}, jnp.int32)", "jnp.array({}, jnp.uint8)", "jnp.array({}, jnp.int4)",
    *(
        f"np.array({{}}, np.{kind})"
        for kind in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    ),
)  # fmt: skip

# Where complex numbers may stand
COMPLEX_WRAPPERS = ("np.array({}, complex)", "jnp.array({}, complex)", "np.array({}) * (1 + 0j)")

# In place of any argument at all
JUNK = (
    "None", "True", "False", "0", "-1", "1", "2.5", "1j", "complex(np.nan, 1)", "'x'", "''", "b'x'",
    "'1.0'", "np.nan", "np.inf", "-np.inf", "-0.0", "5e-324", "1e300", "-1e300", "1e-300",
    "1.7976931348623157e308", "10**400", "-10**25", "2**63", "[]", "()", "{}", "set()", "[[]]",
    "[[], []]", "[1.0, [2.0]]", "[[1.0], [2.0, 3.0]]", "[None]", "[None, None]", "['a', 'b']",
    "[1.0, 'a']", "[1.0, None]", "[True, False]", "(1.0, 1j)", "(1.0, 2.0, 3.0)", "{'a': 1.0}",
    "{1: 2.0}", "{1.0, 2.0}", "frozenset((1.0,))", "range(2)", "range(0)", "iter((1.0, 2.0))",
    "(value for value in (1.0, 2.0))", "map(float, (1, 2))", "np.int8(1)", "np.int16(-1)",
    "np.int32(1)", "np.int64(1)", "np.uint8(1)", "np.uint16(1)", "np.uint32(1)", "np.uint64(2**63)",
    "np.float16(1.0)", "np.float32(1.0)", "np.float64(1.0)", "np.longdouble(1.0)",
    "np.complex64(1)", "np.complex128(1)", "np.bool_(True)", "np.str_('1')", "np.bytes_(b'1')",
    "np.void(b'ab')", "np.array(1.0)", "np.array(1)", "np.array(None)", "np.array('x')",
    "np.array([])", "np.zeros((0, 0))", "np.zeros((2, 0))", "np.zeros((1, 1, 1))", "np.ones(2)",
    "np.ones((2, 2), int)", "np.ones((2, 1))", "np.eye(4)", "np.ones((4, 4, 4))", "jnp.array(1.0)",
    "jnp.array(1.0, jnp.float32)", "jnp.array(1, jnp.int32)", "jnp.array(1, jnp.bfloat16)",
    "jnp.array(1j)", "jnp.array(True)", "np.ma.masked", "masked([1.0, 2.0])",
    "np.ma.array([1.0, 2.0])", "structured([1.0, 2.0])", "np.array([1.0, 2.0], object)",
    "np.array([1.0, None], object)", "np.array(['a', 'b'])", "np.datetime64('2020-01-01')",
    "np.timedelta64(1, 's')", "np.array(['2020-01-01'], 'M8[D]')", "datetime.datetime(2020, 1, 1)",
    "datetime.timedelta(1)", "decimal.Decimal(1)", "fractions.Fraction(1, 2)",
    "buffer('d', [1, 2])",
    "buffer('f', [1, 2])", "buffer('i', [1, 2])", "memoryview(np.ones(2))", "memoryview(b'ab')",
    "bytearray(b'ab')", "jax.random.key(0)", "jax.random.PRNGKey(0)",
    "jax.random.split(jax.random.key(0), 2)", "jax.ShapeDtypeStruct((2,), jnp.float32)",
    "object()", "lambda: 1.0", "...", "NotImplemented", "slice(1)",
    "Arrayed([1.0, 2.0])", "Arrayed('x')", "Jaxed([1.0, 2.0])", "Floated()", "[Floated(), 1.0]",
    "deep()", "endless()", "Path('x')", "jaxosc", "np", "ValueError('x')", "ONE", "TWO",
    "BATHS", "DYNAMICS", "THERMAL", "MODES", "DIAGNOSIS", "SWEPT", "SUMMED", "MANY", "MANY_BATHS",
    "MANY_DYNAMICS", "jaxosc.histogram(0, 1)", "boom", "(np.float64(1), np.float32(2))",
    "(jnp.int32(1), np.float32(2))", "[jnp.array(1.0), 2.0]", "[np.array([1.0]), np.array([2.0])]",
    "(np.nan, 1.0)", "(1.0, np.inf)", "(1.0, -1.0)", "(0.0, 1.0)", "(5e-324, 1.0)",
    "(1e300, 1e300)", "(1e-300, 1e-300)", "(1, 10**30)", "(1, 2**63)", "(-0.0, 1.0)",
)  # fmt: skip

# In place of a record: what becomes of one in the hands of jax.tree.map
MORE_RECORD_WRAPPERS = (
    "jax.tree.map(np.asarray, {})", "jax.tree.map(lambda leaf: leaf.astype(jnp.float32), {})",
)  # fmt: skip
RECORD_WRAPPERS = (
    "jax.tree.map(lambda leaf: leaf[None], {})",
    "jax.tree.map(lambda leaf: leaf[:1], {})", "jax.tree.map(lambda leaf: leaf[:0], {})",
    "jax.tree.map(lambda leaf: leaf * jnp.nan, {})", "jax.tree.map(lambda leaf: -leaf, {})",
    "jax.tree.map(lambda leaf: leaf * 0, {})", "jax.tree.map(lambda leaf: leaf * jnp.inf, {})",
    "jax.tree.map(lambda leaf: leaf.astype(jnp.int32), {})",
    "jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), {})",
    "jax.tree.map(lambda leaf: leaf.astype(jnp.float16), {})",
    "jax.tree.map(lambda leaf: leaf.astype(complex), {})",
    "jax.tree.map(lambda leaf: None, {})", "jax.tree.map(lambda leaf: 'x', {})",
    "jax.tree.map(lambda leaf: 1.0, {})", "jax.tree.map(lambda leaf: object(), {})",
    "jax.tree.map(lambda leaf: np.asarray(leaf).tolist(), {})",
    "jax.tree.map(lambda leaf: leaf.sum(), {})", "jax.eval_shape(lambda: {})",
    "jax.tree.map(lambda leaf: leaf.astype(bool), {})", "jax.tree.leaves({})", "[{}]", "({},)",
    "type({})", "jax.vmap(lambda _: {})(np.arange(2.0))", "jax.vmap(lambda _: {})(np.arange(0.0))",
    "jax.tree.map(lambda leaf: leaf + 1, {})",
)  # fmt: skip


# --- one call ------------------------------------------------------------------------------------

SECONDS = 60.0  # for one call, on a machine that is busy with others: compilation takes up to 5


class TooLong(BaseException):
    """A call that does not end."""


@contextlib.contextmanager
def time_limit(seconds=SECONDS):
    """Raise TooLong in the main thread after so long, where the system has such an alarm."""
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def ring(number, frame):
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Call:
    """A call as it would be written."""

    function: str
    positional: tuple[str, ...] = ()
    named: dict[str, str] = field(default_factory=dict)

    def __str__(self):
        named = [f"{name}={text}" for name, text in self.named.items()]
        return f"{self.function}({', '.join([*self.positional, *named])})"

    def arguments(self):
        """The arguments' values, made anew."""
        return (
            [evaluate(text) for text in self.positional],
            {name: evaluate(text) for name, text in self.named.items()},
        )


@functools.lru_cache(maxsize=4096)
def _code(text):
    return compile(text, "<fuzz>", "eval")


def evaluate(text):
    """The value of an expression in the names of this module."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of complex leaves that are made real
        return eval(_code(text), globals())


@dataclass(frozen=True)
class Outcome:
    """How a call ended: "value", "worded", "signature", "own", or "wrong"."""

    kind: str
    value: object = None
    words: str = ""


_SIGNATURE = re.compile(
    r"(missing \d+ required|unexpected keyword argument|takes .* positional argument|"
    r"multiple values for argument|missing a required|too many positional)"
)
# What JAX says to its own users
_INTERNAL = re.compile(r"(docs\.jax\.dev|Traceback|The error occurred while tracing)")


def worded(message, also=()):
    """Whether a message is written as the library's are."""
    fits = re.match("Arguments? `", message) and re.search(", but[: ]", message)
    fits = fits or any(re.search(each, message) for each in also)
    return bool(fits) and not _INTERNAL.search(message)


_PACKAGE = str(Path(jaxosc.__file__).parent)
# What stands around some public functions, and passes on what they are called with
_WRAPPER = str(Path(_PACKAGE, "_checks.py"))


def library(text):
    """A function of which only what the library does is judged."""
    return eval(compile(text, "<library>", "eval"), globals())


def attempt(function, positional, named, also=()):
    """Make a call, and see how it ends."""
    try:
        with time_limit(), warnings.catch_warnings():
            warnings.simplefilter("error")
            return Outcome("value", function(*positional, **named))
    except Boom:
        return Outcome("own")
    except Exception as error:
        return _ended_by(error, also)
    except TooLong:
        return Outcome("wrong", None, f"no end after {SECONDS} s")
    except SystemExit as error:
        return Outcome("wrong", error, _last(error))


def _ended_by(error, also):
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame.filename for frame in frames]
    # Raised by the user's function itself, not by JAX for what it cannot do while it is traced
    if "<fuzz>" in inside and not isinstance(
        error, jax.errors.JAXTypeError | jax.errors.JAXIndexError
    ):
        return Outcome("own", error, str(error))
    ours = [name for name in inside if name == "<library>" or name.startswith(_PACKAGE)]
    if ours and ours[-1] == "<library>":
        return Outcome("own", error, str(error))  # before anything of the library was called
    message = str(error)
    if type(error) is UserWarning and "strictly Ohmic bath" in message:
        return Outcome("worded", error, message)  # the one warning: moments that diverge
    if type(error) is ValueError and worded(message, also):
        return Outcome("worded", error, message)
    passed_on = sum(frame.name == "call" and frame.filename == _WRAPPER for frame in frames)
    if type(error) is TypeError and _SIGNATURE.search(message) and len(frames) - passed_on <= 1:
        return Outcome("signature", error, message)
    return Outcome("wrong", error, _last(error))


def _last(error):
    text = f"{type(error).__name__}: {error}"
    frames = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "jaxosc" in frame.filename
    ]
    return f"{text[:300]} (in {' > '.join(frames[-3:])})"


# --- which calls ---------------------------------------------------------------------------------


# Left out of a quick search: other sizes and precisions than its sound arguments have, and, of
# functions that take seconds to compile, all that would get as far as that.
_SLOW_TO_COMPILE = (
    r"float32\)? \* np|eye\(2\)|zeros\(\(2, 2\)\)|BARE|BEYOND_THREE|leaf \+ 1|leaf \* jnp.inf|"
    r"diag\(\[[^,]*, [^,]*\]\)|ones\(\(2, 2\)\)|deep\(\)|DYNAMICS.drift"
)
_QUICK = re.compile(_SLOW_TO_COMPILE)
_QUICK_AND_COSTLY = re.compile(
    _SLOW_TO_COMPILE + r"|^(ONE|TWO|BATHS|DYNAMICS|THERMAL)$|eye\(4\)|\(4, 4\)\)|diag\(|THERMAL|"
    r"CRITICAL|BEYOND|1e300|0, 1\.0\)|level|rising|leaf \* 0|^(FLUX|SQUEEZED|WHITE|SHARED|LOWERED|"
    r"STRUCTURED|ROWS|FOR_ALL)$"
)


NUMBERS = ("numbers", "complex")
_REAL_ALONE = re.compile("float|longdouble|>f8|structured|masked")


@dataclass(frozen=True)
class Argument:
    """One argument: good expressions, odd ones of its own, and whether they are numbers."""

    good: tuple[str, ...]
    odd: tuple[str, ...] = ()
    # "numbers" and "complex": good ones are lists, to be wrapped; "record"
    kind: str = "thing"
    more: tuple[str, ...] = ()  # good ones that compile anew, for a thorough search alone

    def draw_good(self, random, thorough):
        text = random.choice(self.good + (self.more if thorough else ()))
        if self.kind not in NUMBERS:
            return text
        whole = not re.search(r"[.ej]", text)
        wrappers = SOUND_WRAPPERS + (INTEGER_WRAPPERS if whole else ())
        if self.kind == "complex":
            wrappers += COMPLEX_WRAPPERS
        if "j" in text:
            wrappers = tuple(each for each in wrappers if "float64" not in each)
            thorough = False
        if thorough:
            wrappers += SINGLE_WRAPPERS
        return random.choice(wrappers).format(text)

    def draw_odd(self, random, thorough, skip=None):
        text = self._draw_odd(random, thorough)
        while skip is not None and skip.search(text):
            text = self._draw_odd(random, thorough)
        return text

    def _draw_odd(self, random, thorough):
        odd = {"numbers": ODD_WRAPPERS, "complex": ODD_WRAPPERS, "record": RECORD_WRAPPERS}
        wrappers = odd.get(self.kind, ())
        good = random.choice(self.good)
        if self.kind == "complex" and "j" in good:
            wrappers = tuple(each for each in wrappers if not _REAL_ALONE.search(each))
        if thorough and self.kind == "record":
            wrappers += MORE_RECORD_WRAPPERS
        source = random.random()
        if self.odd and source < 0.35:
            return random.choice(self.odd)
        if wrappers and source < 0.65:
            return random.choice(wrappers).format(good)
        return random.choice(JUNK)


def numbers(*good, odd=(), more=()):
    return Argument(good, tuple(odd), "numbers", tuple(more))


def complex_numbers(*good, odd=(), more=()):
    return Argument(good, tuple(odd), "complex", tuple(more))


def record(*good, odd=(), more=()):
    return Argument(good, tuple(odd), "record", tuple(more))


def thing(*good, odd=()):
    return Argument(good, tuple(odd))


# Sound arguments alone compile for seconds: in a quick search, one at least is odd.
COSTLY = {
    "jaxosc.langevin", "jaxosc.global_lindblad", "jaxosc.langevin_quadrature", "jaxosc.diagnose",
    "jaxosc.trust_frontier", "jaxosc.optimize", "jaxosc.langevin_spectrum",
    "jaxosc.von_neumann_entropy", "jaxosc.mutual_information", "jaxosc.explain",
    "jaxosc.logarithmic_negativity", "jaxosc.steering", "jaxosc.discord", "jaxosc.renyi_entropy",
    "jaxosc.mean_force_gibbs", "jaxosc.status", "jaxosc.compare", "jaxosc.local_lindblad",
    "jaxosc.redfield", "jaxosc.partial_secular", "jaxosc.unified_lindblad",
    "jaxosc.universal_lindblad", "jaxosc.detailed_balance_lindblad",
    "jaxosc.coarse_grained_lindblad", "jaxosc.heat_currents", "jaxosc.entropy_production",
    "jaxosc.work_current", "jaxosc.transmission", "jaxosc.conductance", "jaxosc.rectification",
    "jaxosc.ergotropy", "jaxosc.free_energy", "jaxosc.evolve", "jaxosc.correlation",
}  # fmt: skip


def draw(name, arguments, random, optional=(), thorough=True):
    """A call in which none, one or a few arguments are odd."""
    texts = {each: argument.draw_good(random, thorough) for each, argument in arguments.items()}
    for each in optional:
        if random.random() < 0.5:
            del texts[each]
    how_many = random.choice((0, 1, 1, 1, 1, 2, 3))
    skip = None if thorough else _QUICK
    if name in COSTLY and not thorough:
        how_many, skip = max(1, how_many), _QUICK_AND_COSTLY
    for each in random.sample(sorted(arguments), min(how_many, len(arguments))):
        texts[each] = arguments[each].draw_odd(random, thorough, skip)
    if texts and random.random() < 0.02:
        texts.pop(random.choice(sorted(texts)), None)
    if random.random() < 0.02:
        texts[random.choice(("nonsense", "x", "omega", "self"))] = random.choice(JUNK)
    return Call(name.strip(), (), texts)


_OSCILLATORS = record(
    "TWO", "TWO", "UNCOUPLED",
    odd=(
        "CRITICAL", "BEYOND", "BEYOND_THREE", "MANY", "BATHS", "ROTATED", "SQUEEZED", "FLUX",
        "BEYOND_FLUX",
        *(f"altered({each})" for each in (
            "FLUX, 'exchange', lambda x: -1j * x", "FLUX, 'exchange', lambda x: x.real",
            "FLUX, 'pairing', lambda x: x.at[0, 1].set(1)", "FLUX, 'pairing', lambda x: None",
            "FLUX, 'drive', lambda x: x[:1]", "FLUX, 'drive', lambda x: 'x'",
            "FLUX, 'drive', lambda x: x * jnp.nan", "FLUX, 'drive', lambda x: x.astype(int)",
            "TWO, 'pairing', lambda x: x + jnp.eye(2)", "TWO, 'exchange', lambda x: x + jnp.eye(2)",
            "TWO, 'exchange', lambda x: 1j * x.astype(complex)", "NEAR, 'distance', lambda x: -x",
        )),
    ),
    more=("ONE", "TWO32", "NEAR", "THREE"),
)  # fmt: skip
_BATHS = record(
    "BATHS", "BATHS", "COLD", "ONE_SIDED",
    odd=(
        "BARE", "MANY_BATHS", "TWO", "WHITE", "SHARED", "LOWERED", "STRUCTURED", "ROWS", "SHIFTED",
        "FOR_ALL",
        *(f"altered({each})" for each in (
            "STRUCTURED, 'cutoff', lambda x: -x", "STRUCTURED, 'cutoff', lambda x: x * jnp.nan",
            "STRUCTURED, 'cutoff', lambda x: x * 0", "STRUCTURED, 'cutoff', lambda x: 'x'",
            "STRUCTURED, 'cutoff', lambda x: None", "STRUCTURED, 'cutoff', lambda x: x[None]",
            "STRUCTURED, 'cutoff', lambda x: x.astype(int)", "STRUCTURED, 'cutoff', lambda x: 2.0",
            "STRUCTURED, 'cutoff', lambda x: x.astype(complex)",
            "STRUCTURED, 'cutoff', lambda x: x / 0",
            "STRUCTURED, 'reference', lambda x: -x", "STRUCTURED, 'spectrum', lambda x: -x",
            "STRUCTURED, 'temperature', lambda x: None", "ROWS, 'width', lambda x: -x",
            "ROWS, '_rows', lambda x: None", "ROWS, '_rows', lambda x: 'x'",
            "ROWS, '_rows', lambda x: x[:1]", "ROWS, '_rows', lambda x: x[:, :1]",
            "ROWS, '_rows', lambda x: x * jnp.nan", "ROWS, '_rows', lambda x: x.astype(int)",
            "ROWS, '_rows', lambda x: x[0]", "SHARED, '_rows', lambda x: x.real",
            "SHARED, 'squeezing', lambda x: x * 9", "SHARED, 'squeezing', lambda x: 'x'",
            "SHARED, 'squeezing', lambda x: x[:1]", "SHARED, 'squeezing', lambda x: x * jnp.nan",
            "SHARED, 'occupation', lambda x: -x", "SHARED, 'occupation', lambda x: None",
            "SHARED, 'occupation', lambda x: x * jnp.inf", "SHARED, 'damping', lambda x: None",
            "SHARED, 'damping', lambda x: 1e300 * x", "SHARED, 'occupation', lambda x: 1e200 + x",
        )),
    ),
    more=("BATHS32", "OHMIC", "MOMENTUM", "BATHS_OF_THREE", "BATH"),
)  # fmt: skip
_INTERACTION = thing("'position'", "'rotating-wave'", odd=("'Position'", "'position '"))
_MATRIX = numbers("[[0, 1], [1, 0]]", "[[0.0, 0.3], [0.3, 0.0]]", "[[0, 0], [0, 0]]", odd=(
    "np.array([[0.0, 1.0], [2.0, 0.0]])", "np.eye(2)", "np.array([[0.0, 1e-300], [1e-300, 0]])",
    "np.array([[0.0, np.nan], [np.nan, 0.0]])", "np.zeros((2, 2, 1))", "np.zeros(4)",
    "np.array([[0.0, 9e9], [9e9, 0.0]])", "np.array([[0, 1.0], [1.0 + 1e-16, 0]])",
    "np.array([[5e-324, 1.0], [1.0, 0]])",
))  # fmt: skip
_EXCHANGE = complex_numbers(
    "[[0, 1], [1, 0]]", "[[0.0, 0.3], [0.3, 0.0]]", "[[0, 0], [0, 0]]", "[[0, 1j], [-1j, 0]]",
    "[[0, 0.5 + 1j], [0.5 - 1j, 0]]",
    odd=(*_MATRIX.odd, "np.array([[0, 1j], [1j, 0]])", "[[1j, 0], [0, 0]]", "[[0, 1j], [-1j]]",
        "np.array([[0, complex(0, np.nan)], [complex(0, np.nan), 0]])"),
)  # fmt: skip
_PAIRING = complex_numbers(
    "[[0, 1], [1, 0]]", "[[0.1, 0.3], [0.3, 0.0]]", "[[0, 0], [0, 0]]", "[[1j, 2j], [2j, 0]]",
    odd=(*_MATRIX.odd, "np.array([[0, 1j], [-1j, 0]])", "np.array([[np.inf, 0], [0, 1j]])"),
)  # fmt: skip
_DRIVE = complex_numbers("[1, 0]", "[0.5, 2.0]", "[1j, 0.1]", odd=("[1]", "[[1, 2]]", "[np.nan, 0]",
    "1", "[complex(np.inf, 0), 0]"))  # fmt: skip
_OMEGA = numbers("[5, 2]", "[5.0, 2.0]", "[4.0, 1.0]", "(3.0, 3.0)", "(1, 1)")
_FREQUENCY = numbers(*_OMEGA.good, "[-1.0, 2.0]", "[0, 1]", "[-3.0, -1.0]")
_RATES = numbers("[0.1, 0.2]", "[0.0, 0.1]", "(1, 2)", "[1e-5, 1e-5]", "[3, 0]", "0.5", "1")
_DAMPING = numbers("[0.1, 0.2]", "0.3", "0", "[3, 0]", odd=("[0.1, -0.2]", "[1.0]", "[1, 2, 3]"))
_ROWS_ODD = (
    "np.zeros((0, 2))", "np.zeros((2, 0))", "[1, 2]", "[[1j, 2]]", "[[np.nan, 0], [0, 1]]",
    "'position'", "'momentum'", "'rotating-wave'", "'Position'", "'real'", "[['a', 'b']]",
    "[[[1j]], [[2]]]", "np.array([[1, 0], [0, np.inf]])", "np.array([[complex(0, np.nan), 1]])",
)  # fmt: skip
_SPECTRUM = thing(
    "'flat'", "'ohmic'", "DRUDE", "['ohmic', DRUDE]", "0.3 * DRUDE + jaxosc.spectra.Ohmic()",
    odd=(
        "jaxosc.spectra.Drude", "[DRUDE]", "[DRUDE] * 3", "('flat', 'x')", "[None, DRUDE]",
        "DRUDE * 1",
        "{'flat'}", "np.array(['flat', 'ohmic'])", "iter(('flat', 'ohmic'))", "'Flat'", "('flat',)",
        "jax.tree.map(lambda leaf: -leaf, DRUDE)", "jax.tree.map(lambda leaf: 'x', DRUDE)",
    ),
)  # fmt: skip
_COUNTER_TERM = thing("True", "False", "(True, False)", odd=(
    "(True,)", "(True, False, True)", "'False'", "('a', 'b')", "np.array([True, False])", "(1, 0)",
    "np.bool_(False)", "{True, False}", "[]",
))  # fmt: skip
_POSITIVE = numbers("1", "2.5", "1e-3", odd=("0", "-1", "np.nan", "[1.0]", "[1, 2]"))
_MEAN = numbers("[1, 0, 2, 0]", "[0.1, 0.2, -0.3, 0.4]", odd=("[1, 2]", "1.0", "[[1, 0, 0, 0]]",
    "[np.nan, 0, 0, 0]"))  # fmt: skip
_JUMPS = complex_numbers(
    "[[0.2, 0], [0, 0.3]]", "[[1, 0], [0, 2]]", "[[0.1, 0], [0, 0.1]]",
    more=("[[1, 2]]", "[[1j, 0.5], [0, 1]]"),
    odd=("[[]]", "np.zeros((0, 2))", "[0.1, 0.2]", "[[1.0]]", "[[1, 2, 3]]", "[[np.nan, 0]]",
        "[[1e200, 0], [0, 1e200]]", "[[[1, 0]]]"),
)  # fmt: skip
_COVARIANCE = numbers(
    "np.eye(4).tolist()", "THERMAL.tolist()", "np.diag([1, 2, 3, 4]).tolist()",
    more=(
        "THERMAL_OF_THREE.tolist()", "[[1, 0], [0, 2]]", "[[3, 1], [1, 3]]",
        "[[0.5, 0.0], [0.0, 0.5]]",
    ),
    odd=(
        "np.eye(2) / 4", "-np.eye(4)", "np.zeros((2, 2))", "np.eye(3)", "np.eye(4) * 1e300",
        "np.eye(4) * 1e-300", "np.eye(4) * 5e-324", "np.diag([1e300, 1e-300])",
        "np.eye(2) * np.inf",
        "np.full((4, 4), np.nan)", "np.triu(np.ones((4, 4)))", "np.ones((4, 4))", "DYNAMICS.drift",
        "np.diag([np.inf, 1.0])", "np.diag([0.5, 0.5, np.nan, np.nan])", "np.eye(4)[None]",
        "np.eye(4) * (0.5 - 1e-17)", "np.diag([1e155, 1e155])", "np.diag([1e-155, 1e-155])",
    ),
)  # fmt: skip
_DYNAMICS = record(
    "DYNAMICS", "GENERAL",
    odd=("UNSTABLE", "MANY_DYNAMICS", "LOSING", "jaxosc.local_lindblad(BEYOND, BATHS)",
        *(f"altered(LOSING, {each})" for each in (
            "'drive', lambda x: 'x'", "'drive', lambda x: x[:1]", "'[1]', lambda x: None",
            "'[1]', lambda x: x * jnp.nan", "'[1]', lambda x: x[:, :1]", "'[1]', lambda x: x[0]",
            "'exchange', lambda x: 1j * x.astype(complex)", "'frequency', lambda x: x * 0",
        ))),
    more=("jaxosc.local_lindblad(THREE, BATHS_OF_THREE)", "jaxosc.global_lindblad(TWO, BATHS)"),
)  # fmt: skip
_STATE_OR_NONE = thing("None", "np.eye(4)", "THERMAL", odd=(
    "np.eye(2)", "np.eye(3)", "np.nan * np.eye(4)", "np.eye(4)[:2]", "'x'", "1j * np.eye(4)", "1",
    "np.triu(np.ones((4, 4)))", "np.float32(THERMAL)",
))  # fmt: skip
_HEAT_ENERGY = thing("'system'", "'uncoupled'", odd=("'x'", "None", "1", "['system']"))
_EQUATION = thing("jaxosc.local_lindblad", "jaxosc.global_lindblad", odd=(
    "'local'", "None", "1", "lambda o, b: 1.0", "jaxosc.stability_scale",
))  # fmt: skip
_TIMES = numbers(
    "0.0",
    "[0.0, 1.5]",
    "[[0.1, 3], [1e-9, 1e4]]",
    more=("[]", "1e12", "2"),
    odd=("-1.0", "np.inf", "[np.nan]", "1e300", "np.zeros((0, 2))"),
)
_PORTED = record(
    "DYNAMICS", "DYNAMICS",
    odd=("UNSTABLE", "GENERAL", "MANY_DYNAMICS", "LOSING", "jaxosc.local_lindblad(BEYOND, BATHS)",
        "jaxosc.langevin(TWO, BATHS)", "jaxosc.langevin(TWO, STRUCTURED)"),
    more=("jaxosc.local_lindblad(TWO, WHITE)", "jaxosc.langevin(TWO, SHARED)"),
)  # fmt: skip
_NU = numbers("1", "[1.0, -2.0]", "0.3", "[0, 1]", odd=("[]", "[[1], [2]]"))
_EFFICIENCY = numbers("1", "0.5", "0", odd=("1.5", "-0.1", "[0.5]", "[0.5, 0.5]"))
_FLAG = thing("False", "True", odd=("None", "1", "'x'", "np.array([True])"))
_WIDTH = thing("None", "0.1", "3", "np.float32(0.5)", odd=(
    "-0.1", "np.nan", "np.inf", "[0.1]", "'x'", "1j", "True", "1e300", "1e-300",
))  # fmt: skip
_GRID = numbers("[0, 1]", "np.linspace(-2.0, 2.0, 3)", odd=("1.0", "[[1.0]]", "'x'", "None"))
_MODE_GROUP = thing("(0,)", "[1]", "np.array([0])", "(np.int64(1),)", "range(1)", odd=(
    "(0, 0)", "(2,)", "(-1,)", "()", "0", "(0, 1)", "'0'", "('0',)", "(0.0,)", "(True,)", "{0}",
    "{0: 1}", "iter((0,))", "np.array([[0]])", "np.array([0.0])", "jnp.array([0])", "(None,)",
    "(10**30,)", "(2**63,)", "np.array(0)", "np.array([True])", "np.uint8([0])",
    "(value for value in (0,))",
))  # fmt: skip

TARGETS = {
    "jaxosc.Oscillators": dict(
        frequency=_FREQUENCY, exchange=_EXCHANGE, pairing=_PAIRING, drive=_DRIVE
    ),
    "jaxosc.Oscillators.from_hessian": dict(
        hessian=numbers("np.eye(4).tolist()", "[[1, 0], [0, 2]]", "THERMAL.tolist()",
            "[[0.0, 1.0], [1.0, -2.0]]",
            odd=("np.eye(3)", "np.triu(np.ones((4, 4)))", "np.zeros((0, 0))", "-np.eye(2)")),
        drive=_DRIVE,
    ),
    "jaxosc.Baths": dict(
        damping=_RATES, temperature=_RATES, spectrum=_SPECTRUM,
        coupling=thing("'rotating-wave'", "'position'", "'momentum'", odd=_ROWS_ODD),
        counter_term=_COUNTER_TERM,
    ),
    "jaxosc.Baths ": dict(
        damping=_RATES, occupation=_RATES,
        coupling=complex_numbers("[[1j, 0], [0, 1]]", "[[1, 2j, 0.5], [0, 1j, 0]]", odd=_ROWS_ODD),
        squeezing=complex_numbers("[0.05, 0.0]", "[0j, 1e-3j]", "0", odd=("9", "[1j]", "[1, 2]",
            "[np.nan, 0]", "[complex(0, np.inf), 0]")),
    ),
    "jaxosc.Baths  ": dict(
        damping=_RATES, temperature=_RATES, spectrum=_SPECTRUM,
        coupling=numbers("[[1, 0, 0.5, 0], [0, 0, 0, 1]]", "[[1, 0], [0, 1]]", odd=_ROWS_ODD),
        counter_term=_COUNTER_TERM,
    ),
    "jaxosc.spectra.Flat": dict(reference=_POSITIVE),
    "jaxosc.spectra.Ohmic": dict(reference=_POSITIVE),
    "jaxosc.spectra.Drude": dict(cutoff=_POSITIVE, reference=_POSITIVE),
    "jaxosc.spectra.Brownian": dict(frequency=_POSITIVE, width=_POSITIVE, reference=_POSITIVE),
    "jaxosc.spectra.PowerLaw": dict(
        exponent=thing("1", "1.0", "np.float64(1)", odd=("0.4", "3.1", "-1", "np.nan", "'1'",
            "np.array([1.0])", "jnp.array(1.0)", "np.array(1.0)", "1j")),
        cutoff=_POSITIVE, reference=_POSITIVE,
    ),
    "jaxosc.spectra.Sampled": dict(
        frequency=numbers("TABLE.tolist()", odd=("TABLE[::-1]", "-TABLE", "TABLE[:3]", "TABLE[:5]",
            "np.zeros(40)", "TABLE[None]", "[*TABLE[:-1], np.inf]")),
        density=numbers("(TABLE / (1 + TABLE**2)).tolist()", odd=("-TABLE", "0 * TABLE",
            "TABLE[:3]", "np.sign(np.sin(9 * TABLE)) + 1", "TABLE + np.nan", "TABLE**9")),
        tolerance=thing("1e-4", "np.float64(1e-3)", odd=("0", "-1", "1", "2", "'1e-4'", "1e-16")),
        reference=_POSITIVE,
    ),
    "jaxosc.spectra.Sum": dict(
        spectra=thing("[DRUDE]", "(DRUDE, jaxosc.spectra.Ohmic())", odd=(
            "DRUDE", "[jaxosc.spectra.Flat()]", "[DRUDE] * 3", "['ohmic']", "iter([DRUDE])",
            "[jaxosc.spectra.Drude]",
        )),
        weights=numbers("[1]", "[0.3, 2.0]", "[0]", odd=("[-1]", "1", "[[1]]", "[np.inf]")),
    ),
    "jaxosc.lindblad": dict(oscillators=_OSCILLATORS, lowering=_JUMPS, raising=_JUMPS),
    "jaxosc.Dynamics": dict(drift=_COVARIANCE, diffusion=_COVARIANCE),
    "jaxosc.pair": dict(
        omega=_FREQUENCY, coupling=numbers("1", "0.5", "-0.7", "0", "1.0"),
        interaction=_INTERACTION,
    ),
    "jaxosc.pair ": dict(
        omega=_OMEGA, distance=numbers("1", "0.5", "1e-3", "1e-12", odd=("2.0", "1e-300",
            "np.nextafter(1, 2)")),
        interaction=_INTERACTION, damping=_DAMPING,
    ),
    "jaxosc.critical_coupling": dict(
        omega=_OMEGA, interaction=_INTERACTION, damping=_DAMPING
    ),
    "jaxosc.gibbs": dict(
        oscillators=_OSCILLATORS, temperature=numbers("1", "0", "0.3", "50.0", "1e-3")
    ),
    "jaxosc.local_lindblad": dict(
        oscillators=_OSCILLATORS, baths=_BATHS,
        order=thing("0", "1", odd=("2", "-1", "None", "'1'", "1.0", "True")),
        frequency=thing("None", "1.0", "np.float32(2.0)", odd=(
            "0.0", "-1.0", "np.nan", "np.inf", "[1.0]", "'x'", "1j",
        )),
    ),
    "jaxosc.global_lindblad": dict(oscillators=_OSCILLATORS, baths=_BATHS, lamb_shift=_FLAG),
    "jaxosc.redfield": dict(oscillators=_OSCILLATORS, baths=_BATHS, lamb_shift=_FLAG),
    "jaxosc.partial_secular": dict(
        oscillators=_OSCILLATORS, baths=_BATHS, width=_WIDTH, lamb_shift=_FLAG
    ),
    "jaxosc.unified_lindblad": dict(
        oscillators=_OSCILLATORS, baths=_BATHS, width=_WIDTH, lamb_shift=_FLAG
    ),
    "jaxosc.universal_lindblad": dict(oscillators=_OSCILLATORS, baths=_BATHS),
    "jaxosc.detailed_balance_lindblad": dict(oscillators=_OSCILLATORS, baths=_BATHS),
    "jaxosc.coarse_grained_lindblad": dict(oscillators=_OSCILLATORS, baths=_BATHS, time=_WIDTH),
    "jaxosc.langevin": dict(oscillators=_OSCILLATORS, baths=_BATHS),
    "jaxosc.langevin_quadrature": dict(oscillators=_OSCILLATORS, baths=_BATHS),
    "jaxosc.mean_force_gibbs": dict(
        oscillators=_OSCILLATORS,
        baths=record("STRUCTURED", odd=("BATHS", *_BATHS.odd), more=("ROWS",)),
    ),
    "jaxosc.explain": dict(oscillators=_OSCILLATORS, baths=_BATHS),
    "jaxosc.langevin_spectrum": dict(
        oscillators=_OSCILLATORS, baths=_BATHS,
        frequency=numbers("1", "[1.0, -2.0]", "0.3", "[]", "[[1], [2]]"),
        moment=thing("'occupation'", "'covariance'"),
    ),
    "jaxosc.normal_modes": dict(oscillators=_OSCILLATORS),
    "jaxosc.critical_scale": dict(oscillators=_OSCILLATORS),
    "jaxosc.stability_scale": dict(oscillators=_OSCILLATORS, baths=_BATHS),
    "jaxosc.diagnose": dict(oscillators=_OSCILLATORS, baths=_BATHS),
    "jaxosc.compare": dict(
        oscillators=_OSCILLATORS, baths=_BATHS,
        observables=thing("['occupation']", "['heat_currents']", "{'n': of_covariance}", odd=(
            "[]", "{}", "'occupation'", "['x']", "[1]", "None", "1.0", "{'a': 1.0}", "{1: boom}",
            "['occupation', 'occupation']", "['coherence']", "{'a': lambda c: c}",
            "{'a': lambda c: 'x'}", "{'a': lambda c: c[0, 0] > 0}", "['entropy_production']",
        )),
        tolerance=thing("0.01", "1e-9", "10.0", odd=(
            "0", "-1.0", "np.nan", "np.inf", "'x'", "None", "[0.1]", "np.float32(0.1)", "True",
            "1j",
        )),
        descriptions=thing("['local']", "('global', 'local')", odd=(
            "'local'", "[]", "['x']", "['langevin']", "None", "['local', 'local']", "[1]",
            "{'local'}",
        )),
    ),
    "jaxosc.steady_state": dict(dynamics=_DYNAMICS),
    "jaxosc.spectrum": dict(dynamics=_DYNAMICS, frequency=_NU),
    "jaxosc.response": dict(dynamics=_DYNAMICS, frequency=_NU),
    "jaxosc.output_spectrum": dict(
        dynamics=_PORTED, frequency=_NU, port=thing("None", "0", "1", "np.int64(1)", odd=(
            "2", "-1", "True", "0.0", "'x'", "[0]", "1j",
        )),
        angle=numbers("0.0", "[1.0, -2.0]", "0.3"), efficiency=_EFFICIENCY,
    ),
    "jaxosc.emission_spectrum": dict(
        dynamics=_PORTED, frequency=_NU, port=thing("0", "1", odd=("2", "None", "0.0", "'x'")),
        efficiency=_EFFICIENCY,
    ),
    "jaxosc.scattering": dict(dynamics=_PORTED, frequency=_NU),
    "jaxosc.relaxation_rates": dict(dynamics=_DYNAMICS),
    "jaxosc.spectral_gap": dict(dynamics=_DYNAMICS),
    "jaxosc.eigenvalue_conditions": dict(dynamics=_DYNAMICS),
    "jaxosc.heat_currents": dict(
        dynamics=_DYNAMICS, covariance=_STATE_OR_NONE, mean=_MEAN, energy=_HEAT_ENERGY
    ),
    "jaxosc.work_current": dict(
        dynamics=_DYNAMICS, covariance=_STATE_OR_NONE, mean=_MEAN, energy=_HEAT_ENERGY
    ),
    "jaxosc.evolve": dict(
        dynamics=_DYNAMICS, covariance=_COVARIANCE, times=_TIMES, mean=_MEAN
    ),
    "jaxosc.correlation": dict(dynamics=_DYNAMICS, times=_TIMES),
    "jaxosc.entropy_production": dict(dynamics=_DYNAMICS, energy=_HEAT_ENERGY),
    "jaxosc.energy": dict(oscillators=_OSCILLATORS, covariance=_COVARIANCE, mean=_MEAN),
    "jaxosc.energy_flow": dict(oscillators=_OSCILLATORS, covariance=_COVARIANCE, mean=_MEAN),
    "jaxosc.ergotropy": dict(oscillators=_OSCILLATORS, covariance=_COVARIANCE, mean=_MEAN),
    "jaxosc.free_energy": dict(
        oscillators=_OSCILLATORS, temperature=numbers("1", "0", "0.3"),
        covariance=_STATE_OR_NONE, mean=_MEAN,
    ),
    "jaxosc.transmission": dict(
        oscillators=_OSCILLATORS, baths=_BATHS,
        frequency=numbers("1", "[1.0, -2.0]", "0.3", "[]", "[[1], [2]]"),
    ),
    "jaxosc.conductance": dict(oscillators=_OSCILLATORS, baths=_BATHS, equation=_EQUATION),
    "jaxosc.rectification": dict(oscillators=_OSCILLATORS, baths=_BATHS, equation=_EQUATION),
    "jaxosc.is_completely_positive": dict(dynamics=_DYNAMICS),
    "jaxosc.complete_positivity_margin": dict(dynamics=_DYNAMICS),
    "jaxosc.steady_mean": dict(dynamics=_DYNAMICS),
    "jaxosc.status": dict(dynamics=_DYNAMICS),
    "jaxosc.occupation": dict(covariance=_COVARIANCE, mean=_MEAN),
    "jaxosc.coherence": dict(covariance=_COVARIANCE, mean=_MEAN),
    "jaxosc.symplectic_eigenvalues": dict(covariance=_COVARIANCE),
    "jaxosc.von_neumann_entropy": dict(covariance=_COVARIANCE),
    "jaxosc.mutual_information": dict(covariance=_COVARIANCE, modes=_MODE_GROUP,
    others=_MODE_GROUP),
    "jaxosc.purity": dict(covariance=_COVARIANCE),
    "jaxosc.logarithmic_negativity": dict(covariance=_COVARIANCE, modes=_MODE_GROUP,
    others=_MODE_GROUP),
    "jaxosc.steering": dict(covariance=_COVARIANCE, modes=_MODE_GROUP, others=_MODE_GROUP),
    "jaxosc.discord": dict(covariance=_COVARIANCE, measured=thing("0", "1", odd=(
        "2", "-1", "0.5", "None", "'1'", "True",
    ))),
    "jaxosc.renyi_entropy": dict(covariance=_COVARIANCE, order=numbers("2", "0.5", "1.0", "np.inf",
    odd=("0.0", "-1", "[1, 2]", "'2'", "None", "1j", "np.nan"))),
    "jaxosc.squeezing": dict(covariance=_COVARIANCE),
    "jaxosc.squeezing_angle": dict(covariance=_COVARIANCE),
    "jaxosc.number_covariance": dict(covariance=_COVARIANCE, mean=_MEAN),
    "jaxosc.g2": dict(covariance=_COVARIANCE, mean=_MEAN),
    "jaxosc.wigner": dict(covariance=_COVARIANCE, x=_GRID, p=_GRID, mean=_MEAN,
    mode=thing("0", "1", odd=("5", "-1", "0.5", "None"))),
    "jaxosc.is_physical": dict(covariance=_COVARIANCE),
    "jaxosc.fidelity": dict(first=_COVARIANCE, second=_COVARIANCE, first_mean=_MEAN,
    second_mean=_MEAN),
    "jaxosc.relative_entropy": dict(first=_COVARIANCE, second=_COVARIANCE, first_mean=_MEAN,
    second_mean=_MEAN),
}  # fmt: skip


# --- functions that users pass -------------------------------------------------------------------


def good_xy(x, y):
    return x * x + y


def leaning(x, y=1.0):
    return x - y * 0.5


def of_covariance(covariance):
    return covariance[0, 0]


def rising(oscillators, baths):
    """A covariance that grows with the coupling, compiled in no time."""
    return (1 + oscillators.exchange[0, 1] * baths.damping[0]) * jnp.eye(
        4, dtype=baths.damping.dtype
    )


def level(oscillators, baths):
    """What it departs from."""
    return jnp.eye(4, dtype=baths.damping.dtype)


# Of x and y; the first ones are right.
FUNCTIONS = (
    "good_xy", "jax.jit(good_xy)", "functools.partial(good_xy)",
    "lambda x, y, z=1.0: x * y * z + x",
    "lambda **p: p['x'] + 2 * p['y']", "leaning",
    "functools.partial(lambda k, x, y: k * x + y, 2.0)",
    "jax.checkpoint(good_xy)",
)  # fmt: skip
ODD_FUNCTIONS = (
    "lambda x, y: None", "lambda x, y: 'x'", "lambda x, y: 1", "lambda x, y: 1.0",
    "lambda x, y: True", "lambda x, y: 1j * x", "lambda x, y: [x, 'x']", "lambda x, y: [x, y]",
    "lambda x, y: ()", "lambda x, y: {}", "lambda x, y: {'a': x, 'b': {'c': y}}",
    "lambda x, y: {1: x, 'b': y}", "lambda x, y: {'a.b': x, 'c/d': y}", "lambda x, y: {'x': x}",
    "lambda x, y: jnp.stack([x, y])", "lambda x, y: x[None]", "lambda x, y: jnp.zeros((0,))",
    "lambda x, y: jnp.array(1)", "lambda x, y: x > 0", "lambda x, y: x.astype(jnp.int32)",
    "lambda x, y: x.astype(jnp.bfloat16)", "lambda x, y: x.astype(jnp.float16)",
    "lambda x, y: x.astype(jnp.float32)", "lambda x, y: x * jnp.nan",
    "lambda x, y: x / 0.0 * jnp.inf",
    "lambda x, y: float(x)", "lambda x, y: np.sin(x)", "lambda x, y: x if x > 0 else y",
    "lambda x, y: np.zeros(3)[x.astype(jnp.int32)]", "lambda x, y: object()", "lambda x, y: len",
    "lambda x, y: jax.random.key(0)", "lambda x, y: np.array(['a'])", "lambda x, y: TWO",
    "lambda x, y: np.datetime64('2020')", "lambda x, y: [x, [y, None]]", "lambda x, y: iter((x,))",
    "lambda x, y: {x, y}", "lambda x: x", "lambda x, y, z: x", "lambda a, b: a", "lambda: 1.0",
    "boom", "lambda x, y: boom()", "lambda x, y: 10**400", "lambda x, y: np.longdouble(1)",
    "lambda x, y: x + 0 * jnp.sqrt(-1.0 - x * x)", "lambda x, y: jnp.floor(x)",
    "lambda x, y: x * 0",
    "lambda x, y: jax.lax.stop_gradient(x)", "lambda x, y: jax.grad(good_xy)(x, y)",
    "good_xy(1.0, 2.0)", "'good_xy'", "functools.partial(good_xy, 1.0)",
    "functools.partial(good_xy, x=1.0)",
    "lambda x, /, y: x + y", "lambda *, x, y: x + y", "lambda *args: args[0]",
    "lambda x, y: np.asarray(1.0)", "lambda x, y: np.float32(1)", "lambda x, y: x + np.float32(1)",
    "lambda x, y: (x, y)[5]", "lambda x, y: x.nonsense", "lambda x, y: {}['x']",
    "lambda x, y: 1 / 0", "lambda x, y: jnp.ones(3) + jnp.ones(2)",
    "lambda x, y: jnp.stack([x, 1])",
    "lambda x, y: x.reshape(2)", "lambda x, y: jnp.full((2, 2), x)",
    "lambda x, y: np.ma.array([1.0])", "lambda x, y: jaxosc.pair((5.0, 2.0), x, 'position')",
    "lambda x, y: jaxosc.gibbs(jaxosc.pair((5.0, 2.0), 9.0, 'position'), 1.0)[0, 0]",
)  # fmt: skip
_FUNCTION = thing(*FUNCTIONS, odd=ODD_FUNCTIONS)
_POINT = thing("{'x': 1.0, 'y': 2.0}", "{'x': np.float32(1), 'y': 2}",
    "{'x': jnp.array(1.0), 'y': 2}", odd=(
    "{}", "{'x': 1.0}", "{'x': 1.0, 'y': 2.0, 'z': 3.0}", "{'x': np.nan, 'y': 1.0}",
    "{'x': 'a', 'y': 1.0}", "{'x': None, 'y': 1.0}", "{'x': [1.0, 2.0], 'y': 1.0}",
    "{'x': [1.0, 2.0], 'y': [1.0, 2.0, 3.0]}", "{'x': [[1.0], [2.0]], 'y': [1.0, 2.0]}",
    "{'x': [], 'y': 1.0}", "{1: 1.0, 2: 2.0}", "{'x y': 1.0, 'y': 1.0}", "[('x', 1.0), ('y', 2.0)]",
    "{'x': 1j, 'y': 1.0}", "{'x': True, 'y': 1.0}", "{'x': np.float16(1), 'y': 1.0}",
    "{'x': masked([1.0]), 'y': 1.0}", "{'x': iter((1.0,)), 'y': 1.0}", "{'x': 1e300, 'y': 1.0}",
    "{'x': jax.random.key(0), 'y': 1.0}", "{'x': np.int8(1), 'y': np.uint64(2)}",
    "{'x': {'y': 1.0}, 'y': 1.0}", "{'x': 1e-300, 'y': 5e-324}", "{'x': 0.0, 'y': -0.0}",
    "{'self': 1.0, 'y': 1.0}", "{'name': 1.0, 'y': 1.0}", "{'x': endless(), 'y': 1.0}",
    "{'x': (np.float64(1), np.float32(2)), 'y': 1.0}", "{'x': 10**400, 'y': 1}",
))  # fmt: skip
_BY = thing(
    "'x'",
    "'y'",
    odd=(
        "('x', 'y')",
        "['x', 'x']",
        "'z'",
        "('x', 'y', 'x')",
        "()",
        "('x',)",
        "{'x'}",
        "('x', 1)",
        "iter(('x', 'y'))",
        "'xy'",
        "np.str_('x')",
        "np.array(['x', 'y'])",
        "'distance'",
    ),
)
_STATE = thing(
    "lambda t: (1 + jnp.sum(t * t)) * jnp.eye(2, dtype=t.dtype)",
    "lambda t: (jnp.eye(2, dtype=t.dtype), jnp.sum(t) * jnp.ones(2, dtype=t.dtype))",
    odd=(
        *ODD_FUNCTIONS, "lambda t: t", "lambda t: jnp.eye(2)", "lambda t: jnp.sum(t) * jnp.eye(3)",
        "lambda t: (jnp.sum(t) * jnp.eye(2), None)", "lambda t: (jnp.eye(2), t)",
        "lambda t: (jnp.eye(2), jnp.zeros(4))", "lambda t: jnp.eye(2) * 1j", "lambda t: {'a': t}",
        "lambda t: jnp.full((2, 2), jnp.nan)", "lambda t: 0.1 * jnp.eye(2)",
        "lambda t: jnp.eye(2, dtype=jnp.float32)", "lambda t: jnp.zeros((0, 0))",
        "lambda t: (jnp.eye(2), jnp.zeros(2), 1.0)", "lambda t: ([jnp.eye(2)], jnp.zeros(2))",
    ),
)  # fmt: skip
_PLACE = numbers(
    "0.5", "[0.5]", "[0.1, 0.2]", odd=("[[0.1]]", "[]", "np.nan", "np.inf", "0", "1e300")
)
_BOUNDS = thing("{'x': (-2.0, 2.0), 'y': (-3.0, 3.0)}", "{'x': [0, 2], 'y': np.array([-3.0, 3.0])}",
    odd=(
    "{}", "{'x': (0.0, 2.0)}", "{'x': (2.0, 0.0), 'y': (0.0, 3.0)}",
    "{'x': (0.0, np.inf), 'y': (0.0, 3.0)}",
    "{'x': (0.0, np.nan), 'y': (0.0, 3.0)}", "{'x': 1.0, 'y': (0.0, 3.0)}",
    "{'x': 'ab', 'y': (0.0, 3.0)}",
    "{'x': (0.0, 1.0, 2.0), 'y': (0.0, 3.0)}", "{'x': (1.0, 1.0), 'y': (0.0, 3.0)}",
    "{'x': (None, 1.0), 'y': (0.0, 3.0)}", "{'x': (0.0, 10**400), 'y': (0.0, 3.0)}",
    "{1: (0.0, 1.0), 2: (0.0, 3.0)}", "{'x': (-1e308, 1e308), 'y': (0.0, 3.0)}",
    "{'x': (5.0, 6.0), 'y': (0.0, 3.0)}", "{'x': (0.0, 1e300), 'y': (0.0, 3.0)}",
    "{'x': (0.0, 2.0), 'y': (0.0, 3.0), 'z': (0.0, 1.0)}",
    "{'x': (1.0, 1.0 + 4e-16), 'y': (0.0, 3.0)}",
    "{'x': (1j, 2.0), 'y': (0.0, 3.0)}", "{'x': iter((0.0, 2.0)), 'y': (0.0, 3.0)}",
    "{'x': ('0', '2'), 'y': (0.0, 3.0)}", "{'x': (False, True), 'y': (0.0, 3.0)}",
    "{'x': np.ones((2, 2)), 'y': (0.0, 3.0)}", "{'x': np.array([[0.0], [2.0]]), 'y': (0.0, 3.0)}",
    "{'x': (np.float16(0), np.float16(2)), 'y': (0.0, 3.0)}",
    "{'x': (0.0, 1e-320), 'y': (0.0, 3.0)}",
    "{'x': jax.random.key(0), 'y': (0.0, 1.0)}", "{'x': masked([0.0, 2.0]), 'y': (0.0, 3.0)}",
    "{'x': {0.0, 2.0}, 'y': (0.0, 3.0)}", "{'x': {0.0: 1, 2.0: 1}, 'y': (0.0, 3.0)}",
))  # fmt: skip
_COUNT = thing(
    "2",
    "3",
    "np.int64(3)",
    odd=(
        "0",
        "-1",
        "1",
        "2.0",
        "True",
        "'3'",
        "None",
        "10**30",
        "np.float64(3)",
        "np.array(3)",
        "jnp.array(3)",
        "np.uint8(3)",
        "10**9",
        "np.int8(3)",
    ),
)
_AXES = thing("AXES", "{'x': [0, 1], 'y': np.float32([1, 2])}",
    "{'p': {'x': [0.0, 1.0], 'y': [1.0, 2.0]}}", odd=(
    "{}", "{'x': [0.0]}", "{'x': [], 'y': [1.0]}", "{'x': 1.0, 'y': [1.0]}",
    "{'x': [[1.0]], 'y': [1.0]}",
    "{'x': [np.nan], 'y': [1.0]}", "{'x': ['a'], 'y': [1.0]}", "{'x': [1j], 'y': [1.0]}",
    "{'x': [True], 'y': [1.0]}",
    "{'x': [None], 'y': [1.0]}", "{'x': np.float16([1]), 'y': [1.0]}",
    "{'x': jnp.ones(2, jnp.bfloat16), 'y': [1.0]}",
    "{'x': masked([1.0, 2.0]), 'y': [1.0]}", "{'x': range(3), 'y': [1.0]}",
    "{'x': iter((1.0,)), 'y': [1.0]}",
    "{'p': {'x': [1.0], 'y': [1.0, 2.0]}}", "{'p': {}, 'x': [1.0], 'y': [1.0]}",
    "{'x': [1.0], 'y': {'x': [1.0]}}",
    "{'x': {'y': [1.0]}, 'y': {'x': [1.0]}}", "{1: [1.0], 'y': [1.0]}",
    "{'x y': [1.0], 'y': [1.0]}",
    "{'x': [10**400], 'y': [1.0]}", "{'x': [1e300], 'y': [1.0]}",
    "{'x': np.float32([1e38]), 'y': [1e300]}",
    "{'x': np.array([1.0], object), 'y': [1.0]}", "{'x': np.longdouble([1]), 'y': [1.0]}",
    "{'x': np.array([1], '>f8'), 'y': [1.0]}",
    "{'x': np.array([2**63], np.uint64), 'y': np.int8([1])}",
    "{'x': jax.random.key(0), 'y': [1.0]}",
    "{'x': np.array(['2020'], 'M8[D]'), 'y': [1.0]}", "{'x': {1.0, 2.0}, 'y': [1.0]}",
    "[('x', [1.0]), ('y', [1.0])]",
    "{'x': structured([1.0]), 'y': [1.0]}", "{'x': endless(), 'y': [1.0]}",
    "{'x': Arrayed([1.0]), 'y': Jaxed([1.0])}",
    "{'x': (np.float64(1), np.float32(2)), 'y': [1.0]}", "{'x': buffer('f', [1]), 'y': [1.0]}",
    "{'x': [[1.0], [2.0, 3.0]], 'y': [1.0]}",
    "{('x',): [1.0], 'y': [1.0]}", "{'x': {('y',): [1.0]}}", "{'x': {1.0: [2.0]}, 'y': [1.0]}",
    "{'class': [1.0], 'y': [1.0]}",
    "{'x': np.ones(2)[::-1], 'y': np.zeros(1)}", "{'x': np.ma.masked, 'y': [1.0]}",
    "{'x': np.ma.array([1.0], mask=[False]), 'y': [1.0]}",
    "{'x': b'ab', 'y': [1.0]}", "{'x': memoryview(b'ab'), 'y': [1.0]}",
    "{'x': np.ones((2, 1)), 'y': [1.0]}", "{'x': [-0.0, 5e-324], 'y': [1.0]}",
    "{'function': [1.0], 'y': [1.0]}",
))  # fmt: skip
_REDUCE = thing("None", "'max'", "('min', 'argmax', 'nanmean')", "{'h': jaxosc.histogram(0, 1, 3)}",
    odd=(
    "'median'", "()", "{}", "['max', 1]", "{'a': 'b'}", "{1: 'max'}", "{'a': None}", "b'max'",
    "['max', 'max']",
    "jaxosc.histogram(0, 1)", "{'a': jaxosc.Reduction(boom, boom)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: None, jnp.add)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: 'x', jnp.add)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: jnp.sum(k), lambda a: a)}",
    "{'a': jaxosc.Reduction(lambda v: 1.0, jnp.add)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: jnp.sum(k), lambda a, b: None)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: jnp.sum(k), jnp.add, boom)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: jnp.sum(k), jnp.add, lambda s: None)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: v if v > 0 else 0.0, jnp.add)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: jnp.sum(k), lambda a, b: (a, b))}",
    "{'a': jaxosc.Reduction(lambda v, p, k: jax.random.key(0), jnp.add)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: jnp.sum(v).astype(jnp.bfloat16), jnp.add)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: p['nonsense'], jnp.add)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: jnp.zeros((0,)), jnp.add)}",
    "{'a': jaxosc.Reduction(lambda v, p, k: [], jnp.add)}", "iter(('max',))", "{'max'}",
    "np.array(['max'])", "np.str_('max')",
    "{'a': jaxosc.Reduction(lambda v, p, k: {'s': jnp.sum(k)}, lambda a, b: {'t': a['s']})}",
    "'nanstd'", "'argmin'",
    "{'a': jaxosc.Reduction(lambda v, p, k: jnp.sum(k), lambda a, b: (a + b).astype(jnp.float32))}",
    "{'': 'max'}", "('sum', 'std', 'nanargmin')",
))  # fmt: skip

TARGETS |= {
    "jaxosc.histogram": dict(
        low=thing("0", "-1.5", "np.float32(0)", odd=("np.array([0.0])", "'0'", "True")),
        high=thing("1", "2.5", "np.int8(2)", odd=("np.array([1.0])", "5e-324", "'1'")),
        bins=thing("1", "7", "np.int64(3)", odd=("0", "2.0", "True", "10**7", "np.array(3)",
            "jnp.array(3)", "'3'")),
    ),
    "jaxosc.Reduction": dict(
        partial=thing("len", "boom", "lambda v, p, k: 1"), combine=thing("jnp.add", "max"),
            finish=thing("len", "abs")
    ),
    "jaxosc.susceptibility": dict(function=_FUNCTION, parameters=_POINT, by=_BY,
    mode=thing("'forward'", "'reverse'")),
    "jaxosc.critical_exponent": dict(function=_FUNCTION, parameters=_POINT, by=_BY),
    "jaxosc.logarithmic_slope": dict(function=_FUNCTION, parameters=_POINT, by=_BY),
    "jaxosc.trace_curve": dict(
        function=thing("leaning", "jax.jit(leaning)", "lambda x, y: x * x + y * y - 1.0",
            odd=ODD_FUNCTIONS),
        start=thing("{'x': 0.6, 'y': 1.1}", "{'x': np.float32(0.6), 'y': 1}", odd=_POINT.odd),
            bounds=_BOUNDS, max_points=_COUNT,
    ),
    "jaxosc.optimize": dict(
        function=thing("lambda x, y: (x - 0.5) ** 2 + y * y", "jax.jit(lambda x, y: x * x + y * y)",
            "good_xy", odd=ODD_FUNCTIONS),
        start=_POINT, bounds=_BOUNDS, maximize=thing("False", "True"), tolerance=thing("1e-2",
            "0.5", odd=("0", "1", "np.nan", "-1e-3", "'a'", "np.array(0.1)", "np.array([0.1])",
            "jnp.array(0.1)", "np.float32(0.1)", "1j")),
        max_steps=_COUNT, progress=thing("False", odd=("0",)),
        logarithmic=thing("()", "[]", odd=("'x'", "['y']", "'z'", "3", "None", "[1]")),
    ),
    "jaxosc.quantum_fisher_information": dict(state=_STATE, parameters=_PLACE),
    "jaxosc.fisher_information": dict(state=_STATE, parameters=_PLACE,
        measurement=thing("'homodyne'", "'heterodyne'"),
        angle=numbers("0.3", "[0.3]", odd=("[0.1, 0.2]", "np.nan", "[[0.1]]", "np.zeros(0)"))),
    "jaxosc.fit": dict(
        model=thing("good_xy", "lambda x, y: x - 2 * y", odd=ODD_FUNCTIONS),
        data=thing("1.0", "np.float32(1)", odd=("[1.0, 2.0]", "{'a': 1.0}", "np.nan", "{}", "[]",
            "None", "'a'", "1j")),
        errors=thing("0.1", odd=("0.0", "-1.0", "[0.1, 0.2]", "{'a': 0.1}", "np.inf", "None",
            "{}")),
        start=_POINT, bounds=_BOUNDS,
        logarithmic=thing("()", "[]", odd=("'x'", "['y']", "'z'", "3", "None", "[1]")),
        tolerance=thing("1e-2", odd=("0", "np.nan", "'a'")), max_steps=_COUNT,
        progress=thing("False", odd=("0",)),
    ),
    "jaxosc.trust_frontier": dict(
        oscillators=record("TWO", more=("TWO32",), odd=("UNCOUPLED", "CRITICAL", "BEYOND", "MANY",
            "ONE")),
        baths=record("BATHS", more=("BATHS32",), odd=("COLD", "ONE_SIDED", "BARE", "OHMIC",
            "BATHS_OF_THREE")),
        description=thing("rising", odd=(
            "jaxosc.gibbs", "lambda o, b: jaxosc.gibbs(o, 1.0)", "lambda o, b: None", "lambda o: o",
            "boom", "lambda o, b: o", "lambda o, b: 1.0", "lambda o, b: np.eye(4)",
            "lambda o, b: np.eye(2)", "jaxosc.pair", "jaxosc.steady_state", "None", "'local'",
            "lambda o, b: GENERAL", "lambda o, b: UNSTABLE",
            "lambda o, b: jaxosc.steady_state(jaxosc.local_lindblad(o, b))",
            "lambda o, b: 'x'", "lambda o, b: jnp.full((4, 4), jnp.nan)",
            "lambda o, b: jaxosc.global_lindblad(o, b.replace(coupling='x'))",
        )),
        observable=thing("of_covariance", odd=(
            "jaxosc.occupation", "lambda s: None", "lambda s: 'x'", "lambda s: 1",
            "lambda s: 1j * s[0, 0]", "lambda s: float(s[0, 0])", "boom", "lambda: 1.0", "None",
            "1.0",
            "lambda s: 0.0 * s[0, 0]", "lambda s: s[9, 9, 9]", "lambda s: True",
            "lambda s: [s[0, 0]]", "lambda s: {'a': s[0, 0], 'b': s[1, 1]}", "lambda s: ()",
            "lambda s: s[0, 0] * jnp.nan", "lambda s: 1.0",
            "lambda s: s[0, 0].astype(jnp.float32)", "lambda s: jaxosc.mutual_information(s, (9,))",
            "jaxosc.is_physical", "jaxosc.coherence", "lambda s: np.sin(s[0, 0])",
            "lambda s: s[0, 0] if s[0, 0] > 0 else 1.0",
        )),
        tolerance=thing("0.1", "np.float32(0.1)", "jnp.array(0.2)", odd=("0", "-1.0", "np.nan",
            "np.array([0.1])", "1e300", "5e-324", "1")),
        side=thing("'upper'", "'lower'"), exact=thing("level", odd=("boom", "lambda o, b: None")),
        between=thing("(1e-6, 0.999)", "[0.1, 0.9]", odd=("(0.0, 0.5)", "(0.5, 1.0)", "(0.5, 0.2)",
            "0.5", "(0.1,)", "(0.1, 0.2, 0.3)", "'ab'", "(None, 0.5)", "(np.nan, 0.5)",
            "(0.5, 0.5 + 1e-16)", "(1j, 0.5)", "(1e-320, 0.5)", "(0.1, 10**400)",
            "iter((0.1, 0.5))", "np.array([[0.1], [0.5]])", "(np.ones(2), 0.5)", "{0.1, 0.5}")),
    ),
    "jaxosc.sweep": dict(
        function=_FUNCTION, axes=_AXES, reduce=_REDUCE,
        block=thing("None", "None", "4", odd=("0", "-1", "1.0", "True", "'4'", "np.int64(1)",
            "np.uint8(2)", "10**30", "2**40", "np.array(2)", "jnp.array(2)")),
        devices=thing("None", "jax.devices()", odd=("[]", "jax.devices()[0]", "['cpu']", "'cpu'",
            "[None]", "iter(jax.devices())", "tuple(jax.devices())", "jax.devices() * 2",
            "set(jax.devices())", "np.array(jax.devices())")),
        progress=thing("None", "False", odd=("1", "'x'", "np.bool_(True)")),
    ),
}  # fmt: skip


# --- whether a value is right --------------------------------------------------------------------


def check(call, target, value):
    """What is wrong with the value of a call, in words; empty if nothing is."""
    try:
        with np.errstate(all="ignore"):
            return "; ".join(filter(None, _problems(call, target, value)))
    except Exception as error:
        return f"its value {value!r} cannot be checked: {_last(error)}"


def _problems(call, target, value):
    value = jax.tree.map(np.asarray, value) if isinstance(value, jax.Array | tuple) else value
    arguments = call.arguments()[1]
    kinds = {name: argument.kind for name, argument in TARGETS[target].items()}
    for name, given in arguments.items():
        if kinds.get(name) in NUMBERS and not _in_words(call, name, given):
            yield _not_numbers(name, given, kinds[name] == "complex")
    checker = CHECKS.get(call.function)
    if checker is not None:
        yield from checker(value, **arguments)
    if call.function in FOLLOWS_DTYPE:
        expected = expected_dtype(
            [given for name, given in arguments.items() if kinds[name] != "thing"]
        )
        # A spectrum keeps its own until it meets a network
        flat = value.replace(spectrum="flat") if isinstance(value, jaxosc.Baths) else value
        for leaf in jax.tree.leaves(flat):
            kind = np.asarray(leaf).real.dtype
            if kind not in (expected, np.dtype(bool)):
                yield f"its dtype is {kind}, not {expected}"
        if any(kind in NUMBERS for kind in kinds.values()):
            yield _differs_from_plain(call, kinds, arguments, expected, value)


def _in_words(call, name, given):
    """Whether an argument that may be numbers is left out or given by a name."""
    if name == "temperature" and call.function == "jaxosc.Baths":
        return given is None or (isinstance(given, list | tuple) and None in given)
    named = ("jaxosc.Baths", "coupling")
    return given is None or ((call.function, name) == named and isinstance(given, str))


def _not_numbers(name, given, complex_too):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = plain(given)
    if np.ma.is_masked(given):
        return f"{name} has masked entries"
    kinds = "iufc" if complex_too or name == "coupling" else "iuf"
    if array.dtype.kind not in kinds and not jnp.issubdtype(array.dtype, jnp.integer):
        return f"{name} is not of {'' if complex_too else 'real '}numbers"
    return ""


def expected_dtype(values):
    """The widest floating dtype that the arrays among these have; float64 if none has one."""
    leaves = [leaf for value in values for leaf in jax.tree.leaves(value)]
    dtypes = {
        str(leaf.dtype).replace(">f8", "float64") for leaf in leaves if hasattr(leaf, "dtype")
    }
    parts = {"complex64": "float32", "complex128": "float64"}
    dtypes = {parts.get(dtype, dtype) for dtype in dtypes}
    return "float32" if "float32" in dtypes and "float64" not in dtypes else "float64"


def _differs_from_plain(call, kinds, arguments, dtype, value):
    """The same call in plain arrays is the same computation: equal to the last bit."""
    again = {
        name: _plain_in(dtype, given)
        if kinds[name] in NUMBERS and not _in_words(call, name, given)
        else given
        for name, given in arguments.items()
    }
    again = attempt(evaluate(call.function), [], again)
    if again.kind != "value":
        return f"with plain arrays it ends in: {again.words}"
    for one, other in zip(jax.tree.leaves(value), jax.tree.leaves(again.value), strict=True):
        if not np.array_equal(one, other, equal_nan=True):
            return f"it is {one}, but with plain arrays {other}"
    return ""


def _plain_in(dtype, given):
    array = plain(given)
    return array.astype(np.result_type(dtype, np.complex64) if array.dtype.kind == "c" else dtype)


def _of_oscillators(value, frequency, exchange, pairing=None, drive=None):
    pairing = np.zeros_like(value.exchange) if pairing is None else pairing
    for name, given in (("frequency", frequency), ("exchange", exchange), ("pairing", pairing)):
        if not np.array_equal(getattr(value, name), _as(getattr(value, name), given)):
            yield f"its {name} is {getattr(value, name)}"
    if drive is not None and not np.array_equal(value.drive, _as(value.drive, drive)):
        yield f"its drive is {value.drive}"


def _of_hessian(value, hessian, drive=None):
    given = plain(hessian).astype(np.float64)
    # Sums and differences of two halves, which may be too small for the dtype
    rounding = 4 * _eps(value.hessian) * np.abs(given).max() + np.finfo(value.frequency.dtype).tiny
    if np.abs(np.asarray(value.hessian) - given).max() > rounding:
        yield f"its hessian is {value.hessian}"


def _of_baths(
    value, damping, temperature=None, spectrum="flat", occupation=None,
    coupling="rotating-wave", squeezing=None, counter_term=True,
):  # fmt: skip
    if isinstance(temperature, list | tuple):
        temperature = [0.0 if each is None else each for each in temperature]
    if temperature is None and occupation is None:
        if plain(damping).any():
            yield "it has neither a temperature nor an occupation"
        temperature = 0.0
    rows = None if isinstance(coupling, str) else coupling
    for name, given in (
        ("damping", damping), ("temperature", temperature), ("occupation", occupation),
        ("squeezing", squeezing), ("_rows", rows),
    ):  # fmt: skip
        found = getattr(value, name)
        if given is None and found is None:
            continue
        if given is None or not np.array_equal(
            found, np.broadcast_to(_as(found, given), found.shape)
        ):
            yield f"its {name} is {found}"
    count = value.damping.shape
    if any(getattr(value, name) is not None and getattr(value, name).shape != count
           for name in ("temperature", "occupation", "squeezing")):  # fmt: skip
        yield "its entries are not one for each bath"
    if type(value.counter_term) is not bool and count not in ((), (len(value.counter_term),)):
        yield f"its counter terms are {value.counter_term}"
    if rows is None and value.coupling != coupling:
        yield f"its coupling is {value.coupling}"


def _of_sound_spectrum(value, **_):
    for leaf in jax.tree.leaves(value):
        if not np.all(np.isfinite(leaf)) or not np.all(np.asarray(leaf) >= 0):
            yield f"it holds {leaf}"
    one = jnp.ones((), expected_dtype([value]))
    if not all(0.01 < np.max(leaf) < 100 for leaf in jax.tree.leaves(value)):
        return  # J at the reference may be zero in the dtype
    if value.kind != "flat" and not np.isfinite(value.rate(one, one)):
        yield f"its rate is {value.rate(one, one)}"


def _of_dynamics(value, drift, diffusion):
    for name, given in (("drift", drift), ("diffusion", diffusion)):
        if not np.array_equal(getattr(value, name), _as(value.diffusion, given)):
            yield f"its {name} is {getattr(value, name)}"


def plain(given):
    """What an argument stands for, as a NumPy array."""
    return np.asarray(given.values if isinstance(given, Jaxed) else given)


def _as(array, given):
    return plain(given).astype(array.dtype)


def _of_pair(value, omega, interaction, coupling=None, distance=None, damping=None):
    strength = float(value.exchange[0, 1])
    if coupling is not None and strength != _as(value.frequency, coupling):
        yield f"its coupling is {strength}"
    if distance is not None:
        if damping is not None:
            damping = plain(damping).astype(np.float64)
        omega = plain(omega).astype(np.float64)
        critical = float(jaxosc.critical_coupling(omega, interaction, damping))
        given = float(plain(distance))
        # One rounding each of λ_c, of 1 − δ and of their product, and one more for safety
        roundings = 4 if damping is None else 16  # and those of two squares
        if abs(strength - critical * (1 - given)) > roundings * _eps(value.frequency) * critical:
            yield f"its coupling is {strength}"
    if float(value.pairing[0, 1]) != (strength if interaction == POSITION else 0):
        yield f"its pairing is {value.pairing}"


def _eps(array):
    return float(np.finfo(np.asarray(array).dtype).eps)


def _of_critical_coupling(value, omega, interaction, damping=None):
    first, second = plain(omega).astype(np.longdouble)
    if damping is not None:
        rates = np.broadcast_to(plain(damping).astype(np.longdouble), 2)
        first, second = first + rates[0] ** 2 / first, second + rates[1] ** 2 / second
    expected = np.sqrt(first) * np.sqrt(second) / (2 if interaction == POSITION else 1)
    # Two roots, a product and a half, a square and a sum, and the steps of denormal numbers
    smallest = np.finfo(np.asarray(value).dtype).smallest_normal
    if abs(np.asarray(value) - expected) > 8 * _eps(value) * expected + smallest:
        yield f"it is {value}, not {expected}"


def is_covariance(value, modes, physical=True, symmetric=0.0):
    """What is wrong with a covariance of so many modes."""
    sigma = np.asarray(value)
    if sigma.shape != (2 * modes, 2 * modes):
        yield f"its shape is {sigma.shape}"
        return
    if not np.isfinite(sigma).all():
        yield f"it is not finite: {sigma}"
        return
    size = np.abs(sigma).max()
    if np.abs(sigma - sigma.T).max() > symmetric * size:
        yield f"it is not symmetric: {sigma}"
    if not physical:
        return
    # The uncertainty relation is met to the rounding of the largest entry, as is_physical has it.
    slack = 64 * _eps(sigma) * size
    # Lengths of x and p in ratio: eigenvalues of iJσ by a general solver, good to its own rounding
    form = np.kron(np.eye(modes), [[0, 1], [-1, 0]])
    smallest = np.abs(np.linalg.eigvals(form @ sigma.astype(np.float64))).min()
    if smallest < 0.5 - slack:
        yield f"its smallest symplectic eigenvalue is {smallest}"
    occupation = np.diag(sigma)[0::2] + np.diag(sigma)[1::2]
    if occupation.min() < 1 - slack:
        yield f"an occupation is {(occupation.min() - 1) / 2}"


def _of_gibbs(value, oscillators, temperature):
    yield from is_covariance(value, oscillators.modes, symmetric=_MANY_MODES * _eps(value))


# Sums over Matsubara frequencies of inverted matrices are symmetric to the rounding of an inverse.
_MANY_MODES = 64


def _of_equation(physical):
    def checker(value, oscillators, baths, order=0, **_):
        if not isinstance(value, jaxosc.Dynamics):
            yield "it is no Dynamics"
            return
        outcome = attempt(jaxosc.steady_state, [value], {})
        if outcome.kind == "value":
            yield from is_covariance(
                outcome.value,
                oscillators.modes,
                physical and order == 0,
                _MANY_MODES * _eps(value.diffusion),
            )
        elif "no unique steady state" not in outcome.words:
            yield f"its steady state ends in: {outcome.words}"

    return checker


def _of_quadrature(value, oscillators, baths):
    yield from is_covariance(value, oscillators.modes, physical=False)
    exact = attempt(lambda: jaxosc.steady_state(jaxosc.langevin(oscillators, baths)), [], {})
    if exact.kind == "worded" and "langevin_quadrature" in exact.words:
        return  # of positive frequencies alone
    exact = np.asarray(exact.value)
    # 1e-10 as the docstring says in float64, three digits in float32; next to a critical point the
    # largest entry counts.
    close = 1e-8 if value.dtype == np.float64 else 1e-3
    if np.abs(value - exact).max() > close * np.abs(exact).max():
        yield f"it is {value}, not {exact}"


def _of_spectrum(value, oscillators, baths, frequency, moment="occupation"):
    shape, modes = plain(frequency).shape, oscillators.modes
    # Documented poles: ν = 0, and the resonances that nothing damps
    bare = plain(oscillators.frequency).astype(np.float64)
    bare = bare[np.broadcast_to(plain(baths.damping) == 0, bare.shape)]
    poles = [0.0, *bare, *-bare]
    if value.shape != shape + ((modes,) if moment == "occupation" else (2 * modes, 2 * modes)):
        yield f"its shape is {value.shape}"
    elif (
        not np.isfinite(value).all()
        and not np.isin(plain(frequency).astype(np.float64), poles).any()
    ):
        yield f"it is not finite: {value}"
    elif moment == "covariance" and value.size:
        conjugate = np.conj(np.swapaxes(value, -1, -2))
        # Inverses of complex matrices, good to rounding times the condition number of some 1e3
        if np.abs(value - conjugate).max() > 1e4 * _eps(value.real) * np.abs(value).max():
            yield f"it is not Hermitian: {value}"


def _of_motion_spectrum(value, dynamics, frequency):
    shape = plain(frequency).shape
    if value.shape[:-2] != shape or value.shape[-1] != value.shape[-2]:
        yield f"its shape is {value.shape}"
    elif not np.isfinite(value).all():
        yield f"it is not finite: {value}"


def _of_hermitian(value, dynamics, frequency):
    yield from _of_motion_spectrum(value, dynamics, frequency)
    if value.size:
        least = np.linalg.eigvalsh(np.asarray(value)).min()
        # Rounding of the entries
        if not least >= -64 * _eps(value.real) * np.abs(value).max():
            yield f"it is not positive: {least}"


def _of_output(value, dynamics, frequency, port=None, angle=None, efficiency=1.0):
    if angle is not None:
        expected = np.broadcast_shapes(plain(frequency).shape, plain(angle).shape)
        least = value.min(initial=1.0)
    else:
        ports = 2 if port is not None else value.shape[-1]
        expected = (*plain(frequency).shape, ports, ports)
        least = np.linalg.eigvalsh(np.asarray(value)).min(initial=1.0)
    if value.shape != expected:
        yield f"its shape is {value.shape}"
    if not least > 0:
        yield f"it is not positive: {value}"


def _of_emission(value, dynamics, frequency, port=0, efficiency=1.0):
    if value.shape != plain(frequency).shape or not (np.asarray(value) >= 0).all():
        yield f"it is {value}"


def _of_rates(value, dynamics):
    if value.ndim != 1 or not (np.diff(value) >= 0).all():
        yield f"it is {value}"


def _of_gap(value, dynamics):
    if value.shape != () or not np.isfinite(value):
        yield f"it is {value}"


def _of_conditions(value, dynamics):
    if not (np.asarray(value.condition) >= 1).all() or not (np.asarray(value.distance) >= 0).all():
        yield f"it is {value}"
    if value.discriminant.shape != () or not np.isfinite(value.discriminant):
        yield f"its discriminant is {value.discriminant}"


def _of_modes(value, oscillators):
    frequency, u, v = map(np.asarray, value)
    if not (np.diff(frequency) >= 0).all() or not (frequency > 0).all():
        yield f"its frequencies are {frequency}"
    size = max(np.abs(u).max(), np.abs(v).max()) ** 2
    unit = u @ u.conj().T - v @ v.conj().T
    # A difference of squares: rounding of the largest, times what a sum of N products adds
    if np.abs(unit - np.eye(len(unit))).max() > 1e3 * _eps(frequency) * size:
        yield f"U U† − V V† = {unit}"


def _of_critical_scale(value, oscillators):
    if np.shape(value) != () or not value > 0:
        yield f"it is {value}"
    if oscillators.modes == 2 and np.isfinite(value) and not np.diag(oscillators.pairing).any():
        omega = np.asarray(oscillators.frequency, np.float64)
        strength = sum(abs(complex(m[0, 1])) for m in (oscillators.exchange, oscillators.pairing))
        expected = np.sqrt(omega[0]) * np.sqrt(omega[1]) / strength
        if abs(value - expected) > 16 * _eps(value) * expected:  # seven operations
            yield f"it is {value}, not {expected}"


def _of_stability_scale(value, oscillators, baths):
    if np.shape(value) != () or not value >= 0:
        yield f"it is {value}"


def _of_diagnose(value, oscillators, baths):
    if type(value.bounded) is not bool or type(value.stable) is not bool:
        yield f"bounded is {value.bounded!r}, stable is {value.stable!r}"
    for name in (
        "critical_ratio",
        "decay_rate",
        "softness",
        "secularity",
        "cluster_distance",
        "detuning",
    ):
        number = getattr(value, name)
        if type(number) is not float:
            yield f"{name} is {number!r}"
        if value.bounded and np.isnan(number):
            yield f"{name} is NaN though H is bounded"
    if "nan" in str(value) and value.bounded:
        yield f"it reads {value}"
    for name, state in value.states.items():
        if not state.reason.endswith(".") or (state.physical and state.smallest <= 0):
            yield f"the state of {name} is {state}"


def _of_comparison(value, oscillators, baths, descriptions, observables=(), tolerance=0.01):
    if "nan" in (words := str(value)):
        yield f"it reads {words}"
    for row in value.rows:
        if row.answered == bool(row.reason.startswith("no answer")):
            yield f"{row.name} answered: {row.answered}, because {row.reason!r}"
        if any(error < 0 for error in row.errors.values()):
            yield f"errors of {row.name} are {row.errors}"
    value.recommend()
    if value.exact is not None and value[value.exact].error > 0:
        yield f"the exact one is off by {value[value.exact].errors}"
    if len(value.records()) != len(value.rows):
        yield "rows are lost"


def _of_steady_state(value, dynamics):
    drift, diffusion = np.asarray(dynamics.drift), np.asarray(dynamics.diffusion)
    yield from is_covariance(value, len(drift) // 2, physical=False, symmetric=64 * _eps(value))
    rest = drift @ value + value @ drift.T + diffusion
    scale = np.abs(drift).max() * np.abs(value).max() + np.abs(diffusion).max()
    # A few dozen roundings of the largest product
    if not np.abs(rest).max() <= 256 * _eps(value) * scale:
        yield f"Aσ + σAᵀ + D = {rest}"


def _of_mean(value, dynamics):
    if not all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(dynamics)):
        return  # matrices as lists, which have no drift to check with
    if any(jnp.issubdtype(leaf.dtype, jnp.integer) for leaf in jax.tree.leaves(dynamics)):
        return
    drift, force = dynamics.drift, dynamics._description.force(*dynamics._parts)
    rest = np.asarray(drift @ value + force)
    # A few roundings times the condition of such a drift
    if value.shape != force.shape or not np.abs(rest).max() <= 1e3 * _eps(value):
        yield f"A⟨r⟩ + f = {rest}"


def _of_status(value, dynamics):
    for code in np.ravel(value):
        jaxosc.Status(int(code))
    if np.asarray(value).dtype != np.int32:
        yield f"its dtype is {value.dtype}"
    if np.ndim(value) == 0:
        state = attempt(jaxosc.steady_state, [dynamics], {})
        if (state.kind == "value") != (int(value) == 0):
            yield f"it is {value}, but the steady state is {state}"


def _of_lindblad(value, oscillators, lowering, raising=None):
    yield from _of_equation(True)(value, oscillators, None)


def _of_explanation(value, oscillators, baths):
    for way in value.ways.values():
        if not isinstance(way, str) or (way.startswith("no answer") and not worded(way[11:])):
            yield f"it says {way!r}"


def _of_mean_force(value, oscillators, baths):
    yield from is_covariance(value, oscillators.modes, symmetric=_MANY_MODES * _eps(value))


def _of_occupation(value, covariance, mean=None):
    sigma = plain(covariance).astype(value.dtype)
    if mean is not None:
        mean = plain(mean).astype(value.dtype)
        sigma = sigma + np.outer(mean, mean)
    expected = (np.diag(sigma)[0::2] + np.diag(sigma)[1::2] - 1) / 2
    # One rounding each of two sums
    if not np.allclose(value, expected, rtol=4 * _eps(value), atol=4 * _eps(value), equal_nan=True):
        yield f"it is {value}, not {expected}"


def _of_coherence(value, covariance, mean=None):
    # As the covariance is symmetric: to rounding
    size = max(1.0, np.nanmax(np.abs(plain(covariance)), initial=0.0))
    apart = np.abs(value - np.conj(value).T)
    if np.isfinite(value).all() and apart.max() > 1e3 * _eps(value.real) * size:
        yield f"it is not Hermitian: {value}"


def _of_symplectic(value, covariance):
    sigma = plain(covariance).astype(np.float64)
    sigma[np.abs(sigma) < np.finfo(value.dtype).tiny] = 0  # as processors take denormal numbers
    values = np.linalg.eigvalsh(sigma) if np.isfinite(sigma).all() else np.array([np.nan])
    slack = 64 * np.finfo(value.dtype).eps * np.abs(values).max()
    if not (np.diff(value) >= 0).all() and not np.isnan(value).all():
        yield f"they are not ascending: {value}"
    if values.min() < -slack and not np.isnan(value).all():
        yield f"σ is not positive definite, but they are {value}"
    if values.min() > slack and not (value > 0).all():
        yield f"σ is positive definite, but they are {value}"


def _of_entropy(value, covariance):
    if np.shape(value) != () or value < 0:
        yield f"it is {value}"


def _of_information(value, covariance, modes=None, others=None):
    # As large as the rounding of what is subtracted
    if np.shape(value) != () or value < -64 * _eps(value):
        yield f"it is {value}"


def _of_scalar_from_zero(value, covariance, *others, **named):
    if np.shape(value) != () or value < 0:
        yield f"it is {value}"


def _of_number_covariance(value, covariance, mean=None):
    if not np.array_equal(value, np.swapaxes(value, 0, 1), equal_nan=True):
        finite = np.isfinite(value).all()
        if finite and not np.allclose(value, value.T, rtol=1e-3):
            yield f"it is not symmetric: {value}"


def _of_purity(value, covariance):
    sigma = plain(covariance).astype(np.float64)
    if not np.isfinite(sigma).all():
        return
    _, logarithm = np.linalg.slogdet(sigma)
    if np.shape(value) != ():
        yield f"it is {value}"
    elif np.isfinite(value):
        expected = np.exp(-len(sigma) / 2 * np.log(2) - logarithm / 2)
        # 2N roundings and those of the exponential, times the condition of the matrix
        condition = np.linalg.cond(sigma)
        close = 64 * _eps(value) * (abs(logarithm) + max(1, min(condition, 1e6)))
        if not np.isclose(float(value), expected, rtol=close, atol=1e-307) and value != 0:
            yield f"it is {value}, not {expected}"


def _of_physical(value, covariance):
    if np.shape(value) != () or value.dtype != bool:
        yield f"it is {value!r}"
    sigma = plain(covariance).astype(np.float64)
    # But for the rounding of the entries, here of float32
    if bool(value) and not (
        np.isfinite(sigma).all() and np.linalg.eigvalsh(sigma).min() > -1e-5 * np.abs(sigma).max()
    ):
        yield "σ is not even positive definite"


def _of_derivative(combine):
    def checker(value, function, parameters, by="distance", mode="forward"):
        arrays = {name: plain(given).astype(np.float64) for name, given in parameters.items()}
        names = (by,) if isinstance(by, str) else tuple(by)
        shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
        for leaf in jax.tree.leaves(value):
            if leaf.shape[: len(shape)] != shape:
                yield f"its shape is {leaf.shape}"
        if shape or not isinstance(value, jax.Array):
            return
        point = {name: jnp.asarray(array, leaf.dtype) for name, array in arrays.items()}
        if np.shape(jax.tree.leaves(value)[0]):
            return
        derived = function
        for name in names:
            derived = _partial_derivative(derived, name)
        known = np.asarray(function(**point), np.float64)
        expected = combine(arrays[names[0]], known, np.asarray(derived(**point), np.float64))
        # The same derivative by another route: rounding, of float32 if the parameters are
        close = 1e-12 if leaf.dtype == np.float64 else 1e-5
        if np.isfinite(expected) and not np.isclose(float(leaf), expected, close, 1e-300):
            yield f"it is {leaf}, not {expected}"

    return checker


def _partial_derivative(function, name):
    def derivative(**point):
        def along(x):
            return jnp.asarray(function(**{**point, name: x})).reshape(())

        return jax.jvp(along, (point[name],), (jnp.ones_like(point[name]),))[1]

    return derivative


def _of_curve(value, function, start, bounds, max_points=2000):
    (one, xs), (two, ys) = value.points.items()
    if not len(xs) == len(ys) == len(value.tangent[one]) or len(xs) > 2 * max_points:
        yield f"it has {len(xs)} points"
    for name, values in value.points.items():
        low, high = map(float, bounds[name])
        slack = 1e-9 * (high - low)
        if not ((values >= low - slack) & (values <= high + slack)).all():
            yield f"{name} leaves the bounds: {values}"
    for x, y in zip(xs[:3], ys[:3], strict=True):
        rest = float(function(**{one: jnp.asarray(x), two: jnp.asarray(y)}))
        if not abs(rest) < 1e-4 * max(1.0, abs(x), abs(y)):  # float32 at worst
            yield f"the function is {rest} at ({x}, {y})"


def _of_optimum(value, function, start, bounds, maximize=False, tolerance=1e-6, max_steps=200, **_):
    if len(value.history) != value.steps + 1 or value.steps > int(max_steps):
        yield f"it has {value.steps} steps and {len(value.history)} values"
    for name, number in value.parameters.items():
        low, high = map(float, bounds[name])
        if not low <= number <= high:
            yield f"{name} = {number} is not between {low} and {high}"
    better = np.diff(value.history) * (-1 if maximize else 1)
    if not (better <= 0).all():
        yield f"it got worse: {value.history}"
    known = float(function(**{name: jnp.asarray(each) for name, each in value.parameters.items()}))
    # As good as the rounding of the point; float32 at worst
    if not np.isclose(known, value.value, rtol=1e-4, atol=1e-4):
        yield f"the function is {known} there, not {value.value}"
    if type(value.converged) is not bool or not isinstance(value.reason, str):
        yield f"converged is {value.converged!r}"


def _of_fit(value, start, **_):
    if list(value.parameters) != list(value.standard_errors) or len(value.residuals) != 1:
        yield f"it is {value}"
    if value.covariance.shape != (len(start), len(start)) or not value.chi_squared >= 0:
        yield f"its covariance is {value.covariance}, χ² {value.chi_squared}"
    if type(value.converged) is not bool or not isinstance(value.reason, str):
        yield f"converged is {value.converged!r}"


def _of_fidelity(value, first, second, **_):
    if np.shape(value) != () or not (np.isnan(value) or 0 <= value <= 1):
        yield f"it is {value}"


def _of_relative_entropy(value, first, second, **_):
    if np.shape(value) != () or value < 0:
        yield f"it is {value}"


def _of_information_matrix(value, parameters, **_):
    if np.shape(value) != 2 * np.shape(plain(parameters)):
        yield f"its shape is {np.shape(value)}"
    elif not np.isnan(value).any() and np.linalg.eigvalsh(np.atleast_2d(value)).min() < -1e-9:
        yield f"it is {value}"


def _of_frontier(value, oscillators, baths, tolerance, between=(1e-6, 0.999), **_):
    if int(value.outcome) not in range(5) or not isinstance(str(value.reason), str):
        yield f"its outcome is {value.outcome}"
    ratio = float(value.ratio)
    low, high = map(float, between)
    if bool(value.crosses) == np.isnan(ratio):
        yield f"its ratio is {ratio}, and it crosses: {value.crosses}"
    if not np.isnan(ratio) and not low * (1 - 1e-6) <= ratio <= high * (1 + 1e-6):  # float32
        yield f"its ratio {ratio} is not between {low} and {high}"


def _of_sweep(value, function, axes, reduce=None, **_):
    parameters = {
        name: np.asarray(each) for along in value.axes.values() for name, each in along.items()
    }
    sizes = tuple(len(next(iter(along.values()))) for along in value.axes.values())
    if value.shape != sizes or any(
        each.dtype not in (np.float32, np.float64) for each in parameters.values()
    ):
        yield f"its axes are {value.axes}"
    if (
        reduce is not None
        or attempt(
            function, [], {name: jnp.asarray(each[0]) for name, each in parameters.items()}
        ).kind
        != "value"
    ):
        return
    places = list(np.ndindex(sizes))
    for place in (places[0], places[-1]):
        point = {
            name: jnp.asarray(along[name][index])
            for along, index in zip(value.axes.values(), place, strict=True)
            for name in along
        }
        expected = jax.tree.leaves(function(**point))
        found = jax.tree.leaves(value.values)
        for one, other in zip(expected, found, strict=True):
            close = 1e-5 if np.asarray(other).real.dtype == np.float32 else 1e-12  # roundings
            if not np.allclose(
                np.asarray(one, np.asarray(other).dtype), other[place], rtol=close, equal_nan=True
            ):
                yield f"at {point} it is {other[place]}, not {one}"


CHECKS = {
    "jaxosc.Oscillators": _of_oscillators,
    "jaxosc.Oscillators.from_hessian": _of_hessian,
    "jaxosc.Baths": _of_baths,
    "jaxosc.lindblad": _of_lindblad,
    "jaxosc.status": _of_status,
    "jaxosc.steady_mean": _of_mean,
    "jaxosc.explain": _of_explanation,
    "jaxosc.mean_force_gibbs": _of_mean_force,
    **{
        f"jaxosc.spectra.{name}": _of_sound_spectrum
        for name in (
            "Flat",
            "Ohmic",
            "Drude",
            "Brownian",
            "PowerLaw",
            "Sampled",
            "Sum",
        )
    },
    "jaxosc.Dynamics": _of_dynamics,
    "jaxosc.pair": _of_pair,
    "jaxosc.critical_coupling": _of_critical_coupling,
    "jaxosc.gibbs": _of_gibbs,
    "jaxosc.local_lindblad": _of_equation(True),
    "jaxosc.global_lindblad": _of_equation(True),
    "jaxosc.langevin": _of_equation(False),
    "jaxosc.redfield": _of_equation(False),
    "jaxosc.partial_secular": _of_equation(False),
    "jaxosc.unified_lindblad": _of_equation(True),
    "jaxosc.universal_lindblad": _of_equation(True),
    "jaxosc.detailed_balance_lindblad": _of_equation(True),
    "jaxosc.coarse_grained_lindblad": _of_equation(True),
    "jaxosc.langevin_quadrature": _of_quadrature,
    "jaxosc.langevin_spectrum": _of_spectrum,
    "jaxosc.spectrum": _of_hermitian,
    "jaxosc.response": _of_motion_spectrum,
    "jaxosc.output_spectrum": _of_output,
    "jaxosc.emission_spectrum": _of_emission,
    "jaxosc.scattering": _of_motion_spectrum,
    "jaxosc.relaxation_rates": _of_rates,
    "jaxosc.spectral_gap": _of_gap,
    "jaxosc.eigenvalue_conditions": _of_conditions,
    "jaxosc.normal_modes": _of_modes,
    "jaxosc.critical_scale": _of_critical_scale,
    "jaxosc.stability_scale": _of_stability_scale,
    "jaxosc.diagnose": _of_diagnose,
    "jaxosc.compare": _of_comparison,
    "jaxosc.steady_state": _of_steady_state,
    "jaxosc.occupation": _of_occupation,
    "jaxosc.coherence": _of_coherence,
    "jaxosc.symplectic_eigenvalues": _of_symplectic,
    "jaxosc.von_neumann_entropy": _of_entropy,
    "jaxosc.mutual_information": _of_information,
    "jaxosc.purity": _of_purity,
    "jaxosc.logarithmic_negativity": _of_scalar_from_zero,
    "jaxosc.steering": _of_scalar_from_zero,
    "jaxosc.discord": _of_scalar_from_zero,
    "jaxosc.renyi_entropy": _of_scalar_from_zero,
    "jaxosc.number_covariance": _of_number_covariance,
    "jaxosc.g2": _of_number_covariance,
    "jaxosc.is_physical": _of_physical,
    "jaxosc.susceptibility": _of_derivative(lambda variable, value, slope: slope),
    "jaxosc.critical_exponent": _of_derivative(
        lambda variable, value, slope: -slope * variable / value if value else np.nan
    ),
    "jaxosc.logarithmic_slope": _of_derivative(lambda variable, value, slope: -slope * variable),
    "jaxosc.trace_curve": _of_curve,
    "jaxosc.optimize": _of_optimum,
    "jaxosc.fit": _of_fit,
    "jaxosc.fidelity": _of_fidelity,
    "jaxosc.relative_entropy": _of_relative_entropy,
    "jaxosc.quantum_fisher_information": _of_information_matrix,
    "jaxosc.fisher_information": _of_information_matrix,
    "jaxosc.trust_frontier": _of_frontier,
    "jaxosc.sweep": _of_sweep,
}

# The result has the widest floating dtype among the arguments.
FOLLOWS_DTYPE = {
    "jaxosc.Oscillators", "jaxosc.Baths", "jaxosc.Dynamics", "jaxosc.pair",
    "jaxosc.critical_coupling", "jaxosc.gibbs", "jaxosc.local_lindblad", "jaxosc.global_lindblad",
    "jaxosc.langevin", "jaxosc.langevin_quadrature", "jaxosc.normal_modes", "jaxosc.critical_scale",
    "jaxosc.redfield", "jaxosc.universal_lindblad", "jaxosc.detailed_balance_lindblad",
    "jaxosc.stability_scale", "jaxosc.steady_state", "jaxosc.occupation", "jaxosc.coherence",
    "jaxosc.symplectic_eigenvalues", "jaxosc.von_neumann_entropy", "jaxosc.mutual_information",
    "jaxosc.purity", "jaxosc.is_physical", "jaxosc.fidelity", "jaxosc.relative_entropy",
    "jaxosc.logarithmic_negativity", "jaxosc.steering",
    "jaxosc.discord", "jaxosc.renyi_entropy", "jaxosc.squeezing", "jaxosc.squeezing_angle",
    "jaxosc.number_covariance", "jaxosc.g2", "jaxosc.wigner",
}  # fmt: skip


def run(target, random, thorough=True):
    """One drawn call: how it ended, and what is wrong with that, in words."""
    call = draw(target, TARGETS[target], random, OPTIONAL.get(target, ()), thorough)
    made = attempt(call.arguments, [], {})
    if isinstance(made.value, IndexError):
        return "own", ""  # a leaf of a scalar has no part [:1]
    if made.kind != "value":  # an argument's own, such as a Reduction of what is no function
        return ("worded", "") if worded(made.words) else ("wrong", f"{call}\n    {made.words}")
    positional, named = made.value
    outcome = attempt(evaluate(call.function), positional, named)
    if outcome.kind == "wrong":
        return outcome.kind, f"{call}\n    {outcome.words}"
    if outcome.kind == "value":
        problem = check(call, target, outcome.value)
        if problem:
            return "wrong", f"{call}\n    {problem}"
    return outcome.kind, ""


OPTIONAL = {
    "jaxosc.evolve": ("mean",),
    "jaxosc.Oscillators": ("pairing", "drive"),
    "jaxosc.Oscillators.from_hessian": ("drive",),
    "jaxosc.Baths": ("spectrum", "coupling", "counter_term"),
    "jaxosc.Baths ": ("squeezing", "coupling"),
    "jaxosc.Baths  ": ("spectrum", "counter_term"),
    "jaxosc.pair ": ("damping",),
    "jaxosc.critical_coupling": ("damping",),
    "jaxosc.lindblad": ("raising",),
    "jaxosc.occupation": ("mean",),
    "jaxosc.coherence": ("mean",),
    **{
        f"jaxosc.spectra.{name}": ("reference",)
        for name in (
            "Flat",
            "Ohmic",
            "Drude",
            "Brownian",
            "PowerLaw",
            "Sampled",
        )
    },
    "jaxosc.langevin_spectrum": ("moment",),
    "jaxosc.output_spectrum": ("port", "angle", "efficiency"),
    "jaxosc.emission_spectrum": ("port", "efficiency"),
    "jaxosc.mutual_information": ("modes", "others"),
    "jaxosc.logarithmic_negativity": ("modes", "others"),
    "jaxosc.steering": ("modes", "others"),
    "jaxosc.discord": ("measured",),
    "jaxosc.number_covariance": ("mean",),
    "jaxosc.g2": ("mean",),
    "jaxosc.wigner": ("mean", "mode"),
    "jaxosc.histogram": ("bins",),
    "jaxosc.Reduction": ("finish",),
    "jaxosc.susceptibility": ("mode",),
    "jaxosc.trace_curve": (),
    "jaxosc.optimize": ("maximize", "progress", "logarithmic"),
    "jaxosc.fidelity": ("first_mean", "second_mean"),
    "jaxosc.relative_entropy": ("first_mean", "second_mean"),
    "jaxosc.fisher_information": ("measurement", "angle"),
    "jaxosc.fit": ("logarithmic", "tolerance", "max_steps", "progress"),
    "jaxosc.trust_frontier": ("side", "between"),
    "jaxosc.compare": ("observables", "tolerance"),
    "jaxosc.local_lindblad": ("order", "frequency"),
    "jaxosc.global_lindblad": ("lamb_shift",),
    "jaxosc.redfield": ("lamb_shift",),
    "jaxosc.partial_secular": ("width", "lamb_shift"),
    "jaxosc.unified_lindblad": ("width", "lamb_shift"),
    "jaxosc.coarse_grained_lindblad": ("time",),
    "jaxosc.sweep": ("reduce", "block", "devices", "progress"),
}
