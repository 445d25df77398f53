"""Global Lindblad equation: every normal mode of the coupled network relaxes on its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import jax

from jaxosc import _checks, domain
from jaxosc._kernels.interface import Secular
from jaxosc.baths import Baths, has_kind
from jaxosc.dynamics import Dynamics, drift_matrix
from jaxosc.equations.entrance import Equation
from jaxosc.oscillators import Oscillators
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
        decay = self._secular(*parts).decay
        return drift_matrix(parts[0], decay, decay.T)

    def diffusion(self, *parts: Any) -> jax.Array:
        """The noise of each normal mode."""
        return self._secular(*parts).diffusion

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """In closed form."""
        return self._secular(*parts).stationary

    def _secular(self, oscillators: Oscillators, baths: Baths) -> Secular:
        problem, valid = self.posed(oscillators, baths)
        return problem.kernel.secular(
            problem.damping, problem.temperature, problem.unit, valid, spectrum="ohmic" if has_kind(baths, Ohmic) else "flat", weights=self.weights
        )


@partial(jax.jit, static_argnames="equation")
def _status(oscillators: Oscillators, baths: Baths, equation: GlobalLindblad) -> jax.Array:
    damped = equation._secular(oscillators, baths).damped
    conditions = equation.conditions(oscillators, baths)
    return domain.status(conditions | {domain.Status.DARK: damped})
