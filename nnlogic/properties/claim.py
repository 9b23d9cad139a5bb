"""One claim: a region of input codes, and what must not happen in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray, Port
from nnlogic.logic.cone import Cone


@dataclass(frozen=True)
class Claim:
    """That a violation has no input.

    Attributes
    ----------
    label : str
        ``row 12``, or the statement.
    variables : tuple of Port
        What is free: the inputs of the network, and more where two inputs are compared.
    box : int64 array, shape (variables, 2)
        Smallest and largest code of each that may occur; only codes inside count.
    violated : callable
        Takes codes, int64 (samples, variables), inside the box; returns bool (samples,). Evaluates
        the network, not `cone`.
    cone : callable
        Returns the violation as logic of the variables' bits, LSB first, with one output. It is
        true only inside the box.
    example : callable
        Takes codes of one sample, int64 (variables,); returns inputs of the network that show the
        violation, int64 (rows, inputs).
    row : int or None
        Which of the subject's rows it is about; None where it is about no single one.
    """

    label: str
    variables: tuple[Port, ...]
    box: IntArray
    violated: Callable[[IntArray], Bools]
    cone: Callable[[], Cone]
    example: Callable[[IntArray], IntArray]
    row: int | None = None

    @property
    def size(self) -> int:
        """Points in the box."""
        out = 1
        for low, high in self.box.tolist():
            out *= max(0, high - low + 1)
        return out

    def drawn(self, samples: int, seed: int = 0) -> IntArray:
        """Return random points of the box, int64 (samples, variables)."""
        rng = np.random.default_rng(seed)
        shape = (samples, len(self.box))
        return rng.integers(self.box[:, 0], self.box[:, 1] + 1, shape, dtype=np.int64)

    def points(self) -> IntArray:
        """Return all points of the box, int64 (size, variables)."""
        spans = self.box[:, 1] - self.box[:, 0] + 1
        index = np.arange(self.size)
        columns = []
        for low, span in zip(self.box[:, 0], spans, strict=True):
            columns.append(low + index % span)
            index = index // span
        return np.stack(columns, axis=1)
