"""Trees with integer leaves as tables over comparators, in levels where one table is too wide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.frontend.trees.ensemble import LEAF, Tree

COMPARATORS = -1


@dataclass(frozen=True)
class Wire:
    """A comparator (level `COMPARATORS`), or the output of a table of a level."""

    level: int
    index: int
    bits: int


@dataclass(frozen=True)
class Root:
    """The value of a whole tree, ``gain * wire + offset``; a constant without a wire."""

    wire: Wire | None
    gain: int
    offset: int


@dataclass
class Forest:
    """Comparators and tables of all trees.

    Attributes
    ----------
    formats : tuple of IntFormat
        Of the feature codes.
    first_right : function of a feature and a bound
        The lowest code of the feature that goes right.
    table_bits : int
        Most comparators of one table.
    comparators : dict of (feature, lowest code) to int
        Numbered in order of use.
    levels : list of lists of (inputs, table)
        A table reads comparators and tables of lower levels, first wire in the low bits.
    """

    formats: tuple[IntFormat, ...]
    first_right: Callable[[int, np.float32], int]
    table_bits: int
    comparators: dict[tuple[int, int], int] = field(default_factory=dict)
    levels: list[list[tuple[tuple[Wire, ...], IntArray]]] = field(default_factory=list)

    def grow(self, tree: Tree, values: IntArray) -> Root:
        """Add a tree whose leaves have the nonnegative integers `values`."""
        top = self._parts(_root(self, tree, values))
        if isinstance(top, int):
            return Root(None, 0, top)
        inputs, table = self.levels[top.level][top.index]
        low = int(table.min())
        gain = int(np.gcd.reduce(table - low))
        table = (table - low) // gain
        self.levels[top.level][top.index] = (inputs, table)
        return Root(Wire(top.level, top.index, int(table.max()).bit_length()), gain, low)

    def compare(self, feature: int, bound: np.float32) -> int | bool:
        """Return the number of a comparator; or where all codes go, if all go one way."""
        first = self.first_right(feature, bound)
        if first <= 0 or first > self.formats[feature].hi:
            return first <= 0
        return self.comparators.setdefault((feature, first), len(self.comparators))

    def _parts(self, root: _Node) -> Wire | int:
        """Add tables for a tree: those that others read first."""
        made: dict[int, Wire | int] = {}
        waiting: list[tuple[_Node, set[int], list[_Node] | None]] = [(root, set(), None)]
        while waiting:
            node, top, below = waiting.pop()
            if node.split is None:
                made[id(node)] = node.value
            elif below is None:
                top, below = self._cut(node)
                waiting.append((node, top, below))
                waiting += [(part, set(), None) for part in reversed(below)]
            else:
                made[id(node)] = self._table(node, top, {id(n): made[id(n)] for n in below})
        return made[id(root)]

    def _cut(self, node: _Node) -> tuple[set[int], list[_Node]]:
        """Return the splits of a node's table, and the parts whose values it selects from."""
        if node.size <= self.table_bits:
            return set(node.splits), []
        # A table that selects: as many splits as fit, those of the largest parts first.
        assert node.split is not None
        top, below = {node.split}, list(node.below)
        while True:
            below.sort(key=lambda n: -n.size)
            first, rest = below[0], [*below[1:], *below[0].below]
            if first.split is None:
                break
            width = len(top | {first.split}) + sum(n.bits for n in rest)
            if width > max(self.table_bits, 1 + 2 * node.bits):
                break
            top, below = top | {first.split}, rest
        return top, below

    def _table(self, node: _Node, top: set[int], parts: Mapping[int, Wire | int]) -> Wire | int:
        """Add the table of `node` over the splits `top` and the values of its parts, by id."""
        splits = sorted(top)
        wires = [Wire(COMPARATORS, split, 1) for split in splits]
        wires += [part for part in parts.values() if isinstance(part, Wire)]
        width = sum(wire.bits for wire in wires)
        index = np.arange(1 << width)
        values, place = {}, len(splits)
        for key, part in parts.items():
            if isinstance(part, Wire):
                values[key] = index >> place & ((1 << part.bits) - 1)
                place += part.bits
            else:
                values[key] = np.full_like(index, part)
        order, waiting = [], [node]
        while waiting:
            n = waiting.pop()
            order.append(n)
            if id(n) not in parts:
                waiting += n.below
        for n in reversed(order):
            if id(n) in parts:
                continue
            if n.split is None:
                values[id(n)] = np.full_like(index, n.value)
            else:
                low, high = (values.pop(id(b)) for b in n.below)
                right = (index >> splits.index(n.split) & 1).astype(bool)
                values[id(n)] = np.where(right, high, low)
        table = values[id(node)]
        if table.min() == table.max():
            return int(table[0])
        level = 1 + max(wire.level for wire in wires)
        while len(self.levels) <= level:
            self.levels.append([])
        self.levels[level].append((tuple(wires), table))
        return Wire(level, len(self.levels[level]) - 1, int(table.max()).bit_length())


@dataclass(frozen=True, eq=False)
class _Node:
    """A leaf, or a node with a comparator and the nodes below and from its bound on.

    Attributes
    ----------
    size : int
        Different comparators of the whole part.
    splits : frozenset of int
        These comparators, where they fit a table.
    bits : int
        Width of the largest leaf.
    """

    value: int = 0
    split: int | None = None
    below: tuple[_Node, ...] = ()
    size: int = 0
    splits: frozenset[int] = frozenset()
    bits: int = 0


def _root(forest: Forest, tree: Tree, values: IntArray) -> _Node:
    """Return a tree as nodes; those that send every code one way are left out."""
    order, waiting = [], [0]
    while waiting:
        at, split = waiting.pop(), None
        while split is None and tree.left[at] != LEAF:
            side = forest.compare(int(tree.feature[at]), tree.bound[at])
            if not isinstance(side, bool):
                split = side
            else:
                at = int(tree.right[at] if side else tree.left[at])
        order.append((at, split))
        if split is not None:
            waiting += [int(tree.right[at]), int(tree.left[at])]
    made: list[tuple[_Node, set[int]]] = []
    for at, split in reversed(order):
        if split is None:
            value = int(values[at])
            made.append((_Node(value, bits=value.bit_length()), set()))
            continue
        (low, some), (high, others) = made.pop(), made.pop()
        splits, fewer = (some, others) if len(some) > len(others) else (others, some)
        splits |= fewer
        splits.add(split)
        node = _Node(
            0, split, (low, high), len(splits),
            frozenset(splits if len(splits) <= forest.table_bits else ()),
            max(low.bits, high.bits),
        )  # fmt: skip
        made.append((node, splits))
    return made[0][0]
