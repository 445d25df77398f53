"""Critical curves: where a function of two parameters vanishes, followed step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

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
from jaxosc.typing import Reals

# All lengths below are in units of the bounds.
_LONGEST_STEP = 0.02
_SHORTEST_STEP = 1e-10
_FIRST_STEP = 1e-3
_GROWTH = 1.5
_LARGEST_TURN = 0.2  # radians between neighbouring points
# An arc leans by half its turn from the tangent to the chord. A point that leans otherwise, by
# more than a quarter of the turn and this many radians, lies on another branch.
_LARGEST_LEAN = 0.01
_NEWTON_STEPS = 8
_TO_THE_CURVE = 200  # steps from the start: at a root of order m each leaves 1 − 1/m of the way
_HALVINGS = 50
# Seen from a circle around it, the part of the gradient that a simple zero keeps, or more.
_VANISHED = 4.0
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


@_checks.nan_is_an_answer
def trace_curve(
    function: Function,
    start: Mapping[str, Reals],
    bounds: Mapping[str, tuple[float, float]],
    max_points: int = 2000,
) -> CriticalCurve:
    """Follow the curve F(x, y) = 0 through the plane of two parameters.

    Pseudo-arclength continuation: a step along the tangent, then Newton's method across it, with
    the exact gradient of F. Folds, where the curve turns back in one parameter, and loops are
    ordinary points of it; a corner, where one kind of instability takes over from another, is
    turned to within 1e-4 of the bounds. Where branches cross, the curve goes straight on; across
    a gap, however narrow, it does not go. With F = ``critical_scale(…) − 1`` or
    ``stability_scale(…) − 1`` the curve is the critical manifold; with
    F = ``trust_frontier(…).ratio − r`` it is a line on which a description can be trusted up to
    the same λ/λ_c.

    Args:
        function: F, takes the two parameters by name as scalars, returns one real number. Compiled
            once a call, as with ``jax.jit``: what it finds beside its arguments is fixed then.
        start: a point inside the bounds; Newton's method goes to the curve from there.
        bounds: the smallest and the largest value of each parameter.
        max_points: where to stop on either side of the start.

    Returns:
        A CriticalCurve from one end to the other. Every point lies on F = 0 to rounding. One
        curve is followed; others, that do not meet it, need another start.

    Raises:
        ValueError: if an argument does not fit, or no point of the curve is found from the start.

    Example:
        >>> circle, bounds = lambda x, y: x**2 + y**2 - 1, {"x": (-2, 2), "y": (-2, 2)}
        >>> jaxosc.trace_curve(circle, {"x": 1.0, "y": 0.0}, bounds).closed
        True
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
            f"bounds from {listed}, where it is {curve.value(unit) * curve.unit:.6g}."
        )
    if curve.is_degenerate(first):
        at = ", ".join(f"{n} = {low[i] + width[i] * first[i]:.6g}" for i, n in enumerate(names))
        raise ValueError(
            "Argument `start` must lie near a zero at which the function has a gradient, but at "
            f"{at} both vanish: on a double root, where its square root or a factor has the same "
            "curve, or where branches cross, next to which another start finds them."
        )
    places, tangents, end, closed = curve.follow(first, 1.0, max_points)
    ends = (end, end)
    if not closed:
        before, reverse, other, closed = curve.follow(first, -1.0, max_points)
        before, reverse = before[::-1], -reverse[::-1]
        if closed:
            places, tangents, ends = before, reverse, (other, other)
        else:
            places = np.concatenate([before[:-1], places])
            tangents = np.concatenate([reverse[:-1], tangents])
            ends = (other, end)
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
        # Of F: no product of values or slopes then overflows or vanishes.
        self.unit = 1.0

    def evaluate(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """F and its gradient, in a unit of F."""
        value, gradient = self._value_and_gradient(jnp.asarray(point, self._dtype))
        return float(value) / self.unit, np.asarray(gradient, np.float64) / self.unit

    def value(self, point: np.ndarray) -> float:
        """F."""
        return self.evaluate(point)[0]

    def tangent(self, point: np.ndarray) -> np.ndarray:
        """The unit vector along the curve, with F growing to its left."""
        gradient = self.evaluate(point)[1]
        if np.isinf(gradient).any():  # as at the end of a root: across its infinite part
            gradient = np.sign(gradient) * np.isinf(gradient)
        size = np.hypot(*gradient)
        return np.array([gradient[1], -gradient[0]]) / (size if size > 0 else np.nan)

    def is_degenerate(self, point: np.ndarray) -> bool:
        """Whether the gradient vanishes at a zero, to the rounding of the point."""
        angles = np.arange(8) * np.pi / 4
        circle = point + _CORNER_RADIUS * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        circle = np.clip(circle, 0, 1)
        around = np.array([self.evaluate(place)[1] for place in circle])
        gradient = self.evaluate(point)[1]
        near = _VANISHED * self._tolerance
        size, largest = np.hypot(*gradient), np.hypot(*around.T).max()
        if not np.isfinite(size) or not size <= near / _CORNER_RADIUS * largest:
            return False
        if not np.isfinite(around).all():
            return True
        # So it may seem to be beside a narrow curve. How far away does it vanish?
        slopes = np.linalg.lstsq(circle - point, around - gradient, rcond=None)[0]
        return bool(np.hypot(*(np.linalg.pinv(slopes.T, rcond=1e-6) @ gradient)) <= near)

    def nearest(self, point: np.ndarray) -> np.ndarray | None:
        """A point of the curve, by Newton steps along the gradient that never leave the bounds."""
        value, gradient = self.evaluate(point)
        size = np.hypot(*gradient)
        self.unit = max(size, abs(value)) if 0 < max(size, abs(value)) < np.inf else 1.0
        value, gradient = value / self.unit, gradient / self.unit
        for _ in range(_TO_THE_CURVE):
            size = np.hypot(*gradient)
            if value == 0 and size == 0:
                return point
            if not np.isfinite(value) or not 0 < size < np.inf:
                return None
            step = -(value / size) * (gradient / size)
            if np.hypot(*step) <= self._tolerance:
                return np.clip(point + step, 0, 1)
            for _ in range(_HALVINGS):
                ahead = np.clip(point + step, 0, 1)
                new_value, new_gradient = self.evaluate(ahead)
                # One that rounds F to zero cannot get smaller.
                smaller = abs(new_value) < abs(value) or new_value == 0
                if np.isfinite(new_gradient).all() and smaller:
                    break
                step = step / 2
            else:
                return point if abs(value) <= self._tolerance * size else None
            point, value, gradient = ahead, new_value, new_gradient
        return None

    def follow(
        self, start: np.ndarray, sign: float, max_points: int
    ) -> tuple[np.ndarray, np.ndarray, str, bool]:
        """Points from the start on, the tangents, why they end, and whether the curve is closed."""
        # On one side of a smooth branch F is positive all along: next to it, across a gap, the
        # other branch runs the other way. Only where branches cross do the sides change.
        side = sign
        points, tangents = [start], [side * self.tangent(start)]
        step = _FIRST_STEP
        closed, away = False, False
        end = f"it has {max_points} points"
        while len(points) < max_points:
            last, tangent = points[-1], tangents[-1]
            away |= bool(np.hypot(*(last - start)) > 2 * _CORNER_RADIUS)
            if step < max(_SHORTEST_STEP, self._tolerance):
                beyond = self._around_corner(last, tangent, side)
                if beyond is None:
                    end = "the function jumps or has no value beyond, or turns back too sharply"
                    if self.is_degenerate(last):
                        end = "the gradient vanishes there, as it does on a double root"
                    break
                turned, new_tangent, side = beyond
                # Within the circle the start may lie anywhere on the turn, but a branch that runs
                # the other way is another one.
                near = np.hypot(*(start - last)) <= _CORNER_RADIUS
                agree = max(tangents[0] @ tangent, tangents[0] @ new_tangent) > -0.5
                if away and near and agree:
                    closed = True
                    break
                points.append(turned)
                tangents.append(new_tangent)
                step = _FIRST_STEP
                continue
            ahead = last + step * tangent
            outside = _overshoot(ahead)
            point = self._across(ahead, tangent) if outside is None else None
            if outside is not None:
                # The point on the edge itself, if the curve gets there before it turns.
                axis, edge = outside
                ahead = last + tangent * (edge - last[axis]) / tangent[axis]
                ahead[axis] = edge
                point = self._across(ahead, np.eye(2)[axis])
            if (
                point is None
                or np.hypot(*(point - ahead)) > step / 4
                or _overshoot(point) is not None
            ):
                step /= 2
                continue
            new_tangent = side * self.tangent(point)
            changed = new_tangent @ tangent < 0
            if changed:
                new_tangent = -new_tangent
            turn = _angle(tangent, new_tangent)
            chord = point - last
            lean = abs(_angle(tangent, chord) - turn / 2) - abs(turn) / 4 - _LARGEST_LEAN
            if (
                not abs(turn) <= _LARGEST_TURN
                or lean * np.hypot(*chord) > self._tolerance
                or (changed and not self._crosses(last, point))
            ):
                step /= 2
                continue
            if self._passes(start, tangents[0], last, tangent, chord):
                closed = True
                break
            points.append(point)
            tangents.append(new_tangent)
            if outside is not None:
                end = "it leaves the bounds"
                break
            if changed:
                side = -side
            if abs(turn) < _LARGEST_TURN / 2:
                step = min(step * _GROWTH, _LONGEST_STEP)
        if closed:
            end = "it is closed"
            points.append(start)
            tangents.append(tangents[0])
        return np.array(points), np.array(tangents), end, closed

    def _passes(
        self,
        start: np.ndarray,
        first_tangent: np.ndarray,
        last: np.ndarray,
        tangent: np.ndarray,
        chord: np.ndarray,
    ) -> bool:
        """Whether a step from the last point goes through the start, as the first one did."""
        along = (start - last) @ tangent
        if not self._tolerance < along <= chord @ tangent + self._tolerance:
            return False
        if abs(_angle(tangent, first_tangent)) > _LARGEST_TURN:
            return False
        # The point of this branch abreast of the start
        point = self._across(last + along * tangent, tangent)
        return point is not None and bool(np.hypot(*(point - start)) <= 4 * self._tolerance)

    def _crosses(self, before: np.ndarray, after: np.ndarray) -> bool:
        """Whether another branch crosses between two points: F has a saddle there, and is zero."""
        sizes = [np.hypot(*self.evaluate(place)[1]) for place in (before, after)]
        chord = after - before
        apart = np.hypot(*chord) / 4 * np.eye(2)
        middle = point = before + chord * sizes[0] / sum(sizes)
        for _ in range(_NEWTON_STEPS):
            gradient = self.evaluate(point)[1]
            second = np.array([
                (self.evaluate(point + by)[1] - self.evaluate(point - by)[1]) / (2 * by.sum())
                for by in apart
            ])  # fmt: skip
            if not np.linalg.det(second / np.abs(second).max(initial=1e-300)) < 0:
                return False
            step = -np.linalg.solve(second, gradient)
            if not np.hypot(*(point + step - middle)) <= np.hypot(*chord) / 4:
                return False
            point = point + step
        return abs(self.value(point)) <= self._tolerance * max(sizes)

    def _around_corner(
        self, corner: np.ndarray, tangent: np.ndarray, side: float
    ) -> tuple[np.ndarray, np.ndarray, float] | None:
        """The point of the curve, its tangent and side, on a small circle ahead of a corner."""
        ahead = np.arctan2(tangent[1], tangent[0])
        angles = np.linspace(-np.pi, np.pi, _DIRECTIONS + 1)

        def point_at(angle: float) -> np.ndarray:
            return corner + _CORNER_RADIUS * np.array(
                [np.cos(ahead + angle), np.sin(ahead + angle)]
            )

        values = np.array([self.value(point_at(angle)) for angle in angles])
        signs = np.sign(values)  # NaN changes none
        changes = np.flatnonzero(signs[:-1] * signs[1:] < 0)
        for first in sorted(changes, key=lambda index: abs(angles[index] + angles[index + 1])):
            low, high = angles[first], angles[first + 1]
            for _ in range(_HALVINGS):
                middle = (low + high) / 2
                same = np.sign(self.value(point_at(middle))) == signs[first]
                low, high = (middle, high) if same else (low, middle)
            found = point_at((low + high) / 2)
            direction = (found - corner) / _CORNER_RADIUS
            point = self._across(found, direction)
            if point is None or _overshoot(point) is not None:
                continue
            if np.hypot(*(point - found)) > max(1e-6 * _CORNER_RADIUS, self._tolerance):
                continue  # a jump, not a zero
            new_tangent = side * self.tangent(point)
            if new_tangent @ direction > 0:
                return point, new_tangent, side
            # Where the curve came from F has its signs on the other sides, and straight on
            # beyond a crossing.
            if direction @ tangent > np.cos(np.pi / 4):
                return point, -new_tangent, -side
        return None

    def _across(self, point: np.ndarray, tangent: np.ndarray) -> np.ndarray | None:
        """Newton's method in the line through the point across the tangent.

        None unless every step is less than half of the one before: F bends otherwise on the way,
        and the zero may belong to a branch behind another.
        """
        start, longest = point, np.inf
        for _ in range(_NEWTON_STEPS):
            value, gradient = self.evaluate(point)
            slope = np.hypot(*gradient)
            if not 0 < slope < np.inf or not np.isfinite(value):
                return None
            system = np.array([gradient / slope, tangent])
            if not abs(np.linalg.det(system)) > 1e-12:
                return None
            step = np.linalg.solve(system, [-value / slope, tangent @ (start - point)])
            point, size = point + step, np.hypot(*step)
            if size <= self._tolerance:
                return point
            if size > longest:
                return None
            longest = size / 2
        return None


def _overshoot(point: np.ndarray) -> tuple[int, float] | None:
    """The axis and edge of the unit square that the point lies farthest beyond."""
    beyond = np.maximum(-point, point - 1)
    axis = int(np.argmax(beyond))
    if beyond[axis] <= 1e-14:
        return None
    return axis, float(point[axis] > 0.5)


def _angle(first: np.ndarray, second: np.ndarray) -> float:
    """The angle from one direction to another, counterclockwise."""
    return float(np.arctan2(first[0] * second[1] - first[1] * second[0], first @ second))
