"""Post-synthesis netlists as Verilog that simulators take, and netlists with one wrong bit."""

from __future__ import annotations

import random
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
WRONG = "nnlogic_wrong"
"""Input of a netlist with wrong bits beside right ones, see `with_wrong_bits`."""
_INIT = re.compile(r"(\.INIT(?:VAL)?(?:_[0-9A-F]{2})?\(\d+'[hb])([0-9a-fx]+)\)")
_NOT_ZERO = re.compile(r"[1-9a-f](?=[0x]*$)")
_CELL = re.compile(r"^  (\w+) #\(\n(.*?)^  \) (\\\S+ |\w+) \(", re.MULTILINE | re.DOTALL)

_LUT = re.compile(
    r"^  (?P<kind>LUT\d) #\(\n    \.INIT\((?P<size>\d+'h)(?P<bits>[0-9a-f]+)\)\n  \) "
    r"(?P<name>\\\S+ |\w+) \(\n(?P<pins>(?:    \.\w+\(.*\),\n)+)"
    r"    \.(?P<out>[OZ])\((?P<net>.*)\)\n  \);\n",
    re.MULTILINE,
)
"""A LUT whose output is its last pin, as yosys writes LUT cells."""


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


def with_wrong_bits(
    text: str, top: str, most: int, *, seed: int = 1
) -> tuple[str, tuple[str, ...]]:
    """Put LUTs with one wrong bit beside some of a netlist's, and a port that chooses between them.

    Parameters
    ----------
    text : str
        A flat netlist as yosys writes it.
    top : str
        Its module; gets an input `WRONG` with a bit for each wrong LUT, all 0 for the netlist as
        it is.
    most : int
        LUTs: half of them those of fewest inputs, whose bits few rows read already, the others
        drawn among all, evenly.
    seed : int

    Returns
    -------
    text : str
    places : tuple of str
        Where bit 0, bit 1, ... of the input plant a wrong bit, LUTs of fewest inputs first; at
        least one.

    Raises
    ------
    UsageError
        The netlist has no LUT whose bits can be changed.
    """
    found = [m for m in _LUT.finditer(text) if _NOT_ZERO.search(m["bits"])]
    drawn = random.Random(seed).sample(found, len(found))
    drawn = [*sorted(drawn, key=lambda m: m["kind"])[: most // 2], *drawn]
    numbers = {cell: i for i, cell in enumerate(list(dict.fromkeys(drawn))[:most])}
    cells = sorted(numbers, key=re.Match.start)
    head = re.search(rf"^module {re.escape(top)}\((.*?)\);\n", text, re.MULTILINE | re.DOTALL)
    if not cells or head is None:
        why = f"no LUT with bits among the cells of {top}"
        raise UsageError("a wrong bit cannot be planted in the netlist", why=why)
    high = len(cells) - 1
    names = [f"{WRONG}_{kind}" for kind in ("as_is", "other")]
    parts = [
        text[: head.start()],
        f"module {top}({head[1]}, {WRONG});\n  input [{high}:0] {WRONG};\n",
        *(f"  wire [{high}:0] {name};\n" for name in names),
    ]
    at = head.end()
    for cell in cells:
        number = numbers[cell]
        digit = _NOT_ZERO.search(cell["bits"])
        lowest = int(digit[0], 16)  # type: ignore[index]
        place = digit.start()  # type: ignore[union-attr]
        bits = cell["bits"]
        wrong = f"{bits[:place]}{lowest ^ (lowest & -lowest):x}{bits[place + 1 :]}"
        parts.append(text[at : cell.start()])
        for name, own, instance in zip(
            names, (bits, wrong), (cell["name"], f"{WRONG}_{number}"), strict=True
        ):
            parts.append(
                f"  {cell['kind']} #(\n    .INIT({cell['size']}{own})\n  ) {instance} (\n"
                f"{cell['pins']}    .{cell['out']}({name}[{number}])\n  );\n"
            )
        right, other = (f"{name}[{number}]" for name in names)
        parts.append(f"  assign {cell['net']} = {WRONG}[{number}] ? {other} : {right};\n")
        at = cell.end()
    parts.append(text[at:])
    return "".join(parts), tuple(f"{cell['kind']} {cell['name'].strip()}" for cell in numbers)
