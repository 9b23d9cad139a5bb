"""What upsets and stuck signals do to the answers of a run's network."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import UsageError
from nnlogic.core.formats import IntArray
from nnlogic.core.progress import SILENT, Progress
from nnlogic.design.ir import HardwareDesign
from nnlogic.faults import (
    Effects,
    Parity,
    inject,
    nearest_outputs,
    parity,
    several,
    triplicated,
)  # fmt: skip
from nnlogic.faults.inject import TABLE_BIT, UPSET
from nnlogic.job.directory import Run, open_run
from nnlogic.job.rows import load_rows, read_saved
from nnlogic.job.verify import refuse_failed, refuse_stale
from nnlogic.logic.ir import LogicNet
from nnlogic.properties.subject import logic_of


@dataclass(frozen=True)
class Faults:
    """Effects of faults.

    Attributes
    ----------
    net : LogicNet
    effects : Effects
        Of every single fault.
    several : int64 array, shape (trials, 2), or None
        See `nnlogic.faults.several`.
    hardened : Effects or None
        Of every single fault once the part nearest the outputs stands three times.
    hardened_luts : int or None
        Nodes of two or more inputs it has then.
    parity : Parity or None
        A parity bit for each rank of registers.
    what : str
        The samples.
    seconds : float
        Time for `effects`.
    """

    net: LogicNet
    effects: Effects
    several: IntArray | None
    hardened: Effects | None
    hardened_luts: int | None
    parity: Parity | None
    what: str
    seconds: float

    @property
    def injections(self) -> int:
        """Single faults times samples."""
        return self.effects.samples * sum(kind.count for kind in self.effects.kinds.values())

    @property
    def seen_by_parity(self) -> float:
        """Share of the answers that upsets cost which parity says were upset."""
        if self.parity is None:
            return 0.0
        kind = self.effects.kinds[UPSET]
        harm = kind.answers if self.effects.right is None else np.maximum(kind.lost, 0)
        return float(harm[self.parity.held[kind.signals]].sum() / max(1, harm.sum()))

    def ranked(self) -> list[tuple[int, float]]:
        """Return nodes by the harm of their table bits, worst first: (node, answers)."""
        n = self.net.n_inputs
        harm = self.effects.criticality(n + self.net.n_nodes)[n:]
        order = np.argsort(-harm, kind="stable")
        return [(int(i), float(harm[i])) for i in order]


def faults(
    path: Path | str,
    *,
    rows: Any = None,
    label: str | None = None,
    multiple: int | None = None,
    trials: int = 200,
    triplicate: int | None = None,
    registers: bool = False,
    jobs: int | None = None,
    progress: Progress = SILENT,
) -> Faults:
    """Inject every single fault into the logic of a run, for all rows.

    Parameters
    ----------
    path : path
        A run directory with logic of the whole network.
    rows : path or array, optional
        By default the rows that the run was measured on.
    label : str, optional
        Name of the labels in `rows`.
    multiple : int, optional
        Also flip this many table bits at once, `trials` times at random.
    triplicate : int, optional
        Also try the network with this many nodes nearest the outputs in triplicate.
    registers : bool
        Also say what a parity bit for each rank of registers would see and cost.
    jobs : int, optional
        Threads; all cores when None.
    progress : Progress

    Raises
    ------
    UsageError
        The run has no logic of the whole network, or for `registers` no pipeline.
    Different
        The run failed, or was changed after it was checked.
    """
    path = Path(path)
    run = open_run(path)
    refuse_failed(path, run.report)
    refuse_stale(path, run.report)
    net, quant = logic_of(path)
    if rows is not None:
        given = load_rows(quant, rows, label)
    else:
        given, _ = read_saved(path / "sim" / "rows.npz", quant.inputs)
    place = quant.class_output
    answers: dict[str, Any] = {"chosen": place, "labels": None if place is None else given.labels}
    ranks = _parity(run, net) if registers else None
    start = time.monotonic()
    found = inject(net, given.codes, **answers, jobs=jobs, progress=progress)
    seconds = time.monotonic() - start
    pairs = None
    if multiple is not None:
        pairs = several(net, given.codes, multiple, trials, **answers, progress=progress)
    hard, luts = None, None
    if triplicate is not None:
        other = triplicated(net, nearest_outputs(net, triplicate))
        hard = inject(other, given.codes, **answers, jobs=jobs, progress=progress)
        luts = other.stats()["luts"]
    return Faults(net, found, pairs, hard, luts, ranks, given.what, seconds)


def _parity(run: Run, net: LogicNet) -> Parity:
    file = run.ir_path("design")
    if not file.exists():
        raise UsageError(
            "no pipeline whose registers could have a parity", where=str(run.path),
            why="it ended before its design, or another backend made it",
            fix="compile it with the lut backend, without --stop-after",
        )  # fmt: skip
    design = HardwareDesign.load(file)
    if design.logic.n_nodes != net.n_nodes:
        raise UsageError(
            "the pipeline is not that of the logic", where=str(run.path),
            why=f"{design.logic.n_nodes} and {net.n_nodes} nodes", fix="compile the network again",
        )  # fmt: skip
    return parity(design)


def write_table(out: Path, found: Faults) -> None:
    """Write one line for each fault: where, kind, bit, and its effects in samples."""
    lines = io.StringIO()
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(["kind", "signal", "origin", "bit", "any_output", "answers", "lost"])
    n = found.net.n_inputs
    for name, kind in found.effects.kinds.items():
        columns = (kind.signals, kind.bits, kind.any_output, kind.answers, kind.lost)
        for s, bit, *counts in zip(*(c.tolist() for c in columns), strict=True):
            origin = "input" if s < n else found.net.origins[s - n]
            table.writerow([name, s, origin, bit if name == TABLE_BIT else "", *counts])
    write_bytes(out, lines.getvalue().encode())
