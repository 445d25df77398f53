"""Spectra of baths: normalisation, responses, rational fits, sums, and what they refuse."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from jax import export
from legs import nightly, others_at_night
from precision import DTYPE, SINGLE, digits, double

import jaxosc
from jaxosc._numerics.dispersion import even_transform, even_transform_above
from jaxosc._numerics.filters import noise, susceptibility
from jaxosc.spectra import (
    Brownian,
    Drude,
    Filters,
    Flat,
    Ohmic,
    PowerLaw,
    Sampled,
    Spectrum,
    Sum,
)


def array(values):
    return jnp.asarray(np.asarray(values, DTYPE))


TABLE = np.geomspace(1e-5, 60, 300)
REFERENCE = array(1.3)
RATIONAL = {
    "drude": Drude(array(4)),
    "brownian": Brownian(array(1.1), array(0.3)),
    "critical": Brownian(array(1.5), array(3)),
    "sum": 0.3 * Drude(array(5)) + Brownian(array(1), array(0.1)),
}
FITTED = {
    "sub-Ohmic": PowerLaw(0.5, array(2)),
    "exponential": PowerLaw(1, array(2)),
    "super-Ohmic": PowerLaw(3, array(0.7)),
    "table": Sampled(array(TABLE), array(TABLE * np.exp(-TABLE)), 1e-3 if SINGLE else 1e-9),
}
EVERY = RATIONAL | FITTED
# Closed forms, sums of them and fits; what the methods of each say is one program
few_always = pytest.mark.parametrize(
    "name", others_at_night(EVERY, ("drude", "sum", "exponential"), EVERY)
)
NU = array([-2.0, -0.3, 0.02, 0.9, 1.3, 4.0])
UPPER = array([0.9, -0.9, 0, 7]), array([0.4, 0.4, 0.3, 1])
Z = array([0.0, 0.1, 2.0])


@cache
def facts(name):
    """What the methods say, from one program."""

    @jax.jit
    def answers(spectrum):
        return {
            "filters": susceptibility(spectrum.terms(REFERENCE), jax.lax.complex(0 * NU, -NU)),
            "response": spectrum.susceptibility(NU, REFERENCE),
            "upper": spectrum.susceptibility(jax.lax.complex(*UPPER), REFERENCE),
            "above": spectrum.susceptibility(jax.lax.complex(0 * Z, Z), REFERENCE),
            "matsubara": spectrum.matsubara_susceptibility(Z, REFERENCE),
            "static": spectrum.static_susceptibility(REFERENCE),
            "rate": spectrum.rate(NU, REFERENCE),
            "opposite": spectrum.rate(-NU, REFERENCE),
            "reference": spectrum.rate(REFERENCE[None], REFERENCE),
            "zero": spectrum.rate(array([[0.0]]), REFERENCE),
            "one-sided": spectrum.one_sided(NU, REFERENCE),
            "mirror": spectrum.one_sided(-NU, REFERENCE),
            "edge": spectrum.one_sided(array(0), REFERENCE),
        }

    return {key: np.asarray(value) for key, value in answers(EVERY[name]).items()}


CLOSED = {  # J up to a factor
    "drude": lambda w: w / (16 + w**2),
    "brownian": lambda w: w / ((1.1**2 - w**2) ** 2 + 0.3**2 * w**2),
    "critical": lambda w: w / (1.5**2 + w**2) ** 2,
    "sub-Ohmic": lambda w: w**0.5 * mpmath.exp(-w / 2),
    "exponential": lambda w: w * mpmath.exp(-w / 2),
    "super-Ohmic": lambda w: w**3 * mpmath.exp(-w / 0.7),
}


@few_always
def test_the_rate_is_one_at_the_reference_and_odd(name):
    known = facts(name)
    total = 1.3 if name == "sum" else 1.0
    np.testing.assert_allclose(known["reference"], [total], rtol=digits(1e-14))
    np.testing.assert_array_equal(known["opposite"], -known["rate"])
    np.testing.assert_array_equal(known["zero"], [[0]])
    if name in CLOSED:
        positive = np.asarray(NU) > 0
        shape = np.vectorize(lambda w: float(CLOSED[name](w)))
        expected = shape(np.asarray(NU)[positive]) / shape(1.3)
        np.testing.assert_allclose(known["rate"][positive], expected, rtol=digits(1e-13))


@few_always
def test_the_filters_respond_with_the_spectrum(name):
    known = facts(name)
    static = known["static"]
    tolerance = digits(1e-13)
    if name in FITTED:
        tolerance = 2e-3 if SINGLE else 1e-8
    # What is slower than the table of a fit has no part in it, and is a part of χ(0).
    np.testing.assert_allclose(
        known["filters"].imag, known["rate"], atol=tolerance * np.max(known["rate"])
    )
    np.testing.assert_allclose(known["filters"], known["response"], atol=tolerance * static)
    np.testing.assert_allclose(known["response"].imag, known["rate"], atol=tolerance * static)
    np.testing.assert_allclose(known["above"].imag, 0, atol=digits(1e-14) * static)
    np.testing.assert_allclose(known["above"].real, known["matsubara"], rtol=digits(1e-13))
    np.testing.assert_allclose(known["above"][0], static, rtol=digits(1e-13))
    # s(ν) + s(−ν)* = χ(ν): the modes of positive frequency and their mirror image
    sides = known["one-sided"] + known["mirror"].conj()
    np.testing.assert_allclose(sides, known["response"], atol=digits(1e-12) * static)
    np.testing.assert_allclose(known["edge"], static / 2, rtol=digits(1e-13))


@few_always
def test_the_noise_of_the_filters_is_that_of_the_bath(name):
    """hᵀgNg†h ν = J at every ν, whatever N is."""
    for filters in jax.jit(lambda spectrum: spectrum.terms(REFERENCE))(EVERY[name]):
        size = filters.drift.shape[-1]
        filters, source = jax.jit(lambda x: (x.balanced(), noise(x.balanced())))(filters)
        drift, drive, output = (np.asarray(x, np.float64) for x in filters)
        for nu in (0.3, 2.0):
            transfer = np.linalg.inv(-1j * nu * np.eye(size) - drift)
            row = np.einsum("ki,kij->kj", output, transfer)
            density = nu * np.einsum("ki,kij,kj->", row, source, row.conj()).real
            scale = nu * np.einsum("ki,kij,kj->", abs(row), abs(np.asarray(source)), abs(row))
            expected = np.sum(row * drive).imag
            np.testing.assert_allclose(density, expected, atol=digits(1e-14) * scale)


@double
@pytest.mark.parametrize("name", others_at_night(CLOSED, ("drude",), ("critical", "sub-Ohmic")))
def test_susceptibilities_are_the_transforms_of_the_spectrum(name):
    known, shape = facts(name), CLOSED[name]
    points = [0, 0.01, 0.1, 0.5, 0.8, 1, 1.2, 1.5, 2, 4, 10, 40, 200, mpmath.inf]
    scale = 1 / (shape(mpmath.mpf(1.3)) * mpmath.pi)
    for nu, value in zip(
        np.asarray(UPPER[0]) + 1j * np.asarray(UPPER[1]), known["upper"], strict=True
    ):
        exact = mpmath.quad(lambda w, nu=nu: shape(w) * w / (w * w - nu * nu), points)
        np.testing.assert_allclose(value, complex(2 * exact * scale), rtol=1e-11)
    for nu, value in zip(NU[:2], known["one-sided"][:2], strict=True):
        exact = mpmath.quad(lambda w, nu=float(nu): shape(w) / (w - nu), points)
        np.testing.assert_allclose(value, complex(exact * scale), rtol=1e-11)


@double
@pytest.mark.parametrize("exponent", [0.5, *nightly(0.8, 1, 1.5, 2, 3)])
def test_susceptibility_of_a_power_law_far_above_its_cutoff(exponent):
    """On the imaginary axis it is real and falls as y⁻²: what no rounding error may outgrow."""
    far = jnp.array([5.0, 60.0, 100.0])
    points = [0, 0.1, 0.3, 0.6, 1, 2, 3, 4, 6, 8, 12]
    exact = [
        # In x = t², for the power of a root
        mpmath.quad(
            lambda t, y=y: (
                2 * t ** (2 * mpmath.mpf(exponent) + 3) * mpmath.exp(-t * t) / (t**4 + y * y)
            ),
            points,
        )
        for y in map(float, far)
    ]
    exact = 2 / np.pi * np.array(exact, float)
    computed = jax.jit(even_transform, static_argnums=0)(exponent, jax.lax.complex(0 * far, far))
    np.testing.assert_allclose(computed.real, exact, rtol=5e-14)
    np.testing.assert_allclose(computed.imag / exact, 0, atol=5e-14)
    np.testing.assert_allclose(even_transform_above(exponent, far), exact, rtol=5e-14)


@double
@pytest.mark.parametrize("exponent", [0.5, 3, *nightly(0.8, 1, 1.5, 2)])
def test_fits_of_power_laws(exponent):
    spectrum = PowerLaw(exponent, 2.0)
    assert spectrum.error < 4e-9
    assert spectrum.lowest > -4e-9
    assert sum(filters.input.size for filters in spectrum.filters()) <= 54


def test_tables():
    spectrum = FITTED["table"]
    assert spectrum.error < (1e-3 if SINGLE else 2e-9)
    assert spectrum.lowest > -max(1e-6, spectrum.tolerance)
    coarse = spectrum.replace(tolerance=1e-3)
    variables = [sum(f.input.size for f in s.filters()) for s in (coarse, spectrum)]
    assert variables[0] <= variables[1]
    np.testing.assert_allclose(
        coarse.rate(array(0.4), REFERENCE), spectrum.rate(array(0.4), REFERENCE), rtol=1e-2
    )
    # The peak of a table of a rational spectrum is found with two variables (three in float32).
    grid = np.geomspace(0.01, 100, 200)
    peak = Sampled(array(grid), array(CLOSED["brownian"](grid)), 1e-4)
    assert sum(filters.input.size for filters in peak.filters()) <= (3 if SINGLE else 2)
    expected = RATIONAL["brownian"].rate(array(0.8), REFERENCE)
    np.testing.assert_allclose(peak.rate(array(0.8), REFERENCE), expected, rtol=1e-3)


def test_sums():
    one, two = Drude(array(5)), Brownian(array(1), array(0.1), reference=array(0.7))
    both = array(0.3) * one + two * np.float64(2) + Ohmic()
    assert isinstance(both, Sum)
    assert both.kind == "ohmic"
    np.testing.assert_allclose(both.weights, [0.3, 2, 1], rtol=digits(1e-15))
    frequency = array([0.4, 2])
    expected = (
        array(0.3) * one.rate(frequency, REFERENCE)
        + 2 * two.rate(frequency)
        + frequency / REFERENCE
    )
    np.testing.assert_allclose(both.rate(frequency, REFERENCE), expected, rtol=digits(1e-14))
    np.testing.assert_allclose(both.ohmic_slope(REFERENCE), 1 / 1.3, rtol=digits(1e-15))
    assert len(both.terms(REFERENCE)) == 2
    chi = both.susceptibility(frequency, REFERENCE)
    np.testing.assert_allclose(chi.imag, expected, rtol=digits(1e-13))
    doubled = 2 * (one + two)
    np.testing.assert_array_equal(doubled.weights, [2, 2])


class Lorentzian(Spectrum):
    """A spectrum of one's own: two methods."""

    _leaves = ("cutoff", "reference")

    def __init__(self, cutoff, *, reference=None):
        self._set(cutoff=jnp.asarray(cutoff), reference=reference)

    def profile(self, frequency):
        return frequency / (frequency**2 + self.cutoff**2)

    def filters(self):
        one = jnp.ones_like(self.cutoff).reshape(1, 1)
        return (Filters(-self.cutoff.reshape(1, 1, 1), one, one),)


