"""Quantum correlations of a Gaussian state: entanglement, steering and discord."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import jax

from jaxosc import _checks
from jaxosc._compilation import compiled
from jaxosc._numerics import discord as _discord_of
from jaxosc._numerics import entanglement
from jaxosc.gaussian.arguments import covariance_of, groups_of, restricted
from jaxosc.typing import Reals


def logarithmic_negativity(
    covariance: Reals,
    modes: Sequence[int] | None = None,
    others: Sequence[int] | None = None,
) -> jax.Array:
    """Logarithmic negativity E_N = Σ_k max(0, −ln 2ν~_k) between two groups of modes.

    ν~ are the symplectic eigenvalues of the partial transpose, of σ with the sign of each p of one
    group turned. Modes in neither group are traced out. Of one mode against any number a state is
    entangled if, and only if, E_N > 0.

    Args:
        covariance: σ [2N, 2N].
        modes: the modes of group A, numbered from 0. May be left out for N = 2.
        others: the modes of group B; all the remaining ones if left out.

    Returns:
        A scalar in nats; NaN where the state of the two groups is not physical, or its entries do
        not determine its symplectic eigenvalues, as in ``symplectic_eigenvalues``. With μ the least
        eigenvalue of σ/√(σ_ii σ_jj), its error is some ε/μ, ε the rounding of the dtype, which is
        what the rounding of the entries is worth: 1e-8 for two modes squeezed by 45 dB. For one
        mode against one a small E_N between cold modes keeps its relative accuracy. Derivatives are
        those of the entangled side where E_N > 0, of first and second order also where ν~ coincide,
        and zero where E_N = 0.

    Raises:
        ValueError: if the shape is not (2N, 2N), σ is known and not symmetric, or the groups
            are empty, overlap, repeat or do not exist.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.3, "position")
        >>> round(float(jaxosc.logarithmic_negativity(jaxosc.gibbs(network, 0.0))), 6)
        0.346574

    Source: Vidal & Werner, Phys. Rev. A 65, 032314 (2002); Simon, Phys. Rev. Lett. 84, 2726 (2000).
    """
    array = covariance_of(covariance)
    first, second = groups_of(array.shape[0] // 2, modes, others)
    return _negativity(array, first=first, second=second)


def steering(
    covariance: Reals,
    modes: Sequence[int] | None = None,
    others: Sequence[int] | None = None,
) -> jax.Array:
    """Gaussian steerability of some modes by measuring others, Σ_k max(0, −ln 2ν_k).

    With σ = [[A, C], [Cᵀ, B]], A of the modes that are measured, ν are the symplectic eigenvalues
    of the Schur complement B − CᵀA⁻¹C. It is not symmetric in the groups, at most E_N, and for pure
    states of one mode against one the Rényi entropy of order 2 of either.

    Args:
        covariance: σ [2N, 2N].
        modes: the modes that are measured, numbered from 0. May be left out for N = 2.
        others: the modes that are steered; all the remaining ones if left out.

    Returns:
        A scalar in nats; NaN, accuracy and derivatives as in ``logarithmic_negativity``. Small
        values for one mode that is steered keep their relative accuracy.

    Raises:
        ValueError: as ``logarithmic_negativity``.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.3, "position")
        >>> round(float(jaxosc.steering(jaxosc.gibbs(network, 0.0))), 6)
        0.058892

    Source: Kogias, Lee, Ragy & Adesso, Phys. Rev. Lett. 114, 060403 (2015).
    """
    array = covariance_of(covariance)
    first, second = groups_of(array.shape[0] // 2, modes, others)
    return _steering(array, first=first, second=second)


def discord(covariance: Reals, measured: int = 1) -> jax.Array:
    """Gaussian quantum discord of two modes: mutual information that no measurement finds.

    The mutual information less the largest fall of the entropy of one mode when the other is
    measured by a Gaussian measurement, which for most states is the best of all measurements.

    Args:
        covariance: σ [4, 4].
        measured: the mode that is measured, 0 or 1. (``steering`` asks what measuring its first
            group does to the second: there it is mode 0 if nothing is said.)

    Returns:
        A scalar in nats, not negative; NaN where the state is not physical, or its entries do not
        determine its symplectic eigenvalues. Weak correlations keep their relative accuracy, the
        difference is good to ε times the mutual information. First and second derivatives are
        right where they exist, as they do not for pure states; at a product state, near which the
        best measurement depends on the way there, second ones are NaN.

    Raises:
        ValueError: if the shape is not (4, 4), σ is known and not symmetric, or ``measured`` is
            neither 0 nor 1.

    Example:
        >>> network = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> round(float(jaxosc.discord(jaxosc.gibbs(network, 3.0))), 6)
        0.006808

    Source: Adesso & Datta, Phys. Rev. Lett. 105, 030501 (2010); Giorda & Paris, Phys. Rev. Lett.
    105, 020503 (2010).
    """
    array = covariance_of(covariance)
    _checks.require_shape("covariance", array, (4, 4), " of two modes")
    _checks.require_whole("measured", measured, 0, 1)
    return _discord(array, order=(0, 1) if measured else (1, 0))


# One compiled program a call: see the entropies.


@partial(compiled, static_argnames=("first", "second"), entrywise=True)
def _negativity(
    covariance: jax.Array, first: tuple[int, ...], second: tuple[int, ...]
) -> jax.Array:
    return entanglement.negativity(restricted(covariance, first + second), len(first))


@partial(compiled, static_argnames=("first", "second"), entrywise=True)
def _steering(covariance: jax.Array, first: tuple[int, ...], second: tuple[int, ...]) -> jax.Array:
    return entanglement.steering(restricted(covariance, first + second), len(first))


@partial(compiled, static_argnames=("order",), entrywise=True)
def _discord(covariance: jax.Array, order: tuple[int, int]) -> jax.Array:
    return _discord_of.discord(restricted(covariance, order))
