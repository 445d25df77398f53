"""The quantum Langevin equation of two modes, written out."""

from __future__ import annotations

import math
from functools import partial, reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import export
from jax.custom_derivatives import SymbolicZero

from jaxosc._kernels.pair_equation import (
    Entries,
    Pair,
    PhaseSource,
    stability,
    steady_entries,
)
from jaxosc._numerics import small
from jaxosc._numerics.complex_scalar import Complex
from jaxosc._numerics.elementwise import elementwise
from jaxosc._numerics.quartic_sums import QuarticSums, quartic_sums
from jaxosc._numerics.sharing import kept, reciprocal


def fastest(pair: Pair) -> jax.Array:
    """An upper bound of the sizes of the roots of det(A − ν)."""
    v, w = pair.j + pair.k, pair.j - pair.k
    trace = pair.omega1**2 + pair.omega2**2 + 2 * v * w
    return jnp.sqrt(trace) + jnp.maximum(pair.gamma1, pair.gamma2)


def langevin(pair: Pair, temperature: small.Entries) -> tuple[Entries, Entries]:
    """D and σ: every entry of (A − ν)⁻¹ is a polynomial over the quartic det(A − ν).

    The term ν = 0, classical equipartition, outgrows all others near a critical point. Its
    part of σ is known in closed form, and the Lyapunov equation is left with the regular rest.
    """
    omega1, omega2, j, k, det_v, det_w, gamma1, gamma2 = pair
    v, w = j + k, j - k
    width, damped = gamma1 + gamma2, gamma1 * gamma2
    balance = stability(pair)
    trace = omega1**2 + omega2**2 + 2 * v * w
    quartic = (
        balance.constant,
        2 * (gamma1 * omega2**2 + gamma2 * omega1**2 + width * (v * w + damped)),
        trace + width**2 + 2 * damped,
        2 * width,
    )
    slowest = jnp.sqrt(det_v) * jnp.sqrt(det_w) * jax.lax.rsqrt(trace)
    bound = fastest(pair)
    bath1, bath2 = (_Thermal(t, *quartic_sums(quartic, t, slowest, bound)) for t in temperature)
    noise = _noise(pair, *(bath.sums(1 / balance.constant) for bath in (bath1, bath2)))
    state = Entries(*_state(*pair, *bath1, *bath2))
    return _diffusion(*noise), state.where(balance.holds)


class _Thermal(NamedTuple):
    """T of a bath, and its sums without their term ν = 0."""

    temperature: jax.Array
    zeroth: jax.Array
    first: jax.Array
    second: jax.Array

    def sums(self, part: jax.Array) -> QuarticSums:
        """With so much of T in the first."""
        return QuarticSums(self.zeroth + part * self.temperature, self.first, self.second)


# Arguments of a state: 8 of a pair, 4 of each bath
_OF_PAIR = 8
# The response to each of eight numbers costs some five times as much as one answer
_WORTH = 8


@jax.custom_jvp
def _state(*arguments: jax.Array) -> tuple[jax.Array, ...]:
    """σ of a pair and its two baths, up to where the equation has an answer."""
    return elementwise(_state_of_batch)(*arguments)


@partial(_state.defjvp, symbolic_zeros=True)
def _state_jvp(
    primals: tuple[jax.Array, ...], tangents: tuple[jax.Array | SymbolicZero, ...]
) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
    moved = {i: x for i, x in enumerate(tangents) if not isinstance(x, SymbolicZero)}

    def of_moved(*values: jax.Array) -> tuple[jax.Array, ...]:
        arguments = dict(enumerate(primals)) | dict(zip(moved, values, strict=True))
        return _state_of_point(*arguments.values())

    return jax.jvp(of_moved, [primals[i] for i in moved], list(moved.values()))


def _state_of_batch(*arguments: jax.Array) -> tuple[jax.Array, ...]:
    """Once a row where only temperatures vary along it: σ is linear in what they enter.

    Its response to each of T, S_0, S_1, S_2 of both baths is one of the pair alone, and at every
    point there remains a sum of products.
    """
    pair, thermal = arguments[:_OF_PAIR], arguments[_OF_PAIR:]
    rows = jnp.broadcast_shapes(*(x.shape for x in pair))
    if not _is_reused(rows, jnp.broadcast_shapes(rows, *(x.shape for x in thermal))):
        return _state_of_point(*arguments)
    unit = jnp.eye(len(thermal), dtype=pair[0].dtype).reshape(-1, len(thermal), *(1 for _ in rows))
    response = jax.vmap(lambda one: _state_of_point(*pair, *one))(unit)

    def entry(columns: jax.Array) -> jax.Array:
        # What is of a row is summed there.
        fixed, moving = jnp.zeros(rows, columns.dtype), []
        for column, number in zip(kept(columns), thermal, strict=True):
            if jnp.broadcast_shapes(rows, number.shape) == rows:
                fixed += column * number
            else:
                moving.append(column * number)
        return reduce(jnp.add, moving, kept(fixed))

    return tuple(map(entry, response))


