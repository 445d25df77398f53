"""How a Gaussian state evolves: exactly, at any time, or by a solver where parameters move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._compilation import compiled
from jaxosc._numerics.symmetry import symmetric_slope
from jaxosc.dynamics import Dynamics, require_one_network, steady_state
from jaxosc.typing import Reals

# Of the solver, which takes some ten for an oscillation
_STEPS = 2**18


class Evolution(NamedTuple):
    """A Gaussian state at some times.

    Attributes:
        covariance: σ [..., 2N, 2N], the axes of the times in front.
        mean: ⟨r⟩ [..., 2N].
    """

    covariance: jax.Array
    mean: jax.Array


def evolve(
    dynamics: Dynamics | Callable[[jax.Array], Dynamics],
    covariance: Reals,
    times: Reals,
    mean: Reals | None = None,
    *,
    tolerance: float = 1e-10,
) -> Evolution:
    """Covariance and mean at any times, from a Gaussian state at t = 0.

    A Markovian equation moves them by

        σ(t) = e^{At} σ(0) e^{Aᵀt} + ∫₀ᵗ e^{As} D e^{Aᵀs} ds,
        ⟨r(t)⟩ = e^{At}⟨r(0)⟩ + ∫₀ᵗ e^{As} f ds,

    with the force f of a drive. There need not be a steady state. ``langevin`` with temperatures
    has baths with memory: the state at t = 0 is that of the oscillators beside thermal baths that
    know nothing of them yet, and what follows is exact as well, which the two lines above with its
    drift and diffusion are not. The flow has no step size; its error is some roundings, also of
    stiff and near-critical networks, but for the phase of a frequency ω, known to ε of itself.

    Args:
        dynamics: from one of the equations or from ``Dynamics``; or a function t ↦ Dynamics of a
            time (a scalar), for parameters, drives and baths that depend on it, Markovian ones
            alone: then by a solver of ordinary differential equations (the extra ``time``).
        covariance: σ(0) [2N, 2N], symmetric, order (x1, p1, …), vacuum 1/2.
        times: t ≥ 0 of any shape.
        mean: ⟨r(0)⟩ [2N]; zero by default.
        tolerance: of the solver, relative, and absolute for moments of order one; for a function
            alone.

    Returns:
        An ``Evolution``. NaN where the solver fails, or baths with memory have no steady state and
        the values are known only inside a transformation.

    Raises:
        ValueError: if a shape does not fit, σ(0) is not symmetric, a time is negative, baths with
            memory are known to have no steady state, are strictly Ohmic or depend on time.

    Example:
        >>> one = jaxosc.Oscillators([1.0], [[0.0]])
        >>> dynamics = jaxosc.local_lindblad(one, jaxosc.Baths(0.1, occupation=2.0))
        >>> state = jaxosc.evolve(dynamics, np.eye(2) / 2, [0.0, 5.0, 50.0])
        >>> jax.vmap(jaxosc.occupation)(state.covariance)[:, 0].round(6)
        Array([0.      , 1.264241, 1.999909], dtype=float64)

    Source: Gardiner, Stochastic Methods, sec. 4.5; Haake & Reibold, Phys. Rev. A 32, 2462 (1985),
    for the product state; Van Loan, IEEE Trans. Autom. Control 23, 395 (1978), for the integral.
    """
    _require_tolerance(tolerance)
    if not isinstance(dynamics, Dynamics) and callable(dynamics):
        return _by_solver(dynamics, covariance, times, mean, tolerance)
    dynamics = require_one_network(dynamics)
    description, parts = dynamics._description, dynamics._parts
    if description.no_product_state(*parts):
        raise ValueError(
            "Argument `dynamics` must have baths with a cutoff, such as jaxosc.spectra.Drude, to "
            "evolve from a state that they know nothing of, but one has none."
        )
    given = _require_state(dynamics, covariance, times, mean)
    found = _evolve(dynamics, *given)
    known = _checks.concrete(jax.lax.stop_gradient(found.covariance))
    if known is not None and np.isnan(known).any() and not description.is_markovian(*parts):
        steady_state(dynamics)
    return found


def _require_tolerance(tolerance: float) -> None:
    try:
        sound = 0 < _checks.real_number(tolerance) < 1
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise ValueError(
            f"Argument `tolerance` must be a number between 0 and 1, but it is {tolerance!r}."
        )


def require_times(times: Reals) -> jax.Array:
    """The times as an array, finite."""
    (array,) = _checks.float_arrays(times=times)
    _checks.require_finite("times", array)
    return array


def _require_state(
    dynamics: Dynamics, covariance: Reals, times: Reals, mean: Reals | None
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """σ(0), ⟨r(0)⟩ and the times in the dtype of the dynamics."""
    force = jax.eval_shape(dynamics._description.force, *dynamics._parts)
    times = require_times(times)
    _checks.require("times", times, lambda t: t >= 0, "not be negative")
    given = np.zeros(force.shape, force.dtype) if mean is None else mean
    start, mean = _checks.float_arrays(covariance=covariance, mean=given)
    _checks.require_shape("covariance", start, force.shape * 2, " like the network")
    _checks.require_shape("mean", mean, force.shape, " like the network")
    for name, value in (("covariance", start), ("mean", mean)):
        _checks.require_finite(name, value)
    _checks.require_symmetric("covariance", start)
    _checks.require_together(dynamics=dynamics, covariance=start, times=times, mean=mean)
    dtype = force.dtype
    return start.astype(dtype), mean.astype(dtype), times.astype(dtype)


@_checks.nan_is_an_answer
@compiled
def _evolve(
    dynamics: Dynamics, covariance: jax.Array, mean: jax.Array, times: jax.Array
) -> Evolution:
    description, parts = dynamics._description, dynamics._parts
    states, means = description.evolution(
        symmetric_slope(covariance), mean, times.reshape(-1), *parts
    )
    return Evolution(
        states.reshape(times.shape + states.shape[1:]), means.reshape(times.shape + means.shape[1:])
    )


def _by_solver(
    dynamics: Callable[[jax.Array], Dynamics],
    covariance: Reals,
    times: Reals,
    mean: Reals | None,
    tolerance: float,
) -> Evolution:
    """Of parameters that depend on time."""
    _checks.require_call("dynamics", dynamics, "a time", ("time",), {})
    start = dynamics(jnp.zeros((), jax.dtypes.canonicalize_dtype(float)))
    _checks.require_instance("dynamics", start, Dynamics)
    if not start._description.is_markovian(*start._parts):
        raise ValueError(
            "Argument `dynamics` must be Markovian where it is a function of time, but its baths "
            "have memory."
        )
    state, mean, times = _require_state(require_one_network(start), covariance, times, mean)

    def moved(time: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        now = require_one_network(dynamics(time))
        description, parts = now._description, now._parts
        return description.drift(*parts), description.diffusion(*parts), description.force(*parts)

    def slope(time: jax.Array, moments: Evolution, _: Any) -> Evolution:
        drift, diffusion, force = moved(time)
        half = drift @ moments.covariance
        return Evolution(half + half.T + diffusion, drift @ moments.mean + force)

    flat = times.reshape(-1)
    order = jnp.argsort(flat)
    found = _solved(slope, Evolution(symmetric_slope(state), mean), flat[order], tolerance)
    back = jnp.argsort(order)
    return Evolution(*(x[back].reshape(times.shape + x.shape[1:]) for x in found))


def _solved(slope: Any, start: Evolution, times: jax.Array, tolerance: float) -> Evolution:
    """The solution of an ordinary differential equation at ascending times; NaN if it fails."""
    try:
        import diffrax
    except ImportError as error:
        raise ValueError(
            "Argument `dynamics` must be one Dynamics, but it is a function of time, which needs "
            "diffrax: pip install 'jaxosc[time]'."
        ) from error
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(slope),
        diffrax.Dopri8(),
        t0=jnp.zeros_like(times[0]),
        t1=times[-1],
        dt0=None,
        y0=start,
        saveat=diffrax.SaveAt(ts=times),
        # Steps that end where a state is asked for: between them it would be interpolated, to fewer
        # digits.
        stepsize_controller=diffrax.ClipStepSizeController(
            diffrax.PIDController(rtol=tolerance, atol=tolerance), step_ts=times
        ),
        adjoint=diffrax.DirectAdjoint(),  # the one with derivatives in both directions
        max_steps=_STEPS,
        throw=False,
    )
    solved = solution.result == diffrax.RESULTS.successful
    return jax.tree.map(lambda x: jnp.where(solved, x, jnp.nan), solution.ys)
