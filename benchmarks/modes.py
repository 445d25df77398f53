"""Section ``modes``: time against the number of oscillators N, beside SciPy's Lyapunov solver."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxosc
from benchmarks import cases, timing
from benchmarks.records import Job, LeftOut, Settings, is_installed, require_memory

SIZES = (2, 4, 8, 16, 32, 64, 128, 256)
QUICK_SIZES = (2, 3)

# Seconds that one evaluation, or its compilation, may be predicted to take.
_LIMIT = 6.0
_SECONDS, _QUICK_SECONDS = 0.5, 0.05


@dataclass
class _History:
    """Past times of one route, to predict the next before it is begun."""

    cost: list[tuple[int, float, float]] = field(default_factory=list)

    def require_time(self, modes: int) -> None:
        """Leave N out if it would take too long, at the growth seen so far but N³ at least."""
        if not self.cost:
            return
        last, compile_seconds, seconds = self.cost[-1]
        power = 3.0
        if len(self.cost) > 1:
            before, _, earlier = self.cost[-2]
            power = max(power, math.log(seconds / earlier) / math.log(last / before))
        growth = modes / last
        predicted = max(seconds * growth**power, compile_seconds * growth)
        if predicted > _LIMIT:
            raise LeftOut(
                f"predicted to take {predicted:.0f} s from N = {last}, past the limit of "
                f"{_LIMIT:g} s"
            )

    def add(self, modes: int, compile_seconds: float, seconds: float) -> None:
        """Note what N took."""
        self.cost.append((modes, compile_seconds, seconds))


def chain(modes: int) -> tuple[jaxosc.Oscillators, jaxosc.Baths]:
    """N different oscillators in a row, neighbours coupled by position, every bath different."""
    place = np.linspace(0.0, 1.0, modes)
    frequency = 1 + 0.3 * place
    coupling = np.diag(np.full(modes - 1, 0.2), 1)
    coupling = coupling + coupling.T
    oscillators = jaxosc.Oscillators(frequency, coupling, coupling)
    return oscillators, jaxosc.Baths(0.01 + 0.02 * place**2, 0.5 + 3 * place)


def jobs(settings: Settings) -> list[Job]:
    """One job a route and N, with N rising in each route."""
    sizes = QUICK_SIZES if settings.quick else SIZES
    routes: dict[str, Callable[[int], tuple[Callable[..., Any], Any]]] = {
        "Lyapunov": _lyapunov,
        **{name: partial(_description, name) for name in cases.EQUATIONS},
    }
    history = {name: _History() for name in routes}
    return [
        Job(
            "modes",
            f"{name}, N = {modes}",
            partial(_case, settings, route, history[name], modes, name == "Lyapunov"),
        )
        for name, route in routes.items()
        for modes in (sizes[-1:] if settings.quick and name != "Lyapunov" else sizes)
    ]


def _lyapunov(modes: int) -> tuple[Callable[..., Any], Any]:
    """The solver for any drift: σ from A and D as plain matrices."""
    dynamics = jaxosc.local_lindblad(*chain(modes))
    drift, diffusion = dynamics.drift, dynamics.diffusion
    return lambda drift: jaxosc.steady_state(jaxosc.Dynamics(drift, diffusion)), drift


def _description(name: str, modes: int) -> tuple[Callable[..., Any], Any]:
    """An equation and its steady state from the frequencies."""
    oscillators, baths = chain(modes)

    def covariance(frequency: jax.Array) -> jax.Array:
        network = jaxosc.Oscillators(frequency, oscillators.exchange, oscillators.pairing)
        return jaxosc.steady_state(cases.EQUATIONS[name](network, baths))

    return covariance, oscillators.frequency


def _case(
    settings: Settings,
    route: Callable[[int], tuple[Callable[..., Any], Any]],
    history: _History,
    modes: int,
    beside_scipy: bool,
) -> Iterator[dict[str, Any] | str]:
    seconds = _QUICK_SECONDS if settings.quick else _SECONDS
    covariance, argument = route(modes)
    calls: list[Callable[[], Any]] = []
    reason = None
    try:
        history.require_time(modes)
        program = timing.compile_program(covariance, argument)
        require_memory(program)
        calls.append(partial(program.call, argument))
    except LeftOut as left_out:
        # SciPy's time stands for itself.
        reason = str(left_out)
    if beside_scipy and is_installed("scipy"):
        calls.append(_scipy(modes))
    if not calls:
        raise LeftOut(str(reason))
    timed = timing.interleave(calls, seconds)
    if beside_scipy and is_installed("scipy"):
        yield {
            "modes": modes,
            "solver": "scipy",
            "seconds": timed[-1].seconds,
            "spread": timed[-1].spread,
            "residual": _residual(modes, calls[-1]()),
        }
    elif beside_scipy:
        yield "SciPy's solver: scipy is not installed"
    if reason is not None:
        yield reason
        return
    history.add(modes, program.compile_seconds, timed[0].seconds)
    slope, slope_compile = _gradient(covariance, argument, seconds)
    yield {
        "modes": modes,
        "solver": "jaxosc",
        "seconds": timed[0].seconds,
        "spread": timed[0].spread,
        "scipys": timed[0].ratio_to(timed[-1]) if len(timed) > 1 else None,
        "residual": _residual(modes, calls[0]()) if beside_scipy else None,
        "gradients": slope.seconds / timed[0].seconds,
        "compile_s": program.compile_seconds,
        "gradient_compile_s": slope_compile,
        "temporaries": program.temporaries,
    }


def _gradient(
    covariance: Callable[..., Any], argument: jax.Array, seconds: float
) -> tuple[timing.Timing, float]:
    """Reverse mode of one number, so of all parameters at once; it includes the value."""

    def energy(argument: jax.Array) -> jax.Array:
        return jnp.trace(covariance(argument)) / 2

    program = timing.compile_program(jax.grad(energy), argument)
    require_memory(program)
    timed, _ = timing.measure(partial(program.call, argument), seconds)
    return timed, program.compile_seconds


def _scipy(modes: int) -> Callable[[], np.ndarray]:
    from scipy.linalg import solve_continuous_lyapunov

    drift, diffusion = _matrices(modes)
    return lambda: solve_continuous_lyapunov(drift, -diffusion)


def _matrices(modes: int) -> tuple[np.ndarray, np.ndarray]:
    dynamics = jaxosc.local_lindblad(*chain(modes))
    return np.asarray(dynamics.drift), np.asarray(dynamics.diffusion)


def _residual(modes: int, covariance: Any) -> float:
    """‖Aσ + σAᵀ + D‖/(2‖A‖‖σ‖) in the Frobenius norm, of rounding size for a good solver."""
    drift, diffusion = _matrices(modes)
    sigma = np.asarray(covariance)
    product = drift @ sigma
    rest = product + product.T + diffusion
    return float(np.linalg.norm(rest) / (2 * np.linalg.norm(drift) * np.linalg.norm(sigma)))
