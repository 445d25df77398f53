"""`compare`: every description beside the exact one, and what it says where there is none."""

import csv
import dataclasses
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import nightly, others_at_night, slow
from precision import digits, double

import jaxosc
from jaxosc._scales import DOMAINS
from jaxosc.cli import main
from jaxosc.comparison.advice import _failure, choose
from jaxosc.comparison.measures import Question
from jaxosc.comparison.row import Row
from jaxosc.comparison.tables import WIDTH
from jaxosc.equations.registry import EQUATIONS
from jaxosc.figures import comparison_figure
from jaxosc.observables import OBSERVABLES, scalars

# Each description compiles for seconds for each kind of baths and number of oscillators.
FEW = ("global", "local")
SOME = ("redfield", *FEW)
DRUDE = jaxosc.spectra.Drude(cutoff=10.0)


def warm(damping=1e-3, coupling=0.1, frequency=(1.0, 1.5), temperature=(1.0, 2.0)):
    baths = jaxosc.Baths(damping, temperature, DRUDE, coupling="position")
    return jaxosc.pair(frequency, coupling, "position"), baths


@pytest.fixture(scope="module")
def found():
    return jaxosc.compare(*warm(), descriptions=SOME)


@pytest.mark.nightly
def test_every_description_has_a_row():
    found = jaxosc.compare(*warm())
    assert {row.name for row in found.rows} == set(EQUATIONS)
    assert "nan" not in str(found) + str(found.recommend())
    assert all(row.physical for row in found.rows)
    # At this weak coupling the worst of them but the local one is within some per cent.
    assert found.rows[-1].name == "local"
    assert max(row.errors["occupation"] for row in found.rows[:-1]) < 2e-3


@pytest.mark.slow
def test_every_description_keeps_a_row(found):
    assert found.exact == "langevin"
    assert found.rows[0].name == "langevin"
    assert {row.name for row in found.rows} == {"langevin", *SOME}
    errors = [row.error for row in found.rows]
    assert errors == sorted(errors)
    assert errors[0] == 0


@pytest.mark.parametrize("name", others_at_night(["langevin", *SOME], [], ["local", "langevin"]))
def test_values_are_those_of_the_library(found, name):
    network, baths = warm()
    dynamics = EQUATIONS[name](network, baths)
    covariance = jaxosc.steady_state(dynamics)
    row = found[name]
    coherence = jaxosc.coherence(covariance)[0, 1]
    expected = {
        "occupation1": jaxosc.occupation(covariance)[0],
        "occupation2": jaxosc.occupation(covariance)[1],
        "coherence_real": coherence.real,
        "coherence_imag": coherence.imag,
        "information": jaxosc.mutual_information(covariance),
        "heat1": jaxosc.heat_currents(dynamics)[0],
        "heat2": jaxosc.heat_currents(dynamics)[1],
    }
    assert list(row.values) == list(expected)
    for key, value in expected.items():
        assert row.values[key] == pytest.approx(float(value), rel=digits(1e-13), nan_ok=True)
    assert row.physical
    assert row.physical == bool(jaxosc.is_physical(covariance))


@double  # in single precision some of them are within rounding, and zero
def test_errors_are_relative_to_the_exact_one(found):
    exact = jaxosc.steady_state(jaxosc.langevin(*warm()))
    for name in SOME:
        covariance = jaxosc.steady_state(EQUATIONS[name](*warm()))
        ratio = np.asarray(jaxosc.occupation(covariance) / jaxosc.occupation(exact))
        wrong = found[name].errors
        assert wrong["occupation"] == pytest.approx(abs(ratio - 1).max(), rel=digits(1e-9))
        one, other = jaxosc.coherence(covariance)[0, 1], jaxosc.coherence(exact)[0, 1]
        assert wrong["coherence"] == pytest.approx(
            abs(complex(one - other)) / abs(complex(other)), rel=digits(1e-9)
        )


