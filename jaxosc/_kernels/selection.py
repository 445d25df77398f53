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
from jaxosc._kernels import dense, pair_modes
from jaxosc._kernels.general import GeneralKernel
from jaxosc._kernels.interface import BathCoupling, Kernel, Network
from jaxosc._kernels.network import FewKernel, ManyKernel, Products, SingleKernel
from jaxosc._kernels.pair import PairKernel
from jaxosc._kernels.pair_equation import Couple, Scale
from jaxosc._kernels.pair_forms import ClosedRate
from jaxosc._numerics import entropy, small
from jaxosc._numerics.special import product_less_square
from jaxosc.baths import Baths
from jaxosc.oscillators import Oscillators, in_unit, is_real
from jaxosc.pairs import PairAtDistance
from jaxosc.spectra import Drude, Flat, Ohmic

# Up to here one dense system is faster than an iteration; its work grows as N⁶, that of products
# as N³.
_FEW = 6
# Alone the products take less time than normal coordinates up to the first number (110 μs against
# 180 for 8 modes; beyond, XLA divides them among threads that wait for each other), in batches up
# to the second (250 μs a network against 510 for 16).
_ALONE, _BATCHED = 12, 32


class Problem(NamedTuple):
    """A network and its baths in natural units.

    Attributes:
        kernel: the network.
        damping: γ [M].
        temperature: T [M], those of few baths each by itself; None for white baths.
        unit: a power of two next to the largest frequency, in the unit of the user.
        occupation: N [M] of white baths.
        rows: u [M, 2N] complex, L_m = u_m·r, the lowering part of what each bath couples to; None
            if they are the a_j, one an oscillator.
        squeezing: ⟨bb⟩ [M] of white baths, if any.
    """

    kernel: Kernel
    damping: jax.Array
    temperature: small.Entries | None
    unit: jax.Array
    occupation: jax.Array | None
    rows: jax.Array | None
    squeezing: jax.Array | None

    @property
    def temperatures(self) -> jax.Array:
        """T [M], of baths that are known to have them."""
        found: jax.Array = small.together(self.each_temperature)
        return found

    @property
    def each_temperature(self) -> small.Entries:
        """The same, those of few baths each by itself."""
        assert self.temperature is not None
        return self.temperature

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
        kernel_of(scaled, baths.occupation is not None) if rows is None else _general(scaled),
        scaled_baths.damping,
        scaled_baths._temperatures,
        unit,
        baths.occupation,
        rows,
        baths.squeezing,
    )


class ClosedPair(NamedTuple):
    """Two modes whose dissipators are written out, in natural units."""

    kernel: PairKernel
    rates: tuple[ClosedRate, ClosedRate]
    coupling: BathCoupling

    def is_resolved(self, damping: jax.Array) -> jax.Array:
        """Whether the softer mode is resolved: second order asks for Ω_− ≫ γ.

        Behind flat baths, whose noise diverges at ω = 0, beyond ten damping rates, else beyond one.
        There what is written out has at least six digits, below it may have none.
        """
        flat = any(rate.power == 0 for rate in self.rates)
        softest = pair_modes.frequencies(self.kernel.couple)[0]
        return softest >= (10 if flat else 1) * jnp.maximum(damping[0], damping[1])


def closed_pair(oscillators: Oscillators, baths: Baths, problem: Problem) -> ClosedPair | None:
    """The same where it is one: real couplings, one bath an oscillator, a closed form of its J."""
    kernel, unit = problem.kernel, problem.unit
    if not isinstance(kernel, PairKernel) or baths._named is None:
        return None

    def rate(bath: int) -> ClosedRate | None:
        spectrum = _baths.spectrum_of(baths, bath)
        stated = spectrum.reference
        reference = (oscillators.frequency[bath] if stated is None else stated) / unit
        if isinstance(spectrum, Flat):
            return ClosedRate(0, reference)
        if isinstance(spectrum, Ohmic):
            return ClosedRate(1, reference)
        if isinstance(spectrum, Drude):
            return ClosedRate(1, reference, spectrum.cutoff / unit)
        return None

    first, second = rate(0), rate(1)
    if first is None or second is None:
        return None
    return ClosedPair(kernel, (first, second), baths._named)


def lowering_rows(baths: Baths, modes: int) -> jax.Array | None:
    """Rows u [M, 2N] of the lowering part of what baths couple to; None if each to its own a_j."""
    rows = baths._rows
    if rows is None:
        if baths.squeezing is None:
            return None
        rows = jnp.eye(modes, dtype=dense.complex_of(baths.damping.dtype))
    else:
        rows = lowering_amplitudes(rows)
    return dense.lowering_rows(rows)