def _is_reused(rows: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether each of so many pairs serves many points."""
    alone = [n for row, n in zip(rows, shape, strict=True) if row == 1 and n != 1]
    if any(export.is_symbolic_dim(n) for n in alone):
        return True
    return math.prod(alone) >= _WORTH


def _state_of_point(*arguments: jax.Array) -> tuple[jax.Array, ...]:
    pair = Pair(*arguments[:_OF_PAIR])
    bath1, bath2 = _Thermal(*arguments[-8:-4]), _Thermal(*arguments[-4:])
    # By hand, a pairing that outweighs the exchange costs digits where normal modes coincide.
    by_hand = jnp.where(4 * jnp.abs(pair.j) < jnp.abs(pair.k), 0, jnp.ones_like(pair.j))
    classical = _classical(pair, by_hand * bath1.temperature, by_hand * bath2.temperature)
    part = (1 - by_hand) / stability(pair).constant
    rest = steady_entries(pair, *_noise(pair, bath1.sums(part), bath2.sums(part)))
    return tuple(classical.plus(rest))


def _noise(
    pair: Pair, bath1: QuarticSums, bath2: QuarticSums
) -> tuple[jax.Array, jax.Array, PhaseSource]:
    """The diffusion in the variables of ``steady_entries``.

    Y = (V + GW⁻¹G)⁻¹ makes the position diffusion YE_j + E_jY, Z = (W + GV⁻¹G)⁻¹ that of the
    momenta, and B = −V⁻¹GZ the cross terms BE_j − E_jB; E_j projects on oscillator j and
    G = ν + Γ.
    """
    omega1, omega2, j, k, det_v, det_w, gamma1, gamma2 = pair
    v, w = j + k, j - k
    product, width, damped = omega1 * omega2, gamma1 + gamma2, gamma1 * gamma2
    # γ_j times the sums of 1, g_1, g_2 and g_1 g_2 over det(A − ν), with g_j = γ_j + ν
    one1, one2 = gamma1 * bath1.zeroth, gamma2 * bath2.zeroth
    first1, first2 = gamma1 * bath1.first, gamma2 * bath2.first
    second1, second2 = gamma1 * bath1.second, gamma2 * bath2.second
    g1_bath1, g2_bath1 = gamma1 * one1 + first1, gamma2 * one1 + first1
    g1_bath2, g2_bath2 = gamma1 * one2 + first2, gamma2 * one2 + first2
    g12 = damped * (one1 + one2) + width * (first1 + first2) + second1 + second2
    one = one1 + one2
    mean = (det_v + det_w) / 2
    d1 = omega2 * mean * one1 + omega1 * (gamma2 * (gamma2 * one1 + 2 * first1) + second1)
    d2 = omega1 * mean * one2 + omega2 * (gamma1 * (gamma1 * one2 + 2 * first2) + second2)
    flow1, flow2 = omega1 * (g2_bath2 - g2_bath1), omega2 * (g1_bath2 - g1_bath1)
    zero = jnp.zeros_like(one)
    return (
        d1,
        d2,
        PhaseSource(
            mu1=Complex(-2 * j * k * omega2 * one1, zero),
            mu2=Complex(-2 * j * k * omega1 * one2, zero),
            eta=Complex(k * (g12 + (product + v * w) * one), k * (flow1 - flow2)),
            chi=Complex(j * (g12 - (product - v * w) * one), j * (flow1 + flow2)),
        ),
    )


def _diffusion(d1: jax.Array, d2: jax.Array, phases: PhaseSource) -> Entries:
    """D from the variables of ``steady_entries``."""
    mu1, mu2, eta, chi = phases
    return Entries(
        x11=2 * (d1 - mu1.re),
        x12=chi.re - eta.re,
        x22=2 * (d2 - mu2.re),
        p11=2 * (d1 + mu1.re),
        p12=chi.re + eta.re,
        p22=2 * (d2 + mu2.re),
        x1p1=2 * mu1.im,
        x1p2=eta.im + chi.im,
        x2p1=eta.im - chi.im,
        x2p2=2 * mu2.im,
    )


def _classical(pair: Pair, temperature1: jax.Array, temperature2: jax.Array) -> Entries:
    """The steady state of the Langevin equation with the noise T_j/ν of equipartition.

    The term k = 0 of the Matsubara sum: at equal temperatures T(V⁻¹ ⊕ W⁻¹). Its diffusion
    diverges at the critical point as the state does, so the equation is solved by hand.
    """
    constant, resonances = stability(pair)
    inverse = reciprocal(constant * resonances)
    one = _bath_one(pair, temperature1 * inverse)
    two = _bath_one(pair.swapped(), temperature2 * inverse)
    two = two._replace(
        x11=two.x22, x22=two.x11, p11=two.p22, p22=two.p11,
        x1p1=two.x2p2, x2p2=two.x1p1, x1p2=two.x2p1, x2p1=two.x1p2,
    )  # fmt: skip
    return one.plus(two)


def _bath_one(pair: Pair, scale: jax.Array) -> Entries:
    omega1, omega2, j, k, _, _, a, b = pair
    v, w = j + k, j - k
    alpha, beta, g = a * a + omega1 * omega1, b * b + omega2 * omega2, a + b
    c = a * alpha + b * beta + 4 * a * b * g
    q = a * omega1 * omega1 + b * omega2 * omega2
    product = omega1 * omega2
    qa, qb = q + a * g * g, q + b * g * g
    ca, cb = c + g * alpha, c + g * beta
    flow = a * b * scale
    x2p2 = flow * product * (v - w) * (v + w) * (c + g * v * w)

    def cross(v: jax.Array, w: jax.Array) -> jax.Array:
        """⟨x2 p1⟩, and −⟨x1 p2⟩ with v and w exchanged."""
        return flow * (
            w * omega1 * beta * ca
            + v * omega2 * alpha * cb
            - v * w * (w * omega1 * qa + v * omega2 * qb)
            - g * product * (omega1 * w * w * w + omega2 * v * v * v)
        )

    x11, x12, x22 = _bath_one_positions(pair)
    p11, p12, p22 = _bath_one_positions(pair.dual())
    scale = scale * a
    return Entries(
        x11 * scale, x12 * scale, x22 * scale, p11 * scale, p12 * scale, p22 * scale,
        -x2p2, -cross(w, v), cross(v, w), x2p2,
    )  # fmt: skip


def _bath_one_positions(pair: Pair) -> tuple[jax.Array, jax.Array, jax.Array]:
    """⟨x1²⟩, ⟨x1x2⟩, ⟨x2²⟩ of bath 1 over γ1/(det A · Hurwitz determinant).

    Each is det W times its part of lowest order in γ, plus the rest. Written in powers of the
    couplings alone, that product would be a difference where det W is small.
    """
    omega1, omega2, j, k, _, det_w, a, b = pair
    v, w = j + k, j - k
    o1, o2, aa, bb = omega1 * omega1, omega2 * omega2, a * a, b * b
    g, ab = a + b, a * b
    gg = g * g
    vv, ww, vw = v * v, w * w, v * w
    product, squares = omega1 * omega2, o1 + o2
    split = (omega1 + omega2) * (omega1 - omega2)
    couplings = product * (vv + ww)
    far = a + 2 * b
    lead11 = a * omega2 * (couplings + vw * squares) + b * (
        split * (omega2 * split - omega1 * vv) + omega2 * (couplings + 2 * vw * o2)
    )
    lead12 = w * (b * product * split - g * squares * vv) + v * (b * o2 * split - g * couplings)
    lead22 = (
        g * o1 * omega2 * ww
        + omega2 * vv * (a * o1 + b * o2)
        + vw * omega1 * (a * squares + 2 * b * o2)
    )
    rest11 = (
        b * omega1 * ((bb + o2) * gg * (gg + 2 * squares) + bb * split * split)
        - b * omega2 * ww * (
            2 * aa * aa + 8 * aa * ab + 11 * ab * ab + 6 * ab * bb + bb * bb
            + o1 * (3 * aa + 3 * ab + bb) + o2 * (3 * aa + 6 * ab + 2 * bb)
        )
        + vw * omega1 * (a * (bb + o2) * gg + bb * (a * squares + 2 * b * o2))
        - vw * ww * omega2 * gg * far
        - vv * b * o1 * omega2 * g * far
        + vw * vw * b * omega1 * gg
    )  # fmt: skip
    rest12 = (
        w * b * (
            aa * b * g * gg + o1 * b * (2 * aa * a + 4 * aa * b + 3 * ab * b + bb * b)
            - o2 * (aa * a * g + aa * o2 + ab * o1) + b * g * o1 * o1
        )
        + w * ww * ab * product * g
        + v * b * product * (
            bb * (o1 - 3 * aa - 4 * ab - bb) - o2 * (3 * aa + 4 * ab + 2 * bb)
        )
        + v * ww * b * g * (2 * a * (gg + o1) + (3 * a + b) * o2)
        - vv * w * product * g * (aa + 2 * bb)
        + vv * w * ww * g * gg
    )  # fmt: skip
    rest22 = (
        ww * omega1 * (bb * (2 * a + b) * (gg + o1) + o2 * (aa * g + bb * b))
        + vw * omega2 * (
            aa * far * (gg + o2) + o1 * (2 * aa * a + 4 * aa * b + 5 * ab * b + 2 * bb * b)
        )
        - vw * ww * a * omega1 * gg
        + vv * omega1 * o2 * g * (aa + 3 * ab + bb)
        - vw * vw * b * omega2 * gg
    )  # fmt: skip
    return det_w * lead11 + rest11, det_w * lead12 + rest12, det_w * lead22 + rest22
