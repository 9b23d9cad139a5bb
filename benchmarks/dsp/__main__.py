"""Measure the DSP compiler.

python -m benchmarks.dsp [--peers DIR] [--only NAME ...] [--effort high] [--most OPERATIONS]
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.dsp.cases import Case, all_cases, processor_seconds, random_graph
from nnlogic.checks.dsp import prove_ops, prove_program
from nnlogic.dsp.build import ROUNDS
from nnlogic.dsp.cost import cost_of
from nnlogic.dsp.ir import OpGraph, Program
from nnlogic.dsp.machine import bounds
from nnlogic.dsp.place import compile_ops, machine_for

OUT = Path(__file__).parents[2] / "docs" / "benchmarks" / "dsp.md"
MHZ = 250.0
SLICES = (4, 8, 16, 32)
WORDS = 16
BANK_ROWS, STEPS = 1 << 14, 1 << 20
PROVED = 200_000
NOTES = f"""\
Networks as programs of two-input operations for 48-lane DSP logic units. *steps*: length of the
program; *bound*: no schedule is shorter (w work, d depth, p both together, r ports). *used*: share
of slice cycles that do an operation. *contexts*: independent batches of 48 vectors that take turns
to hide the pipeline of 6 cycles. *BRAM* (36 Kb) and *LUT6* (crossbar, small memories) are
estimates. Latency (one group of contexts x 48 vectors, inputs loaded) and throughput are for an
**assumed clock of {MHZ:.0f} MHz**. *build*: from LUTs to operations, ABC included; *compile*:
scheduling, allocation and the rules of the program; both in processor seconds. Every program was
compared with its graph: *proved* follows every value, *sampled* is {64 * WORDS} random vectors
through the interpreter. VGG16 rows are NullaNet's own minimized kernels, all 512 filters of a
layer on one patch; a lane is a position of the convolution. Random graphs read signals at most
4,096 back. One process.
"""
HEAD = (
    "| network | operations | depth | slices | contexts | steps | bound | over | used | BRAM "
    "| LUT6 | latency us | vectors/s | build s | compile s | checked |"
)


def rows(case: Case, sat: bool) -> Iterator[str]:
    """Yield the lines of one network."""
    graph, net, seconds = case.load()
    known = ""
    if net is not None and sat:
        known = "proved" if prove_ops(net, graph).equal else "**wrong**"
    for slices in SLICES:
        start = processor_seconds()
        machine = machine_for(graph, slices, bank_rows=BANK_ROWS, program_steps=STEPS)
        program = compile_ops(graph, machine)
        took = processor_seconds() - start
        bound = bounds(graph, machine)
        cost = cost_of(program, mhz=MHZ)
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
            checked(graph, program) + (f", graph {known}" if first and known else ""),
        ]
        yield "| " + " | ".join(cells) + " |"


def checked(graph: OpGraph, program: Program) -> str:
    """Compare a program with its graph; say how it is known."""
    words = np.random.default_rng(1).integers(0, 2**64, (graph.n_inputs, WORDS), np.uint64)
    if (program.evaluate_words(words) != graph.evaluate_words(words)).any():
        return "**wrong**"
    if graph.n_ops <= PROVED:
        return "proved" if prove_program(graph, program).equal else "**wrong**"
    return f"sampled n={64 * WORDS}"


def main() -> None:
    """Print the table row by row; the file always holds the complete networks."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dsp",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--peers", type=Path, help="directory of vgg/kernel_*_wrapper.v")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="rows whose name starts so")
    parser.add_argument("--effort", default="normal", choices=tuple(ROUNDS))
    parser.add_argument("--most", type=int, default=1_000_000, help="operations of random graphs")
    parser.add_argument("--no-sat", action="store_true", help="do not prove the graphs by SAT")
    parser.add_argument("--out", type=Path, default=OUT)
    args = parser.parse_args()
    names = tuple(args.only or [""])
    cases = [c for c in all_cases(args.peers, args.effort, args.most) if c.name.startswith(names)]
    if not cases:
        parser.error(f"no row is called {' or '.join(names)}")
    warm_up()
    lines = [HEAD, "|---" * HEAD.count(" | ") + "|---|"]
    notes: list[str] = []
    for case in cases:
        for line in rows(case, not args.no_sat):
            print(line, flush=True)
            lines.append(line)
        if case.note:
            notes.append(f"- {case.name}: {case.note}")
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(document(lines, notes, args))
    print(f"written: {args.out}", file=sys.stderr)


def warm_up() -> None:
    """Compile the kernels, so that no row pays for it."""
    graph = random_graph(100)
    checked(graph, compile_ops(graph, machine_for(graph, 2)))


def document(lines: Sequence[str], notes: Sequence[str], args: argparse.Namespace) -> str:
    """Return the page: command, how to read it, table."""
    shown = ["python -m benchmarks.dsp", *(["--peers DIR"] if args.peers else [])]
    shown += [f"--only {' '.join(args.only)}"] if args.only else []
    shown += ["--no-sat"] if args.no_sat else []
    shown += [f"--effort {args.effort} --most {args.most}"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    head = [
        "# The DSP compiler, measured", "", "One run of", "", f"    {' '.join(shown)}", "", NOTES,
    ]  # fmt: skip
    return "\n".join([*head, *lines, "", *notes, "", f"Peak memory {peak:.1f} GB.", ""])


if __name__ == "__main__":
    main()
