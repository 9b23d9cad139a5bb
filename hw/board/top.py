"""A shell on the pins of an Amaranth platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io

from nnlogic.hw.board.shell import Shell

INPUTS = ("rx", "button")


class Top(Elaboratable):
    """Connects a shell with pins.

    Parameters
    ----------
    shell : Shell
    pins : mapping of str to port
        Ports of `amaranth.lib.io` by the name of the shell's port; there may be no ``button``.
    """

    def __init__(self, shell: Shell, pins: Mapping[str, Any]) -> None:
        self.shell, self.pins = shell, pins

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        m.submodules.shell = self.shell
        for name, port in self.pins.items():
            way = "i" if name in INPUTS else "o"
            buffer = io.Buffer(way, port)
            m.submodules[f"{name}_buffer"] = buffer
            inner = getattr(self.shell, name)
            m.d.comb += inner.eq(buffer.i) if way == "i" else buffer.o.eq(inner)
        return m
