"""The range of scales that there are answers for: right inside it, refused outside it."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import reference
from legs import slow
from precision import DTYPE, SINGLE, digits, double, rounded

import jaxosc

EQUATIONS = {
    "local": jaxosc.local_lindblad,
    "global_": jaxosc.global_lindblad,
    "langevin": jaxosc.langevin,
}
# Decades that frequencies, rates and temperatures span, as the library allows them, and the error
# of σ_ij/√(σ_ii σ_jj) that is left in the worst corner: measured, and ten times as much asked for.
CORNERS = {
    (np.float64, 2): (-10, (-20, 6), (-30, 30), 1e-7),
    (np.float64, 3): (-10, (-20, 1), (-30, 30), 3e-4),
    (np.float32, 2): (-5, (-10, 3), (-12, 12), 3e-2),
    (np.float32, 3): (-3, (-10, 1), (-12, 12), 1e-2),
}


@functools.cache
def compiled(name):
    return jax.jit(lambda o, b: jaxosc.steady_state(EQUATIONS[name](o, b)))


def random_corner(generator, dtype, modes):
    frequencies, damping, temperature, _ = CORNERS[dtype, modes]
    omega = 10 ** generator.uniform(frequencies, 0, modes)
    omega[generator.integers(modes)] = 1
    gamma = 10 ** generator.uniform(*damping, modes)
    strength = np.triu(generator.uniform(-1, 1, (modes, modes)), 1) / modes
    root = np.sqrt(omega)
    exchange = (strength + strength.T) * np.outer(root, root)
    pairing = exchange * generator.choice([1.0, 0.0, 0.3, -0.7])
    unit = 10.0 ** generator.uniform(-15, 15)
    hot = 10 ** generator.uniform(*temperature, modes)
    exchange, pairing = (np.triu((m * unit / 2).astype(dtype), 1) for m in (exchange, pairing))
    return (
        (omega * unit).astype(dtype), exchange + exchange.T, pairing + pairing.T,
        (gamma * unit).astype(dtype), (hot * unit).astype(dtype),
    )  # fmt: skip


def error(state, exact):
    exact = np.array([[float(x) for x in row] for row in exact.tolist()])
    size = np.sqrt(np.abs(np.diag(exact)))
    return np.max(np.abs(np.asarray(state, float) - exact) / size[:, None] / size[None, :])


def check_corners(dtype, modes, name, count):
    generator = np.random.default_rng(modes)
    errors = []
    for _ in range(count):
        network = random_corner(generator, dtype, modes)
        oscillators = jaxosc.Oscillators(*network[:3])
        state = compiled(name)(oscillators, jaxosc.Baths(*network[3:]))
        assert state.dtype == dtype
        exact = getattr(reference, name)(*network)
        errors.append(error(state, exact) if np.isfinite(state).all() else 0.0)
    assert max(errors) < CORNERS[dtype, modes][3], np.argmax(errors)
    # Two modes lose digits in corners only; three wherever frequencies are decades apart
    few = modes == 2 or dtype == np.float32
    roundings = (100 if modes == 2 else 300) if few else 1e6
    assert np.median(errors) < roundings * np.finfo(dtype).eps


@pytest.mark.parametrize("name", ["local", "global_", *slow("langevin")])
def test_extreme_scales(name):
    check_corners(DTYPE, 2, name, 12)


@pytest.mark.nightly
@pytest.mark.parametrize("name", EQUATIONS)
@pytest.mark.parametrize(
    ("dtype", "modes"),
    [pytest.param(*corner, marks=double if corner[0] == np.float64 else ()) for corner in CORNERS],
)
def test_many_extreme_scales(dtype, modes, name):
    check_corners(dtype, modes, name, 80 if modes == 2 else 15)


def network(omega=(1.0, 0.5), damping=(0.1, 0.1), temperature=(1.0, 2.0)):
    return np.array(omega), np.array(damping), np.array(temperature)


TINY, HUGE = (1e-30, 1e30) if SINGLE else (1e-300, 1e300)
OUTSIDE = {
    "frequencies apart": (network(omega=(1.0, TINY ** (1 / 3))), "within a factor 1e"),
    "far apart": (network(omega=(1.0, 1e-6 if SINGLE else 1e-11)), "within a factor 1e"),
    "weak damping": (network(damping=(TINY, 0.1)), "damping rates that are zero or between"),
    "strong damping": (network(damping=(HUGE, 0.1)), "damping rates that are zero or between"),
    "hot": (network(temperature=(HUGE, 1.0)), "temperatures up to"),
}


@pytest.mark.parametrize("case", slow(*OUTSIDE))
def test_outside_the_range(case):
    """A worded error for known values, NaN for traced ones, and `diagnose` says why."""
    (omega, damping, temperature), message = OUTSIDE[case]
    coupling = 0.1 * np.sqrt(omega[0]) * np.sqrt(omega[1])

    def parts(omega, damping, temperature):
        oscillators = jaxosc.pair(omega, coupling, "position")
        return oscillators, jaxosc.Baths(damping, temperature)

    oscillators, baths = parts(omega, damping, temperature)
    found = jaxosc.diagnose(oscillators, baths)
    for name, equation in EQUATIONS.items():
        with pytest.raises(ValueError, match=message):
            equation(oscillators, baths)

        @jax.jit
        def inside(*arguments, equation=equation):
            return jaxosc.steady_state(equation(*parts(*arguments)))

        assert np.isnan(inside(*map(jnp.asarray, (omega, damping, temperature)))).all()
        state = found.states[
            {"local": "local_lindblad", "global_": "global_lindblad"}.get(name, name)
        ]
        assert not state.physical
        assert message in state.reason
    assert not found.langevin_in_domain


@double
def test_frequencies_that_no_dtype_holds():
    for omega in ((5e-324, 1.0), (1.0, 1e300), (1e-250, 1e-250)):
        with pytest.raises(ValueError, match="`omega` must be zero or lie between 1e-200 and"):
            jaxosc.pair(omega, 0.0, "position")
    with pytest.raises(ValueError, match="in float32"):
        jaxosc.pair(np.array([1e-30, 1e-30], np.float32), np.float32(0), "position")


@pytest.mark.slow
def test_pairing_at_resonance():
    """Where only a pairing couples equal frequencies, both normal modes have the same one."""
    for omega, exchange in (((1.0, 1.0), 0.0), ((1.0, 1 + 1e-9), 0.0), ((1.0, 1.0), 1e-8)):
        for pairing in (0.01, 0.375, 0.85):
            for gamma in (1e-2, 1e-8):
                parts = (
                    omega, [[0, exchange], [exchange, 0]], [[0, pairing], [pairing, 0]],
                    (gamma, 2 * gamma), (1.0, 2.0),
                )  # fmt: skip
                parts = tuple(rounded(part) for part in parts)
                oscillators, baths = jaxosc.Oscillators(*parts[:3]), jaxosc.Baths(*parts[3:])
                for name in ("local", "langevin"):
                    state = jaxosc.steady_state(EQUATIONS[name](oscillators, baths))
                    # 1e-16/(1 − κ²/ω²)² and some: measured to 8e-14 at κ = 0.85
                    assert error(state, getattr(reference, name)(*parts)) < digits(5e-13)
                modes = jaxosc.normal_modes(oscillators)
                one = modes.u @ modes.u.T - modes.v @ modes.v.T
                np.testing.assert_allclose(one, np.eye(2), atol=digits(1e-14))
                mixed = modes.u @ modes.v.T
                np.testing.assert_allclose(mixed, mixed.T, atol=digits(1e-14))


@double
def test_determinants_near_criticality_do_not_depend_on_how_they_are_compiled():
    """ω1ω2 − λ² rounds once; twice, and apart for two entries, cost the information its digits."""
    omega, temperature = (5.0, 2.0), 98.0
    for distance in (1e-4, 1e-6, 1e-8):
        coupling = (1 - distance) * np.sqrt(10.0) / 2
        exact = reference.gibbs(*reference.pair(omega, coupling), temperature)
        state = jaxosc.gibbs(jaxosc.pair(omega, coupling, "position"), temperature)
        eigenvalues = [float(x) for x in reference.symplectic_eigenvalues(exact)]
        # the entries themselves are rounded, to 1e-16 over their determinant's distance to zero
        np.testing.assert_allclose(
            jaxosc.symplectic_eigenvalues(state), sorted(eigenvalues), rtol=1e-14 + 1e-15 / distance
        )
