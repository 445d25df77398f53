"""Global Lindblad equation: every normal mode of the coupled network relaxes on its own."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp

from jaxosc import _checks
from jaxosc import baths as _baths
from jaxosc import oscillators as _oscillators
from jaxosc._numerics.network_lyapunov import interleave
from jaxosc._numerics.special import bose
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics, RelaxationDrift, drift_matrix
from jaxosc.equations.gibbs import thermal_covariance
from jaxosc.normal_modes import QuadratureModes, quadrature_modes
from jaxosc.oscillators import Oscillators

WEIGHTS = ("paper", "rotating-wave", "position")


def global_lindblad(oscillators: Oscillators, baths: Baths, weights: str = "paper") -> Dynamics:
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
    oscillators, baths = _baths.match(oscillators, baths)
    if weights == "paper" and baths.spectrum != "flat":
        raise ValueError(
            "Argument `weights` must be 'rotating-wave' or 'position' for baths whose spectrum "
            f"is {baths.spectrum!r}, but it is 'paper', which has flat rates."
        )
    _oscillators.require_bounded(oscillators)
    dynamics = _global_lindblad(oscillators, baths, weights)
    _checks.require_no_nan(
        dynamics.diffusion,
        "Argument `baths` must damp every normal mode, but at least one of them has no bath.",
    )
    return dynamics


@partial(jax.jit, static_argnames="weights")
def _global_lindblad(oscillators: Oscillators, baths: Baths, weights: str) -> Dynamics:
    valid = _baths.is_valid(oscillators, baths)
    oscillators, baths, unit = _baths.in_natural_units(oscillators, baths)
    modes = quadrature_modes(oscillators)
    share = _weights(oscillators, baths, modes, weights)
    rate = jnp.sum(share, axis=0)
    omega = modes.frequency[None, :]
    # Occupations are measured from the coldest bath: the Gibbs state at its temperature is
    # smooth where normal modes coincide, and what is added is never negative, so that
    # nothing cancels.
    coldest = jax.lax.stop_gradient(jnp.min(baths.temperature))
    reference = bose(modes.frequency, coldest)
    excess = jnp.sum(
        share * (bose(omega, baths.temperature[:, None]) - reference[None, :]), axis=0
    ) / rate  # fmt: skip
    stationary = thermal_covariance(oscillators, coldest) + _in_modes(modes, excess)
    diffusion = _in_modes(modes, rate * (reference + excess + 0.5)) * 2
    valid &= jnp.all(rate > 0)
    decay = -(modes.position * rate[None, :]) @ modes.momentum.T
    matrix = drift_matrix(oscillators, decay, decay.T)
    return Dynamics.of(
        RelaxationDrift(matrix * unit, jnp.where(valid, stationary, jnp.nan)),
        jnp.where(valid, diffusion * unit, jnp.nan),
    )


def _weights(
    oscillators: Oscillators, baths: Baths, modes: QuadratureModes, weights: str
) -> jax.Array:
    """w_jk [N, N]: the amplitude rate at which bath j damps normal mode k."""
    damping = baths.damping[:, None]
    if weights == "paper":
        return damping * (modes.position**2 + modes.momentum**2) / 2
    if baths.spectrum == "ohmic":
        damping = damping * modes.frequency[None, :] / oscillators.frequency[:, None]
    if weights == "position":
        return damping * modes.position**2
    return damping * ((modes.position + modes.momentum) / 2) ** 2


def _in_modes(modes: QuadratureModes, variance: jax.Array) -> jax.Array:
    """The covariance whose normal modes have these variances on both quadratures."""
    xx = (modes.position * variance[None, :]) @ modes.position.T
    pp = (modes.momentum * variance[None, :]) @ modes.momentum.T
    zero = jnp.zeros_like(xx)
    return interleave(xx, zero, zero, pp)
