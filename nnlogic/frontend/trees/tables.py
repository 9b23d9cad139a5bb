"""Trees with integer leaves as tables over comparators, in levels where one table is too wide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

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
        top = self._part(_node(self, tree, values, 0))
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

    def _part(self, node: _Node) -> Wire | int:
        if node.split is None:
            return node.value
        if len(node.splits) <= self.table_bits:
            return self._table(node, set(node.splits), [])
        # A table that selects: as many splits as fit, those of the largest parts first.
        top, below = {node.split}, list(node.below)
        while True:
            below.sort(key=lambda n: -len(n.splits))
            first, rest = below[0], [*below[1:], *below[0].below]
            if first.split is None:
                break
            width = len(top | {first.split}) + sum(n.bits for n in rest)
            if width > max(self.table_bits, 1 + 2 * node.bits):
                break
            top, below = top | {first.split}, rest
        return self._table(node, top, below)

    def _table(self, node: _Node, top: set[int], below: list[_Node]) -> Wire | int:
        """Add the table of `node` over the splits `top` and the values of the parts `below`."""
        splits = sorted(top)
        parts = {id(n): self._part(n) for n in below}
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

        def value(n: _Node) -> IntArray:
            if id(n) in values:
                return values[id(n)]
            if n.split is None:
                return np.full_like(index, n.value)
            low, high = n.below
            right = (index >> splits.index(n.split) & 1).astype(bool)
            return np.where(right, value(high), value(low))

        table = value(node)
        if table.min() == table.max():
            return int(table[0])
        level = 1 + max(wire.level for wire in wires)
        while len(self.levels) <= level:
            self.levels.append([])
        self.levels[level].append((tuple(wires), table))
        return Wire(level, len(self.levels[level]) - 1, int(table.max()).bit_length())


@dataclass(frozen=True, eq=False)
class _Node:
    """A leaf, or a node with a comparator and the nodes below and from its bound on."""

    value: int = 0
    split: int | None = None
    below: tuple[_Node, ...] = ()

    @cached_property
    def splits(self) -> frozenset[int]:
        """Comparators of the whole part."""
        own = frozenset() if self.split is None else frozenset({self.split})
        return own.union(*(n.splits for n in self.below))

    @cached_property
    def bits(self) -> int:
        """Width of the largest leaf."""
        return max([self.value.bit_length(), *(n.bits for n in self.below)])


def _node(forest: Forest, tree: Tree, values: IntArray, at: int) -> _Node:
    # Nodes that send every code one way are left out.
    while tree.left[at] != LEAF:
        split = forest.compare(int(tree.feature[at]), tree.bound[at])
        if not isinstance(split, bool):
            children = (int(tree.left[at]), int(tree.right[at]))
            return _Node(0, split, tuple(_node(forest, tree, values, c) for c in children))
        at = int(tree.right[at] if split else tree.left[at])
    return _Node(int(values[at]))
