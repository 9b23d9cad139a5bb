"""What every minimization engine looks like."""

from __future__ import annotations

from typing import Protocol

from nnlogic.logic.cone import Cone
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
