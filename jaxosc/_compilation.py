"""Programs of a single call outside every transformation, compiled in less time.

The programs of one and two modes are hundreds of scalar operations. To compile them XLA and LLVM
take three times as long with all their optimisations (2.2 s in place of 0.9 for the Langevin
equation, JAX 0.10.2) as with none, for a speed that only a batch would feel: 0.2 ms a call either
way. A batch never comes here: it is compiled with what it is part of. This file can go when the
README's first example takes as long without it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax

_QUICK = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 0}
# Numbers that go in: 14 for a network of two modes and its baths, 27 for one of three
_FEW = 16


def compiled(function: Callable[..., Any], static_argnames: tuple[str, ...] = ()) -> Any:
    """``jax.jit(function)``, quick to compile for few known numbers on a CPU.

    Arrays go in by position, static arguments by name.
    """
    jit = functools.partial(jax.jit, function, static_argnames=static_argnames)
    plain, quick = jit(inline=True), jit(compiler_options=_QUICK)

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        leaves = jax.tree.leaves(arguments)
        traced = any(isinstance(leaf, jax.core.Tracer) for leaf in leaves)
        few = not traced and sum(leaf.size for leaf in leaves) <= _FEW
        return (quick if few and _takes_options() else plain)(*arguments, **named)

    return call


@functools.cache
def _takes_options() -> bool:
    """Whether this JAX has a CPU as its device, and knows the options."""
    if jax.default_backend() != "cpu":
        return False
    try:
        jax.jit(lambda x: x, compiler_options=_QUICK)(0)
    except jax.errors.JaxRuntimeError:
        return False
    return True
