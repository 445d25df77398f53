"""Quantum Langevin equation: the exact description, as a drift and an effective diffusion."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxosc import domain
from jaxosc._kernels import coloured, dense, embedded, selection
from jaxosc._kernels.flow import evolved
from jaxosc._kernels.interface import Kernel
from jaxosc._kernels.selection import Problem
from jaxosc._numerics.matsubara_rules import rule_in_words
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.special import bose, thermal_noise
from jaxosc.baths import Baths
from jaxosc.description import Generators, Noise, Ports
from jaxosc.dynamics import Dynamics
from jaxosc.equations import environment
from jaxosc.equations.entrance import AmplitudeDamping, Equation
from jaxosc.equations.local_lindblad import LocalLindblad
from jaxosc.oscillators import Oscillators


def langevin(oscillators: Oscillators, baths: Baths) -> Dynamics:
    """Quantum Langevin equation, solved exactly for any spectrum.

    For baths behind positions, momenta or real rows, with X_m = c_m·r and the response χ_m(ν) of
    the spectrum, Im χ_m = J_m,

        K(ν) r(ν) − iνΩr(ν) = Σ_m c_m ξ_m(ν),   K(ν) = h + Σ_m [χ_m(0) − χ_m(ν)] c_m c_mᵀ

    (χ_m(0) with a counter-term only), h the hessian of H, Ω the symplectic form, ξ_m of the
    spectrum J_m(ν) coth(ν/2T_m). Filters for χ join r in an enlarged linear system.

    For flat baths behind a_j or complex rows, ȧ_j = −i[a_j, H] − γ_j a_j + √(2γ_j) a_j,in, the
    covariance being the integral of the noise spectra over all frequencies of both signs, taken as
    a principal value at ν = 0. Both solve Aσ + σAᵀ + D = 0 with an effective diffusion, here

        D = Σ_j γ_j [M_j + M_jᵀ],   M_j = T_j Σ_k (A − |ν_k|)⁻¹ J_j,   ν_k = 2πT_j k, k ∈ ℤ,

    J_j the symplectic form of oscillator j: the Matsubara sum of a digamma function of the drift,
    which needs no quadrature. At T_j = 0 the sum is the integral over ν/π.

    White baths, with an ``occupation`` in place of a temperature, have the drift and the diffusion
    of ``local_lindblad``, which is exact for them in any frame.

    Args:
        oscillators: N modes with a bounded Hamiltonian; for white baths any whose damped motion is
            stable.
        baths: with an ``occupation``; or flat behind ``"rotating-wave"`` or complex rows; or with
            spectra of ``jaxosc.spectra`` behind ``"position"``, ``"momentum"`` or real rows.
            (A bath of positive frequencies alone behind a rotating-wave coupling has no finite
            drift: ``langevin_quadrature`` integrates it.)

    Returns:
        Dynamics whose ``steady_state`` is the exact covariance; its diffusion is NaN where H is
        not bounded below, or a rate or temperature is negative, and the values are known only
        inside a transformation. Behind real rows its drift and diffusion are those of the
        oscillators and the filters together, [2N + d, 2N + d], and the state always is one. A
        strictly Ohmic bath lets moments diverge that do not commute with its X (⟨p²⟩ behind a
        position): these entries are NaN, with a warning. Flat damping is an idealisation good to
        O(γ/ω): at low temperature the covariance can violate the uncertainty relation by as much,
        which ``is_physical`` and ``diagnose`` tell. Two modes whose pairing exceeds four times
        their exchange keep only the digits that ε/δ² leaves at the distance δ to their critical
        point, ε the rounding of the dtype. D is that of the steady state, not a Markovian noise:
        ``evolve`` and ``correlation`` keep the memory of the baths.

    Raises:
        ValueError: if the two do not fit together, H is known and not bounded below, a bath
            without a counter-term is known to make it so, or spectra and couplings are none of
            these.

    Example:
        >>> pair = jaxosc.pair((1.0, 1.5), 0.2, "position")
        >>> drude = jaxosc.spectra.Drude(cutoff=10.0)
        >>> baths = jaxosc.Baths(0.01, (0.5, 1.0), drude, coupling="position")
        >>> jaxosc.occupation(jaxosc.steady_state(jaxosc.langevin(pair, baths))).round(6)
        Array([0.260273, 0.257485], dtype=float64)

    Source: Konopik & Lutz, Eqs. 5-8 and 22-23 (with 2γ counted once, as in their Eq. 23); Ford,
    Lewis & O'Connell, Phys. Rev. A 37, 4419 (1988).
    """
    return Dynamics.of(Langevin(), oscillators, baths)


@dataclass(frozen=True)
class Langevin(AmplitudeDamping):
    """The functions behind ``langevin``."""

    def require_kind(self, oscillators: Oscillators, baths: Baths) -> None:
        """Any but those of positive frequencies alone."""
        kind = environment.noise_of(baths)
        if kind == "one-sided":
            raise ValueError(
                "Argument `baths` must have the spectrum 'flat' behind a rotating-wave coupling "
                f"for the Langevin equation, but it is {baths.spectrum!r}: couple by 'position', "
                "or integrate with jaxosc.langevin_quadrature."
            )
        if kind == "structured":
            environment.require_terms(oscillators, baths)
            if environment.has_ohmic_part(baths):
                if not all(environment.counter_terms(baths)):
                    raise ValueError(
                        "Argument `baths` must have a counter-term beside a strictly Ohmic "
                        "spectrum, whose static susceptibility is infinite, but it has none."
                    )
                warnings.warn(
                    "Moments that do not commute with what a strictly Ohmic bath couples to "
                    "diverge, and are NaN: give the spectrum a cutoff, as jaxosc.spectra.Drude.",
                    stacklevel=4,
                )

    def conditions(
        self, oscillators: Oscillators, baths: Baths, kernel: Kernel | None = None
    ) -> domain.Conditions:
        """A bounded H, also beside baths without a counter-term; a sound frame for white ones."""
        if environment.noise_of(baths) == "white":
            return domain.frame_conditions(oscillators, baths, kernel)
        found = domain.conditions(oscillators, baths, kernel)
        if environment.noise_of(baths) == "structured" and baths.counter_term is not True:
            found[domain.Status.SHIFTED] = environment.structured_of(
                oscillators, baths
            ).network.stable
        return found

    def drift(self, *parts: Any) -> jax.Array:
        """Of the oscillators, and of what stands for structured baths."""
        if environment.noise_of(parts[1]) != "structured":
            return super().drift(*parts)
        structured = environment.structured_of(*parts)
        return structured.network.drift * structured.unit

    def decay_rate(self, *parts: Any) -> float:
        """Of the enlarged drift, if there is one."""
        if environment.noise_of(parts[1]) != "structured":
            return super().decay_rate(*parts)
        return Equation.decay_rate(self, *parts)

    def diffusion(self, *parts: Any) -> jax.Array:
        """D of the steady state."""
        kind = environment.noise_of(parts[1])
        if kind == "white":
            return LocalLindblad().diffusion(*parts)
        problem, valid = self.posed(*parts)
        if kind == "structured":
            structured = environment.structured_of(*parts)
            found = embedded.effective_diffusion(structured.network, structured.temperature)
            return nan_unless(valid, found * structured.unit)
        if problem.rows is None:
            return problem.kernel.langevin_diffusion(
                problem.damping, problem.each_temperature, problem.unit, valid
            )
        return nan_unless(valid, self._flat(problem).diffusion * problem.unit)

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """From one sum with D."""
        kind = environment.noise_of(parts[1])
        if kind == "white":
            return LocalLindblad().steady_covariance(*parts)
        problem, valid = self.posed(*parts)
        if kind == "structured":
            return nan_unless(valid, environment.structured_of(*parts).steady_covariance())
        if problem.rows is None:
            return problem.kernel.langevin_state(problem.damping, problem.each_temperature, valid)
        flat = self._flat(problem)
        return problem.general.steady(flat.drift, nan_unless(valid, flat.diffusion))

    def explain(self, *parts: Any) -> str:
        """And by which sums."""
        kind = environment.noise_of(parts[1])
        if kind == "white":
            return f"{super().explain(*parts)}; white baths, exactly those of the local equation"
        temperature = selection.problem_of(*parts).temperatures
        if kind == "structured":
            network = environment.structured_of(*parts).network
            filters = len(network.drift) - len(network.divergent)
            way = f"the oscillators and {filters} variables of filters for the baths"
            fastest = embedded.time_scales(network.drift)[1]
        else:
            way = f"{super().explain(*parts)}; flat baths"
            fastest = environment.fastest_of(*parts)
        rules = [rule_in_words(float(each), float(fastest)) for each in temperature]
        return f"{way}; thermal sums by {', '.join(dict.fromkeys(rules))}"

    def divergent(self, *parts: Any) -> jax.Array:
        """Where a strictly Ohmic bath leaves no moment."""
        if environment.noise_of(parts[1]) != "structured":
            return super().divergent(*parts)
        return environment.structured_of(*parts).network.divergent

    def force(self, *parts: Any) -> jax.Array:
        """That of the drive; strictly Ohmic friction resists it at once."""
        force = super().force(*parts)
        if not self._is_ohmic(*parts):
            return force
        return environment.structured_of(*parts).network.inertia @ force

    def noise(self, *parts: Any) -> Noise:
        """That of flat baths has a pole at ν = 0."""
        kind = environment.noise_of(parts[1])
        if kind == "white":
            return LocalLindblad().noise(*parts)
        _, valid = self.posed(*parts)
        temperature = parts[1].temperature
        if kind == "structured":
            network = environment.structured_of(*parts).network
            sources = network.left @ jnp.swapaxes(network.right, 1, 2)
            return Noise(
                nan_unless(valid, sources), partial(thermal_noise, temperature=temperature)
            )
        flat = environment.flat_baths(*parts)
        losses = flat.losses * flat.unit
        sources = jax.lax.complex(jnp.zeros_like(losses), nan_unless(valid, losses))

        def coth(nu: jax.Array) -> jax.Array:
            moving = nu != 0
            number = bose(jnp.where(moving, jnp.abs(nu), 1), temperature)
            return jnp.where(moving, jnp.sign(nu), jnp.nan) * (1 + 2 * number)

        return Noise(sources, coth)

    def driven(self, *parts: Any) -> jax.Array:
        """Strictly Ohmic friction resists a force at once."""
        found = super().driven(*parts)
        if not self._is_ohmic(*parts):
            return found
        inertia = environment.structured_of(*parts).network.inertia
        return found.at[: len(inertia)].set(inertia @ found[: len(inertia)])

    def ports(self, *parts: Any) -> Ports:
        """White baths alone have a flat input."""
        kind = environment.noise_of(parts[1])
        if kind == "white":
            return LocalLindblad().ports(*parts)
        why = (
            "have a temperature behind a flat spectrum, whose negative frequencies have no input "
            "that is a state: give them an `occupation`"
            if kind == "flat"
            else "have a memory"
        )
        raise ValueError(
            "Argument `dynamics` must have white baths behind lowering operators, whose outputs "
            f"are detected, but those of the Langevin equation {why}."
        )

    def is_markovian(self, *parts: Any) -> bool:
        """White baths alone are."""
        return environment.noise_of(parts[1]) == "white"

    def generators(self, *parts: Any) -> Generators:
        """The parts of the damping, and of the diffusion of the steady state."""
        kind = environment.noise_of(parts[1])
        if kind == "white":
            return LocalLindblad().generators(*parts)
        if kind == "structured":
            raise ValueError(
                "Argument `dynamics` must have baths without memory to be taken apart, but those "
                "of the Langevin equation have one."
            )
        problem, valid = self.posed(*parts)
        general = selection.general_of(parts[0], problem.unit)
        rows = general.own_rows() if problem.rows is None else problem.rows
        drift, diffusion = dense.flat_langevin_parts(
            general.hessian, rows, problem.damping, problem.temperatures
        )
        return Generators(drift * problem.unit, nan_unless(valid, diffusion * problem.unit))

    def heat_currents(self, covariance: jax.Array, *parts: Any) -> jax.Array:
        """That of baths with memory is ½⟨{Ẋ_m, B_m}⟩, in the steady state alone."""
        if environment.noise_of(parts[1]) != "structured":
            return super().heat_currents(covariance, *parts)
        _, valid = self.posed(*parts)
        structured = environment.structured_of(*parts)
        return nan_unless(valid, structured.heat_currents() * structured.unit**2)

    def evolution(
        self, covariance: jax.Array, mean: jax.Array, times: jax.Array, *parts: Any
    ) -> tuple[jax.Array, jax.Array]:
        """Of a product state of the oscillators and their baths."""
        kind = environment.noise_of(parts[1])
        if kind == "white":
            return super().evolution(covariance, mean, times, *parts)
        _, valid = self.posed(*parts)
        force = self.force(*parts)
        if kind == "structured":
            moved = environment.structured_of(*parts).moments(force, times)
        else:
            flat = environment.flat_baths(*parts)
            moved = coloured.flat_moments(
                flat.drift,
                flat.noise,
                self.diffusion(*parts) / flat.unit,
                force / flat.unit,
                times * flat.unit,
                dense.scales(flat.drift),
            )
        states, means = evolved(moved, covariance, mean)
        return nan_unless(valid, states), nan_unless(valid, means)

    def no_product_state(self, *parts: Any) -> bool:
        """Strictly Ohmic ones."""
        return environment.noise_of(parts[1]) == "structured" and environment.has_ohmic_part(
            parts[1]
        )

    def correlation(self, times: jax.Array, *parts: Any) -> jax.Array:
        """With the memory of the baths."""
        kind = environment.noise_of(parts[1])
        if kind == "white":
            return super().correlation(times, *parts)
        _, valid = self.posed(*parts)
        if kind == "structured":
            return nan_unless(valid, environment.structured_of(*parts).correlation(times))
        flat = environment.flat_baths(*parts)
        return coloured.correlation(
            flat.drift,
            flat.noise,
            self.steady_covariance(*parts),
            len(flat.drift),
            times * flat.unit,
            dense.scales(flat.drift),
        )

    @staticmethod
    def _is_ohmic(*parts: Any) -> bool:
        baths = parts[1]
        return environment.noise_of(baths) == "structured" and environment.has_ohmic_part(baths)

    def _flat(self, problem: Problem) -> dense.Generator:
        assert problem.rows is not None
        return dense.flat_langevin(
            problem.general.hessian, problem.rows, problem.damping, problem.temperatures
        )
