"""Two coupled oscillators: by their coupling, or by its distance to the critical one."""

from __future__ import annotations

from functools import partial
from typing import Any, get_args, overload

import jax
import jax.numpy as jnp

from jaxosc import _checks
from jaxosc._numerics import small
from jaxosc.oscillators import Oscillators, require_frequency
from jaxosc.typing import Interaction, Reals

INTERACTIONS: tuple[Interaction, ...] = get_args(Interaction)


class PairAtDistance(Oscillators):
    """Two coupled oscillators by the distance of their coupling to the critical one.

    What ``pair`` makes of a ``distance``. The record holds ω, δ and, if given, γ, and the couplings
    follow from them. A derivative by it is a record of the derivatives by each of these with the
    others fixed; the couplings of that record mean nothing.

    Args:
        frequency: ω [2], positive.
        distance: δ = 1 − λ/λ_c in (0, 2), a scalar.
        interaction: ``"position"`` or ``"rotating-wave"``.
        damping: γ [2] or None, as for ``critical_coupling``.

    Raises:
        ValueError: if a shape, the name or a value does not fit.
    """

    _leaves = ("frequency", "distance", "damping")
    _static = ("interaction",)

    distance: jax.Array
    damping: jax.Array | None
    interaction: Interaction
    drive = None
    _hollow = True

    def __init__(
        self,
        frequency: Reals,
        distance: Reals,
        interaction: Interaction,
        damping: Reals | None = None,
    ) -> None:
        _checks.require_choice("interaction", interaction, INTERACTIONS)
        _require_interaction(interaction, damping)
        given = {"frequency": frequency, "distance": distance}
        omega, delta, rates = _with_damping(given, damping)
        _require_pair(frequency=omega, distance=delta)
        _require_positive("frequency", omega)
        _require_distance("distance", delta)
        self._set(frequency=omega, distance=delta, damping=rates)
        self._set(interaction=interaction)

    @property
    def exchange(self) -> jax.Array:  # type: ignore[override]
        """λ [2, 2], to the rounding of its entries."""
        critical = _critical_coupling(self.frequency, self.interaction, self.damping)
        coupling = critical * (1 - self.distance)
        return jnp.vectorize(_between_two, signature="()->(n,n)")(coupling)  # a batch may be read

    @property
    def pairing(self) -> jax.Array:  # type: ignore[override]
        """κ [2, 2], to the rounding of its entries."""
        exchange = self.exchange
        return exchange if self.interaction == "position" else jnp.zeros_like(exchange)

    def _entered(self) -> PairAtDistance:
        return self

    def _scaled(self, factor: jax.Array) -> PairAtDistance:
        damping = None if self.damping is None else small.scaled(self.damping, factor)
        leaves = (small.scaled(self.frequency, factor), self.distance, damping)
        return PairAtDistance._assemble(leaves, (self.interaction,))

    def _require(self) -> None:
        _checks.require_fields(
            "oscillators", frequency=(self.frequency, (2,)), distance=(self.distance, ())
        )
        require_frequency("oscillators.frequency", self.frequency)
        _require_positive("oscillators.frequency", self.frequency)
        _checks.require_finite("oscillators.distance", self.distance)
        _require_distance("oscillators.distance", self.distance)
        if self.damping is not None:
            _checks.require_fields("oscillators", damping=(self.damping, (2,)))
            _require_damping("oscillators.damping", self.damping)


@overload
def pair(omega: Reals, coupling: Reals, interaction: Interaction) -> Oscillators: ...


@overload
def pair(
    omega: Reals, *, interaction: Interaction, distance: Reals, damping: Reals | None = None
) -> PairAtDistance: ...


