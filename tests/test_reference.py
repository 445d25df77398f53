"""Tests of the high-precision reference itself, against closed forms and other routes."""

import functools

import mpmath
import numpy as np
import pytest
import reference
from legs import nightly, slow
from mpmath import mp, mpf
from scipy.linalg import solve_continuous_lyapunov

EQUATIONS = (reference.langevin, reference.local, reference.global_)


@pytest.fixture(autouse=True)
def _digits():
    """Sixty digits while a test compares; the reference works with as many or more."""
    with mpmath.workdps(60):
        yield


def difference(actual, expected) -> mpf:
    """Largest |actual - expected| relative to the largest |expected|."""
    return max(abs(x) for x in actual - expected) / max(abs(x) for x in expected)


def critical(omega, interaction="position") -> mpf:
    root = mpmath.sqrt(mpf(omega[0]) * mpf(omega[1]))
    return root / 2 if interaction == "position" else root


def network(size: int, seed: int):
    """A random stable network of `size` modes: (frequency, exchange, pairing)."""
    random = np.random.default_rng(seed)
    frequency = random.uniform(1.0, 4.0, size)
    couplings = []
    for _ in range(2):
        upper = np.triu(random.uniform(-0.3, 0.3, (size, size)), 1)
        couplings.append(upper + upper.T)
    return frequency, *couplings


# ---------------------------------------------------------------------------------------------
# Inputs


def test_inputs_are_taken_exactly():
    frequency, exchange, pairing = reference.pair((5.0, np.float64(0.1)), 0.3)
    assert [float(w) for w in frequency] == [5.0, 0.1]
    assert frequency[1] == mpf(0.1) != mpf(1) / 10
    assert exchange[0, 1] == pairing[1, 0] == mpf(0.3)
    assert exchange[0, 0] == pairing[1, 1] == 0
    assert reference.pair((5.0, 2.0), 0.3, "rotating-wave")[2] == mpmath.zeros(2)


def test_wrong_inputs_raise():
    with pytest.raises(ValueError, match="interaction"):
        reference.pair((5.0, 2.0), 0.3, "none")
    with pytest.raises(ValueError, match="symmetric"):
        reference.gibbs((5.0, 2.0), [[0, 1], [0, 0]], [[0, 0], [0, 0]], 1.0)
    with pytest.raises(ValueError, match="diagonal"):
        reference.gibbs((5.0, 2.0), [[0, 0], [0, 0]], [[1, 0], [0, 0]], 1.0)
    with pytest.raises(ValueError, match="2 x 2"):
        reference.gibbs((5.0, 2.0), [[0]], [[0, 0], [0, 0]], 1.0)
    with pytest.raises(ValueError, match="weights"):
        reference.global_(*reference.pair((5.0, 2.0), 0.3), (1, 1), (1, 1), weights="none")
    with pytest.raises(ValueError, match="spectrum"):
        reference.global_(*reference.pair((5.0, 2.0), 0.3), (1, 1), (1, 1), spectrum="none")


# ---------------------------------------------------------------------------------------------
# Normal modes


@pytest.mark.parametrize("coupling", [0.0, 0.3, 1.4, 1.58])
def test_position_frequencies_and_modes_in_closed_form(coupling):
    """Konopik & Lutz, Eqs. 2 and 3, with Omega^2 from the quadratic equation."""
    w1, w2, c = mpf(5), mpf(2), mpf(coupling)
    omega, u, v = reference.normal_modes(*reference.pair((5.0, 2.0), coupling))
    root = mpmath.sqrt((w1**2 - w2**2) ** 2 + 16 * c**2 * w1 * w2)
    high = mpmath.sqrt((w1**2 + w2**2 + root) / 2)
    low = mpmath.sqrt(4 * w1 * w2 * (critical((5, 2)) ** 2 - c**2)) / high
    assert abs(omega[0] - low) < mpf(10) ** -48
    assert abs(omega[1] - high) < mpf(10) ** -48
    angle = mpmath.atan2(4 * c * mpmath.sqrt(w1 * w2), w1**2 - w2**2) / 2
    rotation = {
        (0, 0): -mpmath.sin(angle),
        (0, 1): mpmath.cos(angle),
        (1, 0): mpmath.cos(angle),
        (1, 1): mpmath.sin(angle),
    }
    for (j, k), r in rotation.items():
        w, scale = (w1, w2)[j], 2 * mpmath.sqrt((w1, w2)[j] * omega[k])
        assert abs(u[j, k] - r * (w + omega[k]) / scale) < mpf(10) ** -47
        assert abs(v[j, k] - r * (w - omega[k]) / scale) < mpf(10) ** -47


