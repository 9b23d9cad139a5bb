"""An engine behind a stream of vectors: the stream of the LUT backend, corner turns inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from amaranth.hdl import Cat, ClockDomain, ClockSignal, Const, Instance, Module, ResetSignal, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from nnlogic.backends.dsp.model.ir import Program
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.core import bits
from nnlogic.core.archive import write_bytes
from nnlogic.core.inert import CommentText
from nnlogic.core.names import Identifier, identifier
from nnlogic.hw.convert import component_verilog
from nnlogic.hw.dsp.corner import BUFFERS, PART, Places
from nnlogic.hw.dsp.encode import index_bits
from nnlogic.hw.dsp.gather import Gather
from nnlogic.hw.dsp.scatter import Scatter
from nnlogic.hw.header import header

GROUPS = 12
"""Groups that can be between the two corner turns, more than all their buffers and the engine's."""
STRAIGHT = tuple(range(LANES))
PART_LUTS, SQUARE_LUTS, TURN_LUTS = 100, 60, 130
"""Estimated LUTs of 16 words of a square, of the rest of a square, and of all else."""


@dataclass(frozen=True)
class TurnShape:
    """What the corner turns around an engine must know about its program.

    Attributes
    ----------
    engine : str
        Module name.
    width_in, width_out : int
        Bits of a vector.
    contexts : int
    idle : int
        Clocks without a vector after which a group that is begun is closed.
    inputs, outputs : Places
    input_bits : tuple of (int, int, int)
        Bit of the vector, beat, bank.
    output_bits : tuple of (int, int)
        Beat and place in the beat, for each bit of the vector.
    order : tuple of int
        Lane of each vector of a batch on the way in; the identity, but for planted faults.
    """

    engine: str
    width_in: int
    width_out: int
    contexts: int
    idle: int
    inputs: Places
    outputs: Places
    input_bits: tuple[tuple[int, int, int], ...]
    output_bits: tuple[tuple[int, int], ...]
    order: tuple[int, ...] = STRAIGHT

    @staticmethod
    def of(program: Program, idle: int | None = None, order: Sequence[int] = STRAIGHT) -> TurnShape:
        """Return the shape for a program; `idle` is by default the interval between its groups."""
        used = np.flatnonzero(program.input_bank >= 0)
        emitters = np.flatnonzero(program.emit.any(axis=0))
        place = np.searchsorted(emitters, program.output_slice)
        clocks = program.interval // program.contexts
        columns = (used, program.input_row[used], program.input_bank[used] - program.slices)
        return TurnShape(
            engine=identifier(program.name),
            width_in=bits.total_bits(program.inputs),
            width_out=bits.total_bits(program.outputs),
            contexts=program.contexts,
            idle=max(program.interval, LANES) if idle is None else idle,
            inputs=Places(max(1, program.input_rows), program.input_banks, clocks),
            outputs=Places(program.output_rows, len(emitters), clocks),
            input_bits=tuple(zip(*(c.tolist() for c in columns), strict=True)),
            output_bits=tuple(zip(program.output_index.tolist(), place.tolist(), strict=True)),
            order=tuple(order),
        )

    @property
    def stream(self) -> str:
        """Module name of the wrapper."""
        return f"{self.engine}_stream"

    @property
    def vectors(self) -> int:
        """Vectors of a group."""
        return LANES * self.contexts

    @property
    def luts(self) -> int:
        """Estimated LUT6 of the corner turns, fitted to what yosys counts for 7-series parts."""
        squares = 0
        for places in (self.inputs, self.outputs):
            for chunk in range(places.chunks):
                sixteens = -(-places.size(chunk) // PART)
                squares += places.columns * (SQUARE_LUTS + PART_LUTS * sixteens)
        return squares + TURN_LUTS + PART * (self.outputs.side + self.inputs.side)

    def latency(self, stream_cycles: int) -> int:
        """Clocks from the first vector of a group in to its last result out, at most.

        Vectors come back to back, and the group has no company.

        Parameters
        ----------
        stream_cycles : int
            Of the engine, from the last beat in to the last beat out.
        """
        ins, outs = self.inputs, self.outputs
        filled = self.vectors - 1 + (self.contexts - 1) * (ins.clocks - LANES) + ins.turn + 4
        emptied = (self.contexts - 1) * outs.clocks + outs.turn + LANES + 7
        return filled + stream_cycles - self.contexts * outs.beats + emptied

    def interval(self, engine_interval: int) -> int:
        """Clocks per group: the slowest of filling, turning, engine and emptying."""
        return max(engine_interval, self.contexts * max(self.inputs.clocks, self.outputs.clocks))


class VectorEngine(wiring.Component):
    """Valid/ready stream of one vector per transfer around an engine.

    The ports are those of `nnlogic.hw.stream_wrapper.StreamWrapper`. Vectors wait until 48 times
    `contexts` of them fill a group, or until `idle` clocks pass without one; then the group is
    computed as it is. Results leave in the order the vectors came.
    """

    def __init__(self, shape: TurnShape) -> None:
        self.shape = shape
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_tdata": In(8 * -(-shape.width_in // 8)),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(8 * -(-shape.width_out // 8)),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        shape = self.shape
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]
        m.submodules.gather = gather = Gather(
            shape.width_in, shape.inputs, shape.input_bits, shape.contexts, shape.idle, shape.order
        )
        m.submodules.scatter = scatter = Scatter(shape.outputs, shape.output_bits)
        depth = GROUPS * shape.contexts + 2 * BUFFERS
        m.submodules.lanes = lanes = fifo.SyncFIFOBuffered(width=index_bits(LANES + 1), depth=depth)
        ready_in, valid_out = Signal(), Signal()
        m.d.comb += [
            gather.data.eq(self.s_axis_tdata),
            gather.valid.eq(self.s_axis_tvalid & self.aresetn),
            self.s_axis_tready.eq(gather.ready & self.aresetn),
            lanes.w_data.eq(gather.lanes),
            lanes.w_en.eq(gather.lanes_valid),
            gather.lanes_ready.eq(lanes.w_rdy),
            scatter.lanes.eq(lanes.r_data),
            scatter.lanes_valid.eq(lanes.r_rdy),
            lanes.r_en.eq(scatter.lanes_ready),
            gather.beat_ready.eq(ready_in),
            scatter.beat_valid.eq(valid_out),
            self.m_axis_tdata.eq(Cat(scatter.data, Const(0, 7))),
            self.m_axis_tvalid.eq(scatter.valid & self.aresetn),
            scatter.ready.eq(self.m_axis_tready & self.aresetn),
        ]
        m.submodules.engine = Instance(
            shape.engine,
            i_aclk=self.aclk,
            i_aresetn=self.aresetn,
            i_s_axis_tdata=gather.beat,
            i_s_axis_tvalid=gather.beat_valid,
            o_s_axis_tready=ready_in,
            o_m_axis_tdata=scatter.beat,
            o_m_axis_tvalid=valid_out,
            i_m_axis_tready=scatter.beat_ready,
        )
        return m


def write_vector_engine(shape: TurnShape, folder: Path) -> Path:
    """Write ``<engine>_stream.v``: the corner turns, which instantiate the engine.

    Raises
    ------
    ToolNotFound, ToolFailed
        Yosys is missing or failed.
    """
    text = component_verilog(VectorEngine(shape), shape.stream)
    lines = [
        f"corner turns around {shape.engine}: a stream of vectors, one per transfer",
        f"a group is {shape.vectors} vectors; after {shape.idle} clocks without a vector, one that",
        "is begun is computed as it is",
        "aresetn is synchronous and active low; it drops what is in flight",
        f"s_axis_tdata  {shape.width_in} bits, the rest is padding",
        f"m_axis_tdata  {shape.width_out} bits, the rest is zero",
    ]
    path = Path(folder) / f"{shape.stream}.v"
    head = header(Identifier(shape.stream), [CommentText(line) for line in lines])
    write_bytes(path, (head + text).encode())
    return path
