"""Answers on their way to the host: a queue, and what makes frames of it."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from nnlogic.hw.board.protocol import CHECK, WINDOW
from nnlogic.hw.board.uart import Transmitter


class Sender(wiring.Component):
    """Queues answers and sends each as a frame.

    Attributes
    ----------
    line : Signal, out
    kind : Signal(8), in
    payload : Signal, in
    length : Signal, in
        Bytes of `payload` to send, from the lowest.
    valid : Signal, in
        High for one clock per answer; what comes while `WINDOW` answers wait is lost.

    Parameters
    ----------
    clocks : int
        Of a bit.
    most : int
        Bytes of the longest payload.
    """

    def __init__(self, clocks: int, most: int) -> None:
        self.clocks, self.most = clocks, most
        super().__init__(
            {
                "line": Out(1, init=1),
                "kind": In(8),
                "payload": In(8 * most),
                "length": In(range(most + 1)),
                "valid": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        width = 8 + len(self.payload) + len(self.length)
        m.submodules.queue = queue = SyncFIFOBuffered(width=width, depth=WINDOW)
        m.submodules.transmitter = out = Transmitter(self.clocks)
        m.submodules.check = check = CHECK.create()
        rest = Signal(self.payload.shape())
        left = Signal(self.length.shape())
        m.d.comb += [
            queue.w_data[:8].eq(self.kind),
            queue.w_data[8 : 8 + len(rest)].eq(self.payload),
            queue.w_data[8 + len(rest) :].eq(self.length),
            queue.w_en.eq(self.valid),
            self.line.eq(out.line),
            check.data.eq(out.data),
        ]
        with m.FSM():
            with m.State("KIND"):
                m.d.comb += [out.data.eq(queue.r_data[:8]), out.valid.eq(queue.r_rdy)]
                with m.If(out.valid & out.ready):
                    m.d.comb += [check.start.eq(1), check.valid.eq(1), queue.r_en.eq(1)]
                    m.d.sync += [
                        rest.eq(queue.r_data[8 : 8 + len(rest)]),
                        left.eq(queue.r_data[8 + len(rest) :]),
                    ]
                    m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [out.data.eq(Mux(left == 0, check.crc, rest[:8])), out.valid.eq(1)]
                with m.If(out.ready):
                    m.d.comb += check.valid.eq(left != 0)
                    m.d.sync += [rest.eq(rest >> Const(8)), left.eq(left - 1)]
                    with m.If(left == 0):
                        m.next = "KIND"
        return m
