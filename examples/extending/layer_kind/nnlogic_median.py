"""A layer kind outside nnlogic: every neuron gives the median of the wires it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnlogic.checks.layer import Checker
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.quant.layer import Layer


@dataclass(frozen=True, eq=False)
class Median(Layer):
    """Medians; `inputs` are the wires of each neuron, an odd number of them."""

    kind = "Median"
    name: str
    sources: tuple[str, ...]
    inputs: tuple[tuple[int, ...], ...]
    formats: tuple[IntFormat, ...]
    role: str = "network"

    def wires(self, neuron: int, x_formats: tuple[IntFormat, ...]) -> tuple[int, ...]:
        """Return the wires a neuron reads."""
        return self.inputs[neuron]

    def evaluate(self, x: IntArray) -> IntArray:
        """Return output values, shape (samples, neurons)."""
        middles = [np.sort(x[:, wires])[:, len(wires) // 2] for wires in self.inputs]
        return np.stack(middles, axis=1)

    def problems(self, x_formats: tuple[IntFormat, ...]) -> list[str]:
        """Return what breaks the layer's rules."""
        out = super().problems(x_formats)
        if out or len(self.inputs) != len(self.formats):
            return out or [f"{len(self.inputs)} neurons, {len(self.formats)} formats"]
        for i, (wires, fmt) in enumerate(zip(self.inputs, self.formats, strict=True)):
            if len(wires) % 2 == 0:
                out.append(f"neuron {i} reads {len(wires)} wires, need an odd number")
            elif any((x_formats[w].lo, x_formats[w].hi) != (fmt.lo, fmt.hi) for w in wires):
                out.append(f"neuron {i} reads wires of another format than {fmt}")
        return out


class MedianChecker(Checker[Median]):
    """The same without sorting: the largest value that more than half of the wires reach."""

    kind = "Median"

    def fan_in(self, neuron: int) -> list[int]:
        """Return the wires a neuron depends on."""
        return sorted(set(self.layer.inputs[neuron]))

    def values(self, neuron: int, inputs: Mapping[int, IntArray], size: int) -> IntArray:
        """Return the values of a neuron for values of its wires."""
        wires, fmt = self.layer.inputs[neuron], self.layer.formats[neuron]
        out = np.full(size, fmt.lo)
        for value in range(fmt.lo + 1, fmt.hi + 1):
            out += 2 * sum((inputs[w] >= value).astype(int) for w in wires) > len(wires)
        return out
