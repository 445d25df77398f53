"""Normal modes of a network: the Bogoliubov diagonalisation of its Hamiltonian."""

from __future__ import annotations

from typing import NamedTuple

import jax
from jax import export

from jaxosc import domain
from jaxosc._kernels import selection
from jaxosc._numerics.small import nan_unless
from jaxosc.oscillators import (
    Oscillators,
    entered,
    in_unit,
    natural_unit,
    require_network,
)


class NormalModes(NamedTuple):
    """Normal modes c_k of H = Σ_k Ω_k c_k†c_k, with a_j = Σ_k U_jk c_k + V_jk c_k†.

    Attributes:
        frequency: Ω [N], ascending, in the unit of ω.
        u: U [N, N].
        v: V [N, N]; zero in the rotating-wave form.
    """

    frequency: jax.Array
    u: jax.Array
    v: jax.Array


export.register_namedtuple_serialization(NormalModes, serialized_name="jaxosc.NormalModes")


def normal_modes(oscillators: Oscillators) -> NormalModes:
    """Diagonalise H = Σ_k Ω_k c_k†c_k + constant by a_j = Σ_k U_jk c_k + V_jk c_k†.

    Args:
        oscillators: a network with a bounded Hamiltonian.

    Returns:
        NormalModes(frequency [N], u [N, N], v [N, N]), frequencies ascending; NaN where H is
        not bounded below and the values are known only inside a transformation. The signs of
        the modes are free. Modes of one frequency are any rotation of each other: derivatives
        there are those of their eigenspace and of its mean frequency, right for what no such
        rotation changes. (For N > 2 frequencies count as one whose splitting is below 4e-10, in
        float32 7e-5, of the couplings and detunings that might have split them. Of two modes
        that only a pairing couples, the modes are those of a vanishing exchange beside it.)

    Raises:
        ValueError: if H is known and not bounded below.

    Example:
        >>> network = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> jaxosc.normal_modes(network).frequency.round(6)
        Array([1.497448, 5.17278 ], dtype=float64)

    Source: Konopik & Lutz, Eqs. 2, 3 and 16 (with cos θ in place of the last −sin θ of A and B).
    """
    require_network(oscillators)
    modes, status = _normal_modes(entered(oscillators))
    domain.require(status, oscillators)
    return modes


@jax.jit
def _normal_modes(oscillators: Oscillators) -> tuple[NormalModes, jax.Array]:
    unit = natural_unit(oscillators)
    kernel = selection.kernel_of(in_unit(oscillators, unit))
    conditions = domain.network_conditions(oscillators, kernel)
    frequency, u, v = kernel.normal_modes()
    valid = domain.hold(conditions)
    modes = NormalModes(*(nan_unless(valid, leaf) for leaf in (frequency * unit, u, v)))
    return modes, domain.status(conditions)


@jax.jit
def degenerate_neighbours(oscillators: Oscillators) -> jax.Array:
    """Whether the global equation takes each normal mode and the next as one group [N − 1]."""
    scaled = in_unit(oscillators, natural_unit(oscillators))
    return selection.kernel_of(scaled).degenerate()
