"""A core on a board: its top module through Amaranth's platform, synthesis, layout, bitstream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import TargetMissed, ToolFailed, UsageError
from nnlogic.core.names import Identifier
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.boards import Board
from nnlogic.flows.pnr import NO_ROOM, REPORT, SEED, PhaseCounter
from nnlogic.flows.reports import PnrReport, read_pnr_report
from nnlogic.flows.targets import Target
from nnlogic.hw.board.protocol import QUIET_S
from nnlogic.hw.board.shell import Shell, ShellParameters
from nnlogic.hw.board.top import Top
from nnlogic.hw.board.uart import BITS
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool
from nnlogic.tools.verilog_guard import check_sources

TOP = "board"
NETLIST = "netlist.v"
LEAST_CLOCKS = 4
BAUD_ERROR = 0.02
"""Of ten bits at most a quarter may be lost by either side."""


@dataclass(frozen=True)
class Pin:
    """A pin of the top module: its name, and whether the board inverts it."""

    name: Identifier
    inverted: bool


@dataclass(frozen=True)
class Plan:
    """A top module and how it is built; nothing was written yet.

    Attributes
    ----------
    board : Board
    clock_hz : float
        Of the board.
    clocks : int
        Of the shell, of a bit on the serial line.
    clock : Identifier
        The pin of the clock.
    pins : mapping of str to Pin
        By the name of the shell's port.
    files : mapping of str to bytes
        By name.
    commands : tuple of tuple of str
        Programs of `Board.target`, and yosys, with their arguments.
    divide : int
        Clocks of the board in one of the shell and its core.
    """

    board: Board
    clock_hz: float
    clocks: int
    clock: Identifier
    pins: Mapping[str, Pin]
    files: Mapping[str, bytes]
    commands: tuple[tuple[str, ...], ...]
    divide: int = 1

    @property
    def shell_hz(self) -> float:
        """Clock of the shell and its core."""
        return self.clock_hz / self.divide


@dataclass(frozen=True)
class Built:
    """A bitstream and what the tools said of it.

    Attributes
    ----------
    bitstream, netlist : Path
        The netlist is Verilog, of the target's cells, before layout.
    pnr : PnrReport
    tools : tuple of str
        Programs and versions.
    """

    bitstream: Path
    netlist: Path
    pnr: PnrReport
    tools: tuple[str, ...]


def clocks_of_bit(clock_hz: float, baud: int) -> int:
    """Return the clocks of a bit.

    Raises
    ------
    UsageError
        The clock is too slow for the line, or its nearest whole number too far from it.
    """
    exact = clock_hz / baud
    clocks = round(exact)
    if clocks < LEAST_CLOCKS or abs(clocks / exact - 1) > BAUD_ERROR:
        raise UsageError(
            f"{baud} baud cannot be made from {clock_hz / 1e6:g} MHz",
            where="--baud",
            why=f"a bit is {exact:.2f} clocks; it must be {LEAST_CLOCKS} or more, and within "
            f"{BAUD_ERROR:.0%} of a whole number",
            fix=f"a slower line, such as {round(clock_hz / max(clocks, 2 * LEAST_CLOCKS))}",
        )
    return clocks


def plan_board(
    board: Board,
    parameters: Any,
    core: Mapping[str, bytes],
    baud: int,
    latency: int,
    divide: int = 1,
) -> Plan:
    """Return the top module of a core on a board.

    Parameters
    ----------
    board : Board
    parameters : mapping
        Of `ShellParameters`, without what the clock decides.
    core : mapping of str to bytes
        Verilog of the core, by file name.
    baud : int
        Bits per second of the line.
    latency : int
        Clocks of the core.
    divide : int
        Clocks of the board in one of the shell and its core; a power of two.

    Raises
    ------
    UsageError
        The line is too fast.
    ToolNotFound
        The package of the board is missing.
    """
    platform = board.open_platform()
    clock_hz = float(platform.default_clk_frequency)
    clocks = clocks_of_bit(clock_hz / divide, baud)
    if latency + 8 > BITS * clocks:
        why = f"a byte is {BITS * clocks} clocks, and an answer takes {latency} and 8"
        raise UsageError("the line is faster than the core", where="--baud", why=why)
    quiet = round(QUIET_S * clock_hz / divide)
    shell = Shell(ShellParameters(**parameters, clocks=clocks, quiet=quiet))
    ports = _ports(platform, board)
    for name, data in core.items():
        platform.add_file(name, data)
    made = platform.prepare(
        Top(shell, ports, divide),
        TOP,
        emit_src=False,
        script_after_synth=f"tee -q -o stat.json stat -json\nwrite_verilog -noattr {NETLIST}",
        nextpnr_opts=f"--seed {SEED} --report {REPORT} --timing-allow-fail",
    )
    files = {name: _encoded(data) for name, data in made.files.items()}
    [clock] = [Identifier(port.name) for port, _ in platform.iter_port_clock_constraints()]
    told = json.loads(files.pop(f"build_{TOP}.json"))["commands"]
    pins = {name: Pin(Identifier(port.io.name), any(port.invert)) for name, port in ports.items()}
    return Plan(board, clock_hz, clocks, clock, pins, files, tuple(map(tuple, told)), divide)


def _ports(platform: Any, board: Board) -> dict[str, Any]:
    from amaranth.build import Attrs, Pins, Resource, Subsignal

    uart = board.uart
    if board.wires is not None:
        wires, uart = board.wires, "nnlogic_uart 0"
        connector, number = wires.connector.split()
        lines = [
            Subsignal(name, Pins(pin, dir=way, conn=(connector, int(number))))
            for name, pin, way in (("rx", wires.rx, "i"), ("tx", wires.tx, "o"))
        ]
        platform.add_resources([Resource(uart.split()[0], 0, *lines, Attrs(**wires.attributes))])
    wanted = {"passed": board.passed, "failed": board.failed, "button": board.button}
    held: dict[tuple[str, int], Any] = {}

    def part(text: str) -> Any:
        name, number, *inner = text.split()
        key = (name, int(number))
        if key not in held:
            whole = platform.lookup(*key)
            way = {io.name: "-" for io in whole.ios if isinstance(io, Subsignal)} or "-"
            held[key] = platform.request(*key, dir=way)
        return getattr(held[key], inner[0]) if inner else held[key]

    ports = {"rx": part(f"{uart} rx"), "tx": part(f"{uart} tx")}
    return ports | {name: part(text) for name, text in wanted.items() if text}


def _encoded(data: str | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.encode()


def build_board(
    plan: Plan, folder: Path, *, timeout: float | None = None, progress: Progress = SILENT
) -> Built:
    """Write a plan into a folder and run its programs.

    Raises
    ------
    TargetMissed
        The design does not fit the board's device.
    UnsafeVerilog
        The core does more than describe a circuit.
    ToolNotFound, ToolFailed, ToolTimeout
        A program is missing or failed.
    """
    for name, data in plan.files.items():
        write_bytes(folder / name, data)
    check_sources([folder / name for name in plan.files if name.endswith(".v")])
    target = Target.named(plan.board.target)
    if target.pnr is None:
        raise TargetMissed(f"{target.name} has no open place-and-route")
    programs = {program.name: program for program in target.pnr.programs}
    tools = []
    for program, *arguments in plan.commands:
        if program != "yosys" and program not in programs:
            continue  # loaders of a board, which is not here
        tool = find(programs.get(program, program))
        tools.append(f"{tool.name} {tool.version_text}")
        with progress.step(f"{program} for {plan.board.title}") as step:
            yosys = program == "yosys"
            try:
                run_tool(
                    tool,
                    [f"{TOP}.ys"] if yosys else arguments,
                    cwd=folder,
                    timeout=timeout,
                    failure_phrases=("ERROR:",) if yosys else (),
                    log_file=folder / f"{program}.log",
                    on_line=PhaseCounter(step) if program == target.pnr.tool else None,
                )
            except ToolFailed as error:
                if NO_ROOM.search(error.why):
                    raise _too_large(plan, error) from error
                raise
    pnr = read_pnr_report(folder / REPORT, target.pnr.packed_suffix)
    bitstream = (folder / TOP).with_suffix(Path(target.pnr.bitstream).suffix)
    return Built(bitstream, folder / NETLIST, pnr, tuple(tools))


def divisor(plan: Plan, pnr: PnrReport) -> int:
    """Return the least power of two by which the board's clock is slow enough for a layout.

    Raises
    ------
    TargetMissed
        What divides the board's clock is itself too slow for it.
    """
    asked = pnr.asked_mhz or 0.0
    if plan.divide > 1 and asked > 1.01 * plan.shell_hz / 1e6 and asked > pnr.fmax_mhz:
        raise TargetMissed(
            f"the board's clock of {plan.clock_hz / 1e6:g} MHz cannot be divided",
            where=plan.board.title,
            why=f"place and route reached {pnr.fmax_mhz:.1f} MHz for the divider",
        )
    divide = plan.divide
    while plan.clock_hz / divide > 1e6 * pnr.fmax_mhz:
        divide *= 2
    return divide


def _too_large(plan: Plan, error: ToolFailed) -> TargetMissed:
    return TargetMissed(
        "the design does not fit the board",
        where=plan.board.title,
        why=error.why,
        fix="a larger board, fewer rows of self-test (--test-rows), or a smaller network",
    )
