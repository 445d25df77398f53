"""Hypothesis strategies: networks and baths over the whole domain, and what bounds their rounding.

Everything here is NumPy, independent of the library under test.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from precision import SINGLE, digits, rounded

INTERACTIONS = ("position", "rotating-wave", "pairing", "mixed")


@dataclass(frozen=True)
class Network:
    """N oscillators with their couplings and baths."""

    frequency: np.ndarray
    exchange: np.ndarray
    pairing: np.ndarray
    damping: np.ndarray
    temperature: np.ndarray
    ratio: float = field(repr=False, default=0.0)  # couplings over critical couplings

    def __repr__(self) -> str:
        """All digits, as a call that makes the same network."""
        names = ("frequency", "exchange", "pairing", "damping", "temperature")
        parts = [f"{name}=np.array({getattr(self, name).tolist()})" for name in names]
        return f"Network({', '.join(parts)}, ratio={self.ratio!r})"

    def _repr_pretty_(self, printer, cycle) -> None:
        printer.text(repr(self))  # what hypothesis shows of a failing example

    @property
    def modes(self) -> int:
        return len(self.frequency)

    @property
    def arguments(self) -> tuple[np.ndarray, ...]:
        """Frequency, exchange, pairing, damping and temperature."""
        return self.frequency, self.exchange, self.pairing, self.damping, self.temperature

    @property
    def distance(self) -> float:
        """1 − λ/λ_c of all couplings together."""
        return 1 - self.ratio

    @functools.cached_property
    def potential(self) -> np.ndarray:
        """V in H = (xᵀVx + pᵀWp)/2."""
        return np.diag(self.frequency) + self.exchange + self.pairing

    @functools.cached_property
    def kinetic(self) -> np.ndarray:
        """W in H = (xᵀVx + pᵀWp)/2."""
        return np.diag(self.frequency) + self.exchange - self.pairing

    @functools.cached_property
    def hamiltonian(self) -> np.ndarray:
        """H [2N, 2N] of the quadratures (x1, p1, x2, p2, …)."""
        h = np.zeros((2 * self.modes, 2 * self.modes))
        h[0::2, 0::2], h[1::2, 1::2] = self.potential, self.kinetic
        return h

    @functools.cached_property
    def drift(self) -> np.ndarray:
        """A of ẋ = Wp − γx, ṗ = −Vx − γp."""
        form = np.kron(np.eye(self.modes), [[0.0, 1.0], [-1.0, 0.0]])
        return form @ self.hamiltonian - np.diag(np.repeat(self.damping, 2))

    @functools.cached_property
    def normal_quadratures(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ω, X and P with x = Xξ, p = Pπ and H = Σ Ω(ξ² + π²)/2."""
        root = np.linalg.cholesky(self.kinetic)
        square, vectors = np.linalg.eigh(root.T @ self.potential @ root)
        omega = np.sqrt(np.maximum(square, 1e-300))
        return (
            omega,
            root @ vectors / np.sqrt(omega),
            np.linalg.solve(root.T, vectors) * np.sqrt(omega),
        )

    @property
    def gap(self) -> float:
        """The smallest relative distance of two normal frequencies."""
        omega = self.normal_quadratures[0]
        return float(np.min(np.diff(omega) / omega[1:], initial=1.0))

    def changed(self, **parts: np.ndarray) -> Network:
        """The same with other values in some of its fields."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Network(**(values | parts))


def critical_ratio(frequency: np.ndarray, exchange: np.ndarray, pairing: np.ndarray) -> float:
    """λ/λ_c of all couplings: minus the smallest eigenvalue of ω^(−1/2)(λ ± κ)ω^(−1/2)."""
    root = np.sqrt(np.outer(frequency, frequency))
    lowest = [np.linalg.eigvalsh((exchange + sign * pairing) / root)[0] for sign in (1, -1)]
    return float(max(0.0, -min(lowest)))


def decades(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers from 10^low to 10^high, evenly on a logarithmic scale."""
    return st.floats(low, high, allow_subnormal=False).map(lambda power: 10.0**power)


