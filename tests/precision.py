"""The precision the tests run in: float64, or float32 with JAX_ENABLE_X64=0 in the environment."""

from __future__ import annotations

import os

import jax
import numpy as np
import pytest

SINGLE = os.environ.get("JAX_ENABLE_X64", "1").lower() in ("0", "false")
DTYPE = np.float32 if SINGLE else np.float64
EPS = float(np.finfo(DTYPE).eps)

double = pytest.mark.skipif(SINGLE, reason="needs more digits than float32 has")


def choose() -> None:
    """Choose this precision for what follows."""
    jax.config.update("jax_enable_x64", not SINGLE)


def digits(error: float) -> float:
    """An error that is allowed in float64, in this precision: as many roundings."""
    return error * (EPS / 2.0**-52)


def rounded(value: np.ndarray | float) -> np.ndarray:
    """What the library gets to see of float64 numbers, as float64."""
    return np.asarray(value, DTYPE).astype(np.float64)


choose()
