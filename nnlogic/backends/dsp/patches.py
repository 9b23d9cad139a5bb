"""Stages of a network with windows on an engine: its kernels are programs, run at each position."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from nnlogic.backends.dsp.checks.kernels import ORDER_FAULT, WORD_FAULT
from nnlogic.backends.dsp.checks.patches import check_frames, check_parts, prove_patches
from nnlogic.backends.dsp.choice import check_slices, most_slices, room_of
from nnlogic.backends.dsp.kernels import SIMULATED, costed, kernels_report
from nnlogic.backends.dsp.model.ir import OpGraph
from nnlogic.backends.dsp.model.kernel_chain import KernelChain
from nnlogic.backends.dsp.model.patches import patch_chain
from nnlogic.backends.dsp.options import DspOptions
from nnlogic.backends.dsp.rows import FAULTS, PROGRAM_CHECK, RUNGS
from nnlogic.checks.verdict import Verdict
from nnlogic.core.names import identifier
from nnlogic.job.backend import Backend, Simulate
from nnlogic.job.context import Context
from nnlogic.job.directory import Run, ir_path
from nnlogic.job.ladder import accuracy_rows, open_rungs, verdict_check
from nnlogic.job.part_runs import check_part, compile_part, part_row
from nnlogic.job.stage import Comparison, Stage
from nnlogic.quant.kernel_network import Part, apart_problems, parts_of
from nnlogic.report.model import Report, Row
from nnlogic.report.rows import Artifact, StepRow

PARTS_CHECK = "kernels and words"
FRAMES_CHECK = "whole frames, interpreted"
PLANTED = ("fault in a table", "fault in the logic")
KINDS = {"logic": (2, 3), "operations": (4,)}
"""Rungs of a part's own ladder that each kind of row stands for."""


def patched(ctx: Context) -> bool:
    """Whether kernels of windows are the kernels of the engine.

    They are where the engine may run so many (``--kernels``), and each reads whole maps.
    """
    opts = cast(DspOptions, ctx.opts)
    unrolled = ir_path(ctx.folder, "ops").exists()
    if opts.most_kernels == 1 or opts.start_from is not None or unrolled:
        return False
    if apart_problems(ctx.net, ""):
        return False
    return opts.most_kernels is None or len(parts_in(ctx)) <= opts.most_kernels


def parts_in(ctx: Context) -> tuple[Part, ...]:
    """Return the parts of the network of a run."""
    if "parts_in" not in ctx.values:
        ctx.values["parts_in"] = parts_of(ctx.net, identifier(ctx.net.name))
    found: tuple[Part, ...] = ctx.values["parts_in"]
    return found


def graphs_of(folder: Path, parts: Sequence[Part]) -> tuple[OpGraph, ...]:
    """Return the operations of the parts of a run."""
    return tuple(OpGraph.load(ir_path(folder / part.folder, "ops")) for part in parts)


def open_patches(report: Report, parts: Sequence[Part]) -> Report:
    """Return a report with the rungs of kernels run at every position, not run."""
    rows = {what: [f"{part.title}, {what}" for part in parts] for what in (*KINDS, "faults")}
    planted = [name for name in FAULTS if name not in PLANTED]
    moved = [f + s for f in (ORDER_FAULT, WORD_FAULT) for s in ("", SIMULATED)]
    title, _ = RUNGS[4]
    return open_rungs(
        report,
        {
            0: (RUNGS[0][0], (*rows["faults"], *planted, *moved)),
            2: ("QuantNet = kernels and dense layers", (PARTS_CHECK,)),
            3: ("kernels: QuantNet = LogicNet", rows["logic"]),
            4: (title, (*rows["operations"], PROGRAM_CHECK, FRAMES_CHECK)),
            5: RUNGS[5],
            6: RUNGS[6],
        },
    )


class PartsStage(Stage):
    """Kernels and dense layers as operations, each a run of its own with its own ladder."""

    name = "parts"
    group = "logic"

    def make(self, ctx: Context) -> None:
        """Compile one after the other, until one fails."""
        backend = _part_backend()
        opts = cast(DspOptions, ctx.opts)
        mine = replace(
            opts, kernels="1", max_luts=None, max_latency=None, samples_per_second=None,
            label=None,
        )  # fmt: skip
        for part in parts_in(ctx):
            with ctx.progress.step(part.title):
                own = compile_part(
                    part, ctx.folder, backend, mine, target=ctx.target, progress=ctx.progress
                )
            for what, rungs in KINDS.items():
                row = part_row(f"{part.title}, {what}", own, rungs)
                ctx.report = ctx.report.with_check(rungs[-1], row)
            ctx.put(
                StepRow(part.title, own.seconds),
                Artifact(part.folder, f"run of {part.title}: nnlogic report on it"),
            )
            if own.failed:
                return


