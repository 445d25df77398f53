"""Dense linear algebra that is safe in batches of any size.

A batched LAPACK call of XLA on the CPU waits on the thread pool that it runs in: as many of them
at a time as there are threads, and none ever returns. Under ``vmap`` the functions below call
LAPACK for one matrix after the other, and outside of it just as ``jnp.linalg`` does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap

Pair = tuple[jax.Array, jax.Array]


def one_at_a_time(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` of arrays such that ``vmap`` calls it for one member of a batch after the other.

    A ``lax.cond`` in it stays a branch, and a LAPACK call one of a single matrix. It is not
    differentiable where it is batched.
    """

    @custom_vmap
    def single(*arguments: Any) -> Any:
        return function(*arguments)

    @single.def_vmap
    def _batch(axis_size: int, batched: list[Any], *arguments: Any) -> tuple[Any, Any]:
        del axis_size
        moving, structure = jax.tree.flatten(arguments)
        moves = jax.tree.leaves(batched)

        def member(of_one: Callable[..., Any], *leaves: jax.Array) -> Any:
            rest = iter(leaves)
            every = [next(rest) if own else x for x, own in zip(moving, moves, strict=True)]
            return of_one(*jax.tree.unflatten(structure, every))

        outputs = jax.lax.platform_dependent(
            *(x for x, own in zip(moving, moves, strict=True) if own),
            cpu=lambda *leaves: jax.lax.map(lambda x: member(single, *x), leaves),
            default=jax.vmap(partial(member, function)),
        )
        return outputs, jax.tree.map(lambda _: True, outputs)

    return single


_solve = one_at_a_time(jnp.linalg.solve)
_cholesky = one_at_a_time(jnp.linalg.cholesky)
_eigh = one_at_a_time(lambda matrix: tuple(jnp.linalg.eigh(matrix)))


def solve(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """M⁻¹r for M [n, n] and r [n] or [n, k]."""
    return jax.lax.custom_linear_solve(
        lambda x: matrix @ x,
        right,
        lambda _, r: _solve(matrix, r),
        lambda _, r: _solve(matrix.T, r),
    )


def inverse(matrix: jax.Array) -> jax.Array:
    """M⁻¹ [n, n]."""
    return solve(matrix, jnp.eye(matrix.shape[0], dtype=matrix.dtype))


@jax.custom_jvp
def cholesky(matrix: jax.Array) -> jax.Array:
    """The lower L with M = LLᵀ for a symmetric M [n, n]; NaN where M is not positive definite."""
    return _cholesky(matrix)


@cholesky.defjvp
def _cholesky_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """With Φ the lower triangle with half of the diagonal, dL = L Φ(L⁻¹ dM L⁻ᵀ)."""
    lower = cholesky(*primals)
    change = (tangents[0] + tangents[0].T) / 2
    inner = solve(lower, solve(lower, change).T)
    return lower, lower @ (jnp.tril(inner) - jnp.diag(jnp.diag(inner)) / 2)


@jax.custom_jvp
def eigh(matrix: jax.Array) -> Pair:
    """Eigenvalues [n], ascending, and eigenvectors [n, n] of a symmetric or Hermitian M [n, n].

    Derivatives of the vectors are infinite or NaN where eigenvalues coincide, those of the values
    then belong to the vectors that were found.
    """
    return _eigh(matrix)


@eigh.defjvp
def _eigh_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> tuple[Pair, Pair]:
    values, vectors = eigh(*primals)
    change = (tangents[0] + jnp.conj(tangents[0].T)) / 2
    inner = jnp.conj(vectors.T) @ change @ vectors
    one = jnp.eye(values.shape[0], dtype=values.dtype)
    gap = values[None, :] - values[:, None]
    weight = (1 / (gap + one) - one).astype(inner.dtype)
    return (values, vectors), (jnp.diag(inner).real, vectors @ (weight * inner))
