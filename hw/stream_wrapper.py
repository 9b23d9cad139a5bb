"""Valid/ready wrapper around a core, with AXI4-Stream names and credit-based flow control."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import ClockDomain, ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from nnlogic.hw.names import Core, port_names

KEEP = "tkeep"
ROUND_TRIP = 3
"""Cycles from the core's output until a credit is usable again: FIFO 2, counter 1."""


@dataclass(frozen=True)
class StreamParameters:
    """Sizes of a stream wrapper.

    Attributes
    ----------
    core : str
        Module name of the core.
    inputs, outputs : tuple of (str, int)
        RTL name and width of the core's data ports, lowest bits of tdata first.
    latency : int
        Clock cycles of the core.
    sideband : tuple of (str, int)
        Signals that travel with a sample, and their bits: ``("tlast", 1)``, ``("tuser", 4)``; and
        ``("tkeep", 1)``.
    """

    core: str
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]
    latency: int
    sideband: tuple[tuple[str, int], ...] = ()

    @staticmethod
    def of(design: Core) -> StreamParameters:
        """Return the parameters for a design."""
        x_names, y_names = port_names(design)
        return StreamParameters(
            core=design.name,
            inputs=tuple((x_names[p.name], p.format.bits) for p in design.inputs),
            outputs=tuple((y_names[p.name], p.format.bits) for p in design.outputs),
            latency=design.latency,
            sideband=tuple(getattr(design, "sideband", ())),
        )

    @property
    def input_bytes(self) -> int:
        """Bytes of s_axis_tdata."""
        return _bytes(self.inputs)

    @property
    def output_bytes(self) -> int:
        """Bytes of m_axis_tdata."""
        return _bytes(self.outputs)

    @property
    def ports(self) -> tuple[tuple[str, str, int], ...]:
        """Ports of the wrapper in order: name, ``"input"`` or ``"output"``, width in bits."""
        return (
            ("aclk", "input", 1),
            ("aresetn", "input", 1),
            ("s_axis_tdata", "input", 8 * self.input_bytes),
            ("s_axis_tvalid", "input", 1),
            ("s_axis_tready", "output", 1),
            ("m_axis_tdata", "output", 8 * self.output_bytes),
            ("m_axis_tvalid", "output", 1),
            ("m_axis_tready", "input", 1),
            *self._beside("s_axis", "input", self.input_bytes),
            *self._beside("m_axis", "output", self.output_bytes),
        )

    def _beside(self, bus: str, way: str, data: int) -> tuple[tuple[str, str, int], ...]:
        widths = [(name, data if name == KEEP else bits) for name, bits in self.sideband]
        return tuple((f"{bus}_{name}", way, width) for name, width in widths)

    @property
    def depth(self) -> int:
        """Credits, and entries of the FIFO: all that can be in flight at full rate."""
        return self.latency + ROUND_TRIP


def _bytes(ports: tuple[tuple[str, int], ...]) -> int:
    return -(-sum(width for _, width in ports) // 8)


class StreamWrapper(wiring.Component):
    """Stream around a free-running core.

    A transfer is accepted only while there is a credit for it. A credit stands for one FIFO entry
    and is returned when the result leaves, so the FIFO cannot overflow however long the
    consumer stalls, and without stalls one transfer per cycle is accepted. `aresetn` is
    synchronous; it drops what is in flight.

    Signals beside the data wait in a FIFO of their own, from the transfer that is accepted to its
    result; results keep their order, and come later than what waits. Of `tkeep` one bit travels:
    whether every byte of the sample is there. A result is whole or null accordingly.
    """

    def __init__(self, parameters: StreamParameters) -> None:
        self.parameters = parameters
        ways = {"input": In, "output": Out}
        super().__init__({name: ways[way](width) for name, way, width in parameters.ports})

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        p = self.parameters
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]

        credits = Signal(range(p.depth + 1), init=p.depth)
        accept = Signal()
        take = Signal()
        out_valid = Signal()
        results = Signal(sum(width for _, width in p.outputs))
        m.submodules.fifo = queue = fifo.SyncFIFOBuffered(width=len(results), depth=p.depth)
        m.d.comb += [
            self.s_axis_tready.eq(self.aresetn & (credits != 0)),
            accept.eq(self.s_axis_tvalid & self.s_axis_tready),
            queue.w_data.eq(results),
            queue.w_en.eq(out_valid),
            self.m_axis_tvalid.eq(self.aresetn & queue.r_rdy),
            self.m_axis_tdata.eq(queue.r_data),
            take.eq(self.m_axis_tvalid & self.m_axis_tready),
            queue.r_en.eq(take),
        ]
        if p.sideband:
            self._beside(m, accept, take)
        with m.If(accept & ~take):
            m.d.sync += credits.eq(credits - 1)
        with m.Elif(take & ~accept):
            m.d.sync += credits.eq(credits + 1)
        pins = {
            "i_clk": ClockSignal(),
            "i_rst": ResetSignal(),
            "i_in_valid": accept,
            "o_out_valid": out_valid,
        }
        at = 0
        for name, width in p.inputs:
            pins[f"i_{name}"] = self.s_axis_tdata[at : at + width]
            at += width
        at = 0
        for name, width in p.outputs:
            pins[f"o_{name}"] = results[at : at + width]
            at += width
        m.submodules.core = Instance(p.core, **pins)
        return m

    def _beside(self, m: Module, accept: Signal, take: Signal) -> None:
        """Pass the signals beside the data from each sample to its result."""
        p = self.parameters
        width = sum(bits for _, bits in p.sideband)
        m.submodules.beside = queue = fifo.SyncFIFOBuffered(width=width, depth=p.depth)
        m.d.comb += [queue.w_en.eq(accept), queue.r_en.eq(take)]
        at = 0
        for name, bits in p.sideband:
            source, result = getattr(self, f"s_axis_{name}"), getattr(self, f"m_axis_{name}")
            place, found = queue.w_data[at : at + bits], queue.r_data[at : at + bits]
            whole = name == KEEP
            m.d.comb += place.eq(source.all() if whole else source)
            m.d.comb += result.eq(found.replicate(len(result)) if whole else found)
            at += bits
