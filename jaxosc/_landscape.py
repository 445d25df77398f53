"""A function of named parameters around one place: values, slopes, and the shape they tell of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._parameters import Function, output_at, scalar_output

# A slope that changes its sign by a jump has its zero at the very edge of the reach.
_ROUNDED = 1e-6
# Next to an optimum of degree p the quadratic's is p − 1 times nearer than its own.
_WELL_WITHIN = 0.125
# Curvatures below this part of the others, and within rounding, are none.
_FLAT = 1e-6
# Second derivatives that differ by this part of the smallest curvature make no quadratic of it,
# but may nearer by, down to this part of the tolerance.
_CROOKED = 4.0
_NEAREST = 1e-3
# Where there is no quadratic, it may not fall anywhere so much nearer than the tolerance: along a
# valley 64 times as long as wide its optimum may be that much further away.
_SURROUNDED = 1 / 64
# On a bound, where the slope is zero, a dip inside is looked for at distances apart by this.
_NEARER = 1 / 64
# The directions, beside the axes and those of the quadratic, in which a point may not fall
_OBLIQUE = 16


@dataclass(frozen=True)
class Place:
    """What is known at one y.

    Attributes:
        y: where, each parameter on its scale.
        value: the function.
        slope: its derivative by y; on a bound that holds only from inside, the one inside.
        gradient: its derivative by the parameters themselves.
        free: which parameters no bound holds; one holds where the slope points out of it, there
            or within the rounding of the point.
    """

    y: np.ndarray
    value: float
    slope: np.ndarray
    gradient: np.ndarray
    free: np.ndarray

    @property
    def pull(self) -> np.ndarray:
        """The slope, without what the bounds hold."""
        return np.where(self.free, self.slope, 0)

    @property
    def defined(self) -> bool:
        """Whether there is a value, and a slope where it matters."""
        return bool(np.isfinite(self.value) and np.isfinite(self.pull).all())


class Landscape:
    """The function, to be minimised, on the scale of each parameter: y = x, or y = ln x."""

    def __init__(
        self,
        function: Function,
        ranges: dict[str, tuple[float, float]],
        logarithmic: tuple[str, ...],
        sign: float,
        dtype: np.dtype,
    ) -> None:
        self.names = tuple(ranges)
        self.sign = sign
        self.dtype = dtype
        self.eps = float(np.finfo(dtype).eps)
        self.logarithmic = np.array([name in logarithmic for name in self.names])
        self._ends = np.array([ranges[name] for name in self.names]).T
        self.low, self.high = map(self.scaled, self._ends)
        self.width = self.high - self.low

        def of_point(point: jax.Array) -> jax.Array:
            parameters = dict(zip(self.names, point, strict=True))
            return sign * scalar_output("function", output_at(function, parameters))

        self._derive: Callable[[jax.Array], Any] = jax.jit(jax.value_and_grad(of_point))
        self._along: Callable[[jax.Array], jax.Array] = jax.jit(jax.vmap(of_point))

    def scaled(self, point: np.ndarray) -> np.ndarray:
        """The y of parameters."""
        return np.where(self.logarithmic, np.log(np.where(self.logarithmic, point, 1)), point)

    def point(self, y: np.ndarray) -> np.ndarray:
        """The parameters at y, as the function gets to see them; on a bound the bound itself."""
        point = np.where(self.logarithmic, np.exp(np.where(self.logarithmic, y, 0)), y)
        point = np.clip(point.astype(self.dtype).astype(np.float64), *self._ends)
        point = np.where(y <= self.low, self._ends[0], point)
        return np.where(y >= self.high, self._ends[1], point)

    def settled(self, y: np.ndarray) -> np.ndarray:
        """The y inside the bounds that the function gets to see."""
        return np.clip(self.scaled(self.point(y)), self.low, self.high)

    def named(self, values: np.ndarray) -> dict[str, float]:
        """Numbers by name."""
        return {name: float(value) for name, value in zip(self.names, values, strict=True)}

    def at(self, y: np.ndarray) -> Place:
        """The function and its derivatives at a y, settled."""
        y = self.settled(y)
        point = self.point(y)
        value, gradient, slope = self._derivatives(point)
        inward = np.where(y <= self.low, 1, np.where(y >= self.high, -1, 0))
        held = inward * slope > 0
        unheld = (inward != 0) & ~held
        if unheld.any() and np.isfinite(value):
            # A kink on the bound, or a root's, has some other slope there, or none.
            inside = self.settled(y + inward * unheld * 4 * self.rounding(y))
            from_inside = self._derivatives(self.point(inside))[2]
            late = unheld & (inward * from_inside > 0)
            slope = np.where(late, from_inside, slope)
            held |= late
        return Place(y, value, slope, gradient, ~held)

    def _derivatives(self, point: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The function, its gradient, and its slopes."""
        value, gradient = self._derive(jnp.asarray(point, self.dtype))
        gradient = np.asarray(gradient, np.float64)
        return float(value), gradient, np.where(self.logarithmic, point, 1) * gradient

    def along(self, places: np.ndarray) -> np.ndarray:
        """The values at several y [K, n]."""
        return np.asarray(self._along(jnp.asarray(self.point(places), self.dtype)), np.float64)

    def own_scale(self, y: np.ndarray) -> np.ndarray:
        """A distance to look around by: to the nearer bound, or on it to the other.

        Of a logarithm 1 at most.
        """
        nearer = np.minimum(y - self.low, self.high - y)
        scale = np.where(nearer > 0, nearer, self.width)
        return np.where(self.logarithmic, np.minimum(scale, 1), scale)

    def tolerated(self, y: np.ndarray, tolerance: float) -> np.ndarray:
        """How far from an optimum at y a point may be: on a bound, no more than by rounding."""
        nearer = np.minimum(y - self.low, self.high - y)
        own = np.where(self.logarithmic, np.minimum(nearer, 1), nearer)
        return np.maximum(tolerance * own, 4 * self.rounding(y))

    def rounding(self, y: np.ndarray) -> np.ndarray:
        """How far apart neighbouring y are."""
        own = np.where(self.logarithmic, 1, np.abs(y))
        least = 2.0**24 * float(np.finfo(self.dtype).tiny)
        return np.maximum(self.eps * own + 2.0**-52 * np.abs(y), least)


