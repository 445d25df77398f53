"""Statistics of the quanta of a Gaussian state: fluctuations of numbers, and bunching."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._numerics.small import blocks_of
from jaxosc.gaussian.arguments import covariance_of
from jaxosc.typing import Reals


def number_covariance(covariance: Reals, mean: Reals | None = None) -> jax.Array:
    """Covariances of the numbers of quanta, ⟨n_jn_k⟩ − ⟨n_j⟩⟨n_k⟩ with n_j = a_j†a_j.

    With the blocks σ_jk of two quadratures each it is ½ tr σ_jkσ_jkᵀ + ⟨r_j⟩ᵀσ_jk⟨r_k⟩ − δ_jk/4.

    Args:
        covariance: σ [2N, 2N].
        mean: ⟨r⟩ [2N] of a driven network, as of ``steady_mean``; None: zero.

    Returns:
        [N, N], symmetric, the variances on its diagonal; dimensionless.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> jaxosc.number_covariance(np.diag([1.5, 1.5, 0.25, 1.0]))  # n(n + 1) of a thermal mode
        Array([[2.     , 0.     ],
               [0.     , 0.28125]], dtype=float64)

    Source: Isserlis, Biometrika 12, 134 (1918), for symmetrised products.
    """
    return _number_covariance(*_state(covariance, mean))


def g2(covariance: Reals, mean: Reals | None = None) -> jax.Array:
    """Second-order coherences g2_jk = ⟨a_j†a_k†a_ka_j⟩/(⟨n_j⟩⟨n_k⟩) at equal times.

    Its diagonal is g2(0) of each mode: 1 for coherent, 2 for thermal light, 3 + 1/⟨n⟩ for a
    squeezed vacuum. Off it, it tells how much more often than by chance quanta of both are found.

    Args:
        covariance: σ [2N, 2N].
        mean: ⟨r⟩ [2N] of a driven network, as of ``steady_mean``; None: zero.

    Returns:
        [N, N], symmetric, dimensionless; NaN by a mode that is empty, of an occupation below
        4 ε, ε the rounding of the dtype.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> jaxosc.g2(np.diag([1.5, 1.5, 0.25, 1.0]))
        Array([[ 2.,  1.],
               [ 1., 11.]], dtype=float64)

    Source: Glauber, Phys. Rev. 130, 2529 (1963).
    """
    return _g2(*_state(covariance, mean))


def _state(covariance: Reals, mean: Reals | None) -> tuple[jax.Array, jax.Array | None]:
    if mean is None:
        return covariance_of(covariance), None
    array, vector = _checks.float_arrays(covariance=covariance, mean=mean)
    array = covariance_of(array)
    _checks.require_shape("mean", vector, array.shape[:1])
    return array, vector


def _normal_ordered(
    covariance: jax.Array, mean: jax.Array | None
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """⟨n⟩ [N] of the fluctuations and of the mean, and ⟨:n_jn_k:⟩ − ⟨n_j⟩⟨n_k⟩ [N, N].

    From σ − ½, so that those of cold modes keep their digits.
    """
    xx, xp, pp = blocks_of(covariance)
    half = jnp.eye(xx.shape[0], dtype=xx.dtype) / 2
    xx, pp, px = xx - half, pp - half, xp.T
    number = (jnp.diag(xx) + jnp.diag(pp)) / 2
    shared = (xx * xx + xp * xp + px * px + pp * pp) / 2
    if mean is None:
        return number, jnp.zeros_like(number), shared
    x, p = mean[0::2], mean[1::2]
    (xj, xk), (pj, pk) = ((each[:, None], each[None, :]) for each in (x, p))
    shared += xj * (xx * xk + xp * pk) + pj * (px * xk + pp * pk)
    return number, (x * x + p * p) / 2, shared


@partial(jax.jit, inline=True)
def _number_covariance(covariance: jax.Array, mean: jax.Array | None) -> jax.Array:
    number, coherent, shared = _normal_ordered(covariance, mean)
    return shared + jnp.diag(number + coherent)


@_checks.nan_is_an_answer
@partial(jax.jit, inline=True)
def _g2(covariance: jax.Array, mean: jax.Array | None) -> jax.Array:
    number, coherent, shared = _normal_ordered(covariance, mean)
    total = number + coherent
    empty = total <= 4 * float(np.finfo(total.dtype).eps)
    safe = jnp.where(empty, jnp.nan, total)
    return 1 + shared / (safe[:, None] * safe[None, :])
