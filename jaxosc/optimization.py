"""Gradient-based search under bounds, which says how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxosc import _checks
from jaxosc._parameters import (
    Function,
    call_by_name,
    named_arrays,
    named_bounds,
    output_at,
    real_number,
    require_flag,
    require_inside,
    require_takes,
    scalar_output,
)
from jaxosc._terminal import progress_bar
from jaxosc.typing import Reals

# Each step is tried at this many places at once, evenly from its start to its end. A region
# without values that is narrower than a part of it could be stepped over.
_TRIALS = 32
# The longest step, in the width of the bounds
_LONGEST_STEP = 0.25
# A line search gives up, and a critical point counts as reached, below this part of the bounds.
_SHORTEST_STEP = 1e-12
_NEAR_THE_EDGE = 1e-9
_MEMORY = 10
# Away from a bound at the start: on it, the slope by the angle below is zero.
_MARGIN = 1e-3


@dataclass(frozen=True)
class Optimum:
    """Where a search ended.

    Attributes:
        parameters: the best point, by name.
        value: the function there.
        gradient: its derivative there, by name.
        converged: whether that is a minimum, or maximum, to the tolerance, by the gradient and
            the second derivatives.
        reason: why the search ended, in words.
        steps: how many steps it took.
        history: the function at the start and after each step.
    """

    parameters: dict[str, float]
    value: float
    gradient: dict[str, float]
    converged: bool
    reason: str
    steps: int
    history: np.ndarray


def optimize(
    function: Function,
    start: Mapping[str, Reals],
    bounds: Mapping[str, tuple[float, float]],
    maximize: bool = False,
    tolerance: float = 1e-6,
    max_steps: int = 200,
    progress: bool = False,
) -> Optimum:
    """Find a minimum or maximum of a function of named parameters, under bounds.

    Directions come from L-BFGS (optax). Every step is tried along its whole length, and cut
    where the function stops having a value, so that a search cannot pass a critical point
    unseen: it ends there and says so. Where the gradient vanishes but the function curves the
    other way, at a saddle or the wrong extremum, the search goes on along that curvature. Each
    parameter is an angle within its bounds, x = low + (high − low)(1 − cos πu)/2, which makes an
    optimum on a bound an ordinary one.

    Args:
        function: takes the parameters by name as scalars, returns one real number; NaN where it
            has no value, as everything in jaxosc is past a critical point. It is compiled once a
            call, as with ``jax.jit``: what it finds beside its arguments is fixed then.
        start: where to begin, inside the bounds.
        bounds: the smallest and the largest value of each parameter.
        maximize: whether to look for a maximum in place of a minimum.
        tolerance: the search has converged when the function, by its gradient, would change over
            the width of the bounds by no more than this part of its value, or of what the last
            ten steps gained if that is more. A slope that points out of the bounds does not
            count, nor does a curvature as small, or within the rounding of the gradient.
        max_steps: when to give up.
        progress: whether to show a progress bar on the standard error.

    Returns:
        An Optimum. It is a local one. Read ``converged`` and ``reason`` before ``parameters``.

    Raises:
        ValueError: if an argument does not fit, or the function has no value or gradient at the
            start, by the function's own error if it has one.
    """
    ranges = named_bounds("bounds", bounds)
    begin = named_arrays("start", start)
    require_inside("start", begin, ranges)
    require_takes(function, begin)
    try:
        tolerance = real_number(tolerance)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Argument `tolerance` must be a number, but it is {tolerance!r}."
        ) from error
    if not 0 < tolerance < 1:
        raise ValueError(f"Argument `tolerance` must lie between 0 and 1, but it is {tolerance!r}.")
    require_flag("maximize", maximize)
    require_flag("progress", progress)
    _checks.require_whole("max_steps", max_steps, 1, 10**6)
    problem = _Problem(function, ranges, -1.0 if maximize else 1.0, jax.tree.leaves(begin)[0].dtype)
    first = problem.angle(begin)
    value, _, gradient = problem.evaluate(first)
    if not np.isfinite(value) or not np.isfinite(gradient).all():
        call_by_name(function, begin)  # says why in its own words, if it can
        raise ValueError(
            "Argument `start` must lie where the function has a value and a gradient, but the "
            f"function is {float(value):.6g} there."
        )
    return _search(problem, first, tolerance, max_steps, progress)


class _Problem:
    """The function of the angles u, to be minimised."""

    def __init__(
        self,
        function: Function,
        ranges: dict[str, tuple[float, float]],
        sign: float,
        dtype: np.dtype,
    ) -> None:
        self.names = tuple(ranges)
        self.sign = sign
        self.dtype = dtype
        self.eps = float(np.finfo(dtype).eps)
        self.low = np.array([ranges[name][0] for name in self.names])
        self.high = np.array([ranges[name][1] for name in self.names])
        self.width = self.high - self.low
        low, high = (jnp.asarray(part, dtype) for part in (self.low, self.high))

        def of_fraction(fraction: jax.Array) -> jax.Array:
            # So written, it is the bound itself at either end.
            point = low * (1 - fraction) + high * fraction
            parameters = dict(zip(self.names, point, strict=True))
            return sign * scalar_output("function", output_at(function, parameters))

        def of_angle(angle: jax.Array) -> jax.Array:
            return of_fraction((1 - jnp.cos(jnp.pi * angle)) / 2)

        self._derive: Callable[[jax.Array], Any] = jax.jit(jax.value_and_grad(of_fraction))
        self._along: Callable[[jax.Array], jax.Array] = jax.jit(jax.vmap(of_angle))

    def angle(self, point: Mapping[str, Any]) -> np.ndarray:
        """The angles u of a point, kept off the bounds."""
        fraction = (np.array([float(point[name]) for name in self.names]) - self.low) / self.width
        fraction = np.clip(fraction, _MARGIN, 1 - _MARGIN)
        return np.arccos(1 - 2 * fraction) / np.pi

    def point(self, angle: np.ndarray) -> np.ndarray:
        """The parameters."""
        fraction = self.fraction(angle)
        return self.low * (1 - fraction) + self.high * fraction

    def fraction(self, angle: np.ndarray) -> np.ndarray:
        """Where in its bounds each parameter is."""
        return (1 - np.cos(np.pi * angle)) / 2

    def named(self, values: np.ndarray) -> dict[str, float]:
        """Numbers by name."""
        return {name: float(value) for name, value in zip(self.names, values, strict=True)}

    def evaluate(self, angle: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The value, its slope by the angles, and by the fractions."""
        value, gradient = self._derive(jnp.asarray(self.fraction(angle), self.dtype))
        gradient = np.asarray(gradient, np.float64)
        return float(value), gradient * np.sin(np.pi * angle) * np.pi / 2, gradient

    def along(self, angles: np.ndarray) -> np.ndarray:
        """The values at several points [K, n]."""
        return np.asarray(self._along(jnp.asarray(angles, self.dtype)), np.float64)


