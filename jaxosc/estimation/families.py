"""States as functions of parameters, which users write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxosc import _checks
from jaxosc._numerics.small import symmetric_part
from jaxosc._parameters import real_output, require_arguments, traceable
from jaxosc.typing import Reals

State = Callable[[Any], Any]


def parameters_of(state: State, parameters: Reals) -> jax.Array:
    """The parameters after checks: a scalar or [P]."""
    require_arguments("state", state, "parameters")
    (array,) = _checks.float_arrays(parameters=parameters)
    if array.ndim > 1 or array.size == 0:
        raise ValueError(
            "Argument `parameters` must be a number or one axis of them, "
            f"but its shape is {array.shape}."
        )
    _checks.require_finite("parameters", array)
    return array


def moments_and_slopes(
    state: State, parameters: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """σ [2N, 2N], ⟨r⟩ [2N], and their derivatives [P, 2N, 2N] and [P, 2N]."""

    def moments(point: jax.Array) -> Any:
        with traceable("state"):
            output = state(point.reshape(parameters.shape))
        found = _moments(output)
        return found, found

    slopes, (covariance, mean) = jax.jacfwd(moments, has_aux=True)(parameters.reshape(-1))
    change, shift = (jnp.moveaxis(slope, -1, 0) for slope in slopes)
    return covariance, mean, change, shift


def _moments(output: Any) -> tuple[jax.Array, jax.Array]:
    parts = output if isinstance(output, (tuple, list)) and len(output) == 2 else (output, None)
    covariance = real_output("state", parts[0])
    mean = None if parts[1] is None else real_output("state", parts[1])
    shape: tuple[int, ...] = getattr(covariance, "shape", ())
    square = len(shape) == 2 and shape[0] == shape[1] and shape[0] > 0 and shape[0] % 2 == 0
    fits = mean is None or getattr(mean, "shape", None) == shape[:1]
    if not square or not fits:
        also = "" if mean is None else f" and {getattr(mean, 'shape', 'a tree')}"
        raise ValueError(
            "Argument `state` must return a covariance [2N, 2N], or one and a mean [2N], but it "
            f"returns shape {shape}{also}."
        )
    if mean is None:
        mean = jnp.zeros(shape[:1], covariance.dtype)
    dtype = _checks.widest([covariance.dtype, mean.dtype])
    return symmetric_part(covariance.astype(dtype)), mean.astype(dtype)


def explained(result: jax.Array, state: State, parameters: jax.Array) -> jax.Array:
    """The result; where it is NaN for known parameters, an error of the state's own comes first."""
    known = _checks.concrete(result)
    if known is not None and (known != known).any() and _checks.is_known(parameters):
        state(parameters)  # says why in its own words, if it can
    return result
