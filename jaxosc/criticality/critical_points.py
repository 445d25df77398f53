"""Critical points of any network: where H stops being bounded, where its motion grows."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc import _checks
from jaxosc import baths as _baths
from jaxosc._kernels import dense, selection
from jaxosc._numerics.small import nan_unless
from jaxosc.baths import Baths
from jaxosc.oscillators import Oscillators, entered, in_unit, require_network


@_checks.nan_is_an_answer
def critical_scale(oscillators: Oscillators) -> jax.Array:
    """Smallest s > 0 at which H with the couplings sλ, sκ stops being bounded below.

    1/s is minus the smallest eigenvalue of ω^(−1/2) (λ ± κ) ω^(−1/2), of both signs. For two
    modes s = √(ω_1ω_2)/(|λ| + |κ|): the critical coupling λ_c over the coupling.

    Args:
        oscillators: N modes; their own H need not be bounded.

    Returns:
        s, a scalar without unit; infinite if no oscillators are coupled, since then no scale is
        critical. NaN where a coupling matrix is not symmetric with a zero diagonal, or a
        frequency not positive, and the values are known only inside a transformation. Where
        several motions become critical at one s it is the smallest of several functions: it has a
        kink, and its derivative is one that lies between those of the two sides.

    Raises:
        ValueError: if the argument is not one network, or a frequency is known and not positive:
            its H is not bounded at any scale.

    Example:
        >>> network = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> round(float(jaxosc.critical_scale(network)), 6)  # sqrt(10) / 2
        1.581139

    Source: H is bounded below if V = ω + λ + κ and W = ω + λ − κ are positive definite.
    """
    require_network(oscillators)
    known = jax.lax.stop_gradient(oscillators.frequency)
    _checks.require("oscillators.frequency", known, lambda omega: omega > 0, "be positive")
    return _critical_scale(entered(oscillators))


@jax.jit
def _critical_scale(oscillators: Oscillators) -> jax.Array:
    omega, kernel = oscillators.frequency, selection.kernel_of(oscillators)
    valid = jnp.all(omega > 0) & jnp.all(omega < jnp.inf) & kernel.well_formed()
    ratio = kernel.critical_ratio()
    return nan_unless(valid, 1 / jnp.where(ratio > 0, ratio, 0))


@_checks.nan_is_an_answer
def stability_scale(oscillators: Oscillators, baths: Baths) -> jax.Array:
    """Smallest s > 0 at which the damped dynamics with the couplings sλ, sκ stops being stable.

    The drift is that of the local and of the flat Langevin equation, J h(s) with amplitude damping
    behind L_m = Σ_j l_mj a_j, of one bath an oscillator −γ_j on both quadratures. It is stable
    while all its eigenvalues have negative real parts. That ends at another s than
    ``critical_scale``: later where damping holds the soft mode (position coupling), never with
    exchange alone, and earlier where pairing feeds a mode that is damped less than its partner.

    Args:
        oscillators: N modes; their own dynamics need not be stable.
        baths: temperatures and spectra play no part. With an ``occupation`` the frame may be any,
            frequencies zero or negative.

    Returns:
        s, a scalar without unit. Infinite if the dynamics is stable for every s; zero if it is
        unstable however weak the coupling. NaN where a motion is not damped, and as for
        ``critical_scale``, and the values are known only inside a transformation. For two modes
        in closed form. For three to six, every crossing is found as an eigenvalue of a matrix of
        N(2N − 1) rows; for more, oscillating instabilities are looked for on 512 scales up to the
        first static one, and on 128 between 1e-3 and 1e3 times ``critical_scale``: one that comes
        and goes between two of them is missed. From three modes on, a motion that is damped by
        less than rounding of the frequencies, some 1e-14 of them, passes for one that is not.
        Derivatives are those of (A(s) − iν)z = 0, NaN where several motions cross at once.

    Raises:
        ValueError: if the two do not fit together, or a motion is known not to be damped.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.25, "position")
        >>> round(float(jaxosc.stability_scale(network, jaxosc.Baths((0.0, 0.2), 1.0))), 6)
        2.039608
    """
    oscillators, baths = _baths.match(oscillators, baths)
    scale = _stability_scale(oscillators, baths)
    _checks.require_no_nan(
        scale,
        "Argument `baths` must damp every motion of the network by more than rounding, "
        "but at least one is not.",
    )
    return scale


@jax.jit
def _stability_scale(oscillators: Oscillators, baths: Baths) -> jax.Array:
    problem = selection.problem_of(oscillators, baths)
    damping = problem.damping
    valid = jnp.all(damping >= 0) & jnp.all(damping < jnp.inf)
    if problem.rows is None and baths.occupation is None:
        critical = _critical_scale(in_unit(oscillators, problem.unit))
        return problem.kernel.stability_scale(damping, critical, valid & ~jnp.isnan(critical))
    general = selection.general_of(oscillators, problem.unit)
    rows = general.own_rows() if problem.rows is None else problem.rows
    valid &= general.well_formed() & jnp.all(jnp.abs(oscillators.frequency) < jnp.inf)
    return general.growth_scale(dense.flat_drift(rows, damping), valid)
