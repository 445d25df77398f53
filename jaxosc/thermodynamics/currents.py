"""Heat, work and entropy: what the baths of a description exchange with the system."""

from __future__ import annotations

from functools import partial
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._compilation import compiled
from jaxosc._numerics.small import symplectic
from jaxosc.dynamics import Dynamics, require_one_network, steady_state
from jaxosc.gaussian.arguments import covariance_of
from jaxosc.typing import HeatEnergy, Reals

ENERGIES: tuple[HeatEnergy, ...] = get_args(HeatEnergy)


def heat_currents(
    dynamics: Dynamics,
    covariance: Reals | None = None,
    mean: Reals | None = None,
    *,
    energy: HeatEnergy = "system",
) -> jax.Array:
    """Heat current from each bath, positive into the system.

    With what bath m adds to drift and diffusion, A_m and D_m,

        Q̇_m = ½ Tr h(A_mσ + σA_mᵀ + D_m) + (h⟨r⟩ + ξ)·A_m⟨r⟩,

    h the hessian of H and ξ·r its drive. In the steady state they add up to zero, but for the
    energy of ``unified_lindblad``, whose h is that of the mean frequencies of its clusters, and
    ``local_lindblad`` at a common frequency ω̄, where h = ω̄: in these the difference is work.
    Behind baths with memory (``langevin`` of structured spectra) Q̇_m = ½⟨{Ẋ_m, B_m}⟩, exact, and
    computed from the differences of the temperatures: it keeps its digits however small they are.

    Args:
        dynamics: from an equation with baths.
        covariance: σ [2N, 2N] of a state; that of the steady state if left out.
        mean: ⟨r⟩ [2N] of a driven network, as of ``steady_mean``; zero if left out.
        energy: "system" (the default), that whose change by a bath the equation takes for heat; or
            "uncoupled", H without the couplings between oscillators. Heat is of that energy where
            baths are a stream of ancillas that collide with one oscillator each (the local equation
            read as a collision model); ``work_current``, for which it is the default, is the rest.

    Returns:
        Q̇ [M] in units of ω². NaN where there is no steady state, and for strictly Ohmic baths in
        ``langevin``, whose moments diverge.

    Raises:
        ValueError: if the dynamics have no baths to tell apart, or are known to have no steady
            state; if a state or an energy is given beside baths with memory, whose heat depends on
            more.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.1, "rotating-wave")
        >>> baths = jaxosc.Baths(0.01, (2.0, 1.0))
        >>> jaxosc.heat_currents(jaxosc.global_lindblad(network, baths)).round(6)
        Array([ 0.009592, -0.009592], dtype=float64)

    Source: Alicki, J. Phys. A 12, L103 (1979).
    """
    dynamics, state = _entered(dynamics, covariance, mean, energy)
    return _or_words(_heat_currents(dynamics, *state, energy=energy), dynamics)


def work_current(
    dynamics: Dynamics,
    covariance: Reals | None = None,
    mean: Reals | None = None,
    *,
    energy: HeatEnergy = "uncoupled",
) -> jax.Array:
    """Power that the baths bring in beside heat, positive into the system.

        Ẇ = Σ_m ½ Tr (h − h₀)(A_mσ + σA_mᵀ + D_m) + ((h − h₀)⟨r⟩)·A_m⟨r⟩,

    h the hessian of H and h₀ that of the energy whose change is heat: d⟨H⟩/dt = Ẇ + Σ_m Q̇_m with
    ``heat_currents(…, energy=…)`` of the same energy. A bath that is a stream of ancillas, each of
    which meets one oscillator for a short time, has to be switched: with h₀ of the oscillators
    without their couplings Ẇ is the power that this takes, and the second law holds for the local
    equation, heat from cold to hot included.

    Args:
        dynamics: from an equation with baths without memory.
        covariance: σ [2N, 2N] of a state; that of the steady state if left out.
        mean: ⟨r⟩ [2N] of a driven network; zero if left out.
        energy: as of ``heat_currents``.

    Returns:
        A scalar in units of ω²; NaN where there is no steady state.

    Raises:
        ValueError: as ``heat_currents``.

    Example:
        >>> network = jaxosc.pair((1.0, 2.0), 0.05, "rotating-wave")
        >>> local = jaxosc.local_lindblad(network, jaxosc.Baths(0.01, (0.5, 0.9)))
        >>> heat = jaxosc.heat_currents(local, energy="uncoupled")
        >>> round(float(1e6 * jaxosc.work_current(local)), 4), (1e6 * heat).round(4)
        (3.4619, Array([ 3.4619, -6.9237], dtype=float64))

    Source: De Chiara et al., New J. Phys. 20, 113024 (2018).
    """
    dynamics, state = _entered(dynamics, covariance, mean, energy)
    return _or_words(_work_current(dynamics, *state, energy=energy), dynamics)