@pytest.mark.parametrize("coupling", [0.0, 0.3, 3.1])
def test_rotating_wave_frequencies_in_closed_form(coupling):
    omega, _, v = reference.normal_modes(*reference.pair((5.0, 2.0), coupling, "rotating-wave"))
    root = mpmath.sqrt(mpf(3) ** 2 / 4 + mpf(coupling) ** 2)
    assert abs(omega[0] - (mpf(7) / 2 - root)) < mpf(10) ** -48
    assert abs(omega[1] - (mpf(7) / 2 + root)) < mpf(10) ** -48
    assert max(abs(x) for x in v) < mpf(10) ** -48


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_normal_modes_are_canonical_and_diagonalise_the_hamiltonian(size):
    frequency, exchange, pairing = network(size, seed=size)
    omega, u, v = reference.normal_modes(frequency, exchange, pairing)
    assert omega == sorted(omega)
    one = mpmath.eye(size)
    tiny = mpf(10) ** -48
    assert mpmath.mnorm(u * u.T - v * v.T - one) < tiny
    assert mpmath.mnorm(u * v.T - v * u.T) < tiny
    assert mpmath.mnorm(u.T * u - v.T * v - one) < tiny
    # H = (1/2) (a^+, a) [[h, k], [k, h]] (a, a^+)^T with h = diag(w) + exchange, k = pairing.
    bare = mpmath.diag([mpf(w) for w in frequency]) + mpmath.matrix(exchange.tolist())
    paired = mpmath.matrix(pairing.tolist())
    assert (
        mpmath.mnorm(
            u.T * (bare * u + paired * v) + v.T * (paired * u + bare * v) - mpmath.diag(omega)
        )
        < 10 * tiny
    )
    assert mpmath.mnorm(u.T * (bare * v + paired * u) + v.T * (paired * v + bare * u)) < 10 * tiny


def test_outside_the_domain_every_entry_is_nan():
    past = reference.pair((5.0, 2.0), 1.6)
    baths = (0.01, 0.01), (1.0, 2.0)
    results = [equation(*past, *baths) for equation in EQUATIONS]
    results += [reference.gibbs(*past, 1.0), *reference.normal_modes(*past)[1:]]
    # Undamped modes have no steady state of their own.
    results += [reference.local(*reference.pair((5.0, 2.0), 0.0), (0.1, 0.0), (1.0, 2.0))]
    for result in results:
        assert all(mpmath.isnan(entry) for entry in result)
    assert mpmath.isnan(reference.mutual_information(results[0]))


# ---------------------------------------------------------------------------------------------
# Steady states


@pytest.mark.parametrize(
    ("temperature", "fraction", "exact", "local", "secular"),
    [
        ((98, 98), "0.9", "60.88319734", "0.79827841", "1.0000000"),
        ((98, 298), "0.5", "33.15321123", "1.1767088", "1.0160596"),
        ((98, 298), "0.99", "1363.745351", "0.53106283", "0.8967871"),
        ((298, 98), "0.99", "664.8094048", "0.55325812", "1.2117250"),
        ((0.46, 1.96), "0.9", "0.7859562801", "0.80697223", "0.9122467"),
    ],
)
def test_occupations_by_the_three_equations(temperature, fraction, exact, local, secular):
    """<a_1^+ a_1> by Langevin, and the other two relative to it: independent 50-digit values,
    to every digit kept (w = (5, 2), damping 1.5e-4, position coupling)."""
    system = reference.pair((5.0, 2.0), mpf(fraction) * critical((5, 2)))
    printed_rates = functools.partial(reference.global_, weights="paper")
    values = [
        reference.occupation(equation(*system, (1.5e-4, 1.5e-4), temperature))[0]
        for equation in (reference.langevin, reference.local, printed_rates)
    ]
    results = values[0], values[1] / values[0], values[2] / values[0]
    for result, printed in zip(results, (exact, local, secular), strict=True):
        last = mpf(10) ** -len(printed.split(".")[1])
        assert abs(result - mpf(printed)) <= last * mpf("0.501"), printed


