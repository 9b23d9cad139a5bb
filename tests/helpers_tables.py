"""Random small TableNets whose inputs can all be enumerated."""

import numpy as np

from nnlogic.core import bits
from nnlogic.core.formats import IntFormat, LayerInfo, Port
from nnlogic.tables.evaluate import gather_index, trace_bits
from nnlogic.tables.ir import ArgmaxBlock, Function, Instance, Sum, TableNet, Word


def random_net(seed: int, ports: int = 4, layers: int = 3, neurons: int = 4) -> TableNet:
    """Thermometer encoders, layers of quantized weighted sums, a sum, argmax and scores."""
    rng = np.random.default_rng(seed)
    inputs = tuple(Port(f"x{i}", IntFormat(2)) for i in range(ports))
    functions, blocks = [], []
    free = 2 * ports
    codes = []

    def table(rows: np.ndarray, pins: tuple[int, ...], origin: str, layer: int) -> Word:
        nonlocal free
        functions.append(Function(len(pins), bits.pack(rows)))
        outputs = tuple(range(free, free + len(rows)))
        free += len(rows)
        blocks.append(Instance(len(functions) - 1, pins, outputs, origin, layer))
        return Word(outputs)

    for i in range(ports):
        for level in range(1, 4):
            rows = (np.arange(4) >= level)[None]
            codes.append(table(rows, (2 * i, 2 * i + 1), f"enc/neuron{len(codes)}", 0))
    for layer in range(1, layers):
        out = []
        for i in range(neurons):
            chosen = rng.choice(len(codes), min(len(codes), 3), replace=False)
            pins = tuple(s for c in chosen for s in codes[c].signals)
            index = np.arange(1 << len(pins))
            total = sum(int(rng.integers(-4, 5)) * (index >> b & 1) for b in range(len(pins)))
            levels = np.sort(rng.choice(np.arange(-6, 7), 3, replace=False))
            code = np.searchsorted(levels, total + 0 * index, side="right")
            width = int(rng.integers(1, 3))
            rows = np.array([code >> b & 1 for b in range(width)], bool)
            out.append(table(rows, pins, f"fc{layer}/neuron{i}", layer))
        codes = out
    result = Word(tuple(range(free, free + 5)), True)
    free += 5
    words = tuple(codes[:2])
    blocks.append(Sum(words, (2, -3), 1, result, "sum/neuron0", layers))
    index = np.arange(32)
    tail = table((index % 5 > 2)[None], result.signals, "tail/neuron0", layers)
    winner = Word((free, free + 1))
    blocks.append(ArgmaxBlock(tuple(codes[:3]), winner, "class", layers + 1))
    names = ["enc", *(f"fc{i}" for i in range(1, layers)), "tail", "class"]
    outputs = [*codes[2:], tail, winner]
    net = TableNet(
        f"random{seed}",
        inputs,
        tuple(Port(f"y{i}", word.format) for i, word in enumerate(outputs)),
        tuple(functions),
        tuple(blocks),
        tuple(s for word in outputs for s in word.signals),
        tuple(LayerInfo(name) for name in names),
    )
    net.verify()
    return net


def every_input(net: TableNet) -> np.ndarray:
    """All values of the input bits, shape (input bits, 2**input bits)."""
    index = np.arange(1 << net.n_inputs)
    return (index >> np.arange(net.n_inputs)[:, None] & 1).astype(bool)


def reachable(net: TableNet) -> dict[str, set[int]]:
    """Indices that occur, by origin of each table: by looking at every input."""
    values = trace_bits(net, every_input(net))
    return {b.origin: set(gather_index(values, b.inputs).tolist()) for b in net.instances}


def outputs_on_every_input(net: TableNet) -> np.ndarray:
    """Output bits, shape (output bits, 2**input bits)."""
    return trace_bits(net, every_input(net))[list(net.output_signals)]


def cared(net: TableNet) -> dict[str, set[int]]:
    """Indices in the care sets, by origin of each table."""
    return {
        b.origin: set(np.flatnonzero(net.functions[b.function].care_bools()).tolist())
        for b in net.instances
    }
