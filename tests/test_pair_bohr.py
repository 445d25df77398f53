"""Non-secular equations of two modes in closed form, against sums over Bohr frequencies."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from legs import nightly, slow
from precision import DTYPE, digits, double

from jaxosc._kernels import pair_bohr, pair_lyapunov
from jaxosc._kernels.pair_equation import Couple
from jaxosc._numerics.special import product_less_square

EQUATIONS = ("redfield", "universal", "detailed-balance", "partial-secular", "unified")
COUPLINGS = ("position", "momentum", "rotating-wave")
# ω1, ω2, λ, κ, γ1, γ2, T1, T2
POINTS = {
    "detuned": (1.2, 1.7, 0.3, 0.1, 0.02, 0.05, 0.7, 1.9),
    "cold": (1.2, 3.2, 0.3, -0.4, 0.2, 1e-3, 0.0, 0.03),
    "resonant": (1.2, 1.2, 1e-4, 0.0, 1e-2, 1e-5, 0.7, 40.0),
    "degenerate": (1.2, 1.2, 0.0, 0.0, 0.02, 0.05, 0.7, 1.9),
    "weak": (1.0, 2.0, 0.1, 0.1, 1e-8, 1e-6, 1e3, 0.4),
    "near critical": (1.0, 2.0, 0.7071, 0.7071, 1e-3, 0.1, 3.0, 0.5),
}
WIDTH = 0.4


def described(x, coupling, equation, power, cutoff=None, width=WIDTH):
    """Drift, diffusion, σ and whether it is stable, by the kernels."""
    omega1, omega2, j, k = x[:4]
    determinants = (product_less_square(omega1, omega2, link) for link in (j + k, j - k))
    couple = Couple(omega1, omega2, j, k, *determinants)
    if cutoff is not None:
        cutoff = jnp.asarray(cutoff, x.dtype)
    rates = tuple(pair_bohr.ClosedRate(power, own, cutoff) for own in (omega1, omega2))
    width = jnp.asarray(width, x.dtype)
    first, second = pair_bohr.dissipators(couple, x[4:6], x[6:8], rates, coupling, equation, width)
    both = first.plus(second)
    entries, stable = pair_lyapunov.steady(couple, *both)
    return both.drift(), both.diffusion(), entries.where(stable).matrix()


def spectrum(damping, own, power, cutoff, temperature):
    def rate(x):
        value = damping * (x / own) ** power
        return (
            value if cutoff is None else value * (1 + (own / cutoff) ** 2) / (1 + (x / cutoff) ** 2)
        )

    def noise(x):
        if temperature == 0:
            return 2 * rate(x) if x > 0 else mp.mpf(0)
        size = abs(x)
        return (
            2
            * rate(size)
            / (mp.expm1(size / temperature))
            * (mp.exp(size / temperature) if x > 0 else 1)
        )

    return noise


def symbol(equation, x, y, noise, temperature, width, center):
    """Γ(x, y), times the restriction of S that ``noise`` carries."""
    if equation == "redfield":
        return noise(y) / 2
    if equation == "partial-secular":
        return noise(y) / 2 if abs(x - y) <= width else mp.mpf(0)
    if equation == "unified":
        same = abs(center(x) - center(y)) < mp.mpf(10) ** -20
        return noise(center(y)) / 2 if same else mp.mpf(0)
    root = mp.sqrt(noise(x) * noise(y)) / 2
    if equation == "universal":
        return root
    shift = y - x
    return root * (1 + (mp.sign(shift) if temperature == 0 else mp.tanh(shift / 4 / temperature)))


def expected(x, coupling, equation, power, cutoff=None, width=WIDTH):
    """The same at 30 digits: parts of each coupling operator, a double sum, a system of 16."""
    with mp.workdps(40):
        omega1, omega2, j, k = map(mp.mpf, x[:4])
        v = mp.matrix([[omega1, j + k], [j + k, omega2]])
        w = mp.matrix([[omega1, j - k], [j - k, omega2]])
        wv = w * v
        mean, product = (wv[0, 0] + wv[1, 1]) / 2, mp.sqrt(mp.det(wv))
        half = mp.sqrt(max(mean**2 - product**2, mp.mpf(10) ** -70))
        high = mp.sqrt(mean + half)
        low = product / high
        turn = (wv - mean * mp.eye(2)) / half
        parts = ((high, (mp.eye(2) + turn) / 2), (low, (mp.eye(2) - turn) / 2))
        near = high - low <= width

        def center(frequency):
            return mp.sign(frequency) * (high + low) / 2 if near else frequency

        total = mp.zeros(4)
        for m, own in enumerate((omega1, omega2)):
            unit = mp.matrix(2, 1)
            unit[m] = 1
            none = mp.zeros(2, 1)
            channels = {
                "position": [(mp.sqrt(2) * unit, none, 0)],
                "momentum": [(none, mp.sqrt(2) * unit, 0)],
                "rotating-wave": [
                    (unit / mp.sqrt(2), unit / mp.sqrt(2), 1),
                    (unit / mp.sqrt(2), -unit / mp.sqrt(2), -1),
                ],
            }[coupling]
            temperature = mp.mpf(x[6 + m])
            noise = spectrum(mp.mpf(x[4 + m]), own, power, cutoff, temperature)
            for c, d, side in channels:  # X = c·x + i d·p

                def restricted(y, side=side, noise=noise):
                    return noise(y) if side * y >= 0 else mp.mpf(0)

                rows = []
                for sign in (1, -1):
                    for omega, projector in parts:
                        of_x = projector.T * (c + sign * (v * d) / omega) / 2
                        of_p = mp.mpc(0, sign) * (w * of_x) / omega
                        rows.append((sign * omega, mp.matrix([*of_x, *of_p])))
                for a, left in rows:
                    for b, right in rows:
                        value = symbol(equation, a, b, restricted, temperature, width, center)
                        total += value * (left.conjugate() * right.T)
        symplectic = mp.matrix([[0, 0, 1, 0], [0, 0, 0, 1], [-1, 0, 0, 0], [0, -1, 0, 0]])
        hessian = mp.zeros(4)
        hessian[0:2, 0:2], hessian[2:4, 2:4] = v, w
        drift = 2 * symplectic * total.apply(mp.im)
        diffusion = symplectic * (total + total.T).apply(mp.re) * symplectic.T
        motion = symplectic * hessian + drift
        system = mp.zeros(16)
        for a in range(4):
            for b in range(4):
                for c in range(4):
                    system[4 * a + b, 4 * c + b] += motion[a, c]
                    system[4 * a + b, 4 * a + c] += motion[b, c]
        solution = mp.lu_solve(system, -mp.matrix([*diffusion]))
        order = np.ix_([0, 2, 1, 3], [0, 2, 1, 3])
        return tuple(
            np.array([*matrix], dtype=object).reshape(4, 4)[order]
            for matrix in (drift, diffusion, solution)
        )


def everything(x, coupling, power, cutoff=None, width=WIDTH, equations=EQUATIONS):
    """These equations at all points; operation by operation, for to compile it takes longer."""

    def one(point):
        return [described(point, coupling, name, power, cutoff, width) for name in equations]

    return jax.vmap(one)(x)


@pytest.mark.parametrize(
    ("coupling", "power", "cutoff"),
    [
        *slow(("rotating-wave", 0, None), ("position", 1, 5.0)),
        *nightly(
            ("rotating-wave", 1, None),
            ("rotating-wave", 1, 5.0),
            ("position", 0, None),
            ("position", 1, None),
            ("momentum", 0, None),
            ("momentum", 1, None),
            ("momentum", 1, 5.0),
        ),
    ],
)
def test_against_sums_over_frequencies(coupling, power, cutoff):
    """Drift and diffusion to a few roundings; σ to a hundred, near the critical point too."""
    points = np.array(list(POINTS.values()), DTYPE)
    found = everything(jnp.asarray(points), coupling, power, cutoff)
    for name, matrices in zip(EQUATIONS, found, strict=True):
        for n, point in enumerate(points.astype(float)):
            if power == 0 and n == 5:
                continue  # S(ω → 0) of a flat spectrum diverges
            exact = expected(point, coupling, name, power, cutoff)
            for ours, theirs, limit in zip(matrices, exact, (2e-14, 2e-14, 2e-13), strict=True):
                error = np.max(np.abs(ours[n] - theirs.astype(float)))
                # λ as it is known over its distance to the critical coupling
                known = 1e-10 if n == 5 else limit
                assert error <= digits(known) * np.max(np.abs(theirs.astype(float))), (name, n)


@pytest.mark.slow
def test_widths():
    """Pairs of opposite frequencies come in at Ω_k + Ω_l; at a large width all are kept."""
    for width in (0.0, 2.0, 2.6, 3.3, 9.0):
        point = np.asarray(POINTS["detuned"], DTYPE)
        for coupling in ("position", "rotating-wave"):
            ours = described(jnp.asarray(point), coupling, "partial-secular", 1, None, width)
            exact = expected(point.astype(float), coupling, "partial-secular", 1, None, width)
            for mine, theirs in zip(ours, exact, strict=True):
                theirs = theirs.astype(float)
                np.testing.assert_allclose(
                    mine, theirs, atol=digits(1e-13) * np.max(np.abs(theirs))
                )


# ⟨n⟩ of Drude baths on positions, J = ηω/(1 + ω²/64), T = (1.5, 2.5), ω = 1 both, x1x2/10
PUBLISHED = {
    "redfield": (1.4277664258224112, 1.6808263055211485),
    "detailed-balance": (1.4277632840073098, 1.6808293315226353),
    "universal": (1.4276599421904845, 1.6808932390812226),
    "partial-secular": (1.427688229065462, 1.6809045022780973),
    "unified": (1.42246035995711, 1.676010181175875),
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_reference_cases(name):
    damping = 0.03 / (1 + 1 / 64)
    point = jnp.asarray([[1.0, 1.0, 0.05, 0.05, damping, damping, 1.5, 2.5]], DTYPE)
    ((_, _, state),) = everything(point, "position", 1, 8.0, 0.2, [name])
    diagonal = np.diag(state[0]).reshape(2, 2).sum(axis=1) / 2 - 0.5
    np.testing.assert_allclose(diagonal, PUBLISHED[name], rtol=digits(1e-13))


@pytest.mark.nightly
def test_equal_temperatures_relax_to_the_gibbs_state():
    """Of what balances in detail, whatever the baths couple to; a frequency of zero width."""
    point = jnp.asarray([[1.0, 1.0 + 1e-6, 0.3, 0.2, 0.1, 0.02, 0.6, 0.6]], DTYPE)
    for coupling in COUPLINGS:
        found = dict(zip(EQUATIONS, everything(point, coupling, 1, None, WIDTH), strict=True))
        balanced, redfield = found["detailed-balance"][2][0], found["redfield"][2][0]
        np.testing.assert_allclose(balanced, redfield, atol=digits(1e-14))


def observable(point, coupling, equation, power):
    state = described(point, coupling, equation, power)[2]
    return (state[0, 0] + state[1, 1]) / 2 + 0.3 * state[0, 2] + 0.2 * state[1, 2]


def exact_observable(point, coupling, equation, power):
    state = expected(point, coupling, equation, power)[2]
    with mp.workdps(40):
        third, fifth = mp.mpf(0.3), mp.mpf(0.2)
        return (state[0, 0] + state[1, 1]) / 2 + third * state[0, 2] + fifth * state[1, 2]


DIRECTION = np.array([0.3, -0.4, 0.5, 0.2, 0.01, 0.02, 0.3, -0.2])


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def curvatures(points, coupling, equation, power):
    """The value, the slope and the second derivative along a direction."""

    def one(point):
        def along(step):
            return observable(
                point + step * jnp.asarray(DIRECTION, DTYPE), coupling, equation, power
            )

        def slope(step):
            return jax.jvp(along, (step,), (jnp.ones_like(step),))[1]

        zero = jnp.zeros((), DTYPE)
        return slope(zero), jax.jvp(slope, (zero,), (jnp.ones_like(zero),))[1]

    return jax.vmap(one)(points)


SMOOTH = ("detuned", "resonant", "degenerate", "weak")


@double
@pytest.mark.nightly
@pytest.mark.parametrize(
    ("coupling", "equation", "power"),
    [
        ("position", "detailed-balance", 1),
        ("rotating-wave", "universal", 0),
        ("rotating-wave", "unified", 1),
        ("momentum", "redfield", 0),
    ],
)
def test_derivatives_at_degeneracy_too(coupling, equation, power):
    """Along a direction that moves all, to second order, against differences at 40 digits."""
    points = np.array([POINTS[name] for name in SMOOTH])
    first, second = curvatures(jnp.asarray(points), coupling, equation, power)
    for n, point in enumerate(points):
        with mp.workdps(40):
            step = mp.mpf(10) ** -10 * (min(point[4:6]) / 0.01 if point[4] < 1e-6 else 1)
            values = [
                exact_observable(
                    [
                        mp.mpf(x) + s * step * mp.mpf(d)
                        for x, d in zip(point, DIRECTION, strict=True)
                    ],
                    coupling,
                    equation,
                    power,
                )
                for s in (-1, 0, 1)
            ]
            slope = float((values[2] - values[0]) / (2 * step))
            curvature = float((values[2] - 2 * values[1] + values[0]) / step**2)
        assert first[n] == pytest.approx(slope, rel=1e-9), SMOOTH[n]
        assert second[n] == pytest.approx(curvature, rel=1e-7), SMOOTH[n]


@double
@pytest.mark.nightly
def test_reverse_mode():
    """The gradient equals the slopes, where the modes have one frequency and where they do not."""
    points = jnp.asarray([POINTS["degenerate"], POINTS["detuned"]])
    arguments = ("position", "universal", 1)
    gradient = jax.jit(jax.vmap(jax.grad(lambda x: observable(x, *arguments))))(points)
    slope, _ = curvatures(points, *arguments)
    np.testing.assert_allclose(gradient @ DIRECTION, slope, rtol=1e-11)


@pytest.mark.nightly
def test_unstable_motion_is_nan():
    """Without damping, or with a damping of the wrong sign, there is no steady state."""
    point = np.array(POINTS["detuned"], DTYPE)
    points = np.stack([point, point, point])
    points[1, 4:6] = 0
    points[2, 4] = -0.3
    for _, _, state in everything(jnp.asarray(points), "position", 1):
        assert np.isfinite(state[0]).all()
        assert np.isnan(state[1:]).all()


@pytest.mark.slow
def test_lyapunov_forward_and_reverse():
    """⟨w, J d⟩ = ⟨Jᵀ w, d⟩ of any damping and diffusion."""
    random = np.random.default_rng(7)

    def entries(damping, noise):
        couple = Couple(*map(jnp.asarray, (1.0, 0.7, 0.1, 0.05, 0.6775, 0.6975)))
        blocks = (
            jax.tree.map(jnp.asarray, [[x[0, 0], x[0, 1]], [x[1, 0], x[1, 1]]])
            for x in (*damping, *noise)
        )
        return jnp.stack(pair_lyapunov.steady(couple, *blocks)[0])

    damping = 0.2 * np.eye(2) + 0.05 * random.normal(size=(2, 2, 2))
    root = random.normal(size=(2, 2, 2))
    point = [jnp.asarray(x, DTYPE) for x in (damping, root @ root.swapaxes(-1, -2))]
    step = [jnp.asarray(random.normal(size=(2, 2, 2)), DTYPE) for _ in point]
    step[1] = step[1] + step[1].swapaxes(-1, -2)
    weight = jnp.asarray(random.normal(size=10), DTYPE)

    @jax.jit
    def both(point, step):
        _, change = jax.jvp(entries, point, step)
        gradient = jax.grad(lambda *x: jnp.dot(weight, entries(*x)), (0, 1))(*point)
        along = sum(jnp.sum(x * y) for x, y in zip(gradient, step, strict=True))
        return jnp.dot(weight, change), along

    forward, reverse = both(point, step)
    assert float(reverse) == pytest.approx(float(forward), rel=digits(1e-12))


@pytest.mark.slow
def test_lyapunov_with_any_damping():
    """Against SciPy at random; stable where the eigenvalues say so."""
    scipy_linalg = pytest.importorskip("scipy.linalg")
    random = np.random.default_rng(3)
    size = 300
    omega = random.uniform(0.5, 2, (size, 2))
    omega[::3, 1] = omega[::3, 0] * (1 + random.choice([0, 1e-9, 1e-3], size)[::3])
    links = random.uniform(-0.45, 0.45, (size, 2)) * np.sqrt(omega.prod(1))[:, None]
    links *= 10 ** random.uniform(-4, 0, (size, 2))
    rate = 10 ** random.uniform(-2, -0.3, (size, 1, 1, 1))
    damping = rate * (
        random.normal(size=(size, 2, 2, 2)) * 0.4 + np.eye(2) * random.random((size, 2, 1, 2))
    )
    root = random.normal(size=(size, 2, 2, 2))
    noise = root @ root.swapaxes(-1, -2)
    arrays = [np.asarray(x, DTYPE) for x in (omega, links, damping, noise)]

    def one(omega, links, damping, noise):
        couple = Couple(
            *omega,
            *links,
            product_less_square(*omega, links[0] + links[1]),
            product_less_square(*omega, links[0] - links[1]),
        )
        blocks = (tuple(map(tuple, x)) for x in (*damping, *noise))
        entries, stable = pair_lyapunov.steady(couple, *blocks)
        return entries.matrix(), stable

    states, stable = jax.vmap(one)(*arrays)
    omega, links, damping, noise = (x.astype(float) for x in arrays)
    order = np.ix_([0, 2, 1, 3], [0, 2, 1, 3])
    zero = np.zeros((2, 2))
    for n in range(size):
        v, w = (
            np.diag(omega[n]) + x * np.eye(2)[::-1] for x in (links[n].sum(), links[n] @ [1, -1])
        )
        motion = np.block([[-damping[n, 0], w], [-v, -damping[n, 1]]])
        growth = np.linalg.eigvals(motion).real.max()
        if abs(growth) > digits(1e-10):
            assert stable[n] == (growth < 0)
        if growth < -digits(1e-10):
            diffusion = np.block([[noise[n, 0], zero], [zero, noise[n, 1]]])
            exact = scipy_linalg.solve_continuous_lyapunov(motion, -diffusion)[order]
            lost = np.linalg.cond(np.kron(motion, np.eye(4)) + np.kron(np.eye(4), motion))
            error = np.max(np.abs(states[n] - exact)) / np.max(np.abs(exact))
            assert error < digits(1e-14) + digits(4e-16) * lost


@pytest.mark.slow
@pytest.mark.parametrize("equation", ["partial-secular", *slow("detailed-balance")])
def test_compiled_sweep(equation):
    """No library calls, and no more memory than the eight numbers of a point."""
    size = 64

    def first(coupling, step):
        point = jnp.asarray(POINTS["detuned"], DTYPE).at[2].set(coupling)
        return observable(point.at[6].add(step), "position", equation, 1)

    grid = jax.jit(jax.vmap(jax.vmap(first, (None, 0)), (0, None)))
    axis = jnp.linspace(0.01, 0.3, size, dtype=DTYPE)
    lowered = grid.lower(axis, axis)
    assert "custom_call" not in lowered.as_text()
    assert "dot_general" not in lowered.as_text()
    assert lowered.compile().memory_analysis().temp_size_in_bytes <= 72 * size**2
    assert np.isfinite(grid(axis, axis)).all()
