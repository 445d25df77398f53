"""Linear systems driven by stationary coloured noise: correlations without a Matsubara sum.

    ż = Az + ζ,  ζ of the spectrum S_ζ(w) = Σ_m N_m w coth(w/2T_m), N_m symmetric, or
                                 Σ_m iL_m coth(w/2T_m), L_m antisymmetric (flat baths),

both rational in w but for the coth. In the steady state C(t) = ⟨{z(t), z(0)ᵀ}⟩/2, t > 0, obeys
Ċ = AC + R with the correlation R of the noise with z(0):

    C(t) = e^{At}σ + P(t),   P(t) = ∫₀ᵗ e^{A(t−s)} R(s) ds = M(t) − e^{At}M(0),
    M(t) = (1/π) Re ∫ G(w) S_ζ(w) G(−w)ᵀ e^{−iwt} dw,   G(w) = (−iw − A)⁻¹.

The integral runs along a ray w = x e^{−iθ} in the lower right quadrant: there nothing oscillates
for long, R(s) crosses no pole as its contour is turned from the real axis (those of G(−w) are
above it, those of coth on the imaginary axis), and (e^{−iwt} − e^{At})G(w) has none. So the
trapezoidal rule in ln x converges as e^{−2πd/h}, d the smaller angle to either axis, for any
network, temperature (T = 0 too) and time, and the nodes serve all times.

From a product state, with deterministic parts aside, r(t) = z(t) − e^{At}z(0) of a stationary z,
whose covariance is, with D = −(Aσ + σAᵀ),

    V(t) = ∫₀ᵗ e^{As} D e^{Aᵀs} ds − [C(t) − e^{At}σ] e^{Aᵀt} − its transpose.

Behind structured baths z joins the oscillators and filters that answer to them alone, at rest at
t = 0, and is driven by filters of the noise alone, which join in ``driven_network``.

The pole of coth at w = 0, a principal value for flat baths, leaves a quarter of an arc: the
constant (2θ/π) Σ_m T_m A⁻¹L_mA⁻ᵀ in M.
"""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._kernels.embedded import Network, effective_diffusion, time_scales
from jaxosc._kernels.flow import Flow, flow
from jaxosc._numerics.linear import any_of_all, bounded_memory, inverse, solve
from jaxosc._numerics.lyapunov import solve_lyapunov
from jaxosc._numerics.matsubara_rules import END_CORRECTION

# Near the bisector, but off it and its simple fractions, where poles of particular filters are
_ANGLE = 0.81
# e^{−2π 0.76/h} = 1e-16; so many of them span 25 decades
_STEP = 0.13
_NODES = 448
# At both ends of the trapezoidal rule: the integral from half a step before the first node is the
# sum with weights 1 − c of the first eight and c of eight more beyond.
_RAMP = np.concatenate([END_CORRECTION[::-1], 1 - END_CORRECTION, [1.0]])
# Gauss-Legendre beyond both ends, in x and in 1/x, where nothing has a scale left
_GAUSS = np.polynomial.legendre.leggauss(16)
# Beyond that e^{−xt sin θ} is gone, and coth(w/2T) is 1.
_GONE = 60.0


class Noise(NamedTuple):
    """Matrices [M, n, n] of the baths and their temperatures [M].

    ``losses``: whether they are the L_m, of spectra iL coth(w/2T), or the N_m, of N w coth(w/2T).
    """

    matrix: jax.Array
    temperature: jax.Array
    losses: bool


def transient(
    drift: jax.Array,
    noise: Noise,
    columns: jax.Array,
    propagators: jax.Array,
    times: jax.Array,
    scales: tuple[jax.Array, jax.Array],
) -> jax.Array:
    """P(t) E [K, n, c] at the times [K] ≥ 0, for the columns E [n, c].

    Args:
        drift: A [n, n], stable.
        noise: of the baths.
        columns: E.
        propagators: e^{At} [K, n, n].
        times: t.
        scales: bounds of the sizes of the eigenvalues of A, from below and above.
    """
    slowest, fastest = jax.lax.stop_gradient(scales)
    wanted = jnp.concatenate([jnp.zeros_like(times[:1]), times])
    integral = _INTEGRALS[noise.losses](
        drift, noise.matrix, noise.temperature, columns, wanted, slowest, fastest
    )
    return integral[1:] - propagators @ integral[:1]


