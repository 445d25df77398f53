"""The whole of oscillators and baths as one quadratic Hamiltonian, evolved exactly.

Two oscillators of H = Σ ω_j a_j†a_j + 2λ x_1 x_2, the position of each coupled to a bath of its
own. With x_j = √ω_j q_j, p_j = P_j/√ω_j,

    H = Σ_j ½(P_j² + ω_j² q_j²) + 2λ√(ω_1 ω_2) q_1 q_2
        + Σ_k ½[π_k² + ν_k² (y_k − c_k q_j(k)/ν_k²)²],

the square with its counter-term. Eliminating the bath leaves the friction kernel
Σ_k c_k²/ν_k² cos(ν_k t), which for an Ohmic-Drude spectrum is (2/π) ∫ 2γ_j D(ν) cos(νt) dν with
D(ν) = Λ²/(Λ² + ν²): for Λ → ∞, q̈_j + 2γ_j q̇_j + …, an amplitude that decays at the rate γ_j. In
normal modes q_j = Σ_k R_jk Q_k the bath j damps Q_k at γ_j D(Ω_k) R_jk²: the rates of the global
equation for position coupling and an Ohmic spectrum, up to D, which cancels from the steady state.

Nothing here takes an equation or a normal mode from the library.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from precision import EPS, double

import jaxosc
from jaxosc.papers import konopik_lutz

CUTOFF = 50.0


@dataclass(frozen=True)
class Model:
    """Frequencies, λ/λ_c for position coupling, damping and temperatures of the two baths."""

    omega: tuple[float, float]
    ratio: float
    damping: tuple[float, float]
    temperature: tuple[float, float]

    @property
    def coupling(self):
        return self.ratio * np.sqrt(self.omega[0] * self.omega[1]) / 2

    @property
    def potential(self):
        """[[ω_1², 2λ√(ω_1ω_2)], [., ω_2²]], without the counter-terms."""
        off = 2 * self.coupling * np.sqrt(self.omega[0] * self.omega[1])
        return np.array([[self.omega[0] ** 2, off], [off, self.omega[1] ** 2]])

    @property
    def resonances(self):
        """Normal-mode frequencies and their amplitude damping Σ_j γ_j R_jk²."""
        squares, rotation = np.linalg.eigh(self.potential)
        return np.sqrt(squares), np.array(self.damping) @ rotation**2

    def damped(self, scale):
        return replace(self, damping=tuple(scale * gamma for gamma in self.damping))


PAPER = Model((5.0, 2.0), 0.9, (1.5e-4, 1.5e-4), (98.0, 298.0))


def noise(nu, temperature):
    """coth(ν/2T)."""
    return 1 / np.tanh(nu / (2 * temperature)) if temperature else np.ones_like(nu)


def in_quadratures(model, qq, pp, qp):
    """The covariance of (x1, p1, x2, p2) from that of positions and momenta of unit mass."""
    root = np.sqrt(model.omega)
    covariance = np.empty((4, 4))
    covariance[::2, ::2] = qq * np.outer(root, root)
    covariance[1::2, 1::2] = pp / np.outer(root, root)
    covariance[::2, 1::2] = qp * np.outer(root, 1 / root)
    covariance[1::2, ::2] = covariance[::2, 1::2].T
    return covariance


# ---------------------------------------------------------------------------------------------
# The infinite bath: an integral over frequency


def infinite_bath(model):
    """σ = ∫ χ(ν) diag(2γ_jD(ν) ν coth(ν/2T_j)) χ(ν)† dν/2π, χ⁻¹ = V − ν² − iν μ(ν)."""
    resonances, rates = model.resonances
    # Panels that grow in proportion to the distance from ν = 0 and from each resonance
    points = {0.0}
    centers = [(0.0, 0.01 * min(filter(None, (*model.temperature, *resonances))))]
    for center, scale in [*centers, *zip(resonances, rates, strict=True)]:
        steps = scale * 2.0 ** np.arange(np.ceil(np.log2(1e9 / scale)))
        points |= {center, *(center + steps), *(center - steps[steps < center])}
    edges = np.array(sorted(points))
    node, weight = np.polynomial.legendre.leggauss(24)
    half = np.diff(edges)[:, None] / 2
    nu = (edges[:-1, None] + half * (1 + node)).ravel()
    weight = (half * weight).ravel() / np.pi  # twice the half axis
    friction = 2 * np.array(model.damping) * CUTOFF / (CUTOFF - 1j * nu[:, None])
    inverse = model.potential - nu[:, None, None] ** 2 * np.eye(2)
    inverse = inverse - 1j * nu[:, None, None] * (friction[:, None, :] * np.eye(2))
    response = np.linalg.inv(inverse)
    source = [nu * friction[:, j].real * noise(nu, model.temperature[j]) for j in (0, 1)]
    spectrum = (response * np.stack(source, axis=-1)[:, None, :]) @ response.conj().mT

    def moment(factor):
        return np.tensordot(weight * factor, spectrum, 1).real

    return in_quadratures(model, moment(1), moment(nu**2), moment(1j * nu))


# ---------------------------------------------------------------------------------------------
# The finite bath: frequencies, exact normal modes of the whole, exact evolution


def bath_frequencies(model, width, spacing, growth):
    """ν_k and the intervals Δ_k they stand for: the midpoint rule in a variable s(ν).

    Next to a resonance Ω the frequencies are `spacing` apart; beyond `width` the density falls as
    the square of the distance, as does what these modes contribute, down to one mode for each
    step of `growth` times the distance. Mirror images at −Ω make s odd, so that the midpoint rule
    converges exponentially at ν = 0 too. Above 20 Λ the spectrum falls as ν⁻²; what is left out is
    γΛ²/(20Λ)² of ⟨p²⟩.
    """
    resonances, rates = model.resonances
    terms = [(s * center, width * rate) for center, rate in zip(resonances, rates, strict=True)
             for s in (1, -1)]  # fmt: skip

    def number(nu):
        return sum(
            wide / spacing * np.arctan((nu - at) / wide) + np.arcsinh((nu - at) / wide) / growth
            for at, wide in terms
        )

    def density(nu):
        return sum(
            1 / (spacing * (1 + ((nu - at) / wide) ** 2)) + 1 / (growth * np.hypot(nu - at, wide))
            for at, wide in terms
        )

    target = np.arange(int(number(20 * CUTOFF))) + 0.5
    low, high = np.zeros_like(target), np.full_like(target, 40 * CUTOFF)
    for _ in range(64):
        middle = (low + high) / 2
        below = number(middle) < target
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low, 1 / density(low)


def normal_modes_of_the_whole(potential, frequency, coupling):
    """Eigenvalues of [[V, −c], [−cᵀ, diag ν²]] and the oscillators' two rows of the eigenvectors.

    An eigenvalue E is a zero of the 2 × 2 matrix S(E) = V − E − c (ν² − E)⁻¹ cᵀ, and by Sylvester's
    law of inertia the number of eigenvalues below E is that of ν² below E plus that of negative
    eigenvalues of S(E). Bisection by that count finds them all, each to its own last digit, in a
    time that grows as the square of their number. c must couple each bath mode to one oscillator.
    """
    pole = frequency**2
    order = np.argsort(pole)
    pole, square = pole[order], (coupling[:, order] ** 2).T.copy()
    size = len(pole) + 2

    def cauchy(energy, power):
        """Σ_k c_jk²/(ν_k² − E)^power."""
        parts = []
        for start in range(0, size, 64):  # blocks that stay in the cache
            block = pole - energy[start : start + 64, None]
            parts.append((1 / block**power) @ square)
        return np.concatenate(parts).T

    def schur(energy):
        first, second = np.diag(potential)[:, None] - energy - cauchy(energy, 1)
        return first, second, potential[0, 1]

    highest = pole[-1] + 2 * np.abs(potential).sum()
    low, high = np.concatenate([[0, 0], pole]), np.concatenate([pole, [highest, highest]])
    for _ in range(54):
        energy = (low + high) / 2
        with np.errstate(divide="ignore", invalid="ignore"):  # where the middle is a pole
            first, second, off = schur(energy)
            determinant = first * second - off**2
        negative = np.where(determinant < 0, 1, np.where(first + second < 0, 2, 0))
        above = np.searchsorted(pole, energy) + negative <= np.arange(size)
        low, high = np.where(above, energy, low), np.where(above, high, energy)
    first, second, off = schur(energy)
    vector = np.where(
        np.abs(first) > np.abs(second), [np.full(size, -off), first], [second, np.full(size, -off)]
    )
    norm = np.sum(vector**2 * (1 + cauchy(energy, 2)), axis=0)
    return energy, vector / np.sqrt(norm)


def finite_bath(model, width, growth, start=0.5, passes=2, dense=False):
    """Covariance of the oscillators in the finite bath, and the number of bath modes.

    At t = 0 oscillators and baths are uncorrelated, each bath thermal by itself. The covariance is
    averaged over a Gaussian window of times, 4 to 8 decay times after the start. Bath modes that
    can exchange energy in that time are close enough together to recur later, at 2π/spacing = 9
    decay times. The average removes what oscillates with the frequency of single bath modes
    further off, and of the normal modes against each other.

    What is left of the first state after that time, e⁻⁸ and less, is removed by a second pass that
    starts with fresh baths from the variances that the first one ended with.
    """
    _, rates = model.resonances
    sigma = 0.5 / rates.min()
    center = 12 * sigma
    # Bath modes of both baths at the same frequency would exchange their energy through the
    # oscillators, resonantly, which modes of a continuum do not.
    grids = [
        bath_frequencies(model, width, 2 * np.pi / (factor * 18 * sigma), growth / factor)
        for factor in (1, 1.1)
    ]
    bath = np.repeat([0, 1], [len(nu) for nu, _ in grids])
    nu, interval = np.concatenate(grids, axis=1)
    spectrum = 2 * np.array(model.damping)[bath] * CUTOFF**2 / (CUTOFF**2 + nu**2)
    strength = nu * np.sqrt(2 / np.pi * spectrum * interval)
    coupling = np.where(bath == np.array([[0], [1]]), strength, 0)
    potential = model.potential + np.diag(np.sum((coupling / nu) ** 2, axis=1))
    if dense:
        whole = np.block([[potential, -coupling], [-coupling.T, np.diag(nu**2)]])
        energy, vectors = np.linalg.eigh(whole)
        rows = vectors[:2]
    else:
        energy, rows = normal_modes_of_the_whole(potential, nu, coupling)
    # The squares of a complete set
    np.testing.assert_allclose(rows @ rows.T, np.eye(2), atol=1e-9)
    omega = np.sqrt(energy)
    thermal = np.where(bath == 0, *(noise(nu, t) for t in model.temperature))

    def at_bath(part):
        """The bath's entries of the eigenvectors, mode by mode."""
        if dense:
            return vectors[2:, part].T
        return strength * rows[:, part].T[:, bath] / (nu**2 - energy[part, None])

    constant = np.zeros((3, 2, 2))
    memory = np.zeros((3, 2, 2, 2, 2, 2))
    for first in range(0, len(energy), 128):
        a = slice(first, min(first + 128, len(energy)))
        # Pairs further apart than 8/σ average to e⁻³²; the band holds every pair whose sum is
        # smaller than that, too
        b = slice(*np.searchsorted(omega, [omega[a][0] - 8 / sigma, omega[a][-1] + 8 / sigma]))
        wa, wb = omega[a, None], omega[None, b]
        apart, together = wa - wb, wa + wb
        fade = [np.exp(-((w * sigma) ** 2) / 2) / 2 for w in (apart, together)]
        even = [f * np.cos(w * center) for f, w in zip(fade, (apart, together), strict=True)]
        odd = [f * np.sin(w * center) for f, w in zip(fade, (apart, together), strict=True)]
        coscos, sinsin = even[0] + even[1], even[0] - even[1]
        sincos, cossin = odd[1] + odd[0], odd[1] - odd[0]
        # ⟨qq⟩, ⟨pp⟩, ⟨qp⟩ at t from positions and from momenta at 0
        kernels = [
            (coscos, sinsin / (wa * wb)),
            (sinsin * wa * wb, coscos),
            (-cossin * wb, sincos / wa),
        ]
        va, vb = at_bath(a), at_bath(b)
        sources = [(va * thermal / (2 * nu)) @ vb.T, (va * thermal * nu / 2) @ vb.T]
        for moment, pair in enumerate(kernels):
            for origin, (kernel, source) in enumerate(zip(pair, sources, strict=True)):
                constant[moment] += rows[:, a] @ (kernel * source) @ rows[:, b].T
                memory[moment, origin] += np.einsum(
                    "im,km,mn,ln,jn->ijkl",
                    rows[:, a], rows[:, a], kernel, rows[:, b], rows[:, b], optimize=True,
                )  # fmt: skip
    frequency = np.array(model.omega)
    initial = np.stack([np.diag(start / frequency), np.diag(start * frequency)])
    for _ in range(passes):
        final = constant + np.einsum("moijkl,okl->mij", memory, initial)
        initial = final[:2]
    return in_quadratures(model, *final), len(nu)


