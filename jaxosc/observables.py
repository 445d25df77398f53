"""What is asked of a description, by name: the one list that sweeps, maps and comparisons read.

Each observable is a function of a description and its steady covariance, so that heat, which
depends on how the baths act and not on the state alone, is one like the others. The Gibbs state
has no dynamics, None here: it is one of equal temperatures, in which no heat flows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc.dynamics import Dynamics
from jaxosc.gaussian.entanglement import logarithmic_negativity, steering
from jaxosc.gaussian.entropies import mutual_information, purity, von_neumann_entropy
from jaxosc.gaussian.moments import coherence, occupation
from jaxosc.gaussian.phase_space import squeezing
from jaxosc.gaussian.photons import g2, number_covariance
from jaxosc.motion.relaxation import spectral_gap
from jaxosc.thermodynamics import currents, energies

Scalar = Callable[[Dynamics | None, jax.Array], jax.Array]


@dataclass(frozen=True)
class Observable:
    """One number or several that belong together.

    Attributes:
        names: of the numbers, given those of the oscillators N and of the baths M.
        values: the numbers [len(names)], of a description and its covariance σ [2N, 2N].
        of_dynamics: whether they depend on more than the covariance.
    """

    names: Callable[[int, int], tuple[str, ...]]
    values: Scalar
    of_dynamics: bool = False

    def one(self, index: int, dynamics: Dynamics | None, covariance: jax.Array) -> jax.Array:
        """One of the numbers, by itself in a program that asks for no other."""
        return self.values(dynamics, covariance)[index]


def _of_state(function: Callable[[jax.Array], jax.Array]) -> Scalar:
    return lambda dynamics, covariance: jnp.atleast_1d(function(covariance))


def _numbered(stem: str, count: int) -> tuple[str, ...]:
    return tuple(f"{stem}{each + 1}" for each in range(count))


def _paired(stem: str, modes: int) -> tuple[str, ...]:
    pairs = [(j + 1, k + 1) for j in range(modes) for k in range(j + 1, modes)]
    return (stem,) if len(pairs) == 1 else tuple(f"{stem}{j}_{k}" for j, k in pairs)


def _coherence_names(modes: int, baths: int) -> tuple[str, ...]:
    del baths
    return tuple(
        f"{stem}_{part}" for stem in _paired("coherence", modes) for part in ("real", "imag")
    )


@dataclass(frozen=True)
class _Coherence(Observable):
    """Real and imaginary part of ⟨a_j†a_k⟩, pair by pair with j < k."""

    def one(self, index: int, dynamics: Dynamics | None, covariance: jax.Array) -> jax.Array:
        """By a single entry of the matrix, which fuses; a list of them does not."""
        del dynamics
        first, second = np.triu_indices(covariance.shape[0] // 2, 1)
        between = coherence(covariance)[first[index // 2], second[index // 2]]
        return between.imag if index % 2 else between.real


def _coherences(covariance: jax.Array) -> jax.Array:
    between = coherence(covariance)[np.triu_indices(covariance.shape[0] // 2, 1)]
    return jnp.stack([between.real, between.imag], axis=1).reshape(-1)


def _of_first(function: Callable[..., jax.Array]) -> Scalar:
    """Of the first oscillator and the others, of which there are none without a second."""

    def values(dynamics: Dynamics | None, covariance: jax.Array) -> jax.Array:
        del dynamics
        modes = covariance.shape[0] // 2
        if not range(1, modes):
            return jnp.zeros(0, covariance.dtype)
        return function(covariance, (0,))[None]

    return values


def _of_first_names(name: str) -> Callable[[int, int], tuple[str, ...]]:
    return lambda modes, baths: (name,) if range(1, modes) else ()


class _NumberCovariance(Observable):
    """⟨n_jn_k⟩ − ⟨n_j⟩⟨n_k⟩, pair by pair with j < k."""

    def one(self, index: int, dynamics: Dynamics | None, covariance: jax.Array) -> jax.Array:
        """By a single entry of the matrix, as for coherence."""
        del dynamics
        first, second = np.triu_indices(covariance.shape[0] // 2, 1)
        return number_covariance(covariance)[first[index], second[index]]


def _number_covariances(covariance: jax.Array) -> jax.Array:
    return number_covariance(covariance)[np.triu_indices(covariance.shape[0] // 2, 1)]


def _bunching(covariance: jax.Array) -> jax.Array:
    return jnp.diag(g2(covariance))


def _heat(dynamics: Dynamics | None, covariance: jax.Array) -> jax.Array:
    """Into the oscillators, from each bath."""
    if dynamics is None:
        return jnp.diagonal(covariance)[::2] * 0  # NaN where there is no state
    return currents.heat_currents(dynamics)


def _entropy_production(dynamics: Dynamics | None, covariance: jax.Array) -> jax.Array:
    if dynamics is None:
        return covariance[0, :1] * 0
    return currents.entropy_production(dynamics)[None]


def _ergotropy(dynamics: Dynamics | None, covariance: jax.Array) -> jax.Array:
    if dynamics is None:
        return covariance[0, :1] * 0
    return energies.ergotropy(dynamics._parts[0], covariance)[None]


def _spectral_gap(dynamics: Dynamics | None, covariance: jax.Array) -> jax.Array:
    if dynamics is None:  # equilibrium says nothing of the way there
        return jnp.full(1, jnp.nan, covariance.dtype)
    return spectral_gap(dynamics)[None]


OBSERVABLES: dict[str, Observable] = {
    "occupation": Observable(
        lambda modes, baths: _numbered("occupation", modes), _of_state(occupation)
    ),
    "coherence": _Coherence(_coherence_names, _of_state(_coherences)),
    "information": Observable(_of_first_names("information"), _of_first(mutual_information)),
    "negativity": Observable(_of_first_names("negativity"), _of_first(logarithmic_negativity)),
    "steering": Observable(_of_first_names("steering"), _of_first(steering)),
    "entropy": Observable(lambda modes, baths: ("entropy",), _of_state(von_neumann_entropy)),
    "purity": Observable(lambda modes, baths: ("purity",), _of_state(purity)),
    "squeezing": Observable(
        lambda modes, baths: _numbered("squeezing", modes), _of_state(squeezing)
    ),
    "g2": Observable(lambda modes, baths: _numbered("g2_", modes), _of_state(_bunching)),
    "number_covariance": _NumberCovariance(
        lambda modes, baths: _paired("number_covariance", modes), _of_state(_number_covariances)
    ),
    "heat_currents": Observable(lambda modes, baths: _numbered("heat", baths), _heat, True),
    "entropy_production": Observable(
        lambda modes, baths: ("entropy_production",), _entropy_production, True
    ),
    "ergotropy": Observable(lambda modes, baths: ("ergotropy",), _ergotropy, True),
    "spectral_gap": Observable(lambda modes, baths: ("spectral_gap",), _spectral_gap, True),
}


def scalars(modes: int, baths: int) -> dict[str, Scalar]:
    """Every number by its own name, for so many oscillators and baths."""

    def one(observable: Observable, index: int) -> Scalar:
        return lambda dynamics, covariance: observable.one(index, dynamics, covariance)

    return {
        name: one(observable, index)
        for observable in OBSERVABLES.values()
        for index, name in enumerate(observable.names(modes, baths))
    }
