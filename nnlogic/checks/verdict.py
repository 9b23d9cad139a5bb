"""The answer of a comparison, with how it is known."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Verdict:
    """Result of comparing two descriptions of the same network.

    Attributes
    ----------
    left, right : str
        What was compared.
    equal : bool
    how : str
        ``"proved"``, ``"exhaustive"`` or ``"sampled n=<N>"``.
    detail : str
        Counts and methods behind `how`, or expected and actual values of a difference.
    where : str
        First difference: layer, neuron, output, row; empty when equal.
    seconds : float
        Time the comparison took.
    """

    left: str
    right: str
    equal: bool
    how: str
    detail: str = ""
    where: str = ""
    seconds: float = 0.0

    def timed(self, start: float) -> Verdict:
        """Return a copy whose `seconds` count from `start`, a value of `time.monotonic`."""
        return replace(self, seconds=time.monotonic() - start)

    def text(self) -> str:
        """Return one line for people."""
        word = "=" if self.equal else "differs from"
        tail = "; ".join(t for t in (self.where, self.detail) if t)
        return f"{self.left} {word} {self.right} ({self.how})" + (f": {tail}" if tail else "")
