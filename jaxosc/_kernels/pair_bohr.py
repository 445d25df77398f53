"""Non-secular master equations of two modes, written out without normal modes.

A bath adds K = Σ_ab Γ(w_a, w_b) X_a^* X_bᵀ, X_a the part of its operator with the Bohr frequency
w_a = ±Ω_k. With N = WV − (Ω_+² + Ω_−²)/2, N² = δ², a function of Ω_k² is its mean and its slope
times N, and one of Ω_k² and Ω_l² has N on both sides: rational in the couplings, smooth where the
modes have one frequency. Γ is real: principal values are left out.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._kernels import pair_lyapunov
from jaxosc._kernels.interface import BathCoupling
from jaxosc._kernels.pair_algebra import (
    Square,
    Vector,
    halved,
    less,
    outer,
    plus,
    symmetrised,
    times,
    transposed,
)
from jaxosc._kernels.pair_equation import Couple, Entries, Scale
from jaxosc._kernels.pair_forms import (
    ClosedRate,
    Dissipator,
    Form,
    Modes,
    Part,
    modes_of,
    part_of,
    unscaled,
)
from jaxosc._numerics.divided import (
    Divided,
    doubled,
    tanh_of,
    tanh_of_sums,
    tanhc,
)
from jaxosc._numerics.sharing import reciprocal, sqrt
from jaxosc._numerics.special import exponent_limit

PairEquation: TypeAlias = Literal[
    "redfield", "partial-secular", "unified", "universal", "detailed-balance"
]


def dissipators(
    couple: Couple,
    damping: jax.Array,
    temperature: jax.Array,
    rates: tuple[ClosedRate, ClosedRate],
    coupling: BathCoupling,
    equation: PairEquation,
    width: jax.Array | None = None,
    scale: Scale | None = None,
) -> tuple[Dissipator, Dissipator]:
    """What each bath adds to the drift and the diffusion.

    Args:
        couple: the modes, bounded below.
        damping: γ [2].
        temperature: T [2].
        rates: γ_j(Ω) of each bath.
        coupling: "position", "momentum" or "rotating-wave".
        equation: the symbol Γ_ab, with S the spectrum of the bath:
            "redfield": S_b/2; "universal": √(S_aS_b)/2;
            "detailed-balance": √(S_aS_b)(1 + tanh((w_b − w_a)/4T))/2;
            "partial-secular": S_b/2 where |w_a − w_b| ≤ width, else 0;
            "unified": S(w̄)/2 where w_a and w_b are in one cluster of mean w̄, else 0. Clusters are
            made of the Ω_k no farther apart than the width, and mirrored.
        width: of the last two.
        scale: of quadratures in which the couple is, if any.
    """
    dual = coupling == "momentum"
    if dual:
        couple = couple._replace(k=-couple.k, det_v=couple.det_w, det_w=couple.det_v)
        scale = None if scale is None else Scale(reciprocal(scale.s1), reciprocal(scale.s2))
    modes = modes_of(couple)
    found = []
    for j, rate in enumerate(rates):
        bath = _Bath(modes, j, coupling, scale, damping[j], temperature[j], rate)
        if equation in ("universal", "detailed-balance"):
            part = bath.by_roots(equation == "detailed-balance")
        else:
            part = bath.by_spectrum(equation, width)
        part = unscaled(part, scale)
        found.append(Dissipator(part.c, part.b, part.pp, part.xx) if dual else part)
    return found[0], found[1]


def steady_state(
    couple: Couple, part: Dissipator, scale: Scale | None
) -> tuple[Entries, jax.Array]:
    """σ of two modes with what all baths add, and whether every motion decays.

    The couple is that of quadratures of this scale, if there is one, σ and the part are not.
    """
    if scale is not None:
        part = unscaled(part, Scale(reciprocal(scale.s1), reciprocal(scale.s2)))
    entries, stable = pair_lyapunov.steady(couple, *part)
    return entries.scaled(scale), stable


class _Bath:
    """One bath, coupled to x_j or, in the rotating-wave form, to a_j."""

    def __init__(
        self,
        modes: Modes,
        j: int,
        coupling: BathCoupling,
        scale: Scale | None,
        damping: jax.Array,
        temperature: jax.Array,
        rate: ClosedRate,
    ) -> None:
        self.modes, self.rate, self.given = modes, rate, temperature
        self.rotating = coupling == "rotating-wave"
        floor = modes.low / exponent_limit(modes.low.dtype)
        self.temperature = jnp.where(temperature > floor, temperature, floor)
        one = jnp.ones_like(modes.low)
        size = one * np.sqrt(0.5 if self.rotating else 2.0).astype(one.dtype)
        along = size if scale is None else size * scale[j]
        across = size if scale is None else size / scale[j]
        # c and Wc, d and Vd
        self.c, self.wc = _unit(j, along), times(modes.w[j], along)
        self.d, self.vd = _unit(j, across), times(modes.v[j], across)
        amplitude = damping
        if rate.power:
            amplitude = amplitude * reciprocal(rate.reference)
        self.fall = None
        if rate.cutoff is not None:
            inverse = reciprocal(rate.cutoff)
            inverse = inverse * inverse
            amplitude = amplitude * (1 + rate.reference * rate.reference * inverse)
            step = modes.product * inverse
            self.fall = Divided(
                1 + modes.mean * inverse,
                inverse * one,
                1 + 2 * modes.mean * inverse + step * step,
                modes.square,
            ).reciprocal()
        self.amplitude = amplitude

    def by_roots(self, balanced: bool) -> Dissipator:
        """√S_a√S_b/2, and what balances it in detail."""
        modes = self.modes
        parts, slope = modes.hyperbolic(4 * self.temperature)
        omega, inverse = modes.omega, modes.omega.reciprocal()
        tanh = tanh_of(parts, slope, modes.square)
        # √S of ±Ω is even ± odd: √(J/2) over and times √tanh(Ω/4T)
        root = sqrt(self.amplitude / 2)
        shape = (tanh.times(inverse) if self.rate.power else tanh).sqrt()
        even, odd = shape.reciprocal().scaled(root), shape.scaled(root)
        if self.fall is not None:
            fall = self.fall.sqrt()
            even, odd = even.times(fall), odd.times(fall)
        even, odd = even.junction(), odd.junction()
        even_over = even.times(inverse)
        odd, odd_over = (odd.times(omega), odd) if self.rate.power else (odd, odd.times(inverse))

        doubles, twist = doubled(parts), 2 * slope
        antisymmetric = self._antisymmetric()
        if self.rotating:
            x_even, x_odd = self._x(even, even_over), self._x(odd, odd_over)
            y_even, y_odd = self._p(even, even_over), self._p(odd, odd_over)
            rate = plus(outer(x_even.vector, y_odd.vector), outer(x_odd.vector, y_even.vector))
            rate = halved(rate)
            balance = halved(
                plus(
                    _commuted(antisymmetric, x_even, y_even),
                    _commuted(antisymmetric, x_odd, y_odd),
                )
            )
            xx = halved(plus(_own(y_even), _own(y_odd)))
            pp = halved(plus(_own(x_even), _own(x_odd)))
        else:
            x_even, p_odd = self._x(even, None), self._p(None, odd_over)
            rate, xx, pp = outer(x_even.vector, p_odd.vector), _own(p_odd), _own(x_even)
            if balanced:
                mean, once, twice = tanh_of_sums(doubles, twist)
                x_odd, p_even = self._x(odd, None), self._p(None, even_over)
                same = Form(mean, once - antisymmetric, once + antisymmetric, twice)
                opposite = Form(-mean, -once - antisymmetric, antisymmetric - once, -twice)
                balance = halved(plus(same.of(x_even, p_even), opposite.of(x_odd, p_odd)))
        if not balanced:
            return Dissipator(transposed(rate), rate, xx, pp)
        return Dissipator(transposed(less(rate, balance)), plus(rate, balance), xx, pp)

    def _antisymmetric(self) -> jax.Array:
        """tanh((Ω_+ − Ω_−)/4T)/(Ω_+² − Ω_−²), at T = 0 the sign of the difference over that.

        A temperature below those at which all else is as at T = 0 counts here: the scale is the
        splitting of the modes.
        """
        floor = self.modes.low * (1e-30 if self.modes.low.dtype == np.float64 else 1e-10)
        twice = 2 * jnp.where(self.given > floor, self.given, floor)
        slope = reciprocal(twice) * reciprocal(self.modes.total)
        return tanhc(self.modes.square * (slope * slope)) * slope / 2

    def by_spectrum(self, equation: PairEquation, width: jax.Array | None) -> Dissipator:
        """S_b/2 for some of the pairs a, b."""
        modes = self.modes
        parts, slope = modes.hyperbolic(2 * self.temperature)
        omega, inverse = modes.omega, modes.omega.reciprocal()
        tanh = tanh_of(parts, slope, modes.square)
        # J and J/Ω, and J coth(Ω/2T)
        zero, one = jnp.zeros_like(modes.low), jnp.ones_like(modes.low)
        friction = Divided(one, zero, one, modes.square).scaled(self.amplitude)
        if self.fall is not None:
            friction = self.fall.scaled(self.amplitude)
        if self.rate.power:
            noise = tanh.times(inverse).reciprocal().times(friction)
            density = friction.times(omega)
        else:
            noise = tanh.reciprocal().times(friction)
            density, friction = friction, friction.times(inverse)
        density, friction, noise = (x.junction() for x in (density, friction, noise))
        if equation == "redfield":
            return self._redfield(density, friction, noise)
        assert width is not None
        near = modes.high - modes.low <= width
        if equation == "unified":
            at_mean = self._at_mean()
            density = density.where(near, at_mean)
            noise = noise.where(near, at_mean * reciprocal(parts.tanh))
            friction = density.times(inverse)
        safe = jnp.where(near, 1, modes.square)
        same = Form(jnp.where(near, 1, 0.5) * one, zero, zero, jnp.where(near, 0, 0.5 / safe))
        counter = None if equation == "unified" else self._counter_rotating(width)
        return self._masked(density, friction, noise, same, counter)

    def _redfield(self, density: Divided, friction: Divided, noise: Divided) -> Dissipator:
        """All pairs."""
        if self.rotating:
            inverse = self.modes.omega.reciprocal()
            over = noise.times(inverse)
            x, y = self._x(density, friction).vector, self._p(density, friction).vector
            x_noise, y_noise = self._x(noise, over).vector, self._p(noise, over).vector
            return Dissipator(
                outer(self.d, x),
                outer(self.c, y),
                symmetrised(outer(self.d, y_noise)),
                symmetrised(outer(self.c, x_noise)),
            )
        y, x_noise = self._p(None, friction).vector, self._x(noise, None).vector
        rate = outer(self.c, y)
        none = ((jnp.zeros_like(y[0]),) * 2,) * 2
        return Dissipator(none, rate, none, symmetrised(outer(self.c, x_noise)))

    def _masked(
        self,
        density: Divided,
        friction: Divided,
        noise: Divided,
        same: Form,
        counter: Form | None,
    ) -> Dissipator:
        """Those of one sign in ``same``, of opposite signs in ``counter``."""
        modes = self.modes
        inverse = modes.omega.reciprocal()
        one, zero = jnp.ones_like(modes.low), jnp.zeros_like(modes.low)
        unity = Divided(one, zero, one, modes.square)
        over = noise.times(inverse)
        if self.rotating:
            x, y = self._x(density, friction), self._p(density, friction)
            x_noise, y_noise = self._x(noise, over), self._p(noise, over)
            lefts = [self._x(unity, inverse), self._p(unity, inverse)]
            left_x, left_p = (Part(halved(u.vector), halved(u.turned)) for u in lefts)
            b, c = same.of(left_p, x), same.of(left_x, y)
            xx, pp = same.of(left_p, y_noise), same.of(left_x, x_noise)
            if counter is not None:
                plain_x, plain_p = self._x(unity, None), self._p(unity, None)
                left_x, left_p = plain_x.minus(left_x), plain_p.minus(left_p)
                b, c = plus(b, counter.of(left_p, x)), plus(c, counter.of(left_x, y))
                xx = plus(xx, counter.of(left_p, y_noise))
                pp = plus(pp, counter.of(left_x, x_noise))
            return Dissipator(b, c, symmetrised(xx), symmetrised(pp))
        even = odd = Form(*(entry / 2 for entry in same))
        if counter is not None:
            even = Form(*(x + y / 2 for x, y in zip(even, counter, strict=True)))
            odd = Form(*(x - y / 2 for x, y in zip(odd, counter, strict=True)))
        left_x, left_p = self._x(unity, None), self._p(None, inverse)
        return Dissipator(
            odd.of(left_p, self._x(density, None)),
            even.of(left_x, self._p(None, friction)),
            symmetrised(odd.of(left_p, self._p(None, over))),
            symmetrised(even.of(left_x, self._x(noise, None))),
        )

    def _counter_rotating(self, width: jax.Array) -> Form:
        """Whether Ω_k + Ω_l ≤ width."""
        low, high = self.modes.low, self.modes.high
        one = jnp.ones_like(low)
        below, across, above = (
            jnp.where(x <= width, one, 0) for x in (2 * low, low + high, 2 * high)
        )
        square = jnp.where(below == above, 1, self.modes.square)
        root = sqrt(square)
        once = (above - below) / (4 * root)
        return Form(
            (above + below + 2 * across) / 4,
            once,
            once,
            (above + below - 2 * across) / (4 * square),
        )

    def _at_mean(self) -> jax.Array:
        """J at (Ω_+ + Ω_−)/2."""
        mean, value = self.modes.total / 2, self.amplitude
        if self.rate.power:
            value = value * mean
        if self.rate.cutoff is not None:
            ratio = mean * reciprocal(self.rate.cutoff)
            value = value * reciprocal(1 + ratio * ratio)
        return value

    def _x(self, f: Divided | None, over: Divided | None) -> Part:
        """The x of Σ_k f(Ω_k) X_k: of f c and f/Ω Vd; without the latter if X = c·x."""
        (a, b), (c, d) = self.modes.n
        turn = ((a, c), (b, d))
        found = None if f is None else part_of(f, self.c, turn)
        if self.rotating and over is not None:
            other = part_of(over, self.vd, turn)
            found = other if found is None else found.plus(other)
        assert found is not None
        return found

    def _p(self, f: Divided | None, over: Divided | None) -> Part:
        """The p over i: of f/Ω Wc and f d; without the latter if X = c·x."""
        found = None if over is None else part_of(over, self.wc, self.modes.n)
        if self.rotating and f is not None:
            other = part_of(f, self.d, self.modes.n)
            found = other if found is None else found.plus(other)
        assert found is not None
        return found


def _unit(j: int, size: jax.Array) -> Vector:
    zero = jnp.zeros_like(size)
    return (size, zero) if j == 0 else (zero, size)


def _own(x: Part) -> Square:
    return outer(x.vector, x.vector)


def _commuted(factor: jax.Array, x: Part, y: Part) -> Square:
    """Factor (x Nyᵀ − Nx yᵀ)."""
    return times(less(outer(x.vector, y.turned), outer(x.turned, y.vector)), factor)
