"""Numbers of Gaussian states with known answers."""

import functools
import logging

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import reference
from legs import nightly, slow
from precision import DTYPE, EPS, SINGLE, digits, double, rounded

import jaxosc


def entropy_of(occupation):
    """(n + 1) ln(n + 1) − n ln n of a thermal mode."""
    return (occupation + 1) * np.log(occupation + 1) - occupation * np.log(occupation)


def two_mode_squeezed(r, n1=0.0, n2=0.0):
    """Two-mode squeezing by r of thermal modes n1, n2; symplectic eigenvalues n + 1/2."""
    a, b = n1 + 0.5, n2 + 0.5
    c, s = np.cosh(r), np.sinh(r)
    x1, x2, x12 = a * c * c + b * s * s, b * c * c + a * s * s, (a + b) * c * s
    return np.array([[x1, 0, x12, 0], [0, x1, 0, -x12], [x12, 0, x2, 0], [0, -x12, 0, x2]])


def random_symplectic(generator, modes):
    """exp(J H) for a random symmetric H, in the order (x1, p1, x2, p2, …)."""
    form = np.kron(np.eye(modes), [[0.0, 1.0], [-1.0, 0.0]])
    h = generator.normal(size=(2 * modes, 2 * modes)) * 0.3
    return np.asarray(jax.scipy.linalg.expm(jnp.asarray(form @ (h + h.T))))


@pytest.mark.parametrize("modes", [1, 3, *nightly(2, 5)])
def test_vacuum(modes):
    vacuum = 0.5 * np.eye(2 * modes)
    assert np.all(jaxosc.occupation(vacuum) == 0)
    assert np.all(jaxosc.coherence(vacuum) == 0)
    np.testing.assert_allclose(jaxosc.symplectic_eigenvalues(vacuum), 0.5, rtol=digits(1e-15))
    assert abs(jaxosc.von_neumann_entropy(vacuum)) < digits(1e-14)
    assert jaxosc.purity(vacuum) == pytest.approx(1, rel=digits(1e-14))
    assert jaxosc.is_physical(vacuum)
    assert not jaxosc.is_physical(min(0.499999, 0.5 - 100 * EPS) * np.eye(2 * modes))


def test_thermal_mode():
    for n in (1e-6, 0.3, 20.0, 1e6):
        thermal = (n + 0.5) * np.eye(2)
        assert jaxosc.occupation(thermal)[0] == pytest.approx(n, rel=1e-9 + EPS, abs=EPS)
        # (n + 1) ln(n + 1) − n ln n itself cancels at n = 1e6
        expected = np.log1p(n) + n * np.log1p(1 / n)
        assert jaxosc.von_neumann_entropy(thermal) == pytest.approx(
            expected, rel=1e-9 + EPS, abs=EPS * np.log1p(1 / n)
        )
        assert jaxosc.purity(thermal) == pytest.approx(1 / (2 * n + 1), rel=digits(1e-14))


@pytest.mark.parametrize("modes", [2, 3, *nightly(1, 4)])
def test_symplectic_invariance(modes):
    """Williamson: S diag(ν) Sᵀ has the symplectic eigenvalues ν, whatever S."""
    generator = np.random.default_rng(modes)
    for degenerate in (False, True):
        nu = np.sort(0.5 + generator.exponential(2.0, modes))
        if degenerate:
            nu[:] = nu[0]
        s = random_symplectic(generator, modes)
        state = s @ np.diag(np.repeat(nu, 2)) @ s.T
        state = (state + state.T) / 2
        np.testing.assert_allclose(jaxosc.symplectic_eigenvalues(state), nu, rtol=digits(1e-12))
        expected = np.sum(entropy_of(nu - 0.5))
        assert jaxosc.von_neumann_entropy(state) == pytest.approx(expected, rel=digits(1e-12))
        assert jaxosc.purity(state) == pytest.approx(1 / np.prod(2 * nu), rel=digits(1e-12))
        assert jaxosc.is_physical(state)


@pytest.mark.parametrize("r", [1e-4, 0.02, 0.5, 2.0])
@pytest.mark.parametrize("thermal", [(0.0, 0.0), (0.2, 0.2), (3.0, 0.01), (50.0, 50.0)])
def test_two_mode_squeezed_information(r, thermal):
    """I = f(a) + f(b) − f(n1 + ½) − f(n2 + ½) with the squeezed local variances a, b."""
    state = two_mode_squeezed(r, *thermal)
    local = np.diag(state)[[0, 2]] - 0.5
    with np.errstate(all="ignore"):
        total = sum(entropy_of(n) for n in thermal if n > 0)
    expected = sum(entropy_of(n) for n in local) - total
    scale = sum(entropy_of(n) for n in local)
    # The right-hand side is a difference of entropies, and good to their rounding; that of the
    # entries, of size cosh 2r, moves the symplectic eigenvalues by its square.
    rounding = digits(3e-14) * (1 + scale) * np.cosh(2 * r) ** 2
    assert jaxosc.mutual_information(state) == pytest.approx(expected, abs=rounding)


