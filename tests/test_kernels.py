"""Every kernel against the dense route at its own N: values, derivatives, and its stability."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import nightly, others_at_night, slow
from precision import EPS

from jaxosc._kernels.interface import Network
from jaxosc._kernels.network import FewKernel, ManyKernel, SingleKernel
from jaxosc._kernels.pair import PairKernel
from jaxosc._kernels.selection import kernel_of
from jaxosc._numerics.small import interleave
from jaxosc.oscillators import Oscillators, in_unit, natural_unit

# The kernel that is selected, and the modes at which it is asked. At two modes the general ones
# are asked too: there the pair is a faster way to the same numbers.
NIGHTLY = pytest.mark.nightly
CASES = [
    pytest.param(PairKernel, 2, marks=NIGHTLY),
    pytest.param(SingleKernel, 1, marks=NIGHTLY),
    pytest.param(FewKernel, 2, marks=NIGHTLY),
    pytest.param(FewKernel, 3, marks=NIGHTLY),
    pytest.param(ManyKernel, 2, marks=NIGHTLY),
    pytest.param(ManyKernel, 7, marks=NIGHTLY),
]


def problems(modes, count):
    """Unequal frequencies, dampings and temperatures; couplings up to 0.9 of what is bounded."""
    random = np.random.default_rng(modes)
    for _ in range(count):
        frequency = random.uniform(0.5, 1, modes)
        exchange, pairing = (random.normal(size=(modes, modes)) for _ in range(2))
        exchange, pairing = (np.triu(m, 1) + np.triu(m, 1).T for m in (exchange, pairing))
        largest = max(np.abs(exchange).sum(0).max() + np.abs(pairing).sum(0).max(), 1e-3)
        scale = 0.9 * frequency.min() / largest
        baths = 10 ** random.uniform(-2, -1, modes), random.uniform(0.2, 2, modes)
        yield frequency, scale * exchange, scale * pairing, *baths


def made(kind, frequency, exchange, pairing):
    if kind is PairKernel:
        return kernel_of(Oscillators._assemble((frequency, exchange, pairing, None), (True,)))
    network = Network(frequency, exchange, pairing)
    return ManyKernel(network, True, "always") if kind is ManyKernel else kind(network, True)


def drift_of(frequency, exchange, pairing, damping):
    bare, decay = jnp.diag(frequency) + exchange, -jnp.diag(damping)
    return interleave(decay, bare - pairing, -bare - pairing, decay)


def by_kernel(kind, frequency, exchange, pairing, damping, temperature):
    kernel = made(kind, frequency, exchange, pairing)
    return {
        "local": kernel.local_state(damping, damping * temperature, jnp.array(True)),
        "langevin": kernel.langevin_state(damping, temperature, jnp.array(True)),
    }


def as_dense_system(drift, diffusion):
    """σ of Aσ + σAᵀ + D = 0, all n² entries as unknowns."""
    one = jnp.eye(len(drift), dtype=drift.dtype)
    matrix = jnp.kron(drift, one) + jnp.kron(one, drift)
    return jnp.linalg.solve(matrix, -diffusion.reshape(-1)).reshape(drift.shape)


def by_dense_system(kind, frequency, exchange, pairing, damping, temperature):
    """The diffusions of the kernel, the equation by a solver that knows no structure."""
    kernel, valid = made(kind, frequency, exchange, pairing), jnp.array(True)
    one = jnp.ones((), frequency.dtype)
    diffusions = {
        "local": jnp.diag(jnp.repeat(damping * temperature, 2)),
        "langevin": kernel.langevin_diffusion(damping, temperature, one, valid),
    }
    drift = drift_of(frequency, exchange, pairing, damping)
    return {name: as_dense_system(drift, d) for name, d in diffusions.items()}


@pytest.mark.parametrize(("kind", "modes"), CASES)
def test_states_and_derivatives_are_those_of_the_dense_system(kind, modes):
    leaves = [jnp.array(each) for each in zip(*problems(modes, 8), strict=True)]
    # Not along a change of the unit, which leaves every state as it is
    step = [leaf * factor for leaf, factor in zip(leaves, (0.3, -0.2, 0.5, 0.7, -0.4), strict=True)]

    def both(function):
        function = functools.partial(function, kind)
        one = lambda *both: jax.jvp(function, both[:5], both[5:])  # noqa: E731
        return jax.jit(jax.vmap(one))(*leaves, *step)

    for ours, theirs in zip(both(by_kernel), both(by_dense_system), strict=True):
        for name, expected in theirs.items():
            # The dense system has the condition number ω/γ, up to 100.
            scale = np.abs(expected).max(axis=(1, 2), keepdims=True)
            error = np.abs(ours[name] - expected) / scale
            assert error.max() < 1e5 * EPS, (name, error.max() / EPS)


def rising(damping, own, omega):
    return damping * omega**2 / (1 + own)


def steady(damping, own, omega):
    return damping


@pytest.mark.parametrize(
    ("other", "coupling", "rate"),
    [
        *slow((FewKernel, "position", (steady, rising))),
        (ManyKernel, "momentum", rising),
        *nightly((FewKernel, "rotating-wave", steady), (ManyKernel, "quadratures", steady)),
    ],
)
@pytest.mark.slow
def test_the_pair_is_the_network_of_two(other, coupling, rate):
    leaves = [jnp.array(each) for each in zip(*problems(2, 8), strict=True)]

    def answers(kind, *leaves):
        *network, damping, temperature = leaves
        kernel, valid = made(kind, *network), jnp.array(True)
        one = jnp.ones((), damping.dtype)
        secular = kernel.secular(damping, temperature, one, valid, coupling=coupling, rate=rate)
        frequency, u, v = kernel.normal_modes()
        return {
            "gibbs": kernel.thermal(temperature[0], valid),
            "drift": secular.drift,
            "noise": secular.diffusion,
            "state": secular.stationary,
            "frequency": frequency,
            "shapes": (u**2, v**2, u * v),
            "critical": kernel.critical_ratio(),
            "bounded": kernel.bounded(),
            "damped": secular.damped,
            "degenerate": kernel.degenerate(),
        }

    pair, network = (
        jax.jit(jax.vmap(functools.partial(answers, kind)))(*leaves) for kind in (PairKernel, other)
    )
    for ours, theirs in zip(jax.tree.leaves(pair), jax.tree.leaves(network), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e4 * EPS, atol=1e4 * EPS)


@pytest.mark.parametrize("modes", others_at_night(range(1, 9), (1, 2, 6, 7)))
def test_the_number_of_modes_selects(modes):
    ((frequency, exchange, pairing, *_),) = problems(modes, 1)
    oscillators = Oscillators(frequency, exchange, pairing)
    kernel = kernel_of(in_unit(oscillators, natural_unit(oscillators)))
    kinds = {1: SingleKernel, 2: PairKernel}
    assert type(kernel) is kinds.get(modes, FewKernel if modes <= 6 else ManyKernel)
    assert kernel.bounded()
