"""Why a result is NaN or cannot be trusted, in words and numbers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import jax
import numpy as np

from jaxosc import _checks, domain
from jaxosc import baths as _baths
from jaxosc._kernels import selection
from jaxosc.baths import Baths
from jaxosc.criticality.critical_points import critical_scale
from jaxosc.dynamics import steady_state
from jaxosc.equations import environment
from jaxosc.equations.local_lindblad import LocalLindblad
from jaxosc.equations.registry import STANDARD, Equation
from jaxosc.gaussian import is_physical, occupation, symplectic_eigenvalues
from jaxosc.normal_modes import degenerate_neighbours, normal_modes
from jaxosc.oscillators import (
    Oscillators,
)

# Below this ratio of two scales that a description takes as well separated, its error is no
# longer small: 1/10 enters squared or linearly, so per cent to ten per cent.
_SEPARATED = 10.0


@dataclass(frozen=True)
class State:
    """The steady state of one description.

    Attributes:
        physical: whether it exists and satisfies the uncertainty relation.
        smallest: its smallest symplectic eigenvalue, at least 1/2 if physical; NaN if there is
            no state, or the rounding of its covariance hides it.
        lowest_occupation: the smallest ⟨a_j†a_j⟩; NaN if there is no state.
        reason: a sentence.
    """

    physical: bool
    smallest: float
    lowest_occupation: float
    reason: str


@dataclass(frozen=True)
class Diagnosis:
    """What ``diagnose`` found; ``print`` it for the words.

    Attributes:
        bounded: whether the Hamiltonian is bounded below.
        critical_ratio: all couplings over the critical ones, 0 for uncoupled oscillators, 1 at
            the critical point (λ/λ_c for two modes); NaN where a frequency is not positive.
        stable: whether every solution of the damped dynamics decays.
        decay_rate: the slowest decay rate of the amplitudes, in the unit of ω.
        softness: smallest normal-mode frequency over the largest damping rate. The flat Langevin
            model rounds its criticality off where this is not large.
        secularity: smallest distance of two normal-mode frequencies over the largest damping
            rate, without those of degenerate modes. The global equation needs it large; infinite
            where there is nothing to separate.
        states: the steady state of each description, by name.
        noise: what the exact description takes the baths for: "flat", "structured" or "white";
            "one-sided" where there is only the integral.
    """

    bounded: bool
    critical_ratio: float
    stable: bool
    decay_rate: float
    softness: float
    secularity: float
    states: dict[str, State]
    noise: str

    @property
    def langevin_in_domain(self) -> bool:
        """Whether the Langevin equation is inside its domain: physical, and if flat not rounded."""
        soft = self.noise == "flat" and not self.softness >= _SEPARATED
        return self.states["langevin"].physical and not soft

    def __str__(self) -> str:
        distance = 1 - self.critical_ratio
        where = f"coupling/critical = {self.critical_ratio:.10g} (distance {distance:.3g})"
        if np.isnan(self.critical_ratio):
            where = "not all frequencies are positive"
        lines = [
            f"Hamiltonian: {'bounded' if self.bounded else 'NOT bounded'} below; {where}.",
            f"Damped dynamics: {'stable' if self.stable else 'NOT stable'}; "
            f"slowest decay rate {self.decay_rate:.3g}.",
        ]
        lines += [f"{name}: {state.reason}" for name, state in self.states.items()]
        if self.bounded and self.noise == "flat":
            lines.append(f"Flat Langevin model: {self._langevin_domain()}")
        if self.bounded and self.noise != "white":
            lines.append(f"Secular approximation of the global equation: {self._secular_domain()}")
        return "\n".join(lines)

    def _langevin_domain(self) -> str:
        ratio = f"smallest normal-mode frequency = {self.softness:.3g} x largest damping rate"
        if np.isnan(self.states["langevin"].lowest_occupation):
            return "no state."
        if not self.states["langevin"].physical:
            return f"outside its domain, the state is not physical; {ratio}."
        if self.softness < _SEPARATED:
            return f"outside its domain, the softest mode is not weakly damped; {ratio}."
        return f"inside its domain; {ratio}."

    def _secular_domain(self) -> str:
        if np.isinf(self.secularity):
            return "nothing to separate."
        ratio = f"smallest frequency splitting = {self.secularity:.3g} x largest damping rate"
        return f"{'justified' if self.secularity >= _SEPARATED else 'NOT justified'}; {ratio}."


@_checks.nan_is_an_answer
def diagnose(oscillators: Oscillators, baths: Baths) -> Diagnosis:
    """Say whether the network and its descriptions make sense, and why not if they do not.

    Args:
        oscillators: N modes; the Hamiltonian need not be bounded.
        baths: any, which each description takes as they are; one that is not made for such baths
            has no state, and the reason says so.

    Returns:
        A Diagnosis: numbers as attributes, words by ``print``.

    Raises:
        ValueError: if the two do not fit together, or a value is known only inside a
            transformation.

    Example:
        >>> network = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> found = jaxosc.diagnose(network, jaxosc.Baths(1e-3, (9.0, 3.0)))
        >>> found.langevin_in_domain, round(found.critical_ratio, 6), found.decay_rate
        (True, 0.632456, 0.001)
        >>> print(found.states["langevin"].reason)
        physical; smallest symplectic eigenvalue 1.71075746 >= 1/2, smallest occupation 1.39295.
    """
    oscillators, baths = _baths.match(oscillators, baths)
    for name, value in (("oscillators", oscillators), ("baths", baths)):
        if any(_checks.concrete(leaf) is None for leaf in jax.tree.leaves(value)):
            raise ValueError(
                f"Argument `{name}` must hold known values, but they are traced; "
                "call diagnose outside jit, vmap and grad."
            )
    bounded = bool(domain.is_bounded(oscillators))
    largest = np.asarray(selection.amplitude_rates(oscillators, baths)).max()
    slowest = LocalLindblad().decay_rate(oscillators, baths)
    softness = secularity = np.nan
    if domain.hold(domain.network_conditions(oscillators)):
        frequency = np.asarray(normal_modes(oscillators).frequency)
        gaps = np.diff(frequency)
        # Inside a group of degenerate modes the global equation separates nothing.
        gaps = gaps[~np.asarray(degenerate_neighbours(oscillators))]
        with np.errstate(all="ignore"):  # no damping, or a ratio past the largest number
            softness = frequency[0] / largest
            secularity = gaps.min() / largest if len(gaps) else np.inf
    return Diagnosis(
        bounded=bounded,
        critical_ratio=_critical_ratio(oscillators),
        stable=slowest > 0,
        decay_rate=slowest,
        softness=float(softness),
        secularity=float(secularity),
        states={
            equation.__name__: _state(equation, oscillators, baths)
            for equation in reversed(STANDARD.values())
        },
        noise=environment.noise_of(baths),
    )


def _critical_ratio(oscillators: Oscillators) -> float:
    """The couplings over the critical ones, NaN if there are none: in a rotating frame."""
    if (oscillators.frequency > 0).all():
        return 1 / float(critical_scale(oscillators))
    return float("nan")


def _state(equation: Equation, oscillators: Oscillators, baths: Baths) -> State:
    try:
        with warnings.catch_warnings():  # of moments that diverge, which the words below tell
            warnings.simplefilter("ignore", UserWarning)
            covariance = steady_state(equation(oscillators, baths))
    except ValueError as error:
        if "bounded below" in str(error):
            return State(False, np.nan, np.nan, "no state: the Hamiltonian is not bounded below.")
        return State(False, np.nan, np.nan, f"no state. {error}")
    if np.isnan(covariance).any():
        return State(False, np.nan, np.nan, "no state: some moments diverge without a cutoff.")
    smallest = float(symplectic_eigenvalues(covariance)[0])
    lowest = float(occupation(covariance).min())
    physical = bool(is_physical(covariance))
    sign = ">=" if physical else "<"
    words = f"smallest symplectic eigenvalue {smallest:.10g} {sign} 1/2"
    if np.isnan(smallest):
        words = "the covariance is not positive definite"
        if physical:
            words = "its symplectic eigenvalues are lost in the rounding of the covariance"
    reason = (
        f"{'physical' if physical else 'NOT physical'}; {words}, smallest occupation {lowest:.6g}."
    )
    return State(physical, smallest, lowest, reason)
