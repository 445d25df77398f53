"""What one description says of a network, and how far that is from the exact answer."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import thermodynamics
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics, steady_state
from jaxosc.equations import environment
from jaxosc.equations.langevin_integral import langevin_quadrature
from jaxosc.equations.registry import EQUATIONS, EXACT
from jaxosc.gaussian import is_physical
from jaxosc.observables import Observable
from jaxosc.oscillators import Oscillators

# The exact one where no finite drift is: a covariance and no dynamics.
INTEGRAL = "langevin_quadrature"
# What a number may be off by rounding alone, in ε of what it is a difference of.
_ROUNDING = 1e4


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
                covariance = langevin_quadrature(oscillators, baths)
            else:
                dynamics = EQUATIONS[name](oscillators, baths)
                covariance = steady_state(dynamics)
    except ValueError as error:
        raise Unanswered(str(error)) from error
    missing = np.isnan(np.asarray(covariance))
    if missing.all():
        raise Unanswered("There is no steady state.")
    note = "some moments diverge without a cutoff of the spectrum" if missing.any() else ""
    values = {}
    for key, observable in question.observables.items():
        values[key] = _numbers(key, observable, question, dynamics, covariance)
    size = float(np.nanmax(abs(np.asarray(covariance))))
    rate = float(np.asarray(baths.damping).max())
    energy = float(abs(np.asarray(oscillators.hessian)).max())
    eps = float(np.finfo(covariance.dtype).eps) * _ROUNDING
    current = eps * rate * energy * size
    production, law = _second_law(dynamics, baths, current)
    markovian = name != EXACT or environment.noise_of(baths) == "white"
    positive, margin = _positivity(dynamics if markovian else None)
    return Answer(
        values=values,
        scales={key: current if key == "heat_currents" else eps * size for key in values},
        physical=None if missing.any() else bool(is_physical(covariance)),
        completely_positive=positive,
        margin=margin,
        entropy_production=production,
        second_law=law,
        note=note,
    )


def _numbers(
    name: str,
    observable: Observable,
    question: Question,
    dynamics: Dynamics | None,
    covariance: jax.Array,
) -> np.ndarray:
    if dynamics is None and observable.of_dynamics:
        return np.full(len(question.names(name)), np.nan)
    return np.asarray(observable.values(dynamics, covariance))


def _second_law(
    dynamics: Dynamics | None, baths: Baths, rounding: float
) -> tuple[float, bool | None]:
    if dynamics is None or baths.temperature is None:
        return float("nan"), None
    production = float(thermodynamics.entropy_production(dynamics))
    if not np.isfinite(production):  # of a bath at zero temperature
        return float("nan"), None
    coldest = np.asarray(baths.temperature)[np.asarray(baths.damping) > 0].min()
    return production, bool(production * coldest >= -rounding)


def _positivity(dynamics: Dynamics | None) -> tuple[bool | None, float]:
    if dynamics is None:
        return None, float("nan")
    return (
        bool(thermodynamics.is_completely_positive(dynamics)),
        float(thermodynamics.complete_positivity_margin(dynamics)),
    )


def errors(given: Answer, exact: Answer) -> dict[str, float]:
    """The largest relative error of each observable's numbers; NaN if there is nothing to compare.

    Numbers that agree but for rounding have none; one that is not zero beside an exact zero has
    an infinite error. A complex number, real and imaginary part side by side, is one.
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
    difference, reference = abs(difference), abs(reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(difference <= floor, 0.0, difference / reference)
    return float(relative.max()) if relative.size else float("nan")


def _moduli(parts: np.ndarray) -> np.ndarray:
    return np.asarray(np.hypot(parts[0::2], parts[1::2]))


def own(name: str, function: Callable[[jax.Array], Any]) -> Observable:
    """An observable of the user's, a real number."""

    def values(dynamics: Dynamics | None, covariance: jax.Array) -> jax.Array:
        del dynamics
        found = jnp.asarray(function(covariance))
        if found.shape or not jnp.issubdtype(found.dtype, jnp.floating):
            raise ValueError(
                f"Argument `observables` must hold functions that return one real number, but "
                f"{name!r} returns {found.dtype} of shape {found.shape}."
            )
        return found[None]

    return Observable(lambda modes, baths: (name,), values)
