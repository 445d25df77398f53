"""Quantum Fisher information of Gaussian states."""

from __future__ import annotations

from functools import partial

import jax

from jaxosc import _checks
from jaxosc._numerics import fisher
from jaxosc.estimation.families import State, explained, moments_and_slopes, parameters_of
from jaxosc.typing import Reals


@_checks.nan_is_an_answer
def quantum_fisher_information(state: State, parameters: Reals) -> jax.Array:
    """Quantum Fisher information of a family of Gaussian states, by one parameter or several.

    What the best measurement of any kind can tell: the covariance of unbiased estimates from n
    copies is at least F⁻¹/n (quantum Cramér-Rao bound). With the symmetric logarithmic derivative,

        F_ij = ½ Tr[∂_iσ Ψ_j] + ∂_i⟨r⟩ᵀ σ⁻¹ ∂_j⟨r⟩,    ∂_jσ = σ Ψ_j σ + J Ψ_j J/4.

    1 − F(θ, θ + dθ) = dθᵀF dθ/4 of the ``fidelity``. Only first derivatives of the state are taken,
    in forward mode; those of the result are sound as well, where symplectic eigenvalues coincide
    too. Pure states are ordinary points, and so are those with some pure modes. Where the number
    of pure modes changes at a point, as for a mode with ν = ½ + θ² at θ = 0, the information by
    the logarithmic derivative at that point is returned (0 there); the Bures metric, its limit
    from the side, is larger (4 there).

    Args:
        state: takes the parameters, a scalar or [P], and returns a covariance σ [2N, 2N], or a
            pair (σ, mean [2N]). As with ``jax.jit``, it is compiled once, and what it finds beside
            its argument is fixed then: bind what changes from call to call by
            ``functools.partial``, or let it be a parameter.
        parameters: where; a number or [P].

    Returns:
        A scalar for a number, in units of one over its square, or the matrix F [P, P]. NaN where
        the state is not physical or its entries do not determine it, and where a parameter makes a
        pure mode mixed in first order, as the temperature of white noise does at zero: there F is
        infinite, or its entries are rounding. Errors are those of the entries of σ and of its
        derivatives, times the condition of σ/√(σ_ii σ_jj).

    Raises:
        ValueError: if an argument does not fit, or at known parameters where the state is none,
            by the state's own error.

    Example:
        >>> def ground_state(coupling):
        ...     return jaxosc.gibbs(jaxosc.pair((1.0, 1.0), coupling, "position"), 0.0)
        >>> round(float(jaxosc.quantum_fisher_information(ground_state, 0.25)), 6)
        2.222222

    Source: Monras, arXiv:1303.3682; Šafránek, Phys. Rev. A 95, 052320 (2017) on changes of rank.
    """
    array = parameters_of(state, parameters)
    return explained(_information(state, array), state, array)


@partial(jax.jit, static_argnames="state")
def _information(state: State, parameters: jax.Array) -> jax.Array:
    covariance, _, change, shift = moments_and_slopes(state, parameters)
    matrix = fisher.quantum_fisher(covariance, change, shift)
    return matrix.reshape(2 * parameters.shape)