class Cascade(Lorentzian):
    """The same with filters of three variables, two of them idle."""

    def filters(self):
        (one,) = super().filters()
        drift = jnp.diag(jnp.stack([-self.cutoff, -2 * self.cutoff, -3 * self.cutoff]))[None]
        row = array([[1, 0, 0]])
        return (Filters(drift, one.input * row, row),)


@pytest.mark.parametrize("kind", [Cascade, *nightly(Lorentzian)])
def test_a_spectrum_of_ones_own(kind):
    nu = array([0.3, -2])

    @jax.jit
    def answers(spectrum):
        return [
            spectrum.rate(nu, REFERENCE),
            spectrum.susceptibility(nu, REFERENCE),
            spectrum.one_sided(nu, REFERENCE),
            spectrum.static_susceptibility(REFERENCE),
        ]

    for own, known in zip(answers(kind(array(4))), answers(RATIONAL["drude"]), strict=True):
        np.testing.assert_allclose(own, known, rtol=digits(1e-13), atol=digits(1e-15))


def test_flat_and_ohmic():
    nu = array([-2, 0.3])
    np.testing.assert_array_equal(Flat().rate(nu), [1, 1])
    np.testing.assert_allclose(Ohmic().rate(nu, REFERENCE), nu / 1.3, rtol=digits(1e-15))
    np.testing.assert_allclose(
        Ohmic().susceptibility(nu, REFERENCE), 1j * np.asarray(nu) / 1.3, rtol=digits(1e-15)
    )
    np.testing.assert_allclose(
        Ohmic(reference=2.0).matsubara_susceptibility(array(3)), -1.5, rtol=digits(1e-15)
    )
    for spectrum in (Flat(), Ohmic()):
        with pytest.raises(ValueError, match="must have a cutoff"):
            spectrum.one_sided(nu, REFERENCE)
    with pytest.raises(ValueError, match="but it is flat"):
        Flat().terms()


