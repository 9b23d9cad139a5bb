"""The clock of a peer's Verilog and of ours on ECP5: the same programs, the same pipelining."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.leaderboard.own import FIRST, read_lines
from nnlogic.core.names import Identifier
from nnlogic.design.build import build
from nnlogic.flows.pnr import place_and_route
from nnlogic.flows.reports import read_stat
from nnlogic.flows.synth import NetPort, SynthResult, read_ports, synth_command, synthesize
from nnlogic.flows.targets import Target
from nnlogic.hw.lut.verilog import write_verilog
from nnlogic.logic.build import minimize
from nnlogic.quant.ir import QuantNet
from nnlogic.tables.build import tabulate
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool

TARGET = "ecp5"
TOP = "peer_core"
TIMEOUT = 1800.0
PORTS, STAT, NETLIST = "ports.json", "stat.json", "netlist"
KINDS = {"json": "json", "verilog": "v"}


@dataclass(frozen=True)
class Clock:
    """What place and route found.

    Attributes
    ----------
    mhz : float
    luts : int
        Of four inputs, as yosys counts them.
    ranks : int
        Registers one behind another, those at the outputs among them.
    """

    mhz: float
    luts: int
    ranks: int


def clocks(files: Sequence[Path], top: str, registers: int, net: QuantNet) -> dict[str, Any]:
    """Return both clocks, as JSON.

    Parameters
    ----------
    files : sequence of Path
        Verilog of the peer.
    top : str
        Its module.
    registers : int
        On every path of it, from the inputs on.
    net : QuantNet
        The same function.

    Raises
    ------
    NNLogicError
        One cannot be synthesized, placed or routed.
    """
    return {
        "peer": asdict(_peer(files, top, registers)), "ours": asdict(_ours(net, registers))
    }  # fmt: skip


def _peer(files: Sequence[Path], top: str, registers: int) -> Clock:
    target = Target.named(TARGET)
    with tempfile.TemporaryDirectory(prefix="nnlogic-fmax-") as name:
        folder = Path(name)
        read = read_lines(files, folder)
        first = [line.format(top=top) for line in FIRST[:1]]
        _yosys(folder, [*read, *first, "proc", f"write_json {PORTS}"], PORTS)
        (folder / f"{TOP}.v").write_text(_wrapped(top, read_ports(folder / PORTS, top)))
        script = [
            *read, f"read_verilog {TOP}.v", *(line.format(top=TOP) for line in FIRST),
            synth_command(Identifier(TOP), target), f"tee -q -o {STAT} stat -json", "flatten",
            "opt_clean", f"select ={TOP}", f"write_json -selected {NETLIST}.json",
            f"write_verilog -selected -noattr {NETLIST}.v",
        ]  # fmt: skip
        _yosys(folder, script, STAT, f"{NETLIST}.json", f"{NETLIST}.v")
        total, modules = read_stat(folder / STAT, target)
        files = {f"netlist_{n}": folder / f"{NETLIST}.{e}" for n, e in KINDS.items()}
        made = SynthResult(
            target.name, Identifier(TOP), "yosys", "", total, modules,
            read_ports(folder / f"{NETLIST}.json", TOP),
            files, 0.0,
        )  # fmt: skip
        return _placed(made, folder, registers + 1)


def _yosys(folder: Path, script: Sequence[str], *outputs: str) -> None:
    (folder / "run.ys").write_text("\n".join([*script, ""]))
    made = [folder / name for name in outputs]
    run_tool(find("yosys"), ["run.ys"], cwd=folder, timeout=TIMEOUT, outputs=made)


def _ours(net: QuantNet, registers: int) -> Clock:
    tables = tabulate(net, arith="auto", limit=16)
    logic = minimize(tables, k=Target.named(TARGET).lut_size, effort="normal", jobs=1)
    depth = int(logic.stats()["depth"])
    segments = max(1, registers)
    design = build(
        logic, schedule=-(-depth // segments), input_register=registers > 0, stream=False
    )
    with tempfile.TemporaryDirectory(prefix="nnlogic-fmax-") as name:
        files = write_verilog(design, Path(name) / "rtl")
        made = synthesize(
            files, design.name, Target.named(TARGET), Path(name) / "synth", timeout=TIMEOUT
        )
        return _placed(made, Path(name), design.n_segments + (registers > 0))


def _placed(made: SynthResult, folder: Path, ranks: int) -> Clock:
    placed = place_and_route(made, Target.named(TARGET), folder / "pnr", timeout=TIMEOUT)
    return Clock(round(placed.fmax_mhz, 1), made.luts_total, ranks)


def _wrapped(top: str, ports: Sequence[NetPort]) -> str:
    """Return a module of the ports that the harness knows, with registers at the outputs."""
    data = [port for port in ports if port.name not in ("clk", "rst")]
    ins = [port for port in data if port.direction == "input"]
    outs = [port for port in data if port.direction == "output"]
    given = [f"input [{p.width - 1}:0] i_{p.name}" for p in ins]
    given += [f"output reg [{p.width - 1}:0] o_{p.name}" for p in outs]
    wires = [f"  wire [{p.width - 1}:0] w_{p.name};" for p in outs]
    pins = [f".{p.name}(i_{p.name})" for p in ins] + [f".{p.name}(w_{p.name})" for p in outs]
    pins += [f".{p.name}({p.name})" for p in ports if p.name in ("clk", "rst")]
    lines = [
        f"module {TOP} (input clk, input rst, input in_valid, output out_valid, "
        f"{', '.join(given)});",
        "  assign out_valid = in_valid;",
        *wires,
        f"  {top} core ({', '.join(pins)});",
        *(f"  always @(posedge clk) o_{p.name} <= w_{p.name};" for p in outs),
        "endmodule",
    ]
    return "\n".join([*lines, ""])
