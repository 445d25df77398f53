"""Which kernel computes: the one place where the number of modes decides.

A record comes in, a kernel that holds its arrays goes out. Only what is static chooses (the number
of modes, the dtype of the couplings, the kind of the baths), never a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import baths as _baths
from jaxosc._kernels import dense, embedded, quadrature
from jaxosc._kernels.general import GeneralKernel
from jaxosc._kernels.interface import BathCoupling, Kernel, Network
from jaxosc._kernels.network import FewKernel, ManyKernel, SingleKernel
from jaxosc._kernels.pair import PairKernel
from jaxosc._kernels.pair_equation import Couple, Scale
from jaxosc._numerics import entropy
from jaxosc._numerics.filters import Filters, susceptibility
from jaxosc._numerics.small import nan_unless, symplectic
from jaxosc._numerics.special import product_less_square
from jaxosc.baths import Baths
from jaxosc.oscillators import Oscillators, in_unit, is_real
from jaxosc.pairs import PairAtDistance
from jaxosc.spectra import Spectrum

# Up to here one dense system is faster than an iteration; its work grows as N⁶, that of products
# as N³.
_FEW = 6


class Problem(NamedTuple):
    """A network and its baths in natural units.

    Attributes:
        kernel: the network.
        damping: γ [M].
        temperature: T [M], None for white baths.
        unit: a power of two next to the largest frequency, in the unit of the user.
        occupation: N [M] of white baths.
        rows: u [M, 2N] complex, L_m = u_m·r, the lowering part of what each bath couples to; None
            if they are the a_j, one an oscillator.
        squeezing: ⟨bb⟩ [M] of white baths, if any.
    """

    kernel: Kernel
    damping: jax.Array
    temperature: jax.Array | None
    unit: jax.Array
    occupation: jax.Array | None
    rows: jax.Array | None
    squeezing: jax.Array | None

    @property
    def temperatures(self) -> jax.Array:
        """T [M], of baths that are known to have them."""
        assert self.temperature is not None
        return self.temperature

    @property
    def general(self) -> GeneralKernel:
        """The kernel, where there are rows."""
        assert isinstance(self.kernel, GeneralKernel)
        return self.kernel


def problem_of(oscillators: Oscillators, baths: Baths) -> Problem:
    """What an equation computes from."""
    scaled, scaled_baths, unit = _baths.in_natural_units(oscillators, baths)
    rows = lowering_rows(scaled_baths, oscillators.modes)
    return Problem(
        kernel_of(scaled, baths.occupation is not None) if rows is None else _general(scaled),
        scaled_baths.damping,
        scaled_baths.temperature,
        unit,
        baths.occupation,
        rows,
        baths.squeezing,
    )


def lowering_rows(baths: Baths, modes: int) -> jax.Array | None:
    """U [M, 2N] of the lowering part of what each bath couples to; None if that is its own a_j."""
    rows = baths._rows
    if rows is None:
        if baths.squeezing is None:
            return None
        rows = jnp.eye(modes, dtype=dense.complex_of(baths.damping.dtype))
    elif not jnp.iscomplexobj(rows):
        half = rows * np.sqrt(0.5).astype(rows.dtype)  # c·r = Σ l_j a_j + h.c.
        rows = jax.lax.complex(half[:, 0::2], -half[:, 1::2])
    return dense.lowering_rows(rows)


def fastest_of(oscillators: Oscillators, baths: Baths) -> jax.Array:
    """An upper bound of the rates and frequencies of the damped motion, in natural units."""
    problem = problem_of(oscillators, baths)
    if problem.rows is None:
        return problem.kernel.fastest(problem.damping)
    drift = symplectic(problem.general.hessian) + dense.flat_drift(problem.rows, problem.damping)
    return dense.scales(drift)[1]


def amplitude_rates(oscillators: Oscillators, baths: Baths) -> jax.Array:
    """The amplitude rate of each bath at its reference [M], γ_m Σ_j |l_mj|²."""
    rows = lowering_rows(baths, oscillators.modes)
    if rows is None:
        return baths.damping
    return baths.damping * jnp.sum(jnp.abs(rows) ** 2, axis=1)


def contact_of(baths: Baths) -> BathCoupling | jax.Array:
    """What each bath couples to: a name, or rows u [M, 2N] complex, X_m = u_m·r or L_m = u_m·r."""
    if baths._named is not None:
        return baths._named
    rows = baths._rows
    assert rows is not None
    if jnp.iscomplexobj(rows):
        return dense.lowering_rows(rows)
    return rows.astype(dense.complex_of(rows.dtype))


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

    def mean_force_covariance(self) -> jax.Array:
        """σ [2N, 2N] in equilibrium with baths of one temperature."""
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
            self.temperature[0],
            embedded.time_scales(self.network.drift),
        )
        return self._convergent(covariance)

    def integral(self) -> jax.Array:
        """σ [2N, 2N] by integration, of baths with a cutoff."""
        static = embedded.static_response(self.terms, self.hessian.dtype)
        parts = (self.hessian, self.couplings, static, self.counter_terms)

        def response(nu: jax.Array) -> jax.Array:
            z = jax.lax.complex(jnp.zeros_like(nu), -nu)
            return jnp.stack([susceptibility(own, z) for own in self.terms])[:, None, None]

        return quadrature.integrate(
            embedded.effective_hessian(*parts),
            quadrature.scalar_forces(self.couplings),
            response,
            self.temperature,
            quadrature.resonances_of_drift(self.network.drift),
        ).covariance

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


def flat_baths(oscillators: Oscillators, baths: Baths) -> FlatBaths:
    """What the integral over the spectra of flat baths computes from."""
    problem = problem_of(oscillators, baths)
    general = general_of(oscillators, problem.unit)
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
    """

    hessian: jax.Array
    forces: jax.Array
    response: quadrature.Response
    temperature: jax.Array

    def integral(self) -> jax.Array:
        """σ [2N, 2N]."""
        parts = (self.hessian, self.forces, self.response)
        resonances = quadrature.resonances_of_response(self.hessian, *parts)
        return quadrature.integrate(*parts, self.temperature, resonances).covariance


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

    if not has_ohmic_part(baths):
        jax.eval_shape(response, unit)  # what a spectrum lacks is told at once
    forces = quadrature.rotating_wave_forces(lowering)
    return OneSided(scaled.hessian, forces, response, scaled_baths.temperature)


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
        filters = () if spectrum.kind == "flat" else spectrum.terms(reference)
        terms.append(tuple(each.scaled(damping).in_unit(unit) for each in filters))
        slopes.append(baths.damping[bath] * spectrum.ohmic_slope(reference))
    ohmic = has_ohmic_part(baths)
    couplings = coupling_rows(baths, oscillators.modes)
    parts = (scaled.hessian, couplings, tuple(terms))
    cutoff_free = jnp.stack(slopes) if ohmic else None
    given = counter_terms(baths)
    network = embedded.bath_network(*parts, given, cutoff_free)
    return Structured(*parts, cutoff_free, given, network, scaled_baths.temperature, unit)


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
    """C [M, 2N] of baths behind positions, momenta or real rows."""
    if baths._rows is not None:
        return baths._rows
    rows = np.zeros((modes, modes, 2))
    rows[np.arange(modes), np.arange(modes), int(baths._named == "momentum")] = np.sqrt(2)
    return jnp.asarray(rows.reshape(modes, -1), baths.damping.dtype)


