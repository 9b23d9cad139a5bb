"""Functions that are simple once the number of ones is known, such as rotations by it.

The ones are counted by an adder. For each count an output then reads two inputs or fewer, and two
levels of four-way multiplexers choose. A multiplexer that matters for some counts only is taken
from another output where that has the right values there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.errors import ToolFailed
from nnlogic.core.formats import IntArray
from nnlogic.logic.adders import Term, weighted_sum
from nnlogic.logic.cone import Cone, ConeBuilder, input_patterns
from nnlogic.tables.ir import Function

MIN_INPUTS, MAX_INPUTS = 8, 15
"""Smaller functions have cheaper forms; a fifth bit of the count would need a third level."""
MAX_LEAF = 2
MUX = sum(1 << i for i in range(64) if i >> (2 + (i & 3)) & 1)
"""Four-way multiplexer: two bits that choose, four inputs."""

Leaf = tuple[tuple[int, ...], int]
"""Inputs, and the truth table over them."""


@dataclass(frozen=True)
class Counted:
    """A counter of ones and multiplexers; LUTs have six inputs."""

    name: str = "counted"

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """Functions without don't-cares."""
        inside = MIN_INPUTS <= function.n_inputs <= MAX_INPUTS
        return effort != "fast" and k == 6 and function.care is None and inside

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Build counter, leaves and multiplexers.

        Raises
        ------
        ToolFailed
            For some count an output reads more than two inputs.
        """
        n, table = function.n_inputs, function.table()
        count = input_patterns(n).sum(axis=0)
        leaves: dict[tuple[int, int], Leaf] = {}
        # Counts with the most rows first: most functions are refused at once.
        for ones in sorted(range(n + 1), key=lambda ones: abs(2 * ones - n)):
            for o, row in enumerate(table):
                leaf = few_inputs(row, count == ones)
                if leaf is None:
                    why = f"output {o} where {ones} of {n} inputs are 1"
                    raise ToolFailed("counting ones does not help", where=self.name, why=why)
                leaves[o, ones] = leaf
        builder = ConeBuilder(n)
        bits, _ = weighted_sum(builder, [Term(s, 1) for s in range(n)], 0, 4, k)
        return builder.cone(_chosen(builder, table, count, bits, leaves))


def few_inputs(row: Bools, where: Bools) -> Leaf | None:
    """Find the fewest inputs, two at most, that tell the value of a function on some rows."""
    rows = np.flatnonzero(where)
    values = row[rows]
    n = row.size.bit_length() - 1
    for size in range(MAX_LEAF + 1):
        for inputs in combinations(range(n), size):
            code = np.zeros(len(rows), np.int64)
            for b, s in enumerate(inputs):
                code |= (rows >> s & 1) << b
            ones = np.bincount(code[values], minlength=1 << size)
            if not (ones[code[~values]] > 0).any():
                return inputs, sum(1 << i for i, count in enumerate(ones.tolist()) if count)
    return None


def _chosen(
    builder: ConeBuilder,
    table: Bools,
    count: IntArray,
    bits: list[int],
    leaves: dict[tuple[int, int], Leaf],
) -> list[int]:
    """Build the multiplexers of all outputs, those of the fullest quarter of the counts first."""
    patterns = input_patterns(builder.n_inputs)
    made: list[tuple[int, Bools]] = list(enumerate(patterns))
    zero = builder.constant(False)
    quarters: dict[tuple[int, int], int] = {}
    for quarter in sorted(range(4), key=lambda q: -int((count >> 2 == q).sum())):
        where = count >> 2 == quarter
        for o, row in enumerate(table):
            found = [s for s, values in made if np.array_equal(values[where], row[where])]
            if not found:
                signals, values = [zero] * 4, np.zeros(row.size, bool)
                for low in range(4):
                    if (o, 4 * quarter + low) in leaves:
                        inputs, leaf = leaves[o, 4 * quarter + low]
                        signals[low] = builder.lut(inputs, leaf)
                        index = (1 << np.arange(len(inputs))) @ patterns[list(inputs)]
                        values |= (leaf >> index & 1 == 1) & (count & 3 == low)
                found = [builder.lut((*bits[:2], *signals), MUX)]
                made.append((found[0], values))
            quarters[o, quarter] = found[0]
    return [
        builder.lut((*bits[2:], *(quarters[o, q] for q in range(4))), MUX)
        for o in range(len(table))
    ]
