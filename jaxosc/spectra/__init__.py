"""Spectra of baths: how strongly a bath damps at each frequency.

A spectrum is the shape of J(ω) = π Σ_k g_k² δ(ω − ω_k); its size is the bath's ``damping``, the
amplitude rate at the reference frequency. All but `Flat` and a strictly `Ohmic` one have a finite
response χ(ν) with J = Im χ, given as rational filters: the exact Langevin equation uses these.
"""

from jaxosc._numerics.filters import Filters
from jaxosc.spectra.analytic import Brownian, Drude, Flat, Ohmic
from jaxosc.spectra.base import Spectrum, Sum
from jaxosc.spectra.fitted import PowerLaw, Sampled

__all__ = [
    "Brownian",
    "Drude",
    "Filters",
    "Flat",
    "Ohmic",
    "PowerLaw",
    "Sampled",
    "Spectrum",
    "Sum",
]
