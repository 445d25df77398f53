"""What a call costs outside ``jit``: few compilations at first, little beside its core later."""

from __future__ import annotations

import functools
import inspect
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import others_at_night

import jaxosc

# Behind what is installed: the suite is no part of it.
sys.path.append(str(Path(__file__).parent.parent))

from benchmarks import calls

RING = 0.1 * (np.roll(np.eye(5), 1, 0) + np.roll(np.eye(5), -1, 0))
NETWORKS = {
    2: jaxosc.pair((5.0, 2.0), 1.0, "position"),
    5: jaxosc.Oscillators(np.linspace(1.0, 1.6, 5), RING, RING / 2),
}
BATHS = {
    modes: jaxosc.Baths(np.linspace(1e-2, 3e-2, modes), np.linspace(1.0, 3.0, modes))
    for modes in NETWORKS
}
EQUATIONS = (jaxosc.local_lindblad, jaxosc.global_lindblad, jaxosc.langevin)


def by_name():
    """Public functions by name, each with its arguments, as a user has them, of a network."""

    def of_state(function):
        return lambda *network: (function, jaxosc.steady_state(jaxosc.langevin(*network)))

    calls = {
        "gibbs": lambda network, _: (jaxosc.gibbs, network, 2.0),
        "normal_modes": lambda network, _: (jaxosc.normal_modes, network),
        "critical_scale": lambda network, _: (jaxosc.critical_scale, network),
        "stability_scale": lambda *network: (jaxosc.stability_scale, *network),
    }
    for equation in EQUATIONS:
        name = equation.__name__
        calls[name] = lambda *network, e=equation: (e, *network)
        calls[f"steady state, {name}"] = lambda *network, e=equation: (
            jaxosc.steady_state,
            e(*network),
        )
    for function in (
        jaxosc.occupation,
        jaxosc.coherence,
        jaxosc.symplectic_eigenvalues,
        jaxosc.von_neumann_entropy,
        jaxosc.purity,
        jaxosc.is_physical,
    ):
        calls[function.__name__] = of_state(function)
    # Of the first half of the modes and the others
    calls["mutual_information"] = lambda network, baths: of_state(
        functools.partial(jaxosc.mutual_information, modes=list(range(len(network.frequency) // 2)))
    )(network, baths)
    return calls


CALLS = by_name()


def fastest(call, repeats):
    """The shortest of several calls: what is left when nothing else runs on the machine."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - start)
    return min(times[1:])


# One description, one closed form and one observable of few modes and of many always
QUICK = ("critical_scale", "is_physical", "langevin", "local_lindblad")


@pytest.mark.parametrize(
    "name",
    others_at_night(CALLS, QUICK, ("purity",)),
)
def test_a_warm_call(name):
    """At most twenty times its compiled core and a millisecond."""
    for modes in NETWORKS:
        function, *arguments = CALLS[name](NETWORKS[modes], BATHS[modes])
        core = jax.jit(function)
        arrays = jax.tree.map(jnp.asarray, arguments)
        alone = fastest(lambda core=core, arrays=arrays: core(*arrays), 40)
        whole = fastest(lambda function=function, arguments=arguments: function(*arguments), 40)
        assert whole <= 20 * alone + 1e-3


def test_every_public_function_is_in_the_table():
    functions = {name for name in jaxosc.__all__ if inspect.isfunction(getattr(jaxosc, name))}
    assert {*calls.CALLS} | calls.WITHOUT_CORE == functions
    assert not {*calls.CALLS} & calls.WITHOUT_CORE


@pytest.mark.nightly
@pytest.mark.parametrize("name", sorted({*calls.CALLS} - {*CALLS}))
def test_a_warm_call_of_any_function(name):
    found = calls.measured(*calls.CALLS[name](2))
    assert found["seconds"] <= found["goal_s"]


COUNT = """
import jax, jaxosc
compiled = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, duration, **_: compiled.append(event) if "backend_compile" in event else None
)
oscillators = jaxosc.pair((5.0, 2.0), 1.0, "position")
baths = jaxosc.Baths((1.5e-4, 1.5e-4), (98.0, 298.0))
made = len(compiled)
covariance = jaxosc.steady_state(jaxosc.local_lindblad(oscillators, baths))
described = len(compiled)
jaxosc.mutual_information(covariance)
print(made, described - made, len(compiled) - described)
"""


def test_the_first_call_compiles_little():
    """A pair, its steady state with one check before it, and its information."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT], capture_output=True, text=True, timeout=120
    )
    made, described, informed = map(int, done.stdout.split())
    assert made <= 4
    assert described <= 3
    assert informed <= 2
