"""Global Lindblad equation: every normal mode of the coupled network relaxes on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks, domain
from jaxosc import baths as _baths
from jaxosc._numerics import small
from jaxosc._numerics.bogoliubov import normal_frame
from jaxosc._numerics.linear import eigh
from jaxosc._numerics.sharing import quotient, reciprocal
from jaxosc._numerics.special import bose
from jaxosc._numerics.two_modes import Entries, modes_apart
from jaxosc.baths import Baths, has_kind
from jaxosc.dynamics import Dynamics, drift_matrix
from jaxosc.equations.entrance import Equation
from jaxosc.equations.gibbs import thermal_covariance, two_mode_thermal
from jaxosc.normal_modes import Square, two_mode_frequencies, two_mode_quadratures
from jaxosc.oscillators import Oscillators, in_unit
from jaxosc.spectra import Flat, Ohmic
from jaxosc.typing import Weights

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
        A mode is without one if it vanishes, up to rounding, at every oscillator with a bath.

        Modes of one frequency form a group, inside which the equation keeps the coherences: with
        the matrix w_j of each bath in the group and R = Σ_j w_j, n_kl = ⟨c_k†c_l⟩
        solves Rn + nR = 2 Σ_j w_j N(Ω, T_j). For N > 2 frequencies count as one if their
        splitting is below 4e-10 (float32: 7e-5) of the couplings and detunings that might have
        split them, so that identical oscillators linked by λ = 1e-12 are two modes. What a
        vanishing change of H leaves of a group depends on that change: the equation is
        discontinuous there. Derivatives hold groups together, and are right to any order. For
        N = 2 the modes are a group where their frequencies are equal to the last bit: identical
        oscillators without an exchange.

        Near a degeneracy mixing angles turn at the inverse of the splitting ΔΩ. For two modes,
        derivatives of ⟨n⟩ by ω and λ are good to 4ε(⟨n_1⟩ + ⟨n_2⟩ + 1)/ΔΩ, ε the rounding.

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

    def require_kind(self, oscillators: Oscillators, baths: Baths) -> None:
        """Flat rates have a flat spectrum."""
        if self.weights == "paper" and not has_kind(baths, Flat):
            raise ValueError(
                "Argument `weights` must be 'rotating-wave' or 'position' for baths whose spectrum "
                f"is {baths.spectrum!r}, but it is 'paper', which has flat rates."
            )

    def status(self, oscillators: Oscillators, baths: Baths) -> jax.Array:
        """Beside that of all equations, whether a normal mode is dark."""
        damping = _checks.concrete(baths.damping)
        if damping is not None and (damping > 0).all():
            return super().status(oscillators, baths)  # no mode is
        return _status(oscillators, baths, self)

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
        valid = self.holds(oscillators, baths)
        scaled, scaled_baths, unit = _baths.in_natural_units(oscillators, baths)
        if oscillators.modes != 2:
            return _many_modes(scaled, scaled_baths, self.weights, unit, valid)
        share = partial(_share, spectrum="ohmic" if has_kind(baths, Ohmic) else "flat", weights=self.weights)
        return _two_modes(scaled, scaled_baths, share, unit, valid)


@partial(jax.jit, static_argnames="equation")
def _status(oscillators: Oscillators, baths: Baths, equation: GlobalLindblad) -> jax.Array:
    damped = equation._secular(oscillators, baths).damped
    conditions = equation.conditions(oscillators, baths)
    return domain.status(conditions | {domain.Status.DARK: damped})


class Secular(NamedTuple):
    """The secular equation; D and σ are NaN unless valid and damped."""

    drift: jax.Array
    diffusion: jax.Array
    stationary: jax.Array
    damped: jax.Array  # whether every normal mode is


Quadratures = tuple[jax.Array, jax.Array]


def _share(
    damping: jax.Array,
    own: jax.Array,
    omega: jax.Array,
    left: Quadratures,
    right: Quadratures,
    spectrum: str,
    weights: str,
) -> jax.Array:
    """w_jkl, the amplitude rate at which the bath of an oscillator at ω_j damps modes at Ω.

    Of one mode, k = l, or between two, by what they have of the x and p of that oscillator.
    """
    (x, p), (y, q) = left, right
    if weights == "paper":
        return damping * (x * y + p * q) / 2
    if spectrum == "ohmic":
        damping = damping * omega / own
    if weights == "position":
        return damping * (x * y)
    return damping * (((x + p) / 2) * ((y + q) / 2))


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

    def shares_of(k: int, l: int, omega: jax.Array) -> list[jax.Array]:
        shapes = [[(position[j][m], momentum[j][m]) for m in (k, l)] for j in (0, 1)]
        return [
            share(baths.damping[j], oscillators.frequency[j], omega, *shapes[j]) for j in (0, 1)
        ]

    references, rates, heatings, excesses = [], [], [], []
    for k, omega in enumerate(frequencies):
        shares = shares_of(k, k, omega)
        rate = shares[0] + shares[1]
        numbers = [bose(omega, temperature) for temperature in baths.temperature]
        reference = jnp.where(first_colder, numbers[0], numbers[1])
        gains = [number - reference for number in numbers]
        heating = shares[0] * gains[0] + shares[1] * gains[1]
        valid &= rate > 0
        references.append(reference)
        rates.append(rate)
        heatings.append(heating)
        excesses.append(quotient(heating, rate))
    # Two modes of one frequency keep their coherence: what follows is zero for all others.
    _, _, splitting = two_mode_frequencies(oscillators)
    shares = [jnp.where(splitting == 0, x, 0) for x in shares_of(0, 1, frequencies[0])]
    mixing, mixed_heating = shares[0] + shares[1], shares[0] * gains[0] + shares[1] * gains[1]
    excesses, coherence, lit = _excess_together(rates, heatings, excesses, mixing, mixed_heating)
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
    stationary = two_mode_thermal(oscillators, coldest, (references[0], references[1])).plus(
        in_modes(excesses, coherence)
    )
    matrix = drift_matrix(in_unit(oscillators, 1 / unit), decay, decay.T)
    diffusion = in_modes(variances, noise(mixing, references[0], mixed_heating))
    return Secular(
        matrix,
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
) -> tuple[list[jax.Array], jax.Array, jax.Array]:
    """C of RC + CR = 2H for two modes of one frequency, C = (H det R + adj R H adj R)/(tr R det R).

    The diagonal of C, its entry between the modes, and whether neither is dark; without R_12 and
    H_12 the diagonal is as it was.
    """
    (r1, r2), (h1, h2) = rates, heatings
    trace, determinant = r1 + r2, r1 * r2 - mixing**2
    apart = (mixing == 0) & (mixed_heating == 0)
    lit = apart | (determinant > 64 * float(np.finfo(trace.dtype).eps) * trace**2)
    inverse = reciprocal(jnp.where(apart | ~lit, 1, trace * determinant))
    c1 = (h1 * (determinant + r2**2) - 2 * mixing * r2 * mixed_heating + mixing**2 * h2) * inverse
    c2 = (h2 * (determinant + r1**2) - 2 * mixing * r1 * mixed_heating + mixing**2 * h1) * inverse
    between = mixed_heating * (r1 * r2 + determinant + mixing**2) - mixing * (r2 * h1 + r1 * h2)
    diagonal = [jnp.where(apart, own, c) for own, c in zip(excesses, (c1, c2), strict=True)]
    return diagonal, jnp.where(apart, 0, between * inverse), lit


class ManyModes(NamedTuple):
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


def many_modes(oscillators: Oscillators, baths: Baths, weights: str) -> ManyModes:
    """The equation of a network and its baths, in natural units."""
    frame = normal_frame(oscillators.frequency, oscillators.exchange, oscillators.pairing)
    omega = frame.mean_frequency
    strength = jnp.broadcast_to(baths.damping[:, None], frame.u.shape)
    if weights != "paper" and has_kind(baths, Ohmic):
        strength = strength * omega[None, :] / oscillators.frequency[:, None]
    coldest = _coldest(baths)
    reference = bose(omega, coldest)
    gain = bose(omega[None, :], baths.temperature[:, None]) - reference[None, :]
    # What of the normal modes the baths couple to
    amplitudes = {
        "paper": (frame.u, frame.v),
        "rotating-wave": (frame.u,),
        "position": (frame.u + frame.v,),
    }[weights]

    def in_groups(strength: jax.Array) -> jax.Array:
        total = sum((x.T @ (strength * x) for x in amplitudes), jnp.zeros_like(frame.u))
        return jnp.where(frame.same, (total + total.T) / 2, 0)

    rate = in_groups(strength)
    return ManyModes(
        position=frame.u + frame.v,
        momentum=frame.u - frame.v,
        same=frame.same,
        rate=rate,
        heating=in_groups(strength * gain),
        reference=reference,
        damped=_is_damped(frame.same, rate, jnp.stack(amplitudes), baths.damping > 0),
    )


def drift_of(modes: ManyModes, oscillators: Oscillators) -> jax.Array:
    """A [2N, 2N]."""
    decay = -modes.position @ modes.rate @ modes.momentum.T
    return drift_matrix(oscillators, decay, decay.T)


def diffusion_of(modes: ManyModes) -> jax.Array:
    """D [2N, 2N]."""
    noise = modes.rate * (modes.reference + 0.5)[None, :] + modes.heating
    return _in_quadratures(modes, 2 * noise)


def steady_covariance_of(modes: ManyModes, oscillators: Oscillators, baths: Baths) -> jax.Array:
    """σ [2N, 2N]."""
    scale, rate = _relative(modes.same, modes.rate)
    values, vectors = eigh(jax.lax.stop_gradient(rate))
    total = values[:, None] + values[None, :]

    def equation(excess: jax.Array) -> jax.Array:
        return rate @ excess + excess @ rate

    def solve(_: object, right: jax.Array) -> jax.Array:
        return vectors @ ((vectors.T @ right @ vectors) / total) @ vectors.T

    right = 2 * modes.heating / scale[None, :]
    excess = jax.lax.custom_linear_solve(equation, right, solve, symmetric=True)
    return thermal_covariance(oscillators, _coldest(baths)) + _in_quadratures(modes, excess)


def _coldest(baths: Baths) -> jax.Array:
    return jax.lax.stop_gradient(jnp.min(baths.temperature))


def _in_quadratures(modes: ManyModes, variance: jax.Array) -> jax.Array:
    """The matrix [2N, 2N] with ⟨ξξᵀ⟩ = ⟨ππᵀ⟩ as given [N, N]."""
    x, p = modes.position, modes.momentum
    zero = jnp.zeros_like(variance)
    return small.interleave(x @ variance @ x.T, zero, zero, p @ variance @ p.T)


def _relative(same: jax.Array, rate: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The mean rate of the group of each mode [N], without a derivative, and R over it [N, N]."""
    members = same.astype(rate.dtype)
    mean = jax.lax.stop_gradient(members @ jnp.diag(rate)) / jnp.sum(members, axis=1)
    mean = jnp.where(mean > 0, mean, 1)
    return mean, rate / mean[None, :]


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
    slowest = eigh(_relative(same, jax.lax.stop_gradient(rate))[1])[0][0]
    return jnp.all(bright) & (slowest > 8 * rounding)


def _many_modes(
    oscillators: Oscillators, baths: Baths, weights: str, unit: jax.Array, valid: jax.Array
) -> Secular:
    modes = many_modes(oscillators, baths, weights)
    valid &= modes.damped
    return Secular(
        drift_of(modes, oscillators) * unit,
        small.nan_unless(valid, diffusion_of(modes) * unit),
        small.nan_unless(valid, steady_covariance_of(modes, oscillators, baths)),
        modes.damped,
    )
