"""What a network takes as a stream, for ``--backend auto``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nnlogic.backends.stream.options import StreamOptions
from nnlogic.backends.stream.plan import clock_of, design_of, planned_cut
from nnlogic.backends.stream.section import budget_problems, stream_facts
from nnlogic.core.errors import TargetMissed
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.targets import Target
from nnlogic.job.budgets import LATENCY, limit_problems
from nnlogic.job.options import Options
from nnlogic.job.stages.logic import ENGINE_SECONDS
from nnlogic.logic.build import minimize
from nnlogic.plan.predict import hopeless_luts, predicted_luts
from nnlogic.plan.proposal import Planning, Proposal
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.kernel_network import Part, leading_windows
from nnlogic.tables.build import tabulate
from nnlogic.tables.passes import simplify

if TYPE_CHECKING:
    from nnlogic.job.backend import Backend


def proposals(backend: Backend, planning: Planning) -> Iterable[Proposal]:
    """Yield the stream of a network, with the budgets it misses; none without windows.

    Raises
    ------
    TargetMissed, UsageError
        It does not stream at the rate that is asked for.
    """
    if not leading_windows(planning.net):
        return
    opts, target = planning.options(backend), planning.target
    parts = planned_cut(planning.net, opts, target)
    cores = {part.net.name: _core(part, planning, opts) for part in parts.parts}
    design = design_of(parts, cores, opts, target)
    facts = stream_facts(design, cores, target, clock_of(opts, target))
    figures = (
        f"{facts.luts} LUTs and {facts.brams} block memories as a stream, "
        f"{1000 * facts.latency_cycles / facts.clock_mhz:.1f} ns and "
        f"{facts.frames_per_second:,.0f} frames per second at {facts.clock_mhz:.0f} MHz"
    )
    missed = tuple(budget_problems(facts, opts))
    yield Proposal(backend, opts, figures, facts.frames_per_second, facts.luts, missed)


def refuse_hopeless(net: QuantNet, target: Target, opts: StreamOptions) -> None:
    """Raise TargetMissed for budgets far out of reach, in seconds, before anything is minimized.

    LUTs as predicted, each kernel once; a frame is as long as its positions take to come in.
    """
    problems = hopeless_luts("the stream", net, target, opts, approximate=False)
    windows = leading_windows(net)
    if windows and not opts.continuous:
        lanes, clock = opts.positions_per_clock or 1, clock_of(opts, target)
        least = 1e3 * windows[0].frame.positions / lanes / clock
        who = f"a frame at {lanes} positions per clock of {clock:g} MHz"
        fix = f"--positions-per-clock {2 * lanes}, {least / 2:,.4g} ns and more"
        problems += limit_problems(who, opts, latency_ns=least, fixes={LATENCY: fix})
    if problems:
        raise TargetMissed("budgets out of reach", where=target.name, problems=problems)


def forecast(net: QuantNet, target: Target, opts: Options) -> str:
    """Say what a stream of one position per clock would take."""
    windows = leading_windows(net)
    luts = predicted_luts(net) if windows else None
    if luts is None:
        return ""
    positions = windows[0].frame.positions
    clock = opts.clock or target.clock_mhz
    return (
        f"about {luts:,.0f} LUTs and its line buffers, {1e6 * clock / positions:,.0f} frames per "
        f"second, {1e3 * positions / clock:,.0f} ns and more"
    )


def _core(part: Part, planning: Planning, opts: Options) -> HardwareDesign:
    """Minimize a part as its run would; results come from the cache then."""
    tables = tabulate(
        part.net, limit=opts.table_limit, arith=opts.arith, progress=planning.progress
    )
    simple, _ = simplify(
        tables, effort=opts.effort, timeout=opts.tool_timeout, progress=planning.progress
    )
    logic = minimize(
        simple,
        k=planning.target.lut_size,
        effort=opts.effort,
        objective=opts.objective,
        jobs=opts.jobs,
        timeout=min(ENGINE_SECONDS, opts.tool_timeout),
        progress=planning.progress,
    )
    schedule: str | int = opts.levels_per_stage or "layer"
    if opts.clock is not None:
        schedule = planning.target.levels_for(opts.clock)
    return build(logic, name=part.net.name, schedule=schedule, input_register=False, stream=False)
