"""⟨n1⟩ over a (λ, ΔT) grid as an expert of NumPy or SciPy would compute it without jaxosc.

Position coupling only. Every function takes arrays of λ and ΔT of one shape [n] and returns
⟨n1⟩ [n]; those for NumPy are meant to be given blocks that fit into the cache.
"""

from __future__ import annotations

import math

import numpy as np

from benchmarks.cases import Scenario

# The relative tolerance asked of adaptive quadrature; its error estimates are pessimistic.
_TOLERANCE = 1e-10


def _drift(scenario: Scenario, coupling: np.ndarray) -> np.ndarray:
    """A [n, 4, 4] of (x1, p1, x2, p2)."""
    (w1, w2), (g1, g2) = scenario.omega, scenario.damping
    drift = np.zeros((coupling.size, 4, 4))
    drift[:] = [[-g1, w1, 0, 0], [-w1, -g1, 0, 0], [0, 0, -g2, w2], [0, 0, -w2, -g2]]
    drift[:, 1, 2] = drift[:, 3, 0] = -2 * coupling
    return drift


def _temperatures(scenario: Scenario, difference: np.ndarray) -> np.ndarray:
    """T1, T2 [2, n]."""
    parameters = scenario.parameters(0.0, difference)
    both = np.broadcast_arrays(parameters.temperature1, parameters.temperature2, difference)
    return np.stack(both[:2])


def _local_noise(scenario: Scenario, difference: np.ndarray) -> np.ndarray:
    """γ_j (2N_j + 1) [2, n], the diffusion of either quadrature of oscillator j."""
    omega, gamma = np.array(scenario.omega)[:, None], np.array(scenario.damping)[:, None]
    return gamma / np.tanh(omega / (2 * _temperatures(scenario, difference)))


def _half_vectorised() -> tuple[np.ndarray, np.ndarray]:
    """Aσ + σAᵀ in terms of the ten upper entries of σ: the tensor [16, 100] that is linear in A.

    Also the places of those entries in a flattened 4 × 4 matrix.
    """
    upper = np.triu_indices(4)
    tensor = np.zeros((4, 4, 10, 10))
    for column, (i, j) in enumerate(zip(*upper, strict=True)):
        sigma = np.zeros((4, 4))
        sigma[i, j] = sigma[j, i] = 1
        for a in range(4):
            for b in range(4):
                product = np.zeros((4, 4))
                product[a] = sigma[b]
                tensor[a, b, :, column] = (product + product.T)[upper]
    return tensor.reshape(16, 100), np.ravel_multi_index(upper, (4, 4))


_EQUATION, _UPPER = _half_vectorised()


