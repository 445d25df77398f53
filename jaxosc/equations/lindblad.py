"""Lindblad equation with jump operators that the user names."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp

from jaxosc import _checks, domain
from jaxosc import oscillators as _oscillators
from jaxosc._kernels import dense
from jaxosc._numerics.small import nan_unless, symplectic
from jaxosc.description import Description, Parts, Ports
from jaxosc.dynamics import Dynamics
from jaxosc.oscillators import FREQUENCIES, Oscillators
from jaxosc.typing import Numbers


def lindblad(
    oscillators: Oscillators, lowering: Numbers, raising: Numbers | None = None
) -> Dynamics:
    """Lindblad master equation with linear jump operators, exact for what it states.

    dρ/dt = −i[H, ρ] + Σ_k D[L_k]ρ, L_k = Σ_j l_kj a_j + m_kj a_j†, D[c]ρ = cρc† − {c†c, ρ}/2. With
    L_k = u_k·r: A = J h + J Im Σ_k u_k* u_kᵀ, D = J Re(Σ_k u_k* u_kᵀ) Jᵀ, J the symplectic form and
    h the hessian of H.

    Args:
        oscillators: N modes, in any frame whose damped motion is stable; H need not be bounded.
        lowering: l [K, N], complex or real, in units of √ω: the rates are part of L_k.
        raising: m [K, N]; None: zero.

    Returns:
        Dynamics; its diffusion is NaN where the couplings make no Hermitian H, its steady state
        also where a motion is not damped, and the values are known only inside a transformation.

    Raises:
        ValueError: if a shape does not fit or a value is not finite.

    Example:
        >>> cavity = jaxosc.Oscillators([1.0], [[0.0]])
        >>> loss, gain = [[0.2 ** 0.5], [0.0]], [[0.0], [0.1 ** 0.5]]
        >>> jaxosc.occupation(jaxosc.steady_state(jaxosc.lindblad(cavity, loss, gain))).round(12)
        Array([1.], dtype=float64)

    Source: Lindblad, Commun. Math. Phys. 48, 119 (1976), for operators linear in r.
    """
    given = {"lowering": lowering} | ({} if raising is None else {"raising": raising})
    arrays = _checks.number_arrays({}, given)
    lowering, raising = arrays["lowering"], arrays.get("raising")
    return Dynamics.of(Lindblad(), oscillators, lowering, raising)


@dataclass(frozen=True)
class Lindblad(Description):
    """The functions behind ``lindblad``: parts are the network, l [K, N] and m [K, N] or None."""

    def require(self, *parts: Any) -> Parts:
        """All in one precision, after their checks."""
        oscillators, lowering, raising = parts
        _oscillators.require_network(oscillators)
        names = {"lowering": lowering} | ({} if raising is None else {"raising": raising})
        for name, rows in names.items():
            shape: tuple[int, ...] = getattr(rows, "shape", ())
            _checks.require_fields(name, complex_too=True, **{name: (rows, shape)})
            width = shape[1:] == (oscillators.modes,)
            if shape != lowering.shape or len(shape) != 2 or not width or not shape[0]:
                raise ValueError(
                    f"Argument `{name}` must have shape (K, {oscillators.modes}), one row each of "
                    f"K >= 1 jump operators, but its shape is {rows.shape}."
                )
            _checks.require_finite(name, rows)
            most = FREQUENCIES[_checks.real_of(rows.dtype).itemsize][1] ** 0.5
            must = f"have entries of at most {most:.0e}"
            _checks.require(name, abs(rows), partial(operator.ge, most), must)
        _checks.require_together(oscillators=oscillators, **names)
        kinds = [oscillators.frequency.dtype]
        kinds += [_checks.real_of(rows.dtype) for rows in names.values()]
        dtype = _checks.widest(kinds)
        entered = (_oscillators.entered(oscillators), lowering, raising)
        return jax.tree.map(lambda leaf: _checks.in_precision(leaf, dtype), entered)

    def axes(self, *parts: Any) -> int:
        """Beyond the one of the frequencies."""
        return getattr(parts[0].frequency, "ndim", 1) - 1

    def force(self, *parts: Any) -> jax.Array:
        """That of the drive."""
        return _oscillators.force(parts[0])

    def status(self, *parts: Any) -> jax.Array:
        """Whether the couplings make a Hermitian H."""
        return domain.status({domain.Status.FORM: self._sound(*parts)})

    def drift(self, *parts: Any) -> jax.Array:
        """J h and what the jumps add."""
        return symplectic(parts[0].hessian) + self.bath_drift(*parts)

    def bath_drift(self, *parts: Any) -> jax.Array:
        """What the jumps add."""
        return self._generator(*parts).drift

    def diffusion(self, *parts: Any) -> jax.Array:
        """The noise of the jumps."""
        return nan_unless(self._sound(*parts), self._generator(*parts).diffusion)

    def steady_covariance(self, *parts: Any) -> jax.Array:
        """By the solver for a general drift."""
        added = self._generator(*parts)
        diffusion = nan_unless(self._sound(*parts), added.diffusion)
        return dense.steady_covariance(parts[0].hessian, added.drift, diffusion)

    def ports(self, *parts: Any) -> Ports:
        """Each jump, with a vacuum as its input."""
        rows = self._jumps(*parts)
        number = jnp.zeros(len(rows), _checks.real_of(rows.dtype))
        sound = nan_unless(self._sound(*parts), number)
        rate, squeezing = jnp.ones_like(number), jnp.zeros(len(rows), rows.dtype)
        return Ports(dense.quadrature_rows(rows), rate, sound, squeezing)

    def _sound(self, *parts: Any) -> jax.Array:
        """Whether H is Hermitian and the jumps are numbers."""
        finite = [jnp.all(jnp.isfinite(rows)) for rows in parts[1:] if rows is not None]
        return reduce(jnp.logical_and, finite, domain.is_well_formed(parts[0]))

    def _jumps(self, *parts: Any) -> jax.Array:
        """Rows u [K, 2N] with L_k = u_k·r."""
        _, lowering, raising = parts
        jumps = dense.lowering_rows(lowering)
        if raising is not None:  # (Σ m a†) is the adjoint of Σ m* a
            jumps += jnp.conj(dense.lowering_rows(jnp.conj(raising)))
        return jumps

    def _generator(self, *parts: Any) -> dense.Generator:
        jumps = self._jumps(*parts)
        rates = jnp.ones(len(jumps), _checks.real_of(jumps.dtype))
        return dense.jump_generator(jumps, rates)
