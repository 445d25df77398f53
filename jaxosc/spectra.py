"""Spectra of baths."""

from __future__ import annotations

from jaxosc._pytree import Record


class Spectrum(Record):
    reference = None

    """A spectrum."""


class Flat(Spectrum):
    """Flat."""


class Ohmic(Spectrum):
    """Ohmic."""
