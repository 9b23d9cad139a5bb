"""Program counter, program memory, and the bookkeeping of groups."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from nnlogic.hw.dsp.encode import FETCH, EngineShape, Kernel, index_bits


class Sequencer(wiring.Component):
    """Runs the program once per group, groups back to back when data and room are there.

    Every step is held for one clock per context. `word` and what goes with it (`valid`, `last`,
    `base`, `input_base`, `buffer`) appear `FETCH` clocks after `start`. `kernel` says which
    words are the program; it changes only while no group is in the engine.

    Parameters
    ----------
    shape : EngineShape
    words : sequence of int
        The program memory.
    writable : bool
        Whether the program memory can be written while nothing runs.
    """

    def __init__(self, shape: EngineShape, words: Sequence[int], *, writable: bool) -> None:
        self._shape, self._words, self._writable = shape, words, writable
        super().__init__(
            {
                **{name: In(width) for name, width in kernel_widths(shape).items()},
                **(write_ports(shape) if writable else {}),
                "ready": In(1),  # a group is loaded and an output buffer is free
                "start": Out(1),  # a group begins: takes both
                "busy": Out(1),
                "word": Out(shape.word_bits),
                "valid": Out(1),
                "last": Out(1),  # last clock of the group
                "base": Out(index_bits(shape.rows)),
                "input_base": Out(index_bits(shape.beats_in)),
                "buffer": Out(index_bits(shape.input_buffers)),  # input buffer of the group
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        shape = self._shape
        running, ending = Signal(name="running"), Signal(name="ending")
        counter = Signal(index_bits(shape.words))
        context = Signal(index_bits(shape.contexts))
        base = Signal.like(self.base, name="next_base")
        input_base = Signal.like(self.input_base, name="next_input_base")
        buffer = Signal(index_bits(shape.input_buffers), init=shape.input_buffers - 1)
        round_ends = Signal()
        m.d.comb += [
            round_ends.eq(context == self.last_context),
            ending.eq(running & round_ends & (counter == self.last_word)),
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
                base.eq(base + self.rows),
                input_base.eq(input_base + self.input_rows),
            ]
        with m.If(self.start):
            m.d.sync += counter.eq(self.first_word)
        with m.Elif(running & round_ends):
            m.d.sync += counter.eq(counter + 1)

        m.submodules.program = memory = Memory(
            shape=shape.word_bits, depth=shape.words, init=self._words
        )
        if self._writable:
            # Nothing runs while words are written, so it does not matter what a read of one gives.
            write = memory.write_port()
            m.d.comb += [
                write.en.eq(self.write),
                write.addr.eq(self.write_word),
                write.data.eq(self.write_data),
            ]
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


def kernel_widths(shape: EngineShape) -> dict[str, int]:
    """Return what tells an engine which program runs: names, and widths in bits."""
    return {
        "first_word": index_bits(shape.words),
        "last_word": index_bits(shape.words),
        "last_context": index_bits(shape.contexts),
        "rows": index_bits(max(k.rows for k in shape.kernels) + 1),
        "input_rows": index_bits(max(k.input_rows for k in shape.kernels) + 1),
        "last_beat_in": index_bits(shape.beats_in),
        "last_word_out": index_bits(max(k.output_rows for k in shape.kernels)),
    }


def kernel_values(kernel: Kernel) -> dict[str, int]:
    """Return the values of `kernel_widths` for one program."""
    return {
        "first_word": kernel.first,
        "last_word": kernel.first + kernel.steps - 1,
        "last_context": kernel.contexts - 1,
        "rows": kernel.rows,
        "input_rows": kernel.input_rows,
        "last_beat_in": kernel.beats_in - 1,
        "last_word_out": kernel.output_rows - 1,
    }


def write_ports(shape: EngineShape) -> dict[str, In]:
    """Return the ports that write the program memory."""
    return {
        "write": In(1),
        "write_word": In(index_bits(shape.words)),
        "write_data": In(shape.word_bits),
    }


def delay(m: Module, source: Signal, target: Signal, clocks: int, *, reset: bool = False) -> None:
    """Drive `target` with `source` as it was `clocks` clocks ago, through named registers."""
    for i in range(clocks):
        stage = Signal.like(source, name=f"{target.name}_d{i + 1}", reset_less=not reset)
        m.d.sync += stage.eq(source)
        source = stage
    m.d.comb += target.eq(source)
