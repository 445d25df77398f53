"""Fisher information of Gaussian states and of Gaussian outcomes.

Covariances are [2N, 2N] in the order (x1, p1, x2, p2, …) with vacuum variance 1/2, their
derivatives by P parameters [P, 2N, 2N], those of means [P, 2N].

The symmetric logarithmic derivative of a family of states has the quadratic part rᵀΨr with
dσ = σΨσ + JΨJ/4. Where σ is the unit matrix (``frame``) that is E = X + WXW/4, and with the
eigenvectors of iW, of eigenvalues w = ±1/ν,

    ½ Tr Ψ dσ = ½ Σ_ab |E_ab|²/(1 − w_a w_b/4).

A pair of pure modes has w_a w_b = 4 and E_ab = 0: purity cannot change in first order. It is left
out, as the logarithmic derivative is free there. The operator is solved for, not its eigenvectors
differentiated, so that derivatives are sound where symplectic eigenvalues coincide.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc._numerics.frame import frame_of, inverse_factor, modes_of
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.uncertainty import is_determined, is_state

# Changes of purity that are rounding, over what is lost: 0.03 at most, of ground states down to
# 1 − λ/λ_c = 1e-10; a dσ may come from a longer computation.
_CHANGE = 16


def quantum_fisher(covariance: jax.Array, change: jax.Array, shift: jax.Array) -> jax.Array:
    """The matrix [P, P] of a state and its derivatives by P parameters."""
    frame = frame_of(covariance)
    inner = frame.change(change)
    fixed = jax.lax.stop_gradient(frame)
    eigenvalues, vectors = modes_of(fixed.form)
    rest = 1 - eigenvalues[:, None] * eigenvalues[None, :] / 4
    mixed = rest > fixed.lost
    weight = jnp.where(mixed, 1 / jnp.where(mixed, rest, 1), 0)
    dagger = jnp.conj(vectors.T)

    def operator(x: jax.Array) -> jax.Array:
        return x + frame.form @ x @ frame.form / 4

    def solved(_: object, right: jax.Array) -> jax.Array:
        there = dagger @ right.astype(vectors.dtype) @ vectors
        return (vectors @ (weight.astype(there.dtype)[None] * there) @ dagger).real

    logarithmic = jax.lax.custom_linear_solve(operator, inner, solved, symmetric=True)
    along = shift @ frame.inward.T
    information = jnp.einsum("pij,qij->pq", inner, logarithmic) / 2 + along @ along.T

    there = jnp.abs(dagger @ jax.lax.stop_gradient(inner).astype(vectors.dtype) @ vectors)
    purified = jnp.max(jnp.where(mixed[None], 0, there), axis=(1, 2))
    size = jnp.sqrt(jnp.sum(there * there, axis=(1, 2)))
    known = purified <= _CHANGE * fixed.lost * size
    sound = is_state(covariance) & is_determined(covariance)
    return nan_unless(sound & known[:, None] & known[None, :], (information + information.T) / 2)


def classical_fisher(covariance: jax.Array, change: jax.Array, shift: jax.Array) -> jax.Array:
    """The matrix [P, P] of Gaussian outcomes with a covariance [K, K] and a mean, by parameters."""
    inverse, scale = inverse_factor(covariance)
    inward = inverse * scale[None, :]
    inner = inward @ change @ inward.T
    along = shift @ inward.T
    return jnp.einsum("pij,qij->pq", inner, inner) / 2 + along @ along.T
