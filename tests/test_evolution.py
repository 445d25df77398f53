"""Evolution of Gaussian states against 60 digits, integrals, finite baths and Fock space."""

import sys

import jax
import jax.numpy as jnp
import motion_cases
import mpmath
import numpy as np
import pytest
import scipy.integrate
from legs import nightly, slow
from precision import DTYPE, EPS, digits, double
from test_correlations import CASES, exact, flat_pair, flat_spectrum

import jaxosc
from jaxosc._kernels.flow import flow
from jaxosc.spectra import Drude, Ohmic


@jax.jit
def moved(drift, diffusion, force, time):
    """Over one time."""
    return jax.tree.map(lambda x: x[0], flow(drift, diffusion, force, time[None]))


SQUEEZED = np.diag([0.25, 1.0])


def reference(drift, diffusion, force, time):
    """Φ, Q and v from exponentials of block matrices, with as many digits as cancel."""
    size = len(drift)
    growth = float(np.abs(drift).sum(1).max() * time)
    with mpmath.workdps(40 + int(2 * growth)):
        a, zero = mpmath.matrix(drift.tolist()), mpmath.zeros(size)
        block = mpmath.zeros(2 * size + 1)
        for i in range(size):
            for j in range(size):
                block[i, j], block[i, size + j] = a[i, j], mpmath.mpf(float(diffusion[i, j]))
                block[size + i, size + j] = -a[j, i]
            block[i, 2 * size] = mpmath.mpf(float(force[i]))
        whole = mpmath.expm(block * mpmath.mpf(float(time)))
        phi = whole[:size, :size] + zero
        noise = whole[:size, size : 2 * size] * phi.T
        shift = whole[:size, 2 * size]
        return [np.array(x.tolist(), float) for x in (phi, noise, shift)]


def random_drift(generator, size, rate):
    drift = generator.normal(size=(size, size))
    return drift - (np.linalg.eigvals(drift).real.max() + rate) * np.eye(size)


@pytest.mark.parametrize(
    ("size", "rate"),
    [(2, 0.3), (2, 0.0), (2, -0.5), *slow((6, 0.0)), *nightly((6, 0.3), (6, -0.5))],
)
def test_sixty_digits(rate, size):
    """Damped, marginal and growing."""
    generator = np.random.default_rng(size)
    drift = np.asarray(random_drift(generator, size, rate), DTYPE)
    root, force = (np.asarray(generator.normal(size=s), DTYPE) for s in ((size, size), size))
    diffusion = root @ root.T
    diffusion = (diffusion + diffusion.T) / 2
    for time in (0.0, 1e-12, 1e-3, 0.7, 6.0):
        found = moved(drift, diffusion, force, jnp.asarray(time, DTYPE))
        expected = reference(drift, diffusion, force, float(DTYPE(time)))
        for own, value in zip(found, expected, strict=True):
            own = np.asarray(own).reshape(value.shape)
            scale = np.abs(value).max()
            assert np.abs(own - value).max() <= 40 * EPS * scale


@double
@pytest.mark.parametrize("rate", [1e-3, 1e-6, 1e-9])
def test_weak_damping_costs_no_digits(rate):
    """e^{−γt} after a time of 1/γ and of 60/γ, whatever the frequency; of det Φ, Q and a tail."""
    drift = np.array([[-rate, 1.0], [-1.0, -rate]])
    for lifetimes in (1.0, 60.0):
        found = moved(drift, rate * np.eye(2), np.zeros(2), jnp.asarray(lifetimes / rate))
        size = np.linalg.det(np.asarray(found.propagator))
        np.testing.assert_allclose(size, np.exp(-2 * lifetimes), rtol=1e-12)
        expected = -np.expm1(-2 * lifetimes) / 2 * np.eye(2)
        np.testing.assert_allclose(found.noise, expected, atol=1e-14)


@double
def test_rates_over_twelve_decades():
    """ẏ = −γy + x, ẋ = −Γx + noise, in closed form, before the first rate to after the last."""
    slow, fast = 1e-6, 1e6
    drift = np.array([[-fast, 0.0], [1.0, -slow]])
    for time in (1e-9, 1e-6, 1.0, 1e5, 1e8):
        found = moved(drift, np.diag([1.0, 0.0]), np.array([1.0, 0.0]), jnp.asarray(time))
        with mpmath.workdps(60):
            f, g, t = (mpmath.mpf(x) for x in (fast, slow, time))
            phi = (mpmath.exp(-g * t) - mpmath.exp(-f * t)) / (f - g)
            parts = [(2 * g, 1), (f + g, -2), (2 * f, 1)]
            noise = sum(w * (1 - mpmath.exp(-r * t)) / r for r, w in parts) / (f - g) ** 2
            shift = ((1 - mpmath.exp(-g * t)) / g - (1 - mpmath.exp(-f * t)) / f) / (f - g)
        for own, value in (
            (found.propagator[1, 0], phi),
            (found.propagator[1, 1], mpmath.exp(-g * t)),
            (found.noise[1, 1], noise),
            (found.shift[1], shift),
        ):
            np.testing.assert_allclose(own, float(value), rtol=1e-13)


