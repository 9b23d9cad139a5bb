"""QuantNet -> MacNet: the first layer's sums on DSP slices, the rest of the network behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nnlogic.backends.mac.model.demand import Demand, demand_of, packed, port_a
from nnlogic.backends.mac.model.ir import (
    B_BITS,
    CASCADE,
    CONSTANT,
    FABRIC_HOP,
    KINDS,
    P_BITS,
    AddSlice,
    Field,
    MacNet,
    MacSlice,
    SliceChain,
)
from nnlogic.backends.mac.model.rules import ADD_CLOCKS, MULTIPLY_CLOCKS
from nnlogic.backends.mac.model.wired import Placed, heap_of, wired_groups, wired_slices
from nnlogic.core.archive import frozen
from nnlogic.core.errors import Problem, UnsupportedModel, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.quant.ir import INPUT, Linear, QuantNet
from nnlogic.quant.layer import Layer, Sums

STYLES = ("auto", "multiply", "add")


@dataclass(frozen=True, eq=False)
class MacPlan:
    """A network in two parts: ``tail.evaluate(mac.evaluate(x)) == net.evaluate(x)``.

    Attributes
    ----------
    mac : MacNet
        Weighted sums of the first layer.
    tail : QuantNet
        Thresholds of the first layer on the fields of `mac`, then the other layers.
    """

    mac: MacNet
    tail: QuantNet


def compile_mac(
    net: QuantNet, kind: str = "dsp48e1", *, column: int | None = None, style: str = "auto"
) -> MacPlan:
    """Put the sums of a network's first layer on cascades of DSP slices.

    Neurons share slices where their sums fit side by side and sharing saves slices; inputs a
    neuron does not read cost it nothing.

    Parameters
    ----------
    net : QuantNet
        Its first layer is made of weighted sums and alone reads the input ports.
    kind : {"dsp48e1", "dsp48e2", "fabric"}
        Slices; ``"fabric"`` is the same circuit from ordinary LUTs.
    column : int, optional
        Most slices of one cascade, where the part has shorter columns than `KINDS` says.
    style : {"auto", "multiply", "add"}
        Products from multipliers, or from shifted inputs (`nnlogic.backends.mac.model.wired`);
        ``"auto"`` takes what needs fewer slices.

    Returns
    -------
    MacPlan
        Both parts verified.

    Raises
    ------
    UnsupportedModel
        The first layer is not of that kind, or a number does not fit: which, and by how much.
    UsageError
        No such kind, style or column.
    """
    for given, choices in ((kind, tuple(KINDS)), (style, STYLES)):
        if given not in choices:
            raise UsageError(
                f"no slices called {given!r}", fix=f"choose one of {', '.join(choices)}"
            )
    limit = KINDS[kind].column if column is None else column
    if not 1 <= limit <= KINDS[kind].column:
        raise UsageError(
            "no such column of slices", why=f"{limit}, allowed 1 to {KINDS[kind].column}"
        )
    layer, sums = _first_layer(net)
    formats = tuple(p.format for p in net.inputs)
    found = [demand_of(sums, i, formats) for i in range(len(layer.formats))]
    demands = [d for d in found if d is not None]
    problems = _wide_sums(layer, demands)
    wide = _wide_operands(net, layer, sums, demands, KINDS[kind].a_bits)
    if problems or (style == "multiply" and wide):
        raise UnsupportedModel(
            "sums do not fit DSP slices", where=net.name, problems=[*problems, *wide]
        )
    ways = []
    if style != "multiply":
        ways.append([_wired(p, formats, limit) for p in wired_groups(demands, formats)])
    if style != "add" and not wide:
        ways.append([_multiplied(p, formats, limit) for p in _grouped(demands, KINDS[kind].a_bits)])
    chains = min(ways, key=lambda way: sum(len(chain.slices) for chain in way))
    mac = _placed(net, layer, chains, kind)
    plan = MacPlan(mac, _tail(net, layer, sums, mac))
    plan.mac.verify()
    plan.tail.verify()
    return plan


def _first_layer(net: QuantNet) -> tuple[Layer, Sums]:
    if not net.layers:
        raise UnsupportedModel(
            "nothing to multiply", where=net.name, why="the network has no layers"
        )
    layer = net.layers[0]
    sums = layer.arithmetic
    others = [other.name for other in net.layers[1:] if INPUT in other.sources]
    others += [port.name for port, name, _ in net.output_wires if name == INPUT]
    if not isinstance(sums, Sums) or layer.sources != (INPUT,):
        raise UnsupportedModel(
            "multiply-accumulate needs a linear layer of integers first",
            where=f"{net.name}, {layer.name}",
            why=f"{layer.kind} on {', '.join(layer.sources)}",
            fix="put this layer into LUTs",
        )
    if others:
        raise UnsupportedModel(
            "only one layer may read the inputs of a multiply-accumulate segment",
            where=net.name,
            why=f"{', '.join(others)} read them beside {layer.name}",
            fix="put these layers into LUTs",
        )
    if not sums.weights.any():
        raise UnsupportedModel(
            "nothing to multiply", where=f"{net.name}, {layer.name}", why="all weights are 0"
        )
    return layer, sums


def _wide_operands(
    net: QuantNet, layer: Layer, sums: Sums, demands: list[Demand], a_bits: int
) -> list[Problem]:
    """What does not fit a multiplier."""
    problems = []
    for i, port in enumerate(net.inputs):
        f = port.format
        if sums.weights[:, i].any() and max(-f.lo - 1, f.hi) >= 1 << B_BITS - 1:
            why = f"{f}, {f.lo}..{f.hi}: port B of a slice takes {B_BITS} signed bits"
            problems.append(Problem(port.name, why, "fewer bits, or LUTs for this layer"))
    for d in demands:
        low, high = int(d.weights.min()), int(d.weights.max())
        if low < -(1 << a_bits - 1) or high >= 1 << a_bits - 1:
            why = f"weights {low}..{high}: port A of a slice takes {a_bits} signed bits"
            where = f"{layer.name}, neuron {d.neuron}"
            problems.append(Problem(where, why, "fewer bits, or LUTs for this layer"))
    return problems


def _wide_sums(layer: Layer, demands: list[Demand]) -> list[Problem]:
    return [
        Problem(
            f"{layer.name}, neuron {d.neuron}",
            f"its sum needs {d.bits} bits: an accumulator has {P_BITS}",
            "fewer bits, or LUTs for this layer",
        )
        for d in demands
        if d.bits > P_BITS
    ]


def _grouped(demands: list[Demand], a_bits: int) -> list[list[tuple[Demand, int]]]:
    """Neurons that share slices: the first with most inputs, each next where it adds fewest."""
    groups: list[list[tuple[Demand, int]]] = []
    reads: list[np.ndarray] = []
    for demand in sorted(demands, key=lambda d: (-np.count_nonzero(d.weights), d.neuron)):
        own = demand.weights != 0
        grown = [int(np.count_nonzero(own & ~read)) for read in reads]
        order = sorted(range(len(groups)), key=lambda i: (grown[i], -len(groups[i]), i))
        for i in order:
            if grown[i] >= np.count_nonzero(own):
                continue
            placed = packed([*(d for d, _ in groups[i]), demand], a_bits, P_BITS)
            if placed is not None:
                groups[i], reads[i] = placed, reads[i] | own
                break
        else:
            groups.append([(demand, 0)])
            reads.append(own)
    return groups


def _multiplied(placed: Placed, formats: tuple[IntFormat, ...], column: int) -> SliceChain:
    # Later slices wait longer for their input: narrow inputs go last.
    wires = sorted(range(len(formats)), key=lambda i: -formats[i].bits)
    word = port_a(placed)
    used = [wire for wire in wires if word[wire]]
    slices = tuple(
        MacSlice(wire, int(word[wire]), 0, 1, _addend(k, column)) for k, wire in enumerate(used)
    )
    return SliceChain(slices, *_read_off(placed))


def _wired(placed: Placed, formats: tuple[IntFormat, ...], column: int) -> SliceChain:
    return SliceChain(wired_slices(heap_of(placed, formats), column), *_read_off(placed))


def _read_off(placed: Placed) -> tuple[int, tuple[Field, ...]]:
    """Return the constant that makes all fields start right, and the fields."""
    constant = sum(d.start << shift for d, shift in placed) % (1 << P_BITS)
    return constant, tuple(Field(d.neuron, s, d.bits, d.scale, d.offset) for d, s in placed)


def _placed(net: QuantNet, layer: Layer, chains: list[SliceChain], kind: str) -> MacNet:
    latency = max(1 + _clocks(chain.slices[0]) + chain.after(0) for chain in chains)
    ordered = sorted((f for chain in chains for f in chain.fields), key=lambda f: f.neuron)
    ports = tuple(Port(f"{layer.name}_{f.neuron}", IntFormat(f.bits)) for f in ordered)
    timed = tuple(_timed(chain, latency) for chain in chains)
    return MacNet(net.name, kind, net.inputs, ports, timed, latency)


def _addend(k: int, column: int) -> str:
    if k == 0:
        return CONSTANT
    return CASCADE if k % column else FABRIC_HOP


def _clocks(s: MacSlice | AddSlice) -> int:
    return MULTIPLY_CLOCKS if isinstance(s, MacSlice) else ADD_CLOCKS


def _timed(chain: SliceChain, latency: int) -> SliceChain:
    """Delay the inputs so that all terms of a row meet; chains end in the same clock."""
    slices: list[MacSlice | AddSlice] = []
    for k, s in enumerate(chain.slices):
        clocks = latency - _clocks(s) - chain.after(k)
        reg = min(2, clocks)
        if isinstance(s, MacSlice):
            slices.append(replace(s, delay=clocks - reg, breg=reg))
        else:
            slices.append(replace(s, delay=clocks - reg, reg=reg))
    return replace(chain, slices=tuple(slices))


def _tail(net: QuantNet, layer: Layer, sums: Sums, mac: MacNet) -> QuantNet:
    """Return the network on the fields."""
    n = len(layer.formats)
    weights = np.zeros((n, len(mac.outputs)), np.int64)
    bias = np.array(sums.bias)
    thresholds = None if sums.thresholds is None else np.array(sums.thresholds)
    for wire, (_, f) in enumerate(mac.fields):
        if thresholds is None:
            weights[f.neuron, wire], bias[f.neuron] = f.scale, f.offset
        else:
            # scale * F + offset >= t  exactly where  F >= ceil((t - offset) / scale)
            weights[f.neuron, wire], bias[f.neuron] = 1, 0
            steps = [-((f.offset - int(t)) // f.scale) for t in thresholds[f.neuron]]
            thresholds[f.neuron] = np.clip(steps, 0, 1 << f.bits)
    first = Linear(
        layer.name,
        layer.sources,
        frozen(weights, np.int64),
        frozen(bias, np.int64),
        None if thresholds is None else frozen(thresholds, np.int64),
        layer.formats,
        layer.role,
    )
    return replace(net, inputs=mac.outputs, layers=(first, *net.layers[1:]), quantizer=None)
