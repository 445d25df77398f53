"""Random and adversarial parameters, and the bounds that results are held to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from precision import SINGLE, digits, rounded

import jaxosc
from jaxosc.papers import konopik_lutz


@dataclass(frozen=True)
class Pair:
    """Two oscillators with pairing = ratio · coupling, and their baths."""

    omega: tuple[float, float]
    coupling: float
    ratio: float
    damping: tuple[float, float]
    temperature: tuple[float, float]

    @classmethod
    def of(cls, omega, coupling, ratio, damping, temperature) -> Pair:
        """From NumPy arrays and numbers, rounded as the library will round them."""
        omega, damping, temperature = (
            (float(both[0]), float(both[1])) for both in map(rounded, (omega, damping, temperature))
        )
        return cls(omega, float(rounded(coupling)), float(rounded(ratio)), damping, temperature)

    @property
    def distance(self) -> float:
        """1 − λ/λ_c."""
        critical = np.sqrt(self.omega[0] * self.omega[1]) / (1 + abs(self.ratio))
        return 1 - abs(self.coupling) / critical

    @property
    def tolerance(self) -> float:
        """Relative error allowed: rounding, and the rounding of λ itself near λ_c.

        Measured, errors are below 1e-12 + 1e-15/distance; the factor is for processors that round
        in another order.
        """
        return digits(4 * (1e-12 + 1e-15 / self.distance))


def random_pairs(seed: int, count: int) -> list[Pair]:
    """Unequal γ, T and ω; resonance; near λ_c; hot and cold; equal temperatures; λ of either sign.

    The ratio is 1 (position), 0 (rotating wave) or neither. Temperatures stay above 0.3 ω, where
    the flat Langevin model is physical for these γ, and λ where it has four digits of 1 − λ/λ_c.
    """
    generator = np.random.default_rng(seed)
    nearest = -3 if SINGLE else -6
    pairs = []
    for index in range(count):
        omega = np.exp(generator.uniform(-1, 1, 2))
        if index % 4 == 1:
            omega[1] = omega[0]
        ratio = (1.0, 0.0, generator.uniform(-0.8, 0.8))[index % 3]
        distance = (
            10 ** generator.uniform(nearest, 0) if index % 2 else generator.uniform(0.05, 0.98)
        )
        coupling = (1 - distance) * np.sqrt(omega[0] * omega[1]) / (1 + abs(ratio))
        damping = omega.min() * 10 ** generator.uniform(-5, -1, 2)
        temperature = omega.max() * 10 ** generator.uniform(-0.5, 2.5, 2)
        if index % 5 == 2:
            temperature[1] = temperature[0]
        if index % 7 == 3:
            coupling = -coupling
        pairs.append(Pair.of(omega, coupling, ratio, damping, temperature))
    return pairs


def extreme_pairs(seed: int, count: int) -> list[Pair]:
    """The corners: 1 − λ/λ_c to 1e-9, γ/ω from 1e-8 to 0.3, γ1/γ2 to 1e±3, T/ω from 0.02 to 1e3.

    Equal frequencies, exactly and to 1e-9, and λ = 1e-12, are among them.
    """
    generator = np.random.default_rng(seed)
    pairs = []
    for index in range(count):
        omega = np.exp(generator.uniform(-1, 1, 2))
        if index % 4 == 1:
            omega[1] = omega[0]
        if index % 4 == 3:
            omega[1] = omega[0] * (1 + 1e-9 * generator.uniform(-1, 1))
        ratio = (1.0, 0.0, generator.uniform(-0.8, 0.8))[index % 3]
        distance = 10 ** generator.uniform(-9, 0)
        coupling = (1 - distance) * np.sqrt(omega[0] * omega[1]) / (1 + abs(ratio))
        if index % 6 == 5:
            coupling = 1e-12 * generator.uniform(0.5, 1)
        first = generator.uniform(np.log10(1e-8), np.log10(0.3))
        second = first + generator.uniform(-3, 3)
        damping = omega.min() * 10 ** np.clip([first, second], -8, np.log10(0.3))
        temperature = omega.max() * 10 ** generator.uniform(np.log10(0.02), 3, 2)
        pairs.append(Pair.of(omega, coupling, ratio, damping, temperature))
    return pairs


def cancelling_pairs() -> list[Pair]:
    """Here damping and detuning conspire: a combination of order γ nearly vanishes.

    It would be the pivot of an elimination in a fixed order, which loses up to ten digits.
    """
    omega = np.array([0.8499575370176474, 1.714237037966202])
    return [
        Pair.of(omega, (1 - distance) * np.sqrt(omega[0] * omega[1]) / 2, 1.0, damping, (0.43, 0.6))
        for damping in ((1e-7, 1e-9), (3.22e-7, 8.5e-9), (1e-4, 1.5e-6))
        for distance in (1e-3, 1e-5, 1e-7)
    ]


def random_network(generator: np.random.Generator, modes: int) -> dict[str, np.ndarray]:
    """N modes with exchange and pairing everywhere, well inside the bounded region."""

    def couplings() -> np.ndarray:
        upper = np.triu(generator.uniform(-0.15, 0.15, (modes, modes)), 1) / np.sqrt(modes)
        return upper + upper.T

    return {
        "frequency": generator.uniform(0.5, 2.0, modes),
        "exchange": couplings(),
        "pairing": couplings(),
        "damping": 10 ** generator.uniform(-4, -1, modes),
        "temperature": 10 ** generator.uniform(0, 2, modes),
    }


def global_equation(oscillators, damping, temperature, coupling="rotating-wave", spectrum="flat"):
    """The global equation by the coupling of its baths; "paper" has the rates of Eq. 17."""
    if coupling == "paper":
        return konopik_lutz.global_lindblad(oscillators, jaxosc.Baths(damping, temperature))
    baths = jaxosc.Baths(damping, temperature, spectrum, coupling=coupling)
    return jaxosc.global_lindblad(oscillators, baths)
