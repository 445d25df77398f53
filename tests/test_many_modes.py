"""Steady states of many oscillators and of large general drifts, against independent witnesses."""

import functools
import itertools

import cases
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import reference
import scipy.linalg
import scipy.special
from legs import nightly, others_at_night, slow
from precision import SINGLE, digits, double, rounded

import jaxosc
from jaxosc._kernels.network import FewKernel, NetworkKernel
from jaxosc._kernels.selection import kernel_of
from jaxosc.description import Description
from jaxosc.dynamics import network_decay_rate, network_matrix
from jaxosc.oscillators import in_unit, natural_unit


def neighbours(modes):
    return np.eye(modes, k=1) + np.eye(modes, k=-1)


class AnyNoise(Description):
    """A network with amplitude damping and any diffusion."""

    def require(self, *parts):
        return parts

    def axes(self, *parts):
        return parts[0].frequency.ndim - 1

    def drift(self, oscillators, damping, diffusion):
        return network_matrix(oscillators, damping)

    def diffusion(self, oscillators, damping, diffusion):
        return diffusion

    def steady_covariance(self, oscillators, damping, diffusion):
        unit = natural_unit(oscillators)
        kernel = kernel_of(in_unit(oscillators, unit))
        if not isinstance(kernel, NetworkKernel):  # that of two modes takes no such noise
            kernel = FewKernel(kernel.network, True)
        return kernel.steady(damping / unit, diffusion / unit)

    def decay_rate(self, oscillators, damping, diffusion):
        return network_decay_rate(oscillators, damping)


ANY_NOISE = AnyNoise()


def drift_parts(frequency, exchange, pairing, damping):
    return jaxosc.Oscillators(frequency, exchange, pairing), jnp.asarray(damping)


def dynamics(drift, diffusion):
    return jaxosc.Dynamics.of(ANY_NOISE, *drift, jnp.asarray(diffusion))


def covariance(drift, diffusion):
    return jaxosc.steady_state(dynamics(drift, diffusion))


def white(noise):
    """The same diffusion on both quadratures of each oscillator."""
    return np.diag(np.repeat(noise, 2))


def exact_covariance(parts, diffusion):
    with mpmath.workdps(60):
        drift = reference._drift(*parts)
        solution = reference._lyapunov(drift, mpmath.matrix(np.asarray(diffusion).tolist()))
    return np.array(solution.tolist(), float)


def backward_error(drift, diffusion, state):
    residual = drift @ state + state @ drift.T + diffusion
    return np.linalg.norm(residual) / (2 * np.linalg.norm(drift) * np.linalg.norm(state))


UNEVEN = np.array([1.0, 0.5, 1.7, 0.8, 1.3, 2.0, 0.9])
ENDS = np.array([1.0, 0, 0, 0, 0, 0, 1.5])
NOISE = np.array([3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.6])


@pytest.mark.parametrize(
    ("ratio", "profile", "gamma"),
    others_at_night(
        itertools.product([1.0, 0.0, -0.5], ["uneven", "ends"], [0.3, 1e-3, 1e-8]),
        [(1.0, "ends", 0.3), (0.0, "uneven", 1e-3), (-0.5, "uneven", 1e-8)],
    ),
)
def test_seven_modes_to_many_digits(gamma, profile, ratio):
    """Damping of any strength costs no digits. Strong at the ends alone, doubling takes over."""
    coupling = 0.15 * neighbours(7)
    damping = gamma * {"uneven": UNEVEN, "ends": ENDS}[profile]
    parts = (np.linspace(1, 1.2, 7), coupling, ratio * coupling, damping)
    parts = tuple(rounded(part) for part in parts)
    diffusion = rounded(white(parts[3] * NOISE))
    state = covariance(drift_parts(*parts), diffusion)
    expected = exact_covariance(parts, diffusion)
    np.testing.assert_allclose(state, expected, rtol=0, atol=digits(1e-13) * np.abs(expected).max())


