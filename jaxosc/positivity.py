"""Whether an equation keeps every state a state."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._compilation import compiled
from jaxosc._numerics.linear import eigh
from jaxosc._numerics.small import symplectic
from jaxosc.dynamics import Dynamics, require_one_network


def complete_positivity_margin(dynamics: Dynamics) -> jax.Array:
    """The smallest eigenvalue of D + (i/2)(AJ + JAᵀ), J the symplectic form.

    Twice the smallest rate in a Lindblad form of the generator: where it is negative the equation
    is not completely positive, and takes some states out of the physical ones.

    Args:
        dynamics: from one of the equations or from ``Dynamics``.

    Returns:
        A scalar in units of ω; zero, to rounding, where fewer than 2N jumps act. NaN for
        ``langevin`` of baths that are not white, whose drift and diffusion are no generator.

    Raises:
        ValueError: if the argument is no Dynamics of one network.

    Example:
        >>> network = jaxosc.pair((1.0, 1.5), 0.2, "position")
        >>> drude = jaxosc.spectra.Drude(10.0)
        >>> baths = jaxosc.Baths(0.01, (0.5, 1.0), drude, coupling="position")
        >>> jaxosc.complete_positivity_margin(jaxosc.redfield(network, baths)).round(6)
        Array(-0.003445, dtype=float64)

    Source: Lindblad, Commun. Math. Phys. 48, 119 (1976), for operators linear in r.
    """
    return _positivity(require_one_network(dynamics))[0]


def is_completely_positive(dynamics: Dynamics) -> jax.Array:
    """Whether the generator is completely positive, within rounding.

    Apart from it stands ``is_physical``: whether one state is one. An equation that is not
    completely positive may have a physical steady state, and be more accurate than one that is.

    Args:
        dynamics: from one of the equations or from ``Dynamics``.

    Returns:
        A boolean; False where the margin is NaN.

    Raises:
        ValueError: as ``complete_positivity_margin``.

    Example:
        >>> network, baths = jaxosc.pair((1.0, 1.5), 0.2, "position"), jaxosc.Baths(0.01, 1.0)
        >>> bool(jaxosc.is_completely_positive(jaxosc.detailed_balance_lindblad(network, baths)))
        True
    """
    return _positivity(require_one_network(dynamics))[1]


@_checks.nan_is_an_answer
@compiled
def _positivity(dynamics: Dynamics) -> tuple[jax.Array, jax.Array]:
    """The margin, and whether it is not negative up to the rounding of the largest rate."""
    description, parts = dynamics._description, dynamics._parts
    diffusion = description.diffusion(*parts)
    if not description.is_markovian(*parts):
        nothing = jnp.full((), jnp.nan, diffusion.dtype)
        return nothing, jnp.zeros((), bool)
    loss = -symplectic(description.bath_drift(*parts).T).T
    rates = eigh(jax.lax.complex(diffusion, (loss - loss.T) / 2))[0]
    rounding = 64 * float(np.finfo(rates.dtype).eps)
    return rates[0], rates[0] >= -rounding * jnp.max(jnp.abs(rates))