def _integral(
    losses: bool,
    drift: jax.Array,
    matrix: jax.Array,
    temperature: jax.Array,
    columns: jax.Array,
    times: jax.Array,
    slowest: jax.Array,
    fastest: jax.Array,
) -> jax.Array:
    """M(t) E [K, n, c]."""
    kind = np.result_type(drift.dtype, np.complex64)
    one, turn = jnp.eye(len(drift), dtype=kind), jnp.asarray(np.exp(-1j * _ANGLE), kind)
    given = [x.astype(kind) for x in (drift, matrix, columns, times)]
    full, sources, right, moments = given

    def density(node: jax.Array) -> jax.Array:
        w = node.astype(kind) * turn
        factor = thermal_factor(w, temperature)
        if losses:
            factor = 1j * factor / w
        source = jnp.sum(factor[:, None, None] * sources, axis=0)
        image = source @ solve((1j * w * one - full).T, right)
        return turn * solve(-1j * w * one - full, image)

    @partial(jax.checkpoint, prevent_cse=False)
    def weighted(node: jax.Array, weight: jax.Array) -> jax.Array:
        phase = jnp.exp(-1j * (node.astype(kind) * turn) * moments)
        value = (weight / math.pi).astype(kind) * density(node)
        return (phase[:, None, None] * value[None]).real

    count, nodes, weights = _ray(temperature, times, slowest, fastest)

    def add(total: jax.Array, term: tuple[jax.Array, ...]) -> tuple[jax.Array, None]:
        place, node, weight = term
        more = jax.lax.cond(
            any_of_all(place < count), weighted, lambda *_: jnp.zeros_like(total), node, weight
        )
        return total + more, None

    start = jnp.zeros((len(times), *columns.shape), drift.dtype)
    if losses:
        inverted = inverse(drift)
        pole = jnp.sum(temperature[:, None, None] * matrix, axis=0)
        start = start + (2 * _ANGLE / math.pi) * (inverted @ pole @ (inverted.T @ columns))[None]
    return jax.lax.scan(add, start, (jnp.arange(len(nodes), dtype=count.dtype), nodes, weights))[0]


_INTEGRALS = {losses: bounded_memory(partial(_integral, losses)) for losses in (False, True)}


def thermal_factor(w: jax.Array, temperature: jax.Array) -> jax.Array:
    """W coth(w/2T) [M] for Re w > 0 and T ≥ 0 [M]: w where it is cold."""
    size = jnp.abs(jax.lax.stop_gradient(w))
    warm = temperature * (2 * _GONE) > size
    ratio = w / jnp.where(warm, 2 * temperature, size).astype(w.dtype)
    return jnp.where(warm, w / jnp.tanh(ratio), w)


