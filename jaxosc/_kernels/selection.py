"""Which kernel computes: the one place where the number of modes decides.

A record comes in, a kernel that holds its arrays goes out. Only what is static chooses (the number
of modes, the dtype of the couplings, the kind of the baths), never a value.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import baths as _baths
from jaxosc._kernels import dense
from jaxosc._kernels.general import GeneralKernel
from jaxosc._kernels.interface import Kernel, Network
from jaxosc._kernels.network import FewKernel, ManyKernel, SingleKernel
from jaxosc._kernels.pair import PairKernel
from jaxosc._kernels.pair_equation import Couple
from jaxosc._numerics.special import product_less_square
from jaxosc.baths import Baths
from jaxosc.oscillators import Oscillators, is_real
from jaxosc.pairs import PairAtDistance

# Up to here one dense system is faster than an iteration.
_FEW = 6


class Problem(NamedTuple):
    """A network and its baths in natural units.

    Attributes:
        kernel: the network.
        damping: γ [M].
        temperature: T [M], None for white baths.
        unit: a power of two next to the largest frequency, in the unit of the user.
        occupation: N [M] of white baths.
        rows: u [M, 2N] complex, L_m = u_m·r, the lowering part of what each bath couples to; None
            if they are the a_j, one an oscillator.
        squeezing: ⟨bb⟩ [M] of white baths, if any.
    """

    kernel: Kernel
    damping: jax.Array
    temperature: jax.Array | None
    unit: jax.Array
    occupation: jax.Array | None
    rows: jax.Array | None
    squeezing: jax.Array | None

    @property
    def general(self) -> GeneralKernel:
        """The kernel, where there are rows."""
        assert isinstance(self.kernel, GeneralKernel)
        return self.kernel


def problem_of(oscillators: Oscillators, baths: Baths) -> Problem:
    """What an equation computes from."""
    scaled, scaled_baths, unit = _baths.in_natural_units(oscillators, baths)
    rows = lowering_rows(scaled_baths, oscillators.modes)
    return Problem(
        kernel_of(scaled) if rows is None else _general(scaled),
        scaled_baths.damping,
        scaled_baths.temperature,
        unit,
        baths.occupation,
        rows,
        baths.squeezing,
    )


def lowering_rows(baths: Baths, modes: int) -> jax.Array | None:
    """u [M, 2N] of the lowering part of what each bath couples to; None if that is its own a_j."""
    rows = baths._rows
    if rows is None:
        if baths.squeezing is None:
            return None
        rows = jnp.eye(modes, dtype=dense.complex_of(baths.damping.dtype))
    elif not jnp.iscomplexobj(rows):
        x, p = rows[:, 0::2], rows[:, 1::2]  # c·r = Σ l_j a_j + h.c.
        rows = jax.lax.complex(x, -p) * np.sqrt(0.5).astype(rows.dtype)
    return dense.lowering_rows(rows)


def kernel_of(oscillators: Oscillators) -> Kernel:
    """The kernel of a network, in the unit in which its frequencies are."""
    if not is_real(oscillators):
        return _general(oscillators)
    network = Network(oscillators.frequency, oscillators.exchange, oscillators.pairing)
    if is_pair(oscillators):
        return PairKernel(network, _couple(oscillators, network))
    hollow = oscillators._hollow
    if oscillators.modes == 1:
        return SingleKernel(network, hollow)
    few = oscillators.modes <= _FEW
    return FewKernel(network, hollow) if few else ManyKernel(network, hollow)


def _general(oscillators: Oscillators) -> GeneralKernel:
    exchange, pairing = oscillators.exchange, oscillators.pairing
    sound = jnp.all(exchange == jnp.conj(exchange.T)) & jnp.all(jnp.diag(exchange) == 0)
    sound &= jnp.all(pairing == pairing.T)
    if oscillators._hollow:
        sound &= jnp.all(jnp.diag(pairing) == 0)
    return GeneralKernel(oscillators.frequency, oscillators.hessian, sound)


def is_pair(oscillators: Oscillators) -> bool:
    """Whether the network is one of two modes, whose critical point is known in closed form."""
    return oscillators.modes == 2 and oscillators._hollow and is_real(oscillators)


def _couple(oscillators: Oscillators, network: Network) -> Couple:
    """The numbers of two modes, det V and det W exact to their last digits near criticality."""
    (omega1, omega2), exchange, pairing = network
    j, k = exchange[0, 1], pairing[0, 1]
    if isinstance(oscillators, PairAtDistance) and oscillators.damping is None:
        product, distance = omega1 * omega2, oscillators.distance
        inside = (distance > 0) & (distance < 2)
        near = product * jnp.where(inside, distance * (2 - distance), jnp.nan)
        det_v, det_w = near, product if oscillators.interaction == "position" else near
    else:
        det_v = product_less_square(omega1, omega2, j + k)
        det_w = product_less_square(omega1, omega2, j - k)
    return Couple(omega1, omega2, j, k, det_v, det_w)