def pair(
    omega: Reals,
    coupling: Any = None,
    interaction: Any = None,
    *,
    distance: Any = None,
    damping: Any = None,
) -> Oscillators:
    """Two coupled oscillators, the model of Konopik & Lutz.

    H = Σ_j ω_j a_j†a_j + λ (a_1 a_2† + a_1†a_2) + κ (a_1 a_2 + a_1†a_2†).

    Args:
        omega: (ω_1, ω_2), of either sign; positive with a ``distance``.
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
        damping: γ (γ_1, γ_2); λ_c is then where the damped motion becomes unstable, as for
            ``critical_coupling``. What is near that point is known to 1e-16 (γ/ω)²/δ.

    Returns:
        Oscillators with N = 2.

    Raises:
        ValueError: if a shape, a name or a value does not fit, or not exactly one of ``coupling``
            and ``distance`` is given.

    Example:
        >>> network = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> network.exchange
        Array([[0., 1.],
               [1., 0.]], dtype=float64)
        >>> near = jaxosc.pair((5.0, 2.0), interaction="position", distance=1e-12)
        >>> float(near.distance)
        1e-12

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
        _require_interaction(interaction, damping)
        given = {"omega": omega, "distance": distance}
        frequency, delta, rates = _with_damping(given, damping)
        _require_pair(omega=frequency, distance=delta)
        _require_positive("omega", frequency)
        return PairAtDistance(frequency, delta, interaction, rates)
    if damping is not None:
        raise ValueError("Argument `damping` must come with `distance`, but that is missing.")
    omega, coupling = _checks.float_arrays(omega=omega, coupling=coupling)
    _require_pair(omega=omega, coupling=coupling)
    # Without a diagonal in the pairing, also where its values are traced
    return Oscillators._assemble((omega, *_couplings(coupling, interaction), None), (True,))


def _require_pair(**given: jax.Array) -> None:
    """Raise ValueError unless two frequencies and a number are given, under these names."""
    (omega, frequency), (name, strength) = given.items()
    _checks.require_shape(omega, frequency, (2,))
    require_frequency(omega, frequency)
    _checks.require_shape(name, strength, ())
    _checks.require_finite(name, strength)


def _require_positive(name: str, frequency: jax.Array) -> None:
    _checks.require(name, frequency, lambda omega: omega > 0, "be positive")


def _require_distance(name: str, distance: jax.Array) -> None:
    _checks.require(name, distance, lambda d: (d > 0) & (d < 2), "lie in (0, 2)")


def _require_damping(name: str, damping: jax.Array) -> None:
    _checks.require_finite(name, damping)
    _checks.require(name, damping, lambda rate: rate >= 0, "not be negative")


def _require_interaction(interaction: Interaction, damping: Reals | None) -> None:
    if damping is not None and interaction == "rotating-wave":
        raise ValueError(
            "Argument `damping` must come with the interaction 'position', but it is "
            "'rotating-wave': exchange alone makes no damped motion unstable."
        )


def _with_damping(given: dict[str, Reals], damping: Reals | None) -> list[Any]:
    """All in one dtype, γ [2] after its checks or None the last of them."""
    if damping is None:
        return [*_checks.float_arrays(**given), None]
    *arrays, rates = _checks.float_arrays(**given, damping=damping)
    _checks.require_shape(next(iter(given)), arrays[0], (2,))
    if rates.ndim == 0:
        rates = jnp.stack([rates, rates])
    _checks.require_shape("damping", rates, (2,))
    _require_damping("damping", rates)
    # Beyond, no description has an answer
    most = {4: 1e3, 8: 1e6}[rates.dtype.itemsize] * jnp.max(jnp.abs(arrays[0]))
    if (largest := _checks.concrete(most)) is not None:
        _checks.require("damping", rates, lambda x: x <= largest, f"be at most {largest:.1e}")
    return [*arrays, rates]


@partial(jax.jit, static_argnames="interaction")
def _couplings(coupling: jax.Array, interaction: Interaction) -> tuple[jax.Array, jax.Array]:
    """λ and κ [2, 2]."""
    exchange = _between_two(coupling)
    return exchange, exchange if interaction == "position" else jnp.zeros_like(exchange)


def _between_two(coupling: jax.Array) -> jax.Array:
    zero = jnp.zeros_like(coupling)
    return small.matrix([[zero, coupling], [coupling, zero]])


def critical_coupling(
    omega: Reals, interaction: Interaction, damping: Reals | None = None
) -> jax.Array:
    """Coupling λ_c of two oscillators at which H stops being bounded, or damped motion stable.

    λ_c = √(ω_1 ω_2)/2 for ``"position"``, √(ω_1 ω_2) for ``"rotating-wave"``. With amplitude
    damping the motion of two position-coupled oscillators becomes unstable later, at
    λ_c = ½ √((ω_1² + γ_1²)(ω_2² + γ_2²)/(ω_1 ω_2)): the critical point of the dissipative Dicke
    model.

    Args:
        omega: (ω_1, ω_2), positive.
        interaction: ``"position"`` or ``"rotating-wave"``.
        damping: None for the critical point of H; for that of the damped motion γ, a number or
            (γ_1, γ_2) ≥ 0 in the unit of ω, with ``"position"``. (With exchange alone no
            coupling makes it unstable.)

    Returns:
        λ_c, a scalar in the unit of ω.

    Raises:
        ValueError: if a shape, a name or a value does not fit.

    Example:
        >>> round(float(jaxosc.critical_coupling((1.0, 1.0), "position", (0.0, 0.2))), 12)
        0.509901951359

    Source: Konopik & Lutz, below Eq. 3; Dimer, Estienne, Parkins & Carmichael, Phys. Rev. A 75,
    013804 (2007), Eq. 24.
    """
    _checks.require_choice("interaction", interaction, INTERACTIONS)
    _require_interaction(interaction, damping)
    frequency, rates = _with_damping({"omega": omega}, damping)
    _checks.require_shape("omega", frequency, (2,))
    require_frequency("omega", frequency)
    _require_positive("omega", frequency)
    return _critical_coupling(frequency, interaction, rates)


@partial(jax.jit, static_argnames="interaction")
def _critical_coupling(
    omega: jax.Array, interaction: Interaction, damping: jax.Array | None = None
) -> jax.Array:
    root = jnp.sqrt(omega)
    if damping is not None:
        root = jnp.hypot(omega, damping) / root
    geometric_mean = root[..., 0] * root[..., 1]
    return geometric_mean / 2 if interaction == "position" else geometric_mean
