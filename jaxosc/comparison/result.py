"""What ``compare`` found."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import Any

from jaxosc._scales import Scales, domain_of
from jaxosc.comparison import advice, tables
from jaxosc.comparison.advice import Recommendation
from jaxosc.comparison.measures import Question
from jaxosc.comparison.row import Row

_NAN = float("nan")


@dataclass(frozen=True)
class Comparison:
    """What ``compare`` found; ``print`` it for the tables, a notebook shows them.

    Attributes:
        exact: the name of the description that the others are compared with; None if there is
            none, or its state is not physical.
        reference: about the exact one, in words.
        rows: the exact one first, then by error, those without an answer last.
        tolerance: the relative error that is good enough.
        scales: the ratios of scales that decide where a description holds.
    """

    exact: str | None
    reference: str
    rows: tuple[Row, ...]
    tolerance: float
    scales: Scales
    _question: Question = field(repr=False)

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        listed = ", ".join(repr(row.name) for row in self.rows)
        raise ValueError(f"Argument `name` must be one of {listed}, but it is {name!r}.")

    def recommend(self, tolerance: float | None = None) -> Recommendation:
        """The cheapest description whose errors are all within a tolerance.

        Args:
            tolerance: a relative error; that of ``compare`` if left out.

        Returns:
            A Recommendation: its name, its reason, and what would break it, found by computing
            the error again with couplings, damping and temperatures changed by factors up to 10.

        Raises:
            ValueError: if the tolerance is not positive.
        """
        tolerance = self.tolerance if tolerance is None else advice.tolerance_of(tolerance)
        return advice.recommend(self.rows, self.exact, self._question, tolerance)

    def records(self) -> list[dict[str, Any]]:
        """One dictionary a description, of numbers, words and None: a row of a data frame."""
        return [
            {
                "description": row.name,
                **{name: row.values.get(name, _NAN) for name in self._quantities},
                **{
                    f"error_{name}": row.errors.get(name, _NAN)
                    for name in self._question.observables
                },
                "error": row.error,
                "physical": row.physical,
                "completely_positive": row.completely_positive,
                "margin": row.margin,
                "entropy_production_rate": row.entropy_production,
                "second_law": row.second_law,
                "cost": row.cost,
                "domain": row.domain,
                "reason": row.reason,
            }
            for row in self.rows
        ]

    def to_xarray(self) -> Any:
        """The numbers as an ``xarray.Dataset`` along ``description``.

        Returns:
            a Dataset: ``value`` along ``quantity``, ``error`` along ``observable``, and the rest
            one a description; 1, 0 and NaN for yes, no and neither.

        Raises:
            ValueError: if xarray is not installed.
        """
        try:
            import xarray
        except ImportError as error:
            raise ValueError(
                'A comparison becomes a Dataset only with xarray: pip install "jaxosc[io]".'
            ) from error
        quantities, observables = self._quantities, tuple(self._question.observables)

        def along(function: Any) -> tuple[str, list[Any]]:
            return "description", [function(row) for row in self.rows]

        def table(part: str, names: tuple[str, ...]) -> list[list[float]]:
            return [[getattr(row, part).get(name, _NAN) for name in names] for row in self.rows]

        def flag(name: str) -> tuple[str, list[Any]]:
            return along(lambda row: _as_number(getattr(row, name)))

        return xarray.Dataset(
            {
                "value": (("description", "quantity"), table("values", quantities)),
                "error": (("description", "observable"), table("errors", observables)),
                "physical": flag("physical"),
                "completely_positive": flag("completely_positive"),
                "margin": along(lambda row: row.margin),
                "entropy_production": along(lambda row: row.entropy_production),
                "second_law": flag("second_law"),
                "cost": along(lambda row: row.cost),
                "domain": along(lambda row: row.domain),
                "reason": along(lambda row: row.reason),
            },
            {
                "description": [row.name for row in self.rows],
                "quantity": list(quantities),
                "observable": list(observables),
            },
            {"exact": self.exact or "", "tolerance": self.tolerance},
        )

    @property
    def _quantities(self) -> tuple[str, ...]:
        names = map(self._question.names, self._question.observables)
        return tuple(name for each in names for name in each)

    def _values(self) -> tuple[list[str], list[list[str]]]:
        rows = []
        for row in self.rows:
            numbers = [row.values.get(name, _NAN) for name in self._quantities]
            rows.append([row.name, *map(tables.number, numbers)])
        return ["value", *map(tables.symbol, self._quantities)], rows

    def _grades(self) -> tuple[list[str], list[list[str]]]:
        observables = tuple(self._question.observables)
        rows = []
        for row in self.rows:
            numbers = [tables.number(row.errors.get(name, _NAN), 2) for name in observables]
            production = tables.number(row.entropy_production, 3)
            rows.append([
                row.name,
                *numbers,
                tables.verdict(row.physical),
                tables.verdict(row.completely_positive),
                tables.verdict(row.second_law),
                production,
                tables.number(row.cost, 2),
            ])  # fmt: skip
        header = ["relative error", *map(tables.symbol, observables)]
        return [*header, "physical", "CP", "2nd law", "production", "cost"], rows

    def _words(self) -> list[tuple[str, str]]:
        found = []
        for row in self.rows:
            domain = domain_of(row.name, self._question.baths)
            words = domain.in_short(self.scales) if domain else row.domain
            if row.reason:
                words = f"{words}; {row.reason}" if row.answered else row.reason
            found.append((row.name, f"{words.rstrip('.')}."))
        return found

    def _advice(self) -> str:
        chosen, reason = advice.choose(self.rows, self.exact, self.tolerance)
        return f"{'none' if chosen is None else chosen.name}: {reason}"

    def __str__(self) -> str:
        parts = [
            tables.paragraph("exact", self.reference),
            tables.plain(*self._values()),
            tables.plain(*self._grades()),
            tables.wrapped(tables.legend(self._question.observables)),
            "\n".join(tables.paragraph(*words) for words in self._words()),
            tables.paragraph("recommended", self._advice()),
        ]
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        good = {row.name for row in self.rows if row.error <= self.tolerance}
        cells = []
        for name, *rest in self._grades()[1]:
            cells.append([name, *(f"<b>{cell}</b>" if name in good else cell for cell in rest)])
        words = "".join(
            f"<li><b>{html.escape(name)}</b>: {html.escape(said)}</li>"
            for name, said in [
                *self._words(),
                ("recommended", self._advice()),
            ]
        )
        return (
            f"<p>exact: {html.escape(self.reference)}</p>"
            f"{tables.markup(*self._values())}{tables.markup(self._grades()[0], cells)}"
            f"<ul>{words}</ul>"
        )


def _as_number(flag: bool | None) -> float:
    return _NAN if flag is None else float(flag)
