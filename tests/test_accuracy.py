"""Values and first derivatives against the 50-digit reference, at random parameters."""

from __future__ import annotations

import functools

import cases
import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import reference
from legs import nightly, others_at_night, slow
from precision import digits, double, rounded

import jaxosc

DESCRIPTIONS = ("local", "langevin", "global", "global position ohmic", "gibbs")
NIGHTLY = pytest.mark.nightly
# Values of the others are quick in test_problems.py.
DESCRIPTIONS_QUICK = others_at_night(DESCRIPTIONS, ("langevin",), ("local", "global", "gibbs"))
OBSERVABLES = ("n1 + 1/2", "n2 + 1/2", "coherence", "mutual information")


def covariance(name, coupling, ratio, omega, damping, temperature):
    zero = jnp.zeros_like(coupling)
    exchange = jnp.array([[zero, coupling], [coupling, zero]])
    oscillators = jaxosc.Oscillators(omega, exchange, ratio * exchange)
    if name == "gibbs":
        return jaxosc.gibbs(oscillators, temperature[0])
    if name == "global position ohmic":
        baths = jaxosc.Baths(damping, temperature, "ohmic", coupling="position")
        return jaxosc.steady_state(jaxosc.global_lindblad(oscillators, baths))
    equation = {
        "local": jaxosc.local_lindblad,
        "langevin": jaxosc.langevin,
        "global": jaxosc.global_lindblad,
    }[name]
    return jaxosc.steady_state(equation(oscillators, jaxosc.Baths(damping, temperature)))


@functools.cache
def compiled(name):
    """Observables and their derivatives by λ, in one compiled function."""

    def observables(coupling, *rest):
        state = covariance(name, coupling, *rest)
        occupation = jaxosc.occupation(state)
        coherence = jaxosc.coherence(state)[0, 1]
        return jnp.stack([
            occupation[0] + 0.5, occupation[1] + 0.5, coherence.real, coherence.imag,
            jaxosc.mutual_information(state),
        ])  # fmt: skip

    def both(coupling, *rest):
        return jax.jvp(lambda x: observables(x, *rest), (coupling,), (jnp.ones_like(coupling),))

    return jax.jit(both)


def exact_state(name, omega, coupling, pairing, damping, temperature):
    network = (omega, [[0, coupling], [coupling, 0]], [[0, pairing], [pairing, 0]])
    if name == "gibbs":
        return reference.gibbs(*network, temperature[0])
    if name == "global position ohmic":
        return reference.global_(
            *network, damping, temperature, weights="position", spectrum="ohmic"
        )
    equation = {"local": "local", "langevin": "langevin", "global": "global_"}[name]
    return getattr(reference, equation)(*network, damping, temperature)


def exact(name, pair, coupling):
    # The library rounds the product ratio · λ; the reference has the same pairing and slope.
    kappa = mpmath.mpf(float(rounded(pair.ratio * pair.coupling)))
    kappa += mpmath.mpf(pair.ratio) * (mpmath.mpf(coupling) - mpmath.mpf(pair.coupling))
    state = exact_state(name, pair.omega, coupling, kappa, pair.damping, pair.temperature)
    n1, n2 = reference.occupation(state)
    coherence = reference.coherence(state)[0, 1]
    return [
        n1 + mpmath.mpf(0.5), n2 + mpmath.mpf(0.5), coherence.real, coherence.imag,
        reference.mutual_information(state),
    ]  # fmt: skip


def exact_with_slope(name, pair):
    """The observables and their derivatives by λ, by one high-precision central difference."""
    with mpmath.workdps(70):
        coupling = mpmath.mpf(pair.coupling)
        step = mpmath.mpf(10) ** -20 * abs(coupling)
        middle, above, below = (exact(name, pair, coupling + s) for s in (0, step, -step))
        slope = [(a - b) / (2 * step) for a, b in zip(above, below, strict=True)]
        return middle, slope


def errors(computed, true, floor=None):
    """Relative errors, of the complex coherence as a whole; relative to the floor if larger."""
    with mpmath.workdps(70):
        difference = [mpmath.mpf(float(c)) - t for c, t in zip(computed, true, strict=True)]
        size = [abs(t) for t in true]
        for values in (difference, size):
            values[2:4] = [mpmath.hypot(*values[2:4])]
        floor = [0] * len(size) if floor is None else floor
        return [float(abs(d) / max(s, f)) for d, s, f in zip(difference, size, floor, strict=True)]


