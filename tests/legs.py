"""Which tests run when: always, in continuous integration too (`slow`), or at night.

A law is held by one size, one description or one bath of every path through the code, in the tests
that run always or, where it takes seconds, in those that continuous integration adds; the other
members of the family run at night.
"""

from __future__ import annotations

from typing import Any

import pytest


def nightly(*cases: Any) -> list[Any]:
    """Cases of a parametrized test that run at night only; a tuple is of several arguments."""
    return [_marked(case, pytest.mark.nightly) for case in cases]


def slow(*cases: Any) -> list[Any]:
    """The same, of those that continuous integration runs too."""
    return [_marked(case, pytest.mark.slow) for case in cases]


def others_at_night(cases: Any, quick: Any, later: Any = ()) -> list[Any]:
    """These cases, all but the quick ones slow, and at night all but those and the later ones."""
    marks = pytest.mark.nightly, pytest.mark.slow
    return [case if case in quick else _marked(case, marks[case in later]) for case in cases]


def _marked(case: Any, mark: pytest.MarkDecorator) -> Any:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=mark)
