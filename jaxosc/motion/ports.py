"""What leaves a network through its white baths: input-output theory."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._compilation import compiled
from jaxosc._numerics.resolvent import product
from jaxosc._numerics.small import nan_unless, symplectic
from jaxosc.description import Ports
from jaxosc.dynamics import Dynamics
from jaxosc.motion.spectra import adjoint, by_frequency, entered, or_words
from jaxosc.typing import Reals


def output_spectrum(
    dynamics: Dynamics,
    frequency: Reals,
    *,
    port: int | None = None,
    angle: Reals | None = None,
    efficiency: Reals = 1.0,
) -> jax.Array:
    """Spectrum of the fluctuations that leave through the ports, as homodyne detection sees them.

    A port is a white bath behind L_m = Σ_j l_mj a_j (or a_m), every bath is one, and lossy
    channels are baths whose output is not looked at:

        a_out,m = a_in,m − √(2γ_m) L_m,   S_out(ν) = s(ν) S_in s(ν)†,

    s = 1 − √(2γ) G(ν) √(2γ) of quadratures, G(ν) = (−iν − A)⁻¹, S_in = N + ½ (with squeezing M,
    N + ½ ± Re M on x and p, Im M between them). The vacuum is ½ at every ν, squeezing is below.
    A detector of efficiency η sees ηS_out + (1 − η)/2. The frame is that of H: ν = 0 is at the
    frequency of the local oscillator where H is written in the frame that rotates with it.

    Args:
        dynamics: ``local_lindblad``, or ``langevin`` of baths with an ``occupation``; or
            ``lindblad``, where each jump operator is a port with a vacuum as its input.
        frequency: ν of any shape and either sign, in the unit of ω.
        port: which bath is detected; None: all of them, with what correlates them.
        angle: θ of the quadrature q = x cos θ + p sin θ of one port, in radians, of any shape that
            broadcasts with that of ν; None: both quadratures. With one bath alone ``port`` may be
            left out.
        efficiency: η between 0 and 1.

    Returns:
        With an angle, S_θ real, the same for ν and −ν. Without, the Hermitian matrix of a port
        [..., 2, 2] in the order (x, p), or of all of them [..., 2M, 2M]. Without a unit: noise
        over a bandwidth dν is S dν/2π. NaN where there is no steady state, or η is out of range,
        and the values are known only inside a transformation.

    Raises:
        ValueError: if the baths are not white, an argument does not fit, or the dynamics are known
            to have no steady state.

    Example:
        >>> amplifier = jaxosc.Oscillators([0.0], [[0.0]], [[0.05j]])
        >>> dynamics = jaxosc.local_lindblad(amplifier, jaxosc.Baths(0.1, occupation=0.0))
        >>> jaxosc.output_spectrum(dynamics, 0.0, angle=[0.0, np.pi / 2]).round(6)
        Array([4.5     , 0.055556], dtype=float64)

    Source: Gardiner & Collett, Phys. Rev. A 31, 3761 (1985).
    """
    dynamics, frequency = entered(dynamics, frequency)
    ports = _count(dynamics)
    if port is not None:
        _checks.require_whole("port", port, 0, ports - 1)
        port = int(port)
    elif angle is not None:
        if ports > 1:
            raise ValueError(
                "Argument `port` must name the bath whose quadrature is detected, one of "
                f"{ports}, but it is None."
            )
        port = 0
    efficiency = _efficiency(efficiency, frequency)
    if angle is not None:
        (angle,) = _checks.float_arrays(angle=angle)
        _checks.require_finite("angle", angle)
        angle = angle.astype(frequency.dtype)
        try:
            np.broadcast_shapes(frequency.shape, angle.shape)
        except ValueError as error:
            raise ValueError(
                f"Argument `angle` must have a shape that broadcasts with {frequency.shape} of the "
                f"frequencies, but its shape is {angle.shape}."
            ) from error
    found = _output_spectrum(dynamics, frequency, angle, efficiency, port=port)
    return or_words(found, dynamics)


def emission_spectrum(
    dynamics: Dynamics, frequency: Reals, *, port: int = 0, efficiency: Reals = 1.0
) -> jax.Array:
    """Quanta that leave through a port, per bandwidth: what a spectrometer counts.

        n_out(ν) = ∫ ⟨δa_out†(0) δa_out(t)⟩ e^{iνt} dt,   ∫ n_out dν/2π = ⟨δa_out†δa_out⟩,

    normally ordered, so that ν and −ν differ: the two sidebands of a mechanical oscillator in the
    frame of the drive. It is ½(S_xx + S_pp) + Im S_xp − ½ of ``output_spectrum``, without the
    rounding of ½. The coherent amplitude of a drive, a line at ν = 0, is not part of it.

    Args:
        dynamics: as in ``output_spectrum``.
        frequency: ν of any shape and either sign, in the unit of ω.
        port: which bath is detected.
        efficiency: η between 0 and 1, of which n_out is a multiple.

    Returns:
        n_out [...] ≥ 0, without a unit: quanta per time and bandwidth dν/2π. NaN as in
        ``output_spectrum``.

    Raises:
        ValueError: as ``output_spectrum``.

    Example:
        >>> decay = jaxosc.local_lindblad(
        ...     jaxosc.pair((1.0, 1.0), 0.1, "rotating-wave"),
        ...     jaxosc.Baths(0.1, occupation=(0.0, 2.0)),
        ... )
        >>> jaxosc.emission_spectrum(decay, [0.9, 1.0]).round(6)
        Array([1.6, 2. ], dtype=float64)

    Source: Gardiner & Collett, Phys. Rev. A 31, 3761 (1985).
    """
    dynamics, frequency = entered(dynamics, frequency)
    _checks.require_whole("port", port, 0, _count(dynamics) - 1)
    efficiency = _efficiency(efficiency, frequency)
    return or_words(_emission_spectrum(dynamics, frequency, efficiency, port=int(port)), dynamics)


def scattering(dynamics: Dynamics, frequency: Reals) -> jax.Array:
    """Amplitudes from each input to each output, s(ν) = 1 − √(2γ) G(ν) √(2γ).

    In the order (a_1, a_1†, a_2, a_2†, …) of the M ports of ``output_spectrum``,

        a_out,j(ν) = Σ_k s[2j, 2k] a_in,k(ν) + s[2j, 2k + 1] a_in,k†(ν):

    s[0, 0] is a reflection with its phase, s[2, 0] the transmission from the first to the second,
    s[0, 1] the gain of the conjugate. Commutators stay: s Z s† = Z, Z = diag(1, −1, 1, −1, …); so
    in networks without pairing the squares of a row add up to one.

    Args:
        dynamics: as in ``output_spectrum``.
        frequency: ν of any shape and either sign, in the unit of ω.

    Returns:
        s [..., 2M, 2M] complex, without a unit. NaN where a motion is not damped and the values
        are known only inside a transformation.

    Raises:
        ValueError: as ``output_spectrum``.

    Example:
        >>> cavity, mirrors = jaxosc.Oscillators([1.0], [[0.0]]), np.array([[1.0 + 0j], [1.0]])
        >>> baths = jaxosc.Baths((0.03, 0.01), occupation=0.0, coupling=mirrors)
        >>> amplitudes = jaxosc.scattering(jaxosc.local_lindblad(cavity, baths), 1.0)
        >>> (abs(amplitudes[::2, 0]) ** 2).round(6)
        Array([0.25, 0.75], dtype=float64)

    Source: Gardiner & Collett, Phys. Rev. A 31, 3761 (1985).
    """
    dynamics, frequency = entered(dynamics, frequency)
    _count(dynamics)
    return or_words(_scattering(dynamics, frequency), dynamics)


class _Transfer(NamedTuple):
    """What reaches one port: Σ_k w_k t_k S_k t_k† of inputs S_k.

    Free of √γ, whose slope at γ = 0, where there is no bath, is infinite.

    Attributes:
        amplitude: t [..., 2, M, 2].
        weight: w [M].
    """

    amplitude: jax.Array
    weight: jax.Array


def _count(dynamics: Dynamics) -> int:
    """M; ValueError where there are no ports."""
    return len(jax.eval_shape(_ports, dynamics).rate)


def _ports(dynamics: Dynamics) -> Ports:
    """What the description says of them; one function, so that JAX traces it once a structure."""
    return dynamics._description.ports(*dynamics._parts)


def _efficiency(efficiency: Reals, frequency: jax.Array) -> jax.Array:
    (efficiency,) = _checks.float_arrays(efficiency=efficiency)
    _checks.require_shape("efficiency", efficiency, ())
    _checks.require(
        "efficiency", efficiency, lambda x: (x >= 0) & (x <= 1), "be between zero and one"
    )
    return efficiency.astype(frequency.dtype)


def _in_range(efficiency: jax.Array) -> jax.Array:
    """The same, or NaN."""
    return nan_unless((efficiency >= 0) & (efficiency <= 1), efficiency)


def _through(rows: jax.Array, ports: Ports) -> jax.Array:
    """C_j G(ν) B_k [nodes, M, 2, M, 2], B = −Ω Cᵀ Ω: what a port sees of what enters by another."""
    out = ports.rows.reshape(-1, ports.rows.shape[-1])
    into = symplectic(symplectic(out).T)
    found = product(product(out.astype(rows.dtype), rows), into.astype(rows.dtype))
    count = len(ports.rate)
    return found.reshape(-1, count, 2, count, 2)


def _transfer(dynamics: Dynamics, frequency: jax.Array, ports: Ports, port: int) -> _Transfer:
    own = jnp.arange(len(ports.rate)) == port
    rate = ports.rate[port]
    one = jnp.eye(2, dtype=rate.dtype)[:, None, :]

    def amplitude(rows: jax.Array, _: jax.Array) -> jax.Array:
        through = _through(rows, ports)[:, port]
        direct = one.astype(rows.dtype)[None] - rate.astype(rows.dtype) * through
        return jnp.where(own[None, None, :, None], direct, through)

    found = by_frequency(dynamics, frequency, amplitude)
    return _Transfer(found, jnp.where(own, 1, rate * ports.rate))


def _inputs(ports: Ports) -> jax.Array:
    """S_in [M, 2, 2] of each port."""
    number, squeezing = ports.occupation + 0.5, ports.squeezing
    xx, pp, xp = number + squeezing.real, number - squeezing.real, squeezing.imag
    return jnp.stack([jnp.stack([xx, xp], -1), jnp.stack([xp, pp], -1)], -2)


@_checks.nan_is_an_answer
@partial(compiled, static_argnames=("port",))
def _output_spectrum(
    dynamics: Dynamics,
    frequency: jax.Array,
    angle: jax.Array | None,
    efficiency: jax.Array,
    port: int | None,
) -> jax.Array:
    efficiency = _in_range(efficiency)
    ports = _ports(dynamics)
    inputs = _inputs(ports)
    if port is None:
        scattered = by_frequency(dynamics, frequency, lambda rows, _: _scattered(rows, ports))
        noise = jax.scipy.linalg.block_diag(*inputs).astype(scattered.dtype)
        return _detected(product(product(scattered, noise), adjoint(scattered)), efficiency)
    amplitude, weight = _transfer(dynamics, frequency, ports, port)
    noise = (weight[:, None, None] * inputs).astype(amplitude.dtype)
    if angle is None:
        found = jnp.einsum("...ikm,kmn,...jkn->...ij", amplitude, noise, jnp.conj(amplitude))
        return _detected(found, efficiency)
    shape = np.broadcast_shapes(frequency.shape, angle.shape)
    amplitude = amplitude.reshape((1,) * (len(shape) - frequency.ndim) + amplitude.shape)
    x, p = (
        jnp.broadcast_to(part, shape)[..., None, None].astype(amplitude.dtype)
        for part in (jnp.cos(angle), jnp.sin(angle))
    )
    seen = x * amplitude[..., 0, :, :] + p * amplitude[..., 1, :, :]
    found = jnp.einsum("...km,kmn,...kn->...", seen, noise, jnp.conj(seen)).real
    return efficiency * found + (1 - efficiency) / 2


@_checks.nan_is_an_answer
@partial(compiled, static_argnames=("port",))
def _emission_spectrum(
    dynamics: Dynamics, frequency: jax.Array, efficiency: jax.Array, port: int
) -> jax.Array:
    ports = _ports(dynamics)
    amplitude, weight = _transfer(dynamics, frequency, ports, port)
    of_mode = (amplitude[..., 0, :, :] + 1j * amplitude[..., 1, :, :]) / 2
    x, p = of_mode[..., 0], of_mode[..., 1]
    kept, conjugate = x - 1j * p, x + 1j * p  # of a_in and a_in†
    quanta = product(_square(kept), weight * ports.occupation)
    quanta += product(_square(conjugate), weight * (1 + ports.occupation))
    correlated = product(kept * jnp.conj(conjugate), weight.astype(kept.dtype) * ports.squeezing)
    return _in_range(efficiency) * (quanta + 2 * correlated.real)


@_checks.nan_is_an_answer
@compiled
def _scattering(dynamics: Dynamics, frequency: jax.Array) -> jax.Array:
    ports = _ports(dynamics)
    scattered = by_frequency(dynamics, frequency, lambda rows, _: _scattered(rows, ports))
    modes = jnp.asarray(np.array([[1, 1j], [1, -1j]]) / np.sqrt(2), scattered.dtype)
    change = jnp.kron(jnp.eye(len(ports.rate), dtype=modes.dtype), modes)
    return product(product(change, scattered), adjoint(change))


def _scattered(rows: jax.Array, ports: Ports) -> jax.Array:
    """The matrix s of quadratures [nodes, 2M, 2M]."""
    root = jnp.repeat(jnp.sqrt(ports.rate), 2)
    size = len(root)
    through = _through(rows, ports).reshape(-1, size, size)
    one = jnp.eye(size, dtype=through.dtype)
    return one[None] - (root[:, None] * root[None, :]).astype(through.dtype)[None] * through


def _detected(found: jax.Array, efficiency: jax.Array) -> jax.Array:
    """With the vacuum of what is not detected."""
    found = (found + adjoint(found)) / 2
    vacuum = (1 - efficiency) / 2 * jnp.eye(found.shape[-1], dtype=efficiency.dtype)
    scaled = efficiency.astype(found.dtype) * found
    return scaled + jnp.broadcast_to(vacuum.astype(found.dtype), found.shape)


def _square(x: jax.Array) -> jax.Array:
    return x.real**2 + x.imag**2
