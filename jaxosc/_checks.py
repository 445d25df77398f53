"""Turning what users pass into arrays, and saying what is wrong with it."""

from __future__ import annotations

import functools
import inspect
import reprlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ParamSpec, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc.typing import Numbers, Reals

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def nan_is_an_answer(
    function: Callable[_Arguments, _Result],
) -> Callable[_Arguments, _Result]:
    """``function``, among whose answers NaN and infinities are, also where JAX looks for them.

    ``jax_debug_nans`` and ``jax_debug_infs`` would stop it at a point without a value.
    """

    @functools.wraps(function)
    def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        flags: Any = jax.config  # as whose attributes types do not know them
        if not (flags.jax_debug_nans or flags.jax_debug_infs):
            return function(*args, **kwargs)  # in most calls, without 8 μs for two contexts
        with jax.debug_nans(False), jax.debug_infs(False):
            return function(*args, **kwargs)

    return call


def float_arrays(**arguments: Reals) -> list[jax.Array]:
    """The arguments as arrays of one floating dtype, the widest of the arrays among them.

    Integers, Python numbers and sequences of them follow the others, or take JAX's default
    precision.
    """
    arrays, stated = {}, []
    for name, value in arguments.items():
        arrays[name], kinds = _array(name, value)
        stated += kinds
    require_together(**arrays)
    dtype = widest(_floating(stated))
    return [array.astype(dtype) for array in arrays.values()]


def number_arrays(real: dict[str, Reals], numbers: dict[str, Numbers]) -> dict[str, jax.Array]:
    """As ``float_arrays``, where those in the second group may be complex of the same precision."""
    arrays, stated = {}, []
    for name, value in (real | numbers).items():
        arrays[name], kinds = _array(name, value, complex_too=name in numbers)
        stated += kinds
    require_together(**arrays)
    dtype = widest([real_of(kind) for kind in stated if jnp.issubdtype(kind, jnp.inexact)])
    return {name: in_precision(array, dtype) for name, array in arrays.items()}


def real_of(dtype: Any) -> Any:
    """The dtype of the real part."""
    return np.empty(0, dtype).real.dtype


def in_precision(array: jax.Array, dtype: Any) -> jax.Array:
    """An array in this real dtype, or, if it is complex, in the complex one of its precision."""
    complex_of = np.result_type(dtype, np.complex64)
    return array.astype(complex_of if jnp.iscomplexobj(array) else dtype)


def require_together(**values: Any) -> None:
    """Raise ValueError unless what is bound to devices is bound to the same ones."""
    places: dict[Any, str] = {}
    for name, value in values.items():
        for leaf in jax.tree.leaves(value):
            known = isinstance(leaf, jax.Array) and not isinstance(leaf, jax.core.Tracer)
            if known and leaf.committed:
                places.setdefault(frozenset(leaf.devices()), name)
    if len(places) > 1:
        (here, first), (there, second), *_ = places.items()
        raise ValueError(
            f"Argument `{second}` must be on the same device as `{first}`, but they are on "
            f"{sorted(map(str, there))} and {sorted(map(str, here))}; use jax.device_put."
        )


def widest(dtypes: Sequence[Any]) -> Any:
    """The floating dtype with the most bits that JAX has; its default if there is none."""
    # Without a call to the device. Under vmap arrays of NumPy keep 64 bits that JAX has not.
    most = max(dtypes, key=lambda dtype: jnp.dtype(dtype).itemsize, default=float)
    return jax.dtypes.canonicalize_dtype(most)


def _floating(dtypes: Sequence[Any]) -> list[Any]:
    return [dtype for dtype in dtypes if jnp.issubdtype(dtype, jnp.floating)]


_DEEPEST = 8  # nested sequences: far more than any array here has dimensions


