"""Parameters from data with known errors, by least squares, and how well the data tell them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._parameters import Function, named_arrays, output_at, real_output, require_takes
from jaxosc.optimization import Optimum, optimize
from jaxosc.typing import Reals

# Steps of Gauss and Newton at the end, each of which leaves a small part of what is missing
_POLISHING = 4
# A parameter that is so much of a direction along which nothing changes is not determined.
_PART = 1e-3


@dataclass(frozen=True)
class Fit:
    """Parameters found from data.

    Attributes:
        parameters: where χ² is least, by name.
        standard_errors: the roots of the variances, by name. NaN for a parameter on a bound,
            infinite for one that the data do not determine.
        covariance: the inverse Fisher matrix (JᵀWJ)⁻¹ [P, P], in the order of ``parameters``, with
            parameters on a bound held there. NaN beside those, and beside what is not determined.
        chi_squared: χ² there.
        degrees: how many data there are, less the parameters that they determine.
        residuals: (data − model)/error, in the order of the data.
        on_bound: the parameters that lie on a bound.
        undetermined: directions along which the model does not change at the data, to rounding,
            each by the part of the parameters in it.
        converged: whether the search ended at a minimum.
        reason: why it ended, and what the numbers above do not tell, in words.
    """

    parameters: dict[str, float]
    standard_errors: dict[str, float]
    covariance: np.ndarray
    chi_squared: float
    degrees: int
    residuals: np.ndarray
    on_bound: tuple[str, ...]
    undetermined: tuple[dict[str, float], ...]
    converged: bool
    reason: str

    @property
    def correlation(self) -> np.ndarray:
        """The correlation coefficients [P, P] of the parameters."""
        error = np.array(list(self.standard_errors.values()))
        with np.errstate(invalid="ignore"):
            return self.covariance / error[:, None] / error[None, :]

    @property
    def reduced_chi_squared(self) -> float:
        """χ² over the degrees of freedom, about 1 ± √(2/degrees) if model and errors are right."""
        return self.chi_squared / self.degrees if self.degrees > 0 else float("nan")

    def __str__(self) -> str:
        width = max(map(len, self.parameters))
        lines = [
            f"{name:<{width}} = {_with_error(value, self.standard_errors[name])}"
            for name, value in self.parameters.items()
        ]
        lines.append(f"chi^2 = {self.chi_squared:.6g} for {self.degrees} degrees of freedom")
        return "\n".join([*lines, self.reason])


@_checks.nan_is_an_answer
def fit(
    model: Function,
    data: Any,
    errors: Any,
    start: Mapping[str, Reals],
    bounds: Mapping[str, tuple[float, float]],
    logarithmic: str | Sequence[str] = (),
    tolerance: float = 1e-6,
    max_steps: int = 200,
    progress: bool = False,
) -> Fit:
    """Find the parameters of a model from data with known errors, and their uncertainties.

    The least of χ² = Σ [(data − model)/error]², by ``optimize`` and a few last steps of Gauss and
    Newton. For independent Gaussian errors that is the maximum of the likelihood, and to first
    order in them the estimates have the covariance (JᵀWJ)⁻¹, J = ∂model/∂parameters,
    W = 1/error²: the inverse Fisher information of the data. The errors are taken as they are, as
    with ``absolute_sigma=True`` of SciPy's ``curve_fit``: look at ``reduced_chi_squared``.

    Args:
        model: takes the parameters by name as scalars, returns what the data are, such as a
            spectrum at the frequencies measured or moments at several couplings: a real array, or
            a dict of some. Compiled once a call.
        data: an array of the same shape, or a dict of them.
        errors: standard deviations of the data, positive: a number or an array that fits, for all
            of a dict or by its names.
        start: where to begin, inside the bounds.
        bounds: the smallest and the largest value of each parameter.
        logarithmic: the names of parameters to be searched on a logarithmic scale. Results are
            those of the parameters themselves.
        tolerance: as of ``optimize``.
        max_steps: when to give up.
        progress: whether to show a progress bar on the standard error.

    Returns:
        A Fit. The minimum is a local one. Read ``converged`` and ``reason`` before the rest.

    Raises:
        ValueError: if an argument does not fit, or the model has no value at the start.

    Example:
        >>> frequency = np.linspace(0.5, 1.5, 101)
        >>> def line(height, width):
        ...     return height / (1 + ((frequency - 1) / width) ** 2)
        >>> noise = 0.01 * np.random.default_rng(0).normal(size=101)
        >>> data = line(2.0, 0.1) + noise
        >>> bounds = {"height": (0.1, 10.0), "width": (1e-3, 1.0)}
        >>> found = jaxosc.fit(line, data, 0.01, {"height": 1.0, "width": 0.3}, bounds)
        >>> print(found)
        height = 2.0058 ± 0.0036
        width  = 0.09989 ± 0.00025
        chi^2 = 89.788 for 99 degrees of freedom
        it is a minimum within the bounds
    """
    begin = named_arrays("start", start)
    require_takes(model, begin, "model")
    measured, deviation = _measurements(data, errors)
    names = tuple(measured) if isinstance(data, Mapping) else None

    def residuals(**parameters: jax.Array) -> jax.Array:
        predicted = _predictions(real_output("model", output_at(model, parameters, "model")), names)
        for name, value in measured.items():
            if jnp.shape(predicted[name]) != value.shape:
                raise ValueError(
                    f"Argument `model` must return {value.shape} numbers as the {name}, "
                    f"but it returns {jnp.shape(predicted[name])}."
                )
        dtype = _checks.widest([each.dtype for each in predicted.values()])
        rest = [
            (jnp.asarray(value, dtype) - predicted[name].astype(dtype))
            / jnp.asarray(deviation[name], dtype)
            for name, value in measured.items()
        ]
        return jnp.concatenate([each.reshape(-1) for each in rest])

    def chi_squared(**parameters: jax.Array) -> jax.Array:
        rest = residuals(**parameters)
        return jnp.sum(rest * rest)

    found = optimize(
        chi_squared,
        start,
        bounds,
        tolerance=tolerance,
        max_steps=max_steps,
        progress=progress,
        logarithmic=logarithmic,
    )
    names_of_logarithms = (logarithmic,) if isinstance(logarithmic, str) else tuple(logarithmic)
    space = _Space(
        residuals, bounds, names_of_logarithms, np.dtype(jax.tree.leaves(begin)[0].dtype)
    )
    return _judged(space, found)


def _predictions(output: Any, names: tuple[str, ...] | None) -> dict[str, jax.Array]:
    """What the model returned, by the names of the data."""
    if names is None and isinstance(output, jax.Array):
        return {"data": output}
    if isinstance(output, Mapping) and set(output) == set(names or ()):
        named = {name: each for name, each in output.items() if isinstance(each, jax.Array)}
        if len(named) == len(output) > 0:
            return named
    wanted = "an array" if names is None else f"a dict of arrays by the names {', '.join(names)}"
    raise ValueError(
        f"Argument `model` must return what the data are, {wanted}, but it returns "
        f"{jax.tree.structure(output)}."
    )


def _measurements(data: Any, errors: Any) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Data and their errors by name, of the same shapes."""
    values = _known("data", data if isinstance(data, Mapping) else {"data": data})
    if isinstance(errors, Mapping) and isinstance(data, Mapping):
        deviations = _known("errors", errors)
        if set(deviations) != set(values):
            raise ValueError(
                f"Argument `errors` must name the data, {', '.join(values)}, "
                f"but it names {', '.join(deviations)}."
            )
    else:
        (one,) = _known("errors", {"errors": errors}).values()
        deviations = dict.fromkeys(values, one)
    if not sum(value.size for value in values.values()):
        raise ValueError("Argument `data` must hold at least one number, but it is empty.")
    for deviation in deviations.values():
        _checks.require("errors", deviation, _positive, "be positive")
    try:
        return values, {
            name: np.broadcast_to(deviations[name], value.shape) for name, value in values.items()
        }
    except ValueError as error:
        raise ValueError(
            "Argument `errors` must have shapes that fit the data, "
            f"{[value.shape for value in values.values()]}, "
            f"but they are {[each.shape for each in deviations.values()]}."
        ) from error


