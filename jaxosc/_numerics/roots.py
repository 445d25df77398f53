"""Roots that a search finds and that are differentiated by their equation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero
from jax.flatten_util import ravel_pytree

Equation = Callable[..., jax.Array]
Search = Callable[[Callable[[jax.Array], jax.Array]], tuple[jax.Array, jax.Array]]

# Derivatives that one program takes all at once
_FEW = 17**2


def implicit_root(equation: Equation, search: Search) -> Callable[..., tuple[jax.Array, jax.Array]]:
    """A function of θ whose value x solves F(x, θ) = 0 and has the derivatives of that.

    ``jax.lax.custom_root`` differentiates F by all of θ, what does not move included, which makes
    programs twice as large.

    Args:
        equation: F(x, *θ).
        search: of x → F(x, θ); returns x and whole numbers.
    """

    def root(*given: jax.Array) -> tuple[jax.Array, jax.Array]:
        x, outcome, _ = _expanded(equation, search, 0, ())(*given)
        return x, outcome

    return root


def _expanded(
    equation: Equation, search: Search, order: int, moved: tuple[int, ...]
) -> Callable[..., tuple[jax.Array, jax.Array, list[jax.Array]]]:
    """The root, with F's derivatives there, up to an order, by x and the θ that are moved.

    Its own derivative takes all that it needs from the expansion to the next order. Nested
    derivatives would compile one program for the root's and more for those of F.
    """

    @jax.custom_jvp
    def root(*given: jax.Array) -> tuple[jax.Array, jax.Array, list[jax.Array]]:
        x, outcome = search(lambda x: equation(x, *given))
        return x, outcome, _derivatives(equation, order, moved, x, given)

    @partial(root.defjvp, symbolic_zeros=True)
    def _jvp(primals: tuple[jax.Array, ...], tangents: tuple[Any, ...]) -> Any:
        along = {i: t for i, t in enumerate(tangents) if not isinstance(t, SymbolicZero)}
        wider = tuple(sorted({*moved, *along}))
        point = [primals[i] for i in wider]
        entries = 1 + sum(value.size for value in point)
        # Two orders at least: a first derivative is often differentiated once more
        if entries ** max(order + 1, 2) <= _FEW and all(map(jnp.isrealobj, point)):
            x, outcome, higher = _expanded(equation, search, order + 1, wider)(*primals)
            ways = [along.get(i, jnp.zeros_like(primals[i])) for i in wider]
            rate, changes = _contracted(higher, ravel_pytree(ways)[0])
            kept = _places(moved, wider, primals)
            lower = [_of(kept, derivative) for derivative in higher[:order]]
            changes = [_of(kept, change) for change in changes]
        else:
            x, outcome, lower = root(*primals)
            rate, changes = _turned(equation, order, moved, x, primals, along)
        still = np.zeros(outcome.shape, jax.dtypes.float0)
        return (x, outcome, lower), (rate, still, changes)

    return root


def _derivatives(
    equation: Equation, order: int, moved: tuple[int, ...], x: jax.Array, given: Sequence[jax.Array]
) -> list[jax.Array]:
    """∂F, ∂∂F, … by x and by the entries of what is moved, of one program."""
    if not order:
        return []
    vector, apart = ravel_pytree([x, *(given[i] for i in moved)])

    def value(vector: jax.Array) -> tuple[jax.Array, ...]:
        x, *values = apart(vector)
        return (equation(x, *_with(given, moved, values)),)

    function = value
    for _ in range(order):
        function = partial(_and_slope, function)
    return list(function(vector))[-2::-1]


def _and_slope(
    function: Callable[[jax.Array], tuple[jax.Array, ...]], vector: jax.Array
) -> tuple[jax.Array, ...]:
    """The derivative of the first of these, and all of them."""

    def first(vector: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
        values = function(vector)
        return values[0], values

    slope, values = jax.jacfwd(first, has_aux=True)(vector)
    return slope, *values


def _contracted(
    derivatives: Sequence[jax.Array], ways: jax.Array
) -> tuple[jax.Array, list[jax.Array]]:
    """How x changes with θ, and with both every derivative but the highest."""
    slope = derivatives[0]
    rate = -(slope[1:] @ ways) / slope[0]
    turn = jnp.concatenate([rate[None], ways])
    return rate, [higher @ turn for higher in derivatives[1:]]


def _turned(
    equation: Equation,
    order: int,
    moved: tuple[int, ...],
    x: jax.Array,
    primals: Sequence[jax.Array],
    along: dict[int, jax.Array],
) -> tuple[jax.Array, list[jax.Array]]:
    """The same of many or complex θ, along one direction."""
    values, ways = [primals[i] for i in along], list(along.values())

    def replaced(values: Sequence[jax.Array]) -> list[jax.Array]:
        return _with(primals, tuple(along), values)

    _, slope = jax.jvp(lambda x: equation(x, *primals), (x,), (jnp.ones_like(x),))
    _, rise = jax.jvp(lambda *values: equation(x, *replaced(values)), values, ways)
    rate = -rise / slope

    def expansion(x: jax.Array, *values: jax.Array) -> list[jax.Array]:
        return _derivatives(equation, order, moved, x, replaced(values))

    _, changes = jax.jvp(expansion, (x, *values), (rate, *ways))
    return rate, changes


def _with(
    given: Sequence[jax.Array], places: tuple[int, ...], values: Sequence[jax.Array]
) -> list[jax.Array]:
    """The same arguments, these of them replaced."""
    replaced = dict(zip(places, values, strict=True))
    return [replaced.get(i, value) for i, value in enumerate(given)]


def _places(
    moved: tuple[int, ...], wider: tuple[int, ...], given: Sequence[jax.Array]
) -> np.ndarray:
    """Where x and the entries of what is moved stand among those of more."""
    stays = [np.full(given[i].size, i in moved) for i in wider]
    return np.flatnonzero(np.concatenate([[True], *stays]))


def _of(places: np.ndarray, derivative: jax.Array) -> jax.Array:
    """What a derivative holds there, along every axis."""
    return derivative[np.ix_(*[places] * derivative.ndim)]
