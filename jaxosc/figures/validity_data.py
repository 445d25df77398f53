"""The numbers of the validity map: every description over a plane of couplings and ΔT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from jaxosc.baths import Baths
from jaxosc.equations.registry import EQUATIONS
from jaxosc.observables import OBSERVABLES as OBSERVABLE_GROUPS
from jaxosc.observables import scalars
from jaxosc.pairs import INTERACTIONS
from jaxosc.typing import Interaction

OBSERVABLES = scalars(modes=2, baths=2)
# What the occupation of oscillator 1 is also called.
SHORT = {"occupation": "occupation1"}
# The same plane on a logarithmic axis, from this part of the damping on, shows equal frequencies.
_WEAKEST_OF_DAMPING = 0.05
# Correlations and currents vanish at λ = 0 in every description; next to it their ratio is a limit.
_WEAKEST = 1e-3
_STRONGEST = 0.995
# Splittings below so many damping rates are resolved on a logarithmic axis.
_RESONANT = 100.0
# What vanishes at equal temperatures, where only rounding is left of it, and no relative error.
_FLOWS = [
    name
    for flow in ("heat_currents", "entropy_production")
    for name in OBSERVABLE_GROUPS[flow].names(2, 2)
]


@dataclass(frozen=True)
class Question:
    """What a map shows, and of which network.

    Attributes:
        omega: ω_1, ω_2, as given.
        baths: one an oscillator, both at the temperature of the colder one.
        delta_t: the range of T_2 − T_1.
        observable: its name.
        descriptions: the two that are judged, by name.
        reference: the one that they are compared with, by name.
        points: on each axis.
    """

    omega: tuple[float, float]
    baths: Baths
    delta_t: tuple[float, float]
    observable: str
    descriptions: tuple[str, str]
    reference: str
    points: int

    @property
    def damping(self) -> tuple[float, float]:
        """γ_1, γ_2."""
        return float(self.baths.damping[0]), float(self.baths.damping[1])

    @property
    def resonant(self) -> bool:
        """Whether the frequencies are so close that the damping matters."""
        return abs(self.omega[0] - self.omega[1]) < _RESONANT * max(self.damping)

    @property
    def temperature(self) -> float:
        """Of the colder bath."""
        assert self.baths.temperature is not None
        return float(self.baths.temperature[0])

    def pairs(self) -> list[tuple[float, float]]:
        """The frequencies of each row: as given, and the same made equal."""
        mean = float(np.sqrt(self.omega[0]) * np.sqrt(self.omega[1]))
        return [self.omega] if self.resonant else [self.omega, (mean, mean)]


@dataclass(frozen=True)
class Plane:
    """Two descriptions and their reference over (λ/λ_c, ΔT), for one pair and interaction.

    Attributes:
        interaction: ``"position"`` or ``"rotating-wave"``.
        omega: ω_1, ω_2.
        critical: λ_c, in the unit of ω.
        resonant: whether ω_1 and ω_2 are so close that λ is drawn logarithmically.
        ratio: λ/λ_c [X].
        difference: ΔT = T_2 − T_1 [Y].
        temperature: T_1, T_2 [Y, 2].
        vanishing: where the observable is zero for any λ [Y].
        exact: the observable by the reference [Y, X]; NaN where that has no answer.
        values: the same by each description.
    """

    interaction: Interaction
    omega: tuple[float, float]
    critical: float
    resonant: bool
    ratio: np.ndarray
    difference: np.ndarray
    temperature: np.ndarray
    vanishing: np.ndarray
    exact: np.ndarray
    values: dict[str, np.ndarray]

    @property
    def defined(self) -> np.ndarray:
        """Where there is something to compare with: a reference that is not zero [Y, X]."""
        return np.isfinite(self.exact) & (self.exact != 0) & ~self.vanishing[:, None]

    def error(self, description: str) -> np.ndarray:
        """Relative error O/O_exact − 1 [Y, X]; NaN where the reference is zero or has none."""
        exact = np.where(self.defined, self.exact, np.nan)
        return self.values[description] / exact - 1

    def trusted(self, description: str, tolerance: float) -> np.ndarray:
        """Where the relative error is within the tolerance [Y, X]."""
        return np.abs(self.error(description)) <= tolerance


def planes(question: Question) -> Iterator[Plane]:
    """The planes of one map: as given for both interactions, and the same at equal frequencies."""
    for omega in question.pairs():
        for interaction in INTERACTIONS:
            yield _plane(question, omega, interaction)


def require_answers(question: Question) -> None:
    """Raise ValueError, before anything is compiled, where a description refuses such baths."""
    # Not with the numbers, which may lie outside its domain at some points: those are NaN.
    jax.eval_shape(
        partial(
            _over_plane,
            observable=question.observable,
            names=(question.reference, *question.descriptions),
        ),
        # Of the true shapes: what is traced here serves the computation.
        *map(jnp.ones, (2, 2, question.points, (question.points, 2))),
        question.baths,
    )


def _plane(question: Question, omega: tuple[float, float], interaction: Interaction) -> Plane:
    points = question.points
    critical = float(jaxosc.critical_coupling(np.array(omega), interaction))
    resonant = question.resonant or omega[0] == omega[1]
    if resonant:
        weakest = min(_WEAKEST_OF_DAMPING * max(question.damping) / critical, _STRONGEST / 10)
        ratio = np.geomspace(weakest, _STRONGEST, points)
    else:
        ratio = np.linspace(_WEAKEST, _STRONGEST, points)
    difference = np.linspace(*question.delta_t, points)
    # The colder bath stays where it is.
    hotter = np.stack([np.maximum(-difference, 0), np.maximum(difference, 0)], axis=1)
    temperature = question.temperature + hotter
    values: dict[str, np.ndarray] = jax.tree.map(
        np.asarray,
        _over_plane(
            jnp.array(omega),
            jnp.array([2.0 if interaction == "position" else 1.0, critical]),
            jnp.array(ratio),
            jnp.array(temperature),
            question.baths,
            question.observable,
            (question.reference, *question.descriptions),
        ),
    )
    exact = values[question.reference]
    values = {name: values[name] for name in question.descriptions}
    equal = np.abs(difference) < 1e-9 * np.ptp(difference)
    return Plane(
        interaction, omega, critical, resonant, ratio, difference, temperature,
        equal & (question.observable in _FLOWS), exact, values,
    )  # fmt: skip


@partial(jax.jit, static_argnames=("observable", "names"))
def _over_plane(
    omega: jax.Array,
    form: jax.Array,
    ratio: jax.Array,
    temperature: jax.Array,
    baths: Baths,
    observable: str,
    names: Sequence[str],
) -> dict[str, jax.Array]:
    """One program for both interactions: ``form`` is 1 + κ/λ, and λ_c."""
    share, critical = form[0] - 1, form[1]

    def at(temperature: jax.Array, ratio: jax.Array) -> dict[str, jax.Array]:
        exchange = ratio * critical * (jnp.ones((2, 2)) - jnp.eye(2)).astype(ratio.dtype)
        oscillators = jaxosc.Oscillators(omega, exchange, share * exchange)
        result = {}
        for name in names:
            dynamics = EQUATIONS[name](oscillators, baths.replace(temperature=temperature))
            covariance = jaxosc.steady_state(dynamics)
            result[name] = OBSERVABLES[observable](dynamics, covariance)
        return result

    # Row after row: enlarged by the filters of a structured bath, a plane at once is gigabytes.
    return jax.lax.map(lambda row: jax.vmap(at, (None, 0))(row, ratio), temperature)
