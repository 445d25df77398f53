"""Occupations and coherences of a Gaussian state."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxosc._compilation import inlined
from jaxosc._numerics import small
from jaxosc._numerics.sharing import row
from jaxosc.gaussian.arguments import second_moments
from jaxosc.typing import Reals


def occupation(covariance: Reals, mean: Reals | None = None) -> jax.Array:
    """Mean occupations ⟨a_j†a_j⟩ = (⟨x_j²⟩ + ⟨p_j²⟩ − 1)/2.

    Args:
        covariance: σ [2N, 2N].
        mean: ⟨r⟩ [2N] of a driven network, as of ``steady_mean``; None: zero.

    Returns:
        [N], dimensionless.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> jaxosc.occupation(np.diag([1.5, 1.5, 0.25, 1.0]))
        Array([1.   , 0.125], dtype=float64)

    Source: Konopik & Lutz, App. A, last line.
    """
    return _occupation(second_moments(covariance, mean))


def coherence(covariance: Reals, mean: Reals | None = None) -> jax.Array:
    """The matrix ⟨a_j†a_k⟩, with the occupations on its diagonal.

    ⟨a_j†a_k⟩ = [⟨x_jx_k⟩ + ⟨p_jp_k⟩ + i(⟨x_jp_k⟩ − ⟨p_jx_k⟩) − δ_jk]/2.

    Args:
        covariance: σ [2N, 2N].
        mean: ⟨r⟩ [2N] of a driven network, as of ``steady_mean``; None: zero.

    Returns:
        [N, N], complex and Hermitian, dimensionless.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.5, "rotating-wave")
        >>> jaxosc.coherence(jaxosc.gibbs(network, 1.0)).real.round(6)
        Array([[ 0.914355, -0.627139],
               [-0.627139,  0.914355]], dtype=float64)
    """
    return _coherence(second_moments(covariance, mean))


# One compiled program a call: each operation by itself costs as much as all of them, and would
# stop at an intermediate NaN under jax_debug_nans. In another program they are part of it.


@partial(inlined, entrywise=True)
def _occupation(covariance: jax.Array) -> jax.Array:
    if not small.is_small(covariance):
        variance = jnp.diag(covariance)
        return (variance[0::2] + variance[1::2] - 1) / 2
    quadratures = range(0, covariance.shape[0], 2)  # entry by entry, which fuses
    return row([(covariance[x, x] + covariance[x + 1, x + 1] - 1) / 2 for x in quadratures])


@partial(inlined, entrywise=True)
def _coherence(covariance: jax.Array) -> jax.Array:
    def between(xx: jax.Array, xp: jax.Array, px: jax.Array, pp: jax.Array, same: Any) -> jax.Array:
        return jax.lax.complex((xx + pp - same) / 2, (xp - px) / 2)

    if not small.is_small(covariance):
        xx, xp, pp = small.blocks_of(covariance)
        return between(xx, xp, xp.T, pp, jnp.eye(xx.shape[0], dtype=xx.dtype))
    entry, modes = small.rows_of(covariance), range(0, covariance.shape[0], 2)

    def at(j: int, k: int) -> jax.Array:
        (xx, xp), (px, pp) = entry[j][k : k + 2], entry[j + 1][k : k + 2]
        return between(xx, xp, px, pp, float(j == k))

    return small.matrix([[at(j, k) for k in modes] for j in modes])
