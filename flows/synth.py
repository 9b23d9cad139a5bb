"""Synthesis with yosys: scripts as text, files written, tool run, figures read."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import ToolFailed
from nnlogic.core.inert import YosysWord
from nnlogic.core.names import Identifier
from nnlogic.core.progress import SILENT, Progress, Step
from nnlogic.flows.reports import Cells, read_json, read_stat
from nnlogic.flows.targets import Target
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool
from nnlogic.tools.verilog_guard import check_sources

SCRIPT, STREAM_SCRIPT = "synth.ys", "synth_stream.ys"
PHASES = ("HIERARCHY", "PROC", "OPT", "SHARE", "TECHMAP", "DFFLEGALIZE", "ABC9", "FLATTEN", "JSON")


@dataclass(frozen=True)
class NetPort:
    """A port of a synthesized module: direction ``"input"`` or ``"output"``, width in bits."""

    name: Identifier
    direction: str
    width: int


@dataclass(frozen=True)
class SynthResult:
    """What synthesis measured, and the files it left.

    Attributes
    ----------
    target : str
    top : Identifier
    tool : str
        Program and version.
    command : str
        The synthesis command with its options, as run.
    total : Cells
        The whole design.
    modules : mapping of str to Cells
        Each module without its submodules; they add up to `total` where no module is used twice.
    ports : tuple of NetPort
    files : mapping of str to Path
        ``script``, ``log``, ``stat`` (JSON), ``netlist_json``, ``netlist_verilog`` (flattened), and
        where it was asked for ``modules_verilog``.
    seconds : float
    """

    target: str
    top: Identifier
    tool: str
    command: str
    total: Cells
    modules: Mapping[str, Cells]
    ports: tuple[NetPort, ...]
    files: Mapping[str, Path]
    seconds: float

    @property
    def luts(self) -> Mapping[str, int]:
        """Count of each LUT type."""
        return self.total.luts

    @property
    def luts_total(self) -> int:
        """All LUTs."""
        return self.total.luts_total

    @property
    def wide_muxes(self) -> Mapping[str, int]:
        """Count of each wide-LUT multiplexer type."""
        return self.total.wide_muxes

    @property
    def ffs(self) -> int:
        """Flip-flops."""
        return self.total.ffs


class PhaseCounter:
    """Turns the headings in yosys's log into progress: one advance per phase, once each."""

    _heading = re.compile(r"^[\d.]+ Executing (\w+)")

    def __init__(self, step: Step) -> None:
        self.step = step
        self.left = list(PHASES)

    def __call__(self, line: str) -> None:
        """Take one line of the log."""
        match = self._heading.match(line)
        if match and match[1] in self.left:
            self.left.remove(match[1])
            self.step.advance(1, match[1].lower())


def synth_command(top: Identifier, target: Target) -> str:
    """Return the yosys synthesis command of a target for a top module."""
    return " ".join([*target.yosys, "-top", top])


def synth_script(
    files: Sequence[str | Path],
    top: Identifier,
    target: Target,
    clock: float | None = None,
    *,
    modules: bool = False,
    prefix: str = "",
) -> str:
    """Return the yosys script that synthesizes Verilog files for a target.

    The script stops when yosys sees a latch or, where the target keeps block memories out, a
    memory: truth tables must stay logic, since a table read as a ROM is several times larger, or
    hides in a block memory.

    Parameters
    ----------
    files : sequence of str or Path
        As the script will name them.
    top : Identifier
        Name of the top module.
    target : Target
    clock : float, optional
        MHz: mapping saves LUTs where a path is shorter than a period, by its estimate of delays.
    modules : bool
        Also write the netlist before its modules are dissolved.
    prefix : str
        Of the names of the files it writes.

    Raises
    ------
    UsageError
        A path that yosys cannot be given.
    """
    goal = [] if clock is None else [f"scratchpad -set abc9.D {round(1e6 / clock)}"]
    memories = "t:$mem* " if "-nobram" in target.yosys else ""
    lines = [
        *(f"read_verilog {YosysWord(file)}" for file in files),
        f"hierarchy -top {top}",
        "proc",
        f"select -assert-none {memories}t:$dlatch* t:$adlatch*",
        *goal,
        synth_command(top, target),
        f"tee -q -o {prefix}stat.json stat -json",
        *([f"write_verilog -noattr {prefix}modules.v"] if modules else []),
        "flatten",
        "opt_clean",
        f"select ={top}",
        f"write_json -selected {prefix}netlist.json",
        f"write_verilog -selected -noattr {prefix}netlist.v",
    ]
    return "\n".join([*lines, ""])


