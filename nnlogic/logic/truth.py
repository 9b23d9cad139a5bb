"""Truth tables of single LUTs as Python integers: bit ``i`` is the output for index ``i``.

Input ``b`` is bit ``b`` of the index, as in `nnlogic.core.bits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

NOT = 0b01
BUFFER = 0b10


@cache
def full(n: int) -> int:
    """Return the table of constant one on `n` inputs."""
    return (1 << (1 << n)) - 1


@cache
def projection(n: int, var: int) -> int:
    """Return the table, on `n` inputs, of input `var` itself."""
    step = 1 << var
    block = ((1 << step) - 1) << step
    out = 0
    for at in range(0, 1 << n, 2 * step):
        out |= block << at
    return out


def cofactor(table: int, n: int, var: int, value: int) -> int:
    """Fix input `var`; the result has ``n - 1`` inputs."""
    step = 1 << var
    mask = (1 << step) - 1
    out = 0
    source = table >> (step if value else 0)
    for i in range(1 << (n - 1 - var)):
        out |= ((source >> (2 * step * i)) & mask) << (step * i)
    return out


def depends(table: int, n: int, var: int) -> bool:
    """Whether the function changes with input `var`."""
    ones = projection(n, var)
    return (table & ones) >> (1 << var) != table & (full(n) ^ ones)


def complement_input(table: int, n: int, var: int) -> int:
    """Return the table that reads the complement of input `var`."""
    ones = projection(n, var)
    step = 1 << var
    return ((table & ones) >> step) | ((table & (full(n) ^ ones)) << step)


@cache
def _exchange(n: int, low: int, high: int) -> tuple[int, int, int]:
    """Masks of the indices where exactly input `low`, or exactly `high`, is 1; their distance."""
    only_low = projection(n, low) & ~projection(n, high)
    only_high = projection(n, high) & ~projection(n, low)
    return only_low, only_high, (1 << high) - (1 << low)


def permuted(table: int, order: Sequence[int]) -> int:
    """Return the table whose input ``i`` is input ``order[i]`` of `table`."""
    n = len(order)
    at = list(range(n))
    for i, wanted in enumerate(order):
        j = at.index(wanted)
        if j == i:
            continue
        low, high, shift = _exchange(n, i, j)
        moved = (table & low) << shift | (table & high) >> shift
        table = table & ~(low | high) | moved
        at[i], at[j] = at[j], at[i]
    return table


def merged_input(table: int, n: int, kept: int, dropped: int) -> int:
    """Connect input `dropped` to input `kept`; the result has ``n - 1`` inputs."""
    ones = projection(n, kept)
    both = full(n)
    high = projection(n, dropped)
    agree = (ones & high) | ((both ^ ones) & (both ^ high))
    diagonal = table & agree
    return cofactor(diagonal, n, dropped, 0) | cofactor(diagonal, n, dropped, 1)


def simplified(table: int, fanins: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    """Join repeated inputs and drop those without influence."""
    inputs = list(fanins)
    i = 0
    while i < len(inputs):
        first = inputs.index(inputs[i])
        if first < i:
            table = merged_input(table, len(inputs), first, i)
            del inputs[i]
        else:
            i += 1
    for i in range(len(inputs) - 1, -1, -1):
        if not depends(table, len(inputs), i):
            table = cofactor(table, len(inputs), i, 0)
            del inputs[i]
    return table, tuple(inputs)
