"""Turning what users pass into arrays, and saying what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike


def float_arrays(**arguments: ArrayLike) -> list[jax.Array]:
    """The arguments as arrays of one floating dtype, the widest of the arrays among them.

    Integers, Python numbers and sequences of them follow the others, or take JAX's default
    precision.
    """
    arrays = {name: _array(name, value) for name, value in arguments.items()}
    stated = [
        arrays[name].dtype
        for name, value in arguments.items()
        if any(hasattr(leaf, "dtype") for leaf in jax.tree.leaves(value))
    ]
    dtype = widest([kind for kind in stated if jnp.issubdtype(kind, jnp.floating)])
    return [array.astype(dtype) for array in arrays.values()]


def widest(dtypes: Sequence[Any]) -> Any:
    """The floating dtype with the most bits; JAX's default if there is none."""
    default = jax.dtypes.canonicalize_dtype(float)  # without a call to the device
    return max(dtypes, key=lambda dtype: jnp.dtype(dtype).itemsize, default=default)


def _array(name: str, value: ArrayLike) -> jax.Array:
    try:
        if any(isinstance(leaf, (str, bytes)) for leaf in jax.tree.leaves(value)):
            raise TypeError("text is not a number")
        array = jnp.asarray(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"Argument `{name}` must be a real number or an array of them, but {value!r} is not."
        ) from error
    if array.dtype == bool or not (
        jnp.issubdtype(array.dtype, jnp.floating) or jnp.issubdtype(array.dtype, jnp.integer)
    ):
        raise ValueError(f"Argument `{name}` must be real, but its type is {array.dtype}.")
    if jnp.issubdtype(array.dtype, jnp.floating) and array.dtype.itemsize < 4:
        raise ValueError(
            f"Argument `{name}` must be float32 or float64, but its type is {array.dtype}."
        )
    return array


def concrete(value: Any) -> np.ndarray | None:
    """The value as a NumPy array, or None while it is traced by a JAX transformation."""
    try:
        return np.asarray(value)
    except jax.errors.TracerArrayConversionError:
        return None


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


def require_whole(name: str, value: int, smallest: int, largest: int) -> None:
    """Raise ValueError unless the value is a whole number between two others."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"Argument `{name}` must be a whole number, but it is {value!r}.")
    if not smallest <= value <= largest:
        raise ValueError(
            f"Argument `{name}` must be between {smallest} and {largest}, but it is {value}."
        )


def require_double() -> None:
    """Raise ValueError unless JAX computes in double precision."""
    if jnp.zeros(()).dtype != jnp.float64:
        raise ValueError(
            "JAX must be in double precision near a critical point, but it is not: call "
            'jax.config.update("jax_enable_x64", True) first.'
        )


def _show(value: np.ndarray) -> str:
    return np.array2string(value, threshold=8, separator=", ")