@pytest.mark.parametrize("name", others_at_night(EVERY, ("sum", "table"), EVERY))
def test_they_are_pytrees_with_derivatives(name):
    spectrum = EVERY[name]

    @jax.jit
    def chi(spectrum):
        return jnp.sum(spectrum.susceptibility(array([0.4, 1.7]), REFERENCE).real)

    gradient = jax.grad(chi)(spectrum)
    assert jax.tree.structure(gradient) == jax.tree.structure(spectrum)
    if name == "table":
        return
    step = 1e-3 if SINGLE else 1e-5
    leaves, structure = jax.tree.flatten(spectrum)
    for k, slope in enumerate(jax.tree.leaves(gradient)):
        if leaves[k].ndim:
            continue
        high, low = (
            chi(jax.tree.unflatten(structure, [*leaves[:k], leaves[k] + d, *leaves[k + 1 :]]))
            for d in (step, -step)
        )
        tolerance = 0.05 if SINGLE else 1e-7
        np.testing.assert_allclose(slope, (high - low) / (2 * step), tolerance, tolerance)


@pytest.mark.parametrize("name", ["sum", "exponential", "table"])
def test_they_travel_through_export(name):
    spectrum = EVERY[name]
    program = export.export(jax.jit(lambda s: s.rate(REFERENCE / 2, REFERENCE)))(spectrum)
    again = export.deserialize(program.serialize())
    np.testing.assert_allclose(
        again.call(spectrum), spectrum.rate(REFERENCE / 2, REFERENCE), rtol=digits(1e-14)
    )


