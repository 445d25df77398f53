"""The Lindblad descriptions against QuTiP: density matrices in a truncated Fock space.

At low temperature, and with more and more levels until nothing changes any more: that the cutoff
has converged is part of every test.
"""

import itertools

import cases
import numpy as np
import pytest
import reference
import scipy.special
from legs import others_at_night
from precision import digits, double

import jaxosc

qutip = pytest.importorskip("qutip")

OMEGA, DAMPING, TEMPERATURE = (1.0, 0.8), (0.05, 0.03), (0.12, 0.22)

# λ and κ over √(ω_1 ω_2), which is critical where |λ| + |κ| = 1
INTERACTIONS = {"position": (0.15, 0.15), "rotating-wave": (0.3, 0.0), "neither": (-0.2, 0.1)}


def network(interaction):
    """(exchange, pairing) as matrices."""
    mean = np.sqrt(OMEGA[0] * OMEGA[1])
    return [np.array([[0, c], [c, 0]]) * mean for c in INTERACTIONS[interaction]]


def ladder(levels, modes=2):
    """The annihilation operators, each with its number of levels."""
    return [
        qutip.tensor(
            [qutip.destroy(levels) if k == j else qutip.qeye(levels) for k in range(modes)]
        )
        for j in range(modes)
    ]


def hamiltonian(operators, frequency, exchange, pairing):
    total = sum(w * a.dag() * a for w, a in zip(frequency, operators, strict=True))
    for j, a in enumerate(operators):
        for k, b in enumerate(operators[:j]):
            total += exchange[j][k] * (a * b.dag() + a.dag() * b)
            total += pairing[j][k] * (a * b + a.dag() * b.dag())
    return total


def bose(frequency, temperature):
    return 1 / np.expm1(frequency / temperature) if temperature else 0.0


def pumped(c, rate, number):
    """The jumps that damp the amplitude of c at a rate, with this occupation number."""
    return [np.sqrt(2 * rate * (number + 1)) * c, np.sqrt(2 * rate * number) * c.dag()]


def local_jumps(operators, frequency, damping, temperature):
    jumps = []
    for a, w, gamma, t in zip(operators, frequency, damping, temperature, strict=True):
        jumps += pumped(a, gamma, bose(w, t))
    return jumps


def global_jumps(operators, exchange, pairing, coupling, spectrum):
    """Jumps between the eigenstates of H: c_k = Σ_j U_jk a_j − V_jk a_j†, modes by mpmath."""
    frequency, u, v = reference.normal_modes(OMEGA, exchange, pairing)
    u, v = (np.array(matrix.tolist(), dtype=float) for matrix in (u, v))
    share = {
        "paper": u**2 + v**2, "rotating-wave": u**2, "position": (u + v) ** 2,
        "momentum": (u - v) ** 2,
    }[coupling]  # fmt: skip
    jumps = []
    for k, at_mode in enumerate(float(w) for w in frequency):
        c = sum(u[j, k] * a - v[j, k] * a.dag() for j, a in enumerate(operators))
        for j, own in enumerate(OMEGA):
            gamma = DAMPING[j] * (at_mode / own if spectrum == "ohmic" else 1)
            jumps += pumped(c, gamma * share[j, k], bose(at_mode, TEMPERATURE[j]))
    return jumps


def entropy(rho):
    # truncation leaves eigenvalues of −1e-17
    return float(np.sum(scipy.special.entr(np.clip(rho.eigenenergies(), 0, None))))


def from_density_matrix(rho, operators):
    """⟨a_j†a_k⟩, ⟨a_ja_k⟩, entropy, mutual information of the first two modes, purity."""
    pairs = [(j, k) for j in range(len(operators)) for k in range(j, len(operators))]
    a = operators
    values = {
        "coherence": [qutip.expect(a[j].dag() * a[k], rho) for j, k in pairs],
        "anomalous": [qutip.expect(a[j] * a[k], rho) for j, k in pairs],
        "entropy": entropy(rho),
        "information": entropy(rho.ptrace(0))
        + entropy(rho.ptrace(1))
        - entropy(rho.ptrace([0, 1])),
        "purity": rho.purity(),
    }
    return {name: np.asarray(value) for name, value in values.items()}


def from_covariance(state):
    state = np.asarray(state)
    modes = state.shape[0] // 2
    upper = np.triu_indices(modes)
    xx, pp, xp = state[::2, ::2], state[1::2, 1::2], state[::2, 1::2]
    values = {
        "coherence": np.asarray(jaxosc.coherence(state))[upper],
        "anomalous": np.asarray((xx - pp) / 2 + 1j * (xp + xp.T) / 2)[upper],
        "entropy": jaxosc.von_neumann_entropy(state),
        "information": jaxosc.mutual_information(state, [0], [1]),
        "purity": jaxosc.purity(state),
    }
    return {name: np.asarray(value) for name, value in values.items()}


