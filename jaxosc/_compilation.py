"""Programs of a single call outside every transformation, compiled in less time.

XLA's emitters of fused loops double the time that it takes to compile a program of many scalars
(2.1 s in place of 1.3 for the Langevin equation of two modes, JAX 0.10.2), for a speed that only a
batch would feel. A batch never comes here: it is compiled with what it is part of. This can go when
`python -c "…"` of the first example takes as long without it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax

_QUICK = {"xla_cpu_use_fusion_emitters": False}


def compiled(function: Callable[..., Any], static_argnames: tuple[str, ...] = ()) -> Any:
    """``jax.jit(function)``, quick to compile where it is called with known values on a CPU."""
    jit = functools.partial(jax.jit, function, static_argnames=static_argnames)
    plain, quick = jit(inline=True), jit(compiler_options=_QUICK)

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        traced = any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(arguments))
        return (plain if traced or not _takes_options() else quick)(*arguments, **named)

    return call


@functools.cache
def _takes_options() -> bool:
    """Whether this JAX has a CPU as its device, and knows the option."""
    if jax.default_backend() != "cpu":
        return False
    try:
        jax.jit(lambda x: x, compiler_options=_QUICK)(0)
    except jax.errors.JaxRuntimeError:
        return False
    return True
