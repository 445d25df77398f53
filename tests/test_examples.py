"""The examples run, in their fast mode, and show what they claim."""

import compare_descriptions
import critical_manifold
import fit_moments
import fit_output_spectrum
import jax
import local_or_global
import numpy as np
import optomechanics_output
import pytest
import quadrature
import susceptibility
import sweep_to_disk
import temperature_grid
import trust
import which_equation

import jaxosc


@pytest.fixture(autouse=True)
def in_double_precision():
    """As each example asks for itself when it is imported."""
    jax.config.update("jax_enable_x64", True)


def test_compare_descriptions(capsys):
    occupations = compare_descriptions.main(fast=True)
    exact = occupations["Langevin (exact)"]
    assert abs(occupations["global, Caldeira-Leggett baths"] / exact - 1) < 1e-6
    ascending = ("local Lindblad", "global, rates of the paper", "global, rotating-wave baths")
    assert np.all(np.diff([*map(occupations.get, ascending), exact]) > 0)
    assert "Flat Langevin model: inside its domain" in capsys.readouterr().out


@pytest.mark.slow
def test_temperature_grid(capsys):
    values = np.asarray(temperature_grid.main(fast=True))
    assert values.shape == (21, 21)
    np.testing.assert_allclose(values[0], 1, atol=1e-3)  # uncoupled: nothing to get wrong
    assert np.all(values[-1] < 0.55)
    assert "441 points" in capsys.readouterr().out


@pytest.mark.nightly
def test_which_equation(capsys):
    chosen = which_equation.main(fast=True)
    printed = capsys.readouterr().out
    assert f"use {chosen}: the cheapest" in printed
    assert "exact: langevin" in printed


@pytest.mark.nightly
def test_optomechanics_output(tmp_path, capsys):
    found = optomechanics_output.main(fast=True, folder=tmp_path)
    assert abs(found["read"] / found["held"] - 1) < 1e-3
    # The Langevin equations of both modes eliminated by hand, at every angle: -2.798
    assert found["decibel"] == pytest.approx(-2.798, abs=0.03)
    assert found["slope"] < 0
    assert (tmp_path / "optomechanics_output.png").stat().st_size > 10_000
    assert "homodyne noise" in capsys.readouterr().out


@pytest.mark.nightly
@pytest.mark.parametrize("example", [fit_moments, fit_output_spectrum])
def test_fits_find_what_the_data_were_made_from(example, capsys):
    found = example.main(fast=True)
    assert found.converged
    for name, value in example.TRUE.items():
        assert abs(found.parameters[name] - value) < 3 * found.standard_errors[name]
        assert found.standard_errors[name] < 0.05 * value
    assert abs(found.reduced_chi_squared - 1) < 3 * np.sqrt(2 / found.degrees)
    assert "of its error" in capsys.readouterr().out


@pytest.mark.slow
def test_susceptibility(tmp_path, capsys):
    curves = susceptibility.main(fast=True, folder=tmp_path)
    near = 3  # 1e-4, outside the rounding region of every curve
    assert abs(curves["langevin, position"][near] - 1) < 1e-3
    assert abs(curves["local_lindblad, position"][near] - 1) < 1e-2
    assert abs(curves["langevin, rotating-wave"][near] - 1) < 1e-3
    assert abs(curves["local_lindblad, rotating-wave"][near]) < 1e-3
    assert abs(curves["ground state, position"][-1] - 0.5) < 1e-5
    assert (tmp_path / "exponents.png").stat().st_size > 10_000
    assert "coupling/critical" in capsys.readouterr().out


@pytest.mark.slow
def test_critical_manifold(tmp_path):
    slopes = critical_manifold.main(fast=True, folder=tmp_path)
    # λ_c² (1/ω1 + 1/ω3)/ω2 = 1 for the chain, four times that with κ = λ
    exact = 0.5 / np.sqrt(1 + 1 / 1.3)
    np.testing.assert_allclose(slopes["pairing, λ = 0"], exact, rtol=0.05)
    np.testing.assert_allclose(slopes["position, κ = λ"], exact / 2, rtol=0.05)
    assert (tmp_path / "critical_manifold.png").stat().st_size > 10_000


@pytest.mark.nightly
def test_trust(tmp_path, capsys):
    ratios, found = trust.main(fast=True, folder=tmp_path)
    np.testing.assert_allclose(ratios, [0.846584250, 0.324457825, 0.260349614], atol=1e-8)
    # They cancel along a curve, of which no point is the optimum.
    assert not found.converged
    assert found.value < 1e-15
    assert (tmp_path / "map.png").stat().st_size > 10_000
    assert "within 10 %" in capsys.readouterr().out


@pytest.mark.slow
def test_sweep_to_disk(tmp_path, capsys):
    result = sweep_to_disk.main(fast=True, folder=tmp_path)
    again = jaxosc.load_sweep(tmp_path / "information.zarr")
    for name in ("exact", "local"):
        values = result.values[name][:]
        assert np.isfinite(values).all()
        np.testing.assert_array_equal(again.values[name][:], values)
    # At ΔT = 10 the local equation sees less than half of the information.
    assert np.min(result.values["local"][:, -1] / result.values["exact"][:, -1]) < 0.5
    assert "in place of" in capsys.readouterr().out


@pytest.mark.slow
def test_local_or_global(tmp_path, capsys):
    """Local right at the left, global at the right, detailed balance everywhere (González 2017)."""
    currents = local_or_global.main(fast=True, folder=tmp_path)
    exact = currents["exact"]
    for coupling, current in zip(currents["coupling"], exact, strict=True):
        rates = [local_or_global.RATE] * 2
        landauer = quadrature.drude_heat((1.0, 1.0), coupling, rates, (0.2, 0.1), cutoff=50.0)
        assert current == pytest.approx(landauer, rel=1e-9)
    assert abs(currents["local"][0] / exact[0] - 1) < 1e-4
    assert currents["global"][0] > 400 * exact[0]
    assert currents["local"][-1] < 0.2 * exact[-1]
    assert abs(currents["global"][-1] / exact[-1] - 1) < 3e-3
    np.testing.assert_allclose(currents["detailed balance"], exact, rtol=3e-3)
    assert exact[-1] == pytest.approx(3.457232785843978e-5, rel=1e-9)
    assert (tmp_path / "which-equation.png").stat().st_size > 10_000
    assert "detailed balance" in capsys.readouterr().out


@pytest.mark.nightly
def test_published_heat_currents():
    """Local and global with Ohmic rates, without the cutoff, over the exact current."""
    ohmic = jaxosc.Baths(1e-3, (0.2, 0.1), "ohmic", coupling="position")
    # To half a unit of the last digit given
    published = [(2e-4, (0.99970, 5e-6), (25.99, 5e-3)), (0.45, (0.195, 5e-4), (1.0028, 5e-5))]
    for coupling, *over_exact in published:
        rates = [local_or_global.RATE] * 2
        exact = quadrature.drude_heat((1.0, 1.0), coupling, rates, (0.2, 0.1), cutoff=50.0)
        network = jaxosc.pair((1.0, 1.0), coupling, "position")
        for equation, (value, half) in zip(
            (jaxosc.local_lindblad, jaxosc.global_lindblad), over_exact, strict=True
        ):
            heat = jaxosc.heat_currents(equation(network, ohmic))[0]
            assert float(heat) / exact == pytest.approx(value, abs=half)
