"""Section ``points``: time a point against the number of points, beside the peers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import cases, fock, peers, timing
from benchmarks.accuracy import largest_error
from benchmarks.cases import FOCK, HOT, Kernel, Scenario
from benchmarks.records import Job, LeftOut, Settings, is_installed, require_memory

# Numbers of points; more than a block of them are done block after block in bounded memory.
SIZES = (1, 10, 100, 10**3, 10**4, 10**5, 10**6, 10**7, 10**8)
BLOCK = 10**6
ACCELERATOR_SIZES = (10**3, 10**4, 10**5, 10**6, 2**24, 2**28)
ACCELERATOR_BLOCK = 2**24
QUICK_SIZES = (1, 10, 100, 1000, 10_000)

# Seconds that one evaluation of all points may take; a size predicted to take longer is left out.
_LIMIT, _QUICK_LIMIT = 4.5, 0.3
# Seconds of samples a size.
_SECONDS, _QUICK_SECONDS = 0.4, 0.05
# A compiled kernel is meant for many points.
_LEAST_COMPILED = 1000

Peer = Callable[[Scenario, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class PeerCase:
    """A function of ``peers`` or ``fock`` and where it is used.

    Attributes:
        module: the package that it needs.
        function: the function.
        scenario: what is computed.
        description: which equation that is.
        block: points a call; None for all at once.
        compiles: whether it compiles anew for every number of points.
    """

    module: str
    function: Peer
    scenario: Scenario
    description: str
    block: int | None = None
    compiles: bool = False

    @property
    def name(self) -> str:
        """As in the tables."""
        suffix = " (cold, truncated)" if self.scenario is FOCK else ""
        return f"{self.module} {self.description}{suffix}"


PEERS = (
    # NumPy does best with working memory that fits into the cache.
    PeerCase("numpy", peers.numpy_local, HOT, "local", 512),
    PeerCase("numpy", peers.numpy_langevin, HOT, "langevin", 128),
    PeerCase("scipy", peers.scipy_local, HOT, "local"),
    PeerCase("scipy", peers.scipy_langevin, HOT, "langevin"),
    PeerCase("qutip", fock.qutip_local, FOCK, "local"),
    PeerCase("dynamiqs", fock.dynamiqs_local, FOCK, "local", compiles=True),
)


def jobs(settings: Settings) -> list[Job]:
    """One job a contender, through all sizes."""
    kernels = [
        cases.THREE,
        *(Kernel((description,), "occupation") for description in cases.EQUATIONS),
    ]
    if settings.quick:
        kernels = [kernels[2]]
    return [
        Job("points", "stream", partial(_stream, settings)),
        *(Job("points", peer.name, partial(_peer, settings, peer)) for peer in PEERS),
        *(Job("points", f"jaxosc {k.name}", partial(_kernel, settings, k)) for k in kernels),
    ]


def _sizes(settings: Settings) -> tuple[int, ...]:
    if settings.quick:
        return QUICK_SIZES
    return ACCELERATOR_SIZES if settings.device.accelerator else SIZES


def _stream(settings: Settings) -> Iterator[dict[str, Any] | str]:
    yield from _compiled(settings, cases.stream, None)


def _kernel(settings: Settings, kernel: Kernel) -> Iterator[dict[str, Any] | str]:
    def function(coupling: jax.Array, difference: jax.Array) -> tuple[jax.Array, ...]:
        return kernel.evaluate(HOT.parameters(coupling, difference), HOT.interaction)

    yield from _compiled(settings, function, kernel)


def _compiled(
    settings: Settings, function: Callable[..., Any], kernel: Kernel | None
) -> Iterator[dict[str, Any] | str]:
    block = ACCELERATOR_BLOCK if settings.device.accelerator else BLOCK

    @cache
    def program(rows: int, columns: int) -> timing.Program:
        axes = jnp.zeros(rows), jnp.zeros(columns)
        return timing.compile_program(cases.over_grid(function), *axes)

    def prepare(points: int) -> Callable[[], Any]:
        rows, columns = cases.grid_shape(min(points, block))
        parts = max(1, points // block)
        compiled = program(rows, columns)
        require_memory(compiled)
        coupling, difference = HOT.axes(rows * parts, columns)
        couplings = [jnp.asarray(part) for part in np.split(coupling, parts)]
        differences = jnp.asarray(difference)

        def call() -> Any:
            for part in couplings:
                # Waiting for each block keeps no more than one in memory.
                result = jax.block_until_ready(compiled.call(part, differences))
            return result

        return call

    def error(result: Any, points: int) -> float | None:
        if kernel is None or points > block:
            return None
        coupling, difference = HOT.axes(*cases.grid_shape(points))
        i, j = coupling.size // 2, difference.size // 2
        found = [output[i, j] for output in result]
        parameters = HOT.parameters(float(coupling[i]), float(difference[j]))
        return largest_error(kernel, HOT.interaction, [(found, parameters)])

    sizes = [points for points in _sizes(settings) if points >= _LEAST_COMPILED]
    yield from _through(settings, sizes, prepare, error, compiles=False)


def _peer(settings: Settings, peer: PeerCase) -> Iterator[dict[str, Any] | str]:
    if not is_installed(peer.module):
        raise LeftOut(f"{peer.module} is not installed")

    def grid(points: int) -> tuple[np.ndarray, np.ndarray]:
        axes = peer.scenario.axes(*cases.grid_shape(points))
        coupling, difference = np.meshgrid(*axes, indexing="ij")
        return coupling.reshape(-1), difference.reshape(-1)

    def prepare(points: int) -> Callable[[], Any]:
        coupling, difference = grid(points)
        block = peer.block or points

        def call() -> np.ndarray:
            return np.concatenate(
                [
                    peer.function(
                        peer.scenario, coupling[start:][:block], difference[start:][:block]
                    )
                    for start in range(0, points, block)
                ]
            )

        return call

    def error(result: np.ndarray, points: int) -> float | None:
        coupling, difference = grid(points)
        kernel, place = Kernel((peer.description,), "occupation"), points // 2
        parameters = peer.scenario.parameters(float(coupling[place]), float(difference[place]))
        return largest_error(kernel, peer.scenario.interaction, [([result[place]], parameters)])

    yield from _through(settings, _sizes(settings), prepare, error, peer.compiles)


def _through(
    settings: Settings,
    sizes: Sequence[int],
    prepare: Callable[[int], Callable[[], Any]],
    error: Callable[[Any, int], float | None],
    compiles: bool,
) -> Iterator[dict[str, Any] | str]:
    """Rows for rising numbers of points, until one would take too long."""
    limit = _QUICK_LIMIT if settings.quick else _LIMIT
    seconds = _QUICK_SECONDS if settings.quick else _SECONDS
    per_point = 0.0
    for number, points in enumerate(sizes):
        if number:
            settings.clock.require_time()
        predicted = per_point * points
        if predicted > limit:
            rest = ", ".join(f"{left:.3g}" for left in sizes[number:])
            yield f"{rest} points: over {limit:g} s at {per_point:.2g} s a point"
            return
        call = prepare(points)
        # A long call of what has run before needs no warming up.
        timed, result = timing.measure(call, seconds, compiles or number == 0 or predicted < 1)
        per_point = timed.seconds / points
        yield {
            "points": points,
            "seconds": timed.seconds,
            "spread": timed.spread,
            "points_per_s": points / timed.seconds,
            "error": error(result, points),
        }
