"""When signals are there, level by level, and how many cross the registers of a pipeline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """What makes some signals from others.

    Attributes
    ----------
    outputs, inputs : tuple of int
        Signals.
    levels : float
        LUT levels from the last input to the outputs, as guessed; 1 for a single LUT.
    layer : int
    """

    outputs: tuple[int, ...]
    inputs: tuple[int, ...]
    levels: float
    layer: int


@dataclass(frozen=True, eq=False)
class Flow:
    """Parts in topological order, and the level at which each signal is there.

    Attributes
    ----------
    parts : tuple of Part
    outputs : int array
        Signals that leave the network.
    early, late : float arrays, shape (signals,)
        The first and the last level at which a signal may be there; inputs are there at 0.
    counted : int array
        Signals that may cross registers.
    depth : float
    """

    parts: tuple[Part, ...]
    outputs: NDArray[np.int64]
    early: Floats
    late: Floats
    counted: NDArray[np.int64]
    depth: float

    @staticmethod
    def of(
        parts: Sequence[Part],
        inputs: NDArray[np.int64],
        outputs: NDArray[np.int64],
        n_signals: int,
    ) -> Flow:
        """Return the flow through parts, given in topological order."""
        early = np.zeros(n_signals)
        for part in parts:
            start = early[list(part.inputs)].max(initial=0.0)
            early[list(part.outputs)] = start + part.levels
        depth = float(early[outputs].max(initial=0.0))
        late = np.full(n_signals, depth)
        for part in reversed(parts):
            start = late[list(part.outputs)].min(initial=depth) - part.levels
            read = list(part.inputs)
            late[read] = np.minimum(late[read], start)
        late[inputs] = 0.0
        made = [s for part in parts for s in part.outputs]
        counted = np.unique(np.concatenate([inputs, np.array(made, np.int64)]))
        return Flow(tuple(parts), outputs, early, late, counted, depth)

    def pipeline(self) -> tuple[float, float]:
        """Return LUT levels of the deepest stage, and registers between stages.

        As `nnlogic.build` balances it: as many stages as layers, evenly deep, or cut at the ends
        of layers where that is as even.
        """
        layers = sorted({part.layer for part in self.parts})
        if not layers:
            return 1.0, 0.0
        even = max(1, math.ceil(round(self.depth) / len(layers)))
        if self._deepest_layer() <= even:
            return float(even), self._between_layers(layers)
        edges = even * np.arange(1.0, math.ceil(round(self.depth) / even))
        # Everything as early as can be, or as late: the designer takes the better, and more.
        return float(even), min(self._crossing(self.early, edges), self._crossing(self.late, edges))

    def _deepest_layer(self) -> int:
        """Return the most LUT levels within one layer."""
        at, inside = np.full(len(self.early), -1), np.zeros(len(self.early))
        for part in self.parts:
            read = list(part.inputs)
            own = inside[read][at[read] == part.layer]
            at[list(part.outputs)] = part.layer
            inside[list(part.outputs)] = own.max(initial=0.0) + part.levels
        return round(float(inside.max(initial=0.0)))

    def _between_layers(self, layers: list[int]) -> float:
        """Return the registers of a pipeline that is cut at the ends of layers."""
        number = {layer: i for i, layer in enumerate(layers)}
        born, used = np.zeros(len(self.early)), np.zeros(len(self.early))
        for part in self.parts:
            read = list(part.inputs)
            used[read] = np.maximum(used[read], number[part.layer])
            born[list(part.outputs)] = number[part.layer]
        used[self.outputs] = len(layers) - 1
        return float(np.maximum(0, used - born)[self.counted].sum())

    def _crossing(self, there: Floats, edges: Floats) -> float:
        used, inner = np.zeros(len(there)), 0.0
        for part in self.parts:
            if not part.outputs or not part.inputs:
                continue
            end = float(there[list(part.outputs)].min())
            start = end - part.levels
            read = list(part.inputs)
            used[read] = np.maximum(used[read], start + 1)
            within = edges[(edges >= start + 1) & (edges < end)]
            share = (within - start) / part.levels
            ratio = len(part.outputs) / len(read)
            inner += float((len(read) * ratio**share).sum())
        used[self.outputs] = self.depth
        born, last = there[self.counted], used[self.counted]
        waiting = sum(int(((born <= edge) & (edge < last)).sum()) for edge in edges)
        return waiting + inner
