"""Stages of the LUT backend after the logic: pipeline, and Verilog with benches and scripts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nnlogic.backends.lut.artifacts import write_user_files
from nnlogic.backends.lut.rows import DESIGN_CHECK, FORMAL_CHECK
from nnlogic.checks import check
from nnlogic.checks.formal import prove_verilog
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.job import facts
from nnlogic.job.commands import origin
from nnlogic.job.context import Context
from nnlogic.job.stage import Comparison, Stage
from nnlogic.report.model import Row
from nnlogic.report.rows import Artifact


class DesignStage(Stage):
    """Registers placed by layer, by LUT levels, or by the levels a clock allows."""

    name = group = "design"
    kind = HardwareDesign
    before = "logic"

    def make(self, ctx: Context) -> HardwareDesign:
        """Place the registers."""
        logic = ctx.values["logic"]
        return build(logic, name=ctx.name, schedule=ctx.schedule, stream=ctx.opts.stream)

    def facts(self, ctx: Context) -> Iterable[Row]:
        """Return estimated hardware; timing goes into the report directly."""
        design: HardwareDesign = ctx.values[self.name]
        timing = facts.timing_facts(design, ctx.opts.clock, ctx.target.delay)
        ctx.report = ctx.report.replace(timing=timing)
        return facts.estimate_facts(design)

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare the cycle model with the logic."""
        logic, design, codes = ctx.values["logic"], ctx.values[self.name], ctx.rows.codes
        yield Comparison(4, DESIGN_CHECK, lambda: check(logic, design, codes=codes))


class RtlStage(Stage):
    """Verilog, plain benches, and scripts for other tools."""

    name = group = "rtl"

    def make(self, ctx: Context) -> None:
        """Write the Verilog."""
        design = ctx.values["design"]
        files = write_verilog(design, ctx.folder / "rtl", origin=origin(ctx), progress=ctx.progress)
        ctx.put(*(Artifact(f"rtl/{f.name}", "Verilog") for f in files))

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Prove the Verilog equal to the logic."""
        design, files = ctx.values["design"], verilog_files(ctx.folder)
        timeout = ctx.opts.tool_timeout
        yield Comparison(5, FORMAL_CHECK, lambda: prove_verilog(design, files, timeout=timeout))

    def checked(self, ctx: Context) -> Iterable[Row]:
        """Write benches and scripts."""
        with ctx.progress.step("write bench and flow scripts"):
            return write_user_files(
                ctx.values["design"],
                verilog_files(ctx.folder),
                ctx.folder,
                ctx.target,
                ctx.opts.clock,
                ctx.rows.codes,
            )


def verilog_files(folder: Path) -> tuple[Path, ...]:
    """Return the Verilog of a run."""
    return tuple(sorted((folder / "rtl").glob("*.v")))
