"""Sums of products of wide outputs, expanded from a LUT network.

A literal is ``2 * signal + value``; a cube is a set of literals, a cover a tuple of cubes.
"""

from __future__ import annotations

from nnlogic.logic.cone import Cone
from nnlogic.logic.formats.sop import irredundant
from nnlogic.logic.truth import full

Cube = frozenset[int]
Cover = tuple[Cube, ...]


class Expansion:
    """Covers of the signals of a network, each computed once.

    Parameters
    ----------
    cone : Cone
    limit : int
        Most cubes of any cover.
    budget : int
        Most cubes made in all; covers asked for later count as too large.
    """

    def __init__(self, cone: Cone, limit: int, budget: int = 1 << 15) -> None:
        self.cone, self.limit, self.budget = cone, limit, budget
        self._known: dict[int, Cover | None] = {}

    def cover(self, signal: int) -> tuple[Cover, bool] | None:
        """Return the smaller cover of a signal and whether it is of the complement.

        None when both have more than `limit` cubes.
        """
        found = [(c, not value) for value in (1, 0) if (c := self._of(2 * signal + value))]
        constants = [v for v in (1, 0) if self._of(2 * signal + v) == ()]
        if constants:
            return (), constants[0] == 0
        return min(found, key=lambda f: sum(map(len, f[0])), default=None)

    def _of(self, literal: int) -> Cover | None:
        """Cover of a literal, depth first without recursion; None when too large."""
        stack = [literal]
        while stack:
            at = stack[-1]
            if at in self._known:
                stack.pop()
                continue
            reads = self._reads(at)
            waiting = [x for x in reads if x not in self._known]
            if self.budget < 0 or any(self._known.get(x, ()) is None for x in reads):
                self._known[at] = None
                stack.pop()
            elif waiting:
                stack += waiting
            else:
                self._known[at] = self._expand(at)
                stack.pop()
        return self._known[literal]

    def _rows(self, literal: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
        node = (literal >> 1) - self.cone.n_inputs
        fanin, table = self.cone.fanins[node], self.cone.tables[node]
        if not literal & 1:
            table ^= full(len(fanin))
        return fanin, irredundant(table, len(fanin))

    def _reads(self, literal: int) -> list[int]:
        if literal >> 1 < self.cone.n_inputs:
            return []
        fanin, rows = self._rows(literal)
        return [2 * s + int(c) for row in rows for s, c in zip(fanin, row, strict=True) if c != "-"]

    def _expand(self, literal: int) -> Cover | None:
        if literal >> 1 < self.cone.n_inputs:
            return (frozenset((literal,)),)
        fanin, rows = self._rows(literal)
        cubes: list[Cube] = []
        for row in rows:
            partial: list[Cube] = [frozenset()]
            for s, c in zip(fanin, row, strict=True):
                if c == "-":
                    continue
                other = self._known[2 * s + int(c)]
                if other is None or len(partial) * len(other) > 4 * self.limit:
                    return None
                partial = [p | q for p in partial for q in other if not _clash(p, q)]
            cubes += partial
            if len(cubes) > 4 * self.limit:
                return None
        self.budget -= len(cubes)
        cover = contained_removed(cubes)
        return cover if len(cover) <= self.limit else None


def _clash(left: Cube, right: Cube) -> bool:
    small, large = (left, right) if len(left) < len(right) else (right, left)
    return any(x ^ 1 in large for x in small)


def contained_removed(cubes: list[Cube]) -> Cover:
    """Drop cubes inside other cubes; the order is by number of literals, then as found."""
    kept: list[Cube] = []
    for cube in sorted(dict.fromkeys(cubes), key=lambda c: (len(c), sorted(c))):
        if not any(k <= cube for k in kept):
            kept.append(cube)
    return tuple(kept)
