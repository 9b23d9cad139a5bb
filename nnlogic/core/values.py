"""Values of files, taken for what they are: no type and no range is believed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.archive import frozen

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


def exact(array: NDArray, dtype: Any, dims: int | None = None) -> NDArray:
    """Return an array of a file as one of `dtype`, with the same values; read-only.

    Raises
    ------
    ValueError
        It has other dimensions or another kind of values, or values that `dtype` does not hold.
    """
    dtype = np.dtype(dtype)
    if dims is not None and array.ndim != dims:
        raise ValueError(f"shape {array.shape}, need {dims} dimensions")
    if array.dtype.kind not in {"i": "iu", "u": "iu"}.get(dtype.kind, dtype.kind):
        raise ValueError(f"{array.dtype}, need {dtype}")
    if dtype.kind == "f" and array.dtype.itemsize > dtype.itemsize:
        raise ValueError(f"{array.dtype}, need {dtype}")
    if dtype.kind in "iu" and array.size:
        least, most, info = int(array.min()), int(array.max()), np.iinfo(dtype)
        if least < info.min or most > info.max:
            raise ValueError(f"values {least} to {most}, beyond {dtype}")
    return frozen(array, dtype)
