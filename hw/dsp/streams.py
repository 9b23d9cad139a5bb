"""Double-buffered streams in and out of the engine."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from nnlogic.hw.dsp.banks import simple_memory
from nnlogic.hw.dsp.encode import EngineShape, index_bits
from nnlogic.hw.dsp.logic_unit import LANES
from nnlogic.hw.dsp.sequencer import delay

FIFO_DEPTH = 8
"""More than the clocks from a read of the output memory until its credit is back: 6."""


class Tokens(wiring.Component):
    """A count of buffers: `put` adds one, `get` takes one, `some` tells there is one.

    Parameters
    ----------
    most, initial : int
    """

    def __init__(self, most: int, initial: int) -> None:
        self._most, self._initial = most, initial
        super().__init__({"put": In(1), "get": In(1), "some": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        count = Signal(range(self._most + 1), init=self._initial)
        m.d.comb += self.some.eq(count != 0)
        with m.If(self.put & ~self.get):
            m.d.sync += count.eq(count + 1)
        with m.Elif(self.get & ~self.put):
            m.d.sync += count.eq(count - 1)
        return m


class Loader(wiring.Component):
    """Writes beats to consecutive rows of one buffer of the input banks, then of the next."""

    def __init__(self, shape: EngineShape) -> None:
        super().__init__(
            {
                "last_beat": In(index_bits(shape.beats_in)),  # of a group
                "tvalid": In(1),
                "tready": Out(1),
                "free": In(1),  # a buffer may be filled
                "write": Out(1),
                "buffer": Out(index_bits(shape.input_buffers)),
                "row": Out(index_bits(shape.beats_in)),
                "loaded": Out(1),  # the last beat of a group is being written
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        row = Signal.like(self.row, name="next_row")
        buffer = Signal.like(self.buffer, name="filling")
        m.d.comb += [
            self.tready.eq(self.free),
            self.write.eq(self.tvalid & self.free),
            self.buffer.eq(buffer),
            self.row.eq(row),
            self.loaded.eq(self.write & (row == self.last_beat)),
        ]
        with m.If(self.loaded):
            m.d.sync += [row.eq(0), buffer.eq(buffer + 1)]
        with m.Elif(self.write):
            m.d.sync += row.eq(row + 1)
        return m


class Unloader(wiring.Component):
    """Output memories of the slices that emit, and the stream that empties them.

    A slice's e-th emission for context k is its (``e * contexts + k``)-th of the group. The
    stream sends contexts one after another, word e of all emitting slices side by side.
    """

    def __init__(self, shape: EngineShape) -> None:
        self._shape = shape
        width = LANES * len(shape.emitters)
        last_word = index_bits(max(k.output_rows for k in shape.kernels))
        super().__init__(
            {
                "last_context": In(index_bits(shape.contexts)),
                "last_word": In(last_word),  # of a context
                **{f"emit{i}": In(1) for i in shape.emitters},
                **{f"data{i}": In(LANES) for i in shape.emitters},
                "last": In(1),  # last clock of a group in which anything may be emitted
                "filled": In(1),  # a buffer is complete
                "emptied": Out(1),  # the last word of a buffer is being read
                "tdata": Out(width),
                "tlast": Out(1),
                "tvalid": Out(1),
                "tready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        shape = self._shape
        address_bits = index_bits(shape.beats_out)
        filling, reading = (
            Signal(index_bits(shape.output_buffers), name=name) for name in ("filling", "reading")
        )
        m.d.sync += filling.eq(filling + self.last)
        address = Signal(address_bits)
        outputs = []
        for i in shape.emitters:
            memory = simple_memory(m, f"output{i}", LANES, shape.output_buffers << address_bits)
            write, read = memory.write_port(), memory.read_port()
            emit = getattr(self, f"emit{i}")
            count = Signal(address_bits, name=f"emitted{i}")
            with m.If(self.last):
                m.d.sync += count.eq(0)
            with m.Elif(emit):
                m.d.sync += count.eq(count + 1)
            m.d.comb += [
                write.en.eq(emit),
                write.addr.eq(Cat(count, filling)),
                write.data.eq(getattr(self, f"data{i}")),
                read.addr.eq(Cat(address, reading)),
            ]
            # A block memory's output is late in its clock: nothing but a register follows it.
            output = Signal(LANES, name=f"output{i}", reset_less=True)
            m.d.sync += output.eq(read.data)
            outputs.append(output)

        context = Signal.like(self.last_context, name="context")
        index = Signal.like(self.last_word, name="index")
        credits = Signal(range(FIFO_DEPTH + 1), init=FIFO_DEPTH)
        row_ends, group_ends, fetch, fetched, last_word, take = (
            Signal(name=name)
            for name in ("row_ends", "group_ends", "fetch", "fetched", "last_word", "take")
        )
        m.d.comb += [
            fetch.eq(self.filled & (credits != 0)),
            row_ends.eq(index == self.last_word),
            group_ends.eq(row_ends & (context == self.last_context)),
            self.emptied.eq(fetch & group_ends),
        ]
        delay(m, fetch, fetched, 2, reset=True)
        delay(m, row_ends, last_word, 2)
        with m.If(fetch):
            with m.If(group_ends):
                m.d.sync += [index.eq(0), context.eq(0), address.eq(0), reading.eq(reading + 1)]
            with m.Elif(row_ends):
                m.d.sync += [index.eq(0), context.eq(context + 1), address.eq(context + 1)]
            with m.Else():
                m.d.sync += [index.eq(index + 1), address.eq(address + self.last_context + 1)]

        width = LANES * len(outputs)
        m.submodules.fifo = queue = fifo.SyncFIFOBuffered(width=width + 1, depth=FIFO_DEPTH)
        m.d.comb += [
            queue.w_data.eq(Cat(*outputs, last_word)),
            queue.w_en.eq(fetched),
            self.tvalid.eq(queue.r_rdy),
            self.tdata.eq(queue.r_data[:width]),
            self.tlast.eq(queue.r_data[width]),
            take.eq(queue.r_rdy & self.tready),
            queue.r_en.eq(take),
        ]
        with m.If(fetch & ~take):
            m.d.sync += credits.eq(credits - 1)
        with m.Elif(take & ~fetch):
            m.d.sync += credits.eq(credits + 1)
        return m
