"""The examples run, in their fast mode, and show what they claim."""

import compare_descriptions
import numpy as np
import susceptibility
import temperature_grid


def test_compare_descriptions(capsys):
    occupations = compare_descriptions.main(fast=True)
    exact = occupations["Langevin (exact)"]
    assert abs(occupations["global, Caldeira-Leggett rates"] / exact - 1) < 1e-6
    assert occupations["local Lindblad"] < occupations["global, paper's rates"] < exact
    assert "Flat Langevin model: inside its domain" in capsys.readouterr().out


def test_temperature_grid(capsys):
    values = np.asarray(temperature_grid.main(fast=True))
    assert values.shape == (21, 21)
    np.testing.assert_allclose(values[0], 1, atol=1e-3)  # uncoupled: nothing to get wrong
    assert np.all(values[-1] < 0.55)
    assert "441 points" in capsys.readouterr().out


def test_susceptibility(capsys):
    curves = susceptibility.main(fast=True)
    assert abs(curves["langevin, position"][-1] - 1) < 1e-2
    assert abs(curves["local_lindblad, position"][-1] - 1) < 1e-2
    assert abs(curves["langevin, rotating-wave"][-1] - 1) < 1e-2
    assert abs(curves["local_lindblad, rotating-wave"][-1]) < 1e-3
    assert "coupling/critical" in capsys.readouterr().out
