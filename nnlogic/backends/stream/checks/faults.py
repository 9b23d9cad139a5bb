"""Faults in the geometry of window generators, each for one layer of a design."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.backends.stream.model.scan import Scan, Tap
from nnlogic.hw.stream.core import window_shape
from nnlogic.hw.stream.window import WindowShape

STREAM_FAULTS = LINE, PADDING, STRIDE, POOLING, TAGS = (
    "line of another length", "padding of another code", "another stride",
    "another pooling window", "exchanged tags",
)  # fmt: skip


@dataclass(frozen=True)
class _LongerLine(Scan):
    @property
    def row_delay(self) -> int:
        """One beat too many."""
        return super().row_delay + 1


@dataclass(frozen=True)
class _OtherStride(Scan):
    @property
    def steps(self) -> tuple[int, int]:
        """Further rows than there should be, or beats where there is one row."""
        rows, beats = super().steps
        return (rows + 1, beats) if self.output.height > 1 else (rows, beats + 1)


@dataclass(frozen=True)
class _Beside(Scan):
    def taps(self, lane: int) -> Iterator[Tap]:
        """Taps one beat to the left."""
        for tap in super().taps(lane):
            yield replace(tap, age=tap.age + 1)


def geometry_faults(design: StreamDesign) -> Iterator[tuple[str, int, WindowShape, str]]:
    """Yield title, layer, faulty generator, and where the fault is.

    Where no layer has what a fault is about (a second row, padding, a stride), there is none.
    """
    shapes = [window_shape(layer) for layer in design.layers]

    def of(number: int, cls: type[Scan]) -> WindowShape:
        scan = shapes[number].scan
        values = {field.name: getattr(scan, field.name) for field in fields(Scan)}
        return replace(shapes[number], scan=cls(**values))

    def first(*wanted: bool) -> int | None:
        return next((i for i, found in enumerate(wanted) if found), None)

    at = first(*(bool(shape.keep) for shape in shapes))
    if at is not None:
        wrong = of(at, _LongerLine)
        yield LINE, at, wrong, f"{design.layers[at].name}: lines of {wrong.scan.row_delay} beats"
    at = first(*(_shows_padding(shape) for shape in shapes))
    if at is not None:
        code = shapes[at].padding ^ (1 << shapes[at].width) - 1
        yield PADDING, at, replace(shapes[at], padding=code), f"{design.layers[at].name}: {code:#x}"
    at = first(*(shape.scan.output.positions > 1 for shape in shapes))
    if at is not None:
        wrong = of(at, _OtherStride)
        yield STRIDE, at, wrong, f"{design.layers[at].name}: every {wrong.scan.steps} rows, beats"
    at = first(*(max(shape.scan.window.stride) > 1 for shape in shapes))
    if at is not None:
        yield POOLING, at, of(at, _Beside), f"{design.layers[at].name}: one beat to the left"
    at = first(*(len(shape.used) > 1 for shape in shapes))
    if at is not None:
        used = list(shapes[at].used)
        used[0], used[-1] = used[-1], used[0]
        where = f"{design.layers[at].name}: bits {used[0]} and {used[-1]}"
        yield TAGS, at, replace(shapes[at], used=tuple(used)), where


def _shows_padding(shape: WindowShape) -> bool:
    scan = shape.scan
    last_row, last_beat = scan.last_anchor
    for lane, number, _ in shape.used:
        row, column = divmod(number, scan.window.size[1])
        top, bottom = scan.inside_rows(row)
        left, right = scan.inside_beats(lane, column)
        if top > 0 or bottom <= last_row or left > 0 or right <= last_beat:
            return True
    return False
