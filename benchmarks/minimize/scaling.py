"""Time and memory of `minimize` against the number of table nodes.

python -m benchmarks.minimize.scaling [--nodes 1000 10000 ...] [--effort fast normal]
    [--functions shared distinct]

Each point runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

from benchmarks.minimize.neurons import random_neuron
from benchmarks.minimize.parts import Stopwatch, bit_ports
from benchmarks.page import Page, add_write, is_part
from nnlogic.core.formats import LayerInfo
from nnlogic.logic.build import minimize
from nnlogic.tables.ir import Function, Instance, TableNet

FAN_IN, BITS, LAYERS = 4, 2, 4
KINDS = {"shared": "64 shared", "distinct": "all distinct"}
NAMES = [
    "nodes",
    "functions",
    "effort",
    "LUT6",
    "wall s",
    "CPU s",
    "CPU ms/node",
    "peak GB",
    "kB/node",
]


def network(nodes: int, shared: bool, seed: int = 0) -> TableNet:
    """Random linear neurons in four layers of equal width, every signal read.

    Neurons read four 2-bit codes and make one. `shared` draws them from 64 functions;
    otherwise all are distinct.
    """
    rng = np.random.default_rng(seed)
    width = -(-nodes // LAYERS)
    functions: dict[str, Function] = {}
    while len(functions) < (min(64, nodes) if shared else width * LAYERS):
        made = random_neuron(rng, FAN_IN, BITS, BITS)
        functions.setdefault(made.digest, made)
    before = [tuple(range(i, i + BITS)) for i in range(0, BITS * width, BITS)]
    known = BITS * width
    blocks = []
    for layer in range(LAYERS):
        reads = np.stack([rng.permutation(width) for _ in range(FAN_IN)], axis=1)
        words = []
        for neuron, sources in enumerate(reads.tolist()):
            number = (layer * width + neuron) % len(functions)
            pins = tuple(s for source in sources for s in before[source])
            words.append(tuple(range(known, known + BITS)))
            known += BITS
            blocks.append(Instance(number, pins, words[-1], f"l{layer}/neuron{neuron}", layer))
        before = words
    outputs = tuple(s for word in before for s in word)
    return TableNet(
        "scaling",
        bit_ports("x", BITS * width),
        bit_ports("y", len(outputs)),
        tuple(functions.values()),
        tuple(blocks),
        outputs,
        tuple(LayerInfo(f"l{i}") for i in range(LAYERS)),
    )


def measure(nodes: int, shared: bool, effort: str, jobs: int) -> dict[str, float]:
    """Minimize one network in this process; seconds, bytes at the peak."""
    net = network(nodes, shared)
    start = time.perf_counter()
    with Stopwatch() as processor:
        logic = minimize(net, effort=effort, jobs=jobs, cache_dir=False)
    return {
        "seconds": time.perf_counter() - start,
        "processor": processor.seconds,
        "bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "luts": logic.stats()["luts"],
    }


def line(nodes: int, kind: str, effort: str, jobs: int) -> str:
    """Run one point in a fresh process and return its row of the table."""
    arguments = [str(nodes), kind, effort, str(jobs)]
    command = [sys.executable, "-m", "benchmarks.minimize.scaling", "--point", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        return f"| {nodes:,} | {KINDS[kind]} | {effort} | failed: {why} |"
    found = json.loads(done.stdout)
    seconds, used, memory = found["seconds"], found["processor"], found["bytes"]
    return (
        f"| {nodes:,} | {KINDS[kind]} | {effort} | {found['luts']:,} | {seconds:.1f} | "
        f"{used:.1f} | {1e3 * used / nodes:.2f} | {memory / 1e9:.2f} | {memory / 1e3 / nodes:.1f} |"
    )


def document(lines: list[str], args: argparse.Namespace) -> str:
    """Return the page: command, how to read it, table."""
    shown = [f"--nodes {' '.join(map(str, args.nodes))}", f"--effort {' '.join(args.effort)}"]
    shown += [f"--functions {' '.join(args.functions)}", f"--jobs {args.jobs}"]
    head = [
        "# Scaling of `minimize`",
        "",
        "One run of",
        "",
        f"    python -m benchmarks.minimize.scaling {' '.join(shown)}",
        "",
        f"Random linear neurons of {FAN_IN} inputs of {BITS} bits and {BITS} output bits, in",
        f"{LAYERS} layers; nothing cached. CPU: processor time, child processes counted; memory:",
        "peak of the main process, beside which `--jobs 1` runs one ABC at a time.",
        "",
    ]
    return "\n".join([*head, *lines, ""])


def main() -> None:
    """Print the curve point by point, and write the page where asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.minimize.scaling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--nodes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--effort", nargs="+", default=["fast"])
    parser.add_argument("--functions", nargs="+", default=["shared"], choices=KINDS)
    parser.add_argument("--jobs", type=int, default=1)
    add_write(parser, "scaling.md")
    parser.add_argument("--point", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.point:
        nodes, kind, effort, jobs = args.point
        print(json.dumps(measure(int(nodes), kind == "shared", effort, int(jobs))))
        return
    lines = ["| " + " | ".join(NAMES) + " |", "|" + " --- |" * len(NAMES)]
    print("\n".join(lines), flush=True)
    page = Page(parser, args.out, is_part(parser, args))
    for effort in args.effort:
        for kind in args.functions:
            for nodes in args.nodes:
                lines.append(line(nodes, kind, effort, args.jobs))
                print(lines[-1], flush=True)
                page.so_far(document(lines, args))
    page.done(document(lines, args))


if __name__ == "__main__":
    main()
