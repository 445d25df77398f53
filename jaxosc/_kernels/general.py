"""Any quadratic Hamiltonian: complex couplings, and baths that several oscillators share.

Several times slower than the kernels of real couplings, and free of their conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from jaxosc._kernels import dense
from jaxosc._kernels.growth import first_growth
from jaxosc._kernels.interface import BathCoupling, Kernel, Rates, Secular, SecularMatrices
from jaxosc._kernels.modes import normal_frame
from jaxosc._kernels.secular import secular
from jaxosc._numerics import small
from jaxosc._numerics.eigenvalues import smallest_eigenvalue
from jaxosc._numerics.small import nan_unless, symplectic


@dataclass(frozen=True)
class GeneralKernel(Kernel):
    """A network by the hessian of its H."""

    own: jax.Array  # ω [N]
    hessian: jax.Array  # [2N, 2N]
    sound: jax.Array  # whether it stands for a Hermitian H

    way: ClassVar[str] = "the hessian of H, for complex couplings and rows"
    least_ratio: ClassVar[dict[int, float]] = {4: 1e-3, 8: 1e-6}

    @property
    def frequency(self) -> jax.Array:
        """ω [N]."""
        return self.own

    def own_rows(self) -> jax.Array:
        """The rows of a_j, one an oscillator."""
        return dense.lowering_rows(jnp.eye(len(self.frequency), dtype=self.frequency.dtype))

    def well_formed(self) -> jax.Array:
        """As found when the hessian was put together."""
        return self.sound

    def bounded(self) -> jax.Array:
        """By the pivots of the hessian."""
        return self.sound & dense.is_bounded(self.hessian)

    def normal_modes(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """By an eigensolver, refined inside groups; U and V are complex."""
        frame = normal_frame(self.hessian)
        mean = frame.mean_frequency
        frequency = jax.lax.stop_gradient(frame.frequency) + mean - jax.lax.stop_gradient(mean)
        return frequency, frame.u, frame.v

    def degenerate(self) -> jax.Array:
        """The groups of the normal frame."""
        return jnp.diagonal(normal_frame(self.hessian).same, 1)

    def critical_ratio(self) -> jax.Array:
        """Minus the smallest eigenvalue of ω^(−1/2) (h − ω) ω^(−1/2)."""
        omega = jnp.repeat(self.frequency, 2)
        root = jnp.sqrt(omega)
        couplings = (self.hessian - jnp.diag(omega)) / root[:, None] / root[None, :]
        return -smallest_eigenvalue(couplings)

    def stability_scale(
        self, damping: jax.Array, critical: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """By the first eigenvalue of A(s) on the imaginary axis."""
        omega = jnp.diag(jnp.repeat(self.frequency, 2))
        base = symplectic(omega) - jnp.diag(jnp.repeat(damping, 2))
        slope = symplectic(self.hessian - omega)
        return first_growth(base, slope, jnp.all(damping > 0), critical, valid)

    def growth_scale(self, bath_drift: jax.Array, valid: jax.Array) -> jax.Array:
        """The same in any frame, with what the baths add to the drift."""
        omega = jnp.diag(jnp.repeat(self.frequency, 2))
        base = symplectic(omega) + bath_drift
        slope = symplectic(self.hessian - omega)
        size, coupled = (jnp.linalg.norm(jax.lax.stop_gradient(x)) for x in (base, slope))
        return first_growth(base, slope, dense.is_stable(base), size / coupled, valid)

    def fastest(self, damping: jax.Array) -> jax.Array:
        """From the row sums of A²."""
        drift = symplectic(self.hessian) - jnp.diag(jnp.repeat(damping, 2))
        return dense.scales(drift)[1]

    def thermal(self, temperature: jax.Array, valid: jax.Array) -> jax.Array:
        """By a Matsubara sum."""
        return nan_unless(valid, dense.gibbs_covariance(self.hessian, temperature))

    def local_diffusion(self, noise: jax.Array, valid: jax.Array) -> jax.Array:
        """A diagonal matrix."""
        return jnp.diag(jnp.repeat(nan_unless(valid, noise), 2))

    def local_state(self, damping: jax.Array, noise: jax.Array, valid: jax.Array) -> jax.Array:
        """By ``steady``."""
        decay = -jnp.diag(jnp.repeat(damping, 2))
        return self.steady(decay, self.local_diffusion(noise, valid))

    def steady(self, bath_drift: jax.Array, diffusion: jax.Array) -> jax.Array:
        """σ with Aσ + σAᵀ + D = 0, A = J h + what the baths add to it; NaN unless stable."""
        return dense.steady_covariance(self.hessian, bath_drift, diffusion)

    def langevin_diffusion(
        self, damping: jax.Array, temperature: small.Entries, unit: jax.Array, valid: jax.Array
    ) -> jax.Array:
        """By a Matsubara sum."""
        found = dense.flat_langevin(
            self.hessian, self.own_rows(), damping, small.together(temperature)
        )
        return nan_unless(valid, found.diffusion * unit)

    def langevin_state(
        self, damping: jax.Array, temperature: small.Entries, valid: jax.Array
    ) -> jax.Array:
        """By ``steady``."""
        found = dense.flat_langevin(
            self.hessian, self.own_rows(), damping, small.together(temperature)
        )
        return self.steady(found.drift, nan_unless(valid, found.diffusion))

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
        named = isinstance(coupling, str)
        rows = self.rows_of(coupling) if isinstance(coupling, str) else coupling
        # A row has no oscillator of its own: its rate has another reference
        own = self.frequency if named else jnp.ones_like(damping)
        each = rate if isinstance(rate, tuple) else (rate,) * len(rows)

        def rates(omega: jax.Array) -> jax.Array:
            found = [of(damping[m], own[m], omega) for m, of in enumerate(each)]
            return jnp.stack([jnp.broadcast_to(value, omega.shape) for value in found])

        found = secular(self.hessian, rows, rates, small.together(temperature))
        valid &= found.damped
        return SecularMatrices(
            found.drift * unit,
            nan_unless(valid, found.diffusion * unit),
            nan_unless(valid, found.covariance),
            found.damped,
        )

    def rows_of(self, coupling: str) -> jax.Array:
        """The rows [N, 2N] of what the baths couple to, by its name."""
        own = self.own_rows()  # of a = (x + ip)/√2
        if coupling == "rotating-wave":
            return own
        parts = {"position": own.real, "momentum": own.imag}
        half = parts[coupling]
        return 2 * half.astype(own.dtype)
