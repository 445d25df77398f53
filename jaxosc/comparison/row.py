"""One description beside the exact one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Row:
    """One description.

    Attributes:
        name: of the description.
        reason: why it has no answer; empty if it has one, but for what is to be said of it.
        answered: whether it has one.
        values: each number by name, as ``occupation1`` or ``heat2`` (into the oscillators).
        errors: the relative error of each observable to the exact one, the largest of its
            numbers; NaN where there is nothing to compare with.
        physical: whether the state obeys the uncertainty relation; None where there is none, or
            moments diverge.
        completely_positive: whether the generator is; None if it is none of a Markov process.
        margin: by how much, the smallest eigenvalue of D + (i/2)(AJ + JAᵀ); NaN likewise.
        entropy_production: −Σ Q_m/T_m in the steady state; NaN where it is not defined.
        second_law: whether that is not negative, up to rounding; None where it is not defined.
        cost: the time of a steady state in a sweep over that of the local equation; NaN if exact
            by integration.
        domain: where the description holds, in words, with what was measured of this network.
    """

    name: str
    reason: str
    answered: bool
    values: dict[str, float]
    errors: dict[str, float]
    physical: bool | None
    completely_positive: bool | None
    margin: float
    entropy_production: float
    second_law: bool | None
    cost: float
    domain: str

    @property
    def worst(self) -> str:
        """The observable of the largest error; empty if none is defined."""
        known = {name: error for name, error in self.errors.items() if not np.isnan(error)}
        return max(known, key=known.__getitem__, default="")

    @property
    def error(self) -> float:
        """The largest of the errors; NaN if none is defined."""
        return self.errors[self.worst] if self.worst else float("nan")
