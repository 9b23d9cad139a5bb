"""Prove or refute statements about the logic of a run."""

from __future__ import annotations

import csv
import io
import os
import shlex
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from nnlogic.core.archive import write_bytes
from nnlogic.core.bits import Bools
from nnlogic.core.errors import UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.job.directory import close_run, open_run, reopened_run
from nnlogic.job.evidence import bound
from nnlogic.job.rows import Rows, load_rows, read_saved
from nnlogic.job.seal import PAGE, sha256
from nnlogic.job.verify import refuse_failed, refuse_stale
from nnlogic.logic.ir import LogicNet
from nnlogic.properties import properties
from nnlogic.properties.claim import Claim
from nnlogic.properties.decide import HOLDS, OPEN, REFUTED, Decision, decide
from nnlogic.properties.subject import Subject, logic_of
from nnlogic.quant.ir import QuantNet
from nnlogic.report.sections import FILES, Section, TableBlock
from nnlogic.report.words import NOT_RUN

SECTION = "properties"


@dataclass(frozen=True)
class Proved:
    """What is known of a statement.

    Attributes
    ----------
    statement : str
    decisions : tuple of Decision
        One for each row, or one.
    names : tuple of str
        Of the network's inputs, for counterexamples.
    right : int or None
        Rows the statement holds for whose class is the labelled one, of `labelled` that are; None
        where it is not about rows with labels.
    labelled : int or None
        Rows whose class is the labelled one.
    what : str
        The rows; empty where it is not about rows.
    """

    statement: str
    decisions: tuple[Decision, ...]
    names: tuple[str, ...]
    right: int | None = None
    labelled: int | None = None
    what: str = ""

    @property
    def counts(self) -> Counter[str]:
        """How many claims hold, are refuted, and are open."""
        return Counter(d.verdict for d in self.decisions)


def prove(
    path: Path | str,
    statements: Sequence[str],
    *,
    rows: Any = None,
    label: str | None = None,
    keep: bool = False,
    jobs: int | None = None,
    tool_timeout: float = 60.0,
    progress: Progress = SILENT,
) -> tuple[Proved, ...]:
    """Decide statements about the logic of a run, for every input that they speak of.

    Parameters
    ----------
    path : path
        A run directory with logic of the whole network.
    statements : sequence of str
        See `nnlogic.properties`.
    rows : path or array, optional
        For statements about rows; by default those the run was measured on.
    label : str, optional
        Name of the labels in `rows`.
    keep : bool
        Put what was found into the run's report.
    jobs : int, optional
        Claims decided at once; all cores when None.
    tool_timeout : float
        Seconds of SAT for each claim.

    Raises
    ------
    UsageError
        Statements that cannot be understood.
    Different
        The run failed, or was changed after it was checked.
    """
    path = Path(path)
    run = open_run(path)
    refuse_failed(path, run.report)
    refuse_stale(path, run.report)
    files = digests(path)
    net, quant = logic_of(path)
    given = _rows(path, quant, rows, label)
    subject = Subject(net, quant, None if given is None else given.codes, str(path))
    correct = None if given is None else _correct(net, quant, given)
    work = [(statement, list(_claims(statement, subject))) for statement in statements]
    out = []
    for statement, claims in work:
        with progress.step(statement, len(claims)) as step:
            found = []
            with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
                for decision in pool.map(partial(decide, timeout=tool_timeout), claims):
                    found.append(decision)
                    step.advance(note=decision.verdict)
        names = tuple(p.name for p in net.inputs)
        out.append(_counted(Proved(statement, tuple(found), names), given, correct))
    if keep:
        keep_proved(path, out, files)
    return tuple(out)


def _rows(path: Path, quant: QuantNet, rows: Any, label: str | None) -> Rows | None:
    if rows is not None:
        return load_rows(quant, rows, label)
    saved = path / "sim" / "rows.npz"
    return read_saved(saved, quant.inputs)[0] if saved.exists() else None


