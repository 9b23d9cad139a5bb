"""Bulk vectors through a compiled Verilator model of the core: one row per clock."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.resources import files as resources
from pathlib import Path

import numpy as np

from nnlogic.core import bits
from nnlogic.core.archive import digest
from nnlogic.core.errors import ToolFailed
from nnlogic.core.formats import IntArray
from nnlogic.core.names import Identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.hw.names import Core, port_names
from nnlogic.sim.verilate import verilate
from nnlogic.tools.find import Tool, find
from nnlogic.tools.plain import plain, scratch
from nnlogic.tools.programs import is_ours, sign_program
from nnlogic.tools.run import run_tool
from nnlogic.tools.verilog_guard import checked_copies

TOP = "nnlogic_bulk_top"


def run_bulk(
    design: Core,
    files: Sequence[Path],
    folder: Path,
    *,
    codes: IntArray,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> IntArray:
    """Simulate the core on many rows.

    Parameters
    ----------
    design : Core
    files : sequence of Path
        Verilog of the core.
    folder : Path
        Holds compiled models, one per content of `files`; made when missing.
    codes : int array, shape (samples, inputs)
        Port values.
    timeout : float, optional
        Seconds, for the build and for the run.

    Returns
    -------
    int64 array, shape (samples, outputs)
        Port values as the circuit gave them.

    Raises
    ------
    InputError
        `codes` do not fit the ports.
    UnsafeVerilog
        A file does more than describe a circuit.
    ToolNotFound, ToolFailed, ToolTimeout
        The model cannot be built, crashed, or broke the protocol: ``out_valid`` must be high
        exactly `latency` clocks after each row.
    """
    codes = bits.check_codes(codes, design.inputs)
    model = build_model(design, files, folder, timeout=timeout, progress=progress)
    raw = np.stack([p.format.to_raw(codes[:, i]) for i, p in enumerate(design.inputs)], axis=1)
    with (
        scratch("bulk") as work,
        progress.step("bulk simulation", total=len(codes)) as step,
    ):
        source, target = work / "in.bin", work / "out.bin"
        source.write_bytes(raw.astype("<u8").tobytes())
        run_tool(
            Tool("bulk model", (str(model),), (), str(model)),
            [source.name, target.name, str(len(codes)), str(design.latency)],
            cwd=work,
            timeout=timeout,
            outputs=(target,) if len(codes) else (),
            failure_phrases=("FAIL",),
        )
        out = np.frombuffer(target.read_bytes(), dtype="<u8").astype(np.int64)
        step.advance(len(codes))
    if out.size != len(codes) * len(design.outputs):
        raise ToolFailed("the bulk model wrote too little", where=str(model))
    out = out.reshape(len(codes), len(design.outputs))
    columns = [p.format.from_raw(out[:, i]) for i, p in enumerate(design.outputs)]
    return np.stack(columns, axis=1)


def build_model(
    design: Core,
    files: Sequence[Path],
    folder: Path,
    *,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> Path:
    """Compile the model, unless one of the same content was compiled here; return the program."""
    tool = find("verilator")
    for needed in ("make", "g++"):
        find(needed)
    driver = resources("nnlogic.sim").joinpath("bulk.cpp").read_text()
    top, header = _top(design), _header(design)
    key = digest(tool.version_text, driver, top, header, *(Path(f).read_bytes() for f in files))
    build = Path(folder).resolve() / f"bulk-{key[:16]}"
    program = build / "model"
    if is_ours(program, key):
        return program
    with plain(build) as work:
        for name, text in (("bulk.cpp", driver), (f"{TOP}.v", top), ("ports.h", header)):
            (work / name).write_text(text)
        sources = checked_copies(files, work / "rtl")
        verilate(
            tool,
            [
                *("-O3", "-CFLAGS", "-I.."),
                *("--prefix", "Vcore", "--top-module", TOP, "--Mdir", "obj", "-o", "model"),
            ],
            [f"{TOP}.v", "bulk.cpp", *(source.relative_to(work) for source in sources)],
            work,
            work / "obj" / "model",
            "compile bulk model",
            timeout=timeout,
            progress=progress,
        )
    # The name exists only once the build is complete.
    os.replace(build / "obj" / "model", program)
    sign_program(program, key)
    return program


def _top(design: Core) -> str:
    """Return a wrapper whose port names C++ can use as they are."""
    x_names, y_names = port_names(design)
    pins = [f".{n}({n})" for n in ("clk", "rst", "in_valid", "out_valid")]
    ports = ["input clk, input rst, input in_valid, output out_valid"]
    for way, letter, group, names in (
        ("input", "i", design.inputs, x_names),
        ("output", "o", design.outputs, y_names),
    ):
        ports += [f"{way} [{p.format.bits - 1}:0] {letter}{i}" for i, p in enumerate(group)]
        pins += [f".{names[p.name]}({letter}{i})" for i, p in enumerate(group)]
    body = f"  {Identifier(design.name)} core ({', '.join(pins)});"
    return f"module {TOP} (\n  " + ",\n  ".join(ports) + f"\n);\n{body}\nendmodule\n"


def _header(design: Core) -> str:
    n_in, n_out = len(design.inputs), len(design.outputs)
    load = " ".join(f"core->i{i} = row[{i}];" for i in range(n_in))
    store = " ".join(f"row[{i}] = core->o{i};" for i in range(n_out))
    return (
        f"static const uint64_t N_IN = {n_in}, N_OUT = {n_out};\n"
        f"static void load(Vcore* core, const uint64_t* row) {{ {load} }}\n"
        f"static void store(Vcore* core, uint64_t* row) {{ {store} }}\n"
    )
