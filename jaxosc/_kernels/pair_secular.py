"""The global Lindblad equation of two modes, written out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._kernels.interface import BathCoupling, Rate
from jaxosc._kernels.pair_equation import Couple, Entries, Scale, modes_apart
from jaxosc._kernels.pair_modes import Square, frequencies, quadratures, thermal
from jaxosc._numerics import small
from jaxosc._numerics.jacobians import by_tables
from jaxosc._numerics.sharing import reciprocal
from jaxosc._numerics.special import bose

Quadratures = tuple[jax.Array, jax.Array]


def share_of(
    damping: jax.Array,
    own: jax.Array,
    omega: jax.Array,
    left: Quadratures,
    right: Quadratures,
    coupling: BathCoupling,
    rate: Rate,
) -> jax.Array:
    """w_jkl, the amplitude rate at which the bath of an oscillator at ω_j damps modes at Ω.

    Of one mode, k = l, or between two, by what they have of the x and p of that oscillator.
    """
    (x, p), (y, q) = left, right
    damping = rate(damping, own, omega)
    if coupling == "quadratures":
        return damping * (x * y + p * q) / 2
    if coupling == "position":
        return damping * (x * y)
    if coupling == "momentum":
        return damping * (p * q)
    return damping * (((x + p) / 2) * ((y + q) / 2))


# Occupations are measured from the coldest bath: the Gibbs state at its temperature is smooth
# where normal modes coincide, and what is added is never negative, so that nothing cancels.


class _Given(NamedTuple):
    """What the equation is made of."""

    couple: Couple
    damping: small.Entries
    temperature: small.Entries
    rates: tuple[Rate, ...]
    own: tuple[jax.Array, jax.Array] | None  # ω_j; those of the couple if left out
    scale: Scale | None


@dataclass(frozen=True)
class PairSecular:
    """The equation of two modes, of which only what is asked for is computed.

    Attributes:
        couple: the modes.
        damping: γ_j.
        temperature: T_j.
        rates: those of both baths, pytrees.
        unit: of the drift and the noise.
        valid: whether the arguments are.
        own: ω_j.
        scale: what the couple is scaled by.
        coupling: of both baths.
    """

    couple: Couple
    damping: small.Entries
    temperature: small.Entries
    rates: tuple[Rate, ...]
    unit: jax.Array
    valid: jax.Array
    own: tuple[jax.Array, jax.Array]
    scale: Scale | None
    coupling: BathCoupling

    def _given(self) -> _Given:
        own = None if self.scale is None else self.own
        baths = tuple(self.damping), tuple(self.temperature), self.rates
        return _Given(self.couple, *baths, own, self.scale)

    @cached_property
    def _state(self) -> tuple[Entries, jax.Array]:
        found, damped = by_tables(
            _stationary, self._given(), tabled=_stationary_at_once, coupling=self.coupling
        )
        return found, damped > 0

    @cached_property
    def _motion(self) -> tuple[list[list[jax.Array]], Entries, jax.Array]:
        given = self._given(), self.unit
        decay, noise, damped = by_tables(_drift_and_noise, *given, coupling=self.coupling)
        return decay, noise, damped > 0

    @property
    def drift(self) -> jax.Array:
        """What the baths add."""
        decay = small.matrix(self._motion[0])
        zero = jnp.zeros_like(decay)
        return small.interleave(decay, zero, zero, decay.T)

    @property
    def diffusion(self) -> jax.Array:
        """D."""
        _, noise, damped = self._motion
        return noise.where(self.valid & damped).matrix()

    @property
    def stationary(self) -> jax.Array:
        """σ."""
        found, damped = self._state
        return found.where(self.valid & damped).matrix()

    @property
    def damped(self) -> jax.Array:
        """Whether both modes are damped, and neither of a pair of one frequency is dark."""
        return self._state[1]


class _Response(NamedTuple):
    """What a heating adds to the occupations of both modes, and between them."""

    low: jax.Array
    high: jax.Array
    between: jax.Array


class _Normal(NamedTuple):
    """Normal modes and what the baths do to them."""

    position: Square
    momentum: Square
    references: list[jax.Array]
    rates: list[jax.Array]
    heatings: list[jax.Array]
    mixing: jax.Array
    mixed_heating: jax.Array
    responses: list[_Response]  # to both heatings and the mixed one
    damped: jax.Array  # one or zero

    def heated(self) -> Iterator[tuple[jax.Array, _Response]]:
        """Every heating, and the response to it."""
        return zip((*self.heatings, self.mixed_heating), self.responses, strict=True)


def _normal(given: _Given, coupling: BathCoupling) -> _Normal:
    couple, damping, temperature, by_bath, own, scale = given
    own = own or (couple.omega1, couple.omega2)
    omega_of_modes, position, momentum = quadratures(couple, scale)
    first_colder = temperature[0] < temperature[1]

    def shares_of(k: int, l: int, omega: jax.Array) -> list[jax.Array]:
        shapes = [[(position[j][m], momentum[j][m]) for m in (k, l)] for j in (0, 1)]
        return [
            share_of(damping[j], own[j], omega, shapes[j][0], shapes[j][1], coupling, rate)
            for j, rate in enumerate(by_bath)
        ]

    references, rates, heatings = [], [], []
    for k, omega in enumerate(omega_of_modes):
        shares = shares_of(k, k, omega)
        rate = shares[0] + shares[1]
        numbers = [bose(omega, t) for t in temperature]
        reference = jnp.where(first_colder, numbers[0], numbers[1])
        gains = [number - reference for number in numbers]
        heating = shares[0] * gains[0] + shares[1] * gains[1]
        references.append(reference)
        rates.append(rate)
        heatings.append(heating)
    # Two modes of one frequency keep their coherence: what follows is zero for all others.
    _, _, splitting = frequencies(couple)
    shares = [jnp.where(splitting == 0, x, 0) for x in shares_of(0, 1, omega_of_modes[0])]
    mixing, mixed_heating = shares[0] + shares[1], shares[0] * gains[0] + shares[1] * gains[1]
    apart = (shares[0] == 0) & (shares[1] == 0)
    responses, lit = _responses(rates, mixing, apart)
    damped = (rates[0] > 0) & (rates[1] > 0) & lit
    return _Normal(
        position, momentum, references, rates, heatings, mixing, mixed_heating,
        responses, damped.astype(mixing.dtype),
    )  # fmt: skip


def _product(
    left: Square, weight: list[jax.Array], between: jax.Array, right: Square, j: int, l: int
) -> jax.Array:
    own = left[j][0] * weight[0] * right[l][0] + left[j][1] * weight[1] * right[l][1]
    return own + between * (left[j][0] * right[l][1] + left[j][1] * right[l][0])


def _in_modes(normal: _Normal, weight: list[jax.Array], between: jax.Array) -> Entries:
    def block(shape: Square) -> tuple[jax.Array, jax.Array, jax.Array]:
        entry = partial(_product, shape, weight, between, shape)
        return entry(0, 0), entry(0, 1), entry(1, 1)

    return modes_apart(block(normal.position), block(normal.momentum))


def _stationary(given: _Given, coupling: BathCoupling) -> tuple[Entries, jax.Array]:
    normal, found = _coldest(given, coupling)
    # What has no temperature on one side: on a grid it is of a row.
    for heating, (low, high, between) in normal.heated():
        one = _in_modes(normal, [low, high], between)
        found = found.plus(Entries(*(entry * heating for entry in one)))
    return found, normal.damped


def _stationary_at_once(given: _Given, coupling: BathCoupling) -> tuple[Entries, jax.Array]:
    """The same with all heatings in one sum."""
    normal, found = _coldest(given, coupling)
    parts = [[heating * number for number in of] for heating, of in normal.heated()]
    low, high, between = (x + y + z for x, y, z in zip(*parts, strict=True))
    return found.plus(_in_modes(normal, [low, high], between)), normal.damped


def _coldest(given: _Given, coupling: BathCoupling) -> tuple[_Normal, Entries]:
    """Normal modes, and their Gibbs state at the temperature of the colder bath."""
    normal, temperature = _normal(given, coupling), given.temperature
    coldest = jnp.where(temperature[0] < temperature[1], temperature[0], temperature[1])
    numbers = normal.references[0], normal.references[1]
    return normal, thermal(given.couple, coldest, numbers).scaled(given.scale)


def _drift_and_noise(
    given: _Given, unit: jax.Array, coupling: BathCoupling
) -> tuple[list[list[jax.Array]], Entries, jax.Array]:
    normal = _normal(given, coupling)

    def noise(rate: jax.Array, reference: jax.Array, heating: jax.Array) -> jax.Array:
        return 2 * unit * (rate * (reference + 0.5) + heating)

    modes = zip(normal.rates, normal.references, normal.heatings, strict=True)
    variances = [noise(*mode) for mode in modes]
    decay = [
        [
            -unit * _product(normal.position, normal.rates, normal.mixing, normal.momentum, j, l)
            for l in (0, 1)
        ]
        for j in (0, 1)
    ]
    between = noise(normal.mixing, normal.references[0], normal.mixed_heating)
    return decay, _in_modes(normal, variances, between), normal.damped


def _responses(
    rates: list[jax.Array], mixing: jax.Array, apart: jax.Array
) -> tuple[list[_Response], jax.Array]:
    """C of RC + CR = 2H of the modes in each entry of H, and whether neither is dark.

    For two modes of one frequency C = (H det R + adj R H adj R)/(tr R det R); where no bath mixes
    them each is heated by itself.
    """
    r1, r2 = rates
    trace, determinant = r1 + r2, r1 * r2 - mixing**2
    lit = apart | (determinant > 64 * float(np.finfo(trace.dtype).eps) * trace**2)
    inverse = reciprocal(jnp.where(apart | ~lit, 1, trace * determinant))

    def own(mine: jax.Array, other: jax.Array) -> jax.Array:
        return jnp.where(apart, reciprocal(mine), (determinant + other**2) * inverse)

    mixed = mixing * inverse
    square = mixing * mixed
    both = jnp.where(apart, 0, (r1 * r2 + determinant + mixing**2) * inverse)
    responses = [
        _Response(own(r1, r2), square, -r2 * mixed),
        _Response(square, own(r2, r1), -r1 * mixed),
        _Response(-2 * r2 * mixed, -2 * r1 * mixed, both),
    ]
    return responses, lit
