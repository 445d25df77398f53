"""Critical curves: where a function of two parameters vanishes, followed step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxosc import _checks
from jaxosc._parameters import (
    Function,
    named_arrays,
    named_bounds,
    output_at,
    require_inside,
    require_takes,
    scalar_output,
)

# All lengths below are in units of the bounds.
_LONGEST_STEP = 0.02
_SHORTEST_STEP = 1e-7
_FIRST_STEP = 1e-3
_GROWTH = 1.5
_LARGEST_TURN = 0.2  # radians between neighbouring points
_NEWTON_STEPS = 8
_TO_THE_CURVE = 50  # damped steps from the start to the curve
# Around a corner the curve is looked for on a circle of this radius, in this many directions.
_CORNER_RADIUS = 1e-4
_DIRECTIONS = 72


@dataclass(frozen=True)
class CriticalCurve:
    """A curve on which a function of two parameters vanishes.

    Attributes:
        points: each parameter along the curve [M].
        tangent: its derivative along the curve [M], by an arc length that measures each parameter
            in the width of its bounds. ``tangent[y] / tangent[x]`` is dy/dx.
        closed: whether the curve returns to where it began.
        ends: why it ends on either side, in words.
    """

    points: dict[str, np.ndarray]
    tangent: dict[str, np.ndarray]
    closed: bool
    ends: tuple[str, str]


def trace_curve(
    function: Function,
    start: Mapping[str, ArrayLike],
    bounds: Mapping[str, tuple[float, float]],
    max_points: int = 2000,
) -> CriticalCurve:
    """Follow the curve F(x, y) = 0 through the plane of two parameters.

    Pseudo-arclength continuation: a step along the tangent, then Newton's method across it, with
    the exact gradient of F. Folds, where the curve turns back in one parameter, and loops are
    ordinary points of it; a corner, where one kind of instability takes over from another, is
    turned to within 1e-4 of the bounds. With F = ``critical_scale(…) − 1`` or
    ``stability_scale(…) − 1`` the curve is the critical manifold; with
    F = ``trust_frontier(…).ratio − r`` it is a line on which a description can be trusted up to
    the same λ/λ_c.

    Args:
        function: F, takes the two parameters by name as scalars, returns one real number.
        start: a point near the curve, inside the bounds; Newton's method goes to the curve from
            there.
        bounds: the smallest and the largest value of each parameter.
        max_points: where to stop on either side of the start.

    Returns:
        A CriticalCurve from one end to the other. Every point lies on F = 0 to rounding. One
        curve is followed; others, that do not meet it, need another start.

    Raises:
        ValueError: if an argument does not fit, or no point of the curve is found from the start.
    """
    ranges = named_bounds("bounds", bounds)
    if len(ranges) != 2:
        raise ValueError(f"Argument `bounds` must name two parameters, but it names {len(ranges)}.")
    begin = named_arrays("start", start)
    require_inside("start", begin, ranges)
    require_takes(function, begin)
    _checks.require_whole("max_points", max_points, 2, 10**6)
    names = tuple(ranges)
    low = np.array([ranges[name][0] for name in names])
    width = np.array([ranges[name][1] - ranges[name][0] for name in names])
    curve = _Curve(function, names, low, width, jax.tree.leaves(begin)[0].dtype)
    unit = (np.array([float(begin[name]) for name in names]) - low) / width
    first = curve.nearest(unit)
    if first is None:
        listed = ", ".join(f"{name} = {float(begin[name]):.6g}" for name in names)
        raise ValueError(
            "Argument `start` must lie near a zero of the function, but none was found inside the "
            f"bounds from {listed}, where it is {curve.value(unit):.6g}."
        )
    forward, end, closed = curve.follow(first, 1.0, max_points)
    points, ends = forward, (end, end)
    if not closed:
        backward, other, _ = curve.follow(first, -1.0, max_points)
        points, ends = [*backward[:0:-1], *forward], (other, end)
    places = np.array(points)
    tangents = np.array([curve.tangent(point) for point in points])
    along = np.gradient(places, axis=0) if len(places) > 1 else tangents
    tangents *= np.sign(np.sum(tangents * along, axis=1))[:, None]
    return CriticalCurve(
        {name: low[i] + width[i] * places[:, i] for i, name in enumerate(names)},
        {name: width[i] * tangents[:, i] for i, name in enumerate(names)},
        closed,
        ends,
    )


class _Curve:
    """F = 0 in the unit square."""

    def __init__(
        self,
        function: Callable[..., jax.Array],
        names: tuple[str, ...],
        low: np.ndarray,
        width: np.ndarray,
        dtype: np.dtype,
    ) -> None:
        def scaled(unit: jax.Array) -> jax.Array:
            at = jnp.asarray(low, dtype) + jnp.asarray(width, dtype) * unit
            value = output_at(function, dict(zip(names, at, strict=True)))
            return scalar_output("function", value)

        self._value_and_gradient = jax.jit(jax.value_and_grad(scaled))
        # Newton's method stops where F is zero to the rounding of the point.
        self._tolerance = 64 * float(np.finfo(dtype).eps)
        self._dtype = dtype

    def evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """F and its gradient."""
        value, gradient = self._value_and_gradient(jnp.asarray(point, self._dtype))
        return float(value), np.asarray(gradient, np.float64)

    def value(self, point: np.ndarray) -> float:
        """F."""
        return self.evaluate(point)[0]

    def tangent(self, point: np.ndarray) -> np.ndarray:
        """The unit vector along the curve, with F growing to its left."""
        gradient = self.evaluate(point)[1]
        return np.array([gradient[1], -gradient[0]]) / np.hypot(*gradient)

    def nearest(self, point: np.ndarray) -> np.ndarray | None:
        """A point of the curve, by Newton steps along the gradient that never leave the bounds."""
        value, gradient = self.evaluate(point)
        for _ in range(_TO_THE_CURVE):
            size = gradient @ gradient
            if not np.isfinite(value) or not 0 < size < np.inf:
                return None
            step = -value * gradient / size
            if np.hypot(*step) <= self._tolerance:
                return np.clip(point + step, 0, 1)
            for _ in range(_TO_THE_CURVE):
                ahead = np.clip(point + step, 0, 1)
                new_value, new_gradient = self.evaluate(ahead)
                # One that rounds F to zero cannot get smaller.
                if np.isfinite(new_gradient).all() and abs(new_value) < max(abs(value), 1e-300):
                    break
                step = step / 2
            else:
                return point if abs(value) <= self._tolerance * np.hypot(*gradient) else None
            point, value, gradient = ahead, new_value, new_gradient
        return None

    def follow(
        self, start: np.ndarray, sign: float, max_points: int
    ) -> tuple[list[np.ndarray], str, bool]:
        """Points from the start on, why they end, and whether the curve is closed."""
        points = [start]
        tangent = sign * self.tangent(start)
        step = _FIRST_STEP
        while len(points) < max_points:
            if step < max(_SHORTEST_STEP, self._tolerance):
                beyond = self._around_corner(points[-1], tangent)
                if beyond is None:
                    return points, "the function jumps or has no value beyond", False
                turned, tangent = beyond
                points.append(turned)
                step = _FIRST_STEP
            ahead = points[-1] + step * tangent
            outside = _overshoot(ahead)
            point = self._across(ahead, tangent) if outside is None else None
            if outside is not None:
                # The point on the edge itself, if the curve gets there before it turns.
                axis, edge = outside
                ahead = points[-1] + tangent * (edge - points[-1][axis]) / tangent[axis]
                ahead[axis] = edge
                point = self._across(ahead, np.eye(2)[axis])
            if point is None or np.hypot(*(point - ahead)) > max(step / 4, 1e-9):
                step /= 2
                continue
            if _overshoot(point) is not None:
                step /= 2
                continue
            new_tangent = self.tangent(point)
            new_tangent *= np.sign(new_tangent @ tangent)
            turn = np.arccos(np.clip(new_tangent @ tangent, -1, 1))
            if not turn <= _LARGEST_TURN:
                step /= 2
                continue
            gap = np.hypot(*(point - start))
            if len(points) > 2 and gap < step and (start - points[-1]) @ tangent > 0:
                return [*points, start], "it is closed", True
            points.append(point)
            if outside is not None:
                return points, "it leaves the bounds", False
            tangent = new_tangent
            if turn < _LARGEST_TURN / 2:
                step = min(step * _GROWTH, _LONGEST_STEP)
        return points, f"it has {max_points} points", False

    def _around_corner(
        self, corner: np.ndarray, tangent: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """The point of the curve, and its tangent, on a small circle ahead of a corner."""
        ahead = np.arctan2(tangent[1], tangent[0])
        # Not where the curve came from, nor where it went on smoothly
        angles = np.linspace(-0.9 * np.pi, 0.9 * np.pi, _DIRECTIONS)

        def point_at(angle: float) -> np.ndarray:
            return corner + _CORNER_RADIUS * np.array(
                [np.cos(ahead + angle), np.sin(ahead + angle)]
            )

        values = np.array([self.value(point_at(angle)) for angle in angles])
        changes = np.flatnonzero(values[:-1] * values[1:] < 0)  # NaN changes no sign
        for first in sorted(changes, key=lambda index: abs(angles[index])):
            low, high = angles[first], angles[first + 1]
            for _ in range(_TO_THE_CURVE):
                middle = (low + high) / 2
                same = self.value(point_at(middle)) * values[first] > 0
                low, high = (middle, high) if same else (low, middle)
            found = point_at((low + high) / 2)
            direction = (found - corner) / _CORNER_RADIUS
            point = self._across(found, direction)
            if point is None or _overshoot(point) is not None:
                continue
            if np.hypot(*(point - found)) > max(1e-6 * _CORNER_RADIUS, self._tolerance):
                continue  # a jump, not a zero
            new_tangent = self.tangent(point)
            return point, new_tangent * np.sign(new_tangent @ direction)
        return None

    def _across(self, point: np.ndarray, tangent: np.ndarray) -> np.ndarray | None:
        """Newton's method in the line through the point across the tangent."""
        start = point
        for _ in range(_NEWTON_STEPS):
            value, gradient = self.evaluate(point)
            system = np.array([gradient, tangent])
            if not np.isfinite(system).all() or not np.isfinite(value):
                return None
            if abs(np.linalg.det(system)) <= 1e-12 * np.hypot(*gradient):
                return None
            step = np.linalg.solve(system, [-value, tangent @ (start - point)])
            point = point + step
            if np.hypot(*step) <= self._tolerance:
                return point
        return None


def _overshoot(point: np.ndarray) -> tuple[int, float] | None:
    """The axis and edge of the unit square that the point lies farthest beyond."""
    beyond = np.maximum(-point, point - 1)
    axis = int(np.argmax(beyond))
    if beyond[axis] <= 1e-14:
        return None
    return axis, float(point[axis] > 0.5)
