"""What a spectrum is: the base class, and weighted sums."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial, reduce
from typing import Any, ClassVar, Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._numerics import shifts
from jaxosc._numerics.filters import Filters, memory, static_susceptibility, susceptibility
from jaxosc._numerics.special import power_of_two
from jaxosc._pytree import Record
from jaxosc.typing import Reals

Kind: TypeAlias = Literal["flat", "ohmic", "rational"]
Terms: TypeAlias = tuple[Filters, ...]

# ∫_{-∞}^∞ dt by the trapezoidal rule: integrands that decay as e^−|t| and are analytic for
# |Im t| < π/2 are exact to rounding.
_STEP = 0.25
_LOGARITHMS = np.arange(-37.0, 37.0 + _STEP, _STEP)


class Spectrum(Record, ABC):
    """Base of all spectra, and what a new one has to say: ``profile`` and ``filters``.

    A subclass is a pytree whose leaves are its parameters: it names them in ``_leaves``, with
    ``reference`` among them, and stores them by ``_set``. Then ``profile(frequency)`` is J(ω) for
    ω > 0, in any unit of strength, and ``filters()`` the response of that strength as real linear
    filters (W, b, h): χ(ν) = hᵀ(−iν − W)⁻¹b with Im χ = J, J falling off as 1/ω or faster. For
    example a Drude spectrum, J = ω/(ω² + Λ²):

        class Lorentzian(Spectrum):
            _leaves = ("cutoff", "reference")
            _positive = ("cutoff",)

            def __init__(self, cutoff, *, reference=None):
                self._set(cutoff=jnp.asarray(cutoff), reference=reference)

            def profile(self, frequency):
                return frequency / (frequency**2 + self.cutoff**2)

            def filters(self):
                one = jnp.ones_like(self.cutoff).reshape(1, 1)
                return (Filters(-self.cutoff.reshape(1, 1, 1), one, one),)

    Everything else follows from these two. Methods take real arrays of any shape, in the dtype of
    the parameters, and can be differentiated by them. Sums with weights are spectra too:
    ``0.3 * Drude(5.0) + Brownian(1.0, 0.1)`` has at the reference 1.3 times the bath's damping.

    ``reference`` is the frequency at which the amplitude rate is the ``damping`` of the bath; None
    for that of the oscillator, which methods then take as an argument.
    """

    kind: ClassVar[Kind] = "rational"
    _positive: ClassVar[tuple[str, ...]] = ()  # fields that are positive numbers, by their names
    __array_ufunc__ = None  # weights of NumPy leave the product to this class
    reference: jax.Array | None

    @abstractmethod
    def profile(self, frequency: jax.Array) -> jax.Array:
        """J(ω) for ω > 0, up to a factor."""

    @abstractmethod
    def filters(self) -> Terms:
        """Filters whose χ(ν) has this density as its imaginary part."""

    def _require(self, name: str) -> None:
        """Raise ValueError unless the parameters, where known, are those of a spectrum.

        What JAX has put together, in ``jax.tree.map``, may hold anything.
        """
        for leaf in jax.tree.leaves(self):
            _checks.require_fields(name, parameter=(leaf, getattr(leaf, "shape", ())))
            _checks.require_finite(name, leaf)
        own = () if self.reference is None else ("reference",)
        for field in (*self._positive, *own):
            value = getattr(self, field)
            _checks.require_fields(name, False, **{field: (value, ())})
            _checks.require(f"{name}.{field}", value, lambda x: x > 0, "be positive")

    def is_sound(self) -> jax.Array | None:
        """Whether the parameters are those of a spectrum, also traced; None if it has none."""
        own = () if self.reference is None else ("reference",)
        values = [getattr(self, field) for field in (*self._positive, *own)]
        return all_of([(value > 0) & (value < jnp.inf) for value in values])

    @property
    def has_reference(self) -> bool:
        """Whether it states the frequency at which the rate is that of the bath."""
        return self.reference is not None

    @property
    def has_ohmic_part(self) -> bool:
        """Whether J has a part ∝ ω without a cutoff, which has no filters."""
        return False

    @property
    def lowest_power(self) -> float:
        """The s of J ∝ ωˢ at low frequency; that of a response by filters is 1."""
        return 1.0

    def ohmic_slope(self, reference: jax.Array | None = None) -> jax.Array:
        """The η of the part ηω of J/J(reference) that has no cutoff."""
        return jnp.zeros_like(self._resolved(reference))

    def rate(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """J(ω)/J(reference) for ω of either sign, odd in ω."""
        size = jnp.abs(frequency)
        value = self.profile(jnp.where(size > 0, size, 1)) / self._scale(reference)
        return jnp.where(size > 0, jnp.sign(frequency) * value, 0)

    def terms(self, reference: jax.Array | None = None) -> Terms:
        """Filters (W, b, h) with χ(ν) = hᵀ(−iν − W)⁻¹b and Im χ = J/J(reference)."""
        strength = 1 / self._scale(reference)
        return tuple(filters.scaled(strength) for filters in self.filters())

    def susceptibility(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """χ(ν), complex, for ν real or complex with Im ν ≥ 0; Im χ = J/J(reference) at real ν.

        Of a strictly Ohmic part without its infinite χ(0), which a counter-term takes away.
        """
        frequency = as_complex(frequency)
        z = jax.lax.complex(frequency.imag, -frequency.real)
        return susceptibility(self.terms(reference), z)

    def matsubara_susceptibility(
        self, z: jax.Array, reference: jax.Array | None = None
    ) -> jax.Array:
        """χ(iz) = (2/π)∫_0^∞ J ω/(ω² + z²) dω for z ≥ 0, real."""
        return susceptibility(self.terms(reference), z)

    def static_susceptibility(self, reference: jax.Array | None = None) -> jax.Array:
        """χ(0) = (2/π)∫_0^∞ J/ω dω, the counter-term; without that of a strictly Ohmic part."""
        return static_susceptibility(self.terms(reference))

    def one_sided(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """s(ν) = (1/2π)∫_0^∞ κ(ω)/(ω − ν − i0) dω with κ = 2J/J(reference), for real ν.

        The response of a bath in rotating-wave coupling, which has modes of ω > 0 alone. By
        turning the path of integration, s = θ(ν)χ(ν) − (ν/π)∫_0^∞ χ(iy)/(y² + ν²) dy.
        """
        self._require_cutoff("a bath of positive frequencies alone")
        size = jnp.abs(frequency)[..., None]
        t = jnp.asarray(_LOGARITHMS, frequency.dtype).reshape((1,) * frequency.ndim + (-1,))
        chi = self.matsubara_susceptibility(size * jnp.exp(t), reference)
        shift = jnp.sum(chi * (_STEP / 2) / jnp.cosh(t), axis=-1) / math.pi
        share = jnp.heaviside(frequency, jnp.full_like(frequency, 0.5))
        direct = self.susceptibility(frequency, reference)
        return jax.lax.complex(
            share * direct.real - jnp.sign(frequency) * shift, share * direct.imag
        )

    def vacuum_shift(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """(1/π)∫_0^∞ J [1/(ν − ω) + 1/ω] dω, principal value, Re[s(0) − s(ν)], for real ν.

        The modes of the vacuum shift a frequency so, beside a counter-term.
        """
        unit, terms = self._near(reference)
        return shifts.vacuum_shift(partial(memory, terms), frequency / unit)

    def thermal_shift(
        self,
        frequency: jax.Array,
        temperature: jax.Array,
        reference: jax.Array | None = None,
        side: int | jax.Array = 0,
    ) -> jax.Array:
        """(1/π)∫_0^∞ J N(ω) k dω, principal value, for real ν and a scalar T ≥ 0.

        k = 1/(ν − ω) of the channel that loses quanta to the bath (side 1), 1/(ν + ω) of that
        which gains (side −1), or both (side 0). Each diverges at ν = 0, and together they vanish
        there; NaN at and near it where there is no number.
        """
        unit, terms = self._near(reference, temperature)
        parts = frequency / unit, temperature / unit
        return shifts.thermal_shift(partial(memory, terms), *parts, side)

    def _near(
        self, reference: jax.Array | None, *temperature: jax.Array
    ) -> tuple[jax.Array, Sequence[Filters]]:
        """A unit of the order of the larger one, and the filters in it.

        No ν decides on it: what does not depend on ν is computed once for all of them.
        """
        self._require_cutoff("principal values")
        scale = reduce(jnp.maximum, temperature, self._resolved(reference))
        unit = power_of_two(jax.lax.stop_gradient(scale))
        return unit, [filters.in_unit(unit) for filters in self.terms(reference)]

    def _require_cutoff(self, purpose: str) -> None:
        if self.has_ohmic_part or self.kind == "flat":
            raise ValueError(
                f"Argument `spectrum` must have a cutoff for {purpose}, but it is {self!r}."
            )

    def __add__(self, other: Spectrum) -> Sum:
        if not isinstance(other, Spectrum):
            return NotImplemented
        return _joined(_parts(self) + _parts(other))

    def __radd__(self, other: Any) -> Spectrum:
        # What the built-in sum starts from
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __mul__(self, weight: Any) -> Sum:
        if isinstance(weight, Spectrum):
            return NotImplemented
        return _joined([(weight * own, spectrum) for own, spectrum in _parts(self)])

    __rmul__ = __mul__

    def _resolved(self, reference: jax.Array | None) -> jax.Array:
        own = self.reference if self.reference is not None else reference
        if own is None:
            raise ValueError(
                "Argument `reference` must be given to a spectrum behind rows, which have no "
                f"frequency of their own, but it is missing in {self!r}."
            )
        return own

    def _scale(self, reference: jax.Array | None) -> jax.Array:
        return self.profile(self._resolved(reference))


class Sum(Spectrum):
    """Σ_i w_i J_i/J_i(reference_i): what ``0.3 * Drude(5.0) + Brownian(1.0, 0.1)`` makes.

    Args:
        spectra: the parts, none of them flat.
        weights: w_i ≥ 0, one for each. At the reference J is their sum.

    Example:
        >>> drude = jaxosc.spectra.Drude(5.0, reference=1.0)
        >>> both = 0.3 * drude + jaxosc.spectra.Ohmic(reference=2.0)
        >>> both.rate(jnp.array(1.0)).round(6)
        Array(0.8, dtype=float64)
    """

    _leaves = ("spectra", "weights")
    spectra: tuple[Spectrum, ...]
    weights: jax.Array
    reference = None

    def __init__(self, spectra: Sequence[Spectrum], weights: Reals) -> None:
        (weights,) = _checks.float_arrays(weights=weights)
        if not isinstance(spectra, Sequence):
            raise ValueError(
                f"Argument `spectra` must be a sequence of spectra, but it is {spectra!r}."
            )
        spectra = tuple(spectra)
        if not spectra:
            raise ValueError("Argument `spectra` must hold at least one spectrum, but it is empty.")
        _checks.require_shape("weights", weights, (len(spectra),))
        _require_weights("weights", weights)
        for spectrum in spectra:
            if not isinstance(spectrum, Spectrum) or spectrum.kind == "flat":
                raise ValueError(
                    "Argument `spectra` must hold spectra of which none is flat, "
                    f"but one is {spectrum!r}."
                )
        self._set(spectra=spectra, weights=weights)

    def is_sound(self) -> jax.Array | None:
        """Whether all parts are, with weights that are not negative."""
        parts = [spectrum.is_sound() for spectrum in self.spectra]
        weights = jnp.all((self.weights >= 0) & (self.weights < jnp.inf))
        return all_of([weights, *(part for part in parts if part is not None)])

    def _require(self, name: str) -> None:
        for spectrum in self.spectra:
            spectrum._require(name)
        _checks.require_fields(name, weights=(self.weights, (len(self.spectra),)))
        _require_weights(f"{name}.weights", self.weights)

    @property
    def kind(self) -> Kind:  # type: ignore[override]
        """The kind "ohmic" if a part is."""
        return "ohmic" if self.has_ohmic_part else "rational"

    @property
    def has_reference(self) -> bool:
        """Whether all parts do."""
        return all(spectrum.has_reference for spectrum in self.spectra)

    @property
    def has_ohmic_part(self) -> bool:
        """Whether a part has one."""
        return any(spectrum.has_ohmic_part for spectrum in self.spectra)

    @property
    def lowest_power(self) -> float:
        """The lowest of the parts."""
        return min(spectrum.lowest_power for spectrum in self.spectra)

    def profile(self, frequency: jax.Array) -> jax.Array:
        """J of parts that all have a reference of their own."""
        return self.rate(frequency)

    def filters(self) -> Terms:
        """Those of parts that all have a reference of their own."""
        return self.terms()

    def _total(self, method: str, *arguments: Any) -> jax.Array:
        values = [getattr(spectrum, method)(*arguments) for spectrum in self.spectra]
        weighted = [w.astype(x.dtype) * x for w, x in zip(self.weights, values, strict=True)]
        return sum(weighted[1:], weighted[0])

    def ohmic_slope(self, reference: jax.Array | None = None) -> jax.Array:
        """The η of the part ηω that has no cutoff."""
        return self._total("ohmic_slope", reference)

    def rate(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """Σ_i w_i J_i(ω)/J_i(reference_i), odd in ω."""
        return self._total("rate", frequency, reference)

    def terms(self, reference: jax.Array | None = None) -> Terms:
        """The filters of all parts."""
        return tuple(
            filters.scaled(weight)
            for weight, spectrum in zip(self.weights, self.spectra, strict=True)
            for filters in spectrum.terms(reference)
        )

    def susceptibility(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """χ(ν), complex."""
        return self._total("susceptibility", frequency, reference)

    def matsubara_susceptibility(
        self, z: jax.Array, reference: jax.Array | None = None
    ) -> jax.Array:
        """χ(iz), real."""
        return self._total("matsubara_susceptibility", z, reference)

    def static_susceptibility(self, reference: jax.Array | None = None) -> jax.Array:
        """χ(0)."""
        return self._total("static_susceptibility", reference)

    def one_sided(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """s(ν), complex."""
        return self._total("one_sided", frequency, reference)

    def vacuum_shift(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """That of all parts."""
        return self._total("vacuum_shift", frequency, reference)

    def thermal_shift(
        self,
        frequency: jax.Array,
        temperature: jax.Array,
        reference: jax.Array | None = None,
        side: int | jax.Array = 0,
    ) -> jax.Array:
        """That of all parts."""
        return self._total("thermal_shift", frequency, temperature, reference, side)


def all_of(conditions: Sequence[jax.Array]) -> jax.Array | None:
    """Whether all hold; None if there are none."""
    return reduce(jnp.logical_and, conditions) if conditions else None


def _require_weights(name: str, weights: jax.Array) -> None:
    _checks.require_finite(name, weights)
    _checks.require(name, weights, lambda x: x >= 0, "not be negative")


def _parts(spectrum: Spectrum) -> list[tuple[Any, Spectrum]]:
    """Weights and the spectra that are no sums."""
    if isinstance(spectrum, Sum):
        return list(zip(spectrum.weights, spectrum.spectra, strict=True))
    return [(1.0, spectrum)]


def _joined(parts: Sequence[tuple[Any, Spectrum]]) -> Sum:
    return Sum([spectrum for _, spectrum in parts], [weight for weight, _ in parts])


def as_complex(value: jax.Array) -> jax.Array:
    """The same number or numbers, of a complex dtype."""
    return value if jnp.iscomplexobj(value) else jax.lax.complex(value, jnp.zeros_like(value))


def positive_scalars(reference: Reals | None, **parameters: Reals) -> list[jax.Array | None]:
    """Positive scalars of one dtype, the reference last, which may be None."""
    if reference is not None:
        parameters["reference"] = reference
    arrays = _checks.float_arrays(**parameters)
    for name, value in zip(parameters, arrays, strict=True):
        _checks.require_shape(name, value, ())
        _checks.require_finite(name, value)
        _checks.require(name, value, lambda x: x > 0, "be positive")
    return [*arrays, *([None] if reference is None else [])]
