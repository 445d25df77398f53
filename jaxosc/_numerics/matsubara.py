"""Thermal sums of any function of a frequency, by the rules of ``matsubara_rules``."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.matsubara_rules import (
    EXACT_TERMS,
    MATSUBARA_INDEX,
    MATSUBARA_WEIGHTS,
    RULES,
    GaussRule,
    cold_rule,
    hot_rule,
    largest_of_all,
    rule_number,
)

# All columns of an inverse cost as much as this many that each have a factorisation of their own.
_TOGETHER = 7


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
    number = largest_of_all(jnp.where(inside, rule_number(coldest, highest), 0))

    def cold() -> tuple[jax.Array, jax.Array]:
        # Hotter still, the sums vanish beside the term k = 0, and powers of T would overflow.
        nodes, weights = cold_rule(jnp.minimum(temperature, 1e8 * highest), slowest, highest)
        return nodes, weights.at[0].set(temperature)

    rules: list[Callable[[], tuple[jax.Array, jax.Array]]]
    rules = [*(partial(hot_rule, rule, temperature) for rule in RULES), cold]
    counts = [jax.eval_shape(rule)[0].shape[0] for rule in rules]

    def filled(rule: Callable[[], tuple[jax.Array, jax.Array]]) -> tuple[jax.Array, jax.Array]:
        nodes, weights = rule()
        missing = max(counts) - nodes.shape[0]
        return jnp.pad(nodes, (0, missing)), jnp.pad(weights, (0, missing))

    nodes, weights = jax.lax.switch(number, [partial(filled, rule) for rule in rules])
    return _weighted_sum(function, jnp.asarray(counts)[number], nodes, weights)


def sums_of_baths(
    function: Callable[[jax.Array, jax.Array], Any],
    vectors: jax.Array,
    temperature: jax.Array,
    slowest: jax.Array,
    fastest: jax.Array,
) -> Any:
    """``thermal_sum`` at the temperature of each bath, of what belongs to it.

    One bath after the other: memory stays at nodes × n² numbers.

    Args:
        function: maps columns [n] or [n, c] and a frequency to a pytree of arrays of such columns.
        vectors: those of each bath, [M, n] or [M, n, k].
        temperature: T [M].
        slowest: as of ``thermal_sum``.
        fastest: as of ``thermal_sum``.
    """

    def of_bath(bath: tuple[jax.Array, jax.Array]) -> Any:
        return thermal_sum(partial(function, bath[0]), bath[1], slowest, fastest)

    return jax.lax.map(of_bath, (vectors, temperature))


def sums_of_temperatures(
    function: Callable[[jax.Array, jax.Array], Any],
    vectors: jax.Array,
    temperature: jax.Array,
    slowest: jax.Array,
    fastest: jax.Array,
    active: jax.Array,
) -> Any:
    """``sums_of_baths`` by one factorisation a frequency for all baths of one temperature.

    Where temperatures are few, a matter of values: not for ``vmap``, nor for derivatives.

    Args:
        function: as of ``sums_of_baths``.
        vectors: as of ``sums_of_baths``.
        temperature: T [M].
        slowest: as of ``thermal_sum``.
        fastest: as of ``thermal_sum``.
        active: which baths [M] matter; what the others get is zero or their sum.
    """
    baths = len(temperature)
    each = partial(sums_of_baths, function, vectors, temperature, slowest, fastest)
    if baths < 2 * _TOGETHER:
        return each()
    alike = (temperature[:, None] == temperature[None, :]) & active[None, :]
    is_first = active & (jnp.argmax(alike, axis=1) == jnp.arange(baths))
    columns = jnp.moveaxis(vectors, 0, 1).reshape(vectors.shape[1], -1)

    def together() -> Any:
        def add(left: jax.Array, total: Any) -> tuple[jax.Array, Any]:
            first = jnp.argmax(left)
            found = thermal_sum(partial(function, columns), temperature[first], slowest, fastest)

            def chosen(new: jax.Array, old: jax.Array) -> jax.Array:
                own = jnp.moveaxis(new.reshape(len(new), baths, *old.shape[2:]), 1, 0)
                mine = alike[first].reshape(baths, *(1 for _ in old.shape[1:]))
                return jnp.where(mine, own, old)

            return left.at[first].set(False), jax.tree.map(chosen, found, total)

        zero = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), jax.eval_shape(each))
        return jax.lax.while_loop(lambda c: jnp.any(c[0]), lambda c: add(*c), (is_first, zero))[1]

    return jax.lax.cond(_TOGETHER * jnp.sum(is_first) <= baths, together, each)


class _LinearRule(NamedTuple):
    """Nodes and weights as linear functions of the temperature: value at zero, and slope."""

    node: jax.Array
    node_slope: jax.Array
    weight: jax.Array
    weight_slope: jax.Array


def thermal_slope(
    function: Callable[[jax.Array], Any],
    divided: Callable[[jax.Array, jax.Array], Any],
    temperatures: tuple[jax.Array, jax.Array],
    slowest: jax.Array,
    fastest: jax.Array,
) -> Any:
    """(S(T) − S(T′))/(T − T′) of S = ``thermal_sum``, without that difference; S′ where T = T′.

    Args:
        function: f(ν), as of ``thermal_sum``.
        divided: (f(ν) − f(ν′))/(ν − ν′) of ν and ν′, without that difference.
        temperatures: T and T′.
        slowest: as of ``thermal_sum``.
        fastest: as of ``thermal_sum``.
    """
    one, other = temperatures
    ends = jnp.minimum(one, other), jnp.maximum(one, other)
    (lowest, warmest), highest, slowest = jax.lax.stop_gradient((ends, fastest, slowest))
    inside = (lowest >= 0) & (highest > 0) & (highest < jnp.inf)
    number = largest_of_all(jnp.where(inside, rule_number(lowest, highest), 0))

    def cold() -> _LinearRule:
        # With panels that meet at the same places for both, and reach as far as the warmer needs
        start = 2 * math.pi * (EXACT_TERMS + 0.5)
        nodes, weights = cold_rule(lowest, slowest, highest + start * (warmest - lowest))
        count = 1 + len(MATSUBARA_INDEX)
        index = jnp.asarray(np.arange(len(nodes)) < count)
        terms = np.concatenate([[0.5], MATSUBARA_WEIGHTS, np.zeros(len(nodes) - count)])
        slopes = np.concatenate([[0.0], MATSUBARA_INDEX * 2 * math.pi])
        slopes = np.concatenate([slopes, np.full(len(nodes) - count, start)])
        slope, weight_slope = (jnp.asarray(x, nodes.dtype) for x in (slopes, 2 * terms))
        still = jnp.where(index, 0, nodes - slope * lowest)
        return _LinearRule(still, slope, jnp.where(index, 0, weights), weight_slope)

    def hot(rule: GaussRule) -> _LinearRule:
        nodes, weights = hot_rule(rule, jnp.ones_like(lowest))
        return _LinearRule(0 * nodes, nodes, 0 * weights, weights)

    rules: list[Callable[[], _LinearRule]] = [*(partial(hot, rule) for rule in RULES), cold]
    counts = [jax.eval_shape(rule).node.shape[0] for rule in rules]

    def filled(rule: Callable[[], _LinearRule]) -> _LinearRule:
        return _LinearRule(*(jnp.pad(x, (0, max(counts) - x.shape[0])) for x in rule()))

    rule = jax.lax.switch(number, [partial(filled, rule) for rule in rules])

    def term(part: _LinearRule) -> Any:
        nu, nu_other = (part.node + part.node_slope * t for t in (one, other))
        weight = (part.weight + part.weight_slope * other) * part.node_slope
        return jax.tree.map(
            lambda x, y: part.weight_slope * x + weight * y, function(nu), divided(nu, nu_other)
        )

    return _weighted_sum(term, jnp.asarray(counts)[number], rule, jnp.ones_like(rule.node))


def _weighted_sum(
    function: Callable[[Any], Any], count: jax.Array, nodes: Any, weights: jax.Array
) -> Any:
    """The sum of so many terms, one after the other: memory stays at that of one frequency."""
    shapes = jax.eval_shape(function, jax.tree.map(lambda x: x[0], nodes))
    zero = jax.tree.map(lambda value: jnp.zeros(value.shape, value.dtype), shapes)

    # In reverse every term is computed again, the choice with it: what a branch keeps, it keeps for
    # each node, and that would be the bulk of the memory.
    @partial(jax.checkpoint, prevent_cse=False)
    def weighted(place: jax.Array, node: Any, weight: jax.Array) -> Any:
        def value() -> Any:
            return jax.tree.map(lambda x: weight * x, function(node))

        return jax.lax.cond(place < count, value, lambda: zero)

    # One loop for all rules, the terms being the bulk of what there is to compile.
    def add(total: Any, term: tuple[jax.Array, Any, jax.Array]) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, weighted(*term)), None

    return jax.lax.scan(add, zero, (jnp.arange(weights.shape[0]), nodes, weights))[0]
