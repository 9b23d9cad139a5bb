"""Post-synthesis netlists as Verilog that simulators take, and netlists with one wrong bit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nnlogic.core.archive import write_bytes
from nnlogic.core.errors import UsageError
from nnlogic.core.progress import SILENT, Progress
from nnlogic.flows.targets import Target
from nnlogic.hw.slices import MODELS, model_text
from nnlogic.sim.ram_models import ram_models, unknown_mode
from nnlogic.tools.find import find
from nnlogic.tools.run import run_tool

RAMS = "ram_models.v"
FLAT = "netlist_sim.v"
SECONDS = 600.0
_INIT = re.compile(r"(\.INIT(?:VAL)?(?:_[0-9A-F]{2})?\(\d+'[hb])([0-9a-fx]+)\)")
_NOT_ZERO = re.compile(r"[1-9a-f](?=[0x]*$)")
_CELL = re.compile(r"^  (\w+) #\(\n(.*?)^  \) (\\\S+ |\w+) \(", re.MULTILINE | re.DOTALL)


def behavioural(
    netlist: Path, top: str, target: Target, folder: Path, *, progress: Progress = SILENT
) -> tuple[Path, ...]:
    """Write a netlist with behavioural cells.

    Yosys puts the target's cell models in place of the small cells. Block RAMs and DSP cells stay
    cells; the models of this package stand for them.

    Parameters
    ----------
    netlist : Path
    top : str
        Its module.
    target : Target
    folder : Path
        Made when missing.
    progress : Progress

    Returns
    -------
    tuple of Path
        Sources for a simulator.

    Raises
    ------
    UsageError
        No models for the target, or a cell in a mode they do not have.
    ToolNotFound, ToolFailed, ToolTimeout
        No yosys, or it failed.
    """
    text = netlist.read_text()
    mode = unknown_mode(text) if target.dsp else f"cells of {target.name}"
    if mode:
        raise UsageError(
            "the netlist cannot be simulated", where=str(netlist),
            why=f"there is no model of {mode}",
            fix="simulate it with the vendor's library",
        )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    flat, rams, dsps = (folder / name for name in (FLAT, RAMS, MODELS))
    write_bytes(rams, ram_models().encode())
    write_bytes(dsps, model_text().encode())
    write_bytes(folder / "netlist.v", text.encode())
    script = [
        # Some families' models include a file twice.
        f"read_verilog -nooverwrite {' '.join(target.model_sources(folder))}",
        # What the simulator gets a model of stays a cell here.
        f"read_verilog -lib -overwrite {RAMS} {MODELS}",
        "read_verilog netlist.v",
        f"hierarchy -check -top {top}",
        "proc -norom",
        "flatten",
        "opt_expr",
        "opt_clean",
        f"write_verilog -noattr {FLAT}",
    ]
    write_bytes(folder / "netlist.ys", "\n".join([*script, ""]).encode())
    with progress.step("models of the netlist's cells"):
        run_tool(
            find("yosys"),
            ["netlist.ys"],
            cwd=folder,
            timeout=SECONDS,
            outputs=(flat,),
            failure_phrases=("ERROR:",),
        )
    return (flat, rams, dsps)


def wrong_netlists(text: str) -> Iterator[tuple[str, str]]:
    """Yield netlists with one wrong bit, and where: program memory first, then LUTs.

    The bits are the lowest ones of the first words of each cell that are not zero: what the first
    steps of the program read.
    """
    cells = [m for m in _CELL.finditer(text) if _INIT.search(m[2])]
    cells.sort(
        key=lambda m: ("program" not in m[3], not m[1].startswith(("RAMB", "DP16")), m.start())
    )
    for cell in cells:
        for value in _INIT.finditer(cell[2]):
            digit = _NOT_ZERO.search(value[2])
            if digit is None:
                continue
            bits = int(digit[0], 16)
            at = cell.start(2) + value.start(2) + digit.start()
            wrong = f"{bits ^ (bits & -bits):x}"
            where = f"{cell[1]} {cell[3].strip()}, {value[1][1:].split('(')[0]}"
            yield text[:at] + wrong + text[at + 1 :], where
            break