def lowering_amplitudes(rows: jax.Array) -> jax.Array:
    """Complex rows l [M, N] of what lowers in what baths couple to, c·r = Σ l_j a_j + h.c."""
    if jnp.iscomplexobj(rows):
        return rows
    half = rows * np.sqrt(0.5).astype(rows.dtype)
    return jax.lax.complex(half[:, 0::2], -half[:, 1::2])


def amplitude_rates(oscillators: Oscillators, baths: Baths) -> jax.Array:
    """The amplitude rate of each bath at its reference [M], γ_m Σ_j |l_mj|²."""
    rows = lowering_rows(baths, oscillators.modes)
    if rows is None:
        return baths.damping
    return baths.damping * jnp.sum(jnp.abs(rows) ** 2, axis=1)


def contact_of(baths: Baths) -> BathCoupling | jax.Array:
    """What each bath couples to: a name, or rows u [M, 2N] complex, X_m = u_m·r or L_m = u_m·r."""
    if baths._named is not None:
        return baths._named
    rows = baths._rows
    assert rows is not None
    if jnp.iscomplexobj(rows):
        return dense.lowering_rows(rows)
    return rows.astype(dense.complex_of(rows.dtype))


def kernel_of(oscillators: Oscillators, rotating: bool = False) -> Kernel:
    """The kernel of a network, in the unit in which its frequencies are.

    In a frame that may be rotating the kernel must do without a bounded H.
    """
    if not is_real(oscillators):
        return _general(oscillators)
    network = Network(oscillators.frequency, oscillators.exchange, oscillators.pairing)
    if is_pair(oscillators):
        return PairKernel(network, _couple(oscillators, network))
    if oscillators.modes == 2 and not rotating:
        return PairKernel(network, *_scaled_couple(network))
    hollow = oscillators._hollow
    if oscillators.modes == 1:
        return SingleKernel(network, hollow)
    if oscillators.modes <= _FEW:
        return FewKernel(network, hollow)
    if rotating:  # without normal modes there is nothing to iterate in
        return _general(oscillators)
    products: Products = "always" if oscillators.modes <= _ALONE else "in batches"
    return ManyKernel(network, hollow, "never" if oscillators.modes > _BATCHED else products)


def general_of(oscillators: Oscillators, unit: jax.Array) -> GeneralKernel:
    """The kernel of any H, in this unit."""
    return _general(in_unit(oscillators, unit))


def _general(oscillators: Oscillators) -> GeneralKernel:
    exchange, pairing = oscillators.exchange, oscillators.pairing
    sound = jnp.all(exchange == jnp.conj(exchange.T)) & jnp.all(jnp.diag(exchange) == 0)
    sound &= jnp.all(pairing == pairing.T)
    if oscillators._hollow:
        sound &= jnp.all(jnp.diag(pairing) == 0)
    return GeneralKernel(oscillators.frequency, oscillators.hessian, sound)


def mutual_information(first: jax.Array, second: jax.Array, both: jax.Array) -> jax.Array:
    """I of two groups of modes, by their covariances and the joint one."""
    if first.shape[0] == second.shape[0] == 2:
        return entropy.pair_information(both)
    return entropy.information(first, second, both)


def is_pair(oscillators: Oscillators) -> bool:
    """Whether the network is one of two modes, whose critical point is known in closed form."""
    return oscillators.modes == 2 and oscillators._hollow and is_real(oscillators)


def _scaled_couple(network: Network) -> tuple[Couple, Scale]:
    """The same of two modes whose pairing may have a diagonal, in quadratures where it has none."""
    omega, exchange, pairing = network
    j, k = exchange[0, 1], pairing[0, 1]
    # By r = κ_jj/ω_j: where it is zero every number, and every derivative, is as without it.
    r1, r2 = pairing[0, 0] / omega[0], pairing[1, 1] / omega[1]
    s1, s2 = (jnp.sqrt(jnp.sqrt((1 - r) / (1 + r))) for r in (r1, r2))
    link = s1 * s2
    even, odd = (link + 1 / link) / 2, (link - 1 / link) / 2
    det_v = product_less_square(omega[0] + pairing[0, 0], omega[1] + pairing[1, 1], j + k)
    det_w = product_less_square(omega[0] - pairing[0, 0], omega[1] - pairing[1, 1], j - k)
    couple = Couple(
        omega[0] * jnp.sqrt((1 - r1) * (1 + r1)),
        omega[1] * jnp.sqrt((1 - r2) * (1 + r2)),
        j * even + k * odd,
        k * even + j * odd,
        det_v * link**2,
        det_w / link**2,
    )
    return couple, Scale(s1, s2)


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
