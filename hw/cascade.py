"""Two cores in one: a large network is asked where a small one is not sure."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import (
    ClockDomain,
    ClockSignal,
    Instance,
    Module,
    Mux,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from nnlogic.hw.stream_wrapper import ROUND_TRIP, StreamParameters


@dataclass(frozen=True)
class CascadeParameters:
    """What a cascade is made of.

    Attributes
    ----------
    small, large : StreamParameters
        Cores of the same inputs.
    chosen : str
        Output of both, of one width, that names the class.
    sure : str
        Output of the small core.
    """

    small: StreamParameters
    large: StreamParameters
    chosen: str
    sure: str

    @property
    def width(self) -> int:
        """Bits of the class."""
        return dict(self.small.outputs)[self.chosen]

    @property
    def output_bytes(self) -> int:
        """Bytes of m_axis_tdata: the class, above it whether the large network was asked."""
        return -(-(self.width + 1) // 8)

    @property
    def sure_latency(self) -> int:
        """Clocks from a transfer in to the transfer out, of an empty cascade that is sure."""
        return self.small.latency + FIFO

    @property
    def asked_latency(self) -> int:
        """The same where the large network is asked: one clock more in the register before it."""
        return self.small.latency + 1 + self.large.latency + FIFO

    @property
    def depth(self) -> int:
        """Rows that can be inside."""
        return self.small.latency + 1 + self.large.latency + ROUND_TRIP


FIFO = 2
"""Clocks from the write into a FIFO to the word at its end."""


class Cascade(wiring.Component):
    """AXI4-Stream around both cores; results leave in order, one row per clock is accepted.

    Inputs follow the small network in a delay line. Where it is not sure, they are put into a
    register before the large network, which otherwise holds, so that nothing there toggles. A FIFO
    keeps the order and the answers of the small network, another one the answers of the large. A
    credit stands for a place in both.
    """

    def __init__(self, parameters: CascadeParameters) -> None:
        self.parameters = p = parameters
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_tdata": In(8 * p.small.input_bytes),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(8 * p.output_bytes),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m, p = Module(), self.parameters
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(self.aclk), ResetSignal().eq(~self.aresetn)]
        credits = Signal(range(p.depth + 1), init=p.depth)
        accept, take, ask = Signal(), Signal(), Signal()
        m.d.comb += [
            self.s_axis_tready.eq(self.aresetn & (credits != 0)),
            accept.eq(self.s_axis_tvalid & self.s_axis_tready),
        ]
        with m.If(accept & ~take):
            m.d.sync += credits.eq(credits - 1)
        with m.Elif(take & ~accept):
            m.d.sync += credits.eq(credits + 1)

        width = sum(w for _, w in p.small.inputs)
        row: Value = self.s_axis_tdata[:width]
        small_valid, small = _core(m, "small", p.small, row, accept)
        for clock in range(p.small.latency):
            later = Signal(width, name=f"row_{clock + 1}", reset_less=True)
            m.d.sync += later.eq(row)
            row = later
        held, asking = Signal(width, reset_less=True), Signal()
        m.d.comb += ask.eq(small_valid & ~small[p.sure])
        m.d.sync += asking.eq(ask)
        with m.If(ask):
            m.d.sync += held.eq(row)
        large_valid, large = _core(m, "large", p.large, held, asking)

        order = fifo.SyncFIFOBuffered(width=p.width + 1, depth=p.depth)
        answers = fifo.SyncFIFOBuffered(width=p.width, depth=p.depth)
        m.submodules.order, m.submodules.answers = order, answers
        sure = order.r_data[p.width]
        m.d.comb += [
            order.w_data[: p.width].eq(small[p.chosen]),
            order.w_data[p.width].eq(small[p.sure]),
            order.w_en.eq(small_valid),
            answers.w_data.eq(large[p.chosen]),
            answers.w_en.eq(large_valid),
            self.m_axis_tvalid.eq(self.aresetn & order.r_rdy & (sure | answers.r_rdy)),
            self.m_axis_tdata[: p.width].eq(Mux(sure, order.r_data[: p.width], answers.r_data)),
            self.m_axis_tdata[p.width].eq(~sure),
            take.eq(self.m_axis_tvalid & self.m_axis_tready),
            order.r_en.eq(take),
            answers.r_en.eq(take & ~sure),
        ]
        return m


def _core(
    m: Module, name: str, p: StreamParameters, row: Value, valid: Value
) -> tuple[Signal, dict[str, Signal]]:
    done = Signal(name=f"{name}_valid")
    outs = {key: Signal(width, name=f"{name}_{key}") for key, width in p.outputs}
    pins: dict[str, object] = {
        "i_clk": ClockSignal(), "i_rst": ResetSignal(), "i_in_valid": valid, "o_out_valid": done,
        **{f"o_{key}": out for key, out in outs.items()},
    }  # fmt: skip
    at = 0
    for key, width in p.inputs:
        pins[f"i_{key}"] = row[at : at + width]
        at += width
    m.submodules[name] = Instance(p.core, **pins)
    return done, outs
