"""Spectra of the fluctuations of a steady state, and its response to forces."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._compilation import compiled
from jaxosc._numerics.linear import in_blocks
from jaxosc._numerics.lyapunov import contracts
from jaxosc._numerics.resolvent import product, resolvent_rows
from jaxosc._numerics.small import nan_unless
from jaxosc.dynamics import Dynamics, require_one_network, steady_state
from jaxosc.typing import Reals

# Entries of the matrices −iν − A that are solved together
_TOGETHER = 2**20


def spectrum(dynamics: Dynamics, frequency: Reals) -> jax.Array:
    """Spectrum of the fluctuations of all quadratures in the steady state.

        S(ν) = ∫ C(t) e^{iνt} dt = G(ν) S_ζ(ν) G(ν)†,   C(t) = ½⟨{δr(t), δr(0)ᵀ}⟩,

    G(ν) = (−iν − A)⁻¹, so that ∫ S dν/2π is the covariance ``steady_state``. S_ζ is the noise:
    D where it is white, which is the regression theorem of every master equation;
    Σ_m N_m ν coth(ν/2T_m) of the filters of structured baths in ``langevin``, exact;
    Σ_m iΘ_m coth(ν/2T_m)/2 of its flat baths, 2π times ``langevin_spectrum(…, "covariance")``.
    A motion that is damped far less than it oscillates costs no digits.

    Args:
        dynamics: drift and diffusion, from one of the equations or from ``Dynamics``.
        frequency: ν of any shape and either sign, in the unit of ω.

    Returns:
        S [..., 2N, 2N] complex and Hermitian, in the unit of 1/ω, order (x1, p1, …): the real part
        is even in ν, the imaginary part odd. NaN where there is no steady state and the values are
        known only inside a transformation, and for flat baths at ν = 0, where S has a pole.

    Raises:
        ValueError: if the drift is known and has no steady state, or ν is not real and finite.

    Example:
        >>> decay = jaxosc.local_lindblad(
        ...     jaxosc.Oscillators([1.0], [[0.0]]), jaxosc.Baths(0.1, occupation=2.0)
        ... )
        >>> jaxosc.spectrum(decay, [0.5, 1.0])[:, 0, 0].real.round(6)
        Array([ 1.072158, 25.062344], dtype=float64)

    Source: Gardiner & Zoller, Quantum Noise, chapter 5; Ford, Lewis & O'Connell, Phys. Rev. A 37,
    4419 (1988).
    """
    dynamics, frequency = entered(dynamics, frequency)
    return or_words(_spectrum(dynamics, frequency), dynamics)


def response(dynamics: Dynamics, frequency: Reals) -> jax.Array:
    """Response of the quadratures to forces f on them, H − f(t)·r.

        δ⟨r⟩(ν) = χ(ν) f(ν),   χ(ν) = ∫_0^∞ i⟨[r(t), r(0)ᵀ]⟩ e^{iνt} dt = −G(ν)Ω,

    G(ν) = (−iν − A)⁻¹ of the oscillators (and the filters of their baths), Ω the symplectic form.
    The baths do not notice the force. Where all baths of ``langevin`` have one temperature, the
    fluctuation-dissipation theorem holds, S = coth(ν/2T)(χ − χ†)/2i. The white noise of master
    equations satisfies it on resonances at best.

    Args:
        dynamics: drift and diffusion, from one of the equations or from ``Dynamics``.
        frequency: ν of any shape and either sign, in the unit of ω.

    Returns:
        χ [..., 2N, 2N] complex, in the unit of 1/ω, order (x1, p1, …): row i is what quadrature i
        does. NaN where a motion is not damped and the values are known only inside a
        transformation.

    Raises:
        ValueError: as ``spectrum``.

    Example:
        >>> decay = jaxosc.local_lindblad(
        ...     jaxosc.Oscillators([1.0], [[0.0]]), jaxosc.Baths(0.1, occupation=2.0)
        ... )
        >>> jaxosc.response(decay, 1.0)[0, 0].round(6)
        Array(0.249377+4.987531j, dtype=complex128)

    Source: Kubo, Rep. Prog. Phys. 29, 255 (1966).
    """
    dynamics, frequency = entered(dynamics, frequency)
    return or_words(_response(dynamics, frequency), dynamics)


def entered(dynamics: Dynamics, frequency: Reals) -> tuple[Dynamics, jax.Array]:
    """Both, checked, the frequencies in the precision of the dynamics."""
    dynamics = require_one_network(dynamics)
    (frequency,) = _checks.float_arrays(frequency=frequency)
    _checks.require_together(dynamics=dynamics, frequency=frequency)
    frequency = frequency.astype(_checks.real_of(jax.tree.leaves(dynamics)[0].dtype))
    _checks.require_finite("frequency", frequency)
    return dynamics, frequency


def or_words(found: jax.Array, dynamics: Dynamics) -> jax.Array:
    """The same; ValueError where it is known to be missing for want of a steady state."""
    known = _checks.concrete(jax.lax.stop_gradient(found))
    if known is not None and np.isnan(known).any():
        steady_state(dynamics)
    return found


def by_frequency(
    dynamics: Dynamics, frequency: jax.Array, function: Callable[..., jax.Array]
) -> jax.Array:
    """A function of rows of G(ν) [nodes, 2N, n] and ν [nodes], for frequencies of any shape.

    NaN unless every motion decays.
    """
    description, parts = dynamics._description, dynamics._parts
    drift, size = description.drift(*parts), len(description.force(*parts))

    def together(nu: jax.Array) -> jax.Array:
        rows = jax.vmap(lambda each: resolvent_rows(drift, each, size))(nu)
        return function(rows, nu)

    found = in_blocks(together, max(_TOGETHER // drift.size, 16), frequency.reshape(-1))
    return nan_unless(contracts(drift), found.reshape(*frequency.shape, *found.shape[1:]))


def adjoint(matrices: jax.Array) -> jax.Array:
    """M† of each [..., n, k]."""
    return jnp.conj(jnp.swapaxes(matrices, -1, -2))


@_checks.nan_is_an_answer
@compiled
def _spectrum(dynamics: Dynamics, frequency: jax.Array) -> jax.Array:
    noise = dynamics._description.noise(*dynamics._parts)
    sources = noise.sources

    def density(rows: jax.Array, nu: jax.Array) -> jax.Array:
        weights = jax.vmap(noise.weight)(nu).astype(sources.dtype)
        total = product(weights, sources.reshape(len(sources), -1))
        driving = total.reshape(-1, *sources.shape[1:]).astype(rows.dtype)
        found = product(product(rows, driving), adjoint(rows))
        return (found + adjoint(found)) / 2

    return by_frequency(dynamics, frequency, density)


@_checks.nan_is_an_answer
@compiled
def _response(dynamics: Dynamics, frequency: jax.Array) -> jax.Array:
    driven = dynamics._description.driven(*dynamics._parts)
    return by_frequency(
        dynamics, frequency, lambda rows, _: product(rows, driven.astype(rows.dtype))
    )