def check(name, pair):
    computed, slope = compiled(name)(
        jnp.asarray(pair.coupling), jnp.asarray(pair.ratio), jnp.asarray(pair.omega),
        jnp.asarray(pair.damping), jnp.asarray(pair.temperature),
    )  # fmt: skip
    true, true_slope = exact_with_slope(name, pair)
    if np.isnan(float(true[4])):
        assert np.isnan(computed[4])  # flat damping and cold: not a state
        true[4] = true_slope[4] = mpmath.mpf(0)
        computed, slope = computed.at[4].set(0), slope.at[4].set(0)
    # Relative to the value itself, but: a coherence or information that vanishes, because the
    # oscillators are identical and so are the baths, is 0 to the rounding of the covariance;
    # an observable that crosses zero near λ_c feels the rounding of λ by its slope; and where an
    # observable O hardly depends on λ, the rounding of O bounds its slope.
    rounding = 1e-4 * (true[0] + true[1])
    floor = [rounding] * 3 + [1e-3]
    coherence_slope = mpmath.hypot(*true_slope[2:4]) * abs(pair.coupling) * pair.distance
    value_floor = [rounding, rounding, max(rounding, coherence_slope), 1e-3]
    for what, error in zip(OBSERVABLES, errors(computed, true, value_floor), strict=True):
        assert error <= pair.tolerance, ("value", what, error, pair)
    size = [abs(true[0]), abs(true[1]), mpmath.hypot(true[2], true[3]), abs(true[4])]
    slope_floor = [
        max(s, f) / abs(mpmath.mpf(pair.coupling)) for s, f in zip(size, floor, strict=True)
    ]
    for what, error in zip(OBSERVABLES, errors(slope, true_slope, slope_floor), strict=True):
        assert error <= pair.tolerance, ("slope", what, error, pair)


@pytest.mark.parametrize(
    "name", others_at_night(DESCRIPTIONS, (), ("local", "langevin", "global", "gibbs"))
)
def test_random_pairs(name):
    for pair in cases.random_pairs(seed=1, count=8):
        check(name, pair)


@NIGHTLY
@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_many_random_pairs(name):
    for pair in cases.random_pairs(seed=2, count=120):
        check(name, pair)


@pytest.mark.slow
@double
@pytest.mark.parametrize("name", ["local", *slow("langevin", "global")])
def test_extreme_pairs(name):
    for pair in cases.extreme_pairs(seed=1, count=8):
        check(name, pair)


@double
@pytest.mark.parametrize("name", [*slow("local"), *nightly("langevin")])
def test_pairs_with_a_vanishing_pivot(name):
    for pair in cases.cancelling_pairs():
        check(name, pair)


@double
@NIGHTLY
@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_many_extreme_pairs(name):
    for pair in cases.extreme_pairs(seed=2, count=90):
        check(name, pair)


def at_distance(name, distance, interaction, omega, damping, temperature):
    oscillators = jaxosc.pair(omega, interaction=interaction, distance=distance)
    if name == "gibbs":
        return jaxosc.gibbs(oscillators, temperature[0])
    equation = {
        "local": jaxosc.local_lindblad,
        "langevin": jaxosc.langevin,
        "global": jaxosc.global_lindblad,
    }[name]
    return jaxosc.steady_state(equation(oscillators, jaxosc.Baths(damping, temperature)))


def exact_at_distance(name, distance, interaction, omega, damping, temperature):
    one, two = (mpmath.mpf(w) for w in omega)
    critical = mpmath.sqrt(one * two) / (2 if interaction == "position" else 1)
    coupling = critical * (1 - mpmath.mpf(distance))
    pairing = coupling if interaction == "position" else mpmath.mpf(0)
    state = exact_state(name, omega, coupling, pairing, damping, temperature)
    n1, n2 = reference.occupation(state)
    return [n1 + mpmath.mpf(0.5), n2 + mpmath.mpf(0.5), reference.coherence(state)[0, 1].real]


