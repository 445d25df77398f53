"""Networks with equal normal frequencies, dark modes and weak links: no answer from a choice."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import reference
import secular
from legs import nightly, others_at_night, slow
from precision import DTYPE, EPS, digits, double, rounded

import jaxosc
from jaxosc.papers import konopik_lutz

GRAPHS = {
    "triangle": secular.ring(3),
    "ring 4": secular.ring(4),
    "complete 4": secular.complete(4),
    "star 4": secular.star(4),
    "lattice 2x2": secular.lattice(2, 2),
    "ring 6": secular.ring(6),
    "lattice 2x3": secular.lattice(2, 3),
    "complete 5": secular.complete(5),
    "ring 7": secular.ring(7),
    "star 8": secular.star(8),
    "ring 8": secular.ring(8),
}
graphs = pytest.mark.parametrize("name", others_at_night(GRAPHS, ("star 4",), ("complete 4",)))
# Coupling and spectrum of the baths
COUPLINGS = (("paper", "flat"), ("rotating-wave", "flat"), ("position", "ohmic"))
MOMENTUM = ("momentum", "flat")


@functools.cache
def compiled(equation, coupling="rotating-wave", spectrum="flat"):
    """σ of a network given as five arrays."""
    if coupling == "paper":
        equation, coupling = konopik_lutz.global_lindblad, "rotating-wave"

    def state(frequency, exchange, pairing, damping, temperature):
        oscillators = jaxosc.Oscillators(frequency, exchange, pairing)
        baths = jaxosc.Baths(damping, temperature, spectrum, coupling=coupling)
        return jaxosc.steady_state(equation(oscillators, baths))

    return jax.jit(state)


def symmetric_network(name, seed, ratio=0.6, strength=0.113):
    """Identical oscillators, identical links, baths of unequal rates and temperatures."""
    generator = np.random.default_rng(seed)
    adjacency = GRAPHS[name]
    modes = len(adjacency)
    parts = (
        np.full(modes, 1.3), strength * adjacency, ratio * strength * adjacency,
        10 ** generator.uniform(-3, -1, modes), 10 ** generator.uniform(-0.3, 1, modes),
    )  # fmt: skip
    return [np.asarray(part, DTYPE) for part in parts]


def exact(matrix):
    return np.array([[float(x) for x in row] for row in matrix.tolist()])


@pytest.mark.slow
@graphs
def test_the_numbering_of_the_sites_does_not_matter(name):
    """Every description of renamed sites is the renamed description."""
    parts = symmetric_network(name, 1)
    generator = np.random.default_rng(2)
    equations = {
        "local": compiled(jaxosc.local_lindblad),
        "langevin": compiled(jaxosc.langevin),
        **{names[0]: compiled(jaxosc.global_lindblad, *names) for names in COUPLINGS},
        "gibbs": jax.jit(lambda w, e, k, g, t: jaxosc.gibbs(jaxosc.Oscillators(w, e, k), t[0])),
    }
    for description, equation in equations.items():
        for _ in range(3):
            order = generator.permutation(len(parts[0]))
            renamed = [p[order] if p.ndim == 1 else p[np.ix_(order, order)] for p in parts]
            if description == "gibbs":
                renamed[4] = parts[4]
            index = (2 * order[:, None] + np.arange(2)).reshape(-1)
            expected = np.asarray(equation(*parts))[np.ix_(index, index)]
            np.testing.assert_allclose(
                equation(*renamed),
                expected,
                rtol=0,
                atol=digits(1e-13) * np.abs(expected).max(),
                err_msg=description,
            )


@graphs
@pytest.mark.parametrize(("coupling", "spectrum"), [COUPLINGS[0], *slow(*COUPLINGS[1:], MOMENTUM)])
def test_the_coherences_of_an_eigenspace_are_kept(name, coupling, spectrum):
    parts = symmetric_network(name, 3)
    state = compiled(jaxosc.global_lindblad, coupling, spectrum)(*parts)
    expected = exact(secular.global_(*parts, coupling, spectrum))
    np.testing.assert_allclose(state, expected, rtol=0, atol=digits(1e-14) * np.abs(expected).max())


@pytest.mark.parametrize("name", nightly("triangle", "complete 4"))
def test_derivatives_with_the_eigenspace_held_together(name):
    """By everything, of which some split the eigenspace; of three sites once more."""
    parts = symmetric_network(name, 4)
    numbers = [[reference._exact(x) for x in part.reshape(-1)] for part in parts]
    modes = len(parts[0])

    def occupation(*parts):
        return jaxosc.occupation(compiled(jaxosc.global_lindblad)(*parts))[1]

    def moved(*steps):
        """⟨n2⟩ with ω_3, λ_12, κ_12, γ_3 and T_3 moved."""
        own = [list(number) for number in numbers]
        for step, part in zip(steps, own, strict=True):
            if len(part) == modes:
                part[2] += step
            else:
                part[1] += step
                part[modes] += step
        own[1:3] = [[m[i * modes : (i + 1) * modes] for i in range(modes)] for m in own[1:3]]
        return reference.occupation(secular.global_(*own))[1]

    def direction(which):
        tangents = [np.zeros_like(part) for part in parts]
        if tangents[which].ndim == 1:
            tangents[which][2] = 1
        else:
            tangents[which][0, 1] = tangents[which][1, 0] = 1
        return tangents

    gradient = jax.jit(jax.grad(occupation, argnums=range(5)))(*parts)
    with mpmath.workdps(90):
        for which in range(5):
            slope = mpmath.diff(
                lambda x, i=which: moved(*(x if i == m else 0 for m in range(5))), 0, h=1e-30
            )
            found = sum(np.sum(g * t) for g, t in zip(gradient, direction(which), strict=True))
            # what cancels is of size ⟨n⟩ over the distance of other modes, some 10
            assert found == pytest.approx(float(slope), abs=digits(1e-12))
    if modes != 3 or EPS > 1e-10:
        return
    _, second = jax.jit(
        lambda *parts: jax.jvp(
            lambda *p: jax.jvp(occupation, p, tuple(direction(1)))[1], parts, tuple(direction(0))
        )
    )(*parts)
    with mpmath.workdps(120):
        step = mpmath.mpf(10) ** -20
        mixed = sum(
            a * b * moved(a * step, b * step, 0, 0, 0) for a in (1, -1) for b in (1, -1)
        ) / (4 * step**2)
    assert second == pytest.approx(float(mixed), rel=1e-10)


LANDMARKS = [
    (secular.ring(3), 0.1, 1e-5, (1, 2, 5), (1.656071577677, 2.014231083162, 3.117881481475)),
    (
        secular.complete(4), 0.05, 1e-3, (1, 2, 5, 3),
        (1.40883036, 1.91586334, 3.48300498, 2.43563394),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("adjacency", "strength", "gamma", "temperature", "numbers"),
    [LANDMARKS[0], *nightly(LANDMARKS[1])],
)
@pytest.mark.slow
def test_landmarks(adjacency, strength, gamma, temperature, numbers):
    modes = len(numbers)
    parts = (np.ones(modes), strength * adjacency, 0 * adjacency, np.full(modes, gamma))
    parts = [np.asarray(part, DTYPE) for part in (*parts, temperature)]
    for coupling in ("paper", "rotating-wave", "position"):
        state = compiled(jaxosc.global_lindblad, coupling)(*parts)
        np.testing.assert_allclose(jaxosc.occupation(state), numbers, rtol=3e-9 + 8 * EPS)


@double
@pytest.mark.parametrize("name", slow("star 4", "complete 4"))
def test_the_langevin_equation_of_weak_damping_is_the_secular_one(name):
    """A microscopic bath of positions is Ohmic; the difference falls as γ or faster."""
    frequency, exchange, _, damping, temperature = symmetric_network(name, 5)
    errors = []
    for scale in (1e-3, 1e-5):
        parts = (frequency, exchange, exchange, scale * damping, temperature)
        secular_ = compiled(jaxosc.global_lindblad, "position", "ohmic")(*parts)
        whole = compiled(jaxosc.langevin)(*parts)
        errors.append(np.abs(jaxosc.occupation(secular_) / jaxosc.occupation(whole) - 1).max())
    assert errors[1] < 3e-2 * errors[0]
    assert errors[1] < 1e-6


# Graphs, where the baths are, and whether a normal mode vanishes at all of them
DARK = [
    (secular.ring(4), [0], True),
    (secular.ring(4), [0, 2], True),
    (secular.ring(4), [0, 1], False),
    (secular.complete(4), [1, 2], True),
    (secular.complete(4), [0, 1, 3], False),
    (secular.star(4), [0], True),
    (secular.star(4), [0, 1], True),
    (secular.star(4), [1, 2], False),
    (secular.lattice(1, 4), [0], False),
    (secular.lattice(1, 3), [1], True),
    (secular.lattice(1, 3), [0], False),
    (secular.lattice(1, 5), [2], True),
    (secular.lattice(1, 5), [1], True),
    (secular.ring(6), [3], True),
    (secular.lattice(2, 3), [0], False),
    (secular.ring(8), [0, 4], True),
    (secular.ring(8), [0, 1], False),
]


@pytest.mark.parametrize("large", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_dark_modes_are_told(large):
    """An error for known values, NaN in `jit`, whatever rounding makes of their rates."""
    for adjacency, sites, dark in DARK:
        modes = len(adjacency)
        if (modes != 4) is not large:
            continue
        damping = np.zeros(modes)
        damping[sites] = 1e-3 * (1 + np.arange(len(sites)))
        for coupling, spectrum in COUPLINGS:
            for ratio in (0.0, 1.0):
                parts = (np.full(modes, 1.3), 0.1 * adjacency, 0.1 * ratio * adjacency, damping)
                parts = [np.asarray(part, DTYPE) for part in (*parts, 1.0 + np.arange(modes))]
                state = compiled(jaxosc.global_lindblad, coupling, spectrum)(*parts)
                assert np.all(np.isnan(state) if dark else np.isfinite(state)), (sites, coupling)
    oscillators = jaxosc.Oscillators(np.ones(4), 0.1 * secular.ring(4), np.zeros((4, 4)))
    with pytest.raises(ValueError, match="must damp every normal mode"):
        jaxosc.global_lindblad(oscillators, jaxosc.Baths([1e-3, 0, 0, 0], [1.0, 2.0, 3.0, 4.0]))


@pytest.mark.slow
def test_a_faint_mode_is_not_dark():
    """Reached through a link that is weak, not zero: its rate is γ(λ/Δω)²."""
    coupling = 1e-6 if EPS < 1e-10 else 1e-3
    exchange = coupling * secular.lattice(1, 3)
    parts = ([1.0, 2.0, 1.5], exchange, 0 * exchange, [1e-2, 0.0, 1e-2], [1.0, 1.0, 3.0])
    parts = [np.asarray(part, DTYPE) for part in parts]
    state = compiled(jaxosc.global_lindblad)(*parts)
    expected = exact(reference.global_(*parts))
    np.testing.assert_allclose(state, expected, rtol=digits(1e-9), atol=digits(1e-15))


@double
@pytest.mark.parametrize("third", [1.0, *nightly(3.0, 0.3)])
@pytest.mark.parametrize("ratio", [0.0, 1.0])
@pytest.mark.slow
def test_two_oscillators_beside_a_third_that_is_not_coupled(third, ratio):
    """Two in three are two, down to links of 1e-12."""
    baths = (np.array([1e-3, 3e-3]), np.array([1.0, 3.0]))
    for coupling in (1e-12, 1e-9, 1e-6, 0.1):
        link = coupling * secular.lattice(1, 2)
        beside = np.pad(link, ((0, 1), (0, 1)))
        two = compiled(jaxosc.global_lindblad)(np.ones(2), link, ratio * link, *baths)
        three = compiled(jaxosc.global_lindblad)(
            np.array([1.0, 1.0, third]), beside, ratio * beside,
            *(np.append(part, 2.0) for part in baths),
        )  # fmt: skip
        np.testing.assert_allclose(three[:4, :4], two, rtol=1e-14, atol=1e-14)
        pair, all_ = (
            jaxosc.normal_modes(jaxosc.Oscillators(w, e, ratio * e))
            for w, e in ((np.ones(2), link), (np.array([1.0, 1.0, third]), beside))
        )
        kept = np.flatnonzero(np.abs(all_.u[2]) < 0.5)
        np.testing.assert_allclose(all_.frequency[kept], pair.frequency, rtol=1e-15)
        for ours, theirs in ((all_.u, pair.u), (all_.v, pair.v)):
            np.testing.assert_allclose(
                np.abs(ours[:2, kept]), np.abs(theirs), rtol=1e-12, atol=1e-15
            )


@double
@pytest.mark.slow
def test_a_chain_of_weak_links():
    """ω = 1, links λ and 1.3 λ: as λ vanishes ⟨n1⟩ and its slope over λ have limits."""
    links = np.array([[0, 1, 0], [1, 0, 1.3], [0, 1.3, 0]])

    def number(coupling):
        parts = (np.ones(3), coupling * links, 0 * links, np.array([1e-3, 2e-3, 3e-3]))
        return jaxosc.occupation(compiled(jaxosc.global_lindblad)(*parts, np.array([1.0, 2, 3])))[0]

    slope = jax.jit(jax.value_and_grad(number))
    for exponent in (2, 4, 6, 12):
        coupling = 10.0**-exponent
        parts = (np.ones(3), coupling * links, 0 * links, [1e-3, 2e-3, 3e-3], [1.0, 2.0, 3.0])
        value, derivative = slope(coupling)
        assert value == pytest.approx(float(reference.occupation(reference.global_(*parts))[0]))
        if exponent == 12:
            assert value == pytest.approx(1.85179692966494, rel=1e-13)
            continue
        # good to rounding of ⟨n⟩/λ
        expected = 4.709629 * coupling + 25.35 * coupling**3
        assert derivative == pytest.approx(expected, rel=1e-6, abs=2 * EPS / coupling)


@pytest.mark.parametrize("name", ["star 4", "complete 4", *nightly("ring 4")])
def test_normal_frequencies_of_symmetric_networks(name):
    """Values, sums over modes of one frequency, and derivatives of those."""
    frequency, exchange, pairing, *_ = symmetric_network(name, 6)

    def modes(strength):
        oscillators = jaxosc.Oscillators(frequency, strength * exchange, strength * pairing)
        return jaxosc.normal_modes(oscillators)

    one = jnp.ones((), DTYPE)
    found, slopes = jax.jit(lambda s: jax.jvp(modes, (s,), (jnp.ones_like(s),)))(one)
    expected, u, _ = reference.normal_modes(frequency, exchange, pairing)
    np.testing.assert_allclose(found.frequency, [float(x) for x in expected], rtol=digits(1e-14))
    unit = found.u @ found.u.T - found.v @ found.v.T
    np.testing.assert_allclose(unit, np.eye(4), atol=digits(1e-14))
    step = 1e-4
    with mpmath.workdps(60):
        ends = [
            reference.normal_modes(
                frequency,
                [[reference._exact(x) * (1 + s * mpmath.mpf(step)) for x in r] for r in exchange],
                [[reference._exact(x) * (1 + s * mpmath.mpf(step)) for x in r] for r in pairing],
            )
            for s in (1, -1)
        ]
        rate = [float((a - b) / (2 * step)) for a, b in zip(ends[0][0], ends[1][0], strict=True)]
    np.testing.assert_allclose(slopes.frequency, rate, atol=1e-7 + digits(1e-13))
    # UUᵀ depends on no choice of modes
    changed = found.u @ slopes.u.T + slopes.u @ found.u.T
    product = [(part[1] * part[1].T) for part in ends]
    numeric = exact((product[0] - product[1]) / (2 * step))
    np.testing.assert_allclose(changed, numeric, atol=1e-6)
    assert exact(u).shape == found.u.shape


@pytest.mark.slow
@double
def test_slopes_of_two_modes_near_resonance():
    """Good to 4 ε (⟨n1⟩ + ⟨n2⟩ + 1) over the splitting: mixing angles turn at its inverse."""
    generator = np.random.default_rng(7)
    slopes = jax.jit(
        jax.grad(
            lambda *parts: jaxosc.occupation(compiled(jaxosc.global_lindblad)(*parts))[0],
            argnums=(0, 1, 2),
        )
    )
    cases = [(1e-12, 0.5, 0.0)]
    for index in range(14):
        exchange = 10 ** generator.uniform(-13, -3)
        detuning = exchange * generator.uniform(-1, 1) if index % 3 == 2 else 0.0
        cases.append((exchange, generator.uniform(0, 0.8) * (index % 2), detuning))
    for exchange, pairing, detuning in cases:
        omega = rounded([1.0, 1.0 + detuning])
        damping = 10 ** generator.uniform(-4, -1, 2)
        temperature = 10 ** generator.uniform(-0.5, 1.5, 2)

        def state(x, y, z, omega=omega, damping=damping, temperature=temperature):
            parts = ([x, omega[1]], [[0, y], [y, 0]], [[0, z], [z, 0]], damping, temperature)
            return reference.occupation(reference.global_(*parts))

        link = secular.lattice(1, 2)
        found = slopes(omega, exchange * link, pairing * link, damping, temperature)
        found = (found[0][0], np.sum(found[1] * link), np.sum(found[2] * link))
        point = [mpmath.mpf(float(x)) for x in (omega[0], exchange, pairing)]
        frequency, _, _ = reference.normal_modes(omega, exchange * link, pairing * link)
        allowed = 8 * EPS * float(sum(state(*point)) + 1) / float(frequency[1] - frequency[0])
        for which in range(3):
            with mpmath.workdps(80):
                step = mpmath.mpf(10) ** -30
                ends = [
                    state(*(x + s * step * (i == which) for i, x in enumerate(point)))[0]
                    for s in (1, -1)
                ]
                expected = float((ends[0] - ends[1]) / (2 * step))
            assert found[which] == pytest.approx(expected, rel=1e-11, abs=allowed)


TREES = {
    "star 4": secular.star(4),
    "star 5": secular.star(5),
    "tree 6": secular.graph([(0, 1), (0, 2), (0, 3), (3, 4), (3, 5)], 6),
    "double star 6": secular.graph([(0, 1), (0, 2), (0, 3), (1, 4), (1, 5)], 6),
}


@pytest.mark.slow
@double
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n == "star 4" else pytest.mark.nightly) for n in TREES]
)
def test_leaves_of_one_hub(name):
    """However weak the links, what cancels at the hub is degenerate: a mode cannot feel its links.

    The state of weakly linked identical oscillators does not depend on the strength of their links
    but for its first order, nor on their numbering; and a leaf without a bath beside one of its own
    kind is dark.
    """
    adjacency = TREES[name]
    size = len(adjacency)
    damping, temperature = 1e-5 * np.arange(1, size + 1), np.arange(1.0, size + 1)
    order = np.roll(np.arange(size), 1)

    @jax.jit
    def state(ratio, links, damping, temperature):
        oscillators = jaxosc.Oscillators(jnp.ones(size), links, ratio * links)
        baths = jaxosc.Baths(damping, temperature)
        covariance = jaxosc.steady_state(jaxosc.global_lindblad(oscillators, baths))
        return jaxosc.occupation(covariance)

    for ratio in (0.0, 0.3, 1.0):
        usual = state(ratio, 1e-4 * adjacency, damping, temperature)
        for strength in (1e-6, 1e-7, 1e-9, 1e-11):
            links = strength * adjacency
            found = state(ratio, links, damping, temperature)
            np.testing.assert_allclose(found, usual, rtol=1e-3)
            renamed = state(ratio, links[np.ix_(order, order)], damping[order], temperature[order])
            np.testing.assert_allclose(renamed, found[order], rtol=1e-9)
            leaves = np.flatnonzero(adjacency.sum(axis=0) == 1)
            twins = [k for k in leaves if (adjacency[k] == adjacency[leaves[0]]).all()]
            dark = damping.copy()
            dark[twins] = 0
            assert np.isnan(state(ratio, links, dark, temperature)).all()
