"""Random covariances, and numbers of pairs of Gaussian states to many digits, by other formulas."""

import mpmath
import numpy as np
import scipy.linalg


def form(modes):
    return np.kron(np.eye(modes), [[0.0, 1.0], [-1.0, 0.0]])


def symplectic(modes, generator, size=0.4):
    half = generator.normal(0, size, (2 * modes, 2 * modes))
    return scipy.linalg.expm(form(modes) @ (half + half.T) / 2)


def state(modes, generator, nu=None, size=0.4):
    """A σ of these symplectic eigenvalues, or random ones."""
    nu = 0.5 + generator.exponential(1.0, modes) if nu is None else nu
    frame = symplectic(modes, generator, size)
    found = frame @ np.diag(np.repeat(nu, 2)) @ frame.T
    return (found + found.T) / 2


def change(modes, generator):
    half = generator.normal(size=(2 * modes, 2 * modes))
    return half + half.T


def exact(matrix):
    return mpmath.matrix(matrix.tolist() if isinstance(matrix, np.ndarray) else matrix)


def eigenvalues(matrix):
    """The positive imaginary parts, of eigenvalues in pairs ±i."""
    found = sorted(mpmath.im(x) for x in mpmath.eig(matrix, left=False, right=False))
    return found[len(found) // 2 :]


def log_fidelity(first, second):
    """Banchi, Braunstein and Pirandola as they write it."""
    first, second = exact(first), exact(second)
    omega = exact(form(first.rows // 2))
    both = first + second
    auxiliary = omega.T * both**-1 * (omega / 4 + second * omega * first)
    logarithm = -mpmath.log(mpmath.det(both)) / 2
    for y in eigenvalues(auxiliary * omega):
        logarithm += mpmath.log(2 * y + mpmath.sqrt(max(4 * y * y - 1, 0)))
    return logarithm


def relative_entropy(first, second):
    """−S(1) − tr ρ₁ ln ρ₂, by the eigenvectors of iσ₂J."""
    first, second = exact(first), exact(second)
    omega = exact(form(first.rows // 2))
    half = mpmath.mpf(1) / 2
    values, vectors = mpmath.eig(1j * second * omega)
    logarithm = mpmath.diag([mpmath.log((x + half) / (x - half)) for x in values])
    gibbs = 1j * omega * vectors * logarithm * vectors**-1
    energy = sum((gibbs * first)[i, i] for i in range(first.rows)) / 2
    normal = sum(mpmath.log(nu**2 - half**2) for nu in eigenvalues(omega * second)) / 2
    entropy = sum(
        (nu + half) * mpmath.log(nu + half) - (nu - half) * mpmath.log(nu - half)
        for nu in eigenvalues(omega * first)
        if nu - half > mpmath.mpf(10) ** -30
    )
    return mpmath.re(energy + normal - entropy)


def slope(function, first, second, by_first, by_second):
    """The derivative along two changes at once."""
    step = mpmath.mpf(10) ** -15

    def at(sign):
        moved = (
            exact(one) + sign * step * exact(way)
            for one, way in ((first, by_first), (second, by_second))
        )
        return function(*moved)

    return float((at(1) - at(-1)) / (2 * step))
