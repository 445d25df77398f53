"""Thermal equilibrium of the coupled network."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks, domain
from jaxosc import oscillators as _oscillators
from jaxosc._compilation import compiled
from jaxosc._kernels import selection
from jaxosc._numerics.small import nan_unless
from jaxosc.baths import Baths
from jaxosc.equations import environment
from jaxosc.equations.langevin import Langevin
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

    Example:
        >>> network = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> jaxosc.occupation(jaxosc.gibbs(network, 3.0)).round(6)
        Array([0.432689, 1.554681], dtype=float64)

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


def mean_force_gibbs(oscillators: Oscillators, baths: Baths) -> jax.Array:
    """Covariance of the mean-force Gibbs state tr_B exp(−H_tot/T)/Z, at any coupling to the baths.

    What the network is in when it and its baths are in equilibrium together, strong coupling
    included: σ = T Σ_k sym [K(i|ν_k|) + |ν_k|Ω]⁻¹, ν_k = 2πTk,
    K(iz) = h + Σ_m [χ_m(0) − χ_m(iz)] c_m c_mᵀ, with χ_m(0) for baths with a counter-term only. It
    is the steady state of ``langevin`` at one temperature, without an equation to solve, and so at
    damping however weak; for vanishing damping it is ``gibbs``.

    Args:
        oscillators: N modes with a bounded Hamiltonian.
        baths: of one temperature, with structured spectra behind positions, momenta or real rows.

    Returns:
        σ [2N, 2N], order (x1, p1, x2, p2, …), vacuum variance 1/2; entries that diverge with a
        strictly Ohmic bath are NaN. All are where temperatures differ, or H or what baths without
        a counter-term leave of it is not bounded below, and the values are known only inside a
        transformation.

    Raises:
        ValueError: if temperatures are known and differ, or as for ``langevin``.

    Example:
        >>> one = jaxosc.Oscillators([1.0], [[0.0]])
        >>> baths = jaxosc.Baths(0.1, 0.0, jaxosc.spectra.Drude(10.0), coupling="position")
        >>> jaxosc.mean_force_gibbs(one, baths).round(6)
        Array([[0.473519, 0.      ],
               [0.      , 0.624372]], dtype=float64)

    Source: Grabert, Schramm & Ingold, Phys. Rep. 168, 115 (1988), Sec. 4, for any network.
    """
    oscillators, baths = Langevin().require(oscillators, baths)
    if environment.noise_of(baths) != "structured":
        raise ValueError(
            "Argument `baths` must couple by positions, momenta or real rows, with spectra that "
            f"are not flat, to have a mean-force Gibbs state, but they are {baths.spectrum!r} "
            f"behind {baths.coupling!r}."
        )
    covariance, equal = _mean_force(oscillators, baths)
    if (known := _checks.concrete(equal)) is not None and not known:
        raise ValueError(
            "Argument `baths` must have one temperature where there is damping, but they are "
            f"{np.asarray(baths.temperature)} with the rates {np.asarray(baths.damping)}."
        )
    return covariance


@jax.jit
def _mean_force(oscillators: Oscillators, baths: Baths) -> tuple[jax.Array, jax.Array]:
    valid = domain.hold(Langevin().conditions(oscillators, baths))
    assert baths.temperature is not None
    structured = environment.structured_of(oscillators, baths)
    # A bath without damping is none, whatever its temperature.
    present = baths.damping > 0
    first = structured.temperature[jnp.argmax(present)]
    equal = jnp.all(~present | (structured.temperature == first))
    return nan_unless(valid & equal, structured.mean_force_covariance(first)), equal


@partial(compiled, long=True)
def _gibbs(oscillators: Oscillators, temperature: jax.Array) -> tuple[jax.Array, jax.Array]:
    """σ, and the status of the problem."""
    unit = _oscillators.natural_unit(oscillators)
    kernel = selection.kernel_of(_oscillators.in_unit(oscillators, unit))
    conditions = domain.thermal_conditions(oscillators, temperature, kernel)
    covariance = kernel.thermal(temperature / unit, domain.hold(conditions))
    return covariance, domain.status(conditions)
