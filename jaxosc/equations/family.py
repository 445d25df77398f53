"""What the master equations of second order share: their baths, one by one, and their road.

Each equation of the family is a symbol Γ(x, y) of two Bohr frequencies (``_kernels/bohr.py``), in
terms of S(w) = 2J(w)(N(w) + 1), the noise of a bath at a frequency of either sign.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks, domain
from jaxosc import baths as _baths
from jaxosc._kernels import bohr, dense, pair_bohr, selection
from jaxosc._kernels.general import GeneralKernel
from jaxosc._kernels.pair_bohr import PairEquation
from jaxosc._kernels.pair_forms import Dissipator
from jaxosc._kernels.selection import ClosedPair, Problem
from jaxosc._numerics.small import maximum, nan_unless
from jaxosc._numerics.special import bose
from jaxosc.baths import Baths, spectra_of, spectrum_of
from jaxosc.description import Generators, Parts
from jaxosc.dynamics import network_matrix
from jaxosc.equations.entrance import Equation, require_laboratory_baths
from jaxosc.equations.principal_values import has_shift, shift_of
from jaxosc.oscillators import Oscillators
from jaxosc.spectra import Spectrum


class Channel(NamedTuple):
    """One operator of a bath, in natural units.

    Attributes:
        damping: J at the reference.
        own: the reference, where the spectrum states none.
        temperature: T.
        side: 0 for X = X†; 1 for L, which has noise at w > 0 alone, and −1 for its L†.
        counter_term: 1 with, 0 without.
    """

    damping: jax.Array
    own: jax.Array
    temperature: jax.Array
    side: jax.Array
    counter_term: jax.Array


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("spectrum", "unit", "extra"),
    meta_fields=("one_sided",),
)
@dataclass(frozen=True)
class Shared:
    """What the channels of a bath, or of all baths, have in common.

    Attributes:
        spectrum: J up to a factor, in the unit of the user.
        unit: as of ``selection.Problem``.
        extra: what an equation knows beside, in natural units.
        one_sided: whether the channels are L and L†.
    """

    spectrum: Spectrum
    unit: jax.Array
    extra: Any
    one_sided: bool


Bath = tuple[Channel, Shared]


def noise(frequency: jax.Array, bath: Bath) -> jax.Array:
    """S(w) = 2J(w)(N(w) + 1), S(−w) = 2J(w)N(w), for w ≠ 0."""
    channel, shared = bath
    size = jnp.abs(frequency)
    rate = shared.spectrum.rate(size * shared.unit, channel.own * shared.unit)
    number = bose(size, channel.temperature)
    strength = 2 * channel.damping * rate * jnp.where(frequency > 0, number + 1, number)
    return jnp.where(frequency * channel.side >= 0, strength, 0)


def root_noise(frequency: jax.Array, bath: Bath) -> jax.Array:
    """√S(w), with a slope of zero where S vanishes."""
    square = noise(frequency, bath)
    return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)


def half_sided(frequency: jax.Array, bath: Bath, lamb_shift: bool) -> jax.Array:
    """½ S(w), and iΔ(w) beside it."""
    half = noise(frequency, bath) / 2
    if not lamb_shift:
        return half
    channel, shared = bath
    of = partial(
        shift_of,
        shared.spectrum,
        frequency * shared.unit,
        channel.temperature * shared.unit,
        channel.own * shared.unit,
        counter_term=False,
    )
    if shared.one_sided:
        shift = jnp.where(channel.side > 0, of(side=1), of(side=-1))
    else:
        static = shared.spectrum.static_susceptibility(channel.own * shared.unit)
        shift = of() + channel.counter_term * static / 2
    return jax.lax.complex(half, channel.damping * shift)


def fastest_rate(baths: Baths, oscillators: Oscillators) -> jax.Array:
    """The largest amplitude rate of a bath."""
    oscillators, baths = _baths.match(oscillators, baths)
    return maximum(selection.amplitude_rates(oscillators, baths))


# Widths over that rate, if none is given: far beyond the damping, which has to be resolved.
USUAL_WIDTH = 20


def usual_width(baths: Baths, oscillators: Oscillators) -> jax.Array:
    """The width if none is given."""
    return USUAL_WIDTH * fastest_rate(baths, oscillators)


@dataclass(frozen=True)
class Family(Equation):
    """An equation of the family, by its symbol; parts are the network, its baths, and numbers."""

    lamb_shift: bool = False

    # What it is called in messages, and the names of the numbers that come after the baths.
    name: ClassVar[str]
    numbers: ClassVar[tuple[str, ...]] = ()
    # What it is called where its dissipators of two modes are written out, if they are.
    written_out: ClassVar[PairEquation | None] = None

    @abstractmethod
    def symbol(self, x: jax.Array, y: jax.Array, bath: Bath) -> jax.Array:
        """Γ(x, y) of two Bohr frequencies, scalars in natural units; pure."""

    def extra(self, hessian: jax.Array, unit: jax.Array, *numbers: jax.Array) -> Any:
        """What the symbol takes from the network and the numbers, frequencies if they are any."""
        del hessian
        return tuple(number / unit for number in numbers)

    def require_kind(self, oscillators: Oscillators, baths: Baths) -> None:
        """Baths in the laboratory, each with a rate at every frequency."""
        require_laboratory_baths(baths, self.name)
        if self.lamb_shift:
            require_shifts(baths)

    def status(self, *parts: Any) -> jax.Array:
        """That of all equations, and whether the numbers are in range."""
        return _status(parts, self)

    def require(self, *parts: Any) -> Parts:
        """As of every equation; numbers must not be negative."""
        oscillators, baths, *numbers = parts
        require_flag(self.lamb_shift)
        arrays = _checks.float_arrays(**dict(zip(self.numbers, numbers, strict=True)))
        for name, array in zip(self.numbers, arrays, strict=True):
            _checks.require_shape(name, array, ())
            _checks.require_finite(name, array)
            _checks.require(name, array, lambda x: x >= 0, "not be negative")
        oscillators, baths = super().require(oscillators, baths)
        dtype = oscillators.frequency.dtype
        return oscillators, baths, *(_checks.in_precision(array, dtype) for array in arrays)

    def drift(self, *parts: Any) -> jax.Array:
        """J h and what the baths add."""
        closed = network_matrix(parts[0], jnp.zeros_like(parts[0].frequency))
        return closed + self.bath_drift(*parts)

    def bath_drift(self, *parts: Any) -> jax.Array:
        """The sum of the baths'."""
        return jnp.sum(self.generators(*parts).drift, axis=0)

    def diffusion(self, *parts: Any) -> jax.Array:
        """The sum of the baths'."""
        return jnp.sum(self.generators(*parts).diffusion, axis=0)

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """Of two modes in closed form, else by the solver for a general drift."""
        oscillators, baths, *numbers = parts
        problem, valid = self.posed(oscillators, baths)
        unit = problem.unit
        if (pair := self.closed(oscillators, baths, problem)) is not None:
            valid &= are_in_range(numbers) & pair.is_resolved(problem.damping)
            first, second = self._written_out(pair, problem, *numbers)
            kernel, both = pair.kernel, first.plus(second)
            entries, stable = pair_bohr.steady_state(kernel.couple, both, kernel.scale)
            return entries.where(valid & stable).matrix()
        drift, diffusion = (jnp.sum(part, axis=0) / unit for part in self.generators(*parts))
        hessian = selection.general_of(oscillators, unit).hessian
        return dense.steady_covariance(hessian, drift, diffusion)

    def explain(self, *parts: Any) -> str:
        """By the one of two ways that serves the network."""
        oscillators, baths, *_ = parts
        problem = selection.problem_of(oscillators, baths)
        if self.closed(oscillators, baths, problem) is not None:
            return problem.kernel.way
        return "the normal modes of the hessian of H, and a general Lyapunov equation"

    def generators(self, *parts: Any) -> Generators:
        """From the channels of each bath; traced once for all that a program asks of them."""
        return _generators(parts, self)

    def traced_generators(self, *parts: Any) -> Generators:
        """The same."""
        oscillators, baths, *numbers = parts
        problem, valid = self.posed(oscillators, baths)
        valid &= are_in_range(numbers)
        if (pair := self.closed(oscillators, baths, problem)) is not None:
            valid &= pair.is_resolved(problem.damping)
            both = self._written_out(pair, problem, *numbers)
            drift = jnp.stack([one.drift() for one in both]) * problem.unit
            diffusion = jnp.stack([one.diffusion() for one in both]) * problem.unit
            return Generators(drift, nan_unless(valid, diffusion))
        general = selection.general_of(oscillators, problem.unit)
        hessian = general.hessian
        extra = self.extra(hessian, problem.unit, *numbers)
        rows, channels = channels_of(general, oscillators, baths)
        scaled = channels._replace(
            damping=channels.damping / problem.unit,
            own=channels.own / problem.unit,
            temperature=channels.temperature / problem.unit,
        )

        def of(rows: jax.Array, channels: Channel, spectrum: Spectrum) -> Generators:
            flat = Channel(*(leaf.reshape(-1) for leaf in channels))
            shared = Shared(spectrum, problem.unit, extra, one_sided=len(rows) > 1)
            found = self.added(hessian, rows.reshape(-1, rows.shape[-1]), flat, shared)
            shape = (rows.shape[0], -1, *hessian.shape)
            return Generators(*(jnp.sum(part.reshape(shape), axis=0) for part in found))

        if isinstance(baths.spectrum, tuple):
            single = [
                of(rows[:, m, None], Channel(*(leaf[:, m, None] for leaf in scaled)), spectrum)
                for m, spectrum in enumerate(baths.spectrum)
            ]
            found = Generators(*(jnp.concatenate(parts) for parts in zip(*single, strict=True)))
        else:
            found = of(rows, scaled, spectrum_of(baths, 0))
        drift, diffusion = (part * problem.unit for part in found)
        return Generators(drift, nan_unless(valid, diffusion))

    def closed(self, oscillators: Oscillators, baths: Baths, problem: Problem) -> ClosedPair | None:
        """Two modes for which the equation is written out, if they are."""
        if self.written_out is None or self.lamb_shift:
            return None
        return selection.closed_pair(oscillators, baths, problem)

    def _written_out(
        self, pair: ClosedPair, problem: Problem, *numbers: jax.Array
    ) -> tuple[Dissipator, Dissipator]:
        assert self.written_out is not None
        return pair_bohr.dissipators(
            pair.kernel.couple,
            problem.damping,
            problem.temperatures,
            pair.rates,
            pair.coupling,
            self.written_out,
            numbers[0] / problem.unit if numbers else None,
            pair.kernel.scale,
        )

    def added(
        self, hessian: jax.Array, rows: jax.Array, channels: Channel, shared: Shared
    ) -> dense.Generator:
        """What the channels add [C, 2N, 2N]."""
        return bohr.dissipators(hessian, rows, self.symbol, channels, shared)


