"""What must hold for every network and every bath: laws and symmetries instead of numbers."""

from __future__ import annotations

import functools

import cases
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import reference
import strategies
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from legs import nightly
from precision import DTYPE, EPS, SINGLE, digits, double
from strategies import Network, networks

import jaxosc

# Coupling and spectrum of the baths for every form of the global equation
GLOBAL = {
    "global": ("rotating-wave", "flat"),
    "global paper": ("paper", "flat"),
    "global momentum ohmic": ("momentum", "ohmic"),
    "global position": ("position", "flat"),
    "global rotating-wave ohmic": ("rotating-wave", "ohmic"),
    "global position ohmic": ("position", "ohmic"),
}
MAIN = ("local", "langevin", "global", "gibbs")
EVERY = ("local", "langevin", *GLOBAL, "gibbs")

# Compilation takes most of the time: one function for each number of modes, of two in the quick
# part and of three in continuous integration.
NIGHTLY, CI = pytest.mark.nightly, pytest.mark.slow
FAST = {2: MAIN, 3: ("local", "global", "gibbs")}
SLOW = {modes: (*MAIN, "global position ohmic") for modes in (1, 4, 5, 6)} | {2: EVERY, 3: EVERY}


def sizes(least=1, needed="gibbs"):
    """Numbers of modes, descriptions, and how many examples to try."""
    fast = [
        pytest.param(modes, names, 10, id=f"{modes} modes", marks=() if modes == 2 else CI)
        for modes, names in FAST.items()
        if needed in names
    ]
    slow = [
        pytest.param(modes, SLOW[modes], 10, id=f"{modes} modes", marks=pytest.mark.nightly)
        for modes in range(least, 7)
        if modes not in FAST
    ]
    more = [
        pytest.param(modes, SLOW[modes], 40, id=f"{modes} modes, more", marks=NIGHTLY)
        for modes in range(least, 7)
    ]
    return pytest.mark.parametrize(("modes", "names", "examples"), fast + slow + more)


def hold(law, examples, *given_strategies):
    """Check a law on examples of what the strategies draw, the same ones every time."""
    exact = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
    )
    exact(given(*given_strategies)(law))()


def dynamics_of(name, oscillators, damping, temperature):
    if name in GLOBAL:
        return cases.global_equation(oscillators, damping, temperature, *GLOBAL[name])
    equation = {"local": jaxosc.local_lindblad, "langevin": jaxosc.langevin}[name]
    return equation(oscillators, jaxosc.Baths(damping, temperature))


def covariances(names, frequency, exchange, pairing, damping, temperature):
    """σ of each description; Gibbs at the temperature of the first bath."""
    oscillators = jaxosc.Oscillators(frequency, exchange, pairing)
    states = {}
    for name in names:
        if name == "gibbs":
            states[name] = jaxosc.gibbs(oscillators, temperature[0])
        else:
            dynamics = dynamics_of(name, oscillators, damping, temperature)
            states[name] = jaxosc.steady_state(dynamics)
    return states


def equations(names, frequency, exchange, pairing, damping, temperature):
    """A and D of each description that has them."""
    oscillators = jaxosc.Oscillators(frequency, exchange, pairing)
    every = {n: dynamics_of(n, oscillators, damping, temperature) for n in names if n != "gibbs"}
    return {name: (dynamics.drift, dynamics.diffusion) for name, dynamics in every.items()}


@functools.cache
def compiled(modes, names):
    def both(*arguments):
        return covariances(names, *arguments), equations(names, *arguments)

    return jax.jit(both)


def solved(network: Network, names):
    """σ by description, and (A, D) by description, in float64."""
    answers = compiled(network.modes, names)(*network.arguments)
    return jax.tree.map(lambda array: np.asarray(array, float), answers)


@functools.cache
def measures(modes):
    """Numbers from a covariance, and the information between its groups of modes."""

    def of(covariance):
        groups = {}
        if modes > 1:
            rest = tuple(range(1, modes))
            groups["A:rest"] = jaxosc.mutual_information(covariance, (0,), rest)
            groups["rest:A"] = jaxosc.mutual_information(covariance, rest, (0,))
            groups["A:B"] = jaxosc.mutual_information(covariance, (0,), (1,))
            groups["B:A"] = jaxosc.mutual_information(covariance, (1,), (0,))
        if modes > 2:
            groups["A:BC"] = jaxosc.mutual_information(covariance, (0,), (1, 2))
        return {
            "information": groups,
            "entropy": jaxosc.von_neumann_entropy(covariance),
            "purity": jaxosc.purity(covariance),
            "symplectic": jaxosc.symplectic_eigenvalues(covariance),
            "physical": jaxosc.is_physical(covariance),
        }

    return jax.jit(of)


