"""Windowed layers, from frame, window and kernels: wire by wire, with the kernels' own checkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from nnlogic.checks.layer import Checker, Copy, Wire
from nnlogic.checks.layers import checkers
from nnlogic.core.formats import IntArray
from nnlogic.quant.layer import Formats
from nnlogic.quant.layers.windowed import Windowed

Wires = frozenset[int]


class WindowedChecker(Checker[Windowed]):
    """Every neuron from the definition of a window, and from its kernel layer by layer."""

    kind = "Windowed"

    @cached_property
    def _shape(self) -> tuple[int, int, int]:
        """Rows and columns of the output, and channels of a kernel."""
        frame, window = self.layer.frame, self.layer.window
        sides = zip(
            (frame.height, frame.width), window.size, window.stride, window.dilation,
            (window.padding[:2], window.padding[2:]), strict=True,
        )  # fmt: skip
        rows, columns = (
            len(range(0, length + sum(pad) - (size - 1) * step, stride))
            for length, size, stride, step, pad in sides
        )
        return rows, columns, len(self.layer.kernels[0].layers[-1].formats)

    def _window(self, row: int, column: int, group: int) -> tuple[int | None, ...]:
        """Return the wires of one window; None outside the frame."""
        frame, window = self.layer.frame, self.layer.window
        share = frame.channels // self.layer.groups
        out: list[int | None] = []
        for ky in range(window.size[0]):
            y = row * window.stride[0] + ky * window.dilation[0] - window.padding[0]
            for kx in range(window.size[1]):
                x = column * window.stride[1] + kx * window.dilation[1] - window.padding[2]
                inside = y in range(frame.height) and x in range(frame.width)
                first = (y * frame.width + x) * frame.channels + group * share
                out += range(first, first + share) if inside else [None] * share
        return tuple(out)

    def _formats(self, group: int) -> Formats:
        """Return the formats of the wires of a window."""
        (tall, wide), share = self.layer.window.size, self.layer.frame.channels // self.layer.groups
        return self.formats[group * share : (group + 1) * share] * (tall * wide)

    @cached_property
    def _copies(self) -> list[Copy]:
        layer, out = self.layer, []
        rows, columns, _ = self._shape
        for place in range(rows * columns):
            for group in range(layer.groups):
                turn = group if layer.shared else place * layer.groups + group
                kernel = self._kernels[turn % len(layer.kernels)]
                window = self._window(*divmod(place, columns), group)
                out.append(Copy(kernel, window, self._formats(group)))
        return out

    @cached_property
    def _kernels(self) -> list[tuple[Checker[Any], ...]]:
        """Checkers of the layers of every kernel."""
        layer, out = self.layer, []
        for number, kernel in enumerate(layer.kernels):
            known, made = {"input": self._formats(number % layer.groups)}, []
            for inner in kernel.layers:
                formats = tuple(f for source in inner.sources for f in known[source])
                made.append(checkers().get(inner.kind, Checker)(inner, formats))
                known[inner.name] = inner.formats
            out.append(tuple(made))
        return out

    @property
    def direct(self) -> bool:
        """Whether some layer of a kernel is only known by evaluating it."""
        return any(inner.direct for kernel in self._kernels for inner in kernel)

    def copies(self) -> tuple[list[Copy], int]:
        """Return all copies, and the padding."""
        return self._copies, self.layer.window.padding_code

    @cached_property
    def _reads(self) -> dict[int, tuple[Wires, ...]]:
        """Per kernel, by identity, the wires of the window that each channel depends on."""
        out = {}
        for kernel in self._kernels:
            known = {"input": [frozenset([w]) for w in range(self._width)]}
            for inner in kernel:
                x = [wires for source in inner.layer.sources for wires in known[source]]
                known[inner.layer.name] = [
                    frozenset[int]().union(*(x[w] for w in inner.fan_in(i)))
                    for i in range(len(inner.layer.formats))
                ]
            out[id(kernel)] = tuple(known[kernel[-1].layer.name])
        return out

    @property
    def _width(self) -> int:
        frame, (tall, wide) = self.layer.frame, self.layer.window.size
        return frame.channels // self.layer.groups * tall * wide

    def fan_in(self, neuron: int) -> list[int]:
        """Return the wires of the map under those that the channel depends on."""
        number, channel = divmod(neuron, self._shape[2])
        copy = self._copies[number]
        found = {copy.window[w] for w in self._reads[id(copy.kernel)][channel]}
        return sorted(w for w in found if w is not None)

    def values(self, neuron: int, inputs: Mapping[int, IntArray], size: int) -> IntArray:
        """Compute the channel and what it needs, neuron by neuron."""
        number, channel = divmod(neuron, self._shape[2])
        copy = self._copies[number]
        padding = np.full(size, self.layer.window.padding_code, np.int64)
        at = {inner.layer.name: inner for inner in copy.kernel}
        done: dict[tuple[str, int], IntArray] = {
            ("input", i): padding if w is None else inputs[w]
            for i, w in enumerate(copy.window)
            if w is None or w in inputs
        }

        def value(name: str, place: int) -> IntArray:
            if (name, place) not in done:
                inner = at[name]
                wires = [
                    (source, i)
                    for source in inner.layer.sources
                    for i in range(len(at[source].layer.formats) if source in at else self._width)
                ]
                read = {w: value(*wires[w]) for w in inner.fan_in(place)}
                done[name, place] = inner.values(place, read, size)
            return done[name, place]

        return value(copy.kernel[-1].layer.name, channel)

    def arithmetic(self) -> None:
        """Return that there is none: kernels are looked at instead."""

    def reads(self, wires: Sequence[Wire]) -> Mapping[str, object]:
        """Return the wires of every copy, and what every kernel does with those of its window."""
        layer = self.layer
        window = [("window", i) for i in range(self._width)]
        kernels, tables = [], []
        for kernel in self._kernels:
            known: dict[str, list[Wire]] = {"input": window}
            for number, inner in enumerate(kernel):
                found = inner.reads([w for s in inner.layer.sources for w in known[s]])
                kernels.append({k: v for k, v in found.items() if k != "tables"})
                of = found.get("tables", [])
                tables += of if isinstance(of, list) else []
                known[inner.layer.name] = [
                    (str(number), i) for i in range(len(inner.layer.formats))
                ]
        numbers = {id(kernel): number for number, kernel in enumerate(self._kernels)}
        copies = [
            (numbers[id(c.kernel)], [None if w is None else wires[w] for w in c.window])
            for c in self._copies
        ]
        padding = layer.window.padding_code
        return {
            "kind": self.kind, "formats": layer.formats, "padding": padding, "copies": copies,
            "kernels": kernels, "tables": tables,
        }  # fmt: skip


CHECKER = WindowedChecker
