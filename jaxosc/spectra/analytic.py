"""Spectra in closed form: flat, Ohmic, Drude and Brownian."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc._numerics.filters import Filters, rate_filters
from jaxosc.spectra.base import Spectrum, Terms, as_complex, positive_scalars
from jaxosc.typing import Reals


class Flat(Spectrum):
    """The same damping at every frequency, of either sign: white noise.

    Example:
        >>> jaxosc.spectra.Flat().rate(jnp.array([-1.0, 3.0]))
        Array([1., 1.], dtype=float64)
    """

    kind = "flat"
    _leaves = ("reference",)

    def __init__(self, *, reference: Reals | None = None) -> None:
        self._set(reference=None if reference is None else positive_scalars(reference)[0])

    @property
    def lowest_power(self) -> float:
        """Zero."""
        return 0.0

    def profile(self, frequency: jax.Array) -> jax.Array:
        """One."""
        return jnp.ones_like(frequency)

    def rate(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """One, for ω of either sign."""
        return jnp.ones_like(frequency)

    def terms(self, reference: jax.Array | None = None) -> Terms:
        """A flat spectrum has none."""
        return self.filters()

    def filters(self) -> Terms:
        """A flat spectrum has none."""
        raise ValueError(
            "Argument `spectrum` must fall off at high frequencies to have a response χ(ν), "
            "but it is flat."
        )


class Ohmic(Spectrum):
    """J ∝ ω without a cutoff: friction proportional to the velocity.

    Moments of what does not commute with the coupling diverge: ⟨p²⟩ with a bath of positions.

    Example:
        >>> jaxosc.spectra.Ohmic(reference=2.0).rate(jnp.array([-1.0, 3.0]))
        Array([-0.5,  1.5], dtype=float64)
    """

    kind = "ohmic"
    _leaves = ("reference",)

    def __init__(self, *, reference: Reals | None = None) -> None:
        self._set(reference=None if reference is None else positive_scalars(reference)[0])

    @property
    def has_ohmic_part(self) -> bool:
        """True."""
        return True

    def profile(self, frequency: jax.Array) -> jax.Array:
        """J = ω."""
        return frequency

    def filters(self) -> Terms:
        """None: its part is ``ohmic_slope``."""
        return ()

    def ohmic_slope(self, reference: jax.Array | None = None) -> jax.Array:
        """1/reference."""
        return 1 / self._resolved(reference)

    def susceptibility(self, frequency: jax.Array, reference: jax.Array | None = None) -> jax.Array:
        """χ(ν) − χ(0) = iν/reference."""
        frequency = as_complex(frequency)
        return 1j * frequency * as_complex(self.ohmic_slope(reference))

    def matsubara_susceptibility(
        self, z: jax.Array, reference: jax.Array | None = None
    ) -> jax.Array:
        """χ(iz) − χ(0) = −z/reference."""
        return -z * self.ohmic_slope(reference)

    def static_susceptibility(self, reference: jax.Array | None = None) -> jax.Array:
        """Zero: what the counter-term leaves of χ(0) = ∞."""
        return jnp.zeros_like(self._resolved(reference))


class Drude(Spectrum):
    """J ∝ ωΛ²/(ω² + Λ²): Ohmic damping below the cutoff Λ, with an exponential memory.

    Args:
        cutoff: Λ > 0, a scalar.
        reference: the frequency at which the rate is the bath's damping; None for the oscillator's.

    Example:
        >>> drude = jaxosc.spectra.Drude(cutoff=3.0, reference=1.0)
        >>> drude.rate(jnp.array([1.0, 3.0, 9.0])).round(6)
        Array([1.      , 1.666667, 1.      ], dtype=float64)
    """

    _leaves = ("cutoff", "reference")
    _positive = ("cutoff",)
    cutoff: jax.Array

    def __init__(self, cutoff: Reals, *, reference: Reals | None = None) -> None:
        values = positive_scalars(reference, cutoff=cutoff)
        self._set(cutoff=values[0], reference=values[1])

    def profile(self, frequency: jax.Array) -> jax.Array:
        """J = ω/(1 + ω²/Λ²)."""
        return frequency / (1 + (frequency / self.cutoff) ** 2)

    def filters(self) -> Terms:
        """χ = Λ²/(Λ − iν)."""
        return (rate_filters(self.cutoff[None], self.cutoff[None] ** 2),)


class Brownian(Spectrum):
    """J ∝ Γω/((ω0² − ω²)² + Γ²ω²): a bath behind one damped mode, a peak at ω0 of width Γ.

    Args:
        frequency: ω0 > 0, a scalar.
        width: Γ > 0, a scalar, the full width; Γ = 2ω0 is critical damping, no special case here.
        reference: the frequency at which the rate is the bath's damping; None for the oscillator's.

    Example:
        >>> jaxosc.spectra.Brownian(1.0, 0.2, reference=1.0).rate(jnp.array([0.5, 1.0])).round(6)
        Array([0.034934, 1.      ], dtype=float64)
    """

    _leaves = ("frequency", "width", "reference")
    _positive = ("frequency", "width")
    frequency: jax.Array
    width: jax.Array

    def __init__(self, frequency: Reals, width: Reals, *, reference: Reals | None = None) -> None:
        values = positive_scalars(reference, frequency=frequency, width=width)
        self._set(frequency=values[0], width=values[1], reference=values[2])

    def profile(self, frequency: jax.Array) -> jax.Array:
        """J = (ω/Γ)/(((ω0² − ω²)/Γω0)² + (ω/ω0)²), of the order of one at the peak."""
        detuning = (self.frequency - frequency) * (self.frequency + frequency)
        scaled = detuning / (self.width * self.frequency)
        return frequency / self.width / (scaled**2 + (frequency / self.frequency) ** 2)

    def filters(self) -> Terms:
        """χ = ω0²/(ω0² − ν² − iΓν)."""
        zero = jnp.zeros_like(self.frequency)
        drift = jnp.array([[zero, self.frequency], [-self.frequency, -self.width]])
        drive = jnp.stack([zero, self.frequency])
        output = jnp.stack([jnp.ones_like(zero), zero])
        return (Filters(drift[None], drive[None], output[None]),)
