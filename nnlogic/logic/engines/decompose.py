"""Own engine, without external programs: Roth-Karp decomposition, else shared multiplexers.

A bound set of inputs is replaced by a few LUTs that tell apart only the columns the rest of the
function can tell apart (Ashenhurst, Curtis; with don't-cares and several outputs Roth and Karp).
Where no bound set helps, all outputs are expanded on one or two inputs together.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from nnlogic.core.bits import Bools, pack
from nnlogic.core.formats import IntArray
from nnlogic.logic.abc_blif import read_blif, write_blif
from nnlogic.logic.cone import Cone, ConeBuilder
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.logic.support import Partial, copies
from nnlogic.logic.truth import NOT
from nnlogic.tables.ir import Function
from nnlogic.tools.abc import transform_blif

MAX_SETS = 400
"""Bound sets tried per size; more than that are sampled."""
MAX_CELLS = 1 << 18
"""Largest table, outputs times rows, for which bound sets are searched."""
RESTARTS = 12


@dataclass(frozen=True)
class Decompose:
    """Functional decomposition with sharing; the engine that always has an answer.

    Attributes
    ----------
    name : str
    seed : int
        0 takes the bound set with the fewest columns, another value any of those that need
        the fewest code bits.
    polish : bool
        Let ABC remove what internal don't-cares allow.
    """

    name: str = "decompose"
    seed: int = 0
    polish: bool = False

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """High effort; the first also at normal effort, where other engines are weak."""
        weak = function.care is not None or not 11 <= function.n_inputs <= 12
        return effort == "high" or (effort == "normal" and self.seed == 0 and weak)

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Decompose all outputs together, and each alone; return the smaller result.

        When half the time is over, what is left is built from multiplexers.
        """
        whole = Partial.of(function)
        run = _Run(k, self.seed, time.monotonic() + timeout / 2)
        builder = ConeBuilder(function.n_inputs)
        cone = builder.cone(run.signals(whole, builder))
        if function.n_outputs > 1:
            builder = ConeBuilder(function.n_inputs)
            outputs = [
                s for i in range(function.n_outputs) for s in run.signals(whole.output(i), builder)
            ]
            apart = builder.cone(outputs)
            cone = min(cone, apart, key=lambda c: (c.luts, c.depth))
        if self.polish:
            text = transform_blif(write_blif(cone), "mfs2 -a -e -L 1", timeout=timeout)
            cone = propagate_constants(read_blif(text)).cone
        return cone


@dataclass(frozen=True)
class _Run:
    """LUT size, tie-breaking and time limit of one decomposition."""

    k: int
    seed: int
    deadline: float

    def signals(self, part: Partial, builder: ConeBuilder) -> list[int]:
        """Build every output of `part`, whose inputs are signals of `builder`."""
        found: dict[int, int] = {}
        for i in range(len(part.on)):
            alone = part.output(i).reduced()
            if len(alone.inputs) <= self.k:
                found[i] = builder.lut(alone.inputs, _integer(alone.on[0]))
        waiting = [i for i in range(len(part.on)) if i not in found]
        twins = copies(part, waiting)
        waiting = [i for i in waiting if i not in twins]
        if waiting:
            rest = part.outputs(waiting).reduced()
            split = self.best_split(rest)
            if split is None:
                built = self.expanded(rest, builder)
            else:
                built = self.signals(split.applied(rest, builder), builder)
            found.update(zip(waiting, built, strict=True))
        for i, (original, table) in twins.items():
            found[i] = builder.lut([found[original]], NOT) if table == NOT else found[original]
        return [found[i] for i in range(len(part.on))]

    def best_split(self, part: Partial) -> _Split | None:
        """Find the bound set that leaves the cheapest function, by the bound for plain tables."""
        m, n = len(part.on), len(part.inputs)
        if m << n > MAX_CELLS or time.monotonic() > self.deadline:
            return None
        k = self.k
        best, best_cost = None, _table_cost(n, m, k)
        for size in range(min(k, n - 1), 1, -1):
            bounds = np.array(list(_bound_sets(n, size)), dtype=np.int64)
            if self.seed:
                bounds = np.random.default_rng(self.seed).permutation(bounds)
            if (part.on | part.off).all():
                candidates = self.fewest_columns(part, bounds)
            else:
                candidates = [tuple(bound) for bound in bounds.tolist()]
            for bound in candidates:
                split = _Split(
                    bound, *_classes(_columns(part.on, bound), _columns(part.off, bound))
                )
                cost = split.rails + _table_cost(n - size + split.rails, m, k)
                if split.rails < size and cost < best_cost:
                    best, best_cost = split, cost
        return best

    def fewest_columns(self, part: Partial, bounds: IntArray) -> list[tuple[int, ...]]:
        """Return the bound set to use, of a function without don't-cares."""
        from nnlogic.logic.engines.multiplicity import count_columns

        counts = count_columns(pack(part.on.T).T, bounds)
        if self.seed:
            # The first set that needs the fewest code bits, and their order is shuffled.
            counts = np.ceil(np.log2(counts))
        return [tuple(bounds[int(np.argmin(counts))].tolist())]

    def expanded(self, part: Partial, builder: ConeBuilder) -> list[int]:
        """Expand all outputs on the last one or two inputs and build the cofactors together."""
        n, m = len(part.inputs), len(part.on)
        selects = _selects(n, self.k)
        ways = 1 << selects
        cofactors = Partial(
            part.on.reshape(m * ways, -1),
            part.off.reshape(m * ways, -1),
            part.inputs[: n - selects],
        )
        data = self.signals(cofactors, builder)
        selectors = part.inputs[n - selects :]
        return [
            multiplexer(data[ways * i : ways * (i + 1)], selectors, self.k, builder)
            for i in range(m)
        ]


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

    def applied(self, part: Partial, builder: ConeBuilder) -> Partial:
        """Build the code of the bound set and return what is left: a function of the code."""
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
        return Partial(new_on.reshape(m, -1), new_off.reshape(m, -1), (*free, *code))


def _columns(rows: Bools, bound: tuple[int, ...]) -> Bools:
    """Return the table as one row per combination of the bound inputs."""
    m, size = rows.shape
    n = size.bit_length() - 1
    # Axis 0 is the outputs, axis 1 + i is input n - 1 - i.
    cube = rows.reshape((m,) + (2,) * n)
    front = [n - b for b in reversed(bound)]
    rest = [axis for axis in range(n + 1) if axis not in front]
    return cube.transpose(front + rest).reshape(1 << len(bound), -1)


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
    from nnlogic.logic.engines.multiplicity import color_columns

    # Columns with many cares first: they are the hard ones to place.
    order = np.argsort(-(on | off).sum(axis=1), kind="stable")
    classes = np.empty(len(on), dtype=np.int64)
    count = color_columns(pack(on), pack(off), order, classes)
    return classes, int(count)


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


DECOMPOSE_ENGINES = (
    Decompose("decompose+mfs2", polish=True),
    *(Decompose(f"decompose+mfs2/{seed}", seed, polish=True) for seed in range(1, RESTARTS)),
)
