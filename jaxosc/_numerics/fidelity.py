"""Uhlmann fidelity of Gaussian states, without a difference of large numbers.

Covariances V are [2N, 2N] in the order (x1, p1, x2, p2, …) with vacuum variance 1/2. Banchi,
Braunstein and Pirandola give the fidelity by the eigenvalues ±iy of Y = (A + B)⁻¹(BA − ¼), A = V₁J
and B = V₂J, which is a product of Hermitian and positive matrices in disguise: 2Y ± i =
2(A + B)⁻¹(B ± i/2)(A ± i/2). In the frame where V₁ + V₂ is the unit matrix, with the commutator iW,

    2a = 1 − D + iW,  2b = 1 + D − iW,   D = V₂ − V₁ there, a + b = 1,
    ln F = Σ arsinh s + ½ ln det W,      √(4y² − 1) = s = the singular values of 2R†KR*,

one of each pair, with RR† = ab and K = −W⁻¹. a has a zero for each pure mode of V₁, b of V₂. Of
equal states s = 1/w − w/4, w the eigenvalues of iW: D and W may have whatever errors the
condition of the states leaves, the fidelity of close ones is good to some ε. A zero of a or b has
to be one: the fidelity with a pure state has an infinite slope by its purity.
"""

from __future__ import annotations

from typing import NamedTuple, NoReturn

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.frame import Frame, frame_of, modes_of
from jaxosc._numerics.linear import eigh, inverse, one_at_a_time
from jaxosc._numerics.small import nan_unless
from jaxosc._numerics.uncertainty import is_determined, is_state

_Pair = tuple[jax.Array, jax.Array]

_decomposed = one_at_a_time(lambda matrix: tuple(jnp.linalg.svd(matrix)))


@jax.custom_jvp
def _svd(matrix: jax.Array) -> tuple[jax.Array, ...]:
    return _decomposed(matrix)


@_svd.defjvp
def _svd_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> NoReturn:
    """What a second derivative would ask for."""
    del primals, tangents
    raise NotImplementedError(
        "jaxosc.fidelity has first derivatives alone; its second ones between equal states are "
        "those of jaxosc.quantum_fisher_information."
    )


def fidelity(first: jax.Array, second: jax.Array, shift: jax.Array | None) -> jax.Array:
    """F of two covariances and, if they have means, the difference of these."""
    logarithm = _log_fidelity(first, second)
    if shift is not None:
        moved = frame_of(first + second).inward @ shift
        logarithm = logarithm - jnp.sum(moved * moved) / 2
    sound = is_state(first) & is_state(second) & is_determined(first) & is_determined(second)
    return nan_unless(sound, jnp.exp(logarithm))


@jax.custom_jvp
def _log_fidelity(first: jax.Array, second: jax.Array) -> jax.Array:
    """The logarithm of F, of states without means."""
    return _value(_parts(first, second))


class _Parts(NamedTuple):
    frame: Frame
    a: jax.Array
    b: jax.Array
    root: jax.Array  # R
    back: jax.Array  # K
    product: jax.Array  # Z = 2R†KR*


def _parts(first: jax.Array, second: jax.Array) -> _Parts:
    frame = frame_of(first + second)
    hermitian = jax.lax.complex(frame.change(second - first), -frame.form)
    eta, vectors = eigh(hermitian)
    low, high = (1 - eta) / 2, (1 + eta) / 2
    mixed = (low > frame.lost) & (high > frame.lost)
    weight = jnp.where(mixed, jnp.sqrt(jnp.where(mixed, low * high, 1)), 0)
    root = vectors * weight.astype(vectors.dtype)[None, :]
    back = -inverse(frame.form)
    product = 2 * jnp.conj(root.T) @ back.astype(root.dtype) @ jnp.conj(root)
    one = jnp.eye(len(hermitian), dtype=hermitian.dtype)
    return _Parts(
        frame, (one - hermitian) / 2, (one + hermitian) / 2, root, back, (product - product.T) / 2
    )


def _value(parts: _Parts) -> jax.Array:
    singular = _svd(parts.product)[1]
    form = modes_of(parts.frame.form)[0][len(singular) // 2 :]
    value = jnp.sum(jnp.arcsinh(singular)) / 2 + jnp.sum(jnp.log(form))
    # No two states are closer than equal ones; rounding must not say so, nor lose the slope.
    return value - jax.lax.stop_gradient(jnp.maximum(value, 0))


@_log_fidelity.defjvp
def _log_fidelity_jvp(primals: _Pair, tangents: _Pair) -> _Pair:
    """By d(ab) = b da b + a db a, which divides by s alone.

    Changes of the purity of pure modes are left out.
    """
    parts = _parts(*primals)
    _, singular, right = _svd(parts.product)  # Z = u s v†
    size = len(singular)
    floor = 8 * size * float(np.finfo(singular.dtype).eps) * jnp.max(jnp.abs(parts.back))
    seen = singular > floor
    safe = jnp.where(seen, singular, 1)
    weight = jnp.where(seen, 1 / (safe * jnp.sqrt(1 + safe * safe)), 0)
    outer = parts.back.astype(right.dtype) @ jnp.conj(parts.root) @ jnp.conj(right.T)
    gamma = 2 * (outer * weight.astype(outer.dtype)[None, :]) @ jnp.conj(outer.T)
    half = jnp.eye(size, dtype=gamma.dtype) / 2
    by_first = (parts.b @ gamma @ parts.b - half).real
    by_second = (parts.a @ gamma @ parts.a - half).real
    changes = [parts.frame.change(tangent) for tangent in tangents]
    return _value(parts), jnp.sum(by_first * changes[0] + by_second * changes[1])
