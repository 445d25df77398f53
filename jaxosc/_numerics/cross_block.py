"""Aσ + σAᵀ + D = 0 for a network with a bath at every oscillator, as N² equations for X = ⟨xpᵀ⟩.

With the drift ẋ = Wp − γx, ṗ = −Vx − γp and r_jk = γ_j + γ_k the other blocks follow from X,

    r ∘ ⟨xxᵀ⟩ = WXᵀ + XW + D_xx,    r ∘ ⟨ppᵀ⟩ = D_pp − VX − XᵀV,

which leaves r ∘ X + ⟨xxᵀ⟩V − W⟨ppᵀ⟩ = D_xp. The populations of normal modes have no part in X:
their slow decay costs no digits here. Coherences of degenerate modes do, (ω/γ)² of them.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.linear import is_positive, is_small, solver_of, with_batch_last
from jaxosc._numerics.lyapunov import Begun
from jaxosc._numerics.small import blocks_of, interleave

_product = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


def by_cross_block(
    potential: jax.Array, kinetic: jax.Array, damping: jax.Array, source: jax.Array
) -> Begun:
    """What a symmetric source sustains, in the digits that one solution gives, and a solver.

    Args:
        potential: V [N, N], symmetric.
        kinetic: W [N, N], symmetric.
        damping: γ [N]; nothing is known where two of them, or one and itself, add up to zero.
        source: D [2N, 2N].
    """
    modes, dtype = damping.shape[0], damping.dtype
    rate = damping[:, None] + damping[None, :]
    made = _summed if is_small(modes**2) else _multiplied
    matrix = made(potential, kinetic, 1 / rate, rate)
    rescale = 1 / jnp.max(jnp.abs(matrix), axis=1)
    solve = solver_of(matrix * rescale[:, None])

    def force(source: jax.Array) -> jax.Array:
        xx, xp, pp = blocks_of(source)
        whole = xp - _product(xx / rate, potential) + _product(kinetic, pp / rate)
        return whole.reshape(-1) * rescale

    def state_of(source: jax.Array, solution: jax.Array) -> jax.Array:
        (xx, _, pp), x = blocks_of(source), solution.reshape(modes, modes)
        gain, loss = _product(x, kinetic), _product(potential, x)
        position, momentum = xx + (gain + gain.T), pp - (loss + loss.T)
        return interleave(position / rate, x, x.T, momentum / rate)

    def sustained(source: jax.Array) -> tuple[jax.Array, jax.Array]:
        return state_of(source, solve(force(source)[:, None])[:, 0]), left

    one = jnp.eye(2 * modes, dtype=dtype)
    probe = jnp.asarray(np.random.default_rng(0).choice([-1.0, 1.0], modes**2), dtype)
    columns = solve(jnp.stack([force(source), force(one), probe], axis=1))
    witness = state_of(one, columns[:, 1])
    decay = jnp.diag(damping)
    flow = _product(interleave(-decay, kinetic, -potential, -decay), witness)
    # What a source close to 1 sustains decides, by Lyapunov's theorem.
    error = jnp.max(jnp.sum(jnp.abs(one + flow + flow.T), axis=1))
    left = jnp.where(is_positive(witness), jnp.zeros((), dtype), jnp.inf)
    # What the rounding of the matrix makes of a solution, by the size of the inverse: what is lost
    # of a coherence of degenerate modes shows in no residual.
    rounding = float(np.finfo(dtype).eps)
    lost = rounding * modes**2 * jnp.max(jnp.abs(columns[:, 2]))
    left = jnp.where((error < 0.5) & (lost < 4 * rounding**0.5), left, 1)
    return Begun(sustained, state_of(source, columns[:, 0]), left)


def _of_batch(v: jax.Array, w: jax.Array, inverse: jax.Array, rate: jax.Array) -> jax.Array:
    """The matrix [N², N², batch] that X is multiplied with, from [N, N, batch] each; 1/r and r."""
    modes = len(v)

    def chain(left: list[jax.Array], right: list[jax.Array]) -> jax.Array:
        """Σ_m left_m right_m."""
        return functools.reduce(jnp.add, (left[m] * right[m] for m in range(modes)))

    # (W r_i⁻¹ V)_lj at [i, j, l] and (W r_j⁻¹ V)_ik at [i, j, k]
    weighted = [w[None, :, m] * inverse[:, None, m] for m in range(modes)]
    by_row = chain([x[:, None] for x in weighted], [v[None, m, :, None] for m in range(modes)])
    by_column = chain(
        [jnp.swapaxes(x, 0, 1)[:, :, None] for x in weighted],
        [v[None, None, m] for m in range(modes)],
    )
    one = jnp.asarray(np.eye(modes), v.dtype)
    by_column = by_column + rate[:, :, None] * one[:, None, :, None]
    both = inverse[:, None, :, None] + jnp.swapaxes(inverse, 0, 1)[None, :, None]
    total = w[:, None, None] * jnp.swapaxes(v, 0, 1)[None, :, :, None] * both
    total = total + one[:, None, :, None, None] * by_row[:, :, None]
    total = total + one[None, :, None, :, None] * by_column[:, :, :, None]
    return total.reshape(modes**2, modes**2, -1)


def _summed_alone(*arguments: jax.Array) -> jax.Array:
    return _of_batch(*(x[..., None] for x in arguments))[..., 0]


_summed = with_batch_last(_summed_alone, _of_batch)


def _multiplied(v: jax.Array, w: jax.Array, inverse: jax.Array, rate: jax.Array) -> jax.Array:
    """The same [N², N²] of one network, in products."""
    modes = len(v)
    one = jnp.eye(modes, dtype=v.dtype)
    by_row = jnp.swapaxes(_product(w[None] * inverse[:, None], v), 1, 2)
    by_column = _product(w[:, None] * inverse[None], v) + rate[:, :, None] * one[:, None]
    # Else they are computed anew for each of the N⁴ entries.
    barrier: Any = jax.lax.optimization_barrier
    by_row, by_column = barrier((by_row, by_column))
    both = inverse[:, None, :, None] + inverse.T[None, :, None]
    total = w[:, None, None] * v.T[None, :, :, None] * both
    total = total + one[:, None, :, None] * by_row[:, :, None]
    total = total + one[None, :, None] * by_column[..., None]
    return total.reshape(modes**2, modes**2)
