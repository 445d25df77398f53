"""Sums over the eigenvalues of a Hermitian matrix, differentiable where eigenvalues coincide.

Σ_k f(μ_k) = tr f(M) depends on no choice of eigenvectors, and neither do its derivatives: the first
is tr f'(M) dM, the next follow from those of the matrix f'(M), whose elements in the eigenbasis are
f'[μ_k, μ_l] dM_kl with the divided difference of f'.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

from jaxosc._numerics.differences import divided_difference
from jaxosc._numerics.linear import eigh

_Function = Callable[..., jax.Array]


@cache
def spectral_sum(function: _Function, difference: _Function | None = None) -> _Function:
    """Trace of f(M; …), a function of a Hermitian M [n, n] and of numbers, for f(x; …) of scalars.

    It has first and second derivatives, by the numbers too. ``difference`` is f'[x, y; …], where
    the general one will not do: f' with a step between x and y may look smooth to it.
    """

    def values(eigenvalues: jax.Array, *numbers: jax.Array) -> jax.Array:
        return jax.vmap(lambda x: function(x, *numbers))(eigenvalues)

    @jax.custom_jvp
    def total(matrix: jax.Array, *numbers: jax.Array) -> jax.Array:
        return jnp.sum(values(eigh(matrix)[0], *numbers))

    @total.defjvp
    def _jvp(primals: Any, tangents: Any) -> Any:
        (matrix, *numbers), (change, *changes) = primals, tangents
        slope = jnp.sum(jnp.real(jnp.conj(of_slope(*primals)) * change))
        if numbers:
            spectrum = eigh(matrix)[0]
            moved = jax.jvp(lambda *x: values(spectrum, *x), tuple(numbers), tuple(changes))[1]
            slope += jnp.sum(moved)
        return total(*primals), slope

    slope_of = _slope(function)
    of_slope = _spectral_matrix(slope_of, difference or divided_difference(slope_of))
    return total


def _spectral_matrix(function: _Function, difference: _Function) -> _Function:
    """f(M; …) [n, n] of a Hermitian M [n, n], for f(x; …) of scalars; it has a first derivative."""

    def values(eigenvalues: jax.Array, *numbers: jax.Array) -> jax.Array:
        return jax.vmap(lambda x: function(x, *numbers))(eigenvalues)

    @jax.custom_jvp
    def of_matrix(matrix: jax.Array, *numbers: jax.Array) -> jax.Array:
        spectrum, vectors = eigh(matrix)
        return _rotated(vectors, jnp.diag(values(spectrum, *numbers)))

    @of_matrix.defjvp
    def _jvp(primals: Any, tangents: Any) -> Any:
        (matrix, *numbers), (change, *changes) = primals, tangents
        spectrum, vectors = eigh(matrix)

        def quotient(x: jax.Array, y: jax.Array) -> jax.Array:
            return difference(x, y, *numbers)

        table = jax.vmap(jax.vmap(quotient, (None, 0)), (0, None))(spectrum, spectrum)
        inner = table.astype(change.dtype) * (jnp.conj(vectors.T) @ change @ vectors)
        if numbers:
            moved = jax.jvp(lambda *x: values(spectrum, *x), tuple(numbers), tuple(changes))[1]
            inner += jnp.diag(moved).astype(inner.dtype)
        return of_matrix(*primals), _rotated(vectors, inner)

    return of_matrix


def _rotated(vectors: jax.Array, inner: jax.Array) -> jax.Array:
    return vectors @ inner.astype(vectors.dtype) @ jnp.conj(vectors.T)


def _slope(function: _Function) -> _Function:
    """∂f/∂x."""

    def slope(x: jax.Array, *numbers: jax.Array) -> jax.Array:
        return jax.jvp(lambda z: function(z, *numbers), (x,), (jnp.ones_like(x),))[1]

    return slope
