"""dσ/dt = Aσ + σAᵀ + D by a general ODE solver, with A and D made here.

The matrices come from the text-book form of each equation, from the normal modes of the reference,
and from SciPy's digamma function; the library's are compared with them, and its steady states with
where the solutions end.
"""

import itertools

import cases
import numpy as np
import pytest
import reference
import scipy.integrate
import scipy.linalg
import scipy.special
from legs import nightly, others_at_night
from precision import EPS, digits

import jaxosc

OMEGA, DAMPING, TEMPERATURE = (1.0, 0.8), (0.05, 0.03), (0.15, 0.2)
EQUATIONS = [
    "local",
    "langevin",
    "paper, flat",
    "position, flat",
    "rotating-wave, flat",
    "position, ohmic",
    "rotating-wave, ohmic",
    "momentum, ohmic",
]
# One and three modes share formulas, two have their own. Most of the time goes into compilation.
FAST = [
    (2, "langevin"),
    (2, "position, ohmic"),
    (3, "local"),
]
LATER = [(2, "local"), (2, "paper, flat"), (3, "position, ohmic")]
CASES = others_at_night(itertools.product((1, 2, 3), EQUATIONS), FAST, LATER)


def make_network(modes):
    """Random couplings; damping rates different enough to tell them apart; warm and cold baths."""
    network = cases.random_network(np.random.default_rng(70 + modes), modes)
    network["damping"] = np.array([0.2, 0.35, 0.6])[:modes]
    network["temperature"] = np.array([2.0, 0.3, 6.0])[:modes]
    return network


def by_the_library(network, name):
    oscillators = jaxosc.Oscillators(*(network[k] for k in ("frequency", "exchange", "pairing")))
    baths = jaxosc.Baths(network["damping"], network["temperature"])
    if name in ("local", "langevin"):
        equation = {"local": jaxosc.local_lindblad, "langevin": jaxosc.langevin}[name]
        return equation(oscillators, baths)
    return cases.global_equation(
        oscillators, network["damping"], network["temperature"], *name.split(", ")
    )


def by_hand(network, name):
    """(A, D)."""
    if name == "local":
        return network_drift(network), local_diffusion(network)
    if name == "langevin":
        return network_drift(network), langevin_diffusion(network)
    return global_matrices(network, *name.split(", "))


def network_drift(network):
    """ẋ_j = ω_jp_j + Σ(λ − κ)p_k − γ_jx_j, ṗ_j = −ω_jx_j − Σ(λ + κ)x_k − γ_jp_j."""
    size = len(network["frequency"])
    drift = np.zeros((2 * size, 2 * size))
    for j in range(size):
        drift[2 * j, 2 * j] = drift[2 * j + 1, 2 * j + 1] = -network["damping"][j]
        for k in range(size):
            own = network["frequency"][j] if j == k else 0.0
            drift[2 * j, 2 * k + 1] = own + network["exchange"][j, k] - network["pairing"][j, k]
            drift[2 * j + 1, 2 * k] = -own - network["exchange"][j, k] - network["pairing"][j, k]
    return drift


def local_diffusion(network):
    """γ_j(2N_j + 1) on both quadratures."""
    number = 1 / np.expm1(network["frequency"] / network["temperature"])
    return np.diag(np.repeat(network["damping"] * (2 * number + 1), 2))


def langevin_diffusion(network):
    """Σ_j (γ_j/π)[g_j(A)Z_j + Z_jg_j(A)†], g_j(A) = −i[πT_jA⁻¹ + ψ(1 − A/2πT_j)], ladder order.

    The function of the matrix by its eigenvectors, in ladder operators (a_1 … a_N, a_1† … a_N†).
    """
    size = len(network["frequency"])
    change = np.zeros((2 * size, 2 * size), complex)  # quadratures = change @ ladder; unitary
    for j in range(size):
        change[2 * j, [j, size + j]] = np.sqrt(0.5)
        change[2 * j + 1, [j, size + j]] = -1j * np.sqrt(0.5), 1j * np.sqrt(0.5)
    values, vectors = np.linalg.eig(change.conj().T @ network_drift(network) @ change)
    diffusion = np.zeros((2 * size, 2 * size), complex)
    for j, (gamma, t) in enumerate(zip(network["damping"], network["temperature"], strict=True)):
        bracket = np.pi * t / values + scipy.special.digamma(1 - values / (2 * np.pi * t))
        function = -1j * (vectors * bracket) @ np.linalg.inv(vectors)
        sign = np.zeros(2 * size)
        sign[j], sign[size + j] = 1, -1
        half = gamma / np.pi * function * sign
        diffusion += half + half.conj().T
    diffusion = change @ diffusion @ change.conj().T
    assert np.abs(diffusion.imag).max() < digits(1e-12) * np.abs(diffusion).max()
    return diffusion.real


