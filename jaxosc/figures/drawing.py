"""What all pictures have in common: colours, fonts, formats."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Canvas

FORMATS = ("png", "pdf")

COLOUR = {"langevin": "#2ca02c", "gibbs": "#f5c518", "global": "#1f4fd8", "local": "#ee7a10"}
INTERACTION_NAME = {"position": "position–position", "rotating-wave": "rotating wave"}
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
    return pictures


def tint(colour: str, strength: float) -> tuple[float, float, float]:
    """The colour mixed with white."""
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(colour))
    return red, green, blue
