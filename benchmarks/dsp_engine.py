"""Measure the DSP engine: cells from synthesis, and a real clock for the fabric variant.

python -m benchmarks.dsp_engine [--slices 4 8 16] [--targets xc7 xcup] [--pnr 4] [--out FILE]

The program is the jet tagging example's. The rows of the ECP5 target are the same engine with
slices of ordinary LUTs, placed and routed by nextpnr.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nnlogic
from benchmarks.page import Page, add_write
from nnlogic.backends.dsp.flow import synthesize_engine
from nnlogic.backends.dsp.model.build import build_ops
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.backends.dsp.model.place import compile_ops, machine_for
from nnlogic.core.names import identifier
from nnlogic.flows.memories import Resources, memory_target
from nnlogic.flows.pnr import place_and_route
from nnlogic.flows.synth import SynthResult
from nnlogic.flows.targets import Target
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.hw.dsp.verilog import write_engine
from nnlogic.hw.slice_kinds import DSP48E1, DSP48E2, FABRIC

EXAMPLE = Path(__file__).parents[1] / "examples" / "jets" / "jets.safetensors"
KINDS = {"xc7": DSP48E1, "xcup": DSP48E2, "ecp5": FABRIC}
HEAD = (
    "| target | slices | input banks | contexts | steps | DSP | block RAM | LUTs | of them memory "
    "| wide muxes | flip-flops | Fmax MHz |"
)


def jets(graph: Path | None) -> OpGraph:
    """Return the example's operations, from a file when there is one."""
    if graph is not None and graph.exists():
        return OpGraph.load(graph)
    net = nnlogic.load(EXAMPLE)
    made = build_ops(nnlogic.minimize(nnlogic.tabulate(net), jobs=1), effort="fast")
    if graph is not None:
        made.save(graph)
    return made


def synthesized(program: Program, target: Target, folder: Path) -> tuple[SynthResult, Resources]:
    """Write the engine and synthesize it."""
    shape = EngineShape.of(program)
    files = write_engine(program, folder, kind=KINDS[target.name])
    widths = LANES * shape.input_banks, LANES * len(shape.emitters)
    top = identifier(program.name)
    return synthesize_engine(files[:1], top, widths, target, folder, timeout=3000)


def row(program: Program, target: Target, found: Resources, fmax: float | None) -> str:
    """Return one line of the table."""
    cells = [
        target.name, program.slices, program.input_banks, program.contexts, f"{program.steps:,}",
        found.dsps, found.brams, f"{found.luts:,}", f"{found.memory_luts:,}",
        f"{found.wide_muxes:,}", f"{found.ffs:,}", "" if fmax is None else f"{fmax:.1f}",
    ]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def rows(graph: OpGraph, args: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of the table."""
    with tempfile.TemporaryDirectory(prefix="nnlogic-engine-") as scratch:
        for slices in args.slices:
            program = compile_ops(graph, machine_for(graph, slices))
            for name in args.targets:
                target = Target.named(name)
                folder = Path(scratch, f"{name}{slices}")
                yield row(program, target, synthesized(program, target, folder)[1], None)
        for slices in args.pnr:
            program = compile_ops(graph, machine_for(graph, slices))
            target = Target.named("ecp5")
            folder = Path(scratch, f"pnr{slices}")
            result, found = synthesized(program, target, folder)
            placed = place_and_route(result, memory_target(target), folder / "pnr", timeout=3000)
            yield row(program, target, found, placed.fmax_mhz)


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dsp_engine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--slices", nargs="*", type=int, default=[4, 8, 16])
    parser.add_argument("--targets", nargs="*", default=["xc7", "xcup"], choices=[*KINDS])
    parser.add_argument("--pnr", nargs="*", type=int, default=[4], metavar="SLICES")
    parser.add_argument("--graph", type=Path, help="file that keeps the operations between runs")
    add_write(parser, "dsp-engine.md")
    args = parser.parse_args()
    # The published page has a text of its own around the table.
    page = Page(parser, args.out, part=True)
    lines = [HEAD, "|---" * (HEAD.count("|") - 1) + "|"]
    print("\n".join(lines))
    for line in rows(jets(args.graph), args):
        print(line, flush=True)
        lines.append(line)
    page.done("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