@pytest.mark.parametrize("gamma", [1e-8, *nightly(0.3)])
@pytest.mark.parametrize("ratio", [1.0, *nightly(0.0)])
def test_near_the_critical_point(gamma, ratio):
    """The rounding of λ itself is 1e-16/(1 − λ/λ_c) of the largest entry."""
    distance, frequency = 1e-3 if SINGLE else 1e-5, np.linspace(1, 1.2, 7)
    scaled = neighbours(7) / np.sqrt(np.outer(frequency, frequency))
    coupling = (1 - distance) / (1 + ratio) / np.linalg.eigvalsh(scaled)[-1] * neighbours(7)
    parts = (frequency, coupling, ratio * coupling, gamma * UNEVEN)
    parts = tuple(rounded(part) for part in parts)
    diffusion = rounded(white(parts[3] * NOISE))
    state = covariance(drift_parts(*parts), diffusion)
    expected = exact_covariance(parts, diffusion)
    accuracy = digits(1e-12 + 1e-15 / distance)
    np.testing.assert_allclose(state, expected, rtol=0, atol=accuracy * np.abs(expected).max())


@pytest.mark.parametrize("gamma", [0.1, 1e-4, 1e-8])
@pytest.mark.parametrize("strength", [1e-7, *slow(0.2)])
def test_uniform_chain_in_closed_form(gamma, strength):
    """Standing waves are the normal modes; with one damping rate each pair of them decouples.

    At λ = 1e-7 the splittings compete with the damping: they must not come from Ω² − Ω².
    """
    modes = 40
    k = np.arange(1, modes + 1, dtype=np.longdouble) * np.pi / (modes + 1)
    waves = np.sqrt(np.longdouble(2) / (modes + 1)) * np.sin(np.outer(np.arange(1, modes + 1), k))
    excess = 4 * np.longdouble(strength) * np.cos(k)  # Ω² − 1, for position coupling at ω = 1
    omega = np.sqrt(1 + excess)
    noise = gamma * (1 + np.arange(modes) % 3)
    xx = (waves * np.sqrt(omega)).T @ (noise[:, None] * waves * np.sqrt(omega))
    pp = (waves / np.sqrt(omega)).T @ (noise[:, None] * waves / np.sqrt(omega))
    total = omega[:, None] + omega[None, :]
    even = (xx + pp) / 2 / (2 * gamma + 1j * (excess[:, None] - excess[None, :]) / total)
    squeezed = (xx - pp) / 2 / (2 * gamma + 1j * total)
    wave_x, wave_p = waves / np.sqrt(omega), waves * np.sqrt(omega)
    coupling = strength * neighbours(modes)
    parts = (np.ones(modes), coupling, coupling, np.full(modes, gamma))
    state = np.asarray(covariance(drift_parts(*parts), white(noise)))
    for block, expected in (
        (state[0::2, 0::2], wave_x @ (even + squeezed).real @ wave_x.T),
        (state[1::2, 1::2], wave_p @ (even - squeezed).real @ wave_p.T),
        (state[0::2, 1::2], wave_x @ (squeezed - even).imag @ wave_p.T),
    ):
        np.testing.assert_allclose(block, expected.astype(float), rtol=0, atol=digits(1e-12))


@double
@pytest.mark.parametrize("gamma", [1.0, 1e-2, 1e-5, 1e-8])
def test_equal_baths_at_the_ends_leave_no_correlations(gamma):
    """Rotating wave, equal occupations: σ = (N + ½)·1 exactly, however long the chain."""
    modes = 40
    damping = np.zeros(modes)
    damping[[0, -1]] = gamma, 0.6 * gamma
    parts = (np.linspace(1, 1.05, modes), 0.2 * neighbours(modes), np.zeros((modes, modes)))
    state = covariance(drift_parts(*parts, damping), white(2 * 1.5 * damping))
    np.testing.assert_allclose(state, 1.5 * np.eye(2 * modes), rtol=0, atol=1e-9)


