"""What engines a network could run on, before one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnlogic.backends.dsp.choice import choose_engine, with_slices
from nnlogic.backends.dsp.model.build import build_ops
from nnlogic.core.errors import UsageError
from nnlogic.flows.targets import Target
from nnlogic.hw.slice_kinds import FABRIC
from nnlogic.plan.proposal import Planning, Proposal

if TYPE_CHECKING:
    from nnlogic.job.backend import Backend

PAIRS = 2


def proposals(backend: Backend, planning: Planning) -> list[Proposal]:
    """Return the fastest engine within the budgets.

    Raises
    ------
    UsageError
        The target has no DSP slices, or the options do not fit an engine.
    TargetMissed
        No engine is within.
    """
    refuse_fabric(planning.target)
    opts = planning.options(backend)
    graph = build_ops(planning.logic(PAIRS), effort=opts.effort)
    point = choose_engine(graph, planning.target, opts)
    cost = point.cost
    figures = (
        f"one engine of {cost.slices} slices for all layers: {cost.throughput:,.0f} vectors per "
        f"second, {cost.latency_ns:,.0f} ns"
    )
    return [Proposal(backend, opts, figures, cost.throughput)]


def refuse_fabric(target: Target) -> None:
    """Raise UsageError where a target has no DSP slices: an engine of LUTs saves none."""
    if target.dsp is None or target.dsp.kind == FABRIC:
        raise UsageError(
            f"{target.name} has no DSP logic units",
            where="--target",
            why=f"the slices of {target.title} do no bitwise logic on wide words",
            fix=with_slices(),
        )
