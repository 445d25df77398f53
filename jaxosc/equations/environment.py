"""What the exact description of baths computes from: how their noise is taken, and its arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import baths as _baths
from jaxosc._kernels import coloured, dense, embedded, quadrature, selection
from jaxosc._kernels.flow import Flow
from jaxosc._numerics.filters import Filters, susceptibility
from jaxosc._numerics.small import nan_unless, symplectic
from jaxosc.baths import Baths
from jaxosc.oscillators import Oscillators
from jaxosc.spectra import Spectrum


def fastest_of(oscillators: Oscillators, baths: Baths) -> jax.Array:
    """An upper bound of the rates and frequencies of the damped motion, in natural units."""
    problem = selection.problem_of(oscillators, baths)
    if problem.rows is None:
        return problem.kernel.fastest(problem.damping)
    drift = symplectic(problem.general.hessian) + dense.flat_drift(problem.rows, problem.damping)
    return dense.scales(drift)[1]


def noise_of(baths: Baths) -> Literal["white", "flat", "structured", "one-sided"]:
    """Which exact description there is for the noise of the baths; ValueError if none.

    "one-sided" is a bath of positive frequencies alone, behind a lowering operator: an integral.
    """
    if baths.occupation is not None:
        return "white"
    rows = baths._rows
    lowering = baths._named == "rotating-wave" or (rows is not None and jnp.iscomplexobj(rows))
    kinds = {spectrum.kind for spectrum in _baths.spectra_of(baths)}
    if lowering and kinds == {"flat"}:
        return "flat"
    if not lowering and "flat" not in kinds:
        return "structured"
    if lowering and "flat" not in kinds:
        return "one-sided"
    raise ValueError(
        "Argument `baths` must all have the spectrum 'flat', behind lowering operators, or all one "
        "that vanishes at zero frequency, as jaxosc.spectra.Drude, for the Langevin equation, but "
        f"they have {baths.spectrum!r} behind {baths.coupling!r}."
    )


class Acting(NamedTuple):
    """Baths by their forces C [M, 2N, k], H_eff [2N, 2N] and χ [M, k, k] of a frequency."""

    effective: jax.Array
    forces: jax.Array
    response: quadrature.Response


class Structured(NamedTuple):
    """Structured baths in natural units.

    Attributes:
        hessian: h [2N, 2N].
        couplings: c [M, 2N].
        terms: the filters of each bath.
        slopes: η [M] of the parts ην without a cutoff; None if there are none.
        counter_terms: for each bath.
        network: the oscillators and what stands for the baths, as one linear system.
        temperature: T [M].
        unit: as of ``Problem``.
    """

    hessian: jax.Array
    couplings: jax.Array
    terms: tuple[tuple[Filters, ...], ...]
    slopes: jax.Array | None
    counter_terms: tuple[bool, ...]
    network: embedded.Network
    temperature: jax.Array
    unit: jax.Array

    def steady_covariance(self) -> jax.Array:
        """σ [2N, 2N] of the oscillators."""
        size = len(self.network.divergent)
        covariance = embedded.enlarged_covariance(self.network, self.temperature)[:size, :size]
        return self._convergent(covariance)

    def mean_force_covariance(self, temperature: jax.Array) -> jax.Array:
        """σ [2N, 2N] in equilibrium with baths of this temperature."""
        static = embedded.static_response(self.terms, self.hessian.dtype)

        def response(z: jax.Array) -> jax.Array:
            zero = jnp.zeros_like(z)
            chi = jnp.stack([susceptibility(own, z) if own else zero for own in self.terms])
            return chi if self.slopes is None else chi - z * self.slopes

        covariance = embedded.mean_force_covariance(
            self.hessian,
            self.couplings,
            static,
            self.counter_terms,
            response,
            temperature,
            embedded.time_scales(self.network.drift),
        )
        return self._convergent(covariance)

    def heat_currents(self) -> jax.Array:
        """Heat from each bath [M] in the steady state; NaN where a bath has no cutoff."""
        found = embedded.heat_currents(self.network, self.couplings, self.temperature)
        return found if self.slopes is None else jnp.full_like(found, jnp.nan)

    def correlation(self, times: jax.Array) -> jax.Array:
        """C(t) [K, 2N, 2N] of the oscillators in the steady state, at times t ≥ 0."""
        network = self.network
        covariance = embedded.enlarged_covariance(network, self.temperature)
        matrix = network.left @ jnp.swapaxes(network.right, 1, 2)
        found = coloured.correlation(
            network.drift,
            coloured.Noise(matrix, self.temperature, losses=False),
            covariance,
            len(network.divergent),
            times * self.unit,
            embedded.time_scales(network.drift),
        )
        return jax.vmap(self._convergent)(found)

    def moments(self, force: jax.Array, times: jax.Array) -> Flow:
        """What evolves a product state of the oscillators; for baths with a cutoff."""
        found = coloured.structured_moments(
            self.network, self.temperature, force / self.unit, times * self.unit
        )
        return found._replace(noise=nan_unless(self.network.stable, found.noise))

    def acting(self) -> Acting:
        """What baths with a cutoff do along the real axis."""
        static = embedded.static_response(self.terms, self.hessian.dtype)
        parts = (self.hessian, self.couplings, static, self.counter_terms)

        def response(nu: jax.Array) -> jax.Array:
            z = jax.lax.complex(jnp.zeros_like(nu), -nu)
            return jnp.stack([susceptibility(own, z) for own in self.terms])[:, None, None]

        effective = embedded.effective_hessian(*parts)
        return Acting(effective, quadrature.scalar_forces(self.couplings), response)

    def integral(self) -> jax.Array:
        """σ [2N, 2N] by integration, of baths with a cutoff."""
        resonances = quadrature.resonances_of_drift(self.network.drift)
        return quadrature.integrate(*self.acting(), self.temperature, resonances).covariance

    def _convergent(self, covariance: jax.Array) -> jax.Array:
        if self.slopes is None:
            return covariance
        return nan_unless(~self.network.divergent, covariance)


class FlatBaths(NamedTuple):
    """Flat baths with temperatures in natural units.

    Attributes:
        drift: A [2N, 2N].
        losses: Θ_m/2 [M, 2N, 2N], Θ_m = −(A_mJ + JA_mᵀ) of what bath m adds to the drift.
        temperature: T [M].
        unit: as of ``Problem``.
    """

    drift: jax.Array
    losses: jax.Array
    temperature: jax.Array
    unit: jax.Array

    @property
    def noise(self) -> coloured.Noise:
        """As the kernel takes it."""
        return coloured.Noise(self.losses, self.temperature, losses=True)


def flat_baths(oscillators: Oscillators, baths: Baths) -> FlatBaths:
    """What the integral over the spectra of flat baths computes from."""
    problem = selection.problem_of(oscillators, baths)
    general = selection.general_of(oscillators, problem.unit)
    rows = general.own_rows() if problem.rows is None else problem.rows
    parts = jax.vmap(lambda row, rate: dense.flat_drift(row[None], rate[None]))(
        rows, problem.damping
    )
    halves = jax.vmap(lambda part: symplectic(part.T))(parts) / 2  # J A_mᵀ = −(A_m J)ᵀ
    drift = symplectic(general.hessian) + jnp.sum(parts, axis=0)
    losses = jnp.swapaxes(halves, 1, 2) - halves
    return FlatBaths(drift, losses, problem.temperatures, problem.unit)


class OneSided(NamedTuple):
    """Baths of positive frequencies behind lowering operators, in natural units.

    Attributes:
        hessian: h [2N, 2N].
        forces: C [M, 2N, 2].
        response: χ [M, 2, 2] of a frequency.
        temperature: T [M].
        unit: as of ``Problem``.
    """

    hessian: jax.Array
    forces: jax.Array
    response: quadrature.Response
    temperature: jax.Array
    unit: jax.Array

    def acting(self) -> Acting:
        """The same along the real axis."""
        return Acting(self.hessian, self.forces, self.response)

    def integral(self) -> jax.Array:
        """σ [2N, 2N]."""
        resonances = quadrature.resonances_of_response(self.hessian, *self.acting())
        return quadrature.integrate(*self.acting(), self.temperature, resonances).covariance


def one_sided_of(oscillators: Oscillators, baths: Baths) -> OneSided:
    """What the integral over such baths computes from."""
    scaled, scaled_baths, unit = _baths.in_natural_units(oscillators, baths)
    assert scaled_baths.temperature is not None
    rows = baths._rows
    lowering = (
        jnp.eye(oscillators.modes, dtype=dense.complex_of(unit.dtype)) if rows is None else rows
    )
    references = list(_references(oscillators, baths))

    def response(nu: jax.Array) -> jax.Array:
        both = jnp.stack([nu, -nu]) * unit
        values = [
            spectrum.one_sided(both, reference) * scaled_baths.damping[bath].astype(lowering.dtype)
            for bath, spectrum, reference in references
        ]
        ahead, behind = jnp.stack(values, axis=1)
        return quadrature.rotating_wave_response(ahead, behind)

    jax.eval_shape(response, unit)  # what a spectrum lacks is told at once
    forces = quadrature.rotating_wave_forces(lowering)
    return OneSided(scaled.hessian, forces, response, scaled_baths.temperature, unit)


def has_ohmic_part(baths: Baths) -> bool:
    """Whether a spectrum has no cutoff."""
    return any(spectrum.has_ohmic_part for spectrum in _baths.spectra_of(baths))


def structured_of(oscillators: Oscillators, baths: Baths) -> Structured:
    """What the exact description of baths behind real rows computes from."""
    scaled, scaled_baths, unit = _baths.in_natural_units(oscillators, baths)
    assert scaled_baths.temperature is not None
    terms, slopes = [], []
    for bath, spectrum, reference in _references(oscillators, baths):
        damping = scaled_baths.damping[bath]
        filters = spectrum.terms(reference)
        terms.append(tuple(each.scaled(damping).in_unit(unit) for each in filters))
        slopes.append(baths.damping[bath] * spectrum.ohmic_slope(reference))
    ohmic = has_ohmic_part(baths)
    couplings = coupling_rows(baths, oscillators.modes)
    parts = (scaled.hessian, couplings, tuple(terms))
    cutoff_free = jnp.stack(slopes) if ohmic else None
    given = counter_terms(baths)
    network = embedded.bath_network(*parts, given, cutoff_free)
    return Structured(*parts, cutoff_free, given, network, scaled_baths.temperature, unit)


def require_terms(oscillators: Oscillators, baths: Baths) -> None:
    """Raise ValueError if a spectrum lacks what its filters take, without computing them."""
    seen = set()
    for _, spectrum, reference in _references(oscillators, baths):
        if id(spectrum) not in seen:  # one for all baths lacks the same beside each
            jax.eval_shape(spectrum.terms, reference)
            seen.add(id(spectrum))


def _references(
    oscillators: Oscillators, baths: Baths
) -> Iterator[tuple[int, Spectrum, jax.Array | None]]:
    """Of each bath its number, its spectrum and the frequency of its own oscillator, if any."""
    for bath in range(len(baths.damping)):
        own = None if baths._rows is not None else oscillators.frequency[bath]
        yield bath, _baths.spectrum_of(baths, bath), own


def counter_terms(baths: Baths) -> tuple[bool, ...]:
    """Whether there is one, bath by bath."""
    given = baths.counter_term
    return given if isinstance(given, tuple) else (given,) * len(baths.damping)


def coupling_rows(baths: Baths, modes: int) -> jax.Array:
    """Rows c [M, 2N] of baths behind positions, momenta or real rows."""
    if baths._rows is not None:
        return baths._rows
    rows = np.zeros((modes, modes, 2))
    rows[np.arange(modes), np.arange(modes), int(baths._named == "momentum")] = np.sqrt(2)
    return jnp.asarray(rows.reshape(modes, -1), baths.damping.dtype)
