"""The quantum Langevin equation of two modes, written out."""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax import export

from jaxosc._kernels.pair_equation import (
    Entries,
    Pair,
    PhaseSource,
    stability,
    steady_entries,
)
from jaxosc._kernels.pair_response import (
    by_response,
    is_reused,
    of_batches,
    paired,
    unpaired,
)
from jaxosc._numerics import small
from jaxosc._numerics.complex_scalar import Complex
from jaxosc._numerics.jacobians import by_tables, each_by_tables
from jaxosc._numerics.quartic_sums import QuarticSums, quartic_sums
from jaxosc._numerics.sharing import junction, reciprocal


def fastest(pair: Pair) -> jax.Array:
    """An upper bound of the sizes of the roots of det(A − ν)."""
    v, w = pair.j + pair.k, pair.j - pair.k
    trace = pair.omega1**2 + pair.omega2**2 + 2 * v * w
    return jnp.sqrt(trace) + jnp.maximum(pair.gamma1, pair.gamma2)


class _Thermal(NamedTuple):
    """The thermal sums of a bath with the term ν = 0, T/det A, in the first of them.

    That one is times det A, which at a critical point is finite where it is not: T in the
    classical limit.
    """

    static: jax.Array
    first: jax.Array
    second: jax.Array

    def sums(self, part: jax.Array) -> QuarticSums:
        """With the first times so much."""
        return QuarticSums(part * self.static, self.first, self.second)


def _thermal(pair: Pair, temperature: small.Entries) -> tuple[_Thermal, _Thermal]:
    """Of both baths: every entry of (A − ν)⁻¹ is a polynomial over the quartic det(A − ν)."""
    quartic = by_tables(_quartic, pair)
    trace = pair.omega1**2 + pair.omega2**2 + 2 * (pair.j + pair.k) * (pair.j - pair.k)
    slowest = jnp.sqrt(pair.det_v) * jnp.sqrt(pair.det_w) * jax.lax.rsqrt(trace)
    bound = fastest(pair)

    def of_bath(t: jax.Array) -> _Thermal:
        zeroth, first, second = quartic_sums(quartic, t, slowest, bound)
        return _Thermal(t + quartic[0] * zeroth, first, second)

    first, second = map(of_bath, temperature)
    return first, second


def _quartic(pair: Pair) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    """The coefficients of 1, ν, ν² and ν³; that of ν⁴ is 1."""
    omega1, omega2, j, k, _, _, gamma1, gamma2 = pair
    v, w = j + k, j - k
    width, damped = gamma1 + gamma2, gamma1 * gamma2
    trace = omega1**2 + omega2**2 + 2 * v * w
    return (
        stability(pair).constant,
        2 * (gamma1 * omega2**2 + gamma2 * omega1**2 + width * (v * w + damped)),
        trace + width**2 + 2 * damped,
        2 * width,
    )


def langevin_diffusion(pair: Pair, temperature: small.Entries) -> Entries:
    """D of the steady state."""
    part = 1 / stability(pair).constant
    baths = tuple(bath.sums(part) for bath in _thermal(pair, temperature))
    return by_tables(_diffusion, pair, *baths)


def langevin_state(pair: Pair, temperature: small.Entries) -> Entries:
    """σ, NaN unless A is stable.

    The term ν = 0, classical equipartition, outgrows all others near a critical point. Its
    part of σ is known in closed form, and so is all that its sum enters, S_0; the Lyapunov
    equation is left with the rest.
    """
    temperature1, temperature2 = temperature
    found = Entries(*_state(*pair, temperature1, temperature2))
    return found.where(stability(pair).holds)


_Three: TypeAlias = tuple[jax.Array, jax.Array, jax.Array]
_OF_PAIR = len(Pair._fields)
# Points of a block. On a processor those whose intermediate results stay in its cache; elsewhere
# each block has to be begun by the host: 256 of them took 33 ms on an H200, whatever their size.
_BLOCK = 4096
_BLOCKS_ELSEWHERE = 8


def _state_of_point(*arguments: jax.Array) -> tuple[jax.Array, ...]:
    """σ of a pair and two temperatures, up to where the equation has an answer."""
    pair = Pair(*arguments[:_OF_PAIR])
    return _state_of_sums(pair, *_thermal(pair, arguments[_OF_PAIR:]))


