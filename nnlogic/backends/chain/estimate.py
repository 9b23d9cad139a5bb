"""What plans would take, before any is compiled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnlogic.backends.chain.choice import Planner, nearest_problems
from nnlogic.backends.chain.options import ChainOptions
from nnlogic.backends.dsp.estimate import refuse_fabric
from nnlogic.plan.proposal import Planning, Proposal

if TYPE_CHECKING:
    from nnlogic.job.backend import Backend

PAIRS = 2


def proposals(backend: Backend, planning: Planning) -> list[Proposal]:
    """Return the plans within the budgets, best first; else the nearest, and what they miss."""
    refuse_fabric(planning.target)
    layers = tuple(layer.name for layer in planning.net.layers)
    plain = ",".join("lut" for _ in layers)
    opts: ChainOptions = planning.options(backend, plan=plain)
    logic, pairs = planning.logic(planning.target.lut_size), planning.logic(PAIRS)
    found = Planner(layers, logic, pairs, planning.target, opts).candidates()
    out = []
    for candidate in found:
        if not candidate.missed:
            mine = replace(opts, plan=candidate.plan, dsps=None)
            design = candidate.design
            figures = f"plan {candidate.plan}: {design.throughput:,.0f} vectors per second"
            luts = design.luts or 0
            out.append(Proposal(backend, mine, figures, design.throughput, luts))
    if not out:
        missed = tuple(nearest_problems(found))
        out.append(Proposal(backend, None, "no plan", missed=missed))
    return out
