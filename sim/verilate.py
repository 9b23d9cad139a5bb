"""Verilator models: translated to C++ and compiled, in a time that is bounded by their size."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from nnlogic.core.progress import SILENT, Progress, Step
from nnlogic.tools.find import Tool
from nnlogic.tools.objects import compiling
from nnlogic.tools.run import run_tool

LARGE = 1_000_000
"""Bytes of Verilog above which compiling a model costs more than optimizing it saves."""
GROUP = 1_000_000
"""Bytes of Verilog per C++ file: of all in two files the compiler takes gigabytes."""
COMMON = (
    *("-Wno-fatal", "-Wno-lint", "-Wno-style"),
    *("--x-assign", "unique", "--x-initial", "unique"),
)
"""Registers start with random values, not with zeros that a design could rely on."""


def verilate(
    tool: Tool,
    arguments: Sequence[str | Path],
    sources: Sequence[Path | str],
    folder: Path,
    program: Path,
    title: str,
    *,
    quick: bool = False,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> None:
    """Build the program of a model.

    Parameters
    ----------
    tool : Tool
        Verilator.
    arguments : sequence
        What the model is of and is called, beside the sources.
    sources : sequence of path
        Verilog and C++, from `folder`.
    folder : Path
        Working directory; gets ``build.log``.
    program : Path
        What must be there afterwards.
    title : str
        Of the step that is shown.
    quick : bool
        Do not optimize the C++ whatever the size: few rows will run.
    timeout : float, optional
        Seconds.
    progress : Progress
        Advances by each file that the compiler begins.

    Raises
    ------
    ToolFailed, ToolTimeout
        Verilator, make or the compiler failed or hung.
    """
    size = sum((folder / source).stat().st_size for source in sources)
    level = "-O0" if quick or size > LARGE else "-O1"
    # What runs once, at the start, is half of the text and is never worth optimizing.
    levels = f"OPT_GLOBAL={'-O0' if quick else '-O1'} OPT_SLOW=-O0 OPT_FAST={level}"
    cores = os.cpu_count() or 1
    with progress.step(title) as step:
        run_tool(
            tool,
            [
                *("--cc", "--exe", "--build", "-j", str(cores)),
                *("--output-groups", str(max(cores, size // GROUP))),
                *COMMON,
                *("-MAKEFLAGS", levels),
                *arguments,
                *sources,
            ],
            cwd=folder,
            timeout=timeout,
            env=compiling(),
            outputs=(program,),
            log_file=folder / "build.log",
            on_line=_Compiled(step),
        )
        step.advance()


class _Compiled:
    """Shows what make compiles."""

    def __init__(self, step: Step) -> None:
        self.step = step

    def __call__(self, line: str) -> None:
        """Take a line of what Verilator and make print."""
        words = line.split()
        if "-c" in words and words[-1].endswith(".cpp"):
            self.step.advance(note=Path(words[-1]).stem)