@pytest.mark.parametrize("name", ["redfield", *slow("global")])
def test_positivity_by_the_jumps(found, name):
    """D + (i/2)(AJ + JAᵀ) has no negative eigenvalue where the generator is one of Lindblad's."""
    dynamics = EQUATIONS[name](*warm())
    drift, diffusion = np.asarray(dynamics.drift), np.asarray(dynamics.diffusion)
    form = np.kron(np.eye(2), [[0, 1], [-1, 0]])
    eigenvalues = np.linalg.eigvalsh(diffusion + 0.5j * (drift @ form + form @ drift.T))
    row = found[name]
    rounding = float(np.finfo(drift.dtype).eps * 100 * abs(diffusion).max())
    production = row.entropy_production
    assert production == pytest.approx(
        float(jaxosc.entropy_production(dynamics)), rel=digits(1e-8), abs=rounding
    )
    assert row.second_law == (production > -rounding)
    assert row.margin == pytest.approx(float(eigenvalues[0]), abs=rounding)
    assert row.completely_positive == (eigenvalues[0] > -rounding)
    assert found["langevin"].completely_positive is None
    assert math.isnan(found["langevin"].margin)


def test_numbers_for_programs(found):
    records = found.records()
    assert [record["description"] for record in records] == [row.name for row in found.rows]
    assert len({tuple(record) for record in records}) == 1
    data = found.to_xarray()
    assert data.sizes == {
        "description": 4, "quantity": 7, "observable": 4,
    }  # fmt: skip
    for row in found.rows:
        one = data.sel(description=row.name)
        assert float(one["value"].sel(quantity="occupation2")) == row.values["occupation2"]
        assert float(one["error"].sel(observable="information")) == row.errors["information"]
        assert float(one.physical) == row.physical
    assert np.isnan(data.completely_positive.sel(description="langevin"))
    assert found.to_xarray().attrs["exact"] == "langevin"


def test_words(found):
    words = str(found)
    assert max(map(len, words.splitlines())) <= WIDTH
    for row in found.rows:
        assert f"\n{row.name}: " in words
    assert "NOT detuning << frequency, for heat (ratio 0.5)" in " ".join(words.split())
    markup = found._repr_html_()
    assert markup.count("<table>") == 2
    for row in found.rows:
        assert markup.count(f"<th>{row.name}</th>") == 2
    with pytest.raises(ValueError, match="Argument `name` must be one of 'langevin'"):
        found["davies"]


@pytest.mark.slow
def test_the_cheapest_within_the_tolerance_and_what_breaks_it():
    network, baths = warm()
    asked = {"n1": lambda covariance: jaxosc.occupation(covariance)[0]}
    found = jaxosc.compare(network, baths, asked, descriptions=SOME)
    advice = found.recommend()
    within = [row for row in found.rows if row.error <= 0.01]
    assert found[advice.name].cost == min(row.cost for row in within)
    assert advice.name == "global"
    assert found.recommend(1e-12).name == "langevin"
    assert "no approximation is within 1e-12" in found.recommend(1e-12).reason
    assert found.recommend(0.5).name == "global"  # as cheap as the local one, and nearer

    # What it says breaks it does, and the factor before it does not.
    advice = jaxosc.compare(*warm(1e-4, 0.01), asked, descriptions=["local"]).recommend()
    (words,) = [each for each in advice.breaks if each.startswith("all couplings x")]
    factor = float(words.split("x ")[1].split(":")[0])
    equation = EQUATIONS[advice.name]

    def error(scale):
        changed = warm(1e-4, 0.01 * scale)
        one, other = (
            float(asked["n1"](jaxosc.steady_state(each(*changed))))
            for each in (equation, jaxosc.langevin)
        )
        return abs(one / other - 1)

    assert "off by" in words
    tried = [2.0, 5.0, 10.0]
    assert [error(each) <= 0.01 for each in tried].index(False) == tried.index(factor)


