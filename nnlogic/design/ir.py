"""HardwareDesign: a LogicNet placed into pipeline segments, with ports and a protocol.

Rank 0 registers the inputs (when `input_register`), segment ``s`` is the logic after it, and a
rank of registers follows every segment, so outputs are always registered. A signal computed in
segment ``a`` and read in segment ``b`` crosses ``b - a`` ranks. Latency is the number of clock
edges from the one that samples an input to the one at which its output can be sampled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.errors import IRError, Problem
from nnlogic.core.fields import stored
from nnlogic.core.formats import IntArray, Port
from nnlogic.core.limits import CLOCKS
from nnlogic.core.names import Identifier
from nnlogic.core.stored import Stored
from nnlogic.design.cycle import run_cycles
from nnlogic.design.text import design_text
from nnlogic.logic.ir import LogicNet


@dataclass(frozen=True, eq=False)
class HardwareDesign(Stored):
    """A pipelined, fully parallel circuit: initiation interval 1.

    Attributes
    ----------
    name : str
        Name of the Verilog top module.
    logic : LogicNet
    segments : int32 array, shape (nodes,)
        Pipeline segment of each node, from 0.
    n_segments : int
        Number of segments, at least 1.
    input_register : bool
        Register the inputs before the first segment.
    stream : bool
        Add a valid/ready wrapper with AXI4-Stream names around the core.
    sideband : tuple of (str, int)
        Signals of the stream that pass from a sample to its result, and their bits.
    """

    name: str
    logic: LogicNet
    segments: NDArray[np.int32] = field(metadata=stored(dims=1))
    n_segments: int
    input_register: bool = True
    stream: bool = False
    sideband: tuple[tuple[str, int], ...] = field(default=(), metadata=stored(grown=True))

    kind: ClassVar[str] = "HardwareDesign"
    initiation_interval: ClassVar[int] = 1

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Input ports."""
        return self.logic.inputs

    @property
    def outputs(self) -> tuple[Port, ...]:
        """Output ports."""
        return self.logic.outputs

    @property
    def latency(self) -> int:
        """Clock cycles from input to output of the core."""
        return self.n_segments + int(self.input_register)

    @cached_property
    def last_use(self) -> NDArray[np.int32]:
        """Last segment that reads each signal; outputs are read in segment `n_segments`."""
        fanins = self.logic.fanins
        out = np.full(self.logic.n_inputs + self.logic.n_nodes, -1, dtype=np.int32)
        readers = np.broadcast_to(self.segments[:, None], fanins.shape)
        np.maximum.at(out, fanins[fanins >= 0], readers[fanins >= 0])
        out[list(self.logic.output_signals)] = self.n_segments
        return out

    @cached_property
    def signal_segments(self) -> NDArray[np.int32]:
        """Segment in which each signal is defined; inputs in segment 0."""
        zeros = np.zeros(self.logic.n_inputs, dtype=np.int32)
        return np.concatenate([zeros, self.segments])

    @cached_property
    def signal_registers(self) -> NDArray[np.int32]:
        """Pipeline registers after each signal (input rank not counted); constants have none."""
        out = np.maximum(0, self.last_use - self.signal_segments)
        constant = np.flatnonzero(self.logic.fan_in_counts == 0) + self.logic.n_inputs
        out[constant] = 0
        return out

    @property
    def registers(self) -> int:
        """Data flip-flops of the core, input rank included, valid chain not.

        Input bits that nothing reads have none.
        """
        own = int(self.signal_registers.sum())
        used = int((self.last_use[: self.logic.n_inputs] >= 0).sum())
        return own + (used if self.input_register else 0)

    def evaluate(self, codes: IntArray) -> IntArray:
        """Stream rows through the cycle model at initiation interval 1 and collect the outputs."""
        return run_cycles(self, codes)

    def verify(self) -> None:
        """Raise IRError, with all problems, when a rule of HardwareDesign is broken."""
        self.logic.verify()
        Identifier(self.name)
        problems = CLOCKS.problems("segments", self.n_segments)
        if self.segments.shape != (self.logic.n_nodes,):
            problems.append(Problem("segments", f"shape {self.segments.shape}"))
        elif self.n_segments < 1 or (
            self.segments.size
            and not (self.segments.min() >= 0 and self.segments.max() < self.n_segments)
        ):
            problems.append(Problem("segments", f"outside 0..{self.n_segments - 1}"))
        else:
            at = np.append(self.signal_segments, 0)
            early = np.flatnonzero((at[self.logic.fanins] > self.segments[:, None]).any(axis=1))
            problems += [
                Problem(self.logic.origins[i], f"node {i} reads a signal of a later segment")
                for i in early[:20]
            ]
        if problems:
            raise IRError("HardwareDesign breaks its rules", where=self.name, problems=problems)

    def segment_depths(self) -> list[int]:
        """LUT levels on the longest path inside each segment."""
        at = self.signal_segments.tolist()
        rows, counts = self.logic.fanins.tolist(), self.logic.fan_in_counts.tolist()
        depth = [0] * len(at)
        worst = [0] * self.n_segments
        for i, (row, count) in enumerate(zip(rows, counts, strict=True), self.logic.n_inputs):
            if count:
                depth[i] = 1 + max((depth[s] for s in row[:count] if at[s] == at[i]), default=0)
                worst[at[i]] = max(worst[at[i]], depth[i])
        return worst

    def stats(self) -> dict[str, int]:
        """Counts for the report."""
        return {
            **self.logic.stats(),
            "segments": self.n_segments,
            "latency_cycles": self.latency,
            "initiation_interval": self.initiation_interval,
            "registers": self.registers,
            "levels_per_segment": max(self.segment_depths(), default=0),
        }

    def text(self) -> str:
        """Return the stable printed form."""
        return design_text(self)
