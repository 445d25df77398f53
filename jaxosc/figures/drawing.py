"""What all pictures have in common: colours, fonts, formats."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Canvas

FORMATS = ("png", "pdf")

# One for each description, dark enough for lines and numbers on a tinted ground.
COLOUR = {
    "langevin": "#2ca02c",
    "gibbs": "#f5c518",
    "global": "#1f4fd8",
    "local": "#ee7a10",
    "detailed-balance": "#c2185b",
    "redfield": "#7b2fbe",
    "redfield-shifted": "#a0522d",
    "universal": "#00868b",
    "coarse-grained": "#8c564b",
    "unified": "#556b2f",
    "partial-secular": "#4a6785",
    "local-corrected": "#b8860b",
}
INTERACTION_NAME = {"position": "position–position", "rotating-wave": "rotating wave"}
# Of parameters and observables, as they stand beside an axis.
LABEL = {
    "omega1": r"$\omega_1$",
    "omega2": r"$\omega_2$",
    "coupling": r"$\lambda$",
    "ratio": r"$\lambda/\lambda_c$",
    "damping1": r"$\gamma_1$",
    "damping2": r"$\gamma_2$",
    "temperature1": r"$T_1$",
    "temperature2": r"$T_2$",
    "delta_t": r"$\Delta T = T_2 - T_1$",
    "occupation1": r"$\langle a_1^\dagger a_1\rangle$",
    "occupation2": r"$\langle a_2^\dagger a_2\rangle$",
    "coherence_real": r"Re $\langle a_1^\dagger a_2\rangle$",
    "coherence_imag": r"Im $\langle a_1^\dagger a_2\rangle$",
    "information": r"$I$  (nats)",
    "entropy": r"$S$  (nats)",
    "negativity": r"$E_N$  (nats)",
    "steering": r"$G_{1 \to 2}$  (nats)",
    "purity": r"purity",
    "squeezing1": r"squeezing of 1  (dB)",
    "squeezing2": r"squeezing of 2  (dB)",
    "g2_1": r"$g^{(2)}_1$",
    "g2_2": r"$g^{(2)}_2$",
    "number_covariance": r"Cov $(n_1, n_2)$",
    "heat1": r"$\dot Q_1$",
    "heat2": r"$\dot Q_2$",
    "entropy_production": r"$\Pi$",
    "ergotropy": r"ergotropy",
    "spectral_gap": r"slowest rate",
}
STYLE: Any = {
    "font.size": 12,
    "axes.labelsize": 14,
    "axes.titlesize": 12,
    "legend.fontsize": 11,
    "mathtext.fontset": "stix",
    "font.family": "STIXGeneral",
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "pdf.fonttype": 42,  # journals reject the default Type 3 fonts
}


def rendered(canvas: Canvas) -> dict[str, bytes]:
    """The contents of the file, by format; the same numbers give the same files."""
    pictures = {}
    for kind in FORMATS:
        buffer = io.BytesIO()
        metadata = {"CreationDate": None} if kind == "pdf" else {}
        canvas.savefig(buffer, format=kind, dpi=200, metadata=metadata)
        pictures[kind] = buffer.getvalue()
        canvas.set_layout_engine("none")  # as it was found for the first format
    return pictures


def tint(colour: str, strength: float) -> tuple[float, float, float]:
    """The colour mixed with white."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(colour))
    return red, green, blue


def shade(colour: str, strength: float) -> tuple[float, float, float]:
    """The colour mixed with black."""
    red, green, blue = ((1 - strength) * part for part in to_rgb(colour))
    return red, green, blue