def numpy_local(scenario: Scenario, coupling: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """Local equation: one stacked solve of the 10 × 10 Lyapunov systems."""
    system = _drift(scenario, coupling).reshape(-1, 16) @ _EQUATION
    noise = _local_noise(scenario, difference)
    right = np.zeros((coupling.size, 10, 1))
    for place, source in zip((0, 4, 7, 9), (0, 0, 1, 1), strict=True):  # the diagonal
        right[:, place, 0] = -noise[source]
    solution = np.linalg.solve(system.reshape(-1, 10, 10), right)
    return (solution[:, 0, 0] + solution[:, 4, 0] - 1) / 2


def _normal_frequencies(
    scenario: Scenario, coupling: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Ω_- and Ω_+, the lower one from the product so that it keeps its digits."""
    w1, w2 = scenario.omega
    high = np.sqrt((w1**2 + w2**2 + np.hypot(w1**2 - w2**2, 4 * coupling * np.sqrt(w1 * w2))) / 2)
    return np.sqrt(w1 * w2 * (w1 * w2 - 4 * coupling**2)) / high, high


def _gauss(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """A Gauss-Legendre rule on (0, 1)."""
    node, weight = np.polynomial.legendre.leggauss(nodes)
    return (node + 1) / 2, weight / 2


# 32 nodes on either side of a resonance leave 3e-13 at γ/ω = 1e-4, as adaptive quadrature does
# at its tolerance; the tail is smooth.
_NEAR, _FAR = _gauss(32), _gauss(16)


def numpy_langevin(scenario: Scenario, coupling: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """Langevin equation: Gauss quadrature of the folded spectral integral, all points at once.

    ν = Ω ± γ sinh t turns either flank of a resonance of width γ into a smooth hump of t.
    """
    low, high = _normal_frequencies(scenario, coupling)
    middle = (low + high) / 2
    width = min(scenario.damping)
    node, weight = _NEAR
    frequencies, weights = [], []
    for resonance, end in ((low, 0 * low), (low, middle), (high, middle), (high, 2 * high)):
        reach = np.arcsinh(np.abs(end - resonance) / width)[:, None]
        t = reach * node
        sign = np.where(end > resonance, 1.0, -1.0)[:, None]
        frequencies.append(resonance[:, None] + sign * width * np.sinh(t))
        weights.append(reach * weight * width * np.cosh(t))
    node, weight = _FAR
    frequencies.append(2 * high[:, None] / node)
    weights.append(2 * high[:, None] * weight / node**2)
    nu, measure = np.concatenate(frequencies, axis=1), np.concatenate(weights, axis=1)
    temperatures = _temperatures(scenario, difference)[:, :, None]
    thermal = 1 / np.tanh(nu / (2 * temperatures))
    density = _spectral_energy(scenario, coupling[:, None], nu, thermal[0], thermal[1])
    return (np.sum(density * measure, axis=1) - 1) / 2


def _spectral_energy(
    scenario: Scenario,
    coupling: np.ndarray | float,
    nu: np.ndarray | float,
    thermal1: np.ndarray | float,
    thermal2: np.ndarray | float,
) -> np.ndarray | float:
    """Density over ν > 0 of ⟨x1² + p1²⟩, thermal_j = coth(ν/2T_j).

    With s_j = γ_j − iν the equations of motion under forces f are a_j x_j + 2λω_j x_k =
    s_j f_xj + ω_j f_pj, a_j = s_j² + ω_j², and p_1 = (s_1 x_1 − f_x1)/ω_1. Bath l adds
    −(2γ_l/π) thermal_l Im(g_x g_p*) for the responses g to f_xl and f_pl. Plain arithmetic, so
    that the same lines serve scalars and arrays.
    """
    (w1, w2), (g1, g2) = scenario.omega, scenario.damping
    s1, s2 = g1 - 1j * nu, g2 - 1j * nu
    a1, a2 = s1 * s1 + w1 * w1, s2 * s2 + w2 * w2
    inverse = 1 / (a1 * a2 - 4 * coupling * coupling * w1 * w2)
    own, other = a2 * inverse, -2 * coupling * w1 * inverse
    xx, xp = own * s1, own * w1
    px, pp = (s1 * xx - 1) / w1, s1 * own
    density = g1 * thermal1 * ((xx * xp.conjugate()).imag + (px * pp.conjugate()).imag)
    xx, xp = other * s2, other * w2
    factor = (s1 * s1.conjugate()).real / (w1 * w1)  # p1 = s1 x1/ω1 without a force on x1
    density = density + g2 * thermal2 * (xx * xp.conjugate()).imag * (1 + factor)
    return -2 / math.pi * density


def scipy_local(scenario: Scenario, coupling: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """Local equation: SciPy's Lyapunov solver, point by point."""
    from scipy.linalg import solve_continuous_lyapunov

    drift, noise = _drift(scenario, coupling), _local_noise(scenario, difference)
    occupation = np.empty(coupling.size)
    for point in range(coupling.size):
        diffusion = np.diag(np.repeat(noise[:, point], 2))
        sigma = solve_continuous_lyapunov(drift[point], -diffusion)
        occupation[point] = (sigma[0, 0] + sigma[1, 1] - 1) / 2
    return occupation


def scipy_langevin(scenario: Scenario, coupling: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """Langevin equation: SciPy's adaptive quadrature, point by point, told of the resonances."""
    from scipy.integrate import quad

    temperatures = _temperatures(scenario, difference)
    low, high = _normal_frequencies(scenario, coupling)
    occupation = np.empty(coupling.size)
    for point in range(coupling.size):
        strength = float(coupling[point])
        double1, double2 = (2 * float(value) for value in temperatures[:, point])

        def density(nu: float, strength: float, double1: float, double2: float) -> float:
            thermal1, thermal2 = 1 / math.tanh(nu / double1), 1 / math.tanh(nu / double2)
            return _spectral_energy(scenario, strength, nu, thermal1, thermal2)

        resonances, end = (float(low[point]), float(high[point])), 2 * float(high[point])
        options = {"args": (strength, double1, double2), "epsabs": 0, "epsrel": _TOLERANCE}
        near, _ = quad(density, 0, end, points=resonances, limit=500, **options)
        far, _ = quad(density, end, math.inf, limit=500, **options)
        occupation[point] = (near + far - 1) / 2
    return occupation
