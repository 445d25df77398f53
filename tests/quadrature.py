"""Exact answers by integrating spectra with NumPy, as another route than matrices."""

from __future__ import annotations

from typing import Any

import numpy as np


def drude_occupation(
    frequency: Any, coupling: float, damping: float, temperature: Any, cutoff: float
) -> float:
    """⟨a_1†a_1⟩ of two coupled positions by integrating their spectra, to 1e-9.

    On X = √2 x_j acts a Drude bath of friction η_jΛ²/(Λ − iν), J(ω_j) = γ, with its counter-term:
    [h − ν²/ω + 2 ηΛ(−iν)/(Λ − iν)] x(ν) = ξ(ν), h_jj = ω_j, h_12 = 2λ.
    """
    omega = np.array(frequency)
    friction = 2 * damping * (omega**2 + cutoff**2) / (omega * cutoff**2)
    # Panels around the resonances, which are as narrow as γ.
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
    response = np.linalg.inv(stiffness + memory[:, :, None] * np.eye(2))[:, 0, :]
    noise = friction * cutoff**2 * nu / (nu**2 + cutoff**2)
    noise = noise / np.tanh(nu / (2 * np.array(temperature)))
    density = (np.abs(response) ** 2 * noise).sum(axis=1) / np.pi
    both = density * (1 + (nu[:, 0] / omega[0]) ** 2)  # of x, and of p = ẋ/ω
    return float((both @ (half * weights).ravel() - 1) / 2)
