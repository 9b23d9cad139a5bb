"""AXI4-Stream around the free-running stream: frames by ``tlast``, and back-pressure."""

from __future__ import annotations

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Instance, Module, ResetSignal, Signal, Value
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from nnlogic.backends.stream.model.cycles import StreamTiming
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.hw.stream.ring import Ring


class FrameStream(wiring.Component):
    """Takes beats while there is room for everything that is under way.

    A frame ends with the beat that has ``s_axis_tlast``, or with its last beat where the sender
    has no ``tlast``. One that ends early gives no result, unless what is missing is read by no
    window; the next beat begins a new frame. Results end with ``m_axis_tlast``, and their first
    beat has ``m_axis_tuser``. Where the design has a tag, it is what ``s_axis_tuser`` was with the
    first beat of a frame, above that bit, with all beats of the result. ``aresetn`` is synchronous
    and drops all frames.

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
                **({"s_axis_tuser": In(design.tag)} if design.tag else {}),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(8 * -(-design.output_width // 8)),
                "m_axis_tlast": Out(1),
                "m_axis_tuser": Out(1 + design.tag),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        design = self.design
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]

        accept, start = Signal(), Signal(init=1)
        index = Ring(design.beats, "index")
        whole = Signal()
        m.d.comb += whole.eq(index.at(design.beats - 1))
        ends = Signal(name="ends")
        m.d.comb += ends.eq(accept & (self.s_axis_tlast | whole))
        with m.If(accept):
            m.d.sync += [start.eq(ends), index.state.eq(index.after)]
        with m.If(ends | ~self.aresetn):
            m.d.sync += index.state.eq(index.start)

        go = Signal()
        out_valid = Signal()
        wide, tagged = design.output_width, {}
        result = Signal(wide + 2 + design.tag)
        if design.tag:
            tagged = {"i_in_tag": self.s_axis_tuser, "o_out_tag": result[wide + 2 :]}
        (self._hold if self.timing.held else self._queue)(m, go, out_valid, result)
        m.d.comb += [
            self.s_axis_tready.eq(self.aresetn & go),
            accept.eq(self.s_axis_tvalid & self.s_axis_tready),
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
            o_out_first=result[wide + 1],
            o_out_last=result[wide],
            o_y=result[:wide],
            **tagged,
        )
        return m

    @property
    def _offered(self) -> Value:
        """What goes out, in the order of a result."""
        data = self.m_axis_tdata[: self.design.output_width]
        return Cat(data, self.m_axis_tlast, self.m_axis_tuser)

    def _queue(self, m: Module, go: Signal, valid: Signal, result: Signal) -> None:
        """Let results wait in a FIFO, and beats while there is no room for all under way."""
        depth = self.timing.fifo_depth
        m.submodules.fifo = queue = fifo.SyncFIFOBuffered(width=len(result), depth=depth)
        m.d.sync += go.eq(queue.level <= depth - self.timing.fifo_room)
        m.d.comb += [
            queue.w_data.eq(result),
            queue.w_en.eq(valid),
            self.m_axis_tvalid.eq(self.aresetn & queue.r_rdy),
            self._offered.eq(queue.r_data),
            queue.r_en.eq(self.m_axis_tvalid & self.m_axis_tready),
        ]

    def _hold(self, m: Module, go: Signal, valid: Signal, result: Signal) -> None:
        """Let a result wait in a register, and beats while it does."""
        full = Signal(name="full")
        held = Signal(len(result), name="held", reset_less=True)
        waits = full & ~self.m_axis_tready
        m.d.sync += [go.eq(~waits), full.eq(valid | waits)]
        with m.If(valid):
            m.d.sync += held.eq(result)
        m.d.comb += [self.m_axis_tvalid.eq(self.aresetn & full), self._offered.eq(held)]
