"""Functions of named scalar parameters, and the numbers that go into them."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc.typing import Reals

Function = Callable[..., Any]


def named_arrays(name: str, parameters: Mapping[str, Reals]) -> dict[str, jax.Array]:
    """The parameters as arrays of one floating dtype.

    Raises:
        ValueError: if they are not a mapping from names to finite numbers.
    """
    if not isinstance(parameters, Mapping) or not parameters:
        raise ValueError(
            f"Argument `{name}` must map at least one parameter's name to a number, "
            f"but it is {parameters!r}."
        )
    _require_names(name, parameters)
    arrays = dict(zip(parameters, _checks.float_arrays(**parameters), strict=True))
    for key, array in arrays.items():
        _checks.require_finite(key, array)
    return arrays


def _require_names(argument: str, parameters: Iterable[Any]) -> None:
    for key in parameters:
        if not isinstance(key, str) or not key.isidentifier():
            raise ValueError(f"Argument `{argument}` must have names as keys, but one is {key!r}.")


def require_parameter(argument: str, name: str, parameters: Mapping[str, Any]) -> None:
    """Raise ValueError unless this is the name of one of the parameters."""
    if not isinstance(name, str) or name not in parameters:
        listed = ", ".join(repr(key) for key in parameters)
        raise ValueError(f"Argument `{argument}` must be one of {listed}, but it is {name!r}.")


def require_flag(argument: str, value: Any) -> None:
    """Raise ValueError unless this is True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"Argument `{argument}` must be True or False, but it is {value!r}.")


def require_takes(
    function: Function, parameters: Iterable[str], argument: str = "function"
) -> None:
    """Raise ValueError unless the function can be called with these names."""
    listed = ", ".join(parameters)
    _checks.require_call(argument, function, f"{listed} by name", (), dict.fromkeys(parameters))


def require_arguments(argument: str, function: Any, *names: str) -> None:
    """Raise ValueError unless the function can be called with so many arguments."""
    _checks.require_call(argument, function, f"({', '.join(names)})", names, {})


def call_by_name(function: Function, parameters: Mapping[str, Any]) -> Any:
    """The function at these parameters, passed by position where it can be.

    What ``jax.grad`` and its kin return differentiates arguments passed by position alone.
    """
    try:
        bound = inspect.signature(function).bind(**parameters)
    except (TypeError, ValueError):  # some builtins do not tell
        return function(**parameters)
    return function(*bound.args, **bound.kwargs)


@contextlib.contextmanager
def traceable(argument: str) -> Iterator[None]:
    """Say in words that a function of the user's needs numbers where JAX has none yet."""
    try:
        yield
    except (jax.errors.JAXTypeError, jax.errors.JAXIndexError) as error:
        raise ValueError(
            f"Argument `{argument}` must return the same structure at every point and choose in "
            "Python by no number that it is given, but it does: use jnp.where in place of `if`, "
            f"and jnp in place of NumPy and math. JAX says: {str(error).splitlines()[0]}"
        ) from error


def output_at(function: Function, parameters: Mapping[str, Any], argument: str = "function") -> Any:
    """What a function returns at parameters that are traced, as arrays.

    Raises:
        ValueError: if it needs their values, or returns anything but numbers.
    """
    with traceable(argument):
        value = call_by_name(function, parameters)
    return number_output(argument, value)


def number_output(argument: str, value: Any) -> Any:
    """What a function returned, as arrays.

    Raises:
        ValueError: if there is anything but numbers in it.
    """

    def convert(leaf: Any) -> jax.Array:
        try:
            array = jnp.asarray(leaf)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"Argument `{argument}` must return numbers, arrays or trees of them, "
                f"but it returns a {type(leaf).__name__}."
            ) from error
        # Neither random keys nor the narrow types that files and NumPy do not know
        extended = jnp.issubdtype(array.dtype, jax.dtypes.extended)
        if extended or np.dtype(array.dtype).kind not in "biufc":
            raise ValueError(
                f"Argument `{argument}` must return numbers of a kind that NumPy has, but it "
                f"returns {array.dtype}."
            )
        return array

    try:
        with warnings.catch_warnings():  # of iterators, which are no numbers below
            warnings.simplefilter("ignore", DeprecationWarning)
            leaves, tree = jax.tree.flatten(value)
    except (TypeError, ValueError, SystemError) as error:  # unordered keys, a list in itself
        raise ValueError(
            f"Argument `{argument}` must return numbers, arrays or trees of them, "
            f"but what it returns is no tree: {error}"
        ) from error
    return jax.tree.unflatten(tree, [convert(leaf) for leaf in leaves])


