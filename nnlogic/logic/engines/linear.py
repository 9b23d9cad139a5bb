"""Arithmetic realization: a function that is a quantized sum of tables, as an adder.

Each group of inputs becomes a table of partial sums, one LUT per bit; a chain of LUTs carries
over the low bits, and what is left is a small function of the high bits and the carry.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, pairwise

import numpy as np

from nnlogic.core.errors import ToolFailed
from nnlogic.core.formats import IntArray
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.engines.decompose import Decompose
from nnlogic.logic.engines.linear_build import built
from nnlogic.logic.engines.linear_sums import ANY, Groups, Levels, Sums, recovered
from nnlogic.logic.engines.linear_weights import margin_weights
from nnlogic.logic.resub.improve import improve
from nnlogic.logic.support import Partial, settle_outputs
from nnlogic.tables.ir import Function

MAX_OUTPUTS = 5
MAX_GROUPS = 4
MAX_SHIFT = 8
"""Most bits of the sum of two tables below the output."""
FINE_SHIFT = 3
"""Most neurons need more bits below the output."""
MAX_WIDE_SHIFT = 14
"""The same for more tables, of which all but two are rounded."""
PROBES = 12
"""Divisions tried before a function is called not additive."""


@dataclass(frozen=True)
class Linear:
    """Sum of tables of at most K inputs each.

    Attributes
    ----------
    name : str
    divisions : int
        Ways to divide the inputs into groups that are looked at.
    candidates : int
        Of these, those with the fewest bits below the level are narrowed.
    shortlist : int
        Of these, bits of the narrowest are made free.
    finalists : int
        Of these, those with the fewest LUTs in tables are built and improved a little.
    starts : int
        Decompositions of what the tables and the carry leave.
    moves : int
        Of resubstitution, by which the finalists are compared.
    efforts : tuple of str
    """

    name: str = "linear"
    divisions: int = 48
    candidates: int = 24
    shortlist: int = 12
    finalists: int = 4
    starts: int = 1
    moves: int = 2_000
    efforts: tuple[str, ...] = ("normal", "high")

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """Whether a few tables can hold the inputs."""
        return (
            effort in self.efforts
            and k >= 4
            and k < function.n_inputs <= MAX_GROUPS * k
            and function.n_outputs <= MAX_OUTPUTS
        )

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Recover the tables of several divisions and build the most promising.

        Raises
        ------
        ToolFailed
            The function is not a quantized sum of tables, for the divisions looked at.
        """
        deadline = time.monotonic() + timeout
        divisions = list(islice(divided(tuple(range(function.n_inputs)), k), self.divisions))
        stairs = _staircase(function, divisions)
        if stairs is None:
            raise ToolFailed("not a sum of tables", where=self.name)
        every = [Levels.of(stairs.levels, stairs.count, groups) for groups in divisions]
        head = function.n_outputs + 1
        found: list[Sums] = []
        fine = every
        if stairs.weights is None:
            # Two tables can be doubled: what has none at a shift has none at lower ones.
            fine = [levels for levels in every if recovered(levels, FINE_SHIFT, head) is not None]
        for shift in range((MAX_SHIFT if stairs.weights is None else MAX_WIDE_SHIFT) + 1):
            for levels in fine if shift <= FINE_SHIFT else every:
                if len(found) < self.candidates and time.monotonic() < deadline:
                    sums = recovered(levels, shift, head, stairs.weights)
                    if sums is not None:
                        found.append(sums.coarser(head).narrowed(range(head + 1)))
        if not found:
            raise ToolFailed("not a sum of tables", where=self.name)
        found.sort(key=lambda s: sum(s.widths))
        found = [sums.improved(range(head + 1)) for sums in found[: self.shortlist]]
        found.sort(key=lambda s: s.price)
        cones = []
        for sums in found[: self.finalists]:
            cone = built(sums, function, k, lambda f: _rest(f, k, self.starts, timeout))
            cones.append(improve(cone, function, k=k, moves=self.moves))
        return min(cones, key=lambda c: (c.luts, c.depth))


def divided(inputs: tuple[int, ...], k: int) -> Iterator[Groups]:
    """Divide inputs into groups of at most `k`, as few as possible; neighbours together first."""
    n = len(inputs)
    count = -(-n // k)
    if count <= 1:
        yield (inputs,)
        return
    sizes = range(n - k, k + 1) if count == 2 else range(-(-n // count), k + 1)
    firsts = [
        tuple(inputs[i] for i in chosen)
        for size in sizes
        for chosen in combinations(range(n), size)
        if chosen[0] == 0
    ]

    def breaks(group: tuple[int, ...]) -> tuple[int, int]:
        side = [i in group for i in inputs]
        return sum(a != b for a, b in pairwise(side)), abs(2 * len(group) - n)

    firsts.sort(key=breaks)
    for first in firsts:
        rest = tuple(i for i in inputs if i not in first)
        for others in islice(divided(rest, k), 1 if count == 2 else 4):
            yield (first, *others)


@dataclass(frozen=True, eq=False)
class _Stairs:
    """A function as ordered levels.

    Attributes
    ----------
    levels : int64 array, shape (2**n,)
    count : int
    weights : float array, shape (n,), or None
        Weight of each input; None where two tables are found without.
    """

    levels: IntArray
    count: int
    weights: np.ndarray | None


def _staircase(function: Function, divisions: Sequence[Groups]) -> _Stairs | None:
    """Order the codes by level: unsigned or two's complement, low to high."""
    size = 1 << function.n_outputs
    unsigned = list(range(size))
    orders = [unsigned, unsigned[size // 2 :] + unsigned[: size // 2]]
    for codes in orders[: function.n_outputs]:
        table = levels_of(function, codes)
        if len(divisions[0]) > 2:
            weights = margin_weights(table, size)
            if weights is not None:
                return _Stairs(table, size, weights)
            continue
        for groups in divisions[:PROBES]:
            levels = Levels.of(table, size, groups)
            if recovered(levels, MAX_SHIFT, function.n_outputs + 1) is not None:
                return _Stairs(table, size, None)
    return None


def levels_of(function: Function, codes: Sequence[int]) -> IntArray:
    """Return the level of each row in the order of the codes, or `ANY`; int64 (2**n,)."""
    weights = 1 << np.arange(function.n_outputs)
    code = (function.table() * weights[:, None]).sum(axis=0)
    rank = np.empty(len(codes), np.int64)
    rank[list(codes)] = np.arange(len(codes))
    return np.where(function.care_bools(), rank[code], ANY)


def _rest(function: Function, k: int, starts: int, timeout: float) -> Cone:
    """Build outputs of few inputs directly, and the others by decomposition."""
    builder = ConeBuilder(function.n_inputs)
    whole = Partial.of(function)
    signals = settle_outputs(whole, k, builder)
    waiting = [i for i in range(function.n_outputs) if i not in signals]
    if waiting:
        part = whole.outputs(waiting).reduced()
        left = part.function(function.justification)
        cones = [Decompose(seed=seed).solve(left, k, timeout) for seed in range(starts)]
        best = min(cones, key=lambda c: (c.luts, c.depth))
        signals.update(zip(waiting, builder.add(best, part.inputs), strict=True))
    return builder.cone([signals[i] for i in range(function.n_outputs)])


LINEAR_ENGINES = (
    Linear(),
    # Neighbouring inputs together: larger, and with more room for resubstitution.
    Linear("linear/first", 16, 6, 6, 2, moves=0),
    Linear("linear/wide", 400, 160, 40, 16, 4, efforts=("high",)),
)
