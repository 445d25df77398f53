"""Fidelity, relative entropy and quantum Fisher information from density matrices in Fock space."""

import gaussian_states as gaussian
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import qutip
import scipy.linalg
from precision import double

import jaxosc

pytestmark = [pytest.mark.nightly, double]

LEVELS = {1: 80, 2: 24}


def quadratures(modes):
    levels = LEVELS[modes]
    one = [qutip.qeye(levels)] * modes
    lower = [qutip.tensor(*one[:k], qutip.destroy(levels), *one[k + 1 :]) for k in range(modes)]
    pairs = [((a + a.dag()) / np.sqrt(2), (a - a.dag()) / (1j * np.sqrt(2))) for a in lower]
    return [part for pair in pairs for part in pair]


def density(covariance, mean):
    """exp(−½ (r − ⟨r⟩)ᵀ𝒢(r − ⟨r⟩))/Z in Fock space, 𝒢 = 2iJ arcoth(2iσJ)."""
    modes = len(covariance) // 2
    omega = gaussian.form(modes)
    values, vectors = np.linalg.eig(1j * covariance @ omega)
    logarithm = np.log((values + 0.5) / (values - 0.5) + 0j)
    gibbs = (1j * omega @ vectors @ np.diag(logarithm) @ np.linalg.inv(vectors)).real
    moved = [r - m for r, m in zip(quadratures(modes), mean, strict=True)]
    exponent = sum(
        gibbs[i, j] * moved[i] * moved[j] for i in range(2 * modes) for j in range(2 * modes)
    )
    found = (-0.5 * exponent).expm()
    return found / found.tr()


def states(modes, seed):
    generator = np.random.default_rng(seed)
    nu = 0.5 + generator.uniform(0.1, 0.3, (2, modes))
    sigma = [gaussian.state(modes, generator, each, 0.1) for each in nu]
    return sigma, 0.2 * generator.normal(size=(2, 2 * modes))


@pytest.mark.parametrize("modes", [1, 2])
def test_distances(modes):
    sigma, means = states(modes, modes)
    rho = [density(*each) for each in zip(sigma, means, strict=True)]
    found = jaxosc.fidelity(*sigma, *means)
    assert found == pytest.approx(qutip.fidelity(*rho) ** 2, abs=1e-6)
    assert 0.5 < found < 0.99
    (p, one), (q, other) = (np.linalg.eigh(each.full()) for each in rho)
    p, q = (np.where(each > 1e-15, each, 1) for each in (p, q))  # the rest is rounding
    overlap = abs(one.conj().T @ other) ** 2
    share = np.where(p < 1, p, 0)
    expected = share @ np.log(p) - share @ overlap @ np.log(q)
    found = jaxosc.relative_entropy(*sigma, *means)
    assert found == pytest.approx(expected, abs=1e-6)
    assert found > 0.01


@pytest.mark.parametrize("modes", [1, 2])
def test_quantum_fisher_information(modes):
    """By the symmetric logarithmic derivative: 2 Σ |⟨a|dρ|b⟩|²/(p_a + p_b)."""
    sigma, means = states(modes, 10 + modes)
    turn = gaussian.form(modes) @ gaussian.change(modes, np.random.default_rng(modes))

    def at(theta):
        map_ = scipy.linalg.expm(theta * turn / 4)
        return map_ @ sigma[0] @ map_.T + theta * sigma[1], means[0] + theta * means[1]

    def traced(theta):
        map_ = jax.scipy.linalg.expm(theta * jnp.asarray(turn) / 4)
        return map_ @ sigma[0] @ map_.T + theta * sigma[1], means[0] + theta * means[1]

    step = 1e-4
    change = (density(*at(step)).full() - density(*at(-step)).full()) / (2 * step)
    share, vectors = np.linalg.eigh(density(*at(0.0)).full())
    inner = abs(vectors.conj().T @ change @ vectors) ** 2
    total = share[:, None] + share[None, :]
    expected = 2 * np.sum(inner[total > 1e-14] / total[total > 1e-14])
    found = jaxosc.quantum_fisher_information(traced, 0.0)
    assert found == pytest.approx(expected, rel=1e-5)
