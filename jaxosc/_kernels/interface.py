"""What a kernel is: the answers for one network, from its arrays alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal, NamedTuple, Protocol, TypeAlias

import jax
import jax.numpy as jnp

from jaxosc._numerics import small

# The x or p of its oscillator, or its a; "quadratures" is the mean of the rates by x and by p.
BathCoupling: TypeAlias = Literal["rotating-wave", "position", "momentum", "quadratures"]

# γ_j(Ω) of γ_j, ω_j and Ω, elementwise, in the unit of the kernel; one for all baths or one each.
Rate: TypeAlias = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]
Rates: TypeAlias = Rate | tuple[Rate, ...]


class Network(NamedTuple):
    """Real couplings of any number of modes, H = ½ xᵀVx + ½ pᵀWp up to a constant."""

    frequency: jax.Array  # ω [N]
    exchange: jax.Array  # λ [N, N]
    pairing: jax.Array  # κ [N, N]

    def potential(self) -> jax.Array:
        """V = ω + λ + κ [N, N]."""
        return jnp.diag(self.frequency) + self.exchange + self.pairing

    def kinetic(self) -> jax.Array:
        """W = ω + λ − κ [N, N]."""
        return jnp.diag(self.frequency) + self.exchange - self.pairing


class Secular(Protocol):
    """The global Lindblad equation; D and σ are NaN unless valid and damped."""

    @property
    def drift(self) -> jax.Array:
        """What the baths add to J h [2N, 2N]."""

    @property
    def diffusion(self) -> jax.Array:
        """D."""

    @property
    def stationary(self) -> jax.Array:
        """σ."""

    @property
    def damped(self) -> jax.Array:
        """Whether every normal mode is."""


class SecularMatrices(NamedTuple):
    """All of it."""

    drift: jax.Array
    diffusion: jax.Array
    stationary: jax.Array
    damped: jax.Array


class Kernel(ABC):
    """One network, its arrays in one unit of energy, and all that is computed of it.

    The unit is next to the largest frequency, so that products of several frequencies stay in
    range; damping and temperature are arrays [N] in the same unit. A diffusion is returned in the
    unit that ``unit`` is one of. Whatever takes ``valid`` is NaN unless it holds.
    """

    # By bytes of the dtype, the smallest ratio of two frequencies of a network. Measured against 50
    # digits, at random parameters: within it at least three digits are left, typically all; beyond
    # it a description may return a plausible number that is wrong.
    least_ratio: ClassVar[dict[int, float]]

    # How it works, to be read after "…_lindblad: "
    way: ClassVar[str]

    @property
    @abstractmethod
    def frequency(self) -> jax.Array:
        """ω [N]."""

    @abstractmethod
    def well_formed(self) -> jax.Array:
        """Whether H is Hermitian as stated."""

    def in_reach(self) -> jax.Array:
        """Whether the kernel can work on it, bounded or not."""
        return jnp.ones((), bool)

    @abstractmethod
    def bounded(self) -> jax.Array:
        """Whether it is so, and bounded below with a gap."""

    @abstractmethod
    def normal_modes(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Ω [N] ascending, U and V [N, N]; meaningless where H is not bounded below."""

    @abstractmethod
    def degenerate(self) -> jax.Array:
        """Whether the secular equation takes each normal mode and the next as one group [N − 1]."""

    @abstractmethod
    def critical_ratio(self) -> jax.Array:
        """All couplings over those at which H stops being bounded; in any unit."""

    @abstractmethod
    def stability_scale(
        self, damping: jax.Array, critical: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """The factor of all couplings at which a damped motion first grows."""

    @abstractmethod
    def fastest(self, damping: jax.Array) -> jax.Array:
        """An upper bound of the sizes of the eigenvalues of the damped drift."""

    @abstractmethod
    def thermal(self, temperature: jax.Array, valid: jax.Array) -> jax.Array:
        """σ [2N, 2N] of the Gibbs state."""

    @abstractmethod
    def local_diffusion(self, noise: jax.Array, valid: jax.Array) -> jax.Array:
        """D [2N, 2N] with noise [N], in any unit, on both quadratures of each oscillator."""

    @abstractmethod
    def local_state(self, damping: jax.Array, noise: jax.Array, valid: jax.Array) -> jax.Array:
        """σ [2N, 2N] with amplitude damping and such a diffusion."""

    @abstractmethod
    def langevin_diffusion(
        self, damping: jax.Array, temperature: small.Entries, unit: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """D [2N, 2N] of the steady state of the Langevin equation with flat baths."""

    @abstractmethod
    def langevin_state(
        self, damping: jax.Array, temperature: small.Entries, valid: jax.Array
    ) -> jax.Array:
        """σ [2N, 2N] of the Langevin equation with flat baths."""

    @abstractmethod
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
        """The global Lindblad equation, its drift and diffusion in the unit of the user.

        Rows u [M, 2N] in place of a name are for the kernel of any H: a bath each.

        With a_j = Σ_k U_jk c_k + V_jk c_k†, the bath of oscillator j damps normal mode k at
        γ_j(Ω_k) times U_jk², (U_jk + V_jk)², (U_jk − V_jk)² or U_jk² + V_jk², in the order of
        the names of ``BathCoupling``.
        """
