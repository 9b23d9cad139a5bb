"""A trained LUT-native network as plain arrays: what a population gives back, and exports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnlogic.core.formats import IntArray
from nnlogic.core.windows import Frame, Window


@dataclass(frozen=True)
class Place:
    """Where the layers of a kernel stand on a feature map.

    Attributes
    ----------
    name : str
        Of the kernel: its layers follow each other and have the same.
    frame : Frame
        Of the map whose windows its first layer reads.
    window : Window
    pooling : Window
        Whose bits of one channel are joined by OR after the last layer.
    """

    name: str
    frame: Frame
    window: Window
    pooling: Window

    def to_array(self) -> IntArray:
        """Return all but the name as integers."""
        frame = (self.frame.channels, self.frame.height, self.frame.width)
        return np.array([*frame, *_numbers(self.window), *_numbers(self.pooling)], dtype=np.int64)

    @staticmethod
    def from_array(name: str, values: IntArray) -> Place:
        """Inverse of `to_array`."""
        numbers = [int(v) for v in values]
        return Place(name, Frame(*numbers[:3]), _window(numbers[3:14]), _window(numbers[14:]))


def _numbers(window: Window) -> list[int]:
    return [
        *window.size, *window.stride, *window.padding, window.padding_code, *window.dilation
    ]  # fmt: skip


def _window(v: list[int]) -> Window:
    return Window((v[0], v[1]), (v[2], v[3]), (v[4], v[5], v[6], v[7]), v[8], (v[9], v[10]))


@dataclass(frozen=True, eq=False)
class Part:
    """A group of tables that read the wires of the group before.

    Attributes
    ----------
    name, role : str
    pins : int64 array, shape (tables, fan_in)
        Wires read, the first in the low bits of the index.
    tables : int64 array, shape (tables, 2 ** bits read)
        Values; of one bit unless the part feeds a sum.
    place : Place or None
        Where the tables are a layer of a kernel; they are numbered by output channel then, and
        `pins` are wires of the window, or tables of the layer of the kernel before.
    """

    name: str
    role: str
    pins: IntArray
    tables: IntArray
    place: Place | None = None


@dataclass(frozen=True, eq=False)
class LutNetwork:
    """One network: codes -> encoder -> LUT layers -> weighted sums -> argmax.

    Attributes
    ----------
    parts : tuple of Part
        The first reads input codes, one per table unless the inputs are single bits.
    sums : tuple
        Per part, None or ``(weights, bias, shift, levels)``: integer sums of its tables,
        int64 arrays of shape (sums, tables) and (sums,), cut to codes
        ``clip(floor(sum / 2**shift), 0, levels - 1)``; without cut when `levels` is 0.
    meta : mapping
    """

    parts: tuple[Part, ...]
    sums: tuple[tuple[IntArray, IntArray, int, int] | None, ...]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def to_arrays(self) -> dict[str, NDArray]:
        """Return the arrays by name, for an archive."""
        out: dict[str, NDArray] = {}
        for i, (part, total) in enumerate(zip(self.parts, self.sums, strict=True)):
            out[f"{i}.pins"], out[f"{i}.tables"] = part.pins, part.tables
            if part.place is not None:
                out[f"{i}.place"] = part.place.to_array()
            if total is not None:
                out[f"{i}.weights"], out[f"{i}.bias"] = total[0], total[1]
                out[f"{i}.cut"] = np.array(total[2:], dtype=np.int64)
        return out

    def labels(self) -> list[list[str]]:
        """Return name and role of the parts."""
        return [[part.name, part.role] for part in self.parts]

    @staticmethod
    def from_arrays(
        arrays: Mapping[str, NDArray], labels: list[list[str]], meta: Mapping[str, Any]
    ) -> LutNetwork:
        """Inverse of `to_arrays` and `labels`."""
        parts: list[Part] = []
        sums: list[tuple[IntArray, IntArray, int, int] | None] = []
        for i, (name, role) in enumerate(labels):
            pins, tables = arrays[f"{i}.pins"], arrays[f"{i}.tables"]
            numbers = arrays.get(f"{i}.place")
            place = None
            if numbers is not None:
                place = Place.from_array(name.rpartition("_")[0], numbers)
            parts.append(Part(name, role, pins.astype(np.int64), tables.astype(np.int64), place))
            if f"{i}.weights" in arrays:
                shift, levels = (int(v) for v in arrays[f"{i}.cut"])
                sums.append((arrays[f"{i}.weights"], arrays[f"{i}.bias"], shift, levels))
            else:
                sums.append(None)
        return LutNetwork(tuple(parts), tuple(sums), dict(meta))
