"""Which signals, after how many register ranks, cross the module boundaries of a design."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nnlogic.design.ir import HardwareDesign

Tap = tuple[int, int]
"""A signal and the number of register ranks after its definition."""

INPUTS = -1
"""In place of a layer: the core's inputs, and their registers."""


@dataclass(frozen=True)
class LayerPlan:
    """One Verilog module: the nodes of a layer and the registers that follow them.

    Attributes
    ----------
    layer : int
        Index into the network's layers.
    nodes : tuple of int
        Node numbers, in topological order.
    fanins : tuple of tuple of Tap
        What each node reads.
    sources : tuple of (int, tuple of Tap)
        Layers it reads from, `INPUTS` for the core's inputs, and what it reads of each.
    outputs : tuple of Tap
        What it provides to others.
    clocked : bool
        Whether it holds registers.
    """

    layer: int
    nodes: tuple[int, ...]
    fanins: tuple[tuple[Tap, ...], ...]
    sources: tuple[tuple[int, tuple[Tap, ...]], ...]
    outputs: tuple[Tap, ...]
    clocked: bool


@dataclass(frozen=True)
class CorePlan:
    """The modules of a design.

    Attributes
    ----------
    layers : tuple of LayerPlan
        Layers that hold nodes, in order.
    outputs : tuple of Tap
        Bits of the output ports, port by port, LSB first.
    """

    layers: tuple[LayerPlan, ...]
    outputs: tuple[Tap, ...]


def plan_core(design: HardwareDesign) -> CorePlan:
    """Work out the modules of a verified design and what connects them.

    A signal's registers live in the module that defines it, so a signal delayed by several ranks
    leaves its module once per rank that is read elsewhere.
    """
    logic = design.logic
    n_in = logic.n_inputs
    segment = design.signal_segments.tolist()
    ranks = design.signal_registers.tolist()
    owner = [INPUTS] * n_in + logic.node_layers.tolist()
    counts, rows = logic.fan_in_counts.tolist(), logic.fanins.tolist()

    def tap(signal: int, reader_segment: int) -> Tap:
        return signal, min(ranks[signal], reader_segment - segment[signal])

    nodes: dict[int, list[int]] = {}
    fanins: dict[int, list[tuple[Tap, ...]]] = {}
    inputs: dict[int, dict[int, dict[Tap, None]]] = {}
    outputs: dict[int, dict[Tap, None]] = {}

    def read(taps: Iterable[Tap], reader: int) -> None:
        for t in taps:
            if owner[t[0]] != reader:
                if reader != INPUTS:
                    inputs.setdefault(reader, {}).setdefault(owner[t[0]], {})[t] = None
                outputs.setdefault(owner[t[0]], {})[t] = None

    for i, (row, count) in enumerate(zip(rows, counts, strict=True)):
        layer = owner[n_in + i]
        taps = tuple(tap(s, segment[n_in + i]) for s in row[:count])
        nodes.setdefault(layer, []).append(i)
        fanins.setdefault(layer, []).append(taps)
        read(taps, layer)
    finals = tuple(tap(s, design.n_segments) for s in logic.output_signals)
    read(finals, INPUTS)
    layers = tuple(
        LayerPlan(
            layer=layer,
            nodes=tuple(nodes[layer]),
            fanins=tuple(fanins[layer]),
            sources=tuple(
                (source, tuple(sorted(taps)))
                for source, taps in sorted(inputs.get(layer, {}).items())
            ),
            outputs=tuple(sorted(outputs.get(layer, ()))),
            clocked=any(ranks[n_in + i] for i in nodes[layer]),
        )
        for layer in sorted(nodes)
    )
    return CorePlan(layers, finals)
