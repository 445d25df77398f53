"""Steady covariance of two damped modes, Aσ + σAᵀ + D = 0, without losing ω/γ digits.

The drift of a network with amplitude damping has the form

    A x-part: ẋ = Wp − Γx,   A p-part: ṗ = −Vx − Γp,   Γ diagonal,
    V = ω + λ + κ,  W = ω + λ − κ.

A general solver works on the matrix of the whole equation, whose condition number is ω/γ:
at γ/ω = 1e-8 it loses eight digits of a covariance that depends on γ hardly at all. Here the
equation is written for ⟨a_j†a_k⟩ (slow: frequency differences and damping) and ⟨a_j a_k⟩
(fast: frequency sums) apart, so that differences such as ω_j − ω_k are formed from the
inputs and never as the difference of two large results.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxosc._numerics.complex_scalar import Complex

# The arguments of `steady_covariance`
_Problem = tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]


@jax.custom_jvp
def steady_covariance(
    frequency: jax.Array,
    exchange: jax.Array,
    pairing: jax.Array,
    damping: jax.Array,
    diffusion: jax.Array,
) -> jax.Array:
    """Solve Aσ + σAᵀ + D = 0 for σ [4, 4], order (x1, p1, x2, p2).

    NaN where A has an eigenvalue with a real part that is not negative.
    """
    network = (frequency, exchange, pairing, damping)
    solution, stable = _two_modes(*network, diffusion)
    # Near a critical point ⟨xxᵀ⟩ outgrows ⟨ppᵀ⟩, and solving for their sum and difference
    # leaves in the small one the rounding of the large. Inserting the solution into the
    # equation, block by block, shows that error; the correction has the same factors.
    correction, _ = _two_modes(*network, _residual(*network, diffusion, solution))
    return jnp.where(stable, solution + correction, jnp.nan)


@steady_covariance.defjvp
def _steady_covariance_jvp(primals: _Problem, tangents: _Problem) -> tuple[jax.Array, jax.Array]:
    """Differentiate the equation, not the elimination: A dσ + dσ Aᵀ + (dA σ + σ dAᵀ + dD) = 0."""
    covariance = steady_covariance(*primals)
    source = _residual(*tangents, covariance)
    return covariance, steady_covariance(*primals[:4], source)


def interleave(xx: jax.Array, xp: jax.Array, px: jax.Array, pp: jax.Array) -> jax.Array:
    """Four blocks [N, N] as one matrix in the order (x1, p1, x2, p2, …)."""
    modes = xx.shape[0]
    rows = jnp.stack([jnp.stack([xx, xp], axis=-1), jnp.stack([px, pp], axis=-1)], axis=-2)
    return rows.transpose(0, 2, 1, 3).reshape(2 * modes, 2 * modes)


def blocks_of(matrix: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The blocks ⟨xxᵀ⟩, ⟨xpᵀ⟩, ⟨ppᵀ⟩ of a symmetric matrix in the order (x1, p1, x2, p2, …)."""
    return matrix[0::2, 0::2], matrix[0::2, 1::2], matrix[1::2, 1::2]