@pytest.mark.parametrize(
    ("system", "damping", "temperature"),
    [
        *nightly(
            (reference.pair((5.0, 2.0), 1.2), (0.3, 0.05), (1.0, 3.0)),
            (reference.pair((1.3, 2.7), 0.9, "rotating-wave"), (0.07, 0.21), (0.1, 0.01)),
            (reference.pair((5.0, 2.0), 1.58), (0.1, 0.1), (0.0, 4.0)),
            # Between the critical coupling and the edge of stability: two real eigenvalues.
            (reference.pair((4.0, 1.0), 1.01), (0.25, 0.25), (2.0, 1.0)),
            # Another exceptional point.
            (reference.pair((4.0, 1.0), 1.0), (0.25, 0.25), (0.0, 3.0)),
        ),
        # An exceptional point, where the drift can't be diagonalised.
        *slow((reference.pair((2.0, 2.0), 0.125, "rotating-wave"), (0.5, 0.25), (1.0, 3.0))),
        (network(1, seed=7), (0.1,), (0.7,)),
    ],
)
def test_langevin_is_its_spectral_integral(system, damping, temperature):
    closed = reference.langevin(*system, damping, temperature)
    integral = reference.langevin_integral(*system, damping, temperature)
    assert difference(integral, closed) < mpf(10) ** -25


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("system", "damping", "temperature"),
    [
        (reference.pair((5.0, 2.0), 1.5), (1.5e-4, 1.5e-4), (98.0, 298.0)),
        (network(3, seed=3), (0.1, 0.3, 0.05), (0.5, 0.0, 2.0)),
    ],
)
def test_langevin_is_its_spectral_integral_where_it_is_slow(system, damping, temperature):
    closed = reference.langevin(*system, damping, temperature)
    integral = reference.langevin_integral(*system, damping, temperature, digits=20)
    assert difference(integral, closed) < mpf(10) ** -20


def test_one_oscillator_at_zero_temperature_in_closed_form():
    """<a^+ a> + 1/2 = (g/pi) int sgn(v)/2 / (g^2 + (v - w)^2) dv = arctan(w/g)/pi: the flat
    model goes below the vacuum by arctan(g/w)/pi."""
    covariance = reference.langevin([3.0], [[0.0]], [[0.0]], [0.2], [0.0])
    expected = -mpmath.atan(mpf(0.2) / 3) / mpmath.pi
    assert abs(reference.occupation(covariance)[0] - expected) < mpf(10) ** -49
    assert reference.symplectic_eigenvalues(covariance)[0] < mpf(1) / 2
    assert mpmath.isnan(reference.entropy(covariance))


@pytest.mark.parametrize("size", [2, *nightly(3)])
@pytest.mark.parametrize("temperature", [0.0, 0.4, *nightly(20.0)])
def test_langevin_tends_to_gibbs(size, temperature):
    """At one temperature the state tends to exp(-H/T)/Z as the damping g -> 0, linearly in g."""
    system = network(size, seed=10 + size)
    expected = reference.gibbs(*system, temperature)
    for damping in (mpf(10) ** -12, mpf(10) ** -15):
        covariance = reference.langevin(
            *system, [damping * (1 + k) for k in range(size)], [temperature] * size
        )
        assert difference(covariance, expected) < 10 * damping


@pytest.mark.parametrize(
    ("interaction", "weights", "spectrum"),
    [("position", "position", "ohmic"), ("rotating-wave", "paper", "flat")],
)
def test_weak_damping_limit_between_unequal_baths(interaction, weights, spectrum):
    """Each normal mode feels bath j by g_j (U_jk^2 - V_jk^2), at any temperature difference."""
    system = reference.pair((5.0, 2.0), mpf("0.9") * critical((5, 2), interaction), interaction)
    baths = (mpf("2e-14"), mpf("1e-14")), (98.0, 298.0)
    expected = reference.global_(*system, *baths, weights=weights, spectrum=spectrum)
    assert difference(reference.langevin(*system, *baths), expected) < mpf(10) ** -13


