"""What chains and the rest of a network would take, before anything is minimized."""

from __future__ import annotations

from nnlogic.backends.mac.model.lower import compile_mac
from nnlogic.backends.mac.options import MacOptions
from nnlogic.backends.mac.rows import slice_kind
from nnlogic.core.errors import TargetMissed
from nnlogic.flows.targets import Target
from nnlogic.job.options import Options
from nnlogic.plan.predict import hopeless_luts, predicted_luts
from nnlogic.quant.ir import QuantNet


def forecast(net: QuantNet, target: Target, opts: Options) -> str:
    """Say what slices and LUTs the sums of the first layer, and all other layers, would take.

    Raises
    ------
    UnsupportedModel
        The first layer is no sum of integers.
    """
    plan = compile_mac(net, slice_kind(target))
    rest = predicted_luts(plan.tail)
    rate = 1e6 * (opts.clock or target.clock_mhz)
    luts = "" if rest is None else f", about {rest:,.0f} LUTs behind them"
    return f"{plan.mac.slices} slices ({plan.mac.slice_kind}){luts}, {rate:,.0f} samples per second"


def refuse_hopeless(net: QuantNet, target: Target, opts: MacOptions) -> None:
    """Raise TargetMissed for a budget of LUTs far out of reach of the layers behind the chains.

    Raises
    ------
    UnsupportedModel
        The first layer is no sum of integers.
    """
    if opts.max_luts is None:
        return
    tail = compile_mac(net, slice_kind(target)).tail
    problems = hopeless_luts("the layers behind the chains", tail, target, opts)
    if problems:
        raise TargetMissed("budgets out of reach", where=target.name, problems=problems)
