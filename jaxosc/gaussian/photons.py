"""Statistics of the quanta of a Gaussian state: fluctuations of numbers, and bunching."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._compilation import inlined
from jaxosc._numerics import small
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


class _Two(NamedTuple):
    """What every two modes j and k have, as numbers [N, N] or those of two modes alone."""

    number: tuple[jax.Array, jax.Array]  # ⟨n_j⟩ and ⟨n_k⟩
    shared: jax.Array  # ⟨:n_jn_k:⟩ − ⟨n_j⟩⟨n_k⟩
    same: np.ndarray  # 1 if they are one mode, else 0


def _of_two(
    function: Callable[[_Two], jax.Array], covariance: jax.Array, mean: jax.Array | None
) -> jax.Array:
    """A function of every two modes [N, N]; of few modes entry by entry, which fuses."""
    same = np.eye(covariance.shape[0] // 2, dtype=covariance.dtype)
    if not small.is_small(covariance):
        xx, xp, pp = small.blocks_of(covariance)
        moved = None if mean is None else (mean[0::2], mean[1::2])
        every = _Quadratures(jnp.diag(xx), jnp.diag(pp), moved)
        first, second = (jax.tree.map(lambda x, n=n: jnp.expand_dims(x, n), every) for n in (1, 0))
        return function(_two(same, (first, second), (xx, xp, xp.T, pp)))
    sigma = small.rows_of(covariance)
    modes = [
        _Quadratures(
            sigma[x][x], sigma[x + 1][x + 1], None if mean is None else (mean[x], mean[x + 1])
        )
        for x in range(0, len(sigma), 2)
    ]

    def at(j: int, k: int) -> jax.Array:
        x, y = 2 * j, 2 * k
        both = (sigma[x][y], sigma[x][y + 1], sigma[x + 1][y], sigma[x + 1][y + 1])
        return function(_two(same[j, k], (modes[j], modes[k]), both))

    return small.matrix([[at(j, k) for k in range(len(modes))] for j in range(len(modes))])


class _Quadratures(NamedTuple):
    """Variances and means of a mode."""

    xx: jax.Array
    pp: jax.Array
    mean: tuple[jax.Array, jax.Array] | None

    def number(self) -> jax.Array:
        """⟨n⟩, from σ − ½, so that those of cold modes keep their digits."""
        number = ((self.xx - 0.5) + (self.pp - 0.5)) / 2
        if self.mean is None:
            return number
        x, p = self.mean
        return number + (x * x + p * p) / 2


def _two(
    same: np.ndarray, modes: tuple[_Quadratures, _Quadratures], both: tuple[jax.Array, ...]
) -> _Two:
    """From ⟨x_jx_k⟩, ⟨x_jp_k⟩, ⟨p_jx_k⟩ and ⟨p_jp_k⟩."""
    xx, xp, px, pp = both
    xx, pp = xx - same / 2, pp - same / 2
    shared = (xx * xx + xp * xp + px * px + pp * pp) / 2
    first, second = modes
    if first.mean is not None and second.mean is not None:
        (xj, pj), (xk, pk) = first.mean, second.mean
        shared += xj * (xx * xk + xp * pk) + pj * (px * xk + pp * pk)
    return _Two((first.number(), second.number()), shared, same)


@partial(inlined, entrywise=True)
def _number_covariance(covariance: jax.Array, mean: jax.Array | None) -> jax.Array:
    def of_two(two: _Two) -> jax.Array:
        return two.shared + jnp.where(two.same > 0, two.number[0], 0)

    return _of_two(of_two, covariance, mean)


@_checks.nan_is_an_answer
@partial(inlined, entrywise=True)
def _g2(covariance: jax.Array, mean: jax.Array | None) -> jax.Array:
    def of_two(two: _Two) -> jax.Array:
        first, second = (
            jnp.where(total <= 4 * float(np.finfo(total.dtype).eps), jnp.nan, total)
            for total in two.number
        )
        return 1 + two.shared / (first * second)

    return _of_two(of_two, covariance, mean)
