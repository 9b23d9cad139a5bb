"""Own engine, without external programs: Roth-Karp decomposition, else shared multiplexers.

A bound set of inputs is replaced by a few LUTs that tell apart only the columns the rest of the
function can tell apart (Ashenhurst, Curtis; with don't-cares and several outputs Roth and Karp).
Where no bound set helps, all outputs are expanded on one or two inputs together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.support import Partial, copies
from nnlogic.logic.truth import NOT
from nnlogic.tables.ir import Function

MAX_SETS = 400
"""Bound sets tried per size; more than that are sampled."""
MAX_CELLS = 1 << 16
"""Largest table, outputs times rows, for which bound sets are searched."""


class Decompose:
    """Functional decomposition with sharing; the engine that always has an answer."""

    name = "decompose"

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """Any function, where time is not short."""
        return effort == "high"

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Decompose all outputs together, and each alone; return the smaller result."""
        whole = Partial.of(function)
        builder = ConeBuilder(function.n_inputs)
        together = builder.cone(_signals(whole, k, builder))
        if function.n_outputs == 1:
            return together
        builder = ConeBuilder(function.n_inputs)
        outputs = [
            s for i in range(function.n_outputs) for s in _signals(whole.output(i), k, builder)
        ]
        apart = builder.cone(outputs)
        return min(together, apart, key=lambda cone: (cone.luts, cone.depth))


def _signals(part: Partial, k: int, builder: ConeBuilder) -> list[int]:
    """Build every output of `part`, whose inputs are signals of `builder`."""
    found: dict[int, int] = {}
    for i in range(len(part.on)):
        alone = part.output(i).reduced()
        if len(alone.inputs) <= k:
            found[i] = builder.lut(alone.inputs, _integer(alone.on[0]))
    waiting = [i for i in range(len(part.on)) if i not in found]
    twins = copies(part, waiting)
    waiting = [i for i in waiting if i not in twins]
    if waiting:
        rest = part.outputs(waiting).reduced()
        split = _best_split(rest, k)
        build = _expanded if split is None else split.signals
        found.update(zip(waiting, build(rest, k, builder), strict=True))
    for i, (original, table) in twins.items():
        found[i] = builder.lut([found[original]], NOT) if table == NOT else found[original]
    return [found[i] for i in range(len(part.on))]


def _integer(bits: Bools) -> int:
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")


@dataclass(frozen=True, eq=False)
class _Split:
    """A bound set and the class of each of its combinations.

    Attributes
    ----------
    bound : tuple of int
        Positions among the inputs.
    classes : int64 array, shape (2**len(bound),)
    count : int
        Number of classes.
    """

    bound: tuple[int, ...]
    classes: IntArray
    count: int

    @property
    def rails(self) -> int:
        """Code bits that tell the classes apart."""
        return (self.count - 1).bit_length()

    def signals(self, part: Partial, k: int, builder: ConeBuilder) -> list[int]:
        """Build the code of the bound set, then the function of code and other inputs."""
        bound = [part.inputs[b] for b in self.bound]
        code = [
            builder.lut(bound, _integer(((self.classes >> r) & 1).astype(bool)))
            for r in range(self.rails)
        ]
        free = tuple(s for b, s in enumerate(part.inputs) if b not in self.bound)
        on, off = (_columns(rows, self.bound) for rows in (part.on, part.off))
        m = len(part.on)
        new_on = np.zeros((m, 1 << self.rails, 1 << len(free)), dtype=bool)
        new_off = np.zeros_like(new_on)
        for column, which in enumerate(self.classes):
            new_on[:, which] |= on[column].reshape(m, -1)
            new_off[:, which] |= off[column].reshape(m, -1)
        smaller = Partial(new_on.reshape(m, -1), new_off.reshape(m, -1), (*free, *code))
        return _signals(smaller, k, builder)


def _columns(rows: Bools, bound: tuple[int, ...]) -> Bools:
    """Return the table as one row per combination of the bound inputs."""
    m, size = rows.shape
    n = size.bit_length() - 1
    # Axis 0 is the outputs, axis 1 + i is input n - 1 - i.
    cube = rows.reshape((m,) + (2,) * n)
    front = [n - b for b in reversed(bound)]
    rest = [axis for axis in range(n + 1) if axis not in front]
    return cube.transpose(front + rest).reshape(1 << len(bound), -1)


