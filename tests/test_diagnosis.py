"""What `diagnose` says of networks inside and outside each domain."""

import dataclasses

import jax
import mpmath
import numpy as np
import pytest
from legs import nightly, slow
from precision import digits, double, rounded

import jaxosc


def diagnose(coupling, damping=(1.5e-4, 1.5e-4), temperature=(98.0, 298.0), kind="position"):
    return jaxosc.diagnose(
        jaxosc.pair((5.0, 2.0), coupling, kind), jaxosc.Baths(damping, temperature)
    )


def test_inside_every_domain():
    found = diagnose(1.4)
    assert found.bounded
    assert found.stable
    assert found.critical_ratio == pytest.approx(1.4 / np.sqrt(2.5), rel=digits(1e-14))
    assert found.decay_rate == pytest.approx(1.5e-4, rel=digits(1e-12))
    assert all(state.physical for state in found.states.values())
    assert found.langevin_in_domain
    words = str(found)
    assert "bounded below; coupling/critical = 0.8854377" in words
    assert "(distance 0.115)" in words
    assert "inside its domain" in words
    assert "NOT" not in words


@pytest.mark.parametrize("modes", [2, *slow(1), *nightly(3)])
def test_the_decay_rate_of_weak_damping(modes):
    """Rates from 1e-18 to 1, far below the rounding of the frequencies, against 50 digits."""
    generator = np.random.default_rng(modes)
    for index in range(12):
        upper = np.triu(generator.uniform(-0.15, 0.15, (2, modes, modes)), 1)
        exchange, pairing = upper + upper.transpose(0, 2, 1)
        frequency = generator.uniform(0.5, 2.0, modes)
        if index % 3 == 1:  # modes that only the damping tells apart
            frequency = np.ones(modes)
            exchange, pairing = 0.125 * (1 - np.eye(modes)), 0 * pairing
        damping = 10 ** generator.uniform(-18, [-10, 0, 0][index % 3], modes)
        if index % 4 == 3:
            damping[:] = damping[0]
        parts = [rounded(part) for part in (frequency, exchange, pairing, damping)]
        found = jaxosc.diagnose(
            jaxosc.Oscillators(*parts[:3]), jaxosc.Baths(parts[3], np.ones(modes))
        )
        omega, exchange, pairing, damping = (mpmath.matrix(part) for part in parts)
        with mpmath.workdps(50):
            decay = mpmath.diag(list(damping))
            drift = mpmath.zeros(2 * modes)
            drift[:modes, :modes] = drift[modes:, modes:] = -decay
            drift[:modes, modes:] = mpmath.diag(list(omega)) + exchange - pairing
            drift[modes:, :modes] = -(mpmath.diag(list(omega)) + exchange + pairing)
            exact = -max(mpmath.re(e) for e in mpmath.eig(drift, left=False, right=False))
        assert found.decay_rate == pytest.approx(float(exact), rel=1e-6)
        assert found.stable == (exact > 0)  # pairing can feed a mode that is hardly damped


def test_past_the_critical_coupling():
    found = diagnose(2.0)
    assert not found.bounded
    assert not found.stable
    assert found.critical_ratio > 1
    assert not any(state.physical for state in found.states.values())
    assert not found.langevin_in_domain
    assert "NOT bounded below" in str(found)
    assert "NOT stable" in str(found)


def test_damping_keeps_the_dynamics_stable_slightly_past_the_critical_coupling():
    damping = (0.3, 0.05)
    edge = np.sqrt((25 + damping[0] ** 2) * (4 + damping[1] ** 2) / 10) / 2
    for factor, stable in ((1 - 1e-6, True), (1 + 1e-6, False)):
        found = diagnose(edge * factor, damping)
        assert found.stable is stable
        assert not found.bounded


def test_cold_flat_langevin_is_outside_its_domain():
    found = diagnose(0.1, (1e-3, 1e-3), (0.0, 0.0))
    langevin = found.states["langevin"]
    assert not langevin.physical
    assert 0.49 < langevin.smallest < 0.5
    assert not found.langevin_in_domain
    assert "NOT physical" in str(found)
    assert found.states["local_lindblad"].physical
    assert found.states["global_lindblad"].physical


def test_rounded_criticality_is_outside_the_langevin_domain():
    critical = float(jaxosc.critical_coupling((5.0, 2.0), "rotating-wave"))
    found = diagnose(critical * (1 - 1e-5), (0.1, 0.1), (98.0, 98.0), "rotating-wave")
    assert found.softness < 1
    assert not found.langevin_in_domain
    assert "Flat Langevin model: outside its domain" in str(found)


