"""The secular equation at degenerate normal modes, in mpmath, and networks that have them."""

from __future__ import annotations

import mpmath
import numpy as np
import reference
from mpmath import mpf


def global_(
    frequency, exchange, pairing, damping, temperature, weights="rotating-wave", spectrum="flat"
) -> mpmath.matrix:
    """Covariance of the global equation with the coherences inside eigenspaces kept.

    Modes within 1e-15 of each other are one eigenspace: n - N(W, T) of R n + n R = 2 sum_j w_j
    [N(W, T_j) - N(W, T)], T the coldest, from a linear system for all its entries. So the state is
    the Gibbs state to first order in what splits an eigenspace where all temperatures are T.
    """
    with mpmath.workdps(90):
        omega, wx, wp = reference._normal_quadratures(frequency, exchange, pairing)
        size = len(omega)
        coldest = min(reference._exact(t) for t in temperature)
        numbers = mpmath.diag([reference._bose(value, coldest) for value in omega])
        start = 0
        for stop in range(1, size + 1):
            if stop < size and omega[stop] - omega[stop - 1] < mpf(10) ** -15 * omega[stop]:
                continue
            group = range(start, stop)
            mean = sum(omega[k] for k in group) / len(group)
            rate, noise = mpmath.zeros(len(group)), mpmath.zeros(len(group))
            for j in range(size):
                strength = reference._exact(damping[j])
                if spectrum == "ohmic":
                    strength = strength * mean / reference._exact(frequency[j])
                x, p = ([w[j, k] for k in group] for w in (wx, wp))
                shapes = {
                    "paper": [[a / mpmath.sqrt(2) for a in x], [a / mpmath.sqrt(2) for a in p]],
                    "rotating-wave": [[(a + b) / 2 for a, b in zip(x, p, strict=True)]],
                    "position": [x],
                    "momentum": [p],
                }[weights]
                number = reference._bose(mean, reference._exact(temperature[j]))
                number -= reference._bose(mean, coldest)
                for shape in shapes:
                    for k, left in enumerate(shape):
                        for l, right in enumerate(shape):
                            rate[k, l] += strength * left * right
                            noise[k, l] += 2 * strength * left * right * number
            members = len(group)
            system, right = mpmath.zeros(members**2), mpmath.zeros(members**2, 1)
            for k in range(members):
                for l in range(members):
                    right[k * members + l] = noise[k, l]
                    for m in range(members):
                        system[k * members + l, m * members + l] += rate[k, m]
                        system[k * members + l, k * members + m] += rate[m, l]
            solution = mpmath.lu_solve(system, right)
            for k in range(members):
                for l in range(members):
                    numbers[start + k, start + l] += solution[k * members + l]
            start = stop
        state = numbers + mpmath.eye(size) / 2
        xx, pp = wx * state * wx.T, wp * state * wp.T
        covariance = mpmath.zeros(2 * size)
        for j in range(size):
            for k in range(size):
                covariance[2 * j, 2 * k] = xx[j, k]
                covariance[2 * j + 1, 2 * k + 1] = pp[j, k]
        return covariance


def graph(edges: list[tuple[int, int]], size: int) -> np.ndarray:
    """The adjacency matrix [N, N]."""
    adjacency = np.zeros((size, size))
    for j, k in edges:
        adjacency[j, k] = adjacency[k, j] = 1
    return adjacency


def ring(size: int) -> np.ndarray:
    """Every site linked to the next, the last to the first."""
    return graph([(j, (j + 1) % size) for j in range(size)], size)


def complete(size: int) -> np.ndarray:
    """Every site linked to every other."""
    return np.ones((size, size)) - np.eye(size)


def star(size: int) -> np.ndarray:
    """The first site linked to all others."""
    return graph([(0, j) for j in range(1, size)], size)


def lattice(rows: int, columns: int) -> np.ndarray:
    """A rectangular piece of the square lattice."""
    edges = []
    for r in range(rows):
        for c in range(columns):
            if r + 1 < rows:
                edges.append((r * columns + c, (r + 1) * columns + c))
            if c + 1 < columns:
                edges.append((r * columns + c, r * columns + c + 1))
    return graph(edges, rows * columns)
