"""Lindblad equation of a motion averaged over a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.small import maximum
from jaxosc.baths import Baths, match, spectra_of
from jaxosc.dynamics import Dynamics
from jaxosc.equations.family import Bath, Family, fastest_rate, noise
from jaxosc.oscillators import Oscillators
from jaxosc.typing import Reals

# ∫ f(ν) exp(−ν²τ²) dν τ/√π by the rule of Gauss and Hermite; an even number, to miss ν = 0.
_NODES, _WEIGHTS = np.polynomial.hermite.hermgauss(200)
_KEPT = _WEIGHTS > 1e-18
# The noise of L and of L† has a step at zero: they are averaged over their own side of it.
_INSIDE, _SHARES = np.polynomial.legendre.leggauss(200)
_REACH = 6.2  # exp(−6.2²) is 2e-17
_NODES, _WEIGHTS = _NODES[_KEPT], _WEIGHTS[_KEPT] / np.sqrt(np.pi)


def coarse_grained_lindblad(
    oscillators: Oscillators, baths: Baths, time: Reals | None = None
) -> Dynamics:
    """Lindblad equation of the motion averaged over a time τ, with a Gaussian weight.

    Γ(x, y) = exp(−(x − y)²τ²/4) ⟨½ S((x + y)/2 + ν)⟩, ν normally distributed with the variance
    1/2τ². Completely positive; the Gibbs state is stationary to O(1/(Tτ)²) only. The time must
    exceed 1/T and 1/Ω, and stay below the inverse of all splittings of normal modes that matter.

    Args:
        oscillators: N modes with any Hamiltonian that is bounded below.
        baths: with temperatures and spectra that are Ohmic or weaker at low frequency, for the
            average passes ω = 0; the spectra of rows need a ``reference``.
        time: τ, in units of 1/ω, not negative; None for 1/√(γω), of the largest amplitude rate and
            the smallest frequency.

    Returns:
        Dynamics, as ``detailed_balance_lindblad``, with the same NaN and derivatives.

    Raises:
        ValueError: as ``detailed_balance_lindblad``; if the time is negative, or the noise of a
            bath diverges at ω = 0, as of flat ones.

    Example:
        >>> oscillators = jaxosc.pair((1.0, 1.02), 0.01, "position")
        >>> drude = jaxosc.spectra.Drude(cutoff=10.0)
        >>> baths = jaxosc.Baths(0.01, (0.5, 1.0), drude, coupling="position")
        >>> dynamics = jaxosc.coarse_grained_lindblad(oscillators, baths, time=10.0)
        >>> jaxosc.occupation(jaxosc.steady_state(dynamics)).round(6)
        Array([0.227934, 0.493914], dtype=float64)

    Source: Majenz, Albash, Breuer & Lidar, Phys. Rev. A 88, 012103 (2013); Mozgunov & Lidar,
    Quantum 4, 227 (2020); here with a Gaussian in place of a box.
    """
    if time is None:
        oscillators, baths = match(oscillators, baths)
        omega = -maximum(-jnp.abs(oscillators.frequency))
        time = 1 / jnp.sqrt(fastest_rate(baths, oscillators) * omega)
    return Dynamics.of(CoarseGrainedLindblad(), oscillators, baths, time)


@dataclass(frozen=True)
class CoarseGrainedLindblad(Family):
    """The functions behind ``coarse_grained_lindblad``."""

    name: ClassVar[str] = "coarse-grained"
    numbers: ClassVar[tuple[str, ...]] = ("time",)

    def require_kind(self, oscillators: Oscillators, baths: Baths) -> None:
        """And noise that is finite at ω = 0."""
        super().require_kind(oscillators, baths)
        for spectrum in spectra_of(baths):
            if spectrum.lowest_power < 1:
                raise ValueError(
                    "Argument `baths` must have spectra that vanish as ω or faster at ω = 0 for "
                    "the coarse-grained equation, whose average passes there, but the noise of "
                    f"{spectrum!r} diverges."
                )

    def extra(
        self, hessian: jax.Array, unit: jax.Array, *numbers: jax.Array
    ) -> tuple[jax.Array, ...]:
        """The time in natural units."""
        return (numbers[0] * unit,)

    def symbol(self, x: jax.Array, y: jax.Array, bath: Bath) -> jax.Array:
        """exp(−(x − y)²τ²/4) ⟨½ S((x + y)/2 + ν)⟩."""
        (time,) = bath[1].extra
        average = (_beyond_zero if bath[1].one_sided else _everywhere)((x + y) / 2, time, bath)
        return jnp.exp(-(((x - y) * time / 2) ** 2)) * average / 2


def _everywhere(middle: jax.Array, time: jax.Array, bath: Bath) -> jax.Array:
    """⟨S(middle + ν)⟩ of a smooth S."""
    shift = jnp.asarray(_NODES, middle.dtype) / time
    return jnp.sum(noise(middle + shift, bath) * jnp.asarray(_WEIGHTS, middle.dtype))


def _beyond_zero(middle: jax.Array, time: jax.Array, bath: Bath) -> jax.Array:
    """The same of an S that is zero on one side."""
    side = bath[0].side
    middle = side * middle
    low = jnp.maximum(middle - _REACH / time, 0)
    half = jnp.maximum(middle + _REACH / time - low, 0) / 2
    v = low + half * (1 + jnp.asarray(_INSIDE, middle.dtype))
    weight = jnp.exp(-(((v - middle) * time) ** 2)) * jnp.asarray(_SHARES, middle.dtype)
    total = jnp.sum(noise(side * v, bath) * weight)
    return half * time * total / math.sqrt(math.pi)
