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
from benchmarks import batches, cases, timing
from benchmarks.records import Job, LeftOut, Settings, is_installed, require_memory

SIZES = (2, 4, 8, 16, 32, 64, 128, 256)
QUICK_SIZES = (2, 3)

# Seconds that one evaluation may be predicted to take, and its compilation.
_LIMIT, _COMPILE_LIMIT = 3.0, 15.0
# Growth with N that is believed in: a dense Kronecker system costs N⁶, and small N mislead.
_LEAST_POWER, _LARGEST_POWER = 3.0, 6.0
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
        power = _LEAST_POWER
        if len(self.cost) > 1:
            before, _, earlier = self.cost[-2]
            seen = math.log(seconds / earlier) / math.log(last / before)
            power = min(max(power, seen), _LARGEST_POWER)
        growth = modes / last
        if seconds * growth**power > _LIMIT:
            raise LeftOut(
                f"N = {last} takes {seconds:.2g} s; as N^{power:.1f}, N = {modes} would be past "
                f"the limit of {_LIMIT:g} s"
            )
        if compile_seconds * growth > _COMPILE_LIMIT:
            raise LeftOut(f"N = {last} already takes {compile_seconds:.0f} s to compile")

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
    beside = {"Lyapunov": _History()}
    # The general solver first, then the equations side by side at each N.
    order = [("Lyapunov", modes) for modes in sizes]
    of_equations = sizes[-1:] if settings.quick else sizes
    order += [(name, modes) for modes in of_equations for name in cases.EQUATIONS]
    single = [
        Job(
            "modes",
            f"{name}, N = {modes}",
            partial(_case, settings, routes[name], history[name], modes, beside.get(name)),
        )
        for name, modes in order
    ]
    return batches.jobs(settings) + single


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
    scipy_history: _History | None,
) -> Iterator[dict[str, Any] | str]:
    """The value, its gradient and, for the general solver, SciPy, sampled in turn."""
    covariance, argument = route(modes)

    def energy(argument: jax.Array) -> jax.Array:
        return jnp.trace(covariance(argument)) / 2

    programs: dict[str, timing.Program] = {}
    reasons = []
    try:
        history.require_time(modes)
        for name, function in (("value", covariance), ("gradient", jax.grad(energy))):
            program = timing.compile_program(function, argument)
            require_memory(program)
            programs[name] = program
    except LeftOut as left_out:
        # What there is before the reason, and SciPy's time, stand for themselves.
        reasons.append(str(left_out))
    calls = {name: partial(program.call, argument) for name, program in programs.items()}
    if scipy_history is not None:
        try:
            scipy_history.require_time(modes)
            calls["scipy"] = _scipy(modes)
        except LeftOut as left_out:
            reasons.append(f"SciPy: {left_out}")

    seconds = _QUICK_SECONDS if settings.quick else _SECONDS
    timed = dict(zip(calls, timing.interleave(list(calls.values()), seconds), strict=True))
    if "value" in timed:
        value, gradient, scipy = (timed.get(name) for name in ("value", "gradient", "scipy"))
        history.add(modes, programs["value"].compile_seconds, timed["value"].seconds)
        yield {
            "modes": modes,
            "solver": "jaxosc",
            "seconds": value.seconds,
            "spread": value.spread,
            "scipys": value.ratio_to(scipy) if scipy else None,
            "residual": _residual(modes, calls["value"]()) if scipy_history is not None else None,
            "gradients": gradient.ratio_to(value) if gradient else None,
            "compile_s": programs["value"].compile_seconds,
            "gradient_compile_s": programs["gradient"].compile_seconds if gradient else None,
            "temporaries": programs["value"].temporaries,
        }
    if scipy_history is not None and "scipy" in timed:
        scipy_history.add(modes, 0.0, timed["scipy"].seconds)
        yield {
            "modes": modes,
            "solver": "scipy",
            "seconds": timed["scipy"].seconds,
            "spread": timed["scipy"].spread,
            "residual": _residual(modes, calls["scipy"]()),
        }
    yield from reasons


def _scipy(modes: int) -> Callable[[], np.ndarray]:
    """SciPy's solver on one thread.

    It is no faster on two, and where they meet the threads of XLA it is ten times slower.
    """
    if not is_installed("scipy"):
        raise LeftOut("scipy is not installed")
    from scipy.linalg import solve_continuous_lyapunov

    drift, diffusion = _matrices(modes)
    if not is_installed("threadpoolctl"):
        return lambda: solve_continuous_lyapunov(drift, -diffusion)
    from threadpoolctl import ThreadpoolController

    controller = ThreadpoolController()

    def call() -> np.ndarray:
        with controller.limit(limits=1, user_api="blas"):
            return solve_continuous_lyapunov(drift, -diffusion)

    return call


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
