"""Window generator: the taps of a window side by side, for every anchor of every frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Module, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from nnlogic.backends.stream.model.scan import Scan, Tap
from nnlogic.hw.stream.control import Control
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
        if self.scan.passes:
            return 0
        ages: dict[tuple[int, int], int] = {}
        for tap, bit in self.places:
            ages[tap.row, bit] = max(ages.get((tap.row, bit), 0), tap.age + 1)
        return sum(ages.values()) + (len(self.used) if self.scan.pads_columns else 0)


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
    tag : int
        Bits that come in with the first beat of a frame, ``in_tag``, and leave with its windows,
        ``out_tag``.
    """

    def __init__(self, shape: WindowShape, lines: str = "", tag: int = 0) -> None:
        self.shape, self._lines, self._tag = shape, lines, tag
        super().__init__(
            {
                **({"in_tag": In(tag), "out_tag": Out(tag)} if tag else {}),
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
        scan, control = self.shape.scan, Control(self.shape.scan)
        control.place(m, self.in_valid, self.in_first, self.in_last, self.go)
        taps = self._chains(m, control)
        valid, first, last, window = control.valid, control.first, control.last, Cat(taps)
        tag: Value = Const(0, 0)
        if self._tag:
            tag = control.tag(m, self.in_valid, self.in_first, self.in_tag)
        if scan.pads_columns:
            window = self._padded(m, taps, control)
            later = Signal(name="valid"), Signal(name="first", reset_less=True)
            ends = Signal(name="last", reset_less=True)
            m.d.sync += [later[0].eq(valid), later[1].eq(first), ends.eq(last)]
            (valid, first), last = later, ends
            after = Signal(self._tag, name="tag_after", reset_less=True)
            m.d.sync += after.eq(tag)
            tag = after
        if self._tag:
            m.d.comb += self.out_tag.eq(tag)
        m.d.comb += [self.out_valid.eq(valid), self.out_first.eq(first), self.out_last.eq(last)]
        m.d.comb += self.window.eq(window)
        return m

    def _chains(self, m: Module, control: Control) -> list[Value]:
        """Lines, and behind each a chain of registers; rows outside the frame are padding."""
        shape, scan = self.shape, self.shape.scan
        rows = scan.window.size[0]
        ages: dict[int, dict[int, int]] = {row: {} for row in range(rows)}
        for tap, bit in shape.places:
            ages[tap.row][bit] = max(ages[tap.row].get(bit, 0), tap.age)
        sources = {rows - 1: {bit: self.x[bit] for bit in ages[rows - 1]}}
        for j, line in enumerate(self._line_buffer(m, control)):
            sources[rows - 2 - j] = {bit: line[i] for i, bit in enumerate(shape.keep[j])}
        taps: dict[tuple[int, int, int], Value] = {}
        for row in range(rows):
            outside = control.row_outside(m, row) if ages[row] else Const(0, 1)
            before = {bit: sources[row][bit] for bit in ages[row]}
            for age in range(max(ages[row].values(), default=-1) + 1):
                kept = [bit for bit, most in ages[row].items() if most >= age]
                stage = self._stage(f"row{row}_age{age}", kept)
                with m.If(control.shift):
                    m.d.sync += stage.eq(Cat(before[bit] for bit in kept))
                    if age == 0:
                        with m.If(outside):
                            m.d.sync += stage.eq(self._padding(kept))
                before = {bit: stage[i] for i, bit in enumerate(kept)}
                taps |= {(row, bit, age): value for bit, value in before.items()}
        return [taps[tap.row, bit, tap.age] for tap, bit in shape.places]

    def _line_buffer(self, m: Module, control: Control) -> list[Signal]:
        """What leaves each line."""
        lines = [
            Signal(len(bits), name=f"line{j}_leaves") for j, bits in enumerate(self.shape.keep)
        ]
        if lines and self._lines:
            outputs = {f"o_line{j}": line for j, line in enumerate(lines)}
            clock = {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
            inputs = {"i_shift": control.shift, "i_x": self.x}
            m.submodules.lines = Instance(self._lines, **clock, **inputs, **outputs)
        elif lines:
            m.submodules.lines = buffer = line_buffer(self.shape)
            m.d.comb += [buffer.shift.eq(control.shift), buffer.x.eq(self.x)]
            m.d.comb += [line.eq(getattr(buffer, f"line{j}")) for j, line in enumerate(lines)]
        return lines

    def _padded(self, m: Module, taps: Sequence[Value], control: Control) -> Value:
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
            if first > 0 or past <= scan.last_anchor[1]:
                outside = Signal(name=f"{name}_outside")
                m.d.comb += outside.eq(control.beat_outside(first, past))
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
