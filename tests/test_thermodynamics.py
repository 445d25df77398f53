"""Heat, work and energy: published numbers, Landauer's formula, both laws, Fock space."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from legs import nightly, others_at_night, slow
from precision import digits, double

import jaxosc
from jaxosc._numerics.matsubara import thermal_slope


def relative(found, expected):
    return np.max(np.abs(np.asarray(found) - expected)) / np.max(np.abs(expected))


def drude(cutoff=10.0):
    return jaxosc.spectra.Drude(cutoff)


def random_network(rng, modes, rotating=False):
    exchange = np.triu(rng.normal(size=(modes, modes)) + 1j * rng.normal(size=(modes, modes)), 1)
    exchange = 0.1 * (exchange + exchange.conj().T)
    pairing = 0 * exchange
    if not rotating:
        pairing = 0.05 * rng.normal(size=(modes, modes))
        pairing = pairing + pairing.T
    drive = rng.normal(size=modes) + 1j * rng.normal(size=modes)
    return jaxosc.Oscillators(rng.uniform(1, 2, modes), exchange, pairing, drive)


# --- published and recorded numbers --------------------------------------------------------------

LEVY_KOSLOFF = {  # ω = (10, 5), γ = .05, T = (12, 10), rotating wave: heat from the hot bath
    (0.01, "local_lindblad"): -4.635113774951019e-6,
    (0.5, "local_lindblad"): -1.114244997664696e-2,
    (0.01, "global_lindblad"): 1.532939726098468e-6,
    (0.5, "global_lindblad"): 3.684435922582362e-3,
}


@double
@pytest.mark.parametrize(
    ("coupling", "equation"), others_at_night(LEVY_KOSLOFF, [(0.5, "local_lindblad")])
)
def test_levy_kosloff(coupling, equation):
    network = jaxosc.pair((10.0, 5.0), coupling, "rotating-wave")
    dynamics = getattr(jaxosc, equation)(network, jaxosc.Baths(0.05, (12.0, 10.0)))
    heat = jaxosc.heat_currents(dynamics)
    assert heat[0] == pytest.approx(LEVY_KOSLOFF[coupling, equation], rel=2e-10)
    assert jaxosc.entropy_production(dynamics, energy="uncoupled") > 0 or "global" in equation


@double
def test_collisions_restore_the_second_law():
    """De Chiara et al. 2018, at the parameters of Levy and Kosloff."""
    network = jaxosc.pair((10.0, 5.0), 0.5, "rotating-wave")
    local = jaxosc.local_lindblad(network, jaxosc.Baths(0.05, (12.0, 10.0)))
    bare = jaxosc.entropy_production(local, energy="uncoupled")
    assert bare == pytest.approx(4.952199989620871e-4, rel=1e-11)
    assert jaxosc.entropy_production(local) == pytest.approx(-1.857e-4, rel=1e-3)


@double
def test_recorded_numbers():
    """Two detuned oscillators with Ohmic-Drude baths, 30 digits: collisions, and a state."""
    network = jaxosc.pair((1.0, 1.5), 0.25, "position")
    state = np.diag([2.0, 0.3, 0.9, 0.7])
    assert jaxosc.von_neumann_entropy(state) == pytest.approx(1.3571718977753218, rel=1e-13)
    assert jaxosc.ergotropy(network, state) == pytest.approx(0.4378687743650347, rel=1e-12)
    assert jaxosc.free_energy(network, 0.7, state) == pytest.approx(1.3999796715572743, rel=1e-13)
    assert jaxosc.free_energy(network, 0.7) == pytest.approx(0.9063953543928717, rel=1e-13)
    # γ(ω_j) of η a²/(ω² + a²), a = 8
    rate = [0.01 * 64 / 65, 1.5 / 75 * 64 / (64 + 2.25)]
    local = jaxosc.local_lindblad(network, jaxosc.Baths(rate, (0.4, 0.9)))
    heat = jaxosc.heat_currents(local, energy="uncoupled")
    assert heat == pytest.approx([-0.001866239149732096, -2.1532906855524156e-06], rel=1e-12)
    work = 0.0006307312060008613 + 0.0012376612344167832
    assert jaxosc.work_current(local) == pytest.approx(work, rel=1e-12)


@double
@pytest.mark.slow
def test_current_of_a_chain_does_not_depend_on_its_length():
    """Asadian et al. 2013: 2v²γγ'(n − n')/[(γ + γ')(γγ' + v²)], flat inside, also between sites."""
    flow = []
    for modes in (2, 16):
        hopping = 0.3 * (np.eye(modes, k=1) + np.eye(modes, k=-1))
        chain = jaxosc.Oscillators(np.ones(modes), hopping)
        damping, number = np.zeros(modes), np.zeros(modes)
        damping[[0, -1]], number[[0, -1]] = (0.1, 0.2), (2.0, 0.5)
        local = jaxosc.local_lindblad(chain, jaxosc.Baths(damping, occupation=number))
        between = jaxosc.energy_flow(chain, jaxosc.steady_state(local))
        flow.append([float(between[j + 1, j]) for j in range(modes - 1)])
    expected = 2 * 0.09 * 0.1 * 0.2 * 1.5 / (0.3 * (0.02 + 0.09))
    assert flow[0] + flow[1] == pytest.approx([expected] * 16, rel=1e-12)


def test_no_current_between_sites_in_the_eigenbasis():
    """Purkayastha et al. 2016: the global equation has heat from the baths, none between sites."""
    network = jaxosc.pair((1.0, 1.1), 0.1, "rotating-wave")
    dynamics = jaxosc.global_lindblad(network, jaxosc.Baths(0.01, (0.5, 0.25)))
    assert abs(jaxosc.energy_flow(network, jaxosc.steady_state(dynamics))[0, 1]) < digits(1e-16)
    assert jaxosc.heat_currents(dynamics)[0] > 1e-4


# --- Landauer's formula --------------------------------------------------------------------------


def landauer(network, baths, temperature, top, points=()):
    """Heat into the system from bath 0, by Gauss rules of NumPy between and beyond resonances."""
    x, w = np.polynomial.legendre.leggauss(40)
    edges = np.unique(
        np.concatenate([[0.0], *(p + 0.02 * np.sinh(np.linspace(-6, 6, 41)) for p in points)])
    )
    edges = np.append(edges[(edges >= 0) & (edges < top)], top * 4.0 ** np.arange(8))
    low, high = edges[:-1, None], edges[1:, None]
    nu, weight = ((low + high + (high - low) * x) / 2).ravel(), ((high - low) * w / 2).ravel()
    passed = np.asarray(jaxosc.transmission(network, baths, nu), float)
    number = [1 / np.expm1(np.minimum(nu / t, 500)) if t else 0 * nu for t in temperature]
    terms = [passed[:, 0, k] * (number[0] - number[k]) for k in range(1, len(temperature))]
    return np.sum(weight * nu * sum(terms)) / (2 * np.pi)


@double
@pytest.mark.parametrize("kind", ["flat", *slow("rows"), *nightly("drude")])
def test_the_exact_current_is_landauers(kind):
    temperature = (0.5, 1.2)
    if kind == "flat":
        network = jaxosc.pair((1.0, 1.3), 0.2, "position")
        baths = jaxosc.Baths((0.02, 0.05), temperature)
    elif kind == "drude":
        network = jaxosc.pair((1.0, 1.3), 0.2, "position")
        baths = jaxosc.Baths((0.02, 0.05), temperature, drude(), coupling="position")
    else:
        network = jaxosc.Oscillators([1.0, 1.3], [[0, 0.1j], [-0.1j, 0]])
        temperature = (0.5, 1.2, 0.0)
        rows = [[1.0, 0.2, 0, 0], [0, 0.3, 1.0, 0], [0.5, 0, 0, 0.4]]
        spectrum = jaxosc.spectra.Drude(10.0, reference=1.0)
        baths = jaxosc.Baths((0.02, 0.05, 0.01), temperature, spectrum, coupling=rows)
    found = jaxosc.heat_currents(jaxosc.langevin(network, baths))
    expected = landauer(network, baths, temperature, 4.0, jaxosc.normal_modes(network).frequency)
    assert found[0] == pytest.approx(expected, rel=2e-8)
    assert abs(float(found.sum())) < 1e-13 * np.abs(found).max()


@double
@pytest.mark.slow
def test_transmission_of_positive_frequencies_is_landauers_of_the_flat_one():
    """Behind a_j in the rotating wave: 4γ₁γ₂|G₁₂|², flat baths at −ν too."""
    network = jaxosc.pair((1.0, 1.0), 0.1, "rotating-wave")
    nu = np.linspace(0.7, 1.3, 7)
    spectrum = jaxosc.spectra.PowerLaw(1, 30.0, reference=1.0)
    one_sided = jaxosc.transmission(network, jaxosc.Baths(0.02, 1.0, spectrum), nu)
    assert one_sided.shape == (7, 2, 2)
    flat = jaxosc.transmission(network, jaxosc.Baths(0.02, 1.0), nu)
    motion = -1j * np.array([[1, 0.1], [0.1, 1]]) - 0.02 * np.eye(2)
    one = np.eye(2)
    both = [np.linalg.inv(-1j * x[:, None, None] * one - motion)[:, 0, 1] for x in (nu, -nu)]
    expected = 4 * 0.02**2 * sum(np.abs(green) ** 2 for green in both)
    assert relative(flat[:, 0, 1], expected) < 1e-13
    assert float(flat.max()) <= 1 + 1e-12
    assert float(one_sided.max()) <= 1 + 1e-12


NIGHTLY = pytest.mark.nightly


@double
@pytest.mark.parametrize("change", [*slow(1e-8), *nightly(1e-3, 1e-13)])
def test_small_differences_of_temperature_keep_their_digits(change):
    network = jaxosc.pair((1.0, 1.3), 0.2, "position")

    def baths(low, high):
        return jaxosc.Baths((0.02, 0.05), (low, high), drude(), coupling="position")

    low = 0.5
    high = low * (1 + change)
    found = jaxosc.heat_currents(jaxosc.langevin(network, baths(low, high)))
    # Between equal temperatures the slope; its own change by quadrature of three points
    at = low + (high - low) * np.array([0.5 - 0.15**0.5, 0.5, 0.5 + 0.15**0.5])
    slope = [float(jaxosc.conductance(network, baths(low, t))[1, 1]) for t in at]
    expected = (high - low) * (5 * slope[0] + 8 * slope[1] + 5 * slope[2]) / 18
    assert found[1] == pytest.approx(expected, rel=1e-11, abs=0)
    assert found[0] == pytest.approx(-expected, rel=1e-11, abs=0)


@double
@pytest.mark.slow
def test_conductance_is_the_slope_of_the_currents():
    network, step = jaxosc.pair((1.0, 1.3), 0.2, "position"), 1e-4

    def currents(low, high):
        baths = jaxosc.Baths((0.02, 0.05), (low, high))
        return jaxosc.heat_currents(jaxosc.local_lindblad(network, baths))

    baths = jaxosc.Baths((0.02, 0.05), (0.5, 1.2))
    found = jaxosc.conductance(network, baths, jaxosc.local_lindblad)
    by_low = (currents(0.5 + step, 1.2) - currents(0.5 - step, 1.2)) / (2 * step)
    by_high = (currents(0.5, 1.2 + step) - currents(0.5, 1.2 - step)) / (2 * step)
    np.testing.assert_allclose(found, np.stack([by_low, by_high], axis=1), rtol=1e-6)


@pytest.mark.slow
def test_quantum_of_conductance():
    """One channel carries at most πT/6, and nearly so where it transmits at every frequency."""
    network = jaxosc.pair((1.0, 1.0), 0.4, "position")
    baths = jaxosc.Baths(0.5, (0.05, 0.05), drude(), coupling="position")
    found = jaxosc.conductance(network, baths)
    assert 0 < found[0, 0] < np.pi * 0.05 / 6
    assert abs(found.sum(axis=0)).max() < digits(1e-12) * found[0, 0]


@pytest.mark.parametrize(
    ("equation", "size"),
    [("langevin", 0), ("local_lindblad", 1e-2), *nightly(("redfield", 0), ("global_lindblad", 0))],
)
def test_rectification(equation, size):
    network = jaxosc.pair((1.0, 1.5), 0.2, "position")
    baths = jaxosc.Baths((0.01, 0.02), (0.5, 1.0), drude(), coupling="position")
    if equation == "local_lindblad":
        baths = jaxosc.Baths((0.01, 0.02), (0.5, 1.0))
    found = abs(float(jaxosc.rectification(network, baths, getattr(jaxosc, equation))))
    assert (found < digits(1e-11)) if size == 0 else (found > size)


# --- both laws, in any state ---------------------------------------------------------------------


@double
@pytest.mark.parametrize(
    "modes", [pytest.param(1, marks=NIGHTLY), 2, pytest.param(3, marks=NIGHTLY)]
)
@pytest.mark.parametrize(
    "equation",
    ["local_lindblad", *slow("global_lindblad"), *nightly("detailed_balance_lindblad")],
)
def test_first_law_of_a_driven_network_in_any_state(equation, modes):
    rng = np.random.default_rng(modes)
    network = random_network(rng, modes, rotating=equation == "global_lindblad")
    baths = jaxosc.Baths(
        rng.uniform(0.01, 0.1, modes), rng.uniform(0.2, 2, modes), drude(), coupling="position"
    )
    if equation == "local_lindblad":
        baths = jaxosc.Baths(baths.damping, baths.temperature)
    dynamics = getattr(jaxosc, equation)(network, baths)
    mean, root = rng.normal(size=2 * modes), rng.normal(size=(2 * modes, 2 * modes))
    state = root @ root.T + np.eye(2 * modes)

    def stored(step):
        """d⟨H⟩/dt by a central difference of the moments themselves."""
        drift, diffusion = np.asarray(dynamics.drift), np.asarray(dynamics.diffusion)
        force = np.asarray(-drift @ jaxosc.steady_mean(dynamics))
        there = state + step * (drift @ state + state @ drift.T + diffusion)
        moved = mean + step * (drift @ mean + force)
        return float(jaxosc.energy(network, there, moved))

    change = (stored(1e-3) - stored(-1e-3)) / 2e-3
    heat = jaxosc.heat_currents(dynamics, state, mean)
    assert float(heat.sum()) == pytest.approx(change, rel=1e-9)
    bare = jaxosc.heat_currents(dynamics, state, mean, energy="uncoupled")
    work = jaxosc.work_current(dynamics, state, mean)
    assert float(bare.sum() + work) == pytest.approx(change, rel=1e-9)


@pytest.mark.slow
@double
def test_free_energy_is_least_in_equilibrium_and_ergotropy_in_passive_states():
    rng = np.random.default_rng(5)
    for modes in (1, 2, 3):
        network = random_network(rng, modes).replace(drive=None)
        thermal = jaxosc.gibbs(network, 0.6)
        least = jaxosc.free_energy(network, 0.6)
        assert jaxosc.free_energy(network, 0.6, thermal) == pytest.approx(float(least), rel=1e-12)
        assert abs(jaxosc.ergotropy(network, thermal)) < 1e-13
        for _ in range(5):
            root = rng.normal(size=(2 * modes, 2 * modes))
            state = root @ root.T + np.eye(2 * modes)
            assert jaxosc.free_energy(network, 0.6, state) > least
            assert jaxosc.ergotropy(network, state) > 0


@double
def test_a_displacement_is_ergotropy():
    network = jaxosc.Oscillators([1.0, 1.2], [[0, 0.1], [0.1, 0]], drive=[0.3, 0.1j])
    ground = jaxosc.gibbs(network.replace(drive=None), 0.0)
    still = np.linalg.solve(network.hessian, np.asarray([0.3, 0, 0, 0.1]) * -np.sqrt(2))
    assert abs(jaxosc.ergotropy(network, ground, still)) < 1e-14
    moved = jaxosc.ergotropy(network, ground, still + np.array([0.5, 0, 0, 0]))
    assert moved == pytest.approx(0.125, rel=1e-12)  # ½h₁₁ 0.5²


@pytest.mark.nightly
@double
def test_derivatives_of_the_free_energy_where_modes_coincide():
    """∂F/∂T = −S and ∂F/∂λ, ∂²F/∂λ² of three equal oscillators, against 40 digits."""

    def free(coupling, temperature):
        ring = coupling * (np.ones((3, 3)) - np.eye(3))
        return jaxosc.free_energy(jaxosc.Oscillators(jnp.ones(3), ring), temperature)

    def exact(coupling, temperature):
        modes = [1 + 2 * coupling, 1 - coupling, 1 - coupling]
        return sum(temperature * mpmath.log(2 * mpmath.sinh(w / 2 / temperature)) for w in modes)

    with mpmath.workdps(40):
        for order in ((1, 0), (0, 1), (2, 0), (1, 1)):
            function = free
            for place in (0,) * order[0] + (1,) * order[1]:
                function = jax.grad(function, place)
            expected = float(mpmath.diff(exact, (mpmath.mpf("0.1"), mpmath.mpf("0.7")), order))
            assert function(0.1, 0.7) == pytest.approx(expected, rel=1e-10)
    assert free(0.1, 0.0) == pytest.approx(1.5, rel=1e-15)


def test_batches_and_what_is_refused():
    def heat(coupling):
        network = jaxosc.pair((1.0, 1.3), coupling, "position")
        dynamics = jaxosc.local_lindblad(network, jaxosc.Baths(0.01, (0.5, 1.0)))
        return jaxosc.heat_currents(dynamics, energy="uncoupled"), jaxosc.work_current(dynamics)

    coupling = jnp.linspace(0, 0.3, 50)
    many, work = jax.jit(jax.vmap(heat))(coupling)
    assert relative(many[7], heat(coupling[7])[0]) < digits(1e-12)
    assert relative(work, -many.sum(1)) < digits(1e-11)
    network = jaxosc.pair((1.0, 1.3), 0.1, "position")
    exact = jaxosc.langevin(network, jaxosc.Baths(0.01, 1.0, drude(), coupling="position"))
    with pytest.raises(ValueError, match="baths with memory"):
        jaxosc.heat_currents(exact, np.eye(4))
    with pytest.raises(ValueError, match="baths without memory"):
        jaxosc.work_current(exact)
    with pytest.raises(ValueError, match="must be given with `mean`"):
        jaxosc.free_energy(network, 1.0, mean=np.zeros(4))
    with pytest.raises(ValueError, match="temperature"):
        jaxosc.conductance(network, jaxosc.Baths(0.1, occupation=1.0))
    with pytest.raises(ValueError, match="bounded below"):
        jaxosc.free_energy(jaxosc.pair((1.0, 1.3), 2.0, "position"), 1.0)


@double
@pytest.mark.parametrize("modes", [1, pytest.param(3, marks=NIGHTLY)])
def test_free_energy_and_ergotropy_of_a_driven_network(modes):
    """T S(ρ‖ρ_T) more than the equilibrium, about the displacement that the drive sustains."""
    rng = np.random.default_rng(modes)
    network = random_network(rng, modes)
    root = rng.normal(size=(2 * modes, 2 * modes))
    state, mean = root @ root.T + np.eye(2 * modes), rng.normal(size=2 * modes)
    drive = np.asarray(network.drive)
    pull = np.sqrt(2) * np.stack([drive.real, drive.imag], axis=-1).ravel()
    still = -np.linalg.solve(network.hessian, pull)
    more = jaxosc.free_energy(network, 0.6, state, mean) - jaxosc.free_energy(network, 0.6)
    apart = jaxosc.relative_entropy(state, jaxosc.gibbs(network, 0.6), mean, still)
    assert float(more) == pytest.approx(0.6 * float(apart), rel=1e-11)


@double
def test_flow_between_driven_oscillators_is_what_the_baths_bring():
    network = jaxosc.Oscillators(
        [1.0, 1.3], [[0, 0.1j], [-0.1j, 0]], [[0.05, 0.1], [0.1, 0]], drive=[0.3, 0.1j]
    )
    dynamics = jaxosc.local_lindblad(network, jaxosc.Baths((0.05, 0.02), occupation=(1.0, 0.2)))
    state, mean = jaxosc.steady_state(dynamics), jaxosc.steady_mean(dynamics)
    flow = jaxosc.energy_flow(network, state, mean).sum(axis=1)
    heat = jaxosc.heat_currents(dynamics, state, mean, energy="uncoupled")
    np.testing.assert_allclose(flow, -heat, rtol=1e-12)


def test_no_heat_no_rectification():
    for coupling, temperature in ((0.0, (1.0, 2.0)), (0.2, (1.0, 1.0))):
        network = jaxosc.pair((1.0, 1.5), coupling, "position")
        baths = jaxosc.Baths((0.05, 0.02), temperature)
        for equation in (jaxosc.langevin, jaxosc.global_lindblad):
            assert np.isnan(jaxosc.rectification(network, baths, equation))


def test_without_a_network_there_is_no_heat():
    bare = jaxosc.Dynamics([[-0.1, 1.0], [-1.0, -0.1]], 0.3 * np.eye(2))
    for call in (jaxosc.work_current, jaxosc.heat_currents):
        for energy in ("system", "uncoupled"):
            with pytest.raises(ValueError, match="must come from an equation with baths"):
                call(bare, energy=energy)
    network = jaxosc.pair((1.0, 1.5), 0.2, "position")
    cold = jax.jit(lambda t: jaxosc.free_energy(network, t, np.eye(4)))
    assert np.isnan(cold(-1.0))


POLES = 0.3, 4.0


@jax.jit
def slope_of_a_sum(high, low):
    a, b = POLES

    def function(nu):
        return 1 / ((nu + a) * (nu + b))

    def divided(nu, other):
        return -(nu + other + a + b) * function(nu) * function(other)

    return thermal_slope(function, divided, (high, low), jnp.asarray(0.2), jnp.asarray(6.0))


@double
@pytest.mark.parametrize("low", [0.0, 1e-3, 0.05, 3.0])
@pytest.mark.parametrize("ratio", [1.0, 1 + 1e-12, 1e2, *nightly(1.5, 1e5)])
def test_slope_of_a_thermal_sum(low, ratio):
    """T Σ f(|2πTk|) of f = 1/((ν + a)(ν + b)), a digamma function, at two temperatures."""
    a, b = POLES
    high = low * ratio if low else ratio

    def exact(temperature):
        if temperature == 0:
            return mpmath.log(mpmath.mpf(b) / a) / (mpmath.pi * (b - a))
        first = 2 * mpmath.pi * temperature
        psi = mpmath.digamma(1 + b / first) - mpmath.digamma(1 + a / first)
        return temperature / (mpmath.mpf(a) * b) + 2 * temperature * psi / ((b - a) * first)

    with mpmath.workdps(60):
        ends = mpmath.mpf(low), mpmath.mpf(high)
        if low == high:
            expected = mpmath.diff(exact, ends[0]) if low else mpmath.mpf(1) / (a * b)
        else:
            expected = (exact(ends[1]) - exact(ends[0])) / (ends[1] - ends[0])
    # Of cold baths the slope, ∝ T, is what the terms of 1/ab leave of each other.
    found = slope_of_a_sum(high, low)
    assert found == pytest.approx(float(expected), rel=1e-12, abs=1e-13 / (a * b))
