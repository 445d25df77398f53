"""Exact flow of first and second moments over any time, without a step size or eigenvectors.

    ṙ = Ar + f + ζ,  ⟨ζζᵀ⟩ = D:   Φ(t) = e^{At},   Q(t) = ∫₀ᵗ e^{As} D e^{Aᵀs} ds,
    v(t) = ∫₀ᵗ e^{As} f ds,

from their Taylor series at a step h with ‖A‖h < 2⁻⁹ and so many doublings,

    Φ(2h) = Φ², Q(2h) = Q + ΦQΦᵀ, v(2h) = v + Φv.

No steady state enters: nothing cancels at early times, and there need not be one. Of Φ the
difference from 1 is kept, as long as a motion lasts, in two numbers an entry: rounded to one, after
2ᵏ steps a rate would be wrong by ε times the fastest frequency, and not by ε of itself.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.linear import any_of_all, bounded_memory
from jaxosc._numerics.special import power_of_two

# ‖A‖h at the start. The terms of the series below then leave 2⁻⁷⁵ of Φ and 2⁻⁶⁰ of Q and v.
_START = 2.0**-9
_TERMS = 7
# Doublings at most: ‖A‖t up to 2⁹⁹ 2⁻⁹ = 1e27
_DOUBLINGS = 99
# Where all of Φ is smaller than that, Φ is kept in place of Φ − 1.
_DECAYED = 0.25

_product = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


class Flow(NamedTuple):
    """Φ [n, n], Q [n, n] and v [n]."""

    propagator: jax.Array
    noise: jax.Array
    shift: jax.Array


class _State(NamedTuple):
    """X = Φ − c with c = 1 or 0, as a number and the rest of it; Q and v."""

    one: jax.Array
    leading: jax.Array
    rest: jax.Array
    noise: jax.Array
    shift: jax.Array


def flow(drift: jax.Array, diffusion: jax.Array, force: jax.Array, time: jax.Array) -> Flow:
    """For A [n, n], a symmetric D [n, n], f [n] and one time t ≥ 0.

    Derivatives exist by all of them. NaN where ‖A‖t is beyond 1e27, or a number overflows.
    """
    size = len(force)
    packed = _flow(drift, diffusion, force, time)
    return Flow(packed[:, :size], packed[:, size:-1], packed[:, -1])


@bounded_memory
def _flow(drift: jax.Array, diffusion: jax.Array, force: jax.Array, time: jax.Array) -> jax.Array:
    known, elapsed = jax.lax.stop_gradient((drift, time))
    norm = jnp.max(jnp.sum(jnp.abs(known), axis=1))
    steps = norm * elapsed / _START
    doublings = jnp.where(steps > 0, jnp.maximum(power_of_two(steps), 1), 1)
    within = (steps < 2.0**_DOUBLINGS) & (elapsed >= 0)
    start = _series(drift, diffusion, force, time / doublings)

    # In reverse every step is computed again, the choice with it.
    @partial(jax.checkpoint, prevent_cse=False)
    def advance(place: jax.Array, state: _State) -> _State:
        lasting = 2.0**place < doublings

        def go_on() -> _State:
            return jax.tree.map(partial(jnp.where, lasting), _doubled(state), state)

        return jax.lax.cond(any_of_all(lasting), go_on, lambda: state)

    def step(state: _State, place: jax.Array) -> tuple[_State, None]:
        return advance(place, state), None

    places = jnp.arange(_DOUBLINGS, dtype=drift.dtype)
    end = jax.lax.scan(step, start, places)[0]
    unit = jnp.eye(len(force), dtype=drift.dtype)
    propagator = end.one * unit + end.leading
    packed = jnp.concatenate([propagator, end.noise, end.shift[:, None]], axis=1)
    return packed * jnp.where(within, jnp.ones((), drift.dtype), jnp.nan)


def _series(drift: jax.Array, diffusion: jax.Array, force: jax.Array, time: jax.Array) -> _State:
    """Taylor series in the time."""
    step = time * drift
    square, rest = _square(step, jnp.zeros_like(step))
    first = (time * diffusion, time * force)

    def add(carry: Any, order: jax.Array) -> tuple[Any, None]:
        power, higher, term, noise, moved, shift = carry
        power = _product(power, step) / (order + 1)
        half = _product(step, term)
        term = (half + half.T) / order
        moved = _product(step, moved) / order
        return (power, higher + power, term, noise + term, moved, shift + moved), None

    half = (square + rest) / 2
    start = (half, jnp.zeros_like(half), first[0], first[0], first[1], first[1])
    orders = jnp.arange(2, _TERMS + 1, dtype=drift.dtype)
    _, higher, _, noise, _, shift = jax.lax.scan(add, start, orders)[0]
    leading, rest = _sum(step, square / 2, rest / 2 + higher)
    return _State(jnp.ones((), drift.dtype), leading, rest, noise, shift)


def _doubled(state: _State) -> _State:
    """After twice the time."""
    one = state.one * jnp.eye(len(state.shift), dtype=state.leading.dtype)
    propagator = one + state.leading
    image = _product(_product(propagator, state.noise), propagator.T)
    noise = state.noise + (image + image.T) / 2
    shift = state.shift + _product(propagator, state.shift)

    leading, rest = _doubled_propagator(state.one, state.leading, state.rest)
    whole = one + leading + rest
    decayed = (state.one > 0) & jnp.all(jnp.abs(jax.lax.stop_gradient(whole)) < _DECAYED)
    return _State(
        jnp.where(decayed, 0, state.one),
        jnp.where(decayed, whole, leading),
        jnp.where(decayed, 0, rest),
        noise,
        shift,
    )


@jax.custom_jvp
def _doubled_propagator(
    one: jax.Array, leading: jax.Array, rest: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """(c + X)² − c = 2cX + X², in two numbers an entry."""
    square, small = _square(leading, rest)
    return _sum(2 * one * leading, square, small + 2 * one * rest)


@_doubled_propagator.defjvp
def _doubled_propagator_jvp(
    primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]
) -> tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]:
    one, leading, _ = primals
    value = _doubled_propagator(*primals)
    change = tangents[1] + tangents[2]
    slope = 2 * one * change + _product(leading, change) + _product(change, leading)
    return value, (slope, jnp.zeros_like(slope))


@jax.custom_jvp
def _square(leading: jax.Array, rest: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The square of X, its second part smaller by half of the digits.

    Rows of the left factor and columns of the right one are cut into two slices, of so few bits
    that products of the leading ones are exact (Ozaki's scheme).
    """
    left = _leading_bits(leading)
    right = _leading_bits(leading.T).T
    small = _product(left, leading - right) + _product(leading - left, leading)
    return _product(left, right), small + _product(leading, rest) + _product(rest, leading)


@_square.defjvp
def _square_jvp(
    primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]
) -> tuple[tuple[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]:
    leading, _ = primals
    change = tangents[0] + tangents[1]
    slope = _product(leading, change) + _product(change, leading)
    return _square(*primals), (slope, jnp.zeros_like(slope))


def _leading_bits(matrix: jax.Array) -> jax.Array:
    """Each row [m, n] to one place for all of it."""
    bits = (int(np.finfo(matrix.dtype).nmant) + 1 - int(np.ceil(np.log2(matrix.shape[1])))) // 2
    largest = jnp.max(jnp.abs(matrix), axis=1)
    place = jax.vmap(power_of_two)(largest)[:, None] * 2.0**-bits
    return jnp.round(matrix * (1 / place)) * place


def _sum(first: jax.Array, second: jax.Array, small: jax.Array) -> tuple[jax.Array, jax.Array]:
    """X + y + z as a number and what its rounding leaves, z far smaller (Knuth's two-sum)."""
    total = first + second
    other = total - first
    left = (first - (total - other)) + (second - other) + small
    leading = total + left
    return leading, left - (leading - total)
