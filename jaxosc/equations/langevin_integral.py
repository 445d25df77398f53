"""The quantum Langevin equation as a spectral integral: its integrand, and a second route.

Behind lowering operators σ = PV∫ S(ν) dν with S(ν) = Σ_m s_m(ν) G(ν) iΘ_m G(ν)†/2π,
G(ν) = (−iν − A)⁻¹, s_m(ν) = ½coth(ν/2T_m), and Θ_m = −(A_mJ + JA_mᵀ) of what bath m adds to the
drift, 2γ_j J_j for one bath an oscillator. Structured baths: ``_kernels.quadrature``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks, domain
from jaxosc._kernels import dense, quadrature, selection
from jaxosc._kernels.interface import Kernel
from jaxosc._numerics.eigenvalues import general_eigenvalues
from jaxosc._numerics.linear import inverse
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.special import bose
from jaxosc.baths import Baths
from jaxosc.equations import environment
from jaxosc.equations.langevin import Langevin
from jaxosc.equations.local_lindblad import LocalLindblad
from jaxosc.oscillators import Oscillators
from jaxosc.typing import Moment, Reals

MOMENTS: tuple[Moment, ...] = get_args(Moment)


def langevin_spectrum(
    oscillators: Oscillators,
    baths: Baths,
    frequency: Reals,
    moment: Moment = "occupation",
) -> jax.Array:
    """Spectral density of the second moments, whose integral over all ν is the steady state.

    - ``"occupation"``: n_j(ν) = Σ_m N_m(ν) [G iΘ_m G†](a_j, a_j†)/2π, normally ordered, with
      PV∫ n_j dν = ⟨a_j†a_j⟩;
    - ``"covariance"``: S(ν) of every symmetrised quadrature moment, with PV∫ S dν = σ: that of
      ``spectrum``, which has baths of every kind, over 2π.

    Args:
        oscillators: N modes with a bounded Hamiltonian.
        baths: flat, with temperatures, behind ``"rotating-wave"`` or complex rows.
        frequency: ν of any shape, in the unit of ω, of either sign. At ν = 0 the density has a
            pole (the thermal 1/ν of both signs), and the result is infinite or NaN, as it is on
            the resonance of a motion that is not damped.
        moment: one of the two names.

    Returns:
        [..., N] real, or [..., 2N, 2N] complex Hermitian, in the unit of 1/ω; NaN where H is not
        bounded below and the values are known only inside a transformation.

    Raises:
        ValueError: as for ``langevin``, or if the moment is unknown or ν is not real and finite.

    Example:
        >>> one, baths = jaxosc.Oscillators([1.0], [[0.0]]), jaxosc.Baths(0.1, 1.0)
        >>> jaxosc.langevin_spectrum(one, baths, [0.5, 1.0]).round(6)
        Array([[0.18872 ],
               [1.852489]], dtype=float64)

    Source: Konopik & Lutz, Eqs. 22 and 23, and the same for every second moment.
    """
    _checks.require_choice("moment", moment, MOMENTS)
    oscillators, baths = Langevin().require(oscillators, baths)
    if environment.noise_of(baths) != "flat":
        raise ValueError(
            "Argument `baths` must have temperatures and the spectrum 'flat' for a spectral "
            f"density, but they are {baths!r}."
        )
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

    And the only route to a structured bath of positive frequencies behind a lowering operator,
    Σ_k g_k (L b_k† + h.c.): its response χ(ν) = s(ν)P₊ + s(−ν)*P₋,
    s(ν) = (1/π)∫_0^∞ J(ω)/(ω − ν − i0) dω, is that of no finite drift.

    Args:
        oscillators: N modes with a bounded Hamiltonian; for white baths any whose damped motion is
            stable.
        baths: any that ``langevin`` takes, and ``"rotating-wave"`` or complex rows with spectra
            that have a cutoff. These shift H, by their Lamb shift, without a counter-term.

    Returns:
        σ [2N, 2N], order (x1, p1, x2, p2, …), vacuum variance 1/2; NaN where H, or what the baths
        leave of it, is not bounded below and the values are known only inside a transformation.

    Raises:
        ValueError: as for ``langevin``, or if the drift is known and not every motion is damped.

    Example:
        >>> one = jaxosc.Oscillators([1.0], [[0.0]])
        >>> baths = jaxosc.Baths(0.05, 0.5, jaxosc.spectra.PowerLaw(exponent=1, cutoff=3.0))
        >>> jaxosc.occupation(jaxosc.langevin_quadrature(one, baths)).round(8)
        Array([0.18853397], dtype=float64)

    Source: Konopik & Lutz, Eqs. 8, 22 and 23.
    """
    equation = Integral()
    oscillators, baths = equation.require(oscillators, baths)
    covariance = _quadrature(oscillators, baths)
    _checks.require_no_nan(
        covariance,
        "Argument `baths` must damp every motion of the network, and leave it a potential that is "
        "bounded below, but they do not.",
    )
    return covariance


