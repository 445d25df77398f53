"""Numbers that summarise a grid, computed while it is swept."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._parameters import (
    real_output,
    require_arguments,
)

Points = dict[str, jax.Array]


def _same(state: Any) -> Any:
    return state


@dataclass(frozen=True)
class Reduction:
    """A summary of all points of a sweep, built from summaries of groups of them.

    The groups and their order depend on the grid, the function and the kind of device, not on
    the number of devices: neither does the result, to the last bit. Between groups it is carried
    in double precision.

    Raises:
        ValueError: unless all three are functions of such arguments.

    Attributes:
        partial: ``partial(values, points, valid)`` summarises one group, compiled: what the
            function returned there, leaves [n, …]; the parameters, each [n]; and which of the n
            are points of the grid [n], the others only filling the group up.
        combine: ``combine(earlier, later)`` joins the summaries of two neighbouring groups.
        finish: turns the summary of the whole grid into the result.

    Example:
        >>> crowded = jaxosc.Reduction(
        ...     lambda values, points, valid: jnp.sum(valid & (values > 0.5)), jnp.add
        ... )
        >>> grid = {"x": np.linspace(0.0, 1.0, 11)}
        >>> int(jaxosc.sweep(lambda x: x**2, grid, reduce={"crowded": crowded}).values["crowded"])
        3
    """

    partial: Callable[[Any, Points, jax.Array], Any]
    combine: Callable[[Any, Any], Any]
    finish: Callable[[Any], Any] = _same

    def __post_init__(self) -> None:
        require_arguments("partial", self.partial, "values", "points", "valid")
        require_arguments("combine", self.combine, "earlier", "later")
        require_arguments("finish", self.finish, "state")


def _each_leaf(
    partial: Callable[[jax.Array, Points, jax.Array], Any],
    combine: Callable[[Any, Any], Any],
    finish: Callable[[Any], Any] = _same,
) -> Reduction:
    """The same summary of every array that the function returns."""

    def partials(values: Any, points: Points, valid: jax.Array) -> Any:
        def one(leaf: jax.Array) -> _State:
            mask = valid.reshape(valid.shape + (1,) * (leaf.ndim - 1))
            return _State(partial(leaf, points, jnp.broadcast_to(mask, leaf.shape)))

        return jax.tree.map(one, real_output("function", jax.tree.map(_counted, values)))

    def over(function: Callable[..., Any], *states: Any) -> Any:
        return jax.tree.map(
            lambda *leaves: function(*(leaf.state for leaf in leaves)),
            *states,
            is_leaf=lambda node: isinstance(node, _State),
        )

    return Reduction(
        partials,
        lambda earlier, later: over(lambda a, b: _State(combine(a, b)), earlier, later),
        lambda state: over(finish, state),
    )


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True)
class _State:
    """Marks where the summary of one array begins, inside the tree of what is returned."""

    state: Any

    def tree_flatten(self) -> tuple[tuple[Any], None]:
        return (self.state,), None

    @classmethod
    def tree_unflatten(cls, _: None, children: tuple[Any]) -> _State:
        return cls(*children)


def _counted(leaf: Any) -> jax.Array:
    """Yes and no, and whole numbers, as floating ones; none narrower than single precision."""
    array = jnp.asarray(leaf)
    if array.dtype == bool or jnp.issubdtype(array.dtype, jnp.integer):
        return array.astype(jnp.zeros(()).dtype)
    return array.astype(jnp.float32) if array.dtype == jnp.float16 else array


def _extremum(sign: int, skip_nan: bool, located: bool) -> Reduction:
    # As numpy.argmax: the first of equals; NaN beats every number unless it is skipped.
    greatest = jnp.max if sign > 0 else jnp.min

    def partial(values: jax.Array, points: Points, valid: jax.Array) -> Any:
        # Filling repeats a point of the grid, a later one: it changes no first extremum.
        missing = jnp.isnan(values)
        numbers = jnp.where(missing, -sign * jnp.inf, values) if skip_nan else values
        best = greatest(numbers, axis=0)
        if skip_nan:
            best = jnp.where(jnp.all(missing, axis=0), jnp.nan, best)
        if not located:
            return {"value": best}
        # By a minimum, as the best is by a maximum: processors do several points of these at a
        # time, of an argmax one. Measured: 0.7 and 5 ns a point.
        index = jnp.arange(len(values), dtype=jnp.int32).reshape(-1, *(1 for _ in best.shape))
        at_best = (values == best[None]) | (missing & jnp.isnan(best)[None])
        first = jnp.min(jnp.where(at_best, index, len(values) - 1), axis=0)
        return {"value": best, "at": _at(points, first)}

    def combine(earlier: Any, later: Any) -> Any:
        one, other = earlier["value"], later["value"]
        better = one >= other if sign > 0 else one <= other  # not if either is NaN
        keep = (better | jnp.isnan(other)) if skip_nan else (better | jnp.isnan(one))
        return jax.tree.map(lambda a, b: jnp.where(keep, a, b), earlier, later)

    def finish(state: Any) -> Any:
        if not located:
            return state["value"]
        none = np.isnan(state["value"]) & skip_nan
        return {name: np.where(none, np.nan, at) for name, at in state["at"].items()}

    return _each_leaf(partial, combine, finish)


def _at(points: Points, index: jax.Array) -> Points:
    return {name: values[index] for name, values in points.items()}


def _moments(finish: Callable[[Any], Any], skip_nan: bool) -> Reduction:
    # T. F. Chan, G. H. Golub, R. J. LeVeque, COMPSTAT 1982: means and sums of squares joined
    # without the cancellation of ⟨x²⟩ - ⟨x⟩².
    def partial(values: jax.Array, points: Points, valid: jax.Array) -> Any:
        if skip_nan:
            valid = valid & ~jnp.isnan(values)
        count = jnp.sum(valid, axis=0)
        total = jnp.sum(jnp.where(valid, values, 0.0), axis=0)
        mean = total / jnp.maximum(count, 1).astype(total.dtype)
        squares = jnp.sum(jnp.where(valid, (values - mean[None]) ** 2, 0.0), axis=0)
        return {"count": count, "sum": total, "mean": mean, "squares": squares}

    def combine(a: Any, b: Any) -> Any:
        count = a["count"] + b["count"]
        before, added = (each["count"].astype(a["mean"].dtype) for each in (a, b))
        share = added / jnp.maximum(before + added, 1.0)
        step = b["mean"] - a["mean"]
        return {
            "count": count,
            "sum": a["sum"] + b["sum"],
            "mean": a["mean"] + step * share,
            "squares": a["squares"] + b["squares"] + step**2 * before * share,
        }

    return _each_leaf(partial, combine, finish)


def _mean(state: Any) -> Any:
    # The running mean cannot join infinities.
    plain = state["sum"] / np.maximum(state["count"], 1)
    mean = np.where(np.isfinite(state["mean"]), state["mean"], plain)
    return np.where(state["count"] > 0, mean, np.nan)


def _std(state: Any) -> Any:
    count = np.maximum(state["count"], 1)
    return np.where(state["count"] > 0, np.sqrt(state["squares"] / count), np.nan)


def histogram(low: float, high: float, bins: int = 100) -> Reduction:
    """How many points have a value in each of the bins of equal width.

    Args:
        low: lower end of the first bin.
        high: upper end of the last bin, which belongs to it.
        bins: how many.

    Returns:
        a ``Reduction`` for ``sweep``, whose result holds ``counts`` [bins, …] and ``edges``
        [bins + 1], and how many values were ``below`` low, ``above`` high, or ``nan``. Every
        point is counted once. A value within rounding of an edge may fall on either side of it.

    Raises:
        ValueError: unless low < high, both finite, and there is at least one bin.

    Example:
        >>> def number(coupling):
        ...     network = jaxosc.pair((5.0, 2.0), coupling, "position")
        ...     return jaxosc.occupation(jaxosc.gibbs(network, 3.0))[0]
        >>> counts = {"counts": jaxosc.histogram(0.0, 1.0, bins=4)}
        >>> grid = {"coupling": np.linspace(0.0, 1.5, 16)}
        >>> jaxosc.sweep(number, grid, reduce=counts).values["counts"]["counts"].tolist()
        [4, 7, 2, 1]
    """
    _checks.require_whole("bins", bins, 1, 10**6)
    try:
        ends = _checks.real_number(low), _checks.real_number(high)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Arguments `low` and `high` must be numbers, but they are {low!r} and {high!r}."
        ) from error
    if not -np.inf < ends[0] < ends[1] < np.inf:
        raise ValueError(
            f"Argument `low` must be below `high`, both finite, but they are {low} and {high}."
        )
    _require_width(*ends, bins, np.float64)
    return _histogram(*ends, int(bins))


def _require_width(low: float, high: float, bins: int, dtype: Any) -> None:
    """Raise ValueError unless the width of a bin is an ordinary number of this precision."""
    limits = np.finfo(dtype)
    width = high / bins - low / bins
    if not limits.tiny <= width <= limits.max / bins or max(-low, high) > limits.max:
        raise ValueError(
            f"Arguments `low`, `high` and `bins` must make bins of an ordinary width in "
            f"{np.dtype(dtype)}, but they are {low}, {high} and {bins}."
        )


@functools.lru_cache(maxsize=64)  # one object, one compiled program
def _histogram(low: float, high: float, bins: int) -> Reduction:
    def partial(values: jax.Array, points: Points, valid: jax.Array) -> jax.Array:
        _require_width(low, high, bins, values.dtype)
        place = jnp.floor((values - low) * (bins / (high - low)))
        place = jnp.where(values == high, bins - 1.0, place)
        place = jnp.where(values < low, float(bins), jnp.where(values > high, bins + 1.0, place))
        place = jnp.where(
            (values >= low) & (values <= high), jnp.clip(place, 0.0, bins - 1.0), place
        )
        place = jnp.where(jnp.isnan(values), bins + 2.0, place)
        # Filling goes nowhere.
        index = jnp.where(valid, place, bins + 3.0).astype(jnp.int32)

        def count(index: jax.Array) -> jax.Array:
            return jnp.zeros(bins + 3, jnp.int32).at[index].add(1, mode="drop")

        flat = index.reshape(len(index), -1)
        counts = jax.vmap(count, in_axes=1, out_axes=1)(flat)
        return counts.reshape(bins + 3, *index.shape[1:])

    def finish(counts: Any) -> dict[str, Any]:
        return {
            "counts": counts[:bins],
            "edges": np.linspace(low, high, bins + 1),
            "below": counts[bins],
            "above": counts[bins + 1],
            "nan": counts[bins + 2],
        }

    return _each_leaf(partial, jnp.add, finish)


_NAMED = {
    prefix + name: reduction
    for prefix, skip in (("", False), ("nan", True))
    for name, reduction in {
        "min": _extremum(-1, skip, False),
        "max": _extremum(1, skip, False),
        "argmin": _extremum(-1, skip, True),
        "argmax": _extremum(1, skip, True),
        "sum": _moments(lambda state: state["sum"], skip),
        "mean": _moments(_mean, skip),
        "std": _moments(_std, skip),
    }.items()
}


def named_reductions(reduce: Any) -> dict[str, Reduction]:
    """The reductions by name.

    Raises:
        ValueError: unless they are a name, names, or a mapping from names to either.
    """
    if isinstance(reduce, str):
        reduce = (reduce,)
    if not isinstance(reduce, Mapping):
        if not isinstance(reduce, Sequence) or not all(isinstance(name, str) for name in reduce):
            raise ValueError(
                "Argument `reduce` must be the name of a reduction, several, or a mapping from "
                f"names of your own to reductions, but it is {reduce!r}."
            )
        reduce = {name: name for name in reduce}
    if not reduce:
        raise ValueError("Argument `reduce` must name a reduction, but it is empty.")
    reductions = {}
    for key, value in reduce.items():
        if not isinstance(key, str):
            raise ValueError(f"Argument `reduce` must have names as keys, but one is {key!r}.")
        if isinstance(value, Reduction):
            reductions[key] = value
        else:
            _checks.require_choice("reduce", value, tuple(_NAMED))
            reductions[key] = _NAMED[value]
    return reductions
