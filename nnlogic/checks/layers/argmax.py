"""Argmax layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnlogic.checks.layer import Checker, Wire
from nnlogic.core.formats import IntArray
from nnlogic.quant.layer import Largest
from nnlogic.quant.layers.argmax import Argmax


class ArgmaxChecker(Checker[Argmax]):
    """The place of the largest value; NumPy takes the first in a tie, as the kind does."""

    kind = "Argmax"

    def fan_in(self, neuron: int) -> list[int]:
        """Return all wires."""
        return list(range(len(self.formats)))

    def values(self, neuron: int, inputs: Mapping[int, IntArray], size: int) -> IntArray:
        """Compare all wires."""
        return np.argmax(np.stack([inputs[w] for w in self.fan_in(neuron)]), axis=0)

    def arithmetic(self) -> Largest:
        """Return what it is."""
        return Largest()

    def reads(self, wires: Sequence[Wire]) -> Mapping[str, object]:
        """Return the candidates in order."""
        return {"kind": self.kind, "formats": self.layer.formats, "wires": list(wires)}


CHECKER = ArgmaxChecker