def test_errors():
    with pytest.raises(ValueError, match="`cutoff` must be positive"):
        Drude(-1.0)
    with pytest.raises(ValueError, match="`width` must have shape"):
        Brownian(1.0, [1.0, 2.0])
    with pytest.raises(ValueError, match="`reference` must be positive"):
        Drude(1.0, reference=0.0)
    with pytest.raises(ValueError, match="`reference` must be given"):
        Drude(1.0).rate(array(1))
    with pytest.raises(ValueError, match="`exponent` must be between"):
        PowerLaw(0.1, 1.0)
    with pytest.raises(ValueError, match="`exponent` must be a number that is known"):
        jax.jit(lambda s: PowerLaw(s, 1.0).cutoff)(1.0)
    with pytest.raises(ValueError, match="known outside of transformations"):
        jax.jit(lambda x: Sampled(x, x).error)(array(TABLE))
    with pytest.raises(ValueError, match="positive and ascending"):
        Sampled([2.0, 1.0, 3.0, 4.0], [1.0] * 4)
    with pytest.raises(ValueError, match="must not be negative"):
        Sampled([1.0, 2.0, 3.0, 4.0], [1.0, -1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="`density` must have shape"):
        Sampled([1.0, 2.0, 3.0, 4.0], [1.0])
    with pytest.raises(ValueError, match="shape \\(K,\\)"):
        Sampled([1.0], [1.0])
    with pytest.raises(ValueError, match="`tolerance` must be between"):
        FITTED["table"].replace(tolerance=0.0)
    with pytest.raises(ValueError, match="must be smooth enough"):
        Sampled(array(TABLE), array(np.where((TABLE > 1) & (TABLE < 2), 1.0, 0.0)))
    grid = np.geomspace(0.01, 30, 200)
    noise = 1 + 1e-3 * np.random.default_rng(1).normal(size=len(grid))
    with pytest.raises(ValueError, match="fit that is not negative"):
        Sampled(grid, grid * np.exp(-grid) * noise)
    assert Sampled(grid, grid * np.exp(-grid) * noise, 3e-3).error < 1e-2
    with pytest.raises(ValueError, match="none is flat"):
        Flat() + Drude(1.0)
    with pytest.raises(ValueError, match="`weights` must not be negative"):
        -1.0 * Drude(1.0)
    with pytest.raises(TypeError):
        Drude(1.0) * Drude(1.0)
    with pytest.raises(TypeError):
        Drude(1.0) + 1.0


@pytest.mark.slow
@double
def test_conversions_from_elsewhere():
    """QuTiP's densities on x, an equation of motion with friction, and the two rows of X."""
    qutip = pytest.importorskip("qutip")
    omega, (coupling, width, own) = jnp.linspace(0.1, 4.0, 7), (0.3, 0.7, 1.3)
    there = qutip.DrudeLorentzEnvironment(T=1.0, lam=coupling, gamma=width)
    damping = 2 * coupling * width / (width**2 + 1)  # J at the reference
    here = damping * Drude(width, reference=1.0).rate(omega)
    np.testing.assert_allclose(here, there.spectral_density(np.asarray(omega)), rtol=1e-13)
    there = qutip.UnderDampedEnvironment(T=1.0, lam=coupling, gamma=width, w0=own)
    damping = coupling**2 * width / ((own**2 - 1) ** 2 + width**2)
    here = damping * Brownian(own, width, reference=1.0).rate(omega)
    np.testing.assert_allclose(here, there.spectral_density(np.asarray(omega)), rtol=1e-13)

    network = jaxosc.Oscillators([own], [[0.0]])
    ohmic = jaxosc.Baths(width / 2, 1.0, "ohmic", coupling="position")
    with pytest.warns(UserWarning, match="strictly Ohmic"):
        drift = jaxosc.langevin(network, ohmic).drift
    # q̈ + γ_CL q̇ + ω²q = 0 with γ = γ_CL/2
    np.testing.assert_allclose(jnp.trace(drift), -width, rtol=1e-14)
    np.testing.assert_allclose(jnp.linalg.det(drift), own**2, rtol=1e-14)

    def state(damping, row):
        baths = jaxosc.Baths(damping, 0.5, Drude(4.0, reference=1.0), coupling=[row])
        return jaxosc.steady_state(jaxosc.langevin(network, baths))

    both = state(0.1, [2**0.5, 0.0])  # X = a + a†; for X = x J is twice that
    np.testing.assert_allclose(state(0.2, [1.0, 0.0]), both, rtol=1e-13)
