"""Squeezing, numbers of quanta, g2, Rényi entropies and Wigner functions of Gaussian states."""

import jax
import mpmath
import numpy as np
import pytest
from legs import nightly, slow
from precision import DTYPE, EPS, SINGLE, digits, double, rounded

import jaxosc


def turn(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def two_mode_squeezed(r, n=0.0):
    a, c = (n + 0.5) * np.cosh(2 * r), (n + 0.5) * np.sinh(2 * r)
    return np.array([[a, 0, c, 0], [0, a, 0, -c], [c, 0, a, 0], [0, -c, 0, a]])


def test_squeezing_and_its_angle():
    """−10 log10 e^{−2r}, up to 45 dB; the least eigenvalue of the entries at 50 digits."""
    states, angles, exact = [], [], []
    for r in (0.3, 1.0) if SINGLE else (0.3, 1.0, 3.0, 5.18):
        for angle in (-1.2, 0.0, 0.4, 1.5):
            state = turn(angle) @ np.diag([np.exp(-2 * r), np.exp(2 * r)]) @ turn(angle).T / 2
            states.append(rounded((state + state.T) / 2))
            angles.append(angle)
            with mpmath.workdps(50):
                least = min(mpmath.eigsy(mpmath.matrix(states[-1].tolist()), eigvals_only=True))
                exact.append(float(-10 * mpmath.log10(2 * least)))
            assert exact[-1] == pytest.approx(20 * r / np.log(10), rel=digits(1e-6))
    states = np.array(states, DTYPE)
    found = jax.jit(jax.vmap(jaxosc.squeezing))(states)[:, 0]
    np.testing.assert_allclose(found, exact, rtol=digits(1e-14))
    found = jax.jit(jax.vmap(jaxosc.squeezing_angle))(states)[:, 0]
    np.testing.assert_allclose(found, angles, atol=digits(1e-13))
    assert np.isnan(jaxosc.squeezing(np.array([[1.0, 1.0], [1.0, 1.0]]))[0])
    assert abs(jaxosc.squeezing(0.5 * np.eye(8))).max() < digits(1e-14)


@pytest.mark.parametrize("modes", [2, 3])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_missing_stays_where_it_is(modes, value):
    """Of a mode whose variance does not exist, the covariances with others may."""
    covariance = np.diag(np.full(2 * modes, 0.75)).astype(DTYPE)
    covariance[0, 0] = value
    covariance[2, 0] = covariance[0, 2] = 0.125
    found = np.asarray(jaxosc.number_covariance(covariance))
    assert not np.isfinite(found[0, 0])
    np.testing.assert_array_equal(found[0, 1:], [0.125**2 / 2] + [0] * (modes - 2))
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.parametrize("modes", [1, 2, 3])
def test_numbers_by_moments(modes):
    """Means of products of normal variables in the order of Wigner, by quadrature-free samples.

    ⟨n²⟩ and ⟨n_jn_k⟩ from Isserlis' theorem for symmetrised products, term by term.
    """
    generator = np.random.default_rng(modes)
    half = generator.normal(size=(2 * modes, 2 * modes))
    state = rounded(half @ half.T / 4 + 0.5 * np.eye(2 * modes))
    mean = rounded(generator.normal(size=2 * modes))
    fourth = np.zeros((modes, modes))
    square = state + np.outer(mean, mean)
    for j in range(modes):
        for k in range(modes):
            for u in (2 * j, 2 * j + 1):
                for v in (2 * k, 2 * k + 1):
                    pairs = 2 * state[u, v] ** 2 + 4 * mean[u] * mean[v] * state[u, v]
                    fourth[j, k] += (square[u, u] * square[v, v] + pairs) / 4
    n = (np.diag(square)[0::2] + np.diag(square)[1::2] - 1) / 2
    # (x² + p²)²/4 in the order of Wigner is (n + ½)² + ¼
    expected = fourth - np.outer(n + 0.5, n + 0.5) - np.eye(modes) / 4
    found = jaxosc.number_covariance(state, mean)
    np.testing.assert_allclose(found, expected, rtol=digits(1e-12), atol=digits(1e-13))
    bunching = 1 + (expected - np.diag(n)) / np.outer(n, n)
    np.testing.assert_allclose(jaxosc.g2(state, mean), bunching, rtol=digits(1e-12))


def test_light_of_the_textbook():
    assert jaxosc.g2(1.7 * np.eye(2))[0, 0] == pytest.approx(2, rel=digits(1e-14))
    coherent = jaxosc.g2(0.5 * np.eye(4), np.array([0.3, 0.1, 1.0, 2.0]))
    np.testing.assert_allclose(coherent, 1, rtol=digits(1e-14))
    for r in (1e-3, 0.5):
        n = np.sinh(r) ** 2
        squeezed = jaxosc.g2(np.diag([np.exp(2 * r), np.exp(-2 * r)]) / 2)[0, 0]
        assert squeezed == pytest.approx(3 + 1 / n, rel=digits(1e-14) + 8 * EPS / n)
        twins = two_mode_squeezed(r)
        numbers = jaxosc.number_covariance(twins)
        np.testing.assert_allclose(numbers, n * (n + 1), rtol=digits(1e-14) + 8 * EPS / n)
        assert jaxosc.g2(twins)[0, 1] == pytest.approx(2 + 1 / n, rel=digits(1e-14) + 8 * EPS / n)
    assert np.isnan(jaxosc.g2(np.diag([0.5, 0.5, 1.0, 1.0]))).tolist() == [
        [True, True], [True, False],
    ]  # fmt: skip


def test_a_paired_network():
    """By two methods elsewhere; ω = (1, 1.2), pairing 0.3, γ = (0.1, 0.2), T = 0."""
    network = jaxosc.Oscillators([1.0, 1.2], np.zeros((2, 2)), [[0.0, 0.3], [0.3, 0.0]])
    state = jaxosc.steady_state(jaxosc.local_lindblad(network, jaxosc.Baths((0.1, 0.2), 0.0)))
    assert jaxosc.number_covariance(state)[0, 1] == pytest.approx(
        0.021669668203046, rel=digits(1e-13)
    )


@double
def test_in_fock_space():
    """A squeezed, displaced thermal state of QuTiP: moments, and its Wigner function."""
    qutip = pytest.importorskip("qutip")
    levels, r, alpha = 60, 0.3 * np.exp(0.7j), 0.4 - 0.6j
    a = qutip.destroy(levels)
    change = qutip.displace(levels, alpha) * qutip.squeeze(levels, r)
    rho = change * qutip.thermal_dm(levels, 0.2) * change.dag()
    quadratures = [(a + a.dag()) / 2**0.5, (a - a.dag()) / (1j * 2**0.5)]
    mean = np.array([qutip.expect(q, rho) for q in quadratures])
    state = np.array([
        [qutip.expect((u * v + v * u) / 2, rho) for v in quadratures] for u in quadratures
    ]) - np.outer(mean, mean)  # fmt: skip
    n = a.dag() * a
    variance = qutip.expect(n * n, rho) - qutip.expect(n, rho) ** 2
    assert jaxosc.number_covariance(state, mean)[0, 0] == pytest.approx(variance, rel=1e-8)
    bunching = qutip.expect(a.dag() ** 2 * a**2, rho) / qutip.expect(n, rho) ** 2
    assert jaxosc.g2(state, mean)[0, 0] == pytest.approx(bunching, rel=1e-8)
    x, p = np.linspace(-2, 2, 7), np.linspace(-1.5, 2, 5)
    expected = qutip.wigner(rho, x, p).T
    np.testing.assert_allclose(jaxosc.wigner(state, x, p, mean), expected, atol=1e-7)
    for order in (0.5, 2.0, 3.0):
        values = np.clip(rho.eigenenergies(), 0, None)
        exact = np.log(np.sum(values**order)) / (1 - order)
        assert jaxosc.renyi_entropy(state, order) == pytest.approx(exact, rel=1e-6)


def test_wigner_functions_are_normal():
    state = np.zeros((4, 4))
    state[:2, :2] = np.eye(2)
    state[2:, 2:] = [[1.5, 0.4], [0.4, 0.6]]
    grid = np.linspace(-13, 13, 261)
    found = np.asarray(jaxosc.wigner(state, grid, grid, np.array([0, 0, 1.0, -0.5]), mode=1))
    step = grid[1] - grid[0]
    assert found.sum() * step**2 == pytest.approx(1, rel=digits(1e-13))
    second = np.einsum("xp,x,p->", found, grid - 1.0, grid + 0.5) * step**2
    assert second == pytest.approx(0.4, rel=digits(1e-12))


@pytest.mark.parametrize("order", [0.1, 0.5, 1.0, 1 + 1e-6, 2.0, 7.5, np.inf])
def test_renyi_entropies_of_a_thermal_mode(order):
    for n in (0.3, 20.0) if SINGLE else (1e-6, 0.3, 1e6):
        state = (n + 0.5) * np.eye(2)
        with mpmath.workdps(50):
            n, alpha = mpmath.mpf(float(state[0, 0])) - 0.5, mpmath.mpf(float(DTYPE(order)))
            if order == 1:
                exact = (n + 1) * mpmath.log(n + 1) - n * mpmath.log(n)
            elif np.isinf(order):
                exact = mpmath.log(n + 1)
            else:
                exact = mpmath.log((n + 1) ** alpha - n**alpha) / (alpha - 1)
        found = jaxosc.renyi_entropy(state, order)
        assert found == pytest.approx(float(exact), rel=digits(1e-14))


@pytest.mark.parametrize("modes", [*slow(2), *nightly(1, 3)])
def test_renyi_entropies_of_pure_states(modes):
    """Zero, with the slope towards mixed states: that of ½ ln det 2σ is σ⁻¹/2."""
    vacuum = np.asarray(0.5 * np.eye(2 * modes), DTYPE)
    value, slope = jax.value_and_grad(jaxosc.renyi_entropy)(vacuum, 2.0)
    assert abs(value) < digits(1e-14)
    np.testing.assert_allclose(slope, np.eye(2 * modes), atol=digits(1e-13))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jaxosc.renyi_entropy(np.eye(2), 0.0), "`order` must be positive"),
        (lambda: jaxosc.renyi_entropy(np.eye(2), [1.0]), "`order` must have shape"),
        (lambda: jaxosc.g2(np.eye(2), [1.0]), "`mean` must have shape"),
        (lambda: jaxosc.wigner(np.eye(2), 0.0, [0.0]), "`x` must be a vector"),
        (lambda: jaxosc.wigner(np.eye(2), [0.0], [0.0], mode=1), "`mode` must be between 0 and 0"),
        (lambda: jaxosc.squeezing(np.eye(3)), "`covariance` must have shape"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
