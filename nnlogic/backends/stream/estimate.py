"""What a network takes as a stream, for ``--backend auto``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nnlogic.backends.stream.plan import clock_of, design_of, planned_cut
from nnlogic.backends.stream.section import budget_problems, stream_facts
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign
from nnlogic.job.options import Options
from nnlogic.job.stages.logic import ENGINE_SECONDS
from nnlogic.logic.build import minimize
from nnlogic.plan.proposal import Planning, Proposal
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
    design = design_of(planning.net, parts, cores, opts, target)
    facts = stream_facts(design, cores, target, clock_of(opts, target))
    figures = (
        f"{facts.luts} LUTs and {facts.brams} block memories as a stream, "
        f"{1000 * facts.latency_cycles / facts.clock_mhz:.1f} ns and "
        f"{facts.frames_per_second:,.0f} frames per second at {facts.clock_mhz:.0f} MHz"
    )
    missed = tuple(budget_problems(facts, opts))
    yield Proposal(backend, opts, figures, facts.frames_per_second, missed)


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
