"""Rational approximation of a tabulated spectral density, once, in NumPy.

J(ω)/ω is fitted as a function of s = ω² by Σ_k r_k/(s − s_k): the AAA algorithm (Nakatsukasa, Sète
and Trefethen, SIAM J. Sci. Comput. 40, A1494) finds the poles, vector fitting improves them, and
linear least squares give the residues. Infinity is one of the interpolation points, with the value
zero: without that the fit has a constant, and dropping it costs four digits.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class RationalFit(NamedTuple):
    """χ(iz) = Σ ρ/(z − w) over real w = −rates, and pairs ρ/(z − w) + c.c. with Re w < 0.

    The residues are real for the former and complex for the latter. ``error`` is the largest
    deviation of J from the table, and ``lowest`` the smallest value in its range, both relative to
    the largest J.
    """

    rates: np.ndarray
    strengths: np.ndarray
    poles: np.ndarray
    residues: np.ndarray
    error: float
    lowest: float


# A pole this much nearer to the real axis than to zero is real.
_REAL = 1e-10
# Where J/ω falls below this fraction of its maximum, its error counts absolutely.
_FLOOR = 1e-4
# Singular values below this fraction of the largest carry rounding alone.
_SINGULAR = 1e-15
# More relocations of the poles change nothing: e^−ω with ω^½, ω^1.5, ω² gains 7, 7, 4 digits.
_RELOCATIONS = 5
# The integral of J/ω counts as much as so many samples.
_WEIGHT = 10.0
# Rates, in units of the lowest frequency, of what lies below the table.
_BELOW = np.array([0.3, 0.03])


def fit_density(
    frequency: np.ndarray,
    density: np.ndarray,
    tolerance: float,
    terms: int,
    weight: float | None = None,
) -> RationalFit:
    """The fit with the fewest poles, and no more than so many, that is as good as the tolerance.

    Args:
        frequency: ω > 0, ascending.
        density: J(ω) ≥ 0, not all of them zero.
        tolerance: of J relative to its maximum, and of J/ω relative to its own value.
        terms: the number of poles that are enough.
        weight: ∫_0^∞ J/ω dω where it is known, also of the frequencies below the table.
    """
    unit = frequency[np.argmax(density)]
    largest = np.max(density)
    x = frequency / unit
    table = _Table(x**2, density / largest / x, x)
    with np.errstate(all="ignore"):
        best = table.fitted(_poles(*_barycentric(table, tolerance, terms)))
        for _ in range(_RELOCATIONS):
            again = table.fitted(table.relocated(best))
            best = min(best, again, key=lambda fit: fit.error)
        if weight is not None:
            best = table.with_weight(best, weight / largest)
    between = np.sqrt(x[1:] * x[:-1])
    values, others = (y * (_design(y**2, best) @ best.solution) for y in (x, between))
    single, double = best.residues()
    roots = np.sqrt(best.pairs)
    return RationalFit(
        rates=np.sqrt(-best.real) * unit,
        strengths=single * largest * unit,
        poles=(1j * roots.real - roots.imag) * unit,
        residues=double * largest * unit,
        error=float(np.max(np.abs(values - density / largest))),
        lowest=float(min(np.min(values), np.min(others))),
    )


class _Fit(NamedTuple):
    """Poles in s, the real ones and those above the axis, and a combination of `_design`."""

    real: np.ndarray
    pairs: np.ndarray
    solution: np.ndarray
    error: float

    def residues(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the real poles, and of those above the axis."""
        single, real, imaginary = np.split(
            self.solution, [len(self.real), len(self.real) + len(self.pairs)]
        )
        return single, (real - 1j * imaginary) / 2