def test_weights_of_the_global_equation():
    """<c_k^+ c_k> of each choice, from U, V and Omega, for modes given by their covariance."""
    frequency, exchange, pairing = network(3, seed=4)
    damping, temperature = (0.1, 0.3, 0.05), (0.5, 0.0, 2.0)
    omega, u, v = reference.normal_modes(frequency, exchange, pairing)
    rules = {
        ("paper", "flat"): lambda w, o, u, v: u**2 + v**2,
        ("paper", "ohmic"): lambda w, o, u, v: u**2 + v**2,
        ("rotating-wave", "flat"): lambda w, o, u, v: u**2,
        ("rotating-wave", "ohmic"): lambda w, o, u, v: o / w * u**2,
        ("position", "flat"): lambda w, o, u, v: (u + v) ** 2,
        # With an Ohmic bath g_j R_jk^2, R = U U - V V entry by entry.
        ("position", "ohmic"): lambda w, o, u, v: o / w * (u + v) ** 2,
        ("momentum", "flat"): lambda w, o, u, v: (u - v) ** 2,
        ("momentum", "ohmic"): lambda w, o, u, v: o / w * (u - v) ** 2,
    }
    for (weights, spectrum), rule in rules.items():
        covariance = reference.global_(
            frequency, exchange, pairing, damping, temperature, weights, spectrum
        )
        for j in range(3):
            expected = mpf(0)
            for k in range(3):
                weight = [
                    mpf(damping[i]) * rule(mpf(frequency[i]), omega[k], u[i, k], v[i, k])
                    for i in range(3)
                ]
                bose = [1 / mpmath.expm1(omega[k] / t) if t else mpf(0) for t in temperature]
                number = mpmath.fdot(weight, bose) / sum(weight)
                expected += (u[j, k] ** 2 + v[j, k] ** 2) * number + v[j, k] ** 2
            assert abs(reference.occupation(covariance)[j] - expected) < mpf(10) ** -47


def test_all_weights_agree_at_one_temperature():
    system = network(3, seed=5)
    expected = reference.gibbs(*system, 0.8)
    for weights in ("paper", "rotating-wave", "position", "momentum"):
        for spectrum in ("flat", "ohmic"):
            baths = (0.1, 0.3, 0.05), (0.8, 0.8, 0.8)
            result = reference.global_(*system, *baths, weights, spectrum)
            assert difference(result, expected) < mpf(10) ** -48


@pytest.mark.parametrize("size", [1, 2, 4])
def test_local_agrees_with_scipy(size):
    frequency, exchange, pairing = network(size, seed=20 + size)
    random = np.random.default_rng(size)
    damping, temperature = random.uniform(0.05, 0.5, size), random.uniform(0.1, 5.0, size)
    drift = np.zeros((2 * size, 2 * size))
    drift[0::2, 1::2] = np.diag(frequency) + exchange - pairing
    drift[1::2, 0::2] = -(np.diag(frequency) + exchange + pairing)
    drift -= np.diag(np.repeat(damping, 2))
    noise = damping / np.tanh(frequency / (2 * temperature))
    expected = solve_continuous_lyapunov(drift, -np.diag(np.repeat(noise, 2)))
    result = reference.local(frequency, exchange, pairing, damping, temperature)
    np.testing.assert_allclose(np.array(result.tolist(), float), expected, rtol=0, atol=1e-12)


def test_local_rotating_wave_occupation_in_closed_form():
    """Equal frequencies and damping: the mean of N_1 and N_2 plus a difference that the exchange
    e wears down, n_1 - n_2 = (N_1 - N_2) g^2/(g^2 + e^2)."""
    covariance = reference.local(
        *reference.pair((2.0, 2.0), 0.7, "rotating-wave"), (0.25, 0.25), (1.0, 4.0)
    )
    first, second = (1 / mpmath.expm1(2 / mpf(t)) for t in (1, 4))
    kept = mpf("0.0625") / (mpf("0.0625") + mpf(0.7) ** 2)
    n1, n2 = reference.occupation(covariance)
    assert abs((n1 + n2) - (first + second)) < mpf(10) ** -48
    assert abs((n1 - n2) - (first - second) * kept) < mpf(10) ** -48


