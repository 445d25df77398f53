"""Which description to use, and what would break it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from jaxosc import _checks
from jaxosc._scales import domain_of, scales_of
from jaxosc.comparison import tables
from jaxosc.comparison.measures import Question, Unanswered, answer, errors
from jaxosc.comparison.row import Row
from jaxosc.oscillators import with_couplings

_FACTORS = (2.0, 5.0, 10.0)
# As near to the critical point as a coupling is taken.
_NEAREST = 0.99


@dataclass(frozen=True)
class Recommendation:
    """Which description to use; ``print`` it for the words.

    Attributes:
        name: of the description; None if there is nothing to compare with.
        error: its largest relative error; NaN likewise.
        tolerance: that was asked for.
        reason: why this one, in words.
        breaks: what would break it, in words.
    """

    name: str | None
    error: float
    tolerance: float
    reason: str
    breaks: tuple[str, ...]

    def __str__(self) -> str:
        first = tables.paragraph(f"use {self.name or 'nothing'}", self.reason)
        return "\n".join([first, *(tables.wrapped(f"- {words}") for words in self.breaks)])


def tolerance_of(tolerance: float) -> float:
    """The tolerance, after checking that it is a positive number."""
    try:
        number = _checks.real_number(tolerance)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(
            f"Argument `tolerance` must be a positive number, but it is {tolerance!r}."
        )
    return number


def choose(rows: Sequence[Row], exact: str | None, tolerance: float) -> tuple[Row | None, str]:
    """The cheapest physical one within the tolerance, and why."""
    if exact is None:
        return None, "there is nothing to compare with."
    within = [row for row in rows if row.physical and row.error <= tolerance]
    if not within:
        return None, "no observable has an exact value to compare with."
    chosen = min(within, key=_preference)
    others = [row for row in rows if row.answered and row.name != exact]
    if chosen.name == exact and len(within) > 1:
        return chosen, f"the exact one, which costs no more than the others within {tolerance:g}."
    if chosen.name == exact:
        reason = f"the exact one: no approximation is within {tolerance:g}"
        if others and others[0].worst:
            reason += f"; the nearest, {others[0].name}, {_error(others[0].error, others[0].worst)}"
        return chosen, reason + "."
    reason = (
        f"the cheapest of {len(within)} within {tolerance:g}: its largest relative error is "
        f"{chosen.error:.2g}, in {chosen.worst}"
    )
    missing = [name for name, error in chosen.errors.items() if math.isnan(error)]
    cautions = [
        f"nothing is exact to compare its {' and '.join(missing)} with" if missing else "",
        "its generator is not completely positive, so transients may leave the physical states"
        if chosen.completely_positive is False
        else "",
        "its heat currents break the second law" if chosen.second_law is False else "",
    ]
    return chosen, "; ".join([reason, *filter(None, cautions)]) + "."


@_checks.nan_is_an_answer
def recommend(
    rows: Sequence[Row], exact: str | None, question: Question, tolerance: float
) -> Recommendation:
    """The same, with what would break it."""
    chosen, reason = choose(rows, exact, tolerance)
    if chosen is None or exact is None:
        return Recommendation(None, math.nan, tolerance, reason, ())
    breaks: tuple[str, ...] = ()
    if chosen.name != exact:
        breaks = tuple(_breaks(chosen.name, exact, question, tolerance))
    return Recommendation(chosen.name, chosen.error, tolerance, reason, breaks)


def _preference(row: Row) -> tuple[float, bool, float]:
    """Less cost first; at the same one completely positive generators, then smaller errors."""
    cost = math.inf if math.isnan(row.cost) else row.cost
    return cost, row.completely_positive is False, row.error


def _error(error: float, observable: str) -> str:
    if math.isinf(error):
        return f"has {observable} where the exact one is zero"
    return f"is off by {error:.2g} in {observable}"


def _breaks(name: str, exact: str, question: Question, tolerance: float) -> Iterator[str]:
    """The first of some growing changes of each kind at which it fails, or that none does."""
    for change in _changes(question):
        for factor in change.factors:
            words = change.words.format(factor, 1 / factor)
            failure = _failure(name, exact, change.applied(factor), tolerance)
            if failure:
                yield f"{words}: {failure}"
                break
        else:
            yield f"{words}: still within."
    domain = domain_of(name, question.baths)
    conditions = domain.conditions if domain is not None else ()
    scales = scales_of(question.oscillators, question.baths)
    known = [each for each in conditions if not math.isnan(each.ratio(scales))]
    if known:
        nearest = max(known, key=lambda each: each.ratio(scales))
        worst = "the nearest to fail is" if nearest.met(scales) else "what fails most is"
        yield f"of what it needs, {worst} {nearest.said(scales)}."


def _failure(name: str, exact: str, changed: Question, tolerance: float) -> str:
    """What is wrong with it there; empty if nothing is."""
    try:
        given, reference = answer(name, changed), answer(exact, changed)
    except Unanswered as reason:
        return f"no answer. {reason}"
    if not reference.physical:
        return "no exact state to compare with."
    found = errors(given, reference)
    beyond = {key: error for key, error in found.items() if error > tolerance}
    if beyond:
        worst = max(beyond, key=beyond.__getitem__)
        return f"it {_error(beyond[worst], worst)}."
    return "" if given.physical else "its state is not physical."


class _Change(NamedTuple):
    """One thing changed by growing factors: the words for a factor and its inverse."""

    words: str
    factors: Sequence[float]
    applied: Callable[[float], Question]


def _changes(question: Question) -> Iterator[_Change]:
    """What may be different about a network and its baths."""
    oscillators, baths = question.oscillators, question.baths

    def coupled(factor: float) -> Question:
        exchange, pairing = oscillators.exchange * factor, oscillators.pairing * factor
        return question.of(with_couplings(oscillators, exchange, pairing), baths)

    def damped(factor: float) -> Question:
        return question.of(oscillators, baths.replace(damping=baths.damping * factor))

    def colder(factor: float) -> Question:
        assert baths.temperature is not None
        return question.of(oscillators, baths.replace(temperature=baths.temperature / factor))

    ratio = scales_of(oscillators, baths).critical_ratio
    if ratio > 0:
        strongest = _NEAREST / ratio
        stronger = [factor for factor in _FACTORS if factor < strongest]
        if 1 < strongest <= _FACTORS[-1]:
            stronger.append(strongest)
        if stronger:
            yield _Change("all couplings x {0:.3g}", stronger, coupled)
        weaker = [1 / factor for factor in _FACTORS]
        yield _Change("all couplings / {1:g}", weaker, coupled)
    yield _Change("damping rates x {0:g}", _FACTORS, damped)
    if baths.temperature is not None:
        yield _Change("temperatures / {0:g}", _FACTORS, colder)
