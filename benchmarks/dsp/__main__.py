"""Measure the DSP compiler.

python -m benchmarks.dsp [--peers DIR] [--keep DIR] [--only NAME ...] [--effort high]
    [--most OPERATIONS]
"""

from __future__ import annotations

import argparse
import json
import resource
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.dsp.cases import Case, all_cases, kept, processor_seconds, random_graph
from benchmarks.dsp.luts import known
from benchmarks.dsp.page import BESIDE_HEAD, HEAD, MHZ, WORDS, beside, document, ruler
from benchmarks.page import Page, add_write, is_part
from nnlogic.backends.dsp.checks.program import prove_ops, prove_program
from nnlogic.backends.dsp.model.build import ROUNDS, SAMPLES
from nnlogic.backends.dsp.model.cost import Cost, cost_of
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.machine import bounds
from nnlogic.backends.dsp.model.search import engine_for
from nnlogic.core.errors import ToolTimeout
from nnlogic.logic.ir import LogicNet

SLICES = (4, 8, 16, 32)
BANK_ROWS, STEPS = 1 << 14, 1 << 20
PROVED = 200_000
PROVE_SECONDS = 240


def rows(case: Case, args: argparse.Namespace) -> tuple[list[str], Cost, float]:
    """Return the lines of one network, its fastest engine, and the most memory so far in GB.

    They are kept ones where there are any.
    """
    path = args.keep / f"{case.name}.row" if args.keep else None
    if path is None or not path.exists():
        lines, cost = measured(case, args)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        if path is not None:
            path.write_text(json.dumps([lines, asdict(cost), peak]))
        return lines, cost, peak
    lines, found, peak = json.loads(path.read_text())
    print("\n".join(lines), flush=True)
    return lines, Cost(**found), peak


def measured(case: Case, args: argparse.Namespace) -> tuple[list[str], Cost]:
    """Measure one network."""
    graph, net, seconds = kept(case, args.keep)
    about = ""
    if net is not None and not args.no_sat:
        about = f", graph {proof(net, graph)}"
    lines = []
    for slices in SLICES:
        start = processor_seconds()
        machine, program = engine_for(graph, slices, bank_rows=BANK_ROWS, program_steps=STEPS)
        took = processor_seconds() - start
        bound, cost = bounds(graph, machine), cost_of(program, mhz=MHZ)
        letter = {"work": "w", "depth": "d", "path": "p", "ports": "r"}[bound.reason]
        first = slices == SLICES[0]
        cells = [
            case.name if first else "",
            f"{graph.n_ops:,}" if first else "",
            str(graph.depth) if first else "",
            str(slices),
            str(machine.contexts),
            f"{program.steps:,}",
            f"{bound.steps:,} {letter}",
            f"{program.steps / bound.steps - 1:.1%}",
            f"{program.utilization:.0%}",
            str(cost.brams),
            f"{cost.luts:,}",
            f"{cost.latency_ns / 1e3:.1f}",
            f"{cost.throughput:.2e}",
            (f"{seconds:.1f}" if net is not None else "-") if first else "",
            f"{took:.2f}",
            checked(graph, program) + (about if first else ""),
        ]
        lines.append("| " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    return lines, cost


def proof(net: LogicNet, graph: OpGraph) -> str:
    """Compare operations with the network they were built from; say how it is known."""
    try:
        return "proved" if prove_ops(net, graph, timeout=PROVE_SECONDS).equal else "**wrong**"
    except ToolTimeout:
        return f"sampled n={SAMPLES}, no proof in {PROVE_SECONDS} s"


def checked(graph: OpGraph, program: Program) -> str:
    """Compare a program with its graph; say how it is known."""
    words = np.random.default_rng(1).integers(0, 2**64, (graph.n_inputs, WORDS), np.uint64)
    if (program.evaluate_words(words) != graph.evaluate_words(words)).any():
        return "**wrong**"
    if graph.n_ops <= PROVED:
        return "proved" if prove_program(graph, program).equal else "**wrong**"
    return f"sampled n={64 * WORDS}"


def main() -> None:
    """Print the table row by row, and write the page where asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dsp",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--peers", type=Path, help="directory of vgg/kernel_*_wrapper.v")
    parser.add_argument("--keep", type=Path, help="directory that keeps operations and rows")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="rows whose name starts so")
    parser.add_argument("--effort", default="normal", choices=tuple(ROUNDS))
    parser.add_argument("--most", type=int, default=1_000_000, help="operations of random graphs")
    parser.add_argument("--no-sat", action="store_true", help="do not prove the graphs by SAT")
    add_write(parser, "dsp.md")
    args = parser.parse_args()
    names = tuple(args.only or [""])
    cases = [c for c in all_cases(args.peers, args.effort, args.most) if c.name.startswith(names)]
    if not cases:
        parser.error(f"no row is called {' or '.join(names)}")
    page = Page(parser, args.out, is_part(parser, args, "keep", "peers"))
    warm_up()
    luts = known()
    lines, compared = [HEAD, ruler(HEAD)], [BESIDE_HEAD, ruler(BESIDE_HEAD)]
    notes: list[str] = []
    most = 0.0
    for case in cases:
        found, fastest, peak = rows(case, args)
        most = max(most, peak)
        lines += found
        if case.name in luts:
            compared.append(beside(case, fastest, luts[case.name]))
        if case.note:
            notes.append(f"- {case.name}: {case.note}")
        page.so_far(document(lines, compared, notes, args, most))
    page.done(document(lines, compared, notes, args, most))


def warm_up() -> None:
    """Compile the kernels, so that no row pays for it."""
    graph = random_graph(100)
    checked(graph, engine_for(graph, 2)[1])


if __name__ == "__main__":
    main()
