"""Fisher information of what a homodyne or heterodyne detector reads."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from jaxosc import _checks
from jaxosc._numerics import fisher
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.uncertainty import is_state
from jaxosc.estimation.families import State, explained, moments_and_slopes, parameters_of
from jaxosc.typing import Measurement, Reals

MEASUREMENTS = ("homodyne", "heterodyne")


@_checks.nan_is_an_answer
def fisher_information(
    state: State,
    parameters: Reals,
    measurement: Measurement = "homodyne",
    angle: Reals = 0.0,
) -> jax.Array:
    """Classical Fisher information of homodyne or heterodyne outcomes of every mode.

    Outcomes are Gaussian with a covariance Σ and a mean m, and

        F_ij = ½ Tr[Σ⁻¹∂_iΣ Σ⁻¹∂_jΣ] + ∂_i mᵀ Σ⁻¹ ∂_j m.

    Homodyne: the quadratures x_j cos φ_j + p_j sin φ_j, Σ = CσCᵀ [N, N]. Heterodyne: both of each
    mode at once, with the vacuum that comes in, Σ = σ + ½. Never more than the
    ``quantum_fisher_information``.

    Args:
        state: as for ``quantum_fisher_information``.
        parameters: where; a number or [P].
        measurement: ``"homodyne"`` or ``"heterodyne"``.
        angle: φ in radians, one for all modes or [N]; homodyne alone has any.

    Returns:
        A scalar for a number, in units of one over its square, or the matrix F [P, P], of one
        measurement of all modes. NaN where σ is
        not physical.

    Raises:
        ValueError: if an argument does not fit, or at known parameters where the state is none,
            by the state's own error.

    Example:
        >>> def displaced(x):  # a coherent state
        ...     return 0.5 * jnp.eye(2), jnp.stack([x, 0 * x])
        >>> round(float(jaxosc.fisher_information(displaced, 0.0)), 6)
        2.0
        >>> round(float(jaxosc.fisher_information(displaced, 0.0, "heterodyne")), 6)
        1.0
    """
    array = parameters_of(state, parameters)
    _checks.require_choice("measurement", measurement, MEASUREMENTS)
    (turn,) = _checks.float_arrays(angle=angle)
    if turn.ndim > 1:
        raise ValueError(
            f"Argument `angle` must be a number or one a mode, but its shape is {turn.shape}."
        )
    return explained(_information(state, array, turn, measurement), state, array)


@partial(jax.jit, static_argnames=("state", "measurement"))
def _information(
    state: State, parameters: jax.Array, angle: jax.Array, measurement: Measurement
) -> jax.Array:
    covariance, _, change, shift = moments_and_slopes(state, parameters)
    physical = is_state(covariance)
    if measurement == "heterodyne":
        covariance = covariance + jnp.eye(len(covariance), dtype=covariance.dtype) / 2
    else:
        seen = _quadratures(angle.astype(covariance.dtype), len(covariance) // 2)
        covariance, change, shift = (
            seen @ covariance @ seen.T,
            seen @ change @ seen.T,
            shift @ seen.T,
        )
    matrix = fisher.classical_fisher(covariance, change, shift)
    return nan_unless(physical, matrix).reshape(2 * parameters.shape)


def _quadratures(angle: jax.Array, modes: int) -> jax.Array:
    """The rows [N, 2N] of x_j cos φ_j + p_j sin φ_j."""
    if angle.shape not in ((), (modes,)):
        raise ValueError(
            f"Argument `angle` must be a number or one a mode, {(modes,)}, "
            f"but its shape is {angle.shape}."
        )
    turn = jnp.broadcast_to(angle, (modes,))
    rows = jnp.stack([jnp.cos(turn), jnp.sin(turn)], axis=-1)
    return (jnp.eye(modes, dtype=angle.dtype)[:, :, None] * rows[:, None, :]).reshape(modes, -1)
