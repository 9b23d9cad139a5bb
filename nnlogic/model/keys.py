"""Tables of keys and values against what takes them: unknown, missing and mistyped keys."""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nnlogic.core.errors import Problem
from nnlogic.core.values import LEAST, MOST, shown

ACCEPTED: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "str": (str,),
    "tuple[int, ...]": (list, tuple),
    "tuple[str, ...]": (list, tuple),
    "tuple[LayerSpec, ...]": (list, tuple),
    "tuple[WindowSpec, ...]": (list, tuple),
}
"""Types a key may have, and what TOML and JSON give for them."""

ITEMS = {"tuple[int, ...]": int, "tuple[str, ...]": str}
"""Types of the items of a list."""

Keys = Mapping[str, inspect.Parameter]


def keys_of(taker: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return the keys a class or function takes: its parameters."""
    return dict(inspect.signature(taker).parameters)


def type_name(key: inspect.Parameter) -> str:
    """Return the type of a key as text; of those in `ACCEPTED` a table can give values."""
    found = key.annotation
    return found.__name__ if isinstance(found, type) else str(found)


def key_problems(
    where: str, table: Mapping[str, Any], known: Keys, *, optional: Iterable[str] | None = None
) -> list[Problem]:
    """Return unknown and missing keys of `table`.

    Parameters
    ----------
    where : str
    table : mapping
    known : mapping of str to Parameter
    optional : iterable of str, optional
        Keys that may be missing; default: those with a default.
    """
    out = [
        Problem(where, f"unknown attribute {shown(key)}", suggestion(key, known))
        for key in table
        if key not in known
    ]
    if optional is None:
        optional = [name for name, key in known.items() if key.default is not key.empty]
    missing = [key for key in known if key not in table and key not in set(optional)]
    return out + [Problem(where, f"attribute {key!r} is missing") for key in missing]


def type_problems(where: str, table: Mapping[str, Any], known: Keys) -> list[Problem]:
    """Return the keys of `table` whose values are of another type than `known` says."""
    out = []
    for key, value in table.items():
        if key not in known:
            continue
        name = type_name(known[key])
        types = ACCEPTED.get(name, ())
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            out.append(Problem(where, f"{key} is {shown(value)}, need {name}"))
        elif why := _value_problem(value, name):
            out.append(Problem(where, f"{key}: {why}"))
    return out


def _value_problem(value: Any, name: str) -> str:
    if isinstance(value, list | tuple):
        part = ITEMS.get(name)
        wrong = [i for i, item in enumerate(value) if part and type(item) is not part]
        if part and wrong:
            item = shown(value[wrong[0]])
            return f"item {wrong[0]} is {item}, need {part.__name__} ({len(wrong)} in all)"
        return next((why for why in (_value_problem(v, "") for v in value) if why), "")
    if isinstance(value, int) and not LEAST <= value <= MOST:
        return f"{shown(value)} is beyond 64 bits"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is no number"
    return ""


def suggestion(key: str, known: Iterable[str]) -> str:
    """Return the known key that is nearest to an unknown one, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(key, names, 1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}"
