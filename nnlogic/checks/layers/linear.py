"""Linear layers, from their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnlogic.checks.layer import Checker, Wire
from nnlogic.core.formats import IntArray
from nnlogic.quant.layer import Sums
from nnlogic.quant.layers.linear import Linear


class LinearChecker(Checker[Linear]):
    """Weighted sums, added up wire by wire."""

    kind = "Linear"

    def fan_in(self, neuron: int) -> list[int]:
        """Return the wires with a weight."""
        return [w for w in range(len(self.formats)) if self.layer.weights[neuron, w] != 0]

    def values(self, neuron: int, inputs: Mapping[int, IntArray], size: int) -> IntArray:
        """Add up the products, and count the thresholds reached."""
        total = np.full(size, self.layer.bias[neuron], np.int64)
        for wire, value in inputs.items():
            total += self.layer.weights[neuron, wire] * value
        if self.layer.thresholds is None:
            return total
        out = np.zeros(size, np.int64)
        for threshold in self.layer.thresholds[neuron]:
            out += total >= threshold
        return out

    def arithmetic(self) -> Sums:
        """Return the parameters."""
        return Sums(self.layer.weights, self.layer.bias, self.layer.thresholds)

    def reads(self, wires: Sequence[Wire]) -> Mapping[str, object]:
        """Return the weight of every wire; a wire that comes twice counts once, with the sum."""
        weights: list[dict[Wire, int]] = []
        for row in self.layer.weights:
            found: dict[Wire, int] = {}
            for i in np.flatnonzero(row).tolist():
                found[wires[i]] = found.get(wires[i], 0) + int(row[i])
            weights.append({wire: value for wire, value in found.items() if value})
        thresholds = [] if self.layer.thresholds is None else [self.layer.thresholds]
        return {
            "kind": self.kind,
            "formats": self.layer.formats,
            "weights": weights,
            "tables": [self.layer.bias, *thresholds],
        }


CHECKER = LinearChecker
