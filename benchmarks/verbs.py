"""Time what is asked of a network beside its steady state, and beside peers where there are some.

    python -m benchmarks.verbs

Evolution: a pair of local Lindblad baths at 1000 times, in batches, beside SciPy's matrix
exponential one time after the other, and QuTiP's and dynamiqs' solvers in Fock space if they are
there. Correlation: of two Drude baths at 100 times, beside the steady state.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

import jaxosc

TIMES = np.linspace(0.0, 50.0, 1000)
BATCHES = (1, 100, 1000)
LEVELS = 6


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


def seconds(call: Callable[[], Any], repeats: int = 3) -> float:
    """Of the fastest of some calls, after one that compiles."""
    jax.block_until_ready(call())
    spent = []
    for _ in range(repeats):
        began = time.perf_counter()
        jax.block_until_ready(call())
        spent.append(time.perf_counter() - began)
    return min(spent)


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


def main() -> None:
    """Print the table."""
    jax.config.update("jax_enable_x64", True)
    print(f"evolution at {len(TIMES)} times")
    many = jax.jit(jax.vmap(occupations, (0, None)))
    for size in BATCHES:
        couplings = jnp.linspace(0.0, 0.4, size)
        spent = seconds(lambda couplings=couplings: many(couplings, TIMES))
        each = spent / size / len(TIMES)
        print(f"  {size:5} pairs        {1e3 * spent:9.1f} ms, {1e9 * each:8.0f} ns a state")
    for name, peer in (("SciPy", by_scipy), ("QuTiP", by_qutip), ("dynamiqs", by_dynamiqs)):
        try:
            spent = seconds(peer, 1)
        except ImportError:
            print(f"  {name} is not there")
            continue
        print(
            f"  {name:9} one pair {1e3 * spent:9.1f} ms, {1e9 * spent / len(TIMES):8.0f} ns a state"
        )
    print("two Drude baths")
    steady = jax.jit(lambda x: jaxosc.steady_state(exact(x)))
    later = jax.jit(lambda x: jaxosc.correlation(exact(x), TIMES[:100]))
    moved = jax.jit(lambda x: jaxosc.evolve(exact(x), np.eye(4) / 2, TIMES[:100]).covariance)
    base = seconds(lambda: steady(0.2))
    print(f"  steady_state      {1e3 * base:8.2f} ms")
    for name, verb in (("correlation", later), ("evolve", moved)):
        spent = seconds(lambda verb=verb: verb(0.2))
        print(f"  {name:11} (100)  {1e3 * spent:8.2f} ms, {spent / base:5.1f} x")


if __name__ == "__main__":
    main()
