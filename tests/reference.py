"""High-precision reference for networks of damped, coupled oscillators, in mpmath.

Independent of the library under test: every result is derived here from the Hamiltonian

    H = sum_j w_j a_j^+ a_j + sum_{j<k} [e_jk (a_j a_k^+ + h.c.) + k_jk (a_j a_k + h.c.)]

with e = exchange and k = pairing, real, symmetric, zero diagonal, and hbar = k_B = 1.
Quadratures x = (a + a^+)/sqrt 2, p = (a - a^+)/(i sqrt 2), in the order (x1, p1, x2, p2, ...), so
the vacuum variance is 1/2 and a covariance is <{r_i, r_j}>/2. The damping g_j is the amplitude
rate of da_j/dt = ... - g_j a_j.

Inputs (floats, numpy values, nested lists, mpf) are converted exactly. Covariances hold
`max(mp.dps, DIGITS)` digits of their largest entry; the precision inside is raised until two
evaluations agree, so that critical points and weak damping cost digits of work, not of the
result. Outside the domain (no steady state, no positive normal modes) every entry is nan.

Equations: M. Konopik and E. Lutz, "Local master equations may fail to describe dissipative
critical behavior" (cited as "Konopik & Lutz"); A. Serafini, "Quantum Continuous Variables" (2017).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath
from mpmath import matrix, mp, mpc, mpf

DIGITS = 50
"""Digits of every result while mp.dps is lower than this."""

_MAX_DIGITS = 4000


# ---------------------------------------------------------------------------------------------
# Inputs and precision


def _digits() -> int:
    return max(mp.dps, DIGITS)


def _exact(value: Any) -> mpf:
    """The mpf with exactly the value of a Python or numpy number."""
    if isinstance(value, mpf):
        return value
    if isinstance(value, int):
        return mpmath.mpmathify(value)
    return mpmath.mpmathify(float(value))


def _vector(values: Any) -> list[mpf]:
    return [_exact(value) for value in values]


def _square(values: Any) -> list[list[mpf]]:
    """Rows of a matrix given as an mpmath matrix, a numpy array, or nested lists."""
    if isinstance(values, matrix):
        values = values.tolist()
    return [_vector(row) for row in values]


def _nans(size: int) -> matrix:
    return matrix([[mpmath.nan] * size for _ in range(size)])


def _settled(compute: Callable[[], matrix]) -> matrix:
    """`compute()` at rising precision until two evaluations agree to the digits asked for.

    The difference of the two bounds the error of the cheaper one; the better one is returned.
    """
    digits = _digits()
    tolerance = mpf(10) ** -digits
    work, previous = digits + 25, None
    while work <= _MAX_DIGITS:
        with mpmath.workdps(work):
            current = compute()
            if previous is not None:
                change = max(abs(entry) for entry in current - previous)
                if change <= tolerance * max(abs(entry) for entry in current):
                    return current
        previous = current
        work = work + 25 if work < digits + 50 else 2 * work
    raise ArithmeticError(f"no {digits} stable digits within {_MAX_DIGITS} digits of work")


# ---------------------------------------------------------------------------------------------
# The system: H = x^T (w + e + k) x / 2 + p^T (w + e - k) p / 2


def pair(
    omega: Sequence[float], coupling: float, interaction: str = "position"
) -> tuple[list[mpf], matrix, matrix]:
    """(frequency, exchange, pairing) of two oscillators; position: pairing = exchange = coupling,
    rotating-wave: pairing = 0."""
    if interaction not in ("position", "rotating-wave"):
        raise ValueError(f"unknown interaction {interaction!r}")
    exchange = matrix([[0, _exact(coupling)], [_exact(coupling), 0]])
    pairing = exchange.copy() if interaction == "position" else mpmath.zeros(2)
    return _vector(omega), exchange, pairing


def _stiffness(frequency: Any, exchange: Any, pairing: Any) -> tuple[matrix, matrix]:
    """The blocks w + e + k (positions) and w + e - k (momenta) of H, checked for shape."""
    frequency, exchange, pairing = _vector(frequency), _square(exchange), _square(pairing)
    modes = range(len(frequency))
    for name, coupling in (("exchange", exchange), ("pairing", pairing)):
        if len(coupling) != len(modes) or any(len(row) != len(modes) for row in coupling):
            raise ValueError(f"{name} must be {len(modes)} x {len(modes)}")
        if any(coupling[j][k] != coupling[k][j] for j in modes for k in modes):
            raise ValueError(f"{name} must be symmetric")
        if any(coupling[j][j] != 0 for j in modes):
            raise ValueError(f"{name} must have a zero diagonal")
    position, momentum = mpmath.diag(frequency), mpmath.diag(frequency)
    for j in modes:
        for k in modes:
            position[j, k] += exchange[j][k] + pairing[j][k]
            momentum[j, k] += exchange[j][k] - pairing[j][k]
    return position, momentum


def _drift(frequency: Any, exchange: Any, pairing: Any, damping: Any) -> matrix:
    """A of d(r)/dt = A r: dx/dt = (w + e - k) p - g x, dp/dt = -(w + e + k) x - g p."""
    position, momentum = _stiffness(frequency, exchange, pairing)
    damping = _vector(damping)
    drift = mpmath.zeros(2 * len(damping))
    for j, rate in enumerate(damping):
        drift[2 * j, 2 * j] = drift[2 * j + 1, 2 * j + 1] = -rate
        for k in range(len(damping)):
            drift[2 * j, 2 * k + 1] = momentum[j, k]
            drift[2 * j + 1, 2 * k] = -position[j, k]
    return drift


def _bose(frequency: mpf, temperature: mpf) -> mpf:
    """N = 1/(exp(w/T) - 1), 0 at T = 0."""
    return 1 / mpmath.expm1(frequency / temperature) if temperature else mpf(0)


# ---------------------------------------------------------------------------------------------
# Linear algebra


def _solve(left: list[list[mpf]], right: list[list[mpf]]) -> list[list[mpf]]:
    """X with left X = right, by elimination with partial pivoting that skips the many zeros."""
    size = len(left)
    rows = [[*row, *values] for row, values in zip(left, right, strict=True)]
    width = len(rows[0])
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        top = rows[column]
        filled = [index for index in range(column + 1, width) if top[index]]
        for row in rows[column + 1 :]:
            if row[column]:
                factor = row[column] / top[column]
                for index in filled:
                    row[index] -= factor * top[index]
    for column in reversed(range(size)):
        top = rows[column]
        for index in range(size, width):
            top[index] /= top[column]
            for row in rows[:column]:
                if row[column]:
                    row[index] -= row[column] * top[index]
    return [row[size:] for row in rows]


def _lyapunov(drift: matrix, diffusion: matrix) -> matrix:
    """The symmetric S with A S + S A^T + D = 0, as a linear system for its upper triangle."""
    size = drift.rows
    place = {}
    entries = [(i, j) for i in range(size) for j in range(i, size)]
    for number, (i, j) in enumerate(entries):
        place[i, j] = place[j, i] = number
    rows, right = [], []
    for i, j in entries:
        row = [mpf(0)] * len(entries)
        for k in range(size):
            row[place[k, j]] += drift[i, k]
            row[place[i, k]] += drift[j, k]
        rows.append(row)
        right.append([-diffusion[i, j]])
    solution = _solve(rows, right)
    return matrix([[solution[place[i, j]][0] for j in range(size)] for i in range(size)])


def _is_stable(drift: matrix) -> bool:
    """Lyapunov's theorem: A is stable if and only if A P + P A^T + 1 = 0 has a solution P > 0."""
    with mpmath.workdps(_digits()):
        try:
            solution = _lyapunov(drift, mpmath.eye(drift.rows))
            mpmath.cholesky(solution)
        except (ZeroDivisionError, ValueError):
            return False
        # An eigenvalue on the imaginary axis shows as a P that is nothing but rounding error.
        trace = sum(solution[k, k] for k in range(drift.rows))
        return trace * mpmath.mnorm(drift) < mpf(10) ** 40


