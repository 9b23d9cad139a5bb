"""Tables of neurons that are given as functions, by calling them on everything they can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.errors import Problem, TooWide
from nnlogic.core.formats import IntArray, IntFormat

MOST_BITS = 16
"""Input bits of a neuron, those of a table."""


def called(
    function: Callable[..., Any], x_formats: tuple[IntFormat, ...], *, arrays: bool
) -> list[Any] | np.ndarray:
    """Return what a function gives for all codes of the wires it reads.

    Parameters
    ----------
    function : callable
        Of one argument per wire: a Python int, or where `arrays` an int64 array of shape
        ``(2**bits,)``, with ``bits`` of all wires together.
    x_formats : tuple of IntFormat
        Of these wires, in order; the first one has the low bits of the index.
    arrays : bool

    Raises
    ------
    TooWide
        The wires have more than `MOST_BITS` bits.
    """
    width = sum(fmt.bits for fmt in x_formats)
    if width > MOST_BITS:
        raise TooWide(
            "a neuron is too wide to enumerate", why=f"it reads {width} bits, limit {MOST_BITS}",
            fix="fewer wires, or wires of fewer bits",
        )  # fmt: skip
    values, index = [], np.arange(1 << width)
    for fmt in x_formats:
        values.append(fmt.from_raw(index & ((1 << fmt.bits) - 1)))
        index = index >> fmt.bits
    if arrays:
        return np.broadcast_to(np.asarray(function(*values)), (1 << width,))
    return [function(*row) for row in _rows(values, 1 << width)]


def _rows(values: list[IntArray], count: int) -> Iterator[tuple[int, ...]]:
    return zip(*(v.tolist() for v in values), strict=True) if values else iter([()] * count)


def checked(
    results: list[Any] | np.ndarray, fmt: IntFormat, x_formats: tuple[IntFormat, ...], where: str
) -> IntArray | Problem:
    """Return results as a table, or the first that is no integer of a format."""
    wrong = ""
    values = np.asarray(results)
    whole = values.dtype.kind in "biu" and values.ndim == 1
    if values.dtype.kind == "f" and values.ndim == 1:
        whole = bool(np.isfinite(values).all() and (values == np.rint(values)).all())
    if not whole:
        at = next((i for i, r in enumerate(results) if not _is_whole(r)), 0)
        wrong, fix = "no integer", "return a code: round, or count thresholds"
    elif not (inside := (values >= fmt.lo) & (values <= fmt.hi)).all():
        at = int(np.argmin(inside))
        low, high = int(values.min()), int(values.max())
        wrong = f"not in {fmt}, {fmt.lo}..{fmt.hi}"
        fix = f"formats: {IntFormat.holding(low, high)} holds all it gives, {low}..{high}"
    if wrong:
        given = ", ".join(map(str, codes_at(at, x_formats)))
        return Problem(where, f"gives {results[at]!r} for ({given}), {wrong}", fix)
    return frozen(values, np.int64)


def _is_whole(result: Any) -> bool:
    value = np.asarray(result)
    if value.ndim or value.dtype.kind not in "biuf":
        return False
    return value.dtype.kind != "f" or float(value).is_integer()


def codes_at(index: int, x_formats: tuple[IntFormat, ...]) -> tuple[int, ...]:
    """Return the codes that an index of a table stands for."""
    out = []
    for fmt in x_formats:
        out.append(int(fmt.from_raw(np.array(index & ((1 << fmt.bits) - 1)))))
        index >>= fmt.bits
    return tuple(out)
