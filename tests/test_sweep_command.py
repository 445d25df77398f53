"""`jaxosc sweep`: what it computes, writes and refuses."""

import csv
import re
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import reference
import xarray
from legs import nightly
from precision import EPS, digits

import jaxosc
from jaxosc.cli import main
from jaxosc.figures.sweep_drawing import draw_sweep
from jaxosc.sweeps.result import SweepResult
from jaxosc.sweeps.standard import parse_parameter, standard_model


def number(ratio, delta_t, equation, interaction="position", damping=(1.5e-4, 1.5e-4)):
    critical = jaxosc.critical_coupling((5.0, 2.0), interaction)
    oscillators = jaxosc.pair((5.0, 2.0), ratio * critical, interaction)
    baths = jaxosc.Baths(damping, (98.0, 98.0 + delta_t))
    return jaxosc.steady_state(equation(oscillators, baths))


def test_a_plane_into_every_format(tmp_path, capsys):
    arguments = ["sweep", "ratio=0:0.9:3", "delta_t=0:200:2", "--descriptions", "local", "gibbs"]
    for ending in ("npz", "nc", "csv", "zarr"):
        assert main([*arguments, "--output", str(tmp_path / f"a.{ending}")]) == 0
        assert f"a.{ending}" in capsys.readouterr().out
    expected = np.array(
        [
            [jaxosc.occupation(number(r, d, jaxosc.local_lindblad))[0] for d in (0.0, 200.0)]
            for r in (0.0, 0.45, 0.9)
        ]
    )
    loaded = [jaxosc.load_sweep(tmp_path / f"a.{ending}").values for ending in ("npz", "nc")]
    with xarray.open_zarr(tmp_path / "a.zarr", consolidated=False, chunks=None) as data:
        loaded.append(
            {
                name: {"occupation1": data[f"{name}.occupation1"].values}
                for name in ("local", "gibbs")
            }
        )
    for values in loaded:
        np.testing.assert_allclose(values["local"]["occupation1"], expected, rtol=1e-13)
        gibbs = values["gibbs"]["occupation1"]
        assert np.isnan(gibbs[:, 1]).all()
        # Occupations without a coupling are Planck's.
        np.testing.assert_allclose(gibbs[0, 0], 1 / np.expm1(5.0 / 98.0), rtol=1e-12)
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose(
        [float(row["local.occupation1"]) for row in rows], expected.ravel(), rtol=1e-13
    )


@pytest.mark.nightly
def test_heat_of_every_description_by_name():
    """Local and global against their rate equations; the Gibbs state has none."""
    names = ("local", "global", "detailed-balance", "gibbs")
    model = standard_model(
        names, ("heat1", "heat2", "entropy_production"), "rotating-wave", {"temperature1": 3.0}
    )
    found = jax.jit(jax.vmap(lambda delta_t: model(ratio=0.6, delta_t=delta_t)))(
        jnp.array([0.0, 2.0])
    )
    coupling = 0.6 * float(jaxosc.critical_coupling((5.0, 2.0), "rotating-wave"))
    expected = reference.heat_of_bath_1((5.0, 2.0), coupling, 1.5e-4, (3.0, 5.0))
    for name, heat in zip(names[:2], expected, strict=True):
        assert found[name]["heat1"][1] == pytest.approx(heat, rel=digits(1e-9))
    for name in names[:3]:
        values = found[name]
        # What the difference of two flows γω⟨n⟩ leaves.
        rounding = 100 * EPS * 1.5e-4 * 5.0
        np.testing.assert_allclose(values["heat1"], -values["heat2"], rtol=1e-9, atol=rounding)
        np.testing.assert_allclose(
            values["entropy_production"],
            -values["heat1"] / 3.0 - values["heat2"] / np.array([3.0, 5.0]),
            rtol=1e-9, atol=rounding,
        )  # fmt: skip
    assert found["detailed-balance"]["entropy_production"][1] > 0
    assert found["gibbs"]["heat1"][0] == 0
    assert np.isnan(found["gibbs"]["heat1"][1])


@pytest.mark.parametrize("name", ["langevin", "global", "local"])
def test_every_observable(name):
    equation = {
        "langevin": jaxosc.langevin,
        "global": jaxosc.global_lindblad,
        "local": jaxosc.local_lindblad,
    }[name]
    observables = (
        "occupation1", "occupation2", "coherence_real", "coherence_imag", "information", "entropy",
        "purity",
    )  # fmt: skip
    model = standard_model([name], observables, "rotating-wave", {"damping2": 3e-4})
    found = model(ratio=0.7, delta_t=50.0)[name]
    covariance = number(0.7, 50.0, equation, "rotating-wave", (1.5e-4, 3e-4))
    coherence = jaxosc.coherence(covariance)[0, 1]
    expected = (
        *jaxosc.occupation(covariance), coherence.real, coherence.imag,
        jaxosc.mutual_information(covariance), jaxosc.von_neumann_entropy(covariance),
        jaxosc.purity(covariance),
    )  # fmt: skip
    for key, value in zip(observables, expected, strict=True):
        np.testing.assert_allclose(found[key], value, rtol=1e-12, atol=1e-18)


def test_the_second_way_to_give_a_parameter():
    critical = float(jaxosc.critical_coupling((5.0, 2.0), "position"))
    model = standard_model(["local"], ["occupation1"], "position", {})
    one = model(ratio=0.5, delta_t=30.0)["local"]["occupation1"]
    other = model(coupling=0.5 * critical, temperature2=128.0)["local"]["occupation1"]
    np.testing.assert_allclose(one, other, rtol=1e-14)


