"""Derivatives by name: susceptibilities of any order one or two, and critical exponents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._parameters import (
    Function,
    call_by_name,
    named_arrays,
    output_at,
    over_batch,
    real_output,
    require_parameter,
    require_takes,
)
from jaxosc.typing import Mode, Reals

MODES: tuple[Mode, ...] = get_args(Mode)

# (parameter, value, derivative) to what is returned
Combine = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


def susceptibility(
    function: Function,
    parameters: Mapping[str, Reals],
    by: str | Sequence[str],
    mode: Mode = "forward",
) -> Any:
    """First or second derivative of any quantity by any named parameter, ∂O/∂p or ∂²O/∂p∂q.

    Args:
        function: takes the parameters by name, as scalars, and returns real numbers: a scalar,
            an array or a pytree of them. It must be made of differentiable operations, as
            everything from ``pair`` to ``mutual_information`` is. As with ``jax.jit``, it is
            compiled once, and what it finds beside its arguments, such as a global variable or
            an attribute of its object, is fixed then.
        parameters: where. Arrays broadcast against each other, and the derivative is taken at
            every point of them.
        by: the parameter's name, or two names for a second derivative.
        mode: ``"forward"`` or ``"reverse"`` differentiation. The numbers are the same; reverse
            costs less for none of them, but is what ``jax.grad`` uses. A pullback through several
            outputs has 0 × NaN in it where one of them has no slope; what it loses of the others
            is taken forward.

    Returns:
        What the function returns, each array with the shape of the parameters before its own, in
        units of O over those of the parameters. ``jax.grad``, ``jax.jvp`` and ``jax.hessian`` of
        the function give the same numbers. NaN at points where the function has no value, such
        as those past the critical point.

    Raises:
        ValueError: if an argument does not fit, or at a single known point where the function
            has no value, by the function's own error.

    Example:
        >>> def number(coupling):
        ...     network = jaxosc.pair((5.0, 2.0), coupling, "position")
        ...     return jaxosc.occupation(jaxosc.gibbs(network, 3.0))[0]
        >>> jaxosc.susceptibility(number, {"coupling": np.array([0.5, 1.5])}, "coupling").round(6)
        Array([ 0.147981, 35.999497], dtype=float64)
    """
    try:
        names = (by,) if isinstance(by, str) else tuple(by)
    except TypeError:
        names = ()
    if len(names) not in (1, 2):
        raise ValueError(
            f"Argument `by` must be one name, or two for a second derivative, but it is {by!r}."
        )
    _checks.require_choice("mode", mode, MODES)
    return _derivative(function, parameters, names, mode, _slope)


def critical_exponent(
    function: Function, parameters: Mapping[str, Reals], by: str = "distance"
) -> Any:
    """Exponent of a power law, −∂ln O/∂ln δ, at every δ and without a fit.

    1 for O ∝ 1/δ, 1/2 for O ∝ 1/√δ, 0 for an O that stays finite at the critical point.

    Args:
        function: takes the parameters by name, as scalars, and returns a real O ≠ 0, an array
            or a pytree of them. Compiled once, as for ``susceptibility``, with what it finds
            beside its arguments.
        parameters: where. Arrays broadcast against each other.
        by: the name of δ, the distance 1 − λ/λ_c to the critical point. With
            ``pair(…, distance=δ)`` exponents of occupations keep ten digits down to δ = 1e-10;
            from a coupling λ they lose 1e-16/δ.

    Returns:
        What the function returns, dimensionless, with the shape of the parameters before its
        own. NaN where O has no value.

    Raises:
        ValueError: as for ``susceptibility``.

    Example:
        >>> def number(distance):
        ...     network = jaxosc.pair((5.0, 2.0), interaction="position", distance=distance)
        ...     return jaxosc.occupation(jaxosc.gibbs(network, 3.0))[0]
        >>> jaxosc.critical_exponent(number, {"distance": np.array([1e-2, 1e-5, 1e-8])}).round(6)
        Array([0.999453, 1.      , 1.      ], dtype=float64)

    Source: definition of an effective exponent. Konopik & Lutz show the curves (their Figs. 2
    and 5) but state no exponent.
    """
    return _derivative(
        function,
        parameters,
        (by,),
        "forward",
        _exponent,
    )


def logarithmic_slope(
    function: Function, parameters: Mapping[str, Reals], by: str = "distance"
) -> Any:
    """Slope of a logarithmic divergence, −∂O/∂ln δ, at every δ and without a fit.

    ½ for O = ½ ln(1/δ), as the mutual information of two thermal oscillators whose positions are
    coupled; 0 for an O that stays finite.

    Args:
        function: as for ``critical_exponent``, compiled once with what it finds beside its
            arguments; O may vanish.
        parameters: where. Arrays broadcast against each other.
        by: the name of δ, the distance 1 − λ/λ_c to the critical point. An entropy or information
            from float64 covariances is good to 1e-16/δ, and so is its slope.

    Returns:
        What the function returns, in its unit, with the shape of the parameters before its own.
        NaN where O has no value.

    Raises:
        ValueError: as for ``susceptibility``.

    Example:
        >>> def information(distance):
        ...     network = jaxosc.pair((5.0, 2.0), interaction="position", distance=distance)
        ...     return jaxosc.mutual_information(jaxosc.gibbs(network, 3.0))
        >>> jaxosc.logarithmic_slope(information, {"distance": np.array([1e-2, 1e-5])}).round(6)
        Array([0.497187, 0.499997], dtype=float64)
    """
    return _derivative(function, parameters, (by,), "forward", _logarithmic)


@_checks.nan_is_an_answer
def _derivative(
    function: Function,
    parameters: Mapping[str, Reals],
    names: tuple[str, ...],
    mode: Mode,
    combine: Combine,
) -> Any:
    """Value and derivative by the names, one after the other, combined leaf by leaf."""
    arrays = named_arrays("parameters", parameters)
    for name in names:
        require_parameter("by", name, arrays)
    require_takes(function, arrays)
    result = _over_points(function, arrays, names, mode, combine)
    if all(array.shape == () for array in arrays.values()) and _has_nan(result):
        call_by_name(function, arrays)  # says why in its own words, if it can
    return result


@partial(jax.jit, static_argnames=("function", "names", "mode", "combine"))
def _over_points(
    function: Function,
    arrays: dict[str, jax.Array],
    names: tuple[str, ...],
    mode: Mode,
    combine: Combine,
) -> Any:
    def derived(point: dict[str, jax.Array], differentiate: Callable[..., Any]) -> Any:
        def with_value(values: dict[str, jax.Array]) -> tuple[Any, Any]:
            output = real_output("function", output_at(function, values))
            return output, output

        derive: Callable[..., Any] = with_value
        for name in names:
            derive = _by(derive, name, differentiate)
        return derive(point)

    def at_point(point: dict[str, jax.Array]) -> Any:
        slope, value = derived(point, jax.jacfwd if mode == "forward" else jax.jacrev)
        if mode == "reverse" and sum(leaf.size for leaf in jax.tree.leaves(value)) > 1:
            slope = jax.tree.map(_first_known, slope, _forward_if_any(derived, point, slope))
        variable = point[names[0]]

        def leaf(value: jax.Array, slope: jax.Array) -> jax.Array:
            # A function without a value has no slope, whatever its selections pass on.
            slope = combine(variable.astype(value.dtype), value, slope)
            return jnp.where(jnp.isnan(value), jnp.nan, slope)

        return jax.tree.map(leaf, value, slope)

    return over_batch(at_point, arrays)


def _forward_if_any(derived: Callable[..., Any], point: dict[str, jax.Array], slope: Any) -> Any:
    """The slope forward, or as it is where a rule of the user's knows reverse alone."""
    try:
        return derived(point, jax.jacfwd)[0]
    except TypeError:
        return slope


def _first_known(slope: jax.Array, other: jax.Array) -> jax.Array:
    return jnp.where(jnp.isnan(slope), other, slope)


def _slope(variable: jax.Array, value: jax.Array, slope: jax.Array) -> jax.Array:
    return slope


def _exponent(variable: jax.Array, value: jax.Array, slope: jax.Array) -> jax.Array:
    return -slope * variable / value


def _logarithmic(variable: jax.Array, value: jax.Array, slope: jax.Array) -> jax.Array:
    return -slope * variable


def _by(function: Callable[..., Any], name: str, differentiate: Callable[..., Any]) -> Any:
    """(O, value) ↦ (∂O/∂name, value), by jacfwd or jacrev."""

    def derivative(values: dict[str, jax.Array]) -> Any:
        def along(x: jax.Array) -> Any:
            return function({**values, name: x})

        return differentiate(along, has_aux=True)(values[name])

    return derivative


def _has_nan(tree: Any) -> bool:
    known = (_checks.concrete(leaf) for leaf in jax.tree.leaves(tree))
    return any(leaf is not None and bool(np.isnan(leaf).any()) for leaf in known)
