"""Which way each description would be computed."""

from __future__ import annotations

from dataclasses import dataclass

from jaxosc import _checks
from jaxosc import baths as _baths
from jaxosc.baths import Baths
from jaxosc.equations.registry import EQUATIONS
from jaxosc.oscillators import Oscillators


@dataclass(frozen=True)
class Explanation:
    """What ``explain`` found; ``print`` it for the words.

    Attributes:
        ways: for each description by name, how its steady state is computed; or why it is not.
    """

    ways: dict[str, str]

    def __str__(self) -> str:
        return "\n".join(f"{name}: {way}." for name, way in self.ways.items())


def explain(oscillators: Oscillators, baths: Baths) -> Explanation:
    """Say by which kernel and which rule each description of a network would be computed.

    What decides is static, the number of modes, real or complex couplings, the kind of the baths,
    and so the same for a whole batch; but for the rule of the thermal sums, which the coldest
    member of a batch decides.

    Args:
        oscillators: N modes.
        baths: any.

    Returns:
        An Explanation: words by ``print``.

    Raises:
        ValueError: if the two do not fit together, or a value is known only inside a
            transformation.

    Example:
        >>> network = jaxosc.pair((5.0, 2.0), 1.0, "position")
        >>> print(jaxosc.explain(network, jaxosc.Baths(1e-3, (1.0, 9.0))).ways["langevin"])
        two modes in closed form; flat baths; thermal sums by a Gauss rule of 8 nodes
    """
    oscillators, baths = _baths.match(oscillators, baths)
    _checks.require_known("explain", oscillators=oscillators, baths=baths)
    ways = {}
    for equation in EQUATIONS.values():
        try:
            dynamics = equation(oscillators, baths)
            ways[equation.__name__] = dynamics._description.explain(*dynamics._parts)
        except ValueError as error:
            ways[equation.__name__] = f"no answer. {str(error).rstrip('.')}"
    return Explanation(ways)
