"""Random legal networks and compile options, as JSON data that hypothesis can shrink."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .reference import Net, bits_of, bounds, wire_formats

Draw = Callable[[st.SearchStrategy], Any]

FORMATS = ("u1", "u2", "i2", "u3", "i1", "i3", "u4", "i4", "i6")
NAMES = ("x0", "x1", "x2", "A", "a", "wire", "clk", "in_valid", "a b", "1st", "µ", "x[0]", "q.0")
LAYER_NAMES = ("fc1", "fc2", "FC1", "module", "a.b", "rst", "0", "Schicht ä")
FAR = (-(2**63), -(2**62), -(2**53), -1, 0, 2**53, 2**62, 2**63 - 1)
"""Thresholds that a sum never or always reaches."""
ACCUMULATOR = 2**53
"""What no sum of a Linear layer may reach in size, added up from absolute values."""
WIDE_TABLE, NARROW_TABLE = 11, 8
FLOATS = (0.0, -0.0, 1.5, -1.5, 2.0**-149, -(2.0**-149), 2.0**128 - 2.0**104, 2.0**104 - 2.0**128)
"""Values of float32, its smallest and its largest among them."""


def _fits(fmt: str, lo: int, hi: int) -> bool:
    return bounds(fmt)[0] <= lo and hi <= bounds(fmt)[1]


def holding(draw: Draw, lo: int, hi: int, *, unsigned: bool = False) -> str:
    """Return a format for a range: the smallest or one that is wider than it needs to be."""
    spare = draw(st.sampled_from((0, 0, 0, 1, 3)))
    signed = lo < 0 or (not unsigned and draw(st.integers(0, 4)) == 4)
    bits = 1
    while not _fits(f"{'i' if signed else 'u'}{bits}", lo, hi):
        bits += 1
    return f"{'i' if signed else 'u'}{min(bits + spare, 62)}"


def wires_read(draw: Draw, x: list[str], most_bits: int, *, twice: bool = False) -> list[int]:
    """Return wires, of `most_bits` together; none at all where the first is too wide."""
    unique = not twice or draw(st.integers(0, 4)) < 4
    wires = draw(st.lists(st.integers(0, len(x) - 1), unique=unique, max_size=6))
    total, out = 0, []
    for wire in wires:
        total += bits_of(x[wire])
        if total > most_bits:
            break
        out.append(wire)
    return out


def linear(draw: Draw, x: list[str], wide: bool) -> Net:
    """Sums, thresholded or plain; neurons may be constant, equal, or too wide for a table."""
    plain = draw(st.integers(0, 3)) == 3
    levels = draw(st.sampled_from((1, 2, 3, 1, 4, 0, 8)))
    out: Net = {"kind": "Linear", "weights": [], "bias": [], "formats": []}
    out["thresholds"] = None if plain else []
    for i in range(draw(st.integers(1, 4))):
        if i and draw(st.integers(0, 5)) == 5:
            for key in ("weights", "bias", "formats", *([] if plain else ["thresholds"])):
                out[key].append(out[key][-1])
            continue
        most = 64 if plain or wide else WIDE_TABLE
        scale = draw(st.sampled_from((1, 1, 1, 1, 6, 2**12, 2**30)))
        row = [0] * len(x)
        for wire in wires_read(draw, x, most):
            row[wire] = scale * draw(st.integers(-4, 4))
        bias = scale * draw(st.integers(-9, 9)) + draw(st.integers(-1, 1))
        spans = [sorted((w * bounds(f)[0], w * bounds(f)[1])) for w, f in zip(row, x, strict=True)]
        if sum(max(-lo, hi) for lo, hi in spans) + abs(bias) >= ACCUMULATOR:
            row, spans = [0] * len(x), []
        lo, hi = (bias + sum(span[k] for span in spans) for k in (0, 1))
        out["weights"].append(row)
        out["bias"].append(bias)
        if plain:
            out["formats"].append(holding(draw, lo, hi))
            continue
        near = st.integers(lo - 1, hi + 1)
        some = st.one_of(near, near, near, st.sampled_from(FAR))
        out["thresholds"].append(sorted(draw(some) for _ in range(levels)))
        out["formats"].append(holding(draw, 0, levels, unsigned=True))
    return out


def enumerated(draw: Draw, x: list[str], wide: bool) -> Net:
    """Tables: random, constant, or almost so."""
    out: Net = {"kind": "Enumerated", "inputs": [], "tables": [], "formats": []}
    for i in range(draw(st.integers(1, 4))):
        if i and draw(st.integers(0, 5)) == 5:
            for key in ("inputs", "tables", "formats"):
                out[key].append(out[key][-1])
            continue
        most = WIDE_TABLE if draw(st.integers(0, 5)) == 5 else NARROW_TABLE
        wires = wires_read(draw, x, most, twice=True)
        fmt = draw(st.sampled_from(FORMATS))
        size = 2 ** sum(bits_of(x[w]) for w in wires)
        out["inputs"].append(wires)
        out["tables"].append(_table(draw, size, fmt))
        out["formats"].append(fmt)
    return out


def _table(draw: Draw, size: int, fmt: str) -> list[int]:
    lo, hi = bounds(fmt)
    style = draw(st.sampled_from(("few", "random", "sums", "two codes")))
    rng = random.Random(draw(st.integers(0, 2**16)))
    if style == "few":
        table = [rng.randint(lo, hi)] * size
        for _ in range(rng.randint(0, 2)):
            table[rng.randrange(size)] = rng.randint(lo, hi)
        return table
    if style == "sums":
        weights = [rng.randint(-2, 2) for _ in range(size.bit_length())]
        sums = [sum(w for b, w in enumerate(weights) if i >> b & 1) for i in range(size)]
        return [min(max(s, lo), hi) for s in sums]
    codes = [lo, hi] if style == "two codes" else list(range(lo, hi + 1))
    return [rng.choice(codes) for _ in range(size)]


def argmax(draw: Draw, x: list[str], wide: bool) -> Net:
    """The largest of wires of any formats."""
    return {"kind": "Argmax", "formats": [holding(draw, 0, len(x) - 1)]}


def windowed(draw: Draw, x: list[str], wide: bool) -> Net:
    """Kernels of one or two layers on a map of any shape that the wires have."""
    channels = draw(st.sampled_from([
        c for c in range(1, len(x) + 1)
        if len(x) % c == 0 and all(f == x[i % c] for i, f in enumerate(x))
    ]))  # fmt: skip
    places = len(x) // channels
    height = draw(st.sampled_from([h for h in range(1, places + 1) if places % h == 0]))
    frame = [channels, height, places // height]
    same = len(set(x[:channels])) == 1
    groups = draw(st.sampled_from([g for g in range(1, channels + 1) if channels % g == 0 and (
        g == 1 or same)]))  # fmt: skip
    size, stride, dilation, padding = [], [], [], []
    for length in frame[1:]:
        pads = [draw(st.integers(0, 1)) for _ in range(2)]
        size.append(draw(st.integers(1, min(3, length + sum(pads)))))
        most = max(1, (length + sum(pads) - 1) // max(1, size[-1] - 1))
        dilation.append(draw(st.integers(1, min(2, most))))
        stride.append(draw(st.integers(1, 2)))
        padding += pads
    code = draw(st.integers(
        max(bounds(f)[0] for f in x), min(bounds(f)[1] for f in x)
    ))  # fmt: skip
    positions = 1
    for i, length in enumerate(frame[1:]):
        room = length + sum(padding[2 * i : 2 * i + 2])
        positions *= (room - (size[i] - 1) * dilation[i] - 1) // stride[i] + 1
    shared = positions * groups > 6 or draw(st.booleans())
    turns = [n for n in range(1, groups + 1) if groups % n == 0]
    count = draw(st.sampled_from(turns)) if shared else positions * groups
    window = x[: channels // groups] * (size[0] * size[1])
    kernels = [_kernel(draw, window, wide) for _ in range(count)]
    least = min(len(kernel[-1]["formats"]) for kernel in kernels)
    kernels = [[*kernel[:-1], _shortened(kernel[-1], least)] for kernel in kernels]
    used = [i % groups % count if shared else i for i in range(positions * groups)]
    return {
        "kind": "Windowed", "frame": frame, "size": size, "stride": stride, "padding": padding,
        "dilation": dilation, "code": code, "groups": groups, "shared": shared,
        "kernels": kernels, "formats": [f for i in used for f in kernels[i][-1]["formats"]],
    }  # fmt: skip


def _kernel(draw: Draw, window: list[str], wide: bool) -> list[Net]:
    makers = (linear, enumerated)
    first = {**draw(st.sampled_from(makers))(draw, window, wide), "name": "k", "sources": ["input"]}
    if draw(st.integers(0, 2)) < 2:
        return [first]
    sources = draw(st.sampled_from((["k"], ["k", "input"], ["input", "k"])))
    x = [f for s in sources for f in (first["formats"] if s == "k" else window)]
    second = draw(st.sampled_from(makers))(draw, x, wide)
    return [first, {**second, "name": "last", "sources": sources}]


def _shortened(layer: Net, count: int) -> Net:
    """Return a layer with its first neurons only."""
    lists = ("weights", "bias", "thresholds", "formats", "inputs", "tables")
    return {k: v[:count] if k in lists and v is not None else v for k, v in layer.items()}


KINDS: dict[str, Callable[[Draw, list[str], bool], Net]] = {
    "Linear": linear,
    "Enumerated": enumerated,
    "Argmax": argmax,
    "Windowed": windowed,
}


@st.composite
def networks(draw: Draw, wide: bool = False, sums_first: bool = False) -> Net:
    """Draw a legal network.

    Parameters
    ----------
    wide : bool
        Thresholded sums may be wider than any table.
    sums_first : bool
        The first layer is linear, and nothing else reads the inputs.
    """
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    net: Net = {
        "name": draw(st.sampled_from(("net", "Net 1", "module", "x0"))),
        "inputs": [[name, draw(st.sampled_from(FORMATS))] for name in names],
        "layers": [],
    }
    least = int(sums_first)
    called = draw(st.lists(st.sampled_from(LAYER_NAMES), min_size=least, max_size=4, unique=True))
    for name in called:
        formats = wire_formats(net)
        before = list(formats)[1 if sums_first and net["layers"] else 0 :]
        sources = [draw(st.sampled_from(before[::-1]))]
        if draw(st.integers(0, 3)) == 3:
            sources.append(draw(st.sampled_from(before)))
        x = [f for source in sources for f in formats[source]]
        kinds = ("Linear",) if sums_first and not net["layers"] else tuple(KINDS)
        kind = draw(st.sampled_from(kinds))
        if kind == "Windowed":
            sources, x = sources[:1], formats[sources[0]]
        layer = KINDS[kind](draw, x, wide or kinds == ("Linear",))
        role = draw(st.sampled_from(("network", "encoder", "output")))
        net["layers"].append({**layer, "name": name, "sources": sources, "role": role})
    formats = wire_formats(net)
    if sums_first:
        del formats["input"]
    ends = st.one_of(st.just(list(formats)[-1]), st.sampled_from(list(formats)))
    net["outputs"] = []
    for port in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)):
        layer = draw(ends)
        net["outputs"].append([port, layer, draw(st.integers(0, len(formats[layer]) - 1))])
    net["quantizer"] = None
    if draw(st.booleans()):
        net["quantizer"] = [_cuts(draw, bounds(fmt)[1]) for _, fmt in net["inputs"]]
    return net


def _cuts(draw: Draw, most: int) -> list[float]:
    some = st.one_of(st.sampled_from(FLOATS), st.floats(-4, 4, width=32))
    return sorted(draw(st.lists(some, max_size=min(most, 7))))


def near_features(net: Net, rng: random.Random, rows: int = 64) -> list[list[float]]:
    """Return raw rows on, below and above the thresholds of a net's quantizer, and far away."""
    out = []
    for _ in range(rows):
        row = []
        for cuts in net["quantizer"]:
            at = rng.choice([*cuts, *FLOATS])
            single = np.float32(at)
            with np.errstate(all="ignore"):
                close = [at, *(float(np.nextafter(single, np.float32(s))) for s in (-9e9, 9e9))]
                # A float64 so close to a threshold that rounding to float32 decides.
                close += [float(np.nextafter(at, s)) for s in (-np.inf, np.inf)]
                finite = np.isfinite(np.array(close).astype(np.float32))
            row.append(rng.choice([v for v, good in zip(close, finite, strict=True) if good]))
        out.append(row)
    return out


EFFORTS = ("fast",) * 14 + ("normal", "high")


def options(draw: Draw, wide: bool, efforts: tuple[str, ...] = EFFORTS) -> Net:
    """Return options that every backend takes."""
    out: Net = {
        "target": draw(st.sampled_from(("xcup", "ecp5", "xc7", "ice40"))),
        "effort": draw(st.sampled_from(efforts)),
        "objective": draw(st.sampled_from(("balanced", "area", "depth", "adp"))),
        "optimize": draw(st.sampled_from(("none", "none", "none", "layer", "network"))),
        "arith": "auto" if wide else draw(st.sampled_from(("never", "auto"))),
        "table_limit": draw(st.sampled_from((14, 14, 16, 11, 8, 5))),
    }
    every, clock = draw(st.sampled_from((None, 1, 2, 3))), draw(st.sampled_from((None, 50, 150)))
    if every is not None:
        out["levels_per_stage"] = every
    elif clock is not None:
        out["clock"] = float(clock)
    return out
