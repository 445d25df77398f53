"""Records beside arrays: copies with changes, and programs stored by ``jax.export``."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export
from legs import nightly
from precision import DTYPE, SINGLE, digits

import jaxosc
from jaxosc import spectra
from jaxosc._pytree import Record
from jaxosc.spectra import Flat, Ohmic

PAIR = jaxosc.pair((5.0, 2.0), 1.0, "position")
NEAR = jaxosc.pair((5.0, 2.0), interaction="rotating-wave", distance=1e-3)
BATHS = jaxosc.Baths((0.1, 0.2), (1.0, 2.0), "ohmic")


def test_replace():
    """Another value in one field; all else as it was, static fields too."""
    warmer = BATHS.replace(temperature=(3, 4))
    np.testing.assert_array_equal(warmer.temperature, [3, 4])
    np.testing.assert_array_equal(warmer.damping, BATHS.damping)
    assert isinstance(warmer.spectrum, Ohmic)
    assert isinstance(BATHS.replace(spectrum="flat").spectrum, Flat)
    freed = PAIR.replace(exchange=np.zeros((2, 2)), pairing=np.zeros((2, 2)))
    assert not freed.exchange.any()
    nearer = NEAR.replace(distance=1e-6)
    assert (nearer.distance, nearer.interaction) == (DTYPE(1e-6), "rotating-wave")


def test_replace_of_a_diffusion_has_another_steady_state():
    dynamics = jaxosc.local_lindblad(PAIR, BATHS)
    twice = dynamics.replace(diffusion=2 * dynamics.diffusion)
    np.testing.assert_allclose(
        jaxosc.steady_state(twice), 2 * jaxosc.steady_state(dynamics),
        rtol=digits(1e-12), atol=digits(1e-12),
    )  # fmt: skip


def test_replace_inside_transformations():
    def hotter(baths, temperature):
        return baths.replace(temperature=temperature)

    temperatures = jnp.ones((3, 2))
    many = jax.jit(jax.vmap(hotter, (None, 0), out_axes=jax.tree.map(lambda _: 0, BATHS)))
    assert many(BATHS, temperatures).damping.shape == (3, 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: BATHS.replace(gamma=1.0), "`gamma` must be a field of Baths, one of 'damping', "),
        (lambda: BATHS.replace(damping=(-1.0, 1.0)), "`damping` must not be negative"),
        (lambda: BATHS.replace(spectrum="drude"), "`spectrum` must be one of"),
        (lambda: PAIR.replace(exchange=[[0, 1], [2, 0]]), "`exchange` must be symmetric"),
        (lambda: NEAR.replace(exchange=np.zeros((2, 2))), "`exchange` must be a field of PairAt"),
        (lambda: NEAR.replace(distance=2.5), r"`distance` must lie in \(0, 2\)"),
        (lambda: NEAR.replace(frequency=(1.0, -2.0)), "`frequency` must be positive"),
    ],
)
def test_replace_is_held_to_what_the_constructor_takes(change, message):
    with pytest.raises(ValueError, match=message) as error:
        change()
    assert str(error.value).startswith("Argument `")
    assert ", but " in str(error.value)


def every_record(kind=Record):
    for each in kind.__subclasses__():
        yield each
        yield from every_record(each)


def stored(function, *arguments):
    return export.export(jax.jit(function))(*arguments).serialize()


DRUDE = spectra.Drude(5.0, reference=2.0)
TABLE = np.geomspace(1e-3, 30, 60)
SHARED = jaxosc.Baths(
    (0.1, 0.2), occupation=(1.0, 0.5), coupling=np.array([[1, 1j], [0.5, 0]]), squeezing=(0.3j, 0)
)
BESIDE = jaxosc.Baths(
    (0.1, 0.2), (1.0, 2.0), [DRUDE, spectra.Ohmic()], coupling="momentum",
    counter_term=(True, False),
)  # fmt: skip
EVERY = (
    PAIR, NEAR, NEAR.replace(distance=0.1, interaction="position", damping=0.1), BATHS, SHARED,
    BESIDE,
    jaxosc.Oscillators([1.0, -1.0], [[0, 1j], [-1j, 0]], [[0.1, 0], [0, 0.2j]], (1.0, 2j)),
    jaxosc.Dynamics(-np.eye(4), np.eye(4)), jaxosc.global_lindblad(PAIR, BATHS),
    jaxosc.local_lindblad(PAIR, SHARED), jaxosc.lindblad(PAIR, np.eye(2)),
    jaxosc.Frontier(*map(jnp.asarray, (0.3, 0.6, 0))),
    spectra.Flat(), spectra.Flat(reference=1.0), spectra.Ohmic(), DRUDE,
    spectra.Brownian(1.0, 0.1), spectra.PowerLaw(0.5, 3.0),
    spectra.Sampled(TABLE, TABLE / (1 + TABLE**4), tolerance=1e-4),
    0.3 * DRUDE + spectra.PowerLaw(3, 1.0, reference=1.0),
)  # fmt: skip


def test_every_record_is_here():
    kinds = {kind for kind in every_record() if kind.__module__.startswith("jaxosc.")}
    assert {type(record) for record in EVERY} == kinds - {spectra.Spectrum}


@pytest.mark.parametrize("record", EVERY, ids=lambda record: type(record).__name__)
def test_every_record_can_be_stored(record):
    """With its static fields and those of what it holds, alone and in batches of any size."""
    again = export.deserialize(stored(lambda record: record, record)).call(record)
    assert jax.tree.structure(again) == jax.tree.structure(record)
    assert type(again) is type(record)
    for ours, theirs in zip(jax.tree.leaves(again), jax.tree.leaves(record), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    if isinstance(record, spectra.Spectrum) and hasattr(record, "error"):
        assert again.error == record.error
    many = jax.tree.map(lambda leaf: jnp.stack([leaf] * 3), record)
    program = export.deserialize(stored(lambda record: record, of_any_size(many)))
    assert jax.tree.structure(program.call(many)) == jax.tree.structure(many)


def a_batch(size):
    """Networks of every temperature, coldest first."""
    ratio, low = np.linspace(0.1, 0.9, size), -1 if SINGLE else -3
    coupling = ratio * float(jaxosc.critical_coupling((5.0, 2.0), "position"))
    oscillators = jax.vmap(lambda x: jaxosc.pair((5.0, 2.0), x, "position"))(jnp.asarray(coupling))
    temperature = np.geomspace(10.0**low, 10, size)[:, None] * np.array([1.0, 2.0])
    damping = np.broadcast_to([0.1, 0.02], (size, 2))
    return oscillators, jax.vmap(jaxosc.Baths)(jnp.asarray(damping), jnp.asarray(temperature))


def of_any_size(record):
    (size,) = export.symbolic_shape("b")
    return jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct((size, *leaf.shape[1:]), leaf.dtype), record
    )


def local(oscillators, baths):
    """An equation, and every kind of record and result of ours that it can give."""
    dynamics = jaxosc.local_lindblad(oscillators, baths)
    modes = jaxosc.normal_modes(oscillators)
    return dynamics, jaxosc.steady_state(dynamics), modes, oscillators, baths


def everything(oscillators, baths):
    dynamics = jaxosc.langevin(oscillators, baths)
    covariance = jaxosc.steady_state(jaxosc.global_lindblad(oscillators, baths))
    return {
        "dynamics": dynamics,
        "langevin": jaxosc.steady_state(dynamics),
        "global": covariance,
        "gibbs": jaxosc.gibbs(oscillators, baths.temperature[0]),
        "information": jaxosc.mutual_information(covariance),
        "spectrum": jaxosc.langevin_spectrum(oscillators, baths, 0.7),
        "scales": (jaxosc.critical_scale(oscillators), jaxosc.stability_scale(oscillators, baths)),
    }


CALL = """
import sys
import jax, numpy as np
import jaxosc
from jax import export
from test_records import a_batch

