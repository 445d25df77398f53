"""Strict settings for every test, in double precision or, with `--float32`, in single."""

import os
import tempfile

# The tests run on all cores already; more threads in each slow QuTiP and eigh down tenfold.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# What the command compiles stays out of the user's cache.
_CACHE = tempfile.TemporaryDirectory()
os.environ["JAX_COMPILATION_CACHE_DIR"] = _CACHE.name

import jax  # noqa: E402
import pytest  # noqa: E402

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


def pytest_addoption(parser):
    parser.addoption("--float32", action="store_true", help="run in single precision")


def pytest_configure(config):
    jax.config.update("jax_enable_x64", not config.getoption("--float32"))


def pytest_collection_modifyitems(config, items):
    if config.getoption("--float32"):
        skip = pytest.mark.skip(reason="asks for digits that single precision does not have")
        for item in items:
            if item.get_closest_marker("double"):
                item.add_marker(skip)
