"""The papers by name: the one list that the command reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jaxosc.papers import konopik_lutz


class Paper(NamedTuple):
    """One that can be recomputed.

    Attributes:
        citation: authors, title, and where it is to be found.
        figures: what each figure shows, by its name in the paper.
        reproduce: takes a folder, names of figures or None, a number of points, and ``progress``;
            returns the claims that it tested.
    """

    citation: str
    figures: Mapping[str, str]
    reproduce: Callable[..., tuple[Any, ...]]


PAPERS = {
    "konopik-lutz": Paper(
        'M. Konopik and E. Lutz, "Local master equations may fail to describe dissipative '
        'critical behavior", arXiv:2012.09907',
        {figure.name: figure.title for figure in konopik_lutz.FIGURES.values()},
        konopik_lutz.reproduce,
    ),
}
