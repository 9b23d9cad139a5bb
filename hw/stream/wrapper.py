"""AXI4-Stream around the free-running stream: frames by ``tlast``, and back-pressure."""

from __future__ import annotations

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from nnlogic.backends.stream.model.cycles import StreamTiming
from nnlogic.backends.stream.model.ir import StreamDesign


class FrameStream(wiring.Component):
    """Takes beats while there is room for everything that is under way.

    A frame ends with the beat that has ``s_axis_tlast``, or with its last beat where the sender
    has no ``tlast``. One that ends early gives no result, unless what is missing is read by no
    window; the next beat begins a new frame. Results end with ``m_axis_tlast``, and their first
    beat has ``m_axis_tuser``. ``aresetn`` is synchronous and drops all frames.

    Parameters
    ----------
    design : StreamDesign
    """

    def __init__(self, design: StreamDesign) -> None:
        self.design = design
        self.timing = StreamTiming.of(design)
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_tdata": In(8 * -(-design.input_width // 8)),
                "s_axis_tlast": In(1),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(8 * -(-design.output_width // 8)),
                "m_axis_tlast": Out(1),
                "m_axis_tuser": Out(1),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        design, depth = self.design, self.timing.fifo_depth
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]

        start = Signal(init=1)
        accept = Signal()
        index = Signal(range(design.beats))
        whole = Signal()
        m.d.comb += whole.eq(index == design.beats - 1)
        with m.If(accept):
            m.d.sync += [start.eq(0), index.eq(index + 1)]
            with m.If(self.s_axis_tlast | whole):
                m.d.sync += [start.eq(1), index.eq(0)]

        go = Signal()
        out_valid = Signal()
        result = Signal(design.output_width + 2)
        m.submodules.fifo = queue = fifo.SyncFIFOBuffered(width=len(result), depth=depth)
        m.d.sync += go.eq(queue.level <= depth - self.timing.fifo_room)
        m.d.comb += [
            self.s_axis_tready.eq(self.aresetn & go),
            accept.eq(self.s_axis_tvalid & self.s_axis_tready),
            queue.w_data.eq(result),
            queue.w_en.eq(out_valid),
            self.m_axis_tvalid.eq(self.aresetn & queue.r_rdy),
            Cat(self.m_axis_tdata[: design.output_width], self.m_axis_tlast, self.m_axis_tuser).eq(
                queue.r_data
            ),
            queue.r_en.eq(self.m_axis_tvalid & self.m_axis_tready),
        ]
        m.submodules.core = Instance(
            design.name,
            i_clk=ClockSignal(),
            i_rst=ResetSignal(),
            i_in_valid=accept,
            i_in_first=start,
            i_in_last=whole,
            i_go=go,
            i_x=self.s_axis_tdata[: design.input_width],
            o_out_valid=out_valid,
            o_out_first=result[-1],
            o_out_last=result[-2],
            o_y=result[:-2],
        )
        return m
