"""Short sums of products of one LUT's table (irredundant covers after Minato and Morreale)."""

from __future__ import annotations

from functools import cache

from nnlogic.logic.truth import cofactor, full


@cache
def irredundant(table: int, n: int) -> tuple[str, ...]:
    """Return cubes of ``0``, ``1``, ``-`` (first input first) whose union is `table`."""
    return _cover(table, table, n)[0]


@cache
def _cover(low: int, high: int, n: int) -> tuple[tuple[str, ...], int]:
    """Return cubes that cover `low` and stay inside `high`, and the table they make."""
    if not low:
        return (), 0
    if high == full(n):
        return ("-" * n,), full(n)
    top = n - 1
    low0, low1 = cofactor(low, n, top, 0), cofactor(low, n, top, 1)
    high0, high1 = cofactor(high, n, top, 0), cofactor(high, n, top, 1)
    zeros, made0 = _cover(low0 & ~high1, high0, top)
    ones, made1 = _cover(low1 & ~high0, high1, top)
    rest, made = _cover((low0 & ~made0) | (low1 & ~made1), high0 & high1, top)
    cubes = (*(c + "0" for c in zeros), *(c + "1" for c in ones), *(c + "-" for c in rest))
    return cubes, made0 | made | ((made1 | made) << (1 << top))
