"""Read the reports of several runs, and set them beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import CheckpointError, NNLogicError, Problem, UsageError
from nnlogic.job.directory import read_report
from nnlogic.report.codec import to_json
from nnlogic.report.comparison import Compared, cautions, compared, scatter
from nnlogic.report.plots import scatter_file


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other.

    Attributes
    ----------
    rows : tuple of Compared
        In the order given.
    cautions : tuple of str
        Why figures may differ for another reason.
    """

    rows: tuple[Compared, ...]
    cautions: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {"runs": to_json(self.rows), "cautions": list(self.cautions)}


def compare(runs: Sequence[Path | str], plot: Path | None = None) -> Comparison:
    """Return the figures of runs, each a run directory or a ``report.json``.

    Parameters
    ----------
    runs : sequence of paths
    plot : Path, optional
        SVG file to write: LUTs against rows that are wrong, or the error of the last quantity.

    Raises
    ------
    UsageError, CheckpointError
        Reports that are not there or cannot be read, all of them; or nothing to plot.
    """
    reports, problems, worst = [], list[Problem](), list[NNLogicError]()
    for path in map(Path, runs):
        try:
            reports.append((str(path), read_report(path)))
        except (UsageError, CheckpointError) as error:
            problems.append(Problem(str(path), f"{error.what}: {error.why}", error.fix))
            worst.append(error)
    if len(worst) == 1:
        raise worst[0]
    if problems:
        kind = CheckpointError if any(isinstance(e, CheckpointError) for e in worst) else UsageError
        raise kind("runs that cannot be compared", problems=problems)
    rows = compared(reports)
    if plot is not None:
        points = scatter(rows)
        if points is None:
            raise UsageError(
                "nothing to plot", where=str(plot), why="no run has LUTs and a figure beside them",
                fix="compile to the end, with --rows where there are labels",
            )  # fmt: skip
        plot.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(plot, scatter_file(points).encode())
    return Comparison(tuple(rows), tuple(cautions(rows)))
