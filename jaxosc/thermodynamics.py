"""Heat and entropy: what the baths of a description exchange with the system."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._compilation import compiled
from jaxosc.dynamics import Dynamics, require_one_network, steady_state


def heat_currents(dynamics: Dynamics) -> jax.Array:
    """Heat current from each bath in the steady state, positive into the system.

    With what bath m adds to drift and diffusion, A_m and D_m,

        Q̇_m = ½ Tr h(A_mσ + σA_mᵀ + D_m),

    h the hessian of H. They add up to zero, but for the energy of ``unified_lindblad``, whose h is
    that of the mean frequencies of its clusters, and ``local_lindblad`` at a common frequency ω̄,
    where h = ω̄: in these the difference is work. Behind baths with memory (``langevin`` of
    structured spectra) Q̇_m = ½⟨{Ẋ_m, B_m}⟩, exact.

    Args:
        dynamics: from an equation with baths.

    Returns:
        Q̇ [M] in units of ω². NaN where there is no steady state, and for strictly Ohmic baths in
        ``langevin``, whose moments diverge.

    Raises:
        ValueError: if the dynamics have no baths to tell apart, or are known to have no steady
            state.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.1, "rotating-wave")
        >>> baths = jaxosc.Baths(0.01, (2.0, 1.0))
        >>> jaxosc.heat_currents(jaxosc.global_lindblad(network, baths)).round(6)
        Array([ 0.009592, -0.009592], dtype=float64)

    Source: Alicki, J. Phys. A 12, L103 (1979).
    """
    dynamics = require_one_network(dynamics)
    return _or_words(_heat_currents(dynamics), dynamics)


def entropy_production(dynamics: Dynamics) -> jax.Array:
    """Entropy production of the steady state, −Σ_m Q̇_m/T_m.

    The second law asks that it is not negative. ``detailed_balance_lindblad``, ``global_lindblad``
    and ``unified_lindblad`` obey it in every network; ``local_lindblad`` does not.

    Args:
        dynamics: from an equation with baths that have temperatures.

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
    dynamics = require_one_network(dynamics)
    return _or_words(_entropy_production(dynamics), dynamics)


def _or_words(found: jax.Array, dynamics: Dynamics) -> jax.Array:
    """The same; ValueError where it is known to be missing for want of a steady state."""
    known = _checks.concrete(jax.lax.stop_gradient(found))
    if known is not None and np.isnan(known).any():
        steady_state(dynamics)
    return found


@_checks.nan_is_an_answer
@compiled
def _heat_currents(dynamics: Dynamics) -> jax.Array:
    description, parts = dynamics._description, dynamics._parts
    return description.heat_currents(description.steady_covariance(*parts), *parts)


@_checks.nan_is_an_answer
@compiled
def _entropy_production(dynamics: Dynamics) -> jax.Array:
    heat = _heat_currents(dynamics)
    temperature = dynamics._description.temperatures(*dynamics._parts)
    if temperature is None:
        return jnp.full((), jnp.nan, heat.dtype)
    warm = temperature > 0
    production = -jnp.sum(heat / jnp.where(warm, temperature, 1))
    return jnp.where(jnp.all(warm), production, jnp.nan)
