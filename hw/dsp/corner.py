"""Corner turn: vectors, one per clock, become words of 48 lanes, and back.

Vector v of a batch is lane v of every word. A square memory takes or gives all words of a lane
in one clock, and 16 lanes of a word in one clock. For each 16 words it has 16 memories of one
bit: bit (lane v, word i) is in memory ``(v ^ i) % 16`` at address v, so that 16 words of one
lane, and 16 lanes of one word, are in different memories. What is written and read is put in
order by exclusive-or permutations (`butterfly`).
"""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from nnlogic.hw.dsp.encode import index_bits
from nnlogic.hw.dsp.logic_unit import LANES

PART = 16
"""Lanes of a word written or read in a clock."""
PIECES = LANES // PART
"""Parts of a word."""
CAPACITIES = (16, 32, 48, 64)
"""Words a square may hold."""
BUFFERS = 2


def butterfly(m: Module, word: Signal, by: Value, name: str) -> Signal:
    """Return a signal whose bit i is bit ``i ^ by`` of `word`, which has a power of two bits."""
    for bit in range(len(by)):
        step = 1 << bit
        swapped = Cat(word[i ^ step] for i in range(len(word)))
        # A signal for each stage: an expression would be repeated for each of its bits.
        stage = Signal(len(word), name=f"{name}{bit}")
        m.d.comb += stage.eq(Mux(by[bit], swapped, word))
        word = stage
    return word


class Square(wiring.Component):
    """A double-buffered square of 48 lanes by up to 64 words.

    Written a lane at a time and read by parts of words, or the other way round; part p of a
    word is its lanes ``16 * p ..``. Data comes out two enabled clocks after its address.

    Parameters
    ----------
    words : int
        1 to 64.
    by_lane : bool
        Written by lane and read by word; else written by word and read by lane.
    """

    def __init__(self, words: int, *, by_lane: bool) -> None:
        self._words, self._by_lane = words, by_lane
        wide_in, wide_out = (words, PART) if by_lane else (PART, words)
        super().__init__(
            {
                "write": In(1),
                "write_buffer": In(1),
                "enable": In(1),
                "read_buffer": In(1),
                "lane": In(index_bits(LANES)),
                "word": In(index_bits(words)),
                "piece": In(index_bits(PIECES)),
                "data": In(wide_in),
                "out": Out(wide_out),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        low = index_bits(PART)
        by_word = self.word[:low]
        chunk = self.word[low:]
        turn_in, turn_out = (
            (self.lane[:low], by_word) if self._by_lane else (by_word, self.lane[:low])
        )
        turn = Signal(len(turn_out))
        picked = Signal(max(1, len(chunk)))
        with m.If(self.enable):
            m.d.sync += [turn.eq(turn_out), picked.eq(chunk)]
        parts = []
        for number in range(-(-self._words // PART)):
            data = self.data[PART * number :] if self._by_lane else self.data
            mine = chunk == number if len(chunk) and not self._by_lane else Const(1, 1)
            parts.append(self._memories(m, number, data, turn_in, self.write & mine))
        if self._by_lane:
            chosen = Signal(PART)
            m.d.comb += chosen.eq(Array(parts)[picked] if len(parts) > 1 else parts[0])
            parts = [chosen]
        ordered = [butterfly(m, part, turn, f"out{i}_") for i, part in enumerate(parts)]
        turned = Signal(len(self.out), reset_less=True)
        with m.If(self.enable):
            m.d.sync += turned.eq(Cat(*ordered))
        m.d.comb += self.out.eq(turned)
        return m

    def _memories(self, m: Module, number: int, data: Value, turn: Value, write: Value) -> Signal:
        """Add the memories of 16 words; return what they give, a clock after the address."""
        low = index_bits(PART)
        in_order = Signal(PART, name=f"part{number}")
        m.d.comb += in_order.eq(data)
        written = butterfly(m, in_order, turn, f"in{number}_")
        fetched = Signal(PART, name=f"fetched{number}", reset_less=True)
        word = Signal(low, name=f"word{number}")
        m.d.comb += word.eq(self.word)
        for i in range(PART):
            memory = Memory(
                shape=1, depth=BUFFERS << len(self.lane), init=[], attrs={"no_rw_check": 1}
            )
            m.submodules[f"memory{number}_{i}"] = memory
            port, out = memory.write_port(), memory.read_port(domain="comb")
            # Of 16 lanes of a word, this memory holds one: number ``word ^ i``.
            lane_of_word = Cat((word ^ i)[:low], self.piece)
            row_in, row_out = self.lane, lane_of_word
            if not self._by_lane:
                row_in, row_out = row_out, row_in
            m.d.comb += [
                port.en.eq(write),
                port.addr.eq(Cat(row_in, self.write_buffer)),
                port.data.eq(written[i]),
                out.addr.eq(Cat(row_out, self.read_buffer)),
            ]
            with m.If(self.enable):
                m.d.sync += fetched[i].eq(out.data)
        return fetched


class Places:
    """Where the words of a batch lie: in squares side by side, each turned a word at a time.

    Beat r of a batch has one word of each bank. `side` neighbouring banks share a square, as
    word ``r * side + bank % side``; words beyond its capacity go on in the next square.

    Parameters
    ----------
    beats, banks : int
        Beats of a batch, and words of a beat.
    clocks : int
        What a batch may take: squares are as large, and thus as few, as that allows.

    Attributes
    ----------
    capacity, side, columns, chunks : int
        Words of a square; banks that share one; squares side by side, and one after another.
    words : int
        Words of a batch in a column of squares.
    turn : int
        Clocks to write or read all words.
    """

    def __init__(self, beats: int, banks: int, clocks: int = LANES) -> None:
        self.beats, self.banks = beats, banks
        fast = [c for c in CAPACITIES if PIECES * c <= clocks]
        self.capacity = max(fast, default=CAPACITIES[0])
        self.side = min(banks, max(1, self.capacity // beats))
        self.columns = -(-banks // self.side)
        self.words = beats * self.side
        self.chunks = -(-self.words // self.capacity)
        self.turn = PIECES * self.words

    @property
    def clocks(self) -> int:
        """Clocks a batch takes in steady state."""
        return max(self.turn, LANES)

    def size(self, chunk: int) -> int:
        """Words in the squares of a chunk."""
        return min(self.capacity, self.words - chunk * self.capacity)

    def place(self, beat: int, bank: int) -> tuple[int, int, int]:
        """Return column, chunk and word of a bank's word in a beat."""
        at = beat * self.side + bank % self.side
        return bank // self.side, at // self.capacity, at % self.capacity
