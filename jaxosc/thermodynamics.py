"""Heat currents and entropy production of a steady state."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc._numerics.small import symplectic
from jaxosc.dynamics import Dynamics


@jax.jit
def heat_currents(dynamics: Dynamics) -> jax.Array:
    """Heat currents into the system [M]."""
    description, parts = dynamics._description, dynamics._parts
    oscillators, baths = parts
    count = len(baths.damping)
    if type(description).__name__ == "Langevin":
        return jnp.full(count, jnp.nan, baths.damping.dtype)
    covariance = description.steady_covariance(*parts)
    hessian = oscillators.hessian
    currents = []
    for bath in range(count):
        alone = baths.replace(damping=jnp.where(jnp.arange(count) == bath, baths.damping, 0))
        drift = description.drift(oscillators, alone) - symplectic(hessian)
        flow = drift @ covariance
        change = flow + flow.T + description.diffusion(oscillators, alone)
        currents.append(jnp.trace(hessian @ change) / 2)
    return jnp.stack(currents)


@jax.jit
def entropy_production(dynamics: Dynamics) -> jax.Array:
    """−Σ Q_m/T_m."""
    baths = dynamics._parts[1]
    if baths.temperature is None:
        return jnp.full((), jnp.nan, baths.damping.dtype)
    return -jnp.sum(heat_currents(dynamics) / baths.temperature)


def complete_positivity_margin(dynamics: Dynamics) -> jax.Array:
    """The smallest eigenvalue of D + (i/2)(AJ + JAᵀ)."""
    drift, diffusion = dynamics.drift, dynamics.diffusion
    form = symplectic(jnp.eye(len(drift), dtype=drift.dtype))
    loss = drift @ form + form @ drift.T
    return jnp.linalg.eigvalsh(jax.lax.complex(diffusion, loss / 2))[0]


def is_completely_positive(dynamics: Dynamics) -> jax.Array:
    """Whether that is not negative."""
    return complete_positivity_margin(dynamics) >= -1e-12 * jnp.abs(dynamics.diffusion).max()