@st.composite
def frequencies(draw, modes: int, spread: float = 2.0) -> np.ndarray:
    """Over 2·spread decades; some equal to another one, exactly or to 1e-9."""
    values: list[float] = []
    for mode in range(modes):
        kind = draw(st.sampled_from(("own", "own", "equal", "close"))) if mode else "own"
        if kind == "own":
            values.append(draw(decades(-spread, spread)))
        else:
            twin = values[draw(st.integers(0, mode - 1))]
            shift = draw(st.integers(-8, 8)) * 1e-10 if kind == "close" else 0.0
            values.append(twin * (1 + shift))
    return np.array(values)


@st.composite
def symmetric(draw, modes: int) -> np.ndarray:
    """Zero diagonal, entries between −1 and 1 of which many vanish or agree."""
    matrix = np.zeros((modes, modes))
    for place in zip(*np.triu_indices(modes, 1), strict=True):
        matrix[place] = draw(st.integers(-32, 32)) / 32
    return matrix + matrix.T


def strengths(nearest: float) -> st.SearchStrategy[float]:
    """λ/λ_c: anything, none, hardly any, or within 10^nearest to 1 of the critical point."""
    return st.one_of(
        st.floats(0.02, 0.98),
        decades(nearest, -0.3).map(lambda distance: 1 - distance),
        decades(-12, -1),
        st.just(0.0),
    )


@st.composite
def couplings(
    draw, frequency: np.ndarray, interaction: str, nearest: float = -6.0
) -> tuple[np.ndarray, np.ndarray, float]:
    """λ, κ and λ/λ_c < 1 for these frequencies."""
    modes = len(frequency)
    zero = np.zeros((modes, modes))
    one = draw(symmetric(modes))
    other = draw(symmetric(modes)) if interaction == "mixed" else zero
    exchange, pairing = {
        "position": (one, one), "rotating-wave": (one, zero), "pairing": (zero, one),
        "mixed": (one, other),
    }[interaction]  # fmt: skip
    bare = critical_ratio(np.ones(modes), exchange, pairing)
    if not bare:
        return zero, zero, 0.0
    ratio = draw(strengths(nearest))
    root = np.sqrt(np.outer(frequency, frequency)) * (ratio / bare)
    exchange, pairing = exchange * root, pairing * root
    return (exchange + exchange.T) / 2, (pairing + pairing.T) / 2, ratio


@st.composite
def networks(
    draw,
    modes: int,
    *,
    interaction: str | None = None,
    spread: float = 2.0,
    nearest: float = -6.0,
    damping: tuple[float, float] = (-8.0, np.log10(0.3)),
    temperature: tuple[float, float] = (np.log10(0.02), 3.0),
    cold: bool = True,
    equal_temperatures: bool | None = None,
    undamped: bool = True,
    steady: bool = True,
) -> Network:
    """Networks of N modes with a bounded H and, if ``steady``, with a motion that decays.

    γ_j/ω_j and T_j/ω_j lie between these powers of ten; with ``cold`` T may be 0, and with
    ``undamped`` an oscillator may have no bath of its own. In single precision the corners are
    nearer.
    """
    if SINGLE:
        spread, nearest, damping = min(spread, 1.0), max(nearest, -3.0), (-4.0, damping[1])
    frequency = draw(frequencies(modes, spread))
    kind = interaction or draw(st.sampled_from(INTERACTIONS))
    exchange, pairing, ratio = draw(couplings(frequency, kind, nearest))
    rate = np.array([draw(decades(*damping)) for _ in range(modes)]) * frequency
    if draw(st.booleans()):
        rate[:] = rate[0]
    if undamped and modes > 1 and ratio > 0.01 and draw(st.integers(0, 3)) == 0:
        rate[draw(st.integers(0, modes - 1))] = 0.0
    warm = decades(*temperature)
    relative = st.one_of(warm, warm, warm, st.just(0.0)) if cold else warm
    heat = np.array([draw(relative) for _ in range(modes)]) * frequency
    equal = draw(st.booleans()) if equal_temperatures is None else equal_temperatures
    if equal:
        heat[:] = heat[0]
    parts = [rounded(part) for part in (frequency, exchange, pairing, rate, heat)]
    if SINGLE:
        ratio = critical_ratio(*parts[:3])
    network = Network(*parts, ratio)
    if steady and rate.min() < rate.max():
        # By more than the rounding of these eigenvalues can tell; equal rates are the decay.
        assume(-np.linalg.eigvals(network.drift).real.max() > digits(1e-13) * frequency.max())
    return network