@pytest.mark.parametrize("equation", EQUATIONS)
def test_zero_temperature_is_the_limit(equation):
    system, damping = network(2, seed=30), (0.1, 0.2)
    limit = equation(*system, damping, (0.0, 2.0))
    near = equation(*system, damping, (mpf(10) ** -20, 2.0))
    assert difference(near, limit) < mpf(10) ** -38
    assert difference(equation(*system, damping, (1e-3, 2.0)), limit) < 1e-5


@pytest.mark.parametrize("equation", [reference.langevin, reference.local])
@pytest.mark.parametrize("damping", [1e-8, 1.5e-4])
def test_digits_survive_weak_damping_and_criticality(equation, damping):
    system = reference.pair((5.0, 2.0), critical((5, 2)) * (1 - mpf(10) ** -9))
    baths = (damping, 2 * damping), (98.0, 298.0)
    with mpmath.workdps(15):
        result = equation(*system, *baths)
    with mpmath.workdps(120):
        assert difference(result, equation(*system, *baths)) < mpf(10) ** -50


def test_defective_matrix_is_decomposed():
    """A Jordan block has no eigenvectors to invert; a block a little apart stands in for it."""
    with mpmath.workdps(100):
        block = mpmath.matrix([[-1, 1, 0], [0, -1, 1], [0, 0, -1]])
        values, vectors, inverse = reference._eigensystem(block)
        again = vectors * mpmath.diag([mpmath.exp(value) for value in values]) * inverse
        assert mpmath.mnorm(again - mpmath.expm(block)) < mpf(10) ** -40


# ---------------------------------------------------------------------------------------------
# Observables


def squeezed(noise: mpf, squeezing: mpf) -> mpmath.matrix:
    """Two-mode squeezed thermal state, both modes at <a^+ a> = noise before squeezing."""
    local = (noise + mpf(1) / 2) * mpmath.cosh(2 * squeezing)
    shared = (noise + mpf(1) / 2) * mpmath.sinh(2 * squeezing)
    covariance = local * mpmath.eye(4)
    covariance[0, 2] = covariance[2, 0] = shared
    covariance[1, 3] = covariance[3, 1] = -shared
    return covariance


def excess_entropy(number: mpf) -> mpf:
    return (number + 1) * mpmath.log(number + 1) - (number * mpmath.log(number) if number else 0)


@pytest.mark.parametrize("noise", [0, "0.3", 40])
def test_mutual_information_of_a_squeezed_thermal_state(noise):
    """Symplectic eigenvalues n + 1/2 twice; each mode alone is thermal."""
    noise, squeezing = mpf(noise), mpf("0.7")
    covariance = squeezed(noise, squeezing)
    for value in reference.symplectic_eigenvalues(covariance):
        assert abs(value - noise - mpf(1) / 2) < mpf(10) ** -48
    number = (noise + mpf(1) / 2) * mpmath.cosh(2 * squeezing) - mpf(1) / 2
    assert abs(reference.occupation(covariance)[0] - number) < mpf(10) ** -48
    expected = 2 * (excess_entropy(number) - excess_entropy(noise))
    assert abs(reference.mutual_information(covariance) - expected) < mpf(10) ** -46
    assert abs(reference.entropy(covariance) - 2 * excess_entropy(noise)) < mpf(10) ** -46


def test_mutual_information_of_some_modes():
    covariance = mpmath.eye(6) * 3
    for i in range(4):
        for j in range(4):
            covariance[i, j] = squeezed(mpf(1), mpf("0.2"))[i, j]
    pair = reference.mutual_information(squeezed(mpf(1), mpf("0.2")))
    tiny = mpf(10) ** -48
    assert pair > 0
    assert abs(reference.mutual_information(covariance, (0,), (1,)) - pair) < tiny
    assert abs(reference.mutual_information(covariance) - pair) < tiny
    assert abs(reference.mutual_information(covariance, (0, 1))) < tiny


