"""What there are answers for: one decision, which compiled code and error messages both read.

Each condition has a code. Inside ``jit`` a result is NaN unless all of them hold; outside it the
first that does not is put into words.
"""

from __future__ import annotations

from enum import IntEnum
from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._kernels import selection
from jaxosc._kernels.interface import Kernel
from jaxosc._numerics import small
from jaxosc.baths import Baths, spectra_of
from jaxosc.oscillators import (
    FREQUENCIES,
    Oscillators,
    in_unit,
    natural_unit,
)

# By bytes of the dtype, over the largest frequency: the smallest damping rate above zero, the
# largest, and the highest temperature. Measured against 50 digits, at random
# parameters: within them at least three digits are left, typically all; beyond them a description
# may return a plausible number that is wrong.
_RANGE = {4: (1e-10, 1e3, 1e12), 8: (1e-20, 1e6, 1e30)}


class Status(IntEnum):
    """Why there is no answer; ``VALID`` if there is one. ``.meaning`` says it in words."""

    VALID = 0
    SPREAD = 1
    UNBOUNDED = 2
    RATES = 3
    TEMPERATURES = 4
    DARK = 5
    FORM = 6
    FRAME = 7
    OCCUPATIONS = 8
    SHIFTED = 9
    UNSTABLE = 10
    SPECTRUM = 11
    NUMBER = 12
    SOFT = 13

    @property
    def meaning(self) -> str:
        """What is wrong, in words."""
        return _MEANINGS[self]


_MEANINGS = {
    Status.VALID: "there is an answer",
    Status.SPREAD: "frequencies are too far apart for the dtype, or out of its range",
    Status.UNBOUNDED: "the Hamiltonian is not bounded below",
    Status.RATES: "a damping rate is negative or out of range",
    Status.TEMPERATURES: "a temperature is negative or out of range",
    Status.DARK: "no bath damps one of the normal modes",
    Status.FORM: "the couplings make no Hermitian Hamiltonian",
    Status.FRAME: "baths have a temperature in a frame where a frequency is not positive",
    Status.OCCUPATIONS: "an occupation is negative, or a squeezing beyond |M|² = N(N + 1)",
    Status.SHIFTED: "baths without a counter-term leave no potential that is bounded below",
    Status.SPECTRUM: "a parameter of a spectrum is not positive, or a weight negative",
    Status.NUMBER: "a width, a time or a frequency beside the baths is negative or not finite",
    Status.SOFT: "a normal mode is too soft beside the damping for an equation of second order",
    Status.UNSTABLE: "a motion grows, or is not damped",
}


_OF_THE_NETWORK = {Status.SPREAD, Status.UNBOUNDED, Status.FORM, Status.FRAME}

Conditions = dict[Status, jax.Array]


def network_conditions(oscillators: Oscillators, kernel: Kernel | None = None) -> Conditions:
    """What a network must satisfy: frequencies near enough to each other, H bounded below.

    Args:
        oscillators: the network.
        kernel: its kernel in natural units; made here if left out.
    """
    kernel = kernel or natural_kernel(oscillators)
    frequency = oscillators.frequency
    low, high = FREQUENCIES[frequency.dtype.itemsize]
    largest, smallest = small.maximum(frequency), small.minimum(frequency)
    near = (smallest >= kernel.least_ratio[largest.dtype.itemsize] * largest) & (smallest >= low)
    return {
        Status.FORM: kernel.well_formed(),
        # A frequency that is not positive is one of an H without a bound.
        Status.SPREAD: (near & (largest <= high)) | (smallest <= 0),
        Status.UNBOUNDED: kernel.bounded(),
    }


def conditions(oscillators: Oscillators, baths: Baths, kernel: Kernel | None = None) -> Conditions:
    """What a network and its baths must satisfy in the laboratory, as ``network_conditions``."""
    return both(network_conditions(oscillators, kernel), bath_conditions(oscillators, baths))


def frame_conditions(
    oscillators: Oscillators, baths: Baths, kernel: Kernel | None = None
) -> Conditions:
    """What they must satisfy where nothing but a stable motion is needed, in any frame."""
    kernel = kernel or natural_kernel(oscillators, baths.occupation is not None)
    frequency = oscillators.frequency
    _, high = FREQUENCIES[frequency.dtype.itemsize]
    finite = small.every(lambda omega: jnp.abs(omega) <= high, frequency)
    found = {Status.FORM: kernel.well_formed() & finite, Status.UNBOUNDED: kernel.in_reach()}
    if baths.temperature is not None:
        largest, smallest = small.maximum(frequency), small.minimum(frequency)
        found[Status.FRAME] = smallest > 0
        found[Status.SPREAD] = smallest >= kernel.least_ratio[largest.dtype.itemsize] * largest
    return both(found, bath_conditions(oscillators, baths))


