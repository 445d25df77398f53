"""Quadratic Hamiltonians of any kind, and plain NumPy answers for them."""

from __future__ import annotations

import mpmath
import numpy as np
from precision import DTYPE

COMPLEX = np.result_type(DTYPE, np.complex64)


def hessian(frequency, exchange, pairing=None) -> np.ndarray:
    """H = ½ rᵀhr of Σ ω a†a + Σ_{j≠k} λ_jk a_j†a_k + ½ Σ (κ_jk a_j†a_k† + h.c.)."""
    number = np.diag(np.asarray(frequency, complex)) + exchange
    pairs = np.zeros_like(number) if pairing is None else np.asarray(pairing, complex)
    h = np.zeros((2 * len(number), 2 * len(number)))
    h[0::2, 0::2], h[1::2, 1::2] = (number + pairs).real, (number - pairs).real
    h[0::2, 1::2] = (pairs - number).imag
    h[1::2, 0::2] = h[0::2, 1::2].T
    return h.astype(DTYPE)


def pair(omega1, omega2, exchange, pairing=0.0) -> np.ndarray:
    """Two modes."""
    swap = np.array([[0.0, 1.0], [1.0, 0.0]])
    links = np.array([[0, exchange], [np.conj(exchange), 0]])
    return hessian([omega1, omega2], links, pairing * swap)


def flux_ring(size, coupling, phase, frequency=1.0) -> np.ndarray:
    """Equal modes around a ring, λ exp(iφ) from each to the next."""
    links = coupling * np.exp(1j * phase) * np.roll(np.eye(size), 1, axis=1)
    return hessian(np.full(size, frequency), links + links.conj().T)


def random_hessian(generator, modes, size=0.1) -> np.ndarray:
    """Complex exchange and pairing everywhere, squeezing of single modes; bounded below."""
    half = generator.normal(size=(2 * modes, 2 * modes)) * size / np.sqrt(modes)
    h = half + half.T + np.diag(np.repeat(generator.uniform(0.7, 2.0, modes), 2))
    assert np.linalg.eigvalsh(h)[0] > 0.05
    return h.astype(DTYPE)


def random_rows(generator, baths, modes, lowering=True) -> np.ndarray:
    """Complex rows u of L = u·r, of lowering operators or any; shared by all modes."""
    shape = (baths, modes if lowering else 2 * modes)
    rows = generator.normal(size=shape) + 1j * generator.normal(size=shape)
    return (np.kron(rows, [1, 1j]) / np.sqrt(2) if lowering else rows).astype(COMPLEX)


def form(modes) -> np.ndarray:
    """J."""
    return np.kron(np.eye(modes), [[0.0, 1.0], [-1.0, 0.0]])


def numbers(covariance) -> np.ndarray:
    """⟨a_j†a_j⟩ [N]."""
    diagonal = np.diag(np.asarray(covariance, float))
    return (diagonal[0::2] + diagonal[1::2] - 1) / 2


def bath_drifts(rows, damping) -> list[np.ndarray]:
    """What each of the flat baths adds to the drift, 2γ J Im(u* uᵀ)."""
    modes = rows.shape[1] // 2
    return [
        2 * g * form(modes) @ np.outer(u.conj(), u).imag for u, g in zip(rows, damping, strict=True)
    ]


def exact_lyapunov(parts, diffusion) -> np.ndarray:
    """σ for the sum of some drifts, in 50 digits."""
    with mpmath.workdps(50):
        drift = mpmath.zeros(len(diffusion))
        for part in parts:
            drift += mpmath.matrix(np.asarray(part, float).tolist())
        size = drift.rows
        upper = [(i, j) for i in range(size) for j in range(i, size)]
        place = {pair: n for n, pair in enumerate(upper)} | {
            (j, i): n for n, (i, j) in enumerate(upper)
        }
        matrix, right = mpmath.zeros(len(upper)), mpmath.zeros(len(upper), 1)
        for (i, j), n in list(place.items()):
            if i > j:
                continue
            right[n] = -mpmath.mpf(float(diffusion[i][j]))
            for k in range(size):
                matrix[n, place[k, j]] += drift[i, k]
                matrix[n, place[i, k]] += drift[j, k]
        solution = mpmath.lu_solve(matrix, right)
        return np.array([[float(solution[place[i, j]]) for j in range(size)] for i in range(size)])


