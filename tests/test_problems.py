"""The library against the problem table, and the table against what is known of it."""

from __future__ import annotations

import cases
import mpmath
import numpy as np
import problems
import pytest
import reference
from mpmath import mpf
from precision import EPS, SINGLE, digits

import jaxosc

NAMES = [problem.name for problem in problems.PROBLEMS]
MARKS = {
    "four modes": pytest.mark.nightly,
    "three modes, far apart": pytest.mark.nightly,
    "chain, bare in the middle": pytest.mark.slow,
}


def answer(problem, description):
    return {
        measure: [mpf(text) for text in numbers]
        for measure, numbers in problems.answers()[problem.name][description].items()
    }


def covariance(problem, description):
    oscillators = jaxosc.Oscillators(*problem.network)
    if description == "gibbs":
        return jaxosc.gibbs(oscillators, problem.temperature[0])
    baths = problem.damping, problem.temperature
    if description in problems.GLOBAL:
        dynamics = cases.global_equation(oscillators, *baths, *problems.GLOBAL[description])
    else:
        equation = {"local": jaxosc.local_lindblad, "langevin": jaxosc.langevin}[description]
        dynamics = equation(oscillators, jaxosc.Baths(*baths))
    return jaxosc.steady_state(dynamics)


@pytest.mark.parametrize("description", problems.DESCRIPTIONS)
@pytest.mark.parametrize(
    "problem",
    [pytest.param(problem, marks=MARKS.get(problem.name, ())) for problem in problems.PROBLEMS],
    ids=NAMES,
)
def test_the_library_solves_it(problem, description):
    if SINGLE and "beyond float32" in problem.tags:
        with pytest.raises(ValueError, match="in float32"):
            covariance(problem, "langevin")
        return
    state = covariance(problem, description)
    exact = answer(problem, description)
    number = np.array([float(n) for n in exact["occupation"]])
    modes = len(number)

    allowed = digits(problem.tolerance)

    def close(measure, ours, scale):
        for mine, theirs, size in zip(ours, exact[measure], scale, strict=True):
            error = abs(mpf(float(mine)) - theirs)
            assert error <= allowed * size, (measure, mine, mpmath.nstr(theirs, 17))

    close("occupation", jaxosc.occupation(state), np.abs(number) + 0.5)
    coherence = np.asarray(jaxosc.coherence(state))[np.triu_indices(modes, 1)]
    size = np.sqrt(np.abs(number) + 0.5)
    close(
        "coherence",
        [part for pair in coherence for part in (pair.real, pair.imag)],
        np.repeat(np.outer(size, size)[np.triu_indices(modes, 1)], 2),
    )
    # ν is known to the rounding of σ, and so is ν − ½ in the logarithms of a cold mode
    rounding = EPS * float(np.abs(np.asarray(state)).max()) / allowed
    smallest = float(exact["smallest"][0])
    if SINGLE and np.isnan(jaxosc.symplectic_eigenvalues(state)[0]):
        assert (
            problem.tolerance * 1e-4 > 2**-52
        )  # so near to critical that float32 has no digit left
        assert np.isnan(jaxosc.von_neumann_entropy(state))
        return
    close("smallest", [jaxosc.symplectic_eigenvalues(state)[0]], [smallest + 4 * rounding])
    if SINGLE and 0.5 - 1e-4 < smallest < 0.5:
        return  # float32 cannot tell whether it is a state
    if smallest < 0.5 - 1e-12:  # cold and flat: outside the domain of the Langevin equation
        assert not jaxosc.is_physical(state)
        assert np.isnan(jaxosc.von_neumann_entropy(state))
        return
    assert jaxosc.is_physical(state)
    cold = np.log(1 + 1 / max(smallest - 0.5, EPS / 2))
    close(
        "entropy",
        [jaxosc.von_neumann_entropy(state)],
        [float(exact["entropy"][0]) + modes * cold * (1 + 4 * rounding)],
    )
    close("purity", [jaxosc.purity(state)], [modes * float(exact["purity"][0])])
    if modes > 1:
        information = float(exact["information"][0])
        # for two modes relative to itself; for more, of the entropies that it is made of
        entropy = 0 if modes == 2 else float(exact["entropy"][0]) + modes * cold * (1 + rounding)
        close(
            "information",
            [jaxosc.mutual_information(state, modes=(0,))],
            [max(abs(information), 1e-3) + entropy],
        )


