"""What keeps compilation short: programs on disk, gradients of one loop, sums of one family."""

import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache
from legs import others_at_night
from precision import DTYPE, digits

import jaxosc
from jaxosc._numerics.jacobians import each_by_tables
from jaxosc._numerics.quartic_sums import _family
from jaxosc._numerics.sharing import in_one_gradient, in_one_loop


def number(*parameters, equation=jaxosc.local_lindblad):
    """⟨n1⟩."""
    omega1, omega2, coupling, damping1, damping2, temperature1, temperature2 = parameters
    oscillators = jaxosc.pair((omega1, omega2), coupling, "position")
    baths = jaxosc.Baths((damping1, damping2), (temperature1, temperature2))
    return jaxosc.occupation(jaxosc.steady_state(equation(oscillators, baths)))[0]


POINT = [jnp.asarray(x, DTYPE) for x in (5.0, 2.0, 1.3, 1e-3, 2e-3, 98.0, 40.0)]


def test_programs_are_found_again(own_cache, tmp_path):
    folder = jaxosc.keep_compiled(tmp_path / "new" / "programs")
    assert folder == tmp_path / "new" / "programs"
    # However fast the machine is that compiles it
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    first = jax.jit(number)(*POINT)
    kept = sorted(folder.glob("jit_number*"))
    assert kept
    jax.clear_caches()
    assert jax.jit(number)(*POINT) == first
    assert sorted(folder.glob("jit_number*")) == kept
    assert jaxosc.keep_compiled() == folder  # the one that JAX has


def test_a_program_that_another_process_is_writing(own_cache, tmp_path):
    """As of a worker beside this one: JAX warns and compiles, and no test fails of it."""
    # Not by `keep_compiled`, which ignores that warning
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    compilation_cache.reset_cache()
    double = jax.jit(lambda x: 2 * x)
    assert double(DTYPE(1.5)) == 3
    programs = list(tmp_path.iterdir())
    assert programs
    for program in programs:
        program.write_bytes(program.read_bytes()[:10])
    jax.clear_caches()
    assert double(DTYPE(1.5)) == 3


@pytest.mark.parametrize("folder", [3, 2.5, ["a"]])
def test_no_folder(folder, own_cache):
    with pytest.raises(ValueError, match="Argument `folder` must be the path of a folder"):
        jaxosc.keep_compiled(folder)


def test_folder_that_cannot_be(own_cache, tmp_path):
    (tmp_path / "file").write_text("")
    before = jax.config.jax_compilation_cache_dir
    with pytest.raises(OSError, match="file"):
        jaxosc.keep_compiled(tmp_path / "file" / "programs")
    assert jax.config.jax_compilation_cache_dir == before


EVERY = (0, 1, 2)
DERIVATIVES = {
    "value": lambda f: f,
    "gradient": lambda f: jax.grad(f, EVERY),
    "forward": lambda f: jax.jacfwd(f, EVERY),
    "hessian": lambda f: jax.hessian(f, EVERY),
    "reverse": lambda f: jax.jacrev(jax.grad(f, EVERY), EVERY),
    "third": lambda f: jax.grad(lambda *p: sum(jax.tree.leaves(jax.hessian(f, EVERY)(*p))), EVERY),
}


@pytest.mark.parametrize("passed", [in_one_gradient, in_one_loop])
@pytest.mark.parametrize(
    "order",
    others_at_night(DERIVATIVES, ("value", "gradient")),
)
def test_identity_of_every_order(passed, order):
    """Values and derivatives of x²y sin z, forward and in reverse, alone, in few and in many."""
    make = DERIVATIVES[order]

    def plain(x, y, z):
        return x * x * y * jnp.sin(z)

    def through(*values):
        return plain(*passed(values))

    point = [jnp.asarray(x, DTYPE) for x in (1.2, -0.7, 0.4)]
    for count in (None, 3, 100):
        own, other, values = make(through), make(plain), point
        if count is not None:
            own, other = jax.vmap(own, (0, 0, None)), jax.vmap(other, (0, 0, None))
            spread = jnp.linspace(1, 2, count, dtype=DTYPE)
            values = [point[0] * spread, point[1] * spread, point[2]]
        pairs = zip(*map(jax.tree.leaves, (jax.jit(own)(*values), other(*values))), strict=True)
        for x, y in pairs:
            np.testing.assert_allclose(x, y, rtol=digits(1e-14))


def plain(x, y, z):
    return x * x * y * jnp.sin(z), y / x + z


