"""Public names that are imported when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def attached(
    package: str, names: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package (PEP 562).

    No name may be that of a module of the package: Python itself puts that one there.

    Args:
        package: its full name.
        names: those that each of its modules, or packages, has; none: it is public itself.
    """
    module_of = {name: module for module, each in names.items() for name in each or (module,)}
    whole = {module for module, each in names.items() if not each}

    def get(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)
        module = import_module(f"{package}.{module_of[name]}")
        value = module if name in whole else getattr(module, name)
        setattr(import_module(package), name, value)  # asked for once
        return value

    def listed() -> list[str]:
        return sorted({*vars(import_module(package)), *module_of})

    return get, listed
