"""How every equation is entered: convert, check once, and keep what the answer follows from."""

from __future__ import annotations

from typing import Any

import jax

from jaxosc import _checks, domain
from jaxosc import baths as _baths
from jaxosc._kernels import selection
from jaxosc._kernels.selection import Problem
from jaxosc.baths import Baths
from jaxosc.dynamics import Description, Parts, network_decay_rate, network_matrix
from jaxosc.oscillators import Oscillators


class Equation(Description):
    """A description of a network and its baths, ``parts = (oscillators, baths)``.

    A new equation gives ``drift``, ``diffusion`` and ``steady_covariance``, with NaN unless
    ``domain.conditions`` hold, and a public function that returns ``Dynamics.of(equation, …)``.
    """

    def require(self, *parts: Any) -> Parts:
        """Both in one dtype, after checking that they belong together and have an answer."""
        oscillators, baths = _baths.match(*parts)
        self.require_spectrum(baths)
        if _checks.is_known((oscillators, baths)):  # inside jit a status would be lost
            domain.require(self.status(oscillators, baths), oscillators, baths)
        return oscillators, baths

    def status(self, oscillators: Oscillators, baths: Baths) -> jax.Array:
        """Why there is no answer, by its code."""
        return domain.status_of(oscillators, baths)

    def posed(self, oscillators: Oscillators, baths: Baths) -> tuple[Problem, jax.Array]:
        """What it computes from, in natural units, and whether there is an answer."""
        problem = selection.problem_of(oscillators, baths)
        conditions = domain.conditions(oscillators, baths, problem.kernel)
        return problem, domain.hold(conditions)

    def require_spectrum(self, baths: Baths) -> None:
        """Raise ValueError unless the equation is made for these spectra; by default for all."""

    def axes(self, *parts: Any) -> int:
        """Beyond the one of the frequencies."""
        return getattr(parts[0].frequency, "ndim", 1) - 1


class AmplitudeDamping(Equation):
    """An equation whose drift is that of the network with −γ_j on both quadratures of mode j."""

    def drift(self, *parts: Any) -> jax.Array:
        """ẋ = Wp − Γx, ṗ = −Vx − Γp."""
        oscillators, baths = parts
        return network_matrix(oscillators, baths.damping)

    def decay_rate(self, *parts: Any) -> float:
        """From the loss of energy, which rounding of the frequencies does not hide."""
        oscillators, baths = parts
        return network_decay_rate(oscillators, baths.damping)