def _two_modes(
    frequency: jax.Array,
    exchange: jax.Array,
    pairing: jax.Array,
    damping: jax.Array,
    diffusion: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Two modes, written out: every step works on scalars and fuses under ``vmap``.

    Returns σ, and whether A is stable.

    Unknowns, with S_jk = ⟨x_j p_k⟩: N_j = (⟨x_j²⟩ + ⟨p_j²⟩)/2, χ = ⟨a_2†a_1⟩-like
    = (⟨x1x2⟩ + ⟨p1p2⟩)/2 + i(S12 − S21)/2, μ_j = (⟨p_j²⟩ − ⟨x_j²⟩)/2 + iS_jj,
    η = (⟨p1p2⟩ − ⟨x1x2⟩)/2 + i(S12 + S21)/2. With G_j = γ_j − iω_j, g = γ1 + γ2, J = λ, K = κ:

        γ1 N1 = +J Im χ − K Im η + d1,     γ2 N2 = −J Im χ − K Im η + d2,
        G1 μ1 = iJη − iKχ + s1,            G2 μ2 = iJη − iKχ* + s2,
        (g − i(ω1+ω2)) η = iJ(μ1 + μ2) − iK(N1 + N2) + sη,
        (g − i(ω1−ω2)) χ = iK(μ1 − μ2*) − iJ(N1 − N2) + sχ.

    μ, η and Re χ are eliminated in this order; Cramer's rule for (N1, N2, Im χ) is then a sum
    of positive terms for the rotating-wave form, and needs no division by γ_j.
    """
    omega1, omega2 = frequency[0], frequency[1]
    gamma1, gamma2 = damping[0], damping[1]
    j, k = exchange[0, 1], pairing[0, 1]
    total, difference, width = omega1 + omega2, omega1 - omega2, gamma1 + gamma2

    d1 = (diffusion[0, 0] + diffusion[1, 1]) / 4
    d2 = (diffusion[2, 2] + diffusion[3, 3]) / 4
    s1 = Complex((diffusion[1, 1] - diffusion[0, 0]) / 4, diffusion[0, 1] / 2)
    s2 = Complex((diffusion[3, 3] - diffusion[2, 2]) / 4, diffusion[2, 3] / 2)
    s_eta = Complex(
        (diffusion[1, 3] - diffusion[0, 2]) / 2, (diffusion[0, 3] + diffusion[1, 2]) / 2
    )
    s_chi = Complex(
        (diffusion[0, 2] + diffusion[1, 3]) / 2, (diffusion[0, 3] - diffusion[1, 2]) / 2
    )

    g1, g2 = Complex(gamma1, -omega1), Complex(gamma2, -omega2)
    r1, r2 = g1.reciprocal(), g2.reciprocal()
    # μ eliminated: P η = −iK(N1+N2) + JK(χ/G1 + χ*/G2) + sη, and the like for χ. With
    # E = P G1 G2 = (g − i(ω1+ω2))(G1 G2 + J²) no pole is left in J.
    g12 = g1 * g2
    e_inverse = (Complex(width, -total) * Complex(g12.re + j * j, g12.im)).reciprocal()
    p_inverse = g12 * e_inverse
    s_eta += (s1 * r1 + s2 * r2).scale(j).times_i()
    s_chi += (s1 * r1 - (s2 * r2).conj()).scale(k).times_i()
    eta0 = p_inverse * s_eta
    # η eliminated: Q χ + R χ* = −iJ(N1−N2) + iJK² b (N1+N2) + sχ.
    jk = j * k
    r12 = (r1 * r2.conj()).scale(k * k)
    q = Complex(width, -difference) * Complex(1 - r12.re, -r12.im)
    q += (g2 * r1 * e_inverse + (g1 * r2 * e_inverse).conj()).scale(jk * jk)
    r = 2 * jk * jk * e_inverse.re
    b = (g2 * e_inverse - (g1 * e_inverse).conj()).scale(jk * k)
    s_chi -= (eta0 * r1 + (eta0 * r2).conj()).scale(jk)
    # Real form: [[Qr + R, −Qi], [Qi, Qr − R]] (Re χ, Im χ) = (Re, Im) of the right-hand side,
    # each a pair of a factor of N1 + N2 and a constant.
    source_re, source_im = (-b.im, s_chi.re), (b.re, s_chi.im)
    pivot = 1 / (q.re + r)
    slope = q.im * pivot
    # Im χ row: c z + J(N1 − N2) − h (N1 + N2) = t
    c = q.re - r + q.im * slope
    h = source_im[0] - slope * source_re[0]
    t = source_im[1] - slope * source_re[1]
    # Im η = Im η0 + y_n (N1+N2) + y_r Re χ + y_z Im χ, from
    # η = η0 + P⁻¹[−iK(N1+N2) + JK(χ/G1 + χ*/G2)], P⁻¹/G1 = G2/E, P⁻¹/G2 = G1/E.
    y_n = -k * p_inverse.re
    y_r = jk * ((g2 + g1) * e_inverse).im
    y_z = jk * ((g2 - g1) * e_inverse).re
    # Re χ = pivot (source_re + Qi z), inserted into Im η:
    y_n = y_n + y_r * pivot * source_re[0]
    y_0 = eta0.im + y_r * pivot * source_re[1]
    y_z = y_z + y_r * slope
    # [γ1 + K y_n, K y_n, −J + K y_z | d1 − K y_0]
    # [K y_n, γ2 + K y_n, +J + K y_z | d2 − K y_0]
    # [J − h, −J − h, c | t]
    kn, kz = k * y_n, k * y_z
    d1, d2 = d1 - k * y_0, d2 - k * y_0
    up, down = kz - j, kz + j
    left, right = j - h, -j - h
    a11, a22 = gamma1 + kn, gamma2 + kn
    m1 = a22 * c - down * right
    m2 = kn * c - down * left
    m3 = kn * right - a22 * left
    determinant = a11 * m1 - kn * m2 + up * m3
    inverse = 1 / determinant
    n1 = (d1 * m1 - d2 * (kn * c - up * right) + t * (kn * down - up * a22)) * inverse
    n2 = (-d1 * m2 + d2 * (a11 * c - up * left) - t * (a11 * down - up * kn)) * inverse
    z = (d1 * m3 - d2 * (a11 * right - kn * left) + t * (a11 * a22 - kn * kn)) * inverse

    both = n1 + n2
    chi = Complex(pivot * (source_re[0] * both + source_re[1]) + slope * z, z)
    eta = eta0 - p_inverse.scale(k * both).times_i()
    eta += (e_inverse * (g2 * chi + g1 * chi.conj())).scale(jk)
    mu1 = ((eta.scale(j) - chi.scale(k)).times_i() + s1) * r1
    mu2 = ((eta.scale(j) - chi.conj().scale(k)).times_i() + s2) * r2

    # Routh-Hurwitz: all four eigenvalues of A in the left half-plane.
    resonances = gamma1 * gamma2 * (width**2 + difference**2) * (width**2 + total**2)
    resonances += width**2 * (j * j * (width**2 + total**2) - k * k * (width**2 + difference**2))
    product = omega1 * omega2
    constant = (
        (product - (j + k) ** 2) * (product - (j - k) ** 2)
        + (gamma1 * omega2) ** 2
        + (gamma2 * omega1) ** 2
        + gamma1 * gamma2 * (gamma1 * gamma2 + 2 * (j * j - k * k))
    )
    stable = (width > 0) & (resonances > 0) & (constant > 0)

    x12, p12 = chi.re - eta.re, chi.re + eta.re
    x1p2, x2p1 = eta.im + chi.im, eta.im - chi.im
    covariance = jnp.array([
        [n1 - mu1.re, mu1.im, x12, x1p2],
        [mu1.im, n1 + mu1.re, x2p1, p12],
        [x12, x2p1, n2 - mu2.re, mu2.im],
        [x1p2, p12, mu2.im, n2 + mu2.re],
    ])  # fmt: skip
    return covariance, stable


def _residual(
    frequency: jax.Array,
    exchange: jax.Array,
    pairing: jax.Array,
    damping: jax.Array,
    diffusion: jax.Array,
    covariance: jax.Array,
) -> jax.Array:
    """Aσ + σAᵀ + D, entry by entry, so that it fuses with its neighbours."""
    drift: list[list[jax.Array | None]] = [[None] * 4 for _ in range(4)]
    for mode in (0, 1):
        x, p, other = 2 * mode, 2 * mode + 1, 1 - mode
        drift[x][x] = drift[p][p] = -damping[mode]
        drift[x][p], drift[p][x] = frequency[mode], -frequency[mode]
        drift[x][2 * other + 1] = exchange[0, 1] - pairing[0, 1]
        drift[p][2 * other] = -exchange[0, 1] - pairing[0, 1]

    def product(i: int, j: int) -> jax.Array:
        """(Aσ)_ij."""
        terms = [a * covariance[k, j] for k, a in enumerate(drift[i]) if a is not None]
        return sum(terms[1:], terms[0])

    return jnp.array(
        [[diffusion[i, j] + product(i, j) + product(j, i) for j in range(4)] for i in range(4)]
    )
