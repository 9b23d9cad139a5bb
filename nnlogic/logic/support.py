"""What a function really depends on, and outputs that need no engine, under don't-cares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnlogic.core.bits import Bools
from nnlogic.logic.cone import ConeBuilder, function_of
from nnlogic.logic.truth import BUFFER, NOT
from nnlogic.tables.ir import Function


@dataclass(frozen=True, eq=False)
class Partial:
    """Outputs as on-sets and off-sets over some of a function's inputs.

    Attributes
    ----------
    on, off : bool array, shape (outputs, 2**len(inputs))
        Disjoint; what is in neither does not matter.
    inputs : tuple of int
        Input numbers of the function that bits of the index stand for.
    """

    on: Bools
    off: Bools
    inputs: tuple[int, ...]

    @staticmethod
    def of(function: Function) -> Partial:
        """Return a whole function."""
        table, care = function.table(), function.care_bools()
        return Partial(table & care, ~table & care, tuple(range(function.n_inputs)))

    def output(self, i: int) -> Partial:
        """Return one output alone."""
        return Partial(self.on[i : i + 1], self.off[i : i + 1], self.inputs)

    def outputs(self, which: list[int]) -> Partial:
        """Return some outputs."""
        return Partial(self.on[which], self.off[which], self.inputs)

    def without(self, position: int) -> Partial | None:
        """Drop one input if no output needs it, merging what the two halves care about."""
        m = len(self.on)
        shape = (m, -1, 2, 1 << position)
        on, off = self.on.reshape(shape), self.off.reshape(shape)
        if (on[:, :, 0] & off[:, :, 1]).any() or (on[:, :, 1] & off[:, :, 0]).any():
            return None
        inputs = self.inputs[:position] + self.inputs[position + 1 :]
        return Partial(
            (on[:, :, 0] | on[:, :, 1]).reshape(m, -1),
            (off[:, :, 0] | off[:, :, 1]).reshape(m, -1),
            inputs,
        )

    def reduced(self) -> Partial:
        """Drop every input that can go, last ones first."""
        part = self
        for position in range(len(self.inputs) - 1, -1, -1):
            part = part.without(position) or part
        return part

    def function(self, justification: str) -> Function:
        """Return this as a function of its own inputs; outputs must share one care set."""
        return function_of(self.on, self.on[0] | self.off[0], justification)


def settle_outputs(part: Partial, k: int, builder: ConeBuilder) -> dict[int, int]:
    """Build the outputs for which one LUT or less is enough.

    Constants, single inputs, copies and complements of other outputs, and functions of at most
    `k` inputs; one LUT is the least such an output can cost.

    Returns
    -------
    dict
        Output number to signal of `builder`; complements of unsettled outputs are left out.
    """
    signals: dict[int, int] = {}
    for i in range(len(part.on)):
        alone = part.output(i).reduced()
        if len(alone.inputs) <= k:
            table = sum(1 << int(index) for index in np.flatnonzero(alone.on[0]))
            signals[i] = builder.lut(alone.inputs, table)
    return signals


def copies(part: Partial, unsettled: list[int]) -> dict[int, tuple[int, int]]:
    """Find outputs equal to an earlier one or to its complement, with the same don't-cares.

    Returns
    -------
    dict
        Output number to (earlier output, table of the one-input LUT in between).
    """
    out: dict[int, tuple[int, int]] = {}
    originals: list[int] = []
    for i in unsettled:
        for j in originals:
            if _equal(part.on, part.on, i, j) and _equal(part.off, part.off, i, j):
                out[i] = (j, BUFFER)
            elif _equal(part.on, part.off, i, j) and _equal(part.off, part.on, i, j):
                out[i] = (j, NOT)
            else:
                continue
            break
        else:
            originals.append(i)
    return out


def _equal(left: Bools, right: Bools, i: int, j: int) -> bool:
    return np.array_equal(left[i], right[j])
