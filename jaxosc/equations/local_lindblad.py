"""Local Lindblad equation: each bath sees its own oscillator as if it were alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp

from jaxosc import _checks, domain
from jaxosc._kernels import dense, selection
from jaxosc._kernels.interface import Kernel
from jaxosc._kernels.selection import Problem
from jaxosc._numerics import small
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.special import bose
from jaxosc.baths import Baths, spectrum_of
from jaxosc.description import Generators, Parts, Ports
from jaxosc.dynamics import Dynamics
from jaxosc.equations.entrance import AmplitudeDamping, require_laboratory_baths
from jaxosc.equations.local_corrected import LocalCorrected
from jaxosc.oscillators import Oscillators
from jaxosc.typing import Reals


def local_lindblad(
    oscillators: Oscillators,
    baths: Baths,
    *,
    order: Literal[0, 1] = 0,
    frequency: Reals | None = None,
) -> Dynamics:
    """Local Lindblad master equation, as it is, corrected, or at one common frequency.

    dρ/dt = −i[H, ρ] + Σ_m 2γ_m(N_m + 1) D[L_m]ρ + 2γ_mN_m D[L_m†]ρ, where
    D[c]ρ = cρc† − {c†c, ρ}/2. One bath an oscillator has L_j = a_j and N_j = N(ω_j, T_j): as drift
    and diffusion, −γ_j on both quadratures of oscillator j beside the Hamiltonian part, and
    D_jj = γ_j(2N_j + 1) on both. Rows give L_m = Σ_j l_mj a_j, real ones the lowering part of X_m.
    White baths, with an ``occupation`` in place of a temperature, are described exactly.

    Of oscillators that are detuned the heat current is wrong by a factor of the order of one at any
    coupling, for it is of second order itself. Two remedies: ``order=1`` adds the first order of
    the dissipators of ``redfield`` in the coupling (not completely positive, and not within the
    second law everywhere); a common ``frequency`` ω̄ takes the rates γ_j(ω̄) and the numbers
    N(ω̄, T_j) in place of those at ω_j, for oscillators whose frequencies are near each other.

    Args:
        oscillators: N modes, in any frame whose damped motion is stable; H need not be bounded.
        baths: their spectra play no part but for the ``reference`` of a row with a temperature,
            at which it has its rate and number: γ_j and N_j are those at ω_j otherwise.
        order: 0, or 1 for the correction, which asks for a bounded H and baths with temperatures.
        frequency: ω̄ > 0; None for the own ones. Not together with ``order=1``.

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
    (their Lindblad rates are written γ, which is γ/2 here); one frequency: Potts, Kalaee &
    Wacker, New J. Phys. 23, 123013 (2021); first order: after Trushechkin & Volovich, EPL 113,
    30005 (2016).
    """
    _checks.require_whole("order", order, 0, 1)
    if frequency is not None:
        if order:
            raise ValueError(
                "Argument `frequency` must be left out with `order=1`, whose rates are those at "
                "the own frequencies, but both are given."
            )
        return Dynamics.of(CommonFrequency(), oscillators, baths, frequency)
    return Dynamics.of(LocalCorrected() if order else LocalLindblad(), oscillators, baths)


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

    def generators(self, *parts: Any) -> Generators:
        """−γ_j on both quadratures of an oscillator, or what rows make of it."""
        oscillators, baths = parts
        problem, valid = self.posed(oscillators, baths)
        rows = problem.rows
        if rows is None:
            rows = selection.general_of(oscillators, problem.unit).own_rows()
        number, squeezing = _number(problem, baths), problem.squeezing
        per_bath = (rows, problem.damping, number, squeezing)
        found = jax.vmap(dense.white_generator)(*jax.tree.map(lambda leaf: leaf[:, None], per_bath))
        return Generators(
            found.drift * problem.unit, nan_unless(valid, found.diffusion * problem.unit)
        )

    def ports(self, *parts: Any) -> Ports:
        """All baths, with their number of quanta at every frequency."""
        oscillators, baths = parts
        problem, valid = self.posed(oscillators, baths)
        rows = problem.rows
        if rows is None:
            rows = selection.general_of(oscillators, problem.unit).own_rows()
        number = nan_unless(valid, _number(problem, baths))
        squeezing = problem.squeezing
        if squeezing is None:
            squeezing = jnp.zeros_like(number)
        complex_too = squeezing.astype(dense.complex_of(number.dtype))
        return Ports(dense.quadrature_rows(rows), 2 * baths.damping, number, complex_too)

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
    assert problem.rows is not None
    number = _number(problem, baths)
    return dense.white_generator(problem.rows, problem.damping, number, problem.squeezing)


def _number(problem: Problem, baths: Baths) -> jax.Array:
    """N [M]."""
    if problem.occupation is not None:
        return problem.occupation
    if baths._rows is None:
        return bose(problem.kernel.frequency, problem.temperatures)
    references = [spectrum_of(baths, bath).reference for bath in range(len(baths.damping))]
    stated = jnp.stack([each for each in references if each is not None])
    return bose(stated / problem.unit, problem.temperatures)


@dataclass(frozen=True)
class CommonFrequency(AmplitudeDamping):
    """The functions behind ``local_lindblad(…, frequency=ω̄)``: parts are the network, ω̄ last."""

    def require(self, *parts: Any) -> Parts:
        """As of the local equation; one positive frequency."""
        oscillators, baths, frequency = parts
        (frequency,) = _checks.float_arrays(frequency=frequency)
        _checks.require_shape("frequency", frequency, ())
        _checks.require_finite("frequency", frequency)
        _checks.require("frequency", frequency, lambda x: x > 0, "be positive")
        oscillators, baths = super().require(oscillators, baths)
        return oscillators, baths, _checks.in_precision(frequency, oscillators.frequency.dtype)

    def require_kind(self, oscillators: Oscillators, baths: Baths) -> None:
        """Baths in the laboratory."""
        require_laboratory_baths(baths, "local")

    def conditions(
        self, oscillators: Oscillators, baths: Baths, kernel: Kernel | None = None
    ) -> domain.Conditions:
        """Those of the local equation."""
        return LocalLindblad().conditions(oscillators, baths, kernel)

    def status(self, *parts: Any) -> jax.Array:
        """And whether the frequency is positive."""
        oscillators, baths, *rest = parts
        code = super().status(oscillators, baths)
        for frequency in rest:
            sound = (frequency > 0) & (frequency < jnp.inf)
            code = jnp.where((code == 0) & ~sound, jnp.int32(domain.Status.NUMBER), code)
        return code

    def drift(self, *parts: Any) -> jax.Array:
        """Of the local equation with these rates."""
        return LocalLindblad().drift(*self._white(*parts))

    def bath_drift(self, *parts: Any) -> jax.Array:
        """Of the local equation with these rates."""
        return LocalLindblad().bath_drift(*self._white(*parts))

    def decay_rate(self, *parts: Any) -> float:
        """Of the local equation with these rates."""
        return LocalLindblad().decay_rate(*self._white(*parts))

    def diffusion(self, *parts: Any) -> jax.Array:
        """Of the local equation with these rates and numbers."""
        return LocalLindblad().diffusion(*self._white(*parts))

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """Of the local equation with these rates and numbers."""
        return LocalLindblad().steady_covariance(*self._white(*parts))

    def generators(self, *parts: Any) -> Generators:
        """Of the local equation with these rates and numbers."""
        return LocalLindblad().generators(*self._white(*parts))

    def ports(self, *parts: Any) -> Ports:
        """Of the local equation with these rates and numbers."""
        return LocalLindblad().ports(*self._white(*parts))

    def energy(self, *parts: Any) -> jax.Array:
        """That of oscillators of this frequency, with whose heat the second law is strict."""
        oscillators, _, frequency = parts
        return frequency * jnp.eye(2 * oscillators.modes, dtype=frequency.dtype)

    def _white(
        self, oscillators: Oscillators, baths: Baths, frequency: jax.Array
    ) -> tuple[Oscillators, Baths]:
        """Baths that have the same rate and number at every frequency."""
        temperature = baths.temperature
        assert temperature is not None
        each = range(len(baths.damping))
        own = [None if baths._rows is not None else oscillators.frequency[m] for m in each]
        rates = [spectrum_of(baths, m).rate(frequency, own[m]) for m in each]
        sound = (frequency > 0) & (frequency < jnp.inf)
        number = bose(frequency[None], temperature)
        rows = baths._rows
        return oscillators, Baths(
            baths.damping * jnp.stack(rates),
            occupation=nan_unless(sound & jnp.all(temperature >= 0), number),
            coupling="rotating-wave" if rows is None else selection.lowering_amplitudes(rows),
        )
