"""Stages of the stream backend: kernels as runs of their own, the design, and its Verilog."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nnlogic.backends.stream.checks.frames import check_cut, check_frames
from nnlogic.backends.stream.model.cut import Cut
from nnlogic.backends.stream.model.ir import StreamDesign
from nnlogic.backends.stream.plan import (
    check_memory,
    clock_of,
    design_of,
    planned_cut,
    stream_options,
)
from nnlogic.backends.stream.rows import (
    CUT_CHECK,
    DESIGN,
    FRAMES_CHECK,
    LOGIC,
    VERILOG,
    pin_rows,
    with_part,
)
from nnlogic.backends.stream.section import check_budgets, described
from nnlogic.backends.stream.segments import compile_part, load_cores
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.vivado import write_vivado
from nnlogic.hw.header import Origin
from nnlogic.hw.stream.verilog import write_stream
from nnlogic.job.commands import origin
from nnlogic.job.context import Context
from nnlogic.job.stage import Comparison, Stage
from nnlogic.report.model import Row
from nnlogic.report.rows import Artifact, StepRow


def cut_of(ctx: Context) -> Cut:
    """Return the parts of the network of a run."""
    if "cut" not in ctx.values:
        ctx.values["cut"] = planned_cut(ctx.whole, stream_options(ctx.opts), ctx.target)
    found: Cut = ctx.values["cut"]
    return found


def cores_of(ctx: Context) -> dict[str, HardwareDesign]:
    """Return the compiled cores of a run by module."""
    if "cores" not in ctx.values:
        ctx.values["cores"] = load_cores(ctx.folder, cut_of(ctx).parts)
    found: dict[str, HardwareDesign] = ctx.values["cores"]
    return found


class PartsStage(Stage):
    """Kernels and dense layers, each compiled as a run of its own with its own ladder."""

    name = "parts"
    group = "logic"

    def make(self, ctx: Context) -> None:
        """Compile one after the other, until one fails."""
        for part in cut_of(ctx).parts:
            with ctx.progress.step(part.title):
                own = compile_part(
                    part, ctx.folder, ctx.opts, target=ctx.target, progress=ctx.progress
                )
            ctx.report = with_part(ctx.report, part, own, (LOGIC, DESIGN, VERILOG))
            ctx.put(
                StepRow(part.title, own.seconds),
                Artifact(part.folder, f"run of {part.title}: nnlogic report on it"),
            )
            if own.failed:
                return

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare the parts with the network."""
        net, parts, codes = ctx.whole, cut_of(ctx), ctx.rows.codes
        yield Comparison(2, CUT_CHECK, lambda: check_cut(net, parts, codes))


class StreamStage(Stage):
    """Window generators around the kernels, and what reads whole frames."""

    name = group = "design"
    kind = StreamDesign
    before = "quant"

    def make(self, ctx: Context) -> StreamDesign:
        """Choose what lines are made of, and put the parts together.

        Raises
        ------
        TargetMissed
            Lines do not fit the target, or a budget is missed.
        """
        opts = stream_options(ctx.opts)
        design = design_of(cut_of(ctx), cores_of(ctx), opts, ctx.target)
        check_memory(design, ctx.target)
        return design

    def facts(self, ctx: Context) -> Iterable[Row]:
        """Report times and estimates."""
        opts = stream_options(ctx.opts)
        clock = clock_of(opts, ctx.target)
        design = ctx.values[self.name]
        ctx.report = described(ctx.report, design, cores_of(ctx), ctx.target, clock, ctx.choice)
        check_budgets(ctx.report, opts)
        return pin_rows(design, ctx.net.raw)

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare whole frames with the network."""
        net, design, codes = ctx.whole, ctx.values[self.name], ctx.rows.codes
        logic = {name: core.logic for name, core in cores_of(ctx).items()}
        yield Comparison(4, FRAMES_CHECK, lambda: check_frames(net, design, logic, codes))


class RtlStage(Stage):
    """Verilog of the stream and of the cores in it, and scripts for Vivado."""

    name = group = "rtl"

    def make(self, ctx: Context) -> None:
        """Write the files."""
        design, rtl = ctx.values["design"], ctx.folder / "rtl"
        for part in cut_of(ctx).parts:
            for file in sorted((ctx.folder / part.folder / "rtl").glob("*.v")):
                shutil.copyfile(file, rtl / file.name)
        with ctx.progress.step("write Verilog of the stream"):
            self.write(design, cores_of(ctx), rtl, origin(ctx))
        files = sorted(rtl.glob("*.v"))
        ctx.put(*(Artifact(f"rtl/{f.name}", "Verilog") for f in files))
        if ctx.target.part:
            goal = clock_of(stream_options(ctx.opts), ctx.target)
            written = write_vivado(
                files, design.top, ctx.target, ctx.folder / "flows", goal, port="aclk"
            )
            names = ("Vivado script", "clock constraint")
            ctx.put(*(Artifact(f"flows/{f.name}", n) for f, n in zip(written, names, strict=True)))

    def write(
        self, design: Any, cores: Mapping[str, HardwareDesign], folder: Path, origin: Origin
    ) -> None:
        """Write the stream itself."""
        write_stream(design, cores, folder, origin=origin)
