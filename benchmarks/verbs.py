"""Section ``verbs``: what is asked of a network beside its steady state, and beside peers.

Evolution: a pair of local Lindblad baths at 1000 times, in batches, beside SciPy's matrix
exponential one time after the other, and QuTiP's and dynamiqs' solvers in Fock space if they are
there. Correlation: of two Drude baths at 100 times, beside the steady state. States: logarithmic
negativity and entropy of a batch beside The Walrus, which takes one after the other. Heat: the
current of the local equation beside qthermo in Fock space.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

import jaxosc
from benchmarks import timing
from benchmarks.records import Job, LeftOut, Settings, is_installed

TIMES = np.linspace(0.0, 50.0, 1000)
BATCHES = (1, 100, 1000)
LEVELS = 6
_SECONDS = 0.5


def dynamics(coupling: Any) -> jaxosc.Dynamics:
    """A pair beside white baths."""
    network = jaxosc.pair((1.3, 0.8), coupling, "position")
    return jaxosc.local_lindblad(network, jaxosc.Baths((0.1, 0.05), occupation=(0.05, 0.1)))


def occupations(coupling: Any, times: Any) -> jax.Array:
    """⟨n_j⟩ at the times, from the vacuum."""
    states = jaxosc.evolve(dynamics(coupling), np.eye(4) / 2, times).covariance
    return jax.vmap(jaxosc.occupation)(states)


def exact(coupling: Any) -> jaxosc.Dynamics:
    """A pair beside Drude baths."""
    network = jaxosc.pair((1.3, 0.8), coupling, "position")
    drude = jaxosc.spectra.Drude(10.0)
    return jaxosc.langevin(network, jaxosc.Baths(0.05, (0.4, 1.1), drude, coupling="position"))


def by_scipy() -> np.ndarray:
    """The block exponential of each time."""
    drift, diffusion = (np.asarray(x) for x in (dynamics(0.2).drift, dynamics(0.2).diffusion))
    block = np.block([[-drift, diffusion], [np.zeros((4, 4)), drift.T]])
    states = []
    for t in TIMES:
        whole = scipy.linalg.expm(block * t)
        moved = whole[4:, 4:].T
        states.append(moved @ moved.T / 2 + moved @ whole[:4, 4:])
    return np.array(states)


def by_qutip() -> Any:
    """Density matrices of a few levels."""
    import qutip

    one, unit = qutip.destroy(LEVELS), qutip.qeye(LEVELS)
    a, b = qutip.tensor(one, unit), qutip.tensor(unit, one)
    energy = 1.3 * a.dag() * a + 0.8 * b.dag() * b + 0.2 * (a + a.dag()) * (b + b.dag())
    jumps = [
        np.sqrt(2 * rate * weight) * operator
        for own, rate, n in ((a, 0.1, 0.05), (b, 0.05, 0.1))
        for operator, weight in ((own, n + 1), (own.dag(), n))
    ]
    vacuum = qutip.tensor(qutip.basis(LEVELS, 0), qutip.basis(LEVELS, 0))
    return qutip.mesolve(
        energy, vacuum, TIMES, jumps, e_ops=[a.dag() * a], options={"progress_bar": ""}
    )


def by_dynamiqs() -> Any:
    """The same by JAX."""
    import dynamiqs

    a, b = dynamiqs.destroy(LEVELS, LEVELS)
    energy = 1.3 * a.dag() @ a + 0.8 * b.dag() @ b + 0.2 * (a + a.dag()) @ (b + b.dag())
    jumps = [
        np.sqrt(2 * rate * weight) * operator
        for own, rate, n in ((a, 0.1, 0.05), (b, 0.05, 0.1))
        for operator, weight in ((own, n + 1), (own.dag(), n))
    ]
    vacuum = dynamiqs.fock((LEVELS, LEVELS), (0, 0))
    result = dynamiqs.mesolve(energy, jumps, vacuum, TIMES, progress_meter=False)
    return result.states.to_jax()


PEERS = {"scipy": by_scipy, "qutip": by_qutip, "dynamiqs": by_dynamiqs}


def some_states() -> np.ndarray:
    """Steady states of pairs [1000, 4, 4], (x1, p1, x2, p2), the vacuum ½."""
    couplings = jnp.linspace(0.05, 0.45, 1000)
    return np.asarray(jax.vmap(lambda x: jaxosc.steady_state(dynamics(x)))(couplings))


def negativity_and_entropy(state: jax.Array) -> jax.Array:
    """E_N and S."""
    return jnp.stack(
        [jaxosc.logarithmic_negativity(state), jaxosc.von_neumann_entropy(state)], axis=-1
    )


def by_the_walrus(states: np.ndarray) -> np.ndarray:
    """The same of (x1, x2, p1, p2), the vacuum one."""
    from thewalrus.quantum import log_negativity, vonneumann_entropy

    order = np.array([0, 2, 1, 3])
    moved = 2 * states[:, order[:, None], order]
    return np.array([[log_negativity(x, modes_A=[0]), vonneumann_entropy(x)] for x in moved])


# Couplings of two equal oscillators, and temperatures that a few levels can hold
HOPPING, _RATE, _TEMPERATURES = np.linspace(0.01, 0.1, 1000), 0.02, (0.5, 0.25)


def heat(coupling: Any) -> jax.Array:
    """Into the first of two equal oscillators."""
    network = jaxosc.pair((1.0, 1.0), coupling, "rotating-wave")
    return jaxosc.heat_currents(
        jaxosc.local_lindblad(network, jaxosc.Baths(_RATE / 2, _TEMPERATURES))
    )[0]


def by_qthermo(couplings: np.ndarray) -> np.ndarray:
    """The same, in Fock space."""
    from qthermo import papers

    found = papers.local_vs_global(
        couplings, 0.0, _RATE, *_TEMPERATURES, levels=LEVELS + 2, methods=("local",)
    )
    return np.asarray(found.curves["local"])


def jobs(settings: Settings) -> list[Job]:
    """Evolution in batches and by the peers; two times of an exact description."""
    return [
        Job("verbs", "evolve, jaxosc", partial(_evolution, settings)),
        *(Job("verbs", f"evolve, {name}", partial(_peer, name)) for name in PEERS),
        Job("verbs", "two Drude baths", partial(_drude, settings)),
        Job("verbs", "states beside The Walrus", _states),
        Job("verbs", "heat beside qthermo", _heat),
    ]


def _evolution(settings: Settings) -> Iterator[dict[str, Any]]:
    for size in BATCHES[:1] if settings.quick else BATCHES:
        couplings = jnp.linspace(0.0, 0.4, size)
        program = timing.compile_program(jax.vmap(occupations, (0, None)), couplings, TIMES)
        timed, _ = timing.measure(partial(program.call, couplings, TIMES), _SECONDS)
        yield _row(timed, size, len(TIMES), compile_s=program.compile_seconds)


def _peer(name: str) -> Iterator[dict[str, Any]]:
    if not is_installed(name):
        raise LeftOut(f"{name} is not installed")
    timed, _ = timing.measure(PEERS[name], 0.0, warm_up=name == "dynamiqs")
    yield _row(timed, 1, len(TIMES))


def _drude(settings: Settings) -> Iterator[dict[str, Any]]:
    times = TIMES[:100]
    steady = timing.compile_program(lambda x: jaxosc.steady_state(exact(x)), 0.2)
    for name, function in (
        ("steady_state", None),
        ("correlation", lambda x: jaxosc.correlation(exact(x), times)),
        ("evolve", lambda x: jaxosc.evolve(exact(x), np.eye(4) / 2, times).covariance),
    ):
        if name != "steady_state":
            settings.clock.require_time()
        program = steady if function is None else timing.compile_program(function, 0.2)
        calls = [partial(each.call, 0.2) for each in (program, steady)]
        mine, base = timing.interleave(calls, _SECONDS)
        yield _row(
            mine, 1, 1 if function is None else len(times), verb=name,
            compile_s=program.compile_seconds, steadies=mine.ratio_to(base),
        )  # fmt: skip


def _states() -> Iterator[dict[str, Any]]:
    states = some_states()
    yield from _beside("states", "thewalrus", negativity_and_entropy, by_the_walrus, states, 50)


def _heat() -> Iterator[dict[str, Any]]:
    yield from _beside("heat", "qthermo", heat, by_qthermo, HOPPING, 3)


def _beside(
    verb: str,
    peer: str,
    ours: Callable[[Any], Any],
    theirs: Callable[[np.ndarray], np.ndarray],
    points: np.ndarray,
    few: int,
) -> Iterator[dict[str, Any]]:
    """A batch, and a few of its members by a peer, with the largest difference."""
    program = timing.compile_program(jax.vmap(ours), points)
    timed, found = timing.measure(partial(program.call, points), _SECONDS)
    yield _row(timed, len(points), 1, verb=verb, compile_s=program.compile_seconds)
    if not is_installed(peer):
        raise LeftOut(f"{peer} is not installed")
    some = points[:: len(points) // few]
    timed, exact = timing.measure(partial(theirs, some), _SECONDS)
    size = np.max(np.abs(exact))
    error = float(np.max(np.abs(np.asarray(found)[:: len(points) // few] - exact)) / size)
    yield _row(timed, len(some), 1, verb=f"{verb}, {peer}", error=error)


def _row(timed: timing.Timing, pairs: int, times: int, **more: Any) -> dict[str, Any]:
    return {
        "verb": "evolve",
        "pairs": pairs,
        "times": times,
        "seconds": timed.seconds,
        "spread": timed.spread,
        "each_s": timed.seconds / pairs / times,
        **more,
    }
