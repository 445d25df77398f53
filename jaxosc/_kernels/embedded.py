"""Exact steady states of any quadratic H with structured baths, by an enlarged drift.

    H_tot = ½ rᵀHr + Σ_m [H_Bm − X_m B_m + ½ χ_m(0) X_m² (counter-term)],   X_m = c_mᵀ r.

Each bath is a sum of filters (``jaxosc._numerics.filters``), whose variables y join the quadratures
r = (x1, p1, …) in one linear system z = (r, y) with the drift A [n, n] and coloured noise of the
spectrum N_m ν coth(ν/2T_m), n = 2N + Σd. Its steady state solves Aσ + σAᵀ + D = 0 with

    D = Σ_m F_m + F_mᵀ,   F_m = T Σ_k f(|2πTk|),   f(ν) = (A − ν)⁻¹ A(A + a) N_m/(ν + a),

any a > 0, k ∈ ℤ: resolvents alone, no eigenvectors, an integral at T = 0. One bath after the other,
by one loop.

The functions take what ``bath_network`` makes of the parts, all in one unit and one dtype:

- ``hessian`` [2N, 2N], H; ``couplings`` [M, 2N], the rows c_m; ``temperature`` [M];
- ``terms``, for each bath a tuple of ``Filters`` already ``scaled`` by its strength, so that
  J_m(ν) = Im χ_m(ν) (empty for a bath without);
- ``counter_terms``, a static bool for each bath;
- ``ohmic`` [M], a slope η_m for J_m(ν) = … + η_m ν without a cutoff, or None where no bath has
  such a part. It needs a counter-term: without one K(0) is −∞ and the answer NaN.

``steady_covariance`` → σ [2N, 2N] (NaN outside the domain, and the entries that diverge without a
cutoff); ``enlarged_covariance`` → σ [n, n]; ``heat_currents``; ``mean_force_covariance``
for one temperature and any χ(iz); ``is_stable``, the domain K(0) ≻ 0 (all else is a matter of
damping, and NaN too where a motion has none).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import block_diag

from jaxosc._numerics.filters import Filters, noise, static_susceptibility
from jaxosc._numerics.linear import bounded_memory, cholesky, inverse, solve
from jaxosc._numerics.lyapunov import solve_lyapunov
from jaxosc._numerics.matsubara import sums_of_temperatures, thermal_slope, thermal_sum
from jaxosc._numerics.small import nan_unless

Terms = Sequence[Sequence[Filters]]


class Network(NamedTuple):
    """The enlarged linear system.

    The noise of bath m has the matrix N_m = left[m] right[m]ᵀ, of k columns each, and its force is
    B_m = output[m]·z (without the part of an Ohmic bath that has no cutoff). Forces f on the
    quadratures, ṙ = ΩH r + f, act as inertia f beside Ohmic baths. ``stable`` says
    whether K(0) ≻ 0, and ``divergent`` which moments of the quadratures need a cutoff.
    """

    drift: jax.Array
    left: jax.Array
    right: jax.Array
    output: jax.Array
    inertia: jax.Array
    stable: jax.Array
    divergent: jax.Array


def symplectic_form(modes: int, dtype: np.dtype) -> jax.Array:
    """Ω [2N, 2N] of the order (x1, p1, …)."""
    return jnp.asarray(np.kron(np.eye(modes), [[0.0, 1.0], [-1.0, 0.0]]), dtype)


def bath_network(
    hessian: jax.Array,
    couplings: jax.Array,
    terms: Terms,
    counter_terms: Sequence[bool],
    ohmic: jax.Array | None = None,
) -> Network:
    """A, the factors of the noise, and the domain."""
    size = hessian.shape[0]
    dtype = hessian.dtype
    form = symplectic_form(size // 2, dtype)
    static = static_response(terms, dtype)
    effective = effective_hessian(hessian, couplings, static, counter_terms)
    stable = is_stable(hessian, couplings, static, counter_terms, ohmic)

    forces = form @ couplings.T  # Ωc_m, column by column
    inertia = jnp.eye(size, dtype=dtype)
    if ohmic is not None:
        # (1 − ΩR)ṙ = …, R = Σ η c cᵀ: the force −ηẊ of each Ohmic bath on the left side.
        inertia = inverse(inertia - forces @ (ohmic[:, None] * couplings))
    pulled = inertia @ forces

    baths = [_joined(own, dtype) for own in terms]
    above = [-pulled[:, m, None] * bath.output[None, :] for m, bath in enumerate(baths)]
    below = [bath.input[:, None] * couplings[m][None, :] for m, bath in enumerate(baths)]
    filters = block_diag(*(bath.drift for bath in baths))
    drift = jnp.concatenate(
        [
            jnp.concatenate([inertia @ form @ effective, *above], axis=1),
            jnp.concatenate([jnp.concatenate(below), filters], axis=1),
        ]
    )

    # Every bath's columns at their place, filled up to the same number.
    total = drift.shape[0]
    columns = max(bath.input.size for bath in baths)
    left, right, output = [], [], []
    place = size
    for m, bath in enumerate(baths):
        width = bath.input.size
        around = (place, total - place - width)
        fill = (around, (0, columns - width))
        own = [jnp.pad(bath.noise, fill), jnp.pad(jnp.eye(width, dtype=dtype), fill)]
        if ohmic is not None:
            column = jnp.pad(pulled[:, m], (0, total - size))[:, None]
            own = [
                jnp.concatenate(pair, axis=1)
                for pair in zip(own, (ohmic[m] * column, column), strict=True)
            ]
        left.append(own[0])
        right.append(own[1])
        output.append(jnp.pad(bath.output, around))
        place += width
    divergent = jnp.zeros((size, size), bool)
    if ohmic is not None:
        divergent = _divergent(couplings, forces, ohmic)
    noise_factors = jnp.stack(left), jnp.stack(right)
    return Network(drift, *noise_factors, jnp.stack(output), inertia, stable, divergent)


class _Bath(NamedTuple):
    """The filters of one bath as one, W [d, d], b [d], h [d], and N [d, d]."""

    drift: jax.Array
    input: jax.Array
    output: jax.Array
    noise: jax.Array


def _joined(terms: Sequence[Filters], dtype: np.dtype) -> _Bath:
    terms = [filters.balanced() for filters in terms]
    none = jnp.zeros((0,), dtype)
    drift, source = (
        block_diag(*map(_block_diagonal, blocks)) if blocks else jnp.zeros((0, 0), dtype)
        for blocks in ([filters.drift for filters in terms], [noise(filters) for filters in terms])
    )
    drive, output = (
        jnp.concatenate([none, *(x.reshape(-1) for x in vectors)])
        for vectors in (
            [filters.input for filters in terms],
            [filters.output for filters in terms],
        )
    )
    return _Bath(drift, drive, output, source)


def _block_diagonal(blocks: jax.Array) -> jax.Array:
    """[k, d, d] as [kd, kd]."""
    count, size = blocks.shape[:2]
    one = jnp.eye(count, dtype=blocks.dtype)[:, None, :, None]
    return (one * blocks[:, :, None, :]).reshape(count * size, count * size)


def static_response(terms: Terms, dtype: np.dtype) -> jax.Array:
    """χ_m(0) [M], without the part of an Ohmic bath that has no cutoff."""
    zero = jnp.zeros((), dtype)
    return jnp.stack([static_susceptibility(own) if own else zero for own in terms])


def effective_hessian(
    hessian: jax.Array, couplings: jax.Array, static: jax.Array, counter_terms: Sequence[bool]
) -> jax.Array:
    """H_eff = H + Σ χ_m(0) c_m c_mᵀ over the baths with a counter-term."""
    weight = jnp.where(np.array(counter_terms), static, 0)
    return hessian + couplings.T @ (weight[:, None] * couplings)


def is_stable(
    hessian: jax.Array,
    couplings: jax.Array,
    static: jax.Array,
    counter_terms: Sequence[bool],
    ohmic: jax.Array | None = None,
) -> jax.Array:
    """K(0) = H − Σ χ_m(0) c_m c_mᵀ ≻ 0, the sum over the baths without a counter-term.

    As good as the stability of the enlarged drift, if every motion is damped.
    """
    bare = ~np.array(counter_terms)
    softening = jnp.where(bare, static, 0)
    remaining = hessian - couplings.T @ (softening[:, None] * couplings)
    stable = jnp.all(jnp.isfinite(cholesky(jax.lax.stop_gradient(remaining))))
    if ohmic is not None:
        stable &= ~jnp.any(jnp.asarray(bare) & (ohmic != 0))
    return stable


def _divergent(couplings: jax.Array, forces: jax.Array, ohmic: jax.Array) -> jax.Array:
    """Which entries of σ have no limit without a cutoff, [2N, 2N].

    dσ/d ln Λ = Σ (η_m/π)(Ωc_m)(Ωc_m)ᵀ. Baths whose X do not commute drive each other: together.
    """
    acting = ohmic != 0
    reached = (forces.T != 0) & acting[:, None]
    linked = (couplings @ forces != 0) & acting[:, None] & acting[None, :]
    linked |= jnp.eye(len(ohmic), dtype=bool)
    for _ in range(len(ohmic).bit_length()):
        linked = jnp.any(linked[:, :, None] & linked[None, :, :], axis=1)
    together = jnp.any(linked[:, :, None] & reached[None, :, :], axis=1)
    return jnp.any(together[:, :, None] & together[:, None, :], axis=0)


def effective_diffusion(network: Network, temperature: jax.Array) -> jax.Array:
    """D [n, n] of the steady state. Its block of the y is one of many with the same σ of the r."""
    return _diffusion(network.drift, network.left, network.right, temperature)


def _by_bath(
    drift: jax.Array, left: jax.Array, right: jax.Array, temperature: jax.Array
) -> jax.Array:
    def force(resolved: _Resolved, temperature: jax.Array) -> jax.Array:
        return thermal_sum(resolved.at, temperature, *resolved.scales)

    return _summed_forces(drift, left, right, temperature, force)


def _by_temperature(
    drift: jax.Array, left: jax.Array, right: jax.Array, temperature: jax.Array
) -> jax.Array:
    """The same for all baths of one temperature together, if these are few."""
    one = jnp.eye(drift.shape[0], dtype=drift.dtype)
    scales = time_scales(drift)
    norm = scales[1]
    source = drift @ (drift @ left + norm * left)

    def at(columns: jax.Array, nu: jax.Array) -> jax.Array:
        return solve(drift - nu * one, columns) / (nu + norm)

    active = jnp.any(source != 0, axis=(1, 2))
    sums = sums_of_temperatures(at, source, temperature, *scales, active)
    total = jnp.sum(sums @ jnp.swapaxes(right, 1, 2), axis=0)
    return total + total.T


_diffusion = bounded_memory(_by_bath, _by_temperature)


class _Resolved(NamedTuple):
    """f(ν) of a bath, (f(ν) − f(ν′))/(ν − ν′), and the scales of A."""

    at: Callable[[jax.Array], jax.Array]
    divided: Callable[[jax.Array, jax.Array], jax.Array]
    scales: tuple[jax.Array, jax.Array]


def _summed_forces(
    drift: jax.Array,
    left: jax.Array,
    right: jax.Array,
    temperature: jax.Array,
    force: Callable[[_Resolved, jax.Array], jax.Array],
) -> jax.Array:
    """Σ_m F_m + F_mᵀ, one bath after the other, each F_m some sum over its f."""
    one = jnp.eye(drift.shape[0], dtype=drift.dtype)
    scales = time_scales(drift)
    norm = scales[1]
    source = drift @ (drift @ left + norm * left)

    def of_bath(bath: tuple[jax.Array, ...]) -> jax.Array:
        source, right, temperature = bath

        def at(nu: jax.Array) -> jax.Array:
            return solve(drift - nu * one, source) / (nu + norm)

        def divided(nu: jax.Array, other: jax.Array) -> jax.Array:
            # (A − ν)⁻¹ − (A − ν′)⁻¹ = (ν − ν′)(A − ν)⁻¹(A − ν′)⁻¹
            there = solve(drift - other * one, source)
            return (solve(drift - nu * one, there) - there / (other + norm)) / (nu + norm)

        return force(_Resolved(at, divided, scales), temperature) @ right.T

    total = jnp.sum(jax.lax.map(of_bath, (source, right, temperature)), axis=0)
    return total + total.T


def time_scales(drift: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A lower and an upper bound of the sizes of the eigenvalues of A, without a derivative."""
    drift = jax.lax.stop_gradient(drift)
    return 1 / _row_sum_norm(inverse(drift)), _row_sum_norm(drift)


