"""Simplified tables between the stages ``tables`` and ``logic``, kept beside them in the run."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core.passes import PassRecord
from nnlogic.core.progress import SILENT, Progress
from nnlogic.report.rows import Artifact, StepRow
from nnlogic.job.directory import ir_path
from nnlogic.job.options import Options
from nnlogic.tables.ir import TableNet
from nnlogic.tables.passes import simplify

STAGE = "simplified"
CHECK = "TableNet = simplified TableNet"


def simplify_tables(
    tables: TableNet, folder: Path, opts: Options, progress: Progress = SILENT
) -> tuple[TableNet, list[StepRow | Artifact]]:
    """Simplify the tables of a run and save the result.

    Returns
    -------
    net : TableNet
        The same object where nothing could be derived (care sets from observed data).
    rows : list
        For the report: a step per pass that changed something or left something out.
    """
    net, records = simplify(
        tables, effort=opts.effort, timeout=opts.tool_timeout, progress=progress
    )
    if net is tables:
        return net, []
    net.save(ir_path(folder, STAGE))
    (folder / "ir" / f"{STAGE}.txt").write_text(net.text())
    what = Artifact(f"ir/{STAGE}.safetensors", f"{net.kind}; printed in ir/{STAGE}.txt")
    return net, [*(_row(r) for r in records if r.changed or ":" in r.name), what]


def _row(record: PassRecord) -> StepRow:
    seconds = round(record.seconds, 3)
    return StepRow(record.name, seconds, dict(record.before), dict(record.after))


def load_simplified(folder: Path) -> TableNet:
    """Return the tables the logic of a run was made from."""
    path = ir_path(folder, STAGE)
    return TableNet.load(path if path.exists() else ir_path(folder, "tables"))
