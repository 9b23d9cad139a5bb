"""The network as it grows: wires, layers, and how pending functions are cut into codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntArray, IntFormat
from nnlogic.frontend.pt2 import thresholds
from nnlogic.frontend.pt2.grid import step
from nnlogic.frontend.pt2.values import Coded, Pending, Raw, Refusal, Sums, Wire
from nnlogic.quant.ir import Argmax, Enumerated, Layer, Linear

LEVELS = 256
"""Most levels of a quantizer."""
TABLE_BITS = 14
"""Most bits of a table that is made here."""
CHUNK = 1 << 22
"""Values that are computed at a time."""


@dataclass
class Circuit:
    """Layers so far.

    Attributes
    ----------
    formats : dict of str to tuple of IntFormat
        Of every layer, and of the input.
    raw : dict of int to set of float
        Thresholds of raw features; those found late are wires only when the graph is read again.
    """

    wires: list[Wire] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    formats: dict[str, tuple[IntFormat, ...]] = field(default_factory=dict)
    raw: list[set[float]] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    again: bool = False

    def add_wires(self, layer: str, formats: list[IntFormat], counts: list[int]) -> list[int]:
        """Return numbers of new wires, codes counted from the least of their format."""
        start = len(self.wires)
        self.formats[layer] = tuple(formats)
        self.wires += [
            Wire(layer, i, fmt, fmt.lo, count)
            for i, (fmt, count) in enumerate(zip(formats, counts, strict=True))
        ]
        return list(range(start, len(self.wires)))

    def fresh(self, name: str) -> str:
        """Return a name that no layer has."""
        taken = set(self.formats)
        return next(n for n in [name, *(f"{name}_{i}" for i in range(2, 10000))] if n not in taken)

    def _read(self, wires: list[int]) -> tuple[tuple[str, ...], list[int], tuple[IntFormat, ...]]:
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
        codes: list[IntArray],
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
        """
        every = sorted({w for wires in inputs for w in wires} or {0})
        sources, places, x_formats = self._read(every)
        place = dict(zip(every, places, strict=True))
        name = self.fresh(name)
        full = []
        for wires, table in zip(inputs, codes, strict=True):
            bits = sum(self.wires[w].format.bits for w in wires or (every[0],))
            if bits > TABLE_BITS + 2:
                raise Refusal(f"a neuron of {bits} input bits", "quantize before")
            index, rest, inner = np.zeros(1 << bits, np.int64), np.arange(1 << bits), 1
            for w in wires:
                fmt, count = self.wires[w].format, self.wires[w].count
                code = fmt.from_raw(rest & ((1 << fmt.bits) - 1)) - self.wires[w].lo
                index += np.minimum(code, count - 1) * inner
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
        sources, places, x_formats = self._read(wires)
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

    def on_grid(self, x: Coded, name: str) -> Coded:
        """Return values whose codes count equal steps, where a table of one wire can see to it."""
        shape, levels = x.ids.shape, len(x.values)
        ids = x.ids.reshape(-1).clone()
        values = x.values.reshape(levels, -1)
        table = values.double().numpy()
        new: dict[tuple[int, bytes], tuple[IntArray, np.ndarray]] = {}
        keys = []
        for i, wire in enumerate(ids.tolist()):
            v = table[: self.wires[wire].count, i]
            key = (wire, v.tobytes())
            keys.append(key)
            if key not in new and not _even(v):
                new[key] = _evened(v)
        if not new:
            return x
        wires = self.tables(name, [(w,) for w, _ in new], [codes for codes, _ in new.values()])
        at = dict(zip(new, wires, strict=True))
        longest = max([levels, *(len(v) for _, v in new.values())])
        out = torch.cat([values, values[-1:].expand(longest - levels, -1)]).clone()
        for i, key in enumerate(keys):
            if key in new:
                ids[i] = at[key]
                spread = torch.from_numpy(new[key][1]).to(out.dtype)
                rest = spread[-1:].expand(longest - len(spread))
                out[:, i] = torch.cat([spread, rest])
        return Coded(ids.reshape(shape), out.reshape(longest, *shape[1:]))

    def code(self, x: Coded | Pending, name: str, what: str = "") -> Coded:
        """Cut a pending tensor into codes.

        Raises
        ------
        Refusal
            It has too many levels, or torch's rounding decides between two.
        """
        if isinstance(x, Coded):
            return x
        if isinstance(x.base, Raw):
            return thresholds.code_raw(self, x)
        return _code_sums(self, x, x.base, name)

    def best(self, name: str, wires: list[int]) -> int:
        """Add the index of the largest wire."""
        sources, places, x_formats = self._read(wires)
        if places != list(range(len(x_formats))):
            formats = [self.wires[w].format for w in wires]
            same = [np.arange(self.wires[w].count) + self.wires[w].lo for w in wires]
            wires = self.tables(f"{name}_scores", [(w,) for w in wires], same, formats, "output")
            sources, places, x_formats = self._read(wires)
        name = self.fresh(name)
        fmt = IntFormat.holding(0, max(1, len(wires) - 1))
        self.layers.append(Argmax(name, sources, (fmt,)))
        return self.add_wires(name, [fmt], [len(wires)])[0]


