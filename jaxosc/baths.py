"""Baths: what damps a network, through which operators, with which spectrum and noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np

from jaxosc import _checks
from jaxosc._numerics import small
from jaxosc._pytree import Record
from jaxosc.oscillators import Oscillators, entered, in_unit, natural_unit, require_network
from jaxosc.spectra import Flat, Ohmic, Spectrum
from jaxosc.typing import Coupling, Numbers, Reals, SpectrumName

COUPLINGS: tuple[Coupling, ...] = get_args(Coupling)
SPECTRA: dict[str, type[Spectrum]] = {"flat": Flat, "ohmic": Ohmic}

Spectra = Spectrum | SpectrumName | Sequence[Spectrum | SpectrumName]


class Baths(Record):
    """M baths, each coupled to the network through one linear operator, k_B = 1.

    Bath m is a continuum of oscillators b_k that couples as X_m Σ_k g_k (b_k + b_k†), or as
    Σ_k g_k (L_m b_k† + h.c.), with J_m(ν) = π Σ_k g_k² δ(ν − ω_k): the amplitude rate at which it
    damps an oscillator of frequency ν through X = a + a† or L = a.

    A pytree of its arrays; a derivative by it is a record of the derivatives by each. A step along
    one may carry rates and temperatures below zero: let an optimiser move their logarithms, or
    bring what it moved back (``optax.projections``). At γ_m = 0, where there is no bath, the
    derivative by γ_m is the slope towards γ_m > 0.

    Args:
        damping: γ [M] ≥ 0 or a number for all, the AMPLITUDE damping rate ȧ_j = … − γ_j a_j at
            the reference frequency of the spectrum, in the unit of ω. The Lindblad rates of the
            same bath are 2γ(N + 1) and 2γN. Zero means that there is no bath.
        temperature: T [M] ≥ 0 or a number for all, in the unit of ω: a statement about frequencies
            in the laboratory. An entry may be None where γ_m = 0. Of a sequence, (T1, T2), each
            varies by itself under ``vmap``: what follows from the others is computed once.
        occupation: N [M] ≥ 0 or a number for all, in place of the temperature: the same number of
            quanta at every frequency, white noise. For frames that rotate with a drive.
        spectrum: how J depends on frequency, one for all baths or a sequence of one each:
            ``"flat"``, J(ν) = γ; ``"ohmic"``, J(ν) = γν/ω; or an object of ``jaxosc.spectra``. It
            has J = γ at its own ``reference``, by default the frequency ω_j of the oscillator;
            rows, which have none, need one wherever the rate varies or a number is taken.
        coupling: ``"rotating-wave"`` (L_j = a_j), ``"position"`` (X_j = a_j + a_j†) or
            ``"momentum"`` (X_j = −i(a_j − a_j†)), one bath an oscillator; or rows, one a bath:
            complex l [M, N] with L_m = Σ_j l_mj a_j, or real c [M, 2N] with
            X_m = Σ_i c_mi r_i, r = (x_1, p_1, x_2, p_2, …). Twice the row is four times the rate.
        squeezing: M [M] complex, ⟨a_in a_in⟩ of white baths with an ``occupation``, in
            ȧ = −γa + √(2γ) a_in: it drives ⟨aa⟩ towards +M. |M|² ≤ N(N + 1).
        counter_term: whether H already is what remains of the potential beside the bath
            (default), one for all or one a bath. False: the bath shifts it by
            −½χ_m(0)X_m², as where no counter-term was added. Of rotating-wave baths it has none.

    Raises:
        ValueError: if a shape or a name does not fit, or a value is negative or not finite.

    Example:
        >>> shared = jaxosc.Baths(0.05, occupation=1.0, coupling=np.array([[1, 1j]]))

    Source: Konopik & Lutz, Eq. 5; Caldeira & Leggett, Ann. Phys. 149, 374 (1983).
    """

    _leaves = ("damping", "_temperatures", "occupation", "spectrum", "_rows", "squeezing")
    _static = ("_named", "counter_term")

    damping: jax.Array
    _temperatures: small.Entries | None
    occupation: jax.Array | None
    spectrum: Spectrum | tuple[Spectrum, ...]
    squeezing: jax.Array | None
    counter_term: bool | tuple[bool, ...]
    _rows: jax.Array | None
    _named: Coupling | None
    _temperature: jax.Array | None = None  # as one array, if it was made of one

    def __init__(
        self,
        damping: Reals,
        temperature: Reals | Sequence[Any] | None = None,
        spectrum: Spectra = "flat",
        *,
        occupation: Reals | None = None,
        coupling: Coupling | Numbers = "rotating-wave",
        squeezing: Numbers | None = None,
        counter_term: bool | Sequence[bool] = True,
    ) -> None:
        if damping is None:
            raise ValueError("Argument `damping` must be a number or numbers, but it is None.")
        _require_one_kind(temperature, occupation, squeezing)
        temperature = given = _without_gaps(temperature, damping)
        named, rows = (coupling, None) if isinstance(coupling, str) else (None, coupling)
        if rows is None:
            _checks.require_choice("coupling", coupling, COUPLINGS)  # type: ignore[arg-type]
        if occupation is not None and named not in (None, "rotating-wave"):
            raise ValueError(
                "Argument `coupling` must be 'rotating-wave' or complex rows for baths with an "
                f"`occupation`, which are white, but it is {named!r}."
            )
        real = {"damping": damping, "temperature": temperature, "occupation": occupation}
        numbers = {"coupling": rows, "squeezing": squeezing}
        arrays = _checks.number_arrays(
            *({k: v for k, v in group.items() if v is not None} for group in (real, numbers))
        )
        rows = arrays.pop("coupling", None)
        if rows is not None and (rows.ndim != 2 or 0 in rows.shape):
            raise ValueError(
                "Argument `coupling` must have shape (M, N) if complex and (M, 2N) if real, "
                f"but its shape is {rows.shape}."
            )
        if rows is not None and not jnp.iscomplexobj(rows):
            if rows.shape[1] % 2:
                raise ValueError(
                    "Argument `coupling` must have rows of 2N real or N complex numbers, but its "
                    f"shape is {rows.shape} in {rows.dtype}."
                )
            if occupation is not None:
                raise ValueError(
                    "Argument `coupling` must have complex rows for baths with an `occupation`, "
                    f"which are white, but its type is {rows.dtype}: add 0j to lowering ones."
                )
        arrays = _broadcast(arrays, None if rows is None else rows.shape[0])
        whole = arrays.get("temperature")
        self._set(
            damping=arrays["damping"],
            _temperatures=None if whole is None else small.apart(whole, given),
            _temperature=whole,
            occupation=arrays.get("occupation"),
            squeezing=arrays.get("squeezing"),
            spectrum=_resolved(spectrum),
            counter_term=_flags(counter_term),
            _rows=rows,
            _named=named,
        )
        _require_values("", self)
        if arrays["damping"].ndim:
            _require_one_each("", self, arrays["damping"].shape[0])

    @classmethod
    def _restored(cls, stored: list[Any]) -> tuple[Any, ...]:
        named, counter_term = stored
        several = isinstance(counter_term, list)
        return named, tuple(counter_term) if several else counter_term

    @property
    def coupling(self) -> Coupling | jax.Array:
        """The name of the coupling, or its rows."""
        if self._named is not None:
            return self._named
        assert self._rows is not None
        return self._rows

    @property
    def temperature(self) -> jax.Array | None:
        """T [M], or one for all."""
        if self._temperature is not None or self._temperatures is None:
            return self._temperature
        found: jax.Array = small.together(self._temperatures)
        return found

    def _of_number(self, count: int) -> Baths:
        """The same with an entry a bath where one stands for all."""

        def each(leaf: Any) -> Any:
            alone = getattr(leaf, "shape", None) == ()
            return jnp.broadcast_to(leaf, (count,)) if alone else leaf

        damping, temperature, *noise = map(
            each, (self.damping, self._temperatures, self.occupation, self.squeezing)
        )
        if temperature is not self._temperatures:
            temperature = small.apart(temperature, [self._temperatures] * count)
        return self._with(damping, temperature, *noise)

    def _scaled(self, factor: jax.Array) -> Baths:
        """With rates and temperatures times a number; the spectra keep their unit."""
        temperature: Any = self._temperatures
        if isinstance(temperature, tuple):
            temperature = tuple(each * factor.astype(each.dtype) for each in temperature)
        elif temperature is not None:
            temperature = small.scaled(temperature, factor)
        damping = small.scaled(self.damping, factor)
        return self._with(damping, temperature, self.occupation, self.squeezing)

    def _with(self, damping: Any, temperature: Any, occupation: Any, squeezing: Any) -> Baths:
        leaves = (damping, temperature, occupation, self.spectrum, self._rows, squeezing)
        return Baths._assemble(leaves, (self._named, self.counter_term))

    def __repr__(self) -> str:
        names = ("damping", "temperature", "occupation", "spectrum", "coupling", "squeezing")
        shown = [(name, getattr(self, name)) for name in names]
        fields = ", ".join(f"{name}={value!r}" for name, value in shown if value is not None)
        return f"Baths({fields}, counter_term={self.counter_term!r})"


def spectrum_of(baths: Baths, bath: int) -> Spectrum:
    """The spectrum of one of the baths."""
    spectrum = baths.spectrum
    return spectrum[bath] if isinstance(spectrum, tuple) else spectrum


def spectra_of(baths: Baths) -> tuple[Spectrum, ...]:
    """The spectra of the baths, one for all or one each."""
    return baths.spectrum if isinstance(baths.spectrum, tuple) else (baths.spectrum,)


def has_kind(baths: Baths, kind: type[Spectrum]) -> bool:
    """Whether the spectra of all baths are of this kind."""
    return all(isinstance(each, kind) for each in spectra_of(baths))


def match(oscillators: Oscillators, baths: Baths) -> tuple[Oscillators, Baths]:
    """Both in one dtype, one entry a bath, after checking that they belong together."""
    require_network(oscillators)
    _checks.require_instance("baths", baths, Baths)
    damping = baths.damping
    if getattr(damping, "ndim", 1) > 1:
        raise ValueError(
            "Argument `baths` must hold the baths of one network, but its damping rates have shape "
            f"{damping.shape}; use jax.vmap for a batch of networks."
        )
    modes, rows = oscillators.modes, baths._rows
    if baths._named is not None:
        if getattr(damping, "shape", (modes,)) not in ((), (modes,)):
            raise ValueError(
                f"Argument `baths` must hold one bath an oscillator, but it holds "
                f"{damping.shape[0]} for {modes} oscillators."
            )
        count = modes
    else:
        shape = getattr(rows, "shape", ())
        _checks.require_fields("baths", complex_too=True, coupling=(rows, shape))
        assert rows is not None
        width = modes if jnp.iscomplexobj(rows) else 2 * modes
        count = shape[0] if shape else 0
        if count == 0 or shape != (count, width):
            raise ValueError(
                f"Argument `baths` must hold rows of {modes} complex or {2 * modes} real numbers "
                f"for {modes} oscillators, but their shape is {rows.shape} in {rows.dtype}."
            )
    baths = baths._of_number(count)
    _require_one_kind(baths.temperature, baths.occupation, baths.squeezing)
    kind = "temperature" if baths.occupation is None else "occupation"
    for name in ("damping", kind, *(["squeezing"] if baths.squeezing is not None else [])):
        numbers = name == "squeezing"
        _checks.require_fields(
            "baths", complex_too=numbers, **{name: (getattr(baths, name), (count,))}
        )
    _require_values("baths.", baths)
    _require_one_each("baths.", baths, count)
    _checks.require_together(oscillators=oscillators, baths=baths)
    dtype = _checks.widest([oscillators.frequency.dtype, baths.damping.dtype])
    oscillators = entered(oscillators)
    return jax.tree.map(lambda leaf: _checks.in_precision(leaf, dtype), (oscillators, baths))


def in_natural_units(
    oscillators: Oscillators, baths: Baths
) -> tuple[Oscillators, Baths, jax.Array]:
    """Both divided by a power of two next to the largest frequency, and that unit."""
    unit = natural_unit(oscillators, rotating=baths.occupation is not None)
    return in_unit(oscillators, unit), baths._scaled(1 / unit), unit


def _resolved(spectrum: Any) -> Spectrum | tuple[Spectrum, ...]:
    """Names as what they stand for."""
    several = isinstance(spectrum, Sequence) and not isinstance(spectrum, str) and len(spectrum)
    return tuple(_named(each) for each in spectrum) if several else _named(spectrum)


def _named(spectrum: Any) -> Spectrum:
    if isinstance(spectrum, Spectrum):
        return spectrum
    if isinstance(spectrum, str) and spectrum in SPECTRA:
        return SPECTRA[spectrum]()
    raise ValueError(
        f"Argument `spectrum` must be one of {', '.join(map(repr, SPECTRA))}, an object of "
        f"jaxosc.spectra, or one of these for each bath, but it is {spectrum!r}."
    )


def _flags(counter_term: Any) -> bool | tuple[bool, ...]:
    """One for all baths or one each."""
    if isinstance(counter_term, (bool, np.bool_)):
        return bool(counter_term)
    array = isinstance(counter_term, np.ndarray) and counter_term.ndim == 1
    several = list(counter_term) if array or isinstance(counter_term, (list, tuple)) else []
    if not len(several) or not all(isinstance(each, (bool, np.bool_)) for each in several):
        raise ValueError(
            "Argument `counter_term` must be True or False, or one of these for each bath, "
            f"but it is {counter_term!r}."
        )
    return tuple(bool(each) for each in several)


def _require_one_each(record: str, baths: Baths, count: int) -> None:
    """Raise ValueError unless there is one for all baths, or one each, of what is no array."""
    for name in ("spectrum", "counter_term"):
        several = getattr(baths, name)
        if isinstance(several, tuple) and len(several) != count:
            raise ValueError(
                f"Argument `{record}{name}` must be one for all baths or one for each of "
                f"{count}, but there are {len(several)}."
            )


def _require_one_kind(temperature: Any, occupation: Any, squeezing: Any) -> None:
    if temperature is not None and occupation is not None:
        raise ValueError("Argument `occupation` must replace `temperature`, but both are given.")
    if squeezing is not None and occupation is None:
        raise ValueError(
            "Argument `squeezing` must come with `occupation`, for it is one of white baths, "
            "but that is missing."
        )


def _without_gaps(temperature: Any, damping: Any) -> Any:
    """The temperatures, with zero for what is None where there is no damping."""
    if isinstance(temperature, (list, tuple)) and any(entry is None for entry in temperature):
        several = isinstance(damping, (list, tuple)) or getattr(damping, "ndim", 0) == 1
        rates = list(damping) if several else [damping] * len(temperature)
        for bath, (entry, rate) in enumerate(zip(temperature, rates, strict=False)):
            if entry is None and ((known := _checks.concrete(rate)) is None or known.any()):
                raise ValueError(
                    f"Argument `temperature` must be given for each bath that may have damping, "
                    f"but entry {bath} is None and its damping rate {rate}."
                )
        return [0.0 if entry is None else entry for entry in temperature]
    return temperature


def _broadcast(arrays: dict[str, jax.Array], count: int | None) -> dict[str, jax.Array]:
    """One entry a bath where any of the arrays or the number of rows has them."""
    damping = arrays["damping"]
    if damping.ndim > 1 or 0 in damping.shape:
        raise ValueError(
            "Argument `damping` must be a number or have shape (M,) with M >= 1, "
            f"but its shape is {damping.shape}."
        )
    if count is None and damping.ndim == 1:
        count = damping.shape[0]
    for name, array in arrays.items():
        if count is None and array.ndim == 1 and array.size:
            count = array.shape[0]
        if array.ndim and array.shape != (count,):
            why = "" if name == "damping" else f" for {count} damping rates"
            _checks.require_shape(name, array, (count or 1,), why)
    if "temperature" not in arrays and "occupation" not in arrays:
        known = _checks.concrete(damping)
        if known is None or known.any():
            raise ValueError(
                "Argument `temperature` must be given, or `occupation` in its place, where there "
                "is damping, but both are missing."
            )
        arrays["temperature"] = jnp.zeros_like(damping)
    if count is None:
        return arrays
    return {name: jnp.broadcast_to(array, (count,)) for name, array in arrays.items()}


def _require_values(record: str, baths: Baths) -> None:
    """Raise ValueError unless the values, where known, are finite and not negative."""
    for name in ("damping", "temperature", "occupation"):
        if (value := getattr(baths, name)) is not None:
            _checks.require_finite(f"{record}{name}", value)
            _checks.require(f"{record}{name}", value, lambda x: x >= 0, "not be negative")
    for spectrum in spectra_of(baths):
        spectrum._require(f"{record}spectrum")
    if baths._rows is not None:
        _checks.require_finite(f"{record}coupling", baths._rows)
    if baths.squeezing is not None:
        _checks.require_finite(f"{record}squeezing", baths.squeezing)
        number, squeezing = map(_checks.concrete, (baths.occupation, baths.squeezing))
        if number is not None and squeezing is not None:
            with np.errstate(over="ignore"):
                _checks.require(
                    f"{record}squeezing",
                    np.abs(squeezing) ** 2,
                    lambda square: square <= number * (number + 1) * (1 + 1e-6),
                    "have squares of at most N(N + 1) with these occupations",
                )
