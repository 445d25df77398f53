"""Functions of named scalar parameters, and the numbers that go into them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxosc import _checks

Function = Callable[..., Any]


def named_arrays(name: str, parameters: Mapping[str, ArrayLike]) -> dict[str, jax.Array]:
    """The parameters as arrays of one floating dtype.

    Raises:
        ValueError: if they are not a mapping from names to finite numbers.
    """
    if not isinstance(parameters, Mapping) or not parameters:
        raise ValueError(
            f"Argument `{name}` must map at least one parameter's name to a number, "
            f"but it is {parameters!r}."
        )
    for key in parameters:
        if not isinstance(key, str) or not key.isidentifier():
            raise ValueError(f"Argument `{name}` must have names as keys, but one is {key!r}.")
    arrays = dict(zip(parameters, _checks.float_arrays(**parameters), strict=True))
    for key, array in arrays.items():
        _checks.require_finite(key, array)
    return arrays


def require_parameter(argument: str, name: str, parameters: Mapping[str, Any]) -> None:
    """Raise ValueError unless this is the name of one of the parameters."""
    if not isinstance(name, str) or name not in parameters:
        listed = ", ".join(repr(key) for key in parameters)
        raise ValueError(f"Argument `{argument}` must be one of {listed}, but it is {name!r}.")


def require_takes(function: Function, parameters: Iterable[str]) -> None:
    """Raise ValueError unless the function can be called with these names."""
    if not callable(function):
        raise ValueError(f"Argument `function` must be a function, but it is {function!r}.")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some builtins do not tell
        return
    try:
        signature.bind(**dict.fromkeys(parameters))
    except TypeError as error:
        listed = ", ".join(parameters)
        raise ValueError(
            f"Argument `function` must take {listed} by name and nothing more, but: {error}."
        ) from error


def call_by_name(function: Function, parameters: Mapping[str, Any]) -> Any:
    """The function at these parameters, passed by position where it can be.

    What ``jax.grad`` and its kin return differentiates arguments passed by position alone.
    """
    try:
        bound = inspect.signature(function).bind(**parameters)
    except (TypeError, ValueError):  # some builtins do not tell
        return function(**parameters)
    return function(*bound.args, **bound.kwargs)


def real_output(value: Any) -> Any:
    """What a function returned, as real floating arrays.

    Raises:
        ValueError: if it is complex, or not numbers.
    """

    def convert(leaf: Any) -> jax.Array:
        array = jnp.asarray(leaf)
        if not jnp.issubdtype(array.dtype, jnp.floating):
            raise ValueError(
                "Argument `function` must return real floating numbers, but it returns "
                f"{array.dtype}; for a complex quantity take its .real, .imag or modulus."
            )
        return array

    return jax.tree.map(convert, value)


def scalar_output(value: Any) -> jax.Array:
    """What a function returned, as one real number.

    Raises:
        ValueError: if it is anything else.
    """
    leaves = jax.tree.leaves(value)
    if len(leaves) != 1 or jnp.shape(leaves[0]) != ():
        shapes = ", ".join(str(jnp.shape(leaf)) for leaf in leaves)
        raise ValueError(
            "Argument `function` must return one real number, but it returns arrays of shape "
            f"{shapes or 'none'}."
        )
    return real_output(leaves[0])


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
    ranges = {}
    for key, ends in bounds.items():
        try:
            low, high = (float(end) for end in ends)
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
        if not low <= known <= high:
            raise ValueError(
                f"Argument `{name}` must lie inside the bounds, but {key} = {known:.6g} is not "
                f"between {low:.6g} and {high:.6g}."
            )
