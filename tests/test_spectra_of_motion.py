"""Spectra and responses: fluctuation-dissipation, sum rules, 40-digit references, narrow lines."""

import warnings

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from precision import DTYPE, EPS, SINGLE, digits, double

import jaxosc

FORM = np.array([[0.0, 1.0], [-1.0, 0.0]])


def form(modes):
    return np.kron(np.eye(modes), FORM)


def adjoint(matrices):
    return np.conj(np.swapaxes(matrices, -1, -2))


def random_network(modes, seed, strength=0.15):
    """Complex couplings, unequal frequencies, a bounded H."""
    random = np.random.default_rng(seed)
    frequency = random.uniform(1.0, 2.0, modes)
    exchange, pairing = (
        random.normal(size=(modes, modes)) + 1j * random.normal(size=(modes, modes))
        for _ in range(2)
    )
    exchange = strength / modes * (exchange + exchange.conj().T)
    np.fill_diagonal(exchange, 0)
    pairing = strength / modes * (pairing + pairing.T)
    return jaxosc.Oscillators(frequency, exchange, pairing), random


def quietly(equation, *arguments):
    """Without the warning that moments of strictly Ohmic baths diverge."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return equation(*arguments)


def structured(modes, random, temperature, kind):
    spectrum = {
        "drude": jaxosc.spectra.Drude(6.0, reference=1.0),
        "brownian": jaxosc.spectra.Brownian(2.5, 0.4, reference=1.0),
        "ohmic": jaxosc.spectra.Ohmic(reference=1.0),
        "sum": 0.5 * jaxosc.spectra.Drude(6.0, reference=1.0)
        + jaxosc.spectra.Brownian(2.5, 0.4, reference=1.0),
    }[kind]
    rows = random.normal(size=(2, 2 * modes))
    return jaxosc.Baths(random.uniform(0.02, 0.1, 2), temperature, spectrum, coupling=rows.tolist())


CASES = [
    (2, "brownian", 0.0),
    *(
        pytest.param(*case, marks=pytest.mark.nightly)
        for case in [
            (1, "drude", 0.7),
            (1, "drude", 0.0),
            (2, "ohmic", 0.7),
            (2, "ohmic", 0.0),
            (3, "sum", 0.3),
            (4, "drude", 0.7),
        ]
    ),
]


@pytest.mark.parametrize(("modes", "kind", "temperature"), CASES)
def test_fluctuations_and_dissipation(modes, kind, temperature):
    """S = coth(ν/2T)(χ − χ†)/2i: the one from noise, the other from commutators."""
    network, random = random_network(modes, modes)
    baths = structured(modes, random, temperature, kind)
    dynamics = quietly(jaxosc.langevin, network, baths)
    nu = np.array([-2.3, -0.1, 1e-3, 0.9, 1.4, 30.0], DTYPE)
    fluctuations = np.asarray(jaxosc.spectrum(dynamics, nu))
    response = np.asarray(jaxosc.response(dynamics, nu))
    coth = np.sign(nu) if temperature == 0 else 1 / np.tanh(nu / (2 * temperature))
    expected = coth[:, None, None] * (response - adjoint(response)) / 2j
    # The theorem subtracts numbers of the size of χ
    errors = np.abs(fluctuations - expected).max(axis=(1, 2))
    assert (errors < digits(2e-14) * np.abs(coth) * np.abs(response).max(axis=(1, 2))).all()


@pytest.mark.slow
def test_flat_baths_obey_the_theorem_too():
    network, _ = random_network(2, 5)
    dynamics = jaxosc.langevin(network, jaxosc.Baths((0.1, 0.03), 0.6))
    nu = np.array([-1.1, 0.4, 1.3, 5.0], DTYPE)
    response = np.asarray(jaxosc.response(dynamics, nu))
    expected = (response - adjoint(response)) / (2j * np.tanh(nu / 1.2))[:, None, None]
    found = np.asarray(jaxosc.spectrum(dynamics, nu))
    np.testing.assert_allclose(found, expected, atol=digits(1e-13) * np.abs(expected).max())
    old = jaxosc.langevin_spectrum(network, jaxosc.Baths((0.1, 0.03), 0.6), nu, "covariance")
    np.testing.assert_allclose(
        found, 2 * np.pi * np.asarray(old), atol=digits(1e-13) * np.abs(expected).max()
    )
    assert np.isnan(np.asarray(jaxosc.spectrum(dynamics, 0.0))).any()


# --- 40 digits -----------------------------------------------------------------------------------


def exact_resolvent(drift, nu):
    """(−iν − A)⁻¹ of the entries as they are."""
    with mpmath.workdps(40):
        matrix = mpmath.matrix(np.asarray(drift, np.float64).tolist())
        inverted = (-mpmath.mpc(0, float(nu)) * mpmath.eye(matrix.rows) - matrix) ** -1
        return inverted


def numbers(matrix):
    return np.array(matrix.tolist(), complex).reshape(matrix.rows, matrix.cols)


@pytest.mark.parametrize("damping", [1e-2, 1e-4] if SINGLE else [1e-2, 1e-8, 1e-10])
@pytest.mark.parametrize(
    "modes", [2, *(pytest.param(n, marks=pytest.mark.nightly) for n in (1, 4))]
)
def test_narrow_lines(damping, modes):
    """On a resonance a solution by elimination has lost as many digits as γ/ω has."""
    network, random = random_network(modes, 10 + modes)
    rates = damping * random.uniform(0.5, 2.0, modes)
    dynamics = jaxosc.local_lindblad(network, jaxosc.Baths(rates, random.uniform(0, 2, modes)))
    drift, diffusion = np.asarray(dynamics.drift), np.asarray(dynamics.diffusion, np.float64)
    lines = np.linalg.eigvals(drift).imag
    # Half of the digits of the smallest products in a residual are rounded
    error = EPS * (40 + 20 * EPS**0.5 / damping)
    nu = lines[lines > 0].astype(DTYPE)[:2] + np.array([0, 0.3 * damping], DTYPE)[:modes]
    spectra, responses = (
        np.asarray(verb(dynamics, nu)) for verb in (jaxosc.spectrum, jaxosc.response)
    )
    for each, spectrum, response in zip(nu, spectra, responses, strict=True):
        with mpmath.workdps(40):
            inverted = exact_resolvent(drift, each)
            exact = numbers(inverted * mpmath.matrix(diffusion.tolist()) * inverted.H)
        assert np.abs(spectrum - exact).max() < error * np.abs(exact).max()
        exact = numbers(inverted) @ -form(modes)
        assert np.abs(response - exact).max() < error * np.abs(exact).max()


@pytest.mark.parametrize(
    "temperature", [(0.0, 0.8), pytest.param((0.4, 1.1), marks=pytest.mark.nightly)]
)
@pytest.mark.slow
def test_drude_baths_by_hand(temperature):
    """K(ν) − iνΩ inverted in 40 digits from the Drude susceptibility, at two temperatures."""
    damping, cutoff, nus = (0.05, 0.02), 5.0, (0.0, 0.7, -1.3, 1.6)
    network = jaxosc.pair((1.0, 1.5), 0.2, "position")
    spectrum = jaxosc.spectra.Drude(cutoff)
    baths = jaxosc.Baths(damping, temperature, spectrum, coupling="position")
    found = np.asarray(jaxosc.spectrum(jaxosc.langevin(network, baths), nus))
    response = np.asarray(jaxosc.response(jaxosc.langevin(network, baths), nus))
    hessian = np.asarray(network.hessian, np.float64)
    with mpmath.workdps(40):
        for index, nu in enumerate(map(mpmath.mpf, nus)):
            matrix = mpmath.matrix(hessian.tolist()) - mpmath.mpc(0, nu) * mpmath.matrix(
                form(2).tolist()
            )
            noise = mpmath.zeros(4)
            for j, omega in enumerate((1.0, 1.5)):
                # J(ω) = γ at the own frequency behind X = √2 x
                slope = (
                    mpmath.mpf(float(DTYPE(damping[j])))
                    * (omega**2 + cutoff**2)
                    / omega
                    / cutoff**2
                )
                chi = 2 * slope * cutoff**2 / (cutoff - mpmath.mpc(0, nu))
                matrix[2 * j, 2 * j] += 2 * slope * cutoff - chi
                t = mpmath.mpf(float(DTYPE(temperature[j])))
                j_over = 2 * slope * cutoff**2 / (nu**2 + cutoff**2)
                thermal = (
                    abs(nu) if t == 0 else 2 * t if nu == 0 else nu * mpmath.coth(nu / (2 * t))
                )
                noise[2 * j, 2 * j] = j_over * thermal
            inverted = matrix**-1
            exact = numbers(inverted * noise * inverted.H)
            scale = np.abs(exact).max()
            np.testing.assert_allclose(found[index], exact, atol=digits(2e-14) * scale)
            exact = numbers(inverted)
            scale = np.abs(exact).max()
            np.testing.assert_allclose(response[index], exact, atol=digits(2e-14) * scale)


# --- sum rules -----------------------------------------------------------------------------------


def graded(lines, most=None, order=20):
    """Nodes and weights on the whole axis, dense at each line."""
    around = {0.0}
    for line in lines:
        for sign in (-1, 1):
            centre, width = sign * line.imag, abs(line.real)
            around |= {centre + s * width * 2.0**k for s in (-1, 1) for k in range(-2, 60)}
            around.add(centre)
    edges = sorted(edge for edge in around if abs(edge) < (most or 1e9))
    x, w = np.polynomial.legendre.leggauss(order)
    low, high = np.array(edges[:-1]), np.array(edges[1:])
    nodes = (high + low)[:, None] / 2 + (high - low)[:, None] / 2 * x
    return nodes.ravel(), ((high - low)[:, None] / 2 * w).ravel()


DESCRIPTIONS = {
    "local": (jaxosc.local_lindblad, {}),
    "global": (jaxosc.global_lindblad, {}),
    "redfield": (jaxosc.redfield, {"spectrum": "ohmic", "coupling": "position"}),
    "langevin": (
        jaxosc.langevin,
        {"spectrum": jaxosc.spectra.Brownian(3.0, 0.5), "coupling": "position"},
    ),
}


@double
@pytest.mark.nightly
@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_sum_rules(name):
    """∫ S dν/2π = σ, ∫ (χ − χ†)/i dν/2π = iΩ, and the first moment of it, the hessian."""
    equation, options = DESCRIPTIONS[name]
    network = jaxosc.pair((1.0, 1.4), 0.2, "position")
    dynamics = equation(network, jaxosc.Baths((0.05, 0.02), (0.3, 1.2), **options))
    nu, weight = graded(np.linalg.eigvals(np.asarray(dynamics.drift)))
    weight = weight[:, None, None] / (2 * np.pi)
    found = np.asarray(jaxosc.spectrum(dynamics, nu))
    covariance = np.sum(weight * found, axis=0)
    exact = np.asarray(jaxosc.steady_state(dynamics))
    # The axis ends at 1e9: what is left falls off as 1/ν of white noise
    np.testing.assert_allclose(covariance, exact, atol=2e-8)
    response = np.asarray(jaxosc.response(dynamics, nu))
    absorbed = (response - adjoint(response)) / 1j
    np.testing.assert_allclose(np.sum(weight * absorbed, axis=0), 1j * form(2), atol=2e-8)
    if name == "langevin":  # d/dt of the commutator at equal times; with friction it has no value
        first = np.sum(weight * nu[:, None, None] * absorbed, axis=0)
        hessian = np.asarray(network.hessian)
        xx = first[::2, ::2]
        np.testing.assert_allclose(xx, hessian[1::2, 1::2], atol=2e-7)


@pytest.mark.nightly
def test_hermitian_positive_and_real_in_time():
    network, _ = random_network(3, 3)
    dynamics = jaxosc.local_lindblad(network, jaxosc.Baths((0.1, 0.01, 0.2), (0.0, 1.0, 2.0)))
    nu = np.array([[0.3, 1.2], [-0.3, -1.2]], DTYPE)
    found = np.asarray(jaxosc.spectrum(dynamics, nu))
    assert found.shape == (2, 2, 6, 6)
    np.testing.assert_array_equal(found, adjoint(found))
    np.testing.assert_allclose(found[0], np.conj(found[1]), rtol=digits(1e-13))
    assert (np.linalg.eigvalsh(found) > -digits(1e-14) * np.abs(found).max()).all()
    response = np.asarray(jaxosc.response(dynamics, nu))
    np.testing.assert_allclose(response[0], np.conj(response[1]), rtol=digits(1e-13))
    assert jaxosc.spectrum(dynamics, np.zeros((0,), DTYPE)).shape == (0, 6, 6)


@pytest.mark.slow
def test_a_static_force_displaces():
    """χ(0) = h⁻¹ in the exact description, whatever the baths; and so does a drive."""
    driven = jaxosc.Oscillators([1.0, 1.3], [[0, 0.2], [0.2, 0]], drive=[0.3j, 0.1])
    hessian = np.asarray(driven.hessian, np.float64)
    slope = np.array([0, 0.3 * np.sqrt(2), 0.1 * np.sqrt(2), 0])  # H = … + slope·r
    for spectrum in (jaxosc.spectra.Ohmic(), jaxosc.spectra.Drude(5.0)):
        baths = jaxosc.Baths((0.2, 0.1), 1.0, spectrum, coupling="position")
        dynamics = quietly(jaxosc.langevin, driven, baths)
        found = np.asarray(jaxosc.response(dynamics, 0.0))
        np.testing.assert_allclose(found, np.linalg.inv(hessian), atol=digits(1e-14))
        mean = jaxosc.steady_mean(dynamics)
        np.testing.assert_allclose(mean, -np.linalg.solve(hessian, slope), atol=digits(1e-14))


# --- batches, derivatives, words -----------------------------------------------------------------


def local(damping, coupling):
    network = jaxosc.pair((1.0, 1.2), coupling, "position")
    return jaxosc.local_lindblad(network, jaxosc.Baths((damping, 0.03), (0.5, 1.0)))


def exact_langevin(damping, coupling):
    network = jaxosc.pair((1.0, 1.2), coupling, "position")
    drude = jaxosc.spectra.Drude(4.0)
    return jaxosc.langevin(
        network, jaxosc.Baths((damping, 0.03), (0.5, 0.0), drude, coupling="position")
    )


@pytest.mark.nightly
@pytest.mark.parametrize("make", [exact_langevin, local])
def test_thousands_at_once(make):
    damping = np.linspace(0.01, 0.1, 1000, dtype=DTYPE)
    nu = np.linspace(0.5, 1.5, 1000, dtype=DTYPE)

    def of_one(rate, frequency):
        return jaxosc.spectrum(make(rate, 0.2), frequency)

    found = np.asarray(jax.jit(jax.vmap(of_one))(damping, nu))
    for index in (0, 517, 999):
        alone = np.asarray(jaxosc.spectrum(make(damping[index], 0.2), nu[index]))
        scale = np.abs(alone).max()
        np.testing.assert_allclose(found[index], alone, atol=digits(1e-14) * scale)


@double
@pytest.mark.parametrize("make", [local, exact_langevin])
@pytest.mark.nightly
def test_derivatives(make):
    """By ν, γ and λ, forward and in reverse, beside central differences."""

    def function(parameters):
        nu, damping, coupling = parameters
        found = jaxosc.spectrum(make(damping, coupling), nu)
        return jnp.sum(found.real * 0.3 + found.imag * 0.7) + jnp.sum(
            jaxosc.response(make(damping, coupling), nu).imag[0, 2]
        )

    at = jnp.array([1.1, 0.04, 0.2])
    value = jax.jit(function)
    forward, reverse = jax.jit(jax.jacfwd(function))(at), jax.jit(jax.grad(function))(at)
    np.testing.assert_allclose(forward, reverse, rtol=1e-11)
    for index in range(3):
        step = jnp.zeros(3).at[index].set(1e-4)
        two, four = (value(at + k * step) - value(at - k * step) for k in (1, 2))
        slope = (8 * two - four) / 12e-4
        assert abs(forward[index] / slope - 1) < 1e-7


@pytest.mark.slow
def test_what_has_no_spectrum():
    growing = jaxosc.Oscillators([0.0], [[0.0]], [[0.3]])
    unstable = jaxosc.local_lindblad(growing, jaxosc.Baths(0.1, occupation=0.0))
    for verb in (jaxosc.spectrum, jaxosc.response):
        with pytest.raises(ValueError, match="must damp every motion, but one grows at the rate"):
            verb(unstable, 1.0)
        inside = jax.jit(lambda gain, verb=verb: verb(
            jaxosc.local_lindblad(
                jaxosc.Oscillators([0.0], [[0.0]], jnp.reshape(gain, (1, 1))),
                jaxosc.Baths(0.1, occupation=0.0),
            ),
            1.0,
        ))  # fmt: skip
        assert np.isnan(np.asarray(inside(0.3))).all()
        with pytest.raises(ValueError, match="`frequency` must be finite"):
            verb(local(0.1, 0.1), np.inf)
        with pytest.raises(ValueError, match="`frequency` must be real"):
            verb(local(0.1, 0.1), 1j)


@pytest.mark.nightly
def test_the_witness_sees_a_fault():
    """A spectrum with the frequency of the other sign is no longer that of the commutators."""
    network, _ = random_network(2, 2)
    dynamics = jaxosc.langevin(network, jaxosc.Baths((0.1, 0.03), 0.6))
    wrong = np.asarray(jaxosc.spectrum(dynamics, -1.1))
    response = np.asarray(jaxosc.response(dynamics, 1.1))
    expected = (response - adjoint(response)) / 2j / np.tanh(1.1 / 1.2)
    assert np.abs(wrong - expected).max() > 1e-3 * np.abs(expected).max()