def synthesize(
    files: Sequence[Path],
    top: str,
    target: Target,
    folder: Path,
    *,
    clock: float | None = None,
    modules: bool = False,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> SynthResult:
    """Synthesize Verilog with yosys and read the figures.

    Parameters
    ----------
    files : sequence of Path
        Verilog sources.
    top : str
        Name of the top module.
    target : Target
    folder : Path
        Receives script, log and netlists; made when missing.
    clock : float, optional
    modules : bool
        As for `synth_script`.
    timeout : float, optional
        Seconds.
    progress : Progress

    Raises
    ------
    UnsafeVerilog
        A file does more than describe a circuit.
    ToolNotFound, ToolFailed, ToolTimeout
        No yosys, or it failed; a memory in the netlist counts as failure.
    """
    tool, module = find("yosys"), Identifier(top)
    check_sources(files)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / SCRIPT
    shown = [os.path.relpath(file, folder) for file in files]
    write_bytes(script, synth_script(shown, module, target, clock, modules=modules).encode())
    out = {
        "stat": folder / "stat.json",
        "netlist_json": folder / "netlist.json",
        "netlist_verilog": folder / "netlist.v",
    }
    if modules:
        out["modules_verilog"] = folder / "modules.v"
    log = folder / "synth.log"
    with progress.step(f"synthesis for {target.name} with yosys", total=len(PHASES)) as step:
        done = run_tool(
            tool,
            [SCRIPT],
            cwd=folder,
            timeout=timeout,
            outputs=tuple(out.values()),
            failure_phrases=("ERROR:",),
            log_file=log,
            on_line=PhaseCounter(step),
        )
    total, by_module = read_stat(out["stat"], target)
    return SynthResult(
        target=target.name,
        top=module,
        tool=f"yosys {tool.version_text}",
        command=synth_command(module, target) + (f", for {clock:g} MHz" if clock else ""),
        total=total,
        modules=by_module,
        ports=read_ports(out["netlist_json"], top),
        files={"script": script, "log": log, **out},
        seconds=done.seconds,
    )


def add_cells(parts: Iterable[Cells]) -> Cells:
    """Return the sum of figures."""
    parts = tuple(parts)
    luts: Counter[str] = Counter()
    wide: Counter[str] = Counter()
    for part in parts:
        luts.update(part.luts)
        wide.update(part.wide_muxes)
    return Cells(
        luts=dict(sorted(luts.items())),
        wide_muxes=dict(sorted(wide.items())),
        ffs=sum(part.ffs for part in parts),
        carry=sum(part.carry for part in parts),
        brams=sum(part.brams for part in parts),
        dsps=sum(part.dsps for part in parts),
    )


def dual_note(cells: Cells, target: Target) -> str:
    """Say how many cells hold two LUTs, and how many LUTs that makes; nothing where none does."""
    dual = target.lut_cell.dual
    held = cells.luts.get(dual, 0)
    return f"; {held} {dual} hold two LUTs each: {cells.luts_total + held} LUTs" if held else ""


def read_ports(netlist: Path, top: str) -> tuple[NetPort, ...]:
    """Return the ports of a module in a yosys JSON netlist, in order.

    Raises
    ------
    ToolFailed
        The file is damaged or lacks the module.
    """
    try:
        ports = read_json(netlist)["modules"][top]["ports"]
        return tuple(
            NetPort(Identifier(name), port["direction"], len(port["bits"]))
            for name, port in ports.items()
        )
    except (KeyError, TypeError) as error:
        raise ToolFailed(
            "the netlist lacks its top module", where=str(netlist), why=f"{top}: no {error}"
        ) from error
