"""Networks of tables of partial sums, the carry between them, and what the level needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.logic.cone import Cone, ConeBuilder, function_of, input_patterns
from nnlogic.logic.engines.linear_sums import Sums
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.tables.ir import Function

Rest = Callable[[Function], Cone]
"""Builds what is left: a function of the high bits of both sums and the carry."""


@dataclass
class Column:
    """Signals of equal weight, and how many constant ones go with them."""

    signals: list[int]
    ones: int = 0


def built(sums: Sums, function: Function, k: int, rest: Rest) -> Cone:
    """Return the network of a function whose levels are given by sums.

    Tables become one LUT per bit; the shortest are added until two are left, whose low bits only
    matter for their carry. `rest` builds the outputs from the high bits.
    """
    builder = ConeBuilder(function.n_inputs)
    words = [
        [_column(builder, group, (values >> b) & 1) for b in range(width)]
        for group, values, width in zip(sums.levels.groups, sums.tables, sums.widths, strict=True)
    ]
    while len(words) > 2:
        words.sort(key=len)
        words = [*words[2:], _added(builder, words[0], words[1], k)]
    columns = _stacked(words)
    carry = _chain(builder, columns[: sums.shift], k)
    signals = {s for c in (*columns[sums.shift :], carry) for s in c.signals}
    order = sorted(signals)
    cone = rest(_restricted(builder, order, function))
    return propagate_constants(builder.cone(builder.add(cone, order))).cone


def _column(builder: ConeBuilder, group: Sequence[int], bit: np.ndarray) -> Column:
    if bit.min() == bit.max():
        return Column([], int(bit[0]))
    return Column([builder.lut(group, sum(1 << int(i) for i in np.flatnonzero(bit)))])


def _stacked(words: Sequence[Sequence[Column]]) -> list[Column]:
    columns = []
    for b in range(max(map(len, words))):
        here = [w[b] for w in words if b < len(w)]
        columns.append(Column([s for c in here for s in c.signals], sum(c.ones for c in here)))
    return columns


def _chain(builder: ConeBuilder, columns: Sequence[Column], k: int) -> Column:
    """Return the carry out of columns of at most two bits each, in as few LUTs as possible."""
    carry = Column([])
    at = 0
    while at < len(columns):
        block = [carry]
        inputs = len(carry.signals)
        start = at
        while at < len(columns) and inputs + len(columns[at].signals) <= k:
            inputs += len(columns[at].signals)
            block.append(columns[at])
            at += 1
        carry = _digit(builder, block, at - start)
    return carry


def _digit(builder: ConeBuilder, block: Sequence[Column], bit: int) -> Column:
    """Return one bit of the sum of a carry and the columns above it."""
    inputs: list[int] = []
    weights: list[int] = []
    constant = 0
    for place, column in zip((0, *range(len(block) - 1)), block, strict=True):
        inputs += column.signals
        weights += [1 << place] * len(column.signals)
        constant += column.ones << place
    rows = np.arange(1 << len(inputs))
    total = np.full(len(rows), constant)
    for b, weight in enumerate(weights):
        total += ((rows >> b) & 1) * weight
    return _column(builder, inputs, (total >> bit) & 1)


def _added(
    builder: ConeBuilder, left: Sequence[Column], right: Sequence[Column], k: int
) -> list[Column]:
    """Add two words completely, with one carry per two columns where LUTs allow."""
    columns = _stacked([left, right])
    out: list[Column] = []
    carry = Column([])
    at = 0
    while at < len(columns):
        block = [carry, columns[at]]
        out.append(_digit(builder, block, 0))
        at += 1
        if at < len(columns) and sum(len(c.signals) for c in (*block, columns[at])) <= k:
            block.append(columns[at])
            out.append(_digit(builder, block, 1))
            at += 1
        carry = _digit(builder, block, len(block) - 1)
    out.append(carry)
    while out and not out[-1].signals and not out[-1].ones:
        out.pop()
    return out


def _restricted(builder: ConeBuilder, signals: Sequence[int], function: Function) -> Function:
    """Return the function of some signals, and what they can be as its care set."""
    values: Bools = builder.cone(signals).evaluate(input_patterns(function.n_inputs))
    index = np.zeros(values.shape[1], np.int64)
    for b, row in enumerate(values):
        index |= row.astype(np.int64) << b
    cares = function.care_bools()
    table = np.zeros((function.n_outputs, 1 << len(signals)), dtype=bool)
    care = np.zeros(1 << len(signals), dtype=bool)
    care[index[cares]] = True
    table[:, index[cares]] = function.table()[:, cares]
    return function_of(table, care, "exact SDC")
