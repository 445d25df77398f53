"""The numbers behind the figures: every curve of every method, from the public library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from jaxosc._numerics import small
from jaxosc._numerics.sharing import in_one_loop
from jaxosc.papers.konopik_lutz.catalogue import (
    DAMPING,
    EQUATIONS,
    LANDMARKS,
    LAST_COUPLING,
    OMEGA,
    SETTINGS,
    Figure,
    Setting,
)
from jaxosc.papers.konopik_lutz.flat_rates import global_lindblad
from jaxosc.typing import Interaction

Numbers = Mapping[str, np.ndarray]

_Tree = TypeVar("_Tree")
_FREQUENCY = np.array(OMEGA)
_EQUATIONS = dict(
    zip(EQUATIONS, (jaxosc.langevin, global_lindblad, jaxosc.local_lindblad), strict=True)
)
# ln(1 − λ/λ_c) beside that of the last coupling, where states are computed too: Chebyshev's points,
# whose polynomial has the slope in their middle to 3e-14. Differentiation would be a program of its
# own, larger than all of the others together: 5 s of compilation.
_BESIDE = np.sin(np.pi * np.array([-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6]) / 13) / 2


@dataclass(frozen=True)
class Curve:
    """All methods along λ for one interaction and one pair of bath temperatures.

    Attributes:
        interaction: ``"position"`` or ``"rotating-wave"``.
        setting: the bath temperatures.
        reduced: λ/λ_c [L], ascending from 0.
        coupling: λ [L], in the unit of ω.
        occupation: ⟨a_1†a_1⟩ [L] of each method.
        other_occupation: ⟨a_2†a_2⟩ [L] of each method.
        information: mutual information [L] in nats of each method.
        exponent: −d ln⟨a_1†a_1⟩/d ln(1 − λ/λ_c) at the last λ: 1 for a divergence like
            1/(λ_c − λ), 0 for a finite value.
    """

    interaction: Interaction
    setting: Setting
    reduced: np.ndarray
    coupling: np.ndarray
    occupation: Numbers
    other_occupation: Numbers
    information: Numbers
    exponent: Mapping[str, float]

    def ratio(self, method: str) -> np.ndarray:
        """⟨a_1†a_1⟩ of the method over that of the Langevin equation [L]."""
        return self.occupation[method] / self.occupation["langevin"]

    def at(self, reduced: float) -> int:
        """Position of one of the landmarks λ/λ_c on the grid."""
        return int(np.flatnonzero(self.reduced == reduced)[0])


Curves = Mapping[tuple[str, Setting], Curve]


@lru_cache(maxsize=4)
def traced(points: int) -> jax.stages.Lowered:
    """The program of all methods along a curve of so many couplings, as XLA gets it.

    Both interactions and all dampings pass through the same one: they are data.
    """
    coupling, _ = _with_those_beside(points, "position")
    return _sweep.lower(*_arguments(coupling, "position", DAMPING))


@lru_cache(maxsize=4)
def _compiled(points: int) -> jax.stages.Compiled:
    return traced(points).compile()


def compute(points: int, step: Callable[[str], None]) -> Curves:
    """Every curve of every figure.

    Args:
        points: number of couplings on a curve.
        step: called with a few words before each piece of work.

    Returns:
        Curve by (interaction, setting).
    """
    reduced = reduced_grid(points)
    curves: dict[tuple[str, Setting], Curve] = {}
    for interaction in ("position", "rotating-wave"):
        step(f"{interaction} interaction")
        coupling, distance = _with_those_beside(points, interaction)
        occupation, information = jax.tree.map(
            np.asarray, _compiled(points)(*_arguments(coupling, interaction, DAMPING))
        )
        for row, setting in enumerate(SETTINGS):
            curves[interaction, setting] = Curve(
                interaction,
                setting,
                reduced,
                coupling[:points],
                {method: value[row, :points, 0] for method, value in occupation.items()},
                {method: value[row, :points, 1] for method, value in occupation.items()},
                {method: value[row, :points] for method, value in information.items()},
                {
                    method: _exponent(distance, occupation[method][row, points - 1 :, 0])
                    for method in ("local", "langevin")
                },
            )
    return curves


def _exponent(distance: np.ndarray, occupation: np.ndarray) -> float:
    """−d ln n/d ln δ at the first of these distances δ = 1 − λ/λ_c."""
    x, y = np.log(distance / distance[0]), np.log(occupation)
    return -float(np.polynomial.Chebyshev.fit(x, y, len(x) - 1).deriv()(0.0))


def couplings(points: int, interaction: Interaction) -> np.ndarray:
    """λ of a curve."""
    return _critical(interaction) * reduced_grid(points)


def _critical(interaction: Interaction) -> np.ndarray:
    return np.asarray(jaxosc.critical_coupling(_FREQUENCY, interaction))


def _with_those_beside(points: int, interaction: Interaction) -> tuple[np.ndarray, np.ndarray]:
    """λ of a curve and beside its last one; 1 − λ/λ_c of that and of these, as they are rounded."""
    critical = _critical(interaction)
    near = critical * (1 - (1 - LAST_COUPLING) * np.exp(_BESIDE))
    coupling = np.concatenate([couplings(points, interaction), near])
    return coupling, (critical - coupling[points - 1 :]) / critical


def beside(work: Callable[[], _Tree]) -> Future[_Tree]:
    """Work that goes on in a thread: compilation, most of it, for which XLA needs no Python."""

    def in_double() -> _Tree:
        # A setting that may be one of the thread that asks
        with jax.enable_x64(True):
            return work()

    pool = ThreadPoolExecutor(1)
    future = pool.submit(in_double)
    pool.shutdown(wait=False)
    return future


def reduced_grid(points: int) -> np.ndarray:
    """λ/λ_c from 0 to the last coupling, denser towards it, with the landmarks among them."""
    u = np.linspace(0, 1, points - len(LANDMARKS))
    grid = LAST_COUPLING * u * (2 - u)
    # A grid point that all but coincides with a landmark would give a needless double.
    away = np.abs(grid[:, None] - np.array(LANDMARKS)).min(axis=1) > 1e-9
    return np.union1d(grid[away], LANDMARKS)


def shift_by_literal_rates(curves: Curves) -> float:
    """Largest relative change of a master-equation curve up to λ/λ_c = 0.99 for γ → γ/2.

    The paper's Lindblad rates, read literally, are those of half the amplitude damping.
    """
    largest = 0.0
    for interaction in ("position", "rotating-wave"):
        some = curves[interaction, SETTINGS[0]]
        # Those beside the last as well, which the compiled program is for
        points = len(some.coupling)
        coupling, _ = _with_those_beside(points, interaction)
        halved, _ = _compiled(points)(*_arguments(coupling, interaction, DAMPING / 2))
        end = some.at(0.99) + 1
        for row, setting in enumerate(SETTINGS):
            for method in ("local", "global"):
                printed = curves[interaction, setting].occupation[method]
                change = np.abs(np.asarray(halved[method])[row, :end, 0] / printed[:end] - 1)
                largest = max(largest, float(change.max()))
    return largest


def columns(figure: Figure, curves: Curves) -> dict[str, np.ndarray]:
    """The data of one figure as named columns of equal length, one row a point of a curve."""
    rows: dict[str, list[np.ndarray]] = {}
    for interaction in figure.interactions:
        for setting in figure.settings:
            for name, column in _rows(figure, curves[interaction, setting]).items():
                rows.setdefault(name, []).append(column)
    return {name: np.concatenate(parts) for name, parts in rows.items()}


def _rows(figure: Figure, curve: Curve) -> dict[str, np.ndarray]:
    length = len(curve.reduced)
    rows = {
        "interaction": np.repeat(curve.interaction, length),
        "delta_T": np.full(length, curve.setting.difference),
        "T1": np.full(length, curve.setting.first),
        "T2": np.full(length, curve.setting.second),
        "lambda_over_lambda_c": curve.reduced,
        "lambda": curve.coupling,
    }
    for method in figure.methods:
        if figure.quantity == "information":
            rows[f"mutual_information_{method}"] = curve.information[method]
        else:
            rows[f"occupation_{method}"] = curve.occupation[method]
    if figure.quantity == "ratio":
        for method in figure.methods:
            if method != "langevin":
                rows[f"ratio_{method}"] = curve.ratio(method)
    return rows


def _arguments(
    coupling: np.ndarray, interaction: Interaction, damping: float
) -> tuple[jaxosc.Oscillators, np.ndarray, np.ndarray]:
    temperatures = np.array([(setting.first, setting.second) for setting in SETTINGS])
    return _oscillators(coupling, interaction), temperatures, np.full(2, damping)


@partial(jax.jit, static_argnames="interaction")
def _oscillators(coupling: jax.Array, interaction: Interaction) -> jaxosc.Oscillators:
    return jax.vmap(lambda strength: jaxosc.pair(_FREQUENCY, strength, interaction))(coupling)


# Maps over single points, not batches, because the few thousand points here take less time than
# compiling does, and a scalar program compiles faster; states apart from what is asked of them,
# which is compiled once for all methods.


@jax.jit
def _sweep(
    oscillators: jaxosc.Oscillators, temperatures: jax.Array, damping: jax.Array
) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
    """Occupations [S, L, 2] and mutual information [S, L] of every method."""

    def along(temperature: jax.Array) -> dict[str, jax.Array]:
        return jax.lax.map(lambda point: _describe(point, temperature, damping), oscillators)

    def numbers(state: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jaxosc.occupation(state), jaxosc.mutual_information(state)

    states = jax.lax.map(along, temperatures)
    each = jnp.stack(list(states.values()))
    occupation, information = (
        dict(zip(states, found.reshape(*each.shape[:3], *found.shape[1:]), strict=True))
        for found in jax.lax.map(numbers, each.reshape(-1, *each.shape[3:]))
    )
    return occupation, information


def _describe(
    oscillators: jaxosc.Oscillators, temperature: jax.Array, damping: jax.Array
) -> dict[str, jax.Array]:
    baths = jaxosc.Baths(damping, temperature)
    ohmic = jaxosc.Baths(damping, temperature, "ohmic", coupling="position")
    states = {
        **{
            name: jaxosc.steady_state(equation(oscillators, baths))
            for name, equation in _EQUATIONS.items()
        },
        "gibbs": jaxosc.gibbs(oscillators, temperature[0]),
        "global_ohmic": jaxosc.steady_state(jaxosc.global_lindblad(oscillators, ohmic)),
    }
    # Half the time to compile, and a third to run
    every = {
        name: [[state[i, j] for j in range(4)] for i in range(4)] for name, state in states.items()
    }
    return {name: small.matrix(in_one_loop(rows)) for name, rows in every.items()}
