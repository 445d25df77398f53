"""Immutable records whose array fields are JAX leaves and whose other fields are static."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import jax

_Record = TypeVar("_Record", bound="Record")


class Record:
    """Base of the public data types: frozen, printable, and a pytree once registered.

    Unflattening bypasses ``__init__``: inside JAX a leaf can be a tracer, a batch or a
    placeholder, none of which is the user's input to check.
    """

    _leaves: ClassVar[tuple[str, ...]] = ()
    _static: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        jax.tree_util.register_pytree_with_keys(
            cls,
            lambda record: (
                [(jax.tree_util.GetAttrKey(name), getattr(record, name)) for name in cls._leaves],
                tuple(getattr(record, name) for name in cls._static),
            ),
            lambda static, leaves: cls._assemble(tuple(leaves), static),
        )

    @classmethod
    def _assemble(cls: type[_Record], leaves: tuple[Any, ...], static: tuple[Any, ...]) -> _Record:
        record = object.__new__(cls)
        record._set(**dict(zip(cls._leaves, leaves, strict=True)))
        record._set(**dict(zip(cls._static, static, strict=True)))
        return record

    def _set(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; make a new one instead.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; make a new one instead.")

    def __repr__(self) -> str:
        names = [name for name in self._leaves + self._static if not name.startswith("_")]
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({fields})"
