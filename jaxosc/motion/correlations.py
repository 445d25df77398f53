"""Correlations of the quadratures at two times, in the steady state."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._compilation import compiled
from jaxosc.dynamics import Dynamics, require_one_network, steady_state
from jaxosc.motion.evolution import require_times
from jaxosc.typing import Reals


def correlation(dynamics: Dynamics, times: Reals) -> jax.Array:
    """Symmetrised correlation of the quadratures at two times, in the steady state.

        C(t) = ½⟨{r(t), r(0)ᵀ}⟩,   C(0) = σ,   C(−t) = C(t)ᵀ,

    about the mean. White noise, that of ``local_lindblad``, ``lindblad``, ``langevin`` of an
    ``occupation`` and every other Markovian equation, is forgotten at once: by the regression
    theorem C(t) = e^{At}σ for t ≥ 0. The baths of ``langevin`` with temperatures have memory, and
    regression does not hold: C(t) is the Fourier transform of the exact spectrum,

        C(t) = ∫ G(ν) S(ν) G(ν)† e^{−iνt} dν/2π,

    S the spectrum of the noise. That of flat baths with temperatures, a principal value at
    ν = 0, falls as sgn(ν) there: a constant of the order of γT/ω² remains at late times.

    Args:
        dynamics: from one of the equations or from ``Dynamics``.
        times: t of either sign and any shape.

    Returns:
        C [..., 2N, 2N], order (x1, p1, …), the axes of the times in front. NaN as
        ``steady_state`` is. ⟨r(t) r(0)ᵀ⟩ = C(t) + ½⟨[r(t), r(0)ᵀ]⟩, whose second part is that of
        the response and of no state.

    Raises:
        ValueError: if the drift is known and has no unique steady state, or a time is not finite.

    Example:
        >>> one, drude = jaxosc.Oscillators([1.0], [[0.0]]), jaxosc.spectra.Drude(cutoff=10.0)
        >>> baths = jaxosc.Baths(0.1, 0.5, drude, coupling="position")
        >>> jaxosc.correlation(jaxosc.langevin(one, baths), [0.0, 3.0])[:, 0, 0].round(6)
        Array([ 0.651925, -0.478497], dtype=float64)

    Source: Lax, Phys. Rev. 129, 2342 (1963), for regression; Ford & O'Connell, Phys. Rev. Lett.
    77, 798 (1996), for its failure; Konopik & Lutz, Eqs. 5-8, for the spectrum.
    """
    dynamics = require_one_network(dynamics)
    times = require_times(times)
    _checks.require_together(dynamics=dynamics, times=times)
    found = _correlation(dynamics, times)
    known = _checks.concrete(jax.lax.stop_gradient(found))
    if known is not None and np.isnan(known).any():
        steady_state(dynamics)
    return found


@_checks.nan_is_an_answer
@compiled
def _correlation(dynamics: Dynamics, times: jax.Array) -> jax.Array:
    description, parts = dynamics._description, dynamics._parts
    dtype = jax.eval_shape(description.force, *parts).dtype
    flat = times.astype(dtype).reshape(-1)
    found = description.correlation(jnp.abs(flat), *parts)
    both = jnp.where((flat < 0)[:, None, None], jnp.swapaxes(found, 1, 2), found)
    return both.reshape(times.shape + both.shape[1:])
