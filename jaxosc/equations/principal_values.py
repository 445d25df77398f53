"""What baths shift frequencies by: the principal values Δ of Γ(ω) = ∫_0^∞ C(t) e^{iωt} dt."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc.spectra import Spectrum


def shift_of(
    spectrum: Spectrum,
    frequency: jax.Array,
    temperature: jax.Array,
    reference: jax.Array | None = None,
    *,
    counter_term: bool | jax.Array = True,
    side: int | jax.Array = 0,
) -> jax.Array:
    """Δ(ω) = (1/2π) PV∫ S(v)/(ω − v) dv, where Γ = ½S + iΔ, for ω of either sign.

    Of the whole axis, S = 2J(N + 1) with J odd (side 0), or of one channel of a bath in
    rotating-wave coupling: L, which meets S at v > 0 alone (side 1), or L†, at v < 0 (side −1).
    A counter-term, ½χ(0)X² in H, adds ½χ(0) to that of the whole axis; the channels have none.

    A vacuum part, and a thermal part that the number of quanta cuts off: the same rule for every
    spectrum with a cutoff, good to 1e-14 of |Γ| in float64, where sums over Matsubara frequencies
    would have to be another rule for a J without a rational response, and for each channel.

    Args:
        spectrum: with a cutoff.
        frequency: ω, of any shape.
        temperature: T ≥ 0, a scalar. The channels diverge as T ln|ω| at ω = 0, and are NaN there.
        reference: as of ``Spectrum.rate``.
        counter_term: whether there is one.
        side: which S.

    Returns:
        Δ for a bath whose J at the reference is one.

    Raises:
        ValueError: if the spectrum has no cutoff, as strictly Ohmic and flat ones: the integrals
            diverge then.
    """
    thermal = spectrum.thermal_shift(frequency, temperature, reference, side)
    beside = spectrum.vacuum_shift(frequency, reference)
    static = spectrum.static_susceptibility(reference) / 2
    vacuum = jnp.where(counter_term & (side == 0), beside, beside - static)
    return thermal + jnp.where(side >= 0, vacuum, 0)


def has_shift(spectrum: Spectrum) -> bool:
    """Whether its principal values exist: J falls off, and vanishes at zero frequency."""
    return spectrum.kind == "rational"
