"""Kernels for any quadratic Hamiltonian, against independent witnesses."""

import json
from functools import partial
from pathlib import Path

import cases
import jax
import jax.numpy as jnp
import networks
import numpy as np
import pytest
import secular as graphs
from legs import nightly
from networks import COMPLEX, exact_lyapunov, flux_ring, hessian, numbers, pair
from precision import DTYPE, EPS, SINGLE, digits, double

import jaxosc
from jaxosc._kernels import dense
from jaxosc._kernels.modes import normal_frame, shape_of
from jaxosc._kernels.secular import secular
from jaxosc._numerics.lyapunov import solve_lyapunov

EQUATIONS = json.loads((Path(__file__).parent / "data" / "equations.json").read_text())["cases"]
QUICK = ("lindblad", "local-xx_shared", "global-xx_shared")
LATER = ("local-rw_near", "global-rw_baths_shared", "global-chain3_cold")


def marks_of(name):
    if name in QUICK:
        return ()
    return pytest.mark.slow if name in LATER else pytest.mark.nightly


def array(values):
    return jnp.asarray(values, DTYPE)


def rows(values):
    return jnp.asarray(values, COMPLEX)


def close(actual, expected, error):
    """Relative to the largest entry."""
    actual, expected = np.asarray(actual, complex), np.asarray(expected, complex)
    assert np.abs(actual - expected).max() <= digits(error) * np.abs(expected).max()


white = jax.jit(dense.white_generator)
flat = jax.jit(dense.flat_langevin)
gibbs = jax.jit(dense.gibbs_covariance)
steady = jax.jit(dense.steady_covariance)
stable = jax.jit(dense.is_stable)
lyapunov = jax.jit(solve_lyapunov)


@jax.jit
def secular_flat(h, u, damping, temperature):
    def rate(omega):
        return jnp.broadcast_to(damping[:, None], (damping.shape[0], omega.shape[0]))

    return secular(h, u, rate, temperature)


def white_state(h, u, damping, number, squeezing=None):
    squeezing = None if squeezing is None else rows(squeezing)
    generator = white(u, array(damping), array(number), squeezing)
    return np.asarray(steady(array(h), generator.drift, generator.diffusion), float)


