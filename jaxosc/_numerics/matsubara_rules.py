"""Thermal sums T Σ_k f(2πTk) over all integers k, for f even in k, as short weighted sums.

The expansion ½coth(ν/2T) = T Σ_k ν/(ν² + (2πTk)²) turns every thermal integral of a
linear system into the sum

    S(T) = T f(0) + 2T Σ_{k≥1} f(2πTk),        S(0) = (1/π) ∫_0^∞ f(ν) dν,

where f is a rational function of ν whose poles −γ ± iΩ lie between the slowest and the
fastest scale of the system. Summing term by term takes millions of terms; the rules below
take 4 to 24 (hot) or 124 (cold), cost no logarithm and can be differentiated as they stand.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap


class GaussRule(NamedTuple):
    """Σ_{k≥1} f(2πTk) ≈ Σ weights f(2πT nodes) while no pole of f is beyond 2πT reach."""

    reach: float
    nodes: np.ndarray
    weights: np.ndarray


# Σ_{k≥1} k⁻² δ(u − 1/k) is a discrete measure with moments ζ(2), ζ(3), …; these are its Gauss
# rules with 4 to 24 points, as nodes x = 1/u and weights w/u². The first nodes are the
# Matsubara indices themselves. Relative errors of coth: below 3e-16 up to the reach, and some
# two decades more for each quarter beyond.
RULES = (
    GaussRule(
        0.055,
        np.array([
            1.0000206555906248, 2.040853506074222, 4.175499174852215,
            19.55778209267462,
        ]),
        np.array([
            1.0002478721987904, 1.1890719453238163, 4.03722402649327,
            48.838629333554586,
        ]),
    ),
    GaussRule(
        0.9,
        np.array([
            1.0000000000000606, 2.000000191528513, 3.0006455013374707,
            4.061077436125968, 5.72544090683767, 9.619089305148629,
            22.143665162577015, 112.64807847172399,
        ]),
        np.array([
            1.000000000001307, 1.000002027815982, 1.003920710837195,
            1.1995429050590642, 2.3699108609586785, 6.185644848490122,
            24.005486892339636, 286.74081505215065,
        ]),
    ),
    GaussRule(
        3.0,
        np.array([
            1.0, 2.0000000000000053, 3.000000001522935, 4.000006876731855,
            5.002057344722275, 6.0726688415093815, 7.584494329858188,
            10.244889222708235, 15.442095541830966, 27.403439729729772,
            65.32961797578992, 338.54156716243136,
        ]),
        np.array([
            1.0, 1.0000000000000833, 1.0000000154117488, 1.0000476237836795,
            1.00937071948226, 1.1953133246153749, 1.9427393418299954,
            3.582053913506403, 7.400858749940821, 18.833950025472898,
            72.54155959656214, 865.4422333259528,
        ]),
    ),
    GaussRule(
        20.0,
        np.array([
            1.0, 2.0, 3.0, 4.0, 5.0, 6.000000000000001, 7.000000000004131,
            8.000000005572117, 9.000002018364219, 10.000223665193271,
            11.007865844620335, 12.090776117184754, 13.437428869522833,
            15.254580260254192, 17.746037795196017, 21.213824273298467,
            26.172123581282268, 33.54922898273921, 45.15076102377213,
            64.86947160798123, 102.41143591959153, 187.92840327080032,
            458.1519555681691, 2403.2373836459346,
        ]),
        np.array([
            1.0, 1.0, 1.0, 1.0, 1.0, 1.0000000000000062, 1.0000000000327702,
            1.0000000363289971, 1.0000106698756122, 1.0009247998179354,
            1.0234812524921002, 1.176976774212266, 1.5507647561428026,
            2.1155437482405324, 2.916052136123581, 4.102186394288545,
            5.962310066651159, 9.07570891381737, 14.726562666145465,
            26.15379571934504, 53.13103461763712, 134.3698223282471,
            516.5887083809578, 6161.052474820191,
        ]),
    ),
)  # fmt: skip

# Colder than that: the first terms one by one, the rest as an integral from 2πT(K + ½).
# The antisymmetric correction about K + ½ reproduces the Euler-Maclaurin series through
# order 15; with K = 16 the digamma function comes out to 1.4e-15 on the right half-plane.
EXACT_TERMS = 16
END_CORRECTION = np.array([
    0.05984979299564494, -0.00855555593504448, 0.00202784677685052, -0.00048559573118554924,
    9.934977992661571e-05, -1.546661444853505e-05, 1.5892000897396522e-06,
    -7.981009139050703e-08,
])  # fmt: skip
MATSUBARA_INDEX = np.arange(1.0, EXACT_TERMS + len(END_CORRECTION) + 1)
MATSUBARA_WEIGHTS = np.concatenate([
    np.ones(EXACT_TERMS - len(END_CORRECTION)),
    1.0 - END_CORRECTION[::-1],
    END_CORRECTION,
])  # fmt: skip
# Gauss-Legendre panels of the integral: linear below the slowest scale, logarithmic
# between the scales, reciprocal above the fastest. 72 logarithmic nodes keep 1e-14 over
# five decades between the two scales.
_LOW, _MIDDLE, _HIGH = (np.polynomial.legendre.leggauss(n) for n in (14, 72, 14))


@custom_vmap
def largest_of_all(number: jax.Array) -> jax.Array:
    """The number itself, and under ``vmap`` the largest of the batch, one for all.

    ``lax.switch`` on it takes one branch; on numbers that differ it would compute all of them.
    """
    return number


@largest_of_all.def_vmap
def _of_batch(axis_size: int, batched: list[bool], number: jax.Array) -> tuple[jax.Array, bool]:
    del axis_size, batched
    return largest_of_all(jnp.max(number)), False


def rule_number(coldest: jax.Array, fastest: jax.Array) -> jax.Array:
    """Which of the Gauss rules serves; their number if none does."""
    ratio = 2 * math.pi * coldest / fastest
    return jnp.sum(jnp.stack([ratio * rule.reach < 1 for rule in RULES]))


def rule_in_words(coldest: float, fastest: float) -> str:
    """The rule that serves, for known values."""
    number = int(rule_number(jnp.asarray(coldest), jnp.asarray(fastest)))
    if number < len(RULES):
        return f"a Gauss rule of {len(RULES[number].nodes)} nodes"
    return f"{EXACT_TERMS} terms and an integral"


def hot_rule(rule: GaussRule, temperature: jax.Array) -> tuple[jax.Array, jax.Array]:
    index = jnp.asarray(np.concatenate([[0.0], rule.nodes]), temperature.dtype)
    weight = jnp.asarray(np.concatenate([[0.5], rule.weights]), temperature.dtype)
    return 2 * math.pi * index * temperature, 2 * weight * temperature


def cold_rule(
    temperature: jax.Array, slowest: jax.Array, fastest: jax.Array
) -> tuple[jax.Array, jax.Array]:
    def table(values: np.ndarray) -> jax.Array:
        return jnp.asarray(values, temperature.dtype)

    index = table(np.concatenate([[0.0], MATSUBARA_INDEX]))
    weight = table(np.concatenate([[0.5], MATSUBARA_WEIGHTS]))
    start = 2 * math.pi * (EXACT_TERMS + 0.5) * temperature
    # The integral does not depend on where the panels meet, so neither does its derivative.
    low = jax.lax.stop_gradient(start + slowest)
    high = jax.lax.stop_gradient(2 * (start + fastest))
    offset, measure = [], []
    x, w = map(table, _LOW)
    offset.append(low * (x + 1) / 2)
    measure.append(low * w / 2)
    x, w = map(table, _MIDDLE)
    span = jnp.log(high / low)
    offset.append(low * jnp.exp(span * (x + 1) / 2))
    measure.append(offset[-1] * w * span / 2)
    x, w = map(table, _HIGH)
    offset.append(high * 2 / (x + 1))
    measure.append(high * 2 * w / (x + 1) ** 2)
    nodes = [2 * math.pi * index * temperature, start + jnp.concatenate(offset)]
    weights = [2 * weight * temperature, jnp.concatenate(measure) / math.pi]
    return jnp.concatenate(nodes), jnp.concatenate(weights)
