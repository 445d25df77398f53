"""What a description is: the functions of a drift, a diffusion and their steady state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc._kernels.flow import evolved, flow
from jaxosc._numerics.small import symplectic
from jaxosc._numerics.whole import whole
from jaxosc.domain import Status


class Generators(NamedTuple):
    """What each bath adds to the drift and to the diffusion, [M, 2N, 2N] each."""

    drift: jax.Array
    diffusion: jax.Array

    def flows(self, hessian: jax.Array, covariance: jax.Array) -> jax.Array:
        """What each adds to ½⟨rᵀhr⟩ [M], of fluctuations of this covariance."""
        flow = jnp.sum((hessian @ self.drift) * whole(covariance)[None], axis=(1, 2))
        return flow + jnp.sum(hessian[None] * self.diffusion, axis=(1, 2)) / 2


class Noise(NamedTuple):
    """Symmetrised spectrum Σ_m w_m(ν) N_m of ζ in ż = Az + ζ, z the oscillators and filters.

    Attributes:
        sources: N_m [M, n, n], Hermitian.
        weight: w_m [M] of a frequency.
    """

    sources: jax.Array
    weight: Callable[[jax.Array], jax.Array]


class Ports(NamedTuple):
    """White baths behind L_m = (X_m + iP_m)/√2, whose outputs a_out = a_in − √rate L are seen.

    Attributes:
        rows: of X_m and P_m [M, 2, 2N].
        rate: [M], of the number of quanta; 2γ of an amplitude rate γ.
        occupation: N of the input [M].
        squeezing: ⟨a_in a_in⟩ [M] complex.
    """

    rows: jax.Array
    rate: jax.Array
    occupation: jax.Array
    squeezing: jax.Array


# What a description is applied to, such as a network and its baths
Parts = tuple[Any, ...]


class Description(ABC):
    """What makes a drift, a diffusion and their steady state of some parts, a tuple of pytrees.

    Each is a pure function of one network, computed when it is asked for: nothing that follows
    from the parts is kept beside them. Instances are static in JAX's sense, and kept by name and
    fields in exported programs: each class is a frozen dataclass whose fields JSON can hold.
    """

    known: ClassVar[dict[str, type[Description]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        Description.known[cls.__name__] = cls

    @abstractmethod
    def drift(self, *parts: Any) -> jax.Array:
        """A [2N, 2N]."""

    @abstractmethod
    def diffusion(self, *parts: Any) -> jax.Array:
        """D [2N, 2N]."""

    @abstractmethod
    def steady_covariance(self, *parts: Any) -> jax.Array:
        """σ with Aσ + σAᵀ + D = 0; NaN unless every motion decays."""

    @abstractmethod
    def require(self, *parts: Any) -> Parts:
        """The parts in one dtype. ValueError if they are known and there is no answer for them."""

    @abstractmethod
    def axes(self, *parts: Any) -> int:
        """How many axes of a batch the parts have."""

    def status(self, *parts: Any) -> jax.Array:
        """Why there is no answer, whatever the motion does, as a ``domain.Status``."""
        del parts
        return jnp.full((), Status.VALID, jnp.int32)

    def explain(self, *parts: Any) -> str:
        """Which way the steady state is computed, for known parts."""
        del parts
        return "by a solver for matrices of no particular structure"

    def divergent(self, *parts: Any) -> jax.Array:
        """Which entries of σ do not exist while the others do; by default none."""
        del parts
        return jnp.zeros((), bool)

    def force(self, *parts: Any) -> jax.Array:
        """What d⟨r⟩/dt has beside A⟨r⟩ [2N]; by default nothing."""
        drift = self.drift(*parts)
        return jnp.zeros(drift.shape[:1], drift.dtype)

    def noise(self, *parts: Any) -> Noise:
        """The spectrum of what drives the motion; by default that of white noise, D."""
        return Noise(self.diffusion(*parts)[None], lambda nu: jnp.ones((1,), nu.dtype))

    def driven(self, *parts: Any) -> jax.Array:
        """What ż has of forces f on the quadratures, H − f·r [n, 2N]; by default −Ω."""
        drift, force = self.drift(*parts), self.force(*parts)
        one = jnp.eye(len(force), dtype=drift.dtype)
        return jnp.pad(-symplectic(one), ((0, len(drift) - len(force)), (0, 0)))

    def ports(self, *parts: Any) -> Ports:
        """The baths whose outputs can be detected; ValueError where there are none."""
        del parts
        raise ValueError(
            "Argument `dynamics` must have white baths behind lowering operators, whose outputs "
            "are detected, as local_lindblad and langevin of baths with an `occupation`, but it "
            "has none."
        )

    def is_markovian(self, *parts: Any) -> bool:
        """Whether drift and diffusion generate the motion, beyond telling its steady state."""
        del parts
        return True

    def evolution(
        self, covariance: jax.Array, mean: jax.Array, times: jax.Array, *parts: Any
    ) -> tuple[jax.Array, jax.Array]:
        """σ(t) [K, 2N, 2N] and ⟨r(t)⟩ [K, 2N] at times t ≥ 0 [K], from those at t = 0.

        The baths know nothing of the system then.
        """
        drift, diffusion, force = self.drift(*parts), self.diffusion(*parts), self.force(*parts)

        return evolved(flow(drift, diffusion, force, times), covariance, mean)

    def no_product_state(self, *parts: Any) -> bool:
        """Whether the baths let moments diverge at once, of a state that they know nothing of."""
        del parts
        return False

    def correlation(self, times: jax.Array, *parts: Any) -> jax.Array:
        """⟨{r(t), r(0)ᵀ}⟩/2 [K, 2N, 2N] in the steady state, at times t ≥ 0 [K]."""
        drift, covariance = self.drift(*parts), whole(self.steady_covariance(*parts))
        none = jnp.zeros_like(drift)
        return flow(drift, none, none[0], times).propagator @ covariance[None]

    def bath_drift(self, *parts: Any) -> jax.Array:
        """A − J h up to a Hamiltonian part, without the rounding of J h where it can be had."""
        return self.drift(*parts)

    def generators(self, *parts: Any) -> Generators:
        """What each bath adds; ValueError where there are no baths to tell apart."""
        del parts
        raise ValueError(
            "Argument `dynamics` must come from an equation with baths, but it is given by its "
            "drift and diffusion alone, or by jumps."
        )

    def temperatures(self, *parts: Any) -> jax.Array | None:
        """T_m of each bath [M]; None where there are none."""
        del parts
        return None

    def energy(self, *parts: Any) -> jax.Array:
        """The hessian [2N, 2N] of the energy whose change by a bath is its heat."""
        return parts[0].hessian

    def heat_currents(self, covariance: jax.Array, *parts: Any) -> jax.Array:
        """Heat from each bath into the system [M], in a state."""
        return self.generators(*parts).flows(self.energy(*parts), covariance)

    def decay_rate(self, *parts: Any) -> float:
        """The slowest decay rate of a motion, on the host; 0 if it is no more than rounding."""
        drift = np.asarray(self.drift(*parts))
        if not np.isfinite(drift).all():
            return float("nan")
        rate = float(-np.linalg.eigvals(drift).real.max())
        rounding = 8 * len(drift) * float(np.finfo(drift.dtype).eps) * np.abs(drift).max()
        return rate if abs(rate) > rounding else 0.0