def _state_of_batch(*arguments: jax.Array) -> tuple[jax.Array, ...]:
    """As few loops over memory as it can be done in.

    Where only temperatures vary along a row, σ is linear in what they enter: its response to each
    of S_0, S_1, S_2 of both baths is one of the pair alone, and at every point there remains a
    sum of products. Elsewhere block by block, each by the rule that its own coldest point needs.
    """
    pair = Pair(*arguments[:_OF_PAIR])
    rows = jnp.broadcast_shapes(*(x.shape for x in pair))
    shape = jnp.broadcast_shapes(rows, *(x.shape for x in arguments))
    if is_reused(rows, shape):
        bath1, bath2 = _thermal(pair, arguments[_OF_PAIR:])

        def of_sums(*sums: jax.Array) -> tuple[jax.Array, ...]:
            return _state_of_sums(pair, _Thermal(*sums[:3]), _Thermal(*sums[3:]))

        return by_response(of_sums, rows, (*bath1, *bath2))
    if any(export.is_symbolic_dim(n) for n in shape) or math.prod(shape) < 2 * _BLOCK:
        return _state_of_point(*arguments)
    elsewhere = max(_BLOCK, math.prod(shape) // _BLOCKS_ELSEWHERE)
    return jax.lax.platform_dependent(
        *arguments,
        cpu=lambda *given: _in_blocks(given, shape, _BLOCK),
        default=lambda *given: _in_blocks(given, shape, elsewhere),
    )


_state = of_batches(_state_of_batch, _state_of_point, long=True)


def _in_blocks(
    arguments: tuple[jax.Array, ...], shape: tuple[int, ...], block: int
) -> tuple[jax.Array, ...]:
    size = math.prod(shape)
    count = -(-size // block)
    alike = [x.size == 1 for x in arguments]

    def blocks(x: jax.Array) -> jax.Array:
        flat = jnp.broadcast_to(x, shape).reshape(-1)
        return jnp.pad(flat, (0, count * block - size), mode="edge").reshape(count, block)

    def of_block(own: list[jax.Array]) -> tuple[jax.Array, ...]:
        given = iter(own)
        entries = _state_of_point(
            *(x.reshape(1) if one else next(given) for x, one in zip(arguments, alike, strict=True))
        )
        return paired(entries)

    varying = [blocks(x) for x, one in zip(arguments, alike, strict=True) if not one]
    found = unpaired(jax.lax.map(of_block, varying))
    return tuple(x.reshape(-1)[:size].reshape(shape) for x in found)


def _state_of_sums(pair: Pair, bath1: _Thermal, bath2: _Thermal) -> tuple[jax.Array, ...]:
    one, two = _classical(pair, bath1.static, bath2.static)
    two = two._replace(
        x11=two.x22, x22=two.x11, p11=two.p22, p22=two.p11,
        x1p1=two.x2p2, x2p2=two.x1p1, x1p2=two.x2p1, x2p1=two.x1p2,
    )  # fmt: skip
    rest = steady_entries(pair, *by_tables(_regular_noise, pair, bath1, bath2))
    return tuple(one.plus(two).plus(rest))


def _by_hand(pair: Pair) -> jax.Array:
    """One, or zero: a pairing that outweighs the exchange costs digits where modes coincide."""
    return jnp.where(4 * jnp.abs(pair.j) < jnp.abs(pair.k), 0, jnp.ones_like(pair.j))


def _regular_noise(
    pair: Pair, bath1: _Thermal, bath2: _Thermal
) -> tuple[jax.Array, jax.Array, PhaseSource]:
    part = (1 - _by_hand(pair)) / stability(pair).constant
    return _noise(pair, bath1.sums(part), bath2.sums(part))


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


def _diffusion(pair: Pair, bath1: QuarticSums, bath2: QuarticSums) -> Entries:
    """D from the variables of ``steady_entries``."""
    d1, d2, (mu1, mu2, eta, chi) = _noise(pair, bath1, bath2)
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


def _classical(
    pair: Pair, temperature1: jax.Array, temperature2: jax.Array
) -> tuple[Entries, Entries]:
    """The steady state of the Langevin equation with the noise T_j/ν of equipartition, by bath.

    The part of S_0, and of k = 0 alone: at equal temperatures T(V⁻¹ ⊕ W⁻¹). Its diffusion
    diverges at the critical point as the state does, so the equation is solved by hand. That of
    bath 2 is of the swapped pair.
    """
    swapped = pair.swapped()
    pairs = pair, swapped
    given = list(zip(pairs, (temperature1, temperature2), strict=True))
    scales = each_by_tables(_classical_scale, given)
    blocks = [(each,) for both in pairs for each in (both, both.dual())]
    # On a grid these are of a row. In the loop of the points, XLA would make the slope of functions
    # that call each other, of which LLVM by chance takes some apart: 0.2 or 7 μs a point.
    x1, p1, x2, p2 = map(_apart, each_by_tables(_bath_one_positions, blocks))
    currents = map(_apart, each_by_tables(_bath_one_currents, [*zip(pairs, scales, strict=True)]))
    parts = zip(pairs, scales, (x1, x2), (p1, p2), currents, strict=True)
    one, two = (_entries(own.gamma1 * scale, *rest) for own, scale, *rest in parts)
    return one, two


def _entries(
    scale: jax.Array,
    x: tuple[jax.Array, jax.Array, jax.Array],
    p: tuple[jax.Array, jax.Array, jax.Array],
    currents: tuple[jax.Array, jax.Array, jax.Array],
) -> Entries:
    x11, x12, x22, p11, p12, p22 = (entry * scale for entry in (*x, *p))
    x2p2, x2p1, x1p2 = currents
    return Entries(x11, x12, x22, p11, p12, p22, -x2p2, -x1p2, x2p1, x2p2)


def _apart(three: _Three) -> _Three:
    first, second, third = map(junction, three)
    return first, second, third


def _classical_scale(pair: Pair, temperature: jax.Array) -> jax.Array:
    constant, resonances = stability(pair)
    return _by_hand(pair) * temperature * reciprocal(constant * resonances)


def _bath_one_currents(pair: Pair, scale: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """⟨x2 p2⟩, ⟨x2 p1⟩ and −⟨x1 p2⟩ of bath 1."""
    omega1, omega2, j, k, _, _, a, b = pair
    v, w = j + k, j - k
    alpha, beta, g = a * a + omega1 * omega1, b * b + omega2 * omega2, a + b
    c = a * alpha + b * beta + 4 * a * b * g
    q = a * omega1 * omega1 + b * omega2 * omega2
    product = omega1 * omega2
    qa, qb = q + a * g * g, q + b * g * g
    ca, cb = c + g * alpha, c + g * beta
    flow = a * b * scale

    def cross(v: jax.Array, w: jax.Array) -> jax.Array:
        return flow * (
            w * omega1 * beta * ca
            + v * omega2 * alpha * cb
            - v * w * (w * omega1 * qa + v * omega2 * qb)
            - g * product * (omega1 * w * w * w + omega2 * v * v * v)
        )

    x2p2 = flow * product * (v - w) * (v + w) * (c + g * v * w)
    return x2p2, cross(v, w), cross(w, v)


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
