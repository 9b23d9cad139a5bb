"""A shell on the pins of an Amaranth platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    DomainRenamer,
    Elaboratable,
    Module,
    ResetSignal,
    Signal,
)
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer

from nnlogic.hw.board.shell import Shell

INPUTS = ("rx", "button")
BOARD = "board"
"""Domain of the board's own clock, where the shell has another."""


class Top(Elaboratable):
    """Connects a shell with pins.

    Parameters
    ----------
    shell : Shell
    pins : mapping of str to port
        Ports of `amaranth.lib.io` by the name of the shell's port; there may be no ``button``.
    divide : int
        Clocks of the board in one of the shell; a power of two.
    """

    def __init__(self, shell: Shell, pins: Mapping[str, Any], divide: int = 1) -> None:
        self.shell, self.pins, self.divide = shell, pins, divide

    def elaborate(self, platform: Any) -> Module:
        """Build the module."""
        m = Module()
        if self.divide > 1:
            self._divided(m, platform)
        m.submodules.shell = self.shell
        for name, port in self.pins.items():
            way = "i" if name in INPUTS else "o"
            buffer = io.Buffer(way, port)
            m.submodules[f"{name}_buffer"] = buffer
            inner = getattr(self.shell, name)
            m.d.comb += inner.eq(buffer.i) if way == "i" else buffer.o.eq(inner)
        return m

    def _divided(self, m: Module, platform: Any) -> None:
        """Give the shell a clock of its own, a flip-flop's, and the board's reset."""
        count = Signal(self.divide.bit_length() - 1, reset_less=True)
        slow, reset = Signal(), Signal()
        whole = platform.create_missing_domain("sync")
        whole.d.sync += count.eq(count + 1)
        whole.d.comb += reset.eq(ResetSignal("sync", allow_reset_less=True))
        m.submodules.clock = DomainRenamer({"sync": BOARD})(whole)
        m.domains.sync = ClockDomain("sync")
        m.d.comb += [slow.eq(count[-1]), ClockSignal("sync").eq(slow)]
        m.submodules.reset = ResetSynchronizer(reset, domain="sync")
        platform.add_clock_constraint(slow, platform.default_clk_frequency / self.divide)
