"""A network as importers make it: wires, and layers of tables, sums and choices upon them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.quant.ir import Argmax, Enumerated, Layer, Linear

TABLE_BITS = 14
"""Most bits of a table that an importer makes."""
MOST_BITS = TABLE_BITS + 2
"""Most bits of the wires a table reads, where these have codes that do not occur."""


class Refusal(Exception):
    """Why an operation cannot be compiled; the reader adds where it stands.

    Parameters
    ----------
    why, fix : str
    """

    def __init__(self, why: str, fix: str = "") -> None:
        super().__init__(why)
        self.why, self.fix = why, fix


@dataclass(frozen=True)
class Wire:
    """An integer of a network.

    Attributes
    ----------
    layer : str
    index : int
    format : IntFormat
    lo : int
        Its least code.
    count : int
        How many codes it takes, from `lo` on.
    """

    layer: str
    index: int
    format: IntFormat
    lo: int
    count: int


@dataclass
class Wiring:
    """Layers so far.

    Attributes
    ----------
    wires : list of Wire
    layers : list of Layer
    formats : dict of str to tuple of IntFormat
        Of every layer, and of the input.
    """

    wires: list[Wire] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    formats: dict[str, tuple[IntFormat, ...]] = field(default_factory=dict)

    def add_wires(self, layer: str, formats: list[IntFormat], counts: list[int]) -> list[int]:
        """Return numbers of new wires, codes counted from the least of their format."""
        start = len(self.wires)
        self.formats[layer] = tuple(formats)
        self.wires += [
            Wire(layer, i, fmt, fmt.lo, count)
            for i, (fmt, count) in enumerate(zip(formats, counts, strict=True))
        ]
        return list(range(start, len(self.wires)))

    def narrow(self, wire: int, lo: int, count: int) -> None:
        """Say that a wire takes only some codes of its format."""
        self.wires[wire] = replace(self.wires[wire], lo=lo, count=count)

    def fresh(self, name: str) -> str:
        """Return a name that no layer has."""
        taken = set(self.formats)
        return next(n for n in [name, *(f"{name}_{i}" for i in range(2, 10000))] if n not in taken)

    def read(self, wires: list[int]) -> tuple[tuple[str, ...], list[int], tuple[IntFormat, ...]]:
        """Return the sources of wires, the wires' places among theirs, and all formats."""
        sources = tuple(dict.fromkeys(self.wires[i].layer for i in wires))
        start, at = {}, 0
        for name in sources:
            start[name] = at
            at += len(self.formats[name])
        places = [start[self.wires[i].layer] + self.wires[i].index for i in wires]
        return sources, places, tuple(f for name in sources for f in self.formats[name])

    def tables(
        self,
        name: str,
        inputs: Sequence[tuple[int, ...]],
        codes: Sequence[IntArray],
        formats: list[IntFormat] | None = None,
        role: str = "network",
    ) -> list[int]:
        """Add neurons by their tables; return their wires.

        Parameters
        ----------
        name : str
        inputs : list of tuple of int
            Wires of each neuron.
        codes : list of int64 array
            By the codes of its wires, each counted from its least, first wire in the low digits.
        formats : list of IntFormat, optional
        role : str

        Raises
        ------
        Refusal
            The wires of a neuron have more than `MOST_BITS` bits.
        """
        every = sorted({w for wires in inputs for w in wires} or {0})
        sources, places, x_formats = self.read(every)
        place = dict(zip(every, places, strict=True))
        name = self.fresh(name)
        full = []
        for wires, table in zip(inputs, codes, strict=True):
            bits = sum(self.wires[w].format.bits for w in wires or (every[0],))
            if bits > MOST_BITS:
                raise Refusal(f"a neuron of {bits} input bits", "quantize before")
            index, rest, inner = np.zeros(1 << bits, np.int64), np.arange(1 << bits), 1
            for w in wires:
                fmt, count = self.wires[w].format, self.wires[w].count
                code = fmt.from_raw(rest & ((1 << fmt.bits) - 1)) - self.wires[w].lo
                index += np.clip(code, 0, count - 1) * inner
                inner *= count
                rest = rest >> fmt.bits
            full.append(frozen(np.asarray(table, np.int64)[index], np.int64))
        formats = formats or [IntFormat.holding(0, max(1, int(t.max()))) for t in full]
        self.layers.append(
            Enumerated(
                name, sources, tuple(tuple(place[w] for w in ws or (every[0],)) for ws in inputs),
                tuple(full), tuple(formats), x_formats, role,
            )
        )  # fmt: skip
        tops = [int(t.max()) - fmt.lo + 1 for t, fmt in zip(full, formats, strict=True)]
        return self.add_wires(name, formats, tops)

    def linear(
        self,
        name: str,
        wires: list[int],
        weights: IntArray,
        bias: IntArray,
        steps: IntArray | None,
        role: str = "network",
    ) -> list[int]:
        """Add sums of wires, thresholded or not; return their wires."""
        sources, places, x_formats = self.read(wires)
        name = self.fresh(name)
        columns = np.zeros((len(weights), len(x_formats)), np.int64)
        np.add.at(columns.T, places, weights.T)
        if steps is None:
            lo_x = np.array([f.lo for f in x_formats])
            hi_x = np.array([f.hi for f in x_formats])
            up, down = np.maximum(columns, 0), np.minimum(columns, 0)
            low, high = up @ lo_x + down @ hi_x + bias, up @ hi_x + down @ lo_x + bias
            formats = [IntFormat.holding(int(a), int(b)) for a, b in zip(low, high, strict=True)]
            tops = [1 << fmt.bits for fmt in formats]
        else:
            formats = [IntFormat.holding(0, max(1, steps.shape[1]))] * len(weights)
            tops = [steps.shape[1] + 1] * len(weights)
        self.layers.append(
            Linear(
                name, sources, frozen(columns, np.int64), frozen(bias, np.int64),
                None if steps is None else frozen(steps, np.int64), tuple(formats), role,
            )
        )  # fmt: skip
        return self.add_wires(name, formats, tops)

    def best(self, name: str, wires: list[int]) -> int:
        """Add the index of the largest wire."""
        sources, places, x_formats = self.read(wires)
        if places != list(range(len(x_formats))):
            formats = [self.wires[w].format for w in wires]
            same = [np.arange(self.wires[w].count) + self.wires[w].lo for w in wires]
            wires = self.tables(f"{name}_scores", [(w,) for w in wires], same, formats, "output")
            sources, places, x_formats = self.read(wires)
        name = self.fresh(name)
        fmt = IntFormat.holding(0, max(1, len(wires) - 1))
        self.layers.append(Argmax(name, sources, (fmt,)))
        return self.add_wires(name, [fmt], [len(wires)])[0]