def global_matrices(network, coupling, spectrum):
    """Normal mode k: ċ = −iΩ_kc − Γ_kc and noise Γ_k(2n_k + 1), modes by mpmath."""
    frequency, u, v = reference.normal_modes(
        network["frequency"], network["exchange"], network["pairing"]
    )
    frequency = np.array([float(value) for value in frequency])
    u, v = (np.array(matrix.tolist(), dtype=float) for matrix in (u, v))
    share = {
        "paper": u**2 + v**2, "rotating-wave": u**2, "position": (u + v) ** 2,
        "momentum": (u - v) ** 2,
    }[coupling]  # fmt: skip
    rates = network["damping"][:, None] * share
    if spectrum == "ohmic":
        rates = rates * frequency / network["frequency"][:, None]
    number = 1 / np.expm1(frequency / network["temperature"][:, None])
    rate = rates.sum(axis=0)
    noise = (rates * (2 * number + 1)).sum(axis=0)
    size = len(rate)
    drift, diffusion, change = (np.zeros((2 * size, 2 * size)) for _ in range(3))
    for k in range(size):
        block = slice(2 * k, 2 * k + 2)
        drift[block, block] = [[-rate[k], frequency[k]], [-frequency[k], -rate[k]]]
        diffusion[block, block] = noise[k] * np.eye(2)
        change[::2, 2 * k], change[1::2, 2 * k + 1] = u[:, k] + v[:, k], u[:, k] - v[:, k]
    return change @ drift @ np.linalg.inv(change), change @ diffusion @ change.T


def evolve(drift, diffusion, initial, times, precision=1e-10):
    """σ at these times, from `initial` at 0."""
    shape = initial.shape

    def rate(_, flat):
        product = drift @ flat.reshape(shape)
        return (product + product.T + diffusion).ravel()

    solution = scipy.integrate.solve_ivp(
        rate,
        (0, times[-1]),
        initial.ravel(),
        t_eval=times,
        method="DOP853",
        rtol=precision,
        atol=precision,
    )
    assert solution.success
    return np.moveaxis(solution.y, -1, 0).reshape(-1, *shape)


def squeezed_and_hot(modes):
    """Different variances in every quadrature, and correlations between all of them."""
    mixing = np.random.default_rng(modes).normal(size=(2 * modes, 2 * modes))
    return 3 * np.eye(2 * modes) + mixing @ mixing.T


@pytest.mark.parametrize(("modes", "name"), CASES)
def test_drift_and_diffusion(modes, name):
    """To rounding: the entries are of order 1, those of the noise of order γT."""
    network = make_network(modes)
    dynamics = by_the_library(network, name)
    drift, diffusion = by_hand(network, name)
    np.testing.assert_allclose(dynamics.drift, drift, rtol=0, atol=digits(1e-13))
    np.testing.assert_allclose(
        dynamics.diffusion, diffusion, rtol=0, atol=digits(1e-13) * np.abs(diffusion).max()
    )


@pytest.mark.parametrize(("modes", "name"), CASES)
def test_relaxation_to_the_steady_state(modes, name):
    """From the vacuum and from a hot, squeezed, correlated state; nothing of the library's."""
    network = make_network(modes)
    drift, diffusion = by_hand(network, name)
    slowest = -np.linalg.eigvals(drift).real.max()
    end = 12 / slowest  # leaves e⁻²⁴ = 4e-11 of the difference of the first state
    state = np.asarray(jaxosc.steady_state(by_the_library(network, name)))
    for initial in (0.5 * np.eye(2 * modes), squeezed_and_hot(modes)):
        assert np.abs(initial - state).max() > 0.05
        final = evolve(drift, diffusion, initial, [end])[-1]
        # The solver's 1e-10 a step, damped as everything else
        np.testing.assert_allclose(
            final, state, rtol=0, atol=(1e-9 + 40 * EPS) * np.abs(state).max()
        )


