"""Sequences of moves on one function: where they start, what ABC does, and how they end."""

from __future__ import annotations

from dataclasses import dataclass

from nnlogic.core.errors import IRError, ToolFailed
from nnlogic.logic.abc_blif import read_blif, write_blif
from nnlogic.logic.cone import Cone, mismatches
from nnlogic.logic.passes.propagate_constants import propagate_constants
from nnlogic.logic.polish import polished
from nnlogic.logic.portfolio import ENGINES, OBJECTIVES
from nnlogic.tables.ir import Function
from nnlogic.tools.abc import transform_blif

K = 6
OBJECTIVE = "area"
LONGEST = 4
MOVES = {
    "dc2": "strash; dc2",
    "resyn2": "strash; b; rw; rf; b; rw; rwz; b; rfz; rwz; b",
    "rs": "strash; rs -K 6; rw; rs -K 8 -N 2; rf; rs -K 10",
    "dch, map": "strash; dch; if -K 6 -a",
    "map, mfs2": "strash; if -K 6 -a; mfs2 -e",
    "lutpack": "strash; if -K 6 -a; lutpack",
    "collapse": "collapse; strash",
    "lutmin": "collapse; lutmin -K 6; mfs2",
}
"""Later moves, of ABC."""
END = "strash; if -K 6 -a; mfs2 -e"
Sequence = tuple[str, ...]


@dataclass
class Runner:
    """Runs sequences on one function; what one begins with is run once.

    Attributes
    ----------
    function : Function
    timeout : float
        Seconds of each engine and each run of ABC.
    """

    function: Function
    timeout: float = 20.0

    def __post_init__(self) -> None:
        """Start with nothing known."""
        self._known: dict[Sequence, Cone | None] = {}

    def starts(self) -> list[str]:
        """Return the engines that are applicable."""
        return [e.name for e in ENGINES if e.applicable(self.function, K, "high")]

    def reached(self, moves: Sequence) -> Cone | None:
        """Return the network after some moves; None where one of them failed."""
        if moves not in self._known:
            self._known[moves] = self._run(moves)
        return self._known[moves]

    def luts(self, moves: Sequence) -> int | None:
        """Return the LUT6 of a sequence, its network mapped and improved by resubstitution."""
        cone = self.reached(moves)
        if cone is None:
            return None
        ends = [cone, cone if len(moves) < 2 else self._abc(cone, END)]
        right = [(str(i), c) for i, c in enumerate(ends) if c is not None and self._right(c)]
        if not right:
            return None
        best = min(right, key=lambda item: item[1].luts)
        cost = OBJECTIVES[OBJECTIVE]
        better = polished(
            [best], self.function, k=K, effort="fast", objective=OBJECTIVE, cost=cost
        )  # fmt: skip
        found = [best[1].luts, *(c.luts for _, c in better if self._right(c))]
        return min(found)

    def _run(self, moves: Sequence) -> Cone | None:
        if len(moves) == 1:
            engine = next(e for e in ENGINES if e.name == moves[0])
            try:
                cone = engine.solve(self.function, K, self.timeout)
            except (ToolFailed, IRError):
                return None
            return cone if self._right(cone) else None
        before = self.reached(moves[:-1])
        return None if before is None else self._abc(before, MOVES[moves[-1]])

    def _abc(self, cone: Cone, script: str) -> Cone | None:
        try:
            found = read_blif(transform_blif(write_blif(cone), script, timeout=self.timeout))
        except (ToolFailed, IRError):
            return None
        return propagate_constants(found).cone

    def _right(self, cone: Cone) -> bool:
        return not cone.problems(K) and not mismatches(cone, self.function)
