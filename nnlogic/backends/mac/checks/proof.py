"""Proof that a MacNet and its tail are a network: coefficients, ranges and clocks.

A linear map is known by its coefficients, so nothing is sampled. What P holds is followed from
slice to slice as a polynomial in the inputs modulo 2**48, each coefficient with the number of
registers between the port and P. It must be the sum of the fields, each shifted to its place,
where a field is what the layer's own weights, the scale and the offset say; and every field must
stay between 0 and its width for all inputs, so that none reaches into another. The limits of the
slices are stated here a second time, and nothing is shared with the lowering.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

import numpy as np

from nnlogic.backends.mac.model.ir import AddSlice, Field, MacNet, SliceChain
from nnlogic.checks.layer import SAMPLES
from nnlogic.checks.layers import checker_of
from nnlogic.checks.verdict import Verdict
from nnlogic.quant.ir import INPUT, QuantNet
from nnlogic.quant.layer import Layer, Sums

# Multiplier operands and cascade length: UG479 for DSP48E1 (25 x 18, columns of 60 in XC7Z020),
# UG579 for DSP48E2 (27 x 18, 120 between the edges of a die of XCVU9P). The fabric variant does
# what a DSP48E2 does.
PORT_A = {"dsp48e1": 25, "dsp48e2": 27, "fabric": 27}
COLUMN = {"dsp48e1": 60, "dsp48e2": 120, "fabric": 120}
PORT_B = 18
MODULUS = 1 << 48


@dataclass(frozen=True)
class _Difference:
    where: str
    detail: str


def prove_mac(net: QuantNet, mac: MacNet, tail: QuantNet) -> Verdict:
    """Prove ``tail(mac(x)) == net(x)`` for every input, and that every field comes in one clock.

    Parameters
    ----------
    net : QuantNet
        Its first layer is the one `mac` adds up.
    mac : MacNet
    tail : QuantNet

    Returns
    -------
    Verdict
        "proved", equal or with the first difference; "sampled" where the first layer is of a kind
        without a checker and too wide to be known but by samples.
    """
    start = time.monotonic()
    found = next(_differences(net, mac, tail), None)
    names = ("QuantNet", "MacNet and tail")
    if found is not None:
        return Verdict(*names, False, "proved", detail=found.detail, where=found.where).timed(start)
    first = checker_of(net, net.layers[0])
    how = f"sampled n={SAMPLES}" if first.direct and not first.narrow() else "proved"
    detail = f"{mac.slices} coefficients and clocks, {len(mac.outputs)} ranges"
    return Verdict(*names, True, how, detail=detail).timed(start)


def _differences(net: QuantNet, mac: MacNet, tail: QuantNet) -> Iterator[_Difference]:
    layer = net.layers[0]
    sums = checker_of(net, layer).arithmetic()
    if not isinstance(sums, Sums) or layer.sources != (INPUT,):
        yield _Difference(layer.name, "is not linear in the inputs")
        return
    placed = [f for chain in mac.chains for f in chain.fields]
    neurons = sorted(f.neuron for f in placed)
    reads = np.flatnonzero(sums.weights.any(axis=1)).tolist()
    if mac.inputs != net.inputs or neurons != reads:
        yield _Difference(mac.name, "other inputs, or not one field for every neuron that reads")
        return
    widths = {f.neuron: f.bits for f in placed}
    if [(p.format.bits, p.format.signed) for p in mac.outputs] != [
        (widths[n], False) for n in neurons
    ]:
        yield _Difference(mac.name, "output ports are not the fields, in order of neurons")
        return
    for i, chain in enumerate(mac.chains):
        yield from _chain_differences(sums, mac, chain, f"chain {i}")
    yield from _tail_differences(net, layer, sums, mac, tail, {f.neuron: f for f in placed})


def _chain_differences(
    sums: Sums, mac: MacNet, chain: SliceChain, where: str
) -> Iterator[_Difference]:
    bits = [(wire, b) for wire, p in enumerate(mac.inputs) for b in range(p.format.bits)]
    coefficients, clocks = _follow(chain, mac, bits)
    for wire, found in clocks.items():
        if found != {mac.latency}:
            told = f"reaches P after {sorted(found)} clocks, the latency is {mac.latency}"
            yield _Difference(f"{where}, {mac.inputs[wire].name}", told)
    a, b, column = PORT_A[mac.slice_kind], PORT_B, 0
    for k, s in enumerate(chain.slices):
        column = column + 1 if s.addend == "cascade" else 1
        if column > COLUMN[mac.slice_kind] or (s.addend == "constant") != (k == 0):
            yield _Difference(f"{where}, slice {k}", f"no slice can add {s.addend} here")
        if isinstance(s, AddSlice):
            if max(len(s.ab), len(s.c)) > 48 or (s.c and s.addend != "cascade"):
                yield _Difference(f"{where}, slice {k}", "no slice adds these words")
            continue
        fmt = mac.inputs[s.wire].format
        if not (_fits(s.weight, a) and _fits(fmt.lo, b) and _fits(fmt.hi, b)):
            yield _Difference(f"{where}, slice {k}", f"{fmt} * {s.weight} exceeds {b} x {a} bits")
    wanted = np.zeros(len(mac.inputs), dtype=object)
    constant = end = 0
    for f in chain.fields:
        if f.shift < end:
            yield _Difference(f"{where}, neuron {f.neuron}", "its field overlaps the one below")
        end = f.shift + f.bits
        weights, base, problem = _field_of(sums, mac, f)
        if problem:
            yield _Difference(f"{where}, neuron {f.neuron}", problem)
            return
        wanted = wanted + (weights.astype(object) << f.shift)
        constant += base << f.shift
    if end > 48:
        yield _Difference(where, f"fields end at bit {end} of 48")
    for wire, b in bits:
        weight = int(wanted[wire]) * _worth(mac, wire, b)
        got = coefficients.get((wire, b), 0)
        if (got - weight) % MODULUS:
            detail = f"coefficient {got}, the layer's weights ask for {weight}"
            yield _Difference(f"{where}, bit {b} of {mac.inputs[wire].name}", detail)
    if (chain.constant - constant) % MODULUS:
        yield _Difference(where, f"constant {chain.constant}, needed {constant % MODULUS}")


def _follow(
    chain: SliceChain, mac: MacNet, bits: list[tuple[int, int]]
) -> tuple[dict[tuple[int, int], int], dict[int, set[int]]]:
    """Return the coefficient of every input bit in the last P, and the registers on its ways."""
    coefficients: dict[tuple[int, int], int] = {}
    started: list[tuple[int, int]] = []
    now = 0  # clocks from P of the first slice to P of the current one

    def add(wire: int, b: int, weight: int, clocks: int) -> None:
        coefficients[wire, b] = coefficients.get((wire, b), 0) + weight
        started.append((wire, clocks - now))

    for k, s in enumerate(chain.slices):
        if k:
            now += {"cascade": 1, "hop": 2}.get(s.addend, 1)
        if not isinstance(s, AddSlice):
            for b in range(mac.inputs[s.wire].format.bits):
                # Fabric, port B, multiplier, P.
                weight = s.weight * _worth(mac, s.wire, b)
                add(s.wire, b, weight, s.delay + s.breg + 1 + 1)
            continue
        # Fabric, the port, P; port C has one register, and the rest in fabric.
        for word, clocks in ((s.ab, s.delay + s.reg + 1), (s.c, s.delay + s.reg - 1 + 1 + 1)):
            for place, number in enumerate(word):
                if number >= 0:
                    add(*bits[number], -(1 << place) if s.negative else 1 << place, clocks)
    found: dict[int, set[int]] = {}
    for wire, value in started:
        found.setdefault(wire, set()).add(value + now)
    return coefficients, found


def _worth(mac: MacNet, wire: int, b: int) -> int:
    """What a bit counts in the value of its input; a sign bit counts negative."""
    fmt = mac.inputs[wire].format
    return -(1 << b) if fmt.signed and b == fmt.bits - 1 else 1 << b


def _field_of(sums: Sums, mac: MacNet, f: Field) -> tuple[np.ndarray, int, str]:
    """Return weights and constant of a field as the layer defines it, or what is wrong."""
    row, bias = sums.weights[f.neuron], int(sums.bias[f.neuron])
    if f.scale < 1 or (row % f.scale).any() or (bias - f.offset) % f.scale:
        return row, 0, f"the sum is not {f.scale} * an integer + {f.offset}"
    weights, base = row // f.scale, (bias - f.offset) // f.scale
    low = high = base
    for weight, port in zip(weights.tolist(), mac.inputs, strict=True):
        ends = (weight * port.format.lo, weight * port.format.hi)
        low, high = low + min(ends), high + max(ends)
    if low < 0 or high >= 1 << f.bits:
        return row, 0, f"its field reaches {low}..{high} and has {f.bits} bits"
    return weights, base, ""


def _tail_differences(
    net: QuantNet,
    layer: Layer,
    sums: Sums,
    mac: MacNet,
    tail: QuantNet,
    placed: dict[int, Field],
) -> Iterator[_Difference]:
    first = tail.layers[0]
    others = all(_same(a, b) for a, b in zip(net.layers[1:], tail.layers[1:], strict=False))
    readers = [one.name for one in net.layers[1:] if INPUT in one.sources]
    readers += [name for _, name, _ in net.output_wires if name == INPUT]
    if readers or not others or len(net.layers) != len(tail.layers):
        yield _Difference(tail.name, "layers after the first differ, or read the inputs")
    if (tail.inputs, tail.output_wires) != (mac.outputs, net.output_wires):
        yield _Difference(tail.name, "ports differ")
    given = checker_of(tail, first).arithmetic()
    if not isinstance(given, Sums) or (first.name, first.sources, first.formats) != (
        layer.name, (INPUT,), layer.formats
    ):  # fmt: skip
        yield _Difference(tail.name, "the first layer is another")
        return
    order = sorted(placed)
    for neuron in range(len(layer.formats)):
        f = placed.get(neuron)
        row = given.weights[neuron].tolist()
        column = order.index(neuron) if f is not None else -1
        if any(w for i, w in enumerate(row) if i != column):
            yield _Difference(f"neuron {neuron}", "the tail reads fields of others")
            return
        if not _reads(sums, given, neuron, row[column] if f is not None else 0, f):
            yield _Difference(f"neuron {neuron}", "the tail makes other codes of its sum")


def _reads(sums: Sums, tail: Sums, neuron: int, weight: int, f: Field | None) -> bool:
    """Whether the tail makes of field F what the layer makes of ``scale * F + offset``."""
    scale, offset = (f.scale, f.offset) if f is not None else (0, int(sums.bias[neuron]))
    bias = int(tail.bias[neuron])
    if sums.thresholds is None or tail.thresholds is None:
        return sums.thresholds is tail.thresholds and (weight, bias) == (scale, offset)
    wanted, given = sums.thresholds[neuron].tolist(), tail.thresholds[neuron].tolist()
    if f is None:
        return sum(t <= offset for t in wanted) == sum(t <= bias for t in given)
    if weight != 1 or len(wanted) != len(given):
        return False
    # Both are steps up in F: they agree everywhere if each step is at the same F.
    top = 1 << f.bits
    for theirs, ours in zip(wanted, given, strict=True):
        step = min(max(-((offset - int(theirs)) // scale), 0), top)
        if step != min(max(int(ours) - bias, 0), top):
            return False
    return True


def _fits(value: int, width: int) -> bool:
    return -(1 << width - 1) <= value < 1 << width - 1


def _same(left: Layer, right: Layer) -> bool:
    return (
        type(left) is type(right)
        and is_dataclass(left)
        and all(_equal(getattr(left, f.name), getattr(right, f.name)) for f in fields(left))
    )


def _equal(left: object, right: object) -> bool:
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        return np.array_equal(np.asarray(left), np.asarray(right))
    return left == right
