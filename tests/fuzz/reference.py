"""What a network computes, written from the documentation of QuantNet in plain Python integers.

Nothing here imports the compiler, so that a mistake in it cannot be made here too.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

Net = dict[str, Any]


def bits_of(fmt: str) -> int:
    """Return the bits of a format such as ``u3`` or ``i8``."""
    return int(fmt[1:])


def bounds(fmt: str) -> tuple[int, int]:
    """Return the smallest and the largest value of a format."""
    bits = bits_of(fmt)
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if fmt[0] == "i" else (0, 2**bits - 1)


def linear(layer: Net, x: Sequence[int], formats: Sequence[str]) -> list[int]:
    """Weighted sums; with thresholds, how many of them are not above the sum."""
    out = []
    for i, (row, bias) in enumerate(zip(layer["weights"], layer["bias"], strict=True)):
        total = bias + sum(w * v for w, v in zip(row, x, strict=True))
        if layer["thresholds"] is not None:
            total = sum(1 for t in layer["thresholds"][i] if t <= total)
        out.append(total)
    return out


def enumerated(layer: Net, x: Sequence[int], formats: Sequence[str]) -> list[int]:
    """Table entries at the index made of the codes read, the first wire in the low bits."""
    out = []
    for wires, table in zip(layer["inputs"], layer["tables"], strict=True):
        index, place = 0, 1
        for wire in wires:
            size = 2 ** bits_of(formats[wire])
            index += place * (x[wire] % size)
            place *= size
        out.append(table[index])
    return out


def argmax(layer: Net, x: Sequence[int], formats: Sequence[str]) -> list[int]:
    """Return the index of the largest input, the lowest one in a tie."""
    best = 0
    for i, value in enumerate(x):
        if value > x[best]:
            best = i
    return [best]


def windowed(layer: Net, x: Sequence[int], formats: Sequence[str]) -> list[int]:
    """A kernel at every position: rows, then columns, then groups, then channels."""
    channels, height, width = layer["frame"]
    top, bottom, left, right = layer["padding"]
    (kh, kw), (sy, sx), (dy, dx) = layer["size"], layer["stride"], layer["dilation"]
    share, out, number = channels // layer["groups"], [], 0
    for y0 in range(-top, height + bottom - (kh - 1) * dy, sy):
        for x0 in range(-left, width + right - (kw - 1) * dx, sx):
            for group in range(layer["groups"]):
                window = []
                for y in range(y0, y0 + kh * dy, dy):
                    for column in range(x0, x0 + kw * dx, dx):
                        for c in range(group * share, (group + 1) * share):
                            if 0 <= y < height and 0 <= column < width:
                                window.append(x[(y * width + column) * channels + c])
                            else:
                                window.append(layer["code"])
                which = group % len(layer["kernels"]) if layer["shared"] else number
                number += 1
                values = {"input": window}
                of = {"input": list(formats[group * share : (group + 1) * share]) * (kh * kw)}
                for inner in layer["kernels"][which]:
                    read = [v for source in inner["sources"] for v in values[source]]
                    before = [f for source in inner["sources"] for f in of[source]]
                    values[inner["name"]] = KINDS[inner["kind"]](inner, read, before)
                    of[inner["name"]] = inner["formats"]
                out += values[inner["name"]]
    return out


KINDS: dict[str, Callable[[Net, Sequence[int], Sequence[str]], list[int]]] = {
    "Linear": linear,
    "Enumerated": enumerated,
    "Argmax": argmax,
    "Windowed": windowed,
}


def wire_formats(net: Net) -> dict[str, list[str]]:
    """Return the formats of the wires of every layer, and of ``input``."""
    out = {"input": [fmt for _, fmt in net["inputs"]]}
    out.update({layer["name"]: layer["formats"] for layer in net["layers"]})
    return out


def evaluate(net: Net, row: Sequence[int]) -> list[int]:
    """Return the outputs for one row of input codes."""
    formats, values = wire_formats(net), {"input": list(row)}
    for layer in net["layers"]:
        x = [v for source in layer["sources"] for v in values[source]]
        before = [f for source in layer["sources"] for f in formats[source]]
        values[layer["name"]] = KINDS[layer["kind"]](layer, x, before)
    return [values[layer][wire] for _, layer, wire in net["outputs"]]


def encode(net: Net, row: Sequence[float]) -> list[int]:
    """Return input codes of raw features: how many thresholds are not above each, as float32."""
    single = [struct.unpack("<f", struct.pack("<f", value))[0] for value in row]
    return [
        sum(1 for t in thresholds if t <= value)
        for thresholds, value in zip(net["quantizer"], single, strict=True)
    ]


def widest(net: Net, *, sums: bool) -> int:
    """Return the input bits of the widest neuron that needs a table.

    Parameters
    ----------
    net : dict
    sums : bool
        Count thresholded sums too, which adders can replace; plain sums never need a table.
    """
    formats, found = wire_formats(net), [0]
    for layer in net["layers"]:
        x = [f for source in layer["sources"] for f in formats[source]]
        if layer["kind"] != "Windowed":
            found.append(_widest(layer, x, sums))
            continue
        share = layer["frame"][0] // layer["groups"]
        for kernel in layer["kernels"]:
            of = {"input": x[:share] * (layer["size"][0] * layer["size"][1])}
            of.update({inner["name"]: inner["formats"] for inner in kernel})
            found += [
                _widest(inner, [f for s in inner["sources"] for f in of[s]], sums)
                for inner in kernel
            ]
    return max(found)


def _widest(layer: Net, formats: Sequence[str], sums: bool) -> int:
    x = [bits_of(f) for f in formats]
    if layer["kind"] == "Enumerated":
        return max(sum(x[w] for w in wires) for wires in layer["inputs"])
    if layer["kind"] == "Linear" and layer["thresholds"] is not None and sums:
        rows = layer["weights"]
        return max(sum(b for b, w in zip(x, row, strict=True) if w) for row in rows)
    return 0
