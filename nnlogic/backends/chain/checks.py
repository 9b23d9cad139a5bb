"""A chain of segments against the network it was cut from: by structure, and by rows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from nnlogic.checks.layer import Wire
from nnlogic.checks.layers import checker_of
from nnlogic.checks.verdict import Verdict
from nnlogic.core import bits
from nnlogic.core.formats import IntArray
from nnlogic.quant.ir import INPUT, QuantNet

EXHAUSTIVE_BITS = 16
SAMPLES = 4096


def check_structure(net: QuantNet, parts: Sequence[QuantNet]) -> Verdict:
    """Prove that the layers of the parts, one part after another, are the layers of `net`.

    Output i of a part is input i of the next. Every wire of a part is traced back to the layer
    of `net` that makes it; then each layer must read the same wires in the same way, and the
    last part must give the same wires as outputs. Where that holds, the chain is the network.

    Parameters
    ----------
    net : QuantNet
    parts : sequence of QuantNet
    """
    started = time.monotonic()
    where = _difference(net, parts)
    count = sum(len(part.layers) for part in parts)
    detail = f"{count} layers in {len(parts)} segments"
    return Verdict("QuantNet", "chain", not where, "proved", detail, where).timed(started)


def _difference(net: QuantNet, parts: Sequence[QuantNet]) -> str:
    """Return the first difference in words, or an empty string."""
    old = {layer.name: layer for layer in net.layers}
    mine = [layer.name for part in parts for layer in part.layers]
    if mine != list(old):
        return f"the layers are {', '.join(mine)}, not {', '.join(old)}"
    entry: list[Wire] = [(INPUT, i) for i in range(len(net.inputs))]
    ports = [p.format for p in net.inputs]
    straight = {name: [(name, i) for i in range(len(old[name].formats))] for name in old}
    straight[INPUT] = list(entry)
    for number, part in enumerate(parts):
        if [p.format for p in part.inputs] != ports:
            return f"inputs of segment {number} have other formats than what comes before it"
        known: dict[str, list[Wire]] = {INPUT: entry}
        for layer in part.layers:
            got = checker_of(part, layer).reads([w for s in layer.sources for w in known[s]])
            other = old[layer.name]
            want = checker_of(net, other).reads([w for s in other.sources for w in straight[s]])
            if not _same(got, want):
                return f"layer {layer.name} in segment {number}"
            known[layer.name] = straight[layer.name]
        entry = [known[layer][wire] for _, layer, wire in part.output_wires]
        ports = [p.format for p in part.outputs]
    wanted = [(layer, wire) for _, layer, wire in net.output_wires]
    names = [p.name for p in parts[-1].outputs] == [p.name for p in net.outputs]
    return "" if entry == wanted and names else "the outputs of the last segment"


def _same(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    tables, others = one.get("tables", []), other.get("tables", [])
    plain = {k: v for k, v in one.items() if k != "tables"}
    return (
        plain == {k: v for k, v in other.items() if k != "tables"}
        and isinstance(tables, list)
        and isinstance(others, list)
        and len(tables) == len(others)
        and all(np.array_equal(a, b) for a, b in zip(tables, others, strict=True))
    )


def run_chain(parts: Sequence[QuantNet], codes: IntArray) -> list[IntArray]:
    """Return what enters each part, and at the end what the last one gives."""
    values = [codes]
    for part in parts:
        values.append(part.evaluate(values[-1]))
    return values


def check_rows(net: QuantNet, parts: Sequence[QuantNet], codes: IntArray) -> Verdict:
    """Compare outputs: on every input where they are few, else on `codes` and random ones."""
    started = time.monotonic()
    width = bits.total_bits(net.inputs)
    if width <= EXHAUSTIVE_BITS:
        codes = bits.unpack_ports(bits.index_words(width), net.inputs, 1 << width)
        how = "exhaustive"
    else:
        codes = np.concatenate([codes, bits.random_codes(net.inputs, SAMPLES, seed=3)])
        how = f"sampled n={len(codes)}"
    wrong = (net.evaluate(codes) != run_chain(parts, codes)[-1]).any(axis=1)
    where = f"row {int(wrong.argmax())}" if wrong.any() else ""
    return Verdict("QuantNet", "chain", not wrong.any(), how, where=where).timed(started)
