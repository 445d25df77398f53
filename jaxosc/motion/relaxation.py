"""How fast a network forgets, and how near its motions are to coalescing."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import export

from jaxosc import _checks
from jaxosc._compilation import compiled
from jaxosc._numerics.eigensystem import (
    condition,
    discriminant,
    eigensystem,
    eigenvalues,
    pair_distances,
)
from jaxosc.dynamics import Dynamics, require_one_network


def relaxation_rates(dynamics: Dynamics) -> jax.Array:
    """Rates −Re λ at which the motions of a network decay, λ the eigenvalues of its drift A.

    Means relax as e^{λt}, covariances at sums of two rates. A rate far below the frequencies keeps
    the digits of the entries of A: its relative error is about (εω/γ)².

    Args:
        dynamics: drift and diffusion, from one of the equations or from ``Dynamics``.

    Returns:
        [n] in ascending order, in the unit of ω; negative for a motion that grows. n is 2N, and
        with structured baths in ``langevin`` counts the filters too. Derivatives are NaN where
        eigenvalues coincide.

    Raises:
        ValueError: if the argument holds no single network.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.005, "rotating-wave")
        >>> baths = jaxosc.Baths((1e-3, 4e-3), occupation=0.0)
        >>> jaxosc.relaxation_rates(jaxosc.local_lindblad(network, baths)).round(6)
        Array([0.0025, 0.0025, 0.0025, 0.0025], dtype=float64)
    """
    return _relaxation_rates(require_one_network(dynamics))


def spectral_gap(dynamics: Dynamics) -> jax.Array:
    """Rate of the slowest motion, min(−Re λ) over the eigenvalues λ of the drift.

    Args:
        dynamics: drift and diffusion, from one of the equations or from ``Dynamics``.

    Returns:
        A scalar in the unit of ω; negative if a motion grows. As ``relaxation_rates`` otherwise:
        a covariance relaxes at twice the rate.

    Raises:
        ValueError: if the argument holds no single network.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 1e-3, "rotating-wave")
        >>> baths = jaxosc.Baths((1e-3, 4e-3), occupation=0.0)
        >>> jaxosc.spectral_gap(jaxosc.local_lindblad(network, baths)).round(8)
        Array(0.00138197, dtype=float64)
    """
    return _relaxation_rates(require_one_network(dynamics))[0]


class EigenvalueConditions(NamedTuple):
    """What ``eigenvalue_conditions`` finds, in the order of ``relaxation_rates``.

    Attributes:
        values: λ [n] complex, in the unit of ω.
        condition: [n] ≥ 1, the norm of the spectral projector, 1/|y†x| of the left and right
            eigenvectors y, x of unit length; its square is the Petermann factor. Infinite where
            eigenvectors coincide.
        distance: [n] the norm of a change of A that makes λ coincide with another eigenvalue, in
            the unit of ω.
        discriminant: (λ_i − λ_j)² of the two that are nearest to coinciding, complex. Smooth
            through an exceptional point, and zero there.
    """

    values: jax.Array
    condition: jax.Array
    distance: jax.Array
    discriminant: jax.Array


export.register_namedtuple_serialization(
    EigenvalueConditions, serialized_name="jaxosc.EigenvalueConditions"
)


def eigenvalue_conditions(dynamics: Dynamics) -> EigenvalueConditions:
    """Eigenvalues of the drift, how sensitive they are, and how near to an exceptional point.

    At an exceptional point two eigenvalues coincide together with their eigenvectors. A change δA
    of the drift moves λ by up to condition × ‖δA‖, and there by √‖δA‖. The distance is an upper
    bound of the way to the nearest drift with a double eigenvalue, ½|λ_i − λ_j| tan(φ/2), φ the
    angle of two eigenvectors: the distance itself of two motions on their own, and of orthogonal
    eigenvectors. Where several eigenvectors belong to one eigenvalue it is zero too, for a small
    change makes that defective, but the condition stays small.

    Args:
        dynamics: drift and diffusion, from one of the equations or from ``Dynamics``.

    Returns:
        The four, of which ``discriminant`` has derivatives everywhere but where the nearest pair
        changes, ``values`` where they are simple; the others have none.

    Raises:
        ValueError: if the argument holds no single network.

    Example:
        >>> baths = jaxosc.Baths((0.1, 0.3), occupation=0.0)
        >>> network = jaxosc.pair((1.0, 1.0), 0.101, "rotating-wave")
        >>> found = jaxosc.eigenvalue_conditions(jaxosc.local_lindblad(network, baths))
        >>> found.condition[0].round(3), found.distance[0].round(6)
        (Array(7.124, dtype=float64), Array(0.001, dtype=float64))

    Source: Wilkinson, The Algebraic Eigenvalue Problem, chapter 2; Petermann, IEEE J. Quantum
    Electron. 15, 566 (1979).
    """
    return _eigenvalue_conditions(require_one_network(dynamics))


@compiled
def _relaxation_rates(dynamics: Dynamics) -> jax.Array:
    return -eigenvalues(dynamics._description.drift(*dynamics._parts)).real


@_checks.nan_is_an_answer
@compiled
def _eigenvalue_conditions(dynamics: Dynamics) -> EigenvalueConditions:
    drift = dynamics._description.drift(*dynamics._parts)
    system = eigensystem(jax.lax.stop_gradient(drift))
    distances = pair_distances(system)
    values = eigenvalues(drift)
    # Of two pairs that are conjugate the one above the real axis
    mean = system.values.imag[:, None] + system.values.imag[None, :]
    below = mean < -1e-3 * jnp.max(jnp.abs(system.values))
    nearest = jnp.argmin(jnp.where(below, jnp.inf, distances))
    first, second = (system.values[i] for i in jnp.divmod(nearest, len(values)))
    return EigenvalueConditions(
        values,
        condition(system),
        jnp.min(distances, axis=1),
        discriminant(drift, first, second),
    )
