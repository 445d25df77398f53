"""Energies of a state of a network: mean, free and extractable energy, and its flow inside."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc import _checks, domain
from jaxosc import oscillators as _oscillators
from jaxosc._compilation import compiled
from jaxosc._kernels.dense import gibbs_covariance, natural_unit
from jaxosc._numerics import entropy
from jaxosc._numerics.linear import solve_positive
from jaxosc._numerics.small import nan_unless, symplectic
from jaxosc._numerics.whole import whole
from jaxosc.gaussian.arguments import covariance_of
from jaxosc.oscillators import Oscillators
from jaxosc.typing import Reals

State = tuple[jax.Array, jax.Array | None]


def energy(oscillators: Oscillators, covariance: Reals, mean: Reals | None = None) -> jax.Array:
    """Mean energy ⟨½ rᵀhr + ξ·r⟩ = ½ Tr hσ + ½⟨r⟩ᵀh⟨r⟩ + ξ·⟨r⟩.

    With the energy of the zero point: ½ Σ ω_j above ⟨H⟩ of ``Oscillators``.

    Args:
        oscillators: N modes.
        covariance: σ [2N, 2N].
        mean: ⟨r⟩ [2N]; zero if left out.

    Returns:
        A scalar in the unit of ω.

    Raises:
        ValueError: if a shape does not fit, or σ is known and not symmetric.

    Example:
        >>> network = jaxosc.pair((1.0, 2.0), 0.1, "rotating-wave")
        >>> round(float(jaxosc.energy(network, jaxosc.gibbs(network, 1.0))), 6)
        2.396344
    """
    oscillators, state = _entered(oscillators, covariance, mean)
    return _energy(oscillators, *state)


def free_energy(
    oscillators: Oscillators,
    temperature: Reals,
    covariance: Reals | None = None,
    mean: Reals | None = None,
) -> jax.Array:
    """Free energy ⟨H⟩ − TS of a state; in equilibrium, the least, F = E₀ + T Σ_k ln 2 sinh(Ω_k/2T).

    E₀ = −½ξᵀh⁻¹ξ is what a drive ξ·r adds. Energies are those of ``energy``, with the zero point. A
    state holds T·S(ρ‖ρ_T) = free_energy(…, covariance) − free_energy(…) more than the Gibbs state:
    as much work may be drawn from it beside a bath of that temperature.

    Args:
        oscillators: N modes; in equilibrium with a bounded Hamiltonian.
        temperature: T ≥ 0, a scalar in the unit of ω.
        covariance: σ [2N, 2N] of the state; that of the Gibbs state if left out.
        mean: ⟨r⟩ [2N] beside σ; zero if left out.

    Returns:
        A scalar in the unit of ω. NaN where the state is not physical, T < 0 or, in equilibrium, H
        is not bounded below, and the values are known only inside a transformation.

    Raises:
        ValueError: if a shape does not fit, T is negative, a mean comes without a covariance, or,
            in equilibrium, H is known and not bounded below.

    Example:
        >>> network = jaxosc.pair((1.0, 2.0), 0.1, "rotating-wave")
        >>> equilibrium = jaxosc.free_energy(network, 1.0)
        >>> state = jaxosc.gibbs(network, 1.5)
        >>> more = jaxosc.free_energy(network, 1.0, state) - equilibrium
        >>> round(float(equilibrium), 6), round(float(more), 6)
        (0.891644, 0.168055)

    Source: Parrondo, Horowitz & Sagawa, Nat. Phys. 11, 131 (2015).
    """
    if covariance is None and mean is not None:
        raise ValueError("Argument `covariance` must be given with `mean`, but it is missing.")
    _oscillators.require_network(oscillators)
    oscillators = _oscillators.entered(oscillators)
    dtype = oscillators.frequency.dtype
    (given,) = _checks.float_arrays(temperature=temperature)
    _checks.require_shape("temperature", given, ())
    _checks.require_finite("temperature", given)
    _checks.require("temperature", given, lambda t: t >= 0, "not be negative")
    given = given.astype(dtype)
    if covariance is not None:
        oscillators, state = _entered(oscillators, covariance, mean)
        return _free_energy(oscillators, given, *state)
    found, status = _equilibrium(oscillators, given)
    domain.require(status, oscillators)
    return found


def ergotropy(oscillators: Oscillators, covariance: Reals, mean: Reals | None = None) -> jax.Array:
    """Gaussian ergotropy: the most work that Gaussian unitaries draw from a state.

        W = ⟨H⟩ − E₀ − Σ_k Ω_k ν_k,

    Ω_k the normal frequencies, ascending, ν_k the symplectic eigenvalues of σ, descending, and E₀
    the least of ξ·r + ½rᵀhr. For one mode it is the ergotropy; for more a lower bound of it:
    unitaries that are not Gaussian may draw more.

    Args:
        oscillators: N modes with a bounded Hamiltonian.
        covariance: σ [2N, 2N].
        mean: ⟨r⟩ [2N]; zero if left out.

    Returns:
        A scalar ≥ 0 up to rounding, in the unit of ω; NaN where H is not bounded below or the
        entries of σ do not determine its symplectic eigenvalues.

    Raises:
        ValueError: if a shape does not fit, σ is known and not symmetric, or H is known and not
            bounded below.

    Example:
        >>> one = jaxosc.Oscillators([1.0], [[0.0]])
        >>> round(float(jaxosc.ergotropy(one, np.diag([2.0, 0.125]))), 6)  # squeezed vacuum
        0.5625

    Source: Brown, Friis & Huber, New J. Phys. 18, 113028 (2016).
    """
    oscillators, state = _entered(oscillators, covariance, mean)
    domain.require(_bounded_status(oscillators), oscillators)
    return _ergotropy(oscillators, *state)


def energy_flow(
    oscillators: Oscillators, covariance: Reals, mean: Reals | None = None
) -> jax.Array:
    """Energy flow between oscillators: what the coupling of j and k brings into oscillator j.

    F_jk = i⟨[V_jk, h_j]⟩ = Tr h_jj J h_jk ⟨r_k r_jᵀ⟩ + ξ_j·J h_jk⟨r_k⟩ with
    H = Σ_j h_j + Σ_{j<k} V_jk, h_jk the block of the hessian between the two and ξ_j·r_j the drive
    in h_j. In a steady state with a bath on each oscillator Σ_k F_jk is minus the heat that its
    bath brings to h_j.

    Args:
        oscillators: N modes.
        covariance: σ [2N, 2N].
        mean: ⟨r⟩ [2N]; zero if left out.

    Returns:
        F [N, N] in units of ω², zero on the diagonal; F_jk + F_kj is what leaves the energy of the
        coupling, −d⟨V_jk⟩/dt for two oscillators.

    Raises:
        ValueError: if a shape does not fit, or σ is known and not symmetric.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.1, "rotating-wave")
        >>> local = jaxosc.local_lindblad(network, jaxosc.Baths(0.01, (2.0, 1.0)))
        >>> jaxosc.energy_flow(network, jaxosc.steady_state(local)).round(6)
        Array([[ 0.    , -0.0095],
               [ 0.0095,  0.    ]], dtype=float64)

    Source: Rieder, Lebowitz & Lieb, J. Math. Phys. 8, 1073 (1967), for a chain.
    """
    oscillators, state = _entered(oscillators, covariance, mean)
    return _energy_flow(oscillators, *state)


def _entered(
    oscillators: Oscillators, covariance: Reals, mean: Reals | None
) -> tuple[Oscillators, State]:
    """The arguments after checks, in one dtype."""
    _oscillators.require_network(oscillators)
    oscillators = _oscillators.entered(oscillators)
    dtype, size = oscillators.frequency.dtype, 2 * oscillators.modes
    state = covariance_of(covariance)
    _checks.require_shape("covariance", state, (size, size), " like the hessian")
    if mean is None:
        return oscillators, (state.astype(dtype), None)
    (moved,) = _checks.float_arrays(mean=mean)
    _checks.require_shape("mean", moved, (size,))
    return oscillators, (state.astype(dtype), moved.astype(dtype))


@jax.jit
def _bounded_status(oscillators: Oscillators) -> jax.Array:
    return domain.status(domain.network_conditions(oscillators))


def _drive(oscillators: Oscillators) -> jax.Array:
    """ξ [2N]; what it adds to d⟨r⟩/dt is Jξ."""
    return -symplectic(_oscillators.force(oscillators)[:, None])[:, 0]


def _least(oscillators: Oscillators) -> jax.Array:
    """The least of ½rᵀhr + ξ·r."""
    drive = _drive(oscillators)
    return -drive @ solve_positive(oscillators.hessian, drive) / 2


@jax.jit
def _energy(
    oscillators: Oscillators, covariance: jax.Array, mean: jax.Array | None = None
) -> jax.Array:
    hessian = oscillators.hessian
    found = jnp.sum(hessian * covariance) / 2
    if mean is None:
        return found
    return found + mean @ (hessian @ mean) / 2 + _drive(oscillators) @ mean


@_checks.nan_is_an_answer
@compiled
def _free_energy(
    oscillators: Oscillators,
    temperature: jax.Array,
    covariance: jax.Array,
    mean: jax.Array | None = None,
) -> jax.Array:
    found = _energy(oscillators, covariance, mean) - temperature * entropy.entropy(covariance)
    return nan_unless(temperature >= 0, found)


@_checks.nan_is_an_answer
@compiled
def _equilibrium(oscillators: Oscillators, temperature: jax.Array) -> tuple[jax.Array, jax.Array]:
    """F, and the status of the problem."""
    conditions = domain.thermal_conditions(oscillators, temperature)
    hessian = oscillators.hessian
    unit = natural_unit(hessian)
    found = _thermal(hessian / unit, temperature / unit) * unit
    if oscillators.drive is not None:
        found += _least(oscillators)
    return nan_unless(domain.hold(conditions), found), domain.status(conditions)


@jax.custom_jvp
def _thermal(hessian: jax.Array, temperature: jax.Array) -> jax.Array:
    """T Σ ln 2 sinh(Ω/2T)."""
    frequency = entropy.williamson(hessian)
    warm = temperature > 0
    safe = jnp.where(warm, temperature, 1)
    excited = jnp.sum(jnp.log(-jnp.expm1(-frequency / safe)))
    return jnp.sum(frequency) / 2 + jnp.where(warm, temperature * excited, 0)


@_thermal.defjvp
def _thermal_jvp(
    primals: tuple[jax.Array, jax.Array], tangents: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """DF = ½ Tr σ dh − S dT, smooth where normal frequencies coincide, to any order."""
    hessian, temperature = primals
    change, heating = tangents
    covariance = gibbs_covariance(hessian, temperature)
    slope = jnp.sum(covariance * (change + change.T)) / 4
    return _thermal(*primals), slope - entropy.entropy(covariance) * heating


@_checks.nan_is_an_answer
@compiled
def _ergotropy(
    oscillators: Oscillators, covariance: jax.Array, mean: jax.Array | None = None
) -> jax.Array:
    hessian = oscillators.hessian
    frequency, nu = (whole(entropy.williamson(x)) for x in (hessian, covariance))
    least = _least(oscillators)
    bounded = domain.hold(domain.network_conditions(oscillators))
    passive = jnp.sum(frequency * nu[::-1])
    return nan_unless(bounded, _energy(oscillators, covariance, mean) - least - passive)


@jax.jit
def _energy_flow(
    oscillators: Oscillators, covariance: jax.Array, mean: jax.Array | None = None
) -> jax.Array:
    if mean is not None:
        covariance = covariance + mean[:, None] * mean[None, :]
    hessian, modes = oscillators.hessian, oscillators.modes
    blocks, moments = (x.reshape(modes, 2, modes, 2) for x in (hessian, covariance))
    own = jnp.einsum("jajb->jab", blocks)
    form = jnp.asarray([[0.0, 1.0], [-1.0, 0.0]], hessian.dtype)
    flow = jnp.einsum("jab,bc,jckd,kdja->jk", own, form, blocks, moments, optimize="optimal")
    if mean is not None:
        pull, moved = _drive(oscillators).reshape(modes, 2), mean.reshape(modes, 2)
        flow += jnp.einsum("ja,ab,jbkc,kc->jk", pull, form, blocks, moved, optimize="optimal")
    return flow * (1 - jnp.eye(modes, dtype=flow.dtype))