def test_information_of_nearly_pure_modes():
    """Occupations from 10 to 1e-16, where rounding alone decides how far from pure they are."""
    generator = np.random.default_rng(3)
    states = []
    for index in range(60):
        n = 10 ** generator.uniform(-16, 1, 2)
        n[1] = n[index % 3 and 1]
        c = 10 ** generator.uniform(-10, -0.2) * np.sqrt(n[0] * n[1])
        thermal = np.kron([[n[0] + 0.5, c], [c, n[1] + 0.5]], np.eye(2))
        r = 10 ** generator.uniform(-9, -1) if index % 2 else 0.0
        mirror = np.sinh(r) * np.diag([1.0, -1.0])
        squeeze = np.block([[np.cosh(r) * np.eye(2), mirror], [mirror, np.cosh(r) * np.eye(2)]])
        state = squeeze @ thermal @ squeeze.T
        states.append(rounded((state + state.T) / 2))
    found = jax.jit(jax.vmap(jaxosc.mutual_information))(np.array(states))
    exact = [float(reference.mutual_information(state.tolist())) for state in states]
    known = np.isfinite(exact)  # else rounding has made the state unphysical
    assert known.sum() > 20
    np.testing.assert_allclose(
        found[known], np.array(exact)[known], rtol=digits(1e-13), atol=digits(4e-14)
    )


def test_weak_correlations_of_cold_modes_keep_relative_accuracy():
    """Down to 1e-38 nats in float64: I is of second order, and occupations are digits of σ."""
    generator = np.random.default_rng(0)
    coldest, weakest = (-3, -4) if SINGLE else (-7, -8)
    states, allowed = [], []
    for index in range(150):
        n = 10 ** generator.uniform(coldest, 1, 2)
        if index % 3 == 0:
            n[1] = n[0] * (1 + 10 ** generator.uniform(-6, -0.3))
        angle = generator.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        strength = 0 if index % 10 == 0 else 10 ** generator.uniform(weakest, -1)
        cross = strength * np.sqrt(n.prod() * min(n.prod(), 1)) * turn * [1, (-1) ** index]
        state = np.block([[(n[0] + 0.5) * np.eye(2), cross], [cross.T, (n[1] + 0.5) * np.eye(2)]])
        states.append(rounded(state))
        allowed.append(100 * EPS + 4 * EPS / n.min())
    found = jax.jit(jax.vmap(jaxosc.mutual_information))(np.array(states))
    exact = np.array([float(reference.mutual_information(state.tolist())) for state in states])
    exact[::10] = 0  # to the 70 digits that it has
    assert np.all(np.abs(found - exact) <= np.array(allowed) * exact)


@pytest.mark.parametrize("strength", [0.9, *nightly(0.3, 1.4)])
@pytest.mark.slow
def test_slopes_of_information_between_equal_modes(strength):
    """det α = det β exactly, and ν+ ≠ ν−; one mode changes and the other does not."""
    state = np.diag([2.0, 1.5, 2.0, 1.5])
    state[0, 2] = state[2, 0] = -strength
    changes = np.zeros((4, 4, 4))
    for change, (i, j) in zip(changes, [(0, 0), (1, 1), (2, 2), (0, 2)], strict=True):
        change[i, j] = change[j, i] = 1

    def exact(change):
        def along(x):
            return reference.mutual_information(
                [[state[i, j] + x * change[i, j] for j in range(4)] for i in range(4)]
            )

        return float(reference.derivative(along, mpmath.mpf(0)))

    expected = [exact(change) for change in changes]
    reverse = np.asarray(jax.grad(jaxosc.mutual_information)(state))
    np.testing.assert_allclose(np.sum(reverse * changes, axis=(1, 2)), expected, rtol=digits(1e-12))
    forward = [
        jax.jvp(jaxosc.mutual_information, (jnp.asarray(state),), (jnp.asarray(change),))[1]
        for change in changes
    ]
    np.testing.assert_allclose(forward, expected, rtol=digits(1e-12))


