"""Random LogicNets, and a slow evaluator that shares no code with the product."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from nnlogic.core.archive import frozen
from nnlogic.core.formats import IntFormat, LayerInfo, Port
from nnlogic.logic.ir import LogicNet


def logic_net(nodes, *, inputs=(2, 2), outputs=None, layers=None, origins=None, k=6) -> LogicNet:
    """Build a LogicNet from (fan-in signals, table) pairs.

    `inputs` gives port widths, `outputs` lists of signals per port (signed from two bits on);
    nodes that nothing reads leave through a port of their own.
    """
    n_in = sum(inputs)
    layers = [0] * len(nodes) if layers is None else layers
    ports = [list(p) for p in (outputs or [])]
    used = {s for row, _ in nodes for s in row} | {s for p in ports for s in p}
    ports += [[n_in + i] for i in range(len(nodes)) if n_in + i not in used]
    return LogicNet(
        name="toy",
        k=k,
        inputs=tuple(Port(f"f{i}", IntFormat(w)) for i, w in enumerate(inputs)),
        outputs=tuple(Port(f"o{i}", IntFormat(len(p), len(p) > 1)) for i, p in enumerate(ports)),
        fanins=frozen([[*row, *[-1] * (k - len(row))] for row, _ in nodes], np.int32).reshape(
            len(nodes), k
        ),
        tables=frozen([t for _, t in nodes], np.uint64),
        output_signals=tuple(s for p in ports for s in p),
        origins=tuple(origins or (f"fc{layer}/neuron{i}" for i, layer in enumerate(layers))),
        node_layers=frozen(layers, np.int32),
        layers=tuple(LayerInfo(f"fc{i}") for i in range(max(layers, default=0) + 1)),
        cuts=frozen([], np.int32),
    )


@st.composite
def logic_nets(draw, *, max_nodes: int = 14, k: int = 6) -> LogicNet:
    """Any small LogicNet: constants, buffers, repeated fan-ins, inputs wired to outputs."""
    inputs = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)))
    n_in = sum(inputs)
    nodes, layers = [], []
    for i in range(draw(st.integers(0, max_nodes))):
        row = draw(st.lists(st.integers(0, n_in + i - 1), max_size=k))
        nodes.append((row, draw(st.integers(0, (1 << (1 << len(row))) - 1))))
        layers.append(draw(st.integers(0, 3)))
    signals = st.lists(st.integers(0, n_in + len(nodes) - 1), min_size=1, max_size=3)
    outputs = draw(st.lists(signals, min_size=1, max_size=2))
    names = st.sampled_from(["fc0/neuron1", "fc0/neuron1/bit0", "x_f0", "clk", "fc0_neuron1_r1"])
    origins = [draw(names) for _ in nodes]
    return logic_net(nodes, inputs=inputs, outputs=outputs, layers=layers, origins=origins, k=k)


def layered_net(
    seed: int = 0, *, layers: int = 3, width: int = 8, inner: int = 8, k: int = 4
) -> LogicNet:
    """A network whose layers read the one before, two LUT levels each, `inner` nodes first."""
    rng = np.random.default_rng(seed)
    inputs = (2, 2, 2)
    nodes, owner, previous = [], [], list(range(sum(inputs)))

    def add(sources, layer):
        row = rng.choice(sources, min(k, len(sources)), replace=False).tolist()
        nodes.append((row, int(rng.integers(0, 1 << (1 << len(row)), dtype=np.uint64))))
        owner.append(layer)
        return sum(inputs) + len(nodes) - 1

    for layer in range(layers):
        first = [add(previous, layer) for _ in range(inner)]
        previous = [add(first, layer) for _ in range(width)]
    ports = [previous[i : i + 2] for i in range(0, width, 2)]
    origins = [f"fc{layer}/neuron{i}" for i, layer in enumerate(owner)]
    return logic_net(nodes, inputs=inputs, outputs=ports, layers=owner, origins=origins, k=k)


def reference(net: LogicNet, codes: np.ndarray) -> np.ndarray:
    """Outputs of a LogicNet, row by row and node by node."""
    out = []
    for row in codes:
        signals = [
            int(value) >> b & 1
            for value, port in zip(row, net.inputs, strict=True)
            for b in range(port.format.bits)
        ]
        for fanins, table in zip(net.fanins.tolist(), net.tables.tolist(), strict=True):
            index = sum(signals[s] << b for b, s in enumerate(fanins) if s >= 0)
            signals.append(table >> index & 1)
        values, at = [], 0
        for port in net.outputs:
            bits = [signals[s] for s in net.output_signals[at : at + port.format.bits]]
            at += port.format.bits
            value = sum(bit << b for b, bit in enumerate(bits))
            values.append(value - (bits[-1] << len(bits)) if port.format.signed else value)
        out.append(values)
    return np.array(out, dtype=np.int64)
