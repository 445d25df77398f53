"""Complex scalars as pairs of real arrays.

The two-mode kernels mix real and complex factors. Pairs keep real products real, need no
promotion of dtypes, and divide without the overflow guard that makes XLA's complex division
several times slower than the rest of the kernel.
"""

from __future__ import annotations

from typing import NamedTuple

import jax

from jaxosc._numerics.sharing import reciprocal


class Complex(NamedTuple):
    """re + i im."""

    re: jax.Array
    im: jax.Array

    def __add__(self, other: Complex) -> Complex:  # type: ignore[override]
        return Complex(self.re + other.re, self.im + other.im)

    def __sub__(self, other: Complex) -> Complex:
        return Complex(self.re - other.re, self.im - other.im)

    def __mul__(self, other: Complex) -> Complex:  # type: ignore[override]
        return Complex(
            self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re
        )

    def scale(self, factor: jax.Array) -> Complex:
        """Product with a real number."""
        return Complex(factor * self.re, factor * self.im)

    def times_i(self) -> Complex:
        """Product with the imaginary unit."""
        return Complex(-self.im, self.re)

    def conj(self) -> Complex:
        """Complex conjugate."""
        return Complex(self.re, -self.im)

    def reciprocal(self) -> Complex:
        """1/z."""
        factor = reciprocal(self.re * self.re + self.im * self.im)
        return Complex(self.re * factor, -self.im * factor)
