"""Steady covariance of a few damped modes, Aσ + σAᵀ + D = 0, as one dense system.

The unknowns are taken as for two modes: ⟨a_j†a_k⟩ (slow: frequency differences and damping)
and ⟨a_j a_k⟩ (fast: frequency sums) apart, in which no digits are lost to ω/γ. With 2N² + N of
them the work grows as N⁶: for a handful of modes alone less than that of any iteration.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.cross_block import by_cross_block
from jaxosc._numerics.linear import any_of_all, by_blocks, one_at_a_time
from jaxosc._numerics.lyapunov import solution_unless_weak
from jaxosc._numerics.small import interleave


def steady_covariance(
    frequency: jax.Array,
    exchange: jax.Array,
    pairing: jax.Array,
    damping: jax.Array,
    diffusion: jax.Array,
    hollow: bool = True,
) -> jax.Array:
    """Solve Aσ + σAᵀ + D = 0 for σ [2N, 2N], order (x1, p1, x2, p2, …).

    The pairing has a diagonal unless it is hollow.

    NaN where A has an eigenvalue with a real part that is not negative. Derivatives of any order
    and direction are those of the equation: A dσ + dσ Aᵀ + (dA σ + σ dAᵀ + dD) = 0, in reverse
    mode its adjoint, in which nothing of a factorisation is kept.
    """
    network = (frequency, exchange, pairing, damping)
    solution = _solution if hollow else _squeezed_solution
    return solution_of(_drift(*network), functools.partial(solution, *network), diffusion)


def solution_of(
    drift: jax.Array, solution: Callable[[jax.Array], jax.Array], diffusion: jax.Array
) -> jax.Array:
    """σ by a function of a symmetric D, with the derivatives of the equation, for such a drift."""

    def adjoint(_: object, cotangent: jax.Array) -> jax.Array:
        # Exchanging x and p turns the drift into its transpose.
        other = np.arange(len(drift)) ^ 1
        swap = np.ix_(other, other)
        return solution(((cotangent + cotangent.T) / 2)[swap])[swap]

    return jax.lax.custom_linear_solve(
        lambda covariance: -_flow(drift, covariance),
        (diffusion + diffusion.T) / 2,
        lambda _, source: solution(source),
        adjoint,
    )


def _drift(
    frequency: jax.Array, exchange: jax.Array, pairing: jax.Array, damping: jax.Array
) -> jax.Array:
    bare, decay = jnp.diag(frequency) + exchange, -jnp.diag(damping)
    return interleave(decay, bare - pairing, -bare - pairing, decay)


def _flow(drift: jax.Array, covariance: jax.Array) -> jax.Array:
    """Aσ + σAᵀ."""
    half = drift @ covariance
    return half + half.T


class _Tables(NamedTuple):
    """The equation of N modes as constants: every number of it is one parameter, with a factor.

    ``matrix``, and for the vector of unknowns and a symmetric [2N, 2N] flattened, ``packed`` from
    the latter to the former and ``joined`` back, two terms each: (indices, factors). ``slow`` marks
    the rows of R and Z.
    """

    matrix: tuple[np.ndarray, np.ndarray]
    packed: tuple[tuple[np.ndarray, np.ndarray], ...]
    joined: tuple[tuple[np.ndarray, np.ndarray], ...]
    slow: np.ndarray


# What the parameters make: symmetric (s), antisymmetric (a) and symmetric matrices without a
# diagonal (o): γ_j + γ_k, ω_j − ω_k, ω_j + ω_k, λ and κ; with a diagonal also κ_jj ∓ κ_kk.
_SHAPES = {True: "sasoo", False: "sasooas"}


def _parameters(modes: int, hollow: bool, *parts: Any) -> list[Any]:
    """The different entries of matrices [N, N], in one order."""
    upper, strict = np.triu_indices(modes), np.triu_indices(modes, 1)
    shapes = zip(parts, _SHAPES[hollow], strict=True)
    return [part[upper if shape == "s" else strict] for part, shape in shapes]


@functools.cache
def _tables(modes: int, hollow: bool) -> _Tables:
    """The coefficients of the equation, found by evaluating it for one parameter at a time.

    With R = (P + X)/2, ρ = (P − X)/2, S = u + Z (u symmetric, Z antisymmetric), M = ω + λ and
    G_jk = γ_j + γ_k, elementwise products written G∘:

        G∘R = −[M, Z] − {κ, u} + D_R,     G∘ρ = −{M, u} − [κ, Z] + D_ρ,
        G∘u =  {M, ρ} − {κ, R} + D_u,     G∘Z =  [M, R] − [κ, ρ] + D_Z.
    """
    upper, strict = np.triu_indices(modes), np.triu_indices(modes, 1)
    count, few = len(upper[0]), len(strict[0])
    unknowns = 3 * count + few

    def matrices(vector: np.ndarray, shapes: str) -> list[np.ndarray]:
        """Matrices of these shapes."""
        found = []
        for shape in shapes:
            where = upper if shape == "s" else strict
            part, vector = np.split(vector, [len(where[0])], axis=-1)
            half = np.zeros((*part.shape[:-1], modes, modes))
            half[..., where[0], where[1]] = part
            mirrored = np.tril(np.swapaxes(half, -1, -2), -1)
            found.append(half - mirrored if shape == "a" else half + mirrored)
        return found

    def equation(parameters: np.ndarray, vector: np.ndarray) -> np.ndarray:
        rate, splitting, total, exchange, pairing, *own = matrices(parameters, _SHAPES[hollow])
        r, rho, u, z = matrices(vector, "sssa")

        def with_exchange(sign: int, y: np.ndarray) -> np.ndarray:
            bare = splitting if sign < 0 else total
            return bare * y + exchange @ y + sign * (y @ exchange)

        def with_pairing(sign: int, y: np.ndarray) -> np.ndarray:
            squeezed = own[sign > 0] * y if own else 0
            return squeezed + pairing @ y + sign * (y @ pairing)

        rows = (
            rate * r + with_exchange(-1, z) + with_pairing(1, u),
            rate * rho + with_exchange(1, u) + with_pairing(-1, z),
            rate * u - with_exchange(1, rho) + with_pairing(1, r),
            rate * z - with_exchange(-1, r) + with_pairing(-1, rho),
        )
        places = (upper, upper, upper, strict)
        return np.concatenate(
            [row[..., i, j] for row, (i, j) in zip(rows, places, strict=True)], -1
        )

    index = np.zeros((unknowns, unknowns), np.int32)
    factor = np.zeros((unknowns, unknowns))
    shapes = _SHAPES[hollow]
    number = sum(count if shape == "s" else few for shape in shapes)
    for n, parameters in enumerate(np.eye(number)):
        entries = equation(parameters, np.eye(unknowns)).T
        index[entries != 0] = n
        factor += entries

    size = np.arange(4 * modes * modes).reshape(2 * modes, 2 * modes)
    xx, xp, pp = size[0::2, 0::2], size[0::2, 1::2], size[1::2, 1::2]
    half = np.full(count, 0.5)
    first = np.concatenate([pp[upper], pp[upper], xp[upper], xp[strict]])
    second = np.concatenate([xx[upper], xx[upper], xp.T[upper], xp.T[strict]])
    packed = (
        (first, np.full(unknowns, 0.5)),
        (second, np.concatenate([half, -half, half, -half[:few]])),
    )

    def places(where: tuple[np.ndarray, ...], start: int) -> np.ndarray:
        found = np.zeros((modes, modes), np.int64)
        found[where] = start + np.arange(len(where[0]))
        return found + np.triu(found, 1).T

    r, rho, u = (places(upper, n * count) for n in range(3))
    z, sign = places(strict, 3 * count), np.sign(np.arange(modes) - np.arange(modes)[:, None])
    one = np.ones((modes, modes))

    def joined(*blocks: np.ndarray) -> np.ndarray:
        rows = np.stack([np.stack(blocks[:2], axis=-1), np.stack(blocks[2:], axis=-1)], axis=-2)
        return rows.transpose(0, 2, 1, 3).reshape(2 * modes, 2 * modes)

    slow = np.concatenate([np.ones(count, bool), np.zeros(2 * count, bool), np.ones(few, bool)])
    return _Tables(
        (index, factor),
        packed,
        (
            (joined(r, u, u, r), joined(one, one, one, one)),
            (joined(rho, z, z, rho), joined(-one, sign, -sign, one)),
        ),
        slow,
    )


def _factorised(
    hollow: bool,
    frequency: jax.Array,
    exchange: jax.Array,
    pairing: jax.Array,
    damping: jax.Array,
    diffusion: jax.Array,
) -> jax.Array:
    """σ, from one factorisation; NaN where A is not stable."""
    modes, dtype = frequency.shape[0], frequency.dtype
    tables = _tables(modes, hollow)

    def collected(values: jax.Array, *terms: tuple[np.ndarray, np.ndarray]) -> jax.Array:
        parts = [values[index] * jnp.asarray(factor, dtype) for index, factor in terms]
        return functools.reduce(jnp.add, parts)

    def differences(vector: jax.Array) -> tuple[jax.Array, jax.Array]:
        return vector[:, None] - vector[None, :], vector[:, None] + vector[None, :]

    parts = [differences(damping)[1], *differences(frequency), exchange, pairing]
    parts += [] if hollow else differences(jnp.diag(pairing))
    parameters = _parameters(modes, hollow, *parts)
    matrix = collected(jnp.concatenate(parameters), tables.matrix)
    # Slow rows are of size γ, fast ones of size ω: pivoting compares them only if scaled.
    scale = 1 / jnp.max(jnp.abs(matrix), axis=1)
    factors, _, permutation = jax.lax.linalg.lu(matrix * scale[:, None])

    def packed(symmetric: jax.Array) -> jax.Array:
        return collected(symmetric.reshape(-1), *tables.packed)

    def solve(source: jax.Array) -> jax.Array:
        """The unknowns for each column of sources."""
        ordered = (source * scale[:, None])[permutation]
        forward = jax.lax.linalg.triangular_solve(
            factors, ordered, left_side=True, lower=True, unit_diagonal=True
        )
        return jax.lax.linalg.triangular_solve(factors, forward, left_side=True)

    # D = 1 has a positive definite solution if and only if A is stable (Lyapunov's theorem).
    source = packed(diffusion)
    both = solve(jnp.stack([source, packed(jnp.eye(2 * modes, dtype=dtype))], axis=1))
    vector = both[:, 0]
    solution, witness = (collected(both[:, n], *tables.joined) for n in (0, 1))
    stable = jnp.all(jnp.isfinite(jnp.linalg.cholesky(witness)))
    # Near a critical point ⟨xxᵀ⟩ outgrows ⟨ppᵀ⟩, and solving for their sum and difference
    # leaves in the small one the rounding of the large; the residual of the quadratures shows
    # that error. In slow rows it would show the rounding of fast parts instead.
    quadratures = _flow(_drift(frequency, exchange, pairing, damping), solution) + diffusion
    residual = jnp.where(tables.slow, source - matrix @ vector, packed(quadratures))
    solution = solution + collected(solve(residual[:, None])[:, 0], *tables.joined)
    return jnp.where(stable, solution, jnp.nan)


def _in_batches(hollow: bool, *arguments: jax.Array) -> jax.Array:
    """The same without LAPACK, whose calls come one after the other, where that keeps all digits.

    By the block ⟨xpᵀ⟩ a network of three, four or six modes takes 4, 10 or 31 μs; by doubling,
    which does not ask for damping at every oscillator, nor for much at degenerate ones, 7, 13 or
    34; by one factorisation 11, 25 or 95.
    """
    frequency, exchange, pairing, damping, diffusion = arguments
    bare, decay = jnp.diag(frequency) + exchange, -jnp.diag(jnp.repeat(damping, 2))
    parts = (_drift(frequency, exchange, pairing, jnp.zeros_like(damping)), decay)
    begun = by_cross_block(bare + pairing, bare - pairing, damping, diffusion)
    covariance, weak = solution_unless_weak(diffusion, *parts, begun=begun)

    def by_doubling() -> tuple[jax.Array, jax.Array]:
        other, weaker = solution_unless_weak(diffusion, *parts)
        return jnp.where(weak, other, covariance), weak & weaker

    covariance, weak = jax.lax.cond(any_of_all(weak), by_doubling, lambda: (covariance, weak))
    exact = one_at_a_time(functools.partial(_factorised, hollow))
    return jax.lax.cond(
        any_of_all(weak),
        lambda: jnp.where(weak, exact(*arguments), covariance),
        lambda: covariance,
    )


def _either(hollow: bool) -> Callable[..., jax.Array]:
    return by_blocks(
        functools.partial(_factorised, hollow), jax.vmap(functools.partial(_in_batches, hollow))
    )


_solution, _squeezed_solution = _either(True), _either(False)