def _eigensystem(drift: matrix) -> tuple[list[mpc], matrix, matrix]:
    """Eigenvalues, right eigenvectors and their inverse, also where the matrix is defective.

    Rounding usually splits an exceptional point of order two by half the working digits, which
    leaves the other half. Where it doesn't, a shift by half the working digits splits it first.
    """
    shift = mpmath.mnorm(drift) * mpf(10) ** (-mp.dps // 2)
    for size in (mpf(0), shift):
        moved = drift.copy()
        for i in range(drift.rows):
            for j in range(drift.rows):
                moved[i, j] += size * mpmath.cos(1 + 3 * i * i + 7 * j)
        values, vectors = mpmath.eig(moved)
        try:
            inverse = vectors**-1
        except ZeroDivisionError:
            continue
        if mpmath.mnorm(vectors) * mpmath.mnorm(inverse) < mpf(10) ** (mp.dps * 6 // 10):
            break
    return values, vectors, inverse


# ---------------------------------------------------------------------------------------------
# Normal modes


def _normal_quadratures(
    frequency: Any, exchange: Any, pairing: Any
) -> tuple[list[mpf], matrix, matrix] | None:
    """Omega (ascending), Wx, Wp with x = Wx X, p = Wp P, Wx Wp^T = 1 and H = sum_k Omega_k
    (X_k^2 + P_k^2)/2; None unless H is positive.

    With the Cholesky factor w + e - k = L L^T and L^T (w + e + k) L = O Omega^2 O^T:
    Wx = L O Omega^(-1/2), Wp = L^(-T) O Omega^(1/2).
    """
    position, momentum = _stiffness(frequency, exchange, pairing)
    size = position.rows
    try:
        mpmath.cholesky(position)
        lower = mpmath.cholesky(momentum)
    except ValueError:
        return None
    squares, rotation = mpmath.eigsy(lower.T * position * lower)
    order = sorted(range(size), key=lambda k: squares[k])
    if squares[order[0]] <= 0:
        return None
    omega = [mpmath.sqrt(squares[k]) for k in order]
    to_x, to_p = lower * rotation, (lower**-1).T * rotation
    wx, wp = matrix(size), matrix(size)
    for k, old in enumerate(order):
        root = mpmath.sqrt(omega[k])
        # An eigenvector has no sign of its own: the largest entry of U's column is positive.
        column = [to_x[j, old] / root + to_p[j, old] * root for j in range(size)]
        sign = mpmath.sign(max(column, key=abs))
        for j in range(size):
            wx[j, k] = sign * to_x[j, old] / root
            wp[j, k] = sign * to_p[j, old] * root
    return omega, wx, wp


def normal_modes(frequency: Any, exchange: Any, pairing: Any) -> tuple[list[mpf], matrix, matrix]:
    """(Omega, U, V): H = sum_k Omega_k c_k^+ c_k + const, a_j = sum_k U_jk c_k + V_jk c_k^+.

    Omega ascends; U and V are real, U U^T - V V^T = 1, U V^T symmetric; the largest entry of each
    column of U is positive. Where Omega is degenerate the columns are not unique.
    """
    with mpmath.workdps(_digits() + 40):
        modes = _normal_quadratures(frequency, exchange, pairing)
        if modes is None:
            size = len(_vector(frequency))
            return [mpmath.nan] * size, _nans(size), _nans(size)
        omega, wx, wp = modes
        return omega, (wx + wp) / 2, (wx - wp) / 2


def _thermal(wx: matrix, wp: matrix, occupations: Sequence[mpf]) -> matrix:
    """Covariance with <c_k^+ c_l> = n_k delta_kl: Wx (n + 1/2) Wx^T and Wp (n + 1/2) Wp^T."""
    size = wx.rows
    noise = mpmath.diag([n + mpf(1) / 2 for n in occupations])
    xx, pp = wx * noise * wx.T, wp * noise * wp.T
    covariance = mpmath.zeros(2 * size)
    for j in range(size):
        for k in range(size):
            covariance[2 * j, 2 * k] = xx[j, k]
            covariance[2 * j + 1, 2 * k + 1] = pp[j, k]
    return covariance


# ---------------------------------------------------------------------------------------------
# Steady states


def gibbs(frequency: Any, exchange: Any, pairing: Any, temperature: Any) -> matrix:
    """exp(-H/T)/Z: every normal mode at N(Omega_k, T); T = 0 is the ground state."""
    with mpmath.workdps(_digits() + 40):
        modes = _normal_quadratures(frequency, exchange, pairing)
        if modes is None:
            return _nans(2 * len(_vector(frequency)))
        omega, wx, wp = modes
        return _thermal(wx, wp, [_bose(value, _exact(temperature)) for value in omega])


def local(frequency: Any, exchange: Any, pairing: Any, damping: Any, temperature: Any) -> matrix:
    """Local master equation: A S + S A^T + D = 0, D_jj = g_j (2 N(w_j, T_j) + 1).

    Konopik & Lutz, Eq. 4 and below, with Lindblad rates 2 g (N + 1) and 2 g N: g is the amplitude
    rate here.
    """
    frequency, damping = _vector(frequency), _vector(damping)
    temperature = _vector(temperature)

    def compute() -> matrix:
        noise = []
        for w, g, t in zip(frequency, damping, temperature, strict=True):
            noise += 2 * [g * (2 * _bose(w, t) + 1)]
        return _lyapunov(_drift(frequency, exchange, pairing, damping), mpmath.diag(noise))

    size = 2 * len(frequency)
    with mpmath.workdps(_digits()):
        stable = _is_stable(_drift(frequency, exchange, pairing, damping))
    return _settled(compute) if stable else _nans(size)


def global_(
    frequency: Any,
    exchange: Any,
    pairing: Any,
    damping: Any,
    temperature: Any,
    weights: str = "rotating-wave",
    spectrum: str = "flat",
) -> matrix:
    """Global (secular) master equation: <c_k^+ c_k> = sum_j w_jk N(Omega_k, T_j) / sum_j w_jk.

    weights "paper": g_j (U^2 + V^2) (Konopik & Lutz, Eq. 17; always flat), "rotating-wave":
    g_j(Omega_k) U^2, "position": g_j(Omega_k) (U + V)^2, "momentum": g_j(Omega_k) (U - V)^2;
    spectrum "flat": g_j(v) = g_j, "ohmic": g_j(v) = g_j v/w_j.
    """
    if weights not in ("paper", "rotating-wave", "position", "momentum"):
        raise ValueError(f"unknown weights {weights!r}")
    if spectrum not in ("flat", "ohmic"):
        raise ValueError(f"unknown spectrum {spectrum!r}")
    frequency, damping = _vector(frequency), _vector(damping)
    temperature = _vector(temperature)
    with mpmath.workdps(_digits() + 40):
        modes = _normal_quadratures(frequency, exchange, pairing)
        if modes is None:
            return _nans(2 * len(frequency))
        omega, wx, wp = modes
        u, v = (wx + wp) / 2, (wx - wp) / 2
        occupations = []
        for k, value in enumerate(omega):
            heat, total = mpf(0), mpf(0)
            for j, (w, g, t) in enumerate(zip(frequency, damping, temperature, strict=True)):
                at_mode = g * value / w if spectrum == "ohmic" else g
                weight = {
                    "paper": g * (u[j, k] ** 2 + v[j, k] ** 2),
                    "rotating-wave": at_mode * u[j, k] ** 2,
                    "position": at_mode * (u[j, k] + v[j, k]) ** 2,
                    "momentum": at_mode * (u[j, k] - v[j, k]) ** 2,
                }[weights]
                heat += weight * _bose(value, t)
                total += weight
            if not total:
                return _nans(2 * len(frequency))
            occupations.append(heat / total)
        return _thermal(wx, wp, occupations)


def langevin(frequency: Any, exchange: Any, pairing: Any, damping: Any, temperature: Any) -> matrix:
    """Quantum Langevin equation with flat damping (Konopik & Lutz, Eqs. 5-8, 22, 23).

    The spectral integral C = sum_j (g_j/pi) PV int G Z_j G^+ coth(v/2T_j)/2 dv over the whole
    axis, with G = (-i v - A)^-1 and ladder order (a, a^+), obeys A C + C A^+ + D = 0 with

        D = sum_j (g_j/pi) [h_j Z_j + Z_j h_j^+],  h_j = -i [pi T_j A^-1 + psi(1 - A/(2 pi T_j))]

    (the residues of coth at the Matsubara frequencies, summed); the bracket is ln(-A) at T_j = 0.
    """
    frequency, damping = _vector(frequency), _vector(damping)
    temperature = _vector(temperature)
    size, ladder = len(frequency), range(2 * len(frequency))

    def bracket(value: mpc, t: mpf) -> mpc:
        if not t:
            return mpmath.log(-value)
        return mpmath.pi * t / value + mpmath.digamma(1 - value / (2 * mpmath.pi * t))

    def compute() -> matrix:
        drift = _drift(frequency, exchange, pairing, damping)
        # r = W v: x = (a + a^+)/sqrt 2, p = (a - a^+)/(i sqrt 2); W is unitary.
        change, root = mpmath.zeros(2 * size), 1 / mpmath.sqrt(2)
        for j in range(size):
            change[2 * j, j] = change[2 * j, size + j] = root
            change[2 * j + 1, j], change[2 * j + 1, size + j] = mpc(0, -root), mpc(0, root)
        values, vectors, inverse = _eigensystem(drift)
        vectors, inverse = change.H * vectors, inverse * change
        brackets = {t: [bracket(value, t) for value in values] for t in set(temperature)}
        diffusion = mpmath.zeros(2 * size)
        for j, (g, t) in enumerate(zip(damping, temperature, strict=True)):
            # Only the columns of Z_j at a_j (+1) and a_j^+ (-1) are not zero.
            for column, sign in ((j, 1), (size + j, -1)):
                scaled = [f * inverse[k, column] for k, f in enumerate(brackets[t])]
                for i in ladder:
                    entry = mpmath.fdot(zip(vectors[i, :], scaled, strict=True))
                    entry *= mpc(0, -sign) * g / mpmath.pi
                    diffusion[i, column] += entry
                    diffusion[column, i] += mpmath.conj(entry)
        diffusion = (change * diffusion * change.H).apply(mpmath.re)
        return _lyapunov(drift, diffusion)

    with mpmath.workdps(_digits()):
        stable = _is_stable(_drift(frequency, exchange, pairing, damping))
    return _settled(compute) if stable else _nans(2 * size)


def langevin_integral(
    frequency: Any,
    exchange: Any,
    pairing: Any,
    damping: Any,
    temperature: Any,
    digits: int = 25,
) -> matrix:
    """The covariance of `langevin` by integrating its spectrum, to about `digits` digits; slow.

    With frequencies v and -v folded together (the principal value at v = 0 is then a plain
    integral), in quadratures, J_j = [[0, 1], [-1, 0]] on mode j:

        S = sum_j (g_j/pi) int_0^oo v coth(v/2T_j) B^-1 (J_j A^T - A J_j) B^-T dv,  B = A^2 + v^2.
    """
    frequency, damping = _vector(frequency), _vector(damping)
    temperature = _vector(temperature)
    size = 2 * len(frequency)
    with mpmath.workdps(digits + 15):
        drift = _drift(frequency, exchange, pairing, damping)
        square = (drift * drift).tolist()
        sources = []
        for j, g in enumerate(damping):
            form = mpmath.zeros(size)
            form[2 * j, 2 * j + 1], form[2 * j + 1, 2 * j] = mpf(1), mpf(-1)
            sources.append((form * drift.T - drift * form) * (g / mpmath.pi))
        known: dict[mpf, list[list[mpf]]] = {}

        def integrand(v: mpf) -> list[list[mpf]]:
            # Every entry is integrated on the same nodes: one evaluation serves them all.
            if v not in known:
                total = mpmath.zeros(size)
                for source, t in zip(sources, temperature, strict=True):
                    total += source * (v * mpmath.coth(v / (2 * t)) if t else v)
                left = [
                    [value + (v * v if i == j else 0) for j, value in enumerate(row)]
                    for i, row in enumerate(square)
                ]
                half = _solve(left, total.tolist())
                known[v] = _solve(left, [list(column) for column in zip(*half, strict=True)])
            return known[v]

        # The integrand varies at v = 0 on the scale of w and T, and at each normal mode on the
        # scale of its damping. Intervals that grow in proportion to the distance from there let
        # Gauss-Legendre converge fast; past `last` coth is 1 and the rest is analytic in 1/v.
        centers = {mpf(0): min([*frequency, *(t for t in temperature if t)])}
        for value in mpmath.eig(drift, left=False, right=False):
            if mpmath.im(value) > 0:
                centers[mpmath.im(value)] = -mpmath.re(value)
        last = max([8 * max(centers), *(3 * digits * t for t in temperature)])
        points = set(centers)
        for center, scale in centers.items():
            while scale < last:
                points |= {center - scale, center + scale}
                scale *= 3
        points = [*sorted(point for point in points if 0 <= point < last), last]
        covariance = mpmath.zeros(size)
        for i in range(size):
            for j in range(i, size):
                covariance[i, j] = covariance[j, i] = mpmath.quad(
                    lambda v, i=i, j=j: integrand(v)[i][j], points, method="gauss-legendre"
                ) + mpmath.quad(
                    lambda u, i=i, j=j: integrand(last / u)[i][j] * last / u**2,
                    [0, 1],
                    method="gauss-legendre",
                )
        return covariance


# ---------------------------------------------------------------------------------------------
# Observables of a covariance


def _modes(covariance: Any, modes: Sequence[int] | None = None) -> matrix:
    rows = _square(covariance)
    if modes is None:
        modes = range(len(rows) // 2)
    kept = [index for mode in modes for index in (2 * mode, 2 * mode + 1)]
    return matrix([[rows[i][j] for j in kept] for i in kept])


def occupation(covariance: Any) -> list[mpf]:
    """<a_j^+ a_j> = (<x_j^2> + <p_j^2> - 1)/2."""
    with mpmath.workdps(_digits()):
        s = _modes(covariance)
        return [(s[j, j] + s[j + 1, j + 1] - 1) / 2 for j in range(0, s.rows, 2)]


def coherence(covariance: Any) -> matrix:
    """<a_j^+ a_k> = (<x_j x_k> + <p_j p_k> + i <x_j p_k> - i <p_j x_k> - delta_jk)/2."""
    with mpmath.workdps(_digits()):
        s = _modes(covariance)
        size = s.rows // 2
        result = matrix(size)
        for j in range(size):
            for k in range(size):
                x, y = 2 * j, 2 * k
                real = s[x, y] + s[x + 1, y + 1] - (1 if j == k else 0)
                result[j, k] = mpc(real, s[x, y + 1] - s[x + 1, y]) / 2
        return result


def symplectic_eigenvalues(covariance: Any) -> list[mpf]:
    """Ascending: the positive eigenvalues of L^T i J L for S = L L^T (Williamson's theorem;
    Serafini, chapter 3); vacuum 1/2, nan if S is not positive."""
    with mpmath.workdps(_digits() + 20):
        s = _modes(covariance)
        if any(mpmath.isnan(entry) for entry in s):
            return [mpmath.nan] * (s.rows // 2)
        try:
            lower = mpmath.cholesky(s)
        except ValueError:
            return [mpmath.nan] * (s.rows // 2)
        form = mpmath.zeros(s.rows)
        for j in range(0, s.rows, 2):
            form[j, j + 1], form[j + 1, j] = mpc(0, 1), mpc(0, -1)
        values = mpmath.eighe(lower.T * form * lower, eigvals_only=True)
        return sorted(values)[s.rows // 2 :]


def entropy(covariance: Any, tolerance: float = 1e-30) -> mpf:
    """sum_k (n_k + 1) ln(n_k + 1) - n_k ln n_k with n_k = (symplectic eigenvalue) - 1/2, in nats;
    nan where some n_k < -tolerance: that is no quantum state."""
    with mpmath.workdps(_digits() + 20):
        total = mpf(0)
        for value in symplectic_eigenvalues(covariance):
            excess = value - mpf(1) / 2
            if mpmath.isnan(excess) or excess < -_exact(tolerance):
                return mpmath.nan
            if excess > 0:
                total += (excess + 1) * mpmath.log1p(excess) - excess * mpmath.log(excess)
        return total


def mutual_information(
    covariance: Any,
    modes: Sequence[int] = (0,),
    others: Sequence[int] | None = None,
    tolerance: float = 1e-30,
) -> mpf:
    """I = S(modes) + S(others) - S(both), in nats; `others` is the rest unless it is given.

    nan where the state of `modes` and `others` together is none (see `entropy`).
    """
    with mpmath.workdps(_digits() + 20):
        if others is None:
            others = [mode for mode in range(len(_square(covariance)) // 2) if mode not in modes]
        parts = [[*modes], [*others], [*modes, *others]]
        one, other, both = (entropy(_modes(covariance, part), tolerance) for part in parts)
        return one + other - both


# ---------------------------------------------------------------------------------------------
# Derivatives


def heat_of_bath_1(
    frequency: Any, coupling: Any, damping: Any, temperature: Any
) -> tuple[float, float]:
    """Heat into two rotating-wave coupled oscillators by the local and the global equation.

    Their rate equations, with flat rotating-wave baths of one γ: locally
    2γ[ω_1(N_1(ω_1) − n_1) − λ Re⟨a_1†a_2⟩], globally what normal modes Ω_k, of which c_k is the
    share of oscillator 1, pass on, Σ_k 2γ c_k(1 − c_k) Ω_k [N_1(Ω_k) − N_2(Ω_k)].
    """
    omega, heats = [mpf(each) for each in frequency], [mpf(each) for each in temperature]
    gamma, strength = mpf(damping), mpf(coupling)
    covariance = local(*pair(frequency, coupling, "rotating-wave"), [damping] * 2, temperature)
    between = mpmath.re(coherence(covariance)[0, 1])
    excess = _bose(omega[0], heats[0]) - occupation(covariance)[0]
    locally = 2 * gamma * (omega[0] * excess - strength * between)
    half, mean = (omega[0] - omega[1]) / 2, (omega[0] + omega[1]) / 2
    split = mpmath.sqrt(half**2 + strength**2)
    globally = mpf(0)
    for sign in (1, -1):
        mode, share = mean + sign * split, (1 + sign * half / split) / 2
        flow = _bose(mode, heats[0]) - _bose(mode, heats[1])
        globally += 2 * gamma * share * (1 - share) * mode * flow
    return float(locally), float(globally)


def derivative(function: Callable[[mpf], Any], x: Any) -> mpf:
    """f'(x) = (f(x + h) - f(x - h))/2h, in high precision.

    f is evaluated to 90 digits and h = 10^-35 |x| (10^-35 at x = 0): the error, of order
    (h/d)^2 at a relative distance d from a critical point, is still 1e-52 at d = 1e-9. Nests, for
    higher derivatives.
    """
    digits = _digits()
    with mpmath.workdps(digits * 9 // 5):
        x = _exact(x)
        step = mpf(10) ** (-digits * 7 // 10) * (abs(x) or 1)
        return (function(x + step) - function(x - step)) / (2 * step)
