"""Steady covariance of a damped network of any number of modes, Aσ + σAᵀ + D = 0.

In the normal coordinates x = Xξ, p = Pπ of the Hamiltonian, XPᵀ = 1, the drift is

    ξ̇ = Ωπ − Gξ,    π̇ = −Ωξ − Gᵀπ,    G = PᵀΓX,    Ω diagonal.

All that is fast has become diagonal, and cancels exactly where it must: populations feel
the damping alone, however weak it is. A solver that works on the matrix A, whose Lyapunov
equation has the condition number ω/γ, loses eight digits at γ/ω = 1e-8.

What remains is to diagonalise the damping too, which no fixed number of matrix products can.
Two methods share the work, each strong where the other is weak. Weak or nearly uniform
damping: a Krylov iteration preconditioned by the secular equation, in which every pair of
normal modes relaxes on its own; it takes fewer steps the weaker the damping. Strong and uneven
damping: doubling of the time step, which always converges, in log₂(ω/γ) steps.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._numerics.linear import one_at_a_time
from jaxosc._numerics.lyapunov import doublings
from jaxosc._numerics.small import blocks_of, interleave

# Iterations of the Krylov method, two products each, before doubling takes over; a network
# that does not yield three digits in the first few will not yield the others in the rest.
_TRIAL_STEPS = 8
_KRYLOV_STEPS = 24

# How many steps the doublings make, what is left of a state after them, and the state built up
_Doubling = tuple[jax.Array, jax.Array, jax.Array]


class _Blocks(NamedTuple):
    """The blocks ⟨ξξᵀ⟩, ⟨ξπᵀ⟩, ⟨ππᵀ⟩ of a symmetric matrix, each [N, N]."""

    xx: jax.Array
    xp: jax.Array
    pp: jax.Array

    def swapped(self) -> _Blocks:
        """The same with ξ and π exchanged, which turns the drift into its transpose."""
        return _Blocks(self.pp, self.xp.T, self.xx)


class _Frame(NamedTuple):
    """Normal coordinates x = Xξ, p = Pπ of a network, and its drift in them.

    ``detuning`` is Ω_k − ω̄, accurate as a small number: only differences of normal
    frequencies compete with the damping. ``slow`` and ``fast`` are the real and imaginary parts of
    1/(g_k + g_l + iΩ_k ∓ iΩ_l), g the diagonal of G.
    """

    position: jax.Array
    momentum: jax.Array
    frequency: jax.Array
    mean: jax.Array
    detuning: jax.Array
    decay: jax.Array
    slow: tuple[jax.Array, jax.Array]
    fast: tuple[jax.Array, jax.Array]


def steady_covariance(
    frequency: jax.Array,
    exchange: jax.Array,
    pairing: jax.Array,
    damping: jax.Array,
    diffusion: jax.Array,
) -> jax.Array:
    """Solve Aσ + σAᵀ + D = 0 for σ [2N, 2N], order (x1, p1, x2, p2, …).

    NaN where A has an eigenvalue with a real part that is not negative, and where the
    Hamiltonian is not bounded below. Derivatives of any order and direction are those of the
    equation: each costs one more solution, of the adjoint equation in reverse mode, in the same
    normal coordinates.
    """
    potential = jnp.diag(frequency) + exchange + pairing
    kinetic = jnp.diag(frequency) + exchange - pairing
    frame = _normal_frame(*jax.lax.stop_gradient((frequency, exchange, pairing, damping)))
    x, p = frame.position, frame.momentum

    # The frame is constant: what varies is the drift as seen in it, whose value is known to
    # be diagonal better than products would tell.
    kinetic = jnp.diag(frame.frequency) + p.T @ (kinetic - jax.lax.stop_gradient(kinetic)) @ p
    potential = jnp.diag(frame.frequency) + x.T @ (potential - jax.lax.stop_gradient(potential)) @ x
    decay = p.T @ (damping[:, None] * x)

    def equation(state: _Blocks) -> _Blocks:
        """−(Aσ + σAᵀ)."""
        xx, xp, pp = state
        return _Blocks(
            decay @ xx + xx @ decay.T - kinetic @ xp.T - xp @ kinetic.T,
            decay @ xp + xp @ decay - kinetic @ pp + xx @ potential.T,
            decay.T @ pp + pp @ decay + potential @ xp + xp.T @ potential.T,
        )

    secular = _secular_equation_leads(frame)

    def solve(_: object, source: _Blocks) -> _Blocks:
        return _solve(frame, secular, source)

    def transpose_solve(_: object, cotangent: _Blocks) -> _Blocks:
        # A cotangent of ⟨ξπᵀ⟩ stands for both of its copies in the matrix.
        source = cotangent._replace(xp=cotangent.xp / 2)
        adjoint = _solve(frame, secular, source.swapped()).swapped()
        return adjoint._replace(xp=2 * adjoint.xp)

    xx, xp, pp = blocks_of(diffusion)
    source = _Blocks(p.T @ xx @ p, p.T @ xp @ x, x.T @ pp @ x)
    state = jax.lax.custom_linear_solve(equation, source, solve, transpose_solve)
    cross = x @ state.xp @ p.T
    return interleave(x @ state.xx @ x.T, cross, cross.T, p @ state.pp @ p.T)


@one_at_a_time
def _normal_frame(
    frequency: jax.Array, exchange: jax.Array, pairing: jax.Array, damping: jax.Array
) -> _Frame:
    """Diagonalise H = ½ xᵀVx + ½ pᵀWp, its mean frequency ω̄ set apart.

    With V = ω̄ + v, W = ω̄ + w and S = √W the squares Ω² − ω̄² are the eigenvalues of
    ω̄w + SvS, as small as the couplings and the detunings of the oscillators.
    """
    mean = jnp.mean(frequency)
    rotating = jnp.diag(frequency - mean) + exchange
    kinetic, potential = rotating - pairing, rotating + pairing
    excess, vectors = jnp.linalg.eigh(kinetic)
    roots = jnp.sqrt(mean + excess)
    root = (vectors * roots[None, :]) @ vectors.T
    square = mean * kinetic + root @ potential @ root
    excess, modes = jnp.linalg.eigh((square + square.T) / 2)
    position = root @ modes
    momentum = (vectors / roots[None, :]) @ (vectors.T @ modes)
    # The energies of the modes from their shapes: near a critical point they are more
    # accurate than the eigenvalues, which are good to the rounding of the largest.
    stiffness = jnp.sum(position * (mean * position + potential @ position), axis=0)
    inertia = jnp.sum(momentum * (mean * momentum + kinetic @ momentum), axis=0)
    normal = jnp.sqrt(stiffness) * jnp.sqrt(inertia)
    scale = jnp.sqrt(jnp.sqrt(inertia / stiffness))
    position, momentum = position * scale[None, :], momentum / scale[None, :]
    decay = momentum.T @ (damping[:, None] * position)
    detuning = excess / (normal + mean)
    rate = jnp.diag(decay)
    width = rate[:, None] + rate[None, :]

    def response(beat: jax.Array) -> tuple[jax.Array, jax.Array]:
        square = width**2 + beat**2
        return width / square, -beat / square

    slow = response(detuning[:, None] - detuning[None, :])
    fast = response(normal[:, None] + normal[None, :])
    return _Frame(position, momentum, normal, mean, detuning, decay, slow, fast)


@one_at_a_time
def _solve(frame: _Frame, secular: jax.Array, source: _Blocks) -> _Blocks:
    """The state that a source sustains; NaN where the drift is not stable."""
    source = _Blocks((source.xx + source.xx.T) / 2, source.xp, (source.pp + source.pp.T) / 2)
    state, converged = jax.lax.cond(
        secular, partial(_krylov, frame, source), lambda: (source, jnp.asarray(False))
    )
    return jax.lax.cond(converged, lambda: state, partial(_doubling, frame, source))


def _krylov(frame: _Frame, source: _Blocks) -> tuple[_Blocks, jax.Array]:
    """BiCGSTAB for the secular equation and what it neglects; the state, and whether it is one.

    Half of the digits, twice: the second time from a residual that is formed anew.
    """
    target = jnp.stack(_relaxed(frame, source))
    tolerance = float(np.finfo(target.dtype).eps) ** 0.5

    def improve(_: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        state, residual = carry
        state = state + _bicgstab(frame, residual, tolerance, _KRYLOV_STEPS)
        return state, target - _coupled(frame, state)

    state, residual = jax.lax.fori_loop(0, 2, improve, (jnp.zeros_like(target), target))
    limit = 1e2 * tolerance**2 * jnp.linalg.norm(state)
    return _Blocks(*state), jnp.linalg.norm(residual) <= limit


def _bicgstab(frame: _Frame, target: jax.Array, tolerance: float, steps: int) -> jax.Array:
    """An approximate solution of `_coupled(frame, state)` = target."""
    solve: Any = jax.scipy.sparse.linalg.bicgstab
    state, _ = solve(partial(_coupled, frame), target, tol=tolerance, maxiter=steps)
    return state


def _coupled(frame: _Frame, state: jax.Array) -> jax.Array:
    """The whole equation over the secular one, for blocks stacked as one array [3, N, N]."""
    coupling = frame.decay - jnp.diag(jnp.diag(frame.decay))
    xx, xp, pp = coupling @ state[0], state[1], coupling.T @ state[2]
    mixed = _Blocks(xx + xx.T, coupling @ xp + xp @ coupling, pp + pp.T)
    return state + jnp.stack(_relaxed(frame, mixed))


def _relaxed(frame: _Frame, source: _Blocks) -> _Blocks:
    """The secular equation, every pair of normal modes on its own.

    (g_k + g_l + i(Ω_k − Ω_l))⟨c_k c_l†⟩ = source and (g_k + g_l + i(Ω_k + Ω_l))⟨c_k c_l⟩ = source,
    with c = (ξ + iπ)/√2.
    """
    xx, xp, pp = source

    def respond(
        response: tuple[jax.Array, jax.Array], re: jax.Array, im: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        return response[0] * re - response[1] * im, response[0] * im + response[1] * re

    even, odd = respond(frame.slow, (xx + pp) / 2, (xp.T - xp) / 2)
    squeezed, sheared = respond(frame.fast, (xx - pp) / 2, (xp + xp.T) / 2)
    return _Blocks(even + squeezed, sheared - odd, even - squeezed)


@one_at_a_time
def _secular_equation_leads(frame: _Frame) -> jax.Array:
    """Whether a few Krylov steps show that the drift is stable, by Lyapunov's theorem.

    A source that is positive sustains a positive state if and only if the drift is stable; with
    this one the secular equation alone would give every normal mode the variance ½.
    """
    half = jnp.eye(frame.decay.shape[0], dtype=frame.decay.dtype) / 2
    target = jnp.stack([half, jnp.zeros_like(half), half])
    state = _bicgstab(frame, target, 1e-3, _TRIAL_STEPS)
    residual = target - _coupled(frame, state)
    margin = 0.1 * jnp.eye(2 * half.shape[0], dtype=half.dtype)
    witness = jnp.linalg.cholesky(_joined(_Blocks(*state)) - margin)
    accurate = jnp.linalg.norm(residual) <= 2e-3 * jnp.linalg.norm(target)
    # Tails of a mode as small as rounding, at the oscillators that have a bath, are no damping.
    rate = jnp.diag(frame.decay)
    unresolved = (half.shape[0] * float(np.finfo(half.dtype).eps)) ** 2 * jnp.max(rate)
    return accurate & jnp.all(rate > unresolved) & jnp.all(jnp.isfinite(witness))


def _joined(state: _Blocks) -> jax.Array:
    """The matrix [2N, 2N] of blocks, order (ξ1, ξ2, …, π1, π2, …)."""
    return jnp.block([[state.xx, state.xp], [state.xp.T, state.pp]])


def _doubling(frame: _Frame, source: _Blocks) -> _Blocks:
    """σ = Σ_n EⁿQEⁿᵀ by squaring E (Smith's method), NaN where E does not contract.

    E = (s − A)⁻¹(s + A) and Q = 2s(s − A)⁻¹D(s − A)⁻ᵀ are the Cayley transforms of drift and
    diffusion. E is kept as U(1 + δ), U the rotation of the undamped modes: δ is as small as
    the damping, and formed without a difference of rotations it has the relative accuracy that
    1 + δ would lose.
    """
    modes, dtype = frame.decay.shape[0], frame.decay.dtype
    one, zero = jnp.eye(2 * modes, dtype=dtype), jnp.zeros((modes, modes), dtype)
    decay = jnp.block([[frame.decay, zero], [zero, frame.decay.T]])
    s = jnp.mean(frame.frequency) + jnp.mean(jnp.diag(frame.decay))
    turn = jnp.diag(frame.frequency)
    resolvent = jnp.linalg.inv(s * one + decay - jnp.block([[zero, turn], [-turn, zero]]))
    # Angles by which one step turns the modes: a common one, and how they differ from it.
    common = 2 * jnp.arctan(frame.mean / s)
    relative = 2 * jnp.arctan(frame.detuning * s / (s**2 + frame.frequency * frame.mean))

    def rotation(steps: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Cosines and sines; added here, so that huge common angles round all modes alike."""
        c, t = jnp.cos(steps * common), jnp.sin(steps * common)
        cosine, sine = jnp.cos(steps * relative), jnp.sin(steps * relative)
        return c * cosine - t * sine, t * cosine + c * sine

    # E − U = −(s − A)⁻¹G(1 + U), where U = (s − K)⁻¹(s + K) for the undamped drift K.
    cosine, sine = rotation(jnp.ones((), dtype))
    first = jnp.block([[jnp.diag(cosine), jnp.diag(sine)], [jnp.diag(-sine), jnp.diag(cosine)]])
    delta = -first.T @ (resolvent @ (decay @ (one + first)))
    state = 2 * s * resolvent @ _joined(source) @ resolvent.T

    def vanished(delta: jax.Array) -> jax.Array:
        return jnp.sum((one + delta) ** 2) <= float(np.finfo(dtype).eps)

    def lasting(carry: _Doubling) -> jax.Array:
        steps, delta, _ = carry
        return ~vanished(delta) & (steps < 2.0 ** doublings(dtype))

    def double(carry: _Doubling) -> _Doubling:
        steps, delta, state = carry
        cosine, sine = rotation(steps)
        image = state + delta @ state
        image = _turned(image + image @ delta.T, cosine, sine)
        state = state + (image + image.T) / 2
        earlier = _turned(delta, cosine, -sine)
        return 2 * steps, earlier + delta + earlier @ delta, state

    start = (jnp.ones((), dtype), delta, state)
    _, delta, state = jax.lax.while_loop(lasting, double, start)
    state = jnp.where(vanished(delta), state, jnp.nan)
    return _Blocks(state[:modes, :modes], state[:modes, modes:], state[modes:, modes:])


def _turned(matrix: jax.Array, cosine: jax.Array, sine: jax.Array) -> jax.Array:
    """UMUᵀ for the rotation ξ → cξ + sπ, π → cπ − sξ of every mode."""
    modes = cosine.shape[0]
    c, s = cosine[:, None], sine[:, None]
    upper, lower = matrix[:modes], matrix[modes:]
    upper, lower = c * upper + s * lower, c * lower - s * upper
    rows = []
    for half in (upper, lower):
        left, right = half[:, :modes], half[:, modes:]
        c, s = cosine[None, :], sine[None, :]
        rows.append([left * c + right * s, right * c - left * s])
    return jnp.block(rows)