def test_a_current_where_the_exact_one_is_zero():
    """The local equation's heat flows between equal temperatures: no relative error is finite."""
    network = warm(0.01, 0.25, temperature=(1.0, 1.0))
    found = jaxosc.compare(*network, ["heat_currents"], descriptions=SOME)
    for name in ("redfield", "global"):
        assert found[name].errors["heat_currents"] == 0
    assert found["local"].errors["heat_currents"] == math.inf
    alone = jaxosc.compare(*network, ["heat_currents"], descriptions=["local"])
    assert alone.recommend().name == "langevin"
    assert "has heat_currents where the exact one is zero" in " ".join(str(alone).split())


def test_the_current_of_the_local_equation():
    """Off by 1.2 to 1.7 times the detuning however weak the coupling, as `diagnose` says."""
    for detuning in (0.03, 0.1, 0.5):
        network, baths = warm(1e-4, 1e-2, (1.0, 1.0 + detuning))
        found = jaxosc.compare(network, baths, ["heat_currents"], descriptions=SOME)
        wrong = found["local"].errors["heat_currents"]
        assert 1.1 < wrong / detuning < 1.8
        low, high = 120 * detuning, 170 * detuning
        assert f"off by about {low:.2g} to {high:.2g} %" in str(jaxosc.diagnose(network, baths))
        assert found["redfield"].errors["heat_currents"] < 2e-3


@pytest.mark.nightly
def test_baths_of_positive_frequencies_are_compared_with_the_integral():
    network = jaxosc.pair((1.0, 1.4), 0.1, "rotating-wave")
    baths = jaxosc.Baths(1e-3, (1.0, 2.0), DRUDE)
    found = jaxosc.compare(network, baths, descriptions=FEW)
    assert found.exact == "langevin_quadrature"
    assert "it has no heat currents" in found.reference
    exact = jaxosc.occupation(jaxosc.langevin_quadrature(network, baths))
    row = found["langevin_quadrature"]
    assert row.values["occupation1"] == pytest.approx(float(exact[0]), rel=digits(1e-12))
    assert math.isnan(row.values["heat1"])
    assert math.isnan(found["global"].errors["heat_currents"])
    assert found["global"].errors["occupation"] < 0.02


@pytest.mark.slow
def test_one_oscillator_beside_the_integral():
    one, spectrum = jaxosc.Oscillators([1.2], [[0.0]]), jaxosc.spectra.PowerLaw(2, 3.0)
    baths = jaxosc.Baths(1e-3, 1.0, spectrum)
    asked = ["occupation", "ergotropy"]
    found = jaxosc.compare(one, baths, asked, descriptions=["local"])
    assert found.exact == "langevin_quadrature"
    row = found["langevin_quadrature"]
    assert row.domain == "exact, by integration over all frequencies"
    assert math.isnan(row.values["ergotropy"])
    exact = jaxosc.occupation(jaxosc.langevin_quadrature(one, baths))
    assert row.values["occupation1"] == pytest.approx(float(exact[0]), rel=digits(1e-12))
    # An oscillator that a bath hardly disturbs has the temperature of the bath.
    assert 0 < found["local"].errors["occupation"] < 0.01


def test_the_choice():
    """The cheapest of those within the tolerance, the exact one where none is cheaper."""

    def row(name, cost, error):
        known = {field.name: None for field in dataclasses.fields(Row)}
        own = {"name": name, "cost": cost, "errors": {"occupation": error}}
        return Row(**known | own | {"physical": True, "answered": True})

    exact, rough = row("langevin", 2.0, 0.0), row("local", 3.0, 0.01)
    assert choose([exact, rough], None, 0.1) == (None, "there is nothing to compare with.")
    nowhere = [row("langevin", 2.0, math.nan)]
    assert (
        choose(nowhere, "langevin", 0.1)[1] == "no observable has an exact value to compare with."
    )
    chosen, words = choose([exact, rough], "langevin", 0.1)
    assert chosen is exact
    assert words == "the exact one, which costs no more than the others within 0.1."
    assert choose([exact, row("local", 1.0, 0.01)], "langevin", 0.1)[0].name == "local"