jaxosc.Oscillators, jaxosc.Baths, jaxosc.NormalModes  # the records of the program
with open(sys.argv[1], "rb") as file:
    program = export.deserialize(file.read())
for size in map(int, sys.argv[3:]):
    leaves, _ = jax.tree.flatten(program.call(*a_batch(size)))
    np.savez(f"{sys.argv[2]}{size}.npz", *leaves)
"""


def called_elsewhere(folder, function, *sizes):
    """What a stored program for batches of any size gives in another process."""
    program = folder / "program"
    symbols = of_any_size(a_batch(1))
    program.write_bytes(stored(jax.vmap(function), *symbols))
    root = Path(__file__).parent
    subprocess.run(
        [sys.executable, "-c", CALL, str(program), str(folder / "out"), *map(str, sizes)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), str(root.parent)])},
        check=True,
        timeout=300,
    )
    for size in sizes:
        with np.load(folder / f"out{size}.npz") as file:
            yield size, [file[name] for name in file.files]


@pytest.mark.parametrize(
    ("function", "sizes"),
    [
        *nightly((local, [3])),
        # Below and above a block of the rule for cold baths, which takes points 512 at a time
        *nightly((everything, [1, 700])),
    ],
)
def test_a_program_for_batches_of_any_size_in_another_process(function, sizes, tmp_path):
    for size, values in called_elsewhere(tmp_path, function, *sizes):
        expected = jax.tree.leaves(jax.jit(jax.vmap(function))(*a_batch(size)))
        assert len(expected) == len(values)
        for ours, theirs in zip(values, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=digits(1e-12), atol=digits(1e-13))
