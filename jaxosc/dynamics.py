"""The one form every description takes: a drift A and a diffusion D.

The covariance σ of the quadratures (x1, p1, x2, p2, …) obeys dσ/dt = Aσ + σAᵀ + D.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxosc import _checks
from jaxosc._numerics.lyapunov import solve_lyapunov
from jaxosc._numerics.many_modes import steady_covariance
from jaxosc._numerics.small import interleave
from jaxosc._pytree import Record
from jaxosc.oscillators import (
    Oscillators,
    in_unit,
    kinetic_matrix,
    natural_unit,
    potential_matrix,
)


class NetworkDrift(Record):
    """Drift of a network with amplitude damping: ẋ = Wp − Γx, ṗ = −Vx − Γp.

    Kept in parts so that the steady state is found without ever subtracting what the parts
    were summed from.
    """

    _leaves = ("oscillators", "damping")

    oscillators: Oscillators
    damping: jax.Array

    def __init__(self, oscillators: Oscillators, damping: jax.Array) -> None:
        self._set(oscillators=oscillators, damping=damping)

    @property
    def matrix(self) -> jax.Array:
        """A [2N, 2N]."""
        return network_matrix(self.oscillators, self.damping)

    def steady_covariance(self, diffusion: jax.Array) -> jax.Array:
        """σ with Aσ + σAᵀ + D = 0."""
        unit = natural_unit(self.oscillators)
        network = in_unit(self.oscillators, unit)
        return steady_covariance(
            network.frequency,
            network.exchange,
            network.pairing,
            self.damping / unit,
            diffusion / unit,
        )


class SolvedDrift(Record):
    """A drift whose steady state came with the equation it belongs to."""

    _leaves = ("matrix", "stationary")

    matrix: jax.Array
    stationary: jax.Array

    def __init__(self, matrix: jax.Array, stationary: jax.Array) -> None:
        self._set(matrix=matrix, stationary=stationary)

    def steady_covariance(self, diffusion: jax.Array) -> jax.Array:
        """σ, which already holds the diffusion it was derived with."""
        del diffusion
        return self.stationary


class GeneralDrift(Record):
    """A drift given as a matrix."""

    _leaves = ("matrix",)

    matrix: jax.Array

    def __init__(self, matrix: jax.Array) -> None:
        self._set(matrix=matrix)

    def steady_covariance(self, diffusion: jax.Array) -> jax.Array:
        """σ with Aσ + σAᵀ + D = 0."""
        return solve_lyapunov(self.matrix, diffusion)


class Dynamics(Record):
    """Linear dynamics of the covariance, dσ/dt = Aσ + σAᵀ + D.

    What an equation returns carries its steady state along. For another drift or diffusion make a
    new one; do not change its parts in place with ``jax.tree.map``.

    Args:
        drift: A [2N, 2N], real, in the unit of ω.
        diffusion: D [2N, 2N], real and symmetric, in the unit of ω.

    Raises:
        ValueError: if a shape does not fit, a value is not finite, or D is not symmetric.
    """

    _leaves = ("_structure", "diffusion")

    _structure: NetworkDrift | SolvedDrift | GeneralDrift
    diffusion: jax.Array

    def __init__(self, drift: ArrayLike, diffusion: ArrayLike) -> None:
        drift, diffusion = _checks.float_arrays(drift=drift, diffusion=diffusion)
        _checks.require_quadratures("drift", drift)
        _checks.require_shape("diffusion", diffusion, drift.shape, " like the drift")
        for name, value in (("drift", drift), ("diffusion", diffusion)):
            _checks.require_finite(name, value)
        _checks.require_symmetric("diffusion", diffusion)
        self._set(_structure=GeneralDrift(drift), diffusion=diffusion)

    @classmethod
    def of(cls, structure: NetworkDrift | SolvedDrift, diffusion: jax.Array) -> Dynamics:
        """Dynamics whose drift has a structure that the steady state can use."""
        return cls._assemble((structure, diffusion), ())

    @property
    def drift(self) -> jax.Array:
        """A [2N, 2N]."""
        return self._structure.matrix

    def __repr__(self) -> str:
        return f"Dynamics(drift={self.drift!r}, diffusion={self.diffusion!r})"


def steady_state(dynamics: Dynamics) -> jax.Array:
    """Covariance σ with Aσ + σAᵀ + D = 0.

    Args:
        dynamics: drift and diffusion, from one of the equations or from ``Dynamics``.

    Returns:
        σ [2N, 2N], order (x1, p1, x2, p2, …), vacuum variance 1/2. NaN where there is no
        unique steady state and the values are known only inside a transformation. For networks
        of up to six modes no digits are lost to ω/γ. Beyond six, some are where oscillators
        without a bath of their own couple far more weakly than their neighbours are damped; and
        a drift given as a matrix has an equation of condition number ω/γ.

    Raises:
        ValueError: if the drift is known and has no unique steady state.
    """
    _checks.require_instance("dynamics", dynamics, Dynamics)
    diffusion = dynamics.diffusion
    if getattr(diffusion, "ndim", 2) != 2:
        raise ValueError(
            "Argument `dynamics` must hold one network, but its diffusion has shape "
            f"{diffusion.shape}; use jax.vmap for a batch of networks."
        )
    size = len(diffusion) if getattr(diffusion, "size", 0) else 2
    _checks.require_fields("dynamics", diffusion=(diffusion, (size, size)))
    for leaf in jax.tree.leaves(dynamics):
        _checks.require_fields("dynamics", part=(leaf, getattr(leaf, "shape", ())))
    _checks.require_together(
        **{f"dynamics.{i}": leaf for i, leaf in enumerate(jax.tree.leaves(dynamics))}
    )
    for field in ("drift", "diffusion"):
        _checks.require_finite(f"dynamics.{field}", getattr(dynamics, field))
    covariance = _steady_state(dynamics)
    known = _checks.concrete(covariance)
    if known is None:
        return covariance
    drift, noise = np.asarray(dynamics.drift), np.asarray(dynamics.diffusion)
    if np.isnan(known).any():
        slowest = np.linalg.eigvals(drift).real.max()
        raise ValueError(
            "Argument `dynamics` must have a drift whose eigenvalues all have negative real "
            f"parts, but the largest real part is {slowest:.3g}: there is no unique steady state."
        )
    if isinstance(dynamics._structure, SolvedDrift):
        flow, size = drift @ known, np.abs(drift) @ np.abs(known)
        # Rounding leaves 1e-7 of it at worst, and what vanishes, to ε; a part changed without the
        # others leaves about one.
        allowed = 1e-2 * (size + size.T + np.abs(noise))
        allowed += 1e4 * np.finfo(noise.dtype).eps * np.abs(drift).max() * np.abs(known).max()
        if np.any(np.abs(flow + flow.T + noise) > allowed):
            raise ValueError(
                "Argument `dynamics` must be as an equation returned it, but its parts were "
                "changed; make a new one by jaxosc.Dynamics(drift, diffusion)."
            )
    return covariance


@jax.jit
def _steady_state(dynamics: Dynamics) -> jax.Array:
    return dynamics._structure.steady_covariance(dynamics.diffusion)


def network_matrix(oscillators: Oscillators, damping: jax.Array) -> jax.Array:
    """A [2N, 2N] of ẋ = Wp − Γx, ṗ = −Vx − Γp."""
    return drift_matrix(oscillators, -jnp.diag(damping), -jnp.diag(damping))


def drift_matrix(
    oscillators: Oscillators, position_damping: jax.Array, momentum_damping: jax.Array
) -> jax.Array:
    """A [2N, 2N] of ẋ = Wp + Bx, ṗ = −Vx + Cp for damping blocks B, C [N, N]."""
    return interleave(
        position_damping,
        kinetic_matrix(oscillators),
        -potential_matrix(oscillators),
        momentum_damping,
    )