@double
@pytest.mark.slow
def test_early_times_beside_a_divergent_steady_state():
    """⟨x²⟩ of 1e10 in the end; at first what it adds is a millionth."""
    drift = np.array([[-1e-10, 0.0], [0.0, -1.0]])
    dynamics = jaxosc.Dynamics(drift, 2 * np.eye(2))
    state = jaxosc.evolve(dynamics, np.eye(2) / 2, [1e-6, 1.0])
    growth = np.asarray(state.covariance[:, 0, 0]) - 0.5
    # Half a rounding of ½ of the first
    np.testing.assert_allclose(growth, [2e-6, 2.0 - 3e-10], rtol=1e-10)


def test_a_driven_network_in_fock_space():
    """Mean and covariance of a density matrix, by QuTiP's solver."""
    qutip = pytest.importorskip("qutip")
    network = jaxosc.Oscillators([1.0, 1.3], [[0, 0.3], [0.3, 0]], drive=[0.2, 0.1j])
    baths = jaxosc.Baths((0.1, 0.25), occupation=(0.05, 0.2))
    levels = 9
    one, unit = qutip.destroy(levels), qutip.qeye(levels)
    a, b = qutip.tensor(one, unit), qutip.tensor(unit, one)
    half = 0.15 * a.dag() * b * 2 + 0.2 * a.dag() + 0.1j * b.dag()
    energy = a.dag() * a + 1.3 * b.dag() * b + half + half.dag()
    jumps = [
        np.sqrt(2 * rate * weight) * operator
        for own, rate, n in ((a, 0.1, 0.05), (b, 0.25, 0.2))
        for operator, weight in ((own, n + 1), (own.dag(), n))
    ]
    r = [part for c in (a, b) for part in ((c + c.dag()) / 2**0.5, (c - c.dag()) / 1j / 2**0.5)]
    vacuum = qutip.tensor(qutip.basis(levels, 0), qutip.basis(levels, 0))
    options = {"rtol": 1e-9, "atol": 1e-11, "progress_bar": ""}
    last = qutip.mesolve(energy, vacuum, [0, 1.0, 2.5], jumps, options=options).states[-1]
    mean = np.array([qutip.expect(x, last) for x in r])
    second = np.array([[qutip.expect(x * y + y * x, last).real / 2 for x in r] for y in r])
    state = jaxosc.evolve(jaxosc.local_lindblad(network, baths), np.eye(4) / 2, 2.5)
    np.testing.assert_allclose(state.mean, mean, atol=max(2e-5, digits(1e-14)))
    np.testing.assert_allclose(state.covariance, second - np.outer(mean, mean), atol=2e-4)


# ---------------------------------------------------------------------------------------------
# Baths with memory


