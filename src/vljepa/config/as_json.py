"""Settings as plain JSON values, and back."""

import dataclasses
import types
import typing
from typing import Any, Literal

from vljepa.errors import UserError

T = typing.TypeVar("T")


def to_json(config: Any) -> dict[str, Any]:
    """A config dataclass as plain JSON values."""
    return dataclasses.asdict(config)


def from_json(cls: type[T], values: dict[str, Any], where: str = "config") -> T:
    """Rebuild a config dataclass from ``to_json``'s output.

    Args:
        where: file name for error messages.

    Raises:
        UserError: an unknown or missing field, named with its place.
    """
    hints = typing.get_type_hints(cls)
    known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UserError(f"{where}: unknown field {unknown[0]!r} in {cls.__name__}; remove it or update vljepa")
    required = [
        n
        for n, f in known.items()
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING and n not in values
    ]
    if required:
        raise UserError(f"{where}: field {required[0]!r} of {cls.__name__} is missing")
    return cls(**{name: _revive(hints[name], value, f"{where}: {name}") for name, value in values.items()})


def _revive(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise UserError(f"{where}: expected an object, found {value!r}")
        return from_json(hint, value, where)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        item = args[0]
        return tuple(_revive(item, v, where) for v in value)
    if origin in (typing.Union, types.UnionType) and value is not None:
        return _revive(next(a for a in args if a is not type(None)), value, where)
    if origin is Literal and value not in args:
        raise UserError(f"{where}: {value!r} is not one of {', '.join(map(repr, args))}")
    return value