def _known(argument: str, numbers: Mapping[str, Reals]) -> dict[str, np.ndarray]:
    """Arrays of known, finite numbers."""
    known = {}
    for name, value in numbers.items():
        (array,) = _checks.float_arrays(**{argument: value})
        _checks.require_known("fit", **{argument: array})
        _checks.require_finite(argument, array)
        known[name] = np.asarray(array, np.float64)
    return known


def _positive(values: np.ndarray) -> np.ndarray:
    return values > 0


class _Space:
    """The residuals as a function of a vector of parameters, and its steps."""

    def __init__(
        self,
        residuals: Callable[..., jax.Array],
        bounds: Mapping[str, tuple[float, float]],
        logarithmic: tuple[str, ...],
        dtype: np.dtype,
    ) -> None:
        self.names = tuple(bounds)
        self.low, self.high = np.array([bounds[name] for name in self.names], np.float64).T
        self.dtype = dtype
        self.eps = float(np.finfo(dtype).eps)
        self._logarithmic = np.array([name in logarithmic for name in self.names])

        def of_point(point: jax.Array) -> tuple[jax.Array, jax.Array]:
            rest = residuals(**dict(zip(self.names, point, strict=True)))
            return rest, rest

        self._derive = jax.jit(jax.jacfwd(of_point, has_aux=True))

    def at(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals [K], and how fast each parameter makes them less [K, P]."""
        slope, rest = self._derive(jnp.asarray(point, self.dtype))
        return np.asarray(rest, np.float64), -np.asarray(slope, np.float64)

    def moved(self, point: np.ndarray, step: np.ndarray) -> np.ndarray:
        """A point after a step of the parameters, on the scale of each, as the model sees it."""
        nonzero = np.where(self._logarithmic, point, 1)
        further = np.where(self._logarithmic, point * np.exp(step / nonzero), point + step)
        return further.astype(self.dtype).astype(np.float64)

    def on_bound(self, point: np.ndarray) -> np.ndarray:
        """Which parameters lie on a bound, to rounding."""
        near = 8 * self.eps * np.maximum(np.abs(point), np.finfo(self.dtype).tiny)
        return np.asarray((point - self.low <= near) | (self.high - point <= near))


class _Fisher:
    """What a Jacobian of residuals [K, P] determines."""

    def __init__(self, slope: np.ndarray, eps: float) -> None:
        norm = np.linalg.norm(slope, axis=0)
        self._size = np.where(norm > 0, norm, 1)
        self._triangle = np.linalg.qr(slope / self._size)
        _, found, self._vectors = np.linalg.svd(self._triangle.R, full_matrices=True)
        self._singular = np.zeros(len(norm))
        self._singular[: len(found)] = found
        # A Jacobian of many operations has lost some digits.
        self._known = self._singular > eps**0.75 * self._singular.max(initial=0)

    @property
    def _parts(self) -> np.ndarray:
        return self._vectors[self._known] / self._singular[self._known, None]

    def step(self, rest: np.ndarray) -> np.ndarray:
        """To the least squares of the linear model."""
        return np.asarray(self._parts.T @ (self._parts @ self._right(rest)) / self._size)

    def _right(self, rest: np.ndarray) -> np.ndarray:
        return np.asarray(self._triangle.R.T @ (self._triangle.Q.T @ rest))

    def covariance(self) -> np.ndarray:
        """The inverse of JᵀJ: infinite variances, and NaN beside them, where it has none."""
        inverse = self._parts.T @ self._parts / self._size[:, None] / self._size
        lost = (np.abs(self._vectors[~self._known]) > _PART).any(axis=0)
        inverse[lost] = inverse[:, lost] = np.nan
        inverse[lost, lost] = np.inf
        return np.asarray(inverse)

    def undetermined(self) -> np.ndarray:
        """Directions of the parameters along which nothing changes."""
        return np.asarray(self._vectors[~self._known] / self._size)


def _judged(space: _Space, found: Optimum) -> Fit:
    """The last steps, and what the data tell of the parameters there."""
    point = np.array([found.parameters[name] for name in space.names])
    held = space.on_bound(point)
    rest, slope = space.at(point)
    for _ in range(_POLISHING):
        step = np.zeros(len(point))
        step[~held] = _Fisher(slope[:, ~held], space.eps).step(rest)
        further = space.moved(point, step)
        if not ((space.low < further) & (further < space.high) | held).all():
            break
        rest_there, slope_there = space.at(further)
        if not rest_there @ rest_there < rest @ rest or not np.isfinite(slope_there).all():
            break
        point, rest, slope = further, rest_there, slope_there
    fisher = _Fisher(slope[:, ~held], space.eps)
    covariance = np.full((len(point), len(point)), np.nan)
    covariance[np.ix_(~held, ~held)] = fisher.covariance()
    blind = fisher.undetermined()
    free = [name for name, each in zip(space.names, held, strict=True) if not each]
    relative = blind / np.where(point[~held] == 0, 1, np.abs(point[~held]))
    directions = tuple(_by_name(free, way / np.abs(way).max()) for way in relative)
    on_bound = tuple(name for name, each in zip(space.names, held, strict=True) if each)
    reason = found.reason
    if on_bound:
        reason += f"; on a bound, and held there: {', '.join(on_bound)}"
    for way in directions:
        combination = ", ".join(f"{part:+.3g} {name}" for name, part in way.items())
        reason += f"; the data do not determine the combination {combination} (relative changes)"
    return Fit(
        parameters=dict(zip(space.names, map(float, point), strict=True)),
        standard_errors=dict(
            zip(space.names, map(float, np.sqrt(np.diag(covariance))), strict=True)
        ),
        covariance=covariance,
        chi_squared=float(rest @ rest),
        degrees=len(rest) - len(free) + len(directions),
        residuals=rest,
        on_bound=on_bound,
        undetermined=directions,
        converged=found.converged,
        reason=reason,
    )


def _with_error(value: float, error: float) -> str:
    """A number to the second digit of its error."""
    digits = 8
    if 0 < error < np.inf and value != 0:
        digits = int(np.clip(np.floor(np.log10(abs(value))) - np.floor(np.log10(error)) + 2, 1, 17))
    return f"{value:.{digits}g} ± {error:.2g}"


def _by_name(names: list[str], way: np.ndarray) -> dict[str, float]:
    """The parameters that have a part in a direction."""
    parts = zip(names, map(float, way), strict=True)
    return {name: part for name, part in parts if abs(part) > _PART}
