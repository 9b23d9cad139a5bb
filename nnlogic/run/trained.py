"""What a trained network compiles to, for the report of training."""

from __future__ import annotations

from pathlib import Path

from nnlogic.core.formats import ROLES
from nnlogic.core.progress import SILENT, Progress
from nnlogic.frontend import load
from nnlogic.job.facts import layer_luts
from nnlogic.logic.build import minimize
from nnlogic.tables.build import tabulate


def compiled_luts(
    checkpoint: Path, effort: str = "fast", jobs: int | None = None, progress: Progress = SILENT
) -> dict[str, int]:
    """Return the LUT6 a checkpoint compiles to, by role and in ``"total"``.

    Every role is there: the encoder counts, and so does the output logic. Layers are minimized one
    by one; `nnlogic.compile` may find less across them.

    Parameters
    ----------
    checkpoint : Path
    effort : str
        Of the minimization.
    jobs : int, optional
        Processes; all cores when None.
    progress : Progress
    """
    tables = tabulate(load(checkpoint), arith="auto")
    logic = minimize(tables, effort=effort, jobs=jobs, progress=progress)
    out = dict.fromkeys(ROLES, 0)
    for number, count in layer_luts(logic).items():
        out[logic.layers[number].role] += count
    return {**out, "total": sum(out.values())}
