"""Spectra whose filters are a rational fit: powers with an exponential cutoff, and tables."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._numerics import dispersion
from jaxosc._numerics.dispersion import even_transform, even_transform_above, one_sided_transform
from jaxosc._numerics.filters import pair_filters, rate_filters, susceptibility
from jaxosc._numerics.rational_fit import RationalFit, fit_density
from jaxosc.spectra.base import Spectrum, Terms, as_complex, positive_scalars
from jaxosc.typing import Reals


class PowerLaw(Spectrum):
    """J ∝ ωˢ e^(−ω/Λ): sub-Ohmic for s < 1, Ohmic for s = 1, super-Ohmic above.

    ``rate``, ``susceptibility`` and the like are those of J itself. ``filters`` are a rational fit,
    made once for each exponent, of 33 to 50 variables: ``error`` is the largest deviation of the
    fitted J relative to its maximum, and ``lowest`` its smallest value, which rounding may leave
    below zero. Below a frequency of 1e-7 Λ (s < 1), 1e-6 Λ (1), 1e-4 Λ (2) or 1e-3 Λ (3) the
    fit is Ohmic, the weight ∫J/ω of what it leaves out there kept for s < 1. What this does to two
    coupled oscillators, measured in float64 for damping of 0.1 and 0.001, T = 0 included:

        s                  1/2      1      3/2     2       3
        error of J         1e-9   8e-12   1e-11   3e-11   5e-12
        of σ             3e-10    2e-12    2e-9   1e-10    3e-9
        of heat currents  1e-7    5e-10    5e-9   4e-10    3e-5

    the worst of them for currents that weak damping and cold baths make small beside σ. In float32
    the fit is a coarser one, to 1e-5.

    Args:
        exponent: s from 1/2 to 3, a Python number: the fit is made outside of transformations.
        cutoff: Λ > 0, a scalar.
        reference: the frequency at which the rate is the bath's damping; None for the oscillator's.

    Example:
        >>> bath = jaxosc.spectra.PowerLaw(exponent=3, cutoff=2.0, reference=1.0)
        >>> bath.rate(jnp.array([1.0, 6.0])).round(6), bath.error < 1e-10
        (Array([ 1.     , 17.73036], dtype=float64), True)
    """

    _leaves = ("cutoff", "reference")
    _static = ("exponent",)
    _positive = ("cutoff",)
    cutoff: jax.Array
    exponent: float

    def __init__(self, exponent: float, cutoff: Reals, *, reference: Reals | None = None) -> None:
        try:
            exponent = _checks.real_number(exponent)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "Argument `exponent` must be a number that is known outside of transformations, "
                f"but it is {exponent!r}."
            ) from error
        if not 0.5 <= exponent <= 3:
            raise ValueError(
                f"Argument `exponent` must be between 0.5 and 3, but it is {exponent}."
            )
        values = positive_scalars(reference, cutoff=cutoff)
        self._set(cutoff=values[0], reference=values[1], exponent=exponent)

    @property
    def _fit(self) -> RationalFit:
        return _power_law_fit(self.exponent, self.cutoff.dtype == np.float32)

    @property
    def error(self) -> float:
        """The largest error of the fitted J, relative to the largest J."""
        return self._fit.error

    @property
    def lowest(self) -> float:
        """The smallest value of the fitted J in its range, relative to the largest."""
        return self._fit.lowest

    @property
    def lowest_power(self) -> float:
        """The exponent."""
        return self.exponent

    def profile(self, frequency: jax.Array) -> jax.Array:
        """J = xˢe⁻ˣ, x = ω/Λ."""
        x = frequency / self.cutoff
        return jnp.exp(self.exponent * jnp.log(x) - x)

    def filters(self) -> Terms:
        """The fit, in the unit of the cutoff."""
        return _fitted_filters(self._fit, self.cutoff)

    def susceptibility(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """χ(ν) of J itself, not of its fit."""
        frequency = as_complex(frequency)
        value = even_transform(self.exponent, frequency / as_complex(self.cutoff))
        return value / as_complex(self._scale(reference))

    def matsubara_susceptibility(
        self, z: jax.Array, reference: jax.Array | None = None
    ) -> jax.Array:
        """χ(iz) of J itself."""
        return even_transform_above(self.exponent, z / self.cutoff) / self._scale(reference)

    def static_susceptibility(self, reference: jax.Array | None = None) -> jax.Array:
        """χ(0) = (2/π) Γ(s)/J(reference)."""
        return 2 / math.pi * math.gamma(self.exponent) / self._scale(reference)

    def one_sided(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """s(ν) = (1/2π)∫_0^∞ κ(ω)/(ω − ν − i0) dω with κ = 2J/J(reference), for real ν."""
        value = one_sided_transform(self.exponent, frequency / self.cutoff)
        return value / as_complex(self._scale(reference))

    def vacuum_shift(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """That of J itself."""
        value = dispersion.vacuum_shift(self.exponent, frequency / self.cutoff)
        return value / self._scale(reference)

    def thermal_shift(
        self,
        frequency: jax.Array,
        temperature: jax.Array,
        reference: jax.Array | None = None,
        side: int | jax.Array = 0,
    ) -> jax.Array:
        """That of J itself."""
        parts = frequency / self.cutoff, temperature / self.cutoff
        return dispersion.thermal_shift(self.exponent, *parts, side) / self._scale(reference)


@lru_cache(maxsize=64)
def _power_law_fit(exponent: float, single: bool) -> RationalFit:
    # The slowest filters have the rate of the lowest frequency, which the dtype has to resolve.
    decades = (3 if single else 6) / exponent + min(max(exponent - 1, 0), 1)
    low = max(10.0**-decades, 1e-3 if single else 1e-7)
    frequency = np.geomspace(low, 45.0, 300)
    density = frequency**exponent * np.exp(-frequency)
    # Of a sub-Ohmic J/ω a part that counts, lowˢ, lies below: it acts as if it were static.
    weight = math.gamma(exponent) if exponent < 1 else None
    tolerance = 1e-5 if single else 1e-8 if exponent < 1 else 1e-10
    return fit_density(frequency, density, tolerance, 80, 1e-4, weight)


def _fitted_filters(fit: RationalFit, unit: jax.Array) -> Terms:
    def table(values: np.ndarray) -> jax.Array:
        return jnp.asarray(values, unit.dtype) * unit

    terms = []
    if len(fit.rates):
        terms.append(rate_filters(table(fit.rates), table(fit.strengths)))
    if len(fit.poles):
        parts = (fit.poles.real, fit.poles.imag, fit.residues.real, fit.residues.imag)
        terms.append(pair_filters(*map(table, parts)))
    return tuple(terms)


# A fitted J this much below zero, of its maximum, is more than rounding and the tail of a table.
_NEGATIVE = 1e-6
# And a fit this far from its table is none.
_USELESS = 0.1


class Sampled(Spectrum):
    """J(ω) from a table, by a rational fit that is made once, outside of transformations.

    Samples spaced evenly in ln ω, from far below the frequencies of the network to where J
    vanishes and not beyond, serve best; a few hundred of them. Below the table J is Ohmic, above it
    falls off as 1/ω or faster, and between samples it is what the fit makes of it: ``error`` is its
    largest deviation from the table, and ``lowest`` its smallest value on and between the samples,
    both relative to the largest J. The table is a constant: there is no derivative by it.

    Args:
        frequency: ω > 0, ascending, [K].
        density: J(ω) ≥ 0, in any unit of strength, [K].
        tolerance: at which error the fit is good enough. A noisy table wants its noise, relative to
            the largest J, for a smaller tolerance spends poles on it.
        reference: the frequency at which the rate is the bath's damping; None for the oscillator's.

    Raises:
        ValueError: if the samples are traced, out of order, or negative, or if the fit is.

    Example:
        >>> omega = np.geomspace(1e-3, 100.0, 200)
        >>> bath = jaxosc.spectra.Sampled(omega, omega / (1 + omega**2), reference=1.0)
        >>> bath.rate(jnp.array([1.0, 3.0])).round(6), bath.error < 1e-9
        (Array([1. , 0.6], dtype=float64), True)
    """

    _leaves = ("_unit", "reference")
    _static = ("frequency", "density", "tolerance")
    _positive = ("_unit",)
    frequency: tuple[float, ...]
    density: tuple[float, ...]
    tolerance: float
    _unit: jax.Array  # one, in the dtype of the parameters

    def __init__(
        self,
        frequency: Reals,
        density: Reals,
        tolerance: float = 1e-9,
        *,
        reference: Reals | None = None,
    ) -> None:
        samples, values = _checks.float_arrays(frequency=frequency, density=density)
        known, heights = _checks.concrete(samples), _checks.concrete(values)
        if known is None or heights is None:
            raise ValueError(
                "Arguments `frequency` and `density` must be known outside of transformations, "
                "but they are traced."
            )
        _check_table(known, heights)
        try:
            tolerance = _checks.real_number(tolerance)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Argument `tolerance` must be a number, but it is {tolerance!r}."
            ) from error
        if not 1e-15 <= tolerance < 1:
            raise ValueError(
                f"Argument `tolerance` must be between 1e-15 and 1, but it is {tolerance}."
            )
        unit, own = positive_scalars(reference, unit=jnp.ones((), samples.dtype))
        self._set(
            _unit=unit,
            reference=own,
            frequency=tuple(known.astype(float).tolist()),
            density=tuple(heights.astype(float).tolist()),
            tolerance=tolerance,
        )
        if self.error > _USELESS:
            raise ValueError(
                "Argument `density` must be smooth enough for a rational fit, but the best one is "
                f"off by {self.error:.2g} of the largest value; give more samples, or smooth them."
            )
        if self.lowest < -max(_NEGATIVE, 10 * self.tolerance):
            raise ValueError(
                "Argument `density` must allow a fit that is not negative between the samples, but "
                f"it falls to {self.lowest:.2g} of the largest; give more samples, or another "
                "`tolerance`."
            )

    @classmethod
    def _restored(cls, stored: list[Any]) -> tuple[Any, ...]:
        frequency, density, tolerance = stored
        return tuple(frequency), tuple(density), tolerance

    @property
    def _fit(self) -> RationalFit:
        return _table_fit(self.frequency, self.density, self.tolerance)

    @property
    def error(self) -> float:
        """The largest deviation of the fit from the table, relative to the largest J."""
        return self._fit.error

    @property
    def lowest(self) -> float:
        """The smallest value of the fit on and between the samples, relative to the largest."""
        return self._fit.lowest

    def profile(self, frequency: jax.Array) -> jax.Array:
        """J of the fit."""
        z = jax.lax.complex(jnp.zeros_like(frequency), -frequency)
        return susceptibility(self.filters(), z).imag

    def filters(self) -> Terms:
        """The fit."""
        return _fitted_filters(self._fit, self._unit)


def _check_table(frequency: np.ndarray, density: np.ndarray) -> None:
    _checks.require_finite("frequency", frequency)
    _checks.require_finite("density", density)
    if frequency.ndim != 1 or len(frequency) < 4:
        raise ValueError(
            "Argument `frequency` must have shape (K,) with K >= 4, "
            f"but its shape is {frequency.shape}."
        )
    if density.shape != frequency.shape:
        raise ValueError(
            f"Argument `density` must have shape {frequency.shape} as `frequency` has, "
            f"but its shape is {density.shape}."
        )
    if frequency[0] <= 0 or np.any(np.diff(frequency) <= 0):
        raise ValueError("Argument `frequency` must be positive and ascending, but it is not.")
    if np.any(density < 0) or not np.any(density > 0):
        raise ValueError("Argument `density` must not be negative, nor zero everywhere, but it is.")


@lru_cache(maxsize=64)
def _table_fit(
    frequency: tuple[float, ...], density: tuple[float, ...], tolerance: float
) -> RationalFit:
    most = min(80, len(frequency) // 3)
    return fit_density(np.array(frequency), np.array(density), tolerance, most, 1e-2)
