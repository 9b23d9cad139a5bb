"""Stages of a continuous stream, behind its kernels: the design, and its Verilog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nnlogic.backends.stream.checks.samples import check_samples
from nnlogic.backends.stream.continuous.rows import SAMPLES_CHECK, described
from nnlogic.backends.stream.model.continuous import ContinuousDesign, continuous
from nnlogic.backends.stream.plan import clock_of, design_of, stream_options
from nnlogic.backends.stream.rows import pin_rows
from nnlogic.backends.stream.section import check_budgets
from nnlogic.backends.stream.stages import RtlStage, cores_of, cut_of
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.header import Origin
from nnlogic.hw.stream.verilog import write_samples
from nnlogic.job.context import Context
from nnlogic.job.stage import Comparison, Stage
from nnlogic.report.model import Row


class SampleStage(Stage):
    """Sliding windows around the kernels, and in front of the dense layers."""

    name = group = "design"
    kind = ContinuousDesign
    before = "quant"

    def make(self, ctx: Context) -> ContinuousDesign:
        """Put the parts together."""
        opts = stream_options(ctx.opts)
        return continuous(design_of(cut_of(ctx), cores_of(ctx), opts, ctx.target))

    def facts(self, ctx: Context) -> Iterable[Row]:
        """Report times and estimates."""
        opts = stream_options(ctx.opts)
        clock = clock_of(opts, ctx.target)
        design = ctx.values[self.name]
        ctx.report = described(ctx.report, design, cores_of(ctx), ctx.target, clock, ctx.choice)
        check_budgets(ctx.report, opts)
        return pin_rows(design, ctx.net.raw)

    def checks(self, ctx: Context) -> Iterable[Comparison]:
        """Compare a long sequence with the network."""
        net, design, codes = ctx.whole, ctx.values[self.name], ctx.rows.codes
        logic = {name: core.logic for name, core in cores_of(ctx).items()}
        yield Comparison(4, SAMPLES_CHECK, lambda: check_samples(net, design, logic, codes))


class SampleRtlStage(RtlStage):
    """Verilog of the stream and of the cores in it, and scripts for Vivado."""

    def write(
        self, design: Any, cores: Mapping[str, HardwareDesign], folder: Path, origin: Origin
    ) -> None:
        """Write the stream itself."""
        write_samples(design, cores, folder, origin=origin)
