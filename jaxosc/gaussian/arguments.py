"""The arguments that numbers of a state share, checked."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import jax

from jaxosc import _checks
from jaxosc._numerics.symmetry import symmetric_slope
from jaxosc._numerics.whole import is_whole, whole, written
from jaxosc.typing import Reals


def covariance_of(covariance: Reals) -> jax.Array:
    """σ after checks."""
    (array,) = _checks.float_arrays(covariance=covariance)
    _checks.require_quadratures("covariance", array)
    _checks.require_symmetric("covariance", array)
    state = symmetric_slope(written(array))
    return whole(state) if is_whole(array) else state


def second_moments(covariance: Reals, mean: Reals | None) -> jax.Array:
    """σ + ⟨r⟩⟨r⟩ᵀ after checks."""
    if mean is None:
        return covariance_of(covariance)
    covariance, mean = _checks.float_arrays(covariance=covariance, mean=mean)
    covariance = covariance_of(covariance)
    _checks.require_shape("mean", mean, covariance.shape[:1])
    moments = covariance + mean[:, None] * mean[None, :]
    return whole(moments) if is_whole(covariance) else moments


def groups_of(
    total: int, modes: Sequence[int] | None, others: Sequence[int] | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two groups of modes out of so many."""
    if modes is None:
        if total != 2:
            raise ValueError(
                "Argument `modes` must name the modes of the first group, "
                f"but it is missing and there are {total} modes."
            )
        if others is not None:
            raise ValueError("Argument `modes` must be given with `others`, but it is missing.")
        modes = (0,)
    first = _indices("modes", modes)
    rest = [mode for mode in range(total) if mode not in first]
    second = rest if others is None else _indices("others", others)
    for name, group in (("modes", first), ("others", second)):
        if not group or len(set(group)) < len(group) or not all(0 <= m < total for m in group):
            raise ValueError(
                f"Argument `{name}` must hold different modes between 0 and {total - 1}, "
                f"at least one, but it is {tuple(group)}."
            )
    if set(first) & set(second):
        raise ValueError(
            f"Argument `others` must share no mode with `modes`, but it is {tuple(second)} "
            f"and `modes` is {tuple(first)}."
        )
    return tuple(first), tuple(second)


def _indices(name: str, modes: Sequence[int]) -> list[int]:
    try:
        return [operator.index(mode) for mode in modes]
    except (TypeError, jax.errors.ConcretizationTypeError) as error:
        raise ValueError(
            f"Argument `{name}` must be a sequence of whole numbers known before compilation, "
            f"but it is {modes!r}; under jax.jit, name it in static_argnames."
        ) from error


def restricted(covariance: jax.Array, modes: tuple[int, ...]) -> jax.Array:
    """σ of some modes, in the order given."""
    if 2 * len(modes) == covariance.shape[0] and list(modes) == sorted(modes):
        return covariance
    for axis in (0, 1):
        # Not by indices, for the reason that ``small.rows_of`` has: 4 ms a point of a batch
        parts = jax.lax.split(covariance, (2,) * (covariance.shape[axis] // 2), axis=axis)
        covariance = jax.lax.concatenate([parts[mode] for mode in modes], dimension=axis)
    return covariance
