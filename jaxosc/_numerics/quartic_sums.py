"""Thermal sums of a reciprocal quartic, by the rules of ``matsubara_rules`` written out."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import export
from jax.custom_derivatives import SymbolicZero

from jaxosc._numerics.elementwise import elementwise
from jaxosc._numerics.matsubara_rules import RULES, GaussRule, cold_rule, hot_rule, rule_number
from jaxosc._numerics.sharing import reciprocal, sums_in_one_loop

# Points evaluated together: 124 nodes of 512 points are half a megabyte.
_BLOCK = 512


class QuarticSums(NamedTuple):
    """2T Σ_{k≥1} νᵖ/d(ν), ν = 2πTk, of a quartic d(ν), for p = 0, 1, 2."""

    zeroth: jax.Array
    first: jax.Array
    second: jax.Array


def quartic_sums(
    coefficients: tuple[jax.Array, jax.Array, jax.Array, jax.Array],
    temperature: jax.Array,
    slowest: jax.Array,
    fastest: jax.Array,
) -> QuarticSums:
    """The sums for d(ν) = c0 + c1 ν + c2 ν² + c3 ν³ + ν⁴, all arguments scalars.

    The rule is chosen once for a whole batch, by its coldest point.

    Args:
        coefficients: c0, c1, c2, c3.
        temperature: T ≥ 0.
        slowest: a lower estimate of the smallest |root| of d(ν).
        fastest: an upper bound of the largest |root| of d(ν).
    """
    slowest, fastest = jax.lax.stop_gradient((slowest, fastest))
    return QuarticSums(*_family(1, 3, 0)(*coefficients, temperature, slowest, fastest))


@functools.cache
def _family(power: int, count: int, heated: int) -> Callable[..., tuple[jax.Array, ...]]:
    """S_m = 2T Σ νᵐ/d(ν)^power for m below the count, differentiated by T so many times.

    ∂S_m/∂c_n is −power times the sum m + n of the next power: one member of the family has all
    derivatives of another by the coefficients, of any order.
    """

    def by_coldest(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        return _by_coldest(arguments, power, count)

    def whole(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        if not any(x.shape for x in arguments):
            return _at_point(arguments, power, count, heated)
        return _heated(by_coldest, heated)(*arguments)

    of_batch = elementwise(whole)

    @jax.custom_jvp
    def sums(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        return of_batch(*arguments)

    @partial(sums.defjvp, symbolic_zeros=True)
    def _jvp(
        primals: tuple[jax.Array, ...], tangents: tuple[jax.Array | SymbolicZero, ...]
    ) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
        values = sums(*primals)
        changes = [jnp.zeros_like(value) for value in values]
        *coefficients, temperature, _, _ = tangents
        moved = {n: x for n, x in enumerate(coefficients) if not isinstance(x, SymbolicZero)}
        if moved:
            higher = _family(power + 1, count + 3, heated)(*primals)
            for m in range(count):
                for n, tangent in moved.items():
                    changes[m] -= power * higher[m + n] * tangent
        if not isinstance(temperature, SymbolicZero):
            slopes = _family(power, count, heated + 1)(*primals)
            changes = [c + slope * temperature for c, slope in zip(changes, slopes, strict=True)]
        return values, tuple(changes)

    return sums


def _heated(
    function: Callable[..., tuple[jax.Array, ...]], times: int
) -> Callable[..., tuple[jax.Array, ...]]:
    """Its derivative by T, the argument 4, so many times."""
    if times == 0:
        return function
    below = _heated(function, times - 1)

    def slope(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        along = [jnp.zeros_like(x) for x in arguments]
        along[4] = jnp.ones_like(arguments[4])
        return jax.jvp(below, arguments, tuple(along))[1]

    return slope


def _by_coldest(arguments: tuple[jax.Array, ...], power: int, count: int) -> tuple[jax.Array, ...]:
    """2T Σ νᵐ/d(ν)^power for m below the count, by the rule that the coldest point needs."""
    *coefficients, temperature, _, fastest = arguments
    shape = jnp.broadcast_shapes(*(x.shape for x in arguments))
    # Points outside the domain, which will be NaN, have no say.
    coldest = jnp.min(jnp.where(temperature >= 0, temperature, jnp.inf))
    fastest_of_all = jnp.max(jnp.where(fastest > 0, fastest, 0))

    def hot(rule: GaussRule) -> tuple[jax.Array, ...]:
        return packed(_gauss_sums(rule, coefficients, temperature, power, count))

    def cold() -> tuple[jax.Array, ...]:
        flat = tuple(jnp.broadcast_to(x, shape).reshape(-1) for x in arguments)
        at_point = partial(_sums_at_any_temperature, power=power, count=count)
        return packed([total.reshape(shape) for total in _in_blocks(at_point, flat)])

    number = rule_number(coldest, fastest_of_all)
    chosen = jax.lax.switch(number, [*(partial(hot, rule) for rule in RULES), cold])
    return unpacked(chosen)


def _in_blocks(
    at_point: Callable[..., tuple[jax.Array, ...]], points: tuple[jax.Array, ...]
) -> Sequence[jax.Array]:
    """What a function gives at every point, in blocks that stay in a processor's cache."""
    size = points[0].size
    if not export.is_symbolic_dim(size):
        # Not too many blocks, for a GPU's sake
        return jax.lax.map(at_point, points, batch_size=max(_BLOCK, size // _BLOCK))
    # A program for any number of points: whole blocks, the last one filled with the last point
    index = jnp.minimum(jnp.arange((size + _BLOCK - 1) // _BLOCK * _BLOCK), size - 1)
    blocks = tuple(x[index].reshape(-1, _BLOCK) for x in points)
    return [total.reshape(-1)[:size] for total in jax.lax.map(jax.vmap(at_point), blocks)]


def packed(sums: Sequence[jax.Array]) -> tuple[jax.Array, ...]:
    """Two numbers in each complex array, and a last one by itself.

    XLA then computes both in one loop on the CPU, and the reciprocals they share stay in
    registers; as two real arrays those would pass through memory.
    """
    pairs = zip(sums[0::2], sums[1::2], strict=False)
    return (*(jax.lax.complex(x, y) for x, y in pairs), *sums[len(sums) // 2 * 2 :])


def unpacked(arrays: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    parts: list[jax.Array] = []
    for array in arrays:
        parts += [array.real, array.imag] if jnp.iscomplexobj(array) else [array]
    return tuple(parts)


def _gauss_sums(
    rule: GaussRule,
    coefficients: list[jax.Array],
    temperature: jax.Array,
    power: int,
    count: int,
) -> list[jax.Array]:
    """A Gauss rule written out term by term: one loop over a batch, and no array of nodes.

    In units of 2πT and divided by x⁴ the quartics lie between 1 and (1 + reach)⁴, for any T.
    """
    inverse = reciprocal(2 * math.pi * temperature)
    c0, c1, c2, c3 = (c * inverse ** (4 - n) for n, c in enumerate(coefficients))
    sums = [jnp.zeros_like(inverse * c0)] * count

    def quartic(u: float) -> jax.Array:
        value = 1 + u * (c3 + u * (c2 + u * (c1 + u * c0)))
        return value**power

    @jax.jit  # traced once for all nodes; XLA inlines it
    def add(
        sums: list[jax.Array], one: tuple[float, float], other: tuple[float, float]
    ) -> list[jax.Array]:
        # Two nodes in one fraction: half the divisions
        (u, weight), (v, other_weight) = one, other
        first, second = quartic(u), quartic(v)
        both = first * second
        totals = []
        for m in range(0, count, 2):
            here = sums[m : m + 2]
            # A division of its own for each pair of sums, or XLA would keep the reciprocal in
            # memory; for the last one of an odd number not that of the pairs
            inverse = 1 / both
            for n, total in enumerate(here, m):
                one_part = weight * u ** (4 * power - n)
                other_part = other_weight * v ** (4 * power - n)
                part = one_part * second + other_part * first
                totals.append(total + (part * inverse if len(here) == 2 else part / both))
        return totals

    nodes = list(zip((1 / rule.nodes).tolist(), rule.weights.tolist(), strict=True))
    for one, other in zip(nodes[0::2], nodes[1::2], strict=True):
        sums = add(sums, one, other)
    return [inverse ** (4 * power - 1 - m) / math.pi * total for m, total in enumerate(sums)]


def _sums_at_any_temperature(
    point: tuple[jax.Array, ...], power: int, count: int
) -> tuple[jax.Array, ...]:
    c0, c1, c2, c3, temperature, slowest, fastest = point
    # Hotter still, the sums vanish beside the term k = 0, and powers of T would overflow.
    temperature = jnp.minimum(temperature, 1e8 * fastest)
    nodes, weights = cold_rule(temperature, slowest, fastest)
    nodes, weights = nodes[1:], weights[1:]  # without k = 0
    quartic = c0 + nodes * (c1 + nodes * (c2 + nodes * (c3 + nodes)))
    return tuple(jnp.sum(weights * nodes**m / quartic**power) for m in range(count))


def _at_point(
    point: tuple[jax.Array, ...], power: int, count: int, heated: int
) -> tuple[jax.Array, ...]:
    """The same sums of a point outside every batch, with the nodes of its rule along an axis.

    To compile, a fortieth of the rules written out, of which each has a branch.
    """

    def terms(*arguments: jax.Array) -> tuple[jax.Array, ...]:
        c0, c1, c2, c3, temperature, slowest, fastest = arguments
        temperature = jnp.minimum(temperature, 1e8 * fastest)
        nodes, weights = _rule_of_point(temperature, slowest, fastest)
        # d(ν) in powers of ν over the larger of ν and the unit of frequency, which none overflows
        h = jax.lax.stop_gradient(1 / jnp.maximum(nodes, 1))
        x, hh = nodes * h, h * h
        quartic = c0 * hh * hh + x * (c1 * hh * h + x * (c2 * hh + x * (c3 * h + x)))
        term = weights * h ** (4 * power + 1 - count) / quartic**power
        # From the last power of h down to the first, so that each is a product of the one before
        scales = [jnp.ones_like(h)]
        for _ in range(count - 1):
            scales.append(scales[-1] * h)
        powers = [jnp.ones_like(x)]
        for _ in range(count - 1):
            powers.append(powers[-1] * x)
        return tuple(term * (a * b) for a, b in zip(powers, reversed(scales), strict=True))

    return sums_in_one_loop(*_heated(terms, heated)(*point))


def _rule_of_point(
    temperature: jax.Array, slowest: jax.Array, fastest: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The longest Gauss rule where it serves, else the cold one, as arrays of one length."""
    cold = tuple(x[1:] for x in cold_rule(temperature, slowest, fastest))
    gauss = tuple(x[1:] for x in hot_rule(RULES[-1], temperature))
    longer = len(cold[0]) - len(gauss[0])
    hot = jnp.pad(gauss[0], (0, longer), mode="edge"), jnp.pad(gauss[1], (0, longer))
    serves = rule_number(temperature, fastest) < len(RULES)
    nodes, weights = (jnp.where(serves, x, y) for x, y in zip(hot, cold, strict=True))
    return nodes, weights
