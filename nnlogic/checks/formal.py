"""Proof that Verilog computes the LogicNet, with exactly the registers of the design.

yosys reads the Verilog into gates. Every path from a data input to a data output must cross
`latency` registers, and data may depend on nothing but data inputs. Then registers only delay,
so replacing each by a wire leaves the function of one row. That is proved equal to the LogicNet
for all inputs: node by node where the netlist kept the nodes (`nnlogic.checks.sweep`), else by
ABC. The valid chain is checked stage by stage against ``v' = v and not rst``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from nnlogic.checks.gates import Gates, add_logic, bit_names
from nnlogic.checks.netlist import (
    Net,
    Netlist,
    Register,
    StructureError,
    register_depths,
    truth,
    unrolled,
)
from nnlogic.checks.sweep import prove_nodes
from nnlogic.checks.verdict import Verdict
from nnlogic.core.names import Identifier
from nnlogic.design.ir import HardwareDesign
from nnlogic.hw.names import port_names
from nnlogic.tools.abc import prove_equal
from nnlogic.tools.find import find
from nnlogic.tools.plain import scratch
from nnlogic.tools.run import run_tool
from nnlogic.tools.verilog_guard import checked_copies


def prove_verilog(
    design: HardwareDesign, files: Sequence[Path], *, timeout: float = 600
) -> Verdict:
    """Prove that the core in Verilog files equals the LogicNet of the design.

    Parameters
    ----------
    design : HardwareDesign
    files : sequence of Path
        All Verilog files of the core; others (the stream wrapper) do no harm.
    timeout : float
        Seconds for each program.

    Returns
    -------
    Verdict
        A difference names the output bit, or the structural rule that is broken.

    Raises
    ------
    UnsafeVerilog
        A file does more than describe a circuit.
    ToolNotFound, ToolFailed, ToolTimeout
        yosys cannot read the files, or ABC came to no verdict.
    """
    return _prove(design, files, "Verilog", None, timeout)


class CellModels(Protocol):
    """What a netlist is made for, and what its cells do."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def model_sources(self, folder: Path) -> tuple[str, ...]:
        """Write what is not of yosys' library into a folder; return names of Verilog files."""
        ...


def prove_netlist(
    design: HardwareDesign, files: Sequence[Path], *, target: CellModels, timeout: float = 600
) -> Verdict:
    """Like `prove_verilog`, for a netlist after synthesis, with models of its cells.

    Parameters
    ----------
    target : Target or Library
    """
    return _prove(design, files, f"{target.name} netlist", target, timeout)


def _prove(
    design: HardwareDesign,
    files: Sequence[Path],
    label: str,
    cells: CellModels | None,
    timeout: float,
) -> Verdict:
    start = time.monotonic()
    left = design.logic.kind
    try:
        with scratch("formal") as folder:
            models = cells.model_sources(folder) if cells else ()
            netlist = _read(folder, design.name, files, models, timeout)
        leaves, outputs = _ports(design, netlist)
        clock = _single(netlist, "clk")
        _check_depths(design, register_depths(netlist, leaves, clock, outputs))
        _check_valid_chain(design, netlist)
        gap = prove_nodes(netlist, list(leaves), list(outputs.values()), design.logic)
    except StructureError as error:
        detail = "; ".join(t for t in (error.what, error.why) if t)
        return Verdict(left, label, False, "proved", detail, error.where).timed(start)
    registers = (
        f"{design.latency} registers on every path, data registers without reset or enable, "
        "valid chain exact"
    )
    if not gap:
        detail = f"{len(outputs)} output bits, {design.logic.n_nodes} nodes by enumeration"
        return Verdict(left, label, True, "proved", f"{detail}; {registers}").timed(start)
    actual = unrolled(netlist, leaves, outputs)
    expected = Gates(list(leaves.values()))
    bits = add_logic(expected, design.logic, expected.inputs)
    for name, net in zip(outputs, bits, strict=True):
        expected.output(name, net)
    equal, said = prove_equal(expected.text(), actual.text(), timeout=timeout)
    detail = f"{len(outputs)} output bits by SAT; {registers}"
    if not equal:
        found = re.search(r"Output (\S+): Value", said)
        where = found.group(1) if found else "outputs"
        return Verdict(left, label, False, "proved", " ".join(said.split()), where).timed(start)
    return Verdict(left, label, True, "proved", detail).timed(start)


