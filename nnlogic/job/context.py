"""State of a compile run: what was asked, the values made so far, the report as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnlogic import __version__
from nnlogic.approximate.run import ApproximateRun
from nnlogic.checks.verdict import Verdict
from nnlogic.core.names import identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.targets import Target
from nnlogic.job import facts
from nnlogic.job.directory import TARGETS, Run
from nnlogic.job.ladder import open_ladder, recorded_accuracy, verdict_check
from nnlogic.job.options import Options
from nnlogic.job.rows import Rows, load_rows, read_saved
from nnlogic.job.source import load_source, source_row
from nnlogic.quant.ir import QuantNet
from nnlogic.report.describe import network_of
from nnlogic.report.model import Report, Row

if TYPE_CHECKING:
    from nnlogic.job.backend import Backend


@dataclass
class Context:
    """What the stages of a run read and fill.

    Attributes
    ----------
    backend : Backend
    opts : Options
        Of the backend's own class.
    target : Target
    source : Path
        What was compiled; the run that is gone on from, where there is one.
    folder : Path
        The run directory.
    net : QuantNet
        What the next stages are made of; `whole` stays the network that came in.
    rows : Rows
        Inputs of `net`.
    coded : QuantNet, optional
        The network that came in, where the backend takes it in another form.
    coded_rows : Rows, optional
        Inputs of that one.
    choice : str
        Why this backend.
    values : dict of str to object
        Values of the stages so far, by name.
    """

    backend: Backend
    opts: Options
    target: Target
    source: Path
    folder: Path
    net: QuantNet
    rows: Rows
    report: Report
    approximate: ApproximateRun
    choice: str = ""
    progress: Progress = SILENT
    schedule: str | int = "layer"
    coded: QuantNet | None = None
    coded_rows: Rows | None = None
    values: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.whole = self.net
        self.name = identifier(self.net.name)

    def put(self, *rows: Row) -> None:
        """Put rows in the report."""
        self.report = self.report.put(*rows)

    def check(self, rung: int, title: str, make: Callable[[], Verdict]) -> None:
        """Compare, and put the verdict in the report."""
        with self.progress.step(f"check: {title}"):
            verdict = make()
        self.report = self.report.with_check(rung, verdict_check(title, verdict))


def open_context(
    backend: Backend,
    opts: Options,
    source: Path,
    folder: Path,
    *,
    target: Target | None = None,
    rows: Rows | None = None,
    allow_pickle: bool = False,
    choice: str = "",
    notes: Iterable[Row] = (),
    progress: Progress = SILENT,
) -> Context:
    """Return the context of a run that begins: its network and rows are read.

    Parameters
    ----------
    backend : Backend
    opts : Options
    source, folder : Path
    target : Target, optional
        In place of the one that the options name.
    rows : Rows, optional
        In place of those that the options name.
    allow_pickle : bool
    choice : str
        Why this backend; by default that it was asked for.
    notes : rows of the report
        What the choice found.
    progress : Progress

    Raises
    ------
    UsageError, CheckpointError, UnsupportedModel, InputError
        Network, rows or options do not fit.
    """
    target = target or Target.of(opts.target)
    opts = replace(opts, target=target.name)
    target.keep(folder / TARGETS)
    if opts.part is not None:
        target = replace(target, part=opts.part)
    coded, _ = load_source(source, opts, allow_pickle)
    net = backend.taken(coded, opts)
    approximate = ApproximateRun(net, opts, target.lut_size, source).begin()
    report = Report(
        name=identifier(net.name),
        version=__version__,
        mode=opts.mode,
        target=target.name,
        backend=backend.name,
        source=source_row(net, source),
        config=opts.to_json(),
        network=network_of(net),
    ).put(*facts.tool_facts("abc", "yosys"), *recorded_accuracy(net), *notes)
    coded_rows = None
    if coded is not net and rows is None and opts.rows is not None:
        coded_rows = load_rows(coded, opts.rows, opts.label)
    rows = rows or approximate.rows or load_rows(net, opts.rows, opts.label)
    report = approximate.opened(open_ladder(report.put(*rows.data), net))
    ctx = Context(
        backend=backend,
        opts=opts,
        target=target,
        source=source,
        folder=folder,
        net=net,
        rows=rows,
        report=report,
        approximate=approximate,
        choice=choice or f"asked for with --backend {backend.name}",
        progress=progress,
        coded=None if coded is net else coded,
        coded_rows=coded_rows,
    )
    backend.prepare(ctx)
    ctx.report = backend.open_ladder(ctx.report, net)
    return ctx


def saved_context(backend: Backend, run: Run, progress: Progress = SILENT) -> Context:
    """Return the context of a finished run, in which the comparisons of its stages can be made."""
    opts = backend.options_of(run)
    net = QuantNet.load(run.ir_path("quant"))
    rows, _ = read_saved(run.path / "sim" / "rows.npz", net.inputs)
    return Context(
        backend=backend,
        opts=opts,
        target=Target.of(opts.target, run.path / TARGETS),
        source=run.path,
        folder=run.path,
        net=net,
        rows=rows,
        report=run.report,
        approximate=ApproximateRun(net, opts, 0, run.path),
        progress=progress,
    )
