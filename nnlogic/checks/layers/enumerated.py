"""Enumerated layers, from their tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnlogic.checks.layer import Checker, Wire
from nnlogic.core.formats import IntArray
from nnlogic.quant.layers.enumerated import Enumerated


class EnumeratedChecker(Checker[Enumerated]):
    """Tables, looked up."""

    kind = "Enumerated"

    def fan_in(self, neuron: int) -> list[int]:
        """Return the wires of the table's index."""
        return sorted(set(self.layer.inputs[neuron]))

    def values(self, neuron: int, inputs: Mapping[int, IntArray], size: int) -> IntArray:
        """Put the index together, and look it up."""
        index, shift = np.zeros(size, np.int64), 0
        for wire in self.layer.inputs[neuron]:
            fmt = self.layer.x_formats[wire]
            index += (inputs[wire] & ((1 << fmt.bits) - 1)) << shift
            shift += fmt.bits
        return self.layer.tables[neuron][index]

    def arithmetic(self) -> None:
        """Return that there is none."""

    def reads(self, wires: Sequence[Wire]) -> Mapping[str, object]:
        """Return the wires of every index, and the tables."""
        inputs = [[(wires[w], self.layer.x_formats[w]) for w in one] for one in self.layer.inputs]
        return {
            "kind": self.kind,
            "formats": self.layer.formats,
            "inputs": inputs,
            "tables": list(self.layer.tables),
        }


CHECKER = EnumeratedChecker
