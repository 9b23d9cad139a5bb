"""Node-evaluations per second (node x sample) of LogicNet evaluation, and compiled, per core.

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
from nnlogic.logic.straight import emulator  # noqa: E402


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
    begun = time.perf_counter()
    fast = emulator(net)
    print(f"compiled to machine code in {time.perf_counter() - begun:.2f} s")
    print("  samples  node-evaluations/s  compiled  ratio  two threads")
    for words in (1, 4, 16, 64, 256, 1024, 4096, 16384):
        x = rng.integers(0, 2**64, (net.n_inputs, words), dtype=np.uint64)
        ways = (
            lambda x=x: net.evaluate_words(x),
            lambda x=x: fast.evaluate_words(x),
            lambda x=x: fast.evaluate_words(x, threads=2),
        )
        best = [np.inf] * len(ways)
        for _ in range(5):
            for i, way in enumerate(ways):
                begun = time.perf_counter()
                way()
                best[i] = min(best[i], time.perf_counter() - begun)
        rates = [64 * words * net.n_nodes / seconds for seconds in best]
        print(
            f"{64 * words:9d} {rates[0]:19.3g} {rates[1]:9.3g} {rates[1] / rates[0]:6.1f}"
            f" {rates[2] / rates[0]:12.1f}"
        )


if __name__ == "__main__":
    main()