def bath_conditions(oscillators: Oscillators, baths: Baths) -> Conditions:
    """Rates and noise within the range in which there are answers."""
    low, high, hot = _RANGE[oscillators.frequency.dtype.itemsize]
    found = {}
    if baths._rows is not None:
        found[Status.FORM] = jnp.all(jnp.isfinite(baths._rows))
    sound = [each for spectrum in spectra_of(baths) if (each := spectrum.is_sound()) is not None]
    if sound:
        found[Status.SPECTRUM] = reduce(jnp.logical_and, sound)
    if baths.temperature is None:
        return found | _white_conditions(baths)
    largest = small.maximum(oscillators.frequency)

    def within(rate: jax.Array) -> jax.Array:
        return (rate == 0) | ((rate >= low * largest) & (rate <= high * largest))

    def warm(temperature: jax.Array) -> jax.Array:
        return (temperature >= 0) & (temperature <= hot * largest)

    return found | {
        Status.RATES: small.every(within, baths.damping),
        Status.TEMPERATURES: small.every(warm, baths.temperature),
    }


def _white_conditions(baths: Baths) -> Conditions:
    number, squeezing = baths.occupation, baths.squeezing
    assert number is not None
    itemsize = baths.damping.dtype.itemsize
    sound = small.every(lambda n: (n >= 0) & (n <= _RANGE[itemsize][2]), number)
    if squeezing is not None:
        bound = number * (number + 1) * (1 + 1e-6)
        sound &= jnp.all(jnp.abs(squeezing) ** 2 <= bound)
    largest = FREQUENCIES[itemsize][1]
    damped = small.every(lambda rate: (rate >= 0) & (rate <= largest), baths.damping)
    return {Status.RATES: damped, Status.OCCUPATIONS: sound}


def thermal_conditions(
    oscillators: Oscillators, temperature: jax.Array, kernel: Kernel | None = None
) -> Conditions:
    """What a network in thermal equilibrium must satisfy, as in ``network_conditions``."""
    largest = small.maximum(oscillators.frequency)
    hot = _RANGE[largest.dtype.itemsize][2]
    warm = (temperature >= 0) & (temperature <= hot * largest)
    return network_conditions(oscillators, kernel) | {Status.TEMPERATURES: warm}


def both(one: Conditions, other: Conditions) -> Conditions:
    """The conditions of one and the other."""
    shared = {reason: one[reason] & other[reason] for reason in one.keys() & other.keys()}
    return one | other | shared


def hold(conditions: Conditions) -> jax.Array:
    """Whether all of them hold."""
    return reduce(jnp.logical_and, conditions.values())


def status(conditions: Conditions) -> jax.Array:
    """The code of the first one that does not hold, an int32."""
    code = jnp.full((), Status.VALID, jnp.int32)
    for reason, holds in reversed(conditions.items()):
        code = jnp.where(holds, code, jnp.int32(reason))
    return code


def require(code: jax.Array, oscillators: Oscillators, baths: Baths | None = None) -> None:
    """Raise ValueError, in words, unless the status is known to be valid; pass if traced."""
    known = _checks.concrete(code)
    if known is None or known == Status.VALID:
        return
    # Inside jax.grad the answer is known, and so are the values behind the derivatives.
    oscillators, baths = jax.tree.map(jax.lax.stop_gradient, (oscillators, baths))
    reason = Status(int(known))
    of_baths = baths is not None and reason not in _OF_THE_NETWORK
    words = _bath_words if of_baths else _network_words
    raise ValueError(words(reason, oscillators, baths))


def is_well_formed(oscillators: Oscillators) -> jax.Array:
    """Whether H is Hermitian as stated."""
    return selection.kernel_of(oscillators).well_formed()


def is_bounded(oscillators: Oscillators) -> jax.Array:
    """Whether H is Hermitian as stated and bounded below with a gap: V and W positive definite."""
    return natural_kernel(oscillators).bounded()


def natural_kernel(oscillators: Oscillators, rotating: bool = False) -> Kernel:
    """The kernel of a network in natural units."""
    return selection.kernel_of(in_unit(oscillators, natural_unit(oscillators, rotating)), rotating)