def test_what_has_no_answer_breaks():
    network, baths = warm(coupling=2.0)
    question = Question(network, baths, OBSERVABLES)
    assert _failure("langevin", "langevin", question, 0.1).startswith("no answer. Argument `osc")


@pytest.mark.parametrize(
    ("baths", "words"),
    [
        *nightly((dict(spectrum="ohmic", coupling="position"), "diverge without a cutoff")),
        (dict(spectrum="flat", coupling="position"), "none, there is nothing to compare with"),
    ],
)
def test_no_exact_answer(baths, words):
    network, _ = warm()
    found = jaxosc.compare(network, jaxosc.Baths(1e-3, (1.0, 2.0), **baths), descriptions=["local"])
    assert found.exact is None
    assert words in found.reference
    assert all(math.isnan(row.error) for row in found.rows)
    assert found["local"].physical
    advice = found.recommend()
    assert advice.name is None
    assert "nothing to compare with" in str(advice)
    assert advice.breaks == ()


@pytest.mark.slow
def test_a_state_that_is_none():
    """Flat damping of a cold, soft oscillator gives a covariance that belongs to no state."""
    network = jaxosc.Oscillators([1.0], [[0.0]])
    found = jaxosc.compare(network, jaxosc.Baths(0.9, 0.0), descriptions=["local"])
    assert not found["langevin"].physical
    assert found.exact is None
    assert "flat damping is out of its domain" in found.reference


def test_a_reason_in_place_of_an_answer():
    network, _ = warm(coupling=2.0)
    found = jaxosc.compare(network, jaxosc.Baths(1e-3, (1.0, 2.0)), descriptions=FEW)
    for row in found.rows:
        assert not row.answered
        assert row.reason.startswith("no answer. ")
        assert row.physical is None
    assert "bounded below" in found["global"].reason
    baths = jaxosc.Baths(0.01, occupation=(1.0, 2.0))
    white = jaxosc.compare(warm()[0], baths, ["occupation"], descriptions=FEW)
    assert "`occupation`" in white["global"].reason
    assert white["local"].error == 0
    assert white["langevin"].completely_positive is True  # white noise is Markovian


@pytest.mark.parametrize("modes", nightly(1, 3))
def test_other_numbers_of_oscillators(modes):
    frequency = np.linspace(1.0, 1.5, modes)
    network = jaxosc.Oscillators(frequency, 0.05 * (1 - np.eye(modes)))
    baths = jaxosc.Baths(1e-3, np.linspace(1.0, 2.0, modes))
    found = jaxosc.compare(network, baths, list(OBSERVABLES), descriptions=FEW)
    names = set(found["local"].values)
    assert {f"occupation{j + 1}" for j in range(modes)} <= names
    assert {f"heat{j + 1}" for j in range(modes)} <= names
    assert ("information" in names) == (modes > 1)
    assert sum(name.startswith("coherence") for name in names) == modes * (modes - 1)
    assert names == set(scalars(modes, modes))
    assert "nan" not in str(found)
    with pytest.raises(ValueError, match="must hold one that this network has"):
        jaxosc.compare(jaxosc.Oscillators([1.0], [[0.0]]), jaxosc.Baths(0.1, 1.0), ["coherence"])


@pytest.mark.nightly
def test_no_temperature_no_coupling_no_damping():
    for network, baths in (
        warm(temperature=(0.0, 0.0)), warm(coupling=0.0), (warm()[0], jaxosc.Baths((0.0, 0.0))),
    ):  # fmt: skip
        found = jaxosc.compare(network, baths, ["heat_currents"], descriptions=FEW)
        assert "nan" not in str(found) + str(found.recommend())


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        (dict(observables="occupation"), "must be a sequence of names"),
        (dict(observables=["temperature"]), "`observables` must be one of 'occupation'"),
        (dict(observables=[]), "must hold at least one"),
        (dict(observables={"a": 1.0}), "must map names to functions"),
        (dict(observables={"a": lambda covariance: covariance}), "return one real number"),
        (dict(descriptions=["davies"]), "`descriptions` must be one of 'detailed-balance'"),
        (dict(descriptions="local"), "must be a sequence of names"),
        (dict(descriptions=["local", "local"]), "must hold different names"),
        (dict(tolerance=0.0), "`tolerance` must be a positive number"),
        (dict(tolerance="small"), "`tolerance` must be a positive number"),
        (dict(oscillators=1.0), "Argument `oscillators`"),
        (dict(baths=1.0), "Argument `baths`"),
    ],
)
def test_bad_input(keywords, words):
    network, baths = warm()
    arguments = {"oscillators": network, "baths": baths, **keywords}
    with pytest.raises(ValueError, match=words):
        jaxosc.compare(**arguments)


