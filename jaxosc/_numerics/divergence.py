"""Relative entropy of Gaussian states.

Covariances V are [2N, 2N] in the order (x1, p1, x2, p2, …) with vacuum variance 1/2. A state is
exp(−½ rᵀ𝒢r)/Z. With V₂ = LLᵀ and the eigenvalues μ = ±ν of i LᵀJL (``frame``),

    𝒢₂ = L⁻ᵀ k(iLᵀJL) L⁻¹,        k(μ) = 2μ artanh(1/2μ),
    S(1‖2) = ½ Tr 𝒢₂(V₁ − V₂ + δδᵀ) − S(V₁) + S(V₂),        δ = ⟨r⟩₁ − ⟨r⟩₂,

all of it in the frame of the second, where the entropies of close states share their errors.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc._numerics.entropy import mode_entropy
from jaxosc._numerics.frame import frame_of, modes_of
from jaxosc._numerics.linear import cholesky, solve
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.uncertainty import is_determined, is_state

_Three = tuple[jax.Array, jax.Array, jax.Array]
_Pair = tuple[jax.Array, jax.Array]

# Quanta in a pure mode that are rounding, over what is lost: both states have some
_EMPTY = 16


def relative_entropy(first: jax.Array, second: jax.Array, shift: jax.Array) -> jax.Array:
    """S(1‖2) in nats by two covariances and the difference of the means."""
    sound = is_state(first) & is_state(second) & is_determined(first) & is_determined(second)
    return nan_unless(sound, _relative_entropy(first, second, shift))


@jax.custom_jvp
def _relative_entropy(first: jax.Array, second: jax.Array, shift: jax.Array) -> jax.Array:
    return _with_slope((first, second, shift), None)[0]


@_relative_entropy.defjvp
def _relative_entropy_jvp(primals: _Three, tangents: _Three) -> _Pair:
    return _with_slope(primals, tangents)


def _with_slope(primals: _Three, tangents: _Three | None) -> _Pair:
    """The relative entropy and its change.

    Changes of the purity of pure modes of the first are left out.
    """
    first, second, shift = primals
    frame = frame_of(second)
    inverse_nu, vectors = modes_of(frame.form)
    weight, pure = _gibbs(inverse_nu, frame.lost)
    excess = frame.change(first - second)
    moved = frame.inward @ shift
    more = excess + moved[:, None] * moved[None, :]
    there = _seen(vectors, more)
    outside = pure & (jnp.diag(there).real > _EMPTY * frame.lost)
    energy = jnp.sum(weight * jnp.diag(there).real) / 2

    lower = cholesky(jnp.eye(len(excess), dtype=excess.dtype) + excess)
    form = solve(lower, solve(lower, frame.form).T).T
    inverse_nu_first, vectors_first = modes_of((form - form.T) / 2)
    modes = len(excess) // 2
    nu, nu_first = 1 / inverse_nu[modes:], 1 / inverse_nu_first[modes:]
    value = energy + jnp.sum(mode_entropy(nu) - mode_entropy(nu_first))
    value = jnp.where(jnp.any(outside), jnp.inf, jnp.maximum(value, 0))
    if tangents is None:
        return value, value

    by_first, by_second = (frame.change(tangent) for tangent in tangents[:2])
    weight_first, _ = _gibbs(inverse_nu_first, frame.lost)
    inside = _seen(vectors_first, solve(lower, solve(lower, by_first).T))
    moving = frame.inward @ tangents[2]
    gained = by_first + 2 * moving[:, None] * moved[None, :]
    slope = jnp.sum(weight * jnp.diag(_seen(vectors, gained)).real)
    slope -= jnp.sum(weight_first * jnp.diag(inside).real)
    kept = jnp.where(pure[:, None] | pure[None, :], 0, _slopes(inverse_nu))
    slope += jnp.sum(kept * (_seen(vectors, by_second) * there.T).real)
    return value, slope / 2


def _seen(vectors: jax.Array, matrix: jax.Array) -> jax.Array:
    return jnp.conj(vectors.T) @ matrix.astype(vectors.dtype) @ vectors


def _gibbs(inverse_nu: jax.Array, lost: jax.Array) -> _Pair:
    """k(1/w), zero for pure modes, and which are pure."""
    w = jnp.abs(inverse_nu)
    pure = (1 - w * w / 4) <= lost
    safe = jnp.where(pure, 1, w)
    return jnp.where(pure, 0, jnp.log((2 + safe) / (2 - safe)) / safe), pure


def _slopes(inverse_nu: jax.Array) -> jax.Array:
    """μ_a μ_b g[μ_a, μ_b], the divided difference of g(μ) = 2 artanh(1/2μ), at μ = 1/w.

    g(μ_a) − g(μ_b) = −2 artanh z, z = (w_b − w_a)/(2 − w_a w_b/2).
    """
    a, b = inverse_nu[:, None], inverse_nu[None, :]
    rest = 1 - a * b / 4
    z = (b - a) / (2 * rest)
    small = jnp.abs(z) < 1e-3
    safe = jnp.where(small, 0.5, jnp.clip(z, -1, 1))
    ratio = jnp.where(small, 1 + z * z / 3 + z**4 / 5, jnp.arctanh(safe) / safe)
    return -ratio / rest