@pytest.mark.parametrize("modes", [2, *nightly(1, 3)])
def test_the_decay_rate(modes):
    """σ(t) approaches the steady state as exp(−2 · decay_rate · t)."""
    network = make_network(modes)
    network["damping"] = np.array([0.05, 0.4, 0.5])[:modes]  # one mode outlives the others
    oscillators = jaxosc.Oscillators(*(network[k] for k in ("frequency", "exchange", "pairing")))
    baths = jaxosc.Baths(network["damping"], network["temperature"])
    rate = jaxosc.diagnose(oscillators, baths).decay_rate
    # |σ − σ_∞|² through a smooth window, which what oscillates at 2Ω does not pass, twice. The
    # others have e⁻²⁰ of it by then: their rates are larger by 0.25 or more, as amplitudes.
    start, window, later = 40.0, 60.0, 70.0
    grid = np.linspace(0, 1, 601)[1:-1]
    weight = np.exp(-1 / (grid * (1 - grid)))
    times = np.concatenate([start + window * grid, start + later + window * grid])
    drift = network_drift(network)  # of the local and of the Langevin equation
    state = np.asarray(jaxosc.steady_state(by_the_library(network, "langevin")))
    # The difference obeys the equation without its noise. It is linear, and large here so that
    # the solver's absolute tolerance does not matter
    first = 1e9 * (squeezed_and_hot(modes) - state)
    size = np.sum(evolve(drift, 0 * drift, first, times, 1e-9) ** 2, axis=(1, 2))
    before, after = size.reshape(2, -1) @ weight
    # The solver's error is 1e-9 a step, of some thousand
    assert np.log(before / after) / (4 * later) == pytest.approx(rate, rel=1e-7 + 100 * EPS)


# ---------------------------------------------------------------------------------------------
# The density matrix: not the steady state but the way there


def moments(rho, quadratures):
    """⟨r⟩ and the covariance."""
    import qutip

    mean = np.array([qutip.expect(r, rho) for r in quadratures])
    second = [[qutip.expect((r * s + s * r) / 2, rho) for s in quadratures] for r in quadratures]
    return mean, np.array(second) - np.outer(mean, mean)


@pytest.mark.nightly
@pytest.mark.parametrize("interaction", ["position", "rotating-wave"])
def test_transient_in_fock_space(interaction):
    """QuTiP's mesolve of the local equation against A and D of the library.

    The first state is displaced, squeezed and correlated. Two numbers of levels tell what the
    cutoff does.
    """
    qutip = pytest.importorskip("qutip")
    coupling = 0.3 * float(jaxosc.critical_coupling(OMEGA, interaction))
    oscillators = jaxosc.pair(OMEGA, coupling, interaction)
    dynamics = jaxosc.local_lindblad(oscillators, jaxosc.Baths(DAMPING, TEMPERATURE))
    drift, diffusion = np.asarray(dynamics.drift), np.asarray(dynamics.diffusion)
    times = np.array([0.0, 0.7, 2.0, 5.0, 11.0])

    def density_matrices(levels):
        one = qutip.qeye(levels)
        a1 = qutip.tensor(qutip.destroy(levels), one)
        a2 = qutip.tensor(one, qutip.destroy(levels))
        quadratures = []
        for a in (a1, a2):
            quadratures += [(a + a.dag()) / np.sqrt(2), (a - a.dag()) / (1j * np.sqrt(2))]
        h = OMEGA[0] * a1.dag() * a1 + OMEGA[1] * a2.dag() * a2
        h += coupling * (a1 * a2.dag() + a1.dag() * a2)
        if interaction == "position":
            h += coupling * (a1 * a2 + a1.dag() * a2.dag())
        jumps = []
        for a, omega, gamma, t in zip((a1, a2), OMEGA, DAMPING, TEMPERATURE, strict=True):
            number = 1 / np.expm1(omega / t)
            jumps += [np.sqrt(2 * gamma * (number + 1)) * a, np.sqrt(2 * gamma * number) * a.dag()]
        vacuum = qutip.tensor(qutip.basis(levels, 0), qutip.basis(levels, 0))
        generator = 0.05 * a1**2 + (0.08 - 0.03j) * a1 * a2 + 0.1 * a1 - 0.15j * a2
        first = (generator - generator.dag()).expm() * vacuum
        options = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 100_000}
        states = qutip.mesolve(h, first, times, jumps, options=options).states
        return [moments(qutip.ket2dm(s) if s.isket else s, quadratures) for s in states]

    coarse, fine = density_matrices(8), density_matrices(10)
    mean, covariance = fine[0]
    assert np.abs(mean).max() > 0.1
    assert np.abs(covariance[:2, 2:]).max() > 0.05
    expected = evolve(drift, diffusion, covariance, times)
    state = np.asarray(jaxosc.steady_state(dynamics))
    assert np.abs(expected[-1] - state).max() > 0.01  # still on the way
    for index, time in enumerate(times):
        for one, other in zip(coarse[index], fine[index], strict=True):
            assert np.abs(one - other).max() < 1e-5  # the cutoff has converged
        moved = scipy.linalg.expm(drift * time) @ mean
        np.testing.assert_allclose(fine[index][0], moved, atol=1e-6)
        np.testing.assert_allclose(fine[index][1], expected[index], atol=1e-6)