def _row_sum_norm(matrix: jax.Array) -> jax.Array:
    return jnp.max(jnp.sum(jnp.abs(matrix), axis=1))


def enlarged_covariance(network: Network, temperature: jax.Array) -> jax.Array:
    """σ [n, n] of quadratures and filters; NaN unless the network is stable and all is damped.

    The moments of the y are those of the noise N ν coth(ν/2T) up to a multiple of N; those of the
    r alone, and of an r with a y, are exact.
    """
    diffusion = effective_diffusion(network, temperature)
    return nan_unless(network.stable, solve_lyapunov(network.drift, diffusion))


def steady_covariance(
    hessian: jax.Array,
    couplings: jax.Array,
    terms: Terms,
    counter_terms: Sequence[bool],
    temperature: jax.Array,
    ohmic: jax.Array | None = None,
) -> jax.Array:
    """σ [2N, 2N] of the quadratures."""
    network = bath_network(hessian, couplings, terms, counter_terms, ohmic)
    size = hessian.shape[0]
    covariance = enlarged_covariance(network, temperature)[:size, :size]
    if ohmic is None:
        return covariance
    return nan_unless(~network.divergent, covariance)


def heat_currents(network: Network, couplings: jax.Array, temperature: jax.Array) -> jax.Array:
    """j_m = ½⟨{Ẋ_m, B_m}⟩ [M], the heat that leaves bath m, in the steady state.

    For baths without an Ohmic part that has no cutoff. Between baths of one temperature no heat
    flows, so that the noise may be counted from that of the first one's.
    """
    size = couplings.shape[1]
    flow = couplings @ network.drift[:size]
    diffusion = _excess_diffusion(network.drift, network.left, network.right, temperature)
    covariance = nan_unless(network.stable, solve_lyapunov(network.drift, diffusion))
    return jnp.sum((flow @ covariance) * network.output, axis=1)


