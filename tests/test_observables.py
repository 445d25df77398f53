"""What is asked of a description by name: every number alone is that of the list."""

import jax.numpy as jnp
import numpy as np
import pytest
from precision import digits

import jaxosc
from jaxosc.comparison.measures import _largest
from jaxosc.observables import OBSERVABLES, scalars


def correlated(modes):
    """A covariance of that many warm modes, without a symmetry."""
    random = np.random.default_rng(modes)
    parts = random.normal(size=(2 * modes, 2 * modes))
    return jnp.asarray(np.eye(2 * modes) + parts @ parts.T)


@pytest.mark.parametrize("name", ["coherence", "number_covariance", "g2", "occupation"])
def test_one_number_and_all(name):
    state = correlated(3)
    observable, alone = OBSERVABLES[name], scalars(3, 3)
    numbers = [alone[each](None, state) for each in observable.names(3, 3)]
    np.testing.assert_allclose(observable.values(None, state), numbers, rtol=digits(1e-14))
    public = {
        "coherence": lambda j, k: jaxosc.coherence(state)[j, k],
        "number_covariance": lambda j, k: jaxosc.number_covariance(state)[j, k],
    }
    if name in public:
        pairs = np.array([complex(public[name](j, k)) for j, k in ((0, 1), (0, 2), (1, 2))])
        both = np.stack([pairs.real, pairs.imag], axis=1).reshape(-1)
        expected = both if name == "coherence" else pairs.real
        np.testing.assert_allclose(numbers, expected, rtol=digits(1e-14))


def test_equilibrium_has_no_dynamics():
    """No heat flows, nothing is produced, no work is to be had, and nothing tells a rate."""
    state, alone = correlated(2), scalars(2, 2)
    for name in ("heat1", "heat2", "entropy_production", "ergotropy"):
        assert alone[name](None, state) == 0
        assert np.isnan(alone[name](None, state * jnp.nan))
    assert np.isnan(alone["spectral_gap"](None, state))


def test_one_oscillator_shares_nothing():
    state = correlated(1)
    for name in ("information", "negativity", "steering"):
        assert OBSERVABLES[name].names(1, 1) == ()
        assert OBSERVABLES[name].values(None, state).shape == (0,)
    baths = jaxosc.Baths(0.1, 1.0)
    with pytest.raises(ValueError, match="`observables` must hold one that this network has"):
        jaxosc.compare(jaxosc.Oscillators([1.0], [[0.0]]), baths, ["information"])


def test_an_error_in_decibels_is_that_of_the_variance():
    variances, exact = np.array([0.3, 0.45]), np.array([0.25, 0.5])
    given, reference = (-10 * np.log10(2 * x) for x in (variances, exact))
    error = np.max(np.abs(variances / exact - 1))
    assert _largest("squeezing", given, reference, 1e-15) == pytest.approx(error, rel=1e-12)