# ---------------------------------------------------------------------------------------------
# The library


def occupations(covariance):
    return (np.diag(covariance)[::2] + np.diag(covariance)[1::2] - 1) / 2


def description(model, equation, spectrum="flat", coupling="rotating-wave"):
    baths = jaxosc.Baths(model.damping, model.temperature, spectrum, coupling=coupling)
    oscillators = jaxosc.pair(model.omega, model.coupling, "position")
    return np.asarray(jaxosc.steady_state(equation(oscillators, baths)))


def deviation(model, covariance, *args, **options):
    """Relative deviation of a description's occupations from those of a covariance."""
    return occupations(description(model, *args, **options)) / occupations(covariance) - 1


SECULAR = {"equation": jaxosc.global_lindblad, "spectrum": "ohmic", "coupling": "position"}

# Cold and unequally damped; hotter, weakly coupled, the fast oscillator cold; closer to λ_c;
# equal frequencies
MODELS = {
    "cold": Model((1.0, 0.7), 0.6, (4e-3, 1e-3), (0.15, 0.4)),
    "weak": Model((2.0, 3.0), 0.3, (2e-3, 6e-3), (9.0, 1.5)),
    "strong": Model((1.0, 0.7), 0.85, (1e-3, 5e-3), (0.5, 2.0)),
    "resonant": Model((1.0, 1.0), 0.5, (2e-3, 6e-3), (0.5, 3.0)),
}


