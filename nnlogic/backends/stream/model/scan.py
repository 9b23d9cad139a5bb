"""How a window moves over a map that arrives a few positions per clock.

A *beat* holds `lanes` neighbouring positions of a row. Beats shift through a line buffer and short
chains of registers, so that all taps of the window stand side by side; nothing in it looks at the
data. An *anchor* is the position of the map that a window of stride 1 would have in the output
map; the window of an anchor is complete `delay` shifts after the anchor itself came in. When a
frame has ended, its last windows are pushed out by the next frame, or by empty shifts until that
begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nnlogic.core.windows import Frame, Window


@dataclass(frozen=True)
class Tap:
    """A tap of the window of one lane, where it stands.

    Attributes
    ----------
    row, column : int
        Of the window.
    age : int
        Shifts since its beat entered the chain of this row.
    lane : int
        Of that beat.
    """

    row: int
    column: int
    age: int
    lane: int


@dataclass(frozen=True)
class Scan:
    """Window and frame of one layer, and the positions of a beat.

    Attributes
    ----------
    frame : Frame
        Of the map that comes in.
    window : Window
    lanes : int
        Positions of a beat.
    """

    frame: Frame
    window: Window
    lanes: int = 1

    @property
    def line(self) -> int:
        """Beats of a row."""
        return self.frame.width // self.lanes

    @property
    def beats(self) -> int:
        """Beats of a frame."""
        return self.line * self.frame.height

    @property
    def output(self) -> Frame:
        """Shape of the map that goes out, its channels left at one."""
        return Frame(1, *self.window.output(self.frame))

    @property
    def output_lanes(self) -> int:
        """Windows of a beat that goes out."""
        return max(1, self.lanes // self.window.stride[1])

    @property
    def output_beats(self) -> int:
        """Beats of a frame that goes out."""
        return self.output.positions // self.output_lanes

    @property
    def below(self) -> int:
        """Rows from an anchor to the last row of its window."""
        return self.window.extent[0] - 1 - self.window.padding[0]

    @property
    def right(self) -> int:
        """Columns from an anchor to the last column of its window."""
        return self.window.extent[1] - 1 - self.window.padding[2]

    @property
    def ahead(self) -> int:
        """Beats from an anchor's to the last of its row that a window of its beat reads.

        Beats behind the row are padding, and not waited for.
        """
        last = (self.output_lanes - 1) * self.window.stride[1]
        return min(self.line - 1, (last + self.right) // self.lanes)

    @property
    def delay(self) -> int:
        """Shifts from an anchor's beat to that which completes its windows."""
        return self.below * self.line + self.ahead

    @property
    def row_delay(self) -> int:
        """Shifts between two rows of taps: the length of a line of the buffer."""
        return self.window.dilation[0] * self.line

    @property
    def steps(self) -> tuple[int, int]:
        """Rows, and beats of a row, from one anchor with windows to the next."""
        return self.window.stride[0], max(1, self.window.stride[1] // self.lanes)

    @property
    def last_anchor(self) -> tuple[int, int]:
        """Row, and beat of the row, of the last anchor with windows."""
        rows, beats = self.steps
        columns = self.output.width // self.output_lanes
        return (self.output.height - 1) * rows, (columns - 1) * beats

    def taps(self, lane: int) -> Iterator[Tap]:
        """Yield the taps of output lane `lane`, in raster order."""
        (kh, kw), (_, dx) = self.window.size, self.window.dilation
        start = lane * self.window.stride[1] - self.window.padding[2]
        for row in range(kh):
            for column in range(kw):
                beat, within = divmod(start + column * dx, self.lanes)
                yield Tap(row, column, max(0, self.ahead - beat), within)

    def inside_rows(self, row: int) -> tuple[int, int]:
        """Return the first anchor row, and the row after the last, at which a tap row is inside."""
        shift = row * self.window.dilation[0] - self.window.padding[0]
        return max(0, -shift), min(self.frame.height, self.frame.height - shift)

    def inside_beats(self, lane: int, column: int) -> tuple[int, int]:
        """Return the first beat of an anchor row, and that after the last, with a tap inside."""
        start = lane * self.window.stride[1]
        shift = start + column * self.window.dilation[1] - self.window.padding[2]
        first, past = -shift, self.frame.width - shift
        return max(0, -(-first // self.lanes)), min(self.line, -(-past // self.lanes))

    @property
    def pads_columns(self) -> bool:
        """Whether a window may reach over the left or right edge."""
        _, last = self.last_anchor
        places = [
            self.inside_beats(lane, column)
            for lane in range(self.output_lanes)
            for column in range(self.window.size[1])
        ]
        return any(first > 0 or past <= last for first, past in places)

    @property
    def latency(self) -> int:
        """Clocks from the shift that completes a window to that window."""
        return 1 + int(self.pads_columns)

    def problems(self) -> list[str]:
        """Return why the layer cannot be streamed at one beat per clock."""
        out = list(self.window.problems(self.frame))
        if out:
            return out
        (sy, sx), (height, width) = self.window.stride, self.window.output(self.frame)
        frame, lanes = self.frame, self.lanes
        for side, beyond, length, count, stride in (
            ("above", self.below, frame.height, height, sy),
            ("to the left", self.right, frame.width, width, sx),
        ):
            if beyond < 0:
                out.append(f"{-beyond} more padding {side} than the window reaches back")
            if side == "above" and beyond >= length:
                out.append(f"the window reaches {beyond} rows below a frame of {length}")
            if (count - 1) * stride > length - 1:
                out.append(
                    f"padding makes {count} windows at stride {stride} from {length} places: more "
                    "go out than come in"
                )
        if frame.width % lanes:
            out.append(f"rows of {frame.width} are not whole beats of {lanes} positions")
        elif lanes % sx and sx % lanes:
            out.append(f"a stride of {sx} does not fit beats of {lanes} positions")
        elif width % self.output_lanes:
            out.append(f"rows of {width} windows are not whole beats of {self.output_lanes}")
        return out
