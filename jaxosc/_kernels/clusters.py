"""Clusters of near Bohr frequencies, decided on the positive ones and mirrored."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxosc._kernels.modes import normal_frame, shape_of
from jaxosc._numerics.small import symplectic


class Clusters(NamedTuple):
    """Clusters of the normal frequencies Ω and of −Ω.

    Attributes:
        frequency: Ω [N], without a derivative.
        number: of the cluster of each [N].
        mean: Ω̄ of it [N].
    """

    frequency: jax.Array
    number: jax.Array
    mean: jax.Array

    def _nearest(self, w: jax.Array) -> jax.Array:
        return jnp.argmin(jnp.abs(self.frequency - jnp.abs(w)))

    def mean_at(self, w: jax.Array) -> jax.Array:
        """w̄ of the cluster at a Bohr frequency."""
        return jnp.sign(w) * self.mean[self._nearest(w)]

    def share(self, x: jax.Array, y: jax.Array) -> jax.Array:
        """Whether two Bohr frequencies are in the same one."""
        same = self.number[self._nearest(x)] == self.number[self._nearest(y)]
        return same & (jnp.sign(x) == jnp.sign(y))


def clusters_of(hessian: jax.Array, width: jax.Array) -> Clusters:
    """Those of normal frequencies that follow each other by no more than the width.

    Modes of one frequency, up to rounding, are together at any width.
    """
    frame = normal_frame(hessian)
    frequency = frame.frequency
    held = jax.lax.stop_gradient(frequency)
    gap = jax.lax.stop_gradient(jnp.diagonal(frame.gap, -1))
    ends = (gap > width) & ~jnp.diagonal(frame.same, 1)
    number = jnp.concatenate([jnp.zeros(1, jnp.int32), jnp.cumsum(ends, dtype=jnp.int32)])
    members = (number[:, None] == number[None, :]).astype(frequency.dtype)
    mean = members @ frequency / jnp.sum(members, axis=1)
    return Clusters(held, number, mean)


def energy_of(hessian: jax.Array, width: jax.Array) -> jax.Array:
    """The hessian of H⁰ = Σ_k Ω̄_k c_k†c_k, which commutes with H."""
    shape = shape_of(normal_frame(hessian))
    lowering = symplectic(shape)  # c_k = iF_k†J r
    mean = clusters_of(hessian, width).mean.astype(lowering.dtype)
    return 2 * ((lowering * mean[None, :]) @ jnp.conj(lowering.T)).real