def test_coherence_is_hermitian_with_phase():
    """⟨a1†a2⟩ of a state with ⟨x1p2⟩ − ⟨p1x2⟩ ≠ 0."""
    state = np.diag([2.0, 2.0, 3.0, 3.0])
    state[0, 3] = state[3, 0] = 0.4
    state[1, 2] = state[2, 1] = -0.4
    c = np.asarray(jaxosc.coherence(state))
    # ⟨a1†a2⟩ = [⟨x1x2⟩ + ⟨p1p2⟩ + i(⟨x1p2⟩ − ⟨p1x2⟩)]/2
    np.testing.assert_allclose(c, [[1.5, 0.4j], [-0.4j, 2.5]], atol=digits(1e-15))


def test_groups_of_modes():
    generator = np.random.default_rng(3)
    s = random_symplectic(generator, 3)
    state = s @ np.diag(np.repeat([0.6, 0.9, 1.7], 2)) @ s.T
    state = (state + state.T) / 2

    def entropy(*modes):
        index = [2 * m + q for m in modes for q in (0, 1)]
        return float(jaxosc.von_neumann_entropy(state[np.ix_(index, index)]))

    whole = jaxosc.mutual_information(state, (0,))
    assert whole == pytest.approx(entropy(0) + entropy(1, 2) - entropy(0, 1, 2), abs=digits(1e-13))
    part = jaxosc.mutual_information(state, (2,), (0,))
    assert part == pytest.approx(entropy(2) + entropy(0) - entropy(0, 2), abs=digits(1e-13))
    assert 0 <= part <= whole + jaxosc.mutual_information(state, (2,))
    assert jaxosc.mutual_information(state, (2, 1)) == pytest.approx(
        float(whole), abs=digits(1e-13)
    )


def test_uncorrelated_modes_share_nothing():
    assert jaxosc.mutual_information(np.diag([2.0, 2.0, 7.0, 7.0])) == 0
    assert jaxosc.mutual_information(0.5 * np.eye(4)) == 0


def test_unphysical_states_have_no_entropy():
    squeezed_too_far = two_mode_squeezed(0.3) * 0.9
    assert not jaxosc.is_physical(squeezed_too_far)
    assert np.isnan(jaxosc.von_neumann_entropy(squeezed_too_far))
    assert np.isnan(jaxosc.mutual_information(squeezed_too_far))
    assert not jaxosc.is_physical(np.full((4, 4), np.nan))
    assert not jaxosc.is_physical(np.diag([1.0, -1.0]))


NUMBERS = {
    "physical": jaxosc.is_physical,
    "symplectic": jaxosc.symplectic_eigenvalues,
    "entropy": jaxosc.von_neumann_entropy,
    "purity": jaxosc.purity,
    "information": lambda state: jaxosc.mutual_information(state, (0,)),
}
# Two questions of σ with its diagonal changed a little: the roundings of an entry that they allow
ALLOWED, MARGIN = 16 * EPS, 4 * EPS


@functools.cache
def numbers_of(modes):
    """Everything that a state tells, one by one and for a batch."""
    names = [name for name in NUMBERS if modes > 1 or name != "information"]

    def numbers(state):
        return {name: NUMBERS[name](state) for name in names}

    return jax.jit(numbers), jax.jit(jax.vmap(numbers))


