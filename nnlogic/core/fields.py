"""How a dataclass lies in an archive, by the types of its fields: arrays by name, the rest as JSON.

======================  ============================================================
type of the field       in the archive
======================  ============================================================
array                   an array, named by the path of the field: ``logic.fanins``
tuple of arrays         arrays ``<path>.0``, ``<path>.1``, ...
str, int, float, bool   itself
mapping, ``Any``        itself, JSON data
`IntFormat`             its text: ``u3``
tuple                   a list; a class of the field's ``kinds`` an object with its
                        ``"type"``
dataclass               a list of its fields; an object by field name where it holds
                        arrays, and with a ``"type"`` where a union allows several
``X | None``            null, or no array
======================  ============================================================

A field with a default may be missing from a file: so layouts grow. What is read is exactly of the
type of its field: arrays are of its kind of numbers, in its range and of the dimensions stated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from itertools import count, takewhile
from operator import index
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import exact
from nnlogic.core.errors import IRError, MalformedError, Problem
from nnlogic.core.formats import IntFormat
from nnlogic.core.values import checked, shown

Arrays = dict[str, NDArray]
Meta = dict[str, Any]
NOTHING: Any = object()
"""In place of JSON data: the field is all arrays."""
ARRAYS = (np.ndarray, NDArray)
"""Origins of the types of arrays: from NumPy 2.5 on `NDArray` is an alias of its own."""
PLAIN: dict[type, Callable[[Any], Any]] = {str: str, int: index, float: float, bool: bool}


@dataclass(frozen=True)
class _Form:
    name: str = ""
    path: str = ""
    array: Any = None
    ragged: bool = False
    rows: bool = False
    apart: bool = False
    dims: int | None = None
    kinds: Callable[[], Mapping[str, Any]] | None = None
    grown: bool = False


def stored(
    name: str = "",
    *,
    path: str = "",
    array: Any = None,
    ragged: bool = False,
    rows: bool = False,
    apart: bool = False,
    dims: int | None = None,
    kinds: Callable[[], Mapping[str, Any]] | None = None,
    grown: bool = False,
) -> Mapping[str, _Form]:
    """Return the metadata of a dataclass field that is stored in another way.

    Parameters
    ----------
    name : str
        Key of the JSON data, in place of the field's name.
    path : str
        Path of item ``{i}`` of a tuple, in place of ``<path>.{i}``.
    array : dtype, optional
        A tuple of integers is one array of this type.
    ragged : bool
        A tuple of one-dimensional arrays is one array, and the JSON data are their lengths.
    rows : bool
        Members of a union are lists, told apart by the number of their fields.
    apart : bool
        The class stores this field itself.
    dims : int, optional
        Dimensions of the array; files with others are refused.
    kinds : callable, optional
        Returns the classes that values may be of, by their `kind`; they need not be known here.
    grown : bool
        Not written where it has its default, as in files from before the field was there.
    """
    return {"stored": _Form(name, path, array, ragged, rows, apart, dims, kinds, grown)}


@dataclass(frozen=True)
class _Codec:
    """One type. Both functions take the path of the value and the arrays of the archive."""

    write: Callable[[Any, str, Arrays], Any]
    read: Callable[[Any, str, Arrays], Any]
    arrays: bool = False


def write_fields(value: Any, path: str, arrays: Arrays) -> Meta:
    """Return the JSON data of a dataclass instance; its arrays are added under `path`."""
    meta: Meta = {}
    cls: Any = type(value)
    grown = {f.name: f.default for f in fields(cls) if f.metadata.get("stored", _Form()).grown}
    for name, key, codec, _ in _layout(cls):
        if name in grown and getattr(value, name) == grown[name]:
            continue
        data = codec.write(getattr(value, name), _join(path, name), arrays)
        if data is not NOTHING:
            meta[key] = data
    return meta


def read_fields(cls: Any, meta: Meta, path: str, arrays: Arrays) -> Meta:
    """Return the fields of a dataclass by name, as `write_fields` kept them; arrays read-only.

    Raises
    ------
    MalformedError
        Fields are missing, of another type, or out of range; all of them.
    """
    values: Meta = {}
    problems: list[Problem] = []
    for name, key, codec, optional in _layout(cls):
        if key not in meta and not codec.arrays and optional:
            continue
        at = _join(path, name)
        try:
            data = NOTHING if codec.arrays else meta[key]
            values[name] = codec.read(data, at, arrays)
        except MalformedError as error:
            problems += error.problems
        except KeyError as error:
            problems.append(Problem(at, f"missing: {error.args[0]}"))
        except (LookupError, TypeError, ValueError, OverflowError) as error:
            problems.append(Problem(at, str(error)))
        except IRError as error:
            problems.append(Problem(at, error.why or error.what))
    if problems:
        raise MalformedError(problems)
    return values


@cache
def _layout(cls: Any) -> list[tuple[str, str, _Codec, bool]]:
    """Return name, key, codec of each field, and whether a file may lack it."""
    hints, out = get_type_hints(cls), []
    for field in fields(cls):
        form = field.metadata.get("stored", _Form())
        optional = field.default is not MISSING or field.default_factory is not MISSING
        if not form.apart:
            codec = _codec(hints[field.name], form, field.name)
            out.append((field.name, form.name or field.name, codec, optional))
    return out


def _codec(hint: Any, form: _Form, name: str) -> _Codec:
    options = [a for a in get_args(hint) if a is not NoneType]
    if get_origin(hint) in (Union, UnionType):
        inner = _codec(options[0], form, name) if len(options) == 1 else _union(options, form)
        return _or_none(inner) if NoneType in get_args(hint) else inner
    if get_origin(hint) in ARRAYS:
        return _array(hint, form.dims)
    if get_origin(hint) is tuple:
        return _items(hint, form, name)
    if form.kinds is not None:
        return _of_kinds(form.kinds)
    if hint is IntFormat:
        return _Codec(
            lambda value, *_: str(value), lambda data, *_: IntFormat.parse(checked(data, str))
        )
    if hasattr(hint, "__dataclass_fields__"):
        return _by_name(hint) if _holds_arrays(hint) else _row(hint)
    if hint in PLAIN:
        return _Codec(lambda value, *_: PLAIN[hint](value), lambda data, *_: checked(data, hint))
    if get_origin(hint) in (Mapping, dict):
        return _Codec(lambda value, *_: dict(value), lambda data, *_: checked(data, dict))
    if hint is Any:
        return _Codec(lambda value, *_: value, lambda data, *_: data)
    raise TypeError(f"a field of type {hint} cannot be stored")


def _or_none(inner: _Codec) -> _Codec:
    if inner.arrays:
        return _Codec(
            lambda value, *at: NOTHING if value is None else inner.write(value, *at),
            lambda data, path, arrays: inner.read(data, path, arrays) if path in arrays else None,
            True,
        )
    return _Codec(
        lambda value, *at: None if value is None else inner.write(value, *at),
        lambda data, *at: None if data is None else inner.read(data, *at),
    )


def _array(hint: Any, dims: int | None) -> _Codec:
    dtype = _dtype(hint)

    def write(value: NDArray, path: str, arrays: Arrays) -> Any:
        arrays[path] = value
        return NOTHING

    return _Codec(write, lambda _, path, arrays: exact(arrays[path], dtype, dims), True)


def _dtype(hint: Any) -> Any:
    last = get_args(hint)[-1]
    return get_args(last)[0] if get_args(last) else last


def _items(hint: Any, form: _Form, name: str) -> _Codec:
    """Tuples: of any length and one type, or of one type a place."""
    args = get_args(hint)
    if Ellipsis not in args:
        codecs = [_codec(arg, _Form(), name) for arg in args]
        return _each(codecs, tuple)
    if form.array is not None:
        return _int_array(form.array)
    if form.ragged:
        return _ragged(_dtype(args[0]))
    inner = _codec(args[0], _Form(rows=form.rows, dims=form.dims, kinds=form.kinds), name)

    def place(path: str, i: int) -> str:
        return path.removesuffix(name) + form.path.format(i=i) if form.path else f"{path}.{i}"

    def write(value: tuple[Any, ...], path: str, arrays: Arrays) -> Any:
        out = [inner.write(item, place(path, i), arrays) for i, item in enumerate(value)]
        return NOTHING if inner.arrays else out

    def read(data: Any, path: str, arrays: Arrays) -> tuple[Any, ...]:
        if inner.arrays:
            places = takewhile(arrays.__contains__, (place(path, i) for i in count()))
            return tuple(inner.read(NOTHING, at, arrays) for at in places)
        items = enumerate(checked(data, list))
        return tuple(inner.read(item, place(path, i), arrays) for i, item in items)

    return _Codec(write, read, inner.arrays)


def _each(codecs: list[_Codec], make: Callable[[list[Any]], Any]) -> _Codec:
    def write(value: Any, *at: Any) -> list[Any]:
        return [codec.write(item, *at) for codec, item in zip(codecs, value, strict=True)]

    def read(data: Any, *at: Any) -> Any:
        items = zip(codecs, checked(data, list), strict=True)
        return make([codec.read(item, *at) for codec, item in items])

    return _Codec(write, read)


def _int_array(dtype: Any) -> _Codec:
    def write(value: tuple[int, ...], path: str, arrays: Arrays) -> Any:
        arrays[path] = np.array(value, dtype=dtype)
        return NOTHING

    return _Codec(
        write, lambda _, path, arrays: tuple(exact(arrays[path], dtype, 1).tolist()), True
    )


def _ragged(dtype: Any) -> _Codec:
    def write(value: tuple[NDArray, ...], path: str, arrays: Arrays) -> list[int]:
        arrays[path] = np.concatenate([np.zeros(0, dtype), *value])
        return [len(part) for part in value]

    def read(data: Any, path: str, arrays: Arrays) -> tuple[NDArray, ...]:
        lengths = [checked(length, int) for length in checked(data, list)]
        whole = exact(arrays[path], dtype, 1)
        if any(length < 0 for length in lengths) or sum(lengths) != len(whole):
            raise ValueError(f"{len(whole)} values are not parts of the {len(lengths)} lengths")
        return tuple(np.split(whole, np.cumsum(lengths, dtype=np.int64))[:-1])

    return _Codec(write, read)


@cache
def _holds_arrays(cls: Any) -> bool:
    hints = get_type_hints(cls)
    forms = {field.name: field.metadata.get("stored", _Form()) for field in fields(cls)}
    return any(
        form.kinds is not None or _is_or_holds_array(hints[name]) for name, form in forms.items()
    )


def _is_or_holds_array(hint: Any) -> bool:
    if hasattr(hint, "__dataclass_fields__"):
        return _holds_arrays(hint)
    return get_origin(hint) in ARRAYS or any(map(_is_or_holds_array, get_args(hint)))


def _row(cls: Any) -> _Codec:
    layout = _layout(cls)
    inner = _each([codec for _, _, codec, _ in layout], lambda values: cls(*values))
    return _Codec(
        lambda value, *at: inner.write([getattr(value, name) for name, *_ in layout], *at),
        inner.read,
    )


def _by_name(cls: Any) -> _Codec:
    return _Codec(
        lambda value, *at: write_fields(value, *at),
        lambda data, *at: cls(**read_fields(cls, checked(data, dict), *at)),
    )


def write_kind(value: Any, path: str, arrays: Arrays) -> Meta:
    """Return the JSON data of an instance of a class that has a `kind`, with it as ``"type"``."""
    return {"type": value.kind, **write_fields(value, path, arrays)}


def read_kind(kinds: Mapping[str, Any], meta: Meta, path: str, arrays: Arrays) -> Any:
    """Inverse of `write_kind`.

    Raises
    ------
    MalformedError
        No class of `kinds` is of that kind; or from `read_fields`.
    """
    kind = meta.get("type")
    if not isinstance(kind, str):
        raise MalformedError([Problem(path, "has no type")])
    if kind not in kinds:
        why = f"of an unknown kind {kind[:60]}, known are {', '.join(sorted(kinds))}"
        raise MalformedError([Problem(path, why, "install the package that defines this kind")])
    return kinds[kind](**read_fields(kinds[kind], meta, path, arrays))


def _of_kinds(kinds: Callable[[], Mapping[str, Any]]) -> _Codec:
    return _Codec(write_kind, lambda data, *at: read_kind(kinds(), checked(data, dict), *at))


def _union(classes: list[Any], form: _Form) -> _Codec:
    """Classes by name, or by `stored_as` where files knew them by another; or rows by length."""
    rows = {len(fields(cls)): _row(cls) for cls in classes}
    named = {_stored_as(cls): _by_name(cls) for cls in classes}

    def write(value: Any, *at: Any) -> Any:
        if form.rows:
            return rows[len(fields(value))].write(value, *at)
        name = _stored_as(type(value))
        return {"type": name, **named[name].write(value, *at)}

    def read(data: Any, *at: Any) -> Any:
        if form.rows:
            key: Any = len(checked(data, list))
            known: dict[Any, _Codec] = rows
        else:
            key, known = checked(checked(data, dict)["type"], str), named
        if key not in known:
            raise ValueError(f"{shown(key)}, known are {', '.join(map(str, known))}")
        return known[key].read(data, *at)

    return _Codec(write, read)


def _stored_as(cls: Any) -> str:
    return str(getattr(cls, "stored_as", cls.__name__))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