@partial(jax.jit, static_argnames="equation", inline=True)
def _generators(parts: Parts, equation: Family) -> Generators:
    return equation.traced_generators(*parts)


def require_flag(lamb_shift: Any) -> None:
    """Raise ValueError unless it is one."""
    if not isinstance(lamb_shift, (bool, np.bool_)):
        raise ValueError(f"Argument `lamb_shift` must be True or False, but it is {lamb_shift!r}.")


def require_shifts(baths: Baths) -> None:
    """Raise ValueError unless all baths have principal values."""
    for spectrum in spectra_of(baths):
        if not has_shift(spectrum):
            raise ValueError(
                "Argument `baths` must have spectra with a cutoff where `lamb_shift` is True, as "
                f"jaxosc.spectra.Drude, but the principal values of {spectrum!r} do not exist."
            )


def are_in_range(numbers: Sequence[jax.Array]) -> jax.Array:
    """Whether widths and times are."""
    sound = jnp.ones((), bool)
    for number in numbers:
        sound &= (number >= 0) & (number < jnp.inf)
    return sound


@partial(jax.jit, static_argnames="equation")
def _status(parts: Parts, equation: Family) -> jax.Array:
    oscillators, baths, *numbers = parts
    problem = selection.problem_of(oscillators, baths)
    conditions = equation.conditions(oscillators, baths, problem.kernel)
    conditions[domain.Status.NUMBER] = are_in_range(numbers)
    if (pair := equation.closed(oscillators, baths, problem)) is not None:
        conditions[domain.Status.SOFT] = pair.is_resolved(problem.damping)
    return domain.status(conditions)


def channels_of(
    general: GeneralKernel, oscillators: Oscillators, baths: Baths
) -> tuple[jax.Array, Channel]:
    """Rows u [K, M, 2N] and the channels [K, M] of the baths, K = 2 for lowering operators."""
    rows = selection.contact_of(baths)
    one_sided = isinstance(rows, str) and rows == "rotating-wave"
    if isinstance(rows, str):
        rows = general.rows_of(rows)
    else:
        one_sided = jnp.iscomplexobj(baths._rows)
    sides = jnp.asarray([1.0, -1.0] if one_sided else [0.0], baths.damping.dtype)
    rows = jnp.stack([rows, jnp.conj(rows)]) if one_sided else rows[None]
    own = oscillators.frequency if baths._rows is None else jnp.ones_like(baths.damping)
    counted = jnp.broadcast_to(jnp.asarray(baths.counter_term, baths.damping.dtype), own.shape)
    assert baths.temperature is not None
    both = Channel(baths.damping, own, baths.temperature, jnp.zeros_like(own), counted)
    spread = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (len(sides), *leaf.shape)), both)
    return rows, spread._replace(side=jnp.broadcast_to(sides[:, None], spread.side.shape))
