"""What is computed: the physical situations and the numbers asked for, with their goals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from jaxosc.equations.registry import STANDARD as EQUATIONS


class Parameters(NamedTuple):
    """All numbers of two coupled oscillators and their baths, in one unit of frequency."""

    omega1: Any
    omega2: Any
    coupling: Any
    damping1: Any
    damping2: Any
    temperature1: Any
    temperature2: Any


@dataclass(frozen=True)
class Scenario:
    """A plane of couplings λ and temperature differences ΔT with everything else fixed.

    Attributes:
        name: as in the tables.
        omega: ω1, ω2.
        damping: γ1, γ2.
        interaction: as in ``jaxosc.pair``.
        temperature: T1, T2 at ΔT = 0.
        heated: what ΔT adds to, T1 and T2, each 0 or 1.
        largest_difference: the upper end of ΔT; the lower one is 0.
        largest_coupling: the upper end of λ/λ_c; the lower one is 0.01.
    """

    name: str
    omega: tuple[float, float] = (5.0, 2.0)
    damping: tuple[float, float] = (1.5e-4, 1.5e-4)
    interaction: str = "position"
    temperature: tuple[float, float] = (98.0, 98.0)
    heated: tuple[int, int] = (0, 1)
    largest_difference: float = 200.0
    largest_coupling: float = 0.99

    def axes(self, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
        """λ [rows] and ΔT [columns], at the midpoints of equal intervals."""
        critical = float(jaxosc.critical_coupling(self.omega, self.interaction))
        fraction = 0.01 + (self.largest_coupling - 0.01) * _midpoints(rows)
        return critical * fraction, self.largest_difference * _midpoints(columns)

    def parameters(self, coupling: Any, difference: Any) -> Parameters:
        """All parameters at one point of the plane."""
        temperatures = (
            start + difference if heated else start
            for start, heated in zip(self.temperature, self.heated, strict=True)
        )
        return Parameters(*self.omega, coupling, *self.damping, *temperatures)


HOT = Scenario("hot")
UNEQUAL = Scenario("unequal damping", damping=(1.5e-4, 4e-4))
ROTATING = Scenario("rotating wave", interaction="rotating-wave")
# Frequencies up to 8 and more times 2πT in the coldest columns, below that in the others.
COLD = Scenario(
    "cold",
    omega=(12.0, 5.0),
    temperature=(0.2, 0.3),
    heated=(1, 1),
    largest_difference=3.0,
)
# Cold and damped enough for a truncated Fock space and for an evolution to the steady state.
FOCK = Scenario(
    "Fock space",
    damping=(0.1, 0.15),
    temperature=(0.8, 0.5),
    largest_difference=0.1,
    largest_coupling=0.3,
)
SCENARIOS = (HOT, UNEQUAL, ROTATING, COLD)


def scattered(points: int) -> Parameters:
    """Random points at which every parameter differs, position coupling, λ/λ_c in 0.05-0.95."""
    random = np.random.default_rng(0)
    omega1, omega2 = random.uniform(4, 6, points), random.uniform(1, 3, points)
    coupling = random.uniform(0.05, 0.95, points) * np.sqrt(omega1 * omega2) / 2
    damping = 10 ** random.uniform(-4, -2, (2, points))
    temperature = 10 ** random.uniform(0, 2.5, (2, points))
    return Parameters(omega1, omega2, coupling, *damping, *temperature)


@dataclass(frozen=True)
class Goal:
    """What the library aims at.

    Attributes:
        streams: time on a CPU, in times of the stream.
        rate: points a second on a data-centre GPU, in 10⁹.
    """

    streams: float | None = None
    rate: float | None = None


# Goals on a CPU were set as rates beside a stream of 120 million points a second.
def _goal(megapoints: float | None, gigapoints: float | None) -> Goal:
    return Goal(None if megapoints is None else 120 / megapoints, gigapoints)


@dataclass(frozen=True)
class Kernel:
    """Numbers of one point: one quantity under one or several descriptions.

    Attributes:
        descriptions: names of ``EQUATIONS``.
        quantity: ``"occupation"`` (⟨n1⟩), ``"occupations"`` (both, one array), ``"covariance"``
            (its ten upper entries), ``"state"`` (all of it, one array) or ``"information"``
            (mutual information).
        slope: whether d/dλ by forward-mode differentiation is returned as well.
        goal: what the library aims at.
    """

    descriptions: tuple[str, ...]
    quantity: str
    slope: bool = False
    goal: Goal = Goal()

    @property
    def name(self) -> str:
        """As in the tables."""
        suffix = " and slope" if self.slope else ""
        return f"{'+'.join(self.descriptions)} {self.quantity}{suffix}"

    def evaluate(self, parameters: Parameters, interaction: str) -> tuple[jax.Array, ...]:
        """The values, one scalar array each: a tuple costs no transposition when mapped."""

        def values(coupling: jax.Array) -> tuple[jax.Array, ...]:
            here = parameters._replace(coupling=coupling)
            return tuple(
                value
                for description in self.descriptions
                for value in _values(description, self.quantity, here, interaction)
            )

        if not self.slope:
            return values(parameters.coupling)
        one = jnp.ones_like(parameters.coupling)
        primal, tangent = jax.jvp(values, (parameters.coupling,), (one,))
        return primal + tangent


def _values(
    description: str, quantity: str, parameters: Parameters, interaction: str
) -> tuple[jax.Array, ...]:
    omega = (parameters.omega1, parameters.omega2)
    oscillators = jaxosc.pair(omega, parameters.coupling, interaction)
    baths = jaxosc.Baths(
        damping=(parameters.damping1, parameters.damping2),
        temperature=(parameters.temperature1, parameters.temperature2),
    )
    covariance = jaxosc.steady_state(EQUATIONS[description](oscillators, baths))
    if quantity == "occupation":
        return (jaxosc.occupation(covariance)[0],)
    if quantity == "occupations":
        return (jaxosc.occupation(covariance),)
    if quantity == "covariance":
        return upper_entries(covariance)
    if quantity == "state":
        return (covariance,)
    return (jaxosc.mutual_information(covariance),)


def upper_entries(covariance: jax.Array) -> tuple[jax.Array, ...]:
    """The ten entries on and above the diagonal of a two-mode covariance."""
    return tuple(covariance[i, j] for i in range(4) for j in range(i, 4))


def from_upper_entries(*entries: jax.Array) -> jax.Array:
    """The two-mode covariance with these ten entries."""
    matrix = dict(zip(((i, j) for i in range(4) for j in range(i, 4)), entries, strict=True))
    return jnp.array([[matrix[min(i, j), max(i, j)] for j in range(4)] for i in range(4)])


THREE = Kernel(tuple(reversed(EQUATIONS)), "occupation", goal=Goal(3.5, 3.0))
_LOCAL = Kernel(("local",), "occupation", goal=_goal(150, 5))
_GLOBAL = Kernel(("global",), "occupation")
_LANGEVIN = Kernel(("langevin",), "occupation", goal=_goal(60, 3))
_LANGEVIN_COVARIANCE = Kernel(("langevin",), "covariance")
_LANGEVIN_INFORMATION = Kernel(("langevin",), "information")
_LANGEVIN_SLOPE = Kernel(("langevin",), "occupation", slope=True, goal=_goal(25, 1))

INFORMATION_GOAL = _goal(40, 2)
"""Of the mutual information of a given covariance."""

GRID_KERNELS: dict[Scenario, tuple[Kernel, ...]] = {
    HOT: (
        THREE,
        _LOCAL,
        _GLOBAL,
        _LANGEVIN,
        Kernel(("local",), "covariance", goal=_goal(45, 10)),
        Kernel(("global",), "covariance"),
        _LANGEVIN_COVARIANCE,
        *(Kernel((name,), "state") for name in EQUATIONS),
        Kernel(("local",), "information"),
        Kernel(("global",), "information"),
        _LANGEVIN_INFORMATION,
        Kernel(("local",), "occupation", slope=True, goal=_goal(85, 1)),
        Kernel(("global",), "occupation", slope=True),
        _LANGEVIN_SLOPE,
        Kernel(("local",), "information", slope=True, goal=_goal(16, 1)),
        Kernel(("global",), "information", slope=True),
        Kernel(("langevin",), "information", slope=True),
    ),
    COLD: (
        THREE,
        _LOCAL,
        _GLOBAL,
        Kernel(("langevin",), "occupation", goal=_goal(38, 3)),
        _LANGEVIN_COVARIANCE,
        _LANGEVIN_INFORMATION,
        _LANGEVIN_SLOPE,
    ),
    UNEQUAL: (THREE, _LANGEVIN, _LANGEVIN_COVARIANCE, _LANGEVIN_INFORMATION, _LANGEVIN_SLOPE),
    ROTATING: (THREE, _LOCAL, _GLOBAL, _LANGEVIN, _LANGEVIN_SLOPE),
}
"""The kernels evaluated on a product grid, by scenario."""

SCATTERED_KERNELS = (
    THREE,
    _LOCAL,
    _GLOBAL,
    _LANGEVIN,
    Kernel(("local",), "covariance", goal=_goal(45, 10)),
    *(Kernel((name,), what) for what in ("occupations", "state") for name in EQUATIONS),
    _LANGEVIN_INFORMATION,
)
"""The kernels evaluated where every parameter is batched."""


def stream(coupling: jax.Array, difference: jax.Array) -> tuple[jax.Array, ...]:
    """Ten numbers a point for next to no arithmetic: the machine's rate of writing results."""
    return tuple(coupling * number + difference for number in range(1, 11))


def over_grid(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of (λ, ΔT) on the product of two axes."""
    return jax.vmap(jax.vmap(function, in_axes=(None, 0)), in_axes=(0, None))


def grid_shape(points: int) -> tuple[int, int]:
    """Rows and columns, as nearly equal as the number of points allows."""
    rows = int(np.sqrt(points))
    while points % rows:
        rows -= 1
    return rows, points // rows


def _midpoints(number: int) -> np.ndarray:
    return (np.arange(number) + 0.5) / number
