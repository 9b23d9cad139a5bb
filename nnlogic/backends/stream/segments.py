"""Kernels and dense layers as runs of their own: pipelines of LUTs without an input register."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.backends.lut.backend import LutBackend
from nnlogic.backends.lut.options import LutOptions
from nnlogic.backends.lut.stages import DesignStage, verilog_files
from nnlogic.checks.faults import planted_faults
from nnlogic.core.progress import Progress
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.targets import Target
from nnlogic.job import part_runs
from nnlogic.job.backend import Simulate
from nnlogic.job.context import Context
from nnlogic.job.directory import Run, ir_path
from nnlogic.job.ladder import verdict_check
from nnlogic.job.option import options_of
from nnlogic.job.options import Options
from nnlogic.job.rows import read_saved
from nnlogic.job.stage import Stage
from nnlogic.job.stages.tables import load_simplified
from nnlogic.quant.kernel_network import Part
from nnlogic.report.model import Report


class _CoreStage(DesignStage):
    """A pipeline that reads what is registered already."""

    def make(self, ctx: Context) -> HardwareDesign:
        """Place the registers."""
        return build(
            ctx.values["logic"], name=ctx.name, schedule=ctx.schedule, input_register=False,
            stream=False,
        )  # fmt: skip


class _CoreBackend(LutBackend):
    """The LUT backend for a core inside a stream; its run is one of that backend."""

    def stages(self, ctx: Context) -> Sequence[Stage]:
        """Return the LUT backend's, with the pipeline of a core."""
        return [_CoreStage() if s.name == "design" else s for s in super().stages(ctx)]


def compile_part(
    part: Part, folder: Path, opts: Options, *, target: Target, progress: Progress
) -> Report:
    """Compile a kernel or the dense layers in their folder below the run; return the report.

    Parameters
    ----------
    part : Part
    folder : Path
        Of the stream's run.
    opts : Options
        Of the stream.
    target : Target
    progress : Progress
    """
    known: dict[str, Any] = {name: getattr(opts, name) for name in options_of(Options)}
    mine = LutOptions(**{**known, "stream": False, "raw": None})
    return part_runs.compile_part(
        part, folder, _CoreBackend(), mine, target=target, progress=progress
    )


def check_part(part: Part, folder: Path, ask: Simulate) -> Report:
    """Make again what a part's run owes, and plant faults in it; return its report.

    Its Verilog is simulated with the stream, not alone.
    """
    return part_runs.check_part(part, folder, _CoreBackend(), _with_faults, progress=ask.progress)


def _with_faults(run: Run, report: Report) -> Report:
    design = HardwareDesign.load(run.ir_path("design"))
    tables, rows = load_simplified(run.path), read_saved(run.path / "sim" / "rows.npz")[0]
    faults = planted_faults(
        tables, design, verilog_files(run.path), run.path / "sim" / "faults", codes=rows.codes,
        simulate=False,
    )  # fmt: skip
    for title, caught in faults:
        report = report.with_check(0, verdict_check(title, caught))
    return report


def load_cores(folder: Path, parts: Sequence[Part]) -> dict[str, HardwareDesign]:
    """Return the compiled cores of a run by module."""
    return {
        part.net.name: HardwareDesign.load(ir_path(folder / part.folder, "design"))
        for part in parts
    }


def reads_of(core: HardwareDesign) -> tuple[int, ...]:
    """Return the input bits that a core depends on; of a constant one, the first bit."""
    used = core.last_use[: core.logic.n_inputs] >= 0
    return tuple(int(i) for i in np.flatnonzero(used)) or (0,)
