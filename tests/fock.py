"""Master equations of second order in Fock space: from eigenvectors and Bohr frequencies, in NumPy.

Of a Hamiltonian on many states the lowest eigenstates are kept: on those that lie so far below the
last one kept that no operator leads out, everything is exact.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np


def ladders(modes, most):
    """Annihilation operators on the states of up to so many quanta in all, and their totals."""
    states = [n for n in itertools.product(range(most + 1), repeat=modes) if sum(n) <= most]
    place = {n: i for i, n in enumerate(states)}
    operators = np.zeros((modes, len(states), len(states)))
    for n, i in place.items():
        for j in range(modes):
            if n[j]:
                operators[j, place[(*n[:j], n[j] - 1, *n[j + 1 :])], i] = np.sqrt(n[j])
    return operators, np.array([sum(n) for n in states])


@dataclass
class Space:
    """The lowest eigenstates of H = ½ rᵀhr: r, the products of two of them, energies."""

    r: np.ndarray
    products: np.ndarray
    energies: np.ndarray

    @classmethod
    def of(cls, hessian, most, kept):
        operators, quanta = ladders(len(hessian) // 2, most + 1)
        pairs = [(a + a.T, -1j * (a - a.T)) for a in operators]
        r = np.array([part for pair in pairs for part in pair], complex) / np.sqrt(2)
        products = np.einsum("aij,bjk->abik", r, r)
        # Between the states of fewer quanta than the most they are exact, a a† too.
        fewer = quanta <= most
        r, products = r[:, fewer][:, :, fewer], products[:, :, fewer][:, :, :, fewer]
        energies, vectors = np.linalg.eigh(np.einsum("ab,abij->ij", hessian, products) / 2)
        vectors = vectors[:, :kept]

        def inside(operator):
            return vectors.conj().T @ operator @ vectors

        return cls(inside(r), inside(products), energies[:kept])

    def components(self, operator):
        """The Bohr frequencies w of an operator, and the part of each, which lowers H by w."""
        w = self.energies[None, :] - self.energies[:, None]
        found = np.sort(w[np.abs(operator) > 1e-9])
        groups = np.split(found, np.nonzero(np.diff(found) > 1e-7)[0] + 1)
        means = [group.mean() for group in groups]
        return [(mean, np.where(np.abs(w - mean) < 1e-7, operator, 0)) for mean in means]

    def change(self, channels, rho):
        """dρ/dt for channels (u, Γ) that act through u·r."""
        h = np.diag(self.energies)
        total = -1j * (h @ rho - rho @ h)
        for row, symbol in channels:
            parts = self.components(np.einsum("a,aij->ij", row, self.r))
            flow = np.zeros_like(total)
            for (x, left), (y, right) in itertools.product(parts, repeat=2):
                adjoint = left.conj().T
                flow += symbol(x, y) * (right @ rho @ adjoint - adjoint @ right @ rho)
            total += flow + flow.conj().T
        return total

    def moments(self, rho):
        """⟨r⟩ and ⟨{r, rᵀ}⟩/2."""
        second = np.einsum("abij,ji->ab", self.products, rho)
        return np.einsum("aij,ji->a", self.r, rho).real, (second + second.T).real / 2

    def low_state(self, generator, count):
        """A random density matrix on so many of the lowest states."""
        half = generator.normal(size=(count, count)) + 1j * generator.normal(size=(count, count))
        rho = np.zeros((len(self.energies),) * 2, complex)
        rho[:count, :count] = half @ half.conj().T / np.linalg.norm(half) ** 2
        return rho
