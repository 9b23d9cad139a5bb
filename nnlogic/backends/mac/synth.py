"""Synthesize a run of the mac backend; without DSP cells it is also placed and routed."""

from __future__ import annotations

from nnlogic.backends.mac.rows import COUNT_CHECK, slice_kind
from nnlogic.backends.mac.verify import load_pair
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import Problem, TargetMissed, UsageError
from nnlogic.flows.memories import memory_target, resources_of
from nnlogic.flows.reports import Cells
from nnlogic.flows.synth import SynthResult, add_cells, synthesize
from nnlogic.flows.targets import Target
from nnlogic.hw.mac.verilog import MacPair
from nnlogic.hw.slice_kinds import FABRIC
from nnlogic.job.directory import Run
from nnlogic.job.ladder import verdict_check
from nnlogic.job.tools import Ask, forget_tools, place, put_synth
from nnlogic.report.model import TOTAL, Report
from nnlogic.report.rows import ResourceRow


def check_mac(run: Run, target: Target, primitives: bool) -> None:
    """Raise UsageError where the chains of a run cannot be synthesized like this."""
    pair, _ = load_pair(run)
    problems = []
    if primitives:
        why = "the chains are no LUT network to keep"
        problems.append(Problem("--primitives", why, "leave it out"))
    if pair.mac.slice_kind not in (slice_kind(target), FABRIC):
        why = f"the chains are {pair.mac.slice_kind} cells, which {target.name} does not have"
        fix = f"compile again with --target {target.asked}"
        problems.append(Problem("--target", why, fix))
    if problems:
        raise UsageError("the chains cannot be synthesized like this", problems=problems)


def synth_mac(run: Run, ask: Ask) -> tuple[Report, TargetMissed | None]:
    """Return the report with the figures of chains and tail, and the error of a missed clock.

    Delay lines may become shift registers in LUTs, which are counted as LUTs.

    Raises
    ------
    ToolNotFound, ToolFailed, ToolTimeout
        A program is missing or failed.
    """
    pair, _ = load_pair(run)
    files = [f for f in sorted((run.path / "rtl").glob("*.v")) if f.stem != f"{pair.name}_stream"]
    target = memory_target(ask.target)
    result = synthesize(
        files, pair.name, target, run.path / "synth", timeout=ask.timeout, progress=ask.progress
    )
    chains = result.modules[pair.mac.name]
    others = add_cells(cells for name, cells in result.modules.items() if name != pair.mac.name)
    how = f"{result.target}: {result.tool}, {result.command}; "
    rows = [
        _row("multiply-accumulate", chains, target),
        _row("tail and valid chain", others, target),
        _row(TOTAL, result.total, target, how),
    ]
    report = put_synth(forget_tools(run.report), run.path, result, *rows)
    report = report.with_check(6, verdict_check(COUNT_CHECK, _counted(pair, result)))
    goal = run.report.timing.clock_mhz
    return place(report, run.path, result, target, ask, goal, pair.latency)


def _row(title: str, cells: Cells, target: Target, how: str = "") -> ResourceRow:
    found = resources_of(cells, target)
    memory = f"{found.memory_luts} of the LUTs are delay lines"
    detail = f"{found.dsps} DSP cells, {memory}, {found.carry} carry"
    return ResourceRow(title, "synth", found.luts, found.ffs, found.wide_muxes, how + detail)


def _counted(pair: MacPair, result: SynthResult) -> Verdict:
    """Whether synthesis kept every slice, and made no others."""
    wanted = 0 if pair.mac.slice_kind == FABRIC else pair.mac.slices
    found = result.total.dsps
    detail = f"{found} DSP cells, {wanted} slices"
    return Verdict("MacNet", "netlist", found == wanted, "counted", detail=detail)
