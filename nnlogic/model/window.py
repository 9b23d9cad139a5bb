"""Tables on the windows of a feature map, as data: what a recipe says of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from nnlogic.core.windows import Frame, Window

PAIRS = ("size", "stride", "dilation", "pool")


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """A kernel of layers of tables at every position of a map, then pooling.

    Attributes
    ----------
    size : tuple of int
        Taps of the window, down and across.
    widths : tuple of int
        Tables per layer of the kernel. The first layer reads the window, the others the layer
        before; the last one's tables are the channels of the map that comes out.
    stride, dilation : tuples of int
        Down and across.
    padding : tuple of int
        Rows above and below the map and columns left and right of it, all zeros: two values, or
        four for unequal sides.
    pool : tuple of int
        Rows and columns of which the largest bit stays, without overlap; what is left over at the
        lower and right edge is dropped.
    """

    size: tuple[int, ...]
    widths: tuple[int, ...]
    stride: tuple[int, ...] = (1, 1)
    padding: tuple[int, ...] = (0, 0)
    dilation: tuple[int, ...] = (1, 1)
    pool: tuple[int, ...] = (1, 1)

    @property
    def window(self) -> Window:
        """The window of the kernel."""
        down, across = self.padding[0], self.padding[-1]
        sides = self.padding if len(self.padding) == 4 else (down, down, across, across)
        return Window(_pair(self.size), _pair(self.stride), _four(sides), 0, _pair(self.dilation))

    @property
    def pooling(self) -> Window:
        """The window of the pooling."""
        return Window(_pair(self.pool), _pair(self.pool))

    def between(self, frame: Frame) -> Frame:
        """Return the map before pooling, of one that is read."""
        return Frame(self.widths[-1], *self.window.output(frame))

    def after(self, frame: Frame) -> Frame:
        """Return the map that comes out."""
        return Frame(self.widths[-1], *self.pooling.output(self.between(frame)))

    def malformed(self) -> list[str]:
        """Return what is wrong with the values whatever map is read."""
        out = [
            f"{key} {list(getattr(self, key))}, need two values, down and across"
            for key in PAIRS
            if len(getattr(self, key)) != 2
        ]
        if len(self.padding) not in (2, 4):
            out.append(f"padding {list(self.padding)}, need two values, or four")
        if not self.widths or min(self.widths) < 1:
            out.append(f"widths {list(self.widths)}, need at least one layer of 1 table or more")
        return out

    def problems(self, frame: Frame) -> list[str]:
        """Return what is wrong with the values, for a map of this shape."""
        out = self.malformed()
        if out:
            return out
        out = self.window.problems(frame)
        return out or [f"pooling: {why}" for why in self.pooling.problems(self.between(frame))]

    def to_table(self) -> dict[str, Any]:
        """Return the values as a table of a recipe."""
        return asdict(self)


def _pair(values: tuple[int, ...]) -> tuple[int, int]:
    down, across = values
    return down, across


def _four(values: tuple[int, ...]) -> tuple[int, int, int, int]:
    top, bottom, left, right = values
    return top, bottom, left, right
