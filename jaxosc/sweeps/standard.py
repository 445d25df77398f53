"""Two coupled oscillators with two baths, by the names of their parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc.baths import Baths
from jaxosc.dynamics import steady_state
from jaxosc.equations.gibbs import gibbs
from jaxosc.equations.registry import DESCRIPTIONS, EQUATIONS, EQUILIBRIUM
from jaxosc.observables import scalars
from jaxosc.pairs import INTERACTIONS, critical_coupling, pair
from jaxosc.typing import Interaction

# The paper's values; coupling and temperature of the second bath follow from the alternatives
# below unless they are given.
DEFAULTS = {
    "omega1": 5.0,
    "omega2": 2.0,
    "ratio": 0.5,
    "damping1": 1.5e-4,
    "damping2": 1.5e-4,
    "temperature1": 98.0,
    "delta_t": 0.0,
}
_ALTERNATIVES = {"coupling": "ratio", "temperature2": "delta_t"}
_SIGN: dict[str, tuple[Callable[[np.ndarray], Any], str]] = {
    "omega": (lambda values: values > 0, "positive"),
    "damping": (lambda values: values >= 0, "no negative"),
    "temperature": (lambda values: values >= 0, "no negative"),
}
PARAMETERS = (*DEFAULTS, *_ALTERNATIVES)

OBSERVABLES = scalars(modes=2, baths=2)


def parse_parameter(text: str) -> tuple[str, np.ndarray]:
    """A parameter's name and values from ``name=value`` or ``name=start:stop:count[:log]``.

    Returns:
        the name and its values, [] or [count].

    Raises:
        ValueError: if it is nothing like that.
    """
    name, equals, values = text.partition("=")
    if not equals:
        raise ValueError(
            f"Argument `axis` must read name=start:stop:count or name=value, but it is {text!r}."
        )
    _checks.require_choice("axis", name, PARAMETERS)
    parts = values.split(":")
    logarithmic = len(parts) == 4 and parts[3] == "log"
    if logarithmic:
        parts.pop()
    try:
        numbers = [float(part) for part in parts[:2]]
        count = int(parts[2]) if len(parts) == 3 else 0
        fits = len(parts) in (1, 3) and all(map(math.isfinite, numbers))
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"Argument `axis` must read {name}=start:stop:count, {name}=start:stop:count:log or "
            f"{name}=value, with finite numbers, but it is {text!r}."
        )
    if len(parts) == 1:
        return name, np.asarray(numbers[0])
    _checks.require_whole("count", count, 1, 10**8)
    if logarithmic and min(numbers) <= 0:
        raise ValueError(
            f"Argument `axis` must have positive ends on a logarithmic axis, but it is {text!r}."
        )
    start, stop = numbers
    if start == stop and count > 1:
        raise ValueError(
            f"Argument `axis` must have different ends for {count} values, but it is {text!r}."
        )
    values_between = np.geomspace if logarithmic else np.linspace
    return name, values_between(start, stop, count)


def require_consistent(given: Sequence[tuple[str, np.ndarray]]) -> None:
    """Raise ValueError unless each parameter is given once, in one way, and can be."""
    names = [name for name, _ in given]
    for name, values in given:
        kind = name.rstrip("12")
        if kind in _SIGN and not _SIGN[kind][0](values).all():
            raise ValueError(
                f"Argument `axis` must have {_SIGN[kind][1]} values for {name}, "
                f"but the smallest is {values.min():g}."
            )
        if names.count(name) > 1:
            raise ValueError(f"Argument `axis` must give {name} once, but it is given twice.")
    for one, other in _ALTERNATIVES.items():
        if one in names and other in names:
            raise ValueError(
                f"Argument `axis` must give {one} or {other}, but both are given: one follows "
                "from the other."
            )


def standard_model(
    descriptions: Sequence[str],
    observables: Sequence[str],
    interaction: Interaction,
    fixed: Mapping[str, float],
) -> Callable[..., dict[str, dict[str, Any]]]:
    """Observables of two oscillators by several descriptions, as a function of parameters.

    The parameters are ``PARAMETERS``; those not given to it are fixed here, or the paper's. With
    ``ratio`` the coupling is that part of the critical one. The Gibbs state is NaN where the
    temperatures differ.

    Returns:
        a function from parameters by name to a dictionary of descriptions, each of observables;
        the same one for the same arguments, so that it is compiled once.

    Raises:
        ValueError: for an unknown name.
    """
    for name in descriptions:
        _checks.require_choice("description", name, DESCRIPTIONS)
    for name in observables:
        _checks.require_choice("observable", name, tuple(OBSERVABLES))
    _checks.require_choice("interaction", interaction, INTERACTIONS)
    for name in fixed:
        _checks.require_choice("fixed", name, PARAMETERS)
    return _model(
        tuple(descriptions), tuple(observables), interaction, tuple(sorted(fixed.items()))
    )


@lru_cache(maxsize=16)
def _model(
    descriptions: tuple[str, ...],
    observables: tuple[str, ...],
    interaction: Interaction,
    fixed: tuple[tuple[str, float], ...],
) -> Callable[..., dict[str, dict[str, Any]]]:
    def model(**parameters: Any) -> dict[str, dict[str, Any]]:
        given = {**dict(fixed), **parameters}
        value = {**DEFAULTS, **given}
        omega = jnp.stack([jnp.asarray(value["omega1"]), jnp.asarray(value["omega2"])])
        first = jnp.asarray(value["temperature1"])
        second = jnp.asarray(given.get("temperature2", first + value["delta_t"]))
        coupling = given.get("coupling")
        if coupling is None:
            coupling = value["ratio"] * critical_coupling(omega, interaction)
        oscillators = pair(omega, coupling, interaction)
        damping = jnp.stack([jnp.asarray(value["damping1"]), jnp.asarray(value["damping2"])])
        baths = Baths(damping, jnp.stack([first, second]))
        result = {}
        for name in descriptions:
            dynamics = None
            if name == EQUILIBRIUM:
                covariance = jnp.where(first == second, gibbs(oscillators, first), jnp.nan)
            else:
                dynamics = EQUATIONS[name](oscillators, baths)
                covariance = steady_state(dynamics)
            result[name] = {key: OBSERVABLES[key](dynamics, covariance) for key in observables}
        return result

    return model
