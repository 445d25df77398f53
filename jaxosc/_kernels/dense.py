"""Any quadratic Hamiltonian H = ½ rᵀhr with any linear baths, from its hessian h [2N, 2N].

Order (x1, p1, x2, p2, …), drift J h of the closed network, J = ⊕ [[0, 1], [−1, 0]]. Frequencies
may be zero or negative, couplings complex, single modes squeezed. A bath acts through a linear
operator L = uᵀr, its row u complex: √2 e_x for X = a + a†, (1, i)/√2 for L = a.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.linear import bounded_memory, cholesky, inverse, solve_accretive
from jaxosc._numerics.lyapunov import contracts, solve_lyapunov
from jaxosc._numerics.matsubara import sums_of_baths, sums_of_temperatures, thermal_sum
from jaxosc._numerics.small import symplectic
from jaxosc._numerics.special import power_of_two


class Generator(NamedTuple):
    """What baths add to a network: their part of the drift [2N, 2N] and the diffusion [2N, 2N].

    Apart from J h: added to it, weak damping would be rounded as the frequencies are.
    """

    drift: jax.Array
    diffusion: jax.Array


def natural_unit(*values: jax.Array) -> jax.Array:
    """A power of two next to the largest entry of hessian, rates and whatever else there is.

    1 where all of them vanish. Results do not depend on it, nor do derivatives.
    """
    known = jax.lax.stop_gradient(values)
    return power_of_two(jnp.max(jnp.stack([jnp.max(jnp.abs(value)) for value in known])))


def is_bounded(hessian: jax.Array) -> jax.Array:
    """Whether H is bounded below with a gap: h is positive definite."""
    pivots = jnp.diag(cholesky(jax.lax.stop_gradient(hessian)))
    return jnp.all(pivots > 0)  # cholesky marks failure with NaN


def is_stable(drift: jax.Array) -> jax.Array:
    """Whether every motion of ṙ = Ar decays, at a rate above rounding."""
    return contracts(drift)


def lowering_rows(amplitudes: jax.Array) -> jax.Array:
    """Rows u [M, 2N] of L_m = Σ_j l_mj a_j = u_m·r, for l [M, N]."""
    half = amplitudes.astype(complex_of(amplitudes.dtype)) * math.sqrt(0.5)
    return jnp.stack([half, 1j * half], axis=-1).reshape(half.shape[0], -1)


def jump_generator(jumps: jax.Array, rates: jax.Array) -> Generator:
    """Lindblad equation with the jump operators L_k = u_k·r, u complex [K, 2N], at the rates [K].

    The drift is J Im Σ rate u* uᵀ, the diffusion J Re(Σ rate u* uᵀ) Jᵀ.
    """
    total = _weighted(rates, jumps)
    return Generator(symplectic(total.imag), symplectic(symplectic(total.real).T))


def white_generator(
    rows: jax.Array,
    damping: jax.Array,
    occupation: jax.Array,
    squeezing: jax.Array | None = None,
) -> Generator:
    """White baths of amplitude rates γ [M] behind L_m = u_m·r, u complex [M, 2N].

    Each has the number ⟨b†b⟩ = N_m at every frequency, jumps L at the rate 2γ(N + 1) and L† at
    2γN. With squeezing ⟨bb⟩ = M_m, |M|² ≤ N(N + 1), a bath behind a_j drives ⟨a_j²⟩ by 2γM.
    """
    noise = _noise(rows)
    diffusion = _weighted(2 * damping * (2 * occupation + 1), noise).real
    if squeezing is not None:
        # Behind a = (1, i)·r/√2 the noise J u* is −i u*: its square has the other sign.
        weights = 4 * damping.astype(rows.dtype) * squeezing.astype(rows.dtype)
        diffusion = diffusion - ((noise * weights[:, None]).T @ noise).real
    return Generator(flat_drift(rows, damping), diffusion)


def flat_drift(rows: jax.Array, damping: jax.Array) -> jax.Array:
    """What baths of amplitude rates γ [M] behind u_m·r add to the drift [2N, 2N]."""
    return symplectic(_weighted(2 * damping, rows).imag)


def _noise(rows: jax.Array) -> jax.Array:
    """J u* for each row: what drives r."""
    return symplectic(jnp.conj(rows).T).T


def steady_covariance(hessian: jax.Array, damping: jax.Array, diffusion: jax.Array) -> jax.Array:
    """σ [2N, 2N] with Aσ + σAᵀ + D = 0 for A = J h + the baths' part of the drift [2N, 2N].

    NaN where A is not stable. No digits are lost to weak damping.
    """
    return solve_lyapunov((symplectic(hessian), damping), diffusion)


def flat_langevin(
    hessian: jax.Array, rows: jax.Array, damping: jax.Array, temperature: jax.Array
) -> Generator:
    """Thermal baths of flat spectra on the whole frequency axis, solved exactly.

    Rows u complex [M, 2N], amplitude rates γ [M], temperatures T ≥ 0 [M], for a bounded H. With A
    the whole drift and A_m what bath m adds to it, the effective diffusion is

        D = ½ Σ_m (M_m + M_mᵀ),  M_m = T_m Σ_k (A − |ν_k|)⁻¹ Θ_m,  Θ_m = −(A_m J + J A_mᵀ),

    ν_k = 2πT_m k, k ∈ ℤ: a principal value at ν = 0.
    """
    bath = flat_drift(rows, damping)
    drift = symplectic(hessian) + bath
    noise = _noise(rows)
    return Generator(
        bath, _effective_diffusion(drift, noise.real, noise.imag, damping, temperature)
    )


def _by_bath(
    drift: jax.Array, re: jax.Array, im: jax.Array, damping: jax.Array, temperature: jax.Array
) -> jax.Array:
    """D from the real and imaginary parts of J u* [M, 2N]."""
    return _diffusion_of(_thermal_forces(drift, re, im, damping, temperature), re, im)


def _by_temperature(
    drift: jax.Array, re: jax.Array, im: jax.Array, damping: jax.Array, temperature: jax.Array
) -> jax.Array:
    """The same for all baths of one temperature together, if these are few."""
    sums = partial(sums_of_temperatures, active=damping != 0)
    return _diffusion_of(_thermal_forces(drift, re, im, damping, temperature, sums), re, im)


def _diffusion_of(sums: jax.Array, re: jax.Array, im: jax.Array) -> jax.Array:
    half = sums[..., 0].T @ re - sums[..., 1].T @ im
    return half + half.T


_effective_diffusion = bounded_memory(_by_bath, _by_temperature)


def _thermal_forces(
    drift: jax.Array,
    re: jax.Array,
    im: jax.Array,
    damping: jax.Array,
    temperature: jax.Array,
    sums: Callable[..., jax.Array] = sums_of_baths,
) -> jax.Array:
    # Θ = 4γ Im(n n†), of rank two.
    vectors = jnp.stack([im, re], axis=-1)
    forces = sums(_resolvent(drift), vectors, temperature, *scales(drift))
    return forces * (2 * damping)[:, None, None]


def flat_langevin_parts(
    hessian: jax.Array, rows: jax.Array, damping: jax.Array, temperature: jax.Array
) -> Generator:
    """What each bath adds to ``flat_langevin`` [M, 2N, 2N]."""
    baths = jax.vmap(lambda row, rate: flat_drift(row[None], rate[None]))(rows, damping)
    drift = symplectic(hessian) + jnp.sum(baths, axis=0)
    noise = _noise(rows)
    re, im = noise.real, noise.imag
    sums = _thermal_forces(drift, re, im, damping, temperature)
    half = sums[:, :, None, 0] * re[:, None, :] - sums[:, :, None, 1] * im[:, None, :]
    return Generator(baths, half + jnp.swapaxes(half, 1, 2))


def gibbs_covariance(hessian: jax.Array, temperature: jax.Array) -> jax.Array:
    """σ [2N, 2N] of exp(−H/T)/Z for a bounded H and a scalar T ≥ 0.

    The Matsubara sum T Σ_k sym (h + ν_k J)⁻¹, ν_k = 2πTk: free of eigenvectors, and so
    differentiable to any order where normal modes coincide.
    """
    return _thermal_covariance(hessian, temperature)


@bounded_memory
def _thermal_covariance(hessian: jax.Array, temperature: jax.Array) -> jax.Array:
    drift = symplectic(hessian)
    slowest, fastest = scales(drift)
    form = symplectic(jnp.eye(drift.shape[0], dtype=drift.dtype))
    # h + νJ = −J (A − ν)
    total = thermal_sum(partial(_resolvent(drift), form), temperature, slowest, fastest)
    return (total + total.T) / 2


def _resolvent(drift: jax.Array) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """(vectors [2N, k], ν) ↦ (A − ν)⁻¹ vectors, for the drift of a bounded H with flat baths.

    −J A is the hessian and something antisymmetric. With ω̄ above its eigenvalues (ω̄Jᵀ − ν)(A − ν)
    has a positive definite symmetric part, ν² + ω̄h and less, at every ν ≥ 0.
    """
    turned = -symplectic(drift)
    mean = jax.lax.stop_gradient(jnp.max(jnp.sum(jnp.abs(turned), axis=1)))
    one = jnp.eye(drift.shape[0], dtype=drift.dtype)
    form = symplectic(one)

    def resolved(vectors: jax.Array, nu: jax.Array) -> jax.Array:
        matrix = mean * (turned + nu * form) - nu * (drift - nu * one)
        return solve_accretive(matrix, -mean * symplectic(vectors) - nu * vectors)

    return resolved


def scales(drift: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A lower and an upper bound of the sizes of the eigenvalues of A, from row sums of A^(±2).

    Those of A itself would take a soft oscillator, ẋ = ωp and ṗ = −(ω − ε)x, for a fast one.
    """

    def norm(matrix: jax.Array) -> jax.Array:
        return jnp.sqrt(jnp.max(jnp.sum(jnp.abs(matrix @ matrix), axis=1)))

    drift = jax.lax.stop_gradient(drift)
    return 1 / norm(inverse(drift)), norm(drift)


def quadrature_rows(rows: jax.Array) -> jax.Array:
    """Rows of X and P [M, 2, 2N] with u_m·r = (X_m + iP_m)/√2."""
    return jnp.stack([rows.real, rows.imag], axis=1) * math.sqrt(2)


def complex_of(dtype: np.dtype) -> np.dtype:
    """The complex dtype of the same precision."""
    return np.result_type(dtype, np.complex64)


def _weighted(rates: jax.Array, rows: jax.Array) -> jax.Array:
    """Σ_k rate_k u_k* u_kᵀ [2N, 2N], Hermitian."""
    return (jnp.conj(rows) * rates.astype(rows.dtype)[:, None]).T @ rows
