"""The function ``compare``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from jaxosc import _checks
from jaxosc import baths as _baths
from jaxosc._scales import SEPARATED, Scales, domain_of, scales_of
from jaxosc.baths import Baths
from jaxosc.comparison.advice import tolerance_of
from jaxosc.comparison.measures import (
    INTEGRAL,
    Answer,
    Question,
    Unanswered,
    answer,
    errors,
    exact_name,
    own,
)
from jaxosc.comparison.result import Comparison
from jaxosc.comparison.row import Row
from jaxosc.equations import environment
from jaxosc.equations.registry import APPROXIMATE
from jaxosc.observables import OBSERVABLES, Observable
from jaxosc.oscillators import Oscillators

_ASKED = ("occupation", "coherence", "information", "heat_currents")
_NAN = float("nan")


@_checks.nan_is_an_answer
def compare(
    oscillators: Oscillators,
    baths: Baths,
    observables: Sequence[str] | Mapping[str, Callable[[jax.Array], Any]] = _ASKED,
    tolerance: float = 0.01,
    descriptions: Sequence[str] = tuple(APPROXIMATE),
) -> Comparison:
    """Every description of a network beside the exact one: errors, positivity, second law, cost.

    The exact one is ``langevin``, or ``langevin_quadrature`` for baths of positive frequencies
    alone, where it has no heat currents. The error of an observable is the largest relative one of
    its numbers, |O − O_exact|/|O_exact|; of a coherence |c − c_exact|/|c_exact|.

    Args:
        oscillators: N modes.
        baths: any. Those with a cutoff behind positions or real rows have the most honest exact
            answer, as ``jaxosc.spectra.Drude``: flat damping is an idealisation itself.
        observables: names among ``"occupation"`` (of every oscillator), ``"coherence"`` (of every
            pair), ``"information"`` (between the first oscillator and the others, as are
            ``"negativity"``, the logarithmic one, and ``"steering"`` by measuring the first),
            ``"entropy"``, ``"purity"``, ``"squeezing"`` (of every oscillator, in dB; its error is
            that of the smallest variance), ``"g2"`` (of every oscillator), ``"number_covariance"``
            (of every pair), ``"heat_currents"`` (of every bath, positive into the oscillators),
            ``"entropy_production"``, ``"ergotropy"``, ``"spectral_gap"``; or a mapping from names
            of your own to functions that take a covariance [2N, 2N] and return one real number.
        tolerance: the relative error that is good enough.
        descriptions: which to compare with the exact one, by name; all of them if left out. Each
            compiles for a second or two at the first call with networks and baths of its kind.

    Returns:
        A Comparison: ``print`` it, or let a notebook show it; ``records()`` and ``to_xarray()``
        have the numbers, ``recommend()`` names the cheapest description within the tolerance and
        what would break it. A description without an answer keeps its row, with the reason.

    Raises:
        ValueError: if the two do not fit together, an argument does not fit, or a value is known
            only inside a transformation.

    Example:
        >>> network = jaxosc.pair((1.0, 1.5), 0.1, "position")
        >>> drude = jaxosc.spectra.Drude(cutoff=10.0)
        >>> baths = jaxosc.Baths(1e-3, (1.0, 2.0), drude, coupling="position")
        >>> found = jaxosc.compare(network, baths, ["occupation"], descriptions=["global", "local"])
        >>> found.exact, found["global"].errors["occupation"] < 0.01
        ('langevin', True)
        >>> found.recommend().name
        'global'
    """
    oscillators, baths = _baths.match(oscillators, baths)
    _checks.require_known("compare", oscillators=oscillators, baths=baths)
    tolerance = tolerance_of(tolerance)
    question = Question(oscillators, baths, _asked(observables)).there()
    _require_descriptions(descriptions)
    scales = scales_of(oscillators, baths)
    exact, reference, answered = _reference(question)
    rows = []
    for name in descriptions:
        try:
            given = answer(name, question)
        except Unanswered as reason:
            rows.append(_unanswered(name, str(reason), scales, question.baths))
        else:
            rows.append(_row(name, given, answered, question, scales))
    rows.sort(key=lambda row: (not row.answered, math.isnan(row.error), row.error))
    return Comparison(
        exact=exact.name if exact is not None and answered is not None else None,
        reference=reference,
        rows=tuple([exact, *rows] if exact is not None else rows),
        tolerance=tolerance,
        scales=scales,
        _question=question,
    )


def _reference(question: Question) -> tuple[Row | None, str, Answer | None]:
    """The row of the exact description if there is one, words, and what to compare with."""
    scales = scales_of(question.oscillators, question.baths)
    try:
        name = exact_name(question.baths)
    except Unanswered as reason:
        return None, f"none, there is nothing to compare with. {reason}", None
    try:
        given = answer(name, question)
    except Unanswered as reason:
        row = _unanswered(name, str(reason), scales, question.baths)
        return row, f"{name} has no answer, there is nothing to compare with. {reason}", None
    if not given.physical:
        words = given.note or "its state is not physical, for flat damping is out of its domain"
        row = _row(name, given, None, question, scales)
        return row, f"{name}, but there is nothing to compare with: {words}.", None
    words = name
    if name == INTEGRAL:
        words += ", by integration over all frequencies; it has no heat currents"
    if environment.noise_of(question.baths) == "flat" and scales.softness < SEPARATED:
        words += (
            ", with flat damping out of its domain: the lowest normal-mode frequency is "
            f"{scales.softness:.2g} x the largest damping rate"
        )
    return _row(name, given, given, question, scales), f"{words}.", given


def _require_descriptions(descriptions: Any) -> None:
    if isinstance(descriptions, str) or not isinstance(descriptions, Sequence):
        raise ValueError(
            f"Argument `descriptions` must be a sequence of names, but it is {descriptions!r}."
        )
    for name in descriptions:
        _checks.require_choice("descriptions", name, tuple(APPROXIMATE))
    if not descriptions or len(set(descriptions)) < len(descriptions):
        raise ValueError(
            "Argument `descriptions` must hold different names, at least one, but it is "
            f"{tuple(descriptions)}."
        )


def _asked(observables: Any) -> dict[str, Observable]:
    """What was asked for, after checking it."""
    if isinstance(observables, Mapping):
        for name, function in observables.items():
            if not isinstance(name, str) or not callable(function):
                raise ValueError(
                    "Argument `observables` must map names to functions of a covariance, but it "
                    f"maps {name!r} to {function!r}."
                )
        found = {name: own(name, function) for name, function in observables.items()}
    elif isinstance(observables, str) or not isinstance(observables, Sequence):
        raise ValueError(
            "Argument `observables` must be a sequence of names or a mapping from names to "
            f"functions, but it is {observables!r}."
        )
    else:
        for name in observables:
            _checks.require_choice("observables", name, tuple(OBSERVABLES))
        found = {name: OBSERVABLES[name] for name in observables}
    if not found:
        raise ValueError("Argument `observables` must hold at least one, but it is empty.")
    return found


def _row(name: str, given: Answer, exact: Answer | None, question: Question, scales: Scales) -> Row:
    values = {
        label: float(value)
        for observable, numbers in given.values.items()
        for label, value in zip(question.names(observable), numbers, strict=True)
    }
    found = errors(given, exact) if exact is not None else dict.fromkeys(given.values, _NAN)
    words, cost = _domain(name, scales, question.baths)
    return Row(
        name=name,
        reason=given.note,
        answered=True,
        values=values,
        errors=found,
        physical=given.physical,
        completely_positive=given.completely_positive,
        margin=given.margin,
        entropy_production=given.entropy_production,
        second_law=given.second_law,
        cost=cost,
        domain=words,
    )


def _unanswered(name: str, reason: str, scales: Scales, baths: Baths) -> Row:
    words, cost = _domain(name, scales, baths)
    return Row(
        name, f"no answer. {reason}", False, {}, {}, None, None, _NAN, _NAN, None, cost, words
    )


def _domain(name: str, scales: Scales, baths: Baths) -> tuple[str, float]:
    """Where it holds, in words, and its cost."""
    domain = domain_of(name, baths)
    if domain is None:
        return "exact, by integration over all frequencies", _NAN
    return domain.said(scales), domain.cost
