"""What travels along with a network as JSON data: the keys that nnlogic itself reads, checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from nnlogic.core.errors import Problem
from nnlogic.core.formats import MAX_BITS
from nnlogic.core.values import shown
from nnlogic.quant.quantity import quantity_like
from nnlogic.quant.word import words_like

Check = Callable[[Any], bool]


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 1 << MAX_BITS


def _figure(value: Any) -> bool:
    return (type(value) is float and math.isfinite(value)) or _count(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_text, value))


def _quantities(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(quantity_like, value))


def _table(part: Check | None = None, **parts: Check) -> Check:
    """Return a check for a table: of the parts named, where there, or of every part."""

    def check(value: Any) -> bool:
        return isinstance(value, Mapping) and all(
            parts.get(key, part)(item)  # type: ignore[misc]
            for key, item in value.items()
            if part or key in parts
        )

    return check


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _data_set(value: Any) -> bool:
    return _text(value) or _table(name=_text, test_rows=_or_none(_count))(value)


KEYS: Mapping[str, tuple[Check, str]] = {
    "class_names": (_texts, "a list of texts"),
    "format": (_text, "a text"),
    "digest": (_text, "a text"),
    "golden_rows": (_count, "a count"),
    "leaf_bits": (_count, "a count"),
    "accuracy": (_table(_or_none(_figure)), "a table of numbers"),
    "error": (_table(_table(_table(_figure))), "tables of numbers by quantity"),
    "quantities": (_quantities, "a list of tables with name, exponent and offset"),
    "raw": (words_like, "a list of formats of numbers"),
    "dataset": (_data_set, "a name, or a table with name and test_rows"),
    "verilog": (
        _table(files=_texts, inputs=_table(), outputs=_table()),
        "a table with files, inputs and outputs",
    ),
}
"""What each key holds, where it is there; any other key may hold anything."""


def info_problems(info: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the data that travel with a network."""
    return [
        Problem(f"info.{key}", f"{shown(info[key])}, need {need}")
        for key, (check, need) in KEYS.items()
        if key in info and not check(info[key])
    ]
