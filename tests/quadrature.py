"""Two oscillators between Drude baths by integrating spectra with NumPy: no matrices of a steady
state, no thermal sums.

On X = √2 x_j acts a Drude bath of friction η_jΛ²/(Λ − iν), J(ω_j) = γ_j, with its counter-term:
[h − ν²/ω + ηΛ(−iν)/(Λ − iν)] x(ν) = ξ(ν), h_jj = ω_j, h_12 = 2λ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Spectra:
    """Of one pair with position coupling.

    Attributes:
        nu, weight: nodes and weights of the integral over ν > 0 [P].
        response: from the force on each position to each position [P, 2, 2].
        loss: the imaginary part that each bath adds, 2J_j(ν) [P, 2].
    """

    nu: np.ndarray
    weight: np.ndarray
    response: np.ndarray
    loss: np.ndarray


def spectra(frequency: Any, coupling: float, damping: Any, cutoff: float) -> Spectra:
    """Panels of 20 Gauss nodes around the resonances, which are as narrow as γ: 1e-9."""
    omega = np.array(frequency)
    friction = 2 * np.array(damping) * (omega**2 + cutoff**2) / (omega * cutoff**2)
    squares = np.diag(omega**2) + 2 * coupling * np.sqrt(np.prod(omega)) * (1 - np.eye(2))
    edges = [0.0, *np.geomspace(1.0, 1e8 * cutoff, 60)]
    for peak in np.sqrt(np.linalg.eigvalsh(squares)):
        off = np.geomspace(1e-6, 1, 40)
        edges += [peak, *(peak - off), *(peak + off)]
    edges = np.unique(np.abs(edges))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half = np.diff(edges)[:, None] / 2
    nu = (edges[:-1, None] + half * (1 + nodes)).reshape(-1, 1)
    memory = friction * cutoff * (-1j * nu) / (cutoff - 1j * nu) - nu**2 / omega
    stiffness = np.diag(omega) + 2 * coupling * (1 - np.eye(2))
    response = np.linalg.inv(stiffness + memory[:, :, None] * np.eye(2))
    loss = friction * cutoff**2 * nu / (nu**2 + cutoff**2)
    return Spectra(nu[:, 0], (half * weights).ravel(), response, loss)


def drude_occupation(
    frequency: Any, coupling: float, damping: Any, temperature: Any, cutoff: float
) -> float:
    """⟨a_1†a_1⟩ = (⟨x²⟩ + ⟨p²⟩ − 1)/2, p = ẋ/ω."""
    found = spectra(frequency, coupling, damping, cutoff)
    noise = found.loss / np.tanh(found.nu[:, None] / (2 * np.array(temperature)))
    density = (np.abs(found.response[:, 0]) ** 2 * noise).sum(axis=1) / np.pi
    both = density * (1 + (found.nu / frequency[0]) ** 2)
    return float((both @ found.weight - 1) / 2)


def drude_heat(
    frequency: Any, coupling: float, damping: Any, temperature: Any, cutoff: float
) -> float:
    """From bath 1, ∫ dν/2π ν 4·2J_1·2J_2 |G_12|² (N_1 − N_2): Landauer's formula."""
    found = spectra(frequency, coupling, damping, cutoff)
    with np.errstate(over="ignore"):
        first, second = (1 / np.expm1(found.nu / each) for each in temperature)
    passed = 4 * found.loss.prod(axis=1) * np.abs(found.response[:, 0, 1]) ** 2
    return float((found.nu * passed * (first - second)) @ found.weight / (2 * np.pi))
