"""Networks of coupled harmonic oscillators: what the system is, before any bath."""

from __future__ import annotations

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._numerics import small
from jaxosc._numerics.special import power_of_two
from jaxosc._numerics.symmetry import hermitian_slope, hollow_slope, symmetric_slope
from jaxosc._pytree import Record
from jaxosc.typing import Numbers, Reals

# By bytes of the dtype: the numbers that frequencies other than zero may have, whatever their
# unit. Rates and temperatures beside them then stay clear of overflow and underflow.
FREQUENCIES = {4: (1e-20, 1e20), 8: (1e-200, 1e200)}


class Oscillators(Record):
    """N coupled harmonic oscillators with any quadratic Hamiltonian, ħ = 1.

    H = Σ_j ω_j a_j†a_j + Σ_{j<k} (λ_jk a_j†a_k + h.c.) + ½ Σ_jk (κ_jk a_j†a_k† + h.c.)
    + Σ_j (ε_j a_j† + h.c.), in the frame that the user works in.

    A pytree of its arrays, so that JAX differentiates by a whole network. Such a derivative is a
    record g with df = Σ_j g.frequency_j dω_j + Σ_jk (g.exchange_jk dλ_jk + g.pairing_jk dκ_jk)
    for every change that leaves the couplings symmetric and λ with a zero diagonal. g.exchange and
    g.pairing are such matrices themselves: both entries of a pair together hold the derivative by
    its λ_jk, half of it each. A step along g therefore makes another network; one whose κ has no
    diagonal keeps it so. It may carry a frequency below zero or a coupling past the critical one;
    where that can happen, let the optimiser move ln ω, or bring what it moved back into bounds
    (``optax.projections``). ``jax.grad`` takes no complex leaves: with complex couplings,
    differentiate by the real numbers that they are made of.

    Args:
        frequency: ω [N], of either sign or zero (a frame that rotates with a drive); the unit of
            every other rate and temperature.
        exchange: λ [N, N], Hermitian with a zero diagonal, real or complex (then up to rounding).
        pairing: κ [N, N], symmetric, likewise; κ_jj squeezes oscillator j. None: no
            pairing. κ = λ real couples the positions, 2λ x_j x_k; κ = 0 is the rotating-wave form.
        drive: ε [N], real or complex; None: no drive.

    Raises:
        ValueError: if a shape does not fit, a value is not finite, λ is not Hermitian with a zero
            diagonal, or κ is not symmetric. Whether H is bounded below, or the motion stable, is
            checked where a state is asked for, and told by ``diagnose``.

    Example:
        >>> flux = 0.2 * np.exp(0.5j)
        >>> ring = jaxosc.Oscillators([1.0, 1.0], [[0.0, flux], [flux.conjugate(), 0.0]])

    Source: Konopik & Lutz, Eq. 1, for N modes and any quadratic Hamiltonian.
    """

    _leaves: ClassVar[tuple[str, ...]] = ("frequency", "exchange", "pairing", "drive")
    _static: ClassVar[tuple[str, ...]] = ("_hollow",)

    frequency: jax.Array
    exchange: jax.Array
    pairing: jax.Array
    drive: jax.Array | None
    _hollow: bool  # whether the pairing has no diagonal, whatever its values

    def __init__(
        self,
        frequency: Reals,
        exchange: Numbers,
        pairing: Numbers | None = None,
        drive: Numbers | None = None,
    ) -> None:
        if exchange is None:
            raise ValueError("Argument `exchange` must be a matrix [N, N], but it is None.")
        given = {"exchange": exchange, "pairing": pairing, "drive": drive}
        present = {name: value for name, value in given.items() if value is not None}
        arrays = _checks.number_arrays({"frequency": frequency}, present)
        frequency = arrays["frequency"]
        if frequency.ndim != 1 or frequency.shape[0] == 0:
            raise ValueError(
                "Argument `frequency` must have shape (N,) with N >= 1, "
                f"but its shape is {frequency.shape}."
            )
        modes = frequency.shape[0]
        exchange, drive = arrays["exchange"], arrays.get("drive")
        pairing = arrays.get("pairing", jnp.zeros((modes, modes), exchange.dtype))
        why = f" for {modes} frequencies"
        for name, matrix in (("exchange", exchange), ("pairing", pairing)):
            _checks.require_shape(name, matrix, (modes, modes), why)
        if drive is not None:
            _checks.require_shape("drive", drive, (modes,), why)
        if jnp.iscomplexobj(exchange) or jnp.iscomplexobj(pairing):
            kind = np.result_type(exchange.dtype, pairing.dtype)
            exchange, pairing = exchange.astype(kind), pairing.astype(kind)
            exchange = _symmetrised(exchange, jnp.conj(exchange.T))
            pairing = _symmetrised(pairing, pairing.T)
        require_values("", frequency, exchange, pairing, drive)
        known = _checks.concrete(pairing)
        hollow = known is not None and not np.diag(known).any()
        self._set(frequency=frequency, exchange=exchange, pairing=pairing, drive=drive)
        self._set(_hollow=hollow)

    @classmethod
    def from_hessian(cls, hessian: Reals, drive: Numbers | None = None) -> Oscillators:
        """The network with H = ½ rᵀ·hessian·r, r = (x_1, p_1, x_2, p_2, …), up to a constant.

        Args:
            hessian: [2N, 2N], real and symmetric, in the unit of ω.
            drive: as for ``Oscillators``.

        Returns:
            Oscillators; their couplings are real where no x is known to meet a p in H.

        Raises:
            ValueError: if the matrix is not square with an even number of rows, or not symmetric.
            Traced, one that is not symmetric makes a network of NaN.
        """
        (hessian,) = _checks.float_arrays(hessian=hessian)
        _checks.require_quadratures("hessian", hessian)
        _checks.require_finite("hessian", hessian)
        _checks.require_symmetric("hessian", hessian)
        # Traced, what is not symmetric is known too late for an error.
        size, difference = (jnp.max(jnp.abs(x)) for x in (hessian, hessian - hessian.T))
        rounding = 1e3 * float(np.finfo(hessian.dtype).eps) * jax.lax.stop_gradient(size)
        symmetric = jax.lax.stop_gradient(difference) <= rounding
        hessian = symmetric_slope(small.nan_unless(symmetric, (hessian + hessian.T) / 2))
        xx, xp, pp = hessian[0::2, 0::2], hessian[0::2, 1::2], hessian[1::2, 1::2]
        exchange, pairing = (xx + pp) / 2, (xx - pp) / 2
        frequency = jnp.diag(exchange)
        exchange = exchange - jnp.diag(frequency)
        crossed = _checks.concrete(xp)
        if crossed is None or crossed.any():
            exchange = jax.lax.complex(exchange, (xp.T - xp) / 2)
            pairing = jax.lax.complex(pairing, (xp + xp.T) / 2)
        return cls(frequency, exchange, pairing, drive)

    @property
    def modes(self) -> int:
        """The number of oscillators N."""
        return self.frequency.shape[-1]

    @property
    def hessian(self) -> jax.Array:
        """The matrix [2N, 2N] of H = ½ rᵀ·hessian·r, r = (x_1, p_1, x_2, p_2, …)."""
        return _hessian(self)

    def _entered(self) -> Oscillators:
        if not isinstance(self.exchange, jax.core.Tracer) and not isinstance(
            self.pairing, jax.core.Tracer
        ):
            return self
        exchange = (hollow_slope if is_real(self) else hermitian_slope)(self.exchange)
        pairing = (hollow_slope if self._hollow else symmetric_slope)(self.pairing)
        leaves = (self.frequency, exchange, pairing, self.drive)
        return Oscillators._assemble(leaves, (self._hollow,))

    def _scaled(self, factor: jax.Array) -> Oscillators:
        leaves = (self.frequency, self.exchange, self.pairing)
        drive = None if self.drive is None else small.scaled(self.drive, factor)
        scaled = (small.scaled(leaf, factor) for leaf in leaves)
        return Oscillators._assemble((*scaled, drive), (self._hollow,))

    def _require(self) -> None:
        """Raise ValueError unless the leaves, where known, make a network."""
        frequency, drive = self.frequency, self.drive
        modes = len(frequency) if getattr(frequency, "shape", (0,)) != (0,) else 1
        _checks.require_fields("oscillators", frequency=(frequency, (modes,)))
        square = (modes, modes)
        _checks.require_fields(
            "oscillators",
            complex_too=True,
            exchange=(self.exchange, square),
            pairing=(self.pairing, square),
        )
        if drive is not None:
            _checks.require_fields("oscillators", complex_too=True, drive=(drive, (modes,)))
        if jnp.iscomplexobj(self.exchange) != jnp.iscomplexobj(self.pairing):
            raise ValueError(
                "Argument `oscillators` must hold an exchange and a pairing that are both real or "
                f"both complex, but they are {self.exchange.dtype} and {self.pairing.dtype}."
            )
        require_values("oscillators.", frequency, self.exchange, self.pairing, drive)
        if self._hollow:
            _checks.require("oscillators.pairing", self.pairing, *HOLLOW)


