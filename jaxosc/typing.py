"""Types of arguments, for annotations of your own.

``Reals`` is what stands for real numbers: a number, an array of JAX or NumPy, or nested sequences
of these. The others are the names that an argument may have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from jax.typing import ArrayLike

# One sequence, not two side by side: a checker then finds the type of a list of several kinds.
Reals: TypeAlias = ArrayLike | Sequence[ArrayLike | Sequence[ArrayLike]]

# The same for complex numbers
Numbers: TypeAlias = Reals

Interaction: TypeAlias = Literal["position", "rotating-wave"]
Coupling: TypeAlias = Literal["rotating-wave", "position", "momentum"]
SpectrumName: TypeAlias = Literal["flat", "ohmic"]
Moment: TypeAlias = Literal["occupation", "covariance"]
HeatEnergy: TypeAlias = Literal["system", "uncoupled"]
Mode: TypeAlias = Literal["forward", "reverse"]
Measurement: TypeAlias = Literal["homodyne", "heterodyne"]
Side: TypeAlias = Literal["upper", "lower"]
