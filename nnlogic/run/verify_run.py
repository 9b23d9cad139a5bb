"""Check a compiled run: stale comparisons again, simulations, planted faults."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnlogic.core.errors import UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.job.backend import Simulate
from nnlogic.job.directory import Run, open_run
from nnlogic.job.options import run_limits
from nnlogic.job.verify import verified
from nnlogic.tools.limits import limited

SIMULATORS = ("verilator", "icarus")


def verify(
    path: Path | str,
    *,
    simulators: Sequence[str] = SIMULATORS,
    require_all: bool = False,
    tool_timeout: float | None = None,
    tool_output: float | None = None,
    progress: Progress = SILENT,
) -> Run:
    """Run the simulation rungs of the verification ladder on a compiled run.

    Comparisons of stages that are of other files than those that are there now are made again.

    Parameters
    ----------
    path : path
        A run directory with Verilog.
    simulators : sequence of str
        Of ``"verilator"`` and ``"icarus"``. The bulk model always uses Verilator.
    require_all : bool
        Raise when a simulator is missing; otherwise its row says "not run" and why.

    tool_timeout, tool_output : float, optional
        Most seconds of an external program, and most megabytes that it prints; by default what
        the run was compiled with.

    Returns
    -------
    Run
        With report.json, report.html and STATUS brought up to date.

    Raises
    ------
    Different
        Something differs; STATUS is ``failed``. Or a verdict is of other files than those that are
        there, and cannot be found again from the run; STATUS is ``stale``.
    ToolNotFound
        Verilator, or with `require_all` any simulator, is missing.
    """
    unknown = sorted(set(simulators) - set(SIMULATORS))
    if unknown:
        raise UsageError("unknown simulator", why=", ".join(unknown), fix=" or ".join(SIMULATORS))
    bounds = run_limits(open_run(Path(path)).report.config, tool_timeout, tool_output)
    with limited(bounds):
        return verified(Path(path), Simulate(tuple(simulators), require_all, progress))
