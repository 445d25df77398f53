"""Strict settings for every test."""

import gc
import os
from pathlib import Path
from typing import Any

# The tests run on all cores already; more threads in each slow QuTiP and eigh down tenfold.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Compiled programs, the bulk of the work, are shared between workers and runs, and stay out of
# the user's own cache. A folder named in the environment is used as it is. The small ones too:
# there are thousands, to compile one takes 30 ms and to read it 3.
_CACHE = Path(__file__).parent.parent / ".pytest_cache" / "compiled"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

import jax  # noqa: E402
import mpmath  # noqa: E402
import precision  # noqa: E402
import pytest  # noqa: E402
from jax.experimental.compilation_cache import compilation_cache  # noqa: E402

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

# Witnesses have the same digits whichever files are collected beside them.
mpmath.mp.dps = 50


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.get_closest_marker("nightly"):
        item.add_marker("slow")


def pytest_collection_finish() -> None:
    """Tests and modules stay to the end: to look them through again and again took a fifth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Neighbours run in one worker, until another has nothing left: they share programs.

    Dealt out a few at a time, the tests of a file are traced and compiled in every worker.
    """
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


def pytest_collectstart() -> None:
    precision.choose()  # some of the examples choose float64 as they are imported


def pytest_runtest_setup() -> None:
    precision.choose()  # and so does the command


@pytest.fixture
def own_cache():
    """A test may choose where compiled programs are kept."""
    names = "jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs"
    before = {name: getattr(jax.config, name) for name in names}
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


# A compiled program takes a dozen mappings of memory, and Linux gives a process 65530: one file of
# tests may take 12,000, and the process that is refused one dies of a segmentation fault.
_MAPPINGS = 20_000


def pytest_runtest_teardown() -> None:
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > _MAPPINGS:
        jax.clear_caches()
