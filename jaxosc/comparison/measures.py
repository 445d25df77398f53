"""What one description says of a network, and how far that is from the exact answer."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks, positivity
from jaxosc._compilation import compiled
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics, steady_state
from jaxosc.equations import environment
from jaxosc.equations.langevin_integral import langevin_quadrature
from jaxosc.equations.registry import EQUATIONS, EXACT
from jaxosc.gaussian.entropies import is_physical
from jaxosc.observables import OBSERVABLES, Observable
from jaxosc.oscillators import Oscillators
from jaxosc.thermodynamics.currents import heat_currents

# The exact one where no finite drift is: a covariance and no dynamics.
INTEGRAL = "langevin_quadrature"
# What a number may be off by rounding alone, in ε of what it is a difference of.
_ROUNDING = 1e3


@dataclass(frozen=True)
class Answer:
    """What a description says.

    Attributes:
        values: the numbers of each observable, by its name.
        scales: for each observable what rounding of its numbers is measured by.
        physical: whether the state is one; None where moments diverge.
        completely_positive: whether the generator is; None if it is none of a Markov process.
        margin: by how much, the smallest eigenvalue of D + (i/2)(AJ + JAᵀ); NaN likewise.
        entropy_production: −Σ Q_m/T_m; NaN where it is not defined.
        second_law: whether that is not negative, up to rounding; None where it is not defined.
        note: what is to be said of it, or nothing.
    """

    values: dict[str, np.ndarray]
    scales: dict[str, float]
    physical: bool | None
    completely_positive: bool | None
    margin: float
    entropy_production: float
    second_law: bool | None
    note: str


class Unanswered(ValueError):
    """There is no answer, for the reason given."""


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        oscillators, baths: of whom.
        observables: what, by name.
    """

    oscillators: Oscillators
    baths: Baths
    observables: Mapping[str, Observable]

    def names(self, observable: str) -> tuple[str, ...]:
        """Of the numbers of an observable."""
        return self.observables[observable].names(self.oscillators.modes, len(self.baths.damping))

    def there(self) -> Question:
        """The same without what this network has none of, as coherence with one oscillator."""
        asked = {name: each for name, each in self.observables.items() if self.names(name)}
        if not asked:
            raise ValueError(
                "Argument `observables` must hold one that this network has, but it has none of "
                f"{', '.join(self.observables)}."
            )
        return Question(self.oscillators, self.baths, asked)

    def of(self, oscillators: Oscillators, baths: Baths) -> Question:
        """The same of another network."""
        return Question(oscillators, baths, self.observables)


def exact_name(baths: Baths) -> str:
    """The exact description of these baths; Unanswered if there is none."""
    try:
        kind = environment.noise_of(baths)
    except ValueError as error:
        raise Unanswered(str(error)) from error
    return INTEGRAL if kind == "one-sided" else EXACT


class _Found(NamedTuple):
    """σ, the heat currents, whether the generator is completely positive, and by how much."""

    covariance: jax.Array
    heat: jax.Array
    positive: jax.Array | None
    margin: Any


@_checks.nan_is_an_answer
@compiled
def _found(dynamics: Dynamics) -> _Found:
    """In one program, in which the generators are shared: a description compiles half as long."""
    return _Found(
        steady_state(dynamics),
        heat_currents(dynamics),
        positivity.is_completely_positive(dynamics),
        positivity.complete_positivity_margin(dynamics),
    )


def answer(name: str, question: Question) -> Answer:
    """What a description says.

    Raises:
        Unanswered: with the reason.
    """
    oscillators, baths = question.oscillators, question.baths
    dynamics: Dynamics | None = None
    try:
        with warnings.catch_warnings():  # of moments that diverge, which a note tells
            warnings.simplefilter("ignore", UserWarning)
            if name == INTEGRAL:
                nothing = jnp.full(len(baths.damping), jnp.nan)
                found = _Found(langevin_quadrature(oscillators, baths), nothing, None, jnp.nan)
            else:
                dynamics = EQUATIONS[name](oscillators, baths)
                found = _found(dynamics)
                if np.isnan(found.covariance).any():
                    steady_state(dynamics)  # which has the words, unless moments diverge
    except ValueError as error:
        raise Unanswered(str(error)) from error
    covariance, heat = found.covariance, np.asarray(found.heat)
    missing = np.isnan(np.asarray(covariance))
    if missing.all():
        raise Unanswered("There is no steady state.")
    values = _values(question, dynamics, found)
    eps = float(np.finfo(covariance.dtype).eps) * _ROUNDING
    size = float(np.nanmax(abs(np.asarray(covariance))))
    energy = float(abs(np.asarray(oscillators.hessian)).max())
    current = eps * float(np.asarray(baths.damping).max()) * energy * size
    production = _production(heat, baths)
    scales = {
        "occupation": eps * size,
        "coherence": eps * size,
        "negativity": eps,
        "steering": eps,
        "squeezing": eps,
        "number_covariance": eps * size**2,
        "ergotropy": eps * energy * size,
        "heat_currents": current,
        "entropy_production": _over_coldest(current, baths),
    }
    margin = float(found.margin)
    return Answer(
        values=values,
        scales={
            key: scales.get(key, eps * float(abs(numbers).max())) for key, numbers in values.items()
        },
        physical=None if missing.any() else bool(is_physical(covariance)),
        completely_positive=None if np.isnan(margin) else bool(found.positive),
        margin=margin,
        entropy_production=production,
        second_law=None
        if np.isnan(production)
        else bool(production >= -scales["entropy_production"]),
        note="some moments diverge without a cutoff of the spectrum" if missing.any() else "",
    )


