"""Verilog with ``case`` tables as a netlist: yosys elaborates it, tables stay memories."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.checks.netlist import Gate, Netlist, Register
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.core.names import Identifier
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool
from nnlogic.tools.verilog_guard import checked_copies

WRAPPER = "nnlogic_input"


@dataclass(frozen=True, eq=False)
class Rom(Gate):
    """A bit of a memory that is only read: `table`, bool, indexed by the fan-ins, LSB first."""

    table: Bools


def read_elaborated(folder: Path, facts: dict[str, Any], sources: Path, timeout: float) -> Netlist:
    """Elaborate imported Verilog below a wrapper that ties the resets to their value in operation.

    Parameters
    ----------
    folder : Path
        For intermediate files.
    facts : dict
        ``info["verilog"]`` of the imported QuantNet. Its ``idle`` files are not read: tables
        there feed nothing, or else their nets have no driver, and no proof will pass.
    sources : Path
        Folder of the files.
    timeout : float
        Seconds.

    Returns
    -------
    Netlist
        Of gates, registers and `Rom`; its ports are those of the top without resets.

    Raises
    ------
    UnsafeVerilog
        A file does more than describe a circuit.
    ToolNotFound, ToolFailed, ToolTimeout
        yosys is missing or cannot read the files.
    """
    clock, ties = facts["clock"], facts["ties"]
    inputs = {**({clock: 1} if clock else {}), **facts["inputs"]}
    ports = [f"input [{w - 1}:0] {n}" for n, w in inputs.items()]
    ports += [f"output [{w - 1}:0] {n}" for n, w in facts["outputs"].items()]
    pins = [f".{n}({n})" for n in (*inputs, *facts["outputs"])]
    pins += [f".{n}(1'b{value})" for n, value in ties.items()]
    top, *_ = (Identifier(n) for n in (facts["top"], *inputs, *facts["outputs"], *ties))
    # Names without a folder: the facts are data of a file as well.
    names = [Path(name).name for name in facts["files"] if name not in facts["idle"]]
    copies = checked_copies([sources / name for name in names], folder / "rtl")
    wrapper = folder / "wrapper.v"
    wrapper.write_text(
        f"module {WRAPPER} ({', '.join(ports)});\n{top} top ({', '.join(pins)});\nendmodule\n"
    )
    out = folder / "gates.json"
    lines = [
        *(f"read_verilog -sv rtl/{copy.name}" for copy in copies),
        f"read_verilog {wrapper.name}",
        f"hierarchy -top {WRAPPER}",
        "proc",
        "flatten",
        "opt_expr",
        # A reset that is tied must go before registers are judged.
        "opt_dff -nodffe -nosdff",
        "clean",
        "memory_collect",
        "simplemap",
        "techmap",
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
        # Ports of another width than the importer says would be cut or extended in silence.
        failure_phrases=("ERROR:", "Resizing cell port"),
    )
    return _with_roms(Netlist.read(out, WRAPPER), out)


def _with_roms(netlist: Netlist, path: Path) -> Netlist:
    """Return the netlist with memories that are only read as gates."""
    drivers, other = dict(netlist.drivers), dict(netlist.other)
    for cell in json.loads(path.read_text())["modules"][WRAPPER]["cells"].values():
        if cell["type"] != "$mem_v2":
            continue
        par, pins = cell["parameters"], cell["connections"]
        size, width, address_bits, offset = (
            int(par[key], 2) for key in ("SIZE", "WIDTH", "ABITS", "OFFSET")
        )
        clean = set(par["INIT"]) <= {"0", "1"} and size == 1 << address_bits and not offset
        if int(par["WR_PORTS"], 2) or "1" in par["RD_CLK_ENABLE"] or not clean:
            continue  # not a plain table: its nets stay driven by an unknown cell
        words = np.array([c == "1" for c in par["INIT"][::-1]]).reshape(size, width)
        for port in range(int(par["RD_PORTS"], 2)):
            address = pins["RD_ADDR"][port * address_bits : (port + 1) * address_bits]
            for b, at in enumerate(pins["RD_DATA"][port * width : (port + 1) * width]):
                if other.get(at) == "$mem_v2":
                    del other[at]
                    drivers[at] = Rom(tuple(address), (), words[:, b])
    return replace(netlist, drivers=drivers, other=other)


def gate_value(driver: Gate | Register, fanins: list[Bools]) -> Bools:
    """Return the values of a gate, bool of shape (samples,), from those of its fan-ins."""
    if isinstance(driver, Register):
        return fanins[0]
    if isinstance(driver, Rom):
        index: IntArray = np.zeros(len(fanins[0]), np.int64)
        for b, value in enumerate(fanins):
            index |= value.astype(np.int64) << b
        return driver.table[index]
    out = np.zeros(len(fanins[0]), bool)
    for cube in driver.cubes:
        term = np.ones(len(out), bool)
        for literal, value in zip(cube, fanins, strict=True):
            if literal != "-":
                term &= value if literal == "1" else ~value
        out |= term
    return out
