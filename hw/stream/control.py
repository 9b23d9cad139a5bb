"""When a window generator shifts, and which anchor its windows are of."""

from __future__ import annotations

from amaranth.hdl import Const, Module, Mux, Signal, Value

from nnlogic.backends.stream.model.scan import Scan
from nnlogic.hw.stream.ring import Ring


class Axis:
    """Counts the beats of a row, or the rows of a frame, and knows which of them have windows.

    Parameters
    ----------
    count : int
    wanted : range
        Which have; a last one may be left out that the step would reach.
    name : str
    """

    def __init__(self, count: int, wanted: range, name: str) -> None:
        self.ring, self._wanted = Ring(count, name), wanted
        self._phase = Ring(wanted.step, f"{name}_phase") if len(wanted) > 2 else None

    @property
    def ends(self) -> Value:
        """Whether this is the last."""
        return self.ring.at(self.ring.count - 1)

    @property
    def has_windows(self) -> Value:
        """Whether this one has."""
        count, wanted = self.ring.count, self._wanted
        if self._phase is None:
            return self.ring.at(*wanted)
        start = wanted.start % wanted.step
        rest = set(range(start, count, wanted.step)) - set(wanted)
        return self._phase.at(start) & ~self.ring.at(*rest)

    def clear(self, m: Module) -> None:
        """Begin again."""
        for ring in filter(None, (self.ring, self._phase)):
            m.d.sync += ring.state.eq(ring.start)

    def advance(self, m: Module) -> None:
        """Count; the first follows the last."""
        m.d.sync += self.ring.state.eq(self.ring.after)
        if self._phase is not None:
            m.d.sync += self._phase.state.eq(self._phase.after)
            if self.ring.count % self._wanted.step:
                with m.If(self.ends):
                    m.d.sync += self._phase.state.eq(self._phase.start)