@double
@pytest.mark.parametrize("name", [*slow("under"), *nightly("pair")])
def test_a_finite_bath(name):
    size = len(CASES[name][0])
    start = np.kron(np.eye(size // 2), SQUEEZED)
    finite = motion_cases.FiniteBath(*CASES[name], modes=700)
    times = np.array([0.3, 2.0, 8.0])
    state = jaxosc.evolve(exact(*CASES[name]), start, times)
    for time, own in zip(times, state.covariance, strict=True):
        # The finite bath ends at 60; regression is off by hundredths.
        np.testing.assert_allclose(own, finite.evolved(start, time), atol=5e-5)


@double
@pytest.mark.slow
def test_from_vacuum_to_eighteen_digits():
    from test_correlations import DATA, Bath

    case = next(case for case in DATA if "evolution" in case)
    ((term,),) = case["baths"]
    eta, cutoff = term["values"]
    bath = Bath("drude", eta * cutoff**2 / (1 + cutoff**2), cutoff)
    dynamics = exact(
        np.array(case["hamiltonian"]), case["couplings"], [bath], case["temperatures"], [True]
    )
    times = [case["evolution"]["time"], 0.0, 1e-7, 1e-3, 1e5]
    state = jaxosc.evolve(dynamics, np.eye(2) / 2, times).covariance
    reference = np.array(case["evolution"]["sigma"], float)
    np.testing.assert_allclose(state[0], reference, atol=3e-15)
    np.testing.assert_array_equal(state[1], np.eye(2) / 2)
    # The slip of a counter-term that is there at once: ṗ = −ηΛx, and noise of the second order
    slip = np.array([[0.0, -1.0], [-1.0, 0.0]]) * eta * cutoff * 1e-7 / 2
    np.testing.assert_allclose(state[2], np.eye(2) / 2 + slip, atol=2e-11)
    np.testing.assert_allclose(state[4], jaxosc.steady_state(dynamics), atol=1e-14)


@double
@pytest.mark.nightly
def test_flat_baths_by_the_integral():
    """V = (1/π) Re ∫ u S u† dν with u = (e^{−iνt} − e^{At})G, entire in ν."""
    network, baths = flat_pair()
    dynamics = jaxosc.langevin(network, baths)
    start = np.kron(np.eye(2), SQUEEZED)
    for time in (0.5, 5.0):
        nu, weight = motion_cases.panels([0.1, 0.8, 1.3], 3e5, time)
        drift, response, source = flat_spectrum(network, baths, nu)
        phi = reference(drift, np.zeros((4, 4)), np.zeros(4), time)[0]
        u = (np.exp(-1j * nu * time)[:, None, None] * np.eye(4) - phi) @ response
        noise = np.tensordot(weight / np.pi, u @ source @ u.conj().swapaxes(1, 2), 1).real
        state = jaxosc.evolve(dynamics, start, time)
        np.testing.assert_allclose(state.covariance, phi @ start @ phi.T + noise, atol=1e-6)


@double
@pytest.mark.nightly
def test_a_driven_mean_with_memory():
    """∫R(s) f ds of the finite bath, R its propagator of the oscillators."""
    hessian, rows, baths, temperature, counter = CASES["under"]
    finite = motion_cases.FiniteBath(hessian, rows, baths, temperature, counter, modes=700)
    network = jaxosc.Oscillators.from_hessian(hessian)
    driven = jaxosc.Oscillators(
        network.frequency, network.exchange, network.pairing, drive=[0.3 - 0.2j]
    )
    dynamics = jaxosc.langevin(driven, exact(*CASES["under"])._parts[1])
    force = np.sqrt(2) * np.array([-0.2, -0.3])  # ȧ = … − iε
    nodes, weights = np.polynomial.legendre.leggauss(30)
    parts = [finite.propagator(1.5 * (1 + x))[:, :2] @ force for x in nodes]
    start = np.array([1.0, -0.5])
    expected = finite.propagator(3.0)[:, :2] @ start + 1.5 * weights @ np.array(parts)
    state = jaxosc.evolve(dynamics, np.eye(2) / 2, 3.0, start)
    np.testing.assert_allclose(state.mean, expected, atol=1e-6)


# ---------------------------------------------------------------------------------------------
# Batches, derivatives, the solver, words


def squeezed_pair(x):
    network = jaxosc.pair((x[0], 0.8), x[1], "position")
    baths = jaxosc.Baths((x[2], 0.03), (0.4, 1.1))
    dynamics = jaxosc.local_lindblad(network, baths)
    start = jnp.asarray(np.kron(np.eye(2), SQUEEZED), DTYPE)
    return jaxosc.evolve(dynamics, start, jnp.stack([x[3], 3 * x[3]])).covariance[:, 0, 1]


POINT = np.array([1.3, 0.2, 0.1, 2.0], DTYPE)


@pytest.mark.slow
def test_thousands_of_networks():
    points = np.tile(POINT, (1000, 1))
    points[:, 1] = np.linspace(0.0, 0.4, 1000)
    many = jax.jit(jax.vmap(squeezed_pair))(points)
    alone = jax.jit(squeezed_pair)
    for place in (0, 500, 999):
        np.testing.assert_allclose(many[place], alone(points[place]), atol=digits(1e-13))


@double
@pytest.mark.nightly
def test_slopes_are_differences():
    """By a frequency, a coupling, a rate and the time itself."""
    forward, reverse = (jax.jit(f(squeezed_pair))(POINT) for f in (jax.jacfwd, jax.jacrev))
    known = jax.jit(squeezed_pair)
    steps = 1e-5 * np.eye(4)
    differences = [(known(POINT + step) - known(POINT - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(np.transpose(forward), differences, atol=1e-8)
    np.testing.assert_allclose(reverse, forward, atol=1e-13)


@double
@pytest.mark.nightly
def test_slopes_with_memory_are_differences():
    def value(x):
        one = jaxosc.Oscillators([x[0]], [[0.0]])
        bath = jaxosc.Baths(x[1], x[2], Drude(x[3]), coupling="position")
        return jaxosc.evolve(jaxosc.langevin(one, bath), SQUEEZED, x[4]).covariance[0, 0]

    point = jnp.asarray([1.1, 0.1, 0.4, 5.0, 1.7])
    known, slopes = jax.jit(value), jax.jit(jax.grad(value))(point)
    steps = 1e-5 * np.eye(5)
    differences = [(known(point + step) - known(point - step)) / 2e-5 for step in steps]
    np.testing.assert_allclose(slopes, differences, atol=1e-8)


def ramp(rate):
    """A frequency and a drive that move, beside a bath."""

    def at(time):
        one = jaxosc.Oscillators(
            [1.0 + rate * jnp.sin(time)], [[0.0]], drive=jnp.stack([0.2 * jnp.cos(time)])
        )
        return jaxosc.local_lindblad(one, jaxosc.Baths(0.1, occupation=0.5))

    return at


@pytest.mark.slow
@double
def test_parameters_that_move():
    pytest.importorskip("diffrax")
    times = np.array([[4.0, 0.0], [4.0, 1.0]])
    state = jaxosc.evolve(ramp(0.3), SQUEEZED, times, [0.5, 0.0])

    def slope(time, y):
        w = 1 + 0.3 * np.sin(time)
        drift = np.array([[-0.1, w], [-w, -0.1]])
        s, r = y[:4].reshape(2, 2), y[4:]
        change = drift @ s + s @ drift.T + 0.2 * np.eye(2)
        force = [0.0, -0.2 * np.sqrt(2) * np.cos(time)]
        return np.concatenate([change.ravel(), drift @ r + force])

    start = np.concatenate([SQUEEZED.ravel(), [0.5, 0.0]])
    solved = scipy.integrate.solve_ivp(
        slope, (0, 4), start, "DOP853", [0, 1, 4], rtol=1e-12, atol=1e-13
    ).y.T
    for place, row in (((0, 0), 2), ((0, 1), 0), ((1, 0), 2), ((1, 1), 1)):
        np.testing.assert_allclose(state.covariance[place].ravel(), solved[row, :4], atol=1e-9)
        np.testing.assert_allclose(state.mean[place], solved[row, 4:], atol=1e-9)


@double
@pytest.mark.nightly
def test_slopes_by_parameters_that_move():
    pytest.importorskip("diffrax")

    def value(rate):
        return jaxosc.evolve(ramp(rate), SQUEEZED, 3.0).covariance[0, 0]

    forward, reverse = (jax.jit(f(value))(0.3) for f in (jax.jacfwd, jax.jacrev))
    known = jax.jit(value)
    np.testing.assert_allclose(forward, (known(0.3001) - known(0.2999)) / 2e-4, rtol=1e-6)
    np.testing.assert_allclose(reverse, forward, rtol=1e-12)


def test_words(monkeypatch):
    one = jaxosc.Oscillators([1.0], [[0.0]])
    dynamics = jaxosc.local_lindblad(one, jaxosc.Baths(0.1, occupation=1.0))
    vacuum = np.eye(2) / 2
    for arguments, word in (
        ((vacuum, -1.0), "`times` must not be negative"),
        ((np.eye(4), 1.0), "`covariance` must have shape"),
        (([[0.5, 0.1], [0.0, 0.5]], 1.0), "`covariance` must be symmetric"),
        ((vacuum, 1.0, [0.0]), "`mean` must have shape"),
        ((vacuum, [np.nan]), "`times` must be finite"),
    ):
        with pytest.raises(ValueError, match=word):
            jaxosc.evolve(dynamics, *arguments)
    flat = jaxosc.langevin(one, jaxosc.Baths(0.1, 1.0))
    with pytest.raises(ValueError, match="its baths have memory"):
        jaxosc.evolve(lambda time: flat, vacuum, 1.0)
    with pytest.warns(UserWarning, match="diverge"):
        ohmic = jaxosc.langevin(one, jaxosc.Baths(0.1, 1.0, Ohmic(), coupling="position"))
    with pytest.raises(ValueError, match="a cutoff"):
        jaxosc.evolve(ohmic, vacuum, 1.0)
    with pytest.raises(ValueError, match="`tolerance` must be a number between 0 and 1"):
        jaxosc.evolve(lambda time: dynamics, vacuum, 1.0, tolerance=0.0)
    monkeypatch.setitem(sys.modules, "diffrax", None)
    with pytest.raises(ValueError, match=r"jaxosc\[time\]"):
        jaxosc.evolve(lambda time: dynamics, vacuum, 1.0)