def _correct(net: LogicNet, quant: QuantNet, rows: Rows) -> Bools | None:
    if rows.labels is None or quant.class_output is None:
        return None
    out: Bools = net.evaluate(rows.codes)[:, quant.class_output] == rows.labels
    return out


def _counted(proved: Proved, rows: Rows | None, correct: Bools | None) -> Proved:
    about = [d.row for d in proved.decisions if d.row is not None]
    if rows is None or len(about) != len(proved.decisions) or not about:
        return proved
    proved = replace(proved, what=rows.what)
    if correct is None:
        return proved
    holds = [d.row for d in proved.decisions if d.verdict == HOLDS and d.row is not None]
    return replace(proved, right=int(correct[holds].sum()), labelled=int(correct[about].sum()))


def digests(path: Path) -> dict[str, str]:
    """Return the SHA-256 of the files of a run that statements are about."""
    names = ("ir/logic.safetensors", "ir/quant.safetensors", "sim/rows.npz")
    return {name: sha256(path / name) for name in names if (path / name).exists()}


def keep_proved(path: Path, results: Sequence[Proved], files: dict[str, str]) -> None:
    """Put results into the report of a run, in place of those of the same statements.

    Parameters
    ----------
    path : Path
    results : sequence of Proved
    files : dict of str to str
        What `digests` gave before they were found: the report shows them while that is so.
    """
    with reopened_run(path) as run:
        before = run.report.section(SECTION)
        kept = {s["statement"]: s for s in before.data["statements"]} if before else {}
        for r in results:
            kept.pop(r.statement, None)
            kept[r.statement] = {
                "statement": r.statement,
                "rows": r.what or None,
                "claims": len(r.decisions),
                **{verdict: r.counts[verdict] for verdict in (HOLDS, REFUTED, OPEN)},
                "right": r.labelled,
                "right_and_holds": r.right,
            }
        section = _section(list(kept.values()), files)
        report = run.report.with_section(section)
        close_run(run.path, bound(report, run.path, run.report), PAGE)


def _section(kept: list[dict[str, Any]], files: dict[str, str]) -> Section:
    def share(part: int | None, whole: int) -> str:
        return NOT_RUN if part is None else f"{100 * part / max(1, whole):.1f} %"

    cells = [
        (s["statement"], s["rows"] or "every input", f"{s['claims']:,}",
         share(s[HOLDS], s["claims"]), share(s["right"], s["claims"]),
         share(s["right_and_holds"], s["claims"]), f"{s[REFUTED]:,}", f"{s[OPEN]:,}")
        for s in kept
    ]  # fmt: skip
    columns = ("statement", "about", ">claims", ">holds", ">right", ">right and holds",
               ">refuted", ">open")  # fmt: skip
    caption = (
        "Proved or refuted on the logic by nnlogic prove. Of a statement about rows, the share "
        "that holds is certified, and right and holds is certified accuracy; open is neither."
    )
    data = {"statements": kept, FILES: files}
    return Section(
        SECTION, "Properties", data, tables=(TableBlock("", columns, tuple(cells), caption),)
    )


def _claims(statement: str, subject: Subject) -> Sequence[Claim]:
    known = properties()
    try:
        words = shlex.split(statement)
    except ValueError:
        words = []
    if not words or words[0] not in known:
        usages = "; ".join(p.usage for p in known.values())
        raise UsageError("not a statement", where=statement, fix=usages)
    return list(known[words[0]].claims(words[1:], subject))


def write_examples(out: Path, results: Sequence[Proved]) -> None:
    """Write the counterexamples as a table of input codes, with their statement and claim."""
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(["statement", "claim", *results[0].names])
    for result in results:
        for decision in result.decisions:
            for row in () if decision.example is None else decision.example.tolist():
                table.writerow([result.statement, decision.label, *row])
    write_bytes(out, lines.getvalue().encode())
