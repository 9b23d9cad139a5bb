"""Program counter, program memory, and the bookkeeping of groups."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from nnlogic.hw.dsp.encode import FETCH, EngineShape, index_bits


class Sequencer(wiring.Component):
    """Runs the program once per group, groups back to back when data and room are there.

    Every step is held for one clock per context. `word` and what goes with it (`valid`, `last`,
    `base`, `input_base`, `buffer`) appear `FETCH` clocks after `start`.

    Parameters
    ----------
    shape : EngineShape
    words : sequence of int
        The program memory.
    """

    def __init__(self, shape: EngineShape, words: Sequence[int]) -> None:
        self._shape, self._words = shape, words
        super().__init__(
            {
                "ready": In(1),  # a group is loaded and an output buffer is free
                "start": Out(1),  # a group begins: takes both
                "busy": Out(1),
                "word": Out(shape.word_bits),
                "valid": Out(1),
                "last": Out(1),  # last clock of the group
                "base": Out(index_bits(shape.contexts * shape.rows)),
                "input_base": Out(index_bits(shape.contexts * shape.input_rows)),
                "buffer": Out(index_bits(shape.input_buffers)),  # input buffer of the group
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        shape = self._shape
        running, ending = Signal(name="running"), Signal(name="ending")
        counter = Signal(range(shape.steps))
        context = Signal(range(shape.contexts))
        base = Signal.like(self.base, name="next_base")
        input_base = Signal.like(self.input_base, name="next_input_base")
        buffer = Signal(index_bits(shape.input_buffers), init=shape.input_buffers - 1)
        round_ends = Signal()
        m.d.comb += [
            round_ends.eq(context == shape.contexts - 1),
            ending.eq(running & round_ends & (counter == shape.steps - 1)),
            self.start.eq(self.ready & (~running | ending)),
            self.busy.eq(running),
        ]
        with m.If(self.start):
            m.d.sync += [running.eq(1), buffer.eq(buffer + 1)]
        with m.Elif(ending):
            m.d.sync += running.eq(0)
        with m.If(self.start | round_ends):
            m.d.sync += [context.eq(0), base.eq(0), input_base.eq(0)]
        with m.Elif(running):
            m.d.sync += [
                context.eq(context + 1),
                base.eq(base + shape.rows),
                input_base.eq(input_base + shape.input_rows),
            ]
        with m.If(self.start):
            m.d.sync += counter.eq(0)
        with m.Elif(running & round_ends):
            m.d.sync += counter.eq(counter + 1)

        m.submodules.program = memory = Memory(
            shape=shape.word_bits, depth=shape.steps, init=self._words
        )
        port = memory.read_port()
        word = Signal(shape.word_bits, reset_less=True)
        m.d.comb += [port.addr.eq(counter), self.word.eq(word)]
        m.d.sync += word.eq(port.data)

        delay(m, running, self.valid, FETCH, reset=True)
        delay(m, ending, self.last, FETCH, reset=True)
        delay(m, base, self.base, FETCH)
        delay(m, input_base, self.input_base, FETCH)
        delay(m, buffer, self.buffer, FETCH)
        return m


def delay(m: Module, source: Signal, target: Signal, clocks: int, *, reset: bool = False) -> None:
    """Drive `target` with `source` as it was `clocks` clocks ago, through named registers."""
    for i in range(clocks):
        stage = Signal.like(source, name=f"{target.name}_d{i + 1}", reset_less=not reset)
        m.d.sync += stage.eq(source)
        source = stage
    m.d.comb += target.eq(source)
