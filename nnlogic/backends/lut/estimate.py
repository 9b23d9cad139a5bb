"""What a network takes as a pipeline of LUTs, before any tool runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnlogic.core.errors import Problem
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.targets import Target
from nnlogic.job.options import Budgeted
from nnlogic.plan.proposal import Planning, Proposal

if TYPE_CHECKING:
    from nnlogic.job.backend import Backend


def proposal(backend: Backend, planning: Planning) -> Proposal:
    """Return the pipeline of a network, with the budgets it misses."""
    opts, target = planning.budgets, planning.target
    schedule: str | int = opts.levels_per_stage or "layer"
    if opts.clock is not None:
        schedule = target.levels_for(opts.clock)
    design = build(planning.logic(target.lut_size), name="estimate", schedule=schedule)
    figures, missed = lut_problems(design, target, opts)
    return Proposal(backend, planning.options(backend), figures, missed=tuple(missed))


def lut_problems(
    design: HardwareDesign, target: Target, opts: Budgeted
) -> tuple[str, list[Problem]]:
    """Return the figures of a pipeline in words, and the budgets they miss.

    LUTs are those of the mapped network; the clock is the one asked for, else that of the
    target's delay model for the deepest pipeline segment.
    """
    luts = design.logic.stats()["luts"]
    period = target.delay.segment_ns(max(design.segment_depths(), default=1))
    period = 1000.0 / opts.clock if opts.clock is not None else period
    latency = design.latency * period
    out = []
    for name, got, most in (
        ("--max-luts", luts, opts.max_luts),
        ("--max-latency, ns", latency, opts.max_latency),
    ):
        if most is not None and got > most:
            why = f"the LUT backend needs {got:.4g}, {got - most:.4g} more than {most:.4g}"
            out.append(Problem(name, why, f"allow {got:.4g}"))
    rate, asked = 1e9 / period, opts.samples_per_second
    if asked is not None and rate < asked:
        why = f"the LUT backend takes {rate:,.0f}, one per clock, {asked - rate:,.0f} fewer than "
        out.append(Problem("--samples-per-second", f"{why}{asked:,.0f}", f"allow {rate:,.0f}"))
    clock = "asked for" if opts.clock is not None else f"of {target.name}'s delay model"
    return f"{luts} LUTs, {latency:.1f} ns at {1000 / period:.0f} MHz ({clock})", out
