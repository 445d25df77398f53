"""Principal values of baths: their definition at 25 digits, a closed form, and each other."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from legs import nightly, others_at_night
from precision import DTYPE, SINGLE, digits, double

from jaxosc.equations.principal_values import has_shift, shift_of
from jaxosc.spectra import Brownian, Drude, Flat, Ohmic, PowerLaw, Sampled


def array(values):
    return jnp.asarray(np.asarray(values, DTYPE))


REFERENCE = 1.25
SPECTRA = {
    "drude": Drude(array(3)),
    "brownian": Brownian(array(1.125), array(0.0625)),
    "critical": Brownian(array(1.5), array(3)),
    "sub-Ohmic": PowerLaw(0.5, array(2)),
    "exponential": PowerLaw(1, array(2)),
    "super-Ohmic": PowerLaw(3, array(2)),
}
DENSITIES = {  # J up to a factor, for mpmath
    "drude": lambda v: v / (9 + v**2),
    "brownian": lambda v: v / ((mpmath.mpf("1.125") ** 2 - v**2) ** 2 + v**2 / 256),
    "critical": lambda v: v / (mpmath.mpf("2.25") + v**2) ** 2,
    "sub-Ohmic": lambda v: mpmath.sqrt(v) * mpmath.exp(-v / 2),
    "exponential": lambda v: v * mpmath.exp(-v / 2),
    "super-Ohmic": lambda v: v**3 * mpmath.exp(-v / 2),
}
TEMPERATURES = (0.0, 0.0625, 0.75, 16.0)
FREQUENCIES = (1.0, -1.0, 0.0078125, 1.125, 8.0)
DATA = Path(__file__).parent / "data" / "principal_values.json"


def principal_value(density, w):
    """(1/π) PV∫_0^∞ density(v)/(w − v) dv, with v = u² for the sake of roots."""

    def of_root(u):
        return 2 * u * density(u * u)

    scales = [mpmath.mpf(2) ** k for k in range(-16, 5)] + [
        1 + mpmath.mpf(k) / 32 for k in range(8)
    ]
    points = [mpmath.mpf(0), *sorted(scales), mpmath.inf]
    if w < 0:
        return mpmath.quad(lambda u: of_root(u) / (w - u * u), points) / mpmath.pi
    root = mpmath.sqrt(w)

    def rest(u):
        return of_root(u) / (root + u)

    near = [mpmath.mpf(0)] + [root / 2**k for k in range(12, 0, -1)]
    folded = mpmath.quad(lambda s: (rest(root - s) - rest(root + s)) / s, near)
    below = [p for p in points if p < root / 2] + [root / 2]
    above = [3 * root / 2] + [p for p in points if p > 3 * root / 2]
    return (
        folded + sum(mpmath.quad(lambda u: rest(u) / (root - u), p) for p in (below, above))
    ) / (mpmath.pi)


def definition(name, temperature, w):
    """Δ of the whole axis with a counter-term, of L and of L†, and |Γ| of the first."""
    with mpmath.workdps(25):
        scale = DENSITIES[name](mpmath.mpf(REFERENCE))

        def density(v):
            return DENSITIES[name](v) / scale

        def number(v):
            cold = temperature == 0 or v > 80 * temperature
            return mpmath.mpf(0) if cold else 1 / mpmath.expm1(v / temperature)

        w = mpmath.mpf(w)
        ahead = principal_value(lambda v: density(v) * (number(v) + 1), w)
        behind = -principal_value(lambda v: density(v) * number(v), -w)
        points = [mpmath.mpf(0), *(mpmath.mpf(2) ** k for k in range(-16, 5)), mpmath.inf]
        static = mpmath.quad(lambda u: 2 * density(u * u) / u, points) / mpmath.pi
        rate = density(abs(w)) * (number(abs(w)) + (w > 0))
        whole = ahead + behind + static
        return [float(x) for x in (whole, ahead, behind, mpmath.hypot(rate, whole))]


@cache
def known():
    return json.loads(DATA.read_text("utf-8"))


@cache
def shifts(name):
    """Δ [temperature, frequency, (whole, L, L†)]."""

    def of(temperature, frequency, side):
        return shift_of(SPECTRA[name], frequency, temperature, array(REFERENCE), side=side)

    axes = ((0, None, None), (None, 0, None), (None, None, 0))
    for axis in reversed(axes):
        of = jax.vmap(of, axis)
    return np.asarray(
        jax.jit(of)(array(TEMPERATURES), array(FREQUENCIES), array([0, 1, -1])), np.float64
    )


@pytest.mark.parametrize("name", others_at_night(SPECTRA, ("drude", "critical"), ("sub-Ohmic",)))
def test_the_definition(name):
    expected = np.array(known()[name])
    error = np.abs(shifts(name) - expected[..., :3])
    # Of Γ: Δ alone passes through zero. Counted from what the channels add up to.
    assert np.all(error <= digits(1e-14) * np.max(np.abs(expected), axis=-1, keepdims=True))


@double
@pytest.mark.nightly
@pytest.mark.parametrize("name", SPECTRA)
def test_the_numbers_of_the_definition(name):
    for temperature, row in zip(TEMPERATURES, known()[name], strict=True):
        for w, numbers in list(zip(FREQUENCIES, row, strict=True))[::2]:
            np.testing.assert_allclose(definition(name, temperature, w), numbers, 1e-12, 1e-14)


@double
def test_the_closed_form_of_a_drude_bath():
    """With digamma functions, far below the cutoff and far above it, at any temperature."""
    frequency = np.array([1.0, -1.0, 1e-3, 30.0])
    of = jax.jit(lambda *given: shift_of(Drude(given[0]), *given[1:], jnp.asarray(1.0)))
    for cutoff in (0.25, 5.0, 1024.0):
        for temperature in (0.0078125, 1.0, 1024.0):
            given = (cutoff, frequency, temperature)
            expected = [drude(cutoff, w, temperature) for w in frequency]
            error = np.abs(np.array([x.imag for x in expected]) - of(*map(jnp.asarray, given)))
            assert np.all(error <= 1e-15 * np.abs(np.array(expected)))


def drude(cutoff, w, temperature):
    """Γ(ω) for J = ωΛ²/(ω² + Λ²) (1 + Λ²)/Λ², beside the counter-term."""
    with mpmath.workdps(40):
        psi, period, a = mpmath.digamma, 2 * mpmath.pi * mpmath.mpf(temperature), mpmath.mpf(cutoff)
        s = mpmath.mpc(0, -w)
        real = s * (psi(1 + s / period) - psi(1 + a / period)) / (s**2 - a**2)
        real = a**2 / mpmath.pi * (real + period / 2 / (a * (a + s)))
        value = (real + 1j * a / 2 * s / (a + s)) * (1 + a**2) / a**2
    return complex(value)


@pytest.mark.slow
def test_the_channels_make_the_whole_axis_of_a_table_and_of_a_sum():
    omega = array(np.geomspace(1e-5, 1e5, 400))
    table = Sampled(omega, omega / (9 + omega**2), 1e-3 if SINGLE else 1e-9)
    both = 0.25 * PowerLaw(0.5, array(2)) + 2.0 * table
    parts = (array(FREQUENCIES), array(0.75), array(REFERENCE))

    @jax.jit
    def of(spectrum):
        sides = [shift_of(spectrum, *parts, side=side) for side in (1, -1)]
        bare = shift_of(spectrum, *parts, counter_term=False)
        return shift_of(spectrum, *parts), bare, sum(sides)

    whole, bare, channels = map(np.asarray, of(both))
    np.testing.assert_allclose(bare, channels, digits(1e-13), digits(1e-14))
    ohmic, smooth = shifts("sub-Ohmic")[2, :, 0], shifts("drude")[2, :, 0]
    np.testing.assert_allclose(whole, 0.25 * ohmic + 2 * smooth, 0, 1e-2 if SINGLE else 1e-7)
    below = both.static_susceptibility(array(REFERENCE)) / 2
    np.testing.assert_allclose(whole - bare, np.full(5, below), digits(1e-12))


def test_no_frequency_and_none_near_it():
    points = array([0.0, -0.0, 1e-7, -1e-7, 1e-8, -1e-8])

    @jax.jit
    def of(spectrum):
        given = (spectrum, points, array(16), array(REFERENCE))
        return [shift_of(*given, side=side) for side in (0, 1, -1)]

    whole, *channels = of(SPECTRA["drude"])
    assert np.all(whole[:2] == 0)
    assert np.all(np.isfinite(whole[2:4]))
    assert np.all(np.isnan(whole[4:]))  # the rule does not reach
    assert np.all(np.isnan(np.array(channels)[:, :2]))  # they diverge
    whole, *channels = of(SPECTRA["exponential"])
    assert np.all(whole[:2] == 0)
    assert np.all(np.isnan(np.array(channels)[:, :2]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sub-Ohmic", *nightly("brownian")])
def test_derivatives(name):
    """Twice, by frequency, temperature, reference and the parameters, forward and reverse."""
    leaves, tree = jax.tree.flatten(SPECTRA[name])
    point = array([0.7, 0.3, REFERENCE, *leaves])
    along = array(np.linspace(1, -0.5, len(point)))

    def value(x):
        return shift_of(jax.tree.unflatten(tree, list(x[3:])), x[0], x[1], x[2], side=1)

    def both(x):
        return jax.jvp(value, (x,), (along,))

    slope = jax.jit(both)
    twice = jax.jit(lambda x, one: jax.vjp(both, x)[1]((one[0], one[1]))[0])
    first, second = (twice(point, array(one)) @ along for one in ((1, 0), (0, 1)))
    np.testing.assert_allclose(first, slope(point)[1], digits(1e-13))
    if not SINGLE:
        steps = 2e-4 * np.array([-2, -1, 1, 2])
        moved = np.array([slope(point + h * along) for h in steps])
        np.testing.assert_allclose(np.array([1, -8, 8, -1]) / 24e-4 @ moved, [first, second], 1e-8)


def test_a_cold_bath_has_a_slope():
    def value(temperature):
        return shift_of(SPECTRA["drude"], array([0.9, -0.9]), temperature, array(REFERENCE))

    assert np.all(jax.jit(jax.jacfwd(value))(array(0.0)) == 0)
    assert np.all(jax.jit(jax.jacrev(value))(array(0.0)) == 0)


@pytest.mark.slow
def test_any_unit():
    def of(unit):
        spectrum = Brownian(1.125 * unit, 0.0625 * unit)
        given = array(FREQUENCIES) * unit, array(0.75) * unit, array(REFERENCE) * unit
        return shift_of(spectrum, *given)

    of = jax.jit(of)
    for unit in (2.0**43, 2.0**-43):
        np.testing.assert_array_equal(of(array(unit)), of(array(1.0)))


@pytest.mark.parametrize("spectrum", [Flat(), Ohmic(), 0.5 * Ohmic() + Drude(array(3))])
def test_without_a_cutoff_there_is_none(spectrum):
    assert not has_shift(spectrum)
    given = (array([1.0]), array(0.5), array(1.0))
    with pytest.raises(ValueError, match="must have a cutoff for principal values"):
        shift_of(spectrum, *given)
    with pytest.raises(ValueError, match="must have a cutoff for principal values"):
        shift_of(spectrum, *given, side=-1)


if __name__ == "__main__":
    rows = {
        name: [[definition(name, t, w) for w in FREQUENCIES] for t in TEMPERATURES]
        for name in SPECTRA
    }
    lines = (f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    DATA.write_text("{\n" + ",\n".join(lines) + "\n}\n")