def measured(covariance):
    return jax.device_get(measures(len(covariance) // 2)(covariance))


def rounding(network: Network, name: str) -> float:
    """Relative error allowed of an entry σ_ij, in units of √(σ_ii σ_jj).

    Rounding and, near a critical point, that of the couplings themselves. The modes of a global
    equation whose frequencies nearly agree are determined to ε over their distance, which shows
    where the temperatures differ.
    """
    error = digits(4 * (1e-12 + 1e-15 / network.distance))
    if network.modes > 2 or np.max(network.frequency) > 30 * np.min(network.frequency):
        error *= 5  # measured, for frequencies far apart and rates of which one is tiny
    # A pairing softens a position and another momentum, and their small determinants multiply.
    alone = strategies.critical_ratio(
        network.frequency, np.zeros_like(network.pairing), network.pairing
    )
    error += digits(4e-16) / max(1 - alone, network.distance) ** 2
    if name in GLOBAL and np.ptp(network.temperature) > 0:
        error += digits(2e-14) / max(network.gap, 1e-300)
        if network.modes > 2:
            # What a mode has of another oscillator is known to ε of the whole, and a bath there
            # may be so much stronger than its own.
            damped = network.damping[network.damping > 0]
            error *= np.sqrt(np.max(damped) / np.min(damped))
    return error


def is_determined(network: Network, name: str) -> bool:
    """Whether rounding leaves at least six digits of the answer.

    Where normal frequencies coincide and temperatures differ, the global equation is discontinuous.
    """
    return rounding(network, name) < (0.05 if SINGLE else 1e-6)


def scale_of(covariance) -> np.ndarray:
    """√(σ_ii σ_jj)."""
    size = np.sqrt(np.abs(np.diag(covariance)))
    return np.outer(size, size)


def assert_same(actual, expected, error, what):
    excess = np.max(np.abs(actual - expected) / scale_of(expected))
    assert excess <= error, f"{what}: {excess:.3g} > {error:.3g}"


def quadratures(modes) -> np.ndarray:
    """The places of x and p of these modes in a covariance."""
    return np.array([2 * mode + q for mode in modes for q in (0, 1)])


def condition(covariance) -> float:
    """How much the rounding of σ_ij, ε√(σ_ii σ_jj), grows in det σ and the symplectic values."""
    lowest = np.linalg.eigvalsh(covariance / scale_of(covariance))[0]
    return float(1 / max(lowest, EPS))


# ---------------------------------------------------------------------------------------------
# Equilibrium


@sizes()
@pytest.mark.slow
def test_global_equation_is_thermal_between_equal_baths(modes, names, examples):
    """Every weight and spectrum leads to the Gibbs state, however strong the damping."""

    def law(network):
        states, _ = solved(network, names)
        for name in GLOBAL:
            if name in names:
                # Not the steady state's own accuracy, but two routes to the same formula
                assert_same(states[name], states["gibbs"], 4 * EPS, name)

    hold(law, examples, networks(modes, equal_temperatures=True, undamped=False))


@double
@sizes(needed="langevin")
@pytest.mark.slow
def test_langevin_equation_is_thermal_in_the_limit_of_weak_damping(modes, names, examples):
    """σ − σ_Gibbs ∝ γ: at most γ over the smallest frequency or splitting, and linear."""

    def law(network, rates):
        omega, x, p = network.normal_quadratures
        softest = omega[0] * min(1.0, network.gap)
        assume(network.gap > 1e-2)
        # Unequal rates may drive a normal mode: its own is Σ γ_j (U² − V²), of either sign.
        assume((np.array(rates) @ (x * p)).min() > 0.05)
        deviation = []
        for strength in (1e-4, 1e-5):
            damped = network.changed(damping=strength * softest * np.array(rates))
            states, _ = solved(damped, names)
            difference = (states["langevin"] - states["gibbs"]) / scale_of(states["gibbs"])
            assert np.abs(difference).max() <= strength
            deviation.append(difference)
        # The next order is γ/Ω of the first, 1e-4 times a few. Warm baths have less of the
        # first order, (Ω/T)³, so that it leads only for cold ones.
        if network.temperature[0] < network.normal_quadratures[0][0]:
            error = np.abs(deviation[0] - 10 * deviation[1]).max()
            assert error <= 1e-2 * np.abs(deviation[0]).max()

    few_digits = networks(
        modes, spread=0.3, nearest=-1, temperature=(-1.0, 2.0), equal_temperatures=True,
        damping=(-2, -2),
    )  # fmt: skip
    rates = st.lists(st.floats(0.1, 1), min_size=modes, max_size=modes)
    hold(law, examples, few_digits, rates)


@pytest.mark.slow
@sizes()
def test_uncoupled_oscillators_are_alone(modes, names, examples):
    """λ = 0: each one has the state of one mode by itself, and they share nothing."""

    def law(network):
        zero = np.zeros((modes, modes))
        network = network.changed(exchange=zero, pairing=zero, ratio=0.0)
        states, _ = solved(network, names)
        for name, state in states.items():
            rest = state.copy()
            for mode in range(modes):
                part = [network.frequency[[mode]], np.zeros((1, 1)), np.zeros((1, 1))]
                if name == "gibbs":
                    alone = reference.gibbs(*part, network.temperature[0])
                else:
                    function = reference.langevin if name == "langevin" else reference.local
                    baths = network.damping[[mode]], network.temperature[[mode]]
                    alone = function(*part, *baths)
                alone = np.array(alone.tolist(), dtype=float)
                place = quadratures([mode])
                # A few ulp of sums of up to a hundred terms; of what is larger, beyond two modes
                error = digits(1e-14 if modes < 3 else 1e-12)
                assert_same(state[np.ix_(place, place)], alone, error, name)
                rest[np.ix_(place, place)] = 0
            assert np.all(rest == 0), name

    hold(law, max(6, examples // 4), networks(modes, undamped=False))


# ---------------------------------------------------------------------------------------------
# Symmetries


@pytest.mark.slow
@sizes(least=2)
def test_names_of_the_modes_do_not_matter(modes, names, examples):
    def law(network, order):
        order = np.array(order)
        square, place = np.ix_(order, order), quadratures(order)
        renamed = Network(
            network.frequency[order], network.exchange[square], network.pairing[square],
            network.damping[order], network.temperature[order], network.ratio,
        )  # fmt: skip
        states, others = solved(network, names)[0], solved(renamed, names)[0]
        for name, state in states.items():
            if is_determined(network, name) and (name != "gibbs" or order[0] == 0):
                expected = state[np.ix_(place, place)]
                assert_same(others[name], expected, rounding(network, name), name)

    hold(law, examples, networks(modes), st.permutations(range(modes)))


@pytest.mark.slow
@sizes()
def test_the_unit_does_not_matter(modes, names, examples):
    """Frequencies, rates and temperatures × s: σ stays, A and D grow by s."""

    def law(network, exponent, factor):
        states, matrices = solved(network, names)

        def in_unit(s):
            scaled = (argument * s for argument in network.arguments)
            return solved(Network(*scaled, network.ratio), names)

        s = 2.0**exponent
        other, other_matrices = in_unit(s)
        for name, state in states.items():
            np.testing.assert_array_equal(other[name], state)  # exact: only exponents change
            if name != "gibbs":
                for ours, theirs in zip(other_matrices[name], matrices[name], strict=True):
                    np.testing.assert_array_equal(ours, s * theirs)
        other, _ = in_unit(factor)
        # It rounds every frequency, and a detuning counts by the damping.
        slowest = np.min(network.damping[network.damping > 0])
        rounded = EPS * np.max(network.frequency) / slowest
        for name, state in states.items():
            if is_determined(network, name):
                assert_same(other[name], state, rounding(network, name) + rounded, name)

    hold(law, examples, networks(modes), st.integers(-40, 40), st.floats(0.1, 10))


@sizes()
def test_the_sign_of_a_mode_does_not_matter(modes, names, examples):
    """a_j → −a_j turns the signs of its couplings and of its rows and columns of σ."""

    def law(network, signs):
        signs = np.array(signs)
        turned = network.changed(
            exchange=network.exchange * np.outer(signs, signs),
            pairing=network.pairing * np.outer(signs, signs),
        )
        states, others = solved(network, names)[0], solved(turned, names)[0]
        both = np.repeat(signs, 2)
        for name, state in states.items():
            if is_determined(network, name):
                expected = state * np.outer(both, both)
                assert_same(others[name], expected, rounding(network, name), name)

    signs = st.lists(st.sampled_from((1.0, -1.0)), min_size=modes, max_size=modes)
    hold(law, examples, networks(modes), signs)


@sizes()
def test_a_quarter_period_turns_the_pairing(modes, names, examples):
    """a_j → ia_j for all j: κ → −κ, x → −p and p → x. A bath of x or p alone is not its own image.

    With κ = 0 the covariance is its own image, and no phase matters: ⟨a_j a_k⟩ = 0.
    """

    def law(network):
        turned = network.changed(pairing=-network.pairing)
        states, others = solved(network, names)[0], solved(turned, names)[0]
        quarter = np.kron(np.eye(modes), [[0.0, -1.0], [1.0, 0.0]])
        for name, state in states.items():
            of_one = "position" in name or "momentum" in name
            if is_determined(network, name) and not of_one:
                expected = quarter @ state @ quarter.T
                error = rounding(network, name)
                assert_same(others[name], expected, error, name)
                if not network.pairing.any():
                    x, p = np.arange(0, 2 * modes, 2), np.arange(1, 2 * modes, 2)
                    scale = scale_of(state)[np.ix_(x, x)]
                    xx, pp, xp = (state[np.ix_(*place)] for place in ((x, x), (p, p), (x, p)))
                    assert np.all(np.abs(xx - pp) <= error * scale), name
                    assert np.all(np.abs(xp + xp.T) <= error * scale), name

    hold(law, examples, networks(modes))


# ---------------------------------------------------------------------------------------------
# States


@sizes()
def test_steady_states(modes, names, examples):
    """Symmetric; stationary; in balance of energy; and, but for flat damping, quantum states."""

    def law(network):
        states, matrices = solved(network, names)
        for name, state in states.items():
            if name in GLOBAL and not is_determined(network, name):
                continue
            error = rounding(network, name)
            scale = scale_of(state)
            assert np.all(np.abs(state - state.T) <= 4 * EPS * scale), name
            if name != "langevin":
                numbers = measured(state)
                slack = (64 * EPS + digits(1e-15) / network.distance) * condition(state)
                assert numbers["symplectic"][0] >= 0.5 - slack, (name, numbers)
                # Beyond two modes even a ground state's own entries are known to 1e-17/δ only.
                near = modes > 2 and numbers["symplectic"][0] < 0.5
                assert numbers["physical"] or near, (name, numbers)
            if name == "gibbs":
                continue
            drift, diffusion = matrices[name]
            assert np.all(np.abs(diffusion - diffusion.T) <= 4 * EPS * np.abs(diffusion).max())
            residual = drift @ state + state @ drift.T + diffusion
            allowed = np.abs(drift) @ scale
            allowed = error * (allowed + allowed.T + np.abs(diffusion))
            assert np.all(np.abs(residual) <= allowed), name
            # d⟨H⟩/dt: what the damping part B of the drift takes out and D brings in. The
            # Hamiltonian part drops out, so that populations are tested however weak γ is.
            h = network.hamiltonian
            damping = np.zeros_like(drift)
            damping[0::2, 0::2], damping[1::2, 1::2] = drift[0::2, 0::2], drift[1::2, 1::2]
            lost, gained = np.trace(h @ damping @ state), np.sum(h * diffusion) / 2
            size = np.trace(np.abs(h) @ np.abs(damping) @ scale)
            assert abs(lost + gained) <= error * (size + np.sum(np.abs(h * diffusion)) / 2), name

    hold(law, examples, networks(modes))


@sizes()
def test_heat_currents_of_the_local_equation(modes, names, examples):
    """They sum to zero: Σ_j γ_j [ω_j(2N_j + 1) − ((Hσ)_{x_j x_j} + (Hσ)_{p_j p_j})] = 0.

    From d⟨H⟩/dt = ½ tr H(Aσ + σAᵀ + D), to which the Hamiltonian part of A adds nothing.
    """

    def law(network):
        state = solved(network, names)[0]["local"]
        warm = network.temperature > 0
        quantum = network.frequency / np.where(warm, network.temperature, 1)
        number = np.where(warm, 1 / np.expm1(np.minimum(quantum, 700)), 0)
        energy = np.diag(network.hamiltonian @ state)
        size = np.diag(np.abs(network.hamiltonian) @ scale_of(state))
        brought = network.frequency * (2 * number + 1)
        current = network.damping * (brought - energy[0::2] - energy[1::2])
        size = network.damping * (brought + size[0::2] + size[1::2])
        assert abs(current.sum()) <= rounding(network, "local") * size.sum()

    hold(law, examples, networks(modes))


@sizes(least=2, needed="langevin")
def test_a_steady_state_exists_where_the_motion_decays(modes, names, examples):
    """Pairing between unequally damped oscillators can feed a mode although H is bounded."""

    def law(network):
        slowest = -np.linalg.eigvals(network.drift).real.max()
        # The rounding of these eigenvalues, for frequencies within a decade
        assume(abs(slowest) > digits(1e-12) * network.frequency.max())
        states, _ = solved(network, names)
        for name in ("local", "langevin"):
            assert np.isfinite(states[name]).all() == (slowest > 0), (name, slowest)

    hold(law, examples, networks(modes, spread=0.5, damping=(-6.0, 1.0), steady=False))


@sizes(needed="langevin")
def test_physical_means_symplectic_eigenvalues_of_one_half(modes, names, examples):
    """Flat damping violates the uncertainty relation by O(γ/ω) when cold, and it is told."""

    def law(network):
        state = solved(network, names)[0]["langevin"]
        told = measured(state)["physical"]
        if not np.linalg.eigvalsh(state / scale_of(state))[0] > 0:
            assert not told
            return
        # ν are the moduli of the eigenvalues of Jσ, here with ⟨x²⟩ = ⟨p²⟩ by local squeezing.
        ratio = np.sqrt(np.sqrt(np.diag(state)[1::2] / np.diag(state)[0::2]))
        squeeze = np.stack([ratio, 1 / ratio], axis=-1).reshape(-1)
        round_ = state * np.outer(squeeze, squeeze)
        form = np.kron(np.eye(modes), [[0.0, 1.0], [-1.0, 0.0]])
        smallest = np.abs(np.linalg.eigvals(form @ round_)).min()
        margin = 64 * EPS * np.abs(np.diag(state)).max() + 64 * EPS * condition(state)
        if abs(smallest - 0.5) > margin:
            assert told == (smallest > 0.5)

    hold(law, examples, networks(modes, temperature=(-1.7, 0.0)))


# ---------------------------------------------------------------------------------------------
# Information


def smallest_symplectic(state) -> float:
    """From NumPy in double precision: the moduli of the eigenvalues of Jσ."""
    form = np.kron(np.eye(len(state) // 2), [[0.0, 1.0], [-1.0, 0.0]])
    return np.abs(np.linalg.eigvals(form @ np.asarray(state, float))).min()


def physical_states(network, names):
    states, _ = solved(network, names)
    for name, state in states.items():
        numbers = measured(state)
        # Not where the flat model falls below 1/2 by less than the rounding of a hot mode: parts
        # of the network without that mode are no states.
        least = 0.5 - 64 * EPS if name == "langevin" else 0.0
        if numbers["physical"] and smallest_symplectic(state) > least:
            yield name, state, numbers, rounding_of_entropy(state, numbers)


def rounding_of_entropy(state, numbers) -> float:
    """An entropy changes by ln(1 + 1/n) ≤ ln(1/ε) = 36 times the change of its eigenvalue n + ½.

    That is the rounding of σ and, beyond two modes, that of the largest eigenvalue, in each of the
    entropies that an information is made of.
    """
    nu = numbers["symplectic"]
    spread = nu[-1] / nu[0] if len(nu) > 2 else 0.0
    return len(state) * EPS * (100 * condition(state) + 4 * spread)


@sizes(least=2)
def test_mutual_information(modes, names, examples):
    """Not negative, symmetric, more with more modes, and at least what quadratures reveal."""

    def law(network):
        for name, state, numbers, error in physical_states(network, names):
            shared = numbers["information"]
            assert all(value >= -error for value in shared.values()), (name, shared)
            assert abs(shared["A:rest"] - shared["rest:A"]) <= error, (name, shared)
            assert abs(shared["A:B"] - shared["B:A"]) <= error, (name, shared)
            # Strong subadditivity: who loses a mode does not gain information.
            assert shared["A:B"] <= shared["A:rest"] + error, (name, shared)
            if modes > 2:
                assert shared["A:B"] <= shared["A:BC"] + error, (name, shared)
                assert shared["A:BC"] <= shared["A:rest"] + error, (name, shared)
            # Measured quadratures are correlated Gaussian numbers: −½ ln(1 − ρ²) ≤ I for each.
            correlation = np.abs(state / scale_of(state))[:2, 2:]
            seen = -0.5 * np.log1p(-np.minimum(correlation.max() ** 2, 1 - EPS))
            assert seen <= shared["A:rest"] + error, (name, seen, shared)
            pair = -0.5 * np.log1p(-np.minimum(correlation[:, :2].max() ** 2, 1 - EPS))
            # Between two modes weak correlations keep their relative accuracy, except for modes
            # so pure that rounding decides whether they are correlated at all.
            mixed = np.diag(state)[:4].min() > 0.5 + max(1e-6, 100 * EPS)
            assert pair <= shared["A:B"] * (1 + error) + (0 if mixed else error), (name, shared)

    hold(law, examples, networks(modes))


@sizes(least=2)
def test_no_information_without_correlation(modes, names, examples):
    """A state without its correlations between the first mode and the others."""

    def law(network):
        for name, state, _, error in physical_states(network, names):
            product = state.copy()
            product[:2, 2:] = product[2:, :2] = 0
            shared = measured(product)["information"]
            assert all(abs(value) <= error for value in shared.values()), (name, shared)

    hold(law, max(6, examples // 2), networks(modes))


@sizes()
def test_local_operations_change_no_invariant(modes, names, examples):
    """Rotations and squeezing of single modes: ν, entropies, purity and information stay."""

    def law(network, angles, squeezing):
        for name, state, numbers, _ in physical_states(network, names):
            local = np.zeros_like(state)
            for mode, (angle, r) in enumerate(zip(angles, squeezing, strict=True)):
                c, s = np.cos(angle), np.sin(angle)
                place = np.ix_(quadratures([mode]), quadratures([mode]))
                local[place] = np.diag([np.exp(r), np.exp(-r)]) @ [[c, -s], [s, c]]
            turned = local @ state @ local.T
            turned = (turned + turned.T) / 2
            others = measured(turned)
            # As above; a rotation spreads a large variance over both quadratures.
            error = rounding_of_entropy(turned, numbers)
            if error > (1e-2 if SINGLE else 1e-4):
                continue
            nu = numbers["symplectic"]
            assert np.all(np.abs(others["symplectic"] / nu - 1) <= error), name
            assert abs(others["purity"] / numbers["purity"] - 1) <= error, name
            if nu[0] > 0.5 + 2 * error * nu[-1]:  # else rounding alone may make it unphysical
                assert abs(others["entropy"] - numbers["entropy"]) <= error, name
                for which, value in numbers["information"].items():
                    assert abs(others["information"][which] - value) <= error, (name, which)

    angles = st.lists(st.floats(-3.2, 3.2), min_size=modes, max_size=modes)
    squeezing = st.lists(st.floats(-1, 1), min_size=modes, max_size=modes)
    hold(law, max(6, examples // 2), networks(modes), angles, squeezing)


# ---------------------------------------------------------------------------------------------
# Normal modes


@sizes()
def test_normal_modes_diagonalise_the_hamiltonian(modes, names, examples):
    """UUᵀ − VVᵀ = 1, UVᵀ symmetric, and Σ Ω_k c_k†c_k is H again."""
    decompose = jax.jit(lambda *parts: jaxosc.normal_modes(jaxosc.Oscillators(*parts)))

    def law(network):
        omega, u, v = jax.device_get(decompose(*network.arguments[:3]))
        assert np.all(np.diff(omega) >= -4 * EPS * omega[-1])
        assert omega[0] > 0
        x, p = u + v, u - v
        # Soft modes are known to 1/(1 − λ/λ_c); entries as those of a covariance X Xᵀ, P Pᵀ.
        error = rounding(network, "gibbs")
        wide, narrow = (np.linalg.norm(part, axis=1) for part in (x, p))
        assert np.all(np.abs(x @ p.T - np.eye(modes)) <= error * np.outer(wide, narrow))
        size = np.hypot(np.linalg.norm(u, axis=1), np.linalg.norm(v, axis=1))
        assert np.all(np.abs(u @ u.T - v @ v.T - np.eye(modes)) <= error * np.outer(size, size))
        assert np.all(np.abs(u @ v.T - v @ u.T) <= error * np.outer(size, size))
        for ours, to, known in ((network.potential, p, "V"), (network.kinetic, x, "W")):
            again = (to * omega) @ to.T
            root = np.sqrt(np.diag(again))
            assert np.all(np.abs(again - ours) <= error * np.outer(root, root)), known

    hold(law, examples, networks(modes))


# ---------------------------------------------------------------------------------------------
# Transformations


@pytest.mark.nightly
@pytest.mark.parametrize("modes", [3])
def test_batches_are_loops(modes):
    batched = jax.jit(jax.vmap(lambda *arguments: covariances(MAIN, *arguments)))

    def law(batch):
        together = jax.device_get(
            batched(*map(np.stack, zip(*(n.arguments for n in batch), strict=True)))
        )
        for index, network in enumerate(batch):
            alone, _ = solved(network, SLOW[modes])
            for name in MAIN:
                if is_determined(network, name):
                    # Sums are taken in another order.
                    error = rounding(network, name)
                    assert_same(together[name][index], alone[name], error, name)

    hold(law, 20, st.lists(networks(modes), min_size=3, max_size=3))


@pytest.mark.nightly
@pytest.mark.parametrize("modes", [2])
def test_compilation_changes_nothing(modes):
    """Called as they are, and operation by operation without any compilation."""

    def law(network):
        alone, _ = solved(network, SLOW[modes])
        eager = covariances(MAIN, *network.arguments)
        with jax.disable_jit():
            stepwise = covariances(MAIN, *network.arguments)
        for name in MAIN:
            if is_determined(network, name):
                for state in (eager[name], stepwise[name]):
                    assert_same(np.asarray(state), alone[name], rounding(network, name), name)

    hold(law, 3, networks(modes))


# ---------------------------------------------------------------------------------------------
# Derivatives


def parameters_of(network: Network) -> np.ndarray:
    """ω, λ_jk, κ_jk, γ and T in one row."""
    above = np.triu_indices(network.modes, 1)
    frequency, exchange, pairing, damping, temperature = network.arguments
    return np.concatenate([frequency, exchange[above], pairing[above], damping, temperature])


def parts_of(modes) -> dict[str, slice]:
    """Where each parameter is in the row."""
    pairs = modes * (modes - 1) // 2
    edges = np.cumsum([0, modes, pairs, pairs, modes, modes])
    names = ("frequency", "exchange", "pairing", "damping", "temperature")
    return {n: slice(*edges[i : i + 2]) for i, n in enumerate(names) if edges[i] < edges[i + 1]}


def covariance(name, modes, row):
    """σ as a function of the row of parameters."""
    parts = {part: row[place] for part, place in parts_of(modes).items()}
    above = np.triu_indices(modes, 1)
    zero = jnp.zeros((modes, modes), row.dtype)
    exchange, pairing = (
        zero.at[above].set(parts[kind]) if kind in parts else zero
        for kind in ("exchange", "pairing")
    )
    return covariances(
        (name,), parts["frequency"], exchange + exchange.T, pairing + pairing.T,
        parts["damping"], parts["temperature"],
    )[name]  # fmt: skip


def observables(state):
    """Occupations, the entropy, and the coherence and information of the first mode."""
    numbers = [*jaxosc.occupation(state), jaxosc.von_neumann_entropy(state)]
    if len(state) > 2:
        coherence = jaxosc.coherence(state)[0, 1]
        shared = jaxosc.mutual_information(state, (0,))
        numbers += [coherence.real, coherence.imag, shared]
    return jnp.stack(numbers)


def count_of_observables(modes) -> int:
    return modes + 1 + 3 * (modes > 1)


def exact_observables(name, modes, row):
    parts = {part: row[place] for part, place in parts_of(modes).items()}
    matrices = []
    for kind in ("exchange", "pairing"):
        matrix = [[mpmath.mpf(0)] * modes for _ in range(modes)]
        for entry, (j, k) in enumerate(zip(*np.triu_indices(modes, 1), strict=True)):
            matrix[j][k] = matrix[k][j] = parts[kind][entry]
        matrices.append(matrix)
    network = (parts["frequency"], *matrices)
    if name == "gibbs":
        state = reference.gibbs(*network, parts["temperature"][0])
    else:
        function = {"local": "local", "langevin": "langevin", "global": "global_"}[name]
        state = getattr(reference, function)(*network, parts["damping"], parts["temperature"])
    coherence = reference.coherence(state)[0, 1]
    return mpmath.matrix([
        *reference.occupation(state), reference.entropy(state), coherence.real, coherence.imag,
        reference.mutual_information(state, (0,)),
    ])  # fmt: skip


def smooth_networks(modes):
    """Generic points: no mode so cold, weakly damped or soft that a derivative has few digits."""
    return networks(
        modes, spread=0.4, nearest=-2.0, damping=(-3.0, -0.6), temperature=(-0.3, 2.0),
        cold=False, undamped=False,
    )  # fmt: skip


def slope_scale(network, values, jacobian):
    """|dO/dp| and, where an observable hardly depends on p, what rounding leaves of O/p."""
    row = np.abs(parameters_of(network))
    floor = np.max(network.frequency) * 1e-2
    size = (np.abs(values) + np.abs(values[: network.modes]).max() + 1)[:, None]
    return np.abs(jacobian) + 1e-2 * size / np.maximum(row, floor)[None, :] / network.distance


@functools.cache
def slopes_of_state(name, modes):
    """σ with its Jacobian forwards, and a cotangent of σ pulled back to the parameters."""
    function = functools.partial(covariance, name, modes)

    def forward(row):
        return function(row), jax.jacfwd(function)(row)

    return jax.jit(forward), jax.jit(lambda row, weights: jax.vjp(function, row)[1](weights)[0])


@functools.cache
def slopes_of_observables():
    """Observables with their changes along those of σ, and a cotangent pulled back to σ."""

    def forward(state, changes):
        def along(change):
            return jax.jvp(observables, (state,), (change,))[1]

        return observables(state), jax.vmap(along, -1, -1)(changes)

    return jax.jit(forward), jax.jit(lambda s, weights: jax.vjp(observables, s)[1](weights)[0])


def slopes(name, modes, row, cotangent):
    """Observables, their Jacobian forwards, and the cotangent pulled back through both stages.

    In two stages, as compiling them together takes minutes.
    """
    forward, reverse = slopes_of_state(name, modes)
    forward_observables, reverse_observables = slopes_of_observables()
    state, changes = forward(row)
    values, jacobian = forward_observables(state, changes)
    pulled = reverse(row, reverse_observables(state, cotangent))
    return jax.device_get((values, jacobian, pulled))


derivatives = pytest.mark.parametrize(
    ("name", "modes", "examples"),
    nightly(("langevin", 1, 12))
    + [pytest.param(name, modes, 40, marks=NIGHTLY) for modes in (2, 3) for name in MAIN],
)


def is_smooth(network, name, values):
    """Whether the observables exist, and the global equation is far from degenerate modes."""
    return np.isfinite(values).all() and not (name == "global" and network.gap < 1e-2)


@derivatives
def test_forward_and_reverse_agree(name, modes, examples):
    """For any cotangent c: cJ pulled back is c times the J pushed forwards."""

    def law(network, weights):
        cotangent = np.array(weights, DTYPE) / 32
        row = parameters_of(network)
        values, jacobian, pulled = slopes(name, modes, row, cotangent)
        assume(is_smooth(network, name, values))
        allowed = np.abs(cotangent) @ slope_scale(network, values, jacobian)
        # Rounding, as that of values
        assert np.all(np.abs(cotangent @ jacobian - pulled) <= rounding(network, name) * allowed)

    count = count_of_observables(modes)
    weights = st.lists(st.integers(-128, 128), min_size=count, max_size=count)
    hold(law, examples, smooth_networks(modes), weights)


@pytest.mark.nightly
@pytest.mark.parametrize("modes", [2, 3])
@pytest.mark.parametrize("name", MAIN)
def test_derivatives_by_each_kind_of_parameter(name, modes):
    """Along a direction in ω, in λ, in κ, in γ and in T, against 50-digit differences."""

    def law(network, steps):
        row = parameters_of(network)
        ones = np.ones(count_of_observables(modes))
        values, jacobian, _ = slopes(name, modes, row, ones)
        assume(is_smooth(network, name, values))
        allowed = slope_scale(network, values, jacobian)
        for kind, place in parts_of(modes).items():
            direction = np.zeros_like(row)
            direction[place] = np.resize(steps, row[place].shape)
            with mpmath.workdps(70):
                h = mpmath.mpf(10) ** -25

                def along(sign, direction=direction, h=h):
                    moved = [
                        mpmath.mpf(p) + sign * h * mpmath.mpf(d)
                        for p, d in zip(row, direction, strict=True)
                    ]
                    return exact_observables(name, modes, moved)

                exact = [float(s) for s in (along(1) - along(-1)) / (2 * h)]
            error = np.abs(jacobian @ direction - exact)
            allowance = rounding(network, name) * (allowed @ np.abs(direction))
            assert np.all(error <= allowance), (kind, error / allowance)

    steps = st.lists(st.integers(-4, 4).filter(bool).map(float), min_size=3, max_size=3)
    hold(law, 5, smooth_networks(modes), steps)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("name", "modes"),
    [
        ("local", 3),
        pytest.param("langevin", 1, marks=pytest.mark.nightly),
        pytest.param("global", 3, marks=pytest.mark.nightly),
    ],
)
def test_second_derivatives(name, modes):
    """Symmetric, and the same forward over reverse and reverse over forward."""

    def function(row, cotangent):
        return jnp.vdot(cotangent, observables(covariance(name, modes, row)))

    @jax.jit
    def curvatures(row, cotangent, one, other):
        def slope(x):
            return jax.jvp(lambda y: function(y, cotangent), (x,), (one,))[1]

        gradient = jax.grad(function)
        forward_over_reverse = jax.jvp(lambda x: gradient(x, cotangent), (row,), (one,))[1]
        return forward_over_reverse, jax.grad(slope)(row), jnp.vdot(forward_over_reverse, other)

    def law(network, weights, steps):
        row, cotangent = parameters_of(network), np.array(weights, DTYPE) / 32
        values, jacobian, _ = slopes(name, modes, row, cotangent)
        assume(is_smooth(network, name, values))
        # Second derivatives of an entropy are singular where symplectic eigenvalues coincide.
        state, _ = slopes_of_state(name, modes)[0](row)
        nu = measured(np.asarray(state))["symplectic"]
        assume(np.all(np.diff(nu) > 1e-2 * nu[1:]))
        scale = np.maximum(np.abs(row), 1e-2 * np.max(network.frequency))
        one, other = (np.resize(np.array(s), row.shape) * scale for s in steps)
        forward, reverse, product = curvatures(row, cotangent, one, other)
        _, _, transposed = curvatures(row, cotangent, other, one)
        # A second derivative by p and q is of size O/pq, or slope/q; soft modes and weakly damped
        # ones make it larger by 1/(1 − λ/λ_c) and ω/γ once more.
        size = np.abs(cotangent) @ slope_scale(network, values, jacobian)
        sharp = np.max(scale) / network.damping.min() / network.distance
        allowed = rounding(network, name) * np.sum(size * scale) * sharp
        assert np.all(np.abs(forward - reverse) * scale <= allowed)
        assert abs(product - transposed) <= allowed * len(row)

    count = count_of_observables(modes)
    weights = st.lists(st.integers(-128, 128), min_size=count, max_size=count)
    steps = st.lists(st.floats(-1, 1), min_size=5, max_size=5)
    hold(law, 15, smooth_networks(modes), weights, st.tuples(steps, steps))


@double
def test_strategies_reach_the_corners():
    """The drawn networks do come near critical points, to resonance, to T = 0 and to λ = 0."""
    seen = set()

    def law(network):
        seen.update(
            what
            for what, found in {
                "near critical": network.distance < 1e-4,
                "uncoupled": network.ratio == 0,
                "resonant": len(set(network.frequency)) < 3,
                "nearly resonant": 0 < network.gap < 1e-7,
                "ground state": (network.temperature == 0).any(),
                "hot": (network.temperature > 100 * network.frequency).any(),
                "undamped": (network.damping == 0).any(),
                "weakly damped": (network.damping < 1e-6 * network.frequency).any(),
                "equal temperatures": np.ptp(network.temperature) == 0,
                "both signs": (network.exchange < 0).any() and (network.exchange > 0).any(),
                "pairing alone": network.pairing.any() and not network.exchange.any(),
                "position": (network.exchange == network.pairing).all() and network.ratio > 0,
            }.items()
            if found
        )
        bounded = strategies.critical_ratio(*network.arguments[:3])
        assert bounded == pytest.approx(network.ratio, abs=digits(1e-14))

    hold(law, 150, networks(3))
    assert len(seen) == 12, seen