def test_the_table_is_well_formed():
    assert len(set(NAMES)) == len(NAMES)
    assert set(problems.answers()) == set(NAMES)
    tags = {tag for problem in problems.PROBLEMS for tag in problem.tags}
    assert {"critical", "resonance", "cold", "hot", "weak damping", "extreme", "mixed"} <= tags
    for problem in problems.PROBLEMS:
        modes = len(problem.omega)
        assert len(problem.damping) == len(problem.temperature) == modes
        assert problem.reason
        assert 1e-15 < problem.tolerance < 1e-8
        stored = problems.answers()[problem.name]
        assert tuple(stored) == problems.DESCRIPTIONS
        for measures in stored.values():
            assert set(measures) == set(problems.MEASURES)
            assert len(measures["occupation"]) == modes
            assert len(measures["coherence"]) == modes * (modes - 1)
    assert {p.name for p in problems.by_tag("paper", "cold")} == {
        "paper: cold", "paper: rotating wave, cold",
    }  # fmt: skip


# ⟨a_1†a_1⟩ as published in the checked equations: Langevin, and local and global over it
PUBLISHED = {
    "paper: equal and hot": ("60.88319734", "0.79827841", "1.0000000"),
    "paper: half way": ("33.15321123", "1.1767088", "1.0160596"),
    "paper: near critical": ("1363.745351", "0.53106283", "0.8967871"),
    "paper: near critical, reversed": ("664.8094048", "0.55325812", "1.2117250"),
    "paper: cold": ("0.7859562801", "0.80697223", "0.9122467"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_table_against_published_numbers(name):
    problem = problems.PROBLEMS[NAMES.index(name)]
    langevin, local, global_ = (
        answer(problem, description)["occupation"][0]
        for description in ("langevin", "local", "global paper")
    )
    for value, text in zip((langevin, local / langevin, global_ / langevin), PUBLISHED[name],
                           strict=True):  # fmt: skip
        # to the last printed digit; λ itself is a float64 near 0.99 λ_c
        assert abs(value - mpf(text)) <= mpf(10) ** -len(text.partition(".")[2])


def bose(omega, temperature):
    return 1 / mpmath.expm1(mpf(omega) / mpf(temperature))


def test_the_table_against_closed_forms():
    """Uncoupled oscillators are thermal; one mode is; equal temperatures give the Gibbs state."""
    with mpmath.workdps(40):
        for problem in problems.by_tag("closed form"):
            for description in ("local", *problems.GLOBAL):
                exact = answer(problem, description)
                numbers = [
                    bose(*pair) for pair in zip(problem.omega, problem.temperature, strict=True)
                ]
                entropy = sum((n + 1) * mpmath.log(n + 1) - n * mpmath.log(n) for n in numbers)
                for ours, theirs in zip(exact["occupation"], numbers, strict=True):
                    assert abs(ours / theirs - 1) < mpf(10) ** -24
                assert abs(exact["entropy"][0] / entropy - 1) < mpf(10) ** -24
        for problem in problems.by_tag("equilibrium"):
            gibbs, global_ = (answer(problem, name) for name in ("gibbs", "global"))
            for ours, theirs in zip(gibbs["occupation"], global_["occupation"], strict=True):
                assert abs(ours / theirs - 1) < mpf(10) ** -23


@pytest.mark.nightly
@pytest.mark.parametrize("problem", problems.PROBLEMS, ids=NAMES)
def test_the_stored_answers_are_those_of_the_reference(problem):
    for description in problems.DESCRIPTIONS:
        with mpmath.workdps(reference.DIGITS + 20):  # what rounding left would differ
            found = problems.evaluate(problem, description)
        assert found == problems.answers()[problem.name][description]
