"""What every minimization engine looks like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from nnlogic.core.errors import ToolFailed
from nnlogic.logic.cone import Cone, mismatches
from nnlogic.tables.ir import Function

EFFORTS = ("fast", "normal", "high")


class Engine(Protocol):
    """A way to turn a function into K-LUTs.

    An engine may use the don't-cares of a function or fill them as it likes. Its result is
    checked by whoever calls it, never trusted.
    """

    @property
    def name(self) -> str:
        """Name of the engine in records and reports."""

    def applicable(self, function: Function, k: int, effort: str) -> bool:
        """Whether to try this engine on a function of more than `k` inputs."""

    def solve(self, function: Function, k: int, timeout: float) -> Cone:
        """Return a network for `function`; raises NNLogicError when there is none in time."""


def smallest(function: Function, k: int, timeout: float, engines: Sequence[Engine]) -> Cone:
    """Return the right network of fewest LUTs that some engines find.

    Raises
    ------
    ToolFailed
        None of them finds one.
    """
    found = []
    for engine in engines:
        if not engine.applicable(function, k, "high"):
            continue
        try:
            cone = engine.solve(function, k, timeout)
        except ToolFailed:
            continue
        if not cone.problems(k) and not mismatches(cone, function):
            found.append(cone)
    if not found:
        raise ToolFailed("no engine has a result", where=", ".join(e.name for e in engines))
    return min(found, key=lambda cone: (cone.luts, cone.depth))
