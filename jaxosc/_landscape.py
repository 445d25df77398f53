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
# The directions, beside the axes and those of the quadratic, in which a point may not fall
_OBLIQUE = 16


@dataclass(frozen=True)
class Place:
    """What is known at one y.

    Attributes:
        y: where, each parameter on its scale.
        value: the function.
        slope: its derivative by y.
        gradient: its derivative by the parameters themselves.
        free: which parameters no bound holds; one holds where the slope points out of it.
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
        value, gradient = self._derive(jnp.asarray(point, self.dtype))
        gradient = np.asarray(gradient, np.float64)
        slope = np.where(self.logarithmic, point, 1) * gradient
        held = ((y <= self.low) & (slope > 0)) | ((y >= self.high) & (slope < 0))
        return Place(y, float(value), slope, gradient, ~held)

    def along(self, places: np.ndarray) -> np.ndarray:
        """The values at several y [K, n]."""
        return np.asarray(self._along(jnp.asarray(self.point(places), self.dtype)), np.float64)

    def own_scale(self, y: np.ndarray) -> np.ndarray:
        """The distance to the nearer bound, or on it to the other; 1 of a logarithm at most."""
        nearer = np.minimum(y - self.low, self.high - y)
        scale = np.where(nearer > 0, nearer, self.width)
        return np.where(self.logarithmic, np.minimum(scale, 1), scale)

    def rounding(self, y: np.ndarray) -> np.ndarray:
        """How far apart neighbouring y are."""
        own = np.where(self.logarithmic, 1, np.abs(y))
        return np.maximum(self.eps * own + 2.0**-52 * np.abs(y), 1e-300)


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
        noise: how far apart values may be that are equal but for rounding.
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


def shape_around(
    landscape: Landscape, here: Place, tolerance: float, part: float = 1.0
) -> Shape:
    """Look at the slopes on all sides of a place, as far away as the tolerance, or nearer.

    All in units of that reach, so that no scale of the function or a parameter matters.
    """
    axes = np.flatnonzero(here.free)
    own, rounding = landscape.own_scale(here.y), landscape.rounding(here.y)
    allowed = np.maximum(tolerance * own, 4 * rounding)[axes]
    reach = np.maximum(part * allowed, 4 * rounding[axes])
    second = np.zeros((len(axes), len(axes)))
    holding = np.zeros((len(axes), len(here.y)))
    noise = 16 * landscape.eps * abs(here.value)
    slope = here.slope[axes] * reach
    for row, axis in enumerate(axes):
        by = reach[row] * np.eye(len(here.y))[axis]
        sides = [landscape.at(here.y - by), landscape.at(here.y + by)]
        before, after = ((side.y[axis] - here.y[axis]) / reach[row] for side in sides)
        holding[row] = (sides[1].slope - sides[0].slope) / (after - before)
        second[row] = holding[row, axes] * reach
        for side, apart in zip(sides, (before, after), strict=True):
            smooth = here.value + apart * slope[row] + apart**2 / 2 * second[row, row]
            noise = max(noise, 4 * abs(side.value - smooth))
    skew = (second - second.T) / 2
    second = (second + second.T) / 2

    def stretched(steps: np.ndarray) -> np.ndarray:
        result = np.zeros(len(here.y))
        result[axes] = steps * reach
        return result

    if not np.isfinite(second).all() or not np.isfinite(noise):
        nothing = stretched(np.zeros(len(axes)))
        return Shape(False, False, nothing, False, None, [], False, noise, lambda _: np.inf)
    # Each parameter in units of its own curvature: a soft one beside a stiff one is not flat.
    unit = np.sqrt(np.abs(np.diag(second)))
    unit = np.where(unit > 0, unit, np.sqrt(np.abs(second).max(axis=1, initial=0)))
    unit = np.where(unit > 0, unit, 1)
    curvatures, directions = np.linalg.eigh(second / unit / unit[:, None])
    # What the slopes lose when a parameter, or the distance to its bound, is rounded
    lost = np.minimum(0.25, 16 * (rounding + landscape.eps * own)[axes] / reach)
    lost = lost * (np.diag(second) != 0)
    blur = np.array([np.abs(v).sum() * (np.abs(v) @ lost) for v in directions.T])
    slopes = directions.T @ (slope / unit)
    sloping = np.abs(slopes) > np.abs(directions.T) @ (lost * unit)
    flat = np.abs(curvatures) <= np.minimum(blur, _FLAT)
    moduli = np.where(flat, 1, np.abs(curvatures))
    # Where it slopes evenly its minimum is far away.
    to_minimum = np.where(flat, -np.sign(slopes) * sloping / landscape.eps, -slopes / moduli)
    step = directions @ to_minimum / unit
    furthest = float(np.abs(step * reach / allowed).max(initial=0))
    near = furthest <= 1 + _ROUNDED and not (flat & sloping).any()
    # What a bound holds it has to hold at the optimum of the rest as well.
    outward = np.where(here.y <= landscape.low, 1, -1)
    with np.errstate(invalid="ignore"):  # an infinite slope holds
        pressing = outward * (here.slope + step @ holding)
        loose = ~here.free & (pressing <= lost @ np.abs(holding))
    if near and loose.any():
        return shape_around(landscape, replace(here, free=here.free | loose), tolerance, part)
    falling = None
    if not flat.all() and curvatures[0] < 0 and not flat[0]:
        falling = stretched(directions[:, 0] / unit)
    level = [stretched(v / unit) for v in directions.T[flat & ~sloping]]

    def slope_at(way: np.ndarray) -> float:
        return float(landscape.at(here.y + stretched(way)).slope[axes] * reach @ way)

    # Where the second derivatives do not commute the quadratic says nothing of the softest.
    crooked = np.linalg.norm(skew / unit / unit[:, None], 2) if len(axes) else 0.0
    bent = bool((np.where(flat, np.inf, curvatures) < _CROOKED * crooked).any())
    if bent and part > _NEAREST and (reach > 4 * rounding[axes]).any():
        return shape_around(landscape, here, tolerance, part / 16)
    optimum = furthest <= _WELL_WITHIN and near and falling is None and not bent
    if optimum and furthest > 0:
        # On the way it has to turn upwards within reach, whatever the quadratic says.
        optimum = slope_at(step / furthest) >= -float(np.abs(step) / furthest @ (lost * unit**2))
        step = step if optimum else step / furthest
    if not optimum and (near or bent):
        # No quadratic, as where the curvature vanishes at the optimum itself, or jumps
        # Of one parameter a change of sign alone proves it.
        within = 1.0 if len(axes) == 1 else _SURROUNDED
        around = [step, *np.eye(len(axes)), *(directions.T / unit), *_oblique(len(axes))]
        optimum = all(
            slope_at(side * within * direction / np.abs(direction * reach / allowed).max()) > 0
            for direction in around
            if direction.any()
            for side in (1, -1)
        )
        if optimum:
            step, falling = step if near else np.zeros(len(axes)), None

    def excess(at_other: np.ndarray) -> float:
        if (flat & sloping).any():
            return float("inf")
        parts = directions.T @ (at_other[axes] * reach / unit)
        return float(np.sqrt(np.sum((parts**2 / moduli)[~flat])))

    featureless = len(axes) > 0 and bool((flat & ~sloping).all())
    return Shape(True, optimum, stretched(step), near, falling, level, featureless, noise, excess)


def _oblique(size: int) -> np.ndarray:
    """Directions of all kinds, always the same."""
    return np.random.default_rng(size).uniform(-1, 1, (_OBLIQUE, size))