@dataclass(frozen=True)
class Shape:
    """The quadratic that the slopes around a place determine, where no bound holds.

    Attributes:
        known: whether there are slopes on all sides.
        optimum: whether its minimum, and that of the function on the way there, is within reach.
        step: to its minimum, or to where it would be if every curvature were positive.
        near: whether that is within reach.
        falling: a direction of negative curvature, if there is one.
        level: the directions in which it is flat to rounding.
        featureless: whether it is so in all of them.
        noise: how far values are from the quadratic, or from each other by rounding.
        excess: of a slope anywhere near, the root of how much the function would fall from there.
    """

    known: bool
    optimum: bool
    step: np.ndarray
    near: bool
    falling: np.ndarray | None
    level: list[np.ndarray]
    featureless: bool
    noise: float
    excess: Callable[[np.ndarray], float]


def shape_around(landscape: Landscape, here: Place, tolerance: float, part: float = 1.0) -> Shape:
    """Look at the slopes on all sides of a place, as far away as the tolerance, or nearer.

    All in units of that reach, so that no scale of the function or a parameter matters.
    """
    axes = np.flatnonzero(here.free)
    own, rounding = landscape.own_scale(here.y), landscape.rounding(here.y)
    allowed = np.maximum(tolerance * own, 4 * rounding)[axes]
    reach = np.maximum(part * allowed, 4 * rounding[axes])
    changes, noise = _differences(landscape, here, axes, reach)

    def stretched(steps: np.ndarray) -> np.ndarray:
        result = np.zeros(len(here.y))
        result[axes] = steps * reach
        return result

    if not np.isfinite(changes[:, axes]).all() or not np.isfinite(noise):
        nothing = stretched(np.zeros(len(axes)))
        return Shape(False, False, nothing, False, None, [], False, noise, lambda _: np.inf)
    # What the slopes lose when a parameter, or the distance to its bound, is rounded
    lost = np.minimum(0.25, 16 * (rounding + landscape.eps * own)[axes] / reach)
    model = _Quadratic(here.slope[axes] * reach, changes[:, axes] * reach, lost)
    step = model.step
    furthest = float(np.abs(step * reach / allowed).max(initial=0))
    near = furthest <= 1 + _ROUNDED and not model.runs.any()
    # What a bound holds it has to hold at the optimum of the rest as well.
    inward = np.where(here.y <= landscape.low, 1, np.where(here.y >= landscape.high, -1, 0))
    pressing = inward * (here.slope + step @ changes)  # an infinite slope holds
    loose = ~here.free & (pressing <= lost @ np.abs(changes))
    if near and loose.any():
        return shape_around(landscape, replace(here, free=here.free | loose), tolerance, part)
    if model.bent and part > _NEAREST and (reach > 4 * rounding[axes]).any():
        return shape_around(landscape, here, tolerance, part / 16)

    def rise(way: np.ndarray) -> float:
        """The slope at a place in reach, along the way there."""
        return float(landscape.at(here.y + stretched(way)).slope[axes] * reach @ way)

    def scaled(way: np.ndarray, part: float) -> np.ndarray:
        """A way as long as this part of the tolerance."""
        return np.asarray(part * way / np.abs(way * reach / allowed).max())

    def dips(way: np.ndarray, noise: float) -> bool:
        """Whether the slope along a way off a bound points on at any distance."""
        while np.abs(way * reach).max() > rounding[axes].max():
            slope = rise(way)
            if slope == 0:
                return False
            if not slope >= -noise * np.abs(way).max():
                return True
            way = way * _NEARER
        return False

    falling = model.falling
    optimum = furthest <= _WELL_WITHIN and near and falling is None and not model.bent
    if optimum and furthest > 0:
        # On the way it has to turn upwards within reach, whatever the quadratic says.
        edge = step / furthest
        optimum = rise(edge) >= -float(np.abs(edge) @ (lost * model.unit**2) * furthest)
        step = step if optimum else edge
    on_bound = inward[axes] != 0
    if not optimum and (near or model.bent or len(axes) == 1) and not on_bound.any():
        # No quadratic, as where the curvature vanishes at the optimum itself, or jumps. Of one
        # parameter a change of sign alone proves it.
        within = 1.0 if len(axes) == 1 else _SURROUNDED
        oblique = _oblique(len(axes))
        ways = [step, *np.eye(len(axes)), *model.axes, *oblique]
        if len(axes) > 1:
            # The slopes around hardly ever point along a valley: that is how it is found.
            around = np.array([
                landscape.at(here.y + stretched(scaled(way, within))).slope[axes] * reach
                for way in oblique
            ])  # fmt: skip
            if np.isfinite(around).all():
                ways += [*np.linalg.svd(around / max(np.abs(around).max(), 1e-300))[2]]
        optimum = all(
            rise(side * scaled(way, within)) > 0 for way in ways if way.any() for side in (1, -1)
        )
        if optimum:
            step, falling = step if near else np.zeros(len(axes)), None
    if optimum:
        # The tolerance is that of the optimum: one next to a bound is not where the bound is.
        target = np.clip(here.y + stretched(step), landscape.low, landscape.high)
        allowed_there = (1 + _ROUNDED) * landscape.tolerated(target, tolerance)
        optimum = bool((np.abs(target - here.y) <= allowed_there).all())
    for axis in np.flatnonzero(on_bound) if optimum else ():
        way = inward[axes[axis]] * np.eye(len(axes))[axis]
        if dips(way, lost[axis] * model.unit[axis] ** 2):
            optimum, falling = False, way

    return Shape(
        True,
        optimum,
        stretched(step),
        near,
        None if falling is None else stretched(falling),
        [stretched(axis) for axis in model.axes[model.level]],
        len(axes) > 0 and bool(model.level.all()),
        noise,
        lambda slope: model.excess(slope[axes] * reach),
    )


