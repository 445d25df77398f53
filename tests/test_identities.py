"""Descriptions that say the same in a special case, and are computed in another way."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
from legs import slow
from precision import digits, double

import jaxosc

DRUDE = jaxosc.spectra.Drude(4.0, reference=1.3)


def bose(frequency, temperature):
    return 1 / np.expm1(frequency / temperature)


@jax.jit
def all_of(dynamics):
    return dynamics.drift, dynamics.diffusion, jaxosc.steady_state(dynamics)


def same(ours, theirs, error=1e-12):
    """Drift, diffusion and steady state."""
    for one, other in zip(all_of(ours), all_of(theirs), strict=True):
        np.testing.assert_allclose(one, other, digits(error), digits(error))


def one_oscillator(temperature=0.8):
    """One behind its position, at the frequency where the spectrum has its reference."""
    network = jaxosc.Oscillators([1.3], [[0.0]])
    return network, jaxosc.Baths(0.02, temperature, DRUDE, coupling="position")


@pytest.mark.slow
def test_universal_equation_of_one_oscillator():
    """Its one jump is √S(ω) a + √S(−ω) a†."""
    network, baths = one_oscillator()
    number = bose(1.3, 0.8)
    jumps = [[(0.04 * (number + 1)) ** 0.5]], [[(0.04 * number) ** 0.5]]
    same(jaxosc.universal_lindblad(network, baths), jaxosc.lindblad(network, *jumps))


@pytest.mark.slow
@pytest.mark.parametrize("equation", [jaxosc.partial_secular, jaxosc.unified_lindblad])
def test_secular_equations_of_one_oscillator(equation):
    network, baths = one_oscillator()
    same(equation(network, baths, width=0.1), jaxosc.global_lindblad(network, baths))


def test_heat_through_one_oscillator():
    """Between two baths: ω 2γ_m(N_m − n), with the rates of both at the one frequency."""
    network = jaxosc.Oscillators([1.3], [[0.0]])
    rows = 2**0.5 * np.array([[1.0, 0], [0, 1.0]])  # a + a† and −i(a − a†)
    damping, temperature = np.array([0.02, 0.05]), np.array([0.8, 0.3])
    baths = jaxosc.Baths(damping, temperature, DRUDE, coupling=rows)
    number = bose(1.3, temperature)
    heat = 1.3 * 2 * damping * (number - number @ damping / damping.sum())
    found = jaxosc.heat_currents(jaxosc.unified_lindblad(network, baths, width=0.1))
    np.testing.assert_allclose(found, heat, digits(1e-12))


@double
def test_coarse_grained_equation_behind_a_lowering_operator():
    """Rates are those of up and down, averaged over the positive frequencies around ω."""
    network, time = jaxosc.Oscillators([1.3], [[0.0]]), 2.0
    spectrum = jaxosc.spectra.PowerLaw(exponent=2, cutoff=3.0, reference=1.3)
    baths = jaxosc.Baths(0.02, 0.8, spectrum)

    def average(weight):
        def integrand(w):
            rate = 0.02 * (w / 1.3) ** 2 * np.exp(-(w - 1.3) / 3) * weight(w)
            return 2 * rate * np.exp(-(((w - 1.3) * time) ** 2)) * time / np.pi**0.5

        return scipy.integrate.quad(integrand, 0, 20, epsabs=0, epsrel=1e-12, limit=200)[0]

    down, up = average(lambda w: bose(w, 0.8) + 1), average(lambda w: bose(w, 0.8))
    dynamics = jaxosc.coarse_grained_lindblad(network, baths, time)
    np.testing.assert_allclose(np.diag(dynamics.drift), (up - down) / 2, 1e-11)
    np.testing.assert_allclose(
        jaxosc.occupation(jaxosc.steady_state(dynamics)), up / (down - up), 1e-11
    )


def detuned(coupling=0.2, damping=(0.02, 0.05)):
    network = jaxosc.pair((1.0, 1.3), coupling, "position")
    return network, np.array(damping), np.array([0.8, 0.4])


@pytest.mark.slow
def test_one_common_frequency_is_that_of_white_baths():
    network, damping, temperature = detuned()
    ours = jaxosc.local_lindblad(network, jaxosc.Baths(damping, temperature), frequency=1.1)
    white = jaxosc.Baths(damping, occupation=bose(1.1, temperature))
    theirs = jaxosc.local_lindblad(network, white)
    same(ours, theirs)
    for found, expected in zip(
        ours._description.ports(*ours._parts),
        theirs._description.ports(*theirs._parts),
        strict=True,
    ):
        np.testing.assert_allclose(found, expected, digits(1e-12))
    # The heat of oscillators that all have this frequency
    number = np.asarray(jaxosc.occupation(jaxosc.steady_state(theirs)))
    heat = 1.1 * 2 * damping * (bose(1.1, temperature) - number)
    np.testing.assert_allclose(jaxosc.heat_currents(ours), heat, rtol=digits(1e-11))


def test_no_common_frequency():
    network, damping, temperature = detuned()
    baths = jaxosc.Baths(damping, temperature)

    @jax.jit
    def of(frequency):
        dynamics = jaxosc.local_lindblad(network, baths, frequency=frequency)
        return jaxosc.status(dynamics), jaxosc.steady_state(dynamics)

    for frequency, expected in ((1.1, jaxosc.Status.VALID), (-1.1, jaxosc.Status.NUMBER)):
        code, state = of(frequency)
        assert code == expected
        assert np.isnan(state).all() == (frequency < 0)
    with pytest.raises(ValueError, match="`frequency` must be positive"):
        jaxosc.local_lindblad(network, baths, frequency=-1.1)
    with pytest.raises(ValueError, match="`frequency` must be left out with `order=1`"):
        jaxosc.local_lindblad(network, baths, order=1, frequency=1.1)
    alone, *_ = detuned(0.0)
    undamped = jaxosc.Baths([0.02, 0.0], temperature)
    with pytest.raises(ValueError, match="must damp every motion, but one is not damped"):
        jaxosc.steady_state(jaxosc.local_lindblad(alone, undamped, frequency=1.1))


@pytest.mark.slow
@double
def test_white_baths_by_the_integral():
    network, damping, temperature = detuned()
    baths = jaxosc.Baths(damping, occupation=temperature)
    expected = jaxosc.steady_state(jaxosc.local_lindblad(network, baths))
    np.testing.assert_allclose(jaxosc.langevin_quadrature(network, baths), expected, atol=1e-9)


@pytest.mark.slow
def test_rows_that_are_lowering_operators():
    """Of flat baths with memory."""
    network, damping, temperature = detuned()
    rows = jaxosc.Baths(damping, temperature, coupling=np.eye(2, dtype=complex))
    same(
        jaxosc.langevin(network, rows), jaxosc.langevin(network, jaxosc.Baths(damping, temperature))
    )


@pytest.mark.slow
def test_outputs_of_jumps_are_those_of_cold_baths():
    network, damping, _ = detuned()
    jumps = jaxosc.lindblad(network, np.diag((2 * damping) ** 0.5))
    cold = jaxosc.local_lindblad(network, jaxosc.Baths(damping, occupation=0.0))
    same(jumps, cold)
    ours, theirs = (x._description.ports(*x._parts) for x in (jumps, cold))
    scaled = ours.rows / jnp.sqrt(2 * damping)[:, None, None]
    np.testing.assert_allclose(scaled, theirs.rows, atol=digits(1e-14))
    for name in ("occupation", "squeezing"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))


def test_a_pair_at_a_distance_has_its_couplings():
    """As numbers, also of a batch: (1 − δ) of the critical coupling."""
    for interaction, damping in (("position", None), ("rotating-wave", None), ("position", 0.1)):
        critical = jaxosc.critical_coupling((1.0, 1.3), interaction, damping)
        near = jaxosc.pair((1.0, 1.3), interaction=interaction, distance=0.125, damping=damping)
        plain = jaxosc.pair((1.0, 1.3), 0.875 * critical, interaction)
        for name in ("exchange", "pairing"):
            np.testing.assert_allclose(getattr(near, name), getattr(plain, name), digits(1e-14))


@pytest.mark.slow
@double
def test_baths_with_a_cutoff_by_the_integral():
    network, baths = one_oscillator()
    expected = jaxosc.steady_state(jaxosc.langevin(network, baths))
    np.testing.assert_allclose(jaxosc.langevin_quadrature(network, baths), expected, atol=1e-10)


@pytest.mark.slow
def test_what_passes_between_white_baths():
    """As between flat ones, whose temperatures play no part."""
    network, damping, temperature = detuned()
    frequency = np.array([0.4, 1.1, 2.0])
    white = jaxosc.Baths(damping, occupation=temperature)
    flat = jaxosc.Baths(damping, temperature)
    passed = (jaxosc.transmission(network, each, frequency) for each in (white, flat))
    np.testing.assert_allclose(*passed, rtol=digits(1e-13))


def test_white_baths_of_the_langevin_equation():
    network, damping, temperature = detuned()
    baths = jaxosc.Baths(damping, occupation=temperature)
    ours, theirs = jaxosc.langevin(network, baths), jaxosc.local_lindblad(network, baths)
    for part in ("ports", "noise"):
        found, expected = (getattr(x._description, part)(*x._parts) for x in (ours, theirs))
        np.testing.assert_array_equal(found[0], expected[0])
        if part == "noise":
            nu = jnp.array([-0.4, 0.0, 2.0])
            np.testing.assert_array_equal(found.weight(nu), expected.weight(nu))
    assert np.isnan(jaxosc.entropy_production(ours))
    ways = jaxosc.explain(network, baths)
    assert "exactly those of the local equation" in str(ways)


@pytest.mark.slow
def test_how_structured_baths_are_explained():
    network, baths = one_oscillator()
    assert "1 variables of filters" in str(jaxosc.explain(network, baths))


@pytest.mark.slow
def test_decay_rates_on_the_host():
    """Of an enlarged drift; of a network with complex couplings, which all decays alike."""
    network, baths = one_oscillator()
    dynamics = jaxosc.langevin(network, baths)
    slowest = -np.linalg.eigvals(np.asarray(dynamics.drift)).real.max()
    rate = dynamics._description.decay_rate(*dynamics._parts)
    assert rate == pytest.approx(slowest, rel=digits(1e-10))
    twisted = jaxosc.Oscillators([1.0, 1.3], [[0, 0.1j], [-0.1j, 0]])
    dynamics = jaxosc.local_lindblad(twisted, jaxosc.Baths(0.05, 1.0))
    rate = dynamics._description.decay_rate(*dynamics._parts)
    assert rate == pytest.approx(0.05, rel=digits(1e-13))


def test_sums_of_spectra():
    """Of a sum too, and by the function of Python."""
    drude = jaxosc.spectra.Drude(4.0, reference=1.0)
    ohmic = jaxosc.spectra.Ohmic(reference=2.0)
    nested = sum([drude, 0.5 * (ohmic + drude)])
    assert nested.has_reference
    assert nested.lowest_power == 1
    w = jnp.array([0.3, 1.0, 7.0])
    np.testing.assert_allclose(nested.profile(w), 1.5 * drude.rate(w) + 0.5 * ohmic.rate(w), 1e-6)
    filters = jaxosc.spectra.Drude(4.0, reference=1.0) + jaxosc.spectra.Drude(2.0, reference=1.0)
    assert len(filters.filters()) == len(filters.spectra) == 2


def secular(network, baths):
    dynamics = jaxosc.global_lindblad(network, baths)
    return dynamics.drift, dynamics.diffusion, jaxosc.steady_state(dynamics)


def others(network, baths):
    scale = jaxosc.stability_scale(network, baths)
    local, langevin = jaxosc.local_lindblad(network, baths), jaxosc.langevin(network, baths)
    gibbs = jaxosc.gibbs(network, 6.0)
    return scale * jnp.eye(4), gibbs, jaxosc.steady_state(local), jaxosc.steady_state(langevin)


@double
@pytest.mark.parametrize("found", slow(secular, others))
def test_phases_of_oscillators_change_nothing(found):
    """Two with one-mode squeezing, in closed form, and turned in phase space, by their hessian."""
    exchange = np.array([[0, 1.0], [1.0, 0]])
    pairing = np.array([[3.0, 0.5], [0.5, -2.0]])
    angle = np.array([0.4, -1.1])
    turn = np.exp(1j * angle)
    turned = exchange * np.outer(turn.conj(), turn), pairing * np.outer(turn, turn).conj()
    baths = jaxosc.Baths([0.2, 0.5], [8.0, 4.0])

    @jax.jit
    def numbers(exchange, pairing):
        return found(jaxosc.Oscillators([10.0, 13.0], exchange, pairing), baths)

    blocks = [[[np.cos(x), np.sin(x)], [-np.sin(x), np.cos(x)]] for x in angle]
    rotation = scipy.linalg.block_diag(*blocks)
    for ours, theirs in zip(numbers(exchange, pairing), numbers(*turned), strict=True):
        expected = rotation @ np.asarray(ours) @ rotation.T
        np.testing.assert_allclose(theirs, expected, atol=1e-11 * np.abs(expected).max())


@pytest.mark.slow
@double
def test_evolution_behind_flat_baths():
    """From a state to the steady one; two states approach each other as the drift says."""
    network, baths = jaxosc.Oscillators([1.3], [[0.0]]), jaxosc.Baths(0.05, 0.4)
    dynamics, times = jaxosc.langevin(network, baths), np.array([0.0, 0.7, 3.0, 400.0])

    @jax.jit
    def evolved(covariance):
        return jaxosc.evolve(dynamics, covariance, times).covariance

    squeezed, vacuum = evolved(np.diag([2.0, 0.3])), evolved(np.eye(2) / 2)
    np.testing.assert_allclose(squeezed[0], np.diag([2.0, 0.3]), atol=1e-14)
    np.testing.assert_allclose(squeezed[-1], jaxosc.steady_state(dynamics), atol=1e-12)
    for time, apart in zip(times, squeezed - vacuum, strict=True):
        moved = scipy.linalg.expm(np.asarray(dynamics.drift) * time)
        expected = moved @ np.diag([1.5, -0.2]) @ moved.T
        np.testing.assert_allclose(apart, expected, atol=1e-12)


def test_numbers_that_are_left_out():
    """The usual time 1/√(γω) of the largest rate and the lowest frequency; the usual width 20γ."""
    network, damping, temperature = detuned()
    baths = jaxosc.Baths(damping, temperature, DRUDE, coupling="position")
    for equation, expected in (
        (jaxosc.coarse_grained_lindblad, 1 / np.sqrt(0.05 * 1.0)),
        (jaxosc.partial_secular, 20 * 0.05),
        (jaxosc.unified_lindblad, 20 * 0.05),
    ):
        *_, number = equation(network, baths)._parts
        assert float(number) == pytest.approx(expected, rel=digits(1e-12))
