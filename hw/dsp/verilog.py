"""Write an engine as Verilog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnlogic.backends.dsp.model.ir import Program
from nnlogic.core.archive import write_bytes
from nnlogic.core.formats import Port
from nnlogic.core.inert import CommentText
from nnlogic.core.names import Identifier, identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.hw.convert import component_verilog
from nnlogic.hw.dsp.commands import command_fields
from nnlogic.hw.dsp.crossbar import Four
from nnlogic.hw.dsp.encode import EngineShape
from nnlogic.hw.dsp.engine import Engine, build_engine, build_kernels
from nnlogic.hw.header import Origin, header
from nnlogic.hw.slice_kinds import DSP48E1
from nnlogic.hw.slices import MODELS, model_text


def write_engine(
    program: Program,
    folder: Path,
    *,
    kind: str = DSP48E1,
    origin: Origin | None = None,
    progress: Progress = SILENT,
) -> tuple[Path, ...]:
    """Write ``<name>.v``, and for DSP slices the simulation model ``dsp48_models.v``.

    Plain Verilog-2001; the top module has the program's name as a Verilog identifier, and all
    module names start with it. The model is for simulation only: synthesis tools know the cells.

    Parameters
    ----------
    program : Program
        Verified.
    folder : Path
        Made when it does not exist.
    kind : {"dsp48e1", "dsp48e2", "fabric"}
        See `nnlogic.hw.dsp.slice.LogicSlice`.
    origin : Origin, optional
        Told at the top of the file.
    progress : Progress

    Returns
    -------
    tuple of Path
        The engine, then the model where there is one.

    Raises
    ------
    UsageError
        No engine can be built for the program, or an unknown kind.
    ToolNotFound, ToolFailed
        Yosys is missing or failed.
    """
    name = identifier(program.name)
    engine = build_engine(program, kind, f"{name}_four")
    head = _ports(engine.shape) + _program(program, engine.shape)
    return _write(engine, name, head, Path(folder), origin, progress)


def write_kernels(
    name: str,
    programs: Sequence[Program],
    folder: Path,
    *,
    most: int,
    kind: str = DSP48E1,
    origin: Origin | None = None,
    progress: Progress = SILENT,
) -> tuple[Path, ...]:
    """Write one engine for several programs; as `write_engine`, with `name` for the top module.

    Parameters
    ----------
    name : str
    programs : sequence of Program
        Verified; for the same slices, input banks and latency.
    folder : Path
    most : int
        Words of program memory; see `nnlogic.hw.dsp.encode.EngineShape.of_all`.
    kind, origin, progress
        As in `write_engine`.
    """
    name = identifier(name)
    engine = build_kernels(programs, kind, f"{name}_four", most=most)
    head = _ports(engine.shape) + _commands(engine.shape)
    for number, program in enumerate(programs):
        head += ["", f"kernel {number}", *_program(program, engine.shape)]
    return _write(engine, name, head, Path(folder), origin, progress)


def _write(
    engine: Engine,
    name: Identifier,
    head: list[str],
    folder: Path,
    origin: Origin | None,
    progress: Progress,
) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.v"
    with progress.step(f"write {path.name}", 1) as step:
        text = _head(engine, name, head, origin)
        text += component_verilog(engine, name, {engine.four: Four()})
        write_bytes(path, text.encode())
        step.advance()
    if not engine.uses_dsp:
        return (path,)
    models = folder / MODELS
    write_bytes(models, model_text().encode())
    return (path, models)


def _head(engine: Engine, name: Identifier, body: list[str], origin: Origin | None) -> str:
    """Return the comment at the top of the file: what it is, and what the streams carry."""
    shape = engine.shape
    lines = [
        f"{shape.slices} slices of kind {engine.kind}, program memory of {shape.words} words",
        "",
        *body,
    ]
    return header(name, [CommentText(line) for line in lines], origin)


def _ports(shape: EngineShape) -> list[str]:
    return [
        "aclk           rising edge",
        "aresetn        synchronous, active low; drops what is in flight",
        "busy           the program runs",
        f"s_axis_tdata   {shape.input_banks} words of 48 lanes, bank 0 lowest",
        f"m_axis_tdata   {len(shape.emitters)} words of 48 lanes, lowest first, of slices "
        + " ".join(map(str, shape.emitters)),
        "m_axis_tlast   last beat of a batch",
    ]


def _commands(shape: EngineShape) -> list[str]:
    """Say what goes over the program stream."""
    how = "each kernel has its place in the program memory, which holds all from the start: load 0"
    if not shape.resident:
        how = "the kernels do not fit side by side: each packet brings the words of its kernel"
    fields = command_fields(shape).items()
    return [
        "p_axis_tdata   packets: a command, then as many program words as it loads, lowest bit 0",
        "               a packet is taken when the groups of the one before have left",
        "               " + how,
        "               groups: how many to run; s_axis takes the beats of so many",
        *(f"                 [{f.at + f.width - 1}:{f.at}] {name}" for name, f in fields),
    ]


def _program(program: Program, shape: EngineShape) -> list[str]:
    return [
        f"{program.n_ops} operations in {program.steps} steps; {program.contexts} batches of 48 "
        f"vectors in a group, {program.interval} cycles per group",
        f"s_axis beat k * {program.input_rows} + r is row r of batch k",
        f"m_axis beat k * {program.output_rows} + e is word e of batch k",
        "",
        "bit of x = (bank, row)",
        *_places(program.inputs, program.input_bank - program.slices, program.input_row),
        "",
        "bit of y = (slice, word)",
        *_places(program.outputs, program.output_slice, program.output_index),
    ]


def _places(
    ports: tuple[Port, ...], first: NDArray[np.int32], second: NDArray[np.int32]
) -> list[str]:
    lines, at = [], 0
    for port in ports:
        for bit in range(port.format.bits):
            place = f"({first[at]}, {second[at]})" if first[at] >= 0 else "not used"
            lines.append(f"  {port.name}[{bit}] = {place}")
            at += 1
    return lines