def real_output(argument: str, value: Any) -> Any:
    """What a function returned, as real floating arrays.

    Raises:
        ValueError: if it is complex, or not numbers.
    """
    arrays = number_output(argument, value)
    for array in jax.tree.leaves(arrays):
        if not jnp.issubdtype(array.dtype, jnp.floating):
            raise ValueError(
                f"Argument `{argument}` must return real floating numbers, but it returns "
                f"{array.dtype}; for a complex quantity take its .real, .imag or modulus."
            )
    return arrays


def scalar_output(argument: str, value: Any) -> jax.Array:
    """What a function returned, as one real number.

    Raises:
        ValueError: if it is anything else.
    """
    leaves = jax.tree.leaves(number_output(argument, value))
    if len(leaves) != 1 or leaves[0].shape != ():
        shapes = ", ".join(str(leaf.shape) for leaf in leaves)
        raise ValueError(
            f"Argument `{argument}` must return one real number, but it returns arrays of shape "
            f"{shapes or 'none'}."
        )
    return real_output(argument, leaves[0])


def over_batch(function: Callable[[dict[str, jax.Array]], Any], arrays: dict[str, Any]) -> Any:
    """A function of scalars at every point of arrays that broadcast against each other.

    Raises:
        ValueError: if they do not.
    """
    try:
        shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError as error:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(
            f"Argument `parameters` must hold arrays that broadcast together, but: {shapes}."
        ) from error
    if shape == ():
        return function(arrays)
    points = {name: jnp.broadcast_to(array, shape).reshape(-1) for name, array in arrays.items()}
    values = jax.vmap(function)(points)
    return jax.tree.map(lambda leaf: leaf.reshape(shape + leaf.shape[1:]), values)


def named_bounds(
    name: str, bounds: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """The smallest and the largest value of each parameter.

    Raises:
        ValueError: if they are not a mapping from names to two finite numbers, low < high.
    """
    if not isinstance(bounds, Mapping) or not bounds:
        raise ValueError(
            f"Argument `{name}` must map at least one parameter's name to its smallest and "
            f"largest value, but it is {bounds!r}."
        )
    _require_names(name, bounds)
    ranges = {}
    for key, ends in bounds.items():
        try:
            low, high = map(_checks.real_number, ends)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Argument `{name}` must hold two numbers for {key!r}, but they are {ends!r}."
            ) from error
        if not -np.inf < low < high < np.inf:
            raise ValueError(
                f"Argument `{name}` must hold low < high, both finite, for {key!r}, "
                f"but they are {(low, high)}."
            )
        ranges[key] = (low, high)
    return ranges


def require_inside(
    name: str, point: Mapping[str, jax.Array], ranges: Mapping[str, tuple[float, float]]
) -> None:
    """Raise ValueError unless the point has a known scalar inside the range of every name."""
    if set(point) != set(ranges):
        raise ValueError(
            f"Argument `{name}` must name the parameters of `bounds`, {', '.join(ranges)}, "
            f"but it names {', '.join(point)}."
        )
    for key, (low, high) in ranges.items():
        known = _checks.concrete(point[key])
        if known is None or known.shape != ():
            raise ValueError(
                f"Argument `{name}` must hold one known number for {key!r}, "
                f"but it is {point[key]!r}."
            )
        if not low <= float(known) <= high:
            raise ValueError(
                f"Argument `{name}` must lie inside the bounds, but {key} = {known:.6g} is not "
                f"between {low:.6g} and {high:.6g}."
            )
        limits = np.finfo(known.dtype)
        if not float(limits.tiny) <= high - low <= float(limits.max):
            raise ValueError(
                f"Argument `bounds` must have an ordinary distance between them in {known.dtype} "
                f"for {key!r}, but they are {low:.6g} and {high:.6g}."
            )
