"""Frame register: all positions of a map, collected beat by beat, for layers that read it whole."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


def frame_ages(beats: int, width: int, reads: Sequence[int]) -> dict[int, int]:
    """Return how often each bit of a beat is registered; arguments as for `FrameRegister`."""
    ages: dict[int, int] = {}
    for at in reads:
        beat, bit = divmod(at, width)
        ages[bit] = max(ages.get(bit, 0), beats - beat)
    return ages


class FrameRegister(wiring.Component):
    """Holds a frame for one clock at least: from ``out_valid`` until the next beat.

    What reads it is registered at the end of that clock, so one copy is enough for frames back to
    back. Beats of a frame without a last one are pushed out by the next frame.

    Parameters
    ----------
    beats, width : int
        Of a frame, and bits of a beat.
    reads : sequence of int
        Bits of the frame that leave, beat by beat.
    """

    def __init__(self, beats: int, width: int, reads: Sequence[int]) -> None:
        self.beats, self.width, self.reads = beats, width, tuple(reads)
        super().__init__(
            {
                "in_valid": In(1),
                "in_last": In(1),
                "x": In(width),
                "out_valid": Out(1),
                "frame": Out(len(self.reads)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        full = Signal()
        m.d.sync += full.eq(self.in_valid & self.in_last)
        m.d.comb += self.out_valid.eq(full)
        ages = frame_ages(self.beats, self.width, self.reads)
        before: dict[int, Value] = {bit: self.x[bit] for bit in ages}
        held: dict[int, Value] = {}
        for age in range(max(ages.values(), default=0)):
            kept = [bit for bit, most in ages.items() if most > age]
            stage = Signal(len(kept), name=f"beat{self.beats - 1 - age}", reset_less=True)
            with m.If(self.in_valid):
                m.d.sync += stage.eq(Cat(before[bit] for bit in kept))
            before = {bit: stage[i] for i, bit in enumerate(kept)}
            first = (self.beats - 1 - age) * self.width
            held |= {first + bit: value for bit, value in before.items()}
        m.d.comb += self.frame.eq(Cat(held[at] for at in self.reads))
        return m
