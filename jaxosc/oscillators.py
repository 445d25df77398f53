"""Networks of coupled harmonic oscillators: what the system is, before any bath."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, get_args, overload

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._numerics import small
from jaxosc._numerics.special import power_of_two
from jaxosc._numerics.symmetry import hollow_slope
from jaxosc._pytree import Record
from jaxosc.typing import Interaction, Reals

INTERACTIONS: tuple[Interaction, ...] = get_args(Interaction)

# By bytes of the dtype: the numbers that frequencies may have, whatever their unit. Rates and
# temperatures beside them then stay clear of overflow and underflow.
FREQUENCIES = {4: (1e-20, 1e20), 8: (1e-200, 1e200)}


class Oscillators(Record):
    """N coupled harmonic oscillators, ħ = 1.

    H = Σ_j ω_j a_j†a_j + Σ_{j<k} [λ_jk (a_j a_k† + a_j†a_k) + κ_jk (a_j a_k + a_j†a_k†)].

    A pytree of its three arrays, so that JAX differentiates by a whole network. Such a derivative
    is a record g with df = Σ_j g.frequency_j dω_j + Σ_jk (g.exchange_jk dλ_jk + g.pairing_jk dκ_jk)
    for every change that leaves the couplings symmetric with a zero diagonal. g.exchange and
    g.pairing are such matrices themselves: both entries of a pair together hold the derivative by
    its λ_jk, half of it each. A step along g therefore makes another network. It may carry a
    frequency below zero or a coupling past the critical one; where that can happen, let the
    optimiser move ln ω, or bring what it moved back into bounds (``optax.projections``).

    Args:
        frequency: ω [N], positive; the unit of every other rate and temperature.
        exchange: λ [N, N], real and symmetric with a zero diagonal.
        pairing: κ [N, N], likewise. κ = λ couples the positions, 2λ x_j x_k; κ = 0 is the
            rotating-wave form.

    Raises:
        ValueError: if a shape does not fit, a value is not finite, a frequency is not
            positive, or a coupling matrix is not symmetric with a zero diagonal. Whether H is
            bounded below is checked where a state is asked for, and told by ``diagnose``.

    Source: Konopik & Lutz, Eq. 1, for N modes.
    """

    _leaves: ClassVar[tuple[str, ...]] = ("frequency", "exchange", "pairing")

    frequency: jax.Array
    exchange: jax.Array
    pairing: jax.Array

    def __init__(self, frequency: Reals, exchange: Reals, pairing: Reals) -> None:
        frequency, exchange, pairing = _checks.float_arrays(
            frequency=frequency, exchange=exchange, pairing=pairing
        )
        if frequency.ndim != 1 or frequency.shape[0] == 0:
            raise ValueError(
                "Argument `frequency` must have shape (N,) with N >= 1, "
                f"but its shape is {frequency.shape}."
            )
        modes = frequency.shape[0]
        for name, matrix in (("exchange", exchange), ("pairing", pairing)):
            why = f" for {modes} frequencies"
            _checks.require_shape(name, matrix, (modes, modes), why)
        _require_values("", frequency, exchange, pairing)
        self._set(frequency=frequency, exchange=exchange, pairing=pairing)

    @property
    def modes(self) -> int:
        """The number of oscillators N."""
        return self.frequency.shape[-1]


class PairAtDistance(Oscillators):
    """Two coupled oscillators by the distance of their coupling to the critical one.

    What ``pair`` makes of a ``distance``. The record holds ω and δ, and the couplings follow from
    them. A derivative by it is a record of the derivatives by ω at fixed δ, and by δ at fixed ω,
    in its ``frequency`` and ``distance``; the couplings of that record mean nothing.

    Args:
        frequency: ω [2], positive.
        distance: δ = 1 − λ/λ_c in (0, 2), a scalar.
        interaction: ``"position"`` or ``"rotating-wave"``.

    Raises:
        ValueError: if a shape, the name or a value does not fit.
    """

    _leaves = ("frequency", "distance")
    _static = ("interaction",)

    distance: jax.Array
    interaction: Interaction

    def __init__(self, frequency: Reals, distance: Reals, interaction: Interaction) -> None:
        _checks.require_choice("interaction", interaction, INTERACTIONS)
        frequency, distance = _checks.float_arrays(frequency=frequency, distance=distance)
        _require_pair(frequency=frequency, distance=distance)
        _require_distance("distance", distance)
        self._set(frequency=frequency, distance=distance, interaction=interaction)

    @property
    def exchange(self) -> jax.Array:  # type: ignore[override]
        """λ [2, 2], to the rounding of its entries."""
        critical = _critical_coupling(self.frequency, self.interaction)
        coupling = critical * (1 - self.distance)
        return jnp.vectorize(_between_two, signature="()->(n,n)")(coupling)  # a batch may be read

    @property
    def pairing(self) -> jax.Array:  # type: ignore[override]
        """κ [2, 2], to the rounding of its entries."""
        exchange = self.exchange
        return exchange if self.interaction == "position" else jnp.zeros_like(exchange)


@overload
def pair(omega: Reals, coupling: Reals, interaction: Interaction) -> Oscillators: ...


@overload
def pair(omega: Reals, *, interaction: Interaction, distance: Reals) -> PairAtDistance: ...


def pair(
    omega: Reals,
    coupling: Any = None,
    interaction: Any = None,
    *,
    distance: Any = None,
) -> Oscillators:
    """Two coupled oscillators, the model of Konopik & Lutz.

    H = Σ_j ω_j a_j†a_j + λ (a_1 a_2† + a_1†a_2) + κ (a_1 a_2 + a_1†a_2†).

    Args:
        omega: (ω_1, ω_2), positive.
        coupling: λ, a number in the unit of ω.
        interaction: ``"position"`` (κ = λ, that is 2λ x_1 x_2) or ``"rotating-wave"`` (κ = 0).
        distance: δ = 1 − λ/λ_c in (0, 2), in place of λ. A float64 λ knows its distance to λ_c
            to 1e-16 only, and every result near λ_c inherits the relative error 1e-16/δ. With δ
            itself given, occupations, coherences and their derivatives keep twelve digits down
            to δ = 1e-12. What follows from a whole covariance matrix does not: its entries, in
            float64, determine det σ and with it an entropy or information to 1e-16/δ. In
            float32 the same holds with 1e-7 in place of 1e-16: measured, three digits of
            everything are left at δ = 1e-4 by way of λ, and with δ given five digits of
            occupations and coherences at 1e-6. The network then holds ω and δ, and its couplings
            follow from them: a derivative by such a network is one by ω and δ.

    Returns:
        Oscillators with N = 2.

    Raises:
        ValueError: if a shape, a name or a value does not fit, or not exactly one of ``coupling``
            and ``distance`` is given.

    Source: Konopik & Lutz, Eq. 1.
    """
    _checks.require_choice("interaction", interaction, INTERACTIONS)
    if coupling is None and distance is None:
        raise ValueError(
            "Argument `coupling` must be given, or `distance` in its place, but both are missing."
        )
    if coupling is not None and distance is not None:
        raise ValueError("Argument `distance` must replace `coupling`, but both are given.")
    if distance is not None:
        omega, distance = _checks.float_arrays(omega=omega, distance=distance)
        _require_pair(omega=omega, distance=distance)
        return PairAtDistance(omega, distance, interaction)
    omega, coupling = _checks.float_arrays(omega=omega, coupling=coupling)
    _require_pair(omega=omega, coupling=coupling)
    return Oscillators(omega, *_couplings(coupling, interaction))


def _require_pair(**given: jax.Array) -> None:
    """Raise ValueError unless two frequencies and a number are given, under these names."""
    (omega, frequency), (name, strength) = given.items()
    _checks.require_shape(omega, frequency, (2,))
    _require_frequency(omega, frequency)
    _checks.require_shape(name, strength, ())
    _checks.require_finite(name, strength)


def _require_distance(name: str, distance: jax.Array) -> None:
    _checks.require(name, distance, lambda d: (d > 0) & (d < 2), "lie in (0, 2)")


@partial(jax.jit, static_argnames="interaction")
def _couplings(coupling: jax.Array, interaction: Interaction) -> tuple[jax.Array, jax.Array]:
    """λ and κ [2, 2]."""
    exchange = _between_two(coupling)
    return exchange, exchange if interaction == "position" else jnp.zeros_like(exchange)


def _between_two(coupling: jax.Array) -> jax.Array:
    zero = jnp.zeros_like(coupling)
    return small.matrix([[zero, coupling], [coupling, zero]])


def critical_coupling(omega: Reals, interaction: Interaction) -> jax.Array:
    """Coupling λ_c of two oscillators at which H stops being bounded below.

    λ_c = √(ω_1 ω_2)/2 for ``"position"``, √(ω_1 ω_2) for ``"rotating-wave"``.

    Args:
        omega: (ω_1, ω_2), positive.
        interaction: ``"position"`` or ``"rotating-wave"``.

    Returns:
        λ_c, a scalar in the unit of ω.

    Raises:
        ValueError: if a shape, a name or a value does not fit.

    Source: Konopik & Lutz, below Eq. 3.
    """
    _checks.require_choice("interaction", interaction, INTERACTIONS)
    (omega,) = _checks.float_arrays(omega=omega)
    _checks.require_shape("omega", omega, (2,))
    _require_frequency("omega", omega)
    return _critical_coupling(omega, interaction)


@partial(jax.jit, static_argnames="interaction")
def _critical_coupling(omega: jax.Array, interaction: Interaction) -> jax.Array:
    geometric_mean = jnp.sqrt(omega[..., 0]) * jnp.sqrt(omega[..., 1])
    return geometric_mean / 2 if interaction == "position" else geometric_mean


def potential_matrix(oscillators: Oscillators) -> jax.Array:
    """V = ω + λ + κ [N, N], in H = ½ xᵀVx + ½ pᵀWp up to a constant."""
    return jnp.diag(oscillators.frequency) + oscillators.exchange + oscillators.pairing


def kinetic_matrix(oscillators: Oscillators) -> jax.Array:
    """W = ω + λ − κ [N, N], in H = ½ xᵀVx + ½ pᵀWp up to a constant."""
    return jnp.diag(oscillators.frequency) + oscillators.exchange - oscillators.pairing


def natural_unit(oscillators: Oscillators) -> jax.Array:
    """A power of two next to the largest frequency.

    Dividing by it is exact, and keeps products of several frequencies away from overflow and
    underflow in whatever unit the user works. Results do not depend on it, nor do derivatives.
    """
    return power_of_two(jax.lax.stop_gradient(small.maximum(oscillators.frequency)))


def in_unit(oscillators: Oscillators, unit: jax.Array) -> Oscillators:
    """The network with its frequencies and couplings divided by a unit."""
    frequency = small.scaled(oscillators.frequency, 1 / unit)  # exact: the unit is a power of two
    if isinstance(oscillators, PairAtDistance):
        leaves, static = (frequency, oscillators.distance), (oscillators.interaction,)
        return PairAtDistance._assemble(leaves, static)
    exchange, pairing = (
        small.scaled(leaf, 1 / unit) for leaf in (oscillators.exchange, oscillators.pairing)
    )
    return Oscillators._assemble((frequency, exchange, pairing), ())


def entered(oscillators: Oscillators) -> Oscillators:
    """The network itself, for whatever takes one; derivatives by it are those of ``Oscillators``.

    Without it they would be by single entries, of those that a computation happens to read.
    """
    traced = isinstance(oscillators.exchange, jax.core.Tracer)
    if isinstance(oscillators, PairAtDistance) or not traced:
        return oscillators
    exchange, pairing = hollow_slope(oscillators.exchange), hollow_slope(oscillators.pairing)
    return Oscillators._assemble((oscillators.frequency, exchange, pairing), ())


def require_network(oscillators: Oscillators) -> None:
    """Raise ValueError unless this is one network of oscillators."""
    _checks.require_instance("oscillators", oscillators, Oscillators)
    frequency = oscillators.frequency
    if getattr(frequency, "ndim", 1) != 1:
        raise ValueError(
            "Argument `oscillators` must hold one network, but its frequencies have shape "
            f"{frequency.shape}; use jax.vmap for a batch of networks."
        )
    if isinstance(oscillators, PairAtDistance):
        distance = oscillators.distance
        _checks.require_fields("oscillators", frequency=(frequency, (2,)), distance=(distance, ()))
        _require_frequency("oscillators.frequency", frequency)
        _checks.require_finite("oscillators.distance", distance)
        _require_distance("oscillators.distance", distance)
        return
    modes = len(frequency) if getattr(frequency, "shape", (0,)) != (0,) else 1
    _checks.require_fields(
        "oscillators",
        frequency=(frequency, (modes,)),
        exchange=(oscillators.exchange, (modes, modes)),
        pairing=(oscillators.pairing, (modes, modes)),
    )
    _require_values("oscillators.", frequency, oscillators.exchange, oscillators.pairing)


def _require_values(
    record: str, frequency: jax.Array, exchange: jax.Array, pairing: jax.Array
) -> None:
    """Raise ValueError unless the values, where known, make a Hamiltonian."""
    _require_frequency(f"{record}frequency", frequency)
    for name, matrix in ((f"{record}exchange", exchange), (f"{record}pairing", pairing)):
        _checks.require_finite(name, matrix)
        _checks.require(name, matrix, lambda m: m == m.T, "be symmetric")
        _checks.require(name, matrix, lambda m: np.diag(m) == 0, "have a zero diagonal")


def _require_frequency(name: str, frequency: jax.Array) -> None:
    _checks.require_finite(name, frequency)
    _checks.require(name, frequency, lambda omega: omega > 0, "be positive")
    low, high = FREQUENCIES[frequency.dtype.itemsize]
    _checks.require(
        name,
        frequency,
        lambda omega: (omega >= low) & (omega <= high),
        f"lie between {low:.0e} and {high:.0e} in {frequency.dtype}",
    )
