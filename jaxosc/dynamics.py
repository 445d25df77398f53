"""The one form every description takes: a drift A and a diffusion D.

The covariance σ of the quadratures (x1, p1, x2, p2, …) obeys dσ/dt = Aσ + σAᵀ + D.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._compilation import compiled, inlined
from jaxosc._numerics.eigenvalues import slowest_decay
from jaxosc._numerics.linear import solve
from jaxosc._numerics.lyapunov import contracts, solve_lyapunov
from jaxosc._numerics.small import interleave, nan_unless, symplectic
from jaxosc._numerics.symmetry import symmetric_slope
from jaxosc._numerics.whole import whole
from jaxosc._pytree import Record
from jaxosc.description import Description, Parts
from jaxosc.domain import Status
from jaxosc.oscillators import (
    Oscillators,
    in_unit,
    is_real,
    kinetic_matrix,
    natural_unit,
    potential_matrix,
)
from jaxosc.typing import Reals


@dataclass(frozen=True)
class Matrices(Description):
    """A drift and a diffusion given as matrices."""

    def drift(self, *parts: Any) -> jax.Array:
        """A as given."""
        return parts[0]

    def diffusion(self, *parts: Any) -> jax.Array:
        """D as given."""
        return parts[1]

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """By the solver for a drift of no particular structure."""
        drift, diffusion = parts
        return solve_lyapunov(drift, symmetric_slope(diffusion))

    def require(self, *parts: Any) -> Parts:
        """Two real matrices, D symmetric."""
        drift, diffusion = _checks.float_arrays(drift=parts[0], diffusion=parts[1])
        _checks.require_quadratures("drift", drift)
        _checks.require_shape("diffusion", diffusion, drift.shape, " like the drift")
        for name, value in (("drift", drift), ("diffusion", diffusion)):
            _checks.require_finite(name, value)
        _checks.require_symmetric("diffusion", diffusion)
        return drift, diffusion

    def axes(self, *parts: Any) -> int:
        """Beyond the two of a matrix."""
        return getattr(parts[0], "ndim", 2) - 2


class Dynamics(Record):
    """Linear dynamics of the covariance, dσ/dt = Aσ + σAᵀ + D.

    Args:
        drift: A [2N, 2N], real, in the unit of ω.
        diffusion: D [2N, 2N], real and symmetric, in the unit of ω.

    What an equation returns is kept as its network and baths, which are its leaves as a pytree:
    ``drift`` and ``diffusion`` follow from them, and so does the steady state, by the method that
    suits the equation.

    Raises:
        ValueError: if a shape does not fit, a value is not finite, or D is not symmetric.

    Example:
        >>> decay = jaxosc.Dynamics([[-0.1, 1.0], [-1.0, -0.1]], 0.3 * np.eye(2))
        >>> jaxosc.occupation(jaxosc.steady_state(decay)).round(6)
        Array([1.], dtype=float64)
    """

    _leaves = ("_parts",)
    _static = ("_description",)

    _parts: Parts
    _description: Description
    # Whether the parts are as they were checked; what comes out of a pytree is not known to be.
    _checked = False

    def __init__(self, drift: Reals, diffusion: Reals) -> None:
        description = Matrices()
        parts = description.require(drift, diffusion)
        self._set(_parts=parts, _description=description, _checked=True)

    @classmethod
    def of(cls, description: Description, *parts: Any) -> Dynamics:
        """A description of some parts; ValueError if they are known not to have an answer."""
        dynamics = cls._assemble((description.require(*parts),), (description,))
        dynamics._set(_checked=True)
        return dynamics

    @classmethod
    def _stored(cls, static: tuple[Any, ...]) -> list[Any]:
        (description,) = static
        return [type(description).__name__, asdict(description)]

    @classmethod
    def _restored(cls, stored: list[Any]) -> tuple[Any, ...]:
        name, fields = stored
        return (Description.known[name](**fields),)

    @property
    def drift(self) -> jax.Array:
        """A [2N, 2N]."""
        return _drift(self)

    @property
    def diffusion(self) -> jax.Array:
        """D [2N, 2N]."""
        return _diffusion(self)

    def __repr__(self) -> str:
        return f"Dynamics(drift={self.drift!r}, diffusion={self.diffusion!r})"


def steady_state(dynamics: Dynamics) -> jax.Array:
    """Covariance σ with Aσ + σAᵀ + D = 0.

    Args:
        dynamics: drift and diffusion, from one of the equations or from ``Dynamics``.

    Returns:
        σ [2N, 2N], order (x1, p1, x2, p2, …), vacuum variance 1/2; that of the oscillators alone
        where the drift holds parts of a bath too. NaN where there is no
        unique steady state and the values are known only inside a transformation. For networks
        of up to six modes no digits are lost to ω/γ. Beyond six, some are where oscillators
        without a bath of their own couple far more weakly than their neighbours are damped; and
        a drift given as a matrix is rounded as its largest entries are, which costs ε ω/γ.

    Raises:
        ValueError: if the drift is known and has no unique steady state.

    Example:
        >>> network = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> dynamics = jaxosc.langevin(network, jaxosc.Baths(1e-3, (9.0, 3.0)))
        >>> jaxosc.occupation(jaxosc.steady_state(dynamics)).round(6)
        Array([1.392946, 1.936597], dtype=float64)
    """
    dynamics = require_one_network(dynamics)
    covariance = _steady_state(dynamics)
    known = _checks.concrete(jax.lax.stop_gradient(covariance))  # as it is inside jax.grad
    if known is not None and np.isnan(known).any():
        divergent = dynamics._description.divergent(*dynamics._parts)
        if (np.isnan(known) & ~np.asarray(divergent)).any():
            _require_steady(dynamics)
    return covariance


def steady_mean(dynamics: Dynamics) -> jax.Array:
    """Mean ⟨r⟩ = −A⁻¹f of a driven network, d⟨r⟩/dt = A⟨r⟩ + f.

    Args:
        dynamics: from one of the equations, for ``Oscillators`` with a ``drive``. Its bath does not
            notice the drive: d⟨a_j⟩/dt = … − iε_j.

    Returns:
        ⟨r⟩ [2N], order (x1, p1, x2, p2, …), zero without a drive; ⟨a_j⟩ = (⟨x_j⟩ + i⟨p_j⟩)/√2. NaN
        where a motion is not damped and the values are known only inside a transformation.
        Fluctuations about it have the covariance ``steady_state``, drive or not, and
        ``occupation(covariance, mean)`` is the total.

    Raises:
        ValueError: if the drift is known and a motion is not damped.

    Example:
        >>> driven = jaxosc.Oscillators([1.0], [[0.0]], drive=[0.4])
        >>> dynamics = jaxosc.local_lindblad(driven, jaxosc.Baths(0.1, occupation=0.5))
        >>> jaxosc.steady_mean(dynamics).round(12) / 2**0.5
        Array([-0.3960396 , -0.03960396], dtype=float64)
    """
    dynamics = require_one_network(dynamics)
    mean = _steady_mean(dynamics)
    known = _checks.concrete(jax.lax.stop_gradient(mean))
    if known is not None and np.isnan(known).any():
        _require_steady(dynamics)
    return mean


def status(dynamics: Dynamics) -> jax.Array:
    """Why a description has no steady state, also where values are traced.

    Args:
        dynamics: from one of the equations, or a batch of them as ``vmap`` returns.

    Returns:
        An int32 for each network, a value of ``jaxosc.Status``: 0 (``VALID``) where there is a
        steady state. ``jaxosc.Status(int(code)).meaning`` says it in words.

    Raises:
        ValueError: if the argument is no Dynamics.

    Example:
        >>> @jax.jit
        ... def code(coupling):
        ...     network = jaxosc.pair((5.0, 2.0), coupling, "position")
        ...     return jaxosc.status(jaxosc.langevin(network, jaxosc.Baths(0.1, 1.0)))
        >>> jaxosc.Status(int(code(2.0))).meaning
        'the Hamiltonian is not bounded below'
    """
    _checks.require_instance("dynamics", dynamics, Dynamics)
    if not dynamics._checked:
        _require_form(dynamics)
    return _status(dynamics)


def require_one_network(dynamics: Dynamics) -> Dynamics:
    """The same, after checking that it holds one network and an answer for it."""
    _checks.require_instance("dynamics", dynamics, Dynamics)
    description, parts = dynamics._description, dynamics._parts
    if (axes := description.axes(*parts)) > 0:
        raise ValueError(
            "Argument `dynamics` must hold one network, but it holds a batch of them along "
            f"{axes} axes; use jax.vmap."
        )
    if dynamics._checked:
        return dynamics
    return Dynamics.of(description, *parts)  # jax.tree.map may have changed what it holds


def _require_form(dynamics: Dynamics) -> None:
    """Raise ValueError unless arrays that belong together are held, whatever their values."""
    description, parts = dynamics._description, dynamics._parts
    leaves = jax.tree.leaves(parts)
    for leaf in leaves:
        part = (leaf, getattr(leaf, "shape", ()))
        _checks.require_fields("dynamics", complex_too=True, part=part)
    batch, require = max(description.axes(*parts), 0), description.require
    if any(leaf.shape[:batch] != leaves[0].shape[:batch] for leaf in leaves):
        raise ValueError(
            "Argument `dynamics` must hold a batch of networks, but its leading axes differ."
        )
    for _ in range(batch):
        require = jax.vmap(require)
    jax.eval_shape(require, *parts)


def _require_steady(dynamics: Dynamics) -> None:
    """Raise the ValueError that tells why there is no steady state."""
    parts = jax.tree.map(jax.lax.stop_gradient, dynamics._parts)
    raise ValueError(_why_no_steady_state(dynamics._description, parts))


def _why_no_steady_state(description: Description, parts: Parts) -> str:
    """Which of the three: a motion grows, one is not damped, or the solver did not converge."""
    drift = np.asarray(description.drift(*parts))
    rate = description.decay_rate(*parts)
    if np.isnan(rate):
        return (
            "Argument `dynamics` must have a drift of finite numbers, but it has not: a parameter "
            f"is out of the range of {drift.dtype}."
        )
    if rate > 0:
        return (
            "Argument `dynamics` must have a steady state that its dtype resolves, but the solver "
            f"did not converge: the slowest motion decays at the rate {rate:.3g}, in a drift with "
            f"entries up to {np.abs(drift).max():.3g} in {drift.dtype}."
        )
    grows = f"grows at the rate {-rate:.3g}" if rate < 0 else "is not damped, up to rounding"
    return (
        f"Argument `dynamics` must damp every motion, but one {grows}: "
        "there is no unique steady state."
    )


def _one_by_one(function: Any, dynamics: Dynamics) -> jax.Array:
    """A function of one network, over every axis of a batch that the record holds."""
    for _ in range(dynamics._description.axes(*dynamics._parts)):
        function = jax.vmap(function)
    return function(*dynamics._parts)


@partial(inlined, long=True)
def _drift(dynamics: Dynamics) -> jax.Array:
    return _one_by_one(dynamics._description.drift, dynamics)


@partial(inlined, long=True)
def _diffusion(dynamics: Dynamics) -> jax.Array:
    return _one_by_one(dynamics._description.diffusion, dynamics)


@_checks.nan_is_an_answer
@jax.jit
def _status(dynamics: Dynamics) -> jax.Array:
    description = dynamics._description

    def of_one(*parts: Any) -> jax.Array:
        code = description.status(*parts)
        covariance = whole(description.steady_covariance(*parts))
        missing = jnp.isnan(covariance) & ~description.divergent(*parts)
        unstable = (code == Status.VALID) & jnp.any(missing)
        return jnp.where(unstable, jnp.int32(Status.UNSTABLE), code)

    return _one_by_one(of_one, dynamics)


@jax.jit
def _steady_mean(dynamics: Dynamics) -> jax.Array:
    description, parts = dynamics._description, dynamics._parts
    drift, force = description.drift(*parts), description.force(*parts)
    missing = len(drift) - len(force)  # what a drift holds of a bath is not driven
    mean = solve(drift, -jnp.pad(force, (0, missing)))
    return nan_unless(contracts(drift), mean[: len(force)])


@partial(compiled, long=True)
def _steady_state(dynamics: Dynamics) -> jax.Array:
    return dynamics._description.steady_covariance(*dynamics._parts)


def network_matrix(oscillators: Oscillators, damping: jax.Array) -> jax.Array:
    """A [2N, 2N] of the network with −γ_j on both quadratures of each oscillator."""
    if not is_real(oscillators):
        return symplectic(oscillators.hessian) - jnp.diag(jnp.repeat(damping, 2))
    return drift_matrix(oscillators, -jnp.diag(damping), -jnp.diag(damping))


def network_decay_rate(oscillators: Oscillators, damping: jax.Array) -> float:
    """The slowest decay rate of a network with amplitude damping, on the host."""
    scaled = in_unit(oscillators, natural_unit(oscillators))  # any unit of energy will do
    zero = jnp.zeros_like(scaled.exchange)
    return slowest_decay(
        network_matrix(oscillators, damping),
        interleave(potential_matrix(scaled), zero, zero, kinetic_matrix(scaled)),
        jnp.repeat(damping, 2),
    )


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
