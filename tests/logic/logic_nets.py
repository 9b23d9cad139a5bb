"""Small networks for the tests of this folder."""

import numpy as np
from hypothesis import strategies as st

from nnlogic.core import bits
from nnlogic.core.formats import IntFormat, LayerInfo, Port
from nnlogic.logic.cone import Cone, function_of
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.truth import full
from nnlogic.tables.ir import ArgmaxBlock, Function, Instance, Sum, TableNet, Word


@st.composite
def functions(draw, min_inputs=0, max_inputs=8, max_outputs=3, care=True):
    n = draw(st.integers(min_inputs, max_inputs))
    m = draw(st.integers(1, max_outputs))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    density = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
    table = rng.random((m, 1 << n)) < density
    if draw(st.booleans()):
        table = weighted(rng, n, m)
    cared = draw(st.sampled_from([1.0, 0.7, 0.1])) if care else 1.0
    keep = rng.random(1 << n) < cared
    return function_of(table, keep if cared < 1 else None, "observed data")


def weighted(rng, n, m):
    """A quantized weighted sum, which is what neurons look like."""
    index = np.arange(1 << n)
    total = sum(int(rng.integers(-9, 10)) * ((index >> b) & 1) for b in range(n)) + 0 * index
    code = np.searchsorted(np.quantile(total, np.linspace(0, 1, (1 << m) + 1)[1:-1]), total)
    return np.array([(code >> b) & 1 for b in range(m)], dtype=bool)


@st.composite
def cones(draw, k=6, max_inputs=6, max_nodes=12, max_outputs=3):
    n = draw(st.integers(0, max_inputs))
    fanins, tables = [], []
    for i in range(draw(st.integers(1, max_nodes))):
        count = draw(st.integers(0, min(k, n + i)))
        fanin = draw(
            st.lists(st.integers(0, n + i - 1), min_size=count, max_size=count)
            if count
            else st.just([])
        )
        fanins.append(tuple(fanin))
        tables.append(draw(st.integers(0, full(count))))
    signal = st.integers(0, n + len(fanins) - 1)
    outputs = draw(st.lists(signal, min_size=1, max_size=max_outputs))
    return Cone(n, tuple(fanins), tuple(tables), tuple(outputs))


def naive(cone: Cone) -> np.ndarray:
    """Outputs for all input combinations, one sample and one node at a time."""
    rows = []
    for index in range(1 << cone.n_inputs):
        values = [(index >> b) & 1 for b in range(cone.n_inputs)]
        for fanin, table in zip(cone.fanins, cone.tables, strict=True):
            at = sum(values[s] << b for b, s in enumerate(fanin))
            values.append((table >> at) & 1)
        rows.append([values[s] for s in cone.outputs])
    return np.array(rows, dtype=bool).T.reshape(len(cone.outputs), -1)


def net_of(cone: Cone, k: int = 6) -> LogicNet:
    """A LogicNet of one-bit ports with the nodes of `cone` that drive something."""
    from nnlogic.logic.passes.remove_dead import remove_dead
    from nnlogic.logic.rewrite import with_cone

    cone = remove_dead(cone).cone
    bit = IntFormat(1)
    shell = LogicNet(
        "net",
        k,
        tuple(Port(f"a{i}", bit) for i in range(cone.n_inputs)),
        tuple(Port(f"z{i}", bit) for i in range(len(cone.outputs))),
        np.zeros((0, k), np.int32),
        np.zeros(0, np.uint64),
        (),
        (),
        np.zeros(0, np.int32),
        (LayerInfo("fc"),),
        np.zeros(0, np.int32),
    )
    net = with_cone(shell, cone, ["fc/neuron0"] * cone.n_nodes, [0] * cone.n_nodes, [])
    net.verify()
    return net


def neuron(seed: int, n: int, m: int = 2) -> Function:
    return Function(n, bits.pack(weighted(np.random.default_rng(seed), n, m)))


def table_net() -> TableNet:
    """Six shared tables, two sums, an argmax: everything a small classifier has."""
    rng = np.random.default_rng(3)
    functions = (neuron(1, 8), neuron(2, 7), neuron(3, 4, 1))
    n_in, blocks, words = 12, [], []
    signal = n_in
    for i, which in enumerate((0, 1, 2, 0, 1, 2)):
        f = functions[which]
        pins = tuple(int(s) for s in rng.permutation(n_in)[: f.n_inputs])
        outputs = tuple(range(signal, signal + f.n_outputs))
        signal += f.n_outputs
        blocks.append(Instance(which, pins, outputs, f"fc/neuron{i}", 0))
        words.append(Word(outputs))
    scores = []
    for c in range(3):
        result = Word(tuple(range(signal, signal + 5)), True)
        signal += 5
        chosen = tuple(words[(c + i) % 6] for i in range(3))
        blocks.append(Sum(chosen, (2, -1, 1), -c, result, f"score/neuron{c}", 1))
        scores.append(result)
    winner = Word((signal, signal + 1))
    blocks.append(ArgmaxBlock(tuple(scores), winner, "class/neuron0", 2))
    ports = [Port(f"score_{c}", scores[c].format) for c in range(3)]
    net = TableNet(
        "small",
        tuple(Port(f"x{i}", IntFormat(3)) for i in range(4)),
        (*ports, Port("class", winner.format)),
        functions,
        tuple(blocks),
        tuple(s for w in [*scores, winner] for s in w.signals),
        (LayerInfo("fc"), LayerInfo("score", "output"), LayerInfo("class", "output")),
    )
    net.verify()
    return net
