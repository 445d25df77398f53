"""Critical points of any network: where H stops being bounded, where its motion grows."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc import _checks
from jaxosc import baths as _baths
from jaxosc._numerics.eigenvalues import smallest_eigenvalue
from jaxosc._numerics.instability import first_instability
from jaxosc._numerics.small import nan_unless
from jaxosc.baths import Baths
from jaxosc.dynamics import drift_matrix
from jaxosc.oscillators import (
    Oscillators,
    entered,
    in_unit,
    natural_unit,
    require_network,
    with_couplings,
)


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
        ValueError: if the argument is not one network.

    Source: H is bounded below if V = ω + λ + κ and W = ω + λ − κ are positive definite.
    """
    require_network(oscillators)
    return _critical_scale(entered(oscillators))


@jax.jit
def _critical_scale(oscillators: Oscillators) -> jax.Array:
    omega, exchange, pairing = (
        oscillators.frequency,
        oscillators.exchange,
        oscillators.pairing,
    )
    valid = jnp.all(omega > 0) & jnp.all(omega < jnp.inf)
    for matrix in (exchange, pairing):
        valid &= jnp.all(matrix == matrix.T) & jnp.all(jnp.diag(matrix) == 0)
    root = jnp.sqrt(omega)
    if oscillators.modes == 2:
        j, k = ((m[0, 1] + m[1, 0]) / 2 / root[0] / root[1] for m in (exchange, pairing))
        ratio = jnp.maximum(jnp.abs(j + k), jnp.abs(j - k))
    else:
        j, k = (m / root[:, None] / root[None, :] for m in (exchange, pairing))
        ratio = -jnp.minimum(smallest_eigenvalue(j + k), smallest_eigenvalue(j - k))
    return nan_unless(valid, 1 / jnp.where(ratio > 0, ratio, 0))


@_checks.nan_is_an_answer
def stability_scale(oscillators: Oscillators, baths: Baths) -> jax.Array:
    """Smallest s > 0 at which the damped dynamics with the couplings sλ, sκ stops being stable.

    The drift is that of the local and of the Langevin equation, ẋ = W(s)p − γx,
    ṗ = −V(s)x − γp. It is stable while all its eigenvalues have negative real parts. That
    ends at another s than ``critical_scale``: later where damping holds the soft mode (position
    coupling), never with exchange alone, and earlier where pairing feeds a mode that is damped
    less than its partner.

    Args:
        oscillators: N modes; their own dynamics need not be stable.
        baths: one bath an oscillator; temperatures and spectra play no part.

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
    unit = natural_unit(oscillators)
    network, damping = in_unit(oscillators, unit), baths.damping / unit
    critical = _critical_scale(network)
    valid = ~jnp.isnan(critical) & jnp.all(damping >= 0) & jnp.all(damping < jnp.inf)
    if network.modes == 1:
        return nan_unless(valid & (damping[0] > 0), critical)
    if network.modes == 2:
        return nan_unless(valid, _two_modes(network, damping))
    zero = jnp.zeros_like(network.exchange)
    alone = with_couplings(network, zero, zero)
    base = drift_matrix(alone, -jnp.diag(damping), -jnp.diag(damping))
    slope = drift_matrix(network, zero, zero) - drift_matrix(alone, zero, zero)
    # Generic, so that no crossing lies on it by construction
    reference = 0.6180339887 * jax.lax.stop_gradient(critical)
    coupled_at_all = valid & (reference < jnp.inf)
    safe = jnp.where(coupled_at_all, reference, 1)
    scale = first_instability(
        jnp.where(valid, base, -jnp.eye(len(base), dtype=base.dtype)), slope, safe
    ).scale
    uncoupled = jnp.where(jnp.all(damping > 0), jnp.inf, jnp.nan)
    return nan_unless(valid, jnp.where(coupled_at_all, scale, uncoupled))


def _two_modes(network: Oscillators, damping: jax.Array) -> jax.Array:
    """The smallest positive root of det A(s) and of the last Hurwitz determinant.

    Both are polynomials in t = s². No term is a difference of others that cancel for γ ≪ ω.
    """
    omega1, omega2 = network.frequency
    gamma1, gamma2 = damping
    j, k = network.exchange[0, 1], network.pairing[0, 1]
    v, w = j + k, j - k
    product, damped, width = omega1 * omega2, gamma1 * gamma2, gamma1 + gamma2
    spread = (gamma1 * omega2) ** 2 + (gamma2 * omega1) ** 2
    # det A = (vw)² t² − linear t + constant
    constant = product**2 + spread + damped**2
    squares = v**2 + w**2
    linear = product * squares - 2 * damped * v * w
    discriminant = (4 * product * j * k) ** 2 - 4 * v * w * (
        product * damped * squares + v * w * spread
    )
    crosses = (discriminant >= 0) & (linear > 0)
    root = jnp.sqrt(jnp.where(crosses & (discriminant > 0), discriminant, 1))
    root = jnp.where(discriminant > 0, root, 0)
    static = 2 * constant / jnp.where(crosses, linear + root, 1)
    # Hurwitz determinant = initial + t width² pumping
    total, difference = omega1 + omega2, omega1 - omega2
    initial = damped * (width**2 + total**2) * (width**2 + difference**2)
    pumping = v * w * (width**2 + difference**2) + 4 * product * j**2
    oscillating = initial / jnp.where(pumping < 0, -pumping * width**2, 1)
    square = jnp.minimum(
        jnp.where(crosses, static, jnp.inf), jnp.where(pumping < 0, oscillating, jnp.inf)
    )
    # Neither factor positive on the way: a mode without a bath that nothing damps
    dark = (width <= 0) | ((damped <= 0) & (pumping == 0))
    positive = (square > 0) & (square < jnp.inf)
    scale = jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1)), square)
    return nan_unless(~dark, scale)
