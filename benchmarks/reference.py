"""The same numbers from the equations at 50 digits: what the errors are measured against.

Two modes, by routes other than the library's: a 16 × 16 linear system for the Lyapunov
equation, a digamma function of the drift matrix by its eigenvectors for the Langevin equation,
explicit normal modes for the global equation, differences for derivatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from mpmath import matrix, mp, mpf

from benchmarks.cases import Kernel, Parameters

_DIGITS = 70  # 50, and 20 for the differences


def error(
    computed: Sequence[float], kernel: Kernel, parameters: Parameters, interaction: str
) -> float:
    """The largest relative error of what a kernel returned at one point.

    Relative to the largest entry of a covariance; to ⟨n⟩ + ½, the energy in units of ω, for an
    occupation, as ⟨n⟩ is the difference of a covariance and its vacuum value; to the mutual
    information itself. A slope is relative to itself or to value/λ, whichever is larger.

    Returns:
        Infinity where only one side is NaN; NaN where both always are, there being no state.
    """
    with mp.workdps(_DIGITS):
        exact = _values(kernel, parameters, interaction)
        scales = _scales(kernel, exact)
        if kernel.slope:
            slopes = _slopes(kernel, parameters, interaction)
            coupling = mpf(parameters.coupling)
            scales += [
                max(abs(slope), scale / coupling)
                for slope, scale in zip(slopes, scales, strict=True)
            ]
            exact += slopes
        worst = float("nan")
        for value, target, scale in zip(computed, exact, scales, strict=True):
            if mp.isnan(target) and np.isnan(value):
                continue
            if mp.isnan(target) or np.isnan(value):
                return float("inf")
            worst = float(np.fmax(worst, float(abs(mpf(value) - target) / scale)))
    return worst


def _values(kernel: Kernel, parameters: Parameters, interaction: str) -> list[mpf]:
    results: list[mpf] = []
    for description in kernel.descriptions:
        sigma = _covariance(description, parameters, interaction)
        if kernel.quantity == "occupation":
            results.append((sigma[0, 0] + sigma[1, 1] - 1) / 2)
        elif kernel.quantity == "occupations":
            results += [(sigma[x, x] + sigma[x + 1, x + 1] - 1) / 2 for x in (0, 2)]
        elif kernel.quantity == "covariance":
            results += [sigma[i, j] for i in range(4) for j in range(i, 4)]
        elif kernel.quantity == "state":
            results += [sigma[i, j] for i in range(4) for j in range(4)]
        else:
            results.append(_mutual_information(sigma))
    return results


def _scales(kernel: Kernel, values: list[mpf]) -> list[mpf]:
    if kernel.quantity in ("covariance", "state"):
        size = 10 if kernel.quantity == "covariance" else 16  # entries a description
        groups = [values[start : start + size] for start in range(0, len(values), size)]
        return [max(map(abs, group)) for group in groups for _ in group]
    if kernel.quantity in ("occupation", "occupations"):
        return [value + mpf(1) / 2 for value in values]
    return [abs(value) for value in values]


def _slopes(kernel: Kernel, parameters: Parameters, interaction: str) -> list[mpf]:
    coupling = mpf(parameters.coupling)
    step = coupling * mpf(10) ** -20
    above, below = (
        _values(kernel, parameters._replace(coupling=coupling + moved), interaction)
        for moved in (step, -step)
    )
    return [(a - b) / (2 * step) for a, b in zip(above, below, strict=True)]


@cache
def _covariance(description: str, parameters: Parameters, interaction: str) -> matrix:
    numbers = Parameters(*(mpf(value) for value in parameters))
    if description == "global":
        return _global(numbers, interaction)
    drift = _drift(numbers, interaction)
    if description == "local":
        noise = [
            gamma * mp.coth(omega / (2 * temperature))
            for omega, gamma, temperature in _oscillators(numbers)
        ]
        return _lyapunov(drift, mp.diag([noise[0], noise[0], noise[1], noise[1]]))
    return _lyapunov(drift, _langevin_diffusion(drift, numbers))


def _oscillators(numbers: Parameters) -> list[tuple[mpf, mpf, mpf]]:
    return [
        (numbers.omega1, numbers.damping1, numbers.temperature1),
        (numbers.omega2, numbers.damping2, numbers.temperature2),
    ]


def _drift(numbers: Parameters, interaction: str) -> matrix:
    """A of (x1, p1, x2, p2): ẋ = Wp − γx, ṗ = −Vx − γp."""
    potential = kinetic = numbers.coupling
    if interaction == "position":
        potential, kinetic = 2 * numbers.coupling, mpf(0)
    w1, w2, g1, g2 = numbers.omega1, numbers.omega2, numbers.damping1, numbers.damping2
    return matrix([
        [-g1, w1, 0, kinetic],
        [-w1, -g1, -potential, 0],
        [0, kinetic, -g2, w2],
        [-potential, 0, -w2, -g2],
    ])  # fmt: skip


def _lyapunov(drift: matrix, diffusion: matrix) -> matrix:
    """σ with Aσ + σAᵀ + D = 0, from (A ⊗ 1 + 1 ⊗ A) vec σ = −vec D."""
    system, right = mp.zeros(16), mp.zeros(16, 1)
    for i in range(4):
        for j in range(4):
            right[4 * i + j] = -diffusion[i, j]
            for k in range(4):
                system[4 * i + j, 4 * k + j] += drift[i, k]
                system[4 * i + j, 4 * i + k] += drift[j, k]
    solution = mp.lu_solve(system, right)
    return matrix([[solution[4 * i + j] for j in range(4)] for i in range(4)])


def _langevin_diffusion(drift: matrix, numbers: Parameters) -> matrix:
    """D = Σ_j γ_j (M_j + M_jᵀ), M_j = [T_j A⁻¹ + ψ(1 − A/2πT_j)/π] J_j, by eigenvectors of A."""
    eigenvalues, vectors = mp.eig(drift)
    inverse = vectors**-1
    diffusion = mp.zeros(4)
    for j, (_, gamma, temperature) in enumerate(_oscillators(numbers)):
        weights = [
            temperature / a + mp.digamma(1 - a / (2 * mp.pi * temperature)) / mp.pi
            for a in eigenvalues
        ]
        function = (vectors * mp.diag(weights) * inverse).apply(mp.re)
        form = mp.zeros(4)
        form[2 * j, 2 * j + 1], form[2 * j + 1, 2 * j] = mpf(1), mpf(-1)
        product = function * form
        diffusion += gamma * (product + product.T)
    return diffusion


def _global(numbers: Parameters, interaction: str) -> matrix:
    """Normal modes a_j = Σ_k U_jk c_k + V_jk c_k†, each at Σ_j w_jk N_j(Ω_k)/Σ_j w_jk.

    w_jk = γ_j U_jk², of flat baths in rotating-wave coupling.
    """
    w1, w2, coupling = numbers.omega1, numbers.omega2, numbers.coupling
    if interaction == "position":
        half, part = (w1**2 + w2**2) / 2, 2 * coupling * mp.sqrt(w1 * w2)
        angle = mp.atan2(2 * part, w1**2 - w2**2) / 2
        root = mp.sqrt(((w1**2 - w2**2) / 2) ** 2 + part**2)
        high = mp.sqrt(half + root)
        low = mp.sqrt(w1**2 * w2**2 - part**2) / high
    else:
        angle = mp.atan2(2 * coupling, w1 - w2) / 2
        high = (w1 + w2) / 2 + mp.sqrt(((w1 - w2) / 2) ** 2 + coupling**2)
        low = (w1 * w2 - coupling**2) / high
    rotation = matrix([[mp.cos(angle), -mp.sin(angle)], [mp.sin(angle), mp.cos(angle)]])
    modes, frequencies = (high, low), (w1, w2)
    position, momentum = mp.zeros(2), mp.zeros(2)
    for j in range(2):
        for k in range(2):
            stretch = mp.sqrt(frequencies[j] / modes[k]) if interaction == "position" else mpf(1)
            position[j, k] = rotation[j, k] * stretch
            momentum[j, k] = rotation[j, k] / stretch
    sigma = mp.zeros(4)
    for k, mode in enumerate(modes):
        rate = weighted = mpf(0)
        for j, (_, gamma, temperature) in enumerate(_oscillators(numbers)):
            weight = gamma * ((position[j, k] + momentum[j, k]) / 2) ** 2
            rate += weight
            weighted += weight * mp.coth(mode / (2 * temperature)) / 2
        variance = weighted / rate
        for i in range(2):
            for j in range(2):
                sigma[2 * i, 2 * j] += position[i, k] * position[j, k] * variance
                sigma[2 * i + 1, 2 * j + 1] += momentum[i, k] * momentum[j, k] * variance
    return sigma


def _mutual_information(sigma: matrix) -> mpf:
    """S(1) + S(2) − S(12) from the symplectic eigenvalues; NaN for an unphysical state."""
    first, second, cross = (
        mp.det(matrix([[sigma[i, j], sigma[i, j + 1]], [sigma[i + 1, j], sigma[i + 1, j + 1]]]))
        for i, j in ((0, 0), (2, 2), (0, 2))
    )
    half = (first + second + 2 * cross) / 2
    root = mp.sqrt(half**2 - mp.det(sigma))
    symplectic = [first, second, half + root, half - root]
    if any(mp.im(square) != 0 or square < mpf(1) / 4 for square in symplectic):
        return mpf("nan")
    entropies = [_entropy(mp.sqrt(square)) for square in symplectic]
    return entropies[0] + entropies[1] - entropies[2] - entropies[3]


def _entropy(nu: mpf) -> mpf:
    above, below = nu + mpf(1) / 2, nu - mpf(1) / 2
    return above * mp.log(above) - (below * mp.log(below) if below else mpf(0))
