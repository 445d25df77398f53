"""Any number of modes with real couplings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._kernels import dense, few_modes, many_modes, network_secular, network_thermal
from jaxosc._kernels.growth import first_growth
from jaxosc._kernels.interface import BathCoupling, Kernel, Network, Rates, Secular
from jaxosc._numerics import small
from jaxosc._numerics.bogoliubov import normal_frame
from jaxosc._numerics.eigenvalues import smallest_eigenvalue
from jaxosc._numerics.linear import any_of_all, bounded_memory, by_blocks, cholesky
from jaxosc._numerics.lyapunov import solution_unless_weak
from jaxosc._numerics.small import interleave, nan_unless, symplectic

Products = Literal["always", "in batches", "never"]


@dataclass(frozen=True)
class NetworkKernel(Kernel):
    """What few and many modes share: all but the equation Aσ + σAᵀ + D = 0."""

    network: Network
    hollow: bool  # whether the pairing has no diagonal

    @property
    def frequency(self) -> jax.Array:
        """ω [N]."""
        return self.network.frequency

    @abstractmethod
    def steady(self, damping: jax.Array, diffusion: jax.Array) -> jax.Array:
        """σ [2N, 2N] for any D [2N, 2N], with amplitude damping; NaN unless A is stable."""

    def well_formed(self) -> jax.Array:
        """Entry by entry."""
        _, exchange, pairing = self.network
        sound = jnp.all(exchange == exchange.T) & jnp.all(jnp.diag(exchange) == 0)
        sound &= jnp.all(pairing == pairing.T)
        return sound & jnp.all(jnp.diag(pairing) == 0) if self.hollow else sound

    def bounded(self) -> jax.Array:
        """By the pivots of V and W."""
        bounded = jnp.all(self.network.frequency > 0) & self.well_formed()
        return bounded & _is_positive(self.network)

    def normal_modes(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """By a singular-value decomposition, refined inside groups."""
        frame = normal_frame(*self.network)
        mean = frame.mean_frequency
        frequency = jax.lax.stop_gradient(frame.frequency) + mean - jax.lax.stop_gradient(mean)
        return frequency, frame.u, frame.v

    def degenerate(self) -> jax.Array:
        """The groups of the normal frame."""
        return jnp.diagonal(normal_frame(*self.network).same, 1)

    def critical_ratio(self) -> jax.Array:
        """Minus the smallest eigenvalue of ω^(−1/2) (λ ± κ) ω^(−1/2)."""
        omega, *couplings = self.network
        root = jnp.sqrt(omega)
        j, k = (m / root[:, None] / root[None, :] for m in couplings)
        return -jnp.minimum(smallest_eigenvalue(j + k), smallest_eigenvalue(j - k))

    def stability_scale(
        self, damping: jax.Array, critical: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """By the first eigenvalue of A(s) on the imaginary axis."""
        omega, exchange, pairing = self.network
        decay, zero = -jnp.diag(damping), jnp.zeros_like(exchange)
        base = interleave(decay, jnp.diag(omega), -jnp.diag(omega), decay)
        slope = interleave(zero, exchange - pairing, -(exchange + pairing), zero)
        return first_growth(base, slope, jnp.all(damping > 0), critical, valid)

    def fastest(self, damping: jax.Array) -> jax.Array:
        """From the row sums of V and W."""
        potential, kinetic = self.network.potential(), self.network.kinetic()
        return network_thermal.highest_frequency(potential, kinetic) + jnp.max(damping)

    def thermal(self, temperature: jax.Array, valid: jax.Array) -> jax.Array:
        """By a Matsubara sum."""
        return nan_unless(valid, network_thermal.thermal_covariance(self.network, temperature))

    def local_diffusion(self, noise: jax.Array, valid: jax.Array) -> jax.Array:
        """A diagonal matrix."""
        return jnp.diag(jnp.repeat(nan_unless(valid, noise), 2))

    def local_state(self, damping: jax.Array, noise: jax.Array, valid: jax.Array) -> jax.Array:
        """By ``steady``."""
        return self.steady(damping, self.local_diffusion(noise, valid))

    def langevin_diffusion(
        self, damping: jax.Array, temperature: small.Entries, unit: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """By a Matsubara sum."""
        diffusion = network_thermal.effective_diffusion(
            self.network, damping, small.together(temperature)
        )
        return nan_unless(valid, diffusion * unit)

    def langevin_state(
        self, damping: jax.Array, temperature: small.Entries, valid: jax.Array
    ) -> jax.Array:
        """By ``steady``."""
        diffusion = network_thermal.effective_diffusion(
            self.network, damping, small.together(temperature)
        )
        return self.steady(damping, nan_unless(valid, diffusion))

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
        """In the normal frame, with the coherences inside groups of degenerate modes."""
        assert isinstance(coupling, str)
        parts = (self.network, damping, small.together(temperature), unit, valid)
        return network_secular.secular(*parts, coupling=coupling, rate=rate)


@dataclass(frozen=True)
class FewKernel(NetworkKernel):
    """A handful of modes."""

    way: ClassVar[str] = "one dense system, of slow and fast unknowns apart"
    least_ratio: ClassVar[dict[int, float]] = {4: 1e-3, 8: 1e-10}

    def steady(self, damping: jax.Array, diffusion: jax.Array) -> jax.Array:
        """As one dense system."""
        return few_modes.steady_covariance(*self.network, damping, diffusion, self.hollow)


@dataclass(frozen=True)
class SingleKernel(FewKernel):
    """One mode."""

    least_ratio: ClassVar[dict[int, float]] = {4: 1e-5, 8: 1e-10}

    def stability_scale(
        self, damping: jax.Array, critical: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """Infinite, with damping."""
        return nan_unless(valid & (damping[0] > 0), critical)


@dataclass(frozen=True)
class ManyKernel(NetworkKernel):
    """More modes than a dense system is made for."""

    way: ClassVar[str] = "doubling of the time step; normal coordinates for weak damping"
    least_ratio: ClassVar[dict[int, float]] = {4: 1e-3, 8: 1e-6}

    products: Products  # when it doubles, rather than iterate in normal coordinates

    def steady(self, damping: jax.Array, diffusion: jax.Array) -> jax.Array:
        """By products, in normal coordinates where the damping is weak."""
        if self.products == "always":
            return _state_in_blocks(*self.network, damping, diffusion)
        return _state(self.products, self.network, damping, diffusion)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _state(
    products: Products, network: Network, damping: jax.Array, diffusion: jax.Array
) -> jax.Array:
    return _VALUES[products](network, damping, (diffusion + diffusion.T) / 2)


# Beside its derivatives in either branch a batch would keep what both need: 46 kB a network of 8.
@bounded_memory
def _state_in_blocks(*arguments: jax.Array) -> jax.Array:
    *network, damping, diffusion = arguments
    return _state("always", Network(*network), damping, diffusion)


@_state.defjvp
def _state_jvp(
    products: Products, primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[jax.Array, jax.Array]:
    # What changes a state is a difference of products that commute but for the damping: in any
    # coordinates but normal ones it has an error of ε ω/γ.
    network, damping, _ = jax.lax.stop_gradient(primals)
    if products != "always":
        return jax.jvp(_in_normal_coordinates, primals, tangents)
    least = float(np.finfo(damping.dtype).eps) ** (1 / 3) * jnp.max(network.frequency)
    return jax.lax.cond(
        any_of_all(jnp.any(damping < least)),
        partial(jax.jvp, _in_normal_coordinates, primals),
        partial(jax.jvp, _in_quadratures, primals),
        tangents,
    )


def _in_quadratures(network: Network, damping: jax.Array, diffusion: jax.Array) -> jax.Array:
    closed, decay = symplectic(_hessian(network)), -jnp.diag(jnp.repeat(damping, 2))
    return few_modes.solution_of(closed + decay, partial(_strong, closed, decay), diffusion)


@by_blocks
def _strong(closed: jax.Array, decay: jax.Array, diffusion: jax.Array) -> jax.Array:
    return solution_unless_weak(diffusion, closed, decay)[0]


def _by_products(network: Network, damping: jax.Array, diffusion: jax.Array) -> jax.Array:
    closed = symplectic(_hessian(network))
    found, weak = solution_unless_weak(diffusion, closed, -jnp.diag(jnp.repeat(damping, 2)))

    def by_modes() -> jax.Array:
        bounded = _is_positive(network)
        exact = _bounded_state(network, bounded, damping, diffusion)
        return jnp.where(weak & bounded, exact, found)

    return jax.lax.cond(any_of_all(weak), by_modes, lambda: found)


def _in_normal_coordinates(network: Network, damping: jax.Array, diffusion: jax.Array) -> jax.Array:
    """By the hessian where H has no normal modes."""
    bounded = _is_positive(network)
    usual = _bounded_state(network, bounded, damping, diffusion)

    def by_hessian() -> jax.Array:
        decay = -jnp.diag(jnp.repeat(damping, 2))
        other = dense.steady_covariance(_hessian(network), decay, diffusion)
        return jnp.where(bounded, usual, other)

    return jax.lax.cond(any_of_all(~bounded), by_hessian, lambda: usual)


_VALUES: dict[Products, Callable[..., jax.Array]] = {
    "always": by_blocks(_by_products),
    "in batches": by_blocks(_in_normal_coordinates, jax.vmap(_by_products)),
    "never": _in_normal_coordinates,
}


def _bounded_state(
    network: Network, bounded: jax.Array, damping: jax.Array, diffusion: jax.Array
) -> jax.Array:
    """That of another network unless H is bounded."""
    one = jnp.eye(len(damping), dtype=damping.dtype)
    frequency, exchange, pairing = network
    # What is dropped must have no NaN, or its derivatives have.
    safe = (
        jnp.where(bounded, frequency, 1),
        jnp.where(bounded, exchange, 0 * one),
        jnp.where(bounded, pairing, 0 * one),
    )
    return many_modes.steady_covariance(*safe, jnp.where(bounded, damping, 1), diffusion)


def _is_positive(network: Network) -> jax.Array:
    """Whether V and W are."""
    pivots = [
        jnp.diag(cholesky(jax.lax.stop_gradient(matrix)))
        for matrix in (network.potential(), network.kinetic())
    ]
    return jnp.all(jnp.stack(pivots) > 0)  # cholesky marks failure with NaN


def _hessian(network: Network) -> jax.Array:
    potential, kinetic = network.potential(), network.kinetic()
    zero = jnp.zeros_like(potential)
    return interleave(potential, zero, zero, kinetic)
