"""The commands that make a run again, and what one does with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnlogic.core.inert import ShellWord
from nnlogic.hw.header import Origin
from nnlogic.job.backend import DEFAULT
from nnlogic.job.given import source_name
from nnlogic.job.option import options_of
from nnlogic.report.rows import Command

if TYPE_CHECKING:
    from nnlogic.job.context import Context

# What a run does not depend on, or what only makes a part of it.
LEFT_OUT = {"target", "jobs", "dask", "tool_timeout", "tool_output", "stop_after", "start_from"}


def compile_line(ctx: Context) -> str:
    """Return the command that makes the run of a context, with all options but the defaults."""
    words = ["nnlogic compile", ShellWord.of_file(ctx.source), "-o RUN"]
    words.append(f"--target {ctx.target.asked}")
    if ctx.backend.name != DEFAULT:
        words.append(f"--backend {ctx.backend.name}")
    for name, (what, default) in options_of(type(ctx.opts)).items():
        value = getattr(ctx.opts, name)
        if name in LEFT_OUT or value == default:
            continue
        if isinstance(value, bool):
            words.append(what.flag(name) if value else what.flags.split("/")[1])
        elif what.kind is Path:
            words.append(f"{what.flag(name)} {ShellWord.of_file(Path(source_name(value)))}")
        else:
            words.append(
                f"{what.flag(name)} {ShellWord(f'{value:g}' if what.kind is float else str(value))}"
            )
    return " ".join(words)


def origin(ctx: Context) -> Origin:
    """Return what stands at the top of the files of a run."""
    source = ctx.report.source
    notes = {p.name: str(w) for p, w in zip(ctx.net.inputs, ctx.net.raw, strict=False)}
    return Origin(compile_line(ctx), str(source.file), str(source.sha256), notes)


def run_commands(ctx: Context, *, bench: bool = False, vivado: bool = True) -> list[Command]:
    """Return the commands of a run.

    Parameters
    ----------
    ctx : Context
    bench : bool
        Whether the run has a plain Verilog bench.
    vivado : bool
        Whether it has a script for Vivado.
    """
    out = [
        Command("compile", compile_line(ctx)),
        Command("simulate", "nnlogic verify RUN"),
        Command("synthesize, place and route", "nnlogic synth RUN"),
    ]
    out += [Command("run the plain bench", "sh sim/run_bench.sh")] if bench else []
    vendor = Command("Vivado", "vivado -mode batch -source flows/vivado.tcl")
    return [*out, vendor] if vivado else out
