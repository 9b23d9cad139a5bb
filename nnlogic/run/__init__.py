"""Whole runs: compile a checkpoint into a run directory, verify it, synthesize it."""

from __future__ import annotations

from nnlogic.job.directory import Run, open_run
from nnlogic.run.compile_run import compile
from nnlogic.run.synth_run import synth
from nnlogic.run.verify_run import verify

__all__ = ["Run", "compile", "open_run", "synth", "verify"]