def _differences(
    landscape: Landscape, here: Place, axes: np.ndarray, reach: np.ndarray
) -> tuple[np.ndarray, float]:
    """How all slopes change by one reach along each axis, and how rough the values are."""
    changes = np.zeros((len(axes), len(here.y)))
    noise = 16 * landscape.eps * abs(here.value)
    for row, (axis, length) in enumerate(zip(axes, reach, strict=True)):
        by = length * np.eye(len(here.y))[axis]
        sides = [landscape.at(here.y - by), landscape.at(here.y + by)]
        before, after = ((side.y[axis] - here.y[axis]) / length for side in sides)
        changes[row] = (sides[1].slope - sides[0].slope) / (after - before)
        for side, apart in zip(sides, (before, after), strict=True):
            smooth = (apart * here.slope[axis] + apart**2 / 2 * changes[row, axis]) * length
            noise = max(noise, 4 * abs(side.value - here.value - smooth))
    return changes, noise


class _Quadratic:
    """A quadratic of several parameters by its slope and second derivatives, with rounding.

    Attributes:
        unit: of each parameter, the one in which its own curvature is 1, so that a soft one beside
            a stiff one is not flat.
        axes: the principal directions [n, n], one a row.
        level: in which of them it has neither slope nor curvature, to rounding.
        runs: in which of them it has a slope and no curvature.
        step: to its minimum, or to where it would be if every curvature were positive.
        falling: the direction of the most negative curvature, if there is one.
        bent: whether the second derivatives fail to commute by as much as the smallest.
    """

    def __init__(self, slope: np.ndarray, second: np.ndarray, lost: np.ndarray) -> None:
        skew, second = (second - second.T) / 2, (second + second.T) / 2
        unit = np.sqrt(np.abs(np.diag(second)))
        unit = np.where(unit > 0, unit, np.sqrt(np.abs(second).max(axis=1, initial=0)))
        self.unit = np.where(unit > 0, unit, 1)
        curvatures, directions = np.linalg.eigh(second / self.unit / self.unit[:, None])
        lost = lost * (np.diag(second) != 0)
        blur = np.array([np.abs(v).sum() * (np.abs(v) @ lost) for v in directions.T])
        slopes = directions.T @ (slope / self.unit)
        sloping = np.abs(slopes) > np.abs(directions.T) @ (lost * self.unit)
        self._flat = np.abs(curvatures) <= np.minimum(blur, _FLAT)
        self._moduli = np.where(self._flat, 1, np.abs(curvatures))
        self._directions = directions
        self.axes = directions.T / self.unit
        self.level, self.runs = self._flat & ~sloping, self._flat & sloping
        # Where it slopes evenly its minimum is far away.
        far = -np.sign(slopes) * sloping / np.finfo(np.float64).eps
        self.step = np.where(self._flat, far, -slopes / self._moduli) @ self.axes
        firm = np.where(self._flat, np.inf, curvatures)
        self.falling = self.axes[0] if (firm[:1] < 0).any() else None
        crooked = np.linalg.norm(skew / self.unit / self.unit[:, None], 2) if len(slope) else 0
        self.bent = bool((firm < _CROOKED * crooked).any())

    def excess(self, slope: np.ndarray) -> float:
        """The root of how much it falls from where it has this slope."""
        if self.runs.any():
            return float("inf")
        parts = self._directions.T @ (slope / self.unit)
        return float(np.sqrt(np.sum((parts**2 / self._moduli)[~self._flat])))


def _oblique(size: int) -> np.ndarray:
    """Directions of all kinds, always the same."""
    return np.random.default_rng(size).uniform(-1, 1, (_OBLIQUE, size))
