"""Two damped modes and their Lyapunov equation, written out in scalars."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxosc._numerics import small
from jaxosc._numerics.complex_scalar import Complex
from jaxosc._numerics.jacobians import by_tables
from jaxosc._numerics.sharing import quotient, reciprocal


class Couple(NamedTuple):
    """Two coupled modes, H = ½ xᵀVx + ½ pᵀWp."""

    omega1: jax.Array
    omega2: jax.Array
    j: jax.Array  # λ; the off-diagonal entry of V is v = λ + κ
    k: jax.Array  # κ; that of W is w = λ − κ
    det_v: jax.Array
    det_w: jax.Array

    def damped(self, damping: jax.Array) -> Pair:
        """With the amplitude damping [2] of baths."""
        return Pair(*self, damping[0], damping[1])


class Scale(NamedTuple):
    """x_j = s_j x_j′, p_j = p_j′/s_j: what takes a pairing of its own, κ_jj, out of a mode.

    With s_j⁴ = W_jj/V_jj its frequency is √(V_jjW_jj) and damping stays what it is.
    """

    s1: jax.Array
    s2: jax.Array


class Pair(NamedTuple):
    """A couple with amplitude damping."""

    omega1: jax.Array
    omega2: jax.Array
    j: jax.Array
    k: jax.Array
    det_v: jax.Array
    det_w: jax.Array
    gamma1: jax.Array
    gamma2: jax.Array

    def swapped(self) -> Pair:
        """The same pair with its modes in the other order."""
        return self._replace(
            omega1=self.omega2, omega2=self.omega1, gamma1=self.gamma2, gamma2=self.gamma1
        )

    def dual(self) -> Pair:
        """The pair with positions and momenta exchanged, (x, p) → (p, −x)."""
        return self._replace(k=-self.k, det_v=self.det_w, det_w=self.det_v)


class Entries(NamedTuple):
    """The ten entries of a symmetric matrix in the order (x1, p1, x2, p2)."""

    x11: jax.Array
    x12: jax.Array
    x22: jax.Array
    p11: jax.Array
    p12: jax.Array
    p22: jax.Array
    x1p1: jax.Array
    x1p2: jax.Array
    x2p1: jax.Array
    x2p2: jax.Array

    def plus(self, other: Entries) -> Entries:
        """The sum of two matrices."""
        return Entries(*(x + y for x, y in zip(self, other, strict=True)))

    def scaled(self, scale: Scale | None) -> Entries:
        """The same matrix of the x and p from that of the x′ and p′."""
        if scale is None:
            return self
        (a, b), (c, d) = scale, (1 / scale.s1, 1 / scale.s2)
        return Entries(
            x11=self.x11 * a * a,
            x12=self.x12 * a * b,
            x22=self.x22 * b * b,
            p11=self.p11 * c * c,
            p12=self.p12 * c * d,
            p22=self.p22 * d * d,
            x1p1=self.x1p1,
            x1p2=self.x1p2 * a * d,
            x2p1=self.x2p1 * b * c,
            x2p2=self.x2p2,
        )

    def where(self, valid: jax.Array) -> Entries:
        """NaN unless valid."""
        return Entries(*(small.nan_unless(valid, x) for x in self))

    def rows(self) -> list[list[jax.Array]]:
        """All entries."""
        return [
            [self.x11, self.x1p1, self.x12, self.x1p2],
            [self.x1p1, self.p11, self.x2p1, self.p12],
            [self.x12, self.x2p1, self.x22, self.x2p2],
            [self.x1p2, self.p12, self.x2p2, self.p22],
        ]

    def matrix(self) -> jax.Array:
        """[4, 4]; the last step, since arithmetic on a matrix does not fuse."""
        return small.matrix(self.rows())


def modes_apart(
    xx: tuple[jax.Array, jax.Array, jax.Array], pp: tuple[jax.Array, jax.Array, jax.Array]
) -> Entries:
    """The matrix with these entries (11, 12, 22) of its blocks and nothing between x and p."""
    zero = jnp.zeros_like(xx[0])
    return Entries(*xx, *pp, zero, zero, zero, zero)


class PhaseSource(NamedTuple):
    """The part of a diffusion that drives ⟨a_j a_k⟩ and ⟨a_1†a_2⟩."""

    mu1: Complex
    mu2: Complex
    eta: Complex
    chi: Complex


class Stability(NamedTuple):
    """The two factors of the determinant of the Lyapunov equation; A is stable if both are > 0."""

    constant: jax.Array  # det A
    resonances: jax.Array  # the last Hurwitz determinant over 4

    @property
    def holds(self) -> jax.Array:
        """Whether all eigenvalues of A lie in the left half-plane."""
        return (self.constant > 0) & (self.resonances > 0)


def stability(pair: Pair) -> Stability:
    """Det A and the Hurwitz determinant as sums that cancel only where they vanish."""
    omega1, omega2, j, k, det_v, det_w, gamma1, gamma2 = pair
    total, difference, width = omega1 + omega2, omega1 - omega2, gamma1 + gamma2
    damped = gamma1 * gamma2
    constant = (
        det_v * det_w
        + (gamma1 * omega2) ** 2
        + (gamma2 * omega1) ** 2
        + damped * (damped + 2 * (j - k) * (j + k))
    )
    width2 = width**2
    fast, slow = width2 + total**2, width2 + difference**2
    resonances = damped * fast * slow + width2 * (j**2 * fast - k**2 * slow)
    return Stability(constant, resonances)


def steady_entries(
    pair: Pair, source1: jax.Array, source2: jax.Array, phases: PhaseSource | None = None
) -> Entries:
    """Solve Aσ + σAᵀ + D = 0.

    Unknowns, with S_jk = ⟨x_j p_k⟩: N_j = (⟨x_j²⟩ + ⟨p_j²⟩)/2, χ = (⟨x1x2⟩ + ⟨p1p2⟩)/2
    + i(S12 − S21)/2, μ_j = (⟨p_j²⟩ − ⟨x_j²⟩)/2 + iS_jj, η = (⟨p1p2⟩ − ⟨x1x2⟩)/2
    + i(S12 + S21)/2. With G_j = γ_j − iω_j, g = γ1 + γ2, J = λ, K = κ:

        γ1 N1 = +J Im χ − K Im η + d1,     γ2 N2 = −J Im χ − K Im η + d2,
        G1 μ1 = iJη − iKχ + s1,            G2 μ2 = iJη − iKχ* + s2,
        (g − i(ω1+ω2)) η = iJ(μ1 + μ2) − iK(N1 + N2) + sη,
        (g − i(ω1−ω2)) χ = iK(μ1 − μ2*) − iJ(N1 − N2) + sχ.

    μ, η and Re χ are eliminated in this order: slow (ω1 − ω2, γ) and fast (ω1 + ω2) never meet
    in a sum. The determinant of what remains for (N1, N2, Im χ) vanishes at the critical
    point; it is known as a product and is never computed as a difference.

    Args:
        pair: the modes.
        source1: d1, the diffusion of N1.
        source2: d2.
        phases: the rest of the diffusion (s1, s2, sη, sχ); none if left out.
    """
    return by_tables(_steady_entries, pair, source1, source2, phases)


def _steady_entries(
    pair: Pair, source1: jax.Array, source2: jax.Array, phases: PhaseSource | None
) -> Entries:
    omega1, omega2, j, k, det_v, det_w, gamma1, gamma2 = pair
    total, difference, width = omega1 + omega2, omega1 - omega2, gamma1 + gamma2
    constant, resonances = stability(pair)

    g1, g2 = Complex(gamma1, -omega1), Complex(gamma2, -omega2)
    r1, r2 = g1.reciprocal(), g2.reciprocal()
    # μ eliminated: P η = −iK(N1+N2) + JK(χ/G1 + χ*/G2) + sη, and the like for χ. With
    # E = P G1 G2 = (g − i(ω1+ω2))(G1 G2 + J²) no pole is left in J.
    g12 = g1 * g2
    shifted = Complex(gamma1 * gamma2 - (det_v + det_w) / 2 - k * k, g12.im)
    e = Complex(width, -total) * shifted
    e_square = (width * width + total * total) * (shifted.re**2 + shifted.im**2)
    e_inverse = e.conj().scale(reciprocal(e_square))
    p_inverse = g12 * e_inverse
    # η eliminated: Q χ + R χ* = −iJ(N1−N2) + iJK² b (N1+N2) + sχ.
    jk = j * k
    r12 = (r1 * r2.conj()).scale(k * k)
    q = Complex(width, -difference) * Complex(1 - r12.re, -r12.im)
    q += (g2 * r1 * e_inverse + (g1 * r2 * e_inverse).conj()).scale(jk * jk)
    r = 2 * jk * jk * e_inverse.re
    b = (g2 * e_inverse - (g1 * e_inverse).conj()).scale(jk * k)
    # Real form: [[Qr + R, −Qi], [Qi, Qr − R]] (Re χ, Im χ) = (Re, Im) of the right-hand side.
    # Re χ from the first row; from the second where Qr + R, of order γ, nearly cancels.
    first, second = q.re + r, q.re - r
    swap = jnp.abs(first) < 0.1 * (jnp.abs(q.re) + jnp.abs(r))
    swap &= jnp.abs(first) < jnp.abs(q.im)
    pivot = jnp.where(swap, q.im, first)
    inverse_pivot = reciprocal(pivot)
    ratio = jnp.where(swap, first, q.im) * inverse_pivot
    # Re χ = x_z Im χ + x_s (N1 + N2) + x_d (N1 − N2), and the other row:
    # c Im χ + g (N1 − N2) − h (N1 + N2) = t
    x_z = jnp.where(swap, -second * inverse_pivot, ratio)
    x_s = jnp.where(swap, b.re, -b.im) * inverse_pivot
    x_d = jnp.where(swap, -j * inverse_pivot, 0)
    c = jnp.where(swap, q.im, second) + ratio * jnp.where(swap, second, q.im)
    g = jnp.where(swap, ratio * j, j)
    h = jnp.where(swap, b.im + ratio * b.re, b.re + ratio * b.im)
    # Im η = y_0 + y_s (N1+N2) + y_d (N1−N2) + y_z Im χ, from
    # η = η0 + P⁻¹[−iK(N1+N2) + JK(χ/G1 + χ*/G2)], P⁻¹/G1 = G2/E, P⁻¹/G2 = G1/E, and Re χ.
    y_r = jk * ((g2 + g1) * e_inverse).im
    y_s = y_r * x_s - k * p_inverse.re
    y_d = y_r * x_d
    y_z = jk * ((g2 - g1) * e_inverse).re + y_r * x_z
    # [γ1 + K (y_s + y_d), K (y_s − y_d), −J + K y_z | d1]
    # [K (y_s + y_d), γ2 + K (y_s − y_d), +J + K y_z | d2]
    # [g − h, −g − h, c | t]
    kn1, kn2, kz = k * (y_s + y_d), k * (y_s - y_d), k * y_z
    up, down = kz - j, kz + j
    left, right = g - h, -g - h
    a11, a22 = gamma1 + kn1, gamma2 + kn2
    m1 = a22 * c - down * right
    m2 = kn1 * c - down * left
    m3 = kn1 * right - a22 * left
    # |E|² pivot/(det A · Hurwitz), with |G1 G2 + J²|² = det A + K² (…)
    excess = k * k * (det_v + det_w + k * k + 4 * j * j + 2 * gamma1 * gamma2)
    inverse = (
        (width * width + total * total) * pivot * quotient(constant + excess, constant * resonances)
    )
    d1, d2 = source1, source2
    if phases is not None:
        s_eta = phases.eta + (phases.mu1 * r1 + phases.mu2 * r2).scale(j).times_i()
        s_chi = phases.chi + (phases.mu1 * r1 - (phases.mu2 * r2).conj()).scale(k).times_i()
        eta0 = p_inverse * s_eta
        s_chi -= (eta0 * r1 + (eta0 * r2).conj()).scale(jk)
        t = jnp.where(swap, ratio * s_chi.im - s_chi.re, s_chi.im - ratio * s_chi.re)
        x_0 = jnp.where(swap, s_chi.im, s_chi.re) * inverse_pivot
        y_0 = eta0.im + y_r * x_0
        d1, d2 = d1 - k * y_0, d2 - k * y_0
    n1 = d1 * m1 - d2 * (kn2 * c - up * right)
    n2 = -d1 * m2 + d2 * (a11 * c - up * left)
    z = d1 * m3 - d2 * (a11 * right - kn2 * left)
    if phases is not None:
        n1 += t * (kn2 * down - up * a22)
        n2 -= t * (a11 * down - up * kn1)
        z += t * (a11 * a22 - kn1 * kn2)
    n1, n2, z = n1 * inverse, n2 * inverse, z * inverse

    both = n1 + n2
    chi = Complex(x_z * z + x_s * both + x_d * (n1 - n2), z)
    eta = p_inverse.scale(-k * both).times_i()
    if phases is not None:
        chi = Complex(chi.re + x_0, z)
        eta += eta0
    eta += (e_inverse * (g2 * chi + g1 * chi.conj())).scale(jk)
    mu1 = (eta.scale(j) - chi.scale(k)).times_i()
    mu2 = (eta.scale(j) - chi.conj().scale(k)).times_i()
    if phases is not None:
        mu1, mu2 = mu1 + phases.mu1, mu2 + phases.mu2
    mu1, mu2 = mu1 * r1, mu2 * r2
    return Entries(
        x11=n1 - mu1.re,
        x12=chi.re - eta.re,
        x22=n2 - mu2.re,
        p11=n1 + mu1.re,
        p12=chi.re + eta.re,
        p22=n2 + mu2.re,
        x1p1=mu1.im,
        x1p2=eta.im + chi.im,
        x2p1=eta.im - chi.im,
        x2p2=mu2.im,
    )
