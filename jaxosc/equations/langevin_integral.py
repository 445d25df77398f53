"""The quantum Langevin equation as a spectral integral: its integrand, and a second route.

σ = PV∫ S(ν) dν with S(ν) = Σ_j (γ_j/π) s_j(ν) G(ν) iJ_j G(ν)†, G(ν) = (−iν − A)⁻¹,
s_j(ν) = ½coth(ν/2T_j) and J_j the symplectic form of oscillator j.
"""

from __future__ import annotations

from functools import partial
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks, domain
from jaxosc._numerics.eigenvalues import general_eigenvalues
from jaxosc._numerics.linear import inverse
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.special import bose
from jaxosc.baths import Baths, in_natural_units
from jaxosc.dynamics import network_matrix
from jaxosc.equations.langevin import Langevin
from jaxosc.normal_modes import highest_frequency
from jaxosc.oscillators import Oscillators
from jaxosc.typing import Moment, Reals

MOMENTS: tuple[Moment, ...] = get_args(Moment)

# A Gauss-Legendre rule on (0, 1] in panels that shrink by 4 towards 0, where a resonance or
# the scale of a cold bath may sit: 16 nodes a panel leave 1e-15, 18 panels reach 1.5e-11.
_GAUSS, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(16)
_EDGES = np.concatenate([[0.0], 4.0 ** np.arange(-18.0, 1.0)])
_NODES = (_EDGES[:-1, None] + np.diff(_EDGES)[:, None] * (_GAUSS + 1) / 2).reshape(-1)
_WEIGHTS = (np.diff(_EDGES)[:, None] * _GAUSS_WEIGHTS / 2).reshape(-1)


def langevin_spectrum(
    oscillators: Oscillators,
    baths: Baths,
    frequency: Reals,
    moment: Moment = "occupation",
) -> jax.Array:
    """Spectral density of the second moments, whose integral over all ν is the steady state.

    - ``"occupation"``: n_j(ν) = Σ_l (γ_l/π) N_l(ν) [G iJ_l G†](a_j, a_j†), normally ordered, with
      PV∫ n_j dν = ⟨a_j†a_j⟩;
    - ``"covariance"``: S(ν) of every symmetrised quadrature moment, with PV∫ S dν = σ.

    Args:
        oscillators: N modes with a bounded Hamiltonian.
        baths: one bath an oscillator, with a flat spectrum.
        frequency: ν of any shape, in the unit of ω, of either sign. At ν = 0 the density has a
            pole (the thermal 1/ν of both signs), and the result is infinite or NaN, as it is on
            the resonance of a motion that is not damped.
        moment: one of the two names.

    Returns:
        [..., N] real, or [..., 2N, 2N] complex Hermitian, in the unit of 1/ω; NaN where H is not
        bounded below and the values are known only inside a transformation.

    Raises:
        ValueError: as for ``langevin``, or if the moment is unknown or ν is not real and finite.

    Source: Konopik & Lutz, Eqs. 22 and 23, and the same for every second moment.
    """
    _checks.require_choice("moment", moment, MOMENTS)
    oscillators, baths = Langevin().require(oscillators, baths)
    (frequency,) = _checks.float_arrays(frequency=frequency)
    _checks.require_finite("frequency", frequency)
    _checks.require_together(oscillators=oscillators, baths=baths, frequency=frequency)
    flat = frequency.reshape(-1).astype(oscillators.frequency.dtype)
    density = _spectrum(oscillators, baths, flat, moment)
    return density.reshape(frequency.shape + density.shape[1:])


def langevin_quadrature(oscillators: Oscillators, baths: Baths) -> jax.Array:
    """Steady covariance of the quantum Langevin equation by direct integration.

    σ = ∫_0^∞ [S(ν) + S(−ν)] dν, folded so that the poles at ν = 0 cancel, by a
    Gauss-Legendre rule graded towards every resonance. An independent and slower route to
    ``steady_state(langevin(oscillators, baths))``, within about 1e-10 of it for γ/ω ≥ 1e-7; below,
    the rounding of ν − Ω costs as many digits as γ/ω has, and γ/ω < 1e-10 is out of its reach.

    Args:
        oscillators: N modes with a bounded Hamiltonian.
        baths: one bath an oscillator, with a flat spectrum.

    Returns:
        σ [2N, 2N], order (x1, p1, x2, p2, …), vacuum variance 1/2; NaN where H is not bounded
        below and the values are known only inside a transformation.

    Raises:
        ValueError: as for ``langevin``, or if the drift is known and not every motion is damped.

    Source: Konopik & Lutz, Eqs. 8, 22 and 23.
    """
    oscillators, baths = Langevin().require(oscillators, baths)
    covariance = _quadrature(oscillators, baths)
    _checks.require_no_nan(
        covariance,
        "Argument `baths` must damp every motion of the network, but at least one is not damped.",
    )
    return covariance