@pytest.mark.parametrize("model", [PAPER, *MODELS.values()], ids=["paper", *MODELS])
def test_gamma_is_the_amplitude_rate(model):
    """The free motion of the microscopic model decays as that of the Langevin equation does."""
    # Weakly damped, so that what is of the second order in γ does not show
    model = model.damped(1e-6 / max(model.damping))
    baths = jaxosc.Baths(model.damping, model.temperature)
    oscillators = jaxosc.pair(model.omega, model.coupling, "position")
    drift = np.linalg.eigvals(jaxosc.langevin(oscillators, baths).drift)
    drift = np.sort_complex(1j * drift[drift.imag < 0])  # motion exp(−iνt)

    def determinant(nu):
        friction = 2 * np.array(model.damping) * CUTOFF / (CUTOFF - 1j * nu)
        return np.linalg.det(model.potential - np.diag(nu**2 + 1j * nu * friction))

    for expected in drift:
        root, step = expected, 1e-4 * expected
        for _ in range(20):  # Newton's method; an error of the slope only makes it slower
            slope = (determinant(root + step) - determinant(root - step)) / (2 * step)
            root -= determinant(root) / slope
        # D(Ω) = 1 − Ω²/Λ² is 1.1 % less than 1 at 5.3, and nothing else is of order γ
        filtered = expected.imag / (1 + expected.real**2 / CUTOFF**2)
        assert root.imag == pytest.approx(filtered, rel=1e-4)


