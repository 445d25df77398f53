"""Normal modes of a network: the Bogoliubov diagonalisation of its Hamiltonian."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import export

from jaxosc import domain
from jaxosc._numerics.bogoliubov import normal_frame
from jaxosc._numerics.sharing import quotient, reciprocal, sqrt
from jaxosc._numerics.small import nan_unless
from jaxosc.oscillators import (
    Oscillators,
    entered,
    in_unit,
    natural_unit,
    require_network,
    two_mode_determinants,
)


class NormalModes(NamedTuple):
    """Normal modes c_k of H = Σ_k Ω_k c_k†c_k, with a_j = Σ_k U_jk c_k + V_jk c_k†.

    Attributes:
        frequency: Ω [N], ascending, in the unit of ω.
        u: U [N, N].
        v: V [N, N]; zero in the rotating-wave form.
    """

    frequency: jax.Array
    u: jax.Array
    v: jax.Array


export.register_namedtuple_serialization(NormalModes, serialized_name="jaxosc.NormalModes")


def normal_modes(oscillators: Oscillators) -> NormalModes:
    """Diagonalise H = Σ_k Ω_k c_k†c_k + constant by a_j = Σ_k U_jk c_k + V_jk c_k†.

    Args:
        oscillators: a network with a bounded Hamiltonian.

    Returns:
        NormalModes(frequency [N], u [N, N], v [N, N]), frequencies ascending; NaN where H is
        not bounded below and the values are known only inside a transformation. The signs of
        the modes are free. Modes of one frequency are any rotation of each other: derivatives
        there are those of their eigenspace and of its mean frequency, right for what no such
        rotation changes. (For N > 2 frequencies count as one whose splitting is below 4e-10, in
        float32 7e-5, of the couplings and detunings that might have split them. Of two modes
        that only a pairing couples, the modes are those of a vanishing exchange beside it.)

    Raises:
        ValueError: if H is known and not bounded below.

    Source: Konopik & Lutz, Eqs. 2, 3 and 16 (with cos θ in place of the last −sin θ of A and B).
    """
    require_network(oscillators)
    modes, status = _normal_modes(entered(oscillators))
    domain.require(status, oscillators)
    return modes


@jax.jit
def _normal_modes(oscillators: Oscillators) -> tuple[NormalModes, jax.Array]:
    conditions = domain.network_conditions(oscillators)
    unit = natural_unit(oscillators)
    modes = _any_modes(in_unit(oscillators, unit))
    valid = domain.hold(conditions)
    modes = modes._replace(frequency=modes.frequency * unit)
    return NormalModes(*(nan_unless(valid, leaf) for leaf in modes)), domain.status(conditions)


def highest_frequency(oscillators: Oscillators) -> jax.Array:
    """Ω_N, without a derivative."""
    return jax.lax.stop_gradient(_any_modes(oscillators).frequency[-1])


def _any_modes(oscillators: Oscillators) -> NormalModes:
    """The normal modes; meaningless where H is not bounded below."""
    return _two_modes(oscillators) if oscillators.modes == 2 else _many_modes(oscillators)


def _many_modes(oscillators: Oscillators) -> NormalModes:
    frame = normal_frame(oscillators.frequency, oscillators.exchange, oscillators.pairing)
    mean = frame.mean_frequency
    frequency = jax.lax.stop_gradient(frame.frequency) + mean - jax.lax.stop_gradient(mean)
    return NormalModes(frequency, frame.u, frame.v)


@jax.jit
def degenerate_neighbours(oscillators: Oscillators) -> jax.Array:
    """Whether the global equation takes each normal mode and the next as one group [N − 1]."""
    scaled = in_unit(oscillators, natural_unit(oscillators))
    if scaled.modes == 2:
        return (two_mode_frequencies(scaled)[2] == 0)[None]
    same = normal_frame(scaled.frequency, scaled.exchange, scaled.pairing).same
    return jnp.diagonal(same, 1)


def two_mode_frequencies(
    oscillators: Oscillators,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Ω_−, Ω_+ and (Ω_+² − Ω_−²)² of two modes.

    Ω_−² comes from the product Ω_+²Ω_−² = det V det W: as a difference it loses every digit
    near the critical coupling. The splitting is formed from ω_1 − ω_2 and the couplings alone.
    """
    omega1, omega2 = oscillators.frequency[0], oscillators.frequency[1]
    j, k = oscillators.exchange[0, 1], oscillators.pairing[0, 1]
    total, difference = omega1 + omega2, omega1 - omega2
    trace = omega1**2 + omega2**2 + 2 * (j - k) * (j + k)
    splitting = difference**2 * (total - 2 * k) * (total + 2 * k) + 4 * (j * total) ** 2
    root = sqrt(jnp.where(splitting > 0, splitting, 1))
    root = jnp.where(splitting > 0, root, 0)
    high = sqrt((trace + root) / 2)
    potential, kinetic = two_mode_determinants(oscillators)
    return quotient(sqrt(potential) * sqrt(kinetic), high), high, splitting


