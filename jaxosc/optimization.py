"""Gradient-based search under bounds, which says how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._landscape import Landscape, Place, Shape, shape_around
from jaxosc._parameters import (
    Function,
    call_by_name,
    named_arrays,
    named_bounds,
    require_flag,
    require_inside,
    require_parameter,
    require_takes,
)
from jaxosc._terminal import progress_bar
from jaxosc.typing import Reals

# Each step is tried at this many places at once, evenly from its start to its end. A region
# without values that is narrower than a part of it could be stepped over.
_TRIALS = 32
# The longest step, in the width of the bounds
_LONGEST_STEP = 0.25
# Next to an optimum of degree p Newton's steps are too short by the factor p − 1.
_FURTHEST = 8.0
# After a step below this part of the parameters' own scales the optimum may be near.
_CLOSE = 1e-2
# The same, of a search that runs into a region without values
_NEAR_THE_EDGE = 1e-9
_MEMORY = 10
# L-BFGS begins anew where slopes have changed by this: in float32 their products still fit.
_UNITS = 1e9
# Off a bound at the start, where there is no slope on it
_MARGIN = 1e-3


@dataclass(frozen=True)
class Optimum:
    """Where a search ended.

    Attributes:
        parameters: the best point, by name.
        value: the function there.
        gradient: its derivative there, by name; infinite or NaN on a bound if the function's is.
        converged: whether that is a minimum, or maximum, within the tolerance, by the slopes on
            all sides.
        reason: why the search ended, in words.
        steps: how many steps it took.
        history: the best value so far, at the start and after each step. The last may differ from
            ``value`` by rounding, and by a last correction.
    """

    parameters: dict[str, float]
    value: float
    gradient: dict[str, float]
    converged: bool
    reason: str
    steps: int
    history: np.ndarray


@_checks.nan_is_an_answer
def optimize(
    function: Function,
    start: Mapping[str, Reals],
    bounds: Mapping[str, tuple[float, float]],
    maximize: bool = False,
    tolerance: float = 1e-6,
    max_steps: int = 200,
    progress: bool = False,
    logarithmic: str | Sequence[str] = (),
) -> Optimum:
    """Find a minimum or maximum of a function of named parameters, under bounds.

    Directions come from L-BFGS (optax), and near an optimum from Newton's method, with second
    derivatives by differences of the gradient. Every step is tried along its whole length, and cut
    where the function stops having a value, so that a search cannot pass a critical point unseen:
    it ends there and says so. Where the gradient vanishes but the function curves the other way,
    at a saddle or the wrong extremum, the search goes on along that curvature. An optimum may lie
    on a bound.

    Neither the search nor what it calls converged depends on the unit or the zero of the function
    and of the parameters, but for rounding.

    Args:
        function: takes the parameters by name as scalars, returns one real number; NaN where it
            has no value, as everything in jaxosc is past a critical point. It is compiled once a
            call, as with ``jax.jit``: what it finds beside its arguments is fixed then.
        start: where to begin, inside the bounds.
        bounds: the smallest and the largest value of each parameter.
        maximize: whether to look for a maximum in place of a minimum.
        tolerance: how near to the optimum each parameter has to be: within this part of its
            distance to the nearer bound (if ``logarithmic``, of itself), or of four of its
            roundings if that is more. So far to all sides of the point the gradients are
            evaluated; the search has converged if the quadratic that they determine curves
            upwards (at a maximum downwards) in every direction and has its optimum within that
            distance, and the slope towards it ends there too. A parameter may lie on a bound
            instead, where the slope points out, on it or four roundings inside: an optimum that
            is not on the bound is nowhere within tolerance of the bound. Where the optimum of
            several parameters has no quadratic, as that of Σu⁴, or one that rounding hides, the
            slopes have to point up all around, in some thirty directions a 64th of the tolerance
            away, among them those of the softest slopes; along a valley more than 64 times as
            long as wide this is strong evidence and no proof. Where slope and curvature are zero
            to rounding in some directions, ``reason`` says so, and no more is known along these;
            where they are in all, nothing has converged.
        max_steps: when to give up.
        progress: whether to show a progress bar on the standard error.
        logarithmic: the names of parameters to be searched on a logarithmic scale, as for a
            damping rate of unknown order of magnitude. Their bounds must be positive.

    Returns:
        An Optimum. It is a local one. Read ``converged`` and ``reason`` before ``parameters``.

    Raises:
        ValueError: if an argument does not fit, or the function has no value or gradient at the
            start, by the function's own error if it has one.

    Example:
        >>> found = jaxosc.optimize(
        ...     lambda gamma: gamma / (gamma + 1e-7) ** 2,
        ...     {"gamma": 1e-3},
        ...     {"gamma": (1e-12, 1.0)},
        ...     maximize=True,
        ...     logarithmic="gamma",
        ... )
        >>> found.converged, f"{found.parameters['gamma']:.4g}"
        (True, '1e-07')
    """
    ranges = named_bounds("bounds", bounds)
    begin = named_arrays("start", start)
    require_inside("start", begin, ranges)
    require_takes(function, begin)
    try:
        tolerance = _checks.real_number(tolerance)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Argument `tolerance` must be a number, but it is {tolerance!r}."
        ) from error
    if not 0 < tolerance < 1:
        raise ValueError(f"Argument `tolerance` must lie between 0 and 1, but it is {tolerance!r}.")
    require_flag("maximize", maximize)
    require_flag("progress", progress)
    _checks.require_whole("max_steps", max_steps, 1, 10**6)
    names = _logarithmic_names(logarithmic, ranges)
    dtype = jax.tree.leaves(begin)[0].dtype
    landscape = Landscape(function, ranges, names, -1.0 if maximize else 1.0, dtype)
    first = landscape.scaled(np.array([float(begin[name]) for name in ranges]))
    with np.errstate(all="ignore"):  # infinite values and slopes are none, which is said in words
        here = landscape.at(first)
        if not here.defined:  # such as the slope of a root on a bound
            margin = _MARGIN * landscape.width
            here = landscape.at(np.clip(first, landscape.low + margin, landscape.high - margin))
        if here.defined:
            return _search(landscape, here, tolerance, max_steps, progress)
    call_by_name(function, begin)  # says why in its own words, if it can
    raise ValueError(
        "Argument `start` must lie where the function has a value and a gradient, but the "
        f"function is {landscape.sign * here.value:.6g} there."
    )


def _logarithmic_names(
    logarithmic: str | Sequence[str], ranges: dict[str, tuple[float, float]]
) -> tuple[str, ...]:
    try:
        names = (logarithmic,) if isinstance(logarithmic, str) else tuple(logarithmic)
    except TypeError as error:
        raise ValueError(
            f"Argument `logarithmic` must be a name or several, but it is {logarithmic!r}."
        ) from error
    for name in names:
        require_parameter("logarithmic", name, ranges)
        if ranges[name][0] <= 0:
            raise ValueError(
                "Argument `bounds` must be positive for a logarithmic parameter, but they are "
                f"{ranges[name]} for {name!r}."
            )
    return names


class _Directions:
    """L-BFGS of optax, in the widths of the bounds, over the parameters that no bound holds."""

    def __init__(self, landscape: Landscape) -> None:
        self._landscape = landscape
        import optax  # here, for its import takes as long as a quarter of JAX's

        self._solver = optax.scale_by_lbfgs(memory_size=_MEMORY)
        self._update = jax.jit(self._solver.update)
        self._free = np.zeros(0)
        self._size = 1.0
        self.forget()

    def forget(self) -> None:
        """Begin anew: the steps so far tell nothing of the curvature."""
        self._state: Any = None

    def step(self, here: Place) -> np.ndarray:
        """A step along which the function falls at first; none where it is flat."""
        land = self._landscape
        slope = here.pull * land.width
        size = float(np.abs(slope).max())
        if size == 0:
            return slope
        new_units = not 1 / _UNITS < size / self._size < _UNITS
        if self._state is None or new_units or not np.array_equal(here.free, self._free):
            # In these units no product of two slopes overflows or vanishes.
            self._free, self._size = here.free, size
            self._state = self._solver.init(jnp.asarray(here.y / land.width, land.dtype))
        # optax mixes types, which a user of JAX's strict mode need not know.
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            direction, self._state = self._update(
                jnp.asarray(slope / self._size, land.dtype),
                self._state,
                jnp.asarray(here.y / land.width, land.dtype),
            )
        step = -np.asarray(direction, np.float64)
        leaving = ((here.y <= land.low) & (step < 0)) | ((here.y >= land.high) & (step > 0))
        step = np.where(leaving | ~here.free, 0, step)
        if not np.isfinite(step).all() or step @ (slope / size) >= 0:
            self.forget()
            step = -slope / size
        return land.width * step * min(1.0, _LONGEST_STEP / np.abs(step).max())


@dataclass(frozen=True)
class _Outcome:
    """Where a step or a look around led: to a place, if any, and next to points without a value."""

    place: Place | None
    edge: bool = False
    reason: str = ""
    converged: bool = False


def _search(
    land: Landscape, here: Place, tolerance: float, max_steps: int, progress: bool
) -> Optimum:
    directions = _Directions(land)
    history = [here.value]
    moved = np.full(len(here.y), np.inf)
    converged, reason = False, f"it did not converge in {max_steps} steps"
    with progress_bar(total=max_steps, disable=not progress, leave=False, unit="step") as bar:
        for _ in range(max_steps + 1):
            bar.set_postfix_str(f"value {land.sign * here.value:.8g}")
            last = len(history) > max_steps
            close = last or _is_close(land, here, history, moved)
            gained = tolerance * (history[0] - history[-1])
            outcome = _look_around(land, here, tolerance, gained) if close else _Outcome(None)
            seen = outcome
            if outcome.place is None and not outcome.converged and not last:
                outcome = _line_search(land, here, directions.step(here))
                if outcome.place is None and not close:
                    seen = _look_around(land, here, tolerance, gained)
                    outcome = replace(seen, edge=seen.edge | outcome.edge)
            if outcome.converged:
                here = here if outcome.place is None else outcome.place
                converged, reason = True, outcome.reason
                break
            if last:
                break
            if outcome.place is None:
                where = "next to where it has no value" if outcome.edge else "within rounding"
                reason = seen.reason or f"no step along the gradient improves the function, {where}"
                break
            if seen.place is not None:
                directions.forget()
            moved = np.abs(outcome.place.y - here.y)
            here = outcome.place
            history.append(min(history[-1], here.value))
            bar.update(1)
            if not here.defined:
                reason = "the function has a value there but no gradient"
                break
            if outcome.edge and (moved < _NEAR_THE_EDGE * land.own_scale(here.y)).all():
                reason = "it ran into a critical point: past it the function has no value"
                break
    return Optimum(
        land.named(land.point(here.y)),
        land.sign * here.value,
        land.named(land.sign * here.gradient),
        converged,
        reason,
        len(history) - 1,
        land.sign * np.array(history),
    )


def _is_close(land: Landscape, here: Place, history: list[float], moved: np.ndarray) -> bool:
    """Whether the optimum may be near, or the values too rounded to tell the way."""
    own = land.own_scale(here.y)
    rounding = 64 * land.eps * abs(here.value)
    stalled = len(history) % _MEMORY == 0 and history[-_MEMORY] - here.value <= rounding
    return bool(
        stalled or (moved <= _CLOSE * own)[here.free].all() or np.abs(here.pull) @ own <= rounding
    )


def _look_around(land: Landscape, here: Place, tolerance: float, allowed: float) -> _Outcome:
    """Whether this is an optimum; if not, a better place by the slopes around.

    Where values are rounded the slopes decide, and may raise the value by what is allowed.
    """
    shape = shape_around(land, here, tolerance)
    if not shape.known:
        return _Outcome(None, edge=True)
    noise = max(_rounding(land, here), min(shape.noise, allowed))
    if shape.near and shape.falling is not None:
        away = _leave(land, here, shape.falling)
        return away if away.place is not None else _newton(land, here, shape, noise)
    if not shape.optimum:
        return _newton(land, here, shape, noise)
    for direction in shape.level:
        away = _leave(land, here, direction, flat=True)
        if away.place is not None:
            return away
    if shape.featureless:
        return _Outcome(None, reason="the function is flat there, to rounding, in every direction")
    reason = f"it is a {'minimum' if land.sign > 0 else 'maximum'} within the bounds"
    if shape.level:
        reason += ", along a line or more in which the function is flat to rounding"
    final = land.at(here.y + shape.step)
    better = (
        final.defined
        and final.value <= here.value + noise
        and np.array_equal(final.free, here.free)
        and shape.excess(final.slope) <= shape.excess(here.slope)
        and shape_around(land, final, tolerance).optimum
    )
    return _Outcome(final if better else None, reason=reason, converged=True)


def _newton(land: Landscape, here: Place, shape: Shape, noise: float) -> _Outcome:
    """A step to the minimum of the quadratic, or part of it."""
    length = np.abs(shape.step / land.width).max()
    if length == 0:
        return _Outcome(None)
    step = shape.step * min(1.0, _LONGEST_STEP / length)
    outcome = _line_search(land, here, step, _FURTHEST)
    if outcome.edge or shape.falling is not None:
        return outcome
    # The slopes know the way where the values are rounded, and at the end their zero better.
    most = shape.excess(here.slope)
    so_far = here if outcome.place is None else outcome.place
    least = shape.excess(so_far.slope)
    best = outcome
    for part in (_FURTHEST, 4.0, 2.0, 1.0, 0.5, 0.25, 0.125):
        there = land.at(here.y + part * step)
        excess = shape.excess(there.slope)
        enough = excess < least and excess <= (1 - min(part, 1) / 8) * most
        if there.defined and enough and there.value <= so_far.value + noise:
            least, best = excess, _Outcome(there)
    return best


def _rounding(land: Landscape, here: Place) -> float:
    """How far apart values may be that are equal but for rounding."""
    return 16 * land.eps * abs(here.value)


def _leave(land: Landscape, here: Place, direction: np.ndarray, flat: bool = False) -> _Outcome:
    """The lowest of many places either way, all across the bounds, and if need be nearer."""
    best: Place | None = None
    edge = False
    step = direction / np.abs(direction / land.width).max()
    while best is None:
        for way in (step, -step):
            places, values, defined = _tried(land, here, way, 1.0)
            edge |= not defined.all()
            values = np.where(defined, values, np.inf)
            if values.min() < here.value - _rounding(land, here):
                reached = land.at(places[np.argmin(values)])
                best = reached if best is None or reached.value < best.value else best
        step = step / _TRIALS
        if flat or (np.abs(step) <= land.rounding(here.y)).all():
            break
    return _Outcome(best, edge)


def _tried(
    land: Landscape, here: Place, step: np.ndarray, longest: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places along a step, inside the bounds, their values, and which lie before any gap."""
    parts = longest * np.arange(1, _TRIALS + 1) / _TRIALS
    places = np.clip(here.y + parts[:, None] * step, land.low, land.high)
    values = land.along(places)
    return places, values, np.logical_and.accumulate(np.isfinite(values))


def _line_search(land: Landscape, here: Place, step: np.ndarray, longest: float = 1.0) -> _Outcome:
    """The best of many places along a step, and whether the step meets a point without a value."""
    edge = False
    while True:
        places, values, defined = _tried(land, here, step, longest)
        edge |= not defined.all()
        fall = (places - here.y) @ here.pull
        enough = defined & (fall < 0) & (values <= here.value + 1e-4 * fall)
        if enough.any():
            best = places[np.argmin(np.where(enough, values, np.inf))]
            return _Outcome(land.at(best), edge)
        if (np.abs(step) <= land.rounding(here.y)).all():
            return _Outcome(None, edge)
        step = step / _TRIALS
