"""Window generator: the taps of a window side by side, for every anchor of every frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, Mux, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.backends.stream.model.scan import Scan, Tap
from nnlogic.hw.stream.lines import LineBuffer


@dataclass(frozen=True)
class WindowShape:
    """What a generator is made for.

    Attributes
    ----------
    scan : Scan
    width : int
        Bits of one position, channel by channel.
    padding : int
        These bits outside the frame.
    used : tuple of (int, int, int)
        What leaves: output lane, tap in raster order, bit of the position.
    kind : str
        Of the line buffer, of `nnlogic.backends.stream.model.memory.KINDS`.
    """

    scan: Scan
    width: int
    padding: int
    used: tuple[tuple[int, int, int], ...]
    kind: str

    @cached_property
    def places(self) -> tuple[tuple[Tap, int], ...]:
        """Per bit that leaves: its tap, and the bit of the beat."""
        taps = [list(self.scan.taps(lane)) for lane in range(self.scan.output_lanes)]
        found = [(taps[lane][tap], bit) for lane, tap, bit in self.used]
        return tuple((tap, tap.lane * self.width + bit) for tap, bit in found)

    @cached_property
    def keep(self) -> tuple[tuple[int, ...], ...]:
        """Bits of a beat that each line of the buffer keeps, the newest line first."""
        rows = self.scan.window.size[0]
        lines = [{bit for tap, bit in self.places if tap.row <= rows - 2 - j} for j in range(rows)]
        return tuple(tuple(sorted(bits)) for bits in lines if bits)

    @property
    def memory_bits(self) -> int:
        """Bits of the line buffer."""
        return sum(map(len, self.keep)) * self.scan.row_delay

    @cached_property
    def registers(self) -> int:
        """Data registers: chains of taps, and windows behind the padding of columns."""
        ages: dict[tuple[int, int], int] = {}
        for tap, bit in self.places:
            ages[tap.row, bit] = max(ages.get((tap.row, bit), 0), tap.age + 1)
        return sum(ages.values()) + (len(self.used) if self.scan.pads_columns else 0)


class _Control:
    """Signals that the parts of a generator share.

    `shift` moves everything by one beat; `begin` is the shift that completes the windows of a
    frame's first anchor, `kill` the first beat of a frame that ends an incomplete one. `row` and
    `beat` are the anchor whose windows stand in the chains, for the first time where `shown`, and
    the first of a frame where `new`; `more` tells that the frame has further ones.
    """

    def __init__(self, scan: Scan) -> None:
        self.shift = Signal(name="shift")
        self.begin = Signal(name="begin")
        self.kill = Signal(name="kill")
        self.shown = Signal(name="shown")
        self.new = Signal(name="new")
        self.more = Signal(name="more")
        self.row = Signal(range(scan.frame.height), name="row")
        self.beat = Signal(range(scan.line), name="beat")


class WindowGenerator(wiring.Component):
    """Turns beats of a map into beats of windows.

    ``in_first`` marks the first beat of a frame, ``in_last`` the last, which only whole frames
    have: one that ends early, because another begins, emits no more windows. The windows that a
    whole frame still owes leave with the beats of the next one, and until that begins, while
    ``go`` is high, without any. The clock domain's reset forgets all frames.

    Parameters
    ----------
    shape : WindowShape
    lines : str, optional
        Module of the line buffer, to be instantiated by name; by default it is built inside.
    """

    def __init__(self, shape: WindowShape, lines: str = "") -> None:
        self.shape, self._lines = shape, lines
        super().__init__(
            {
                "in_valid": In(1),
                "in_first": In(1),
                "in_last": In(1),
                "go": In(1),
                "x": In(shape.width * shape.scan.lanes),
                "out_valid": Out(1),
                "out_first": Out(1),
                "out_last": Out(1),
                "window": Out(len(shape.used)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the module."""
        m = Module()
        scan, s = self.shape.scan, _Control(self.shape.scan)
        self._control(m, s)
        taps = self._chains(m, s)
        rows, beats = scan.steps
        last_row, last_beat = scan.last_anchor
        valid = Signal(name="anchor_valid")
        last = Signal(name="anchor_last")
        m.d.comb += [
            valid.eq(
                s.shown
                & _one_of(s.row, range(0, last_row + 1, rows), scan.frame.height)
                & _one_of(s.beat, range(0, last_beat + 1, beats), scan.line)
            ),
            last.eq((s.row == last_row) & (s.beat == last_beat)),
        ]
        first, window = s.new, Cat(taps)
        if scan.pads_columns:
            window = self._padded(m, taps, s.beat)
            later = Signal(name="valid"), Signal(name="first", reset_less=True)
            ends = Signal(name="last", reset_less=True)
            m.d.sync += [later[0].eq(valid), later[1].eq(first), ends.eq(last)]
            (valid, first), last = later, ends
        m.d.comb += [self.out_valid.eq(valid), self.out_first.eq(first), self.out_last.eq(last)]
        m.d.comb += self.window.eq(window)
        return m

    def _control(self, m: Module, s: _Control) -> None:
        """Count to the first anchor of a frame, then anchors."""
        scan = self.shape.scan
        inside = Signal()  # a frame has begun and not ended
        whole = Signal()  # all of the frame came in whose anchors are shown
        starts, ends = self.in_valid & self.in_first, self.in_valid & self.in_last
        m.d.comb += [
            s.kill.eq(starts & s.more & ~whole),
            # An empty shift inside a frame would part its rows.
            s.shift.eq(self.in_valid | (self.go & s.more & whole & ~inside)),
            s.begin.eq(starts if not scan.delay else self._delayed(m, starts)),
        ]
        with m.If(self.in_valid):
            m.d.sync += inside.eq(~self.in_last)
        m.d.sync += [s.shown.eq(s.begin | (s.shift & s.more & ~s.kill)), s.new.eq(s.begin)]
        with m.If(ends):
            m.d.sync += whole.eq(1)
        with m.If(s.begin):
            m.d.sync += [s.row.eq(0), s.beat.eq(0), s.more.eq(scan.beats > 1), whole.eq(ends)]
        with m.Elif(s.kill):
            m.d.sync += s.more.eq(0)
        with m.Elif(s.shift & s.more):
            line_ends = s.beat == scan.line - 1
            row, beat = divmod(max(0, scan.beats - 2), scan.line)
            m.d.sync += s.beat.eq(Mux(line_ends, 0, s.beat + 1))
            with m.If(line_ends):
                m.d.sync += s.row.eq(s.row + 1)
            with m.If((s.row == row) & (s.beat == beat)):
                m.d.sync += s.more.eq(0)

    def _delayed(self, m: Module, starts: Value) -> Value:
        """Whether a beat comes `delay` beats after the first of its frame."""
        delay = self.shape.scan.delay
        waiting = Signal()
        count = Signal(range(delay + 1), name="since_first")
        due = self.in_valid & ~self.in_first & waiting & (count == delay)
        with m.If(starts):
            m.d.sync += [waiting.eq(1), count.eq(1)]
        with m.Elif(due):
            m.d.sync += waiting.eq(0)
        with m.Elif(self.in_valid):
            m.d.sync += count.eq(count + 1)
        return due

    def _row_outside(self, m: Module, s: _Control, tap_row: int) -> Value:
        """Whether a row of taps is outside the frame for what comes in with the next shift.

        What comes in is for anchors `ahead` beats after those that are shown. Between frames it
        is for the first row.
        """
        scan = self.shape.scan
        height, late = scan.frame.height, int(scan.ahead == scan.line - 1)
        first, past = scan.inside_rows(tap_row)
        outside = [not first <= row < past for row in range(height)]
        if not any(outside):
            return Const(0, 1)
        flag = Signal(name=f"row{tap_row}_outside", init=outside[0])
        turns = s.beat == (scan.line - 2 - scan.ahead) % scan.line
        after = [row for row in range(height) if outside[(row + 1 + late) % height]]
        with m.If(s.begin):
            m.d.sync += flag.eq(outside[late % height])
        with m.Elif(s.kill):
            m.d.sync += flag.eq(outside[0])
        with m.Elif(s.shift & s.more & turns):
            m.d.sync += flag.eq(_one_of(s.row, after, height))
        # Without rows below, the first beat of a frame is the first of its anchors.
        return flag if scan.below else Mux(s.kill, int(outside[0]), flag)

    def _chains(self, m: Module, s: _Control) -> list[Value]:
        """Lines, and behind each a chain of registers; rows outside the frame are padding."""
        shape, scan = self.shape, self.shape.scan
        rows = scan.window.size[0]
        ages: dict[int, dict[int, int]] = {row: {} for row in range(rows)}
        for tap, bit in shape.places:
            ages[tap.row][bit] = max(ages[tap.row].get(bit, 0), tap.age)
        sources = {rows - 1: {bit: self.x[bit] for bit in ages[rows - 1]}}
        for j, line in enumerate(self._line_buffer(m, s)):
            sources[rows - 2 - j] = {bit: line[i] for i, bit in enumerate(shape.keep[j])}
        taps: dict[tuple[int, int, int], Value] = {}
        for row in range(rows):
            outside = self._row_outside(m, s, row) if ages[row] else Const(0, 1)
            before = {bit: sources[row][bit] for bit in ages[row]}
            for age in range(max(ages[row].values(), default=-1) + 1):
                kept = [bit for bit, most in ages[row].items() if most >= age]
                stage = self._stage(f"row{row}_age{age}", kept)
                with m.If(s.shift):
                    m.d.sync += stage.eq(Cat(before[bit] for bit in kept))
                    if age == 0:
                        with m.If(outside):
                            m.d.sync += stage.eq(self._padding(kept))
                before = {bit: stage[i] for i, bit in enumerate(kept)}
                taps |= {(row, bit, age): value for bit, value in before.items()}
        return [taps[tap.row, bit, tap.age] for tap, bit in shape.places]

    def _line_buffer(self, m: Module, s: _Control) -> list[Signal]:
        """What leaves each line."""
        lines = [
            Signal(len(bits), name=f"line{j}_leaves") for j, bits in enumerate(self.shape.keep)
        ]
        if lines and self._lines:
            outputs = {f"o_line{j}": line for j, line in enumerate(lines)}
            clock = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
            inputs = {"i_shift": s.shift, "i_x": self.x}
            m.submodules.lines = Instance(self._lines, **clock, **inputs, **outputs)
        elif lines:
            m.submodules.lines = buffer = line_buffer(self.shape)
            m.d.comb += [buffer.shift.eq(s.shift), buffer.x.eq(self.x)]
            m.d.comb += [line.eq(getattr(buffer, f"line{j}")) for j, line in enumerate(lines)]
        return lines

    def _padded(self, m: Module, taps: Sequence[Value], beat: Signal) -> Value:
        """Windows behind registers, columns outside the frame being padding."""
        scan = self.shape.scan
        groups: dict[tuple[int, int], list[int]] = {}
        for i, (lane, tap, _) in enumerate(self.shape.used):
            groups.setdefault((lane, tap % scan.window.size[1]), []).append(i)
        out: dict[int, Value] = {}
        for (lane, column), members in groups.items():
            first, past = scan.inside_beats(lane, column)
            name = f"lane{lane}_column{column}"
            bits = [self.shape.places[i][1] for i in members]
            stage = self._stage(name, bits)
            m.d.sync += stage.eq(Cat(taps[i] for i in members))
            if first > 0 or past < scan.line:
                outside = Signal(name=f"{name}_outside")
                m.d.comb += outside.eq((beat < first) | (beat >= past))
                with m.If(outside):
                    m.d.sync += stage.eq(self._padding(bits))
            out |= {i: stage[at] for at, i in enumerate(members)}
        return Cat(out[i] for i in range(len(taps)))

    def _stage(self, name: str, bits: Sequence[int]) -> Signal:
        """A register of these bits of a beat; a device's set or reset pin makes it padding."""
        return Signal(len(bits), name=name, init=self._padding(bits), reset_less=True)

    def _padding(self, bits: Sequence[int]) -> int:
        """Padding code of these bits of a beat."""
        code = [self.shape.padding >> bit % self.shape.width & 1 for bit in bits]
        return sum(value << i for i, value in enumerate(code))


def line_buffer(shape: WindowShape) -> LineBuffer:
    """Return the line buffer of a generator; there is none where its ``keep`` is empty."""
    scan = shape.scan
    return LineBuffer(shape.keep, shape.width * scan.lanes, scan.row_delay, shape.kind)


def _one_of(counter: Signal, wanted: Iterable[int], count: int) -> Value:
    """Whether a counter below `count` has one of some values."""
    values = {value for value in wanted if value < count}
    if not values or len(values) == count:
        return Const(int(bool(values)), 1)
    return Cat(counter == value for value in sorted(values)).any()
