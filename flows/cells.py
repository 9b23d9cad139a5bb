"""Standard cells: a library in Liberty format, and synthesis for it with yosys and ABC."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import ToolFailed, UsageError
from nnlogic.core.inert import YosysWord
from nnlogic.core.names import Identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.reports import read_json
from nnlogic.flows.synth import PHASES, SCRIPT, PhaseCounter
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool
from nnlogic.tools.verilog_guard import check_sources

LIBERTY, MODELS = "cells.lib", "models.v"
MOST_BYTES = 500_000_000
_NAME = re.compile(rb"""^\s*library\s*\(\s*"?([\w.-]{1,100})"?\s*\)""", re.MULTILINE)
_TIMING = re.compile(r"Area =\s*([\d.]+) .*Delay =\s*([\d.]+) ps")
# ABC's mapping for standard cells, as yosys has it, and what it then says of area and delay.
MAPPING = (
    "strash;&get,-n;&fraig,-x;&put;scorr;dc2;dch,-f;&nf{goal};&put;buffer,-c;topo;{size}stime,-p"
)
SIZING = "upsize,{D};dnsize,{D};"


@dataclass(frozen=True)
class Library:
    """A library of cells; what cells do, when netlists are proved, is what its file says.

    Attributes
    ----------
    name : str
        As the file says; letters, digits, ``.``, ``-``.
    data : bytes
        The file.
    """

    name: str
    data: bytes

    @staticmethod
    def load(path: Path) -> Library:
        """Read a Liberty file.

        Raises
        ------
        UsageError
            It cannot be read, or is no Liberty file.
        """
        what, fix = "cannot read the library", "give a Liberty file, FILE.lib, not compressed"
        try:
            if path.stat().st_size > MOST_BYTES:
                raise UsageError(what, where=str(path), why=f"more than {MOST_BYTES:,} bytes")
            data = path.read_bytes()
        except OSError as error:
            raise UsageError(what, where=str(path), why=str(error)) from error
        found = _NAME.search(data)
        if found is None:
            raise UsageError(what, where=str(path), why="no `library (NAME)` in it", fix=fix)
        return Library(found[1].decode(), data)

    def model_sources(self, folder: Path) -> tuple[str, ...]:
        """Write Verilog of the cells into a folder; return the names for a script that runs there.

        Raises
        ------
        ToolNotFound, ToolFailed
            Yosys cannot read the library.
        """
        write_bytes(folder / LIBERTY, self.data)
        lines = [
            # Pads, tristates and the like have no function: what is not there cannot be used.
            f"read_liberty -ignore_miss_func -ignore_miss_dir -ignore_miss_data_latch {LIBERTY}",
            f"write_verilog -noattr {MODELS}",
        ]
        write_bytes(folder / "models.ys", "\n".join([*lines, ""]).encode())
        run_tool(
            find("yosys"), ["models.ys"], cwd=folder, outputs=(folder / MODELS,),
            failure_phrases=("ERROR:",), log_file=folder / "models.log",
        )  # fmt: skip
        return (MODELS,)


@dataclass(frozen=True)
class CellsResult:
    """What synthesis for standard cells measured, and the files it left.

    Attributes
    ----------
    library : str
    tool, command : str
    cells : mapping of str to int
        Count of each cell.
    area : float
        Of all, in units of the library.
    registers_area : float or None
        Flip-flops' part of it; None where yosys does not say.
    delay_ns : float
        Longest path of gates from register to register, by ABC: with the library's tables, without
        wires, clock to output and setup.
    files : mapping of str to Path
    seconds : float
    """

    library: str
    tool: str
    command: str
    cells: Mapping[str, int]
    area: float
    registers_area: float | None
    delay_ns: float
    files: Mapping[str, Path]
    seconds: float


def cells_script(core: str | Path, top: Identifier, clock: float | None = None) -> str:
    """Return the yosys script that synthesizes a core for the cells of ``cells.lib``.

    Parameters
    ----------
    core : str or Path
        Verilog, as the script will name it.
    top : Identifier
    clock : float, optional
        MHz: gates get the sizes that it needs.
    """
    goal = "" if clock is None else f" -D {round(1e6 / clock)}"
    how = MAPPING.format(goal=",{D}" if clock else "", size=SIZING if clock else "")
    lines = [
        f"read_verilog {YosysWord(core)}",
        f"hierarchy -top {top}",
        "proc",
        "select -assert-none t:$mem* t:$dlatch* t:$adlatch*",
        f"synth -flatten -noabc -top {top}",
        f"dfflibmap -liberty {LIBERTY}",
        f"abc -liberty {LIBERTY}{goal} -script +{how}",
        "opt_clean",
        f"tee -q -o stat.json stat -json -liberty {LIBERTY}",
        "write_verilog -noattr netlist.v",
    ]
    return "\n".join([*lines, ""])


def synthesize_cells(
    core: Path,
    top: str,
    library: Library,
    folder: Path,
    *,
    clock: float | None = None,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> CellsResult:
    """Synthesize Verilog for standard cells and read the figures.

    Parameters
    ----------
    core : Path
    top : str
        Name of the top module.
    library : Library
    folder : Path
        Receives script, library, log and netlist; made when missing.
    clock : float, optional
        MHz to size the gates for.
    timeout : float, optional
        Seconds.
    progress : Progress

    Raises
    ------
    UnsafeVerilog
        The core does more than describe a circuit.
    ToolFailed
        Yosys or ABC cannot use the library, or it has no cell for something.
    ToolNotFound, ToolTimeout
        No yosys, or it took too long.
    """
    tool, module = find("yosys"), Identifier(top)
    check_sources([core])
    folder.mkdir(parents=True, exist_ok=True)
    script = cells_script(os.path.relpath(core, folder), module, clock)
    write_bytes(folder / SCRIPT, script.encode())
    write_bytes(folder / LIBERTY, library.data)
    files = {"stat": folder / "stat.json", "netlist_verilog": folder / "netlist.v"}
    with progress.step(f"synthesis for {library.name} with yosys", len(PHASES)) as step:
        done = run_tool(
            tool,
            [SCRIPT],
            cwd=folder,
            timeout=timeout,
            outputs=tuple(files.values()),
            failure_phrases=("ERROR:",),
            log_file=folder / "synth.log",
            on_line=PhaseCounter(step),
        )
    stat = read_json(files["stat"])
    where = str(files["stat"])
    try:
        design = stat["design"]
        types, area = dict(design["num_cells_by_type"]), float(design["area"])
    except (KeyError, TypeError, ValueError) as error:
        raise ToolFailed("a tool's report lacks an entry", where=where, why=str(error)) from error
    types.pop("$scopeinfo", None)
    generic = [name for name in types if name.startswith("$")]
    if generic:
        why = ", ".join(f"{types[name]} {name}" for name in generic)
        fix = "a library with flip-flops without reset, inverters and NANDs or NORs"
        raise ToolFailed(f"{library.name} lacks cells", where=where, why=why, fix=fix)
    timing = _TIMING.findall(done.output)
    if not timing:
        why = "ABC printed no area and delay"
        raise ToolFailed("no timing of the cells", where=str(folder / "synth.log"), why=why)
    registers = design.get("sequential_area")
    return CellsResult(
        library=library.name,
        tool=f"yosys {tool.version_text}",
        command=script.splitlines()[6],
        cells=dict(sorted(types.items())),
        area=area,
        registers_area=None if registers is None else float(registers),
        delay_ns=round(float(timing[-1][1]) / 1000, 3),
        files={"script": folder / SCRIPT, "log": folder / "synth.log", **files},
        seconds=done.seconds,
    )