def entropy_production(dynamics: Dynamics, *, energy: HeatEnergy = "system") -> jax.Array:
    """Entropy production of the steady state, −Σ_m Q̇_m/T_m.

    The second law asks that it is not negative. ``detailed_balance_lindblad``, ``global_lindblad``
    and ``unified_lindblad`` obey it in every network; ``local_lindblad`` does not, unless its heat
    is that of a collision model (``energy="uncoupled"``).

    Args:
        dynamics: from an equation with baths that have temperatures.
        energy: as of ``heat_currents``.

    Returns:
        A scalar in units of ω; NaN where there is no steady state, a temperature is zero, or the
        baths have none.

    Raises:
        ValueError: as ``heat_currents``.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.1, "rotating-wave")
        >>> baths = jaxosc.Baths(0.01, (2.0, 1.0))
        >>> jaxosc.entropy_production(jaxosc.global_lindblad(network, baths)).round(6)
        Array(0.004796, dtype=float64)

    Source: Spohn, J. Math. Phys. 19, 1227 (1978).
    """
    dynamics, _ = _entered(dynamics, None, None, energy)
    return _or_words(_entropy_production(dynamics, energy=energy), dynamics)


State = tuple[jax.Array | None, jax.Array | None]


def _entered(
    dynamics: Dynamics, covariance: Reals | None, mean: Reals | None, energy: HeatEnergy
) -> tuple[Dynamics, State]:
    """The arguments after checks, in one dtype."""
    _checks.require_choice("energy", energy, ENERGIES)
    dynamics = require_one_network(dynamics)
    if covariance is None and mean is not None:
        raise ValueError("Argument `covariance` must be given with `mean`, but it is missing.")
    if covariance is None:
        return dynamics, (None, None)
    description, parts = dynamics._description, dynamics._parts
    if not description.is_markovian(*parts):
        raise ValueError(
            "Argument `covariance` must be left out beside baths with memory, whose heat depends "
            "on the oscillators' past as well, but it is given."
        )
    dtype = jax.tree.leaves(parts)[0].real.dtype
    state = covariance_of(covariance)
    _checks.require_shape("covariance", state, dynamics.drift.shape, " like the drift")
    if mean is None:
        return dynamics, (state.astype(dtype), None)
    (moved,) = _checks.float_arrays(mean=mean)
    _checks.require_shape("mean", moved, state.shape[:1])
    return dynamics, (state.astype(dtype), moved.astype(dtype))


def _or_words(found: jax.Array, dynamics: Dynamics) -> jax.Array:
    """The same; ValueError where it is known to be missing for want of a steady state."""
    known = _checks.concrete(jax.lax.stop_gradient(found))
    if known is not None and np.isnan(known).any():
        steady_state(dynamics)
    return found


@_checks.nan_is_an_answer
@partial(compiled, static_argnames=("energy",))
def _heat_currents(
    dynamics: Dynamics,
    covariance: jax.Array | None = None,
    mean: jax.Array | None = None,
    *,
    energy: HeatEnergy = "system",
) -> jax.Array:
    description, parts = dynamics._description, dynamics._parts
    if covariance is None:
        covariance = description.steady_covariance(*parts)
    if energy == "system" and mean is None:
        return description.heat_currents(covariance, *parts)
    baths = description.generators(*parts)  # which has the words where there are none
    hessian = description.energy(*parts) if energy == "system" else _uncoupled(dynamics)
    flow = baths.flows(hessian, covariance)
    if mean is None:
        return flow
    drive = -symplectic(description.force(*parts)[:, None])[:, 0]  # force = Jξ
    return flow + (baths.drift @ mean) @ (hessian @ mean + drive)


@_checks.nan_is_an_answer
@partial(compiled, static_argnames=("energy",))
def _work_current(
    dynamics: Dynamics,
    covariance: jax.Array | None = None,
    mean: jax.Array | None = None,
    *,
    energy: HeatEnergy,
) -> jax.Array:
    description, parts = dynamics._description, dynamics._parts
    if covariance is None:
        covariance = description.steady_covariance(*parts)
    baths = description.generators(*parts)
    heat = description.energy(*parts) if energy == "system" else _uncoupled(dynamics)
    rest = parts[0].hessian - heat
    flow = baths.flows(rest, covariance)
    if mean is not None:
        flow += (baths.drift @ mean) @ (rest @ mean)
    return jnp.sum(flow)


def _uncoupled(dynamics: Dynamics) -> jax.Array:
    """The hessian of H without the couplings between oscillators."""
    hessian = dynamics._parts[0].hessian
    own = np.kron(np.eye(len(hessian) // 2, dtype=bool), np.ones((2, 2), bool))
    return jnp.where(own, hessian, 0)


@_checks.nan_is_an_answer
@partial(compiled, static_argnames=("energy",))
def _entropy_production(dynamics: Dynamics, *, energy: HeatEnergy) -> jax.Array:
    heat = _heat_currents(dynamics, energy=energy)
    temperature = dynamics._description.temperatures(*dynamics._parts)
    if temperature is None:
        return jnp.full((), jnp.nan, heat.dtype)
    warm = temperature > 0
    production = -jnp.sum(heat / jnp.where(warm, temperature, 1))
    return jnp.where(jnp.all(warm), production, jnp.nan)
