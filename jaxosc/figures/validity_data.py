"""The numbers of the validity map: every description over a plane of couplings and ΔT."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from jaxosc.equations.registry import EXACT, STANDARD
from jaxosc.pairs import INTERACTIONS
from jaxosc.typing import Interaction, Observable

OBSERVABLES: tuple[Observable, ...] = get_args(Observable)
DESCRIPTIONS = {name: STANDARD[name] for name in reversed(STANDARD) if name != EXACT}
# The same plane on a logarithmic axis, from this part of the damping on, shows equal frequencies.
_WEAKEST_OF_DAMPING = 0.05
_STRONGEST = 0.995
# Splittings below so many damping rates are resolved on a logarithmic axis.
_RESONANT = 100.0


@dataclass(frozen=True)
class Plane:
    """Every description over (λ/λ_c, ΔT) for one pair of frequencies and one interaction.

    Attributes:
        interaction: ``"position"`` or ``"rotating-wave"``.
        omega: ω_1, ω_2.
        critical: λ_c, in the unit of ω.
        resonant: whether ω_1 and ω_2 are so close that λ is drawn logarithmically.
        ratio: λ/λ_c [X].
        difference: ΔT = T_2 − T_1 [Y].
        temperature: T_1, T_2 [Y, 2].
        exact: the observable by the Langevin equation [Y, X]; NaN where that has no answer.
        values: the same by each description.
    """

    interaction: Interaction
    omega: tuple[float, float]
    critical: float
    resonant: bool
    ratio: np.ndarray
    difference: np.ndarray
    temperature: np.ndarray
    exact: np.ndarray
    values: dict[str, np.ndarray]

    def error(self, description: str) -> np.ndarray:
        """Relative error O/O_exact − 1 [Y, X]."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.values[description] / self.exact - 1

    def trusted(self, description: str, tolerance: float) -> np.ndarray:
        """Where the relative error is within the tolerance [Y, X]."""
        return np.abs(self.error(description)) <= tolerance


def planes(
    omega: tuple[float, float],
    damping: tuple[float, float],
    temperature: float,
    delta_t: tuple[float, float],
    observable: Observable,
    points: int,
) -> Iterator[Plane]:
    """The planes of one map: as given for both interactions, and the same at equal frequencies."""
    mean = float(np.sqrt(omega[0]) * np.sqrt(omega[1]))
    frequencies = [omega]
    if not _is_resonant(omega, damping):
        frequencies.append((mean, mean))
    for pair in frequencies:
        for interaction in INTERACTIONS:
            yield _plane(pair, interaction, damping, temperature, delta_t, observable, points)


def _is_resonant(omega: tuple[float, float], damping: tuple[float, float]) -> bool:
    return abs(omega[0] - omega[1]) < _RESONANT * max(damping)


def _plane(
    omega: tuple[float, float],
    interaction: Interaction,
    damping: tuple[float, float],
    temperature: float,
    delta_t: tuple[float, float],
    observable: Observable,
    points: int,
) -> Plane:
    critical = float(jaxosc.critical_coupling(np.array(omega), interaction))
    resonant = _is_resonant(omega, damping)
    if resonant:
        weakest = min(_WEAKEST_OF_DAMPING * max(damping) / critical, _STRONGEST / 10)
        ratio = np.geomspace(weakest, _STRONGEST, points)
    else:
        # The information vanishes at λ = 0 in every description; next to it the ratio is a limit.
        ratio = np.linspace(0 if observable == "occupation" else 1e-3, _STRONGEST, points)
    difference = np.linspace(*delta_t, points)
    # The colder bath stays where it is.
    baths = np.stack(
        [temperature + np.maximum(-difference, 0), temperature + np.maximum(difference, 0)], axis=1
    )
    values = jax.tree.map(
        np.asarray,
        _over_plane(
            jnp.array(omega),
            jnp.array([2.0 if interaction == "position" else 1.0, critical]),
            jnp.array(damping),
            jnp.array(ratio),
            jnp.array(baths),
            observable,
        ),
    )
    exact = values[EXACT]
    values = {name: values[name] for name in DESCRIPTIONS}
    return Plane(
        interaction, omega, critical, resonant, ratio, difference, baths, exact, values
    )  # fmt: skip


@partial(jax.jit, static_argnames="observable")
def _over_plane(
    omega: jax.Array,
    form: jax.Array,
    damping: jax.Array,
    ratio: jax.Array,
    temperature: jax.Array,
    observable: Observable,
) -> dict[str, jax.Array]:
    """One program for both interactions: ``form`` is 1 + κ/λ, and λ_c."""
    share, critical = form[0] - 1, form[1]

    def at(temperature: jax.Array, ratio: jax.Array) -> dict[str, jax.Array]:
        exchange = ratio * critical * (jnp.ones((2, 2)) - jnp.eye(2)).astype(ratio.dtype)
        oscillators = jaxosc.Oscillators(omega, exchange, share * exchange)
        baths = jaxosc.Baths(damping, temperature)
        result = {}
        for name, equation in STANDARD.items():
            covariance = jaxosc.steady_state(equation(oscillators, baths))
            if observable == "occupation":
                result[name] = jaxosc.occupation(covariance)[0]
            else:
                result[name] = jaxosc.mutual_information(covariance)
        return result

    return jax.vmap(jax.vmap(at, (None, 0)), (0, None))(temperature, ratio)
