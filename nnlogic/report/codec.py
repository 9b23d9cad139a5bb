"""Frozen dataclasses to and from plain JSON data, and their JSON Schema, from the type hints."""

from __future__ import annotations

import dataclasses
import functools
import math
import numbers
import types
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from nnlogic.core.values import LEAST, MOST, shown

T = TypeVar("T")
_LATER = "later"
LATER = {_LATER: True}
"""Metadata of a dataclass field with a default that files of earlier versions lack."""
_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


def to_json(value: Any) -> Any:
    """Return plain JSON data: dataclasses and mappings become dicts, sequences lists.

    NumPy scalars become Python numbers, paths and other objects their text.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(v) for v in value]
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    return str(value)


def from_json(cls: type[T], data: Any) -> T:
    """Build the dataclass `cls` from what `to_json` made.

    A field marked `LATER` may be absent and takes its default. Of a union of dataclasses, the one
    whose `kind`, a literal, is that of the data.

    Raises
    ------
    ValueError
        Names the field that is missing and has no default, unknown, or of a wrong type.
    """
    return _read(cls, data, cls.__name__)


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _read(hint: Any, data: Any, where: str) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        _need_numbers(data, where)
        return data
    _need_number(data, where)
    if origin in (Union, types.UnionType):
        return _read_union(args, data, where)
    if origin is Literal:
        if data in args:
            return data
        raise ValueError(f"{where} is {shown(data)}, not one of {', '.join(map(repr, args))}")
    if origin is tuple:
        _need(isinstance(data, list), where, "a list", data)
        return tuple(_read(args[0], item, f"{where}[{i}]") for i, item in enumerate(data))
    if origin is dict:
        _need(isinstance(data, dict), where, "an object", data)
        return {key: _read(args[1], item, f"{where}.{key}") for key, item in data.items()}
    if dataclasses.is_dataclass(hint):
        return _read_dataclass(hint, data, where)
    if hint is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    good = isinstance(data, hint) and (hint is bool or not isinstance(data, bool))
    _need(good, where, "null" if hint is type(None) else _SCALARS[hint], data)
    return data


def _need_number(data: Any, where: str) -> None:
    """Refuse a number that JSON, or whoever reads it, does not hold."""
    if type(data) is int:
        _need(LEAST <= data <= MOST, where, "a number of 64 bits", data)
    if type(data) is float:
        _need(math.isfinite(data), where, "a finite number", data)


def _need_numbers(data: Any, where: str) -> None:
    if isinstance(data, dict):
        for key, item in data.items():
            _need_numbers(item, f"{where}.{key}")
    elif isinstance(data, list):
        for i, item in enumerate(data):
            _need_numbers(item, f"{where}[{i}]")
    else:
        _need_number(data, where)


def _read_union(args: tuple[Any, ...], data: Any, where: str) -> Any:
    if data is None and type(None) in args:
        return None
    if type(data) in args:
        return data
    choices = [a for a in args if a is not type(None)]
    if len(choices) > 1 and all(map(dataclasses.is_dataclass, choices)):
        _need(isinstance(data, dict), where, "an object", data)
        kinds = {kind: a for a in choices for kind in get_args(_hints(a)["kind"])}
        kind = data.get("kind")
        _need(kind in [*kinds], f"{where}.kind", f"one of {', '.join(map(repr, kinds))}", kind)
        return _read(kinds[kind], data, where)
    return _read(choices[0], data, where)


def _read_dataclass(cls: Any, data: Any, where: str) -> Any:
    _need(isinstance(data, dict), where, "an object", data)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    unknown = sorted(set(data) - set(fields))
    missing = sorted(name for name in set(fields) - set(data) if _is_required(fields[name]))
    if unknown or missing:
        parts = [f"{where} lacks {', '.join(missing)}"] if missing else []
        parts += [f"{where} has unknown {', '.join(unknown)}"] if unknown else []
        raise ValueError("; ".join(parts))
    hints = _hints(cls)
    return cls(**{name: _read(hints[name], item, f"{where}.{name}") for name, item in data.items()})


def _is_required(item: dataclasses.Field[Any]) -> bool:
    return not item.metadata.get(_LATER)


def _need(good: bool, where: str, what: str, data: Any) -> None:
    if not good:
        raise ValueError(f"{where} is {shown(data)}, expected {what}")


def json_schema(cls: type, identifier: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of `cls`, whose field ``schema`` is `identifier`."""
    definitions: dict[str, Any] = {}
    top = _schema_of(cls, definitions)
    body = definitions.pop(top["$ref"].rsplit("/", 1)[1])
    body["properties"]["schema"] = {"const": identifier}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": identifier,
        **body,
        "$defs": dict(sorted(definitions.items())),
    }


def _schema_of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return {}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema_of(a, definitions) for a in args]}
    if origin is Literal:
        return {"enum": list(args)}
    if origin is tuple:
        return {"type": "array", "items": _schema_of(args[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema_of(args[1], definitions)}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _schema_of_dataclass(hint, definitions)
    return {"type": "null" if hint is type(None) else _SCALARS[hint]}


def _schema_of_dataclass(cls: type, definitions: dict[str, Any]) -> dict[str, Any]:
    if cls.__name__ not in definitions:
        hints = _hints(cls)
        definitions[cls.__name__] = {
            "description": (cls.__doc__ or "").splitlines()[0],
            "type": "object",
            "properties": {name: _schema_of(hint, definitions) for name, hint in hints.items()},
            "required": [f.name for f in dataclasses.fields(cls) if _is_required(f)],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{cls.__name__}"}