def kernel_of(oscillators: Oscillators, rotating: bool = False) -> Kernel:
    """The kernel of a network, in the unit in which its frequencies are.

    In a frame that may be rotating the kernel must do without a bounded H.
    """
    if not is_real(oscillators):
        return _general(oscillators)
    network = Network(oscillators.frequency, oscillators.exchange, oscillators.pairing)
    if is_pair(oscillators):
        return PairKernel(network, _couple(oscillators, network))
    if oscillators.modes == 2 and not rotating:
        return PairKernel(network, *_scaled_couple(network))
    hollow = oscillators._hollow
    if oscillators.modes == 1:
        return SingleKernel(network, hollow)
    few = oscillators.modes <= _FEW
    return FewKernel(network, hollow) if few else ManyKernel(network, hollow)


def general_of(oscillators: Oscillators, unit: jax.Array) -> GeneralKernel:
    """The kernel of any H, in this unit."""
    return _general(in_unit(oscillators, unit))


def _general(oscillators: Oscillators) -> GeneralKernel:
    exchange, pairing = oscillators.exchange, oscillators.pairing
    sound = jnp.all(exchange == jnp.conj(exchange.T)) & jnp.all(jnp.diag(exchange) == 0)
    sound &= jnp.all(pairing == pairing.T)
    if oscillators._hollow:
        sound &= jnp.all(jnp.diag(pairing) == 0)
    return GeneralKernel(oscillators.frequency, oscillators.hessian, sound)


def mutual_information(first: jax.Array, second: jax.Array, both: jax.Array) -> jax.Array:
    """I of two groups of modes, by their covariances and the joint one."""
    if first.shape[0] == second.shape[0] == 2:
        return entropy.pair_information(both)
    return entropy.information(first, second, both)


def is_pair(oscillators: Oscillators) -> bool:
    """Whether the network is one of two modes, whose critical point is known in closed form."""
    return oscillators.modes == 2 and oscillators._hollow and is_real(oscillators)


def _scaled_couple(network: Network) -> tuple[Couple, Scale]:
    """The same of two modes whose pairing may have a diagonal, in quadratures where it has none."""
    omega, exchange, pairing = network
    j, k = exchange[0, 1], pairing[0, 1]
    # By r = κ_jj/ω_j: where it is zero every number, and every derivative, is as without it.
    r1, r2 = pairing[0, 0] / omega[0], pairing[1, 1] / omega[1]
    s1, s2 = (jnp.sqrt(jnp.sqrt((1 - r) / (1 + r))) for r in (r1, r2))
    link = s1 * s2
    even, odd = (link + 1 / link) / 2, (link - 1 / link) / 2
    det_v = product_less_square(omega[0] + pairing[0, 0], omega[1] + pairing[1, 1], j + k)
    det_w = product_less_square(omega[0] - pairing[0, 0], omega[1] - pairing[1, 1], j - k)
    couple = Couple(
        omega[0] * jnp.sqrt((1 - r1) * (1 + r1)),
        omega[1] * jnp.sqrt((1 - r2) * (1 + r2)),
        j * even + k * odd,
        k * even + j * odd,
        det_v * link**2,
        det_w / link**2,
    )
    return couple, Scale(s1, s2)


def _couple(oscillators: Oscillators, network: Network) -> Couple:
    """The numbers of two modes, det V and det W exact to their last digits near criticality."""
    (omega1, omega2), exchange, pairing = network
    j, k = exchange[0, 1], pairing[0, 1]
    if isinstance(oscillators, PairAtDistance) and oscillators.damping is None:
        product, distance = omega1 * omega2, oscillators.distance
        inside = (distance > 0) & (distance < 2)
        near = product * jnp.where(inside, distance * (2 - distance), jnp.nan)
        det_v, det_w = near, product if oscillators.interaction == "position" else near
    else:
        det_v = product_less_square(omega1, omega2, j + k)
        det_w = product_less_square(omega1, omega2, j - k)
    return Couple(omega1, omega2, j, k, det_v, det_w)
