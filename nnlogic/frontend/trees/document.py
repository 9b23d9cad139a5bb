"""JSON and UBJSON in, values of known types out; a wrong one is named by its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import CheckpointError
from nnlogic.core.formats import IntArray
from nnlogic.frontend.trees import ubjson

MOST_BYTES = 1 << 28
"""Of a file; it takes up to ten times as much memory while it is read."""
UBJSON_STARTS = (b"{i", b"{U", b"{I", b"{l", b"{L", b"{$", b"{#")

T = TypeVar("T")


class WrongValue(ValueError):
    """A value of a document is missing, or of another type or size than it must be."""


def is_ubjson(head: bytes) -> bool:
    """Whether a file begins as an object of UBJSON; one of JSON has a quote or space there."""
    return head.startswith(UBJSON_STARTS)


def read_document(path: Path) -> dict[str, Any]:
    """Return the object in a file.

    Raises
    ------
    CheckpointError
        Missing, too large, neither JSON nor UBJSON, nested too deep, or no object.
    """
    where, form = str(path), "JSON"
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise CheckpointError(
                "the model file is too large",
                where=where,
                why=f"{size:,} bytes, at most {MOST_BYTES:,} are read",
                fix="train fewer or smaller trees; such a model fits no device",
            )
        data = path.read_bytes()
        form = "UBJSON" if is_ubjson(data[:2]) else "JSON"
        value = ubjson.parse(data) if form == "UBJSON" else json.loads(data.decode("utf-8-sig"))
    except RecursionError as error:
        raise CheckpointError("not a model", where=where, why="nested too deep") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"not a model in {form}", where=where, why=str(error), fix="save or copy it again"
        ) from error
    if not isinstance(value, dict):
        raise CheckpointError(f"not a model in {form}", where=where, why="it is no object")
    return value


def get(value: Any, *names: str, kind: type[T]) -> T:
    """Return a value by the names of the objects around it.

    Raises
    ------
    WrongValue
        It is missing, or not of `kind`.
    """
    for i, name in enumerate(names):
        if not isinstance(value, Mapping) or name not in value:
            raise WrongValue(f"{'.'.join(names[: i + 1])} is missing")
        value = value[name]
    if not isinstance(value, kind):
        raise WrongValue(f"{'.'.join(names)} is of type {type(value).__name__}")
    return value


def count(text: Any, name: str, most: int) -> int:
    """Return a number from 0 to `most`, which xgboost writes as text."""
    try:
        found = int(str(text)[:40])
    except ValueError:
        raise WrongValue(f"{name} is {str(text)[:40]!r}, not a number") from None
    if not 0 <= found <= most:
        raise WrongValue(f"{name} is {found:,}, allowed are 0 to {most:,}")
    return found


def integers(value: Any, name: str) -> IntArray:
    """Return an array of integers that fit 64 bits, shape (count,)."""
    return _numbers(value, name, {int, bool}, "iu", np.int64)


def floats(value: Any, name: str) -> NDArray[np.float64]:
    """Return an array of numbers, shape (count,), infinite and NaN ones among them."""
    return _numbers(value, name, {int, float}, "iuf", np.float64)


def _numbers(value: Any, name: str, types: set[type], kinds: str, dtype: Any) -> NDArray:
    if isinstance(value, np.ndarray) and value.dtype.kind in kinds:
        return value.astype(dtype)
    wrong = {type(v) for v in value} - types if isinstance(value, list) else {type(value)}
    if wrong:
        found = ", ".join(sorted(kind.__name__ for kind in wrong))
        raise WrongValue(f"{name} holds values of type {found}")
    try:
        return np.array(value, dtype=dtype)
    except OverflowError:
        raise WrongValue(f"{name} holds an integer beyond {dtype.__name__}") from None