@double
@pytest.mark.parametrize("gamma", [0.3, 1e-3])
def test_better_than_bartels_stewart(gamma):
    generator = np.random.default_rng(3)
    modes = 40
    coupling = 0.15 * neighbours(modes)
    damping = gamma * generator.uniform(0.3, 2, modes)
    drift = drift_parts(generator.uniform(1, 1.3, modes), coupling, 0.7 * coupling, damping)
    diffusion = white(damping * generator.uniform(1, 9, modes))
    matrix = np.asarray(network_matrix(*drift))
    ours = np.asarray(covariance(drift, diffusion))
    theirs = scipy.linalg.solve_continuous_lyapunov(matrix, -diffusion)
    assert backward_error(matrix, diffusion, ours) <= backward_error(matrix, diffusion, theirs)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=digits(1e-10) * np.abs(theirs).max())
    general = np.asarray(jaxosc.steady_state(jaxosc.Dynamics(matrix, diffusion)))
    np.testing.assert_allclose(general, ours, rtol=0, atol=digits(1e-10) * np.abs(ours).max())


def along(direction, strength):
    """⟨a1†a1⟩ and a cross-correlation of seven oscillators, moved along one direction."""
    network = cases.random_network(np.random.default_rng(8), 7)
    parts = [
        network[name] + strength * direction[name] for name in ("frequency", "exchange", "pairing")
    ]
    oscillators = jaxosc.Oscillators(*parts)
    baths = jaxosc.Baths(
        network["damping"] * (1 + strength * direction["damping"]), network["temperature"]
    )
    state = jaxosc.steady_state(jaxosc.local_lindblad(oscillators, baths))
    return jnp.sum(state * jnp.asarray(direction["weight"]))


@pytest.fixture(scope="module")
def direction():
    generator = np.random.default_rng(9)
    coupling = generator.normal(size=(2, 7, 7)) * 0.1
    coupling = coupling + coupling.transpose(0, 2, 1)
    coupling *= 1 - np.eye(7)
    return {
        "frequency": generator.normal(size=7),
        "exchange": coupling[0],
        "pairing": coupling[1],
        "damping": generator.normal(size=7),
        "weight": generator.normal(size=(14, 14)),
    }


@double
@pytest.mark.nightly
def test_first_derivatives(direction):
    """By all parameters at once, forward and reverse, against differences of fourth order."""
    function = jax.jit(functools.partial(along, direction))
    step = 1e-4
    near, far = (function(h) - function(-h) for h in (step, 2 * step))
    slope = (8 * near - far) / (12 * step)
    assert float(jax.jit(jax.grad(function))(0.0)) == pytest.approx(float(slope), rel=1e-7)
    assert float(jax.jit(jax.jacfwd(function))(0.0)) == pytest.approx(float(slope), rel=1e-7)


