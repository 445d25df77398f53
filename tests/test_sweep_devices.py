"""Sweeps whose values stay on the devices, and what moves between them and the host."""

from __future__ import annotations

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from precision import digits

import jaxosc

X, Y = np.linspace(-1.0, 2.0, 12), np.linspace(0.0, 3.0, 35)


def wave(x, y):
    return {"sine": jnp.sin(3 * x + y * y), "both": jnp.stack([x, y])}


@pytest.mark.parametrize("block", [None, 1, 7, 35, 36, 105, 1000])
def test_values_left_on_the_device_are_the_same(block):
    there = jaxosc.sweep(wave, {"x": X, "y": Y}, where="device", block=block)
    here = jaxosc.sweep(wave, {"x": X, "y": Y}, block=block)
    for one, other in zip(*map(jax.tree.leaves, (there.values, here.values)), strict=True):
        assert isinstance(one, jax.Array)
        assert isinstance(other, np.ndarray)
        np.testing.assert_array_equal(one, other)
    assert there.metadata["block"] == here.metadata["block"]


def test_an_outer_axis_of_one_point_is_kept():
    axes = {"x": X[:1], "y": Y, "z": [1.0]}
    values = jaxosc.sweep(lambda x, y, z: x + y * z, axes, where="device").values
    assert values.shape == (1, 35, 1)
    values = jaxosc.sweep(lambda x, y, z: x + y * z, axes, where="device", block=4).values
    np.testing.assert_allclose(values[0, :, 0], X[0] + Y, atol=digits(1e-15))


def test_values_on_devices_are_saved_as_any(tmp_path):
    there = jaxosc.sweep(wave, {"x": X, "y": Y}, where="device")
    loaded = jaxosc.load_sweep(there.save(tmp_path / "a.npz"))
    np.testing.assert_array_equal(loaded.values["sine"], there.values["sine"])


@pytest.mark.parametrize("options", [{"reduce": "max"}, {"store": "a.zarr"}])
def test_what_does_not_go_with_it(options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="Argument `where` must be left out beside `reduce`"):
        jaxosc.sweep(wave, {"x": X, "y": Y}, where="device", **options)
    with pytest.raises(ValueError, match="Argument `where` must be one of"):
        jaxosc.sweep(wave, {"x": X, "y": Y}, where="disk")


FOUR = """
import jax, jax.numpy as jnp, numpy as np
import jaxosc
from test_sweep_devices import X, Y, wave

devices = jax.devices()
assert len(devices) == 4
axes = {"x": X, "y": Y}

def shards(values):
    return {shard.device.id: shard.index[0] for shard in values.addressable_shards}

# Nothing moves from one device to another, not even where a block lies on the border of two parts.
for block in (36, 105):
    for many in (3, 4):
        with jax.transfer_guard_device_to_device("disallow_explicit"):
            there = jaxosc.sweep(wave, axes, where="device", block=block, devices=devices[:many])
        for name, values in there.values.items():
            found = shards(values)
            parts = max(n for n in range(1, many + 1) if 12 % n == 0)
            assert sorted(found) == list(range(parts)), (block, many, found)
            assert values.sharding.num_devices == parts
            own = {each.data.shape[0] for each in values.addressable_shards}
            assert own == {12 // parts}
        here = jaxosc.sweep(wave, axes, block=block, devices=devices[:1]).values
        for name in here:
            np.testing.assert_array_equal(there.values[name], here[name])

# Seven rows on four devices: one has all of them.
odd = jaxosc.sweep(wave, {"x": X[:7], "y": Y}, where="device", block=10).values["sine"]
assert odd.sharding.num_devices == 1
# It goes on where it is: a function of the values runs on all devices.
doubled = jax.jit(lambda values: 2 * values)(there.values["sine"])
assert doubled.sharding.num_devices == 4

# Summaries: of each block one state comes to the host, whatever the number of its cells.
taken = []
original = np.asarray
def counting(value, *rest, **named):
    if isinstance(value, jax.Array):
        taken.append((value.size, value.dtype))
    return original(value, *rest, **named)

line = {"x": np.linspace(0.0, 1.0, 40000)}
def number(x):
    return jnp.sin(9 * x)

alone = jaxosc.sweep(number, line, reduce=("max", "std"), block=10000, devices=devices[:1])
np.asarray = counting
with jax.transfer_guard_device_to_device("disallow_explicit"):
    found = jaxosc.sweep(number, line, reduce=("max", "std"), block=10000)
np.asarray = original
assert max(size for size, _ in taken) == 1, taken
assert sum(size for size, _ in taken) <= 5 * 5 + 5, taken  # four blocks and their sum
assert found.values == alone.values, (found.values, alone.values)
exact = np.sin(9 * line["x"])
np.testing.assert_allclose(found.values["std"], exact.std(), rtol=1e-6)
print("done")
"""


