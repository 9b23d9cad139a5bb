"""Kernels and dense layers as runs of their own: pipelines of LUTs without an input register."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.backends.lut.backend import LutBackend
from nnlogic.backends.lut.options import LutOptions
from nnlogic.backends.lut.stages import DesignStage, verilog_files
from nnlogic.backends.stream.model.cut import Part
from nnlogic.checks.faults import planted_faults
from nnlogic.core import bits
from nnlogic.core.progress import Progress
from nnlogic.design.build import build
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.targets import Target
from nnlogic.job.backend import Simulate
from nnlogic.job.context import Context, open_context, saved_context
from nnlogic.job.directory import Run, close_run, ir_path, reopened_run, staged_run
from nnlogic.job.evidence import COMPARED, bound, compared
from nnlogic.job.ladder import verdict_check
from nnlogic.job.option import options_of
from nnlogic.job.options import Options
from nnlogic.job.rows import Rows, read_saved
from nnlogic.job.runner import recheck, run_stages
from nnlogic.job.stage import Stage
from nnlogic.job.stages.tables import load_simplified
from nnlogic.report.model import Report

ROWS = 1024


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
    place = folder / part.folder
    place.parent.mkdir(exist_ok=True)
    source = place.parent / f"{part.net.name}.safetensors"
    part.net.save(source)
    known: dict[str, Any] = {name: getattr(opts, name) for name in options_of(Options)}
    mine = LutOptions(**{**known, "rows": None, "stream": False})
    codes = _rows(part)
    rows = Rows(codes, None, f"{len(codes)} uniform random codes, seed 0")
    with staged_run(place, force=False) as work:
        ctx = open_context(
            _CoreBackend(), mine, source, work, target=target, rows=rows, progress=progress
        )
        return run_stages(ctx)


def check_part(part: Part, folder: Path, ask: Simulate) -> Report:
    """Make again what a part's run owes, and plant faults in it; return its report.

    Its Verilog is simulated with the stream, not alone.
    """
    place = folder / part.folder
    with reopened_run(place) as run:
        taken = {number: compared(run.path, number) for number in COMPARED}
        report = recheck(saved_context(_CoreBackend(), run, ask.progress))
        if not report.failed:
            report = _with_faults(run, report)
        status = "failed" if report.failed else run.report.status
        report = bound(report.replace(status=status), run.path, run.report, taken)
        close_run(run.path, report, "sim/")
    return report


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


def _rows(part: Part) -> np.ndarray[Any, np.dtype[np.int64]]:
    return bits.random_codes(part.net.inputs, ROWS)


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
