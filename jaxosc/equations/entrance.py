"""How every equation is entered: convert, check once, and keep what the answer follows from."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxosc import _checks, domain
from jaxosc import baths as _baths
from jaxosc import oscillators as _oscillators
from jaxosc._kernels import dense, selection
from jaxosc._kernels.interface import Kernel
from jaxosc._kernels.selection import Problem
from jaxosc._numerics.small import symplectic
from jaxosc.baths import Baths, spectra_of
from jaxosc.description import Description, Parts
from jaxosc.dynamics import network_decay_rate, network_matrix
from jaxosc.oscillators import Oscillators, is_real


class Equation(Description):
    """A description of a network and its baths, ``parts = (oscillators, baths)``.

    A new equation gives ``drift``, ``diffusion`` and ``steady_covariance``, with NaN unless its
    ``conditions`` hold, and a public function that returns ``Dynamics.of(equation, …)``.
    """

    def conditions(
        self, oscillators: Oscillators, baths: Baths, kernel: Kernel | None = None
    ) -> domain.Conditions:
        """What there must be for an answer; by default a bounded H in the laboratory."""
        return domain.conditions(oscillators, baths, kernel)

    def require(self, *parts: Any) -> Parts:
        """Both in one dtype, after checking that they belong together and have an answer."""
        oscillators, baths = _baths.match(*parts)
        self.require_kind(oscillators, baths)
        if _checks.is_known((oscillators, baths)):  # inside jit a status would be lost
            domain.require(self.status(oscillators, baths), oscillators, baths)
        return oscillators, baths

    def status(self, *parts: Any) -> jax.Array:
        """Why there is no answer, by its code."""
        return _status(*parts, self)

    def explain(self, *parts: Any) -> str:
        """By the kernel that serves the network."""
        return selection.problem_of(*parts).kernel.way

    def posed(self, oscillators: Oscillators, baths: Baths) -> tuple[Problem, jax.Array]:
        """What it computes from, in natural units, and whether there is an answer."""
        problem = selection.problem_of(oscillators, baths)
        conditions = self.conditions(oscillators, baths, problem.kernel)
        return problem, domain.hold(conditions)

    def require_kind(self, oscillators: Oscillators, baths: Baths) -> None:
        """Raise ValueError unless the equation is made for such baths; by default for all."""

    def force(self, *parts: Any) -> jax.Array:
        """That of the drive, which the baths do not notice."""
        return _oscillators.force(parts[0])

    def temperatures(self, *parts: Any) -> jax.Array | None:
        """Those of the baths, if they have any."""
        return parts[1].temperature

    def axes(self, *parts: Any) -> int:
        """Beyond the one of the frequencies."""
        return getattr(parts[0].frequency, "ndim", 1) - 1


def require_laboratory_baths(baths: Baths, equation: str) -> None:
    """Raise ValueError unless baths have a temperature, and a rate at every frequency."""
    if baths.temperature is None:
        raise ValueError(
            f"Argument `baths` must have a temperature for the {equation} equation, which asks for "
            "frequencies in the laboratory, but it is given by an `occupation`: "
            "local_lindblad is exact for that."
        )
    if baths._rows is not None:
        for spectrum in spectra_of(baths):
            if spectrum.kind != "flat" and not spectrum.has_reference:
                raise ValueError(
                    "Argument `baths` must state the `reference` of the spectrum of a row, "
                    f"but it is missing in {spectrum!r}."
                )


class AmplitudeDamping(Equation):
    """An equation whose baths damp amplitudes, whatever their noise.

    Behind L_m = Σ_j l_mj a_j: ȧ = … − Σ_m γ_m l_m* (l_m·a), or −γ_j a_j for one bath an oscillator.
    """

    def drift(self, *parts: Any) -> jax.Array:
        """ṙ = J h r with that damping."""
        oscillators, baths = parts
        if selection.lowering_rows(baths, oscillators.modes) is None:
            return network_matrix(oscillators, baths.damping)
        return symplectic(oscillators.hessian) + self.bath_drift(*parts)

    def bath_drift(self, *parts: Any) -> jax.Array:
        """The damping alone."""
        oscillators, baths = parts
        rows = selection.lowering_rows(baths, oscillators.modes)
        if rows is None:
            return -jnp.diag(jnp.repeat(baths.damping, 2))
        return dense.flat_drift(rows, baths.damping)

    def decay_rate(self, *parts: Any) -> float:
        """From the loss of energy, which rounding of the frequencies does not hide."""
        oscillators, baths = parts
        rows = selection.lowering_rows(baths, oscillators.modes)
        if rows is not None or not is_real(oscillators):
            return super().decay_rate(*parts)
        return network_decay_rate(oscillators, baths.damping)


@partial(jax.jit, static_argnames="equation")
def _status(oscillators: Oscillators, baths: Baths, equation: Equation) -> jax.Array:
    return domain.status(equation.conditions(oscillators, baths))
