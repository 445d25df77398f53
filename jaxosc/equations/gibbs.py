"""Thermal equilibrium of the coupled network."""

from __future__ import annotations

import jax

from jaxosc import _checks, domain
from jaxosc import oscillators as _oscillators
from jaxosc._compilation import compiled
from jaxosc._kernels import selection
from jaxosc.oscillators import Oscillators
from jaxosc.typing import Reals


def gibbs(oscillators: Oscillators, temperature: Reals) -> jax.Array:
    """Covariance of the Gibbs state exp(−H/T)/Z of the coupled network.

    Every normal mode is at its thermal occupation N(Ω_k, T):
    σ = T Σ_k sym (h + ν_kJ)⁻¹, ν_k = 2πTk, k ∈ ℤ, h the hessian of H; with real couplings
    ⟨xxᵀ⟩ = ½ f(WV)W, ⟨ppᵀ⟩ = ½ V f(WV) with f(Ω²) = coth(Ω/2T)/Ω.

    Args:
        oscillators: N modes with any Hamiltonian that is bounded below.
        temperature: T ≥ 0, a scalar in the unit of ω; the ground state at T = 0.

    Returns:
        σ [2N, 2N], order (x1, p1, x2, p2, …), vacuum variance 1/2. NaN where H is not bounded
        below or T < 0 and the values are known only inside a transformation.

    Raises:
        ValueError: if T is not a scalar ≥ 0, or H is known and not bounded below.

    Source: Konopik & Lutz, App. C, last paragraph.
    """
    _oscillators.require_network(oscillators)
    oscillators = _oscillators.entered(oscillators)
    # The temperature follows the oscillators unless it is an array of its own precision.
    _, temperature = _checks.float_arrays(
        oscillators=oscillators.frequency, temperature=temperature
    )
    _checks.require_shape("temperature", temperature, ())
    _checks.require_finite("temperature", temperature)
    _checks.require("temperature", temperature, lambda t: t >= 0, "not be negative")
    oscillators = jax.tree.map(
        lambda leaf: _checks.in_precision(leaf, temperature.dtype), oscillators
    )
    covariance, status = _gibbs(oscillators, temperature)
    domain.require(status, oscillators)
    return covariance


@compiled
def _gibbs(oscillators: Oscillators, temperature: jax.Array) -> tuple[jax.Array, jax.Array]:
    """σ, and the status of the problem."""
    unit = _oscillators.natural_unit(oscillators)
    kernel = selection.kernel_of(_oscillators.in_unit(oscillators, unit))
    conditions = domain.thermal_conditions(oscillators, temperature, kernel)
    covariance = kernel.thermal(temperature / unit, domain.hold(conditions))
    return covariance, domain.status(conditions)
