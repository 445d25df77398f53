"""The full secular (Davies, global) equation of any bounded quadratic Hamiltonian."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._kernels.dense import gibbs_covariance
from jaxosc._kernels.modes import normal_frame, shape_of
from jaxosc._numerics.bogoliubov import Frame
from jaxosc._numerics.linear import eigh
from jaxosc._numerics.small import symplectic
from jaxosc._numerics.special import bose


class Secular(NamedTuple):
    """The secular equation.

    Attributes:
        drift: what the baths add to J h [2N, 2N].
        diffusion: D [2N, 2N].
        covariance: the steady σ [2N, 2N]; NaN where a normal mode is dark.
        damped: whether none is, its rate nothing but rounding.
    """

    drift: jax.Array
    diffusion: jax.Array
    covariance: jax.Array
    damped: jax.Array


def secular(
    hessian: jax.Array,
    rows: jax.Array,
    rate: Callable[[jax.Array], jax.Array],
    temperature: jax.Array,
) -> Secular:
    """Every normal mode relaxes on its own, those of one frequency together.

    Bath m, at the temperature T_m [M], acts through u_m·r = Σ_k g_mk c_k + …, u complex [M, 2N]:
    real for a position-like operator, that of a lowering operator for the rotating wave. In a group
    of modes of the frequency Ω

        ċ_k = … − Σ_l R_kl c_l,  R_kl = Σ_m γ_m(Ω) g_mk* g_ml,

    and C_kl = ⟨c_l†c_k⟩ settles where RC + CR = 2 Σ_m γ_m(Ω) N(Ω, T_m) g_mk* g_ml.

    Args:
        hessian: h [2N, 2N], positive definite.
        rows: u.
        rate: gives the amplitude rates γ_m(Ω_k) [M, N] for frequencies Ω [N].
        temperature: T ≥ 0.
    """
    frame = normal_frame(hessian)
    shape, omega = shape_of(frame), frame.mean_frequency
    # Occupations are measured from the coldest bath: the Gibbs state at its temperature is smooth
    # where normal modes coincide, and what is added is never negative, so that nothing cancels.
    coldest = jax.lax.stop_gradient(jnp.min(temperature))
    reference = bose(omega, coldest)
    gain = bose(omega[None, :], temperature[:, None]) - reference[None, :]
    strength = rate(omega)
    amplitudes = rows @ shape

    def in_groups(strength: jax.Array) -> jax.Array:
        half = jnp.conj(amplitudes.T) @ (strength.astype(amplitudes.dtype) * amplitudes)
        return jnp.where(frame.same, (half + jnp.conj(half.T)) / 2, 0)

    decay, heating = in_groups(strength), in_groups(strength * gain)
    damped = _is_damped(frame, decay, amplitudes, rows, strength > 0)
    noise = decay * (2 * reference + 1).astype(decay.dtype)[None, :] + 2 * heating
    excess = jnp.where(damped, excess_of(frame.same, decay, heating), jnp.nan)
    return Secular(
        drift=symplectic((shape @ decay @ jnp.conj(shape.T)).imag.T).T * -2,
        diffusion=_in_quadratures(shape, noise),
        covariance=gibbs_covariance(hessian, coldest) + _in_quadratures(shape, excess),
        damped=damped,
    )


def _in_quadratures(shape: jax.Array, variance: jax.Array) -> jax.Array:
    """The covariance [2N, 2N] of modes with ½⟨{c_k, c_l†}⟩ as given [N, N]."""
    half = (shape @ variance @ jnp.conj(shape.T)).real
    return half + half.T


def excess_of(same: jax.Array, decay: jax.Array, heating: jax.Array) -> jax.Array:
    """C [N, N] with RC + CR = 2H, inside groups."""
    scale, rate = relative(same, decay)
    values, vectors = eigh(jax.lax.stop_gradient(rate))
    total = (values[:, None] + values[None, :]).astype(rate.dtype)

    def equation(excess: jax.Array) -> jax.Array:
        return rate @ excess + excess @ rate

    def solve(vectors: jax.Array, right: jax.Array) -> jax.Array:
        adjoint = jnp.conj(vectors.T)
        return vectors @ ((adjoint @ right @ vectors) / total) @ adjoint

    return jax.lax.custom_linear_solve(
        equation,
        2 * heating / scale.astype(heating.dtype)[None, :],
        lambda _, right: solve(vectors, right),
        lambda _, right: solve(jnp.conj(vectors), right),
    )


def relative(same: jax.Array, decay: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The mean rate of the group of each mode [N], without a derivative, and R over it [N, N]."""
    diagonal = jax.lax.stop_gradient(jnp.diag(decay).real)
    members = same.astype(diagonal.dtype)
    mean = members @ diagonal / jnp.sum(members, axis=1)
    mean = jnp.where(mean > 0, mean, 1)
    return mean, decay / mean.astype(decay.dtype)[None, :]


def _is_damped(
    frame: Frame, decay: jax.Array, amplitudes: jax.Array, rows: jax.Array, present: jax.Array
) -> jax.Array:
    """Whether no normal mode is dark.

    The amplitudes of a group at the baths are known to ε of its largest at any oscillator. Inside
    it, where a mode that is dark has its zero from cancellation, rates are known to ε of their
    mean.
    """
    frame, decay, amplitudes, rows = jax.lax.stop_gradient((frame, decay, amplitudes, rows))
    rounding = 8 * decay.shape[0] * float(np.finfo(decay.dtype).eps)
    lit = jnp.sum(jnp.where(present, jnp.abs(amplitudes) ** 2, 0), axis=0)
    lengths = jnp.sum(jnp.abs(rows) ** 2, axis=1)[:, None]
    largest = jnp.max(jnp.where(present, lengths, 0), axis=0)
    largest = largest * jnp.sum(jnp.abs(shape_of(frame)) ** 2, axis=0)
    members = frame.same.astype(lit.dtype)
    bright = members @ lit > rounding**2 * (members @ largest)
    slowest = eigh(relative(frame.same, decay)[1])[0][0]
    return jnp.all(bright) & (slowest > 8 * rounding)