def _transfer(oscillators: Oscillators, baths: Baths, nu: jax.Array) -> jax.Array:
    """G iJ_l G† [nodes, N, 2N, 2N], one matrix for each bath l."""
    modes = oscillators.modes
    drift = network_matrix(oscillators, baths.damping)
    one = jnp.eye(2 * modes, dtype=drift.dtype)
    matrix = jax.lax.complex(
        jnp.broadcast_to(-drift, (nu.shape[0], *drift.shape)), -nu[:, None, None] * one[None]
    )
    response = jax.vmap(inverse)(matrix).reshape(nu.shape[0], 2 * modes, modes, 2)
    x, p = response[..., 0], response[..., 1]
    # G iJ_l G† = i(g_x g_p† − g_p g_x†) for the columns g of oscillator l
    product = jnp.einsum("nil,njl->nlij", x, jnp.conj(p))
    product = product - jnp.einsum("nil,njl->nlij", p, jnp.conj(x))
    return jax.lax.complex(-product.imag, product.real)


@partial(jax.jit, static_argnames="moment")
def _spectrum(oscillators: Oscillators, baths: Baths, nu: jax.Array, moment: Moment) -> jax.Array:
    valid = domain.hold(Langevin().conditions(oscillators, baths))
    oscillators, baths, unit = in_natural_units(oscillators, baths)
    nu = nu / unit
    transfer = _transfer(oscillators, baths, nu)
    strength = baths.damping[None, :] / (jnp.pi * unit)
    number = bose(jnp.abs(nu)[:, None], baths.temperature[None, :])
    number = jnp.where((nu < 0)[:, None], -1 - number, number)  # N(−ν) = −1 − N(ν)
    if moment == "covariance":
        weight = strength * (number + 0.5)
        density = jnp.sum(weight[:, :, None, None] * transfer.real, axis=1)
        rest = jnp.sum(weight[:, :, None, None] * transfer.imag, axis=1)
        return jax.lax.complex(nan_unless(valid, density), rest)
    weight = strength * number
    # ⟨a_j a_j†⟩ component: a = (x + ip)/√2
    xx, pp = (jnp.diagonal(transfer.real, 0, 2, 3)[..., i::2] for i in (0, 1))
    xp = jnp.diagonal(transfer.imag[..., 0::2, 1::2], 0, 2, 3)
    component = (xx + pp) / 2 + xp
    return nan_unless(valid, jnp.sum(weight[:, :, None] * component, axis=1))


@jax.jit
def _quadrature(oscillators: Oscillators, baths: Baths) -> jax.Array:
    valid = domain.hold(Langevin().conditions(oscillators, baths))
    oscillators, baths, _ = in_natural_units(oscillators, baths)
    # The resonances of the damped network: strong damping of one mode moves those of the others.
    drift = network_matrix(oscillators, baths.damping)
    poles = general_eigenvalues(jax.lax.stop_gradient(drift))
    resonance = jnp.sort(jnp.abs(poles.imag))[1::2]  # they come in conjugate pairs
    valid &= jnp.all(poles.real < 0)
    # And where the tail begins that a strongly damped mode leaves
    highest = highest_frequency(oscillators)
    resonance = jnp.sort(jnp.append(resonance, highest))
    x, w = jnp.asarray(_NODES, resonance.dtype), jnp.asarray(_WEIGHTS, resonance.dtype)
    start = jnp.concatenate([jnp.zeros_like(resonance[:1]), resonance[:-1]])[:, None]
    stop, last = resonance[:, None], resonance[-1]
    half = (stop - start) / 2
    # Each interval between resonances from both of its ends, then (Ω_N, 2Ω_N] and beyond.
    offset = half * x[None, :]
    pieces = [start + offset, stop - offset, last * (1 + x)[None, :], last * (1 + 1 / x)[None, :]]
    measure = [half * w[None, :], half * w[None, :], last * w[None, :], last * (w / x**2)[None, :]]
    nu, weight = (jnp.concatenate(parts).reshape(-1) for parts in (pieces, measure))

    temperature = baths.temperature
    warm = temperature > 0
    argument = nu[:, None] / jnp.where(warm, 2 * temperature, 1)[None, :]
    thermal = jnp.where(warm[None, :], 1 / jnp.tanh(argument), 1)  # S(ν) + S(−ν) = 2 Re S(ν)
    thermal = thermal * baths.damping[None, :] / jnp.pi * weight[:, None]
    transfer = _transfer(oscillators, baths, nu).real
    total = jnp.sum(thermal[..., None, None] * transfer, axis=(0, 1))
    covariance = (total + total.T) / 2
    return nan_unless(valid, covariance)
