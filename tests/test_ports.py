"""Outputs: commutators, fluxes, closed formulas of amplifiers and mirrors."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from precision import DTYPE, SINGLE, digits, double

import jaxosc


def form(modes):
    return np.kron(np.eye(modes), [[0.0, 1.0], [-1.0, 0.0]])


def adjoint(matrices):
    return np.conj(np.swapaxes(matrices, -1, -2))


def random_dynamics(modes, ports, seed):
    """Complex couplings with pairing, shared baths, squeezed inputs; any frame, stable."""
    random = np.random.default_rng(seed)

    def square():
        return random.normal(size=(modes, modes)) + 1j * random.normal(size=(modes, modes))

    exchange, pairing = square(), square()
    exchange = 0.2 * (exchange + exchange.conj().T)
    np.fill_diagonal(exchange, 0)
    network = jaxosc.Oscillators(random.normal(size=modes), exchange, 0.02 * (pairing + pairing.T))
    rows = random.normal(size=(ports, modes)) + 1j * random.normal(size=(ports, modes))
    occupation = random.uniform(0, 2, ports)
    phase = np.exp(2j * np.pi * random.uniform(size=ports))
    baths = jaxosc.Baths(
        random.uniform(0.1, 0.4, ports),
        occupation=occupation,
        coupling=rows,
        squeezing=0.9 * np.sqrt(occupation * (occupation + 1)) * phase,
    )
    return jaxosc.local_lindblad(network, baths)


NU = np.array([-0.8, 0.0, 0.3, 2.0], DTYPE)


@pytest.mark.parametrize(
    ("modes", "ports"), [(2, 3), pytest.param(1, 2, marks=pytest.mark.nightly),
    pytest.param(4, 4, marks=pytest.mark.nightly)]
)  # fmt: skip
@pytest.mark.slow
def test_commutators_and_consistency(modes, ports):
    """s Z s† = Z, and every view of the same output agrees with the full matrix."""
    dynamics = random_dynamics(modes, ports, 7 * modes + ports)
    amplitudes = np.asarray(jaxosc.scattering(dynamics, NU))
    signs = np.diag([1, -1] * ports)
    np.testing.assert_allclose(
        amplitudes @ signs @ adjoint(amplitudes), np.broadcast_to(signs, amplitudes.shape),
        atol=digits(2e-14),
    )  # fmt: skip
    whole = np.asarray(jaxosc.output_spectrum(dynamics, NU, efficiency=0.7))
    np.testing.assert_allclose(whole, adjoint(whole))
    # Of an uncertainty: S + iΩ/2 ≥ 0
    assert np.linalg.eigvalsh(whole + 0.5j * form(ports)).min() > -digits(1e-13)
    last = ports - 1
    own = np.asarray(jaxosc.output_spectrum(dynamics, NU, port=last, efficiency=0.7))
    scale = np.abs(whole).max()
    np.testing.assert_allclose(own, whole[:, -2:, -2:], atol=digits(1e-14) * scale)
    angles = np.array([0.0, 0.4, 2.0], DTYPE)
    seen = np.asarray(
        jaxosc.output_spectrum(dynamics, NU[:, None], port=last, angle=angles, efficiency=0.7)
    )
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    expected = np.einsum("ai,nij,aj->na", rows, own, rows)
    np.testing.assert_allclose(seen, expected.real, atol=digits(1e-14) * scale)
    emitted = np.asarray(jaxosc.emission_spectrum(dynamics, NU, port=last, efficiency=0.7))
    counted = (own[:, 0, 0] + own[:, 1, 1]).real / 2 + own[:, 0, 1].imag - 0.5
    np.testing.assert_allclose(emitted, counted, atol=digits(1e-14) * scale)


@double
def test_output_in_forty_digits():
    """S_out = s S_in s† put together from the drift alone, with r_out = r_in − √(2γ) r."""
    network = jaxosc.Oscillators([0.3, -0.2], [[0, 0.1j], [-0.1j, 0]], [[0.02, 0.05], [0.05, 0]])
    damping, occupation, squeezing = (0.1, 0.2), (0.3, 0.0), (0.4 + 0.2j, 0.0)
    baths = jaxosc.Baths(damping, occupation=occupation, squeezing=squeezing)
    dynamics = jaxosc.local_lindblad(network, baths)
    found = np.asarray(jaxosc.output_spectrum(dynamics, 0.17))
    with mpmath.workdps(40):
        root = mpmath.diag([mpmath.sqrt(2 * mpmath.mpf(rate)) for rate in damping for _ in "xp"])
        inputs = mpmath.zeros(4)
        for j, (n, m) in enumerate(zip(occupation, squeezing, strict=True)):
            x, p = 2 * j, 2 * j + 1
            inputs[x, x] = n + 0.5 + mpmath.mpf(m.real)
            inputs[p, p] = n + 0.5 - mpmath.mpf(m.real)
            inputs[x, p] = inputs[p, x] = mpmath.mpf(np.imag(m))
        drift = mpmath.matrix(np.asarray(dynamics.drift).tolist())
        green = (-mpmath.mpc(0, 0.17) * mpmath.eye(4) - drift) ** -1
        scattered = mpmath.eye(4) - root * green * root
        exact = np.array((scattered * inputs * scattered.H).tolist(), complex)
        noise = np.array((root * inputs * root).tolist(), float)
    np.testing.assert_allclose(found, exact, atol=1e-14 * np.abs(exact).max())
    np.testing.assert_allclose(noise, dynamics.diffusion, atol=1e-16)


@double
@pytest.mark.nightly
def test_flux():
    """∫ dν/2π (n_out − n_in) = 2γ_j(⟨n_j⟩ − N_j), with pairing too."""
    network = jaxosc.Oscillators([0.4, -0.3], [[0, 0.1], [0.1, 0]], [[0.01j, 0.04], [0.04, 0]])
    damping, number = np.array([0.1, 0.25]), np.array([0.5, 0.0])
    dynamics = jaxosc.local_lindblad(network, jaxosc.Baths(damping, occupation=number))
    occupation = np.asarray(jaxosc.occupation(jaxosc.steady_state(dynamics)))
    angle, weight = np.polynomial.legendre.leggauss(400)
    nu = np.tan(angle * np.pi / 2)  # the whole axis
    jacobian = weight * np.pi / 2 * (1 + nu**2)
    for port in (0, 1):
        emitted = np.asarray(jaxosc.emission_spectrum(dynamics, nu, port=port))
        flux = np.sum(jacobian * (emitted - number[port])) / (2 * np.pi)
        expected = 2 * damping[port] * (occupation[port] - number[port])
        assert abs(flux - expected) < 1e-9 * abs(expected)


def test_degenerate_parametric_amplifier():
    """S = ½[1 ∓ 4γg/((γ ± g)² + ν²)] below the threshold g = γ, with loss and detection."""
    gain, outer, inner = 0.06, 0.08, 0.02
    rate = outer + inner
    amplifier = jaxosc.Oscillators([0.0], [[0.0]], [[1j * gain]])
    baths = jaxosc.Baths((outer, inner), occupation=0.0, coupling=np.array([[1.0 + 0j], [1.0]]))
    dynamics = jaxosc.local_lindblad(amplifier, baths)
    squeezed = np.asarray(
        jaxosc.output_spectrum(dynamics, NU, port=0, angle=np.pi / 2, efficiency=0.9)
    )
    stretched = np.asarray(jaxosc.output_spectrum(dynamics, NU, port=0, angle=0.0, efficiency=0.9))
    escape = 0.9 * outer / rate
    nu = NU.astype(np.float64)
    np.testing.assert_allclose(
        squeezed, (1 - escape * 4 * rate * gain / ((rate + gain) ** 2 + nu**2)) / 2,
        rtol=digits(1e-13),
    )  # fmt: skip
    np.testing.assert_allclose(
        stretched, (1 + escape * 4 * rate * gain / ((rate - gain) ** 2 + nu**2)) / 2,
        rtol=digits(1e-13),
    )  # fmt: skip


@double
def test_strong_squeezing_keeps_its_digits():
    """55 dB: of s the quadrature is formed before it is squared."""
    rate = 0.1
    gain = rate * (1 - 7e-3)
    amplifier = jaxosc.Oscillators([0.0], [[0.0]], [[1j * gain]])
    dynamics = jaxosc.local_lindblad(amplifier, jaxosc.Baths(rate, occupation=0.0))
    found = float(jaxosc.output_spectrum(dynamics, 0.0, angle=np.pi / 2))
    exact = ((rate - gain) / (rate + gain)) ** 2 / 2
    assert abs(found / exact - 1) < 1e-12


@pytest.mark.nightly
def test_two_mode_squeezing():
    """A non-degenerate amplifier: x1 − x2 and p1 + p2 of the outputs below the vacuum."""
    gain, rate = 0.06, 0.1
    amplifier = jaxosc.Oscillators([0.0, 0.0], np.zeros((2, 2)), [[0, 1j * gain], [1j * gain, 0]])
    dynamics = jaxosc.local_lindblad(amplifier, jaxosc.Baths(rate, occupation=0.0))
    whole = np.asarray(jaxosc.output_spectrum(dynamics, NU))
    nu = NU.astype(np.float64)
    expected = (1 - 4 * rate * gain / ((rate + gain) ** 2 + nu**2)) / 2
    for row in (np.array([1, 0, -1, 0]), np.array([0, 1, 0, 1])):
        joint = np.einsum("i,nij,j->n", row, whole, row).real / 2
        np.testing.assert_allclose(joint, expected, rtol=digits(1e-12))
    alone = np.asarray(jaxosc.output_spectrum(dynamics, NU, port=1))
    assert (np.linalg.eigvalsh(alone) > 0.5 - digits(1e-14)).all()


@pytest.mark.nightly
def test_amplitudes_of_a_cavity_with_two_mirrors():
    """r = 1 − 2γ_1/(γ − i(ν − ω)), t = −2√(γ_1γ_2)/(γ − i(ν − ω)); what is lost is no port."""
    rates, omega = np.array([0.03, 0.01, 0.005]), 1.0
    rows = np.ones((3, 1), complex)
    baths = jaxosc.Baths(rates, occupation=0.0, coupling=rows)
    dynamics = jaxosc.local_lindblad(jaxosc.Oscillators([omega], [[0.0]]), baths)
    nu = np.array([0.9, 1.0, 1.02, -1.0], DTYPE)
    found = np.asarray(jaxosc.scattering(dynamics, nu))
    lorentzian = 1 / (rates.sum() - 1j * (nu.astype(np.float64) - omega))
    np.testing.assert_allclose(found[:, 0, 0], 1 - 2 * rates[0] * lorentzian, atol=digits(1e-13))
    through = -2 * np.sqrt(rates[0] * rates[1]) * lorentzian
    np.testing.assert_allclose(found[:, 2, 0], through, atol=digits(1e-13))
    np.testing.assert_allclose(np.sum(np.abs(found[:, 0]) ** 2, axis=1), 1, rtol=digits(1e-13))


@double
def test_sidebands_of_a_cold_mirror():
    """Weakly probed on resonance, the sidebands count n + 1 and n quanta (sideband asymmetry)."""
    mechanical, kappa, gamma, coupling, number = 1.0, 0.2, 1e-6, 1e-6, 0.8
    network = jaxosc.pair((0.0, mechanical), coupling, "position")
    baths = jaxosc.Baths((kappa / 2, gamma / 2), occupation=(0.0, number))
    dynamics = jaxosc.local_lindblad(network, baths)
    stokes, anti = np.asarray(jaxosc.emission_spectrum(dynamics, [-mechanical, mechanical], port=0))
    assert stokes / anti == pytest.approx((number + 1) / number, rel=1e-4)
    # |χ_c|²κ times the spectrum of the mirror, G² 4/γ n on resonance
    measured = coupling**2 * kappa / ((kappa / 2) ** 2 + mechanical**2) * 4 * number / gamma
    assert anti == pytest.approx(measured, rel=1e-3)


@pytest.mark.nightly
@pytest.mark.parametrize("given", ["langevin", "common", "jumps"])
def test_other_descriptions_with_ports(given):
    """A common frequency, jumps, and the exact equation of white baths, beside the local one."""
    network = jaxosc.pair((1.0, 1.0), 0.1, "rotating-wave")
    dynamics, expected = {
        "common": lambda: (
            jaxosc.local_lindblad(network, jaxosc.Baths((0.1, 0.2), (0.5, 1.0)), frequency=1.0),
            jaxosc.local_lindblad(network, jaxosc.Baths((0.1, 0.2), (0.5, 1.0))),
        ),
        "jumps": lambda: (
            jaxosc.lindblad(network, np.diag(np.sqrt([0.2, 0.4]))),
            jaxosc.local_lindblad(network, jaxosc.Baths((0.1, 0.2), occupation=0.0)),
        ),
        "langevin": lambda: (
            jaxosc.langevin(network, jaxosc.Baths((0.1, 0.2), occupation=(0.5, 1.0))),
            jaxosc.local_lindblad(network, jaxosc.Baths((0.1, 0.2), occupation=(0.5, 1.0))),
        ),
    }[given]()
    for verb in (jaxosc.output_spectrum, jaxosc.scattering, jaxosc.emission_spectrum):
        found, exact = np.asarray(verb(dynamics, NU)), np.asarray(verb(expected, NU))
        np.testing.assert_allclose(found, exact, atol=digits(1e-13))


@pytest.mark.nightly
def test_an_amplifying_jump():
    """Gain as a jump a†: the output of that port is the conjugate, its input a vacuum."""
    loss, gain = 0.3, 0.1
    cavity = jaxosc.Oscillators([0.0], [[0.0]])
    lowering, raising = [[np.sqrt(loss)], [0.0]], [[0.0], [np.sqrt(gain)]]
    dynamics = jaxosc.lindblad(cavity, lowering, raising)
    found = np.asarray(jaxosc.scattering(dynamics, 0.0))
    rate = (loss - gain) / 2
    np.testing.assert_allclose(found[0, 0], 1 - loss / rate, rtol=digits(1e-13))
    np.testing.assert_allclose(abs(found[0, 3]), np.sqrt(loss * gain) / rate, rtol=digits(1e-13))
    emitted = jaxosc.emission_spectrum(dynamics, 0.0, port=0)
    np.testing.assert_allclose(emitted, loss * gain / rate**2, rtol=digits(1e-13))


# --- batches, derivatives, words -----------------------------------------------------------------


def squeezer(gain, loss):
    pairing = jax.lax.complex(jnp.zeros_like(gain), gain)
    amplifier = jaxosc.Oscillators([0.0], [[0.0]], pairing.reshape(1, 1))
    rows = np.array([[1.0 + 0j], [1.0]])
    rates = jnp.stack([jnp.full_like(loss, 0.08), loss])
    return jaxosc.local_lindblad(amplifier, jaxosc.Baths(rates, occupation=0.0, coupling=rows))


@pytest.mark.nightly
def test_thousands_at_once():
    gains = np.linspace(0.0, 0.07, 2000, dtype=DTYPE)

    def of_one(gain):
        dynamics = squeezer(gain, jnp.asarray(0.02, gain.dtype))
        return jaxosc.output_spectrum(dynamics, 0.01, port=0, angle=np.pi / 2)

    found = np.asarray(jax.jit(jax.vmap(of_one))(gains))
    g = gains.astype(np.float64)
    exact = (1 - 0.8 * 0.4 * g / ((0.1 + g) ** 2 + 1e-4)) / 2
    np.testing.assert_allclose(found, exact, rtol=digits(1e-13))


@double
@pytest.mark.nightly
def test_derivatives_where_a_loss_vanishes():
    """√γ of a bath that is not there has no slope, but the spectrum of the other port has."""

    def function(parameters):
        gain, loss, nu, angle, efficiency = parameters
        dynamics = squeezer(gain, loss)
        detected = {"port": 0, "efficiency": efficiency}
        return jaxosc.output_spectrum(dynamics, nu, angle=angle, **detected) + jnp.sum(
            jaxosc.emission_spectrum(dynamics, nu, **detected)
        )

    at = jnp.array([0.05, 0.0, 0.03, 1.2, 0.8])
    value = jax.jit(function)
    forward, reverse = jax.jit(jax.jacfwd(function))(at), jax.jit(jax.grad(function))(at)
    np.testing.assert_allclose(forward, reverse, rtol=1e-11)
    for index in range(5):
        step = jnp.zeros(5).at[index].set(1e-4)
        if index == 1:  # one-sided
            points = [float(value(at + k * step)) for k in range(5)]
            slope = np.dot([-25, 48, -36, 16, -3], points) / 12e-4
            assert abs(forward[index] / slope - 1) < 1e-6
            continue
        two, four = (value(at + k * step) - value(at - k * step) for k in (1, 2))
        assert abs(forward[index] / ((8 * two - four) / 12e-4) - 1) < 1e-6


def test_words():
    network = jaxosc.pair((1.0, 1.2), 0.1, "rotating-wave")
    thermal = jaxosc.Baths((0.1, 0.2), (0.5, 1.0))
    local = jaxosc.local_lindblad(network, thermal)
    drude = jaxosc.Baths((0.1, 0.2), 1.0, jaxosc.spectra.Drude(5.0), coupling="position")
    for dynamics, words in (
        (jaxosc.langevin(network, thermal), "negative frequencies have no input"),
        (jaxosc.langevin(network, drude), "have a memory"),
        (jaxosc.global_lindblad(network, thermal), "must have white baths"),
        (jaxosc.Dynamics(-np.eye(2), np.eye(2)), "must have white baths"),
    ):
        for verb in (jaxosc.output_spectrum, jaxosc.scattering, jaxosc.emission_spectrum):
            with pytest.raises(ValueError, match=words):
                verb(dynamics, 1.0)
    for named, words in (
        ({"angle": 0.0}, "`port` must name the bath"),
        ({"port": 2}, "`port` must be between 0 and 1"),
        ({"port": 0.0}, "`port` must be a whole number"),
        ({"port": 0, "efficiency": 1.5}, "`efficiency` must be between zero and one"),
        ({"port": 0, "angle": np.nan}, "`angle` must be finite"),
        ({"port": 0, "angle": np.ones(3)}, "`angle` must have a shape that broadcasts"),
    ):
        with pytest.raises(ValueError, match=words):
            jaxosc.output_spectrum(local, np.ones(2), **named)
    inside = jax.jit(lambda x: jaxosc.output_spectrum(local, 1.0, port=0, efficiency=x))
    assert np.isnan(np.asarray(inside(1.5))).all()


# --- Fock space ----------------------------------------------------------------------------------


@double
@pytest.mark.nightly
def test_correlations_in_fock_space():
    """QuTiP's two-time correlations of one squeezed, damped mode, at a hundred times."""
    import qutip

    omega, kappa, gamma, number = 0.7, 0.15, 0.2, 0.1
    network = jaxosc.Oscillators([omega], [[0.0]], [[kappa]])
    dynamics = jaxosc.local_lindblad(network, jaxosc.Baths(gamma, occupation=number))
    a = qutip.destroy(26)
    hamiltonian = omega * a.dag() * a + kappa / 2 * (a * a + a.dag() * a.dag())
    jumps = [np.sqrt(2 * gamma * (number + 1)) * a, np.sqrt(2 * gamma * number) * a.dag()]
    x, p = (a + a.dag()) / np.sqrt(2), (a - a.dag()) / (1j * np.sqrt(2))
    nu = np.array([-1.0, 0.2, 0.7, 1.5])
    spectrum, response = (
        np.asarray(verb(dynamics, nu)) for verb in (jaxosc.spectrum, jaxosc.response)
    )
    times, weights = np.polynomial.legendre.leggauss(160)
    times, weights = 50 * (times + 1), 50 * weights
    times = np.concatenate([[0.0], times])
    for i, left in enumerate((x, p)):
        for k, right in enumerate((x, p)):
            two = qutip.correlation_2op_1t(
                hamiltonian, None, times, jumps, left, right, options={"atol": 1e-12, "rtol": 1e-10}
            )[1:]
            other = qutip.correlation_3op_1t(
                hamiltonian, None, times, jumps, right, left, qutip.qeye(26),
                options={"atol": 1e-12, "rtol": 1e-10},
            )[1:]  # fmt: skip
            wave = np.exp(1j * nu[:, None] * times[None, 1:])
            forward = wave @ (weights * (two + other) / 2)
            commutator = 1j * (two - other)
            np.testing.assert_allclose(response[:, i, k], wave @ (weights * commutator), atol=2e-6)
            if i == k:
                np.testing.assert_allclose(spectrum[:, i, i], 2 * forward.real, atol=2e-6)


@pytest.mark.nightly
def test_the_witness_sees_a_fault():
    """With the other sign of the scattered part commutators are not kept."""
    if SINGLE:
        pytest.skip("as in double precision")
    dynamics = random_dynamics(2, 3, 17)
    amplitudes = 2 * np.eye(6) - np.asarray(jaxosc.scattering(dynamics, 0.3))
    signs = np.diag([1, -1] * 3)
    assert np.abs(amplitudes @ signs @ adjoint(amplitudes) - signs).max() > 0.1
