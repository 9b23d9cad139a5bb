"""A board's netlist with a host on its serial line: bits go in at a pin, and come out at a pin."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files as resources
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import ToolFailed, UsageError
from nnlogic.core.names import Identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.board_build import TOP, Pin
from nnlogic.flows.targets import Target
from nnlogic.hw.board.protocol import WINDOW
from nnlogic.hw.board.top import INPUTS
from nnlogic.hw.lut_cell import LutCell
from nnlogic.sim.ram_models import ram_models, unknown_mode
from nnlogic.sim.verilate import verilate
from nnlogic.tools.find import Tool, find, yosys_library
from nnlogic.tools.run import run_tool

PINS = ("rx", "button", "tx", "passed", "failed")
PRESS = 4000
"""Clock at which a button is pressed, after the self-test of the start."""
SIMULATOR = ("verilator", "make", "g++")
FAULTS = 8
"""LUTs of the core whose output can be inverted in a model."""
_OWN = ("board_cells.v", "board.cpp")


@dataclass(frozen=True)
class Sent:
    """A frame of the host.

    Attributes
    ----------
    data : bytes
    answer : int
        Bytes of the answer to it.
    missing : int
        It is sent when so many answers to earlier frames are missing, or fewer.
    """

    data: bytes
    answer: int
    missing: int = WINDOW - 1


@dataclass(frozen=True)
class Heard:
    """What a board said.

    Attributes
    ----------
    data : bytes
        All that came over the line.
    passed, failed : bool
        The lamps at the end.
    clocks : int
    """

    data: bytes
    passed: bool
    failed: bool
    clocks: int


def board_model(
    netlist: Path,
    target: Target,
    clock: Identifier,
    pins: Mapping[str, Pin],
    folder: Path,
    *,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> Path:
    """Compile a model of a board's netlist; return the program.

    Parameters
    ----------
    netlist : Path
        Verilog of the target's cells.
    target : Target
    clock : Identifier
        Pin of the clock.
    pins : mapping of str to Pin
        By the name of the shell's port.
    folder : Path
        Made when missing.
    timeout : float, optional
        Seconds, for each program.
    progress : Progress

    Raises
    ------
    UsageError
        A cell in a mode of which there is no model.
    ToolNotFound, ToolFailed, ToolTimeout
        A program is missing or failed.
    """
    tool = find(SIMULATOR[0])
    text = netlist.read_text()
    if mode := unknown_mode(text):
        why = f"there is no model of {mode}"
        raise UsageError("the netlist cannot be simulated", where=str(netlist), why=why)
    folder.mkdir(parents=True, exist_ok=True)
    library = yosys_library()
    cells = [library / name.removeprefix("+/") for name in target.cell_models]
    for name, data in (
        ("netlist.v", with_faults(_pads(text, clock, pins), target.lut_cell)),
        ("bench.v", _bench(clock, pins)),
        ("ram_models.v", ram_models()),
        *((name, resources("nnlogic.sim").joinpath(name).read_text()) for name in _OWN),
    ):
        write_bytes(folder / name, data.encode())
    program = folder / "obj" / "model"
    verilate(
        tool,
        [
            *("-O3", "-Wno-MODDUP", "-Wno-TIMESCALEMOD", "--no-timing"),
            *("--prefix", "Vboard", "--top-module", "bench", "--Mdir", "obj", "-o", "model"),
            *(f"-I{place}" for place in dict.fromkeys(cell.parent for cell in cells)),
        ],
        # Of two models of a cell the first is taken.
        ["bench.v", "netlist.v", *_OWN, "ram_models.v", *cells],
        folder,
        program,
        "compile a model of the board",
        timeout=timeout,
        progress=progress,
    )
    return program


def run_board(
    program: Path,
    frames: Sequence[Sent],
    period: float,
    folder: Path,
    *,
    spare: int,
    press: bool = False,
    fault: int = 0,
    timeout: float | None = None,
) -> Heard:
    """Send frames to a model, and return what came back.

    Parameters
    ----------
    program : Path
        Of `board_model`.
    frames : sequence of Sent
    period : float
        Clocks of a bit, as the host counts them.
    folder : Path
        For files.
    spare : int
        Clocks to wait after the last byte; the answers may take as many beside their time on the
        line.
    press : bool
        Press the button once.
    fault : int
        Which of `FAULTS` LUTs is wrong, from 1 on; 0 for none.
    timeout : float, optional
        Seconds.

    Raises
    ------
    ToolFailed, ToolTimeout
        Something that is no byte came over the line, or the model crashed.
    """
    source, got = folder / "frames.txt", folder / "got.bin"
    lines = "".join(f"{len(f.data)} {f.answer} {f.missing} {f.data.hex()}\n" for f in frames)
    most = round(20 * period * sum(len(f.data) + f.answer for f in frames)) + 2 * spare + 10 * PRESS
    write_bytes(source, lines.encode())
    got.unlink(missing_ok=True)
    done = run_tool(
        Tool("board model", (str(program.resolve()),), (), str(program)),
        [
            source.name,
            got.name,
            repr(period),
            str(PRESS * press),
            str(fault),
            str(spare),
            str(most),
        ],
        cwd=folder,
        timeout=timeout,
        failure_phrases=("FAIL",),
    )
    words = done.output.split()
    if words[:1] != ["LAMPS"] or not got.exists():
        raise ToolFailed("the model of the board said nothing", where=str(program), why=done.output)
    return Heard(got.read_bytes(), words[1] == "1", words[2] == "1", int(words[4]))


def with_faults(netlist: str, cell: LutCell) -> str:
    """Return a netlist with a port ``fault``: each bit inverts the output of a LUT of the core."""
    kinds = "|".join(sorted(set(cell.cells)))
    found = re.finditer(
        rf"^  (?:{kinds}) #\(\n(?:    .*\n)*  \) \S*shell\.core\.\w+\.\S*\s+\(\n(?:    .*\n)*  \);",
        netlist,
        re.MULTILINE,
    )
    places = [match.span() for match in found]
    steps = range(FAULTS) if places else ()
    chosen = dict.fromkeys(places[len(places) * i // FAULTS] for i in steps)
    output = re.compile(rf"\.{cell.output}\((.*)\)")
    lines = []
    for number, (start, end) in sorted(enumerate(chosen), reverse=True):
        body = netlist[start:end]
        driven = output.search(body)
        if driven is None:
            continue
        wire = f"nnlogic_fault_{number}"
        netlist = netlist[:start] + output.sub(f".{cell.output}({wire})", body) + netlist[end:]
        lines += [f"  wire {wire};", f"  assign {driven[1]} = {wire} ^ fault[{number}];"]
    head = f"module {TOP}("
    netlist = netlist.replace(head, f"{head}fault, ", 1)
    start = netlist.index(");\n", netlist.index(head)) + 3
    end = netlist.rindex("endmodule")
    port = f"  input [{FAULTS - 1}:0] fault;\n"
    return netlist[:start] + port + netlist[start:end] + "\n".join([*lines, netlist[end:]])


def _pads(netlist: str, clock: Identifier, pins: Mapping[str, Pin]) -> str:
    """Return a netlist whose ports are two-way, as those of its pads are."""
    names = "|".join([clock, *(pin.name for pin in pins.values())])
    return re.sub(rf"^  (?:in|out)put ({names});", r"  inout \1;", netlist, flags=re.MULTILINE)


def _bench(clock: Identifier, pins: Mapping[str, Pin]) -> str:
    """Return a top module with the shell's names for the pins, as if no board inverted any."""
    wires = [f".{clock}(clk_pin)", ".fault(fault)"]
    body = ["  wire clk_pin = clk;"]
    for name, pin in pins.items():
        invert = "~" if pin.inverted else ""
        if name in INPUTS:
            body.append(f"  wire {name}_pin = {invert}{name};")
        else:
            body += [f"  wire {name}_pin;", f"  assign {name} = {invert}{name}_pin;"]
        wires.append(f".{pin.name}({name}_pin)")
    if "failed" not in pins:
        body.append("  assign failed = ~passed;")
    ports = ["input clk", f"input [{FAULTS - 1}:0] fault"]
    ports += [f"{'input' if name in INPUTS else 'output'} {name}" for name in PINS]
    return (
        f"module bench ({', '.join(ports)});\n"
        + "\n".join(body)
        + f"\n  {TOP} board ({', '.join(wires)});\nendmodule\n"
    )