def test_coherence_and_occupation_from_the_ladder_operators():
    """One excitation shared by a beam splitter with a phase: <a^+ a> is U^* n U^T."""
    angle, phase, numbers = mpf("0.6"), mpf("0.9"), (mpf(2), mpf("0.25"))
    mixing = mpmath.matrix(
        [
            [mpmath.cos(angle), mpmath.sin(angle) * mpmath.expj(phase)],
            [-mpmath.sin(angle) * mpmath.expj(-phase), mpmath.cos(angle)],
        ]
    )
    expected = mixing.apply(mpmath.conj) * mpmath.diag(numbers) * mixing.T
    # x + i p = sqrt 2 a rotates as a does: real blocks [[Re, -Im], [Im, Re]].
    rotation = mpmath.zeros(4)
    for j in range(2):
        for k in range(2):
            real, imaginary = mpmath.re(mixing[j, k]), mpmath.im(mixing[j, k])
            rotation[2 * j, 2 * k] = rotation[2 * j + 1, 2 * k + 1] = real
            rotation[2 * j, 2 * k + 1], rotation[2 * j + 1, 2 * k] = -imaginary, imaginary
    noise = mpmath.diag([n + mpf(1) / 2 for n in numbers for _ in range(2)])
    covariance = rotation * noise * rotation.T
    result = reference.coherence(covariance)
    assert difference(result, expected) < mpf(10) ** -48
    for j, number in enumerate(reference.occupation(covariance)):
        assert abs(number - result[j, j]) < mpf(10) ** -48


def test_ground_state_is_pure():
    covariance = reference.gibbs(*network(3, seed=40), 0.0)
    for value in reference.symplectic_eigenvalues(covariance):
        assert abs(value - mpf(1) / 2) < mpf(10) ** -48
    assert reference.entropy(covariance) < mpf(10) ** -46
    assert reference.mutual_information(covariance) > 0


# ---------------------------------------------------------------------------------------------
# Derivatives


def test_derivative():
    for x in (0.0, 1.0, mpf(10) ** -12, 30.0):
        assert abs(reference.derivative(mpmath.exp, x) / mpmath.exp(mpf(x)) - 1) < mpf(10) ** -45
    near = 1 - mpf(10) ** -9
    slope = reference.derivative(lambda x: 1 / (1 - x), near)
    assert abs(slope / mpf(10) ** 18 - 1) < mpf(10) ** -45
    second = reference.derivative(lambda x: reference.derivative(mpmath.sin, x), 0.5)
    assert abs(second + mpmath.sin(mpf(0.5))) < mpf(10) ** -45


def test_derivative_of_a_steady_state_keeps_its_digits():
    """d<a_1^+ a_1>/dT_1 of the local equation in the limit of no coupling: dN/dT."""

    def number(temperature):
        covariance = reference.local(
            *reference.pair((5.0, 2.0), 0.0), (1.5e-4, 1.5e-4), (temperature, 98.0)
        )
        return reference.occupation(covariance)[0]

    expected = (5 / mpf(98) ** 2) / (4 * mpmath.sinh(5 / mpf(196)) ** 2)
    with mpmath.workdps(15):
        slope = reference.derivative(number, 98.0)
    assert abs(slope / expected - 1) < mpf(10) ** -45


@pytest.mark.slow
def test_derivative_of_langevin_near_criticality_against_a_wider_stencil():
    """Same slope from steps a factor 10^4 apart: neither truncation nor rounding shows."""

    def number(coupling):
        system = reference.pair((5.0, 2.0), coupling)
        return reference.occupation(reference.langevin(*system, (1e-4, 2e-4), (98.0, 298.0)))[0]

    coupling = critical((5, 2)) * (1 - mpf(10) ** -6)
    slope = reference.derivative(number, coupling)
    with mpmath.workdps(100):
        step = coupling * mpf(10) ** -31
        wide = (number(coupling + step) - number(coupling - step)) / (2 * step)
    assert abs(slope / wide - 1) < mpf(10) ** -40
    assert mp.dps == 60
