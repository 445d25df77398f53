"""Strict settings for every test."""

import os
import tempfile

# The tests run on all cores already; more threads in each slow QuTiP and eigh down tenfold.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# What the command compiles stays out of the user's cache.
_CACHE = tempfile.TemporaryDirectory()
os.environ["JAX_COMPILATION_CACHE_DIR"] = _CACHE.name

import jax  # noqa: E402
import precision  # noqa: E402

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


def pytest_collectstart() -> None:
    precision.choose()  # some of the examples choose float64 as they are imported


def pytest_runtest_setup() -> None:
    precision.choose()  # and so does the command
