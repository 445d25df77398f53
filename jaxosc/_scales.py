"""The ratios of scales that decide where an approximation holds, and in words where that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np

from jaxosc import domain
from jaxosc._kernels import selection
from jaxosc.baths import Baths
from jaxosc.criticality.critical_points import critical_scale
from jaxosc.eigenmodes import degenerate_neighbours, normal_modes
from jaxosc.equations.family import USUAL_WIDTH
from jaxosc.oscillators import Oscillators

# Below this ratio of two scales that a description takes as well separated, its error is no
# longer small: 1/10 enters squared or linearly, so per cent to ten per cent.
SEPARATED = 10.0


@dataclass(frozen=True)
class Scales:
    """What is measured of a network and its baths; NaN where it is not defined.

    Attributes:
        critical_ratio: all couplings over the critical ones, λ/λ_c for two modes.
        detuning: the largest |ω_j − ω_k|/min(ω_j, ω_k) of two coupled oscillators; 0 if none are.
        softness: smallest normal-mode frequency over the largest damping rate.
        secularity: smallest distance of two normal-mode frequencies over the largest damping
            rate, without those of degenerate modes; infinite where there is nothing to separate.
        coldness: largest damping rate over the lowest temperature of a bath that damps.
        cluster_distance: smallest | splitting − width |/width, the width being the default of
            the unified and the partially secular equation; infinite as ``secularity``.
        cluster_spread: the widest cluster of that width over its lowest frequency.
        coarseness: the largest of (1/τT)² and (1/τΩ)², τ the default time of coarse graining.
    """

    critical_ratio: float
    detuning: float
    softness: float
    secularity: float
    coldness: float
    cluster_distance: float
    cluster_spread: float
    coarseness: float


def scales_of(oscillators: Oscillators, baths: Baths) -> Scales:
    """Measure them, of known values that belong together."""
    rates, sound = _measured(oscillators, baths)
    largest = np.asarray(rates).max()
    nan = float("nan")
    softness = secularity = distance = spread = coarseness = nan
    with np.errstate(all="ignore"):  # no damping, or a ratio past the largest number
        coldness = largest / _coldest(baths)
        if sound:
            frequency = np.asarray(normal_modes(oscillators).frequency)
            gaps = np.diff(frequency)
            width = USUAL_WIDTH * largest
            spread = _spread(frequency, gaps, width)
            # Inside a group of degenerate modes the global equation separates nothing.
            gaps = gaps[~np.asarray(degenerate_neighbours(oscillators))]
            softness = frequency[0] / largest
            secularity = gaps.min() / largest if len(gaps) else np.inf
            distance = (abs(gaps - width) / width).min() if len(gaps) else np.inf
            rate = largest * np.asarray(oscillators.frequency).min()  # 1/τ²
            coarseness = rate / min(_coldest(baths), frequency[0]) ** 2
    return Scales(
        critical_ratio=_critical_ratio(oscillators),
        detuning=_detuning(oscillators),
        softness=float(softness),
        secularity=float(secularity),
        coldness=float(coldness),
        cluster_distance=float(distance),
        cluster_spread=float(spread),
        coarseness=float(coarseness),
    )


@jax.jit  # in one program: each operation by itself would compile
def _measured(oscillators: Oscillators, baths: Baths) -> tuple[jax.Array, jax.Array]:
    """The amplitude rates, and whether there are normal modes."""
    sound = domain.hold(domain.network_conditions(oscillators))
    return selection.amplitude_rates(oscillators, baths), sound


def _coldest(baths: Baths) -> float:
    """The lowest temperature of a bath that damps; NaN if there is none."""
    if baths.temperature is None:
        return float("nan")
    temperature = np.asarray(baths.temperature)[np.asarray(baths.damping) > 0]
    return float(temperature.min()) if temperature.size else float("nan")


def _critical_ratio(oscillators: Oscillators) -> float:
    """The couplings over the critical ones, NaN if there are none: in a rotating frame."""
    if (oscillators.frequency > 0).all():
        return 1 / float(critical_scale(oscillators))
    return float("nan")


def _detuning(oscillators: Oscillators) -> float:
    frequency = np.asarray(oscillators.frequency)
    if not (frequency > 0).all():
        return float("nan")
    coupling = abs(np.asarray(oscillators.exchange)) + abs(np.asarray(oscillators.pairing))
    one, other = np.nonzero(np.triu(coupling, 1))
    apart = abs(frequency[one] - frequency[other]) / np.minimum(frequency[one], frequency[other])
    return float(apart.max(initial=0.0))


def _spread(frequency: np.ndarray, gaps: np.ndarray, width: float) -> float:
    """Of the widest cluster, a chain of frequencies no further apart than the width."""
    ends = np.flatnonzero(np.append(gaps > width, True))
    begins = np.append(0, ends[:-1] + 1)
    return float(((frequency[ends] - frequency[begins]) / frequency[begins]).max())


class Condition(NamedTuple):
    """Something that must be small.

    Attributes:
        words: what must be far below what.
        ratio: the one over the other.
    """

    words: str
    ratio: Callable[[Scales], float]

    def met(self, scales: Scales) -> bool:
        """Whether it is small; True where there is no such ratio."""
        return not self.ratio(scales) * SEPARATED > 1

    def said(self, scales: Scales) -> str:
        """With the ratio that was measured."""
        ratio = self.ratio(scales)
        if np.isnan(ratio):
            return f"{self.words} (not defined)"
        return f"{'' if self.met(scales) else 'NOT '}{self.words} (ratio {ratio:.2g})"


class Domain(NamedTuple):
    """Where a description holds.

    Attributes:
        words: what it is.
        conditions: what it needs.
        cost: the time of a steady state in a sweep over that of the local equation.
    """

    words: str
    conditions: tuple[Condition, ...]
    cost: float

    def said(self, scales: Scales) -> str:
        """In words, with what was measured."""
        return "; ".join([self.words, *(each.said(scales) for each in self.conditions)])

    def in_short(self, scales: Scales) -> str:
        """In words, with what does not hold."""
        if not self.conditions:
            return self.words
        broken = [each.said(scales) for each in self.conditions if not each.met(scales)]
        return "; ".join([self.words, *(broken or ["what it needs holds here"])])


def domain_of(name: str, baths: Baths) -> Domain | None:
    """Where a description of the registry holds, between these baths; None for any other."""
    found = DOMAINS.get(name)
    if found is not None and name == "local" and baths.occupation is not None:
        return Domain("exact for white baths", (), found.cost)
    return found


def _inverse(ratio: float) -> float:
    return float(np.inf) if ratio == 0 else 1 / ratio


_WEAK = Condition("damping << lowest normal-mode frequency", lambda s: _inverse(s.softness))
_WARM = Condition("damping << temperature", lambda s: s.coldness)
_APART = Condition("damping << splitting of the normal modes", lambda s: _inverse(s.secularity))
# Local: occupations off by up to some 10 times the square of this ratio, so 10 % at 0.1; with the
# first order 30 times less.
_COUPLED = Condition("coupling << critical", lambda s: s.critical_ratio)
_CORRECTED = Condition("coupling^2 << critical^2", lambda s: s.critical_ratio**2)
_TUNED = Condition("detuning << frequency, for heat", lambda s: s.detuning)
_NARROW = Condition("spread of a cluster << its frequency", lambda s: s.cluster_spread)
_COARSE = Condition("1/time^2 << temperature^2, frequency^2", lambda s: s.coarseness)

# Costs: two modes between Drude baths, vmap over 4,096 networks on one CPU, by the general road
# (local: 1.4 microseconds a network). Between flat baths langevin is 2.
DOMAINS = {
    "langevin": Domain("exact for its baths", (), 23.0),
    "detailed-balance": Domain(
        "any splitting; Gibbs state and second law exact", (_WEAK, _WARM), 17.0
    ),
    "redfield": Domain(
        "any splitting; Gibbs state exact, positivity not promised", (_WEAK, _WARM), 17.0
    ),
    "redfield-shifted": Domain(
        "any splitting, coherences best; populations wrong where cold, positivity not promised",
        (_WEAK, _WARM),
        67.0,
    ),
    "universal": Domain(
        "any splitting; second law only to the order of the damping", (_WEAK, _WARM), 17.0
    ),
    "coarse-grained": Domain("averaged over a time", (_WEAK, _WARM, _COARSE), 38.0),
    "unified": Domain("secular between clusters of frequencies", (_WEAK, _WARM, _NARROW), 29.0),
    "partial-secular": Domain(
        "secular between frequencies further apart than a width, positivity not promised",
        (_WEAK, _WARM),
        17.0,
    ),
    "global": Domain("full secular", (_WEAK, _WARM, _APART), 1.0),
    "local-corrected": Domain(
        "first order in the coupling, positivity not promised", (_WEAK, _WARM, _CORRECTED), 9.0
    ),
    "local": Domain(
        "each bath sees its own oscillator alone", (_WEAK, _WARM, _COUPLED, _TUNED), 1.0
    ),
}
