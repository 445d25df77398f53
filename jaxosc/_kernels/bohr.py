"""Master equations of second order in the coupling: one kernel, a family of symbols.

With H = ½ rᵀhr and e_a the operators of its normal modes, c_k of the Bohr frequency w = Ω_k and
c_k† of −Ω_k, a bath that acts through X = u·r = Σ_a g_a e_a gives

    D[ρ] = Σ_ab Γ(w_a, w_b) g_a* g_b (e_b ρ e_a† − e_a† e_b ρ) + h.c.
         = Σ_ij K_ij (r_j ρ r_i − r_i r_j ρ) + h.c.

The equations of the family differ in the symbol Γ(x, y) alone. No normal mode is chosen: where Γ is
smooth, K is a function of h that does not depend on the basis of a degenerate space.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from jaxosc._kernels.dense import Generator, lowering_rows
from jaxosc._kernels.modes import normal_frame, shape_of
from jaxosc._numerics.differences import divided_difference
from jaxosc._numerics.small import symplectic

# Γ(x, y, (channel, shared)) of two Bohr frequencies and the pytrees of one channel, all scalars.
Symbol = Callable[[jax.Array, jax.Array, Any], jax.Array]


class Bohr(NamedTuple):
    """The normal modes of one network, held fixed under derivatives.

    Attributes:
        frequency: w [2N], Ω and −Ω.
        operators: V [2N, 2N], e = V r.
        inverse: V⁻¹.
        change: zero [2N, 2N], with the derivative of V iJh V⁻¹.
    """

    frequency: jax.Array
    operators: jax.Array
    inverse: jax.Array
    change: jax.Array


def bohr_of(hessian: jax.Array) -> Bohr:
    """The normal modes of H = ½ rᵀhr, bounded below."""
    frame = normal_frame(jax.lax.stop_gradient(hessian))
    shape, omega = shape_of(frame), frame.frequency
    lowering = -1j * symplectic(jnp.conj(shape)).T  # c = iF†J r
    operators = jnp.concatenate([lowering, jnp.conj(lowering)])
    inverse = jnp.concatenate([shape, jnp.conj(shape)], axis=1)
    frequency = jnp.concatenate([omega, -omega])
    return Bohr(frequency, operators, inverse, _change(hessian, operators, inverse))


@jax.custom_jvp
def _change(hessian: jax.Array, operators: jax.Array, inverse: jax.Array) -> jax.Array:
    del hessian, inverse
    return jnp.zeros_like(operators)


@_change.defjvp
def _change_jvp(primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]) -> Any:
    _, operators, inverse = primals
    change = 1j * operators @ symplectic(tangents[0]).astype(operators.dtype) @ inverse
    return _change(*primals), change


def dissipators(
    hessian: jax.Array, rows: jax.Array, symbol: Symbol, channels: Any, shared: Any
) -> Generator:
    """What each channel adds to the drift and the diffusion, [C, 2N, 2N] each.

    Values and derivatives of first and second order are right where the symbol is smooth, also
    where normal modes coincide; a third derivative by h is NaN.

    Args:
        hessian: h [2N, 2N], positive definite.
        rows: u [C, 2N] complex.
        symbol: Γ, a pure function without closed-over arrays.
        channels: a pytree of what channels have of their own, with a leading axis C.
        shared: a pytree of what they have in common; a symbol is given one channel and this.
    """
    bohr = bohr_of(hessian)

    def of_channel(row: jax.Array, channel: Any) -> Generator:
        form = _form(symbol, bohr, row @ bohr.inverse, (channel, shared))
        return generator(jnp.conj(bohr.operators.T) @ form @ bohr.operators)

    return jax.vmap(of_channel)(rows, channels)


def first_order_dissipators(
    hessian: jax.Array, rows: jax.Array, symbol: Symbol, channels: Any, shared: Any
) -> Generator:
    """The same to first order in all of H but Σ ω_j a_j†a_j."""
    diagonal = jnp.diag(hessian)
    frequency = (diagonal[0::2] + diagonal[1::2]) / 2
    alone = jnp.diag(jnp.repeat(frequency, 2))
    lowering = lowering_rows(jnp.eye(len(frequency), dtype=frequency.dtype))
    operators = jnp.concatenate([lowering, jnp.conj(lowering)])
    inverse = jnp.conj(operators.T)
    w = jnp.concatenate([frequency, -frequency])
    change = 1j * operators @ symplectic(hessian - alone).astype(operators.dtype) @ inverse

    def of_channel(row: jax.Array, channel: Any) -> Generator:
        g, own = row @ inverse, (channel, shared)
        form = _held(symbol, w, g, own) + _terms(*_slopes(symbol, w, g, own), change)
        return generator(inverse @ form @ operators)

    return jax.vmap(of_channel)(rows, channels)


def generator(kernel: jax.Array) -> Generator:
    """Drift 2 J Im K and diffusion J Re(K + Kᵀ) Jᵀ of a kernel K [2N, 2N]."""
    even = kernel.real + kernel.real.T
    return Generator(2 * symplectic(kernel.imag), symplectic(symplectic(even).T))


def over(function: Callable[..., jax.Array], count: int) -> Callable[..., jax.Array]:
    """A function of scalars at all combinations of the entries of that many vectors."""
    for place in reversed(range(count)):
        axes = [None] * count
        axes[place] = 0  # type: ignore[call-overload]
        function = jax.vmap(function, axes)
    return function


def _form(symbol: Symbol, bohr: Bohr, g: jax.Array, own: Any) -> jax.Array:
    """Φ [2N, 2N], the coefficients of e_b ρ e_a†."""
    held = _held(symbol, bohr.frequency, g, own)
    return held + _response(symbol, bohr.change, bohr.frequency, g, own)


def _held(symbol: Symbol, w: jax.Array, g: jax.Array, own: Any) -> jax.Array:
    """Γ(a; b) g_a* g_b."""
    values = over(lambda x, y: symbol(x, y, own), 2)(w, w)
    return values.astype(g.dtype) * jnp.conj(g)[:, None] * g[None, :]


def _slopes(symbol: Symbol, w: jax.Array, g: jax.Array, own: Any) -> tuple[jax.Array, jax.Array]:
    """Γ[c, a; b] g_c* g_b and Γ[a; c, b] g_a* g_c."""
    left = divided_difference(lambda x, y: symbol(x, y, own))
    right = divided_difference(lambda y, x: symbol(x, y, own))
    lefts, rights = over(left, 3)(w, w, w), over(lambda x, y, z: right(y, z, x), 3)(w, w, w)
    h = jnp.conj(g)[:, None, None]
    lefts, rights = lefts.astype(g.dtype) * h, rights.astype(g.dtype) * h
    return lefts * g[None, None, :], rights * g[None, :, None]


def _terms(left: jax.Array, right: jax.Array, change: jax.Array) -> jax.Array:
    """Those of first order in the change E, below."""
    return _sum("acb,cb->ab", right, change) + _sum("cab,ca->ab", left, jnp.conj(change))


# Derivatives by h are those of a power series in the change E of the matrix whose eigenvalues the w
# are. As a value E is zero, and so is every term of the series,
#
#     Φ_ab = Γ(a; b) g_a* g_b + Σ_c (g_c E_ca)* g_b Γ[c, a; b] + Σ_c g_a* g_c E_cb Γ[a; c, b]
#          + Σ_cd (g_c E_cd E_da)* g_b Γ[c, d, a; b] + Σ_cd (g_c E_ca)* g_d E_db Γ[c, a; d, b]
#          + Σ_cd g_a* g_c E_cd E_db Γ[a; c, d, b] + …,
#
# with divided differences of the symbol, which exist where the w coincide. They are formed only
# when a derivative asks for them. Coefficients of a tangent are functions of what is known alone,
# so that JAX can transpose the rules.


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _response(symbol: Symbol, change: jax.Array, w: jax.Array, g: jax.Array, own: Any) -> jax.Array:
    """All of it but the first term."""
    del symbol
    return _nothing(change.shape, change, w, g, own)


@partial(_response.defjvp, symbolic_zeros=True)
def _response_jvp(symbol: Symbol, primals: Any, tangents: Any) -> Any:
    change, w, g, own = primals
    step, _, *others = tangents

    def slopes(g: jax.Array, own: Any) -> tuple[jax.Array, jax.Array]:
        return _slopes(symbol, w, g, own)

    nothing = _response(symbol, *primals)
    moved = jax.lax.stop_gradient(nothing)
    if any(not isinstance(leaf, SymbolicZero) for leaf in jax.tree.leaves(others)):
        arrays = jax.tree.map(_instantiated, others, [g, own])
        (left, right), (lefts, rights) = jax.jvp(slopes, (g, own), tuple(arrays))
        moved += _terms(lefts, rights, change)
    else:
        left, right = slopes(g, own)
    if isinstance(step, SymbolicZero):
        return nothing, moved
    second = _curvature(symbol, *primals)
    moved += _terms(left + second.left, right + second.right, step)
    moved += _sum("acdb,cd->ab", second.inner_right, step)
    moved += _sum("cdab,cd->ab", second.inner_left, jnp.conj(step))
    return nothing, moved


def _instantiated(tangent: Any, primal: jax.Array) -> jax.Array:
    return jnp.zeros_like(primal) if isinstance(tangent, SymbolicZero) else tangent


class _Curvature(NamedTuple):
    """Coefficients of a step F_cb, of F_cd; of F_ca*, of F_cd*, linear in E."""

    right: jax.Array
    inner_right: jax.Array
    left: jax.Array
    inner_left: jax.Array


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _curvature(
    symbol: Symbol, change: jax.Array, w: jax.Array, g: jax.Array, own: Any
) -> _Curvature:
    del symbol
    size = change.shape[0]
    three, four = (_nothing((size,) * axes, change, w, g, own) for axes in (3, 4))
    return _Curvature(three, four, three, four)


@_curvature.defjvp
def _curvature_jvp(symbol: Symbol, primals: Any, tangents: Any) -> Any:
    change, w, g, own = primals
    nothing = _curvature(symbol, change, w, g, own)
    step = tangents[0]

    def of(x: jax.Array, y: jax.Array) -> jax.Array:
        return symbol(x, y, own)

    def flipped(y: jax.Array, x: jax.Array) -> jax.Array:
        return symbol(x, y, own)

    left, right = divided_difference(of), divided_difference(flipped)
    both = divided_difference(lambda y, x, z: left(x, z, y))
    lefts = over(divided_difference(left), 4)(w, w, w, w)  # [c, d, a; b]
    mixed = over(lambda c, a, d, b: both(d, b, c, a), 4)(w, w, w, w)  # [c, a; d, b]
    twice = divided_difference(right)
    rights = over(lambda a, c, d, b: twice(c, d, b, a), 4)(w, w, w, w)  # [a; c, d, b]
    end = 1 + _third_derivative(jnp.sum(change))
    h, back = jnp.conj(g), jnp.conj(step)
    moved, moved_back = g[:, None] * step, h[:, None] * back
    return nothing, _Curvature(
        right=end
        * (_sum("acdb,a,cd->adb", rights, h, moved) + _sum("cadb,ca,d->adb", mixed, moved_back, g)),
        inner_right=end * _sum("acdb,a,c,db->acdb", rights, h, g, step),
        left=end
        * (_sum("cdab,b,cd->dab", lefts, g, moved_back) + _sum("cadb,db,c->cab", mixed, moved, h)),
        inner_left=end * _sum("cdab,b,c,da->cdab", lefts, g, h, back),
    )


def _nothing(shape: tuple[int, ...], change: jax.Array, *others: Any) -> jax.Array:
    """Zeros which in JAX's eyes depend on all of this: a batch of tangents needs one of values.

    (A rule whose tangents have a batch axis that its values lack fails under vmap, or is refused.)
    """
    leaves = jax.tree.leaves((change, others))
    # Known to be false, so that values alone cost none of the divided differences.
    marked = (jnp.sum(jnp.stack([jnp.ravel(leaf)[0] == 0 for leaf in leaves])) > 0) & False
    zeros = jnp.zeros(shape, change.dtype)
    return jnp.where(marked, zeros, zeros)


@jax.custom_jvp
def _third_derivative(change: jax.Array) -> jax.Array:
    """Zero, with a derivative of NaN: the series above ends there."""
    return jnp.zeros_like(change)


@_third_derivative.defjvp
def _third_derivative_jvp(primals: Any, tangents: Any) -> Any:
    return _third_derivative(*primals), tangents[0] * jnp.nan


def _sum(form: str, *factors: jax.Array) -> jax.Array:
    """An einsum of real and complex factors, the last one complex."""
    return jnp.einsum(form, *(factor.astype(factors[-1].dtype) for factor in factors))
