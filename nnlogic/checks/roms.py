"""Verilog with ``case`` tables as a netlist: yosys elaborates it, tables stay memories."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nnlogic.checks.netlist import Gate, Netlist, Register
from nnlogic.core.bits import Bools
from nnlogic.core.formats import IntArray
from nnlogic.core.names import Identifier
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool
from nnlogic.tools.verilog_2001 import changed, changed_name
from nnlogic.tools.verilog_guard import checked_copies

WRAPPER = "nnlogic_input"


@dataclass(frozen=True, eq=False)
class Rom(Gate):
    """A bit of a memory that is only read: `table`, bool, indexed by the fan-ins, LSB first."""

    table: Bools


@dataclass(frozen=True, eq=False)
class Unknown(Gate):
    """A value that tools may choose, as for the default of a full ``case``: it must not matter."""


UNKNOWN = "x"


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
    changes = facts.get("changed", ())
    clock, ties = facts["clock"], facts["ties"]
    inputs = {**({clock: 1} if clock else {}), **facts["inputs"]}
    outputs = facts["outputs"]
    written = {
        n: Identifier(changed_name(n, changes)) for n in (facts["top"], *inputs, *outputs, *ties)
    }
    ports = [f"input [{w - 1}:0] {written[n]}" for n, w in inputs.items()]
    ports += [f"output [{w - 1}:0] {written[n]}" for n, w in outputs.items()]
    pins = [f".{written[n]}({written[n]})" for n in (*inputs, *outputs)]
    pins += [f".{written[n]}(1'b{value})" for n, value in ties.items()]
    top = written[facts["top"]]
    # Names without a folder: the facts are data of a file as well.
    names = [Path(name).name for name in facts["files"] if name not in facts["idle"]]
    words = [sources / Path(name).name for name in facts.get("words", ())]
    edit = partial(changed, names=changes)
    files = [sources / name for name in names]
    copies = checked_copies(files, folder / "rtl", edit=edit, words=words)
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
    netlist = _with_roms(Netlist.read(out, WRAPPER), out)
    return replace(
        netlist,
        inputs={n: netlist.inputs[written[n]] for n in inputs},
        outputs={n: netlist.outputs[written[n]] for n in outputs},
    )


def _with_roms(netlist: Netlist, path: Path) -> Netlist:
    """Return the netlist with memories that are only read as gates."""
    drivers, other = dict(netlist.drivers), dict(netlist.other)
    drivers[UNKNOWN] = Unknown((), ())
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
    """Return the values of a gate from those of its fan-ins.

    Values are bool of shape (samples,); of shape (2, samples) where some are unknown: whether each
    may be 0, and whether it may be 1.
    """
    if isinstance(driver, Register):
        return fanins[0]
    if any(value.ndim == 2 for value in fanins):
        return _possible(driver, fanins)
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


def _possible(driver: Gate, fanins: list[Bools]) -> Bools:
    """Return the values of a gate of which some fan-ins are unknown on some samples.

    A gate counts as unknown where its cubes do not decide, even if every choice gives the same.
    """
    pairs = [value if value.ndim == 2 else np.stack([~value, value]) for value in fanins]
    out = np.zeros_like(pairs[0])
    if isinstance(driver, Rom):
        return ~out
    out[0] = True
    for cube in driver.cubes:
        literals = [(p, int(c)) for c, p in zip(cube, pairs, strict=True) if c != "-"]
        out[1] |= np.logical_and.reduce([p[c] for p, c in literals])
        out[0] &= np.logical_or.reduce([p[1 - c] for p, c in literals])
    return out[1] if (out[0] ^ out[1]).all() else out
