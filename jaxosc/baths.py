"""Heat baths: one for each oscillator, with its damping, temperature and spectrum."""

from __future__ import annotations

from typing import get_args

import jax

from jaxosc import _checks
from jaxosc._numerics import small
from jaxosc._pytree import Record
from jaxosc.oscillators import (
    Oscillators,
    entered,
    in_unit,
    natural_unit,
    require_network,
)
from jaxosc.typing import Reals, Spectrum

SPECTRA: tuple[Spectrum, ...] = get_args(Spectrum)


class Baths(Record):
    """Heat baths, one an oscillator, k_B = 1.

    A pytree of its two arrays; a derivative by it is a record of the derivatives by γ and T. A step
    along one may carry them below zero: let an optimiser move their logarithms, or bring what it
    moved back (``optax.projections``). At γ_j = 0, where oscillator j has no bath, the derivative
    by γ_j is the slope towards γ_j > 0.

    Args:
        damping: γ [N] ≥ 0, the AMPLITUDE damping rate ȧ_j = … − γ_j a_j at the oscillator's
            own frequency, in the unit of ω. The Lindblad rates of the same bath are
            2γ_j(N + 1) and 2γ_jN. Zero means that the oscillator has no bath of its own.
        temperature: T [N] ≥ 0, in the unit of ω.
        spectrum: how the damping rate depends on frequency: ``"flat"``, γ_j(ν) = γ_j, or
            ``"ohmic"``, γ_j(ν) = γ_j ν/ω_j.

    Raises:
        ValueError: if a shape or a name does not fit, or a value is negative or not finite.

    Source: Konopik & Lutz, Eq. 5.
    """

    _leaves = ("damping", "temperature")
    _static = ("spectrum",)

    damping: jax.Array
    temperature: jax.Array
    spectrum: Spectrum

    def __init__(self, damping: Reals, temperature: Reals, spectrum: Spectrum = "flat") -> None:
        damping, temperature = _checks.float_arrays(damping=damping, temperature=temperature)
        _checks.require_choice("spectrum", spectrum, SPECTRA)
        if damping.ndim != 1 or damping.shape[0] == 0:
            raise ValueError(
                "Argument `damping` must have shape (N,) with N >= 1, "
                f"but its shape is {damping.shape}."
            )
        _checks.require_shape(
            "temperature", temperature, damping.shape, f" for {damping.shape[0]} damping rates"
        )
        _require_values("", damping, temperature)
        self._set(damping=damping, temperature=temperature, spectrum=spectrum)


def match(oscillators: Oscillators, baths: Baths) -> tuple[Oscillators, Baths]:
    """Both in one dtype, after checking that they belong together."""
    require_network(oscillators)
    _checks.require_instance("baths", baths, Baths)
    damping = baths.damping
    if getattr(damping, "ndim", 1) != 1:
        raise ValueError(
            "Argument `baths` must hold the baths of one network, but its damping rates have shape "
            f"{damping.shape}; use jax.vmap for a batch of networks."
        )
    if getattr(damping, "shape", (oscillators.modes,)) != oscillators.frequency.shape:
        raise ValueError(
            f"Argument `baths` must hold one bath an oscillator, but it holds "
            f"{damping.shape[0]} for {oscillators.modes} oscillators."
        )
    one_each = (oscillators.modes,)
    _checks.require_fields(
        "baths", damping=(damping, one_each), temperature=(baths.temperature, one_each)
    )
    _require_values("baths.", damping, baths.temperature)
    _checks.require_together(oscillators=oscillators, baths=baths)
    dtype = _checks.widest([oscillators.frequency.dtype, damping.dtype])
    oscillators = entered(oscillators)
    return jax.tree.map(lambda leaf: leaf.astype(dtype), (oscillators, baths))


def in_natural_units(
    oscillators: Oscillators, baths: Baths
) -> tuple[Oscillators, Baths, jax.Array]:
    """Both divided by a power of two next to the largest frequency, and that unit."""
    unit = natural_unit(oscillators)
    scaled = Baths._assemble(
        (small.scaled(baths.damping, 1 / unit), small.scaled(baths.temperature, 1 / unit)),
        (baths.spectrum,),
    )
    return in_unit(oscillators, unit), scaled, unit


def _require_values(record: str, damping: jax.Array, temperature: jax.Array) -> None:
    """Raise ValueError unless the values, where known, are finite and not negative."""
    for name, value in ((f"{record}damping", damping), (f"{record}temperature", temperature)):
        _checks.require_finite(name, value)
        _checks.require(name, value, lambda x: x >= 0, "not be negative")
