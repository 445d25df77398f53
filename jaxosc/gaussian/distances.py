"""How far two Gaussian states are from each other: fidelity and relative entropy."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc import _checks
from jaxosc._compilation import inlined
from jaxosc._numerics import divergence
from jaxosc._numerics import fidelity as kernel
from jaxosc._numerics.symmetry import symmetric_slope
from jaxosc.typing import Reals


def fidelity(
    first: Reals,
    second: Reals,
    first_mean: Reals | None = None,
    second_mean: Reals | None = None,
) -> jax.Array:
    """Uhlmann fidelity F = (tr √(√ρ₁ ρ₂ √ρ₁))², between 0 and 1 for equal states.

    The square, which is |⟨ψ₁|ψ₂⟩|² of pure states and tr ρ₁ρ₂ if one is pure. With δ the difference
    of the means and ±iy the eigenvalues of (A + B)⁻¹(BA − ¼), A = σ₁J, B = σ₂J,

        F = e^{−δᵀ(σ₁ + σ₂)⁻¹δ/2} Π[2y + √(4y² − 1)]/√det(σ₁ + σ₂),

    computed from the difference of the covariances.

    Args:
        first: σ₁ [2N, 2N].
        second: σ₂ [2N, 2N].
        first_mean: ⟨r⟩₁ [2N]; None: zero.
        second_mean: ⟨r⟩₂ [2N]; None: zero.

    Returns:
        A scalar; NaN where a state is not physical or its entries do not determine it. Of equal
        states 1 to a few roundings, with a slope of zero (of pure ones along pure ones), and of
        close ones good to as much, whatever their condition if they are mixed; of others to ε
        times the condition of σ₁ + σ₂ over the roots of its diagonal. A mode that is pure to that
        rounding is taken to be pure and to stay so in a derivative: by the purity of a mode that
        is mixed in the other state F has an infinite slope. There are first derivatives alone; the
        second ones between equal states are −½ ``quantum_fisher_information``.

    Raises:
        ValueError: if the shapes are not those of two states of N modes, or a covariance is known
            and not symmetric.

    Example:
        >>> vacuum, thermal = 0.5 * np.eye(2), 1.5 * np.eye(2)
        >>> round(float(jaxosc.fidelity(vacuum, thermal)), 6)
        0.5
        >>> round(float(jaxosc.fidelity(vacuum, vacuum, (0.0, 0.0), (2.0, 0.0))), 6)  # e⁻²
        0.135335

    Source: Banchi, Braunstein & Pirandola, Phys. Rev. Lett. 115, 260501 (2015).
    """
    one, other, shift = _states(first, second, first_mean, second_mean)
    return _fidelity(one, other, shift)


@_checks.nan_is_an_answer  # and an infinity
def relative_entropy(
    first: Reals,
    second: Reals,
    first_mean: Reals | None = None,
    second_mean: Reals | None = None,
) -> jax.Array:
    """Quantum relative entropy S(ρ₁‖ρ₂) = tr ρ₁(ln ρ₁ − ln ρ₂), not symmetric.

    With ρ₂ = e^{−(r − ⟨r⟩₂)ᵀ𝒢₂(r − ⟨r⟩₂)/2}/Z and δ the difference of the means,

        S(ρ₁‖ρ₂) = ½ Tr 𝒢₂(σ₁ − σ₂ + δδᵀ) − S(ρ₁) + S(ρ₂).

    Of a state and the Gibbs state of its network, T S(ρ‖ρ_T) is the free energy above equilibrium.

    Args:
        first: σ₁ [2N, 2N].
        second: σ₂ [2N, 2N].
        first_mean: ⟨r⟩₁ [2N]; None: zero.
        second_mean: ⟨r⟩₂ [2N]; None: zero.

    Returns:
        A scalar in nats, not negative; infinite where a mode of the second is pure to rounding and
        the first has quanta in it; NaN where a state is not physical or its entries do not
        determine it. Of close states, which have one of second order in the difference, it is good
        to a few roundings of one; of others to ε times the condition of σ₂/√(σ_ii σ_jj). In
        derivatives modes of the first that are pure stay so.

    Raises:
        ValueError: if the shapes are not those of two states of N modes, or a covariance is known
            and not symmetric.

    Example:
        >>> vacuum, thermal = 0.5 * np.eye(2), 1.5 * np.eye(2)
        >>> round(float(jaxosc.relative_entropy(vacuum, thermal)), 6)  # ln 2
        0.693147
        >>> float(jaxosc.relative_entropy(thermal, vacuum))
        inf

    Source: Pirandola, Laurenza, Ottaviani & Banchi, Nat. Commun. 8, 15043 (2017).
    """
    one, other, shift = _states(first, second, first_mean, second_mean)
    return _relative_entropy(one, other, jnp.zeros_like(one[0]) if shift is None else shift)


def _states(
    first: Reals, second: Reals, first_mean: Reals | None, second_mean: Reals | None
) -> tuple[jax.Array, jax.Array, jax.Array | None]:
    """Two covariances, and the difference of the means if there are any, after checks."""
    given = {"first": first, "second": second}
    means = {"first_mean": first_mean, "second_mean": second_mean}
    given |= {name: mean for name, mean in means.items() if mean is not None}
    arrays = dict(zip(given, _checks.float_arrays(**given), strict=True))
    for name in ("first", "second"):
        _checks.require_quadratures(name, arrays[name])
        _checks.require_symmetric(name, arrays[name])
    _checks.require_shape("second", arrays["second"], arrays["first"].shape, " as that of `first`")
    one, other = symmetric_slope(arrays.pop("first")), symmetric_slope(arrays.pop("second"))
    for name, mean in arrays.items():
        _checks.require_shape(name, mean, one.shape[:1])
    if not arrays:
        return one, other, None
    zero = jnp.zeros_like(one[0])
    return one, other, arrays.get("first_mean", zero) - arrays.get("second_mean", zero)


# One compiled program a call: each operation by itself costs as much as all of them, and would
# stop at an intermediate NaN under jax_debug_nans. In another program they are part of it.


@inlined
def _fidelity(first: jax.Array, second: jax.Array, shift: jax.Array | None) -> jax.Array:
    return kernel.fidelity(first, second, shift)


@inlined
def _relative_entropy(first: jax.Array, second: jax.Array, shift: jax.Array) -> jax.Array:
    return divergence.relative_entropy(first, second, shift)
