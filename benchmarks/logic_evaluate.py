"""Node-evaluations per second (node x sample) of LogicNet evaluation, on one core.

Usage: python benchmarks/logic_evaluate.py [FILE]
FILE is a saved LogicNet; without it, a random network of 10,000 LUT6.
"""

import sys
import time
from pathlib import Path

START = time.perf_counter()

import numpy as np  # noqa: E402

from nnlogic.core.formats import IntFormat, LayerInfo, Port  # noqa: E402
from nnlogic.logic.ir import LogicNet  # noqa: E402


def random_net(inputs: int = 256, nodes: int = 10_000, window: int = 1_000) -> LogicNet:
    """LUT6 that read among the last `window` signals, as layers do."""
    rng = np.random.default_rng(0)
    low = np.maximum(0, inputs + np.arange(nodes) - window)
    fanins = np.stack([rng.choice(window, 6, replace=False) for _ in range(nodes)])
    fanins = (low[:, None] + fanins % (inputs + np.arange(nodes) - low)[:, None]).astype(np.int32)
    used = np.zeros(inputs + nodes, bool)
    used[fanins] = True
    outputs = tuple(int(s) for s in np.flatnonzero(~used[inputs:]) + inputs)
    bit = IntFormat(1)
    return LogicNet(
        "random",
        6,
        tuple(Port(f"x{i}", bit) for i in range(inputs)),
        tuple(Port(f"y{i}", bit) for i in range(len(outputs))),
        fanins,
        rng.integers(0, 2**64, nodes, dtype=np.uint64),
        outputs,
        ("fc/neuron0",) * nodes,
        np.zeros(nodes, np.int32),
        (LayerInfo("fc"),),
        np.zeros(0, np.int32),
    )


def main() -> None:
    """Print one line per batch size."""
    imported = time.perf_counter()
    net = LogicNet.load(Path(sys.argv[1])) if len(sys.argv) > 1 else random_net()
    rng = np.random.default_rng(1)
    begun = time.perf_counter()
    net.evaluate_words(rng.integers(0, 2**64, (net.n_inputs, 1), dtype=np.uint64))
    ready = time.perf_counter() - begun
    print(f"{net.n_nodes} nodes, import {imported - START:.2f} s, first evaluation {ready:.2f} s")
    print(f"{'samples':>9} {'ms':>9} {'node-evaluations/s':>19} {'samples/s':>11}")
    for words in (1, 4, 16, 64, 256, 1024, 4096):
        x = rng.integers(0, 2**64, (net.n_inputs, words), dtype=np.uint64)
        best = np.inf
        for _ in range(5):
            begun = time.perf_counter()
            net.evaluate_words(x)
            best = min(best, time.perf_counter() - begun)
        samples = 64 * words
        rate = samples / best
        print(f"{samples:9d} {1e3 * best:9.2f} {net.n_nodes * rate:19.3g} {rate:11.3g}")


if __name__ == "__main__":
    main()