def compare(state, liouvillian, cutoffs, tolerance, modes=2):
    """QuTiP's steady state has converged with the levels, and to the covariance's numbers.

    `liouvillian` gives H and the jumps for a list of ladder operators. The last level must change
    nothing by more than the tolerance. Each level takes a factor of ten or more from the error, so
    that the last result, held to a fifth of the tolerance, is held to what it can be.
    """
    expected, found = from_covariance(state), []
    for levels in cutoffs:
        operators = ladder(levels, modes)
        rho = qutip.steadystate(*liouvillian(operators))
        found.append(from_density_matrix(rho, operators))
    for name, value in expected.items():
        assert np.abs(found[-1][name] - found[-2][name]).max() < tolerance, f"{name}: not converged"
        assert np.abs(found[-1][name] - value).max() < tolerance / 5, name
    errors = [max(np.abs(one[name] - expected[name]).max() for name in expected) for one in found]
    # falling, until rounding takes over
    assert all(
        after < max(before / 5, digits(1e-12)) for before, after in itertools.pairwise(errors)
    )


def check_local(interaction, cutoffs, tolerance):
    exchange, pairing = network(interaction)
    oscillators = jaxosc.Oscillators(OMEGA, exchange, pairing)
    state = jaxosc.steady_state(
        jaxosc.local_lindblad(oscillators, jaxosc.Baths(DAMPING, TEMPERATURE))
    )

    def liouvillian(operators):
        jumps = local_jumps(operators, OMEGA, DAMPING, TEMPERATURE)
        return hamiltonian(operators, OMEGA, exchange, pairing), jumps

    compare(state, liouvillian, cutoffs, tolerance)


def check_global(interaction, coupling, spectrum, cutoffs, tolerance):
    exchange, pairing = network(interaction)
    oscillators = jaxosc.Oscillators(OMEGA, exchange, pairing)
    dynamics = cases.global_equation(oscillators, DAMPING, TEMPERATURE, coupling, spectrum)
    state = jaxosc.steady_state(dynamics)

    def liouvillian(operators):
        jumps = global_jumps(operators, exchange, pairing, coupling, spectrum)
        return hamiltonian(operators, OMEGA, exchange, pairing), jumps

    compare(state, liouvillian, cutoffs, tolerance)


RATES = [
    ("paper", "flat"),
    ("position", "flat"),
    ("rotating-wave", "flat"),
    ("position", "ohmic"),
    ("rotating-wave", "ohmic"),
    ("momentum", "flat"),
]


@pytest.mark.parametrize("interaction", others_at_night(INTERACTIONS, ("neither",)))
def test_local_equation(interaction):
    check_local(interaction, (3, 4, 5), 2e-4)


def test_one_global_equation():
    check_global("neither", "position", "ohmic", (3, 4, 5), 2e-4)


@pytest.mark.nightly
@pytest.mark.parametrize(("coupling", "spectrum"), RATES)
@pytest.mark.parametrize("interaction", INTERACTIONS)
def test_global_equation(interaction, coupling, spectrum):
    check_global(interaction, coupling, spectrum, (3, 4, 5), 2e-4)


@double
@pytest.mark.nightly
@pytest.mark.parametrize("interaction", INTERACTIONS)
def test_local_equation_to_more_digits(interaction):
    check_local(interaction, (5, 6, 7), 1e-6)


@double
@pytest.mark.nightly
@pytest.mark.parametrize(
    ("interaction", "coupling", "spectrum"),
    [
        ("position", "paper", "flat"),
        ("position", "position", "ohmic"),
        ("neither", "rotating-wave", "ohmic"),
        ("rotating-wave", "rotating-wave", "ohmic"),
    ],
)
def test_global_equation_to_more_digits(interaction, coupling, spectrum):
    check_global(interaction, coupling, spectrum, (5, 6, 7), 1e-6)


@pytest.mark.nightly
def test_local_equation_of_three_modes():
    """A triangle of three oscillators; the third damped by a cold bath."""
    frequency, damping, temperature = (1.0, 0.8, 1.2), (0.05, 0.03, 0.1), (0.12, 0.2, 0.0)
    exchange = np.array([[0, 0.08, -0.05], [0.08, 0, 0.1], [-0.05, 0.1, 0]])
    pairing = np.array([[0, 0.05, 0.02], [0.05, 0, -0.04], [0.02, -0.04, 0]])
    state = jaxosc.steady_state(
        jaxosc.local_lindblad(
            jaxosc.Oscillators(frequency, exchange, pairing), jaxosc.Baths(damping, temperature)
        )
    )

    def liouvillian(operators):
        jumps = local_jumps(operators, frequency, damping, temperature)
        return hamiltonian(operators, frequency, exchange, pairing), jumps

    compare(state, liouvillian, (2, 3, 4), 1e-4, modes=3)
