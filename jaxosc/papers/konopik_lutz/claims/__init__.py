"""The statements of the paper about its figures, each with the number that tests it."""

from __future__ import annotations

from collections.abc import Iterator

from jaxosc.papers.konopik_lutz.catalogue import EQUILIBRIUM, Figure
from jaxosc.papers.konopik_lutz.claims.equilibrium import information_claims, occupation_claims
from jaxosc.papers.konopik_lutz.claims.measures import Claim
from jaxosc.papers.konopik_lutz.claims.sign import sign_claims
from jaxosc.papers.konopik_lutz.claims.temperature_difference import (
    position_claims,
    rotating_wave_claims,
)
from jaxosc.papers.konopik_lutz.data import Curves


def claims_of(figure: Figure, curves: Curves) -> Iterator[Claim]:
    """The statements about one figure, judged by its own data.

    Args:
        figure: one of the catalogue.
        curves: the data.

    Returns:
        The claims in the order of the text.
    """
    interaction = figure.interactions[0]
    family = [curves[interaction, setting] for setting in figure.settings]
    equilibrium = {either: curves[either, EQUILIBRIUM] for either in ("position", "rotating-wave")}
    if figure.quantity == "occupation":
        return occupation_claims(*equilibrium.values())
    if figure.quantity == "information":
        return information_claims(*equilibrium.values())
    if figure.settings[0].difference < 0:
        return sign_claims(figure, family, equilibrium[interaction])
    if interaction == "position":
        return position_claims(figure, family)
    return rotating_wave_claims(figure, family)