@pytest.mark.slow
def test_four_devices_keep_what_they_compute():
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
    }
    environment["PYTHONPATH"] = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", FOUR], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.stdout.splitlines() == ["done"], done.stderr


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("lone", [False, True])
def test_what_an_accelerator_does_to_bring_values_home(lone, full, monkeypatch):
    """In one piece or block after block, through memory that stays in place while there is any."""
    from jaxosc.sweeps import blocks, run

    pinned = jax.sharding.SingleDeviceSharding(jax.devices()[0], memory_kind="pinned_host")
    axes = {"x": X, "y": Y}
    expected = jaxosc.sweep(wave, axes, block=36).values
    through = []
    original = jax.device_put

    def put(value, where=None, **options):
        if where is pinned:
            through.append(value.shape)
            if full:
                raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return original(value, where, **options)

    monkeypatch.setattr(blocks, "_pinned", lambda device: pinned)
    monkeypatch.setattr(blocks, "_PINNED_BYTES", 0)
    monkeypatch.setattr(run, "_is_lone_accelerator", lambda devices: lone)
    monkeypatch.setattr(jax, "device_put", put)
    found = jaxosc.sweep(wave, axes, block=36).values
    shapes = [(12, 35), (12, 35, 2)] if lone else [(1, 35), (1, 35, 2)] * 12
    assert sorted(through) == sorted(shapes)
    for name, values in found.items():
        assert isinstance(values, np.ndarray)
        assert not values.flags.writeable
        np.testing.assert_array_equal(values, expected[name])


@pytest.mark.slow
def test_an_accelerator_sends_one_array_of_each_kind_home(monkeypatch):
    """Summaries of several shapes and dtypes are packed there, and are the same afterwards."""
    from jaxosc.sweeps import blocks, run

    def partial(values, points, valid):
        kept = jnp.where(valid[:, None], values["both"], 0.0)
        return jnp.any(values["sine"] > 0.5), jnp.sum(kept).astype(complex) * 1j

    own = jaxosc.Reduction(partial, lambda a, b: (a[0] | b[0], a[1] + b[1]))
    named = {name: name for name in ("max", "nanmin", "std", "argmax")}
    reductions = {**named, "counts": jaxosc.histogram(-1.0, 2.0, 5), "own": own}
    axes = {"x": X, "y": Y}
    taken = []
    on_host = blocks.on_host

    def taking(number, output):
        taken.append(output)
        return on_host(number, output)

    expected = [jaxosc.sweep(wave, axes, reduce=reductions, block=n).values for n in (None, 70)]
    monkeypatch.setattr(run.Program, "on_cpu", property(lambda self: False))
    monkeypatch.setattr(run, "on_host", taking)
    found = [jaxosc.sweep(wave, axes, reduce=reductions, block=n).values for n in (None, 70)]
    kinds = {"bool", "int64", "float64", "complex128"}
    assert all({leaf.dtype.name for leaf in each.values()} == kinds for each in taken)
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for one, other in zip(*map(jax.tree.leaves, (found, expected)), strict=True):
        np.testing.assert_array_equal(one, other)
        assert np.asarray(one).dtype == np.asarray(other).dtype


def test_the_host_takes_each_block_once_and_asks_for_it_early(monkeypatch):
    """The copy of a block begins before the block that is taken next is waited for."""
    from jaxosc.sweeps import blocks

    asked, waited = [], []
    array = type(jnp.zeros(()))
    original = array.copy_to_host_async
    monkeypatch.setattr(
        array, "copy_to_host_async", lambda self: (asked.append(self.size), original(self))[1]
    )
    on_host = blocks.on_host
    monkeypatch.setattr(
        "jaxosc.sweeps.run.on_host",
        lambda number, output: (waited.append((number, len(asked))), on_host(number, output))[1],
    )
    jaxosc.sweep(lambda x: jnp.sin(x), {"x": np.arange(100.0)}, reduce="max", block=10)
    assert [number for number, _ in waited] == list(range(10))
    assert len(asked) == 10
    assert all(already > number for number, already in waited)
