"""Normal modes of any bounded quadratic Hamiltonian, and the derivatives of what is made of them.

H = Σ_jk A_jk a_j†a_k + ½ Σ_jk (B_jk a_j†a_k† + h.c.), A Hermitian and B symmetric, is diagonalised
by a_j = Σ_k U_jk c_k + V_jk c_k†. As for real networks (``_numerics/bogoliubov.py``), modes that an
eigensolver found are diagonalised again inside groups of near frequencies, with the mean frequency
of the group set apart; modes of one frequency are returned as a group, and derivatives are taken
with the group held together.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc._kernels.dense import complex_of
from jaxosc._numerics.bogoliubov import Frame, differentiable, refined
from jaxosc._numerics.linear import one_at_a_time
from jaxosc._numerics.small import blocks_of, symplectic


def normal_frame(hessian: jax.Array) -> Frame:
    """The normal modes of H = ½ rᵀhr; meaningless where it is not bounded below."""
    # The derivatives are those of what follows
    frame = _diagonalised(jax.lax.stop_gradient(hessian))
    u, v, energy = differentiable(frame, *_couplings(hessian))
    return frame._replace(u=u, v=v, energy=energy)


def _couplings(hessian: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A and B, complex [N, N]."""
    xx, xp, pp = blocks_of(hessian)
    number = jax.lax.complex((xx + pp) / 2, (xp.T - xp) / 2)
    return number, jax.lax.complex((xx - pp) / 2, (xp + xp.T) / 2)


@one_at_a_time
def _diagonalised(hessian: jax.Array) -> Frame:
    """The values alone."""
    kind = complex_of(hessian.dtype)
    modes = hessian.shape[0] // 2
    # With h = SSᵀ the eigenvalues of iSᵀJS are ±Ω, and iJSu/√Ω is the shape of a mode.
    root = jnp.linalg.cholesky(hessian)
    turned = symplectic(root)
    form = root.T @ turned
    omega, vectors = jnp.linalg.eigh(1j * ((form - form.T) / 2).astype(kind))
    omega, vectors = omega[modes:], vectors[:, modes:]
    shape = 1j * (turned.astype(kind) @ vectors) * jax.lax.rsqrt(2 * omega).astype(kind)[None, :]
    x, p = shape[0::2], shape[1::2]
    u, v = x + 1j * p, jnp.conj(x - 1j * p)
    return refined(u, v, omega, *_couplings(hessian))


def shape_of(frame: Frame) -> jax.Array:
    """F [2N, N] of r = Fc + F*c†, order (x1, p1, x2, p2, …)."""
    x, p = frame.u + jnp.conj(frame.v), -1j * (frame.u - jnp.conj(frame.v))
    return jnp.stack([x, p], axis=1).reshape(-1, x.shape[1]) * 0.5**0.5
