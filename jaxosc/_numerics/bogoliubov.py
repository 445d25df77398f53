"""Normal modes of any number of oscillators, and the derivatives of what is made of them.

H = ½ xᵀ(E + κ)x + ½ pᵀ(E − κ)p is diagonalised by a_j = Σ_k U_jk c_k + V_jk c_k†. An eigensolver
knows eigenvectors to ε ω over their splitting, too little where identical oscillators are linked
weakly. What it finds is therefore diagonalised again inside groups of near frequencies, with the
mean frequency of the group set apart from E: there only what splits the group is rounded.

Modes of one frequency are any rotation of each other. They are returned as a group with the
block h of H in it, and derivatives are taken with the group held together: those of U and V
belong to no particular modes, those of what does not depend on a basis inside a group are right,
to any order. h is diagonal as a value; its derivative is not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.numpy.linalg import cholesky, svd

from jaxosc._numerics.linear import one_at_a_time

# Relative gaps that end a group of near frequencies, one round of refinement each. Where the
# gaps are nested, mixing angles are left with errors of 1e-12 at worst down to gaps of 1e-10.
_ROUNDS = (1e-2, 1e-6)


class Frame(NamedTuple):
    """Normal modes in ascending order.

    Attributes:
        u: U [N, N].
        v: V [N, N].
        energy: h [N, N], its diagonal the frequencies Ω; zero between groups.
        gap: Ω_k − Ω_l [N, N], accurate as a small number; without a derivative.
        same: whether k and l belong to one degenerate group [N, N].
    """

    u: jax.Array
    v: jax.Array
    energy: jax.Array
    gap: jax.Array
    same: jax.Array

    @property
    def frequency(self) -> jax.Array:
        """Ω [N]."""
        return jnp.diag(self.energy).real

    @property
    def mean_frequency(self) -> jax.Array:
        """Ω of every mode [N], the mean of its group: it has derivatives."""
        members = self.same.astype(self.frequency.dtype)
        return members @ self.frequency / jnp.sum(members, axis=1)


def degeneracy(dtype: np.dtype) -> float:
    """The splitting, over the energies that might have split a group, that counts as none.

    4e-10 in float64, 7e-5 in float32: far above rounding, with which couplings that are equal in
    theory differ, and where the mixing angle of two modes has six digits left.
    """
    return float(np.finfo(dtype).eps) ** 0.6


def normal_frame(frequency: jax.Array, exchange: jax.Array, pairing: jax.Array) -> Frame:
    """The normal modes of a network; meaningless where H is not bounded below."""
    bare = jnp.diag(frequency) + exchange
    # The derivatives are those of what follows
    frame = _diagonalised(*map(jax.lax.stop_gradient, (frequency, exchange, pairing)))
    u, v, energy = differentiable(frame, bare, pairing)
    return frame._replace(u=u, v=v, energy=energy)


@one_at_a_time
def _diagonalised(frequency: jax.Array, exchange: jax.Array, pairing: jax.Array) -> Frame:
    """The values alone."""
    # With E + κ = AAᵀ, E − κ = BBᵀ the frequencies are the singular values of AᵀB: to ε Ω_N each,
    # where the eigenvalues Ω² of Bᵀ(E + κ)B are good to ε Ω_N².
    bare = jnp.diag(frequency) + exchange
    potential, kinetic = cholesky(bare + pairing), cholesky(bare - pairing)
    left, omega, right = svd(potential.T @ kinetic)
    omega = omega[::-1]
    narrow = jax.lax.rsqrt(omega)[None, :]
    x, p = kinetic @ right.T[:, ::-1] * narrow, potential @ left[:, ::-1] * narrow
    return refined((x + p) / 2, (x - p) / 2, omega, bare, pairing)


def refined(
    u: jax.Array, v: jax.Array, omega: jax.Array, number: jax.Array, pairing: jax.Array
) -> Frame:
    """The frame of modes that an eigensolver found, real or complex.

    H = Σ_jk A_jk a_j†a_k + ½ Σ_jk (B_jk a_j†a_k† + h.c.), A = ``number``, B = ``pairing``.
    """
    kind = u.dtype
    frequency = jnp.diag(number).real
    exchange = number - jnp.diag(jnp.diag(number))
    linked, paired = (jnp.sum(jnp.abs(links), axis=1) for links in (exchange, pairing))
    mean, shift, size = omega, jnp.zeros_like(omega), jnp.zeros_like(omega)
    for limit in _ROUNDS:
        group = _groups(omega[1:] - omega[:-1] > limit * omega[1:])
        near = group[:, None] == group[None, :]
        members = near.astype(omega.dtype)
        mean = members @ omega / jnp.sum(members, axis=1)
        below, above = frequency[:, None] - mean[None, :], frequency[:, None] + mean[None, :]
        split = _energy(u, v, below.astype(kind), above.astype(kind), exchange, pairing)
        # What acts on the oscillators of a mode, not on the mode: links to a common neighbour split
        # nothing where they cancel, but leave their rounding.
        detuning, squeezing = jnp.abs(below), (paired**2)[:, None] / above
        weight = jnp.abs(u) ** 2 + jnp.abs(v) ** 2
        size = jnp.sum(weight * (detuning + linked[:, None] + squeezing), axis=0)
        shift, turn = jnp.linalg.eigh(jnp.where(near, split, 0))
        # Groups stay apart, for no step of a solver joins what exact zeros separate; in which
        # order it returns their modes is not known.
        place = jnp.argmax(jnp.abs(turn), axis=0)
        order = jnp.lexsort((shift, group[place]))
        place, shift, turn = place[order], shift[order], turn[:, order]
        mean, size = mean[place], (jnp.abs(turn) ** 2).T @ size
        omega = mean + shift
        u, v = u @ turn, v @ jnp.conj(turn)
        # V, as small as the pairing over the frequencies, to its own digits
        total = (omega[:, None] + omega[None, :]).astype(kind)
        squeeze = -_squeezing(u, v, number, pairing) / total
        u, v = u + v @ jnp.conj(squeeze), v + u @ squeeze
    gap = (mean[:, None] - mean[None, :]) + (shift[:, None] - shift[None, :])
    limits = degeneracy(omega.dtype) * jnp.maximum(size[1:], size[:-1])
    group = _groups(jnp.diagonal(gap, -1) > limits)
    return Frame(u, v, jnp.diag(omega.astype(kind)), gap, group[:, None] == group[None, :])


def _energy(
    u: jax.Array,
    v: jax.Array,
    below: jax.Array,
    above: jax.Array,
    exchange: jax.Array,
    pairing: jax.Array,
) -> jax.Array:
    """The coefficients of c_k†c_l in H − Ω̄ Σ_k c_k†c_k, from ω_j − Ω̄ and ω_j + Ω̄ [N, N]."""
    kept = _adjoint(u) @ (below * u + exchange @ u)
    kept = kept + (_adjoint(v) @ (above * v + exchange @ v)).T
    half = kept / 2 + _adjoint(u) @ pairing @ jnp.conj(v)
    return half + _adjoint(half)


def _kept(u: jax.Array, v: jax.Array, number: jax.Array, pairing: jax.Array) -> jax.Array:
    """The coefficients of c_k†c_l in H."""
    kept = _adjoint(u) @ number @ u + (_adjoint(v) @ number @ v).T
    half = kept / 2 + _adjoint(u) @ pairing @ jnp.conj(v)
    return half + _adjoint(half)


def _squeezing(u: jax.Array, v: jax.Array, number: jax.Array, pairing: jax.Array) -> jax.Array:
    """The coefficients of c_k†c_l† + h.c. in 2H."""
    half = _adjoint(u) @ number @ v
    half = half + (_adjoint(u) @ pairing @ jnp.conj(u) + v.T @ jnp.conj(pairing) @ v) / 2
    return half + half.T


def _adjoint(matrix: jax.Array) -> jax.Array:
    return jnp.conj(matrix.T)


def _groups(ends: jax.Array) -> jax.Array:
    """The number of the group of each mode, from whether a group ends between it and the next."""
    return jnp.concatenate([jnp.zeros(1, jnp.int32), jnp.cumsum(ends, dtype=jnp.int32)])


@jax.custom_jvp
def differentiable(
    frame: Frame, number: jax.Array, pairing: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """U, V and the energies of a frame, as functions of the network it belongs to."""
    del number, pairing
    return frame.u, frame.v, frame.energy


@differentiable.defjvp
def _differentiable_jvp(primals: Any, tangents: Any) -> Any:
    """First-order perturbation theory, dU = UX + VS* and dV = US + VX*.

    The changes a of c†c and b of c†c† in 2H are taken up by a mixing X = −X† with [E, X] = −a
    between groups and by a squeezing S = Sᵀ with ES + SEᵀ = −b. Written in terms of U, V and E
    themselves, the rule is differentiable in turn.
    """
    frame = primals[0]
    _, number, pairing = tangents
    u, v, energy = differentiable(*primals)
    kept = _kept(u, v, number, pairing)
    squeezed = _squeezing(u, v, number, pairing)
    same, omega = frame.same, jnp.diag(frame.energy)
    gap = jnp.where(same, 1, frame.gap).astype(omega.dtype)
    total = omega[:, None] + omega[None, :]

    def between(mixing: jax.Array) -> jax.Array:
        return jnp.where(same, mixing, energy @ mixing - mixing @ energy)

    def everywhere(squeezing: jax.Array) -> jax.Array:
        return energy @ squeezing + squeezing @ energy.T

    # As values these maps are diagonal, and so their transposes have the same solutions.
    def over_gap(_: object, right: jax.Array) -> jax.Array:
        return right / gap

    def over_total(_: object, right: jax.Array) -> jax.Array:
        return right / total

    mixing = jax.lax.custom_linear_solve(between, jnp.where(same, 0, -kept), over_gap, over_gap)
    squeezing = jax.lax.custom_linear_solve(everywhere, -squeezed, over_total, over_total)
    change = (
        u @ mixing + v @ jnp.conj(squeezing),
        u @ squeezing + v @ jnp.conj(mixing),
        jnp.where(same, kept, 0),
    )
    return (u, v, energy), change
