"""Everything works where JAX is told to stop at every NaN and infinity that a program returns."""

import contextlib
import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from legs import others_at_night
from precision import DTYPE, double
from test_readme import BLOCK, ROOT

import jaxosc


def pair(coupling=1.0):
    return jaxosc.pair((5.0, 2.0), coupling, "position")


def ring(modes):
    exchange = 0.1 * (np.eye(modes, k=1) + np.eye(modes, k=-1))
    return jaxosc.Oscillators(np.linspace(1.0, 1.5, modes), exchange, 0.3 * exchange)


def baths(modes=2, temperature=1.0):
    return jaxosc.Baths([1e-2] * modes, [temperature] * modes)


def number(coupling):
    return jaxosc.occupation(jaxosc.gibbs(pair(coupling), 98.0))[0]


def near(distance):
    oscillators = jaxosc.pair((5.0, 2.0), interaction="position", distance=distance)
    return jaxosc.occupation(jaxosc.gibbs(oscillators, 98.0))[0]


def white():
    return jaxosc.Baths((0.1, 0.2), occupation=(0.0, 2.0), squeezing=(0.0, 0.5j))


def structured():
    drude = jaxosc.spectra.Drude(5.0)
    return jaxosc.Baths(1e-2, 1.0, drude, coupling="position")


def spectra():
    table = np.geomspace(1e-2, 50, 40)
    drude = jaxosc.spectra.Drude(5.0, reference=1.0)
    every = (
        jaxosc.spectra.Ohmic(reference=1.0), drude, 0.3 * drude + drude,
        jaxosc.spectra.Brownian(1.0, 0.1, reference=1.0),
        jaxosc.spectra.PowerLaw(1, 3.0, reference=1.0),
        jaxosc.spectra.Sampled(table, table / (1 + table**2), 1e-4, reference=1.0),
    )  # fmt: skip
    at = jnp.asarray([-1.0, 0.0, 2.0], DTYPE)
    return [
        (each.rate(at), each.susceptibility(at), each.static_susceptibility(), each.terms())
        for each in every
    ]


def driven():
    return jaxosc.Oscillators([-1.0, 1.0], [[0, 0.1j], [-0.1j, 0]], 0.1 * np.eye(2), (1.0, 0.5j))


def description(name):
    equation = getattr(jaxosc, name)
    return [
        jaxosc.steady_state(equation(*arguments))
        for arguments in (
            (pair(), baths()), (pair(0.0), baths(2, 0.0)), (ring(3), baths(3)),
        )
    ]  # fmt: skip


def measure(name):
    function = getattr(jaxosc, name)
    for modes in (1, 2, 3):
        pairs = name in ("mutual_information", "logarithmic_negativity", "steering")
        group = {"modes": (0,)} if pairs else {}
        if (modes == 1 and group) or (modes != 2 and name == "discord"):
            continue
        for state in (
            0.5 * np.eye(2 * modes),
            0.7 * np.eye(2 * modes),
            jaxosc.gibbs(ring(modes), 1.0),
        ):
            jax.block_until_ready(function(state, **group))
    state = jnp.asarray(np.diag([0.7, 0.7, 2.0, 1.0]), DTYPE)
    if name not in ("is_physical", "coherence"):
        jax.grad(lambda state: jnp.sum(function(state)))(state)
    jax.jit(jax.vmap(function))(jnp.stack([state] * 3))


def distance(function):
    for modes in (1, 2, 3):
        states = [x * jnp.eye(2 * modes, dtype=DTYPE) for x in (0.5, 0.7)]
        for one in states:
            for other in states:
                jax.block_until_ready(function(one, other))
        mixed = states[1:] * 2  # of a pure second state an entropy is infinite
        jax.jit(jax.vmap(function))(jnp.stack(states), jnp.stack(mixed))
    jax.grad(function)(*states)


def thermal(parameter):
    """The vacuum at zero."""
    number = jnp.squeeze(parameter) ** 2
    return (0.5 + number) * jnp.eye(2, dtype=number.dtype)


def frontier(tolerance):
    return jaxosc.trust_frontier(
        pair(), baths(2, 98.0), jaxosc.local_lindblad,
        lambda state: jaxosc.occupation(state)[0], tolerance,
    )  # fmt: skip


def sweeps(folder):
    couplings = {"coupling": np.linspace(0.0, 3.0, 8)}  # the last ones past the critical one
    result = jaxosc.sweep(number, couplings)
    assert np.isnan(result.values).sum() == 4
    result.save(folder / "some.npz")
    again = jaxosc.load_sweep(folder / "some.npz")
    np.testing.assert_array_equal(again.values, result.values)
    reduce = {"max": "max", "nanmean": "nanmean", "own": jaxosc.histogram(0.0, 100.0, 4)}
    assert np.isnan(jaxosc.sweep(number, couplings, reduce=reduce).values["max"])


