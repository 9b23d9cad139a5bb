"""Write the logic of a run in another format, and compare what was written with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nnlogic import __version__
from nnlogic.checks.verdict import Verdict
from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import CheckpointError, Different, UnsupportedModel, UsageError
from nnlogic.core.names import identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.export import Subject, exports
from nnlogic.flows.targets import Target
from nnlogic.job.directory import TARGETS, Run, open_run
from nnlogic.job.options import run_limits
from nnlogic.job.verify import refuse_failed, refuse_stale
from nnlogic.logic.ir import LogicNet
from nnlogic.quant.ir import QuantNet
from nnlogic.tools.limits import limited


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes
    ----------
    out : Path
    facts : mapping of str to int
        Counts of what is in it.
    checks : tuple of Verdict
        Comparisons with the logic of the run; all equal.
    """

    out: Path
    facts: Mapping[str, int]
    checks: tuple[Verdict, ...]


def export(
    path: Path | str,
    out: Path | str,
    *,
    force: bool = False,
    tool_timeout: float | None = None,
    tool_output: float | None = None,
    progress: Progress = SILENT,
) -> Exported:
    """Write the logic of a run, without registers, in the format of a file's suffix.

    Parameters
    ----------
    path : path
        A run directory that has logic.
    out : path
        See `nnlogic.export.exports` for the suffixes.
    force : bool
        Replace an existing file.
    tool_timeout, tool_output : float, optional
        Most seconds of an external program, and most megabytes that it prints.
    progress : Progress

    Raises
    ------
    UsageError
        No such format, not a run, or the file exists.
    UnsupportedModel
        The logic of the run is not that of the whole network.
    Different
        A comparison failed, nothing was written; or the run failed or was changed.
    ToolNotFound, ToolFailed
        A program that the format or its check needs.
    """
    path, out = Path(path), Path(out)
    known = exports()
    if out.suffix not in known:
        why = f"{out.suffix or 'no suffix'}, nnlogic writes {', '.join(known)}"
        raise UsageError("an unknown format", where=str(out), why=why)
    if out.exists() and not force:
        raise UsageError("the file exists", where=str(out), fix="another name, or --force")
    if not out.parent.is_dir():
        raise UsageError("no such folder", where=str(out.parent), fix="make it first")
    run = open_run(path)
    refuse_failed(path, run.report)
    refuse_stale(path, run.report)
    asked = run.report.target
    target = Target.of(asked, path / TARGETS) if asked else Target.default()
    name = identifier(run.report.name)
    subject = Subject(_logic(run), name, _remarks(run), target.lut_cell)
    kind = known[out.suffix]
    with limited(run_limits(run.report.config, tool_timeout, tool_output)):
        with progress.step(f"write {kind.title}"):
            written = kind.write(subject, out.suffix)
        with progress.step("check the file") as step:
            checks = kind.check(subject, written.data, out.suffix)
            for verdict in checks:
                if not verdict.equal:
                    why = verdict.text()
                    raise Different("a check failed, nothing was written", where=str(out), why=why)
            step.advance(note=", ".join(verdict.how for verdict in checks))
    write_bytes(out, written.data)
    return Exported(out, written.facts, checks)


def _logic(run: Run) -> LogicNet:
    place = run.ir_path("logic")
    if not place.exists():
        fix = "compile it without --stop-after"
        raise CheckpointError("the run has no logic", where=str(run.path), fix=fix)
    net, whole = LogicNet.load(place), QuantNet.load(run.ir_path("quant"))
    if (net.inputs, net.outputs) != (whole.inputs, whole.outputs):
        raise UnsupportedModel(
            "the logic of this run is not the whole network",
            where=str(run.path),
            why=f"it has {len(net.inputs)} inputs and {len(net.outputs)} outputs, the network"
            f" {len(whole.inputs)} and {len(whole.outputs)}",
            fix="compile it with --backend lut",
        )
    return net


def _remarks(run: Run) -> tuple[str, ...]:
    report = run.report
    ports = ", ".join(str(port) for port in LogicNet.load(run.ir_path("logic")).outputs)
    return (
        f"{report.name}: logic of a trained network, without registers; nnlogic {__version__}",
        f"from {report.source.file} (SHA-256 {report.source.sha256})",
        f"outputs: {ports}",
        "Bits of a port follow each other, least significant first.",
    )
