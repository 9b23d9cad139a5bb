"""The corner turn on the way into an engine."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.hw.dsp.corner import BUFFERS, PART, PIECES, Places, Square
from nnlogic.hw.dsp.encode import index_bits
from nnlogic.hw.dsp.logic_unit import LANES
from nnlogic.hw.dsp.streams import Tokens


class Gather(wiring.Component):
    """Vectors in, one per clock; beats of 48-lane words out.

    A group is `contexts` batches of 48 vectors. When `idle` clocks pass without a vector while a
    group is begun, the group is closed: lanes without a vector keep what was in the memory, and
    `lanes` says with every batch how many of its lanes hold vectors.

    Parameters
    ----------
    width : int
        Bits of a vector.
    places : Places
    bits : sequence of (int, int, int)
        Bit of the vector, beat and bank for each bit that is used.
    contexts, idle : int
    order : sequence of int
        Lane of the words that vector v becomes; the identity, but for planted faults.
    """

    def __init__(
        self,
        width: int,
        places: Places,
        bits: Sequence[tuple[int, int, int]],
        contexts: int,
        idle: int,
        order: Sequence[int] = tuple(range(LANES)),
    ) -> None:
        self._places, self._bits, self._order = places, tuple(bits), tuple(order)
        self._contexts, self._idle = contexts, idle
        super().__init__(
            {
                "data": In(width),
                "valid": In(1),
                "ready": Out(1),
                "lanes": Out(index_bits(LANES + 1)),
                "lanes_valid": Out(1),
                "lanes_ready": In(1),
                "beat": Out(LANES * places.banks),
                "beat_valid": Out(1),
                "beat_ready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        places = self._places
        m.submodules.free = free = Tokens(BUFFERS, BUFFERS)
        m.submodules.full = full = Tokens(BUFFERS, 0)
        write_buffer, read_buffer = Signal(), Signal()
        lane = Signal(range(LANES))
        taken, closed = Signal(), Signal()
        self._fill(m, lane, taken, closed, free.some)
        m.d.comb += [free.get.eq(closed), full.put.eq(closed)]
        m.d.sync += write_buffer.eq(write_buffer ^ closed)

        # Parts of words in order, in three stages that move together: address, memory, order.
        word = Signal(range(max(2, places.words)))
        piece = Signal(range(PIECES))
        step, last = Signal(), Signal()
        here = [Signal(name=f"stage{i}") for i in range(2)]
        m.d.comb += [
            step.eq(~self.beat_valid | self.beat_ready),
            last.eq((word == places.words - 1) & (piece == PIECES - 1)),
            full.get.eq(step & full.some & last),
            free.put.eq(full.get),
        ]
        at = Signal(index_bits(places.capacity))
        chunk = [Signal(range(max(2, places.chunks)), name=f"chunk{i}") for i in range(3)]
        with m.If(step):
            m.d.sync += [here[0].eq(full.some), here[1].eq(here[0])]
            m.d.sync += [chunk[1].eq(chunk[0]), chunk[2].eq(chunk[1])]
            with m.If(full.some):
                m.d.sync += [read_buffer.eq(read_buffer ^ last), piece.eq(piece + 1)]
                with m.If(piece == PIECES - 1):
                    m.d.sync += [piece.eq(0), word.eq(Mux(last, 0, word + 1)), at.eq(at + 1)]
                    with m.If(last):
                        m.d.sync += [at.eq(0), chunk[0].eq(0)]
                    with m.Elif(at == places.capacity - 1):
                        m.d.sync += [at.eq(0), chunk[0].eq(chunk[0] + 1)]
        columns = []
        for column in range(places.columns):
            outs = []
            for number in range(places.chunks):
                square = Square(places.size(number), by_lane=True)
                m.submodules[f"square{column}_{number}"] = square
                m.d.comb += [
                    square.write.eq(taken),
                    square.write_buffer.eq(write_buffer),
                    square.lane.eq(self._lane(lane)),
                    square.data.eq(self._words(column, number)),
                    square.enable.eq(step),
                    square.read_buffer.eq(read_buffer),
                    square.word.eq(at),
                    square.piece.eq(piece),
                ]
                outs.append(square.out)
            columns.append(Array(outs)[chunk[2]] if len(outs) > 1 else outs[0])
        self._assemble(m, columns, here[1], step)
        return m

    def _fill(self, m: Module, lane: Signal, taken: Signal, closed: Signal, free: Signal) -> None:
        """Take vectors, and close batches: full ones, and those of a group that is cut short."""
        batch = Signal(range(max(2, self._contexts)))
        timer = Signal(range(self._idle + 1))
        closing, room = Signal(), Signal()
        m.d.comb += [
            room.eq(free & self.lanes_ready),
            self.ready.eq(room & ~closing),
            taken.eq(self.valid & self.ready),
            closed.eq((taken & (lane == LANES - 1)) | (closing & room)),
            self.lanes.eq(Mux(closing, lane, LANES)),
            self.lanes_valid.eq(closed),
        ]
        with m.If(closed):
            m.d.sync += lane.eq(0)
            with m.If(batch == self._contexts - 1):
                m.d.sync += [batch.eq(0), closing.eq(0)]
            with m.Else():
                m.d.sync += batch.eq(batch + 1)
        with m.Elif(taken):
            m.d.sync += lane.eq(lane + 1)
        with m.If(self.valid | closing | ((lane == 0) & (batch == 0))):
            m.d.sync += timer.eq(0)
        with m.Elif(timer == self._idle):
            m.d.sync += closing.eq(1)
        with m.Else():
            m.d.sync += timer.eq(timer + 1)

    def _lane(self, lane: Signal) -> Value:
        if self._order == tuple(range(LANES)):
            return lane
        return Array(Const(one, index_bits(LANES)) for one in self._order)[lane]

    def _words(self, column: int, chunk: int) -> Value:
        """Return the bits of a vector that lie in a square, word by word."""
        source: list[Value] = [Const(0, 1)] * self._places.size(chunk)
        for bit, beat, bank in self._bits:
            where, number, word = self._places.place(beat, bank)
            if (where, number) == (column, chunk):
                source[word] = self.data[bit]
        return Cat(*source)

    def _assemble(self, m: Module, columns: list[Value], arrived: Signal, step: Signal) -> None:
        """Put the words of a beat side by side: their parts arrive one per clock and square."""
        places = self._places
        phases = places.side * PIECES
        phase = Signal(range(phases))
        complete = Signal()
        m.d.comb += complete.eq(phase == phases - 1)
        with m.If(step):
            m.d.sync += self.beat_valid.eq(arrived & complete)
            with m.If(arrived):
                m.d.sync += phase.eq(Mux(complete, 0, phase + 1))
                for number, bits in enumerate(columns):
                    for i in range(phases):
                        bank = number * places.side + i // PIECES
                        at = LANES * bank + PART * (i % PIECES)
                        if bank < places.banks:
                            with m.If(phase == i):
                                m.d.sync += self.beat[at : at + PART].eq(bits)
