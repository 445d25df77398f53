"""How far an approximate description can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc import baths as _baths
from jaxosc._numerics.roots import implicit_root
from jaxosc._parameters import (
    real_output,
    require_arguments,
    scalar_output,
    traceable,
)
from jaxosc._pytree import Record
from jaxosc.baths import Baths
from jaxosc.criticality.critical_points import critical_scale
from jaxosc.dynamics import Dynamics, steady_state
from jaxosc.equations.registry import EQUATIONS, EXACT
from jaxosc.observables import OBSERVABLES, scalars
from jaxosc.oscillators import Oscillators, with_couplings
from jaxosc.typing import Reals, Side

Description = str | Callable[[Oscillators, Baths], Any]
Observable = str | Callable[[jax.Array], jax.Array]
Bracket = tuple[jax.Array, ...]

SIDES: tuple[Side, ...] = get_args(Side)
# Couplings tried in each round; the second and later rounds lie within one interval of the first.
_POINTS = 257
_ROUNDS = 8

_REASONS = np.array([
    "the error crosses the tolerance here",
    "the error stays within the tolerance at every coupling tried",
    "the error exceeds the tolerance at every coupling tried",
    "the error crosses the tolerance in the other direction only",
    "the error is not defined at every coupling tried: a state is missing or not physical",
])  # fmt: skip
_CROSSED, _WITHIN, _BEYOND, _OTHER, _UNDEFINED = range(len(_REASONS))


class Frontier(Record):
    """Where the error of a description crosses a tolerance.

    Attributes:
        ratio: the coupling over the critical one, λ*/λ_c; NaN if there is no crossing.
        scale: the factor s* on the couplings of the network that was passed, λ* = s*λ; NaN if
            there is no crossing.
        outcome: what was found, as a number; ``reason`` has the words.
    """

    _leaves = ("ratio", "scale", "outcome")

    ratio: jax.Array
    scale: jax.Array
    outcome: jax.Array

    def __init__(self, ratio: jax.Array, scale: jax.Array, outcome: jax.Array) -> None:
        self._set(ratio=ratio, scale=scale, outcome=outcome)

    @property
    def crosses(self) -> jax.Array:
        """Whether there is a crossing."""
        return self.outcome == _CROSSED

    @property
    def reason(self) -> Any:
        """The outcome in words, a string or an array of them."""
        return _REASONS[np.asarray(self.outcome)]


@_checks.nan_is_an_answer
def trust_frontier(
    oscillators: Oscillators,
    baths: Baths,
    description: Description,
    observable: Observable,
    tolerance: Reals,
    side: Side = "upper",
    exact: Description = EXACT,
    between: tuple[float, float] = (1e-6, 0.999),
) -> Frontier:
    """The coupling λ* at which a description departs from the exact answer by a tolerance.

    All couplings of the network are scaled together, from λ/λ_c = ``between[0]`` to
    ``between[1]``, and |O/O_exact − 1| is compared with the tolerance. λ* and its derivatives, of
    any order, by every frequency, damping rate, temperature and the tolerance are those of the
    equation |O/O_exact − 1| = tolerance.

    Args:
        oscillators: N modes, not all uncoupled; only the proportions of the couplings matter to
            ``ratio``, and they may be past the critical ones.
        baths: one bath an oscillator.
        description: the name of one, as ``"local"``, or a function such as ``local_lindblad``:
            takes oscillators and baths, returns a Dynamics or a covariance. As with ``jax.jit``,
            it, ``observable`` and ``exact`` are compiled once, and what they find beside their
            arguments is fixed then.
        observable: the name of one, as ``"occupation1"``, ``"information"``, ``"heat1"`` (from
            bath 1) or ``"entropy_production"``; or a function that takes a covariance [2N, 2N]
            and returns one real number.
        tolerance: the relative error that is still good enough, positive.
        side: ``"upper"`` for the smallest λ at which the error grows past the tolerance, as the
            local equation's does towards a critical point; ``"lower"`` for the smallest at which
            it falls below, as the global equation's does when the coupling outgrows the damping.
        exact: what to compare with, a name or a function; the Langevin equation if left out.
        between: the range of λ/λ_c, within (0, 1). Keep away from 1 where the Langevin equation
            with flat damping rounds its criticality off: γ_j/ω (rotating wave), γ_j²/ω² (position).

    Returns:
        A Frontier; ``reason`` says what was found. 257 couplings are tried, evenly spaced in
        ln(x/(1 − x)), x = λ/λ_c, and between two of them the crossing is found to the last
        digits; an error that exceeds the tolerance only between two of them goes unseen.

    Raises:
        ValueError: if an argument does not fit, or the network has no coupling to scale.

    Example:
        >>> network = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> found = jaxosc.trust_frontier(
        ...     network, jaxosc.Baths(1e-3, (9.0, 3.0)), "local", "occupation2", tolerance=0.1
        ... )
        >>> round(float(found.ratio), 6), str(found.reason)
        (0.312647, 'the error crosses the tolerance here')
    """
    oscillators, baths = _baths.match(oscillators, baths)
    _require_description("description", description)
    _require_description("exact", exact)
    if isinstance(observable, str):
        known = scalars(oscillators.modes, len(baths.damping))
        _checks.require_choice("observable", observable, tuple(known))
    else:
        require_arguments("observable", observable, "covariance")
    _checks.require_choice("side", side, SIDES)
    (tolerance,) = _checks.float_arrays(tolerance=tolerance)
    _checks.require_shape("tolerance", tolerance, ())
    _checks.require("tolerance", tolerance, lambda t: (t > 0) & (t < np.inf), "be positive")
    low, high = _range(between)
    scale = _checks.concrete(critical_scale(oscillators))
    if scale is not None and not np.isfinite(scale):
        raise ValueError(
            "Argument `oscillators` must have couplings that become critical at some scale, "
            f"but their critical scale is {scale}."
        )
    _checks.require_together(oscillators=oscillators, baths=baths, tolerance=tolerance)
    tolerance = tolerance.astype(oscillators.frequency.dtype)
    return _trust_frontier(
        oscillators, baths, tolerance, description, observable, exact, side, low, high
    )


def _require_description(argument: str, description: Description) -> None:
    if isinstance(description, str):
        _checks.require_choice(argument, description, tuple(EQUATIONS))
    else:
        require_arguments(argument, description, "oscillators", "baths")


def _range(between: tuple[float, float]) -> tuple[float, float]:
    try:
        low, high = map(_checks.real_number, between)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Argument `between` must be two numbers, but it is {between!r}."
        ) from error
    if not 0 < low < high < 1:
        raise ValueError(
            f"Argument `between` must hold 0 < low < high < 1, but it is {(low, high)}."
        )
    return low, high


@partial(jax.jit, static_argnames=("description", "observable", "exact", "side", "low", "high"))
def _trust_frontier(
    oscillators: Oscillators,
    baths: Baths,
    tolerance: jax.Array,
    description: Description,
    observable: Observable,
    exact: Description,
    side: Side,
    low: float,
    high: float,
) -> Frontier:
    dtype, critical = tolerance.dtype, critical_scale(oscillators)
    leaves, tree = jax.tree.flatten((oscillators, baths, tolerance, critical))

    def excess(ratio: jax.Array, *given: jax.Array) -> jax.Array:
        """|O/O_exact − 1| over the tolerance, less one."""
        oscillators, baths, tolerance, critical = jax.tree.unflatten(tree, given)
        scale = ratio * critical
        couplings = scale * oscillators.exchange, scale * oscillators.pairing
        scaled = with_couplings(oscillators, *couplings)

        def observed(argument: str, equation: Description) -> jax.Array:
            dynamics, covariance = _state(argument, equation, scaled, baths)
            if isinstance(observable, str):
                _require_flow(argument, dynamics, observable, scaled.modes, len(baths.damping))
                value = scalars(scaled.modes, len(baths.damping))[observable](dynamics, covariance)
                return value.astype(dtype)
            with traceable("observable"):
                value = observable(covariance)
            return scalar_output("observable", value).astype(dtype)

        value, truth = observed("description", description), observed("exact", exact)
        return jnp.abs(value / truth - 1) / tolerance - 1

    search = partial(_search, dtype=dtype, side=side, low=low, high=high)
    ratio, outcome = implicit_root(excess, search)(*leaves)
    return Frontier(ratio, ratio * critical, outcome)


def _search(
    function: Callable[[jax.Array], jax.Array], dtype: Any, side: Side, low: float, high: float
) -> tuple[jax.Array, jax.Array]:
    """Rounds of ever finer grids; what the first one shows is the outcome."""

    def zoom(ends: Bracket, _: None) -> tuple[Bracket, jax.Array]:
        fraction = jnp.linspace(0, 1, _POINTS, dtype=dtype)
        grid = ends[0] + (ends[1] - ends[0]) * fraction
        values = jax.vmap(lambda logit: function(jax.nn.sigmoid(logit)))(grid)
        first, outcome = _first_crossing(values, side)
        return (grid[first], grid[first + 1]), outcome

    ends = tuple(jnp.asarray(np.log(end / (1 - end)), dtype) for end in (low, high))
    (left, right), outcomes = jax.lax.scan(zoom, ends, length=_ROUNDS)
    found = outcomes[0] == _CROSSED
    return jnp.where(found, jax.nn.sigmoid((left + right) / 2), jnp.nan), outcomes[0]


def _first_crossing(values: jax.Array, side: Side) -> tuple[jax.Array, jax.Array]:
    """The interval of the first crossing from the wanted side, and what the values show."""
    beyond, defined = values > 0, jnp.isfinite(values)
    before, after = beyond[:-1], beyond[1:]
    wanted = (~before & after) if side == "upper" else (before & ~after)
    wanted &= defined[:-1] & defined[1:]
    crossed = jnp.any(wanted)
    first = jnp.argmax(wanted)
    # An undefined stretch before the crossing may hide another.
    seen = jnp.where(crossed, first, len(values))
    hidden = jnp.any(~defined & (jnp.arange(len(values)) <= seen))
    outcome = jnp.where(jnp.all(beyond), _BEYOND, _OTHER)
    outcome = jnp.where(jnp.all(~beyond), _WITHIN, outcome)
    outcome = jnp.where(crossed, _CROSSED, outcome)
    return first, jnp.where(hidden, _UNDEFINED, outcome)


def _state(
    argument: str, description: Description, oscillators: Oscillators, baths: Baths
) -> tuple[Dynamics | None, Any]:
    """The dynamics, if it gives one, and the covariance that a description gives."""
    equation = EQUATIONS[description] if isinstance(description, str) else description
    with traceable(argument):
        value = equation(oscillators, baths)
    shape = (2 * oscillators.modes, 2 * oscillators.modes)
    dynamics = value if isinstance(value, Dynamics) else None
    if dynamics is not None:
        value = steady_state(dynamics)
    found = getattr(value, "shape", None)
    if found != shape:
        what = f"a {type(value).__name__}" if found is None else f"an array of shape {found}"
        raise ValueError(
            f"Argument `{argument}` must return a Dynamics or a covariance of shape {shape}, but "
            f"it returns {what}."
        )
    return dynamics, real_output(argument, value)


def _require_flow(
    argument: str, dynamics: Dynamics | None, observable: str, modes: int, baths: int
) -> None:
    """Raise ValueError where heat is asked of a covariance, from which it does not follow."""
    flows = ("heat_currents", "entropy_production")
    names = [name for flow in flows for name in OBSERVABLES[flow].names(modes, baths)]
    if dynamics is None and observable in names:
        raise ValueError(
            f"Argument `{argument}` must return a Dynamics for the observable {observable!r}, "
            "which no covariance tells, but it returns a covariance."
        )
