"""Values of a program as functions of few wires: tables and sums that appear when needed.

A value is a weighted sum of nodes, exactly. Whatever is not a sum makes a node: a table of the
nodes it reads, or of their sum. Nothing is rounded but where a table says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.frontend.wiring import TABLE_BITS, Refusal

FUSED = 8
"""Most bits of nodes whose sum and function are one table."""
MOST_TERMS = 1 << 14
MOST = 1 << 52
"""A sum stays below this, so that every way of adding is exact."""


@dataclass(frozen=True, eq=False)
class Node:
    """A wire to be.

    Attributes
    ----------
    lo, hi : int
        Its codes.
    args : tuple of int
        Nodes it reads; none for an input.
    table : int64 array, or None
        By the codes of what it reads, each counted from its least, first node in the low digits.
    weights : tuple of int
        Of a sum.
    level : int
        Nodes of one level do not read each other.
    """

    lo: int
    hi: int
    args: tuple[int, ...] = ()
    table: IntArray | None = None
    weights: tuple[int, ...] = ()
    level: int = 0

    @property
    def bits(self) -> int:
        """Width of its codes."""
        return IntFormat.holding(self.lo, max(self.hi, 1)).bits

    @property
    def count(self) -> int:
        """Codes it takes, from `lo` on."""
        return self.hi - self.lo + 1


@dataclass(frozen=True)
class Value:
    """``(sum of weight * node + bias) * 2**-frac``.

    Attributes
    ----------
    frac : int
    bias : int
    terms : tuple of (node, weight)
        By number of the node; no weight is zero.
    """

    frac: int
    bias: int = 0
    terms: tuple[tuple[int, int], ...] = ()

    @property
    def nodes(self) -> tuple[int, ...]:
        """What it depends on."""
        return tuple(n for n, _ in self.terms)


@dataclass
class Graph:
    """All nodes; equal ones are one."""

    nodes: list[Node] = field(default_factory=list)
    known: dict[tuple[object, ...], int] = field(default_factory=dict)

    def input(self, lo: int, hi: int) -> int:
        """Return a new input."""
        self.nodes.append(Node(lo, hi))
        return len(self.nodes) - 1

    def range(self, x: Value) -> tuple[int, int]:
        """Return bounds of a value, in steps."""
        lo = hi = x.bias
        for n, w in x.terms:
            ends = sorted((w * self.nodes[n].lo, w * self.nodes[n].hi))
            lo, hi = lo + ends[0], hi + ends[1]
        return lo, hi

    def add(self, parts: Sequence[tuple[Value, int]]) -> Value:
        """Return a sum of values times integers, on the finest of their grids."""
        frac = max(x.frac for x, _ in parts)
        bias, terms = 0, dict[int, int]()
        for x, w in parts:
            if frac - x.frac > 63:
                raise Refusal(f"steps 2^{frac - x.frac} apart", "values of like steps")
            w <<= frac - x.frac
            bias += w * x.bias
            for n, v in x.terms:
                terms[n] = terms.get(n, 0) + w * v
        out = Value(frac, bias, tuple(sorted((n, w) for n, w in terms.items() if w)))
        if max(map(abs, self.range(out))) >= MOST:
            raise Refusal("a sum of more than 52 bits", "fewer bits of inputs and weights")
        if len(out.terms) > MOST_TERMS:
            raise Refusal(f"a sum of {len(out.terms)} terms", f"limit {MOST_TERMS}")
        return out

    def bits(self, nodes: Sequence[int]) -> int:
        """Return the width of nodes together."""
        return sum(self.nodes[n].bits for n in nodes)

    def total(self, x: Value) -> Value:
        """Return a value as a function of one node: a sum where it has several terms."""
        if len(x.terms) < 2:
            return x
        gain = math.gcd(*(w for _, w in x.terms)) * (1 if x.terms[0][1] > 0 else -1)
        weights = tuple(w // gain for _, w in x.terms)
        key = ("sum", x.nodes, weights)
        if key not in self.known:
            lo, hi = self.range(Value(0, 0, tuple(zip(x.nodes, weights, strict=True))))
            level = 1 + max(self.nodes[n].level for n in x.nodes)
            self.known[key] = len(self.nodes)
            self.nodes.append(Node(lo, hi, x.nodes, None, weights, level))
        return Value(x.frac, x.bias, ((self.known[key], gain),))

    def function(self, xs: Sequence[Value], compute: Callable[..., IntArray], frac: int) -> Value:
        """Return a function of values.

        Parameters
        ----------
        xs : sequence of Value
        compute : callable
            Takes their integers, int64 arrays of one length; returns that of the result.
        frac : int
            Of the result.

        Raises
        ------
        Refusal
            It is of more than `TABLE_BITS` bits.
        """
        nodes = sorted({n for x in xs for n in x.nodes})
        if self.bits(nodes) > FUSED:
            xs = [self.total(x) for x in xs]
            nodes = sorted({n for x in xs for n in x.nodes})
        if self.bits(nodes) > TABLE_BITS:
            raise Refusal(
                f"a function of {self.bits(nodes)} bits, limit {TABLE_BITS}",
                "quantize to fewer bits before",
            )
        bases = self._bases(nodes)
        values = np.asarray(compute(*self._evaluated(xs, bases)), np.int64)
        return self._table(bases, values, frac)

    def _bases(self, nodes: list[int]) -> list[int]:
        """Return nodes to tabulate by: instead of tables what they read, where that is no wider."""
        nodes = list(nodes)
        for n in sorted(nodes, reverse=True):
            while self.nodes[n].table is not None:
                rest = sorted({*nodes, *self.nodes[n].args} - {n})
                if self.bits(rest) > max(FUSED, self.bits(nodes)):
                    break
                nodes = rest
                if len(self.nodes[n].args) != 1:
                    break
                n = self.nodes[n].args[0]
        return sorted(nodes)

    def _evaluated(self, xs: Sequence[Value], bases: list[int]) -> list[IntArray]:
        points = math.prod(self.nodes[n].count for n in bases)
        digits: dict[int, IntArray] = {}
        inner = 1
        for n in bases:
            count = self.nodes[n].count
            digits[n] = np.arange(points) // inner % count
            inner *= count

        def digit(n: int) -> IntArray:
            """Return the codes of a node counted from its least."""
            if n not in digits:
                node = self.nodes[n]
                if node.table is None:
                    raise ValueError("a sum is not tabulated")
                index, inner = np.zeros(points, np.int64), 1
                for arg in node.args:
                    index += digit(arg) * inner
                    inner *= self.nodes[arg].count
                digits[n] = node.table[index] - node.lo
            return digits[n]

        out = []
        for x in xs:
            total = np.full(points, x.bias, np.int64)
            for n, w in x.terms:
                total += w * (digit(n) + self.nodes[n].lo)
            out.append(total)
        return out

    def _table(self, bases: list[int], values: IntArray, frac: int) -> Value:
        """Return values by the codes of nodes as steps of a table node from zero on."""
        for n in list(bases):
            # What makes no difference is not read.
            counts = [self.nodes[b].count for b in reversed(bases)]
            axis = len(bases) - 1 - bases.index(n)
            grid = values.reshape(counts or [1])
            first = np.take(grid, [0], axis=axis)
            if bool((grid == first).all()):
                bases = [b for b in bases if b != n]
                values = first.reshape(-1)
        low = int(values.min())
        gain = int(np.gcd.reduce(values - low))
        if not gain:
            return Value(frac, low)
        codes = (values - low) // gain
        return Value(frac, low, ((self._node(bases, codes, 0, int(codes.max())), gain),))

    def _node(self, bases: list[int], codes: IntArray, lo: int, hi: int) -> int:
        key = ("table", tuple(bases), codes.tobytes())
        if key not in self.known:
            level = 1 + max((self.nodes[n].level for n in bases), default=0)
            self.known[key] = len(self.nodes)
            self.nodes.append(Node(lo, hi, tuple(bases), codes, (), level))
        return self.known[key]

    def exact(self, x: Value) -> Value:
        """Return a value of one node as its integers themselves: weight 1, nothing added."""
        if len(x.terms) > 1 or self.bits(x.nodes) > TABLE_BITS:
            return x
        bases = self._bases(list(x.nodes))
        (values,) = self._evaluated([x], bases)
        node = self._node(bases, values, int(values.min()), int(values.max()))
        return Value(x.frac, 0, ((node, 1),))
