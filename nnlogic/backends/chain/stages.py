"""Stages of a mixed design: the cut into segments, these as runs of their own, the chain."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from nnlogic.backends.chain.checks import check_rows, check_structure, run_chain
from nnlogic.backends.chain.choice import share_slices
from nnlogic.backends.chain.model.chain import Chain, Segment, segments_of
from nnlogic.backends.chain.model.split import split
from nnlogic.backends.chain.options import ChainOptions
from nnlogic.backends.chain.rows import (
    OUTPUTS,
    STRUCTURE,
    mixed_design,
    open_mixed_ladder,
    with_mixed,
    with_segment,
)
from nnlogic.backends.chain.segments import (
    chain_shape,
    compile_segment,
    open_parts,
    rows_between,
    segment_row,
)
from nnlogic.core.errors import Problem, TargetMissed
from nnlogic.flows.vivado import write_vivado
from nnlogic.hw.chain.top import write_chain
from nnlogic.hw.dsp.vectors import write_vector_engine
from nnlogic.job.commands import origin
from nnlogic.job.context import Context
from nnlogic.job.facts import pin_facts
from nnlogic.job.ladder import accuracy_rows
from nnlogic.job.stage import Comparison, Stage
from nnlogic.report.model import Row
from nnlogic.report.rows import Artifact, StepRow


def _options(ctx: Context) -> ChainOptions:
    return cast(ChainOptions, ctx.opts)


def planned_segments(ctx: Context) -> tuple[Segment, ...]:
    """Return the segments of the plan, each engine with its slices."""
    opts = _options(ctx)
    segments = segments_of([kind for kind, _ in opts.entries])
    segments = tuple(replace(s, slices=opts.entries[s.first][1]) for s in segments)
    if any(s.kind == "dsp" and s.slices is None for s in segments):
        return share_slices(ctx.net, segments, ctx.target, opts)
    return segments


class ChainStage(Stage):
    """The network cut into the networks of its segments."""

    name = "chain"
    group = "quant"
    kind = Chain

    def make(self, ctx: Context) -> Chain:
        """Cut the network; the rungs of the ladder follow from the segments."""
        with ctx.progress.step("slices of the engines"):
            segments = planned_segments(ctx)
        chain = Chain(ctx.name, ctx.net.inputs, ctx.net.outputs, segments)
        ctx.report = open_mixed_ladder(ctx.report, chain)
        return chain

    def use(self, ctx: Context, value: Chain) -> None:
        """Keep the networks of the segments beside the chain."""
        super().use(ctx, value)
        ctx.values["parts"] = list(split(ctx.net, value.segments, ctx.name))

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare layers, wires and outputs with the whole network."""
        net, parts, codes = ctx.net, ctx.values["parts"], ctx.rows.codes
        yield Comparison(2, STRUCTURE, lambda: check_structure(net, parts))
        yield Comparison(2, OUTPUTS, lambda: check_rows(net, parts, codes))


class SegmentsStage(Stage):
    """Each segment compiled as a run of its own, with its own ladder."""

    name = "segments"
    group = "design"

    def make(self, ctx: Context) -> None:
        """Compile the segments one after the other, until one fails."""
        chain, parts = ctx.values["chain"], ctx.values["parts"]
        own = ctx.values["reports"] = []
        rows = rows_between(parts, ctx.rows)
        for segment, net, entering in zip(chain.segments, parts, rows, strict=True):
            with ctx.progress.step(f"{segment.title()}: {len(net.layers)} layers"):
                report = compile_segment(
                    net, segment, ctx.folder, _options(ctx),
                    target=ctx.target, rows=entering, progress=ctx.progress,
                )  # fmt: skip
            own.append(report)
            ctx.report = with_segment(ctx.report, segment, report)
            ctx.put(
                StepRow(segment.title(), report.seconds),
                Artifact(segment.folder, f"run of {segment.title()}: nnlogic report on it"),
            )
            if report.failed:
                return


class ConnectStage(Stage):
    """The Verilog of the segments in one folder, corner turns, and the top module."""

    name = group = "rtl"

    def make(self, ctx: Context) -> None:
        """Write the files.

        Raises
        ------
        TargetMissed
            The segments as compiled miss the budgets.
        """
        chain: Chain = ctx.values["chain"]
        rtl, clock = ctx.folder / "rtl", ctx.opts.clock
        parts = open_parts(chain, ctx.folder)
        made = [
            segment_row(part, own, ctx.target, clock)
            for part, own in zip(parts, ctx.values["reports"], strict=True)
        ]
        design = mixed_design(made, ctx.choice, clock, _options(ctx))
        missed = [row for row in design.budgets if not row.met]
        if missed:
            raise TargetMissed(
                "the plan misses the budgets", where=",".join(chain.plan),
                problems=[
                    Problem(
                        row.option,
                        f"{row.got:,.6g}, {row.got - row.limit:,.4g} more than {row.limit:,.6g}",
                        f"allow {row.got:,.6g}",
                    )
                    for row in missed
                ],
            )  # fmt: skip
        ctx.report = with_mixed(ctx.report, design)
        for part in parts:
            for file in part.rtl():
                shutil.copyfile(file, rtl / file.name)
            for model in part.models():
                shutil.copyfile(model, ctx.folder / "sim" / model.name)
            if part.turn is not None:
                write_vector_engine(part.turn, rtl)
        notes = [
            f"{s.title()}: {', '.join(row.layers)}"
            for s, row in zip(chain.segments, made, strict=True)
        ]
        write_chain(chain_shape(chain, parts), rtl, notes, origin(ctx))
        files = sorted(rtl.glob("*.v"))
        if ctx.target.part:
            goal = clock or design.clock_mhz
            written = write_vivado(
                files, chain.top, ctx.target, ctx.folder / "flows", goal, port="aclk"
            )
            names = ("Vivado script", "clock constraint")
            ctx.put(*(Artifact(f"flows/{f.name}", n) for f, n in zip(written, names, strict=True)))
        ctx.put(*(Artifact(f"rtl/{f.name}", "Verilog") for f in files))

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Say how accurate the segments are, one after the other."""
        outputs = run_chain(ctx.values["parts"], ctx.rows.codes)[-1]
        rows = accuracy_rows(ctx.net, ctx.rows, "segments", outputs)
        return [*pin_facts(ctx.whole), *rows]
