"""Values of files, taken for what they are: no type and no range is believed."""

from __future__ import annotations

from typing import Any

LEAST, MOST = -(1 << 63), (1 << 63) - 1
"""Integers that files hold."""
LONGEST = 60
"""Characters of a value in a message."""


def checked(data: Any, kind: type[Any]) -> Any:
    """Return JSON data of one type; an integer serves as a float.

    Raises
    ------
    TypeError, ValueError
        It is of another type, or an integer beyond 64 bits.
    """
    if type(data) is not kind and not (kind is float and type(data) is int):
        raise TypeError(f"{shown(data)} is not {kind.__name__}")
    if isinstance(data, int) and not LEAST <= data <= MOST:
        raise ValueError(f"{shown(data)} is beyond 64 bits")
    return float(data) if isinstance(data, int) and kind is float else data


def shown(data: Any) -> str:
    """Return data of a file as a message shows them: short, whatever they are."""
    if isinstance(data, int) and not LEAST <= data <= MOST:
        return f"an integer of {data.bit_length()} bits"
    if isinstance(data, list | tuple | dict):
        return f"a {'table' if isinstance(data, dict) else 'list'} of {len(data)}"
    text = repr(data)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
