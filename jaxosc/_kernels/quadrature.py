"""Exact steady states by integration along the real axis: the second route, for any response.

Each bath m acts by k forces along the columns of C_m [2N, k] and answers by a matrix χ_m(ν) [k, k]:

    χ_r(ν) = [K(ν) − iνΩ]⁻¹,   K(ν) = H_eff − Σ_m C_m χ_m(ν) C_mᵀ,   J_m = (χ_m − χ_m†)/2i,
    σ = (1/π) Re ∫_0^∞ χ_r [Σ_m C_m J_m C_mᵀ coth(ν/2T_m)] χ_r† dν.

A coupling X_m = c_m·r has one force c_m, a rotating-wave coupling two (``rotating_wave_forces``).
The rule is graded towards the resonances, which need not be known better than their widths.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._kernels.embedded import symplectic_form
from jaxosc._numerics.eigenvalues import general_eigenvalues
from jaxosc._numerics.linear import cholesky, inverse
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.special import bose

# ν, a scalar, to χ_m(ν) [M, k, k]
Response = Callable[[jax.Array], jax.Array]

# A Gauss-Legendre rule on (0, 1] in panels that shrink by 4 towards 0, where a resonance or
# the scale of a cold bath may sit: 16 nodes a panel leave 1e-15, 18 panels reach 1.5e-11.
_GAUSS, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(16)
# Of the last panel the fourth root is the variable, for the ν^(s−1) of a sub-Ohmic bath.
_EDGES = 4.0 ** np.arange(-18.0, 1.0)
_UNIT, _UNIT_WEIGHTS = (_GAUSS + 1) / 2, _GAUSS_WEIGHTS / 2
_NODES = np.concatenate(
    [
        _EDGES[0] * _UNIT**4,
        (_EDGES[:-1, None] + np.diff(_EDGES)[:, None] * _UNIT).reshape(-1),
    ]
)
_WEIGHTS = np.concatenate(
    [
        _EDGES[0] * 4 * _UNIT**3 * _UNIT_WEIGHTS,
        (np.diff(_EDGES)[:, None] * _UNIT_WEIGHTS).reshape(-1),
    ]
)
# Steps that carry a resonance from that of H to that of K(ν).
_SHIFTS = 8


class Integrals(NamedTuple):
    """σ [2N, 2N], and the heat [M] that leaves each bath."""

    covariance: jax.Array
    currents: jax.Array


def scalar_forces(couplings: jax.Array) -> jax.Array:
    """C [M, 2N, 1] of the rows c_m [M, 2N]."""
    return couplings[:, :, None]


def rotating_wave_forces(lowering: jax.Array) -> jax.Array:
    """C_m = −[X, P] [M, 2N, 2] of L_m = Σ_j l_mj a_j = (X + iP)/√2, from the rows l [M, N]."""
    real, imaginary = lowering.real, lowering.imag
    x = jnp.stack([real, -imaginary], axis=-1).reshape(len(lowering), -1)
    p = jnp.stack([imaginary, real], axis=-1).reshape(len(lowering), -1)
    return -jnp.stack([x, p], axis=-1)


def rotating_wave_response(ahead: jax.Array, behind: jax.Array) -> jax.Array:
    """χ(ν) = s(ν)P₊ + s(−ν)*P₋ [M, 2, 2] from s(ν) and s(−ν) [M] of ``Spectrum.one_sided``.

    P± = ½(1 ± [[0, i], [−i, 0]]): only P₊ takes energy at ν > 0.
    """
    plus = np.array([[0.5, 0.5j], [-0.5j, 0.5]])

    def weighted(value: jax.Array, matrix: np.ndarray) -> jax.Array:
        return value[:, None, None] * jnp.asarray(matrix, value.dtype)[None]

    return weighted(ahead, plus) + weighted(jnp.conj(behind), plus.conj())


def resonances_of_drift(drift: jax.Array) -> jax.Array:
    """Frequencies [n + 1] of the eigenvalues of an enlarged drift [n, n]; of real ones the rates.

    And the largest scale, where the tail begins.
    """
    values = general_eigenvalues(jax.lax.stop_gradient(drift))
    size = jnp.abs(values)
    turning = jnp.abs(values.imag)
    return jnp.append(jnp.where(turning > 0, turning, size), jnp.max(size))


def resonances_of_response(
    effective: jax.Array, bare: jax.Array, forces: jax.Array, response: Response
) -> jax.Array:
    """Frequencies [2N + 1] at which the network answers, near those of the Hamiltonian ``bare``.

    And the largest scale of that, where the tail begins.
    """
    effective, bare, forces = jax.lax.stop_gradient((effective, bare, forces))
    form = symplectic_form(len(bare) // 2, bare.dtype)
    roots = general_eigenvalues(form @ bare)
    start = jnp.abs(roots.imag)

    def shifted(_: int, nu: jax.Array) -> jax.Array:
        def nearest(nu: jax.Array) -> jax.Array:
            stiffness = _stiffness(effective, forces, response(nu))
            roots = jnp.abs(general_eigenvalues(form.astype(stiffness.dtype) @ stiffness).imag)
            return roots[jnp.argmin(jnp.abs(roots - nu))]

        return jax.lax.map(nearest, nu)

    end = jax.lax.fori_loop(0, _SHIFTS, shifted, start)
    return jax.lax.stop_gradient(jnp.append(end, jnp.max(jnp.abs(roots))))


def integrate(
    effective: jax.Array,
    forces: jax.Array,
    response: Response,
    temperature: jax.Array,
    resonances: jax.Array,
) -> Integrals:
    """σ and the currents; NaN where K(0) is not positive definite.

    Args:
        effective: H_eff [2N, 2N], H with the counter-terms.
        forces: C [M, 2N, k].
        response: maps ν, a real scalar, to χ [M, k, k], complex.
        temperature: T [M] ≥ 0.
        resonances: frequencies ≥ 0 of peaks, of the network and its baths, in any order.
    """
    still = _stiffness(effective, forces, response(jnp.zeros((), effective.dtype))).real
    stable = jnp.all(jnp.isfinite(cholesky(jax.lax.stop_gradient(still))))
    nodes, weights = graded_rule(resonances)

    def at(nu: jax.Array) -> Integrals:
        chi = response(nu)
        loss, columns, passed = _answer(effective, forces, chi, nu)
        number = bose(jnp.broadcast_to(nu, temperature.shape), temperature)
        # coth = 2N + 1
        noise = (2 * number + 1)[:, None, None].astype(loss.dtype) * loss
        density = jnp.sum(columns @ noise @ jnp.conj(jnp.swapaxes(columns, 1, 2)), axis=0)
        imbalance = number[:, None] - number[None, :]
        currents = nu * jnp.sum(passed * imbalance, axis=1) / (2 * math.pi)
        return Integrals(density.real / math.pi, currents)

    values = jax.vmap(at)(nodes)
    covariance = jnp.sum(weights[:, None, None] * values.covariance, axis=0)
    currents = jnp.sum(weights[:, None] * values.currents, axis=0)
    return Integrals(
        nan_unless(stable, (covariance + covariance.T) / 2), nan_unless(stable, currents)
    )


def transmission(
    effective: jax.Array, forces: jax.Array, response: Response, nu: jax.Array
) -> jax.Array:
    """T_mk = 4 Tr[J_m G_mk J_k G_mk†] [M, M] with G_mk = C_mᵀ χ_r C_k, at one frequency."""
    return _answer(effective, forces, response(nu), nu)[2]


def _answer(
    effective: jax.Array, forces: jax.Array, chi: jax.Array, nu: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """J [M, k, k], χ_r C [M, 2N, k] and T [M, M]."""
    form = symplectic_form(effective.shape[0] // 2, effective.dtype)
    matrix = _stiffness(effective, forces, chi)
    transfer = inverse(matrix - 1j * (nu * form).astype(matrix.dtype))
    loss = (chi - jnp.conj(jnp.swapaxes(chi, 1, 2))) / 2j
    columns = transfer[None] @ forces.astype(transfer.dtype)
    gain = jnp.einsum("mia,kib->mkab", forces.astype(columns.dtype), columns)
    passed = jnp.einsum(
        "mab,mkbc,kcd,mkad->mk", loss, gain, loss, jnp.conj(gain), optimize="optimal"
    ).real
    return loss, columns, 4 * passed


def _stiffness(effective: jax.Array, forces: jax.Array, chi: jax.Array) -> jax.Array:
    """K(ν), complex."""
    complex_forces = forces.astype(chi.dtype)
    pulled = complex_forces @ chi @ jnp.swapaxes(complex_forces, 1, 2)
    return effective.astype(chi.dtype) - jnp.sum(pulled, axis=0)


def graded_rule(resonances: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Nodes and weights on (0, ∞)."""
    stop = jnp.sort(jax.lax.stop_gradient(resonances))
    last = stop[-1]
    x, w = jnp.asarray(_NODES, stop.dtype), jnp.asarray(_WEIGHTS, stop.dtype)
    start = jnp.concatenate([jnp.zeros_like(stop[:1]), stop[:-1]])[:, None]
    half = (stop[:, None] - start) / 2
    # Each interval between resonances from both of its ends, then (Ω, 2Ω] and beyond.
    offset, measure = half * x[None, :], half * w[None, :]
    nodes = [start + offset, stop[:, None] - offset, last * (1 + x)[None], last * (1 + 1 / x)[None]]
    weights = [measure, measure, last * w[None], last * (w / x**2)[None]]
    every, weight = (jnp.concatenate(parts).reshape(-1) for parts in (nodes, weights))
    # Where two resonances coincide the interval is empty, and at zero the integrand is 0/0.
    return jnp.where(weight > 0, every, last), weight