def test_a_rotating_frame_has_no_critical_coupling():
    rotating = jaxosc.pair((-1.0, 1.0), 0.002, "position")
    found = jaxosc.diagnose(rotating, jaxosc.Baths((0.1, 1e-2), occupation=(0.0, 2.0)))
    assert np.isnan(found.critical_ratio)
    assert found.stable
    assert "not all frequencies are positive" in str(found)


@pytest.mark.slow
def test_a_soft_mode_that_is_warm():
    """The state is one, and the Langevin equation is out of its domain all the same."""
    inside = diagnose(0.1, (1e-3, 1e-3), (9.0, 3.0))
    warm = dataclasses.replace(inside, softness=0.5)
    assert inside.langevin_in_domain
    assert not warm.langevin_in_domain
    assert "inside its domain" in str(inside)
    assert "outside its domain, the softest mode is not weakly damped" in str(warm)


def test_degenerate_modes_are_not_secular():
    found = jaxosc.diagnose(
        jaxosc.pair((3.0, 3.0), 1e-5, "rotating-wave"), jaxosc.Baths((1e-3, 1e-3), (5.0, 9.0))
    )
    assert found.secularity == pytest.approx(0.02, rel=digits(2e-11))
    assert "Secular approximation of the global equation: NOT justified" in str(found)


def test_no_bath_no_steady_state():
    found = diagnose(0.1, (0.0, 0.0))
    assert not found.stable
    assert "no unique steady state" in found.states["langevin"].reason
    assert "has no bath" in found.states["global_lindblad"].reason


def test_one_mode_and_ohmic_baths():
    one = jaxosc.Oscillators([3.0], [[0.0]], [[0.0]])
    found = jaxosc.diagnose(one, jaxosc.Baths([0.1], [2.0], spectrum="ohmic"))
    assert found.critical_ratio == 0
    assert np.isinf(found.secularity)
    assert "nothing to separate" in str(found)


def test_traced_values_are_refused():
    def inside(coupling):
        return jaxosc.diagnose(
            jaxosc.pair((5.0, 2.0), coupling, "position"), jaxosc.Baths((0.1, 0.1), (1.0, 1.0))
        ).critical_ratio

    with pytest.raises(ValueError, match="`oscillators` must hold known values"):
        jax.jit(inside)(1.0)


@double
@pytest.mark.nightly
def test_degenerate_modes_need_no_separation():
    """The global equation keeps the coherences inside a group, and is right there."""
    triangle = 0.1 * (np.ones((3, 3)) - np.eye(3))
    oscillators = jaxosc.Oscillators(np.ones(3), triangle, 0 * triangle)
    found = jaxosc.diagnose(oscillators, jaxosc.Baths((1e-5,) * 3, (1.0, 2.0, 5.0)))
    assert found.secularity == pytest.approx(0.3 / 1e-5)
    assert "global equation: justified" in str(found)
    linked = jaxosc.Oscillators(np.ones(3), 1e-10 * triangle, 0 * triangle)
    weak = jaxosc.diagnose(linked, jaxosc.Baths((1e-5,) * 3, (1.0, 2.0, 5.0)))
    assert weak.secularity == pytest.approx(0.3e-10 / 1e-5, rel=1e-4)
    assert "NOT justified" in str(weak)


def test_what_the_equations_take_as_small():
    """Cold baths, detuning, and the distance to the width at which clusters change."""
    splitting = 2 * 0.01  # 2λ at resonance, rotating wave
    for damping, distance in ((1e-3, 0.0), (5e-4, 1.0), (2e-3, 0.5)):
        found = jaxosc.diagnose(
            jaxosc.pair((1.0, 1.0), splitting / 2, "rotating-wave"),
            jaxosc.Baths((damping, damping / 3), (0.5, 2.0)),
        )
        assert found.coldness == pytest.approx(damping / 0.5, rel=digits(1e-12))
        assert found.cluster_distance == pytest.approx(distance, abs=digits(1e-10))
        assert found.detuning == 0
        assert "no detuning spoils it" in str(found)
        assert ("where clusters of that width change" in str(found)) == (distance < 0.1)
    found = diagnose(0.1, (1e-3, 1e-3), (1.0, 9.0))
    assert found.detuning == pytest.approx(1.5)
    cold = diagnose(0.1, (1e-3, 0.0), (0.0, 9.0))
    assert cold.coldness == np.inf
    assert np.isnan(diagnose(0.1, (0.0, 0.0)).coldness)
