"""Unified Lindblad equation: near Bohr frequencies are one, at their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from jaxosc._kernels import selection
from jaxosc._kernels.clusters import Clusters, clusters_of, energy_of
from jaxosc._kernels.pair_bohr import PairEquation
from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics
from jaxosc.equations.family import Bath, Family, half_sided, usual_width
from jaxosc.oscillators import Oscillators
from jaxosc.typing import Reals


def unified_lindblad(
    oscillators: Oscillators,
    baths: Baths,
    width: Reals | None = None,
    *,
    lamb_shift: bool = False,
) -> Dynamics:
    """Unified Lindblad equation: secular between clusters of Bohr frequencies, not inside them.

    Normal frequencies that follow each other by no more than a width form a cluster, and −Ω one
    that mirrors it. Γ(x, y) = ½ S(w̄) + iΔ(w̄) at the mean w̄ of the cluster if x and y are in
    the same one, else 0. Completely positive; stationary is exp(−H⁰/T), H⁰ with the mean
    frequencies in place of the own ones, and with the heat of H⁰ the second law is strict.

    Args:
        oscillators: N modes with any Hamiltonian that is bounded below.
        baths: any, with temperatures; the spectra of rows need a ``reference``.
        width: in the unit of ω, not negative; None for 20 times the largest amplitude rate. Good if
            it covers all splittings next to the damping, and J and N vary little over a cluster.
        lamb_shift: whether to keep the principal values Δ, for spectra with a cutoff.

    Returns:
        Dynamics, as ``redfield``. The equation has steps where a splitting passes the width, and no
        derivative across them; ``diagnose`` measures the distance.

    Raises:
        ValueError: as ``redfield``, or if the width is negative.

    Example:
        >>> oscillators = jaxosc.pair((1.0, 1.02), 0.01, "position")
        >>> drude = jaxosc.spectra.Drude(cutoff=10.0)
        >>> baths = jaxosc.Baths(0.01, (0.5, 1.0), drude, coupling="position")
        >>> dynamics = jaxosc.unified_lindblad(oscillators, baths, width=0.1)
        >>> jaxosc.occupation(jaxosc.steady_state(dynamics)).round(6)
        Array([0.223005, 0.502982], dtype=float64)

    Source: Trushechkin, Phys. Rev. A 103, 062226 (2021).
    """
    width = usual_width(baths, oscillators) if width is None else width
    return Dynamics.of(UnifiedLindblad(lamb_shift), oscillators, baths, width)


@dataclass(frozen=True)
class UnifiedLindblad(Family):
    """The functions behind ``unified_lindblad``."""

    name: ClassVar[str] = "unified"
    numbers: ClassVar[tuple[str, ...]] = ("width",)
    written_out: ClassVar[PairEquation] = "unified"

    def symbol(self, x: jax.Array, y: jax.Array, bath: Bath) -> jax.Array:
        """½ S(w̄) + iΔ(w̄) inside a cluster."""
        clusters: Clusters = bath[1].extra
        value = half_sided(clusters.mean_at(y), bath, self.lamb_shift)
        return jnp.where(clusters.share(x, y), value, 0)

    def extra(self, hessian: jax.Array, unit: jax.Array, *numbers: jax.Array) -> Any:
        """The clusters."""
        return clusters_of(hessian, numbers[0] / unit)

    def energy(self, *parts: Any) -> jax.Array:
        """That of H⁰."""
        oscillators, baths, width = parts
        unit = selection.problem_of(oscillators, baths).unit
        hessian = selection.general_of(oscillators, unit).hessian
        return energy_of(hessian, width / unit) * unit
