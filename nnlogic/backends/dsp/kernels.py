"""A network whose program does not fit: kernels of one engine, and what their run says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnlogic.backends.dsp import section as dsp_section
from nnlogic.backends.dsp.checks.kernels import ORDER_FAULT, WORD_FAULT
from nnlogic.backends.dsp.choice import assumed_clock, most_slices, within
from nnlogic.backends.dsp.model.cost import Cost, cost_of
from nnlogic.backends.dsp.model.cut import Cut, cut_kernels, kernels_cost
from nnlogic.backends.dsp.model.ir import OpGraph, Program
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.backends.dsp.model.machine import bounds
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.backends.dsp.model.place import compile_ops
from nnlogic.backends.dsp.model.plot import activity
from nnlogic.backends.dsp.model.search import Point
from nnlogic.backends.dsp.options import DspOptions
from nnlogic.backends.dsp.rows import engine_report
from nnlogic.core.errors import TargetMissed
from nnlogic.core.names import identifier
from nnlogic.flows.targets import Target
from nnlogic.hw.dsp.commands import command_bits
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.job.directory import Run
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact, Check

if TYPE_CHECKING:
    from nnlogic.job.context import Context

SIMULATED = ", simulation"
DEFINITION = (
    "Clock cycles of one group of vectors through all kernels: from the first packet being offered "
    "to the last beat out, the host answering at once; the initiation interval is the sum of the "
    "kernels' intervals. In ns: cycles divided by the clock."
)


@dataclass(frozen=True)
class KernelsPoint:
    """An engine of several kernels, and its cost."""

    cut: Cut
    cost: Cost

    @property
    def shape(self) -> EngineShape:
        """Of the engine."""
        return shape_of(self.cut.chain, self.cut.memory_words)


def shape_of(chain: KernelChain, words: int) -> EngineShape:
    """Return the shape of a chain's engine with a program memory of so many words."""
    return EngineShape.of_all(chain.programs, words)


def choose_kernels(graph: OpGraph, target: Target, opts: DspOptions) -> KernelsPoint | Point:
    """Return an engine of several kernels; or of one, where other memories do for it.

    Raises
    ------
    MemoryMissed
        Even small kernels do not fit.
    TargetMissed
        More kernels are needed than ``--kernels`` allows, or a budget is missed.
    """
    slices = most_slices(graph, target, opts)
    cut = cut_kernels(graph, slices, **opts.memories)
    count = len(cut.chain.programs)
    if opts.most_kernels is not None and count > opts.most_kernels:
        raise TargetMissed(
            "the program needs more kernels", where=f"--kernels {opts.most_kernels}",
            why=f"{count} kernels of at most {cut.machine.program_steps} words, with "
            f"{cut.machine.bank_rows} rows a bank, on {slices} slices: "
            f"{count - opts.most_kernels} more than allowed",
            fix=f"--kernels {count} or auto, more slices, or larger memories (--program-words, "
            "--bank-rows)",
        )  # fmt: skip
    mhz = assumed_clock(target, opts)
    if count == 1:
        # A kernel has only the bits it reads as inputs; an engine alone has the network's ports.
        program = compile_ops(graph, cut.machine)
        cost = cost_of(program, mhz=mhz)
        return within([Point(program, bounds(graph, cut.machine), cost)], target, opts)
    return costed(cut, target, opts)


def costed(cut: Cut, target: Target, opts: DspOptions) -> KernelsPoint:
    """Return an engine of several kernels with its cost.

    Raises
    ------
    TargetMissed
        A budget is missed.
    """
    chain, words = cut.chain, cut.memory_words
    cycles = pass_cycles(chain, shape_of(chain, words), 1)
    runs = [runs for runs, _ in chain.times]
    mhz = assumed_clock(target, opts)
    cost = kernels_cost(chain.programs, words, cycles, runs=runs, mhz=mhz)
    within([Point(chain.programs[0], cut.bound, cost)], target, opts)
    return KernelsPoint(cut, cost)