def _array(name: str, value: Numbers, complex_too: bool = False) -> tuple[jax.Array, list[Any]]:
    """The value as an array, and the dtypes that it states."""
    try:
        kinds = list(_stated(value))
        if len(set(kinds)) > 1:  # a list of several kinds, which JAX may be told not to mix
            mixed = [kind for kind in kinds if jnp.issubdtype(kind, jnp.inexact)]
            one = widest(mixed if complex_too else _floating(kinds))
            value = jax.tree.map(lambda leaf: jnp.asarray(leaf, one), value)
        if isinstance(value, np.ndarray) and not value.dtype.isnative:
            value = value.astype(value.dtype.newbyteorder("="))
        # Of an array of floats jnp.asarray compiles a copy, shape by shape. One of its own, for
        # the array may change.
        floats = type(value) is np.ndarray and np.issubdtype(value.dtype, np.floating)
        array = jax.device_put(np.array(value)) if floats else jnp.asarray(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"Argument `{name}` must be a {'' if complex_too else 'real '}number or an array of "
            f"them, but {reprlib.repr(value)} is not."
        ) from error
    kinds = [array.dtype] if kinds else []
    accepted = (jnp.inexact if complex_too else jnp.floating, jnp.integer)
    if not any(jnp.issubdtype(array.dtype, kind) for kind in accepted):
        must = "be a number" if complex_too else "be real"
        raise ValueError(f"Argument `{name}` must {must}, but its type is {array.dtype}.")
    if jnp.issubdtype(array.dtype, jnp.floating) and array.dtype.itemsize < 4:
        raise ValueError(
            f"Argument `{name}` must be float32 or float64, but its type is {array.dtype}."
        )
    return array, kinds


def _stated(value: Any, depth: int = 0) -> Iterator[Any]:
    """The dtypes of the arrays in nested sequences.

    Raises:
        TypeError: for text, and for what can be read only once.
        ValueError: if the nesting does not end.
    """
    if isinstance(value, (list, tuple)):
        if depth == _DEEPEST:
            raise ValueError("too many nested sequences")
        for entry in value:
            yield from _stated(entry, depth + 1)
    elif isinstance(value, (str, bytes, Iterator)):
        raise TypeError(f"{type(value).__name__} is not a number")
    elif hasattr(value, "dtype"):
        yield value.dtype


def concrete(value: Any) -> np.ndarray | None:
    """The value as a NumPy array, or None while it is traced by a JAX transformation."""
    try:
        return np.asarray(value)
    except jax.errors.TracerArrayConversionError:
        return None


def is_known(tree: Any) -> bool:
    """Whether no leaf is traced, as inside ``jit``; inside ``jax.grad`` values are known."""
    leaves = jax.tree.leaves(tree)
    return all(concrete(jax.lax.stop_gradient(leaf)) is not None for leaf in leaves)


def require_known(function: str, **records: Any) -> None:
    """Raise ValueError if a leaf is traced, for a function that answers on the host."""
    for name, record in records.items():
        if any(concrete(leaf) is None for leaf in jax.tree.leaves(record)):
            raise ValueError(
                f"Argument `{name}` must hold known values, but they are traced; "
                f"call {function} outside jit, vmap and grad."
            )


def require(name: str, value: Any, condition: Any, must: str) -> None:
    """Raise ValueError unless ``condition(value)`` holds everywhere; pass if traced."""
    known = concrete(value)
    if known is not None and not np.all(condition(known)):
        raise ValueError(f"Argument `{name}` must {must}, but it is {_show(known)}.")


def require_no_nan(result: Any, message: str) -> None:
    """Raise ValueError if a known result is NaN, as it is where the problem has no answer."""
    known = concrete(result)
    if known is not None and np.isnan(known).any():
        raise ValueError(message)


def require_finite(name: str, value: Any) -> None:
    """Raise ValueError unless every entry is a finite number; pass if traced."""
    require(name, value, np.isfinite, "be finite")


def require_shape(name: str, value: jax.Array, shape: Sequence[int], why: str = "") -> None:
    """Raise ValueError unless the array has this shape."""
    if value.shape != tuple(shape):
        raise ValueError(
            f"Argument `{name}` must have shape {tuple(shape)}{why}, "
            f"but its shape is {value.shape}."
        )


