"""Prove or refute statements about the logic of a run."""

from __future__ import annotations

import csv
import io
import os
import shlex
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.job.directory import open_run
from nnlogic.job.rows import load_rows, read_saved
from nnlogic.job.verify import refuse_failed, refuse_stale
from nnlogic.properties import properties
from nnlogic.properties.claim import Claim
from nnlogic.properties.decide import Decision, decide
from nnlogic.properties.subject import Subject, logic_of
from nnlogic.quant.ir import QuantNet


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
    """

    statement: str
    decisions: tuple[Decision, ...]
    names: tuple[str, ...]

    @property
    def counts(self) -> Counter[str]:
        """How many claims hold, are refuted, and are open."""
        return Counter(d.verdict for d in self.decisions)


def prove(
    path: Path | str,
    statements: Sequence[str],
    *,
    rows: Any = None,
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
    net, quant = logic_of(path)
    subject = Subject(net, quant, _codes(path, quant, rows), str(path))
    work = [(statement, list(_claims(statement, subject))) for statement in statements]
    out = []
    for statement, claims in work:
        with progress.step(statement, len(claims)) as step:
            found = []
            with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
                for decision in pool.map(partial(decide, timeout=tool_timeout), claims):
                    found.append(decision)
                    step.advance(note=decision.verdict)
        out.append(Proved(statement, tuple(found), tuple(p.name for p in net.inputs)))
    return tuple(out)


def _codes(path: Path, quant: QuantNet, rows: Any) -> IntArray | None:
    if rows is not None:
        return load_rows(quant, rows).codes
    saved = path / "sim" / "rows.npz"
    return read_saved(saved, quant.inputs)[0].codes if saved.exists() else None


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
