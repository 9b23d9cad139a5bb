"""Trees, votes and covers as networks of small tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import frozen
from nnlogic.core.bits import Bools
from nnlogic.tables.approximate.patch import Patch
from nnlogic.tables.approximate.sampled import Cube, Tree
from nnlogic.tables.ir import Function, Instance


@dataclass(frozen=True, eq=False)
class Expression:
    """A function of a few signals that is not a node yet; input ``b`` is bit ``b`` of the index."""

    inputs: tuple[int, ...]
    table: Bools


TRUE = Expression((), np.ones(1, dtype=bool))
FALSE = Expression((), np.zeros(1, dtype=bool))


class SmallTables:
    """Collects tables of at most `k` inputs, 3 or more, over `n_inputs` local signals."""

    def __init__(self, n_inputs: int, k: int) -> None:
        self.k = k
        self.free = n_inputs
        self._functions: list[Function] = []
        self._blocks: list[Instance] = []
        self._known: dict[tuple[tuple[int, ...], bytes], int] = {}

    def signal(self, what: Expression) -> int:
        """Make a node, or find the signal that already carries the expression."""
        if what.inputs and np.array_equal(what.table, [False, True]):
            return what.inputs[0]
        key = (what.inputs, what.table.tobytes())
        if key not in self._known:
            function = Function(len(what.inputs), frozen(bits.pack(what.table[None]), np.uint64))
            node = Instance(len(self._functions), what.inputs, (self.free,), "", 0)
            self._functions.append(function)
            self._blocks.append(node)
            self._known[key] = self.free
            self.free += 1
        return self._known[key]

    def node(self, what: Expression) -> Expression:
        """Return an expression as one signal; a constant stays one."""
        if not what.inputs:
            return what
        return Expression((self.signal(what),), np.array([False, True]))

    def joined(self, parts: Sequence[Expression], table: Bools) -> Expression:
        """Apply a function to expressions, making nodes of the widest until at most `k` inputs.

        Parameters
        ----------
        parts : sequence of Expression
        table : bool array, shape (2**len(parts),)
        """
        parts = list(parts)
        if len(parts) > self.k:
            half = len(table) // 2
            low, high = (self.joined(parts[:-1], t) for t in (table[:half], table[half:]))
            return self.joined([parts[-1], low, high], _select_table())
        while len({s for p in parts for s in p.inputs}) > self.k:
            widest = max(range(len(parts)), key=lambda i: len(parts[i].inputs))
            parts[widest] = self.node(parts[widest])
        inputs = tuple(sorted({s for p in parts for s in p.inputs}))
        index = np.arange(1 << len(inputs))
        at = np.zeros(len(index), dtype=np.int64)
        for place, part in enumerate(parts):
            own = np.zeros(len(index), dtype=np.int64)
            for b, s in enumerate(part.inputs):
                own |= ((index >> inputs.index(s)) & 1) << b
            at |= part.table[own].astype(np.int64) << place
        return reduced(inputs, np.asarray(table, dtype=bool)[at])

    def patch(self, outputs: Sequence[Expression]) -> Patch:
        """Return everything as a Patch with these outputs."""
        signals = tuple(self.signal(e) for e in outputs)
        return Patch(tuple(self._functions), tuple(self._blocks), signals)


def reduced(inputs: tuple[int, ...], table: Bools) -> Expression:
    """Return an expression without the inputs it does not depend on."""
    for b in range(len(inputs) - 1, -1, -1):
        halves = table.reshape(-1, 2, 1 << b)
        if np.array_equal(halves[:, 0], halves[:, 1]):
            table = halves[:, 0].reshape(-1)
            inputs = inputs[:b] + inputs[b + 1 :]
    return Expression(inputs, table)


def add_tree(tables: SmallTables, tree: Tree) -> Expression:
    """Add a decision tree; node ``i`` of the tree asks local signal ``tree.inputs[i]``."""
    done: dict[int, Expression] = {}
    # Children have larger numbers than their parents.
    for node in range(len(tree.inputs) - 1, -1, -1):
        if tree.inputs[node] < 0:
            done[node] = TRUE if tree.values[node] else FALSE
            continue
        low, high = (done[c] for c in tree.children[node])
        asked = Expression((tree.inputs[node],), np.array([False, True]))
        done[node] = tables.joined([asked, low, high], _select_table())
    return done[0]


def _select_table() -> Bools:
    index = np.arange(8)
    asked, low, high = index & 1, (index >> 1) & 1, (index >> 2) & 1
    return np.where(asked, high, low).astype(bool)


def add_forest(tables: SmallTables, trees: Sequence[Tree]) -> Expression:
    """Add trees and their majority; an odd number of trees."""
    parts = [add_tree(tables, tree) for tree in trees]
    if len(parts) == 1:
        return parts[0]
    votes = np.bitwise_count(np.arange(1 << len(parts)))
    return tables.joined([tables.node(p) for p in parts], votes > len(parts) // 2)


def add_cover(tables: SmallTables, cubes: Sequence[Cube]) -> Expression:
    """Add a sum of products."""
    terms = []
    for cube in cubes:
        literals = [
            Expression((b,), np.array([not value, value]))
            for b, value in zip(cube.inputs, cube.values, strict=True)
        ]
        terms.append(_gathered(tables, literals, every=True))
    return _gathered(tables, terms, every=False)


def _gathered(tables: SmallTables, parts: Sequence[Expression], *, every: bool) -> Expression:
    waiting = list(parts)
    if not waiting:
        return TRUE if every else FALSE
    while len(waiting) > 1:
        taken, waiting = waiting[: tables.k], waiting[tables.k :]
        table = np.zeros(1 << len(taken), dtype=bool)
        if every:
            table[-1] = True
        else:
            table[1:] = True
        waiting.append(tables.joined(taken, table))
    return waiting[0]