def pass_cycles(chain: KernelChain, shape: EngineShape, groups: int) -> int:
    """Return the cycles of so many groups through all kernels."""
    kernels = zip(shape.kernels, chain.times, strict=True)
    return sum(k.visit(runs * groups, load=not shape.resident) for k, (runs, _) in kernels)


def open_kernels_ladder(report: Report) -> Report:
    """Return a report with the checks that only several kernels have, not run."""
    for title in (ORDER_FAULT, WORD_FAULT):
        report = report.with_check(0, Check(title)).with_check(0, Check(title + SIMULATED))
    return report


def kernels_report(
    report: Report, point: KernelsPoint, depth: int, kind: str, choice: str
) -> Report:
    """Return a report with the section, timing and estimate of an engine of several kernels."""
    chain, shape, cost = point.cut.chain, point.shape, point.cost
    one = Point(chain.programs[0], point.cut.bound, cost)
    report = engine_report(report, one, depth, kind, choice)
    first = dsp_section.of(report)
    if first is None:
        raise ValueError("not the report of a DSP run")
    cycles = pass_cycles(chain, shape, 1)
    dsp = replace(
        first,
        operations=chain.n_ops,
        steps=chain.steps,
        latency_cycles=cycles,
        interval_cycles=cost.interval,
        stream_cycles=cycles,
        utilization=round(100 * chain.utilization, 2),
        activity=activity(chain),
        tried_why="other engines are not compared with one of several kernels",
        kernels=len(chain.programs),
        memory_words=shape.words,
        loaded_words=0 if shape.resident else chain.steps,
        traffic_words=chain.traffic,
        pass_cycles=cycles - cost.interval,
    )
    timing = replace(
        report.timing, latency_cycles=cycles, initiation_interval=cost.interval,
        definition=DEFINITION,
    ).estimated()  # fmt: skip
    return report.with_section(dsp_section.section(dsp)).replace(timing=timing)


def write_kernels_engine(ctx: Context, point: KernelsPoint, kind: str) -> tuple[Path, ...]:
    """Write the engine's Verilog and the host's schedule, and name the latter in the report."""
    from nnlogic.hw.dsp.host import write_host
    from nnlogic.hw.dsp.verilog import write_kernels
    from nnlogic.job.commands import origin

    chain, words = point.cut.chain, point.cut.memory_words
    rtl = ctx.folder / "rtl"
    files = write_kernels(
        chain.name,
        chain.programs,
        rtl,
        most=words,
        kind=kind,
        origin=origin(ctx),
        progress=ctx.progress,
    )
    path = host_path(ctx.folder, chain)
    write_host(chain, path, most=words)
    what = "what a host sends to which stream, and keeps between kernels"
    ctx.put(Artifact(f"rtl/{path.name}", what))
    return files


def has_kernels(run: Run) -> bool:
    """Whether a run holds programs that an engine runs one after the other."""
    return run.ir_path("kernels").exists()


def host_path(folder: Path, chain: KernelChain) -> Path:
    """Return the schedule file of a run."""
    return folder / "rtl" / f"{identifier(chain.name)}_host.json"


@dataclass(frozen=True)
class SavedEngine:
    """What synthesis must know of the engine of a run.

    Attributes
    ----------
    name : str
        Of its module.
    widths : tuple of int
        As `nnlogic.backends.dsp.flow.synthesize_engine` takes them.
    cycles : int
        Latency.
    """

    name: str
    widths: tuple[int, int] | tuple[int, int, int]
    cycles: int


def saved_engine(run: Run) -> SavedEngine:
    """Return the engine of a DSP run."""
    dsp = dsp_section.of(run.report)
    if has_kernels(run) and dsp is not None:
        chain = KernelChain.load(run.ir_path("kernels"))
        shape = shape_of(chain, dsp.memory_words)
        inner = (LANES * shape.input_banks, LANES * len(shape.emitters), command_bits(shape))
        return SavedEngine(identifier(chain.name), inner, dsp.latency_cycles)
    program = Program.load(run.ir_path("program"))
    shape = EngineShape.of(program)
    widths = LANES * shape.input_banks, LANES * len(shape.emitters)
    return SavedEngine(identifier(program.name), widths, program.cycles)