def _read(
    folder: Path, top: str, files: Sequence[Path], models: Sequence[str], timeout: float
) -> Netlist:
    out = folder / "gates.json"
    copies = checked_copies(files, folder / "rtl")
    module = re.compile(rf"\bmodule\s+\\?{re.escape(top)}(?![\w$])".encode())
    if not any(module.search(copy.read_bytes()) for copy in copies):
        why = f"none of {len(copies)} Verilog files holds it"
        raise StructureError("no such module", where=top, why=why)
    # Deferred: of a large netlist only what the module instantiates is elaborated.
    defer = " -defer" if models else ""
    lines = [f"read_verilog{defer} rtl/{copy.name}" for copy in copies]
    if models:
        # Deferred, since elaborating every cell of a vendor takes a minute.
        lines.append(f"read_verilog -defer -overwrite {' '.join(models)}")
    lines += [
        f"hierarchy -check -top {Identifier(top)}",
        "proc",
        "memory_map",
        "flatten",
        "tee -q -o check.txt check",
        # Constants of cell parameters must fold before registers are judged.
        *(["opt -full -nodffe -nosdff"] if models else []),
        "simplemap",
        "techmap",
        # Synthesis may use a reset or enable pin as logic; then it is a gate before the register.
        *(["dfflegalize -cell $_DFF_P_ 01"] if models else []),
        "opt_expr",
        "clean",
        f"write_json {out.name}",
    ]
    script = folder / "read.ys"
    script.write_text("\n".join(lines) + "\n")
    run_tool(
        find("yosys"),
        [script.name],
        cwd=folder,
        timeout=timeout,
        outputs=(out,),
        failure_phrases=("ERROR:",),
    )
    clash = re.search(r"multiple conflicting drivers for (\S+)", (folder / "check.txt").read_text())
    if clash:
        where = clash.group(1).rstrip(":")
        raise StructureError("two drivers", where=where, why="several cells drive the net")
    return Netlist.read(out, top)


def _ports(design: HardwareDesign, netlist: Netlist) -> tuple[dict[Net, str], dict[str, Net]]:
    x_names, y_names = port_names(design)
    leaves: dict[Net, str] = {}
    for port in design.inputs:
        name = x_names[port.name]
        nets = _vector(netlist.inputs, name, port.format.bits)
        leaves.update(zip(nets, bit_names([name], [len(nets)]), strict=True))
    outputs: dict[str, Net] = {}
    for port in design.outputs:
        name = y_names[port.name]
        nets = _vector(netlist.outputs, name, port.format.bits)
        outputs.update(zip(bit_names([name], [len(nets)]), nets, strict=True))
    return leaves, outputs


def _vector(ports: dict[str, tuple[Net, ...]], name: str, width: int) -> tuple[Net, ...]:
    nets = ports.get(name, ())
    if len(nets) != width:
        why = f"the design has {width} bits, the Verilog {len(nets)}"
        raise StructureError("ports differ", where=name, why=why)
    return nets


def _single(netlist: Netlist, name: str) -> Net:
    return _vector({**netlist.inputs, **netlist.outputs}, name, 1)[0]


def _check_depths(design: HardwareDesign, depths: dict[str, tuple[int, int] | None]) -> None:
    for name, depth in depths.items():
        if depth is not None and depth != (design.latency, design.latency):
            few, most = depth
            why = (
                f"paths cross {few if few == most else f'{few} to {most}'} registers, "
                f"the design says {design.latency}"
            )
            raise StructureError("wrong number of registers", where=name, why=why)


def _check_valid_chain(design: HardwareDesign, netlist: Netlist) -> None:
    reset, clock = _single(netlist, "rst"), _single(netlist, "clk")
    at, start = _single(netlist, "out_valid"), _single(netlist, "in_valid")
    for stage in range(design.latency, 0, -1):
        where = f"out_valid, stage {stage}"
        driver = netlist.drivers.get(at)
        if not isinstance(driver, Register) or driver.clock != clock:
            raise StructureError("valid chain", where=where, why="not a plain register of clk")
        registers = [n for n in _support(netlist, driver.data) if n != reset]
        before = start if stage == 1 else next(iter(registers), start)
        if truth(netlist, driver.data, (before, reset)) != 0b0010:
            raise StructureError("valid chain", where=where, why="not 'previous and not rst'")
        at = before


def _support(netlist: Netlist, root: Net) -> list[Net]:
    """Registers and ports that a combinational cone reads."""
    seen: list[Net] = []
    todo, done = [root], set()
    while todo:
        net = todo.pop()
        if net in done:
            continue
        done.add(net)
        driver = netlist.drivers.get(net)
        if driver is None or isinstance(driver, Register):
            seen += [] if net in ("0", "1") else [net]
        else:
            todo += driver.fanins
    return seen
