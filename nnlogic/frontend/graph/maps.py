"""Convolution and pooling on maps of codes: a kernel for one window, applied everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from nnlogic.core.formats import IntFormat
from nnlogic.core.windows import Frame, Window
from nnlogic.frontend.graph.linear import sums
from nnlogic.frontend.graph.values import Coded, Pending, Sums
from nnlogic.frontend.wiring import Refusal
from nnlogic.quant.ir import INPUT, Windowed
from nnlogic.quant.kernel import Kernel
from nnlogic.quant.pooling import pooling

if TYPE_CHECKING:
    from nnlogic.frontend.graph.circuit import Circuit

QUANTIZE = "one quantizer for all positions of a map, e.g. torch.round(y).clamp(0, 3)"


@dataclass(eq=False)
class Windows:
    """Sums of the values under a window, the same at every position.

    Attributes
    ----------
    sums : Sums
        Of one window; shape (channels, 1, 1), or (channels, 1) of a map of one dimension.
    inner : Circuit
        Layers on one window so far.
    source : str
        The layer that is the map.
    frame : Frame
    window : Window
    """

    sums: Sums
    inner: Circuit
    source: str
    frame: Frame
    window: Window

    @property
    def dtype(self) -> torch.dtype:
        """Of the sums."""
        return self.sums.dtype


def _frame(x: Coded) -> Frame:
    if x.ids.dim() not in (3, 4) or x.ids.shape[0] != 1:
        raise Refusal(f"a map of shape {tuple(x.ids.shape)}", "(rows, channels, height, width)")
    channels, *sizes = x.ids.shape[1:]
    return Frame(int(channels), *(1, *map(int, sizes))[-2:])


def _pair(values: Sequence[int], rank: int) -> tuple[int, int]:
    every = [int(v) for v in values]
    every = every * rank if len(every) == 1 else every
    return (0, every[0]) if rank == 1 and len(every) == 1 else (every[0], every[-1])


def _window(
    rank: int,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    code: int,
) -> Window:
    tall, wide = (1, int(size[-1])) if rank == 1 else (int(size[0]), int(size[-1]))
    steps, apart = (_pair(v or [1], rank) for v in (stride, dilation))
    down, across = _pair(padding or [0], rank)
    if rank == 1:
        steps, apart, down = (1, steps[1]), (1, apart[1]), 0
    return Window((tall, wide), steps, (down, down, across, across), code, apart)


def _by_channel(circuit: Circuit, x: Coded, frame: Frame) -> tuple[torch.Tensor, list[int]]:
    """Return values by code of every channel, and how many codes each has."""
    table = x.values.reshape(len(x.values), frame.channels, -1)
    ids = x.ids.reshape(frame.channels, -1)
    counts = []
    for channel, row in enumerate(ids.tolist()):
        found = {(circuit.wires[w].count, circuit.wires[w].format) for w in row}
        if len(found) > 1:
            raise Refusal(f"channel {channel} has several formats", QUANTIZE)
        counts.append(next(iter(found))[0])
        part = table[: counts[-1], channel]
        if not bool((part == part[:, :1]).all()):
            raise Refusal(f"channel {channel} has other levels at other positions", QUANTIZE)
    return table[:, :, 0], counts


def _as_map(circuit: Circuit, x: Coded, frame: Frame, name: str) -> str:
    """Return the layer whose wires are the map, channels of a position together."""
    ids = x.ids.reshape(frame.channels, -1).T.reshape(-1).tolist()
    wires = [circuit.wires[w] for w in ids]
    layer = wires[0].layer
    lies = all(w.layer == layer and w.index == i for i, w in enumerate(wires))
    if lies and len(circuit.formats[layer]) == len(ids):
        return layer
    # Wires that are moved cost nothing.
    same = [np.arange(w.count) + w.lo for w in wires]
    made = circuit.tables(f"{name}_map", [(w,) for w in ids], same, [w.format for w in wires])
    return circuit.wires[made[0]].layer


def convolved(
    circuit: Circuit,
    x: Coded,
    weights: torch.Tensor,
    bias: torch.Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    name: str,
) -> Pending:
    """Return a convolution as sums of one window.

    Parameters
    ----------
    circuit : Circuit
    x : Coded, shape (1, channels, height, width) or (1, channels, width)
    weights : tensor, shape (outputs, channels / groups, ...)
    bias : tensor, shape (outputs,), optional
    stride, padding, dilation : sequence of int
        Down and across, or one number.
    groups : int
    name : str
    """
    frame, rank = _frame(x), x.ids.dim() - 2
    outputs, part = int(weights.shape[0]), int(weights.shape[1])
    if weights.dim() != x.ids.dim() or part * groups != frame.channels or outputs % groups:
        raise Refusal(f"weights {tuple(weights.shape)} on {frame}, {groups} groups")
    # Groups are zeros in the weights of all channels.
    full = weights.new_zeros((outputs, frame.channels, *weights.shape[2:]))
    for o in range(outputs):
        first = o // (outputs // groups) * part
        full[o, first : first + part] = weights[o]
    values, counts = _by_channel(circuit, x, frame)
    code = _zero(circuit, x, values, counts, frame) if any(int(p) for p in padding) else 0
    window = _window(rank, weights.shape[2:], stride, padding, dilation, code)
    if problems := window.problems(frame):
        raise Refusal(problems[0])
    source = _as_map(circuit, x, frame, name)
    inner = type(circuit)()
    formats = list(circuit.formats[source][: frame.channels])
    ids = inner.add_wires(INPUT, formats * window.taps, counts * window.taps)
    taps = Coded(torch.tensor(ids)[None], values.repeat(1, window.taps))
    order = (0, *range(2, weights.dim()), 1)
    found = sums(inner, taps, full.permute(order).reshape(outputs, -1), bias, name)
    found = replace(found, shape=(outputs, *[1] * rank))
    base = Windows(found, inner, source, frame, window)
    return Pending(base, torch.arange(outputs).reshape(1, *found.shape), lambda t: t)


def _zero(circuit: Circuit, x: Coded, values: torch.Tensor, counts: list[int], frame: Frame) -> int:
    """Return the code that stands for zero in every channel."""
    codes = None
    for channel, wire in enumerate(x.ids.reshape(frame.channels, -1)[:, 0].tolist()):
        zeros = torch.nonzero(values[: counts[channel], channel] == 0).reshape(-1)
        mine = {int(z) + circuit.wires[wire].lo for z in zeros}
        codes = mine if codes is None else codes & mine
    if not codes:
        raise Refusal(
            "padding by zero, which has no code of its own in all channels",
            "a convolution without padding, or a quantizer with a level at zero",
        )
    return min(codes)


def averaged(
    circuit: Circuit,
    x: Coded,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    name: str,
) -> Pending:
    """Return the mean under a window: the sum of each channel, divided."""
    channels, rank = int(x.ids.shape[1]), x.ids.dim() - 2
    size = [int(s) for s in size] * (rank if len(size) == 1 else 1)
    weights = torch.zeros((channels, 1, *size), dtype=x.values.dtype) + 1
    summed = convolved(
        circuit, x, weights, None, stride or size, padding, [1], channels, name
    )  # fmt: skip
    taps = int(np.prod(size))
    return Pending(summed.base, summed.ids, lambda t: t / taps, plain=False)


def largest(
    circuit: Circuit,
    x: Coded,
    size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    name: str,
) -> Coded:
    """Return the largest value under a window, channel by channel, by the order of codes."""
    frame, rank = _frame(x), x.ids.dim() - 2
    size = [int(s) for s in size] * (rank if len(size) == 1 else 1)
    values, counts = _by_channel(circuit, x, frame)
    rising = all(bool((values[1:n, c] > values[: n - 1, c]).all()) for c, n in enumerate(counts))
    formats = {circuit.wires[w].format for w in x.ids.reshape(-1).tolist()}
    if not rising or len(formats) > 1:
        x, values, counts = _ranked(circuit, x, values, counts, frame, name)
        formats = {circuit.wires[w].format for w in x.ids.reshape(-1).tolist()}
    (fmt,) = formats
    window = _window(rank, size, stride or size, padding, dilation, fmt.lo)
    if problems := window.problems(frame):
        raise Refusal(problems[0])
    source = _as_map(circuit, x, frame, name)
    layer = pooling(circuit.fresh(name), source, frame, window, fmt, "max")
    return _placed(circuit, layer, values, counts, rank)


def _ranked(
    circuit: Circuit, x: Coded, values: torch.Tensor, counts: list[int], frame: Frame, name: str
) -> tuple[Coded, torch.Tensor, list[int]]:
    """Return the same map with codes in the order of values, and of one format."""
    found = [np.unique(values[:n, c].double().numpy(), return_inverse=True)
             for c, n in enumerate(counts)]  # fmt: skip
    longest = max(len(levels) for levels, _ in found)
    fmt = IntFormat.holding(0, max(1, longest - 1))
    ids = x.ids.reshape(frame.channels, -1)
    wires = circuit.tables(
        f"{name}_ranks", [(w,) for w in ids.reshape(-1).tolist()],
        [codes.astype(np.int64) for _, codes in found for _ in range(ids.shape[1])],
        [fmt] * ids.numel(),
    )  # fmt: skip
    for wire, at in zip(wires, np.repeat(np.arange(frame.channels), ids.shape[1]), strict=True):
        circuit.narrow(wire, 0, len(found[at][0]))
    table = np.stack([np.append(v, np.full(longest - len(v), v[-1])) for v, _ in found], axis=1)
    new = torch.from_numpy(table).to(values.dtype)
    whole = new.reshape(longest, -1, *[1] * (x.ids.dim() - 2)).expand(-1, *x.ids.shape[1:])
    coded = Coded(torch.tensor(wires).reshape(x.ids.shape), whole)
    return coded, new, [len(v) for v, _ in found]


def code_windows(circuit: Circuit, x: Pending, name: str) -> Coded:
    """Cut a function of window sums into codes; it becomes the end of the kernel."""
    base = x.base
    if not isinstance(base, Windows):
        raise TypeError("no windows")
    start = base.inner
    inner = type(circuit)(list(start.wires), list(start.layers), dict(start.formats))
    cut = inner.code(replace(x, base=base.sums), "channels")
    wires = cut.ids.reshape(-1).tolist()
    last = inner.layers[-1] if inner.layers else None
    ends = [(inner.wires[w].layer, inner.wires[w].index) for w in wires]
    if last is None or ends != [(last.name, i) for i in range(len(last.formats))]:
        formats = [inner.wires[w].format for w in wires]
        same = [np.arange(inner.wires[w].count) + inner.wires[w].lo for w in wires]
        inner.tables("channels_out", [(w,) for w in wires], same, formats)
    counts = [inner.wires[w].count for w in wires]
    kernel = Kernel(tuple(inner.layers))
    layer = Windowed(circuit.fresh(name), (base.source,), base.frame, base.window, (kernel,))
    return _placed(circuit, layer, cut.values.reshape(len(cut.values), -1), counts, x.ids.dim() - 2)


def _placed(
    circuit: Circuit, layer: Windowed, values: torch.Tensor, counts: list[int], rank: int
) -> Coded:
    """Add a windowed layer; return its map."""
    out = layer.output
    circuit.layers.append(layer)
    wires = circuit.add_wires(layer.name, list(layer.formats), counts * out.positions)
    sizes = (out.height, out.width)[-rank:]
    ids = torch.tensor(wires).reshape(out.positions, out.channels).T.reshape(1, -1, *sizes)
    spread = values.reshape(len(values), out.channels, *[1] * rank)
    return Coded(ids, spread.expand(-1, -1, *sizes))
