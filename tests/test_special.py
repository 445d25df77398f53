"""Elementary functions against fifty digits."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from precision import DTYPE, digits, rounded

from jaxosc._numerics.special import bose, exp, log1p, power_of_two


def largest_error(computed, arguments, exact):
    with mpmath.workdps(50):
        return max(
            float(abs(mpmath.mpf(float(y)) / exact(mpmath.mpf(float(x))) - 1))
            for x, y in zip(arguments, computed, strict=True)
        )


def test_log1p_everywhere():
    generator = np.random.default_rng(0)
    most, bits = np.log10(np.finfo(DTYPE).max) - 8, np.finfo(DTYPE).nmant
    x = rounded(np.concatenate([
        10 ** generator.uniform(-12, most, 500),
        10 ** generator.uniform(-12, 1, 500),
        -(10 ** generator.uniform(-12, -1e-6, 500)),
        -1 + 2.0 ** -np.arange(1, bits + 1),
        np.sqrt(0.5) * 2.0 ** np.arange(-3, 4) - 1,
    ]))  # fmt: skip
    assert largest_error(jax.jit(log1p)(x), x, mpmath.log1p) < digits(1e-15)
    for precise in (DTYPE, jnp.float32):
        edges = jax.jit(log1p)(jnp.array([0.0, -1.0, -1.5, jnp.nan], precise))
        np.testing.assert_array_equal(edges, [0.0, -np.inf, np.nan, np.nan])


def test_log1p_keeps_small_numbers():
    x = rounded(
        10.0 ** np.arange(np.log10(np.finfo(DTYPE).tiny) + 1, np.log10(np.finfo(DTYPE).eps))
    )
    np.testing.assert_allclose(jax.jit(log1p)(x), x, rtol=digits(1e-15))


def test_log1p_derivatives():
    for x in (-0.9, 1e-3, 7.0):
        assert jax.grad(log1p)(x) == pytest.approx(1 / (1 + x), rel=digits(1e-15))
        assert jax.grad(jax.grad(log1p))(x) == pytest.approx(-1 / (1 + x) ** 2, rel=digits(1e-14))


def test_bose_from_cold_to_hot():
    ratio = rounded(np.geomspace(1e-9, np.log(np.finfo(DTYPE).max) * 0.85, 400))
    computed = jax.jit(bose)(jnp.asarray(ratio), jnp.ones(400))
    assert largest_error(computed, ratio, lambda x: 1 / mpmath.expm1(x)) < digits(1e-15)


def test_exponentials_everywhere():
    """Between every two powers of two, where k changes, and where eˣ − 1 is x."""
    random = np.random.default_rng(5)
    top = float(np.log(np.finfo(DTYPE).max)) - 2
    x = np.concatenate([random.uniform(-top, top, 400), (np.arange(-40, 41) + 0.5) * np.log(2)])
    x = np.concatenate([x, 10 ** random.uniform(-12, 0, 100)]).astype(DTYPE)
    exact = [mpmath.exp(mpmath.mpf(float(value))) for value in x]
    found = [float(y / z - 1) for y, z in zip(jax.jit(exp)(x).tolist(), exact, strict=True)]
    assert np.abs(found).max() < digits(3e-16)
    assert jnp.all(exp(jnp.asarray([-1e9, -np.inf], DTYPE)) == 0)
    warm = x[(x > 0) & (x < 0.9 * top)]
    numbers = jax.jit(bose)(warm, np.ones_like(warm)).tolist()
    exact = [1 / mpmath.expm1(mpmath.mpf(float(value))) for value in warm]
    found = [float(y / z - 1) for y, z in zip(numbers, exact, strict=True)]
    assert np.abs(found).max() < digits(5e-16)


def test_power_of_two():
    info = np.finfo(DTYPE)
    few, most = np.log10(info.tiny) + 1e-6, np.log10(info.max) - 1
    x = (10 ** np.random.default_rng(0).uniform(few, most, 2000)).astype(DTYPE)
    x = np.concatenate([x, [1, 2, 0.5, np.nextafter(DTYPE(2), 0, dtype=DTYPE), info.tiny]])
    above = 2.0 ** np.frexp(x)[1].astype(float)
    np.testing.assert_array_equal(jax.jit(power_of_two)(x.astype(DTYPE)), above.astype(DTYPE))
    odd = jnp.array([0, -3, np.nan, np.inf, -np.inf], DTYPE)
    np.testing.assert_array_equal(power_of_two(odd), 1)