def require_quadratures(name: str, value: jax.Array) -> None:
    """Raise ValueError unless the array is a matrix of the quadratures of N >= 1 modes."""
    if value.ndim != 2 or value.shape[0] != value.shape[1] or value.shape[0] % 2 or not value.size:
        raise ValueError(
            f"Argument `{name}` must have shape (2N, 2N) with N >= 1, "
            f"but its shape is {value.shape}."
        )


def require_symmetric(name: str, value: jax.Array) -> None:
    """Raise ValueError unless the matrix is symmetric up to rounding; pass if traced or NaN."""
    known = concrete(value)
    if known is None:
        return
    known = np.where(np.isfinite(known), known, 0)
    asymmetry = np.abs(known - known.T).max()
    if asymmetry > 1e3 * np.finfo(known.dtype).eps * np.abs(known).max():
        raise ValueError(
            f"Argument `{name}` must be symmetric, but opposite entries differ by {asymmetry:.3g}."
        )


def require_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise ValueError unless the value is one of the names."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"Argument `{name}` must be one of {listed}, but it is {value!r}.")


def require_instance(name: str, value: Any, kind: type) -> None:
    """Raise ValueError unless the value is of this class."""
    if not isinstance(value, kind):
        raise ValueError(
            f"Argument `{name}` must be a jaxosc.{kind.__name__}, "
            f"but it is of type {type(value).__name__}."
        )


def require_call(
    argument: str, function: Any, must: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Raise ValueError unless the function can be called with these arguments."""
    if not callable(function):
        raise ValueError(f"Argument `{argument}` must be a function, but it is {function!r}.")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some builtins do not tell
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise ValueError(
            f"Argument `{argument}` must take {must} and nothing more, but: {error}."
        ) from error


def require_fields(
    name: str, complex_too: bool = False, **fields: tuple[Any, tuple[int, ...]]
) -> None:
    """Raise ValueError unless every field of a record is an array of floats of its shape.

    A record that JAX has put together, in ``jax.tree.map``, may hold anything.
    """
    kinds = [np.float32, np.float64, *([np.complex64, np.complex128] if complex_too else [])]
    for field, (value, shape) in fields.items():
        if not isinstance(value, (jax.Array, np.ndarray)) or value.dtype not in kinds:
            kind = getattr(value, "dtype", type(value).__name__)
            raise ValueError(
                f"Argument `{name}` must hold arrays of float32 or float64, "
                f"but its {field} is of type {kind}."
            )
        if value.shape != shape:
            raise ValueError(
                f"Argument `{name}` must hold an array `{field}` of shape {shape}, "
                f"but its shape is {value.shape}."
            )


def require_whole(name: str, value: int, smallest: int, largest: int) -> None:
    """Raise ValueError unless the value is a whole number between two others."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.timedelta64))
    if not whole:
        raise ValueError(f"Argument `{name}` must be a whole number, but it is {value!r}.")
    if not smallest <= value <= largest:
        raise ValueError(
            f"Argument `{name}` must be between {smallest} and {largest}, but it is {value}."
        )


def real_number(value: Any) -> float:
    """The value as a float.

    Raises:
        TypeError, ValueError: if it is not one known real number.
    """
    array = np.asarray(value)
    if array.shape or array.dtype.kind not in "iuf" or np.ma.is_masked(value):
        raise TypeError(f"{type(value).__name__} is no real number")
    return float(array)


def require_double() -> None:
    """Raise ValueError unless JAX computes in double precision."""
    if jnp.zeros(()).dtype != jnp.float64:
        raise ValueError(
            "JAX must be in double precision near a critical point, but it is not: call "
            'jax.config.update("jax_enable_x64", True) first.'
        )


def _show(value: np.ndarray) -> str:
    return np.array2string(value, threshold=8, separator=", ")