def _ray(
    temperature: jax.Array, times: jax.Array, slowest: jax.Array, fastest: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """How many of the nodes on the ray there are, the nodes x and their weights."""
    temperature, times = jax.lax.stop_gradient((temperature, times))
    coldest = jnp.min(jnp.where(temperature > 0, temperature, jnp.inf))
    earliest = jnp.min(jnp.where(times > 0, times, jnp.inf))
    # Much colder is as good as T = 0, and much later as good as never, or hotter, or earlier.
    low = jnp.minimum(slowest, jnp.maximum(6 * coldest, 1e-9 * slowest))
    low = jnp.minimum(low, jnp.maximum(1 / jnp.max(times), 1e-16 * slowest))
    smooth = jnp.maximum(_GONE * jnp.max(temperature), _GONE / earliest)
    high = jnp.maximum(4 * fastest, jnp.minimum(smooth, 1e8 * fastest))
    span = jnp.log(high / low)
    beyond = len(END_CORRECTION)  # so many nodes at each end
    count = jnp.clip(jnp.ceil(span / _STEP), 2 * beyond, _NODES)
    step = span / count

    dtype = times.dtype
    place = jnp.arange(_NODES + 2 * beyond, dtype=dtype)
    ramp, last = jnp.asarray(_RAMP, dtype), len(_RAMP) - 1
    back = count + last - 1 - place
    ends = [ramp[jnp.clip(x, 0, last).astype(jnp.int32)] for x in (place, back)]
    x = low * jnp.exp(step * jnp.minimum(place - beyond + 0.5, count + beyond))
    weight = jnp.where(back >= 0, x * step * ends[0] * ends[1], 0)

    gauss, measure = (jnp.asarray(x, dtype) for x in _GAUSS)
    upper = 2 / (1 + gauss)
    nodes = jnp.concatenate([low / upper, high * upper, x])
    weights = jnp.concatenate([low * measure / 2, high * upper**2 * measure / 2, weight])
    return count + 2 * beyond + 2 * len(gauss), nodes, weights


def correlation(
    drift: jax.Array,
    noise: Noise,
    covariance: jax.Array,
    size: int,
    times: jax.Array,
    scales: tuple[jax.Array, jax.Array],
) -> jax.Array:
    """C(t) [K, size, size] of the first components, from σ [n, n], at times t ≥ 0 [K]."""
    columns = jnp.eye(len(drift), dtype=drift.dtype)[:, :size]
    propagators = propagation(drift, jnp.zeros_like(drift), times).propagator
    regression = propagators @ covariance[None, :, :size]
    change = transient(drift, noise, columns, propagators, times, scales)
    return (regression + change)[:, :size]


def propagation(
    drift: jax.Array, diffusion: jax.Array, times: jax.Array, force: jax.Array | None = None
) -> Flow:
    """``flow`` at many times [K]; of a force that acts on the first components."""
    given = jnp.zeros((0,), drift.dtype) if force is None else force
    padded = jnp.pad(given, (0, len(drift) - len(given)))
    return flow(drift, diffusion, padded, times)


def driven_network(network: Network, size: int) -> tuple[jax.Array, jax.Array]:
    """Drift and noise [M, n + d, n + d] of oscillators and filters with filters of the noise."""
    total = len(network.drift)
    above = jnp.pad(network.drift[:size, size:], ((0, total - size), (0, 0)))
    filters = network.drift[size:, size:]
    below = jnp.pad(filters, ((0, 0), (total, 0)))
    drift = jnp.concatenate([jnp.concatenate([network.drift, above], axis=1), below])
    fill = ((0, 0), (total, 0), (0, 0))
    left, right = (jnp.pad(x[:, size:], fill) for x in (network.left, network.right))
    return drift, left @ jnp.swapaxes(right, 1, 2)


def structured_moments(
    network: Network, temperature: jax.Array, force: jax.Array, times: jax.Array
) -> Flow:
    """What evolves a product state of the oscillators, R [K, m, m], V [K, m, m] and v [K, m].

    σ(t) = R σ(0) Rᵀ + V, ⟨r(t)⟩ = R⟨r(0)⟩ + v, behind baths with a cutoff; NaN where there is no
    steady state.
    """
    size, total = len(network.divergent), len(network.drift)
    drift, matrix = driven_network(network, size)
    one = jnp.eye(len(drift), dtype=drift.dtype)
    joint = network._replace(drift=drift, left=matrix, right=jnp.broadcast_to(one, matrix.shape))
    covariance = solve_lyapunov(drift, effective_diffusion(joint, temperature))
    across = covariance[total:, :total]
    pull = drift[:total, total:] @ across
    diffusion = jnp.pad(pull + pull.T, (0, len(drift) - total))
    moved = propagation(drift, diffusion, times, force)
    noise = Noise(matrix, temperature, False)
    scales = time_scales(drift)
    change = transient(drift, noise, one[:, :total], moved.propagator, times, scales)
    late = moved.propagator[:, :total, total:] @ across[None] + change[:, :total]
    return _moments(moved, late, size, total)


def flat_moments(
    drift: jax.Array,
    noise: Noise,
    diffusion: jax.Array,
    force: jax.Array,
    times: jax.Array,
    scales: tuple[jax.Array, jax.Array],
) -> Flow:
    """The same behind flat baths."""
    moved = propagation(drift, diffusion, times, force)
    one = jnp.eye(len(drift), dtype=drift.dtype)
    change = transient(drift, noise, one, moved.propagator, times, scales)
    return _moments(moved, change, len(drift), len(drift))


def _moments(moved: Flow, change: jax.Array, size: int, total: int) -> Flow:
    """From Φ, Q and v of the whole and C − e^{At}σ."""
    own = moved.propagator[:, :size, :total]
    cross = change[:, :size] @ jnp.swapaxes(own, 1, 2)
    noise = moved.noise[:, :size, :size] - (cross + jnp.swapaxes(cross, 1, 2))
    return Flow(own[:, :, :size], noise, moved.shift[:, :size])
