"""Heat transport between baths: transmission, conductance and rectification."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks, domain
from jaxosc._kernels import quadrature
from jaxosc._numerics.small import nan_unless, symplectic
from jaxosc.baths import Baths, match
from jaxosc.dynamics import Dynamics
from jaxosc.equations import environment
from jaxosc.equations.langevin import langevin
from jaxosc.equations.langevin_integral import Integral, transfer
from jaxosc.oscillators import Oscillators
from jaxosc.thermodynamics.currents import heat_currents
from jaxosc.typing import Reals

Description = Callable[[Oscillators, Baths], Dynamics]


def transmission(oscillators: Oscillators, baths: Baths, frequency: Reals) -> jax.Array:
    """Transmission of heat between baths, T_mk(ν) = 4 Tr[J_m χ_r J_k χ_r†].

    χ_r(ν) is the response of the network and J_m(ν) the spectral density of bath m as a matrix,
    J_m c_m c_mᵀ behind c_m·r. It does not depend on temperatures, and tells the exact current

        Q̇_m = ∫_0^∞ (dν/2π) ν Σ_k T_mk(ν) [N(ν, T_m) − N(ν, T_k)],

    ``heat_currents(langevin(oscillators, baths))`` (Landauer's formula).

    Args:
        oscillators: N modes.
        baths: as of ``langevin_quadrature``: structured, flat or of positive frequencies alone.
        frequency: ν of any shape, in the unit of ω; T(−ν) = T(ν).

    Returns:
        T [..., M, M], symmetric unless the couplings are complex, zero on the diagonal. Behind a
        real row a bath is one channel, T ≤ 1; flat baths act at −ν as well, which adds a second
        one, of order (γ/ν)². NaN where there is no steady state and the values are known only
        inside a transformation.

    Raises:
        ValueError: as ``langevin_quadrature``.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.1, "rotating-wave")
        >>> jaxosc.transmission(network, jaxosc.Baths(0.1, 1.0), [0.9, 1.0])[:, 0, 1].round(6)
        Array([0.800031, 1.000025], dtype=float64)

    Source: Dhar & Roy, J. Stat. Phys. 125, 801 (2006).
    """
    oscillators, baths = Integral().require(oscillators, baths)
    (frequency,) = _checks.float_arrays(frequency=frequency)
    _checks.require_finite("frequency", frequency)
    _checks.require_together(oscillators=oscillators, baths=baths, frequency=frequency)
    flat = jnp.abs(frequency.reshape(-1).astype(oscillators.frequency.dtype))
    passed = _transmission(oscillators, baths, flat)
    return passed.reshape(frequency.shape + passed.shape[1:])


def conductance(
    oscillators: Oscillators, baths: Baths, equation: Description = langevin
) -> jax.Array:
    """Thermal conductance ∂Q̇_m/∂T_k of the steady state, by a derivative.

    Between two baths at one temperature |∂Q̇_1/∂T_2| is the conductance of linear response. That of
    one channel of ``langevin`` is at most the quantum πT/6 (π²k_B²T/3h), reached where transmission
    is 1 at all frequencies up to some T.

    Args:
        oscillators: N modes.
        baths: M baths with temperatures T > 0.
        equation: of the oscillators and the baths, to Dynamics; by default the exact one.

    Returns:
        [M, M] in the unit of ω; each column adds up to zero where heat is conserved.

    Raises:
        ValueError: if the baths have no temperatures, or as ``heat_currents``.

    Example:
        >>> network = jaxosc.pair((1.0, 1.0), 0.1, "rotating-wave")
        >>> baths = jaxosc.Baths(0.01, (2.0, 2.0))
        >>> jaxosc.conductance(network, baths, jaxosc.global_lindblad).round(6)
        Array([[ 0.009792, -0.009792],
               [-0.009792,  0.009792]], dtype=float64)

    Source: Rego & Kirczenow, Phys. Rev. Lett. 81, 232 (1998).
    """
    oscillators, baths, temperature = _entered(oscillators, baths, equation)

    def current(temperature: jax.Array) -> jax.Array:
        return heat_currents(equation(oscillators, baths.replace(temperature=temperature)))

    return jax.jacfwd(current)(temperature)


def rectification(
    oscillators: Oscillators, baths: Baths, equation: Description = langevin
) -> jax.Array:
    """Rectification of heat between two baths, (|Q̇| − |Q̇′|)/(|Q̇| + |Q̇′|).

    Q̇ is the current into the system from the first bath, Q̇′ that with the two temperatures
    exchanged. A harmonic network does not rectify: the exact one is zero, and so are those of
    ``redfield`` and ``global_lindblad``. A drift that depends on temperature lets others rectify by
    mistake, ``local_lindblad`` by tens of per cent.

    Args:
        oscillators: N modes.
        baths: two, of different temperatures.
        equation: of the oscillators and the baths, to Dynamics; by default the exact one.

    Returns:
        A scalar between −1 and 1, positive where the first current is the larger one; NaN where no
        heat flows, or no more than the rounding of what the baths exchange.

    Raises:
        ValueError: if there are not two baths with temperatures, or as ``heat_currents``.

    Example:
        >>> network = jaxosc.pair((1.0, 1.5), 0.2, "position")
        >>> baths = jaxosc.Baths((0.01, 0.02), (0.5, 1.0))
        >>> round(float(jaxosc.rectification(network, baths, jaxosc.local_lindblad)), 4)
        -0.5783

    Source: Segal & Nitzan, Phys. Rev. Lett. 94, 034301 (2005).
    """
    oscillators, baths, temperature = _entered(oscillators, baths, equation)
    _checks.require_shape("temperature", temperature, (2,), " of two baths")
    forward, backward = (
        jnp.abs(heat_currents(equation(oscillators, baths.replace(temperature=each)))[0])
        for each in (temperature, temperature[::-1])
    )
    scale = jnp.maximum(jnp.max(temperature), jnp.max(jnp.abs(oscillators.frequency)))
    return _contrast(forward, backward, jnp.max(baths.damping) * scale)


@_checks.nan_is_an_answer
@jax.jit
def _contrast(one: jax.Array, other: jax.Array, scale: jax.Array) -> jax.Array:
    rounding = 16 * float(np.finfo(one.dtype).eps) * jax.lax.stop_gradient(scale)
    flows = one + other > rounding.astype(one.dtype)
    total = jnp.where(flows, one + other, 1)
    return nan_unless(flows, (one - other) / total)


def _entered(
    oscillators: Oscillators, baths: Baths, equation: Description
) -> tuple[Oscillators, Baths, jax.Array]:
    """Both in one dtype, and T [M]."""
    must, names = "oscillators and baths", ("oscillators", "baths")
    _checks.require_call("equation", equation, must, names, {})
    oscillators, baths = match(oscillators, baths)
    if baths.temperature is None:
        raise ValueError(
            "Argument `baths` must have temperatures for heat to flow between them, but they are "
            "given by an `occupation`."
        )
    return oscillators, baths, baths.temperature


@_checks.nan_is_an_answer
@jax.jit
def _transmission(oscillators: Oscillators, baths: Baths, frequency: jax.Array) -> jax.Array:
    """[K, M, M] at the frequencies [K]."""
    valid = domain.hold(Integral().conditions(oscillators, baths))
    kind = environment.noise_of(baths)
    if kind in ("structured", "one-sided"):
        of_kind = environment.structured_of if kind == "structured" else environment.one_sided_of
        found = of_kind(oscillators, baths)
        acting = found.acting()

        def at(nu: jax.Array) -> jax.Array:
            return quadrature.transmission(*acting, nu)

        passed = jax.lax.map(at, frequency / found.unit)
    else:
        if kind == "white":
            none = jnp.zeros_like(baths.damping)  # of no consequence, and as well defined
            baths = baths.replace(temperature=none, occupation=None, squeezing=None)
        flat = environment.flat_baths(oscillators, baths)
        spread = transfer(flat, frequency / flat.unit)
        # T = 4 Tr[Jᵀ iL_m J G iL_k G†], L_m the loss by bath m
        turned = jax.vmap(lambda loss: symplectic(symplectic(loss).T).T)(flat.losses)
        passed = -4 * jnp.einsum("mij,fkji->fmk", turned, spread.imag)
    apart = 1 - jnp.eye(passed.shape[-1], dtype=passed.dtype)
    return nan_unless(valid, passed * apart[None])