@double
@pytest.mark.parametrize("interaction", ["position", pytest.param("rotating-wave", marks=NIGHTLY)])
@pytest.mark.parametrize("name", ["local", *slow("global", "gibbs"), *nightly("langevin")])
def test_distance_reaches_past_float64_couplings(name, interaction):
    """Occupations, coherence and their slopes to 1e-12 down to 1 − λ/λ_c = 1e-12."""

    def observables(distance, *rest):
        state = at_distance(name, distance, interaction, *rest)
        numbers = [jaxosc.occupation(state)[j] + 0.5 for j in (0, 1)]
        return jnp.stack([*numbers, jaxosc.coherence(state)[0, 1].real])

    @jax.jit
    def both(distance, *rest):
        one = jnp.ones_like(distance)
        return jax.jvp(lambda x: observables(x, *rest), (distance,), (one,))

    generator = np.random.default_rng(11)
    for distance in (1.0, 0.3, 1e-3, 1e-6, 1e-9, 1e-12):
        omega = np.exp(generator.uniform(-1, 1, 2))
        damping = omega.min() * 10 ** generator.uniform(-6, -1, 2)
        temperature = omega.max() * 10 ** generator.uniform(-1, 3, 2)
        computed = both(*map(jnp.asarray, (distance, omega, damping, temperature)))
        with mpmath.workdps(70):
            args = (interaction, tuple(omega), tuple(damping), tuple(temperature))
            middle = exact_at_distance(name, distance, *args)
            step = mpmath.mpf(distance) * mpmath.mpf(10) ** -20
            above, below = (
                exact_at_distance(name, mpmath.mpf(distance) + s, *args) for s in (step, -step)
            )
            slope = [(a - b) / (2 * step) for a, b in zip(above, below, strict=True)]
        for ours, theirs, scale in (
            (computed[0], middle, 1),
            (computed[1], slope, 1 / distance),
        ):
            size = abs(middle[0] + middle[1]) * scale
            for value, true in zip(ours, theirs, strict=True):
                assert abs(float(value) - true) <= 1e-12 * max(abs(true), 1e-3 * size)


# Near the critical point beside a cold bath: ω, 1 − λ/λ_c, γ, T_2
COLD_AND_CRITICAL = [
    ((1.3, 0.85), 2e-7, (2e-5, 4e-6), 0.2),
    ((0.6, 2.1), 9e-8, (3e-6, 5e-5), 0.02),
    ((2.4, 0.5), 8e-5, (4e-4, 1e-5), 0.03),
    ((0.9, 0.91), 6e-6, (2e-4, 3e-5), 0.01),
]


@double
@pytest.mark.slow
def test_rows_of_cold_baths_near_the_critical_point():
    """σ on the scale of its own diagonal to 1e-15/(1 − λ/λ_c), of its largest entry to 5e-14.

    The Lyapunov equation is singular there. Solved for numerically, and not by hand, what the sum
    S_0 = 2T Σ 1/det(A − ν) enters would have ten times these errors.
    """
    cold = np.geomspace(1e-3, 1e-2, 8)

    def state(omega, distance, damping, hot, temperature):
        return at_distance(
            "langevin", distance, "position", omega, damping, jnp.stack([temperature, hot])
        )

    rows = jax.vmap(jax.vmap(state, (None, None, None, None, 0)), (0, 0, 0, 0, None))
    found = jax.jit(rows)(*map(jnp.array, zip(*COLD_AND_CRITICAL, strict=True)), cold)
    for (omega, distance, damping, hot), row in zip(COLD_AND_CRITICAL, found, strict=True):
        with mpmath.workdps(70):
            critical = mpmath.sqrt(mpmath.mpf(omega[0]) * mpmath.mpf(omega[1])) / 2
            coupling = critical * (1 - mpmath.mpf(distance))
            true = exact_state("langevin", omega, coupling, coupling, damping, (cold[0], hot))
        expected = np.array(true.tolist(), dtype=float)
        size = np.sqrt(np.abs(np.diag(expected)))
        error = np.abs(np.asarray(row[0]) - expected)
        assert (error / np.outer(size, size)).max() <= 1e-15 / distance
        assert error.max() <= 5e-14 * np.abs(expected).max()


