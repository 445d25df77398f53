"""Why a result is NaN or cannot be trusted, in words and numbers."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from jaxosc import _checks, domain
from jaxosc import baths as _baths
from jaxosc._scales import SEPARATED, scales_of
from jaxosc.baths import Baths
from jaxosc.dynamics import steady_state
from jaxosc.equations import environment
from jaxosc.equations.local_lindblad import LocalLindblad
from jaxosc.equations.registry import STANDARD, Equation
from jaxosc.gaussian.entropies import is_physical, symplectic_eigenvalues
from jaxosc.gaussian.moments import occupation
from jaxosc.oscillators import Oscillators


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
        coldness: largest damping rate over the lowest temperature of a bath that damps. Every
            equation but the exact one needs it small.
        cluster_distance: smallest |splitting − width|/width, the width of a cluster being 20 times
            the largest damping rate: at 0 the unified and the partially secular equation jump, the
            global one where ``secularity`` is 0.
        detuning: the largest |ω_j − ω_k|/min(ω_j, ω_k) of two coupled oscillators.
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
    coldness: float
    cluster_distance: float
    detuning: float
    states: dict[str, State]
    noise: str

    @property
    def langevin_in_domain(self) -> bool:
        """Whether the Langevin equation is inside its domain: physical, and if flat not rounded."""
        soft = self.noise == "flat" and not self.softness >= SEPARATED
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
        if not np.isnan(self.coldness):
            lines.append(f"Largest damping rate = {self.coldness:.3g} x lowest temperature.")
        if self.bounded and self.noise != "white" and self.critical_ratio > 0:
            lines.append(f"Heat current of the local equation: {self._local_heat()}")
        return "\n".join(lines)

    def _langevin_domain(self) -> str:
        ratio = f"smallest normal-mode frequency = {self.softness:.3g} x largest damping rate"
        if np.isnan(self.states["langevin"].lowest_occupation):
            return "no state."
        if not self.states["langevin"].physical:
            return f"outside its domain, the state is not physical; {ratio}."
        if self.softness < SEPARATED:
            return f"outside its domain, the softest mode is not weakly damped; {ratio}."
        return f"inside its domain; {ratio}."

    def _secular_domain(self) -> str:
        if np.isinf(self.secularity):
            return "nothing to separate."
        ratio = f"smallest frequency splitting = {self.secularity:.3g} x largest damping rate"
        if self.cluster_distance < 1 / SEPARATED:
            ratio += f", {self.cluster_distance:.2g} from where clusters of that width change"
        return f"{'justified' if self.secularity >= SEPARATED else 'NOT justified'}; {ratio}."

    def _local_heat(self) -> str:
        if self.detuning < 1e-3:
            return "no detuning spoils it."
        low, high = 120 * self.detuning, 170 * self.detuning
        return (
            f"off by about {low:.2g} to {high:.2g} %, 1.2 to 1.7 times the detuning over the "
            "frequency, however weak the coupling and hot the baths."
        )


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
    _checks.require_known("diagnose", oscillators=oscillators, baths=baths)
    bounded = bool(domain.is_bounded(oscillators))
    slowest = LocalLindblad().decay_rate(oscillators, baths)
    scales = scales_of(oscillators, baths)
    return Diagnosis(
        bounded=bounded,
        critical_ratio=scales.critical_ratio,
        stable=slowest > 0,
        decay_rate=slowest,
        softness=scales.softness,
        secularity=scales.secularity,
        coldness=scales.coldness,
        cluster_distance=scales.cluster_distance,
        detuning=scales.detuning,
        states={
            equation.__name__: _state(equation, oscillators, baths)
            for equation in reversed(STANDARD.values())
        },
        noise=environment.noise_of(baths),
    )


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
