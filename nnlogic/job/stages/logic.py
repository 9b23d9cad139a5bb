"""Tables minimized to logic: neuron by neuron, then across neurons where that is asked for."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from nnlogic.checks import check
from nnlogic.core.progress import Progress
from nnlogic.job import facts
from nnlogic.job.context import Context
from nnlogic.job.options import Options
from nnlogic.job.stage import Comparison, Stage
from nnlogic.logic import build
from nnlogic.logic.ir import LogicNet
from nnlogic.logic.network import net as network
from nnlogic.logic.portfolio import OBJECTIVES
from nnlogic.logic.rewrite import cone_of
from nnlogic.report.model import Row
from nnlogic.report.words import CONSTANT

# One engine on one function; others of the portfolio go on when it is exceeded.
ENGINE_SECONDS = 60.0
ASSEMBLED = "assembled"
MINIMIZED_CHECK = "TableNet = LogicNet"
COLLAPSED = "the network ignores them there, as after training that collapsed"
OPTIMIZED_CHECK = "LogicNet = optimized LogicNet"


def logic_stages(ctx: Context, k: int, *, luts: bool = True) -> list[Stage]:
    """Return the stages from tables to logic.

    Parameters
    ----------
    ctx : Context
    k : int
        Inputs of a node.
    luts : bool
        Whether nodes are LUTs, to be counted as such.
    """
    if ctx.opts.optimize == "none" or ctx.opts.reuses("logic"):
        return [LogicStage(k, luts)]
    return [AssembledStage(k), LogicStage(k, luts)]


def _minimized(ctx: Context, k: int) -> LogicNet:
    opts = ctx.opts
    logic, records = build.minimize_with_records(
        ctx.values["simplified"],
        k=k,
        effort=opts.effort,
        objective=opts.objective,
        jobs=opts.jobs,
        timeout=min(ENGINE_SECONDS, opts.tool_timeout),
        progress=ctx.progress,
    )
    ctx.put(*facts.engine_facts(records))
    return logic


def optimized(net: LogicNet, opts: Options, progress: Progress) -> LogicNet:
    """Return a network optimized as ``--optimize`` says, by its objective never a worse one."""

    def run(net: LogicNet, layers: str) -> LogicNet:
        return network.optimize_net(
            net,
            layers=layers,
            objective=opts.objective,
            effort=opts.effort,
            jobs=opts.jobs,
            progress=progress,
        )

    if opts.optimize == "none":
        return net

    def cost(net: LogicNet) -> tuple[int, ...]:
        return OBJECTIVES[opts.objective](cone_of(net))

    apart = min(net, run(net, "keep"), key=cost)
    if opts.optimize == "layer":
        return apart
    merged = run(net, "merge")
    # Blocks of layers are other blocks: across layers must not be worse than inside them.
    return min(apart, run(apart, "merge"), key=cost) if cost(apart) < cost(merged) else merged


class AssembledStage(Stage):
    """The network as assembled from its neurons, before it is optimized as one."""

    name = ASSEMBLED
    group = "logic"
    kind = LogicNet
    before = "simplified"

    def __init__(self, k: int) -> None:
        self.k = k

    def make(self, ctx: Context) -> LogicNet:
        """Minimize each neuron."""
        return _minimized(ctx, self.k)

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare with the tables."""
        simple, logic = ctx.values["simplified"], ctx.values[self.name]
        yield Comparison(3, MINIMIZED_CHECK, lambda: check(simple, logic))


class LogicStage(Stage):
    """The logic that is built."""

    name = group = "logic"
    kind = LogicNet
    before = "simplified"

    def __init__(self, k: int, luts: bool) -> None:
        self.k, self.luts = k, luts

    def make(self, ctx: Context) -> LogicNet:
        """Minimize each neuron, or optimize what was assembled of them."""
        if ASSEMBLED not in ctx.values:
            return _minimized(ctx, self.k)
        return optimized(ctx.values[ASSEMBLED], ctx.opts, ctx.progress)

    def facts(self, ctx: Context) -> Iterable[Row]:
        """Return what became of the tables of each layer."""
        logic = ctx.values[self.name] if self.luts else None
        return facts.funnel_facts(ctx.values["tables"], logic, ctx.target.lut_size)

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare with what it was made of."""
        logic = ctx.values[self.name]
        if ASSEMBLED in ctx.values:
            before, title = ctx.values[ASSEMBLED], OPTIMIZED_CHECK
        else:
            before, title = ctx.values["simplified"], MINIMIZED_CHECK
        yield Comparison(3, title, lambda: check(before, logic))

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Warn of outputs that never change; in approximate mode, say what was gained."""
        found = tuple(constant_outputs(ctx.values[self.name]))
        ctx.report = ctx.report.replace(warnings=(*ctx.report.warnings, *found))
        if ctx.approximate.on:
            logic = ctx.values[self.name]
            ctx.report = ctx.approximate.with_luts(ctx.report, logic, ctx.progress)
        return ()


def constant_outputs(logic: LogicNet) -> Iterable[str]:
    """Say which outputs are the same whatever the inputs, as after training that collapsed."""
    counts = logic.fan_in_counts
    at = 0
    for port in logic.outputs:
        nodes = [s - logic.n_inputs for s in logic.output_signals[at : at + port.format.bits]]
        at += port.format.bits
        if all(node >= 0 and counts[node] == 0 for node in nodes):
            raw = sum((int(logic.tables[node]) & 1) << bit for bit, node in enumerate(nodes))
            value = int(port.format.from_raw(np.array(raw)))
            yield f"output {port.name} {CONSTANT} {value}, whatever the inputs: {COLLAPSED}"
