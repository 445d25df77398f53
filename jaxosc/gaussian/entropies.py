"""Entropies of a Gaussian state, its purity, and whether it is one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import jax

from jaxosc import _checks
from jaxosc._compilation import compiled, inlined
from jaxosc._kernels import selection
from jaxosc._numerics import entropy, renyi, uncertainty
from jaxosc.gaussian.arguments import covariance_of, groups_of, restricted
from jaxosc.typing import Reals


def symplectic_eigenvalues(covariance: Reals) -> jax.Array:
    """Symplectic eigenvalues ν, ascending: the moduli of the eigenvalues of iJσ, one of each pair.

    Args:
        covariance: σ [2N, 2N].

    Returns:
        [N]; at least 1/2 each for a physical state. NaN where the rounding of the entries of σ may
        change them by a quarter: where σ/√(σ_ii σ_jj) has an eigenvalue below 8N ε, ε the rounding
        of its dtype, as has a squeezed vacuum beyond e^{4r} = 1/(4N ε), and each σ that is not
        positive definite; for N > 2 also where they span more than 1/(8N ε). Derivatives are
        singular where two of them coincide.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> jaxosc.symplectic_eigenvalues(np.diag([1.5, 1.5, 0.25, 1.0]))
        Array([0.5, 1.5], dtype=float64)

    Source: Konopik & Lutz, App. B; Serafini et al., J. Phys. B 37, L21 (2004).
    """
    return _symplectic_eigenvalues(covariance_of(covariance))


def von_neumann_entropy(covariance: Reals) -> jax.Array:
    """Von Neumann entropy S = Σ f(ν), f(ν) = (ν + ½) ln(ν + ½) − (ν − ½) ln(ν − ½).

    Args:
        covariance: σ [2N, 2N].

    Returns:
        A scalar in nats; NaN where the state is not physical, or its entries do not determine its
        symplectic eigenvalues.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> round(float(jaxosc.von_neumann_entropy(1.5 * np.eye(2))), 6)  # 2 ln 2
        1.386294

    Source: Konopik & Lutz, App. B.
    """
    return _entropy(covariance_of(covariance))


def renyi_entropy(covariance: Reals, order: Reals) -> jax.Array:
    """Rényi entropy S_α = ln(tr ρ^α)/(1 − α) = Σ ln[(ν + ½)^α − (ν − ½)^α]/(α − 1).

    Order 2 is ½ ln det 2σ, the sampling entropy of the Wigner function but for a constant; order 1
    the von Neumann entropy; order infinity −ln of the largest eigenvalue of ρ.

    Args:
        covariance: σ [2N, 2N].
        order: α > 0, ``np.inf`` too.

    Returns:
        A scalar in nats; NaN where the state is not physical, or its entries do not determine its
        symplectic eigenvalues. Where a mode is pure the derivative by σ is that towards mixed
        states for α > 1; for α ≤ 1 it is infinite there, and given as zero.

    Raises:
        ValueError: if the shape is not (2N, 2N), σ is known and not symmetric, or the order is
            known and not positive.

    Example:
        >>> round(float(jaxosc.renyi_entropy(1.5 * np.eye(2), 2)), 6)  # ln 3
        1.098612

    Source: Adesso, Girolami & Serafini, Phys. Rev. Lett. 109, 190502 (2012).
    """
    array, alpha = _checks.float_arrays(covariance=covariance, order=order)
    array = covariance_of(array)
    _checks.require_shape("order", alpha, ())
    _checks.require("order", alpha, lambda value: value > 0, "be positive")
    return _renyi_entropy(array, alpha)


def mutual_information(
    covariance: Reals,
    modes: Sequence[int] | None = None,
    others: Sequence[int] | None = None,
) -> jax.Array:
    """Quantum mutual information I = S(A) + S(B) − S(AB) between two groups of modes.

    Args:
        covariance: σ [2N, 2N].
        modes: the modes of group A, numbered from 0. May be left out for N = 2.
        others: the modes of group B; all the remaining ones if left out.

    Returns:
        A scalar in nats; NaN where the state of the two groups is not physical, or its entries do
        not determine its symplectic eigenvalues. For one mode against one, the correlations are
        taken out before the logarithms, so that a weak correlation keeps its relative accuracy.
        Near a critical point the entries of a covariance determine its determinant, and with it
        the information, to ε/(1 − λ/λ_c) only, ε the rounding of its dtype.

    Raises:
        ValueError: if the shape is not (2N, 2N), σ is known and not symmetric, or the groups
            are empty, overlap, repeat or do not exist.

    Example:
        >>> network = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> round(float(jaxosc.mutual_information(jaxosc.gibbs(network, 3.0))), 6)
        0.254321

    Source: Konopik & Lutz, App. B.
    """
    array = covariance_of(covariance)
    first, second = groups_of(array.shape[0] // 2, modes, others)
    return _information(array, first=first, second=second)


def purity(covariance: Reals) -> jax.Array:
    """Purity tr ρ² = 1/(2^N √det σ), 1 for a pure state.

    Args:
        covariance: σ [2N, 2N].

    Returns:
        A scalar; NaN where the state is not physical, or its entries do not determine it.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> round(float(jaxosc.purity(1.5 * np.eye(2))), 6)
        0.333333
    """
    return _purity(covariance_of(covariance))


def is_physical(covariance: Reals) -> jax.Array:
    """Whether σ belongs to a quantum state: σ + iJ/2 ≥ 0, every symplectic eigenvalue ≥ 1/2.

    A pure state lies on the boundary, so what the rounding of entries may do is let pass: σ with
    its diagonal larger by the factor 1 + 32N ε, ε the rounding of its dtype, has to be a state.
    Every σ that is one, with errors of up to 16 ε √(σ_ii σ_jj) in its entries, passes.

    Args:
        covariance: σ [2N, 2N].

    Returns:
        A boolean scalar; False for NaN.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> bool(jaxosc.is_physical(0.5 * np.eye(2))), bool(jaxosc.is_physical(0.4 * np.eye(2)))
        (True, False)
    """
    return _is_physical(covariance_of(covariance))


# One compiled program a call: each operation by itself costs as much as all of them, and would
# stop at an intermediate NaN under jax_debug_nans. In another program they are part of it.


@partial(compiled, static_argnames=("first", "second"), entrywise=True)
def _information(
    covariance: jax.Array, first: tuple[int, ...], second: tuple[int, ...]
) -> jax.Array:
    both = restricted(covariance, first + second)
    parts = restricted(covariance, first), restricted(covariance, second)
    return selection.mutual_information(*parts, both)


_symplectic_eigenvalues = inlined(entropy.williamson, entrywise=True)
_entropy = inlined(entropy.entropy, entrywise=True)
_renyi_entropy = inlined(renyi.renyi_entropy, entrywise=True)
_purity = inlined(entropy.purity, entrywise=True)
_is_physical = inlined(uncertainty.is_state, entrywise=True)
