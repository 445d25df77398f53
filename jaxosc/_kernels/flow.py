"""Exact flow of first and second moments over any times, without a step size or eigenvectors.

    ṙ = Ar + f + ζ,  ⟨ζζᵀ⟩ = D:   Φ(t) = e^{At},   Q(t) = ∫₀ᵗ e^{As} D e^{Aᵀs} ds,
    v(t) = ∫₀ᵗ e^{As} f ds.

From their Taylor series at a step h with ‖A‖h < 2⁻⁹ so many doublings lead to any time,

    Φ(2h) = Φ², Q(2h) = Q + ΦQΦᵀ, v(2h) = v + Φv.

All times of a network share them: t/h is written with the base 16, the flows over its digits are
taken from tables of 16, and what is left of a step from the series.

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
from jaxosc._numerics.small import product_of_many
from jaxosc._numerics.special import power_of_two

# ‖A‖h. The terms of the series below then leave 2⁻⁷⁵ of Φ and 2⁻⁶⁰ of Q and v.
_START = 2.0**-9
_TERMS = 7
# Doublings a digit, and digits at most: ‖A‖t up to 2¹⁰⁰ 2⁻⁹ = 2e27
_DOUBLINGS = 4
_DIGITS = 25
# Where all of Φ is smaller than that, Φ is kept in place of Φ − 1.
_DECAYED = 0.25

_product = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


class Flow(NamedTuple):
    """Φ [K, n, n], Q [K, n, n] and v [K, n]."""

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


def flow(drift: jax.Array, diffusion: jax.Array, force: jax.Array, times: jax.Array) -> Flow:
    """For A [n, n], a symmetric D [n, n], f [n] and times t ≥ 0 [K], each with the K in front.

    Derivatives exist by all of them. NaN where ‖A‖t is beyond 2e27, or a number overflows.
    """
    size = len(force)
    packed = _flow(drift, diffusion, force, times)
    return Flow(packed[..., :size], packed[..., size:-1], packed[..., -1])


def evolved(moved: Flow, covariance: jax.Array, mean: jax.Array) -> tuple[jax.Array, jax.Array]:
    """σ(t) [K, n, n] and ⟨r(t)⟩ [K, n] from those at t = 0."""
    onward = jnp.moveaxis(moved.propagator, 0, 2)
    half = product_of_many(onward, covariance[:, :, None])
    image = jnp.moveaxis(product_of_many(half, jnp.swapaxes(onward, 0, 1)), 2, 0)
    means = jnp.sum(moved.propagator * mean[None, None, :], axis=2) + moved.shift
    return (image + jnp.swapaxes(image, 1, 2)) / 2 + moved.noise, means


@bounded_memory
def _flow(drift: jax.Array, diffusion: jax.Array, force: jax.Array, times: jax.Array) -> jax.Array:
    norm = jnp.max(jnp.sum(jnp.abs(jax.lax.stop_gradient(drift)), axis=1))
    step = _START / power_of_two(norm)  # a power of two: t/h is exact
    elapsed = times / step
    whole = jnp.floor(jax.lax.stop_gradient(elapsed))
    start, rest = _series(step * drift, step * diffusion, step * force, elapsed - whole)
    base = 2.0**_DOUBLINGS

    # In reverse every step is computed again, the choice with it.
    @partial(jax.checkpoint, prevent_cse=False)
    def advance(unit: jax.Array, state: _State, flows: Flow) -> tuple[_State, Flow]:
        digit = jnp.floor(whole / unit)

        def go_on() -> tuple[_State, Flow]:
            place = (digit - base * jnp.floor(digit / base)).astype(jnp.int32)
            chosen = jax.tree.map(lambda x: x[..., place], _multiples(state))
            further = jax.lax.scan(lambda x, _: (_doubled(x), None), state, length=_DOUBLINGS)[0]
            return further, _joined(flows, chosen)

        return jax.lax.cond(any_of_all(jnp.any(digit > 0)), go_on, lambda: (state, flows))

    def add(carry: tuple[_State, Flow], unit: jax.Array) -> tuple[tuple[_State, Flow], None]:
        return advance(unit, *carry), None

    units = jnp.asarray(base ** np.arange(_DIGITS), drift.dtype)
    found = jax.lax.scan(add, (start, rest), units)[0][1]
    within = (whole < base**_DIGITS) & (whole >= 0)
    packed = jnp.concatenate([found.propagator, found.noise, found.shift], axis=1)
    packed = packed * jnp.where(within, jnp.ones((), drift.dtype), jnp.nan)[None, None, :]
    return jnp.moveaxis(packed, 2, 0)


def _joined(first: Flow, second: Flow) -> Flow:
    """Over one time after the other, K of each as the last axis; v [n, 1, K]."""
    onward = second.propagator
    image = product_of_many(product_of_many(onward, first.noise), jnp.swapaxes(onward, 0, 1))
    return Flow(
        product_of_many(onward, first.propagator),
        second.noise + (image + jnp.swapaxes(image, 0, 1)) / 2,
        second.shift + product_of_many(onward, first.shift),
    )


def _multiples(state: _State) -> Flow:
    """Over no, one, … and fifteen times the time of a state."""
    unit = jnp.eye(len(state.shift), dtype=state.leading.dtype)
    once = (state.one * unit + state.leading, state.noise, state.shift[:, None])
    flows = Flow(*(x[:, :, None] for x in once))
    none = Flow(unit[:, :, None], *(jnp.zeros_like(x) for x in flows[1:]))

    def add(total: Flow, _: None) -> tuple[Flow, Flow]:
        return _joined(total, flows), total

    # One after the other: to write the joins out takes three times as long to compile.
    totals = jax.lax.scan(add, none, length=2**_DOUBLINGS)[1]
    return jax.tree.map(lambda x: jnp.moveaxis(x[..., 0], 0, -1), totals)


def _series(
    drift: jax.Array, diffusion: jax.Array, force: jax.Array, parts: jax.Array
) -> tuple[_State, Flow]:
    """Taylor series of hA, hD, hf at h, and at parts of it [K]."""
    square, rest = _square(drift, jnp.zeros_like(drift))

    def add(carry: Any, order: jax.Array) -> tuple[Any, Any]:
        power, term, moved = carry
        half = _product(drift, term)
        term = (half + half.T) / order
        moved = _product(drift, moved) / order
        return (_product(power, drift) / (order + 1), term, moved), (power, term, moved)

    first = (drift, diffusion, force)
    orders = jnp.arange(2, _TERMS + 1, dtype=drift.dtype)
    terms = jax.lax.scan(add, ((square + rest) / 2, diffusion, force), orders)[1]
    terms = jax.tree.map(lambda x, y: jnp.concatenate([x[None], y]), first, terms)
    higher = jnp.sum(terms[0][2:], axis=0)
    noise, shift = (jnp.sum(x, axis=0) for x in terms[1:])
    leading, rest = _sum(drift, square / 2, rest / 2 + higher)
    state = _State(jnp.ones((), drift.dtype), leading, rest, noise, shift)

    powers = jnp.cumprod(jnp.broadcast_to(parts[:, None], (len(parts), _TERMS)), axis=1)
    columns = (terms[0], terms[1], terms[2][:, :, None])
    change, *others = (jnp.tensordot(x, powers, ((0,), (1,)), precision="highest") for x in columns)
    unit = jnp.eye(len(force), dtype=drift.dtype)
    return state, Flow(unit[:, :, None] + change, *others)


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
