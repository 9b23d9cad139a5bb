"""What engines a network could run on, before one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnlogic.backends.dsp.choice import choose_engine, with_slices
from nnlogic.backends.dsp.model.build import build_ops
from nnlogic.backends.dsp.model.cost import crossbar_luts, modelled_mhz
from nnlogic.backends.dsp.model.ops import LANES
from nnlogic.core.errors import UsageError
from nnlogic.flows.targets import Target
from nnlogic.hw.slice_kinds import FABRIC
from nnlogic.job.options import Options
from nnlogic.plan.predict import predicted_luts
from nnlogic.plan.proposal import Planning, Proposal
from nnlogic.quant.ir import QuantNet
from nnlogic.quant.kernel_network import leading_windows

if TYPE_CHECKING:
    from nnlogic.job.backend import Backend

PAIRS = 2
OPS_PER_LUT = 10.0
"""Operations for each LUT6 that is predicted: `jets_xs` of the zoo 9.9, `nid_s` 13.5."""
TRIED = (1, 4, 8)
"""Slices of which a forecast speaks; a larger crossbar takes more LUTs than most networks."""


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
    return [Proposal(backend, opts, figures, cost.throughput, cost.luts)]


def forecast(net: QuantNet, target: Target, opts: Options) -> str:
    """Say what the smallest engine would take that is as fast as asked, roughly.

    Raises
    ------
    UsageError
        The target has no DSP slices.
    """
    refuse_fabric(target)
    luts = predicted_luts(net)
    if luts is None or leading_windows(net):
        return ""
    operations = OPS_PER_LUT * luts
    asked = getattr(opts, "samples_per_second", None) or 0.0

    def rate(slices: int) -> float:
        return LANES * slices * 1e6 * modelled_mhz(slices, 2 * slices) / operations

    slices = next((s for s in TRIED if rate(s) >= asked), TRIED[-1])
    nanoseconds = 1e3 * operations / slices / modelled_mhz(slices, 2 * slices)
    engine = f"an engine of {slices} slice{'s' * (slices > 1)}"
    return (
        f"{engine}, about {crossbar_luts(slices, 2 * slices):,} LUTs, "
        f"{rate(slices):,.0f} vectors per second in groups of {LANES}, {nanoseconds:,.0f} ns and "
        f"more, for about {operations:,.0f} operations"
    )


def refuse_fabric(target: Target) -> None:
    """Raise UsageError where a target has no DSP slices: an engine of LUTs saves none."""
    if target.dsp is None or target.dsp.kind == FABRIC:
        raise UsageError(
            f"{target.name} has no DSP logic units",
            where="--target",
            why=f"the slices of {target.title} do no bitwise logic on wide words",
            fix=with_slices(),
        )
