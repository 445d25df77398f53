"""Local Lindblad equation: each bath sees its own oscillator as if it were alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from jaxosc import domain
from jaxosc._kernels import dense
from jaxosc._kernels.interface import Kernel
from jaxosc._kernels.selection import Problem
from jaxosc._numerics import small
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.special import bose
from jaxosc.baths import Baths, spectrum_of
from jaxosc.dynamics import Dynamics
from jaxosc.equations.entrance import AmplitudeDamping
from jaxosc.oscillators import Oscillators


def local_lindblad(oscillators: Oscillators, baths: Baths) -> Dynamics:
    """Local Lindblad master equation.

    dρ/dt = −i[H, ρ] + Σ_m 2γ_m(N_m + 1) D[L_m]ρ + 2γ_mN_m D[L_m†]ρ, where
    D[c]ρ = cρc† − {c†c, ρ}/2. One bath an oscillator has L_j = a_j and N_j = N(ω_j, T_j): as drift
    and diffusion, −γ_j on both quadratures of oscillator j beside the Hamiltonian part, and
    D_jj = γ_j(2N_j + 1) on both. Rows give L_m = Σ_j l_mj a_j, real ones the lowering part of X_m.
    White baths, with an ``occupation`` in place of a temperature, are described exactly.

    Args:
        oscillators: N modes, in any frame whose damped motion is stable; H need not be bounded.
        baths: their spectra play no part but for the ``reference`` of a row with a temperature,
            at which it has its rate and number: γ_j and N_j are those at ω_j otherwise.

    Returns:
        Dynamics; its diffusion is NaN where a rate, temperature or occupation is negative, its
        steady state also where a motion is not damped, and the values are known only inside a
        transformation.

    Raises:
        ValueError: if the two do not fit together, or baths with a temperature meet a frequency
            that is not positive.

    Example:
        >>> rotating = jaxosc.pair((-1.0, 1.0), 0.002, "position")
        >>> baths = jaxosc.Baths((0.1, 1e-4), occupation=(0.0, 100.0))
        >>> jaxosc.occupation(jaxosc.steady_state(jaxosc.local_lindblad(rotating, baths))).round(3)
        Array([6.70000e-02, 1.66988e+02], dtype=float64)

    Source: Konopik & Lutz, Eq. 4 and below, with γ as the amplitude rate of their Eq. 5
    (their Lindblad rates are written γ, which is γ/2 here).
    """
    return Dynamics.of(LocalLindblad(), oscillators, baths)


@dataclass(frozen=True)
class LocalLindblad(AmplitudeDamping):
    """The functions behind ``local_lindblad``."""

    def conditions(
        self, oscillators: Oscillators, baths: Baths, kernel: Kernel | None = None
    ) -> domain.Conditions:
        """A network in any frame; whether its motion is stable, the steady state tells."""
        return domain.frame_conditions(oscillators, baths, kernel)

    def require_kind(self, oscillators: Oscillators, baths: Baths) -> None:
        """A number of quanta for each bath."""
        if baths._rows is None or baths.temperature is None:
            return
        for bath in range(len(baths.damping)):
            if spectrum_of(baths, bath).reference is None:
                raise ValueError(
                    "Argument `baths` must state the `reference` of the spectrum of a row, the "
                    "frequency at which the local equation takes the number of quanta, but that "
                    f"of bath {bath} is missing; or give the baths an `occupation`."
                )

    def diffusion(self, *parts: Any) -> jax.Array:
        """D_jj = γ_j(2N_j + 1) on both quadratures."""
        oscillators, baths = parts
        problem, valid = self.posed(oscillators, baths)
        if problem.rows is None:
            return problem.kernel.local_diffusion(_noise(baths, oscillators.frequency), valid)
        return nan_unless(valid, _white(problem, baths).diffusion * problem.unit)

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """By the structure of the drift."""
        oscillators, baths = parts
        problem, valid = self.posed(oscillators, baths)
        if problem.rows is None:
            noise = _noise(problem, problem.kernel.frequency)
            return problem.kernel.local_state(problem.damping, noise, valid)
        white = _white(problem, baths)
        return problem.general.steady(white.drift, nan_unless(valid, white.diffusion))


def _noise(baths: Baths | Problem, frequency: jax.Array) -> jax.Array:
    """γ(2N + 1) [N]."""
    temperature, number = baths.temperature, baths.occupation
    if temperature is None:
        assert number is not None
        return small.entrywise(lambda rate, n: rate * (2 * n + 1), baths.damping, number)

    def of_one(damping: jax.Array, frequency: jax.Array, temperature: jax.Array) -> jax.Array:
        return damping * (2 * bose(frequency, temperature) + 1)

    return small.entrywise(of_one, baths.damping, frequency, temperature)


def _white(problem: Problem, baths: Baths) -> dense.Generator:
    """What baths behind rows add, in natural units."""
    number = problem.occupation
    if number is None:
        references = [spectrum_of(baths, bath).reference for bath in range(len(baths.damping))]
        stated = jnp.stack([each for each in references if each is not None])
        number = bose(stated / problem.unit, problem.temperatures)
    assert problem.rows is not None
    return dense.white_generator(problem.rows, problem.damping, number, problem.squeezing)
