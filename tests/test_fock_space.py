"""The Lindblad descriptions against QuTiP: density matrices in a truncated Fock space."""

import numpy as np
import pytest

import jaxosc

qutip = pytest.importorskip("qutip")

OMEGA, DAMPING, TEMPERATURE = (1.0, 0.8), (0.05, 0.03), (0.35, 0.45)
CUTOFF = 9


def ladder():
    one = qutip.qeye(CUTOFF)
    return qutip.tensor(qutip.destroy(CUTOFF), one), qutip.tensor(one, qutip.destroy(CUTOFF))


def hamiltonian(a1, a2, coupling, interaction):
    h = OMEGA[0] * a1.dag() * a1 + OMEGA[1] * a2.dag() * a2
    h += coupling * (a1 * a2.dag() + a1.dag() * a2)
    if interaction == "position":
        h += coupling * (a1 * a2 + a1.dag() * a2.dag())
    return h


def compare(state, rho, a1, a2, tolerance):
    occupation = jaxosc.occupation(state)
    assert qutip.expect(a1.dag() * a1, rho) == pytest.approx(float(occupation[0]), abs=tolerance)
    assert qutip.expect(a2.dag() * a2, rho) == pytest.approx(float(occupation[1]), abs=tolerance)
    coherence = complex(jaxosc.coherence(state)[0, 1])
    assert qutip.expect(a1.dag() * a2, rho) == pytest.approx(coherence, abs=tolerance)
    entropies = [qutip.entropy_vn(rho.ptrace(mode)) for mode in (0, 1)]
    information = sum(entropies) - qutip.entropy_vn(rho)
    # an entropy weighs a lost population by its logarithm
    assert information == pytest.approx(float(jaxosc.mutual_information(state)), abs=30 * tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("interaction", ["position", "rotating-wave"])
def test_local_equation(interaction):
    coupling = 0.25 * float(jaxosc.critical_coupling(OMEGA, interaction))
    a1, a2 = ladder()
    jumps = []
    for a, omega, gamma, t in zip((a1, a2), OMEGA, DAMPING, TEMPERATURE, strict=True):
        number = 1 / np.expm1(omega / t)
        jumps += [np.sqrt(2 * gamma * (number + 1)) * a, np.sqrt(2 * gamma * number) * a.dag()]
    rho = qutip.steadystate(hamiltonian(a1, a2, coupling, interaction), jumps)
    state = jaxosc.steady_state(
        jaxosc.local_lindblad(
            jaxosc.pair(OMEGA, coupling, interaction), jaxosc.Baths(DAMPING, TEMPERATURE)
        )
    )
    # nine levels of a mode with ⟨n⟩ ≈ 0.2 leave out (n/(n + 1))⁹ ~ 1e-7 of it, times some
    compare(state, rho, a1, a2, 2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["paper", "position"])
def test_global_equation(weights):
    """Jumps between the eigenstates of H, by the normal modes of the reference."""
    import reference

    coupling = 0.3 * float(jaxosc.critical_coupling(OMEGA, "position"))
    a1, a2 = ladder()
    frequency, u, v = reference.normal_modes(*reference.pair(OMEGA, coupling, "position"))
    jumps = []
    for k in (0, 1):
        uk = [float(u[j, k]) for j in (0, 1)]
        vk = [float(v[j, k]) for j in (0, 1)]
        # c_k = Σ_j U_jk a_j − V_jk a_j†
        c = sum(uk[j] * a - vk[j] * a.dag() for j, a in enumerate((a1, a2)))
        for j in (0, 1):
            share = uk[j] ** 2 + vk[j] ** 2 if weights == "paper" else (uk[j] + vk[j]) ** 2
            number = 1 / np.expm1(float(frequency[k]) / TEMPERATURE[j])
            rate = 2 * DAMPING[j] * share
            jumps += [np.sqrt(rate * (number + 1)) * c, np.sqrt(rate * number) * c.dag()]
    rho = qutip.steadystate(hamiltonian(a1, a2, coupling, "position"), jumps)
    state = jaxosc.steady_state(
        jaxosc.global_lindblad(
            jaxosc.pair(OMEGA, coupling, "position"),
            jaxosc.Baths(DAMPING, TEMPERATURE),
            weights=weights,
        )
    )
    compare(state, rho, a1, a2, 2e-5)
