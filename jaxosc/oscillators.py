"""Networks of coupled harmonic oscillators: what the system is, before any bath."""

from __future__ import annotations

from typing import Any, overload

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from jaxosc import _checks
from jaxosc._numerics import small
from jaxosc._numerics.linear import cholesky
from jaxosc._numerics.special import power_of_two, product_less_square
from jaxosc._pytree import Record

INTERACTIONS = ("position", "rotating-wave")

# By bytes of the dtype: the numbers that frequencies may have, whatever their unit. Rates and
# temperatures beside them then stay clear of overflow and underflow.
_FREQUENCIES = {4: (1e-20, 1e20), 8: (1e-200, 1e200)}
# How far apart frequencies of one network may lie. Measured against 50 digits, at random
# parameters: within it at least three digits are left, typically all; beyond it a description may
# return a plausible number that is wrong.
_SPREAD = {4: (1e-5, 1e-3, 1e-3), 8: (1e-10, 1e-10, 1e-6)}  # N ≤ 2, N ≤ 6, N > 6


class Oscillators(Record):
    """N coupled harmonic oscillators, ħ = 1.

    H = Σ_j ω_j a_j†a_j + Σ_{j<k} [λ_jk (a_j a_k† + a_j†a_k) + κ_jk (a_j a_k + a_j†a_k†)].

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

    _leaves = ("frequency", "exchange", "pairing", "_margin")

    frequency: jax.Array
    exchange: jax.Array
    pairing: jax.Array
    # (det V, det W)/(ω_1 ω_2) where it is known better than the couplings tell it; else None
    _margin: jax.Array | None

    def __init__(self, frequency: ArrayLike, exchange: ArrayLike, pairing: ArrayLike) -> None:
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
        self._set(frequency=frequency, exchange=exchange, pairing=pairing, _margin=None)

    @property
    def modes(self) -> int:
        """The number of oscillators N."""
        return self.frequency.shape[-1]


@overload
def pair(omega: ArrayLike, coupling: ArrayLike, interaction: str) -> Oscillators: ...


@overload
def pair(omega: ArrayLike, *, interaction: str, distance: ArrayLike) -> Oscillators: ...


def pair(
    omega: ArrayLike,
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
        distance: δ = 1 − λ/λ_c in (0, 1], in place of λ. A float64 λ knows its distance to λ_c
            to 1e-16 only, and every result near λ_c inherits the relative error 1e-16/δ. With δ
            itself given, occupations, coherences and their derivatives keep twelve digits down
            to δ = 1e-12. What follows from a whole covariance matrix does not: its entries, in
            float64, determine det σ and with it an entropy or information to 1e-16/δ. In
            float32 the same holds with 1e-7 in place of 1e-16: measured, three digits of
            everything are left at δ = 1e-4 by way of λ, and with δ given five digits of
            occupations and coherences at 1e-6. The network then keeps δ beside its couplings:
            differentiate a function of ω and δ, for a derivative by the parts of such a network
            holds δ fixed as the couplings change.

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
    margin = None
    if coupling is not None:
        omega, coupling = _checks.float_arrays(omega=omega, coupling=coupling)
        _require_pair("coupling", omega, coupling)
    else:
        omega, distance = _checks.float_arrays(omega=omega, distance=distance)
        _require_pair("distance", omega, distance)
        _checks.require("distance", distance, lambda d: (d > 0) & (d <= 1), "lie in (0, 1]")
        coupling = critical_coupling(omega, interaction) * (1 - distance)
        potential = jnp.where((distance > 0) & (distance <= 1), distance * (2 - distance), jnp.nan)
        kinetic = jnp.ones_like(potential) if interaction == "position" else potential
        margin = jnp.array([potential, kinetic])
    zero = jnp.zeros_like(coupling)
    exchange = small.matrix([[zero, coupling], [coupling, zero]])
    pairing = exchange if interaction == "position" else jnp.zeros_like(exchange)
    oscillators = Oscillators(omega, exchange, pairing)
    return Oscillators._assemble(
        (oscillators.frequency, oscillators.exchange, oscillators.pairing, margin), ()
    )


def _require_pair(name: str, omega: jax.Array, strength: jax.Array) -> None:
    _checks.require_shape("omega", omega, (2,))
    _require_frequency("omega", omega)
    _checks.require_shape(name, strength, ())
    _checks.require_finite(name, strength)


def critical_coupling(omega: ArrayLike, interaction: str) -> jax.Array:
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
    geometric_mean = jnp.sqrt(omega[0]) * jnp.sqrt(omega[1])
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
    frequency, exchange, pairing = (
        small.scaled(leaf, 1 / unit)  # exact: the unit is a power of two
        for leaf in (oscillators.frequency, oscillators.exchange, oscillators.pairing)
    )
    return Oscillators._assemble((frequency, exchange, pairing, oscillators._margin), ())


def is_bounded(oscillators: Oscillators) -> jax.Array:
    """Whether H is Hermitian as stated and bounded below with a gap: V and W positive definite."""
    oscillators = in_unit(oscillators, natural_unit(oscillators))
    omega, couplings = oscillators.frequency, (oscillators.exchange, oscillators.pairing)
    if oscillators.modes == 2:
        potential, kinetic = two_mode_determinants(oscillators)
        bounded = (omega[0] > 0) & (omega[1] > 0) & (potential > 0) & (kinetic > 0)
        for matrix in couplings:
            bounded &= (matrix[0, 1] == matrix[1, 0]) & (matrix[0, 0] == 0) & (matrix[1, 1] == 0)
        return bounded & _margin_fits(oscillators)
    bounded = jnp.all(omega > 0)
    for matrix in couplings:
        bounded &= jnp.all(matrix == matrix.T) & jnp.all(jnp.diag(matrix) == 0)
    pivots = [
        jnp.diag(cholesky(jax.lax.stop_gradient(matrix)))
        for matrix in (potential_matrix(oscillators), kinetic_matrix(oscillators))
    ]
    return bounded & jnp.all(jnp.stack(pivots) > 0)  # cholesky marks failure with NaN


def in_domain(oscillators: Oscillators) -> jax.Array:
    """Whether H is bounded below, and its frequencies near enough to each other for an answer."""
    frequency = oscillators.frequency
    low, high = _FREQUENCIES[frequency.dtype.itemsize]
    largest, smallest = small.maximum(frequency), -small.maximum(-frequency)
    return (
        is_bounded(oscillators)
        & (smallest >= spread_limit(oscillators) * largest)
        & (smallest >= low)
        & (largest <= high)
    )


def spread_limit(oscillators: Oscillators) -> float:
    """The smallest ratio of two frequencies of a network for which there are answers."""
    pair, few, many = _SPREAD[oscillators.frequency.dtype.itemsize]
    modes = oscillators.modes
    return pair if modes <= 2 else few if modes <= 6 else many


def _margin_fits(oscillators: Oscillators) -> jax.Array:
    """Whether the distance that a pair was made with is that of its couplings.

    It is not if ``jax.tree.map`` has moved one without the other.
    """
    if oscillators._margin is None:
        return jnp.ones((), bool)
    product = oscillators.frequency[0] * oscillators.frequency[1]
    given = two_mode_determinants(oscillators)
    told = (product - coupling**2 for coupling in two_mode_couplings(oscillators))
    rounding = 64 * float(np.finfo(product.dtype).eps) * product
    first, second = (jnp.abs(a - b) <= rounding for a, b in zip(given, told, strict=True))
    return first & second


def two_mode_couplings(oscillators: Oscillators) -> tuple[jax.Array, jax.Array]:
    """The off-diagonal entries of V and W for two modes, λ + κ and λ − κ."""
    exchange, pairing = oscillators.exchange[0, 1], oscillators.pairing[0, 1]
    return exchange + pairing, exchange - pairing


def two_mode_determinants(oscillators: Oscillators) -> tuple[jax.Array, jax.Array]:
    """The determinants of V and W for two modes, each exact to its last digits near criticality."""
    omega1, omega2 = oscillators.frequency[0], oscillators.frequency[1]
    if oscillators._margin is not None:
        product = omega1 * omega2
        return product * oscillators._margin[0], product * oscillators._margin[1]
    potential, kinetic = two_mode_couplings(oscillators)
    return (
        product_less_square(omega1, omega2, potential),
        product_less_square(omega1, omega2, kinetic),
    )


def require_network(oscillators: Oscillators) -> None:
    """Raise ValueError unless this is one network of oscillators."""
    _checks.require_instance("oscillators", oscillators, Oscillators)
    frequency, margin = oscillators.frequency, oscillators._margin
    if getattr(frequency, "ndim", 1) != 1:
        raise ValueError(
            "Argument `oscillators` must hold one network, but its frequencies have shape "
            f"{frequency.shape}; use jax.vmap for a batch of networks."
        )
    modes = len(frequency) if getattr(frequency, "shape", (0,)) != (0,) else 1
    _checks.require_fields(
        "oscillators",
        frequency=(frequency, (modes,)),
        exchange=(oscillators.exchange, (modes, modes)),
        pairing=(oscillators.pairing, (modes, modes)),
        **({} if margin is None else {"distance": (margin, (2,))}),
    )
    _require_values("oscillators.", frequency, oscillators.exchange, oscillators.pairing)


def require_domain(oscillators: Oscillators) -> None:
    """Raise ValueError if H is known and not bounded below, or out of range; pass if traced."""
    valid = _checks.concrete(in_domain(oscillators))
    if valid is None or valid:
        return
    # Inside jax.grad the answer is known, and so are the values behind the derivatives.
    frequency, exchange, pairing = (
        np.asarray(jax.lax.stop_gradient(leaf))
        for leaf in (oscillators.frequency, oscillators.exchange, oscillators.pairing)
    )
    limit = spread_limit(oscillators)
    if frequency.min() < limit * frequency.max():
        raise ValueError(
            f"Argument `oscillators` must have frequencies within a factor {1 / limit:.0e} of each "
            f"other, with {oscillators.modes} modes in {frequency.dtype}, but the smallest is "
            f"{frequency.min():.3g} and the largest {frequency.max():.3g}."
        )
    if oscillators._margin is not None and not _margin_fits(jax.lax.stop_gradient(oscillators)):
        raise ValueError(
            "Argument `oscillators` must keep the couplings that belong to its `distance`, but one "
            "was changed without the other; make a new pair."
        )
    if oscillators.modes == 2:
        # |λ| + |κ| = √(ω1 ω2) is where the first of V = ω + λ + κ, W = ω + λ − κ fails.
        strength = abs(exchange[0, 1]) + abs(pairing[0, 1])
        detail = (
            f"|exchange| + |pairing| = {strength:.6g} must be below "
            f"sqrt(omega1 omega2) = {np.sqrt(frequency[0] * frequency[1]):.6g}"
        )
    else:
        smallest = min(
            np.linalg.eigvalsh(np.diag(frequency) + exchange + sign * pairing)[0]
            for sign in (1, -1)
        )
        detail = (
            "the smallest eigenvalue of omega + exchange +/- pairing is "
            f"{smallest:.6g} and must be positive"
        )
    raise ValueError(
        "Argument `oscillators` must have a Hamiltonian that is bounded below, but its coupling "
        f"is at or past the critical one: {detail}. See jaxosc.diagnose."
    )


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
    low, high = _FREQUENCIES[frequency.dtype.itemsize]
    _checks.require(
        name,
        frequency,
        lambda omega: (omega >= low) & (omega <= high),
        f"lie between {low:.0e} and {high:.0e} in {frequency.dtype}",
    )
