"""Two modes: every step works on scalars, and fuses into one loop under ``vmap``.

What any number of modes can do, at several times the speed, and with more digits near a critical
point: the determinants of V and W come from outside, as exact as they are known there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxosc._kernels import pair_langevin, pair_modes, pair_secular, pair_stability
from jaxosc._kernels.interface import BathCoupling, Kernel, Network, Rates, Secular
from jaxosc._kernels.network import FewKernel
from jaxosc._kernels.pair_equation import (
    Couple,
    Entries,
    Pair,
    PhaseSource,
    Scale,
    modes_apart,
    stability,
    steady_entries,
)
from jaxosc._kernels.pair_response import by_response, is_reused, of_batches
from jaxosc._numerics import small
from jaxosc._numerics.complex_scalar import Complex
from jaxosc._numerics.jacobians import by_tables
from jaxosc._numerics.sharing import in_one_gradient
from jaxosc._numerics.special import bose


@dataclass(frozen=True)
class PairKernel(Kernel):
    """Two modes with real couplings.

    Where the pairing may have a diagonal, the couple is that of the scaled quadratures, in which it
    has none; with a diagonal of zero the scale is one, and no bit changes.
    """

    network: Network
    couple: Couple
    scale: Scale | None = None

    least_ratio: ClassVar[dict[int, float]] = {4: 1e-5, 8: 1e-10}
    way: ClassVar[str] = "two modes in closed form"

    @property
    def frequency(self) -> jax.Array:
        """ω [2]."""
        return self.network.frequency

    def well_formed(self) -> jax.Array:
        """Entry by entry."""
        sound = jnp.ones((), bool)
        for matrix in (self.network.exchange, self.network.pairing):
            sound &= matrix[0, 1] == matrix[1, 0]
            if matrix is self.network.exchange or self.scale is None:
                sound &= (matrix[0, 0] == 0) & (matrix[1, 1] == 0)
        return sound

    def in_reach(self) -> jax.Array:
        """|κ_jj| < ω_j, without which there is no such scale."""
        if self.scale is None:
            return jnp.ones((), bool)
        omega, _, pairing = self.network
        inside = [jnp.abs(pairing[j, j]) < omega[j] for j in (0, 1)]
        return inside[0] & inside[1]

    def bounded(self) -> jax.Array:
        """By the determinants of V and W."""
        omega = self.network.frequency
        bounded = (omega[0] > 0) & (omega[1] > 0) & (self.couple.det_v > 0)
        return bounded & (self.couple.det_w > 0) & self.well_formed() & self.in_reach()

    def normal_modes(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """By spectral projectors."""
        (low, high), position, momentum = pair_modes.quadratures(self.couple, self.scale)
        # Rounding must not put equal frequencies out of order; derivatives stay as they are.
        low += jax.lax.stop_gradient(jnp.minimum(high - low, 0))
        x, p = jnp.array(position), jnp.array(momentum)
        return jnp.array([low, high]), (x + p) / 2, (x - p) / 2

    def degenerate(self) -> jax.Array:
        """Where the splitting is zero to the last bit."""
        return (pair_modes.frequencies(self.couple)[2] == 0)[None]

    def critical_ratio(self) -> jax.Array:
        """(|λ| + |κ|)/√(ω_1ω_2) without a diagonal of κ; with one minus the smallest eigenvalue."""
        omega, *couplings = self.network
        root = jnp.sqrt(omega)
        j, k = ((m[0, 1] + m[1, 0]) / 2 / root[0] / root[1] for m in couplings)
        if self.scale is None:
            return jnp.maximum(jnp.abs(j + k), jnp.abs(j - k))
        own = [self.network.pairing[n, n] / omega[n] for n in (0, 1)]
        mean, half = (own[0] + own[1]) / 2, (own[0] - own[1]) / 2
        apart = half != 0

        def gap(link: jax.Array) -> jax.Array:
            size = jnp.sqrt(jnp.where(apart, half, 1) ** 2 + link**2)
            return jnp.where(apart, size, jnp.abs(link))

        return jnp.maximum(gap(j + k) - mean, gap(j - k) + mean)

    def stability_scale(
        self, damping: jax.Array, critical: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """In closed form without a diagonal of κ."""
        if self.scale is not None:
            return FewKernel(self.network, False).stability_scale(damping, critical, valid)
        pair = self.couple.damped(damping)
        return pair_stability.stability_scale(pair, valid)

    def fastest(self, damping: jax.Array) -> jax.Array:
        """From the trace of WV."""
        return pair_langevin.fastest(self.couple.damped(damping))

    def thermal(self, temperature: jax.Array, valid: jax.Array) -> jax.Array:
        """In closed form."""
        found = by_tables(_gibbs, self.couple, temperature)
        return found.scaled(self.scale).where(valid).matrix()

    def local_diffusion(self, noise: jax.Array, valid: jax.Array) -> jax.Array:
        """Entry by entry."""
        block = (noise[0], jnp.zeros_like(noise[0]), noise[1])
        return modes_apart(block, block).where(valid).matrix()

    def local_state(self, damping: jax.Array, noise: jax.Array, valid: jax.Array) -> jax.Array:
        """In closed form."""
        pair = self.couple.damped(damping)
        if self.scale is None:
            covariance = Entries(*_local_state(*pair, noise[0] / 2, noise[1] / 2))
        else:
            covariance = self._local_scaled(pair, noise).scaled(self.scale)
        return covariance.where(valid & stability(pair).holds).matrix()

    def _local_scaled(self, pair: Pair, noise: jax.Array) -> Entries:
        """σ of the scaled quadratures, whose noise is D_j/s_j² and D_js_j²."""
        assert self.scale is not None
        zero = jnp.zeros_like(noise[0])
        x1, x2 = noise[0] / self.scale.s1**2, noise[1] / self.scale.s2**2
        p1, p2 = noise[0] * self.scale.s1**2, noise[1] * self.scale.s2**2
        none = Complex(zero, zero)
        phases = PhaseSource(Complex((p1 - x1) / 4, zero), Complex((p2 - x2) / 4, zero), none, none)
        return steady_entries(pair, (x1 + p1) / 4, (x2 + p2) / 4, phases)

    def langevin_diffusion(
        self, damping: jax.Array, temperature: small.Entries, unit: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """By sums over the inverse of a quartic."""
        pair, *each = in_one_gradient((self.couple.damped(damping), *temperature))
        noise = pair_langevin.langevin_diffusion(pair, tuple(each))
        found = Entries(*(entry * unit for entry in noise)).scaled(self.scale)
        return found.where(valid).matrix()

    def langevin_state(
        self, damping: jax.Array, temperature: small.Entries, valid: jax.Array
    ) -> jax.Array:
        """Apart from D, whose classical part outgrows the rest near a critical point."""
        pair, *each = in_one_gradient((self.couple.damped(damping), *temperature))
        covariance = pair_langevin.langevin_state(pair, tuple(each))
        return covariance.scaled(self.scale).where(valid).matrix()

    def secular(
        self,
        damping: jax.Array,
        temperature: small.Entries,
        unit: jax.Array,
        valid: jax.Array,
        *,
        coupling: BathCoupling | jax.Array,
        rate: Rates,
    ) -> Secular:
        """Mode by mode."""
        assert isinstance(coupling, str)
        rates = rate if isinstance(rate, tuple) else (rate, rate)
        own = (self.frequency[0], self.frequency[1])
        return pair_secular.PairSecular(
            self.couple, damping, temperature, rates, unit, valid, own, self.scale, coupling
        )


def _local_state_of_point(*arguments: jax.Array) -> tuple[jax.Array, ...]:
    """σ of a pair and two sources."""
    *pair, source1, source2 = arguments
    return tuple(steady_entries(Pair(*pair), source1, source2))


def _local_state_of_batch(*arguments: jax.Array) -> tuple[jax.Array, ...]:
    """Where only the noise varies along a row, the response to it is one of the pair alone."""
    pair, sources = Pair(*arguments[:-2]), arguments[-2:]
    rows = jnp.broadcast_shapes(*(x.shape for x in pair))
    shape = jnp.broadcast_shapes(rows, *(x.shape for x in sources))
    if not is_reused(rows, shape):
        return _local_state_of_point(*arguments)
    return by_response(lambda *one: _local_state_of_point(*pair, *one), rows, sources)


_local_state = of_batches(_local_state_of_batch, _local_state_of_point)


def _gibbs(couple: Couple, temperature: jax.Array) -> Entries:
    low, high, _ = pair_modes.frequencies(couple)
    numbers = bose(low, temperature), bose(high, temperature)
    return pair_modes.thermal(couple, temperature, numbers)
