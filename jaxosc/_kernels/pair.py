"""Two modes: every step works on scalars, and fuses into one loop under ``vmap``.

What any number of modes can do, at several times the speed, and with more digits near a critical
point: the determinants of V and W come from outside, as exact as they are known there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxosc._kernels import pair_langevin, pair_modes, pair_secular, pair_stability
from jaxosc._kernels.interface import BathCoupling, Kernel, Network, Rates, Secular
from jaxosc._kernels.pair_equation import Couple, Entries, modes_apart, stability, steady_entries
from jaxosc._numerics.special import bose


@dataclass(frozen=True)
class PairKernel(Kernel):
    """Two modes with real couplings."""

    network: Network
    couple: Couple

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
            sound &= (matrix[0, 1] == matrix[1, 0]) & (matrix[0, 0] == 0) & (matrix[1, 1] == 0)
        return sound

    def bounded(self) -> jax.Array:
        """By the determinants of V and W."""
        omega = self.network.frequency
        bounded = (omega[0] > 0) & (omega[1] > 0) & (self.couple.det_v > 0)
        return bounded & (self.couple.det_w > 0) & self.well_formed()

    def normal_modes(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """By spectral projectors."""
        (low, high), position, momentum = pair_modes.quadratures(self.couple)
        # Rounding must not put equal frequencies out of order; derivatives stay as they are.
        low += jax.lax.stop_gradient(jnp.minimum(high - low, 0))
        x, p = jnp.array(position), jnp.array(momentum)
        return jnp.array([low, high]), (x + p) / 2, (x - p) / 2

    def degenerate(self) -> jax.Array:
        """Where the splitting is zero to the last bit."""
        return (pair_modes.frequencies(self.couple)[2] == 0)[None]

    def critical_ratio(self) -> jax.Array:
        """(|λ| + |κ|)/√(ω_1ω_2)."""
        omega, *couplings = self.network
        root = jnp.sqrt(omega)
        j, k = ((m[0, 1] + m[1, 0]) / 2 / root[0] / root[1] for m in couplings)
        return jnp.maximum(jnp.abs(j + k), jnp.abs(j - k))

    def stability_scale(
        self, damping: jax.Array, critical: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """In closed form."""
        pair = self.couple.damped(damping)
        return pair_stability.stability_scale(pair, valid)

    def fastest(self, damping: jax.Array) -> jax.Array:
        """From the trace of WV."""
        return pair_langevin.fastest(self.couple.damped(damping))

    def thermal(self, temperature: jax.Array, valid: jax.Array) -> jax.Array:
        """In closed form."""
        low, high, _ = pair_modes.frequencies(self.couple)
        numbers = bose(low, temperature), bose(high, temperature)
        return pair_modes.thermal(self.couple, temperature, numbers).where(valid).matrix()

    def local_diffusion(self, noise: jax.Array, valid: jax.Array) -> jax.Array:
        """Entry by entry."""
        block = (noise[0], jnp.zeros_like(noise[0]), noise[1])
        return modes_apart(block, block).where(valid).matrix()

    def local_state(self, damping: jax.Array, noise: jax.Array, valid: jax.Array) -> jax.Array:
        """In closed form."""
        pair = self.couple.damped(damping)
        covariance = steady_entries(pair, noise[0] / 2, noise[1] / 2)
        return covariance.where(valid & stability(pair).holds).matrix()

    def langevin_diffusion(
        self, damping: jax.Array, temperature: jax.Array, unit: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """By sums over the inverse of a quartic."""
        noise, _ = pair_langevin.langevin(self.couple.damped(damping), temperature)
        return Entries(*(entry * unit for entry in noise)).where(valid).matrix()

    def langevin_state(
        self, damping: jax.Array, temperature: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """Apart from D, whose classical part outgrows the rest near a critical point."""
        _, covariance = pair_langevin.langevin(self.couple.damped(damping), temperature)
        return covariance.where(valid).matrix()

    def secular(
        self,
        damping: jax.Array,
        temperature: jax.Array,
        unit: jax.Array,
        valid: jax.Array,
        *,
        coupling: BathCoupling | jax.Array,
        rate: Rates,
    ) -> Secular:
        """Mode by mode."""
        assert isinstance(coupling, str)
        rates = rate if isinstance(rate, tuple) else (rate, rate)
        shares = [partial(pair_secular.share_of, coupling=coupling, rate=each) for each in rates]
        return pair_secular.secular(self.couple, damping, temperature, shares, unit, valid)
