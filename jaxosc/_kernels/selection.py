"""Which kernel computes: the one place where the number of modes decides.

A record comes in, a kernel that holds its arrays goes out. Only what is static chooses (the number
of modes, the dtype of the couplings, the kind of the baths), never a value.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxosc import baths as _baths
from jaxosc._kernels.interface import Kernel, Network
from jaxosc._kernels.network import FewKernel, ManyKernel, SingleKernel
from jaxosc._kernels.pair import PairKernel
from jaxosc._kernels.pair_equation import Couple
from jaxosc._numerics import entropy, lyapunov
from jaxosc._numerics.special import product_less_square
from jaxosc.baths import Baths
from jaxosc.oscillators import Oscillators, PairAtDistance

# Up to here one dense system is faster than an iteration; its work grows as N⁶, that of products
# as N³.
_FEW = 6


class Problem(NamedTuple):
    """A network and its baths in natural units.

    Attributes:
        kernel: the network.
        damping: γ [N].
        temperature: T [N].
        unit: a power of two next to the largest frequency, in the unit of the user.
    """

    kernel: Kernel
    damping: jax.Array
    temperature: jax.Array
    unit: jax.Array


def problem_of(oscillators: Oscillators, baths: Baths) -> Problem:
    """What an equation computes from."""
    scaled, scaled_baths, unit = _baths.in_natural_units(oscillators, baths)
    return Problem(kernel_of(scaled), scaled_baths.damping, scaled_baths.temperature, unit)


def kernel_of(oscillators: Oscillators) -> Kernel:
    """The kernel of a network, in the unit in which its frequencies are."""
    network = Network(oscillators.frequency, oscillators.exchange, oscillators.pairing)
    # Complex couplings, and a pairing with a diagonal, will have their kernel here.
    if is_pair(oscillators):
        return PairKernel(network, _couple(oscillators, network))
    if oscillators.modes == 1:
        return SingleKernel(network)
    return FewKernel(network) if oscillators.modes <= _FEW else ManyKernel(network)


def solve_lyapunov(drift: jax.Array, diffusion: jax.Array) -> jax.Array:
    """σ of Aσ + σAᵀ + D = 0 for matrices [2N, 2N] of no particular structure."""
    few = drift.shape[0] <= 2 * _FEW
    return (lyapunov.as_dense_system if few else lyapunov.by_doubling)(drift, diffusion)


def mutual_information(first: jax.Array, second: jax.Array, both: jax.Array) -> jax.Array:
    """I of two groups of modes, by their covariances and the joint one."""
    if first.shape[0] == second.shape[0] == 2:
        return entropy.pair_information(both)
    return entropy.information(first, second, both)


def is_pair(oscillators: Oscillators) -> bool:
    """Whether the network is one of two modes, whose critical point is known in closed form."""
    return oscillators.modes == 2


def _couple(oscillators: Oscillators, network: Network) -> Couple:
    """The numbers of two modes, det V and det W exact to their last digits near criticality."""
    (omega1, omega2), exchange, pairing = network
    j, k = exchange[0, 1], pairing[0, 1]
    if isinstance(oscillators, PairAtDistance):
        product, distance = omega1 * omega2, oscillators.distance
        inside = (distance > 0) & (distance < 2)
        near = product * jnp.where(inside, distance * (2 - distance), jnp.nan)
        det_v, det_w = near, product if oscillators.interaction == "position" else near
    else:
        det_v = product_less_square(omega1, omega2, j + k)
        det_w = product_less_square(omega1, omega2, j - k)
    return Couple(omega1, omega2, j, k, det_v, det_w)
