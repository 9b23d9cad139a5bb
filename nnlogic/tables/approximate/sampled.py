"""Functions known only on observed patterns, and ways to complete them.

A neuron with hundreds of inputs cannot be enumerated; what is known are the patterns its inputs
took and what it answered (NullaNet, Nazemi et al., ASP-DAC 2019). `cover` honours every pattern,
as a two-level minimizer does; `grow` stops early and generalizes better, as found in the IWLS
2020 contest on learning Boolean functions (Rai et al., DATE 2021).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from nnlogic.core import bits
from nnlogic.core.bits import Bools, Words
from nnlogic.core.errors import IRError
from nnlogic.core.formats import IntArray


@dataclass(frozen=True, eq=False)
class Sampled:
    """An incompletely specified Boolean function given by patterns.

    Attributes
    ----------
    on, off : uint64 array, shape (n_inputs, words)
        Sample-packed: bit ``j`` of row ``b`` is input ``b`` of pattern ``j``. Disjoint, every
        pattern once, ordered by first appearance.
    n_on, n_off : int
        Number of patterns.
    """

    on: Words
    off: Words
    n_on: int
    n_off: int

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return len(self.on)

    @staticmethod
    def of(patterns: Bools, outcome: Bools) -> Sampled:
        """Collect observed patterns.

        Parameters
        ----------
        patterns : bool array, shape (n_inputs, rows)
        outcome : bool array, shape (rows,)

        Raises
        ------
        IRError
            The same pattern with two outcomes: not a function of these inputs.
        """
        packed = np.packbits(patterns, axis=0).T
        _, first, group = np.unique(packed, axis=0, return_index=True, return_inverse=True)
        group = group.reshape(-1)
        if (outcome != outcome[first][group]).any():
            row = int(np.flatnonzero(outcome != outcome[first][group])[0])
            raise IRError("observed patterns contradict each other", why=f"row {row}")
        first = np.sort(first)
        on, off = first[outcome[first]], first[~outcome[first]]
        return Sampled(bits.pack(patterns[:, on]), bits.pack(patterns[:, off]), len(on), len(off))

    def patterns(self) -> tuple[Words, Words, Words]:
        """Return all patterns, which of them are there, and which are on, sample-packed."""
        columns = np.concatenate([self.on, self.off], axis=1)
        on, off = _filled(self.n_on, self.on), _filled(self.n_off, self.off)
        nothing = np.zeros_like(off)
        return columns, np.concatenate([on, off]), np.concatenate([on, nothing])


def _filled(count: int, like: Words) -> Words:
    out = np.zeros(like.shape[1] * 64, dtype=bool)
    out[:count] = True
    return bits.pack(out)


@dataclass(frozen=True)
class Cube:
    """A product of literals: inputs and the values they must have."""

    inputs: tuple[int, ...]
    values: tuple[bool, ...]

    def covers(self, columns: Words) -> Words:
        """Return which patterns lie in the cube, sample-packed, shape (words,)."""
        out = np.full(columns.shape[1], ~np.uint64(0))
        for b, value in zip(self.inputs, self.values, strict=True):
            out &= columns[b] if value else ~columns[b]
        return out


def cover(function: Sampled) -> tuple[Cube, ...]:
    """Cover all on-patterns and no off-pattern with few cubes.

    Expands one uncovered on-pattern after the other against the off-set: of its literals those
    are kept, one at a time, that exclude most of the off-patterns left per uncovered on-pattern
    given up, until no off-pattern is in the cube; the rest is raised. Cubes that the others
    make redundant are dropped. This is the EXPAND and IRREDUNDANT of ESPRESSO-II (Brayton et
    al., 1984) with the off-set as packed columns.
    """
    there = _filled(function.n_on, function.on)
    left = there.copy()
    cubes: list[Cube] = []
    while left.any():
        seed = _first(left)
        cube = _expanded(function, seed, left)
        cubes.append(cube)
        left &= ~cube.covers(function.on)
    inside = [cube.covers(function.on) & there for cube in cubes]
    return tuple(cubes[i] for i in _irredundant(inside))


def _first(words: Words) -> int:
    at = int(np.flatnonzero(words)[0])
    word = int(words[at])
    return 64 * at + (word & -word).bit_length() - 1


def _expanded(function: Sampled, seed: int, left: Words) -> Cube:
    value = ((function.on[:, seed // 64] >> np.uint64(seed % 64)) & np.uint64(1)).astype(bool)
    flip = np.where(value, np.uint64(0), ~np.uint64(0))[:, None]
    off, on = function.off ^ flip, function.on ^ flip
    inside = _filled(function.n_off, function.off)
    kept: list[int] = []
    gain = left.copy()
    while inside.any():
        excluded = np.bitwise_count(~off & inside).sum(axis=1, dtype=np.int64)
        stays = np.bitwise_count(on & gain).sum(axis=1, dtype=np.int64)
        best = int(np.argmax(np.where(excluded > 0, excluded * stays, -1)))
        kept.append(best)
        inside &= off[best]
        gain &= on[best]
    return Cube(tuple(kept), tuple(bool(value[b]) for b in kept))


def _irredundant(inside: list[Words]) -> list[int]:
    count = np.zeros(64 * len(inside[0]) if inside else 0, dtype=np.int64)
    members = [np.flatnonzero(bits.unpack(row, count.size)) for row in inside]
    for member in members:
        count[member] += 1
    keep = []
    for i in sorted(range(len(members)), key=lambda i: (len(members[i]), -i)):
        if (count[members[i]] > 1).all():
            count[members[i]] -= 1
        else:
            keep.append(i)
    return sorted(keep)


@dataclass(frozen=True)
class Tree:
    """A decision tree.

    Attributes
    ----------
    inputs : tuple of int
        Input each node asks, -1 at a leaf; node 0 is the root.
    children : tuple of (int, int)
        Nodes for answers 0 and 1.
    values : tuple of bool
        Majority of the patterns that reach a node.
    """

    inputs: tuple[int, ...]
    children: tuple[tuple[int, int], ...]
    values: tuple[bool, ...]

    def first(self, leaves: int) -> Tree:
        """Return the tree as it was when it had grown to so many leaves."""
        # Each split adds the next two nodes, so an earlier tree is a prefix.
        size = min(len(self.inputs), 2 * leaves - 1)
        grown = [low < size for low, _ in self.children[:size]]
        return Tree(
            tuple(b if g else -1 for b, g in zip(self.inputs, grown, strict=False)),
            tuple(c if g else (-1, -1) for c, g in zip(self.children, grown, strict=False)),
            self.values[:size],
        )


def grow(function: Sampled, leaves: int, *, share: float = 1.0, seed: int = 0) -> Tree:
    """Grow a decision tree, the split that sorts out most patterns first.

    Parameters
    ----------
    function : Sampled
    leaves : int
        Most leaves; fewer when every leaf is pure.
    share : float
        Share of the inputs that the tree may use, drawn by `seed`; makes the trees of a forest
        differ (Ho, "The random subspace method", 1998).
    seed : int
    """
    columns, there, on = function.patterns()
    usable = np.random.default_rng(seed).random(function.n_inputs) < share
    if not usable.any():
        usable[:] = True
    inputs: list[int] = []
    children: list[tuple[int, int]] = []
    values: list[bool] = []
    waiting: list[tuple[float, int, int, Words]] = []

    def add(mask: Words) -> int:
        node, total = len(inputs), _count(mask)
        positive = _count(mask & on)
        inputs.append(-1)
        children.append((-1, -1))
        values.append(2 * positive > total)
        if 0 < positive < total:
            gains = _gains(columns, mask, mask & on, total, positive)
            best = int(np.argmax(np.where(usable, gains, -1.0)))
            if usable[best] and gains[best] > 0:
                heapq.heappush(waiting, (-float(gains[best]), node, best, mask))
        return node

    add(there)
    while waiting and len(inputs) + 1 < 2 * leaves:
        _, node, best, mask = heapq.heappop(waiting)
        inputs[node] = best
        children[node] = (add(mask & ~columns[best]), add(mask & columns[best]))
    return Tree(tuple(inputs), tuple(children), tuple(values))


def _count(words: Words) -> int:
    return int(np.bitwise_count(words).sum(dtype=np.int64))


def _gains(columns: Words, mask: Words, on: Words, total: int, positive: int) -> np.ndarray:
    """Return by how much each input lowers the Gini impurity, times the number of patterns."""
    ones = np.bitwise_count(columns & mask).sum(axis=1, dtype=np.int64)
    hits = np.bitwise_count(columns & on).sum(axis=1, dtype=np.int64)
    before = positive * (total - positive) / total
    gain = before - _impurity(hits, ones) - _impurity(positive - hits, total - ones)
    return np.where((ones == 0) | (ones == total), -1.0, gain)


def _impurity(positive: IntArray, total: IntArray) -> np.ndarray:
    return positive * (total - positive) / np.maximum(total, 1)