class Control:
    """Signals that the parts of a generator share.

    Attributes
    ----------
    shift : Signal
        Moves everything by one beat.
    valid, first, last : Value
        Whether the chains show windows, the first and the last of a frame.
    row, beat : Axis
        Where the anchor is that they show.
    """

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        # Where no window is padded, anchors are counted where they are complete.
        below, ahead = (0, 0) if scan.pads else (scan.below, scan.ahead)
        (rows, beats), (last_row, last_beat) = scan.steps, scan.last_anchor
        self._end = last_row + below, last_beat + ahead
        self.row = Axis(scan.frame.height, range(below, self._end[0] + 1, rows), "row")
        self.beat = Axis(scan.line, range(ahead, self._end[1] + 1, beats), "beat")
        self.shift = Signal(name="shift")
        self._shown = Signal(name="shown")
        self.first = Signal(name="new")
        self.valid = Signal(name="anchor_valid")
        self.last = Signal(name="anchor_last")
        self._begin = Signal(name="begin")
        self._kill = Signal(name="kill")
        self._moves = Signal(name="moves")

    def place(self, m: Module, valid: Value, first: Value, last: Value, go: Value) -> None:
        """Add the logic; the arguments are ports of the generator."""
        (self._padded if self.scan.pads else self._plain)(m, valid, first, last, go)
        shown = self._shown & self.row.has_windows & self.beat.has_windows
        m.d.comb += self.valid.eq(shown)

    def _advance(self, m: Module) -> None:
        self.beat.advance(m)
        with m.If(self.beat.ends):
            self.row.advance(m)

    def _is_last(self) -> Value:
        return self.row.ring.at(self._end[0]) & self.beat.ring.at(self._end[1])

    def _plain(self, m: Module, valid: Value, first: Value, last: Value, go: Value) -> None:
        """Count what comes in: without padding a frame owes nothing when it has ended."""
        starts = valid & first
        m.d.comb += self.shift.eq(valid)
        m.d.sync += self._shown.eq(valid)
        with m.If(starts):
            self.row.clear(m)
            self.beat.clear(m)
        with m.Elif(valid):
            self._advance(m)
        with m.If(starts):
            m.d.sync += self.first.eq(1)
        with m.Elif(self.valid):
            m.d.sync += self.first.eq(0)
        if self._end == (self.scan.frame.height - 1, self.scan.line - 1):
            ended = Signal(name="ended", reset_less=True)
            m.d.sync += ended.eq(last)
            m.d.comb += self.last.eq(ended)
        else:
            m.d.comb += self.last.eq(self._is_last())

    def _padded(self, m: Module, valid: Value, first: Value, last: Value, go: Value) -> None:
        """Count to the first anchor of a frame, then anchors.

        The newest frame that came in is `inside` until its last beat, and `waiting` until the
        beat that completes its first anchor's windows, `begin`. A frame that is cut short while
        its anchors are shown is killed; if it still waits it is forgotten, and those of the frame
        before, which is whole, go on. `open` tells that the frame has further anchors.
        """
        scan = self.scan
        inside, is_open = Signal(name="inside"), Signal(name="open")
        starts = valid & first
        final = self.row.ends & self.beat.ends
        begin, waiting = (starts, Const(0, 1)) if not scan.delay else self._delayed(m, valid, first)
        m.d.comb += [
            self._begin.eq(begin),
            self._kill.eq(starts & inside & ~waiting),
            # An empty shift inside a frame would part its rows.
            self.shift.eq(valid | (go & ~inside)),
            self._moves.eq(self.shift & is_open & ~final),
            self.last.eq(self._is_last()),
        ]
        with m.If(valid):
            m.d.sync += inside.eq(~last)
        m.d.sync += [
            self._shown.eq(self._begin | (self._moves & ~self._kill)),
            is_open.eq(self._begin | (is_open & ~self._kill & ~(self.shift & final))),
            self.first.eq(self._begin),
        ]
        with m.If(self._begin):
            self.row.clear(m)
            self.beat.clear(m)
        with m.Elif(self._moves):
            self._advance(m)

    def _delayed(self, m: Module, valid: Value, first: Value) -> tuple[Value, Value]:
        """Whether a beat comes `delay` beats after the first of its frame, and the wait for it."""
        waiting = Signal(name="waiting")
        since = Ring(self.scan.delay, "since_first")
        due = valid & ~first & waiting & since.at(since.count - 1)
        with m.If(valid & first):
            m.d.sync += [waiting.eq(1), since.state.eq(since.start)]
        with m.Elif(valid):
            m.d.sync += since.state.eq(since.after)
            with m.If(due):
                m.d.sync += waiting.eq(0)
        return due, waiting

    def tag(self, m: Module, valid: Value, first: Value, tag: Value) -> Signal:
        """What came with the first beat of the frame whose windows are shown, from port `tag`."""
        shown = Signal(len(tag), name="tag", reset_less=True)
        starts, waits = valid & first, self.scan.pads and self.scan.delay
        if not waits:
            with m.If(starts):
                m.d.sync += shown.eq(tag)
            return shown
        waiting = Signal(len(tag), name="tag_waiting", reset_less=True)
        with m.If(starts):
            m.d.sync += waiting.eq(tag)
        with m.If(self._begin):
            m.d.sync += shown.eq(waiting)
        return shown

    def row_outside(self, m: Module, tap_row: int) -> Value:
        """Whether a row of taps is outside the frame for what comes in with the next shift.

        What comes in is for anchors `ahead` beats after those that are shown. Between frames it
        is for the first row.
        """
        scan = self.scan
        height, late = scan.frame.height, int(scan.ahead == scan.line - 1)
        padded = scan.padded_rows(tap_row)
        outside = [row in padded for row in range(height)]
        if not any(outside):
            return Const(0, 1)
        flag = Signal(name=f"row{tap_row}_outside", init=outside[0])
        turns = self.beat.ring.at((scan.line - 2 - scan.ahead) % scan.line)
        after = [row for row in range(height) if outside[(row + 1 + late) % height]]
        with m.If(self._begin):
            m.d.sync += flag.eq(outside[late % height])
        with m.Elif(self._kill):
            m.d.sync += flag.eq(outside[0])
        with m.Elif(self._moves & turns):
            m.d.sync += flag.eq(self.row.ring.at(*after))
        # Without rows below, the first beat of a frame is the first of its anchors.
        return flag if scan.below else Mux(self._kill, int(outside[0]), flag)

    def beat_outside(self, first: int, past: int) -> Value:
        """Whether the beat of the anchor is before `first`, or not before `past`."""
        line = self.scan.line
        return self.beat.ring.at(*range(first), *range(past, line))
