"""Summaries of groups of points, joined into one and brought home."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxosc._parameters import number_output, traceable
from jaxosc.sweeps.reductions import Reduction


@functools.partial(jax.jit, static_argnums=(0, 3))
def _fold(
    combines: tuple[Callable[[Any, Any], Any], ...], states: Any, count: jax.Array, together: bool
) -> Any:
    """The first ``count`` of the states [groups, …], joined in pairs, then pairs of pairs."""
    states = jax.tree.map(_wide, states)
    groups = len(jax.tree.leaves(states)[0])
    index = jnp.arange(groups, dtype=jnp.int32)

    def join(function: Callable[[Any, Any], Any], earlier: Any, later: Any) -> Any:
        with traceable("combine"):
            joined = function(earlier, later)
        joined = number_output("combine", joined)
        given, found = _kinds(earlier), _kinds(joined)
        if jax.tree.flatten(given) != jax.tree.flatten(found):
            raise ValueError(
                "Argument `combine` must return what `partial` does, with 64 bits, but it returns "
                f"{found} in place of {given}."
            )
        return joined

    def step(level: jax.Array, states: Any) -> Any:
        partner = index + jnp.left_shift(jnp.int32(1), level.astype(jnp.int32))
        later = jax.tree.map(lambda leaf: leaf[jnp.minimum(partner, groups - 1)], states)
        joined = jax.vmap(lambda earlier, later: tuple(map(join, combines, earlier, later)))(
            states, later
        )

        def chosen(new: jax.Array, old: jax.Array) -> jax.Array:
            there = (partner < count).reshape(groups, *(1 for _ in old.shape[1:]))
            return jnp.where(there, new, old)

        return jax.tree.map(chosen, joined, states)

    joined = lax.fori_loop(0, (groups - 1).bit_length(), step, states)
    first = jax.tree.map(lambda leaf: leaf[0], joined)
    return _together(first) if together else first


def _together(tree: Any) -> dict[str, jax.Array]:
    """All that is of one dtype in one array, [n], by the dtype's name."""
    kinds: dict[str, list[jax.Array]] = {}
    for leaf in jax.tree.leaves(tree):
        kinds.setdefault(leaf.dtype.name, []).append(leaf.reshape(-1))
    return {name: jnp.concatenate(parts) for name, parts in kinds.items()}


def apart(reductions: Mapping[str, Reduction], output: Any, kinds: Mapping[str, Any]) -> Any:
    """What ``fold`` returned together.

    Args:
        reductions: by name.
        output: shapes and dtypes of one group's summaries.
        kinds: the arrays, on the host.
    """
    taken = dict.fromkeys(kinds, 0)

    def next_of(leaf: jax.ShapeDtypeStruct) -> np.ndarray:
        kind = _wide_dtype(leaf.dtype).name
        start = taken[kind]
        taken[kind] += math.prod(leaf.shape)
        return kinds[kind][start : taken[kind]].reshape(leaf.shape)

    return {name: jax.tree.map(next_of, output[name]) for name in reductions}


def _kinds(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: f"{leaf.dtype}{list(leaf.shape)}", tree)


def fold(
    reductions: Mapping[str, Reduction], states: Mapping[str, Any], count: int, together: bool
) -> Any:
    """The summaries of consecutive groups, leaves [groups, …], joined where they are.

    Args:
        reductions: by name.
        states: as many groups as fit in; what NumPy holds is joined by the processor.
        count: those that there are.
        together: in as few arrays as there are dtypes, for ``apart``: to bring an array home takes
            50 µs, and a summary has up to four of them for each that the function returns.

    Raises:
        ValueError: if a reduction's ``combine`` does not return what it is given.
    """
    combines = tuple(reduction.combine for reduction in reductions.values())
    given = tuple(states[name] for name in reductions)
    with jax.enable_x64(True), jax.default_device(jax.local_devices(backend="cpu")[0]):
        joined = _fold(combines, given, np.int32(count), together)
    return joined if together else dict(zip(reductions, joined, strict=True))


def _wide(leaf: jax.Array) -> jax.Array:
    return leaf.astype(_wide_dtype(leaf.dtype))


def _wide_dtype(dtype: Any) -> np.dtype[Any]:
    if jnp.issubdtype(dtype, jnp.complexfloating):
        return np.dtype(np.complex128)
    if jnp.issubdtype(dtype, jnp.floating):
        return np.dtype(np.float64)
    return np.dtype({"b": np.bool_, "u": np.uint64}.get(dtype.kind, np.int64))