def local_state(h, damping, number, squeezing=None):
    """One bath an oscillator."""
    u = dense.lowering_rows(rows(np.eye(len(h) // 2)))
    return white_state(h, u, damping, number, squeezing)


# --- the Lyapunov equation -----------------------------------------------------------------------


@pytest.mark.parametrize("modes", [3, *nightly(1, 2)])
@pytest.mark.parametrize("ratio", [1e-8, *nightly(1e-2, 1e-6)])
def test_no_digits_are_lost_to_weak_damping(modes, ratio):
    """Shared baths, complex couplings: against 50 digits, of the matrices as the dtype has them."""
    if SINGLE:
        ratio = ratio**0.5
    generator = np.random.default_rng(modes)
    h = networks.random_hessian(generator, modes)
    u = networks.random_rows(generator, modes + 1, modes)
    rates = ratio * generator.uniform(0.3, 3, modes + 1)
    baths = white(rows(u), array(rates), array(generator.uniform(0, 9, modes + 1)))
    closed = networks.form(modes) @ np.asarray(h, float)
    expected = exact_lyapunov([closed, baths.drift], np.asarray(baths.diffusion, float))
    close(steady(array(h), *baths), expected, 2e-15 if not SINGLE else 2e-14)
    whole = array(closed) + baths.drift
    expected = exact_lyapunov([whole], np.asarray(baths.diffusion, float))
    close(jax.jit(solve_lyapunov)(whole, baths.diffusion), expected, 2e-15 if not SINGLE else 2e-14)


@pytest.mark.parametrize("modes", nightly(2, 9))
def test_batches_of_states_and_of_derivatives(modes):
    """Each member as by itself; against SciPy where that has its digits."""
    import scipy.linalg

    generator = np.random.default_rng(modes)
    count = 300
    h = np.stack([networks.random_hessian(generator, modes) for _ in range(count)])
    u = rows(networks.random_rows(generator, modes, modes))
    baths = white(u, array(np.full(modes, 0.03)), array(np.arange(modes)))
    states = jax.jit(jax.vmap(dense.steady_covariance, in_axes=(0, None, None)))(array(h), *baths)

    def total(h):
        return jnp.sum(dense.steady_covariance(h, *baths)[0])

    slopes = jax.jit(jax.vmap(jax.grad(total)))(array(h))
    for k in (0, count - 1):
        whole = networks.form(modes) @ np.asarray(h[k], float) + np.asarray(baths.drift)
        expected = scipy.linalg.solve_continuous_lyapunov(whole, -np.asarray(baths.diffusion))
        close(states[k], expected, 1e-12)
        close(states[k], steady(array(h[k]), *baths), 1e-14)
        close(slopes[k], jax.jit(jax.grad(total))(array(h[k])), 1e-11)


@pytest.mark.slow
def test_derivatives_of_a_steady_state():
    """Of first and second order, forward and in reverse, against differences in 50 digits."""
    generator = np.random.default_rng(5)
    h = networks.random_hessian(generator, 2)
    change = networks.random_hessian(generator, 2)
    u = networks.random_rows(generator, 2, 2)
    baths = white(rows(u), array([0.1, 0.02]), array([1.0, 3.0]))
    weight = array(generator.normal(size=(4, 4)))

    def value(t):
        return jnp.sum(weight * dense.steady_covariance(array(h) + t * array(change), *baths))

    def exact(t):
        closed = networks.form(2) @ (np.asarray(h, float) + t * np.asarray(change, float))
        state = exact_lyapunov([closed, baths.drift], np.asarray(baths.diffusion, float))
        return np.sum(np.asarray(weight, float) * state)

    step = 1e-3
    a, b, c, d, e = (exact(n * step) for n in (-2, -1, 0, 1, 2))
    slope = (a - 8 * b + 8 * d - e) / (12 * step)
    bend = (-a + 16 * b - 30 * c + 16 * d - e) / (12 * step**2)
    zero = array(0.0)

    def forward(t):
        return jax.jvp(value, (t,), (jnp.ones_like(t),))[1]

    close(jax.jit(jax.grad(value))(zero), slope, 1e-9)
    both = jax.jit(jax.value_and_grad(forward))(zero)
    close(both[0], slope, 1e-9)
    close(both[1], bend, 1e-7)


@pytest.mark.slow
def test_stability():
    """Against eigenvalues, in a batch and alone; nothing stable is called so without damping."""
    generator = np.random.default_rng(2)
    drifts = generator.normal(size=(400, 6, 6)) - 1.5 * np.eye(6)
    decays = np.linalg.eigvals(drifts).real.max(axis=1)
    drifts, decays = drifts[np.abs(decays) > 1e-3], decays[np.abs(decays) > 1e-3]
    assert 50 < np.sum(decays < 0) < 350
    np.testing.assert_array_equal(jax.jit(jax.vmap(dense.is_stable))(array(drifts)), decays < 0)
    assert bool(stable(array(drifts[0]))) == (decays[0] < 0)
    noise = jnp.broadcast_to(array(np.eye(6)), drifts.shape)
    states = jax.jit(jax.vmap(solve_lyapunov))(array(drifts), noise)
    np.testing.assert_array_equal(np.isfinite(states).all(axis=(1, 2)), decays < 0)
    for modes in (1, 3):
        closed = networks.form(modes) @ networks.random_hessian(generator, modes)
        assert not stable(array(closed))
        none = array(np.zeros((2 * modes, 2 * modes)))
        assert np.isnan(steady(array(np.eye(2 * modes)), none, array(np.eye(2 * modes)))).all()
        assert np.isnan(lyapunov(array(closed), array(np.eye(2 * modes)))).all()


def test_units():
    """A power of two by the largest entry; 1 where nothing has a size; frequencies of any sign."""
    unit = jax.jit(dense.natural_unit)
    assert unit(array(np.zeros((4, 4))), array([0.0, 0.0])) == 1
    assert unit(array(np.zeros((4, 4))), array([0.3, 0.2])) == 0.5
    assert unit(array(-5 * np.eye(4)), array([0.3, 0.2])) == 8
    np.testing.assert_array_equal(jax.vmap(unit)(array([[3.0], [1e-9]])), [4, 2.0**-29])


# --- white baths and jumps -----------------------------------------------------------------------


@double
@pytest.mark.slow
def test_white_baths_in_any_frame():
    """Numbers that were found by two other methods each."""
    past = local_state(pair(5, 2, 4), (0.1, 0.2), (1, 3))
    close(numbers(past), [2.1838697743248, 2.4080651128376], 2e-13)
    blue = local_state(pair(-1, 1, 0.002, 0.002), (0.1, 1e-4), (0, 100))
    close(numbers(blue), [0.067321399426771, 166.98805910922], 2e-13)
    zero = local_state(pair(0, 1, 0.05, 0.05), (0.1, 1e-4), (0, 100))
    close(numbers(zero), [0.51154000901895, 102.4776736849], 2e-13)
    amplifier = local_state(pair(0, 0, 0, 0.05), (0.1, 0.1), (0, 0))
    close(numbers(amplifier), [1 / 6, 1 / 6], 1e-14)
    squeezed = local_state(hessian([1.0], np.zeros((1, 1)), [[0.3]]), [0.1], [0])
    close(numbers(squeezed), [0.0489130434783], 1e-12)
    ring = local_state(flux_ring(3, 0.2, np.pi / 6), [0.05] * 3, (2, 0.5, 0.5))
    close(numbers(ring), [1.0580847723705, 1.0839874411303, 0.85792778649922], 2e-13)


@double
def test_shared_and_squeezed_baths():
    """A collective decay, phase-sensitive noise, two-mode squeezing."""
    u = dense.lowering_rows(rows([[1, 0], [0, 1], [1, 1]]))
    shared = white_state(pair(1, 1.2, 0.1), u, (0.02, 0.02, 0.05), (0, 0, 1))
    close(numbers(shared), [0.47074091552619, 0.70670127418594], 2e-13)
    state = local_state(hessian([0.2], np.zeros((1, 1))), [0.1], [0.5], [np.sqrt(0.75)])
    moment = (state[0, 0] - state[1, 1]) / 2 + 1j * state[0, 1]
    close(moment, 0.173205080757 - 0.346410161514j, 5e-12)
    pure = local_state(hessian([0.0], np.zeros((1, 1))), [0.1], [0.5], [np.sqrt(0.75) * 1j])
    assert np.linalg.det(pure) == pytest.approx(0.25, rel=1e-13)
    state = local_state(pair(1, 1.2, 0, 0.3), (0.1, 0.2), (0, 0))
    first, second, cross = state[:2, :2], state[2:, 2:], state[:2, 2:]
    seralian = np.linalg.det(first) + np.linalg.det(second) - 2 * np.linalg.det(cross)
    smallest = np.sqrt((seralian - np.sqrt(seralian**2 - 4 * np.linalg.det(state))) / 2)
    assert -np.log(2 * smallest) == pytest.approx(0.23119767633242, rel=1e-12)


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=marks_of(case["name"])) for case in EQUATIONS],
    ids=[case["name"] for case in EQUATIONS],
)
def test_master_equations_of_a_table(case):
    """Drift, diffusion and covariance, most of them computed in 30 digits."""
    h = array(case["hessian"])
    if case["name"] == "lindblad":
        jumps = np.array(case["jumps"]) @ [1, 1j]
        found = dense.jump_generator(rows(jumps), array(np.ones(len(jumps))))
        close(dense.symplectic(h) + found.drift, case["drift"], 1e-15)
        close(found.diffusion, case["diffusion"], 2e-15)
        return
    u = np.array([bath["row"] for bath in case["baths"]]) @ [1, 1j]
    strength, cutoff, temperature = (
        array([bath[name] for bath in case["baths"]])
        for name in ("strength", "cutoff", "temperature")
    )

    def rate(omega):
        return strength[:, None] * omega[None, :] / (1 + (omega[None, :] / cutoff[:, None]) ** 2)

    # Local is global for the oscillators apart
    local = case["name"].startswith("local")
    apart = jnp.where(np.kron(np.eye(len(h) // 2), np.ones((2, 2))) == 1, h, 0)
    found = jax.jit(partial(secular, rate=rate))(
        apart if local else h, rows(u), temperature=temperature
    )
    assert found.damped
    close(dense.symplectic(h) + found.drift, case["drift"], 1e-15)
    close(found.diffusion, case["diffusion"], 5e-15)
    state = steady(h, found.drift, found.diffusion)
    close(state, case["covariance"], 1e-14)
    if not local:
        close(found.covariance, case["covariance"], 5e-15)


# --- thermal baths and equilibrium ---------------------------------------------------------------


@pytest.mark.parametrize("temperatures", [(2.0, 0.7, 5.0), (0.05, 0.02, 0.1), (0.0, 0.0, 0.3)])
def test_flat_langevin_along_the_real_axis(temperatures):
    """Shared baths through complex operators, pairing and squeezing, hot, cold and at T = 0."""
    generator = np.random.default_rng(8)
    h = networks.random_hessian(generator, 2)
    u = networks.random_rows(generator, 3, 2) / 2
    damping = np.array([0.1, 0.2, 0.05])
    found = flat(array(h), rows(u), array(damping), array(temperatures))
    expected = networks.langevin_quadrature(h, u, damping, temperatures)
    close(steady(array(h), *found), expected, 2e-12)


@pytest.mark.slow
@pytest.mark.parametrize("modes", [3, *nightly(1, 5)])
@pytest.mark.parametrize("hot", [True, False])
def test_flat_langevin_and_gibbs_of_a_real_network(modes, hot):
    """As by the kernels that know V and W apart."""
    generator = np.random.default_rng(modes)
    network = cases.random_network(generator, modes)
    if not hot:
        network["temperature"] = np.where(generator.random(modes) < 0.5, 0, 0.3)
    oscillators = jaxosc.Oscillators(
        *(array(network[name]) for name in ("frequency", "exchange", "pairing"))
    )
    damping, temperature = array(network["damping"]), array(network["temperature"])
    h = array(hessian(network["frequency"], network["exchange"], network["pairing"]))
    other = jaxosc.langevin(oscillators, jaxosc.Baths(damping, temperature)).diffusion
    found = flat(h, dense.lowering_rows(rows(np.eye(modes))), damping, temperature)
    close(found.diffusion, other, 1e-14)
    close(gibbs(h, temperature[0]), jaxosc.gibbs(oscillators, temperature[0]), 1e-14)


@pytest.mark.parametrize("temperature", [0.0, 0.03, 0.5, 40.0])
def test_gibbs_state_of_complex_networks(temperature):
    """From the eigenvectors of iSᵀJS; and what the Langevin equation tends to."""
    generator = np.random.default_rng(4)
    for modes in (1, 3):
        h = networks.random_hessian(generator, modes)
        found = gibbs(array(h), array(temperature))
        close(found, networks.exact_gibbs(h, temperature), 1e-14)
        if temperature > 0.1:
            u = rows(networks.random_rows(generator, modes, modes))
            same = array(np.full(modes, temperature))
            rate = 1e-3 if SINGLE else 1e-6
            weak = flat(array(h), u, array(np.full(modes, rate)), same)
            state = np.asarray(steady(array(h), *weak))
            np.testing.assert_allclose(state, found, atol=30 * rate * np.abs(found).max())


def test_boundedness():
    """Where the smallest eigenvalue of h changes its sign."""
    bounded = jax.jit(jax.vmap(dense.is_bounded))
    couplings = [0.0, 0.4, 0.499, 0.501, 0.9]
    at = [pair(1, 1, 1j * coupling, coupling * np.exp(0.3j)) for coupling in couplings]
    np.testing.assert_array_equal(bounded(array(at)), [1, 1, 1, 0, 0])
    assert not dense.is_bounded(array(pair(-1, 1, 0)))
    assert not dense.is_bounded(array(np.zeros((2, 2))))


# --- normal modes and the secular equation -------------------------------------------------------


@pytest.mark.parametrize("modes", [2, 5, *nightly(1, 3, 8)])
def test_normal_modes(modes):
    """Symplectic eigenvalues of h; a Bogoliubov transformation that makes H diagonal."""
    generator = np.random.default_rng(modes)
    h = networks.random_hessian(generator, modes)
    frame = jax.jit(normal_frame)(array(h))
    root = np.linalg.cholesky(np.asarray(h, float))
    omega = np.linalg.eigvalsh(1j * root.T @ networks.form(modes) @ root)[modes:]
    close(frame.frequency, omega, 2e-14)
    u, v, shape = (np.asarray(x, complex) for x in (frame.u, frame.v, shape_of(frame)))
    close(u @ u.conj().T - v @ v.conj().T, np.eye(modes), 1e-14)
    close(shape.conj().T @ h @ shape, np.diag(omega), 2e-14)
    assert np.abs(shape.T @ h @ shape).max() < digits(2e-14)


@pytest.mark.slow
@pytest.mark.parametrize("lowering", [False, *nightly(True)])
def test_secular_equation_from_projectors(lowering):
    """Complex couplings, shared baths; a ring whose flux makes two of its modes one group."""
    generator = np.random.default_rng(11)
    damping, temperature = np.array([1e-2, 3e-3, 5e-3]), np.array([0.0, 2.0, 0.7])
    for h in (networks.random_hessian(generator, 3), flux_ring(3, 0.2, np.pi / 3)):
        u = networks.random_rows(generator, 3, 3, lowering)
        found = secular_flat(array(h), rows(u), array(damping), array(temperature))
        expected = networks.davies(h, u, damping, temperature, 1e-5 if SINGLE else 1e-8)
        assert found.damped
        close(found.drift, expected[0], 1e-13)
        close(found.diffusion, expected[1], 1e-13)
        close(steady(array(h), found.drift, found.diffusion), found.covariance, 1e-12)


GRAPHS = {
    "ring": 0.1 * graphs.ring(4),
    "complete": 0.05 * graphs.complete(4),
    "star": 0.1 * graphs.star(4),
    "weak": 1e-9 * (np.diag([1, 1.3, 0.8], 1) + np.diag([1, 1.3, 0.8], -1)),
}


@pytest.mark.nightly
def test_secular_equation_in_another_gauge():
    """Real networks whose a_j were given phases: σ and its derivatives turn along with it."""
    modes = 4
    generator = np.random.default_rng(modes)
    damping = array(1e-3 * generator.uniform(0.3, 3, modes))
    temperature = array(generator.uniform(0.5, 4, modes))
    angles = generator.uniform(0, 2 * np.pi, modes)
    turn = np.kron(np.diag(np.cos(angles)), np.eye(2))
    turn = array(turn - np.kron(np.diag(np.sin(angles)), networks.form(1)))  # r = turn r'
    change = array(generator.uniform(-1, 1, modes))
    position = rows(np.kron(np.eye(modes), [np.sqrt(2), 0]) @ np.asarray(turn))

    def real(exchange, t):
        links = (1 + t) * exchange
        oscillators = jaxosc.Oscillators(array(np.ones(modes)), links, links / 2)
        baths = jaxosc.Baths(damping, temperature + t * change, coupling="position")
        return jaxosc.steady_state(jaxosc.global_lindblad(oscillators, baths))

    def turned(links, t):
        h = turn.T @ (array(np.eye(2 * modes)) + (1 + t) * links) @ turn
        state = secular_flat((h + h.T) / 2, position, damping, temperature + t * change)
        return turn @ state.covariance @ turn.T

    def with_slope(function):
        return jax.jit(lambda x: jax.jvp(partial(function, x), (array(0),), (array(1),)))

    real, turned = with_slope(real), with_slope(turned)
    for name, graph in GRAPHS.items():
        links = array(hessian(np.zeros(modes), graph, graph / 2))
        (expected, slope), (found, other) = real(array(graph)), turned(links)
        close(found, expected, 1e-12)
        close(other, slope, 1e-9 if name == "weak" else 1e-11)


@double
@pytest.mark.slow
def test_populations_along_weak_links():
    """The known slope, 4.709629 λ, and the bend by a second derivative in reverse."""
    rates, temperature = array([1e-3, 2e-3, 3e-3]), array([1.0, 2.0, 3.0])
    links = hessian(np.zeros(3), np.diag([1j, 1.3], 1) + np.diag([-1j, 1.3], -1))
    u = dense.lowering_rows(rows(np.eye(3)))

    def number(coupling):
        h = array(np.eye(6)) + coupling * array(links)
        state = secular_flat(h, u, rates, temperature).covariance
        return (state[0, 0] + state[1, 1] - 1) / 2

    gradient = jax.jit(jax.grad(number))
    for coupling in (1e-3, 1e-6, 1e-9):
        slope = gradient(array(coupling))
        expected = 4.709629 * coupling + 25.35 * coupling**3
        assert slope == pytest.approx(expected, rel=1e-6, abs=2 * EPS / coupling)


@pytest.mark.slow
def test_dark_modes():
    """Of two equal oscillators that share one bath, one mode has none: told, and NaN.

    Not so where they are detuned or linked by another phase; where only one has a bath, it is.
    """
    h = array([pair(1, 1, 0), pair(1, 1.3, 0), pair(1, 1, 0.2j), pair(1, 1.3, 0)])
    shared, own = ([[1, 1], [0, 0]], np.eye(2))
    u = jnp.stack([dense.lowering_rows(rows(l)) for l in (shared, shared, shared, own)])
    damping = array([[1e-2, 1e-2]] * 3 + [[0, 1e-2]])
    found = jax.jit(jax.vmap(partial(secular_flat, temperature=array([1, 1]))))(h, u, damping)
    dark = [True, False, False, True]
    np.testing.assert_array_equal(found.damped, ~np.array(dark))
    np.testing.assert_array_equal(np.isnan(found.covariance).any(axis=(1, 2)), dark)
    assert np.isfinite(found.drift).all()
    assert np.isfinite(found.diffusion).all()


# --- symmetries and batches ----------------------------------------------------------------------


def describe(h, u, damping, temperature):
    """The states of all descriptions."""
    number = temperature  # white baths of some number
    made = (
        dense.white_generator(u, damping, number),
        dense.flat_langevin(h, u, damping, temperature),
    )
    return (
        *(dense.steady_covariance(h, *generator) for generator in made),
        secular_flat(h, u, damping, temperature).covariance,
        dense.gibbs_covariance(h, temperature[0]),
    )


def some_network(generator, modes):
    h = networks.random_hessian(generator, modes)
    u = networks.random_rows(generator, modes, modes) / 2
    return h, u, generator.uniform(0.01, 0.1, modes), generator.uniform(0.5, 3, modes)


@pytest.mark.slow
def test_covariance_under_symplectic_and_gauge_changes():
    """r = S r' with squeezed, turned and exchanged oscillators: every σ follows."""
    generator = np.random.default_rng(6)
    h, u, damping, temperature = some_network(generator, 3)
    change = np.zeros((6, 6))
    for j, place in enumerate((2, 0, 1)):
        angle, squeeze = generator.uniform(-1, 1, 2)
        c, s = np.cos(angle), np.sin(angle)
        block = np.array([[c, s], [-s, c]]) @ np.diag([np.exp(squeeze / 2), np.exp(-squeeze / 2)])
        change[2 * j : 2 * j + 2, 2 * place : 2 * place + 2] = block
    compute = jax.jit(describe)
    plain = compute(array(h), rows(u), array(damping), array(temperature))
    moved = change.T @ np.asarray(h, float) @ change
    other = compute(
        array((moved + moved.T) / 2), rows(u @ change), array(damping), array(temperature)
    )
    for before, after in zip(plain, other, strict=True):
        close(change @ np.asarray(after, float) @ change.T, before, 2e-13)


@pytest.mark.nightly
def test_batches_of_thousands():
    """Every description under jit(vmap), as for one network."""
    generator = np.random.default_rng(7)
    count = 1500
    stacked = [some_network(generator, 3) for _ in range(count)]
    h, u, damping, temperature = (np.stack(values) for values in zip(*stacked, strict=True))
    arguments = array(h), rows(u), array(damping), array(temperature)
    states = jax.jit(jax.vmap(describe))(*arguments)
    alone = jax.jit(describe)
    for k in (0, 700, count - 1):
        for batch, single in zip(states, alone(*(x[k] for x in arguments)), strict=True):
            close(batch[k], single, 1e-13)
    physical = jax.vmap(jaxosc.symplectic_eigenvalues)(states[2])
    assert (np.asarray(physical) >= 0.5 - 1e3 * EPS).all()


@pytest.mark.nightly
@double
def test_derivatives_of_descriptions():
    """Forward, in reverse, and both twice, against differences of values."""
    generator = np.random.default_rng(9)
    h, u, damping, temperature = some_network(generator, 2)
    change = networks.random_hessian(generator, 2)
    weights = array(generator.normal(size=(4, 4, 4)))

    def values(t):
        state = describe(array(h) + t * array(change), rows(u), array(damping), array(temperature))
        return jnp.sum(weights * jnp.stack(state), axis=(1, 2))

    def slopes(t):
        return jax.jvp(values, (t,), (jnp.ones_like(t),))[1]

    def difference(f, step=2e-3):
        a, b, c, d = (np.asarray(f(array(n * step))) for n in (-2, -1, 1, 2))
        return (a - 8 * b + 8 * c - d) / (12 * step)

    values, slopes = jax.jit(values), jax.jit(slopes)
    zero = array(0.0)
    np.testing.assert_allclose(slopes(zero), difference(values), rtol=1e-8)
    np.testing.assert_allclose(jax.jit(jax.jacrev(values))(zero), slopes(zero), rtol=1e-10)
    bends = jax.jit(jax.jacrev(slopes))(zero)
    np.testing.assert_allclose(bends, difference(slopes), rtol=1e-7)


@pytest.mark.nightly
@double
def test_complex_couplings_in_fock_space():
    """Flux, squeezing of one mode, a shared bath: against QuTiP, as levels are added."""
    qutip = pytest.importorskip("qutip")
    exchange, squeeze, pairing = 0.15 * np.exp(0.7j), 0.05 * np.exp(0.4j), 0.04j
    h = hessian(
        [1.0, 1.2],
        [[0, exchange], [np.conj(exchange), 0]],
        [[squeeze, pairing], [pairing, 0]],
    )
    lowering = np.array([[1, 0.5j], [0, 1]])
    damping, number = np.array([0.2, 0.15]), np.array([0.1, 0.05])
    found = numbers(white_state(h, dense.lowering_rows(rows(lowering)), damping, number))
    errors = []
    for levels in (8, 11):
        a = [
            qutip.tensor(qutip.destroy(levels), qutip.qeye(levels)),
            qutip.tensor(qutip.qeye(levels), qutip.destroy(levels)),
        ]
        energy = a[0].dag() * a[0] + 1.2 * a[1].dag() * a[1]
        for term in (
            exchange * a[0].dag() * a[1],
            squeeze / 2 * a[0].dag() ** 2,
            pairing * a[0].dag() * a[1].dag(),
        ):
            energy += term + term.dag()
        jumps = []
        for l, g, n in zip(lowering, damping, number, strict=True):
            jump = complex(l[0]) * a[0] + complex(l[1]) * a[1]
            jumps += [np.sqrt(2 * g * (n + 1)) * jump, np.sqrt(2 * g * n) * jump.dag()]
        state = qutip.steadystate(energy, jumps)
        exact = [qutip.expect(x.dag() * x, state) for x in a]
        errors.append(np.abs(found - exact).max())
    assert errors[1] < errors[0] / 10
    assert errors[1] < 1e-6