def exact_gibbs(h, temperature) -> np.ndarray:
    """½ S⁻ᵀ |M| coth(|M|/2T) S⁻¹ with h = SSᵀ and M = iSᵀJS."""
    root = np.linalg.cholesky(np.asarray(h, float))
    omega, vectors = np.linalg.eigh(1j * root.T @ form(len(h) // 2) @ root)
    size = np.abs(omega)
    weight = size / np.tanh(size / (2 * temperature)) if temperature else size
    inverse = np.linalg.inv(root)
    return (inverse.T @ (vectors * weight) @ vectors.conj().T @ inverse).real / 2


def davies(h, rows, damping, temperature, tolerance=1e-8) -> tuple[np.ndarray, np.ndarray]:
    """(A without J h, D) of the secular equation, from projectors on Bohr frequencies.

    K = S F Sᵀ, F = ½ Σ S_m(w) P_w Z_m P_w with S_m(w) = 2γ_m(N + 1) at w > 0 and 2γ_m N at
    w < 0; then A = 2J Im K and D = J Re(K + Kᵀ)Jᵀ. A lowering operator is one that acts by u where
    w > 0 and by u* where w < 0.
    """
    h = np.asarray(h, float)
    root = np.linalg.cholesky(h)
    omega, vectors = np.linalg.eigh(1j * root.T @ form(len(h) // 2) @ root)
    total = np.zeros((len(h), len(h)), complex)
    for m, row in enumerate(np.asarray(rows, complex)):
        done = np.zeros(len(h), bool)
        for a, value in enumerate(omega):
            if done[a]:
                continue
            group = np.abs(omega - value) < tolerance
            done |= group
            projector = vectors[:, group] @ vectors[:, group].conj().T
            inside = np.linalg.solve(root, row if value > 0 else row.conj())
            size = abs(value)
            number = 1 / np.expm1(size / temperature[m]) if temperature[m] else 0.0
            strength = 2 * damping[m] * (number + (value > 0))
            kernel = strength / 2 * np.outer(inside.conj(), inside)
            total += root @ projector @ kernel @ projector @ root.T
    j = form(len(h) // 2)
    return 2 * j @ total.imag, j @ (total + total.T).real @ j.T


def langevin_quadrature(h, rows, damping, temperature, panels=40) -> np.ndarray:
    """(1/2π) PV∫ G(ν) Σ_m iΘ_m ½coth(ν/2T_m) G(ν)† dν along the real axis."""
    h, modes = np.asarray(h, float), len(h) // 2
    j, parts = form(modes), bath_drifts(rows, damping)
    drift = j @ h + sum(parts)
    poles = np.linalg.eigvals(drift)
    # Panels that shrink towards each resonance, then out to infinity
    marks = {0.0, *np.abs(poles.imag)}
    edges = {0.0}
    for center in marks:
        for side in (-1, 1):
            edges |= {abs(center + side * 0.01 * 1.35**n) for n in range(panels)}
    edges = np.unique([e for e in edges if e < 1e3] + [1e3])
    x, w = np.polynomial.legendre.leggauss(24)
    left, right = edges[:-1, None], edges[1:, None]
    nodes = ((right - left) * x / 2 + (right + left) / 2).reshape(-1)
    weights = ((right - left) * w / 2).reshape(-1)
    tail = 1e3 * 2 / (x + 1)
    nodes, weights = np.append(nodes, tail), np.append(weights, 1e3 * 2 * w / (x + 1) ** 2)
    total = np.zeros((2 * modes, 2 * modes))
    for nu, weight in zip(nodes, weights, strict=True):
        noise = np.zeros((2 * modes, 2 * modes), complex)
        for part, t in zip(parts, temperature, strict=True):
            thermal = 0.5 / np.tanh(nu / (2 * t)) if t else 0.5
            noise += 1j * thermal * -(part @ j + j @ part.T)
        both = 0
        for sign in (1, -1):
            response = np.linalg.inv(-1j * sign * nu * np.eye(2 * modes) - drift)
            both = both + sign * response @ noise @ response.conj().T
        total += weight * both.real / (2 * np.pi)
    return total