def _even(v: np.ndarray) -> bool:
    """Whether values by code are steps of one size, up to what float32 rounds."""
    if len(v) < 3:
        return len(np.unique(v)) == len(v)
    slope = (v[-1] - v[0]) / (len(v) - 1)
    if slope == 0:
        return False
    off = np.abs(v - (v[0] + slope * np.arange(len(v)))).max()
    return bool(off <= 1e-4 * abs(slope))


def _evened(v: np.ndarray) -> tuple[IntArray, np.ndarray]:
    """Return codes that count equal steps for values of any kind, and the values by new code."""
    low = float(v.min())
    unit = step(v - low)
    if not unit:
        if len(np.unique(v)) == 1:
            return np.zeros(len(v), np.int64), v[:1].copy()
        raise Refusal(
            "levels on no common grid", "a uniform quantizer, or levels that are integers"
        )
    codes = np.rint((v - low) / unit).astype(np.int64)
    if codes.max() >= 1 << TABLE_BITS:
        raise Refusal(f"levels of {int(codes.max())} steps", "a uniform quantizer")
    out = low + unit * np.arange(codes.max() + 1)
    out[codes] = v
    return codes, out


def _code_sums(circuit: Circuit, x: Pending, base: Sums, name: str) -> Coded:
    ids = x.ids.reshape(-1).numpy()
    counts = base.count[ids]
    longest = int(counts.max())
    if longest > 1 << 20:
        raise Refusal(
            f"sums of {longest:,} values, limit {1 << 20:,}", "fewer bits of weights or inputs"
        )
    chunk = max(1, CHUNK // max(1, int(np.prod(base.shape)), len(ids)))
    low, high = [], []
    for start in range(0, longest, chunk):
        a, b = base.points(slice(start, min(start + chunk, longest)))
        low.append(x.function(a).reshape(len(a), -1))
        high.append(low[-1] if not base.error.any() else x.function(b).reshape(len(b), -1))
    first, second = torch.cat(low), torch.cat(high)
    _refuse_unsure(x, base, ids, first, second)
    seqs = [first[: int(n), p].double().numpy() for p, n in enumerate(counts)]
    found = [np.unique(seq, return_inverse=True) for seq in seqs]
    most = max(len(levels) for levels, _ in found)
    if most > LEVELS and not x.plain:
        raise Refusal(
            f"{most:,} levels, limit {LEVELS}: no quantizer on its output",
            "follow it with one, e.g. torch.round(y).clamp(0, 3), or torch.sign(y)",
        )
    if base.weights is None:
        codes = [inverse.astype(np.int64) for _, inverse in found]
        wires = circuit.tables(name, [base.tables[e][0] for e in ids], codes)
        return labelled(circuit, wires, [levels for levels, _ in found], first.dtype, x.ids.shape)
    rising = [bool((np.diff(inverse) >= 0).all()) for _, inverse in found]
    falling = [bool((np.diff(inverse) <= 0).all()) for _, inverse in found]
    bias = np.zeros(len(ids), np.int64)
    if most > LEVELS or not all(a or b for a, b in zip(rising, falling, strict=True)):
        wires = circuit.linear(f"{name}_sum", base.wires, base.weights[ids], bias, None)
        if most <= LEVELS:
            lows = [circuit.wires[w].lo for w in wires]
            tables = [
                inverse[np.clip(np.arange(circuit.wires[w].count) + lo - base.lo[e], 0, n - 1)]
                for (_, inverse), w, lo, e, n in zip(found, wires, lows, ids, counts, strict=True)
            ]
            wires = circuit.tables(name, [(w,) for w in wires], tables)
            return labelled(
                circuit, wires, [levels for levels, _ in found], first.dtype, x.ids.shape
            )
        raise Refusal(f"{most:,} levels, limit {LEVELS}", "a quantizer of fewer bits")
    weights = base.weights[ids].copy()
    steps = np.zeros((len(ids), max(1, most - 1)), np.int64)
    for p, (levels, inverse) in enumerate(found):
        lo, n = int(base.lo[ids[p]]), len(inverse)
        if not rising[p]:
            weights[p] *= -1
            lo, inverse, found[p] = -(lo + n - 1), inverse[::-1], (levels, inverse)
        at = np.searchsorted(inverse, np.arange(1, len(levels)))
        # Levels that others have, and this neuron has not, are out of its reach.
        steps[p] = lo + n
        steps[p, : len(at)] = lo + at
    wires = circuit.linear(name, base.wires, weights, bias, steps)
    return labelled(circuit, wires, [levels for levels, _ in found], first.dtype, x.ids.shape)


def labelled(
    circuit: Circuit,
    wires: list[int],
    levels: list[np.ndarray],
    dtype: torch.dtype,
    shape: tuple[int, ...],
) -> Coded:
    """Return values of wires whose codes count their levels; shape with a first size of 1."""
    longest = max(map(len, levels))
    values = np.stack([np.append(v, np.full(longest - len(v), v[-1])) for v in levels], axis=1)
    for wire, v in zip(wires, levels, strict=True):
        circuit.wires[wire] = replace(circuit.wires[wire], count=len(v))
    return Coded(
        torch.tensor(wires).reshape(shape),
        torch.from_numpy(values).to(dtype).reshape(longest, *shape[1:]),
    )


def _refuse_unsure(
    x: Pending, base: Sums, ids: np.ndarray, low: torch.Tensor, high: torch.Tensor
) -> None:
    if bool(torch.isnan(low).any() | torch.isnan(high).any()):
        raise Refusal("gives NaN", "repair the parameters")
    differ = low != high
    if bool(differ.any()) or (base.error.any() and not x.monotone):
        where = torch.nonzero(differ)
        levels = len(torch.unique(low[:, 0]))
        if levels > LEVELS:
            raise Refusal(
                f"{levels:,} levels, limit {LEVELS}: no quantizer on its output",
                "follow it with one, e.g. torch.round(y).clamp(0, 3), or torch.sign(y)",
            )
        if not len(where):
            raise Refusal(
                "sums that are rounded, through a function that is not monotone",
                "module.double(), or weights and scales that are powers of two",
            )
        point, neuron = (int(v) for v in where[0])
        raise Refusal(
            f"the rounding of {str(base.dtype).removeprefix('torch.')} decides: neuron "
            f"{int(ids[neuron])} at sum number {point} gives {float(low[point, neuron]):g} or "
            f"{float(high[point, neuron]):g}, by the order of adding ({len(where)} such sums)",
            "module.double(); or weights, bias and scales that are multiples of a power of two",
        )