def test_the_same_model_is_compiled_once():
    arguments = (["local"], ["occupation1"], "position", {"omega1": 3.0})
    assert standard_model(*arguments) is standard_model(*arguments)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("ratio=0:1:3", [0.0, 0.5, 1.0]),
        ("ratio=1e-4:1:3:log", [1e-4, 1e-2, 1.0]),
        ("delta_t=-5:5:2", [-5.0, 5.0]),
        ("damping1=3", 3.0),
    ],
)
def test_axes_read_from_text(text, values):
    name, found = parse_parameter(text)
    assert name == text.partition("=")[0]
    np.testing.assert_allclose(found, values, rtol=1e-14)


@pytest.mark.parametrize(
    "axes",
    [
        ["ratio=0:0.99:30"],
        pytest.param(["ratio=0.5:0.5:1"], marks=pytest.mark.nightly),
        pytest.param(["ratio=0.5:0.5:1", "delta_t=0:9:9"], marks=pytest.mark.nightly),
        *nightly(["damping1=1e-5:1:9:log", "ratio=0:0.9:8"]),
    ],
)
@pytest.mark.slow
def test_pictures(tmp_path, axes, capsys):
    output = str(tmp_path / "a.npz")
    descriptions = ("--descriptions", "local", "global", "--observables", "information", "purity")
    assert main(["sweep", *axes, *descriptions, "--plot", "--output", output]) == 0
    assert (tmp_path / "a.png").stat().st_size > 10_000
    assert (tmp_path / "a.pdf").stat().st_size > 5_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ratio"], "name=start:stop:count"),
        (["ratio=0:1"], "must read ratio=start"),
        (["ratio=0:1:x"], "must read ratio=start"),
        (["ratio=0:1:3:lin"], "must read ratio=start"),
        (["ratio=0:inf:3"], "finite"),
        (["ratio=nan"], "finite"),
        (["ratio=0:1:0"], "between 1"),
        (["ratio=1:1:3"], "different ends"),
        (["ratio=0:1:3:log"], "positive ends"),
        (["speed=0:1:3"], "must be one of 'omega1'"),
        (["ratio=0.5"], "one axis at least"),
        (["ratio=0:1:3", "ratio=0.5"], "given twice"),
        (["ratio=0:1:3", "coupling=0.5"], "coupling or ratio"),
        (["delta_t=0:1:3", "temperature2=3"], "temperature2 or delta_t"),
        (["ratio=0:1:3", "--descriptions", "nonsense"], "one of 'langevin'"),
        (["ratio=0:1:3", "--observables", "energy"], "one of 'occupation1'"),
        (["ratio=0:1:3", "--output", "a.txt"], "must end in one of"),
        (["ratio=0:1:3", "delta_t=0:1:3", "omega1=1:2:3", "--plot"], "more than two axes"),
        (["ratio=0:1:3", "damping1=-1"], "no negative values for damping1"),
        (["omega2=0:1:3"], "positive values for omega2"),
        (["ratio=0:1:3", "temperature2=-3"], "no negative values for temperature2"),
    ],
)
def test_bad_arguments(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", *arguments]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("jaxosc: error: ")
    assert words in errors
    assert not list(tmp_path.iterdir())


def test_values_outside_the_domain_are_nan(tmp_path, capsys):
    output = tmp_path / "a.npz"
    described = ("--descriptions", "gibbs")
    assert main(["sweep", "ratio=0.9:1.1:2", *described, "--output", str(output)]) == 0
    values = jaxosc.load_sweep(output).values
    for leaf in jax.tree.leaves(values):
        assert np.isfinite(leaf[0])
        assert np.isnan(leaf[1])
    assert "1 of 2 points have no answer" in capsys.readouterr().out


@pytest.mark.nightly
def test_ctrl_c_says_how_to_go_on(tmp_path):
    """A real signal in a real terminal's place; the same command ends as if nothing had been."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        pytest.skip("started in the background by a shell, which makes children ignore the signal")
    command = [sys.executable, "-m", "jaxosc", "sweep", "ratio=0:0.99:6000", "delta_t=0:200:6000"]
    command += ["--descriptions", "langevin"]
    store = tmp_path / "a.zarr"
    process = subprocess.Popen(
        [*command, "--output", str(store)], stderr=subprocess.PIPE, text=True
    )
    journal = store / "langevin.occupation1" / "journal.0"
    while not journal.exists() or journal.read_text().count("\n") < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 130
    assert errors.count("\n") == 1
    assert re.match(r"jaxosc: error: interrupted; \d+ of \d+ blocks are in .*a.zarr; the", errors)
    finished = {file: file.stat().st_mtime_ns for file in journal.parent.glob("c/*/*")}
    assert subprocess.run([*command, "--output", str(store)]).returncode == 0
    left = jaxosc.load_sweep(store).values["langevin"]["occupation1"]
    assert left.shape == (6000, 6000)
    assert sum(file.stat().st_mtime_ns == when for file, when in finished.items()) >= 3
    whole = tmp_path / "whole.zarr"
    assert subprocess.run([*command, "--output", str(whole)]).returncode == 0
    for file in whole.rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (store / file.relative_to(whole)).read_bytes()


def test_a_picture_of_a_large_grid_is_of_some_of_its_points(tmp_path):
    along = {"ratio": np.linspace(0, 1, 3), "delta_t": np.linspace(0, 1, 10**5)}
    values = np.broadcast_to(along["delta_t"], (3, 10**5))
    axes = {name: {name: points} for name, points in along.items()}
    pictures = draw_sweep(SweepResult({"local": {"purity": values}}, axes, {}))
    assert len(pictures["png"]) > 10_000
    assert len(pictures["pdf"]) < 10**6