FEW = ("detailed-balance", "local")
MEASURES = (
    "occupation", "coherence", "symplectic_eigenvalues", "von_neumann_entropy",
    "mutual_information", "purity", "is_physical", "logarithmic_negativity", "steering", "discord",
    "squeezing", "squeezing_angle", "number_covariance", "g2",
)  # fmt: skip
CALLS = {
    "renyi_entropy": lambda folder: [
        jaxosc.renyi_entropy(0.5 * np.eye(2 * n), order) for n in (1, 2, 3) for order in (1.0, 2.0)
    ],
    "wigner": lambda folder: jaxosc.wigner(0.5 * np.eye(4), np.zeros(2), np.ones(3)),
    "pair": lambda folder: (pair(), jaxosc.pair((5.0, 2.0), distance=1e-3, interaction="position")),
    "critical_coupling": lambda folder: jaxosc.critical_coupling((5.0, 2.0), "position"),
    "normal_modes": lambda folder: [jaxosc.normal_modes(ring(modes)) for modes in (1, 2, 3)],
    "gibbs": lambda folder: [jaxosc.gibbs(ring(n), t) for n in (1, 2, 3) for t in (0.0, 1.0)],
    "langevin_quadrature": lambda folder: jaxosc.langevin_quadrature(pair(), baths()),
    "langevin_spectrum": lambda folder: jaxosc.langevin_spectrum(pair(), baths(), np.ones(3)),
    # infinite without couplings
    "critical_scale": lambda folder: [jaxosc.critical_scale(x) for x in (pair(), pair(0.0))],
    "stability_scale": lambda folder: [
        jaxosc.stability_scale(x, baths()) for x in (pair(), pair(0.0))
    ],
    "mean_force_gibbs": lambda folder: [
        jaxosc.mean_force_gibbs(pair(), structured()),
        jaxosc.steady_state(jaxosc.langevin(pair(), structured())),
    ],
    "lindblad": lambda folder: jaxosc.steady_state(jaxosc.lindblad(driven(), np.eye(2))),
    "steady_mean": lambda folder: jaxosc.steady_mean(jaxosc.local_lindblad(driven(), white())),
    **{
        name: lambda folder, verb=verb: [
            verb(jaxosc.langevin(pair(), some)) for some in (baths(), white(), structured())
        ]
        for name, verb in (
            ("evolve", lambda dynamics: jaxosc.evolve(dynamics, np.eye(4) / 2, [0.0, 1e3])),
            ("correlation", lambda dynamics: jaxosc.correlation(dynamics, [-1.0, 0.0, 1e3])),
        )
    },
    "status": lambda folder: [
        jax.jit(lambda x: jaxosc.status(jaxosc.langevin(pair(x), baths())))(x) for x in (1.0, 3.0)
    ],
    "explain": lambda folder: [
        str(jaxosc.explain(pair(x), some)) for x in (1.0, 3.0) for some in (baths(), white())
    ],
    "spectra": lambda folder: spectra(),
    "diagnose": lambda folder: [
        str(jaxosc.diagnose(*arguments))
        for arguments in ((pair(), baths()), (pair(0.0), baths(2, 0.0)), (pair(3.0), baths()))
    ],
    "compare": lambda folder: [
        str(jaxosc.compare(*arguments, ["heat_currents"], descriptions=FEW).recommend())
        for arguments in ((pair(), baths()), (pair(), structured()), (pair(3.0), baths()))
    ],
    "susceptibility": lambda folder: [
        jaxosc.susceptibility(number, {"coupling": np.array([0.5, 3.0])}, "coupling", mode)
        for mode in ("forward", "reverse")
    ],
    "critical_exponent": lambda folder: jaxosc.critical_exponent(
        near, {"distance": np.array([1e-3, -0.1])}
    ),
    "logarithmic_slope": lambda folder: jaxosc.logarithmic_slope(
        near, {"distance": np.array([1e-3, -0.1])}
    ),
    "trust_frontier": lambda folder: [frontier(t).reason for t in (0.1, 50.0, 1e-9)],
    "trace_curve": lambda folder: jaxosc.trace_curve(
        lambda x, y: jnp.where(x < 0.5, 1 - x - y, jnp.nan),
        {"x": 0.0, "y": 1.0},
        {"x": (-2, 2), "y": (-2, 2)},
    ),
    "fidelity": lambda folder: distance(jaxosc.fidelity),
    "relative_entropy": lambda folder: distance(jaxosc.relative_entropy),
    "quantum_fisher_information": lambda folder: [
        jaxosc.quantum_fisher_information(thermal, x) for x in (0.0, 1.0, np.array([0.5]))
    ],
    "fisher_information": lambda folder: [
        jaxosc.fisher_information(thermal, 1.0, measurement)
        for measurement in ("homodyne", "heterodyne")
    ],
    "fit": lambda folder: str(
        jaxosc.fit(number, 1.0, 0.1, {"coupling": 1.0}, {"coupling": (0.0, 3.0)})
    ),
    "optimize": lambda folder: jaxosc.optimize(
        number, {"coupling": 1.0}, {"coupling": (0.0, 3.0)}, maximize=True
    ),
    "sweep": sweeps,
    **{
        name: lambda folder, name=name: description(name)
        for name in ("local_lindblad", "global_lindblad", "langevin", "detailed_balance_lindblad")
    },
    "redfield": lambda folder: [
        jaxosc.steady_state(jaxosc.redfield(pair(), structured(), lamb_shift=True)),
        jaxosc.steady_state(jaxosc.redfield(pair(0.0), baths(2, 0.0))),
    ],
    **{
        name: lambda folder, name=name: jaxosc.heat_currents(
            getattr(jaxosc, name)(pair(), structured())
        )
        for name in (
            "partial_secular",
            "unified_lindblad",
            "universal_lindblad",
            "coarse_grained_lindblad",
        )
    },
    **{
        name: lambda folder, name=name: [
            getattr(jaxosc, name)(equation(pair(), some))
            for equation in (jaxosc.local_lindblad, jaxosc.langevin)
            for some in (baths(), white())
        ]
        for name in (
            "heat_currents",
            "entropy_production",
            "is_completely_positive",
            "complete_positivity_margin",
        )
    },
    "work_current": lambda folder: [
        jaxosc.work_current(jaxosc.local_lindblad(pair(), some)) for some in (baths(), white())
    ],
    **{
        name: lambda folder, name=name: [
            getattr(jaxosc, name)(network, jaxosc.gibbs(network, 1.0))
            for network in (pair(), pair(0.0), ring(3))
        ]
        for name in ("energy", "energy_flow", "ergotropy")
    },
    "free_energy": lambda folder: [
        (jaxosc.free_energy(ring(3), t), jaxosc.free_energy(pair(), t, 0.5 * np.eye(4)))
        for t in (0.0, 1.0)
    ],
    "transmission": lambda folder: [
        jaxosc.transmission(pair(), some, [0.0, 1.0]) for some in (baths(), white(), structured())
    ],
    "conductance": lambda folder: jaxosc.conductance(pair(), structured()),
    "rectification": lambda folder: [  # no heat flows
        jaxosc.rectification(pair(), baths(), jaxosc.global_lindblad),
        jaxosc.rectification(pair(), structured()),
    ],
    **{
        name: lambda folder, name=name: [
            getattr(jaxosc, name)(jaxosc.langevin(pair(), some), np.array([0.0, 1.0]))
            for some in (baths(), structured())
        ]
        for name in ("spectrum", "response")
    },
    **{
        name: lambda folder, name=name: [
            getattr(jaxosc, name)(jaxosc.local_lindblad(some, white()), np.array([0.0, 1.0]))
            for some in (pair(), pair(0.0))
        ]
        for name in ("output_spectrum", "emission_spectrum", "scattering")
    },
    **{
        name: lambda folder, name=name: [
            getattr(jaxosc, name)(jaxosc.local_lindblad(some, white()))
            for some in (pair(), pair(0.0))
        ]
        for name in ("relaxation_rates", "spectral_gap", "eigenvalue_conditions")
    },
    **{name: lambda folder, name=name: measure(name) for name in MEASURES},
}
# Records, and what the calls above use
WITHIN = {
    "Baths", "Comparison", "CriticalCurve", "Diagnosis", "Dynamics", "EigenvalueConditions",
    "Evolution", "Explanation", "Fit", "Frontier", "NormalModes", "Optimum", "Oscillators",
    "Recommendation", "Reduction", "Status", "SweepResult", "__version__", "histogram",
    "keep_compiled", "load_sweep", "steady_state",
}  # fmt: skip


def test_nothing_is_left_out():
    assert set(CALLS) | WITHIN == set(jaxosc.__all__)


@contextlib.contextmanager
def watched():
    with jax.debug_nans(True), jax.debug_infs(True):
        with pytest.raises(FloatingPointError):
            jnp.log(jnp.zeros(()))
        yield


# One of each kind; the others compile programs of their own
QUICK = {
    "critical_scale", "free_energy", "langevin", "local_lindblad", "squeezing_angle", "sweep",
    "wigner",
}  # fmt: skip
LATER = {"gibbs", "global_lindblad", "lindblad", "normal_modes", "optimize", "scattering"}


@pytest.mark.parametrize("name", others_at_night(CALLS, QUICK, LATER))
def test_public_face(name, tmp_path):
    with watched():
        jax.block_until_ready(CALLS[name](tmp_path))


@pytest.mark.nightly
@double
def test_readme():
    """Every block of it, in the reader's promotion rules."""
    blocks = BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    namespace: dict = {}
    with (
        watched(),
        contextlib.redirect_stdout(io.StringIO()),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        for language, code in blocks:
            if language == "python":
                exec(code, namespace)