def _search(
    problem: _Problem, angle: np.ndarray, tolerance: float, max_steps: int, progress: bool
) -> Optimum:
    solver = optax.scale_by_lbfgs(memory_size=_MEMORY)
    update = jax.jit(solver.update)
    state = solver.init(jnp.asarray(angle, problem.dtype))
    value, slope, gradient = problem.evaluate(angle)
    history = [value]
    reason, converged = f"it did not converge in {max_steps} steps", False
    with progress_bar(total=max_steps, disable=not progress, leave=False, unit="step") as bar:
        for _ in range(max_steps):
            scale = max(abs(value), abs(history[max(0, len(history) - _MEMORY)] - value))
            remaining = _projected(problem.fraction(angle), gradient, scale)
            bar.set_postfix_str(f"value {problem.sign * value:.8g}, slope {remaining:.1e}")
            converged = remaining <= tolerance
            # Next to a saddle the slope may be lost in the rounding of the value.
            stalled = len(history) % _MEMORY == 0 and history[-_MEMORY] <= value
            taken, edge = None, False
            if converged or stalled:
                taken, edge, rounded = _along_curvature(
                    problem, angle, value, slope, tolerance * scale
                )
                converged |= rounded
            turned = taken is not None
            if taken is None and not converged:
                # optax mixes types, which a user of JAX's strict mode need not know.
                with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
                    direction, state = update(
                        jnp.asarray(slope, problem.dtype), state, jnp.asarray(angle, problem.dtype)
                    )
                step = -np.asarray(direction, np.float64)
                if not np.isfinite(step).all() or step @ slope >= 0:
                    step = -slope
                longest = np.abs(step).max()
                step = step * min(1.0, _LONGEST_STEP / longest) if longest > 0 else step
                taken, edge = _line_search(problem, angle, value, slope, step)
                if taken is None and not edge:
                    taken, edge, converged = _along_curvature(
                        problem, angle, value, slope, tolerance * scale
                    )
                    turned = taken is not None
            if taken is None:
                if converged:
                    reason = "the gradient vanishes inside the bounds, to the tolerance"
                else:
                    where = "next to where it has no value" if edge else "within rounding"
                    reason = f"no step along the gradient improves the function, {where}"
                break
            converged = False
            if turned:  # the steps so far tell nothing of the curvature beyond
                state = solver.init(jnp.asarray(taken, problem.dtype))
            length = np.abs(taken - angle).max()
            angle = taken
            value, slope, gradient = problem.evaluate(angle)
            history.append(value)
            bar.update(1)
            if not np.isfinite(value) or not np.isfinite(gradient).all():
                reason = "the function has a value there but no gradient"
                break
            if edge and length < _NEAR_THE_EDGE:
                reason = "it ran into a critical point: past it the function has no value"
                break
    return Optimum(
        problem.named(problem.point(angle)),
        problem.sign * value,
        problem.named(problem.sign * gradient / problem.width),
        converged,
        reason,
        len(history) - 1,
        problem.sign * np.array(history),
    )


