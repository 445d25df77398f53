"""The descriptions by name: the one list that the command, sweeps, figures and tests read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jaxosc.baths import Baths
from jaxosc.dynamics import Dynamics
from jaxosc.equations.coarse_grained_lindblad import coarse_grained_lindblad
from jaxosc.equations.detailed_balance_lindblad import detailed_balance_lindblad
from jaxosc.equations.global_lindblad import global_lindblad
from jaxosc.equations.langevin import langevin
from jaxosc.equations.local_lindblad import local_lindblad
from jaxosc.equations.partial_secular import partial_secular
from jaxosc.equations.redfield import redfield
from jaxosc.equations.unified_lindblad import unified_lindblad
from jaxosc.equations.universal_lindblad import universal_lindblad
from jaxosc.oscillators import Oscillators


@dataclass(frozen=True)
class Equation:
    """An equation with its options; called as the function, with a network and its baths."""

    function: Callable[..., Dynamics]
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self, oscillators: Oscillators, baths: Baths) -> Dynamics:
        """The description of a network."""
        return self.function(oscillators, baths, **self.options)

    def __hash__(self) -> int:
        return hash(self.__name__)

    @property
    def __name__(self) -> str:
        """How it is called in Python."""
        given = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{self.function.__name__}({given})" if given else self.function.__name__


# The exact one first; each after it is an approximation to it.
EXACT = "langevin"
EQUATIONS: dict[str, Equation] = {
    EXACT: Equation(langevin),
    "detailed-balance": Equation(detailed_balance_lindblad),
    "redfield": Equation(redfield),
    "redfield-shifted": Equation(redfield, {"lamb_shift": True}),
    "universal": Equation(universal_lindblad),
    "coarse-grained": Equation(coarse_grained_lindblad),
    "unified": Equation(unified_lindblad),
    "partial-secular": Equation(partial_secular),
    "global": Equation(global_lindblad),
    "local-corrected": Equation(local_lindblad, {"order": 1}),
    "local": Equation(local_lindblad),
}
APPROXIMATE = {name: equation for name, equation in EQUATIONS.items() if name != EXACT}

# Those of two oscillators at the speed of sweeps, which are compared unless others are asked for.
STANDARD = {name: EQUATIONS[name] for name in (EXACT, "global", "local")}

# The Gibbs state is one of equal temperatures, and no dynamics.
EQUILIBRIUM = "gibbs"
DESCRIPTIONS = (*EQUATIONS, EQUILIBRIUM)