def _best_split(part: Partial, k: int) -> _Split | None:
    """Find the bound set that leaves the cheapest function, by the bound for plain tables."""
    m, n = len(part.on), len(part.inputs)
    if m << n > MAX_CELLS:
        return None
    best, best_cost = None, _table_cost(n, m, k)
    for size in range(min(k, n - 1), 1, -1):
        for bound in _bound_sets(n, size):
            on, off = _columns(part.on, bound), _columns(part.off, bound)
            split = _Split(bound, *_classes(on, off))
            cost = split.rails + _table_cost(n - size + split.rails, m, k)
            if split.rails < size and cost < best_cost:
                best, best_cost = split, cost
    return best


def _table_cost(n: int, m: int, k: int) -> int:
    """LUTs of `m` tables of `n` inputs built from multiplexers of `k`-input LUTs."""
    cost, leaves = 0, m
    while n > k:
        selects = _selects(n, k)
        cost += leaves * (1 if k >= 3 else 3)
        leaves <<= selects
        n -= selects
    return cost + leaves


def _selects(n: int, k: int) -> int:
    return 2 if k >= 6 and n >= k + 2 else 1


def _bound_sets(n: int, size: int) -> Iterator[tuple[int, ...]]:
    if comb(n, size) <= MAX_SETS:
        yield from combinations(range(n), size)
        return
    # Bits of one number lie side by side, and bind well.
    yield from (tuple(range(at, at + size)) for at in range(n - size + 1))
    rng = np.random.default_rng(n * 64 + size)
    for _ in range(MAX_SETS):
        yield tuple(sorted(rng.choice(n, size, replace=False).tolist()))


def _classes(on: Bools, off: Bools) -> tuple[IntArray, int]:
    """Group columns that never contradict each other, greedily; codes follow their weight."""
    if (on | off).all():
        _, first, classes = np.unique(
            np.packbits(on, axis=1), axis=0, return_index=True, return_inverse=True
        )
        weight = on[first].sum(axis=1)
        rank = np.empty(len(first), dtype=np.int64)
        rank[np.argsort(weight, kind="stable")] = np.arange(len(first))
        return rank[classes.reshape(-1)], len(first)
    classes = np.zeros(len(on), dtype=np.int64)
    group_on: list[Bools] = []
    group_off: list[Bools] = []
    # Columns with many cares first: they are the hard ones to place.
    for column in np.argsort(-(on | off).sum(axis=1), kind="stable"):
        for which, (a, b) in enumerate(zip(group_on, group_off, strict=True)):
            if not ((a & off[column]).any() or (b & on[column]).any()):
                group_on[which] = a | on[column]
                group_off[which] = b | off[column]
                break
        else:
            which = len(group_on)
            group_on.append(on[column])
            group_off.append(off[column])
        classes[column] = which
    return classes, len(group_on)


def _expanded(part: Partial, k: int, builder: ConeBuilder) -> list[int]:
    """Expand all outputs on the last one or two inputs and build the cofactors together."""
    n, m = len(part.inputs), len(part.on)
    selects = _selects(n, k)
    ways = 1 << selects
    cofactors = Partial(
        part.on.reshape(m * ways, -1), part.off.reshape(m * ways, -1), part.inputs[: n - selects]
    )
    data = _signals(cofactors, k, builder)
    selectors = part.inputs[n - selects :]
    return [
        multiplexer(data[ways * i : ways * (i + 1)], selectors, k, builder) for i in range(m)
    ]


def multiplexer(data: list[int], selectors: tuple[int, ...], k: int, builder: ConeBuilder) -> int:
    """Build a multiplexer of two or four signals from LUTs of `k` inputs."""
    n = len(data)
    if n + len(selectors) <= k:
        table = 0
        for index in range(1 << (n + len(selectors))):
            table |= ((index >> (index >> n)) & 1) << index
        return builder.lut([*data, *selectors], table)
    low, high = data
    (select,) = selectors
    a = builder.lut([low, select], 0b0010)
    b = builder.lut([high, select], 0b1000)
    return builder.lut([a, b], 0b1110)