@double  # as well, to compare with
@NIGHTLY
@pytest.mark.parametrize("interaction", ["position", "rotating-wave"])
@pytest.mark.parametrize("name", ["local", "langevin", "global", "gibbs"])
def test_distance_in_float32(name, interaction):
    """Five digits of the occupations down to 1 − λ/λ_c = 1e-6, where λ itself has one."""
    generator = np.random.default_rng(12)
    for distance in (1e-2, 1e-4, 1e-6):
        omega = np.exp(generator.uniform(-1, 1, 2)).astype(np.float32)
        damping = (omega.min() * 10 ** generator.uniform(-4, -1, 2)).astype(np.float32)
        temperature = (omega.max() * 10 ** generator.uniform(-0.3, 2, 2)).astype(np.float32)
        numbers = []
        for dtype in (np.float32, np.float64):
            parts = (part.astype(dtype) for part in (omega, damping, temperature))
            single = dtype(np.float32(distance))
            state = at_distance(name, single, interaction, *parts)
            assert state.dtype == dtype
            numbers.append(np.asarray(jaxosc.occupation(state) + dtype(0.5), np.float64))
        np.testing.assert_allclose(numbers[0], numbers[1], rtol=5e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gibbs", *slow("local", "langevin", "global")])
@pytest.mark.parametrize("modes", [3, *nightly(1, 4)])
def test_more_modes(name, modes):
    generator = np.random.default_rng(modes)
    network = cases.random_network(generator, modes)
    oscillators = jaxosc.Oscillators(*(network[k] for k in ("frequency", "exchange", "pairing")))
    baths = jaxosc.Baths(network["damping"], network["temperature"])
    args = tuple(rounded(part) for part in network.values())
    if name == "gibbs":
        state = jaxosc.gibbs(oscillators, network["temperature"][0])
        true = reference.gibbs(*args[:3], args[4][0])
    else:
        equation, expected = {
            "local": (jaxosc.local_lindblad, reference.local),
            "langevin": (jaxosc.langevin, reference.langevin),
            "global": (jaxosc.global_lindblad, reference.global_),
        }[name]
        state, true = jaxosc.steady_state(equation(oscillators, baths)), expected(*args)
    true_array = np.array(true.tolist(), dtype=float)
    assert np.abs(state - true_array).max() <= digits(1e-13) * np.abs(true_array).max()
    if modes > 1:
        groups = [((0,), None), ((0, 1), None), ((1,), (2,))]
        for first, others in groups:
            ours = jaxosc.mutual_information(state, first, others)
            exact_value = float(reference.mutual_information(true, first, others))
            # Three entropies of a few nats each: a few ulp of them.
            assert abs(ours - exact_value) <= digits(2e-14)


@pytest.mark.parametrize("name", DESCRIPTIONS_QUICK)
def test_zero_temperature(name):
    """T = 0 in one bath or both, where the limit exists; weak damping, physical or not."""
    for temperature in ((0.0, 2.0), (1.5, 0.0), (0.0, 0.0)):
        pair = cases.Pair((1.3, 0.8), 0.2, 1.0, (2e-3, 5e-3), temperature)
        computed, _ = compiled(name)(
            jnp.asarray(pair.coupling), jnp.asarray(pair.ratio), jnp.asarray(pair.omega),
            jnp.asarray(pair.damping), jnp.asarray(pair.temperature),
        )  # fmt: skip
        true = exact(name, pair, pair.coupling)
        for ours, theirs in zip(computed[:4], true[:4], strict=True):
            assert abs(float(ours) - float(theirs)) <= digits(1e-14)
        information = float(true[4])
        if np.isnan(information):  # below the uncertainty relation by O(γ/ω)
            assert np.isnan(computed[4])
        else:
            assert abs(float(computed[4]) - information) <= digits(1e-13)


@pytest.mark.parametrize("interaction", ["position", "rotating-wave"])
def test_weak_correlations_keep_relative_accuracy(interaction):
    """I ∝ λ² far below the rounding of the entropies it is the difference of."""
    omega, damping, temperature = (5.0, 2.0), (1e-3, 2e-3), (98.0, 298.0)
    for coupling in (1e-3, 1e-6):
        network = reference.pair(omega, coupling, interaction)
        true = reference.mutual_information(reference.local(*network, damping, temperature))
        state = jaxosc.steady_state(
            jaxosc.local_lindblad(
                jaxosc.pair(omega, coupling, interaction), jaxosc.Baths(damping, temperature)
            )
        )
        assert abs(float(jaxosc.mutual_information(state)) / float(true) - 1) <= digits(1e-12)
