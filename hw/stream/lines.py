"""Lines of a map that wait for the rows below: what went in so many shifts ago."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from nnlogic.backends.stream.model.memory import BLOCK, BLOCK_DEPTH, LEAST_DEPTH, REGISTERS
from nnlogic.hw.stream.ring import Binary, Ring


class LineBuffer(wiring.Component):
    """Lines one behind the other; ``line<j>`` is ``x`` of `depth` times j + 1 shifts before.

    ``shift`` moves all lines by one beat at the clock edge; the lines show what leaves at that
    edge. Contents are never reset: until a line was filled it shows anything.

    Parameters
    ----------
    keep : tuple of tuple of int
        Bits of the beat that each line keeps, falling: a line has none that the line before lacks.
    width : int
        Bits of a beat.
    depth : int
        Beats of a line.
    kind : str
        One of `nnlogic.backends.stream.model.memory.KINDS`.
    """

    def __init__(
        self, keep: tuple[tuple[int, ...], ...], width: int, depth: int, kind: str
    ) -> None:
        self.keep, self.depth, self.kind = keep, depth, kind
        lines = {f"line{j}": Out(len(bits)) for j, bits in enumerate(keep)}
        super().__init__({"shift": In(1), "x": In(width), **lines})

    @property
    def width(self) -> int:
        """Bits of all lines side by side."""
        return sum(map(len, self.keep))

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        lines: list[Signal] = [getattr(self, f"line{j}") for j in range(len(self.keep))]
        entering: list[Value] = [self.x[bit] for bit in self.keep[0]]
        for out, mine, bits in zip(lines, self.keep, self.keep[1:], strict=False):
            entering += [out[mine.index(bit)] for bit in bits]
        word = Signal(self.width)
        leaving = Signal(self.width)
        m.d.comb += [word.eq(Cat(entering)), Cat(*lines).eq(leaving)]
        if self.kind == REGISTERS:
            self._registers(m, word, leaving)
        else:
            self._memory(m, word, leaving)
        return m

    def _registers(self, m: Module, word: Signal, leaving: Signal) -> None:
        for i in range(self.depth):
            stage = Signal(self.width, name=f"stage{i}", reset_less=True)
            with m.If(self.shift):
                m.d.sync += stage.eq(word)
            word = stage
        m.d.comb += leaving.eq(word)

    def _memory(self, m: Module, word: Signal, leaving: Signal) -> None:
        """Places in a ring: each word is read, then replaced."""
        places = 1 << (self.depth - 1).bit_length()
        words = BLOCK_DEPTH if self.kind == BLOCK else LEAST_DEPTH
        # States of a shift register are scattered: not where that takes more memory.
        fits = -(-places // words) == -(-self.depth // words)
        ring = (Ring if fits else Binary)(self.depth, "at", cleared=False)
        places = places if fits else self.depth
        # Tools prefer LUTs for a memory this short.
        style = {"ram_style": "block"} if self.kind == BLOCK else {}
        m.submodules.memory = memory = Memory(shape=self.width, depth=places, init=[], attrs=style)
        after = Signal(len(ring.state))
        m.d.comb += after.eq(ring.after)
        with m.If(self.shift):
            m.d.sync += ring.state.eq(after)
        write = memory.write_port()
        m.d.comb += [write.en.eq(self.shift), write.addr.eq(ring.state), write.data.eq(word)]
        if self.kind == BLOCK:
            # What the next shift needs is read while this one writes the place before it.
            read = memory.read_port()
            m.d.comb += [read.en.eq(self.shift), read.addr.eq(after)]
        else:
            read = memory.read_port(domain="comb")
            m.d.comb += read.addr.eq(ring.state)
        m.d.comb += leaving.eq(read.data)
