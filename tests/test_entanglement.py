"""Entanglement, steering and discord: 50 digits, closed forms, published numbers, identities."""

import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.linalg
from legs import nightly, slow
from precision import DTYPE, EPS, SINGLE, digits, double, rounded

import jaxosc


def form(modes):
    return np.kron(np.eye(modes), [[0.0, 1.0], [-1.0, 0.0]])


def random_symplectic(generator, modes, size=0.3):
    h = generator.normal(size=(2 * modes, 2 * modes)) * size
    return scipy.linalg.expm(form(modes) @ (h + h.T))


def random_state(generator, modes, excess=0.2, size=0.3):
    nu = 0.5 + generator.exponential(excess, modes) if excess else np.full(modes, 0.5)
    s = random_symplectic(generator, modes, size)
    state = s @ np.diag(np.repeat(nu, 2)) @ s.T
    return rounded((state + state.T) / 2)


def two_mode_squeezed(r, n1=0.0, n2=0.0):
    a, b = n1 + 0.5, n2 + 0.5
    c, s = np.cosh(r), np.sinh(r)
    x1, x2, x12 = a * c * c + b * s * s, b * c * c + a * s * s, (a + b) * c * s
    return np.array([[x1, 0, x12, 0], [0, x1, 0, -x12], [x12, 0, x2, 0], [0, -x12, 0, x2]])


def exact_matrix(state):
    return mpmath.matrix([[mpmath.mpf(x) for x in row] for row in np.asarray(state).tolist()])


