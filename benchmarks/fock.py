"""⟨n1⟩ of the local equation from a density matrix in a truncated Fock space.

What a user of a general simulator of open quantum systems would do. It needs few quanta, so it
is given a cold scenario. Same signature as the functions of ``peers``.
"""

from __future__ import annotations

import math

import numpy as np

from benchmarks.cases import Scenario

# Levels of the two oscillators: what is cut off costs up to 2e-7 of ⟨n1⟩ + ½ in the Fock scenario,
# at its strongest coupling.
_LEVELS = (4, 6)
# Amplitudes decay as exp(−γt): exp(−18) = 1.5e-8 of the start is left in ⟨n1⟩.
_LIFETIMES = 9.0


def _rates(scenario: Scenario, difference: float) -> list[tuple[float, float]]:
    """Lindblad rates of loss and gain, 2γ(N + 1) and 2γN, of either oscillator."""
    parameters = scenario.parameters(0.0, difference)
    temperatures = (parameters.temperature1, parameters.temperature2)
    rates = []
    for omega, gamma, temperature in zip(
        scenario.omega, scenario.damping, temperatures, strict=True
    ):
        number = 1 / math.expm1(omega / temperature)
        rates.append((2 * gamma * (number + 1), 2 * gamma * number))
    return rates


def qutip_local(scenario: Scenario, coupling: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """QuTiP: a sparse direct solve for the steady density matrix, point by point."""
    import qutip

    first, second = _LEVELS
    lower1 = qutip.tensor(qutip.destroy(first), qutip.qeye(second))
    lower2 = qutip.tensor(qutip.qeye(first), qutip.destroy(second))
    number1 = lower1.dag() * lower1
    free = scenario.omega[0] * number1 + scenario.omega[1] * lower2.dag() * lower2
    contact = (lower1 + lower1.dag()) * (lower2 + lower2.dag())
    occupation = np.empty(coupling.size)
    for point in range(coupling.size):
        hamiltonian = free + float(coupling[point]) * contact
        jumps = []
        for lower, (loss, gain) in zip(
            (lower1, lower2), _rates(scenario, float(difference[point])), strict=True
        ):
            jumps += [math.sqrt(loss) * lower, math.sqrt(gain) * lower.dag()]
        state = qutip.steadystate(hamiltonian, jumps, method="direct", use_rcm=True)
        occupation[point] = qutip.expect(number1, state)
    return occupation


def dynamiqs_local(scenario: Scenario, coupling: np.ndarray, difference: np.ndarray) -> np.ndarray:
    """dynamiqs: it has no steady-state solver, so a long evolution, all points as one batch."""
    import dynamiqs
    import jax.numpy as jnp

    lower1, lower2 = dynamiqs.destroy(*_LEVELS)
    number1 = lower1.dag() @ lower1
    free = scenario.omega[0] * number1 + scenario.omega[1] * lower2.dag() @ lower2
    contact = (lower1 + lower1.dag()) @ (lower2 + lower2.dag())
    hamiltonian = free + jnp.asarray(coupling)[:, None, None] * contact
    rates = np.sqrt([_rates(scenario, float(value)) for value in difference])
    jumps = [
        jnp.asarray(rates[:, j, k])[:, None, None] * operator
        for j, lower in enumerate((lower1, lower2))
        for k, operator in enumerate((lower, lower.dag()))
    ]
    duration = _LIFETIMES / min(scenario.damping)
    result = dynamiqs.mesolve(
        hamiltonian,
        jumps,
        dynamiqs.fock_dm(_LEVELS, (0, 0)),
        jnp.array([0.0, duration]),
        exp_ops=[number1],
        method=dynamiqs.method.Tsit5(rtol=1e-8, atol=1e-10, max_steps=1_000_000),
        save_states=False,
        cartesian_batching=False,
        progress_meter=False,
    )
    return np.asarray(result.expects[:, 0, -1].real)
