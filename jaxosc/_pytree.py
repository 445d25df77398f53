"""Immutable records whose array fields are JAX leaves and whose other fields are static."""

from __future__ import annotations

import inspect
import json
import operator
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Self, TypeVar

import jax
from jax import export
from jax.tree_util import Partial

_Record = TypeVar("_Record", bound="Record")


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """A function from a record to the fields with these names; JAX calls it at every turn."""
    if not names:
        return lambda record: ()
    fields = operator.attrgetter(*names)
    return fields if len(names) > 1 else lambda record: (fields(record),)


class Record:
    """Base of the public data types: frozen, printable, a pytree, and known to ``jax.export``.

    The fields of a record are the arguments of its constructor, under the same names.

    Unflattening bypasses ``__init__``: inside JAX a leaf can be a tracer, a batch or a
    placeholder, none of which is the user's input to check.
    """

    _leaves: ClassVar[tuple[str, ...]] = ()
    _static: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        leaves_of, static_of = _getter(cls._leaves), _getter(cls._static)
        keys = [jax.tree_util.GetAttrKey(name) for name in cls._leaves]
        jax.tree_util.register_pytree_with_keys(
            cls,
            lambda record: (list(zip(keys, leaves_of(record), strict=True)), static_of(record)),
            lambda static, leaves: cls._assemble(leaves, static),
            lambda record: (leaves_of(record), static_of(record)),
        )
        # By name alone: what is stored outlives a move of the class to another module. A process
        # that opens a stored program has to have named its classes, `jaxosc.Oscillators`.
        export.register_pytree_node_serialization(
            cls,
            serialized_name=f"jaxosc.{cls.__name__}",
            serialize_auxdata=lambda static: json.dumps(cls._stored(static)).encode(),
            deserialize_auxdata=lambda stored: cls._restored(json.loads(stored)),
        )

    @classmethod
    def _stored(cls, static: tuple[Any, ...]) -> list[Any]:
        """The static fields as JSON has them."""
        return list(static)

    @classmethod
    def _restored(cls, stored: list[Any]) -> tuple[Any, ...]:
        """The static fields again."""
        return tuple(stored)

    @classmethod
    def _assemble(cls: type[_Record], leaves: Iterable[Any], static: Iterable[Any]) -> _Record:
        record = object.__new__(cls)
        for name, leaf in zip(cls._leaves, leaves, strict=True):
            object.__setattr__(record, name, leaf)
        for name, field in zip(cls._static, static, strict=True):
            object.__setattr__(record, name, field)
        return record

    def replace(self, **changes: Any) -> Self:
        """A copy with other values in some fields, checked as the constructor checks them.

        Args:
            changes: new values by the names of the constructor's arguments; the rest stays.

        Raises:
            ValueError: if a name is none of these, or the values do not fit.
        """
        names = [name for name in inspect.signature(type(self)).parameters]
        for name in changes:
            if name not in names:
                raise ValueError(
                    f"Argument `{name}` must be a field of {type(self).__name__}, one of "
                    f"{', '.join(map(repr, names))}, but it is not."
                )
        return type(self)(**{name: getattr(self, name) for name in names} | changes)

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


def bound(function: Callable[..., Any], *arguments: Any) -> Any:
    """The function with its first arguments, a pytree of these."""
    of: Any = Partial  # which JAX leaves without types
    return of(function, *arguments)