@dataclass(frozen=True)
class Integral(Langevin):
    """The Langevin equation, also for baths that no drift describes."""

    def require_kind(self, oscillators: Oscillators, baths: Baths) -> None:
        """Those with a cutoff too, behind lowering operators."""
        kind = environment.noise_of(baths)
        if kind in ("structured", "one-sided") and environment.has_ohmic_part(baths):
            raise ValueError(
                "Argument `baths` must have spectra with a cutoff, for the integral to exist, but "
                f"one of {baths.spectrum!r} has none."
            )
        if kind == "one-sided":
            environment.one_sided_of(oscillators, baths)
        else:
            super().require_kind(oscillators, baths)

    def conditions(
        self, oscillators: Oscillators, baths: Baths, kernel: Kernel | None = None
    ) -> domain.Conditions:
        """A sound H, beside a bath that shifts it."""
        if environment.noise_of(baths) == "one-sided":
            return domain.frame_conditions(oscillators, baths, kernel)
        return super().conditions(oscillators, baths, kernel)


def transfer(flat: environment.FlatBaths, nu: jax.Array) -> jax.Array:
    """G iΘ_m G†/2 [nodes, M, 2N, 2N], one matrix for each bath m."""
    response = _response(flat.drift, nu)
    sources = jax.lax.complex(jnp.zeros_like(flat.losses), flat.losses)
    return jnp.einsum("nij,mjk,nlk->nmil", response, sources, jnp.conj(response))


def _response(drift: jax.Array, nu: jax.Array) -> jax.Array:
    """G(ν) [nodes, 2N, 2N]."""
    one = jnp.eye(len(drift), dtype=drift.dtype)
    full = jnp.broadcast_to(-drift, (len(nu), *drift.shape))
    return jax.vmap(inverse)(jax.lax.complex(full, -nu[:, None, None] * one[None]))


@partial(jax.jit, static_argnames="moment")
def _spectrum(oscillators: Oscillators, baths: Baths, nu: jax.Array, moment: Moment) -> jax.Array:
    valid = domain.hold(Langevin().conditions(oscillators, baths))
    flat = environment.flat_baths(oscillators, baths)
    nu = nu / flat.unit
    spread = transfer(flat, nu) / (jnp.pi * flat.unit).astype(_complex(nu))
    number = bose(jnp.abs(nu)[:, None], flat.temperature[None, :])
    number = jnp.where((nu < 0)[:, None], -1 - number, number)  # N(−ν) = −1 − N(ν)
    if moment == "covariance":
        weight = number + 0.5
        density = jnp.sum(weight[:, :, None, None] * spread.real, axis=1)
        rest = jnp.sum(weight[:, :, None, None] * spread.imag, axis=1)
        return jax.lax.complex(nan_unless(valid, density), rest)
    # ⟨a_j a_j†⟩ component: a = (x + ip)/√2
    xx, pp = (jnp.diagonal(spread.real, 0, 2, 3)[..., i::2] for i in (0, 1))
    xp = jnp.diagonal(spread.imag[..., 0::2, 1::2], 0, 2, 3)
    component = (xx + pp) / 2 + xp
    return nan_unless(valid, jnp.sum(number[:, :, None] * component, axis=1))


def _complex(array: jax.Array) -> np.dtype:
    return dense.complex_of(array.dtype)


@jax.jit
def _quadrature(oscillators: Oscillators, baths: Baths) -> jax.Array:
    valid = domain.hold(Integral().conditions(oscillators, baths))
    kind = environment.noise_of(baths)
    if kind in ("structured", "one-sided"):
        of_kind = environment.structured_of if kind == "structured" else environment.one_sided_of
        return nan_unless(valid, of_kind(oscillators, baths).integral())
    if kind == "white":
        drift = LocalLindblad().drift(oscillators, baths)
        sources = LocalLindblad().diffusion(oscillators, baths)[None] / (2 * jnp.pi)
        unit = selection.problem_of(oscillators, baths).unit
        drift, sources = drift / unit, sources / unit
    else:
        flat = environment.flat_baths(oscillators, baths)
        drift = flat.drift
    poles = general_eigenvalues(jax.lax.stop_gradient(drift))
    valid &= jnp.all(poles.real < 0)
    # The resonances of the damped network: strong damping of one mode moves those of the others.
    nu, weight = quadrature.graded_rule(quadrature.resonances_of_drift(drift))
    if kind == "white":
        response = _response(drift, nu)
        real = sources.astype(response.dtype)
        spectra = jnp.einsum("nij,mjk,nlk->nmil", response, real, jnp.conj(response)).real
        thermal = 2 * weight[:, None]
    else:
        temperature = flat.temperature
        warm = temperature > 0
        argument = nu[:, None] / jnp.where(warm, 2 * temperature, 1)[None, :]
        # S(ν) + S(−ν) = 2 Re S(ν)
        thermal = jnp.where(warm[None, :], 1 / jnp.tanh(argument), 1) * weight[:, None] / jnp.pi
        spectra = transfer(flat, nu).real
    total = jnp.sum(thermal[..., None, None] * spectra, axis=(0, 1))
    return nan_unless(valid, (total + total.T) / 2)
