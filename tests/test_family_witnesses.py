"""Witnesses for master equations of second order: Fock space, QuTiP, Gibbs, exact baths, mpmath."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache, partial

import jax
import jax.numpy as jnp
import mpmath
import networks
import numpy as np
import pytest
import scipy.integrate
from fock import Space
from precision import DTYPE, digits, double
from test_principal_values import drude

import jaxosc
from jaxosc.spectra import Brownian, Drude, PowerLaw

CUTOFF, REFERENCE, WIDTH, TIME = 3.0, 1.25, 0.1, 6.0
SCALE = REFERENCE / (CUTOFF**2 + REFERENCE**2)

EQUATIONS = {
    "redfield": jaxosc.redfield,
    "redfield, shifted": partial(jaxosc.redfield, lamb_shift=True),
    "global": jaxosc.global_lindblad,
    "global, shifted": partial(jaxosc.global_lindblad, lamb_shift=True),
    "partial secular": lambda o, b: jaxosc.partial_secular(o, b, WIDTH),
    "partial secular, shifted": lambda o, b: jaxosc.partial_secular(o, b, WIDTH, lamb_shift=True),
    "unified": lambda o, b: jaxosc.unified_lindblad(o, b, WIDTH),
    "unified, shifted": lambda o, b: jaxosc.unified_lindblad(o, b, WIDTH, lamb_shift=True),
    "universal": jaxosc.universal_lindblad,
    "detailed balance": jaxosc.detailed_balance_lindblad,
    "coarse-grained": lambda o, b: jaxosc.coarse_grained_lindblad(o, b, TIME),
}


def number(w, temperature):
    return 1 / np.expm1(w / temperature) if 0 < w < 600 * temperature else 0.0


@dataclass(frozen=True)
class Channel:
    """S(w) and Δ(w) of a Drude bath: of the whole axis, or of L (side 1) or L† (side −1)."""

    damping: float
    temperature: float
    side: int

    def noise(self, w):
        size = abs(w)
        rate = 2 * self.damping * size / (CUTOFF**2 + size**2) / SCALE
        present = w * self.side >= 0
        return present * rate * (number(size, self.temperature) + (w > 0))

    def shift(self, w):
        return self.damping * _shift(self.temperature, self.side, round(w, 12))


@cache
def _shift(temperature, side, w):
    if side == 0:
        return drude(CUTOFF, w, temperature).imag / (1 + CUTOFF**2) / SCALE

    def thermal(v):
        if v == 0:
            return temperature / CUTOFF**2 / SCALE
        return v / (CUTOFF**2 + v**2) / SCALE * number(v, temperature)

    if side == -1:
        return -principal_value(thermal, -w)
    return principal_value(lambda v: thermal(v) + v / (CUTOFF**2 + v**2) / SCALE, w)


def principal_value(density, w):
    """(1/π) PV∫_0^∞ density(v)/(w − v) dv by QUADPACK."""
    quad = partial(scipy.integrate.quad, epsabs=1e-13, epsrel=1e-12, limit=400)
    start, total = 0.0, 0.0
    if w > 0:
        start = 2 * w
        total = -quad(density, 0, start, weight="cauchy", wvar=w)[0]
    for low, high in ((start, start + 2), (start + 2, start + 20), (start + 20, np.inf)):
        total += quad(lambda v: density(v) / (w - v), low, high)[0]
    return total / np.pi


def symbol(name, channel, omega):
    """Γ(x, y) of a table of the equations."""
    groups = np.split(np.sort(omega), np.nonzero(np.diff(np.sort(omega)) > WIDTH)[0] + 1)

    def mean(w):
        return next(
            np.sign(w) * group.mean()
            for group in groups
            if group[0] - 1e-5 < abs(w) < group[-1] + 1e-5
        )

    def half_sided(w):
        shift = channel.shift(w) if name.endswith("shifted") else 0.0
        return channel.noise(w) / 2 + 1j * shift

    def root(x, y):
        return np.sqrt(channel.noise(x) * channel.noise(y)) / 2

    @cache
    def average(w):
        def weighted(v):
            return channel.noise(w + v) * np.exp(-((v * TIME) ** 2)) * TIME / np.sqrt(np.pi)

        reach = 8 / TIME
        parts = sorted({-reach, reach, *([-w] if abs(w) < reach else [])})
        return sum(
            scipy.integrate.quad(weighted, low, high, epsabs=1e-14, epsrel=1e-12, limit=400)[0]
            for low, high in itertools.pairwise(parts)
        )

    def detailed_balance(x, y):
        return root(x, y) * (1 + np.tanh((y - x) / (4 * channel.temperature)))

    def coarse_grained(x, y):
        return np.exp(-(((x - y) * TIME / 2) ** 2)) * average(round((x + y) / 2, 12)) / 2

    return {
        "redfield": lambda x, y: half_sided(y),
        "global": lambda x, y: half_sided(y) if abs(x - y) < 1e-6 else 0,
        "partial secular": lambda x, y: half_sided(y) if abs(x - y) <= WIDTH else 0,
        "unified": lambda x, y: half_sided(mean(y)) if mean(x) == mean(y) else 0,
        "universal": root,
        "detailed balance": detailed_balance,
        "coarse-grained": coarse_grained,
    }[name.removesuffix(", shifted")]


@dataclass(frozen=True)
class Case:
    """A network, its baths, and how much of Fock space it needs."""

    hessian: np.ndarray
    coupling: str | np.ndarray
    damping: tuple[float, ...]
    temperature: tuple[float, ...]
    most: int
    kept: int
    low: int
    tolerance: float = 1e-13

    def channels(self):
        """(u, channel) of all baths."""
        modes = len(self.hessian) // 2
        rows = self.coupling
        if isinstance(rows, str):
            one = {"rotating-wave": [1, 1j], "position": [2, 0], "momentum": [0, 2]}[rows]
            rows = np.kron(np.eye(modes), one) / np.sqrt(2)
        elif np.iscomplexobj(rows):
            rows = np.kron(rows, [1, 1j]) / np.sqrt(2)
        for row, rate, temperature in zip(rows, self.damping, self.temperature, strict=True):
            if np.iscomplexobj(row) and self.coupling is not None and not np.allclose(row.imag, 0):
                yield row, Channel(rate, temperature, 1)
                yield row.conj(), Channel(rate, temperature, -1)
            else:
                yield row.real, Channel(rate, temperature, 0)

    def baths(self):
        coupling = self.coupling if isinstance(self.coupling, str) else jnp.asarray(self.coupling)
        spectrum = Drude(DTYPE(CUTOFF), reference=DTYPE(REFERENCE))
        return jaxosc.Baths(self.damping, self.temperature, spectrum, coupling=coupling)


def near(phase):
    """Two modes with a splitting below the width, that conserve quanta."""
    return networks.pair(1.0, 1.03, 0.04 * np.exp(1j * phase))


def three():
    links = np.zeros((3, 3), complex)
    links[0, 1], links[1, 2], links[0, 2] = 0.05j, 0.03, 0.2 - 0.1j
    return networks.hessian([1.0, 1.0, 1.4], links + links.conj().T)


def complex_rows(*shape):
    generator = np.random.default_rng(5)
    rows = generator.normal(size=shape) + 1j * generator.normal(size=shape)
    return rows.astype(networks.COMPLEX)


def real_rows(*shape):
    return np.random.default_rng(6).normal(size=shape).astype(DTYPE)


COLD, HOT = (0.02, 0.03), (0.4, 0.9)
CASES = {
    "one": Case(networks.hessian([1.0], np.zeros((1, 1))), "position", (0.02,), (0.4,), 12, 12, 6),
    "squeezed": Case(
        networks.hessian([1.0], np.zeros((1, 1)), [[0.3]]), "rotating-wave", (0.02,), (0.4,),
        60, 12, 6,
    ),
    "two": Case(near(0.7), "rotating-wave", COLD, HOT, 7, 36, 10),
    "two, by momenta": Case(near(-0.4), "momentum", COLD, HOT, 7, 36, 10),
    "two that share": Case(near(0.7), complex_rows(3, 2), (*COLD, 0.01), (*HOT, 0.2), 7, 36, 10),
    "two with pairs": Case(
        networks.pair(1.0, 1.2, 0.1, 0.1), real_rows(2, 4), COLD, HOT, 26, 40, 4, 1e-9
    ),
    "three": Case(three(), "position", (*COLD, 0.01), (*HOT, 0.2), 5, 56, 10),
    "three that share": Case(three(), complex_rows(2, 3), COLD, HOT, 5, 56, 10),
}  # fmt: skip


@cache
def space(name):
    case = CASES[name]
    return Space.of(case.hessian.astype(float), case.most, case.kept)


def check_in_fock_space(name, equation):
    """d⟨r⟩/dt and d⟨{r, rᵀ}⟩/2dt of a state that is not Gaussian."""
    case, states = CASES[name], space(name)
    rho = states.low_state(np.random.default_rng(1), case.low)
    frequency = np.abs(np.linalg.eigvals(networks.form(len(case.hessian) // 2) @ case.hessian).imag)
    omega = np.sort(frequency)[::2].astype(float)
    channels = [(row, symbol(equation, one, omega)) for row, one in case.channels()]
    first, second = states.moments(states.change(channels, rho))

    @jax.jit
    def answers(hessian, baths):
        dynamics = EQUATIONS[equation](jaxosc.Oscillators.from_hessian(hessian), baths)
        return dynamics.drift, dynamics.diffusion

    drift, diffusion = map(np.asarray, answers(case.hessian, case.baths()))
    mean, moments = states.moments(rho)
    np.testing.assert_allclose(drift @ mean, first, 0, digits(case.tolerance))
    change = drift @ moments + moments @ drift.T + diffusion
    np.testing.assert_allclose(change, second, 0, digits(10 * case.tolerance))


@pytest.mark.parametrize(
    ("name", "equation"), [("two", "redfield, shifted"), ("two", "detailed balance")]
)
def test_an_equation_in_fock_space(name, equation):
    check_in_fock_space(name, equation)


@double
@pytest.mark.nightly
@pytest.mark.parametrize("equation", EQUATIONS)
@pytest.mark.parametrize("name", CASES)
def test_in_fock_space(name, equation):
    check_in_fock_space(name, equation)


GIBBS = ("detailed balance", "redfield", "global", "partial secular")
SPECTRA = {
    "drude": Drude(DTYPE(3), reference=DTYPE(1.25)),
    "sum": 0.5 * PowerLaw(0.5, DTYPE(2), reference=DTYPE(1.25))
    + Brownian(DTYPE(1.125), DTYPE(0.0625), reference=DTYPE(1.25)),
}


def check_gibbs(name, modes, spectrum, lowering):
    """One bath of any coupling leaves it as it is: random networks, rates and temperatures."""
    generator, count = np.random.default_rng(modes), 200
    networks_ = [networks.random_hessian(generator, modes) for _ in range(count)]
    rows = generator.normal(size=(count, 1, modes if lowering else 2 * modes))
    if lowering:
        rows = rows + 1j * generator.normal(size=rows.shape)
    rows = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    temperature = np.exp(generator.uniform(np.log(0.05), np.log(10), count)).astype(DTYPE)
    temperature[0] = 0
    rate = generator.uniform(0.001, 0.3, count)

    @jax.jit
    @jax.vmap
    def answers(hessian, row, rate, temperature):
        baths = jaxosc.Baths(rate[None], temperature[None], SPECTRA[spectrum], coupling=row)
        dynamics = EQUATIONS[name](jaxosc.Oscillators.from_hessian(hessian), baths)
        return dynamics.drift, dynamics.diffusion

    given = np.stack(networks_), rows.astype(networks.COMPLEX if lowering else DTYPE)
    drifts, diffusions = answers(*given, rate.astype(DTYPE), temperature)
    for h, t, drift, diffusion in zip(networks_, temperature, drifts, diffusions, strict=True):
        state = networks.exact_gibbs(h, float(t))
        flow = np.asarray(drift, float) @ state
        size = np.abs(diffusion).max() + np.abs(flow).max()
        np.testing.assert_allclose(flow + flow.T + diffusion, 0 * state, 0, digits(2e-14) * size)


@pytest.mark.slow
def test_the_gibbs_state_is_stationary():
    check_gibbs("detailed balance", 2, "drude", False)


@pytest.mark.nightly
@pytest.mark.parametrize("lowering", [False, True])
@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("modes", [1, 3, 6])
@pytest.mark.parametrize("name", GIBBS)
def test_the_gibbs_state_of_any_bath_is_stationary(name, modes, spectrum, lowering):
    check_gibbs(name, modes, spectrum, lowering)


@double
@pytest.mark.nightly
@pytest.mark.parametrize("name", [name for name in EQUATIONS if name != "coarse-grained"])
def test_orders_against_the_exact_bath(name):
    """Populations of normal modes to O(γ) for all, coherences to O(γ²) with principal values."""
    oscillators = jaxosc.pair((1.0, 1.3), 0.12, "position")
    lower = np.linalg.cholesky(np.asarray(oscillators.hessian))
    w, vectors = np.linalg.eigh(1j * lower.T @ networks.form(2) @ lower)
    operators = vectors.conj().T @ lower.T / np.sqrt(np.abs(w))[:, None]

    @jax.jit
    def states(rate):
        baths = jaxosc.Baths(
            (rate, 1.5 * rate), (1.0, 0.5), Drude(10.0, reference=1.0), coupling="position"
        )
        found = (EQUATIONS[name](oscillators, baths), jaxosc.langevin(oscillators, baths))
        return jnp.stack([jaxosc.steady_state(dynamics) for dynamics in found])

    errors = []
    for rate in (2e-3, 1e-3):
        state, exact = np.asarray(states(rate))
        error = np.abs(operators @ (state - exact) @ operators.conj().T) / rate
        errors.append((np.diag(error).max(), np.max(error - np.diag(np.diag(error)))))
    (population, coherence), (less, least) = errors
    np.testing.assert_allclose(population, less, 1e-2)
    if name == "redfield, shifted":
        assert 1.9 < coherence / least < 2.1
        assert less > 1.4
    else:
        np.testing.assert_allclose(coherence, least, 1e-2)
        assert less < 0.7


def lyapunov(drift, diffusion):
    """σ by Kronecker products, in the digits of mpmath."""
    size = drift.rows
    matrix, right = mpmath.zeros(size**2), mpmath.zeros(size**2, 1)
    for i, j in itertools.product(range(size), repeat=2):
        right[size * i + j] = -diffusion[i, j]
        for k in range(size):
            matrix[size * i + j, size * k + j] += drift[i, k]
            matrix[size * i + j, size * i + k] += drift[j, k]
    solution = mpmath.lu_solve(matrix, right)
    return mpmath.matrix([[solution[size * i + j] for j in range(size)] for i in range(size)])


def precise(name, omega, coupling, temperature, rate=0.01):
    """⟨n_1⟩ + ⟨x_1x_2⟩ of a chain with Drude baths of positions, by mpmath."""
    modes, mp = len(omega), mpmath
    form = mp.matrix(networks.form(modes).tolist())
    h = mp.diag([w for w in omega for _ in range(2)])
    for j in range(modes - 1):
        h[2 * j, 2 * j + 2] = h[2 * j + 2, 2 * j] = 2 * coupling
    lower = mp.cholesky(h)
    w, vectors = mp.eighe(mp.mpc(0, 1) * (lower.T * form * lower))
    inverse = lower**-1
    drift, diffusion = form * h, mp.zeros(2 * modes)
    for j, t in enumerate(temperature):

        def noise(v, t=t):
            rate_ = rate * abs(v) / (9 + v**2) * (9 + mp.mpf(REFERENCE) ** 2) / mp.mpf(REFERENCE)
            return 2 * rate_ * (1 / mp.expm1(abs(v) / t) + (v > 0))

        amplitudes = vectors.T * inverse[:, 2 * j] * mp.sqrt(2)
        kernel = mp.zeros(2 * modes)
        for a in range(2 * modes):
            for b in range(2 * modes):
                gamma = noise(w[b]) / 2
                if name == "detailed balance":
                    gamma = mp.sqrt(noise(w[a]) * noise(w[b])) / 2
                    gamma *= 1 + mp.tanh((w[b] - w[a]) / (4 * t))
                kernel[a, b] = mp.conj(amplitudes[a]) * amplitudes[b] * gamma
        kernel = lower * vectors * kernel * vectors.H * lower.T
        drift += 2 * form * kernel.apply(mp.im)
        diffusion += form * (kernel + kernel.T).apply(mp.re) * form.T
    state = lyapunov(drift, diffusion)
    return (state[0, 0] + state[1, 1] - 1) / 2 + state[0, 2]


def finite_differences(function, point):
    """Gradient and Hessian in the digits of mpmath."""
    step = mpmath.mpf(10) ** -12
    size = len(point)

    def moved(*places):
        shifted = list(point)
        for place, sign in places:
            shifted[place] += sign * step
        return function(shifted)

    gradient = [(moved((i, 1)) - moved((i, -1))) / (2 * step) for i in range(size)]
    hessian = [
        [
            sum(s * t * moved((i, s), (j, t)) for s in (1, -1) for t in (1, -1)) / (4 * step**2)
            for j in range(size)
        ]
        for i in range(size)
    ]
    return np.array(gradient, float), np.array(hessian, float)


@double
@pytest.mark.nightly
@pytest.mark.parametrize("modes", [2, pytest.param(3, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("name", ["detailed balance", "redfield"])
def test_derivatives_where_all_modes_coincide(name, modes):
    """By the coupling, a frequency and a temperature, at two and three equal oscillators."""
    warm = (0.5, 1.0, 0.75)[:modes]
    links = np.eye(modes, k=1) + np.eye(modes, k=-1)

    def value(point):
        coupling, first, temperature = point
        frequency = jnp.ones(modes).at[0].set(first)
        oscillators = jaxosc.Oscillators(frequency, coupling * links, coupling * links)
        baths = jaxosc.Baths(
            0.01, jnp.asarray(warm).at[0].set(temperature), SPECTRA["drude"], coupling="position"
        )
        state = jaxosc.steady_state(EQUATIONS[name](oscillators, baths))
        return (state[0, 0] + state[1, 1] - 1) / 2 + state[0, 2]

    def reference(point):
        omega = [point[1]] + [mpmath.mpf(1)] * (modes - 1)
        return precise(name, omega, point[0], [point[2], *map(mpmath.mpf, warm[1:])])

    point = (0.0, 1.0, 0.5)
    with mpmath.workdps(60):
        gradient, hessian = finite_differences(reference, [mpmath.mpf(x) for x in point])
    point = jnp.asarray(point)
    for derivative in (jax.jacfwd, jax.jacrev):
        np.testing.assert_allclose(jax.jit(derivative(value))(point), gradient, 1e-10, 1e-12)
    np.testing.assert_allclose(jax.jit(jax.hessian(value))(point), hessian, 1e-9, 1e-10)


LAWFUL = ("detailed balance", "global")


def check_second_law(name, count, modes, coupling):
    """Random networks, near and far from degeneracy, hot and cold, weakly and strongly damped."""
    generator = np.random.default_rng(modes)
    h = np.stack([networks.random_hessian(generator, modes) for _ in range(count)]).astype(float)
    shrink = 10 ** generator.uniform(-3, 0, (count, 1, 1))
    near = np.eye(2 * modes) + shrink * (h - np.eye(2 * modes) * h)
    h = np.where(generator.random((count, 1, 1)) < 0.3, near, h).astype(DTYPE)
    baths, named = (modes, True) if coupling in ("position", "rotating-wave") else (2, False)
    rows = generator.normal(size=(count, baths, 2 * modes))
    if coupling == "lowering rows":
        rows = rows[..., :modes] + 1j * rows[..., modes:]
    rows = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    spread = [(0.01, 10), (1e-4, 0.3)]
    temperature, rate = (
        np.exp(generator.uniform(*np.log(bounds), (count, baths))).astype(DTYPE)
        for bounds in spread
    )
    cutoff = np.exp(generator.uniform(0, 3, count)).astype(DTYPE)

    @jax.jit
    @jax.vmap
    def answers(hessian, row, rate, temperature, cutoff):
        one = jnp.ones_like(cutoff)
        spectrum = Drude(cutoff, reference=one)
        contact = coupling if named else row
        given = jaxosc.Baths(rate, temperature, spectrum, coupling=contact)
        dynamics = EQUATIONS[name](jaxosc.Oscillators.from_hessian(hessian), given)
        return jaxosc.heat_currents(dynamics), jaxosc.entropy_production(dynamics)

    rows = rows.astype(networks.COMPLEX if coupling == "lowering rows" else DTYPE)
    heat, entropy = map(np.asarray, answers(h, rows, rate, temperature, cutoff))
    # Currents are differences of flows of the order γΩ.
    flow = np.sum(rate, axis=-1) * 20
    assert np.all(np.abs(np.sum(heat, axis=-1)) < digits(1e-13) * flow)
    assert np.all(entropy > -digits(1e-13) * np.sum(rate / temperature, axis=-1) * 20)


@pytest.mark.nightly
@double
def test_the_laws_of_thermodynamics():
    check_second_law("detailed balance", 200, 2, "position")


@double
@pytest.mark.nightly
@pytest.mark.parametrize("coupling", ["position", "rotating-wave", "lowering rows", "rows"])
@pytest.mark.parametrize("modes", [1, 2, 3, 4])
@pytest.mark.parametrize("name", LAWFUL)
def test_the_laws_of_thermodynamics_in_ten_thousand_networks(name, modes, coupling):
    check_second_law(name, 625, modes, coupling)
