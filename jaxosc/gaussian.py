"""What a Gaussian state tells: numbers from a covariance, whatever it came from.

A covariance is σ [2N, 2N], σ_ij = ⟨{r_i, r_j}⟩/2 of the quadratures (x1, p1, x2, p2, …) with
[x, p] = i, so that the vacuum has variance 1/2. Entropies are in nats.

What is asked of σ is asked of its entries as they are, rounded: ``is_physical`` says whether they
are those of a state but for that rounding, and a number that depends on the state being one, or
that the entries do not determine, is NaN.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._compilation import compiled
from jaxosc._kernels import selection
from jaxosc._numerics import entropy, small, uncertainty
from jaxosc._numerics.small import blocks_of
from jaxosc._numerics.symmetry import symmetric_slope
from jaxosc.typing import Reals


def occupation(covariance: Reals, mean: Reals | None = None) -> jax.Array:
    """Mean occupations ⟨a_j†a_j⟩ = (⟨x_j²⟩ + ⟨p_j²⟩ − 1)/2.

    Args:
        covariance: σ [2N, 2N].
        mean: ⟨r⟩ [2N] of a driven network, as of ``steady_mean``; None: zero.

    Returns:
        [N], dimensionless.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> jaxosc.occupation(np.diag([1.5, 1.5, 0.25, 1.0]))
        Array([1.   , 0.125], dtype=float64)

    Source: Konopik & Lutz, App. A, last line.
    """
    return _occupation(_second_moments(covariance, mean))


def coherence(covariance: Reals, mean: Reals | None = None) -> jax.Array:
    """The matrix ⟨a_j†a_k⟩, with the occupations on its diagonal.

    ⟨a_j†a_k⟩ = [⟨x_jx_k⟩ + ⟨p_jp_k⟩ + i(⟨x_jp_k⟩ − ⟨p_jx_k⟩) − δ_jk]/2.

    Args:
        covariance: σ [2N, 2N].
        mean: ⟨r⟩ [2N] of a driven network, as of ``steady_mean``; None: zero.

    Returns:
        [N, N], complex and Hermitian, dimensionless.

    Raises:
        ValueError: if the shape is not (2N, 2N), or σ is known and not symmetric.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.5, "rotating-wave")
        >>> jaxosc.coherence(jaxosc.gibbs(network, 1.0)).real.round(6)
        Array([[ 0.914355, -0.627139],
               [-0.627139,  0.914355]], dtype=float64)
    """
    return _coherence(_second_moments(covariance, mean))


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
    return _symplectic_eigenvalues(_covariance(covariance))


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
    return _entropy(_covariance(covariance))


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
    array = _covariance(covariance)
    first, second = _groups(array.shape[0] // 2, modes, others)
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
    return _purity(_covariance(covariance))


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
    return _is_physical(_covariance(covariance))


# One compiled program a call: each operation by itself costs as much as all of them, and would
# stop at an intermediate NaN under jax_debug_nans. In another program they are part of it.


@partial(jax.jit, inline=True)
def _occupation(covariance: jax.Array) -> jax.Array:
    if not small.is_small(covariance):
        variance = jnp.diag(covariance)
        return (variance[0::2] + variance[1::2] - 1) / 2
    quadratures = range(0, covariance.shape[0], 2)  # entry by entry, which fuses
    return jnp.array([(covariance[x, x] + covariance[x + 1, x + 1] - 1) / 2 for x in quadratures])


@partial(jax.jit, inline=True)
def _coherence(covariance: jax.Array) -> jax.Array:
    xx, xp, pp = blocks_of(covariance)
    return jax.lax.complex((xx + pp - jnp.eye(xx.shape[0], dtype=xx.dtype)) / 2, (xp - xp.T) / 2)


@partial(compiled, static_argnames=("first", "second"))
def _information(
    covariance: jax.Array, first: tuple[int, ...], second: tuple[int, ...]
) -> jax.Array:
    both = _restrict(covariance, first + second)
    parts = _restrict(covariance, first), _restrict(covariance, second)
    return selection.mutual_information(*parts, both)


_symplectic_eigenvalues = jax.jit(entropy.williamson, inline=True)
_entropy = jax.jit(entropy.entropy, inline=True)
_purity = jax.jit(entropy.purity, inline=True)
_is_physical = jax.jit(uncertainty.is_state, inline=True)


def _second_moments(covariance: Reals, mean: Reals | None) -> jax.Array:
    """σ + ⟨r⟩⟨r⟩ᵀ after checks."""
    if mean is None:
        return _covariance(covariance)
    covariance, mean = _checks.float_arrays(covariance=covariance, mean=mean)
    covariance = _covariance(covariance)
    _checks.require_shape("mean", mean, covariance.shape[:1])
    return covariance + mean[:, None] * mean[None, :]


def _covariance(covariance: Reals) -> jax.Array:
    (array,) = _checks.float_arrays(covariance=covariance)
    _checks.require_quadratures("covariance", array)
    _checks.require_symmetric("covariance", array)
    return symmetric_slope(array)


def _groups(
    total: int, modes: Sequence[int] | None, others: Sequence[int] | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if modes is None:
        if total != 2:
            raise ValueError(
                "Argument `modes` must name the modes of the first group, "
                f"but it is missing and there are {total} modes."
            )
        if others is not None:
            raise ValueError("Argument `modes` must be given with `others`, but it is missing.")
        modes = (0,)
    first = _indices("modes", modes)
    rest = [mode for mode in range(total) if mode not in first]
    second = rest if others is None else _indices("others", others)
    for name, group in (("modes", first), ("others", second)):
        if not group or len(set(group)) < len(group) or not all(0 <= m < total for m in group):
            raise ValueError(
                f"Argument `{name}` must hold different modes between 0 and {total - 1}, "
                f"at least one, but it is {tuple(group)}."
            )
    if set(first) & set(second):
        raise ValueError(
            f"Argument `others` must share no mode with `modes`, but it is {tuple(second)} "
            f"and `modes` is {tuple(first)}."
        )
    return tuple(first), tuple(second)


def _indices(name: str, modes: Sequence[int]) -> list[int]:
    try:
        return [operator.index(mode) for mode in modes]
    except (TypeError, jax.errors.ConcretizationTypeError) as error:
        raise ValueError(
            f"Argument `{name}` must be a sequence of whole numbers known before compilation, "
            f"but it is {modes!r}; under jax.jit, name it in static_argnames."
        ) from error


def _restrict(covariance: jax.Array, modes: tuple[int, ...]) -> jax.Array:
    if 2 * len(modes) == covariance.shape[0] and list(modes) == sorted(modes):
        return covariance
    index = np.array([2 * mode + quadrature for mode in modes for quadrature in (0, 1)])
    return covariance[np.ix_(index, index)]