def exact_symplectic(state):
    """The moduli of the eigenvalues of Jσ, in pairs, by a general eigensolver."""
    size = state.rows
    values = mpmath.eig(mpmath.matrix(form(size // 2).tolist()) * state, left=False, right=False)
    return sorted(abs(x) for x in values)[::2]


def logarithms(values):
    return mpmath.fsum(max(mpmath.mpf(0), -mpmath.log(2 * nu)) for nu in values)


def exact_negativity(state, first):
    with mpmath.workdps(50):
        sigma = exact_matrix(state)
        for p in range(2 * first + 1, sigma.rows, 2):
            for k in range(sigma.rows):
                sigma[p, k] *= -1
            for k in range(sigma.rows):
                sigma[k, p] *= -1
        return logarithms(exact_symplectic(sigma))


def exact_steering(state, first):
    with mpmath.workdps(50):
        sigma, k = exact_matrix(state), 2 * first
        a, b, c = sigma[:k, :k], sigma[k:, k:], sigma[:k, k:]
        return logarithms(exact_symplectic(b - c.T * mpmath.inverse(a) * c))


def exact_entropy(nu):
    n = max(nu - mpmath.mpf(0.5), mpmath.mpf(0))
    return (n + 1) * mpmath.log(n + 1) - (n * mpmath.log(n) if n else 0)


def exact_discord(state):
    """Adesso and Datta's formula, by the determinants of blocks, measuring the second mode."""
    with mpmath.workdps(50):
        sigma = 2 * exact_matrix(state)
        a, b, c = (mpmath.det(x) for x in (sigma[:2, :2], sigma[2:, 2:], sigma[:2, 2:]))
        d = mpmath.det(sigma)
        if (d - a * b) ** 2 <= (1 + b) * c**2 * (a + d):
            root = mpmath.sqrt(c**2 + (b - 1) * (d - a))
            left = (2 * c**2 + (b - 1) * (d - a) + 2 * abs(c) * root) / (b - 1) ** 2
        else:
            root = mpmath.sqrt(c**4 + (d - a * b) ** 2 - 2 * c**2 * (a * b + d))
            left = (a * b - c**2 + d - root) / (2 * b)
        whole = exact_symplectic(sigma / 2)
        parts = exact_entropy(mpmath.sqrt(b) / 2) + exact_entropy(mpmath.sqrt(left) / 2)
        return parts - mpmath.fsum(exact_entropy(nu) for nu in whole)


NEGATIVITY, STEERING = jaxosc.logarithmic_negativity, jaxosc.steering


@functools.cache
def batched(function, first=None, others=None):
    return jax.jit(jax.vmap(lambda state: function(state, first, others)))


def close(found, exact, rtol=0.0, atol=0.0):
    exact = np.array([float(x) for x in exact])
    assert np.all(np.abs(np.asarray(found, float) - exact) <= rtol * np.abs(exact) + atol)


@pytest.mark.parametrize("thermal", [(0.0, 0.0), (0.01, 0.3)])
def test_strong_squeezing(thermal):
    """To 45 dB, and turned and squeezed locally: what the rounding of the entries is worth."""
    generator = np.random.default_rng(3)
    strengths = (0.1, 0.5, 1.0) if SINGLE else (0.1, 0.7, 1.5, 3.0, 4.5, 5.18)
    states, allowed = [], []
    for r in strengths:
        for local in (0.0, 0.3):
            s = scipy.linalg.block_diag(*(random_symplectic(generator, 1, local) for _ in range(2)))
            state = s @ two_mode_squeezed(r, *thermal) @ s.T
            states.append(rounded((state + state.T) / 2))
            scale = np.sqrt(np.diag(states[-1]))
            allowed.append(8 * EPS / np.linalg.eigvalsh(states[-1] / np.outer(scale, scale))[0])
    allowed = np.array(allowed)
    assert allowed.max() < (3e-3 if SINGLE else 4e-6)
    for measure, exact in ((NEGATIVITY, exact_negativity), (STEERING, exact_steering)):
        found = batched(measure)(np.array(states, DTYPE))
        close(found, [exact(state, 1) for state in states], atol=allowed)


def test_weak_entanglement_of_cold_modes_keeps_its_digits():
    """Where ν~ is 1/2 but for the last digits: λ/4 of couplings down to 1e-8."""
    generator = np.random.default_rng(1)
    states = []
    for r in 10 ** np.linspace(-2 if SINGLE else -8, -0.5, 12):
        angle = generator.uniform(0, 6)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        s = scipy.linalg.block_diag(turn, np.diag([1.2, 1 / 1.2]))
        state = s @ two_mode_squeezed(r) @ s.T
        states.append(rounded((state + state.T) / 2))
    found = batched(NEGATIVITY)(np.array(states, DTYPE))
    # 4 det − 1 of a squeezed mode is known to ε, beside ν~ − 1/2
    size = np.abs(np.array(states)[:, :2, 2:]).max(axis=(1, 2))
    close(found / size, [exact_negativity(x, 1) / y for x, y in zip(states, size, strict=True)],
          atol=digits(1e-14) + 2 * EPS / size)  # fmt: skip


@double
def test_the_last_digits_of_a_product_with_weak_pairing():
    for c in (1e-3, 1e-8, 1e-12):
        state = 0.5 * np.eye(4)
        state[0, 2] = state[2, 0] = c
        state[1, 3] = state[3, 1] = -c
        state += c * c * np.eye(4)
        assert NEGATIVITY(state) == pytest.approx(float(exact_negativity(state, 1)), rel=2e-15)


@pytest.mark.parametrize(("modes", "first"), [(2, 1), *slow((3, 2)), *nightly((3, 1), (5, 2))])
def test_random_states(modes, first):
    generator = np.random.default_rng(10 * modes + first)
    states = np.array([random_state(generator, modes, excess) for excess in (0.02, 0.1, 0.4)])
    group = tuple(range(first))
    for measure, exact in ((NEGATIVITY, exact_negativity), (STEERING, exact_steering)):
        found = batched(measure, group)(states.astype(DTYPE))
        expected = [exact(state, first) for state in states]
        assert expected[0] > 0.01
        close(found, expected, atol=digits(2e-13) * modes)


def test_a_hot_mode_beside_costs_no_digits():
    state = np.zeros((6, 6))
    state[:4, :4] = two_mode_squeezed(0.2, 0.1, 0.05)
    state[4:, 4:] = 1e9 * np.eye(2)
    alone = NEGATIVITY(state[:4, :4])
    assert alone > 0.1
    assert NEGATIVITY(state, (0, 2)) == pytest.approx(float(alone), rel=digits(1e-14))


@pytest.mark.nightly
def test_pure_states_of_several_modes():
    """E_N is the Rényi entropy of order 1/2 of a part, and steering of one mode that of order 2."""
    generator = np.random.default_rng(5)
    for modes, first in ((2, 1), (3, 1), (4, 2)):
        state = random_state(generator, modes, 0.0, 0.25)
        group = tuple(range(first))
        part = state[: 2 * first, : 2 * first]
        expected = float(jaxosc.renyi_entropy(part, 0.5))
        # √n of an n that is known to ε
        error = digits(1e-7) if SINGLE else 1e-6
        assert NEGATIVITY(state, group) == pytest.approx(expected, abs=error)
        assert STEERING(state, group) == pytest.approx(
            float(jaxosc.renyi_entropy(part, 2)), abs=digits(1e-12)
        )
        if modes == 2:
            assert jaxosc.discord(state) == pytest.approx(
                float(jaxosc.von_neumann_entropy(part)), abs=digits(1e-12)
            )


@pytest.mark.slow
def test_identities_of_mixed_states():
    generator = np.random.default_rng(7)
    entangled = 0
    for _ in range(6):
        state = random_state(generator, 3, 0.05)
        whole = float(NEGATIVITY(state, (0,)))
        parts = [float(NEGATIVITY(state, (0,), (k,))) for k in (1, 2)]
        entangled += whole > 0.01
        assert whole >= max(parts) - digits(1e-13)  # tracing out
        assert whole == pytest.approx(float(NEGATIVITY(state, (1, 2))), abs=digits(1e-13))
        assert STEERING(state, (0,)) <= whole + digits(1e-13)
        assert STEERING(state, (1, 2)) <= whole + digits(1e-13)
        # Monogamy: Ji, Kim & Nha, J. Phys. A 48, 135301 (2015)
        steered = [float(STEERING(state, (k,), (0,))) for k in (1, 2)]
        assert STEERING(state, (1, 2), (0,)) >= sum(steered) - digits(1e-13)
        local = scipy.linalg.block_diag(*(random_symplectic(generator, 1) for _ in range(3)))
        turned = local @ state @ local.T
        for measure, value in ((NEGATIVITY, whole), (STEERING, float(STEERING(state, (0,))))):
            assert measure((turned + turned.T) / 2, (0,)) == pytest.approx(value, abs=digits(1e-12))
    assert entangled > 3


def test_separable_states():
    """Pure products with noise of any correlation: none is entangled, one mode against the rest."""
    generator = np.random.default_rng(8)
    for modes in (2, 3, 4):
        s = scipy.linalg.block_diag(*(random_symplectic(generator, 1) for _ in range(modes)))
        noise = generator.normal(size=(2 * modes, 1))
        for strength in (0.0, 1.0):
            state = s @ s.T / 2 + strength * noise @ noise.T
            state = (state + state.T) / 2
            assert NEGATIVITY(state, (0,)) <= digits(1e-14)
            assert STEERING(state, (0,)) <= digits(1e-14)
            if strength:
                assert jaxosc.mutual_information(state, (0,)) > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("modes", [3, *nightly(2, 4)])
def test_products_are_flat(modes):
    """Zero, with a zero slope: the vacuum and what is far from it."""
    for measure in (NEGATIVITY, STEERING):
        both = jax.jit(jax.value_and_grad(lambda x, f=measure: f(x, (0,))))
        for state in (0.5 * np.eye(2 * modes), np.diag(np.linspace(0.7, 2.0, 2 * modes))):
            value, slope = both(jnp.asarray(state, DTYPE))
            assert value == 0
            assert np.all(slope == 0)


def derivatives(function, state, change):
    """Value, first and second derivative along a change, without compiling them."""

    def along(x):
        return function(jnp.asarray(state, DTYPE) + x * jnp.asarray(change, DTYPE))

    def slope(x):
        return jax.jvp(along, (x,), (jnp.ones_like(x),))[1]

    zero = jnp.zeros((), DTYPE)
    with jax.disable_jit():
        return [float(x) for x in (along(zero), *jax.jvp(slope, (zero,), (jnp.ones_like(zero),)))]


def exact_derivatives(function, state, change):
    with mpmath.workdps(50):
        state, change = exact_matrix(state), exact_matrix(change)
        step = mpmath.mpf("1e-12")
        below, here, above = (function((state + x * step * change).tolist()) for x in (-1, 0, 1))
        return [float(here), float((above - below) / (2 * step)),
                float((above - 2 * here + below) / step**2)]  # fmt: skip


@double
@pytest.mark.nightly
def test_derivatives_where_partial_transposes_are_degenerate():
    """Two equal pairs shared by two groups: ν~ coincide, those above 1/2 too."""
    generator = np.random.default_rng(2)
    pair = two_mode_squeezed(0.6, 0.1, 0.1)
    both = np.zeros((8, 8))
    both[:4, :4] = both[4:, 4:] = pair
    order = [0, 1, 4, 5, 2, 3, 6, 7]
    both = both[np.ix_(order, order)]
    cases = [
        (lambda s: NEGATIVITY(s), lambda s: exact_negativity(s, 1), pair),
        (lambda s: NEGATIVITY(s, (0, 1)), lambda s: exact_negativity(s, 2), both),
        (lambda s: STEERING(s, (0, 1)), lambda s: exact_steering(s, 2), both),
        (lambda s: STEERING(s), lambda s: exact_steering(s, 1), two_mode_squeezed(0.4)),
        (lambda s: NEGATIVITY(s), lambda s: exact_negativity(s, 1), two_mode_squeezed(0.4)),
        (jaxosc.discord, exact_discord, two_mode_squeezed(0.6, 0.1, 0.2)),
    ]
    for function, exact, state in cases:
        change = generator.normal(size=state.shape)
        change = (change + change.T) * 0.1
        np.testing.assert_allclose(
            derivatives(function, state, change), exact_derivatives(exact, state, change),
            rtol=1e-11,
        )  # fmt: skip


def test_discord():
    generator = np.random.default_rng(4)
    states = [random_state(generator, 2) for _ in range(10)]
    found = jax.jit(jax.vmap(jaxosc.discord))(np.array(states, DTYPE))
    close(found, [exact_discord(state) for state in states], atol=digits(2e-14))
    swapped = [state[np.ix_([2, 3, 0, 1], [2, 3, 0, 1])] for state in states]
    np.testing.assert_allclose(
        jax.jit(jax.vmap(lambda s: jaxosc.discord(s, 0)))(np.array(swapped, DTYPE)), found,
        atol=digits(1e-14),
    )  # fmt: skip
    assert jaxosc.discord(np.diag([2.0, 2.0, 7.0, 7.0])) == 0
    assert jaxosc.discord(0.5 * np.eye(4)) == 0


def test_weak_discord_keeps_relative_accuracy():
    states, allowed = [], []
    for n in (1e-1, 1e-3) if SINGLE else (1e-1, 1e-3, 1e-6):
        for strength in (1e-1, 1e-4):
            for other in (0.0, 0.3, 1.0, -1.0):
                c = strength * n
                state = np.diag([n + 0.5, n + 0.5, 2 * n + 0.5, 2 * n + 0.5])
                state[0, 2] = state[2, 0] = c
                state[1, 3] = state[3, 1] = c * other
                states.append(rounded(state))
                allowed.append(100 * EPS + 20 * EPS / n)
    found = jax.jit(jax.vmap(jaxosc.discord))(np.array(states, DTYPE))
    close(found, [exact_discord(state) for state in states], rtol=np.array(allowed))


def test_discord_is_the_best_of_many_measurements():
    """Entropy left after Gaussian measurements of many squeezings and angles, none below."""
    generator = np.random.default_rng(9)
    state = random_state(generator, 2, 0.3)
    a, b, c = state[:2, :2], state[2:, 2:], state[:2, 2:]
    best = np.inf
    for angle in np.linspace(0, np.pi, 60):
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        for squeeze in np.exp(np.linspace(-9, 9, 80)):
            outcome = turn @ np.diag([squeeze, 1 / squeeze]) @ turn.T / 2
            left = a - c @ np.linalg.solve(b + outcome, c.T)
            best = min(best, np.linalg.det(left))
    entropies = [float(exact_entropy(mpmath.mpf(x))) for x in (np.linalg.det(a) ** 0.5, best**0.5)]
    expected = float(jaxosc.mutual_information(state)) - entropies[0] + entropies[1]
    assert jaxosc.discord(state) <= expected + digits(1e-13)
    assert jaxosc.discord(state) == pytest.approx(expected, abs=2e-3 + digits(1e-13))


def test_a_paired_network():
    """By two methods elsewhere; ω = (1, 1.2), pairing 0.3, γ = (0.1, 0.2), T = 0."""
    network = jaxosc.Oscillators([1.0, 1.2], np.zeros((2, 2)), [[0.0, 0.3], [0.3, 0.0]])
    state = jaxosc.steady_state(jaxosc.local_lindblad(network, jaxosc.Baths((0.1, 0.2), 0.0)))
    assert NEGATIVITY(state) == pytest.approx(0.23119767633242, rel=digits(1e-13))


@double
def test_open_dicke_model_at_its_critical_point():
    """Kirton et al., Adv. Quantum Technol. 2, 1800043 (2019): it stays finite."""
    found = []
    for distance in (1e-5, 1e-6):
        network = jaxosc.pair((1.0, 2.0), 1 - distance, "position")
        dynamics = jaxosc.local_lindblad(network, jaxosc.Baths((1.0, 0.0), 0.0))
        found.append(float(NEGATIVITY(jaxosc.steady_state(dynamics))))
    assert (10 * found[1] - found[0]) / 9 == pytest.approx(0.3942286801817516, abs=1e-9)


@double
@pytest.mark.parametrize(
    ("detuning", "coupling", "momentum", "amplitude"),
    [
        (0.5, -0.9719815127582885, 0.24429965680351004, 0.24261704399772838),
        *nightly(
            (1.0, -0.8399838491228088, 0.2991310378421862, 0.29965499549727115),
            (1.5, -0.7044182035366626, 0.20318282488408218, 0.20486060837902734),
        ),
    ],
)
def test_a_mirror_and_its_field(detuning, coupling, momentum, amplitude):
    """Vitali et al., PRL 98, 030405 (2007), at 0.4 K, damped in its momentum as there or not."""
    loss, cavity = 1e-5, 1.4008993364485982
    number = 1 / np.expm1(1 / 833.4647654437828)
    network = jaxosc.pair((1.0, detuning), coupling, "position")
    baths = jaxosc.Baths((loss / 2, cavity), occupation=(number, 0.0))
    state = jaxosc.steady_state(jaxosc.local_lindblad(network, baths))
    assert NEGATIVITY(state) == pytest.approx(amplitude, rel=1e-12)
    drift = np.array([
        [0, 1, 0, 0], [-1, -loss, -2 * coupling, 0], [0, 0, -cavity, detuning],
        [-2 * coupling, 0, -detuning, -cavity],
    ])  # fmt: skip
    diffusion = np.diag([0, loss * (2 * number + 1), cavity, cavity])
    state = jaxosc.steady_state(jaxosc.Dynamics(drift, diffusion))
    assert NEGATIVITY(state) == pytest.approx(momentum, rel=1e-12)


@pytest.mark.slow
def test_a_batch_of_thousands():
    generator = np.random.default_rng(11)
    state = random_state(generator, 3, 0.05)
    noise = np.linspace(0, 1, 3000)[:, None, None]
    states = np.asarray(state + noise * np.eye(6), DTYPE)
    for measure in (NEGATIVITY, STEERING):
        found = batched(measure, (0,))(states)
        assert np.all(np.diff(found) <= digits(1e-14))
        assert found[0] > 0
        assert found[-1] == 0
        pairs = batched(measure)(states[:, :4, :4])
        np.testing.assert_allclose(pairs[::500], [measure(x) for x in states[::500, :4, :4]],
                                   atol=digits(1e-14))  # fmt: skip


def test_what_is_no_state_has_none():
    unphysical = two_mode_squeezed(0.3) * 0.9
    for measure in (NEGATIVITY, STEERING, jaxosc.discord):
        assert np.isnan(measure(unphysical))
        assert np.isnan(measure(np.full((4, 4), np.nan)))
    assert np.isnan(NEGATIVITY(two_mode_squeezed(5 if SINGLE else 10)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NEGATIVITY(np.eye(6)), "`modes` must name"),
        (lambda: STEERING(np.eye(4), (0,), (0,)), "`others` must share no"),
        (lambda: jaxosc.discord(np.eye(6)), r"`covariance` must have shape \(4, 4\) of two modes"),
        (lambda: jaxosc.discord(np.eye(4), 2), "`measured` must be between 0 and 1"),
        (lambda: jaxosc.discord(np.eye(4), 0.5), "`measured` must be a whole number"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@double
@pytest.mark.nightly
def test_second_derivatives_of_discord_at_a_product_state_do_not_exist():
    """They are those along one way, and differ from way to way: NaN, and the first are zero."""

    def value(x, y):
        state = [[0.8, 0, x, 0], [0, 0.8, 0, y], [x, 0, 0.9, 0], [0, y, 0, 0.9]]
        return jaxosc.discord(jnp.asarray(state))

    assert jax.grad(value)(0.0, 0.0) == 0
    assert np.isnan(jax.grad(jax.grad(value))(0.0, 0.0))
