"""Operand memories: one write port and two read ports, by two copies."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from nnlogic.hw.dsp.encode import index_bits
from nnlogic.hw.dsp.logic_unit import LANES

# A program never reads a row in the clock that writes it, so no tool need care what comes out.
NO_COLLISION = {"no_rw_check": 1}


class Bank(wiring.Component):
    """A memory of 48-bit rows: write on the clock edge, read data one clock after the address.

    Parameters
    ----------
    depth : int
        Rows.
    registered : bool
        One more register on the read data.
    """

    def __init__(self, depth: int, *, registered: bool) -> None:
        self._depth, self._registered = depth, registered
        bits = index_bits(depth)
        super().__init__(
            {
                "write": In(1),
                "write_row": In(bits),
                "data": In(LANES),
                "x_row": In(bits),
                "z_row": In(bits),
                "x": Out(LANES),
                "z": Out(LANES),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        for row, out in ((self.x_row, self.x), (self.z_row, self.z)):
            memory = simple_memory(m, f"copy_{out.name}", LANES, self._depth)
            write, read = memory.write_port(), memory.read_port()
            m.d.comb += [
                write.en.eq(self.write),
                write.addr.eq(self.write_row),
                write.data.eq(self.data),
                read.addr.eq(row),
            ]
            if self._registered:
                register = Signal(LANES, name=f"{out.name}_q", reset_less=True)
                m.d.sync += register.eq(read.data)
                m.d.comb += out.eq(register)
            else:
                m.d.comb += out.eq(read.data)
        return m


def simple_memory(m: Module, name: str, width: int, depth: int) -> Memory:
    """Add a memory without initial contents that is never read where it is written."""
    memory = Memory(shape=width, depth=depth, init=[], attrs=NO_COLLISION)
    m.submodules[name] = memory
    return memory