def _projected(fraction: np.ndarray, gradient: np.ndarray, scale: float) -> float:
    """How far a gradient step would go inside the bounds; 0 at an optimum."""
    if scale == 0:
        return float(np.abs(gradient).max())
    return float(np.abs(np.clip(fraction - gradient / scale, 0, 1) - fraction).max())


def _along_curvature(
    problem: _Problem, angle: np.ndarray, value: float, slope: np.ndarray, allowed: float
) -> tuple[np.ndarray | None, bool, bool]:
    """As ``_line_search``, either way along the most negative curvature, if there is any.

    Also whether the slope is zero to the rounding of the angles.
    """
    eps = problem.eps
    apart = eps**0.25
    # In the angles a coordinate at a bound that holds it has a positive curvature of its own.
    second = np.array([
        (problem.evaluate(angle + by)[1] - problem.evaluate(angle - by)[1]) / (2 * apart)
        for by in apart * np.eye(len(angle))
    ])  # fmt: skip
    # Nothing is known next to where there is no gradient.
    unknown = ~np.isfinite(second).all(axis=1)
    second[unknown] = 0
    second[:, unknown] = 0
    curvatures, axes = np.linalg.eigh((second + second.T) / 2)
    largest = np.abs(curvatures).max()
    rounded = bool(np.abs(slope).max() <= 8 * eps * largest)
    # The difference of two slopes has the rounding of the value, over the distance between them,
    # and errors of the order of that distance squared, √eps, in the largest curvature.
    if not curvatures[0] < -max(allowed, 16 * eps / apart * abs(value), eps**0.5 * largest):
        return None, False, rounded
    step = axes[:, 0] * _LONGEST_STEP / np.abs(axes[:, 0]).max()
    lowest, best, edge = value - 16 * eps * abs(value), None, False
    for way in (step, -step):
        # A slope that falls by as much as the curvature does by the end of the step
        taken, met = _line_search(problem, angle, value, curvatures[0] / 2 * way, way)
        if taken is not None and (reached := problem.evaluate(taken)[0]) < lowest:
            lowest, best, edge = reached, taken, met
    return best, edge, rounded


def _line_search(
    problem: _Problem, angle: np.ndarray, value: float, slope: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray | None, bool]:
    """The best of many places along a step, and whether the step meets a point without a value."""
    edge = False
    while np.abs(step).max() > _SHORTEST_STEP:
        parts = np.arange(1, _TRIALS + 1) / _TRIALS
        places = angle + parts[:, None] * step
        values = problem.along(places)
        defined = np.logical_and.accumulate(np.isfinite(values))
        edge |= not defined.all()
        enough = defined & (values <= value + 1e-4 * parts * (slope @ step))
        if enough.any():
            return places[np.argmin(np.where(enough, values, np.inf))], edge
        step = step / _TRIALS
    return None, edge