@double
def test_the_papers_parameters():
    """145.92299520, the Langevin equation's 145.922965 and Eq. 17's 137.406."""
    exact = infinite_bath(PAPER)
    # 145.92299520 has eleven digits; the integral, by panels of 24 nodes, has twelve
    assert occupations(exact)[0] == pytest.approx(145.92299520, abs=2e-8)
    langevin = description(PAPER, jaxosc.langevin)
    assert occupations(langevin)[0] == pytest.approx(145.922965, abs=5e-7)
    # γ/Ω₋ = 1.8e-4, times about Ω/T: what is of first order in γ is a quantum correction
    assert np.abs(deviation(PAPER, exact, jaxosc.langevin)).max() < 3e-7
    assert np.abs(deviation(PAPER, exact, **SECULAR)).max() < 3e-7
    # Other rates are wrong by per cent, at any damping
    for equation, spectrum, expected in (
        (konopik_lutz.global_lindblad, "flat", [-0.0584, -0.0794]),
        (jaxosc.global_lindblad, "ohmic", [0.0631, 0.0283]),
    ):
        for scale in (1.0, 0.1):
            model = PAPER.damped(scale)
            wrong = deviation(model, infinite_bath(model), equation, spectrum)
            np.testing.assert_allclose(wrong, expected, atol=1e-4)  # the digits given
    # The variances and the correlations of positions and of momenta agree as well. Those of a
    # position with a momentum are of order γ themselves, and of another size where damping acts on
    # the momenta alone (microscopic) than where it acts on both (Langevin).
    for block in (np.s_[::2, ::2], np.s_[1::2, 1::2]):
        np.testing.assert_allclose(langevin[block], exact[block], rtol=1e-5)
        np.testing.assert_allclose(description(PAPER, **SECULAR)[block], exact[block], rtol=1e-5)


