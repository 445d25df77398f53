"""Rational bath spectra as real linear filters, y' = W y + b X and B = h·y.

The response of the bath is χ(ν) = hᵀ(−iν − W)⁻¹b and its spectral density J(ν) = Im χ(ν). Driven
by a noise of spectrum N ν coth(ν/2T), with the N of `noise`, the same filters give the thermal
noise of the bath: hᵀgNg†h ν = J for g = (−iν − W)⁻¹, without roots or a spectral factorisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxosc._numerics.linear import solve
from jaxosc._numerics.special import power_of_two


class Filters(NamedTuple):
    """k filters of d variables each, whose responses add up: W [k, d, d], b [k, d], h [k, d]."""

    drift: jax.Array
    input: jax.Array
    output: jax.Array

    def scaled(self, strength: jax.Array) -> Filters:
        """With χ and J so many times as large."""
        return self._replace(input=strength * self.input)

    def in_unit(self, unit: jax.Array) -> Filters:
        """The same χ(ν) as a function of ν/unit."""
        return self._replace(drift=self.drift / unit, input=self.input / unit)

    def balanced(self) -> Filters:
        """The same filters with variables of a size that suits their input and output.

        By constant powers of two, which change neither χ, nor a derivative, nor a digit.
        """
        norms = [jnp.max(jnp.abs(x), axis=tuple(range(1, x.ndim))) for x in self]
        drift, drive, output = norms
        ratio = drive / (output * drift)
        usual = (ratio > 0) & (ratio < jnp.inf)
        q = power_of_two(jnp.sqrt(jnp.where(usual, ratio, 1)))
        q = jax.lax.stop_gradient(q)[:, None]
        return self._replace(input=self.input / q, output=self.output * q)


def static_state(filters: Filters) -> jax.Array:
    """Half of −W⁻¹b, u [k, d], where −W⁻¹b is the displacement that a constant force sustains."""
    if filters.drift.shape[-1] == 1:
        return -filters.input / filters.drift[:, :, 0] / 2
    if filters.drift.shape[-1] == 2:
        return _pair_solution(-filters.drift, filters.input) / 2
    return jax.vmap(solve)(-filters.drift, filters.input) / 2


def static_susceptibility(terms: Sequence[Filters]) -> jax.Array:
    """χ(0) = −hᵀW⁻¹b = (2/π)∫J/ω dω, of all terms together."""
    return sum(
        (2 * jnp.sum(filters.output * static_state(filters)) for filters in terms[1:]),
        2 * jnp.sum(terms[0].output * static_state(terms[0])),
    )


def noise(filters: Filters) -> jax.Array:
    """N = −(WY + YWᵀ) [k, d, d] with Yh = u: symmetric, not always positive."""
    u, h = static_state(filters), filters.output
    square = jnp.sum(h * h, axis=-1)[:, None, None]
    outer = u[:, :, None] * h[:, None, :]
    along = jnp.sum(u * h, axis=-1)[:, None, None] * h[:, :, None] * h[:, None, :]
    y = (outer + jnp.swapaxes(outer, 1, 2)) / square - along / square**2
    flow = filters.drift @ y
    return -(flow + jnp.swapaxes(flow, 1, 2))


def susceptibility(terms: Sequence[Filters], z: jax.Array) -> jax.Array:
    """χ(iz) for z of any shape with Re z ≥ 0, real on the Matsubara axis, complex elsewhere."""
    total = jnp.zeros((z.size,), z.dtype)
    for filters in terms:
        drift, drive, output = (x.astype(z.dtype)[None] for x in filters)
        size = drift.shape[-1]
        one = jnp.eye(size, dtype=z.dtype)[None, None]
        matrix = z.reshape(-1, 1, 1, 1) * one - drift
        if size == 1:
            state = drive / matrix[..., 0]
        elif size == 2:
            state = _pair_solution(matrix, drive)
        else:
            state = jax.vmap(jax.vmap(solve), (0, None))(matrix, drive[0])
        total = total + jnp.sum(output * state, axis=(-2, -1))
    return total.reshape(z.shape)


def memory(terms: Sequence[Filters], z: jax.Array) -> jax.Array:
    """(χ(0) − χ(iz))/z = −hᵀ(z − W)⁻¹W⁻¹b, without their difference."""
    driven = [filters._replace(input=2 * static_state(filters)) for filters in terms]
    return susceptibility(driven, z)


def _pair_solution(matrix: jax.Array, right: jax.Array) -> jax.Array:
    """M⁻¹r of 2 × 2 matrices by Cramer's rule."""
    (a, b), (c, d) = ((matrix[..., i, 0], matrix[..., i, 1]) for i in (0, 1))
    x, y = right[..., 0], right[..., 1]
    return jnp.stack([d * x - b * y, a * y - c * x], axis=-1) / (a * d - b * c)[..., None]


def rate_filters(rates: jax.Array, strengths: jax.Array) -> Filters:
    """χ(iz) = Σ_k strength_k/(z + rate_k), from two arrays [k]."""
    return Filters(-rates[:, None, None], strengths[:, None], jnp.ones_like(rates)[:, None])


def pair_filters(
    real: jax.Array, imaginary: jax.Array, residue: jax.Array, imaginary_residue: jax.Array
) -> Filters:
    """χ(iz) = Σ_k ρ_k/(z − w_k) + c.c., from the parts of w and ρ, arrays [k]."""
    rows = [jnp.stack([real, imaginary], axis=-1), jnp.stack([-imaginary, real], axis=-1)]
    one = jnp.ones_like(real)
    return Filters(
        jnp.stack(rows, axis=1),
        2 * jnp.stack([residue, -imaginary_residue], axis=-1),
        jnp.stack([one, 0 * one], axis=-1),
    )
