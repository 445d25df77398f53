"""The global Lindblad equation of any number of modes."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._kernels.interface import BathCoupling, Network, Rates, Secular, SecularMatrices
from jaxosc._kernels.network_thermal import thermal_covariance
from jaxosc._kernels.secular import excess_of, relative
from jaxosc._numerics import small
from jaxosc._numerics.bogoliubov import normal_frame
from jaxosc._numerics.linear import eigh
from jaxosc._numerics.special import bose


class Modes(NamedTuple):
    """The equation for any number of modes, in the normal modes of the network.

    Inside a group of degenerate modes it keeps the coherences. With the rates R_kl = Σ_j w_jkl of
    the amplitudes, zero between groups, n = C + N(Ω, T_coldest) and

        RC + CR = 2 Σ_j w_jkl [N(Ω, T_j) − N(Ω, T_coldest)].

    Attributes:
        position: X [N, N] of x = Xξ.
        momentum: P [N, N] of p = Pπ, XPᵀ = 1.
        same: whether k and l belong to one group [N, N].
        rate: R [N, N].
        heating: the sum on the right [N, N].
        reference: N(Ω, T_coldest) [N], Ω the mean frequency of a group.
        damped: whether no normal mode is dark.
    """

    position: jax.Array
    momentum: jax.Array
    same: jax.Array
    rate: jax.Array
    heating: jax.Array
    reference: jax.Array
    damped: jax.Array


def secular(
    network: Network,
    damping: jax.Array,
    temperature: jax.Array,
    unit: jax.Array,
    valid: jax.Array,
    *,
    coupling: BathCoupling,
    rate: Rates,
) -> Secular:
    """The equation of a network and its baths, in natural units."""
    modes = _modes(network, damping, temperature, coupling, rate)
    valid &= modes.damped
    decay = -modes.position @ modes.rate @ modes.momentum.T
    noise = modes.rate * (modes.reference + 0.5)[None, :] + modes.heating
    coldest = _coldest(temperature)
    stationary = thermal_covariance(network, coldest) + _in_quadratures(
        modes, excess_of(modes.same, modes.rate, modes.heating)
    )
    zero = jnp.zeros_like(decay)
    return SecularMatrices(
        small.interleave(decay, zero, zero, decay.T) * unit,
        small.nan_unless(valid, _in_quadratures(modes, 2 * noise) * unit),
        small.nan_unless(valid, stationary),
        modes.damped,
    )


def _modes(
    network: Network,
    damping: jax.Array,
    temperature: jax.Array,
    coupling: BathCoupling,
    rate: Rates,
) -> Modes:
    frame = normal_frame(*network)
    omega = frame.mean_frequency
    strength = _strengths(rate, damping, network.frequency, omega)
    coldest = _coldest(temperature)
    reference = bose(omega, coldest)
    gain = bose(omega[None, :], temperature[:, None]) - reference[None, :]
    # What of the normal modes the baths couple to
    amplitudes = {
        "rotating-wave": (frame.u,),
        "position": (frame.u + frame.v,),
        "momentum": (frame.u - frame.v,),
        "quadratures": (frame.u, frame.v),
    }[coupling]

    def in_groups(strength: jax.Array) -> jax.Array:
        total = sum((x.T @ (strength * x) for x in amplitudes), jnp.zeros_like(frame.u))
        return jnp.where(frame.same, (total + total.T) / 2, 0)

    rates = in_groups(strength)
    return Modes(
        position=frame.u + frame.v,
        momentum=frame.u - frame.v,
        same=frame.same,
        rate=rates,
        heating=in_groups(strength * gain),
        reference=reference,
        damped=_is_damped(frame.same, rates, jnp.stack(amplitudes), damping > 0),
    )


def _strengths(rate: Rates, damping: jax.Array, own: jax.Array, omega: jax.Array) -> jax.Array:
    """γ_j(Ω_k) [N, N]."""
    if isinstance(rate, tuple):
        rows = [each(damping[j], own[j], omega) for j, each in enumerate(rate)]
        return jnp.stack([jnp.broadcast_to(row, omega.shape) for row in rows])
    strength = rate(damping[:, None], own[:, None], omega[None, :])
    return jnp.broadcast_to(strength, (len(own), len(omega)))


def _coldest(temperature: jax.Array) -> jax.Array:
    return jax.lax.stop_gradient(jnp.min(temperature))


def _in_quadratures(modes: Modes, variance: jax.Array) -> jax.Array:
    """The matrix [2N, 2N] with ⟨ξξᵀ⟩ = ⟨ππᵀ⟩ as given [N, N]."""
    x, p = modes.position, modes.momentum
    zero = jnp.zeros_like(variance)
    return small.interleave(x @ variance @ x.T, zero, zero, p @ variance @ p.T)


def _is_damped(
    same: jax.Array, rate: jax.Array, amplitudes: jax.Array, present: jax.Array
) -> jax.Array:
    """Whether no normal mode is dark, its rate nothing but rounding.

    The amplitudes of a group at the oscillators are known to ε of the largest. Inside it, where a
    mode that is dark has its zero from cancellation, rates are known to ε of their mean.
    """
    rounding = 8 * rate.shape[0] * float(np.finfo(rate.dtype).eps)
    squares = amplitudes**2
    lit = jnp.sum(jnp.where(present[None, :, None], squares, 0), axis=(0, 1))
    members = same.astype(rate.dtype)
    bright = members @ lit > rounding**2 * (members @ jnp.sum(squares, axis=(0, 1)))
    slowest = eigh(relative(same, jax.lax.stop_gradient(rate))[1])[0][0]
    return jnp.all(bright) & (slowest > 8 * rounding)