@double
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_deviations_are_of_order_gamma(model):
    """Langevin and global differ from the microscopic model by what shrinks with the damping."""
    for case in ({"equation": jaxosc.langevin}, SECULAR):
        found = []
        for scale in (0.1, 0.01, 0.001):
            weaker = model.damped(scale)
            found.append(deviation(weaker, infinite_bath(weaker), **case))
        # The next order is γ/ω times 0.1 to 10 of it, and γ/ω is 6e-4 at the first of the three
        np.testing.assert_allclose(found[0], 10 * found[1], rtol=0.05)
        np.testing.assert_allclose(found[1], 10 * found[2], rtol=0.005)
        assert np.abs(found[0]).max() < 10 * 0.1 * max(model.damping) / min(model.omega)


def test_a_small_finite_bath():
    """Normal modes by a general solver; two first states; the infinite bath within its width⁻³."""
    model = MODELS["cold"]
    exact = infinite_bath(model)
    covariance, modes = finite_bath(model, 12, 0.4)
    assert modes < 600
    # eigh finds ν² to 1e-16 of the largest, 1e6
    dense, _ = finite_bath(model, 12, 0.4, dense=True)
    np.testing.assert_allclose(covariance, dense, atol=1e-8)
    # Vacuum or 20 quanta: the memory is e⁻⁸ after one pass and of the second order after two
    other, _ = finite_bath(model, 12, 0.4, start=20.5)
    np.testing.assert_allclose(covariance, other, atol=1e-5)
    np.testing.assert_allclose(occupations(covariance), occupations(exact), rtol=2e-3)  # 12⁻³
    # while the descriptions differ by per cent at this damping
    assert np.abs(deviation(model, covariance, **SECULAR)).max() > 0.03


@pytest.mark.nightly
def test_a_finite_bath_converges_to_145_92299520():
    """Bath modes as dense as the recurrence asks for, to 48, 96 and 192 widths of the resonances.

    A bath mode at a distance δ from a resonance of width γ contributes γ/δ². Beyond the dense part
    it does so as an undamped one, wrong by (γ/δ)² of it: together γ³/δ³. That order is seen, and
    taken out once.
    """
    exact = occupations(infinite_bath(PAPER))
    results, sizes = [], []
    for width in (48, 96, 192):
        covariance, modes = finite_bath(PAPER, width, 0.15)
        results.append(occupations(covariance))
        sizes.append(modes)
    assert sizes == sorted(sizes)
    assert sizes[-1] < 4500
    error = np.abs(np.array(results) / exact - 1).max(axis=1)
    assert error[0] < 2e-6
    assert (error[1:] < error[:-1] / 5).all()  # by 8, but for what recurs
    # Ten times less than separates it from the Langevin equation, 2.1e-7
    assert error[2] < 3e-8
    finite = results[2][0]
    assert finite == pytest.approx(145.92299520, rel=1e-8)
    assert finite != pytest.approx(145.922965, rel=1e-7)
    # What recurs, and is not of that order, leaves 1e-9 to 3e-9: eight digits
    best = (8 * results[2] - results[1]) / 7
    np.testing.assert_allclose(best, exact, rtol=6e-9)
    assert best[0] == pytest.approx(145.92299520, rel=6e-9)
    # Relative to the finite bath as to the infinite one
    for case in ({"equation": jaxosc.langevin}, SECULAR):
        assert np.abs(deviation(PAPER, covariance, **case)).max() < max(3e-7, 8 * EPS)
    assert np.abs(deviation(PAPER, covariance, konopik_lutz.global_lindblad)).min() > 0.05
    # The heat current, 2λω_2⟨x_1p_2⟩, is of order γ, and misses what is further off: 1/width of it
    np.testing.assert_allclose(covariance[0, 3], infinite_bath(PAPER)[0, 3], rtol=2 / 192)


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["cold", "strong"])
def test_finite_baths_and_the_order_of_gamma(name):
    """Elsewhere: the deviation from a finite bath halves with the damping."""
    found = {"langevin": [], "global": []}
    for scale in (1.0, 0.5, 0.25):
        model = MODELS[name].damped(scale)
        covariance, _ = finite_bath(model, 48, 0.15)
        # 48⁻³ and what recurs, of variances near 1/2 where it is cold
        exact = occupations(infinite_bath(model))
        np.testing.assert_allclose(occupations(covariance), exact, rtol=5e-5)
        found["langevin"].append(deviation(model, covariance, jaxosc.langevin))
        found["global"].append(deviation(model, covariance, **SECULAR))
        assert np.abs(deviation(model, covariance, konopik_lutz.global_lindblad)).max() > 0.015
    for values in found.values():
        size = np.abs(values).max(axis=1)
        # γ/ω is 7e-3 at most, the next order up to 20 times that of the first, see above
        np.testing.assert_allclose(size[:-1] / size[1:], 2, rtol=0.12)
