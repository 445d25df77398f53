"""Global Lindblad equation: every normal mode of the coupled network relaxes on its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxosc import _checks, domain
from jaxosc._kernels import selection
from jaxosc._kernels.interface import BathCoupling, Rate, Rates, Secular
from jaxosc._pytree import bound
from jaxosc.baths import Baths
from jaxosc.description import Generators
from jaxosc.dynamics import Dynamics, network_matrix
from jaxosc.equations.entrance import Equation, require_laboratory_baths
from jaxosc.equations.family import require_flag
from jaxosc.equations.unified_lindblad import UnifiedLindblad
from jaxosc.oscillators import Oscillators
from jaxosc.spectra import Ohmic, Spectrum


def global_lindblad(
    oscillators: Oscillators, baths: Baths, *, lamb_shift: bool = False
) -> Dynamics:
    """Global (full secular, Davies) Lindblad master equation.

    Normal mode k loses amplitude at the rate Γ_k = Σ_j w_jk and relaxes to
    ⟨c_k†c_k⟩ = Σ_j w_jk N(Ω_k, T_j)/Γ_k; different normal modes stay uncorrelated. With
    a_j = Σ_k U_jk c_k + V_jk c_k†, the ``coupling`` of the baths gives

    - ``"rotating-wave"``, ab† + a†b: w_jk = γ_j(Ω_k) U_jk²;
    - ``"position"``, (a + a†)(b + b†): w_jk = γ_j(Ω_k) (U_jk + V_jk)²;
    - ``"momentum"``, −i(a − a†)(b + b†): w_jk = γ_j(Ω_k) (U_jk − V_jk)²;
    - rows: w_mk = γ_m(Ω_k)|g_mk|², X_m or L_m = Σ_k g_mk c_k + … (complex U and V as well).

    γ_j(ν) is their spectrum; an ``"ohmic"`` one with a ``"position"`` coupling is the secular
    limit of the Caldeira-Leggett model.

    Args:
        oscillators: N modes with any Hamiltonian that is bounded below.
        baths: any, with temperatures; the spectra of rows need a ``reference``.
        lamb_shift: whether to keep the principal values of spectra with a cutoff. They commute with
            H and shift frequencies, never the steady state, but inside groups of one frequency.

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
        ValueError: if the two do not fit together, H is known and not bounded below, a normal mode
            is known to have no bath, baths have an ``occupation``, or principal values are asked
            for that do not exist.

    Example:
        >>> oscillators = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> baths = jaxosc.Baths(1e-3, (9.0, 3.0), "ohmic", coupling="position")
        >>> dynamics = jaxosc.global_lindblad(oscillators, baths)
        >>> jaxosc.occupation(jaxosc.steady_state(dynamics)).round(6)
        Array([1.392948, 1.936602], dtype=float64)

    Source: Breuer & Petruccione, Sec. 3.3; Konopik & Lutz, App. A.
    """
    require_flag(lamb_shift)
    if lamb_shift:
        return Dynamics.of(ShiftedGlobal(lamb_shift=True), oscillators, baths, 0.0)
    return Dynamics.of(GlobalLindblad(), oscillators, baths)


@dataclass(frozen=True)
class ShiftedGlobal(UnifiedLindblad):
    """With principal values: groups of one frequency are the clusters of no width."""

    name: ClassVar[str] = "global"


@dataclass(frozen=True)
class GlobalLindblad(Equation):
    """The functions behind ``global_lindblad``."""

    def require_kind(self, oscillators: Oscillators, baths: Baths) -> None:
        """Baths in the laboratory, each with a rate at every frequency."""
        require_laboratory_baths(baths, "global")

    def contact(self, baths: Baths, unit: jax.Array) -> tuple[BathCoupling | jax.Array, Rates]:
        """How the baths couple, and γ_m(Ω) in natural units."""
        coupling = selection.contact_of(baths)
        if isinstance(baths.spectrum, tuple):
            return coupling, tuple(_rate_of(spectrum, unit) for spectrum in baths.spectrum)
        return coupling, _rate_of(baths.spectrum, unit)

    def status(self, *parts: Any) -> jax.Array:
        """Beside that of all equations, whether a normal mode is dark."""
        oscillators, baths = parts
        damping = _checks.concrete(baths.damping)
        if damping is not None and (damping > 0).all():
            return super().status(oscillators, baths)  # no mode is
        return _status(oscillators, baths, self)

    def drift(self, *parts: Any) -> jax.Array:
        """Normal modes that rotate and decay each on its own."""
        closed = network_matrix(parts[0], jnp.zeros_like(parts[0].frequency))
        return closed + self.bath_drift(*parts)

    def bath_drift(self, *parts: Any) -> jax.Array:
        """The decay of the normal modes."""
        return self._secular(*parts).drift

    def diffusion(self, *parts: Any) -> jax.Array:
        """The noise of each normal mode."""
        return self._secular(*parts).diffusion

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """In closed form."""
        return self._secular(*parts).stationary

    def generators(self, *parts: Any) -> Generators:
        """As of clusters of no width."""
        return UnifiedLindblad().generators(*parts, jnp.zeros_like(parts[0].frequency[0]))

    def _secular(self, oscillators: Oscillators, baths: Baths) -> Secular:
        problem, valid = self.posed(oscillators, baths)
        coupling, rate = self.contact(baths, problem.unit)
        parts = (problem.damping, problem.each_temperature, problem.unit, valid)
        return problem.kernel.secular(*parts, coupling=coupling, rate=rate)


def flat_rate(damping: jax.Array, own: jax.Array, omega: jax.Array) -> jax.Array:
    """γ_j."""
    return damping


def ohmic_rate(damping: jax.Array, own: jax.Array, omega: jax.Array) -> jax.Array:
    """γ_j Ω/ω_j."""
    return damping * omega / own


def _rate_of(spectrum: Spectrum, unit: jax.Array) -> Rate:
    """A pytree, as all that is differentiated."""
    if spectrum.kind == "flat":
        return bound(flat_rate)
    if isinstance(spectrum, Ohmic) and spectrum.reference is None:
        return bound(ohmic_rate)
    return bound(_spectral_rate, spectrum, unit)


def _spectral_rate(
    spectrum: Spectrum, unit: jax.Array, damping: jax.Array, own: jax.Array, omega: jax.Array
) -> jax.Array:
    return damping * spectrum.rate(omega * unit, own * unit)


@partial(jax.jit, static_argnames="equation")
def _status(oscillators: Oscillators, baths: Baths, equation: GlobalLindblad) -> jax.Array:
    damped = equation._secular(oscillators, baths).damped
    conditions = equation.conditions(oscillators, baths)
    return domain.status(conditions | {domain.Status.DARK: damped})
