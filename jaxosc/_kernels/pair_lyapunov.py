"""The Lyapunov equation of two modes with any damping of x and of p, in scalars.

Aσ + σAᵀ = F, A = [[−B, W], [−V, −C]] in the order (x, p). In a frame in which the energy is
½(xᵀΩx + pᵀΩp), with σ = [[a, c], [cᵀ, b]], c = s + m ε, ε = [[0, 1], [−1, 0]], K = Ωε − εΩ:

    Ωs + sΩ = Ba + aBᵀ + mK + F_xx,
    b = a + f,  Ωf + fΩ = R + Rᵀ,  R = Bc + cCᵀ + F_xp,
    Ba + aBᵀ + Cb + bCᵀ + 2mK = −F_xx − F_pp,
    [Ω, a] + (Ωf − fΩ)/2 = (R − Rᵀ)/2.

The first two lines give s and f by a and m, at pivots Ω_k + Ω_l. What remains are four equations
for a and m, of the order of the damping and of the splitting: a_12 and m by a pivot that is a sum
of squares, then a_11 and a_22.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._kernels.pair_algebra import (
    Map,
    Square,
    Symmetric,
    applied,
    both_sides,
    congruent,
    determinant,
    less,
    map_product,
    map_times,
    plus,
    product,
    skew,
    square,
    times,
    transposed,
    twice,
)
from jaxosc._kernels.pair_equation import Couple, Entries
from jaxosc._kernels.pair_modes import frequencies, quadratures
from jaxosc._numerics.sharing import kept, quotient, reciprocal, sqrt

_Tree = TypeVar("_Tree")


class Motion(NamedTuple):
    """A, in blocks of x and p."""

    v: Symmetric
    w: Symmetric
    b: Square
    c: Square

    def transposed(self) -> Motion:
        """Aᵀ, with x and p in the other order."""
        return self._replace(b=transposed(self.c), c=transposed(self.b))


class State(NamedTuple):
    """A symmetric matrix, in blocks; xp = ⟨x_j p_k⟩."""

    xx: Symmetric
    pp: Symmetric
    xp: Square

    def swapped(self, weight: float) -> State:
        """With x and p in the other order, and all that a matrix has twice times a weight."""
        (a, b, c), (d, e, f), ((g, h), (i, k)) = self
        return State(
            (d, weight * e, f),
            (a, weight * b, c),
            ((weight * g, weight * i), (weight * h, weight * k)),
        )

    def entries(self) -> Entries:
        """In the order of the other kernels."""
        (x1p1, x1p2), (x2p1, x2p2) = self.xp
        return Entries(*self.xx, *self.pp, x1p1, x1p2, x2p1, x2p2)


class _Frame(NamedTuple):
    """x = X x′, p = P p′, XᵀP = 1, and Ω."""

    x: Square
    p: Square
    omega: Symmetric
    exchanged: jax.Array  # whether to solve for (p, −x) in place of (x, p)

    def kept(self) -> _Frame:
        """Computed once for many results."""
        x, p, omega = jax.tree.map(kept, (self.x, self.p, self.omega))
        return _Frame(x, p, omega, self.exchanged)

    def sorted(self, state: State) -> State:
        """In the order to solve for, or back from it."""
        (a, b), (c, d) = state.xp
        other = State(state.pp, state.xx, ((-a, -c), (-b, -d)))
        return jax.tree.map(partial(jnp.where, self.exchanged), other, state)


def steady(
    couple: Couple, b: Square, c: Square, xx: Square, pp: Square
) -> tuple[Entries, jax.Array]:
    """σ of Aσ + σAᵀ + D = 0, and whether A is stable: without that σ means nothing.

    Derivatives are those of the equation: the frame in which it is solved has none.

    Args:
        couple: the modes, bounded below.
        b: the damping of x.
        c: the damping of p.
        xx: the diffusion of x, symmetric.
        pp: the diffusion of p, symmetric.
    """
    v = (couple.omega1, couple.j + couple.k, couple.omega2)
    w = (couple.omega1, couple.j - couple.k, couple.omega2)
    motion = Motion(v, w, b, c)
    zero = jnp.zeros_like(couple.omega1)
    rest = State(
        (-xx[0][0], -xx[0][1], -xx[1][1]), (-pp[0][0], -pp[0][1], -pp[1][1]), ((zero,) * 2,) * 2
    )
    state, stable = _solved(couple, motion, rest)
    return state.entries(), stable > 0


@jax.custom_jvp
def _solved(couple: Couple, motion: Motion, rest: State) -> tuple[State, jax.Array]:
    """σ of Aσ + σAᵀ = F, and 1 or 0 for whether A is stable: one loop over a batch."""
    elimination = _Elimination(_frame(couple, motion.b, motion.c), motion)
    return elimination.solve(rest), elimination.stable


@_solved.defjvp
def _solved_jvp(
    primals: tuple[Couple, Motion, State], tangents: tuple[Couple, Motion, State]
) -> tuple[tuple[State, jax.Array], tuple[State, jax.Array]]:
    """By the equation: the frame, in which it is solved, has no derivative.

    Derivatives are many results of one elimination, which is kept for them.
    """
    tangent = jax.tree.map(kept, tangents[1:], primals[1:])
    couple, *primal = jax.tree.map(kept, primals)
    couple, still = jax.lax.stop_gradient((couple, primal[0]))
    frame = _frame(couple, still.b, still.c).kept()
    forward, backward = (_Elimination(frame, x, kept) for x in (still, still.transposed()))

    def implicit(motion: Motion, rest: State) -> State:
        return jax.lax.custom_linear_solve(
            partial(_applied, motion),
            rest,
            lambda _, rest: forward.solve(rest),
            lambda _, rest: backward.solve(rest.swapped(0.5)).swapped(2.0),
        )

    state, change = jax.jvp(implicit, primal, list(tangent))
    stable = kept(forward.stable)
    return (state, stable), (change, jnp.zeros_like(stable))


def _frame(couple: Couple, b: Square, c: Square) -> _Frame:
    """Normal modes, or where damping does not resolve them a frame that is smooth there.

    Two modes of one frequency, of which a bath damps one, are both damped by half of that in any
    basis but theirs, and what the other bath adds is lost in it.
    """
    omega1, omega2, j, k, det_v, det_w = couple
    (low, high), x, p = quadratures(couple)
    _, _, splitting = frequencies(couple)
    total, difference = low + high, omega1 - omega2
    rate = jnp.abs(b[0][0]) + jnp.abs(b[1][1]) + jnp.abs(c[0][0]) + jnp.abs(c[1][1])
    resolved = splitting > (total * rate) ** 2
    # XXᵀ is the geometric mean of W and V⁻¹, X its root
    inverse = reciprocal(total)
    ratio = sqrt(quotient(det_w, det_v))
    g11 = (ratio * omega2 + omega1) * inverse
    g22 = (ratio * omega1 + omega2) * inverse
    g12 = ((j - k) - ratio * (j + k)) * inverse
    root = sqrt(ratio)  # det X
    scale = reciprocal(sqrt(g11 + g22 + 2 * root))
    x1, y, x2 = (g11 + root) * scale, g12 * scale, (g22 + root) * scale
    over = reciprocal(root)
    # Ω = mean + X⁻¹NX/(Ω_+ + Ω_−), N = WV − mean: of what splits the modes alone
    sum12 = omega1 + omega2
    half, n12, n21 = difference * sum12 / 2, j * sum12 + k * difference, j * sum12 - k * difference
    along = (half * (x1 * x2 + y * y) + y * (x2 * n12 - x1 * n21)) * (over * inverse)
    across = (2 * half * (x2 * y) + x2 * x2 * n12 - y * y * n21) * (over * inverse)
    # What is eliminated is divided by Ω. Of a soft mode x is large where V is nearly singular, p
    # where W is: the one that stays is the large one.
    exchanged = det_w < det_v
    smooth = _Frame(
        ((x1, y), (y, x2)),
        ((x2 * over, -y * over), (-y * over, x1 * over)),
        (total / 2 + along, across, total / 2 - along),
        exchanged,
    )
    normal = _Frame(x, p, (low, jnp.zeros_like(low), high), exchanged)
    return jax.tree.map(partial(jnp.where, resolved), normal, smooth)


def _applied(motion: Motion, state: State) -> State:
    """Aσ + σAᵀ."""
    v, w = square(motion.v), square(motion.w)
    a, b, c = square(state.xx), square(state.pp), state.xp
    return State(
        twice(less(product(w, transposed(c)), product(motion.b, a))),
        twice(less(times(product(v, c), -1), product(motion.c, b))),
        less(
            less(product(w, b), product(a, v)),
            plus(product(motion.b, c), product(c, transposed(motion.c))),
        ),
    )


class _Elimination:
    """Aσ + σAᵀ = F in a frame."""

    def __init__(
        self, frame: _Frame, motion: Motion, keep: Callable[[jax.Array], jax.Array] | None = None
    ) -> None:
        self.frame, self.keep = frame, keep or (lambda x: x)
        x, p = frame.x, frame.p
        b = product(transposed(p), product(motion.b, x))
        c = product(transposed(x), product(motion.c, p))
        choice = partial(jnp.where, frame.exchanged)
        b, c = self.b, self.c = jax.tree.map(choice, c, b), jax.tree.map(choice, b, c)
        if keep is not None:
            b, c = self.b, self.c = jax.tree.map(keep, (b, c))
        e, g, r = frame.omega
        self.trace, self.split = e + r, e - r
        own_determinant = e * r - g * g
        self.inverse = reciprocal(self.trace)
        self.halves = _halves(frame.omega, own_determinant, self.inverse)
        by_b, by_c = both_sides(b), both_sides(c)
        by_both = plus(by_b, by_c)
        # c of a and of m; R, f and the four equations of them
        self.shift = map_product(self.halves, by_b)
        self.turn = (
            (-2 * g * self.inverse, 2 * e * self.inverse),
            (-2 * r * self.inverse, 2 * g * self.inverse),
        )
        turned = self._r(self.turn)
        symmetric = map_product(by_both, self.shift)
        self.excess = map_product(self.halves, symmetric)
        self.excess_turn = map_times(self.halves, twice(turned))
        energy = plus(by_both, map_product(by_c, self.excess))
        k = (-2 * g, self.split, 2 * g)
        energy_turn = tuple(
            x + 2 * y for x, y in zip(map_times(by_c, self.excess_turn), k, strict=True)
        )
        columns = tuple(zip(*symmetric, strict=True))
        across = tuple(
            self._commutator(column) * self.inverse / 2 - self._skew(square(shift)) / 2 + own
            for column, shift, own in zip(
                columns, zip(*self.shift, strict=True), (-g, self.split, g), strict=True
            )
        )
        skew_turn = self._commutator(twice(turned)) * self.inverse / 2 - skew(turned) / 2
        # Rows 12 and skew, unknowns a12 and m
        p11, p12, p21, p22 = energy[1][1], energy_turn[1], across[1], skew_turn
        first = p11 * p22 - p12 * p21
        over = reciprocal(first)
        self.pivot = (p22 * over, -p12 * over), (-p21 * over, p11 * over)
        self.rows = (energy[1][0], energy[1][2]), (across[0], across[2])
        self.columns = (energy[0][1], energy_turn[0]), (energy[2][1], energy_turn[2])
        fill = product(self.columns, product(self.pivot, self.rows))
        rest = less(((energy[0][0], energy[0][2]), (energy[2][0], energy[2][2])), fill)
        (r11, r12), (r21, r22) = rest
        second = r11 * r22 - r12 * r21
        over = reciprocal(second)
        self.last = (r22 * over, -r12 * over), (-r21 * over, r11 * over)
        if keep is not None:
            for name in (
                "halves",
                "shift",
                "turn",
                "excess",
                "excess_turn",
                "pivot",
                "rows",
                "columns",
                "last",
            ):
                setattr(self, name, jax.tree.map(keep, getattr(self, name)))
        # det A times the last Hurwitz determinant is −first·second up to a positive factor; with
        # the other coefficients of the characteristic polynomial that is Hurwitz' criterion
        lost = 64 * float(np.finfo(first.dtype).eps)
        full = jnp.abs(second) > lost * (jnp.abs(r11 * r22) + jnp.abs(r12 * r21))
        adjugate = ((r, -g), (-g, e))
        stiff = plus(times(square(frame.omega), own_determinant), product(c, product(adjugate, b)))
        width = b[0][0] + b[1][1] + c[0][0] + c[1][1]
        quadratic = e * e + 2 * g * g + r * r + determinant(b) + determinant(c)
        quadratic += (b[0][0] + b[1][1]) * (c[0][0] + c[1][1])
        stable = full & (first * second < 0) & (determinant(stiff) > 0)
        stable &= (width > 0) & (quadratic > 0)
        self.stable = jnp.where(stable, jnp.ones_like(first), 0)

    def solve(self, rest: State) -> State:
        """σ."""
        x, p = self.frame.x, self.frame.p
        inside = State(
            congruent(transposed(p), rest.xx),
            congruent(transposed(x), rest.pp),
            product(transposed(p), product(rest.xp, x)),
        )
        inside = self._kept(self.frame.sorted(inside))
        found = self._kept(self.frame.sorted(self._solved(inside)))
        return State(
            congruent(x, found.xx),
            congruent(p, found.pp),
            product(x, product(found.xp, transposed(p))),
        )

    def _solved(self, rest: State) -> State:
        still = square(map_times(self.halves, rest.xx))
        r = plus(self._r(still), rest.xp)
        both = twice(r)
        excess = self._kept(map_times(self.halves, both))
        loss = twice(product(self.c, square(excess)))
        h11, h12, h22 = (-x - y - z for x, y, z in zip(rest.xx, rest.pp, loss, strict=True))
        across = skew(r) / 2 - self._commutator(both) * self.inverse / 2
        middle = self._kept(applied(self.pivot, (h12, across)))
        taken = applied(self.columns, middle)
        a11, a22 = applied(self.last, (h11 - taken[0], h22 - taken[1]))
        back = applied(self.pivot, applied(self.rows, (a11, a22)))
        a11, a12, a22, m = self._kept((a11, middle[0] - back[0], a22, middle[1] - back[1]))
        a = (a11, a12, a22)
        c = plus(plus(still, square(map_times(self.shift, a))), times(self.turn, m))
        b = tuple(
            w + x + y + z * m
            for w, x, y, z in zip(
                a, excess, map_times(self.excess, a), self.excess_turn, strict=True
            )
        )
        return State(a, (b[0], b[1], b[2]), c)

    def _kept(self, values: _Tree) -> _Tree:
        return jax.tree.map(self.keep, values)

    def _r(self, c: Square) -> Square:
        """Bc + cCᵀ."""
        return plus(product(self.b, c), product(c, transposed(self.c)))

    def _skew(self, c: Square) -> jax.Array:
        return skew(self._r(c))

    def _commutator(self, matrix: Symmetric) -> jax.Array:
        """[Ω, M]_12."""
        _, g, _ = self.frame.omega
        return self.split * matrix[1] - g * (matrix[0] - matrix[2])


def _halves(omega: Symmetric, own_determinant: jax.Array, inverse_trace: jax.Array) -> Map:
    """X of ΩX + XΩ = Q: (Q det Ω + adj Ω Q adj Ω)/(2 tr Ω det Ω)."""
    e, g, r = omega
    over = reciprocal(own_determinant) * inverse_trace / 2
    eg, rg, gg = e * g * over, r * g * over, g * g * over
    er = e * r * over
    return (
        (er + r * r * over - gg, -2 * rg, gg),
        (-rg, 2 * er, -eg),
        (gg, -2 * eg, er + e * e * over - gg),
    )
