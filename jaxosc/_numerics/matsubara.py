"""Thermal sums T Σ_k f(2πTk) over all integers k, for f even in k, as short weighted sums.

The expansion ½coth(ν/2T) = T Σ_k ν/(ν² + (2πTk)²) turns every thermal integral of a
linear system into the sum

    S(T) = T f(0) + 2T Σ_{k≥1} f(2πTk),        S(0) = (1/π) ∫_0^∞ f(ν) dν,

where f is a rational function of ν whose poles −γ ± iΩ lie between the slowest and the
fastest scale of the system. Summing term by term takes millions of terms; the rules below
take 8 or 24 (hot) or 124 (cold), cost no logarithm and can be differentiated as they stand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import export
from jax.custom_batching import custom_vmap
from jax.custom_derivatives import SymbolicZero

from jaxosc._numerics.elementwise import elementwise
from jaxosc._numerics.sharing import reciprocal


class _GaussRule(NamedTuple):
    """Σ_{k≥1} f(2πTk) ≈ Σ weights f(2πT nodes) while no pole of f is beyond 2πT reach."""

    reach: float
    nodes: np.ndarray
    weights: np.ndarray


# Σ_{k≥1} k⁻² δ(u − 1/k) is a discrete measure with moments ζ(2), ζ(3), …; these are its Gauss
# rules with 8 and 24 points, as nodes x = 1/u and weights w/u². The first nodes are the
# Matsubara indices themselves. Relative errors of coth: below 1e-15 up to the reach, and some
# two decades more for each quarter beyond.
_RULES = (
    _GaussRule(
        1.0,
        np.array([
            1.0000000000000606, 2.000000191528513, 3.0006455013374707, 4.061077436125968,
            5.72544090683767, 9.619089305148629, 22.143665162577015, 112.64807847172399,
        ]),
        np.array([
            1.000000000001307, 1.000002027815982, 1.003920710837195, 1.1995429050590642,
            2.3699108609586785, 6.185644848490122, 24.005486892339636, 286.74081505215065,
        ]),
    ),
    _GaussRule(
        20.0,
        np.array([
            1.0, 2.0, 3.0, 4.0, 5.0, 6.000000000000001, 7.000000000004131, 8.000000005572117,
            9.000002018364219, 10.000223665193271, 11.007865844620335, 12.090776117184754,
            13.437428869522833, 15.254580260254192, 17.746037795196017, 21.213824273298467,
            26.172123581282268, 33.54922898273921, 45.15076102377213, 64.86947160798123,
            102.41143591959153, 187.92840327080032, 458.1519555681691, 2403.2373836459346,
        ]),
        np.array([
            1.0, 1.0, 1.0, 1.0, 1.0, 1.0000000000000062, 1.0000000000327702, 1.0000000363289971,
            1.0000106698756122, 1.0009247998179354, 1.0234812524921002, 1.176976774212266,
            1.5507647561428026, 2.1155437482405324, 2.916052136123581, 4.102186394288545,
            5.962310066651159, 9.07570891381737, 14.726562666145465, 26.15379571934504,
            53.13103461763712, 134.3698223282471, 516.5887083809578, 6161.052474820191,
        ]),
    ),
)  # fmt: skip

# Colder than that: the first terms one by one, the rest as an integral from 2πT(K + ½).
# The antisymmetric correction about K + ½ reproduces the Euler-Maclaurin series through
# order 15; with K = 16 the digamma function comes out to 1.4e-15 on the right half-plane.
_EXACT_TERMS = 16
_END_CORRECTION = np.array([
    0.05984979299564494, -0.00855555593504448, 0.00202784677685052, -0.00048559573118554924,
    9.934977992661571e-05, -1.546661444853505e-05, 1.5892000897396522e-06,
    -7.981009139050703e-08,
])  # fmt: skip
_MATSUBARA_INDEX = np.arange(1.0, _EXACT_TERMS + len(_END_CORRECTION) + 1)
_MATSUBARA_WEIGHTS = np.concatenate([
    np.ones(_EXACT_TERMS - len(_END_CORRECTION)),
    1.0 - _END_CORRECTION[::-1],
    _END_CORRECTION,
])  # fmt: skip
# Points evaluated together: 124 nodes of 512 points are half a megabyte.
_BLOCK = 512
# Gauss-Legendre panels of the integral: linear below the slowest scale, logarithmic
# between the scales, reciprocal above the fastest. 72 logarithmic nodes keep 1e-14 over
# five decades between the two scales.
_LOW, _MIDDLE, _HIGH = (np.polynomial.legendre.leggauss(n) for n in (14, 72, 14))


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
    return QuarticSums(*_quartic_sums(*coefficients, temperature, slowest, fastest))


@jax.custom_jvp
def _quartic_sums(*arguments: jax.Array) -> tuple[jax.Array, ...]:
    return elementwise(_sums)(*arguments)


@partial(_quartic_sums.defjvp, symbolic_zeros=True)
def _quartic_sums_jvp(
    primals: tuple[jax.Array, ...], tangents: tuple[jax.Array | SymbolicZero, ...]
) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
    """∂S_p/∂c_n = −R_{p+n} with R_m = 2T Σ νᵐ/d(ν)²: six sums for all twelve derivatives."""
    values = _quartic_sums(*primals)
    changes = [jnp.zeros_like(value) for value in values]
    *coefficients, temperature, _, _ = tangents
    moved = {n: x for n, x in enumerate(coefficients) if not isinstance(x, SymbolicZero)}
    if moved:
        squares = elementwise(_square_sums)(*primals)
        for order in range(3):
            for n, tangent in moved.items():
                changes[order] -= squares[order + n] * tangent
    if not isinstance(temperature, SymbolicZero):
        slopes = elementwise(_temperature_slopes)(*primals)
        changes = [c + slope * temperature for c, slope in zip(changes, slopes, strict=True)]
    return values, tuple(changes)


def _temperature_slopes(*arguments: jax.Array) -> tuple[jax.Array, ...]:
    along = [jnp.zeros_like(x) for x in arguments]
    along[4] = jnp.ones_like(arguments[4])
    return jax.jvp(_sums, arguments, tuple(along))[1]


def _sums(*arguments: jax.Array) -> tuple[jax.Array, ...]:
    """S_0, S_1, S_2."""
    return _by_coldest(arguments, power=1, count=3)


def _square_sums(*arguments: jax.Array) -> tuple[jax.Array, ...]:
    """R_0 … R_5."""
    return _by_coldest(arguments, power=2, count=6)


def _by_coldest(arguments: tuple[jax.Array, ...], power: int, count: int) -> tuple[jax.Array, ...]:
    """2T Σ νᵐ/d(ν)^power for m below the count, by the rule that the coldest point needs."""
    *coefficients, temperature, _, fastest = arguments
    shape = jnp.broadcast_shapes(*(x.shape for x in arguments))
    # Points outside the domain, which will be NaN, have no say.
    coldest = jnp.min(jnp.where(temperature >= 0, temperature, jnp.inf))
    fastest_of_all = jnp.max(jnp.where(fastest > 0, fastest, 0))

    def hot(rule: _GaussRule) -> tuple[jax.Array, ...]:
        return _packed(_gauss_sums(rule, coefficients, temperature, power, count))

    def cold() -> tuple[jax.Array, ...]:
        flat = tuple(jnp.broadcast_to(x, shape).reshape(-1) for x in arguments)
        at_point = partial(_sums_at_any_temperature, power=power, count=count)
        return _packed([total.reshape(shape) for total in _in_blocks(at_point, flat)])

    number = _rule_number(coldest, fastest_of_all)
    packed = jax.lax.switch(number, [*(partial(hot, rule) for rule in _RULES), cold])
    return _unpacked(packed)


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


def _packed(sums: list[jax.Array]) -> tuple[jax.Array, ...]:
    """Two sums in each complex array, and a last one by itself.

    XLA then computes both in one loop on the CPU, and the reciprocals they share stay in
    registers; as two real arrays those would pass through memory.
    """
    pairs = zip(sums[0::2], sums[1::2], strict=False)
    return (*(jax.lax.complex(x, y) for x, y in pairs), *sums[len(sums) // 2 * 2 :])


def _unpacked(packed: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    parts: list[jax.Array] = []
    for array in packed:
        parts += [array.real, array.imag] if jnp.iscomplexobj(array) else [array]
    return tuple(parts)


def _gauss_sums(
    rule: _GaussRule,
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

    @jax.jit  # traced once for all nodes; XLA inlines it
    def add(sums: list[jax.Array], x: float, weight: float) -> list[jax.Array]:
        u = 1 / x
        quartic = 1 + u * (c3 + u * (c2 + u * (c1 + u * c0)))
        terms = []
        for m in range(0, count, 2):
            # A division of its own for each pair, or XLA would keep the reciprocal in memory
            term = weight * u ** (4 * power - m) / (quartic if power == 1 else quartic * quartic)
            terms += [term, x * term]
        return [total + term for total, term in zip(sums, terms, strict=False)]

    for x, weight in zip(rule.nodes.tolist(), rule.weights.tolist(), strict=True):
        sums = add(sums, x, weight)
    return [inverse ** (4 * power - 1 - m) / math.pi * total for m, total in enumerate(sums)]


def _sums_at_any_temperature(
    point: tuple[jax.Array, ...], power: int, count: int
) -> tuple[jax.Array, ...]:
    c0, c1, c2, c3, temperature, slowest, fastest = point
    # Hotter still, the sums vanish beside the term k = 0, and powers of T would overflow.
    temperature = jnp.minimum(temperature, 1e8 * fastest)
    nodes, weights = _cold_rule(temperature, slowest, fastest)
    nodes, weights = nodes[1:], weights[1:]  # without k = 0
    quartic = c0 + nodes * (c1 + nodes * (c2 + nodes * (c3 + nodes)))
    return tuple(jnp.sum(weights * nodes**m / quartic**power) for m in range(count))


def thermal_sum(
    function: Callable[[jax.Array], Any],
    temperature: jax.Array,
    slowest: jax.Array,
    fastest: jax.Array,
) -> Any:
    """T f(0) + 2T Σ_{k≥1} f(2πTk), one frequency after the other.

    The rule is chosen once for a whole batch, by its coldest member.

    Args:
        function: maps a frequency to a pytree of arrays.
        temperature: T ≥ 0, a scalar.
        slowest: a lower estimate of the smallest |pole| of f; only the placing of the
            nodes depends on it.
        fastest: an upper bound of the largest |pole| of f.
    """
    coldest, highest, slowest = jax.lax.stop_gradient((temperature, fastest, slowest))
    # Points outside the domain, which will be NaN, have no say.
    inside = (coldest >= 0) & (highest > 0) & (highest < jnp.inf)
    number = _largest_of_all(jnp.where(inside, _rule_number(coldest, highest), 0))

    def cold() -> tuple[jax.Array, jax.Array]:
        # Hotter still, the sums vanish beside the term k = 0, and powers of T would overflow.
        nodes, weights = _cold_rule(jnp.minimum(temperature, 1e8 * highest), slowest, highest)
        return nodes, weights.at[0].set(temperature)

    rules: list[Callable[[], tuple[jax.Array, jax.Array]]]
    rules = [*(partial(_hot_rule, rule, temperature) for rule in _RULES), cold]
    counts = [jax.eval_shape(rule)[0].shape[0] for rule in rules]

    def filled(rule: Callable[[], tuple[jax.Array, jax.Array]]) -> tuple[jax.Array, jax.Array]:
        nodes, weights = rule()
        missing = max(counts) - nodes.shape[0]
        return jnp.pad(nodes, (0, missing)), jnp.pad(weights, (0, missing))

    nodes, weights = jax.lax.switch(number, [partial(filled, rule) for rule in rules])
    return _weighted_sum(function, jnp.asarray(counts)[number], nodes, weights)


@custom_vmap
def _largest_of_all(number: jax.Array) -> jax.Array:
    """The number itself, and under ``vmap`` the largest of the batch, one for all.

    ``lax.switch`` on it takes one branch; on numbers that differ it would compute all of them.
    """
    return number


@_largest_of_all.def_vmap
def _of_batch(axis_size: int, batched: list[bool], number: jax.Array) -> tuple[jax.Array, bool]:
    del axis_size, batched
    return _largest_of_all(jnp.max(number)), False


def _rule_number(coldest: jax.Array, fastest: jax.Array) -> jax.Array:
    """Which of the Gauss rules serves; their number if none does."""
    ratio = 2 * math.pi * coldest / fastest
    return jnp.sum(jnp.stack([ratio * rule.reach < 1 for rule in _RULES]))


def rule_in_words(coldest: float, fastest: float) -> str:
    """The rule that serves, for known values."""
    number = int(_rule_number(jnp.asarray(coldest), jnp.asarray(fastest)))
    if number < len(_RULES):
        return f"a Gauss rule of {len(_RULES[number].nodes)} nodes"
    return f"{_EXACT_TERMS} terms and an integral"


def _weighted_sum(
    function: Callable[[jax.Array], Any], count: jax.Array, nodes: jax.Array, weights: jax.Array
) -> Any:
    """The sum of so many terms, one after the other: memory stays at that of one frequency."""
    shapes = jax.eval_shape(function, nodes[0])
    zero = jax.tree.map(lambda value: jnp.zeros(value.shape, value.dtype), shapes)

    # In reverse every term is computed again, the choice with it: what a branch keeps, it keeps for
    # each node, and that would be the bulk of the memory.
    @partial(jax.checkpoint, prevent_cse=False)
    def weighted(place: jax.Array, node: jax.Array, weight: jax.Array) -> Any:
        def value() -> Any:
            return jax.tree.map(lambda x: weight * x, function(node))

        return jax.lax.cond(place < count, value, lambda: zero)

    # One loop for all rules, the terms being the bulk of what there is to compile.
    def add(total: Any, term: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, weighted(*term)), None

    return jax.lax.scan(add, zero, (jnp.arange(nodes.shape[0]), nodes, weights))[0]


def _hot_rule(rule: _GaussRule, temperature: jax.Array) -> tuple[jax.Array, jax.Array]:
    index = jnp.asarray(np.concatenate([[0.0], rule.nodes]), temperature.dtype)
    weight = jnp.asarray(np.concatenate([[0.5], rule.weights]), temperature.dtype)
    return 2 * math.pi * index * temperature, 2 * weight * temperature


def _cold_rule(
    temperature: jax.Array, slowest: jax.Array, fastest: jax.Array
) -> tuple[jax.Array, jax.Array]:
    def table(values: np.ndarray) -> jax.Array:
        return jnp.asarray(values, temperature.dtype)

    index = table(np.concatenate([[0.0], _MATSUBARA_INDEX]))
    weight = table(np.concatenate([[0.5], _MATSUBARA_WEIGHTS]))
    start = 2 * math.pi * (_EXACT_TERMS + 0.5) * temperature
    # The integral does not depend on where the panels meet, so neither does its derivative.
    low = jax.lax.stop_gradient(start + slowest)
    high = jax.lax.stop_gradient(2 * (start + fastest))
    offset, measure = [], []
    x, w = map(table, _LOW)
    offset.append(low * (x + 1) / 2)
    measure.append(low * w / 2)
    x, w = map(table, _MIDDLE)
    span = jnp.log(high / low)
    offset.append(low * jnp.exp(span * (x + 1) / 2))
    measure.append(offset[-1] * w * span / 2)
    x, w = map(table, _HIGH)
    offset.append(high * 2 / (x + 1))
    measure.append(high * 2 * w / (x + 1) ** 2)
    nodes = [2 * math.pi * index * temperature, start + jnp.concatenate(offset)]
    weights = [2 * weight * temperature, jnp.concatenate(measure) / math.pi]
    return jnp.concatenate(nodes), jnp.concatenate(weights)