def all_numbers(states):
    """Of a batch, after a look at whether it says the same of each of them alone."""
    single, batch = numbers_of(len(states[0]) // 2)
    states = np.asarray(states, DTYPE)
    found = jax.device_get(batch(states))
    for index in range(0, len(states), 7):
        alone = jax.device_get(single(states[index]))
        for name, value in alone.items():
            rtol = 0 if name == "physical" else 1e-2
            np.testing.assert_allclose(found[name][index], value, rtol=rtol, atol=rtol)
    # One decision: what is not a state has no numbers, and those of a state come together.
    sound = np.isfinite(found["symplectic"]).all(axis=1) & found["physical"]
    for name in ("entropy", "purity", "information"):
        if name in found:
            assert np.array_equal(np.isfinite(found[name]), sound), name
    return found


def exact_numbers(state):
    """Of the entries as they are, at 50 digits.

    The smallest symplectic eigenvalue with the diagonal larger by a relative change, and the least
    eigenvalue of the correlations.
    """
    entries = mpmath.matrix(np.asarray(state, float).tolist())

    def smallest(change):
        larger = entries.copy()
        for i in range(len(state)):
            larger[i, i] *= 1 + change
        least = reference.symplectic_eigenvalues(larger)[0]
        return mpmath.mpf(0) if mpmath.isnan(least) else least  # not positive definite

    root = [mpmath.sqrt(entries[i, i]) for i in range(len(state))]
    correlation = entries.copy()
    for i, j in np.ndindex(*state.shape):
        correlation[i, j] /= root[i] * root[j]
    return smallest, min(mpmath.eigsy(correlation, eigvals_only=True))


@pytest.mark.slow
@pytest.mark.parametrize("modes", [3, *nightly(1, 2, 5)])
def test_physicality_at_its_boundary(modes):
    """A state is one up to rounding: neither fewer nor more, however far it is from being one."""
    generator = np.random.default_rng(modes)
    states = []
    for index in range(28):
        excess = np.abs(generator.normal(size=modes))
        excess[0] = (1, -1)[index % 2] * 10 ** generator.uniform(np.log10(EPS / 10), -0.5)
        if index % 7 == 0:
            excess[:] = 0
        scale = np.repeat(10 ** generator.uniform(-2, 2, modes), 2) ** np.tile([1, -1], modes)
        s = scale[:, None] * random_symplectic(generator, modes)
        state = s @ np.diag(np.repeat(0.5 * (1 + excess), 2)) @ s.T
        states.append(rounded((state + state.T) / 2))
    found = all_numbers(states)
    told = found["physical"]
    assert 5 < told.sum() < 25
    for state, physical, nu in zip(states, told, found["symplectic"], strict=True):
        smallest, correlation = exact_numbers(state)
        if smallest(0) >= 0.5:
            assert physical
        if smallest(2 * len(state) * ALLOWED) < 0.5:
            assert not physical
        if correlation > 2 * len(state) * MARGIN:
            # the rounding of the algorithm, like that of the entries
            assert abs(nu[0] / float(smallest(0)) - 1) <= len(state) * EPS / float(correlation)


@pytest.mark.parametrize("modes", [1, *slow(2)])
def test_squeezed_vacua(modes):
    """From none to what no entries can tell: a state, with numbers that are right or NaN."""
    generator = np.random.default_rng(modes)
    states, strengths = [], np.repeat(np.arange(13.0), 4)
    for r in strengths:
        local = np.zeros((2 * modes, 2 * modes))
        for mode in range(modes):
            (c, s), (c2, s2) = ((np.cos(x), np.sin(x)) for x in generator.uniform(0, 6, 2))
            stretch = np.exp(generator.normal() * np.array([0.5, -0.5]))
            block = np.array([[c, s], [-s, c]]) * stretch @ np.array([[c2, s2], [-s2, c2]])
            local[2 * mode : 2 * mode + 2, 2 * mode : 2 * mode + 2] = block
        whole = two_mode_squeezed(r) if modes == 2 else 0.5 * np.diag(np.exp([2 * r, -2 * r]))
        state = local @ whole @ local.T
        states.append(rounded((state + state.T) / 2))
    found = all_numbers(states)
    assert found["physical"].all()
    known = np.isfinite(found["purity"])
    assert known[strengths <= (1 if SINGLE else 6)].all()
    assert not known[strengths >= (5 if SINGLE else 10)].any()
    for index in np.flatnonzero(known):
        least = float(exact_numbers(states[index])[1])
        error = 2 * modes * EPS / least  # at most a quarter, by the margin
        assert error < 0.3
        assert abs(2 * found["symplectic"][index] - 1).max() <= error
        assert 1 - modes * error <= found["purity"][index] <= 1
        # f(½ + x) = x (1 − ln x) and smaller orders
        allowed = modes * error * (1 + np.log(1 + 1 / error))
        assert 0 <= found["entropy"][index] <= allowed
        if modes == 2:
            n = np.sinh(strengths[index]) ** 2
            exact = 2 * ((n + 1) * np.log1p(n) - n * np.log(n)) if n else 0.0
            assert abs(found["information"][index] - exact) <= 2 * allowed


@pytest.mark.slow
def test_what_is_far_from_a_state_finds_no_excuse():
    """Correlations, large entries or small ones: none of it enlarges what rounding may do."""
    generator = np.random.default_rng(4)
    s = random_symplectic(generator, 2)
    thin = s @ np.diag([1e-15, 1e-15, 1e-15, 1e-15]) @ s.T
    thinner = s @ np.diag([1e-15, 1e-15, 3.0, 3.0]) @ s.T
    one = np.array([[1.0, 1.0], [1.0, 1.0]])
    apart = np.kron(one, np.eye(2)) * 0.5
    hot = np.diag([1e12, 1e12, 0.49, 0.49])
    for state in (thin, (thinner + thinner.T) / 2, apart, hot, np.zeros((4, 4)), -np.eye(4)):
        found = all_numbers([state] * 2)
        assert not found["physical"].any()
    assert not all_numbers([one])["physical"].any()
    # and the same with nothing wrong
    hot[2, 2] = hot[3, 3] = 0.5
    found = all_numbers([hot])
    assert found["physical"].all()
    assert found["entropy"] == pytest.approx(np.log(1e12) + 1, rel=digits(1e-14))


def test_one_compilation_a_call():
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = logging.getLogger("jax")
    logger.addHandler(handler)
    counts = []
    try:
        with jax.log_compiles(True):
            for occupation in (0.7, 0.8):
                jaxosc.mutual_information(np.diag([occupation] * 4 + [1.0] * 4), (0,), (3,))
                counts.append(sum("Finished XLA compilation" in text for text in messages))
    finally:
        logger.removeHandler(handler)
    assert counts == [1, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jaxosc.occupation(np.eye(3)), r"`covariance` must have shape \(2N, 2N\)"),
        (lambda: jaxosc.occupation(np.ones(4)), r"`covariance` must have shape \(2N, 2N\)"),
        (lambda: jaxosc.occupation(np.zeros((0, 0))), r"`covariance` must have shape"),
        (lambda: jaxosc.purity([[1.0, 2.0], [0.0, 1.0]]), "`covariance` must be symmetric"),
        (lambda: jaxosc.purity(np.eye(2) * 1j), "`covariance` must be real"),
        (lambda: jaxosc.purity("covariance"), "`covariance` must be a real number"),
        (lambda: jaxosc.mutual_information(np.eye(6)), "`modes` must name"),
        (lambda: jaxosc.mutual_information(np.eye(2)), "`modes` must name"),
        (lambda: jaxosc.mutual_information(np.eye(4), 0), "`modes` must be a sequence"),
        (lambda: jaxosc.mutual_information(np.eye(4), (0.5,)), "`modes` must be a sequence"),
        (lambda: jaxosc.mutual_information(np.eye(4), "0"), "`modes` must be a sequence"),
        (lambda: jaxosc.mutual_information(np.eye(4), others=(0,)), "`modes` must be given"),
        (
            lambda: jax.jit(jaxosc.mutual_information)(np.eye(4), (0,)),
            "name it in static_argnames",
        ),
        (lambda: jaxosc.mutual_information(np.eye(4), (0, 0)), "`modes` must hold different"),
        (lambda: jaxosc.mutual_information(np.eye(4), (2,)), "`modes` must hold different"),
        (lambda: jaxosc.mutual_information(np.eye(4), (0, 1)), "`others` must hold different"),
        (lambda: jaxosc.mutual_information(np.eye(6), (0,), (0, 1)), "`others` must share no"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def exact_entropy(covariance, order):
    """Von Neumann's (order 1) or Rényi's of the eigenvalues of Jσ, at the precision of mpmath."""
    form = mpmath.matrix(np.kron(np.eye(covariance.rows // 2), [[0, 1], [-1, 0]]).tolist())
    values = mpmath.eig(form * covariance)[0]
    total, half = mpmath.mpf(0), mpmath.mpf(1) / 2
    for nu in sorted(abs(value.imag) for value in values)[::2]:
        up, down = nu + half, nu - half
        if order == 1:
            total += up * mpmath.log(up) - down * mpmath.log(down)
        else:
            total += mpmath.log(up**order - down**order) / (order - 1)
    return total


@double
@pytest.mark.nightly
@pytest.mark.parametrize("split", [0.0, 1e-7, 2e-3])
@pytest.mark.parametrize("modes", [2, 3])
@pytest.mark.parametrize("order", [1, 3])
def test_second_derivatives_of_entropies_where_modes_coincide(order, modes, split):
    rng = np.random.default_rng(modes)
    change = rng.normal(size=(2 * modes, 2 * modes))
    change = change + change.T
    base = np.diag(np.repeat([1.5] * (modes - 1) + [1.5 + split], 2))

    def entropy(step):
        state = jnp.asarray(base) + step * jnp.asarray(change)
        if order == 1:
            return jaxosc.von_neumann_entropy(state)
        return jaxosc.renyi_entropy(state, float(order))

    with mpmath.workdps(60):
        exact_base, exact_change = (mpmath.matrix(x.tolist()) for x in (base, change))
        step = mpmath.mpf(10) ** -15
        low, middle, high = (
            exact_entropy(exact_base + k * step * exact_change, order) for k in (-1, 0, 1)
        )
        expected = float((high - 2 * middle + low) / step**2)
    assert jax.grad(jax.grad(entropy))(0.0) == pytest.approx(expected, rel=1e-10)
