"""Operations of two words that are additions in disguise: products modulo a prime, in fields.

If the table of the operation, without operands of which the other one does not matter, is that of
a cyclic group, operands have logarithms, and the result depends on the sum of two of them:
``f(a, b) = E(log a + log b)``. Logarithms are one LUT a bit, the sum is an adder, and E is a
function of one word, whose don't-cares are sums that do not occur.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import ToolFailed
from nnlogic.core.formats import IntArray
from nnlogic.logic.adders import Term, weighted_sum
from nnlogic.logic.cone import Cone, ConeBuilder, function_of
from nnlogic.logic.engines.base import Engine, smallest
from nnlogic.tables.ir import Function

LEAST_ORDER = 5
"""Groups below are cheap in any form."""
GENERATORS = 4
"""Generators tried: they differ in the table E."""


@dataclass(frozen=True, eq=False)
class Group:
    """A cyclic group found in a table.

    Attributes
    ----------
    low, high : int array, shape (2**half,)
        Logarithm of each operand, -1 where the other operand does not matter.
    results : int array, shape (order,)
        Value of the function by sum of logarithms, modulo the order.
    other : int
        Value where an operand has no logarithm.
    """

    low: IntArray
    high: IntArray
    results: IntArray
    other: int

    @property
    def order(self) -> int:
        """Number of elements."""
        return len(self.results)

    def powered(self, unit: int) -> Group:
        """Return the same group with another generator."""
        low, high = (np.where(x < 0, -1, x * unit % self.order) for x in (self.low, self.high))
        results = np.empty_like(self.results)
        results[np.arange(self.order) * unit % self.order] = self.results
        return Group(low, high, results, self.other)


@dataclass(frozen=True)
class Cyclic:
    """Logarithms, an adder, and the rest by other engines.

    Attributes
    ----------
    name : str
    engines : tuple of Engine
    """

    name: str
    engines: tuple[Engine, ...]

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """Two operands of one LUT each, no don't-cares."""
        n = function.n_inputs
        shape = n % 2 == 0 and k < n <= 2 * k and function.n_outputs > 1
        return effort != "fast" and shape and function.care is None

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Find the group and build it with several generators; return the smallest.

        Raises
        ------
        ToolFailed
            The function is no such operation of the lower and the upper half of its inputs.
        """
        values = (1 << np.arange(function.n_outputs)) @ function.table().astype(np.int64)
        half = function.n_inputs // 2
        group = found_group(values.reshape(1 << half, 1 << half))
        if group is None:
            raise ToolFailed("no cyclic group", where=self.name)
        units = [u for u in range(1, group.order) if gcd(u, group.order) == 1][:GENERATORS]
        cones = [self._built(function, group.powered(u), k, timeout) for u in units]
        return min(cones, key=lambda cone: (cone.luts, cone.depth))

    def _built(self, function: Function, group: Group, k: int, timeout: float) -> Cone:
        half, order = function.n_inputs // 2, group.order
        builder = ConeBuilder(function.n_inputs)
        width = (order - 1).bit_length()
        terms, flags = [], []
        for first, logs in ((0, group.low), (half, group.high)):
            operand = range(first, first + half)
            for b in range(width):
                bit = builder.lut(operand, _integer(np.maximum(logs, 0) >> b & 1 == 1))
                terms.append(Term(bit, 1 << b))
            flags.append(builder.lut(operand, _integer(logs < 0)))
        whole = order == 1 << width
        wide = width if whole else (2 * order - 2).bit_length()
        total, _ = weighted_sum(builder, terms, 0, wide, k)
        rest = _results(group, wide, whole, function.n_outputs)
        inner = smallest(rest, k, timeout, self.engines)
        outside = builder.lut(flags, 0b1110)
        return builder.cone(builder.add(inner, (*total, outside)))


def _results(group: Group, wide: int, whole: bool, outputs: int) -> Function:
    """Return the results as a function of the sum, and of whether an operand has no logarithm."""
    sums = np.arange(1 << wide)
    values = np.concatenate([group.results[sums % group.order], np.full(1 << wide, group.other)])
    care = np.tile(sums < (1 << wide if whole else 2 * group.order - 1), 2)
    table = (values >> np.arange(outputs)[:, None]) & 1 == 1
    return function_of(table, care, "exact SDC")


def found_group(values: IntArray) -> Group | None:
    """Find a cyclic group in the table of an operation.

    Parameters
    ----------
    values : int array, shape (operands, operands)
        Row by upper, column by lower operand. Equal rows are one element, and so are columns.
    """
    dead_rows, dead_columns = ((v == v[:, :1]).all(axis=1) for v in (values, values.T))
    other = np.unique(np.concatenate([values[dead_rows].ravel(), values[:, dead_columns].ravel()]))
    rows, columns = np.flatnonzero(~dead_rows), np.flatnonzero(~dead_columns)
    if len(other) > 1 or not len(rows) or not len(columns):
        return None
    live = values[np.ix_(rows, columns)]
    unique, row_class = np.unique(live, axis=0, return_inverse=True)
    turned, column_class = np.unique(unique.T, axis=0, return_inverse=True)
    table = turned.T
    order = len(table)
    elements = np.unique(table)
    if table.shape != (order, order) or len(elements) != order or order < LEAST_ORDER:
        return None
    if not all(np.array_equal(np.sort(row), elements) for row in table):
        return None
    # moved[r, c]: the column at which row 0 has what row r has at c. A power of one cycle, all.
    place = np.argsort(table[0])[np.searchsorted(elements, table)]
    for step in place:
        log = _cycle(step)
        if log is None:
            continue
        shifts = (log[place] - log) % order
        if (shifts == shifts[:, :1]).all():
            low, high = np.full(len(values.T), -1), np.full(len(values), -1)
            low[columns] = log[column_class.ravel()]
            high[rows] = shifts[row_class.ravel(), 0]
            return Group(low, high, table[0][np.argsort(log)], int(other[0]) if len(other) else 0)
        return None
    return None


def _cycle(step: IntArray) -> IntArray | None:
    """Return the number of steps from 0 to each element, if one cycle holds all."""
    log = np.full(len(step), -1)
    at = 0
    for number in range(len(step)):
        if log[at] >= 0:
            return None
        log[at] = number
        at = int(step[at])
    return log


def _integer(row: Bools) -> int:
    return int.from_bytes(np.packbits(row, bitorder="little").tobytes(), "little")
