"""What a network takes as a pipeline of LUTs, before any tool runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnlogic.core.errors import Problem, TargetMissed
from nnlogic.design.build import BALANCED, build
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.targets import Target
from nnlogic.job.budgets import LUTS, limit_problems, luts_fix, pipeline_fixes
from nnlogic.job.options import Limited, Options
from nnlogic.plan.predict import hopeless_luts, predicted_luts
from nnlogic.plan.proposal import Planning, Proposal
from nnlogic.quant.ir import QuantNet

if TYPE_CHECKING:
    from nnlogic.job.backend import Backend


def proposal(backend: Backend, planning: Planning) -> Proposal:
    """Return the pipeline of a network, with the budgets it misses."""
    opts, target = planning.budgets, planning.target
    schedule: str | int = opts.levels_per_stage or BALANCED
    if opts.clock is not None:
        schedule = target.levels_for(opts.clock)
    design = build(planning.logic(target.lut_size), name="estimate", schedule=schedule)
    figures, missed = lut_problems(design, target, opts)
    luts = design.logic.stats()["luts"]
    mine = planning.options(backend)
    return Proposal(backend, mine, figures, luts=luts, missed=tuple(missed))


def lut_problems(
    design: HardwareDesign, target: Target, opts: Limited
) -> tuple[str, list[Problem]]:
    """Return the figures of a pipeline in words, and the budgets they miss.

    LUTs are those of the mapped network; the clock is the one asked for, else that of the
    target's delay model for the deepest pipeline segment.
    """
    luts = design.logic.stats()["luts"]
    period = target.delay.segment_ns(max(design.segment_depths(), default=1))
    period = 1000.0 / opts.clock if opts.clock is not None else period
    latency = design.latency * period
    fixes = pipeline_fixes(design.logic.stats()["depth"], target.delay, opts)
    missed = limit_problems(
        "the LUT backend",
        opts,
        luts=luts,
        latency_ns=latency,
        rate=1e9 / period,
        fixes={**fixes, LUTS: luts_fix(luts, opts)},
    )
    clock = "asked for" if opts.clock is not None else f"of {target.name}'s delay model"
    return f"{luts} LUTs, {latency:.1f} ns at {1000 / period:.0f} MHz ({clock})", missed


def forecast(net: QuantNet, target: Target, opts: Options) -> str:
    """Say what a pipeline would take, windows unrolled."""
    luts = predicted_luts(net, unrolled=True)
    rate = 1e6 * min(opts.clock or target.clock_mhz, target.fastest_mhz)
    return f"about {luts:,.0f} LUTs, {rate:,.0f} samples per second"


def refuse_hopeless(net: QuantNet, target: Target, opts: Limited) -> None:
    """Raise TargetMissed for budgets far out of reach, in seconds, before anything is minimized.

    LUTs as predicted from the tables of the neurons. A pipeline takes a sample per clock.
    """
    problems = []
    if opts.samples_per_second is not None:
        clock = min(opts.clock or target.fastest_mhz, target.fastest_mhz)
        problems += limit_problems(f"{target.name} at {clock:.0f} MHz", opts, rate=1e6 * clock)
    problems += hopeless_luts("the LUT backend", net, target, opts, unrolled=True)
    if problems:
        raise TargetMissed("budgets out of reach", where=target.name, problems=problems)