class PatchStage(Stage):
    """All parts scheduled on one engine, and which words each reads at every position."""

    name = "program"
    group = "design"
    kind = KernelChain
    before = "quant"

    def make(self, ctx: Context) -> KernelChain:
        """Schedule on as many slices as were asked for, or as the largest part is worth.

        Raises
        ------
        UsageError
            More slices than any part has operations.
        TargetMissed
            A part does not fit the memories, or a budget is missed.
        """
        opts, target, parts = cast(DspOptions, ctx.opts), ctx.target, parts_in(ctx)
        graphs = graphs_of(ctx.folder, parts)
        largest = max(graphs, key=lambda graph: graph.n_ops)
        check_slices(largest, target, opts)
        slices = most_slices(largest, target, opts)
        with ctx.progress.step("schedule"):
            cut = patch_chain(ctx.net, parts, graphs, slices, **opts.memories)
        point = costed(cut, target, opts)
        ctx.values["kernels_point"] = point
        depth, kind = max(graph.depth for graph in graphs), room_of(target, opts).kind
        ctx.report = kernels_report(ctx.report, point, depth, kind, ctx.choice)
        return cut.chain

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare programs with operations, words with windows, and whole frames."""
        net, parts, chain = ctx.net, parts_in(ctx), ctx.values[self.name]
        codes = ctx.rows.codes
        yield Comparison(2, PARTS_CHECK, lambda: check_parts(net, parts, chain, codes))
        graphs = graphs_of(ctx.folder, parts)
        yield Comparison(4, PROGRAM_CHECK, lambda: prove_patches(net, parts, graphs, chain))
        yield Comparison(4, FRAMES_CHECK, lambda: check_frames(net, chain, codes))

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Say how accurate the programs are."""
        outputs = ctx.values[self.name].evaluate(ctx.rows.codes)
        return accuracy_rows(ctx.net, ctx.rows, "DSP program", outputs)

    def file(self, value: Any) -> str:
        """Return where a chain of kernels is saved."""
        return "kernels"

    def load(self, ctx: Context, folder: Path) -> KernelChain | None:
        """Return the kernels of a run."""
        path = ir_path(folder, "kernels")
        return KernelChain.load(path) if path.exists() else None


class Patches:
    """The parts of a finished run."""

    def __init__(self, run: Run, ctx: Context) -> None:
        self.folder, self.net, self.parts = run.path, ctx.net, parts_in(ctx)
        self.graphs = graphs_of(run.path, self.parts)

    def prove(self, chain: KernelChain) -> Verdict:
        """See `prove_patches`."""
        return prove_patches(self.net, self.parts, self.graphs, chain)

    def check_parts(self, report: Report, ask: Simulate) -> Report:
        """Make again what the runs of the parts owe, and plant faults in their logic."""
        for part in self.parts:
            with ask.progress.step(f"check: {part.title}"):
                own = check_part(
                    part, self.folder, _part_backend(), _with_faults, progress=ask.progress
                )
            for what, rungs in {**KINDS, "faults": (0,)}.items():
                row = part_row(f"{part.title}, {what}", own, rungs, owes=what != "faults")
                report = report.with_check(rungs[-1], row)
        return report


def _with_faults(run: Run, report: Report) -> Report:
    from nnlogic.backends.dsp.verify import logic_faults
    from nnlogic.job.rows import read_saved

    codes = read_saved(run.path / "sim" / "rows.npz")[0].codes
    for title, caught in logic_faults(run, codes):
        report = report.with_check(0, verdict_check(title, caught))
    return report


def _part_backend() -> Backend:
    """Return a backend whose runs end with the operations; its run is one of the DSP backend."""
    from nnlogic.backends.dsp.backend import DspBackend
    from nnlogic.backends.dsp.rows import OPS_CHECK

    class PartBackend(DspBackend):
        def prepare(self, ctx: Context) -> None:
            pass

        def stages(self, ctx: Context) -> Sequence[Stage]:
            return [s for s in self.plain_stages(ctx) if s.name not in ("program", "rtl")]

        def open_ladder(self, report: Report, net: Any) -> Report:
            return open_rungs(report, {0: (RUNGS[0][0], PLANTED), 4: (RUNGS[4][0], (OPS_CHECK,))})

        def commands(self, ctx: Context) -> list[Any]:
            return []

    return PartBackend()
