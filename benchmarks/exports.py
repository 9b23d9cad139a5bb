"""Exports of logic beside the logic: ANDs of Bristol circuits, speed of the C.

    python -m benchmarks.exports RUN_OR_LOGIC... [--write docs/benchmarks/exports.md]

Takes run directories, or saved LogicNets. Every circuit is read back and proved equal; the speed of
the C (compiled as `nnlogic.logic.straight` does) is given as a ratio to `LogicNet.evaluate_words`,
both measured alternately in this one process, on one thread, the best of five.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.page import Page, add_write, is_part
from nnlogic.core.names import Identifier
from nnlogic.export import Subject, exports
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.straight import emulator

BATCHES = (64, 1024, 16384)
"""Words of 64 samples."""
HEAD = """# What exports are worth

Made by

    python -m benchmarks.exports RUN...

on logic of zoo networks (effort fast; `jets_m` and `mnist_l` effort normal). The machine was shared
with other work: times are ratios within one process, the best of five on one thread, and vary from
run to run; counts do not.

## Circuits for multi-party computation

`nnlogic export RUN -o FILE.bristol`: XOR and INV are free in garbled circuits, AND is not. LUTs and
levels are those of the logic the circuit was made from; each circuit was read back and compared.

| network | LUT6 | levels | AND | AND depth | all gates | AND per LUT | seconds | compared |
|---|---|---|---|---|---|---|---|---|
"""
SPEED = """
## C

`nnlogic export RUN -o FILE.h`: the generated C, compiled for this machine, against
`LogicNet.evaluate_words` (compiled kernels that read the network as data). Times faster, by samples
in a call:

"""


def circuit(name: str, net: LogicNet) -> str:
    """Write and check the circuit of a network; return a row of the first table."""
    subject, kind = Subject(net, Identifier(name)), exports()[".bristol"]
    begun = time.perf_counter()
    written = kind.write(subject, ".bristol")
    seconds = time.perf_counter() - begun
    (verdict,) = kind.check(subject, written.data, ".bristol")
    if not verdict.equal:
        raise SystemExit(f"{name}: {verdict.text()}")
    stats, facts = net.stats(), written.facts
    per = facts["AND"] / max(1, stats["luts"])
    cells = [
        f"`{name}`", f"{stats['luts']:,}", stats["depth"], f"{facts['AND']:,}", facts["AND depth"],
        f"{facts['gates']:,}", f"{per:.2f}", f"{seconds:.1f}", verdict.how,
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def speed(name: str, net: LogicNet) -> str:
    """Measure the C of a network; return a row of the second table."""
    rng = np.random.default_rng(1)
    begun = time.perf_counter()
    fast = emulator(net)
    seconds = time.perf_counter() - begun
    ratios = []
    for words in BATCHES:
        x = rng.integers(0, 2**64, (net.n_inputs, words), dtype=np.uint64)
        best = [np.inf, np.inf]
        for _ in range(5):
            for i, way in enumerate((net.evaluate_words, fast.evaluate_words)):
                start = time.perf_counter()
                way(x)
                best[i] = min(best[i], time.perf_counter() - start)
        ratios.append(f"{best[0] / best[1]:.1f}")
    return f"| `{name}` | {net.stats()['luts']:,} | {' | '.join(ratios)} | {seconds:.1f} |"


def load(path: Path) -> tuple[str, LogicNet]:
    """Return a network and its name, from a run or a file."""
    net = LogicNet.load(path / "ir" / "logic.safetensors" if path.is_dir() else path)
    return net.name, net


def main() -> int:
    """Measure all; print the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nets", nargs="+", type=Path, help="run directories or saved LogicNets")
    add_write(parser, "exports.md")
    args = parser.parse_args()
    page = Page(parser, args.out, is_part(parser, args, "nets"))
    nets = sorted((load(path) for path in args.nets), key=lambda item: item[1].stats()["luts"])
    text = HEAD
    for name, net in nets:
        text += circuit(name, net) + "\n"
        page.so_far(text)
    titles = [f"{64 * words:,}" for words in BATCHES]
    text += SPEED + f"| network | LUT6 | {' | '.join(titles)} | seconds to compile |\n"
    text += "|---" * (3 + len(BATCHES)) + "|\n"
    for name, net in nets:
        text += speed(name, net) + "\n"
        page.so_far(text)
    print(text)
    page.done(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
