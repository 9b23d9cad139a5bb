"""Geometry of windows on feature maps: which wires the window at each position reads.

The wires of a map are position-major, channel-minor: wire ``(row * width + column) * channels +
channel``, so that what a stream moves at one position is a run of wires. The wires of a window lie
in the same order: ``(ky * kw + kx) * channels + channel``. One-dimensional maps have height 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PADDING = -1
"""In place of a wire's number: the position lies outside the frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Shape of a feature map.

    Attributes
    ----------
    channels, height, width : int
        One or more; height 1 where the map has one dimension.
    """

    channels: int
    height: int
    width: int

    @property
    def positions(self) -> int:
        """Places of the map."""
        return self.height * self.width

    @property
    def wires(self) -> int:
        """Integers of the map."""
        return self.positions * self.channels

    def problems(self) -> list[str]:
        """Return what breaks the rules of a frame."""
        return [] if min(self.channels, self.height, self.width) > 0 else [f"the frame is {self}"]

    def __str__(self) -> str:
        return f"{self.channels}x{self.height}x{self.width}"


@dataclass(frozen=True, slots=True)
class Window:
    """A window that moves over a map.

    Attributes
    ----------
    size : (int, int)
        Taps down and across.
    stride : (int, int)
        Steps from one position of the output to the next, down and across.
    padding : (int, int, int, int)
        Rows above and below the frame, columns left and right of it.
    padding_code : int
        Value of every channel there.
    dilation : (int, int)
        Steps from one tap to the next, down and across.
    """

    size: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    padding_code: int = 0
    dilation: tuple[int, int] = (1, 1)

    @property
    def taps(self) -> int:
        """Positions of the map that are read at once."""
        return self.size[0] * self.size[1]

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns from the first tap to the last."""
        (kh, kw), (dy, dx) = self.size, self.dilation
        return (kh - 1) * dy + 1, (kw - 1) * dx + 1

    def output(self, frame: Frame) -> tuple[int, int]:
        """Return height and width of what comes out; rows and columns left over are not read."""
        top, bottom, left, right = self.padding
        tall, wide = self.extent
        height = (frame.height + top + bottom - tall) // self.stride[0] + 1
        return height, (frame.width + left + right - wide) // self.stride[1] + 1

    def taps_at(self, frame: Frame) -> NDArray[np.int64]:
        """Return the map's positions under the taps, `PADDING` outside the frame.

        Returns
        -------
        int64 array, shape (output positions, taps)
            Positions and taps in raster order.
        """
        height, width = self.output(frame)
        (kh, kw), (dy, dx), (sy, sx) = self.size, self.dilation, self.stride
        y = np.arange(height)[:, None] * sy - self.padding[0] + np.arange(kh) * dy
        x = np.arange(width)[:, None] * sx - self.padding[2] + np.arange(kw) * dx
        rows, columns = y[:, None, :, None], x[None, :, None, :]
        inside = (rows >= 0) & (rows < frame.height) & (columns >= 0) & (columns < frame.width)
        place = np.where(inside, rows * frame.width + columns, PADDING)
        return place.reshape(height * width, kh * kw).astype(np.int64)

    def wires_at(self, frame: Frame) -> NDArray[np.int64]:
        """Return the map's wires in the window, `PADDING` outside the frame.

        Returns
        -------
        int64 array, shape (output positions, taps * channels)
        """
        place = self.taps_at(frame)[:, :, None]
        wires = np.where(place < 0, PADDING, place * frame.channels + np.arange(frame.channels))
        return wires.reshape(len(place), self.taps * frame.channels)

    def problems(self, frame: Frame) -> list[str]:
        """Return what breaks the rules of a window on `frame`."""
        if frame.problems():
            return frame.problems()
        if min(*self.size, *self.stride, *self.dilation) < 1 or min(self.padding) < 0:
            return [
                f"window {self.size[0]}x{self.size[1]}, stride {self.stride}, dilation "
                f"{self.dilation} or padding {self.padding} is not possible"
            ]
        out = []
        top, bottom, left, right = self.padding
        sides = (
            ("high", self.extent[0], frame.height, (top, bottom)),
            ("wide", self.extent[1], frame.width, (left, right)),
        )
        for side, extent, length, padding in sides:
            room = length + sum(padding)
            if extent > room:
                with_padding = f" with its padding ({length} without)" if sum(padding) else ""
                out.append(
                    f"the window is {extent} {side}, larger than the frame, {room}{with_padding}"
                )
        return out

    def __str__(self) -> str:
        text = f"{self.size[0]}x{self.size[1]}"
        if self.stride != (1, 1):
            text += f" stride {self.stride[0]}x{self.stride[1]}"
        if self.dilation != (1, 1):
            text += f" dilation {self.dilation[0]}x{self.dilation[1]}"
        if any(self.padding):
            text += f" padding {','.join(map(str, self.padding))} of {self.padding_code}"
        return text
