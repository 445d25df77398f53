"""What an equation returns: a drift, a diffusion and a steady state that cannot disagree."""

from __future__ import annotations

import cases
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import others_at_night
from precision import EPS, digits

import jaxosc
from jaxosc.dynamics import Matrices, _why_no_steady_state

EQUATIONS = {
    "local": jaxosc.local_lindblad,
    "global": jaxosc.global_lindblad,
    "langevin": jaxosc.langevin,
}


def described(name, modes):
    network = cases.random_network(np.random.default_rng(50 + modes), modes)
    oscillators = jaxosc.Oscillators(*(network[k] for k in ("frequency", "exchange", "pairing")))
    baths = jaxosc.Baths(network["damping"] + 0.05, network["temperature"])
    return EQUATIONS[name](oscillators, baths)


def unexplained(dynamics):
    """What is left of Aσ + σAᵀ + D, in roundings."""
    drift, noise, state = (
        np.asarray(part, np.float64)
        for part in (dynamics.drift, dynamics.diffusion, jaxosc.steady_state(dynamics))
    )
    left = drift @ state + state @ drift.T + noise
    return np.abs(left).max() / (EPS * np.abs(drift).max() * np.abs(state).max())


@pytest.mark.parametrize(
    ("name", "modes"),
    others_at_night(
        [(name, modes) for name in EQUATIONS for modes in (1, 2, 3)],
        (("local", 1),),
        (("langevin", 2), ("global", 3)),
    ),
)
def test_parts_that_were_changed_still_agree(name, modes):
    """Each leaf is one of a network or its baths; nothing that follows from them is kept."""
    dynamics = described(name, modes)
    assert unexplained(dynamics) < 300
    leaves, structure = jax.tree.flatten(dynamics)
    for index, leaf in enumerate(leaves):
        changed = [*leaves[:index], 1.01 * leaf, *leaves[index + 1 :]]
        assert unexplained(jax.tree.unflatten(structure, changed)) < 300
        compiled = jax.jit(jaxosc.steady_state)(jax.tree.unflatten(structure, changed))
        plain = jaxosc.steady_state(jax.tree.unflatten(structure, changed))
        np.testing.assert_allclose(compiled, plain, rtol=digits(1e-11), atol=digits(1e-12))


@pytest.mark.slow
@pytest.mark.parametrize("name", others_at_night(EQUATIONS, ("langevin",)))
def test_a_diffusion_that_was_changed_inside_jit(name):
    """σ is linear in D: three times the noise is three times the state, and so are its slopes."""
    dynamics = described(name, 2)

    @jax.jit
    def state(strength):
        return jaxosc.steady_state(jaxosc.Dynamics(dynamics.drift, strength * dynamics.diffusion))

    expected = jaxosc.steady_state(dynamics)
    np.testing.assert_allclose(state(3.0), 3 * expected, rtol=digits(1e-11), atol=digits(1e-11))
    slope = jax.jacfwd(state)(3.0)
    np.testing.assert_allclose(slope, expected, rtol=digits(1e-11), atol=digits(1e-11))


@pytest.mark.parametrize("name", others_at_night(EQUATIONS, ("global",)))
@pytest.mark.slow
def test_a_batch_of_descriptions(name):
    """Drift and diffusion of what ``vmap`` returns have the axes of the batch in front."""
    couplings = jnp.linspace(0.1, 0.3, 4)
    baths = jaxosc.Baths((0.1, 0.2), (1.0, 2.0))

    def describe(coupling):
        return EQUATIONS[name](jaxosc.pair((1.0, 1.5), coupling, "position"), baths)

    batch = jax.vmap(describe)(couplings)
    for index, coupling in enumerate(couplings):
        alone = describe(coupling)
        np.testing.assert_allclose(batch.drift[index], alone.drift, rtol=digits(1e-14))
        np.testing.assert_allclose(batch.diffusion[index], alone.diffusion, rtol=digits(1e-13))
    states = jax.vmap(jaxosc.steady_state)(batch)
    np.testing.assert_allclose(states[1], jaxosc.steady_state(describe(couplings[1])), 1e-5)


@pytest.mark.slow
def test_three_ways_not_to_have_a_steady_state():
    """A motion that grows, one that is not damped, and one that the solver cannot resolve."""
    unstable = jaxosc.Dynamics(np.diag([-1.0, 0.5]), np.eye(2))
    with pytest.raises(ValueError, match=r"one grows at the rate 0\.5: there is no unique"):
        jaxosc.steady_state(unstable)
    marginal = jaxosc.Dynamics([[0.0, 1.0], [-1.0, 0.0]], np.eye(2))
    with pytest.raises(ValueError, match="one is not damped, up to rounding: there is no unique"):
        jaxosc.steady_state(marginal)
    ring = 0.1 * (np.roll(np.eye(3), 1, 0) + np.roll(np.eye(3), -1, 0))
    oscillators = jaxosc.Oscillators(np.ones(3), ring, 0 * ring)
    dark = jaxosc.Baths((0.1, 0.0, 0.0), (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="one is not damped, up to rounding"):
        jaxosc.steady_state(jaxosc.local_lindblad(oscillators, dark))
    found = jaxosc.diagnose(oscillators, dark)
    assert not found.stable
    assert found.decay_rate == 0


def test_why_there_is_no_steady_state():
    """The solver did not converge though every motion decays; a number is out of range."""
    for drift, words in (
        (-np.eye(2), "did not converge: the slowest motion decays at the rate 1"),
        (np.diag([-1.0, np.inf]), "must have a drift of finite numbers, but it has not"),
    ):
        parts = jnp.asarray(drift), jnp.eye(2)
        assert words in _why_no_steady_state(Matrices(), parts)
