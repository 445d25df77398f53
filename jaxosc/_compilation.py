"""Programs compiled once for all runs, and those of a single call compiled in less time.

Of a single call outside every transformation:

The programs of one and two modes are hundreds of scalar operations, those of a few more the same
in blocks. To compile them XLA and LLVM take two to three times as long with all their
optimisations (2.2 s in place of 0.9 for the Langevin equation of two modes, 3.0 in place of 1.2
for that of eight; JAX 0.10.2) as with none, for a speed that only a batch would feel: 0.2 ms a call
of two modes either way, 1.3 or 1.5 ms of eight. A batch never comes here: it is compiled with what
it is part of. This file can go when the README's first example takes as long without it.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from jaxosc._numerics.whole import is_staged, is_whole, whole, written

_QUICK = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": 0}
# Numbers that go in: 152 for a network of eight modes and its baths, 294 for a master equation of
# it. Of 16 modes (560) what takes long is arithmetic, half as fast without optimisations.
_FEW = 300


def keep_compiled(folder: str | os.PathLike[str] | None = None) -> Path:
    """Keep compiled programs in a folder, where later runs find them.

    JAX's persistent compilation cache, for everything that this process compiles from here on and
    that takes longer than 0.1 s: a gradient of the Langevin equation that compiles for seconds is
    there in a tenth of one the next time. Every run that is to profit calls it; importing jaxosc
    does not, for it is a setting of all of JAX.

    Args:
        folder: where; if left out the one JAX already has, as from the environment variable
            ``JAX_COMPILATION_CACHE_DIR``, or else a folder of jaxosc among the user's caches.

    Returns:
        The folder. It may be emptied at any time.

    Raises:
        ValueError: if ``folder`` is no path.
        OSError: if there cannot be such a folder.

    Example:
        >>> jaxosc.keep_compiled("programs").name
        'programs'
    """
    if folder is None:
        import platformdirs

        chosen = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]
        path = Path(chosen or platformdirs.user_cache_dir("jaxosc", appauthor=False))
    else:
        try:
            path = Path(folder).absolute()
        except TypeError:
            raise ValueError(
                f"Argument `folder` must be the path of a folder, but it is {folder!r}."
            ) from None
        path.mkdir(parents=True, exist_ok=True)
    # A folder that can no longer be written costs a user time, and is none of their business.
    warnings.filterwarnings("ignore", r"Error (reading|writing) persistent compilation cache")
    settings = {
        "jax_compilation_cache_dir": os.fspath(path if folder is not None else chosen or path),
        # Most of ours compile in less than the second that JAX holds worth keeping.
        "jax_persistent_cache_min_compile_time_secs": 0.1,
    }
    update: Any = jax.config.update  # which JAX leaves without types
    for name, value in settings.items():
        update(name, value)
    # JAX looks for its folder once, at the first program, which may have been before.
    from jax.experimental.compilation_cache import compilation_cache

    compilation_cache.reset_cache()
    return path


def compiled(
    function: Callable[..., Any], static_argnames: tuple[str, ...] = (), **options: bool
) -> Any:
    """``inlined`` with these options, quick to compile for few known numbers on a CPU."""
    plain = inlined(function, static_argnames, **options)
    quick = jax.jit(function, static_argnames=static_argnames, compiler_options=_QUICK)

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        leaves = jax.tree.leaves(arguments)
        few = not _any_traced(leaves) and sum(leaf.size for leaf in leaves) <= _FEW
        return (quick if few and _takes_options() else plain)(*arguments, **named)

    return call


def inlined(
    function: Callable[..., Any],
    static_argnames: tuple[str, ...] = (),
    long: bool = False,
    entrywise: bool = False,
) -> Any:
    """``jax.jit(function, inline=True)``, whose small results are quick as a whole in batches.

    Args:
        function: arrays go into it by position.
        static_argnames: what goes in by name.
        long: whether it is a long computation, even of arguments that end none.
        entrywise: whether it reads entry by entry what it is given, and not whole arrays.
    """
    jit = functools.partial(jax.jit, static_argnames=static_argnames, inline=True)
    plain = jit(function)

    @jit
    @functools.wraps(function)
    def apart(*arguments: Any, **named: Any) -> Any:
        return whole(function(*arguments, **named))

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        leaves = jax.tree.leaves(arguments)
        if not any(map(is_staged, leaves)):
            return (apart if _any_traced(leaves) else plain)(*arguments, **named)
        # XLA sees what else is made of the results.
        found = plain(*(written(arguments) if entrywise else arguments), **named)
        return whole(found) if long or any(map(is_whole, leaves)) else found

    return call


def _any_traced(leaves: list[Any]) -> bool:
    return any(isinstance(leaf, jax.core.Tracer) for leaf in leaves)


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
