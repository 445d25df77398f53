"""Dense linear algebra that is safe in batches of any size.

A batched LAPACK call of XLA on the CPU waits on the thread pool that it runs in: as many of them
at a time as there are threads, and none ever returns. Outside of ``vmap`` the functions below call
LAPACK as ``jnp.linalg`` does. Under it small matrices are handled by plain loops with the batch as
the last axis, and larger ones by LAPACK, one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap
from jax.flatten_util import ravel_pytree

Pair = tuple[jax.Array, jax.Array]

# Up to this size the loops are faster than LAPACK's calls: 0.3 µs against 5 for a solution of 8.
_SMALL = 16
# Matrices handled together: on a CPU so many as stay in its cache.
_BLOCK = {"cpu": 256, "default": 65536}
# Entries that the loops go over again and again: those of 28 systems of 16, in a third of the time
# that 256 of them take.
_CACHED = 8192


def one_at_a_time(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` of arrays such that ``vmap`` calls it for one member of a batch after the other.

    On a CPU, where a ``lax.cond`` in it stays a branch and a LAPACK call one of a single matrix.
    Other devices take the batch as a whole. It has no derivative where it is batched.
    """

    @custom_vmap
    def single(*arguments: Any) -> Any:
        return function(*arguments)

    @single.def_vmap
    def _batch(axis_size: int, batched: list[Any], *arguments: Any) -> tuple[Any, Any]:
        del axis_size
        leaves, structure = jax.tree.flatten(arguments)
        moves = jax.tree.leaves(batched)

        def member(of_one: Callable[..., Any], *moving: jax.Array) -> Any:
            rest = iter(moving)
            every = [next(rest) if own else x for x, own in zip(leaves, moves, strict=True)]
            return of_one(*jax.tree.unflatten(structure, every))

        outputs = jax.lax.platform_dependent(
            *(x for x, own in zip(leaves, moves, strict=True) if own),
            cpu=lambda *moving: jax.lax.map(lambda x: member(single, *x), moving),
            default=jax.vmap(partial(member, function)),
        )
        return outputs, jax.tree.map(lambda _: True, outputs)

    return single


@custom_vmap
def any_of_all(condition: jax.Array) -> jax.Array:
    """The condition itself, and under ``vmap`` whether any of the batch satisfies it.

    A ``cond`` on it stays a branch, a ``while_loop`` keeps no old values of members that are done.
    """
    return condition


@any_of_all.def_vmap
def _any_of_batch(
    axis_size: int, batched: list[bool], condition: jax.Array
) -> tuple[jax.Array, bool]:
    del axis_size, batched
    return any_of_all(jnp.any(condition)), False


def with_batch_last(
    function: Callable[..., jax.Array], last: Callable[..., jax.Array]
) -> Callable[..., jax.Array]:
    """``function``, computed under ``vmap`` by ``last``, of arrays whose last axis is the batch."""

    def together(*members: jax.Array) -> jax.Array:
        return jnp.moveaxis(last(*(jnp.moveaxis(x, 0, -1) for x in members)), -1, 0)

    loops, lapack = by_blocks(function, together), one_at_a_time(function)

    def of_any_size(matrix: jax.Array, *others: jax.Array) -> jax.Array:
        return (lapack if len(matrix) > _SMALL else loops)(matrix, *others)

    return of_any_size


