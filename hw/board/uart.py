"""Bytes on a serial line: a start bit, eight data bits from the least significant, a stop bit."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

BITS = 10


class Receiver(wiring.Component):
    """Takes bytes from a line that is high when nothing is sent.

    Attributes
    ----------
    line : Signal, in
        Of any clock.
    data : Signal(8), out
    valid : Signal, out
        High for the one clock in which `data` is a byte whose stop bit is right.
    busy : Signal, out
        A byte is coming in.

    Parameters
    ----------
    clocks : int
        Of a bit, at least 4.
    """

    def __init__(self, clocks: int) -> None:
        self.clocks = clocks
        super().__init__({"line": In(1, init=1), "data": Out(8), "valid": Out(1), "busy": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.line, line, init=1)
        bits = Signal(BITS)
        left = Signal(range(BITS + 1))
        timer = Signal(range(self.clocks))
        m.d.comb += [self.data.eq(bits[1:9]), self.busy.eq(left != 0)]
        m.d.sync += self.valid.eq(0)
        with m.If(left == 0):
            # The first sample is in the middle of the start bit.
            m.d.sync += timer.eq(self.clocks // 2 - 1)
            with m.If(~line):
                m.d.sync += left.eq(BITS)
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [
                timer.eq(self.clocks - 1), bits.eq(Cat(bits[1:], line)), left.eq(left - 1)
            ]  # fmt: skip
            with m.If((left == BITS) & line):
                m.d.sync += left.eq(0)  # no start bit, a disturbance
            with m.If(left == 1):
                m.d.sync += self.valid.eq(line)
        return m


class Transmitter(wiring.Component):
    """Sends bytes.

    Attributes
    ----------
    line : Signal, out
    data : Signal(8), in
    valid, ready : Signal, in and out
        A byte is taken in a clock in which both are high.

    Parameters
    ----------
    clocks : int
        Of a bit.
    """

    def __init__(self, clocks: int) -> None:
        self.clocks = clocks
        super().__init__({"line": Out(1, init=1), "data": In(8), "valid": In(1), "ready": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        bits = Signal(BITS, init=-1)
        left = Signal(range(BITS + 1))
        timer = Signal(range(self.clocks))
        m.d.comb += self.ready.eq(left == 0)
        m.d.sync += self.line.eq((left == 0) | bits[0])
        with m.If(self.ready):
            m.d.sync += timer.eq(self.clocks - 1)
            with m.If(self.valid):
                m.d.sync += [bits.eq(Cat(0, self.data, 1)), left.eq(BITS)]
        with m.Elif(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Else():
            m.d.sync += [timer.eq(self.clocks - 1), bits.eq(bits[1:]), left.eq(left - 1)]
        return m