def two_of(x, y, z):
    (a, b), (c, d) = each_by_tables(plain, [(x, y, z), (y, z, x)])
    return a * d + b * c


def two_plain(x, y, z):
    (a, b), (c, d) = plain(x, y, z), plain(y, z, x)
    return a * d + b * c


@pytest.mark.parametrize(
    "order",
    others_at_night(DERIVATIVES, ("forward",)),
)
def test_tables_of_every_order(order):
    """Of two cases with common arguments, alone, in few and in many."""
    make = DERIVATIVES[order]
    point = [jnp.asarray(x, DTYPE) for x in (1.2, -0.7, 0.4)]
    for count in (None, 3, 100):
        own, other, values = make(two_of), make(two_plain), point
        if count is not None:
            own, other = (jax.vmap(f, (0, 0, None)) for f in (own, other))
            spread = jnp.linspace(1, 2, count, dtype=DTYPE)
            values = [point[0] * spread, point[1] * spread, point[2]]
        found = (jax.jit(f)(*values) for f in (own, other))
        pairs = zip(*map(jax.tree.leaves, found), strict=True)
        for x, y in pairs:
            np.testing.assert_allclose(x, y, rtol=digits(1e-13), atol=digits(1e-13))


def test_one_that_does_not_move():
    """A slope by one argument has no part of the others, which a zero tangent would give it."""

    def through(x, y):
        x, y = in_one_gradient((x, y))
        return x * jnp.sqrt(y)

    one = jnp.ones((), DTYPE)
    assert jax.jvp(lambda x: through(x, 0 * one), (one,), (one,))[1] == 0


def test_gradient_of_one_loop():
    """Seven derivatives in fewer operations than are written down: there were 12,601."""
    gradient = jax.grad(number, tuple(range(7)))
    lowered = jax.jit(gradient).lower(*POINT)
    written, compiled = (
        sum(" = " in line for line in text.splitlines())
        for text in (lowered.as_text(), lowered.compile().as_text())
    )
    assert compiled < written < 4500


def sums_of(coefficients, temperature, heated):
    """2T Σ νᵐ/d(ν), m < 3, by partial fractions and the digamma function."""
    c0, c1, c2, c3 = map(mpmath.mpf, coefficients)
    companion = mpmath.matrix([[0, 0, 0, -c0], [1, 0, 0, -c1], [0, 1, 0, -c2], [0, 0, 1, -c3]])
    roots = mpmath.eig(companion, left=False, right=False)

    def value(temperature, m):
        step = 2 * mpmath.pi * temperature
        parts = (
            r**m / (4 * r**3 + 3 * c3 * r**2 + 2 * c2 * r + c1) * mpmath.psi(0, 1 - r / step)
            for r in roots
        )
        return -mpmath.re(sum(parts)) / mpmath.pi

    return [
        mpmath.diff(lambda t, m=m: value(t, m), mpmath.mpf(temperature), heated) for m in range(3)
    ]


@functools.cache
def compiled_sums(heated):
    return jax.jit(_family(1, 3, heated))


@functools.cache
def compiled_slopes():
    return jax.jit(jax.jacfwd(_family(1, 3, 0), (0, 1, 2, 3)))


@pytest.mark.parametrize("temperature", [0.02, 0.09, 0.7, 30.0, 4e3])
def test_sums_at_a_point(temperature):
    """With the nodes along an axis, and their slopes by T and by the coefficients."""
    coefficients = [float(DTYPE(x)) for x in (0.02, 0.003, 0.55, 0.07)]
    temperature = float(DTYPE(temperature))
    arguments = [jnp.asarray(x, DTYPE) for x in (*coefficients, temperature, 0.15, 1.0)]
    for heated in (0, 1):
        exact = sums_of(coefficients, temperature, heated)
        tolerance = digits(1e-14 if temperature > 0.1 or not heated else 1e-8)
        for ours, theirs in zip(compiled_sums(heated)(*arguments), exact, strict=True):
            assert float(ours) == pytest.approx(float(theirs), rel=tolerance)
    # By each coefficient, beside the difference of two exact values
    slopes = compiled_slopes()(*arguments)
    for n in range(4):
        step = mpmath.mpf("1e-15")
        up, down = (
            sums_of([mpmath.mpf(c) + sign * step * (n == i) for i, c in enumerate(coefficients)],
                    temperature, 0)
            for sign in (1, -1)
        )  # fmt: skip
        for m in range(3):
            expected = float((up[m] - down[m]) / (2 * step))
            assert float(slopes[m][n]) == pytest.approx(expected, rel=digits(1e-13))
