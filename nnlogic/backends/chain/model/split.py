"""Cut a QuantNet into the QuantNets of its segments.

A boundary carries every wire that is made before it and read after it, as integer codes
(ADR 0001). A segment's network reads them as its input ports and gives the wires of the next
boundary as its output ports; wires that only pass through are both.
"""

from __future__ import annotations

from collections.abc import Sequence

from nnlogic.backends.chain.model.chain import Segment
from nnlogic.core.errors import Problem, UsageError
from nnlogic.core.formats import IntFormat, Port
from nnlogic.core.names import unique_identifiers
from nnlogic.quant.ir import INPUT, Layer, QuantNet

Wire = tuple[str, int]
"""Layer (or ``"input"``) and number of a wire."""


def wires_of(net: QuantNet, layer: Layer) -> list[Wire]:
    """Return the wires of a layer's sources, in the order the layer numbers them."""
    counts = {INPUT: len(net.inputs), **{one.name: len(one.formats) for one in net.layers}}
    return [(source, i) for source in layer.sources for i in range(counts[source])]


def wires_read(net: QuantNet, layer: Layer) -> list[Wire]:
    """Return the wires a layer depends on, each once, in order."""
    wires = wires_of(net, layer)
    formats = net.x_formats(layer)
    used = {w for i in range(len(layer.formats)) for w in layer.wires(i, formats)}
    return list(dict.fromkeys(wires[i] for i in sorted(used)))


def boundary(net: QuantNet, at: int) -> list[Wire]:
    """Return the wires that cross the boundary before layer `at`, in order of their making.

    Before the first layer these are all inputs.
    """
    if at == 0:
        return [(INPUT, i) for i in range(len(net.inputs))]
    needed = {wire for layer in net.layers[at:] for wire in wires_read(net, layer)}
    needed |= {(layer, wire) for _, layer, wire in net.output_wires}
    made = [(INPUT, len(net.inputs))]
    made += [(layer.name, len(layer.formats)) for layer in net.layers[:at]]
    return [(name, i) for name, count in made for i in range(count) if (name, i) in needed]


def split(net: QuantNet, segments: Sequence[Segment], name: str) -> tuple[QuantNet, ...]:
    """Return the network of each segment; run one after another they are `net`.

    Parameters
    ----------
    net : QuantNet
    segments : sequence of Segment
        Cover the layers in order.
    name : str
        Segment i is called ``<name>_s<i>``.

    Raises
    ------
    UsageError
        A segment cannot be cut off: lists which, and why.
    """
    problems: list[Problem] = []
    out = []
    for segment in segments:
        try:
            out.append(_cut(net, segment, len(segments), name))
        except UsageError as error:
            problems.append(Problem(error.where, error.why, error.fix))
    if problems:
        raise UsageError("the network cannot be cut like this", problems=problems)
    for part in out:
        part.verify()
    return tuple(out)


def _cut(net: QuantNet, segment: Segment, count: int, name: str) -> QuantNet:
    entry = boundary(net, segment.first)
    inputs = net.inputs if segment.first == 0 else _ports(net, entry)
    mine = {layer.name for layer in net.layers[segment.first : segment.last]}
    layers = tuple(
        _moved(net, layer, mine, entry) for layer in net.layers[segment.first : segment.last]
    )
    place = {wire: (INPUT, i) for i, wire in enumerate(entry)}
    if segment.number == count - 1:
        wanted = [(port, (layer, wire)) for port, layer, wire in net.output_wires]
    else:
        leave = boundary(net, segment.last)
        if not leave:
            raise UsageError(
                "a segment cannot be cut off", where=net.layers[segment.last].name,
                why="nothing crosses the boundary before it: all that follows is constant",
                fix="give it the backend of the layer before it",
            )  # fmt: skip
        wanted = list(zip(_ports(net, leave), leave, strict=True))
    return QuantNet(
        name=f"{name}_s{segment.number}",
        inputs=inputs,
        layers=layers,
        output_wires=tuple(
            (port, *(wire if wire[0] in mine else place[wire])) for port, wire in wanted
        ),
        info={k: v for k, v in net.info.items() if k == "class_names"},
    )


def _ports(net: QuantNet, wires: Sequence[Wire]) -> tuple[Port, ...]:
    formats = _formats(net)
    names = [net.inputs[i].name if layer == INPUT else f"{layer}_{i}" for layer, i in wires]
    return tuple(
        Port(name, formats[layer][i])
        for name, (layer, i) in zip(unique_identifiers(names), wires, strict=True)
    )


def _moved(net: QuantNet, layer: Layer, mine: set[str], entry: Sequence[Wire]) -> Layer:
    """Return a layer that reads the segment's inputs in place of layers before the segment."""
    old = wires_of(net, layer)
    if all(source in mine for source in layer.sources):
        return layer
    sources = tuple(dict.fromkeys(s if s in mine else INPUT for s in layer.sources))
    sizes = {one.name: len(one.formats) for one in net.layers}
    new: list[Wire] = [
        wire
        for source in sources
        for wire in (entry if source == INPUT else [(source, i) for i in range(sizes[source])])
    ]
    at = {wire: i for i, wire in enumerate(new)}
    formats = _formats(net)
    return layer.rewired(
        sources,
        [at.get(wire, -1) for wire in old],
        tuple(formats[name][i] for name, i in new),
    )


def _formats(net: QuantNet) -> dict[str, tuple[IntFormat, ...]]:
    return {
        INPUT: tuple(p.format for p in net.inputs),
        **{layer.name: layer.formats for layer in net.layers},
    }
