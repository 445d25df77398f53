"""Whether a covariance is that of a state, and whether its entries still determine its spectrum.

Entries of a covariance carry rounding, |E_ij| ≤ e √(σ_ii σ_jj), and D = diag σ bounds every such
E: −ne D ≤ E ≤ ne D for n rows. Both questions are asked of σ with a multiple of D added, which the
dtype and n fix, however far σ is from a state:

    state:       σ + δD + iJ/2 > 0 with δ = 16 nε. It passes every σ that is the rounding of a
                 state, by up to 16 ε an entry, and σ + δD of each σ that passes is a state.
    determined:  σ − τD > 0 with τ = 4 nε. With σ = LLᵀ the symplectic eigenvalues of
                 σ + E = L(1 + F)Lᵀ are those of σ but for factors between 1 ± ‖F‖, and
                 ‖F‖ ≤ ne/τ: a quarter for one rounding an entry. Random squeezed states of one to
                 five modes at that margin: 0.02 at most by rounding, and as much by computing.

Cholesky's algorithm answers both whatever the scales of the rows: its answer is that for a matrix
within some nε √(σ_ii σ_jj) in each entry.

Source: Higham, Accuracy and Stability of Numerical Algorithms, ch. 10; Demmel & Veselić, SIAM J.
Matrix Anal. Appl. 13, 1204 (1992).
"""

from __future__ import annotations

import functools
from typing import overload

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.sharing import reciprocal

# δ and τ over nε
_ALLOWANCE, _MARGIN = 16, 4


def is_state(covariance: jax.Array) -> jax.Array:
    """Whether σ + iJ/2 ≥ 0 but for the rounding of the entries of σ; no for NaN and infinities."""
    return _positive(covariance, 1 + _ALLOWANCE * _unit(covariance), True)


def is_determined(covariance: jax.Array) -> jax.Array:
    """Whether the rounding of the entries of σ leaves digits in its symplectic eigenvalues."""
    return _positive(covariance, 1 - _MARGIN * _unit(covariance), False)


def _unit(covariance: jax.Array) -> float:
    """nε."""
    return covariance.shape[0] * float(np.finfo(covariance.dtype).eps)


def _positive(covariance: jax.Array, factor: float, commutator: bool) -> jax.Array:
    """Whether σ with its diagonal multiplied, and with iJ/2 or without, is positive definite."""
    covariance = jax.lax.stop_gradient(covariance)
    if covariance.shape[0] <= 4:
        return _few_positive(covariance, factor, commutator)
    size, dtype = covariance.shape[0], covariance.dtype
    matrix = covariance * np.where(np.eye(size, dtype=bool), factor, 1).astype(dtype)
    if commutator:
        form = np.kron(np.eye(size // 2), [[0.0, 0.5], [-0.5, 0.0]])
        matrix = jax.lax.complex(matrix, jnp.asarray(form, dtype))

    def eliminate(rest: jax.Array, k: jax.Array) -> tuple[jax.Array, jax.Array]:
        column = rest[:, k]
        pivot = jnp.real(column[k])
        scaled = jnp.conj(column) * (1 / pivot).astype(rest.dtype)
        return rest - column[:, None] * scaled[None, :], pivot

    pivots = jax.lax.scan(eliminate, matrix, jnp.arange(size))[1]  # no library call in a batch
    return jnp.all((pivots > 0) & (pivots < jnp.inf))  # false for NaN


def _few_positive(covariance: jax.Array, factor: float, commutator: bool) -> jax.Array:
    """``_positive`` of one or two modes, written out so that it fuses, with few divisions."""
    size = covariance.shape[0]
    # All over the factor: then σ_11 is the first pivot of either question. Below the diagonal;
    # what is left out of the imaginary parts is zero.
    pivots = [covariance[i, i] for i in range(size)]
    real = {(i, j): covariance[i, j] * (1 / factor) for i in range(size) for j in range(i)}
    imaginary: dict[tuple[int, int], jax.Array | None] = {}
    if commutator:
        half = jnp.asarray(0.5 / factor, covariance.dtype)
        imaginary |= {(i, i - 1): -half for i in range(1, size, 2)}
    positive = functools.reduce(jnp.logical_and, [x < jnp.inf for x in pivots])
    for k in range(size - 2):
        positive &= pivots[k] > 0
        inverse = reciprocal(pivots[k])
        for i in range(k + 1, size):
            x, y = real[i, k] * inverse, _product(imaginary.get((i, k)), inverse)
            pivots[i] = _less(pivots[i], real[i, k] * x, _product(imaginary.get((i, k)), y))
            for j in range(i + 1, size):
                a, b = real[j, k], imaginary.get((j, k))
                real[j, i] = _less(real[j, i], a * x, _product(b, y))
                mixed = _less(_product(b, x), _product(a, y))
                if mixed is not None:
                    imaginary[j, i] = _less(imaginary.get((j, i)), mixed)
    (first, second), last = pivots[-2:], (size - 1, size - 2)
    determinant = _less(first * second, real[last] ** 2)
    if (y := imaginary.get(last)) is not None:
        determinant = determinant - y * y
    return positive & (first > 0) & (determinant > 0)


def _product(x: jax.Array | None, y: jax.Array | None) -> jax.Array | None:
    return None if x is None or y is None else x * y


@overload
def _less(x: jax.Array, *terms: jax.Array | None) -> jax.Array: ...
@overload
def _less(x: None, *terms: jax.Array | None) -> jax.Array | None: ...
def _less(x: jax.Array | None, *terms: jax.Array | None) -> jax.Array | None:
    """The first less the others, where None is zero."""
    for term in terms:
        if term is not None:
            x = -term if x is None else x - term
    return x
