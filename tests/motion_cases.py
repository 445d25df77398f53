"""Networks beside baths with memory, their spectra integrated, and finite baths evolved exactly.

Nothing here takes a response, an embedding or a flow from the library.
"""

import numpy as np

SYMPLECTIC = np.array([[0.0, 1.0], [-1.0, 0.0]])


class Bath:
    """A Drude or a Brownian bath, as χ(ν) and J(ν), and the library's spectrum of that shape."""

    def __init__(self, kind, strength, *values):
        self.kind, self.strength, self.values = kind, strength, values

    def response(self, nu):
        """χ(ν) with J = Im χ; strength is J(1), the library's damping of a row."""
        if self.kind == "drude":
            (cutoff,) = self.values
            eta = self.strength * (1 + cutoff**2) / cutoff**2
            return eta * cutoff**2 / (cutoff - 1j * nu)
        frequency, width = self.values
        square = self.strength * ((frequency**2 - 1) ** 2 + width**2) / width
        return square / (frequency**2 - nu**2 - 1j * width * nu)

    def scales(self):
        return list(self.values)


def coth(nu, temperature):
    return 1 / np.tanh(nu / (2 * temperature)) if temperature else np.ones_like(nu)


def form(modes):
    return np.kron(np.eye(modes), SYMPLECTIC)


def inverse_response(hessian, rows, baths, counter, nu):
    """K(ν) − iνΩ [..., 2N, 2N]."""
    total = np.broadcast_to(hessian.astype(complex), (*nu.shape, *hessian.shape)).copy()
    for row, bath, kept in zip(rows, baths, counter, strict=True):
        chi = (bath.response(np.zeros(1)) if kept else 0) - bath.response(nu)
        total += chi[..., None, None] * np.outer(row, row)
    return total - 1j * nu[..., None, None] * form(len(hessian) // 2)


def panels(scales, top, longest):
    """Gauss-Legendre nodes and weights, graded towards zero and each of the scales.

    No panel turns e^{−iνt} by more than 6 up to the longest time, below where it matters.
    """
    edges = {0.0, top, *np.arange(0, min(top, 3e4 / max(longest, 1)), 6 / max(longest, 0.5))}
    for center in {0.0, *scales}:
        steps = 1e-7 * max(scales) * 1.8 ** np.arange(200)
        steps = steps[steps < top]
        edges |= {*(center + steps), *np.abs(center - steps), center}
    edges = np.array(sorted(edge for edge in edges if edge <= top))
    x, w = np.polynomial.legendre.leggauss(16)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel()


def resonances(hessian, rows, baths, counter):
    """Where the response is large, from a scan."""
    nu = np.geomspace(1e-3, 1e3, 4000)
    size = np.abs(np.linalg.inv(inverse_response(hessian, rows, baths, counter, nu))).max((1, 2))
    peaks = (size[1:-1] > size[:-2]) & (size[1:-1] > size[2:])
    return [*nu[1:-1][peaks], *(scale for bath in baths for scale in bath.scales())]


def integrated_correlation(hessian, rows, baths, temperature, counter, times, top=3e4):
    """C(t) = (1/π) Re ∫₀^∞ S(ν) e^{−iνt} dν [K, 2N, 2N]."""
    nu, weight = panels(resonances(hessian, rows, baths, counter), top, max(times))
    response = np.linalg.inv(inverse_response(hessian, rows, baths, counter, nu))
    force = sum(
        (bath.response(nu).imag * coth(nu, t))[:, None, None] * np.outer(row, row)
        for row, bath, t in zip(rows, baths, temperature, strict=True)
    )
    spectrum = response @ force @ response.conj().swapaxes(1, 2)
    phase = np.exp(-1j * np.outer(times, nu)) * weight / np.pi
    return np.tensordot(phase, spectrum, 1).real


class FiniteBath:
    """Oscillators behind positions, H = Σ ½ω(x² + p²) + …, with so many more for each bath.

    Frequencies ν_k by the midpoint rule in a variable that is dense below ``dense``.
    """

    def __init__(self, hessian, rows, baths, temperature, counter, modes=500, dense=4.0, top=60.0):
        size = len(hessian) // 2
        middle = (np.arange(modes) + 0.5) / modes * np.arcsinh(top / dense)
        nu, step = (
            dense * np.sinh(middle),
            np.arcsinh(top / dense) / modes * dense * np.cosh(middle),
        )
        total = size + modes * len(baths)
        whole = np.zeros((2 * total, 2 * total))
        whole[: 2 * size, : 2 * size] = hessian
        start = np.zeros(2 * total)
        for m, (row, bath, t, kept) in enumerate(
            zip(rows, baths, temperature, counter, strict=True)
        ):
            density = bath.response(nu).imag
            g = np.sqrt(density * step / np.pi)
            place = 2 * (size + m * modes) + 2 * np.arange(modes)
            whole[place, place] = whole[place + 1, place + 1] = nu
            for j in range(2 * size):
                whole[j, place] = whole[place, j] = -np.sqrt(2) * g * row[j]
            if kept:
                whole[: 2 * size, : 2 * size] += 2 * np.sum(g**2 / nu) * np.outer(row, row)
            start[place] = start[place + 1] = coth(nu, t) / 2
        self.size, self.start, self.whole = size, start, whole
        # Normal modes of x-x coupled oscillators with p² alone: V Q = Ω² Q in q = x/√ω
        kinetic, potential = np.diag(whole[1::2, 1::2]), whole[::2, ::2]
        root = np.sqrt(kinetic)
        squares, self.vectors = np.linalg.eigh(potential * np.outer(root, root))
        self.frequency, self.root = np.sqrt(squares), root

    def propagator(self, time):
        """The rows of the oscillators [2N, 2(N + K)]."""
        cosine, sine = np.cos(self.frequency * time), np.sin(self.frequency * time)
        parts = self.vectors[: self.size]
        xx = parts * cosine @ self.vectors.T
        xp = parts * (sine / self.frequency) @ self.vectors.T
        px = -parts * (self.frequency * sine) @ self.vectors.T
        out = np.empty((2 * self.size, 2 * len(self.root)))
        own = self.root[: self.size, None]
        out[::2, ::2], out[::2, 1::2] = own * xx / self.root, own * xp * self.root
        out[1::2, ::2], out[1::2, 1::2] = px / own / self.root, xx / own * self.root
        return out

    def evolved(self, covariance, time):
        """σ(t) of the oscillators from a product state."""
        rows = self.propagator(time)
        own = rows[:, : 2 * self.size]
        return rows * self.start @ rows.T + own @ covariance @ own.T

    def correlation(self, time, late):
        """⟨{r(late + t), r(late)ᵀ}⟩/2."""
        first, second = self.propagator(late + time), self.propagator(late)
        return first * self.start @ second.T
