"""The corner turn on the way out of an engine."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.hw.dsp.corner import BUFFERS, PART, PIECES, Places, Square
from nnlogic.hw.dsp.encode import index_bits
from nnlogic.hw.dsp.logic_unit import LANES
from nnlogic.hw.dsp.streams import Tokens


class Scatter(wiring.Component):
    """Beats of 48-lane words in; the vectors of their lanes out, one per clock.

    `lanes` gives, batch by batch, how many lanes hold vectors; the others are dropped.

    Parameters
    ----------
    places : Places
    bits : sequence of (int, int)
        Beat and bank of each bit of a vector.
    """

    def __init__(self, places: Places, bits: Sequence[tuple[int, int]]) -> None:
        self._places, self._bits = places, tuple(bits)
        super().__init__(
            {
                "beat": In(LANES * places.banks),
                "beat_valid": In(1),
                "beat_ready": Out(1),
                "lanes": In(index_bits(LANES + 1)),
                "lanes_valid": In(1),
                "lanes_ready": Out(1),
                "data": Out(len(self._bits)),
                "valid": Out(1),
                "ready": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        places = self._places
        phases = places.side * PIECES
        m.submodules.free = free = Tokens(BUFFERS, BUFFERS)
        m.submodules.full = full = Tokens(BUFFERS, 0)
        write_buffer, read_buffer = Signal(), Signal()
        word = Signal(range(max(2, places.words)))
        at = Signal(index_bits(places.capacity))
        chunk = Signal(range(max(2, places.chunks)))
        piece = Signal(range(PIECES))
        phase = Signal(range(phases))
        write, beat_ends, word_ends = Signal(), Signal(), Signal()
        m.d.comb += [
            write.eq(self.beat_valid & free.some),
            word_ends.eq(write & (piece == PIECES - 1)),
            beat_ends.eq(phase == phases - 1),
            self.beat_ready.eq(free.some & beat_ends),
            full.put.eq(word_ends & (word == places.words - 1)),
            free.get.eq(full.put),
        ]
        with m.If(write):
            m.d.sync += [
                phase.eq(Mux(beat_ends, 0, phase + 1)),
                piece.eq(piece + 1),
                write_buffer.eq(write_buffer ^ full.put),
            ]
            with m.If(word_ends):
                m.d.sync += [piece.eq(0), word.eq(Mux(full.put, 0, word + 1)), at.eq(at + 1)]
                with m.If(full.put):
                    m.d.sync += [at.eq(0), chunk.eq(0)]
                with m.Elif(at == places.capacity - 1):
                    m.d.sync += [at.eq(0), chunk.eq(chunk + 1)]

        lane = Signal(range(LANES + 1))
        step, some, ends = Signal(), Signal(), Signal()
        here = Signal()
        m.d.comb += [
            step.eq(~self.valid | self.ready),
            some.eq(full.some & self.lanes_valid),
            ends.eq(some & ((lane + 1 >= self.lanes) | (self.lanes == 0))),
            full.get.eq(step & ends),
            free.put.eq(full.get),
            self.lanes_ready.eq(full.get),
        ]
        with m.If(step):
            m.d.sync += [here.eq(some & (self.lanes != 0)), self.valid.eq(here)]
            with m.If(some):
                m.d.sync += [lane.eq(Mux(ends, 0, lane + 1)), read_buffer.eq(read_buffer ^ ends)]

        words: dict[tuple[int, int, int], Value] = {}
        for column in range(places.columns):
            parts = self._parts(column)
            for number in range(places.chunks):
                square = Square(places.size(number), by_lane=False)
                m.submodules[f"square{column}_{number}"] = square
                m.d.comb += [
                    square.write.eq(write & (chunk == number) if places.chunks > 1 else write),
                    square.write_buffer.eq(write_buffer),
                    square.word.eq(at),
                    square.piece.eq(piece),
                    square.data.eq(parts[phase]),
                    square.enable.eq(step),
                    square.read_buffer.eq(read_buffer),
                    square.lane.eq(lane),
                ]
                for i in range(places.size(number)):
                    words[column, number, i] = square.out[i]
        m.d.comb += self.data.eq(Cat(words[places.place(*bit)] for bit in self._bits))
        return m

    def _parts(self, column: int) -> Array:
        """Return the words of a beat that go to a column of squares, part by part."""
        places = self._places
        parts: list[Value] = []
        for i in range(places.side * PIECES):
            bank = column * places.side + i // PIECES
            at = LANES * bank + PART * (i % PIECES)
            parts.append(self.beat[at : at + PART] if bank < places.banks else Const(0, PART))
        return Array(parts)