def bounded_memory(
    function: Callable[..., jax.Array], alone: Callable[..., jax.Array] | None = None
) -> Callable[..., jax.Array]:
    """``function`` of arrays such that ``vmap`` holds what it needs for one block at a time.

    So do its first derivatives, forward and in reverse; higher ones exist. ``alone`` has the same
    values, and computes those outside of ``vmap``.
    """
    value = by_blocks(function, alone=alone)
    push = by_blocks(lambda primals, tangents: jax.jvp(function, primals, tangents)[1])
    pull = by_blocks(lambda primals, cotangent: jax.vjp(function, *primals)[1](cotangent))

    @jax.custom_jvp
    def differentiable(*primals: jax.Array) -> jax.Array:
        return value(*primals)

    @differentiable.defjvp
    def _jvp(primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]) -> Pair:
        # A linear map with a transpose and derivatives of its own: the solution (t, Jt) of the
        # triangular system t = t₀, y − Jt = 0, as one vector.
        result = differentiable(*primals)
        flat, parts = ravel_pytree(tangents)
        inputs = flat.shape[0]

        def joined(x: jax.Array, y: jax.Array) -> jax.Array:
            return jnp.concatenate([x, y.reshape(-1)])

        def equation(x: jax.Array) -> jax.Array:
            change = jax.jvp(function, primals, parts(x[:inputs]))[1]
            return joined(x[:inputs], x[inputs:] - change.reshape(-1))

        def solve(_: object, source: jax.Array) -> jax.Array:
            change = push(primals, parts(source[:inputs]))
            return joined(source[:inputs], source[inputs:] + change.reshape(-1))

        def transpose_solve(_: object, source: jax.Array) -> jax.Array:
            rest = source[inputs:]
            pulled = pull(primals, rest.reshape(result.shape))
            return joined(source[:inputs] + ravel_pytree(pulled)[0], rest)

        start = jnp.pad(flat, (0, result.size))
        both = jax.lax.custom_linear_solve(equation, start, solve, transpose_solve)
        return result, both[inputs:].reshape(result.shape)

    return differentiable