def _symmetrised(matrix: jax.Array, mirrored: jax.Array) -> jax.Array:
    """Their mean, of what phases have left equal up to rounding; the matrix itself elsewhere."""
    known, other = _checks.concrete(matrix), _checks.concrete(mirrored)
    if known is not None and other is not None and np.array_equal(known, other):
        return matrix
    size, difference = jnp.max(jnp.abs(matrix)), jnp.max(jnp.abs(matrix - mirrored))
    return jnp.where(
        difference <= 64 * float(np.finfo(matrix.dtype).eps) * size,
        (matrix + mirrored) / 2,
        matrix,
    )


def force(oscillators: Oscillators) -> jax.Array:
    """What the drive adds to d⟨r⟩/dt, [2N]; zero without one."""
    drive = oscillators.drive
    if drive is None:
        return jnp.zeros((2 * oscillators.modes,), oscillators.frequency.dtype)
    # H = … + √2 Σ (Re ε x + Im ε p)
    x, p = jnp.imag(drive), -jnp.real(drive)
    return np.sqrt(2).astype(x.dtype) * jnp.stack([x, p], axis=-1).reshape(-1)


@jax.jit
def _hessian(oscillators: Oscillators) -> jax.Array:
    one = jnp.eye(oscillators.modes, dtype=oscillators.frequency.dtype)
    exchange, pairing = oscillators.exchange, oscillators.pairing
    bare = oscillators.frequency[..., None] * one + jnp.real(exchange)
    xx, pp = bare + jnp.real(pairing), bare - jnp.real(pairing)
    xp = jnp.imag(pairing) - jnp.imag(exchange)
    upper = jnp.stack([xx, xp], axis=-1)
    lower = jnp.stack([jnp.swapaxes(xp, -1, -2), pp], axis=-1)
    rows = jnp.swapaxes(jnp.stack([upper, lower], axis=-2), -3, -2)
    size = 2 * oscillators.modes
    return rows.reshape(*rows.shape[:-4], size, size)