class _Table:
    """J/ω over s, the weights of its errors, and the fits to it."""

    def __init__(self, square: np.ndarray, values: np.ndarray, x: np.ndarray) -> None:
        self.square, self.values = square, values
        self.weight = np.maximum(1 / np.maximum(values, _FLOOR * values.max()), x)

    def fitted(self, poles: np.ndarray) -> _Fit:
        """The best combination of these poles."""
        real = np.abs(poles.imag) <= _REAL * np.abs(poles)
        # A pole on s > 0 would be a resonance without a width: rounding alone puts one there.
        decaying, pairs = -np.abs(poles[real].real), poles[~real & (poles.imag > 0)]
        fit = _Fit(decaying, pairs, np.zeros(0), 0.0)
        matrix = _design(self.square, fit)
        solution = self._combination(matrix, self.values)
        error = float(np.max(np.abs(matrix @ solution - self.values) * self.weight))
        return fit._replace(solution=solution, error=error if np.isfinite(error) else np.inf)

    def with_weight(self, fit: _Fit, weight: float) -> _Fit:
        """The best combination with this ∫J/ω dω, some of it below the table."""
        fit = fit._replace(real=np.append(fit.real, -self.square[0] * _BELOW**2))
        roots = np.sqrt(-fit.pairs), np.sqrt(-fit.real)
        double = math.pi / 2 / np.where(roots[0].real > 0, roots[0], -roots[0])
        row = np.concatenate([math.pi / 2 / roots[1], double.real, double.imag])
        matrix = _design(self.square, fit)
        # As one more sample, whose relative error counts as much as that of the others.
        values = np.append(self.values * self.weight, _WEIGHT)
        rows = np.concatenate([matrix * self.weight[:, None], row[None] * (_WEIGHT / weight)])
        return fit._replace(solution=_least_squares(rows, values))

    def relocated(self, fit: _Fit) -> np.ndarray:
        """Better poles than those of a fit (Gustavsen and Semlyen's vector fitting).

        The zeros of the denominator 1 + Σ d_k/(s − s_k) that makes J/ω times it, least squares, a
        combination of the same fractions.
        """
        matrix = _design(self.square, fit)
        both = np.concatenate([matrix, -self.values[:, None] * matrix], axis=1)
        solution = self._combination(both, self.values)[matrix.shape[1] :]
        single, double = fit._replace(solution=solution).residues()
        points = np.concatenate([fit.real, fit.pairs, fit.pairs.conj()])
        return _poles(points, np.concatenate([single, double, double.conj(), [1.0]]))

    def _combination(self, matrix: np.ndarray, values: np.ndarray) -> np.ndarray:
        return _least_squares(matrix * self.weight[:, None], values * self.weight)


def _least_squares(matrix: np.ndarray, values: np.ndarray) -> np.ndarray:
    scale = np.linalg.norm(matrix, axis=0)
    return np.linalg.lstsq(matrix / scale, values, rcond=_SINGULAR)[0] / scale


def _design(square: np.ndarray, fit: _Fit) -> np.ndarray:
    """The fractions 1/(s − s_k), column by column; of pairs the real and the imaginary parts."""
    double = 1 / (square[:, None] - fit.pairs[None, :])
    single = 1 / (square[:, None] - fit.real[None, :])
    return np.concatenate([single, double.real, double.imag], axis=1)


def _barycentric(table: _Table, tolerance: float, terms: int) -> tuple[np.ndarray, np.ndarray]:
    """Interpolation points x_j, and the w_j of the common denominator w_∞ + Σ w_j/(x − x_j)."""
    x, values, weight = table.square, table.values, table.weight
    free = np.ones(len(x), bool)
    points: list[int] = []
    approximation = np.zeros(len(x))
    weights = np.ones(1)
    best = (np.inf, np.zeros(0), weights)
    while True:
        error = np.where(free, np.abs(values - approximation) * weight, 0)
        worst = int(np.argmax(error))
        if points and error[worst] < best[0]:
            best = (error[worst], x[points], weights)
        if error[worst] <= tolerance or len(points) == terms:
            return best[1], best[2]
        points.append(worst)
        free[worst] = False
        kernel = 1 / (x[free, None] - x[None, points])
        own = values[free]
        columns = [(own[:, None] - values[None, points]) * kernel, own[:, None]]
        matrix = np.concatenate(columns, axis=1) * weight[free, None]
        scale = np.linalg.norm(matrix, axis=0)
        weights = np.linalg.svd(matrix / scale, full_matrices=False)[2][-1] / scale
        approximation = values.copy()
        above, below = kernel @ (weights[:-1] * values[points]), weights[-1] + kernel @ weights[:-1]
        approximation[free] = above / below


def _poles(points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The zeros of w_∞ + Σ w_j/(x − x_j)."""
    companion = np.diag(points) - np.outer(np.ones(len(points)), weights[:-1] / weights[-1])
    poles = np.linalg.eigvals(companion).astype(complex)
    # An eigenvalue is good to the rounding of the largest one; Newton's method to its own.
    for _ in range(8):
        kernel = 1 / (poles[:, None] - points[None, :])
        step = (weights[-1] + kernel @ weights[:-1]) / (kernel**2 @ weights[:-1])
        small = np.isfinite(step) & (np.abs(step) < 0.3 * np.abs(poles))
        poles = np.where(small, poles + step, poles)
    return poles