def _values(question: Question, dynamics: Dynamics | None, found: _Found) -> dict[str, np.ndarray]:
    """Every number. Those of the state in one program for all descriptions: they compile once."""
    asked, covariance = question.observables, found.covariance
    heat = np.asarray(found.heat)
    ours = [name for name in asked if asked[name] is OBSERVABLES.get(name)]
    states = tuple(name for name in ours if not asked[name].of_dynamics)
    known = dict(zip(states, map(np.asarray, _of_state(covariance, states)), strict=True))
    known["heat_currents"] = heat
    known["entropy_production"] = np.array([_production(heat, question.baths)])
    for name in asked:
        if name in known:
            continue
        if dynamics is None and asked[name].of_dynamics:
            known[name] = np.array([np.nan])
        else:
            known[name] = np.asarray(asked[name].values(dynamics, covariance))
    return {name: known[name] for name in asked}


@partial(jax.jit, static_argnames="names")
def _of_state(covariance: jax.Array, names: tuple[str, ...]) -> list[jax.Array]:
    return [OBSERVABLES[name].values(None, covariance) for name in names]


def _production(heat: np.ndarray, baths: Baths) -> float:
    """−Σ Q_m/T_m; NaN if a bath is at zero temperature, or has none."""
    if baths.temperature is None:
        return float("nan")
    damped = np.asarray(baths.damping) > 0
    temperature = np.asarray(baths.temperature)[damped]
    return float(-(heat[damped] / temperature).sum()) if temperature.all() else float("nan")


def _over_coldest(current: float, baths: Baths) -> float:
    """What rounding of a current is of the production of entropy."""
    if baths.temperature is None:
        return float("nan")
    temperature = np.asarray(baths.temperature)[np.asarray(baths.damping) > 0]
    return current / float(temperature.min()) if temperature.all() else float("nan")


def errors(given: Answer, exact: Answer) -> dict[str, float]:
    """The largest relative error of each observable's numbers; NaN if there is nothing to compare.

    Numbers that agree but for rounding have none; one that is not zero beside an exact zero has
    an infinite error. A complex number, real and imaginary part side by side, is one; of decibels
    it is the error of the variance that they tell.
    """
    found = {}
    for name, values in given.values.items():
        reference = exact.values[name]
        floor = max(given.scales[name], exact.scales[name])
        found[name] = _largest(name, values, reference, floor)
    return found


def _largest(name: str, values: np.ndarray, reference: np.ndarray, floor: float) -> float:
    difference = values - reference
    if name == "coherence":
        difference, reference = _moduli(difference), _moduli(reference)
    elif name == "squeezing":
        difference, reference = np.expm1(-difference * np.log(10) / 10), np.ones_like(reference)
    difference, reference = abs(difference), abs(reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        beside = np.where(reference <= floor, np.inf, difference / reference)
        relative = np.where(difference <= floor, 0.0, beside)
    return float(relative.max()) if relative.size else float("nan")


def _moduli(parts: np.ndarray) -> np.ndarray:
    return np.asarray(np.hypot(parts[0::2], parts[1::2]))


def own(name: str, function: Callable[[jax.Array], Any]) -> Observable:
    """An observable of the user's, a real number."""

    def values(dynamics: Dynamics | None, covariance: jax.Array) -> jax.Array:
        del dynamics
        found = function(covariance)
        if not hasattr(found, "dtype") and not isinstance(found, float):
            raise ValueError(
                f"Argument `observables` must hold functions that return one real number, but "
                f"{name!r} returns {found!r}."
            )
        found = jnp.asarray(found)
        if found.shape or not jnp.issubdtype(found.dtype, jnp.floating):
            raise ValueError(
                f"Argument `observables` must hold functions that return one real number, but "
                f"{name!r} returns {found.dtype} of shape {found.shape}."
            )
        return found[None]

    return Observable(lambda modes, baths: (name,), values)
