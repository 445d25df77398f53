"""What the written-out equations of two modes are made of: functions of WV, what a bath adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxosc._kernels.pair_algebra import Square, Vector, applied, outer, plus, times
from jaxosc._kernels.pair_equation import Couple, Scale
from jaxosc._kernels.pair_modes import frequencies
from jaxosc._numerics import small
from jaxosc._numerics.divided import Divided, Hyperbolic, hyperbolic
from jaxosc._numerics.sharing import junction, reciprocal, sqrt


@dataclass(frozen=True)
class ClosedRate:
    """γ(Ω) = γ (Ω/r)^p (1 + r²/Λ²)/(1 + Ω²/Λ²): flat (p = 0), Ohmic (p = 1) and Drude.

    Attributes:
        power: p, 0 or 1.
        reference: r, where the rate is the damping.
        cutoff: Λ; None for none.
    """

    power: int
    reference: jax.Array
    cutoff: jax.Array | None = None


class Dissipator(NamedTuple):
    """What a bath adds: −B and −C to the drift of x and of p, and a diffusion without ⟨xp⟩."""

    b: Square
    c: Square
    xx: Square
    pp: Square

    def plus(self, other: Dissipator) -> Dissipator:
        """Of both baths."""
        return jax.tree.map(jnp.add, self, other)

    def drift(self) -> jax.Array:
        """[4, 4]."""
        return _interleaved(times(self.b, -1), times(self.c, -1))

    def diffusion(self) -> jax.Array:
        """[4, 4]."""
        return _interleaved(self.xx, self.pp)


def _interleaved(x: Square, p: Square) -> jax.Array:
    """[4, 4] of what is between positions and between momenta."""
    none = jnp.zeros_like(x[0][0])
    return small.summed_matrix(
        [
            [x[0][0], none, x[0][1], none],
            [none, p[0][0], none, p[0][1]],
            [x[1][0], none, x[1][1], none],
            [none, p[1][0], none, p[1][1]],
        ]
    )


class Modes(NamedTuple):
    """Ω_± and N, and what V and W do."""

    v: Square
    w: Square
    n: Square  # N = WV − mean
    mean: jax.Array  # (Ω_+² + Ω_−²)/2
    square: jax.Array  # δ² = ((Ω_+² − Ω_−²)/2)²
    total: jax.Array  # Ω_+ + Ω_−
    product: jax.Array  # Ω_+Ω_−
    low: jax.Array
    high: jax.Array

    @property
    def omega(self) -> Divided:
        """Ω."""
        return Divided(self.total / 2, reciprocal(self.total), self.product, self.square)

    def hyperbolic(self, twice: jax.Array) -> tuple[Hyperbolic, jax.Array]:
        """Of Ω/twice, and the slope of its half difference."""
        inverse, inverse_total = reciprocal(twice), reciprocal(self.total)
        slope = inverse * inverse_total
        parts = hyperbolic(self.total * inverse / 2, self.square * (slope * slope))
        return parts, slope


class Part(NamedTuple):
    """A vector f(WV)ᵀu and N times it."""

    vector: Vector
    turned: Vector

    def plus(self, other: Part) -> Part:
        return Part(plus(self.vector, other.vector), plus(self.turned, other.turned))

    def minus(self, other: Part) -> Part:
        return self.plus(Part(*(times(x, -1) for x in other)))


class Form(NamedTuple):
    """A function of two frequencies: α + β N on the left + β′ N on the right + γ on both."""

    plain: jax.Array
    left: jax.Array
    right: jax.Array
    both: jax.Array

    def of(self, x: Part, y: Part) -> Square:
        """X f Yᵀ."""
        plain = plus(times(y.vector, self.plain), times(y.turned, self.right))
        turned = plus(times(y.vector, self.left), times(y.turned, self.both))
        return plus(outer(x.vector, plain), outer(x.turned, turned))


def modes_of(couple: Couple) -> Modes:
    omega1, omega2, j, k, det_v, det_w = couple
    total, difference = omega1 + omega2, omega1 - omega2
    v, w = j + k, j - k
    half = difference * total / 2
    low, high, splitting = frequencies(couple)
    product = sqrt(det_v) * sqrt(det_w)
    mean = (omega1 * omega1 + omega2 * omega2) / 2 + v * w
    return Modes(
        v=((omega1, v), (v, omega2)),
        w=((omega1, w), (w, omega2)),
        n=((half, j * total + k * difference), (j * total - k * difference, -half)),
        mean=junction(mean),
        square=junction(splitting / 4),
        total=junction(sqrt(2 * (mean + product))),
        product=junction(product),
        low=jax.lax.stop_gradient(low),
        high=jax.lax.stop_gradient(high),
    )


def part_of(f: Divided, vector: Vector, n: Square) -> Part:
    """(mean + slope N)u, and N times it."""
    turned = applied(n, vector)
    return Part(
        plus(times(vector, f.mean), times(turned, f.slope)),
        plus(times(turned, f.mean), times(vector, f.slope * f.square)),
    )


def unscaled(part: Dissipator, scale: Scale | None) -> Dissipator:
    """The same of x = s x′ and p = p′/s."""
    if scale is None:
        return part
    s, over = scale, (reciprocal(scale.s1), reciprocal(scale.s2))

    def weighted(square: Square, left: Vector | Scale, right: Vector | Scale) -> Square:
        (a, b), (c, d) = square
        return (
            (a * left[0] * right[0], b * left[0] * right[1]),
            (c * left[1] * right[0], d * left[1] * right[1]),
        )

    b, c, xx, pp = part
    return Dissipator(
        weighted(b, s, over), weighted(c, over, s), weighted(xx, s, s), weighted(pp, over, over)
    )
