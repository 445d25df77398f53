"""A Gaussian state in phase space: its squeezing, and its Wigner function."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._compilation import inlined
from jaxosc._numerics import small
from jaxosc._numerics.entropy import cholesky_rows, safe_sqrt
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.special import product_less_square
from jaxosc.gaussian.arguments import covariance_of, restricted
from jaxosc.typing import Reals


def squeezing(covariance: Reals) -> jax.Array:
    """Squeezing of each mode in dB, −10 log10(2V) with V the smallest variance of a quadrature.

    Positive for a squeezed mode, zero for the vacuum, negative where every quadrature is noisier
    than the vacuum. The quadrature is x cos φ + p sin φ with φ the ``squeezing_angle``.

    Args:
        covariance: σ [2N, 2N].

    Returns:
        [N] in dB; NaN where the variances of a mode are not positive, or its entries do not
        determine them: beyond 75 dB (in float32 30 dB) of a pure state in general axes. Where all
        quadratures of a mode have one variance, the derivative is that of their mean.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> jaxosc.squeezing(np.diag([1.5, 1.5, 0.25, 1.0])).round(6)
        Array([-4.771213,  3.0103  ], dtype=float64)

    Source: Walls, Nature 306, 141 (1983).
    """
    return _squeezing(covariance_of(covariance))


def squeezing_angle(covariance: Reals) -> jax.Array:
    """The angle φ of the quadrature x cos φ + p sin φ of each mode with the smallest variance.

    Args:
        covariance: σ [2N, 2N].

    Returns:
        [N] in radians, from −π/2 to π/2; of no meaning where all quadratures have one variance.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> jaxosc.squeezing_angle(np.diag([0.25, 1.0, 1.0, 0.25])).round(6)
        Array([0.      , 1.570796], dtype=float64)
    """
    return _squeezing_angle(covariance_of(covariance))


def wigner(
    covariance: Reals, x: Reals, p: Reals, mean: Reals | None = None, mode: int = 0
) -> jax.Array:
    """Wigner function of one mode on a grid, the others traced out.

    W(x, p) = exp(−½ dᵀσ⁻¹d)/(2π √det σ) with the block σ of the mode and d = (x, p) − ⟨r⟩. Its
    integral over x and p is 1, its marginals are the distributions of x and p; ħ = 1.

    Args:
        covariance: σ [2N, 2N].
        x: values of x [n].
        p: values of p [m].
        mean: ⟨r⟩ [2N] of a driven network, as of ``steady_mean``; None: zero.
        mode: which one, numbered from 0.

    Returns:
        W [n, m]; NaN where σ is not positive definite.

    Raises:
        ValueError: if the shape is not (2N, 2N), σ is known and not symmetric, x or p is no
            vector, or there is no such mode.

    Example:
        >>> jaxosc.wigner(0.5 * np.eye(2), [0.0, 1.0], [0.0]).round(6)
        Array([[0.31831],
               [0.1171 ]], dtype=float64)

    Source: Wigner, Phys. Rev. 40, 749 (1932).
    """
    given = {} if mean is None else {"mean": mean}
    array, x, p, *vector = _checks.float_arrays(covariance=covariance, x=x, p=p, **given)
    array = covariance_of(array)
    for name, values in (("x", x), ("p", p)):
        if values.ndim != 1:
            raise ValueError(
                f"Argument `{name}` must be a vector, but its shape is {values.shape}."
            )
    center = vector[0] if vector else jnp.zeros_like(array[0])
    _checks.require_shape("mean", center, array.shape[:1])
    _checks.require_whole("mode", mode, 0, array.shape[0] // 2 - 1)
    return _wigner(array, x, p, center, mode=int(mode))


def _least(xx: jax.Array, xp: jax.Array, pp: jax.Array) -> jax.Array:
    """The smallest eigenvalue of a positive [[xx, xp], [xp, pp]], its determinant by the other.

    Without a subtraction but that in the determinant, which is exact but for the last digit.
    """
    split = safe_sqrt((xx - pp) ** 2 + 4 * xp * xp)
    determinant = product_less_square(xx, pp, xp)
    # The rounding of the entries is worth 2ε xx pp.
    known = determinant > 16 * float(np.finfo(xx.dtype).eps) * xx * pp
    least = 2 * determinant / (xx + pp + split)
    return nan_unless((xx > 0) & known, least)


def _decibel(xx: jax.Array, xp: jax.Array, pp: jax.Array) -> jax.Array:
    return -10 * jnp.log10(2 * _least(xx, xp, pp))


def _angle(xx: jax.Array, xp: jax.Array, pp: jax.Array) -> jax.Array:
    """Where (xx − pp) cos 2φ + 2xp sin 2φ is smallest."""
    free = (xp == 0) & (xx == pp)  # where arctan2 has no slope
    largest = jnp.arctan2(2 * xp, jnp.where(free, 1, xx - pp))
    return jnp.where(largest > 0, largest - np.pi, largest + np.pi) / 2


def _own_blocks(covariance: jax.Array) -> tuple[small.Entries, small.Entries, small.Entries]:
    """⟨x_j²⟩, ⟨x_jp_j⟩ and ⟨p_j²⟩ of all modes."""
    if not small.is_small(covariance):
        first, mixed, second = map(jnp.diag, small.blocks_of(covariance))
        return first, mixed, second
    entry, modes = small.rows_of(covariance), range(0, covariance.shape[0], 2)
    xx, xp, pp = (tuple(entry[x + i][x + k] for x in modes) for i, k in ((0, 0), (0, 1), (1, 1)))
    return xx, xp, pp


@partial(inlined, entrywise=True)
def _squeezing(covariance: jax.Array) -> jax.Array:
    return small.entrywise(_decibel, *_own_blocks(covariance))


@partial(inlined, entrywise=True)
def _squeezing_angle(covariance: jax.Array) -> jax.Array:
    return small.entrywise(_angle, *_own_blocks(covariance))


@partial(inlined, static_argnames=("mode",))
def _wigner(
    covariance: jax.Array, x: jax.Array, p: jax.Array, mean: jax.Array, mode: int
) -> jax.Array:
    (l11,), (l21, l22) = cholesky_rows(restricted(covariance, (mode,)))
    first = (x - mean[2 * mode]) / l11
    second = (p - mean[2 * mode + 1])[None, :] - l21 * first[:, None]
    exponent = (first * first)[:, None] + (second / l22) ** 2
    return jnp.exp(-exponent / 2) / (2 * np.pi * l11 * l22)
