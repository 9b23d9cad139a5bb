"""Reads a table of facts into a frozen dataclass, and names all that is wrong with it at once.

What a target file says goes into scripts for yosys, shells and Vivado, so strings hold only
characters that mean nothing there.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from nnlogic.core.errors import Problem
from nnlogic.core.values import shown

T = TypeVar("T")

WORD = r"[A-Za-z0-9_.+:=-]*"
Text = Annotated[str, r"[A-Za-z0-9_.+ ,()-]*"]
"""For readers: spaces too."""
CellPattern = Annotated[str, r"[A-Za-z0-9_*?\[\]-]+"]
"""A cell type, with the wildcards of `fnmatch`."""
Source = Annotated[str, r"\+(/\w[\w.-]*)+\.v|\w[\w.-]*\.v"]
"""Verilog: ``+/`` is yosys' own library, anything else lies beside the target file."""

NUMBERS = {int: "a whole number", float: "a number"}
LARGEST = 1e9


def read_table(kind: type[T], table: Any, where: str, problems: list[Problem]) -> T | None:
    """Build a dataclass from a table of the same keys.

    Parameters
    ----------
    kind : type
        A dataclass of text, numbers, tuples, mappings and such dataclasses; a field with a
        default may be left out. What its ``problems()`` yields is collected too.
    table : dict
        As a TOML reader gives it.
    where : str
        Place of the table, for messages.
    problems : list of Problem
        Receives everything that is wrong.

    Returns
    -------
    kind, or None when anything is wrong
    """
    if not isinstance(table, dict):
        problems.append(Problem(where, f"{shown(table)} is no table"))
        return None
    before = len(problems)
    hints = get_type_hints(kind, include_extras=True)
    known = {field.name: field for field in fields(kind) if field.init}  # type: ignore[arg-type]
    for key in sorted(table.keys() - known.keys()):
        problems.append(Problem(f"{where}.{key}", "unknown key", f"keys are {', '.join(known)}"))
    values = {}
    for key, field in known.items():
        if key in table:
            values[key] = _value(hints[key], table[key], f"{where}.{key}", problems)
        elif field.default is MISSING and field.default_factory is MISSING:
            problems.append(Problem(f"{where}.{key}", "missing"))
    if len(problems) > before:
        return None
    made = kind(**values)
    for problem in getattr(made, "problems", tuple)():
        problems.append(Problem(f"{where}.{problem.where}", problem.why, problem.fix))
    return made if len(problems) == before else None


def _value(hint: Any, value: Any, where: str, problems: list[Problem]) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is types.UnionType:
        return _value(inner[0], value, where, problems)  # "or None" is a key left out
    if origin is Annotated:
        return _text(value, inner[1], where, problems)
    if origin is tuple:
        if not isinstance(value, list):
            problems.append(Problem(where, f"{shown(value)} is no list"))
            return ()
        return tuple(_value(inner[0], v, f"{where}[{i}]", problems) for i, v in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, dict):
            problems.append(Problem(where, f"{shown(value)} is no table"))
            return {}
        keys = {_text(key, WORD, f"{where}.{key!r}", problems): v for key, v in value.items()}
        return {key: _value(inner[1], v, f"{where}.{key}", problems) for key, v in keys.items()}
    if hint is str:
        return _text(value, WORD, where, problems)
    if hint in (int, float):
        right = (int,) if hint is int else (int, float)
        if not isinstance(value, right) or isinstance(value, bool) or not 0 < value < LARGEST:
            problems.append(Problem(where, f"{shown(value)} is not {NUMBERS[hint]} above 0"))
        return value
    return read_table(hint, value, where, problems)


def _text(value: Any, pattern: str, where: str, problems: list[Problem]) -> str:
    if not isinstance(value, str):
        problems.append(Problem(where, f"{shown(value)} is not text"))
        return ""
    if not re.fullmatch(pattern, value, re.ASCII):
        why = f"{shown(value)} has characters that do not belong there"
        problems.append(Problem(where, why, f"text like {pattern}"))
    return value