@bounded_memory
def _excess_diffusion(
    drift: jax.Array, left: jax.Array, right: jax.Array, temperature: jax.Array
) -> jax.Array:
    """``effective_diffusion`` less that of baths that all have the first one's temperature."""
    reference = temperature[0]

    def force(resolved: _Resolved, temperature: jax.Array) -> jax.Array:
        pair = (temperature, reference)
        slope = thermal_slope(resolved.at, resolved.divided, pair, *resolved.scales)
        return (temperature - reference) * slope

    return _summed_forces(drift, left, right, temperature, force)


def mean_force_covariance(
    hessian: jax.Array,
    couplings: jax.Array,
    static: jax.Array,
    counter_terms: Sequence[bool],
    susceptibility: Callable[[jax.Array], jax.Array],
    temperature: jax.Array,
    bounds: tuple[jax.Array, jax.Array],
) -> jax.Array:
    """tr_B exp(−H_tot/T)/Z: σ = T Σ_k sym [K(i|ν_k|) + |ν_k|Ω]⁻¹ [2N, 2N], for any spectrum.

    Args:
        hessian: H.
        couplings: c_m [M, 2N].
        static: χ_m(0) [M].
        counter_terms: for each bath, static.
        susceptibility: maps z ≥ 0, a scalar, to χ_m(iz) [M].
        temperature: T ≥ 0, a scalar.
        bounds: a lower estimate of the slowest and an upper one of the fastest rate or frequency
            of the network with its baths; only the accuracy of the sum depends on them.
    """
    size = hessian.shape[0]
    form = symplectic_form(size // 2, hessian.dtype)
    effective = effective_hessian(hessian, couplings, static, counter_terms)
    stable = is_stable(hessian, couplings, static, counter_terms)

    def response(nu: jax.Array) -> jax.Array:
        stiffness = effective - couplings.T @ (susceptibility(nu)[:, None] * couplings)
        inverted = inverse(stiffness + nu * form)
        return (inverted + inverted.T) / 2

    return nan_unless(stable, thermal_sum(response, temperature, *bounds))
