"""Machine: the engine a program is compiled for, and the lower bounds it sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.core.errors import Problem, UsageError

LATENCY = 6
"""Read, memory register, crossbar register, operand register, result register, write."""
BRAM_ROWS = 512
"""Rows of a 36 Kb block RAM used as 512 x 72 bits."""
THRESHOLDS = 512


@dataclass(frozen=True, slots=True)
class Machine:
    """What the scheduler may use.

    Attributes
    ----------
    slices : int
        DSP slices, one operation each per cycle.
    input_banks : int
        Memories the loader fills.
    output_slices : int
        Slices that may emit outputs; each adds 48 bits to the width of the output stream.
    contexts : int
        Independent batches of 48 lanes that take turns, see `Program`.
    latency : int
        Cycles from reading operands to reading the result, at least 2.
    bank_rows : int
        Words of each bank and port, all contexts together; input banks have as many, half per
        buffer.
    program_steps : int
        Words of the program memory.
    """

    slices: int
    input_banks: int = 1
    output_slices: int = 1
    contexts: int = 1
    latency: int = LATENCY
    bank_rows: int = 4 * BRAM_ROWS
    program_steps: int = 1 << 16

    def __post_init__(self) -> None:
        problems = [
            Problem(name, f"{value}, must be at least {least}")
            for name, value, least in (
                ("slices", self.slices, 1),
                ("input_banks", self.input_banks, 1),
                ("output_slices", self.output_slices, 1),
                ("contexts", self.contexts, 1),
                ("latency", self.latency, 2),
                ("bank_rows", self.bank_rows, 2 * self.contexts),
                ("program_steps", self.program_steps, 1),
            )
            if value < least
        ]
        if self.output_slices > self.slices:
            problems.append(Problem("output_slices", f"{self.output_slices} of {self.slices}"))
        if problems:
            raise UsageError("no engine can be built like this", problems=problems)

    @property
    def banks(self) -> int:
        """Slice banks and input banks."""
        return self.slices + self.input_banks

    @property
    def delay(self) -> int:
        """Steps from an operation to the first that may read its result."""
        return -(-self.latency // self.contexts)

    @property
    def context_rows(self) -> int:
        """Rows of a slice bank for each context."""
        return self.bank_rows // self.contexts

    @property
    def context_input_rows(self) -> int:
        """Rows of an input bank for each context and buffer."""
        return self.bank_rows // (2 * self.contexts)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Steps no schedule of a graph on a machine can beat, by reason.

    Attributes
    ----------
    work : int
        Operations over slices.
    depth : int
        Longest path, each operation but the last waiting for its result.
    path : int
        Both together: operations at least i levels from the start and j from the end over slices,
        after i levels and before j (i or j alone: Hu, "Parallel sequencing and assembly line
        problems", 1961).
    ports : int
        Words read at least once over read ports; inputs over the input banks' ports; outputs
        over the slices that may emit.
    load : int
        Inputs over input banks: what the loader needs per batch. Bounds the interval between
        groups, not the program.
    """

    work: int
    depth: int
    path: int
    ports: int
    load: int

    @property
    def steps(self) -> int:
        """The strongest bound on the length of the program."""
        return max(self.work, self.depth, self.path, self.ports)

    @property
    def reason(self) -> str:
        """Name of the strongest bound."""
        return next(n for n in ("work", "depth", "ports", "path") if getattr(self, n) == self.steps)

    def text(self) -> str:
        """One line."""
        return (
            f"at least {self.steps} steps ({self.reason}): work {self.work}, depth {self.depth}, "
            f"work and depth {self.path}, ports {self.ports}; loading {self.load}"
        )


def bounds(graph: OpGraph, machine: Machine) -> Bounds:
    """Return the lower bounds of `graph` on `machine`."""
    from nnlogic.backends.dsp.model.kernel import tails

    n_in, delay = graph.n_inputs, machine.delay
    read = np.zeros(n_in + graph.n_ops, dtype=bool)
    read[graph.x] = read[graph.z] = True
    used, words = int(read[:n_in].sum()), int(read.sum())
    depth = int(graph.levels.max(initial=0))
    heads, ends = graph.levels[n_in:], tails(n_in, graph.x, graph.z)
    path = max(
        _hu(heads, machine.slices, delay),
        _hu(ends, machine.slices, delay),
        _between(heads, ends, machine.slices, delay),
    )
    return Bounds(
        work=-(-graph.n_ops // machine.slices),
        depth=(depth - 1) * delay + 1 if depth else 0,
        path=path,
        ports=max(
            -(-words // (2 * machine.banks)),
            -(-used // (2 * machine.input_banks)),
            -(-len(np.unique(graph.output_signals)) // machine.output_slices),
        ),
        load=-(-used // machine.input_banks),
    )


def _hu(levels: NDArray[np.int32], slices: int, delay: int) -> int:
    if not len(levels):
        return 0
    at_least = np.bincount(levels)[::-1].cumsum()[::-1]
    level = np.arange(1, len(at_least))
    return int((-(-at_least[1:] // slices) + (level - 1) * delay).max())


def _between(heads: NDArray[np.int32], ends: NDArray[np.int32], slices: int, delay: int) -> int:
    """Bound of the operations far from both ends, for up to `THRESHOLDS` distances each way."""
    if not len(heads):
        return 0
    most = int(max(heads.max(), ends.max()))
    unit = -(-most // THRESHOLDS)
    size = most // unit + 1
    cells = np.bincount((heads // unit) * size + ends // unit, minlength=size * size)
    at_least = cells.reshape(size, size)[::-1, ::-1].cumsum(0).cumsum(1)[::-1, ::-1]
    before = np.maximum(np.arange(size) * unit - 1, 0) * delay
    found = -(-at_least // slices) + before[:, None] + before
    return int(found[at_least > 0].max())