def spread_limit(oscillators: Oscillators) -> float:
    """The smallest ratio of two frequencies of a network for which there are answers."""
    return selection.kernel_of(oscillators).least_ratio[oscillators.frequency.dtype.itemsize]


def _network_words(reason: Status, oscillators: Oscillators, baths: Baths | None) -> str:
    """What the oscillators must satisfy and do not."""
    frequency = np.asarray(oscillators.frequency)
    if reason == Status.FRAME:
        return (
            "Argument `oscillators` must have positive frequencies beside baths with a "
            f"temperature, but they are {frequency}: a temperature is a statement about "
            "frequencies in the laboratory. In a rotating frame give the baths an `occupation`."
        )
    if reason == Status.FORM:
        return (
            "Argument `oscillators` must have finite frequencies, a Hermitian exchange with a zero "
            "diagonal and a symmetric pairing (without a diagonal if it was made without one), "
            "but it does not."
        )
    if reason == Status.TEMPERATURES:
        hot = _RANGE[frequency.dtype.itemsize][2]
        return (
            f"Argument `temperature` must lie between 0 and {hot * float(frequency.max()):.1e} in "
            f"{frequency.dtype} beside these frequencies, but it does not."
        )
    if (frequency <= 0).any():
        return (
            "Argument `oscillators` must have a Hamiltonian that is bounded below, but not all "
            f"frequencies are positive: they are {frequency}. In a rotating frame the local "
            "equation is exact for baths with an `occupation`."
        )
    if reason == Status.SPREAD:
        limit = spread_limit(oscillators)
        return (
            f"Argument `oscillators` must have frequencies within a factor {1 / limit:.0e} of each "
            f"other, with {oscillators.modes} modes in {frequency.dtype}, but the smallest is "
            f"{frequency.min():.3g} and the largest {frequency.max():.3g}."
        )
    if selection.is_pair(oscillators):
        # |λ| + |κ| = √(ω1 ω2) is where the first of V = ω + λ + κ, W = ω + λ − κ fails.
        couplings = (oscillators.exchange, oscillators.pairing)
        strength = sum(abs(np.asarray(matrix)[0, 1]) for matrix in couplings)
        detail = (
            f"|exchange| + |pairing| = {strength:.6g} must be below "
            f"sqrt(omega1 omega2) = {np.sqrt(frequency[0] * frequency[1]):.6g}"
        )
    else:
        smallest = np.linalg.eigvalsh(np.asarray(oscillators.hessian))[0]
        detail = (
            "the smallest eigenvalue of the hessian, with real couplings "
            f"of omega + exchange +/- pairing, is {smallest:.6g} and must be positive"
        )
    return (
        "Argument `oscillators` must have a Hamiltonian that is bounded below, but its coupling "
        f"is at or past the critical one: {detail}. See jaxosc.diagnose."
    )


def _bath_words(reason: Status, oscillators: Oscillators, baths: Baths) -> str:
    """What the baths must satisfy and do not."""
    if reason == Status.DARK:
        return "Argument `baths` must damp every normal mode, but at least one of them has no bath."
    if reason == Status.SPECTRUM:
        return (
            "Argument `baths` must have spectra with positive parameters and weights that are not "
            f"negative, but one of {baths.spectrum!r} has not."
        )
    if reason == Status.SOFT:
        return (
            "Argument `baths` must have damping rates below the smallest normal frequency, or a "
            "tenth of it if flat, whose noise diverges there: a soft mode is beyond the second "
            f"order in the coupling, but the rates are {np.asarray(baths.damping)}."
        )
    if reason == Status.SHIFTED:
        return (
            "Argument `baths` must leave a potential that is bounded below, but those without a "
            "counter-term shift it by −½χ(0)X² too far: it must stay positive definite with the "
            "static susceptibility χ(0) of each."
        )
    if baths.temperature is None:
        return (
            "Argument `baths` must have finite damping rates and occupations that are not "
            "negative, and squeezing within |M|² ≤ N(N + 1), but the rates are "
            f"{np.asarray(baths.damping)} and the occupations {np.asarray(baths.occupation)}."
        )
    largest, dtype = float(oscillators.frequency.max()), oscillators.frequency.dtype
    low, high, hot = _RANGE[dtype.itemsize]
    return (
        f"Argument `baths` must have damping rates that are zero or between {low * largest:.1e} "
        f"and {high * largest:.1e}, and temperatures up to {hot * largest:.1e}, in {dtype} beside "
        f"a frequency of {largest:.3g}, but the rates are {np.asarray(baths.damping)} and the "
        f"temperatures {np.asarray(baths.temperature)}."
    )