def is_real(oscillators: Oscillators) -> bool:
    """Whether the couplings are real numbers: H = ½ xᵀVx + ½ pᵀWp."""
    return not jnp.iscomplexobj(oscillators.exchange)


def potential_matrix(oscillators: Oscillators) -> jax.Array:
    """V = ω + λ + κ [N, N], in H = ½ xᵀVx + ½ pᵀWp up to a constant."""
    return jnp.diag(oscillators.frequency) + oscillators.exchange + oscillators.pairing


def kinetic_matrix(oscillators: Oscillators) -> jax.Array:
    """W = ω + λ − κ [N, N], in H = ½ xᵀVx + ½ pᵀWp up to a constant."""
    return jnp.diag(oscillators.frequency) + oscillators.exchange - oscillators.pairing


def natural_unit(oscillators: Oscillators, rotating: bool = False) -> jax.Array:
    """A power of two next to the largest frequency; in a rotating frame, to the largest number.

    Dividing by it is exact, and keeps products of several frequencies away from overflow and
    underflow in whatever unit the user works. Results do not depend on it, nor do derivatives.
    """
    frequency = jax.lax.stop_gradient(oscillators.frequency)
    if not rotating:
        return power_of_two(small.maximum(frequency))
    couplings = jax.lax.stop_gradient((oscillators.exchange, oscillators.pairing))
    sizes = [jnp.max(jnp.abs(part)) for part in (frequency, *couplings)]
    return power_of_two(small.maximum(jnp.stack(sizes)))


def with_couplings(
    oscillators: Oscillators, exchange: jax.Array, pairing: jax.Array
) -> Oscillators:
    """The same frequencies and drive with other couplings of the same kind."""
    leaves = (oscillators.frequency, exchange, pairing, oscillators.drive)
    return Oscillators._assemble(leaves, (oscillators._hollow,))


def in_unit(oscillators: Oscillators, unit: jax.Array) -> Oscillators:
    """The network with its frequencies and couplings divided by a unit."""
    return oscillators._scaled(1 / unit)  # exact: the unit is a power of two


def entered(oscillators: Oscillators) -> Oscillators:
    """The network itself, for whatever takes one; derivatives by it are those of ``Oscillators``.

    Without it they would be by single entries, of those that a computation happens to read.
    """
    return oscillators._entered()


def require_network(oscillators: Oscillators) -> None:
    """Raise ValueError unless this is one network of oscillators."""
    _checks.require_instance("oscillators", oscillators, Oscillators)
    frequency = oscillators.frequency
    if getattr(frequency, "ndim", 1) != 1:
        raise ValueError(
            "Argument `oscillators` must hold one network, but its frequencies have shape "
            f"{frequency.shape}; use jax.vmap for a batch of networks."
        )
    oscillators._require()


HOLLOW = (lambda m: np.diag(m) == 0, "have a zero diagonal")


def require_values(
    record: str,
    frequency: jax.Array,
    exchange: jax.Array,
    pairing: jax.Array,
    drive: jax.Array | None = None,
) -> None:
    """Raise ValueError unless the values, where known, make a Hamiltonian."""
    require_frequency(f"{record}frequency", frequency)
    _checks.require_finite(f"{record}exchange", exchange)
    _checks.require_finite(f"{record}pairing", pairing)
    hermitian = "be Hermitian" if jnp.iscomplexobj(exchange) else "be symmetric"
    _checks.require(f"{record}exchange", exchange, lambda m: m == np.conj(m.T), hermitian)
    _checks.require(f"{record}exchange", exchange, *HOLLOW)
    _checks.require(f"{record}pairing", pairing, lambda m: m == m.T, "be symmetric")
    if drive is not None:
        _checks.require_finite(f"{record}drive", drive)


def require_frequency(name: str, frequency: jax.Array) -> None:
    """Raise ValueError unless the values, where known, are finite and in range."""
    _checks.require_finite(name, frequency)
    low, high = FREQUENCIES[frequency.dtype.itemsize]
    _checks.require(
        name,
        frequency,
        lambda omega: (omega == 0) | ((abs(omega) >= low) & (abs(omega) <= high)),
        f"be zero or lie between {low:.0e} and {high:.0e} in {frequency.dtype}, in magnitude",
    )