@double
@pytest.mark.nightly
def test_second_derivatives(direction):
    """Each order of forward and reverse, against differences of the slope."""
    function = functools.partial(along, direction)
    step = 1e-4
    slope = jax.jit(jax.jacfwd(function))
    expected = float((slope(step) - slope(-step)) / (2 * step))
    for first, second in ((jax.grad, jax.jacfwd), (jax.jacfwd, jax.grad), (jax.grad, jax.grad)):
        assert float(jax.jit(second(first(function)))(0.0)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.nightly
@pytest.mark.parametrize("gamma", [1e-2, 1e-8])
def test_derivative_by_the_coupling_to_many_digits(gamma):
    """d⟨n⟩/dλ of seven modes against 60-digit differences, both directions."""
    unit, frequency = neighbours(7), np.linspace(1, 1.2, 7)
    damping = gamma * UNEVEN

    def variance(strength):
        parts = (frequency, strength * unit, 0.5 * strength * unit)
        return covariance(drift_parts(*parts, damping), white(damping * NOISE))[0, 0]

    def exact(strength):
        rows = [[strength * int(entry) for entry in row] for row in unit]
        drift = reference._drift(frequency, rows, [[x / 2 for x in row] for row in rows], damping)
        return reference._lyapunov(drift, mpmath.matrix(white(damping * NOISE).tolist()))[0, 0]

    with mpmath.workdps(60):
        strength, step = mpmath.mpf(0.15), mpmath.mpf(10) ** -15
        expected = float((exact(strength + step) - exact(strength - step)) / (2 * step))
    for derivative in (jax.jacfwd, jax.grad):
        assert float(jax.jit(derivative(variance))(0.15)) == pytest.approx(
            expected, rel=digits(1e-11)
        )


@pytest.mark.slow
def test_batch_is_its_members():
    """Networks that need either method, and one that is unstable, in one batch."""
    coupling = 0.15 * neighbours(7)
    damping = np.array([0.3 * UNEVEN, 3 * ENDS, 1e-8 * UNEVEN, 0 * ENDS])

    def state(gamma):
        drift = drift_parts(np.linspace(1, 1.2, 7), coupling, coupling, gamma)
        return covariance(drift, jnp.diag(jnp.repeat(gamma * NOISE, 2)))

    batch = jax.jit(jax.vmap(state))(damping)
    for ours, gamma in zip(batch[:3], damping[:3], strict=True):
        alone = state(gamma)
        allowed = digits(1.5e-13) * np.abs(alone).max()
        np.testing.assert_allclose(ours, alone, rtol=0, atol=allowed)
    assert np.isnan(batch[3]).all()


@pytest.mark.slow
def test_few_modes_in_a_batch_keep_all_digits():
    """Beside members that are too weakly damped for products, and one without a state."""
    generator = np.random.default_rng(13)
    rates = (1e-2, 1e-5, 1e-8, 1e-10, 1e-14) if not SINGLE else (1e-2, 1e-3, 1e-5, 1e-7, 1e-8)
    parts = []
    for rate in rates:
        network = cases.random_network(generator, 3)
        damping = rate * generator.uniform(0.3, 3, 3)
        parts.append((network["frequency"], network["exchange"], network["pairing"], damping))
    parts.append((*parts[0][:3], np.array([0.1, 0.1, -0.1])))
    parts = [tuple(rounded(part) for part in each) for each in parts]

    def state(frequency, exchange, pairing, damping):
        noise = jnp.diag(jnp.repeat(damping * NOISE[:3].astype(damping.dtype), 2))
        return covariance((jaxosc.Oscillators(frequency, exchange, pairing), damping), noise)

    found = jax.jit(jax.vmap(state))(
        *(jnp.stack([jnp.asarray(x) for x in p]) for p in zip(*parts, strict=True))
    )
    for ours, each in zip(found[:-1], parts, strict=False):
        noise = np.asarray(
            jnp.diag(jnp.repeat(jnp.asarray(each[3]) * NOISE[:3].astype(ours.dtype), 2))
        )
        expected = exact_covariance(each, noise)
        np.testing.assert_allclose(
            ours, expected, rtol=0, atol=digits(1e-14) * np.abs(expected).max()
        )
    assert np.isnan(found[-1]).all()


def unstable():
    """Pairing between a strongly and a weakly damped mode, in a row of seven."""
    pairing = np.zeros((7, 7))
    pairing[0, 1] = pairing[1, 0] = 0.9
    return drift_parts(np.ones(7), 0.01 * neighbours(7), pairing, [10.0] + [0.01] * 6)


def undamped():
    """The last oscillator has neither a bath nor a neighbour."""
    coupling = 0.1 * neighbours(7)
    coupling[-1] = coupling[:, -1] = 0
    return drift_parts(np.linspace(1, 1.2, 7), coupling, coupling, [0.1] * 6 + [0.0])


def dark():
    """Two identical oscillators on either side of a damped one: their difference stays."""
    coupling = np.zeros((7, 7))
    coupling[0, 1:3] = coupling[1:3, 0] = 0.1
    return drift_parts(np.ones(7), coupling, coupling, [0.1, 0, 0] + [0.1] * 4)


@pytest.mark.parametrize("network", slow(dark, undamped, unstable))
def test_no_steady_state(network):
    drift = network()
    diffusion = jnp.eye(14)
    for description in (
        dynamics(drift, diffusion),
        jaxosc.Dynamics(np.asarray(network_matrix(*drift)), diffusion),
    ):
        assert np.isnan(jax.jit(jaxosc.steady_state)(description)).all()
        words = "one grows at the rate" if network is unstable else "one is not damped"
        with pytest.raises(ValueError, match=words):
            jaxosc.steady_state(description)


@pytest.mark.nightly
def test_single_precision():
    for modes in (7, 40):
        coupling = 0.15 * neighbours(modes)
        damping = 1e-3 * np.linspace(0.5, 2, modes)
        parts = (np.linspace(1, 1.2, modes), coupling, coupling, damping)
        diffusion = white(damping * np.linspace(5, 1, modes))
        expected = covariance(drift_parts(*parts), diffusion)
        single = [np.asarray(part, np.float32) for part in parts]
        state = covariance(drift_parts(*single), diffusion.astype(np.float32))
        assert state.dtype == jnp.float32
        # The inputs are rounded: splittings to 6e-8, against a damping of 1e-3.
        np.testing.assert_allclose(state, expected, rtol=0, atol=1e-3 * np.abs(expected).max())


@pytest.fixture(scope="module")
def general():
    generator = np.random.default_rng(4)
    drift = generator.normal(size=(30, 30)) / np.sqrt(30) - 1.2 * np.eye(30)
    noise = generator.normal(size=(30, 30))
    return drift, noise @ noise.T


def test_general_drift(general):
    drift, diffusion = general
    state = np.asarray(jaxosc.steady_state(jaxosc.Dynamics(drift, diffusion)))
    expected = scipy.linalg.solve_continuous_lyapunov(drift, -diffusion)
    np.testing.assert_allclose(state, expected, rtol=0, atol=digits(1e-12) * np.abs(expected).max())
    assert backward_error(drift, diffusion, state) < digits(1e-15)


@double
@pytest.mark.slow
def test_general_drift_derivatives(general):
    """The slope solves A dσ + dσ Aᵀ + (dA σ + σ dAᵀ) = 0; reverse is its transpose."""
    drift, diffusion = general
    change = np.random.default_rng(5).normal(size=drift.shape)
    weight = np.random.default_rng(6).normal(size=drift.shape)

    def function(strength):
        state = jaxosc.steady_state(jaxosc.Dynamics(drift + strength * change, diffusion))
        return jnp.sum(state * weight)

    state = scipy.linalg.solve_continuous_lyapunov(drift, -diffusion)
    source = change @ state + state @ change.T
    slope = scipy.linalg.solve_continuous_lyapunov(drift, -source)
    expected = np.sum(slope * weight)
    assert float(jax.jit(jax.jacfwd(function))(0.0)) == pytest.approx(expected, rel=digits(1e-10))
    assert float(jax.jit(jax.grad(function))(0.0)) == pytest.approx(expected, rel=digits(1e-10))
    source = 2 * (change @ slope + slope @ change.T)
    expected = np.sum(scipy.linalg.solve_continuous_lyapunov(drift, -source) * weight)
    for mixed in (jax.jacfwd(jax.grad(function)), jax.grad(jax.grad(function))):
        assert float(jax.jit(mixed)(0.0)) == pytest.approx(expected, rel=1e-9)


def langevin_noise(drift, damping, temperature):
    """Σ_j γ_j (M_j + M_jᵀ), M_j = [T_j/A + ψ(1 − A/2πT_j)/π] J_j, from the eigenvectors of A."""
    values, vectors = np.linalg.eig(drift)
    inverse = np.linalg.inv(vectors)
    total = np.zeros_like(drift)
    for j, (rate, t) in enumerate(zip(damping, temperature, strict=True)):
        # Up to a constant, which the transpose cancels
        found = np.log(-values) / np.pi
        if t:
            sums = scipy.special.digamma(1 - values / (2 * np.pi * t))
            found = t / values + sums / np.pi
        form = np.zeros_like(drift)
        form[2 * j, 2 * j + 1], form[2 * j + 1, 2 * j] = 1, -1
        part = rate * ((vectors * found) @ inverse).real @ form
        total += part + part.T
    return total


@double
@pytest.mark.parametrize("temperatures", [(0.0, 0.7), (0.6,), (0.1, 0.0, 2.0)])
def test_langevin_noise_of_baths_of_few_temperatures(temperatures):
    """All baths of one temperature together, or each by itself in a batch and where T are many."""
    modes = 16
    rng = np.random.default_rng(3)
    couplings = rng.uniform(-0.05, 0.05, (2, modes, modes))
    exchange, pairing = (np.triu(c, 1) + np.triu(c, 1).T for c in couplings)
    frequency = rng.uniform(0.8, 1.6, modes)
    damping = rng.uniform(0.01, 0.2, modes) * (np.arange(modes) % 3 > 0)
    temperature = np.resize(temperatures, modes)
    oscillators = jaxosc.Oscillators(frequency, exchange, pairing)

    def noise(damping, temperature):
        return jaxosc.langevin(oscillators, jaxosc.Baths(damping, temperature)).diffusion

    drift = np.asarray(network_matrix(oscillators, jnp.asarray(damping)))
    expected = langevin_noise(drift, damping, temperature)
    scale = np.abs(expected).max()
    alone = jax.jit(noise)(damping, temperature)
    np.testing.assert_allclose(alone, expected, rtol=0, atol=1e-13 * scale)
    batch = jax.jit(jax.vmap(noise))(damping[None], temperature[None])[0]
    np.testing.assert_allclose(alone, batch, rtol=0, atol=1e-14 * scale)


@pytest.mark.slow
@double
def test_langevin_noise_by_the_damping_of_an_oscillator_without():
    """The values of such an oscillator are left out, its derivatives are not."""
    modes, step = 14, 1e-4
    oscillators = jaxosc.Oscillators(
        np.linspace(0.8, 1.6, modes), 0.1 * neighbours(modes), 0.05 * neighbours(modes)
    )
    damping = np.where(np.arange(modes) == 2, 0.0, 0.1)
    direction = np.eye(modes)[2]

    def noise(damping):
        return jaxosc.langevin(oscillators, jaxosc.Baths(damping, np.full(modes, 0.5))).diffusion

    _, slope = jax.jit(lambda x: jax.jvp(noise, (x,), (direction,)))(damping)
    sides = [
        langevin_noise(
            np.asarray(network_matrix(oscillators, jnp.asarray(damping + h * direction))),
            damping + h * direction,
            np.full(modes, 0.5),
        )
        for h in (step, -step)
    ]
    expected = (sides[0] - sides[1]) / (2 * step)
    np.testing.assert_allclose(slope, expected, rtol=0, atol=1e-7 * np.abs(expected).max())


@double
@pytest.mark.parametrize("kind", slow("complex", "Drude"))
def test_few_temperatures_of_other_baths(kind):
    """The same of baths with memory and of complex couplings, beside each bath by itself."""
    modes = 14
    links, frequency = 0.1 * neighbours(modes), np.linspace(0.8, 1.6, modes)
    if kind == "complex":
        links = links * np.exp(1j * (np.eye(modes, k=1) - np.eye(modes, k=-1)))
    oscillators = jaxosc.Oscillators(frequency, links, abs(links) / 2)
    temperature = np.where(np.arange(modes) < 4, 0.2, 0.9)

    def noise(damping):
        if kind == "complex":
            baths = jaxosc.Baths(damping, temperature)
        else:
            drude = jaxosc.spectra.Drude(10.0)
            baths = jaxosc.Baths(damping, temperature, drude, coupling="position")
        return jaxosc.langevin(oscillators, baths).diffusion

    damping = np.linspace(0.01, 0.1, modes)
    alone, (batch,) = jax.jit(noise)(damping), jax.jit(jax.vmap(noise))(damping[None])
    scale = np.abs(batch).max()
    assert scale > 0
    np.testing.assert_allclose(alone, batch, rtol=0, atol=1e-14 * scale)