def _two_modes(oscillators: Oscillators) -> NormalModes:
    (low, high), position, momentum = two_mode_quadratures(oscillators)
    # Rounding must not put equal frequencies out of order; derivatives stay as they are.
    low += jax.lax.stop_gradient(jnp.minimum(high - low, 0))
    x, p = jnp.array(position), jnp.array(momentum)
    return NormalModes(jnp.array([low, high]), (x + p) / 2, (x - p) / 2)


Square = tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]


def two_mode_quadratures(
    oscillators: Oscillators,
) -> tuple[tuple[jax.Array, jax.Array], Square, Square]:
    """Ω, X and P of two modes without an angle: entries of the spectral projectors of WV.

    With ω_h ≥ ω_l the projector of Ω_+ has its large entry at the oscillator h, and
    X_−, P_− follow from P_+, X_+ because the transformation is symplectic.
    """
    omega = oscillators.frequency
    j, k = oscillators.exchange[0, 1], oscillators.pairing[0, 1]
    swapped = omega[0] < omega[1]
    omega_h = jnp.where(swapped, omega[1], omega[0])
    omega_l = jnp.where(swapped, omega[0], omega[1])
    total, difference = omega_h + omega_l, omega_h - omega_l
    potential, kinetic = j + k, j - k
    det_potential, det_kinetic = two_mode_determinants(oscillators)
    low, high, splitting = two_mode_frequencies(oscillators)
    # Where the frequencies coincide any rotation of the modes is a normal mode. Two identical
    # uncoupled oscillators are kept, with a finite derivative; of two that only a pairing couples,
    # the modes are those of a vanishing exchange beside it.
    split, paired = splitting > 0, k != 0
    root = sqrt(jnp.where(split, splitting, 1))
    inverse_root = reciprocal(root)
    detuning = jnp.where(split, difference * total * inverse_root, jnp.where(paired, 0, 1))
    exchange = jnp.where(split, j * total * inverse_root, jnp.where(paired, 0.5, 0))
    pairing = k * difference * inverse_root
    inverse_high = reciprocal(high)
    large = (1 + detuning) * omega_h / 2
    x_hh = (large + kinetic * (exchange + pairing)) * inverse_high
    p_hh = (large + potential * (exchange - pairing)) * inverse_high

    def shared_with_l(k: jax.Array, det: jax.Array, alone: jax.Array) -> jax.Array:
        """(Ω_+²(j − k) + det(j + k))/root, free of what cancels for small j and ω_h − ω_l."""
        excess = difference**2 / 2 + 2 * j * (j - k) + root / 2  # Ω_+² − det
        value = (j * (high**2 + det) - k * excess) * inverse_root * inverse_high
        return jnp.where(split, value, jnp.where(paired, alone, 0))

    x_hl = shared_with_l(k, det_kinetic, x_hh)
    p_hl = shared_with_l(-k, det_potential, p_hh)
    x_h, p_h = sqrt(x_hh), sqrt(p_hh)
    x_l, p_l = quotient(x_hl, x_h), quotient(p_hl, p_h)
    ratio = sqrt(sqrt(quotient(det_kinetic, det_potential)))
    inverse_ratio = reciprocal(ratio)

    def rows(minus_h: jax.Array, minus_l: jax.Array, h: jax.Array, l: jax.Array) -> Square:
        return (
            (jnp.where(swapped, minus_l, minus_h), jnp.where(swapped, l, h)),
            (jnp.where(swapped, minus_h, minus_l), jnp.where(swapped, h, l)),
        )

    return (
        (low, high),
        rows(-p_l * ratio, p_h * ratio, x_h, x_l),
        rows(-x_l * inverse_ratio, x_h * inverse_ratio, p_h, p_l),
    )
