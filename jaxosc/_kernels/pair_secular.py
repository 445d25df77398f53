"""The global Lindblad equation of two modes, written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._kernels.interface import BathCoupling, Rate, Secular
from jaxosc._kernels.pair_equation import Couple, Entries, Scale, modes_apart
from jaxosc._kernels.pair_modes import Square, frequencies, quadratures, thermal
from jaxosc._numerics import small
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


def secular(
    couple: Couple,
    damping: small.Entries,
    temperature: small.Entries,
    by_bath: Sequence[Callable[..., jax.Array]],
    unit: jax.Array,
    valid: jax.Array,
    own: tuple[jax.Array, jax.Array],
    scale: Scale | None,
) -> Secular:
    omega_of_modes, position, momentum = quadratures(couple, scale)
    first_colder = temperature[0] < temperature[1]
    coldest = jnp.where(first_colder, temperature[0], temperature[1])

    def shares_of(k: int, l: int, omega: jax.Array) -> list[jax.Array]:
        shapes = [[(position[j][m], momentum[j][m]) for m in (k, l)] for j in (0, 1)]
        return [share(damping[j], own[j], omega, *shapes[j]) for j, share in enumerate(by_bath)]

    references, rates, heatings, excesses = [], [], [], []
    for k, omega in enumerate(omega_of_modes):
        shares = shares_of(k, k, omega)
        rate = shares[0] + shares[1]
        numbers = [bose(omega, t) for t in temperature]
        reference = jnp.where(first_colder, numbers[0], numbers[1])
        gains = [number - reference for number in numbers]
        heating = shares[0] * gains[0] + shares[1] * gains[1]
        valid &= rate > 0
        references.append(reference)
        rates.append(rate)
        heatings.append(heating)
        excesses.append(heating * reciprocal(rate))  # of a rate that has no temperature
    # Two modes of one frequency keep their coherence: what follows is zero for all others.
    _, _, splitting = frequencies(couple)
    shares = [jnp.where(splitting == 0, x, 0) for x in shares_of(0, 1, omega_of_modes[0])]
    mixing, mixed_heating = shares[0] + shares[1], shares[0] * gains[0] + shares[1] * gains[1]
    apart = (shares[0] == 0) & (shares[1] == 0)
    excesses, coherence, lit = _excess_together(
        rates, heatings, excesses, mixing, mixed_heating, apart
    )
    valid &= lit

    def noise(rate: jax.Array, reference: jax.Array, heating: jax.Array) -> jax.Array:
        return 2 * unit * (rate * (reference + 0.5) + heating)

    variances = [noise(*mode) for mode in zip(rates, references, heatings, strict=True)]

    def product(
        left: Square, weight: list[jax.Array], between: jax.Array, right: Square, j: int, l: int
    ) -> jax.Array:
        own = left[j][0] * weight[0] * right[l][0] + left[j][1] * weight[1] * right[l][1]
        return own + between * (left[j][0] * right[l][1] + left[j][1] * right[l][0])

    def block(
        shape: Square, weight: list[jax.Array], between: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        entry = partial(product, shape, weight, between, shape)
        return entry(0, 0), entry(0, 1), entry(1, 1)

    def in_modes(weight: list[jax.Array], between: jax.Array) -> Entries:
        return modes_apart(block(position, weight, between), block(momentum, weight, between))

    decay = small.matrix([
        [-unit * product(position, rates, mixing, momentum, j, l) for l in (0, 1)] for j in (0, 1)
    ])  # fmt: skip
    stationary = (
        thermal(couple, coldest, (references[0], references[1]))
        .scaled(scale)
        .plus(in_modes(excesses, coherence))
    )
    diffusion = in_modes(variances, noise(mixing, references[0], mixed_heating))
    zero = jnp.zeros_like(decay)
    return Secular(
        small.interleave(decay, zero, zero, decay.T),
        diffusion.where(valid).matrix(),
        stationary.where(valid).matrix(),
        (rates[0] > 0) & (rates[1] > 0) & lit,
    )


def _excess_together(
    rates: list[jax.Array],
    heatings: list[jax.Array],
    excesses: list[jax.Array],
    mixing: jax.Array,
    mixed_heating: jax.Array,
    apart: jax.Array,
) -> tuple[list[jax.Array], jax.Array, jax.Array]:
    """C of RC + CR = 2H for two modes of one frequency, C = (H det R + adj R H adj R)/(tr R det R).

    The diagonal of C, its entry between the modes, and whether neither is dark; where no bath
    mixes them the diagonal is as it was.
    """
    (r1, r2), (h1, h2) = rates, heatings
    trace, determinant = r1 + r2, r1 * r2 - mixing**2
    lit = apart | (determinant > 64 * float(np.finfo(trace.dtype).eps) * trace**2)
    inverse = reciprocal(jnp.where(apart | ~lit, 1, trace * determinant))
    c1 = (h1 * (determinant + r2**2) - 2 * mixing * r2 * mixed_heating + mixing**2 * h2) * inverse
    c2 = (h2 * (determinant + r1**2) - 2 * mixing * r1 * mixed_heating + mixing**2 * h1) * inverse
    between = mixed_heating * (r1 * r2 + determinant + mixing**2) - mixing * (r2 * h1 + r1 * h2)
    diagonal = [jnp.where(apart, own, c) for own, c in zip(excesses, (c1, c2), strict=True)]
    return diagonal, jnp.where(apart, 0, between * inverse), lit
