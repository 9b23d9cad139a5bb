"""The main job: a trained network becomes proved Verilog in a run directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from nnlogic import __version__
from nnlogic.checks.inputs import first_rung
from nnlogic.checks.verdict import Verdict
from nnlogic.core.errors import Different, UsageError
from nnlogic.core.inert import ShellWord
from nnlogic.core.names import identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.flows.targets import Target
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.report.describe import network_of
from nnlogic.report.model import Report
from nnlogic.report.rows import Artifact, Check, Command, FunnelRow, StepRow
from nnlogic.run import artifacts, facts
from nnlogic.run.approximate_report import EXACT_CHECK
from nnlogic.run.approximate_run import ApproximateRun, approximate_options
from nnlogic.run.directory import (
    TARGETS,
    Run,
    close_run,
    ir_path,
    staged_run,
    write_config,
)
from nnlogic.run.evidence import bound
from nnlogic.run.ladder_rows import (
    accuracy_rows,
    open_ladder,
    recorded_accuracy,
    verdict_check,
)
from nnlogic.run.optimized import CHECK as OPTIMIZED_CHECK
from nnlogic.run.optimized import optimize_logic
from nnlogic.run.options import STAGES, Options
from nnlogic.run.rows import Rows, load_rows, save_rows
from nnlogic.run.simplified import CHECK as SIMPLIFIED_CHECK
from nnlogic.run.simplified import simplify_tables
from nnlogic.run.source import load_source, source_row
from nnlogic.tables.ir import TableNet
from nnlogic.tools.find import find


class _Stage(Protocol):
    def save(self, path: Path) -> None: ...

    def text(self) -> str: ...

    def stats(self) -> Mapping[str, int]: ...


S = TypeVar("S", bound=_Stage)
# One engine on one function; others of the portfolio go on when it is exceeded.
ENGINE_SECONDS = 60.0


def compile(
    source: Path | str,
    out: Path | str,
    *,
    force: bool = False,
    allow_pickle: bool = False,
    progress: Progress = SILENT,
    **options: Any,
) -> Run:
    """Compile a network to Verilog, with proofs, in a new run directory.

    Parameters
    ----------
    source : path
        A file that `nnlogic.load` reads; with `start_from`, an existing run directory.
    out : path
        The run directory to write; see DESIGN section 6 for what it holds.
    force : bool
        Replace an existing run.
    allow_pickle : bool
        Read torch pickles that may run code.
    progress : Progress
    **options
        ``target`` (a name, or a user's file .toml), ``clock`` (MHz) or ``levels_per_stage`` (LUT
        levels between registers; default: a register after each layer), ``mode``, ``effort`` (fast,
        normal, high), ``objective`` (balanced, area, depth, adp), ``optimize`` (none, layer,
        network: across the neurons of a layer or across layers), ``backend``, ``arith`` (never,
        auto: adders for neurons too wide for a table), ``table_limit`` (input bits), ``rows`` (.npz
        or .csv), ``stream`` (valid/ready wrapper), ``validation_rows``, ``test_rows``, ``rarity``
        and ``accuracy_budget`` (percentage points) for approximate mode,
        ``dsps`` (slices), ``max_dsps``, ``max_luts`` and ``max_latency`` (ns) for the backends
        ``dsp`` and ``auto``, ``kernels`` (a number, or auto), ``program_words`` and ``bank_rows``
        for the engine's memories,
        ``plan`` (``lut``, ``dsp`` or ``mac`` for each layer, with commas between: a mixed design),
        ``stop_after`` and ``start_from`` (a stage), ``jobs``, ``tool_timeout`` (seconds).

    Returns
    -------
    Run

    Raises
    ------
    UsageError, CheckpointError, UnsupportedModel, InputError
        Before anything is written.
    ToolNotFound, ToolFailed, TargetMissed
        Nothing is left behind.
    Different
        Two stages differ; the run is kept with STATUS ``failed``.
    """
    try:
        opts = Options(**options)
    except TypeError as error:
        raise UsageError("unknown option", why=str(error)) from error
    target = Target.of(opts.target)
    opts = replace(opts, target=target.name)
    schedule: str | int = opts.levels_per_stage or "layer"
    if opts.clock is not None and opts.backend != "dsp":
        schedule = target.levels_for(opts.clock)
    find("abc"), find("yosys")
    started = time.monotonic()
    with staged_run(Path(out), force=force) as folder:
        target.keep(folder / TARGETS)
        with progress.step("load"):
            job = _job_type(opts)(Path(source), folder, opts, target, allow_pickle, progress)
        job.run(schedule)
        job = job.finished()
        report = job.report.replace(seconds=round(time.monotonic() - started, 3))
        report = bound(report.replace(status=job.status), folder)
        close_run(folder, report)
    run = Run(Path(out), report)
    if report.failed:
        rung = next(r for r in report.ladder if r.verdict == "fail")
        bad = next((c for c in rung.checks if c.verdict == "fail"), rung)
        raise Different(
            f"check failed: {bad.title}", where=str(out), why=bad.detail or rung.detail,
            fix="the run is kept for inspection; please report this as a bug",
        )  # fmt: skip
    return run


def _job_type(opts: Options) -> type[Job]:
    if opts.backend == "lut":
        return Job
    if opts.backend == "mac":
        from nnlogic.run.mac_job import MacJob

        return MacJob
    if opts.backend == "mixed":
        from nnlogic.run.mixed_job import MixedJob

        return MixedJob
    from nnlogic.run.dsp_job import DspJob

    return DspJob


@dataclass
class Job:
    """The stages of a run, for the LUT backend; `nnlogic.run.dsp_job` derives from it."""

    source: Path
    folder: Path
    opts: Options
    target: Target
    allow_pickle: bool
    progress: Progress

    def __post_init__(self) -> None:
        net, self.previous = load_source(self.source, self.opts, self.allow_pickle)
        self.net: QuantNet = net
        self.approximate = ApproximateRun(net, self.opts, self.target.lut_size, self.source)
        self.rows: Rows = self.approximate.rows or load_rows(net, self.opts.rows)
        self.name = identifier(net.name)
        self.k = self.target.lut_size
        self.status = "running"
        self.report = Report(
            name=self.name,
            version=__version__,
            mode=self.opts.mode,
            target=self.target.name,
            source=source_row(net, self.source),
            config=self.opts.to_json(),
            network=network_of(net),
        ).put(*facts.tool_facts("abc", "yosys"), *recorded_accuracy(net))
        self.report = self.approximate.opened(open_ladder(self.report, net))
        write_config(self.folder, self.opts.to_json())

    def run(self, schedule: str | int) -> None:
        """Run the stages, each followed by its check."""
        stages: dict[str, Callable[[], None]] = {
            "quant": self._quant,
            "tables": self._tables,
            "logic": self._logic,
            "design": lambda: self._design(schedule),
            "rtl": self._rtl,
        }
        for stage in STAGES:
            stages[stage]()
            if self.report.failed:
                self.status = "failed"
                return
            if stage == self.opts.stop_after and stage != "rtl":
                self.status = "stopped"
                return
        self.status = "compiled"

    def finished(self) -> Job:
        """Return the job that has the result: this one, or one that took over."""
        return self

    def _reuse(self, stage: str) -> bool:
        start = self.opts.start_from
        return start is not None and stage in STAGES and STAGES.index(stage) < STAGES.index(start)

    def _stage(self, stage: str, kind: Any, make: Callable[[], S], before: _Stage | None) -> S:
        """Load a stage from the previous run or make it; save it and record its size."""
        started = time.monotonic()
        value: S = kind.load(ir_path(self.source, stage)) if self._reuse(stage) else make()
        value.save(ir_path(self.folder, stage))
        (self.folder / "ir" / f"{stage}.txt").write_text(value.text())
        step = StepRow(
            f"{stage} (reused)" if self._reuse(stage) else stage,
            round(time.monotonic() - started, 3),
            before=dict(before.stats()) if before is not None else {},
            after=dict(value.stats()),
        )
        what = Artifact(f"ir/{stage}.safetensors", f"{kind.kind}; printed in ir/{stage}.txt")
        self.report = self.report.put(step, what)
        return value

    def _check(self, rung: int, title: str, make: Callable[[], Verdict]) -> None:
        with self.progress.step(f"check: {title}"):
            verdict = make()
        self.report = self.report.with_check(rung, verdict_check(title, verdict))

    def _quant(self) -> None:
        self._stage("quant", QuantNet, lambda: self.net, None)
        rung = first_rung(self.net)
        first = rung.check(self.net, self.source, self.opts.tool_timeout)
        if isinstance(first, str):
            self.report = self.report.with_check(1, Check(rung.title, detail=first))
        else:
            self._check(1, rung.title, first)
        expected = self.net.evaluate(self.rows.codes)
        save_rows(self.rows, expected, self.folder / "sim" / "rows.npz")
        self.report = self.report.put(*accuracy_rows(self.net, self.rows, "quantized", expected))

    def _tables(self) -> None:
        from nnlogic.checks import check
        from nnlogic.tables.build import tabulate

        limit, arith = self.opts.table_limit, self.opts.arith
        approximate = self.approximate

        def make() -> TableNet:
            if not approximate.on:
                return tabulate(self.net, limit=limit, arith=arith, progress=self.progress)
            # Neurons too wide for a table are exact as arithmetic, until the search replaces them.
            exact = tabulate(self.net, limit=limit, arith="auto", progress=self.progress)
            self._check(2, EXACT_CHECK, lambda: check(self.net, exact))
            return approximate.tables(exact, self.progress)

        self.tables: TableNet = self._stage("tables", TableNet, make, self.net)
        self.report = self.report.put(*facts.funnel_facts(self.tables, None, self.target.lut_size))
        if approximate.on:
            self.report = approximate.reported(self.report)
            save_rows(
                self.rows, self.tables.evaluate(self.rows.codes), self.folder / "sim" / "rows.npz"
            )
        else:
            self._check(2, "QuantNet = TableNet", lambda: check(self.net, self.tables))
        outputs = self.tables.evaluate(self.rows.codes)
        self.report = self.report.put(*accuracy_rows(self.net, self.rows, "tables", outputs))

    def _logic(self) -> None:
        from nnlogic.checks import check
        from nnlogic.logic.build import minimize_with_records

        simple, rows = simplify_tables(self.tables, self.folder, self.opts, self.progress)
        self.report = self.report.put(*rows)
        if simple is not self.tables:
            self._check(3, SIMPLIFIED_CHECK, lambda: check(self.tables, simple))

        def make() -> LogicNet:
            logic, records = minimize_with_records(
                simple,
                k=self.k,
                effort=self.opts.effort,
                objective=self.opts.objective,
                jobs=self.opts.jobs,
                timeout=min(ENGINE_SECONDS, self.opts.tool_timeout),
                progress=self.progress,
            )
            self.report = self.report.put(*facts.engine_facts(records))
            if self.opts.optimize == "none":
                return logic
            self._check(3, "TableNet = LogicNet", lambda: check(simple, logic))
            better, what = optimize_logic(logic, self.folder, self.opts, self.progress)
            self.report = self.report.put(what)
            self._check(3, OPTIMIZED_CHECK, lambda: check(logic, better))
            return better

        self.logic: LogicNet = self._stage("logic", LogicNet, make, simple)
        self.report = self.report.put(*self.funnel())
        if self.approximate.on:
            self.report = self.approximate.with_luts(self.report, self.logic, self.progress)
        if self.opts.optimize == "none" or self._reuse("logic"):
            self._check(3, "TableNet = LogicNet", lambda: check(simple, self.logic))

    def funnel(self) -> list[FunnelRow]:
        """Return what became of the tables of each layer."""
        return facts.funnel_facts(self.tables, self.logic, self.target.lut_size)

    def _built(self, schedule: str | int) -> HardwareDesign:
        from nnlogic.design.build import build

        return build(self.logic, name=self.name, schedule=schedule, stream=self.opts.stream)

    def _design(self, schedule: str | int) -> None:
        from nnlogic.checks import check

        self.design: HardwareDesign = self._stage(
            "design", HardwareDesign, lambda: self._built(schedule), self.logic
        )
        self.report = self.report.put(*facts.estimate_facts(self.design))
        timing = facts.timing_facts(self.design, self.opts.clock)
        self.report = self.report.replace(timing=timing)
        self._check(
            4,
            "LogicNet = HardwareDesign",
            lambda: check(self.logic, self.design, codes=self.rows.codes),
        )

    def _rtl(self) -> None:
        from nnlogic.checks.formal import prove_verilog
        from nnlogic.hw.lut.verilog import write_verilog

        started = time.monotonic()
        files = write_verilog(self.design, self.folder / "rtl", progress=self.progress)
        self.report = self.report.put(
            StepRow("rtl", round(time.monotonic() - started, 3)),
            *(Artifact(f"rtl/{f.name}", "Verilog") for f in files),
        )
        timeout = self.opts.tool_timeout
        self._check(
            5,
            "LogicNet = Verilog, formally",
            lambda: prove_verilog(self.design, files, timeout=timeout),
        )
        with self.progress.step("write bench and flow scripts"):
            written = artifacts.write_user_files(
                self.design, files, self.folder, self.target, self.opts.clock, self.rows.codes
            )
        self.report = self.report.put(*written, *self._commands())

    def _commands(self) -> list[Command]:
        line = (
            f"nnlogic compile {ShellWord.of_file(self.source)} -o RUN --target {self.target.asked}"
        )
        opts = self.opts
        if opts.rows is not None:
            line += f" --rows {ShellWord.of_file(Path(opts.rows))}"
        line += approximate_options(opts)
        if opts.clock is not None:
            line += f" --clock {opts.clock:g}"
        if opts.levels_per_stage is not None:
            line += f" --levels-per-stage {opts.levels_per_stage}"
        for name in ("effort", "objective", "optimize"):
            if getattr(opts, name) != getattr(Options, name):
                line += f" --{name} {getattr(opts, name)}"
        if opts.arith != "never":
            line += f" --arith {opts.arith}"
        if not opts.stream:
            line += " --no-stream"
        return [
            Command("compile", line),
            Command("simulate", "nnlogic verify RUN"),
            Command("synthesize, place and route", "nnlogic synth RUN"),
            Command("run the plain bench", "sh sim/run_bench.sh"),
            Command("Vivado", "vivado -mode batch -source flows/vivado.tcl"),
        ]
