"""Global Lindblad equation: every normal mode of the coupled network relaxes on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, get_args

import jax
import jax.numpy as jnp

from jaxosc import _checks, domain
from jaxosc import baths as _baths
from jaxosc._numerics import small
from jaxosc._numerics.sharing import quotient
from jaxosc._numerics.special import bose
from jaxosc._numerics.two_modes import Entries, modes_apart
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics, drift_matrix
from jaxosc.equations.entrance import Equation
from jaxosc.equations.gibbs import thermal_covariance, two_mode_thermal
from jaxosc.normal_modes import Square, quadrature_modes, two_mode_quadratures
from jaxosc.oscillators import Oscillators, in_unit
from jaxosc.typing import Spectrum, Weights

WEIGHTS: tuple[Weights, ...] = get_args(Weights)


def global_lindblad(oscillators: Oscillators, baths: Baths, weights: Weights = "paper") -> Dynamics:
    """Global (full secular) Lindblad master equation.

    Normal mode k loses amplitude at the rate Γ_k = Σ_j w_jk and relaxes to
    ⟨c_k†c_k⟩ = Σ_j w_jk N(Ω_k, T_j)/Γ_k; different normal modes stay uncorrelated. With
    a_j = Σ_k U_jk c_k + V_jk c_k†, the weights are

    - ``"paper"``: γ_j (U_jk² + V_jk²), flat rates, Eq. 17 of the paper;
    - ``"rotating-wave"``: γ_j(Ω_k) U_jk², the coupling ab† + a†b to a bath;
    - ``"position"``: γ_j(Ω_k) (U_jk + V_jk)², the coupling (a + a†)(b + b†).

    γ_j(ν) is the spectrum of the baths; an ``"ohmic"`` one with ``"position"`` weights is the
    secular limit of the Caldeira-Leggett model.

    Args:
        oscillators: N modes with a bounded Hamiltonian.
        baths: one bath an oscillator; ``spectrum`` is used by the last two weights.
        weights: one of the three names.

    Returns:
        Dynamics; its diffusion and steady state are NaN where H is not bounded below, a rate or
        temperature is negative, or a normal mode has no bath, and the values are known only
        inside a transformation.
        Where two Ω_k coincide and the temperatures differ, the equation itself is
        discontinuous: two identical uncoupled oscillators are taken as their own normal modes,
        and derivatives there have no meaning.

    Raises:
        ValueError: if the two do not fit together, the name is unknown, H is known and not
            bounded below, a normal mode is known to have no bath, or ``"paper"`` weights meet a
            spectrum that is not flat.

    Source: Konopik & Lutz, App. A, Eq. 17; Breuer & Petruccione, Sec. 3.3.
    """
    _checks.require_choice("weights", weights, WEIGHTS)
    return Dynamics.of(GlobalLindblad(weights), oscillators, baths)


@dataclass(frozen=True)
class GlobalLindblad(Equation):
    """The functions behind ``global_lindblad``."""

    weights: Weights

    def require_spectrum(self, baths: Baths) -> None:
        """Flat rates have a flat spectrum."""
        if self.weights == "paper" and baths.spectrum != "flat":
            raise ValueError(
                "Argument `weights` must be 'rotating-wave' or 'position' for baths whose spectrum "
                f"is {baths.spectrum!r}, but it is 'paper', which has flat rates."
            )

    def conditions(self, oscillators: Oscillators, baths: Baths) -> domain.Conditions:
        """Beside those of all equations, that every normal mode is damped."""
        damped = self._secular(oscillators, baths).damped
        return super().conditions(oscillators, baths) | {domain.Status.DARK: damped}

    def drift(self, *parts: Any) -> jax.Array:
        """Normal modes that rotate and decay each on its own."""
        return self._secular(*parts).drift

    def diffusion(self, *parts: Any) -> jax.Array:
        """The noise of each normal mode."""
        return self._secular(*parts).diffusion

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """In closed form."""
        return self._secular(*parts).stationary

    def _secular(self, oscillators: Oscillators, baths: Baths) -> Secular:
        valid = domain.hold(super().conditions(oscillators, baths))
        scaled, scaled_baths, unit = _baths.in_natural_units(oscillators, baths)
        share = partial(_share, spectrum=baths.spectrum, weights=self.weights)
        route = _two_modes if oscillators.modes == 2 else _many_modes
        return route(scaled, scaled_baths, share, unit, valid)


class Secular(NamedTuple):
    """The secular equation; D and σ are NaN unless valid and damped."""

    drift: jax.Array
    diffusion: jax.Array
    stationary: jax.Array
    damped: jax.Array  # whether every normal mode is


def _share(
    damping: jax.Array,
    own: jax.Array,
    omega: jax.Array,
    x: jax.Array,
    p: jax.Array,
    spectrum: Spectrum,
    weights: Weights,
) -> jax.Array:
    """w_jk, the amplitude rate at which the bath of an oscillator at ω_j damps the mode at Ω_k."""
    if weights == "paper":
        return damping * (x**2 + p**2) / 2
    if spectrum == "ohmic":
        damping = damping * omega / own
    if weights == "position":
        return damping * x**2
    return damping * ((x + p) / 2) ** 2


# Occupations are measured from the coldest bath: the Gibbs state at its temperature is smooth
# where normal modes coincide, and what is added is never negative, so that nothing cancels.


def _two_modes(
    oscillators: Oscillators,
    baths: Baths,
    share: Callable[..., jax.Array],
    unit: jax.Array,
    valid: jax.Array,
) -> Secular:
    frequencies, position, momentum = two_mode_quadratures(oscillators)
    first_colder = baths.temperature[0] < baths.temperature[1]
    coldest = jnp.where(first_colder, baths.temperature[0], baths.temperature[1])
    references, rates, excesses, variances = [], [], [], []
    for k, omega in enumerate(frequencies):
        shares = [
            share(baths.damping[j], oscillators.frequency[j], omega, position[j][k], momentum[j][k])
            for j in (0, 1)
        ]
        rate = shares[0] + shares[1]
        numbers = [bose(omega, temperature) for temperature in baths.temperature]
        reference = jnp.where(first_colder, numbers[0], numbers[1])
        gains = [number - reference for number in numbers]
        excess = quotient(shares[0] * gains[0] + shares[1] * gains[1], rate)
        valid &= rate > 0
        references.append(reference)
        rates.append(rate)
        excesses.append(excess)
        variances.append(2 * rate * unit * (reference + excess + 0.5))

    def product(left: Square, weight: list[jax.Array], right: Square, j: int, l: int) -> jax.Array:
        return left[j][0] * weight[0] * right[l][0] + left[j][1] * weight[1] * right[l][1]

    def block(shape: Square, weight: list[jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        entry = partial(product, shape, weight, shape)
        return entry(0, 0), entry(0, 1), entry(1, 1)

    def in_modes(weight: list[jax.Array]) -> Entries:
        return modes_apart(block(position, weight), block(momentum, weight))

    decay = small.matrix(
        [[-unit * product(position, rates, momentum, j, l) for l in (0, 1)] for j in (0, 1)]
    )
    stationary = two_mode_thermal(oscillators, coldest, (references[0], references[1])).plus(
        in_modes(excesses)
    )
    matrix = drift_matrix(in_unit(oscillators, 1 / unit), decay, decay.T)
    return Secular(
        matrix,
        in_modes(variances).where(valid).matrix(),
        stationary.where(valid).matrix(),
        (rates[0] > 0) & (rates[1] > 0),
    )


def _many_modes(
    oscillators: Oscillators,
    baths: Baths,
    share: Callable[..., jax.Array],
    unit: jax.Array,
    valid: jax.Array,
) -> Secular:
    modes = quadrature_modes(oscillators)
    omega = modes.frequency[None, :]
    shares = share(
        baths.damping[:, None],
        oscillators.frequency[:, None],
        omega,
        modes.position,
        modes.momentum,
    )
    rate = jnp.sum(shares, axis=0)
    coldest = jax.lax.stop_gradient(jnp.min(baths.temperature))
    reference = bose(modes.frequency, coldest)
    gains = bose(omega, baths.temperature[:, None]) - reference[None, :]
    excess = jnp.sum(shares * gains, axis=0) / rate

    def in_modes(variance: jax.Array) -> jax.Array:
        xx = (modes.position * variance[None, :]) @ modes.position.T
        pp = (modes.momentum * variance[None, :]) @ modes.momentum.T
        zero = jnp.zeros_like(xx)
        return small.interleave(xx, zero, zero, pp)

    stationary = thermal_covariance(oscillators, coldest) + in_modes(excess)
    diffusion = in_modes(2 * rate * unit * (reference + excess + 0.5))
    damped = jnp.all(rate > 0)
    decay = -(modes.position * rate[None, :]) @ modes.momentum.T
    matrix = drift_matrix(oscillators, decay, decay.T)
    valid &= damped
    return Secular(
        matrix * unit,
        small.nan_unless(valid, diffusion),
        small.nan_unless(valid, stationary),
        damped,
    )