def by_blocks(
    function: Callable[..., Any],
    batched_function: Callable[..., Any] | None = None,
    alone: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """``function`` of pytrees of arrays, under ``vmap`` for one block of the batch at a time.

    All the axes of nested ``vmap`` are one to it. A block is for ``batched_function``, if given, of
    arrays with a leading axis; what is in no batch for ``alone``.
    """
    of_one = alone or function
    of_block = batched_function or jax.vmap(function)

    @custom_vmap
    def single(*arguments: Any) -> Any:
        return of_one(*arguments)

    @single.def_vmap
    def _batch(axis_size: int, batched: list[Any], *arguments: Any) -> tuple[Any, Any]:
        leaves, structure = jax.tree.flatten(arguments)
        moves = jax.tree.leaves(batched)
        flat = [
            x if own else jnp.broadcast_to(x, (axis_size, *x.shape))
            for x, own in zip(leaves, moves, strict=True)
        ]
        outputs = many(structure)(*flat)
        return outputs, jax.tree.map(lambda _: True, outputs)

    @cache
    def many(structure: Any) -> Callable[..., Any]:
        def together(*leaves: jax.Array) -> Any:
            return of_block(*jax.tree.unflatten(structure, leaves))

        @custom_vmap
        def of_batch(*leaves: jax.Array) -> Any:
            block = _BLOCK["cpu"]
            if batched_function is not None:
                entries = sum(math.prod(leaf.shape[1:]) for leaf in leaves)
                block = max(min(block, _CACHED // entries), block // 8)
            return jax.lax.platform_dependent(
                *leaves,
                cpu=partial(in_blocks, together, block),
                default=partial(in_blocks, together, _BLOCK["default"]),
            )

        @of_batch.def_vmap
        def _next(axis_size: int, batched: list[bool], *leaves: jax.Array) -> tuple[Any, Any]:
            full = [
                x if own else jnp.broadcast_to(x, (axis_size, *x.shape))
                for x, own in zip(leaves, batched, strict=True)
            ]
            merged = of_batch(*(x.reshape(x.shape[0] * x.shape[1], *x.shape[2:]) for x in full))
            outer = full[0].shape[:2]
            outputs = jax.tree.map(lambda y: y.reshape(*outer, *y.shape[1:]), merged)
            return outputs, jax.tree.map(lambda _: True, outputs)

        return of_batch

    return single


def in_blocks(function: Callable[..., Any], block: int, *arguments: jax.Array) -> Any:
    """A function of arrays with a leading batch axis, for so many members at a time."""
    size = arguments[0].shape[0]
    # A size that is not known yet, as in an exported program, is taken in one piece.
    if not isinstance(size, int) or size <= block:
        return function(*arguments)
    count = -(-size // block)
    block = -(-size // count)

    def split(x: jax.Array) -> jax.Array:
        missing = count * block - size
        filled = jnp.concatenate([x, jnp.broadcast_to(x[-1:], (missing, *x.shape[1:]))])
        return filled.reshape(count, block, *x.shape[1:])

    outputs = jax.lax.map(lambda x: function(*x), tuple(map(split, arguments)))
    return jax.tree.map(lambda y: y.reshape(count * block, *y.shape[2:])[:size], outputs)


def _entry(array: jax.Array, *place: jax.Array) -> jax.Array:
    """The leading axes at places known while the program runs."""
    for index in place:
        array = jax.lax.dynamic_index_in_dim(array, index, 0, keepdims=False)
    return array


def _eliminated(pivoting: bool, matrix: jax.Array, right: jax.Array) -> jax.Array:
    """M⁻¹r by Gauss-Jordan elimination, for M [n, n, batch] and r [n, k, batch]."""
    size = matrix.shape[0]
    row = jnp.arange(size)[:, None]

    def eliminate(k: jax.Array, table: jax.Array) -> jax.Array:
        leading = jax.lax.dynamic_index_in_dim(table, k, 1, keepdims=False)
        upper = _entry(table, k)
        if pivoting:
            chosen = jnp.argmax(jnp.where(row < k, -1, jnp.abs(leading)), axis=0)[None, :]
            pivot_row = jnp.take_along_axis(
                table, chosen[:, None, :], axis=0, mode="promise_in_bounds"
            )[0]
            # The rows change places.
            here = row == chosen
            table = jnp.where(here[:, None, :], upper[None], table)
            leading = jnp.where(here, _entry(leading, k)[None], leading)
        else:
            pivot_row = upper
        pivot_row = pivot_row * (1 / _entry(pivot_row, k))[None]
        rest = table - leading[:, None, :] * pivot_row[None]
        return jnp.where((row == k)[:, :, None], pivot_row[None], rest)

    table = jnp.concatenate([matrix, right], axis=1)
    return jax.lax.fori_loop(0, size, eliminate, table)[:, size:]


def _factored(matrix: jax.Array) -> jax.Array:
    """The Cholesky factor of M [n, n, batch]; NaN from the first pivot on that is not positive."""
    row = jnp.arange(matrix.shape[0])[:, None]

    def eliminate(k: jax.Array, carry: Pair) -> Pair:
        rest, lower = carry
        column = jax.lax.dynamic_index_in_dim(rest, k, 1, keepdims=False)
        pivot = _entry(column, k)
        root = jnp.where(pivot > 0, jnp.sqrt(pivot), jnp.nan)
        column = jnp.where(row < k, 0, column * (1 / root)[None])
        lower = jax.lax.dynamic_update_index_in_dim(lower, column, k, 1)
        return rest - column[:, None, :] * column[None], lower

    return jax.lax.fori_loop(0, len(row), eliminate, (matrix, jnp.zeros_like(matrix)))[1]


def _smallest_pivot(matrix: jax.Array) -> jax.Array:
    """Of a symmetric M [n, n, batch]; not positive, or NaN, unless it is positive definite."""
    row = jnp.arange(matrix.shape[0])[:, None]

    def eliminate(k: jax.Array, carry: Pair) -> Pair:
        rest, smallest = carry
        column = _entry(rest, k)
        pivot = _entry(column, k)
        column = jnp.where(row > k, column, 0)
        rest = rest - column[:, None] * (column * (1 / pivot)[None])[None]
        return rest, jnp.where(pivot > smallest, smallest, pivot)

    start = (matrix, jnp.full_like(matrix[0, 0], jnp.inf))
    return jax.lax.fori_loop(0, len(row), eliminate, start)[1]


def _columns(function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """A function of a matrix and several right sides, for one as well."""

    def of_any(matrix: jax.Array, right: jax.Array) -> jax.Array:
        if right.ndim == matrix.ndim:
            return function(matrix, right)
        return function(matrix, right[:, None])[:, 0]

    return of_any


_solve = with_batch_last(jnp.linalg.solve, _columns(partial(_eliminated, True)))
_solve_positive = with_batch_last(jnp.linalg.solve, _columns(partial(_eliminated, False)))
_cholesky = with_batch_last(jnp.linalg.cholesky, _factored)
_positive = with_batch_last(lambda matrix: _smallest_pivot(matrix[..., None])[0], _smallest_pivot)
_eigh = one_at_a_time(lambda matrix: tuple(jnp.linalg.eigh(matrix)))


def solve(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """M⁻¹r for M [n, n] and r [n] or [n, k]."""
    return jax.lax.custom_linear_solve(
        lambda x: matrix @ x,
        right,
        lambda _, r: _solve(matrix, r),
        lambda _, r: _solve(matrix.T, r),
    )


def solve_positive(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """M⁻¹r for a symmetric and positive definite M [n, n], and r [n] or [n, k]."""
    return jax.lax.custom_linear_solve(
        lambda x: matrix @ x,
        right,
        lambda _, r: _solve_positive(matrix, r),
        symmetric=True,
    )


def solve_accretive(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """M⁻¹r for an M [n, n] whose symmetric part is positive definite, and r [n] or [n, k].

    Without pivoting, in half to a quarter of the time: good if the symmetric part is not far
    smaller than the antisymmetric one.
    """
    return jax.lax.custom_linear_solve(
        lambda x: matrix @ x,
        right,
        lambda _, r: _solve_positive(matrix, r),
        lambda _, r: _solve_positive(matrix.T, r),
    )


def inverse(matrix: jax.Array) -> jax.Array:
    """M⁻¹ [n, n]."""
    return solve(matrix, jnp.eye(matrix.shape[0], dtype=matrix.dtype))


def inverse_positive(matrix: jax.Array) -> jax.Array:
    """M⁻¹ for a symmetric and positive definite M [n, n]."""
    return solve_positive(matrix, jnp.eye(matrix.shape[0], dtype=matrix.dtype))


def is_positive(matrix: jax.Array) -> jax.Array:
    """Whether a symmetric M [n, n] is positive definite. It has no derivative."""
    return _positive(matrix) > 0


@jax.custom_jvp
def cholesky(matrix: jax.Array) -> jax.Array:
    """The lower L with M = LLᵀ for a symmetric M [n, n]; NaN where M is not positive definite."""
    return _cholesky(matrix)


@cholesky.defjvp
def _cholesky_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]) -> Pair:
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


def is_small(size: int) -> bool:
    """Whether a batch of systems of this size is solved by loops."""
    return size <= _SMALL


def solver_of(matrix: jax.Array) -> Callable[[jax.Array], jax.Array]:
    """The map r ↦ M⁻¹r of one M [n, n] for any r [n, k]. It has no derivative."""
    if is_small(len(matrix)):
        inverted = _solve(matrix, jnp.eye(len(matrix), dtype=matrix.dtype))
        return lambda right: jnp.matmul(inverted, right, precision=jax.lax.Precision.HIGHEST)
    factors, order = _lu(matrix)
    return lambda right: _substituted(factors, right[order])


_lu = one_at_a_time(lambda matrix: jax.lax.linalg.lu(matrix)[::2])


@one_at_a_time
def _substituted(factors: jax.Array, right: jax.Array) -> jax.Array:
    solve = partial(jax.lax.linalg.triangular_solve, factors, left_side=True)
    return solve(solve(right, lower=True, unit_diagonal=True))