def test_traced_values_are_refused():
    @jax.jit
    def traced(coupling):
        jaxosc.compare(*warm(coupling=coupling))
        return coupling

    with pytest.raises(ValueError, match="call compare outside jit"):
        traced(0.1)


def test_the_names_of_sweeps_are_those_numbers(found):
    network, baths = warm()
    named = scalars(2, 2)
    dynamics = jaxosc.global_lindblad(network, baths)
    covariance = jaxosc.steady_state(dynamics)
    for name, value in found["global"].values.items():
        assert float(named[name](dynamics, covariance)) == pytest.approx(value, rel=digits(1e-13))
    gibbs = jaxosc.gibbs(network, 1.0)
    assert float(named["heat1"](None, gibbs)) == 0
    assert float(named["entropy_production"](None, gibbs)) == 0
    assert jnp.isnan(named["heat2"](None, gibbs * jnp.nan))


@pytest.mark.slow
def test_the_picture(found, tmp_path):
    files = comparison_figure(found, tmp_path / "errors.png")
    assert [file.name for file in files] == ["errors.png", "errors.pdf"]
    assert files[0].read_bytes().startswith(b"\x89PNG")
    before = [file.read_bytes() for file in files]
    again = comparison_figure(found, tmp_path / "errors")
    assert [file.read_bytes() for file in again] == before
    with pytest.raises(ValueError, match=r"must be a jaxosc\.Comparison"):
        comparison_figure(1.0, tmp_path / "a")


COMMAND = ["compare", "omega1=1", "omega2=1.5", "ratio=0.08", "temperature1=1", "delta_t=1",
           "damping1=1e-3", "damping2=1e-3", "--cutoff", "10", "--descriptions", *SOME]  # fmt: skip


def test_every_description_has_a_domain():
    assert set(DOMAINS) == set(EQUATIONS)
    assert DOMAINS["local"].cost == 1


@double
def test_the_command(tmp_path, capsys):
    assert main([*COMMAND, "--output", str(tmp_path / "a.csv")]) == 0
    printed = capsys.readouterr().out
    coupling = 0.08 * float(jaxosc.critical_coupling((1.0, 1.5), "position"))
    expected = jaxosc.compare(*warm(coupling=coupling), descriptions=SOME)
    assert printed.startswith(str(expected))
    assert "wrote" in printed.splitlines()[-1]
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["description"] for row in rows] == [row.name for row in expected.rows]
    for row, other in zip(rows, expected.rows, strict=True):
        assert float(row["occupation1"]) == other.values["occupation1"]
    assert main([*COMMAND, "--output", str(tmp_path / "a.json")]) == 0
    loaded = json.loads((tmp_path / "a.json").read_text())
    assert loaded[1]["description"] == expected.rows[1].name
    assert main([*COMMAND, "--output", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ratio=0:0.5:3"], "a comparison is one of a point"),
        (["--output", "a.txt"], "`output` must be one of '.csv'"),
        (["--cutoff", "-1"], "`cutoff` must be positive"),
        (["--spectrum", "flat", "--cutoff", "1"], "`cutoff` must be left out"),
        (["--tolerance", "0"], "`tolerance` must be a positive number"),
        (["size=1"], "`axis` must be one of"),
    ],
)
def test_what_the_command_refuses(arguments, words, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(["compare", *arguments]) == 2
    assert words in capsys.readouterr().err
